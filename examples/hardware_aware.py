"""Training for a crossbar: what 10 % programming noise and 5 % stuck cells cost a network that knows of them or not.

    [NEUROSIM_DATA=FOLDER] python examples/hardware_aware.py [--seeds 5] [--chips 4] [--quick] [--out FOLDER]

Digits of scikit-learn as Poisson spikes, and, where NEUROSIM_DATA leads to recordings of N-MNIST, these. A network of
100 LIF neurons and leaky integrators is trained twice: plainly, and with its weights on a device in every forward pass
(straight-through gradients, other errors each time). Both then run in the core, on the same crossbars, none of which
was seen in training. The range of the aware network's crossbar is two standard deviations of its weights; the plain
network is also put onto such a crossbar, so that the range alone can be told from the training. Intervals are 95 % of
Student's t over seeds; a seed draws the split, the first weights, the spikes and the chips.
"""

import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import neurosim as ns
from hardware_models import Memristor
from neurosim import bridge
from neurosim.readouts import logistic

ns.plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5, help="how many seeds (5)")
arguments.add_argument("--chips", type=int, default=4, help="crossbars of each trained network (4)")
arguments.add_argument("--quick", action="store_true", help="digits only, fewer of them, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for hardware_aware.png")
options = arguments.parse_args()
torch.set_num_threads(1)  # small layers: more threads wait for each other
CELL = Memristor(programming_noise=0.1, stuck_on=0.025, stuck_off=0.025)


def narrow(weights):
    """The crossbar's range: two standard deviations of the weights; the few larger ones are clipped."""
    return CELL.replace(weight_max=float(2.0 * np.sqrt(np.mean(weights**2))))


def digits(seed):
    """Return spikes of shape (ticks, samples, 64), labels, and which are for training and for the test."""
    X, y = load_digits(return_X_y=True)
    X, y = (X[:600], y[:600]) if options.quick else (X, y)
    spikes = np.random.default_rng(seed).random((20, *X.shape)) < X / 32
    return spikes.astype(np.float32), y, *train_test_split(np.arange(len(y)), test_size=1 / 3, stratify=y,
                                                           random_state=seed)


