"""N-MNIST through a liquid whose synapses are memristor crossbars: what each non-ideality costs, and what energy buys.

    NEUROSIM_DATA=FOLDER python examples/crossbar_liquid.py [--seeds 2] [--most 300] [--quick] [--jobs N] [--out FOLDER]
        [--format pdf]

The network is that of a resistive-memory liquid: the centre of the sensor (16 x 16, ON events) onto 200 recurrent LIF
neurons through two crossbars, 256 x 200 and 200 x 200, with fixed random weights; only a ridge readout of three spike
counts of each neuron is trained. Two questions are asked of every condition, on the same folds: what can be learnt on
this hardware (the readout is trained on it), and what becomes of a readout that was trained on ideal weights and is
then used on this hardware. --seeds 20 --most 900 is the full protocol. Conditions are two sweeps over all cores, which
keep what they found in the folder crossbar_liquid: called again, the script goes on, and in the end only draws. Nothing
is downloaded.
"""

import argparse
import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold

import neurosim as ns
from hardware_models import memristor
from hardware_models.energy import EventCosts, Technology, converter, run_energy
from hardware_models.memristor import CrossbarCircuit, CrossbarLayer, Memristor, RandomResistors
from neurosim.checks import Parameter
from neurosim.datasets import crop, merge_polarities, to_spikes
from neurosim.distributions import normal_quantile
from neurosim.readouts import evaluate, interval, ridge
from neurosim.reservoirs import BinnedCounts, states
from neurosim.sweep import Points, sweep

ns.plot.style()
ALPHAS = np.logspace(0, 3, 7)
NEURON = {"tau_mem": 20.0, "v_leak": 0.0, "v_reset": 0.0, "v_threshold": 20.0, "t_ref": 2.0}
INPUT_STD, RECURRENT_STD, WIDE, SIZE, DURATION = 2.5, 0.7, 16, 200, 320.0  # mV, mV, pixels, neurons, ms
N_INPUTS, FOLDS, EQUIVALENT = WIDE * WIDE, 5, 1.5  # EQUIVALENT: points
HOUR = 3.6e6  # ms
EVERYTHING = {"programming_noise": 1.0, "drift": 1.0, "drift_compensation": True}  # of phase-change memory
SHOWN = {"programming noise": "programming noise (of the target)", "read noise": "read noise (of the conductance)",
         "stuck devices": "stuck devices (of all)", "drift": "age of drifting devices",
         "drift, compensated": "age of drifting devices, compensated",
         "PCM, readout of day 0": "age of phase-change memory"}  # non-idealities, and what their axes are called
WIRES = "resistance of a segment x conductance x n$^2$"
COLUMN_NOISE = 0.02  # of a column's read at 0.2 V, as a share of the converter's range, inverse to the voltage: assumed


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

def centre(events):
    """Return the spikes of the ON events in the middle of the sensor, 256 channels."""
    low = (34 - WIDE) // 2
    on = crop(events[events["p"] & (events["t"] < DURATION * 1000)], (low, low + WIDE), (low, low + WIDE))
    return to_spikes(merge_polarities(on), (WIDE, WIDE, 1), dt=1.0, duration=DURATION)


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


def hardware(weights, seed, device, wires=0.0, tiles=1, aged=0.0):
    """Return the weights that crossbars compute with, each matrix cut into tiles x tiles arrays."""
    held = []
    for part, matrix in enumerate(weights):
        layer = device.fitted(matrix).replace(seed=2 * seed + part)
        new = np.empty_like(matrix)
        for rows in np.array_split(np.arange(matrix.shape[0]), tiles):
            for columns in np.array_split(np.arange(matrix.shape[1]), tiles):
                array = CrossbarLayer(matrix[np.ix_(rows, columns)], layer, r_word=wires, r_bit=wires,
                                      seed=2 * seed + part)
                new[np.ix_(rows, columns)] = (array.age(aged) if aged else array).weights
        held.append(new)
    return held


