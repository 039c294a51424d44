"""An astrocyte keeps a learning liquid at the edge of chaos: NALSM on small digits, N-MNIST or MNIST.

    python examples/nalsm.py [--task digits] [--quick] [--out FOLDER]
    NEUROSIM_DATA=FOLDER python examples/nalsm.py --task nmnist | mnist [--train N] [--test N] [--w 0.01] [--out FOLDER]

All synapses of a liquid, and those from its input, learn by STDP. Alone, STDP drives the liquid until it says the same
to every input. An astrocyte that compares the spikes of the liquid with those of the input, and sets the depression of
STDP, repairs it. First the liquid learns from short samples of many inputs; then every sample starts from the weights
that came of it, and learning goes on during the sample, ever slower. A linear readout is trained on the spike counts.

The task "digits" (from scikit-learn, 8 x 8 pixels) compares fixed weights, STDP alone, and the astrocyte at several
strengths w, with accuracy, rate, rank of the states, and branching factor. These digits are nearly linear in their
pixels: they show what STDP ruins and what the astrocyte repairs, not what a liquid is good for.

Source: Ivanov, Michmizos, Increasing liquid state machine performance with edge-of-chaos dynamics organized by
astrocyte-modulated plasticity, NeurIPS 2021, and its code.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import AstrocyteSTDP, Gated, NonAccumulating
from neurosim.checks import Parameter
from neurosim.neurons import Linear, State
from neurosim.readouts import ridge, score
from neurosim.reservoirs import NalsmLattice
from neurosim.reservoirs.metrics import kernel_quality

SAMPLE, SHORT = 250, 20  # ms of a sample, and of those from which the liquid learns first
FADING = -1.0 / np.log(0.99)  # ms: the rates of learning lose 1 % per ms during a sample
RANK = 1e-3  # singular values below this share of the largest do not count
BASE, TAU_ASTRO = 0.15, 100.0  # what the astrocyte returns to, and how fast (ms)


class Restless(ns.LIF):
    """The liquid's neuron: while it is refractory it goes on integrating, and cannot spike; for currents only."""

    pause = Parameter(2.0, "ms", at_least=0, doc="how long no spike can follow a spike")
    state = {"v": ns.LIF.state["v"], "rest": State(-1.0, "ms", "how long it stays refractory, and below 0 not at all")}

    def linear(self, p):
        membrane = super().linear(p)
        return Linear(matrix=membrane.matrix, constant=membrane.constant | {"rest": -1.0}, current=membrane.current)

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"pause": p.pause, "ready": -0.5 * dt}

    @staticmethod
    def fires(v, rest, v_threshold, ready):
        """Above the threshold, and not refractory."""
        return (v > v_threshold) & (rest < ready)

    @staticmethod
    def after_spike(v, rest, v_reset, pause):
        """Reset, and be refractory."""
        return v_reset, pause


