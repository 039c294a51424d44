"""Linear neuron models against analytic solutions; conductances against Brian2; a model of the user's own."""

import math
import warnings

import numpy as np
import pytest
from neuron_runs import run, times_of
from scipy.integrate import quad

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.engine import kernel, loader
from neurosim.neurons import Neuron, State

HIGH = 1e6  # a threshold out of reach


def passive(**parameters):
    return ns.LIF(**{"tau_mem": 10.0, "v_leak": -65.0, "v_threshold": HIGH, "v_reset": -65.0, "r": 0.1} | parameters)


# ---- the membrane ---------------------------------------------------------------------------------


@pytest.mark.parametrize("tau_syn", [2.0, 10.0, 10.0 * (1 + 1e-9), 50.0])
def test_constant_and_exponential_current_are_exact(tau_syn):
    tau, r, i_bias, weight, arrival = 10.0, 0.1, 80.0, 150.0, 5.0
    _, traces = run(passive(i_bias=i_bias), 100.0, inputs=[(ns.ExponentialCurrent(tau_syn), weight, [arrival])],
                    variables=["v", "i_syn"])
    t, v = traces["v"]
    s = np.maximum(t - arrival, 0.0)
    if abs(tau_syn - tau) < 1e-6:
        answer = s / tau * np.exp(-s / tau)
    else:
        answer = tau_syn / (tau_syn - tau) * (np.exp(-s / tau_syn) - np.exp(-s / tau))
    expected = -65.0 + r * i_bias * (1 - np.exp(-t / tau)) + r * weight * answer
    np.testing.assert_allclose(v[:, 0], expected, rtol=0, atol=1e-9 if tau_syn in (2.0, 10.0, 50.0) else 1e-7)
    i = np.where(t >= arrival - 1e-9, weight * np.exp(-s / tau_syn), 0.0)
    np.testing.assert_allclose(traces["i_syn"][1][:, 0], i, rtol=0, atol=1e-9)


@pytest.mark.parametrize("receptor, shape", [
    (ns.AlphaCurrent(3.0), lambda t: t / 3.0 * math.exp(1 - t / 3.0)),
    (ns.AlphaCurrent(10.0), lambda t: t / 10.0 * math.exp(1 - t / 10.0)),
    (ns.DoubleExponentialCurrent(1.0, 5.0),
     lambda t: (math.exp(-t / 5.0) - math.exp(-t)) / (5 ** -0.25 - 5 ** -1.25)),
    (ns.DoubleExponentialCurrent(1.0, 10.0),
     lambda t: (math.exp(-t / 10.0) - math.exp(-t)) / (10 ** (-1 / 9) - 10 ** (-10 / 9))),
])
def test_currents_that_rise_against_quadrature(receptor, shape):
    tau, r, weight, arrival = 10.0, 0.1, 100.0, 2.0
    _, traces = run(passive(), 40.0, inputs=[(receptor, weight, [arrival])], variables=["v", "i_syn"])
    t, v = traces["v"]
    np.testing.assert_allclose(traces["i_syn"][1][:, 0].max(), weight, rtol=2e-3)
    for tick in (25, 60, 200, 400):
        s = t[tick] - arrival
        answer = quad(lambda x, s=s: math.exp((x - s) / tau) * shape(x), 0, s, epsabs=1e-13, epsrel=1e-13)[0] / tau
        assert v[tick, 0] == pytest.approx(-65.0 + r * weight * answer, abs=1e-9)
        assert traces["i_syn"][1][tick, 0] == pytest.approx(weight * shape(s), abs=1e-9)


@pytest.mark.parametrize("dt", [0.1, 0.5])
def test_interspike_interval(dt):
    model = ns.LIF(tau_mem=20.0, v_leak=-65.0, v_reset=-70.0, v_threshold=-50.0, r=0.1, i_bias=180.0)
    exact = 20.0 * math.log((18.0 + 5.0) / (18.0 - 15.0))
    times = times_of(model, 500.0, dt, initial={"v": -70.0})
    np.testing.assert_allclose(np.diff(times, prepend=0.0), (math.floor(exact / dt) + 1) * dt, atol=1e-9)


