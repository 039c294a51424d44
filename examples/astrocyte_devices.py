"""Can an astrocyte repair a learning liquid whose synapses are bad devices?

    python examples/astrocyte_devices.py [--seeds 1] [--quick] [--out FOLDER]

All synapses of a small liquid, and those from its input, learn by STDP while it runs. An astrocyte that compares the
spikes of the liquid with those of the input sets the depression; without it STDP drives the liquid to ever more spikes
that say ever less (examples/nalsm.py has the method on larger tasks). Here every synapse is a device, and every change
that STDP asks for becomes pulses, whose effect is nonlinear, other up than down, other from device to device, noisy.
For each kind of device: random weights that are written and stay, STDP alone, and STDP with the astrocyte at several
strengths; accuracy of a linear readout of small digits (scikit-learn), rate, and rank of the states.

Source: Ivanov, Michmizos, Increasing liquid state machine performance with edge-of-chaos dynamics organized by
astrocyte-modulated plasticity, NeurIPS 2021; the devices: Chen, Peng, Yu, IEEE TCAD 37 (2018) 3067.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import neurosim as ns
from hardware_models.memristor import NonlinearPulses
from learning_rules import AstrocyteSTDP, Gated
from neurosim.readouts import interval, ridge, score
from neurosim.reservoirs import NalsmLattice
from neurosim.reservoirs.metrics import kernel_quality

ns.plot.style()

SAMPLE, SHORT, BRIGHT = 200, 20, 0.2  # ms of a sample, and of those learned from first; chance of a white pixel per ms
N_INPUTS, DENSITY = 64, 0.3  # inputs, and the share of their pairs with the liquid that have a synapse
FADING = 100.0  # ms: how fast learning ends during a sample
BASE, TAU_ASTRO = 0.15, 100.0  # what the astrocyte returns to, and how fast (ms)
START = {"input": 1.5, "e": 1.5, "i": -1.5}  # weights at first, mV; those of the input have either sign
PULSES = 100  # from one end of a device's range to the other
RANGES = {"input": (-3.0, 3.0), "e": (0.0, 3.0), "i": (-3.0, 0.0)}  # of weights, mV
KINDS = {  # labels of nonlinearity up and down; spread of devices; noise of a pulse, of writing, of a read
    "exact": None,
    "noisy": (0.0, 0.0, 0.3, 0.035, 0.05, 0.05),
    "nonlinear": (2.4, -4.88, 0.0, 0.0, 0.0, 0.0),
    "nonlinear, up steeper": (4.88, -2.4, 0.0, 0.0, 0.0, 0.0),
    "nonlinear, noisy": (2.4, -4.88, 0.3, 0.035, 0.05, 0.05),
}


def devices(kind, count, bounds, seed):
    """Return so many devices of a kind whose weights are within bounds; None for exact weights."""
    if kind is None:
        return None
    up, down, spread, pulse, write, read = kind
    generator = np.random.default_rng([seed, 4])

    def vary(value, low, high):
        return np.clip(value * (1 + spread * generator.standard_normal(count)), low, high)

    return NonlinearPulses.labelled(
        vary(up, 0.0, 9.0), vary(down, -9.0, 0.0), pulses_up=vary(PULSES, 10, 1000), pulses_down=vary(PULSES, 10, 1000),
        weight_low=bounds[0], weight_high=bounds[1], weight_max=3.0, cycle_noise=pulse, programming_noise=write,
        read_noise=read, seed=seed)


class Chip:
    """A liquid, drawn by its seed, whose synapses are devices of some kind."""

    def __init__(self, shape, seed, kind):
        generator, topology = np.random.default_rng([seed, 1]), NalsmLattice(shape)
        places, self.size = topology.places(generator), topology.size
        first = {"e": 0, "i": self.size - topology.n_inhibitory}
        among = {"e": places[:first["i"]], "i": places[first["i"]:]}
        chosen = generator.choice(N_INPUTS * self.size, round(DENSITY * N_INPUTS * self.size), replace=False)
        self.pairs = {"input": np.divmod(chosen, self.size)}
        for a in "ei":
            found = [np.array(topology.pairs(a + b, among[a], among[b], generator)) + [[first[a]], [first[b]]]
                     for b in "ei"]
            self.pairs[a] = tuple(np.concatenate(found, axis=1))
        self.start = START | {"input": START["input"] * generator.choice([-1.0, 1.0], chosen.size)}
        self.layers = {name: devices(kind, len(pairs[0]), RANGES[name], 3 * seed + k)
                       for k, (name, pairs) in enumerate(self.pairs.items())}

    def network(self, w_astro=0.0, learning=True):
        """Return the network, with an astrocyte of some strength."""
        net = ns.Network()
        nothing = ns.Spikes(ticks=[], ids=[], size=N_INPUTS, dt=1.0, duration=1.0)
        given = net.add(ns.SpikeSource(nothing), name="input")
        neuron = ns.LIF(tau_mem=64.0, v_leak=0.0, v_reset=0.0, v_threshold=8.0, t_ref=2.0)
        liquid = net.add(neuron, self.size, name="liquid")
        astrocyte = net.add(ns.LeakyIntegrator(tau_mem=TAU_ASTRO, v_leak=BASE), 1, name="astrocyte")
        fading = net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0), 1, name="fading", initial={"v": 1.0})
        for name, (sources, targets) in self.pairs.items():
            low, high = RANGES[name]
            rule = AstrocyteSTDP(kind="inhibitory" if name == "i" else "excitatory", w_min=low, w_max=high)
            signals = {"astrocyte": (astrocyte, "v"), "signal": (fading, "v")}
            net.connect(given if name == "input" else liquid, liquid, ns.Explicit(sources, targets), delay=1.0,
                        name=name, weight=self.start[name], device=self.layers[name],
                        plasticity=[rule, Gated()] if learning else None, modulators=signals if learning else None)
        if w_astro:
            net.connect(liquid, astrocyte, weight=w_astro / TAU_ASTRO, delay=1.0)
            net.connect(given, astrocyte, weight=-w_astro / TAU_ASTRO, delay=1.0)
        net.record(liquid)
        return net


def spikes(image, duration, generator):
    """Return spikes of an image, 0 to 1."""
    ticks, ids = np.nonzero(generator.random((duration, N_INPUTS)) < image * BRIGHT)
    return ns.Spikes(ticks=ticks + 1, ids=ids.astype(np.uint32), size=N_INPUTS, dt=1.0, duration=1.0 * duration)


def respond(chip, images, n_train, short, seed, w_astro, learning):
    """Return the counts of all neurons for all images, after learning from short samples of those for training."""
    generator = np.random.default_rng([seed, 2])
    sim = ns.Simulation(chip.network(w_astro, learning), 1.0, seed=seed)
    if learning:
        rest, plastic = sim.state(), list(RANGES)
        for row in generator.integers(0, n_train, short):
            sim.give("input", spikes(images[row], SHORT, generator))
            sim.run(SHORT)
            sim.restore(rest, keep=plastic)
        sim.set("fading", tau_mem=FADING)
    samples = [spikes(image, SAMPLE, generator) for image in images]
    results = sim.run_batch(samples, 1.0 * SAMPLE, threads=1)
    return np.array([np.bincount(each.spikes("liquid").ids, minlength=chip.size) for each in results])


def condition(kind, shape, images, digits, n_train, short, seed, w_astro=0.0, learning=True):
    """Return accuracy, rate in Hz, and rank of the states of one liquid."""
    counts = respond(Chip(shape, seed, kind), images, n_train, short, seed, w_astro, learning)
    readout = ridge().fit(counts[:n_train], digits[:n_train])
    right = score(readout, counts[n_train:], digits[n_train:], n_train).accuracy
    return right, counts.mean() * 1000 / SAMPLE, kernel_quality(counts[n_train:], 1e-3)


def measure(name, ways, shape, splits, n_train, short):
    """Return, for each way to learn, (accuracy, rate, rank) of each seed, shape (seeds, 3), and print the means."""
    found = {}
    for way, how in ways.items():
        found[way] = np.array([condition(KINDS[name], shape, *splits[seed], n_train, short, seed, **how)
                               for seed in range(len(splits))])
        right, rate, rank = found[way].mean(axis=0)
        std = found[way][:, 0].std(ddof=len(splits) > 1)
        low, high = interval(right, len(splits[0][1]) - n_train)
        print(f"{name:<24}{way:<22}{right:>9.3f}  {low:.3f} to {high:.3f}{std:>7.3f}"
              f"{rate:>9.1f}{rank:>7.0f}", flush=True)
    return found


def answer(table):
    """Say what the astrocyte does for each kind of device, at the strength that suits exact weights and at its best."""
    ways = [way for way in table["exact"] if way.startswith("astrocyte")]
    mean = {name: {way: results[:, 0].mean() for way, results in found.items()} for name, found in table.items()}
    chosen = max(ways, key=mean["exact"].get)
    print(f"\npoints of accuracy: what {chosen}, which suits exact weights, wins over STDP alone;\nwhat the best "
          "strength (chosen on the test samples: a little too good) wins over STDP alone, and over fixed weights")
    for name, of in mean.items():
        best = max(of[way] for way in ways)
        print(f"{name:<24}" + "".join(f"{100 * won:>+8.1f}" for won in (
            of[chosen] - of["STDP alone"], best - of["STDP alone"], best - of["fixed weights"])))


def plot(table, chance, pixels, path):
    """Draw accuracy, rate and rank of all kinds of devices and ways to learn."""
    figure, panels = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    ways = list(table["exact"])
    for part, (panel, label) in enumerate(zip(panels, ("accuracy", "rate (Hz)", "rank of the states"), strict=True)):
        for k, way in enumerate(ways):
            at = np.arange(len(table)) + (k - (len(ways) - 1) / 2) * 0.16
            values = np.array([found[way][:, part] for found in table.values()])
            panel.bar(at, values.mean(axis=1), 0.16, color=ns.plot.COLORS[k], label=way)
            panel.plot(np.repeat(at, values.shape[1]), values.ravel(), "k.", ms=3)
        panel.set_xticks(range(len(table)), [name.replace(", ", ",\n") for name in table], fontsize=8)
        panel.set_ylabel(label)
    panels[0].axhline(pixels, color="grey", ls=":", label="ridge of pixels")
    panels[0].axhline(chance, color="grey", label="chance")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=7, fontsize=8)
    ns.plot.save(figure, path)


def main():
    """Measure, print, answer and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=1, help="of liquids, devices, samples and splits (1)")
    arguments.add_argument("--quick", action="store_true", help="a smaller liquid, fewer samples, two kinds of devices")
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for astrocyte_devices.png")
    arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
    options = arguments.parse_args()
    shape, n_train, n_test, short = ((4, 4, 5), 100, 60, 100) if options.quick else ((6, 6, 6), 200, 200, 1000)
    strengths, kinds = ((0.05,), ("exact", "nonlinear, noisy")) if options.quick else ((0.015, 0.05, 0.15), KINDS)
    data, splits = load_digits(), []
    for seed in range(options.seeds):
        rows = np.random.default_rng([seed, 3]).permutation(len(data.target))[:n_train + n_test]
        splits.append((data.images[rows].reshape(-1, N_INPUTS) / 16.0, data.target[rows]))
    linear = np.mean([score(ridge().fit(x[:n_train], y[:n_train]), x[n_train:], y[n_train:], n_train).accuracy
                      for x, y in splits])
    chance = np.mean([np.bincount(y[n_train:]).max() / n_test for _, y in splits])
    print(f"{np.prod(shape)} neurons, n_train {n_train}, n_test {n_test}, seeds 0 to {options.seeds - 1}; chance "
          f"{chance:.3f}; a linear readout of the pixels {linear:.3f}\n")
    print(f"{'devices':<24}{'':<22}{'accuracy':>9}  {'95 % interval':<14}{'std':>7}{'rate/Hz':>9}{'rank':>7}")
    ways = {"fixed weights": {"learning": False}, "STDP alone": {}}
    ways |= {f"astrocyte, w = {w:g}": {"w_astro": w} for w in strengths}
    table = {name: measure(name, ways, shape, splits, n_train, short) for name in kinds}
    answer(table)
    path = options.out / f"astrocyte_devices.{options.format}"
    plot(table, chance, linear, path)
    print(f"\nwrote {path}")


if __name__ == "__main__":
    main()
