"""A neuron model of your own, in a script: the resonate-and-fire neuron.

    python examples/own_neuron.py [--out FOLDER]

The model is one class: parameters with unit and bounds, named state, its equations, when it fires, what a spike does.
Because its equations are linear it gives their matrix, and is then integrated exactly, whatever dt. Its first use
compiles one loop for it, which is kept for later processes; changing a body compiles it again.

What it shows: two input spikes make it fire if they nearly coincide or are about one period of its oscillation apart,
and not if they are half a period apart. An integrator fires at all close pairs, and at no others.

Source: Izhikevich, Resonate-and-fire neurons, Neural Networks 14 (2001) 883-894.
"""

import argparse
import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.neurons import Linear, Neuron, State

ns.plot.style()


class ResonateAndFire(Neuron):
    """A damped oscillator that fires when its potential passes the threshold.

    dv/dt = -damping v - omega u + I,  du/dt = omega v - damping u,  omega = 2 pi / period
    """

    period: PerElement = Parameter(20.0, "ms", above=0, doc="period of the oscillation")
    damping: PerElement = Parameter(0.05, "1/ms", at_least=0, doc="rate at which the oscillation decays")
    v_threshold: PerElement = Parameter(1.0, "", doc="threshold; a spike is sent where v is strictly above")

    state = {"v": State(0.0, "", "potential"), "u": State(0.0, "", "current-like variable")}
    unit = current_unit = ""

    def linear(self, p):
        omega = 2 * math.pi / p.period
        return Linear(matrix={("v", "v"): -p.damping, ("v", "u"): -omega, ("u", "v"): omega, ("u", "u"): -p.damping},
                      current={"v": 1.0})

    @staticmethod
    def fires(v, v_threshold):
        """Strictly above the threshold."""
        return v > v_threshold

    @staticmethod
    def after_spike(v, u):
        """The oscillation begins anew."""
        return 0.0, 1.0


arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for own_neuron.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

# One neuron of each kind for each interval; source number i sends two spikes that far apart.
intervals = np.arange(2.0, 32.0, 2.0)
n = intervals.size
pairs = ns.Spikes.from_times(np.concatenate([np.full(n, 5.0), 5.0 + intervals]), np.tile(np.arange(n), 2), size=n,
                             duration=60.0)
net = ns.Network()
source = net.add(ns.SpikeSource(pairs), name="pairs")
resonators = net.add(ResonateAndFire(damping=0.03), n, name="resonators")
integrators = net.add(ns.LIF(tau_mem=10.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0), n, name="integrators")
for cells in (resonators, integrators):
    net.connect(source, cells, ns.OneToOne(), weight=0.75, delay=0.1)
    net.record(cells)
    net.record(cells, "v")
print(net, end="\n\n")

sim = ns.Simulation(net, dt=0.1)
sim.run(60.0)

print(f"{'interval (ms)':>14}{'resonator':>12}{'integrator':>12}")
fired = {cells.name: sim.spikes(cells).counts() for cells in (resonators, integrators)}
for k, interval in enumerate(intervals):
    print(f"{interval:>14g}{'fires' if fired['resonators'][k] else '-':>12}"
          f"{'fires' if fired['integrators'][k] else '-':>12}")

figure, panels = plt.subplots(2, 1, figsize=(7, 6), sharex=True, layout="constrained")
shown = [int(np.argmin(abs(intervals - wanted))) for wanted in (2.0, 10.0, 20.0)]
for cells, axes in zip((resonators, integrators), panels, strict=True):
    times, v = sim.trace(cells, "v")
    ns.plot.traces(times, v[:, shown], [f"{intervals[k]:g} ms" for k in shown], axes, unit="", label="v",
                   spikes=sim.spikes(cells).select(shown, renumber=True))
    axes.axhline(1.0, color="0.6", linewidth=0.8, linestyle=":")
    axes.set_title(f"{cells.name}: two spikes, so far apart", fontsize="medium")
path = ns.plot.save(figure, options.out / f"own_neuron.{options.format}")
print(f"\nwrote {path}")
