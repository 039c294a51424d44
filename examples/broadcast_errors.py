"""Recurrent spiking layers learn under a sparse readout, from errors that are broadcast, without backpropagation.

    python examples/broadcast_errors.py [--seeds 5] [--shares 0.1 0.3 1] [--mnist] [--out FOLDER]

Digits as spikes go through two recurrent layers of 100 neurons to a readout of 5 neurons for each class. Each neuron
of the layers reaches a share of the readout only. The readout learns by the errors of its own spikes; the layers are
frozen as they were drawn, or learn by the same errors, which fixed random numbers broadcast to all neurons. Digits of
scikit-learn, 1,000 to learn; --mnist: of MNIST, 14 x 14 pixels, 5,000, of which NEUROSIM_DATA holds mnist/. Beside it
chance, and a logistic regression on the pixels. Constants, and for frozen layers the scale of their weights and the
rate of learning of the readout, were chosen on seeds 0 and 1, other splits of the digits of scikit-learn; seeds from
10 on are reported, with 95 % intervals over them.

Source: Tang, Xie, arXiv 2605.00402 (2026), of whose abstract this is a reading: sizes and constants are our own.
"""

import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from learning_rules import BroadcastClassifier
from neurosim import plot
from neurosim.datasets import MNIST

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5)
arguments.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.3, 1.0], help="of the readout (0.1 0.3 1)")
arguments.add_argument("--mnist", action="store_true", help="MNIST instead of the digits of scikit-learn")
arguments.add_argument("--quick", action="store_true", help="300 digits, 40 neurons and 2 passes, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for broadcast_errors.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
LEARN, UNITS, EPOCHS = (300, 40, 2) if options.quick else (5000, 100, 4) if options.mnist else (1000, 100, 8)
SHARES = [0.1, 1.0] if options.quick else options.shares
SEEDS = range(10, 10 + options.seeds)
WAYS = {"frozen": {"rate_hidden": 0.0, "gain_in": 4.0, "gain_across": 4.0}, "learned": {}}


def digits():
    """Return images with values from 0 to 1, and labels."""
    if not options.mnist:
        found = load_digits()
        return found.images.reshape(-1, 64) / 16, found.target
    folder = Path(os.environ.get("NEUROSIM_DATA") or "missing") / "mnist"
    names = [folder / f"train-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1")]
    if not names[0].exists():
        print("broadcast_errors.py --mnist needs mnist/ and did not find it: set NEUROSIM_DATA to the folder that "
              "holds it. Nothing was done.")
        raise SystemExit
    found = MNIST(*names)
    images = np.asarray(found.images[:LEARN + 1000], float).reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    return images.reshape(-1, 196), np.asarray(found.labels[:LEARN + 1000], int)


def told(values):
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return f"{np.mean(values):.3f} +- {half:.3f}"


images, labels = digits()
found, linear, rates = {}, [], {}
for seed in SEEDS:
    order = np.random.default_rng(seed).permutation(len(images))
    learn, test = order[:LEARN], order[LEARN:]
    line = LogisticRegression(max_iter=1000).fit(images[learn], labels[learn])
    linear.append(line.score(images[test], labels[test]))
    for share in SHARES:
        for way, how in WAYS.items():
            model = BroadcastClassifier(images.shape[1], units=UNITS, share=share, seed=seed, **how)
            model.fit(images[learn], labels[learn], epochs=EPOCHS)
            found.setdefault((share, way), []).append(model.score(images[test], labels[test]))
            rates.setdefault(way, []).append(np.mean(model.rates))
print(f"{len(SEEDS)} seeds, {len(test)} test images, {LEARN} to learn, {EPOCHS} passes; chance "
      f"{np.bincount(labels[test]).max() / len(test):.3f}, logistic regression on pixels {told(linear)}")
print(f"{'readout':<10}" + "".join(f"{head:>20}" for head in (*WAYS, "difference")))
for share in SHARES:
    frozen, learned = (np.array(found[share, way]) for way in WAYS)
    print(f"{share:<10.0%}" + "".join(f"{told(each):>20}" for each in (frozen, learned, learned - frozen)))
print("spikes of a neuron and image: " + ", ".join(f"{way} {np.mean(rates[way]):.1f}" for way in WAYS))

# Look: accuracy by the share of the readout that a neuron reaches.
figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
for way, color in zip(WAYS, plot.COLORS, strict=False):
    values = np.array([found[share, way] for share in SHARES])
    axes.plot(SHARES, values.mean(axis=1), "o-", color=color, label=way)
    axes.plot(SHARES, values, ".", color=color, alpha=0.4)
axes.axhline(np.mean(linear), color="0.5", linestyle=":", label="pixels, linear")
axes.set(xscale="log", xlabel="Share of the readout that a neuron reaches", ylabel="Accuracy", ylim=(0, 1))
axes.set_xticks(SHARES, [f"{share:.0%}" for share in SHARES], minor=False)
axes.minorticks_off()
axes.legend()
print(f"\nwrote {plot.save(figure, options.out / f'broadcast_errors.{options.format}')}")
