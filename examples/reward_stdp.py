"""Distal reward: which of 80,000 synapses earned it is found, though reward comes seconds late.

    python examples/reward_stdp.py [--minutes 10] [--seed 1] [--out FOLDER]

After the experiment of Izhikevich: 1,000 neurons with 100 synapses each spike by themselves about once a second. Every
few seconds one chosen source is made to spike 5 ms before its chosen target, and 1 to 3 s later comes a reward; many
other pairs have spiked by then. Pair STDP alone knows nothing of rewards; with eligibility, changes wait, and those are
made real that a reward meets. The rules are two objects: PairSTDP, and Reward behind it. At the end, the chosen synapse
is the strongest of all.

First, one pair and one reward at different delays, beside the closed form.

Source: Izhikevich, Cerebral Cortex 17 (2007) 2443, fig. 1, where the coincidences happen by chance.
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

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--minutes", type=int, default=10, help="how long the network lives (10)")
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for reward_stdp.png")
options = arguments.parse_args()
TAU_C, TAU_N, STEP, NOISE = 1000.0, 200.0, 0.02, 1.0  # ms, ms, 1/ms, Hz
PAIRS = PairSTDP(a_plus=0.1, a_minus=0.15, w_min=-1e3, w_max=1e3)
REWARD = Reward(tau_c=TAU_C, tau_n=TAU_N, step=STEP, baseline=0.0, floor=0.0, ceiling=4.0)


def one_reward(wait):
    """Return the change by one pair at 10 ms and one reward that comes `wait` ms after it."""
    def given(*times):
        return ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(len(times), int), size=1, dt=1.0, duration=30_000.0))

    net = ns.Network()
    source, forced, rewards = net.add(given(99.0)), net.add(given(109.0)), net.add(given(109.0 + wait))
    cell = net.add(ns.LIF(tau_mem=0.01, v_leak=0.0, v_reset=0.0, v_threshold=1e6), 1)
    net.connect(forced, cell, weight=2e6, delay=1.0)
    net.connect(source, cell, weight=1.0, delay=1.0, plasticity=[PAIRS, REWARD], name="p",
                modulators={"reward": rewards})
    sim = ns.Simulation(net, 1.0, dtype="float64")
    sim.run(30_000.0)
    return sim.weights("p")[0] - 1.0


def network(duration):
    """Return the network, whose excitatory synapses learn by reward, the chosen pair, and the number of rewards."""
    net, rng = ns.Network(), np.random.default_rng(options.seed)
    excitatory = np.arange(1000) < 800
    neuron = ns.Izhikevich(a=np.where(excitatory, 0.02, 0.1), d=np.where(excitatory, 8.0, 2.0))
    cells = net.add(neuron, 1000, name="cells")
    targets = np.concatenate([rng.choice(np.delete(np.arange(1000), j), 100, replace=False) for j in range(800)])
    source, target = 0, int(targets[0])
    moments = np.cumsum(rng.integers(3000, 6000, int(duration / 3000)))
    moments = moments[moments < duration - 4000]
    rewards = np.unique(moments + rng.integers(1000, 3001, moments.size))
    kicks = ns.Spikes.from_times(np.concatenate([moments, moments + 5.0]), np.repeat([source, target], moments.size),
                                 size=1000, dt=1.0, duration=duration)
    paid = ns.Spikes.from_times(rewards, np.zeros(rewards.size, int), size=1, dt=1.0, duration=duration)
    reward = net.add(ns.SpikeSource(paid), name="reward")
    net.connect(cells[:800], cells, ns.Explicit(np.repeat(np.arange(800), 100), targets), weight=1.0, delay=1.0,
                receptor=ns.Pulse(), plasticity=[PAIRS, REWARD], modulators={"reward": reward}, name="learning")
    net.connect(cells[800:], cells[:800], ns.FixedOutDegree(100), weight=-1.0, delay=1.0, receptor=ns.Pulse())
    for each in (net.add(ns.Poisson(rate=NOISE), 1000), net.add(ns.SpikeSource(kicks))):
        net.connect(each, cells, ns.OneToOne(), weight=20.0, delay=1.0, receptor=ns.Pulse())
    net.record(cells)
    return net, source, target, rewards.size


print(f"{'wait (ms)':>10}{'change':>12}{'closed form':>14}")
waits = np.array([0.0, 250.0, 500.0, 1000.0, 2000.0])
exact = 0.1 * np.exp(-10 / 20) * STEP * np.exp(-waits / TAU_C) * TAU_C * TAU_N / (TAU_C + TAU_N)
found = [one_reward(wait) for wait in waits]
for wait, change, value in zip(waits, found, exact, strict=True):
    print(f"{wait:>10g}{change:>12.7f}{value:>14.7f}")

net, source, target, given = network(60_000.0 * options.minutes)
sim = ns.Simulation(net, dt=1.0, seed=options.seed)
synapses = sim.synapses("learning")
chosen = int(np.flatnonzero((synapses.source == source) & (synapses.target == target))[0])
course, others, began = [], [], time.perf_counter()
for _ in range(6 * options.minutes):
    sim.run(10_000.0)
    weights = sim.weights("learning")
    course.append(weights[chosen])
    others.append((weights.mean(), np.percentile(weights, 99.9)))
took = time.perf_counter() - began
weights = sim.weights("learning")
rank = int((weights > weights[chosen]).sum())
print(f"\n{options.minutes} min of 1,000 neurons in {took:.0f} s: {sim.spikes('cells').mean_rate():.1f} Hz, "
      f"{given} rewards")
print(f"rewarded synapse {weights[chosen]:.2f}, mean of all {weights.mean():.2f}, largest {weights.max():.2f}; "
      f"{rank} of {weights.size} are stronger")

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.plot(waits, exact, "-", color="0.6", label="closed form")
left.plot(waits, found, "o", color=ns.plot.COLORS[0], label="simulated")
left.set(xlabel="Reward after the pair (ms)", ylabel="Change of the weight")
left.legend(frameon=False)
minutes, others = (np.arange(len(course)) + 1) / 6, np.array(others)
right.plot(minutes, course, color=ns.plot.COLORS[1], label="the rewarded synapse")
right.plot(minutes, others[:, 0], color=ns.plot.COLORS[0], label="mean of all")
right.plot(minutes, others[:, 1], "--", color=ns.plot.COLORS[0], label="99.9 % of all are below")
right.set(xlabel="Time (min)", ylabel="Weight (mV/ms)")
right.legend(frameon=False)
figure.savefig(options.out / "reward_stdp.png", dpi=100)
print(f"\nwrote {options.out / 'reward_stdp.png'}")
