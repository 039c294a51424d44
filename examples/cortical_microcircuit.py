"""The cortical microcircuit: eight populations under a square millimetre of cortex, and the rates that they settle at.

    python examples/cortical_microcircuit.py [--scale 0.1] [--seconds 1] [--seed 1] [--out FOLDER]

The network of Potjans and Diesmann by name, with a share of its neurons and of their synapses; weights grow and a
constant current is added so that mean rates stay (van Albada et al.). --scale 1 is the whole of 77,169 neurons and 300
million synapses, which need about 3 GB. Rates are those after the first 500 ms, beside the published ones of the whole
network; the irregularity is the mean coefficient of variation of the intervals of one neuron (1 for a Poisson process).

Source: Potjans, Diesmann, Cerebral Cortex 24 (2014) 785; van Albada, Helias, Diesmann, PLoS Computational Biology 11
(2015) e1004490.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from neurosim.reservoirs import potjans_diesmann
from neurosim.reservoirs.named.microcircuit_data import POPULATIONS, RATES

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--scale", type=float, default=0.1, help="share of the neurons, and of their synapses (0.1)")
arguments.add_argument("--seconds", type=float, default=1.0, help="length of what is measured, after 0.5 s (1)")
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--threads", type=int, default=2, help="number of threads; the spikes do not depend on it")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for cortical_microcircuit.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

SETTLING = 500.0  # ms

net = potjans_diesmann(options.scale, initial="optimised")
for name in POPULATIONS:
    net.record(net.population(name))
sim = ns.Simulation(net, dt=0.1, seed=options.seed, threads=options.threads)
sim.run(SETTLING + 1000.0 * options.seconds)

print(f"{sum(population.size for population in net.populations):,} neurons, {100 * options.scale:g} % of the circuit; "
      f"{options.seconds:g} s after {SETTLING / 1000:g} s; seed {options.seed}")
print(f"{'population':<12}{'neurons':>8}{'rate (Hz)':>11}{'published':>11}{'CV':>7}")
measured = {}
for name, published in zip(POPULATIONS, RATES, strict=True):
    spikes = sim.spikes(name).between(SETTLING, SETTLING + 1000.0 * options.seconds)
    measured[name] = spikes.mean_rate()
    cv = spikes.cv()
    print(f"{name:<12}{net.population(name).size:>8}{measured[name]:>11.2f}{published:>11.2f}"
          f"{cv[cv == cv].mean() if (cv == cv).any() else np.nan:>7.2f}")

figure, (raster, rates) = plt.subplots(1, 2, figsize=(9, 5), width_ratios=[2.2, 1], layout="constrained")
shown = [sim.spikes(name).between(SETTLING, SETTLING + 200.0) for name in POPULATIONS]
ns.plot.raster(shown, ax=raster, size=0.6)
places = np.arange(len(POPULATIONS))
rates.barh(places - 0.2, list(measured.values()), 0.4, label="here")
rates.barh(places + 0.2, RATES, 0.4, color="0.7", label="published, whole network")
rates.set_yticks(places, POPULATIONS)
rates.set_xlabel("Rate (Hz)")
rates.legend(frameon=False)
path = ns.plot.save(figure, options.out / f"cortical_microcircuit.{options.format}")
print(f"\nwrote {path}")
