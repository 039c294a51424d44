"""An astrocyte keeps a learning liquid at the edge of chaos: NALSM on small digits, N-MNIST or MNIST.

    python examples/nalsm.py [--task digits] [--quick] [--out FOLDER]
    NEUROSIM_DATA=FOLDER python examples/nalsm.py --task nmnist [--rounds 1] [--fixed 1] [--w 0.015] [--out FOLDER]
    NEUROSIM_DATA=FOLDER python examples/nalsm.py --task mnist [--train N] [--test N] [--stop 0.015] [--out FOLDER]

All synapses of a liquid, and those from its input, learn by STDP. Alone, STDP drives the liquid until it says the same
to every input. An astrocyte that compares the spikes of the liquid with those of the input, and sets the depression of
STDP, repairs it. First the liquid learns from short samples of many inputs; then every sample starts from the weights
that came of it, and learning goes on during the sample, ever slower. A linear readout is trained on the spike counts.

Fixed weights, STDP alone (w = 0), and the astrocyte at several strengths w are compared by accuracy, rate, rank of the
states, and branching factor. The task "digits" (from scikit-learn, 8 x 8 pixels) is nearly linear in its pixels: it
shows what STDP ruins and what the astrocyte repairs, not what a liquid is good for. "nmnist" takes its 900 recordings
in five folds, and a liquid learns anew from the training recordings of each; "mnist" trains with some of the first
50,000 images of the training file (1,000) and tests with some of its last 10,000 (500). In both the traces of spikes
reach from one short sample into the next, as in the source; the digits begin each with fresh traces (--traces), with
which STDP runs away much sooner. With --stop a liquid learns no more during samples, which is several times as fast.

Source: Ivanov, Michmizos, Increasing liquid state machine performance with edge-of-chaos dynamics organized by
astrocyte-modulated plasticity, NeurIPS 2021, and its code.
"""

import argparse
import itertools
import os
import sys
import time
import warnings
from pathlib import Path
from typing import ClassVar

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import AstrocyteSTDP, Gated, NonAccumulating
from neurosim.checks import Parameter
from neurosim.contracts import State
from neurosim.neurons.base import Neuron
from neurosim.readouts import interval, ridge
from neurosim.reservoirs import NalsmLattice
from neurosim.reservoirs.metrics import kernel_quality

ns.plot.style()

SAMPLE, SHORT = 250, 20  # ms of a sample, and of those from which the liquid learns first
FADING = -1.0 / np.log(0.99)  # ms: the rates of learning lose 1 % per ms during a sample
STRENGTHS = (0.003, 0.01, 0.03, 0.1)  # of the softmax layer, inverse penalties
RANK = 1e-3  # singular values below this share of the largest do not count
BASE, TAU_ASTRO = 0.15, 100.0  # what the astrocyte returns to, and how fast (ms)


class LiquidNeuron(Neuron):
    """The liquid's neuron in steps of 1 ms, as the source's code has it: a spike brings its weight at once and decays.

    v' = (1 - dt / tau_mem) v + u;  u' = u exp(-dt / tau_syn);  an arrival of weight w adds w to both.

    u is v less `old`, what v would be without it. While the neuron is refractory it goes on integrating.
    """

    tau_mem = Parameter(64.0, "ms", above=0, doc="membrane time constant")
    tau_syn = Parameter(1.0, "ms", above=0, doc="time constant of what synapses bring")
    v_threshold = Parameter(20.0, "mV", doc="threshold")
    pause = Parameter(2.0, "ms", at_least=0, doc="how long no spike can follow a spike")
    state = {"v": State(0.0, "mV", "membrane potential"), "old": State(0.0, "mV", "the same without the present input"),
             "rest": State(-1.0, "ms", "how long it stays refractory, and below 0 not at all")}

    def coefficients(self, p, dt):
        return {"stays": 1.0 - dt / p.tau_mem, "lasts": np.exp(-dt / p.tau_syn), "v_threshold": p.v_threshold,
                "pause": p.pause, "dt": dt}

    @staticmethod
    def step(v, old, rest, stays, lasts, dt):
        """Leak, and bring what decays."""
        left = stays * v
        return left + lasts * (v - old), left, rest - dt

    @staticmethod
    def fires(v, rest, v_threshold, dt):
        """At the threshold, and not refractory."""
        return (v >= v_threshold) & (rest < -0.5 * dt)

    @staticmethod
    def after_spike(v, old, pause):
        """Be at 0, but for the present input in the next step, and refractory."""
        return 0.0 * v, old - v, pause


