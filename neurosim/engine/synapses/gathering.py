"""Synapses of a rule that draws the sources of each target, given by their sources, some at a time.

Which sources a target has is drawn several times: once to count, and once for each *window*, as many sources as have a
moderate number of the synapses of a part together. Those of a window are gathered step by step of the sources that are
laid at once, in the order of targets. Delays and values are functions of the target and of the place in its row, so
they are drawn when a step is laid, while it is in the cache. So nothing is written at random over more memory than a
cache has, and nothing beside the result grows with it.
"""

import numpy as np

from neurosim.engine.synapses.connectivity import Giver, Slab

LEAST_WINDOW, WINDOWS = 1 << 24, 16  #: synapses that all threads gather at once: so many each, or such a share of all
BLOCK = 1024  #: synapses whose values are drawn in one go
SURVEYED = 16  #: sources, as a power of two, that are looked at together where only delays are wanted


class Gathered(Giver):
    """Gives the synapses of one part of a by-target draft, those of some sources at a time, rows mixed.

    Args:
        draft: the draft.
        first, last: range of the targets.
        ticks: delays whose places are the columns; those of the draft are among them.

    Attributes:
        used: flags of the ticks that occurred so far.
        count: number of synapses that were given so far.
    """

    def __init__(self, draft, first: int, last: int, ticks: np.ndarray):
        self.draft, self.first, self.last, self.ticks = draft, first, last, ticks
        self.used, self.count = np.zeros(draft.span, np.uint8), 0
        self.room = draft.room(first, last)
        self.only = 0 if draft.delayed else int(np.searchsorted(ticks, draft.low))
        place = np.empty(BLOCK if draft.delayed else 0, np.uint32)
        self.buffers = draft.columns(ticks), draft.guide, self.used, place, np.empty(BLOCK)
        self.counting, self.gathering, self.drawing = draft.compiled
        self.out = np.empty(draft.rows.capacity, np.uint32)

    def cut(self, shift: int, first: int) -> None:
        """Count the synapses of each step of 2^shift rows, where source 0 has row `first`."""
        self.shift, self.offset = shift, first & ((1 << shift) - 1)
        self.block = self.draft.spare.pop() if self.draft.spare else np.empty(0, np.uint8)
        self.counts = np.zeros(((max(self.draft.shape[0], 1) - 1 + self.offset) >> shift) + 1, np.int64)
        self.counting(*self._rule(), self.counts, np.empty(self.draft.shape[0], np.uint8))
        whole = int(self.draft.rule.expected(*self.draft.shape, self.draft.shift))
        self.window = max(LEAST_WINDOW, whole // (WINDOWS * self.draft.threads))
        self.begin = self.end = 0  #: the steps that were gathered last
        self.gathered = self._arrays(0)
        most, narrow = int(self.counts.max()), np.uint16 if self.ticks.size < 65536 else np.uint32
        self.columns, self.values = np.empty(most if self.draft.delayed else 0, narrow), self.draft.empty(most)

    def rows(self, low: int, high: int) -> Slab:
        """Return the synapses of the sources low .. high - 1, which are those of a step; the next overwrite them."""
        if low >= high:
            return self._given(slice(0, 0), low)
        step = (low + self.offset) >> self.shift
        if step >= self.end:
            self._gather(step)
        end = int(self.ends[step - self.begin])
        return self._given(slice(end - int(self.counts[step]), end), (step << self.shift) - self.offset)

    def survey(self) -> np.ndarray:
        """Return the flags of the ticks that occur."""
        self.cut(SURVEYED, 0)
        for step in range(self.counts.size):
            self.rows(step << SURVEYED, (step + 1) << SURVEYED)
        self.done()
        return self.used

    def done(self) -> None:
        """Hand on what was gathered into."""
        self.draft.spare.append(self.block)
        self.gathered, self.block, self.columns, self.values = [], np.empty(0, np.uint8), np.empty(0), {}

    def _rule(self) -> tuple:
        """Return what the passes over the rows of targets take first."""
        draft = self.draft
        return (draft.shape[0], self.first, self.last, draft.rows.ints, draft.rows.floats, np.uint64(draft.key[0]),
                np.uint64(draft.key[1]), np.uint64(draft.stream), self.offset, self.shift, self.out)

    def _gather(self, begin: int) -> None:
        """Gather the synapses of some steps from one on."""
        ends = np.cumsum(self.counts[begin:])
        steps = max(1, int(np.searchsorted(ends, self.window, side="right")))
        self.begin, self.end, self.ends = begin, begin + steps, ends[:steps]
        here = self.counts[begin:self.end]
        self.gathered = self._arrays(int(self.ends[-1]))
        self.gathering(*self._rule(), np.empty_like(self.out), begin << self.shift, steps << self.shift,
                       self.ends - here, *self.gathered)

    def _arrays(self, size: int) -> list:
        """Return arrays for the synapses of a window: source within its step, target, place of creation."""
        types = [np.dtype(np.uint16 if self.shift <= 16 else np.uint32), self.draft.types[0],
                 np.dtype(np.uint16 if self.draft.rows.capacity <= 65536 else np.uint32)]
        ends = np.cumsum([0, *(-(-size // 8) * 8 * each.itemsize for each in types)])
        if ends[-1] > self.block.size:
            self.block = np.empty(ends[-1], np.uint8)
        return [self.block[low:high].view(each) for low, high, each in zip(ends[:-1], ends[1:], types, strict=True)]

    def _given(self, where: slice, low_row: int) -> Slab:
        """Return gathered synapses with their delays and values."""
        draft, (row, target, which) = self.draft, (array[where] for array in self.gathered)
        columns, values = self.columns[:row.size], {name: array[:row.size] for name, array in self.values.items()}
        self.drawing(self.first, low_row, np.uint64(draft.key[0]), np.uint64(draft.key[1]), draft.starts, draft.dt,
                     draft.low, draft.high, *self.buffers, row, target, which, columns, *draft.arguments(values))
        self.count += row.size
        return Slab(np.empty(0, np.int64), columns, self.only, target, values, row)
