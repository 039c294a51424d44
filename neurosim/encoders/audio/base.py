"""What the encoders of sound have in common: arrays or files in, one level for all, whole or as a stream."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from neurosim import machine
from neurosim.aliases import RealOrNone
from neurosim.checks import check_whole
from neurosim.encoders.audio.sound import Sound, as_sound, warn_of_clipping
from neurosim.encoders.base import Encoder, batch, batch_keys, check_seed, own
from neurosim.errors import ParameterError, held_back, warn_of_all
from neurosim.progress import progress_bar
from neurosim.spikes import Spikes


class AudioEncoder(Encoder):
    """Base of the encoders of sound.

    A subclass gives `n_neurons` and `resolution` (ms, of its own times), and `pipeline(rate, seed, key)`: an object
    whose `feed(samples)` and `end()` yield (steps, ids) of the spikes of one block after the other, and whose `steps`
    says how many steps of `resolution` are done.
    """

    level: RealOrNone = own(0.3, "", above=0, optional=True, doc="root of the mean square, full scale being 1")
    ramp: RealOrNone = own(0.0, "ms", at_least=0, optional=True, doc="of fading in and out")
    dt: RealOrNone = own(1.0, "ms", above=0, optional=True, doc="length of a tick of the spikes")

    @property
    def resolution(self) -> float:
        """Step of the exact times, ms."""
        raise NotImplementedError

    @property
    def n_neurons(self) -> int:
        """Number of neurons of the spikes."""
        raise NotImplementedError

    def pipeline(self, rate: int, seed: int, key: int):
        """Return what turns the samples of one sound into spikes."""
        raise NotImplementedError

    def encode(self, audio, rate: int | None = None, *, seed: int = 0, key: int = 0, channel=None) -> Spikes:
        """Return the spikes of one sound.

        Args:
            audio: samples, shape (samples,), floating-point numbers or signed whole numbers; or the path of a WAV file.
            rate: sampling rate of an array, Hz, a whole number in 1,000 .. 1,000,000.
            seed: of everything random, 0 <= seed < 2^64; an encoder that draws nothing ignores it.
            key: which sound it is, 0 <= key < 2^32. The same sound, seed and key give the same spikes.
            channel: of several channels, the number of one or "mean".

        Raises:
            ParameterError: the sound is empty, silent where its level is to be set, not finite, or has several
                channels and none was chosen; or the rate, the seed or the key do not fit.
            FileError: a file is missing, damaged or no WAV file.

        Warns:
            NeurosimWarning: the sound is clipped.
        """
        sound = as_sound(type(self).__name__, audio, rate, channel)
        warn_of_clipping(sound)
        steps, ids, many = self.steps(sound, seed, key)
        return self.spikes(steps, ids, 0, many)

    def encode_batch(self, audio, rate: int | None = None, *, seed: int = 0, keys=None, channel=None,
                     threads: int | None = None, progress: bool = False) -> list[Spikes]:
        """Return the spikes of many sounds, each as `encode` gives it with its own key.

        Args:
            audio: the sounds: a list of arrays or of paths, or an array whose first axis counts them.
            rate: sampling rate of arrays, Hz.
            seed: of everything random.
            keys: one key per sound; by default 0, 1, 2, ...
            channel: as for `encode`.
            threads: how many sounds are encoded at once; by default one for each core.
            progress: whether to show a progress bar.

        Raises:
            ParameterError, FileError: as `encode`.
        """
        owner = type(self).__name__
        sounds = batch(owner, audio)
        keys = batch_keys(owner, keys, len(sounds))
        found, held = [], []

        def one(sound, key):
            with held_back(held):
                return self.encode(sound, rate, seed=seed, key=key, channel=channel)

        with ThreadPoolExecutor(check_threads(owner, threads)) as pool, progress_bar(progress, len(sounds),
                                                                                     "sounds") as done:
            for spikes in pool.map(one, sounds, keys):
                found.append(spikes)
                done(len(found))
        warn_of_all(held)
        return found

    def listen(self, rate: int, *, seed: int = 0, key: int = 0) -> "AudioStream":
        """Return a stream, which takes a sound piece by piece and gives the spikes that `encode` gives of the whole.

        Args:
            rate: sampling rate, Hz.
            seed, key: as for `encode`.

        Raises:
            ParameterError: level or ramp are set, which need the whole sound: `replace(level=None, ramp=0.0)`.
        """
        owner = type(self).__name__
        if self.level is not None or self.ramp != 0:
            raise ParameterError(f"{owner}.listen must have no level and no ramp, which need the end of the sound; use "
                                 f"{owner}.replace(level=None, ramp=0.0) and scale the sound to the level that it is "
                                 "to have")
        return AudioStream(self, rate, seed, key)

    def steps(self, sound: Sound, seed: int, key: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Return steps and neurons of the spikes of a checked sound, in order, and how many steps it takes."""
        seed, key = check_seed(type(self).__name__, seed, key)
        pipeline = self.pipeline(sound.rate, seed, key)
        found = [part for block in self.prepared(sound) for part in pipeline.feed(block)]
        found += pipeline.end()
        steps = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in found)])
        return steps, np.concatenate([np.zeros(0, np.uint32), *(part[1] for part in found)]), pipeline.steps

    def spikes(self, steps, ids, first: int, last: int) -> Spikes:
        """Return steps as spikes in the window of the steps first + 1 .. last."""
        if self.dt is None:
            return Spikes(times=steps * self.resolution, ids=ids, size=self.n_neurons, start=first * self.resolution,
                          duration=(last - first) * self.resolution)
        begin, end = _ticks((first, last), self.resolution, self.dt)
        return Spikes(ticks=_ticks(steps, self.resolution, self.dt), ids=ids, size=self.n_neurons, dt=self.dt,
                      start=begin * self.dt, duration=(end - begin) * self.dt)

    def prepared(self, sound: Sound):
        """Yield a sound block by block at its level, faded in and out."""
        gain = 1.0
        if self.level is not None:
            rms = sound.rms()
            if rms == 0.0:
                raise ParameterError(f"{sound.what} must not be silent, as it has no level that could be set to "
                                     f"{self.level:g}; leave it out, or use {type(self).__name__}.replace(level=None)")
            gain = self.level / rms
        total, begin = len(sound.samples), 0
        half = total // 2 if self.ramp is None else min(total // 2, round(1e-3 * self.ramp * sound.rate))
        for block in sound.blocks():
            place = np.arange(begin, begin + len(block))
            edge = np.minimum(place, total - 1 - place)
            window = np.where(edge < half, 0.5 - 0.5 * np.cos(np.pi * edge / max(1.0, half - 0.5)), 1.0)
            yield block * (gain * window)
            begin += len(block)


