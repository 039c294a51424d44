"""Numbers of a recording of spikes: counts, rates, bins, intervals."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.aliases import Number
from neurosim.errors import ParameterError
from neurosim.spikes.checks import check_memory, number, on_grid


class Statistics:
    """The statistics of `Spikes`, which derives from this. They are of the neurons that were watched."""

    ids: np.ndarray
    size: int
    dt: float | None
    watched: np.ndarray | None
    n_watched: int
    duration: float
    _stamps: np.ndarray
    _first: Any
    _span: Any

    if TYPE_CHECKING:  # what `Spikes` has
        def __len__(self) -> int: ...
        def _need_grid(self, what: str) -> None: ...

    def counts(self) -> np.ndarray:
        """Return how many times each neuron spiked, int64, shape (size,).

        Where not all neurons were watched it is float64, with NaN for those that nobody watched.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=3, duration=1.0, dt=0.1).counts()
        array([0, 2, 0])
        """
        return self._known(np.bincount(self.ids, minlength=self.size))

    def _known(self, counts) -> np.ndarray:
        """Counts by neuron, the last axis, with NaN for neurons that nobody watched."""
        if self.watched is None:
            return counts
        known = np.full(counts.shape, np.nan)
        known[..., self.watched] = counts[..., self.watched]
        return known

    def rates(self) -> np.ndarray:
        """Return the rate of each neuron in Hz, shape (size,); NaN if nobody watched it or the window has no length.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=2, duration=100.0, dt=0.1).rates()
        array([ 0., 20.])
        """
        return self.counts() / (self.duration / 1000) if self.duration else np.full(self.size, np.nan)

    def mean_rate(self) -> float:
        """Return the mean rate of the neurons that were watched, in Hz; NaN without neurons or window.

        Neurons that were watched and stayed silent count.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=2, duration=100.0, dt=0.1).mean_rate()
        10.0
        """
        seconds = self.n_watched * self.duration / 1000
        return len(self) / seconds if seconds else math.nan

    def bin_edges(self, width: Number) -> np.ndarray:
        """Return the edges of the bins of `bin` in ms, shape (n_bins + 1,); the last bin may be shorter.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[], ids=[], size=1, duration=25.0, dt=0.1).bin_edges(10.0)
        array([ 0., 10., 20., 25.])
        """
        width, many = self._bins(width)
        edges = self._first + width * np.arange(many + 1)
        edges[-1] = self._first + self._span
        return edges if self.dt is None else edges * self.dt

    def bin(self, width: Number, *, per_neuron: bool = False) -> np.ndarray:
        """Return how many spikes fall in each bin (edge, next edge].

        Args:
            width: width of a bin in ms, > 0; with `dt` a multiple of it. Where it does not divide the duration the last
                bin is shorter, so that no spike is left out; `bin_edges` says where.
            per_neuron: whether each neuron is counted by itself.

        Returns:
            Counts, int64, shape (n_bins,) or, per neuron, (n_bins, size); as `counts`, float64 with NaN where nobody
            watched.

        Raises:
            ParameterError: if the width does not fit or the result would take more than 4 GiB.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 10, 11], ids=[0, 1, 1], size=2, duration=2.0, dt=0.1).bin(1.0)
        array([2, 1])
        """
        ticks, many = self._bins(width)
        if self.dt is None:
            index = np.searchsorted(self.bin_edges(width), self._stamps, side="left") - 1
        else:
            index = (self._stamps - self._first - 1) // ticks
        if not per_neuron:
            return np.bincount(index, minlength=many)
        check_memory("bin", many, self.size, 8)
        flat = np.bincount(index * self.size + self.ids, minlength=many * self.size)
        return self._known(flat.reshape(many, self.size))

    def _bins(self, width) -> tuple:
        """Width in ticks or ms, and how many bins it takes to cover the window."""
        width = on_grid("width", number("width", width, "ms", above=0), self.dt)
        if width == 0:
            raise ParameterError(f"Spikes.width must be at least dt = {self.dt:g} ms, got less")
        bins = self._span / width
        check_memory("bin", bins, 1, 8)
        if self.dt is not None:
            return width, -(-self._span // width)
        whole = round(bins)  # 1.0 / 0.1 may come out a little above 10
        return width, whole if math.isclose(bins, whole, rel_tol=1e-12) else math.ceil(bins)

    def to_dense(self, *, counts: bool = False) -> np.ndarray:
        """Return a raster, shape (ticks, neurons): row i holds what was recorded at tick start/dt + 1 + i.

        Args:
            counts: False gives bool; True gives the number of spikes as uint32, for neurons with several at one tick.

        Raises:
            ParameterError: if a bool raster would lose spikes, or the raster would take more than 4 GiB.
            UnsupportedError: if the times are exact.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 2], ids=[0, 1], size=2, duration=0.2, dt=0.1).to_dense()
        array([[ True, False],
               [False,  True]])
        """
        self._need_grid("to_dense")
        check_memory("to_dense", self._span, self.size, 4 if counts else 1)
        raster = np.zeros((self._span, self.size), dtype=np.uint32 if counts else bool)
        rows = self._stamps - self._first - 1
        if counts:
            np.add.at(raster, (rows, self.ids), 1)
            return raster
        raster[rows, self.ids] = True
        if np.count_nonzero(raster) != len(self):
            raise ParameterError("Spikes.to_dense must have counts=True where a neuron spikes several times at one "
                                 "tick, got counts=False")
        return raster

    def trains(self) -> list[np.ndarray]:
        """Return the recorded spike times of each neuron in ms: a list of `size` float64 arrays.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=2, duration=1.0, dt=0.5).trains()
        [array([], dtype=float64), array([0.5, 1. ])]
        """
        stamps, _ = self._by_neuron()
        times = stamps if self.dt is None else stamps * self.dt
        ends = np.cumsum(np.bincount(self.ids, minlength=self.size))
        return np.split(times, ends[:-1]) if self.size else []

    def isi(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all intervals between successive spikes of one neuron in ms, and the neuron of each.

        Returns:
            Two arrays of one length, sorted by neuron, then time: intervals (float64) and neurons (uint32).

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 4, 5], ids=[0, 0, 1], size=2, duration=5.0, dt=0.5).isi()
        (array([1.5]), array([0], dtype=uint32))
        """
        steps, ids = self._intervals()
        return (steps if self.dt is None else steps * self.dt), ids

    def cv(self) -> np.ndarray:
        """Return the coefficient of variation of the intervals of each neuron, shape (size,).

        It is their standard deviation (divisor n) over their mean: 0 for a regular train, near 1 for a long Poisson
        train. NaN for neurons with fewer than 3 spikes, or whose spikes all come at one time.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 3, 5, 7], ids=[0, 0, 0, 0], size=2, duration=1.0, dt=0.1).cv()
        array([ 0., nan])
        """
        steps, ids = self._intervals()
        many = np.bincount(ids, minlength=self.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(ids, weights=steps, minlength=self.size) / many
            variance = np.bincount(ids, weights=(steps - mean[ids]) ** 2, minlength=self.size) / many
            cv = np.sqrt(variance) / mean
        cv[many < 2] = np.nan
        return cv

    def _by_neuron(self) -> tuple:
        order = np.argsort(self.ids, kind="stable")
        return self._stamps[order], self.ids[order]

    def _intervals(self) -> tuple:
        """Intervals in ticks or ms (ticks are whole, so regular trains vary by exactly 0) and their neurons."""
        stamps, ids = self._by_neuron()
        same = ids[1:] == ids[:-1]
        return np.diff(stamps)[same], ids[1:][same]
