"""The cochlea at work: blocks of sound in, spikes out, with a state of its own for every channel."""

from functools import lru_cache
from threading import Lock

import numpy as np

from neurosim.encoders.audio.nerve import STATES, nerve
from neurosim.encoders.audio.resampling import Resampler
from neurosim.random import seed_words

RATE = 48_000  #: Hz, to which every sound is resampled; hair cells and what follows take steps of 2 / RATE
STEP = 2 / RATE  #: s
TAPS, SIZE = 4096, 8192  #: steps of an impulse response, and of a Fourier transform
LATER = 1024  #: steps of the impulse response on its shorter side
FRESH = SIZE - TAPS  #: new steps of each transform; a multiple of 4
_TOGETHER = 50  # channels whose velocities are held at a time

_lock = Lock()


class Pipeline:
    """One cochlea while it hears one sound.

    A block of sound is transformed once. Its spectrum times the filter of a channel, back at half the rate (what lies
    above a quarter of the rate is folded, as by leaving out every second sample), is the velocity of the place.

    Args:
        cochlea: the parameters.
        rate: sampling rate of the sound, Hz.
        seed, key: of the random numbers.
    """

    def __init__(self, cochlea, rate: int, seed: int, key: int):
        self.cochlea, self.key, self.seeds = cochlea, key, seed_words(seed)
        self.resampler = Resampler(rate, RATE, 2 * FRESH)
        self.filters = filters(cochlea.membrane, cochlea.channels)
        self.before, self.after = ((TAPS - LATER, LATER) if cochlea.membrane.wave == "reversed" else
                                   (LATER, TAPS - LATER))  # steps by which a place moves before and after a sound
        self.sound = np.zeros(2 * self.after)  # what the next transform needs, from its first sample on
        self.steps = 0  # that are done
        self.cell = cochlea.hair_cell.per_step(STEP)
        self.bushy, self.dead, self.held = cochlea.bushy_cell.per_step(STEP)
        self.state = np.zeros((cochlea.channels, STATES))
        self.state[:, :3] = cochlea.hair_cell.rest()
        self.ring = np.zeros((cochlea.channels, max(1, self.dead)), dtype=np.uint8)

    def feed(self, samples: np.ndarray):
        """Take in sound; yield (steps, channels) of the spikes of each block of steps that is done."""
        self.resampler.feed(samples)
        for block in self.resampler.blocks():
            self.sound = np.concatenate([self.sound, block])
            while len(self.sound) >= 2 * SIZE:
                yield self._block(FRESH)

    def end(self):
        """Take it that the sound has ended; yield what is left."""
        self.resampler.end()
        yield from self.feed(np.zeros(0))
        total = (self.resampler.length + 1) // 2
        while self.steps < total:
            lacking = 2 * SIZE - len(self.sound)
            if lacking > 0:
                self.sound = np.concatenate([self.sound, np.zeros(lacking)])
            yield self._block(min(FRESH, total - self.steps))

    def _block(self, many):
        found = [self._nerve(velocity, first) for first, velocity in self._velocities(many)]
        self.steps += many
        steps, channels = (np.concatenate(each) for each in zip(*found, strict=True))
        order = np.argsort(steps, kind="stable")
        return steps[order], channels[order]

    def _velocities(self, many):
        """Yield the first of some channels and their velocities over the next steps, float32; go on to the next."""
        from scipy import fft

        spectrum = fft.rfft(self.sound[:2 * SIZE].astype(np.float32))
        self.sound = self.sound[2 * FRESH:]
        for first in range(0, self.cochlea.channels, _TOGETHER):
            product = self.filters[first:first + _TOGETHER] * spectrum
            folded = product[:, :SIZE // 2 + 1] + product[:, :SIZE // 2 - 1:-1].conj()
            velocity = np.asarray(fft.irfft(folded, SIZE, axis=1))[:, self.after:self.after + many]
            yield first, np.ascontiguousarray(velocity)

    def _nerve(self, velocity, first):
        rows, many = velocity.shape
        room = rows * (many // (self.held + 1) + 1)
        steps, channels = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.uint32)
        part = slice(first, first + rows)
        count = nerve()(velocity, self.steps, first, self.cell, self.bushy, self.cochlea.bushy_cell.fibres, self.dead,
                        self.held, self.key, *self.seeds, self.state[part], self.ring[part], steps, channels)
        return steps[:count].copy(), channels[:count].copy()


class Membrane(Pipeline):
    """The same without nerves: its blocks are mean squares of velocities in windows of so many steps."""

    def __init__(self, cochlea, rate: int, window: int):
        super().__init__(cochlea, rate, 0, 0)
        self.window = window

    def _block(self, many):
        squares = np.zeros((self.cochlea.channels, -(-many // self.window)))
        edges = np.arange(0, many, self.window)
        for first, velocity in self._velocities(many):
            sums = np.add.reduceat(velocity.astype(np.float64) ** 2, edges, axis=1)
            squares[first:first + len(velocity)] = sums / np.diff(np.append(edges, many))
        self.steps += many
        return squares


def filters(membrane, channels: int) -> np.ndarray:
    """Return the spectrum of the impulse response of each channel, complex64, shape (channels, SIZE + 1)."""
    with _lock:  # it takes a second or two, so threads wait for the first
        return _filters(membrane, channels)


@lru_cache(maxsize=2)
def _filters(membrane, channels):
    from scipy import fft

    places = membrane.places(channels)
    before, after = (TAPS - LATER, LATER) if membrane.wave == "reversed" else (LATER, TAPS - LATER)
    found = np.empty((channels, SIZE + 1), dtype=np.complex64)
    frequencies = np.arange(1, SIZE + 1) * (RATE / (2 * SIZE))
    for first in range(0, channels, _TOGETHER):
        spectrum = np.zeros((len(places[first:first + _TOGETHER]), SIZE + 1), dtype=np.complex128)
        spectrum[:, 1:] = membrane.transfer(frequencies, places[first:first + _TOGETHER])
        response = np.asarray(fft.irfft(spectrum, 2 * SIZE, axis=1))
        response[:, 2 * after:2 * (SIZE - before)] = 0.0
        spectrum = np.asarray(fft.rfft(response, axis=1))
        found[first:first + _TOGETHER] = 0.5 * spectrum  # two parts of a product fold into one
    found.setflags(write=False)
    return found


__all__ = ["RATE", "STEP", "Membrane", "Pipeline", "filters"]
