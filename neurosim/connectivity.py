"""Rules that say which neuron connects to which; described here, drawn when a network is laid out.

Every rule makes its connections row by row, and each row from its own random numbers, so that the
result does not depend on threads and needs no memory beyond itself. The contract for a new rule is
the docstring of `Rule`.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

from neurosim.checks import REQUIRED, Option, Parameter, Parametrised, Samples, describe_value
from neurosim.errors import ParameterError
from neurosim.maths import exp
from neurosim.random import philox, uniform53

__all__ = ["AllToAll", "Blocks", "DistanceDependent", "Explicit", "FixedInDegree", "FixedOutDegree",
           "FixedProbability", "FixedTotal", "OneToOne", "SmallWorld", "Sparse"]

_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_ALL = np.uint64(1 << 32)
_ZERO = np.uint64(0)
_GOLDEN = np.uint64(0x9E3779B1)
_EMPTY = np.uint32(0xFFFFFFFF)
_CHUNK = 32  # random words that are drawn at once, so that the loop vectorises
_GAP_BITS = 14
_GAP_SHIFT = np.uint64(32 - _GAP_BITS)
_PAIRS = 4_000_000  # pairs that DistanceDependent looks at to estimate how many it will connect


class Rows(NamedTuple):
    """What a rule prepares before its rows are drawn.

    Attributes:
        capacity: most entries that `partners` writes to `out` in one row, its scratch included.
        ints: 1-D array of whole numbers, handed to `partners` as it is.
        floats: 1-D array of float64, handed to `partners` as it is.
        starts: where the values of each row begin, for a rule that takes one value per synapse.
        order: for each synapse in the order of the rows, its place among the values as given.
    """

    capacity: int
    ints: np.ndarray
    floats: np.ndarray = np.empty(0)
    starts: np.ndarray | None = None
    order: np.ndarray | None = None


class Rule(Parametrised, ABC):
    """Base of the rules: what a row is, how many synapses there are, and who is in a row.

    A rule declares its parameters and gives

    - `by`: "source" if a row holds the targets of one source, "target" if the sources of one target;
    - `ascending`: True where the partners in a row always ascend;
    - `exact`: True where `expected` is the number of synapses itself;
    - `check(n_source, n_target, same)`: raises ParameterError for what cannot be done;
    - `expected(n_source, n_target, same)`: expected number of synapses;
    - `prepare(n_source, n_target, same, generator)`: a `Rows`, made once with numpy; the generator
      depends on nothing but the seed and the projection;
    - `partners(row, n_partner, ints, floats, k0, k1, stream, out)`: a static scalar body (plain
      Python that Numba can compile) which writes the partners of a row to `out`, an array of uint32,
      in an order that depends on nothing else, and returns how many there are. Its random words come
      from `philox(word, row, stream, attempt, k0, k1)`.

    `same` says that both sides are one population, so that a neuron may meet itself.
    """

    by: ClassVar[str] = "source"
    ascending: ClassVar[bool] = False
    exact: ClassVar[bool] = False

    def check(self, n_source: int, n_target: int, same: bool) -> None:
        """Raise ParameterError if the rule cannot connect populations of these sizes."""

    @abstractmethod
    def expected(self, n_source: int, n_target: int, same: bool) -> float:
        """Return the expected number of synapses."""

    @abstractmethod
    def prepare(self, n_source: int, n_target: int, same: bool, generator: np.random.Generator) -> Rows:
        """Return what `partners` needs."""

    def expected_into(self, first: int, last: int, n_source: int, n_target: int, same: bool) -> float:
        """Return about how many of the synapses reach targets first .. last - 1; too few costs a second pass."""
        return self.expected(n_source, n_target, same) * (last - first) / max(n_target, 1)

    def weights(self) -> np.ndarray | None:
        """Return the weights that the rule itself brings, one per synapse, or None."""
        return None

    def excludes_self(self, same: bool) -> bool:
        """Return whether connections of a neuron to itself are left out."""
        return same and not getattr(self, "self_connections", True)

    def refuse(self, name: str, must: str, got=None):
        """Raise the one form of message for a parameter that does not fit the populations."""
        got = describe_value(getattr(self, name)) if got is None else got
        raise ParameterError(f"{type(self).__name__}.{name} must {must}, got {got}")


# Kinds of parameters that only rules have


class Vector(Parameter):
    """A number or a short sequence of numbers; kept as a number or a tuple."""

    def __init__(self, default=REQUIRED, unit="", *, longest=None, scalar=True, **bounds):
        super().__init__(default, unit, per_element=False, **bounds)
        self.longest, self.scalar = longest, scalar

    def requirement(self, forms: bool = False) -> str:
        """What a value must be, as the middle of the message."""
        kind = "whole numbers" if self.integer else "finite numbers"
        text = " ".join(part for part in (kind, self.bounds, self.unit) if part)
        several = f"1 to {self.longest}" if self.longest else "a sequence of"
        return f"{'one or ' if self.scalar else ''}{several} {text}" + (", or None" if self.optional else "")

    def check(self, owner, value):
        """Return the value as a number or a tuple; raise ParameterError."""
        if value is None and self.optional:
            return None
        array = _numbers(self, owner, value)
        fits = array.ndim == 1 or (array.ndim == 0 and self.scalar)
        if not fits or not self.holds(array) or (self.longest and array.size > self.longest):
            self.refuse(owner, value, array)
        return array.astype(np.int64).tolist() if array.ndim == 0 and self.integer else (
            float(array) if array.ndim == 0 else tuple(map(int if self.integer else float, array)))


class Array(Parameter):
    """An array of numbers with a fixed number of axes; kept as a read-only copy."""

    def __init__(self, default=REQUIRED, unit="", *, ndim, dtype=np.float64, **bounds):
        super().__init__(default, unit, per_element=False, **bounds)
        self.ndim, self.dtype = ndim, dtype

    def requirement(self, forms: bool = False) -> str:
        """What a value must be, as the middle of the message."""
        kind = "whole numbers" if self.integer else "finite numbers"
        text = " ".join(part for part in (kind, self.bounds, self.unit) if part)
        return f"a {self.ndim}-D array of {text}" + (", or None" if self.optional else "")

    def check(self, owner, value):
        """Return the value as a read-only array; raise ParameterError."""
        if value is None and self.optional:
            return None
        array = _numbers(self, owner, value)
        if array.ndim != self.ndim or not (array.size == 0 or self.holds(array)):
            self.refuse(owner, value, array)
        array = np.array(array, self.dtype)
        array.setflags(write=False)
        return array


class Entries:
    """The entries of a matrix: sources, targets and weights in the order in which they were given."""

    def __init__(self, shape, sources, targets, weights):
        self.shape, self.sources, self.targets, self.weights = shape, sources, targets, weights
        for array in (sources, targets, weights):
            array.setflags(write=False)

    def __eq__(self, other):
        return isinstance(other, Entries) and self.shape == other.shape and all(
            np.array_equal(a, b) for a, b in zip(self._arrays(), other._arrays(), strict=True))

    def __hash__(self):
        return hash((self.shape, *(array.tobytes() for array in self._arrays())))

    def __repr__(self):
        return f"<{self.shape[0]} x {self.shape[1]} matrix with {self.weights.size} entries>"

    def _arrays(self):
        return self.sources, self.targets, self.weights


class Matrix(Parameter):
    """A scipy sparse matrix or a dense 2-D array; kept as `Entries`."""

    def requirement(self, forms: bool = False) -> str:
        """What a value must be, as the middle of the message."""
        return "a scipy sparse matrix or a 2-D array of finite numbers"

    def check(self, owner, value):
        """Return the entries of the matrix; raise ParameterError."""
        if isinstance(value, Entries):
            return value
        if hasattr(value, "tocoo"):
            entries = value.tocoo()
            sources, targets, weights = entries.row, entries.col, entries.data
        else:
            value = _numbers(self, owner, value)
            if value.ndim != 2:
                self.refuse(owner, value)
            sources, targets = np.nonzero(value)
            weights = value[sources, targets]
        if not np.isfinite(weights).all():
            bad = np.asarray(weights)[~np.isfinite(weights)][0]
            raise ParameterError(f"{owner}.{self.name} must be {self.requirement()}, got an entry {bad}")
        return Entries(tuple(map(int, value.shape)), np.array(sources, np.uint32), np.array(targets, np.uint32),
                       np.array(weights, np.float64))


def _numbers(parameter, owner, value):
    """Return a value as an array of float64; refuse what is no number."""
    if isinstance(value, (bool, np.bool_, str, bytes, Samples)) or value is None:
        parameter.refuse(owner, value)
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError):
        parameter.refuse(owner, value)


def _allow_self():
    return Option(True, (True, False), doc="whether a neuron may connect to itself (within one population)")


def _allow_multiple():
    return Option(True, (True, False), doc="whether a pair may be connected more than once")


def _count(doc):
    return Parameter(doc=doc, at_least=0, integer=True, per_element=False)


def _probability(doc):
    return Parameter(doc=doc, at_least=0, at_most=1, per_element=False)


# Scalar bodies that several rules share


def _below(word, bound, index, row, stream, k0, k1):
    """Return a whole number below `bound`, every one exactly equally likely, from a random word.

    Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019) 3.
    """
    product = word * bound
    attempt = _ZERO
    while (product & _LOW) < (_ALL - bound) % bound:
        attempt += np.uint64(1)
        product = philox(index, row, stream, attempt, k0, k1)[0] * bound
    return product >> _32


def _fill_words(first, count, row, stream, k0, k1, out):
    """Write at least `count` random words to `out`, from block `first` on and in whole blocks of four."""
    for block in range((count + 3) // 4):
        a, b, c, d = philox(np.uint64(first + block), row, stream, _ZERO, k0, k1)
        out[4 * block] = a
        out[4 * block + 1] = b
        out[4 * block + 2] = c
        out[4 * block + 3] = d


def _degree(row, ints):
    """Return how many partners a row has: ints[1:] holds one number for all rows or one for each."""
    return ints[1 + min(row, ints.size - 2)]


def _any_partners(row, n_partner, ints, floats, k0, k1, stream, out):
    """Scalar body: a given number of partners, each drawn from all."""
    count = _degree(row, ints)
    if count == 0:
        return count
    bound = np.uint64(n_partner - ints[0])
    hole = np.uint64(row if ints[0] else n_partner)
    least = (_ALL - bound) % bound
    _fill_words(0, count, np.uint64(row), stream, k0, k1, out)
    biased = 0
    for k in range(count):
        biased += ((np.uint64(out[k]) * bound) & _LOW) < least
    if biased:
        for k in range(count):
            attempt = _ZERO
            while ((np.uint64(out[k]) * bound) & _LOW) < least:
                attempt += np.uint64(1)
                out[k] = philox(np.uint64(k), np.uint64(row), stream, attempt, k0, k1)[0]
    for k in range(count):
        partner = (np.uint64(out[k]) * bound) >> _32
        out[k] = partner + np.uint64(partner >= hole)
    return count


def _table_size(count):
    size = 4
    while size < 2 * count:
        size *= 2
    return size


def _distinct_partners(row, n_partner, ints, floats, k0, k1, stream, out):
    """Scalar body: a given number of partners, no two the same.

    Few out of many are drawn again until new, with a hash table of those that were drawn behind the
    result in `out`; many are chosen in one pass over all (Knuth, TAOCP 2, 3.4.2, algorithm S).
    """
    count = _degree(row, ints)
    pool = n_partner - ints[0]
    hole = row if ints[0] else n_partner
    if 4 * count > pool:
        chosen = 0
        candidate = 0
        block = 0
        while chosen < count:
            a, b, c, d = philox(np.uint64(block), np.uint64(row), stream, _ZERO, k0, k1)
            block += 1
            for high, low in ((a, b), (c, d)):
                if chosen < count:
                    if uniform53(high, low) * (pool - candidate) < count - chosen:
                        out[chosen] = candidate + (candidate >= hole)
                        chosen += 1
                    candidate += 1
        return count
    size = _table_size(count)
    table = out[count:count + size]
    table[:] = _EMPTY
    mask = np.uint64(size - 1)
    bound = np.uint64(max(pool, 1))
    least = (_ALL - bound) % bound
    chosen = 0
    block = 0
    while chosen < count:
        for word in philox(np.uint64(block), np.uint64(row), stream, _ZERO, k0, k1):
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


def _skip(first, last, hole, inverse, gaps, block, row, stream, k0, k1, words, out, count):
    """Append each of first .. last - 1 but the hole with probability p; return (count, block).

    The gap to the next success is geometric: floor(log(u) / log(1 - p)), with inverse = 1 / log(1 - p);
    `gaps` may hold it for the first bits of u, and -1 where they do not decide.
    """
    if not first <= hole < last:
        hole = last
    size = np.float64(last - first - (hole < last))
    position = 0.0 if inverse > -math.inf else size  # p = 0
    while position < size:
        _fill_words(block, _CHUNK, row, stream, k0, k1, words)
        block += _CHUNK // 4
        for j in range(_CHUNK // 2):
            high = np.uint64(words[2 * j])
            gap = -1.0
            if gaps.size:
                gap = gaps[high >> _GAP_SHIFT]
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


def _inverse_log(p):
    """Return 1 / log(1 - p), which is -inf for p = 0 and 0 for p = 1."""
    with np.errstate(divide="ignore"):
        return 1.0 / np.log1p(-np.atleast_1d(np.asarray(p, np.float64)))


def _gaps(inverse):
    """Return the gap for each value of the first bits of u, or -1 where the others decide."""
    lowest = np.arange(1 << _GAP_BITS, dtype=np.uint64) << _GAP_SHIFT
    highest = lowest | ((np.uint64(1) << _GAP_SHIFT) - np.uint64(1))
    longest = np.log(uniform53(lowest, _ZERO)) * inverse * (1 + 1e-12)
    shortest = np.log(np.minimum(uniform53(highest, _LOW), 1 - 2**-53)) * inverse * (1 - 1e-12)
    return np.where(np.floor(longest) == np.floor(shortest), np.floor(shortest), -1.0)


# The rules


class AllToAll(Rule):
    """Connects every source with every target.

    Args:
        self_connections: whether a neuron may connect to itself (within one population).

    >>> AllToAll(self_connections=False).expected(10, 10, same=True)
    90.0
    """

    ascending = exact = True
    self_connections = _allow_self()

    def expected(self, n_source, n_target, same):
        """Return the number of synapses."""
        return float(n_source * n_target - (n_source if self.excludes_self(same) else 0))

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs: whether the row itself is left out."""
        return Rows(n_target, np.array([self.excludes_self(same)], np.int64))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the targets of a source."""
        hole = row if ints[0] else n_partner
        for k in range(n_partner - ints[0]):
            out[k] = k + (k >= hole)
        return n_partner - ints[0]


class OneToOne(Rule):
    """Connects source i with target i; both sides have the same size.

    >>> OneToOne().expected(10, 10, same=False)
    10.0
    """

    ascending = exact = True

    def check(self, n_source, n_target, same):
        """Raise ParameterError if the sizes differ."""
        if n_source != n_target:
            raise ParameterError(
                f"OneToOne must connect populations of the same size, got {n_source} sources and {n_target} targets")

    def expected(self, n_source, n_target, same):
        """Return the number of synapses."""
        return float(n_source)

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs: nothing but where the values of each row begin."""
        return Rows(1, np.zeros(1, np.int64), starts=np.arange(n_source + 1))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the target of a source."""
        out[0] = row
        return 1


class FixedProbability(Rule):
    """Connects each pair with probability p, independently (Bernoulli, no pair twice).

    Args:
        p: probability, 0 to 1.
        self_connections: whether a neuron may connect to itself (within one population).

    >>> FixedProbability(0.1).expected(100, 50, same=False)
    500.0
    """

    positional = 1
    ascending = True
    p = _probability("probability that a pair is connected")
    self_connections = _allow_self()

    def expected(self, n_source, n_target, same):
        """Return the expected number of synapses."""
        return self.p * (n_source * n_target - (n_source if self.excludes_self(same) else 0))

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs: whether the row itself is left out, 1 / log(1 - p), the table of gaps."""
        inverse = _inverse_log(self.p)
        return Rows(n_target + _CHUNK, np.array([self.excludes_self(same)], np.int64),
                    np.concatenate([inverse, _gaps(inverse)]))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the targets of a source."""
        hole = row if ints[0] else n_partner
        return _skip(0, n_partner, hole, floats[0], floats[1:], 0, np.uint64(row), stream, k0, k1,
                     out[n_partner:], out, 0)[0]


class _Degree(Rule):
    """A fixed number of partners in each row, with or without repeats."""

    exact = True

    @property
    def partners(self):
        """The scalar body, one for each value of `multiple`."""
        return _any_partners if self.multiple else _distinct_partners

    def rows(self, counts, n_partner, same):
        """Return what `partners` needs: whether the row itself is left out, and the counts."""
        most = int(np.max(counts, initial=0))
        capacity = 4 * -(-most // 4) if self.multiple else most + _table_size(most)
        return Rows(capacity, np.append(int(self.excludes_self(same)), counts).astype(np.int64))

    def check_degree(self, n_partner, same, partners):
        """Raise ParameterError if k distinct partners, or any at all, cannot be had."""
        available = n_partner - self.excludes_self(same)
        if not self.multiple and self.k > available:
            self.refuse("k", f"be <= {available}, the number of {partners} (multiple=True allows repeats)")
        if self.k and available < 1:
            self.refuse("k", f"be 0 where there are no {partners}")


class FixedInDegree(_Degree):
    """Gives every target exactly k sources, drawn uniformly.

    Args:
        k: number of synapses of each target.
        self_connections: whether a neuron may connect to itself (within one population).
        multiple: whether a pair may be connected more than once.

    Raises:
        ParameterError: if `multiple` is False and k is more than there are sources.

    >>> FixedInDegree(80, multiple=False)
    FixedInDegree(k=80, multiple=False)
    """

    by = "target"
    positional = 1
    k = _count("number of sources of each target")
    self_connections = _allow_self()
    multiple = _allow_multiple()

    def check(self, n_source, n_target, same):
        """Raise ParameterError if there are not enough sources."""
        self.check_degree(n_source, same, "sources")

    def expected(self, n_source, n_target, same):
        """Return the number of synapses."""
        return float(self.k * n_target)

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs."""
        return self.rows(self.k, n_source, same)


