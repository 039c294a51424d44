"""Gap junctions against exact solutions of the coupled equations, a fine integration, and what any network keeps."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import neurosim as ns
from neurosim.neurons.lif import DEFAULT_R
from tests.shares import quick

PASSIVE = {"v_threshold": 1e6, "v_reset": 0.0}


def v_at_end(net, cells, ms, dt, **options):
    sim = ns.Simulation(net, dt=dt, **({"dtype": "float64"} | options))
    sim.run(ms)
    return sim.get(cells, "v")


def chain(n=12, seed=3):
    """Passive cells of different sizes, joined at random, and v(t) from the matrix exponential of the whole."""
    rng = np.random.default_rng(seed)
    tau, c, bias = rng.uniform(5.0, 30.0, n), rng.uniform(50.0, 300.0, n), rng.uniform(0.0, 200.0, n)
    first, second = np.triu_indices(n, 1)
    joined = rng.random(first.size) < 0.4
    first, second, g = first[joined], second[joined], rng.uniform(0.0, 15.0, joined.sum())
    start = rng.uniform(-80.0, -50.0, n)
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=tau, r=tau / c, v_leak=-65.0, i_bias=bias, **PASSIVE), n, initial={"v": start})
    net.couple(cells, cells, ns.Explicit(first, second), conductance=g)
    a = -np.diag(1.0 / tau)
    for i, j, each in zip(first, second, g, strict=True):
        a[i, i], a[i, j] = a[i, i] - each / c[i], a[i, j] + each / c[i]
        a[j, j], a[j, i] = a[j, j] - each / c[j], a[j, i] + each / c[j]
    rest = np.linalg.solve(a, -(-65.0 / tau + bias / c))
    return net, cells, lambda t: rest + expm(a * t) @ (start - rest)


def test_two_cells_without_a_leak_are_exact():
    """v_i - v_j decays with g (1/c_i + 1/c_j), and the charge stays, whatever dt is."""
    for dt in (0.1, 1.0, 10.0):
        net = ns.Network()
        cells = net.add(ns.IntegrateAndFire(c_mem=np.array([100.0, 300.0]), **PASSIVE), 2,
                        initial={"v": np.array([0.0, -8.0])})
        net.couple(cells[:1], cells[1:], ns.OneToOne(), conductance=15.0)
        v = v_at_end(net, cells, 20.0, dt)
        apart = 8.0 * np.exp(-15.0 * (1 / 100 + 1 / 300) * 20.0)
        np.testing.assert_allclose(v, [-6.0 + 0.75 * apart, -6.0 - 0.25 * apart], rtol=1e-12)


def test_many_cells_are_of_second_order():
    net, cells, exact = chain()
    errors = [np.abs(v_at_end(net, cells, 8.0, dt) - exact(8.0)).max() for dt in (0.4, 0.2, 0.1, 0.05)]
    assert errors[-1] < 3e-4
    np.testing.assert_allclose(np.array(errors[:-1]) / errors[1:], 4.0, rtol=0.1)
    assert np.abs(v_at_end(net, cells, 8.0, 0.1, dtype="float32") - exact(8.0)).max() < 2e-3


def test_any_conductance_is_stable():
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=10.0, **PASSIVE, v_leak=-65.0), 30, initial={"v": ns.Uniform(-90.0, -40.0)})
    net.couple(cells, cells, ns.AllToAll(), conductance=1e6)
    v = v_at_end(net, cells, 100.0, 1.0)
    np.testing.assert_allclose(v, -65.0, atol=0.01)


def test_a_refractory_neuron_has_a_fixed_potential():
    """A spike at tick 1 holds the first cell at its reset for good; the other goes to where leak and junction meet."""
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=20.0, r=0.2, v_leak=-65.0, v_threshold=-50.0, v_reset=-80.0, t_ref=1e4), 2,
                    initial={"v": np.array([0.0, -65.0])})
    net.couple(cells, cells, ns.Explicit([0], [1]), conductance=4.0)
    net.record(cells, "v")
    sim = ns.Simulation(net, dt=0.05, dtype="float64")
    sim.run(0.05)
    begun = sim.get(cells, "v")[1]  # what flowed before the spike, and for half a tick after
    sim.run(30.0)
    times, v = sim.trace(cells, "v")
    assert (v[1:, 0] == -80.0).all()
    rate, rest = 1 / 20 + 4 / 100, (-65.0 / 20 - 80.0 * 4 / 100) / (1 / 20 + 4 / 100)
    np.testing.assert_allclose(v[1:, 1], rest + (begun - rest) * np.exp(-rate * (times[1:] - 0.05)), atol=1e-4)


def spiking(size=2):
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=10.0, r=0.1, v_leak=-65.0, v_threshold=-50.0, v_reset=-65.0,
                           i_bias=np.linspace(230.0, 190.0, size)), size, name="cells")
    net.couple(cells, cells, ns.Explicit(np.arange(size - 1), np.arange(1, size)), conductance=5.0)
    net.record(cells)
    return net


@pytest.mark.slow
def test_spikes_are_those_of_a_fine_integration():
    """Two cells of different drive, against Euler steps of half a microsecond."""
    dt, v, found = 5e-4, np.full(2, -65.0), ([], [])
    for step in range(1, 120_001):
        flow = 5.0 * (v[1] - v[0])
        v = v + dt * ((-65.0 - v) / 10.0 + (np.array([230.0, 190.0]) + [flow, -flow]) / 100.0)
        for k in np.flatnonzero(v > -50.0):
            v[k] = -65.0
            found[k].append(step * dt)
    sim = ns.Simulation(spiking(), dt=0.01, dtype="float64")
    sim.run(60.0)
    for expected, times in zip(found, sim.spikes("cells").trains(), strict=True):
        assert len(times) == len(expected)
        np.testing.assert_allclose(times, expected, atol=0.05)
    assert len(found[0]) >= 2 and len(found[1]) >= 1


def squid_axons(t, state):
    """Two cells of Hodgkin and Huxley (1952), one driven, joined by 100 nS; written anew, in physiological units."""
    v, m, h, n = state.reshape(4, 2)
    rates = {"m": (0.1 * (v + 40) / -np.expm1(-(v + 40) / 10), 4 * np.exp(-(v + 65) / 18)),
             "h": (0.07 * np.exp(-(v + 65) / 20), 1 / (1 + np.exp(-(v + 35) / 10))),
             "n": (0.01 * (v + 55) / -np.expm1(-(v + 55) / 10), 0.125 * np.exp(-(v + 65) / 80))}
    current = np.array([1000.0, 0.0]) + 100.0 * (v[::-1] - v)
    current += 12000 * m**3 * h * (50 - v) + 3600 * n**4 * (-77 - v) + 30 * (-54.4 - v)
    gates = [a * (1 - x) - b * x for x, (a, b) in zip((m, h, n), rates.values(), strict=True)]
    return np.concatenate([current / 100.0, *gates])


def test_neurons_whose_spikes_are_part_of_their_equations():
    net = ns.Network()
    cells = net.add(ns.HodgkinHuxley(i_bias=np.array([1000.0, 0.0])), 2)
    net.couple(cells[:1], cells[1:], ns.OneToOne(), conductance=100.0)
    start = ns.Simulation(net, dt=0.02, dtype="float64")
    begun = np.concatenate([start.get(cells, name) for name in ("v", "m", "h", "n")])
    exact = solve_ivp(squid_axons, (0.0, 20.0), begun, method="LSODA", rtol=1e-9, atol=1e-9, dense_output=True)
    assert exact.sol(np.linspace(0, 20, 2000))[:2].max(axis=1).min() > 0  # both spike
    errors = []
    for dt in (0.02, 0.01):
        v = v_at_end(net, cells, 4.0, dt)
        errors.append(np.abs(v - exact.sol(4.0)[:2]).max())
        sim = ns.Simulation(net, dt=dt, dtype="float64")
        sim.run(20.0)
        assert np.abs(sim.get(cells, "v") - exact.sol(20.0)[:2]).max() < 0.5
    assert errors[1] < 0.05 and 3.0 < errors[0] / errors[1] < 5.0


@pytest.mark.slow
def test_threads_cuts_files_and_batches_change_nothing(tmp_path):
    net = spiking(400)
    cells = net.population("cells")
    noise = net.add(ns.Poisson(rate=2000.0), 300, name="noise")
    net.connect(noise, cells, ns.FixedInDegree(5), weight=0.5, delay=0.3)
    net.couple(cells[100:200], cells[150:400], ns.FixedProbability(0.02), conductance=ns.Uniform(0.1, 1.0))
    whole = ns.Simulation(net, dt=0.1, seed=1, threads=1)
    whole.run(60.0)
    assert len(whole.spikes(cells)) > 500
    cut = ns.Simulation(net, dt=0.1, seed=1, threads=3)
    cut.run(20.0)
    state = cut.state()
    cut.run(13.0)
    cut.restore(state)
    cut.save(tmp_path / "state.h5")
    loaded = ns.Simulation.load(tmp_path / "state.h5", net, threads=1)
    for sim in (cut, loaded):
        sim.run(40.0)
        assert sim.spikes(cells) == whole.spikes(cells)
        np.testing.assert_array_equal(sim.get(cells, "v"), whole.get(cells, "v"))
    assert net.fingerprint() != spiking(400).fingerprint()


@pytest.mark.parametrize("model", quick(("LIF", "AdExIF"), [
    ns.LIF(), ns.AdaptiveLIF(), ns.LeakyIntegrator(), ns.IntegrateAndFire(), ns.AdExIF(), ns.Izhikevich(),
    ns.QuadraticIF(), ns.HodgkinHuxley(), ns.Izhikevich(scheme="fine"),
    ns.GeneralIzhikevich(k=1.2, v_r=-75.0, v_t=-45.0, a=0.01, b=5.0, v_reset=-56.0, d=130.0, v_peak=50.0)],
    name=lambda model: type(model).__name__), ids=lambda model: type(model).__name__)
def test_every_model_takes_junctions_to_another_one(model):
    """A short time moves v by g (v_j - v_i) / c_mem, against the same neuron without."""
    moved = []
    for conductance in (0.0, 1e-3):
        net = ns.Network()
        cells = net.add(model, 1, initial={"v": -70.0})
        other = net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=-60.0), 1, initial={"v": -60.0})
        net.couple(cells, other, ns.OneToOne(), conductance=conductance)
        net.connect(net.add(ns.Poisson(1.0), 1), other, weight=0.0)
        moved.append(v_at_end(net, cells, 0.05, 0.01)[0])
    numbers = model.values()
    c_mem = numbers.get("c_mem") or (numbers["tau_mem"] / (numbers["r"] or DEFAULT_R) if "r" in numbers else 1.0)
    assert moved[1] - moved[0] == pytest.approx(1e-3 * 10.0 / c_mem * 0.05, rel=0.05)


def test_parameters_that_are_set_change_the_junctions():
    def run(tau, then=None):
        net = ns.Network()
        cells = net.add(ns.LIF(tau_mem=tau, v_leak=-65.0, **PASSIVE), 2, initial={"v": np.array([-80.0, -60.0])})
        net.couple(cells[:1], cells[1:], ns.AllToAll(), conductance=3.0)
        sim = ns.Simulation(net, dt=0.1, dtype="float64")
        if then:
            sim.set(cells, tau_mem=then)
        sim.run(10.0)
        return sim.get(cells, "v")

    np.testing.assert_array_equal(run(10.0, then=25.0), run(25.0))
    assert np.abs(run(10.0) - run(25.0)).max() > 0.1


def test_a_cell_is_not_joined_with_itself_and_matrices_bring_conductances():
    net, results = ns.Network(), []
    matrix = np.array([[7.0, 2.0], [0.0, 7.0]])
    for rule, g in ((ns.Sparse(matrix), None), (ns.Explicit([0], [1]), 2.0)):
        net = ns.Network()
        cells = net.add(ns.LIF(**PASSIVE), 2, initial={"v": np.array([-80.0, -60.0])})
        net.couple(cells, cells, rule, conductance=g)
        results.append(v_at_end(net, cells, 5.0, 0.1))
    np.testing.assert_array_equal(*results)


def test_they_are_described():
    net = spiking()
    assert "cells = cells: Explicit" in str(net) and "gap junctions of 5 nS" in str(net)
    assert "gap junctions of 5 nS" in net.describe()


@pytest.mark.parametrize("act, message", [
    (lambda n, c, s: n.couple(s, c, ns.AllToAll(), conductance=1.0), "one must be a population of neurons, but 's' is"),
    (lambda n, c, s: n.couple(c, c, "all", conductance=1.0), "rule must be a Rule, got 'all'"),
    (lambda n, c, s: n.couple(c, c, ns.AllToAll()), "conductance must be given, a number of nS"),
    (lambda n, c, s: n.couple(c, c, ns.AllToAll(), conductance=np.nan), "conductance must be a finite number"),
    (lambda n, c, s: n.couple(c, c[:1], ns.OneToOne(), conductance=1.0), "OneToOne must connect populations of the"),
    (lambda n, c, s: ns.Simulation(_joined(n, n.add(ns.Theta(), 2), 1.0)).run(1.0), "Theta of 'theta' cannot have gap"),
    (lambda n, c, s: ns.Simulation(_joined(n, c, -1.0)), "conductance of 'cells = cells' must be >= 0 nS, got -1"),
    (lambda n, c, s: ns.Simulation(_joined(n, c, 1.0), mode="event"), "gap junctions .* cannot be used in"),
])
def test_what_does_not_fit_is_refused(act, message):
    net = ns.Network()
    cells, source = net.add(ns.LIF(), 2, name="cells"), net.add(ns.Poisson(1.0), 2, name="s")
    with pytest.raises((ns.ParameterError, ns.NetworkError, ns.UnsupportedError), match=message):
        act(net, cells, source)


def _joined(net, cells, conductance):
    net.couple(cells, cells, ns.AllToAll(), conductance=conductance)
    return net
