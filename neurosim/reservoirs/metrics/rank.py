"""Kernel quality and generalisation rank: how many directions the states of a reservoir span."""

import numpy as np

from neurosim.checks import check_number, check_seed, describe_value
from neurosim.errors import ParameterError
from neurosim.random import seed_words
from neurosim.reservoirs.metrics.checks import table
from neurosim.spikes import Spikes


def numerical_rank(states, tolerance: float | None = None) -> int:
    """Return the number of singular values above tolerance times the largest.

    Args:
        states: shape (samples, features).
        tolerance: relative to the largest singular value; None: the larger side of the matrix times the spacing
            of float64 at 1, as `numpy.linalg.matrix_rank` has it. States with noise need a larger one.

    >>> numerical_rank([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]])
    1
    """
    states = table("numerical_rank.states", states)
    limit = max(states.shape) * np.finfo(np.float64).eps if tolerance is None else (
        check_number("numerical_rank.tolerance", tolerance, above=0, below=1))
    values = np.linalg.svd(states, compute_uv=False)
    return int((values > limit * values[0]).sum())


def kernel_quality(states, tolerance: float | None = None) -> int:
    """Return the rank of the states that different inputs lead to: how many a linear readout can tell apart.

    Args:
        states: one state for each of m different inputs, shape (m, features); the most it can be is
            the smaller of the two.
        tolerance: as for `numerical_rank`.

    >>> import numpy as np
    >>> kernel_quality(np.eye(5)[:, :3])
    3

    Source: Legenstein, Maass, Neural Networks 20 (2007) 323.
    """
    return numerical_rank(states, tolerance)


def generalisation_rank(states, tolerance: float | None = None) -> int:
    """Return the rank of the states that versions of one input lead to: how much of the reservoir noise excites.

    The lower it is beside the kernel quality, the better the reservoir separates inputs from noise.

    Args:
        states: one state for each of m slightly different versions of one input (see `jitter`), or, the
            ranks being comparable, of inputs of one class; shape (m, features).
        tolerance: as for `numerical_rank`.

    >>> generalisation_rank([[1.0, 2.0]] * 10)
    1

    Source: Legenstein, Maass, Neural Networks 20 (2007) 323.
    """
    return numerical_rank(states, tolerance)


def jitter(spikes: Spikes, sigma: float, *, seed: int = 0, key: int = 0) -> Spikes:
    """Return spikes whose times have moved by normal amounts, reflected at the ends of the window.

    Args:
        spikes: a recording; those on a grid stay on it.
        sigma: standard deviation, ms.
        seed, key: select the random numbers; another key gives another version.

    >>> from neurosim.spikes import Spikes
    >>> moved = jitter(Spikes(ticks=[5, 50], ids=[0, 1], size=2, dt=1.0, duration=100.0), sigma=3.0)
    >>> len(moved), moved.duration
    (2, 100.0)
    """
    if not isinstance(spikes, Spikes):
        raise ParameterError(f"jitter.spikes must be Spikes, got {describe_value(spikes)}")
    sigma = check_number("jitter.sigma", sigma, "ms", above=0)
    if len(spikes) == 0:
        return spikes
    generator = np.random.default_rng([*seed_words(check_seed("jitter.seed", seed)), check_seed("jitter.key", key)])
    passed = spikes.times - spikes.start + generator.normal(0.0, sigma, len(spikes))
    passed = np.abs(passed) % (2 * spikes.duration)
    passed = np.minimum(passed, 2 * spikes.duration - passed)
    if spikes.dt is None:
        return spikes.replace(times=spikes.start + np.clip(passed, np.nextafter(0.0, 1.0) + spikes.duration * 1e-12,
                                                           spikes.duration))
    first, span = round(spikes.start / spikes.dt), round(spikes.duration / spikes.dt)
    return spikes.replace(ticks=first + np.clip(np.ceil(passed / spikes.dt), 1, span).astype(np.int64))


__all__ = ["generalisation_rank", "jitter", "kernel_quality", "numerical_rank"]
