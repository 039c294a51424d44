"""The cortical microcircuit by the recipe by which the community compares simulators and machines.

    python -m benchmarks microcircuit --pd14 [--seeds 10] [--background constant] [--scale 0.2] [--fraction 90]

dt 0.1 ms, optimised initial potentials, Poisson events or a constant current from outside, 500 ms that are not
measured and 10 s that are (`--fraction 90`: 15 minutes), spikes of all neurons recorded all the while, ten seeds, each
of which draws connections, delays, weights, potentials and input anew. Of each population: the mean rate beside the
reference; the coefficient of variation of the intervals, of neurons with at least ten; the correlation of counts in
2 ms of pairs among 200 neurons. The distance of Kolmogorov and Smirnov is taken between every two seeds: it is what
another simulator, or a smaller float type, may differ by. The mean rates of all seeds must be those of the reference
within 5 % or 0.1 Hz.

`pd14.md` and `pd14.csv` are written to the folder of `--out`, anew after each seed.

Source: Potjans, Diesmann, Cerebral Cortex 24 (2014) 785; Senk and others, Neuromorphic Computing and Engineering 6
(2026) 012001; the measures as in van Albada et al., Frontiers in Neuroinformatics 12 (2018) 291.
"""

import csv
import io
import statistics as middle
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks import child, ours, report
from benchmarks.cases import CASES
from benchmarks.compare import disagreements
from benchmarks.energy import Meter
from benchmarks.microcircuit_stats import MEASURES, distance, statistics
from benchmarks.peers import OURS
from neurosim.files import whole_file
from neurosim.reservoirs import potjans_diesmann
from neurosim.reservoirs.named.microcircuit_data import POPULATIONS, RATES

COLUMNS = ("population", "measure", "mean", "std_of_seeds", "std_of_neurons", "reference", "distance_median",
           "distance_most", "seeds", "n")


def one(seed: int, background: str, scale: float, fraction: float, threads: int, dtype: str, path: str) -> dict:
    """Run one seed in this process and write its statistics; return seconds, rates and joules (None: not known)."""
    case, meter = CASES["microcircuit"].scaled(scale).shortened(fraction), Meter()
    net = potjans_diesmann(case.scale, initial="optimised", background=background)
    for population in net.populations:
        net.record(population)
    result, spikes = ours.timed(net, net.populations, case, threads, dtype, seed, meter)
    np.savez(path, **{f"{name} {measure}": sample for name, found in spikes.items() for measure, sample in
                      statistics(found.times, found.ids, found.size, case.warm, case.run).items()})
    return result | {"joules": meter.joules, "memory_mb": child.resident_mb("VmHWM")}


def rows_of(found: list[dict]) -> list[dict]:
    """Return a row for each population and measure, from the statistics of each seed.

    Args:
        found: of each seed, arrays by "population measure".
    """
    rows = []
    for name, rate in zip(POPULATIONS, RATES, strict=True):
        for measure in MEASURES:
            samples = [each[f"{name} {measure}"] for each in found]
            means = [float(sample.mean()) for sample in samples if sample.size]
            apart = [distance(a, b) for a, b in combinations(samples, 2) if a.size and b.size]
            rows.append({"population": name, "measure": measure, "mean": middle.fmean(means) if means else None,
                         "std_of_seeds": middle.stdev(means) if len(means) > 1 else None,
                         "std_of_neurons": float(np.concatenate(samples).std()) if means else None,
                         "reference": rate if measure == "rate" else None,
                         "distance_median": middle.median(apart) if apart else None,
                         "distance_most": max(apart, default=None), "seeds": len(found),
                         "n": sum(sample.size for sample in samples)})
    return rows


def summary(case, runs: list[dict], settings) -> dict:
    """Return what all seeds took: medians, the least and the most; and energy where all seeds have it."""
    seconds = [run["simulate"] / (case.run * 1e-3) for run in runs]
    events = [case.events(run["rates"], case.run) for run in runs]
    told = {"scale": case.scale, "background": settings.background, "seconds": case.run * 1e-3, "seeds": len(runs),
            "threads": max(settings.threads), "dtype": settings.dtypes[0],
            "build_s": middle.median(run["build"] for run in runs), "real_time_factor": middle.median(seconds),
            "least": min(seconds), "most": max(seconds), "memory_mb": max(run["memory_mb"] for run in runs),
            "events_per_s": middle.median(n / run["simulate"] for n, run in zip(events, runs, strict=True))}
    if all(run["joules"] is not None for run in runs):
        told["joules_per_s"] = middle.median(run["joules"] / (case.run * 1e-3) for run in runs)
        told["uj_per_event"] = middle.median(run["joules"] / n * 1e6 for n, run in zip(events, runs, strict=True))
    return told


