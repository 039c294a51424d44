"""N-MNIST through a liquid whose synapses are memristor crossbars: what each non-ideality costs, and what energy buys.

    NEUROSIM_DATA=FOLDER python examples/crossbar_liquid.py [--seeds 2] [--most 300] [--quick] [--out FOLDER]
    python examples/crossbar_liquid.py --table crossbar_liquid.csv [--out FOLDER]

The network is that of a resistive-memory liquid: the centre of the sensor (16 x 16, ON events) onto 200 recurrent LIF
neurons through two crossbars, 256 x 200 and 200 x 200, with fixed random weights; only a ridge readout of three spike
counts of each neuron is trained. Two questions are asked of every condition, on the same folds: what can be learnt on
this hardware (the readout is trained on it), and what becomes of a readout that was trained on ideal weights and is
then used on this hardware. --seeds 20 --most 900 is the full protocol; the numbers of each seed are kept in
crossbar_liquid.csv, from which --table makes table and figure again. Nothing is downloaded.
"""

import argparse
import csv
import os
import sys
from collections import namedtuple
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold

import neurosim as ns
from hardware_models.energy import EventCosts, Technology, converter, run_energy
from hardware_models.memristor import PCM, CrossbarCircuit, CrossbarLayer, Memristor, RandomResistors
from neurosim.checks import Parameter
from neurosim.distributions import normal_quantile
from neurosim.readouts import evaluate, interval, ridge
from neurosim.reservoirs import BinnedCounts, states

ALPHAS = np.logspace(0, 3, 7)
NEURON = {"tau_mem": 20.0, "v_leak": 0.0, "v_reset": 0.0, "v_threshold": 20.0, "t_ref": 2.0}
INPUT_STD, RECURRENT_STD, WIDE, SIZE, DURATION = 2.5, 0.7, 16, 200, 320.0  # mV, mV, pixels, neurons, ms
N_INPUTS, FOLDS, EQUIVALENT = WIDE * WIDE, 5, 1.5  # EQUIVALENT: points
HOUR = 3.6e6  # ms
COLUMN_NOISE = 0.02  # of a column's read at 0.2 V, as a share of the converter's range, inverse to the voltage: assumed
FIELDS = ("sweep", "level", "x", "seed", "retrained", "fixed", "rate", "energy", "n_test", "chance", "raw")
Condition = namedtuple("Condition", "sweep level x device wires tiles aged day_0", defaults=(0.0, 1, 0.0, False))


class Noisy(ns.LIF):
    """A LIF neuron whose column is read with noise: the current that arrives besides its input is a variance.

    Reads are independent, so that the noise of all devices of a column in one tick is one normal number whose variance
    is the sum of theirs: what `Memristor.read` draws device by device, many times faster.
    """

    def linear(self, p):
        return None  # a root is not linear

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"kept": np.exp(-dt / p.tau_mem)}

    @staticmethod
    def step(v, i, uniform, kept):
        """Decay, and add noise."""
        return v * kept + np.sqrt(i) * normal_quantile(uniform)


class Converted(ns.LIF):
    """A LIF neuron behind an ADC: in every tick the current of its column, with noise, is rounded and added to v."""

    step_adc = Parameter(0.1, "mV", above=0, doc="distance of two levels")
    half = Parameter(8.0, "", above=0, doc="levels on either side of 0")
    noise = Parameter(0.0, "mV", at_least=0, doc="standard deviation of a column's read")

    def linear(self, p):
        return None  # rounding is not linear

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"kept": np.exp(-dt / p.tau_mem), "step_adc": p.step_adc, "half": p.half,
                                              "noise": p.noise}

    @staticmethod
    def step(v, i, uniform, kept, step_adc, half, noise):
        """Decay, and add what the converter says."""
        code = np.floor((i + noise * normal_quantile(uniform)) / step_adc + 0.5)
        return v * kept + step_adc * min(max(code, -half), half - 1.0)


# Recordings -----------------------------------------------------------------------------------------------------------

def found(data):
    """Return the folder or zip file of N-MNIST below the data root, or None."""
    for folder in (Path(data) / name for name in ("nmnist", "N-MNIST") if data):
        if (folder / "Train").is_dir() or (folder / "Train.zip").is_file():
            return folder
        if zips := sorted(folder.glob("*.zip")):
            return zips[0]
    return None


