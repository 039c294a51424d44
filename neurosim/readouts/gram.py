"""Ridge regression from inner products of samples, made once for all folds and penalties."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from neurosim.checks import check_numbers, check_whole, describe_value
from neurosim.errors import ParameterError
from neurosim.readouts.linear import ALPHAS, positive
from neurosim.readouts.penalties import at_penalties


def gram(X: np.ndarray, *, root: bool = False) -> np.ndarray:
    """Return the inner products of all samples, float64, shape (samples, samples).

    Args:
        X: features, shape (samples, features).
        root: whether square roots of the features are taken first.

    >>> import numpy as np
    >>> gram(np.array([[1.0, 2.0], [0.0, 3.0]]))
    array([[5., 6.],
           [6., 9.]])
    """
    if not (isinstance(X, np.ndarray) and X.dtype.kind == "f"):
        X = check_numbers("gram.X", X)
    if X.ndim != 2 or (root and X.min(initial=0.0) < 0):
        raise ParameterError("gram.X must have shape (samples, features), and hold no number < 0 where roots are "
                             f"taken, got an array of shape {X.shape}")
    X = (np.sqrt(X) if root else X).astype(np.float64, copy=False)
    return X @ X.T


class GramRidge(ClassifierMixin, BaseEstimator):
    """The classifier of `ridge(scale=False)`, and which features it is given, from inner products alone.

    With more features than samples nearly all of the work of a fit is a decomposition of the features. Here they are
    multiplied once, `gram(X)`; a fit decomposes a part of that small matrix, from which all penalties follow. Of
    several sets of features, such as those of several reservoirs, that is taken which does best in a cross-validation
    within the training data.

    Args:
        grams: inner products of all samples, float64, shape (samples, samples), or several of them to choose from.
        alphas: penalties to choose from by leave-one-out, each > 0.
        folds: number of folds in which the grams are compared, >= 2.

    `fit` and `predict` take the numbers of samples instead of features: integers of shape (n, 1).

    >>> import numpy as np
    >>> X = np.array([[0.0, 1.0], [0.2, 0.9], [1.0, 0.0], [0.8, 0.1], [0.9, 0.0]])
    >>> GramRidge(gram(X)).fit([[0], [1], [2], [3]], [0, 0, 1, 1]).predict([[4]])
    array([1])

    Source: Rifkin, Lippert, Notes on Regularized Least Squares, MIT-CSAIL-TR-2007-025 (2007).
    """

    def __init__(self, grams: np.ndarray | Sequence[np.ndarray], alphas: Sequence[float] | np.ndarray = ALPHAS,
                 folds: int = 3):
        self.grams = grams
        self.alphas = alphas
        self.folds = folds

    def __sklearn_clone__(self):
        return type(self)(self.grams, self.alphas, self.folds)  # shared, not copied

    def fit(self, X, y):
        """Choose the gram and the penalty, and fit; X holds numbers of samples, y their labels."""
        grams, rows, y = self._grams(), _rows(X), np.asarray(y)
        if len(y) != len(rows) or len(np.unique(y)) < 2:
            raise ParameterError(f"GramRidge.y must hold two classes or more, one label for each of the {len(rows)} "
                                 f"samples, got {describe_value(y)}")
        alphas = positive("GramRidge.alphas", self.alphas)
        self.scores_ = None if len(grams) == 1 else self._scores(grams, rows, y, alphas)
        self.choice_ = 0 if self.scores_ is None else int(self.scores_.argmax())
        self.classes_, self.rows_ = np.unique(y), rows
        self.alpha_, self.dual_, self.offset_ = _fit(grams[self.choice_][np.ix_(rows, rows)], y, alphas)
        return self

    def predict(self, X):
        """Return the labels of samples."""
        check_is_fitted(self, "dual_")
        return _predict(self._grams()[self.choice_][np.ix_(_rows(X), self.rows_)], self.dual_, self.offset_,
                        self.classes_)

    def _scores(self, grams, rows, y, alphas):
        """Return the mean accuracy of each gram over the folds."""
        folds = check_whole("GramRidge.folds", self.folds, at_least=2)
        scores = np.zeros((len(grams), folds))
        for fold, (train, test) in enumerate(StratifiedKFold(folds).split(rows, y)):
            for k, each in enumerate(grams):
                _, dual, offset = _fit(each[np.ix_(rows[train], rows[train])], y[train], alphas)
                found = _predict(each[np.ix_(rows[test], rows[train])], dual, offset, np.unique(y[train]))
                scores[k, fold] = (found == y[test]).mean()
        return scores.mean(axis=1)

    def _grams(self) -> list:
        grams = [self.grams] if isinstance(self.grams, np.ndarray) and self.grams.ndim == 2 else list(self.grams)
        for each in grams:
            if not isinstance(each, np.ndarray) or each.ndim != 2 or each.shape != 2 * grams[0].shape[:1]:
                raise ParameterError("GramRidge.grams must be arrays of shape (samples, samples), as gram(X) gives "
                                     f"them, got {describe_value(each)}")
        return grams


def _rows(X) -> np.ndarray:
    rows = np.asarray(X)
    if rows.ndim != 2 or rows.shape[1] != 1 or rows.dtype.kind not in "iu":
        raise ParameterError(f"GramRidge.X must be numbers of samples, integers of shape (n, 1), got "
                             f"{describe_value(X)}")
    return rows[:, 0]


def _fit(K, y, alphas) -> tuple:
    """Return penalty, dual coefficients and offset; of equal errors of leave-one-out the first penalty is taken."""
    classes, n = np.unique(y), len(y)
    targets = np.where(y[:, None] == (classes[1:] if len(classes) == 2 else classes), 1.0, -1.0)
    mean = K.mean(axis=0)
    centred = K - mean - mean[:, None] + mean.mean()
    level = float(centred.diagonal().mean())  # what the offset takes is set to it, and then taken off
    duals, inverses = at_penalties(centred + level / n, targets - targets.mean(axis=0), alphas)
    weights = inverses - 1 / ((level + alphas[:, None]) * n)
    errors = ((duals / weights[:, :, None]) ** 2).mean(axis=(1, 2))
    best = int(np.argmin(errors))
    return float(alphas[best]), duals[best], targets.mean(axis=0) - mean @ duals[best]


def _predict(K, dual, offset, classes) -> np.ndarray:
    found = K @ dual + offset
    return classes[(found[:, 0] > 0).astype(int) if len(classes) == 2 else found.argmax(axis=1)]

__all__ = ["GramRidge", "gram"]
