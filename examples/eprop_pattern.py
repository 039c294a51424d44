"""e-prop: a recurrent network of 100 LIF neurons learns to draw three patterns of one second.

    python examples/eprop_pattern.py [--seeds 5] [--iterations 600] [--out FOLDER]

Twenty inputs repeat the same Poisson spikes in every trial; the targets are sums of four sines of random amplitude and
phase. Learning signals reach the neurons through the readout's own weights (symmetric), through fixed random ones, or
through random ones that learn like the readout (adaptive). The control learns the readout alone: what the random
network gives for nothing. Error: mean squared, divided by the variance of the target.

As in the paper the rate is regularised to 10 Hz; unlike it, the weights follow Adam, and the readout sums a trace that
is not scaled by 1 - kappa.

Source: Bellec et al., Nature Communications 11 (2020) 3625.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import Adam, Eprop, pattern_generation

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5, help="number of seeds (5)")
arguments.add_argument("--iterations", type=int, default=600, help="number of trials (600)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for eprop_pattern.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
N_IN, N, N_OUT = 20, 100, 3
KINDS = ("symmetric", "random", "adaptive", "readout alone")


def learn(kind, seed):
    """Return the errors of all trials, and what is needed to look at the network."""
    x, target = pattern_generation(seed, n_in=N_IN, n_out=N_OUT)
    model = Eprop(N_IN, N, N_OUT, tau_mem=30.0, tau_out=30.0, v_threshold=0.03, gain=1 - np.exp(-1 / 30),
                  rate_target=10.0, rate_weight=3e5, feedback=kind if kind in KINDS[:3] else "symmetric")
    weights, rule, errors = model.initial(seed), Adam(2e-3), []
    for _ in range(options.iterations):
        found = model.gradients(weights, x, target)
        errors.append(((found.outputs - target) ** 2).mean() / target.var())
        rule.step({"w_out": weights["w_out"]} if kind == KINDS[3] else weights, found)
    return np.array(errors), found, target


print(f"{'feedback':<15}" + "".join(f"{f'seed {seed}':>9}" for seed in range(options.seeds)) +
      f"{'median':>9}{'rate (Hz)':>11}{'seconds':>9}")
curves, last = {}, {}
for kind in KINDS:
    began = time.perf_counter()
    runs = [learn(kind, seed) for seed in range(options.seeds)]
    took = (time.perf_counter() - began) / options.seeds
    curves[kind], last[kind] = np.array([errors for errors, _, _ in runs]), runs[0]
    final = curves[kind][:, -1]
    rate = np.mean([found.counts.mean() / found.outputs.shape[1] * 1000 for _, found, _ in runs])
    print(f"{kind:<15}" + "".join(f"{error:>9.3f}" for error in final) +
          f"{np.median(final):>9.3f}{rate:>11.1f}{took:>9.1f}")
print(f"normalised mean squared error of trial {options.iterations}; the mean of the target would have 1")

# Look: the patterns of the first seed, and how the errors fall.
figure = plt.figure(figsize=(10, 6), layout="constrained")
rows = figure.add_gridspec(3, 2)
_, found, target = last["random"]
for k in range(N_OUT):
    axes = figure.add_subplot(rows[k, 0])
    axes.plot(target[0, :, k], color="0.5", linestyle="--", label="target")
    axes.plot(last["symmetric"][1].outputs[0, :, k], color=ns.plot.COLORS[0], label="symmetric")
    axes.plot(found.outputs[0, :, k], color=ns.plot.COLORS[1], label="random")
    axes.set(ylabel=f"Output {k + 1}", xlabel="Time (ms)" if k == N_OUT - 1 else "")
    axes.spines[["top", "right"]].set_visible(False)
    if k == 0:
        axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
axes = figure.add_subplot(rows[:, 1])
for kind, color in zip(KINDS, (*ns.plot.COLORS[:3], "0.5"), strict=True):
    axes.semilogy(np.arange(1, options.iterations + 1), np.median(curves[kind], axis=0), color=color, label=kind)
axes.axhline(0.2, color="0.7", linestyle=":")
axes.set(xlabel="Trial", ylabel="Normalised mean squared error, median of the seeds")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"eprop_pattern.{options.format}")
print(f"\nwrote {path}")
