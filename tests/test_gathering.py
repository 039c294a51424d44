"""Synapses of by-target rules, which are gathered by their sources, are those that the rows of targets say."""

import tracemalloc

import numpy as np
import pytest

import neurosim as ns
from neurosim.connectivity import FixedInDegree
from neurosim.distributions import Uniform
from neurosim.engine import planner
from neurosim.engine.synapses import draft, gathering, lay, to_coo
from neurosim.random import Streams, philox, uniform53

N_SOURCE, N_TARGET = 40, 30
RULES = [FixedInDegree(7), FixedInDegree(3, self_connections=False), FixedInDegree(3, multiple=False),
         FixedInDegree(35, multiple=False, self_connections=False), FixedInDegree(0)]


def planned(rule, bounds=(0, N_TARGET), weight=None, **options):
    weight = Uniform(0.5, 1.5) if weight is None else weight
    return draft(rule, N_SOURCE, N_TARGET, 4, quantities={"weight": weight}, delay=Uniform(0.1, 0.6), bounds=bounds,
                 seed=5, streams=Streams(), label="", dt=0.1, real=np.float64, **options)


def by_rows(plan):
    """The synapses in canonical order, row by row of the targets, by the scalar bodies alone."""
    out, key = np.empty(plan.rows.capacity, np.uint32), [np.uint64(word) for word in plan.key]
    found = []
    for row in range(N_TARGET):
        count = plan.rule.partners(row, N_SOURCE, plan.rows.ints, plan.rows.floats, *key, np.uint64(plan.stream), out)
        for k in range(count):
            values = []
            for q in (plan.delay, plan.values["weight"]):
                a, b, low, high, *ends = map(float, q.data)
                words = philox(np.uint64(k), np.uint64(row), np.uint64(q.stream), np.uint64(0), *key)
                u = min(low + (high - low) * float(uniform53(*words[:2])), 1 - 2.0**-53)
                values.append(min(max(float(q.quantile(u, a, b)), ends[0]), ends[1]))
            found.append((int(out[k]), int(np.floor(values[0] / 0.1 + 0.5)), row, k, values[1]))
    return sorted(found)


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("bounds", [(0, N_TARGET), (0, 0, 9, 23, N_TARGET)])
def test_what_is_gathered_is_what_the_rows_say(monkeypatch, rule, bounds):
    monkeypatch.setattr(lay, "AT_A_TIME", 20)
    monkeypatch.setattr(gathering, "LEAST_WINDOW", 30)
    monkeypatch.setattr(gathering, "BLOCK", 4)
    plan = planned(rule, bounds, threads=2)
    made = plan.made()
    source, target, delay, values = to_coo(made)
    expected = by_rows(plan)
    assert list(zip(source, delay, target, values["weight"], strict=True)) == [
        (source, delay, target, weight) for source, delay, target, _, weight in expected]
    assert made.n_synapses == len(expected) == rule.k * N_TARGET


