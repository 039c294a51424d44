"""Values in files that several processes map into memory: arrays are there at once, and only one time.

A file holds a pickle whose arrays lie beside it (PEP 574), at multiples of 64 bytes. Arrays are read-only, and all
else that could be changed is made anew at each reading, so that nothing that one call does is seen by the next; a
simulation comes with its layout, which is not built again.
"""

import io
import mmap
import pickle
import struct
import sys
import zlib
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from neurosim.errors import FileError, ParameterError
from neurosim.files import first_line, reading, whole_file
from neurosim.spikes import Spikes

MAGIC = b"nsmap\0\0\1"
ALIGN = 64  #: bytes
_HEAD = struct.Struct("<8sIIQ")  # magic, checksum of what follows it before the arrays, arrays, bytes of the pickle


def dump(value: Any, path: Path) -> None:
    """Write a value, whole or not at all.

    Args:
        value: whatever can be sent to another process, as functions of a sweep are, or a simulation.
        path: of the file.

    Raises:
        ParameterError: it cannot be pickled.
        FileError: the file cannot be written.
    """
    arrays: list[memoryview] = []
    text = _pickled(value, lambda each: arrays.append(each.raw()))
    table, at = [], _aligned(_HEAD.size + 16 * len(arrays) + len(text))
    for array in arrays:
        table.append((at, array.nbytes))
        at = _aligned(at + array.nbytes)
    head = b"".join(struct.pack("<QQ", *each) for each in table) + text
    with whole_file(path) as file:
        file.write(_HEAD.pack(MAGIC, zlib.crc32(head), len(arrays), len(text)) + head)
        for (at, _), array in zip(table, arrays, strict=True):
            file.seek(at)
            file.write(array)
        file.truncate(_end(table, len(text)))


def load(path: Path, *, writable: bool = False) -> Any:
    """Return the value of a file.

    Args:
        path: of the file.
        writable: whether its arrays may be written to; the file, and what others read, stays as it is.

    Raises:
        FileError: the file is missing or damaged.
    """
    value = _CHANGES if writable else _constant(path)
    return _made(path, writable) if value is _CHANGES else _copied(value)


def _made(path, writable):
    text, arrays = _mapped(path)
    with reading(path, "a file of values of a sweep"):
        return pickle.loads(text, buffers=[each if writable else each.toreadonly() for each in arrays])


_CHANGES = object()  # stands for a value that has to be made anew, as a call could change it


@lru_cache(maxsize=16)
def _constant(path):
    """Return a value that no call can change but for its lists and dicts, such as recordings: they are many objects."""
    value = _made(path, False)
    return value if _is_constant(value) else _CHANGES


def _is_constant(value) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_constant, value))
    if type(value) is dict:
        return all(map(_is_constant, value)) and all(map(_is_constant, value.values()))
    if type(value) is np.ndarray:
        return value.dtype.kind != "O" and not value.flags.writeable
    return value is None or type(value) in (bool, int, float, complex, str, bytes, Spikes)


def _copied(value):
    """Return a value with lists and dicts of its own."""
    if type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    return {name: _copied(each) for name, each in value.items()} if type(value) is dict else value


def to_bytes(value: Any) -> bytes:
    """Return a value as bytes, which `pickle.loads` makes it of again.

    Raises:
        ParameterError: it cannot be pickled.
    """
    return _pickled(value, None)


def send_by_value(module: ModuleType) -> None:
    """Let functions and classes of a module travel as those of a script do: nobody else has to import it."""
    for name in ("cloudpickle", "joblib.externals.cloudpickle"):  # of Dask and joblib, and of old joblibs
        with suppress(ImportError):
            import_module(name).register_pickle_by_value(module)


def forget() -> None:
    """Let go of the files that this process has mapped."""
    _mapped.cache_clear()
    _constant.cache_clear()


@lru_cache(maxsize=16)  # a file is mapped once, and each map needs a handle; names of files stand for what is in them
def _mapped(path):
    what = "a file of values of a sweep"
    with reading(path, what), open(path, "rb") as file:
        # a copy on writing: loops that are compiled heed no flag, and what they wrote would stay in this process
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        magic, check, count, length = _HEAD.unpack_from(view)
        first = _HEAD.size + 16 * count
        table = list(struct.iter_unpack("<QQ", view[_HEAD.size:first])) if magic == MAGIC else []
        whole = magic == MAGIC and zlib.crc32(view[_HEAD.size:first + length]) == check
        if not whole or len(view) < _end(table, length):
            raise FileError(f"{path} is not {what} or is damaged; take it away, and it is made again")
        return view[first:first + length], [view[at:at + size] for at, size in table]


def _cloudpickle() -> Any:
    """Return what joblib sends functions and classes of scripts with: a package, or in older versions a part of it."""
    try:
        return import_module("cloudpickle")
    except ImportError:
        return import_module("joblib.externals.cloudpickle")


def _pickled(value, beside) -> bytes:
    cloudpickle = _cloudpickle()

    class Pickler(cloudpickle.Pickler):
        def reducer_override(self, obj):
            module = sys.modules.get("neurosim.simulation")
            if module is not None and isinstance(obj, module.Simulation):
                return module.put_together, module.taken_apart(obj)
            return super().reducer_override(obj)

    file = io.BytesIO()
    try:
        Pickler(file, protocol=5, buffer_callback=beside).dump(value)
    except (pickle.PicklingError, AttributeError, TypeError, RecursionError) as error:
        raise ParameterError(f"a value that calls share must be one that can be pickled, got {type(value).__name__}: "
                             f"{first_line(error)}") from error
    return file.getvalue()


def _aligned(size) -> int:
    return -(-size // ALIGN) * ALIGN


def _end(table, length) -> int:
    last = [at + size for at, size in table]
    return max([_HEAD.size + 16 * len(table) + length, *last])
