"""The SPIKE-distance of all pairs, sixteen trains against sixteen at a time.

S_a of a pair is d_P weighted by what is left of a's interval, and d_F by what has passed. Up to a spike of either train
both weights are known; d_F is not, so its weights are added up until the spike comes and d_F with it. One pass over the
spikes of both blocks, in time, is then enough, and each spike is an event for sixteen pairs in a row, which a
processor does side by side: about four times as fast as pair after pair.
"""

import inspect
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from neurosim import machine
from neurosim.analysis.checks import check_room
from neurosim.analysis.trains import Trains
from neurosim.checks import check_whole

SIDE = 16  #: trains in a block
TOTAL, NEAR, GIVEN, TAKEN = range(4)


def spike_distances(trains: Trains, threads: int | None) -> np.ndarray:
    """Return the SPIKE-distance of each pair of trains with edges."""
    threads = machine.cores() if threads is None else check_whole("spike_distance.threads", threads, at_least=1)
    many = len(trains)
    check_room("spike_distance", many * many)
    found = np.zeros((many, many))
    blocks = -(-many // SIDE)
    when, who, first = _events(trains, blocks)

    def row(a):
        for b in range(a, blocks):
            _loop()(trains.times, trains.first, trains.span, a * SIDE, b * SIDE, when[first[a]:first[a + 1]],
                    who[first[a]:first[a + 1]], when[first[b]:first[b + 1]], who[first[b]:first[b + 1]], found)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(row, range(blocks)))
    return found


def _events(trains, blocks) -> tuple:
    """Return times and trains (within their block) of the spikes of each block, in time, and where blocks begin."""
    ids = np.repeat(np.arange(len(trains)), np.diff(trains.first))
    inside = np.ones(len(ids), dtype=bool)
    inside[trains.first[:-1]] = inside[trains.first[1:] - 1] = False
    when, ids = trains.times[inside], ids[inside]
    order = np.lexsort((when, ids // SIDE))
    return when[order], ids[order] % SIDE, np.searchsorted(ids[order] // SIDE, np.arange(blocks + 1))


def _tile(times, first, span, row, column, when_a, who_a, when_b, who_b, out):
    side = 16
    n, m = min(side, len(first) - 1 - row), min(side, len(first) - 1 - column)
    before_a, after_a, edge_a, at_a = _begin(times, first, row, n, span)
    before_b, after_b, edge_b, at_b = _begin(times, first, column, m, span)
    shape = (4, side, side)
    a, b = np.zeros(shape), np.zeros(shape)  # of each train of one block, towards each of the other
    work = np.empty(2 * side)
    i = 0
    j = 0
    while i < len(when_a) or j < len(when_b):
        if j >= len(when_b) or (i < len(when_a) and when_a[i] <= when_b[j]):
            _one_spike(when_a[i], who_a[i], before_a, after_a, edge_a, before_b, after_b, edge_b, a, b, work)
            at_a[who_a[i]] += 1
            after_a[who_a[i]] = times[at_a[who_a[i]]]
            i += 1
        else:
            _one_spike(when_b[j], who_b[j], before_b, after_b, edge_b, before_a, after_a, edge_a, b, a, work)
            at_b[who_b[j]] += 1
            after_b[who_b[j]] = times[at_b[who_b[j]]]
            j += 1
    for r in range(n):
        for c in range(m):
            if column + c > row + r:  # what is left: d stays that of the last spike
                since = max(before_a[r], before_b[c])
                one, other = max(after_a[r] - before_a[r], 1e-60), max(after_b[c] - before_b[c], 1e-60)
                weight = (span - since) / ((one + other) * (one + other))
                last = a[NEAR, r, c] * (weight * other + b[GIVEN, c, r] - a[TAKEN, r, c])
                last += b[NEAR, c, r] * (weight * one + a[GIVEN, r, c] - b[TAKEN, c, r])
                total = a[TOTAL, r, c] + b[TOTAL, c, r] + last
                out[row + r, column + c] = out[column + c, row + r] = 2.0 * total / span


def _begin(times, first, low, n, span):
    """Return for sixteen trains the edge before and the first spike, 1 until that comes, and where it is."""
    before, after, edge, at = np.zeros(16), np.full(16, span), np.ones(16), np.zeros(16, np.int64)
    for r in range(n):
        at[r] = first[low + r] + 1
        before[r], after[r] = times[at[r] - 1], times[at[r]]
    return before, after, edge, at


def _one_spike(now, r, before, after, edge, before_other, after_other, edge_other, mine, theirs, column):
    """Take in a spike of train r: all its pairs with the other block come up to now.

    NEAR is d_P. A train's weights of d_F grow at its own spikes, where they are used at once, and at those of the other
    train: the sum of these lies there, as GIVEN, and TAKEN is how much of it has been used.
    """
    since, early = before[r], edge[r]
    one = max(now - since, 1e-60)
    total, near, taken, given = mine[TOTAL, r], mine[NEAR, r], mine[TAKEN, r], mine[GIVEN, r]
    for c in range(16):
        column[c] = theirs[GIVEN, c, r]
        column[c + 16] = theirs[NEAR, c, r]
    for c in range(16):
        start = max(since, before_other[c], 0.0)
        middle = 0.5 * (start + now)
        other = max(after_other[c] - before_other[c], 1e-60)  # 0 where nothing is added
        both = one + other
        weight = (now - start) / (one * other * both * both)
        own, foreign = weight * other * other, weight * one * one
        apart = min(now - before_other[c], after_other[c] - now)
        ahead = column[c] - taken[c] + own * (middle - since + early * (now - middle))
        left = foreign * (after_other[c] - middle)
        total[c] += near[c] * own * (now - middle) + column[c + 16] * left + apart * ahead
        near[c] = apart
        taken[c] = column[c]
        given[c] += foreign * (middle - before_other[c]) + edge_other[c] * left
    before[r] = now
    edge[r] = 0.0


@cache
def _loop():
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    text = f"import numpy as np\nTOTAL, NEAR, GIVEN, TAKEN = {TOTAL}, {NEAR}, {GIVEN}, {TAKEN}\n"
    text += inspect.getsource(_tile).replace("def _tile", "def main")
    return load_function("spike_distance", text, {"_begin": _begin, "_one_spike": _one_spike})
