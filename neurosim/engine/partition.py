"""Into how many parts a network is cut, one for each thread or more, and which neurons each part has."""

import numpy as np

from neurosim.engine.inputs import GROUP
from neurosim.network import Network

SMALLEST_PART = 4096  #: updates of neurons, or as much work, in a tick: threads with less wait more than they do


REACH = 1 << 16  #: targets that 16 bits tell apart


def parts_of(net: Network, threads: int, packed: bool = False) -> int:
    """Return into how many parts a network is cut: one for each thread that it is worth.

    Where synapses are packed, there are at least so many parts that 16 bits tell the targets of each apart.
    """
    work = sum(p.size for p in net.populations) + sum(map(_arrivals, net.projections))
    largest = max((p.target.base.size for p in net.projections), default=0) if packed else 0
    return int(max(1, min(threads, work // SMALLEST_PART), -(-largest // REACH)))


def _arrivals(projection) -> float:
    """Return what the arrivals of a tick take, in updates of neurons, at 10 Hz and 0.1 ms.

    One takes as long as 10 updates; where synapses learn from it 100; in a row that is added as a whole 2.
    """
    source, target = projection.source.size, projection.target.size
    synapses = projection.rule.expected(source, target, projection.shift)
    if any(rule.on_source or rule.between or rule.on_period for rule in projection.plasticity):
        return synapses / 10
    whole = synapses == source * target and projection.device is None and projection.release is None
    return synapses / (500 if whole else 100)


def split(size: int, parts: int, turn: int, whole: bool = False) -> np.ndarray:
    """Return the bounds of the parts of a population at multiples of GROUP.

    A population that is too small for all goes to a part by its turn; one that must stay whole, to the first.
    """
    if whole:
        return np.array([0, *[size] * parts])
    groups = -(-size // GROUP)
    if groups >= parts:
        return np.minimum(np.array([groups * t // parts for t in range(parts + 1)]) * GROUP, size)
    owner = turn % parts
    return np.array([0 if t <= owner else size for t in range(parts + 1)])