def centre(events):
    """Return the spikes of the ON events in the middle of the sensor, 256 channels."""
    low = (34 - WIDE) // 2
    x, y = events["x"].astype(np.int64) - low, events["y"].astype(np.int64) - low
    keep = events["p"] & (x >= 0) & (x < WIDE) & (y >= 0) & (y < WIDE) & (events["t"] < DURATION * 1000)
    ticks = np.maximum(np.ceil(events["t"][keep] / 1000).astype(np.int64), 1)
    order = np.argsort(ticks, kind="stable")
    return ns.Spikes(ticks=ticks[order], ids=(y * WIDE + x)[keep][order], size=N_INPUTS, dt=1.0, duration=DURATION)


def read(root, most):
    """Return recordings from all over the two parts of the data set, and their digits."""
    events, labels = [], []
    for train in (True, False):
        part = ns.datasets.NMNIST(root, train=train)
        rows = np.random.default_rng(0).permutation(len(part))[:round(most * (8 if train else 1) / 9)]
        batch = part.select(np.sort(rows)).load_all()
        events += np.split(batch.events, batch.offsets[1:-1])
        labels.append(batch.labels)
    return [centre(each) for each in events], np.concatenate(labels)


# Weights and what crossbars make of them ------------------------------------------------------------------------------

def software(seed):
    """Return Gaussian weights (input, recurrent), mV."""
    rng = np.random.default_rng([seed, 1])
    return rng.normal(0, INPUT_STD, (N_INPUTS, SIZE)), rng.normal(0, RECURRENT_STD, (SIZE, SIZE))


def sampled(seed):
    """Return weights of pairs of random resistors with the same standard deviation."""
    rng, cells = np.random.default_rng([seed, 2]), RandomResistors.formed(0.5)
    return cells.weights((N_INPUTS, SIZE), rng, INPUT_STD), cells.weights((SIZE, SIZE), rng, RECURRENT_STD)


def conductance(matrix):
    """Return the mean conductance, uS, of a device that holds such weights."""
    return float(np.mean([share.target.mean() for share in Memristor().fitted(matrix).shares(matrix)]))


def hardware(weights, seed, condition):
    """Return the weights that crossbars compute with, each matrix cut into tiles x tiles arrays."""
    held = []
    for part, matrix in enumerate(weights):
        layer = condition.device.fitted(matrix).replace(seed=2 * seed + part)
        new = np.empty_like(matrix)
        for rows in np.array_split(np.arange(matrix.shape[0]), condition.tiles):
            for columns in np.array_split(np.arange(matrix.shape[1]), condition.tiles):
                array = CrossbarLayer(matrix[np.ix_(rows, columns)], layer, r_word=condition.wires,
                                      r_bit=condition.wires, seed=2 * seed + part)
                new[np.ix_(rows, columns)] = (array.age(condition.aged) if condition.aged else array).weights
        held.append(new)
    return held


def conditions(quick):
    """Return all conditions; x is the level as a number."""
    def only(levels):
        return levels[-1:] if quick else levels

    times = only([("1 h", 1.0), ("1 day", 24.0), ("1 year", 8760.0)])
    everything = PCM(programming_noise=1.0, drift=1.0, drift_compensation=True)
    made = [Condition("programming noise", f"{s:.0%}", s, Memristor(programming_noise=s))
            for s in only([0.02, 0.05, 0.1, 0.2])]
    made += [Condition("read noise", f"{s:.0%}", s, Memristor(read_noise=s)) for s in only([0.05, 0.2, 0.5])]
    made += [Condition("stuck devices", f"{s:.0%}", s, Memristor(stuck_on=0.16 * s, stuck_off=0.84 * s))
             for s in only([0.01, 0.05, 0.1, 0.2])]
    made += [Condition("drift", name, h, PCM(drift=1.0), aged=h * HOUR) for name, h in times]
    made += [Condition("drift, compensated", name, h, PCM(drift=1.0, drift_compensation=True), aged=h * HOUR)
             for name, h in times]
    made += [Condition("PCM, readout of day 0", name, h, everything, aged=h * HOUR, day_0=True)
             for name, h in [("day 0", 0.0), *times]]
    for tiles in only([4, 2, 1]):
        rows, columns, g = N_INPUTS // tiles, SIZE // tiles, conductance(software(0)[0])
        for x in only([0.1, 0.3, 1.0]):
            r = x / (g * 1e-6 * rows * columns)
            made.append(Condition(f"wires, {rows} x {columns}", f"{r:.3g} ohm", x, Memristor(), wires=r, tiles=tiles))
    return made


