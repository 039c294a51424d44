"""Exact gradients by events: the spikes of the event mode, and central differences of the loss, for every part."""

import copy
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid

import neurosim as ns
from neurosim.event.exponentials import (
    APART,
    BLOCK,
    CHAINS,
    DRIFT,
    FACTOR,
    GAIN,
    HEAD,
    HORIZON,
    MOST,
    PULL,
    RATE,
    SURE,
    THRESHOLD,
    S,
    V,
    first_crossing,
)
from neurosim.gradients import Differentiable
from neurosim.gradients.mathematics import approach

NOTHING = ns.Spikes.from_times([], [], size=4, duration=1.0)
RECEPTORS = {
    "exponential": lambda rng: ns.ExponentialCurrent(rng.uniform(1.0, 10.0)),
    "equal": lambda rng: ns.ExponentialCurrent(20.0),
    "alpha": lambda rng: ns.AlphaCurrent(rng.uniform(1.0, 8.0)),
    "double": lambda rng: ns.DoubleExponentialCurrent(tau_rise=rng.uniform(0.5, 2.0), tau_syn=rng.uniform(3.0, 9.0)),
    "delta": lambda rng: ns.Delta(),
}
DURATION = 50.0


pytestmark = pytest.mark.usefixtures("gradient_loops")
in_python = pytest.mark.parametrize("gradient_loops", ["interpreted"], indirect=True)
in_code = pytest.mark.parametrize("gradient_loops", [pytest.param("compiled", marks=pytest.mark.slow)], indirect=True)


def built(seed, receptor, reset, t_ref, own, recurrent):
    """A network of inputs, spiking cells and readouts, everything drawn from a seed."""
    rng = np.random.default_rng(seed)

    def values(mean, width, n):
        return rng.normal(mean, width, n) if own else mean

    net = ns.Network()
    inputs = net.add(ns.SpikeSource(NOTHING), 4, name="inputs")
    cells = net.add(ns.LIF(tau_mem=values(20.0, 2.0, 5), v_leak=-60.0, v_reset=-62.0, v_threshold=-50.0, r=1.0,
                           reset=reset,
                           t_ref=t_ref, i_bias=values(4.0, 1.0, 5)), 5, name="cells", initial={"v": rng.normal(-58.0,
                                                                                                               1.0, 5)})
    out = net.add(ns.LeakyIntegrator(tau_mem=15.0, v_leak=-60.0, r=1.0), 2, name="out", initial={"v": -61.0})
    port = RECEPTORS[receptor](rng)
    size = 4.0 if receptor == "delta" else 25.0

    def weights(shape, share):
        return rng.normal(share * size, size, shape)

    def delays(shape):
        return rng.uniform(0.5, 5.0, shape) if own else 1.3

    net.connect(inputs, cells, ns.AllToAll(), weight=weights((4, 5), 0.6), delay=delays((4, 5)), receptor=port,
                name="in")
    if recurrent:
        net.connect(cells, cells, ns.AllToAll(), weight=weights((5, 5), 0.0), delay=delays((5, 5)), receptor=port,
                    name="rec")
    net.connect(cells, out, ns.AllToAll(), weight=rng.normal(0.0, 20.0, (5, 2)), delay=1.0, name="to out",
                receptor=(ns.ExponentialCurrent(4.0), ns.Delta(), ns.ExponentialCurrent(15.0))[seed % 3])
    samples = []
    for _ in range(2):
        n = int(rng.integers(2, 12))
        samples.append((rng.uniform(0.0, 40.0, n), rng.integers(0, 4, n)))
    return net, samples, rng


networks = st.builds(built, st.integers(0, 2**32), st.sampled_from(sorted(RECEPTORS)),
                     st.sampled_from(["to_value", "subtract"]), st.sampled_from([0.0,
                                                                                 1.7]), st.booleans(), st.booleans())
few = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


