"""Accuracy as it should be reported: beside chance and a plain baseline, with n, seeds and an interval."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedKFold

from neurosim.checks import check_is, check_number, check_seed, check_whole, describe_value, is_whole
from neurosim.errors import ParameterError


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What a classifier reached.

    Args:
        accuracy: mean over seeds of the share of samples that are classified right.
        interval: 95 % interval for the samples (Wilson), at the mean accuracy.
        by_seed: accuracy for each seed of the folds.
        chance: share of the most frequent class among the test samples.
        n_test: number of different test samples.
        n_train: training samples in each fit.
        predictions: label predicted for each sample, shape (seeds, samples); by a fit that had not seen it.
    """

    accuracy: float
    interval: tuple[float, float]
    by_seed: tuple[float, ...]
    chance: float
    n_test: int
    n_train: int
    predictions: np.ndarray

    def __str__(self):
        low, high = self.interval
        seeds = len(self.by_seed)
        spread = f", from {min(self.by_seed):.1%} to {max(self.by_seed):.1%} over {seeds} seeds" if seeds > 1 else ""
        return (f"{self.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}; chance {self.chance:.1%}; "
                f"n_test {self.n_test}, n_train {self.n_train}{spread})")

    def __repr__(self) -> str:
        return f"<evaluation: {self}>"


def interval(right: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson interval for a share `right` of n samples, `z` standard deviations to either side.

    Raises:
        ParameterError: an argument does not fit.

    >>> low, high = interval(0.95, 900)
    >>> round(low, 4), round(high, 4)
    (0.9338, 0.9624)

    Source: Wilson, J. American Statistical Association 22 (1927) 209.
    """
    right = check_number("interval.right", right, at_least=0, at_most=1)
    n, z = check_whole("interval.n", n, at_least=1), check_number("interval.z", z, at_least=0)
    centre = (right + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(right * (1 - right) / n + z * z / (4 * n * n))
    return float(centre - half), float(centre + half)


def evaluate(model: Any, X: ArrayLike, y: ArrayLike, *, folds: int = 5, seeds: Iterable[int] | int = range(5),
             augment: Mapping[str, np.ndarray] | None = None) -> Evaluation:
    """Cross-validate a classifier; whatever it tunes, it tunes inside the training folds.

    Args:
        model: a scikit-learn classifier; it is cloned for each fit.
        X: features, shape (samples, features).
        y: labels, shape (samples,).
        folds: number of stratified folds, >= 2.
        seeds: seeds of the folds, one repetition each; 5 stands for 0 .. 4.
        augment: further training features, {name: array of the shape of X}: row k of each is a variant
            of sample k and is used in training where sample k is.

    >>> import numpy as np
    >>> from neurosim.readouts import ridge
    >>> X = np.repeat(np.eye(2), 10, axis=0)
    >>> evaluate(ridge(), X, X[:, 1], folds=5, seeds=[0]).accuracy
    1.0
    """
    X, y = np.asarray(X), np.asarray(y)
    folds = check_whole("evaluate.folds", folds, at_least=2)
    _check_samples(X, y, folds)
    _check_classifier("evaluate.model", model, "fit")
    chosen: Any = range(int(seeds)) if is_whole(seeds) else seeds
    check_is("evaluate.seeds", chosen, Iterable, "whole numbers, or how many, >= 1")
    chosen = [check_seed("each of evaluate.seeds", seed, bits=32) for seed in chosen]
    if not chosen:
        raise ParameterError("evaluate.seeds must be whole numbers, or how many, >= 1, got none")
    augment = {} if augment is None else augment
    check_is("evaluate.augment", augment, Mapping, "a dict of features by name")
    for name, more in augment.items():
        if np.shape(more) != X.shape:
            raise ParameterError(f"evaluate.augment[{name!r}] must have the shape of X, {X.shape}, got "
                                 f"{describe_value(more)}")
    predictions = np.array([_one(model, X, y, folds, seed, augment) for seed in chosen])
    by_seed = tuple(float((row == y).mean()) for row in predictions)
    return _summary(y, predictions, by_seed, len(y) - len(y) // folds)


def _check_classifier(what, model, method):
    if isinstance(model, type) or not callable(getattr(model, method, None)):
        raise ParameterError(f"{what} must be a scikit-learn classifier, such as ridge(), got {describe_value(model)}")


def _check_samples(X, y, folds):
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y):
        labels = f"{len(y)} labels" if y.ndim == 1 else f"labels of shape {y.shape}"
        raise ParameterError(f"evaluate.X must have shape (samples, features) with one label each, got {X.shape} and "
                             f"{labels}")
    bad = np.argwhere(~np.isfinite(X)) if X.dtype.kind in "biuf" else np.zeros((1, 2), np.int64)
    if bad.size:
        raise ParameterError("evaluate.X must hold finite numbers, got "
                             f"{describe_value(X[tuple(bad[0])])} in feature {bad[0, 1]} of sample {bad[0, 0]}")
    labels, many = np.unique(y, return_counts=True)
    if len(labels) < 2 or many.min() < folds:
        got = "one class" if len(labels) < 2 else f"{many.min()} of class {describe_value(labels[many.argmin()])}"
        raise ParameterError(f"evaluate.y must hold two classes or more, each of at least folds = {folds} samples, got "
                             f"{got}; take fewer folds, or leave the class out")


def _one(model, X, y, folds, seed, augment):
    found = np.empty_like(y)
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, y):
        features = np.concatenate([X[train], *(more[train] for more in augment.values())])
        labels = np.tile(y[train], 1 + len(augment))
        found[test] = clone(model).fit(features, labels).predict(X[test])
    return found


def score(model: Any, X: ArrayLike, y: ArrayLike, n_train: int) -> Evaluation:
    """Evaluate a fitted classifier on samples that it has not seen.

    Args:
        model: a fitted scikit-learn classifier.
        X, y: test features and labels.
        n_train: how many samples it was trained on.

    Raises:
        ParameterError: the model is none, or not fitted, or an argument does not fit.
    """
    _check_classifier("score.model", model, "predict")
    y = np.asarray(y)
    if y.ndim != 1 or len(y) != np.shape(X)[0]:
        raise ParameterError(f"score.y must have one label for each of the {np.shape(X)[0]} samples, got "
                             f"{describe_value(y)}")
    try:
        predictions = np.asarray(model.predict(X))[None]
    except NotFittedError:
        raise ParameterError(f"score.model must be fitted before, by model.fit(X, y), got {describe_value(model)}"
                             ) from None
    return _summary(y, predictions, (float((predictions[0] == y).mean()),), n_train)


def gathered(y, evaluations) -> Evaluation:
    """Return one evaluation of several that differ in their seeds."""
    predictions = np.concatenate([each.predictions for each in evaluations])
    return _summary(np.asarray(y), predictions, sum((each.by_seed for each in evaluations), ()), evaluations[0].n_train)


def _summary(y, predictions, by_seed, n_train):
    accuracy = float(np.mean(by_seed))
    chance = float(np.unique(y, return_counts=True)[1].max() / len(y))
    return Evaluation(accuracy, interval(accuracy, len(y)), by_seed, chance, len(y), n_train, predictions)