def test_capacitance_and_resistance_say_the_same():
    by_r = run(passive(r=0.05, i_bias=100.0), 50.0, variables=["v"])[1]["v"][1]
    by_c = run(passive(r=None, c_mem=200.0, i_bias=100.0), 50.0, variables=["v"])[1]["v"][1]
    np.testing.assert_allclose(by_r, by_c, atol=1e-11)
    with pytest.raises(ns.ParameterError, match="r or c_mem"):
        ns.LIF(r=0.1, c_mem=100.0)


# ---- threshold, reset, refractory period -----------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight, spikes", [(1.0005, 1), (1.0, 0), (0.9995, 0)])
def test_threshold_is_strict(dtype, weight, spikes):
    model = ns.LIF(v_leak=0.0, v_reset=0.0, v_threshold=1.0)
    found, _ = run(model, 10.0, inputs=[(ns.Delta(), weight, [5.0])], dtype=dtype)
    assert np.asarray(found.times).tolist() == pytest.approx([5.0] * spikes)


@pytest.mark.parametrize("reset, after", [("to_value", -3.0), ("subtract", 0.75)])
def test_reset(reset, after):
    model = ns.LIF(v_leak=0.0, v_reset=-3.0, v_threshold=1.0, reset=reset)
    _, traces = run(model, 10.0, inputs=[(ns.Delta(), 1.75, [5.0])], variables=["v"])
    t, v = traces["v"]
    assert v[50, 0] == pytest.approx(after, abs=1e-12)
    np.testing.assert_allclose(v[50:, 0], after * np.exp(-(t[50:] - 5.0) / 10.0), atol=1e-12)


@pytest.mark.parametrize("model", [
    ns.LIF(v_leak=0.0, v_reset=-2.0, v_threshold=1.0, t_ref=2.0),
    ns.AdaptiveLIF(v_leak=0.0, v_reset=-2.0, v_threshold=1.0, t_ref=2.0, delta_theta=0.01),
    ns.IntegrateAndFire(v_reset=-2.0, v_threshold=1.0, t_ref=2.0),
    ns.AdExIF(v_leak=0.0, v_reset=-2.0, v_threshold=10.0, v_peak=15.0, t_ref=2.0),
], ids=lambda model: type(model).__name__)
def test_refractory_period(model):
    """v is held for exactly 20 ticks; jumps in them are lost, the first after them counts, currents go on."""
    jumps = [5.0, 5.1, 6.3, 7.0, 7.1]
    inputs = [(ns.Delta(), 20.0, jumps), (ns.ExponentialCurrent(4.0), 10.0, [4.0])]
    found, traces = run(model, 8.0, inputs=inputs, variables=["v", "i_syn"])
    assert np.asarray(found.times).tolist() == pytest.approx([5.0, 7.1])
    t, v = traces["v"]
    assert (v[50:71, 0] == -2.0).all()
    i = 10.0 * np.exp(-(t - 4.0) / 4.0)
    np.testing.assert_allclose(traces["i_syn"][1][40:, 0], i[40:], rtol=1e-12)
    _, traces = run(model, 8.0, inputs=[(ns.Delta(), 20.0, [5.0]), *inputs[1:]], variables=["v"])
    assert (traces["v"][1][50:71, 0] == -2.0).all() and traces["v"][1][71, 0] != -2.0


# ---- parameters of each neuron ------------------------------------------------------------------------


