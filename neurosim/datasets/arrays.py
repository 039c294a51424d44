"""Events in .npy and .npz files: columns by name, one structured array, or an array of shape (events, columns)."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.datasets.columns import Table, field_of, ordered
from neurosim.datasets.files import Zip
from neurosim.datasets.header import checked_head
from neurosim.errors import FileError
from neurosim.files import whole_file

LABELS = ("sensor_size", "header")  #: what `write_npz` puts beside the events


def read_npy(path, order, many=None) -> Table:
    """Return the columns of a .npy file; where events are read in pieces it is mapped, not loaded."""
    raw = Path(path).read_bytes() if many is None or not Path(path).stat().st_size else np.memmap(path, mode="r")
    return Table(columns_of(path, _parse(path, raw), order))


def read_npz(path, order, _many=None) -> Table:
    """Return the columns of a .npz file. What is neither a column nor events is not looked at."""
    archive = Zip(path)
    raw = {member.name.removesuffix(".npy"): data
           for member, data in zip(archive.members, archive.read(archive.members), strict=True)}
    size, check = None, None
    if "sensor_size" in raw:
        size = tuple(int(n) for n in _member(path, raw, "sensor_size").ravel())
    if "header" in raw:
        check = checked_head(path, json.loads(str(_member(path, raw, "header"))))[1]
    others = [name for name in raw if name not in LABELS]
    columns = {name: _member(path, raw, name) for name in others if field_of(name)[0]}
    if columns:
        if order is not None:
            raise FileError(f"{path} names its columns {', '.join(columns)}; leave out columns={order!r}")
        return Table(columns, size, check)
    name = _only(path, raw, others)
    return Table(columns_of(f"{path}: {name}.npy", _member(path, raw, name), order), size, check)


def _member(path, raw, name) -> np.ndarray:
    return _parse(f"{path}: {name}.npy", raw[name])


def _only(path, raw, others) -> str:
    """The one member that may hold events."""
    if "events" in others or len(others) == 1:
        return "events" if "events" in others else others[0]
    fit = [name for name in others if b"'descr': [" in bytes(raw[name][:256])]  # the head of a structured array
    if len(fit) == 1:
        return fit[0]
    raise FileError(f"{path} must have the columns t and x, an array 'events' or one structured array, it has "
                    f"{', '.join(map(repr, raw)) or 'nothing'}")


def columns_of(what, array, order) -> dict:
    """Return the columns of a structured array by its names, or of a 2-D array by an order that was asked for."""
    if array.dtype.names is None and array.ndim == 2:
        return ordered(what, array, order)
    if array.dtype.names is None or array.size != max(array.shape, default=0):
        raise FileError(f"{what} must be a structured array in 1 dimension, it is {describe_value(array)} "
                        f"and type {array.dtype}")
    if order is not None:
        raise FileError(f"{what} names its columns {', '.join(array.dtype.names)}; leave out columns={order!r}")
    return {field: array.reshape(-1)[field] for field in array.dtype.names}


def _parse(name, raw) -> np.ndarray:
    """The array of the bytes of a .npy file, which must be as long as its header says."""
    file = io.BytesIO(bytes(raw[:2**16]))
    version = np.lib.format.read_magic(file)
    head = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if head is None:
        raise FileError(f"{name} must be of version 1.0 or 2.0 of the format, it is of {version}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a damaged header may name a type that numpy is about to drop
        shape, fortran, dtype = head(file)
    if dtype.hasobject:
        raise FileError(f"{name} must hold numbers, it holds Python objects")
    due = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if min(shape, default=0) < 0 or due != len(raw) - file.tell():
        raise FileError(f"{name} must have {due} bytes after its header (byte {file.tell()}), "
                        f"it has {len(raw) - file.tell()}")
    return np.frombuffer(raw, dtype=dtype, offset=file.tell()).reshape(shape, order="F" if fortran else "C")


def write_npy(path, events, _head):
    """Write a .npy file."""
    with whole_file(path) as file:
        np.lib.format.write_array(file, events, allow_pickle=False)


def write_npz(path, events, head):
    """Write a .npz file."""
    held: dict[str, Any] = {"events": events, "header": np.array(json.dumps(head))}
    if "sensor_size" in head:
        held["sensor_size"] = np.array(head["sensor_size"])
    with whole_file(path) as file:
        np.savez_compressed(file, **held)