class SpikePairs(AstrocyteSTDP):
    """The rule with pairs by the times of the two spikes, and none at the same time, as the source's code counts them.

    For a step and a delay of 1 ms: what counts at an arrival is corrected for the step. A target that spiked with the
    source is known by its refractory time, which is still whole.
    """

    reads: ClassVar[tuple[str, ...]] = ("rest",)

    @property
    def on_source(self):
        """What an arrival does."""
        return _raised_by_y if self.kind == "inhibitory" else _lowered_by_y

    @property
    def on_target(self):
        """What a spike of the target does."""
        return _lowered_by_x if self.kind == "inhibitory" else _raised_by_x


STEP = np.exp(-0.1)  # what is left of a trace of 10 ms after 1 ms


def _before(y, rest):
    return y / STEP - 1.0 if rest > 1.5 else y / STEP


def _raised_by_y(weight, y, rest, share, a_plus, w_min, w_max):
    return min(max(weight + share * a_plus * _before(y, rest), w_min), w_max)


def _lowered_by_y(weight, y, rest, share, astrocyte, w_min, w_max):
    return min(max(weight - share * astrocyte * _before(y, rest), w_min), w_max)


def _raised_by_x(weight, x, share, a_plus, w_min, w_max):
    return min(max(weight + share * a_plus * STEP * x, w_min), w_max)


def _lowered_by_x(weight, x, share, astrocyte, w_min, w_max):
    return min(max(weight - share * astrocyte * STEP * x, w_min), w_max)


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
            found = np.concatenate(found, axis=1)
            self.pairs[a] = found[:, np.lexsort(found[::-1])]  # the order in which a simulation gives weights
        chosen = generator.choice(n_inputs * self.size, round(0.15 * n_inputs * self.size), replace=False)
        self.pairs["input"] = np.stack(np.divmod(np.sort(chosen), self.size))
        self.signs = generator.choice([-1.0, 1.0], chosen.size)

    def network(self, w_astro=0.0, fixed=None):
        """Return the liquid, learning, with an astrocyte of strength w_astro; or with fixed weights.

        Fixed weights are one size for all, or a dict from "input", "e" and "i" to what these synapses have learned.
        """
        net = ns.Network()
        nothing = ns.Spikes.from_times([], [], size=self.n_inputs, dt=1.0, duration=1.0)
        given = net.add(ns.SpikeSource(nothing), name="input")
        liquid = net.add(LiquidNeuron(), self.size, name="liquid")
        astrocyte = net.add(ns.LeakyIntegrator(tau_mem=FADING, v_leak=BASE), 1, name="astrocyte")
        fading = net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0), 1, name="fading", initial={"v": 1.0})
        signals = {"astrocyte": (astrocyte, "v"), "signal": (fading, "v")}
        rules = {"input": SpikePairs(w_min=-3.0), "e": SpikePairs(),
                 "i": SpikePairs(kind="inhibitory", w_min=-3.0, w_max=0.0)}
        size = 1.0 if fixed is None else fixed
        weights = size if isinstance(size, dict) else {"input": size * self.signs, "e": size, "i": -size}
        for name, (sources, targets) in self.pairs.items():
            net.connect(given if name == "input" else liquid, liquid, ns.Explicit(sources, targets), delay=1.0,
                        name=name, weight=weights[name],
                        receptor=ns.Delta(), release=NonAccumulating(tau_syn=LiquidNeuron().tau_syn),
                        plasticity=None if fixed is not None else [rules[name], Gated()],
                        modulators=None if fixed is not None else signals)
        if w_astro:
            net.connect(liquid, astrocyte, weight=w_astro / TAU_ASTRO, delay=1.0)
            net.connect(given, astrocyte, weight=-w_astro / TAU_ASTRO, delay=1.0)
        net.record(liquid)
        return net


