"""Forecasts by a reservoir that is fed its own output, and how long they hold."""

from typing import Any, Self

import numpy as np

from neurosim.checks import check_number, check_numbers, check_whole, describe_value
from neurosim.errors import ParameterError
from neurosim.reservoirs.estimator import Estimator
from neurosim.reservoirs.least_squares import solved
from neurosim.reservoirs.nvar import NVAR
from neurosim.reservoirs.rates import RateReservoir


class Forecaster:
    r"""A reservoir whose readout foresees the next point of a series, and goes on with what it has foreseen.

    y(t + 1) = y(t) + W_out [1, u(t), x(t)]: with `fit`, u(t) is the series, and W_out minimises the squared error plus
    ridge |W_out|^2 but for the weight of the 1, each feature divided by its standard deviation; with `forecast`, u(t) =
    y(t). The series is standardised, all its variables by themselves, before the reservoir sees it.

    Args:
        reservoir: an `EchoState`, a `BalancedEchoState` or an `NVAR` with as many inputs as the series has variables.
        ridge: penalty, relative to the number of points.
        washout: points at the beginning that are not trained on.
        noise: standard deviation of noise that is added to the inputs in training, in standard deviations of the
            series; it keeps a closed loop stable.
        seed: of that noise.

    Attributes:
        weights_: W_out, shape (1 + inputs + units, inputs), of features that are divided by `scale_`.

    >>> import numpy as np
    >>> from neurosim.reservoirs import NVAR
    >>> t = np.arange(400.0)
    >>> wave = np.stack([np.sin(0.1 * t), np.cos(0.1 * t)], axis=1)
    >>> model = Forecaster(NVAR(2, lags=1, order=1), ridge=1e-12, washout=0).fit(wave[:300])
    >>> bool(np.abs(model.forecast(100) - wave[300:]).max() < 1e-6)
    True

    Source: Jaeger, Haas, Science 304 (2004) 78; Pathak et al., Physical Review Letters 120 (2018) 024102.
    """

    def __init__(self, reservoir: RateReservoir | NVAR, *, ridge: float = 1e-6, washout: int = 100, noise: float = 0.0,
                 seed: int = 0):
        if not isinstance(reservoir, (RateReservoir, NVAR)):
            raise ParameterError("Forecaster.reservoir must be an EchoState, a BalancedEchoState or an NVAR, got "
                                 f"{describe_value(reservoir)}")
        self.reservoir, self.seed = reservoir, check_whole("Forecaster.seed", seed, at_least=0)
        self.ridge = check_number("Forecaster.ridge", ridge, at_least=0)
        self.washout = check_whole("Forecaster.washout", washout, at_least=0)
        self.noise = check_number("Forecaster.noise", noise, at_least=0)
        self._fitted: dict[str, Any] = {}

    @property
    def weights_(self) -> np.ndarray:
        """W_out of scaled features."""
        return self._of_fit("weights")

    @property
    def scale_(self) -> np.ndarray:
        """What each feature is divided by."""
        return self._of_fit("scale")

    def fit(self, series) -> Self:
        """Learn from a series of shape (times, variables), whose end is where forecasts begin."""
        series = self._series("fit", series, self.washout + 3)
        centre, spread = series.mean(axis=0), series.std(axis=0)
        if (spread == 0).any():
            raise ParameterError("Forecaster.fit: each variable of the series must change")
        u = (series - centre) / spread
        given = u + self.noise * np.random.default_rng(self.seed).normal(size=u.shape)
        if isinstance(self.reservoir, Estimator):
            self.reservoir.fit(given)
        x, _ = self.reservoir.begin(given[:-1])
        features = np.hstack([given[:-1], x])[self.washout:]
        mean = features.mean(axis=0)
        features -= mean  # so that the intercept has no penalty, and the means of states take no digits of the sums
        scale = features.std(axis=0)
        scale[scale == 0] = 1.0
        features /= scale
        gram = features.T @ features
        gram[np.diag_indices_from(gram)] += self.ridge * len(features)
        target = (u[1:] - given[:-1])[self.washout:]
        weights = solved(gram, features.T @ (target - target.mean(axis=0)), self.ridge)
        weights = np.vstack([target.mean(axis=0) - (mean / scale) @ weights, weights])
        self._fitted = {"centre": centre, "spread": spread, "scale": np.r_[1.0, scale], "weights": weights,
                        "last": series}
        return self

    def forecast(self, steps: int, after=None) -> np.ndarray:
        """Return the points that follow a series, shape (steps, variables).

        Args:
            steps: how many.
            after: series whose end is gone on from, shape (times, variables), long enough for the reservoir to forget
                where it began; by default what was fitted.

        Raises:
            ParameterError: an argument does not fit, or `fit` was not called.
        """
        steps = check_whole("Forecaster.forecast.steps", steps, at_least=1)
        series = self._of_fit("last") if after is None else self._series("forecast", after, 1)
        centre, spread = self._of_fit("centre"), self._of_fit("spread")
        given = (series - centre) / spread
        x, state = self.reservoir.begin(given)
        weights = self.weights_ / self.scale_[:, None]
        found, y, x = np.empty((steps, series.shape[1])), given[-1], x[-1]
        with np.errstate(over="ignore", invalid="ignore"):  # a forecast that runs away is a bad one, not an error
            for t in range(steps):
                y = y + weights[0] + y @ weights[1:1 + len(y)] + x @ weights[1 + len(y):]
                found[t] = y
                if not np.abs(y).max() < 1e6:
                    found[t:] = np.inf
                    break
                x, state = self.reservoir.advance(state, y)
        return found * spread + centre

    def _of_fit(self, name):
        if not self._fitted:
            raise ParameterError("Forecaster must be fitted before it is used: call fit(series)")
        return self._fitted[name]

    def _series(self, method, series, least):
        array = check_numbers(f"Forecaster.{method}: series", series)
        if array.ndim != 2 or array.shape[1] != self.reservoir.inputs or len(array) < least or (
                not np.isfinite(array).all()):
            raise ParameterError(f"Forecaster.{method}: series must be finite numbers of shape (times, "
                                 f"{self.reservoir.inputs}), at least {least} times, got {describe_value(array)}")
        return array


