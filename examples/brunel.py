"""The regimes of a sparse network of excitatory and inhibitory neurons, after Brunel (2000), at two fifths of its size.

    python examples/brunel.py [--out FOLDER]

Every neuron receives k_e excitatory and k_e / 4 inhibitory synapses and noise. What the network does depends on g, how
much stronger inhibition is, on eta, the noise in units of the rate that reaches the threshold without feedback, and on
the delays:

    SR   synchronous regular       g < 4: excitation dominates, neurons fire like a few clocks
    AR   asynchronous regular      the same with delays that differ, which takes the common beat away
    SI   synchronous irregular     g > 4: the population oscillates, each neuron takes part now and then
    AI   asynchronous irregular    the same with delays that differ: hardly a common rhythm is left

Two numbers tell them apart: CV, the mean coefficient of variation of a neuron's intervals (0 regular, 1 Poisson), and
sync, the standard deviation of the population's rate in bins of 1 ms over its mean (for independent Poisson neurons
it would be 0.03 to 0.07 here).

What differs from the paper: 4000 + 1000 neurons instead of 10000 + 2500, with the probability of a connection left
at 0.1, so that in-degrees are two fifths and weights are 0.25 mV instead of 0.1 mV, to leave the mean input as it was;
fluctuations are larger by sqrt(2.5). The paper shows AI at g = 5, eta = 2 with one delay; in the smaller network some
rhythm is left there, so AI is shown at the SI point with delays between 0.1 and 5 ms, as AR at the SR point.

Source: Brunel, Journal of Computational Neuroscience 8 (2000) 183-208, model A; SR and SI are points of its figure 8.
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
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for brunel.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
arguments.add_argument("--threads", type=int, default=2, help="number of threads; the spikes do not depend on it")
arguments = arguments.parse_args()

EXCITATORY, INHIBITORY = 4000, 1000
K_E = EXCITATORY // 10
WEIGHT = 0.1 * 1000 / K_E  # mV
NEURON = ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=10.0, v_threshold=20.0, t_ref=2.0)
THRESHOLD_RATE = 20.0 / (WEIGHT * 20.0) * 1000  # Hz, all inputs of a neuron together
REGIMES = {  # g, eta, delay in ms
    "SR": (3.0, 2.0, 1.5),
    "AR": (3.0, 2.0, ns.Uniform(0.1, 5.0)),
    "SI": (6.0, 4.0, 1.5),
    "AI": (6.0, 4.0, ns.Uniform(0.1, 5.0)),
}
WARM_UP, DURATION = 200.0, 400.0  # ms


def network(g, eta, delay):
    """Return the network and its two populations."""
    net = ns.Network()
    initial = {"v": ns.Uniform(0.0, 20.0)}
    exc = net.add(NEURON, EXCITATORY, name="exc", initial=initial)
    inh = net.add(NEURON, INHIBITORY, name="inh", initial=initial)
    for target in (exc, inh):
        net.connect(exc, target, ns.FixedInDegree(K_E), weight=WEIGHT, delay=delay)
        net.connect(inh, target, ns.FixedInDegree(K_E // 4), weight=-g * WEIGHT, delay=delay)
        net.drive(target, ns.PoissonDrive(rate=eta * THRESHOLD_RATE, weight=WEIGHT))
    net.record(exc)
    return net, exc


print(network(*REGIMES["AI"])[0], end="\n\n")
print(f"{'regime':<8}{'g':>4}{'eta':>5}{'delay (ms)':>12}{'rate (Hz)':>11}{'CV':>7}{'sync':>8}")
figure, panels = plt.subplots(2, 4, figsize=(12, 5), height_ratios=[3, 1], sharex=True, layout="constrained")
for (name, (g, eta, delay)), (top, bottom) in zip(REGIMES.items(), panels.T, strict=True):
    net, exc = network(g, eta, delay)
    sim = ns.Simulation(net, dt=0.1, seed=1, threads=arguments.threads)
    sim.run(WARM_UP + DURATION)
    spikes = sim.spikes(exc).between(start=WARM_UP)
    counts = spikes.bin(1.0)
    cv, sync = np.nanmean(spikes.cv()), counts.std() / counts.mean()
    told = f"{delay:g}" if isinstance(delay, float) else f"{delay.first:g} to {delay.last:g}"
    print(f"{name:<8}{g:>4g}{eta:>5g}{told:>12}{spikes.mean_rate():>11.1f}{cv:>7.2f}{sync:>8.2f}")
    shown = spikes.between(WARM_UP + DURATION - 50.0)
    ns.plot.raster(shown.select(np.arange(50), renumber=True).replace(name=""), ax=top, colors=["black"])
    ns.plot.population_rate(shown, width=0.5, ax=bottom, colors=["black"])
    top.set(title=f"{name}: g = {g:g}, eta = {eta:g},\ndelay {told} ms", ylabel="")
    bottom.set_ylabel("")
panels[0, 0].set_ylabel("Neuron")
panels[1, 0].set_ylabel("Rate (Hz)")
path = ns.plot.save(figure, arguments.out / f"brunel.{arguments.format}")
print(f"\nwrote {path}")
