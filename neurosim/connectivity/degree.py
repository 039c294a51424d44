"""Rules that fix the number of synapses: of each target, of each source, or of all."""

import numpy as np

from neurosim.aliases import Flag, Whole
from neurosim.checks import required
from neurosim.connectivity.bodies import any_partners, distinct_partners, table_size
from neurosim.connectivity.parameters import allow_multiple, allow_self, whole_number
from neurosim.connectivity.rule import Rows, Rule


class _Degree(Rule):
    """A fixed number of partners in each row, with or without repeats."""

    exact = True
    self_connections: Flag = allow_self()
    multiple: Flag = allow_multiple()

    @property
    def partners(self):
        """The scalar body, one for each value of `multiple`."""
        return any_partners if self.multiple else distinct_partners

    def rows(self, counts, shift):
        """Return what `partners` needs: which partner is left out, and the counts."""
        most = int(np.max(counts, initial=0))
        capacity = 4 * -(-most // 4) if self.multiple else most + table_size(most)
        return Rows(capacity, np.append(shift, counts).astype(np.int64))

    def check_degree(self, k, n_partner, left_out, partners):
        """Raise ParameterError if k distinct partners, or any at all, cannot be had."""
        available = n_partner - (left_out > 0)
        if not self.multiple and k > available:
            self.refuse("k", f"be <= {available}, the number of {partners} (multiple=True allows repeats)")
        if k and available < 1:
            self.refuse("k", f"be 0 where there are no {partners}")


class FixedInDegree(_Degree, kw_only=False):
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
    k: Whole = required(whole_number("number of sources of each target"))

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if there are not enough sources."""
        self.check_degree(self.k, n_source, self.self_pairs(n_source, n_target, shift), "sources")

    def expected(self, n_source, n_target, shift):
        """Return the number of synapses."""
        return float(self.k * n_target)

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs."""
        return self.rows(self.k, -self.left_out(shift))


class FixedOutDegree(_Degree, kw_only=False):
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
    k: Whole = required(whole_number("number of targets of each source"))

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if there are not enough targets."""
        self.check_degree(self.k, n_target, self.self_pairs(n_source, n_target, shift), "targets")

    def expected(self, n_source, n_target, shift):
        """Return the number of synapses."""
        return float(self.k * n_source)

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs."""
        return self.rows(self.k, self.left_out(shift))


class FixedTotal(_Degree, kw_only=False):
    """Makes exactly n synapses, each between a source and a target drawn uniformly.

    The numbers of the sources are drawn first (multinomial with repeats; without, the exact counts of
    a uniform choice of n pairs), then the targets of each.

    Args:
        n: number of synapses.
        self_connections: whether a neuron may connect to itself (within one population).
        multiple: whether a pair may be connected more than once.

    Raises:
        ParameterError: if `multiple` is False and n is more than there are pairs.

    >>> FixedTotal(1000).expected(50, 50, shift=0)
    1000.0
    """

    positional = 1
    n: Whole = required(whole_number("number of synapses"))

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if there are not enough pairs."""
        available = n_source * n_target - self.self_pairs(n_source, n_target, shift)
        if not self.multiple and self.n > available:
            self.refuse("n", f"be <= {available}, the number of pairs (multiple=True allows repeats)")
        if self.n and available < 1:
            self.refuse("n", "be 0 where there are no pairs")

    def expected(self, n_source, n_target, shift):
        """Return the number of synapses."""
        return float(self.n)

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs, with the number of targets of each source."""
        own = np.arange(n_source) + self.left_out(shift)
        pool = n_target - ((own >= 0) & (own < n_target))
        if self.multiple:
            counts = generator.multinomial(self.n, pool / max(1, pool.sum()))
        else:
            counts = counts_of_pairs(self.n, pool, generator)
        return self.rows(counts, self.left_out(shift))


def counts_of_pairs(n, pool, generator):
    """Return how many of n distinct pairs, drawn uniformly from rows of `pool` pairs each, fall into each row.

    Independent binomial counts first; then the few pairs that are too many are taken out, or those
    that are missing put in, uniformly, which leaves every set of n pairs equally likely.
    """
    counts = generator.binomial(pool, n / max(pool.sum(), 1)).astype(np.int64)
    missing = n - int(counts.sum())
    candidates = pool - counts if missing > 0 else counts
    picked = generator.choice(int(candidates.sum()), abs(missing), replace=False, shuffle=False) if missing else []
    changed = np.bincount(np.searchsorted(np.cumsum(candidates), picked, side="right"), minlength=pool.size)
    return counts + changed * (1 if missing > 0 else -1)
