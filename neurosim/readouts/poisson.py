"""Decoders of spike counts: where an animal is, and which state it is in."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from neurosim.checks import check_number, check_numbers, check_whole, describe_value
from neurosim.errors import ParameterError


def _counts(owner, counts, units=None):
    array = check_numbers(f"{owner}: counts", counts)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all() or (array < 0).any() or (
            units is not None and array.shape[1] != units):
        wanted = "units" if units is None else units
        raise ParameterError(f"{owner}: counts must be numbers >= 0 of shape (bins, {wanted}), got "
                             f"{describe_value(counts)}")
    return array


class PlaceDecoder(RegressorMixin, BaseEstimator):
    r"""Where an animal is, from counts of independent Poisson neurons with tuning curves: Bayes' rule on a grid.

    log P(x | n) = sum_i (n_i log f_i(x) - f_i(x)) + log P(x) + constant,

    f_i being the mean count of unit i at x and P(x) how often x was visited, both smoothed by a Gaussian.

    Args:
        places: cells of the grid along each axis of the position.
        smooth: width of the Gaussian, in cells; 0 for none.
        prior: whether P(x) is used; else all places that were visited are equally likely.

    Attributes:
        centres_: centres of the visited cells, shape (cells, axes).
        rates_: f, shape (cells, units).
        occupancy_: P(x), shape (cells,).

    >>> import numpy as np
    >>> x = np.repeat([0.0, 1.0, 2.0], 50)
    >>> counts = np.stack([x == 0, x == 1, x == 2], axis=1) * 5.0
    >>> PlaceDecoder(places=3, smooth=0.0).fit(counts, x).predict([[0, 0, 6], [4, 0, 0]]).round(3)
    array([1.667, 0.333])

    Source: Zhang, Ginzburg, McNaughton, Sejnowski, J. Neurophysiology 79 (1998) 1017.
    """

    def __init__(self, places=40, smooth=1.5, prior=True):
        self.places = places
        self.smooth = smooth
        self.prior = prior

    def fit(self, X, y):
        """Learn from counts (bins, units) and positions (bins,) or (bins, axes)."""
        from scipy.ndimage import gaussian_filter

        counts, place = _counts("PlaceDecoder", X), check_numbers("PlaceDecoder: positions", y)
        places = check_whole("PlaceDecoder.places", self.places, at_least=2)
        smooth = check_number("PlaceDecoder.smooth", self.smooth, at_least=0)
        self.flat_ = place.ndim == 1
        place = place.reshape(len(place), -1)
        if len(place) != len(counts) or not np.isfinite(place).all():
            raise ParameterError(f"PlaceDecoder: positions must be finite, one for each of {len(counts)} bins, got "
                                 f"{describe_value(y)}")
        axes = place.shape[1]
        edges = [np.linspace(low, high if high > low else low + 1, places + 1)
                 for low, high in zip(place.min(axis=0), place.max(axis=0), strict=True)]
        visits = np.histogramdd(place, edges)[0]
        spikes = np.stack([np.histogramdd(place, edges, weights=unit)[0] for unit in counts.T], axis=-1)
        seen = visits > 0
        if smooth:
            visits = gaussian_filter(visits, smooth)
            spikes = gaussian_filter(spikes, (*[smooth] * axes, 0))
        grid = np.stack(np.meshgrid(*[(e[1:] + e[:-1]) / 2 for e in edges], indexing="ij"), axis=-1)
        self.centres_, self.n_features_in_ = grid[seen], counts.shape[1]
        self.rates_ = np.maximum(spikes[seen] / visits[seen][:, None], 1e-3 / len(counts))
        self.occupancy_ = visits[seen] / visits[seen].sum()
        return self

    def log_posterior(self, X) -> np.ndarray:
        """Return log P(x | n) up to a constant for each bin, shape (bins, cells)."""
        check_is_fitted(self, "rates_")
        counts = _counts("PlaceDecoder", X, self.n_features_in_)
        found = counts @ np.log(self.rates_).T - self.rates_.sum(axis=1)
        return found + np.log(self.occupancy_) if self.prior else found

    def predict(self, X):
        """Return the most likely place for each bin, of the shape that was learnt."""
        found = self.centres_[self.log_posterior(X).argmax(axis=1)]
        return found[:, 0] if self.flat_ else found


class SwitchingPoisson(BaseEstimator):
    r"""Counts of Poisson neurons whose dependence on covariates switches with a hidden state (GLM-HMM).

    n_i(t) ~ Poisson(exp(x(t) w_i^z(t))),   z(t) a Markov chain; fitted by expectation maximisation, the weights by
    Newton's method, with a penalty of ridge |w|^2 / 2 on all but the intercept. With one state it is Poisson
    regression.

    Args:
        states: number of hidden states.
        ridge: penalty.
        iterations: most rounds; it stops where the likelihood grows by less than 1e-6 a bin.
        stay: probability of staying in a state at the beginning.
        seed: of the first weights, which differ a little between states.

    Attributes:
        weights_: w, shape (states, covariates + 1, units); the last covariate is the intercept.
        transitions_: probabilities from state (row) to state.
        start_: probabilities of the first state.
        scores_: log-likelihood per bin after each round.

    Source: Escola, Fontanini, Katz, Paninski, Neural Computation 23 (2011) 1071.
    """

    def __init__(self, states=2, ridge=1.0, iterations=50, stay=0.95, seed=0):
        self.states = states
        self.ridge = ridge
        self.iterations = iterations
        self.stay = stay
        self.seed = seed

    def fit(self, X, y):
        """Learn from covariates (bins, covariates), which may be none, and counts y (bins, units)."""
        k = check_whole("SwitchingPoisson.states", self.states, at_least=1)
        rounds = check_whole("SwitchingPoisson.iterations", self.iterations, at_least=1)
        ridge = check_number("SwitchingPoisson.ridge", self.ridge, at_least=0)
        stay = check_number("SwitchingPoisson.stay", self.stay, above=0, below=1)
        counts = _counts("SwitchingPoisson", y)
        design = self._design(X, len(counts))
        rng = np.random.default_rng(check_whole("SwitchingPoisson.seed", self.seed, at_least=0))
        self.start_ = np.full(k, 1.0 / k)
        self.transitions_ = np.full((k, k), (1 - stay) / max(k - 1, 1))
        np.fill_diagonal(self.transitions_, stay if k > 1 else 1.0)
        first = np.zeros((design.shape[1], counts.shape[1]))
        first[-1] = np.log(counts.mean(axis=0) + 1e-3)
        self.weights_ = np.stack([first + (0.3 * rng.normal(size=first.shape) if k > 1 else 0.0) * (
            np.arange(len(first)) == len(first) - 1)[:, None] for _ in range(k)])
        self.scores_ = []
        for _ in range(rounds):
            total, share, pairs = self._expect(design, counts)
            self.scores_.append(total / len(counts))
            if len(self.scores_) > 1 and self.scores_[-1] - self.scores_[-2] < 1e-6:
                break
            self.start_ = share[0] + 1e-12
            self.start_ = self.start_ / self.start_.sum()
            moved = pairs + 1e-6
            self.transitions_ = moved / moved.sum(axis=1, keepdims=True)
            for state in range(k):
                self.weights_[state] = _regressed(design, counts, share[:, state], self.weights_[state], ridge)
        return self

    def score(self, X, y) -> float:
        """Return the log-likelihood of counts, per bin; it needs no knowledge of the states."""
        counts = self._of_fit(y)
        return self._expect(self._design(X, len(counts), self.weights_.shape[1]), counts)[0] / len(counts)

    def posterior(self, X, y) -> np.ndarray:
        """Return the probability of each state in each bin given all counts, shape (bins, states)."""
        counts = self._of_fit(y)
        return self._expect(self._design(X, len(counts), self.weights_.shape[1]), counts)[1]

    def _of_fit(self, y):
        check_is_fitted(self, "weights_")
        return _counts("SwitchingPoisson", y, self.weights_.shape[2])

    def _design(self, X, bins, columns=None):
        given = np.zeros((bins, 0)) if X is None else check_numbers("SwitchingPoisson: covariates", X)
        fits = given.ndim == 2 and len(given) == bins and np.isfinite(given).all()
        if not fits or columns not in (None, given.shape[1] + 1):
            wanted = "covariates" if columns is None else columns - 1
            raise ParameterError(f"SwitchingPoisson: covariates must be finite numbers of shape ({bins}, {wanted}), "
                                 f"got {describe_value(X)}")
        return np.hstack([given, np.ones((bins, 1))])

    def _expect(self, design, counts):
        """Return the log-likelihood, the probabilities of states, and the expected numbers of moves."""
        from scipy.special import gammaln

        inner = np.einsum("tc,kcu->ktu", design, self.weights_)
        each = ((counts * inner).sum(axis=2) - np.exp(np.minimum(inner, 50.0)).sum(axis=2)).T
        each -= gammaln(counts + 1).sum(axis=1)[:, None]
        largest = each.max(axis=1, keepdims=True)
        likely, bins = np.exp(each - largest), len(each)
        forth, scale, back = np.empty_like(likely), np.empty(bins), np.empty_like(likely)
        now = self.start_
        for t in range(bins):
            now = (now if t == 0 else now @ self.transitions_) * likely[t]
            scale[t] = now.sum()
            now = forth[t] = now / scale[t]
        back[-1] = 1.0
        for t in range(bins - 2, -1, -1):
            back[t] = self.transitions_ @ (likely[t + 1] * back[t + 1]) / scale[t + 1]
        pairs = self.transitions_ * (forth[:-1].T @ (likely[1:] * back[1:] / scale[1:, None]))
        return float(np.log(scale).sum() + largest.sum()), forth * back, pairs


def _regressed(design, counts, share, weights, ridge):
    """Return weights of Poisson regressions in which each bin counts by its share, by damped Newton steps."""
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 1e-6

    def cost(w):
        inner = np.minimum(design @ w, 50.0)
        return share @ (np.exp(inner) - counts * inner) + 0.5 * (penalty[:, None] * w * w).sum(axis=0)

    now = cost(weights)
    for _ in range(4):
        rate = np.exp(np.minimum(design @ weights, 50.0)) * share[:, None]
        slope = design.T @ (rate - counts * share[:, None]) + penalty[:, None] * weights
        bend = np.einsum("tc,tu,td->ucd", design, rate, design, optimize=True) + np.diag(penalty)
        step = np.linalg.solve(bend, slope.T[:, :, None])[:, :, 0].T
        length = np.ones(counts.shape[1])
        for _ in range(20):  # shorter steps for the units whose cost would grow
            tried = cost(weights - length * step)
            worse = tried > now + 1e-9
            if not worse.any():
                break
            length[worse] /= 2
        weights, now = weights - length * step, tried
        if np.abs(step).max() < 1e-6:
            break
    return weights


__all__ = ["PlaceDecoder", "SwitchingPoisson"]
