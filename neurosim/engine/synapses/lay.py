"""Lays rows of synapses, as they are drawn, into arrays in which every row is sorted by delay.

Several strips of rows may be laid into one array: where they share a row, those of one delay lie side by side, in
the order of the strips. Some rows are drawn at a time, so few that they are still in the cache when they are laid; the
arrays themselves are written once, and nothing beside them grows with their size. Packed, a target and its weight are
one word of 32 bits, the weight a whole multiple of a number that is known before.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from neurosim.engine.loader import load_function
from neurosim.engine.synapses.connectivity import Part

AT_A_TIME = 1 << 17  #: synapses that are drawn before they are laid

_COUNT = """
def main(start, column, only, first, counts):
    for line in range(start.size - 1):
        for e in range(start[line], start[line + 1]):
            counts[first + line, column[e] if column.size else only] += 1
"""

_SPREAD = """
def main(counts, start, offsets):
    at = start[0]
    for row in range(offsets.shape[0]):
        start[row] = at
        inside = 0
        for c in range(counts.shape[1]):
            offsets[row, c] = inside
            size = counts[row, c]
            counts[row, c] = at - start[0] + inside  # where the next of them goes
            inside += size
        offsets[row, counts.shape[1]] = inside
        at += inside
    start[offsets.shape[0]] = at
"""

_PLACE = """
import numpy as np

def main(start, column, only, first, cursor, shift, target, to_target, place):
    for line in range(start.size - 1):
        row = first + line
        for e in range(start[line], start[line + 1]):
            c = np.int64(column[e]) if column.size else only
            at = cursor[row, c]
            cursor[row, c] = at + 1
            place[e] = at
            to_target[at] = np.int64(target[e]) + shift
"""

_COUNT_MIXED = """
def main(row, column, only, counts):
    for e in range(row.size):
        counts[row[e], column[e] if column.size else only] += 1
"""

_PLACE_MIXED = """
import numpy as np

def main(row, column, only, cursor, shift, target, to_target, place):
    for e in range(row.size):
        c = np.int64(column[e]) if column.size else only
        at = cursor[row[e], c]
        cursor[row[e], c] = at + 1
        place[e] = at
        to_target[at] = np.int64(target[e]) + shift
"""

_PUT = """
def main(place, values, to_values):
    for e in range(values.size):
        to_values[place[e]] = values[e]
"""

_PACK = """
import numpy as np

def main(place, weights, factor, words):
    for e in range(weights.size):
        rounded = np.int64(np.rint(weights[e] * factor))
        words[place[e]] |= np.uint32(rounded & 0xFFFF) << np.uint32(16)
"""


class Member(NamedTuple):
    """What is laid: rows `first` .. `first + size - 1` of the result get what a strip gives, its targets moved."""

    strip: Any
    first: int
    size: int
    shift: int = 0


@cache
def _compiled(name):
    texts = {"count": _COUNT, "spread": _SPREAD, "place": _PLACE, "put": _PUT, "pack": _PACK,
             "count_mixed": _COUNT_MIXED, "place_mixed": _PLACE_MIXED}
    return load_function(f"build_{name}", texts[name], {})


class _Laying:
    """Arrays that are being filled."""

    def __init__(self, members, n_rows, n_columns, target, real, stored, scale):
        self.members, self.n_columns, self.scale = members, n_columns, scale
        if scale:
            target, stored = np.dtype(np.uint32), ()
        self.types = {"": target} | dict.fromkeys(stored, real)
        self.room = sum(member.strip.room for member in members)
        self.arrays = {name: np.empty(self.room, dtype) for name, dtype in self.types.items()}
        self.start = np.zeros(n_rows + 1, np.int64)
        self.offsets = np.empty((n_rows, n_columns + 1), np.uint16)  # wider once a row is longer
        self.place = np.empty(0, np.uint32)

    def rows(self, low, high, cursor):
        """Draw rows low .. high - 1 and lay them."""
        cursor[:] = 0
        drawn = []
        for member in self.members:
            inside = [min(max(row - member.first, 0), member.size) for row in (low, high)]
            slab = member.strip.rows(*inside)
            mixed = "" if slab.start.size else "_mixed"
            where = (slab.row, slab.column, slab.only) if mixed else (
                slab.start, slab.column, slab.only, max(member.first - low, 0))
            _compiled(f"count{mixed}")(*where, cursor)
            drawn.append((member, slab, f"place{mixed}", where))
        if self.offsets.itemsize == 2 and cursor.sum(axis=1, dtype=np.int64).max(initial=0) > 65535:
            self.offsets = self.offsets.astype(np.uint32)
        start = self.start[low:high + 1]
        _compiled("spread")(cursor, start, self.offsets[low:high])
        self._widen(int(start[0]), int(start[-1]))
        here = {name: array[start[0]:start[-1]] for name, array in self.arrays.items()}
        for member, slab, place_each, where in drawn:
            if slab.target.size > self.place.size:
                self.place = np.empty(slab.target.size, np.uint32)
            place = self.place[:slab.target.size]
            _compiled(place_each)(*where, cursor, member.shift, slab.target, here[""], place)
            for name in self.types:
                if name:
                    _compiled("put")(place, slab.values[name], here[name])
            if self.scale:
                _compiled("pack")(place, slab.values["weight"], 1.0 / self.scale, here[""])

    def _widen(self, used, wanted):
        """Make room for more synapses than were expected."""
        if wanted > self.room:
            self.room = max(wanted, self.room + self.room // 8)
            for name, dtype in self.types.items():
                array = np.empty(self.room, dtype)
                array[:used] = self.arrays[name][:used]
                self.arrays[name] = array


def lay(members: list[Member], n_rows: int, n_columns: int, *, target, real, stored,
        scale: float = 0.0) -> Part:
    """Return the rows of all members in one part, with a table of offsets that has a column for each delay.

    Args:
        members: what gives the rows.
        n_rows: number of rows.
        n_columns: number of columns.
        target: type of the targets.
        real: type of the values.
        stored: names of the values.
        scale: what weights are rounded to multiples of and packed with their targets; 0 if they are not.
    """
    laying = _Laying(members, n_rows, n_columns, np.dtype(target), np.dtype(real), stored, scale)
    shift = max(0, min(n_rows, AT_A_TIME * n_rows // max(laying.room, 1)).bit_length() - 1)
    step = 1 << shift  #: a power of two, so that the step of a row is found by a shift
    for member in members:
        member.strip.cut(shift, member.first)
    cursor = np.empty((step, n_columns), np.uint32)
    for low in range(0, n_rows, step):
        high = min(low + step, n_rows)
        laying.rows(low, high, cursor[:high - low])
    for member in members:
        member.strip.done()
    arrays = {name: _trimmed(array, int(laying.start[-1])) for name, array in laying.arrays.items()}
    return Part(0, laying.start, laying.offsets, arrays.pop(""), arrays)


def _trimmed(array, size):
    """Return the first `size` values; a copy only where much would be kept for nothing."""
    return array[:size] if array.size - size <= size // 16 else array[:size].copy()


def drop_columns(parts, occurring: np.ndarray) -> None:
    """Leave only the delays that occur in the tables of offsets of parts, in the narrowest type that holds all."""
    kept = np.append(np.flatnonzero(occurring), occurring.size)
    longest = max((int(np.diff(part.start).max(initial=0)) for part in parts), default=0)
    for part in parts:
        if kept.size < 3:
            part.offsets = None
        else:
            offsets = part.offsets if kept.size == part.offsets.shape[1] else part.offsets[:, kept]
            part.offsets = np.ascontiguousarray(offsets, np.uint16 if longest < 65536 else np.uint32)
