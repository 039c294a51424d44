"""The inputs of many samples as flat arrays, in the order of time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


class Given:
    """Given spikes of all samples and sources.

    Args:
        layout: the network.
        inputs: of the only source, or by the names of sources: an array of one spike time (ms) for each sample and
            neuron, inf where there is none; or for each sample a `Spikes`, or (times, ids).
        duration: ms.

    Attributes:
        starts: where each sample begins; times, ids, of: of each spike, the last one the place of its population.
    """

    def __init__(self, layout, inputs: Any, duration: float):
        sources = {p.name: p for p in layout.index if layout.plan.populations[p].form is None}
        self.by_name = inputs if isinstance(inputs, Mapping) else dict.fromkeys(sources, inputs)
        if not isinstance(inputs, Mapping) and len(sources) != 1:
            raise ParameterError(f"inputs must be given by the names of the sources ({', '.join(sources) or 'none'}) "
                                 f"where there is not just one, got {describe_value(inputs)}")
        if set(self.by_name) != set(sources):
            raise ParameterError(f"inputs must name the sources {', '.join(sources)}, got "
                                 f"{', '.join(map(str, self.by_name))}")
        flat = {name: _flat(name, p.size, self.by_name[name]) for name, p in sources.items()}
        self.lengths = {name: times.size for name, (_, times, _, _) in flat.items()}
        counts = {count for _, _, _, count in flat.values()}
        if len(counts) > 1:
            raise ParameterError(f"inputs must have as many samples for every source, got {sorted(counts)}")
        self.count = counts.pop() if counts else 1
        sample, times, ids, of = np.concatenate([np.zeros((4, 0)), *(
            np.stack([sample, times, ids, np.full(times.size, layout.index[sources[name]])])
            for name, (sample, times, ids, _) in flat.items())], axis=1)
        bad = ~((times >= 0.0) & (times <= duration))
        if bad.any():
            raise ParameterError(f"given spikes must lie in 0 .. {duration:g} ms, got one at {times[bad][0]:g} in "
                                 f"sample {int(sample[bad][0])}; inf, or nothing, stands for no spike")
        keys = (times, sample) if len(flat) == 1 else (of, times, sample)
        self.order = np.lexsort(keys)  # which is stable: spikes of one time stay as they were given
        self.starts = np.searchsorted(sample[self.order], np.arange(self.count + 1)).astype(np.int64)
        self.times = times[self.order]
        self.ids, self.of = ids[self.order].astype(np.int64), of[self.order].astype(np.int64)

    def shaped(self, values: np.ndarray) -> dict:
        """Return a value of each given spike in the form in which the spikes were given."""
        found, at = {}, 0
        for name, count in self.lengths.items():
            given, part = self.by_name[name], values[at:at + count]
            at += count
            if isinstance(given, np.ndarray):
                found[name] = np.zeros(given.shape)
                found[name][np.isfinite(given)] = part
                continue
            sizes = [len(each if isinstance(each, Spikes) else each[0]) for each in given]
            found[name] = np.split(part, np.cumsum(sizes)[:-1])
        return found


def _flat(name, size, given) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return sample, time and neuron of each spike, and the number of samples."""
    if isinstance(given, np.ndarray) and given.dtype.kind in "fiu":
        if given.ndim != 2 or given.shape[1] != size or np.isnan(given).any():
            raise ParameterError(f"inputs of {name!r} must be times in ms of shape (samples, {size}), inf where "
                                 f"there is no spike, got {describe_value(given)}")
        flat = given.ravel()
        at = np.flatnonzero(np.isfinite(flat))
        sample, ids = np.divmod(at, max(size, 1))
        return sample, flat[at].astype(np.float64), ids, len(given)
    if isinstance(given, Spikes) or not isinstance(given, Sequence):
        raise ParameterError(f"inputs of {name!r} must be one Spikes, or (times, ids), for each sample, or an array of "
                             f"shape (samples, {size}), got {describe_value(given)}")
    pairs = [(each.times, each.ids) if isinstance(each, Spikes) else each for each in given]
    found = [[], [], []]
    for k, pair in enumerate(pairs):
        try:
            times, ids = (np.asarray(each) for each in pair)
            times = times.astype(np.float64)
        except (TypeError, ValueError):
            times, ids = np.zeros(1), np.zeros(0)
        if times.ndim != 1 or times.shape != ids.shape or (ids.size and ids.dtype.kind not in "iu") or (
                not np.isfinite(times).all()):
            raise ParameterError(f"sample {k} of the inputs of {name!r} must be a Spikes, or (times, ids) of finite "
                                 f"times in ms and whole numbers, got {describe_value(pair)}")
        if ids.size and not 0 <= ids.min() <= ids.max() < size:
            raise ParameterError(f"ids of sample {k} of the inputs of {name!r} must be in 0 .. {size - 1}, got "
                                 f"{ids.min()} .. {ids.max()}")
        for column, part in zip(found, (np.full(times.size, k), times, ids), strict=True):
            column.append(part)
    sample, times, ids = (np.concatenate([np.zeros(0, int), *each]) for each in found)
    return sample, times, ids, len(pairs)
