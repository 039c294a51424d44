"""Readouts against closed forms, and evaluation that cannot fool itself."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import neurosim as ns
from neurosim import readouts
from neurosim.errors import ParameterError
from neurosim.readouts import RecursiveLeastSquares, evaluate, interval, logistic, ridge, score
from neurosim.readouts.gram import GramRidge, gram
from neurosim.readouts.penalties import at_penalties


@parametrize_with_checks([RecursiveLeastSquares()])
def test_recursive_least_squares_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def samples(n=60, features=7, outputs=3):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, features)), rng.standard_normal((n, outputs))


def test_recursive_least_squares_ends_where_ridge_does():
    X, y = samples()
    online = RecursiveLeastSquares(alpha=0.3, fit_intercept=False)
    for part in np.array_split(np.arange(60), 7):
        online.partial_fit(X[part], y[part])
    np.testing.assert_allclose(online.predict(X), Ridge(0.3, fit_intercept=False).fit(X, y).predict(X), atol=1e-10)


def test_forgetting_weighs_samples_by_their_age():
    X, y = samples(outputs=1)
    online = RecursiveLeastSquares(alpha=0.3, forgetting=0.9, fit_intercept=False).fit(X, y[:, 0])
    weights = 0.9 ** np.arange(59, -1, -1)
    normal = (X * weights[:, None]).T @ X + 0.3 * 0.9**60 * np.eye(7)
    np.testing.assert_allclose(online.weights_[:, 0], np.linalg.solve(normal, (X * weights[:, None]).T @ y[:, 0]),
                               atol=1e-9)


def test_ridge_chooses_its_penalty_by_leave_one_out():
    X, y = load_digits(return_X_y=True)
    X, y = X[:200] + np.random.default_rng(0).normal(0, 8, (200, 64)), y[:200]
    chosen = ridge(alphas=[1.0, 100.0, 1e4]).fit(X, y)[-1].alpha_
    scaled = (X - X.mean(0)) / np.where(X.std(0) == 0, 1, X.std(0))
    target = np.where(y[:, None] == np.arange(10), 1.0, -1.0)
    errors = []
    for alpha in (1.0, 100.0, 1e4):
        errors.append(((cross_val_predict(Ridge(alpha), scaled, target, cv=200) - target) ** 2).mean())
    assert chosen == [1.0, 100.0, 1e4][int(np.argmin(errors))]


def test_accuracy_on_noise_is_chance_even_with_many_features():
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((200, 1000)), rng.integers(0, 2, 200)
    found = evaluate(ridge(), X, y, seeds=range(3))
    assert abs(found.accuracy - 0.5) < 0.1
    assert found.n_test == 200 and found.n_train == 160 and found.interval[0] < 0.5 < found.interval[1]


def test_variants_of_test_samples_are_never_trained_on():
    """Each sample is noise, its variant a copy: a leak would make the classifier perfect."""
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((120, 300)), rng.integers(0, 2, 120)
    assert evaluate(ridge(), X, y, seeds=[0, 1], augment={"copy": X}).accuracy < 0.65


@pytest.mark.parametrize("model", [ridge(), logistic(strengths=[1e-3, 1e-1])])
def test_digits_are_read(model):
    X, y = load_digits(return_X_y=True)
    fitted = model.fit(X[:600], y[:600])
    found = score(fitted, X[600:1000], y[600:1000], n_train=600)
    assert found.accuracy > 0.85 and "n_test 400, n_train 600" in str(found) and "chance" in str(found)
    assert RidgeClassifier().fit(X[:600], y[:600]).score(X[600:1000], y[600:1000]) < found.accuracy + 0.03


def test_the_interval_covers_what_it_says():
    rng = np.random.default_rng(0)
    shares = rng.binomial(100, 0.9, 2000) / 100
    inside = [low <= 0.9 <= high for low, high in (interval(share, 100) for share in shares)]
    assert 0.92 < np.mean(inside) < 0.98


@pytest.mark.parametrize("act, message", [
    (lambda: ridge(alphas=[1.0, -1.0]), "alphas must be finite numbers > 0"),
    (lambda: logistic(folds=1), "logistic.folds must be a whole number >= 2, got 1"),
    (lambda: evaluate(ridge(), np.zeros(3), [0, 1, 2]), r"evaluate.X must have shape \(samples, features\)"),
    (lambda: RecursiveLeastSquares(forgetting=1.5).fit([[1.0]], [1.0]),
     "forgetting must be a finite number > 0 and <= 1"),
])
def test_bad_input_is_refused(act, message):
    with pytest.raises(ns.ParameterError, match=message):
        act()


# ---- ridge from inner products -------------------------------------------------------------------------------------


def drawn(n, width, classes, seed):
    generator = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return generator.poisson(2.0 + 1.5 * (np.arange(width) % classes == y[:, None])).astype(np.float64), y


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize(("width", "classes"), [(20, 3), (400, 3), (400, 2)])
def test_gram_ridge_is_ridge(width, classes, root):
    X, y = drawn(90, width, classes, 1)
    train, test = np.arange(60), np.arange(60, 90)
    theirs = readouts.ridge(scale=False, root=root).fit(X[train], y[train])
    ours = GramRidge(gram(X, root=root)).fit(train[:, None], y[train])
    assert ours.alpha_ == theirs[-1].alpha_
    assert np.array_equal(ours.predict(test[:, None]), theirs.predict(X[test]))


def test_gram_ridge_chooses_as_a_grid_search_does():
    y = drawn(90, 3, 3, 1)[1]
    sets = [drawn(90, width, 3, seed)[0] for seed, width in ((1, 4), (2, 30), (3, 9))]
    scores = [cross_val_score(readouts.ridge(scale=False), X, y, cv=3).mean() for X in sets]
    ours = GramRidge([gram(X) for X in sets]).fit(np.arange(90)[:, None], y)
    np.testing.assert_allclose(ours.scores_, scores)
    assert ours.choice_ == int(np.argmax(scores))
    found = readouts.evaluate(GramRidge(gram(sets[1])), np.arange(90)[:, None], y, seeds=2)
    assert np.array_equal(found.predictions,
                          readouts.evaluate(readouts.ridge(scale=False), sets[1], y, seeds=2).predictions)


@pytest.mark.parametrize(("grams", "X", "y", "message"), [
    (np.zeros((3, 2)), [[0], [1]], [0, 1], r"GramRidge.grams must be arrays of shape \(samples, samples\)"),
    ([np.eye(3), np.eye(2)], [[0], [1]], [0, 1], "GramRidge.grams must be arrays"),
    (np.eye(3), [0, 1], [0, 1], r"GramRidge.X must be numbers of samples, integers of shape \(n, 1\)"),
    (np.eye(3), [[0.5], [1.0]], [0, 1], "GramRidge.X must be numbers of samples"),
    (np.eye(3), [[0], [1]], [1, 1], "GramRidge.y must hold two classes or more"),
])
def test_gram_ridge_refuses_what_does_not_fit(grams, X, y, message):
    with pytest.raises(ParameterError, match=message):
        GramRidge(grams).fit(X, y)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 17, 60])
@pytest.mark.parametrize("width", [1, 5, 90])
def test_many_penalties_at_once_are_the_inverse_at_each(n, width):
    rng, alphas = np.random.default_rng(n), np.array([1e-3, 1.0, 1e4])
    X, targets = rng.standard_normal((n, width)) * 3.0, rng.standard_normal((n, 3))
    solutions, diagonals = at_penalties(X @ X.T, targets, alphas)
    for alpha, solution, diagonal in zip(alphas, solutions, diagonals, strict=True):
        inverse = np.linalg.inv(X @ X.T + alpha * np.eye(n))
        np.testing.assert_allclose(solution, inverse @ targets, rtol=1e-6, atol=1e-8 / alpha)
        np.testing.assert_allclose(diagonal, np.diag(inverse), rtol=1e-6)


def test_penalties_that_are_lost_in_rounding_are_refused():
    X = np.random.default_rng(1).standard_normal((40, 3)) * 1e6
    with pytest.raises(ParameterError, match="alphas must be larger than the rounding .*, got 1e-09"):
        at_penalties(X @ X.T, X, np.array([1e-9]))
