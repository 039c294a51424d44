"""Rules that treat each pair by itself: all, one to one, or with a probability."""

import numpy as np

from neurosim.aliases import Flag, Real, Row, Table
from neurosim.checks import required
from neurosim.connectivity.bodies import CHUNK, gap_table, inverse_log, own_place, skip
from neurosim.connectivity.parameters import Array, Vector, allow_self, chance
from neurosim.connectivity.rule import Rows, Rule
from neurosim.errors import ParameterError


class AllToAll(Rule):
    """Connects every source with every target.

    Args:
        self_connections: whether a neuron may connect to itself (within one population).

    >>> AllToAll(self_connections=False).expected(10, 10, shift=0)
    90.0
    """

    ascending = exact = True
    self_connections: Flag = allow_self()

    def expected(self, n_source, n_target, shift):
        """Return the number of synapses."""
        return float(n_source * n_target - self.self_pairs(n_source, n_target, shift))

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs: which target is left out."""
        return Rows(n_target, np.array([self.left_out(shift)], np.int64))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the targets of a source."""
        hole = own_place(row, n_partner, ints[0])
        count = n_partner - (hole < n_partner)
        for k in range(count):
            out[k] = k + (k >= hole)
        return count


class OneToOne(Rule):
    """Connects source i with target i; both sides have the same size.

    >>> OneToOne().expected(10, 10, shift=None)
    10.0
    """

    ascending = exact = True

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if the sizes differ."""
        if n_source != n_target:
            raise ParameterError(
                f"OneToOne must connect populations of the same size, got {n_source} sources and {n_target} targets")

    def expected(self, n_source, n_target, shift):
        """Return the number of synapses."""
        return float(n_source)

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs: nothing but where the values of each row begin."""
        return Rows(1, np.zeros(1, np.int64), starts=np.arange(n_source + 1))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the target of a source."""
        out[0] = row
        return 1


class FixedProbability(Rule, kw_only=False):
    """Connects each pair with probability p, independently (Bernoulli, no pair twice).

    Args:
        p: probability, 0 to 1.
        self_connections: whether a neuron may connect to itself (within one population).

    >>> FixedProbability(0.1).expected(100, 50, shift=None)
    500.0
    """

    positional = 1
    ascending = True
    p: Real = required(chance("probability that a pair is connected"))
    self_connections: Flag = allow_self()

    def expected(self, n_source, n_target, shift):
        """Return the expected number of synapses."""
        return self.p * (n_source * n_target - self.self_pairs(n_source, n_target, shift))

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs: which target is left out, 1 / log(1 - p), the table of gaps."""
        inverse = inverse_log(self.p)
        return Rows(n_target + CHUNK, np.array([self.left_out(shift)], np.int64),
                    np.concatenate([inverse, gap_table(inverse)]))

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the targets of a source."""
        hole = own_place(row, n_partner, ints[0])
        return skip(0, n_partner, hole, floats[0], floats[1:], 0, np.uint64(row), stream, k0, k1,
                     out[n_partner:], out, 0)[0]


class Blocks(Rule, kw_only=False):
    """Connects each pair with the probability of the pair's blocks (stochastic block model).

    Both populations are cut into blocks of consecutive neurons.

    Args:
        source_blocks: sizes of the blocks of the sources.
        target_blocks: sizes of the blocks of the targets.
        probability: 2-D array (source blocks, target blocks) of probabilities, 0 to 1.
        self_connections: whether a neuron may connect to itself (within one population).

    Raises:
        ParameterError: if the sizes do not add up to those of the populations.

    >>> Blocks([80, 20], [80, 20], [[0.1, 0.2], [0.3, 0.0]]).expected(100, 100, shift=0)
    1440.0

    Source: Holland, Laskey, Leinhardt, Social Networks 5 (1983) 109-137.
    """

    positional = 3
    ascending = True
    source_blocks: Row = required(Vector(scalar=False, above=0, integer=True, doc="sizes of the blocks of the sources"))
    target_blocks: Row = required(Vector(scalar=False, above=0, integer=True, doc="sizes of the blocks of the targets"))
    probability: Table = required(Array(ndim=2, at_least=0, at_most=1, doc="probability for each pair of blocks"))
    self_connections: Flag = allow_self()

    def validate(self):
        """Check the shape of the probabilities."""
        shape = len(self.source_blocks), len(self.target_blocks)
        if self.probability.shape != shape:
            self.refuse("probability", f"have shape {shape}, one row per source block", f"{self.probability.shape}")

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if the blocks do not add up to the populations."""
        for name, n in (("source_blocks", n_source), ("target_blocks", n_target)):
            total = sum(getattr(self, name))
            if total != n:
                self.refuse(name, f"add up to {n}, the size of the population", f"a sum of {total}")

    def expected(self, n_source, n_target, shift):
        """Return the expected number of synapses."""
        pairs = np.outer(self.source_blocks, self.target_blocks).astype(np.float64)
        both = self.self_pairs(n_source, n_target, shift)
        if both and shift is not None:
            first = max(0, -shift)
            sources = np.repeat(np.arange(len(self.source_blocks)), self.source_blocks)[first:first + both]
            targets = np.repeat(np.arange(len(self.target_blocks)), self.target_blocks)[first + shift:][:both]
            np.subtract.at(pairs, (sources, targets), 1.0)
        return float((pairs * self.probability).sum())

    def expected_into(self, first, last, n_source, n_target, shift):
        """Return the expected number of synapses onto targets first .. last - 1, self-connections included."""
        ends = np.clip(np.cumsum([0, *self.target_blocks]), first, last)
        return float(np.dot(self.source_blocks, self.probability) @ np.diff(ends))

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs: the ends of the blocks and 1 / log(1 - p) of each pair of blocks."""
        ends = np.cumsum(self.source_blocks), np.cumsum(self.target_blocks)
        ints = np.array([self.left_out(shift), ends[0].size, *ends[0], *ends[1]], np.int64)
        return Rows(n_target + CHUNK, ints, inverse_log(self.probability).ravel())

    @staticmethod
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: write the targets of a source, block after block."""
        hole = own_place(row, n_partner, ints[0])
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
            count, block = skip(first, target_ends[there], hole, inverse, floats[:0], block, np.uint64(row), stream,
                                 k0, k1, out[n_partner:], out, count)
            first = target_ends[there]
        return count
