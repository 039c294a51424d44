"""Broadcast errors: the compiled loop is the equations, masks stay, layers that learn read better through few ways."""

import numpy as np
import pytest

from learning_rules import BroadcastClassifier
from neurosim.errors import ParameterError

OPTIONS = {"units": 9, "classes": 3, "pool": 2, "share": 0.5, "ticks": 12, "rate": 0.6, "rate_hidden": 2e-2,
           "rate_readout": 3e-2, "gain_in": 3.0, "gain_across": 3.0, "seed": 3}


def by_numpy(model, images, labels):
    """Learn from images in their order by the equations, with whole arrays; return weights and the readout's spikes."""
    w = {name: array.copy() for name, array in model.weights.items()}
    spikes = np.random.default_rng([model.seed, 2, 0]).random((len(images), model.ticks, model.inputs))
    spikes = spikes < images[:, None] * model.rate
    pools = np.arange(model.classes * model.pool) // model.pool
    ways = {"in": (0, 1), "within1": (1, 1), "across": (1, 2), "within2": (2, 2)}
    fired = 0
    for shown, label in zip(spikes, labels, strict=True):
        s, v = [None, *np.zeros((2, model.units))], [None, *np.zeros((2, model.units))]
        m, vo, mo = [None, *np.zeros((2, model.units))], np.zeros(pools.size), np.zeros(pools.size)
        x = [np.zeros(model.inputs), *np.zeros((2, model.units))]
        e = {name: np.zeros_like(w[name]) for name in ways}
        for s0 in shown:
            now = [s0.astype(float), s[1], s[2]]
            x = [model.kappa * a + b for a, b in zip(x, now, strict=True)]
            v = [None] + [model.decay * v[k] + sum(now[a] @ w[name] for name, (a, b) in ways.items() if b == k)
                          for k in (1, 2)]
            vo = model.decay * vo + now[1] @ w["out1"] + now[2] @ w["out2"]
            eligible = [None] + [np.abs(v[k] - 1) < model.window for k in (1, 2)]
            s = [None] + [(v[k] > 1).astype(float) for k in (1, 2)]
            v = [None] + [np.where(v[k] > 1, 0.0, v[k]) for k in (1, 2)]
            so, vo = (vo > 1).astype(float), np.where(vo > 1, 0.0, vo)
            fired += so.sum()
            d = (pools == label) - so
            mo = model.beta * mo + (1 - model.beta) * d
            pooled = d.reshape(model.classes, model.pool).mean(axis=1)
            for k, mask in ((1, model.mask1), (2, model.mask2)):
                m[k] = model.beta * m[k] + (1 - model.beta) * pooled @ model.feedback[k - 1]
                w[f"out{k}"] += model.rate_readout * np.outer(x[k], mo) * mask
            for name, (a, b) in ways.items():
                e[name] = model.lam * e[name] + np.outer(x[a], eligible[b])
                w[name] += model.rate_hidden * m[b] * e[name]
    return w, fired


def images(n, inputs=6):
    rng = np.random.default_rng(1)
    return rng.random((n, inputs)), rng.integers(0, 3, n)


def test_the_compiled_loop_is_the_equations():
    X, y = images(4)
    model = BroadcastClassifier(6, **OPTIONS)
    order = np.random.default_rng([model.seed, 1, 0]).permutation(len(X))
    expected, fired = by_numpy(model, X[order], y[order])
    before = {name: array.copy() for name, array in model.weights.items()}
    model.fit(X, y, epochs=1)
    assert fired > 0 and min(model.rates) > 0
    for name, array in model.weights.items():
        np.testing.assert_allclose(array, expected[name], atol=1e-12, err_msg=name)
        assert np.abs(array - before[name]).max() > 1e-3, name  # each kind of weight has learnt
    assert not model.weights["out1"][~model.mask1].any() and not model.weights["out2"][~model.mask2].any()


def test_frozen_layers_stay_and_looking_changes_nothing():
    X, y = images(4)
    model = BroadcastClassifier(6, **{**OPTIONS, "rate_hidden": 0.0})
    before = {name: array.copy() for name, array in model.weights.items()}
    first = model.counts(X)
    np.testing.assert_array_equal(first, model.counts(X))
    model.fit(X, y, epochs=1)
    same = {name: np.array_equal(array, before[name]) for name, array in model.weights.items()}
    assert same == {"in": True, "within1": True, "across": True, "within2": True, "out1": False, "out2": False}
    again = BroadcastClassifier(6, **{**OPTIONS, "rate_hidden": 0.0}).fit(X, y, epochs=1)
    np.testing.assert_array_equal(again.counts(X), model.counts(X))


def test_a_share_is_what_a_neuron_reaches_and_feedback_has_no_mean():
    model = BroadcastClassifier(6, units=200, share=0.1)
    reached = model.mask1.sum(axis=1)
    assert reached.max() == 5 and reached.mean() > 4.5  # of 50; two draws may meet
    np.testing.assert_allclose(model.feedback.mean(axis=1), 0.0, atol=1e-12)
    assert BroadcastClassifier(6, units=20, share=1.0).mask1.mean() > 0.7


def test_layers_that_learn_read_better_through_few_ways():
    """Ten blurred patterns; sign and size of what examples/broadcast_errors.py measures."""
    rng = np.random.default_rng(0)
    patterns, y = rng.random((10, 36)) < 0.3, rng.integers(0, 10, 700)
    X = np.clip(patterns[y] * 0.8 + rng.normal(0.1, 0.2, (700, 36)), 0, 1)
    scores = [BroadcastClassifier(36, units=40, rate_hidden=rate, seed=5).fit(X[:500], y[:500], epochs=4).score(
        X[500:], y[500:]) for rate in (0.0, 1e-4)]
    assert scores[1] > scores[0] + 0.08


@pytest.mark.parametrize(("call", "message"), [
    (lambda m: m.fit(np.ones((2, 5)), [0, 1]), r"BroadcastClassifier.X must be numbers from 0 to 1 of shape"),
    (lambda m: m.fit(np.full((2, 6), 2.0), [0, 1]), "BroadcastClassifier.X must be numbers from 0 to 1"),
    (lambda m: m.fit(np.ones((2, 6)), [0, 3]), "BroadcastClassifier.y must be 2 labels in 0 .. 2"),
    (lambda m: m.fit(np.ones((2, 6)), [0.0, 1.0]), "BroadcastClassifier.y must be 2 labels in 0 .. 2"),
    (lambda m: m.score(np.ones((2, 6)), [0, 1, 2]), "BroadcastClassifier.y must be 2 labels in 0 .. 2"),
    (lambda m: m.score(np.ones((2, 6)), "ab"), "BroadcastClassifier.y must be 2 labels in 0 .. 2"),
    (lambda m: m.counts("text"), "BroadcastClassifier.X must be an array of numbers, got 'text'"),
    (lambda m: m.counts(np.full((2, 6), 2.0)), "must be numbers from 0 to 1, got some from 2 to 2"),
    (lambda m: m.fit(np.ones((2, 6)), [0, 1], epochs=0), "BroadcastClassifier.epochs must be a whole number >= 1"),
])
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call(BroadcastClassifier(6, **OPTIONS))
