"""Homeostasis: weights, thresholds and gains that bring neurons to the rate they should have, whatever their input is.

    python examples/homeostasis.py [--seconds 60] [--out FOLDER]

A hundred neurons get input of very different strength, and one of four kinds of homeostasis acts: synaptic scaling
multiplies all weights of a neuron by one factor, a threshold rises at every spike and sinks in between, inhibition
grows onto what spikes too often; and gain and bias of a sigmoid neuron change until its rates are distributed
exponentially, which holds the most information at a given mean. Halfway, the input becomes twice as strong.

Source: Turrigiano et al., Nature 391 (1998) 892; Desai, Rutherford, Turrigiano, Nature Neuroscience 2 (1999) 515;
Vogels et al., Science 334 (2011) 1569; Triesch, Neural Computation 19 (2007) 885.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import InhibitorySTDP, IntrinsicLIF, IntrinsicSigmoid, SynapticScaling

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seconds", type=int, default=60, help="how long each network lives (60)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for homeostasis.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
N, RATE, DURATION = 100, 10.0, 1000.0 * options.seconds
LIF = {"tau_mem": 20.0, "v_leak": 0.0, "v_reset": 0.0, "v_threshold": 10.0, "t_ref": 2.0}


def network(kind):
    """Return a network whose cells have one kind of homeostasis, or none."""
    net = ns.Network()
    cells = net.add(IntrinsicLIF(rate=RATE, eta=0.05, **LIF) if kind == "threshold" else ns.LIF(**LIF), N, name="cells")
    source = net.add(ns.Poisson(rate=ns.TimedArray(np.array([10.0, 20.0]), every=DURATION / 2)), 400)
    scaling = SynapticScaling(rate=RATE, eta=0.02, tau_rate=2000.0, period=100.0, w_max=20.0)
    net.connect(source, cells, ns.FixedProbability(0.2), weight=ns.Uniform(0.1, 1.2), delay=1.0,
                plasticity=scaling if kind == "scaling" else None)
    if kind == "inhibition":
        inhibitory = InhibitorySTDP(eta=0.05, alpha=2 * 0.02 * RATE, tau=20.0, w_max=-10.0)
        net.connect(net.add(ns.Poisson(20.0), 200), cells, ns.FixedProbability(0.5), weight=0.0, delay=1.0,
                    plasticity=inhibitory)
    net.record(cells)
    return net


def rates(sim, begin, end):
    """Return the rate of each cell in a stretch of time, shares of the whole, in Hz."""
    return sim.spikes("cells").between(begin * DURATION, end * DURATION).rates()


figure, (courses, spread, densities) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
print(f"rates of {N} neurons (Hz), that they should have: {RATE:g}; 10 to 90 % of the neurons in brackets")
print(f"{'':<12}{'at first':>22}{'after half':>22}{'input doubled':>22}{'at the end':>22}")
for color, kind in zip(("0.5", *ns.plot.COLORS), ("none", "scaling", "threshold", "inhibition"), strict=False):
    sim = ns.Simulation(network(kind), dt=0.5, seed=1)
    sim.run(DURATION)
    found = [rates(sim, *part) for part in ((0.0, 0.02), (0.4, 0.5), (0.5, 0.51), (0.9, 1.0))]
    cells = (f"{each.mean():.1f} ({np.quantile(each, 0.1):.1f} to {np.quantile(each, 0.9):.1f})" for each in found)
    print(f"{kind:<12}" + "".join(f"{cell:>22}" for cell in cells))
    courses.plot(np.arange(options.seconds) + 0.5, sim.spikes("cells").bin(1000.0) / N, color=color, label=kind)
    spread.plot(np.sort(found[-1]), np.arange(N) / N, color=color)
courses.axhline(RATE, color="0.8", linestyle=":")
courses.set(xlabel="Time (s)", ylabel="Mean rate (Hz)", yscale="log")
courses.legend(frameon=False)
spread.set(xlabel="Rate at the end (Hz)", ylabel="Share of the neurons below", xlim=(0, 5 * RATE))

print(f"\n{'sigmoid':<12}{'mean of y':>12}{'std / mean':>12}{'rate (Hz)':>12}   "
      f"(exponential: {RATE / 100:g}, 1, {RATE:g})")
net = ns.Network()
cells = net.add(IntrinsicSigmoid(rate=RATE, rate_max=100.0, eta=2e-3, tau_mem=5.0), N, name="cells")
net.drive(cells, ns.OUCurrent(mean=1.0, std=2.0, tau=20.0))
for name in ("v", "gain", "bias"):
    net.record(cells, name, every=5.0)
net.record(cells)
sim = ns.Simulation(net, dt=0.5, seed=1)
sim.run(DURATION)
v, gain, bias = (sim.trace(cells, name)[1].astype(float) for name in ("v", "gain", "bias"))
y = 1 / (1 + np.exp(-(gain * v + bias)))
edges = np.linspace(0.0, 1.0, 41)
for label, part, when, color in (("at first", y[: len(y) // 200 + 2], (0.0, 0.01), "0.5"),
                                 ("at the end", y[-len(y) // 5 :], (0.8, 1.0), ns.plot.COLORS[1])):
    print(f"{label:<12}{part.mean():>12.3f}{part.std() / part.mean():>12.2f}{rates(sim, *when).mean():>12.1f}")
    densities.stairs(np.histogram(part, edges, density=True)[0], edges, color=color, label=label)
densities.plot(edges, 100 / RATE * np.exp(-edges * 100 / RATE), "--", color="black", label="exponential")
densities.set(xlabel="Rate y, share of the largest", ylabel="Density", yscale="log", ylim=(1e-3, 30))
densities.legend(frameon=False)
path = ns.plot.save(figure, options.out / f"homeostasis.{options.format}")
print(f"\nwrote {path}")
