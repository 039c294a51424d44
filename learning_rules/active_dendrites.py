"""Dendritic segments with few synapses that recognise patterns of few active inputs."""

import numpy as np
import scipy.stats

from neurosim.aliases import Whole
from neurosim.checks import Parameter, Parametrised, check_seed, check_whole, describe_value, required
from neurosim.connectivity import Explicit
from neurosim.errors import ParameterError


class ActiveDendrites(Parametrised):
    r"""Segments that recognise a pattern by a few synapses: active where `threshold` of them or more get input.

    A segment has `synapses` synapses on inputs that were active in the pattern it stores, drawn at random. Where a of
    n inputs are active at random, a segment of s synapses gets b inputs with the hypergeometric probability

    P(b) = C(s, b) C(n - s, a - b) / C(n, a),

    so that it is active by mistake with sum_{b >= threshold} P(b), which is tiny where a / n is small. Of a stored
    pattern of which `kept` of a active inputs remain, the segment keeps its activity with the same sum for a, kept
    and s in the place of n, a and s.

    >>> dendrites = ActiveDendrites(synapses=20, threshold=10)
    >>> pattern = np.arange(2000) < 40
    >>> segments = dendrites.segments([pattern])
    >>> dendrites.active(segments, [pattern, np.roll(pattern, 30)])
    array([[ True],
           [False]])
    >>> f"{dendrites.false_match(2000, 40):.1e}"
    '4.9e-13'

    Source: Ahmad, Hawkins, arXiv 1601.00720 (2016).
    """

    synapses: Whole = required(Parameter(doc="synapses of a segment", at_least=1, integer=True, per_element=False))
    threshold: Whole = required(Parameter(doc="synapses that must get input at once for a segment to be active",
                                          at_least=1, integer=True, per_element=False))

    def validate(self):
        """Check that a segment can be active."""
        if self.threshold > self.synapses:
            raise ParameterError(f"ActiveDendrites.threshold must be <= {self.synapses}, the synapses of a segment, "
                                 f"got {self.threshold}")

    def segments(self, patterns, seed: int = 0) -> np.ndarray:
        """Return the inputs of the synapses of one segment for each pattern, ascending, shape (patterns, synapses).

        Args:
            patterns: which inputs are active, bool, shape (patterns, inputs).
            seed: of the choice among them.

        Raises:
            ParameterError: a pattern has fewer active inputs than a segment has synapses.
        """
        patterns = _patterns("segments", patterns)
        few = patterns.sum(axis=1).min()
        if few < self.synapses:
            raise ParameterError(f"ActiveDendrites.segments: each pattern must have {self.synapses} active inputs or "
                                 f"more, as many as a segment has synapses, got {few}")
        ranks = np.random.Generator(np.random.Philox(check_seed("seed", seed))).random(patterns.shape)
        ranks[~patterns] = 2.0
        return np.sort(np.argpartition(ranks, self.synapses - 1, axis=1)[:, :self.synapses], axis=1)

    def overlaps(self, segments, patterns) -> np.ndarray:
        """Return how many synapses of each segment get input, shape (patterns, segments)."""
        patterns = _patterns("overlaps", patterns)
        segments = _segments(segments, patterns.shape[1])
        return np.stack([patterns[:, each].sum(axis=1) for each in segments], axis=1)

    def active(self, segments, patterns) -> np.ndarray:
        """Return which segments patterns activate, bool, shape (patterns, segments)."""
        return self.overlaps(segments, patterns) >= self.threshold

    def false_match(self, n: int, active: int) -> float:
        """Return how probable it is that a segment is active for a random pattern of `active` of n inputs."""
        return self._tail("false_match.active", active, "n", n)

    def recognised(self, active: int, kept: int) -> float:
        """Return how probable it is that a segment knows a pattern of which `kept` of its `active` inputs are left."""
        return self._tail("recognised.kept", kept, "active", active)

    def rule(self, segments) -> Explicit:
        """Return the segments as a connection rule, from inputs to one neuron for each segment.

        A LIF neuron of short tau_mem and v_threshold = threshold - 1/2, with weights of 1, is such a segment: it
        spikes where `threshold` inputs or more arrive in one tick.
        """
        segments = _segments(segments, None)
        return Explicit(segments.reshape(-1), np.repeat(np.arange(len(segments)), segments.shape[1]))

    def _tail(self, what, drawn, name, n):
        n = check_whole(f"ActiveDendrites.{what.split('.')[0]}.{name}", n, at_least=self.synapses)
        drawn = check_whole(f"ActiveDendrites.{what}", drawn, at_least=0, at_most=n)
        return float(scipy.stats.hypergeom.sf(self.threshold - 1, n, self.synapses, drawn))


def _patterns(what, given) -> np.ndarray:
    array = np.asarray(given)
    if array.ndim != 2 or array.size == 0 or array.dtype != bool:
        raise ParameterError(f"ActiveDendrites.{what}: patterns must be bool of shape (patterns, inputs), "
                             f"got {describe_value(given)}")
    return array


def _segments(given, inputs) -> np.ndarray:
    array = np.asarray(given)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "iu" or array.min() < 0 or (
            inputs is not None and array.max() >= inputs):
        below = "" if inputs is None else f" and below {inputs}"
        raise ParameterError("ActiveDendrites: segments must be whole numbers of inputs, shape (segments, synapses), "
                             f"not negative{below}, got {describe_value(given)}")
    return array


__all__ = ["ActiveDendrites"]
