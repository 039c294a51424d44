"""Event Stream: a byte of time and polarity, then x and y, for each event; a byte of 255 adds 127 us, one of 254 none.

Source: Event Stream specification 2.0, github.com/neuromorphic-paris/event_stream, as the package event_stream 1.6
writes it: after the head of 15 bytes come the type (1 for a DVS) and, of 16 bits each, width and height. y counts from
the bottom of the sensor in the file, from the top here. Times are of any length.
"""

import numpy as np

from neurosim.datasets.cameras import loops
from neurosim.datasets.cameras.base import Decoder, agreed_size
from neurosim.datasets.events import EVENT
from neurosim.errors import FileError

MAGIC = b"Event Stream"
START = 20
KINDS = {0: "generic", 2: "ATIS", 3: "display", 4: "colour", 5: "liquid"}


class EventStream(Decoder):
    """Decoder of Event Stream files."""

    def __init__(self, path, head, size, _unsorted):
        if head[:12] != MAGIC or len(head) < START:
            raise FileError(f"{path} is not an Event Stream file: it must begin with {MAGIC.decode()!r} and have a "
                            f"head of {START} bytes, it begins with {head[:12]!r}")
        if head[12] != 2:
            raise FileError(f"{path} must be of version 2 of Event Stream, it is of version "
                            f"{'.'.join(map(str, head[12:15]))}")
        if head[15] != 1:
            raise FileError(f"{path} must hold events of a DVS (type 1), it holds {KINDS.get(head[15], 'unknown')} "
                            f"events (type {head[15]})")
        stated = int.from_bytes(head[16:18], "little"), int.from_bytes(head[18:20], "little")
        super().__init__(path, agreed_size(path, stated, size), START)
        self.state, self.height, self.sides = np.zeros(loops.STATES, dtype=np.int64), stated[1], self.size[:2]

    def feed(self, raw, at) -> tuple:
        """Return (events, bytes that were used)."""
        events = np.empty(len(raw) // 5, dtype=EVENT)
        used, many = loops.compiled(loops.es)(raw, self.state, events, *self.sides, self.height)
        loops.check(self, at, 1)
        return events[:many], used
