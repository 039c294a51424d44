"""Distributions of rates, irregularity and correlation in the microcircuit, in neurosim and in NEST.

Both run the same description at a fifth of the size (`--scale` chooses another) with connections and input of their
own. What is compared, as in the publication: the rate of each neuron; the coefficient of variation of its interspike
intervals, of neurons with at least ten; and the correlation of the spike counts in 2 ms of pairs among 200 neurons of
a population that spike at all. The distance of Kolmogorov and Smirnov between the two simulators stands
beside that between two runs of neurosim with different seeds, which tells what chance does.

Source: Potjans, Diesmann, Cerebral Cortex 24 (2014) 785; the measures as in van Albada et al., Frontiers in
Neuroinformatics 12 (2018) 291.
"""

import importlib
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import child
from benchmarks.cases import CASES
from benchmarks.peers import OURS, PEERS, peer_of
from neurosim.reservoirs.named.microcircuit_data import POPULATIONS

SCALE, BIN, PAIRED, FEWEST = 0.2, 2.0, 200, 10
MEASURES = {"rate": "rate, Hz", "cv": "CV of intervals", "correlation": "correlation of counts"}


def statistics(times, ids, size: int, start: float, ms: float) -> dict:
    """Return arrays of the rates of all neurons, the CVs of those that spike enough, and pairwise correlations."""
    order = np.lexsort((times, ids))
    times, ids = np.asarray(times)[order], np.asarray(ids)[order].astype(int)
    counts = np.bincount(ids, minlength=size)
    gaps, same = np.diff(times), np.diff(ids) == 0
    n = np.bincount(ids[1:][same], minlength=size)
    first = np.bincount(ids[1:][same], gaps[same], size)
    second = np.bincount(ids[1:][same], gaps[same] ** 2, size)
    enough = n >= FEWEST
    mean = first[enough] / n[enough]
    cv = np.sqrt(np.maximum(second[enough] / n[enough] - mean**2, 0.0)) / mean
    return {"rate": counts * 1e3 / ms, "cv": cv, "correlation": _correlations(times, ids, counts, start, ms)}


def _correlations(times, ids, counts, start, ms):
    chosen = np.flatnonzero(counts)[:PAIRED]
    if chosen.size < 2:
        return np.zeros(0)
    place = np.full(counts.size, -1)
    place[chosen] = np.arange(chosen.size)
    mine = place[ids] >= 0
    bins = int(ms / BIN)
    where = np.clip(((times[mine] - start) / BIN).astype(int), 0, bins - 1)
    binned = np.bincount(place[ids[mine]] * bins + where, minlength=chosen.size * bins).reshape(chosen.size, bins)
    return np.corrcoef(binned)[np.triu_indices(chosen.size, 1)]


def distance(a, b) -> float:
    """Return the distance of Kolmogorov and Smirnov between two samples.

    >>> distance(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    1.0
    """
    if not a.size or not b.size:
        return float("nan")
    at = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(part), at, side="right") / part.size for part in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def _simulate(peer, settings, folder, threads, seed=1):
    """Return the statistics of each population in one simulator."""
    path = Path(folder) / f"{peer.name}.npz"
    scale = settings.scale if settings.scale != 1.0 else SCALE
    case = CASES["microcircuit"].scaled(scale).shortened(settings.fraction)
    child.run("benchmarks.microcircuit_stats:measure", environment=peer.environment(threads), peer=peer.name,
              scale=scale, fraction=settings.fraction, threads=threads, spikes=str(path), seed=seed)
    with np.load(path) as file:
        return {name: statistics(file[f"t_{name}"], file[f"i_{name}"], n, case.warm, case.run)
                for name, n in zip(POPULATIONS, case.n, strict=True)}


def measure(peer: str, scale: float, fraction: float, threads: int, spikes: str, seed: int) -> dict:
    """Run the microcircuit in this process, for as long in a slow simulator as in ours, and write its spikes."""
    case = CASES["microcircuit"].scaled(scale).shortened(fraction)
    return importlib.import_module(peer_of(peer).module).measure(case, threads, "float32", spikes=spikes, seed=seed)


def table(found: dict, again: dict) -> list[dict]:
    """Return means and standard deviations of each measure, and distances, by population.

    Args:
        found: statistics by simulator and population.
        again: those of another run of neurosim, by population.
    """
    rows = []
    for name in POPULATIONS:
        for measured in MEASURES:
            samples = {who: stats[name][measured] for who, stats in found.items()}
            ours = samples[OURS.name]
            row = {"population": name, "measure": measured, "seeds": distance(ours, again[name][measured])}
            for who, sample in samples.items():
                row |= {f"{who}_mean": float(np.mean(sample)) if sample.size else None,
                        f"{who}_std": float(np.std(sample)) if sample.size else None, f"{who}_n": int(sample.size)}
                if who != OURS.name:
                    row[f"{who}_distance"] = distance(ours, sample)
            rows.append(row)
    return rows


def text(rows, who) -> str:
    """Return the table for the terminal."""
    lines = [f"{'':8s}{'measure':14s}" + "".join(f"{name + ' mean (std)':>24s}" for name in who)
             + f"{'distance':>10s}{'seeds':>8s}"]
    for row in rows:
        values = ["" if row[f"{name}_mean"] is None else f"{row[f'{name}_mean']:.4f} ({row[f'{name}_std']:.4f})"
                  for name in who]
        apart = f"{row[f'{who[1]}_distance']:.3f}" if len(who) > 1 else ""
        lines.append(f"{row['population']:8s}{row['measure']:14s}" + "".join(f"{value:>24s}" for value in values)
                     + f"{apart:>10s}{row['seeds']:8.3f}")
    return "\n".join(lines)


def plot(found: dict, path) -> None:
    """Write the distributions as a picture: a row for each measure, a column for each population."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(3, 8, figsize=(18, 6.5), constrained_layout=True)
    for column, name in enumerate(POPULATIONS):
        for row, (measured, label) in enumerate(MEASURES.items()):
            panel, samples = panels[row, column], [stats[name][measured] for stats in found.values()]
            whole = np.concatenate(samples)
            if whole.size:
                edges = np.linspace(*np.quantile(whole, (0.0, 0.995) if row < 2 else (0.005, 0.995)), 26)
                for who, sample in zip(found, samples, strict=True):
                    if sample.size:
                        panel.hist(sample, edges, density=True, histtype="step", label=who)
            panel.set_yticks([])
            panel.set_xlabel(label, fontsize=8)
            panel.tick_params(labelsize=7)
        panels[0, column].set_title(name, fontsize=9)
    panels[0, 0].legend(fontsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(settings, out) -> tuple[list, bool]:
    """Run both, show the table and write the picture."""
    who, nest, threads = [OURS], PEERS["nest"], max(settings.threads)
    if settings.peers is not None and "nest" not in settings.peers:
        print("NEST was not asked for")
    elif not nest.installed:
        print("NEST is not installed")
    else:
        who.append(nest)
    with tempfile.TemporaryDirectory() as folder:
        found = {peer.name: _simulate(peer, settings, folder, threads) for peer in who}
        again = _simulate(OURS, settings, folder, threads, seed=2)
    rows = table(found, again)
    print("\n" + text(rows, list(found)))
    out.mkdir(parents=True, exist_ok=True)
    plot(found, out / "microcircuit-stats.png")
    print(f"wrote {out / 'microcircuit-stats.png'}")
    return rows, True