def poisson(chances, ticks, generator):
    """Return spikes of inputs with the given chances of a pulse per ms.

    An input spikes 1 ms after a pulse, but not within 3 ms of its last spike: then the pulse waits.
    """
    pixels = np.flatnonzero(chances)
    gaps = generator.geometric(chances[pixels, None], (pixels.size, ticks // 3 + 2))
    gaps[:, 1:] = np.maximum(gaps[:, 1:], 3)
    at = 1 + np.cumsum(gaps, axis=1)
    which, _ = np.nonzero(at <= ticks)
    at, ids = at[at <= ticks], pixels[which]
    order = np.argsort(at, kind="stable")
    return ns.Spikes(ticks=at[order], ids=ids[order].astype(np.uint32), size=chances.size, dt=1.0, duration=1.0 * ticks)


def waiting(ticks, channels):
    """Return the spikes of channels, ticks in order, that such inputs make of events: which events, and when."""
    due, kept, times = np.full(channels.max() + 1, -3), [], []
    for first, after in itertools.pairwise(np.searchsorted(ticks, np.arange(ticks[0], ticks[-1] + 2))):
        mine = channels[first:after]
        free = due[mine] <= (tick := ticks[min(first, len(ticks) - 1)])
        due[mine[free]] = np.maximum(tick + 1, due[mine[free]] + 3)
        kept.append(first + np.flatnonzero(free))
        times.append(due[mine[free]])
    return np.concatenate(kept), np.concatenate(times)


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
    """Recordings of an event camera in ticks of 1 ms, at most one event per tick and pixel."""

    def __init__(self, spikes, digits):
        self.digits, self.n_inputs = np.asarray(digits), 2 * 34 * 34
        each = [np.unique(np.stack([s.ticks, s.ids]), axis=1) for s in spikes]
        self.counts = np.stack([np.bincount(ids, minlength=self.n_inputs) for _, ids in each])
        ticks, ids = np.concatenate(each, axis=1)
        channels = ids + self.n_inputs * np.repeat(np.arange(len(each)), [one.shape[1] for one in each])
        order = np.argsort(ticks, kind="stable")
        kept, times = waiting(ticks[order], channels[order])
        number, ids = np.divmod(channels[order][kept], self.n_inputs)
        order = np.lexsort((times, number))
        bounds = np.searchsorted(number[order], np.arange(1, len(each)))
        self.all = list(zip(np.split(times[order], bounds), np.split(ids[order], bounds), strict=True))

    def spikes(self, index, ticks, generator):
        """Return a sample, or a part of it from a random time on where fewer ticks are wanted than a sample has."""
        at, ids = self.all[index]
        begin = 0 if ticks >= SAMPLE else generator.integers(0, 300 - ticks)
        mine = (at > begin) & (at <= begin + ticks)
        return ns.Spikes(ticks=at[mine] - begin, ids=ids[mine].astype(np.uint32), size=self.n_inputs, dt=1.0,
                         duration=1.0 * ticks)

    def raw(self, index):
        """Return the number of events of each pixel."""
        return self.counts[index]


def learn(sim, data, rows, generator, fresh):
    """Let the liquid learn from short samples: neurons and astrocyte start each anew, and weights go on.

    Where they are fresh, so do the traces of spikes; else those of one sample reach into the next, as in the source.
    """
    rest, learning = sim.state(), ["input", "e", "i"]
    for row in rows:
        if fresh:
            sim.restore(rest, keep=learning)
        sim.set("liquid", **{name: state.initial for name, state in LiquidNeuron.state.items()})
        sim.set("astrocyte", v=BASE)
        sim.give("input", data.spikes(row, SHORT, generator))
        sim.run(SHORT)
    sim.restore(rest, keep=learning)


def respond(sim, data, rows, generator, block=200):
    """Return the counts of each neuron and sample, and the spikes of the first twenty."""
    counts, some = [], []
    for first in range(0, len(rows), block):
        samples = [data.spikes(row, SAMPLE, generator) for row in rows[first:first + block]]
        results = [result.spikes("liquid") for result in sim.run_batch(samples, SAMPLE, threads=1)]
        counts += [np.bincount(spikes.ids, minlength=spikes.size).astype(np.uint16) for spikes in results]
        some += results[:20 - len(some)]
    return np.array(counts), some


def branching(wiring, spikes):
    """Return the branching factor: spikes of a neuron's targets in the 4 ms after one of its spikes, over those of its
    sources in the 4 ms before (at least 1); averaged over the spikes of a neuron, over neurons, and over samples. The
    first and the last 25 ms of a sample do not count."""
    joined = np.zeros((wiring.size, wiring.size), np.float32)
    for kind in "ei":
        joined[tuple(wiring.pairs[kind])] = 1.0
    factors = []
    for each in spikes:
        active = np.zeros((SAMPLE, wiring.size), np.float32)
        active[each.ticks - 1, each.ids] = 1.0
        active = active[25:-25]
        four = np.lib.stride_tricks.sliding_window_view(active, 4, axis=0).sum(axis=-1)  # from row k on
        ratios = (four[5:] @ joined.T) / np.maximum(1.0, four[:-5] @ joined)
        spiked = active[4:-4]
        spiked = spiked[:len(ratios)]
        numbers = spiked.sum(axis=0)
        heard = numbers > 0
        factors.append(((spiked * ratios).sum(axis=0)[heard] / numbers[heard]).mean() if heard.any() else np.nan)
    return float(np.nanmean(factors)) if factors else np.nan


def features(counts):
    """Return counts divided by their sum in each sample, and by the largest value of all."""
    shares = counts.astype(np.float32) / np.maximum(1, counts.sum(axis=1, keepdims=True, dtype=np.float32))
    return shares / shares.max()


def softmax(states, digits):
    """Return a trained linear layer with softmax: 100 steps, its penalty chosen by the last fifth of the samples."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def layer(strength, n):
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=100))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that 100 steps are not all
            return fitted.fit(states[:n], digits[:n])

    n = len(states) * 4 // 5
    best = max(STRENGTHS, key=lambda strength: layer(strength, n).score(states[n:], digits[n:]))
    return layer(best, len(states))


READOUTS = {"ridge": lambda states, digits: ridge().fit(states, digits), "softmax": softmax}


def condition(wiring, data, rounds, short, seed, w_astro=0.0, fixed=None, stop=False, fresh=False,
              readout="ridge"):
    """Return what a kind of liquid does in rounds of training and test: accuracy, rate, rank, branching, seconds.

    Each round has its own liquid that learns, from training samples alone. With `stop` it learns no more in samples.
    """
    began, generator = time.process_time(), np.random.default_rng([seed, 2])
    found, right = [], []
    for number, (train, test) in enumerate(rounds):
        rows = np.concatenate([train, test])
        if fixed is None or number == 0:
            sim = ns.Simulation(wiring.network(w_astro, fixed), 1.0, seed=seed)
            if fixed is None:
                learn(sim, data, generator.choice(train, short), generator, fresh)
                sim.set("fading", tau_mem=FADING)
            weight = float(np.abs(sim.weights("e")).mean())
            if stop:
                learned = {name: sim.weights(name) for name in ("input", "e", "i")}
                sim = ns.Simulation(wiring.network(fixed=learned), 1.0, seed=seed)
            counts, some = respond(sim, data, rows, generator)
            counts = dict(zip(rows.tolist(), counts, strict=True))
        states = [np.array([counts[row] for row in part.tolist()]) for part in (train, test)]
        trained = READOUTS[readout](features(states[0]), data.digits[train])
        right.append(trained.predict(features(states[1])) == data.digits[test])
        found.append((states[1].mean() * 1000 / SAMPLE, kernel_quality(states[1][:1000], RANK), branching(wiring, some),
                      weight))
    accuracy, n_test = np.concatenate(right).mean(), sum(len(each) for each in right)
    return dict(zip(("rate", "rank", "branching", "weight"), np.mean(found, axis=0).tolist(), strict=True)) | {
        "accuracy": float(accuracy), "interval": interval(accuracy, n_test), "seconds": time.process_time() - began}


def told(name, r):
    """Return a row of the table."""
    low, high = r["interval"]
    return (f"{name:<26}{r['accuracy']:>9.3f}  {low:.3f} to {high:.3f}{r['rate']:>9.1f}{r['rank']:>8.0f}"
            f"{r['branching']:>11.2f}{r['weight']:>12.2f}{r['seconds']:>9.0f}")


def compare(wiring, data, rounds, short, seed, sizes, strengths, stopped=(), fresh=False,
            readout="ridge"):
    """Run all conditions, print their table, and return it by their kind and strength."""
    right = [READOUTS[readout](data.raw(train), data.digits[train]).predict(data.raw(test)) == data.digits[test]
             for train, test in rounds]
    tested = np.concatenate([data.digits[test] for _, test in rounds])
    print(f"n_train {len(rounds[0][0])}, n_test {len(tested)} in {len(rounds)} round(s), seed {seed}; learning first "
          f"from {short} samples of {SHORT} ms, traces {'fresh' if fresh else 'kept'}")
    print(f"chance {np.bincount(tested).max() / len(tested):.3f}; a linear readout of the raw input "
          f"{np.concatenate(right).mean():.3f}\n")
    print(f"{'':<26}{'accuracy':>9}  {'95 % interval':<14}{'rate/Hz':>9}{'rank':>8}{'branching':>11}{'mean |w| E':>12}"
          f"{'seconds':>9}")
    wanted = [(f"fixed weights {size:g}", ("fixed", size), {"fixed": size}) for size in sizes]
    wanted += [(f"astrocyte, w = {w:g}" if w else "STDP alone", ("learning", w), {"w_astro": w}) for w in strengths]
    wanted += [(f"w = {w:g}, then fixed", ("stopped", w), {"w_astro": w, "stop": True}) for w in stopped]
    table = {}
    for name, key, how in wanted:
        table[key] = condition(wiring, data, rounds, short, seed, fresh=fresh, readout=readout, **how)
        print(told(name, table[key]), flush=True)
    return table


def plot(table, path):
    """Plot branching factor against w, and accuracy against branching factor."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    kinds = {"fixed": ("D", "fixed weights"), "learning": ("o", "astrocyte"), "alone": ("s", "STDP alone"),
             "stopped": ("^", "astrocyte, then fixed")}
    learning = sorted((w, result["branching"]) for (kind, w), result in table.items() if kind == "learning")
    if alone := [factor for w, factor in learning if not w]:
        left.axhline(alone[0], color=ns.plot.COLORS[2], label="STDP alone")
    strengths = [(w, factor) for w, factor in learning if w]
    left.plot(*zip(*strengths, strict=True), "o-", color=ns.plot.COLORS[1], label="astrocyte") if strengths else None
    left.axhline(1.0, color="0.6", linestyle="--")
    left.set(xlabel="strength of the astrocyte, w", ylabel="Branching factor", xscale="log")
    left.legend(frameon=False) if learning else None
    for k, (kind, (marker, label)) in enumerate(kinds.items()):
        mine = sorted((result["branching"], result["accuracy"]) for (of, w), result in table.items()
                      if (of if w or of != "learning" else "alone") == kind)
        if mine:
            right.plot(*zip(*mine, strict=True), marker + "-", color=ns.plot.COLORS[k], label=label)
    right.axvline(1.0, color="0.6", linestyle="--")
    right.legend(frameon=False)
    right.set(xlabel="Branching factor", ylabel="Accuracy")
    ns.plot.save(figure, path)


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
    return Recordings(spikes, np.concatenate([part.labels for part in parts])), len(parts[0])


def rounds_of(data, n_train, most, folds, seed):
    """Return the samples of training and test: once, or so that each sample is tested once, in stratified folds."""
    if folds > 1:
        from sklearn.model_selection import StratifiedKFold

        return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(data.digits, data.digits))
    generator = np.random.default_rng([seed, 3])
    train = generator.permutation(n_train)[:most[0]]
    return [(train, n_train + generator.permutation(len(data.digits) - n_train)[:most[1]])]


