"""Given spikes, currents, values that change in time, parts of populations: each against what it must do."""

import warnings

import numpy as np
import pytest

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.sources import Current

DT = 0.1
SLOW = ns.LIF(tau_mem=1e12, v_leak=0.0, v_threshold=1e6, v_reset=0.0, r=1.0)  # sums what it gets: dv/dt = I / tau_mem


def run(net, ms, threads=1, **options):
    sim = ns.Simulation(net, DT, dtype="float64", threads=threads, **options)
    sim.run(ms)
    return sim


def given(times, ids, size, duration=50.0):
    return ns.SpikeSource(ns.Spikes.from_times(times, ids, size=size, duration=duration, dt=DT))


def charge(sim, cells):
    """The current that each neuron has received, summed over the ticks, in pA."""
    return sim.get(cells, "v") * 1e12 / DT


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_parts_of_populations_are_connected_and_driven_alone(threads):
    net = ns.Network()
    source = net.add(given([1.0, 2.0, 3.0, 4.0], [0, 3, 5, 9], 10))
    cells = net.add(SLOW, 300)
    net.connect(source[3:8], cells[100:200], weight=1.0, delay=1.0)
    net.connect(source[0:5], cells[190:210], ns.AllToAll(), weight=10.0, delay=ns.Uniform(0.5, 3.0))
    net.drive(cells[250:260], ns.InjectedCurrent(np.arange(10.0)))
    sim = run(net, 20.0, threads)
    expected = np.zeros(300)
    expected[100:200] += 2.0
    expected[190:210] += 20.0
    np.testing.assert_allclose(sim.get(cells, "v")[:250], expected[:250], atol=1e-9)
    np.testing.assert_allclose(charge(sim, cells)[250:260], 200 * np.arange(10.0), atol=1e-6)


def test_a_spike_arrives_exactly_its_delay_later():
    net = ns.Network()
    source = net.add(given([1.0], [0], 1))
    cells = net.add(SLOW, 3)
    net.connect(source, cells, weight=1.0, delay=np.array([[0.1, 0.7, 2.3]]))
    net.record(cells, "v")
    times, values = run(net, 5.0).trace(cells, "v")
    np.testing.assert_allclose([times[np.argmax(values[:, k] > 0.5)] for k in range(3)], [1.1, 1.7, 3.3])


def test_several_spikes_of_one_neuron_in_one_tick_all_count():
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=np.array([5, 5, 5, 9]), ids=np.zeros(4, dtype=np.uint32), size=1,
                                              duration=2.0, dt=DT)))
    cells = net.add(SLOW, 1)
    net.connect(source, cells, weight=1.0, delay=0.5)
    assert run(net, 2.0).get(cells, "v")[0] == pytest.approx(4.0)


@pytest.mark.parametrize("after, expected", [("hold", [0, 1, 2, 2, 2, 2]), ("repeat", [0, 1, 2, 0, 1, 2]),
                                             ("zero", [0, 1, 2, 0, 0, 0])])
def test_values_that_change_in_time(after, expected):
    net = ns.Network()
    cells = net.add(SLOW, 2)
    net.drive(cells[:1], ns.InjectedCurrent(ns.TimedArray([0.0, 1.0, 2.0], every=1.0, after=after)))
    net.drive(cells[1:], ns.InjectedCurrent(ns.TimedArray([[0.0], [10.0], [20.0]], every=1.0, after=after)))
    net.record(cells, "v", every=1.0)
    values = run(net, 6.0).trace(cells, "v")[1] * 1e12 / DT / 10
    np.testing.assert_allclose(np.diff(values[:, 0]), expected, atol=1e-9)
    np.testing.assert_allclose(np.diff(values[:, 1]), 10 * np.array(expected), atol=1e-9)


