"""What a recording of spikes must be: checks with one form of message."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from neurosim.checks import Parameter, describe_value
from neurosim.errors import ParameterError

# Up to here a time in ms leads back to its tick, also through text of 15 digits.
_MOST_TICKS = 2**44
_MOST_BYTES = 4 * 2**30


def number(field, value, unit="", **bounds):
    """Return a number that fits its bounds; raise ParameterError otherwise."""
    parameter = Parameter(unit=unit, per_element=False, **bounds)
    parameter.__set_name__(None, field)
    number = parameter.check("Spikes", value)
    return number if parameter.integer else number + 0.0  # -0.0 becomes 0.0, for the fingerprint


def check_time_form(ticks, times, dt):
    """Raise ParameterError unless there are either ticks and dt, or times."""
    if (ticks is None) == (times is None):
        raise ParameterError("Spikes must be given either ticks (with dt) or times, got "
                             + ("neither" if ticks is None else "both"))
    if ticks is not None and dt is None:
        raise ParameterError("Spikes.dt must be the length of a tick in ms where ticks are given, got None")
    if times is not None and dt is not None:
        raise ParameterError("Spikes.dt must be None where exact times are given; use Spikes.from_times to round them "
                             f"to a grid, got {describe_value(dt)}")


def _off_grid(grid, ticks):
    """How far off the grid, in ticks; 0 where it is within what float64 and 15 digits of text can tell."""
    error = np.abs(grid - ticks)
    return np.where(error > 1e-6 + 1e-14 * np.abs(ticks), error, 0.0)


def on_grid(field, ms, dt):
    """A time in whole ticks of dt, or in ms as it is where there is no grid."""
    if dt is None:
        return ms
    grid = ms / dt
    if abs(grid) > _MOST_TICKS:
        raise ParameterError(f"Spikes.{field} must be at most 2**44 ticks of dt = {dt:g} ms, got {ms:g} ms")
    if _off_grid(grid, round(grid)):
        raise ParameterError(f"Spikes.{field} must be a multiple of dt = {dt:g} ms, got {ms!r}")
    return round(grid)


def nearest_ticks(times, dt) -> tuple:
    """The nearest tick of each time, and the worst error in ticks."""
    grid = times / dt
    bad = ~(np.abs(grid) <= _MOST_TICKS)
    if bad.any():
        raise ParameterError(f"Spikes.times must be finite and at most 2**44 ticks of dt = {dt:g} ms, "
                             f"got {times[bad][0]:g}")
    ticks = np.rint(grid)
    return ticks.astype(np.int64), float(_off_grid(grid, ticks).max(initial=0.0))


def check_rounded(times, ticks, first, span):
    """Raise ParameterError where a time rounds to a tick outside the window."""
    outside = _outside(ticks, first, span)
    if outside.any():
        raise ParameterError(
            f"Spikes.times must round to ticks in {window_text(first, first + span)}, "
            f"got {times[outside][0]:.10g} ms, which rounds to tick {ticks[outside][0]}")


def check_window(stamps, first, span, dt):
    """Raise ParameterError where a spike lies outside (first, first + span]."""
    outside = _outside(stamps, first, span)
    if outside.any():
        what, unit = ("times", " ms") if dt is None else ("ticks", "")
        raise ParameterError(f"Spikes.{what} must lie in {window_text(first, first + span)}{unit}, after start and up "
                             f"to start + duration, got {stamps[outside][0].item()}")


def _outside(stamps, first, span) -> np.ndarray:
    return ~((stamps > first) & (stamps <= first + span))  # NaN is outside too


def check_ids(ids, size, field="ids"):
    """Raise ParameterError where a neuron is not in 0 .. size - 1."""
    bad = (ids < 0) | (ids >= size)
    if bad.any():
        raise ParameterError(f"Spikes.{field} must lie in 0 .. {size - 1} for size = {size}, got {ids[bad][0]}")


def checked_watched(watched, size, ids) -> np.ndarray | None:
    """Return the neurons that were watched, sorted and read-only, or None for all of them."""
    if watched is None:
        return None
    watched = np.sort(as_integers("watched", watched))
    check_ids(watched, size, "watched")
    if (np.diff(watched) == 0).any():
        raise ParameterError("Spikes.watched must name each neuron once, got one of them twice")
    if len(watched) == size:
        return None
    stray = ~np.isin(ids, watched)
    if stray.any():
        raise ParameterError(f"Spikes.ids must be of neurons that were watched, got {ids[stray][0]}, which was not")
    watched = watched.astype(np.uint32)
    watched.setflags(write=False)
    return watched


def checked_unit_ids(unit_ids, size) -> np.ndarray | None:
    """Return what neurons are called elsewhere, read-only, or None where that is their numbers."""
    if unit_ids is None:
        return None
    found = as_integers("unit_ids", unit_ids)
    if len(found) != size or len(np.unique(found)) != size:
        raise ParameterError(f"Spikes.unit_ids must be {size} different integers, one for each neuron, got "
                             f"{len(found)}, of which {len(np.unique(found))} differ")
    if np.array_equal(found, np.arange(size)):
        return None
    found = found.astype(np.uint64 if found.max() > 2**63 - 1 else np.int64)
    found.setflags(write=False)
    return found


def inferred_size(ids) -> int:
    """The smallest population that has these neurons."""
    return int(ids.max()) + 1 if len(ids) else 0


def inferred_span(stamps, first, dt):
    """The shortest window from `first` on in which all stamps lie, in ticks or ms."""
    last = stamps[np.isfinite(stamps)].max(initial=first)
    if dt is not None:
        return int(last) - first
    span = float(last) - first
    return span if first + span >= last else math.nextafter(span, math.inf)  # rounding must not lose the last spike


def as_array(field, values) -> np.ndarray:
    """Return an array."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise ParameterError(f"Spikes.{field} must be an array of numbers, got {describe_value(values)}") from None


