"""What every engine promises, tried on each: state in and out, copies, taps, what is set, given and fed."""

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest

import neurosim as ns
from learning_rules import PairSTDP, normalise
from neurosim.contracts import Device
from neurosim.engine.protocol import Engine
from neurosim.resolving import resolve

MODES = ("clocked", "event")
NOTHING = ns.Spikes.from_times([], [], size=5, duration=1.0)


def network(weight=2.0, device=None, record=True):
    net = ns.Network()
    noise, touch = net.add(ns.Poisson(rate=200.0), 20, name="noise"), net.add(ns.SpikeSource(NOTHING), name="touch")
    cells = net.add(ns.LIF(tau_mem=10.0, t_ref=1.0, r=0.1), 30, name="cells")
    net.connect(noise, cells, ns.FixedProbability(0.5), weight=weight, delay=1.5, name="in", device=device)
    net.connect(touch, cells, weight=4.0, delay=1.0, name="touched", receptor=ns.ExponentialCurrent(5.0))
    net.connect(cells, cells, ns.FixedProbability(0.2), weight=0.5, delay=2.0, name="back", plasticity=PairSTDP())
    net.drive(cells, ns.InjectedCurrent(20.0), name="current")
    if record:
        net.record(cells)
        net.record(cells, "v", every=1.0, ids=[0, 3])
        net.record(net.projection("back"), "weight", every=10.0)
    return net


def simulation(mode, **parts):
    return ns.Simulation(network(**parts), dt=0.1 if mode == "clocked" else None, mode=mode, seed=3)


def left(sim):
    """All that a run leaves, as bytes."""
    spikes = sim.spikes("cells")
    kept = [spikes.times, spikes.ids, *sim.trace("cells"), *sim.trace("back", "weight"), sim.get("cells", "v"),
            sim.synapses("back").weight, np.array([spikes.start, spikes.duration, sim.time])]
    return [np.ascontiguousarray(each).tobytes() for each in kept]


@pytest.fixture(params=MODES)
def sim(request):
    made = simulation(request.param)
    made.run(30.0)
    return made


def test_an_engine_keeps_the_protocol(sim):
    engine = sim._run.engine
    missing = [name for name in (*vars(Engine), *Engine.__annotations__)
               if not name.startswith("_") and not hasattr(engine, name)]
    assert not missing


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda sim: sim.clone(),
                                  lambda sim: pickle.loads(pickle.dumps(sim))],
                         ids=["copy", "deepcopy", "clone", "pickle"])
def test_a_copy_goes_on_like_the_original_and_leaves_it_alone(sim, twin):
    before = left(sim)
    other = twin(sim)
    assert left(other) == before
    other.run(20.0)
    assert left(sim) == before
    sim.run(20.0)
    assert left(other) == left(sim)


def test_a_clone_with_another_seed_has_the_same_synapses_and_other_noise(sim, tmp_path):
    other = sim.clone(seed=99)
    np.testing.assert_array_equal(other.synapses("in").target, sim.synapses("in").target)
    for each in (sim, other):
        each.run(50.0)
    assert sim.spikes("cells") != other.spikes("cells")
    other.save(tmp_path / "a.h5")
    again = ns.Simulation.load(tmp_path / "a.h5", network())
    for each in (again, other):
        each.run(20.0)
    assert again.spikes("cells") == other.spikes("cells")


def test_a_state_is_all_that_changes(sim):
    state, went_on = sim.state(), sim.clone()
    went_on.run(20.0)
    sim.set("cells", i_bias=50.0)
    sim.set("in", weight=0.1)
    sim.set("current", amplitude=-5.0)
    sim.set("touched", tau_syn=50.0)
    sim.give("touch", ns.Spikes.from_times([1.0], [0], size=5, duration=2.0))
    sim.run(5.0)
    sim.restore(state)
    assert sim.synapses("in").weight[0] == 2.0
    sim.run(20.0)
    assert left(sim) == left(went_on)


def test_what_is_set_given_and_aged_goes_through_a_file(sim, tmp_path):
    sim.set("cells", i_bias=30.0)
    sim.set("in", weight=1.5)
    sim.set("current", amplitude=ns.TimedArray([5.0, 50.0], every=10.0))
    sim.set("touched", tau_syn=3.0)
    sim.give("touch", ns.Spikes.from_times([1.0, 3.0], [0, 4], size=5, duration=4.0))
    sim.run(2.0)
    sim.save(tmp_path / "a.h5")
    again = ns.Simulation.load(tmp_path / "a.h5", network())
    for each in (sim, again):
        each.run(20.0)
    assert left(again) == left(sim)


