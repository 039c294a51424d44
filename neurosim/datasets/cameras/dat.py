"""Prophesee DAT: 8 bytes an event, a time of 32 bits in microseconds and a word of address and polarity.

Source: Prophesee, DAT file format, docs.prophesee.ai/stable/data/file_formats/dat.html. Version 2 has x in bits 0 ..
13, y in 14 .. 27 and polarity in 28 .. 31; version 1 has x in 0 .. 8, y in 9 .. 16 and polarity in bit 17. Two bytes
between the head and the events say their type (0 or 12) and length (8). The counter of 32 bits begins again after 71.6
minutes.
"""

import numpy as np

from neurosim.datasets.cameras.base import Records, agreed_size
from neurosim.datasets.cameras.prophesee import first_time, read_head, sensor_of
from neurosim.errors import FileError

TYPES = (0, 12)
LENGTH = 8
LAYOUTS = {1: (0x1FF, 9, 0xFF, 17), 2: (0x3FFF, 14, 0x3FFF, 28)}  #: mask of x, shift of y, mask of y, shift of p


class Dat(Records):
    """Decoder of DAT files."""

    def __init__(self, path, head, size, unsorted):
        said, at = read_head(head)
        if len(head) < at + 2:
            raise FileError(f"{path} is cut short: after its head, at byte {at}, must come the type and length of "
                            "events")
        kind, length = head[at], head[at + 1]
        if kind not in TYPES or length != LENGTH:
            raise FileError(f"{path} must hold events of type 0 or 12 of 8 bytes, byte {at} and the next say type "
                            f"{kind} of {length} bytes")
        version = said.get("version", "2")
        if version not in ("1", "2"):
            raise FileError(f"{path} must be of version 1 or 2 of the DAT format, it is of version {version!r}")
        super().__init__(path, agreed_size(path, sensor_of(said), size), at + 2, unsorted, LENGTH)
        self.layout, self.shift = LAYOUTS[int(version)], first_time(said)

    def split(self, raw):
        """Return (t, x, y, p, None)."""
        words = raw.view("<u4")
        mask_x, shift_y, mask_y, shift_p = self.layout
        address = words[:, 1]
        return (words[:, 0].astype(np.int64), address & mask_x, address >> shift_y & mask_y, address >> shift_p & 1 > 0,
                None)
