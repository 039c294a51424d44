"""What stands for the derivative of a spike: the step function has none that a gradient could follow.

A spike is always sent where v - threshold > 0, strictly; only the backward pass sees these. A slope is one scalar body,
which the compiled loops inline; NumPy and PyTorch compute the same text on whole arrays.
"""

import math
from typing import Any

from neurosim.aliases import Real
from neurosim.checks import Parameter, Parametrised


class Surrogate(Parametrised, kw_only=False):
    """Base of the surrogates: `slope(x, sharpness)` is ds/dv at x = v - threshold."""

    positional = 1
    sharpness: Real = Parameter(1.0, above=0, per_element=False, doc="how steep it is at the threshold")

    @staticmethod
    def slope(x, sharpness):
        """Scalar body: the derivative at a distance x from the threshold."""
        raise NotImplementedError

    def of_tensor(self, x: Any) -> Any:
        """Return the slopes of a whole tensor."""
        return type(self).slope(x, self.sharpness)


class FastSigmoid(Surrogate, kw_only=False):
    """The derivative of a fast sigmoid: 1 / (1 + k |x|)^2.

    >>> FastSigmoid(10.0).slope(0.1, 10.0)
    0.25

    Source: Zenke, Ganguli, SuperSpike, Neural Computation 30 (2018) 1514.
    """

    sharpness: Real = Parameter(25.0, above=0, per_element=False, doc="k")

    @staticmethod
    def slope(x, sharpness):
        """Scalar body."""
        y = 1.0 + sharpness * abs(x)
        return 1.0 / (y * y)


class ATan(Surrogate, kw_only=False):
    """The derivative of an arc tangent: (k / 2) / (1 + (pi k x / 2)^2).

    >>> ATan(2.0).slope(0.0, 2.0)
    1.0

    Source: Fang et al., Incorporating learnable membrane time constant, ICCV 2021.
    """

    sharpness: Real = Parameter(2.0, above=0, per_element=False, doc="k")

    @staticmethod
    def slope(x, sharpness):
        """Scalar body."""
        y = 1.5707963267948966 * sharpness * x
        return 0.5 * sharpness / (1.0 + y * y)


class Triangle(Surrogate):
    """A triangle around the threshold: max(0, 1 - k |x|).

    >>> Triangle(1.0).slope(0.25, 1.0)
    0.75

    Source: Bellec et al., Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS 2018.
    """

    @staticmethod
    def slope(x, sharpness):
        """Scalar body."""
        y = 1.0 - sharpness * abs(x)
        return 0.5 * (y + abs(y))


class StraightThrough(Surrogate):
    """The gradient goes through as if the spike were v itself, times k.

    >>> StraightThrough().slope(3.0, 1.0)
    1.0

    Source: Bengio, Leonard, Courville, Estimating or propagating gradients through stochastic neurons, 2013.
    """

    @staticmethod
    def slope(x, sharpness):
        """Scalar body."""
        return 0.0 * x + sharpness


class BiPer(Surrogate, kw_only=False):
    """The derivative of a periodic step, (1 + sin(k x)) / 2: (k / 2) cos(k x), which changes its sign.

    >>> BiPer(2.0).slope(0.0, 2.0)
    1.0

    Source: Vargas et al., BiPer: binary neural networks using a periodic function, CVPR 2024; there for weights, here
    for spikes.
    """

    sharpness: Real = Parameter(2.0, above=0, per_element=False, doc="k, the frequency")

    @staticmethod
    def slope(x, sharpness):
        """Scalar body."""
        return 0.5 * sharpness * math.cos(sharpness * x)

    def of_tensor(self, x):
        """Return the slopes of a whole tensor."""
        return 0.5 * self.sharpness * (self.sharpness * x).cos()
