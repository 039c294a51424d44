"""Avalanches: bursts of activity between times of silence."""

import math
from dataclasses import dataclass

import numpy as np

from neurosim.analysis.checks import positive, recording
from neurosim.errors import ParameterError
from neurosim.reprs import plural, table
from neurosim.spikes import Spikes


@dataclass(frozen=True, eq=False)
class Avalanches:
    """The avalanches of a recording.

    Args:
        sizes: number of spikes in each, int64, shape (n,).
        durations: number of bins of each, int64, shape (n,).
        starts: ms at which the first bin of each begins, float64, shape (n,).
        width: of a bin, ms.
    """

    sizes: np.ndarray
    durations: np.ndarray
    starts: np.ndarray
    width: float

    def __len__(self):
        return len(self.sizes)

    def __repr__(self):
        largest = f", the largest of {plural(self.sizes.max(), 'spike')}" if len(self) else ""
        return f"<{plural(len(self), 'avalanche')} in bins of {self.width:.4g} ms{largest}>"

    def _repr_html_(self) -> str:
        return table("Avalanches", [("number", f"{len(self):,}"), ("width of a bin", f"{self.width:.4g} ms"),
                                    ("largest", f"{self.sizes.max(initial=0):,} spikes"),
                                    ("longest", f"{self.durations.max(initial=0):,} bins")])


def avalanches(spikes: Spikes, width: float | None = None) -> Avalanches:
    """Return the avalanches of a population: spikes in successive bins, between two bins without a spike.

    One that reaches to an edge of the recording was not seen whole and is left out.

    Args:
        spikes: of the population.
        width: of a bin, ms, > 0; by default the mean time between successive spikes of the population, with ticks
            rounded to at least one.

    >>> from neurosim.spikes import Spikes
    >>> found = avalanches(Spikes(ticks=[3, 4, 4, 9], ids=[0, 1, 2, 0], size=3, duration=12.0, dt=1.0), 1.0)
    >>> found.sizes, found.durations, found.starts
    (array([3, 1]), array([2, 1]), array([2., 8.]))

    Source: Beggs, Plenz, J. Neuroscience 23 (2003) 11167.
    """
    spikes = recording("avalanches", spikes)
    width = _default_width(spikes) if width is None else positive("avalanches", "width", width)
    counts, edges = spikes.bin(width), spikes.bin_edges(width)
    active = np.concatenate([[False], counts > 0, [False]])
    first = np.flatnonzero(active[1:] & ~active[:-1])
    last = np.flatnonzero(active[:-1] & ~active[1:])  # one behind
    whole = (first > 0) & (last < len(counts))
    first, last = first[whole], last[whole]
    total = np.concatenate([[0], np.cumsum(counts)])
    return Avalanches(total[last] - total[first], last - first, edges[first], width)


def _default_width(spikes) -> float:
    if len(spikes) < 2 or spikes.times[-1] == spikes.times[0]:
        raise ParameterError("avalanches.width must be given where there are not two spikes at different times")
    width = float(spikes.times[-1] - spikes.times[0]) / (len(spikes) - 1)
    if spikes.dt is None:
        return width
    return max(1, math.floor(width / spikes.dt + 0.5)) * spikes.dt
