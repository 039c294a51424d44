"""Izhikevich and AdExIF: the published script spike for spike, and fine integrations of the equations."""

import numpy as np
import pytest
from neuron_runs import fine_times, run, times_of

import neurosim as ns

IZHIKEVICH = {  # a, b, c, d of the figure of 2003, and a current
    "regular spiking": (0.02, 0.2, -65.0, 8.0, 10.0),
    "fast spiking": (0.1, 0.2, -65.0, 2.0, 10.0),
    "chattering": (0.02, 0.2, -50.0, 2.0, 10.0),
}
ADEX = {  # table 1 of Naud et al., Biological Cybernetics 99 (2008) 335
    "tonic": {"c_mem": 200.0, "g_leak": 10.0, "v_leak": -70.0, "a": 2.0, "tau_w": 30.0, "b": 0.0, "v_reset": -58.0,
              "i_bias": 500.0},
    "adapting": {"c_mem": 200.0, "g_leak": 12.0, "v_leak": -70.0, "a": 2.0, "tau_w": 300.0, "b": 60.0,
                 "v_reset": -58.0, "i_bias": 500.0},
    "initial burst": {"c_mem": 130.0, "g_leak": 18.0, "v_leak": -58.0, "a": 4.0, "tau_w": 150.0, "b": 120.0,
                      "v_reset": -50.0, "i_bias": 400.0},
    "bursting": {"c_mem": 200.0, "g_leak": 10.0, "v_leak": -58.0, "a": 2.0, "tau_w": 120.0, "b": 100.0,
                 "v_reset": -46.0, "i_bias": 210.0},
}
DRIFT = 4e-4  #: what the spike times may be off besides the tick, as a share of the time


def check_times(found, exact, dt):
    """Every spike is reported at the end of its tick, give or take the drift of the scheme."""
    assert found.size == exact.size > 4
    late = found - exact
    assert late.min() > -DRIFT * exact[late.argmin()] - 1e-9
    assert late.max() < dt + DRIFT * exact[late.argmax()]


# ---- Izhikevich 2003 ----------------------------------------------------------------------------------


def published_network(steps):
    """The 1000 neurons of the script: parameters, the matrix S (from column to row), and the noise of each step."""
    rng = np.random.default_rng(2003)
    re, ri = rng.random(800), rng.random(200)
    a, b = np.r_[0.02 * np.ones(800), 0.02 + 0.08 * ri], np.r_[0.2 * np.ones(800), 0.25 - 0.05 * ri]
    c, d = np.r_[-65 + 15 * re**2, -65 * np.ones(200)], np.r_[8 - 6 * re**2, 2 * np.ones(200)]
    s = np.c_[0.5 * rng.random((1000, 800)), -rng.random((1000, 200))]
    noise = rng.standard_normal((steps, 1000)) * np.r_[5 * np.ones(800), 2 * np.ones(200)]
    return a, b, c, d, s, noise


def published_script(a, b, c, d, s, noise):
    """The loop of the published script, line by line; the sum over `fired` is taken in their order.

    Returns:
        (step at whose beginning the spike is found, counted from 0, neuron) of each spike.
    """
    v = -65.0 * np.ones(1000)
    u = b * v
    firings = []
    for t in range(len(noise)):
        current = noise[t].copy()
        fired = np.flatnonzero(v >= 30)
        firings += [(t, k) for k in fired]
        v[fired] = c[fired]
        u[fired] = u[fired] + d[fired]
        arriving = np.zeros(1000)
        for k in fired:
            arriving += s[:, k]
        current = current + arriving
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        u = u + a * (b * v - u)
    return firings


