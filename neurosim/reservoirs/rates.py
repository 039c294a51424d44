"""Reservoirs of rate units: what they share, and the compiled loop over time."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Self

import numpy as np

from neurosim.checks import Parametrised, Samples, check_numbers, describe_value
from neurosim.errors import ParameterError
from neurosim.reservoirs.estimator import Estimator

_DENSE = 0.2  # share of weights that are not 0 from which it is faster to multiply with all
_ACTIVATIONS = ("identity", "tanh", "sigmoid")
_TEXT = '''
import math
import numpy as np


def main(dense, w, first, source, weight, turned, turn, keep, gain, slope, kind, states, x):
    n = x.size
    kept = np.empty(n)
    for t in range(states.shape[0]):
        inner = states[t]
        if dense:
            add(w, x, inner)
        else:
            gather(first, source, weight, x, inner)
        if turned:
            for i in range(n):
                kept[i] = 0.0
            add(turn, x, kept)
        else:
            for i in range(n):
                kept[i] = x[i]
        for i in range(n):
            value = slope * inner[i]
            if kind == 1:
                value = math.tanh(value)
            elif kind == 2:
                value = 1.0 / (1.0 + math.exp(-value))
            x[i] = keep[i] * kept[i] + gain[i] * value
            inner[i] = x[i]
'''


def _add(w, x, to):
    """Add w' x, four rows at once, so that sums stay in the registers."""
    n = x.size
    whole = n // 4 * 4
    for j in range(0, whole, 4):
        a, b, c, d = x[j], x[j + 1], x[j + 2], x[j + 3]
        for i in range(n):
            to[i] += w[j, i] * a + w[j + 1, i] * b + w[j + 2, i] * c + w[j + 3, i] * d
    for j in range(whole, n):
        a = x[j]
        for i in range(n):
            to[i] += w[j, i] * a


def _gather(first, source, weight, x, to):
    """Add the sum over each row, in four interleaved parts, so that additions overlap."""
    for i in range(x.size):
        low, high = first[i], first[i + 1]
        whole = low + (high - low) // 4 * 4
        a = b = c = d = 0.0
        for k in range(low, whole, 4):
            a += weight[k] * x[source[k]]
            b += weight[k + 1] * x[source[k + 1]]
            c += weight[k + 2] * x[source[k + 2]]
            d += weight[k + 3] * x[source[k + 3]]
        for k in range(whole, high):
            a += weight[k] * x[source[k]]
        to[i] += (a + b) + (c + d)


@cache
def _compiled():
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    return load_function("rate_units", _TEXT, {"add": _add, "gather": _gather})


