"""Time constants that agree, or do but for rounding: every pair of them has the limit of the formula, in both modes."""

import numpy as np
import pytest
from neuron_runs import run
from test_event_crossing import convolution

import neurosim as ns
from neurosim.engine.exponential import exponential_and_integral

TAUS = (0.01, 0.3, 0.1 * 3, 1.0, 5.0, 5.0 + 1e-12, 5.0 + 1e-6, 20.0, 1e4)  # 0.1 * 3 is the number after 0.3
PAIRS = [(0.3, 0.1 * 3), (np.nextafter(5.0, 0.0), 5.0), (5.0 - 1e-12, 5.0), (5.0 - 1e-6, 5.0), (0.3, 0.3)]


def exponential(matrices):
    """Return the exponentials of matrices and the integrals of exp(A t), as arrays."""
    size = matrices.shape[-1]
    elements = {(i, j): matrices[:, i, j] for i in range(size) for j in range(size) if matrices[:, i, j].any()}
    found = np.zeros((2, *matrices.shape))
    for whole, part in zip(found, exponential_and_integral(elements, size), strict=True):
        for (i, j), value in part.items():
            whole[:, i, j] = value
    return found


@pytest.mark.parametrize("dt", [1e-3, 0.1, 1.0])
def test_every_element_of_a_propagator_is_right(dt):
    """Against convolutions with 90 digits, to the last digits relative to each element."""
    rates = [(1.0 / a, 1.0 / b, 1.0 / c) for a in TAUS for b in TAUS for c in TAUS[::2]]
    found = exponential(np.array([[[-m, 0.1 * m, -70.0 * m, 0.0], [0.0, -s, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0],
                                   [0.0, 0.0, 0.0, -r]] for m, s, r in rates]) * dt)[0]
    for power, (m, s, r) in zip(found, rates, strict=True):
        assert power[0, 1] / (0.1 * m) == pytest.approx(convolution([m, s], dt), rel=3e-15, abs=0.0)
        assert power[0, 3] / (0.1 * m) == pytest.approx(convolution([m, s, r], dt), rel=3e-15, abs=1e-43)
        assert power[0, 2] / (-70.0 * m) == pytest.approx(convolution([m, 0.0], dt), rel=3e-15, abs=0.0)
        assert power[1, 1] == np.exp(-s * dt)


def test_exponentials_of_matrices_with_circles():
    """Turns by an angle, and matrices of one set whose sizes are far apart."""
    angles = np.array([0.0, 1e-9, 0.1, 3.0, 50.0])
    turns, sums = exponential(angles[:, None, None] * np.array([[0.0, 1.0], [-1.0, 0.0]]))
    for turn, total, angle in zip(turns, sums, angles, strict=True):
        expected = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        assert turn == pytest.approx(np.array(expected), abs=1e-13)
        along, across = np.sinc(angle / np.pi), np.sin(0.5 * angle) * np.sinc(0.5 * angle / np.pi)
        assert total == pytest.approx(np.array([[along, across], [-across, along]]), abs=1e-13)
    scaled = np.diag([1e6, 1.0]) @ np.array([[0.0, 1.0], [-1.0, 0.0]]) @ np.diag([1e-6, 1.0])
    assert exponential(scaled[None] * 3.0)[0][0] == pytest.approx(
        np.array([[np.cos(3.0), 1e6 * np.sin(3.0)], [-1e-6 * np.sin(3.0), np.cos(3.0)]]), rel=1e-12)


def test_an_exponential_is_the_same_whatever_it_is_handled_with():
    """To the last bit: alone or among many, and many at once or in pieces."""
    rng = np.random.default_rng(0)
    rates = -1.0 / 10.0 ** rng.uniform(-2.0, 4.0, (3, 5000))
    elements = {(0, 0): rates[0], (0, 1): 0.1 * rates[0], (1, 1): rates[1], (1, 2): 1.0, (2, 2): rates[2]}
    together = exponential_and_integral(elements, 3)
    for number in (0, 1, 4095, 4096, 4999):
        alone = {place: float(value[number]) if np.ndim(value) else value for place, value in elements.items()}
        for many, one in zip(together, exponential_and_integral(alone, 3), strict=True):
            assert {place: np.broadcast_to(value, 5000)[number] for place, value in many.items()} == one