@pytest.mark.parametrize(("change", "what"), [
    ({"dt": 0.2}, "dt = 0.2, got one with dt = 0.1"), ({"seed": 4}, "seed = 4"), ({"dtype": "float64"}, "dtype"),
    ({"packed": True}, "packed"), ({"mode": "event"}, "mode")])
def test_a_state_of_other_settings_is_refused(change, what):
    state = ns.Simulation(network(), dt=0.1, seed=3, dtype="float32").state()
    settings = {"dt": 0.1, "seed": 3, "dtype": "float32"} | change
    if change == {"mode": "event"}:
        settings = {"seed": 3, "mode": "event"}
    with pytest.raises(ns.ParameterError, match=what):
        ns.Simulation(network(), **settings).restore(state)


@pytest.mark.parametrize("mode", MODES)
def test_a_state_of_another_network_of_equal_shapes_is_refused(mode):
    with pytest.raises(ns.ParameterError, match="of an equal network"):
        simulation(mode, weight=30.0).restore(simulation(mode).state())


def test_what_is_kept_stays(sim):
    state = sim.state()
    sim.run(20.0)
    sim.set("in", weight=0.3)
    sim.set("cells", i_bias=7.0)
    learned = sim.synapses("back").weight
    sim.restore(state, keep=["back", "in", "cells"])
    np.testing.assert_array_equal(sim.synapses("back").weight, learned)
    assert sim.synapses("in").weight[0] == pytest.approx(0.3)
    assert sim._run.engine.plan.populations[sim.net.population("cells")].parameters.i_bias == 7.0
    sim.restore(state)
    assert sim._run.engine.plan.populations[sim.net.population("cells")].parameters.i_bias == 0.0


@pytest.mark.parametrize("mode", MODES)
def test_what_was_put_off_is_learned_before_going_back(mode):
    rest, looked, kept = simulation(mode).state(), simulation(mode), simulation(mode)
    for each in (looked, kept):
        each.run(30.0)
    kept.restore(rest, keep=["back"])
    learned = looked.synapses("back").weight
    np.testing.assert_array_equal(kept.synapses("back").weight, learned)
    assert (learned != 0.5).any()


@pytest.mark.parametrize("mode", MODES)
def test_parts_are_set_like_wholes(mode):
    whole, parts = simulation(mode), simulation(mode)
    v, bias = np.linspace(-70.0, -60.0, 30), np.r_[np.zeros(10), np.full(20, 9.0)]
    whole.set("cells", v=v, i_bias=bias)
    cells = parts.net.population("cells")
    parts.set(cells[0:12], v=v[:12])
    parts.set(cells[12:30], v=v[12:])
    parts.set(cells[10:30], i_bias=9.0)
    for each in (whole, parts):
        each.run(20.0)
    assert left(whole) == left(parts)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_set_of_a_receptor_or_drive_is_as_if_it_had_been_described(mode):
    def described(tau, amplitude):
        net = ns.Network()
        touch = net.add(ns.SpikeSource(ns.Spikes.from_times([2.0], [0], size=5, duration=3.0)))
        cells = net.add(ns.LIF(tau_mem=10.0), 3, name="cells")
        net.connect(touch, cells, weight=40.0, delay=1.0, name="p", receptor=ns.ExponentialCurrent(tau))
        net.drive(cells, ns.InjectedCurrent(amplitude), name="current")
        return ns.Simulation(net, mode=mode, dtype="float64")

    right, set_later = described(8.0, 25.0), described(2.0, 0.0)
    set_later.set("p", tau_syn=8.0)
    set_later.set("current", amplitude=25.0)
    by_population = described(2.0, 25.0)
    by_population.set("cells", tau_syn=8.0)
    for each in (right, set_later, by_population):
        each.run(10.0)
    np.testing.assert_allclose(set_later.get("cells", "v"), right.get("cells", "v"), rtol=1e-12)
    np.testing.assert_allclose(by_population.get("cells", "v"), right.get("cells", "v"), rtol=1e-12)


