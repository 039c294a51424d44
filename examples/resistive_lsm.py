"""A liquid whose fixed random weights are random resistors: as good as Gaussian ones, and zero-shot.

    python examples/resistive_lsm.py [--digits 600] [--out FOLDER]

8 x 8 digits (from scikit-learn) become spikes; 200 recurrent LIF neurons have fixed weights that are pairs of resistive
cells, formed or not by one voltage sweep. Only linear maps are trained. Zero-shot: the upper half of a digit and its
lower half go through liquids of their own, a map from one to the other is trained on the digits 0 to 7, and then has to
tell 8 from 9, which it has not seen.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

import neurosim as ns
from hardware_models.memristor import Memristor, RandomResistors
from neurosim.readouts import evaluate, interval, ridge
from neurosim.reservoirs import BinnedCounts, states

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--digits", type=int, default=600, help="how many digits (600)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for resistive_lsm.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

SIZE, DURATION, RATE, INPUT_STD, RECURRENT_STD = 200, 100.0, 200.0, 4.0, 0.7  # neurons, ms, Hz at black, mV, mV
NEURON = ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=2.0)
digits = load_digits()
rows = np.random.default_rng(0).permutation(len(digits.target))[:options.digits]
images, labels = digits.data[rows] / 16, digits.target[rows]


def spikes(pixels, seed):
    """Return random spikes whose rates are pixel values."""
    rng = np.random.default_rng([seed, 3])
    ticks, ids = np.nonzero(rng.random((int(DURATION), pixels.size)) < pixels * RATE / 1000)
    return ns.Spikes(ticks=ticks + 1, ids=ids, size=pixels.size, dt=1.0, duration=DURATION)


def gaussian(shape, rng, std):
    """Return software weights."""
    return rng.normal(0, std, shape)


def liquid(draw, pixels, *, noise=0.0, seed=0):
    """Return states of a liquid with weights from draw(shape, rng, std)."""
    rng, net = np.random.default_rng([seed, 4]), ns.Network()
    silence = ns.Spikes(ticks=[], ids=[], size=pixels.shape[1], dt=1.0, duration=1.0)
    source, cells = net.add(ns.SpikeSource(silence)), net.add(NEURON, SIZE, name="liquid")
    for origin, n, std in ((source, pixels.shape[1], INPUT_STD), (cells, SIZE, RECURRENT_STD)):
        matrix = draw((n, SIZE), rng, std)
        net.connect(origin, cells, ns.Sparse(matrix), delay=1.0,
                    device=Memristor(read_noise=noise).fitted(matrix) if noise else None)
    net.record(cells)
    samples = [spikes(image, k) for k, image in enumerate(pixels)]
    return states(ns.Simulation(net, 1.0, seed=seed), samples, DURATION, BinnedCounts(2))


def accuracy(*what, **how):
    """Return the mean accuracy over two liquids."""
    found = [liquid(*what, images, **how, seed=seed) for seed in (0, 1)]
    return np.mean([evaluate(ridge(), each, labels, seeds=[seed]).accuracy for seed, each in enumerate(found)])


print(f"{len(labels)} digits, chance {np.bincount(labels).max() / len(labels):.1%}, n_test {len(labels)}")
counts = BinnedCounts(2).matrix([spikes(image, k) for k, image in enumerate(images)])
control = evaluate(ridge(), counts, labels, seeds=[0]).accuracy
print(f"input counts, no liquid       {control:.1%}")
software = accuracy(gaussian)
print(f"Gaussian software weights     {software:.1%}")
shares, noises = (0.1, 0.3, 0.5, 0.7, 0.9), (0.02, 0.1, 0.3, 1.0)
by_share = [accuracy(RandomResistors.formed(share).weights) for share in shares]
for share, right in zip(shares, by_share, strict=True):
    print(f"resistors, {share:.0%} formed ({RandomResistors.formed(share).forming:.2f} V){'':4}{right:.1%}")
by_noise = [accuracy(RandomResistors.formed(0.5).weights, noise=noise) for noise in noises]
for noise, right in zip(noises, by_noise, strict=True):
    print(f"half formed, {noise:.0%} read noise{'':7}{right:.1%}")


def zero_shot(draw, seed=0):
    """Return the share of 8s and 9s whose upper half is matched to the lower halves of its own digit."""
    upper, lower = (liquid(draw, part, seed=seed + k) for k, part in enumerate((images[:, :32], images[:, 32:])))
    upper, lower = (np.sqrt(part) - np.sqrt(part).mean(0) for part in (upper, lower))
    known, new = labels < 8, np.flatnonzero(labels >= 8)
    mapped = Ridge(100.0).fit(upper[known], lower[known]).predict(upper[new])
    right = 0
    for row, state in zip(new, mapped, strict=True):
        means = [lower[new[(labels[new] == digit) & (new != row)]].mean(0) for digit in (8, 9)]
        right += 8 + np.argmin([np.linalg.norm(state - mean) for mean in means]) == labels[row]
    return right / new.size, new.size


for name, draw in (("Gaussian", gaussian), ("resistors", RandomResistors.formed(0.5).weights)):
    right, n = zero_shot(draw)
    low, high = interval(right, n)
    print(f"zero-shot, {name:<10} {right:.1%} ({low:.1%} to {high:.1%}, n_test {n}, chance 50 %)")

figure, panels = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
g = RandomResistors().conductance(20_000, np.random.default_rng(0))
panels[0].hist(g, bins=60, density=True)
panels[0].set(xlabel="conductance (uS)", ylabel="density", title="cells formed at 3.433 V")
for panel, x, right, label in ((panels[1], shares, by_share, "share of the cells that are formed"),
                               (panels[2], noises, by_noise, "read noise")):
    panel.plot(x, 100 * np.array(right), marker="o", label="random resistors")
    panel.axhline(100 * software, color="grey", ls="--", label="Gaussian weights")
    panel.axhline(100 * control, color="black", ls=":", label="input counts, no liquid")
    panel.set(xlabel=label, ylabel="accuracy (%)", ylim=(70, 100))
panels[2].set_xscale("log")
panels[2].legend(loc="lower left")
path = ns.plot.save(figure, options.out / f"resistive_lsm.{options.format}")
print(f"wrote {path}")
