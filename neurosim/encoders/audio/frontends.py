"""Simpler ears: steps of log-mel energies, crossings of levels, and a bank of analogue filters with events."""

from functools import cache

import numpy as np

from neurosim.aliases import Real, RealOrNone, Whole
from neurosim.checks import Parameter, Seed
from neurosim.encoders.audio.base import AudioEncoder
from neurosim.encoders.audio.resampling import Resampler
from neurosim.encoders.base import own
from neurosim.encoders.delta import delta_levels
from neurosim.engine.loader import load_function
from neurosim.errors import ParameterError
from neurosim.random import philox, seed_words, uniform53

MEL_RATE, RATE = 16_000, 40_000  #: Hz, to which sounds are resampled for mel bands, and for the other two
_US = 25  # of a sample at RATE
_BLOCK = 4000  # samples
_MISMATCH = 0x656E630B  # stream of random numbers

# Both loops have one event per channel and crossing at the time at which a straight line between two samples crosses.
# Sample k ends at 25 (k + 1) us; a time is rounded up to a whole one, so that it stays within its sample.
_CROSSINGS = """
import numpy as np


def main(samples, levels, before, first, steps, ids):
    count = 0
    many = levels.size
    for k in range(samples.size):
        x = samples[k]
        if x > before:
            for j in range(np.searchsorted(levels, before, "right"), np.searchsorted(levels, x, "right")):
                part = (levels[j] - before) / (x - before)
                steps[count], ids[count] = 25 * (first + k) + max(1, np.int64(np.ceil(25 * part - 1e-9))), j
                count += 1
        else:
            for j in range(np.searchsorted(levels, before, "right") - 1, np.searchsorted(levels, x, "right") - 1, -1):
                part = (before - levels[j]) / (before - x)
                steps[count], ids[count] = 25 * (first + k) + max(1, np.int64(np.ceil(25 * part - 1e-9))), many + j
                count += 1
        before = x
    return count
"""

_FILTERS = """
import numpy as np


def main(samples, first, coefficients, gain, held, state, steps, ids):
    count = 0
    for c in range(coefficients.shape[0]):
        b, a1, a2, threshold = coefficients[c]
        p1, p2, q1, q2, u, rest = state[c]
        for k in range(samples.size):
            x = b * samples[k]
            y = x + p1
            p1 = p2 - a1 * y
            p2 = -x - a2 * y
            x = b * y
            z = x + q1
            q1 = q2 - a1 * z
            q2 = -x - a2 * z
            if rest > 0.0:
                rest -= 1.0
            elif z > 0.0:
                du = gain * z
                if u + du >= threshold:
                    part = (threshold - u) / du
                    steps[count], ids[count] = 25 * (first + k) + max(1, np.int64(np.ceil(25 * part - 1e-9))), c
                    count += 1
                    u = 0.0
                    rest = held
                else:
                    u += du
        state[c, 0], state[c, 1], state[c, 2], state[c, 3], state[c, 4], state[c, 5] = p1, p2, q1, q2, u, rest
    return count
"""


@cache
def _crossings():
    return load_function("audio_crossings", _CROSSINGS, {})


@cache
def _filters():
    return load_function("audio_filters", _FILTERS, {})


class _Blocks:
    """What hears a sound in blocks at a rate of its own; a subclass says what each gives."""

    rate = RATE

    def __init__(self, encoder, rate):
        self.encoder, self.done = encoder, 0
        self.resampler = Resampler(rate, self.rate, self.block)

    @property
    def block(self):
        """How many samples a block has."""
        return _BLOCK

    @property
    def steps(self):
        """How many steps are done."""
        return _US * self.done

    def feed(self, samples):
        """Take in sound; yield (steps, ids) of the events of each block."""
        self.resampler.feed(samples)
        for block in self.resampler.blocks():
            steps, ids = self.events(block)
            self.done += len(block)
            order = np.argsort(steps, kind="stable")
            yield steps[order], ids[order].astype(np.uint32)

    def end(self):
        """Take it that the sound has ended; yield what is left."""
        self.resampler.end()
        yield from self.feed(np.zeros(0))

    def events(self, block) -> tuple:
        """Return steps and neurons of the events of a block."""
        raise NotImplementedError


