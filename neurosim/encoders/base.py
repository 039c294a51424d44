"""What all encoders promise: data in, spikes out, and randomness that follows (seed, key) alone."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from neurosim import checks
from neurosim.checks import Parameter, Parametrised, describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


class Encoder(Parametrised):
    """Base of the encoders: `encode` turns one sample into `Spikes`, `encode_batch` many into a list of them.

    A subclass gives `_sample(data)`, which checks the data of one sample, and `_spikes(data, generator)`. Its `stream`
    keeps its draws apart from those of other encoders with the same seed and key.
    """

    stream: ClassVar[int] = 0

    def encode(self, data, *, seed: int = 0, key: int = 0) -> Spikes:
        """Return the spikes of one sample.

        Args:
            data: the sample; its shape and bounds are those of the encoder.
            seed: of everything random, 0 <= seed < 2^64; an encoder that draws nothing ignores it.
            key: which sample it is, 0 <= key < 2^32. The same data, seed and key give the same spikes.

        Raises:
            ParameterError: if the data, the seed or the key do not fit.
        """
        owner = type(self).__name__
        return self._spikes(self._sample(data), generator(owner, self.stream, seed, key))

    def encode_batch(self, data, *, seed: int = 0, keys=None) -> list[Spikes]:
        """Return the spikes of many samples, each as `encode` gives it with its own key.

        Args:
            data: the samples, an array whose first axis counts them, or a sequence of samples.
            seed: of everything random, 0 <= seed < 2^64.
            keys: one key per sample, whole numbers; by default 0, 1, 2, ...

        Raises:
            ParameterError: if a sample, the seed or a key does not fit, or their numbers differ.
        """
        samples = batch(type(self).__name__, data)
        keys = batch_keys(type(self).__name__, keys, len(samples))
        return [self.encode(sample, seed=seed, key=key) for sample, key in zip(samples, keys, strict=True)]

    def _sample(self, data) -> np.ndarray:
        """Return one sample as numbers in [0, 1], float64, shape (neurons,): any shape in C order."""
        what = f"{type(self).__name__}.data"
        array = numbers(what, data, high=1.0, remedy="scale it first, as in x / x.max()")
        if array.ndim == 0:
            raise ParameterError(f"{what} must be an array of at least 1 dimension, got {describe_value(data)}; "
                                 "for encode_batch the first axis counts the samples")
        return array.ravel()

    def _spikes(self, data: np.ndarray, generator: np.random.Generator) -> Spikes:
        raise NotImplementedError


def own(default, unit="", **more) -> Parameter:
    """Return a parameter that is one number for the whole encoder."""
    return Parameter(default, unit, per_element=False, **more)


def check_seed(owner: str, seed, key) -> tuple[int, int]:
    """Return seed and key as int; raise ParameterError."""
    return checks.check_seed(f"{owner}.seed", seed), checks.check_seed(f"{owner}.key", key, 32)


def generator(owner: str, stream: int, seed, key) -> np.random.Generator:
    """Return the random numbers of one sample: Philox keyed by (seed, key), its counter by the stream."""
    words = np.array(check_seed(owner, seed, key), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(counter=np.array([0, 0, 0, stream], dtype=np.uint64), key=words))


def numbers(what: str, data, *, low: float | None = 0.0, high: float | None = None, remedy: str = "",
            convert: bool = True) -> np.ndarray:
    """Return data as an array of finite numbers from low to high, float64 if converted; raise ParameterError."""
    bounds = f" in [{low:g}, {high:g}]" if high is not None else f" >= {low:g}" if low is not None else ""
    try:
        array = np.asarray(data)
        array = array if array.dtype.kind in "fiub" else None
    except (TypeError, ValueError):
        array = None
    if array is None or array.size == 0:
        raise ParameterError(f"{what} must be finite numbers{bounds}, got {describe_value(data)}")
    first, last = array.min(), array.max()  # NaN if any is
    if np.isfinite(first) and np.isfinite(last):
        if (low is None or first >= low) and (high is None or last <= high):
            return array.astype(np.float64, copy=False) if convert else array
        bad = first if low is not None and first < low else last
    else:
        bad = array[~np.isfinite(array)][0]
        remedy = ""
    ending = f"; {remedy}" if remedy else ""
    raise ParameterError(f"{what} must be finite numbers{bounds}, got an array that holds {bad:g}{ending}")


def batch(owner: str, data):
    """Return a batch as something with a length whose items are samples; raise ParameterError."""
    array = isinstance(data, np.ndarray) and data.ndim > 0
    if array or (isinstance(data, Sequence) and not isinstance(data, (str, bytes))):
        return data
    raise ParameterError(f"{owner}.data must be an array or a list of samples, got {describe_value(data)}")


def batch_keys(owner: str, keys, many: int):
    """Return one key for each sample of a batch; raise ParameterError."""
    if keys is None:
        return range(many)
    keys = np.asarray(keys)
    if keys.shape != (many,) or keys.dtype.kind not in "iu":
        raise ParameterError(f"{owner}.keys must be whole numbers, one for each of {many} samples, "
                             f"got an array of shape {keys.shape} and type {keys.dtype}")
    return keys