def conditions(quick):
    """Return all conditions as points of a sweep; x is the level as a number."""
    def add(name, level, x, device="Memristor", wires=0.0, tiles=1, aged=0.0, **options):
        found.setdefault(name, []).append({"what": name, "level": level, "x": x, "device": device, "options": options,
                                           "wires": wires, "tiles": tiles, "aged": aged,
                                           "neuron": "Noisy" if "read_noise" in options else "LIF"})

    found, times = {}, [("1 h", 1.0), ("1 day", 24.0), ("1 year", 8760.0)]
    add("Gaussian weights", "ideal", 0.0)
    add("random resistors", "ideal", 0.0, "RandomResistors")
    for s in (0.02, 0.05, 0.1, 0.2):
        add("programming noise", f"{s:.0%}", s, programming_noise=s)
    for s in (0.05, 0.2, 0.5):
        add("read noise", f"{s:.0%}", s, read_noise=s)
    for s in (0.01, 0.05, 0.1, 0.2):
        add("stuck devices", f"{s:.0%}", s, stuck_on=0.16 * s, stuck_off=0.84 * s)
    for name, h in times:
        add("drift", name, h, "PCM", aged=h * HOUR, drift=1.0)
        add("drift, compensated", name, h, "PCM", aged=h * HOUR, drift=1.0, drift_compensation=True)
    for name, h in [("day 0", 0.0), *times]:
        add("PCM, readout of day 0", name, h, "PCM", aged=h * HOUR, **EVERYTHING)
    for tiles in (4, 2, 1)[2 * quick:]:
        rows, columns, g = N_INPUTS // tiles, SIZE // tiles, conductance(software(0)[0])
        for x in (0.1, 0.3, 1.0):
            r = x / (g * 1e-6 * rows * columns)
            add(f"wires, {rows} x {columns}", f"{r:.3g} ohm", x, wires=r, tiles=tiles)
    return Points([point for name, points in found.items() for k, point in enumerate(points)
                   if not quick or k == len(points) - 1 or (point["level"] == "day 0")])


def converters(quick):
    """Return all converters as points of a sweep."""
    choices = [(size, bits, 0.2) for size in (50, 100, SIZE) for bits in (6, 5, 4, 3)]
    choices += [(SIZE, 5, volts) for volts in (0.1, 0.05)]
    return Points([{"what": f"converters, {size} neurons", "level": f"{bits} bits, {volts:g} V", "size": size,
                    "bits": bits, "volts": volts} for size, bits, volts in ([(SIZE, 5, 0.2)] if quick else choices)])


# Measuring: what calls of the sweeps share, and the calls -------------------------------------------------------------

def liquid(neuron, size=SIZE, receptor=None):
    """Return the simulation of a liquid for all weights: they are set anew."""
    net, silence = ns.Network(), ns.Spikes(ticks=[], ids=[], size=N_INPUTS, dt=1.0, duration=1.0)
    source = net.add(ns.SpikeSource(silence), name="input")
    cells = net.add(neuron, size, name="liquid")
    parts = [("input", source, receptor), ("recurrent", cells, receptor)]
    if isinstance(neuron, Noisy):
        parts += [("noise of input", source, ns.Pulse()), ("noise of recurrent", cells, ns.Pulse())]
    for name, origin, port in parts:
        start = np.random.default_rng(0).random((origin.size, size))
        net.connect(origin, cells, weight=start, delay=1.0, name=name, receptor=port)
    net.record(cells)
    return ns.Simulation(net, 1.0, seed=0)


def counts(sim, samples, weights, seed):
    """Return three counts of each neuron for each recording; weights in the order of the projections."""
    for projection, matrix in zip(sim.net.projections, weights, strict=True):
        sim.set(projection, weight=matrix.ravel())
    keys = range(seed * len(samples), (seed + 1) * len(samples))
    return states(sim, samples, DURATION, BinnedCounts(3), keys=keys, threads=1)


