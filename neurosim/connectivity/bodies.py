"""Scalar bodies that several rules share; the engine compiles them."""

import math

import numpy as np

from neurosim.random import philox, uniform53

CHUNK = 32  #: random words that are drawn at once, so that the loop vectorises
GAP_BITS = 14  #: bits of a random word for which there is a table of gaps
GAP_SHIFT = np.uint64(32 - GAP_BITS)
ZERO = np.uint64(0)
_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_ALL = np.uint64(1 << 32)
_GOLDEN = np.uint64(0x9E3779B1)
_EMPTY = np.uint32(0xFFFFFFFF)
NOBODY = 1 << 40  #: a shift that leaves nobody out: no partner has such a number


def below(word, bound, index, row, stream, k0, k1):
    """Return a whole number below `bound`, every one exactly equally likely, from a random word.

    Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019) 3.
    """
    product = word * bound
    attempt = ZERO
    while (product & _LOW) < (_ALL - bound) % bound:
        attempt += np.uint64(1)
        product = philox(index, row, stream, attempt, k0, k1)[0] * bound
    return product >> _32


def fill_words(first, count, row, stream, k0, k1, out):
    """Write at least `count` random words to `out`, from block `first` on and in whole blocks of four."""
    for block in range((count + 3) // 4):
        a, b, c, d = philox(np.uint64(first + block), row, stream, ZERO, k0, k1)
        out[4 * block] = a
        out[4 * block + 1] = b
        out[4 * block + 2] = c
        out[4 * block + 3] = d


def degree(row, ints):
    """Return how many partners a row has: ints[1:] holds one number for all rows or one for each."""
    return ints[1 + min(row, ints.size - 2)]


def own_place(row, n_partner, shift):
    """Return which partner is the row's own neuron and left out, or n_partner where none is."""
    own = row + shift
    return own if 0 <= own < n_partner else n_partner


def any_partners(row, n_partner, ints, floats, k0, k1, stream, out):
    """Scalar body: a given number of partners, each drawn from all."""
    count = degree(row, ints)
    if count == 0:
        return count
    own = own_place(row, n_partner, ints[0])
    bound = np.uint64(n_partner - (own < n_partner))
    hole = np.uint64(own)
    least = (_ALL - bound) % bound
    fill_words(0, count, np.uint64(row), stream, k0, k1, out)
    biased = 0
    for k in range(count):
        biased += ((np.uint64(out[k]) * bound) & _LOW) < least
    if biased:
        for k in range(count):
            attempt = ZERO
            while ((np.uint64(out[k]) * bound) & _LOW) < least:
                attempt += np.uint64(1)
                out[k] = philox(np.uint64(k), np.uint64(row), stream, attempt, k0, k1)[0]
    for k in range(count):
        partner = (np.uint64(out[k]) * bound) >> _32
        out[k] = partner + np.uint64(partner >= hole)
    return count


def table_size(count):
    """Return the size of the hash table for so many partners: a power of two, at most half full."""
    size = 4
    while size < 2 * count:
        size *= 2
    return size


def distinct_partners(row, n_partner, ints, floats, k0, k1, stream, out):
    """Scalar body: a given number of partners, no two the same.

    Few out of many are drawn again until new, with a hash table of those that were drawn behind the
    result in `out`; many are chosen in one pass over all (Knuth, TAOCP 2, 3.4.2, algorithm S).
    """
    count = degree(row, ints)
    hole = own_place(row, n_partner, ints[0])
    pool = n_partner - (hole < n_partner)
    if 4 * count > pool:
        chosen = 0
        candidate = 0
        block = 0
        while chosen < count:
            a, b, c, d = philox(np.uint64(block), np.uint64(row), stream, ZERO, k0, k1)
            block += 1
            for high, low in ((a, b), (c, d)):
                if chosen < count:
                    if uniform53(high, low) * (pool - candidate) < count - chosen:
                        out[chosen] = candidate + (candidate >= hole)
                        chosen += 1
                    candidate += 1
        return count
    size = table_size(count)
    table = out[count:count + size]
    table[:] = _EMPTY
    mask = np.uint64(size - 1)
    bound = np.uint64(max(pool, 1))
    least = (_ALL - bound) % bound
    chosen = 0
    block = 0
    while chosen < count:
        for word in philox(np.uint64(block), np.uint64(row), stream, ZERO, k0, k1):
            product = word * bound
            if chosen < count and (product & _LOW) >= least:
                partner = np.uint32(product >> _32)
                slot = ((np.uint64(partner) * _GOLDEN) & _LOW) >> np.uint64(7) & mask
                while table[slot] != _EMPTY and table[slot] != partner:
                    slot = (slot + np.uint64(1)) & mask
                if table[slot] == _EMPTY:
                    table[slot] = partner
                    out[chosen] = np.int64(partner) + (np.int64(partner) >= hole)
                    chosen += 1
        block += 1
    return count


def skip(first, last, hole, inverse, gaps, block, row, stream, k0, k1, words, out, count):
    """Append each of first .. last - 1 but the hole with probability p; return (count, block).

    The gap to the next success is geometric: floor(log(u) / log(1 - p)), with inverse = 1 / log(1 - p);
    `gaps` may hold it for the first bits of u, and -1 where they do not decide.
    """
    if not first <= hole < last:
        hole = last
    size = np.float64(last - first - (hole < last))
    position = 0.0 if inverse > -math.inf else size  # p = 0
    while position < size:
        fill_words(block, CHUNK, row, stream, k0, k1, words)
        block += CHUNK // 4
        for j in range(CHUNK // 2):
            high = np.uint64(words[2 * j])
            gap = -1.0
            if gaps.size:
                gap = gaps[high >> GAP_SHIFT]
            if gap < 0.0:
                gap = np.floor(math.log(uniform53(high, np.uint64(words[2 * j + 1]))) * inverse)
            position += gap
            if position >= size:
                break
            partner = first + np.int64(position)
            out[count] = partner + (partner >= hole)
            count += 1
            position += 1.0
    return count, block


def inverse_log(p):
    """Return 1 / log(1 - p), which is -inf for p = 0 and 0 for p = 1."""
    with np.errstate(divide="ignore"):
        return 1.0 / np.log1p(-np.atleast_1d(np.asarray(p, np.float64)))


def gap_table(inverse):
    """Return the gap for each value of the first bits of u, or -1 where the others decide."""
    lowest = np.arange(1 << GAP_BITS, dtype=np.uint64) << GAP_SHIFT
    highest = lowest | ((np.uint64(1) << GAP_SHIFT) - np.uint64(1))
    longest = np.log(uniform53(lowest, ZERO)) * inverse * (1 + 1e-12)
    shortest = np.log(np.minimum(uniform53(highest, _LOW), 1 - 2**-53)) * inverse * (1 - 1e-12)
    return np.where(np.floor(longest) == np.floor(shortest), np.floor(shortest), -1.0)
