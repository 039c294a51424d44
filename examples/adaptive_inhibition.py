"""Inhibition that adapts in every unit by itself: memory of an echo state network under Dale's law.

    python examples/adaptive_inhibition.py [--seeds 5] [--full] [--out FOLDER]

200 (--full: 500) units, 80 % excitatory, sigmoids of slope 10. Tuned globally: all inhibitory weights times one
factor and one threshold for all, both swept together; the best of the sweep is taken for each seed on the very data
that it is reported on, which is to its favour. Adapted: each unit's inhibition to a rate, in one step, by the online
rule, and to rates that differ (Beta(2, 2)). Control: one inhibition for all, and each unit's threshold adapts instead.
Memory capacity: delays 1 to 60 of a uniform input, on its second half. NARMA-10, and Mackey-Glass (tau 17) 84 steps
ahead: error of a ridge readout over the spread of the target (NRMSE) on the second half. Intervals: 95 %, over seeds.

Source: Srinivasan, Plenz, Girvan, arXiv 2504.12480 (2025).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
from sklearn.linear_model import RidgeCV

from neurosim import plot
from neurosim.datasets import mackey_glass, narma
from neurosim.reservoirs import BalancedEchoState
from neurosim.reservoirs.metrics import memory_capacity

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5, help="networks, each with an input of its own (5)")
arguments.add_argument("--full", action="store_true", help="500 units and 20 seeds, as published")
arguments.add_argument("--quick", action="store_true", help="a coarse sweep, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for adaptive_inhibition.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
UNITS, SEEDS = (500, 20) if options.full else (200, options.seeds)
FACTORS = (0.9, 1.0, 1.2, 1.5) if options.quick else (0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0)
THRESHOLDS = (-0.1, 0.0, 0.1) if options.quick else (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2)
TARGETS = (0.2, 0.35, 0.5, 0.65)
ADAPT, WASHOUT, TIMES = 2000, 200, 6000


def network(seed, **how):
    return BalancedEchoState(UNITS, seed=seed, **{"input_scaling": 0.2, **how})


def states(net, u):
    """Adapt to the beginning of an input and return the states for the rest."""
    return net.fit(u[:ADAPT, None]).transform(u[:, None])[ADAPT:]


def memory(net, u):
    return memory_capacity(states(net, u), u[ADAPT:], longest=60, washout=WASHOUT).total


def nrmse(net, u, target):
    """Return the error of a readout trained on the first half, on the second."""
    x, y = states(net, u)[WASHOUT:], target[ADAPT + WASHOUT:]
    x, half = x[:len(y)], len(y) // 2
    read = RidgeCV(np.logspace(-8, 0, 9)).fit(x[:half], y[:half])
    return np.sqrt(np.mean((read.predict(x[half:]) - y[half:]) ** 2)) / y[half:].std()


def told(values):
    """Return the mean with its interval as text."""
    values = np.asarray(values)
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return f"{values.mean():6.3f} +- {half:.3f}"


def ways(seed):
    """Return the networks that adapt, by name."""
    mixed = np.random.default_rng([seed, 9]).beta(2, 2, UNITS).clip(0.02, 0.98)
    return {**{f"adapted to {rate}": network(seed, target=rate) for rate in TARGETS},
            "adapted online to 0.5": network(seed, target=0.5, rule="online"),
            "online, presynaptic": network(seed, target=0.5, rule="online", presynaptic=True, rate=0.02),
            "adapted to Beta(2, 2)": network(seed, target=mixed),
            "control: thresholds adapt": network(seed, target=0.5, adapts="threshold")}


table = np.zeros((SEEDS, len(FACTORS), len(THRESHOLDS)))
found, errors = {name: [] for name in ways(0)}, {}
series = mackey_glass(TIMES + 84, washout=500.0)
for seed in range(SEEDS):
    u = np.random.default_rng([seed, 1]).uniform(-1, 1, TIMES)
    for i, factor in enumerate(FACTORS):
        for j, threshold in enumerate(THRESHOLDS):
            table[seed, i, j] = memory(network(seed, inhibition=factor, threshold=threshold), u)
    for name, net in ways(seed).items():
        found[name].append(memory(net, u))
    tasks = {"NARMA-10": (u, narma(0.25 * (u + 1))), "Mackey-Glass": ((series - 0.9)[:TIMES] * 2, series[84:])}
    for task, (given, target) in tasks.items():
        grid = [nrmse(network(seed, inhibition=f, threshold=t), given, target) for f in FACTORS for t in THRESHOLDS]
        made = {"tuned globally, best": min(grid), "adapted, best of the four": min(
            nrmse(network(seed, target=rate), given, target) for rate in TARGETS)}
        made["adapted to Beta(2, 2)"] = nrmse(ways(seed)["adapted to Beta(2, 2)"], given, target)
        for name, value in made.items():
            errors.setdefault((task, name), []).append(value)
best = table.reshape(SEEDS, -1).max(axis=1)
print(f"{UNITS} units, {SEEDS} seeds, {TIMES - ADAPT - WASHOUT} times; memory capacity, and over the best global one")
print(f"{'tuned globally, best of ' + str(table[0].size):<28}{told(best)}")
for name, values in found.items():
    print(f"{name:<28}{told(values)}   times {told(np.array(values) / best)}")
for (task, name), values in errors.items():
    print(f"{task + ', ' + name:<40}NRMSE {told(values)}")

# Look: the sweep, what adaptation reaches, and the memory curve of both.
figure, panels = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
image = panels[0].imshow(table.mean(axis=0), origin="lower", aspect="auto")
panels[0].set(xticks=range(len(THRESHOLDS)), xticklabels=THRESHOLDS, yticks=range(len(FACTORS)), yticklabels=FACTORS,
              xlabel="Threshold of all", ylabel="Inhibition of all", title="Tuned globally: memory capacity")
figure.colorbar(image, ax=panels[0])
rates = np.array([found[f"adapted to {rate}"] for rate in TARGETS])
panels[1].errorbar(TARGETS, rates.mean(axis=1), rates.std(axis=1), marker="o", label="each unit adapts")
panels[1].axhline(best.mean(), color="grey", ls="--", label="best global")
panels[1].axhline(np.mean(found["adapted to Beta(2, 2)"]), color=plot.COLORS[1], label="targets of Beta(2, 2)")
panels[1].set(xlabel="Target rate", ylabel="Memory capacity", ylim=(0, None), title="Adapted, bars: spread over seeds")
panels[1].legend()
i, j = np.unravel_index(table[-1].argmax(), table[-1].shape)
for name, net in (("best global", network(seed, inhibition=FACTORS[i], threshold=THRESHOLDS[j])),
                  ("adapted to 0.5", network(seed, target=0.5))):
    curve = memory_capacity(states(net, u), u[ADAPT:], longest=60, washout=WASHOUT)
    panels[2].plot(curve.delays, curve.by_delay, label=name)
panels[2].set(xlabel="Delay (steps)", ylabel="Squared correlation", title=f"One network (seed {seed})")
panels[2].legend()
print(f"\nwrote {plot.save(figure, options.out / f'adaptive_inhibition.{options.format}')}")