# Measuring ------------------------------------------------------------------------------------------------------------

class Liquid:
    """One simulation of a liquid for all weights: they are set anew."""

    def __init__(self, neuron, size=SIZE, receptor=None):
        net, silence = ns.Network(), ns.Spikes(ticks=[], ids=[], size=N_INPUTS, dt=1.0, duration=1.0)
        source = net.add(ns.SpikeSource(silence), name="input")
        liquid = net.add(neuron, size, name="liquid")
        self.parts = {"input": (source, receptor), "recurrent": (liquid, receptor)}
        if isinstance(neuron, Noisy):
            self.parts |= {"noise of input": (source, ns.Pulse()), "noise of recurrent": (liquid, ns.Pulse())}
        for name, (origin, receptor) in self.parts.items():
            start = np.random.default_rng(0).random((origin.size, size))
            net.connect(origin, liquid, weight=start, delay=1.0, name=name, receptor=receptor)
        net.record(liquid)
        self.sim = ns.Simulation(net, 1.0, seed=0)

    def counts(self, samples, weights, seed):
        """Return three counts of each neuron for each recording; weights in the order of `parts`."""
        for name, matrix in zip(self.parts, weights, strict=True):
            self.sim.set(name, weight=matrix.ravel())
        keys = range(seed * len(samples), (seed + 1) * len(samples))
        return states(self.sim, samples, DURATION, BinnedCounts(3), keys=keys, threads=1)


class Readouts:
    """Readouts of all folds, trained on some features, and what they choose as regularisation."""

    def __init__(self, features, labels, seed):
        self.labels, root = labels, np.sqrt(features)
        self.folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(root, labels))
        self.models = [ridge(ALPHAS, scale=False).fit(root[train], labels[train]) for train, _ in self.folds]

    def used_on(self, features):
        """Return their accuracy on other features of the same recordings, those that each has not seen."""
        return self._right(self.models, np.sqrt(features))

    def trained_on(self, features):
        """Return the accuracy of readouts that are trained on other features, with the same regularisation."""
        root = np.sqrt(features)
        models = [RidgeClassifier(alpha=model[-1].alpha_).fit(root[train], self.labels[train])
                  for model, (train, _) in zip(self.models, self.folds, strict=True)]
        return self._right(models, root)

    def _right(self, models, root):
        right = sum((model.predict(root[test]) == self.labels[test]).sum()
                    for model, (_, test) in zip(models, self.folds, strict=True))
        return right / len(self.labels)


def rate(counts):
    """Return the mean rate of the neurons, Hz."""
    return counts.sum() / counts.shape[0] / (counts.shape[1] / 3) / DURATION * 1000


def one_seed(seed, samples, labels, plain, noisy, quick):
    """Return a row for each condition but those of converters."""
    def row(sweep, level, x, counts, readouts):
        return {"sweep": sweep, "level": level, "x": x, "seed": seed, "retrained": on_ideal.trained_on(counts),
                "fixed": readouts.used_on(counts) if readouts else np.nan, "rate": rate(counts), "energy": np.nan}

    weights = software(seed)
    ideal = plain.counts(samples, weights, seed)
    on_ideal = Readouts(ideal, labels, seed)
    rows = [row("Gaussian weights", "ideal", 0.0, ideal, on_ideal),
            row("random resistors", "ideal", 0.0, plain.counts(samples, sampled(seed), seed), None)]
    for each in conditions(quick):
        if each.device.read_noise:
            mean, variance = zip(*(each.device.fitted(matrix).read_moments(matrix) for matrix in weights), strict=True)
            counts = noisy.counts(samples, [*mean, *variance], seed)
        else:
            counts = plain.counts(samples, hardware(weights, seed, each), seed)
        if each.day_0 and not each.aged:
            of_day_0 = Readouts(counts, labels, seed)
        rows.append(row(each.sweep, each.level, each.x, counts, of_day_0 if each.day_0 else on_ideal))
    return rows


