"""Indices of compiled code: with NEUROSIM_CHECK=1 all are checked, and those of connection rules of a user always."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from neurosim.connectivity.rule import Rows, Rule
from neurosim.engine import loader

ROOT = Path(__file__).resolve().parent.parent


class TooFew(Rule):
    """Makes room for two partners and writes three, or says that there are three."""

    by = "source"

    def expected(self, n_source, n_target, shift):
        return 3.0 * n_source

    def prepare(self, n_source, n_target, shift, generator):
        return Rows(2, np.empty(0, np.int64))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        for k in range(3):
            out[k] = k
        return 3


class TooFewOfTargets(TooFew):
    by = "target"


class SaysTooMany(TooFew):
    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        out[0] = 1
        return 3


class Nowhere(TooFewOfTargets):
    """Names a source that there is not."""

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        out[0] = n_partner
        return 1


@pytest.mark.parametrize("rule, message", [
    (TooFew(), "kernel 'TooFew.partners' asks for element 2 of its array 'out', which has 2"),
    (TooFewOfTargets(), "kernel 'TooFew.partners' asks for element 2 of its array 'out', which has 2"),
    (SaysTooMany(), "kernel 'build' asks for element 2 of its array 'out', which has 2"),
    (Nowhere(), "kernel 'build_count_by' asks for element 5 of its array 'sources', which has 5"),
], ids=repr)
def test_a_rule_that_writes_beyond_its_room_is_stopped(rule, message):
    net = ns.Network()
    net.connect(net.add(ns.Poisson(10.0), 5), net.add(ns.LIF(), 6), rule, weight=1.0, delay=1.0)
    with pytest.raises(ns.SimulationError, match=message):
        ns.Simulation(net, dt=1.0)


TEXT = """
def main(x, y, low, high, both):
    x[low:high] = y[low]
    return both[low % 2] + x[-low] + body(y, high - 1)
"""


def last(y, k):
    return y[k]


@pytest.mark.parametrize("low, high, message", [
    (0, 5, None), (0, 6, "kernel 'slices' asks for element 6 of its array 'x', which has 5"),
    (5, 5, "kernel 'slices' asks for element 5 of its array 'y', which has 5"),
    (1, 5, "kernel 'slices' asks for element -1 of its array 'x', which has 5"),
    (0, 0, "kernel 'last' asks for element -1 of its array 'y', which has 5")])
def test_every_index_of_every_array_is_checked(low, high, message):
    main = loader.load_function("slices", TEXT, {"body": last}, checking=True)
    if message is None:
        assert main(np.zeros(5), np.ones(5), low, high, (1.0, 2.0)) == 3.0
    else:
        with pytest.raises(ns.SimulationError, match=message):
            main(np.zeros(5), np.ones(5), low, high, (1.0, 2.0))


SCRIPT = """
import numpy as np
from neurosim.engine.kernel import INT, Array, Kernel
from neurosim.engine.loop import Program, run

def last(x, k):
    return x[k]

fields = {"n": INT, "x": Array(np.float32, "n"), "y": Array(np.float32, "n")}
kernel = Kernel("copies", fields, "for k in range(n):\\n    y[k] = last(x, k)\\n", {"last": last}, np.float32)
for n, sizes in ((5, (5, 5)), (6, (6, 5)), (5, (4, 5))):
    x, y = np.ones(sizes[0], np.float32), np.zeros(sizes[1], np.float32)
    try:
        run([Program([kernel.block(n=n, x=x, y=y)]), Program([])], 1, 4, 1)
        print(y.sum())
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_a_run_stops_with_the_names_of_kernel_and_array():
    done = subprocess.run([sys.executable, "-c", SCRIPT], text=True, cwd=ROOT,
                          capture_output=True, env={**os.environ, "NEUROSIM_CHECK": "1"})
    assert done.stdout.splitlines() == [
        "5.0", "SimulationError kernel 'copies' asks for element 5 of its array 'y', which has 5",
        "SimulationError a kernel failed: IndexError('index is out of bounds')"]
