"""Networks that learn: the polychronous network, and the liquid that an astrocyte keeps at work. They take a while."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from learning_rules import AstrocyteSTDP, SlowSTDP

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def spnet(seconds, seed):
    """Izhikevich's network of 2006; returns the rate of each second and the excitatory weights."""
    rng = np.random.default_rng(seed)
    excitatory = np.arange(1000) < 800
    net = ns.Network()
    neuron = ns.Izhikevich(a=np.where(excitatory, 0.02, 0.1), d=np.where(excitatory, 8.0, 2.0))
    cells = net.add(neuron, 1000, name="cells")
    ticks = np.arange(1, 1000 * seconds)
    kicks = net.add(ns.SpikeSource(ns.Spikes(ticks=ticks, ids=rng.integers(0, 1000, ticks.size).astype(np.uint32),
                                             size=1000, duration=1000.0 * seconds, dt=1.0)))
    net.connect(kicks, cells, ns.OneToOne(), weight=20.0, delay=1.0, receptor=ns.Pulse())
    targets = np.concatenate([rng.choice(np.delete(np.arange(1000), j), 100, replace=False) for j in range(800)])
    net.connect(cells[:800], cells, ns.Explicit(np.repeat(np.arange(800), 100), targets), weight=6.0, name="learning",
                delay=np.tile(np.repeat(np.arange(1.0, 21.0), 5), 800), receptor=ns.Pulse(), plasticity=SlowSTDP())
    net.connect(cells[800:], cells[:800], ns.FixedOutDegree(100), weight=-5.0, delay=1.0, receptor=ns.Pulse())
    net.record(cells)
    sim = ns.Simulation(net, 1.0, seed=seed)
    sim.run(1000.0 * seconds)
    return np.bincount((sim.spikes(cells).ticks - 1) // 1000, minlength=seconds) / 1000, sim.weights("learning")


@pytest.mark.slow
def test_the_polychronous_network_ends_with_its_weights_at_their_bounds():
    """120 s: 6 to 14 Hz in the last ten, over 60 % of the weights within 0.5 of a bound; published behaviour."""
    rates, weights = spnet(120, seed=3)
    assert 6.0 <= rates[-10:].mean() <= 14.0
    assert rates[8:12].mean() < 4.0  # first it becomes quiet
    assert np.mean((weights < 0.5) | (weights > 9.5)) > 0.6
    assert np.mean(weights < 0.5) > 0.1 and np.mean(weights > 9.5) > 0.3


def test_the_derivative_acts_once_a_second():
    """One pair at the tick of its arrival: s = 0.1; then w gains 0.01 + 0.1, and 0.01 + 0.09 a second later."""
    from learning_runs import one_synapse

    for end, expected in ((999.0, 6.0), (1000.0, 6.11), (2000.0, 6.21)):
        sim = one_synapse(SlowSTDP(), [500.0], [500.0], weight=6.0, duration=end)
        assert sim.weights("p")[0] == pytest.approx(expected, abs=1e-9)
    late = one_synapse(SlowSTDP(), [501.0], [500.0], weight=6.0, duration=1000.0)
    assert late.weights("p")[0] == pytest.approx(6.01 - 0.12, abs=1e-6)  # the script's full 0.12, one step after


@pytest.mark.slow
def test_stdp_alone_ruins_the_liquid_and_the_astrocyte_repairs_it():
    """Small digits, 512 neurons, all synapses plastic: accuracy, rank and rate with and without the astrocyte."""
    pytest.importorskip("sklearn")
    nalsm = runpy.run_path(str(EXAMPLES / "nalsm.py"))
    data = nalsm["small_digits"]()
    rows = np.random.default_rng(0).permutation(len(data.digits))
    wiring = nalsm["Wiring"]((8, 8, 8), data.n_inputs, 0)
    alone, repaired = (nalsm["condition"](wiring, data, rows[:200], rows[200:300], 1000, 0, w_astro=w)
                       for w in (0.0, 0.015))
    assert alone["rate"] > 2.5 * repaired["rate"]
    assert alone["rank"] < 0.5 * repaired["rank"]
    assert repaired["accuracy"] - alone["accuracy"] > 0.2 and repaired["accuracy"] > 0.75


def test_astrocyte_stdp_by_its_equations():
    """A constant astrocyte: depression has its value, potentiation a_plus; inhibitory synapses mirror that."""
    from learning_runs import given_level

    def change(rule, arrival, target, weight):
        return given_level(rule, "astrocyte", 0.4, [arrival], [target], weight) - weight

    trace = 0.1 * np.exp(-5 / 10)
    rule = AstrocyteSTDP(w_min=-3.0)
    assert change(rule, 100.0, 105.0, 0.5) == pytest.approx(0.15 * trace, rel=1e-10)
    assert change(rule, 105.0, 100.0, 0.5) == pytest.approx(-0.4 * trace, rel=1e-10)
    rule = AstrocyteSTDP(kind="inhibitory", w_min=-3.0, w_max=0.0)
    assert change(rule, 100.0, 105.0, -0.5) == pytest.approx(-0.4 * trace, rel=1e-10)
    assert change(rule, 105.0, 100.0, -0.5) == pytest.approx(0.15 * trace, rel=1e-10)


def test_a_non_accumulating_current_restarts():
    """Currents of arrivals at 2, 3 and 7 ms with tau 2 ms: at each, the current is the full weight, no more."""
    from learning_rules import NonAccumulating

    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 2.0, 6.0], [0, 0, 0], size=1, dt=1.0, duration=10.0)))
    cell = net.add(ns.LeakyIntegrator(v_leak=0.0), 1)
    net.connect(given, cell, weight=5.0, delay=1.0, receptor=ns.ExponentialCurrent(2.0),
                release=NonAccumulating(tau_syn=2.0))
    net.record(cell, "i_syn")
    sim = ns.Simulation(net, 1.0, dtype="float64")
    sim.run(9.0)
    expected = [0, 0, 5, 5, *(5 * np.exp(-np.arange(1, 4) / 2)), 5, *(5 * np.exp(-np.arange(1, 3) / 2))]
    np.testing.assert_allclose(sim.trace(cell, "i_syn")[1][:, 0], expected, rtol=1e-12)