def converted(seed, samples, labels, liquids, quick):
    """Return a row for each size, number of bits and read voltage: a converter at each column, energies in nJ."""
    weights, rows, readouts = software(seed), [], {}
    given = sum(np.bincount(each.ids, minlength=N_INPUTS) for each in samples)
    drive = np.zeros((50 * int(DURATION) + 1, N_INPUTS))
    for k, each in enumerate(samples[:50]):
        np.add.at(drive, (k * int(DURATION) + each.ticks, each.ids), 1.0)
    top = 1.1 * np.quantile(np.abs(drive @ weights[0]), 0.999)  # 1.1: for the recurrent array
    choices = [(size, bits, 0.2) for size in liquids for bits in (6, 5, 4, 3)] + [(SIZE, 5, v) for v in (0.1, 0.05)]
    for size, bits, volts in [(SIZE, 5, 0.2)] if quick else choices:
        liquid, half = liquids[size], 2 ** (bits - 1)
        noise = COLUMN_NOISE * 2 * top * 0.2 / volts
        liquid.sim.set("liquid", step_adc=top / half, half=half, noise=noise)
        cut = weights[0][:, :size], weights[1][:size, :size]
        counts = liquid.counts(samples, cut, seed)
        technology = Technology(v_read=volts)
        costs = EventCosts.crossbar(2 * conductance(cut[0]), technology, columns=2 * size).replace(
            neuron_update=converter("sar", bits, size, technology, activation=False).total_energy / size)
        spikes = counts.sum(axis=0).reshape(3, size).sum(axis=0).astype(np.int64)
        energy = run_energy(liquid.sim, costs, counts={"input": given, "liquid": spikes},
                            duration=DURATION * len(samples), samples=len(samples))
        if size not in readouts:
            readouts[size] = Readouts(counts, labels, seed)
        rows.append({"sweep": f"converters, {size} neurons", "level": f"{bits} bits, {volts:g} V", "x": bits,
                     "seed": seed, "retrained": readouts[size].trained_on(counts), "fixed": np.nan,
                     "rate": rate(counts), "energy": energy.per_inference * 1e-3})
    return rows


def measure(options, root):
    """Measure all conditions for all seeds; the table is written after each of them."""
    samples, labels = read(root, options.most)
    print(f"{len(samples)} recordings, {np.mean([len(each) for each in samples]):.0f} spikes each", flush=True)
    raw = evaluate(ridge(ALPHAS, scale=False, root=True), BinnedCounts(3).matrix(samples), labels, folds=FOLDS,
                   seeds=range(min(options.seeds, 5)))
    plain, noisy = Liquid(ns.LIF(**NEURON)), Liquid(Noisy(**NEURON))
    sizes = (SIZE,) if options.quick else (50, 100, SIZE)
    liquids = {size: Liquid(Converted(**NEURON), size, ns.Pulse()) for size in sizes}
    table = []
    for seed in range(options.seeds):
        table += one_seed(seed, samples, labels, plain, noisy, options.quick)
        table += converted(seed, samples, labels, liquids, options.quick)
        for row in table:
            row.update(n_test=raw.n_test, chance=raw.chance, raw=raw.accuracy)
        part = options.out / "crossbar_liquid.csv.part"
        with part.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(table)
        part.replace(options.out / "crossbar_liquid.csv")
        print(f"seed {seed} done", flush=True)
    return table


def load(path):
    """Return the rows of a table."""
    with path.open(newline="") as file:
        return [{key: value if key in ("sweep", "level") else float(value) for key, value in row.items()}
                for row in csv.DictReader(file)]


# Telling --------------------------------------------------------------------------------------------------------------

def gathered(table):
    """Return {(sweep, level): {field: values of all seeds}} in order."""
    groups = {}
    for row in table:
        groups.setdefault((row["sweep"], row["level"]), []).append(row)
    return {key: {name: np.array([row[name] for row in rows]) for name in FIELDS[2:]} for key, rows in groups.items()}


