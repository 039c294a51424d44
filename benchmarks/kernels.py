"""Kernel hygiene: the time of each compiled loop beside that of a plain copy of the same bytes.

A loop that stops vectorising, or that takes a detour through memory, costs several times more at once. So each is
measured through the public interface, as the difference between two networks that differ in nothing else, divided by
the time in which NumPy copies as many bytes as the loop must move, and compared with a bound. The bounds are about
three times what was measured when the loops were good: a busy machine passes, a slip of a factor of ten does not.
What counts is the processor's time, the least of several turns.
"""

import time
from dataclasses import dataclass

import numpy as np

import neurosim as ns
from neurosim.engine.kernel import aligned

N = 20_000  #: neurons; the state of the loops fits the second-level cache
TICKS = 1000
TURNS = 7
DT = 0.1


@dataclass(frozen=True)
class Loop:
    """A loop that is measured.

    Args:
        name: what it is called.
        build: a function of a float type that returns a network with the loop and one without it, or None.
        elements: how many elements it handles in a tick.
        numbers: numbers of the float type that it reads per element, and writes as well.
        most: the bound of the ratio of its time to that of the copy.
    """

    name: str
    build: object
    elements: float
    numbers: float
    most: float


def _cells(model, *receptors, n=N):
    """Return a network of neurons that stay silent, each receptor connected by one synapse only."""
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=[], ids=[], size=1, duration=1.0, dt=DT)), name="source")
    cells = net.add(model, n, name="cells")
    for receptor in receptors:
        net.connect(source, cells[0:1], weight=1.0, delay=1.0, receptor=receptor)
    return net, cells


def _update(model, *receptors):
    def build():
        return _cells(model, *receptors)[0], None

    return build


def _poisson(rate):
    def build():
        with_drive, cells = _cells(SILENT, ns.Delta())
        with_drive.drive(cells, ns.PoissonDrive(rate=rate, weight=1e-9))
        return with_drive, _cells(SILENT, ns.Delta())[0]

    return build


SOURCES, RATE, K = 5000, 100.0, 100


def _delivery(weight, delay, **options):
    """Poisson sources of 50 spikes a tick, each with 100 synapses on few targets; and the sources alone."""
    def build():
        made = []
        for connected in (True, False):
            net = ns.Network()
            sources = net.add(ns.Poisson(rate=RATE), SOURCES, name="sources")
            cells = net.add(SILENT, 1000, name="cells")
            net.connect(sources, cells if connected else cells[0:1], ns.FixedOutDegree(K if connected else 1),
                        weight=weight, delay=delay, **options)
            made.append(net)
        return made

    return build


SILENT = ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1e6)
_CONDUCTANCES = ns.ExponentialConductance(5.0, 0.0), ns.ExponentialConductance(10.0, -1.0)
_CURRENTS = ns.ExponentialCurrent(5.0), ns.ExponentialCurrent(10.0)
_QUIET = ns.Izhikevich(0.02, 0.2, -65.0, 8.0, scheme="published")
_FINE = _QUIET.replace(scheme="fine")
_EVENTS = SOURCES * RATE * DT * 1e-3 * K


def loops() -> list[Loop]:
    """Return the loops that are measured."""
    from learning_rules import PairSTDP

    tiny = ns.Normal(1e-6, 1e-7)
    return [
        Loop("update, LIF with jumps", _update(SILENT, ns.Delta()), N, 2, BOUNDS["jumps"]),
        Loop("update, LIF with two currents", _update(SILENT, *_CURRENTS), N, 3, BOUNDS["currents"]),
        Loop("update, LIF with two conductances", _update(SILENT, *_CONDUCTANCES), N, 3, BOUNDS["conductances"]),
        Loop("update, Izhikevich", _update(_QUIET, ns.Pulse()), N, 4, BOUNDS["izhikevich"]),
        Loop("update, AdEx", _update(ns.AdExIF(), ns.ExponentialCurrent(5.0)), N, 5, BOUNDS["adex"]),
        Loop("update, Izhikevich, fine", _update(_FINE, ns.Pulse()), N, 4, BOUNDS["fine"]),
        Loop("Poisson drive, 0.05 events a tick", _poisson(500.0), N, 1, BOUNDS["rare"]),
        Loop("Poisson drive, 2 events a tick", _poisson(20_000.0), N, 1, BOUNDS["frequent"]),
        Loop("delivery, one weight and delay", _delivery(1e-6, 1.5), _EVENTS, 2, BOUNDS["shared"]),
        Loop("delivery, own weights", _delivery(tiny, 1.5), _EVENTS, 3, BOUNDS["own"]),
        Loop("delivery, own weights and delays", _delivery(tiny, ns.Uniform(1.5, 2.0)), _EVENTS, 3, BOUNDS["delays"]),
        Loop("delivery, STDP", _delivery(0.5e-3, 1.5, plasticity=PairSTDP(w_max=1e-3)), _EVENTS, 4, BOUNDS["stdp"]),
    ]


BOUNDS = {"jumps": 4.5, "currents": 4.5, "conductances": 8, "izhikevich": 6, "adex": 28, "fine": 36, "rare": 16,
          "frequent": 28, "shared": 14, "own": 14, "delays": 45, "stdp": 125}


def _seconds(sim) -> float:
    began = time.thread_time()
    sim.run(TICKS * DT)
    return time.thread_time() - began


def measure(loop: Loop, dtype: str) -> dict:
    """Return the time of a loop per element, and its ratio to a copy."""
    with_loop, without = loop.build()
    sims = [ns.Simulation(net, DT, seed=1, dtype=dtype) for net in (with_loop, without) if net is not None]
    copied = max(1, round(loop.elements * loop.numbers))
    source, target = aligned(1, copied, dtype), aligned(0, copied, dtype)
    for sim in sims:
        sim.run(10 * DT)
    took, least, copies = [], [], []
    for _ in range(TURNS):
        took.append(_seconds(sims[0]))
        least.append(_seconds(sims[1]) if len(sims) > 1 else 0.0)
        began = time.thread_time()
        for _ in range(TICKS):
            np.copyto(target, source)
        copies.append(time.thread_time() - began)
    seconds = max(min(took) - min(least), 1e-9)
    return {"name": f"{loop.name}, {dtype}", "ns": seconds * 1e9 / TICKS / loop.elements,
            "ratio": seconds / min(copies), "most": loop.most}


def judge(rows) -> list[str]:
    """Return a sentence for each loop that is slower than its bound."""
    return [f"{row['name']}: must take at most {row['most']:g} times as long as a copy of the same bytes, got "
            f"{row['ratio']:.1f} ({row['ns']:.2f} ns per element); has it stopped vectorising?"
            for row in rows if row["ratio"] > row["most"]]


def run(dtypes) -> list[dict]:
    """Measure all loops in this process."""
    import warnings

    warnings.simplefilter("ignore", ns.NeurosimWarning)
    return [measure(loop, dtype) for loop in loops() for dtype in dtypes]


def main(settings, out) -> tuple[list, bool]:
    """Measure in a process of its own, show the table, and return it with whether all loops are fast."""
    from benchmarks import child

    rows = child.run("benchmarks.kernels:run", dtypes=[dtype for dtype in settings.dtypes if dtype != "packed"])
    print(f"\n{'loop':52s}{'ns/element':>11s}{'x copy':>8s}{'may be':>8s}")
    for row in rows:
        print(f"{row['name']:52s}{row['ns']:11.3f}{row['ratio']:8.2f}{row['most']:8g}")
    slow = judge(rows)
    print("\n".join(slow))
    return rows, not slow
