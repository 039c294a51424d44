"""Balanced echo states and their adaptation, and the series that reservoirs are judged by."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

import neurosim as ns
from neurosim.datasets import FLOWS, flow, mackey_glass, narma
from neurosim.reservoirs import BalancedEchoState
from neurosim.reservoirs.metrics import memory_capacity
from tests.shares import quick

U = np.random.default_rng(0).uniform(-1, 1, (1500, 1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_states_follow_the_equation_under_dales_law():
    network = BalancedEchoState(50, 2, degree=20, slope=3.0, threshold=ns.Normal(0.0, 0.1), seed=3)
    assert (network.w[:, :40] >= 0).all() and (network.w[:, 40:] <= 0).all() and len(set(network.thresholds)) == 50
    u, r = np.random.default_rng(1).normal(size=(30, 2)), np.zeros(50)
    states = network.transform(u)
    for t in range(30):
        before, r = r, sigmoid(3.0 * (network.w @ r + network.w_in @ u[t] - network.thresholds))
        np.testing.assert_allclose(states[t], r, atol=1e-12)
    np.testing.assert_allclose(network.step(before, u[29]), states[29], atol=1e-14)
    h, numeric = 1e-6, []
    for e in np.eye(50):
        numeric.append((network.step(before + h * e, u[29]) - network.step(before - h * e, u[29])) / (2 * h))
    np.testing.assert_allclose(network.jacobian(before, u[29]), np.transpose(numeric), atol=1e-7)


def test_excitation_and_inhibition_cancel_in_the_mean():
    w = BalancedEchoState(2000, degree=200, seed=1).w
    assert w[:, :1600].sum(axis=1).mean() == pytest.approx(1.0, rel=0.01)
    assert abs(w.sum(axis=1).mean()) < 0.01
    strong = BalancedEchoState(2000, degree=200, inhibition=1.5, seed=1).w
    np.testing.assert_allclose(strong[:, 1600:], 1.5 * w[:, 1600:])


@pytest.mark.parametrize("adapts", ["inhibition", "threshold"])
@pytest.mark.parametrize("target", [0.5, np.linspace(0.4, 0.6, 100), ns.Uniform(0.4, 0.6)])
def test_one_step_makes_the_targets_a_fixed_point(adapts, target):
    network = BalancedEchoState(100, target=target, adapts=adapts, seed=2).fit(U)
    if adapts == "inhibition":
        assert (network.w_[:, 80:] <= 0).all() and network.unreached_ == 0
        np.testing.assert_array_equal(network.w_[:, :80], network.w[:, :80])
    fixed = network.step(network.targets_, U.mean(axis=0))
    np.testing.assert_allclose(fixed, network.targets_, atol=1e-12)


def test_units_that_need_excitation_are_counted():
    network = BalancedEchoState(100, target=0.98, degree=5, seed=2).fit(U)
    fixed = network.step(network.targets_, U.mean(axis=0))
    assert network.unreached_ == np.count_nonzero(np.abs(fixed - 0.98) > 1e-9) > 0


@pytest.mark.parametrize("presynaptic", [False, True])
def test_the_online_rule_brings_rates_to_their_targets(presynaptic):
    network = BalancedEchoState(100, target=0.5, rule="online", presynaptic=presynaptic, input_scaling=0.2, seed=1)
    before = network.replace(target=None).transform(U)[500:].mean(axis=0)
    after = network.fit_transform(U)[500:].mean(axis=0)
    assert np.abs(after - 0.5).mean() < 0.03 < 0.1 < np.abs(before - 0.5).mean()
    assert (network.w_[:, 80:] <= 0).all() and ((network.w_ == 0) >= (network.w == 0)).all()
    by_hand, inhibition, r = BalancedEchoState(100, input_scaling=0.2, seed=1), -network.w[:, 80:], np.zeros(100)
    first = network.fit(U[:1]).w_  # one step by hand
    state = by_hand.step(r, U[0])
    change = 0.01 * (state - 0.5)[:, None] * (inhibition > 0) * (r[80:] if presynaptic else 1.0)
    np.testing.assert_allclose(-first[:, 80:], np.maximum(inhibition + change, 0.0), atol=1e-15)


def test_adapted_units_remember_more_than_the_best_that_all_share():
    """The sign of the published claim, on one small network; the example has seeds and intervals."""
    u = np.random.default_rng(1).uniform(-1, 1, 4000)

    def memory(**how):
        network = BalancedEchoState(150, degree=40, input_scaling=0.2, seed=1, **how).fit(u[:1000, None])
        return memory_capacity(network.transform(u[:, None])[1000:], u[1000:], longest=40, washout=100).total

    shared = max(memory(inhibition=factor, threshold=threshold) for factor in (0.9, 1.0, 1.2, 1.5)
                 for threshold in (-0.1, 0.0, 0.1))
    assert memory(target=0.5) > 1.2 * shared
    assert memory(inhibition=0.5) < shared  # dominated by excitation


def test_it_keeps_the_contract_of_scikit_learn():
    network = BalancedEchoState(40, target=0.5, degree=15, seed=1)
    with pytest.raises(ns.ParameterError, match="must be fitted before it is used"):
        network.transform(U)
    fitted = network.fit(U)
    assert fitted is network and "w_" not in vars(clone(network))
    with pytest.raises(ns.ParameterError, match="must be fitted before it is used"):
        clone(network).transform(U)
    other = network.w_.copy()
    assert not np.array_equal(network.fit(2 + U).w_, other)  # anew, from the weights before adaptation
    np.testing.assert_array_equal(network.fit(U).w_, other)
    pipeline = make_pipeline(clone(network), Ridge(1e-6))
    before = np.roll(U[:, 0], 3)
    found = GridSearchCV(pipeline, {"balancedechostate__target": [0.05, 0.5]}, cv=TimeSeriesSplit(2)).fit(U, before)
    assert found.best_params_ == {"balancedechostate__target": 0.5} and found.best_score_ > 0.6
    assert network.set_params(target=None).transform(U).shape == (1500, 40)
    samples = U.reshape(3, 500, 1)
    np.testing.assert_array_equal(network.transform(samples), [network.transform(one) for one in samples])


@pytest.mark.parametrize(("make", "text"), [
    (lambda: BalancedEchoState(20), "BalancedEchoState.degree must be <= units = 20, got 50"),
    (lambda: BalancedEchoState(3, degree=2, excitatory=0.99), "must leave units of both kinds, got 0.99 of 3"),
    (lambda: BalancedEchoState(60, target=1.0), "BalancedEchoState.target must be a finite number > 0 and < 1"),
    (lambda: BalancedEchoState(60, target=[0.1, 0.2]), "target must be a number, a distribution, or 60 numbers"),
    (lambda: BalancedEchoState(60, target=ns.Normal(0.0, 1.0)), "BalancedEchoState.target must be a finite number > 0"),
    (lambda: BalancedEchoState(60, target=0.5).fit(np.zeros((0, 1))), "must hold at least one time"),
    (lambda: BalancedEchoState(60, target=0.5).fit(None), "BalancedEchoState.X must be an array of shape"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()


# ---------------------------------------------------------------------------------------------------------------------
# Series
# ---------------------------------------------------------------------------------------------------------------------

def test_mackey_glass_is_exact_where_the_equation_can_be_solved():
    """Up to tau the delayed value is the history, and x relaxes to a constant exponentially."""
    gain = 0.2 * 1.2 / (1 + 1.2**10)
    expected = gain / 0.1 + (1.2 - gain / 0.1) * np.exp(-0.1 * np.arange(1, 18))
    np.testing.assert_allclose(mackey_glass(17), expected, atol=1e-9)


def test_mackey_glass_converges_with_the_fourth_power_of_the_step():
    exact = mackey_glass(80, substeps=80)
    errors = [np.abs(mackey_glass(80, substeps=n) - exact).max() for n in (2, 4, 8)]
    assert 12 < errors[0] / errors[1] < 20 and 12 < errors[1] / errors[2] < 20
    later = mackey_glass(30, washout=50.0)
    np.testing.assert_allclose(later, mackey_glass(80)[50:], atol=1e-12)


@pytest.mark.parametrize("order", [1, 5, 10, 12])
def test_narma_follows_its_equation(order):
    u = np.random.default_rng(0).uniform(0, 0.5, 60)
    y, series = {t: 0.0 for t in range(-20, 1)}, narma(u, order)
    at = {t: value for t, value in enumerate(u)}
    for t in range(60):
        value = (0.3 * y[t] + 0.05 * y[t] * sum(y[t - i] for i in range(order))
                 + 1.5 * at.get(t - order + 1, 0.0) * u[t] + 0.1)
        y[t + 1] = np.tanh(value) if order > 10 else value
    np.testing.assert_allclose(series, [y[t + 1] for t in range(60)], atol=1e-12)
    with pytest.raises(ns.ParameterError, match="it has left 10\\^6 at time"):
        narma(np.full(3000, 2.0), 10)


@pytest.mark.parametrize("name", quick(("lorenz",), FLOWS))
def test_flows_have_their_published_exponents(name):
    """Twin trajectories, renormalised at every point."""
    made = FLOWS[name]
    x = flow(name, 1, samples=60)[:, 0]
    rng = np.random.default_rng(0)
    apart = rng.normal(size=x.shape)
    growth, steps = np.zeros(60), 1200
    h = made.every / 4

    def moved(x):
        for _ in range(4):
            a = made.slope(x)
            b = made.slope(x + 0.5 * h * a)
            c = made.slope(x + 0.5 * h * b)
            x = x + h / 6 * (a + 2 * b + 2 * c + made.slope(x + h * c))
        return x

    apart *= 1e-7 / np.linalg.norm(apart, axis=1, keepdims=True)
    for step in range(steps):
        after = moved(x)
        apart = moved(x + apart) - after
        length = np.linalg.norm(apart, axis=1, keepdims=True)
        growth += np.log(length[:, 0] / 1e-7) * (step >= 200)
        x, apart = after, apart * (1e-7 / length)
    assert growth.mean() / (1000 * made.every) == pytest.approx(made.lyapunov, rel=0.1)


def test_flows_follow_the_seed_and_say_what_does_not_fit():
    np.testing.assert_array_equal(flow("lorenz", 5, seed=3, washout=10), flow("lorenz", 5, seed=3, washout=10))
    many = flow("chen", 4, samples=3, washout=10)
    assert many.shape == (3, 4, 3) and not np.array_equal(many[0], many[1])
    for make, text in ((lambda: flow("lorentz", 5), "flow.name must be one of lorenz, rossler"),
                       (lambda: flow("lorenz", 50, every=10.0), "flow.substeps must be so many"),
                       (lambda: mackey_glass(5, substeps=1, every=20.0), "mackey_glass.substeps must be so many")):
        with pytest.raises(ns.ParameterError, match=text):
            make()