def recordings():
    """Return N-MNIST in ticks of 5 ms and pixels of 2 x 2, (ticks, samples, 578), and labels; None without data."""
    folder = Path(os.environ.get("NEUROSIM_DATA", "")) / "nmnist"
    root = next(iter(sorted(folder.glob("*.zip"))), folder)
    if options.quick or not os.environ.get("NEUROSIM_DATA") or not root.exists():
        return None
    parts = [ns.datasets.NMNIST(root, train=train).load_all() for train in (True, False)]
    spikes, labels, at = np.zeros((63, sum(len(part.labels) for part in parts), 578), np.float32), [], 0
    for part in parts:
        for events in np.split(part.events, part.offsets[1:-1]):
            pixel = events["p"].astype(int) * 289 + events["y"] // 2 * 17 + events["x"] // 2
            spikes[np.minimum(events["t"] // 5000, 62), at, pixel] = 1.0
            at += 1
        labels.append(part.labels)
    return spikes, np.concatenate(labels)


def network(n_in, seed):
    """Return an untrained network."""
    generator = torch.Generator().manual_seed(seed)
    net = bridge.Sequential(
        bridge.LIFLayer(n_in, 100, tau_mem=10.0, surrogate=bridge.FastSigmoid(5.0), generator=generator),
        bridge.LeakyIntegratorLayer(100, 10, generator=generator))
    with torch.no_grad():
        net.layers[0].weight.mul_(2.0)
    return net


def train(net, x, y, seed, epochs):
    """Train by surrogate gradient on cross-entropy of the mean output."""
    generator = torch.Generator().manual_seed(seed + 1000)
    adam = torch.optim.Adam([each for each in net.parameters() if each.requires_grad], lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(y), generator=generator).split(64):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(4.0 * net(x[:, rows])[0].mean(0), y[rows]).backward()
            adam.step()


def on_chip(net, device, x, seed):
    """Return the classes that a network chooses in the core, on a crossbar."""
    held = bridge.layers_on(net, lambda weights: device(weights).replace(seed=seed))
    return bridge.to_network(held).run(x, dtype="float32", seed=seed)[-1].mean(0).argmax(1)


def one_seed(data, seed, epochs):
    """Return accuracies of one seed: chance, linear on counts, then ideal and on chips for each network."""
    spikes, y, fit, test = data
    x, given, right = torch.from_numpy(spikes[:, fit]), spikes[:, test], y[test]
    linear = logistic().fit(spikes[:, fit].sum(0), y[fit]).score(given.sum(0), right)
    found = {"chance": np.bincount(right).max() / len(right), "linear": linear}
    for name in ("plain", "aware"):
        net = network(spikes.shape[2], seed)
        train(bridge.layers_on(net, narrow, seed=seed) if name == "aware" else net, x, torch.from_numpy(y[fit]), seed,
              epochs)
        with torch.no_grad():
            found[name] = float((net(torch.from_numpy(given))[0].mean(0).argmax(1).numpy() == right).mean())
        for label, device in (("full range", CELL.fitted), ("2 sigma", narrow)):
            chips = [on_chip(net, device, given, 100 * seed + chip) for chip in range(options.chips)]
            found[f"{name}, {label}"] = float(np.mean([(chosen == right).mean() for chosen in chips]))
    return found


def with_interval(values):
    """Return mean and half width of the 95 % interval of Student's t, in per cent, as text."""
    values = 100 * np.asarray(values)
    n = len(values)
    half = scipy.stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return f"{values.mean():5.1f} +- {half:3.1f} %"


sets = {"digits": ([digits(seed) for seed in range(options.seeds)], 6 if options.quick else 20)}
if (loaded := recordings()) is None:
    print("N-MNIST is left out: set NEUROSIM_DATA to a folder that holds nmnist/ (and leave --quick away)\n")
else:
    rows = [train_test_split(np.arange(len(loaded[1])), test_size=200, stratify=loaded[1], random_state=seed)
            for seed in range(options.seeds)]
    sets["N-MNIST recordings"] = [(*loaded, *each) for each in rows], 20

fig, axes = plt.subplots(1, len(sets), figsize=(5 * len(sets), 4), squeeze=False, sharey=True)
for ax, (title, (data, epochs)) in zip(axes[0], sets.items(), strict=True):
    table = [one_seed(each, seed, epochs) for seed, each in enumerate(data)]
    found = {name: np.array([row[name] for row in table]) for name in table[0]}
    print(f"{title}: n_train {len(data[0][2])}, n_test {len(data[0][3])}, {options.seeds} seeds, {options.chips} chips "
          "each; 10 % programming noise, 2.5 % of the cells stuck on and 2.5 % off")
    for name, values in found.items():
        print(f"  {name:18s} {with_interval(values)}")
    lost = {"plain": found["plain"] - np.maximum(found["plain, full range"], found["plain, 2 sigma"]),
            "aware": found["plain"] - found["aware, 2 sigma"]}
    print(f"  lost against the plain ideal network: plain, the better range {with_interval(lost['plain'])}, aware "
          f"{with_interval(lost['aware'])}: {lost['aware'].mean() / lost['plain'].mean():.2f} of it\n")
    names = [name for name in found if name not in ("chance", "linear")]
    ax.bar(range(len(names)), [100 * found[name].mean() for name in names],
           yerr=[100 * found[name].std() for name in names], color=["0.7", "C3", "C1", "0.7", "C9", "C0"])
    ax.axhline(100 * found["linear"].mean(), color="k", lw=0.8, ls="--", label="linear on counts, ideal")
    ax.axhline(100 * found["chance"].mean(), color="k", lw=0.8, ls=":", label="chance")
    ax.set_xticks(range(len(names)), [name.replace(", ", "\n") for name in names], fontsize=7)
    ax.set_title(title)
axes[0, 0].set_ylabel("accuracy on the test part, %")
axes[0, 0].legend(fontsize=7)
fig.tight_layout()
path = options.out / "hardware_aware.png"
ns.plot.save(fig, path, lettered=False, dpi=120)
print(f"wrote {path}")
