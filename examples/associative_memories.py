"""Associative memories: how many patterns, how many at once, and on how bad devices.

    python examples/associative_memories.py [--seeds 5] [--full] [--out FOLDER]

Hebb's rule with all synapses and with few of them, beside the theory of large networks; powers of overlaps, beside the
error after one step that a normal distribution of the crosstalk gives; patterns with a share d of blank entries, of
which a network recalls several at once, beside (1 - d) d^k of the k-th; and all three updates on crossbars of
memristors whose conductances miss their targets. --full: networks three times as large. Means over seeds with a 95 %
interval.

Source: Hopfield, PNAS 79 (1982) 2554; Amit, Gutfreund, Sompolinsky, Annals of Physics 173 (1987) 30; Derrida, Gardner,
Zippelius, Europhysics Letters 4 (1987) 167; Agliari et al., Physical Review Letters 109 (2012) 268101; Krotov,
Hopfield, NeurIPS 2016; Ramsauer et al., ICLR 2021.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
from scipy.special import erf, factorial2

from hardware_models import Memristor
from neurosim import plot
from neurosim.reservoirs import AssociativeMemory, retrieval_overlap

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5, help="sets of patterns (5)")
arguments.add_argument("--full", action="store_true", help="networks three times as large")
arguments.add_argument("--quick", action="store_true", help="a third of the size, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for associative_memories.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
SIZE = 3.0 if options.full else 1 / 3 if options.quick else 1.0


def patterns(count, n, *key, blank=0.0):
    rng = np.random.default_rng([count, n, *key])
    return rng.choice([-1.0, 1.0], (count, n)) * (rng.random((count, n)) >= blank)


def mean(values):
    """Return the mean over seeds, along the first axis, and half the width of its interval."""
    values = np.asarray(values)
    t = scipy.stats.t.ppf(0.975, max(len(values) - 1, 1))
    return values.mean(axis=0), t * values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0


def shown(title, xs, measured, theory):
    """Print a table of what was measured beside the theory."""
    print(f"\n{title}\n{'':<10}" + "".join(f"{x:>16}" for x in xs))
    middle, half = mean(measured)
    half = np.broadcast_to(half, middle.shape)
    print(f"{'measured':<10}" + "".join(f"{f'{m:.3f} +- {h:.3f}':>16}" for m, h in zip(middle, half, strict=True)))
    print(f"{'theory':<10}" + "".join(f"{t:>16.3f}" for t in theory))
    return middle, half


seeds = range(options.seeds)
figure, panels = plt.subplots(2, 2, figsize=(10.5, 7), layout="constrained")
# 1. Capacity, with all synapses and with few
n, loads = round(600 * SIZE), np.array([0.04, 0.08, 0.11, 0.13, 0.15, 0.18])
found = [[AssociativeMemory(patterns(round(a * n), n, seed)).overlap() for a in loads] for seed in seeds]
middle, half = shown(f"Overlap after recall, {n} units, by patterns / units", loads, found, retrieval_overlap(loads))
panels[0, 0].errorbar(loads, middle, half, fmt="o", color=plot.COLORS[0], label="all synapses")
few, share, sparse = round(2000 * SIZE), 0.02 / SIZE, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.7])
found = [[AssociativeMemory(patterns(round(a * share * few), few, seed), connections=share, symmetric=False,
                            seed=seed).overlap() for a in sparse] for seed in seeds]
middle, half = shown(f"The same, {few} units with {share * few:.0f} synapses each, by patterns / synapses of a unit",
                     sparse, found, retrieval_overlap(sparse, diluted=True))
panels[0, 0].errorbar(sparse, middle, half, fmt="s", color=plot.COLORS[1], label=f"{share:.0%} of the synapses")
fine = np.linspace(0.01, 0.7, 300)
panels[0, 0].plot(fine, retrieval_overlap(fine), color=plot.COLORS[0], lw=1)
panels[0, 0].plot(fine, retrieval_overlap(fine, diluted=True), color=plot.COLORS[1], lw=1)
panels[0, 0].set(xlabel="Patterns / synapses of a unit", ylabel="Overlap after recall", title="Lines: large networks")
panels[0, 0].legend()

# 2. Powers of overlaps: share of wrong units after one step from a stored pattern
n, counts = round(99 * SIZE), np.array([20, 60, 200, 600, 2000])
for k, power in enumerate((2, 3, 4)):
    found = []
    for seed in seeds:
        row = []
        for count in counts:
            xi = patterns(count, n, seed)
            row.append((AssociativeMemory(xi, update="power", power=power).field(xi[:200]) * xi[:200] <= 0).mean())
        found.append(row)
    theory = 0.5 * (1 - erf(np.sqrt((n - 1) ** (power - 1) / (2 * factorial2(2 * power - 3) * counts))))
    middle, half = shown(f"Wrong units after one step, {n} units, power {power}, by patterns", counts, found, theory)
    panels[0, 1].errorbar(counts, middle, half, fmt="o", color=plot.COLORS[k], label=f"power {power}")
    panels[0, 1].plot(counts, theory, color=plot.COLORS[k], lw=1)
panels[0, 1].set(xscale="log", xlabel=f"Patterns ({n} units)", ylabel="Wrong units", title="Lines: normal crosstalk")
panels[0, 1].legend()

# 3. Several patterns at once: overlaps of one state, the largest first, from a cue of one pattern
n, blanks, many = round(3000 * SIZE), np.array([0.1, 0.2, 0.3, 0.4]), 3
found = np.zeros((options.seeds, len(blanks), many))
for seed in seeds:
    for k, blank in enumerate(blanks):
        memory = AssociativeMemory(patterns(many, n, seed, k, blank=blank), seed=seed)
        found[seed, k] = np.sort(np.abs(memory.overlaps(memory.recall(memory.cue(0)))))[::-1]
for rank in range(many):
    theory = (1 - blanks) * blanks**rank
    middle, half = shown(f"Pattern {rank + 1} of {many} that one state overlaps with, by share of blank entries",
                         blanks, found[:, :, rank], theory)
    panels[1, 0].errorbar(blanks, middle, half, fmt="o", color=plot.COLORS[rank], label=f"pattern {rank + 1}")
    panels[1, 0].plot(blanks, theory, color=plot.COLORS[rank], lw=1)
panels[1, 0].set(xlabel="Share of blank entries d", ylabel="Overlap", title="Several at once; lines: (1 - d) d^(k - 1)")
panels[1, 0].legend()

# 4. On crossbars: each update near what it can bear, from a tenth of the bits wrong
n, noises = round(150 * SIZE), np.array([0.0, 0.1, 0.2, 0.4, 0.8])
print(f"\nOverlap after recall on crossbars, {n} units, a tenth of the bits wrong, by programming noise\n{'':<26}"
      + "".join(f"{noise:>16}" for noise in noises))
for update, load in (("hebb", 0.08), ("power", 3.0), ("softmax", 10.0)):
    found = [[AssociativeMemory(patterns(round(load * n), n, seed), update=update, seed=seed,
                                device=Memristor(programming_noise=noise, read_noise=0.05)).overlap(0.1)
              for noise in noises] for seed in seeds]
    middle, half = mean(found)
    half = np.broadcast_to(half, middle.shape)
    print(f"{f'{update}, {round(load * n)} patterns':<26}"
          + "".join(f"{f'{m:.3f} +- {h:.3f}':>16}" for m, h in zip(middle, half, strict=True)))
    panels[1, 1].errorbar(noises, middle, half, marker="o", label=f"{update}, {round(load * n)} patterns")
panels[1, 1].set(xlabel="Programming noise (share of the range)", ylabel="Overlap after recall",
                 title=f"On crossbars, {n} units, read noise 5 %")
panels[1, 1].legend()
print(f"\nwrote {plot.save(figure, options.out / f'associative_memories.{options.format}')}")
