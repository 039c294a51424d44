"""Synapses between scattered parts of populations, laid over the range from the first member to the last.

A rule is drawn between the members alone. What is laid is as wide as the part reaches, with nothing at those between,
so that rows, targets and all that is kept for each of them are ranges for the kernels. Members ascend, so the order of
synapses is the same in both numberings.
"""

from dataclasses import replace

import numpy as np

from neurosim.engine.synapses import Connectivity, Part
from neurosim.engine.synapses.drawing import target_type
from neurosim.network import Population


def bounds_within(part: Population, bounds: np.ndarray) -> np.ndarray:
    """Return the bounds of ranges of a whole population as bounds among the members of a part."""
    if part.scattered is None:
        return np.clip(bounds - part.start, 0, part.size)
    return np.searchsorted(part.scattered, bounds)


def spread_out(made: Connectivity, source: Population, target: Population, bounds: np.ndarray) -> Connectivity:
    """Return synapses between the members of two parts as synapses between all from the first to the last.

    Args:
        made: the synapses, numbered by the members of the parts.
        source, target: the parts.
        bounds: of the ranges of targets, counted from the first member in the whole population.
    """
    widest = target_type(int(np.diff(bounds).max(initial=0)))
    parts = [_spread(part, source, target, int(first), widest)
             for part, first in zip(made.parts, bounds[:-1], strict=True)]
    return replace(made, parts=parts, n_source=source.span, n_target=target.span)


def _spread(part: Part, source, target, first: int, widest) -> Part:
    ids = target.ids[part.first + part.target.astype(np.int64)] - target.start
    start, offsets = part.start, part.offsets
    if source.scattered is not None:
        start, offsets = rows_spread(source, start), None if offsets is None else tables_spread(source, offsets)
    return Part(first, start, offsets, (ids - first).astype(widest), part.values)


def rows_spread(source: Population, start: np.ndarray) -> np.ndarray:
    """Return where rows begin, one for each from the first member of a part to its last."""
    counts = np.zeros(source.span, np.int64)
    counts[source.ids - source.start] = np.diff(start)
    return np.concatenate([[0], np.cumsum(counts)])


def tables_spread(source: Population, offsets: np.ndarray) -> np.ndarray:
    """Return the tables of delays of rows, one for each from the first member of a part to its last."""
    spread = np.zeros((source.span, offsets.shape[1]), offsets.dtype)
    spread[source.ids - source.start] = offsets
    return spread


def numbers_within(part: Population, numbers: np.ndarray) -> np.ndarray:
    """Return which members have some numbers that count from the first of them in the whole population."""
    return numbers if part.scattered is None else part.places(numbers + numbers.dtype.type(part.start))


__all__ = ["bounds_within", "numbers_within", "rows_spread", "spread_out", "tables_spread"]
