"""Pair STDP in a spiking network, in neurosim and in Brian2: the same spikes, and the same weights.

What makes both mean the same, besides the schedule and labels that tests/brian2_reference.py tells: Brian2 handles
a spike of the target one step after it happened. So its plasticity sees arrivals one step later too, in the order
arrival, target, while the effect of the arrival on v comes in time and last in its step.
"""

import numpy as np
import pytest

import neurosim as ns
from learning_rules import PairSTDP

DT, DURATION, N_IN, N = 0.1, 400.0, 60, 25
RULE = PairSTDP(a_plus=0.03, a_minus=0.02, tau_plus=15.0, tau_minus=30.0, w_max=2.0)


def described():
    """Sources' spikes (ticks, ids), and one entry per synapse: source, target, delay in ticks, weight."""
    rng = np.random.default_rng(7)
    ticks = np.sort(rng.integers(1, round(DURATION / DT), round(N_IN * DURATION * 0.03)))
    ids = rng.integers(0, N_IN, ticks.size)
    _, first = np.unique(ticks * N_IN + ids, return_index=True)
    pairs = np.argwhere(rng.random((N_IN, N)) < 0.4)
    return (ticks[first], ids[first]), pairs, rng.integers(2, 60, len(pairs)), rng.uniform(0.5, 1.5, len(pairs))


def ours(given, pairs, delays, weights):
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=given[0], ids=given[1].astype(np.uint32), size=N_IN, dt=DT,
                                              duration=DURATION)))
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=10.0), N)
    net.connect(source, cells, ns.Explicit(pairs[:, 0], pairs[:, 1]), weight=weights, delay=delays * DT, name="p",
                plasticity=RULE)
    net.record(cells)
    sim = ns.Simulation(net, DT, dtype="float64")
    sim.run(DURATION)
    synapses, spikes = sim.synapses("p"), sim.spikes(cells)
    order = np.lexsort((synapses.target, synapses.source))
    return synapses.weight[order], np.stack([spikes.ticks, spikes.ids])


def brian2s(given, pairs, delays, weights):
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"
    b2.start_scope()
    b2.defaultclock.dt = DT * b2.ms
    schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    source = b2.SpikeGeneratorGroup(N_IN, given[1], (given[0] - 1) * DT * b2.ms)
    cells = b2.NeuronGroup(N, "dv/dt = -v / (20*ms) : 1", threshold="v > 10", reset="v = 0", method="exact")
    numbers = {"a_plus": RULE.a_plus, "a_minus": RULE.a_minus, "w_max": RULE.w_max}
    synapses = b2.Synapses(
        source, cells, """w : 1
        dx/dt = -x / (15*ms) : 1 (event-driven)
        dy/dt = -y / (30*ms) : 1 (event-driven)""",
        on_pre={"effect": "v_post += w", "arrive": "w = clip(w - a_minus * y, 0, w_max)\nx += 1"},
        on_post={"learn": "w = clip(w + a_plus * x, 0, w_max)\ny += 1"}, namespace=numbers)
    synapses.connect(i=pairs[:, 0], j=pairs[:, 1])
    synapses.w = weights
    synapses.effect.delay = (delays - 1) * DT * b2.ms
    synapses.arrive.delay = delays * DT * b2.ms
    synapses.arrive.order, synapses.learn.order, synapses.effect.order = -2, -1, 0
    spikes = b2.SpikeMonitor(cells)
    net = b2.Network(source, cells, synapses, spikes)
    net.schedule = schedule
    net.run((DURATION + DT) * b2.ms)  # one step more, in which what happened at the last tick is learned
    ticks, ids = np.rint(spikes.t / (DT * b2.ms)).astype(int) + 1, np.asarray(spikes.i)
    order = np.lexsort((ids, ticks))
    return np.asarray(synapses.w), np.stack([ticks, ids])[:, order]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:(brian2|pyparsing)")
def test_weights_and_spikes_are_those_of_brian2():
    pytest.importorskip("brian2", reason="Brian2 is not installed; it comes with the extra: pip install -e '.[brian2]'")
    mine, my_spikes = ours(*described())
    theirs, their_spikes = brian2s(*described())
    late = their_spikes[0] > round(DURATION / DT)
    np.testing.assert_array_equal(my_spikes, their_spikes[:, ~late])
    assert my_spikes.shape[1] > 150 and np.std(mine) > 0.3 and np.mean((mine > 0) & (mine < 2)) > 0.5
    np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-12)
