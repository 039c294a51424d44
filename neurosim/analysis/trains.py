"""Spike trains as compiled loops take them: all times in one array, neuron by neuron."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurosim.analysis.checks import recording
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


@dataclass(frozen=True, eq=False)
class Trains:
    """The trains of the neurons that were watched.

    Args:
        times: since the window opened, in ms or in ticks, neuron by neuron.
        first: where each train begins in `times`, and where the last one ends.
        span: length of the window.
    """

    times: np.ndarray
    first: np.ndarray
    span: float

    @classmethod
    def of(cls, owner: str, spikes: Spikes, *, in_ticks: bool = False) -> "Trains":
        """Return the trains of a recording in ms, from its own ticks, so that when it began changes no digit.

        With `in_ticks` times of a grid stay whole numbers, so that equal differences are equal.
        """
        spikes = recording(owner, spikes).watched_only()
        if not spikes.duration > 0:
            raise ParameterError(f"{owner}.spikes must have a window longer than 0 ms")
        order = np.argsort(spikes.ids, kind="stable")
        span = spikes.duration
        if spikes.dt is None:
            times = spikes.times - spikes.start
        else:
            unit = 1.0 if in_ticks else spikes.dt
            times = (spikes.ticks - round(spikes.start / spikes.dt)) * unit
            span = round(span / spikes.dt) * unit
        first = np.zeros(spikes.size + 1, np.int64)
        np.cumsum(np.bincount(spikes.ids, minlength=spikes.size), out=first[1:])
        return cls(np.minimum(times[order], span), first, span)

    def __len__(self):
        return len(self.first) - 1

    @cached_property
    def with_edges(self) -> "Trains":
        """The trains with a time before and one behind each, from which and to which edge intervals reach.

        The interval before the first spike is as long as the one behind it, or back to the beginning of the window if
        that is longer; likewise at the end. A train without spikes counts as one with spikes at both edges.
        """
        many = np.diff(self.first)
        first = self.first + 2 * np.arange(len(self) + 1)
        first[1:] += 2 * np.cumsum(many == 0)
        times = np.empty(first[-1])
        where = np.arange(len(self.times)) + np.repeat(first[:-1] + 1 - self.first[:-1], many)
        times[where] = self.times
        begin, end = first[:-1], first[1:] - 1
        silent, one = many == 0, many == 1
        several = ~(silent | one)
        for edge, inner, step, bound, nearest in ((begin, begin + 1, 1, 0.0, np.minimum),
                                                  (end, end - 1, -1, self.span, np.maximum)):
            times[edge] = bound
            times[inner[silent]] = bound
            a = inner[several]
            times[edge[several]] = nearest(bound, 2 * times[a] - times[a + step])
        return Trains(times, first, self.span)

    @property
    def longest(self) -> int:
        """The largest number of times in a train."""
        return int(np.diff(self.first).max(initial=0))
