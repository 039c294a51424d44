"""Forecasts by reservoirs, nonlinear vector autoregression, leaks that differ and states that turn."""

import math

import numpy as np
import pytest
from sklearn.base import clone

import neurosim as ns
from neurosim.datasets import FLOWS, flow
from neurosim.reservoirs import NVAR, EchoState, Forecaster, valid_time

U = np.random.default_rng(0).normal(size=(40, 2))


@pytest.mark.parametrize("options", [{"leak": np.linspace(0.1, 1.0, 30)}, {"leak": ns.Uniform(0.2, 0.9)},
                                     {"leak": 0.3, "carry": "orthogonal"}])
def test_states_follow_the_equation_with_leaks_and_turns(options):
    network = EchoState(30, 2, bias_scaling=0.3, seed=4, **options)
    leak, x, turn = network.leaks, np.zeros(30), np.eye(30) if network.turn is None else network.turn
    assert (network.turn is None) == ("carry" not in options)
    np.testing.assert_allclose(turn @ turn.T, np.eye(30), atol=1e-12)
    states = network.transform(U)
    for t in range(40):
        before, x = x, (1 - leak) * (turn @ x) + leak * np.tanh(network.w @ x + network.w_in @ U[t] + network.bias)
        np.testing.assert_allclose(states[t], x, atol=1e-12)
    h = 1e-6
    numeric = [(network.step(before + h * e, U[39]) - network.step(before - h * e, U[39])) / (2 * h)
               for e in np.eye(30)]
    np.testing.assert_allclose(network.jacobian(before, U[39]), np.transpose(numeric), atol=1e-7)
    by_numpy = EchoState(30, 2, bias_scaling=0.3, seed=4, activation=np.tanh, **options)
    np.testing.assert_allclose(by_numpy.transform(U), states, atol=1e-12)
    plain = EchoState(30, 2, bias_scaling=0.3, seed=4)
    np.testing.assert_array_equal(plain.w, network.w)  # leaks and turns take no draws from the weights
    np.testing.assert_array_equal(clone(network).transform(U), states)


def test_a_state_that_turns_keeps_its_length():
    network = EchoState(50, leak=1e-9, carry="orthogonal", seed=1)
    state = np.random.default_rng(1).normal(size=50)
    assert np.linalg.norm(network.transform(np.zeros((200, 1)), start=state)[-1]) == pytest.approx(
        np.linalg.norm(state), rel=1e-5)


@pytest.mark.parametrize(("units", "rings"), [(30, 3), (41, 4), (7, 7), (5, 1)])
def test_each_group_of_an_onion_has_its_ring_of_eigenvalues(units, rings):
    w = EchoState(units, spectral_radius=0.9, weights="onion", rings=rings, seed=2).w
    groups = np.array_split(np.arange(units), rings)
    for k, members in enumerate(groups):
        block = w[np.ix_(members, members)]
        sizes = np.abs(np.linalg.eigvals(block))
        assert np.all((sizes > k * 0.9 / rings - 1e-9) & (sizes < (k + 1) * 0.9 / rings + 1e-9))
        np.testing.assert_allclose(np.linalg.svd(block)[1], np.sort(sizes)[::-1], atol=1e-12)  # normal: never more
        w[np.ix_(members, members)] = 0.0
    assert not w.any()  # no way between groups
    assert sizes.max() == pytest.approx(0.9)


def test_outer_rings_of_an_onion_remember_longer():
    network = EchoState(60, weights="onion", rings=3, spectral_radius=0.99, activation="identity", seed=1)
    left = np.linalg.norm(network.transform(np.eye(1, 31).T)[-1].reshape(3, 20), axis=1)
    assert left[0] < 0.33**30 * 5 and left[0] < left[1] < 0.66**30 * 5 < left[2]


@pytest.mark.parametrize(("lags", "order", "stride"), [(1, 1, 1), (2, 2, 1), (3, 2, 4), (2, 3, 2)])
def test_products_are_those_of_past_inputs(lags, order, stride):
    made = NVAR(2, lags=lags, order=order, stride=stride)
    assert made.units == math.comb(2 * lags + order, order) - 1
    table = made.transform(U)
    linear = np.concatenate([np.roll(U, k * stride, axis=0) for k in range(lags)], axis=1)[lags * stride:]
    np.testing.assert_array_equal(table[lags * stride:, :2 * lags], linear)
    if order > 1:
        np.testing.assert_allclose(table[lags * stride:, 2 * lags], linear[:, 0] ** 2)
    products, state = made.begin(U[:25])
    np.testing.assert_array_equal(products, table[:25])
    for t in range(25, 40):
        row, state = made.advance(state, U[t])
        np.testing.assert_allclose(row, table[t], rtol=1e-13)
    short, state = made.begin(U[:1])  # fewer inputs than it looks back
    np.testing.assert_allclose(made.advance(state, U[1])[0], table[1], rtol=1e-13)
    assert clone(made) == made and made.set_params(lags=5).lags == 5


def test_a_polynomial_map_is_foreseen_until_rounding_has_grown():
    """Henon's map grows differences by exp(0.419) a step: those of 1e-13 are of size 0.4 after 70 steps."""
    x = [np.array([0.1, 0.1])]
    for _ in range(700):
        x.append(np.array([1 - 1.4 * x[-1][0] ** 2 + x[-1][1], 0.3 * x[-1][0]]))
    series = np.array(x)
    model = Forecaster(NVAR(2, lags=1), ridge=0.0).fit(series[:500])
    assert 50 < valid_time(model.forecast(200), series[500:700]) < 110
    later = model.forecast(50, after=series[:600])
    assert valid_time(later[:30], series[600:630]) == 30