@pytest.mark.parametrize("mode", ["clocked", "event"])
def test_one_value_that_ends(mode):
    """A current of 2 pA for 3 ms, then 0, for one neuron and for each."""
    net = ns.Network()
    cells = net.add(SLOW, 3)
    net.drive(cells[:1], ns.InjectedCurrent(ns.TimedArray([2.0], every=3.0, after="zero")))
    net.drive(cells[1:], ns.InjectedCurrent(ns.TimedArray([[2.0, 4.0]], every=3.0, after="zero")))
    sim = ns.Simulation(net, mode="event") if mode == "event" else ns.Simulation(net, DT, dtype="float64")
    sim.run(10.0)
    np.testing.assert_allclose(sim.get(cells, "v") * 1e12, [6.0, 6.0, 12.0], rtol=1e-6)


class Product(Current):
    """A current of two factors, each of which may change in time."""

    a = Parameter(timed=True)
    b = Parameter(timed=True)

    @staticmethod
    def current(a, b):
        """The product."""
        return a * b


def test_two_values_of_one_drive_change_each_in_its_own_time():
    net = ns.Network()
    cells = net.add(SLOW, 4)
    net.drive(cells[1:], Product(a=ns.TimedArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], every=2.0, after="repeat"),
                                 b=ns.TimedArray([10.0, 0.0, 100.0], every=1.0)))
    net.record(cells, "v", every=1.0)
    values = np.diff(run(net, 6.0).trace(cells, "v")[1], axis=0) * 1e12
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])[[0, 0, 1, 1, 0, 0]]
    b = np.array([10.0, 0.0, 100.0, 100.0, 100.0, 100.0])[:, None]
    np.testing.assert_allclose(values[:, 1:], a * b, atol=1e-6)
    assert not values[:, 0].any()


def test_a_rate_that_is_set_late_counts_from_the_present(tmp_path):
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=0.0), 2000, name="noise")
    net.record(noise)
    sim = ns.Simulation(net, DT, seed=1)
    sim.run(30.0)
    sim.set(noise, rate=ns.TimedArray([0.0, 1000.0], every=10.0, after="zero"))
    sim.run(5.0)
    sim.save(tmp_path / "state.h5")
    loaded = ns.Simulation.load(tmp_path / "state.h5", net)
    for each in (sim, loaded):
        each.run(30.0)
    times = sim.spikes(noise).times
    assert 19_000 < times.size < 21_000 and times.min() > 40.0 and times.max() <= 50.0
    assert sim.spikes(noise) == loaded.spikes(noise)
    with pytest.raises(ns.ParameterError, match="Poisson.rate must have one column per neuron, 2000, got 3"):
        sim.set(noise, rate=ns.TimedArray(np.ones((2, 3)), every=1.0))


def test_values_begin_when_they_are_told_to():
    start = ns.TimedArray([1.0, 2.0], every=1.0, after="zero", start=3.0)
    assert start == ns.TimedArray([1.0, 2.0], every=1.0, after="zero").later(3.0) != start.later(1.0)
    for mode in ("clocked", "event"):
        net = ns.Network()
        cells = net.add(SLOW, 1)
        net.drive(cells, ns.InjectedCurrent(start))
        sim = ns.Simulation(net, mode="event") if mode == "event" else ns.Simulation(net, DT, dtype="float64")
        sim.run(10.0)
        assert sim.get(cells, "v")[0] * 1e12 == pytest.approx(4.0 + 2.0, rel=1e-6)
    with pytest.raises(ns.ParameterError, match="TimedArray.start must be a finite number >= 0 ms, got -1.0"):
        ns.TimedArray([1.0], every=1.0, start=-1.0)


def test_a_value_may_hold_for_ever():
    net = ns.Network()
    cells = net.add(SLOW, 1)
    net.drive(cells, ns.InjectedCurrent(ns.TimedArray([1.0, 2.0], every=1e250)))
    assert charge(run(net, 5.0), cells)[0] == pytest.approx(50.0)


