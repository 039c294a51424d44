"""Real recordings of N-MNIST through a liquid state machine, with its controls.

    NEUROSIM_DATA=FOLDER python examples/nmnist.py [--root FOLDER_OR_ZIP] [--layers 10] [--out FOLDER]

The official files are looked for in the folder `nmnist` (or `N-MNIST`) below NEUROSIM_DATA, unpacked or as a zip file;
--root names them directly. Nothing is downloaded. The readout is trained on the recordings of Train and tested on those
of Test. `neurosim train nmnist` does more: folds, several seeds, and a choice among liquids inside the folds.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from neurosim.readouts import ridge, score
from neurosim.reservoirs import BinnedCounts, Liquid, NalsmLattice, OrientedInput

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--root", type=Path, help="folder or zip file of N-MNIST")
arguments.add_argument("--most", type=int, default=2000, help="use at most so many recordings of each part (2000)")
arguments.add_argument("--layers", type=int, default=10, help="layers of 100 neurons of the liquid (10)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nmnist.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
SENSOR, SEED = (34, 34, 2), 0

root = options.root or ns.datasets.NMNIST.below(os.environ.get("NEUROSIM_DATA"))
if root is None:
    print("nmnist.py needs recordings of N-MNIST and found none: set NEUROSIM_DATA to a folder that holds nmnist/, or "
          "give --root FOLDER_OR_ZIP. Nothing was done.")
    sys.exit(0)


def some(dataset):
    """Return recordings from all over a data set, which is sorted by digit."""
    rows = np.random.default_rng(SEED).permutation(len(dataset))[:options.most]
    return dataset.select(np.sort(rows))


# Read: a data set is lazy; load_all reads many recordings at once.
began = time.perf_counter()
parts = {name: some(ns.datasets.NMNIST(root, train=name == "train")).load_all() for name in ("train", "test")}
counts = np.concatenate([np.diff(part.offsets) for part in parts.values()])
print(f"{len(counts)} recordings, {counts.sum():,} events, read in {time.perf_counter() - began:.2f} s")
print(f"events of a recording: {counts.min()} to {counts.max()}, median {np.median(counts):.0f}")

# Spikes on a grid of 1 ms, all in one window that holds the last event.
duration = float(max(np.ceil(part.events["t"].max() / 1000) for part in parts.values()))
samples, labels, events = [], np.concatenate([part.labels for part in parts.values()]), []
for part in parts.values():
    events += np.split(part.events, part.offsets[1:-1])
samples = [ns.datasets.to_spikes(each, SENSOR, dt=1.0, duration=duration) for each in events]
n_train = len(parts["train"].labels)

# Liquid
liquid = Liquid(NalsmLattice((10, 10, options.layers)), OrientedInput(SENSOR, weight=80.0), excitation=0.5,
                inhibition=-0.5, dt=1.0, seed=SEED)
saccades = BinnedCounts(edges=(105.0, 210.0, duration))
began = time.perf_counter()
states = liquid.states(samples, duration, saccades)
rate = states.sum() / states.shape[0] / liquid.size / duration * 1000
print(f"{liquid.size} neurons at {rate:.1f} Hz, {time.perf_counter() - began:.1f} s\n")

# Readout and controls
binned = saccades.matrix(samples)
rectified = np.hstack([np.maximum(part @ liquid.input_weights, 0.0) for part in np.split(binned, 3, axis=1)])
features = {"liquid": states, "input weights, rectified": rectified, "event counts by saccade": binned}
print(f"{'features':<26}{'accuracy':>9}   95 % interval")
for name, X in features.items():
    readout = ridge(np.logspace(-1, 4, 11), scale=False, root=True).fit(X[:n_train], labels[:n_train])
    result = score(readout, X[n_train:], labels[n_train:], n_train)
    print(f"{name:<26}{result.accuracy:>9.1%}   {result.interval[0]:.1%} to {result.interval[1]:.1%}")
print(f"{'chance':<26}{result.chance:>9.1%}")
print(f"n_train {n_train}, n_test {result.n_test}, seed {SEED}")

# Look: one recording of each digit, in each saccade.
figure, panels = plt.subplots(3, 10, figsize=(13, 4.4), layout="constrained")
bounds = (0, 105_000, 210_000, np.inf)
for digit in range(10):
    one = events[int(np.flatnonzero(labels == digit)[0])]
    for k in range(3):
        ns.plot.events(one[(one["t"] >= bounds[k]) & (one["t"] < bounds[k + 1])], SENSOR, ax=panels[k, digit])
        panels[k, digit].set(xticks=[], yticks=[], xlabel="", ylabel=f"saccade {k + 1}" if digit == 0 else "")
    panels[0, digit].set_title(str(digit))
path = ns.plot.save(figure, options.out / f"nmnist.{options.format}", lettered=False)
print(f"\nwrote {path}")
