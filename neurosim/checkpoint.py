"""HDF5 files of the state of a simulation, written whole.

A file has the attributes `format`, `version` and `digest`; the dataset `header`, a JSON text with versions,
settings, checksums and what the arrays are; the dataset `description`, the network as text; and the group
`arrays`, whose datasets are numbered and named by their attribute `name`.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import numpy as np

from neurosim import __version__
from neurosim.errors import FileError, ParameterError, warn
from neurosim.files import h5py, reading, whole_hdf5
from neurosim.network import signature
from neurosim.running import Run
from neurosim.settings import Settings, State
from neurosim.sources import TimedArray
from neurosim.streams import Stream, read_trace

FORMAT = "neurosim.state"
VERSION = 2


# ---- state: writing -------------------------------------------------------------------------------


def save(run, path) -> None:
    """Write state and recordings of a run to an HDF5 file, which appears whole or not at all.

    Args:
        run: the run.
        path: name of the file; one that exists is replaced.

    Raises:
        FileError: the file cannot be written.
        UnsupportedError: h5py is not installed.

    >>> import tempfile, pathlib, neurosim as ns
    >>> net = ns.Network()
    >>> cell = net.add(ns.LIF(i_bias=200.0), 1, name="cell")
    >>> net.record(cell)
    >>> sim = ns.Simulation(net)
    >>> sim.run(50.0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "state.h5"
    >>> sim.save(path)
    >>> later = ns.Simulation.load(path, net)
    >>> later.time, later.spikes(cell) == sim.spikes(cell)
    (50.0, True)
    """
    import numba

    h5py()
    with suppress(FileError):  # what a full disk keeps out of the file of a recording goes into this one
        run.recordings.flush()
    header, arrays = _contents(run)
    header = {"neurosim": __version__, "numpy": np.__version__, "numba": numba.__version__,
              "fingerprint": run.fingerprint, "signature": _lines(run.net), "arrays": list(arrays), **header}
    text = json.dumps(header)
    with whole_hdf5(path) as file:
        file.attrs.update({"format": FORMAT, "version": VERSION, "digest": _digest(text, arrays)})
        file["header"] = text
        file["description"] = str(run.net)
        group = file.create_group("arrays")
        for number, (name, array) in enumerate(arrays.items()):
            group.create_dataset(str(number), data=array).attrs["name"] = name


def _contents(run):
    """Return the header and the arrays, by name, of a file."""
    state, arrays, changes = run.state(), {}, []
    arrays |= {f"state/{name}": array for name, array in state.arrays.items()}
    for number, ((kind, owner, name), value) in enumerate(state.changes.items()):
        timed = isinstance(value, TimedArray)
        changes.append([kind, owner, name,
                        {key: getattr(value, key) for key in ("every", "after", "start")} if timed else {}])
        arrays[f"changes/{number}"] = np.asarray(np.nan if value is None else getattr(value, "values", value))
    for name, (stamps, ids) in state.given.items():
        arrays |= {f"given/{name}/ticks": stamps, f"given/{name}/ids": ids}
    logs = []
    for number, log in enumerate(run.recordings.logs):
        file, streamed = (str(log.path), log.stream.rows()) if log.stream else (None, 0)
        logs.append({**_identity(log), "begin": _plain(log.begin), "end": _plain(log.end), "file": file,
                     "streamed": streamed})
        ticks, rows = log.chunks()
        arrays |= {f"recordings/{number}/ticks": ticks, f"recordings/{number}/rows": rows}
    settings = asdict(run.settings) | {"dt": None if run.settings.dt is None else run.settings.dt.hex()}
    header = {"settings": settings, "time": _plain(state.time), "sample": state.sample, "ages": dict(state.ages),
              "checksums": {p.name: _checksums(run, p) for p in run.plan.projections},
              "changes": changes, "recordings": logs}
    return header, arrays


def _plain(stamp):
    """Return a stamp as what JSON holds: ticks, or numerator and denominator of exact ms."""
    return [stamp.numerator, stamp.denominator] if isinstance(stamp, Fraction) else stamp


def _stamp(plain):
    return Fraction(*plain) if isinstance(plain, list) else plain


def _identity(log) -> dict:
    """What must be the same for a recording to go on."""
    ids = "" if log.ids is None else hashlib.sha256(log.ids.tobytes()).hexdigest()
    every = _plain(log.every)
    return {"what": log.recorder.what.name, "variable": log.recorder.variable, "every": every, "ids": ids}


def _lines(net) -> list[str]:
    """The description, a line for each part, in which long lines are replaced by their hash."""
    return [line if len(line) < 2000 else f"{line[:200]} ... {hashlib.sha256(line.encode()).hexdigest()}"
            for line in signature(net)]


def _checksums(run, projection) -> dict:
    """Checksums of the synapses of a projection, and of what was laid down with them; what was set since is no part."""
    changed = {name for owner, name in run.engine.plan.changes if owner is projection}
    return {name: value for name, value in run.plan.projections[projection].checksums().items() if name not in changed}


def _digest(text, arrays) -> str:
    digest = hashlib.sha256(text.encode())
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


# ---- state: reading -------------------------------------------------------------------------------


def load(path, net, threads, memory_limit) -> Run:
    """Return a run that goes on from a file.

    Args:
        path: file that `save` wrote.
        net: the same network, described again.
        threads: number of threads; the spikes do not depend on it.
        memory_limit: bytes that recordings may take.

    Raises:
        FileError: the file is missing, damaged, of another version, or of another network.
    """
    header, arrays = _read(path)
    _check_network(path, header, net)
    given = header["settings"]
    given["dt"] = None if given["dt"] is None else float.fromhex(given["dt"])
    settings = Settings(**given | {"threads": threads or 1, "memory_limit": memory_limit})
    run = Run(net, settings)
    _check_synapses(path, header, run)
    try:
        run.restore(_state(header, arrays, run))
    except ParameterError as error:
        raise FileError(f"{path} was written by another neurosim, {header['neurosim']}: {error}") from None
    _put_recordings(path, header, arrays, run)
    run.recordings.flush()
    return run


def _state(header, arrays, run) -> State:
    """Return the state in a file."""
    changes = {}
    for number, (kind, owner, name, timed) in enumerate(header["changes"]):
        value = arrays[f"changes/{number}"]
        if value.ndim == 0:
            value = None if np.isnan(value) else value.item()
        changes[kind, owner, name] = TimedArray(value, **timed) if timed else value
    names = {name.removeprefix("given/").rpartition("/")[0] for name in arrays if name.startswith("given/")}
    given = {name: (arrays[f"given/{name}/ticks"], arrays[f"given/{name}/ids"]) for name in names}
    state = {name.removeprefix("state/"): array for name, array in arrays.items() if name.startswith("state/")}
    return State(_stamp(header["time"]), state, changes, given, header["sample"], header["ages"], run.fingerprint,
                 run.settings)


def _read(path):
    library = h5py()
    with reading(path, "an HDF5 file of a simulation"), open(path, "rb") as raw, library.File(raw, "r") as file:
        if file.attrs.get("format") != FORMAT:
            raise FileError(f"{path} is not a file of a simulation: it has no format {FORMAT!r}")
        if file.attrs["version"] != VERSION:
            raise FileError(f"{path} must be of version {VERSION}, it is of version {file.attrs['version']}; read it "
                            "with the neurosim that wrote it")
        header_text: Any = file["header"]
        group: Any = file["arrays"]
        text = header_text[()].decode()
        header = json.loads(text)
        arrays = {name: group[str(number)][()] for number, name in enumerate(header["arrays"])}
        if _digest(text, arrays) != file.attrs["digest"]:
            raise FileError(f"{path} is damaged or was edited: its contents do not match their digest")
        return header, arrays


def _check_network(path, header, net):
    if net.fingerprint() == header["fingerprint"]:
        return
    here, there = _lines(net), header["signature"]
    missing = [line for line in there if line not in here]
    extra = [line for line in here if line not in there]
    told = [f"the file has {_short(missing[0])}"] if missing else []
    told += [f"the given network has {_short(extra[0])}"] if extra else []
    told = ", ".join(told) or "its parts come in another order"
    raise FileError(f"{path} must be of the network that is given, but is of another one: {told}")


def _short(line) -> str:
    return line if len(line) <= 200 else line[:197] + "..."


def _check_synapses(path, header, run):
    for projection, plan in run.plan.projections.items():
        saved, now = header["checksums"][projection.name], plan.checksums()
        different = [name for name in saved if saved[name] != now.get(name)]
        if different:
            versions = ", ".join(f"{name} {header[name]}" for name in ("neurosim", "numpy", "numba"))
            raise FileError(f"{path} must have the same synapses as this neurosim makes, but {different[0]} of "
                            f"projection {projection.name!r} differ; it was written with {versions}")


def _put_recordings(path, header, arrays, run):
    saved = {json.dumps({name: entry[name] for name in ("what", "variable", "every", "ids")}): (number, entry)
             for number, entry in enumerate(header["recordings"])}
    for log in run.recordings.logs:
        number, entry = saved.pop(json.dumps(_identity(log)), (None, None))
        if entry is None:
            continue
        log.begin, log.end = _stamp(entry["begin"]), _stamp(entry["end"])
        if entry["file"] is not None:
            _go_on(path, entry, log, run)
        log.add(arrays[f"recordings/{number}/ticks"], arrays[f"recordings/{number}/rows"])
    if saved:
        lost = ", ".join(f"{entry['variable']} of {entry['what']}" for _, entry in saved.values())
        warn(f"{path} holds recordings that the given network does not ask for, which are left out: {lost}")


def _go_on(path, entry, log, run):
    """Let a recording that was streamed go on in its file."""
    if log.path is None:
        raise FileError(f"{path} has {log.name} in another file, {entry['file']}; describe that recorder with to=... "
                        "again")
    log.stream = Stream(log.path, log.of_spikes)
    log.stream.check(log, run.recordings.labels())
    log.stream.keep(entry["streamed"], run.engine.now)


__all__ = ["load", "read_trace", "save"]
