"""Digits without labels: the spiking network of Diehl and Cook learns the images of MNIST by itself.

    NEUROSIM_DATA=FOLDER python examples/diehl_cook.py [--train 5000] [--test 2000] [--neurons 400] [--out FOLDER]

784 inputs spike with rates that follow the pixels. Each reaches all neurons by a synapse that learns when its target
spikes: sources that have just spiked gain, the silent ones lose. A neuron that spikes inhibits all others, and raises
its own threshold, so that all take part. The weights of a neuron keep their sum. After one pass over the images, each
neuron is given the digit to which it answered most, on training images, and test images are read from the mean answers
of the neurons of each digit. Only the file of training images is read: its last 10,000 are the test. It takes about a
minute; with --train 20000 --test 10000 about two, for 88 %.

Source: Diehl, Cook, Frontiers in Computational Neuroscience 9 (2015) 99.
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
from learning_rules import Hebb, normalise

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--root", type=Path, help="folder of the files of MNIST")
arguments.add_argument("--train", type=int, default=5000, help="training images, shown once, of the first 50000 (5000)")
arguments.add_argument("--test", type=int, default=2000, help="test images, of the last 10000 (2000)")
arguments.add_argument("--neurons", type=int, default=400)
arguments.add_argument("--seed", type=int, default=0)
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for diehl_cook.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
SHOWN, REST, DT, BRIGHTEST = 250, 150, 1.0, 128.0  # ms that an image is shown, then nothing; tick; Hz of white
TOTAL, LABELLED, BLOCK = 78.4, 5000, 500  # sum of a neuron's weights; images that give labels; images in one simulation
NEURON = ns.AdaptiveLIF(tau_mem=100.0, v_leak=-65.0, v_reset=-60.0, v_threshold=-52.0, t_ref=5.0, tau_theta=1e7,
                        delta_theta=0.5)  # 0.05 in the paper, which shows three times 60,000 images
RULE = Hebb(eta=0.01, x_0=0.1, tau_x=20.0)


def read(first, count):
    """Return `count` images of the 60,000 as rates in Hz, shape (count, 784), and their digits."""
    folder = options.root or Path(os.environ.get("NEUROSIM_DATA", "")) / "mnist"
    names = [folder / f"train-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]
    if not all(name.exists() for name in names):
        print(f"diehl_cook.py needs the files of MNIST and found no {names[0]}: set NEUROSIM_DATA to a folder that "
              "holds mnist/, or give --root FOLDER. Nothing was done.")
        sys.exit(0)
    digits = ns.datasets.MNIST(*names)
    part = slice(first, first + count)
    return digits.images[part].reshape(-1, 784) * (BRIGHTEST / 255.0), np.array(digits.labels[part])


def as_spikes(rates, generator):
    """Return Poisson spikes of images shown one after the other."""
    image, pixel = np.nonzero(rates)
    counts = generator.poisson(rates[image, pixel] * SHOWN * 1e-3)
    at = np.repeat(image, counts) * (SHOWN + REST) + generator.integers(1, SHOWN + 1, counts.sum())
    order = np.argsort(at, kind="stable")
    return ns.Spikes(ticks=at[order], ids=np.repeat(pixel, counts)[order].astype(np.uint32), size=784, dt=DT,
                     duration=1.0 * len(rates) * (SHOWN + REST))


def network(spikes, weights, theta, learning):
    """Return the network as it is, to be shown some images."""
    net = ns.Network()
    pixels = net.add(ns.SpikeSource(spikes), name="pixels")
    cells = net.add(NEURON, options.neurons, name="cells", initial={"theta": theta})
    net.connect(pixels, cells, weight=weights, delay=DT, plasticity=RULE if learning else None, name="learning")
    net.connect(cells, cells, ns.AllToAll(self_connections=False), weight=-120.0, delay=DT)
    net.record(cells)
    return net


def show(rates, weights, theta, learning):
    """Show images; return the spike counts, shape (images, neurons), the weights, and the thresholds."""
    counts = []
    for first in range(0, len(rates), BLOCK):
        block = rates[first:first + BLOCK]
        generator = np.random.default_rng([options.seed, first, learning])
        sim = ns.Simulation(network(as_spikes(block, generator), weights, theta, learning), DT, seed=options.seed)
        for _ in block:
            if learning:
                normalise(sim, "learning", TOTAL)
            sim.run(SHOWN + REST)
        if learning:
            weights, theta = sim.weights("learning").reshape(784, -1), sim.get("cells", "theta")
        counts.append(sim.spikes("cells").bin(SHOWN + REST, per_neuron=True))
        if learning and first // BLOCK % 8 == 0:
            print(f"{first + len(block):>7} images, {counts[-1].sum(axis=1).mean():.1f} spikes per image, "
                  f"{time.perf_counter() - BEGAN:.0f} s", flush=True)
    return np.concatenate(counts), weights, theta


def labels_of(counts, digits):
    """Return, for each neuron, the digit to which it answers most."""
    return np.array([counts[digits == d].mean(axis=0) for d in range(10)]).argmax(axis=0)


def answer(counts, labels):
    """Return the digit whose neurons spike most in the mean."""
    means = [counts[:, labels == d].mean(axis=1) if (labels == d).any() else np.zeros(len(counts)) for d in range(10)]
    return np.argmax(means, axis=0)


rates, digits = read(0, options.train)
test_rates, test_digits = read(50_000, options.test)
generator = np.random.default_rng(options.seed)
BEGAN = time.perf_counter()
weights = generator.uniform(0.0, 0.3, (784, options.neurons))
_, weights, theta = show(rates, weights, np.zeros(options.neurons), learning=True)
learned = time.perf_counter() - BEGAN
few = slice(max(0, len(rates) - LABELLED), None)
labels = labels_of(show(rates[few], weights, theta, False)[0], digits[few])
counts, _, _ = show(test_rates, weights, theta, False)
took = time.perf_counter() - BEGAN
accuracy = np.mean(answer(counts, labels) == test_digits)
error = 1.96 * np.sqrt(accuracy * (1 - accuracy) / len(test_digits))
most_frequent = np.bincount(test_digits).max() / len(test_digits)
print(f"\naccuracy {accuracy:.1%} +- {error:.1%} on {len(test_digits)} test images (chance {most_frequent:.1%}), after "
      f"one pass over {len(rates)}\nimages without labels; labels of the {options.neurons} neurons from "
      f"{len(digits[few])} training images; seed {options.seed}")
print(f"learning took {learned:.0f} s, {len(rates) / learned:.0f} images per second; all {took:.0f} s")

side = int(np.ceil(np.sqrt(options.neurons)))
mosaic = np.zeros((side * 28, side * 28))
for k, weight in enumerate(weights.T):
    row, column = divmod(k, side)
    mosaic[row * 28:row * 28 + 28, column * 28:column * 28 + 28] = weight.reshape(28, 28)
figure, (left, right) = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
left.imshow(mosaic, cmap="Greys")
left.set(title=f"weights of the {options.neurons} neurons", xticks=[], yticks=[])
table = np.zeros((10, 10))
np.add.at(table, (test_digits, answer(counts, labels)), 1.0)
right.imshow(table / table.sum(axis=1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
right.set(title=f"accuracy {accuracy:.1%}", xlabel="Answer", ylabel="Digit", xticks=range(10), yticks=range(10))
path = ns.plot.save(figure, options.out / f"diehl_cook.{options.format}")
print(f"\nwrote {path}")
