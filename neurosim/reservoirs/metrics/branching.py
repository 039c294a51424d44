"""The branching ratio by multistep regression, which subsampling does not bias."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.checks import check_whole
from neurosim.errors import ParameterError, warn
from neurosim.reservoirs.metrics.checks import table

LEAST = 5.0  #: standard deviations of independent numbers by which a fit must differ from them


@dataclass(frozen=True, eq=False)
class Branching:
    """A branching ratio and what it was fitted to.

    Args:
        m: branching ratio: how many spikes one spike causes in the next step; NaN where nothing decays.
        b: factor of the fit: 1 with all units seen, less with a part of them.
        slopes: regression slopes r_1, r_2, ..., shape (steps,); r_1 alone is the conventional estimate of m, too
            low under subsampling.
        score: how many standard deviations the decay lies above what independent numbers would give.
    """

    m: float
    b: float
    slopes: np.ndarray
    score: float

    def tau(self, dt: float = 1.0) -> float:
        """Return the autocorrelation time -dt / ln(m), in the unit of dt; infinite for m >= 1, 0 for m = 0."""
        return math.inf if self.m >= 1 else 0.0 if self.m <= 0 else -dt / math.log(self.m)  # of NaN it is NaN

    def __repr__(self):
        return f"<branching ratio m = {self.m:.4g}, b = {self.b:.3g}, from {self.slopes.size} steps>"


def branching_ratio(activity, longest: int | None = None) -> Branching:
    r"""Return the branching ratio of a process with drive, A(t + 1) = m A(t) + h on average, by multistep regression.

    r_k = slope of the regression of A(t + k) on A(t) = b m^k,

    fitted by least squares over k = 1 .. longest. Counting only some of the units makes b smaller and leaves m. The
    process must be stationary, and m below 1. Of independent numbers the slopes are noise of the deviation
    1 / sqrt(steps): where b m^k lies less than 5 deviations above it, m is NaN, with a warning.

    Args:
        activity: number of spikes of all recorded units in each step, shape (steps,), or of several
            recordings of one length, shape (recordings, steps).
        longest: longest k; by default a tenth of the recording, at most 500. It should be a few
            autocorrelation times.

    Raises:
        ParameterError: the activity is constant, or shorter than needed.

    >>> import numpy as np
    >>> generator, a, seen = np.random.default_rng(1), 100, []
    >>> for _ in range(20_000):
    ...     a = generator.poisson(0.9 * a + 10)
    ...     seen.append(generator.binomial(a, 0.1))
    >>> abs(branching_ratio(seen, 60).m - 0.9) < 0.02
    True

    Source: Wilting, Priesemann, Nature Communications 9 (2018) 2325.
    """
    activity = np.atleast_2d(table("branching_ratio.activity", activity, (1, 2), "a 1-D or 2-D array"))
    steps = activity.shape[1]
    longest = min(500, max(2, steps // 10)) if longest is None else check_whole("branching_ratio.longest", longest,
                                                                                at_least=2)
    if steps < longest + 3:
        raise ParameterError(f"branching_ratio.activity must have at least {longest + 3} steps for k up to {longest}, "
                             f"got {steps}")
    slopes = np.array([_slope(activity, k) for k in range(1, longest + 1)])
    m, b = _fit(slopes)
    power = m ** np.arange(1, longest + 1)
    score = b * math.sqrt(power @ power * activity.size)
    if score < LEAST:
        warn("branching_ratio: the activity cannot be told from numbers that are independent from step to "
             f"step (b = {b:.2g}, {score:.1f} standard deviations), so that m is NaN; either no spike causes "
             "another, or there are too few steps")
        m = math.nan
    return Branching(m, b, slopes, score)


def _slope(activity, k):
    now, later = activity[:, :-k], activity[:, k:]
    now = now - now.mean()
    power = float((now * now).sum())
    if power == 0:
        raise ParameterError("branching_ratio.activity must vary, got constant activity")
    return float((now * (later - later.mean())).sum()) / power


def _fit(slopes):
    """Return m and b of the best r_k = b m^k: the best b for each m is linear, and m is searched in [0, 1.1]."""
    from scipy.optimize import minimize_scalar

    k = np.arange(1, slopes.size + 1)

    def factor(m):
        power = m**k
        return float(power @ slopes / max(power @ power, np.finfo(np.float64).tiny))

    def loss(m):
        return float(((slopes - factor(m) * m**k) ** 2).sum())

    grid = 1.0 - np.geomspace(1.0, 1e-5, 200)
    grid = np.concatenate([grid, [1.0, 1.01, 1.02, 1.05, 1.1]])
    best = int(np.argmin([loss(m) for m in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    found: Any = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    m = float(found.x)
    return m, factor(m)


__all__ = ["Branching", "branching_ratio"]
