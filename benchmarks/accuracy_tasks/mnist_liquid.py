"""MNIST through a liquid of 1,000 neurons with fixed weights; a linear readout of their spike counts.

    NEUROSIM_DATA=FOLDER python -m benchmarks.accuracy_tasks.mnist_liquid --images 10000

Images are 100 ms of Poisson spikes. Trained on the first 10,000 or 50,000 training images, told for the last 10,000, on
which nothing is tuned: the penalty of the ridge readout is chosen on every fifth training image, and the liquid's
settings were chosen with the first 5,000 images to train and images 45,000 to 46,999 to judge. Each seed makes another
liquid and other input spikes.
"""

import argparse
import sys
import time
import warnings

import numpy as np

from benchmarks.accuracy_tasks import SplitRidge, data, row
from neurosim.datasets import MNIST
from neurosim.encoders import PoissonEncoder
from neurosim.neurons import LIF
from neurosim.reservoirs import Counts, Liquid, NalsmLattice, OrientedInput

ENCODER = PoissonEncoder(max_rate=100.0, duration=100.0, dt=1.0)
NEURON = LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=1.0, reset="subtract")
INPUTS = OrientedInput((28, 28, 1), weight=60.0, wavelength=(5.0, 12.0), margin=5.0)
RECURRENCE = 0.5  #: mV
SHIFTS = ((1, 0), (-1, 0), (0, 1), (0, -1))  #: pixels down and right, of the copies of the training images
PART = 2000  #: images whose spikes are in memory at once
N_VALID = 10_000


class Clock:
    """Adds up the seconds of encoding and of the liquid."""

    def __init__(self):
        self.encoding = self.liquid = 0.0
        self.images = 0


def states(liquid: Liquid, images, seed: int, first: int, clock: Clock, counts=None) -> np.ndarray:
    """Return the spike counts of the liquid for each image.

    Args:
        images: uint8, shape (n, 28, 28).
        seed: of the input spikes.
        first: key of the first image; copies of an image have other keys.
        clock: to which the time is added.
        counts: a list to which the counts of the input spikes are added.
    """
    found = []
    for begin in range(0, len(images), PART):
        part = images[begin:begin + PART] / 255.0
        before = time.perf_counter()
        samples = ENCODER.encode_batch(part, seed=seed, keys=np.arange(len(part)) + first + begin)
        between = time.perf_counter()
        found.append(liquid.states(samples, ENCODER.duration, Counts()))
        clock.encoding += between - before
        clock.liquid += time.perf_counter() - between
        clock.images += len(part)
        if counts is not None:
            counts.append(Counts().matrix(samples))
    return np.concatenate(found)