def test_arrays_are_as_separate_populations():
    taus, thresholds = np.array([5.0, 10.0, 20.0]), np.array([-60.0, -55.0, -58.0])
    together, _ = run(ns.LIF(tau_mem=taus, v_threshold=thresholds, i_bias=200.0, c_mem=taus * 10), 100.0, size=3)
    for k in range(3):
        alone = times_of(ns.LIF(tau_mem=taus[k], v_threshold=thresholds[k], i_bias=200.0), 100.0, 0.1)
        assert alone.size > 2
        np.testing.assert_array_equal(np.asarray(together.times)[np.asarray(together.ids) == k], alone)


def test_distributions_are_as_the_arrays_that_were_drawn():
    net = ns.Network()
    model = ns.LIF(tau_mem=ns.Uniform(5.0, 20.0), v_threshold=ns.Normal(-58.0, 1.0), i_bias=200.0)
    cells = net.add(model, 50, name="cells", initial={"v": ns.Uniform(-70.0, -60.0)})
    net.record(cells)
    sim = ns.Simulation(net, dt=0.1, seed=3)
    v = sim.get(cells, "v")
    drawn = sim._run.plan.populations[cells].parameters
    sim.run(100.0)
    assert 5.0 < drawn.tau_mem.min() < 8.0 and 17.0 < drawn.tau_mem.max() < 20.0 and np.ptp(v) > 8.0
    again, _ = run(model.replace(tau_mem=drawn.tau_mem, v_threshold=drawn.v_threshold), 100.0, size=50,
                   initial={"v": v.astype(float)}, dtype="float32")
    first = sim.spikes(cells)
    assert len(first) > 100
    np.testing.assert_array_equal(first.times, again.times)
    np.testing.assert_array_equal(first.ids, again.ids)


# ---- the other linear models ---------------------------------------------------------------------------


def test_leaky_integrator_is_a_membrane_without_threshold():
    inputs = [(ns.ExponentialCurrent(3.0), 300.0, [5.0, 7.0]), (ns.Delta(), 5.0, [20.0])]
    integrator = ns.LeakyIntegrator(tau_mem=10.0, v_leak=-65.0, r=0.1, i_bias=50.0)
    _, a = run(integrator, 50.0, inputs=inputs, variables=["v"])
    _, b = run(passive(i_bias=50.0), 50.0, inputs=inputs, variables=["v"])
    np.testing.assert_allclose(a["v"][1], b["v"][1], atol=1e-11)
    net = ns.Network()
    cells = net.add(integrator, 2)
    with pytest.raises(ns.NeurosimError, match="record 'v'"):
        net.record(cells)
    with pytest.raises(ns.NetworkError, match="LeakyIntegrator"):
        net.connect(cells, cells)


def test_integrate_and_fire_is_exact():
    model = ns.IntegrateAndFire(c_mem=200.0, v_reset=-4.0, v_threshold=HIGH, i_bias=20.0)
    _, traces = run(model, 30.0, inputs=[(ns.ExponentialCurrent(3.0), 100.0, [5.0])], variables=["v"])
    t, v = traces["v"]
    expected = -4.0 + 0.1 * t + 0.5 * 3.0 * (1 - np.exp(-np.maximum(t - 5.0, 0.0) / 3.0))
    np.testing.assert_allclose(v[:, 0], expected, atol=1e-10)


@pytest.mark.parametrize("reset, after", [("to_value", -4.0), ("subtract", 0.25)])
def test_reset_of_integrate_and_fire(reset, after):
    model = ns.IntegrateAndFire(v_reset=-4.0, v_threshold=1.0, reset=reset)
    found, traces = run(model, 30.0, inputs=[(ns.Delta(), 9.25, [10.0])], variables=["v"])
    assert np.asarray(found.times).tolist() == pytest.approx([10.0])
    np.testing.assert_allclose(traces["v"][1][100:, 0], after, atol=1e-12)


