"""Lists of different length in an HDF5 file, read from their place on disk.

The HDF5 library asks for memory by the length that a damaged file states, and can run forever in a damaged heap; here
every number is compared with what the file holds before it is used. Only where the references to the lists are
compressed does the library read them. Source: HDF5 file format specification 3.0,
section III.E (global heap); a list is its length, the address of a heap and the index of an object there.
"""

import os
import struct
from typing import Any

import numpy as np

from neurosim.errors import FileError
from neurosim.files import h5py

REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
OBJECT = struct.Struct("<HHIQ")  # index, references, reserved, size; bytes padded to a multiple of 8 follow
HEAD = 16


class Lists:
    """The lists of a dataset; `read` gives some of them.

    Args:
        path: name of the file, which `file` reads.
        found: the h5py dataset, of 1 dimension and of lists.
        base: numpy type of the entries.
    """

    def __init__(self, path, file, found, base):
        self.path, self.name, self.base, self.many = path, found.name.strip("/"), base, len(found)
        self.references = None
        if found.file.id.get_create_plist().get_sizes() == (8, 8):
            self.shift = found.file.userblock_size
            self.references = self._references(file, found)

    def _references(self, file, found):
        """Length, address and index of each list; None for a layout that only the HDF5 library can read."""
        plist, n = found.id.get_create_plist(), len(found)
        references = np.zeros(n, dtype=REFERENCE)
        if plist.get_nfilters() or (found.chunks is None and found.id.get_offset() is None):
            return references if n == 0 else None
        if found.chunks is None:
            places = [(0, found.id.get_offset(), n)]
        else:
            infos = [found.id.get_chunk_info(index) for index in range(found.id.get_num_chunks())]
            places = [(info.chunk_offset[0], info.byte_offset, info.size // REFERENCE.itemsize) for info in infos]
        for first, start, many in places:
            many = max(0, min(many, n - first))
            file.seek(start)
            raw = file.read(many * REFERENCE.itemsize)
            if len(raw) != many * REFERENCE.itemsize:
                raise FileError(f"{self.path} is cut short: '{self.name}' must have {many} entries from byte {start}")
            references[first:first + many] = np.frombuffer(raw, dtype=REFERENCE)
        return references

    def read(self, file, rows) -> list:
        """Return the lists of some rows as arrays; raise FileError that names the first damaged one."""
        if self.references is None:
            with h5py().File(file, "r") as opened:
                lists: Any = opened[self.name]  # a dataset, as `found` was
                return [lists[row] for row in rows]
        heaps = {}
        return [self._one(file, row, self.references, heaps) for row in rows]

    def _one(self, file, row, references, heaps):
        length, address, index = references[row].tolist()
        if length == 0:
            return np.zeros(0, dtype=self.base)
        if address not in heaps:
            heaps[address] = self._heap(file, row, address + self.shift)
        data, objects = heaps[address]
        if index not in objects or objects[index][1] != length * self.base.itemsize:
            is_there = f"{objects[index][1]} bytes" if index in objects else "nothing"
            self._refuse(row, address + self.shift, f"{length} entries of {self.base.itemsize} bytes must be there as "
                         f"object {index}, there is {is_there}")
        return np.frombuffer(data, dtype=self.base, count=length, offset=objects[index][0])

    def _heap(self, file, row, address) -> tuple:
        """The bytes of a heap and the place and size of each object in it."""
        end = os.fstat(file.fileno()).st_size
        file.seek(min(address, end))
        head = file.read(HEAD)
        size = int.from_bytes(head[8:], "little")
        if len(head) != HEAD or head[:5] != b"GCOL\1" or not HEAD <= size <= end - address:
            self._refuse(row, address, "a heap must be there, it is not or is cut short")
        data, objects, at = file.read(size - HEAD), {}, 0
        while at + HEAD <= len(data):
            index, _, _, length = OBJECT.unpack_from(data, at)
            if index == 0:  # the rest is free
                break
            if length > len(data) - at - HEAD or index in objects:
                self._refuse(row, address + HEAD + at, f"object {index} of a heap must fit and be there once")
            objects[index] = at + HEAD, length
            at += HEAD + (length + 7) // 8 * 8
        return data, objects

    def _refuse(self, row, address, what):
        raise FileError(f"{self.path}: '{self.name}' of record {row} (byte {address}) is damaged: {what}")
