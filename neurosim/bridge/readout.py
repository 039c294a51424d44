"""Classifiers trained by gradient on the states of a frozen reservoir, as a scikit-learn estimator."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from neurosim.bridge.extra import torch
from neurosim.bridge.training import Course, check_folder, key_of, perceptron, stratified
from neurosim.checks import check_number, check_seed, check_whole, describe_value
from neurosim.errors import ParameterError


class Readout(ClassifierMixin, BaseEstimator):
    """A linear or multilayer classifier, trained by Adam on cross-entropy until a validation part gets no better.

    Features are centred and divided by their standard deviation on the training part. The weights kept are those of the
    epoch with the lowest cross-entropy on the validation part, which is drawn from the data given to `fit` and never
    trained on; `n_epochs_` says how many epochs were run and `best_epoch_` which one was kept.

    Args:
        hidden: number of hidden units, a list of them for several layers, or None for a linear readout.
        learning_rate: of Adam, > 0.
        weight_decay: L2 penalty, decoupled from the gradient (AdamW), >= 0.
        batch_size: samples of a step, >= 1.
        max_epochs: most passes through the training part, >= 1.
        patience: how many epochs in a row may bring no improvement, >= 1.
        validation: share of the samples that is held out, 0 <= validation < 1; with 0, or where a class has too few
            samples to be split, all are trained on for max_epochs.
        seed: of the split, the first weights and the order of samples; the same seed gives the same readout.
        checkpoint: a folder in which the training is kept after each epoch, under a name that follows from data and
            parameters: a fit that was killed goes on, and ends with the same readout. None keeps nothing.

    >>> import numpy as np
    >>> X = np.random.default_rng(1).normal(size=(200, 4))
    >>> readout = Readout(hidden=8, max_epochs=50).fit(X, X[:, 0] > 0)
    >>> readout.score(X, X[:, 0] > 0) > 0.9
    True

    Source: Prechelt, Early stopping, but when?, in Neural Networks: Tricks of the Trade, Springer 1998; Loshchilov,
    Hutter, Decoupled weight decay regularization, ICLR 2019.
    """

    def __init__(self, hidden=None, learning_rate=1e-2, weight_decay=1e-4, batch_size=64, max_epochs=200, patience=20,
                 validation=0.15, seed=0, checkpoint=None):
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation = validation
        self.seed = seed
        self.checkpoint = checkpoint

    def fit(self, X, y):
        """Train on states X of shape (samples, features) and their labels y, and return the readout."""
        widths = self._check()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError(f"Readout.fit must be given labels of two classes or more, got one class: "
                                 f"{describe_value(self.classes_.tolist()[0])}")
        train, held_out = stratified(labels, self.validation, int(self.seed))
        self.mean_ = X[train].mean(axis=0)
        spread = X[train].std(axis=0)
        self.scale_ = np.where(spread > 1e-12 * np.abs(self.mean_), spread, 1.0)
        generator = torch.Generator().manual_seed(int(self.seed) % 2**63)
        self.network_ = perceptron([X.shape[1], *widths, len(self.classes_)], generator)
        adam = torch.optim.AdamW(self.network_.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        key = "" if self.checkpoint is None else key_of(self, X, y)
        course = Course(self.network_, adam, generator, self.max_epochs, self.patience, self.checkpoint, key)
        self._train(self._scaled(X), torch.from_numpy(labels.astype(np.int64)), train, held_out, course)
        return self

    def decision_function(self, X):
        """Return the outputs before the softmax: one a class, or for two classes their difference."""
        out = self._outputs(X)
        return (out[:, 1] - out[:, 0] if out.shape[1] == 2 else out).numpy()

    def predict_proba(self, X):
        """Return the probability of each class, shape (samples, classes)."""
        return torch.softmax(self._outputs(X), 1).numpy()

    def predict(self, X):
        """Return the class with the largest output of each sample."""
        chosen = self._outputs(X).argmax(1).numpy()
        return self.classes_[chosen]

    def _outputs(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        with torch.no_grad():
            return self.network_(self._scaled(X))

    def _scaled(self, X):
        return torch.from_numpy((X - self.mean_) / self.scale_)

    def _check(self):
        """Check the parameters, and return the widths of the hidden layers."""
        check_number("Readout.learning_rate", self.learning_rate, above=0)
        check_number("Readout.weight_decay", self.weight_decay, at_least=0)
        check_number("Readout.validation", self.validation, at_least=0, below=1)
        check_seed("Readout.seed", self.seed)
        check_folder("Readout.checkpoint", self.checkpoint)
        for name in ("batch_size", "max_epochs", "patience"):
            check_whole(f"Readout.{name}", getattr(self, name), at_least=1)
        hidden = () if self.hidden is None else self.hidden
        widths = list(hidden) if isinstance(hidden, (list, tuple)) else [hidden]
        return [check_whole("Readout.hidden", width, at_least=1) for width in widths]

    def _train(self, X, labels, train, held_out, course):
        network, loss, adam = course.network, torch.nn.functional.cross_entropy, course.optimizer
        train, held_out = torch.from_numpy(train), torch.from_numpy(held_out)

        def epoch():
            order = train[torch.randperm(len(train), generator=course.generator)]
            for rows in order.split(self.batch_size):
                adam.zero_grad()
                loss(network(X[rows]), labels[rows]).backward()
                adam.step()

        def judge():
            with torch.no_grad():
                return float(loss(network(X[held_out]), labels[held_out]))

        course.run(epoch, judge if len(held_out) else None)
        self.n_epochs_, self.best_epoch_ = course.n_epochs, course.best_epoch
