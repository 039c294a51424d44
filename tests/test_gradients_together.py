"""Exact gradients where several arrivals come at one time, and while neurons are held: held against the event mode."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.gradients import Differentiable

DURATION = 40.0
pytestmark = pytest.mark.usefixtures("gradient_loops")


def network(rng, *, t_ref, reset, jumps):
    """Return 12 inputs to 20 cells that excite and inhibit each other, some by jumps too."""
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=12, duration=1.0)), 12, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0, t_ref=t_ref, reset=reset), 20,
                    name="cells")
    if jumps:
        net.connect(inputs, cells, ns.AllToAll(), weight=rng.normal(0.2, 0.8, (12, 20)), delay=1.0, name="jump")
    net.connect(inputs, cells, ns.AllToAll(), weight=rng.normal(2.0, 4.0, (12, 20)), delay=1.0, name="in",
                receptor=ns.ExponentialCurrent(5.0))
    net.connect(cells, cells[3:9], ns.AllToAll(), weight=rng.normal(0.0, 2.0, (20, 6)), delay=2.0, name="back",
                receptor=ns.ExponentialCurrent(5.0))
    return net


@pytest.mark.parametrize("t_ref", [0.0, 3.0, 1000.0])
@pytest.mark.parametrize("reset", ["to_value", "subtract"])
@pytest.mark.parametrize("jumps", [False, True])
def test_arrivals_of_one_time_make_the_spikes_of_the_event_mode(t_ref, reset, jumps):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        net = network(rng, t_ref=t_ref, reset=reset, jumps=jumps)
        times = 1.0 + rng.integers(0, 8, (1, 12)) * 2.5  # many at once
        check_spikes(net, times)


def check_spikes(net, times):
    """Hold the spikes of one sample against those of the event mode."""
    _, found, ids = Differentiable(net).run(times, DURATION).spikes("cells")
    net.record("cells")
    sim = ns.Simulation(net, mode="event")
    sim.give("inputs", ns.Spikes.from_times(times[0], np.arange(12), size=12, duration=DURATION))
    sim.run(DURATION)
    seen = sim.spikes("cells")
    mine, theirs = np.lexsort((ids, found)), np.lexsort((seen.ids, seen.times))
    assert found.size > 5 and np.array_equal(ids[mine], seen.ids[theirs])
    np.testing.assert_allclose(found[mine], seen.times[theirs], rtol=0.0, atol=1e-9)


def sparse(rng, *, t_ref, own_delays):
    """Return 12 inputs to 60 cells of which each spike reaches five, so that nobody else's clock moves."""
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=12, duration=1.0)), 12, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0, t_ref=t_ref), 60,
                    name="cells")
    for name, source, mean, width in (("in", inputs, 5.0, 4.0), ("back", cells, 0.0, 4.0)):
        targets = np.concatenate([rng.permutation(60)[:5] for _ in range(source.size)])
        net.connect(source, cells, ns.Explicit(np.repeat(np.arange(source.size), 5), targets), name=name,
                    weight=rng.normal(mean, width, targets.size), receptor=ns.ExponentialCurrent(5.0),
                    delay=rng.choice([1.0, 1.7, 2.5], targets.size) if own_delays else 1.0)
    return net


@pytest.mark.parametrize("t_ref", [0.0, 3.0])
@pytest.mark.parametrize("own_delays", [False, True])
def test_arrivals_at_few_neurons_make_the_spikes_of_the_event_mode(t_ref, own_delays):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        net = sparse(rng, t_ref=t_ref, own_delays=own_delays)
        check_spikes(net, 1.0 + rng.integers(0, 8, (1, 12)) * 2.5 if seed % 2 else rng.uniform(0.0, 20.0, (1, 12)))


def test_a_jump_beside_a_current_of_the_same_time_spikes_then_and_moves_with_its_arrival():
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=1, duration=1.0)), 1, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), 3, name="cells")
    net.connect(inputs, cells, ns.AllToAll(), weight=np.array([[4.0, 1.2, 0.2]]), delay=1.0, name="jump")
    net.connect(inputs, cells, ns.AllToAll(), weight=np.array([[0.5, 2.0, 1.0]]), delay=1.0, name="current",
                receptor=ns.ExponentialCurrent(5.0))
    run = Differentiable(net).run(np.array([[5.0]]), 30.0)
    assert run.first("cells").tolist() == [[6.0, 6.0, np.inf]] and np.isnan(run.steepness("cells")).all()
    made = run.backward(spikes={"cells": np.ones(2)})
    assert made.inputs["inputs"].item() == made.projections["jump"]["delay"].item() == 2.0
    assert not made.projections["jump"]["weight"].any() and not made.projections["current"]["weight"].any()


def test_gradients_while_neurons_are_held_are_differences():
    rng = np.random.default_rng(3)
    check_differences(network(rng, t_ref=1000.0, reset="to_value", jumps=False), rng)


@pytest.mark.parametrize("own_delays", [False, True])
def test_gradients_of_arrivals_at_few_neurons_are_differences(own_delays):
    rng = np.random.default_rng(8)
    check_differences(sparse(rng, t_ref=2.0, own_delays=own_delays), rng, *["delay"] * own_delays)


def check_differences(net, rng, *others):
    """Hold gradients by some of the weights, and by others, of two samples against differences of fourth order."""
    model, times = Differentiable(net), rng.uniform(0.0, 20.0, (2, 12))
    run = model.run(times, DURATION)
    sample, _, ids = run.spikes("cells")
    loss = rng.normal(size=ids.size)
    made = run.backward(spikes={"cells": loss}).projections["in"]
    for name in ("weight", *others):
        exact, begin = made[name], model.values("in", name)

        def at(k, step, name=name, begin=begin):
            moved = begin.copy()
            moved[k] += step
            model.set("in", **{name: moved})
            now = model.run(times, DURATION).spikes("cells")
            same = [np.lexsort((t, i, s)) for s, t, i in (run.spikes("cells"), now)]
            assert np.array_equal(sample[same[0]], now[0][same[1]]) and np.array_equal(ids[same[0]], now[2][same[1]])
            return loss[same[0]] @ now[1][same[1]]

        for k in np.argsort(-abs(exact))[::max(1, exact.size // 20)][:12]:
            h = 1e-4
            difference = (8.0 * (at(k, h) - at(k, -h)) - (at(k, 2 * h) - at(k, -2 * h))) / (12.0 * h)
            assert exact[k] == pytest.approx(difference, rel=1e-6, abs=1e-7)
        model.set("in", **{name: begin})
