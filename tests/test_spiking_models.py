"""Hodgkin-Huxley, quadratic and theta neurons, white noise: against published numbers, fine integrations and theory."""

import numpy as np
import pytest
from neuron_runs import fine_times, run, times_of
from scipy.integrate import solve_ivp

import neurosim as ns


def rates_of(v):
    """alpha and beta of m, h, n as in the paper."""
    return ((0.1 * (v + 40.0) / -np.expm1(-(v + 40.0) / 10.0), 4.0 * np.exp(-(v + 65.0) / 18.0)),
            (0.07 * np.exp(-(v + 65.0) / 20.0), 1.0 / (1.0 + np.exp(-(v + 35.0) / 10.0))),
            (0.01 * (v + 55.0) / -np.expm1(-(v + 55.0) / 10.0), 0.125 * np.exp(-(v + 65.0) / 80.0)))


def axon(current):
    def flow(t, y):
        v, m, h, n = y
        dv = 120.0 * m**3 * h * (50.0 - v) + 36.0 * n**4 * (-77.0 - v) + 0.3 * (-54.4 - v) + current
        return [dv, *(a * (1.0 - x) - b * x for x, (a, b) in zip((m, h, n), rates_of(v), strict=True))]
    return flow


def fine_crossings(current, duration):
    start = [-65.0, *(a / (a + b) for a, b in rates_of(-65.0))]
    def rises(t, y):
        return y[0]
    rises.direction = 1
    found = solve_ivp(axon(current), (0.0, duration), start, rtol=1e-9, atol=1e-9, events=rises, max_step=0.05)
    return found.t_events[0]


@pytest.mark.parametrize("current", [7.0, 10.0, 30.0])  # uA/cm^2
def test_hodgkin_huxley_against_a_fine_integration(current):
    exact = fine_crossings(current, 100.0)
    found = times_of(ns.HodgkinHuxley(i_bias=100.0 * current), 100.0, 0.02)
    assert found.size == exact.size > 4
    late = found - exact
    assert -0.02 < late.min() and late.max() < 0.06
    assert found[-1] / exact[-1] == pytest.approx(1.0, abs=5e-4)


def test_hodgkin_huxley_fires_for_ever_between_the_published_currents():
    """Rest loses its stability at 9.78 and gets it back at 154.5 uA/cm^2 (Hassard, J. Theoretical Biology 71 (1978)
    401; Rinzel, Miller, Mathematical Biosciences 49 (1980) 27); from rest, firing that goes on begins below 7."""
    currents = np.array([6.0, 7.0, 145.0, 165.0])
    found, traces = run(ns.HodgkinHuxley(i_bias=100.0 * currents), 300.0, 0.05, size=4, variables=["v"])
    v = traces["v"][1]
    late = np.ptp(v[-1000:], axis=0)
    assert late[0] < 1.0 < 90.0 < late[1] and late[3] < 1.0 < 5.0 < late[2]
    # near rest, oscillations die at 9.5 and grow at 10.1
    rest = {}
    for current in (9.3, 10.3):
        settle = solve_ivp(axon(current), (0.0, 1.0), [-65.0, *(a / (a + b) for a, b in rates_of(-65.0))]).y[:, -1]
        from scipy.optimize import fsolve
        fixed = fsolve(lambda y, current=current: axon(current)(0.0, y), [-60.0, *settle[1:]])
        model = ns.HodgkinHuxley(i_bias=100.0 * current)
        start = dict(zip("vmhn", (fixed[0] + 0.2, *fixed[1:]), strict=True))
        rest[current] = np.abs(run(model, 150.0, 0.02, initial={k: float(x) for k, x in start.items()},
                                   variables=["v"])[1]["v"][1][:, 0] - fixed[0])
    assert rest[9.3][-1000:].max() < 0.1 and rest[10.3][-1000:].max() > 0.4


def test_hodgkin_huxley_sends_one_spike_for_each_and_rests_without_input():
    found, traces = run(ns.HodgkinHuxley(), 50.0, 0.1, variables=["v", "n"])
    assert len(found) == 0 and np.abs(traces["v"][1] + 65.0).max() < 0.05
    found, traces = run(ns.HodgkinHuxley(i_bias=1000.0), 100.0, 0.1, variables=["v"], dtype="float32")
    up = traces["v"][1][:, 0] > 0.0
    assert len(found) == np.count_nonzero(up[1:] & ~up[:-1]) > 5


def test_hodgkin_huxley_takes_conductances():
    exact = None
    for dt in (0.1, 0.02):
        net_times = times_of(ns.HodgkinHuxley(), 30.0, dt, inputs=[(ns.ExponentialConductance(5.0, 0.0), 20.0, [5.0])])
        assert net_times.size == 1
        exact = net_times if exact is None else exact
    assert abs(exact[0] - net_times[0]) < 0.15