def test_spikes_and_readouts_are_those_of_the_event_mode():
    for seed in range(40):
        kind = sorted(RECEPTORS)[seed % 5]
        net, samples, _ = built(seed, kind, ("to_value", "subtract")[seed % 2], (0.0, 1.5)[seed // 2 % 2],
                                seed % 3 == 0,
                                seed % 4 > 1)
        run = Differentiable(net).run(samples, DURATION)
        sample, times, ids = run.spikes("cells")
        for k, (t, i) in enumerate(samples):
            sim = _event_mode(net, t, i)
            mine = np.lexsort((ids[sample == k], times[sample == k]))
            seen = sim.spikes("cells")
            order = np.lexsort((seen.ids, seen.times))
            assert np.array_equal(ids[sample == k][mine], seen.ids[order])
            np.testing.assert_allclose(times[sample == k][mine], seen.times[order], rtol=0.0, atol=1e-9)


def _event_mode(net, times, ids):
    net = net.copy()
    net.record("cells")
    sim = ns.Simulation(net, mode="event")
    if times.size:
        sim.give("inputs", ns.Spikes.from_times(times, ids, size=4, duration=DURATION))
    sim.run(DURATION)
    return sim


def test_the_integral_and_the_largest_v_of_a_readout():
    net, samples, _ = built(3, "exponential", "to_value", 0.0, False, True)
    run = Differentiable(net).run(samples, DURATION, largest=True)
    for k, (t, i) in enumerate(samples):
        fine = net.copy()
        fine.record("out", "v", every=0.01)
        sim = ns.Simulation(fine, mode="event")
        sim.give("inputs", ns.Spikes.from_times(t, i, size=4, duration=DURATION))
        sim.run(DURATION)
        v = np.concatenate([sim.trace("out", "v")[1], [sim.get("out", "v")]])
        missed = run.largest("out")[k] - v.max(axis=0)
        assert (missed > -1e-9).all() and (missed <= 1.1 * abs(np.diff(v, axis=0)).max(axis=0)).all()
        np.testing.assert_allclose(run.integral("out")[k], trapezoid(v, dx=0.01, axis=0), atol=0.01)


def test_steps_from_below_find_the_crossing_of_the_event_mode():
    rng, crossed = np.random.default_rng(4), 0
    places, work, rates = np.zeros((8, 2), np.int64), np.zeros(64), np.zeros((2, 8))
    for _ in range(400):
        m, s, drive, threshold = 1.0 / rng.uniform(5.0, 30.0), 1.0 / rng.uniform(1.0, 8.0), rng.uniform(0.0, 3.0), 1.0
        c = np.zeros(HEAD + BLOCK)
        c[[RATE, THRESHOLD, HORIZON]] = m, threshold, 60.0 / m
        c[[HEAD + place for place in (S, GAIN, PULL, FACTOR, APART)]] = s, 1.0, 1.0, 1.0, 1.0 / (m - s)
        c[HEAD + MOST] = 1.0 / s
        row = np.zeros(CHAINS + 1)
        row[[V, DRIFT, CHAINS]] = rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.3) * m, drive
        truth = first_crossing(row, 0, c, 0, 1, 1, CHAINS, work, places, *rates)
        mine = approach(row, c, 0, 1, 1, 1e4)
        if not truth < np.inf:
            assert mine == truth or (mine > 1e4 and row[SURE] == 0.0)
            continue
        assert row[SURE] == 1.0
        crossed += 1
        assert mine == pytest.approx(truth, rel=1e-9)
        most = rng.uniform(0.0, truth)
        bound = approach(row, c, 0, 1, 1, most)
        assert most < bound <= truth * (1.0 + 1e-12) and (row[SURE] == 0.0 or bound == pytest.approx(truth, rel=1e-9))
        row[CHAINS] = -drive
        assert approach(row, c, 0, 1, 1, 1e4) == -1.0
    assert 30 < crossed < 370


# ---- central differences
# ------------------------------------------------------------------------------------------------


