"""Describe a network, run it, look at it: fifty neurons driven by a hundred noisy inputs.

    python examples/quickstart.py [--out FOLDER]
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import neurosim as ns

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for quickstart.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

# Describe: values in ms, mV and Hz. This costs nothing and is checked at once.
net = ns.Network()
noise = net.add(ns.Poisson(rate=20.0), 100, name="noise")
cells = net.add(ns.LIF(tau_mem=20.0, t_ref=2.0), 50, name="cells")
net.connect(noise, cells, ns.FixedProbability(0.5), weight=0.7, delay=1.5)
net.record(noise)
net.record(cells)
net.record(cells, "v", ids=[0, 1, 2])
print(net, end="\n\n")

# Run: lay out the arrays for one dt and seed, then go on for a while.
sim = ns.Simulation(net, dt=0.1, seed=1)
sim.run(500.0)

# Look: spikes and traces are numpy arrays.
print(f"{'population':<12}{'spikes':>8}{'rate (Hz)':>11}{'mean CV':>9}")
for population in (noise, cells):
    spikes = sim.spikes(population)
    cv = spikes.cv()
    print(f"{population.name:<12}{len(spikes):>8}{spikes.mean_rate():>11.1f}{cv[cv == cv].mean():>9.2f}")

figure, (top, middle, bottom) = plt.subplots(3, 1, figsize=(7, 7.5), height_ratios=[3, 1.2, 1.8], sharex=True,
                                             layout="constrained")
ns.plot.raster([sim.spikes(noise), sim.spikes(cells)], ax=top, size=3.5)
ns.plot.population_rate(sim.spikes(cells), width=10.0, ax=middle, colors=ns.plot.COLORS[1:])
ns.plot.traces(*sim.trace(cells, "v"), names=["0", "1", "2"], spikes=sim.spikes(cells).select([0, 1, 2], renumber=True),
               ax=bottom)
middle.set_ylabel("Rate (Hz)")
bottom.set_ylabel("v (mV)")
path = ns.plot.save(figure, options.out / f"quickstart.{options.format}")
print(f"\nwrote {path}")
