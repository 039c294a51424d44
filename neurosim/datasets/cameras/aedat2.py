"""AEDAT 2.0, as jAER writes it: 8 bytes a record, an address and a time in microseconds, both of 32 bits, big endian.

Source: iniVation, AEDAT 2.0, docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html, and for
what that page leaves open the extractors of jAER: x counts from the right, y from the bottom, and an event of a DVS128
is ON where its bit is 0. Here both addresses count from the top left. Frames, motion and external inputs are not read.
"""

import re

import numpy as np

from neurosim.datasets.cameras.base import Records, agreed_size, head_lines
from neurosim.errors import FileError

LENGTH = 8
ENDS = ("end of ascii header", "!end-header")
SENSORS = {"dvs128": (128, 128), "tmpdiff128": (128, 128), "davis128": (128, 128), "davis208": (208, 192),
           "davis240": (240, 180), "sbret10": (240, 180), "davis346": (346, 260), "davis640": (640, 480)}


class Aedat2(Records):
    """Decoder of AEDAT 2.0 files."""

    def __init__(self, path, head, size, unsorted):
        lines, at = head_lines(head, b"#", ENDS)
        chips = [line.partition(":")[2].strip().rpartition(".")[2] for line in lines if line.startswith("AEChip:")]
        stated = next((side for chip in chips for name, side in SENSORS.items() if chip.lower().startswith(name)), None)
        if stated is None and size is None:
            raise FileError(f"{path} must name its camera in a line '# AEChip: ...', it names "
                            f"{chips[0] if chips else 'none'}; give sensor_size=(128, 128, 2) for a DVS128, "
                            "(240, 180, 2) or (346, 260, 2) for a DAVIS")
        sides = stated or size[:2]
        super().__init__(path, agreed_size(path, stated, size), at, unsorted, LENGTH)
        self.width, self.height = sides
        self.davis = not (any(re.match("dvs128|tmpdiff128", chip.lower()) for chip in chips)
                          or (stated is None and sides == (128, 128)))

    def split(self, raw):
        """Return (t, x, y, p, which records are events)."""
        words = raw.view(">u4").astype(np.uint32)
        there = words[:, 0] & (0x80000400 if self.davis else 0x8000) == 0
        address, t = words[there, 0], words[there, 1].astype(np.int64)
        if self.davis:
            x, y, p = address >> 12 & 0x3FF, address >> 22 & 0x1FF, address >> 11 & 1 == 1
        else:
            x, y, p = address >> 1 & 0x7F, address >> 8 & 0x7F, address & 1 == 0
        return t, self.width - 1 - x.astype(np.int64), self.height - 1 - y.astype(np.int64), p, there