class Loss:
    """A random function of spike times and readouts, with its derivatives; nan where the spikes are others."""

    def __init__(self, net, samples, rng):
        self.samples, self.model = samples, Differentiable(net)
        self.base = self.run(self.model, samples, rates=True)
        self.pattern = self._sorted(self.base)
        n = len(self.pattern[0])
        self.a, self.b, self.c = rng.normal(size=n), 0.01 * rng.normal(size=(2, 2)), rng.normal(size=(2, 2))

    def run(self, model, samples, rates=False):
        return model.run(samples, DURATION, rates=rates, largest=True)

    @staticmethod
    def _sorted(run):
        sample, times, ids = run.spikes("cells")
        order = np.lexsort((times, ids, sample))
        return sample[order], ids[order], times[order], order

    def gradients(self):
        a = np.empty(len(self.a))
        a[self.pattern[3]] = self.a
        return self.base.backward(spikes={"cells": a}, integral={"out": self.b}, largest={"out": self.c})

    def at(self, model=None, samples=None):
        run = self.run(model or self.model, samples or self.samples)
        sample, ids, times, _ = self._sorted(run)
        if not (np.array_equal(sample, self.pattern[0]) and np.array_equal(ids, self.pattern[1])):
            return np.nan
        return self.a @ times + (self.b * run.integral("out")).sum() + (self.c * run.largest("out")).sum()

    def slope(self, at, x):
        """The derivative by differences of fourth order, of the two steps that agree best; nan where none do, or where
        shorter steps say otherwise: then a spike or a maximum is about to be another one, or an arrival to come after
        the spike that it helps to make, which bends the loss between the two ends of a step."""
        found, rounding = [], []
        for step in (1e-3, 1e-4, 1e-5, 1e-6):
            h = step * max(1.0, abs(x)) ** 0.5
            values = [self.at(*at(x + k * h)) for k in (-2, -1, 1, 2)]
            found.append((8.0 * (values[2] - values[1]) - (values[3] - values[0])) / 12.0 / h)
            rounding.append(1e-14 * max(1.0, max(map(abs, values))) / h)
        apart = [abs(a - b) / max(abs(b), 0.1) for a, b in zip(found[:-1], found[1:], strict=True)]
        best = int(np.argmin(np.nan_to_num(apart, nan=np.inf)))
        truth = found[best + 1]
        bent = any(abs(each - truth) > 5e-7 * max(abs(truth), 1.0) + error
                   for each, error in zip(found[best + 2:], rounding[best + 2:], strict=True))
        return truth if apart[best] < 3e-7 and not bent else np.nan

    def with_value(self, name, **values):
        model = copy.copy(self.model)
        model.set(name, **values)
        return model, None


def compared(net, samples, rng):
    """Yield (what, gradient, function that returns the difference) for a few quantities of every kind."""
    loss = Loss(net, samples, rng)
    made = loss.gradients()
    for name in made.projections:
        for quantity, each in made.projections[name].items():
            values = loss.model.values(name, quantity)
            for k in rng.permutation(len(values))[:3]:
                def at(x, name=name, quantity=quantity, values=values, k=k):
                    new = values.copy()
                    new[k] = x
                    return loss.with_value(name, **{quantity: new})

                yield (name, quantity, k), each[k], partial(loss.slope, at, values[k])
    for population in ("cells", "out"):
        model = next(p.model for p in net.populations if p.name == population)
        for name, each in made.populations[population].items():
            value = getattr(model, name)
            if np.ndim(value) or (name == "t_ref" and value == 0.0):
                continue

            def at(x, population=population, name=name):
                return loss.with_value(population, **{name: x})

            yield (population, name), each, partial(loss.slope, at, value)
    for k in range(min(3, len(samples[0][0]))):
        def at(x, k=k):
            times = samples[0][0].copy()
            times[k] = x
            return None, [(times, samples[0][1]), *samples[1:]]

        yield ("inputs", k), made.inputs["inputs"][0][k], partial(loss.slope, at, samples[0][0][k])


def check(case, share=1):
    """Compare gradients of a network; of `share` quantities one, from one that the network's seed decides."""
    (net, samples, rng), checked = case, 0
    first = rng.integers(share)
    with np.errstate(invalid="ignore"):
        for k, (what, mine, difference) in enumerate(compared(net, samples, rng)):
            truth = difference() if k % share == first else np.nan
            if np.isfinite(truth):
                checked += 1
                assert abs(mine - truth) <= 1e-6 * max(abs(truth), 1.0), (what, mine, truth)
    assert checked * share > 5


@in_python
@few
@given(networks)
def test_gradients_equal_central_differences(case):
    check(case, share=12)


@in_code
@many
@given(networks)
def test_gradients_of_200_networks_equal_central_differences(case):
    check(case)


# ---- what else must hold
# ------------------------------------------------------------------------------------------------


def small(n=3, weight=3.0, **options):
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=2, duration=1.0)), 2, name="inputs")
    cells = net.add(ns.LIF(**{"tau_mem": 20.0, "v_leak": 0.0, "v_reset": 0.0, "v_threshold": 1.0, "r": 1.0} | options),
                    n,
                    name="cells")
    net.connect(inputs, cells, ns.AllToAll(), weight=weight, delay=1.0, receptor=ns.ExponentialCurrent(5.0), name="w")
    return net


