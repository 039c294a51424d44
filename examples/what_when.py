"""What comes, and when: a readout of Izhikevich neurons expects stimuli, and learns anew when the world changes.

    python examples/what_when.py [--seeds 3] [--full] [--out FOLDER]

One of two cues begins a trial of 1,280 ms; one of three stimuli follows it after a latency of its own, with a
probability of its own. After 400 (--full: 1,000) trials all latencies and probabilities change; nothing is reset. A
network of 500 (1,000) heterogeneous neurons hears the cues; what the trials before left in it is its noise.
`WhatAndWhen` learns from it online when a stimulus comes, by a gated rule of three factors, and after each trial how
probable it was. Beside it, all on the same network: the least squares of FORCE (without feedback into the network),
with forgetting over as many trials as the other remembers, with a reset of its matrix at the change (somebody must
know of it), and least mean squares.

Answers are means over the last 40 trials before and after the change, for each cue. Late: median distance of their
peaks from the latencies. Slope: of peaks by probabilities, 1 is right. Error: of each trial's answer beside the
probability times the stimulus, over the power of that; silence has 1. Angle: the smallest between the spaces that the
readouts of what and of when span; shuffled: weights of one of them exchanged between neurons. Intervals: 95 %, over
seeds from 6 on; constants were chosen on those before, but for the rate of least mean squares.

Source: Yamada, Chao, arXiv 2510.14382 (2025), of whose abstract this is a reading: sizes and constants are our own.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.signal
import scipy.stats

import neurosim as ns
from learning_rules import Force, LeastMeanSquares, WhatAndWhen, subspace_angle
from neurosim.readouts import RecursiveLeastSquares

ns.plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=3)
arguments.add_argument("--full", action="store_true", help="1,000 neurons, 1,000 trials before and after, 10 seeds")
arguments.add_argument("--quick", action="store_true", help="100 neurons and 50 trials, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for what_when.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
N, BLOCK, SEEDS = (1000, 1000, 10) if options.full else (100, 50, options.seeds) if options.quick else (
    500, 400, options.seeds)
MEMORY, FIRST = 200, 6  # trials that are remembered; first seed
PERIOD, STEP, TAU, CUE, WIDTH = 1280, 40, 100.0, 120, 80.0  # ms: trial, step of learning, trace, cue, stimulus
LATENCY = np.array([[[400, 600, 800], [800, 400, 600]], [[600, 800, 400], [400, 600, 800]]])  # block, cue, stimulus
PROBABILITY = np.array([[[0.1, 0.3, 0.6], [0.5, 0.35, 0.15]], [[0.6, 0.1, 0.3], [0.15, 0.5, 0.35]]])
LAST = min(40, BLOCK)


def network(seed, cues):
    """Return a network that hears the cues of all trials, four fifths of it excitatory."""
    rng = np.random.default_rng(seed)
    excites, q = np.arange(N) < 0.8 * N, rng.random(N)
    cell = ns.Izhikevich(a=np.where(excites, 10 ** rng.uniform(-3.3, -2.0, N), 0.02 + 0.08 * q),
                         b=np.where(excites, 0.2, 0.25 - 0.05 * q), c=np.where(excites, -65 + 15 * q**2, -65.0),
                         d=np.where(excites, 8 - 6 * q**2, 2.0),
                         i_bias=np.where(excites, rng.uniform(3.5, 6.0, N), rng.uniform(2.0, 4.0, N)))
    net = ns.Network()
    cells = net.add(cell, N, name="cells")
    source, target = np.nonzero((rng.random((N, N)) < 0.1) & ~np.eye(N, dtype=bool))
    weight = 1.5 / np.sqrt(0.1 * N) * rng.random(source.size) * np.where(excites, 1.0, -2.0)[source]
    net.connect(cells, cells, ns.Explicit(source, target), weight=weight, delay=1.0,
                receptor=ns.ExponentialCurrent(tau_syn=5.0))
    begins = CUE + PERIOD * np.arange(len(cues), dtype=float)
    times = (begins[:, None] + 10.0 * np.arange(5)).reshape(-1)  # a cue is five spikes
    given = ns.Spikes.from_times(times, np.repeat(cues, 5), size=2, duration=float(PERIOD * len(cues)))
    source, target = np.nonzero(rng.random((2, N)) < 0.3)
    net.connect(net.add(ns.SpikeSource(given), name="cues"), cells, ns.Explicit(source, target),
                weight=40.0 * rng.choice([-1, 1], source.size), delay=1.0, receptor=ns.ExponentialCurrent(tau_syn=10.0))
    net.record(cells)
    return net, cells


def world(seed):
    """Return the cue of each trial, what is seen at each step, and what may be expected then."""
    rng = np.random.default_rng([seed, 1])
    cues, block = rng.integers(0, 2, 2 * BLOCK), np.repeat([0, 1], BLOCK)
    times = STEP * np.arange(1, PERIOD // STEP + 1) - CUE
    shape = np.exp(-0.5 * ((times[None, :, None] - LATENCY[block, cues][:, None, :]) / WIDTH) ** 2)
    chosen = [rng.choice(3, p=PROBABILITY[b, c]) for b, c in zip(block, cues, strict=True)]
    return cues, times, shape * np.eye(3)[chosen][:, None, :], shape * PROBABILITY[block, cues][:, None, :]


def forced(seed, cues, seen, readout, reset=False):
    """Return the answers at each step of a readout taught in the loop, and the simulation."""
    force = Force(*network(seed, cues), readout, outputs=3, tau_rise=0.0, tau_decay=TAU, every=STEP, dt=1.0, seed=seed)
    parts = []
    for block in (seen[:BLOCK], seen[BLOCK:]):
        if reset:
            readout.inverse_[:] = np.eye(len(readout.inverse_)) / readout.alpha
        parts.append(force.fit(np.repeat(block.reshape(-1, 3), STEP, axis=0))[STEP - 1::STEP])
    return np.concatenate(parts).reshape(seen.shape), force.sim


def measured(z, cues, times, expected):
    """Return lateness and slope before and after the change, and the error of each trial."""
    found = []
    for block in (0, 1):
        part = np.arange(len(z)) // BLOCK == block
        part &= np.cumsum(part) > BLOCK - LAST
        mean = np.array([z[part & (cues == cue)].mean(axis=0) for cue in (0, 1)])
        late = np.abs(times[mean.argmax(axis=1)] - LATENCY[block])
        found += [np.median(late), np.polyfit(PROBABILITY[block].reshape(-1), mean.max(axis=1).reshape(-1), 1)[0]]
    return found, ((z - expected) ** 2).sum(axis=(1, 2)) / (expected**2).sum(axis=(1, 2)), mean


WAYS = {"FORCE": {}, "FORCE, forgetting": {"forgetting": 1 - STEP / (MEMORY * PERIOD)}, "FORCE, reset": {}}
rows, errors, angles = {}, {}, []
for seed in range(FIRST, FIRST + SEEDS):
    cues, times, seen, expected = world(seed)
    answers = {name: forced(seed, cues, seen, RecursiveLeastSquares(alpha=1e-4, **how), reset="reset" in name)[0]
               for name, how in WAYS.items()}
    rate = LeastMeanSquares(rate=2.0, fit_intercept=False)
    answers["least mean squares"], sim = forced(seed, cues, seen, rate)
    counts = sim.spikes("cells").bin(STEP, per_neuron=True).astype(float)
    states = scipy.signal.lfilter([1.0], [1.0, -np.exp(-STEP / TAU)], counts, axis=0).reshape(*seen.shape[:2], N)
    model = WhatAndWhen(N, 3, context=(4, 10), memory=MEMORY, rate_what=0.05, replays=100, seed=seed)
    answers["what and when"] = np.array([model.trial(x, s) for x, s in zip(states, seen, strict=True)])
    rng = np.random.default_rng(seed)
    angles.append([subspace_angle(model.when, model.what),
                   np.mean([subspace_angle(rng.permutation(model.when), model.what) for _ in range(100)])])
    for name, z in answers.items():
        found, error, mean = measured(z, cues, times, expected)
        rows.setdefault(name, []).append(found)
        errors.setdefault(name, []).append(error)
        if name in ("FORCE", "what and when") and seed == FIRST:
            rows.setdefault("pictures", {})[name] = mean
pictures = rows.pop("pictures")


def told(values, digits=2):
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return f"{np.mean(values):.{digits}f} +- {half:.{digits}f}"


rate = len(sim.spikes("cells")) / N / sim.time * 1000
print(f"{N} neurons of {rate:.1f} Hz, {SEEDS} seeds, {BLOCK} trials before and {BLOCK} after the change")
print(f"{'':<20}" + "".join(f"{head:>17}" for head in ("late (ms)", "slope", "error", "late after", "slope after",
                                                       "error after", "after / before")))
for name, values in rows.items():
    late, slope, later, sloped = np.array(values).T
    error = np.array(errors[name])
    before, after = error[:, BLOCK - LAST:BLOCK].mean(axis=1), error[:, -LAST:].mean(axis=1)
    print(f"{name:<20}{told(late, 0):>17}{told(slope):>17}{told(before):>17}{told(later, 0):>17}{told(sloped):>17}"
          f"{told(after):>17}{told(after / before):>17}")
own, shuffled = np.array(angles).T
print(f"angle of what and when {told(own, 1)} degrees; shuffled {told(shuffled, 1)}; "
      f"difference {told(own - shuffled, 1)}")

# Look: what is answered after the change, and the error by trials.
figure, panels = plt.subplots(1, 4, figsize=(16, 3.8), layout="constrained", width_ratios=[1, 1, 1, 1.3])
for axes, (name, mean) in zip(panels[:2], pictures.items(), strict=True):
    for k in range(3):
        axes.plot(times, mean[0, :, k], color=ns.plot.COLORS[k], label=f"stimulus {k + 1}")
        axes.plot(times, PROBABILITY[1, 0, k] * np.exp(-0.5 * ((times - LATENCY[1, 0, k]) / WIDTH) ** 2),
                  color=ns.plot.COLORS[k], linestyle=":")
    axes.set(xlabel="Time after cue 1 (ms)", ylabel="Answer", ylim=(-0.25, 0.8), title=f"{name}, after the change")
panels[0].legend(fontsize="small")
for (name, values), color in zip(rows.items(), ns.plot.COLORS, strict=False):
    slopes = np.array(values)[:, [1, 3]]
    panels[2].plot([0, 1], slopes.T, "o-", color=color, markersize=4, alpha=0.7)
    panels[3].plot(25 * np.arange(2 * BLOCK // 25) + 12.5, np.reshape(errors[name], (SEEDS, -1, 25)).mean(axis=(0, 2)),
                   color=color, label=name)
panels[2].axhspan(0.8, 1.2, color="0.9", zorder=0)
panels[2].set(xticks=[0, 1], xticklabels=["before", "after"], xlim=(-0.3, 1.3), ylabel="Peak by probability, slope")
panels[3].axvline(BLOCK, color="0.6", linestyle=":")
panels[3].set(xlabel="Trial", ylabel="Error", ylim=(0, 2.5), title="Dotted: the change")
panels[3].legend(fontsize="small")
print(f"\nwrote {ns.plot.save(figure, options.out / f'what_when.{options.format}')}")
