"""SONATA's files of spikes, as libsonata, bmtk and NEST read them: milliseconds, sorted by time, no compression."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurosim.errors import FileError, ParameterError
from neurosim.export.assemble import TEXT, Found, Wanted, assemble, header_of, header_text, spacing
from neurosim.export.trains import known, rows_of, unit_of
from neurosim.files import h5py, reading, whole_hdf5
from neurosim.spikes import Spikes

FILE = "a SONATA file of spikes"
MAGIC, VERSION = 0x0A7A, (0, 1)
SORTING = {"none": 0, "by_id": 1, "by_time": 2}  #: readers take the text of an enumeration, and bisect by it
MS = {"ms": 1.0, "millisecond": 1.0, "milliseconds": 1.0, "s": 1000.0, "second": 1000.0, "seconds": 1000.0,
      "us": 0.001, "microseconds": 0.001}
STEP = 1 << 20  #: spikes that are written at once


def write(path, populations: Sequence[Spikes]) -> None:
    """Write the spikes of one or more populations, each with a name of its own, whole or not at all."""
    populations = [known(spikes) for spikes in populations]
    with whole_hdf5(path) as file:
        stamp(file)
        for spikes in populations:
            _write_population(file, spikes)


def stamp(file) -> None:
    """Say that a file is of SONATA, and of which version."""
    file.attrs["magic"], file.attrs["version"] = np.uint32(MAGIC), np.array(VERSION, dtype=np.uint32)


def plain(name: str) -> str:
    """Return a name as a group in a file may have it."""
    return name.replace("/", "_").strip(".") or "spikes"


def _write_population(file, spikes):
    group = file.create_group(f"spikes/{plain(spikes.name)}")
    kind = h5py().enum_dtype(SORTING, basetype=np.uint8)
    group.attrs.create("sorting", SORTING["by_time"], dtype=kind)
    group.attrs[TEXT] = header_text(spikes)
    if spikes.watched is not None or spikes.unit_ids is not None:
        group["neurosim_listed"] = unit_of(spikes)[rows_of(spikes)]
    times = group.create_dataset("timestamps", shape=(len(spikes),), dtype=np.float64)
    times.attrs["units"] = "ms"
    nodes = group.create_dataset("node_ids", shape=(len(spikes),), dtype=np.uint64)
    names = unit_of(spikes)
    if len(names) and names.min() < 0:
        raise ParameterError(f"unit_ids must be >= 0 in SONATA, got {names.min()}")
    stamps, dt = (spikes.times, 1.0) if spikes.dt is None else (spikes.ticks, spikes.dt)
    for first in range(0, len(spikes), STEP):  # in parts, so that nothing as large as the spikes is made
        part = slice(first, first + STEP)
        times[part] = stamps[part] * dt
        nodes[part] = spikes.ids[part] if spikes.unit_ids is None else names[spikes.ids[part]]


# ---- reading ----------------------------------------------------------------------------------------


def read(cls, path, wanted: Wanted, population: str | None = None):
    """Return the spikes of one population of a file as an object of a class."""
    path = Path(path)
    with reading(path, FILE), h5py().File(path, "r") as file:
        check_version(path, file)
        if "spikes" not in file:
            raise FileError(f"{path} must have a group 'spikes', it has none")
        found = _found(path, *_population(path, file["spikes"], population))
    return assemble(cls, path, found, wanted)


def check_version(path, file) -> None:
    """Raise FileError for a version of SONATA that is newer than the one that is known."""
    version = tuple(int(part) for part in np.atleast_1d(file.attrs.get("version", VERSION)))
    if version > VERSION:
        raise FileError(f"{path} must be of SONATA version {VERSION[0]}.{VERSION[1]}, it is of version "
                        f"{'.'.join(map(str, version))}")


def _population(path, group, name) -> tuple:
    """The name and the group of a population; in files of the first version the only one has no group."""
    if "timestamps" in group:
        return "", group
    present = sorted(group)
    if name is None and len(present) != 1:
        raise ParameterError(f"population must be given, one of {', '.join(map(repr, present))}, those of {path}")
    if name is None:
        (name,) = present
    elif name not in present:
        raise ParameterError(f"population must be one of {', '.join(map(repr, present))}, those of {path}, "
                             f"got {name!r}")
    return name, group[name]


def _found(path, name, group) -> Found:
    nodes = next((group[key] for key in ("node_ids", "gids") if key in group), None)
    if nodes is None or "timestamps" not in group:
        raise FileError(f"{path} must have timestamps and node_ids of the population {name!r}, it lacks one")
    if nodes.shape != group["timestamps"].shape:
        raise FileError(f"{path} is damaged: population {name!r} has {len(group['timestamps'])} timestamps and "
                        f"{len(nodes)} node_ids")
    times = group["timestamps"][:]
    factor = _unit(path, group)
    if factor != 1.0:
        times = times * times.dtype.type(factor) if factor >= 1 else times / times.dtype.type(round(1 / factor))
    head = header_of(path, group.attrs.get(TEXT, ""))
    listed = group["neurosim_listed"][:] if "neurosim_listed" in group else None
    return Found(times, nodes[:], listed, head, {"name": name}, spacing(times))


def _unit(path, group) -> float:
    """ms of a unit of the timestamps; files of the first version, which do not say, are in ms."""
    unit = group["timestamps"].attrs.get("units", "ms")
    unit = unit.decode() if isinstance(unit, bytes) else str(unit)
    if unit not in MS:
        raise FileError(f"{path} must have timestamps in ms, s or us, it has {unit!r}")
    return MS[unit]