def bounds(differences, confidence):
    """Return the interval of Student's t for the mean of paired differences; nan where there is only one."""
    n = len(differences)
    if n < 2:
        return np.nan, np.nan
    half = stats.t.ppf(0.5 + confidence / 2, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return differences.mean() - half, differences.mean() + half


def tell(groups):
    """Print the table, and whether sampled devices are as good as Gaussian weights."""
    ideal = groups["Gaussian weights", "ideal"]
    n, seeds = int(ideal["n_test"][0]), len(ideal["seed"])
    print(f"n_test {n}, {seeds} seed{'s' * (seeds > 1)}; chance {ideal['chance'][0]:.1%}; ridge of the event counts of "
          f"the input, no liquid, {ideal['raw'][0]:.1%}\nfixed: a readout trained on ideal weights (or on day 0) and "
          "used on the hardware; loss: paired, 95 % interval over seeds\n")
    print(f"{'':<24}{'level':>15}{'rate/Hz':>9}{'retrained':>11}{'95 % interval':>17}{'std':>7}{'fixed':>9}"
          f"{'loss, points':>24}")
    for (sweep, level), each in groups.items():
        right, fixed = each["retrained"], each["fixed"]
        low, high = interval(right.mean(), n)
        start = groups["PCM, readout of day 0", "day 0"]["retrained"] if "day 0" in sweep else ideal["retrained"]
        line = (f"{sweep:<24}{level:>15}{each['rate'].mean():>9.1f}{right.mean():>11.1%}"
                f"{f'{low:.1%} to {high:.1%}':>17}{right.std(ddof=seeds > 1):>7.1%}")
        if np.isfinite(fixed).all() and sweep != "Gaussian weights":
            lost = 100 * (start - fixed)
            a, b = bounds(lost, 0.95)
            between = f" ({a:+.1f} to {b:+.1f})" if seeds > 1 else ""
            line += f"{fixed.mean():>9.1%}{f'{lost.mean():+.1f}{between}':>24}"
        elif np.isfinite(each["energy"]).all():
            line += f"{each['energy'].mean():>25.1f} nJ"
        print(line)
    differences = 100 * (groups["random resistors", "ideal"]["retrained"] - ideal["retrained"])
    a, b = bounds(differences, 0.95)
    print(f"\nrandom resistors less Gaussian weights, paired by seed: {differences.mean():+.2f} points, 95 % interval "
          f"{a:+.2f} to {b:+.2f}")
    if seeds > 1:
        a, b = bounds(differences, 0.9)
        error = differences.std(ddof=1) / np.sqrt(seeds)
        p = max(stats.t.sf((EQUIVALENT + differences.mean()) / error, seeds - 1),
                stats.t.sf((EQUIVALENT - differences.mean()) / error, seeds - 1))
        verdict = "" if -EQUIVALENT < a and b < EQUIVALENT else "not shown to be "
        print(f"two one-sided t-tests: 90 % interval {a:+.2f} to {b:+.2f}, {verdict}equivalent within {EQUIVALENT} "
              f"points (p = {p:.1g})")
    return differences


def uniform_losses():
    """Return, for each size of uniform arrays of 100 uS, (r G n^2, mean share of the current that is lost)."""
    curves = {}
    for n in (16, 32, 64, 128, 256):
        curves[n] = []
        for r in np.logspace(-2, 0.5, 8):
            current = CrossbarCircuit(np.full((n, n), 100.0), r, r).solve(np.full(n, 0.2)).currents.mean()
            curves[n].append((r * 100e-6 * n * n, 1 - current / (n * 100.0 * 0.2)))
    return curves


def front(points):
    """Return the points that no other beats in both energy and accuracy, cheapest first."""
    best, kept = -1.0, []
    for point in sorted(points):
        if point[1] > best:
            best = point[1]
            kept.append(point)
    return kept


def plot(groups, differences, path):
    """Draw all panels."""
    figure, panels = plt.subplots(3, 3, figsize=(14, 11), layout="constrained")
    panels = panels.ravel()
    ideal = groups["Gaussian weights", "ideal"]

    def curve(panel, sweep, label, color):
        at = [key for key in groups if key[0] == sweep]
        x = [groups[key]["x"][0] for key in at]
        for name, style in (("retrained", "o--"), ("fixed", "s-")):
            panel.errorbar(x, [100 * groups[key][name].mean() for key in at],
                           [100 * groups[key][name].std() for key in at], fmt=style, capsize=3, color=color,
                           label=f"{label}{name}")
        return at, x

    shown = {"programming noise": "", "read noise": "", "stuck devices": "", "drift": "", "drift, compensated": "",
             "PCM, readout of day 0": ""}
    for panel, sweep in zip(panels, shown, strict=False):
        at, x = curve(panel, sweep, "", ns.plot.COLORS[0])
        panel.set_xscale("symlog" if "day 0" in sweep else "log")
        panel.set(xlabel=sweep)
        panel.set_xticks(x, [level for _, level in at])
        panel.minorticks_off()
    for k, sweep in enumerate(dict.fromkeys(sweep for sweep, _ in groups if sweep.startswith("wires"))):
        curve(panels[6], sweep, f"{sweep.removeprefix('wires, ')}, ", ns.plot.COLORS[k])
    panels[6].set(xscale="log", xlabel="wires: r G n$^2$")
    for panel in panels[:7]:
        panel.axhline(100 * ideal["retrained"].mean(), color="grey", ls="--", lw=1, label="ideal")
        panel.axhline(100 * ideal["raw"][0], color="grey", ls=":", lw=1, label="event counts")
        panel.axhline(100 * ideal["chance"][0], color="grey", lw=1, label="chance")
        panel.set(ylabel="accuracy (%)", ylim=(0, 100))
        panel.legend(loc="lower left", fontsize=7)
    inset = panels[6].inset_axes([0.56, 0.15, 0.42, 0.38])
    curves = uniform_losses()
    for n, points in curves.items():
        inset.loglog([x for x, _ in points], [100 * loss for _, loss in points], lw=1, label=f"{n}")
    inset.set_title("loss of current (%), n = 16 ... 256", fontsize=7)
    inset.tick_params(labelsize=6)
    points = {}
    for (sweep, level), each in groups.items():
        if np.isfinite(each["energy"]).all():
            points[each["energy"].mean(), 100 * each["retrained"].mean()] = sweep.removeprefix("converters, "), level
    for k, size in enumerate(dict.fromkeys(name for name, _ in points.values())):
        mine = [point for point, (name, _) in points.items() if name == size]
        panels[7].plot(*zip(*mine, strict=True), "os^"[k], color=ns.plot.COLORS[k], label=size)
    panels[7].plot(*zip(*front(points), strict=True), "-", color="0.6", zorder=0, label="front")
    for point in front(points):
        panels[7].annotate(points[point][1], point, fontsize=6, xytext=(3, -8), textcoords="offset points")
    panels[7].set(xlabel="energy of arrays and converters (nJ per recording)", ylabel="accuracy (%)", xscale="log")
    panels[7].set_xticks([20, 50, 100, 150], ["20", "50", "100", "150"])
    panels[7].minorticks_off()
    panels[7].legend(fontsize=7, loc="lower right")
    panels[8].axvspan(-EQUIVALENT, EQUIVALENT, color="0.9", label=f"within {EQUIVALENT} points")
    panels[8].plot(differences, np.arange(len(differences)), "o", color=ns.plot.COLORS[0], label="one seed")
    panels[8].errorbar(differences.mean(), -2, xerr=np.abs(np.array([bounds(differences, 0.95)]).T
                                                           - differences.mean()), fmt="sk", capsize=3,
                       label="mean, 95 % interval")
    panels[8].set(xlabel="random resistors less Gaussian weights (points)", ylabel="seed")
    panels[8].legend(fontsize=7)
    figure.savefig(path, dpi=90)
    print("\nmean loss of uniform arrays (100 uS) at the same r G n^2, interpolated")
    for x in (0.1, 1.0):
        print(f"r G n^2 = {x:g}: " + ", ".join(
            f"n = {n}: {np.interp(np.log(x), np.log([p[0] for p in c]), [p[1] for p in c]):.1%}"
            for n, c in curves.items() if c[0][0] <= x <= c[-1][0]) + f"; first order (2/3) r G n^2: {2 * x / 3:.1%}")
    print("\nfront of accuracy against energy of arrays and converters")
    for point in front(points):
        print(f"{point[0]:>8.1f} nJ {point[1]:>6.1f} %   {', '.join(points[point])}")


def main():
    """Measure or load, print and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--root", type=Path, help="folder or zip file of N-MNIST")
    arguments.add_argument("--seeds", type=int, default=2, help="random weights to average over (2)")
    arguments.add_argument("--most", type=int, default=300, help="use at most so many recordings (300)")
    arguments.add_argument("--quick", action="store_true", help="one level of each non-ideality")
    arguments.add_argument("--table", type=Path, help="a table that was measured before")
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for crossbar_liquid.png and .csv")
    options = arguments.parse_args()
    root = options.root or found(os.environ.get("NEUROSIM_DATA"))
    if root is None and options.table is None:
        print("crossbar_liquid.py needs recordings of N-MNIST and found none: set NEUROSIM_DATA to a folder that holds "
              "nmnist/, or give --root FOLDER_OR_ZIP. Nothing was done.")
        sys.exit(0)
    options.out.mkdir(parents=True, exist_ok=True)
    groups = gathered(load(options.table) if options.table else measure(options, root))
    differences = tell(groups)
    plot(groups, differences, options.out / "crossbar_liquid.png")
    print(f"wrote {options.out / 'crossbar_liquid.png'}")


if __name__ == "__main__":
    main()
