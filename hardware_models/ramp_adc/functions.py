"""The functions that a ramp can follow, and how their thresholds are found."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware_models.arrays import as_float, erf, namespace
from neurosim.checks import Option, describe_value
from neurosim.errors import ParameterError

GRID = 4097  # points at which a function is looked at for turns


@dataclass(frozen=True)
class Function:
    """A function of one variable with the ranges that a converter covers.

    Args:
        name: what it is called.
        body: `body(x, xp)` for an array or tensor x of a float type; xp is its module, numpy or torch.
        x_min, x_max: range of inputs, x_min < x_max.
        y_min, y_max: range of outputs; None is the least and the largest value in the range of inputs.

    Raises:
        ParameterError: if a range is empty or not finite.

    >>> cube = Function("cube", lambda x, xp: x**3, x_min=-2.0, x_max=2.0)
    >>> cube(np.array([0.5, 2.0]))
    array([0.125, 8.   ])
    """

    name: str
    body: Callable
    x_min: float = -8.0
    x_max: float = 8.0
    y_min: float | None = None
    y_max: float | None = None

    def __post_init__(self):
        check_range(f"Function {self.name!r}: x", self.x_min, self.x_max)
        if self.y_min is not None and self.y_max is not None:
            check_range(f"Function {self.name!r}: y", self.y_min, self.y_max)

    def __call__(self, x):
        """Return the function of an array or tensor."""
        x = as_float(x)
        return self.body(x, namespace(x))

    def turns(self, x_min: float, x_max: float) -> list[float]:
        """Return the inputs between x_min and x_max at which the function turns from rising to falling or back."""
        x = np.linspace(x_min, x_max, GRID)
        y = self(x)
        if np.shape(y) != x.shape or not np.isfinite(y).all():
            raise ParameterError(f"Function {self.name!r} must return one finite number for each of its inputs in "
                                 f"[{x_min:g}, {x_max:g}]")
        steps = np.diff(y)
        steps[np.abs(steps) < 1e-12 * np.ptp(y)] = 0.0  # rounding where it is flat
        moves = np.flatnonzero(steps)
        back = np.flatnonzero(np.diff(np.sign(steps[moves])))
        return [_extremum(self, x[moves[k]], x[moves[k + 1] + 1], np.sign(steps[moves[k]])) for k in back]

    def inverse(self, y: np.ndarray, x_min: float, x_max: float, rising: bool) -> np.ndarray:
        """Return the inputs at which a monotonic stretch reaches y, by bisection to the last bit."""
        low, high = np.full(y.shape, float(x_min)), np.full(y.shape, float(x_max))
        while True:
            middle = 0.5 * (low + high)
            if not ((middle > low) & (middle < high)).any():
                return high if rising else low
            right = (self(middle) < y) == rising  # the crossing lies to the right of the middle
            low, high = np.where(right, middle, low), np.where(right, high, middle)


def _extremum(function, low, high, sign):
    """Golden-section search for the maximum of sign * function."""
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    while high - low > 1e-10 * max(1.0, abs(low), abs(high)):
        first, second = high - ratio * (high - low), low + ratio * (high - low)
        y = sign * function(np.array([first, second]))
        low, high = (low, second) if y[0] > y[1] else (first, high)
    return float(0.5 * (low + high))


def check_range(what: str, low, high) -> None:
    """Refuse a range that is empty or not finite."""
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ParameterError(f"{what} must be a range from a finite number to a larger one, got {low:g} to {high:g}")


def _sigmoid(x, xp):
    return 0.5 * (1.0 + xp.tanh(0.5 * x))  # does not overflow


def _softplus(x, xp):
    return xp.log1p(xp.exp(-abs(x))) + 0.5 * (x + abs(x))


def _elu(x, xp):
    return xp.where(x > 0, x, xp.expm1(0.5 * (x - abs(x))))


FUNCTIONS = {function.name: function for function in (
    Function("linear", lambda x, xp: x, -1.0, 1.0),
    Function("sigmoid", _sigmoid, -36.0, 36.0, 0.0, 1.0),
    Function("tanh", lambda x, xp: xp.tanh(x), -18.0, 18.0, -1.0, 1.0),
    Function("softplus", _softplus, -20.0, 4.0, 0.0),
    Function("elu", _elu, -20.0, 4.0, -1.0),
    Function("relu", lambda x, xp: 0.5 * (x + abs(x)), -1.0, 4.0, 0.0),
    Function("gelu", lambda x, xp: 0.5 * x * (1.0 + erf(x * 0.7071067811865476)), -4.0, 4.0),
    Function("swish", lambda x, xp: x * _sigmoid(x, xp), -8.0, 4.0),
)}


class FunctionChoice(Option):
    """A parameter that is the name of one of `FUNCTIONS`, or a `Function`."""

    def __init__(self, default, *, doc=""):
        super().__init__(default, tuple(FUNCTIONS), doc=doc)

    def check(self, owner, value):
        """Return the name or the function; raise ParameterError."""
        if isinstance(value, Function) or (isinstance(value, str) and value in FUNCTIONS):
            return value
        raise ParameterError(f"{owner}.{self.name} must be one of {', '.join(FUNCTIONS)}, or a Function, "
                             f"got {describe_value(value)}")
