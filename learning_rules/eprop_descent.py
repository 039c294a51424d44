"""Gradient descent on the weights of an e-prop network, plain and with Adam."""

import numpy as np

from neurosim.aliases import Real
from neurosim.checks import Parameter, Parametrised, required


class GradientDescent(Parametrised, kw_only=False):
    """w <- w - rate g, in place, for each weight array w and its gradient g.

    >>> weights = {"w": np.array([1.0, 2.0])}
    >>> GradientDescent(0.5).step(weights, {"w": np.array([2.0, -2.0])})
    >>> weights["w"]
    array([0., 3.])
    """

    positional = 1
    rate: Real = required(Parameter(doc="learning rate", above=0, per_element=False))

    def step(self, weights: dict, gradients, scale: float = 1.0) -> None:
        """Change the weights in place.

        Args:
            weights: arrays by name.
            gradients: a dict, or an object with attributes, of the same names; what is missing is left alone.
            scale: factor of the rate, for schedules.
        """
        for name, array in weights.items():
            gradient = _of(gradients, name)
            if gradient is not None:
                array -= (scale * self.change(name, gradient)).astype(array.dtype)

    def change(self, name, gradient):
        """Return what is taken off a weight array."""
        return self.rate * gradient


class Adam(GradientDescent, kw_only=False):
    """Adam: steps of about the rate in every weight, whatever the size of the gradients.

    m <- b1 m + (1 - b1) g;  s <- b2 s + (1 - b2) g^2;
    w <- w - rate m / (1 - b1^t) / (sqrt(s / (1 - b2^t)) + epsilon).

    The moments m and s belong to the object, which thus serves one set of weights.

    >>> weights = {"w": np.array([1.0, 2.0])}
    >>> Adam(0.1).step(weights, {"w": np.array([2.0, -50.0])})
    >>> weights["w"].round(6)
    array([0.9, 2.1])

    Source: Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015.
    """

    rate: Real = required(GradientDescent.rate)
    b1: Real = Parameter(0.9, doc="memory of the mean", at_least=0, below=1, per_element=False)
    b2: Real = Parameter(0.999, doc="memory of the mean square", at_least=0, below=1, per_element=False)
    epsilon: Real = Parameter(1e-8, doc="added to the root", above=0, per_element=False)

    def change(self, name, gradient):
        """Return what is taken off a weight array."""
        moments = self.__dict__.setdefault("_moments", {})
        t, m, s = moments.get(name, (0, 0.0, 0.0))
        t, m, s = t + 1, self.b1 * m + (1 - self.b1) * gradient, self.b2 * s + (1 - self.b2) * gradient**2
        moments[name] = t, m, s
        return self.rate * m / (1 - self.b1**t) / (np.sqrt(s / (1 - self.b2**t)) + self.epsilon)


def _of(gradients, name):
    return gradients.get(name) if isinstance(gradients, dict) else getattr(gradients, name, None)