def as_integers(field, values) -> np.ndarray:
    """Return a 1-D array of integers."""
    array = as_array(field, values)
    if array.shape == (0,):
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ParameterError(f"Spikes.{field} must be a 1-D array of integers, got {describe_array(array)}")
    return array


def as_exact(values) -> np.ndarray:
    """Return a 1-D array of times that lose nothing as float64."""
    array = as_array("times", values)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise ParameterError(f"Spikes.times must be a 1-D array of times in ms, got {describe_array(array)}")
    exact = array.astype(np.float64) + 0.0  # -0.0 becomes 0.0, for the fingerprint
    with np.errstate(invalid="ignore"):
        rounded = (exact.astype(array.dtype) != array) & (array == array)
    if rounded.any():
        raise ParameterError("Spikes.times must be exact as float64, got numbers with more digits")
    return exact


def describe_array(array) -> str:
    """Return shape and type of an array as text."""
    return f"an array of shape {array.shape} and type {array.dtype}"


def check_memory(method, rows, columns, itemsize):
    """Raise ParameterError where a result would be larger than 4 GiB."""
    if rows * columns * itemsize > _MOST_BYTES:
        raise ParameterError(f"Spikes.{method} must give an array of at most {_MOST_BYTES / 2**30:g} GiB, got "
                             f"{rows * columns * itemsize / 2**30:.3g} GiB; take a part with between() or select()")


def check_text(field, value) -> str:
    """Text that every file format can hold: UTF-8 without a null character."""
    if isinstance(value, str) and "\0" not in value and value.encode(errors="ignore").decode() == value:
        return str(value)
    raise ParameterError(f"Spikes.{field} must be a str without null characters or lone surrogates, "
                         f"got {describe_value(value)}")


def checked_metadata(metadata) -> MappingProxyType:
    """Return labels that every file format can hold, read-only."""
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, Mapping):
        raise ParameterError(f"Spikes.metadata must be a dict, got {describe_value(metadata)}")
    return MappingProxyType({_key(key): _label(key, value) for key, value in metadata.items()})


def _key(key) -> str:
    if key == "":
        raise ParameterError("Spikes.metadata must have keys that are not empty, got ''")
    return check_text("metadata keys", key)


def _label(key, value):
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        return check_text(f"metadata[{key!r}]", value)
    if isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**64):
        return value
    raise ParameterError(f"Spikes.metadata[{key!r}] must be str, float, bool or an int of 64 bits, "
                         f"got {describe_value(value)}")


def in_order(stamps, ids) -> tuple:
    """Read-only copies, sorted by time, then neuron."""
    step = np.diff(stamps)
    if not ((step > 0) | ((step == 0) & (ids[1:] >= ids[:-1]))).all():
        order = np.lexsort((ids, stamps))
        stamps, ids = stamps[order], ids[order]
    stamps.setflags(write=False)
    ids.setflags(write=False)
    return stamps, ids


def shared_labels(parts) -> dict:
    """The labels on which all parts agree."""
    first, *others = (part.metadata for part in parts)
    return {key: value for key, value in first.items()
            if all(key in other and other[key] == value for other in others)}


def window_text(start, stop) -> str:
    """Return a window as text."""
    return f"({start:.10g}, {stop:.10g}]"
