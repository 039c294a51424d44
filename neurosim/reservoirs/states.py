"""Features of the states of any network, for many inputs."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError, warn
from neurosim.progress import progress_bar
from neurosim.reservoirs.features import Counts, Feature, as_features
from neurosim.simulation import Simulation
from neurosim.spikes import Spikes

CHUNK = 256  #: samples whose spikes are in memory at once
Features: TypeAlias = Feature | Sequence[Feature] | None
Keys: TypeAlias = Sequence[int] | np.ndarray | None


def states(sim: Simulation, samples: Iterable[Spikes], duration: float, features: Features = None, *,
           population: str = "liquid", keys: Keys = None, threads: int | None = None,
           progress: bool = False) -> np.ndarray:
    """Return a vector of features for each of many inputs to any network, each run from its present state.

    Only features are kept; the spikes of at most 256 samples are in memory at once.

    Args:
        sim: a simulation of a network with one `SpikeSource`, in which the spikes of `population` are recorded.
        samples: `Spikes` for the source, one recording each.
        duration: ms that each runs.
        features: a feature map, or several, whose vectors are put one after the other; by default `Counts()`.
        population: whose features, by name.
        keys, threads, progress: as for `Simulation.run_batch`.

    Returns:
        float32 array of shape (samples, features).

    Raises:
        ParameterError: an argument does not fit; the message names the sample.
        NetworkError: what a feature needs is not recorded.

    Warns:
        NeurosimWarning: samples have spikes, and the population never does.

    >>> import neurosim as ns
    >>> from neurosim.reservoirs import BinnedCounts, maass_column, states
    >>> sim = ns.Simulation(maass_column(4), dt=0.1)
    >>> silence = ns.Spikes(ticks=[], ids=[], size=4, dt=0.1, duration=20.0)
    >>> states(sim, [silence], 20.0, BinnedCounts(2), threads=1).any()
    np.False_
    """
    features = as_features(Counts() if features is None else features)
    if isinstance(samples, (Spikes, str)) or not isinstance(samples, Iterable):
        raise ParameterError(f"samples must be a list of Spikes, one recording each, got {describe_value(samples)}")
    samples = list(samples)
    if keys is not None and len(list(keys)) != len(samples):
        raise ParameterError(f"keys must be one for each of the {len(samples)} samples, got {len(list(keys))}")
    rows, table, silent = 0, None, any(isinstance(each, Spikes) and len(each) for each in samples)
    with progress_bar(progress, len(samples), "samples") as done:
        for first in range(0, len(samples), CHUNK):
            part = slice(first, first + CHUNK)
            numbers = range(len(samples))[part] if keys is None else keys[part]
            for result in sim.run_batch(samples[part], duration, keys=numbers, threads=threads):
                vector = np.concatenate([_of(feature, result, population) for feature in features])
                if table is None:
                    table = np.empty((len(samples), vector.size), np.float32)
                table[rows] = vector
                silent = silent and not len(result.spikes(population))
                rows += 1
            done(rows)
    if silent:
        warn(f"population {population!r} has not spiked in any of {len(samples)} samples: their features "
             "tell nothing, as its input is too weak; raise its weights, or how many inputs a neuron has")
    return np.empty((0, 0), np.float32) if table is None else table


def _of(feature, result, population):
    if feature.variable:
        return feature.last(result.trace(population, feature.variable)[1])
    return feature.vector(result.spikes(population))


__all__ = ["CHUNK", "states"]