def test_steps_and_windows_change_nothing_in_the_arrays(monkeypatch):
    whole = planned(FixedInDegree(9), (0, 14, N_TARGET), np.arange(N_SOURCE * N_TARGET * 1.0).reshape(N_SOURCE, -1))
    whole = whole.made()
    for at_a_time, window in ((1, 1), (100, 1), (33, 120), (10_000, 50)):
        monkeypatch.setattr(lay, "AT_A_TIME", at_a_time)
        monkeypatch.setattr(gathering, "LEAST_WINDOW", window)
        weight = np.arange(N_SOURCE * N_TARGET * 1.0).reshape(N_SOURCE, -1)
        cut = planned(FixedInDegree(9), (0, 14, N_TARGET), weight).made()
        for a, b in zip(whole.parts, cut.parts, strict=True):
            for name in ("start", "offsets", "target"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
            np.testing.assert_array_equal(a.values["weight"], b.values["weight"])
    source, target, _, values = to_coo(whole)
    np.testing.assert_array_equal(values["weight"], source * N_TARGET + target)


def test_nothing_as_large_as_the_synapses_is_needed_beside_them(monkeypatch):
    monkeypatch.setattr(gathering, "LEAST_WINDOW", 1 << 16)
    net = ns.Network()
    cells = net.add(ns.LIF(), 20_000, name="cells")
    net.connect(cells, cells, FixedInDegree(100), weight=ns.Normal(1.0, 0.1), delay=ns.Uniform(0.1, 1.0))
    net.connect(cells, cells, FixedInDegree(10), weight=ns.Normal(1.0, 0.1), delay=0.5,
                receptor=ns.ExponentialCurrent(5.0))
    planner.Planner(net, 0.1, 1, np.float32, 1).plan()  # what is compiled is kept
    tracemalloc.start()
    plans = planner.Planner(net, 0.1, 1, np.float32, 1).plan().projections
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(plan.connectivity.n_synapses for plan in plans.values()) == 2_200_000
    assert left < 15e6 and peak < left + 9e6  # a window, and what is drawn at a time


@pytest.mark.parametrize("rule", [FixedInDegree(20), ns.FixedOutDegree(20)], ids=repr)
def test_drawn_delays_of_one_tick_need_no_table(rule):
    def network(other):
        net = ns.Network()
        a, b = net.add(ns.Poisson(rate=200.0), 50, name="a"), net.add(ns.LIF(r=0.1), 40, name="b")
        weight = ns.Uniform(2.0, 3.0)
        net.connect(a, b, rule, weight=weight, delay=ns.Uniform(0.98, 1.02), name="one")
        net.connect(a, b, rule, weight=weight, delay=other, receptor=ns.ExponentialCurrent(3.0), name="other")
        net.record(b)
        return net

    for other in (ns.Uniform(0.98, 1.02), ns.Uniform(0.1, 2.0)):
        sim = ns.Simulation(network(other), 0.1, seed=1)
        sim.run(20.0)
        weights = sim.weights("one")
        sim.set("one", weight=weights)  # is taken out of its bundle
        sim.run(30.0)
        whole = ns.Simulation(network(other), 0.1, seed=1)
        whole.run(50.0)
        assert sim.spikes("b") == whole.spikes("b") and len(whole.spikes("b")) > 40
        (one,) = [each for p, each in sim._run.plan.projections.items() if p.name == "one"]
        assert one.wiring.offsets is None


@pytest.mark.slow
@pytest.mark.parametrize("rule, weight", [
    (FixedInDegree(7), ns.Normal(-0.3, 0.5)),
    (FixedInDegree(3, multiple=False), ns.LogNormal(1.0, 1.5, high=30.0)),
    (FixedInDegree(7), np.random.default_rng(1).normal(size=(N_SOURCE, N_TARGET))),
    (ns.FixedProbability(0.2), ns.Normal(-0.3, 0.5)),
    (ns.FixedProbability(0.2), ns.Integers(-9, 7)),
    (ns.FixedProbability(0.0), ns.Normal(-0.3, 0.5)),
    (ns.FixedProbability(0.2), -np.random.default_rng(1).random((N_SOURCE, N_TARGET))),
    (ns.Explicit([3, 0, 3], [1, 2, 29]), np.array([0.5, -0.75, 0.25])),
    (FixedInDegree(7), -2.0),
])
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_the_largest_weight_is_known_before_it_is_kept(rule, weight, real):
    for seed in (1, 2, 3):
        plan = draft(rule, N_SOURCE, N_TARGET, None, quantities={"u": 0.5, "weight": weight}, delay=1.0,
                     bounds=(0, 9, N_TARGET), seed=seed, streams=Streams(), label="", dt=0.1, real=real, threads=2)
        made = plan.made()
        values = to_coo(made)[3]["weight"]
        expected = float(np.abs(values).max(initial=0.0))
        assert plan.largest("weight") == made.largest("weight") == expected
