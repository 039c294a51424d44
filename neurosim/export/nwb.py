"""Neurodata Without Borders: the table of units, in seconds, written in one go; PyNWB makes it, h5py reads it."""

import datetime
import json
import math
import re
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurosim import __version__
from neurosim.errors import FileError, ParameterError, warn
from neurosim.export import runs
from neurosim.export.assemble import Found, Wanted, assemble, header_text, spacing
from neurosim.export.extra import need
from neurosim.export.trains import known, trains
from neurosim.files import h5py, reading, whole_hdf5
from neurosim.spikes import Spikes
from neurosim.spikes.header import check_header

WHAT = "NWB files"
FILE = "an NWB file with a table of units"
NEWEST = 2  #: of nwb_version
HEADERS = "neurosim, what it says of each population: "


def write(path, populations: Sequence[Spikes], fields: dict | None = None, more=None) -> None:
    """Write the spikes of one or more populations, whole or not at all.

    Args:
        path: name of the file.
        populations: each with a name of its own.
        fields: of `pynwb.NWBFile`.
        more: is given the `NWBFile` and adds to it.
    """
    pynwb = need("pynwb", WHAT, "nwb")
    file = _session(pynwb, fields or {})
    populations = [known(spikes) for spikes in populations]
    headers = json.dumps([json.loads(header_text(spikes)) for spikes in populations])
    if file.data_collection is None:
        file.data_collection = HEADERS + headers
    else:
        file.data_collection = f"{file.data_collection}\n{HEADERS}{headers}"
    if populations:
        file.units = _table(populations)
    if more is not None:
        more(file)
    with whole_hdf5(path) as raw, pynwb.NWBHDF5IO(file=raw, mode="w") as io:
        io.write(file)


def write_run(sim: Any, path, fields: dict) -> None:
    """Write everything that a simulation recorded, and its description."""
    defaults = {"notes": sim.net.describe(), "experiment_description": str(sim.net), "session_id": f"seed {sim.seed}",
                "protocol": f"network {sim.net.fingerprint()}"}
    write(path, runs.recorded_spikes(sim), {**defaults, **fields}, partial(_add_traces, runs.traces(sim)))


def _add_traces(traces, file):
    """Add a time series for each trace; which neurons are its columns is a table beside them."""
    pynwb, common = need("pynwb", WHAT, "nwb"), need("hdmf.common", WHAT, "nwb")
    names = runs.unique_names([trace.name for trace in traces], lambda name: re.sub(r"[/:]", "_", name))
    for name, trace in zip(names, traces, strict=True):
        unit, factor = runs.SI.get(trace.unit, (trace.unit or "dimensionless", 1.0))
        time = {"timestamps": trace.times / 1000}
        if trace.every is not None:
            time = {"starting_time": float(trace.times[0]) / 1000, "rate": 1000 / trace.every}
        owner = "synapses" if trace.neurons is None else "neurons"
        file.add_acquisition(pynwb.TimeSeries(
            name=name, data=trace.values, unit=unit, conversion=factor, **time,
            description=f"{trace.variable} of {trace.of}, one column for each of its recorded {owner}"))
        if trace.neurons is not None:
            file.add_acquisition(common.DynamicTable(
                name=f"{name} neurons", description=f"the columns of {name}: numbers of neurons of {trace.of}",
                columns=[common.VectorData(name="neuron", description="its number in the population",
                                           data=trace.neurons)]))


def _session(pynwb, fields):
    """A session, which begins when it is written; without keywords, with which Neo cannot read the file."""
    now = datetime.datetime.now().astimezone()
    defaults = {"session_description": f"simulation by neurosim {__version__}", "identifier": str(uuid.uuid4()),
                "session_start_time": now, "experiment_description": "spikes of simulated neurons"}
    try:
        return pynwb.NWBFile(**{**defaults, **fields})
    except (TypeError, ValueError) as error:
        raise ParameterError(f"fields of NWB must be those of pynwb.NWBFile: {error}") from None


def _table(populations):
    """The table of units: one row for each watched neuron."""
    misc, common = need("pynwb.misc", WHAT, "nwb"), need("hdmf.common", WHAT, "nwb")
    each = [trains(spikes, per_ms=1000) for spikes in populations]
    for spikes, found in zip(populations, each, strict=True):
        _warn_of_equal(spikes, found)
    counts = [len(found.units) for found in each]
    ends = np.concatenate([found.ends + before for found, before in zip(each, _before(each), strict=True)])
    times = each[0].times if len(each) == 1 else np.concatenate([found.times for found in each])
    windows = np.repeat([[spikes.start / 1000, spikes.stop / 1000] for spikes in populations], counts, axis=0)
    rows = int(sum(counts))
    dts = {spikes.dt for spikes in populations}
    (dt,) = dts if len(dts) == 1 else (None,)

    def column(name, text, data):
        return common.VectorData(name=name, description=text, data=data)

    time = column("spike_times", "times of spikes in seconds", times)
    window = column("obs_intervals", "when each neuron was watched, in seconds", windows.reshape(rows, 2))
    columns = [common.VectorIndex(name="spike_times_index", data=ends, target=time), time,
               common.VectorIndex(name="obs_intervals_index", data=np.arange(1, rows + 1), target=window), window,
               column("population", "name of the population",
                      [spikes.name for spikes, many in zip(populations, counts, strict=True) for _ in range(many)]),
               column("neuron", "number of the neuron in its population, or what it is called elsewhere",
                      _as_signed(np.concatenate([found.units for found in each])))]
    ids = _as_signed(each[0].units) if len(each) == 1 else np.arange(rows)
    return misc.Units(name="units", description="simulated neurons that were watched, those without a spike too",
                      resolution=None if dt is None else dt / 1000, id=common.ElementIdentifiers(name="id", data=ids),
                      columns=columns, colnames=("spike_times", "obs_intervals", "population", "neuron"))