def _ticks(steps, resolution, dt) -> np.ndarray:
    """Return the ticks in which steps end."""
    return np.ceil(np.asarray(steps) * (resolution / dt) - 1e-9).astype(np.int64)


class AudioStream:
    """A sound that comes piece by piece; made by `listen` of an encoder.

    >>> import neurosim as ns
    >>> cochlea = ns.encoders.Cochlea(channels=20, level=None, ramp=0.0)
    >>> sound = 0.4 * np.sin(np.arange(16_000) * 0.3)
    >>> stream = cochlea.listen(16_000)
    >>> parts = [stream.feed(piece) for piece in np.split(sound, 10)] + [stream.end()]
    >>> sum(len(part) for part in parts) == len(cochlea.encode(sound, 16_000))
    True
    """

    def __init__(self, encoder: AudioEncoder, rate: int, seed: int, key: int):
        self.encoder = encoder
        self.rate = as_sound(type(encoder).__name__, np.zeros(1), rate).rate
        self._pipeline = encoder.pipeline(self.rate, *check_seed(type(encoder).__name__, seed, key))
        self._late = np.zeros(0, np.int64), np.zeros(0, np.uint32)  # spikes of a tick that is not over
        self._told, self._ended = 0, False

    def feed(self, audio) -> Spikes:
        """Take in samples, shape (samples,); return the spikes that are known by now.

        The window of what is returned begins where that of the last one ended; it may be empty, as spikes are found in
        blocks, and ends on a whole tick.

        Raises:
            ParameterError: the samples do not fit, or the stream has ended.
        """
        if self._ended:
            raise ParameterError("AudioStream.feed must come before end; make another stream for another sound")
        if isinstance(audio, (str, Path)):
            raise ParameterError("AudioStream.audio must be samples, got a path; files are for encode")
        owner = type(self.encoder).__name__
        parts = [] if np.size(audio) == 0 else [
            part for block in as_sound(owner, audio, self.rate).blocks() for part in self._pipeline.feed(block)]
        return self._spikes(parts)

    def end(self) -> Spikes:
        """Take it that the sound has ended; return the rest of the spikes."""
        if self._ended:
            raise ParameterError("AudioStream.end must come once; make another stream for another sound")
        self._ended = True
        return self._spikes(list(self._pipeline.end()))

    def _spikes(self, parts):
        steps, ids = (np.concatenate(each) for each in zip(self._late, *parts, strict=True))
        last = self._pipeline.steps
        if self.encoder.dt is not None and not self._ended:  # a tick is told when it is over
            last = math.floor(math.floor(last * self.encoder.resolution / self.encoder.dt + 1e-9) * self.encoder.dt
                              / self.encoder.resolution + 1e-9)
        now = steps <= last
        self._late = steps[~now], ids[~now]
        first, self._told = self._told, last
        return self.encoder.spikes(steps[now], ids[now], first, last)


def check_threads(owner: str, threads) -> int:
    """Return a number of threads; by default that of the cores."""
    return machine.cores() if threads is None else check_whole(f"{owner}.threads", threads, at_least=1, at_most=1024)


__all__ = ["AudioEncoder", "AudioStream", "check_threads"]