def main():
    """Read, compare, print and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--task", choices=("digits", "nmnist", "mnist"), default="digits")
    arguments.add_argument("--quick", action="store_true", help="a smaller liquid and fewer samples")
    arguments.add_argument("--train", type=int, help="training samples")
    arguments.add_argument("--test", type=int, help="test samples")
    arguments.add_argument("--folds", type=int, help="folds of all samples, instead (5 for nmnist)")
    arguments.add_argument("--rounds", type=int, help="only so many of the folds")
    arguments.add_argument("--short", type=int, help="short samples from which the liquid learns first")
    arguments.add_argument("--traces", choices=("fresh", "kept"), help="of spikes, when a short sample begins")
    arguments.add_argument("--w", type=float, nargs="*", help="strengths of the astrocyte; 0 is STDP alone")
    arguments.add_argument("--stop", type=float, nargs="*", default=[], help="the same, fixed after the short samples")
    arguments.add_argument("--fixed", type=float, nargs="*", help="sizes of fixed weights")
    arguments.add_argument("--readout", choices=tuple(READOUTS), default="ridge", help="softmax is for many samples")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nalsm.png")
    arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
    options = arguments.parse_args()
    root = Path(os.environ["NEUROSIM_DATA"]) if os.environ.get("NEUROSIM_DATA") else None
    data, n_train = read(options.task, root)
    small = options.task == "digits"
    shape = (7, 7, 7) if options.quick else (8, 8, 8) if small else (10, 10, 10)
    most = (100, 60) if options.quick else (300, 150) if small else (1000, 500)
    most = (options.train or most[0], options.test or most[1])
    folds = options.folds or (5 if options.task == "nmnist" and not options.quick else 1)
    rounds = rounds_of(data, n_train, most, folds, options.seed)[:options.rounds]
    short = options.short or (400 if options.quick else 1500 if small else 4000 if folds > 1 else 3000)
    strengths = [0, 0.015, 0.05] if options.quick else [0, 0.001, 0.005, 0.015, 0.05, 0.15] if small else [0, 0.015]
    sizes = [0.6] if options.quick else [0.3, 0.6, 1.0] if small else [0.8] if options.task == "mnist" else [1.0]
    strengths = strengths if options.w is None else options.w
    sizes = sizes if options.fixed is None else options.fixed
    wiring = Wiring(shape, data.n_inputs, options.seed)
    fresh = options.traces == "fresh" or (small and options.traces is None)
    table = compare(wiring, data, rounds, short, options.seed, sizes, strengths, options.stop, fresh,
                    options.readout)
    for w in strengths:
        if w and ("learning", 0) in table:
            alone, repaired = table["learning", 0], table["learning", w]
            print(f"\nSTDP alone, beside w = {w:g}: {alone['rate'] / repaired['rate']:.1f} times the rate, "
                  f"{alone['rank'] / repaired['rank']:.2f} of the rank, "
                  f"{100 * (repaired['accuracy'] - alone['accuracy']):.0f} points less accurate", end="")
    path = options.out / f"nalsm.{options.format}"
    plot(table, path)
    print(f"\n\nwrote {path}")


if __name__ == "__main__":
    main()
