"""What sources give over time: constant, straight lines, pulses, sines, exponentials, samples, noise."""

import math
from typing import ClassVar, Literal

import numpy as np

from neurosim.aliases import Choice, Real, RealOrNone, Row
from neurosim.checks import Option, Parameter, Parametrised, required
from neurosim.connectivity import Vector
from neurosim.errors import ParameterError
from neurosim.units import warn_of_units


def number(*args, **bounds):
    """Return a parameter that is one number."""
    return Parameter(*args, per_element=False, **bounds)


#: Columns of a table of pieces. With tau = t - begin, a piece is level + slope tau + square tau^2 + cube tau^3
#: + amplitude exp(-decay tau) sin(speed tau + phase) + rest exp(-fade tau), until the next one begins.
COLUMNS = "begin level slope square cube amplitude decay speed phase rest fade".split()


class Waveform(Parametrised):
    """Base of what a source gives over time: a number of mA or mV at every t >= 0, in ps."""

    cycle: ClassVar[float | None] = None  #: ps after which the pieces are repeated, or None

    def corners(self, duration: float) -> tuple[np.ndarray, np.ndarray]:
        """Return times and values between which the waveform is a straight line; constant before and after."""
        raise NotImplementedError

    def pieces(self, duration: float) -> np.ndarray:
        """Return the table of pieces, shape (pieces, `COLUMNS`), constant before the first one begins."""
        times, levels = (np.asarray(each, dtype=float) for each in self.corners(duration))
        lengths = np.diff(times)
        slopes = np.divide(np.diff(levels), lengths, out=np.zeros(len(lengths)), where=lengths > 0.0)
        table = np.zeros((len(times), len(COLUMNS)))
        table[:, 0], table[:, 1], table[:-1, 2] = times, levels, slopes
        return table

    def value(self, t):
        """Return the values at times in ps."""
        t = np.asarray(t, dtype=float)
        table = self.pieces(float(t.max(initial=0.0)))
        if self.cycle:
            t = np.where(t > table[0, 0], table[0, 0] + (t - table[0, 0]) % self.cycle, t)
        begin, level, slope, square, cube, amplitude, decay, speed, phase, rest, fade = table[
            np.maximum(np.searchsorted(table[:, 0], t, side="right") - 1, 0)].T
        tau = np.maximum(t.T - begin, 0.0)
        return (level + tau * (slope + tau * (square + tau * cube)) + rest * np.exp(-fade * tau)
                + amplitude * np.exp(-decay * tau) * np.sin(speed * tau + phase)).T


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

    @property
    def cycle(self):
        """The period."""
        return self.period

    def corners(self, duration):
        """Return the corners of the first pulse."""
        return self.delay + np.cumsum([0.0, self.rise, self.width, self.fall]), np.array(
            [self.low, self.high, self.high, self.low])


def _table(*rows) -> np.ndarray:
    """Return a table of pieces from rows of named columns."""
    return np.array([[row.get(name, 0.0) for name in COLUMNS] for row in rows], dtype=float)


class Sine(Waveform, kw_only=False):
    """A sine that begins at `delay`, and the offset before.

    offset + amplitude exp(-damping tau) sin(2 pi frequency tau + phase),  tau = t - delay

    Args:
        offset, amplitude: mA or mV.
        frequency: THz (1/ps), > 0.
        delay: ps.
        damping: 1/ps.
        phase: rad.
        cycles: after so many the offset again; None for no end.

    >>> Sine(0.0, 2.0, frequency=0.25).value([0.0, 1.0]).round(6)
    array([0., 2.])
    """

    positional = 2
    offset: Real = required(number(doc="value around which it swings"))
    amplitude: Real = required(number(doc="amplitude"))
    frequency: Real = required(number(unit="THz", above=0, doc="frequency"))
    delay: Real = number(0.0, "ps", doc="beginning")
    damping: Real = number(0.0, "1/ps", doc="damping")
    phase: Real = number(0.0, "rad", doc="phase at the beginning")
    cycles: RealOrNone = number(None, above=0, optional=True, doc="number of cycles; None for no end")

    def pieces(self, duration):
        """Return the sine, and the offset before and after."""
        swing = dict(begin=self.delay, level=self.offset, amplitude=self.amplitude, decay=self.damping,
                     speed=2.0 * math.pi * self.frequency, phase=self.phase)
        before = [dict(begin=self.delay - 1.0, level=self.offset)] if self.delay > 0.0 else []
        after = [] if self.cycles is None else [
            dict(begin=self.delay + self.cycles / self.frequency, level=self.offset)]
        return _table(*before, swing, *after)