@pytest.mark.parametrize("current", [60.0, 150.0, 2000.0])
def test_a_quadratic_neuron_fires_at_its_intervals(current):
    """From -75 to 30 mV along the parabola, in closed form."""
    square, centre = 0.05 / 10.0, -60.0
    over = 0.1 * current / 10.0 - square * 100.0
    root = np.sqrt(over / square)
    interval = (np.arctan((30.0 - centre) / root) - np.arctan((-75.0 - centre) / root)) / (square * root)
    first = (np.arctan((30.0 - centre) / root) - np.arctan((-70.0 - centre) / root)) / (square * root)
    found = times_of(ns.QuadraticIF(i_bias=current), round(first + 6.5 * interval, 2), 0.01)
    late = found - (first + interval * np.arange(found.size))
    assert found.size == 7 and late.min() > -1e-6 and late.max() < 0.0101


def test_a_quadratic_neuron_in_the_event_driven_mode():
    net = ns.Network()
    cell = net.add(ns.QuadraticIF(i_bias=150.0), 1)
    net.record(cell)
    sim = ns.Simulation(net, mode="event")
    sim.run(200.0)
    exact = fine_times(lambda t, y: [0.005 * (y[0] + 70.0) * (y[0] + 50.0) + 1.5], [-70.0], 30.0, lambda y: [-75.0],
                       200.0)
    assert sim.spikes(cell).times == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("current", [1e-6, 0.01, 1.0, 900.0])
def test_a_theta_neuron_fires_at_the_root_of_its_current(current):
    interval = np.pi * 10.0 / np.sqrt(current)
    dt = interval / 200.3
    found = times_of(ns.Theta(i_bias=current), 5.6 * interval // dt * dt, dt)
    times = found - interval / 2.0  # it begins at 0, half way
    assert found.size == 6 and np.abs(times - interval * np.arange(6)).max() <= 1.001 * dt


def test_a_theta_neuron_rests_and_is_thrown_over_its_threshold():
    """At i_bias < 0 the two fixed points are at x = -+sqrt(-i_bias)."""
    rest = -2.0 * np.arctan(0.1)
    for jump, spikes in ((-2.0 * rest - 1e-3, 0), (-2.0 * rest + 1e-3, 1)):
        found, traces = run(ns.Theta(i_bias=-0.01), 800.0, 0.5, inputs=[(ns.Delta(), jump, [5.0])], variables=["v"])
        assert len(found) == spikes
        v = traces["v"][1][:, 0]
        assert np.abs(v[:9] - rest).max() < 1e-12 and abs(v[-1] - rest) < 1e-3 and np.abs(v).max() <= np.pi
    x = np.tan(0.5 * v[30:60])
    np.testing.assert_allclose(np.gradient(x, 0.05)[1:-1], (x**2 - 0.01)[1:-1], rtol=2e-2, atol=1e-6)


def test_a_theta_neuron_is_the_quadratic_one_on_a_circle():
    """The same current, constant and by a synapse, with reset and peak of the quadratic one far away."""
    drive = ns.ExponentialCurrent(20.0)
    theta = times_of(ns.Theta(i_bias=-0.01), 300.0, 0.05, inputs=[(drive, 2.0, [20.0, 60.0])])
    far = 1e5
    model = ns.QuadraticIF(tau_mem=10.0, a=1.0, v_rest=-0.1, v_critical=0.1, v_peak=far, v_reset=-far, r=1.0)
    quadratic = times_of(model, 300.0, 0.05, inputs=[(drive, 2.0, [20.0, 60.0])])
    assert theta.size == quadratic.size > 2 and np.abs(theta - quadratic).max() < 0.11


@pytest.mark.parametrize("dt", [0.1, 0.5])
def test_white_noise_moves_a_membrane_as_theory_says(dt):
    """Standard deviation r sigma / sqrt(2 tau), whatever the tick; independent neurons; correlation exp(-t / tau)."""
    net = ns.Network()
    cells = net.add(ns.LeakyIntegrator(tau_mem=10.0, v_leak=0.0, r=0.1), 1000)
    net.drive(cells, ns.WhiteNoiseCurrent(mean=50.0, sigma=200.0))
    net.record(cells, "v", every=5.0)
    sim = ns.Simulation(net, dt=dt, seed=3)
    sim.run(150.0)
    v = sim.trace(cells, "v")[1][12:]
    assert v.mean() == pytest.approx(5.0, abs=0.2)
    assert v.std() == pytest.approx(0.1 * 200.0 / np.sqrt(20.0), rel=0.02)
    v = v - 5.0
    assert (v[1:] * v[:-1]).mean() / v.var() == pytest.approx(np.exp(-0.5), abs=0.03)
    assert abs((v[:, 1:] * v[:, :-1]).mean() / v.var()) < 0.03
