"""HDF5 files of the state of a simulation, written whole.

A file has the attributes `format`, `version` and `digest`; the dataset `header`, a JSON text with versions,
settings, checksums and what the arrays are; the dataset `description`, the network as text; and the group
`arrays`, whose datasets are numbered and named by their attribute `name`.
"""

import hashlib
import json
import warnings
from dataclasses import replace

import numpy as np

from neurosim import __version__
from neurosim.engine.synapses import checksum
from neurosim.errors import FileError, NeurosimWarning, ParameterError
from neurosim.files import h5py, reading, whole_hdf5
from neurosim.network import _signature
from neurosim.sources import TimedArray
from neurosim.streams import Stream, read_trace

FORMAT = "neurosim.state"
VERSION = 1


# ---- state: writing -------------------------------------------------------------------------------


def save(sim, path) -> None:
    """Write state and recordings of a simulation to an HDF5 file, which appears whole or not at all.

    Args:
        sim: the simulation.
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
    h5py()
    sim._recordings.flush(sim)
    write(sim, path, *_contents(sim))


def write(sim, path, header: dict, arrays: dict) -> None:
    """Write the file of a simulation.

    Args:
        sim: the simulation.
        path: name of the file; one that exists is replaced.
        header: what is in it, of plain values; versions and the description of the network are added.
        arrays: by name.
    """
    import numba

    header = {"neurosim": __version__, "numpy": np.__version__, "numba": numba.__version__, "seed": sim.seed,
              "fingerprint": sim._recordings.fingerprint, "signature": _lines(sim.net), "arrays": list(arrays),
              **header}
    text = json.dumps(header)
    with whole_hdf5(path) as file:
        file.attrs.update({"format": FORMAT, "version": VERSION, "digest": _digest(text, arrays)})
        file["header"] = text
        file["description"] = str(sim.net)
        group = file.create_group("arrays")
        for number, (name, array) in enumerate(arrays.items()):
            group.create_dataset(str(number), data=array).attrs["name"] = name


def _contents(sim):
    """Return the header and the arrays, by name, of a file."""
    state = sim.state()
    arrays = {f"state/{name}": array for name, array in state.arrays.items()}
    changes = {}
    for (owner, name), value in sim._layout.changes().items():
        label = f"{_kind(sim, owner)}/{owner.name}/{name}"
        timed = isinstance(value, TimedArray)
        changes[label] = {key: getattr(value, key) for key in ("every", "after", "start")} if timed else {}
        arrays[f"changes/{label}"] = np.asarray(np.nan if value is None else getattr(value, "values", value))
    for population in sim._given:
        ticks, ids = sim._instance.given[population]
        arrays |= {f"given/{population.name}/ticks": ticks, f"given/{population.name}/ids": ids}
    logs = []
    for number, log in enumerate(sim._recordings.logs):
        file = str(log.path) if log.stream else None
        logs.append({**_identity(log), "begin": log.begin, "end": log.end, "file": file})
        ticks, rows = log.chunks()
        arrays |= {f"recordings/{number}/ticks": ticks, f"recordings/{number}/rows": rows}
    header = {
        "dt": sim.dt.hex(), "dtype": sim.dtype, "packed": sim.packed, "threads": sim.threads, "tick": state.tick,
        "checksums": {p.name: _checksums(plan) for p, plan in sim._layout.projections.items()},
        "changes": changes, "recordings": logs,
        "aged": {p.name: plan.aged for p, plan in sim._layout.projections.items() if plan.aged}}
    return header, arrays


def _kind(sim, owner) -> str:
    return "population" if owner in sim._layout.populations else "projection"


def _identity(log) -> dict:
    """What must be the same for a recording to go on."""
    ids = "" if log.ids is None else hashlib.sha256(log.ids.tobytes()).hexdigest()
    return {"what": log.recorder.what.name, "variable": log.recorder.variable, "every": log.every, "ids": ids}


def _lines(net) -> list[str]:
    """The description, a line for each part, in which long lines are replaced by their hash."""
    return [line if len(line) < 2000 else f"{line[:200]} ... {hashlib.sha256(line.encode()).hexdigest()}"
            for line in _signature(net)]


def _checksums(plan, changed=None) -> dict:
    """Checksums of the synapses of a projection and of what was laid down with them, but for what was set since."""
    changed = plan.changed if changed is None else changed
    connectivity = plan.connectivity.alone()
    names = [name for name in connectivity.parts[0].values if name not in changed]
    return {"synapses": _checksum(connectivity, None)} | {name: _checksum(connectivity, name) for name in names}


def _checksum(connectivity, name) -> str:
    values = [{} if name is None else {"weight": part.values[name]} for part in connectivity.parts]
    parts = [replace(part, values=each) for part, each in zip(connectivity.parts, values, strict=True)]
    return f"{checksum(replace(connectivity, parts=parts)):016x}"


def _digest(text, arrays) -> str:
    digest = hashlib.sha256(text.encode())
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


# ---- state: reading -------------------------------------------------------------------------------


def load(cls, path, net, threads, memory_limit):
    """Return a simulation that goes on from a file.

    Args:
        cls: the class of the simulation.
        path: file that `save` wrote.
        net: the same network, described again.
        threads: number of threads; the spikes do not depend on it.
        memory_limit: bytes that recordings may take.

    Raises:
        FileError: the file is missing, damaged, of another version, or of another network.
    """
    header, arrays = _read(path)
    _check_network(path, header, net)
    if header.get("mode") == "event":
        sim = cls(net, seed=header["seed"], threads=threads, mode="event", memory_limit=memory_limit)
        sim.take_over(path, header, arrays)
        return sim
    sim = cls(net, float.fromhex(header["dt"]), seed=header["seed"], threads=threads, dtype=header["dtype"],
              packed=header.get("packed", False), memory_limit=memory_limit)
    _put_changes(sim, header, arrays)
    for name, aged in header.get("aged", {}).items():
        sim._layout.projections[sim.net.projection(name)].aged = aged
    _check_synapses(path, header, sim)
    sim.tick = header["tick"]
    state = {name.removeprefix("state/"): array for name, array in arrays.items() if name.startswith("state/")}
    try:
        sim._instance.check_state(state)
    except ParameterError as error:
        raise FileError(f"{path} was written by another neurosim, {header['neurosim']}: {error}") from None
    sim._instance.restore(state, sim.tick)
    for name in {name.removeprefix("given/").rpartition("/")[0] for name in arrays if name.startswith("given/")}:
        sim._put_given(sim.net.population(name), arrays[f"given/{name}/ticks"], arrays[f"given/{name}/ids"])
    _put_recordings(path, header, arrays, sim)
    sim._recordings.flush(sim)
    return sim


def _read(path):
    library = h5py()
    with reading(path, "an HDF5 file of a simulation"), open(path, "rb") as raw, library.File(raw, "r") as file:
        if file.attrs.get("format") != FORMAT:
            raise FileError(f"{path} is not a file of a simulation: it has no format {FORMAT!r}")
        if file.attrs["version"] != VERSION:
            raise FileError(f"{path} must be of version {VERSION}, it is of version {file.attrs['version']}; read it "
                            "with the neurosim that wrote it")
        text = file["header"][()].decode()
        group = file["arrays"]
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


def _check_synapses(path, header, sim):
    for projection, plan in sim._layout.projections.items():
        saved = header["checksums"][projection.name]
        now = _checksums(plan)
        different = [name for name in saved if saved[name] != now.get(name)]
        if different:
            versions = ", ".join(f"{name} {header[name]}" for name in ("neurosim", "numpy", "numba"))
            raise FileError(f"{path} must have the same synapses as this neurosim makes, but {different[0]} of "
                            f"projection {projection.name!r} differ; it was written with {versions}")


def _put_changes(sim, header, arrays):
    owners = {f"population/{p.name}": p for p in sim._layout.populations}
    owners |= {f"projection/{p.name}": p for p in sim._layout.projections}
    changes = {}
    for label, timed in header["changes"].items():
        owner, _, name = label.rpartition("/")
        value = arrays[f"changes/{label}"]
        if value.ndim == 0:
            value = None if np.isnan(value) else value.item()
        changes[owners[owner], name] = TimedArray(value, **timed) if timed else value
    if changes:
        sim._layout.change(changes)
        sim._instance.wire()


def _put_recordings(path, header, arrays, sim):
    saved = {json.dumps({name: entry[name] for name in ("what", "variable", "every", "ids")}): (number, entry)
             for number, entry in enumerate(header["recordings"])}
    for log in sim._recordings.logs:
        number, entry = saved.pop(json.dumps(_identity(log)), (None, None))
        if entry is None:
            continue
        log.begin, log.end = entry["begin"], entry["end"]
        if entry["file"] is not None:
            _go_on(path, entry, log, sim)
        log.add(arrays[f"recordings/{number}/ticks"], arrays[f"recordings/{number}/rows"])
    if saved:
        lost = ", ".join(f"{entry['variable']} of {entry['what']}" for _, entry in saved.values())
        warnings.warn(f"{path} holds recordings that the given network does not ask for, which are left out: {lost}",
                      NeurosimWarning, stacklevel=4)


def _go_on(path, entry, log, sim):
    """Let a recording that was streamed go on in its file."""
    if log.path is None:
        raise FileError(f"{path} has {log.name} in another file, {entry['file']}; describe that recorder with to=... "
                        "again")
    log.stream = Stream(log.path, log.of_spikes)
    log.stream.check(sim, log)
    log.stream.cut(sim.tick)


__all__ = ["load", "read_trace", "save", "write"]
