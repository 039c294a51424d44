"""Lists of the spikes of the last ticks, from which deliveries and recorders read.

The lists of one tick after the other lie one behind the other in one array, which is begun anew when its end
is reached. Before some ticks are run it is known to have room for all that they can bring, so that nothing is checked
while they run and nothing is lost; and only where spikes were written is memory ever touched.
"""

import textwrap
from functools import cache

import numpy as np

from neurosim.engine import loader
from neurosim.engine.kernel import INT, Array

#: Arguments of a kernel that emits spikes of neurons numbered from `first`.
EMIT = {"slots": INT, "stride": INT, "capacity": INT, "first": INT, "room": INT, "ids": Array(np.uint32, "room"),
        "marks": Array(np.int64, "slots * stride")}

#: Text of a kernel: `here` becomes the room for the spikes of this tick, behind those of the last one.
OPEN = """\
slot = (tick - 1) % slots * stride
begin = marks[slot] + marks[slot + 1]
if begin + capacity > room:
    begin = 0
here = ids[begin:begin + capacity]
found = 0
"""

#: Text of a kernel: `found` spikes were written to `here`.
CLOSE = """\
slot = tick % slots * stride
marks[slot] = begin
marks[slot + 1] = found
"""


def emitting(text: str, indent: str = "") -> str:
    """Return the text of a kernel between the opening and the closing of its list."""
    return textwrap.indent(OPEN + textwrap.dedent(text) + CLOSE, indent)


_GATHER = '''
def main(ids, begin, count, after, last, ticks, found):
    at = 0
    for tick in range(after + 1, last + 1):
        slot = tick % count.size
        for k in range(begin[slot], begin[slot] + count[slot]):
            ticks[at] = tick
            found[at] = ids[k]
            at += 1
'''


@cache
def _gather():
    return loader.load_function("gather", _GATHER, {})


class Slots:
    """One list of spikes for each of the last `length` ticks, that of tick t in slot t % length.

    Args:
        length: how many ticks.
        capacity: how many spikes a tick may have.
        room: how many spikes all lists together may have; by default as many as they can.
        table: where it is kept at which place of `ids` the list of a slot begins, and how long it is: two columns
            of an array with a row for each slot. The lists of one thread have theirs side by side, so that
            another thread fetches them all with one cache line.
        column: the first of the two.
    """

    def __init__(self, length: int, capacity: int, table: np.ndarray | None = None, column: int = 0,
                 room: int | None = None):
        self.length, self.capacity, self.column = length, max(1, capacity), column
        self.most = (length + 1) * self.capacity  # one list more than is asked for: one may not fit at the end
        self.ids = np.empty(self.most if room is None else min(room, self.most), dtype=np.uint32)
        self.table = np.zeros((length, 2), dtype=np.int64) if table is None else table
        self.begin, self.count = self.table[:, column], self.table[:, column + 1]

    @property
    def room(self) -> int:
        """How many spikes there is room for."""
        return self.ids.size

    @property
    def stride(self) -> int:
        """Columns of the table."""
        return self.table.shape[1]

    @property
    def marks(self) -> np.ndarray:
        """The table as one row of numbers, from the own columns on; those of tick t are at t % length * stride."""
        return self.table.reshape(-1)[self.column:]

    def arguments(self, low: int) -> dict:
        """Return the arguments of a kernel that emits spikes of neurons numbered from `low`."""
        return {"slots": self.length, "stride": self.stride, "capacity": self.capacity, "first": low, "room": self.room,
                "ids": self.ids, "marks": self.marks}

    def total(self, after: int, last: int) -> int:
        """Return the number of spikes in the ticks after < tick <= last."""
        steps = min(last - after, self.length)
        first = (last - steps + 1) % self.length
        return int(self.count[first:first + steps].sum() + self.count[:max(0, first + steps - self.length)].sum())

    def between(self, after: int, last: int):
        """Return (ticks, ids) of the spikes in the ticks after < tick <= last."""
        after = max(after, last - self.length)
        size = self.total(after, last)
        ticks, found = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.uint32)
        if size:
            _gather()(self.ids, self.begin, self.count, after, last, ticks, found)
        return ticks, found

    def put(self, ticks: np.ndarray, ids: np.ndarray) -> None:
        """Forget all spikes but the given ones, which are sorted by tick."""
        self.begin[:], self.count[:] = ticks.size, 0  # an empty list lies behind all others
        if ticks.size:
            self.ids[:ticks.size] = ids
            self.begin[ticks % self.length] = np.searchsorted(ticks, ticks)
            self.count += np.bincount(ticks % self.length, minlength=self.length)

    def has_room(self, ticks: int, last: int, kept: int) -> bool:
        """Return whether so many ticks after the tick `last` leave the lists of the `kept` ticks before as they are.

        They are written one behind the other from the end of the last list on. One that might not fit before the end
        of the array begins at its beginning; less than one list's room is left empty for that.
        """
        if self.room >= self.most:
            return True
        first, need = (last - kept + 1) % self.length, ticks * self.capacity
        head = int(self.begin[last % self.length] + self.count[last % self.length])
        for part in (slice(first, first + kept), slice(0, max(0, first + kept - self.length))):  # the oldest first
            filled = self.count[part] > 0
            if filled.any():
                tail = int(self.begin[part][filled.argmax()])
                break
        else:
            tail = -1
        if tail >= head:  # they have begun anew since the oldest
            return need <= tail - head
        return head + need <= self.room or need + self.capacity <= self.room - head + (head if tail < 0 else tail)

    def widened(self, known: tuple, ticks: int, capacity: int = 0) -> "Slots":
        """Return lists in the place of these, with room for what some ticks can bring, and some to spare.

        Args:
            known: (ticks, ids) of the spikes that are in them.
            ticks: how many ticks will be added.
            capacity: how many spikes a tick may have, where that becomes more.
        """
        capacity = max(capacity, self.capacity)
        made = Slots(self.length, capacity, self.table, self.column, 2 * known[0].size + (ticks + 2) * capacity)
        made.put(*known)
        return made