class FixedOutDegree(_Degree):
    """Gives every source exactly k targets, drawn uniformly.

    Args:
        k: number of synapses of each source.
        self_connections: whether a neuron may connect to itself (within one population).
        multiple: whether a pair may be connected more than once.

    Raises:
        ParameterError: if `multiple` is False and k is more than there are targets.

    >>> FixedOutDegree(10, self_connections=False)
    FixedOutDegree(k=10, self_connections=False)
    """

    positional = 1
    k = _count("number of targets of each source")
    self_connections = _allow_self()
    multiple = _allow_multiple()

    def check(self, n_source, n_target, same):
        """Raise ParameterError if there are not enough targets."""
        self.check_degree(n_target, same, "targets")

    def expected(self, n_source, n_target, same):
        """Return the number of synapses."""
        return float(self.k * n_source)

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs."""
        return self.rows(self.k, n_target, same)


class FixedTotal(_Degree):
    """Makes exactly n synapses, each between a source and a target drawn uniformly.

    The numbers of the sources are drawn first (multinomial with repeats; without, the exact counts of
    a uniform choice of n pairs), then the targets of each.

    Args:
        n: number of synapses.
        self_connections: whether a neuron may connect to itself (within one population).
        multiple: whether a pair may be connected more than once.

    Raises:
        ParameterError: if `multiple` is False and n is more than there are pairs.

    >>> FixedTotal(1000).expected(50, 50, same=True)
    1000.0
    """

    positional = 1
    n = _count("number of synapses")
    self_connections = _allow_self()
    multiple = _allow_multiple()

    def check(self, n_source, n_target, same):
        """Raise ParameterError if there are not enough pairs."""
        available = n_source * (n_target - self.excludes_self(same))
        if not self.multiple and self.n > available:
            self.refuse("n", f"be <= {available}, the number of pairs (multiple=True allows repeats)")
        if self.n and available < 1:
            self.refuse("n", "be 0 where there are no pairs")

    def expected(self, n_source, n_target, same):
        """Return the number of synapses."""
        return float(self.n)

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs, with the number of targets of each source."""
        if self.multiple:
            counts = generator.multinomial(self.n, np.full(n_source, 1.0 / n_source))
        else:
            counts = _counts_of_pairs(self.n, n_source, n_target - self.excludes_self(same), generator)
        return self.rows(counts, n_target, same)


