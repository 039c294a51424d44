"""Events of a camera: arrays in Tonic's layout, and the spikes that they stand for."""

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes

#: one event: column x, row y, time t in microseconds, polarity p (True is ON); the layout of Tonic
EVENT = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.bool_)])


def events_to_spikes(events, sensor_size, *, duration, dt=None, start=0.0, name="") -> Spikes:
    """Return events as spikes: each pixel and polarity is a neuron.

    The neuron of (x, y, p) is `(p * height + y) * width + x`, so `reshape(polarities, height, width)` of anything per
    neuron is a picture, OFF first. With `dt` an event goes to the tick that ends at or after it, t in (tick - 1, tick]
    times dt; several events of a neuron in a tick are several spikes.

    Args:
        events: structured array with the fields x, y, t (microseconds) and p, shape (n_events,).
        sensor_size: (width, height, polarities) in pixels, 1 or 2 polarities; with 1, p is ignored.
        duration: length of the window, ms; with `dt` a multiple of it.
        dt: length of a tick, ms, or None for exact times.
        start: time in ms at which the window opens; with `dt` a multiple of it.
        name: name of the population.

    Raises:
        ParameterError: if a field is missing, an event lies off the sensor or outside (start, start + duration].

    >>> events = np.array([(1, 0, 1500, True)], dtype=EVENT)
    >>> events_to_spikes(events, (2, 2, 2), duration=5.0, dt=1.0).trains()[5]
    array([2.])
    """
    names = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not {"x", "y", "t", "p"} <= set(names) or events.ndim != 1:
        raise ParameterError("events must be a 1-D structured array with the fields x, y, t and p, "
                             f"got {describe_value(events)}")
    width, height, polarities = _sensor(sensor_size)
    x, y, p = (events[field].astype(np.int64) for field in ("x", "y", "p"))
    if polarities == 1:
        p[:] = 0
    for field, value, size in (("x", x, width), ("y", y, height), ("p", p, polarities)):
        outside = value[(value < 0) | (value >= size)]
        if outside.size:
            raise ParameterError(f"events.{field} must be in 0 .. {size - 1}, got an array that holds {outside[0]}")
    ids = (p * height + y) * width + x
    frame = {"ids": ids, "size": width * height * polarities, "duration": duration, "start": start, "name": name}
    times = events["t"] / 1000.0
    if dt is None:
        return Spikes(times=times, **frame)
    empty = Spikes(ticks=[], dt=dt, **{**frame, "ids": []})  # checks dt and the window
    return empty.replace(ticks=np.ceil(times / empty.dt - 1e-9).astype(np.int64), ids=ids)


def _sensor(sensor_size) -> tuple[int, int, int]:
    size = np.asarray(sensor_size)
    if size.shape != (3,) or size.dtype.kind not in "iu" or (size < 1).any() or size[2] > 2 or size.max() > 32767:
        raise ParameterError("sensor_size must be (width, height, polarities) in whole pixels with 1 or 2 polarities, "
                             f"got {describe_value(sensor_size)}")
    return tuple(size.tolist())
