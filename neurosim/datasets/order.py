"""Whether times run backwards, and whether that is a counter that wrapped.

A counter of n bits begins again at 0 after 2^n - 1. A step back from the last eighth of its range to the first one is
taken for that and called so; whoever asks for it gets 2^n added to what follows. Sorting would put last things first.
"""


import numpy as np

from neurosim.datasets.files import first_of
from neurosim.errors import FileError, warn

ORDERS = ("refuse", "sort", "unwrap")  #: what to do with times that run backwards
COUNTERS = (23, 24, 31, 32, 34)  #: bits of the counters of cameras and formats


def wrapped_bits(before, after) -> int | None:
    """Return the bits of the counter that wrapped between two times, or None where none did.

    >>> wrapped_bits(2**32 - 10, 5), wrapped_bits(2**32 - 10, 2**31)
    (32, None)
    """
    for bits in COUNTERS:
        if before < 2**bits:
            return bits if before >= 2**bits // 8 * 7 and after < 2**bits // 8 else None
    return None


class Order:
    """Follows the times of one recording from piece to piece.

    Args:
        unsorted: what to do where time runs backwards: "refuse", "sort", or "unwrap" a counter.
        where: function that names the file and the record of an event by its number.
        unit: of the times, for messages.
        counter: bits of the counter where the format says them; it is then unwrapped unasked, at a step back by more
            than half its range.

    >>> order = Order("unwrap", lambda event: f"record {event}")
    >>> order.follow(np.array([2**24 - 10, 5])).tolist(), order.follow(np.array([7])).tolist()
    ([16777206, 16777221], [16777223])
    """

    def __init__(self, unsorted, where, unit="us", counter=None):
        self.unsorted, self.where, self.unit, self.counter = unsorted, where, unit, counter
        self.seen, self.last, self.bits, self.wraps, self.back = 0, None, None, 0, False

    def follow(self, t) -> np.ndarray:
        """Return the times of the next events, unwrapped where that was asked for; raise FileError if they go back."""
        if not len(t):
            return t
        back = np.flatnonzero(t[1:] < t[:-1]) + 1
        if self.last is not None and t[0] < self.last:
            back = np.concatenate([[0], back])
        wraps = np.zeros(len(t), dtype=np.int64)
        for place in back.tolist():
            wraps[place] = self._wraps(place, self.last if place == 0 else t[place - 1].item(), t[place].item())
        self.seen, self.last = self.seen + len(t), t[-1].item()
        if self.bits is None:
            return t
        if t.max() >= 2**self.bits:
            beyond = first_of(t >= 2**self.bits)
            raise FileError(f"{self.where(self.seen - len(t) + beyond)} must be of a counter of {self.bits} bits as "
                            f"its wrap says, its time is {t[beyond]}")
        wraps = self.wraps + np.cumsum(wraps)
        self.wraps = int(wraps[-1])
        return t + (wraps << self.bits)

    def _wraps(self, place, before, after) -> bool:
        """Return whether a counter wrapped; raise FileError where time runs backwards and that is to be refused."""
        if self.counter is not None and before - after > 2**(self.counter - 1):
            self.bits = self.counter
            return True
        bits = wrapped_bits(before, after) if isinstance(before, int) and self.counter is None else None
        if self.unsorted == "unwrap" and bits is not None and self.bits in (None, bits):
            self.bits = bits
            return True
        if self.unsorted == "sort":
            if bits is not None and not self.back:
                warn(f"{self.where(self.seen + place)}: time runs backwards from {_shown(before)} to "
                     f"{_shown(after)} {self.unit}, nearly 2**{bits}; if that is a counter of {bits} bits "
                     "that began again, sorting puts last what came first, and unsorted=\"unwrap\" is right")
            self.back = True
            return False
        said = f"{self.where(self.seen + place)} must not be earlier than the one before: time runs backwards from " \
               f"{_shown(before)} to {_shown(after)} {self.unit}"
        if bits is None:
            raise FileError(f'{said}; unsorted="sort" reads it all the same')
        raise FileError(f"{said}, nearly 2**{bits}: a counter of {bits} bits began again; unsorted=\"unwrap\" adds "
                        f"2**{bits} from there on")

    def sorted(self, events) -> np.ndarray:
        """Return events sorted by time if sorting was asked for and needed."""
        return events[np.argsort(events["t"], kind="stable")] if self.back else events


def _shown(time) -> str:
    return str(time) if isinstance(time, int) else f"{time:.9g}"
