"""Decoders of spike counts beside closed forms, enumeration, scikit-learn, and models that made the counts."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import poisson
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor

import neurosim as ns
from neurosim.readouts import PlaceDecoder, SwitchingPoisson


def walk(bins=4000, axes=1, seed=0):
    """Counts of 30 units with Gaussian tuning, while something walks through the unit interval or square."""
    rng = np.random.default_rng(seed)
    x = 0.5 + 0.5 * np.sin(np.cumsum(0.2 * rng.normal(size=(bins, axes)), axis=0))
    centres = rng.uniform(0, 1, (30, axes))
    rates = 0.05 + 2 * np.exp(-0.5 * (((x[:, None] - centres) / 0.15) ** 2).sum(axis=2))
    return rng.poisson(rates), x[:, 0] if axes == 1 else x


@pytest.mark.parametrize("axes", [1, 2])
def test_places_are_found_far_better_than_by_chance(axes):
    counts, x = walk(axes=axes)
    model = PlaceDecoder(places=20).fit(counts[:3000], x[:3000])
    found = model.predict(counts[3000:])
    assert found.shape == x[3000:].shape

    def error(found):
        return np.median(np.linalg.norm((found - x[3000:]).reshape(1000, -1), axis=1))

    assert error(found) < 0.09 * axes and error(np.random.default_rng(1).permutation(found)) > 0.25
    assert clone(model).get_params() == {"places": 20, "smooth": 1.5, "prior": True}


def test_the_posterior_is_bayes_rule():
    counts, x = walk(500)
    model = PlaceDecoder(places=9, smooth=0.0).fit(counts, x)
    cell = np.minimum((x - x.min()) / (x.max() - x.min()) * 9, 8.999).astype(int)
    rates = np.stack([counts[cell == k].mean(axis=0) for k in range(9)])
    np.testing.assert_allclose(model.rates_[rates > 0], rates[rates > 0])
    np.testing.assert_allclose(model.occupancy_, np.bincount(cell, minlength=9) / 500)
    direct = poisson.logpmf(counts[:5, None], model.rates_[None]).sum(axis=2) + np.log(model.occupancy_)
    found = model.log_posterior(counts[:5])
    np.testing.assert_allclose(found - found[:, :1], direct - direct[:, :1], atol=1e-9)
    model.prior = False
    np.testing.assert_allclose(np.diff(model.log_posterior(counts[:5]) - direct, axis=1)[0],
                               -np.diff(np.log(model.occupancy_)), atol=1e-9)


def test_one_state_is_poisson_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    counts = rng.poisson(np.exp(x @ [0.5, -0.3, 0.1] - 0.5))[:, None]
    model = SwitchingPoisson(1, ridge=2.0, iterations=20).fit(x, counts)
    other = PoissonRegressor(alpha=2.0 / 400, tol=1e-10, max_iter=1000).fit(x, counts[:, 0])
    np.testing.assert_allclose(model.weights_[0, :3, 0], other.coef_, atol=1e-5)
    assert model.weights_[0, 3, 0] == pytest.approx(other.intercept_, abs=1e-5)


def test_likelihood_and_states_are_those_of_all_paths():
    rng = np.random.default_rng(1)
    x, counts = rng.normal(size=(6, 2)), rng.poisson(1.0, (6, 3))
    model = SwitchingPoisson(2, iterations=2).fit(x, counts)
    design, share, total = np.hstack([x, np.ones((6, 1))]), np.zeros((6, 2)), 0.0
    for path in product(range(2), repeat=6):
        p = model.start_[path[0]] * np.prod([model.transitions_[a, b] for a, b in zip(path, path[1:], strict=False)])
        for t, state in enumerate(path):
            p *= poisson.pmf(counts[t], np.exp(design[t] @ model.weights_[state])).prod()
        total += p
        share[np.arange(6), path] += p
    assert model.score(x, counts) * 6 == pytest.approx(np.log(total), rel=1e-10)
    np.testing.assert_allclose(model.posterior(x, counts), share / total, atol=1e-10)


def test_hidden_states_and_their_weights_are_recovered():
    rng = np.random.default_rng(2)
    bins, state, states = 4000, 0, []
    for _ in range(bins):
        state = state if rng.random() < 0.98 else 1 - state
        states.append(state)
    states, x = np.array(states), rng.normal(size=(bins, 1))
    weights = np.array([[[0.8] * 4 + [0.0] * 4, [-0.5] * 8], [[0.0] * 4 + [-0.8] * 4, [0.3] * 8]])
    counts = rng.poisson(np.exp(x * weights[states, 0] + weights[states, 1]))
    model = SwitchingPoisson(2, ridge=1e-3, seed=1).fit(x[:3000], counts[:3000])
    order = np.argsort(model.weights_[:, 1].mean(axis=1))
    np.testing.assert_allclose(model.weights_[order], weights, atol=0.15)
    assert (np.diff(model.scores_) > -1e-9).all()  # expectation maximisation never loses
    agree = (model.posterior(x[3000:], counts[3000:])[:, order].argmax(axis=1) == states[3000:]).mean()
    assert agree > 0.9
    one = SwitchingPoisson(1, ridge=1e-3).fit(x[:3000], counts[:3000])
    assert model.score(x[3000:], counts[3000:]) > one.score(x[3000:], counts[3000:]) + 0.3


@pytest.mark.parametrize(("make", "text"), [
    (lambda: PlaceDecoder().fit([[1.0], [-1.0]], [0.0, 1.0]), "counts must be numbers >= 0 of shape"),
    (lambda: PlaceDecoder().fit([[1.0], [1.0]], [0.0]), "positions must be finite, one for each of 2 bins"),
    (lambda: PlaceDecoder(places=1).fit([[1.0]], [0.0]), "PlaceDecoder.places must be a whole number >= 2, got 1"),
    (lambda: SwitchingPoisson(0).fit(None, [[1.0]]), "SwitchingPoisson.states must be a whole number >= 1, got 0"),
    (lambda: SwitchingPoisson().fit([[np.nan]], [[1.0]]), "covariates must be finite numbers"),
    (lambda: SwitchingPoisson().fit(None, np.eye(9)).score(np.ones((9, 2)), np.eye(9)), r"of shape \(9, 0\), got an"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()
