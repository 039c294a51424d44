"""Two towers that bring states of two kinds, such as those of an image and an audio liquid, into one space."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from neurosim.bridge.extra import torch
from neurosim.bridge.training import Course, check_folder, key_of, perceptron, stratified
from neurosim.checks import check_number, check_seed, check_whole, describe_value
from neurosim.errors import ParameterError


class TwoTowers(BaseEstimator):
    r"""Two projections, trained so that states of one class are close and of others far apart (contrastive learning).

    For a batch of pairs with unit vectors a_i and b_i: s_ij = a_i b_j / temperature; the loss is the mean of the cross
    entropies of s by rows and by columns against targets t. targets="instance": t is 1 for the pair itself (CLIP), so
    that other samples of the same class count as wrong; "label": t is shared by all samples of the same class.

    The two sets of states need not be paired: in each epoch every sample of the larger set gets a random one of its
    class in the other. Early stopping looks at held-out samples of the classes given to `fit`, and at nothing else:
    classes that are to be unseen are kept out of `fit`.

    Args:
        dim: of the shared space.
        hidden: units of a hidden layer of each tower, or None for linear projections.
        targets: "label" or "instance".
        temperature: > 0.
        learning_rate: of Adam, > 0.
        weight_decay: L2 penalty, decoupled from the gradient (AdamW), >= 0.
        batch_size: pairs of a step, >= 2.
        max_epochs: most passes, >= 1.
        patience: how many epochs in a row may bring no improvement, >= 1.
        validation: share of the samples of each set that is held out, 0 <= validation < 1.
        seed: of the split, the first weights and the pairs; the same seed gives the same towers.
        checkpoint: a folder in which training is kept, as for `Readout`.

    >>> rng = np.random.default_rng(1)
    >>> y = np.arange(60) % 3
    >>> A, B = np.eye(3)[y] + 0.1 * rng.normal(size=(60, 3)), np.eye(5)[y + 1] + 0.1 * rng.normal(size=(60, 5))
    >>> towers = TwoTowers(dim=4, learning_rate=0.03).fit(A, y, B, y)
    >>> retrieval(towers, A, y, B, y).a_to_b > 0.9
    True

    Source: Radford et al., Learning transferable visual models from natural language supervision, ICML 2021; "label":
    Khosla et al., Supervised contrastive learning, NeurIPS 2020; for liquids: Lin et al., Nature Computational Science
    5 (2025).
    """

    def __init__(self, dim=64, hidden=None, targets="label", temperature=0.1, learning_rate=3e-3, weight_decay=1e-3,
                 batch_size=64, max_epochs=100, patience=15, validation=0.15, seed=0, checkpoint=None):
        self.dim = dim
        self.hidden = hidden
        self.targets = targets
        self.temperature = temperature
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation = validation
        self.seed = seed
        self.checkpoint = checkpoint

    def fit(self, A, a_labels, B, b_labels):
        """Train on states A and B of shapes (samples, features), each with its labels, and return the towers.

        Raises:
            ParameterError: a set has a class that the other lacks, there are fewer than two, or an argument is wrong.
        """
        self._check()
        A, B = (check_array(each, dtype=np.float64) for each in (A, B))
        labels = self._labels(A, a_labels, B, b_labels)
        self.n_features_in_ = A.shape[1], B.shape[1]
        splits = [stratified(each, self.validation, int(self.seed)) for each in labels]
        self.means_, self.scales_ = [], []
        for states, (train, _) in zip((A, B), splits, strict=True):
            spread = states[train].std(axis=0)
            self.means_.append(states[train].mean(axis=0))
            self.scales_.append(np.where(spread > 1e-12 * np.abs(self.means_[-1]), spread, 1.0))
        generator = torch.Generator().manual_seed(int(self.seed) % 2**63)
        widths = [] if self.hidden is None else [self.hidden]
        self.network_ = torch.nn.ModuleList([perceptron([states.shape[1], *widths, self.dim], generator, torch.nn.GELU)
                                             for states in (A, B)])
        adam = torch.optim.AdamW(self.network_.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        key = "" if self.checkpoint is None else key_of(self, A, *labels, B)
        course = Course(self.network_, adam, generator, self.max_epochs, self.patience, self.checkpoint, key)
        self._train([self._scaled(k, states) for k, states in enumerate((A, B))], labels, splits, course)
        return self

    def embed(self, states, tower):
        """Return unit vectors in the shared space, shape (samples, dim).

        Args:
            states: shape (samples, features) of that tower.
            tower: 0 for the first set, 1 for the second.
        """
        check_is_fitted(self)
        if tower not in (0, 1):
            raise ParameterError(f"tower must be 0 or 1, got {describe_value(tower)}")
        states = check_array(states, dtype=np.float64)
        if states.shape[1] != self.n_features_in_[tower]:
            raise ParameterError(f"states of tower {tower} must have {self.n_features_in_[tower]} features, got "
                                 f"{states.shape[1]}")
        with torch.no_grad():
            return self._embedded(tower, self._scaled(tower, states)).numpy()

    def _scaled(self, tower, states):
        return torch.from_numpy((states - self.means_[tower]) / self.scales_[tower])

    def _embedded(self, tower, states):
        return torch.nn.functional.normalize(self.network_[tower](states), dim=1)

    def _check(self):
        for name in ("temperature", "learning_rate"):
            check_number(f"TwoTowers.{name}", getattr(self, name), above=0)
        check_number("TwoTowers.weight_decay", self.weight_decay, at_least=0)
        check_number("TwoTowers.validation", self.validation, at_least=0, below=1)
        check_seed("TwoTowers.seed", self.seed)
        for name in ("dim", "max_epochs", "patience") + (("hidden",) if self.hidden is not None else ()):
            check_whole(f"TwoTowers.{name}", getattr(self, name), at_least=1)
        check_whole("TwoTowers.batch_size", self.batch_size, at_least=2)
        if self.targets not in ("label", "instance"):
            raise ParameterError(f"TwoTowers.targets must be 'label' or 'instance', got {describe_value(self.targets)}")
        check_folder("TwoTowers.checkpoint", self.checkpoint)

    def _labels(self, A, a_labels, B, b_labels):
        """Return the labels of both sets as numbers of the same classes."""
        given = [np.asarray(each) for each in (a_labels, b_labels)]
        for name, states, labels in zip("AB", (A, B), given, strict=True):
            if labels.shape != (len(states),):
                raise ParameterError(f"labels of {name} must be one for each of its {len(states)} samples, got an "
                                     f"array of shape {labels.shape}")
        self.classes_ = np.unique(given[0])
        if not np.array_equal(self.classes_, np.unique(given[1])) or len(self.classes_) < 2:
            raise ParameterError("TwoTowers.fit must be given the same two classes or more in both sets, got "
                                 f"{describe_value(self.classes_.tolist())} and "
                                 f"{describe_value(np.unique(given[1]).tolist())}")
        return [np.searchsorted(self.classes_, labels) for labels in given]

    def _train(self, states, labels, splits, course):
        (train_a, held_a), (train_b, held_b) = splits

        def loss(rows_a, rows_b):
            one, other = self._embedded(0, states[0][rows_a]), self._embedded(1, states[1][rows_b])
            return contrastive_loss(one, other, labels[0][rows_a] if self.targets == "label" else None,
                                    self.temperature)

        def epoch():
            rows = pairs(labels[0], labels[1], train_a, train_b, course.generator)
            for part in np.array_split(rows, max(1, len(rows) // self.batch_size)):
                course.optimizer.zero_grad()
                loss(part[:, 0], part[:, 1]).backward()
                course.optimizer.step()

        fixed = torch.Generator().manual_seed(1)
        looked = pairs(labels[0], labels[1], held_a, held_b, fixed) if len(held_a) and len(held_b) else None

        def judge():
            with torch.no_grad():
                return float(loss(looked[:, 0], looked[:, 1]))

        course.run(epoch, None if looked is None else judge)
        self.n_epochs_, self.best_epoch_ = course.n_epochs, course.best_epoch


def contrastive_loss(one: Any, other: Any, labels: Any = None, temperature: float = 0.1) -> Any:
    """Return the mean of both cross entropies between two batches of unit vectors, row k of both being a pair.

    Args:
        one, other: shape (pairs, dim).
        labels: of the pairs, shape (pairs,): all of a label are right; None: the pair alone is.
        temperature: by which scalar products are divided.

    >>> import torch
    >>> contrastive_loss(torch.eye(2), torch.eye(2), temperature=1e-3).abs()
    tensor(0.)
    """
    scores = one @ other.T / temperature
    if labels is None:
        targets = torch.eye(len(scores), dtype=scores.dtype)
    else:
        labels = torch.as_tensor(np.asarray(labels))
        targets = (labels[:, None] == labels[None]).to(scores.dtype)
    targets = targets / targets.sum(1, keepdim=True)
    entropy = torch.nn.functional.cross_entropy
    return 0.5 * (entropy(scores, targets) + entropy(scores.T, targets.T))


def pairs(a_labels: np.ndarray, b_labels: np.ndarray, a_rows: np.ndarray, b_rows: np.ndarray, generator: Any
          ) -> np.ndarray:
    """Return random pairs of one class, each sample of the larger set once, shape (pairs, 2).

    Args:
        a_labels, b_labels: whole numbers.
        a_rows, b_rows: which samples of each set there are.
        generator: a `torch.Generator`.

    >>> import torch
    >>> labels = np.array([0, 1, 1])
    >>> found = pairs(labels, labels[::-1], np.arange(3), np.arange(3), torch.Generator().manual_seed(1))
    >>> bool((labels[found[:, 0]] == labels[::-1][found[:, 1]]).all())
    True
    """
    sets = [(a_labels, a_rows), (b_labels, b_rows)]
    swapped = len(b_rows) > len(a_rows)
    (labels, rows), (others, other_rows) = sets[::-1] if swapped else sets
    rows = rows[torch.randperm(len(rows), generator=generator).numpy()]
    draws = torch.rand(len(rows), generator=generator, dtype=torch.float64).numpy()
    found = np.empty((len(rows), 2), dtype=np.int64)
    found[:, 0] = rows
    for label in np.unique(labels[rows]):
        same, there = other_rows[others[other_rows] == label], labels[rows] == label
        if not same.size:
            raise ParameterError(f"class {label} must be among the samples of both sets, got it in one")
        found[there, 1] = same[(draws[there] * len(same)).astype(np.int64)]
    return found[:, ::-1] if swapped else found


@dataclass(frozen=True)
class Retrieval:
    """How often the nearest sample of the other set is of the right class, beside chance.

    Args:
        a_to_b, b_to_a: shares of queries of A and of B.
        chance_a_to_b, chance_b_to_a: the same for a random sample of the other set.
        n_a, n_b: numbers of queries.
    """

    a_to_b: float
    b_to_a: float
    chance_a_to_b: float
    chance_b_to_a: float
    n_a: int
    n_b: int

    def __str__(self) -> str:
        return (f"A to B {100 * self.a_to_b:.1f} % of {self.n_a} (chance {100 * self.chance_a_to_b:.1f} %), "
                f"B to A {100 * self.b_to_a:.1f} % of {self.n_b} (chance {100 * self.chance_b_to_a:.1f} %)")


def retrieval(towers: TwoTowers, A: Any, a_labels: Any, B: Any, b_labels: Any) -> Retrieval:
    """Return how well samples of each set find their class in the other; also of classes that were never seen.

    Args:
        towers: trained.
        A, B: states, shape (samples, features).
        a_labels, b_labels: their classes.

    Raises:
        ParameterError: shapes do not fit.
    """
    if not isinstance(towers, TwoTowers):
        raise ParameterError(f"towers must be TwoTowers that were fitted, got {describe_value(towers)}")
    a_labels, b_labels = np.asarray(a_labels), np.asarray(b_labels)
    one, other = towers.embed(A, 0), towers.embed(B, 1)
    if a_labels.shape != (len(one),) or b_labels.shape != (len(other),):
        raise ParameterError(f"labels must be one for each of {len(one)} and {len(other)} samples, got shapes "
                             f"{a_labels.shape} and {b_labels.shape}")
    scores, same = one @ other.T, a_labels[:, None] == b_labels[None]
    return Retrieval(float((b_labels[scores.argmax(1)] == a_labels).mean()),
                     float((a_labels[scores.argmax(0)] == b_labels).mean()), float(same.mean()), float(same.mean()),
                     len(one), len(other))
