"""A classifier on phase-change memory over a year: programming noise, drift, 1/f noise, and one factor against drift.

    python examples/drift_year.py [--repeats 10] [--out FOLDER]

A classifier of 8 x 8 digits (from scikit-learn), 100 random features and a linear readout, is written to pairs of
phase-change devices once and read from a second to a year later.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from hardware_models.memristor import PCM, CrossbarLayer
from neurosim import plot
from neurosim.plot import COLORS

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--repeats", type=int, default=10, help="devices to average over (10)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for drift_year.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

TIMES = {"at once": 0.0, "1 s": 1.0, "1 h": 3600.0, "1 day": 86400.0, "30 days": 2592000.0, "1 year": 31536000.0}
digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
X, y = digits.data[order] / 16, digits.target[order]
train, test = slice(0, 1200), slice(1200, None)
hidden = np.random.default_rng(1).normal(size=(64, 100)) / 4
first = Ridge(1.0).fit(np.maximum(X[train] @ hidden, 0), np.eye(10)[y[train]])
weights, threshold = first.coef_.T, first.intercept_


def network(layers, seed):
    """Return what two layers of devices make of the test digits."""
    rng = np.random.default_rng([seed, 2])
    return layers[1].forward(np.maximum(layers[0].forward(X[test], rng), 0), rng) + threshold


def accuracy(seconds, compensated, seed):
    """Return the accuracy so long after programming."""
    layers = []
    for part, matrix in enumerate((hidden, weights)):
        device = PCM.measured(drift_compensation=compensated, seed=2 * seed + part, flicker_time=20.0 + seconds)
        layers.append(CrossbarLayer(matrix, device.fitted(matrix), seed=2 * seed + part).age(1e3 * seconds))
    return (network(layers, seed).argmax(1) == y[test]).mean(), layers[1]


ideal = ((np.maximum(X[test] @ hidden, 0) @ weights + threshold).argmax(1) == y[test]).mean()
print(f"ideal weights {ideal:.1%}, chance {np.bincount(y).max() / len(y):.1%}, n_test {len(y[test])}, "
      f"{options.repeats} sets of devices")
print(f"{'after':<10}{'as it is':>10}{'compensated':>14}{'mean size of a weight':>24}")
found = {False: [], True: []}
for name, seconds in TIMES.items():
    runs = {c: [accuracy(seconds, c, seed) for seed in range(options.repeats)] for c in (False, True)}
    for c, each in runs.items():
        found[c].append([100 * run[0] for run in each])
    size = np.mean([np.abs(run[1].weights).mean() for run in runs[False]]) / np.abs(weights).mean()
    print(f"{name:<10}{np.mean(found[False][-1]):>9.1f}%{np.mean(found[True][-1]):>13.1f}%{size:>24.1%}")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
seconds = np.array(list(TIMES.values())) + 20
device, levels = PCM.measured(), np.array([2.5, 5.0, 12.5, 25.0])
for level in levels:
    g = device.program_conductance(np.full(2000, level), np.random.default_rng(0))
    mean = [device.drift_conductance(g, np.full(2000, level / 25), 1e3 * s).mean() for s in TIMES.values()]
    left.loglog(seconds, mean, marker=".", color=COLORS[0])
    left.annotate(f"programmed to {level:g} uS", (seconds[0], mean[0]), xytext=(8, 4), textcoords="offset points")
left.set(xlabel="time since programming (s)", ylabel="mean conductance (uS)", ylim=(1, 35))
left.set_yticks([1, 2, 5, 10, 20], labels=["1", "2", "5", "10", "20"])
left.set_yticks([], minor=True)
for k, (c, label) in enumerate(((True, "made good by one factor"), (False, "as it is"))):
    rows = np.array(found[c])
    right.errorbar(seconds, rows.mean(1), rows.std(1), marker="o", capsize=3, label=label, color=COLORS[k])
right.axhline(100 * ideal, color="grey", ls="--", label="ideal weights")
right.set(xscale="log", xlabel="time since programming (s)", ylabel="accuracy (%)", ylim=(0, 100))
right.legend()
path = plot.save(figure, options.out / f"drift_year.{options.format}")
print(f"wrote {path}")