def sim(neuron):
    return liquid({"LIF": ns.LIF, "Noisy": Noisy}[neuron](**NEURON))


def on_ideal(samples, labels, trial):
    """Return readouts of a seed's ideal liquid."""
    return Readouts(counts(sim("LIF"), samples, software(trial), trial), labels, trial)


def on_day_0(samples, labels, trial):
    """Return readouts of phase-change memory as it was written."""
    held = hardware(software(trial), trial, memristor.PCM(**EVERYTHING))
    return Readouts(counts(sim("LIF"), samples, held, trial), labels, trial)


def condition(what, device, options, wires, tiles, aged, trial, samples, sim, on_ideal, on_day_0, **names):
    """Return what becomes of the liquid on some devices."""
    weights, fixed = software(trial), on_day_0 if "day 0" in what else on_ideal
    if device == "RandomResistors":
        found, fixed = counts(sim, samples, sampled(trial), trial), None
    elif "read_noise" in options:
        moments = [Memristor(**options).fitted(matrix).read_moments(matrix) for matrix in weights]
        found = counts(sim, samples, [part for parts in zip(*moments, strict=True) for part in parts], trial)
    else:
        made = getattr(memristor, device)(**options)
        held = weights if what == "Gaussian weights" else hardware(weights, trial, made, wires, tiles, aged)
        found = counts(sim, samples, held, trial)
    return {"retrained": on_ideal.trained_on(found), "fixed": fixed.used_on(found) if fixed else np.nan,
            "rate": rate(found)}


def top(samples, trial):
    """Return the largest current of a column, mV, that converters are made for."""
    drive = np.zeros((50 * int(DURATION) + 1, N_INPUTS))
    for k, each in enumerate(samples[:50]):
        np.add.at(drive, (k * int(DURATION) + each.ticks, each.ids), 1.0)
    return 1.1 * np.quantile(np.abs(drive @ software(trial)[0]), 0.999)  # 1.1: for the recurrent array


def digital(converted, size, bits, volts, top, samples, trial):
    """Return the counts behind converters of some bits, each column read with noise."""
    half = 2 ** (bits - 1)
    converted.set("liquid", step_adc=top / half, half=half, noise=COLUMN_NOISE * 2 * top * 0.2 / volts)
    weights = software(trial)
    return counts(converted, samples, (weights[0][:, :size], weights[1][:size, :size]), trial)


def on_first(converted, size, first, top, samples, labels, trial):
    """Return readouts of a liquid behind the first converters, whose regularisation all others of its size take."""
    return Readouts(digital(converted, size, first, 0.2, top, samples, trial), labels, trial)


def conversion(size, bits, volts, converted, top, on_first, samples, trial, **names):
    """Return accuracy and energy, nJ, with a converter at each column."""
    found, technology = digital(converted, size, bits, volts, top, samples, trial), Technology(v_read=volts)
    costs = EventCosts.crossbar(2 * conductance(software(trial)[0][:, :size]), technology, columns=2 * size).replace(
        neuron_update=converter("sar", bits, size, technology, activation=False).total_energy / size)
    given = sum(np.bincount(each.ids, minlength=N_INPUTS) for each in samples)
    spikes = found.sum(axis=0).reshape(3, size).sum(axis=0).astype(np.int64)
    energy = run_energy(converted, costs, counts={"input": given, "liquid": spikes}, duration=DURATION * len(samples),
                        samples=len(samples))
    return {"retrained": on_first.trained_on(found), "rate": rate(found), "energy": energy.per_inference * 1e-3}


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
        return float(right / len(self.labels))


def rate(counts):
    """Return the mean rate of the neurons, Hz."""
    return float(counts.sum() / counts.shape[0] / (counts.shape[1] / 3) / DURATION * 1000)