def _before(each):
    return np.cumsum([0, *(len(found.times) for found in each[:-1])])


def _as_signed(units) -> np.ndarray:
    if units.dtype == np.uint64:
        raise ParameterError(f"unit_ids must be below 2**63 in NWB, got {units.max()}")
    return units.astype(np.int64)


def _warn_of_equal(spikes, found):
    """Say that inspectors of NWB take two spikes of one neuron at one time for a fault."""
    equal = np.flatnonzero(found.times[1:] == found.times[:-1])
    equal = equal[~np.isin(equal + 1, found.ends)]
    if len(equal):
        warn(f"{len(equal)} spikes of {spikes.name or 'a population'!r} come at the same tick as the one "
             "before them of the same neuron; they are written, and nwbinspector calls that critical")


# ---- reading ----------------------------------------------------------------------------------------


def read(cls, path, wanted: Wanted, population: str | None = None):
    """Return the spikes of one population of a file as an object of a class."""
    path = Path(path)
    with reading(path, FILE), h5py().File(path, "r") as file:
        _check_version(path, file)
        if "units/spike_times" not in file:
            raise FileError(f"{path} must have a table of units with spike_times, it has none")
        found = _found(path, file["units"], _head(path, file, population), population)
    return assemble(cls, path, found, wanted)


def _check_version(path, file):
    version = file.attrs.get("nwb_version", "")
    version = version.decode() if isinstance(version, bytes) else str(version)
    if not version:
        raise FileError(f"{path} is not an NWB file: it has no nwb_version")
    if not version.split(".")[0].isdigit() or int(version.split(".")[0]) != NEWEST:
        raise FileError(f"{path} must be of NWB version {NEWEST}, it is of version {version}; write it anew with a "
                        "PyNWB that reads it")


def _names(units) -> list:
    if "population" not in units:
        return []
    return units["population"].asstr()[:].tolist()


def _head(path, file, population) -> dict | None:
    """Our header of a population, which must be named where there are several."""
    present = sorted(set(_names(file["units"])))
    if population is not None and population not in present:
        raise ParameterError(f"population must be one of {', '.join(map(repr, present)) or 'none'}, those of {path}, "
                             f"got {population!r}")
    if population is None and len(present) > 1:
        raise ParameterError(f"population must be given, one of {', '.join(map(repr, present))}, those of {path}")
    text = file["general/data_collection"].asstr()[()] if "general/data_collection" in file else ""
    if HEADERS not in text:
        return None
    heads = [check_header(path, head) for head in json.loads(text[text.index(HEADERS) + len(HEADERS):])]
    name = present[0] if population is None and present else population
    return next((head for head in heads if head["name"] == name), None if present else heads[0] if heads else None)


def _found(path, units, head, population) -> Found:
    ends = _index(path, units, "spike_times", len(units["id"]))
    rows = np.arange(len(ends))
    if population is not None:
        rows = np.array([row for row, name in enumerate(_names(units)) if name == population], dtype=np.int64)
    if len(rows) and (np.diff(rows) != 1).any():
        seconds = np.concatenate([units["spike_times"][begin:end] for begin, end in
                                  zip(np.concatenate([[0], ends[:-1]])[rows], ends[rows], strict=True)])
    else:
        first = 0 if not len(rows) or rows[0] == 0 else ends[rows[0] - 1]
        seconds = units["spike_times"][first:ends[rows[-1]] if len(rows) else 0]
    listed = units["id" if head is None else "neuron"][:][rows]
    counts = np.diff(np.concatenate([[0], ends]))[rows]
    times = seconds * seconds.dtype.type(1000)
    found = Found(times, np.repeat(listed, counts), listed, head, {}, spacing(times))
    if head is not None:
        found.times = _inside(times, head)
    else:
        found.said = {**_window(path, units, rows), "name": population or ""}
    return found


def _index(path, units, name, rows) -> np.ndarray:
    """Where the part of each row ends in a column of lists."""
    if f"{name}_index" not in units:
        raise FileError(f"{path} must have units/{name}_index, it has none")
    ends = units[f"{name}_index"][:].astype(np.int64)
    if len(ends) != rows or (np.diff(ends, prepend=0) < 0).any() or (rows and ends[-1] != len(units[name])):
        raise FileError(f"{path} is damaged: units/{name}_index does not fit the {rows} units and "
                        f"{len(units[name])} entries")
    return ends


def _inside(times, head) -> np.ndarray:
    """Exact times that went through seconds, and may have been rounded by a bit over the edge of their window."""
    if head["dt_ms"] is not None or not len(times):
        return times
    low = math.nextafter(head["start_ms"], math.inf)
    return np.where(np.isclose(times, head["start_ms"], rtol=1e-14, atol=0), np.maximum(times, low), times)


def _window(path, units, rows) -> dict:
    """The window in which units of another writer were observed."""
    if "obs_intervals" not in units or not len(rows):
        return {}
    ends = _index(path, units, "obs_intervals", len(units["id"]))
    intervals = units["obs_intervals"][:]
    counts = np.diff(np.concatenate([[0], ends]))[rows]
    mine = intervals[np.repeat(np.isin(np.arange(len(ends)), rows), np.diff(np.concatenate([[0], ends])))]
    if not len(mine):
        return {}
    start, stop = float(mine[:, 0].min()), float(mine[:, 1].max())
    if (counts != 1).any() or (mine != [start, stop]).any():
        warn(f"{path}: units were observed in several intervals, of which spikes have one; it is taken from "
             f"{start:g} to {stop:g} s, the first and the last")
    return {"start": start * 1000, "duration": stop * 1000 - start * 1000}
