"""Delays that learn, and the new layouts that they need: planted delays are found, arrivals become coincident."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from learning_rules.delays import CoincidenceDelays, DelayLearning, kernel
from neurosim.errors import NetworkError, ParameterError, SimulationError, UnsupportedError

DT = 0.1


# ---- another layout for a running simulation -----------------------------------------------------------


def chain(delay=2.0, release=None, quiet=False):
    """Return a network of noise, two layers, and a recurrent projection."""
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=0.0 if quiet else 100.0), 20, name="noise")
    cells = net.add(ns.LIF(tau_mem=20.0), 15, name="cells")
    net.connect(noise, cells, ns.FixedProbability(0.3), weight=ns.Uniform(2.0, 5.0), delay=delay, name="in",
                release=release)
    net.connect(cells, cells, ns.FixedProbability(0.2), weight=0.5, delay=ns.Uniform(1.0, 3.0), name="back")
    net.drive(cells, ns.OUCurrent(mean=100.0, std=20.0, tau=5.0))
    net.record(cells)
    net.record(noise)
    return net


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_synapses_laid_out_anew_change_no_bit(threads):
    sim = ns.Simulation(chain(ns.Uniform(1.0, 4.0)), dt=DT, seed=4, threads=threads)
    sim.run(37.3)
    state, before = sim.state(), sim.synapses("in")
    shuffled = np.random.default_rng(1).permutation(before.source.size)
    later = sim.rewire("in", before.source[shuffled], before.target[shuffled], weight=before.weight[shuffled],
                          delay=before.delay[shuffled], continues=shuffled)
    assert later.time == sim.time
    sim.run(50.0)
    later.run(50.0)
    assert len(later.spikes("cells")) > 20
    assert later.spikes("cells") == sim.spikes("cells").between(37.3, None) or (
        later.spikes("cells").ticks.tolist() == [t for t in sim.spikes("cells").ticks if t > state.tick])
    for name, array in sim.state().arrays.items():
        np.testing.assert_array_equal(later.state().arrays[name], array)


def test_parameters_that_were_set_stay():
    sim = ns.Simulation(chain(), dt=DT)
    sim.set("cells", v_threshold=-60.0)
    sim.set("back", weight=0.25)
    before = sim.synapses("in")
    later = sim.rewire("in", before.source, before.target, weight=before.weight, delay=2.0)
    for each in (sim, later):
        each.run(60.0)
    assert later.spikes("cells") == sim.spikes("cells") and (later.weights("back") == 0.25).all()


def test_synapse_variables_follow_their_synapse():
    release = ns.TsodyksMarkram(u_0=0.5, tau_rec=800.0, tau_facil=1e-3)
    sim = ns.Simulation(chain(release=release), dt=DT)
    sim.run(100.0)
    before = sim.synapses("in")
    chosen = np.arange(0, before.source.size, 2)[::-1]
    taken = set(zip(before.source, before.target, strict=True))
    absent = next(pair for pair in np.ndindex(20, 15) if pair not in taken)
    source, target = np.append(before.source[chosen], absent[0]), np.append(before.target[chosen], absent[1])
    later = sim.rewire("in", source, target, weight=1.0, delay=2.0, continues=np.append(chosen, -1))
    after = later.synapses("in")
    place = {(s, t): k for k, (s, t) in enumerate(zip(before.source, before.target, strict=True))}
    was = [place.get(pair, -1) for pair in zip(after.source, after.target, strict=True)]
    names = [name for name in vars(before) if name not in ("source", "target", "delay", "weight")
             and np.ptp(getattr(before, name)) > 0]
    assert names
    for name in names:
        new, old = getattr(after, name), getattr(before, name)
        same = np.array([k >= 0 and k % 2 == 0 for k in was])
        np.testing.assert_array_equal(new[same], old[np.array(was)[same]])
    for delays in ([1.0, 3.0], [3.0, 3.0]):
        with pytest.raises(UnsupportedError, match="the delays that occur must stay the same"):
            sim.rewire("in", [0, 1], [0, 1], weight=1.0, delay=delays)


def test_an_arrival_that_would_come_twice_or_never_is_refused():
    changes = (5.0, 8.0, False), (5.0, 2.0, True), (3.1, 5.2, False), (2.0, 3.0, False), (2.0, 3.1, True)
    for old, new, wrong in changes:
        net = ns.Network()
        spikes = ns.Spikes.from_times([10.0], [1], size=3, duration=20.0)
        source, cells = net.add(ns.SpikeSource(spikes)), net.add(ns.LIF(), 2, name="cells")
        net.connect(source, cells, weight=5.0, delay=old, name="in")
        net.connect(cells, cells, weight=0.0, delay=9.0)
        sim = ns.Simulation(net, dt=DT)
        sim.run(13.0)  # the spike is 3 ms old
        before = sim.synapses("in")
        arguments = ("in", before.source, before.target)
        rest = {"weight": 5.0, "delay": new, "continues": np.arange(6)}
        if wrong:
            with pytest.raises(SimulationError, match="one would come twice or never"):
                sim.rewire(*arguments, **rest)
            sim.rewire(*arguments, **rest, under_way="accept")
        else:
            sim.rewire(*arguments, **rest).run(1.0)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"projection": "none"}, NetworkError, "projection must be one of 'in', 'back', got 'none'"),
    ({"under_way": "drop"}, ParameterError, "under_way must be 'refuse' or 'accept', got 'drop'"),
    ({"continues": [0, 1, 2]}, ParameterError, "continues must be one whole number per synapse"),
    ({"continues": [0, 9999]}, ParameterError, "continues must be one whole number per synapse"),
    ({"source": [0, 20]}, ParameterError, "Explicit.sources must be < 20"),
])
def test_bad_layouts(change, error, message):
    sim = ns.Simulation(chain(), dt=DT)
    given_ = {"projection": "in", "source": [0, 1], "target": [0, 1], "weight": 1.0, "delay": 2.0} | change
    with pytest.raises(error, match=message):
        sim.rewire(**given_)


@pytest.mark.slow  # the event mode compiles a loop for each network
def test_the_event_mode_is_refused():
    net = ns.Network()
    source, cells = net.add(ns.Poisson(rate=10.0), 3), net.add(ns.LIF(), 2)
    net.connect(source, cells, weight=1.0, delay=1.0, name="in")
    with pytest.raises(UnsupportedError, match="mode='clocked'"):
        ns.Simulation(net, mode="event").rewire("in", [0], [0], weight=1.0, delay=1.0)


# ---- the rule ---------------------------------------------------------------------------------------------


def test_the_kernel_is_odd_with_its_extrema_at_one():
    x = np.linspace(-8.0, 8.0, 20_001)
    np.testing.assert_allclose(kernel(-x), -kernel(x), atol=1e-15)
    assert kernel(1.0) == 1.0 == kernel(x).max() and abs(x[kernel(x).argmax()] - 1.0) < 1e-3
    assert kernel(6.0) < 1e-6


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from(["nearest", "all"]))
def test_changes_are_those_of_the_equation(seed, pairs):
    rng = np.random.default_rng(seed)
    rule = CoincidenceDelays(rate=0.3, lead=1.5, width=1.2, pairs=pairs)
    source, target = rng.integers(0, 4, 9), rng.integers(0, 3, 9)
    delay = rng.uniform(1.0, 10.0, 9)
    sent = rng.uniform(0.0, 60.0, 25), rng.integers(0, 4, 25)
    seen = rng.uniform(0.0, 60.0, 12), rng.integers(0, 3, 12)
    expected = np.zeros(9)
    for s in range(9):
        arrivals = sent[0][sent[1] == source[s]] + delay[s]
        for post in seen[0][seen[1] == target[s]]:
            gaps = post - 1.5 - arrivals
            gaps = gaps[abs(gaps) <= 6 * 1.2]
            if gaps.size:
                each = gaps if pairs == "all" else gaps[[abs(gaps).argmin()]]
                expected[s] += (each / 1.2 * np.exp((1 - (each / 1.2) ** 2) / 2)).sum()
    np.testing.assert_allclose(rule.change(source, target, delay, sent, seen), 0.3 * expected, atol=1e-12)


def taught(presentations, delay, planted, jitter, seed=0):
    """Return a network whose inputs come `planted` + 1 ms before the moments when a teacher makes the target spike."""
    rng = np.random.default_rng(seed)
    n = planted.size
    moments = 60.0 * np.arange(presentations) + 30.0
    times = moments[:, None] - 1.0 - planted + rng.normal(0.0, jitter, (presentations, n))
    inputs = ns.Spikes.from_times(times.round(1).ravel(), np.tile(np.arange(n), presentations), size=n,
                                  duration=moments[-1] + 30.0)
    teacher = ns.Spikes.from_times(moments, np.zeros(presentations, int), size=1, duration=inputs.duration)
    net = ns.Network()
    source = net.add(ns.SpikeSource(inputs), name="inputs")
    cell = net.add(ns.LIF(tau_mem=10.0, t_ref=5.0), 1, name="cell")
    net.connect(source, cell, weight=0.01, delay=delay, name="in")
    net.connect(net.add(ns.SpikeSource(teacher)), cell, weight=100.0, delay=DT)
    net.record(source)
    net.record(cell)
    return net


def test_planted_delays_are_found():
    rng = np.random.default_rng(2)
    planted, begin = rng.uniform(3.0, 17.0, 30).round(1), rng.uniform(1.0, 20.0, (30, 1)).round(1)
    rule = CoincidenceDelays(rate=0.8, lead=1.0, width=6.0)
    learning = DelayLearning(ns.Simulation(taught(60, begin, planted, jitter=0.5), dt=DT), "in", rule)
    before = np.abs(learning.delay - planted)
    for _ in range(61):
        learning.run(60.0)
    error = np.abs(learning.delay - planted - DT)  # the teacher's spike takes one tick
    assert before.mean() > 3.0 and error.mean() < 0.25 and error.max() < 0.8, (error.mean(), error.max())
    after = learning.sim.synapses("in")
    np.testing.assert_allclose(np.sort(after.delay), np.sort(learning.delay.round(1)), atol=1e-9)


def test_chunks_cut_anywhere_learn_the_same_while_no_delay_moves():
    """With changes too small to move a delay by a tick, the sum over chunks is that of the whole."""
    rule = CoincidenceDelays(rate=1e-4, lead=1.0, width=3.0)
    planted = np.linspace(4.0, 9.0, 6).round(1)
    net = taught(6, 5.0, planted, jitter=0.0)
    whole, cut = (DelayLearning(ns.Simulation(net, dt=DT), "in", rule) for _ in range(2))
    whole.run(420.0)
    for chunk in (59.0, 2.0, 61.0, 118.0, 121.0, 59.0):
        cut.run(chunk)
    assert np.abs(whole.delay - 5.0).min() > 1e-6
    np.testing.assert_allclose(cut.delay, whole.delay, rtol=1e-12)


def test_arrivals_become_coincident_without_a_teacher():
    rng = np.random.default_rng(5)
    n, presentations = 40, 80
    onset = rng.uniform(0.0, 10.0, n).round(1)
    moments = 60.0 * np.arange(presentations) + 10.0
    spikes = ns.Spikes.from_times((moments[:, None] + onset).ravel(), np.tile(np.arange(n), presentations), size=n,
                                  duration=60.0 * presentations)
    net = ns.Network()
    source, cell = net.add(ns.SpikeSource(spikes)), net.add(ns.LIF(tau_mem=15.0, t_ref=20.0), 1)
    net.connect(source, cell, weight=0.8, delay=ns.Uniform(1.0, 15.0), name="in")
    net.record(source)
    net.record(cell)
    learning = DelayLearning(ns.Simulation(net, dt=DT, seed=1), "in",
                             CoincidenceDelays(rate=0.3, width=5.0, d_max=25.0))
    before = np.std(onset[learning.source] + learning.delay)
    for _ in range(presentations):
        learning.run(60.0)
    assert before > 3.0 and np.std(onset[learning.source] + learning.delay) < 0.3


def test_delays_stay_within_their_bounds():
    rule = CoincidenceDelays(rate=5.0, lead=1.0, width=6.0, d_min=4.0, d_max=9.0)
    learning = DelayLearning(ns.Simulation(taught(20, 6.0, np.array([1.0, 3.0, 15.0]), 0.0), dt=DT), "in", rule)
    for _ in range(20):
        learning.run(60.0)
    assert learning.delay.tolist() == [4.0, 4.0, 9.0]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda sim: CoincidenceDelays(d_min=5.0, d_max=4.0), ParameterError, "d_min must be < d_max = 4 ms, got 5"),
    (lambda sim: CoincidenceDelays(width=0.0), ParameterError, "CoincidenceDelays.width must be a finite"),
    (lambda sim: DelayLearning(sim, "in", "rule"), ParameterError, "rule must be a CoincidenceDelays, got 'rule'"),
    (lambda sim: DelayLearning(sim, "in", CoincidenceDelays(d_min=3.0)), ParameterError,
     "its delays must be within 3 .. 20 ms, the bounds of the rule, got 2 .. 2"),
])
def test_bad_rules(make, error, message):
    with pytest.raises(error, match=message):
        make(ns.Simulation(chain(), dt=DT))


def test_spikes_must_be_recorded():
    net = chain()
    net.recorders = net.recorders[:1]
    with pytest.raises(NetworkError, match="spikes of 'noise' must be recorded"):
        DelayLearning(ns.Simulation(net, dt=DT), "in", CoincidenceDelays())
