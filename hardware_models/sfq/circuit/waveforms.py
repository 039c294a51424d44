"""What sources give over time: constant, piecewise linear, pulses, sine."""

import math

import numpy as np

from neurosim.aliases import Real, RealOrNone, Row
from neurosim.checks import Parameter, Parametrised, required
from neurosim.connectivity import Vector
from neurosim.errors import ParameterError


def number(*args, **bounds):
    """Return a parameter that is one number."""
    return Parameter(*args, per_element=False, **bounds)


class Waveform(Parametrised):
    """Base of what a source gives over time: a number of mA or mV at every t >= 0, in ps."""

    def corners(self, duration: float) -> tuple[np.ndarray, np.ndarray]:
        """Return times and values between which the waveform is a straight line; constant before and after."""
        raise NotImplementedError

    def value(self, t):
        """Return the values at times in ps."""
        t = np.asarray(t, dtype=float)
        return np.interp(t, *self.corners(float(t.max(initial=0.0))))


class Constant(Waveform, kw_only=False):
    """The same value at all times.

    Args:
        level: mA or mV.

    >>> Constant(0.1).value([0.0, 5.0])
    array([0.1, 0.1])
    """

    positional = 1
    level: Real = required(number(doc="value, mA or mV"))

    def corners(self, duration):
        """Return one corner."""
        return np.zeros(1), np.array([self.level])


class PiecewiseLinear(Waveform, kw_only=False):
    """Straight lines between given points; the first value before them and the last one after them.

    Args:
        times: ps, increasing (two equal times make a jump).
        levels: mA or mV, as many.

    Raises:
        ParameterError: if the times decrease or the numbers differ.

    >>> PiecewiseLinear([0.0, 5.0], [0.0, 0.1]).value([2.5, 7.0])
    array([0.05, 0.1 ])
    """

    positional = 2
    times: Row = required(Vector(unit="ps", doc="times of the points", scalar=False))
    levels: Row = required(Vector(doc="values at the points", scalar=False))

    def validate(self):
        """Check that the points are in order."""
        if len(self.times) != len(self.levels):
            raise ParameterError(f"PiecewiseLinear.levels must be as many as times, {len(self.times)}, "
                                 f"got {len(self.levels)}")
        if any(b < a for a, b in zip(self.times, self.times[1:], strict=False)):
            raise ParameterError("PiecewiseLinear.times must not decrease; sort the points")

    def corners(self, duration):
        """Return the points."""
        return np.array(self.times), np.array(self.levels)


class Pulse(Waveform, kw_only=False):
    """A trapezoid from one level to another, once or periodically, as SPICE has it.

    Args:
        low, high: mA or mV.
        delay: when it begins to rise, ps.
        rise, fall: ps, >= 0.
        width: time at `high`, ps, >= 0.
        period: ps, or None for a single pulse.

    Raises:
        ParameterError: if a period is shorter than its pulse.

    >>> Pulse(0.0, 1.0, delay=10.0, rise=2.0, fall=2.0, width=6.0, period=20.0).value([11.0, 15.0, 25.0, 31.0])
    array([0.5, 1. , 0. , 0.5])
    """

    positional = 2
    low: Real = required(number(doc="level at rest"))
    high: Real = required(number(doc="level of the pulse"))
    delay: Real = number(0.0, "ps", at_least=0, doc="beginning of the first rise")
    rise: Real = number(1.0, "ps", at_least=0, doc="time of rising")
    fall: Real = number(1.0, "ps", at_least=0, doc="time of falling")
    width: Real = number(1.0, "ps", at_least=0, doc="time at the high level")
    period: RealOrNone = number(None, "ps", above=0, optional=True,
                                doc="time from pulse to pulse; None gives one pulse")

    def validate(self):
        """Check that a pulse fits its period."""
        length = self.rise + self.width + self.fall
        if self.period is not None and self.period < length:
            raise ParameterError(f"Pulse.period must be >= rise + width + fall = {length:g} ps, got {self.period:g}")

    def corners(self, duration):
        """Return the corners of all pulses that begin within the duration."""
        count = 1
        if self.period is not None and duration > self.delay:
            count += math.floor((duration - self.delay) / self.period)
        one = np.cumsum([0.0, self.rise, self.width, self.fall])
        starts = self.delay + (self.period or 0.0) * np.arange(count)
        levels = np.tile([self.low, self.high, self.high, self.low], count)
        return (starts[:, None] + one).ravel(), levels


class Sine(Waveform, kw_only=False):
    """A sine that begins at `delay`: offset + amplitude sin(2 pi frequency (t - delay)), and the offset before.

    Args:
        offset, amplitude: mA or mV.
        frequency: THz (1/ps), > 0.
        delay: ps.

    >>> Sine(0.0, 2.0, frequency=0.25).value([0.0, 1.0]).round(6)
    array([0., 2.])
    """

    positional = 2
    offset: Real = required(number(doc="value around which it swings"))
    amplitude: Real = required(number(doc="amplitude"))
    frequency: Real = required(number(unit="THz", above=0, doc="frequency"))
    delay: Real = number(0.0, "ps", doc="beginning")

    def value(self, t):
        """Return the values at times in ps."""
        tau = np.maximum(np.asarray(t, dtype=float) - self.delay, 0.0)
        return self.offset + self.amplitude * np.sin(2.0 * math.pi * self.frequency * tau)


def ramp(level: float, rise: float = 5.0) -> PiecewiseLinear:
    """Return a bias that is switched on from 0 at t = 0 and has its full level after `rise` ps.

    >>> ramp(0.175).value([0.0, 2.5, 100.0])
    array([0.    , 0.0875, 0.175 ])
    """
    return PiecewiseLinear([0.0, rise], [0.0, level])


def triangles(times, height: float, width: float) -> PiecewiseLinear:
    """Return triangular pulses that begin at given times, ps, and last 2 * width ps each.

    Args:
        times: beginnings, ps, in order and not overlapping.
        height: mA or mV.
        width: from the beginning to the top, ps.

    >>> triangles([10.0], height=0.5, width=3.0).value([10.0, 13.0, 16.0])
    array([0. , 0.5, 0. ])
    """
    times = np.asarray(times, dtype=float)
    points = (times[:, None] + width * np.arange(3)).ravel() if times.size else np.zeros(1)
    levels = np.tile([0.0, height, 0.0], times.size) if times.size else np.zeros(1)
    return PiecewiseLinear(points, levels)