def test_threads_and_the_form_of_inputs_change_nothing():
    rng = np.random.default_rng(1)
    model = Differentiable(small(5, weight=ns.Normal(3.0, 1.0)))
    times = rng.uniform(0.0, 10.0, (20, 2))
    times[3, 1] = np.inf
    pairs = [(row[np.isfinite(row)], np.flatnonzero(np.isfinite(row))) for row in times]
    spikes = [ns.Spikes.from_times(*pair, size=2, duration=30.0) for pair in pairs]
    gradients = []
    for inputs, threads in ((times, 1), (times, 2), (pairs, 2), (spikes, 1), ({"inputs": times}, None)):
        run = model.run(inputs, 30.0, threads=threads)
        made = run.backward(spikes={"cells": np.ones(len(run.spikes("cells")[0]))})
        gradients.append(made.projections["w"]["weight"])
        given = made.inputs["inputs"]
        assert given[3].shape == ((2,) if isinstance(given, np.ndarray) else (1,))
    assert all(np.array_equal(each, gradients[0]) for each in gradients[1:])


@pytest.mark.parametrize("reset", ["to_value", "subtract"])
def test_holds_of_many_time_constants(reset):
    duration, t_ref = 16_000.0, 15_000.0  # exp(t_ref / tau_mem) is no number any more
    times, ids = np.array([1.0, 2.0, 3.0, 4.0, 15_400.0, 15_402.0, 15_403.0]), np.array([0, 1, 2, 3, 0, 1, 2])
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(NOTHING), 4, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.1, v_threshold=1.0, r=1.0, t_ref=t_ref, reset=reset), 5,
                    name="cells")
    net.connect(inputs, cells, ns.AllToAll(), weight=np.linspace(3.0, 5.0, 20).reshape(4, 5), delay=1.0, name="in",
                receptor=ns.ExponentialCurrent(5.0))
    model = Differentiable(net)
    run = model.run([(times, ids)], duration, rates=True)
    net.record("cells")
    sim = ns.Simulation(net, mode="event")
    sim.give("inputs", ns.Spikes.from_times(times, ids, size=4, duration=duration))
    sim.run(duration)
    _, mine, neurons = run.spikes("cells")
    assert (run.counts("cells") == 2).all() and np.array_equal(neurons, sim.spikes("cells").ids)
    np.testing.assert_allclose(mine, sim.spikes("cells").times, rtol=0.0, atol=1e-9)
    made = run.backward(spikes={"cells": (mine > 15_000.0).astype(float)})
    for name, value in made.populations["cells"].items():
        assert np.isfinite(value).all(), name
    step, totals = 1e-4, []
    for tau in (20.0 + step, 20.0 - step):
        model.set("cells", tau_mem=tau)
        late = model.run([(times, ids)], duration).spikes("cells")[1]
        totals.append(late[late > 15_000.0].sum())
    assert made.populations["cells"]["tau_mem"] == pytest.approx((totals[0] - totals[1]) / (2.0 * step), rel=1e-5)


def test_the_log_grows_with_spikes_and_not_with_time():
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(NOTHING), 4, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0, t_ref=1.0), 5, name="cells")
    net.connect(inputs, cells, ns.AllToAll(), weight=4.0, delay=1.0, receptor=ns.ExponentialCurrent(5.0), name="in")
    model, once = Differentiable(net), np.array([[1.0, 2.0, 3.0, 4.0]])
    short, long_ = model.run(once, 100.0), model.run(once, 10_000.0)
    spikes = short.counts("cells").sum()
    assert spikes > 0 and short.n_events == long_.n_events == 4 + 4 + 2 * spikes  # given; arrivals; spikes and holds
    twice = [(np.concatenate([once[0], once[0] + 300.0]), np.tile(np.arange(4), 2))]
    assert model.run(twice, 1000.0).n_events == 2 * short.n_events
    assert model.run(np.repeat(once, 8, axis=0), 100.0).n_events == 8 * short.n_events


def test_runs_keep_their_values_when_others_are_set():
    model = Differentiable(small(weight=9.0))
    run = model.run(np.array([[1.0, 2.0]]), 30.0)
    assert run.counts("cells").all()
    before = run.backward(first={"cells": np.ones((1, 3))}).projections["w"]["weight"]
    model.set("w", weight=5.0)
    model.set("cells", tau_mem=10.0)
    assert np.array_equal(run.backward(first={"cells": np.ones((1, 3))}).projections["w"]["weight"], before)


