"""N-MNIST end to end by surrogate gradient, beside the counts of events and a liquid: cross-validated on recordings.

    NEUROSIM_DATA=FOLDER python examples/nmnist_gradient.py [--root FOLDER_OR_ZIP] [--hidden 300] [--out FOLDER]

Recordings of Train and Test are put together, as the subset that is commonly at hand is small, and cut into folds with
as much of each digit. Numbers of epochs, sizes and rates are fixed beforehand; no fold's test part is looked at before
its one test. In training, recordings are moved by up to two pixels. It needs PyTorch (the extra torch).
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
from sklearn.model_selection import StratifiedKFold

import neurosim as ns
from neurosim.readouts import interval, ridge
from neurosim.reservoirs import BinnedCounts, Liquid, NalsmLattice, OrientedInput

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--root", type=Path, help="folder or zip file of N-MNIST")
arguments.add_argument("--most", type=int, default=2000, help="use at most so many recordings (2000)")
arguments.add_argument("--hidden", type=int, default=300, help="hidden neurons (300)")
arguments.add_argument("--layers", type=int, default=10, help="layers of 100 neurons of the liquid (10)")
arguments.add_argument("--epochs", type=int, default=30, help="passes over the training part (30)")
arguments.add_argument("--folds", type=int, default=5, help="parts of the cross-validation (5)")
arguments.add_argument("--seeds", type=int, default=1, help="how often all is done (1)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nmnist_gradient.png")
options = arguments.parse_args()
SENSOR, DT, DURATION = (34, 34, 2), 5.0, 315.0

root = options.root or ns.datasets.NMNIST.below(os.environ.get("NEUROSIM_DATA"))
if root is None:
    print("nmnist_gradient.py needs recordings of N-MNIST and found none: set NEUROSIM_DATA to a folder that holds "
          "nmnist/, or give --root FOLDER_OR_ZIP. Nothing was done.")
    sys.exit(0)

import torch  # noqa: E402

from neurosim import bridge  # noqa: E402

events, labels = [], []
for train in (True, False):
    part = ns.datasets.NMNIST(root, train=train).load_all()
    events += np.split(part.events, part.offsets[1:-1])
    labels.append(part.labels)
labels = np.concatenate(labels)
rows = np.random.default_rng(0).permutation(len(labels))[:options.most]
events, labels = [events[k][events[k]["t"] < DURATION * 1000 - 1] for k in rows], labels[rows]


def spikes(recording, dt, dx=0, dy=0):
    """Return one spike a tick and channel at most, of events moved by some pixels."""
    moved = recording.copy()
    x, y = recording["x"].astype(int) + dx, recording["y"].astype(int) + dy
    inside = (x >= 0) & (x < SENSOR[0]) & (y >= 0) & (y < SENSOR[1])
    moved["x"], moved["y"] = x.clip(0), y.clip(0)
    made = ns.datasets.to_spikes(moved[inside], SENSOR, dt=dt, duration=DURATION)
    once = np.unique(made.ticks * made.size + made.ids)
    return made.replace(ticks=once // made.size, ids=once % made.size)


def batch(chosen, rng=None):
    """Return recordings as lists of spikes, moved at random in training."""
    moves = np.zeros((len(chosen), 2), int) if rng is None else rng.integers(-2, 3, (len(chosen), 2))
    return bridge.SpikeBatch.from_spikes([spikes(events[k], DT, *move) for k, move in zip(chosen, moves, strict=True)],
                                         round(DURATION / DT) + 1)


def by_gradient(train, test, seed):
    """Return how many test recordings a trained network has right, and its losses."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    net = bridge.Sequential(
        bridge.LIFLayer(2312, options.hidden, dt=DT, tau_mem=30.0, surrogate=bridge.ATan(2.0), generator=generator),
        bridge.LeakyIntegratorLayer(options.hidden, 10, dt=DT, tau_mem=100.0, bias=True, generator=generator))
    adam = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = options.epochs * -(-len(train) // 64)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    losses = []
    for _ in range(options.epochs):
        for chosen in np.array_split(rng.permutation(train), -(-len(train) // 64)):
            v, _ = net(batch(chosen, rng))
            loss = torch.nn.functional.cross_entropy(v.mean(0), torch.from_numpy(labels[chosen]).long())
            adam.zero_grad()
            loss.backward()
            adam.step()
            slower.step()
            losses.append(loss.item())
    with torch.no_grad():
        guessed = net(batch(test))[0].mean(0).argmax(1).numpy()
    return int((guessed == labels[test]).sum()), losses


liquid = Liquid(NalsmLattice((10, 10, options.layers)), OrientedInput(SENSOR, weight=80.0), excitation=0.5,
                inhibition=-0.5, dt=1.0, seed=0)
saccades = BinnedCounts(edges=(105.0, 210.0, DURATION))
fine = [spikes(each, 1.0) for each in events]
fixed = {"liquid": liquid.states(fine, DURATION, saccades), "event counts by saccade": saccades.matrix(fine)}
right = {name: [] for name in ("surrogate gradient", *fixed)}
began = time.perf_counter()
for seed in range(options.seeds):
    counts = dict.fromkeys(right, 0)
    folds = StratifiedKFold(options.folds, shuffle=True, random_state=seed)
    for train, test in folds.split(labels, labels):
        hits, losses = by_gradient(train, test, seed)
        counts["surrogate gradient"] += hits
        for name, X in fixed.items():
            readout = ridge(np.logspace(-1, 4, 11), scale=False, root=True).fit(X[train], labels[train])
            counts[name] += int((readout.predict(X[test]) == labels[test]).sum())
    for name, hits in counts.items():
        right[name].append(hits / len(labels))

print(f"{'features':<26}{'accuracy':>9}   95 % interval")
for name, shares in right.items():
    low, high = interval(float(np.mean(shares)), len(labels))
    print(f"{name:<26}{np.mean(shares):>9.1%}   {low:.1%} to {high:.1%}")
print(f"{'chance':<26}{np.bincount(labels).max() / len(labels):>9.1%}")
print(f"n_test {len(labels)} over {options.folds} folds, seeds {options.seeds}, {time.perf_counter() - began:.0f} s")

figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
axes.plot(losses)
axes.set(xlabel="step", ylabel="training loss of the last fold", yscale="log")
options.out.mkdir(parents=True, exist_ok=True)
figure.savefig(options.out / "nmnist_gradient.png", dpi=100)
print(f"\nwrote {options.out / 'nmnist_gradient.png'}")