def test_integrate_and_fire_with_conductances():
    model = ns.IntegrateAndFire(c_mem=200.0, v_reset=-60.0, v_threshold=HIGH)
    receptor = ns.ExponentialConductance(5.0, 0.0)
    final = []
    for dt in (0.5, 0.25, 0.125):
        _, traces = run(model, 60.0, dt, inputs=[(receptor, 10.0, [5.0])], variables=["v"])
        final.append(traces["v"][1][-1, 0])
    exact = -60.0 * math.exp(-10.0 / 200.0 * 5.0 * (1 - math.exp(-11.0)))  # C v' = -g v with g integrated
    errors = np.abs(np.array(final) - exact)
    assert 1.8 < errors[0] / errors[1] < 2.2 and 1.8 < errors[1] / errors[2] < 2.2
    low, _ = run(model, 20.0, inputs=[(receptor, 10.0, [5.0])], variables=["v"], dtype="float32")
    assert low.ids.size == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("conductance", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_slow_threshold_decays_right(dtype, conductance):
    """With tau_theta = 1e7 ms, theta decays to exp(-0.1) in 1e7 ticks, of each of which float32 sees nothing."""
    model = ns.AdaptiveLIF(tau_theta=1e7, delta_theta=0.05, v_leak=0.0, v_reset=0.0, v_threshold=1.0)
    net = ns.Network()
    cells = net.add(model, 1, name="cells")
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=1, duration=2.0)))
    net.connect(source, cells, weight=2.0, delay=0.1)
    if conductance:
        net.connect(source, cells, weight=0.0, delay=0.1, receptor=ns.ExponentialConductance(5.0, 0.0))
    sim = ns.Simulation(net, dt=0.1, dtype=dtype)
    sim.run(1.1)
    assert sim.get(cells, "theta")[0] == pytest.approx(0.05, rel=1e-7)
    sim.run(1e6)
    assert sim.get(cells, "theta")[0] == pytest.approx(0.05 * math.exp(-0.1), rel=1e-5)


