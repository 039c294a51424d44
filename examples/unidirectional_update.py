"""Training on nonlinear devices: pulses in both directions, against pulses that only go up.

    python examples/unidirectional_update.py [--seeds 3] [--out FOLDER]

A perceptron learns 8 x 8 digits (from scikit-learn) on pairs of devices whose conductance follows curves of
nonlinearity +2.4 and -4.88, and which differ by 10 to 30 %. Pulsed in both directions they lose accuracy; a pair of
which one is only ever raised, and refreshed where it is full, wins most of it back.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from hardware_models.memristor import SynapseArray, curve, shape_of
from neurosim import plot

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=3, help="splits and devices to average over (3)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for unidirectional_update.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

SPREADS, EPOCHS, N_TRAIN = (0.0, 0.1, 0.2, 0.3), 20, 1200
digits = load_digits()
X, y = digits.data / 16, digits.target


def trained(update, spread, seed):
    """Return the accuracy on digits not trained on, and how often a pair was refreshed."""
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = order[:N_TRAIN], order[N_TRAIN:]
    array, rng = SynapseArray((64, 10), update, spread=spread, seed=seed), np.random.default_rng([seed, 1])
    for epoch in range(EPOCHS):
        for batch in np.array_split(rng.permutation(train), N_TRAIN // 10):
            z = 4 * X[batch] @ array.weights
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            array.change(0.3 / len(batch) * X[batch].T @ (np.eye(10)[y[batch]] - p) / (1 + 0.1 * epoch))
    return ((X[test] @ array.weights).argmax(1) == y[test]).mean(), array.refreshes


table = {}
for update in ("ideal", "bidirectional", "unidirectional"):
    for spread in SPREADS if update != "ideal" else (0.0,):
        runs = [trained(update, spread, seed) for seed in range(options.seeds)]
        table[update, spread] = np.mean([run[0] for run in runs])
        print(f"{update:<16}spread {spread:>4.0%}: accuracy {table[update, spread]:.1%}, "
              f"{np.mean([run[1] for run in runs]):.0f} refreshes")
ideal = table["ideal", 0.0]
print(f"chance {np.bincount(y).max() / len(y):.1%}, n_test {len(X) - N_TRAIN}, {options.seeds} seeds")
for spread in SPREADS:
    lost = ideal - table["bidirectional", spread]
    back = table["unidirectional", spread] - table["bidirectional", spread]
    print(f"spread {spread:.0%}: of {100 * lost:.1f} points lost {back / lost:.0%} come back")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
pulses = np.arange(98)
left.plot(pulses, curve(pulses, 97, shape_of(2.4)), label="up, +2.4")
left.plot(97 + np.arange(101), 1 - curve(np.arange(101), 100, abs(shape_of(-4.88))), label="down, -4.88")
left.set(xlabel="pulse", ylabel="share of the conductance range")
left.legend()
for update in ("bidirectional", "unidirectional"):
    right.plot([100 * s for s in SPREADS], [100 * table[update, s] for s in SPREADS], marker="o", label=update)
right.axhline(100 * ideal, color="grey", ls="--", label="ideal weights")
right.set(xlabel="spread of the devices (%)", ylabel="accuracy (%)")
right.legend()
path = plot.save(figure, options.out / f"unidirectional_update.{options.format}")
print(f"wrote {path}")
