"""How good is a reservoir: three measures, each against a parameter and beside an answer that is known.

    python examples/metrics.py [--quick] [--out FOLDER]

- Memory capacity of echo state networks over the spectral radius: how many past inputs a linear readout recovers. It
  cannot exceed the number of units, nor a network without recurrence recover any but the last one.
- Kernel quality of a liquid over the strength of its recurrence, beside its generalisation rank: how many different
  inputs are told apart, and how many directions mere jitter of one input takes. Neither exceeds the number of inputs.
- Branching ratio of a spiking network over the number of spikes that one spike should cause by construction, all
  neurons seen or a tenth of them. The conventional estimate, the slope after one step, breaks down for a tenth; where
  little is passed on and little is seen, multistep regression needs longer runs, too.

Sources: Jaeger, GMD report 152 (2001); Legenstein, Maass, Neural Networks 20 (2007) 323; Wilting, Priesemann, Nature
Communications 9 (2018) 2325.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from neurosim.reservoirs import EchoState, Liquid, MaassLattice, RandomInput, Traces
from neurosim.reservoirs.metrics import branching_ratio, generalisation_rank, jitter, kernel_quality, memory_capacity

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--quick", action="store_true", help="fewer steps, fewer inputs, shorter runs")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for metrics.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
quick = options.quick
figure, panels = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
colors = ns.plot.COLORS

# Memory capacity: the stronger the input, the more of the memory is lost to the saturation of tanh.
units, steps = 50, 1500 if quick else 4000
u = np.random.default_rng(0).uniform(-1.0, 1.0, steps)
radii, scalings = [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 1.0, 1.1, 1.3], [0.01, 0.1, 1.0]
print(f"{'spectral radius':<17}" + "".join(f"{f'input {scaling:g}':>12}" for scaling in scalings))
capacities = np.array([[memory_capacity(
    EchoState(units, spectral_radius=radius, input_scaling=scaling, seed=1).transform(u[:, None]), u, shortest=0,
    washout=200).total for scaling in scalings] for radius in radii])
for radius, row in zip(radii, capacities, strict=True):
    print(f"{radius:<17g}" + "".join(f"{capacity:>12.2f}" for capacity in row))
for scaling, column, color in zip(scalings, capacities.T, colors, strict=False):
    panels[0].plot(radii, column, "o-", color=color, label=f"input scaling {scaling:g}")
panels[0].axhline(units, color="0.5", linestyle="--")
panels[0].annotate("number of units", (0.0, units), (0, 4), textcoords="offset points")
panels[0].set(xlabel="Spectral radius", ylabel="Memory capacity", title="Echo state network", ylim=(0, 1.1 * units))

# Kernel quality: other Poisson trains each time, or the same ones with jitter of 2 ms.
many, channels, duration = 30 if quick else 100, 100, 200.0
encoder = ns.encoders.PoissonEncoder(max_rate=20.0, duration=duration, dt=1.0)
different = encoder.encode_batch(np.ones((many, channels)), seed=5)
versions = [jitter(different[0], 2.0, key=k) for k in range(many)]
strengths = [0.0, 2.0, 4.0, 6.0, 8.0, 12.0]
ranks = []
print(f"\n{'recurrence (mV)':<17}{'kernel quality':>16}{'generalisation rank':>21}")
for strength in strengths:
    liquid = Liquid(MaassLattice((6, 6, 6)), RandomInput(channels, k=10, weight=8.0), excitation=strength,
                    inhibition=-strength, dt=1.0, seed=1)
    states = [liquid.states(samples, duration, Traces(tau=30.0)) for samples in (different, versions)]
    ranks.append((kernel_quality(states[0], 0.01), generalisation_rank(states[1], 0.01)))
    print(f"{strength:<17g}{ranks[-1][0]:>16}{ranks[-1][1]:>21}")
for values, label, color in zip(np.transpose(ranks), ("kernel quality", "generalisation rank"), colors, strict=False):
    panels[1].plot(strengths, values, "o-", color=color, label=label)
panels[1].axhline(many, color="0.5", linestyle="--")
panels[1].annotate("number of inputs", (0.0, many), (0, 4), textcoords="offset points")
panels[1].set(xlabel="Recurrent weight (mV)", ylabel="Rank at a tolerance of 1 %", title="Liquid of 216 neurons",
              ylim=(0, 1.1 * many))

# Branching ratio: a spike reaches 2 neurons and makes each fire in the next tick with probability m / 2. The hazard of
# a neuron is exp(v - v_threshold) per ms; at rest that leaves the 0.2 Hz that drive the network.
size, targets, rate = 5000, 2, 0.2
v_threshold = -np.log(rate / 1000.0)
print(f"\n{'m by construction':<19}{'all seen':>10}{'a tenth':>10}{'a tenth, one step':>19}")
built, estimates = [0.2, 0.5, 0.7, 0.8, 0.9, 0.95], []
for m in built:
    net = ns.Network()
    cells = net.add(ns.StochasticLIF(tau_mem=1e-3, v_leak=0.0, v_reset=0.0, v_threshold=v_threshold, t_ref=0.0), size,
                    name="cells")
    net.connect(cells, cells, ns.FixedOutDegree(targets), delay=1.0,
                weight=v_threshold + np.log(-np.log(1.0 - m / targets)))
    net.record(cells)
    sim = ns.Simulation(net, dt=1.0, seed=1)
    sim.run(5_000.0 if quick else 30_000.0)
    spikes = sim.spikes(cells).between(200.0)
    longest = max(5, int(-3.0 / np.log(m)))  # three autocorrelation times
    tenth = spikes.select(np.arange(0, size, 10))
    with warnings.catch_warnings():  # a tenth of little activity may be too few to tell: nan, and a warning
        warnings.simplefilter("ignore", ns.NeurosimWarning)
        whole, part = (branching_ratio(seen.bin(1.0).ravel(), longest) for seen in (spikes, tenth))
    estimates.append((whole.m, part.m, part.slopes[0]))
    print(f"{m:<19g}{whole.m:>10.3f}{part.m:>10.3f}{part.slopes[0]:>19.3f}")
panels[2].plot([0, 1], [0, 1], color="0.5", linestyle="--", label="by construction")
labels = "all neurons seen", "a tenth seen", "a tenth seen, one step"
for values, label, color, mark in zip(np.transpose(estimates), labels, colors, "osv", strict=False):
    panels[2].plot(built, values, mark, color=color, label=label)
panels[2].set(xlabel="Spikes caused by a spike, by construction", ylabel="Branching ratio", title="Spiking network")

for axes in panels:
    axes.legend(frameon=False)
path = ns.plot.save(figure, options.out / f"metrics.{options.format}")
print(f"\nwrote {path}")
