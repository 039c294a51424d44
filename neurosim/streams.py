"""Recordings that grow in files of their own while a simulation runs.

A recording of spikes has the layout of `Spikes.save`. A recording of a variable has the group `trace` with the
datasets `ticks` (int64) and `values` (samples, neurons or synapses), the attributes `format`, `version`, `dt_ms`,
`name`, `variable`, `every`, `seed` and `network`, and the dataset `neurons`, which are recorded. Both are tables of
`neurosim.growing`: a piece that could not be written, or a process that was killed, leaves all pieces before.
"""

import os
from pathlib import Path

import numpy as np

from neurosim.errors import FileError
from neurosim.files import as_path, whole_hdf5, writing
from neurosim.growing import append_rows, changing, keep_rows, looking, read_rows
from neurosim.network import Population
from neurosim.spikes.header import FORMAT as SPIKES_FORMAT
from neurosim.spikes.header import VERSION as SPIKES_VERSION

FORMAT = "neurosim.trace"
VERSION = 1


def create(logs, labels: dict, dt: float, now: int) -> None:
    """Begin the files of some recordings: all of them, or none.

    Args:
        logs: the recordings, each with the `path` of its file; they are given their `stream`.
        labels: "seed" of the simulation, and "network", its fingerprint.
        dt: length of a tick, ms.
        now: the present tick.

    Raises:
        FileError: a file exists, is named twice, or cannot be written.
    """
    names = {}
    for log in logs:
        other = names.setdefault(log.path.resolve(), log)
        if other is not log:
            raise FileError(f"{log.path} must be the file of one recording, but {other.name} and {log.name} both name "
                            "it; give to=... another name")
        if log.path.exists():
            raise FileError(f"{log.path} must not exist when a recording of {log.name} is begun there; remove it or "
                            "give to=... another name")
    streams = {}
    try:
        for log in logs:
            streams[log] = Stream(log.path, log.of_spikes)
            streams[log].begin(log, labels, dt, now)
    except FileError:
        for log in list(streams)[:-1]:
            log.path.unlink(missing_ok=True)
        raise
    for log, stream in streams.items():
        log.stream = stream


def read_trace(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the times and values of a recording of a variable that was streamed to a file.

    Args:
        path: the file that was given as `to`.

    Returns:
        times: ms, shape (samples,).
        values: shape (samples, neurons or synapses).

    Raises:
        FileError: the file is missing, damaged, or not such a recording.

    >>> import tempfile, pathlib, neurosim as ns
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "v.h5"
    >>> net = ns.Network()
    >>> cell = net.add(ns.LIF(), 2, name="cell")
    >>> net.record(cell, "v", every=1.0, to=path)
    >>> ns.Simulation(net).run(5.0)
    >>> times, values = read_trace(path)
    >>> times, values.shape
    (array([0., 1., 2., 3., 4., 5.]), (6, 2))
    """
    stream = Stream(as_path("read_trace.path", path), of_spikes=False)
    ticks, values = stream.read()
    return ticks * stream.dt(), values


class Stream:
    """A recording in a file of its own, which is whole at any time.

    Args:
        path: the file.
        of_spikes: whether it holds spikes; else samples of a variable.
    """

    def __init__(self, path: Path, of_spikes: bool):
        self.path, self.group = path, "spikes" if of_spikes else "trace"
        self.columns = ("ticks", "ids") if of_spikes else ("ticks", "values")

    def begin(self, log, labels: dict, dt: float, now: int) -> None:
        """Write a file without rows."""
        what, labels = log.recorder.what, {**labels, "seed": np.uint64(labels["seed"])}
        with whole_hdf5(self.path) as file:
            group = file.create_group(self.group)
            if log.of_spikes:
                group.attrs.update({"format": SPIKES_FORMAT, "version": SPIKES_VERSION, "units": "tick",
                                    "dt_ms": dt, "size": what.size, "name": what.name})
                group.create_group("metadata").attrs.update(labels)
                if log.recorder.ids is not None:
                    group["watched"] = np.asarray(log.recorder.ids, dtype=np.uint32)
            else:
                group.attrs.update({"format": FORMAT, "version": VERSION, "dt_ms": dt, "name": what.name,
                                    "variable": log.recorder.variable, "every": log.every, **labels})
                if log.ids is not None:
                    group["neurons"] = what.places(log.ids) if isinstance(what, Population) else log.ids
            append_rows(group, self._empty(), **self._window(log, dt, now))

    def _empty(self):
        return {"ticks": np.zeros(0, dtype=np.int64), self.columns[1]: np.zeros(0, dtype=np.uint32)}

    def _window(self, log, dt, now) -> dict:
        """The window of time that is covered, which is an attribute of spikes."""
        begin, end = (now, now) if log.begin is None else (log.begin, log.end)
        window = {"start_ms": begin * dt, "duration_ms": (end - begin) * dt}
        return window if log.of_spikes else {}

    def append(self, log, dt: float, now: int) -> None:
        """Move what a recording has in memory to its file; where that fails, it stays in memory.

        Raises:
            FileError: the file cannot be written, is missing or damaged.
        """
        with changing(self.path) as file:
            rows = dict(zip(self.columns, log.chunks(), strict=True))
            append_rows(file[self.group], rows, **self._window(log, dt, now))
        log.drop()

    def sync(self) -> None:
        """Wait until all that was written is on the disk, where a loss of power leaves it; raise FileError."""
        with writing(self.path), open(self.path, "r+b", buffering=0) as file:
            os.fsync(file.fileno())

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (ticks, rows)."""
        with looking(self.path) as file:
            found = read_rows(self.path, file[self.group], self.columns)
        if found is None:
            shape = (0,) if self.group == "spikes" else (0, 0)
            return np.empty(0, dtype=np.int64), np.empty(shape, dtype=np.uint32)
        return tuple(found)

    def dt(self) -> float:
        """Return the length of a tick in ms."""
        with looking(self.path) as file:
            return float(file[self.group].attrs["dt_ms"])

    def rows(self) -> int:
        """Return how many rows there are."""
        with looking(self.path) as file:
            return int(file[self.group].attrs["rows"])

    def cut(self, tick: int) -> None:
        """Forget what came after a tick."""
        with changing(self.path) as file:
            group = file[self.group]
            rows = int(group.attrs["rows"])
            keep = int(np.searchsorted(group["ticks"][()], tick, side="right")) if rows else 0
            if keep < rows:
                keep_rows(group, self.columns, keep)

    def keep(self, rows: int, tick: int) -> None:
        """Forget all but the first rows, which were recorded up to a tick; raise FileError where they are not there."""
        with changing(self.path) as file:
            group = file[self.group]
            there = int(group.attrs["rows"])
            if there < rows or (rows and int(group["ticks"][rows - 1]) > tick):
                raise FileError(f"{self.path} must hold what was recorded before the state was saved; it was cut or "
                                "written again since then")
            if rows < there:
                keep_rows(group, self.columns, rows)

    def check(self, log, expected: dict) -> None:
        """Raise FileError unless the file is this recording of this network and seed."""
        self.read()
        with looking(self.path) as file:
            group = file[self.group]
            labels = group["metadata"].attrs if log.of_spikes else group.attrs
            if int(labels["seed"]) != expected["seed"] or labels["network"] != expected["network"]:
                raise FileError(f"{self.path} must be the recording of {log.name} that goes with the saved state, it "
                                "is of another network or seed")


__all__ = ["Stream", "create", "read_trace"]