def measure(options, root):
    """Return the results of both sweeps, and the accuracy of event counts without a liquid."""
    samples, labels = read(root, options.most)
    print(f"{len(samples)} recordings, {np.mean([len(each) for each in samples]):.0f} spikes each", flush=True)
    raw = evaluate(ridge(ALPHAS, scale=False, root=True), BinnedCounts(3).matrix(samples), labels, folds=FOLDS,
                   seeds=range(min(options.seeds, 5)))
    data, space = {"samples": samples, "labels": labels}, converters(options.quick)
    common = {"seeds": options.seeds, "jobs": options.jobs, "folder": options.out / "crossbar_liquid"}
    of = f"{options.most}-recordings-{options.seeds}-seeds{'-quick' * options.quick}"
    devices = sweep(condition, conditions(options.quick), data=data, name=f"devices-{of}", **common,
                    shared={"sim": sim, "on_ideal": on_ideal, "on_day_0": on_day_0})
    bits = sweep(conversion, space, data=data | {"first": space.points[0]["bits"]}, name=f"converters-{of}", **common,
                 shared={"converted": lambda size: liquid(Converted(**NEURON), size, ns.Pulse()), "top": top,
                         "on_first": on_first})
    return devices, bits, raw


# Telling --------------------------------------------------------------------------------------------------------------

def gathered(*results):
    """Return {(what, level): {name: values of all seeds}} in order."""
    groups = {}
    for row in (row for result in results for row in result.rows):
        groups.setdefault((row["what"], row["level"]), []).append(row)
    return {key: {name: np.array([row[name] for row in rows]) for name in rows[0] if name not in ("options", "error")}
            for key, rows in groups.items()}


