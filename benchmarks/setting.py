"""What it costs to set parameters between two runs, as closed loops do at every step.

    python -m benchmarks setting

Each is set some thousand times to other values, in CPU time of this thread. What is told is the smallest median of
fifty in a row: a busy machine makes many of them slower, and none faster.
"""

import statistics
import time

import numpy as np

import neurosim as ns

SIZE, IN_A_ROW, ROWS = 100, 50, 20
MOST = 0.2  #: ms, for one parameter of a hundred neurons


def network():
    """Return a hundred neurons with an input, a current and a recording."""
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=10.0), 50, name="noise")
    cells = net.add(ns.LIF(tau_mem=20.0), SIZE, name="cells")
    net.connect(noise, cells, weight=100.0, receptor=ns.ExponentialCurrent(5.0), name="synapses")
    net.drive(cells, ns.InjectedCurrent(0.0), name="hand")
    net.record(cells)
    return net


def cases(net) -> dict:
    """Return what is set: name -> (what, name of the parameter, a function that makes the i-th value)."""
    cells, spread = net["cells"], np.linspace(10.0, 30.0, SIZE)
    return {
        "tau_mem, a number": (cells, "tau_mem", lambda i: 20.0 + 0.01 * i),
        "tau_mem, an array": (cells, "tau_mem", lambda i: spread + 0.01 * i),
        "tau_syn, a number": (cells, "tau_syn", lambda i: 5.0 + 0.01 * i),
        "tau_syn, an array": (cells, "tau_syn", lambda i: spread + 0.01 * i),
        "v_threshold, a number": (cells, "v_threshold", lambda i: -50.0 + 0.001 * i),
        "v_threshold, an array": (cells, "v_threshold", lambda i: -spread + 0.001 * i),
        "v_threshold of ten neurons": (cells[10:20], "v_threshold", lambda i: -50.0 + 0.001 * i),
        "t_ref, a number": (cells, "t_ref", lambda i: 0.1 * (i % 50)),
        "i_bias, a number": (cells, "i_bias", lambda i: 1.0 * i),
        "i_bias, an array": (cells, "i_bias", lambda i: spread + i),
        "v, an array": (cells, "v", lambda i: -60.0 - spread),
        "amplitude of a current, an array": (next(iter(net.drives)), "amplitude", lambda i: spread + i),
    }


def median(sim, what, name, value) -> float:
    """Return ms for setting a parameter, the smallest median of some in a row."""
    medians = []
    for row in range(ROWS):
        took = []
        for turn in range(IN_A_ROW):
            changes = {name: value(row * IN_A_ROW + turn)}
            began = time.thread_time_ns()
            sim.set(what, **changes)
            took.append(time.thread_time_ns() - began)
        medians.append(statistics.median(took))
    return min(medians) * 1e-6


def main(settings, _out) -> tuple[dict, bool]:
    """Print a table; return the ms by float type and case, and whether all are within the bound."""
    found = {}
    for dtype in ("float32", "float64"):
        net = network()
        for name, case in cases(net).items():
            sim = ns.Simulation(net, dt=0.1, dtype=dtype)
            sim.run(1.0)
            found[f"{dtype}, {name}"] = median(sim, *case)
    for name, ms in found.items():
        print(f"{name:44s} {ms:7.3f} ms{'' if ms < MOST else f', above {MOST} ms'}")
    return found, max(found.values()) < MOST
