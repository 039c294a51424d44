"""The polychronous network: delays, spike-timing-dependent plasticity, and weights that end at their bounds.

    python examples/polychronous.py [--seconds 120] [--seed 1] [--out FOLDER]

1,000 Izhikevich neurons, 800 of them excitatory with 100 synapses each and delays of 1 to 20 ms; one neuron, drawn at
random, is kicked each millisecond. Synapses of excitatory neurons learn. Each second of the network is one second.

Source: Izhikevich, Neural Computation 18 (2006) 245-282, and its script spnet.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import SlowSTDP

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seconds", type=int, default=120, help="how long the network lives (120)")
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for polychronous.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
N, N_EXC, SYNAPSES, LONGEST = 1000, 800, 100, 20
rng = np.random.default_rng(options.seed)


def others(source, count, pool):
    """Return distinct targets of a neuron, itself excluded."""
    return rng.choice(np.delete(np.arange(pool), source) if source < pool else pool, count, replace=False)


def network(seconds):
    """Return the network, its neurons and the projection that learns."""
    net = ns.Network()
    excitatory = np.arange(N) < N_EXC
    neuron = ns.Izhikevich(a=np.where(excitatory, 0.02, 0.1), b=0.2, c=-65.0, d=np.where(excitatory, 8.0, 2.0))
    cells = net.add(neuron, N, name="cells", initial={"u": 0.2 * -65.0})
    kicked = ns.Spikes(ticks=np.arange(1, 1000 * seconds), ids=rng.integers(0, N, 1000 * seconds - 1).astype(np.uint32),
                       size=N, duration=1000.0 * seconds, dt=1.0)
    kicks = net.add(ns.SpikeSource(kicked), name="kicks")
    net.connect(kicks, cells, ns.OneToOne(), weight=20.0, delay=1.0, receptor=ns.Pulse())
    exc, inh = cells[:N_EXC], cells[N_EXC:]
    sources = np.repeat(np.arange(N_EXC), SYNAPSES)
    targets = np.concatenate([others(j, SYNAPSES, N) for j in range(N_EXC)])
    delays = np.tile(np.repeat(np.arange(1.0, LONGEST + 1), SYNAPSES // LONGEST), N_EXC)  # five of each per neuron
    learning = net.connect(exc, cells, ns.Explicit(sources, targets), weight=6.0, delay=delays, receptor=ns.Pulse(),
                           plasticity=SlowSTDP(), name="learning")
    net.connect(inh, exc, ns.FixedOutDegree(SYNAPSES), weight=-5.0, delay=1.0, receptor=ns.Pulse())
    net.record(cells)
    return net, cells, learning


net, cells, learning = network(options.seconds)
print(net, end="\n\n")
sim = ns.Simulation(net, dt=1.0, seed=options.seed)
began = time.perf_counter()
sim.run(1000.0 * options.seconds)
took = time.perf_counter() - began
spikes, weights = sim.spikes(cells), sim.weights(learning)
rates = np.bincount((spikes.ticks - 1) // 1000, minlength=options.seconds) / N
print("second  rate (Hz)")
for second in sorted({0, 5, 10, 20, 40, 60, 90, options.seconds - 1}):
    if second < options.seconds:
        print(f"{second:>6}{rates[second]:>11.1f}")
ends = np.mean(weights < 0.5), np.mean(weights > 9.5)
print(f"rate in the last 10 s: {rates[-10:].mean():.1f} Hz (published behaviour: 6 to 14)")
print(f"weights below 0.5: {ends[0]:.0%}, above 9.5: {ends[1]:.0%}, near a bound: {sum(ends):.0%} (expected over 60 %)")
print(f"{options.seconds} s took {took:.1f} s")

figure, (raster, rate, histogram) = plt.subplots(1, 3, figsize=(13, 4), width_ratios=[2, 1, 1], layout="constrained")
ns.plot.raster(spikes.between(1000.0 * (options.seconds - 1)), ax=raster, colors=["black"])
raster.set_title(f"second {options.seconds}")
rate.plot(np.arange(options.seconds) + 0.5, rates, color=ns.plot.COLORS[0])
rate.set(xlabel="Time (s)", ylabel="Rate (Hz)", ylim=(0, None))
histogram.hist(weights, bins=40, range=(0, 10), color=ns.plot.COLORS[0])
histogram.set(xlabel="Weight (mV/ms)", ylabel="Synapses", title="weights at the end")
path = ns.plot.save(figure, options.out / f"polychronous.{options.format}")
print(f"\nwrote {path}")
