"""Few connections: what grows where activities are correlated, and how rarely a dendrite of few synapses is wrong.

    python examples/sparse_connections.py [--seeds 10] [--full] [--out FOLDER]

Planted pairs. 40 of 64 x 64 pairs of inputs and cells have activities of correlation 0.5, the others none. A projection
with a quarter of all pairs, without these, exchanges its 40 weakest synapses in one turn: how many of those that grow
are planted, by the number of samples, beside growth at random.

Digits. 64-128-128-10 units, of whose first two projections a tenth and a twentieth of the connections exist, trained by
gradient on 1,000 images of scikit-learn's digits for 30 epochs; 797 others test. Random connections that stay; groups
to groups that stay; groups to groups of which a tenth is exchanged after each epoch, growing by correlation or at
random; and for comparison all connections, and a linear readout of the pixels. Published for ensemble masks with
Hebbian rewiring: up to 4.3 points on Fashion-MNIST and CIFAR at 75 % sparsity, with larger networks than this one.

Dendrites. Segments of 20 (30) synapses on 2,000 inputs, 40 of which are active in each stored pattern: share of random
patterns of so many active inputs that activate a segment of threshold 5, 8 (10), and share of stored patterns that
still do when inputs are lost, beside the hypergeometric formulas. Intervals: 95 %, over seeds. --full: 30 seeds and ten
times as many patterns.

Source: masks and Hebbian rewiring: G2GNet, arXiv 2508.14140 (2025); dendrites: Ahmad, Hawkins, arXiv 1601.00720 (2016).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
from scipy.special import softmax
from sklearn.datasets import load_digits

from learning_rules import ActiveDendrites, BlockMask, Rewiring
from neurosim import plot
from neurosim.readouts import logistic

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=10)
arguments.add_argument("--full", action="store_true", help="30 seeds, ten times as many patterns")
arguments.add_argument("--quick", action="store_true", help="3 epochs and few patterns, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for sparse_connections.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
SEEDS, PATTERNS = (30, 20_000) if options.full else (options.seeds, 200 if options.quick else 2000)
EPOCHS, DENSITIES = (3, (0.1,)) if options.quick else (30, (0.1, 0.05))


def half(values):
    """Return half of the interval of a mean over seeds, along the first axis."""
    if len(values) < 2:
        return np.full(np.shape(values)[1:], np.nan)
    return scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values)


# 1. Planted pairs
def planted(samples, grow, seed, n=64, pairs=40):
    """Return the share of planted pairs among those that grow in one turn."""
    rng = np.random.default_rng([seed, samples])
    x, y = rng.standard_normal((2, samples, n))
    source, target = rng.permutation(n)[:pairs], rng.permutation(n)[:pairs]
    y[:, target] = 0.5 * x[:, source] + np.sqrt(0.75) * y[:, target]
    weights = np.where(rng.random((n, n)) < 0.25, rng.uniform(0.1, 1.0, (n, n)), 0.0)
    weights[source, target] = 0.0
    rule = Rewiring(fraction=pairs / np.count_nonzero(weights), weight=2.0, grow=grow)
    return (rule.rewire(weights, x, y, seed=seed)[source, target] == 2.0).mean()


SAMPLES = (20, 50, 100, 200, 400)
grown = {grow: np.array([[planted(n, grow, seed) for n in SAMPLES] for seed in range(SEEDS)])
         for grow in ("absolute", "random")}
print(f"Planted pairs among those that grow (%), {SEEDS} seeds\n{'samples':<24}" + "".join(f"{n:>14}" for n in SAMPLES))
for grow, found in grown.items():
    print(f"{'by correlation' if grow == 'absolute' else 'at random':<24}"
          + "".join(f"{f'{m:.1f} +- {h:.1f}':>14}" for m, h in zip(100 * found.mean(0), 100 * half(found),
                                                                   strict=True)))


# 2. Digits
def trained(masks, rewire, x, labels, rng):
    """Return weights and biases after training by gradient with momentum, connections exchanged after each epoch."""
    net = [[np.where(m, rng.standard_normal(m.shape) * np.sqrt(2 / np.maximum(m.sum(0), 1)), 0.0),
            np.zeros(m.shape[1]), np.zeros(m.shape)] for m in masks]
    for epoch in range(EPOCHS):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // 20):
            a = activities(net, x[rows])
            delta = (softmax(a[-1], axis=1) - np.eye(10)[labels[rows]]) / len(rows)
            for layer, before in zip(reversed(net), reversed(a[:-1]), strict=True):
                w, b, momentum = layer
                back, there = (delta @ w.T) * (before > 0), w != 0
                momentum *= 0.9
                momentum += before.T @ delta
                w -= 0.05 * momentum * there
                b -= 0.05 * delta.sum(axis=0)
                delta = back
        if rewire and epoch < 0.75 * EPOCHS:
            a = activities(net, x)
            for layer, before, after in zip(net[:2], a, a[1:], strict=False):
                layer[0] = Rewiring(fraction=0.1, weight=1e-3, grow=rewire).rewire(layer[0], before, after, seed=epoch)
                layer[2] *= layer[0] != 0
    return net


def activities(net, x):
    found = [x]
    for k, (w, b, _) in enumerate(net):
        found.append(found[-1] @ w + b)
        if k < len(net) - 1:
            found[-1] = np.maximum(found[-1], 0.0)
    return found


X, Y = load_digits(return_X_y=True)
X, SHAPES = X / 16, ((64, 128), (128, 128))
right = {}
for seed in range(SEEDS):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))
    train, test = order[:1000], order[1000:]
    last = np.ones((128, 10), bool)
    ways = {"all connections": ([np.ones(s, bool) for s in SHAPES], None)}
    for density in DENSITIES:
        groups = BlockMask(groups=4, p_in=2 * density, p_out=2 * density / 3)
        masks = [groups.mask(*s, seed=2 * seed + k) for k, s in enumerate(SHAPES)]
        ways[f"{density:.0%} at random"] = [rng.random(s) < density for s in SHAPES], None
        ways[f"{density:.0%} in groups"] = masks, None
        ways[f"{density:.0%}, grown by correlation"] = masks, "absolute"
        ways[f"{density:.0%}, grown at random"] = masks, "random"
    for name, (masks, rewire) in ways.items():
        net = trained([*masks, last], rewire, X[train], Y[train], np.random.default_rng(seed))
        right.setdefault(name, []).append((activities(net, X[test])[-1].argmax(axis=1) == Y[test]).mean())
    linear = logistic(folds=3, scale=False).fit(X[train], Y[train])
    right.setdefault("pixels, linear", []).append(linear.score(X[test], Y[test]))
print(f"\nDigits, {SEEDS} seeds, {len(test)} test images, chance {np.bincount(Y[test]).max() / len(test):.1%}")
for name, values in right.items():
    print(f"{name:<28}{100 * np.mean(values):>8.2f} +- {100 * half(values):.2f} %")
for density in DENSITIES:
    for name, one, other in (("correlation over random growth", ", grown by correlation", ", grown at random"),
                             ("groups over random places", " in groups", " at random")):
        gain = np.subtract(right[f"{density:.0%}{one}"], right[f"{density:.0%}{other}"])
        print(f"{density:.0%}, {name:<32}{100 * gain.mean():>+6.2f} +- {100 * half(gain):.2f} points")

# 3. Dendrites
N, ACTIVE, SIZES = 2000, np.array([40, 100, 200, 300, 400]), ((20, 5), (20, 8), (30, 10))
KEPT = np.array([4, 8, 12, 16, 20, 24, 28, 32, 40])


def some(count, active, seed):
    ids = np.random.default_rng([seed, active]).random((count, N)).argpartition(active, axis=1)[:, :active]
    found = np.zeros((count, N), bool)
    np.put_along_axis(found, ids, True, axis=1)
    return found


figure, panels = plt.subplots(1, 4, figsize=(16, 3.8), layout="constrained")
print(f"\nSegments on {N} inputs: {100 * PATTERNS} pairs of a segment and a random pattern, measured / formula")
print(f"{'active inputs':<24}" + "".join(f"{a:>20}" for a in ACTIVE))
stored = some(100, 40, 1)
for color, (synapses, threshold) in zip(plot.COLORS, SIZES, strict=False):
    rule = ActiveDendrites(synapses=synapses, threshold=threshold)
    segments = rule.segments(stored)
    found = np.array([rule.active(segments, some(PATTERNS, a, 2)).mean() for a in ACTIVE])
    theory = [rule.false_match(N, int(a)) for a in ACTIVE]
    print(f"{synapses} synapses, threshold {threshold:<3}"
          + "".join(f"{f'{f:.2e} / {t:.2e}':>20}" for f, t in zip(found, theory, strict=True)))
    panels[2].semilogy(ACTIVE, np.where(found > 0, found, np.nan), "o", color=color)
    panels[2].plot(ACTIVE, theory, color=color, label=f"{synapses} synapses, threshold {threshold}")
    kept, rng = [], np.random.default_rng(3)
    for keep in KEPT:
        ranks = np.where(stored, rng.random((20, *stored.shape)), 2.0)
        left = ranks <= np.partition(ranks, keep - 1, axis=2)[..., [keep - 1]]
        kept.append(np.mean([np.diag(rule.active(segments, each)) for each in left]))
    panels[3].plot(KEPT, kept, "o", color=color)
    panels[3].plot(KEPT, [rule.recognised(40, int(k)) for k in KEPT], color=color)
    print(f"{'  known with 20 of 40 left':<24} {kept[4]:.3f} / {rule.recognised(40, 20):.3f}")
for (grow, found), color in zip(grown.items(), plot.COLORS, strict=False):
    panels[0].errorbar(SAMPLES, 100 * found.mean(0), 100 * half(found), marker="o", color=color,
                       label="by correlation" if grow == "absolute" else "at random")
panels[0].set(xlabel="Samples", ylabel="Planted among grown (%)", ylim=(-3, 103))
names = list(right)
panels[1].errorbar([100 * np.mean(v) for v in right.values()], range(len(names)), xerr=[100 * half(v) for v in
                   right.values()], fmt="o")
panels[1].set(yticks=range(len(names)), yticklabels=names, xlabel="Right (%)", title="Digits")
panels[2].set(xlabel=f"Active of {N} inputs", ylabel="Matched by mistake", ylim=(1e-7, 1),
              title="Lines: hypergeometric")
panels[3].set(xlabel="Inputs left of a pattern of 40", ylabel="Known", title="Lines: hypergeometric")
panels[0].legend()
panels[2].legend(fontsize="small")
print(f"\nwrote {plot.save(figure, options.out / f'sparse_connections.{options.format}')}")
