"""Delays that learn: the volleys of a repeated pattern come together, and only then does a cell answer.

    python examples/delay_learning.py [--presentations 150] [--out FOLDER]

First with a teacher: forty inputs spike at fixed times, with a jitter of 0.5 ms, before a moment at which a teacher
makes the cell spike. The delays that would let all arrivals meet at that moment are planted; they are found again.

Then without one: the cell spikes where enough arrivals meet, and each of its spikes moves the arrivals towards itself.
How far the arrivals are spread, the latency of the spike, and how often it answers are followed; then the cell is shown
the pattern with its times shuffled among the inputs.
"""

import argparse
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import CoincidenceDelays, DelayLearning

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--presentations", type=int, default=150, help="number of presentations (150)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for delay_learning.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
N, DT, TRIAL, TURNS = 40, 0.1, 60.0, options.presentations  # TRIAL: ms from one presentation to the next


def spikes(times):
    """Return the spikes of presentations; times of shape (presentations, inputs)."""
    turns, size = times.shape
    ids = np.tile(np.arange(size), turns)
    return ns.Spikes.from_times(times.round(1).ravel(), ids, size=size, duration=TRIAL * turns)


def learner(times, rule, *, weight, delay, teacher=None):
    """Return the learning of the delays from some inputs to one cell."""
    net = ns.Network()
    inputs, cell = net.add(ns.SpikeSource(spikes(times)), name="inputs"), net.add(ns.LIF(tau_mem=15.0, t_ref=20.0), 1)
    net.connect(inputs, cell, weight=weight, delay=delay, name="in")
    if teacher is not None:
        net.connect(net.add(ns.SpikeSource(spikes(teacher))), cell, weight=100.0, delay=DT)
    net.record(inputs)
    net.record(cell)
    return DelayLearning(ns.Simulation(net, dt=DT, seed=1), "in", rule)


rng = np.random.default_rng(0)
starts = TRIAL * np.arange(TURNS)[:, None]

# With a teacher
planted = rng.uniform(3.0, 17.0, N).round(1)
times = starts + 30.0 - planted + rng.normal(0.0, 0.5, (TURNS, N))
learning = learner(times, CoincidenceDelays(rate=0.5, width=6.0), weight=0.01, delay=ns.Uniform(1.0, 20.0),
                   teacher=starts + 30.0 - DT)
began, taught = time.perf_counter(), [learning.delay]
for _ in range(TURNS):
    learning.run(TRIAL)
    taught.append(learning.delay)
error = np.abs(np.array(taught) - planted[learning.source])
print(f"with a teacher: {time.perf_counter() - began:.1f} s")
print(f"{'presentations':<28}{0:>8}{TURNS // 5:>8}{TURNS:>8}")
print(f"{'mean error of delays (ms)':<28}" + "".join(f"{error[k].mean():>8.2f}" for k in (0, TURNS // 5, TURNS)))
print(f"{'largest':<28}" + "".join(f"{error[k].max():>8.2f}" for k in (0, TURNS // 5, TURNS)))

# Without one
onset = rng.uniform(0.0, 10.0, N).round(1)
learning = learner(starts + 10.0 + onset, CoincidenceDelays(rate=0.3, width=5.0, d_max=25.0), weight=0.7,
                   delay=ns.Uniform(1.0, 15.0))
began, arrivals, latency = time.perf_counter(), [onset[learning.source] + learning.delay], []
for turn in range(TURNS):
    seen = learning.run(TRIAL).spikes("lif").times
    seen = seen[seen > TRIAL * turn]
    latency.append(seen[0] - TRIAL * turn - 10.0 if seen.size else np.nan)
    arrivals.append(onset[learning.source] + learning.delay)
spread = np.std(arrivals, axis=1)
print(f"\nwithout: {time.perf_counter() - began:.1f} s")
print(f"{'spread of arrivals (ms)':<28}" + "".join(f"{spread[k]:>8.2f}" for k in (0, TURNS // 5, TURNS)))
print(f"{'latency of the spike (ms)':<28}{latency[0]:>8.1f}{latency[TURNS // 5]:>8.1f}{latency[-1]:>8.1f}")


def answers(delay, pattern):
    """Return the share of presentations, with a jitter of 0.3 ms, to which a cell with weaker weights answers."""
    times = np.arange(100)[:, None] * TRIAL + 10.0 + pattern + rng.normal(0.0, 0.3, (100, N))
    net = ns.Network()
    inputs, cell = net.add(ns.SpikeSource(spikes(np.maximum(times, DT)))), net.add(ns.LIF(tau_mem=15.0, t_ref=20.0), 1)
    net.connect(inputs, cell, weight=0.45, delay=delay[:, None])
    net.record(cell)
    sim = ns.Simulation(net, dt=DT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ns.NeurosimWarning)  # that it never spikes is what may be found
        sim.run(TRIAL * 100)
    return len(sim.spikes(cell)) / 100


learned = np.empty(N)
learned[learning.source] = learning.delay.round(1)
begin = np.empty(N)
begin[learning.source] = (arrivals[0] - onset[learning.source]).round(1)
print(f"\n{'answers, weaker weights':<28}{'pattern':>8}{'shuffled':>10}")
for name, delay in (("delays before", begin), ("delays learned", learned)):
    shuffled = np.mean([answers(delay, rng.permutation(onset)) for _ in range(5)])
    print(f"{name:<28}{answers(delay, onset):>8.0%}{shuffled:>10.0%}")

# Look
figure, panels = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
panels[0].plot(error, color=ns.plot.COLORS[0], linewidth=0.5, alpha=0.5)
panels[0].plot(error.mean(axis=1), color="black", label="mean")
panels[0].set(xlabel="Presentation", ylabel="|delay - planted| (ms)", title="With a teacher")
panels[0].legend(frameon=False)
panels[1].plot(arrivals, color=ns.plot.COLORS[0], linewidth=0.5)
panels[1].plot(np.arange(TURNS), latency, ".", color=ns.plot.COLORS[1], label="spike of the cell")
panels[1].set(xlabel="Presentation", ylabel="Time in the pattern (ms)", title="Without: arrivals")
panels[1].legend(frameon=False)
for times, label, color in ((arrivals[0], "before", "0.6"), (arrivals[-1], "after", ns.plot.COLORS[0])):
    panels[2].hist(times, bins=np.arange(0.0, 28.0, 0.5), color=color, alpha=0.8, label=label)
panels[2].set(xlabel="Arrival in the pattern (ms)", ylabel="Synapses", title="Arrivals")
panels[2].legend(frameon=False)
for axes in panels:
    axes.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"delay_learning.{options.format}")
print(f"\nwrote {path}")
