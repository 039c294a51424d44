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


@pytest.mark.slow
def test_the_derivative_acts_once_a_second():
    """One pair at the tick of its arrival: s = 0.1; then w gains 0.01 + 0.1, and 0.01 + 0.09 a second later."""
    from learning_runs import one_synapse

    for end, expected in ((999.0, 6.0), (1000.0, 6.11), (2000.0, 6.21)):
        sim = one_synapse(SlowSTDP(), [500.0], [500.0], weight=6.0, duration=end)
        assert sim.weights("p")[0] == pytest.approx(expected, abs=1e-9)
    late = one_synapse(SlowSTDP(), [501.0], [500.0], weight=6.0, duration=1000.0)
    assert late.weights("p")[0] == pytest.approx(6.01 - 0.12, abs=1e-6)  # the script's full 0.12, one step after


@pytest.fixture(scope="module")
def nalsm():
    """What examples/nalsm.py defines."""
    pytest.importorskip("sklearn")
    return runpy.run_path(str(EXAMPLES / "nalsm.py"))


def small_digits_by(nalsm, shape, n_train, n_test, short, strengths):
    """Return what the liquid does with small digits, at each strength of the astrocyte."""
    data = nalsm["small_digits"]()
    rows = np.random.default_rng(0).permutation(len(data.digits))
    rounds, wiring = [(rows[:n_train], rows[n_train:n_train + n_test])], nalsm["Wiring"](shape, data.n_inputs, 0)
    return [nalsm["condition"](wiring, data, rounds, short, 0, w_astro=w, fresh=True) for w in strengths]


@pytest.mark.slow
def test_stdp_alone_ruins_a_small_liquid_and_the_astrocyte_repairs_it(nalsm):
    """Small digits, 343 neurons, all synapses plastic: rate, rank, accuracy and branching factor, in seconds."""
    alone, repaired = small_digits_by(nalsm, (7, 7, 7), 100, 60, 400, (0.0, 0.05))
    assert alone["rate"] > 2.5 * repaired["rate"] and alone["rank"] < 0.5 * repaired["rank"]
    assert repaired["accuracy"] - alone["accuracy"] > 0.2 and repaired["branching"] < alone["branching"]


@pytest.mark.slow
def test_stdp_alone_ruins_the_liquid_and_the_astrocyte_repairs_it(nalsm):
    """The same with 512 neurons and the published strength: over 3 times the rate, and 20 points lost."""
    alone, repaired = small_digits_by(nalsm, (8, 8, 8), 200, 100, 1500, (0.0, 0.015))
    assert alone["rate"] > 3.0 * repaired["rate"]
    assert alone["rank"] < 0.5 * repaired["rank"]
    assert repaired["accuracy"] - alone["accuracy"] > 0.2 and repaired["accuracy"] > 0.75
    assert repaired["branching"] < alone["branching"]


def published_steps(wiring, spikes, ticks, w_astro):
    """The published equations step by step, with all pairs in matrices; returns who spiked when, and the weights.

    The order is that of the simulation where it differs: a spike transmits a weight that its target's present spike has
    already changed, a current that restarts keeps what is left of the old weight, and a spike of the target meets the
    astrocyte of one step before.
    """
    n, m = wiring.n_inputs, wiring.size
    weight, places = np.zeros((n + m, m)), {}
    for name, first, value in (("input", 0, wiring.signs), ("e", n, 1.0), ("i", n, -1.0)):
        i, j = wiring.pairs[name]
        places[name] = (i + first, j)
        weight[places[name]] = value
    there, mirrored = weight != 0, np.zeros((n + m, 1), bool)
    mirrored[places["i"][0]] = True
    low, high = np.where(mirrored | (np.arange(n + m) < n)[:, None], -3.0, 0.0), np.where(mirrored, 0.0, 3.0)
    v, rest, trace, last, current = np.zeros(m), np.zeros(m), np.zeros(n + m), np.full(n + m, -1e9), 0.0 * weight
    astrocyte = before = 0.15
    given, fired = np.zeros((ticks + 1, n), bool), np.zeros((ticks + 1, m), bool)
    given[spikes.ticks, spikes.ids] = True
    for t in range(1, ticks + 1):
        fired[t] = (v >= 20.0) & (rest <= 0)
        v[fired[t]] = 0.0
        s = np.concatenate([given[t], fired[t]])
        at_target, at_source = np.outer(trace, fired[t]), np.outer(s, trace[n:])
        weight += there * np.where(mirrored, -before, 0.15) * at_target
        weight = np.where(there, np.clip(weight, low, high), 0.0)
        share = np.where(s, 1.0 - np.exp(last - t), 0.0)
        last[s] = t
        current = np.exp(-1.0) * current + share[:, None] * weight
        v = v - v / 64.0 + current.sum(axis=0)
        rest = np.where(fired[t], 2, rest - 1)
        weight += there * np.where(mirrored, 0.15, -astrocyte) * at_source
        weight = np.where(there, np.clip(weight, low, high), 0.0)
        trace = np.exp(-0.1) * (trace + 0.1 * s)
        before = astrocyte
        astrocyte += (w_astro * (fired[t].sum() - given[t].sum()) + 0.15 - astrocyte) / 100
    return fired, {name: weight[place] for name, place in places.items()}


