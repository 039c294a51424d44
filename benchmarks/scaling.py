"""What a simulation costs, as neurons, synapses, rate, spread of delays and threads change one at a time.

The network: LIF with exponential currents that fire regularly by a constant current, in random phases, and are
connected by weights too small to matter; so each number can be chosen by itself. The cost of a simulated second is
fitted by a time for each tick, each update of a neuron, each spike (the beginning of a row) and each synaptic event;
what deviates from that shows where a level of the memory ends.
"""

import math
import time
import warnings

import numpy as np

import neurosim as ns
from benchmarks import child
from benchmarks.compare import cores

DT = 0.1
BASE = {"neurons": 10_000, "synapses": 100, "rate": 10.0, "spread": 0.0, "threads": 1}
AXES = {
    "neurons": ([1000, 3000, 10_000, 30_000, 100_000, 300_000], "neurons"),
    "synapses": ([10, 30, 100, 300, 1000, 3000], "synapses per neuron"),
    "rate": ([0.5, 2.0, 10.0, 30.0, 100.0], "rate, Hz"),
    "spread": ([0.0, 0.5, 2.0, 8.0, 30.0], "delays from 1.5 ms to 1.5 ms and this, ms"),
    "threads": (None, "threads"),
}
TERMS = ("tick", "update", "spike", "event")
TAU, THRESHOLD = 20.0, 20.0


def network(neurons: int, synapses: int, rate: float, spread: float):
    """Return a network in which everything has the given value."""
    net = ns.Network()
    drive = THRESHOLD / (1.0 - math.exp(-1000.0 / rate / TAU))  # takes v from 0 to the threshold in one period
    phase = ns.Uniform(0.0, THRESHOLD) if rate > 20 else ns.Uniform(0.0, 0.999 * THRESHOLD)
    cells = net.add(ns.LIF(tau_mem=TAU, v_leak=0.0, v_reset=0.0, v_threshold=THRESHOLD, t_ref=0.0, r=1.0,
                           i_bias=drive), neurons, name="cells", initial={"v": phase})
    delay = ns.Uniform(1.5, 1.5 + spread) if spread else 1.5
    net.connect(cells, cells, ns.FixedOutDegree(synapses), weight=1e-9, delay=delay,
                receptor=ns.ExponentialCurrent(5.0))
    net.record(cells)
    return net


def point(ms: float, threads: int, clock=time.thread_time, **numbers) -> dict:
    """Return what one network costs, seconds per simulated second; of the processor, which others do not disturb."""
    warnings.simplefilter("ignore", ns.NeurosimWarning)
    sim = ns.Simulation(network(**numbers), DT, seed=1, threads=threads)
    sim.run(50.0)
    before, took = len(sim.spikes("cells")), []
    for _ in range(3):
        began = clock()
        sim.run(ms)
        took.append(clock() - began)
    rate = (len(sim.spikes("cells")) - before) / (3 * ms) * 1e3 / numbers["neurons"]
    return {**numbers, "threads": threads, "seconds": min(took) / ms * 1e3, "measured_rate": rate}


def axis(name: str, values, ms: float) -> list[dict]:
    """Return the points of one axis; one process measures them."""
    clock = time.perf_counter if name == "threads" else time.thread_time
    return [point(ms, clock=clock, **{**BASE, name: value}) for value in values]


def terms(points) -> np.ndarray:
    """Return how many ticks, updates, spikes and events a simulated second has, shape (points, 4)."""
    ticks = 1e3 / DT
    return np.array([[ticks, p["neurons"] * ticks, p["neurons"] * p["measured_rate"],
                      p["neurons"] * p["measured_rate"] * p["synapses"]] for p in points])


def fit(points) -> dict:
    """Return the ns of a tick, an update, a spike and an event, none below 0, that fit points best, relatively."""
    from scipy.optimize import nnls

    seconds = np.array([p["seconds"] for p in points])
    solved = nnls(terms(points) / seconds[:, None], np.ones(len(points)))[0]
    return dict(zip(TERMS, (solved * 1e9).tolist(), strict=True))


def _fitted(found):
    return [p for name in ("neurons", "synapses", "rate") for p in found.get(name, [])]


def _told(ns_of, between=", "):
    return between.join(f"{value:.3g} ns {'an' if name[0] in 'aeu' else 'a'} {name}" for name, value in ns_of.items())


def plot(found: dict, path) -> None:
    """Write a picture with a panel for each axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(found), figsize=(3.6 * len(found), 3.4), sharey=True, layout="constrained")
    ns_of = fit(_fitted(found))
    for panel, (name, points) in zip(np.atleast_1d(panels), found.items(), strict=True):
        x = np.array([p[name] for p in points])
        panel.plot(x, [p["seconds"] for p in points], "o-", color="C0", label="measured")
        if name not in ("spread", "threads"):
            line = terms(points) @ np.array([*ns_of.values()]) * 1e-9
            panel.plot(x, line, "--", color="C1", label=_told(ns_of, "\n"))
            panel.set_xscale("log")
        elif name == "threads":
            panel.set_xticks(x)
        panel.set_yscale("log")
        panel.set_xlabel(AXES[name][1])
    np.atleast_1d(panels)[0].legend(fontsize=7)
    np.atleast_1d(panels)[0].set_ylabel("seconds per simulated second")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(settings, out) -> tuple[dict, bool]:
    """Measure all axes, show the table and write the picture."""
    found = {}
    for name, (values, label) in AXES.items():
        if values is None:
            values = list(range(1, max(2, cores()) + 1))
        if name == "neurons":
            values = [max(200, round(value * settings.scale)) for value in values]
        found[name] = child.run("benchmarks.scaling:axis", name=name, values=values, ms=1000.0 * settings.fraction)
        print(f"\n{label}", *(f"{p[name]:>12g}  {p['seconds']:9.4f} s per s" for p in found[name]), sep="\n")
    ns_of = fit(_fitted(found))
    print("\n" + _told(ns_of))
    out.mkdir(parents=True, exist_ok=True)
    plot(found, out / "scaling.png")
    print(f"wrote {out / 'scaling.png'}")
    return {"points": found, "ns": ns_of}, True
