"""Rules that list their synapses one by one."""

from typing import Any

import numpy as np

from neurosim.aliases import Table
from neurosim.checks import Declared, required
from neurosim.connectivity.parameters import Array, Entries, Matrix
from neurosim.connectivity.rule import Rows, Rule


class _Listed(Rule):
    """Connections that are listed one by one, with one value each where wanted."""

    exact = True

    def listed(self):
        """Return the sources and the targets in the order as given."""
        raise NotImplementedError

    def expected(self, n_source, n_target, shift):
        """Return the number of synapses."""
        return float(self.listed()[0].size)

    def expected_into(self, first, last, n_source, n_target, shift):
        """Return the number of synapses onto targets first .. last - 1."""
        targets = self.listed()[1]
        return float(((targets >= first) & (targets < last)).sum())

    def prepare(self, n_source, n_target, shift, generator):
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


class Explicit(_Listed, kw_only=False):
    """Makes the synapses that two arrays list, one pair per entry; a pair may come twice.

    Args:
        sources: index of the source of each synapse.
        targets: index of the target of each synapse.

    Raises:
        ParameterError: if the arrays differ in length, or an index is beyond its population.

    >>> Explicit([0, 0, 2], [1, 2, 0]).expected(3, 3, shift=0)
    3.0
    """

    positional = 2
    sources: Table = required(Array(ndim=1, at_least=0, below=2**32 - 1, integer=True, dtype=np.uint32,
                                    doc="source of each synapse"))
    targets: Table = required(Array(ndim=1, at_least=0, below=2**32 - 1, integer=True, dtype=np.uint32,
                                    doc="target of each synapse"))

    def validate(self):
        """Check that both arrays have one length."""
        if self.sources.size != self.targets.size:
            self.refuse("targets", f"have {self.sources.size} entries, as many as sources", f"{self.targets.size}")

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if an index is beyond its population."""
        for name, n in (("sources", n_source), ("targets", n_target)):
            most = int(getattr(self, name).max(initial=0))
            if getattr(self, name).size and most >= n:
                self.refuse(name, f"be < {n}, the size of the population", f"an array that holds {most}")

    def listed(self):
        """Return the sources and the targets in the order as given."""
        return self.sources, self.targets


class Sparse(_Listed, kw_only=False):
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
    matrix: Declared[Entries, Any] = required(Matrix(doc="weight of each pair that is connected"))

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if the shape does not fit."""
        if self.matrix.shape != (n_source, n_target):
            self.refuse("matrix", f"have shape {(n_source, n_target)}", f"{self.matrix.shape}")

    def listed(self):
        """Return the sources and the targets in the order as given."""
        return self.matrix.sources, self.matrix.targets

    def weights(self):
        """Return the entries, one per synapse."""
        return self.matrix.weights
