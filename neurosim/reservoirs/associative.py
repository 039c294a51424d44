"""Associative memories: Hebb's rule with diluted patterns or synapses, and dense updates, on devices where wanted."""

import numpy as np

from neurosim.checks import check_number, check_numbers, check_seed, check_whole, describe_value
from neurosim.contracts import Device
from neurosim.errors import ParameterError

UPDATES = ("hebb", "power", "softmax")


class AssociativeMemory:
    r"""Patterns of +-1 and 0 that a network of units of +-1 falls back into; all units change at once.

    - `update="hebb"`: s <- sign(W s), W = C o sum_mu xi^mu xi^mu' / n with diagonal 0. C keeps each synapse with
      probability `connections` (both directions of a pair alike where `symmetric`). Entries of 0 leave units to other
      patterns, so that several are retrieved at once.
    - `update="power"`: s_i <- sign(sum_mu xi_i^mu (sum_{j != i} xi_j^mu s_j)^(power - 1)), which for power 2 is Hebb's
      rule, and holds about n^(power - 1) patterns.
    - `update="softmax"`: s <- sign(sum_mu xi^mu p_mu), p = softmax(sharpness / n sum_j xi_j^mu s_j): a modern network,
      attention over the patterns; it holds exponentially many.

    With a `device`, Hebb's W is one array of devices, and the others have two: the overlaps are one product with xi',
    what is made of them comes back through xi. What a unit takes of its own state (j = i) is subtracted digitally. A
    unit whose sum is 0 keeps its state.

    Args:
        patterns: shape (patterns, n), entries -1, 0 and 1.
        update: "hebb", "power" or "softmax".
        power: of the overlaps, whole, >= 2.
        sharpness: of the softmax, > 0; in units of an overlap of 1.
        connections: share of the synapses that exist, with Hebb's rule.
        symmetric: whether a synapse is there together with the opposite one.
        device: a device layer; one that can be `fitted` to a range is fitted to the weights.
        seed: of dilution, programming and reads.

    Attributes:
        arrays: the weights that act: W, or xi, as the devices hold them.

    Raises:
        ParameterError: an argument does not fit.

    >>> xi = np.random.default_rng(0).choice([-1.0, 1.0], (10, 200))
    >>> memory = AssociativeMemory(xi)
    >>> bool((memory.recall(memory.flipped(xi, 0.1)) == xi).all())
    True

    Source: Hopfield, PNAS 79 (1982) 2554; dilution of synapses: Derrida, Gardner, Zippelius, Europhysics Letters 4
    (1987) 167; of patterns: Agliari et al., Physical Review Letters 109 (2012) 268101; powers: Krotov, Hopfield,
    NeurIPS 2016; softmax: Ramsauer et al., ICLR 2021.
    """

    def __init__(self, patterns, *, update: str = "hebb", power: int = 3, sharpness: float = 20.0,
                 connections: float = 1.0, symmetric: bool = True, device: Device | None = None, seed: int = 0):
        owner = type(self).__name__
        if update not in UPDATES:
            raise ParameterError(f"{owner}.update must be one of {', '.join(map(repr, UPDATES))}, got "
                                 f"{describe_value(update)}")
        self.patterns = self._checked_patterns(patterns)
        self.update, self.power = update, check_whole(f"{owner}.power", power, at_least=2)
        self.sharpness = check_number(f"{owner}.sharpness", sharpness, above=0)
        self.connections = check_number(f"{owner}.connections", connections, above=0, at_most=1)
        if self.connections < 1 and update != "hebb":
            raise ParameterError(f"{owner}.connections must be 1 where update is {update!r}: its overlaps have no "
                                 "synapses between two units")
        if device is not None and not isinstance(device, Device):
            raise ParameterError(f"{owner}.device must be a device layer or None, got {describe_value(device)}")
        self.generator = np.random.default_rng(check_seed(f"{owner}.seed", seed))
        ideal = self._hebb(symmetric) if update == "hebb" else self.patterns
        self.device = self._fitted(device, ideal)
        self.arrays = [each if self.device is None else np.array(self.device.program(each, self.generator))
                       for each in ([ideal] if update == "hebb" else [ideal.T.copy(), ideal])]
        if update == "hebb":
            np.fill_diagonal(self.arrays[0], 0.0)

    @property
    def weights(self) -> np.ndarray:
        """W where the update is Hebb's, shape (n, n), a row for each source; else what the overlaps come from."""
        return self.arrays[0]

    def flipped(self, states, share: float) -> np.ndarray:
        """Return states in which a share of the units, chosen at random, has the other sign."""
        return np.where(self.generator.random(np.shape(states)) < share, -1.0, 1.0) * states

    def cue(self, pattern: int = 0) -> np.ndarray:
        """Return a pattern whose entries of 0 have been given random signs, shape (n,)."""
        chosen = self.patterns[check_whole(f"{type(self).__name__}.cue.pattern", pattern, at_least=0,
                                           below=len(self.patterns))]
        return np.where(chosen == 0, self.generator.choice([-1.0, 1.0], chosen.shape), chosen)

    def recall(self, states, steps: int = 30) -> np.ndarray:
        """Return where states of shape (samples, n) have got to: all units at once, at most so many times."""
        s = check_numbers(f"{type(self).__name__}.recall.states", states)
        n = self.patterns.shape[1]
        if s.shape[-1:] != (n,) or not np.isfinite(s).all():
            raise ParameterError(f"{type(self).__name__}.recall must be given finite states of shape (samples, {n}), "
                                 f"got {describe_value(s)}")
        for _ in range(check_whole(f"{type(self).__name__}.recall.steps", steps, at_least=0)):
            field = self.field(s)
            new = np.where(field == 0, s, np.sign(field))
            if (new == s).all():
                break
            s = new
        return s

    def field(self, states) -> np.ndarray:
        """Return what the units sum, of whose sign they become, for states of shape (samples, n) or (n,)."""
        s = np.asarray(states, np.float64)
        if self.update == "hebb":
            return self._product(s, self.arrays[0])
        overlaps = self._product(s, self.arrays[0])
        if self.update == "softmax":
            raised = self.sharpness / s.shape[-1] * overlaps
            share = np.exp(raised - raised.max(axis=-1, keepdims=True))
            return self._product(share / share.sum(axis=-1, keepdims=True), self.arrays[1])
        # xi (o - xi s)^(power - 1) by powers of o: xi^(k + 1) is xi or |xi|
        total, p = np.zeros(s.shape), self.power - 1
        scaled = overlaps / s.shape[-1]
        for k in range(p + 1):
            weight = scaled ** (p - k) * _binomial(p, k) * (-1.0 / s.shape[-1]) ** k
            through = self.arrays[1] if k % 2 == 0 else np.abs(self.arrays[1])
            total += self._product(weight, through) * s ** k
        return total

    def overlap(self, share: float = 0.0, steps: int = 30) -> float:
        """Return the mean overlap of the stored patterns with what recall makes of them, a share of them flipped."""
        recalled = self.recall(self.flipped(self.patterns, share), steps)
        return float((recalled * self.patterns).sum() / np.count_nonzero(self.patterns))

    def overlaps(self, states) -> np.ndarray:
        """Return m_mu = sum_i xi_i^mu s_i / n with each pattern, shape (samples, patterns) or (patterns,)."""
        return np.asarray(states) @ self.patterns.T / self.patterns.shape[1]

    def _product(self, x, array):
        return x @ array if self.device is None else self.device.matmul(x, array, self.generator)

    def _hebb(self, symmetric):
        xi, n = self.patterns, self.patterns.shape[1]
        w = xi.T @ xi / n
        if self.connections < 1:
            kept = self.generator.random((n, n)) < self.connections
            w *= np.where(np.tri(n, dtype=bool), kept, kept.T) if symmetric else kept
        np.fill_diagonal(w, 0.0)
        return w

    def _fitted(self, device, ideal):
        fit = getattr(device, "fitted", None)
        return device if fit is None else fit(ideal if np.any(ideal) else np.ones((1, 1)))

    def _checked_patterns(self, patterns, allowed=(-1.0, 0.0, 1.0), kind="-1, 0 and 1"):
        xi = check_numbers(f"{type(self).__name__}.patterns", patterns)
        if xi.ndim != 2 or not np.isin(xi, allowed).all() or not xi.any():
            raise ParameterError(f"{type(self).__name__}.patterns must be a matrix of {kind}, got {describe_value(xi)}")
        return xi


