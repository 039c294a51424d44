"""Lists of the spikes of the last ticks, from which deliveries and recorders read."""

import numpy as np


class Slots:
    """One list of spikes for each of the last `length` ticks, tick t in slot t % length.

    Every slot has room for all that can spike in a tick, so that nothing is ever lost; memory is
    touched only where spikes were.
    """

    def __init__(self, length: int, capacity: int):
        self.length, self.capacity = length, capacity
        self.ids = np.empty(length * max(1, capacity), dtype=np.uint32)
        self.count = np.zeros(length, dtype=np.int32)

    def arguments(self, low: int, first: bool = True) -> dict:
        """Return the arguments of a kernel that emits spikes of neurons numbered from `low`."""
        return {"slots": self.length, "capacity": self.capacity, "first": low, "ids": self.ids, "count": self.count}

    def between(self, after: int, last: int):
        """Return (ticks, ids) of the spikes in the ticks after < tick <= last."""
        ticks = np.arange(max(after + 1, last - self.length + 1), last + 1)
        slots = ticks % self.length
        counts = self.count[slots]
        busy = np.flatnonzero(counts)
        ids = [self.ids[slots[k] * self.capacity:slots[k] * self.capacity + counts[k]] for k in busy]
        return np.repeat(ticks, counts), np.concatenate([*ids, np.empty(0, dtype=np.uint32)])

    def put(self, ticks: np.ndarray, ids: np.ndarray) -> None:
        """Forget all spikes but the given ones, which are sorted by tick."""
        self.count[:] = 0
        for tick, neuron in zip(ticks.tolist(), ids.tolist(), strict=True):
            slot = tick % self.length
            self.ids[slot * self.capacity + self.count[slot]] = neuron
            self.count[slot] += 1

    def total(self, after: int, last: int) -> int:
        """Return the number of spikes in the ticks after < tick <= last."""
        return self.count[np.arange(max(after + 1, last - self.length + 1), last + 1) % self.length].sum()
