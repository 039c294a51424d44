"""Nonlinear vector autoregression: products of past inputs, a reservoir without random numbers."""

from itertools import combinations_with_replacement

import numpy as np

from neurosim.aliases import Whole
from neurosim.checks import Parameter, Parametrised, check_numbers, computed, describe_value
from neurosim.errors import ParameterError
from neurosim.reservoirs.estimator import Estimator


def _count(default, doc):
    return Parameter(default, doc=doc, integer=True, at_least=1, per_element=False)


class NVAR(Estimator, Parametrised, kw_only=False):
    r"""Past inputs and their products, as a reservoir's states: what a readout of them learns is a polynomial map.

    x(t) = all products of 1 to `order` factors of u_i(t - k stride), k = 0 .. lags - 1; inputs before the first are 0.

    Args:
        inputs: number of input features.
        lags: how many times each input is there.
        order: most factors of a product.
        stride: steps between two lags.

    Attributes:
        units: number of products.

    >>> import numpy as np
    >>> NVAR(1, lags=2).transform([[2.0], [3.0]])
    array([[2., 0., 4., 0., 0.],
           [3., 2., 9., 6., 4.]])

    Source: Gauthier, Bollt, Griffith, Barbosa, Nature Communications 12 (2021) 5564.
    """

    positional = 1
    inputs: Whole = _count(1, "number of input features")
    lags: Whole = _count(2, "how many times each input is there")
    order: Whole = _count(2, "most factors of a product")
    stride: Whole = _count(1, "steps between two lags")

    units: int = computed()
    _factors: list = computed()

    def validate(self):
        """List the products."""
        linear = range(self.inputs * self.lags)
        factors = [np.array(list(combinations_with_replacement(linear, degree))) for degree in range(1, self.order + 1)]
        self.__dict__["_factors"], self.__dict__["units"] = factors, sum(map(len, factors))

    def _given(self):
        return self.values()

    def transform(self, X) -> np.ndarray:
        """Return the products at each time, shape (times, units), for inputs of shape (times, inputs).

        Raises:
            ParameterError: X is of another shape or not finite.
        """
        X = check_numbers("NVAR.X", X)
        if X.ndim != 2 or X.shape[1] != self.inputs or not np.isfinite(X).all():
            raise ParameterError(f"NVAR.X must be finite numbers of shape (times, {self.inputs}), got "
                                 f"{describe_value(X)}")
        return self._products(np.concatenate([np.zeros((self._window - 1, self.inputs)), X]))

    def begin(self, X) -> tuple[np.ndarray, np.ndarray]:
        """Return the products for inputs, and the state in which `advance` goes on: the inputs still needed."""
        X = check_numbers("NVAR.X", X)
        products = self.transform(X)
        return products, np.concatenate([np.zeros((self._window, self.inputs)), X])[-self._window:]

    def advance(self, state, u) -> tuple[np.ndarray, np.ndarray]:
        """Return the products after one more input, shape (units,), and the next state."""
        state = np.concatenate([state[1:], np.reshape(u, (1, -1))])
        return self._products(state)[0], state

    @property
    def _window(self):
        return (self.lags - 1) * self.stride + 1

    def _products(self, given):
        """Return the products at all times that have as many inputs before them as are needed."""
        times = len(given) - self._window + 1
        linear = np.concatenate([given[self._window - 1 - k * self.stride:][:times] for k in range(self.lags)], axis=1)
        return np.concatenate([linear[:, factors].prod(axis=2) for factors in self._factors], axis=1)


__all__ = ["NVAR"]
