"""One task after another: lateral neurons learn what former tasks saw, and weights change where these had nothing.

    python examples/continual_learning.py [--seeds 5] [--full] [--out FOLDER]

Five tasks are the same 8 x 8 digits (from scikit-learn) with their pixels in five random orders; a network of LIF
neurons with one readout for all learns them one after the other, and is told of no task which one it is. Without
protection; with a gradient orthogonal to what lateral neurons learned by Hebb's rule of each layer's inputs (HLOP);
with the exact principal subspaces in their place. Each accuracy is of 597 digits that were not trained on, after the
last task; BWT is what the earlier tasks have changed since they were learned. Beside them linear classifiers of the
pixels: one for each task, of all tasks at once, and one task after the other. Intervals are 95 % of Student's t over
seeds (weights, orders of pixels, digits that are held out). --full: MNIST in ten orders, two hidden layers of 800 and
one epoch a task, as published; it needs NEUROSIM_DATA, which holds mnist/, and hours. It needs PyTorch (extra torch).

Source: Xiao, Meng, Zhang, He, Lin, ICLR 2024; exact subspaces: Saha, Garg, Roy, ICLR 2021.
"""

import argparse
import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from sklearn.datasets import load_digits

import neurosim as ns
from learning_rules import HebbianSubspace, PrincipalSubspace
from neurosim import bridge, plot
from neurosim.readouts import ridge

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5, help="networks, each with tasks of its own (5)")
arguments.add_argument("--full", action="store_true", help="ten tasks of MNIST, two hidden layers of 800")
arguments.add_argument("--images", type=int, default=50_000, help="of MNIST to train on, with --full (50000)")
arguments.add_argument("--quick", action="store_true", help="two tasks and few epochs, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for continual_learning.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
torch.set_num_threads(1)
WAYS = ("no protection", "Hebbian subspace", "exact subspace")
if options.full:  # rows of each subspace that each task adds: inputs, first and second hidden layer
    SIZES, TICKS, EPOCHS, TAU, RATES = (784, 800, 800, 10), 20, 1, 20.0, (0.001, 0.01, 0.01)
    ROWS = [(80, 200, 100)] + [(70, 70, 70)] * 2 + [(50, 50, 50)] * 3 + [(30, 30, 30)] * 3 + [(10, 10, 10)]
else:
    SIZES, TICKS, EPOCHS, TAU, RATES = (64, 200, 10), 8, 3 if options.quick else 15, 10.0, (0.02, 0.02)
    ROWS = [(10, 40)] + [(9, 25)] * (1 if options.quick else 4)


def data(seed):
    """Return pixels and labels to train on, and those to test on."""
    rng = np.random.default_rng([seed, 1])
    if not options.full:
        pixels, labels = load_digits(return_X_y=True)
        rows = rng.permutation(len(labels))
        train, test, pixels = rows[:1200], rows[1200:], pixels / 16
    else:
        folder = Path(os.environ.get("NEUROSIM_DATA") or "missing") / "mnist"
        if not (folder / "train-images-idx3-ubyte.gz").is_file():
            print("continual_learning.py --full needs mnist/ and did not find it: set NEUROSIM_DATA to the folder that "
                  "holds it. Nothing was done.")
            sys.exit(0)
        pixels, labels = (ns.datasets.read_idx(folder / f"train-{name}-ubyte.gz")
                          for name in ("images-idx3", "labels-idx1"))
        pixels = pixels.reshape(len(labels), -1) / 255
        train, test = np.arange(options.images), np.arange(50_000, 60_000)
    pixels, labels = pixels.astype(np.float32), labels.astype(np.int64)
    return pixels[train], labels[train], pixels[test], labels[test]


def network(seed, way):
    """Return spiking layers, and the subspaces of their inputs."""
    generator = torch.Generator().manual_seed(seed)
    layers = [kind(n_in, n_out, tau_mem=TAU, generator=generator, **more) for n_in, n_out, kind, more in zip(
        SIZES[:-1], SIZES[1:], [bridge.LIFLayer] * len(SIZES[2:]) + [bridge.LeakyIntegratorLayer],
        [{"reset": "subtract", "surrogate": bridge.FastSigmoid(5.0)}] * len(SIZES[2:]) + [{}], strict=True)]
    subspaces = [None if way == WAYS[0] else HebbianSubspace(n, rate=rate, seed=seed) if way == WAYS[1] else
                 PrincipalSubspace(n) for n, rate in zip(SIZES[:-1], RATES, strict=True)]
    return bridge.OrthogonalLayers(bridge.Sequential(*layers), subspaces), subspaces


def told(net, pixels):
    """Return the digits that a network tells."""
    with torch.no_grad():
        return np.concatenate([net(held(part))[0].mean(0).argmax(1).numpy() for part in
                               np.array_split(pixels, -(-len(pixels) // 500))])


def held(pixels):
    """Return pixels as a constant current."""
    return torch.from_numpy(pixels)[None].expand(TICKS, -1, -1)


def learned(seed, way):
    """Return the accuracy of each task (columns) after each was learned (rows), and what subspaces hold at the end."""
    x, y, test, truth = data(seed)
    rng, (net, subspaces) = np.random.default_rng([seed, 2]), network(seed, way)
    orders = pixel_orders(seed)
    sgd, found = torch.optim.SGD(net.parameters(), lr=0.1), np.full((len(ROWS), len(ROWS)), np.nan)
    for task, rows in enumerate(ROWS):
        for subspace, count in zip(subspaces, rows, strict=True):
            if subspace is not None:
                subspace.grow(count)
        for epoch in range(EPOCHS):
            for part in np.array_split(rng.permutation(len(y)), len(y) // 64):
                v, _ = net(held(x[part][:, orders[task]]))
                sgd.zero_grad()
                torch.nn.functional.cross_entropy(v.mean(0), torch.from_numpy(y[part])).backward()
                sgd.step()
                if way == WAYS[1] or epoch == EPOCHS - 1:
                    net.learn()
        found[task, :task + 1] = [(told(net, test[:, orders[k]]) == truth).mean() for k in range(task + 1)]
    if way == WAYS[0]:
        return found, np.nan
    subspaces[0].freeze()
    return found, subspaces[0].captured(x[:, orders[-1]])


def pixel_orders(seed):
    """Return an order of pixels for each task."""
    rng = np.random.default_rng([seed, 3])
    return [rng.permutation(SIZES[0]) for _ in ROWS]


def linear(seed):
    """Return accuracies of linear classifiers: one for each task, of all at once, one task after the other."""
    x, y, test, truth = data(seed)
    orders = pixel_orders(seed)
    every = [x[:, order] for order in orders], [test[:, order] for order in orders]
    alone = (ridge(scale=False).fit(x, y).predict(test) == truth).mean()  # the same in every order
    both = ridge(scale=False).fit(np.concatenate(every[0]), np.tile(y, len(orders)))
    after = torch.nn.Linear(SIZES[0], 10)
    sgd, rng = torch.optim.SGD(after.parameters(), lr=0.1), np.random.default_rng([seed, 2])
    for pixels in every[0]:
        for _ in range(EPOCHS):
            for part in np.array_split(rng.permutation(len(y)), len(y) // 64):
                sgd.zero_grad()
                torch.nn.functional.cross_entropy(after(torch.from_numpy(pixels[part])),
                                                  torch.from_numpy(y[part])).backward()
                sgd.step()
    with torch.no_grad():
        last = [(after(torch.from_numpy(pixels)).argmax(1).numpy() == truth).mean() for pixels in every[1]]
    return alone, (both.predict(np.concatenate(every[1])) == np.tile(truth, len(orders))).mean(), np.mean(last)


def summary(values):
    """Return mean and half width of the interval as text."""
    values = np.asarray(values)
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return f"{values.mean():6.3f} +- {half:.3f}"


runs = {way: [learned(seed, way) for seed in range(options.seeds)] for way in WAYS}
tables = {way: np.array([found for found, _ in made]) for way, made in runs.items()}
truth = data(0)[3]
print(f"{len(ROWS)} tasks, {'-'.join(map(str, SIZES))}, {options.seeds} seeds, n_test {len(truth)} a task, chance "
      f"{np.bincount(truth).max() / len(truth):.3f}\n{'':<36}{'accuracy, all tasks':>20}{'BWT':>20}{'last task':>20}")
for way, table in tables.items():
    changed = (table[:, -1, :-1] - np.diagonal(table, axis1=1, axis2=2)[:, :-1]).mean(axis=1)
    print(f"{way:<36}{summary(table[:, -1].mean(axis=1)):>20}{summary(changed):>20}{summary(table[:, -1, -1]):>20}")
for name, values in zip(("linear of pixels, one for each task", "linear of pixels, all at once",
                         "linear of pixels, one after other"),
                        np.transpose([linear(seed) for seed in range(options.seeds)]), strict=True):
    print(f"{name:<36}{summary(values):>20}")
difference = (tables[WAYS[1]] - tables[WAYS[2]])[:, -1].mean(axis=1)
print(f"Hebbian less exact: {summary(difference)}; of the last task's pixels (squares) rows of the first layer hold "
      + ", ".join(f"{np.mean([kept for _, kept in runs[way]]):.3f} ({way})" for way in WAYS[1:]))

figure, panels = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for k, (way, table) in enumerate(tables.items()):
    panels[0].plot(np.arange(1, len(ROWS) + 1), table[:, :, 0].mean(axis=0), "o-", color=plot.COLORS[k], label=way)
    panels[1].errorbar(np.arange(1, len(ROWS) + 1) + 0.1 * (k - 1), table[:, -1].mean(axis=0),
                       table[:, -1].std(axis=0), fmt="o", color=plot.COLORS[k], label=way)
panels[0].set(xlabel="Tasks learned so far", ylabel="Accuracy on the first task", ylim=(0, 1),
              title="What is left of the first task")
panels[1].set(xlabel="Task", ylabel="Accuracy after the last", ylim=(0, 1), title="At the end; bars: spread over seeds")
for panel in panels:
    panel.set_xticks(range(1, len(ROWS) + 1))
    panel.axhline(np.bincount(truth).max() / len(truth), color="grey", ls=":", label="chance")
panels[0].legend()
print(f"\nwrote {plot.save(figure, options.out / f'continual_learning.{options.format}')}")