class Exponential(Waveform, kw_only=False):
    """A level that is approached exponentially from `first_delay` on, and left again from `second_delay` on.

    low + (high - low) (1 - exp(-(t - first_delay) / first_tau)), and from `second_delay` on
    + (low - high) (1 - exp(-(t - second_delay) / second_tau))

    Args:
        low, high: mA or mV.
        first_delay, second_delay: ps, in this order.
        first_tau, second_tau: ps, > 0.

    >>> wave = Exponential(0.0, 1.0, first_delay=1.0, first_tau=2.0, second_delay=50.0, second_tau=1.0)
    >>> round(float(wave.value(3.0)), 4)
    0.6321
    """

    positional = 2
    low: Real = required(number(doc="level at rest"))
    high: Real = required(number(doc="level that is approached"))
    first_delay: Real = number(0.0, "ps", at_least=0, doc="beginning of the approach")
    first_tau: Real = number(1.0, "ps", above=0, doc="time constant of the approach")
    second_delay: Real = number(1.0, "ps", at_least=0, doc="beginning of the return")
    second_tau: Real = number(1.0, "ps", above=0, doc="time constant of the return")

    def validate(self):
        """Check the order of the two."""
        if self.second_delay < self.first_delay:
            raise ParameterError(f"Exponential.second_delay must be >= first_delay = {self.first_delay:g} ps, "
                                 f"got {self.second_delay:g}")

    def pieces(self, duration):
        """Return the three parts."""
        step, late = self.high - self.low, self.second_delay - self.first_delay
        left = -step * math.exp(-late / self.first_tau)
        return _table(
            dict(begin=self.first_delay - 1.0, level=self.low),
            dict(begin=self.first_delay, level=self.high, rest=-step, fade=1.0 / self.first_tau),
            dict(begin=self.second_delay, level=self.low, rest=step, fade=1.0 / self.second_tau, amplitude=left,
                 decay=1.0 / self.first_tau, phase=0.5 * math.pi))


class SmoothSteps(PiecewiseLinear):
    """Given points, joined by half periods of a cosine: level, and slope 0, at each of them.

    Args:
        times: ps, increasing.
        levels: mA or mV, as many.

    >>> SmoothSteps([0.0, 4.0], [0.0, 1.0]).value([1.0, 2.0, 9.0]).round(4)
    array([0.1464, 0.5   , 1.    ])
    """

    def pieces(self, duration):
        """Return one half period from each point to the next."""
        rows = []
        for begin, end, a, b in zip(self.times, self.times[1:], self.levels, self.levels[1:], strict=False):
            if end > begin:
                rows.append(dict(begin=begin, level=0.5 * (a + b), amplitude=0.5 * (a - b),
                                 speed=math.pi / (end - begin), phase=0.5 * math.pi))
        return _table(*rows, dict(begin=self.times[-1], level=self.levels[-1]))


