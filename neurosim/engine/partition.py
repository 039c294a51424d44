"""Into how many parts a network is cut, one for each thread, and which neurons each part has."""

import numpy as np

from neurosim.engine.inputs import GROUP
from neurosim.network import Network

SMALLEST_PART = 4096  #: updates of neurons, or as much work, in a tick: threads with less wait more than they do


def parts_of(net: Network, threads: int) -> int:
    """Return into how many parts, one for each thread, a network is worth cutting."""
    work = sum(p.size for p in net.populations)
    for projection in net.projections:  # at 10 Hz and 0.1 ms, and an arrival takes as long as 10 updates, or 100
        synapses = projection.rule.expected(projection.source.size, projection.target.size, projection.shift)
        work += synapses / (10 if projection.plasticity else 100)
    return int(max(1, min(threads, work // SMALLEST_PART)))


def split(size: int, threads: int, turn: int, whole: bool = False) -> np.ndarray:
    """Return the bounds of the parts of a population, one for each thread, at multiples of GROUP.

    A population that is too small for all goes to a thread by its turn; one that must stay whole, to the first.
    """
    if whole:
        return np.array([0, *[size] * threads])
    groups = -(-size // GROUP)
    if groups >= threads:
        return np.minimum(np.array([groups * t // threads for t in range(threads + 1)]) * GROUP, size)
    owner = turn % threads
    return np.array([0 if t <= owner else size for t in range(threads + 1)])