def bounds(differences, confidence):
    """Return the interval of Student's t for the mean of paired differences; nan where there is only one."""
    n = len(differences)
    if n < 2:
        return np.nan, np.nan
    half = stats.t.ppf(0.5 + confidence / 2, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return differences.mean() - half, differences.mean() + half


def tell(groups, raw):
    """Print the table, and whether sampled devices are as good as Gaussian weights."""
    ideal = groups["Gaussian weights", "ideal"]
    n, seeds = raw.n_test, len(ideal["rate"])
    print(f"n_test {n}, {seeds} seed{'s' * (seeds > 1)}; chance {raw.chance:.1%}; ridge of the event counts of "
          f"the input, no liquid, {raw.accuracy:.1%}\nfixed: a readout trained on ideal weights (or on day 0) and "
          "used on the hardware; loss: paired, 95 % interval over seeds\n")
    print(f"{'':<24}{'level':>15}{'rate/Hz':>9}{'retrained':>11}{'95 % interval':>17}{'std':>7}{'fixed':>9}"
          f"{'loss, points':>24}")
    for (what, level), each in groups.items():
        right, fixed = each["retrained"], each.get("fixed", np.nan)
        low, high = interval(right.mean(), n)
        start = groups["PCM, readout of day 0", "day 0"]["retrained"] if "day 0" in what else ideal["retrained"]
        line = (f"{what:<24}{level:>15}{each['rate'].mean():>9.1f}{right.mean():>11.1%}"
                f"{f'{low:.1%} to {high:.1%}':>17}{right.std(ddof=seeds > 1):>7.1%}")
        if np.isfinite(fixed).all() and what != "Gaussian weights":
            lost = 100 * (start - fixed)
            a, b = bounds(lost, 0.95)
            between = f" ({a:+.1f} to {b:+.1f})" if seeds > 1 else ""
            line += f"{fixed.mean():>9.1%}{f'{lost.mean():+.1f}{between}':>24}"
        elif "energy" in each:
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


def references(panel, ideal, raw, line):
    """Draw what everything is compared with, by `axhline` or `axvline`."""
    for value, style, name in ((ideal, "--", "ideal weights"), (raw.accuracy, ":", "event counts, no liquid"),
                               (raw.chance, "-", "chance")):
        getattr(panel, line)(100 * value, color="grey", ls=style, lw=1, label=name)


def curve(panel, groups, what, label, color):
    """Draw accuracy against the level of a non-ideality; return the levels."""
    at = [key for key in groups if key[0] == what]
    x = [groups[key]["x"][0] for key in at]
    for name, style in (("retrained", "o--"), ("fixed", "s-")):
        values = [100 * groups[key][name] for key in at]
        panel.errorbar(x, [each.mean() for each in values], [each.std() for each in values], fmt=style, capsize=3,
                       color=color, label=f"{label}{name}")
    return x, [level for _, level in at]


def loss(panel, curves):
    """Draw which share of the current wires lose."""
    for n, points in curves.items():
        panel.loglog([x for x, _ in points], [100 * lost for _, lost in points], label=f"n = {n}")
    panel.set(xlabel=WIRES, ylabel="loss of current (%)")
    panel.legend(loc="lower right")


def front_of(panel, bits, front):
    """Draw accuracy against energy, with the converters that no other beats."""
    bits.plot("retrained", panel, kind="pareto", against="energy", highest="retrained", lowest="energy")
    middle = np.mean(panel.get_xlim())
    for point in front:
        side = "left" if point["energy"] < middle else "right"
        panel.annotate(f"{point['size']} neurons, {point['level']}", (point["energy"], point["retrained"]), ha=side,
                       fontsize=6, xytext=(4 if side == "left" else -4, -8), textcoords="offset points")
    panel.set(xlabel="energy of arrays and converters (nJ per recording)", ylabel="accuracy")
    panel.legend(loc="lower right")


def seeds_of(panel, differences):
    """Draw whether random resistors are as good as Gaussian weights."""
    panel.axvspan(-EQUIVALENT, EQUIVALENT, color="0.9", label=f"within {EQUIVALENT} points")
    panel.plot(differences, np.arange(len(differences)), "o", color=ns.plot.COLORS[0], label="one seed")
    half = np.abs(np.array([bounds(differences, 0.95)]).T - differences.mean())
    panel.errorbar(differences.mean(), -1, xerr=half, fmt="sk", capsize=3, label="mean, 95 % interval")
    panel.set(xlabel="random resistors less Gaussian weights (points)", ylabel="seed", ylim=(-2, len(differences)))
    panel.set_yticks(range(0, len(differences), max(1, len(differences) // 5)))
    panel.legend(loc="upper left", bbox_to_anchor=(0.0, 1.25), ncols=2)


def overview(groups, curves, raw):
    """Return a figure of one level of each non-ideality: a row for each."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained", width_ratios=(3, 2))
    rows = [key for key in groups if key != ("Gaussian weights", "ideal")]
    for row, key in enumerate(rows):
        each = groups[key]
        if np.isfinite(each.get("fixed", np.nan)).all():
            left.plot([100 * each[name].mean() for name in ("retrained", "fixed")], [row, row], color="0.8", zorder=0)
            left.plot(100 * each["fixed"].mean(), row, "s", color=ns.plot.COLORS[1])
        left.plot(100 * each["retrained"].mean(), row, "o", color=ns.plot.COLORS[0])
    references(left, groups["Gaussian weights", "ideal"]["retrained"].mean(), raw, "axvline")
    left.plot([], [], "o", color=ns.plot.COLORS[0], label="readout trained on the hardware")
    left.plot([], [], "s", color=ns.plot.COLORS[1], label="readout of ideal weights, or of day 0")
    names = [f"{what}, {level}" + (f" ({groups[what, level]['energy'].mean():.0f} nJ)"
                                   if "energy" in groups[what, level] else "") for what, level in rows]
    left.set_yticks(range(len(rows)), names)
    left.set(xlabel="accuracy (%)", xlim=(0, 100))
    left.invert_yaxis()
    left.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    loss(right, curves)
    return figure


def full(groups, curves, differences, bits, front, raw):
    """Return a figure of all levels: a panel for each non-ideality."""
    figure, panels = plt.subplots(3, 4, figsize=(15, 10), layout="constrained")
    panels = panels.ravel()
    for panel, (what, label) in zip(panels, SHOWN.items(), strict=False):
        x, levels = curve(panel, groups, what, "", ns.plot.COLORS[0])
        panel.set_xscale("symlog", linthresh=0.1) if "day 0" in what else panel.set_xscale("log")
        panel.set(xlabel=label)
        panel.set_xticks(x, levels)
        panel.minorticks_off()
    for k, what in enumerate(dict.fromkeys(what for what, _ in groups if what.startswith("wires"))):
        curve(panels[6], groups, what, f"{what.removeprefix('wires, ')}, ", ns.plot.COLORS[k])
    panels[6].set(xscale="log", xlabel=WIRES)
    panels[6].legend(loc="lower left")
    for panel in panels[:7]:
        references(panel, groups["Gaussian weights", "ideal"]["retrained"].mean(), raw, "axhline")
        panel.set(ylabel="accuracy (%)", ylim=(0, 100))
    loss(panels[7], curves)
    front_of(panels[8], bits, front)
    seeds_of(panels[9], differences)
    for panel in panels[10:]:
        panel.axis("off")
    panels[10].legend(*panels[0].get_legend_handles_labels(), loc="center left", fontsize=9,
                      title="retrained: readout trained on the hardware\nfixed: readout of ideal weights, or of day 0\n"
                            "bars: standard deviation over seeds", alignment="left")
    return figure


def plot(groups, differences, bits, raw, options):
    """Draw all panels, and print what belongs to them."""
    curves = uniform_losses()
    front = sorted(bits.pareto(highest="retrained", lowest="energy"), key=lambda point: point["energy"])
    figure = (overview(groups, curves, raw) if options.quick else
              full(groups, curves, differences, bits, front, raw))
    path = ns.plot.save(figure, options.out / f"crossbar_liquid.{options.format}")
    print("\nmean loss of uniform arrays (100 uS) at the same r G n^2, interpolated")
    for x in (0.1, 1.0):
        print(f"r G n^2 = {x:g}: " + ", ".join(
            f"n = {n}: {np.interp(np.log(x), np.log([p[0] for p in c]), [p[1] for p in c]):.1%}"
            for n, c in curves.items() if c[0][0] <= x <= c[-1][0]) + f"; first order (2/3) r G n^2: {2 * x / 3:.1%}")
    print("\nfront of accuracy against energy of arrays and converters")
    for point in front:
        print(f"{point['energy']:>8.1f} nJ {100 * point['retrained']:>6.1f} %   {point['size']} neurons, "
              f"{point['level']}")
    return path


def main():
    """Measure, print and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--root", type=Path, help="folder or zip file of N-MNIST")
    arguments.add_argument("--seeds", type=int, default=2, help="random weights to average over (2)")
    arguments.add_argument("--most", type=int, default=300, help="use at most so many recordings (300)")
    arguments.add_argument("--quick", action="store_true", help="one level of each non-ideality")
    arguments.add_argument("--jobs", type=int, help="processes; by default one for each core")
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for results and crossbar_liquid.png")
    arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
    options = arguments.parse_args()
    root = options.root or ns.datasets.NMNIST.below(os.environ.get("NEUROSIM_DATA"))
    if root is None:
        print("crossbar_liquid.py needs recordings of N-MNIST and found none: set NEUROSIM_DATA to a folder that holds "
              "nmnist/, or give --root FOLDER_OR_ZIP. Nothing was done.")
        sys.exit(0)
    options.out.mkdir(parents=True, exist_ok=True)
    devices, bits, raw = measure(options, root)
    groups = gathered(devices, bits)
    print(f"wrote {plot(groups, tell(groups, raw), bits, raw, options)}")


if __name__ == "__main__":
    main()
