"""The rule that rewires a ring."""

import numpy as np

from neurosim.aliases import Real, Whole
from neurosim.checks import required
from neurosim.connectivity.bodies import ZERO, below
from neurosim.connectivity.parameters import chance, whole_number
from neurosim.connectivity.rule import Rows, Rule
from neurosim.errors import ParameterError
from neurosim.random import philox, uniform53


class SmallWorld(Rule, kw_only=False):
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

    >>> SmallWorld(10, 0.1).expected(100, 100, shift=0)
    1000.0

    Source: Watts, Strogatz, Nature 393 (1998) 440-442.
    """

    positional = 2
    exact = True
    k: Whole = required(whole_number("number of targets of each neuron, even"))
    rewiring: Real = required(chance("probability that a synapse is rewired"))

    def validate(self):
        """Check that k is even."""
        if self.k % 2:
            self.refuse("k", "be even")

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if the ring is too small or there are two populations."""
        if shift != 0 or n_source != n_target:
            parts = "two populations" if shift is None else "two parts of one"
            raise ParameterError(f"SmallWorld must connect a population, or a part of one, with itself, got {parts}")
        if self.k >= n_source:
            self.refuse("k", f"be < {n_source}, the number of neurons on the ring")

    def expected(self, n_source, n_target, shift):
        """Return the number of synapses."""
        return float(self.k * n_source)

    def prepare(self, n_source, n_target, shift, generator):
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
            a, b, c, d = philox(np.uint64(i), np.uint64(row), stream, ZERO, k0, k1)
            if uniform53(a, b) < floats[0]:
                tries = 0
                searching = True
                while searching:  # words i + k, i + 2 k, ... belong to this synapse alone
                    tries += 1
                    index = np.uint64(i + tries * k)
                    word = philox(index, np.uint64(row), stream, ZERO, k0, k1)[0]
                    other = np.int64(below(word, others, index, np.uint64(row), stream, k0, k1))
                    other += other >= row
                    searching = False
                    for j in range(k):
                        searching |= np.int64(out[j]) == other
                out[i] = other
        return k
