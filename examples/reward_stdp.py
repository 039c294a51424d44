"""Distal reward: which of 80,000 synapses earned it is found, though reward comes seconds late.

    python examples/reward_stdp.py [--minutes 30] [--seed 1] [--out FOLDER]

The experiment of Izhikevich: 1,000 neurons with 100 synapses each spike about once a second, driven by noise. Whenever
a chosen target happens to spike within 20 ms after a chosen source, a reward comes 1 to 3 s later; thousands of other
pairs have spiked by then. Pair STDP alone knows nothing of rewards; with eligibility, changes wait, and those are made
real that a reward meets. The rules are two objects: PairSTDP, and Reward behind it. The chosen synapse starts at 0 and
is driven to its largest weight. In a second run as many rewards come at times that have nothing to do with the pair.

First, one pair and one reward at different delays, beside the closed form.

Source: Izhikevich, Cerebral Cortex 17 (2007) 2443, fig. 1, with the constants of its script; its noise is uniform, here
it is Gaussian and a little weaker, so that the rate is the same.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import PairSTDP, Reward

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--minutes", type=int, default=30, help="how long each network lives (30)")
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for reward_stdp.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
TAU, TAU_C, TAU_N, STEP, LARGEST = 19.5, 995.0, 199.5, 0.05, 4.0  # ms, ms, ms, 1/ms, mV/ms
WITHIN, SOONEST, LATEST = 20.0, 1000, 3000  # ms: a pair, and the reward after it
PAIRS = PairSTDP(a_plus=0.1, a_minus=0.15, tau_plus=TAU, tau_minus=TAU, pairs="nearest", w_min=-1e3, w_max=1e3)
REWARD = Reward(tau_c=TAU_C, tau_n=TAU_N, step=STEP, baseline=-2e-4, ceiling=LARGEST)


def given(*times):
    """A population of one neuron that spikes at given times."""
    return ns.SpikeSource(spikes(times))


def spikes(times):
    """Spikes of one neuron."""
    return ns.Spikes.from_times(times, np.zeros(len(times), int), size=1, dt=1.0, duration=max([0.0, *times]) + 1.0)


def one_reward(wait):
    """Return the change by one pair at 10 ms and one reward that comes `wait` ms after it, and nothing else."""
    net = ns.Network()
    source, forced, rewards = net.add(given(99.0)), net.add(given(109.0)), net.add(given(109.0 + wait))
    cell = net.add(ns.LIF(tau_mem=1e-3, v_leak=0.0, v_reset=0.0, v_threshold=1e6), 1)
    net.connect(forced, cell, weight=2e6, delay=1.0)
    net.connect(source, cell, weight=1.0, delay=1.0, plasticity=[PAIRS, REWARD.replace(baseline=0.0)], name="p",
                modulators={"reward": rewards})
    sim = ns.Simulation(net, 1.0, dtype="float64")
    sim.run(30_000.0)
    return sim.weights("p")[0] - 1.0


def network():
    """Return the network, whose excitatory synapses learn by reward."""
    net, rng = ns.Network(), np.random.default_rng(options.seed)
    excitatory = np.arange(1000) < 800
    neuron = ns.Izhikevich(a=np.where(excitatory, 0.02, 0.1), d=np.where(excitatory, 8.0, 2.0))
    cells, reward = net.add(neuron, 1000, name="cells"), net.add(given(), name="reward")
    net.drive(cells, ns.OUCurrent(mean=0.0, std=3.4, tau=1e-3))  # white: it is another one in every tick
    targets = np.concatenate([rng.choice(np.delete(np.arange(1000), j), 100, replace=False) for j in range(800)])
    start = np.where(np.arange(targets.size) == 0, 0.0, 1.0)  # the first synapse is the chosen one
    net.connect(cells[:800], cells, ns.Explicit(np.repeat(np.arange(800), 100), targets), weight=start, delay=1.0,
                receptor=ns.Pulse(), plasticity=[PAIRS, REWARD], modulators={"reward": reward}, name="learning")
    net.connect(cells[800:], cells[:800], ns.FixedOutDegree(100), weight=-1.0, delay=1.0, receptor=ns.Pulse())
    pair = cells[:1], cells[targets[0] : targets[0] + 1]
    for part in (*pair, cells[100:200]):
        net.record(part)
    return net, pair, cells[100:200]


def pairs(sim, source, target):
    """Return when the target spiked in the last second, within 20 ms of the source's last spike."""
    before, after = sim.spikes(source).times, sim.spikes(target).times
    after = after[after > sim.time - 1000.0]
    last = np.searchsorted(before, after) - 1
    return after[(last >= 0) & (after - before[last] < WITHIN)] if before.size else after[:0]