@pytest.mark.slow
@pytest.mark.parametrize("w_astro", [0.05, 0.3])
def test_the_liquid_follows_the_published_equations(nalsm, w_astro):
    """64 neurons, 60 inputs, all synapses plastic: the same spikes, and weights to 1e-9 in float64."""
    generator = np.random.default_rng(0)
    wiring = nalsm["Wiring"]((4, 4, 4), 60, 0)
    spikes = nalsm["poisson"](generator.uniform(0.0, 0.9, 60), 50, generator)
    fired, weights = published_steps(wiring, spikes, 60, w_astro)
    sim = ns.Simulation(wiring.network(w_astro), 1.0, seed=0, dtype="float64")
    sim.give("input", spikes)
    sim.run(60.0)
    found = sim.spikes("liquid")
    assert fired.sum() > 40 and fired[55:].sum() == 0
    assert sorted(map(list, zip(found.ticks, found.ids, strict=True))) == np.argwhere(fired).tolist()
    for name in weights:
        np.testing.assert_allclose(sim.weights(name), weights[name], atol=1e-9)
        assert np.abs(weights[name]).std() > 1e-3


def test_a_liquid_that_stopped_learning_has_the_weights_that_it_learned(nalsm):
    """The same spikes from fixed weights as from plastic ones whose changes are gated away."""
    generator, wiring = np.random.default_rng(0), nalsm["Wiring"]((4, 4, 4), 60, 0)
    first, second = (nalsm["poisson"](generator.uniform(0.0, 0.9, 60), 60, generator) for _ in range(2))
    sim = ns.Simulation(wiring.network(0.05), 1.0, seed=0)
    sim.give("input", first)
    rest = sim.state()
    sim.run(60.0)
    sim.restore(rest, keep=["input", "e", "i"])
    sim.set("fading", v=0.0, v_leak=0.0)
    learned = {name: sim.weights(name) for name in ("input", "e", "i")}
    still = ns.Simulation(wiring.network(fixed=learned), 1.0, seed=0)
    for each in (sim, still):
        each.give("input", second)
        each.run(60.0)
    assert len(sim.spikes("liquid")) > 40
    assert np.array_equal(sim.spikes("liquid").ticks, still.spikes("liquid").ticks)
    assert np.array_equal(sim.spikes("liquid").ids, still.spikes("liquid").ids)
    for name in learned:
        assert np.array_equal(sim.weights(name), learned[name]) and np.abs(learned[name]).std() > 1e-3


def test_inputs_of_the_liquid_spike_as_a_refractory_neuron_does(nalsm):
    """Events, channel by channel: a spike 1 ms after a pulse, none for the 2 ms after, in which pulses wait."""
    events = np.random.default_rng(0).random((40, 6)) < np.linspace(0.05, 0.9, 6)
    ticks, channels = np.nonzero(events)
    kept, times = nalsm["waiting"](ticks + 1, channels)
    expected = []
    for channel in range(6):
        charged, rest = False, 0
        for tick in range(1, 60):
            if charged and rest <= 0:
                expected.append((channel, tick))
                charged, rest = False, 3
            charged |= bool(tick <= 40 and events[tick - 1, channel])
            rest -= 1
    assert sorted(zip(channels[kept].tolist(), times.tolist(), strict=True)) == expected
    chances, generator, counts = np.array([0.02, 0.2, 0.8]), np.random.default_rng(1), np.zeros(3)
    for _ in range(100):
        spikes = nalsm["poisson"](chances, 250, generator)
        counts += np.bincount(spikes.ids, minlength=3)
        assert all(np.diff(spikes.ticks[spikes.ids == k]).min(initial=3) >= 3 for k in range(3))
    np.testing.assert_allclose(counts / 100 / 249, 1.0 / (3.0 + (1.0 - chances) ** 3 / chances), rtol=0.04)


def test_the_branching_factor_by_its_definition(nalsm):
    """Random spikes of a small liquid, spike by spike: targets in the 4 ms after, over sources in the 4 ms before."""
    wiring = nalsm["Wiring"]((3, 3, 3), 10, 0)
    active = np.random.default_rng(0).random((2, 250, 27)) < 0.05
    pairs = np.concatenate([wiring.pairs["e"], wiring.pairs["i"]], axis=1)
    factors = []
    for sample in active:
        of_neurons = []
        for neuron in range(27):
            targets, sources = pairs[1][pairs[0] == neuron], pairs[0][pairs[1] == neuron]
            ratios = [sample[t + 1:t + 5, targets].sum() / max(1, sample[t - 4:t, sources].sum())
                      for t in range(29, 221) if sample[t, neuron]]
            of_neurons += [np.mean(ratios)] if ratios else []
        factors.append(np.mean(of_neurons))
    spikes = [ns.Spikes(ticks=t + 1, ids=i.astype(np.uint32), size=27, dt=1.0, duration=250.0)
              for t, i in map(np.nonzero, active)]
    assert nalsm["branching"](wiring, spikes) == pytest.approx(np.mean(factors), rel=1e-5)


@pytest.mark.slow
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
