"""Accuracy against bit errors in the weights, and what activations with an upper bound do about it.

    python examples/fault_curves.py [--mnist] [--trials 50] [--out FOLDER]

A small perceptron reads the digits of scikit-learn, or with --mnist those of MNIST, for which NEUROSIM_DATA must name a
folder with mnist/train-*.gz. Bits flip in its weights, its biases and the bounds of its activations, as these lie in
memory: in float32, in fixed point Q15.16, and in int8. Compared are a plain rectifier, bounds looked up in the training
data (one for each layer, one for each neuron) and bounds trained by ProAct (one for each layer, for each neuron of the
last). The knee is the rate at which half of the accuracy above chance is lost.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from hardware_models.faults import BitFlips, StuckAt, forward, inject, knee, profile, train_bounds
from neurosim import plot
from neurosim.datasets import read_idx
from neurosim.plot import COLORS
from neurosim.readouts import ridge, score
from neurosim.readouts.evaluation import interval

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--mnist", action="store_true", help="MNIST instead of the digits of scikit-learn")
arguments.add_argument("--trials", type=int, default=50, help="repetitions at each rate (50)")
arguments.add_argument("--seed", type=int, default=0, help="of everything random (0)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for fault_curves.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
FORMATS = {"Q15.16": np.logspace(-7, -1.5, 23), "float32": np.logspace(-7, -1.5, 23), "int8": np.logspace(-5, -0.5, 19)}


def digits():
    """Return images in [0, 1] and labels, in another order: the first for training, then validation, then test."""
    if not options.mnist:
        x, y = load_digits(return_X_y=True)
        rows = np.random.default_rng(options.seed).permutation(len(y))
        return x[rows] / 16.0, y[rows], 1000, 200, (64, 32)
    folder = Path(os.environ.get("NEUROSIM_DATA", "")) / "mnist"
    files = [folder / f"train-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1")]
    if not all(file.exists() for file in files):
        print("fault_curves.py --mnist needs MNIST: set NEUROSIM_DATA to a folder that holds mnist/train-*.gz. "
              "Nothing was done.")
        sys.exit(0)
    x, y = (read_idx(file) for file in files)
    rows = np.r_[0:11_000, 58_000:60_000]  # the last 2,000 are the test set
    return x[rows].reshape(len(rows), -1) / 255.0, y[rows].astype(int), 10_000, 1000, (128, 64)


# ---- a clean network, and bounds ---------------------------------------------------------------------

began = time.perf_counter()
x, y, n_train, n_validation, hidden = digits()
train, validation, test = np.split(np.arange(len(y)), [n_train, n_train + n_validation])
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    network = MLPClassifier(hidden, max_iter=60 if not options.mnist else 15, random_state=options.seed, alpha=1e-3)
    network.fit(x[train], y[train])
layers = [tuple(part.astype(np.float32) for part in layer)
          for layer in zip(network.coefs_, network.intercepts_, strict=True)]
x = x.astype(np.float32)
plain = score(ridge(np.logspace(-1, 5, 13)).fit(x[train], y[train]), x[test], y[test], n_train)
proact = train_bounds(layers, x[train], y[train], (x[validation], y[validation]), seed=options.seed)
METHODS = {  # name: (bounds, form)
    "no bounds": (None, "zero"),
    "layer-wise, saturating": (profile(layers, x[train]), "saturate"),
    "layer-wise, to zero": (profile(layers, x[train]), "zero"),
    "neuron-wise, to zero": (profile(layers, x[train], "all"), "zero"),
    "ProAct, to zero": (proact, "zero"),
}
n_weights = sum(w.size + b.size for w, b in layers)
print(f"{'MNIST' if options.mnist else 'digits'}: perceptron {x.shape[1]}-{'-'.join(map(str, hidden))}-10, {n_weights} "
      f"weights, n_train {n_train}, n_test {len(test)}, {time.perf_counter() - began:.1f} s")


# ---- faults ------------------------------------------------------------------------------------------


def accuracy(layers, bounds, kind):
    """Return the accuracy and the share of samples whose scores are not all finite; such a score never wins."""
    scores = forward(layers, x[test], bounds, kind)
    chosen = np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1)
    return float((chosen == y[test]).mean()), float((~np.isfinite(scores)).any(axis=1).mean())


def stored(bounds):
    """Return all that lies in memory, by name."""
    parts = {f"{part}{k}": layer[index] for k, layer in enumerate(layers) for index, part in enumerate("wb")}
    return parts | {f"bound{k}": np.asarray(each) for k, each in enumerate(bounds or [])}


def with_faults(bounds, kind, fault, trial):
    """Return the accuracy with faults, the share of scores, and how many stored numbers, that are not finite."""
    found = inject(stored(bounds), fault, seed=options.seed, trial=trial)
    broken = [(found[f"w{k}"].values, found[f"b{k}"].values) for k in range(len(layers))]
    limits = None if bounds is None else [found[f"bound{k}"].values for k in range(len(bounds))]
    return *accuracy(broken, limits, kind), sum(each.not_finite for each in found.values())


clean = {name: accuracy(layers, *method)[0] for name, method in METHODS.items()}
low, high = interval(clean["no bounds"], len(test))
print(f"clean {clean['no bounds']:.1%} (95 % interval {low:.1%} to {high:.1%}), linear readout of the pixels "
      f"{plain.accuracy:.1%}, chance {plain.chance:.1%}; seed {options.seed}, {options.trials} trials at each rate\n")
curves, knees, infinite = {}, {}, {}
print(f"{'':<24}{'bounds':>8}{'clean':>8}" + "".join(f"{'knee ' + name:>15}{'gain':>7}" for name in FORMATS))
for name, (bounds, kind) in METHODS.items():
    line = f"{name:<24}{sum(np.size(b) for b in bounds or []):>8}{clean[name]:>8.1%}"
    for form, rates in FORMATS.items():
        results = np.array([[with_faults(bounds, kind, BitFlips(rate=rate, format=form), trial)
                             for trial in range(options.trials)] for rate in rates])
        curves[form, name] = results[:, :, 0].mean(axis=1)
        knees[form, name] = knee(rates, curves[form, name], clean["no bounds"], plain.chance)
        line += f"{knees[form, name]:>15.2g}{knees[form, name] / knees[form, 'no bounds']:>7.1f}"
        if form == "float32":
            k = np.searchsorted(rates, 1e-3)
            infinite[name] = rates[k], results[k, :, 1].mean(), results[k, :, 2].mean()
    print(line)
print("\nfloat32, what is not finite in a mean trial (such runs are counted, not stopped):")
for name, (rate, scores, numbers) in infinite.items():
    print(f"{name:<24} at {rate:.1e}: {numbers:.2f} of the stored numbers, the scores of {scores:.1%} of the samples")
print()

# Stuck devices: the weights as pairs of devices from 0 to 150 uS.
shares = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.2])
stuck = {}
for label, make in {"OFF": lambda s: StuckAt(off=s), "ON": lambda s: StuckAt(on=s)}.items():
    for share in shares:
        draws = [np.random.default_rng([options.seed, trial]) for trial in range(options.trials)]
        stuck[label, share] = np.mean([accuracy([(make(share).program(w, draw), b) for w, b in layers], None, "zero")[0]
                                       for draw in draws])
    print(f"stuck {label:<4}" + "".join(f"{share:>7.1%}: {stuck[label, share]:.1%}" for share in shares))

# Look
figure, panels = plt.subplots(1, 4, figsize=(16, 4), layout="constrained", sharey=True)
for axes, (form, rates) in zip(panels, FORMATS.items(), strict=False):
    for color, name in zip(COLORS, METHODS, strict=False):
        axes.semilogx(rates, 100 * curves[form, name], ".-", color=color, label=name)
    axes.axhline(50 * (clean["no bounds"] + plain.chance), color="grey", linestyle=":")
    axes.set(title=form, xlabel="bit error rate")
for color, label in zip(COLORS, ("OFF", "ON"), strict=False):
    panels[3].semilogx(100 * shares, [100 * stuck[label, share] for share in shares], "o-", color=color, label=label)
panels[3].set(title="devices of pairs", xlabel="devices stuck (%)")
panels[0].set_ylabel("accuracy (%)")
panels[0].legend(fontsize=8)
panels[3].legend(title="stuck")
path = plot.save(figure, options.out / f"fault_curves.{options.format}")
print(f"\nwrote {path}")
