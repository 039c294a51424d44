"""A linear readout that follows the gradient of each sample's squared error."""

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from neurosim.checks import describe_value
from neurosim.errors import ParameterError


class LeastMeanSquares(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Linear regression by least mean squares, one sample after the other.

    For each sample x, y:  W += rate * x (y - W' x)', the rate being divided by (1 + x' x) where `normalised`. It costs
    one operation per weight, recursive least squares one per pair of weights; it converges the slower, the more the
    features are correlated.

    Args:
        rate: learning rate, > 0; normalised, it must be below 2 for the error to fall.
        normalised: whether the rate is divided by (1 + x' x).
        fit_intercept: whether a constant input is added.

    Raises:
        ParameterError: a rate that is not > 0, or normalised and not below 2.

    >>> import numpy as np
    >>> X = np.tile(np.eye(2), (200, 1))
    >>> LeastMeanSquares(rate=0.5, fit_intercept=False).fit(X, X @ [3.0, -1.0]).weights_[:, 0].round(3)
    array([ 3., -1.])

    Source: Widrow, Hoff, Adaptive switching circuits, IRE WESCON Convention Record 4 (1960) 96; normalised: Nagumo,
    Noda, IEEE Transactions on Automatic Control 12 (1967) 282.
    """

    def __init__(self, rate=0.01, normalised=False, fit_intercept=True):
        self.rate = rate
        self.normalised = normalised
        self.fit_intercept = fit_intercept

    def fit(self, X, y):
        """Forget everything, then learn the samples in their order."""
        self.__dict__.pop("weights_", None)
        return self.partial_fit(X, y)

    def partial_fit(self, X, y):
        """Learn more samples, in their order; X of shape (samples, features), y (samples,) or (samples, outputs)."""
        self.check()
        fresh = not hasattr(self, "weights_")
        X, y = validate_data(self, X, y, reset=fresh, dtype=np.float64, multi_output=True, y_numeric=True)
        inputs, outputs = self._inputs(X), y.reshape(len(y), -1)
        if fresh:
            self.weights_ = np.zeros((inputs.shape[1], outputs.shape[1]))
            self.flat_ = y.ndim == 1
        for x, target in zip(inputs, outputs, strict=True):
            rate = self.rate / (1.0 + x @ x) if self.normalised else self.rate
            self.weights_ += np.outer(rate * x, target - x @ self.weights_)
        return self

    def predict(self, X):
        """Return the outputs for samples of shape (samples, features)."""
        check_is_fitted(self, "weights_")
        found = self._inputs(validate_data(self, X, reset=False, dtype=np.float64)) @ self.weights_
        return found[:, 0] if self.flat_ else found

    def _inputs(self, X):
        return np.hstack([X, np.ones((len(X), 1))]) if self.fit_intercept else X

    def check(self):
        limit = 2.0 if self.normalised else np.inf
        if not (np.isscalar(self.rate) and np.isfinite(self.rate) and 0 < self.rate < limit):
            bounds = "> 0 and < 2 where normalised" if self.normalised else "> 0"
            raise ParameterError(f"LeastMeanSquares.rate must be a finite number {bounds}, "
                                 f"got {describe_value(self.rate)}")
