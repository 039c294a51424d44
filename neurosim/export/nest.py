"""What NEST leaves: the events of a recorder, its files of text, and the older .gdf, which recordings come in too.

NEST stamps a spike with the end of its step, as neurosim does. Its recorders tell neurons by their numbers among all
nodes, from 1 on, and know nothing of neurons that were silent: `ids` names all of them.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.checks import check_number, describe_value
from neurosim.errors import FileError, ParameterError, warn
from neurosim.export.assemble import Found, Wanted, assemble
from neurosim.files import reading

FILE = "a file of NEST's recorders"
GDF = "a file of lines 'neuron time'"
THREAD = re.compile(r"-\d+\.dat$")  #: the end of the name of a file, with the number of its thread
VERSION = "2"  #: of the files of recorders that are known


def from_nest(cls, source: Any, wanted: Wanted):
    """Return the spikes of a recorder, of its dictionary of events, or of its files, as an object of a class."""
    if isinstance(source, (str, Path)):
        source = [source]
    if isinstance(source, (list, tuple)) and source and all(isinstance(each, (str, Path)) for each in source):
        what = Path(source[0]) if len(source) == 1 else f"{source[0]} and {len(source) - 1} more"
        _warn_of_others([Path(each) for each in source])
        return assemble(cls, what, _joined([_file(path, wanted.dt) for path in source]), wanted)
    return assemble(cls, "NEST's recorder", _events(source, wanted.dt), wanted)


def from_gdf(cls, path, wanted: Wanted, others: str = "refuse"):
    """Return the spikes of lines 'neuron time_ms' as an object of a class."""
    if others not in ("refuse", "leave out"):
        raise ParameterError(f"others must be 'refuse' or 'leave out', got {describe_value(others)}")
    path = Path(path)
    with reading(path, GDF), open(path, encoding="utf-8") as file:
        units, times = _table(path, file, 2)
    if others == "leave out":
        if wanted.ids is None:
            raise ParameterError("ids must be given where others are left out, got None")
        kept = np.isin(units, np.asarray(wanted.ids))
        units, times = units[kept], times[kept]
    return assemble(cls, path, Found(times, units), wanted)


def _events(source, dt) -> Found:
    if isinstance(source, (list, tuple)) and len(source) == 1:  # as GetStatus(recorder, "events") gives it
        (source,) = source
    if not isinstance(source, Mapping):
        source = _events_of(source)
    if not isinstance(source, Mapping) or not {"senders", "times"} <= set(source):
        raise ParameterError("source must be a spike recorder of NEST, its events (a dict with senders and times) or "
                             f"the names of its files, got {describe_value(source)}")
    times = np.asarray(source["times"])
    return Found(_ms(times, source.get("offsets"), dt), np.asarray(source["senders"], dtype=np.int64))


def _events_of(recorder: Any) -> Any:
    try:
        return recorder.events
    except (AttributeError, KeyError):  # NEST raises KeyError for what nodes do not have
        return recorder


def _ms(times, offsets, dt) -> np.ndarray:
    """Times in ms of what may be steps and how much earlier a spike was than the end of its step."""
    if offsets is None:
        return times.astype(np.float64)
    if dt is None:
        raise ParameterError("dt must be given where times are steps: NEST's resolution in ms, got None")
    return times * check_number("dt", dt, "ms", above=0) - np.asarray(offsets)


def _file(path, dt) -> Found:
    path = Path(path)
    with reading(path, FILE), open(path, encoding="utf-8") as file:
        head = [file.readline() for _ in range(3)]
        if not head[0].startswith("# NEST version"):
            raise FileError(f"{path} must begin with '# NEST version'; files of lines 'neuron time' without a head are "
                            "read by Spikes.from_gdf")
        version = head[1].rpartition(":")[2].strip()
        if "RecordingBackendASCII" not in head[1] or version != VERSION:
            raise FileError(f"{path} must be of RecordingBackendASCII version {VERSION}, it is of {version!r}")
        names = head[2].split()
        if names[:1] != ["sender"] or names[1:] not in (["time_ms"], ["time_step", "time_offset"]):
            raise FileError(f"{path} must have the columns sender and time_ms, or sender, time_step and time_offset, "
                            f"it has {', '.join(names)}")
        units, *columns = _table(path, file, len(names))
    return Found(_ms(columns[0], columns[1] if len(columns) > 1 else None, dt), units)


def _warn_of_others(paths):
    """Name files of other threads of one recorder: what NEST lists as its `filenames` is only one of them."""
    folders = {path.parent for path in paths}
    given, recorders = {path.resolve() for path in paths}, {THREAD.sub("", path.name) for path in paths}
    left = sorted(path.name for folder in folders if folder.is_dir() for path in folder.iterdir()
                  if THREAD.search(path.name) and THREAD.sub("", path.name) in recorders
                  and path.resolve() not in given)
    if left:
        warn(f"a recorder of NEST has a file for each thread, and these were not given: {', '.join(left)}; "
             "give all of them in a list")


def _table(path, lines, columns) -> tuple:
    """The columns of whole numbers, then of others, of lines of text."""
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return np.zeros(0, dtype=np.int64), *np.zeros((columns - 1, 0))
    if lines[-1][-1:] != "\n":
        raise FileError(f"{path} ends in the middle of a line; it was cut short")
    kinds = [("unit", np.int64), *((f"{place}", np.float64) for place in range(1, columns))]
    try:
        table = np.atleast_1d(np.loadtxt(lines, dtype=np.dtype(kinds)))
        return tuple(table[name].copy() for name, _ in kinds)
    except ValueError:
        table = np.loadtxt(lines, ndmin=2)
    if table.shape[1] != columns:
        raise FileError(f"{path} must have {columns} columns, it has {table.shape[1]}")
    units = table[:, 0]
    if (units != np.floor(units)).any() or (np.abs(units) > 2**53).any():
        raise FileError(f"{path} must have whole numbers in its first column, it has others")
    return units.astype(np.int64), *table[:, 1:].T


def _joined(parts) -> Found:
    """The spikes of the files of several threads or processes."""
    return Found(np.concatenate([part.times for part in parts]), np.concatenate([part.units for part in parts]))
