"""Learning from errors that are broadcast: recurrent spiking layers under a sparse readout, without backpropagation."""

from typing import Self

import numpy as np

from learning_rules.broadcast_kernel import TEXT
from neurosim.aliases import Real, Whole
from neurosim.checks import Parameter, Parametrised, Seed, check_numbers, computed, describe_value, required
from neurosim.engine.loader import load_function
from neurosim.errors import ParameterError, SimulationError


class BroadcastClassifier(Parametrised, kw_only=False):
    r"""Two recurrent layers of integrate-and-fire neurons, taught by errors of their readout that all of them receive.

    Per tick, v -> decay v + what arrives; a neuron whose v exceeds 1 spikes and its v is set to 0. Pixels spike with
    probability x rate in each tick and reach layer 1, which reaches itself and layer 2, which reaches itself. Both
    reach the readout, `pool` neurons for each class, through a fixed sparse mask: each neuron has a band of `share` of
    the readout, and each of these connections goes to a random place with probability 0.3. Most spikes win.

    Teaching (the winner takes all): a readout neuron k has the error d_k = 1 - s_k if it belongs to the class that is
    shown, else -s_k, s_k being its spike; so of the others only those that spike are punished. Errors are averaged over
    each pool and broadcast by fixed random numbers B of mean 0, and smoothed in each neuron to a modulator m:

    m_i -> beta m_i + (1 - beta) sum_k B_ik d_k;   e_ij -> lam e_ij + x_j where |v_i - 1| < window before the reset;
    w_ij -> w_ij + rate_hidden m_i e_ij,   and for the readout  w_kj -> w_kj + rate_readout m_k x_j,

    x_j being the trace of source j, x -> kappa x + s, and m_k the smoothed d_k. No derivative and no weight is
    transported. With rate_hidden = 0 the layers stay as drawn (frozen), and the readout learns alone.

    Args:
        inputs: number of pixels.
        units: neurons in each of the two layers.
        classes, pool: of the readout.
        share: share of the readout that a neuron reaches.
        ticks: for which an image is shown; states begin anew with each.
        rate: spikes of a pixel of 1 in a tick.
        rate_hidden, rate_readout: rates of learning.
        decay, beta, lam, kappa: factors per tick of v, of modulators, of eligibilities and of traces.
        window: distance of v from the threshold within which a neuron is eligible.
        gain_in, gain_across, gain_within: standard deviation of a neuron's sum of weights from pixels, from the layer
            before and from its own layer.
        seed: of weights, mask, B, spikes of pixels and the order of images.

    Attributes:
        weights: the matrices by name, (sources, targets).
        mask1, mask2: which connections to the readout exist.
        rates: spikes per image of a neuron in each layer, in the last pass.

    Raises:
        ParameterError: an argument does not fit.

    >>> model = BroadcastClassifier(4, units=10, classes=2, share=0.5, seed=1)
    >>> images = np.repeat([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]], 40, axis=0)
    >>> labels = np.repeat([0, 1], 40)
    >>> model.fit(images, labels, epochs=2).score(images, labels) > 0.8
    True

    Source: Tang, Xie, arXiv 2605.00402 (2026), of whose abstract this is a reading: sizes, constants and the
    eligibility are our own; Samadi, Lillicrap, Tweed, Neural Computation 29 (2017) 578, for broadcast alignment.
    """

    positional = 1
    inputs: Whole = required(Parameter(doc="number of pixels", integer=True, at_least=1, per_element=False))
    units: Whole = Parameter(100, doc="neurons in each layer", integer=True, at_least=1, per_element=False)
    classes: Whole = Parameter(10, doc="number of classes", integer=True, at_least=2, per_element=False)
    pool: Whole = Parameter(5, doc="readout neurons of a class", integer=True, at_least=1, per_element=False)
    share: Real = Parameter(0.1, doc="share of the readout that a neuron reaches", above=0, at_most=1,
                            per_element=False)
    ticks: Whole = Parameter(30, doc="for which an image is shown", integer=True, at_least=1, per_element=False)
    rate: Real = Parameter(0.3, doc="spikes of a pixel of 1 in a tick", above=0, at_most=1, per_element=False)
    rate_hidden: Real = Parameter(3e-5, doc="rate of learning of the layers; 0: frozen", at_least=0, per_element=False)
    rate_readout: Real = Parameter(3e-4, doc="rate of learning of the readout", at_least=0, per_element=False)
    decay: Real = Parameter(0.9, doc="of v per tick", at_least=0, at_most=1, per_element=False)
    beta: Real = Parameter(0.5, doc="of modulators per tick", at_least=0, at_most=1, per_element=False)
    lam: Real = Parameter(0.9, doc="of eligibilities per tick", at_least=0, at_most=1, per_element=False)
    kappa: Real = Parameter(0.8, doc="of traces per tick", at_least=0, at_most=1, per_element=False)
    window: Real = Parameter(0.5, doc="distance of v from the threshold within which a neuron is eligible", above=0,
                             per_element=False)
    gain_in: Real = Parameter(2.0, doc="of the sum of weights from pixels", at_least=0, per_element=False)
    gain_across: Real = Parameter(2.0, doc="of the sum of weights from the layer before", at_least=0, per_element=False)
    gain_within: Real = Parameter(0.5, doc="of the sum of weights within a layer", at_least=0, per_element=False)
    seed: Whole = Seed("seed of weights, mask and spikes")

    weights: dict = computed()
    mask1: np.ndarray = computed()
    mask2: np.ndarray = computed()
    feedback: np.ndarray = computed()
    rates: tuple = computed()

    def validate(self):
        """Draw weights, masks and feedback."""
        rng, n, m = np.random.default_rng([self.seed, 0]), self.units, self.classes * self.pool

        def normal(rows, columns, gain):
            return rng.standard_normal((rows, columns)) * gain / np.sqrt(rows)

        weights = {"in": normal(self.inputs, n, self.gain_in), "within1": normal(n, n, self.gain_within),
                   "across": normal(n, n, self.gain_across), "within2": normal(n, n, self.gain_within)}
        masks = [_band(rng, self.share, n, m) for _ in range(2)]
        for k, mask in enumerate(masks, 1):
            weights[f"out{k}"] = np.where(mask, normal(n, m, 0.1 / np.sqrt(self.share)), 0.0)
        feedback = rng.standard_normal((2, self.classes, n))
        self.__dict__.update(weights=weights, mask1=masks[0], mask2=masks[1], rates=(np.nan, np.nan), passes=0,
                             feedback=feedback - feedback.mean(axis=1, keepdims=True))

    def fit(self, X, y, epochs: int = 8) -> Self:
        """Learn from each image once in every epoch, in random order; a further call goes on from there.

        Args:
            X: images, shape (samples, inputs), values from 0 to 1.
            y: labels, whole numbers from 0 to classes - 1, shape (samples,).
            epochs: number of passes.

        Returns:
            this object.

        Raises:
            ParameterError: X, y or epochs do not fit.
            SimulationError: weights became infinite or undefined.
        """
        X = self._checked(X)
        y = self._labels(y, len(X))
        if isinstance(epochs, bool) or not isinstance(epochs, (int, np.integer)) or epochs < 1:
            raise ParameterError(f"BroadcastClassifier.epochs must be a whole number >= 1, got {epochs!r}")
        for _ in range(epochs):
            order = np.random.default_rng([self.seed, 1, self.__dict__["passes"]]).permutation(len(X))
            self._passed(X[order], y[order].astype(np.int64), True)
            if not all(np.isfinite(each).all() for each in self.weights.values()):
                raise SimulationError("BroadcastClassifier: weights became infinite or undefined; lower rate_hidden or "
                                      "rate_readout")
        return self

    def counts(self, X) -> np.ndarray:
        """Return how many spikes the readout of each class gives for each image, shape (samples, classes).

        Args:
            X: images, shape (samples, inputs), values from 0 to 1.
        """
        X = self._checked(X)
        return self._passed(X, np.zeros(len(X), np.int64), False)

    def predict(self, X) -> np.ndarray:
        """Return the class with most spikes for each image, the first of those that have as many."""
        return self.counts(X).argmax(axis=1)

    def score(self, X, y) -> float:
        """Return the share of images whose class is found."""
        found = self.predict(X)
        return float(np.mean(found == self._labels(y, len(found))))

    def _checked(self, X):
        X = np.ascontiguousarray(check_numbers("BroadcastClassifier.X", X))
        if X.ndim != 2 or X.shape[1] != self.inputs or len(X) == 0:
            raise ParameterError("BroadcastClassifier.X must be numbers from 0 to 1 of shape (samples, "
                                 f"{self.inputs}), got {describe_value(X)}")
        if not ((X >= 0) & (X <= 1)).all():
            raise ParameterError("BroadcastClassifier.X must be numbers from 0 to 1, got some from "
                                 f"{X.min():g} to {X.max():g}")
        return X

    def _labels(self, y, samples):
        y = np.asarray(y)
        if y.shape != (samples,) or y.dtype.kind not in "iu" or ((y < 0) | (y >= self.classes)).any():
            raise ParameterError(f"BroadcastClassifier.y must be {samples} labels in 0 .. {self.classes - 1}, got "
                                 f"{describe_value(y)}")
        return y

    def _passed(self, X, y, learn):
        """Show all images once, and return the counts."""
        passes = self.__dict__["passes"]
        rng = np.random.default_rng([self.seed, 2, passes])
        spikes = rng.random((len(X), self.ticks, self.inputs)) < X[:, None] * self.rate
        counts, totals = np.zeros((len(X), self.classes), np.int64), np.zeros(2, np.int64)
        numbers = np.array([self.decay, self.kappa, self.lam, self.beta, self.window, self.rate_hidden,
                            self.rate_readout])
        w = self.weights
        load_function("broadcast", TEXT, {})(
            spikes, y, learn, numbers, self.pool, w["in"], w["within1"], w["across"], w["within2"], w["out1"],
            w["out2"], self.mask1, self.mask2, self.feedback, counts, totals)
        self.__dict__.update(rates=tuple(totals / self.units / len(X)), passes=passes + learn)
        return counts


def _band(rng, share, sources, targets):
    """Return which sources reach which targets: a band of a ring for each, some of whose places are drawn anew."""
    width = max(1, round(share * targets))
    mask = np.zeros((sources, targets), bool)
    for i in range(sources):
        reached = (np.arange(width) + i * targets // sources) % targets
        moved = rng.random(width) < 0.3
        reached[moved] = rng.integers(0, targets, moved.sum())
        mask[i, reached] = True
    return mask
