"""Linear readouts that learn one sample after the other."""

from typing import cast

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from neurosim.checks import describe_value, is_number
from neurosim.errors import ParameterError


class OnlineReadout(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Linear regression whose weights every sample moves: what such estimators share, whatever they learn by.

    An heir declares its parameters, `fit_intercept` among them, in `__init__`, says in `check` which fit, makes in
    `begin` what it keeps beside `weights_`, and changes `weights_` in `learn`.
    """

    fit_intercept: bool

    def check(self) -> None:
        """Refuse parameters that do not fit; raise ParameterError."""

    def begin(self, features: int) -> None:
        """Make what is kept beside the weights, for so many features, the constant input included."""

    def learn(self, x: np.ndarray, target: np.ndarray) -> None:
        """Take in one sample, shapes (features,) and (outputs,)."""
        raise NotImplementedError

    def fit(self, X, y):
        """Forget everything, then learn the samples in their order."""
        self.__dict__.pop("weights_", None)
        return self.partial_fit(X, y)

    def partial_fit(self, X, y):
        """Learn more samples, in their order; X of shape (samples, features), y (samples,) or (samples, outputs)."""
        self.check()
        fresh = not hasattr(self, "weights_")
        X, y = cast("tuple[np.ndarray, np.ndarray]", validate_data(
            self, X, y, reset=fresh, dtype=np.float64, multi_output=True, y_numeric=True))
        inputs, outputs = self._inputs(X), y.reshape(len(y), -1)
        if fresh:
            self.begin(inputs.shape[1])
            self.weights_ = np.zeros((inputs.shape[1], outputs.shape[1]))
            self.flat_ = y.ndim == 1
        for x, target in zip(inputs, outputs, strict=True):
            self.learn(x, target)
        return self

    def predict(self, X):
        """Return the outputs for samples of shape (samples, features)."""
        check_is_fitted(self, "weights_")
        found = self._inputs(cast("np.ndarray", validate_data(self, X, reset=False, dtype=np.float64))) @ self.weights_
        return found[:, 0] if self.flat_ else found

    def _inputs(self, X):
        return np.hstack([X, np.ones((len(X), 1))]) if self.fit_intercept else X


class RecursiveLeastSquares(OnlineReadout):
    """Linear regression by recursive least squares, with forgetting.

    For each sample x, y:  k = P x / (lambda + x' P x),  W += k (y - W' x)',  P = (P - k x' P) / lambda, with
    P(0) = I / alpha. Without forgetting it ends where ridge regression with penalty alpha does.

    Args:
        alpha: penalty, > 0.
        forgetting: lambda, 0 < lambda <= 1; samples n steps old count lambda^n.
        fit_intercept: whether a constant input is added (and penalised like the others).

    >>> import numpy as np
    >>> X = np.arange(6.0).reshape(-1, 1)
    >>> RecursiveLeastSquares(alpha=1e-6).fit(X, 2 * X[:, 0] + 1).predict([[10.0]]).round(3)
    array([21.])

    Source: Haykin, Adaptive Filter Theory, 4th edition, Prentice Hall 2002, chapter 9.
    """

    def __init__(self, alpha=1.0, forgetting=1.0, fit_intercept=True):
        self.alpha = alpha
        self.forgetting = forgetting
        self.fit_intercept = fit_intercept

    def begin(self, features):
        """Make P."""
        self.inverse_ = np.eye(features) / self.alpha

    def learn(self, x, target):
        """Take in one sample, shapes (features,) and (outputs,)."""
        projected = self.inverse_ @ x
        gain = projected / (self.forgetting + x @ projected)
        self.weights_ += np.outer(gain, target - x @ self.weights_)
        self.inverse_ = (self.inverse_ - np.outer(gain, projected)) / self.forgetting

    def check(self):
        """Refuse parameters that do not fit; raise ParameterError."""
        if not (is_number(self.alpha) and np.isfinite(self.alpha) and self.alpha > 0):
            raise ParameterError("RecursiveLeastSquares.alpha must be a finite number > 0, "
                                 f"got {describe_value(self.alpha)}")
        if not (is_number(self.forgetting) and 0 < self.forgetting <= 1):
            raise ParameterError("RecursiveLeastSquares.forgetting must be a finite number > 0 and <= 1, "
                                 f"got {describe_value(self.forgetting)}")


__all__ = ["OnlineReadout", "RecursiveLeastSquares"]