@pytest.mark.parametrize("threads", [1, 2])
def test_published_network_is_reproduced_spike_for_spike(threads):
    steps = 1000
    a, b, c, d, s, noise = published_network(steps)
    net = ns.Network()
    cells = net.add(ns.Izhikevich(a, b, c, d, scheme="published"), 1000, name="cells")
    net.connect(cells, cells, weight=s.T, delay=1.0, receptor=ns.Pulse())
    net.drive(cells, ns.InjectedCurrent(ns.TimedArray(noise, every=1.0)))
    net.record(cells)
    sim = ns.Simulation(net, dt=1.0, dtype="float64", threads=threads)
    sim.run(steps - 1.0)
    spikes = sim.spikes(cells)
    expected = published_script(a, b, c, d, s, noise)  # a spike of our tick t is found at the beginning of step t
    assert len(expected) > 5000
    assert list(zip(np.asarray(spikes.ticks).tolist(), np.asarray(spikes.ids).tolist(), strict=True)) == expected


def izhikevich_times(a, b, c, d, current, duration):
    return fine_times(lambda t, y: [0.04 * y[0] ** 2 + 5 * y[0] + 140 - y[1] + current, a * (b * y[0] - y[1])],
                      [-65.0, -65.0 * b], 30.0, lambda y: [c, y[1] + d], duration)


@pytest.mark.parametrize("cell", IZHIKEVICH)
def test_fine_scheme_of_2003(cell):
    a, b, c, d, current = IZHIKEVICH[cell]
    exact = izhikevich_times(a, b, c, d, current, 500.0)
    model = ns.Izhikevich(a, b, c, d, i_bias=current, scheme="fine")
    for dt in (1.0, 0.1, 0.02):
        check_times(times_of(model, 500.0, dt), exact, dt)
    single = times_of(model, 500.0, 0.1, dtype="float32")
    assert single.size == exact.size
    assert np.abs(single - exact).max() < 0.5


def test_schemes_differ_for_fast_spiking_cells():
    """Fast spiking, I = 10: about 64 spikes a second with the published scheme, 137 converged."""
    a, b, c, d, current = IZHIKEVICH["fast spiking"]
    counts = [times_of(ns.Izhikevich(a, b, c, d, i_bias=current, scheme=scheme), 1000.0, dt).size
              for scheme, dt in (("published", 1.0), ("fine", 1.0), ("published", 0.01))]
    assert counts == [65, 137, 136]
    assert times_of(ns.Izhikevich(a, b, c, d, i_bias=current), 3000.0, 1.0).size == 193


def test_no_spike_is_lost():
    """With a strong current several crossings fall into one tick; they leave one by one."""
    model = ns.Izhikevich(0.1, 0.2, -65.0, 2.0, scheme="fine")
    current = np.zeros((100, 1))
    current[10:13] = 600.0
    exact = times_of(model, 100.0, 0.01, current=current.repeat(100, axis=0))
    found, traces = run(model, 100.0, 1.0, current=current, variables=["due", "v"])
    assert len(found) == exact.size > 12
    assert traces["due"][1].max() > 3 and traces["due"][1][-1] == 0
    assert traces["v"][1].max() < 30.0


def test_too_strong_a_current_stops_the_run():
    for model in (ns.Izhikevich(scheme="fine", i_bias=1e9), ns.AdExIF(i_bias=1e10)):
        with pytest.raises(ns.SimulationError, match="v of neuron 0 of 'cells' became nan"):
            run(model, 10.0, 1.0)


@pytest.mark.slow
def test_a_jump_over_the_peak_spikes():
    for model in (ns.Izhikevich(), ns.Izhikevich(scheme="fine"), ns.GeneralIzhikevich(scheme="fine"), ns.AdExIF()):
        found, _ = run(model, 10.0, inputs=[(ns.Delta(), 120.0, [5.0])])
        assert np.asarray(found.times).tolist() == pytest.approx([5.0])


def test_conductances_and_initial_values():
    """A constant conductance g is a current -g v; u starts at b v for the v that was chosen."""
    model = ns.Izhikevich(0.02, 0.2, -65.0, 8.0, i_bias=14.0, scheme="fine")
    steady = ns.ExponentialConductance(1e9, 0.0)
    found = times_of(model, 300.0, 0.1, inputs=[(steady, 0.05, [0.2])], initial={"v": -60.0})
    exact = fine_times(lambda t, y: [0.04 * y[0] ** 2 + 4.95 * y[0] + 154.0 - y[1], 0.02 * (0.2 * y[0] - y[1])],
                       [-60.0, -12.0], 30.0, lambda y: [-65.0, y[1] + 8.0], 300.0)
    assert found.size == exact.size
    assert np.abs(found - exact).max() < 0.5
    _, traces = run(model, 1.0, size=2, initial={"v": np.array([-60.0, -70.0])}, variables=["u"])
    assert traces["u"][1][0].tolist() == pytest.approx([-12.0, -14.0])


