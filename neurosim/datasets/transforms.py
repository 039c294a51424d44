"""What is done to events before they become spikes or frames: each function takes an event array and returns a new one.

Events of a camera and of a cochlea (no y) both do; where a function needs times in order, events that are not are
refused.
"""

import inspect
from functools import cache

import numpy as np

from neurosim.checks import describe_value, is_whole
from neurosim.datasets.events import check_range, checked_events, checked_size, fields_of
from neurosim.datasets.files import check_choice
from neurosim.errors import ParameterError


def crop(events: np.ndarray, x: tuple[int, int], y: tuple[int, int] | None = None) -> np.ndarray:
    """Return the events within a box of pixels, whose corner becomes (0, 0).

    Args:
        events: event array.
        x: (first, last + 1) column that is kept, 0 <= first < last + 1 <= 32768.
        y: the same of rows; by default all.

    Returns:
        events with x - first and y - first; the sensor is then (x[1] - x[0], y[1] - y[0], polarities).

    Raises:
        ParameterError: a bound does not fit, or rows are asked of events without y.

    >>> from neurosim.datasets import make_events
    >>> crop(make_events(t=[1, 2, 3], x=[0, 5, 9], y=[4, 4, 4]), x=(4, 8), y=(4, 6))["x"]
    array([1], dtype=int16)
    """
    events = checked_events("crop", events)
    keep, shift = np.ones(len(events), dtype=bool), {}
    for name, bounds in (("x", x), ("y", y)):
        if bounds is None:
            continue
        if name not in fields_of(events):
            raise ParameterError(f"crop.{name} needs events with the field {name}")
        first, last = _pair(f"crop.{name}", bounds)
        keep &= (events[name] >= first) & (events[name] < last)
        shift[name] = first
    kept = events[keep]
    for name, first in shift.items():
        kept[name] -= first
    return kept


def _pair(what, bounds) -> tuple:
    fits = isinstance(bounds, (tuple, list)) and len(bounds) == 2 and all(
        is_whole(bound) for bound in bounds)
    if not fits or not 0 <= bounds[0] < bounds[1] <= 2**15:
        raise ParameterError(f"{what} must be (first, last + 1), whole numbers with 0 <= first < last + 1 <= 32768, "
                             f"got {describe_value(bounds)}")
    return int(bounds[0]), int(bounds[1])


def downsample(events: np.ndarray, factor: int) -> np.ndarray:
    """Return events whose pixels are put together in squares: x // factor and y // factor.

    Every event stays, so a pixel of the result may have several at one time; `refractory_filter` thins them.

    Args:
        events: event array.
        factor: side of a square in pixels, a whole number >= 1.

    Raises:
        ParameterError: an argument does not fit.

    >>> from neurosim.datasets import make_events
    >>> downsample(make_events(t=[1, 2], x=[3, 4], y=[0, 7]), 4)[["x", "y"]].tolist()
    [(0, 0), (1, 1)]
    """
    events = checked_events("downsample", events).copy()
    factor = _whole("downsample.factor", factor, 1, 2**15)
    for name in {"x", "y"} & set(fields_of(events)):
        events[name] //= factor
    return events


def time_window(events: np.ndarray, start: int, stop: int, shift: bool = True) -> np.ndarray:
    """Return the events with start <= t < stop.

    Args:
        events: event array.
        start, stop: in microseconds, whole numbers with start < stop.
        shift: whether times count from `start` in what is returned.

    Raises:
        ParameterError: an argument does not fit.

    >>> from neurosim.datasets import make_events
    >>> time_window(make_events(t=[10, 20, 30], x=[0, 1, 2]), 15, 30)["t"]
    array([5])
    """
    events = checked_events("time_window", events)
    start, stop = (_whole(f"time_window.{name}", value, -2**62, 2**62)
                   for name, value in (("start", start), ("stop", stop)))
    check_choice("time_window.shift", shift, (True, False))
    if start >= stop:
        raise ParameterError(f"time_window.stop must be later than start, got {start} and {stop} us")
    kept = events[(events["t"] >= start) & (events["t"] < stop)]
    if shift:
        kept["t"] -= start
    return kept


def flip(events: np.ndarray, sensor_size: tuple[int, int, int], axis: str) -> np.ndarray:
    """Return events mirrored left to right (axis "x") or top to bottom ("y"), or with ON and OFF exchanged ("p").

    Args:
        events: event array that fits the sensor.
        sensor_size: (width, height, polarities).
        axis: "x", "y" or "p".

    Raises:
        ParameterError: an argument does not fit, or the events have no such field.

    >>> from neurosim.datasets import make_events
    >>> flip(make_events(t=[1], x=[0], y=[2]), (8, 4, 2), "x")["x"]
    array([7], dtype=int16)
    """
    size = checked_size("flip", sensor_size)
    events = checked_events("flip", events).copy()
    check_range("flip", events, size)
    check_choice("flip.axis", axis, ("x", "y", "p"))
    if axis not in fields_of(events):
        raise ParameterError(f"flip.axis {axis!r} needs events with the field {axis}")
    events[axis] = {"x": size[0], "y": size[1], "p": 2}[axis] - 1 - events[axis].astype(np.int64)
    return events


