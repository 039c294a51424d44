"""Reading and writing whole files and members of zip files, with one form of error."""

import io
import math
import os
import re
import sys
import zipfile
import zlib
from contextlib import suppress
from importlib import import_module
from typing import NamedTuple

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import FileError, ParameterError
from neurosim.files import first_line, h5py, reading

GZIP, ZIP = b"\x1f\x8b", b"PK\3\4"  #: how these files begin
MOST_PACKED = 1000  #: times by which what a file holds may be longer than the file


def refuse_packed(path, raw, what):
    """Raise FileError where the first bytes are those of a gzip or zip file of what is wanted."""
    for name, begins, tool in (("gzip", GZIP, "gunzip"), ("zip", ZIP, "unzip")):
        if raw[:len(begins)] == begins:
            held = ""
            if name == "zip":
                with suppress(FileError):
                    held = ", it holds " + ", ".join(member.name for member in Zip(path).members[:4])
            raise FileError(f"{path} is not {what} but a {name} file{held}; unpack it first ({tool})")


def check_dataset(path, name, found, lists=False, ndim=1):
    """Return a dataset of an HDF5 file if it has few dimensions and may be what the file holds; raise FileError.

    Lists, text of any length included, are for `lists.Lists` to read and are refused unless they are asked for.
    """
    if not isinstance(found, h5py().Dataset) or found.ndim != ndim:
        raise FileError(f"{path}: '{name}' must be a dataset of {ndim} dimension{'s' if ndim > 1 else ''}")
    filters = found.id.get_create_plist()
    for place in range(filters.get_nfilters()):
        number, _, _, title = filters.get_filter(place)
        if not _has_filter(number):
            raise FileError(f"{path}: '{name}' is packed by the HDF5 filter {number} "
                            f"({title.decode(errors='replace') or 'no name'}), which is not installed; install "
                            "hdf5plugin, or unpack the file where the filter is (h5repack -f NONE)")
    if found.dtype.hasobject and not lists:
        raise FileError(f"{path}: '{name}' must be numbers, it is of type {found.dtype}")
    _check_layout(path, name, found)
    stored, size = found.id.get_storage_size(), os.path.getsize(path)
    chunk = math.prod(found.chunks or (0,)) * found.dtype.itemsize
    if (found.size and not stored) or stored > size or max(found.nbytes, chunk) > max(2**20, MOST_PACKED * size):
        raise FileError(f"{path}: '{name}' must hold {found.size} entries, {stored} bytes of it are stored in a "
                        f"file of {size}")
    return found


def _has_filter(number) -> bool:
    """Whether a filter is in the HDF5 library, or in the package hdf5plugin, which brings it there when imported."""
    if not h5py().h5z.filter_avail(number):
        with suppress(ImportError):
            import_module("hdf5plugin")
    return h5py().h5z.filter_avail(number)


def _check_layout(path, name, found):
    """Raise FileError where a dataset holds more or less than its shape says, as one does whose shape is damaged."""
    if found.chunks is None:
        due = found.size * found.id.get_type().get_size()
        if found.id.get_storage_size() != due and not found.dtype.hasobject:  # lists are compared when they are read
            raise FileError(f"{path}: '{name}' must have {due} bytes for {found.size} entries, it has "
                            f"{found.id.get_storage_size()}")
        return
    due = math.prod(-(-side // chunk) for side, chunk in zip(found.shape, found.chunks, strict=True))
    if found.id.get_num_chunks() != due:
        raise FileError(f"{path}: '{name}' must have {due} chunks for {found.size} entries, it has "
                        f"{found.id.get_num_chunks()}")


def gunzip(path, raw, limit, *, beginning=False) -> bytes:
    """Return what a gzip file holds, up to a limit of bytes; below it, check length and checksum too.

    Where only the `beginning` is wanted, the bytes may end before the file does.
    """
    rest, parts, length = raw, [], 0
    while True:  # a file may hold several streams, one behind the other
        unpack = zlib.decompressobj(wbits=31)
        try:
            parts.append(unpack.decompress(rest, min(limit - length, sys.maxsize)))
        except zlib.error as error:
            raise FileError(f"{path} is damaged: its gzip stream does not unpack ({first_line(error)})") from None
        length += len(parts[-1])
        if beginning or length >= limit:
            return b"".join(parts)
        if not unpack.eof:
            raise FileError(f"{path} is cut short: its gzip stream does not end within {len(raw)} bytes")
        rest = unpack.unused_data
        if rest[:2] != GZIP:
            break
    if rest.strip(b"\0"):
        raise FileError(f"{path} is damaged: {len(rest)} bytes follow its gzip stream, from byte "
                        f"{len(raw) - len(rest)}")
    return b"".join(parts)


class Member(NamedTuple):
    """Where a member of a zip file lies, how it was packed, and what it must be when unpacked."""

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    method: int


class Part(io.RawIOBase):
    """Some bytes of an open file, read as a file of their own; closing it closes the file."""

    def __init__(self, file, first, length):
        self.file, self.first, self.length, self.at = file, first, length, 0

    def seekable(self):
        """Return True."""
        return True

    def readable(self):
        """Return True."""
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        """Move to a byte; return it."""
        self.at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: self.length}[whence])
        return self.at

    def tell(self):
        """Return the byte that is read next."""
        return self.at

    def read(self, size=-1):
        """Return bytes up to the end of the part."""
        left = max(0, self.length - self.at)
        self.file.seek(self.first + self.at)
        data = self.file.read(left if size is None or size < 0 else min(size, left))
        self.at += len(data)
        return data

    def close(self):
        """Close the file."""
        self.file.close()
        super().close()