def test_adaptive_threshold_follows_its_equation():
    model = ns.AdaptiveLIF(tau_mem=10.0, r=0.1, i_bias=400.0, tau_theta=50.0, delta_theta=2.0)
    found, traces = run(model, 300.0, variables=["theta", "v"])
    t, theta = traces["theta"]
    times = np.asarray(found.times)
    expected = sum(2.0 * np.where(t >= s - 1e-9, np.exp(-(t - s) / 50.0), 0.0) for s in times)
    np.testing.assert_allclose(theta[:, 0], expected, atol=1e-10)
    intervals = np.diff(times)
    assert times.size > 10 and (np.diff(intervals) > -0.1001).all() and intervals[-1] > 1.5 * intervals[0]
    reached = -70.0 + 40.0 * (1 - np.exp(-intervals[-1] / 10.0))
    k = round(times[-1] / 0.1)
    assert reached > -55.0 + theta[k, 0] - 2.0 and traces["v"][1][k - 1, 0] <= -55.0 + theta[k - 1, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_escape_noise_has_its_probability(dtype):
    """At constant v the number of spikes is binomial with p = 1 - exp(-rho dt), for small and large p."""
    v = np.array([-67.0, -58.0, -55.0, -53.0, -50.0]).repeat(2000)
    model = ns.StochasticLIF(v_leak=v, v_reset=v, v_threshold=-55.0, rho_0=0.2, delta_u=1.5)
    found, _ = run(model, 200.0, dt=0.5, size=v.size, dtype=dtype, seed=5)
    counts = np.bincount(np.asarray(found.ids, dtype=int), minlength=v.size).reshape(5, 2000).sum(axis=1)
    p = 1 - np.exp(-0.2 * 0.5 * np.exp((v[::2000] + 55.0) / 1.5))
    trials = 400 * 2000
    assert (np.abs(counts - trials * p) < 4 * np.sqrt(trials * p * (1 - p)) + 1).all()
    assert counts[0] > 0 and counts[-1] > 0.9 * trials


# ---- conductances ---------------------------------------------------------------------------------------

COBA = {"tau_mem": 20.0, "c_mem": 200.0, "v_leak": -60.0, "v_reset": -60.0, "v_threshold": -50.0, "i_bias": 60.0}
EXCITATION = ns.ExponentialConductance(5.0, 0.0), 12.0, [10.0, 12.0, 20.0, 21.0, 21.5, 50.0, 60.0]
INHIBITION = ns.ExponentialConductance(10.0, -80.0), 30.0, [15.0, 40.0, 58.0]


def test_exponential_euler_is_that_of_brian2():
    """The same exponential Euler in Brian2: v agrees tick by tick, and so do the spikes."""
    b2 = pytest.importorskip("brian2")
    b2.prefs.codegen.target = "numpy"
    b2.start_scope()
    dt = 0.1
    b2.defaultclock.dt = dt * b2.ms
    group = b2.NeuronGroup(1, """
        dv/dt = (10*(-60 - v) + ge*(0 - v) + gi*(-80 - v) + 60)/200/ms : 1
        dge/dt = -ge/(5*ms) : 1
        dgi/dt = -gi/(10*ms) : 1
        """, threshold="v > -50", reset="v = -60", method="exponential_euler", name="cells")
    group.v = -60
    spikes = b2.SpikeMonitor(group, name="spikes")
    trace = b2.StateMonitor(group, ("v", "ge"), record=True, when="end", name="trace")

    @b2.network_operation(when="synapses", name="arrivals")
    def arrive(t):
        tick = round(t / b2.ms / dt) + 1  # Brian2 gives the result of a step the time of its beginning
        for (_, weight, times), g in ((EXCITATION, group.ge_), (INHIBITION, group.gi_)):
            g[:] += weight * sum(round(s / dt) == tick for s in times)

    net = b2.Network(group, spikes, trace, arrive)
    net.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    net.run(80 * b2.ms)
    ours, traces = run(ns.LIF(**COBA), 80.0, dt, inputs=[EXCITATION, INHIBITION], variables=["v", "g_syn[0]"])
    np.testing.assert_allclose(traces["g_syn[0]"][1][1:, 0], trace.ge_[0], atol=1e-9)
    np.testing.assert_allclose(traces["v"][1][1:, 0], trace.v_[0], atol=1e-9)
    assert len(ours) == len(spikes.t) > 1
    np.testing.assert_allclose(ours.times, np.asarray(spikes.t / b2.ms) + dt, atol=1e-9)


def test_conductances_converge_with_the_first_order():
    model, errors, v = ns.LIF(**COBA | {"v_threshold": HIGH}), [], {}
    for dt in (1 / 2, 1 / 4, 1 / 8, 1 / 512):
        _, traces = run(model, 80.0, dt, inputs=[EXCITATION, INHIBITION], variables=["v"])
        v[dt] = traces["v"][1][:: round(0.5 / dt), 0]
    errors = [np.abs(v[dt] - v[1 / 512]).max() for dt in (1 / 2, 1 / 4, 1 / 8)]
    assert 1.8 < errors[0] / errors[1] < 2.2 and 1.8 < errors[1] / errors[2] < 2.2
    assert errors[2] < 0.2


# ---- a model of the user's own -------------------------------------------------------------------------


class Quadratic(Neuron):
    """A quadratic integrate-and-fire neuron, as a user would write it in a script."""

    k = Parameter(0.05, "1/ms/mV", above=0, doc="steepness")
    v_peak = Parameter(20.0, "mV", doc="peak")
    state = {"v": State(-65.0, "mV", "membrane potential"), "n": State(0.0, "", "a variable with a short name")}

    def coefficients(self, p, dt):
        return {"k": p.k, "dt": dt, "v_peak": p.v_peak}

    @staticmethod
    def step(v, n, i, g, k, dt):
        return v + dt * (k * (v + 65.0) * (v + 45.0) + i - g * v), n * 0.99

    @staticmethod
    def fires(v, v_peak):
        return v > v_peak

    @staticmethod
    def after_spike(v, n):
        return -65.0, n + 1.0


def test_a_model_of_the_users_own_runs():
    current = np.linspace(5.5, 9.0, 20)[None]
    found, traces = run(Quadratic(), 200.0, size=20, current=current, variables=["n"], dtype="float64")
    v, n, expected = np.full(20, -65.0), np.zeros(20), []
    for tick in range(1, 2001):
        v, n = v + 0.1 * (0.05 * (v + 65.0) * (v + 45.0) + current[0] - 0.0 * v), n * 0.99
        fired = np.flatnonzero(v > 20.0)
        expected += [(tick, k) for k in fired]
        v[fired], n[fired] = -65.0, n[fired] + 1.0
    assert len(expected) > 20
    assert list(zip(np.asarray(found.ticks), np.asarray(found.ids), strict=True)) == expected
    np.testing.assert_allclose(traces["n"][1][-1], n, atol=1e-12)
    with pytest.raises(ns.ParameterError, match=r"Quadratic\.k must be a finite number > 0 1/ms/mV.*got 0"):
        Quadratic(k=0.0)


def test_a_model_of_the_users_own_vectorises(monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROSIM_CACHE", str(tmp_path))  # what is fetched has no text to look at
    net = ns.Network()
    cells = net.add(Quadratic(), 100)
    net.drive(cells, ns.InjectedCurrent(5.0))
    sim = ns.Simulation(net, dt=0.1)
    sim._run.engine.ready()
    update = next(block.kernel for block in sim._run.engine.blocks if block.kernel.name == "update")
    leaves = {**kernel._ALWAYS, **update.leaves}
    compiled = loader._load("fresh", update.text, leaves, update.real, loader._kernel_of)
    assert " x float>" in compiled.inspect_llvm()


@pytest.mark.parametrize("t_ref", [2.2e8, 1e9, 1e12])
def test_a_refractory_time_beyond_32_bits_of_ticks_holds(t_ref):
    net = ns.Network()
    cells = net.add(ns.LIF(t_ref=t_ref, i_bias=1000.0), 2)
    net.record(cells)
    sim = ns.Simulation(net, dt=0.1)
    sim.run(100.0)
    assert len(sim.spikes(cells)) == 2
    with pytest.raises(ns.ParameterError, match=r"t_ref of 'lif' must be <= 1e\+14 ms, 1e\+15 ticks, got 1e\+300"):
        ns.Simulation(with_hold(1e300))


def with_hold(t_ref):
    net = ns.Network()
    net.add(ns.LIF(t_ref=t_ref), 1)
    return net


@pytest.mark.parametrize("make, said", [
    (lambda: ns.LIF(v_reset=-50.0), r"LIF\.v_reset should be <= v_threshold = -55\.0 mV, got -50\.0"),
    (lambda: ns.LIF(v_reset=np.array([-70.0, -50.0])), "an array of shape"),
    (lambda: ns.LIF(v_leak=-50.0, reset="subtract"), r"LIF\.v_leak should be"),
    (lambda: ns.AdaptiveLIF(v_threshold=-80.0), r"AdaptiveLIF\.v_reset should be"),
    (lambda: ns.IntegrateAndFire(v_reset=0.0, reset="subtract"), r"IntegrateAndFire\.v_reset should be")])
def test_a_reset_above_the_threshold_is_said(make, said):
    with pytest.warns(ns.NeurosimWarning, match=said):
        make()


def test_resets_below_the_threshold_are_not_spoken_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ns.LIF(v_reset=-55.0)
        ns.LIF(v_leak=-40.0)  # a neuron that fires by itself
        ns.LIF(v_reset=ns.Uniform(-90.0, -40.0))
        ns.StochasticLIF(v_reset=-50.0)  # its threshold is where the hazard is rho_0
        ns.LeakyIntegrator(v_leak=0.0)