def _binomial(n, k):
    from math import comb

    return float(comb(n, k))


def retrieval_overlap(load, diluted: bool = False) -> np.ndarray:
    r"""Return the overlap at which Hebb's rule retrieves random patterns of +-1, for a large network.

    m = erf(m / sqrt(2 a r)),   r = 1 / (1 - C)^2,  C = sqrt(2 / (pi a r)) exp(-m^2 / (2 a r)),

    a being the load, patterns over units; 0 above 0.138, where there is no such state. With few synapses per unit, that
    are not symmetric, states have no echo: r = 1, a is patterns over synapses of a unit, and the edge is 2 / pi.

    Args:
        load: a number or an array, > 0.
        diluted: whether synapses are few and not symmetric.

    >>> retrieval_overlap([0.05, 0.13, 0.15]).round(3)
    array([1.   , 0.987, 0.   ])

    Source: Amit, Gutfreund, Sompolinsky, Annals of Physics 173 (1987) 30; Derrida, Gardner, Zippelius, Europhysics
    Letters 4 (1987) 167.
    """
    from scipy.special import erf

    loads = np.atleast_1d(check_numbers("retrieval_overlap.load", load))
    if loads.ndim != 1 or not (loads > 0).all() or not np.isfinite(loads).all():
        raise ParameterError(f"retrieval_overlap.load must be finite numbers > 0, got {describe_value(load)}")
    y = np.linspace(1e-4, 8.0, 80_001)  # y = m / sqrt(2 a r): both equations give the load that belongs to it
    m = erf(y)
    echo = 0.0 if diluted else 2 / np.sqrt(np.pi) * np.exp(-y * y)
    belongs = np.maximum(m / y - echo, 0.0) ** 2 / 2
    top = int(belongs.argmax())
    found = np.interp(loads, belongs[top:][::-1], m[top:][::-1], left=1.0)
    found = np.where(loads > belongs[top], 0.0, found)
    return found if np.ndim(load) else found[0]


__all__ = ["AssociativeMemory", "retrieval_overlap"]
