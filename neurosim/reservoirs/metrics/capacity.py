"""Memory capacity and information processing capacity: what linear readouts recover of the past input."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from neurosim.checks import check_number, check_whole, describe_value, is_whole
from neurosim.errors import ParameterError
from neurosim.reservoirs.least_squares import solved
from neurosim.reservoirs.metrics.checks import pair

_BATCH = 64  # targets whose capacity is computed at once
WINDOWS = {1: 100, 2: 20, 3: 10}


@dataclass(frozen=True, eq=False)
class Memory:
    """Memory capacity.

    Args:
        total: sum over all delays.
        delays: steps, shape (delays,).
        by_delay: squared correlation of the input so long ago with its reconstruction, shape (delays,).
    """

    total: float
    delays: np.ndarray
    by_delay: np.ndarray

    def __repr__(self):
        return f"<memory capacity {self.total:.3g} over delays {self.delays[0]} to {self.delays[-1]}>"


def memory_capacity(states, inputs, *, longest: int | None = None, shortest: int = 1, washout: int = 0,
                    test: float = 0.5, ridge: float = 1e-9) -> Memory:
    r"""Return how many past inputs a linear readout of the states recovers.

    MC = sum_k corr^2(u(t - k), y_k(t)),

    y_k being a linear readout trained for delay k on the first part of the data; the correlation is taken on the
    rest. For independent inputs MC is at most the number of units.

    Args:
        states: shape (times, units).
        inputs: one number for each time, independent and identically distributed, shape (times,).
        longest: longest delay in steps; by default twice the number of units, up to a quarter of the data.
        shortest: shortest delay; 1 as in the source, 0 to count the present input.
        washout: steps at the beginning that are left out.
        test: share of the data, at the end, on which the correlation is taken.
        ridge: penalty on the readout's weights, relative to the mean variance of the states.

    Raises:
        ParameterError: an argument does not fit.

    >>> import numpy as np
    >>> u = np.random.default_rng(0).uniform(-1, 1, 3000)
    >>> register = np.stack([np.roll(u, k) for k in range(1, 6)], axis=1)
    >>> round(memory_capacity(register, u, longest=10, washout=10).total, 1)
    5.0

    Source: Jaeger, Short term memory in echo state networks, GMD report 152 (2001).
    """
    states, inputs = pair("memory_capacity", states, inputs)
    washout = check_whole("memory_capacity.washout", washout, at_least=0)
    shortest = check_whole("memory_capacity.shortest", shortest, at_least=0)
    test = check_number("memory_capacity.test", test, above=0, below=1)
    longest = int(min(2 * states.shape[1], len(states) // 4)) if longest is None else (
        check_whole("memory_capacity.longest", longest, at_least=max(shortest, 1)))
    begin = max(washout, longest)
    split = begin + round((1 - test) * (len(states) - begin))
    if split - begin < 2 or len(states) - split < 2:
        raise ParameterError(f"memory_capacity.states must have more than {begin + 4} times for these delays and this "
                             f"washout, got {len(states)}")
    delays = np.arange(shortest, longest + 1)
    past = np.stack([inputs[begin - k:len(inputs) - k] for k in delays], axis=1)
    predicted = _ridge(states[begin:], past, split - begin, ridge)
    by_delay = _squared_correlation(past[split - begin:], predicted)
    return Memory(float(by_delay.sum()), delays, by_delay)


def _ridge(states, targets, count, ridge):
    """Train on the first `count` rows; return the predictions for the others."""
    centre, mean = states[:count].mean(axis=0), targets[:count].mean(axis=0)
    x = states[:count] - centre
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram) + np.finfo(np.float64).tiny
    weights = solved(gram, x.T @ (targets[:count] - mean), ridge)
    return states[count:] @ weights + (mean - centre @ weights)


def _squared_correlation(a, b):
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    power = (a * a).sum(axis=0) * (b * b).sum(axis=0)
    return np.divide((a * b).sum(axis=0) ** 2, power, out=np.zeros(a.shape[1]), where=power > 0)


@dataclass(frozen=True, eq=False)
class InformationProcessing:
    """Information processing capacity.

    Args:
        total: sum over all functions of past inputs that were tried; at most `bound`.
        by_degree: the same for each degree, a dict.
        terms: capacity of each function, a dict from its factors, ((delay, degree), ...), without those set to 0.
        bound: rank of the states, which no set of orthogonal functions exceeds.
        threshold: what a capacity must exceed in order not to be set to 0.
    """

    total: float
    by_degree: dict
    terms: dict
    bound: int
    threshold: float

    def __repr__(self):
        degrees = ", ".join(f"degree {degree}: {value:.3g}" for degree, value in self.by_degree.items())
        return f"<information processing capacity {self.total:.3g} of at most {self.bound}; {degrees}>"


def information_processing_capacity(states, inputs, *, windows: Mapping[int, int] | None = None, washout: int = 0,
                                    significance: float = 1e-4) -> InformationProcessing:
    r"""Return how much of a complete set of functions of the past input linear readouts of the states recover.

    C[z] = 1 - min over readouts of <(z - w x)^2> / <z^2>,   z = products of Legendre polynomials P_n(u(t - k)).

    The products with every choice of delays and degrees are orthogonal for inputs uniform in [-1, 1], so the sum over
    them is at most the rank of the states, and equals it for a system with fading memory and enough functions. A
    finite recording of T steps gives every function a capacity of about rank / T by chance; what is not above the
    chi-squared quantile of `significance` counts as 0.

    Args:
        states: shape (times, units).
        inputs: independent and uniform in [-1, 1], shape (times,).
        windows: dict from each degree to the number of delays 0, 1, ... that its factors may have; by default
            {1: 100, 2: 20, 3: 10}. A window of n delays has (n + degree - 1)! / (degree! (n - 1)!) functions.
        washout: steps at the beginning that are left out, besides the longest delay.
        significance: probability that a function which the states do not carry counts.

    Raises:
        ParameterError: an argument does not fit.

    >>> import numpy as np
    >>> u = np.random.default_rng(0).uniform(-1, 1, 5000)
    >>> product = (u * np.roll(u, 1))[:, None]
    >>> information_processing_capacity(product, u, windows={1: 5, 2: 5}).terms
    {((0, 1), (1, 1)): 1.0}

    Source: Dambre, Verstraeten, Schrauwen, Massar, Scientific Reports 2 (2012) 514.
    """
    owner = "information_processing_capacity"
    states, inputs = pair(owner, states, inputs)
    if np.abs(inputs).max() > 1:
        raise ParameterError(f"{owner}.inputs must be uniform in [-1, 1], got an array that holds "
                             f"{inputs[np.abs(inputs).argmax()]:g}")
    windows = _checked_windows(owner, WINDOWS if windows is None else windows)
    significance = check_number(f"{owner}.significance", significance, above=0, below=1)
    begin = max(check_whole(f"{owner}.washout", washout, at_least=0), max(windows.values()) - 1)
    if len(states) - begin <= states.shape[1] + 1:
        raise ParameterError(f"{owner}.states must have many more times than units after {begin} steps of washout, "
                             f"got {len(states)} times and {states.shape[1]} units")
    basis = _basis(states[begin:])
    limit = _threshold(basis.shape[1], len(basis), significance)
    legendre = _legendre(inputs, max(windows))
    terms, by_degree = {}, {}
    for degree, window in windows.items():
        found = _capacities(_functions(degree, window), legendre, basis, begin)
        kept = {factors: value for factors, value in found if value > limit}
        terms |= kept
        by_degree[degree] = float(sum(kept.values()))
    return InformationProcessing(float(sum(by_degree.values())), by_degree, terms, basis.shape[1], limit)


def _checked_windows(owner, windows):
    fits = isinstance(windows, Mapping) and len(windows) > 0
    numbers = [n for item in windows.items() for n in item] if fits else []
    if not fits or any(not is_whole(n) or n < 1 for n in numbers):
        raise ParameterError(f"{owner}.windows must be a dict from degrees to numbers of delays, whole numbers >= 1, "
                             f"got {describe_value(windows)}")
    return dict(windows)


def _basis(states):
    """Return an orthonormal basis of the centred states, shape (times, rank)."""
    u, values, _ = np.linalg.svd(states - states.mean(axis=0), full_matrices=False)
    return u[:, values > 1e-10 * max(values[0], np.finfo(np.float64).tiny)]


def _threshold(rank, times, significance):
    from scipy.stats import chi2

    return float(chi2.isf(significance, rank) / times) if rank else 0.0


def _legendre(u, most):
    """Return P_0(u) .. P_most(u), shape (most + 1, times)."""
    table = [np.ones_like(u), u]
    for n in range(1, most):
        table.append(((2 * n + 1) * u * table[n] - n * table[n - 1]) / (n + 1))
    return np.stack(table)


def _functions(degree, window):
    """Yield the products of a degree as ((delay, degree of the factor), ...)."""
    for delays in combinations_with_replacement(range(window), degree):
        yield tuple(Counter(delays).items())


def _capacities(functions, legendre, basis, begin):
    """Yield (function, capacity)."""
    functions, times = list(functions), legendre.shape[1]
    for first in range(0, len(functions), _BATCH):
        part = functions[first:first + _BATCH]
        targets = np.stack([np.prod([legendre[n, begin - k:times - k] for k, n in factors], axis=0)
                            for factors in part])
        targets -= targets.mean(axis=1, keepdims=True)
        recovered = ((targets @ basis) ** 2).sum(axis=1) / (targets**2).sum(axis=1)
        yield from zip(part, np.minimum(recovered, 1.0).tolist(), strict=True)


__all__ = ["InformationProcessing", "Memory", "information_processing_capacity", "memory_capacity"]
