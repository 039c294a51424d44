"""Windows of spike-timing-dependent plasticity: what the time between two spikes, and their frequency, do to a weight.

    python examples/stdp_curves.py [--out FOLDER]

A source's spike arrives at a synapse, and its target spikes some ms later or earlier. One pair of spikes gives the
window of the pair rule; how it depends on the weight tells additive from multiplicative rules. Sixty pairs at different
frequencies separate the triplet rule from the pair rule: in the visual cortex, pairs at 10 ms before the target's spike
depress at low frequencies, and all pairs potentiate at high ones. The rule of Clopath says the same from the target's
voltage alone, if a spike's own voltage comes too late for it; NEST's neuron and synapse agree. Inhibitory synapses have
a symmetric window.

Source: Song, Miller, Abbott, Nature Neuroscience 3 (2000) 919; Pfister, Gerstner, J. Neuroscience 26 (2006) 9673, fig.
3; Clopath et al., Nature Neuroscience 13 (2010) 344, fig. 2; Vogels et al., Science 334 (2011) 1569.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import ClopathAdEx, ClopathSTDP, InhibitorySTDP, PairSTDP, TripletSTDP

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for stdp_curves.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
DT = 1.0


def changes(rule, deltas, arrivals, weight=0.5):
    """Return the change of the weight for each time from arrival to target spike: one synapse each, all in one run."""
    n, deltas = len(deltas), np.asarray(deltas)
    duration = arrivals[-1] + np.abs(deltas).max() + 50.0
    every = np.tile(np.arange(n), len(arrivals))

    def given(times):
        return ns.SpikeSource(ns.Spikes.from_times(times, every, size=n, dt=DT, duration=duration))

    net = ns.Network()
    sources = net.add(given(np.repeat(arrivals, n) - DT))
    forced = net.add(given((arrivals[:, None] + deltas).ravel() - DT))
    cells = net.add(ns.LIF(tau_mem=1e-3, v_leak=0.0, v_reset=0.0, v_threshold=1e6), n)  # spikes when forced to
    net.connect(forced, cells, ns.OneToOne(), weight=2e6, delay=DT)
    net.connect(sources, cells, ns.OneToOne(), weight=weight, delay=DT, plasticity=rule, name="p")
    sim = ns.Simulation(net, DT, dtype="float64")
    sim.run(duration)
    return sim.weights("p") - weight


def by_voltage(rates, delta, u_delay):
    """Return the change by 15 pairs at each rate in Hz under the voltage-based rule."""
    dt, n, counts = 0.1, len(rates), np.arange(15)
    targets = [50.0 + counts * np.round(1000.0 / rate, 1) for rate in rates]
    duration = max(each[-1] for each in targets) + 100.0

    def given(trains, shift):
        times, ids = np.concatenate(trains) + shift, np.repeat(np.arange(n), [len(each) for each in trains])
        return ns.SpikeSource(ns.Spikes.from_times(times, ids, size=n, dt=dt, duration=duration))

    net = ns.Network()
    cells = net.add(ClopathAdEx(), n)
    net.connect(net.add(given(targets, -dt)), cells, ns.OneToOne(), weight=150.0, delay=dt)
    net.connect(net.add(given(targets, -delta - dt)), cells, ns.OneToOne(), weight=0.01, delay=dt, name="p",
                plasticity=ClopathSTDP(u_delay=u_delay, w_min=-9.0, w_max=9.0))
    sim = ns.Simulation(net, dt, dtype="float64")
    sim.run(duration)
    return sim.weights("p") - 0.01


def train(rate):
    """Return the times of 60 arrivals at a rate in Hz."""
    return 100.0 + np.arange(60) * np.round(1000.0 / rate)


figure, panels = plt.subplots(2, 3, figsize=(13, 7), layout="constrained")
(pair, bound, inhibitory), (triplet, voltage, early) = panels
deltas = np.concatenate([np.arange(-60.0, 0.0), np.arange(1.0, 61.0)])
one = np.array([100.0])

print("one pair, A+ = 0.01, A- = 0.0105, tau = 20 ms")
print(f"{'delta t (ms)':>14}{'change':>12}{'closed form':>14}")
rule = PairSTDP(a_plus=0.01, a_minus=0.0105)
for delta, change in zip((-40, -10, -1, 1, 10, 40), changes(rule, [-40, -10, -1, 1, 10, 40], one), strict=True):
    exact = 0.01 * np.exp(-delta / 20) if delta > 0 else -0.0105 * np.exp(delta / 20)
    print(f"{delta:>14}{change:>12.6f}{exact:>14.6f}")
pair.plot(deltas, changes(rule, deltas, one), ".", color=ns.plot.COLORS[0])
pair.set(title="pair rule", xlabel="target - arrival (ms)", ylabel="Change by one pair (mV)")

weights = np.linspace(0.0, 1.0, 21)
for color, mu in zip(ns.plot.COLORS, (0.0, 0.4, 1.0), strict=False):
    for delta, style in ((10.0, "-"), (-10.0, "--")):
        rule = PairSTDP(a_plus=0.01, a_minus=0.0105, mu_plus=mu, mu_minus=mu)
        found = [changes(rule, [delta], one, weight)[0] for weight in weights]
        bound.plot(weights, found, style, color=color, label=f"mu = {mu:g}" if delta > 0 else None)
bound.set(title="+10 ms, and -10 ms (dashed)", xlabel="Weight (mV)", ylabel="Change by one pair (mV)")
bound.legend(frameon=False)

rates = (0.1, 1.0, 5.0, 10.0, 20.0, 40.0, 50.0)
published = {10.0: (0.0000, 0.0001, 0.0493, 0.1321, 0.2470, 0.5337, 0.7409),
             -10.0: (-0.3122, -0.3122, -0.3146, -0.3336, -0.3516, 0.1548, 0.7272)}
print(f"\nsixty pairs, triplet rule, visual cortex{'':<3}" + "".join(f"{rate:>9g} Hz" for rate in rates))
for color, (delta, expected) in zip(ns.plot.COLORS, published.items(), strict=False):
    rule = TripletSTDP(w_min=-9.0, w_max=9.0)
    found = [changes(rule, [delta], train(rate))[0] for rate in rates]
    print(f"{f'{delta:+g} ms':>30}{'found':>12}" + "".join(f"{value:>12.4f}" for value in found))
    print(f"{'expected':>42}" + "".join(f"{value:>12.4f}" for value in expected))
    triplet.plot(rates, found, "o-", color=color, label=f"triplets, {delta:+g} ms")
    pairs = PairSTDP(a_plus=0.0075, a_minus=0.007, tau_plus=16.8, tau_minus=33.7, w_min=-9.0, w_max=9.0)
    triplet.plot(rates, [changes(pairs, [delta], train(rate))[0] for rate in rates], ":", color=color,
                 label=f"pairs, {delta:+g} ms")
triplet.set(title="sixty pairs", xlabel="Frequency (Hz)", ylabel="Change (mV)")
triplet.legend(frameon=False)

frequencies = (10.0, 20.0, 30.0, 40.0, 50.0)
print(f"\nfifteen pairs, voltage-based rule{'':<10}" + "".join(f"{rate:>9g} Hz" for rate in frequencies))
for axes, u_delay in ((voltage, 5.0), (early, 0.0)):
    for color, delta in zip(ns.plot.COLORS, (10.0, -10.0), strict=False):
        found = by_voltage(frequencies, delta, u_delay)
        print(f"{f'{delta:+g} ms, u_delay = {u_delay:g} ms':>42}" + "".join(f"{value:>12.4f}" for value in found))
        axes.plot(frequencies, found, "o-", color=color, label=f"{delta:+g} ms")
    axes.axhline(0.0, color="0.8")
    axes.set(title=f"fifteen pairs, by voltages {u_delay:g} ms late", xlabel="Frequency (Hz)", ylabel="Change (mV)")
    axes.legend(frameon=False)

rule = InhibitorySTDP(eta=0.01, alpha=0.25, w_max=9.0)
inhibitory.plot(deltas, changes(rule, deltas, one), ".", color=ns.plot.COLORS[0])
inhibitory.axhline(0.0, color="0.7")
inhibitory.set(title="inhibitory rule, alpha = 0.25", xlabel="target - arrival (ms)", ylabel="Change by one pair (mV)")
path = ns.plot.save(figure, options.out / f"stdp_curves.{options.format}")
print(f"\nwrote {path}")