def markdown(told: dict, rows: list[dict]) -> str:
    """Return what was found as text: a sentence, and a table with a line for each population."""
    energy = "" if "joules_per_s" not in told else (
        f"; {told['joules_per_s']:.1f} J a simulated second, {told['uj_per_event']:.3f} uJ a synaptic event (RAPL: "
        "packages and memory, whatever else ran)")
    lines = [f"{told['seeds']} seed{'s' * (told['seeds'] > 1)} of {told['seconds']:g} s after 0.5 s, "
             f"{100 * told['scale']:g} % of the network, {told['background']} background, {told['threads']} threads, "
             f"{told['dtype']}: {told['real_time_factor']:.2f} of real time ({told['least']:.2f} to "
             f"{told['most']:.2f}), {told['events_per_s'] / 1e6:.0f} million events a second, built in "
             f"{told['build_s']:.1f} s, {told['memory_mb']:.0f} MB{energy}.", "",
             "| | rate, Hz | reference | CV of intervals | correlation | distance: rate | CV | correlation |",
             "|---|---|---|---|---|---|---|---|"]
    for name in POPULATIONS:
        three = [row for row in rows if row["population"] == name]
        lines.append(f"| {name} | " + " | ".join((
            _mean(three[0], 3), f"{three[0]['reference']:.3f}", _mean(three[1], 3), _mean(three[2], 4),
            *(_apart(row) for row in three))) + " |")
    return "\n".join(lines)


def _mean(row, digits) -> str:
    spread = "" if row["std_of_seeds"] is None else f" ({row['std_of_seeds']:.{digits}f})"
    return "" if row["mean"] is None else f"{row['mean']:.{digits}f}{spread}"


def _apart(row) -> str:
    return "" if row["distance_most"] is None else f"{row['distance_median']:.3f} ({row['distance_most']:.3f})"


def comma_separated(rows: list[dict]) -> str:
    """Return the rows as CSV, in full digits; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(told: dict, rows: list[dict], out: Path) -> None:
    """Write the table as Markdown and as CSV, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in (("pd14.md", markdown(told, rows) + "\n"), ("pd14.csv", comma_separated(rows))):
        with whole_file(out / name, encoding="utf-8") as file:
            file.write(content)


def main(settings, out) -> tuple[dict, bool]:
    """Run all seeds, show the table and write it; return it, and whether rates are those of the reference."""
    case, runs, found = CASES["microcircuit"].scaled(settings.scale).shortened(settings.fraction), [], []
    threads, told, rows = max(settings.threads), {}, []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, settings.seeds + 1):
            path = Path(folder) / f"{seed}.npz"
            runs.append(child.run("benchmarks.pd14:one", environment=OURS.environment(threads), seed=seed,
                                  background=settings.background, scale=settings.scale, fraction=settings.fraction,
                                  threads=threads, dtype=settings.dtypes[0], path=str(path)))
            with np.load(path) as file:
                found.append(dict(file))
            rows, told = rows_of(found), summary(case, runs, settings)
            write(told, rows, out)  # who stops early has the seeds that were done
            print(f"seed {seed}: built in {runs[-1]['build']:.1f} s, {runs[-1]['simulate']:.1f} s for "
                  f"{case.run * 1e-3:g} s", flush=True)
    print(f"\n{markdown(told, rows)}\nwrote {out / 'pd14.md'} and {out / 'pd14.csv'}")
    rates = [row["mean"] or 0.0 for row in rows if row["measure"] == "rate"]
    wrong = [] if settings.background == "constant" else disagreements(case, [{"rate": 0.0, "rates": rates}])
    print(*wrong, sep="\n", end="\n" * bool(wrong))
    return {**told, "rows": rows, "machine": report.machine()}, not wrong