class Wiring:
    """Who is connected to whom in a liquid and from its input, drawn once for all conditions."""

    def __init__(self, shape, n_inputs, seed):
        generator = np.random.default_rng([seed, 1])
        self.topology, self.n_inputs, self.seed = NalsmLattice(shape), n_inputs, seed
        places = self.topology.places(generator)
        self.size, n_exc = self.topology.size, self.topology.size - self.topology.n_inhibitory
        kind = {"e": (places[:n_exc], 0), "i": (places[n_exc:], n_exc)}
        self.pairs = {}
        for a in "ei":
            found = []
            for b in "ei":
                i, j = self.topology.pairs(a + b, kind[a][0], kind[b][0], generator)
                found.append(np.stack([i + kind[a][1], j + kind[b][1]]))
            self.pairs[a] = np.concatenate(found, axis=1)
        chosen = generator.choice(n_inputs * self.size, round(0.15 * n_inputs * self.size), replace=False)
        self.pairs["input"] = np.stack(np.divmod(chosen, self.size))
        self.signs = generator.choice([-1.0, 1.0], chosen.size)
        self.tau_u = generator.integers(1, 3, self.size).astype(float)

    def network(self, w_astro=0.0, fixed=None):
        """Return the liquid, learning, with an astrocyte of strength w_astro; or with weights of one fixed size."""
        net = ns.Network()
        nothing = ns.Spikes.from_times([], [], size=self.n_inputs, dt=1.0, duration=1.0)
        given = net.add(ns.SpikeSource(nothing), name="input")
        charge = self.tau_u**2 * -np.expm1(-1.0 / self.tau_u)  # a spike brings what steps of 1 ms of Euler bring
        neuron = Restless(tau_mem=64.0, c_mem=charge, v_leak=0.0, v_reset=0.0, v_threshold=20.0)
        liquid = net.add(neuron, self.size, name="liquid")
        astrocyte = net.add(ns.LeakyIntegrator(tau_mem=TAU_ASTRO, v_leak=BASE), 1, name="astrocyte")
        fading = net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0), 1, name="fading", initial={"v": 1.0})
        signals = {"astrocyte": (astrocyte, "v"), "signal": (fading, "v")}
        rules = {"input": AstrocyteSTDP(w_min=-3.0), "e": AstrocyteSTDP(),
                 "i": AstrocyteSTDP(kind="inhibitory", w_min=-3.0, w_max=0.0)}
        weights = {"input": self.signs, "e": 1.0, "i": -1.0}
        for name, (sources, targets) in self.pairs.items():
            net.connect(given if name == "input" else liquid, liquid, ns.Explicit(sources, targets), delay=1.0,
                        name=name, weight=weights[name] * (1.0 if fixed is None else fixed),
                        receptor=ns.ExponentialCurrent(self.tau_u),
                        release=NonAccumulating(tau_syn=self.tau_u[targets]),
                        plasticity=None if fixed is not None else [rules[name], Gated()],
                        modulators=None if fixed is not None else signals)
        if w_astro:
            net.connect(liquid, astrocyte, weight=w_astro / TAU_ASTRO, delay=1.0)
            net.connect(given, astrocyte, weight=-w_astro / TAU_ASTRO, delay=1.0)
        net.record(liquid)
        return net


