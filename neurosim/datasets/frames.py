"""Events as arrays on the pixels of the sensor: frames of counts, voxel grids and time surfaces.

Every event is in a result once: nothing is dropped at an edge, and counts do not overflow.
"""

import numpy as np

from neurosim.checks import describe_value, is_number, is_whole
from neurosim.datasets.events import channels_of, check_range, checked_events, checked_size, fields_of
from neurosim.datasets.transforms import check_sorted
from neurosim.errors import ParameterError

MOST = 2**31  #: numbers of an array


def to_frames(events: np.ndarray, sensor_size: tuple[int, int, int], *, period: int | None = None,
              n_frames: int | None = None, n_events: int | None = None) -> np.ndarray:
    """Return the number of events of each pixel and polarity in frames that follow each other.

    Args:
        events: event array that fits the sensor, sorted by time.
        sensor_size: (width, height, polarities).
        period: length of a frame in microseconds; frame k holds first + k period <= t < first + (k + 1) period, where
            first is the time of the first event.
        n_frames: instead, how many frames of one length from the first event to the last, which is in the last frame.
        n_events: instead, how many events each frame holds; the last one holds the rest.

    Returns:
        counts, int32, shape (frames, polarities, height, width); no frame where there is no event, but `n_frames` of
        them if these were asked for.

    Raises:
        ParameterError: not one of the three was given, a value does not fit, or the events are not sorted.

    >>> from neurosim.datasets import make_events
    >>> events = make_events(t=[0, 9, 10, 29], x=[1, 1, 0, 1], y=[0] * 4, p=[1, 1, 0, 1])
    >>> to_frames(events, (2, 1, 2), period=10)[:, 1, 0, :].tolist()
    [[0, 2], [0, 0], [0, 1]]
    """
    size, events = _fitting("to_frames", events, sensor_size)
    given = {"period": period, "n_frames": n_frames, "n_events": n_events}
    asked = {name: value for name, value in given.items() if value is not None}
    if len(asked) != 1:
        raise ParameterError(f"to_frames must be given one of period, n_frames and n_events, got {len(asked)} of them")
    (name, value), = asked.items()
    if not is_whole(value) or not 1 <= value <= 2**62:
        raise ParameterError(f"to_frames.{name} must be a whole number >= 1, got {describe_value(value)}")
    since = events["t"] - events["t"][0] if len(events) else np.zeros(0, dtype=np.int64)
    if name == "n_events":
        frame, many = np.arange(len(events)) // value, -(-len(events) // int(value))
    elif name == "period":
        frame, many = since // value, int(since[-1] // value) + 1 if len(events) else 0
    else:
        length, many = (int(since[-1]) if len(events) else 0), int(value)
        exact = since if length < 2**62 // many else since.astype(object)  # where the product needs more than 64 bits
        frame = np.minimum(exact * many // max(length, 1), many - 1).astype(np.int64)
    pixels = int(np.prod(size, dtype=object))
    _check_room("to_frames", many * pixels, "frames and pixels")
    counts = np.bincount(frame * pixels + channels_of(events, size), minlength=many * pixels)
    return counts.astype(np.int32).reshape(many, size[2], size[1], size[0])


def to_voxel_grid(events: np.ndarray, sensor_size: tuple[int, int, int], n_bins: int) -> np.ndarray:
    """Return the polarities of events, +1 and -1, shared between the two nearest of some bins in time.

    V(b, y, x) = sum over events at (x, y) of p max(0, 1 - |b - (n_bins - 1) (t - t_first) / (t_last - t_first)|).

    Source: A. Z. Zhu, L. Yuan, K. Chaney and K. Daniilidis, Unsupervised event-based learning of optical flow, depth,
        and egomotion, CVPR (2019), eq. 1 and 2.

    Args:
        events: event array that fits the sensor, sorted by time.
        sensor_size: (width, height, polarities).
        n_bins: a whole number >= 1; with 1, all events are in it.

    Returns:
        float64, shape (n_bins, height, width); its sum is the number of ON minus that of OFF events.

    Raises:
        ParameterError: a value does not fit, or the events are not sorted.

    >>> from neurosim.datasets import make_events
    >>> to_voxel_grid(make_events(t=[0, 25, 100], x=[0, 1, 1], y=[0, 0, 0], p=[1, 0, 1]), (2, 1, 2), 3).tolist()
    [[[1.0, -0.5]], [[0.0, -0.5]], [[0.0, 1.0]]]
    """
    size, events = _fitting("to_voxel_grid", events, sensor_size)
    if not is_whole(n_bins) or n_bins < 1:
        raise ParameterError(f"to_voxel_grid.n_bins must be a whole number >= 1, got {describe_value(n_bins)}")
    pixels = size[0] * size[1]
    _check_room("to_voxel_grid", int(n_bins) * pixels, "bins and pixels")
    pixel = channels_of(events, (size[0], size[1], 1))
    sign = np.where(events["p"], 1.0, -1.0) if "p" in fields_of(events) else np.ones(len(events))
    t = events["t"] - events["t"][0] if len(events) else np.zeros(0)
    at = t * ((n_bins - 1) / max(1, t.max(initial=0)))
    low = np.minimum(at.astype(np.int64), n_bins - 1)
    high, share = np.minimum(low + 1, n_bins - 1), at - low
    grid = np.bincount(low * pixels + pixel, sign * (1 - share), int(n_bins) * pixels)
    grid += np.bincount(high * pixels + pixel, sign * share, int(n_bins) * pixels)
    return grid.reshape(int(n_bins), size[1], size[0])


def time_surface(events: np.ndarray, sensor_size: tuple[int, int, int], tau: float,
                 at: int | None = None) -> np.ndarray:
    """Return how lately each pixel had an event of each polarity: exp(-(at - t_last) / tau), and 0 where it had none.

    Source: X. Lagorce, G. Orchard, F. Galluppi, B. E. Shi and R. B. Benosman, HOTS: a hierarchy of event-based
    time-surfaces for pattern recognition, IEEE Trans. Pattern Anal. Mach. Intell. 39, 1346 (2017), eq. 3.

    Args:
        events: event array that fits the sensor, sorted by time.
        sensor_size: (width, height, polarities).
        tau: time constant in microseconds, > 0.
        at: time in microseconds from which it is looked back; events after it are not seen. By default that of the last
            event.

    Returns:
        float64 in 0 .. 1, shape (polarities, height, width).

    Raises:
        ParameterError: a value does not fit, or the events are not sorted.

    >>> from neurosim.datasets import make_events
    >>> time_surface(make_events(t=[0, 100], x=[0, 1], y=[0, 0], p=[1, 1]), (2, 1, 2), tau=100.0)[1].round(3).tolist()
    [[0.368, 1.0]]
    """
    size, events = _fitting("time_surface", events, sensor_size)
    number = is_number(tau)
    if not number or not 0 < tau < np.inf:
        raise ParameterError(f"time_surface.tau must be a finite number > 0 us, got {describe_value(tau)}")
    if at is not None and not is_whole(at):
        raise ParameterError("time_surface.at must be a whole number of microseconds or None, got "
                             f"{describe_value(at)}")
    at = (int(events["t"][-1]) if len(events) else 0) if at is None else int(at)
    seen = events[:np.searchsorted(events["t"], at, side="right")]
    last = np.full(int(np.prod(size, dtype=object)), -1, dtype=np.int64)
    last[channels_of(seen, size)] = seen["t"]  # of several events of a pixel the last one stays
    surface = np.exp(-np.where(last >= 0, at - last, np.inf) / tau)
    return surface.reshape(size[2], size[1], size[0])


def _fitting(owner, events, sensor_size) -> tuple:
    size = checked_size(owner, sensor_size)
    check_range(owner, checked_events(owner, events), size)
    check_sorted(owner, events["t"])
    return size, events


def _check_room(owner, many, of):
    if many > MOST:
        raise ParameterError(f"{owner} must make at most {MOST} numbers, got {many} for these {of}; take longer "
                             "frames, or `downsample` first")