@dataclass(frozen=True, eq=False)
class Dynamics:
    r"""What rate units do: x(t) = keep R x(t - 1) + gain f(slope (W x(t - 1) + drive(t))).

    Args:
        w: W, shape (units, units).
        keep, gain: of each unit, shape (units,).
        slope: of f.
        activation: f: "identity", "tanh" or "sigmoid", 1 / (1 + exp(-y)).
        turn: R, an array like W, or None for the identity.
    """

    w: np.ndarray
    keep: np.ndarray
    gain: np.ndarray
    slope: float
    activation: str
    turn: np.ndarray | None = None

    def __post_init__(self):
        n = len(self.w)
        dense = np.count_nonzero(self.w) >= _DENSE * n * n
        first, source, weight = np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0)
        if not dense:
            target, source = np.nonzero(self.w)
            first, weight = np.searchsorted(target, np.arange(n + 1)), self.w[target, source]
        turned = self.turn is not None
        columns = [np.zeros((0, 0)) if array is None else np.ascontiguousarray(array.T)
                   for array in (self.w if dense else None, self.turn)]
        self.__dict__["_given"] = (dense, columns[0], first, source.astype(np.uint32), weight, turned, columns[1],
                                   np.ascontiguousarray(self.keep), np.ascontiguousarray(self.gain), float(self.slope),
                                   _ACTIVATIONS.index(self.activation))

    def states(self, drive: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Turn what is added to W x at each time, shape (times, units), into the states after it, in place."""
        _compiled()(*self.__dict__["_given"], drive, np.array(start, np.float64))
        return drive


class RateReservoir(Estimator, Parametrised):
    """Base of the reservoirs of rate units; an heir declares `units` and `inputs`, and gives `dynamics` and `drive`."""

    if TYPE_CHECKING:  # an heir declares them
        units: int
        inputs: int

    @property
    def dynamics(self) -> Dynamics:
        """What the units do."""
        raise NotImplementedError

    def drive(self, X) -> np.ndarray:
        """Return what inputs of shape (times, inputs) add to the recurrent sums: a new array (times, units)."""
        raise NotImplementedError

    def transform(self, X, start=None) -> np.ndarray:
        """Return the states for inputs over time.

        Args:
            X: inputs, shape (times, inputs), or (samples, times, inputs) for independent samples.
            start: state before the first input, shape (units,) or (samples, units); 0 by default.

        Returns:
            states after each input, shape (times, units) or (samples, times, units).

        Raises:
            ParameterError: X or start is of another shape or not finite.
        """
        X = self._checked(X)
        state, dynamics = self._start(start, X.shape[:-2]), self.dynamics
        if X.ndim == 2:
            return dynamics.states(self.drive(X), state)
        states = np.empty((*X.shape[:-1], self.units))
        for k in range(len(X)):
            states[k] = dynamics.states(self.drive(X[k]), state[k])
        return states

    def step(self, state, u) -> np.ndarray:
        """Return the state after one input u, shape (inputs,), from a state of shape (units,)."""
        u, state = self._one(state, u)
        return self.dynamics.states(self.drive(u[None]), state)[0]

    def begin(self, X) -> tuple[np.ndarray, np.ndarray]:
        """Return the states for inputs over time, shape (times, units), and the last one, with which to `advance`."""
        states = self.transform(X)
        return states, states[-1]

    def advance(self, state, u) -> tuple[np.ndarray, np.ndarray]:
        """Return the state after one input, as what a readout sees and as what to go on with."""
        state = self.step(state, u)
        return state, state

    def _given(self):
        return self.values()

    def __sklearn_clone__(self) -> Self:
        made = object.__new__(type(self))  # the same numbers: eigenvalues take their time
        kept = {name: value for name, value in self.__dict__.items() if name != "_dynamics" and not name.endswith("_")}
        made.__dict__.update({name: value.copy("K") if isinstance(value, np.ndarray) else value
                              for name, value in kept.items()})
        return made

    def _one(self, state, u):
        u, state = np.asarray(np.atleast_1d(u), np.float64), np.asarray(state, np.float64)
        if u.shape != (self.inputs,) or state.shape != (self.units,):
            raise ParameterError(f"{type(self).__name__}.step must be given a state of shape ({self.units},) and "
                                 f"inputs of shape ({self.inputs},), got {state.shape} and {u.shape}")
        return u, state

    def _checked(self, X):
        owner = type(self).__name__
        try:
            array = np.asarray(X, np.float64)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.ndim not in (2, 3) or array.shape[-1] != self.inputs:
            raise ParameterError(f"{owner}.X must be an array of shape (times, {self.inputs}) or (samples, times, "
                                 f"{self.inputs}), got {describe_value(X)}")
        if not np.isfinite(array).all():
            raise ParameterError(f"{owner}.X must be finite, got an array with other values")
        return array

    def _start(self, start, samples):
        if start is None:
            return np.zeros((*samples, self.units))
        start = np.asarray(start, np.float64)
        if start.shape not in ((self.units,), (*samples, self.units)) or not np.isfinite(start).all():
            raise ParameterError(f"{type(self).__name__}.start must be finite numbers of shape "
                                 f"{(*samples, self.units)}, got {describe_value(start)}")
        return np.broadcast_to(start, (*samples, self.units))


def of_units(owner: RateReservoir, name: str, generator: np.random.Generator) -> np.ndarray:
    """Return a parameter as one value for each unit: a number, an array, or drawn from a distribution.

    Raises:
        ParameterError: an array has another length, or what was drawn is out of bounds.
    """
    value, what = getattr(owner, name), f"{type(owner).__name__}.{name}"
    drawn = isinstance(value, Samples)
    if isinstance(value, Samples):
        value = np.array([value.at(share) for share in generator.random(owner.units)])
    array = check_numbers(what, value)
    if array.ndim and array.shape != (owner.units,):
        raise ParameterError(f"{what} must be a number, a distribution, or {owner.units} numbers, one for each unit, "
                             f"got {describe_value(array)}")
    if drawn:
        owner.parameters[name].check(type(owner).__name__, array)
    return np.broadcast_to(array, owner.units).copy()


__all__ = ["Dynamics", "RateReservoir", "of_units"]
