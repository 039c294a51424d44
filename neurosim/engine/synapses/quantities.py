"""What was given for the quantities of synapses: numbers, distributions, arrays; and delays in ticks."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.checks import Samples, describe_value
from neurosim.distributions import Distribution
from neurosim.errors import ParameterError, warn

MAX_TICKS = 2**24  #: no delay is longer


@dataclass
class Quantity:
    """How one quantity is looked up or drawn.

    Attributes:
        kind: "shared", "drawn", "matrix" or "listed".
        shared: the number that all synapses share.
        data: the numbers of a distribution, or the values.
        stream: random stream of a distribution.
        quantile: scalar body of a distribution.
    """

    kind: str
    shared: float = 0.0
    data: np.ndarray | None = None
    stream: int = 0
    quantile: Any = None


def quantity(given, shape, rows, what, stream, real):
    """Return how a quantity is had; raise ParameterError for what fits no synapse."""
    if isinstance(given, Distribution):
        check_finite(given, what, real)
        return Quantity("drawn", data=given.numbers(), stream=stream, quantile=given.body)
    array = _array(given, what)
    if array.ndim:
        kind, array = _per_synapse(array, shape, rows, what)
    if not np.isfinite(array).all():
        raise ParameterError(f"{what} must be finite, got an array that holds {array[~np.isfinite(array)][0]}")
    if np.abs(array).max(initial=0.0) > float(np.finfo(real).max):
        raise ParameterError(f"{what} must be finite in {np.dtype(real).name}, got a size of {np.abs(array).max():g}"
                             f"{_in_float64(real)}")
    if array.ndim == 0:
        return Quantity("shared", shared=float(array), stream=stream)
    return Quantity(kind, data=_frozen(array, real))


def check_finite(distribution, what, real) -> None:
    """Refuse a distribution some of whose draws are infinite in a float type; raise ParameterError."""
    if not max(map(abs, distribution.ends())) <= float(np.finfo(real).max):
        raise ParameterError(f"{what} must be finite in {np.dtype(real).name}, but {distribution} may give more; give "
                             f"it low=... or high=...{_in_float64(real)}")


def _in_float64(real) -> str:
    return ", or use dtype='float64'" if np.dtype(real) == np.float32 else ""


def _array(given, what):
    """Return a number or an array as it is, without a copy; refuse anything else."""
    array = np.asarray(given)
    if array.dtype.kind not in "iuf" or isinstance(given, Samples) or array.ndim > 2 or (
            array.ndim == 0 and not np.isfinite(array)):
        raise ParameterError(f"{what} must be a finite number, a distribution or an array, got {describe_value(given)}")
    return array


def _per_synapse(array, shape, rows, what):
    """Return the kind of an array and the array in the order in which it is read."""
    if array.ndim == 2 and array.shape == shape:
        return "matrix", array
    if array.ndim == 1 and rows.starts is not None and array.size == rows.starts[-1]:
        return "listed", array if rows.order is None else array[rows.order]
    one_each = "" if rows.starts is None else f" or ({rows.starts[-1]},)"
    raise ParameterError(f"{what} must be a number, a distribution or an array of shape {shape}{one_each}, got "
                         f"{describe_value(array)}")


def _frozen(array, dtype):
    """Return a read-only contiguous array, so that one compiled loop serves all."""
    array = np.ascontiguousarray(array, dtype).view()
    array.setflags(write=False)
    return array


def delay_ticks(given, shape, rows, dt, label, stream):
    """Return how the delays are had, in ticks, and the smallest and largest that may occur."""
    what = f"{label}delay"
    if isinstance(given, Distribution):
        low, high = (int(math.floor(min(max(end / dt + 0.5, 0), MAX_TICKS))) for end in given.ends())
        return Quantity("drawn", data=given.numbers(), stream=stream, quantile=given.body), low, high
    array = _array(given, what)
    if array.ndim == 0:
        tick = int(_round(array, dt, what))
        if tick < 1 or tick > MAX_TICKS:
            refuse_delay(tick, dt, label, f"{float(array)!r}")
        return Quantity("shared", shared=tick), tick, tick
    kind, array = _per_synapse(array, shape, rows, what)
    ticks = _frozen(_round(array, dt, what), np.int32)
    low, high = (int(ticks.min()), int(ticks.max())) if ticks.size else (1, 1)
    return Quantity(kind, data=ticks), low, high


def _round(ms, dt, what):
    """Return times in whole ticks, at most one more than allowed; warn where they are off the grid."""
    with np.errstate(invalid="ignore"):
        exact = np.asarray(ms, np.float64) / dt
        ticks = np.where(exact >= 0, np.minimum(np.floor(exact + 0.5), MAX_TICKS + 1), 0)  # NaN becomes 0
        off = np.abs(exact - ticks)[(ticks > 0) & (ticks <= MAX_TICKS)]
    worst = off.max(initial=0.0)
    if worst > 1e-6 * max(1.0, float(np.max(ticks, initial=0))):
        warn(f"{what} is not a multiple of dt = {dt:g} ms and was rounded, by up to {worst * dt:.3g} ms")
    return ticks


def refuse_delay(tick: int, dt: float, label: str, got: str):
    """Raise the error for a delay that is too short or too long."""
    limit = f">= dt = {dt:g} ms" if tick < 1 else f"<= {MAX_TICKS * dt:g} ms"
    raise ParameterError(f"{label}delay must be {limit}, got {got}")
