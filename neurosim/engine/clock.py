"""How an engine counts time: in whole ticks, or in exact ms."""

from fractions import Fraction
from typing import Any

import numpy as np

from neurosim.checks import check_number, check_ticks
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


def check_size(population, spikes: Spikes) -> None:
    """Raise ParameterError if spikes are not of as many neurons as a population has."""
    if spikes.size != population.size:
        raise ParameterError(f"spikes for {population.name!r} must be of {population.size} neurons, "
                             f"got {spikes.size}")


class Ticks:
    """Time is a whole number of ticks.

    Args:
        dt: length of a tick, ms.
    """

    zero = 0
    dtype: Any = np.int64

    def __init__(self, dt: float):
        self.dt = dt

    def span(self, what: str, value, *, at_least: int = 0) -> int:
        """Return a time in ms as a number of ticks; raise ParameterError if it is off the grid, or below so many."""
        return check_ticks(what, value, self.dt, at_least=at_least)

    def ms(self, stamp) -> Any:
        """Return a number of ticks in ms."""
        return stamp * self.dt

    def given(self, population, spikes: Spikes) -> tuple:
        """Return (ticks, ids) of spikes that a population is to emit, on the grid."""
        check_size(population, spikes)
        if spikes.dt != self.dt:
            spikes = spikes.on_grid(self.dt)
        ticks = np.asarray(spikes.ticks, dtype=np.int64)
        if ticks.size and ticks[0] < 1:
            raise ParameterError(f"spikes for {population.name!r} must come after t = 0, the first possible at one "
                                 f"tick, got {ticks[0] * self.dt:g} ms")
        return ticks, np.asarray(spikes.ids, dtype=np.uint32)

    def spikes(self, ticks, ids, begin, end, **labels) -> Spikes:
        """Return spikes within a window of ticks, begin < tick <= end."""
        return Spikes(ticks=ticks, ids=ids, dt=self.dt, start=begin * self.dt, duration=(end - begin) * self.dt,
                      **labels)


class Exact:
    """Time is an exact number of ms."""

    zero = Fraction(0)
    dtype: Any = np.float64
    dt = None

    def span(self, what: str, value, *, at_least: int = 0) -> Fraction:
        """Return a time in ms exactly; raise ParameterError if it is none, or, where `at_least` is 1, not above 0."""
        return Fraction(check_number(what, value, "ms", **{"above" if at_least else "at_least": 0}))

    def ms(self, stamp) -> Any:
        """Return a time as a float, or times as an array of them."""
        return np.asarray(stamp, dtype=np.float64) if isinstance(stamp, np.ndarray) else float(stamp)

    def given(self, population, spikes: Spikes) -> tuple:
        """Return (times, ids) of spikes that a population is to emit."""
        check_size(population, spikes)
        times = np.asarray(spikes.times, dtype=np.float64)
        if times.size and times[0] <= 0.0:
            raise ParameterError(f"spikes for {population.name!r} must come after t = 0, got {times[0]:g} ms")
        return times, np.asarray(spikes.ids, dtype=np.int64)

    def spikes(self, times, ids, begin, end, **labels) -> Spikes:
        """Return spikes within a window of time, begin < t <= end."""
        begin, end = float(begin), float(end)
        duration = end - begin
        if begin + duration < end:
            duration = np.nextafter(duration, np.inf)
        return Spikes(times=times, ids=ids, start=begin, duration=float(duration), **labels)
