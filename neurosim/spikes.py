"""Spikes: which neuron of one population fired when, and over which window somebody looked.

Time is a count of ticks. A spike at tick t was emitted at the end of step t, at time t * dt, so a run of
T ticks that begins at tick k emits spikes stamped k+1 .. k+T. Windows are therefore open on the left
and closed on the right everywhere: a recording covers (start, start + duration]. Exact (event driven)
spikes have float64 times in ms instead of ticks (`dt` is None) and follow the same rule.
"""

import hashlib
import json
import math
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType

import numpy as np

from neurosim.checks import Parameter, describe_value
from neurosim.errors import FileError, NeurosimWarning, ParameterError, UnsupportedError
from neurosim.files import reading, whole_file, whole_hdf5
from neurosim.growing import looking, read_rows

FORMAT = "neurosim.spikes"
VERSION = 1
CSV_COLUMNS = "time_ms,neuron"

# Up to here a time in ms leads back to its tick, also through text of 15 digits.
_MOST_TICKS = 2**44
_MOST_BYTES = 4 * 2**30


class Spikes:
    """The spikes of one population, frozen and sorted by time, then neuron.

    A neuron may spike several times at one tick. Two objects are equal if they hold the same spikes, size, window
    and dt; `name` and `metadata` are labels and do not count.

    Args:
        ticks: tick of each spike, integers, shape (n_spikes,); needs `dt`.
        times: instead of `ticks`, exact time of each spike in ms, shape (n_spikes,); `dt` stays None.
        ids: neuron of each spike, integers from 0 to size - 1, shape (n_spikes,).
        size: number of neurons of the population, silent ones included.
        duration: length of the window in ms, >= 0; with `dt` a multiple of it.
        dt: length of a tick in ms.
        start: time in ms at which the window opens; with `dt` a multiple of it.
        name: name of the population.
        metadata: free labels, str -> str, int, float or bool (a seed, the hash of a network).

    Raises:
        ParameterError: if a value does not fit, or a spike lies outside (start, start + duration].

    >>> spikes = Spikes(ticks=[3, 1, 3], ids=[0, 1, 2], size=3, duration=1.0, dt=0.1, name="exc")
    >>> spikes
    Spikes('exc': 3 spikes of 3 neurons in (0, 1] ms, dt = 0.1 ms, 1000 Hz)
    >>> spikes.ticks
    array([1, 3, 3])
    """

    def __init__(self, *, ticks=None, times=None, ids, size, duration, dt=None, start=0.0, name="", metadata=None):
        _check_time_form(ticks, times, dt)
        if dt is not None:
            dt = _number("dt", dt, "ms", above=0)
        first = _on_grid("start", _number("start", start, "ms"), dt)
        span = _on_grid("duration", _number("duration", duration, "ms", at_least=0), dt)
        size = _number("size", size, integer=True, at_least=0, at_most=2**32)
        stamps = _exact(times) if dt is None else _integers("ticks", ticks)
        ids = _integers("ids", ids)
        if len(stamps) != len(ids):
            raise ParameterError(f"Spikes.ids must have one entry per spike, got {len(ids)} for {len(stamps)} spikes")
        _check_ids(ids, size)
        _check_window(stamps, first, span, dt)
        stamps, ids = _sorted(stamps.astype(np.float64 if dt is None else np.int64), ids.astype(np.uint32))
        self.__dict__.update(
            ids=ids, size=size, dt=dt, name=_text("name", name), metadata=_checked_metadata(metadata),
            _stamps=stamps, _first=first, _span=span)

    # ---- construction -------------------------------------------------------------------------

    @classmethod
    def from_times(cls, times, ids, *, size, duration, dt=None, start=0.0, name="", metadata=None) -> "Spikes":
        """Return spikes from times in ms, kept exact or, if `dt` is given, rounded to the nearest tick.

        Args:
            times: time of each spike in ms, shape (n_spikes,).
            ids: neuron of each spike, shape (n_spikes,).
            size, duration, dt, start, name, metadata: as for `Spikes`; `duration` and `start` in ms.

        Raises:
            ParameterError: if a value does not fit; also if a time rounds to a tick outside the window.

        Warns:
            NeurosimWarning: if a time is off the grid by more than a millionth of a tick, with the worst error.

        >>> Spikes.from_times([0.1, 0.3], [0, 1], size=2, duration=1.0, dt=0.1).ticks
        array([1, 3])
        """
        fields = {"size": size, "duration": duration, "dt": dt, "start": start, "name": name, "metadata": metadata}
        if dt is None:
            return cls(times=times, ids=ids, **fields)
        empty = cls(ticks=[], ids=[], **fields)
        times = _exact(times)
        ticks, worst = _nearest_ticks(times, empty.dt)
        _check_rounded(times, ticks, empty)
        spikes = empty.replace(ticks=ticks, ids=ids)
        if worst:
            warnings.warn(
                f"Spikes.from_times rounded times to the grid of dt = {empty.dt:g} ms; the worst error is "
                f"{worst * empty.dt:.3g} ms ({worst:.2g} tick)", NeurosimWarning, stacklevel=2)
        return spikes

    @classmethod
    def from_dense(cls, raster, dt, *, start=0.0, name="", metadata=None) -> "Spikes":
        """Return spikes from a raster: row i holds what was emitted at tick start/dt + 1 + i.

        Args:
            raster: bool, or whole numbers of spikes >= 0, shape (ticks, neurons).
            dt: length of a tick in ms.
            start, name, metadata: as for `Spikes`.

        Raises:
            ParameterError: if the raster is not 2-D, not bool or integer, or holds negative numbers.

        >>> Spikes.from_dense([[True, False], [True, True]], dt=1.0).ticks
        array([1, 2, 2])
        """
        raster = _array("raster", raster)
        if raster.ndim != 2 or raster.dtype.kind not in "biu" or (raster.size and raster.min() < 0):
            raise ParameterError("Spikes.raster must be a 2-D array (ticks, neurons) of bool or of whole numbers >= 0, "
                                 f"got {_describe(raster)}")
        dt = _number("dt", dt, "ms", above=0)
        rows, ids = np.nonzero(raster)
        many = raster[rows, ids].astype(np.int64)
        ticks = np.repeat(rows, many) + (1 + _on_grid("start", _number("start", start, "ms"), dt))
        return cls(ticks=ticks, ids=np.repeat(ids, many), size=raster.shape[1], duration=raster.shape[0] * dt, dt=dt,
                   start=start, name=name, metadata=metadata)

    def replace(self, **changes) -> "Spikes":
        """Return a copy with some of the constructor's arguments changed, checked like any other.

        >>> Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1).replace(name="exc").name
        'exc'
        """
        return Spikes(**{**self._fields(), **changes})

    def on_grid(self, dt) -> "Spikes":
        """Return the spikes at the nearest ticks of dt ms, as `from_times` makes them.

        >>> Spikes.from_times([0.2, 0.5], [0, 0], size=1, duration=1.0).on_grid(0.1).ticks
        array([2, 5])
        """
        return Spikes.from_times(self.times, self.ids, size=self.size, duration=self.duration, dt=dt, start=self.start,
                                 name=self.name, metadata=self.metadata)

    def _fields(self) -> dict:
        """The arguments from which the constructor makes this object again."""
        return {"times" if self.dt is None else "ticks": self._stamps, "ids": self.ids, "size": self.size,
                "duration": self.duration, "dt": self.dt, "start": self.start, "name": self.name,
                "metadata": dict(self.metadata)}

    def __setattr__(self, name, value):
        raise AttributeError(f"Spikes is frozen; make another one with replace({name}=...)")

    def __delattr__(self, name):
        raise AttributeError("Spikes is frozen")

    def __reduce__(self):
        return partial(Spikes, **self._fields()), ()

    # ---- what is inside -----------------------------------------------------------------------

    @property
    def ticks(self) -> np.ndarray:
        """Tick of each spike, int64, read-only; exact spikes have none and raise UnsupportedError."""
        self._need_grid("ticks")
        return self._stamps

    @property
    def times(self) -> np.ndarray:
        """Time of each spike in ms, float64."""
        return self._stamps if self.dt is None else self._stamps * self.dt

    @property
    def start(self) -> float:
        """Time in ms at which the window opens; spikes come later than this."""
        return self._ms(self._first)

    @property
    def duration(self) -> float:
        """Length of the window in ms."""
        return self._ms(self._span)

    @property
    def stop(self) -> float:
        """Time in ms at which the window closes; spikes may come at this time."""
        return self._ms(self._first + self._span)

    def __len__(self):
        return len(self.ids)

    def __eq__(self, other):
        if not isinstance(other, Spikes):
            return NotImplemented
        return (self._frame() == other._frame() and np.array_equal(self._stamps, other._stamps)
                and np.array_equal(self.ids, other.ids))

    def __hash__(self):
        return hash(self.fingerprint())

    def __repr__(self):
        name = f"{self.name!r}: " if self.name else ""
        grid = "exact times" if self.dt is None else f"dt = {self.dt:g} ms"
        rate = self.mean_rate()
        rate = "" if math.isnan(rate) else f", {rate:.4g} Hz"
        return (f"Spikes({name}{_plural(len(self), 'spike')} of {_plural(self.size, 'neuron')} in "
                f"{_window(self.start, self.stop)} ms, {grid}{rate})")

    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of everything that equality compares; the same on every machine.

        >>> Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1).fingerprint()[:12]
        'e9cb63b78071'
        """
        dt, first, span, size = self._frame()
        head = [FORMAT, 1, "exact" if dt is None else dt.hex(), float(first).hex(), float(span).hex(), size, len(self)]
        digest = hashlib.sha256(json.dumps(head).encode())
        digest.update(self._stamps.astype("<f8" if dt is None else "<i8").tobytes())
        digest.update(self.ids.astype("<u4").tobytes())
        return digest.hexdigest()

    def _frame(self) -> tuple:
        return self.dt, self._first, self._span, self.size

    def _ms(self, stamp) -> float:
        return stamp if self.dt is None else stamp * self.dt

    def _need_grid(self, what):
        if self.dt is None:
            raise UnsupportedError(f"Spikes.{what} needs spikes on a grid and these have exact times; "
                                   "call on_grid(dt) first")

    # ---- parts and unions ---------------------------------------------------------------------

    def select(self, ids, *, renumber=False) -> "Spikes":
        """Return the spikes of some neurons only.

        Args:
            ids: neurons to keep, each named once: integers, a slice, or a bool mask of shape (size,).
            renumber: False keeps numbers and size (the others become silent); True numbers the neurons 0, 1, ... in
                the order given, and the size becomes their number.

        Raises:
            ParameterError: if an id is out of range or named twice.

        >>> spikes = Spikes(ticks=[1, 2, 3], ids=[0, 2, 1], size=3, duration=1.0, dt=0.1)
        >>> spikes.select([2, 1]).ids, spikes.select([2, 1], renumber=True).ids
        (array([2, 1], dtype=uint32), array([0, 1], dtype=uint32))
        """
        chosen = self._chosen(ids)
        place = np.full(self.size, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen)) if renumber else chosen
        if np.count_nonzero(place >= 0) != len(chosen):
            raise ParameterError("Spikes.select must name each neuron once, got one of them twice")
        found = place[self.ids]
        keep = found >= 0
        return self._with(self._stamps[keep], found[keep], size=len(chosen) if renumber else self.size)

    def _chosen(self, ids) -> np.ndarray:
        if isinstance(ids, slice):
            return np.arange(self.size)[ids]
        array = np.atleast_1d(_array("select", ids))
        if array.dtype == bool and array.shape == (self.size,):
            return np.flatnonzero(array)
        array = _integers("select", array)
        _check_ids(array, self.size, "select")
        return array.astype(np.int64)

    def between(self, start=None, stop=None) -> "Spikes":
        """Return the spikes in (start, stop], with that as their window; times stay as they are.

        Args:
            start, stop: bounds in ms inside the present window, by default its own; with `dt` multiples of it.

        Raises:
            ParameterError: if the bounds are out of order, off the grid or outside the window.

        >>> Spikes(ticks=[1, 2, 3], ids=[0, 0, 0], size=1, duration=1.0, dt=0.1).between(0.1, 0.3).ticks
        array([2, 3])
        """
        first = self._first if start is None else _on_grid("start", _number("start", start, "ms"), self.dt)
        last = self._first + self._span if stop is None else _on_grid("stop", _number("stop", stop, "ms"), self.dt)
        if not self._first <= first <= last <= self._first + self._span:
            raise ParameterError(
                f"Spikes.between must have start <= stop inside the window {_window(self.start, self.stop)} ms, "
                f"got start = {self._ms(first):.10g} and stop = {self._ms(last):.10g}")
        low, high = np.searchsorted(self._stamps, [first, last], side="right")
        return self._with(self._stamps[low:high], self.ids[low:high], first, last)

    def shift(self, ms) -> "Spikes":
        """Return the spikes and their window moved by some ms (with `dt`, a multiple of it), later if > 0.

        Exact times are rounded as any sum of two float64 is.

        >>> Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1).shift(5.0)
        Spikes(1 spike of 1 neuron in (5, 6] ms, dt = 0.1 ms, 1000 Hz)
        """
        by = _on_grid("shift", _number("shift", ms, "ms"), self.dt)
        first, last = self._first + by, self._first + self._span + by
        moved = self._stamps + by
        if self.dt is None:  # a rounded sum must not land on the open end
            moved = np.maximum(moved, np.nextafter(first, np.inf))
        return self._with(moved, self.ids, first, last)

    def merge(self, *others) -> "Spikes":
        """Return the spikes of several recordings of one population together, none dropped.

        The windows must touch or overlap, and the new one covers them all: chunks of one run, or two sources that
        drive the same neurons. What all metadata have in common is kept, and the name of the first.

        Raises:
            ParameterError: if size or dt differ, or if the windows leave a gap in which nobody looked.

        >>> first = Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1)
        >>> first.merge(first.shift(1.0))
        Spikes(2 spikes of 1 neuron in (0, 2] ms, dt = 0.1 ms, 1000 Hz)
        """
        parts = self._alike("merge", others, "size", "dt")
        last = self._first + self._span
        for part in sorted(parts, key=lambda part: part._first):
            if part._first > last and (self.dt is not None or not math.isclose(part._first, last, rel_tol=1e-12)):
                raise ParameterError(f"Spikes.merge must have windows that touch or overlap, got a gap from "
                                     f"{self._ms(last):.10g} to {part.start:.10g} ms")
            last = max(last, part._first + part._span)
        return self._with(
            np.concatenate([part._stamps for part in parts]), np.concatenate([part.ids for part in parts]),
            min(part._first for part in parts), last, metadata=_shared(parts))

    def stack(self, *others) -> "Spikes":
        """Return populations side by side as one: the ids of each follow those of the one before.

        Names are joined with "+", and what all metadata have in common is kept.

        Raises:
            ParameterError: if start, duration or dt differ.

        >>> spikes = Spikes(ticks=[1], ids=[2], size=3, duration=1.0, dt=0.1)
        >>> spikes.stack(spikes).ids
        array([2, 5], dtype=uint32)
        """
        parts = self._alike("stack", others, "dt", "start", "duration")
        offsets = np.cumsum([0, *(part.size for part in parts)])
        ids = [part.ids.astype(np.int64) + offset for part, offset in zip(parts, offsets, strict=False)]
        return self._with(np.concatenate([part._stamps for part in parts]), np.concatenate(ids), size=int(offsets[-1]),
                          name="+".join(part.name for part in parts if part.name), metadata=_shared(parts))

    def _with(self, stamps, ids, first=None, last=None, **changes) -> "Spikes":
        """Other spikes with the same labels, in the window (first, last] where it is given."""
        fields = {**self._fields(), "times" if self.dt is None else "ticks": stamps, "ids": ids, **changes}
        if first is not None and (first, last) != (self._first, self._first + self._span):
            span = last - first
            if first + span < last:  # float64 only: the window must not lose its last spike to rounding
                span = math.nextafter(span, math.inf)
            fields.update(start=self._ms(first), duration=self._ms(span))
        return Spikes(**fields)

    def _alike(self, method, others, *names) -> list:
        for other in others:
            if not isinstance(other, Spikes):
                raise ParameterError(f"Spikes.{method} must be given Spikes, got {describe_value(other)}")
            for name in names:
                if getattr(other, name) != getattr(self, name):
                    raise ParameterError(f"Spikes.{method} must have {name} = {getattr(self, name)!r} everywhere, "
                                         f"got {getattr(other, name)!r}")
        return [self, *others]

    # ---- numbers ------------------------------------------------------------------------------

    def counts(self) -> np.ndarray:
        """Return how many times each neuron spiked, int64, shape (size,).

        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=3, duration=1.0, dt=0.1).counts()
        array([0, 2, 0])
        """
        return np.bincount(self.ids, minlength=self.size)

    def rates(self) -> np.ndarray:
        """Return the rate of each neuron in Hz, shape (size,); NaN if the window has no length.

        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=2, duration=100.0, dt=0.1).rates()
        array([ 0., 20.])
        """
        return self.counts() / (self.duration / 1000) if self.duration else np.full(self.size, np.nan)

    def mean_rate(self) -> float:
        """Return the mean rate over all neurons, silent ones included, in Hz; NaN without neurons or window.

        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=2, duration=100.0, dt=0.1).mean_rate()
        10.0
        """
        seconds = self.size * self.duration / 1000
        return len(self) / seconds if seconds else math.nan

    def bin_edges(self, width) -> np.ndarray:
        """Return the edges of the bins of `bin` in ms, shape (n_bins + 1,); the last bin may be shorter.

        >>> Spikes(ticks=[], ids=[], size=1, duration=25.0, dt=0.1).bin_edges(10.0)
        array([ 0., 10., 20., 25.])
        """
        width, many = self._bins(width)
        edges = self._first + width * np.arange(many + 1)
        edges[-1] = self._first + self._span
        return edges if self.dt is None else edges * self.dt

    def bin(self, width, *, per_neuron=False) -> np.ndarray:
        """Return how many spikes fall in each bin (edge, next edge].

        Args:
            width: width of a bin in ms, > 0; with `dt` a multiple of it. Where it does not divide the duration the last
                bin is shorter, so that no spike is left out; `bin_edges` says where.
            per_neuron: whether each neuron is counted by itself.

        Returns:
            Counts, int64, shape (n_bins,) or, per neuron, (n_bins, size).

        Raises:
            ParameterError: if the width does not fit or the result would take more than 4 GiB.

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
        _check_memory("bin", many, self.size, 8)
        flat = np.bincount(index * self.size + self.ids, minlength=many * self.size)
        return flat.reshape(many, self.size)

    def _bins(self, width) -> tuple:
        """Width in ticks or ms, and how many bins it takes to cover the window."""
        width = _on_grid("width", _number("width", width, "ms", above=0), self.dt)
        if width == 0:
            raise ParameterError(f"Spikes.width must be at least dt = {self.dt:g} ms, got less")
        bins = self._span / width
        _check_memory("bin", bins, 1, 8)
        if self.dt is not None:
            return width, -(-self._span // width)
        whole = round(bins)  # 1.0 / 0.1 may come out a little above 10
        return width, whole if math.isclose(bins, whole, rel_tol=1e-12) else math.ceil(bins)

    def to_dense(self, *, counts=False) -> np.ndarray:
        """Return a raster, shape (ticks, neurons): row i holds what was emitted at tick start/dt + 1 + i.

        Args:
            counts: False gives bool; True gives the number of spikes as uint32, for neurons with several at one tick.

        Raises:
            ParameterError: if a bool raster would lose spikes, or the raster would take more than 4 GiB.
            UnsupportedError: if the times are exact.

        >>> Spikes(ticks=[1, 2], ids=[0, 1], size=2, duration=0.2, dt=0.1).to_dense()
        array([[ True, False],
               [False,  True]])
        """
        self._need_grid("to_dense")
        _check_memory("to_dense", self._span, self.size, 4 if counts else 1)
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

    def trains(self) -> list:
        """Return the spike times of each neuron in ms: a list of `size` float64 arrays.

        >>> Spikes(ticks=[1, 2], ids=[1, 1], size=2, duration=1.0, dt=0.5).trains()
        [array([], dtype=float64), array([0.5, 1. ])]
        """
        stamps, _ = self._by_neuron()
        times = stamps if self.dt is None else stamps * self.dt
        ends = np.cumsum(self.counts())
        return np.split(times, ends[:-1]) if self.size else []

    def isi(self) -> tuple:
        """Return all intervals between successive spikes of one neuron in ms, and the neuron of each.

        Returns:
            Two arrays of one length, sorted by neuron, then time: intervals (float64) and neurons (uint32).

        >>> Spikes(ticks=[1, 4, 5], ids=[0, 0, 1], size=2, duration=5.0, dt=0.5).isi()
        (array([1.5]), array([0], dtype=uint32))
        """
        steps, ids = self._intervals()
        return (steps if self.dt is None else steps * self.dt), ids

    def cv(self) -> np.ndarray:
        """Return the coefficient of variation of the intervals of each neuron, shape (size,).

        It is their standard deviation (divisor n) over their mean: 0 for a regular train, near 1 for a long Poisson
        train. NaN for neurons with fewer than 3 spikes, or whose spikes all come at one time.

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

    # ---- files --------------------------------------------------------------------------------

    def to_csv(self, path) -> None:
        """Write a text file that any tool reads; it appears whole or not at all.

        The first line is "# " and a JSON object with size, window, dt and labels, the second `time_ms,neuron`. Exact
        times are written with all their digits, ticks as times with 15. `pandas.read_csv(path, comment="#")` reads it.

        Raises:
            FileError: if the file cannot be written.

        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "spikes.csv"
        >>> Spikes(ticks=[1, 3], ids=[1, 0], size=2, duration=1.0, dt=0.1).to_csv(path)
        >>> path.read_text().splitlines()[1:]
        ['time_ms,neuron', '0.1,1', '0.3,0']
        """
        head = {**self._header(), "spikes": len(self), "metadata": dict(self.metadata)}
        row = ("{!r},{}\n" if self.dt is None else "{:.15g},{}\n").format
        with whole_file(path, encoding="utf-8") as file:
            file.write(f"# {json.dumps(head)}\n{CSV_COLUMNS}\n")
            file.writelines(map(row, self.times.tolist(), self.ids.tolist()))

    @classmethod
    def from_csv(cls, path) -> "Spikes":
        """Return the spikes of a file that `to_csv` wrote.

        Raises:
            FileError: if the file is missing, not of this format, of another version, cut short or inconsistent.

        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "spikes.csv"
        >>> spikes = Spikes(ticks=[1, 3], ids=[1, 0], size=2, duration=1.0, dt=0.1)
        >>> spikes.to_csv(path)
        >>> Spikes.from_csv(path) == spikes
        True
        """
        with _reading(path, "a CSV file of spikes"), open(path, encoding="utf-8") as file:
            head = _csv_head(path, file)
            body = file.read()
        with _reading(path, "a CSV file of spikes"):
            times, ids = _csv_columns(path, body)
            if len(ids) != head.get("spikes", len(ids)):
                raise FileError(f"{path} must hold {head['spikes']} spikes as its first line says, it holds {len(ids)}")
            stamps = {"times": times}
            if head["dt_ms"] is not None:
                ticks, worst = _nearest_ticks(times, _number("dt", head["dt_ms"], "ms", above=0))
                if worst:
                    raise FileError(f"{path} must hold times on the grid of dt = {head['dt_ms']:g} ms, "
                                    f"they are off by up to {worst:.2g} tick")
                stamps = {"ticks": ticks}
            return cls(**stamps, ids=ids, **_from_header(head), metadata=head.get("metadata"))

    def save(self, path, *, metadata=None) -> None:
        """Write an HDF5 file; it appears whole or not at all.

        The group `/spikes` has the datasets `ids` (uint32) and `ticks` (int64) or, if exact, `times` (float64, ms), the
        attributes `format`, `version`, `units` ("tick" or "ms"), `dt_ms` (absent if exact), `size`, `duration_ms`,
        `start_ms`, `name` and `fingerprint`, and a group `metadata` whose attributes are the labels.

        Args:
            path: name of the file; one that exists is replaced.
            metadata: labels added to `spikes.metadata` in the file, str -> str, int, float or bool.

        Raises:
            FileError: if the file cannot be written.
            UnsupportedError: if h5py is not installed.

        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "spikes.h5"
        >>> Spikes(ticks=[1, 3], ids=[1, 0], size=2, duration=1.0, dt=0.1).save(path, metadata={"seed": 7})
        >>> Spikes.load(path).metadata["seed"]
        7
        """
        labels = _checked_metadata({**self.metadata, **_checked_metadata(metadata)})
        with whole_hdf5(path) as file:
            group = file.create_group("spikes")
            head = {**self._header(), "units": "ms" if self.dt is None else "tick", "fingerprint": self.fingerprint()}
            group.attrs.update({key: value for key, value in head.items() if value is not None})
            group.create_dataset("times" if self.dt is None else "ticks", data=self._stamps)
            group.create_dataset("ids", data=self.ids)
            group.create_group("metadata").attrs.update(
                {key: np.uint64(value) if isinstance(value, int) and value >= 2**63 else value
                 for key, value in labels.items()})

    @classmethod
    def load(cls, path) -> "Spikes":
        """Return the spikes of a file that `save` wrote; its labels are in `metadata`.

        Raises:
            FileError: if the file is missing, not of this format, of another version, damaged or inconsistent.
            UnsupportedError: if h5py is not installed.

        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "spikes.h5"
        >>> spikes = Spikes.from_times([0.123], [0], size=1, duration=1.0)
        >>> spikes.save(path)
        >>> Spikes.load(path) == spikes
        True
        """
        what = "an HDF5 file of spikes"
        with _reading(path, what), looking(path, what) as file:
            if "spikes" not in file:
                raise FileError(f"{path} must have a group 'spikes', it has none")
            group = file["spikes"]
            attributes = {"dt_ms": None, **_attributes(group)}
            grown = "digest" in attributes  # piece by piece, see neurosim.growing
            head = _checked_header(path, attributes, "units", *(() if grown else ("fingerprint",)))
            names = ("times" if head["units"] == "ms" else "ticks", "ids")
            stamps, ids = _grown(path, group, names) if grown else _columns(path, group, names)
            labels = _attributes(group["metadata"]) if "metadata" in group else None
            spikes = cls(**{names[0]: stamps}, ids=ids, **_from_header(head), metadata=labels)
            if not grown and spikes.fingerprint() != head["fingerprint"]:
                raise FileError(f"{path} is damaged or was edited: its spikes do not match their fingerprint")
            return spikes

    def _header(self) -> dict:
        return {"format": FORMAT, "version": VERSION, "size": self.size, "dt_ms": self.dt, "duration_ms": self.duration,
                "start_ms": self.start, "name": self.name}


# ---- checks ---------------------------------------------------------------------------------------


def _number(field, value, unit="", **bounds):
    parameter = Parameter(unit=unit, per_element=False, **bounds)
    parameter.__set_name__(Spikes, field)
    number = parameter.check("Spikes", value)
    return number if parameter.integer else number + 0.0  # -0.0 becomes 0.0, for the fingerprint


def _check_time_form(ticks, times, dt):
    if (ticks is None) == (times is None):
        raise ParameterError("Spikes must be given either ticks (with dt) or times, got "
                             + ("neither" if ticks is None else "both"))
    if ticks is not None and dt is None:
        raise ParameterError("Spikes.dt must be the length of a tick in ms where ticks are given, got None")
    if times is not None and dt is not None:
        raise ParameterError("Spikes.dt must be None where exact times are given; use Spikes.from_times to round them "
                             f"to a grid, got {describe_value(dt)}")


def _off_grid(grid, ticks):
    """How far off the grid, in ticks; 0 where it is within what float64 and 15 digits of text can tell."""
    error = np.abs(grid - ticks)
    return np.where(error > 1e-6 + 1e-14 * np.abs(ticks), error, 0.0)


def _on_grid(field, ms, dt):
    """A time in whole ticks of dt, or in ms as it is where there is no grid."""
    if dt is None:
        return ms
    grid = ms / dt
    if abs(grid) > _MOST_TICKS:
        raise ParameterError(f"Spikes.{field} must be at most 2**44 ticks of dt = {dt:g} ms, got {ms:g} ms")
    if _off_grid(grid, round(grid)):
        raise ParameterError(f"Spikes.{field} must be a multiple of dt = {dt:g} ms, got {ms!r}")
    return round(grid)


def _nearest_ticks(times, dt) -> tuple:
    """The nearest tick of each time, and the worst error in ticks."""
    grid = times / dt
    bad = ~(np.abs(grid) <= _MOST_TICKS)
    if bad.any():
        raise ParameterError(f"Spikes.times must be finite and at most 2**44 ticks of dt = {dt:g} ms, "
                             f"got {times[bad][0]:g}")
    ticks = np.rint(grid)
    return ticks.astype(np.int64), float(_off_grid(grid, ticks).max(initial=0.0))


def _check_rounded(times, ticks, frame):
    outside = _outside(ticks, frame._first, frame._span)
    if outside.any():
        raise ParameterError(
            f"Spikes.times must round to ticks in {_window(frame._first, frame._first + frame._span)}, "
            f"got {times[outside][0]:.10g} ms, which rounds to tick {ticks[outside][0]}")


def _check_window(stamps, first, span, dt):
    outside = _outside(stamps, first, span)
    if outside.any():
        what, unit = ("times", " ms") if dt is None else ("ticks", "")
        raise ParameterError(f"Spikes.{what} must lie in {_window(first, first + span)}{unit}, after start and up to "
                             f"start + duration, got {stamps[outside][0].item()}")


def _outside(stamps, first, span) -> np.ndarray:
    return ~((stamps > first) & (stamps <= first + span))  # NaN is outside too


def _check_ids(ids, size, field="ids"):
    bad = (ids < 0) | (ids >= size)
    if bad.any():
        raise ParameterError(f"Spikes.{field} must lie in 0 .. {size - 1} for size = {size}, got {ids[bad][0]}")


def _array(field, values) -> np.ndarray:
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise ParameterError(f"Spikes.{field} must be an array of numbers, got {describe_value(values)}") from None


def _integers(field, values) -> np.ndarray:
    array = _array(field, values)
    if array.shape == (0,):
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ParameterError(f"Spikes.{field} must be a 1-D array of integers, got {_describe(array)}")
    return array


def _exact(values) -> np.ndarray:
    array = _array("times", values)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise ParameterError(f"Spikes.times must be a 1-D array of times in ms, got {_describe(array)}")
    exact = array.astype(np.float64) + 0.0  # -0.0 becomes 0.0, for the fingerprint
    with np.errstate(invalid="ignore"):
        rounded = (exact.astype(array.dtype) != array) & (array == array)
    if rounded.any():
        raise ParameterError("Spikes.times must be exact as float64, got numbers with more digits")
    return exact


def _describe(array) -> str:
    return f"an array of shape {array.shape} and type {array.dtype}"


def _check_memory(method, rows, columns, itemsize):
    if rows * columns * itemsize > _MOST_BYTES:
        raise ParameterError(f"Spikes.{method} must give an array of at most {_MOST_BYTES / 2**30:g} GiB, got "
                             f"{rows * columns * itemsize / 2**30:.3g} GiB; take a part with between() or select()")


def _text(field, value) -> str:
    """Text that every file format can hold: UTF-8 without a null character."""
    if isinstance(value, str) and "\0" not in value and value.encode(errors="ignore").decode() == value:
        return str(value)
    raise ParameterError(f"Spikes.{field} must be a str without null characters or lone surrogates, "
                         f"got {describe_value(value)}")


def _checked_metadata(metadata) -> MappingProxyType:
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, Mapping):
        raise ParameterError(f"Spikes.metadata must be a dict, got {describe_value(metadata)}")
    return MappingProxyType({_key(key): _label(key, value) for key, value in metadata.items()})


def _key(key) -> str:
    if key == "":
        raise ParameterError("Spikes.metadata must have keys that are not empty, got ''")
    return _text("metadata keys", key)


def _label(key, value):
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        return _text(f"metadata[{key!r}]", value)
    if isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**64):
        return value
    raise ParameterError(f"Spikes.metadata[{key!r}] must be str, float, bool or an int of 64 bits, "
                         f"got {describe_value(value)}")


def _sorted(stamps, ids) -> tuple:
    """Read-only copies, sorted by time, then neuron."""
    step = np.diff(stamps)
    if not ((step > 0) | ((step == 0) & (ids[1:] >= ids[:-1]))).all():
        order = np.lexsort((ids, stamps))
        stamps, ids = stamps[order], ids[order]
    stamps.setflags(write=False)
    ids.setflags(write=False)
    return stamps, ids


def _shared(parts) -> dict:
    """The labels on which all parts agree."""
    first, *others = (part.metadata for part in parts)
    return {key: value for key, value in first.items()
            if all(key in other and other[key] == value for other in others)}


def _window(start, stop) -> str:
    return f"({start:.10g}, {stop:.10g}]"


def _plural(count, word) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


# ---- files ----------------------------------------------------------------------------------------


@contextmanager
def _reading(path, what):
    """As `reading`, and spikes that do not fit are a fault of the file."""
    with reading(path, what):
        try:
            yield
        except ParameterError as error:
            raise FileError(f"{path} does not hold valid spikes: {error}") from None


def _attributes(group) -> dict:
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in group.attrs.items()}


def _columns(path, group, names) -> list:
    for name in names:
        if name not in group:
            raise FileError(f"{path} must have a dataset 'spikes/{name}', it has none")
    return [group[name][:] for name in names]


def _grown(path, group, names) -> list:
    return read_rows(path, group, names) or [np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint32)]


def _checked_header(path, head, *more) -> dict:
    """The header of a file if it is of this format and version and has all its entries."""
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise FileError(f"{path} is not a file of spikes: its header has no format {FORMAT!r}")
    if head.get("version") != VERSION:
        raise FileError(f"{path} must be of version {VERSION}, it is of version {head.get('version')!r}")
    for name in ("size", "dt_ms", "duration_ms", "start_ms", "name", *more):
        if name not in head:
            raise FileError(f"{path} must state {name!r} in its header, it does not")
    return head


def _from_header(head) -> dict:
    return {"size": head["size"], "dt": head["dt_ms"], "duration": head["duration_ms"], "start": head["start_ms"],
            "name": head["name"]}


def _csv_head(path, file) -> dict:
    first, second = file.readline(), file.readline()
    if not first.startswith("# {") or second.strip() != CSV_COLUMNS:
        raise FileError(f"{path} must begin with a line '# {{...}}' and a line {CSV_COLUMNS!r}; read other files "
                        "yourself and use Spikes.from_times")
    return _checked_header(path, json.loads(first[2:]))


def _csv_columns(path, body) -> tuple:
    if body and not body.endswith("\n"):
        raise FileError(f"{path} ends in the middle of a line; it was cut short")
    lines = body.splitlines()
    if not lines:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    if table.shape != (len(lines), 2):
        raise FileError(f"{path} must have two columns {CSV_COLUMNS!r} in every line, it has {table.shape[1]} columns "
                        f"and {len(table)} of {len(lines)} lines")
    times, ids = table.T
    if not (np.abs(ids) <= 2**32).all() or (ids != np.floor(ids)).any():
        raise FileError(f"{path} must have whole numbers in the column 'neuron', it has others")
    return times, ids.astype(np.int64)
