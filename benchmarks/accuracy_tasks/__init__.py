"""Tasks with a known answer or published figures, on real data: what a liquid with a linear readout reaches.

The folder of the data is named by the environment variable NEUROSIM_DATA.
"""

import os
import sys
from pathlib import Path

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from neurosim.readouts import interval


def data(*files: str) -> list[Path]:
    """Return the paths of files in the data folder, or end with a sentence that says what is missing."""
    root = os.environ.get("NEUROSIM_DATA")
    if not root:
        sys.exit("NEUROSIM_DATA is not set: it must name the folder that holds " + " and ".join(files))
    paths = [Path(root, file) for file in files]
    for path in paths:
        if not path.exists():
            sys.exit(f"{path} does not exist: NEUROSIM_DATA must name the folder that holds " + " and ".join(files))
    return paths


ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  #: penalties for each sample


class SplitRidge:
    """Ridge classifier by its normal equations, or their dual; the penalty is chosen on a part of the training data.

    Minimises |y - X w|^2 + n alpha |w|^2 for y = +-1 of each class over features that are centred and divided by their
    standard deviation; afterwards it is fitted to all training data.
    """

    def __init__(self, alphas=ALPHAS):
        self.alphas = alphas

    def fit(self, X, labels, held_out):
        """Fit; `held_out` marks the training samples on which alpha is chosen."""
        self.classes = np.unique(labels)
        targets = np.where(labels[:, None] == self.classes, 1.0, -1.0)
        rest = ~held_out
        right = []
        for solution in self._solutions(X[rest], targets[rest], self.alphas):
            self.solution = solution
            right.append((self.predict(X[held_out]) == labels[held_out]).mean())
        self.alpha = self.alphas[len(right) - 1 - int(np.argmax(right[::-1]))]  # of equals the strongest
        self.held_out_accuracy = max(right)
        self.solution = self._solutions(X, targets, [self.alpha])[0]
        return self

    def predict(self, X):
        """Return the class of each sample."""
        weights, constant = self.solution
        return self.classes[np.argmax(X @ weights + constant, axis=1)]

    def _solutions(self, X, targets, alphas):
        """Return (weights, constants) for each alpha."""
        n, mean, middle = len(X), X.mean(axis=0, dtype=np.float64), targets.mean(axis=0)
        scale = X.std(axis=0, dtype=np.float64)
        scale = np.where(scale > 0, scale, 1.0)
        wide = X.shape[1] > n
        if wide:
            X = (X - mean) / scale
            gram, sides = X @ X.T, targets - middle
        else:
            gram, sides = np.zeros((X.shape[1],) * 2), np.zeros((X.shape[1], targets.shape[1]))
            for first in range(0, n, 5000):
                part = (X[first:first + 5000] - mean) / scale
                gram += part.T @ part
                sides += part.T @ (targets[first:first + 5000] - middle)
        found = []
        for alpha in alphas:
            weights = cho_solve(cho_factor(gram + n * alpha * np.eye(len(gram))), sides)
            weights = (X.T @ weights if wide else weights) / scale[:, None]
            found.append((weights.astype(np.float32), (middle - mean @ weights).astype(np.float32)))
        return found


def row(name: str, accuracies, n: int) -> str:
    """Return one line of a table: mean, Wilson interval for n samples at the mean, and the range over seeds."""
    mean = float(np.mean(accuracies))
    low, high = interval(mean, n)
    return f"| {name} | {mean:.2%} | {low:.2%} to {high:.2%} | {min(accuracies):.2%} to {max(accuracies):.2%} |"