def shifted(images, down: int, right: int) -> np.ndarray:
    """Return images shifted by at most a pixel, background moving in."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    return padded[:, 1 - down:29 - down, 1 - right:29 - right]


def accuracy(X, labels, X_valid, labels_valid) -> tuple[float, float]:
    """Return the accuracy of ridge on the validation images, and on every fifth training image, which chooses alpha."""
    model = SplitRidge().fit(X, labels, np.arange(len(X)) % 5 == 0)
    return float((model.predict(X_valid) == labels_valid).mean()), float(model.held_out_accuracy)


def logistic_accuracy(X, labels, X_valid, labels_valid, C=None, strengths=(0.01, 0.03, 0.1, 0.3)) -> tuple:
    """Return the accuracy of logistic regression on the validation images, C, and the accuracy that chose it.

    Args:
        C: inverse strength of the penalty; None: chosen among `strengths` on every fifth training image.
    """
    held_out, right = np.arange(len(X)) % 5 == 0, [np.nan]
    if C is None:
        right = [_logistic(X[~held_out], labels[~held_out], each).score(X[held_out], labels[held_out])
                 for each in strengths]
        C = strengths[int(np.argmax(right))]
    return float(_logistic(X, labels, C).score(X_valid, labels_valid)), C, float(max(right))


def _logistic(X, labels, C):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # to stop early is one more penalty, the same for all
        return LogisticRegression(C=C, max_iter=150, tol=1e-3).fit(X, labels)


def rectified(liquid: Liquid, images) -> np.ndarray:
    """Return the images through the liquid's input weights and a static rectifier."""
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255.0
    return np.maximum((liquid.input_weights.T.tocsr() @ pixels.T).T, 0.0).astype(np.float32)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=10_000, help="training images, at most 50000 (default 10000)")
    options.add_argument("--seeds", type=int, default=3, help="how many seeds (default 3)")
    options.add_argument("--copies", type=int, default=4, choices=range(5),
                         help="shifted copies of each training image, for the last row (default 4; 0: no such row)")
    given = options.parse_args()
    if not 100 <= given.images <= 50_000:
        options.error(f"--images must be from 100 to 50000, got {given.images}")
    began, clock = time.perf_counter(), Clock()
    digits = MNIST(*data("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz"))
    if len(digits) < given.images + N_VALID:
        options.error(f"{len(digits)} images are too few for --images {given.images} and {N_VALID} for validation")
    images, labels = digits.images[:given.images], digits.labels[:given.images]
    valid = digits.images[-N_VALID:], digits.labels[-N_VALID:]
    chance = np.bincount(valid[1]).max() / N_VALID
    print(f"{given.images} training images; n_test {N_VALID}, chance {chance:.1%}; {given.seeds} seeds\n\n"
          "| features | accuracy | 95 % interval | seeds |\n|---|---|---|---|")
    pixels = [each.reshape(len(each), -1).astype(np.float32) / 255.0 for each in (images, valid[0])]
    print(row("pixels, ridge", [accuracy(pixels[0], labels, pixels[1], valid[1])[0]], N_VALID))
    print(row("pixels, logistic", [logistic_accuracy(pixels[0], labels, pixels[1], valid[1])[0]], N_VALID), flush=True)
    results = {}
    for seed in range(given.seeds):
        for name, found in one_seed(images, labels, valid, seed, given.copies, clock):
            results.setdefault(name, []).append(found)
    for name, found in results.items():
        print(row(name, found, N_VALID))
    print(f"\na Poisson image {1e3 * clock.encoding / clock.images:.2f} ms, the liquid and its counts "
          f"{1e3 * clock.liquid / clock.images:.2f} ms, over {clock.images} images; "
          f"{time.perf_counter() - began:.0f} s in all")


def one_seed(images, labels, valid, seed, copies, clock):
    """Yield names and accuracies."""
    liquid = Liquid(NalsmLattice(), INPUTS, neuron=NEURON, excitation=RECURRENCE, inhibition=-RECURRENCE, seed=seed)
    sent, sent_valid = [], []
    X_valid = states(liquid, valid[0], seed, 50_000, clock, sent_valid)
    X = [states(liquid, images, seed, 0, clock, sent)]
    name = "counts of the input spikes, ridge"
    yield name, accuracy(np.concatenate(sent), labels, np.concatenate(sent_valid), valid[1])[0]
    yield ("static rectifier behind the liquid's input weights, ridge",
           accuracy(rectified(liquid, images), labels, rectified(liquid, valid[0]), valid[1])[0])
    by_ridge, ridge_held_out = accuracy(X[0], labels, X_valid, valid[1])
    yield "liquid counts, ridge", by_ridge
    X, X_valid = [np.sqrt(X[0])], np.sqrt(X_valid)
    by_logistic, C, logistic_held_out = logistic_accuracy(X[0], labels, X_valid, valid[1])
    yield "liquid, roots of counts, logistic", by_logistic
    better = logistic_held_out > ridge_held_out
    yield "liquid, whichever of the two the training images choose", by_logistic if better else by_ridge
    if copies:
        for k, (down, right) in enumerate(SHIFTS[:copies], 1):
            X.append(np.sqrt(states(liquid, shifted(images, down, right), seed, k * 100_000, clock)))
        found, *_ = logistic_accuracy(np.concatenate(X), np.tile(labels, copies + 1), X_valid, valid[1], C)
        yield f"liquid, logistic, with {copies} shifted copies of each training image", found
    print(f"seed {seed}: held out: ridge {ridge_held_out:.2%}, logistic {logistic_held_out:.2%} (C = {C:g})",
          file=sys.stderr)


if __name__ == "__main__":
    main()