@pytest.mark.slow
def test_an_echo_state_network_foresees_lorenz():
    made = FLOWS["lorenz"]
    series = flow("lorenz", 2600, seed=2)
    network = EchoState(150, 3, input_scaling=0.1, bias_scaling=0.5, spectral_radius=0.9, density=0.04, seed=1)
    forecast = Forecaster(network, ridge=1e-9).fit(series[:2000]).forecast(600)
    still = np.broadcast_to(series[1999], forecast.shape)
    held = [valid_time(one, series[2000:]) * made.every * made.lyapunov for one in (forecast, still)]
    assert held[0] > 2.0 > 0.5 > held[1]


def test_units_with_time_scales_of_their_own_beat_one_that_all_share():
    """The target is a product of a slow and a fast mean of the input; the example has seeds and intervals."""
    from scipy.signal import lfilter

    u = np.random.default_rng(5).uniform(-1, 1, 3000)
    slow, fast = (lfilter([1 / tau], [1, 1 / tau - 1], u) for tau in (50.0, 2.0))
    target = slow * fast / np.std(slow * fast)

    def error(leak):
        x = EchoState(150, leak=leak, input_scaling=0.5, bias_scaling=0.5, density=0.05, seed=1).transform(u[:, None])
        x = np.hstack([np.ones((3000, 1)), x])[200:]
        gram = x[:1500].T @ x[:1500] + 1e-5 * np.eye(151)
        return np.std(x[1500:] @ np.linalg.solve(gram, x[:1500].T @ target[200:1700]) - target[1700:])

    assert error(np.logspace(-2, 0, 150)) < 0.9 * min(map(error, (0.03, 0.1, 0.3, 1.0)))


def _halvorsen():
    series = flow("halvorsen", 1300, seed=3)
    network = EchoState(60, 3, input_scaling=0.1, bias_scaling=0.5, spectral_radius=0.9, density=0.1, seed=1)
    return series, network, (series - series[:1000].mean(axis=0)) / series[:1000].std(axis=0)


def test_the_readout_is_ridge_regression_of_the_difference_without_a_penalty_of_the_intercept():
    from sklearn.linear_model import Ridge

    series, network, u = _halvorsen()
    model = Forecaster(network, ridge=1e-6).fit(series[:1000])
    features = np.hstack([u[:999], network.transform(u[:999])])[100:]
    right = Ridge(alpha=1e-6 * 899, solver="svd").fit(features / features.std(axis=0), np.diff(u[:1000], axis=0)[100:])
    np.testing.assert_allclose(model.scale_, np.r_[1.0, features.std(axis=0)], rtol=1e-12)
    np.testing.assert_allclose(model.weights_, np.vstack([right.intercept_, right.coef_.T]), rtol=1e-6, atol=1e-9)


def test_with_the_same_matrices_and_features_reservoirpy_forecasts_the_same():
    nodes = pytest.importorskip("reservoirpy.nodes", reason="ReservoirPy is not installed")
    series, network, u = _halvorsen()
    theirs = nodes.Reservoir(W=network.w, Win=network.w_in, bias=network.bias, lr=1.0)
    x = theirs.run(u[:1000])
    np.testing.assert_allclose(network.transform(u[:1000]), x, rtol=0, atol=1e-13)
    features = np.hstack([u[:999], x[:999]])[100:]
    scale = features.std(axis=0)
    read = nodes.Ridge(ridge=1e-6 * 899).fit(features / scale, np.diff(u[:1000], axis=0)[100:])
    y, x, path = u[999], x[999], []
    for _ in range(100):
        y = y + np.ravel(read.step(np.concatenate([y, x]) / scale))
        path.append(y)
        x = np.ravel(theirs.step(y))
    found = (Forecaster(network, ridge=1e-6).fit(series[:1000]).forecast(100) - series[:1000].mean(axis=0)
             ) / series[:1000].std(axis=0)
    np.testing.assert_allclose(found, path, rtol=0, atol=1e-6)  # a difference of rounding grows with the system


def test_a_forecast_that_runs_away_is_infinite_and_holds_no_longer():
    series = np.exp(0.5 * np.arange(300.0) % 3)[:, None]
    model = Forecaster(NVAR(1, lags=1, order=3), ridge=0.0, washout=0).fit(series)
    model._fitted["weights"] = model.weights_ * 50
    found = model.forecast(100)
    assert np.isinf(found[-1]).all() and valid_time(found, np.ones((100, 1)), spread=1.0) < 20


@pytest.mark.parametrize(("make", "text"), [
    (lambda: Forecaster("echo"), "Forecaster.reservoir must be an EchoState, a BalancedEchoState or an NVAR, got"),
    (lambda: Forecaster(NVAR(2)).forecast(3), "Forecaster must be fitted before it is used"),
    (lambda: Forecaster(NVAR(2)).fit(U[:, :1]), r"series must be finite numbers of shape \(times, 2\), at least 103"),
    (lambda: Forecaster(NVAR(1), washout=0).fit(np.ones((9, 1))), "each variable of the series must change"),
    (lambda: valid_time([1.0], [1.0, 2.0]), "valid_time.forecast must be numbers of shape"),
    (lambda: EchoState(10, leak=[0.1, 0.2]), "EchoState.leak must be a number, a distribution, or 10 numbers"),
    (lambda: EchoState(10, leak=ns.Uniform(-1.0, 0.0)), "EchoState.leak must be a finite number > 0 and <= 1"),
    (lambda: EchoState(10, weights="onion", rings=11), "EchoState.rings must be at most the number of units, 10"),
    (lambda: EchoState(10, carry="rotate"), "EchoState.carry must be 'same' or 'orthogonal'"),
    (lambda: NVAR(2).transform([1.0]), r"NVAR.X must be finite numbers of shape \(times, 2\)"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()
