"""Where the event-driven mode is faster than the clocked one: cost against activity, size, fan-out and kind of synapse.

    python benchmarks/event_crossover.py --out FOLDER [--quick]

Given spikes reach LIF neurons through random synapses of one delay; both modes run the same network on one thread in
turn, and the least CPU time of several runs counts. It prints a table and draws the cost against the input events per
neuron and second; the crossing of the two lines is where the modes are equally fast.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np

import neurosim as ns

RATES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
RECEPTORS = {"delta": (ns.Delta(), 1.5), "exponential": (ns.ExponentialCurrent(5.0), 60.0),
             "alpha": (ns.AlphaCurrent(3.0), 40.0)}
CASES = {  # neurons, synapses of a source, receptor, dt of the clocked mode
    "1,000 neurons, fan-out 100, delta": (1000, 100, "delta", 0.1),
    "1,000 neurons, fan-out 100, exponential": (1000, 100, "exponential", 0.1),
    "1,000 neurons, fan-out 100, alpha": (1000, 100, "alpha", 0.1),
    "20,000 neurons, fan-out 100, exponential": (20000, 100, "exponential", 0.1),
    "1,000 neurons, fan-out 5, exponential": (1000, 5, "exponential", 0.1),
    "1,000 neurons, fan-out 1,000, exponential": (1000, 1000, "exponential", 0.1),
    "1,000 neurons, fan-out 100, exponential, dt 0.01 ms": (1000, 100, "exponential", 0.01),
}


def network(n: int, fan_out: int, receptor: str, rate: float, duration: float, dt: float) -> ns.Network:
    """Return LIF neurons that get `rate` input events per second each."""
    generator = np.random.default_rng(1)
    n_sources = 1000
    n_spikes = generator.poisson(n * rate * duration * 1e-3 / fan_out)
    ticks = np.sort(generator.integers(1, round(duration / dt) + 1, n_spikes))
    given = ns.Spikes(ticks=ticks, ids=generator.integers(0, n_sources, n_spikes), size=n_sources, duration=duration,
                      dt=dt)
    net = ns.Network()
    sources = net.add(ns.SpikeSource(given), name="sources")
    cells = net.add(ns.LIF(tau_mem=20.0, t_ref=2.0), n, name="cells")
    kind, weight = RECEPTORS[receptor]
    net.connect(sources, cells, ns.FixedOutDegree(min(fan_out, n)), weight=weight, delay=1.5, receptor=kind)
    net.record(cells)
    return net


def cost(case, rate: float, rounds: int) -> dict:
    """Return CPU seconds per second of the network for both modes, and their mean firing rates."""
    n, fan_out, receptor, dt = case
    duration = float(np.clip(round(2e6 / (n * max(rate, 50.0 * 0.1 / dt)), -1) * 10.0, 20.0, 1000.0))
    net = network(n, fan_out, receptor, rate, duration, dt)
    found = {}
    sims = {"event": ns.Simulation(net, mode="event"), "clocked": ns.Simulation(net, dt=dt)}
    states = {mode: sim.state() for mode, sim in sims.items()}
    for _ in range(rounds):
        for mode, sim in sims.items():
            sim.restore(states[mode])
            began = time.process_time()
            sim.run(duration)
            took = (time.process_time() - began) / (duration * 1e-3)
            found[mode] = min(took, found.get(mode, np.inf))
    firing = {mode: len(sim.spikes("cells")) / n / (duration * 1e-3) for mode, sim in sims.items()}
    return {"rate": rate, **found, "firing": firing}


def crossover(rows: list) -> float:
    """Return the rate of input events at which both modes cost the same; nan if none is in the range."""
    rates = np.log([row["rate"] for row in rows])
    ratio = np.log([row["event"] / row["clocked"] for row in rows])
    above = np.flatnonzero((ratio[:-1] < 0.0) & (ratio[1:] >= 0.0))
    if not above.size:
        return float("nan")
    k = above[0]
    return float(np.exp(rates[k] - ratio[k] * (rates[k + 1] - rates[k]) / (ratio[k + 1] - ratio[k])))


def draw(results: dict, path: Path) -> None:
    """Draw the cost of both modes against the input rate."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(15, 7), sharex=True, layout="constrained")
    for axis, (name, result) in zip(axes.flat, results.items(), strict=False):
        rates = [row["rate"] for row in result["rows"]]
        for mode, marker in (("event", "o"), ("clocked", "s")):
            axis.loglog(rates, [row[mode] for row in result["rows"]], marker=marker, markersize=4, label=mode)
        axis.axvline(result["crossover"], color="0.6", linestyle="--", linewidth=1)
        axis.set_title(f"{name.replace(', ', ',', 0)}\nequal at {result['crossover']:.0f} / s", fontsize=9)
        axis.set_xlabel("input events per neuron and second")
        axis.set_ylabel("CPU s per s of the network")
    axes.flat[0].legend()
    for axis in axes.flat[len(results):]:
        axis.set_visible(False)
    figure.savefig(path, dpi=110)


def main(arguments=None) -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the figure and the numbers")
    parser.add_argument("--quick", action="store_true", help="two cases, few rates, one round")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", ns.NeurosimWarning)
    cases = dict(list(CASES.items())[:2]) if options.quick else CASES
    rates, rounds = (RATES[::3], 2) if options.quick else (RATES, 5)
    results = {}
    print(f"{'':54s}{'input / s':>10s}{'firing Hz':>10s}{'event':>10s}{'clocked':>10s}{'ratio':>8s}")
    for name, case in cases.items():
        rows = [cost(case, rate, rounds) for rate in rates]
        results[name] = {"rows": rows, "crossover": crossover(rows)}
        for row in rows:
            print(f"{name:54s}{row['rate']:10.0f}{row['firing']['event']:10.2f}{row['event']:10.4f}"
                  f"{row['clocked']:10.4f}"
                  f"{row['clocked'] / row['event']:8.2f}", flush=True)
        print(f"{name:54s}equal at {results[name]['crossover']:.0f} input events per neuron and second", flush=True)
    (options.out / "event_crossover.json").write_text(json.dumps(results, indent=1))
    draw(results, options.out / "event_crossover.png")
    print(f"wrote {options.out / 'event_crossover.png'}")


if __name__ == "__main__":
    main()