# ---- Izhikevich 2007 ----------------------------------------------------------------------------------


def test_script_of_the_book_is_reproduced():
    """Regular spiking, 70 pA from t = 100 ms: every v and every spike of the forward Euler loop of the book."""
    v, u, steps = -60.0, 0.0, 1000
    current = np.r_[np.zeros(100), 70.0 * np.ones(900)]
    expected, trace = [], []
    for i in range(steps - 1):
        v_next = v + 1.0 * (0.7 * (v + 60) * (v + 40) - u + current[i]) / 100
        u = u + 1.0 * 0.03 * (-2 * (v + 60) - u)
        v = v_next
        if v >= 35:
            expected.append(i + 1)
            v, u = -50.0, u + 100
        trace.append(v)
    found, traces = run(ns.GeneralIzhikevich(scheme="published"), 999.0, 1.0, current=current[:, None], variables=["v"])
    assert np.asarray(found.ticks).tolist() == expected and len(expected) > 5
    np.testing.assert_allclose(traces["v"][1][1:, 0], trace, atol=1e-6)


@pytest.mark.parametrize("parameters, current", [
    ({}, 100.0),
    ({"c_mem": 150.0, "k": 1.2, "v_r": -75.0, "v_t": -45.0, "a": 0.01, "b": 5.0, "v_reset": -56.0, "d": 130.0,
      "v_peak": 50.0}, 500.0),
    ({"c_mem": 50.0, "k": 1.5, "v_r": -60.0, "v_t": -40.0, "a": 0.03, "b": 1.0, "v_reset": -40.0, "d": 150.0,
      "v_peak": 25.0}, 400.0),
], ids=["regular spiking", "intrinsically bursting", "chattering"])
def test_fine_scheme_of_2007(parameters, current):
    model = ns.GeneralIzhikevich(**parameters, i_bias=current, scheme="fine")
    exact = fine_times(lambda t, y: [(model.k * (y[0] - model.v_r) * (y[0] - model.v_t) - y[1] + current) / model.c_mem,
                                     model.a * (model.b * (y[0] - model.v_r) - y[1])], [model.v_r, 0.0], model.v_peak,
                       lambda y: [model.v_reset, y[1] + model.d], 400.0)
    for dt in (1.0, 0.1, 0.02):
        check_times(times_of(model, 400.0, dt), exact, dt)


def test_reset_must_be_below_the_peak():
    for make in (lambda: ns.Izhikevich(c=30.0), lambda: ns.GeneralIzhikevich(v_reset=np.array([-50.0, 40.0])),
                 lambda: ns.AdExIF(v_peak=-80.0)):
        with pytest.raises(ns.ParameterError, match="must be < v_peak"):
            make()


# ---- AdExIF -------------------------------------------------------------------------------------------


def adex_times(model, duration):
    def equations(t, y):
        v, w = y
        upswing = model.g_leak * model.delta_t * np.exp(min((v - model.v_threshold) / model.delta_t, 100.0))
        return [(model.g_leak * (model.v_leak - v) + upswing - w + model.i_bias) / model.c_mem,
                (model.a * (v - model.v_leak) - w) / model.tau_w]

    return fine_times(equations, [model.v_leak, 0.0], model.v_peak, lambda y: [model.v_reset, y[1] + model.b], duration,
                      model.t_ref)


@pytest.mark.parametrize("pattern", ADEX)
def test_firing_patterns_of_adex(pattern):
    """Counts agree at every dt; the times are right to the tick, so that their error shrinks with it."""
    model = ns.AdExIF(**ADEX[pattern], v_peak=-30.0)
    exact = adex_times(model, 400.0)
    errors = []
    for dt in (1.0, 0.1, 0.02):
        found = times_of(model, 400.0, dt)
        check_times(found, exact, dt)
        errors.append(np.abs(found - exact).max())
    assert errors[0] > 4 * errors[1] > 8 * errors[2]
    single = times_of(model, 400.0, 0.1, dtype="float32")
    assert single.size == exact.size
    assert np.abs(single - exact).max() < 0.5


