"""Counter-based random numbers: Philox4x32-10 keyed by (seed, stream, element, tick, sample).

Every draw is a pure function of its key, so that the same seed gives the same numbers for any number
of threads, any way of cutting a run, and any order of the samples of a batch. One key gives four
words of 32 bits. The functions here are plain scalar bodies; the engine compiles them.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

import numpy as np

from neurosim.errors import NetworkError

MOST_STREAMS = 1 << 24  #: the other bits of a word tell draws of one stream apart, as those of several rules

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_20 = np.uint64(20)
_12 = np.uint64(12)
_0, _2, _3, _4, _5, _6, _7, _8, _9 = (np.uint64(n) for n in (0, *range(2, 10)))


def _round(c0, c1, c2, c3, k0, k1):
    p0 = c0 * _M0
    p1 = c2 * _M1
    return ((p1 >> _32) ^ c1 ^ k0) & _LOW, p1 & _LOW, ((p0 >> _32) ^ c3 ^ k1) & _LOW, p0 & _LOW


def philox(c0, c1, c2, c3, k0, k1):
    """Return four 32-bit words (as uint64) for a counter of four words and a key of two.

    All arguments are uint64 that hold 32-bit values. The ten rounds are written out because a loop
    would keep the compiler from vectorising over elements.
    """
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _W0) & _LOW, (k1 + _W1) & _LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _2 * _W0) & _LOW, (k1 + _2 * _W1) & _LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _3 * _W0) & _LOW, (k1 + _3 * _W1) & _LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _4 * _W0) & _LOW, (k1 + _4 * _W1) & _LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _5 * _W0) & _LOW, (k1 + _5 * _W1) & _LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _6 * _W0) & _LOW, (k1 + _6 * _W1) & _LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _7 * _W0) & _LOW, (k1 + _7 * _W1) & _LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + _8 * _W0) & _LOW, (k1 + _8 * _W1) & _LOW)
    return _round(c0, c1, c2, c3, (k0 + _9 * _W0) & _LOW, (k1 + _9 * _W1) & _LOW)


def uniform53(high, low):
    """Return a float64 in (0, 1) from two 32-bit words: 52 bits and a half, so never 0 and never 1."""
    bits = (high << _20) ^ (low >> _12)
    return (np.float64(bits) + 0.5) * 2.220446049250313e-16


def key_at(key0, key1, tick, turn):
    """Return the two key words for the draws of a tick.

    The counter holds 32 bits of the tick. The first 2^32 ticks have the key of the seed, and each 2^32 after them one
    that Philox makes of it with stream 0, which no part of a network has. So has what is drawn once more at one
    tick, such as for the second of two spikes of one source: `turn` counts how often before.
    """
    high = np.uint64(tick) >> _32
    again = np.uint64(turn)
    k0, k1 = np.uint64(key0), np.uint64(key1)
    if high != _0 or again != _0:
        k0, k1, _, _ = philox(high & _LOW, again & _LOW, _0, high >> _32, k0, k1)
    return k0, k1


class Streams:
    """Hands out stream numbers to the parts of a network, one after the other, never twice.

    A stream is the third word of the Philox counter; parts with different streams share no draw.
    """

    def __init__(self):
        self.labels: list[str] = []
        self.first, self.room = 0, None

    def new(self, label: str) -> int:
        """Return the next stream number; the label says what it is for."""
        self.labels.append(label)
        if self.first + len(self.labels) >= MOST_STREAMS:
            raise NetworkError(f"a network must need fewer than {MOST_STREAMS:,} random streams, a few for each "
                               "population, projection and drive; give fewer of them")
        if self.room is not None and len(self.labels) > self.room:
            raise ValueError(f"only {self.room} streams were asked for")
        return self.first + len(self.labels)

    def several(self, label: str, number: int) -> "Streams":
        """Return a part of the next streams, to be handed out later."""
        part = Streams()
        part.first = self.first + len(self.labels)
        part.room = number
        self.labels += [label] * number
        return part


def seed_words(seed: int) -> tuple[int, int]:
    """Return the two key words of a seed of up to 64 bits."""
    return seed & 0xFFFFFFFF, seed >> 32
