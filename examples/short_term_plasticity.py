"""Short-term plasticity: how a depressing and a facilitating synapse answer to a train of spikes.

    python examples/short_term_plasticity.py [--out FOLDER]

First a train of ten spikes at 20 Hz and one more after half a second, as in the figures of the paper. Then the
amplitudes themselves, beside two things that are known without a simulation:

- the model's own recursion, evaluated spike by spike in numpy;
- where the stationary amplitude of a facilitating synapse is largest, about 1 / sqrt(U tau_rec tau_facil), and what the
  charge that a depressing synapse passes per second cannot exceed, 1 / tau_rec in units of the weight.

Source: Tsodyks, Pawelzik, Markram, Neural Computation 10 (1998) 821-835; the peak frequency: Markram, Wang, Tsodyks,
PNAS 95 (1998) 5323-5328.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for short_term_plasticity.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

SYNAPSES = {
    "depressing": ns.TsodyksMarkram(u_0=0.5, tau_rec=800.0, tau_facil=1e-3),
    "facilitating": ns.TsodyksMarkram(u_0=0.03, tau_rec=130.0, tau_facil=530.0),
}


def respond(release, times, model, receptor, weight):
    """Return times and v of one neuron of a model that receives spikes at the given times (ms)."""
    net = ns.Network()
    spikes = ns.Spikes.from_times(times, np.zeros(len(times), int), size=1, duration=times[-1] + 200.0)
    source = net.add(ns.SpikeSource(spikes))
    cell = net.add(model, 1)
    net.connect(source, cell, weight=weight, delay=0.1, receptor=receptor, release=release)
    net.record(cell, "v")
    sim = ns.Simulation(net, dt=0.1, dtype="float64")
    sim.run(spikes.duration)
    times, v = sim.trace(cell, "v")
    return times, v[:, 0]


def released(release, times):
    """Return the share of the weight that each spike of a train transmits, as the simulation has it."""
    sum_up = ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0)  # v adds up what arrives
    at, v = respond(release, times, sum_up, ns.Delta(), 1.0)
    ticks = np.rint((np.asarray(times) + 0.1) / 0.1).astype(int)
    return v[ticks] - v[ticks - 1]


def recursion(release, times):
    """Return the same from the equations."""
    u, x, last, shares = 0.0, 1.0, -np.inf, []
    for time in times:
        u *= np.exp(-(time - last) / release.tau_facil)
        x = 1 + (x - 1) * np.exp(-(time - last) / release.tau_rec)
        u += release.u_0 * (1 - u)
        shares.append(u * x)
        x, last = x - u * x, time
    return np.array(shares)


def train(rate, count):
    """Return the times of a regular train in ms, on the grid of 0.1 ms."""
    return np.round(100.0 + np.arange(count) * 1000.0 / rate, 1)


# A train at 20 Hz and a late spike
times = np.append(train(20.0, 10), 1050.0)
membrane = ns.LeakyIntegrator(tau_mem=40.0, r=0.1, v_leak=0.0)
figure, panels = plt.subplots(2, 2, figsize=(10, 6), layout="constrained")
print(f"{'synapse':<14}{'1st':>8}{'2nd':>8}{'10th':>8}{'late':>8}{'worst error of the recursion':>31}")
for (name, release), axes in zip(SYNAPSES.items(), panels[0], strict=True):
    shares = released(release, times)
    error = np.abs(shares - recursion(release, times)).max()
    print(f"{name:<14}{shares[0]:>8.4f}{shares[1]:>8.4f}{shares[9]:>8.4f}{shares[10]:>8.4f}{error:>31.1e}")
    weight = 250.0 if name == "depressing" else 1540.0  # pA, the absolute strengths of the paper
    ns.plot.traces(*respond(release, times, membrane, ns.ExponentialCurrent(3.0), weight), ax=axes, colors=["black"])
    axes.set(title=f"{name}, 20 Hz", ylabel="PSP (mV)")

# Stationary amplitude over the rate
print(f"\n{'synapse':<14}{'rate (Hz)':>10}{'amplitude':>11}{'per second':>12}")
rates = np.array([1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 70.0, 100.0])
for (name, release), axes in zip(SYNAPSES.items(), panels[1], strict=True):
    stationary = np.array([released(release, train(rate, 40 + int(3 * rate)))[-1] for rate in rates])
    for rate, share in zip(rates, stationary, strict=True):
        print(f"{name:<14}{rate:>10g}{share:>11.4f}{rate * share:>12.3f}")
    axes.plot(rates, stationary, "o-", color=ns.plot.COLORS[0])
    axes.set(xlabel="Rate (Hz)", ylabel="Stationary amplitude / weight", xscale="log", ylim=(0, None))
    if name == "facilitating":
        peak = 1000.0 / np.sqrt(release.u_0 * release.tau_rec * release.tau_facil)
        print(f"largest near {rates[stationary.argmax()]:g} Hz; 1 / sqrt(U tau_rec tau_facil) = {peak:.1f} Hz")
        axes.axvline(peak, color="0.5", linestyle="--")
        axes.annotate(r"$1/\sqrt{U\,\tau_{rec}\,\tau_{facil}}$", (peak, 0.0), (4, 6), textcoords="offset points")
    else:
        limit = 1000.0 / release.tau_rec
        print(f"the last number in the column 'per second' stays below 1 / tau_rec = {limit:.3f}\n")
        fine = np.geomspace(3.0, 100.0, 50)
        axes.plot(fine, limit / fine, color="0.5", linestyle="--", label=r"$1/(\tau_{rec}\,$rate)")
        axes.legend(frameon=False)
path = ns.plot.save(figure, options.out / f"short_term_plasticity.{options.format}")
print(f"\nwrote {path}")