class MelEncoder(AudioEncoder, kw_only=False):
    """Delta modulation of log-mel energies: an ON or OFF spike for every step by which a band becomes louder or softer.

    Every `hop` ms the last `window` ms of the sound, resampled to 16 kHz and under a Hann window, are transformed; the
    energy of a band, under a triangle on the mel scale 2595 log10(1 + f / 700), is E, and

        y = 10 log10(max(E, floor)) / threshold

    moves the level of its band as in `DeltaEncoder`. The level begins at the floor, so that a sound begins with ON
    spikes. Neuron b is the ON neuron of band b, from low to high, neuron bands + b its OFF neuron. Nothing is random.

    Args:
        bands: number of bands, 1 .. 256.
        f_min, f_max: where the first triangle begins and the last one ends, Hz, f_min < f_max <= 8000.
        window: ms, >= hop, < 1000.
        hop: ms, a whole number of samples of 1/16 ms, > 0.
        threshold: dB of a step, > 0.
        floor: dB below which an energy counts as this, 0 dB being a sine of full scale in one band.
        level: root of the mean square that the sound is set to, or None.
        ramp: ms over which it is faded in and out; None for half its length.
        dt: length of a tick of the spikes, ms; None for the exact times.

    Raises:
        ParameterError: a parameter does not fit.

    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000)
    >>> spikes = MelEncoder(20).encode(tone, 8000)
    >>> spikes.size, int(spikes.ids[spikes.ids < 20].max()) < 20
    (40, True)

    Source: Davis, Mermelstein, IEEE Trans. Acoust. Speech Signal Process. 28 (1980) 357-366 for the bands.
    """

    stream = 0x656E6308
    positional = 1
    bands: Whole = Parameter(40, at_least=1, at_most=256, integer=True, per_element=False, doc="number of bands")
    f_min: Real = own(100.0, "Hz", at_least=0, doc="begin of the first band")
    f_max: Real = own(4000.0, "Hz", above=0, at_most=8000, doc="end of the last band")
    window: Real = own(25.0, "ms", above=0, below=1000, doc="that is transformed")
    hop: Real = own(10.0, "ms", above=0, doc="from one window to the next")
    threshold: Real = own(6.0, "dB", above=0, doc="of a step")
    floor: Real = own(-50.0, "dB", doc="of an energy")
    level: RealOrNone = own(0.1, "", above=0, optional=True, doc="root of the mean square, full scale being 1")

    def validate(self):
        if self.f_min >= self.f_max:
            raise ParameterError(f"MelEncoder.f_min must be < f_max = {self.f_max:g} Hz, got {self.f_min:g}")
        if abs(self.hop * 16 - round(self.hop * 16)) > 1e-9 or not 1 <= self.hop * 16 <= self.window * 16:
            raise ParameterError("MelEncoder.hop must be a whole number of samples of 1/16 ms, and at most the window "
                                 f"of {self.window:g} ms, got {self.hop!r}")

    @property
    def n_neurons(self) -> int:
        """Number of neurons of the spikes, two for each band."""
        return 2 * self.bands

    @property
    def resolution(self) -> float:
        """Step of the exact times, ms: the hop."""
        return self.hop

    def pipeline(self, rate, seed, key):
        """Return what turns the samples of one sound into spikes."""
        return _Mel(self, rate)

    def triangles(self, size: int) -> np.ndarray:
        """Return the share of each of the frequencies of a transform of so many samples, shape (bands, frequencies)."""
        low, high = (2595 * np.log10(1 + f / 700) for f in (self.f_min, self.f_max))
        corners = 700 * (10 ** (np.linspace(low, high, self.bands + 2) / 2595) - 1)
        f = np.arange(size // 2 + 1) * (MEL_RATE / size)
        rise = (f - corners[:-2, None]) / np.diff(corners)[:-1, None]
        fall = (corners[2:, None] - f) / np.diff(corners)[1:, None]
        return np.maximum(0.0, np.minimum(rise, fall))


class _Mel(_Blocks):
    rate = MEL_RATE

    def __init__(self, encoder, rate):
        super().__init__(encoder, rate)
        length = round(encoder.window * 16)
        self.size = 1 << (length - 1).bit_length()
        window = np.hanning(length + 2)[1:-1]
        self.window = window * (2 / window.sum())  # a sine of full scale has a peak of 1
        self.triangles = encoder.triangles(self.size)
        self.before = np.zeros(length)
        self.levels = np.full(encoder.bands, round(encoder.floor / encoder.threshold), dtype=np.int64)

    @property
    def block(self):
        """How many samples a hop has."""
        return round(self.encoder.hop * 16)

    @property
    def steps(self):
        """How many hops are done."""
        return -(-self.done // self.block)

    def events(self, block):
        """Return the steps of all bands after one more hop."""
        hop = np.concatenate([block, np.zeros(self.block - len(block))])
        self.before = np.concatenate([self.before[len(hop):], hop])
        power = np.abs(np.fft.rfft(self.before * self.window, self.size)) ** 2
        energy = 10 * np.log10(np.maximum(self.triangles @ power, 10 ** (self.encoder.floor / 10)))
        levels = np.stack([self.levels, self.levels])
        delta_levels()(np.stack([levels[0], energy / self.encoder.threshold]), levels)
        moves = levels[1] - self.levels
        self.levels = levels[1]
        ids = np.arange(self.encoder.bands) + np.where(moves > 0, 0, self.encoder.bands)
        ids = np.repeat(ids, np.abs(moves))
        return np.full(len(ids), self.steps + 1, dtype=np.int64), ids


class LevelCrossingEncoder(AudioEncoder, kw_only=False):
    """A spike for each level that the sound crosses, for devices without filters: a comparator for each level.

    The levels are `highest (2 (k + 1) / (levels + 1) - 1)` for k = 0, 1, ... Between two samples, at 40 kHz, the sound
    is a straight line, so a crossing has a time of its own, rounded up to a whole microsecond. Neuron k spikes where
    the sound rises to level k, neuron levels + k where it falls below it. Nothing is random.

    Args:
        levels: number of levels, 1 .. 1024.
        highest: bound of the levels, full scale being 1, > 0.
        level, ramp, dt: as for `Cochlea`.

    Raises:
        ParameterError: a parameter does not fit.

    >>> period = 0.8 * np.sin(2 * np.pi * 100 * np.arange(80) / 8000)
    >>> LevelCrossingEncoder(3, level=None, ramp=0.0).encode(period, 8000).ids[:5]
    array([2, 5, 4, 3, 0], dtype=uint32)

    Source: Sayiner, Sorensen, Viswanathan, "A level-crossing sampling scheme for A/D conversion", IEEE Trans. Circuits
    Syst. II 43 (1996) 335-339.
    """

    stream = 0x656E6309
    positional = 1
    levels: Whole = Parameter(15, at_least=1, at_most=1024, integer=True, per_element=False, doc="number of levels")
    highest: Real = own(1.0, "", above=0, doc="bound of the levels, full scale being 1")

    @property
    def resolution(self) -> float:
        """Step of the exact times, ms: a microsecond."""
        return 1e-3

    @property
    def n_neurons(self) -> int:
        """Number of neurons of the spikes, two for each level."""
        return 2 * self.levels

    def pipeline(self, rate, seed, key):
        """Return what turns the samples of one sound into spikes."""
        return _Crossings(self, rate)


class _Crossings(_Blocks):
    def __init__(self, encoder, rate):
        super().__init__(encoder, rate)
        self.levels = encoder.highest * (2 * np.arange(1, encoder.levels + 1) / (encoder.levels + 1) - 1)
        self.before = 0.0

    def events(self, block):
        """Return the crossings of a block."""
        block = np.ascontiguousarray(block)
        places = np.searchsorted(self.levels, np.concatenate([[self.before], block]), "right")
        room = int(np.abs(np.diff(places)).sum())
        steps, ids = np.empty(room, np.int64), np.empty(room, np.int64)
        _crossings()(block, self.levels, self.before, self.done, steps, ids)
        self.before = float(block[-1])
        return steps, ids


class SiliconCochlea(AudioEncoder, kw_only=False):
    """A bank of analogue filters whose channels send events by themselves, like a silicon cochlea with address events.

    Each channel is a band-pass of fourth order, two equal sections

        H(s) = (w0 / Q) s / (s^2 + (w0 / Q) s + w0^2)

    one after the other, at centre frequencies that are evenly spread on a logarithmic scale from f_max (channel 0) down
    to f_min. Its output, half-wave rectified, charges a neuron, `du/dt = gain max(z, 0)`, which sends an event and goes
    back to 0 where u reaches its threshold of 1, and is held for t_ref. Times are exact to a microsecond. Only the
    thresholds are random, and they belong to the device, not to the sound.

    Args:
        channels: number of channels, 1 .. 2048.
        f_min, f_max: centre frequencies of the last and the first channel, Hz, 0 < f_min < f_max <= 16000.
        quality: Q of a section, > 0.
        gain: charge of a sine of full scale would be gain / pi per second, Hz, > 0.
        t_ref: ms for which a channel is held after an event, >= 0.05.
        mismatch: standard deviation of the thresholds, >= 0; none is below 0.1.
        device_seed: of the thresholds.
        level, ramp, dt: as for `Cochlea`.

    Raises:
        ParameterError: a parameter does not fit.

    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000)
    >>> ear = SiliconCochlea(64)
    >>> bool(900 < ear.frequencies[ear.encode(tone, 8000).counts().argmax()] < 1100)
    True

    Source: Liu, van Schaik, Minch, Delbruck, "Asynchronous binaural spatial audition sensor with 2 x 64 x 4 channel
    output", IEEE Trans. Biomed. Circuits Syst. 8 (2014) 453-464, with parallel filters instead of a cascade.
    """

    stream = _MISMATCH
    positional = 1
    channels: Whole = Parameter(64, at_least=1, at_most=2048, integer=True, per_element=False, doc="number of channels")
    f_min: Real = own(100.0, "Hz", above=0, doc="centre frequency of the last channel")
    f_max: Real = own(10_000.0, "Hz", above=0, at_most=16_000, doc="centre frequency of the first channel")
    quality: Real = own(4.0, "", above=0, doc="Q of each of the two sections")
    gain: Real = own(3000.0, "Hz", above=0, doc="by which an output of 1 charges the neuron")
    t_ref: Real = own(1.0, "ms", at_least=0.05, doc="for which a channel is held after an event")
    mismatch: Real = own(0.0, "", at_least=0, doc="standard deviation of the thresholds")
    device_seed: Whole = Seed("of the thresholds")

    def validate(self):
        if self.f_min >= self.f_max:
            raise ParameterError(f"SiliconCochlea.f_min must be < f_max = {self.f_max:g} Hz, got {self.f_min:g}")

    @property
    def resolution(self) -> float:
        """Step of the exact times, ms: a microsecond."""
        return 1e-3

    @property
    def n_neurons(self) -> int:
        """Number of neurons of the spikes, that of the channels."""
        return self.channels

    @property
    def frequencies(self) -> np.ndarray:
        """Centre frequency of each channel, Hz, shape (channels,), from high to low."""
        return np.geomspace(self.f_max, self.f_min, self.channels)

    def thresholds(self) -> np.ndarray:
        """Return the threshold of each channel, shape (channels,)."""
        from scipy.special import ndtri

        channels = np.arange(self.channels, dtype=np.uint64)
        zero = np.uint64(0) * channels
        words = philox(channels, zero, zero + np.uint64(_MISMATCH), zero, *map(np.uint64, seed_words(self.device_seed)))
        return np.maximum(1.0 + self.mismatch * ndtri(uniform53(words[0], words[1])), 0.1)

    def pipeline(self, rate, seed, key):
        """Return what turns the samples of one sound into spikes."""
        return _Bank(self, rate)


class _Bank(_Blocks):
    def __init__(self, encoder, rate):
        super().__init__(encoder, rate)
        w = 2 * np.pi * encoder.frequencies / RATE  # the bilinear transform, exact at the centre frequency
        alpha = np.sin(w) / (2 * encoder.quality)
        self.coefficients = np.stack([alpha, -2 * np.cos(w), 1 - alpha, encoder.thresholds()], axis=1)
        self.coefficients[:, :3] /= 1 + alpha[:, None]
        self.state = np.zeros((encoder.channels, 6))
        self.held = round(encoder.t_ref * RATE / 1e3)

    def events(self, block):
        """Return the events of a block."""
        room = self.encoder.channels * (len(block) // (self.held + 1) + 1)
        steps, ids = np.empty(room, np.int64), np.empty(room, np.int64)
        count = _filters()(np.ascontiguousarray(block), self.done, self.coefficients, self.encoder.gain / RATE,
                           float(self.held), self.state, steps, ids)
        return steps[:count], ids[:count]


__all__ = ["LevelCrossingEncoder", "MelEncoder", "SiliconCochlea"]