def test_exponentials_of_no_variables_and_of_what_is_no_number():
    assert exponential_and_integral({}, 0) == ({}, {})
    assert exponential_and_integral({}, 2) == ({(0, 0): 1.0, (1, 1): 1.0},) * 2
    rates = np.array([-0.5, np.nan, -np.inf, -2.0])
    whole, total = exponential_and_integral({(0, 0): rates, (0, 1): 0.1, (1, 1): -0.3}, 2)
    assert whole[0, 0][[0, 3]] == pytest.approx(np.exp(rates[[0, 3]]), rel=1e-15)
    assert total[0, 0][[0, 3]] == pytest.approx(np.expm1(rates[[0, 3]]) / rates[[0, 3]], rel=1e-14)
    assert np.isnan(whole[0, 1][1:3]).all() and whole[1, 1] == np.exp(-0.3)


@pytest.mark.parametrize("mode", ["clocked", "event"])
@pytest.mark.parametrize("rise, decay", PAIRS)
def test_the_peak_of_a_double_exponential_is_the_weight(rise, decay, mode):
    """In the limit it is an alpha current."""
    found = {}
    for receptor in (ns.DoubleExponentialCurrent(rise, decay), ns.AlphaCurrent(decay)):
        net = ns.Network()
        source = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=1, duration=9.0)))
        cell = net.add(ns.LIF(v_threshold=1e9), 1)
        net.connect(source, cell, weight=100.0, receptor=receptor)
        net.record(cell, "i_syn", every=0.1)
        net.record(cell, "v", every=0.1)
        sim = ns.Simulation(net, mode="event") if mode == "event" else ns.Simulation(net, dt=0.1, dtype="float64")
        sim.run(12.0)
        found[type(receptor)] = [sim.trace(cell, name)[1].ravel() for name in ("i_syn", "v")]
    assert found[ns.DoubleExponentialCurrent][0].max() == pytest.approx(100.0, abs=1e-4)
    for one, other in zip(*found.values(), strict=True):
        assert one == pytest.approx(other, rel=2e-6, abs=2e-5)


def test_the_peak_of_drawn_time_constants_in_any_order_is_the_weight():
    drawn = ns.DoubleExponentialCurrent(ns.Uniform(1.0, 3.0), ns.Uniform(1.0, 3.0))
    _, traces = run(ns.LIF(v_threshold=1e9), 12.0, 0.01, size=20, inputs=[(drawn, 100.0, [1.0])], variables=["i_syn"])
    assert traces["i_syn"][1].max(axis=0) == pytest.approx(100.0, abs=1e-3)


@pytest.mark.parametrize("tau_mem, tau_syn", [(0.3, 0.1 * 3), (0.1 * 3, 0.3), (np.nextafter(20.0, 0.0), 20.0)])
def test_a_membrane_as_fast_as_its_synapse_but_for_rounding(tau_mem, tau_syn):
    """v = r w (t / tau) exp(-t / tau)."""
    _, traces = run(ns.LIF(tau_mem=tau_mem, v_threshold=1e9), 5.0, 0.1, inputs=[(ns.ExponentialCurrent(tau_syn), 100.0,
                                                                               [1.0])], variables=["v"])
    t = np.arange(51) * 0.1 - 1.0
    expected = np.where(t > 0.0, 10.0 * t / tau_mem * np.exp(-t / tau_mem), 0.0)
    assert traces["v"][1].ravel() + 70.0 == pytest.approx(expected, abs=1e-12)


def test_slow_noise_is_as_strong_as_any():
    """The change of an Ornstein-Uhlenbeck process in a tick has the variance 2 std^2 dt / tau, however slow it is."""
    net = ns.Network()
    cells = net.add(ns.IntegrateAndFire(v_threshold=1e12, c_mem=1.0), 2000)
    net.drive(cells, ns.OUCurrent(mean=0.0, std=1e9, tau=1e16))
    net.record(cells, "v")
    sim = ns.Simulation(net, dt=0.1, dtype="float64")
    sim.run(2.0)
    current = np.diff(sim.trace(cells, "v")[1], axis=0) / 0.1
    changes = np.diff(current, axis=0)
    assert changes.var() == pytest.approx(2.0 * 1e18 * 0.1 / 1e16, rel=0.05)