def poisson(chances, ticks, generator):
    """Return spikes of inputs with the given chances per ms, silent for 2 ms after each spike."""
    at, ids = [], []
    for pixel in np.flatnonzero(chances):
        gaps = generator.geometric(chances[pixel], ticks // 3 + 2) + 2
        times = np.cumsum(gaps) - 2
        times = times[times <= ticks]
        at.append(times)
        ids.append(np.full(times.size, pixel))
    at, ids = (np.concatenate(each) if each else np.zeros(0, int) for each in (at, ids))
    order = np.argsort(at, kind="stable")
    return ns.Spikes(ticks=at[order], ids=ids[order].astype(np.uint32), size=chances.size, dt=1.0, duration=1.0 * ticks)


class Images:
    """Images as chances per ms: each divided by its sum, all by the largest value that comes of it."""

    def __init__(self, images, digits):
        shares = images / images.sum(axis=1, keepdims=True)
        self.chances, self.digits, self.n_inputs = shares / shares.max(), np.asarray(digits), images.shape[1]

    def spikes(self, index, ticks, generator):
        """Return the spikes of one sample."""
        return poisson(self.chances[index], ticks, generator)

    def raw(self, index):
        """Return the features of the linear readout beside the liquid."""
        return self.chances[index]


class Recordings:
    """Recordings of an event camera in ticks of 1 ms, one event per tick and pixel."""

    def __init__(self, parts):
        self.all = [np.unique(np.stack([s.ticks, s.ids]), axis=1) for s in parts[0]]
        self.digits, self.n_inputs = np.asarray(parts[1]), 2 * 34 * 34

    def spikes(self, index, ticks, generator):
        """Return a sample, or a part of it from a random time on where fewer ticks are wanted than a sample has."""
        ticks_at, ids = self.all[index]
        begin = 0 if ticks >= SAMPLE else generator.integers(0, 300 - ticks)
        mine = (ticks_at > begin) & (ticks_at <= begin + ticks)
        return ns.Spikes(ticks=ticks_at[mine] - begin, ids=ids[mine].astype(np.uint32), size=self.n_inputs, dt=1.0,
                         duration=1.0 * ticks)

    def raw(self, index):
        """Return the number of events of each pixel."""
        return np.stack([np.bincount(self.all[k][1], minlength=self.n_inputs) for k in index])


def learn(sim, data, rows, generator):
    """Let the liquid learn from short samples, each from rest, the weights carried from one to the next."""
    rest, learning = sim.state(), ["input", "e", "i"]
    for number, row in enumerate(rows):
        if number:
            sim.restore(rest, keep=learning)
        sim.give("input", data.spikes(row, SHORT, generator))
        sim.run(SHORT)
    sim.restore(rest, keep=learning)


def respond(sim, data, rows, generator, block=200):
    """Return the counts of each neuron and sample, and the spikes of the first twenty."""
    counts, some = [], []
    for first in range(0, len(rows), block):
        samples = [data.spikes(row, SAMPLE, generator) for row in rows[first:first + block]]
        results = [result.spikes("liquid") for result in sim.run_batch(samples, SAMPLE, threads=1)]
        counts += [np.bincount(spikes.ids, minlength=spikes.size) for spikes in results]
        some += results[:20 - len(some)]
    return np.array(counts), some


def branching(wiring, spikes):
    """Return the branching factor: spikes of a neuron's targets in 4 ms after one of its spikes, over those of its
    sources in the 4 ms before (at least 1), averaged over all spikes but those at the edges of a sample."""
    joined = np.zeros((wiring.size, wiring.size), np.float32)
    for kind in "ei":
        joined[tuple(wiring.pairs[kind])] = 1.0
    ratios = []
    for each in spikes:
        active = np.zeros((SAMPLE + 1, wiring.size), np.float32)
        active[each.ticks, each.ids] = 1.0
        before = np.cumsum(active, axis=0)
        window = before[4:] - before[:-4]  # row k: spikes of ticks k + 1 .. k + 4
        after, earlier = (window[4:] @ joined.T)[1:], (window @ joined)[:-4]
        here = active[4:][1:len(after) + 1] > 0
        ratios.append((after / np.maximum(1.0, earlier[:len(after)]))[here[:len(after)]])
    ratios = np.concatenate(ratios)
    return float(ratios.mean()) if ratios.size else np.nan


def features(counts):
    """Return counts divided by their sum in each sample, and by the largest value of all."""
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return shares / shares.max()


def condition(wiring, data, train, test, short, seed, w_astro=0.0, fixed=None):
    """Return what a kind of liquid does: accuracy, rate, rank, branching factor, mean weights, seconds."""
    began, generator = time.perf_counter(), np.random.default_rng([seed, 2])
    sim = ns.Simulation(wiring.network(w_astro, fixed), 1.0, seed=seed)
    if fixed is None:
        learn(sim, data, generator.choice(train, short), generator)
        sim.set("fading", tau_mem=FADING)
    counts, some = respond(sim, data, train, generator)
    test_counts, _ = respond(sim, data, test, generator)
    readout = ridge().fit(features(counts), data.digits[train])
    result = score(readout, features(test_counts), data.digits[test], len(train))
    return {"accuracy": result.accuracy, "interval": result.interval, "chance": result.chance,
            "rate": test_counts.mean() * 1000 / SAMPLE, "rank": kernel_quality(test_counts, RANK),
            "branching": branching(wiring, some), "weight": float(np.abs(sim.weights("e")).mean()),
            "seconds": time.perf_counter() - began}


def told(name, r):
    """Return a row of the table."""
    return (f"{name:<22}{r['accuracy']:>9.3f}{r['rate']:>9.1f}{r['rank']:>7}{r['branching']:>11.2f}{r['weight']:>12.2f}"
            f"{r['seconds']:>9.0f}")


def compare(wiring, data, train, test, short, seed, sizes, strengths):
    """Run all conditions, print their table, and return it."""
    linear = score(ridge().fit(data.raw(train), data.digits[train]), data.raw(test), data.digits[test], len(train))
    print(f"{len(train)} training samples, {len(test)} test samples; chance {linear.chance:.3f}; a linear readout of "
          f"the raw input {linear.accuracy:.3f}\n")
    print(f"{'':<22}{'accuracy':>9}{'rate/Hz':>9}{'rank':>7}{'branching':>11}{'mean |w| E':>12}{'seconds':>9}")
    table = {}
    for size in sizes:
        table[f"fixed {size:g}"] = condition(wiring, data, train, test, short, seed, fixed=size)
        print(told(f"fixed weights {size:g}", table[f"fixed {size:g}"]), flush=True)
    table["STDP"] = condition(wiring, data, train, test, short, seed)
    print(told("STDP alone", table["STDP"]), flush=True)
    for w in strengths:
        table[w] = condition(wiring, data, train, test, short, seed, w_astro=w)
        print(told(f"astrocyte, w = {w:g}", table[w]), flush=True)
    return table


def plot(table, strengths, path):
    """Plot branching factor against w, and accuracy against branching factor."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    branchings = [table[w]["branching"] for w in strengths]
    left.plot(strengths, branchings, "o-", color=ns.plot.COLORS[0])
    left.axhline(1.0, color="0.6", linestyle="--")
    left.set(xlabel="strength of the astrocyte, w", ylabel="Branching factor")
    left.set_xscale("log")
    for name, result in table.items():
        kind = 0 if not isinstance(name, str) else 1 if name == "STDP" else 2
        right.plot(result["branching"], result["accuracy"], "osD"[kind], color=ns.plot.COLORS[kind],
                   label=None if not isinstance(name, str) and name != strengths[0] else
                   ("astrocyte", "STDP alone", "fixed weights")[kind])
    handles, labels = right.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    right.legend(unique.values(), unique.keys(), frameon=False)
    right.set(xlabel="Branching factor", ylabel="Accuracy")
    figure.savefig(path, dpi=100)


def small_digits():
    """Return the digits of scikit-learn, twice enlarged to 16 x 16."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return Images(np.kron(found.images, np.ones((2, 2))).reshape(len(found.target), -1), found.target)


def read(task, root):
    """Return the data of a task, and how many of its samples are for training; the rest is for tests."""
    if task == "digits":
        return small_digits(), 1400
    if root is None or not (root / task).is_dir():
        print(f"nalsm.py needs the data of {task} and found none: set NEUROSIM_DATA to a folder that holds {task}/. "
              "Nothing was done.")
        sys.exit(0)
    if task == "mnist":
        digits = ns.datasets.MNIST(root / "mnist" / "train-images-idx3-ubyte.gz",
                                   root / "mnist" / "train-labels-idx1-ubyte.gz")
        return Images(digits.images.reshape(len(digits), -1).astype(np.float32), digits.labels), 50_000
    archive = sorted((root / "nmnist").glob("*.zip"))[0]
    parts = [ns.datasets.NMNIST(archive, train=train) for train in (True, False)]
    spikes = [ns.datasets.to_spikes(events, part.sensor_size, dt=1.0) for part in parts for events, _ in part]
    return Recordings((spikes, np.concatenate([part.labels for part in parts]))), len(parts[0])


def main():
    """Read, compare, print and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--task", choices=("digits", "nmnist", "mnist"), default="digits")
    arguments.add_argument("--quick", action="store_true", help="a smaller liquid and fewer samples")
    arguments.add_argument("--train", type=int, help="training samples")
    arguments.add_argument("--test", type=int, help="test samples")
    arguments.add_argument("--short", type=int, help="short samples from which the liquid learns first")
    arguments.add_argument("--w", type=float, nargs="*", help="strengths of the astrocyte")
    arguments.add_argument("--fixed", type=float, nargs="*", help="sizes of fixed weights")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nalsm.png")
    options = arguments.parse_args()
    root = Path(os.environ["NEUROSIM_DATA"]) if os.environ.get("NEUROSIM_DATA") else None
    data, n_train = read(options.task, root)
    small = options.task == "digits"
    shape = (5, 5, 5) if options.quick else (8, 8, 8) if small else (10, 10, 10)
    most = (100, 60) if options.quick else (300, 150) if small else (n_train, len(data.digits) - n_train)
    generator = np.random.default_rng([options.seed, 3])
    train = generator.permutation(n_train)[:options.train or most[0]]
    test = n_train + generator.permutation(len(data.digits) - n_train)[:options.test or most[1]]
    short = options.short or (200 if options.quick else 1500 if small else len(train))
    strengths = options.w or ([0.005, 0.05] if options.quick else [0.001, 0.005, 0.015, 0.05] if small else [0.01])
    sizes = options.fixed or ([0.6] if options.quick or not small else [0.3, 0.6])
    wiring = Wiring(shape, data.n_inputs, options.seed)
    table = compare(wiring, data, train, test, short, options.seed, sizes, strengths)
    best = max(strengths, key=lambda w: table[w]["accuracy"])
    print(f"\nSTDP alone: {table['STDP']['rate'] / table[best]['rate']:.1f} times the rate of the astrocyte's liquid, "
          f"{table['STDP']['rank'] / table[best]['rank']:.2f} of its rank, "
          f"{100 * (table[best]['accuracy'] - table['STDP']['accuracy']):.0f} points less accurate")
    plot(table, strengths, options.out / "nalsm.png")
    print(f"\nwrote {options.out / 'nalsm.png'}")


if __name__ == "__main__":
    main()
