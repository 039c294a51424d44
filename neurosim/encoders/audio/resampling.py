"""Sound at another sampling rate, block by block: the same numbers however it comes in."""

from functools import cache
from math import gcd

import numpy as np

HALF = 24  #: zero crossings of the low-pass filter on either side
_BETA = 9.0  # of its Kaiser window: 90 dB


class Resampler:
    """Resamples a sound in blocks of so many output samples, by one linear-phase low-pass filter.

    Output sample k is at the time of k / rate_out. The filter is a sinc in a Kaiser window, 90 dB down, with half its
    amplitude at half the lower of the two rates. What lies before and after the sound is 0.

    Args:
        rate_in, rate_out: Hz, whole numbers.
        block: output samples that `blocks` gives at once.
    """

    def __init__(self, rate_in: int, rate_out: int, block: int):
        common = gcd(rate_in, rate_out)
        self.up, self.down, self.block = rate_out // common, rate_in // common, block
        self.half = 0 if self.up == self.down else HALF * max(self.up, self.down)
        self.begin = 0  # number of the first sample that is kept
        self.kept = np.zeros(0)
        self.taken = 0  # samples that came in
        self.made = 0  # samples that went out
        self.ended = False

    def feed(self, samples: np.ndarray) -> None:
        """Take in more samples, float64."""
        self.kept = np.concatenate([self.kept, samples])
        self.taken += len(samples)

    def end(self) -> None:
        """Take it that the sound has ended."""
        self.ended = True

    @property
    def length(self) -> int:
        """How many output samples there are of what came in, as if it had ended."""
        return -(-self.taken * self.up // self.down)

    def blocks(self):
        """Yield the blocks that can be made by now; the last one of a sound that has ended may be shorter."""
        while self.made < self.length:
            many = min(self.block, self.length - self.made)
            last = ((self.made + self.block - 1) * self.down + self.half) // self.up
            if last >= self.taken and not self.ended:
                return
            yield self._block(self.made, many)
            self.made += many
            keep = max(0, (self.made * self.down - self.half) // self.up - 1)
            if keep > self.begin:
                self.kept, self.begin = self.kept[keep - self.begin:], keep

    def _block(self, first, many):
        if not self.half:
            return self.kept[first - self.begin:first - self.begin + many]
        from scipy.signal import upfirdn

        low = max(0, -(-(first * self.down - self.half) // self.up))
        high = min(self.taken - 1, ((first + many - 1) * self.down + self.half) // self.up)
        part = self.kept[low - self.begin:high + 1 - self.begin]
        shift = (low * self.up - self.half) % self.down  # so that output samples fall on those of the filter
        begin = (first * self.down - (low * self.up - self.half - shift)) // self.down
        taps = np.concatenate([np.zeros(shift), _filter(self.up, self.down)])
        found = upfirdn(taps, part, self.up, self.down)[begin:begin + many]
        return np.concatenate([found, np.zeros(many - len(found))])


@cache
def _filter(up, down):
    span = np.arange(-HALF * max(up, down), HALF * max(up, down) + 1) / max(up, down)
    taps = np.sinc(span) * np.kaiser(len(span), _BETA)
    return taps * (up / taps.sum())


def resampled(samples: np.ndarray, rate_in: int, rate_out: int) -> np.ndarray:
    """Return a sound at another rate, float64.

    >>> np.abs(resampled(np.ones(400), 8000, 16_000)[200:600] - 1).max() < 1e-3
    np.True_
    """
    made = Resampler(rate_in, rate_out, max(1, -(-len(samples) * rate_out // rate_in)))
    made.feed(np.asarray(samples, dtype=np.float64))
    made.end()
    return np.concatenate([np.zeros(0), *made.blocks()])


__all__ = ["Resampler", "resampled"]
