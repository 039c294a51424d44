"""Spikes: which neuron of one population fired when, and over which window somebody looked.

Time is a count of ticks. A spike at tick t was emitted at the end of step t, at time t * dt, so a run of
T ticks that begins at tick k emits spikes stamped k+1 .. k+T. Windows are therefore open on the left
and closed on the right everywhere: a recording covers (start, start + duration]. Exact (event driven)
spikes have float64 times in ms instead of ticks (`dt` is None) and follow the same rule.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.aliases import Number, Numbers
from neurosim.checks import describe_value
from neurosim.errors import ParameterError, UnsupportedError, warn
from neurosim.reprs import plural, table
from neurosim.spikes.checks import (
    as_array,
    as_exact,
    as_integers,
    check_ids,
    check_rounded,
    check_text,
    check_time_form,
    check_window,
    checked_metadata,
    checked_unit_ids,
    checked_watched,
    describe_array,
    in_order,
    inferred_size,
    inferred_span,
    nearest_ticks,
    number,
    on_grid,
    window_text,
)
from neurosim.spikes.elsewhere import Elsewhere
from neurosim.spikes.header import FORMAT
from neurosim.spikes.parts import Parts
from neurosim.spikes.statistics import Statistics


class Spikes(Statistics, Parts, Elsewhere):
    """The spikes of one population, frozen and sorted by time, then neuron.

    A neuron may spike several times at one tick. Two objects are equal if they hold the same spikes, size, window,
    dt and watched neurons; `name` and `metadata` are labels and do not count.

    Args:
        ticks: tick of each spike, integers, shape (n_spikes,); needs `dt`.
        times: instead of `ticks`, exact time of each spike in ms, shape (n_spikes,); `dt` stays None.
        ids: neuron of each spike, integers from 0 to size - 1, shape (n_spikes,).
        size: number of neurons of the population, silent ones included; by default the largest id + 1.
        duration: length of the window in ms, >= 0; with `dt` a multiple of it; by default up to the last spike.
        dt: length of a tick in ms.
        start: time in ms at which the window opens; with `dt` a multiple of it.
        name: name of the population.
        metadata: free labels, str -> str, int, float or bool (a seed, the hash of a network).
        watched: the neurons whose spikes were recorded, integers, each once; by default all. Nothing is known of the
            others: statistics are of the watched ones.
        unit_ids: what each neuron is called in another tool or file, different integers of 64 bits, shape (size,); a
            label like `name`. None where they are 0 .. size - 1.

    Raises:
        ParameterError: if a value does not fit, or a spike lies outside (start, start + duration].

    >>> spikes = Spikes(ticks=[3, 1, 3], ids=[0, 1, 2], size=3, duration=1.0, dt=0.1, name="exc")
    >>> spikes
    Spikes('exc': 3 spikes of 3 neurons in (0, 1] ms, dt = 0.1 ms, 1000 Hz)
    >>> spikes.ticks
    array([1, 3, 3])
    """

    ids: np.ndarray
    size: int
    dt: float | None
    name: str
    metadata: Mapping[str, Any]
    watched: np.ndarray | None
    unit_ids: np.ndarray | None

    def __init__(self, *, ticks: Numbers | None = None, times: Numbers | None = None, ids: Numbers,
                 size: Number | None = None, duration: Number | None = None, dt: Number | None = None,
                 start: Number = 0.0, name: str = "", metadata: Mapping | None = None, watched: Numbers | None = None,
                 unit_ids: Numbers | None = None):
        check_time_form(ticks, times, dt)
        if dt is not None:
            dt = number("dt", dt, "ms", above=0)
        first = on_grid("start", number("start", start, "ms"), dt)
        stamps = as_exact(times) if dt is None else as_integers("ticks", ticks)
        ids = as_integers("ids", ids)
        if len(stamps) != len(ids):
            raise ParameterError(f"Spikes.ids must have one entry per spike, got {len(ids)} for {len(stamps)} spikes")
        size = inferred_size(ids) if size is None else size
        size = number("size", size, integer=True, at_least=0, at_most=2**32)
        check_ids(ids, size)
        if duration is None:
            span = inferred_span(stamps, first, dt)
        else:
            span = on_grid("duration", number("duration", duration, "ms", at_least=0), dt)
        check_window(stamps, first, span, dt)
        watched = checked_watched(watched, size, ids)
        stamps, ids = in_order(stamps.astype(np.float64 if dt is None else np.int64), ids.astype(np.uint32))
        self.__dict__.update(
            ids=ids, size=size, dt=dt, watched=watched, unit_ids=checked_unit_ids(unit_ids, size),
            name=check_text("name", name), metadata=checked_metadata(metadata), _stamps=stamps, _first=first,
            _span=span)

    # ---- construction -------------------------------------------------------------------------

    @classmethod
    def from_times(cls, times: Numbers, ids: Numbers, *, size: Number | None = None, duration: Number | None = None,
                   dt: Number | None = None, **labels: Any) -> "Spikes":
        """Return spikes from times in ms, kept exact or, if `dt` is given, rounded to the nearest tick.

        Args:
            times: time of each spike in ms, shape (n_spikes,).
            ids: neuron of each spike, shape (n_spikes,).
            size, duration, dt, labels: as for `Spikes`, of which labels are `start`, `name`, `metadata`, `watched` and
                `unit_ids`.

        Raises:
            ParameterError: if a value does not fit; also if a time rounds to a tick outside the window.

        Warns:
            NeurosimWarning: if a time is off the grid by more than a millionth of a tick, with the worst error.

        >>> Spikes.from_times([0.1, 0.3], [0, 1], size=2, duration=1.0, dt=0.1).ticks
        array([1, 3])
        """
        fields = {"size": size, "duration": duration, "dt": dt, **labels}
        if dt is None:
            return cls(times=times, ids=ids, **fields)
        dt, times = number("dt", dt, "ms", above=0), as_exact(times)
        ticks, worst = nearest_ticks(times, dt)
        if duration is not None:
            empty = cls(ticks=[], ids=[], **{**fields, "watched": None, "unit_ids": None})
            check_rounded(times, ticks, empty._first, empty._span)
        spikes = cls(ticks=ticks, ids=ids, **fields)
        if worst:
            warn(f"Spikes.from_times rounded times to the grid of dt = {dt:g} ms; the worst error is "
                 f"{worst * dt:.3g} ms ({worst:.2g} tick)")
        return spikes

    @classmethod
    def from_trains(cls, trains: Mapping | Sequence, *, size: Number | None = None, **options: Any) -> "Spikes":
        """Return spikes from the spike times of each neuron: the other way round than `trains()`.

        Args:
            trains: times in ms, one array for each neuron; or neuron -> array.
            size: number of neurons; by default that of the trains, or the largest key + 1.
            options: `duration`, `dt`, `start`, `name`, `metadata`, `watched` and `unit_ids`, as for `from_times`.

        Raises:
            ParameterError: as `from_times`.

        >>> Spikes.from_trains([[1.5, 4.0], [], [2.0]], dt=0.5)
        Spikes(3 spikes of 3 neurons in (0, 4] ms, dt = 0.5 ms, 250 Hz)
        """
        try:
            pairs = dict(trains) if isinstance(trains, Mapping) else dict(enumerate(trains))
        except TypeError:
            raise ParameterError("Spikes.trains must be arrays of times in ms, one for each neuron, got "
                                 f"{describe_value(trains)}") from None
        keys = as_integers("trains", list(pairs))
        each = [as_exact(train) for train in pairs.values()]
        if size is None:
            size = inferred_size(keys)
        check_ids(keys, number("size", size, integer=True, at_least=0, at_most=2**32), "trains")
        ids = np.repeat(keys, [len(train) for train in each])
        return cls.from_times(np.concatenate([np.zeros(0), *each]), ids, size=size, **options)

    @classmethod
    def from_dense(cls, raster: Any, dt: Number, *, start: Number = 0.0, **labels: Any) -> "Spikes":
        """Return spikes from a raster: row i holds what was emitted at tick start/dt + 1 + i.

        Args:
            raster: bool, or whole numbers of spikes >= 0, shape (ticks, neurons).
            dt: length of a tick in ms.
            start, labels: as for `Spikes`, of which labels are `name`, `metadata`, `watched` and `unit_ids`.

        Raises:
            ParameterError: if the raster is not 2-D, not bool or integer, or holds negative numbers.

        >>> Spikes.from_dense([[True, False], [True, True]], dt=1.0).ticks
        array([1, 2, 2])
        """
        raster = as_array("raster", raster)
        if raster.ndim != 2 or raster.dtype.kind not in "biu" or (raster.size and raster.min() < 0):
            raise ParameterError("Spikes.raster must be a 2-D array (ticks, neurons) of bool or of whole numbers >= 0, "
                                 f"got {describe_array(raster)}")
        dt = number("dt", dt, "ms", above=0)
        rows, ids = np.nonzero(raster)
        many = raster[rows, ids].astype(np.int64)
        ticks = np.repeat(rows, many) + (1 + on_grid("start", number("start", start, "ms"), dt))
        return cls(ticks=ticks, ids=np.repeat(ids, many), size=raster.shape[1], duration=raster.shape[0] * dt, dt=dt,
                   start=start, **labels)

    def replace(self, **changes: Any) -> "Spikes":
        """Return a copy with some of the constructor's arguments changed, checked like any other.

        >>> Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1).replace(name="exc").name
        'exc'
        """
        return Spikes(**{**self._fields(), **changes})

    def on_grid(self, dt: Number) -> "Spikes":
        """Return the spikes at the nearest ticks of dt ms, as `from_times` makes them.

        >>> Spikes.from_times([0.2, 0.5], [0, 0], size=1, duration=1.0).on_grid(0.1).ticks
        array([2, 5])
        """
        return Spikes.from_times(self.times, self.ids, size=self.size, duration=self.duration, dt=dt, start=self.start,
                                 name=self.name, metadata=self.metadata, watched=self.watched, unit_ids=self.unit_ids)

    def _fields(self) -> dict:
        """The arguments from which the constructor makes this object again."""
        return {"times" if self.dt is None else "ticks": self._stamps, "ids": self.ids, "size": self.size,
                "duration": self.duration, "dt": self.dt, "start": self.start, "name": self.name,
                "metadata": dict(self.metadata), "watched": self.watched, "unit_ids": self.unit_ids}

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

    @property
    def n_watched(self) -> int:
        """How many neurons were watched."""
        return self.size if self.watched is None else len(self.watched)

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
        told = self._told()
        rate = f", {told['mean rate']}" if "mean rate" in told else ""
        return (f"Spikes({name}{plural(len(self), 'spike')} of {told['neurons']} in {told['window']}, "
                f"{told['grid']}{rate})")

    def _repr_html_(self) -> str:
        told = [("spikes", f"{len(self):,}"), *self._told().items(), *self.metadata.items()]
        return table(f"Spikes of {self.name}" if self.name else "Spikes", told)

    def _told(self) -> dict:
        """What the texts of this object say beside the number of spikes."""
        part = "" if self.watched is None else f"{self.n_watched} of "
        told = {"neurons": part + plural(self.size, "neuron"), "window": f"{window_text(self.start, self.stop)} ms",
                "grid": "exact times" if self.dt is None else f"dt = {self.dt:g} ms"}
        rate = self.mean_rate()
        return told if math.isnan(rate) else {**told, "mean rate": f"{rate:.4g} Hz"}

    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of everything that equality compares; the same on every machine.

        >>> Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1).fingerprint()[:12]
        'e9cb63b78071'
        """
        dt, first, span, size, watched = self._frame()
        head = [FORMAT, 1, "exact" if dt is None else dt.hex(), float(first).hex(), float(span).hex(), size, len(self)]
        if watched is not None:
            head.append(hashlib.sha256(watched).hexdigest())
        digest = hashlib.sha256(json.dumps(head).encode())
        digest.update(self._stamps.astype("<f8" if dt is None else "<i8").tobytes())
        digest.update(self.ids.astype("<u4").tobytes())
        return digest.hexdigest()

    def _frame(self) -> tuple:
        watched = None if self.watched is None else self.watched.astype("<u4").tobytes()
        return self.dt, self._first, self._span, self.size, watched

    def _ms(self, stamp) -> float:
        return stamp if self.dt is None else stamp * self.dt

    def _need_grid(self, what):
        if self.dt is None:
            raise UnsupportedError(f"Spikes.{what} needs spikes on a grid and these have exact times; "
                                   "call on_grid(dt) first")

    # ---- files --------------------------------------------------------------------------------

    def to_csv(self, path: str | Path) -> None:
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
        from neurosim.spikes import csv

        csv.write(self, path)

    @classmethod
    def from_csv(cls, path: str | Path) -> "Spikes":
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
        from neurosim.spikes import csv

        return csv.read(cls, path)

    def save(self, path: str | Path, *, metadata: Mapping | None = None) -> None:
        """Write an HDF5 file; it appears whole or not at all.

        The group `/spikes` has the datasets `ids` (uint32) and `ticks` (int64) or, if exact, `times` (float64, ms), the
        attributes `format`, `version`, `units` ("tick" or "ms"), `dt_ms` (absent if exact), `size`, `duration_ms`,
        `start_ms`, `name` and `fingerprint`, a group `metadata` whose attributes are the labels and, where not all
        neurons were watched, the dataset `watched` (uint32), and `unit_ids` (64 bits) where they have some.

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
        from neurosim.spikes import hdf5

        hdf5.write(self, path, metadata)

    @classmethod
    def load(cls, path: str | Path) -> "Spikes":
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
        from neurosim.spikes import hdf5

        return hdf5.read(cls, path)


__all__ = ["Spikes"]