def test_step_and_sine():
    net = ns.Network()
    cells = net.add(SLOW, 2)
    net.drive(cells[:1], ns.StepCurrent(3.0, start=1.0, stop=2.5))
    net.drive(cells[1:], ns.SineCurrent(2.0, frequency=100.0, phase=0.3, offset=1.0))
    sim = run(net, 7.0)
    t = np.arange(70) * DT
    np.testing.assert_allclose(charge(sim, cells), [15 * 3.0, (1.0 + 2.0 * np.sin(2 * np.pi * 0.1 * t + 0.3)).sum()],
                               rtol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_ornstein_uhlenbeck_noise_has_its_mean_variance_and_correlation_time(threads):
    net = ns.Network()
    cells = net.add(ns.LeakyIntegrator(tau_mem=1e-3, v_leak=0.0, r=1.0), 2000)  # follows its input at once
    net.drive(cells, ns.OUCurrent(mean=5.0, std=2.0, tau=3.0))
    net.record(cells, "v", every=1.0)
    values = run(net, 40.0, threads, seed=8).trace(cells, "v")[1][1:]
    assert abs(values.mean() - 5.0) < 4 * 2.0 * np.sqrt(7 / values.size)
    assert abs(values.std() / 2.0 - 1) < 0.02
    first = values[0]
    assert abs(first.std() / 2.0 - 1) < 0.07, "it starts stationary"
    centred = values - 5.0
    for lag in (1, 3, 6):
        correlation = (centred[:-lag] * centred[lag:]).mean() / 4.0
        assert abs(correlation - np.exp(-lag / 3.0)) < 0.03


def test_a_rate_that_changes_in_time():
    net = ns.Network()
    source = net.add(ns.Poisson(rate=ns.TimedArray([0.0, 200.0, 50.0], every=100.0)), 2000)
    cells = net.add(SLOW, 500)
    net.drive(cells, ns.PoissonDrive(rate=ns.TimedArray([1000.0, 0.0], every=100.0, after="repeat"), weight=1.0))
    net.record(source)
    net.record(cells, "v", every=100.0)
    sim = run(net, 300.0)
    counts = sim.spikes(source).bin(100.0)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], [2000 * 20, 2000 * 5], rtol=0.03)
    np.testing.assert_allclose(np.diff(sim.trace(cells, "v")[1].mean(axis=1)), [100, 0, 100], atol=2.5)


def test_spikes_off_the_grid_warn_with_the_worst_error():
    net = ns.Network()
    net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 2.03], [0, 0], size=1, duration=5.0)))
    with pytest.warns(ns.NeurosimWarning, match="0.03"):
        ns.Simulation(net, DT)


def test_parameters_and_states_are_set_between_runs():
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=0.0), 200, name="noise")
    cells = net.add(ns.LIF(v_leak=0.0, v_threshold=10.0, v_reset=0.0), 300, name="cells")
    projection = net.connect(noise, cells, ns.FixedProbability(0.1), weight=1.0, delay=1.0)
    net.record(noise)
    net.record(cells)
    sim = ns.Simulation(net, DT, threads=2)
    sim.run(50.0)
    assert len(sim.spikes(noise)) == 0
    sim.set("noise", rate=500.0)
    sim.run(50.0)
    assert len(sim.spikes(noise)) > 4000
    silent = len(sim.spikes(cells))
    sim.set(cells, v_threshold=np.where(np.arange(300) < 150, 1.0, 1e3))
    sim.run(50.0)
    assert len(sim.spikes(cells)) > silent + 1000 and sim.spikes(cells).between(100.1, 150.0).ids.max() < 150
    sim.set(projection, weight=0.0)
    sim.set(cells, v=0.5)
    np.testing.assert_array_equal(sim.get(cells, "v"), np.float32(0.5))
    before = len(sim.spikes(cells))
    sim.run(50.0)
    assert len(sim.spikes(cells)) == before


