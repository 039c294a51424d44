"""Lists of the spikes of the last ticks, from which deliveries and recorders read."""

from functools import cache

import numpy as np

from neurosim.engine import loader

_GATHER = '''
def main(ids, count, capacity, after, last, ticks, found):
    at = 0
    for tick in range(after + 1, last + 1):
        slot = tick % count.size
        for k in range(slot * capacity, slot * capacity + count[slot]):
            ticks[at] = tick
            found[at] = ids[k]
            at += 1
'''


@cache
def _gather():
    return loader.load_function("gather", _GATHER, {})


class Slots:
    """One list of spikes for each of the last `length` ticks, tick t in slot t % length.

    Every slot has room for all that can spike in a tick, so that nothing is ever lost; memory is
    touched only where spikes were.

    Args:
        length: how many ticks.
        capacity: how many spikes a tick may have.
        counts: where the numbers of spikes are kept, every so many entries: the lists of one thread have
            those of one tick side by side, so that another thread fetches them all with one cache line.
        stride: how many entries it is from one tick to the next.
    """

    def __init__(self, length: int, capacity: int, counts: np.ndarray | None = None, stride: int = 1):
        self.length, self.capacity, self.stride = length, capacity, stride
        self.ids = np.empty(length * max(1, capacity), dtype=np.uint32)
        self.counts = np.zeros(length, dtype=np.int32) if counts is None else counts
        self.count = self.counts[:(length - 1) * stride + 1:stride]

    def arguments(self, low: int, first: bool = True) -> dict:
        """Return the arguments of a kernel that emits spikes of neurons numbered from `low`."""
        return {"slots": self.length, "stride": self.stride, "capacity": self.capacity, "first": low, "ids": self.ids,
                "count": self.counts}

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
            _gather()(self.ids, self.count, self.capacity, after, last, ticks, found)
        return ticks, found

    def put(self, ticks: np.ndarray, ids: np.ndarray) -> None:
        """Forget all spikes but the given ones, which are sorted by tick."""
        self.count[:] = 0
        if ticks.size:
            place = np.arange(ticks.size) - np.searchsorted(ticks, ticks)
            slot = ticks % self.length
            self.ids[slot * self.capacity + place] = ids
            self.count += np.bincount(slot, minlength=self.length).astype(np.int32)

    def widened(self, capacity: int) -> "Slots":
        """Return the same lists with room for more spikes in a tick."""
        wide = Slots(self.length, capacity, self.counts, self.stride)
        busy = np.flatnonzero(self.count)
        wide.ids.reshape(self.length, -1)[busy, :self.capacity] = self.ids.reshape(self.length, -1)[busy]
        return wide
