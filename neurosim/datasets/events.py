"""Event arrays: how they are made and checked, and how they become spikes and come back.

The channel of an event is (p * H + y) * W + x for a sensor of W x H pixels. An event at time t goes to the tick k with
(k - 1) dt < t <= k dt, as spikes do in a recording that covers (0, duration]. Only t = 0, the opening of the recording,
goes to tick 1 as well, or to 1 us where times stay exact: no event is dropped and none lands on tick 0.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from neurosim.checks import check_ticks, describe_value, is_number, is_whole
from neurosim.errors import ParameterError, warn
from neurosim.spikes import Spikes

#: Events of a camera, as Tonic has them: address, time in microseconds, polarity (True is ON).
EVENT = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.bool_)])
#: Events of a cochlea, as Tonic has them: time in microseconds, channel, and a polarity that is always True.
SPIKE = np.dtype([("t", np.int64), ("x", np.int16), ("p", np.bool_)])

US_PER_MS = 1000
LATE_US = 10**12  #: events that all come later, after eleven days, have times of a clock, not of a recording


class Batch(NamedTuple):
    """The events of many recordings on a grid, one after the other: recording i is offsets[i]:offsets[i + 1].

    Attributes:
        ticks: tick of each event, from 1 in each recording, int64, shape (n_events,).
        channels: channel of each event, uint32, shape (n_events,).
        offsets: where each recording begins, and the end, int64, shape (n_recordings + 1,).

    >>> Batch(np.array([1, 2, 1]), np.array([0, 0, 5]), np.array([0, 2, 3])).ticks[0:2]
    array([1, 2])
    """

    ticks: np.ndarray
    channels: np.ndarray
    offsets: np.ndarray


def make_events(t, x, y=None, p=None) -> np.ndarray:
    """Return an event array made of columns, sorted by time.

    Args:
        t: time of each event in microseconds, integers >= 0, shape (n_events,).
        x, y: addresses, integers in 0 .. 32767, shape (n_events,); without `y` the array has Tonic's fields of a
            cochlea (t, x, p), with `y` those of a camera (x, y, t, p).
        p: polarity, bool or 0 and 1, shape (n_events,); by default all 1.

    Raises:
        ParameterError: a column does not fit.

    >>> make_events(t=[5, 2], x=[1, 3])["x"]
    array([3, 1], dtype=int16)
    """
    columns = {"t": _column("t", t, 2**62), "x": _column("x", x, 2**15 - 1)}
    if y is not None:
        columns["y"] = _column("y", y, 2**15 - 1)
    columns["p"] = np.ones(len(columns["t"]), dtype=bool) if p is None else _column("p", p, 1)
    for name, column in columns.items():
        if len(column) != len(columns["t"]):
            raise ParameterError(f"make_events.{name} must have one entry per event, got {len(column)} "
                                 f"for {len(columns['t'])} times")
    events = pack(EVENT if y is not None else SPIKE, **columns)
    if (np.diff(events["t"]) < 0).any():
        events = events[np.argsort(events["t"], kind="stable")]
    return events


def _column(name, values, most) -> np.ndarray:
    array = np.asarray(values)
    if array.shape == (0,):
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "biu":
        raise ParameterError(f"make_events.{name} must be a 1-D array of integers, got {describe_value(values)}")
    if array.min() < 0 or array.max() > most:
        bad = array[(array < 0) | (array > most)][0]
        raise ParameterError(f"make_events.{name} must lie in 0 .. {most}, got {bad}")
    return array


def pack(dtype, **columns) -> np.ndarray:
    """Return a structured array with these columns, which were checked before."""
    events = np.empty(len(columns["t"]), dtype=dtype)
    for name in dtype.names:
        events[name] = columns[name]
    return events


# ---- checks -----------------------------------------------------------------------------------------------


def checked_size(owner, sensor_size) -> tuple:
    """Return a sensor size as (W, H, P); raise ParameterError."""
    try:
        size = tuple(int(n) for n in sensor_size)
        fits = len(size) == 3 and all(n == given for n, given in zip(size, sensor_size, strict=True))
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits or not (1 <= size[0] <= 2**15 and 1 <= size[1] <= 2**15 and size[2] in (1, 2)):
        raise ParameterError(f"{owner}.sensor_size must be (width, height, polarities) with sides in 1 .. 32768 and "
                             f"1 or 2 polarities, got {describe_value(sensor_size)}")
    return size


def fields_of(events) -> tuple[str, ...]:
    """Return the names of the fields of an event array; none where it is not structured."""
    return events.dtype.names or ()


def checked_events(owner, events) -> np.ndarray:
    """Return an event array if it has the fields t and x with whole numbers; raise ParameterError."""
    names = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not isinstance(events, np.ndarray) or events.ndim != 1 or not {"t", "x"} <= set(names):
        raise ParameterError(f"{owner}.events must be a 1-D structured array with the fields t and x (and y, p), "
                             f"got {describe_value(events)}")
    for name in {"t", "x", "y", "p"} & set(names):
        if events.dtype[name].kind not in "biu":
            raise ParameterError(f"{owner}.events['{name}'] must be whole numbers (t in microseconds), "
                                 f"got {events.dtype[name]}")
    return events


def check_range(owner, events, sensor_size, before=0):
    """Raise ParameterError where an event lies off the sensor or before time 0; `before` events came earlier."""
    width, height, polarities = sensor_size
    limits = {"t": 2**62, "x": width - 1, "y": height - 1, "p": 1}
    for name in limits.keys() & set(events.dtype.names):
        column = events[name]
        if len(column) and (column.min() < 0 or column.max() > limits[name]):
            first = int(np.flatnonzero((column < 0) | (column > limits[name]))[0])
            bound = ">= 0 us" if name == "t" else f"in 0 .. {limits[name]}"
            raise ParameterError(f"{owner}.events['{name}'] must be {bound}, got {column[first]} in event "
                                 f"{before + first}")
    if height > 1 and "y" not in events.dtype.names:
        raise ParameterError(f"{owner}.events must have a field y for a sensor of height {height}")
    if polarities == 2 and "p" not in events.dtype.names:
        raise ParameterError(f"{owner}.events must have a field p for a sensor of 2 polarities")
    if polarities == 1 and "p" in events.dtype.names and len(events) and events["p"].min() != events["p"].max():
        raise ParameterError(f"{owner}.events must have one polarity for a sensor of 1 polarity, got both; "
                             "give sensor_size = (width, height, 2)")


def channels_of(events, sensor_size) -> np.ndarray:
    """Return the channel of each event; a sensor of one polarity has channels y * W + x."""
    width, height, polarities = sensor_size
    channels = events["x"].astype(np.int64)
    if height > 1:
        channels += width * events["y"].astype(np.int64)
    if polarities > 1:
        channels += (width * height) * events["p"].astype(np.int64)
    return channels


# ---- to spikes and back -----------------------------------------------------------------------------------


def to_spikes(events, sensor_size, dt: float | None = 1.0, duration: float | None = None, name: str = "",
              start: str | int = 0) -> Spikes:
    """Return the events of one recording as spikes of W * H * P neurons, on a grid of ticks or at exact times.

    The neuron of an event is (p * H + y) * W + x, or y * W + x for a sensor of one polarity. An event at t goes to the
    tick k with (k - 1) dt < t <= k dt, and t = 0 to tick 1. Events of one neuron at one tick all stay. With dt=None
    spikes have the exact times of their events; only t = 0, which no window holds, becomes 1 us.

    Args:
        events: structured array with whole numbers `t` in microseconds, `x`, and where the sensor has them `y` and
            `p`, shape (n_events,); of this module or of Tonic.
        sensor_size: (width, height, polarities).
        dt: length of a tick in ms, or None for exact times.
        duration: length of the window in ms, a multiple of dt; by default just long enough for every event.
        name: name of the population.
        start: where the window opens, in microseconds of the events' time, or "first" for the first event, for times
            that count from 1970 or from when the camera was switched on.

    Raises:
        ParameterError: a value does not fit, an event lies off the sensor, or comes before `start` or after `duration`.

    Warns:
        NeurosimWarning: the window opens at 0 and all events come more than eleven days later.

    >>> events = make_events(t=[0, 1000, 1001], x=[0, 1, 2], y=[0, 0, 1], p=[0, 0, 1])
    >>> spikes = to_spikes(events, sensor_size=(4, 2, 2), dt=1.0)
    >>> spikes.ticks, spikes.ids
    (array([1, 1, 2]), array([ 0,  1, 14], dtype=uint32))
    >>> to_spikes(events, sensor_size=(4, 2, 2), dt=None).times.tolist()
    [0.001, 1.0, 1.001]
    >>> late = make_events(t=[1_700_000_000_000_000, 1_700_000_000_001_500], x=[0, 1])
    >>> to_spikes(late, sensor_size=(2, 1, 1), start="first").ticks
    array([1, 2])
    """
    size = checked_size("to_spikes", sensor_size)
    events = checked_events("to_spikes", events)
    check_range("to_spikes", events, size)
    ids, n = channels_of(events, size), math.prod(size)
    t = _since("to_spikes", events["t"], np.array([0, len(events)]), start)
    if dt is None:
        times, length = _times("to_spikes", t, duration)
        return Spikes(times=times, ids=ids, size=n, duration=length, name=name)
    ticks, most = _ticks("to_spikes", t, dt, duration)
    return Spikes(ticks=ticks, ids=ids, size=n, dt=dt, duration=most * dt, name=name)


def to_batch(recordings, sensor_size=None, dt: float = 1.0, duration: float | None = None,
             start: str | int = 0) -> Batch:
    """Return the events of many recordings on a grid of ticks as flat arrays, as `to_spikes` places them.

    Args:
        recordings: `Recordings`, as `load_all` returns them, or a sequence of event arrays.
        sensor_size: (width, height, polarities); by default that of the `Recordings`.
        dt: length of a tick in ms.
        duration: length of each recording in ms, a multiple of dt; by default whatever each of them needs.
        start: where each window opens, in microseconds, or "first" for the first event of each recording.

    Returns:
        ticks, channels and offsets; within a recording sorted by tick, then channel.

    Raises:
        ParameterError: a value does not fit, an event lies off the sensor, or comes before `start` or after `duration`.

    >>> one, two = make_events(t=[500, 2500], x=[3, 1]), make_events(t=[700], x=[2])
    >>> batch = to_batch([one, two], sensor_size=(4, 1, 1))
    >>> batch.ticks, batch.channels, batch.offsets
    (array([1, 3, 1]), array([3, 1, 2], dtype=uint32), array([0, 2, 3]))
    """
    events, offsets, size = _flat(recordings, sensor_size)
    check_range("to_batch", events, size)
    ticks, most = _ticks("to_batch", _since("to_batch", events["t"], offsets, start), dt, duration)
    channels, n = channels_of(events, size), math.prod(size)
    recording = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    if len(offsets) * (most + 1) * n >= 2**63:
        order = np.lexsort((channels, ticks, recording))
        return Batch(ticks[order], channels[order].astype(np.uint32), offsets)
    place = recording * (most + 1) + ticks
    if (np.diff(place) < 0).any():
        order = np.argsort(place, kind="stable")
        place, ticks, channels = place[order], ticks[order], channels[order]
    place *= n
    channels += place
    channels.sort()
    channels -= place
    return Batch(ticks, channels.astype(np.uint32), offsets)


def _flat(recordings, sensor_size) -> tuple:
    if hasattr(recordings, "offsets"):
        size = recordings.sensor_size if sensor_size is None else sensor_size
        return checked_events("to_batch", recordings.events), recordings.offsets, checked_size("to_batch", size)
    if isinstance(recordings, str) or not isinstance(recordings, Iterable):
        raise ParameterError("to_batch.recordings must be Recordings or a sequence of event arrays, got "
                             f"{describe_value(recordings)}")
    parts = [checked_events(f"to_batch.recordings[{index}]", part) for index, part in enumerate(recordings)]
    size = checked_size("to_batch", sensor_size)
    if len({part.dtype for part in parts}) > 1:
        raise ParameterError("to_batch.recordings must all have the same fields and types")
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)]).astype(np.int64)
    return (np.concatenate(parts) if parts else np.empty(0, EVENT)), offsets, size


def _since(owner, t, offsets, start) -> np.ndarray:
    """The times of events, counted from where the window of each recording opens."""
    if isinstance(start, str) and start == "first":
        counts = np.diff(offsets)
        begins = np.minimum.reduceat(t, offsets[:-1][counts > 0]) if len(t) else np.zeros(0, dtype=np.int64)
        return t - np.repeat(begins, counts[counts > 0])
    if not is_whole(start):
        raise ParameterError(f'{owner}.start must be a whole number of microseconds or "first", '
                             f"got {describe_value(start)}")
    if start and len(t) and t.min() < start:
        raise ParameterError(f"{owner}.start must not be later than any event, got {start} us and an event at "
                             f"{t.min()} us; cut them first: events[events['t'] >= {start}]")
    if start == 0 and len(t) and t.min() >= LATE_US:
        warn(f"{owner}: the first event comes {t.min() / 1e6:.0f} s after the window opens; start=\"first\" "
             "opens it there")
    return t - int(start) if start else t


def _ticks(owner, t, dt, duration) -> tuple:
    """The tick of each time in microseconds, and the number of ticks of the window."""
    if not _is_finite(dt) or dt <= 0:
        raise ParameterError(f"{owner}.dt must be a finite number > 0 ms, got {describe_value(dt)}")
    last = int(t.max(initial=0))
    if last / (dt * US_PER_MS) > 2**44:
        raise ParameterError(f"{owner}.dt must be at least 2**-44 of the recording, got {dt:g} ms for {last} us")
    step = dt * US_PER_MS
    if abs(step - round(step)) < 1e-9 * step:
        ticks = (t.astype(np.int64) + (round(step) - 1)) // round(step)
    else:
        grid = t / step
        grid -= 1e-9 + 1e-14 * grid  # what is on the grid but for rounding stays there
        ticks = np.ceil(grid).astype(np.int64)
    np.maximum(ticks, 1, out=ticks)
    needed = int(ticks.max(initial=0))
    if duration is None:
        return ticks, needed
    most = check_ticks(f"{owner}.duration", duration, dt)
    if needed > most:
        _refuse_late(owner, ticks > most, last / US_PER_MS, duration)
    return ticks, most


def _times(owner, t, duration) -> tuple:
    """The exact time in ms of each time in microseconds, and the length of the window."""
    times = np.maximum(t, 1) / US_PER_MS
    last = times.max(initial=0.0)
    if duration is None:
        return times, last
    if not _is_finite(duration) or duration < 0:
        raise ParameterError(f"{owner}.duration must be a finite number >= 0 ms, got {describe_value(duration)}")
    if last > duration:
        _refuse_late(owner, times > duration, last, duration)
    return times, duration


def _is_finite(value) -> bool:
    return is_number(value) and math.isfinite(value)


def _refuse_late(owner, late, last, duration):
    raise ParameterError(f"{owner}.duration must hold every event, got {duration:g} ms and {np.count_nonzero(late)} "
                         f"events up to {last:g} ms; cut them first: "
                         f"events[events['t'] <= {duration * US_PER_MS:.10g}]")


def to_events(spikes: Spikes, sensor_size) -> np.ndarray:
    """Return spikes as an event array, the inverse of `to_spikes`.

    Args:
        spikes: spikes of W * H * P neurons; their times are rounded to whole microseconds.
        sensor_size: (width, height, polarities); with a height and one polarity of 1 the array has the fields of a
            cochlea (t, x, p), else those of a camera (x, y, t, p).

    Raises:
        ParameterError: the spikes are not of W * H * P neurons, or come before time 0.

    >>> events = to_events(Spikes(ticks=[1, 2], ids=[0, 14], size=16, duration=2.0, dt=1.0), (4, 2, 2))
    >>> events["t"], events["x"], events["y"], events["p"]
    (array([1000, 2000]), array([0, 2], dtype=int16), array([0, 1], dtype=int16), array([False,  True]))
    """
    width, height, polarities = size = checked_size("to_events", sensor_size)
    if spikes.size != math.prod(size):
        raise ParameterError(f"to_events.spikes must be of {width} x {height} x {polarities} = {math.prod(size)} "
                             f"neurons, got {spikes.size}")
    if spikes.start < 0:
        raise ParameterError(f"to_events.spikes must begin at or after 0 ms, got a window from {spikes.start:g} ms")
    t, ids = np.rint(spikes.times * US_PER_MS).astype(np.int64), spikes.ids.astype(np.int64)
    p = ids // (width * height) if polarities == 2 else np.ones(len(ids), dtype=bool)
    if height == 1 and polarities == 1:
        return pack(SPIKE, t=t, x=ids, p=p)
    return pack(EVENT, t=t, x=ids % width, y=ids // width % height, p=p)
