"""The event-driven mode: against analytic solutions, the clocked mode, NEST's precise neurons, and its own promises."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns

pytestmark = pytest.mark.filterwarnings("ignore:population .* has never spiked")


def train(times, ids=None, size=1, duration=1000.0):
    ids = np.zeros(len(times), dtype=int) if ids is None else ids
    return ns.SpikeSource(ns.Spikes.from_times(times, ids, size=size, duration=duration))


def event_times(net, population, duration, **options):
    sim = ns.Simulation(net, mode="event", **options)
    sim.run(duration)
    return sim.spikes(population).times


# -- analytic ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t_ref", [0.0, 1.7])
@pytest.mark.parametrize("bias", [150.0000001, 151.0, 200.0, 5000.0])
def test_intervals_of_a_constant_current(bias, t_ref):
    net = ns.Network()
    cell = net.add(ns.LIF(tau_mem=10.0, r=0.1, i_bias=bias, t_ref=t_ref), 1)
    net.record(cell)
    interval = 10.0 * math.log1p(15.0 / (0.1 * bias - 15.0)) + t_ref
    times = event_times(net, cell, 20.5 * interval - t_ref)
    assert times.size == 20
    assert np.abs(times + t_ref - interval * np.arange(1, 21)).max() < 1e-9


def test_a_current_that_only_reaches_the_threshold_fires_never():
    net = ns.Network()
    cell = net.add(ns.LIF(tau_mem=10.0, r=0.1, i_bias=150.0), 1)
    net.record(cell)
    assert event_times(net, cell, 1e6).size == 0


def test_intervals_without_leak_and_with_subtraction():
    net = ns.Network()
    cell = net.add(ns.IntegrateAndFire(c_mem=100.0, v_reset=0.0, v_threshold=1.0, i_bias=30.0, reset="subtract"), 1)
    net.record(cell)
    assert np.abs(event_times(net, cell, 99.0) - np.arange(1, 30) / 0.3).max() < 1e-9


def test_the_threshold_of_an_adaptive_neuron():
    """Each crossing solves v(t) = v_threshold + theta(t), here by bisection of the closed form."""
    net = ns.Network()
    cell = net.add(ns.AdaptiveLIF(tau_mem=10.0, r=0.1, i_bias=300.0, tau_theta=50.0, delta_theta=4.0), 1)
    net.record(cell)
    times = event_times(net, cell, 200.0)
    theta, last = 0.0, 0.0
    for time in times:
        low, high = 0.0, 200.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            above = -40.0 - 30.0 * math.exp(-middle / 10.0) > -55.0 + theta * math.exp(-middle / 50.0)
            low, high = (low, middle) if above else (middle, high)
        assert abs(time - last - low) < 1e-9
        theta, last = theta * math.exp(-low / 50.0) + 4.0, time
    assert times.size > 8


def test_delays_on_no_grid_and_jumps_over_the_threshold():
    net = ns.Network()
    source = net.add(train([1.0, 3.25]))
    cells = net.add(ns.LIF(), 4)
    net.connect(source, cells, weight=20.0, delay=np.array([[math.pi, 0.001, 17.3, 1e-7]]))
    net.record(cells)
    sim = ns.Simulation(net, mode="event")
    sim.run(30.0)
    spikes = sim.spikes(cells)
    expected = sorted((t + d, k) for t in (1.0, 3.25) for k, d in enumerate([math.pi, 0.001, 17.3, 1e-7]))
    assert spikes.times.tolist() == [t for t, _ in expected]
    assert spikes.ids.tolist() == [k for _, k in expected]


def test_what_arrives_at_one_time_is_added_before_the_comparison():
    net = ns.Network()
    first, second = net.add(train([5.0])), net.add(train([4.0]))
    cells = net.add(ns.LIF(), 2)
    net.connect(first, cells, weight=16.0, delay=1.0)
    net.connect(second, cells[1:], weight=-2.0, delay=2.0)
    net.record(cells)
    sim = ns.Simulation(net, mode="event")
    sim.run(20.0)
    assert sim.spikes(cells).times.tolist() == [6.0] and sim.spikes(cells).ids.tolist() == [0]


def test_jumps_during_the_hold_are_lost_and_currents_go_on():
    net = ns.Network()
    source = net.add(train([1.0, 2.0, 3.0, 3.5]))
    cell = net.add(ns.LIF(t_ref=2.0), 1)
    net.connect(source, cell, weight=20.0, delay=1.0)
    net.record(cell)
    assert event_times(net, cell, 20.0).tolist() == [2.0, 4.5]  # 3.0 and the end of the hold itself, 4.0, are lost
    currents = ns.Network()
    source = currents.add(train([1.0]))
    cell = currents.add(ns.LIF(t_ref=2.0), 1, initial={"v": -55.0})
    currents.connect(source, cell, weight=4000.0, delay=1.0, receptor=ns.ExponentialCurrent(5.0))
    currents.record(cell)
    times = event_times(currents, cell, 30.0)
    at_release = 4000.0 * math.exp(-(times[0] + 2.0 - 2.0) / 5.0)

    def v(t):
        return -70.0 + 0.1 * at_release * (math.exp(-t / 10.0) - math.exp(-t / 5.0))

    assert v(times[1] - times[0] - 2.0) == pytest.approx(-55.0, abs=1e-10)


def test_step_currents_and_tables_change_at_their_times():
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=10.0, r=0.1), 2)
    net.drive(cells[:1], ns.StepCurrent(300.0, start=math.e, stop=20.0))
    net.drive(cells[1:], ns.InjectedCurrent(ns.TimedArray([0.0, 300.0, 0.0], every=math.e)))
    net.record(cells)
    sim = ns.Simulation(net, mode="event")
    sim.run(60.0)
    interval = 10.0 * math.log(2.0)
    assert np.abs(sim.spikes(cells).times - (math.e + interval * np.arange(1, 3))).max() < 1e-9
    assert sim.get(cells, "v")[1] == pytest.approx(-70.0 + 30.0 * -math.expm1(-math.e / 10.0)
                                                   * math.exp(-(60.0 - 2.0 * math.e) / 10.0), abs=1e-12)


# -- Izhikevich --------------------------------------------------------------------------------------------------------


def integrate_izhikevich(duration, current, step=2e-4):
    """The model of 2003 by the classical Runge-Kutta method with a tiny step; a peak is found by a cubic of the last
    step."""
    def flow(v, u):
        return 0.04 * v * v + 5.0 * v + 140.0 - u + current, 0.02 * (0.2 * v - u)

    v, u, t, times = -65.0, -13.0, 0.0, []
    while t < duration:
        def leap(h, v=v, u=u):
            a = flow(v, u)
            b = flow(v + h / 2 * a[0], u + h / 2 * a[1])
            c = flow(v + h / 2 * b[0], u + h / 2 * b[1])
            d = flow(v + h * c[0], u + h * c[1])
            return tuple(x + h / 6 * (p + 2 * q + 2 * r + s) for x, p, q, r, s in zip((v, u), a, b, c, d, strict=True))

        h = step * 50.0 if v < -50.0 else step
        after = leap(h)
        if after[0] >= 30.0:
            low, high = 0.0, h
            for _ in range(60):
                middle = 0.5 * (low + high)
                low, high = (low, middle) if leap(middle)[0] >= 30.0 else (middle, high)
            v, u, t = -65.0, leap(low)[1] + 8.0, t + low
            times.append(t)
        else:
            v, u, t = *after, t + h
    return np.array(times)


def test_izhikevich_against_tiny_steps():
    net = ns.Network()
    cell = net.add(ns.Izhikevich(0.02, 0.2, -65.0, 8.0, i_bias=10.0, scheme="fine"), 1)
    net.record(cell)
    times, expected = event_times(net, cell, 200.0), integrate_izhikevich(200.0, 10.0)
    assert times.size == expected.size > 4
    assert np.abs(times - expected).max() < 1e-6


# -- against the clocked mode ------------------------------------------------------------------------------------------


RECEPTORS = {"delta": (ns.Delta(), 6.0), "exponential": (ns.ExponentialCurrent(4.0), 160.0),
             "alpha": (ns.AlphaCurrent(2.0), 150.0), "double": (ns.DoubleExponentialCurrent(0.5, 4.0), 130.0)}


def feedforward(receptor, weight, model=None, n=50):
    generator = np.random.default_rng(8)
    net = ns.Network()
    source = net.add(train(np.sort(generator.integers(1, 900, 600)) * 0.1, generator.integers(0, 30, 600), 30),
                     name="source")
    cells = net.add(model or ns.LIF(t_ref=2.0, i_bias=50.0), n, name="cells")
    net.connect(source, cells, ns.FixedProbability(0.2), weight=weight, delay=ns.Uniform(0.5, 4.0), receptor=receptor)
    net.record(cells)
    return net, cells


def order_of_the_clocked_mode(net, cells) -> float:
    """The power of dt with which the first spikes of the clocked mode tend to the exact ones; one, as they stand at
    ends of ticks."""
    exact = ns.Simulation(net, mode="event", seed=2)
    exact.run(100.0)
    spikes = exact.spikes(cells)
    first = {k: spikes.times[spikes.ids == k][0] for k in np.unique(spikes.ids)}
    assert len(first) > 0.4 * cells.size
    errors = []
    for dt in (0.1, 0.02, 0.004):
        clocked = ns.Simulation(net, dt=dt, dtype="float64", seed=2)
        clocked.run(100.0)
        spikes = clocked.spikes(cells)
        errors.append(np.mean([abs(spikes.times[spikes.ids == k][0] - time) for k, time in first.items()]))
    return math.log(errors[0] / errors[2]) / math.log(0.1 / 0.004)


@pytest.mark.parametrize("name", RECEPTORS)
def test_v_below_the_threshold_is_that_of_the_clocked_mode(name):
    """With delays on the grid and no spike both modes are exact, and draw the same synapses from one seed."""
    receptor, weight = RECEPTORS[name]
    generator = np.random.default_rng(1)
    net = ns.Network()
    source = net.add(train(np.sort(generator.integers(1, 400, 100)) * 0.1, generator.integers(0, 30, 100), 30))
    cells = net.add(ns.LIF(v_threshold=1000.0), 20)
    net.connect(source, cells, ns.FixedProbability(0.3), weight=ns.Normal(weight, 0.1 * weight), delay=1.5,
                receptor=receptor)
    exact, clocked = ns.Simulation(net, mode="event", seed=4), ns.Simulation(net, dt=0.1, dtype="float64", seed=4)
    for _ in range(4):
        exact.run(10.0)
        clocked.run(10.0)
        for variable in net.variables(cells):
            assert exact.get(cells, variable) == pytest.approx(clocked.get(cells, variable), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["exponential", "alpha"])
def test_the_clocked_mode_tends_to_it_at_first_order(name):
    net, cells = feedforward(*RECEPTORS[name])
    assert 0.8 < order_of_the_clocked_mode(net, cells) < 1.2


@pytest.mark.parametrize(("model", "weight"), [(ns.Izhikevich(scheme="fine"), 6.0),
                                               (ns.GeneralIzhikevich(scheme="fine"), 80.0)])
def test_izhikevich_with_synapses_is_the_limit_of_the_clocked_mode(model, weight):
    net, cells = feedforward(ns.ExponentialCurrent(5.0), weight, model, 20)
    assert 0.8 < order_of_the_clocked_mode(net, cells) < 1.2


@pytest.mark.slow
def test_the_same_synapses_as_in_the_clocked_mode():
    net, _ = feedforward(ns.Delta(), ns.Normal(1.0, 0.2))
    (projection,) = net.projections
    exact, clocked = (ns.Simulation(net, seed=6, **options).synapses(projection)
                      for options in ({"mode": "event"}, {"dt": 0.001, "dtype": "float64"}))

    def sorted_by_pair(synapses):
        order = np.lexsort((synapses.target, synapses.source))
        return [getattr(synapses, name)[order] for name in ("source", "target", "weight", "delay")]

    for name, a, b in zip(("source", "target", "weight", "delay"), sorted_by_pair(exact), sorted_by_pair(clocked),
                          strict=True):
        assert np.abs(a - b).max() <= (0.00051 if name == "delay" else 1e-15), name


# -- against NEST ------------------------------------------------------------------------------------------------------


GOLDEN = json.loads((Path(__file__).parent / "golden" / "nest_precise.json").read_text())


@pytest.mark.parametrize("name", GOLDEN["cases"])
def test_precise_neurons_of_nest(name):
    """A recurrent network of 20 neurons with given spikes on no grid; see tests/nest_reference.py."""
    case = GOLDEN["cases"][name]
    p = case["parameters"]
    stamps = sorted((time, k) for k, times in enumerate(case["trains"]) for time in times)
    net = ns.Network()
    source = net.add(train(*map(list, zip(*stamps, strict=True)), len(case["trains"]), GOLDEN["duration"]))
    cells = net.add(ns.LIF(tau_mem=p["tau_m"], c_mem=p["C_m"], v_leak=p["E_L"], v_reset=p["V_reset"],
                           v_threshold=p["V_th"],
                           t_ref=p["t_ref"], i_bias=case["currents"]), len(case["currents"]))
    kinds = {"delta": lambda tau: ns.Delta(), "exponential": ns.ExponentialCurrent, "alpha": ns.AlphaCurrent}
    for population, synapses in ((source, case["inputs"]), (cells, case["recurrent"])):
        for sign, tau in ((1.0, "tau_syn_ex"), (-1.0, "tau_syn_in")):
            chosen = [synapse for synapse in synapses if synapse[2] * sign > 0.0]
            if chosen:
                sources, targets, weights, delays = map(list, zip(*chosen, strict=True))
                net.connect(population, cells, ns.Explicit(sources, targets), weight=weights, delay=delays,
                            receptor=kinds[name](p.get(tau)))
    net.record(cells)
    sim = ns.Simulation(net, mode="event")
    sim.run(GOLDEN["duration"])
    spikes, times, ids = sim.spikes(cells), np.array(case["times"]), np.array(case["ids"])
    assert len(spikes) == times.size > 400
    for k in range(cells.size):
        assert np.abs(spikes.times[spikes.ids == k] - times[ids == k]).max(initial=0.0) < 1e-10
