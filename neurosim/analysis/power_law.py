"""Power laws, fitted by maximum likelihood to the tail that they describe best."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.checks import check_seed, check_whole, describe_value, is_number
from neurosim.errors import ParameterError

LEAST = 10  #: values in the tail of a fit
MOST_BOUNDS = 1000  #: lower bounds that are tried at once, before those between the best of them
STEEPEST = 20.0  #: exponent


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """A power law, p(x) in proportion to x^-exponent, and the values that it was fitted to.

    Args:
        exponent: alpha.
        error: standard error of the exponent, from the curvature of the likelihood.
        x_min, x_max: from where to where the law holds; x_max is infinite where there is no bound.
        n_tail: how many values lie there.
        distance: largest difference between the distribution of these and the law's (Kolmogorov-Smirnov).
        discrete: whether the values are whole numbers.
        chosen: whether the values chose x_min; else it was given.
        values: all values, sorted.
    """

    exponent: float
    error: float
    x_min: float
    x_max: float
    n_tail: int
    distance: float
    discrete: bool
    chosen: bool
    values: np.ndarray

    def __repr__(self):
        upper = f" to {self.x_max:g}" if math.isfinite(self.x_max) else ""
        return (f"<power law x^-{self.exponent:.3f} (error {self.error:.2g}) from {self.x_min:g}{upper}, "
                f"{self.n_tail} of {len(self.values)} values, distance {self.distance:.3g}>")

    def p_value(self, n: int = 200, *, seed: int = 0) -> float:
        """Return how often values that do follow the law lie further from their own fit; below 0.1 it is implausible.

        Each of n sets is drawn from the law above x_min and from the values themselves below, and fitted as they were.

        Args:
            n: number of sets, >= 1; the result is exact to about 1 / (2 sqrt(n)).
            seed: of what is drawn.

        >>> import numpy as np
        >>> values = np.random.default_rng(1).pareto(1.5, 500) + 1
        >>> power_law(values).p_value(20) > 0.1
        True

        Source: Clauset, Shalizi, Newman, SIAM Review 51 (2009) 661, section 4.1.
        """
        n = check_whole("PowerLaw.p_value.n", n, at_least=1)
        generator = np.random.default_rng(check_seed("PowerLaw.p_value.seed", seed))
        inside = (self.values >= self.x_min) & (self.values <= self.x_max)
        others, further = self.values[~inside], 0
        for _ in range(n):
            many = generator.binomial(len(self.values), self.n_tail / len(self.values))
            drawn = _draw(self, max(many, LEAST), generator)
            rest = generator.choice(others, len(self.values) - many) if len(others) else others
            again = power_law(np.concatenate([drawn, rest]), x_min=None if self.chosen else self.x_min,
                              x_max=self.x_max, discrete=self.discrete)
            further += again.distance >= self.distance
        return further / n


def power_law(values, *, x_min: float | None = None, x_max: float | None = None,
              discrete: bool | None = None) -> PowerLaw:
    r"""Return the power law that describes the tail of positive values best.

    The exponent maximises the likelihood of the values in [x_min, x_max]; of all x_min that is taken from which the
    law and the values differ least.

    Args:
        values: numbers > 0, shape (n,): sizes or durations of avalanches.
        x_min: lower bound, > 0, one of the values; by default it is chosen so that 10 values or more remain.
        x_max: upper bound, where a size of the system cuts the law off; by default there is none.
        discrete: whether p(k) = k^-alpha / sum, for whole numbers; by default where `values` is of integers.

    Raises:
        ParameterError: fewer than 10 values lie between the bounds, or all of them are alike.

    >>> import numpy as np
    >>> values = np.random.default_rng(1).pareto(1.5, 20_000) + 1
    >>> abs(power_law(values, x_min=1.0).exponent - 2.5) < 0.03
    True

    Source: Clauset, Shalizi, Newman, SIAM Review 51 (2009) 661; with an upper bound: Marshall et al., Frontiers in
    Physiology 7 (2016) 250.
    """
    array = _checked(values)
    discrete = array.dtype.kind in "iu" if discrete is None else bool(discrete)
    if discrete and (array != np.rint(array)).any():
        raise ParameterError("power_law.values must be whole numbers where discrete=True")
    array = np.sort(array.astype(np.float64))
    top = math.inf if x_max is None else _bound("x_max", x_max)
    kept = array[array <= top]
    if x_min is None:
        best = _best(kept, top, discrete)
    else:
        low = _bound("x_min", x_min)
        best = _fit(kept[np.searchsorted(kept, low):], low, top, discrete)
    if best is None:
        raise ParameterError(f"power_law.values must have {LEAST} values or more between x_min and x_max that are not "
                             f"all alike, got {len(kept)} values up to x_max")
    distance, exponent, error, low, many = best
    return PowerLaw(exponent, error, low, top, many, distance, discrete, x_min is None, array)


def _checked(values) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not (np.isfinite(array) & (array > 0)).all():
        raise ParameterError(f"power_law.values must be finite numbers > 0 of shape (n,), got {describe_value(values)}")
    return array


def _bound(name, value) -> float:
    if not is_number(value) or not value > 0:
        raise ParameterError(f"power_law.{name} must be a number > 0, got {describe_value(value)}")
    return float(value)


def _best(values, top, discrete):
    """Return the fit with the least distance: of lower bounds evenly spread in rank, then of those around the best."""
    bounds = np.unique(values[:max(len(values) - LEAST + 1, 0)])
    first, last, best = 0, len(bounds) - 1, None
    while first <= last:
        tried = np.unique(np.linspace(first, last, MOST_BOUNDS).astype(np.int64))
        fits = {k: _fit(values[np.searchsorted(values, bounds[k]):], bounds[k], top, discrete) for k in tried}
        fits = {k: fit for k, fit in fits.items() if fit is not None}
        if not fits:
            break
        k = min(fits, key=fits.__getitem__)
        best = fits[k] if best is None else min(best, fits[k])
        if len(tried) > last - first:
            break
        at = int(np.searchsorted(tried, k))
        first, last = int(tried[max(at - 1, 0)]), int(tried[min(at + 1, len(tried) - 1)])
    return best


def _fit(tail, low, top, discrete):
    """Return distance, exponent, error, low and number of values; None where there is nothing to fit."""
    from scipy.optimize import minimize_scalar

    if len(tail) < LEAST or tail[0] == tail[-1]:
        return None
    logs = float(np.log(tail / low).mean())
    if not discrete and math.isinf(top):
        alpha = 1 + 1 / logs
    else:
        found: Any = minimize_scalar(lambda a: a * logs + _log_norm(a, low, top, discrete), method="bounded",
                                     bounds=(1.0 + 1e-6 if math.isinf(top) else 1e-6, STEEPEST),
                                     options={"xatol": 1e-10})
        alpha = float(found.x)
    h = 1e-3 * min(1.0, alpha - 1) if math.isinf(top) else 1e-3 * alpha
    norm = [_log_norm(alpha + d, low, top, discrete) for d in (-h, 0.0, h)]
    curvature = (norm[0] - 2 * norm[1] + norm[2]) / h**2
    error = 1 / math.sqrt(len(tail) * curvature) if curvature > 0 else math.nan
    return _distance(tail, alpha, low, top, discrete), alpha, error, float(low), len(tail)


def _log_norm(alpha, low, top, discrete) -> float:
    """Logarithm of the sum, or integral over x / low, of (x / low)^-alpha."""
    if discrete:
        return math.log(_sums(alpha, np.array([low]), top)[0]) + alpha * math.log(low)
    if math.isinf(top):
        return -math.log(alpha - 1)
    ratio = math.log(top / low)
    return math.log(ratio if abs(alpha - 1) < 1e-12 else -math.expm1((1 - alpha) * ratio) / (alpha - 1))


def _sums(alpha, first, top) -> np.ndarray:
    """Sum of k^-alpha for k = first .. top, for each first, of which the smallest comes first."""
    from scipy.special import zeta

    if math.isinf(top):
        return zeta(alpha, first)
    k = np.arange(math.ceil(first[0]), math.floor(top) + 1)
    sums = np.append(np.cumsum((k**-alpha)[::-1])[::-1], 0.0)
    return sums[np.ceil(first).astype(np.int64) - k[0]]


def _distance(tail, alpha, low, top, discrete) -> float:
    """Largest difference of the two distribution functions, just before and at each value."""
    n = len(tail)
    if discrete:
        values, last = np.unique(tail[::-1], return_index=True)
        behind = _sums(alpha, np.append(low, values + 1), top)
        return float(np.abs(1 - last / n - (1 - behind[1:] / behind[0])).max())
    bent = np.expm1((1 - alpha) * np.log(tail / low))
    law = bent / (-1.0 if math.isinf(top) else np.expm1((1 - alpha) * math.log(top / low)))
    up_to = np.arange(n + 1) / n
    return float(max(np.abs(up_to[1:] - law).max(), np.abs(up_to[:-1] - law).max()))


def _draw(law, n, generator) -> np.ndarray:
    """Draw from a law between its bounds."""
    a, low, top = law.exponent, law.x_min, law.x_max
    if not law.discrete:
        end = 0.0 if math.isinf(top) else (top / low) ** (1 - a)
        return low * (1 - generator.random(n) * (1 - end)) ** (1 / (1 - a))
    if math.isfinite(top):
        k = np.arange(math.ceil(low), math.floor(top) + 1)
        return generator.choice(k, n, p=k**-a / (k**-a).sum()).astype(np.float64)
    found = np.empty(0)  # by rejection from the law of numbers that are not whole, rounded: it has more of each
    while len(found) < n:
        k = np.floor((low - 0.5) * (1 - generator.random(2 * n)) ** (1 / (1 - a)) + 0.5)
        k = k[k < 2**53]
        more = ((k - 0.5) ** (1 - a) - (k + 0.5) ** (1 - a)) / (a - 1)
        found = np.concatenate([found, k[generator.random(len(k)) * more <= k**-a]])
    return found[:n]