class Samples(Waveform, kw_only=False):
    """Numbers at equal intervals from `delay` on, 0 before and after.

    Args:
        levels: mA or mV.
        interval: ps, > 0.
        delay: ps.
        between: "hold": each number from its time on; "linear": straight lines from 0 at `delay`, the first number one
            interval later; "cubic": the natural spline with the first number at `delay`.
        repeat: whether to begin again after as many intervals as there are numbers.

    >>> Samples([1.0, 3.0], interval=2.0, between="linear").value([1.0, 3.0, 4.5])
    array([0.5, 2. , 0. ])

    Source of the three meanings: JoSIM 2.7, source `cus`, as it computes it.
    """

    positional = 1
    levels: Row = required(Vector(doc="the numbers", scalar=False))
    interval: Real = required(number(unit="ps", above=0, doc="from number to number"))
    delay: Real = number(0.0, "ps", at_least=0, doc="beginning")
    between: Choice[Literal["hold", "linear", "cubic"]] = Option(
        "linear", ("hold", "linear", "cubic"), doc="what is between the numbers")
    repeat: Choice[bool] = Option(False, (False, True), doc="whether it repeats")

    @property
    def cycle(self):
        """The time of all numbers, where they repeat."""
        return self.interval * len(self.levels) if self.repeat else None

    def pieces(self, duration):
        """Return one piece for each number."""
        levels, many = np.array(self.levels), len(self.levels)
        table = np.zeros((many, len(COLUMNS)))
        table[:, 0] = self.delay + self.interval * np.arange(many)
        if self.between == "hold":
            table[:, 1] = levels
        elif self.between == "linear":
            table[:, 1] = np.append(0.0, levels[:-1])
            table[:, 2] = np.diff(np.append(0.0, levels)) / self.interval
        else:
            table[:, 1:5] = _spline(levels, self.interval)
        before, after = _table(dict(begin=self.delay - 1.0)), _table(dict(begin=self.delay + self.interval * many))
        return table if self.repeat else np.concatenate([before, table, after])


def _spline(levels, interval):
    """Return the coefficients of the natural cubic spline, and of a straight line after the last number."""
    from scipy.interpolate import CubicSpline

    if len(levels) < 3:
        slopes = np.diff(levels) / interval
        return np.stack([levels, np.append(slopes, slopes[-1:] if len(slopes) else 0.0), 0.0 * levels, 0.0 * levels], 1)
    spline = CubicSpline(interval * np.arange(len(levels)), levels, bc_type="natural")
    end = interval * (len(levels) - 1)
    return np.vstack([spline.c[::-1].T, [levels[-1], spline(end, 1), 0.0, 0.0]])


class Noise(Waveform, kw_only=False):
    """White noise: Gaussian numbers of deviation amplitude / sqrt(2 interval) from `delay` on, and lines between.

    Each lane of a run has its own numbers, which follow from the run's seed and the lane's key.

    Args:
        amplitude: mA (or mV) times the square root of a ps.
        interval: ps, > 0.
        delay: ps.

    Source: JoSIM 2.7, source `noise`.
    """

    positional = 1
    amplitude: Real = required(number(doc="amplitude, in mA (or mV) sqrt(ps)"))
    interval: Real = required(number(unit="ps", above=0, doc="from number to number"))
    delay: Real = number(0.0, "ps", at_least=0, doc="beginning")

    def pieces(self, duration):
        """Return nothing: only `drawn` knows the numbers."""
        return _table(dict(begin=0.0))

    def drawn(self, duration: float, generator) -> PiecewiseLinear:
        """Return the noise of one lane, from numbers of a generator."""
        many = max(2, math.ceil(max(duration - self.delay, 0.0) / self.interval) + 2)
        times = self.delay + self.interval * np.arange(many)
        levels = self.amplitude / math.sqrt(2.0 * self.interval) * generator.standard_normal(many)
        if self.delay == 0.0:
            return PiecewiseLinear(times, levels)
        return PiecewiseLinear(np.append(self.delay, times), np.append(0.0, levels))


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
    warn_of_units("triangles", [("times", "ps", times), ("width", "ps", width)])
    points = (times[:, None] + width * np.arange(3)).ravel() if times.size else np.zeros(1)
    levels = np.tile([0.0, height, 0.0], times.size) if times.size else np.zeros(1)
    return PiecewiseLinear(points, levels)
