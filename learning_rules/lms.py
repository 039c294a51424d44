"""A linear readout that follows the gradient of each sample's squared error."""

import numpy as np

from neurosim.checks import describe_value, is_number
from neurosim.errors import ParameterError
from neurosim.readouts.online import OnlineReadout


class LeastMeanSquares(OnlineReadout):
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

    def learn(self, x, target):
        """Take in one sample, shapes (features,) and (outputs,)."""
        rate = self.rate / (1.0 + x @ x) if self.normalised else self.rate
        self.weights_ += np.outer(rate * x, target - x @ self.weights_)

    def check(self):
        """Refuse a rate that does not fit; raise ParameterError."""
        limit = 2.0 if self.normalised else np.inf
        if not (is_number(self.rate) and np.isfinite(self.rate) and 0 < self.rate < limit):
            bounds = "> 0 and < 2 where normalised" if self.normalised else "> 0"
            raise ParameterError(f"LeastMeanSquares.rate must be a finite number {bounds}, "
                                 f"got {describe_value(self.rate)}")
