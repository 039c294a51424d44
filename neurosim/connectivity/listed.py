"""Rules that list their synapses one by one."""

import math
from typing import Any

import numpy as np

from neurosim.aliases import Row, Table
from neurosim.checks import Declared, required
from neurosim.connectivity.parameters import Array, Entries, Matrix, Vector
from neurosim.connectivity.rule import Rows, Rule
from neurosim.errors import ParameterError


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


class Convolution(_Listed, kw_only=False):
    """Connects a picture of neurons to another by a kernel: neurons at other places have the same weights.

    target (o, y, x) hears source (c, stride y + i - padding, stride x + j - padding) with weight kernel[o, c, i, j]

    Neurons lie in the order channel, row, column. What would lie outside the picture is left out, so that a kernel may
    reach over its edges by `padding`. As in PyTorch's `Conv2d` the kernel is not turned; its zeros are synapses, too.

    Args:
        kernel: weights, (channels of the targets, channels of the sources, rows, columns).
        shape: of the sources, (channels, rows, columns).
        stride: how far the kernel moves from a target to the next; one number, or one for rows and one for columns.
        padding: places on each side of the picture that a kernel may reach into; one number or two.

    Raises:
        ParameterError: the kernel is made for other channels, or is larger than the picture with its edges.

    >>> rule = Convolution([[[[1.0, 2.0]]]], shape=(1, 1, 3))
    >>> rule.shape_out, [each.tolist() for each in rule.listed()], rule.weights().tolist()
    ((1, 1, 2), [[0, 1, 1, 2], [0, 1, 0, 1]], [1.0, 1.0, 2.0, 2.0])

    Source: LeCun, Bottou, Bengio, Haffner, Proceedings of the IEEE 86 (1998) 2278-2324.
    """

    positional = 2
    kernel: Table = required(Array(ndim=4, doc="weights by channel of the target, channel of the source, row, column"))
    shape: Row = required(Vector(longest=3, shortest=3, scalar=False, above=0, integer=True,
                                 doc="channels, rows, columns"))
    stride: Row = Vector(1, longest=2, above=0, integer=True, doc="steps of the kernel along rows and columns")
    padding: Row = Vector(0, longest=2, at_least=0, integer=True, doc="places beyond the edges that a kernel reaches")

    def validate(self):
        """Check that the kernel fits the picture."""
        channels, (rows, columns) = self.shape[0], self._places()
        if self.kernel.size == 0 or self.kernel.shape[1] != channels:
            self.refuse("kernel", f"have the shape (channels, {channels}, rows, columns), none 0, as the sources have "
                                  f"{channels} channels", f"{self.kernel.shape}")
        if min(self.shape_out) < 1:
            self.refuse("kernel", f"be no larger than the picture of {rows} x {columns} places, padding included",
                        f"{self.kernel.shape[2]} x {self.kernel.shape[3]}")

    def _places(self):
        """Return rows and columns of the sources' picture with its edges."""
        return [n + 2 * int(more) for n, more in zip(self.shape[1:], np.broadcast_to(self.padding, 2), strict=True)]

    @property
    def shape_out(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the targets."""
        rows, columns = ((n - size) // step + 1 for n, size, step in
                         zip(self._places(), self.kernel.shape[2:], np.broadcast_to(self.stride, 2), strict=True))
        return self.kernel.shape[0], int(rows), int(columns)

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if the pictures do not have as many places as there are neurons."""
        if math.prod(self.shape) != n_source:
            self.refuse("shape", f"have {n_source} places, as many as there are sources")
        if math.prod(self.shape_out) != n_target:
            raise ParameterError(f"Convolution must lead to {math.prod(self.shape_out)} neurons, {self.shape_out} "
                                 f"channels, rows and columns, got a population of {n_target}")

    def _grid(self):
        """Return source, target and entry of the kernel for all pairs that are within the picture."""
        (_, rows, columns), kernel = self.shape, self.kernel.shape
        step, edge = np.broadcast_to(self.stride, 2), np.broadcast_to(self.padding, 2)
        o, c, i, j, y, x = np.ogrid[tuple(slice(n) for n in (*kernel, *self.shape_out[1:]))]
        row, column = step[0] * y + i - edge[0], step[1] * x + j - edge[1]
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns) & (o >= 0) & (c >= 0)
        source = (c * rows + row) * columns + column
        target = (o * self.shape_out[1] + y) * self.shape_out[2] + x
        entry = np.arange(self.kernel.size).reshape(*kernel, 1, 1)
        return [np.broadcast_to(each, inside.shape)[inside] for each in (source, target, entry)]

    def listed(self):
        """Return the sources and the targets, one entry of the kernel after the other."""
        source, target, _ = self._grid()
        return source.astype(np.uint32), target.astype(np.uint32)

    def entries(self) -> np.ndarray:
        """Return for each synapse, in the order of `listed`, which entry of the kernel, counted flat, it takes.

        >>> Convolution([[[[1.0, 2.0]]]], shape=(1, 1, 3)).entries().tolist()
        [0, 0, 1, 1]
        """
        return self._grid()[2]

    def weights(self):
        """Return the kernel's entries, one per synapse."""
        return self.kernel.ravel()[self.entries()]
