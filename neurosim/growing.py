"""HDF5 files that grow in pieces: whatever happens to the last piece, those before it stay.

A change is made in memory first (`files.Pages`). Then what is new is written behind the end of the file, with a copy of
the pages that will change and a footer. Only then these pages are overwritten where they lie, which needs no room, and
what lies behind the new end is cut off. A file that still ends in a footer was left in the middle of that: it is read
with the old pages in the place of the new ones.

A table is a group of datasets, its columns, with as many rows each. It is digested by blocks of rows, so that a piece
costs what it holds and not what the file holds: `blocks` has the SHA-256 of each block, and the attribute `digest` that
of these and of everything else in the group.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from neurosim.errors import FileError
from neurosim.files import PAGE, Pages, h5py, reading, write_at, writing

WHAT = "a recording"
BLOCK_BYTES = 1 << 18  #: of a block of rows, about
CHUNK_BYTES = 1 << 16  #: of a chunk of a column, about
_FOOTER = struct.Struct("<16sQQI")  # magic, length of the file before, pages that are kept, their checksum
_MAGIC = b"neurosim undo 1\n"
_ENTRY = 8 + PAGE


# ---- files ----------------------------------------------------------------------------------------


@contextmanager
def looking(path, what: str = WHAT) -> Iterator[Any]:
    """Give an HDF5 file as the last whole change left it, to read.

    Args:
        path: the file.
        what: what it must be, for messages.

    Raises:
        FileError: it is missing or damaged.
    """
    library = h5py()
    with reading(path, what), open(path, "rb", buffering=0) as raw:
        pages, before = Pages(raw), _before(raw)
        if before is not None:
            pages.size, pages.pages = before
        with library.File(pages, "r") as file:
            yield file


@contextmanager
def changing(path) -> Iterator[Any]:
    """Give an HDF5 file to change; the change is made at the end as a whole, or not at all.

    Raises:
        FileError: it is missing or damaged, or cannot be written.
    """
    library = h5py()
    with reading(path, WHAT), open(path, "r+b", buffering=0) as raw:
        _undo(raw)
        pages = Pages(raw)
        with library.File(pages, "r+") as file:
            yield file
        with writing(path):
            _commit(raw, pages)


def _commit(raw, pages):
    size = raw.seek(0, os.SEEK_END)
    new = [number for number in sorted(pages.pages) if (number + 1) * PAGE > size and number * PAGE < pages.size]
    old = {number: pages.below(number) for number in sorted(pages.pages) if number * PAGE < size}
    old = {number: kept for number, kept in old.items() if kept != pages.pages[number]}
    end = -(-max(size, pages.size) // PAGE) * PAGE
    entries = b"".join(struct.pack("<Q", number) + kept for number, kept in old.items())
    try:
        with open(raw.name, "r+b", buffering=0) as behind:  # some file systems tell only at its end that a disk is full
            for number in new:
                skip = max(0, size - number * PAGE)
                write_at(behind, pages.pages[number][skip:], number * PAGE + skip)
            write_at(behind, entries + _FOOTER.pack(_MAGIC, size, len(old), zlib.crc32(entries)), end)
    except OSError:
        raw.truncate(size)
        raise
    try:
        for number in old:
            write_at(raw, pages.pages[number], number * PAGE)
        raw.truncate(pages.size)
    except OSError:
        _undo(raw)
        raise


def _before(raw):
    """The length and the changed pages of a file before a change in whose middle it was left; None for a whole file."""
    size = raw.seek(0, os.SEEK_END)
    raw.seek(max(0, size - _FOOTER.size))
    footer = raw.read(_FOOTER.size)
    if not footer.startswith(_MAGIC):
        return None
    _, length, count, check = _FOOTER.unpack(footer)
    raw.seek(max(0, size - _FOOTER.size - count * _ENTRY))
    entries = raw.read(count * _ENTRY)
    if zlib.crc32(entries) != check:
        return None
    pieces = [entries[at:at + _ENTRY] for at in range(0, len(entries), _ENTRY)]
    return length, {struct.unpack_from("<Q", piece)[0]: bytearray(piece[8:]) for piece in pieces}


def _undo(raw):
    """Take back a change in whose middle a file was left."""
    before = _before(raw)
    if before is not None:
        length, pages = before
        for number, kept in pages.items():
            write_at(raw, kept, number * PAGE)
        raw.truncate(length)


# ---- tables ---------------------------------------------------------------------------------------


def append_rows(group, columns: dict, **attributes) -> None:
    """Add rows to a table and set some of its attributes.

    Args:
        group: the table; a new one is an empty group.
        columns: name -> array of the new rows; the rows of all have the same length.
        attributes: numbers.
    """
    rows = int(group.attrs.get("rows", 0))
    added = len(next(iter(columns.values())))
    for name, array in columns.items():
        if name not in group:
            if not added:
                continue
            shape, entries = array.shape[1:], max(1, CHUNK_BYTES // max(1, array[:1].nbytes))
            group.create_dataset(name, shape=(0, *shape), maxshape=(None, *(n or None for n in shape)),
                                 chunks=(entries, *(max(1, n) for n in shape)), dtype=array.dtype)
        group[name].resize(rows + added, axis=0)
        if added:
            group[name][rows:] = array
    _seal(group, list(columns), rows, rows + added, attributes)


def keep_rows(group, columns: tuple, rows: int, **attributes) -> None:
    """Shorten a table to its first rows."""
    if rows < int(group.attrs["rows"]):
        for name in columns:
            group[name].resize(rows, axis=0)
    _seal(group, list(columns), rows, rows, attributes)


def read_rows(path, group, columns: tuple) -> list | None:
    """Return the columns of a table, None where it has no rows; raise FileError unless all is as it was written."""
    rows = int(group.attrs["rows"])
    found = [group[name] for name in columns] if rows else []
    if any(column.shape[0] != rows for column in found):
        raise FileError(f"{path} is damaged: its columns must have {rows} rows")
    arrays = [column[()] for column in found]
    per_block = int(group.attrs["rows_per_block"]) if rows else 1
    digests = [_digest(arrays, first, first + per_block) for first in range(0, rows, per_block)]
    if _whole(group, columns, digests) != bytes(group.attrs["digest"]).decode():
        raise FileError(f"{path} is damaged or was edited: its contents do not match their digest")
    return arrays or None


def _seal(group, columns, changed, rows, attributes):
    """Set the attributes and digests, of which the rows from `changed` on are new."""
    for name, value in {"rows": rows, **attributes}.items():
        group.attrs.modify(name, value)
    if rows and "blocks" not in group:
        width = sum(group[name].dtype.itemsize * int(np.prod(group[name].shape[1:])) for name in columns)
        group.attrs["rows_per_block"] = max(1, BLOCK_BYTES // max(1, width))
        group.create_dataset("blocks", shape=(0, 32), maxshape=(None, 32), dtype=np.uint8, chunks=(256, 32))
    digests = []
    if "blocks" in group:
        per_block, blocks = int(group.attrs["rows_per_block"]), group["blocks"]
        first = changed // per_block
        data = [group[name] for name in columns]
        fresh = [_digest(data, at, min(at + per_block, rows)) for at in range(first * per_block, rows, per_block)]
        blocks.resize(first + len(fresh), axis=0)
        if fresh:
            blocks[first:] = np.frombuffer(b"".join(fresh), dtype=np.uint8).reshape(-1, 32)
        digests = [blocks[()].tobytes()]
    group.attrs.modify("digest", np.bytes_(_whole(group, columns, digests)))


def _digest(columns, first, last) -> bytes:
    digest = hashlib.sha256()
    for column in columns:
        digest.update(np.ascontiguousarray(column[first:last]).tobytes())
    return digest.digest()


def _whole(group, columns, digests) -> str:
    """The SHA-256 of the digests of the blocks and of everything else in the group."""
    return hashlib.sha256(_text(group, {*columns, "blocks"}).encode() + b"".join(digests)).hexdigest()


def _text(group, left_out: Collection[str] = frozenset()) -> str:
    attributes = {name: _plain(value) for name, value in group.attrs.items() if name != "digest"}
    parts = {name: part for name, part in group.items() if name not in left_out}
    inside = {name: hashlib.sha256(part[()].tobytes()).hexdigest() if isinstance(part, h5py().Dataset) else _text(part)
              for name, part in parts.items()}
    return json.dumps([attributes, inside], sort_keys=True)


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


__all__ = ["append_rows", "changing", "keep_rows", "looking", "read_rows"]