def test_of_two_values_set_between_runs_the_last_acts_and_the_run_before_keeps_its_own():
    model = Differentiable(small(weight=ns.Normal(9.0, 1.0)))
    times, d = np.array([[1.0, 2.0]]), {"cells": np.ones((1, 3))}
    first = model.values("w")
    run = model.run(times, 30.0)
    before = run.backward(first=d).projections["w"]["weight"]
    model.set("w", weight=first + 1.0)
    model.set("w", weight=first + 2.0)
    assert np.array_equal(model.values("w"), first + 2.0)
    assert np.array_equal(run.backward(first=d).projections["w"]["weight"], before)
    fresh = Differentiable(small(weight=ns.Normal(9.0, 1.0)))
    fresh.set("w", weight=first + 2.0)
    assert np.array_equal(model.run(times, 30.0).first("cells"), fresh.run(times, 30.0).first("cells"))


def test_without_derivatives_by_times_those_by_weights_are_the_same():
    rng = np.random.default_rng(4)
    net = small(4, weight=ns.Normal(6.0, 1.0))
    out = net.add(ns.LeakyIntegrator(tau_mem=15.0, v_leak=0.0, r=1.0), 2, name="out")
    net.connect(net["cells"], out, ns.AllToAll(), weight=ns.Normal(0.0, 1.0), delay=1.0, name="to out",
                receptor=ns.ExponentialCurrent(5.0))
    run = Differentiable(net).run(rng.uniform(0.0, 10.0, (6, 2)), 30.0)
    whole, part = (run.backward(integral={"out": np.ones((6, 2))}, timing=timing) for timing in (True, False))
    assert whole.projections["w"]["weight"].all() and whole.inputs and whole.projections["w"]["delay"].all()
    for name in ("w", "to out"):
        assert np.array_equal(whole.projections[name]["weight"], part.projections[name]["weight"])
        assert "delay" not in part.projections[name]
    assert part.inputs == {}


@in_code
def test_threads_change_nothing_of_a_large_network_either():
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=400, duration=1.0)), 400, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), 260, name="cells")
    net.connect(inputs, cells, ns.AllToAll(), weight=ns.Normal(0.1, 0.1), delay=1.0, name="w",
                receptor=ns.ExponentialCurrent(5.0))
    times, found = np.random.default_rng(5).uniform(0.0, 20.0, (33, 400)), []
    for threads in (1, 2):
        run = Differentiable(net).run(times, 25.0, threads=threads)
        made = run.backward(spikes={"cells": np.ones(len(run.spikes("cells")[0]))})
        found.append(made.projections["w"]["weight"])
    assert found[0].any() and np.array_equal(*found)


def test_values_and_gradients_are_by_source_and_target_whatever_the_delays():
    rng = np.random.default_rng(2)
    weight, delay = rng.normal(3.0, 1.0, (2, 3)), rng.uniform(1.0, 9.0, (2, 3))
    net = small()
    cells = next(p for p in net.populations if p.name == "cells")
    net.connect(net["inputs"], cells, ns.AllToAll(), weight=weight, delay=delay, receptor=ns.ExponentialCurrent(5.0),
                name="own")
    model = Differentiable(net)
    assert np.array_equal(model.values("own").reshape(2, 3), weight)
    assert np.array_equal(model.values("own", "delay").reshape(2, 3), delay)
    model.set("own", delay=delay[::-1].ravel())
    assert np.array_equal(model.values("own").reshape(2, 3), weight)
    assert np.array_equal(model.values("own", "delay").reshape(2, 3), delay[::-1])
    source, target = model.synapses("own")
    assert source.tolist() == [0, 0, 0, 1, 1, 1] and target.tolist() == [0, 1, 2, 0, 1, 2]


def test_a_jump_over_the_threshold_passes_its_gradient_to_the_arrival():
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=1, duration=1.0)), 1, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0), 1, name="cells")
    net.connect(inputs, cells, ns.AllToAll(), weight=2.0, delay=1.5, name="w")
    run = Differentiable(net).run(np.array([[4.0]]), 30.0)
    assert run.first("cells").item() == 5.5 and np.isnan(run.steepness("cells")).all()
    made = run.backward(first={"cells": np.ones((1, 1))})
    assert made.inputs["inputs"].item() == made.projections["w"]["delay"].item() == 1.0
    assert made.projections["w"]["weight"].item() == 0.0


