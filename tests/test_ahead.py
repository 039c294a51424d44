"""Rows that are added to the sums of later ticks bring the same as segments that are delivered tick by tick."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.engine import ahead
from tests.shares import quick

KINDS = {"one weight": {"weight": 0.5}, "weights": {}, "one delay each": {"delay": "rows"},
         "currents": {"receptor": ns.ExponentialCurrent(3.0), "weight": 20.0}, "float64": {"dtype": "float64"}}


def network(weight=None, delay=None, receptor=None, **_):
    """Return a network whose sums are exact in any order, where weights are multiples of 1/64."""
    draws = np.random.default_rng(2)
    net = ns.Network()
    noise = net.add(ns.Poisson(40.0), 60, name="noise")
    a = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=4.0, t_ref=2.0, r=1.0), 150, name="a")
    b = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=4.0, t_ref=2.0, r=1.0), 40, name="b")

    def options(source, target, inhibits=1):
        shape = source.size, target.size
        late = draws.integers(1, 25, shape) * 1.0
        return {"weight": inhibits * (weight or draws.integers(16, 64, shape) / 64.0),
                "delay": np.repeat(late[:, :1], shape[1], axis=1) if delay == "rows" else late}

    net.connect(noise, a, ns.FixedProbability(0.3), weight=1.0, delay=1.0)
    net.connect(a[::2], a, ns.FixedProbability(0.2), **options(a[::2], a), receptor=receptor, name="a a")
    net.connect(a, b[5:], ns.FixedProbability(0.2), **options(a, b[5:]), receptor=receptor, name="a b")
    net.connect(b, a, ns.FixedProbability(0.3), **options(b, a, -1), receptor=receptor, name="b a")
    net.record(a)
    net.record(b)
    return net


def simulation(kind, threads=1):
    """Return a simulation of a network of some kind."""
    return ns.Simulation(network(**KINDS[kind]), dt=1.0, seed=4, threads=threads,
                         dtype=KINDS[kind].get("dtype", "float32"))


@pytest.fixture
def sent_ahead(monkeypatch):
    """Simulations in which all projections with several delays add to sums of later ticks, however small they are."""
    def make(*args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(ahead, "FEWEST", 0)
            patch.setattr(ahead, "SHORT", 1 << 20)
            sim = simulation(*args, **options)
            plans = sim._run.plan.projections
            assert [each.name for each in plans if plans[each].wiring.ahead] == ["a a", "a b", "b a"]
            return sim
    return make


def spikes(sim):
    """Return the spikes of both populations as one array of ticks and numbers."""
    found = [(spikes.ticks, spikes.ids) for spikes in (sim.spikes("a"), sim.spikes("b"))]
    assert all(ticks.size > 200 for ticks, _ in found)
    return np.concatenate([np.concatenate(each) for each in found])


@pytest.mark.parametrize("kind", quick(("weights",), KINDS))
@pytest.mark.parametrize("threads", [1, 2])
def test_spikes_are_those_of_segments(kind, threads, sent_ahead):
    sim, other = sent_ahead(kind, threads), simulation(kind)
    sim.run(400.0)
    other.run(400.0)
    assert not any(plan.wiring.ahead for plan in other._run.plan.projections.values())
    assert np.array_equal(spikes(sim), spikes(other))


@pytest.mark.parametrize("kind", quick(("weights",), KINDS))
def test_any_cut_gives_the_same(kind, sent_ahead, tmp_path):
    """Also one by a state that is brought back, by a file, and by a copy."""
    whole, cut = sent_ahead(kind), sent_ahead(kind, 2)
    whole.run(300.0)
    cut.run(97.0)
    state = cut.state()
    cut.run(30.0)
    cut.restore(state)
    for ms in (1.0, 2.0, 40.0):
        cut.run(ms)
    branch = cut.clone()
    for sim in (cut, branch):
        sim.run(160.0)
        assert np.array_equal(sim.spikes("a").between(150.0).ids, whole.spikes("a").between(150.0).ids)
        assert np.array_equal(sim.spikes("b").between(150.0).ticks, whole.spikes("b").between(150.0).ticks)


def test_what_is_set_holds_for_spikes_under_way(sent_ahead):
    found = []
    for sim in (sent_ahead("weights"), simulation("weights")):
        sim.run(100.0)
        sim.set("a a", weight=2 * sim.weights("a a"))
        sim.run(100.0)
        found.append(spikes(sim))
    assert np.array_equal(*found)


@pytest.mark.slow
def test_spikes_under_way_do_not_reach_new_synapses(sent_ahead, monkeypatch):
    found = []
    for make, fewest in ((sent_ahead, 0), (simulation, 1 << 60)):
        sim = make("weights")
        sim.run(100.0)
        source, target, delay, values = sim._run.engine.synapses(sim.net.projection("a a"))
        kept = np.arange(source.size) % 3 > 0
        was = np.append(np.flatnonzero(kept), [-1] * 50)
        again = np.append(source[kept], source[:50] * 0 + 1), np.append(target[kept], np.arange(50))
        with monkeypatch.context() as patch:
            patch.setattr(ahead, "FEWEST", fewest)
            patch.setattr(ahead, "SHORT", 1 << 20)
            sim = sim.rewire("a a", *again, weight=np.append(values["weight"][kept], np.full(50, 0.5)),
                             delay=np.append(delay[kept], np.arange(50) % 20 + 1.0), continues=was)
        sim.run(150.0)
        found.append(sim.spikes("a").between(100.0).ids)
    assert found[0].size > 100 and np.array_equal(*found)


@pytest.mark.slow
def test_it_is_for_short_segments_and_few_sums():
    """What decides does not depend on threads."""
    net = ns.Network()
    a = net.add(ns.LIF(), 1000, name="a")
    net.connect(a, a, ns.FixedOutDegree(60), weight=0.1, delay=ns.Integers(1, 20), name="short")
    net.connect(a, a, ns.FixedOutDegree(400), weight=0.1, delay=ns.Integers(1, 20), name="long")
    net.connect(a, a, ns.FixedOutDegree(60), weight=0.1, delay=1.0, name="at once")
    net.connect(a, a, ns.FixedOutDegree(60), weight=0.1, delay=ns.Integers(1, 500), name="far")
    for threads in (1, 3):
        plan = ns.Simulation(net, dt=1.0, threads=threads)._run.plan
        assert [projection.name for projection, each in plan.projections.items() if each.wiring.ahead] == ["short"]
