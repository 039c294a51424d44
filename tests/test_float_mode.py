"""What decays without input becomes 0 and does not stay among numbers with less than a full significand."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.engine import intrinsics

TINY = {"float32": np.finfo(np.float32).tiny, "float64": np.finfo(np.float64).tiny}


def currents(dtype, threads, ms):
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=-52.0, v_reset=-52.0, v_threshold=-45.0, r=1.0), 70, name="cells")
    touch = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=1, duration=2.0)), name="touch")
    net.connect(touch, cells, weight=ns.Uniform(0.5, 1.0), delay=1.0, receptor=ns.ExponentialCurrent(1.0))
    net.record(cells, "i_syn", every=10.0)
    sim = ns.Simulation(net, dt=0.5, seed=1, dtype=dtype, threads=threads)
    sim.run(ms)
    return sim.trace(cells, "i_syn")


@pytest.mark.skipif(not intrinsics.FLUSH, reason="neurosim knows no such mode of this processor")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_current_decays_to_zero(dtype):
    ms = 150.0 if dtype == "float32" else 800.0  # which is beyond the smallest number of all, 103 or 745 tau
    times, values = currents(dtype, 1, ms)
    assert (values[1] > 0).all() and (values[-1] == 0).all()
    assert ((values == 0) | (values >= TINY[dtype])).all()
    late = values[(times > 2.0) & (times < (80.0 if dtype == "float32" else 700.0))]
    ratios = late[1:].astype(np.float64) / late[:-1]
    assert ratios == pytest.approx(np.exp(-10.0), rel=1e-5)  # before that it decays as it should


def test_threads_do_the_same():
    for one, other in zip(currents("float32", 1, 120.0), currents("float32", 2, 120.0), strict=True):
        assert np.array_equal(one, other)


def test_the_mode_of_the_calling_thread_is_its_own_again():
    currents("float32", 1, 20.0)
    smallest = np.full(3, 1e-40, dtype=np.float32)
    assert (smallest * np.float32(1.0) == smallest).all() and (smallest > 0).all()
