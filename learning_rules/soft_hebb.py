"""A layer that learns by soft competition without labels, and adapts itself to other inputs after it was trained."""

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data

from neurosim.checks import check_number, check_seed, check_whole, describe_value
from neurosim.errors import ParameterError


class SoftHebb(TransformerMixin, BaseEstimator):
    r"""A soft winner-take-all layer whose weights follow Hebb's rule with a decay that gives them norm 1.

    x is an input less the mean of all, divided by its norm;  u_k = w_k . x,  y = softmax(u / temperature),

    w_k <- w_k + eta units < m_k y_k (x - u_k w_k) >,

    the mean being over a batch, m the modulator, 1 for all units unless given. Where the rule rests,
    <m y x> = <m y u> w, so that |w_k| = 1. The factor `units` makes eta independent of their number.

    Args:
        units: number of units.
        temperature: of the softmax, > 0; a low one lets one unit win.
        eta: learning rate, > 0.
        epochs: passes over the samples in `fit`.
        batch: samples of one change.
        seed: of first weights and of the order of samples.

    Attributes:
        weights_: shape (units, features).
        mean_: mean of the inputs, shape (features,).

    Raises:
        ParameterError: an argument does not fit.

    >>> layer = SoftHebb(4, epochs=30).fit(np.random.default_rng(0).random((500, 3)))
    >>> np.linalg.norm(layer.weights_, axis=1).round(1)
    array([1., 1., 1., 1.])

    Source: Moraitis et al., Neuromorphic Computing and Engineering 2 (2022) 044017.
    """

    def __init__(self, units=200, *, temperature=0.1, eta=0.02, epochs=20, batch=20, seed=0):
        self.units = units
        self.temperature = temperature
        self.eta = eta
        self.epochs = epochs
        self.batch = batch
        self.seed = seed

    def fit(self, X, y=None):
        """Begin with random weights of norm 1 and learn samples of shape (samples, features); y is not used."""
        self._check()
        x: Any = validate_data(self, X, dtype=np.float64)
        self.generator_ = np.random.default_rng(self.seed)
        self.mean_ = x.mean(axis=0)
        weights = self.generator_.standard_normal((self.units, x.shape[1]))
        self.weights_ = weights / np.linalg.norm(weights, axis=1, keepdims=True)
        for _ in range(self.epochs):
            self.partial_fit(x)
        return self

    def partial_fit(self, X, y=None, modulator=1.0):
        """Go once more over samples, in a new order.

        Args:
            X: shape (samples, features).
            y: not used.
            modulator: what multiplies the change, a number or one for each unit.
        """
        if not hasattr(self, "weights_"):
            raise ParameterError("SoftHebb.partial_fit goes on from weights; call fit first")
        for x in self.batches(X):
            self.learn(x, modulator)
        return self

    def transform(self, X):
        """Return y for samples of shape (samples, features), shape (samples, units)."""
        return self.compete(self.prepared(X))

    # -- parts, for what learns together with the layer ----------------------------------------------------------

    def prepared(self, X) -> np.ndarray:
        """Return inputs less their mean, each divided by its norm."""
        check_is_fitted(self, "weights_")
        x: Any = validate_data(self, X, reset=False, dtype=np.float64) - self.mean_
        length = np.linalg.norm(x, axis=1, keepdims=True)
        return x / np.where(length > 0, length, 1.0)

    def batches(self, X):
        """Yield prepared inputs in a new order, batch by batch."""
        x = self.prepared(X)
        order = self.generator_.permutation(len(x))
        for first in range(0, len(x), self.batch):
            yield x[order[first:first + self.batch]]

    def compete(self, x) -> np.ndarray:
        """Return y for prepared inputs."""
        return softmax(x @ self.weights_.T / self.temperature, axis=1)

    def learn(self, x, modulator=1.0) -> None:
        """Change the weights by one batch of prepared inputs."""
        y = self.compete(x) * modulator
        decay = (y * (x @ self.weights_.T)).sum(axis=0)
        self.weights_ += self.eta * self.units / len(x) * (y.T @ x - decay[:, None] * self.weights_)

    def _check(self):
        for name in ("units", "batch", "epochs"):
            check_whole(f"SoftHebb.{name}", getattr(self, name), at_least=0 if name == "epochs" else 1)
        for name in ("temperature", "eta"):
            check_number(f"SoftHebb.{name}", getattr(self, name), above=0)
        check_seed("SoftHebb.seed", self.seed)


