"""Broken pixels: a Hebbian layer adapts to them without labels, led by how sure its readout is.

    python examples/neuromodulated_hebb.py [--seeds 10] [--full] [--out FOLDER]

A layer of 200 units in soft competition learns digits (8 x 8) without labels, a linear readout of it with them. Then
pixels break: of a share of them, the same in all images, each shows black or white at random. The layer goes on
learning by Hebb's rule from broken test images alone, and gains of its units follow the gradient of the entropy of
what the readout says. Beside it: nothing adapts; only the mean of inputs; gains alone; Hebb's rule alone; a linear
readout of the pixels; chance. Noise that is drawn anew in every pixel has nothing in common from image to image, and
there adaptation gains nothing: that is shown too. Norms of weights stay at 1. The paper adapts deep networks to
CIFAR-10-C; this is its rule alone, at a smaller scale. --full: MNIST (28 x 28) from NEUROSIM_DATA, 500 units.

1,000 (--full: 10,000) images train, 797 (5,000) others test; intervals: 95 %, over seeds, which are splits, networks
and broken pixels.

Source: Tang et al., Neuro-modulated Hebbian learning for fully test-time adaptation, CVPR 2023.
"""

import argparse
import copy
import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
from sklearn.datasets import load_digits

from learning_rules import NeuroModulatedHebb, SoftHebb
from neurosim import plot
from neurosim.datasets import MNIST
from neurosim.readouts import logistic

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=10)
arguments.add_argument("--full", action="store_true", help="MNIST, 500 units")
arguments.add_argument("--quick", action="store_true", help="few images and units, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for neuromodulated_hebb.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
TRAIN, TEST, UNITS = (10_000, 5000, 500) if options.full else (300, 300, 60) if options.quick else (1000, 797, 200)
SHARES, SPREADS = (0.0, 0.1, 0.2, 0.3, 0.4), (0.2, 0.3, 0.4)  # of broken pixels; of fresh noise


def images():
    """Return images between 0 and 1, shape (images, pixels), and their digits."""
    if not options.full:
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    folder = Path(os.environ.get("NEUROSIM_DATA", "")) / "mnist"
    names = [folder / f"train-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]
    if not all(name.exists() for name in names):
        print(f"neuromodulated_hebb.py --full needs the files of MNIST and found no {names[0]}: set NEUROSIM_DATA to a "
              "folder that holds mnist/. Nothing was done.")
        sys.exit(0)
    digits = MNIST(*names)
    return digits.images[:30_000].reshape(-1, 784) / 255, np.array(digits.labels[:30_000])


def broken(x, share, seed):
    rng, x = np.random.default_rng([seed, 1]), x.copy()
    bad = rng.choice(x.shape[1], round(share * x.shape[1]), replace=False)
    x[:, bad] = rng.random((len(x), bad.size)) < 0.5
    return x


def noisy(x, spread, seed):
    return np.clip(x + spread * np.random.default_rng([seed, 2]).standard_normal(x.shape), 0, 1)


WAYS = {"nothing adapts": None, "mean of inputs": {"epochs": 0}, "gains by entropy": {"eta": 0.0},
        "Hebb's rule": {"rate": 0.0}, "both": {}}
CASES = [("broken", share) for share in SHARES] + [("fresh", spread) for spread in SPREADS]
X, Y = images()
error = {name: np.zeros((options.seeds, len(CASES))) for name in ["pixels, linear", *WAYS]}
entropy = {name: np.zeros((options.seeds, len(CASES))) for name in WAYS}
norms = []
for seed in range(options.seeds):
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = order[:TRAIN], order[TRAIN:TRAIN + TEST]
    trained = NeuroModulatedHebb(SoftHebb(UNITS, seed=seed)).fit(X[train], Y[train])
    linear = logistic(folds=3, scale=False).fit(X[train], Y[train])
    for k, (kind, level) in enumerate(CASES):
        seen = (broken if kind == "broken" else noisy)(X[test], level, seed)
        error["pixels, linear"][seed, k] = 1 - linear.score(seen, Y[test])
        for name, how in WAYS.items():
            model = copy.deepcopy(trained)
            if how is not None:
                model.set_params(**how).adapt(seen)
            error[name][seed, k] = 1 - model.score(seen, Y[test])
            entropy[name][seed, k] = model.entropy(seen)
        norms.append(np.linalg.norm(model.layer_.weights_, axis=1))
        if (kind, level) == ("broken", SHARES[3]):
            pictured = seen, model


def told(values):
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return f"{100 * np.mean(values):.1f} +- {100 * half:.1f}"


print(f"{options.seeds} seeds, {TRAIN} images train, {TEST} test; chance "
      f"{100 * (1 - np.bincount(Y[test]).max() / TEST):.0f} % wrong; norms of weights after adaptation "
      f"{np.min(norms):.3f} to {np.max(norms):.3f}")
print(f"{'wrong (%)':<18}" + "".join(f"{f'{kind} {level:g}':>14}" for kind, level in CASES))
for name, values in error.items():
    print(f"{name:<18}" + "".join(f"{told(column):>14}" for column in values.T))
gain = error["nothing adapts"] - error["both"]
print(f"{'won by both':<18}" + "".join(f"{told(column):>14}" for column in gain.T))
for name, values in entropy.items():
    print(f"{'entropy (nats), ' + name:<35}" + "".join(f"{value:>7.2f}" for value in values.mean(axis=0)))

# Look: errors, and what weights of units are before and after.
figure, panels = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", width_ratios=[1, 1, 1.1])
for axes, part, xs, label in ((panels[0], slice(0, len(SHARES)), SHARES, "Share of broken pixels"),
                              (panels[1], slice(len(SHARES), None), SPREADS, "Spread of fresh noise")):
    for name, values in error.items():
        middle = 100 * values[:, part].mean(axis=0)
        spread = 100 * scipy.stats.sem(values[:, part]) if options.seeds > 1 else None
        axes.errorbar(xs, middle, spread, marker="o", markersize=4, label=name,
                      color="0.6" if name == "pixels, linear" else plot.COLORS[list(WAYS).index(name)])
    axes.set(xlabel=label, ylabel="Wrong (%)", ylim=(0, None))
panels[0].legend()
side = round(np.sqrt(X.shape[1]))
seen, model = pictured
most = np.argsort(-model.layer_.transform(seen).mean(axis=0))[:4]
rows = [seen[:4] - 0.5, 2 * trained.layer_.weights_[most], 2 * model.layer_.weights_[most]]
panels[2].imshow(np.block([[np.pad(each.reshape(side, side), 1, constant_values=np.nan) for each in row]
                           for row in rows]), cmap=plt.get_cmap("PuOr", 9), vmin=-0.6, vmax=0.6)
panels[2].set(xticks=[], yticks=(side + 2) * (np.arange(3) + 0.5),
              yticklabels=["images", "weights\nbefore", "and after"], title=f"{SHARES[3]:.0%} of the pixels broken")
print(f"\nwrote {plot.save(figure, options.out / f'neuromodulated_hebb.{options.format}')}")
