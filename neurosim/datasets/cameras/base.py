"""What the decoders of camera files share: the head, and how events of one block are checked and packed."""

import re
from typing import NoReturn

import numpy as np

from neurosim.datasets.events import EVENT, pack
from neurosim.datasets.files import first_of
from neurosim.datasets.order import Order
from neurosim.errors import FileError

MOST_LINE = 8192  #: bytes of a line of a head; what is longer is no text


class Decoder:
    """Turns the bytes of a recording into events, block by block.

    Args:
        path: name of the file, for messages.
        size: (width, height, polarities) that the events must fit, or None.
        start: byte at which the records begin.

    Attributes:
        early: number of events that came before the first word of time.
        back: whether events must be sorted at the end.
    """

    early = 0
    back = False

    def __init__(self, path, size, start):
        self.path, self.size, self.start = path, size, start

    def feed(self, raw, at) -> tuple:
        """Return (events, bytes that were used) of some bytes, the first of which is byte `at` of the file."""
        raise NotImplementedError

    def refuse(self, byte, record, what) -> NoReturn:
        """Raise FileError that names file, record and byte; None where another package unpacked the bytes."""
        place = f"event {record}" if byte is None else f"record {record} (byte {byte})"
        raise FileError(f"{self.path}, {place}: {what}")


class Records(Decoder):
    """Decoder of records of one length, each an event or something else, with times of one counter.

    Args:
        path, size, start: as for `Decoder`.
        unsorted: "refuse" or "sort".
        length: bytes of a record.
        counter: bits of the counter.
    """

    def __init__(self, path, size, start, unsorted, length, counter=32):
        super().__init__(path, size, start)
        self.length, self.records, self.events, self.shift = length, 0, 0, 0
        self.order = Order(unsorted, self._where, counter=counter)
        self._place: tuple[int, np.ndarray | None, int] = (0, None, 0)  # byte, events among records, events before

    def split(self, raw) -> tuple:
        """Return (t, x, y, p, which of the records are events) of whole records; t in int64."""
        raise NotImplementedError

    def feed(self, raw, at) -> tuple:
        """Return (events, bytes that were used)."""
        many = len(raw) // self.length
        t, x, y, p, there = self.split(raw[:many * self.length].reshape(many, self.length))
        self._place = (at, there, self.order.seen)
        t = self.order.follow(t) + self.shift
        self.back = self.order.back
        check_addresses(self, x, y, lambda event: self._byte(event)[::-1])
        self.records += many
        return pack(EVENT, t=t, x=x, y=y, p=p), many * self.length

    def _byte(self, event) -> tuple:
        at, there, _ = self._place
        record = event if there is None else int(np.flatnonzero(there)[event])
        return self.records + record, at + record * self.length

    def _where(self, event) -> str:
        record, byte = self._byte(event - self._place[2])
        return f"{self.path}, record {record} (byte {byte})"


def check_addresses(decoder, x, y, place):
    """Raise FileError where an address lies off the sensor; `place` gives (byte, record) of an event."""
    if decoder.size is None:
        return
    for name, column, side in (("x", x, decoder.size[0]), ("y", y, decoder.size[1])):
        if len(column) and (column.max() >= side or column.min() < 0):
            bad = first_of((column >= side) | (column < 0))
            decoder.refuse(*place(bad), f"{name} must be in 0 .. {side - 1}, it is {column[bad]}")


# ---- heads ----------------------------------------------------------------------------------------------------------


def head_lines(head, mark, end) -> tuple:
    """Return (lines of text, byte after them) of a head whose lines begin with a mark, up to one that is its end."""
    lines, at = [], 0
    while head[at:at + 1] == mark:
        stop = head.find(b"\n", at)
        line = head[at:stop]
        if stop < 0 or stop - at > MOST_LINE or re.search(rb"[^\t\r -~\x80-\xff]", line):
            break  # the first bytes of the records
        lines.append(line.decode("latin-1").strip("%# \r\t"))
        at = stop + 1
        if lines[-1].lower() in end:
            break
    return lines, at


def agreed_size(path, stated, asked):
    """Return the size of the sensor that the file states or the caller asked for; raise FileError if they differ."""
    if stated is not None and (min(stated) < 1 or max(stated) > 2**15):
        raise FileError(f"{path} must state a sensor of 1 .. 32768 pixels a side, it states {stated[0]} x {stated[1]}")
    if asked is not None:
        return asked
    return None if stated is None else (*stated, 2)