def _counts_of_pairs(n, rows, pool, generator):
    """Return how many of n distinct pairs, drawn uniformly from rows x pool, fall into each row.

    Independent binomial counts first; then the few pairs that are too many are taken out, or those
    that are missing put in, uniformly, which leaves every set of n pairs equally likely.
    """
    counts = generator.binomial(pool, n / max(rows * pool, 1), rows).astype(np.int64)
    missing = n - int(counts.sum())
    candidates = pool - counts if missing > 0 else counts
    picked = generator.choice(int(candidates.sum()), abs(missing), replace=False, shuffle=False) if missing else []
    changed = np.bincount(np.searchsorted(np.cumsum(candidates), picked, side="right"), minlength=rows)
    return counts + changed * (1 if missing > 0 else -1)


_PROFILES = {
    "gaussian": lambda squared, length: exp(-squared / (length * length)),
    "exponential": lambda squared, length: exp(-math.sqrt(squared) / length),
    "uniform": lambda squared, length: 1.0 if squared <= length * length else 0.0,
}


def _by_distance(profile):
    """Return the scalar body for a profile of the probability over the distance."""
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: test each target of a source."""
        n_row = ints[1]
        hole = row if ints[0] else n_partner
        c = floats[0]
        length = floats[1]
        box_x, box_y, box_z = floats[2], floats[3], floats[4]
        x, y, z = floats[5 + row], floats[5 + n_row + row], floats[5 + 2 * n_row + row]
        first = 5 + 3 * n_row
        xs = floats[first:first + n_partner]
        ys = floats[first + n_partner:first + 2 * n_partner]
        zs = floats[first + 2 * n_partner:first + 3 * n_partner]
        _fill_words(0, n_partner, np.uint64(row), stream, k0, k1, out)
        for k in range(n_partner):
            dx, dy, dz = abs(x - xs[k]), abs(y - ys[k]), abs(z - zs[k])
            dx, dy, dz = min(dx, box_x - dx), min(dy, box_y - dy), min(dz, box_z - dz)
            probability = c * profile(dx * dx + dy * dy + dz * dz, length)
            out[k] = (out[k] + 0.5) * 2.3283064365386963e-10 < probability
        count = 0
        for k in range(n_partner):
            connected = out[k] != 0 and k != hole
            out[count] = k
            count += connected
        return count
    return partners


_DISTANCE_BODIES = {name: _by_distance(profile) for name, profile in _PROFILES.items()}


class DistanceDependent(Rule):
    """Connects each pair with a probability that depends on the distance d between the two neurons.

    gaussian:     p = c exp(-(d / lam)^2)
    exponential:  p = c exp(-d / lam)
    uniform:      p = c where d <= lam, else 0

    Neurons sit on lattices of up to three axes, the last axis running fastest, or at given positions.
    Distances, spacing and lam share one unit of length, which the user chooses. A c per kind of
    source and target, as in Maass et al., is had with one projection for each. Probabilities below
    2^-32 count as 0.

    Args:
        c: probability at distance 0, 0 to 1.
        lam: length of the decay, or the radius, > 0.
        profile: "gaussian", "exponential" or "uniform".
        source_shape: numbers of neurons of the sources' lattice along each axis.
        target_shape: the same for the targets; None: that of the sources.
        spacing: distance of neighbours, one number or one for each axis.
        source_positions: positions (n_source, 1 to 3 axes) instead of a lattice.
        target_positions: the same for the targets; None: those of the sources.
        periodic: whether opposite sides of the box meet.
        box: size of the periodic box; None: the lattice's shape times its spacing.
        self_connections: whether a neuron may connect to itself (within one population).

    Raises:
        ParameterError: if the lattice or the positions do not fit the populations or the box.

    >>> DistanceDependent(0.3, 2.0, source_shape=(3, 3, 15))
    DistanceDependent(c=0.3, lam=2.0, source_shape=(3, 3, 15))

    Source: Maass, Natschlaeger, Markram, Neural Computation 14 (2002) 2531-2560.
    """

    positional = 2
    ascending = True
    c = _probability("probability at distance 0")
    lam = Parameter(above=0, per_element=False, doc="length of the decay, or the radius")
    profile = Option("gaussian", _PROFILES, doc="how the probability falls with the distance")
    source_shape = Vector(None, longest=3, above=0, integer=True, optional=True, doc="lattice of the sources")
    target_shape = Vector(None, longest=3, above=0, integer=True, optional=True, doc="lattice of the targets")
    spacing = Vector(1.0, longest=3, above=0, doc="distance of neighbours on the lattice")
    source_positions = Array(None, ndim=2, optional=True, doc="positions of the sources")
    target_positions = Array(None, ndim=2, optional=True, doc="positions of the targets")
    periodic = Option(False, (False, True), doc="whether opposite sides of the box meet")
    box = Vector(None, longest=3, above=0, optional=True, doc="size of the periodic box")
    self_connections = _allow_self()

    @property
    def partners(self):
        """The scalar body, one for each profile."""
        return _DISTANCE_BODIES[self.profile]

    def validate(self):
        """Check that positions are given once, with as many axes everywhere."""
        if (self.source_shape is None) == (self.source_positions is None):
            raise ParameterError("DistanceDependent must have source_shape or source_positions, and not both, got "
                                 + ("neither" if self.source_shape is None else "both"))
        if self.target_shape is not None and self.target_positions is not None:
            raise ParameterError("DistanceDependent must have target_shape or target_positions, and not both, got both")
        for side in ("source", "target"):
            positions = getattr(self, f"{side}_positions")
            if positions is not None and not 1 <= positions.shape[1] <= 3:
                self.refuse(f"{side}_positions", "have 1 to 3 columns")
        if self._axes("source") != self._axes("target"):
            raise ParameterError(f"DistanceDependent must have as many axes on both sides, got "
                                 f"{self._axes('source')} for the sources and {self._axes('target')} for the targets")
        if np.size(self.spacing) not in (1, self._axes("source")):
            self.refuse("spacing", f"be one number or {self._axes('source')}")
        if self.periodic:
            self._check_box()

    def _check_box(self):
        if self.box is None and self.source_shape is None:
            self.refuse("box", "be given for a periodic space with positions")
        box = self._box()
        positions = np.concatenate([self.positions("source"), self.positions("target")])
        if positions.size and (np.ptp(positions, axis=0) > box).any():
            self.refuse("box", "hold all positions", describe_value(tuple(box[np.isfinite(box)].tolist())))

    def _given(self, side):
        """Return the lattice and the positions of a side; targets without any have those of the sources."""
        shape, positions = getattr(self, f"{side}_shape"), getattr(self, f"{side}_positions")
        if side == "target" and shape is None and positions is None:
            return self.source_shape, self.source_positions
        return shape, positions

    def _axes(self, side):
        shape, positions = self._given(side)
        return positions.shape[1] if shape is None else np.size(shape)

    def _box(self):
        """Return the period along each of three axes, infinite where there is none."""
        box = np.full(3, np.inf)
        if self.periodic:
            axes = self._axes("source")
            box[:axes] = np.multiply(self.source_shape, self.spacing) if self.box is None else self.box
        return box

    def positions(self, side: str) -> np.ndarray:
        """Return the positions of the sources or of the targets on three axes, shape (n, 3).

        >>> DistanceDependent(0.3, 2.0, source_shape=(2, 2)).positions("source").tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
        """
        shape, positions = self._given(side)
        if shape is not None:
            positions = np.indices(np.atleast_1d(shape)).reshape(np.size(shape), -1).T * self.spacing
        return np.pad(positions, ((0, 0), (0, 3 - positions.shape[1])))

    def check(self, n_source, n_target, same):
        """Raise ParameterError if there are not as many positions as neurons."""
        for side, n in (("source", n_source), ("target", n_target)):
            shape, positions = self._given(side)
            places = len(positions) if shape is None else math.prod(np.atleast_1d(shape).tolist())
            if places != n:
                what = "shape" if shape is not None else "positions"
                self.refuse(f"{side}_{what}", f"give {n} positions, one per neuron", f"{places}")

    def probability(self, sources, targets) -> np.ndarray:
        """Return the probability of the connection between positions (n, 3) and (m, 3), shape (n, m)."""
        box = self._box()
        squared = 0.0
        for axis in range(3):
            distance = np.abs(sources[:, None, axis] - targets[None, :, axis])
            squared = squared + np.minimum(distance, box[axis] - distance) ** 2
        relative = np.sqrt(squared) / self.lam
        return self.c * {"gaussian": lambda: np.exp(-relative ** 2), "exponential": lambda: np.exp(-relative),
                         "uniform": lambda: 1.0 * (relative <= 1)}[self.profile]()

    def expected(self, n_source, n_target, same):
        """Return the expected number of synapses; of a large network, that of evenly spaced rows, scaled up."""
        sources, targets = self.positions("source"), self.positions("target")
        rows = np.unique(np.linspace(0, n_source - 1, min(n_source, max(1, _PAIRS // max(n_target, 1)))).astype(int))
        batches = np.array_split(rows, max(1, rows.size * n_target // 250_000))
        sampled = sum(float(self.probability(sources[batch], targets).sum()) for batch in batches)
        return sampled * n_source / rows.size - (self.c * n_source if self.excludes_self(same) else 0.0)

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs: c, lam, the box and all positions."""
        positions = [self.positions(side).T.ravel() for side in ("source", "target")]
        return Rows(4 * -(-n_target // 4), np.array([self.excludes_self(same), n_source], np.int64),
                    np.concatenate([[self.c, self.lam], self._box(), *positions]))


class SmallWorld(Rule):
    """Connects each neuron of a ring with its k nearest neighbours and rewires some (directed Watts-Strogatz).

    Every neuron sends k/2 synapses to each side. The target of each is replaced, with probability
    `rewiring`, by another neuron drawn uniformly from those that are not yet targets. The original
    graph is undirected; here every synapse is rewired by itself, so that each source keeps exactly k
    targets while the number of sources of a target varies.

    Args:
        k: number of targets of each neuron, even.
        rewiring: probability that a synapse is rewired, 0 to 1.

    Raises:
        ParameterError: if k is odd or not below the size, or if it connects two populations.

    >>> SmallWorld(10, 0.1).expected(100, 100, same=True)
    1000.0

    Source: Watts, Strogatz, Nature 393 (1998) 440-442.
    """

    positional = 2
    exact = True
    k = _count("number of targets of each neuron, even")
    rewiring = _probability("probability that a synapse is rewired")

    def validate(self):
        """Check that k is even."""
        if self.k % 2:
            self.refuse("k", "be even")

    def check(self, n_source, n_target, same):
        """Raise ParameterError if the ring is too small or there are two populations."""
        if not same:
            raise ParameterError("SmallWorld must connect a population with itself, got two populations")
        if self.k >= n_source:
            self.refuse("k", f"be < {n_source}, the number of neurons on the ring")

    def expected(self, n_source, n_target, same):
        """Return the number of synapses."""
        return float(self.k * n_source)

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs: k and the share that is rewired."""
        return Rows(self.k, np.array([self.k], np.int64), np.array([self.rewiring]))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the neighbours of a neuron, then rewire."""
        k = ints[0]
        half = k // 2
        for i in range(half):
            out[i] = (row + n_partner - half + i) % n_partner
            out[half + i] = (row + 1 + i) % n_partner
        if k == n_partner - 1:  # everyone is a target already
            return k
        others = np.uint64(n_partner - 1)
        for i in range(k):
            a, b, c, d = philox(np.uint64(i), np.uint64(row), stream, _ZERO, k0, k1)
            if uniform53(a, b) < floats[0]:
                tries = 0
                searching = True
                while searching:  # words i + k, i + 2 k, ... belong to this synapse alone
                    tries += 1
                    index = np.uint64(i + tries * k)
                    word = philox(index, np.uint64(row), stream, _ZERO, k0, k1)[0]
                    other = np.int64(_below(word, others, index, np.uint64(row), stream, k0, k1))
                    other += other >= row
                    searching = False
                    for j in range(k):
                        searching |= np.int64(out[j]) == other
                out[i] = other
        return k


class Blocks(Rule):
    """Connects each pair with the probability of the pair's blocks (stochastic block model).

    Both populations are cut into blocks of consecutive neurons.

    Args:
        source_blocks: sizes of the blocks of the sources.
        target_blocks: sizes of the blocks of the targets.
        probability: 2-D array (source blocks, target blocks) of probabilities, 0 to 1.
        self_connections: whether a neuron may connect to itself (within one population).

    Raises:
        ParameterError: if the sizes do not add up to those of the populations.

    >>> Blocks([80, 20], [80, 20], [[0.1, 0.2], [0.3, 0.0]]).expected(100, 100, same=True)
    1440.0

    Source: Holland, Laskey, Leinhardt, Social Networks 5 (1983) 109-137.
    """

    positional = 3
    ascending = True
    source_blocks = Vector(scalar=False, above=0, integer=True, doc="sizes of the blocks of the sources")
    target_blocks = Vector(scalar=False, above=0, integer=True, doc="sizes of the blocks of the targets")
    probability = Array(ndim=2, at_least=0, at_most=1, doc="probability for each pair of blocks")
    self_connections = _allow_self()

    def validate(self):
        """Check the shape of the probabilities."""
        shape = len(self.source_blocks), len(self.target_blocks)
        if self.probability.shape != shape:
            self.refuse("probability", f"have shape {shape}, one row per source block", f"{self.probability.shape}")

    def check(self, n_source, n_target, same):
        """Raise ParameterError if the blocks do not add up to the populations."""
        for name, n in (("source_blocks", n_source), ("target_blocks", n_target)):
            total = sum(getattr(self, name))
            if total != n:
                self.refuse(name, f"add up to {n}, the size of the population", f"a sum of {total}")

    def expected(self, n_source, n_target, same):
        """Return the expected number of synapses."""
        pairs = np.outer(self.source_blocks, self.target_blocks).astype(np.float64)
        if self.excludes_self(same):
            sources = np.repeat(np.arange(len(self.source_blocks)), self.source_blocks)
            targets = np.repeat(np.arange(len(self.target_blocks)), self.target_blocks)
            np.subtract.at(pairs, (sources, targets), 1.0)
        return float((pairs * self.probability).sum())

    def expected_into(self, first, last, n_source, n_target, same):
        """Return the expected number of synapses onto targets first .. last - 1, self-connections included."""
        ends = np.clip(np.cumsum([0, *self.target_blocks]), first, last)
        return float(np.dot(self.source_blocks, self.probability) @ np.diff(ends))

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs: the ends of the blocks and 1 / log(1 - p) of each pair of blocks."""
        ends = np.cumsum(self.source_blocks), np.cumsum(self.target_blocks)
        ints = np.array([self.excludes_self(same), ends[0].size, *ends[0], *ends[1]], np.int64)
        return Rows(n_target + _CHUNK, ints, _inverse_log(self.probability).ravel())

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the targets of a source, block after block."""
        hole = row if ints[0] else n_partner
        source_ends = ints[2:2 + ints[1]]
        target_ends = ints[2 + ints[1]:]
        here = 0
        while source_ends[here] <= row:
            here += 1
        count = 0
        block = 0
        first = 0
        for there in range(target_ends.size):
            inverse = floats[here * target_ends.size + there]
            count, block = _skip(first, target_ends[there], hole, inverse, floats[:0], block, np.uint64(row), stream,
                                 k0, k1, out[n_partner:], out, count)
            first = target_ends[there]
        return count


class _Listed(Rule):
    """Connections that are listed one by one, with one value each where wanted."""

    exact = True

    def listed(self):
        """Return the sources and the targets in the order as given."""
        raise NotImplementedError

    def expected(self, n_source, n_target, same):
        """Return the number of synapses."""
        return float(self.listed()[0].size)

    def expected_into(self, first, last, n_source, n_target, same):
        """Return the number of synapses onto targets first .. last - 1."""
        targets = self.listed()[1]
        return float(((targets >= first) & (targets < last)).sum())

    def prepare(self, n_source, n_target, same, generator):
        """Return what `partners` needs: where the list of targets begins, where that of each source, the list."""
        sources, targets = self.listed()
        order = np.argsort(sources, kind="stable")
        counts = np.bincount(sources, minlength=n_source)
        starts = np.concatenate([[0], np.cumsum(counts)])
        dtype = np.uint32 if sources.size + n_source < 2**32 else np.int64
        return Rows(int(counts.max(initial=0)), np.concatenate([[n_source + 2], starts, targets[order]]).astype(dtype),
                    starts=starts, order=order)

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: copy the targets of a source."""
        first = np.int64(ints[1 + row])
        count = np.int64(ints[2 + row]) - first
        base = np.int64(ints[0]) + first
        for k in range(count):
            out[k] = ints[base + k]
        return count


class Explicit(_Listed):
    """Makes the synapses that two arrays list, one pair per entry; a pair may come twice.

    Args:
        sources: index of the source of each synapse.
        targets: index of the target of each synapse.

    Raises:
        ParameterError: if the arrays differ in length, or an index is beyond its population.

    >>> Explicit([0, 0, 2], [1, 2, 0]).expected(3, 3, same=True)
    3.0
    """

    positional = 2
    sources = Array(ndim=1, at_least=0, below=2**32 - 1, integer=True, dtype=np.uint32, doc="source of each synapse")
    targets = Array(ndim=1, at_least=0, below=2**32 - 1, integer=True, dtype=np.uint32, doc="target of each synapse")

    def validate(self):
        """Check that both arrays have one length."""
        if self.sources.size != self.targets.size:
            self.refuse("targets", f"have {self.sources.size} entries, as many as sources", f"{self.targets.size}")

    def check(self, n_source, n_target, same):
        """Raise ParameterError if an index is beyond its population."""
        for name, n in (("sources", n_source), ("targets", n_target)):
            most = int(getattr(self, name).max(initial=0))
            if getattr(self, name).size and most >= n:
                self.refuse(name, f"be < {n}, the size of the population", f"an array that holds {most}")

    def listed(self):
        """Return the sources and the targets in the order as given."""
        return self.sources, self.targets


class Sparse(_Listed):
    """Makes one synapse for each entry of a matrix, whose value is the weight.

    A scipy sparse matrix gives its stored entries, explicit zeros and repeats included; a dense array
    gives its nonzero ones.

    Args:
        matrix: scipy sparse matrix or dense array; entry [source, target] is the weight.

    Raises:
        ParameterError: if an entry is not finite, or the shape is not that of the populations.

    >>> Sparse([[0.0, 1.5], [0.5, 0.0]])
    Sparse(matrix=<2 x 2 matrix with 2 entries>)
    """

    positional = 1
    matrix = Matrix(doc="weight of each pair that is connected")

    def check(self, n_source, n_target, same):
        """Raise ParameterError if the shape does not fit."""
        if self.matrix.shape != (n_source, n_target):
            self.refuse("matrix", f"have shape {(n_source, n_target)}", f"{self.matrix.shape}")

    def listed(self):
        """Return the sources and the targets in the order as given."""
        return self.matrix.sources, self.matrix.targets

    def weights(self):
        """Return the entries, one per synapse."""
        return self.matrix.weights