def test_peak_of_adex_hardly_matters():
    low, high = (times_of(ns.AdExIF(**ADEX["tonic"], v_peak=peak), 400.0, 0.1) for peak in (-30.0, 20.0))
    assert low.size == high.size
    assert np.abs(low - high).max() < 0.3


def test_refractory_period_of_adex():
    """The dead time counts from the tick of the spike, half a tick late on average: the error is of first order."""
    model = ns.AdExIF(**ADEX["bursting"], v_peak=-30.0, t_ref=2.0)
    exact = adex_times(model, 300.0)
    errors = []
    for dt in (0.1, 0.05, 0.01):
        found = times_of(model, 300.0, dt)
        assert found.size == exact.size
        assert np.diff(found).min() > 2.0 - 1e-9
        errors.append(np.abs(found - exact).max())
    assert errors[0] < 2.0 and errors[0] > 4 * errors[2]


def test_adex_in_a_strong_conductance():
    """g of 10 uS makes the membrane a hundred times faster than the tick; v settles at the reversal potential."""
    receptor = ns.ExponentialConductance(1e9, -80.0)
    _, traces = run(ns.AdExIF(), 20.0, 1.0, inputs=[(receptor, 1e4, [2.0])], variables=["v"])
    v = traces["v"][1][4:, 0]
    assert np.isfinite(v).all() and np.abs(v + 80.0).max() < 0.1


@pytest.mark.parametrize("delta_t", [0.0, 1e-7, 1e-6, 1e-5])
@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_a_sharp_threshold_makes_adex_a_leaky_integrate_and_fire_neuron(delta_t, t_ref):
    """Without adaptation, against the exact intervals; v crosses within a tick and goes on from there."""
    model = ns.AdExIF(delta_t=delta_t, a=0.0, b=0.0, i_bias=np.array([650.0, 800.0, 1500.0]), t_ref=t_ref)
    found, _ = run(model, 200.0, 0.1, size=3)
    for k, bias in enumerate((650.0, 800.0, 1500.0)):
        up = bias / 30.0
        interval = 281.0 / 30.0 * np.log(up / (up - (-50.4 + 70.6)))
        times = np.asarray(found.times)[np.asarray(found.ids) == k]
        first = np.arange(len(times)) * (interval + t_ref) + interval
        assert len(times) == int((200.0 - interval) / (interval + t_ref)) + 1
        late = times - first
        assert -1e-3 * first[-1] < late.min() and late.max() < 0.1 * (1 + (t_ref > 0) * len(times)) + 1e-3 * first[-1]


def test_adaptation_at_a_sharp_threshold():
    """Against a fine integration."""
    def equations(t, y):
        return [(-30.0 * (y[0] + 70.6) - y[1] + 1000.0) / 281.0, (4.0 * (y[0] + 70.6) - y[1]) / 144.0]

    exact = fine_times(equations, [-70.6, 0.0], -50.4, lambda y: [-70.6, y[1] + 80.5], 200.0)
    check_times(times_of(ns.AdExIF(delta_t=0.0, i_bias=1000.0), 200.0, 0.05), exact, 0.05)


def test_a_reset_above_a_sharp_threshold_is_refused_and_above_a_soft_one_bursts():
    with pytest.raises(ns.ParameterError, match="AdExIF.v_reset must be < v_threshold = -50.4 mV where delta_t is 0"):
        ns.AdExIF(delta_t=0.0, v_reset=-46.0)
    with pytest.raises(ns.ParameterError, match="v_reset must be < v_threshold"):
        ns.AdExIF(delta_t=np.array([0.0, 2.0]), v_reset=np.array([-46.0, -60.0]))
    ns.AdExIF(delta_t=np.array([0.0, 2.0]), v_reset=np.array([-60.0, -46.0]))
