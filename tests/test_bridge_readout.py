"""Readouts trained by gradient: scikit-learn's contract, early stopping, seeds."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from sklearn.datasets import load_digits  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from neurosim.bridge import Readout  # noqa: E402
from neurosim.errors import ParameterError  # noqa: E402


@parametrize_with_checks([Readout(max_epochs=40, patience=40), Readout(hidden=8, max_epochs=40)])
def test_it_is_an_estimator(estimator, check):
    check(estimator)


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600], y[:600]


def test_a_linear_readout_reaches_what_logistic_regression_does():
    X, y = digits()
    peer = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    theirs = cross_val_score(peer, X, y, cv=3).mean()
    ours = cross_val_score(Readout(max_epochs=60), X, y, cv=3).mean()
    assert ours > theirs - 0.02 and ours > 0.85


def rings(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    radius, angle = 1.0 + y + 0.1 * rng.normal(size=n), rng.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), np.array(["in", "out"])[y]


def test_hidden_units_learn_what_a_line_cannot():
    (X, y), (test, labels) = rings(400, 1), rings(200, 2)
    assert Readout().fit(X, y).score(test, labels) < 0.7
    for hidden in (32, [16, 16]):
        readout = Readout(hidden=hidden).fit(X, y)
        assert readout.score(test, labels) > 0.95 and set(readout.predict(test)) == {"in", "out"}


def test_the_same_seed_gives_the_same_readout_and_leaves_pytorchs_generator_alone():
    X, y = digits()
    state = torch.get_rng_state()
    one, two, other = (Readout(hidden=16, max_epochs=5, seed=seed).fit(X, y).decision_function(X) for seed in (3, 3, 4))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_training_stops_early_and_keeps_the_best():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(120, 60)), rng.integers(0, 2, 120)  # nothing to learn: training overfits at once
    readout = Readout(hidden=32, patience=5).fit(X, y)
    assert readout.n_epochs_ == readout.best_epoch_ + 5 < 200
    short = Readout(hidden=32, patience=5, max_epochs=readout.best_epoch_).fit(X, y)
    assert np.array_equal(short.decision_function(X), readout.decision_function(X))


@pytest.mark.parametrize(("options", "message"), [
    ({"hidden": 0}, "Readout.hidden must be a whole number >= 1, got 0"),
    ({"learning_rate": 0.0}, "Readout.learning_rate must be a finite number > 0"),
    ({"validation": 1.0}, "Readout.validation must be a finite number >= 0 and < 1"),
    ({"patience": 1.5}, "Readout.patience must be a whole number >= 1"),
])
def test_bad_parameters_get_one_sentence(options, message):
    with pytest.raises(ParameterError, match=message):
        Readout(**options).fit(*digits())