def test_a_largest_v_at_an_arrival_moves_with_it_whatever_the_rounding_of_its_time():
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=2, duration=1.0)), 2, name="inputs")
    out = net.add(ns.LeakyIntegrator(tau_mem=15.0, v_leak=0.0, r=1.0), 1, name="out")
    net.connect(inputs, out, ns.AllToAll(), weight=np.array([[5.0], [-40.0]]), delay=1.3,
                receptor=ns.ExponentialCurrent(4.0), name="w")
    times = np.random.default_rng(0).uniform([0.0, 5.0], [1.0, 6.0], (200, 2))
    run = Differentiable(net).run(times, 30.0, largest=True)
    made = run.backward(largest={"out": np.ones((200, 1))}).inputs["inputs"]
    current = 5.0 * np.exp((times[:, 0] - times[:, 1]) / 4.0)
    np.testing.assert_allclose(made[:, 1], (current - run.largest("out")[:, 0]) / 15.0, rtol=1e-12)


def test_in_the_limit_of_small_ticks_the_clocked_mode_agrees_at_first_order():
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([4.0, 9.0], [0, 1], size=2, duration=40.0)), 2, name="inputs")
    out = net.add(ns.LeakyIntegrator(tau_mem=12.0, v_leak=0.0, r=1.0), 1, name="out")
    net.connect(inputs, out, ns.AllToAll(), weight=np.array([[2.0], [3.0]]), delay=1.0,
                receptor=ns.ExponentialCurrent(5.0),
                name="w")
    exact = Differentiable(net).run(np.array([[4.0, 9.0]]), 40.0).backward(integral={"out": np.ones((1, 1))})
    errors = []
    for dt in (0.5, 0.25, 0.125):
        clocked = []
        for weight in (2.0, 3.0):
            each = net.copy()
            each.record("out", "v")
            sim = ns.Simulation(each, dt=dt, dtype="float64")
            sim.set("w", weight=np.array([weight, 3.0]))
            sim.run(40.0)
            clocked.append(sim.trace("out", "v")[1].sum() * dt)
        errors.append(abs(clocked[1] - clocked[0] - exact.projections["w"]["weight"][0]))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (orders > 0.8).all()


@pytest.mark.parametrize("call, says", [
    (lambda: Differentiable("net"), "net must be a Network"),
    (lambda: Differentiable(with_model(ns.AdaptiveLIF())), "a threshold that spikes raise"),
    (lambda: Differentiable(with_model(ns.Izhikevich(scheme="fine"))), "no closed form"),
    (lambda: Differentiable(with_poisson()), "Poisson of 'noise' has no gradient"),
    (lambda: Differentiable(small()).run(np.zeros((2, 3)), 10.0), r"shape \(samples, 2\)"),
    (lambda: Differentiable(small()).run(np.full((1, 2), 11.0), 10.0), r"must lie in 0 \.\. 10 ms"),
    (lambda: Differentiable(small()).run([([1.0], [5])], 10.0), r"ids of sample 0 .* must be in 0 \.\. 1"),
    (lambda: Differentiable(small()).run({"cells": []}, 10.0), "must name the sources inputs"),
    (lambda: Differentiable(small()).run(np.zeros((1, 2)), -1.0), "duration must be"),
    (lambda: Differentiable(small(weight=500.0)).run(np.zeros((1, 2)), 99.0, max_spikes=50), "more than 50 spikes"),
    (lambda: Differentiable(small()).run(np.zeros((1, 2)), 10.0).largest("cells"), "largest=True"),
    (lambda: Differentiable(small()).run(np.zeros((1, 2)), 10.0).integral("cells"), "known of readouts"),
    (lambda: Differentiable(small()).run(np.zeros((1, 2)), 10.0).spikes("cell"), "must be the name of a population"),
    (lambda: Differentiable(small()).run(np.zeros((1, 2)), 10.0).backward(spikes={"cells": np.zeros(99)}), "of shape"),
    (lambda: Differentiable(small(weight=0.1)).run(np.zeros((1, 2)), 10.0).backward(first={"cells": np.ones((1, 3))}),
     "must be 0 where there is no spike"),
    (lambda: Differentiable(small()).set("w", weight=[1.0, 2.0]), "all synapses share one"),
    (lambda: Differentiable(small()).set("w", delay=0.0), "delay of 'w' must be > 0 ms"),
    (lambda: Differentiable(small()).set("cells", tau_mem=-1.0), "tau_mem must be"),
    (lambda: Differentiable(small()).values("w", "tau"), "must be 'weight' or 'delay'"),
])
def test_wrong_calls_get_one_sentence(call, says):
    with pytest.raises(ns.NeurosimError, match=says):
        call()


def with_model(model):
    net = small()
    net.add(model, 2, name="others")
    return net


def with_poisson():
    net = small()
    net.add(ns.Poisson(10.0), 2, name="noise")
    return net
