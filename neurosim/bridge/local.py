"""Networks whose layers are trained each for itself, so that no gradient has to get through what lies between them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from neurosim.bridge.extra import torch
from neurosim.checks import check_number, check_seed, check_whole, describe_value
from neurosim.errors import ParameterError, UnsupportedError


class LocalLearner(ClassifierMixin, BaseEstimator):
    """Base of classifiers that put a trained matrix behind each of some black boxes, and train each for itself."""

    def fit(self, X, y):
        """Train on X of shape (samples, features) and labels y, and return the classifier."""
        X, labels, boxes, trained = self._checked(X, y)
        self.boxes_, self.generator_ = boxes, torch.Generator().manual_seed(int(self.seed) % 2**63)
        self.weights_ = self._matrices(self._widths(X))
        learning = [self.weights_[k] for k in trained] + self._others()
        adam = torch.optim.Adam([each.requires_grad_() for each in learning], lr=self.learning_rate)
        X, labels = torch.from_numpy(X), torch.from_numpy(labels.astype(np.int64))
        for _ in range(self.epochs):
            order = torch.randperm(len(labels), generator=self.generator_)
            for rows in order.split(self.batch_size):
                adam.zero_grad()
                self._loss(X[rows], labels[rows], trained).backward()
                adam.step()
        for each in learning:
            each.requires_grad_(False).grad = None
        self.trained_ = trained
        return self

    def predict(self, X):
        """Return the class of each sample, from new calls of the boxes."""
        check_is_fitted(self)
        X = torch.from_numpy(validate_data(self, X, reset=False, dtype=np.float32))
        with torch.no_grad():
            return self.classes_[self._scores(X).argmax(1).numpy()]

    def _checked(self, X, y):
        """Return samples, labels as whole numbers, the boxes, and which matrices learn."""
        name = type(self).__name__
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError(f"{name}.fit must be given labels of two classes or more, got one class: "
                                 f"{describe_value(self.classes_.tolist()[0])}")
        boxes = list(self.boxes) if isinstance(self.boxes, Sequence) else []
        if not boxes or not all(callable(box) for box in boxes):
            raise ParameterError(f"{name}.boxes must be a list of functions, got {describe_value(self.boxes)}")
        for each in ("learning_rate", *self._numbers):
            check_number(f"{name}.{each}", getattr(self, each), above=0)
        check_seed(f"{name}.seed", self.seed)
        for each in ("hidden", "epochs", "batch_size"):
            check_whole(f"{name}.{each}", getattr(self, each), at_least=1)
        count = len(boxes) if self.trained is None else check_whole(f"{name}.trained", self.trained, at_least=1,
                                                                    at_most=len(boxes))
        return X, labels, boxes, range(len(boxes) - count, len(boxes))

    def _passed(self, k, h):
        """Return what a box makes of activities of shape (samples, inputs), each divided by its length."""
        given = _unit(h).detach().numpy()
        out = np.asarray(self.boxes_[k](given), dtype=np.float32)
        if out.ndim != 2 or len(out) != len(given):
            raise ParameterError(f"boxes[{k}] must return an array of shape ({len(given)}, outputs) for one of shape "
                                 f"{given.shape}, got one of shape {out.shape}")
        if not np.isfinite(out).all():
            raise UnsupportedError(f"boxes[{k}] returned infinite or undefined numbers, which no training bears")
        return torch.from_numpy(np.ascontiguousarray(out))

    def _widths(self, X):
        """Return how many numbers each box returns, from a call with the first sample and then with zeros."""
        widths, given = [], self._first(torch.from_numpy(X[:1]))
        for k in range(len(self.boxes_)):
            widths.append(self._passed(k, given).shape[1])
            given = torch.zeros(1, self.hidden)
        return widths

    def _matrix(self, n_in, n_out):
        return torch.randn(n_in, n_out, generator=self.generator_) / n_in ** 0.5


class CounterCurrent(LocalLearner):
    r"""A classifier through black boxes: what runs up from the samples meets what runs down from the labels.

    Up: h_k = relu(W_k box_k(h_(k-1) / |h_(k-1)|)), with h_0 = x and without relu in the last, whose cross-entropy it
    learns from. Down: g_1 = relu(V_1 c), g_j = relu(V_j g_(j-1)) for each class c. Layer k of L meets g_(L-k): the loss
    is the cross-entropy of softmax(cos(h_k, g_(L-k)(c)) / temperature), both without the batch's (the classes') mean.
    Each W and V has the gradient of its own layer's loss alone, so that a box is called, forward, and never asked for
    a gradient: it may be a function, the `forward` of a crossbar with its noise, or a measurement.

    In the paper paired activations come near each other by a distance. With three layers that let all classes come near
    each other too, and what is here, by which a pair is told from other classes, does not.

    Args:
        boxes: functions from (samples, inputs) to (samples, outputs), one a layer; the first takes the features, the
            others `hidden` numbers, all of them of length 1.
        hidden: numbers of h_k.
        trained: how many of the matrices, the last ones, are trained; the others stay random. None: all.
        temperature: by which cosines are divided, > 0.
        learning_rate: of Adam, > 0.
        batch_size: samples of a step.
        epochs: passes through the samples.
        seed: of weights and order.

    Raises:
        ParameterError: an argument does not fit, or a box returns another shape.

    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> X, mixed = rng.normal(size=(300, 4)), [rng.normal(size=(n, 30)) for n in (4, 20)]
    >>> boxes = [lambda x, m=m: np.tanh(2 * x @ m) for m in mixed]
    >>> y = X[:, 0] * X[:, 1] > 0
    >>> CounterCurrent(boxes, hidden=20, batch_size=50, epochs=60).fit(X, y).score(X, y) > 0.9
    True

    Source: Kao, Hariharan, Counter-current learning: a biologically plausible dual network approach for deep learning,
    NeurIPS 2024; layers with a trained part and a physical one: Momeni, Rahmani, Mallejac, del Hougne, Fleury,
    Backpropagation-free training of deep physical neural networks, Science 382 (2023) 1297.
    """

    _numbers = ("temperature",)

    def __init__(self, boxes, hidden=200, trained=None, temperature=0.2, learning_rate=5e-3, batch_size=200, epochs=15,
                 seed=0):
        self.boxes = boxes
        self.hidden = hidden
        self.trained = trained
        self.temperature = temperature
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.seed = seed

    def _first(self, x):
        return x

    def _matrices(self, widths):
        outs = [self.hidden] * (len(widths) - 1) + [len(self.classes_)]
        return [self._matrix(n_in, n_out) for n_in, n_out in zip(widths, outs, strict=True)]

    def _others(self):
        """Return the matrices of the way down."""
        n = len(self.classes_)
        self.down_ = [self._matrix(n if k == 0 else self.hidden, self.hidden) for k in range(len(self.boxes_) - 1)]
        return self.down_

    def _loss(self, x, labels, trained):
        codes, entropy = [torch.eye(len(self.classes_))], torch.nn.functional.cross_entropy
        for matrix in self.down_:
            codes.append(torch.relu(codes[-1].detach() @ matrix))
        loss, h, last = 0.0, x, len(self.weights_) - 1
        for k, matrix in enumerate(self.weights_):
            h = self._passed(k, h) @ matrix
            if k == last:
                return loss + entropy(h, labels)
            h = torch.relu(h)
            if k in trained:
                cosines = _unit(h - h.mean(0)) @ _unit(codes[last - k] - codes[last - k].mean(0)).T
                loss = loss + entropy(cosines / self.temperature, labels)

    def _scores(self, X):
        for k, matrix in enumerate(self.weights_):
            X = self._passed(k, torch.relu(X) if k else X) @ matrix
        return X


class ForwardForward(LocalLearner):
    r"""A classifier through black boxes that learns to be more active for samples with their label than with another.

    h_k = relu(W_k box_k(h_(k-1) / |h_(k-1)|)), h_0 = (x / |x|, share * label). The goodness of a layer is the mean
    square of h_k; each W_k has the gradient of softplus(sharpness (goodness with a wrong label - goodness with the
    right one)) alone. The class whose label gives the largest sum of goodness over the trained layers is predicted, so
    that a prediction costs as many passes as there are classes. A box is only called; see `CounterCurrent`.

    Args:
        boxes: functions from (samples, inputs) to (samples, outputs), one a layer; the first takes the features and a
            number for each class, the others `hidden` numbers, all of them of length 1.
        hidden: numbers of h_k.
        trained: how many of the matrices, the last ones, are trained; the others stay random. None: all.
        share: size of the label beside a sample of length 1, > 0.
        sharpness: of the loss, > 0.
        learning_rate: of Adam, > 0.
        batch_size: samples of a step.
        epochs: passes through the samples.
        seed: of weights, order and wrong labels.

    Raises:
        ParameterError: an argument does not fit, or a box returns another shape.

    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> X, mixed = rng.normal(size=(300, 4)), rng.normal(size=(6, 100))
    >>> y = X[:, 0] > 0
    >>> ForwardForward([lambda x: np.tanh(2 * x @ mixed)], hidden=50, batch_size=50).fit(X, y).score(X, y) > 0.9
    True

    Source: Hinton, The forward-forward algorithm, arXiv 2212.13345; the loss of pairs: Lee, Song, SymBa, arXiv
    2303.08418; layers with a trained part and a physical one: Momeni, Rahmani, Mallejac, del Hougne, Fleury,
    Backpropagation-free training of deep physical neural networks, Science 382 (2023) 1297.
    """

    _numbers = ("share", "sharpness")

    def __init__(self, boxes, hidden=200, trained=None, share=0.6, sharpness=40.0, learning_rate=5e-3, batch_size=200,
                 epochs=15, seed=0):
        self.boxes = boxes
        self.hidden = hidden
        self.trained = trained
        self.share = share
        self.sharpness = sharpness
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.seed = seed

    def _first(self, x):
        return self._labelled(x, torch.zeros(len(x), dtype=torch.int64))

    def _labelled(self, x, labels):
        return torch.cat([_unit(x), self.share * torch.eye(len(self.classes_))[labels]], 1)

    def _matrices(self, widths):
        return [self._matrix(n_in, self.hidden) for n_in in widths]

    def _others(self):
        return []

    def _layers(self, x, labels):
        """Yield number and activity of each layer, the one before being cut off."""
        h = self._labelled(x, labels)
        for k, matrix in enumerate(self.weights_):
            h = torch.relu(self._passed(k, h) @ matrix)
            yield k, h

    def _loss(self, x, labels, trained):
        away = torch.randint(1, len(self.classes_), labels.shape, generator=self.generator_)
        both = torch.cat([labels, (labels + away) % len(self.classes_)])
        loss = 0.0
        for k, h in self._layers(torch.cat([x, x]), both):
            if k in trained:
                right, wrong = (h ** 2).mean(1).chunk(2)
                loss = loss + torch.nn.functional.softplus(self.sharpness * (wrong - right)).mean()
        return loss

    def _scores(self, X):
        return torch.stack([sum((h ** 2).mean(1) for k, h in self._layers(X, torch.full((len(X),), c))
                                if k in self.trained_) for c in range(len(self.classes_))], 1)


def _unit(h: Any) -> Any:
    """Return rows divided by their length."""
    return h / (h.norm(dim=1, keepdim=True) + 1e-6)
