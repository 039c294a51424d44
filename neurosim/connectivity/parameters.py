"""Kinds of parameters that connection rules have: vectors, arrays, matrices."""

from typing import Any

import numpy as np

from neurosim.checks import REQUIRED, Option, Parameter, Samples
from neurosim.errors import ParameterError


class Vector(Parameter):
    """A number or a short sequence of numbers; kept as a number or a tuple."""

    def __init__(self, default: Any = REQUIRED, unit: str = "", *, longest: int | None = None, shortest: int = 1,
                 scalar: bool = True, **bounds):
        super().__init__(default, unit, per_element=False, **bounds)
        self.longest, self.shortest, self.scalar = longest, shortest, scalar

    def requirement(self, forms: bool = False) -> str:
        """What a value must be, as the middle of the message."""
        kind = "whole numbers" if self.integer else "finite numbers"
        text = " ".join(part for part in (kind, self.bounds, self.unit) if part)
        several = "a sequence of" if self.longest is None else (
            f"{self.longest}" if self.shortest == self.longest else f"{self.shortest} to {self.longest}")
        return f"{'one or ' if self.scalar else ''}{several} {text}" + (", or None" if self.optional else "")

    def check(self, owner, value):
        """Return the value as a number or a tuple; raise ParameterError."""
        if value is None and self.optional:
            return None
        array = _numbers(self, owner, value)
        fits = array.ndim == 1 or (array.ndim == 0 and self.scalar)
        most = self.longest or array.size
        if not fits or not self.holds(array) or (array.ndim and not min(self.shortest, most) <= array.size <= most):
            self.refuse(owner, value, array)
        return array.astype(np.int64).tolist() if array.ndim == 0 and self.integer else (
            float(array) if array.ndim == 0 else tuple(map(int if self.integer else float, array)))


class Array(Parameter):
    """An array of numbers with a fixed number of axes; kept as a read-only copy."""

    def __init__(self, default: Any = REQUIRED, unit: str = "", *, ndim: int, dtype: Any = np.float64, **bounds):
        super().__init__(default, unit, per_element=False, **bounds)
        self.ndim, self.dtype = ndim, dtype

    def requirement(self, forms: bool = False) -> str:
        """What a value must be, as the middle of the message."""
        kind = "whole numbers" if self.integer else "finite numbers"
        text = " ".join(part for part in (kind, self.bounds, self.unit) if part)
        return f"a {self.ndim}-D array of {text}" + (", or None" if self.optional else "")

    def check(self, owner, value):
        """Return the value as a read-only array; raise ParameterError."""
        if value is None and self.optional:
            return None
        array = _numbers(self, owner, value)
        if array.ndim != self.ndim or not (array.size == 0 or self.holds(array)):
            self.refuse(owner, value, array)
        array = np.array(array, self.dtype)
        array.setflags(write=False)
        return array


class Entries:
    """The entries of a matrix: sources, targets and weights in the order in which they were given."""

    def __init__(self, shape, sources, targets, weights):
        self.shape, self.sources, self.targets, self.weights = shape, sources, targets, weights
        for array in (sources, targets, weights):
            array.setflags(write=False)

    def __eq__(self, other):
        return isinstance(other, Entries) and self.shape == other.shape and all(
            np.array_equal(a, b) for a, b in zip(self._arrays(), other._arrays(), strict=True))

    def __hash__(self):
        return hash((self.shape, *(array.tobytes() for array in self._arrays())))

    def __repr__(self):
        return f"<{self.shape[0]} x {self.shape[1]} matrix with {self.weights.size} entries>"

    def _arrays(self):
        return self.sources, self.targets, self.weights


class Matrix(Parameter):
    """A scipy sparse matrix or a dense 2-D array; kept as `Entries`."""

    def requirement(self, forms: bool = False) -> str:
        """What a value must be, as the middle of the message."""
        return "a scipy sparse matrix or a 2-D array of finite numbers"

    def check(self, owner, value):
        """Return the entries of the matrix; raise ParameterError."""
        if isinstance(value, Entries):
            return value
        if hasattr(value, "tocoo"):
            entries = value.tocoo()
            sources, targets, weights = entries.row, entries.col, entries.data
        else:
            value = _numbers(self, owner, value)
            if value.ndim != 2:
                self.refuse(owner, value)
            sources, targets = np.nonzero(value)
            weights = value[sources, targets]
        if not np.isfinite(weights).all():
            bad = np.asarray(weights)[~np.isfinite(weights)][0]
            raise ParameterError(f"{owner}.{self.name} must be {self.requirement()}, got an entry {bad}")
        return Entries(tuple(map(int, value.shape)), np.array(sources, np.uint32), np.array(targets, np.uint32),
                       np.array(weights, np.float64))


def _numbers(parameter: Parameter, owner: str, value: Any) -> np.ndarray:
    """Return a value as an array of float64; refuse what is no number."""
    if isinstance(value, (bool, np.bool_, str, bytes, Samples)) or value is None:
        parameter.refuse(owner, value)
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError):
        parameter.refuse(owner, value)


def allow_self():
    """Return the option whether a neuron may connect to itself."""
    return Option(True, (True, False), doc="whether a neuron may connect to itself (within one population)")


def allow_multiple():
    """Return the option whether a pair may be connected more than once."""
    return Option(True, (True, False), doc="whether a pair may be connected more than once")


def whole_number(doc):
    """Return a parameter that is a whole number, at least 0."""
    return Parameter(doc=doc, at_least=0, integer=True, per_element=False)


def chance(doc):
    """Return a parameter that is a probability."""
    return Parameter(doc=doc, at_least=0, at_most=1, per_element=False)
