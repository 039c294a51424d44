"""Soft competition by Hebb's rule: norms, gradients, what adaptation does and where it has nothing to learn."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import neurosim as ns
from learning_rules import NeuroModulatedHebb, SoftHebb

X, Y = load_digits(return_X_y=True)


def test_one_batch_is_the_rule_read_literally():
    layer = SoftHebb(5, temperature=0.3, eta=0.01, epochs=1).fit(X[:40])
    x, w, m = layer.prepared(X[40:60]), layer.weights_.copy(), np.linspace(0.0, 2.0, 5)
    change = np.zeros_like(w)
    for each in x:
        u = w @ each
        y = np.exp(u / 0.3) / np.exp(u / 0.3).sum()
        for k in range(5):
            change[k] += m[k] * y[k] * (each - u[k] * w[k])
    layer.learn(x, m)
    np.testing.assert_allclose(layer.weights_, w + 0.01 * 5 / 20 * change, atol=1e-14)


@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_weights_come_to_norm_one(scale):
    layer = SoftHebb(60, epochs=0).fit(X)
    layer.weights_ *= scale
    for _ in range(80):
        layer.partial_fit(X)
    assert np.linalg.norm(layer.weights_, axis=1) == pytest.approx(1.0, abs=0.03)


def test_where_the_rule_rests_the_norm_is_one_exactly():
    layer = SoftHebb(3, temperature=0.5, eta=0.2, epochs=5000, batch=200).fit(X[:200])
    before = layer.weights_.copy()
    layer.partial_fit(X[:200])
    assert np.abs(layer.weights_ - before).max() < 1e-9
    assert np.linalg.norm(layer.weights_, axis=1) == pytest.approx(1.0, abs=1e-7)


def test_the_slope_of_the_entropy_is_that_of_differences():
    model = NeuroModulatedHebb(SoftHebb(20, epochs=2)).fit(X[:300], Y[:300])
    model.gains_ = np.linspace(0.5, 1.5, 20)
    _, slope = model._entropy(model.layer_.transform(X[300:350]))
    for k in (0, 7, 19):
        values = []
        for step in (1e-5, -2e-5):
            model.gains_[k] += step
            values.append(model.entropy(X[300:350]))
        model.gains_[k] += 1e-5
        assert slope[k] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-4, abs=1e-8)


def broken(images, seed, share=0.2):
    """Return images of which some pixels, the same in all, are black or white at random."""
    rng = np.random.default_rng(seed)
    bad, images = rng.choice(64, round(64 * share), replace=False), images.copy()
    images[:, bad] = 16.0 * (rng.random((len(images), bad.size)) < 0.5)
    return images


@pytest.mark.parametrize("seed", [0, 1])
def test_adaptation_lowers_error_and_entropy_where_pixels_are_broken(seed):
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = order[:1000], order[1000:]
    model = NeuroModulatedHebb(SoftHebb(seed=seed)).fit(X[train], Y[train])
    assert model.score(X[test], Y[test]) > 0.93
    seen = broken(X[test], seed)
    error, entropy = 1 - model.score(seen, Y[test]), model.entropy(seen)
    model.adapt(seen)
    assert 1 - model.score(seen, Y[test]) < error - 0.015 and model.entropy(seen) < entropy
    assert np.linalg.norm(model.layer_.weights_, axis=1) == pytest.approx(1.0, abs=0.05)
    fresh = broken(X[train], seed)  # the same pixels, other samples
    assert model.score(fresh, Y[train]) > 1 - error


def test_each_half_adapts_alone():
    model = NeuroModulatedHebb(SoftHebb(30, epochs=2), rate=0.0).fit(X[:500], Y[:500])
    weights = model.layer_.weights_.copy()
    assert (model.adapt(X[500:600]).gains_ == 1).all() and (model.layer_.weights_ != weights).all()
    other = NeuroModulatedHebb(SoftHebb(30, epochs=2), eta=0.0).fit(X[:500], Y[:500])
    before = other.layer_.weights_.copy()
    assert (other.adapt(X[500:600]).gains_ != 1).any() and (other.layer_.weights_ == before).all()


@pytest.mark.parametrize(("make", "text"), [
    (lambda: SoftHebb(0).fit(X), "SoftHebb.units must be"),
    (lambda: SoftHebb(temperature=0.0).fit(X), "SoftHebb.temperature must be"),
    (lambda: SoftHebb().partial_fit(X), "call fit first"),
    (lambda: NeuroModulatedHebb(layer=3).fit(X, Y), "NeuroModulatedHebb.layer must be a SoftHebb, got 3"),
    (lambda: NeuroModulatedHebb(SoftHebb(9, epochs=1)).fit(X[:300], Y[:300] > 4), "three classes or more, got 2"),
    (lambda: NeuroModulatedHebb(SoftHebb(9, epochs=1), LogisticRegression(), rate=-1.0).fit(X[:300], Y[:300]).adapt(X),
     "NeuroModulatedHebb.rate must be"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()