REFUSED = {
    "a name": (lambda sim: sim.set("cells", tau=1.0), "must be one of v, .*tau_mem"),
    "a drive's name": (lambda sim: sim.set("current", amp=1.0), "must be one of amplitude, got 'amp'"),
    "a bound": (lambda sim: sim.set("cells", tau_mem=-1.0), "LIF.tau_mem must be"),
    "a rule's bound": (lambda sim: sim.set("back", tau_plus=0.0), "PairSTDP.tau_plus must be"),
    "bounds that cross": (lambda sim: sim.set("back", w_min=2.0), "w_m|bounds"),
    "a bound below a weight": (lambda sim: sim.set("back", w_max=0.2), "must be within"),
    "a delay": (lambda sim: sim.set("in", delay=3.0), r"sim\.rewire"),
    "a distribution": (lambda sim: sim.set("cells", i_bias=ns.Normal(1.0, 1.0)), "a number or an array"),
    "a length": (lambda sim: sim.set("cells", i_bias=[1.0, 2.0]), "one value per neuron, 30, got 2"),
    "an age": (lambda sim: sim.age("in", -1.0), "elapsed|must have a device"),
    "keep": (lambda sim: sim.restore(sim.state(), keep="back"), "must be a list"),
    "a feed": (lambda sim: sim.feed("noise"), "must be an InjectedCurrent"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_changes_nothing(sim, name):
    act, message = REFUSED[name]
    state, twin = sim.state(), sim.clone()
    with pytest.raises(ns.NeurosimError, match=message):
        act(sim)
    sim.restore(state)
    for each in (sim, twin):
        each.run(10.0)
    assert left(sim) == left(twin)


@pytest.mark.parametrize("mode", MODES)
def test_setting_a_projection_without_synapses_does_nothing(mode):
    net = ns.Network()
    net.connect(net.add(ns.Poisson(5.0), 4), net.add(ns.LIF(), 3), ns.FixedProbability(0.0), weight=0.5, name="none")
    sim = ns.Simulation(net, mode=mode)
    sim.set("none", weight=1.5)
    sim.run(1.0)


def test_forgetting_lets_recordings_go_on_from_now(sim):
    sim.forget()
    assert len(sim.spikes("cells")) == 0 and sim.trace("cells")[0].size == 0
    sim.run(10.0)
    spikes = sim.spikes("cells")
    assert (spikes.start, spikes.duration) == (30.0, 10.0) and len(spikes) > 0
    assert sim.trace("cells")[0].tolist() == pytest.approx(np.arange(31.0, 41.0).tolist())


def test_a_part_of_what_is_recorded_is_served(sim):
    cells = sim.net.population("cells")
    whole, part = sim.spikes(cells), sim.spikes(cells[10:20])
    inside = (whole.ids >= 10) & (whole.ids < 20)
    np.testing.assert_array_equal(part.times, whole.times[inside])
    np.testing.assert_array_equal(part.ids, whole.ids[inside] - 10)
    assert part.size == 10 and part.mean_rate() == pytest.approx(inside.sum() / 10 / 0.03)
    np.testing.assert_array_equal(sim.trace(cells[3:4])[1][:, 0], sim.trace(cells)[1][:, 1])
    with pytest.raises(ns.NetworkError, match="must be recorded"):
        sim.trace(cells[0:2])


@pytest.mark.parametrize("mode", MODES)
def test_resolve_returns_what_the_simulation_is_made_of(mode):
    net = network()
    found = resolve(net, dt=0.1 if mode == "clocked" else None, seed=3)
    sim = ns.Simulation(net, mode=mode, seed=3, dtype="float64")
    for name in ("in", "touched", "back"):
        synapses, here = sim.synapses(name), found.projections[name]
        for each in ("source", "target", "delay"):
            np.testing.assert_array_equal(getattr(here, each), getattr(synapses, each))
        np.testing.assert_array_equal(np.broadcast_to(here.values["weight"], here.source.size), synapses.weight)
    assert found.populations["cells"].parameters["tau_mem"] == 10.0 and found.populations["touch"].spikes[0].size == 0
    assert found.drives["current"].parameters["amplitude"] == 20.0


# ---- in ticks alone ---------------------------------------------------------------------------------------------


def test_a_fed_current_acts_like_one_that_is_set():
    by_hand, by_set = simulation("clocked"), simulation("clocked")
    current = by_hand.feed("current")
    assert current.tolist() == [20.0] * 30
    for k in range(20):
        value = 10.0 * np.sin(np.arange(30) + k)
        current[:] = value
        by_set.set("current", amplitude=value)
        for each in (by_hand, by_set):
            each.run(0.5)
    assert left(by_hand) == left(by_set)
    state = by_hand.state()
    current[:] = 0.0
    by_hand.restore(state)
    np.testing.assert_array_equal(current, value)
    with pytest.raises(ns.UnsupportedError, match="mode='clocked'"):
        simulation("event").feed("current")


def test_the_sample_of_a_state_goes_with_it(tmp_path):
    sim = simulation("clocked")
    rest = sim.state()
    sim.restore(rest, sample=5)
    sim.run(20.0)
    middle = sim.state()
    sim.save(tmp_path / "a.h5")
    others = [ns.Simulation.load(tmp_path / "a.h5", network()), simulation("clocked"), sim.clone(),
              sim.rewire("in", *pairs(sim, "in"), weight=sim.weights("in"), delay=1.5,
                         continues=np.arange(sim.weights("in").size))]
    others[1].restore(middle)
    for each in (sim, *others):
        each.run(20.0)
    for each in others:
        assert each.spikes("cells").between(20.0, 40.0) == sim.spikes("cells").between(20.0, 40.0)


def pairs(sim, name):
    synapses = sim.synapses(name)
    return synapses.source, synapses.target


class Fading(Device):
    """Weights halve in a second of age, counted from programming."""

    def age(self, weights, elapsed, since=0.0):
        return weights * 2.0 ** (-elapsed / (1000.0 + since))


def test_the_clock_of_devices_is_part_of_the_state(tmp_path):
    sim = simulation("clocked", device=Fading())
    fresh = sim.state()
    sim.age("in", 1000.0)
    aged, weight = sim.state(), sim.weights("in")[0]
    assert weight == np.float32(1.0)
    sim.age("in", 2000.0)
    twice = sim.weights("in")[0]
    assert twice == np.float32(0.5)
    sim.restore(aged)
    sim.age("in", 2000.0)
    assert sim.weights("in")[0] == twice
    sim.restore(fresh)
    sim.age("in", 1000.0)
    assert sim.weights("in")[0] == weight
    sim.save(tmp_path / "a.h5")
    later = ns.Simulation.load(tmp_path / "a.h5", network(device=Fading()))
    clone = sim.clone()
    for each in (later, clone):
        each.age("in", 2000.0)
        assert each.weights("in")[0] == twice


def test_rewiring_keeps_what_was_given_and_set_packing_and_ages():
    net = network(weight=ns.Normal(2.0, 0.1))
    sim = ns.Simulation(net, dt=0.1, seed=3, packed=True)
    sim.give("touch", ns.Spikes.from_times([5.0, 8.0], [0, 1], size=5, duration=9.0))
    sim.set("cells", i_bias=12.0)
    sim.run(3.0)
    same = sim.rewire("back", *pairs(sim, "back"), weight=sim.weights("back"), delay=2.0,
                      continues=np.arange(sim.weights("back").size))
    for each in (sim, same):
        each.run(20.0)
    assert same.packed and same.spikes("cells") == sim.spikes("cells").between(3.0, 23.0)


def test_normalising_stays_within_the_bounds_of_the_rule():
    net = ns.Network()
    a, b = net.add(ns.Poisson(10.0), 4), net.add(ns.LIF(), 2)
    p = net.connect(a, b, weight=ns.Uniform(0.1, 0.5), plasticity=PairSTDP(w_max=1.0), name="p")
    sim = ns.Simulation(net)
    normalise(sim, p, 2.0)
    np.testing.assert_allclose(sim.sums("p"), 2.0, rtol=1e-6)
    normalise(sim, p, 100.0)
    assert sim.weights(p).max() == 1.0
    sim.set(p, weight=sim.weights(p))


def test_a_batch_leaves_the_samples_of_a_clone():
    net = network(record=False)
    net.record(net.population("cells"))
    sim = ns.Simulation(net, dt=0.1, seed=3)
    sim.run(5.0)
    touches = [ns.Spikes.from_times([1.0 + k], [k], size=5, duration=10.0) for k in range(3)]
    results = sim.run_batch(touches, 10.0)
    for key, (touch, result) in enumerate(zip(touches, results, strict=True)):
        alone = sim.clone(record=True)
        alone.restore(sim.state(), sample=key)
        alone.give("touch", touch)
        alone.run(10.0)
        found = alone.spikes("cells").between(5.0, 15.0)
        np.testing.assert_allclose(result.spikes("cells").times, found.times - 5.0, atol=1e-9)
        np.testing.assert_array_equal(result.spikes("cells").ids, found.ids)


# ---- without ticks ----------------------------------------------------------------------------------------------


def test_times_are_exact_however_a_run_is_cut():
    whole, cut = simulation("event"), simulation("event")
    whole.run(10.0)
    for part in (0.1, 0.2, 0.3, 9.4):
        cut.run(part)
    assert cut._run.engine.now == sum(map(Fraction, (0.1, 0.2, 0.3, 9.4)))
    assert whole.spikes("cells").times.tolist() == cut.spikes("cells").times.tolist()


def test_setting_again_and_again_takes_no_memory():
    sim = simulation("event")
    sizes = []
    for k in range(50):
        sim.set("cells", i_bias=np.linspace(0.0, k, 30))
        sizes.append(sim._run.engine.c.size)
    assert sizes[-1] == sizes[0]