def valid_time(forecast, truth, *, threshold: float = 0.4, spread=None) -> int:
    r"""Return for how many steps a forecast holds: those before its error first exceeds a threshold.

    e(t) = |y(t) - u(t)| / sqrt(mean of |u - <u>|^2),   the norm over the variables.

    Args:
        forecast, truth: shape (steps, variables) or (steps,).
        threshold: of e.
        spread: the root by which errors are divided; by default that of `truth`, which should then be long.

    Returns:
        number of steps; all of them where e stays below.

    Raises:
        ParameterError: an argument does not fit.

    >>> valid_time([0.0, 1.0, 5.0, 1.0], [0.0, 1.0, 0.0, 1.0])
    2

    Source: Pathak et al., Chaos 28 (2018) 041101; Vlachas et al., Neural Networks 126 (2020) 191.
    """
    found, truth = check_numbers("valid_time.forecast", forecast), check_numbers("valid_time.truth", truth)
    threshold = check_number("valid_time.threshold", threshold, above=0)
    if found.shape != truth.shape or found.ndim not in (1, 2) or not found.size or not np.isfinite(truth).all():
        raise ParameterError("valid_time.forecast must be numbers of shape (steps,) or (steps, variables), like truth, "
                             f"which is finite, got shapes {found.shape} and {truth.shape}")
    found, truth = found.reshape(len(found), -1), truth.reshape(len(truth), -1)
    spread = (float(np.sqrt(((truth - truth.mean(axis=0)) ** 2).sum(axis=1).mean())) if spread is None
              else check_number("valid_time.spread", spread, above=0))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.sqrt(((found - truth) ** 2).sum(axis=1))
    wrong = np.flatnonzero(~(error <= threshold * spread))
    return int(wrong[0]) if wrong.size else len(found)


__all__ = ["Forecaster", "valid_time"]
