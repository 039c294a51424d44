"""FORCE: a network of Izhikevich neurons learns to run a sine of 5 Hz by itself.

    python examples/force_sine.py [--seeds 5] [--neurons 1000] [--out FOLDER]

Chaotic firing for a second; then, for five seconds, recursive least squares changes the readout every 0.8 ms while its
output is fed back; then the weights stay, and the network goes on alone for five seconds. Frequency: from the phase of
the output, cycle by cycle. Correlation: with a sine of 5 Hz whose phase fits best. Control: the same network without
feedback, which learns as well and does not know the time when it is alone.

Constants of the published script (ModelDB 190565), with 1,000 neurons in place of 2,000 and the textbook form of the
least squares.

Source: Nicola, Clopath, Nature Communications 8 (2017) 2208.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import Force

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5, help="number of seeds (5)")
arguments.add_argument("--neurons", type=int, default=1000, help="number of neurons (1000)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for force_sine.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
DT, BEFORE, LEARNING, ALONE, FREQUENCY = 0.04, 1000.0, 5000.0, 5000.0, 5.0  # ms, Hz
CELL = ns.GeneralIzhikevich(c_mem=250.0, k=2.5, v_r=-60.0, v_t=-19.2, a=0.01, b=-2.0, v_reset=-65.0, d=200.0,
                            v_peak=30.0, i_bias=1000.0)
STRENGTH, P = 5000.0, 0.1  # of the recurrent weights and of the feedback, pA ms; connection probability
PEAK = 0.0387  # 1/ms, of a double exponential (2 ms, 20 ms) of area 1: a receptor's weight is its peak


def network(seed, feedback=True):
    """Return a trainer of a random network."""
    rng, n = np.random.default_rng(seed), options.neurons
    net = ns.Network()
    cells = net.add(CELL, n, name="cells", initial={"v": ns.Uniform(-60.0, -20.0)})
    source, target = np.nonzero(rng.random((n, n)) < P)
    weight = STRENGTH * PEAK / (P * np.sqrt(n)) * rng.standard_normal(source.size)
    net.connect(cells, cells, ns.Explicit(source, target), weight=weight, delay=DT,
                receptor=ns.DoubleExponentialCurrent(tau_rise=2.0, tau_syn=20.0))
    net.record(cells)
    encoder = STRENGTH * rng.uniform(-1.0, 1.0, n) if feedback else None
    return Force(net, cells, feedback=encoder, tau_rise=2.0, tau_decay=20.0, every=0.8, dt=DT, seed=seed)


def wave(first, last):
    """Return exp(2 pi i f t) at the ticks from one time to another (ms)."""
    return np.exp(2e-3j * np.pi * FREQUENCY * DT * np.arange(round(first / DT) + 1, round(last / DT) + 1))


def measured(z):
    """Return frequency (Hz) and phase-aligned correlation of an output that runs alone."""
    reference = wave(BEFORE + LEARNING, BEFORE + LEARNING + ALONE)
    cycles = [part @ turn.conj() for part, turn in zip(np.split(z, 25), np.split(reference, 25), strict=True)]
    drift = np.polyfit(np.arange(25), np.unwrap(np.angle(cycles)), 1)[0] / (2 * np.pi)  # turns per cycle
    aligned = (reference * np.exp(1j * np.angle(z @ reference.conj()))).real
    return FREQUENCY * (1 + drift), np.corrcoef(aligned, z)[0, 1]


def trained(seed, feedback=True):
    """Return the trainer, all outputs, and how long it took."""
    force = network(seed, feedback)
    began = time.perf_counter()
    parts = [force.run(BEFORE), force.fit(wave(BEFORE, BEFORE + LEARNING).imag), force.run(ALONE)]
    return force, np.concatenate(parts)[:, 0], time.perf_counter() - began


last = round((BEFORE + LEARNING) / DT)
print(f"{'seed':<18}{'frequency (Hz)':>15}{'correlation':>13}{'rate (Hz)':>11}{'seconds':>9}")
found, runs = [], {}
for seed in range(options.seeds):
    force, z, took = trained(seed)
    found.append((*measured(z[last:]), len(force.sim.spikes("cells")) / options.neurons / force.sim.time * 1000, took))
    runs[seed] = force, z
    print(f"{seed:<18}{found[-1][0]:>15.3f}{found[-1][1]:>13.3f}{found[-1][2]:>11.1f}{found[-1][3]:>9.1f}")
median = np.median(found, axis=0)
print(f"{'median':<18}{median[0]:>15.3f}{median[1]:>13.3f}{median[2]:>11.1f}{median[3]:>9.1f}")
print(f"{'without feedback':<18}{'':>15}{measured(trained(0, feedback=False)[1][last:])[1]:>13.3f}")

# Look: the output around learning, the spikes of some neurons, and the weights.
force, z = runs[0]
times = np.arange(1, z.size + 1) * DT
figure, panels = plt.subplots(3, 1, figsize=(10, 7), layout="constrained", height_ratios=[2, 2, 1.5])
panels[0].plot(times, z, color=ns.plot.COLORS[0], linewidth=0.8, label="output")
panels[0].plot(times, wave(0.0, times[-1]).imag, color=ns.plot.COLORS[1], linewidth=0.8, linestyle="--", label="5 Hz")
panels[0].axvspan(BEFORE, BEFORE + LEARNING, color="0.92", zorder=0)
panels[0].set(xlim=(0, 8000), ylim=(-1.8, 1.8), xlabel="Time (ms)", ylabel="Output", title="Grey: it learns")
panels[0].legend(frameon=False, loc="upper right", ncols=2)
ns.plot.raster(force.sim.spikes("cells").select(np.arange(60), renumber=True), ax=panels[1], colors=["black"])
panels[1].set(xlim=(0, 8000))
panels[2].hist(force.readout.weights_[:, 0], bins=80, color=ns.plot.COLORS[0])
panels[2].set(xlabel="Readout weight (ms)", ylabel="Neurons")
for panel in panels:
    panel.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"force_sine.{options.format}")
print(f"\nwrote {path}")
