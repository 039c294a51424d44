"""Rows whose targets follow one another are added as a whole, with the same bits as target by target."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import neurosim as ns
from learning_rules import Hebb, normalise
from neurosim.engine.synapses import runs
from tests.shares import quick

SIZES = 150, 170
KINDS = {
    "learning": {"plasticity": Hebb(eta=0.02, x_0=0.3, tau_x=20.0)},
    "weights of their own": {},
    "one weight": {"weight": 0.4},
    "delays of sources": {"delay": np.tile(np.arange(SIZES[0])[:, None] % 7 + 1.0, SIZES[1])},
    "packed": {"packed": True},
}


def simulation(kind, threads=1, rate=30.0):
    """Return a simulation in which all inputs reach all neurons, and these one another."""
    options = dict(KINDS[kind])
    weight = options.pop("weight", np.random.default_rng(3).uniform(0.05, 0.4, SIZES))
    packed, delay = options.pop("packed", False), options.pop("delay", 1.0)
    net = ns.Network()
    inputs = net.add(ns.Poisson(rate), SIZES[0], name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=8.0, t_ref=5.0), SIZES[1], name="cells")
    net.connect(inputs, cells, ns.AllToAll(), weight=weight, delay=delay, name="in", **options)
    net.connect(cells, cells, ns.AllToAll(self_connections=False), weight=-0.2, delay=2.0, name="inhibition")
    net.record(cells)
    return ns.Simulation(net, dt=1.0, seed=5, threads=threads, packed=packed)


def parts(sim):
    """Return the parts of all synapses of a simulation, in bundles or not."""
    return [part for each in sim._run.plan.deliveries for part in
            (each.parts if hasattr(each, "parts") else sim._run.plan.projections[each].connectivity.parts)]


@pytest.fixture
def target_by_target(monkeypatch):
    """Simulations whose rows are never added as a whole."""
    def make(*args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(runs, "SHORTEST", 1 << 40)
            sim = simulation(*args, **options)
            assert not any(part.in_runs for part in parts(sim))
            return sim
    return make


def result(sim, duration=300.0):
    """Run, with a look in between; return spikes and weights."""
    for _ in range(2):
        sim.run(duration / 2)
        if sim.net.projections[0].plasticity:
            normalise(sim, "in", 30.0)
    return sim.spikes("cells").times, sim.spikes("cells").ids, sim.weights("in")


def same(one, other):
    """Return whether two results are equal to the last bit."""
    return len(one[0]) > 100 and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", quick(("learning",), KINDS))
@pytest.mark.parametrize("threads", [1, 3])
def test_no_bit_depends_on_how_rows_are_added(kind, threads, target_by_target):
    sim = simulation(kind, threads)
    assert any(part.in_runs for part in parts(sim))
    assert same(result(sim), result(target_by_target(kind)))


@pytest.mark.parametrize("rate", [0.3, 3.0])
def test_all_catch_up_where_more_taught_since_the_last_arrival_than_are_kept(rate, target_by_target):
    """Where inputs are that slow, hundreds of spikes of targets lie between two arrivals."""
    made = []
    for make in (simulation, target_by_target):
        sim = make("learning", rate=rate)
        sim.set("cells", i_bias=0.5, r=30.0)
        made.append(result(sim))
    assert same(*made)


def test_a_state_brings_back_what_is_to_be_learned():
    sim = simulation("learning")
    sim.run(100.0)
    state = sim.state()
    sim.run(60.0)
    weights = sim.weights("in")
    sim.run(40.0)
    sim.restore(state)
    sim.run(60.0)
    assert np.array_equal(sim.weights("in"), weights)


ROWS = st.tuples(st.integers(0, 3), st.integers(40, 90), st.sampled_from([True] * 200 + [False]))


@given(st.lists(ROWS, min_size=1, max_size=600), st.booleans())
def test_runs_are_found_where_there_are_any(rows, packed):
    """Against a look at each row; some rows have a hole."""
    targets, start = [], [0]
    for first, length, whole in rows:
        row = np.arange(first, first + length)
        targets.append(row if whole else np.delete(row, 7))
        start.append(start[-1] + targets[-1].size)
    target = np.concatenate(targets).astype(np.uint32 if packed else np.uint16)
    expected = all(each[-1] - each[0] == each.size - 1 for each in targets)
    target |= np.uint32(5 << 16) if packed else np.uint16(0)
    assert runs.in_runs(np.array(start), None, target, packed) == expected


def test_targets_in_another_order_are_no_runs():
    start, target = np.array([0, 64]), np.arange(64, dtype=np.uint16)
    assert runs.in_runs(start, None, target)
    assert not runs.in_runs(start, None, target[::-1].copy())
    assert not runs.in_runs(start, None, np.roll(target, 5))


def test_delays_cut_rows_into_runs():
    offsets = np.array([[0, 40, 80], [0, 0, 80]], dtype=np.uint16)
    target = np.concatenate([np.arange(40), np.arange(3, 43), np.arange(80)]).astype(np.uint16)
    assert np.array_equal(runs.cells(np.array([0, 80, 160]), offsets), [0, 40, 80, 80, 160])
    assert runs.in_runs(np.array([0, 80, 160]), offsets, target)
    assert not runs.in_runs(np.array([0, 80, 160]), None, target)
