"""e-prop: a network counts cues at its left and right and, over a second later, decides for the side that had more.

    python examples/eprop_evidence.py [--iterations 250] [--seeds 1] [--quick] [--out FOLDER]

Seven cues of 100 ms, a pause, and 150 ms in which the decision is due: 2,250 ms. Half of the hundred neurons are ALIF:
their thresholds adapt with 2 s, which is the only memory that long. Errors reach the neurons through fixed random
weights. Every batch of 32 is of fresh trials, so that the error while learning is one of trials never seen; then 1,000
more for a test. Control: the same with LIF neurons alone, whose memory is their firing.

Source: Bellec et al., Nature Communications 11 (2020) 3625, which learns until the error is below 7 %. Unlike there the
thresholds rise by 0.1 at a spike (0.017 there) and the learning rate falls, by a half every 80 iterations.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import Adam, Eprop, EvidenceAccumulation
from neurosim.readouts import interval

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--iterations", type=int, default=250, help="batches of 32 trials (250)")
arguments.add_argument("--seeds", type=int, default=1, help="number of seeds (1)")
arguments.add_argument("--quick", action="store_true", help="few iterations and a small test: it learns nothing")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for eprop_evidence.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
ITERATIONS, TEST, N = (6, 40, 100) if options.quick else (options.iterations, 1000, 100)
task = EvidenceAccumulation()
BETA = 0.1  # rise of an ALIF's threshold at a spike


def learn(seed, adaptive):
    """Return model, weights and the error of each batch."""
    model = Eprop(40, N, 2, tau_mem=20.0, tau_out=20.0, tau_adapt=2000.0, v_threshold=0.6, t_ref=5.0, loss="softmax",
                  beta=np.repeat([0.0, BETA if adaptive else 0.0], N // 2), feedback="random", rate_weight=50.0)
    weights, rule, generator, errors = model.initial(seed), Adam(5e-3), np.random.default_rng([seed, 1]), []
    for iteration in range(ITERATIONS):
        x, labels = task.draw(generator, 32)
        found = model.gradients(weights, x, labels, task.mask)
        rule.step(weights, found, scale=0.5 ** (iteration / 80))
        errors.append((task.decide(found.outputs) != labels).mean())
    return model, weights, np.array(errors)


print(f"{'':<12}{'seed':>5}{'error of the last 20':>22}{'test':>8}   95 % interval   {'rate (Hz)':>10}{'seconds':>9}")
curves, shown = {"ALIF and LIF": [], "LIF alone": []}, None
for name in curves:
    for seed in range(options.seeds):
        began = time.perf_counter()
        model, weights, errors = learn(seed, name == "ALIF and LIF")
        took = time.perf_counter() - began
        curves[name].append(errors)
        x, labels = task.draw(np.random.default_rng([seed, 2]), TEST)
        found = model.run(weights, x)
        wrong = int((task.decide(found.outputs) != labels).sum())
        low, high = interval(wrong / TEST, TEST)
        print(f"{name:<12}{seed:>5}{errors[-20:].mean():>22.1%}{wrong / TEST:>8.1%}   {low:.1%} to {high:.1%}   "
              f"{found.counts.mean() / task.ticks * 1000:>10.1f}{took:>9.1f}", flush=True)
        shown = shown or (x, labels, found.outputs)
left, right = (x[:, :, group * 10:group * 10 + 10].sum(axis=(1, 2)) for group in (0, 1))
print(f"chance 50.0%; counting the spikes of both cue groups: {((right > left) != labels).mean():.1%}; n_test {TEST}")

# Look: a trial, the outputs of twenty, and how the error falls.
x, labels, outputs = shown
figure, panels = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
colors = np.array([*ns.plot.COLORS[:3], "0.6"])
for group in range(4):
    when, who = np.nonzero(x[0, :, group * 10:group * 10 + 10])
    panels[0].plot(when, who + group * 10, "|", color=colors[group], markersize=4)
panels[0].set(yticks=[4.5, 14.5, 24.5, 34.5], yticklabels=["left", "right", "decide", "noise"], xlabel="Time (ms)",
              title=f"A trial: {'right' if labels[0] else 'left'}")
difference = outputs[:, :, 1] - outputs[:, :, 0]
for k in range(20):
    panels[1].plot(difference[k], color=colors[labels[k]], linewidth=0.7)
panels[1].axvspan(task.begin, task.ticks, color="0.92", zorder=0)
panels[1].set(xlabel="Time (ms)", ylabel="Output right - left", title="Twenty trials: blue left, orange right")
for (name, runs), color in zip(curves.items(), (ns.plot.COLORS[2], "0.5"), strict=True):
    smooth = [np.convolve(errors, np.full(10, 0.1), "valid") for errors in runs if errors.size >= 10]
    for k, curve in enumerate(smooth):
        panels[2].plot(np.arange(curve.size) + 10, 100 * curve, color=color, label=name if k == 0 else None)
panels[2].axhline(7, color="0.7", linestyle=":")
panels[2].set(xlabel="Iteration", ylabel="Error, mean of 10 batches (%)", ylim=(0, None))
if panels[2].get_legend_handles_labels()[1]:
    panels[2].legend(frameon=False)
for axes in panels:
    axes.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"eprop_evidence.{options.format}")
print(f"\nwrote {path}")