def merge_polarities(events: np.ndarray) -> np.ndarray:
    """Return events that are all ON, for a sensor of one polarity; ON and OFF are told apart no more.

    >>> from neurosim.datasets import make_events
    >>> merge_polarities(make_events(t=[1, 2], x=[3, 4], p=[0, 1]))["p"]
    array([ True,  True])
    """
    events = checked_events("merge_polarities", events).copy()
    if "p" in fields_of(events):
        events["p"] = 1
    return events


# ---- filters --------------------------------------------------------------------------------------------------------


def refractory_filter(events: np.ndarray, sensor_size: tuple[int, int, int], period: int) -> np.ndarray:
    """Return the events that come at least `period` after the last one of their pixel that was kept, of either
    polarity.

    Args:
        events: event array that fits the sensor, sorted by time.
        sensor_size: (width, height, polarities).
        period: in microseconds, a whole number >= 0; 0 keeps all.

    Raises:
        ParameterError: an argument does not fit, or the events are not sorted.

    >>> from neurosim.datasets import make_events
    >>> refractory_filter(make_events(t=[0, 9, 10, 15], x=[1, 1, 1, 2], y=[0] * 4), (4, 4, 2), 10)["t"]
    array([ 0, 10, 15])
    """
    size, columns = _columns("refractory_filter", events, sensor_size)
    period = _whole("refractory_filter.period", period, 0, 2**62)
    keep = np.zeros(len(events), dtype=np.bool_)
    _load(_refractory)(*columns, np.full((size[1], size[0]), -1, dtype=np.int64), period, keep)
    return events[keep]


def denoise(events: np.ndarray, sensor_size: tuple[int, int, int], window: int, radius: int = 1,
            neighbours: int = 1) -> np.ndarray:
    """Return the events that neighbours support: background activity, which comes alone, is left out.

    An event stays if within `window` before it at least so many other pixels of the square of side 2 radius + 1 around
    it had an event, of either polarity, kept or not.

    Source: T. Delbruck, Frame-free dynamic digital vision, Proc. Int. Symp. Secure-Life Electronics 1, 21 (2008).

    Args:
        events: event array that fits the sensor, sorted by time.
        sensor_size: (width, height, polarities).
        window: in microseconds, a whole number >= 0.
        radius: of the neighbourhood in pixels, a whole number >= 1.
        neighbours: how many of its pixels must support an event, a whole number >= 1.

    Raises:
        ParameterError: an argument does not fit, or the events are not sorted.

    >>> from neurosim.datasets import make_events
    >>> denoise(make_events(t=[0, 5, 900], x=[1, 2, 7], y=[0, 1, 0]), (8, 4, 2), window=100)["t"]
    array([5])
    """
    size, columns = _columns("denoise", events, sensor_size)
    window = _whole("denoise.window", window, 0, 2**62)
    radius, neighbours = _whole("denoise.radius", radius, 1, 2**15), _whole("denoise.neighbours", neighbours, 1, 2**31)
    keep = np.zeros(len(events), dtype=np.bool_)
    _load(_supported)(*columns, np.full((size[1], size[0]), -1, dtype=np.int64), window, radius, neighbours, keep)
    return events[keep]


def _columns(owner, events, sensor_size) -> tuple:
    """The size of the sensor, and t, x and y of events that are sorted and fit it."""
    size = checked_size(owner, sensor_size)
    check_range(owner, checked_events(owner, events), size)
    t = np.ascontiguousarray(events["t"], dtype=np.int64)
    check_sorted(owner, t)
    x = np.ascontiguousarray(events["x"], dtype=np.int64)
    y = np.ascontiguousarray(events["y"], dtype=np.int64) if "y" in fields_of(events) else np.zeros_like(x)
    return size, (t, x, y)


def check_sorted(owner, t):
    """Raise ParameterError where times run backwards."""
    back = np.flatnonzero(np.diff(t) < 0)
    if len(back):
        raise ParameterError(f"{owner}.events must be sorted by time, event {back[0] + 1} comes before the one before "
                             "it; sort them first: events[np.argsort(events['t'], kind='stable')]")


def _whole(what, value, least, most) -> int:
    if not is_whole(value) or not least <= value <= most:
        raise ParameterError(f"{what} must be a whole number in {least} .. {most}, got {describe_value(value)}")
    return int(value)


def _refractory(t, x, y, last, period, keep):
    for k in range(len(t)):
        before = last[y[k], x[k]]
        if before < 0 or t[k] - before >= period:
            keep[k] = True
            last[y[k], x[k]] = t[k]


def _supported(t, x, y, last, window, radius, neighbours, keep):
    height, width = last.shape
    for k in range(len(t)):
        found = 0
        for row in range(max(0, y[k] - radius), min(height, y[k] + radius + 1)):
            for column in range(max(0, x[k] - radius), min(width, x[k] + radius + 1)):
                before = last[row, column]
                if before >= 0 and t[k] - before <= window and (row != y[k] or column != x[k]):
                    found += 1
        keep[k] = found >= neighbours
        last[y[k], x[k]] = t[k]


@cache
def _load(function):
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    text = inspect.getsource(function).replace(f"def {function.__name__}", "def main")
    return load_function(f"events{function.__name__}", text, {})