class Zip:
    """The members of a zip file; unpacking checks length and checksum of each.

    Args:
        path: the zip file.
        within: (first byte, bytes) where it lies in that file, for a zip file that is stored in another.

    Raises:
        FileError: it is missing, no zip file, cut short or inconsistent.
    """

    def __init__(self, path, within=None):
        self.path, self.within = path, within
        with reading(path, "a zip file"), self._open() as file:
            with zipfile.ZipFile(file) as archive:
                self._check_count(file, len(archive.infolist()))
                self.members = [self._member(file, info) for info in archive.infolist() if not info.is_dir()]

    def _open(self):
        file = open(self.path, "rb")
        return file if self.within is None else Part(file, *self.within)

    def inside(self, member) -> "Zip":
        """Return the zip file that is a member of this one; raise FileError where it is packed once more."""
        if member.method != zipfile.ZIP_STORED:
            raise FileError(f"{self.path} holds {member.name} packed; unpack {self.path} first and give the folder")
        return Zip(self.path, (member.offset + (self.within or (0,))[0], member.packed))

    def _check_count(self, file, found):
        """The directory's own count of members, which `zipfile` does not compare."""
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 65557))
        tail = file.read()
        at = tail.rfind(b"PK\5\6")
        stated = int.from_bytes(tail[at + 10:at + 12], "little")
        if at >= 0 and stated not in (found, 0xFFFF):
            raise FileError(f"{self.path} is damaged: its directory must list {stated} members, it lists {found}")

    def _member(self, file, info) -> Member:
        """A member whose name is the same in the directory and where it lies."""
        name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
        file.seek(info.header_offset)
        head = file.read(30 + len(name))
        if head[:4] != b"PK\3\4" or head[26:28] != len(name).to_bytes(2, "little") or head[30:] != name:
            raise FileError(f"{self.path} is damaged: its directory names {info.orig_filename!r} at byte "
                            f"{info.header_offset}, which is not there")
        if info.flag_bits & 1:
            raise FileError(f"{self.path}: {info.filename} must not be encrypted; unpack the file first")
        start = info.header_offset + 30 + len(name) + int.from_bytes(head[28:30], "little")
        return Member(info.filename, start, info.compress_size, info.file_size, info.CRC, info.compress_type)

    def read(self, members) -> list:
        """Return the unpacked bytes of some members; raise FileError where one is not what the directory says."""
        with reading(self.path, "a zip file"), self._open() as file:
            length = file.seek(0, os.SEEK_END)
            return [self._unpack(file, member, length) for member in members]

    def _unpack(self, file, member, length) -> bytes:
        where = f"{self.path}: {member.name}"
        file.seek(member.offset)
        data = file.read(member.packed) if member.packed <= length else b""
        if len(data) != member.packed:
            raise FileError(f"{where} is cut short: it must have {member.packed} packed bytes from byte "
                            f"{member.offset} of the zip file on")
        if member.method == zipfile.ZIP_DEFLATED:
            unpack = zlib.decompressobj(wbits=-15)
            try:
                data = unpack.decompress(data, member.size + 1)
            except zlib.error as error:
                raise FileError(f"{where} is damaged: it does not unpack ({first_line(error)}); it begins at byte "
                                f"{member.offset} of the zip file") from None
        elif member.method != zipfile.ZIP_STORED:
            raise FileError(f"{where} must be stored or deflated, it is packed by method {member.method}; unpack the "
                            "zip file and give the folder")
        if len(data) != member.size:
            raise FileError(f"{where} is damaged: it must have {member.size} bytes, it has {len(data)}")
        if zlib.crc32(data) != member.crc:
            raise FileError(f"{where} is damaged: its checksum must be {member.crc:08x}, it is {zlib.crc32(data):08x}")
        return data


def recording_name(name, splits) -> tuple | None:
    """Return (split, what follows) of `.../Train/5/00001.bin`, or None for what is no recording."""
    if not name.lower().endswith(".bin") or name.rsplit("/", 1)[-1].startswith("._"):
        return None
    found = re.fullmatch(rf"(?:.*/)?({'|'.join(splits)})/(.+)", name)
    return found and found.groups()


def check_choice(what, value, choices):
    """Raise ParameterError for what is none of the choices."""
    if not any(value is choice or (isinstance(choice, str) and value == choice) for choice in choices):
        raise ParameterError(f"{what} must be {' or '.join(map(repr, choices))}, got {describe_value(value)}")


def first_of(bad) -> int:
    """Return the first index at which something is bad."""
    return int(np.argmax(bad))
