"""Inhibition that learns to balance excitation: a recurrent network finds the rate that its rule asks for.

    python examples/inhibitory_balance.py [--seconds 20] [--out FOLDER]

2,000 excitatory and 500 inhibitory neurons with conductances, as in the networks of Vogels and Abbott. Synapses from
inhibitory to excitatory neurons begin too weak, so that the network spikes fast and together. They learn: inhibition
grows onto neurons that spike too often, until each spikes at alpha / (2 tau), here for three values of alpha.

Source: Vogels, Sprekeler, Zenke, Clopath, Gerstner, Science 334 (2011) 1569; the network: Vogels, Abbott, J.
Neuroscience 25 (2005) 10786.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import InhibitorySTDP

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seconds", type=int, default=20, help="how long each network learns (20)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for inhibitory_balance.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
N_EXC, N_INH, TAU = 2000, 500, 20.0
NEURON = ns.LIF(tau_mem=20.0, c_mem=200.0, v_leak=-60.0, v_reset=-60.0, v_threshold=-50.0, t_ref=5.0,
                i_bias=ns.Uniform(200.0, 300.0))


def network(alpha):
    """Return the network, whose inhibitory synapses onto excitatory neurons learn."""
    net = ns.Network()
    initial = {"v": ns.Uniform(-60.0, -50.0)}
    exc = net.add(NEURON, N_EXC, name="exc", initial=initial)
    inh = net.add(NEURON, N_INH, name="inh", initial=initial)
    excite, inhibit = ns.ExponentialConductance(5.0, e_rev=0.0), ns.ExponentialConductance(10.0, e_rev=-80.0)
    for target in (exc, inh):
        net.connect(exc, target, ns.FixedProbability(0.02), weight=0.3, delay=ns.Uniform(0.5, 2.0), receptor=excite)
    net.connect(inh, inh, ns.FixedProbability(0.02), weight=10.0, delay=0.5, receptor=inhibit)
    net.connect(inh, exc, ns.FixedProbability(0.1), weight=0.0, delay=ns.Uniform(0.5, 2.0), receptor=inhibit,
                name="learning", plasticity=InhibitorySTDP(eta=0.05, alpha=alpha, tau=TAU, w_max=100.0))
    net.record(exc)
    return net


figure, (rates_panel, before, after) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
print(f"{'alpha':>6}{'target (Hz)':>13}{'first 0.5 s':>13}{'last fifth':>12}{'off by':>9}{'ISI CV':>8}"
      f"{'weight (nS)':>13}{'seconds':>9}")
for color, alpha in zip(ns.plot.COLORS, (0.2, 0.4, 0.6), strict=False):
    sim = ns.Simulation(network(alpha), dt=0.5, seed=1)
    began = time.perf_counter()
    sim.run(1000.0 * options.seconds)
    took, spikes = time.perf_counter() - began, sim.spikes("exc")
    late = spikes.between(800.0 * options.seconds)
    target, rate = 1000.0 * alpha / (2 * TAU), late.mean_rate()
    print(f"{alpha:>6g}{target:>13.1f}{spikes.between(0.0, 500.0).mean_rate():>13.1f}{rate:>12.2f}"
          f"{rate / target - 1:>9.1%}{np.nanmean(late.cv()):>8.2f}{sim.weights('learning').mean():>13.2f}{took:>9.1f}")
    rates_panel.plot(np.arange(options.seconds) + 0.5, spikes.bin(1000.0) / N_EXC, color=color,
                     label=f"alpha = {alpha:g}")
    rates_panel.axhline(target, color=color, linestyle="--", linewidth=0.8)
    if alpha == 0.2:
        for axes, part, title in ((before, spikes.between(0.0, 300.0), "before"),
                                  (after, spikes.between(1000.0 * options.seconds - 300.0), "after")):
            ns.plot.raster(part.select(np.arange(200), renumber=True).replace(name=""), ax=axes, colors=["black"])
            axes.set_title(f"{title}, 200 neurons, alpha = 0.2")
rates_panel.set(xlabel="Time (s)", ylabel="Rate (Hz)", yscale="log", title="rate, and alpha / (2 tau) (dashed)")
rates_panel.legend(frameon=False)
path = ns.plot.save(figure, options.out / f"inhibitory_balance.{options.format}")
print(f"\nwrote {path}")
