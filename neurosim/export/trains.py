"""Spikes ordered by neuron, as most tools keep them: one pass of a compiled loop, and one array as the result."""

import inspect
from functools import cache
from typing import NamedTuple

import numpy as np

from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


class Trains(NamedTuple):
    """The trains of the watched neurons, one behind the other.

    Attributes:
        units: what each neuron is called outside, 64-bit integers, shape (n,).
        ends: where each train ends, int64, shape (n,).
        times: ascending in each train, float64, shape (n_spikes,).
    """

    units: np.ndarray
    ends: np.ndarray
    times: np.ndarray


def known(spikes: Spikes) -> Spikes:
    """Return what a file of another tool holds of some spikes: of neurons with unit_ids, the watched ones alone."""
    if not isinstance(spikes, Spikes):
        raise ParameterError(f"spikes must be Spikes, got {type(spikes).__name__}")
    return spikes if spikes.unit_ids is None else spikes.watched_only()


def unit_of(spikes: Spikes) -> np.ndarray:
    """Return what each neuron is called outside, by its number: unit_ids, or the numbers themselves."""
    return np.arange(spikes.size) if spikes.unit_ids is None else spikes.unit_ids


def rows_of(spikes: Spikes) -> np.ndarray:
    """Return the numbers of the watched neurons."""
    return np.arange(spikes.size) if spikes.watched is None else spikes.watched.astype(np.int64)


def trains(spikes: Spikes, per_ms: int = 1) -> Trains:
    """Return spikes by neuron, with times in ms, or in s with `per_ms` = 1000.

    Beside the result nothing is as large as the spikes.

    >>> trains(Spikes(ticks=[1, 2, 3], ids=[1, 0, 1], size=3, duration=1.5, dt=0.5))
    Trains(units=array([0, 1, 2]), ends=array([1, 3, 3]), times=array([1. , 0.5, 1.5]))
    """
    rows = rows_of(spikes)
    counts = np.bincount(spikes.ids, minlength=spikes.size)[:spikes.size] if len(spikes) else np.zeros(spikes.size, int)
    place = np.cumsum(counts) - counts
    times = np.empty(len(spikes))
    exact = spikes.dt is None
    _compiled()(spikes.times if exact else spikes.ticks, spikes.ids, 1.0 if exact else spikes.dt, float(per_ms), place,
                times)
    return Trains(unit_of(spikes)[rows], place[rows], times)


def by_neuron(stamps, ids, dt, per_ms, place, out):
    """Write the time of each spike behind those of its neuron before it; `place` then tells where trains end."""
    for k in range(len(ids)):
        neuron = ids[k]
        out[place[neuron]] = stamps[k] * dt / per_ms
        place[neuron] += 1


@cache
def _compiled():
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    return load_function("by_neuron", inspect.getsource(by_neuron).replace("def by_neuron", "def main"), {})
