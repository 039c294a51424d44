"""Hebbian rules: what fires together wires together, and what keeps that from running away.

    python examples/hebbian.py [--seconds 100] [--out FOLDER]

Twenty sources drive a neuron; the first ten share some of their spikes. Hebb's rule strengthens all of them up to the
bound, Oja's favours the group that is correlated and keeps the norm of the weights, the anti-Hebbian rule takes the
group away. The rule of Bienenstock, Cooper and Munro lets synapses grow below a rate of the target and shrink above
it: they rest where the rate is y_0 / tau_y. In a soft winner-take-all circuit weights become the logarithm of the
probability that the source was active: w = log(c p).

Source: Oja, J. Mathematical Biology 15 (1982) 267; Bienenstock, Cooper, Munro, J. Neuroscience 2 (1982) 32; Nessler et
al., PLoS Computational Biology 9 (2013) e1003037.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import BCM, Hebb, Oja, SoftWinnerTakeAll

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seconds", type=int, default=100, help="how long the trains are (100)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for hebbian.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
DURATION, rng = 1000.0 * options.seconds, np.random.default_rng(2)
FORCED = ns.LIF(tau_mem=1e-3, v_leak=0.0, v_reset=0.0, v_threshold=1e6)  #: spikes when forced to, and only then


def given(active):
    """Spikes from a table (neurons, ms)."""
    at, ids = np.nonzero(active.T)
    return ns.SpikeSource(ns.Spikes(ticks=at + 2, ids=ids.astype(np.uint32), size=len(active), dt=1.0,
                                    duration=DURATION + 10.0))


def two_groups(rule):
    """Return the weights of twenty sources of 20 Hz, half of which copy most of their spikes from one train."""
    active = rng.random((20, round(DURATION))) < 0.02
    shared = rng.random(active.shape[1]) < 0.02
    active[:10] = np.where(rng.random((10, active.shape[1])) < 0.8, shared, active[:10])
    net = ns.Network()
    cell = net.add(ns.LIF(tau_mem=10.0, v_leak=0.0, v_reset=0.0, v_threshold=1.5), 1)
    net.connect(net.add(given(active)), cell, weight=0.3, delay=1.0, plasticity=rule, name="p")
    sim = ns.Simulation(net, 1.0, dtype="float64")
    sim.run(DURATION)
    return sim.weights("p")


def changes(rule, rates):
    """Return the mean change of the weights of 50 sources of 20 Hz, for targets that spike at given rates."""
    net = ns.Network()
    force = net.add(given(rng.random((len(rates), round(DURATION))) < 1e-3 * rates[:, None]))
    cells = net.add(FORCED, len(rates))
    net.connect(force, cells, ns.OneToOne(), weight=2e6, delay=1.0)
    net.connect(net.add(ns.Poisson(20.0), 50), cells, weight=0.0, delay=1.0, plasticity=rule, name="p")
    sim = ns.Simulation(net, 1.0, dtype="float64", seed=1)
    sim.run(DURATION)
    return sim.weights("p", sparse=True).toarray().mean(axis=0)


def logarithms(rule, chances):
    """Return the weights of sources that are active just before a share of the target's spikes."""
    every = np.arange(100, round(DURATION), 20)
    active = np.zeros((len(chances) + 1, round(DURATION)), dtype=bool)
    active[:-1, every] = rng.random((len(chances), len(every))) < chances[:, None]
    active[-1, every] = True
    net = ns.Network()
    source, cell = net.add(given(active)), net.add(FORCED, 1)
    net.connect(source[len(chances):], cell, weight=2e6, delay=1.0)
    net.connect(source[:len(chances)], cell, weight=1.0, delay=1.0, plasticity=rule, name="p")
    sim = ns.Simulation(net, 1.0, dtype="float64")
    sim.run(DURATION)
    return sim.weights("p")


figure, (groups, bcm, winner) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
print(f"{'weights':<12}{'correlated':>12}{'independent':>13}{'norm':>8}")
for color, (name, rule) in zip(ns.plot.COLORS, {
        "Hebb": Hebb(eta=2e-3, w_max=3.0), "Oja": Oja(eta=2e-3, w_max=3.0), "anti-Hebb": Hebb(eta=-2e-3, w_max=3.0),
        }.items(), strict=False):
    weights = two_groups(rule)
    print(f"{name:<12}{weights[:10].mean():>12.3f}{weights[10:].mean():>13.3f}{np.linalg.norm(weights):>8.2f}")
    groups.plot(np.arange(1, 21), weights, "o-", color=color, label=name)
groups.set(xlabel="Source (1 to 10 are correlated)", ylabel="Weight at the end (mV)", ylim=(-0.1, 3.9))
groups.legend(frameon=False, ncols=3)

print(f"\n{'BCM, y_0':<12}{'rests at (Hz)':>15}{'y_0 / tau_y':>13}")
rates = np.arange(4.0, 50.0, 2.0)
for color, y_0 in zip(ns.plot.COLORS, (0.2, 0.4, 0.6), strict=False):
    found = changes(BCM(eta=1e-5, y_0=y_0, tau_theta=5000.0, w_min=-9.0, w_max=9.0), rates)
    last = np.flatnonzero(found[:-1] > 0)[-1]
    rest = np.interp(0.0, found[[last + 1, last]], rates[[last + 1, last]])
    print(f"{y_0:<12g}{rest:>15.1f}{1000 * y_0 / 20:>13.1f}")
    bcm.plot(rates, found, "o-", color=color, label=f"y_0 = {y_0:g}")
    bcm.axvline(1000 * y_0 / 20, color=color, linestyle=":")
bcm.axhline(0.0, color="0.8")
bcm.set(xlabel="Rate of the target (Hz)", ylabel="Change of the weight (mV)", ylim=(-0.002, 0.002))
bcm.legend(frameon=False)

chances = np.array([0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
found = logarithms(SoftWinnerTakeAll(eta=5e-3, tau_x=1e-3, c=20.0, w_max=4.0), chances)
print(f"\n{'p':<8}" + "".join(f"{p:>8g}" for p in chances))
print(f"{'weight':<8}" + "".join(f"{w:>8.2f}" for w in found))
print(f"{'log(c p)':<8}" + "".join(f"{w:>8.2f}" for w in np.log(20 * chances)))
winner.plot(chances, np.log(20 * chances), "-", color="0.6", label="log(c p)")
winner.plot(chances, found, "o", color=ns.plot.COLORS[0], label="learned")
winner.set(xlabel="Probability that the source is active", ylabel="Weight (mV)")
winner.legend(frameon=False)
path = ns.plot.save(figure, options.out / f"hebbian.{options.format}")
print(f"\nwrote {path}")