class NeuroModulatedHebb(ClassifierMixin, BaseEstimator):
    r"""A Hebbian layer with a readout that, once trained, adapts to inputs without labels.

    `fit` trains the layer without labels and the readout with them. `adapt` sees inputs alone: the mean of inputs is
    taken anew, and for each batch

    m <- m - rate dH/dm,    w_k <- w_k + eta units < m_k y_k (x - u_k w_k) >,

    H being the mean entropy of what the readout says of m y. So a signal that is known at the output, how sure it is,
    sets gains m of the units, which scale what they tell and how fast they learn; the readout's weights stay. m >= 0.

    Hebb's rule finds out what noise has in common from sample to sample, such as pixels that are broken. To
    noise that is drawn anew in every pixel there is nothing to learn: expect no gain there.

    Args:
        layer: a `SoftHebb`; it is cloned.
        readout: a linear classifier with `coef_` and `intercept_` for three classes or more; logistic regression with
            C = 100 by default.
        rate: learning rate of the gains, >= 0; with 0 the layer adapts by Hebb's rule alone.
        eta: learning rate of the layer while it adapts, >= 0; with 0 gains alone adapt.
        epochs: passes over the inputs in `adapt`.

    Raises:
        ParameterError: an argument does not fit, or the readout has two classes.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> broken = X.copy()
    >>> broken[:, ::6] = 16.0 * (np.random.default_rng(0).random((len(X), 11)) < 0.5)
    >>> model = NeuroModulatedHebb(SoftHebb(100)).fit(X[:900], y[:900])
    >>> before = model.score(broken[900:], y[900:])
    >>> bool(model.adapt(broken[900:]).score(broken[900:], y[900:]) > before + 0.02)
    True

    Source: Tang et al., Neuro-modulated Hebbian learning for fully test-time adaptation, CVPR 2023.
    """

    def __init__(self, layer=None, readout=None, *, rate=0.3, eta=0.01, epochs=6):
        self.layer = layer
        self.readout = readout
        self.rate = rate
        self.eta = eta
        self.epochs = epochs

    def fit(self, X, y):
        """Train the layer on samples of shape (samples, features), and the readout on its answers and the labels."""
        if self.layer is not None and not isinstance(self.layer, SoftHebb):
            raise ParameterError(f"NeuroModulatedHebb.layer must be a SoftHebb, got {describe_value(self.layer)}")
        layer: Any = SoftHebb() if self.layer is None else clone(self.layer)
        self.layer_ = layer.fit(X)
        readout: Any = LogisticRegression(C=100.0, max_iter=1000) if self.readout is None else clone(self.readout)
        self.readout_ = readout.fit(self.layer_.transform(X), y)
        self.classes_ = self.readout_.classes_
        if len(self.classes_) < 3 or not hasattr(self.readout_, "coef_"):
            raise ParameterError("NeuroModulatedHebb.readout must be linear, with a row of coef_ for each of three "
                                 f"classes or more, got {len(self.classes_)} classes")
        self.gains_ = np.ones(self.layer_.units)
        return self

    def adapt(self, X):
        """Adapt to samples of shape (samples, features), without labels."""
        rate = check_number("NeuroModulatedHebb.rate", self.rate, at_least=0)
        eta = check_number("NeuroModulatedHebb.eta", self.eta, at_least=0)
        epochs = check_whole("NeuroModulatedHebb.epochs", self.epochs, at_least=0)
        check_is_fitted(self, "gains_")
        x: Any = validate_data(self.layer_, X, reset=False, dtype=np.float64)
        self.layer_.mean_ = x.mean(axis=0)
        for _ in range(epochs):
            for x in self.layer_.batches(X):
                _, slope = self._entropy(self.layer_.compete(x))
                self.gains_ = np.maximum(self.gains_ - rate * slope, 0.0)
                self.layer_.learn(x, self.gains_ * (eta / self.layer_.eta))
        return self

    def entropy(self, X) -> float:
        """Return H in nats, the mean entropy of the classes that the readout sees in samples."""
        return self._entropy(self.layer_.transform(X))[0]

    def predict_proba(self, X):
        """Return the probability of each class, shape (samples, classes)."""
        check_is_fitted(self, "gains_")
        return self._classes(self.layer_.transform(X))

    def predict(self, X):
        """Return the most probable class of each sample."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _classes(self, y):
        return softmax((y * self.gains_) @ self.readout_.coef_.T + self.readout_.intercept_, axis=1)

    def _entropy(self, y):
        """Return the mean entropy for answers y of the layer, and its gradient by the gains."""
        p = self._classes(y)
        log = np.log(np.maximum(p, np.finfo(np.float64).tiny))
        each = -(p * log).sum(axis=1, keepdims=True)
        through = (-p * (log + each)) @ self.readout_.coef_
        return float(each.mean()), (through * y).mean(axis=0)


__all__ = ["NeuroModulatedHebb", "SoftHebb"]
