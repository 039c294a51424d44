"""Sound as it comes: arrays and WAV files, with what is wrong with them said in one sentence."""

import io
import warnings
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np

from neurosim.checks import check_is, check_whole, describe_value, is_whole
from neurosim.errors import FileError, ParameterError, warn
from neurosim.files import first_line, reading

WHAT = "a WAV file"
SLOWEST, FASTEST = 1000, 1_000_000  #: Hz, of sampling rates
CLIPPED = 3  #: so many samples at full scale one after the other are clipped
_BLOCK = 1 << 16
_lock = Lock()


class Sound(NamedTuple):
    """One sound: samples of one channel as they were given, and how to make numbers in [-1, 1] of them.

    Attributes:
        samples: shape (samples,), whole numbers or floating-point ones.
        rate: sampling rate, Hz.
        what: what it is, for messages.
    """

    samples: np.ndarray
    rate: int
    what: str

    def blocks(self):
        """Yield the samples as float64, full scale being 1, some at a time."""
        for first in range(0, len(self.samples), _BLOCK):
            yield scaled(self.samples[first:first + _BLOCK])

    def rms(self) -> float:
        """Return the root of the mean square of the samples, full scale being 1."""
        return float(np.sqrt(sum(float(np.square(block).sum()) for block in self.blocks()) / len(self.samples)))

    def clipped(self) -> int:
        """Return how many samples lie at full scale in runs of three or more; no number beyond it may occur."""
        if self.samples.dtype.kind == "f" and np.abs(self.samples).max() > 1.0:
            return 0
        return sum(_runs(self.samples[first:first + _BLOCK]) for first in range(0, len(self.samples), _BLOCK))


def scaled(samples: np.ndarray) -> np.ndarray:
    """Return samples as float64, full scale being 1; bytes are centred at 128, as in WAV files."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float64)
    if samples.dtype == np.uint8:
        return (samples - 128.0) / 128.0
    return samples / -float(np.iinfo(samples.dtype).min)


def _runs(samples):
    if samples.dtype.kind == "f":
        full = np.abs(samples) >= 1 - 2.0**-15  # the largest number of 16 bits
    else:
        limits = np.iinfo(samples.dtype)
        full = (samples == limits.max) | (samples == limits.min)
    if full.sum() < CLIPPED:
        return 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]])))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= CLIPPED].sum())


def as_sound(owner: str, audio, rate=None, channel=None) -> Sound:
    """Return what was given as a sound: an array with its rate, or the name of a WAV file.

    Args:
        owner: who asks, for messages.
        audio: samples, shape (samples,) or (samples, channels), or the path of a WAV file.
        rate: sampling rate of an array, Hz, a whole number; a file says its own.
        channel: which channel of several, or "mean" of all.

    Raises:
        ParameterError: it is empty, not finite, stereo without a channel, or something else.
        FileError: a file is missing, damaged or no WAV file.
    """
    check_is("as_sound.owner", owner, str, "the name of who asks")
    if isinstance(audio, Sound):
        return audio
    check_channel(owner, channel)
    if isinstance(audio, (str, Path)):
        if rate is not None:
            raise ParameterError(f"{owner}.rate must be left out for a file, which says its own, got "
                                 f"{describe_value(rate)}")
        samples, rate, what = *read_wav(audio), str(audio)
        error = FileError
    else:
        samples, what, error = _array(owner, audio), f"{owner}.audio", ParameterError
        rate = check_whole(f"{owner}.rate", int(rate) if isinstance(rate, float) and rate.is_integer() else rate,
                           at_least=SLOWEST, at_most=FASTEST)
    samples = _one_channel(what, samples, channel, error)
    if len(samples) == 0:
        raise error(f"{what} must hold at least one sample, it holds none")
    if samples.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(samples))
        if bad.size:
            raise error(f"{what} must be finite numbers, sample {bad[0]} is {samples[bad[0]]}; {bad.size} of "
                        f"{len(samples)} are not")
    return Sound(samples, rate, what)


def _array(owner, audio):
    try:
        samples = np.asarray(audio)
    except (TypeError, ValueError):
        samples = np.zeros((), dtype=object)
    whole = samples.dtype.kind == "i" or samples.dtype == np.uint8
    if samples.ndim not in (1, 2) or not (whole or samples.dtype.kind == "f"):
        raise ParameterError(f"{owner}.audio must be samples of shape (samples,) as floating-point numbers, signed "
                             "whole numbers or bytes, or the path of a WAV file, got "
                             + (f"{describe_value(audio)} of {samples.dtype}" if isinstance(audio, np.ndarray)
                                else describe_value(audio)))
    return samples if whole or not isinstance(audio, (list, tuple)) else samples.astype(np.float64)


def check_channel(owner: str, channel) -> None:
    """Raise ParameterError where something is no choice of a channel."""
    if channel is not None and channel != "mean" and not (is_whole(channel) and channel >= 0):
        raise ParameterError(f'{owner}.channel must be the number of a channel, "mean" or None, got '
                             f"{describe_value(channel)}")


def _one_channel(what, samples, channel, error):
    if samples.ndim == 1:
        return samples
    many = samples.shape[1]
    if channel is None and many == 1:
        return samples[:, 0]
    if channel is None:
        raise error(f'{what} must have one channel, it has {many}; say channel="mean" or which one, channel=0')
    if channel == "mean":
        return np.mean([scaled(samples[:, one]) for one in range(many)], axis=0)
    if channel >= many:
        raise error(f"{what} must have a channel {channel}, it has {many}")
    return samples[:, channel]


def read_wav(path) -> tuple[np.ndarray, int]:
    """Return the samples of a WAV file, as they are stored, and its rate.

    Raises:
        FileError: it is missing, no WAV file, of a kind that cannot be read, or cut short.
    """
    with reading(path, WHAT):
        raw = Path(path).read_bytes()
    return parse_wav(raw, path)


def parse_wav(raw: bytes, what) -> tuple[np.ndarray, int]:
    """Return the samples and the rate of a WAV file from its bytes; raise FileError, which names `what`."""
    from scipy.io import wavfile

    with reading(what, WHAT), _lock, warnings.catch_warnings():  # filters of warnings belong to all threads
        warnings.simplefilter("error", wavfile.WavFileWarning)
        warnings.filterwarnings("ignore", "Chunk .non-data. not understood", wavfile.WavFileWarning)
        try:
            rate, samples = wavfile.read(io.BytesIO(raw))
        except wavfile.WavFileWarning as error:  # an end before the header's
            raise FileError(f"{what} is damaged or cut short: {first_line(error)}") from None
    if not SLOWEST <= rate <= FASTEST:
        raise FileError(f"{what} must have a sampling rate in {SLOWEST} .. {FASTEST} Hz, it says {rate}")
    return samples, int(rate)


def warn_of_clipping(sound: Sound) -> None:
    """Warn where samples lie at full scale one after the other."""
    clipped = sound.clipped()
    if clipped:
        warn(f"{sound.what} is clipped: {clipped} of {len(sound.samples)} samples lie at full scale in runs "
             f"of {CLIPPED} or more, which sounds like more high frequencies than were there")


__all__ = ["Sound", "as_sound", "check_channel", "parse_wav", "read_wav", "scaled", "warn_of_clipping"]