def life(rewards=None):
    """Return the weights in the course of time, and the times of the rewards: those of the pair, or given ones."""
    net, (source, target), some = network()
    sim, rng, course = ns.Simulation(net, dt=1.0, seed=options.seed), np.random.default_rng(options.seed), []
    synapses = sim.synapses("learning")
    chosen = int(np.flatnonzero((synapses.source == source.start) & (synapses.target == target.start))[0])
    earned = [] if rewards is None else list(rewards)
    for second in range(1, 60 * options.minutes + 1):
        sim.run(1000.0)  # no reward comes sooner than this after its pair
        if rewards is None:
            earned += [at + rng.integers(SOONEST, LATEST) + 1.0 for at in pairs(sim, source, target)]
        sim.give("reward", spikes(sorted({at - sim.time for at in earned if at > sim.time})))
        if second % 10 == 0:
            weights = sim.weights("learning")
            course.append((weights[chosen], weights.mean(), np.percentile(weights, 99)))
    return np.array(course), earned, weights, chosen, sim.spikes(some).mean_rate()


print(f"{'wait (ms)':>10}{'change':>12}{'closed form':>14}")
waits = np.array([0.0, 250.0, 500.0, 1000.0, 2000.0])
exact = 0.1 * np.exp(-10 / TAU) * STEP * np.exp(-waits / TAU_C) * TAU_C * TAU_N / (TAU_C + TAU_N)
found = [one_reward(wait) for wait in waits]
for wait, change, value in zip(waits, found, exact, strict=True):
    print(f"{wait:>10g}{change:>12.7f}{value:>14.7f}")

began = time.perf_counter()
course, rewards, weights, chosen, rate = life()
took = time.perf_counter() - began
minutes = (np.arange(len(course)) + 1) / 6
top = minutes[course[:, 0] > 0.95 * LARGEST]
print(f"\n{options.minutes} min of 1,000 neurons in {took:.0f} s: {rate:.1f} Hz, {len(rewards)} rewards")
print(f"the rewarded synapse: from 0 to {weights[chosen]:.2f}, "
      + (f"near its largest weight of {LARGEST:g} after {top[0]:.0f} min" if top.size else "not yet at its largest"))
print(f"all synapses: mean {weights.mean():.2f}, {np.mean(weights > 0.95 * LARGEST):.1%} near the largest weight, "
      f"{np.mean(weights > weights[chosen]):.1%} above the rewarded one")
anywhen = np.random.default_rng(options.seed).uniform(1000.0, 6e4 * options.minutes, len(rewards)).round()
other, *_ = life(anywhen)
print(f"as many rewards at other times: the same synapse from 0 to {other[-1, 0]:.2f}")

figure, (left, right, last) = plt.subplots(1, 3, figsize=(13, 4), width_ratios=[1, 1.6, 1], layout="constrained")
left.plot(waits, exact, "-", color="0.6", label="closed form")
left.plot(waits, found, "o", color=ns.plot.COLORS[0], label="simulated")
left.set(xlabel="Reward after the pair (ms)", ylabel="Change of the weight (mV/ms)", ylim=(0, None))
left.legend(frameon=False)
right.plot(minutes, course[:, 0], color=ns.plot.COLORS[1], label="the rewarded synapse")
right.plot(minutes, other[:, 0], color="0.6", label="the same, rewards at other times")
right.plot(minutes, course[:, 1], color=ns.plot.COLORS[0], label="mean of all")
right.plot(minutes, course[:, 2], "--", color=ns.plot.COLORS[0], label="99 % of all are below")
right.set(xlabel="Time (min)", ylabel="Weight (mV/ms)", ylim=(0, 1.6 * LARGEST))
right.legend(frameon=False, loc="upper left")
last.hist(weights, bins=40, range=(0, LARGEST), color=ns.plot.COLORS[0], log=True)
last.axvline(weights[chosen], color=ns.plot.COLORS[1])
last.set(xlabel="Weight (mV/ms)", ylabel="Synapses", title="weights at the end")
path = ns.plot.save(figure, options.out / f"reward_stdp.{options.format}")
print(f"\nwrote {path}")
