"""The equations of the fly brain's model as published for Brian2, beside receptors that a spike clears: every spike."""

import numpy as np
import pytest
from test_cleared_receptors import shiu, spikes_of

import neurosim as ns

brian2 = pytest.importorskip("brian2", reason="Brian2 is not installed; it comes with the extra: pip install -e "
                                              "'.[brian2]'")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:(brian2|pyparsing)")
EQUATIONS = """
dv/dt = (-52*mV - v + g) / (20*ms) : volt (unless refractory)
dg/dt = -g / (5*ms) : volt (unless refractory)
"""


def published(edges, n=1000, t_ref=2.2):
    """What Brian2 makes of the network: a step is the tick that ends at its end, and its refractory time counts the
    tick of the spike."""
    source, target, weight, (times, ids) = edges
    brian2.start_scope()
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = 0.1 * brian2.ms
    cells = brian2.NeuronGroup(n, EQUATIONS, threshold="v > -45*mV", reset="v = -52*mV; g = 0*mV",
                               refractory=(t_ref + 0.1) * brian2.ms, method="exact")
    cells.v = -52 * brian2.mV
    inputs = brian2.SpikeGeneratorGroup(n, ids.astype(int), (times - 0.1) * brian2.ms)
    fed = brian2.Synapses(inputs, cells, on_pre="g += 68.75*mV", delay=0.1 * brian2.ms)
    fed.connect(j="i")
    synapses = brian2.Synapses(cells, cells, "w : volt", on_pre="g += w", delay=1.8 * brian2.ms)
    synapses.connect(i=source, j=target)
    synapses.w = weight * brian2.mV
    monitor = brian2.SpikeMonitor(cells)
    brian2.Network(cells, inputs, fed, synapses, monitor).run(300 * brian2.ms)
    return np.rint(monitor.t / brian2.ms / 0.1).astype(int) + 1, np.asarray(monitor.i)


def test_a_thousand_neurons_spike_as_in_brian2():
    net, edges = shiu(ns.ExponentialCurrent(5.0, refractory="cleared"))
    ticks, ids = published(edges)
    mine = spikes_of(net)
    order = np.lexsort((ids, ticks))
    assert len(mine) > 2000
    np.testing.assert_array_equal(np.stack([mine.ticks, mine.ids]), np.stack([ticks[order], ids[order]]))


def test_a_port_that_collects_while_refractory_fires_more():
    _, edges = shiu(ns.ExponentialCurrent(5.0))
    ticks, _ = published(edges)
    collecting = spikes_of(shiu(ns.ExponentialCurrent(5.0))[0])
    assert len(collecting) > 1.1 * ticks.size
