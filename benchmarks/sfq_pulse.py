"""`python -m benchmarks.sfq_pulse [--pylse FOLDER]`: events per second of SFQ circuits of about 10,000 cells.

PyLSE is not on PyPI. With --pylse, the root of a copy of its repository (github.com/UCSBarchlab/PyLSE, 0.1.0, commit
5f7e65d), both simulators build the same circuits from the same lines below, take turns, and must give the same pulses.
With jitter the draws differ and only the speed is compared. An event is a pulse that arrives at a
cell or at the end of a wire. Times are processor time of one thread, best of the rounds, without building.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from hardware_models.sfq.pulse import AND, DRO, JTL, OR, XOR, Circuit, PulseSimulation, Splitter


class Ours:
    """Builds circuits here."""

    def __init__(self):
        self.circuit, self.pulses, self.made = Circuit("benchmark"), {}, 0
        self.cells = {kind.__name__: kind() for kind in (JTL, Splitter, DRO, AND, OR, XOR)}

    def input(self, name, times):
        self.pulses[name] = times
        return self.circuit.input(name)

    def cell(self, kind, *inputs):
        self.made += 1
        outputs = tuple(self.circuit.add(self.cells[kind], *inputs))
        return outputs[0] if len(outputs) == 1 else outputs

    def output(self, name, wire):
        self.circuit.output(name, wire)

    def ready(self, jitter):
        self.sim = PulseSimulation(self.circuit, jitter=jitter)

    def run(self):
        """Run once; return the seconds and the number of events."""
        self.sim.reset()
        self.sim.send(**self.pulses)
        began = time.process_time()
        self.sim.run()
        return time.process_time() - began, self.sim.n_events

    def found(self):
        return {name: times.tolist() for name, times in self.sim.events().items() if name not in self.pulses}


class Pylse:
    """Builds circuits in PyLSE, whose circuit is global."""

    def __init__(self):
        import pylse

        self.pylse, self.made, self.names = pylse, 0, []
        pylse.working_circuit().reset()
        self.cells = {"JTL": pylse.jtl, "Splitter": pylse.s, "DRO": pylse.dro, "AND": pylse.and_s, "OR": pylse.or_s,
                      "XOR": pylse.xor_s}

    def input(self, name, times):
        return self.pylse.inp_at(*times.tolist(), name=name)

    def cell(self, kind, *inputs):
        self.made += 1
        return self.cells[kind](*inputs)

    def output(self, name, wire):
        self.pylse.inspect(wire, name)
        self.names.append(name)

    def ready(self, jitter):
        self.jitter = jitter > 0

    def run(self):
        sim = self.pylse.Simulation()
        handled, send = [0], sim.send_pulses

        def counted(node, pulses):
            handled[0] += len(pulses)
            send(node, pulses)

        sim.send_pulses = counted
        began = time.process_time()
        self.events = sim.simulate(variability=self.jitter)
        return time.process_time() - began, handled[0]

    def found(self):
        return {name: np.round(self.events[name], 6).tolist() for name in self.names}


def split(build, wire, n):
    """A balanced tree of splitters."""
    if n == 1:
        return [wire]
    left, right = build.cell("Splitter", wire)
    return split(build, left, n // 2) + split(build, right, n - n // 2)


def line(build, pulses):
    """10,000 JTLs in a row, 20 pulses one behind the other."""
    wire = build.input("a", 20.0 * np.arange(1, pulses + 1))
    for _ in range(10_000):
        wire = build.cell("JTL", wire)
    build.output("q", wire)


def tree(build, pulses):
    """A tree of 9,999 splitters: thousands of simultaneous pulses."""
    for index, wire in enumerate(split(build, build.input("a", 20.0 * np.arange(1, pulses + 1)), 10_000)):
        build.output(f"q{index}", wire)


def shift_register(build, pulses):
    """5,000 flip-flops in a row and their clock tree; every second bit is a 1."""
    data = build.input("a", 200.0 * np.arange(1, pulses // 2 + 1) + 50.0)
    clocks = split(build, build.input("clk", 100.0 * np.arange(1, pulses + 1)), 5000)
    for clock in reversed(clocks):
        data = build.cell("DRO", data, clock)
    build.output("q", data)


def later(build, wire):
    """Three JTLs, so that data come after the hold time of clocks that come by other ways."""
    for _ in range(3):
        wire = build.cell("JTL", wire)
    return wire


def adders(build, pulses):
    """A bank of 340 full adders of 19 cells each, and the trees that feed them."""
    n, times = 340, 200.0 * np.arange(1, pulses + 1)
    a, b, c = (split(build, build.input(name, times[k % 2::1 + k % 2] + 20.0), n * (1 if name == "c" else 2))
               for k, name in enumerate("abc"))
    clk = split(build, build.input("clk", times + 100.0), 6 * n)
    for k in range(n):
        c1, c2, c3, c4, c5, c6 = clk[6 * k:6 * k + 6]
        first = build.cell("XOR", a[2 * k], b[2 * k], c1)
        carry = build.cell("DRO", build.cell("AND", a[2 * k + 1], b[2 * k + 1], c2), c3)
        first1, first2 = build.cell("Splitter", later(build, first))
        waits1, waits2 = build.cell("Splitter", later(build, build.cell("DRO", c[k], c4)))
        c51, c52 = build.cell("Splitter", c5)
        build.output(f"s{k}", build.cell("XOR", first1, waits1, c51))
        build.output(f"carry{k}", build.cell("OR", build.cell("AND", first2, waits2, c52), carry, c6))


CASES = {"line": (line, 0.0, 20), "line, jitter 1 %": (line, 0.01, 20), "tree": (tree, 0.0, 10),
         "shift register": (shift_register, 0.0, 20), "adders": (adders, 0.0, 20)}


def measure(name, peer, rounds):
    """Return a row: cells, events per second of both (best and median of the rounds)."""
    make, jitter, pulses = CASES[name]
    ours, theirs = Ours(), Pylse() if peer else None
    began = time.process_time()
    make(ours, pulses)
    ours.ready(jitter)
    built = time.process_time() - began
    ours.run()  # loads the loop from the cache
    rates, peers = [], []
    if peer:
        make(theirs, pulses)
        theirs.ready(jitter)
    for _ in range(rounds):
        seconds, events = ours.run()
        rates.append(events / seconds)
        if peer:
            seconds, handled = theirs.run()
            peers.append(handled / seconds)
    row = {"case": name, "cells": ours.made, "build_s": built, "events": events, "rate": max(rates),
           "median": statistics.median(rates)}
    if peer:
        if jitter == 0.0 and ours.found() != theirs.found():
            sys.exit(f"{name}: the pulses of the two simulators differ")
        row |= {"peer": max(peers), "peer_median": statistics.median(peers)}
    return row


def main() -> None:
    """Measure all circuits and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sfq_pulse", description=__doc__.splitlines()[0])
    parser.add_argument("--pylse", type=Path, help="root of a copy of the repository of PyLSE")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    if options.pylse:
        sys.path[:0] = [str(options.pylse), str(options.pylse / "third-party" / "pyuppaal")]
        import pylse  # noqa: F401
    rows = []
    print(f"{'':18s}{'cells':>7s}{'build':>9s}{'events':>10s}{'Mev/s (median)':>17s}"
          f"{'PyLSE kev/s (median)':>23s}{'ratio':>7s}")
    for name in CASES:
        row = measure(name, options.pylse, options.rounds)
        rows.append(row)
        text = (f"{name:18s}{row['cells']:7d}{row['build_s']:7.2f} s{row['events']:10d}"
                f"{row['rate'] / 1e6:9.2f} ({row['median'] / 1e6:.2f})")
        if options.pylse:
            text += f"{row['peer'] / 1e3:14.1f} ({row['peer_median'] / 1e3:.1f}){row['rate'] / row['peer']:8.0f}"
        print(text, flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
