"""Structural plasticity: the weakest synapses go, and as many grow where activities are correlated."""

from typing import Any, Literal, NamedTuple

import numpy as np

from neurosim.aliases import Choice, Real, Whole
from neurosim.checks import Option, Parameter, Parametrised, check_seed, describe_value, required
from neurosim.connectivity import Blocks
from neurosim.errors import NetworkError, ParameterError

CELLS = 4_000_000  #: entries of the matrix of correlations that are computed at once


class Turnover(NamedTuple):
    """What a turnover changed: numbers of the synapses that go, and source and target of those that grow."""

    pruned: np.ndarray
    source: np.ndarray
    target: np.ndarray


class Rewiring(Parametrised):
    """Prunes the synapses of smallest |weight| and grows as many between the most correlated pairs.

    The number of synapses stays as it is. A pair grows that has no synapse, that may have one, and that was not pruned
    in the same turn, in the order of the correlation of the activities x_i and y_j, largest first, or at random. Equal
    ranks go to the lower source, then target. Where fewer pairs are free than would be pruned, fewer are pruned.

    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.random((200, 4)), rng.random((200, 3))
    >>> y[:, 2] = x[:, 1]  # a planted pair
    >>> weights = np.array([[0.5, 0.0, 0.9], [0.8, 0.1, 0.0], [0.7, 0.0, 0.6], [0.0, 0.4, 0.0]])
    >>> Rewiring(fraction=0.1, weight=0.2).rewire(weights, x, y)
    array([[0.5, 0. , 0.9],
           [0.8, 0. , 0.2],
           [0.7, 0. , 0.6],
           [0. , 0.4, 0. ]])

    Source: Mocanu et al., Nature Communications 9 (2018) 2383 (prune the weakest, regrow as many); growth by
    correlation: Butz, Woergoetter, van Ooyen, Brain Research Reviews 60 (2009) 287.
    """

    fraction: Real = Parameter(0.1, doc="share of the synapses that is exchanged in a turn", above=0, at_most=1,
                               per_element=False)
    weight: Real = Parameter(0.1, doc="weight of a new synapse", per_element=False)
    grow: Choice[Literal["absolute", "positive", "random"]] = Option(
        "absolute", ("absolute", "positive", "random"),
        doc="rank of a pair: |correlation|, the correlation, or a random number")

    def turnover(self, source, target, weight, x, y, allowed=None, seed: int = 0) -> Turnover:
        """Return which synapses go and which grow.

        Args:
            source, target, weight: of the synapses, shape (synapses,); no pair twice.
            x, y: activities of the sources and targets, shapes (samples, sources) and (samples, targets).
            allowed: which pairs may have a synapse, bool, shape (sources, targets); all by default.
            seed: of the random ranks, for grow="random".
        """
        x, y = _activity("x", x), _activity("y", y)
        if len(x) != len(y):
            raise ParameterError(f"Rewiring: x and y must have as many samples, got {len(x)} and {len(y)}")
        shape = x.shape[1], y.shape[1]
        weight = np.asarray(weight, np.float64)
        source, target = (np.asarray(each, np.int64) for each in (source, target))
        _check_pairs(source, target, weight, shape)
        allowed = _check_allowed(allowed, shape)
        pairs = source * shape[1] + target
        inside = pairs.size if allowed is None else int(allowed.reshape(-1)[pairs].sum())
        free = (np.prod(shape) if allowed is None else int(allowed.sum())) - inside
        count = min(round(self.fraction * pairs.size), int(free))
        pruned = np.sort(np.lexsort((pairs, np.abs(weight)))[:count])
        ranks = self._ranks(x, y, np.random.Generator(np.random.Philox(check_seed("seed", seed))))
        grown = _largest(ranks, shape, count, np.sort(pairs), allowed)
        return Turnover(pruned, *np.divmod(grown, shape[1]))

    def rewire(self, weights, x, y, allowed=None, seed: int = 0):
        """Return a matrix (sources, targets) of weights after a turn, in the form in which it was given.

        Args:
            weights: a dense array, whose nonzero entries are the synapses, or a scipy sparse array, whose stored ones
                are.
            x, y, allowed, seed: as of `turnover`.
        """
        sparse = hasattr(weights, "tocoo")
        matrix: Any = weights.tocsr().copy() if sparse else np.array(weights, copy=True)
        if sparse:
            matrix.sum_duplicates()
            entries = matrix.tocoo()
            source, target, values = entries.row, entries.col, entries.data
        else:
            if self.weight == 0:
                raise ParameterError("Rewiring.weight must not be 0 for a dense array, in which 0 is no synapse; give "
                                     "a scipy sparse array")
            source, target = np.nonzero(matrix)
            values = matrix[source, target]
        turn = self.turnover(source, target, values, x, y, allowed, seed)
        if not sparse:
            matrix[source[turn.pruned], target[turn.pruned]] = 0
            matrix[turn.source, turn.target] = self.weight
            return matrix
        kept = np.delete(np.arange(values.size), turn.pruned)
        values = np.concatenate([values[kept], np.full(turn.source.size, self.weight, values.dtype)])
        rows, columns = np.append(source[kept], turn.source), np.append(target[kept], turn.target)
        return type(weights.tocoo())((values, (rows, columns)), shape=weights.shape).asformat(weights.format)

    def go_on(self, sim, projection, *, bin: float = 10.0, since: float = 0.0, delay=None, allowed=None, seed: int = 0):
        """Return a simulation that goes on with the synapses of a projection after a turn.

        Activities are counts of recorded spikes in bins. What remains keeps its weight, delay and other variables.

        Args:
            sim: the simulation; spikes of the projection's source and target must be recorded.
            projection: the projection, or its name.
            bin: ms, length of a bin.
            since: ms, from when on spikes count.
            delay: ms, of new synapses; by default the one that all have.
            allowed, seed: as of `turnover`.
        """
        projection = sim.net.projection(projection) if isinstance(projection, str) else projection
        for population in (projection.source, projection.target):
            recorder = sim.net.recorder(population, "spikes")
            if recorder is None or recorder.ids is not None:
                raise NetworkError(f"spikes of all neurons of {population.name!r} must be recorded: synapses grow by "
                                   "them; call net.record(...) without ids first")
        x, y = (sim.spikes(population).between(since, sim.time).bin(bin, per_neuron=True) for population in
                (projection.source, projection.target))
        synapses = sim.synapses(projection)
        if delay is None:
            if np.unique(synapses.delay).size != 1:
                raise ParameterError(f"delay must be given: the synapses of {projection.name!r} have different ones")
            delay = synapses.delay[0]
        turn = self.turnover(synapses.source, synapses.target, synapses.weight, x, y, allowed, seed)
        kept = np.delete(np.arange(synapses.source.size), turn.pruned)

        def joined(old, new):
            return np.append(old[kept], np.broadcast_to(new, turn.source.size))

        return sim.rewire(
            projection, joined(synapses.source, turn.source), joined(synapses.target, turn.target),
            weight=joined(synapses.weight, self.weight), delay=joined(synapses.delay, delay),
            continues=joined(np.arange(synapses.source.size), -1))

    def _ranks(self, x, y, generator):
        """Return a function that gives the ranks of the pairs of some sources."""
        if self.grow == "random":
            return lambda first, last: generator.random((last - first, y.shape[1]))
        x, y = _standardised(x), _standardised(y)

        def correlation(first, last):
            found = x[:, first:last].T @ y
            return np.abs(found) if self.grow == "absolute" else found

        return correlation