REFUSED = {
    "capacity": (lambda: ns.Simulation(_with(ns.Poisson(rate=1e7)), 0.1), "Poisson.rate must be"),
    "drive": (lambda: ns.Simulation(_with(None, ns.PoissonDrive(rate=1e8, weight=1.0)), 0.1),
              "PoissonDrive.rate must be"),
    "columns": (lambda: _with(None, ns.InjectedCurrent(ns.TimedArray(np.zeros((2, 3)), every=1.0))),
                "one column per neuron"),
    "lengths": (lambda: _with(ns.Poisson(rate=[1.0, 2.0])), "one value per neuron, 10, got 2"),
    "every": (lambda: ns.Simulation(_with(None, ns.InjectedCurrent(ns.TimedArray([0.0, 1.0], every=0.25))), 0.1),
              "TimedArray.every must be a multiple of dt = 0.1 ms and >= 0.1 ms, got 0.25"),
    "negative rate": (lambda: ns.Poisson(rate=ns.TimedArray([1.0, -1.0], every=1.0)),
                      "Poisson.rate must be .* >= 0 Hz"),
    "drawn": (lambda: ns.Simulation(_with(ns.Poisson(rate=ns.Normal(0.0, 1.0))), 0.1), "its distribution gave -"),
}


def _with(source, drive=None):
    net = ns.Network()
    if source is not None:
        net.add(source, 10)
    cells = net.add(SLOW, 10)
    if drive is not None:
        net.drive(cells, drive)
    return net


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_a_sentence(name):
    act, message = REFUSED[name]
    with pytest.raises(ns.ParameterError, match=message):
        act()


def test_weights_that_were_one_number_become_one_for_each_synapse():
    net = ns.Network()
    source = net.add(given([1.0], [0], 1))
    cells = net.add(SLOW, 200, name="cells")
    projection = net.connect(source, cells, weight=1.0, delay=1.0)
    sim = ns.Simulation(net, DT, threads=2, dtype="float64")
    sim.set(projection, weight=np.arange(200.0))
    sim.run(5.0)
    np.testing.assert_allclose(sim.get("cells", "v"), np.arange(200.0))
    np.testing.assert_array_equal(sim.weights(projection), np.arange(200.0))


def test_what_is_set_is_checked_as_a_whole():
    net = ns.Network()
    cells = net.add(ns.LIF(r=0.1), 3, name="cells")
    sim = ns.Simulation(net, DT)
    with pytest.raises(ns.ParameterError, match="must be given r or c_mem, got both"):
        sim.set(cells, c_mem=100.0)
    with pytest.raises(ns.ParameterError, match="LIF.tau_mem must be a finite number > 0 ms, got -1"):
        sim.set(cells, tau_mem=-1.0)


@pytest.mark.parametrize("start, stop, ticks, said", [
    (0.31, 0.39, 0, "no tick of 0.1 ms begins"), (0.55, 0.85, 3, "up to 0.05 ms after"), (0.25, 1.0, 7, "up to 0.05"),
    (-1.0, 0.04, 1, "up to 0.06 ms"), (0.3, 0.4, 1, None), (0.5, 1e12, 15, None)])
def test_a_step_current_says_what_ticks_change(start, stop, ticks, said):
    net = ns.Network()
    cell = net.add(SLOW, 1)
    net.drive(cell, ns.StepCurrent(1.0, start=start, stop=stop), name="step")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        sim = run(net, 2.0)
    told = [str(w.message) for w in seen if "StepCurrent 'step'" in str(w.message)]
    assert len(told) == (said is not None) and all(said in text for text in told)
    np.testing.assert_allclose(charge(sim, cell), [ticks], rtol=1e-9)


def test_a_step_current_that_ends_before_it_begins_is_refused():
    with pytest.raises(ns.ParameterError, match="StepCurrent.stop must be > start = 50.0 ms, got 20.0"):
        ns.StepCurrent(1.0, start=50.0, stop=20.0)
    net = ns.Network()
    net.drive(net.add(SLOW, 9), ns.StepCurrent(1.0, start=ns.Uniform(0.0, 5.0), stop=ns.Uniform(0.0, 5.0)))
    with pytest.warns(ns.NeurosimWarning, match="injects nothing into neurons for which no tick"):
        ns.Simulation(net, dt=DT)