class BlockMask(Parametrised):
    """Groups of sources meet groups of targets: within a pair of groups of one number with p_in, else with p_out.

    Both populations are cut into `groups` groups of consecutive neurons, of equal size but for one.

    >>> BlockMask(groups=2, p_in=1.0, p_out=0.0).mask(4, 2).astype(int)
    array([[1, 0],
           [1, 0],
           [0, 1],
           [0, 1]])
    >>> BlockMask(groups=2, p_in=0.5, p_out=0.1).rule(4, 2)
    Blocks(source_blocks=(2, 2), target_blocks=(1, 1), probability=an array of shape (2, 2))
    """

    groups: Whole = required(Parameter(doc="number of groups", at_least=1, integer=True, per_element=False))
    p_in: Real = Parameter(1.0, doc="probability within a group", at_least=0, at_most=1, per_element=False)
    p_out: Real = Parameter(0.0, doc="probability between groups", at_least=0, at_most=1, per_element=False)

    def mask(self, n_source: int, n_target: int, seed: int = 0) -> np.ndarray:
        """Return which pairs are allowed, bool, shape (sources, targets)."""
        same = np.equal.outer(*(np.repeat(np.arange(self.groups), self._sizes(n)) for n in (n_source, n_target)))
        drawn = np.random.Generator(np.random.Philox(check_seed("seed", seed))).random((n_source, n_target))
        return drawn < np.where(same, self.p_in, self.p_out)

    def rule(self, n_source: int, n_target: int) -> Blocks:
        """Return the connection rule that draws such synapses in a network."""
        probability = np.where(np.eye(self.groups, dtype=bool), self.p_in, self.p_out)
        return Blocks(self._sizes(n_source), self._sizes(n_target), probability)

    def _sizes(self, n):
        if n < self.groups:
            raise ParameterError(f"BlockMask.groups must be <= {n}, the size of a population, got {self.groups}")
        return np.diff(np.arange(self.groups + 1) * n // self.groups)


def _largest(ranks, shape, count, taken, allowed):
    """Return the `count` pairs of largest rank that are free, ascending; `taken` is sorted."""
    rows, columns = shape
    best, found = np.empty(0), np.empty(0, np.int64)
    step = max(1, CELLS // columns)
    for first in range(0, rows if count else 0, step):
        last = min(first + step, rows)
        block = ranks(first, last)
        here = taken[np.searchsorted(taken, first * columns):np.searchsorted(taken, last * columns)]
        free = np.ones(block.size, bool) if allowed is None else allowed[first:last].reshape(-1).copy()
        free[here - first * columns] = False
        candidates = np.flatnonzero(free)
        best = np.concatenate([best, block.reshape(-1)[candidates]])
        found = np.concatenate([found, candidates + first * columns])
        if best.size > count:  # sort only what may be among the largest
            near = best >= np.partition(best, best.size - count)[best.size - count]
            best, found = best[near], found[near]
        chosen = np.lexsort((found, -best))[:count]
        best, found = best[chosen], found[chosen]
    return np.sort(found)


def _standardised(values):
    """Return columns of mean 0 and length 1; 0 where nothing varies."""
    values = values - values.mean(axis=0)
    length = np.sqrt((values**2).sum(axis=0))
    return values / np.where(length > 0, length, 1.0)


def _activity(name, given) -> Any:
    try:
        array = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.size == 0 or not np.isfinite(array).all():
        raise ParameterError(f"Rewiring: {name} must be finite numbers of shape (samples, neurons), "
                             f"got {describe_value(given)}")
    return array


def _check_pairs(source, target, weight, shape):
    fits = source.ndim == 1 and source.shape == target.shape == weight.shape
    if not fits or source.size and (source.min() < 0 or target.min() < 0 or source.max() >= shape[0]
                                    or target.max() >= shape[1]):
        raise ParameterError(f"Rewiring: synapses must lie within {shape[0]} sources and {shape[1]} targets, as x and "
                             "y have them, with a weight each")
    if np.unique(source * shape[1] + target).size != source.size:
        raise ParameterError("Rewiring: synapses must be of different pairs, got a pair twice; which is the weakest, "
                             "and whether a pair is free, would have no meaning")


def _check_allowed(allowed, shape):
    if allowed is None:
        return None
    allowed = np.asarray(allowed)
    if allowed.shape != shape or allowed.dtype != bool:
        raise ParameterError(f"Rewiring: allowed must be bool of shape {shape}, got {describe_value(allowed)}")
    return allowed


__all__ = ["BlockMask", "Rewiring", "Turnover"]
