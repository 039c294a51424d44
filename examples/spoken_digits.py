"""Spoken digits through an ear, a liquid and a linear readout: speakers that were heard, and one that was not.

    NEUROSIM_DATA=FOLDER python examples/spoken_digits.py [--ear silicon] [--takes 50] [--seeds 2] [--out FOLDER]

Recordings of the Free Spoken Digit Dataset become spikes: of a cochlea as in SHD (`--ear cochlea`), or of a bank of
filters with events (`--ear silicon`). Their first differences are taken before, as outer and middle ear favour high
frequencies, and all are stretched to 400 ms. A tonotopic liquid, whose weights are ideal or held by memristors, makes
features of them, and ridge regression is all that is trained. Two tests: takes 0 to 4 of speakers whose other takes
were heard, and all takes of each speaker in turn after the others. Beside them stands the same readout of the spikes
themselves. The penalty is chosen by takes 5 to 9 of what is trained on; the liquid's input was, for each speaker, the
best of five kinds where readouts are trained on three of the four others and judged by the fourth. Nothing is
downloaded.
"""

import argparse
import io
import os
import sys
import zipfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.io import wavfile

import neurosim as ns
from hardware_models.memristor import Memristor
from neurosim.readouts import interval
from neurosim.reservoirs import BinnedCounts, Lattice, Liquid, TonotopicInput

DURATION, BINS, N_DIGITS = 400.0, 10, 10  # ms of a stretched word, parts of it, classes
LATTICE = (64, 5, 5)  # of the liquid
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)  # of the mean size of a state
EARS = {"cochlea": (ns.encoders.Cochlea(256, level=1.0, ramp=10.0, dt=None), 8.0),
        "silicon": (ns.encoders.SiliconCochlea(64, f_max=3800.0, gain=20_000.0, dt=None), 4.0)}  # and input weights, mV
DEVICE = Memristor(programming_noise=0.05, read_noise=0.02, stuck_off=0.01)


def recordings(archive, takes):
    """Return names, sounds, digits, speakers and takes."""
    with zipfile.ZipFile(archive) as folder:
        names = sorted(name for name in folder.namelist() if name.endswith(".wav"))
        names = [name for name in names if int(name[:-4].rpartition("_")[2]) < takes]
        sounds = [wavfile.read(io.BytesIO(folder.read(name)))[1] for name in names]
    words = [Path(name).stem.split("_") for name in names]
    speakers = sorted({speaker for _, speaker, _ in words})
    return (names, sounds, np.array([int(digit) for digit, _, _ in words]),
            np.array([speakers.index(speaker) for _, speaker, _ in words]),
            np.array([int(take) for _, _, take in words]), speakers)


def emphasised(sound):
    """Return first differences, full scale being 1."""
    return np.diff(sound / 32768.0, prepend=0.0)


def stretched(spikes):
    """Return spikes as if all words took as long."""
    ticks = np.clip(np.ceil(spikes.times * (DURATION / spikes.duration) - 1e-9), 1, DURATION).astype(int)
    return ns.Spikes(ticks=ticks, ids=spikes.ids, size=spikes.size, dt=1.0, duration=DURATION)


class Kernel:
    """Ridge regression of many splits of the same samples: inner products are taken once."""

    def __init__(self, counts, digits):
        states = np.sqrt(counts).reshape(len(counts), BINS, -1)
        states = states / np.sqrt((states**2).mean(axis=(1, 2), keepdims=True))  # all words are as loud
        near = 0.5 * states
        states[:, 1:] += near[:, :-1]  # parts of a word are not spoken in one rhythm
        states[:, :-1] += near[:, 1:]
        states = states.reshape(len(counts), -1)
        states = (states - states.mean(axis=0)).astype(np.float32)  # of all samples, without their digits
        self.products = (states @ states.T).astype(np.float64)
        self.products /= np.trace(self.products) / len(states)
        self.wanted, self.digits = np.eye(N_DIGITS)[digits] * 2 - 1, digits

    def predict(self, train, test, penalty):
        """Return the digits of test samples after training."""
        mean = self.wanted[train].mean(axis=0)
        gram = self.products[np.ix_(train, train)] + penalty * np.eye(len(train))
        return (self.products[np.ix_(test, train)] @ np.linalg.solve(gram, self.wanted[train] - mean) + mean).argmax(1)

    def right(self, train, test, takes):
        """Return which test samples are told rightly; a part of the others chooses the penalty."""
        judge = train[(takes[train] >= 5) & (takes[train] < 10)]
        rest = np.setdiff1d(train, judge)
        scores = [(self.predict(rest, judge, penalty) == self.digits[judge]).mean() for penalty in PENALTIES]
        return self.predict(train, test, PENALTIES[int(np.argmax(scores))]) == self.digits[test]


def told(states, digits, speakers, takes):
    """Return which samples are told rightly by takes, and by speakers."""
    kernel, rows = Kernel(states, digits), np.arange(len(digits))
    by_take = kernel.right(rows[takes >= 5], rows[takes < 5], takes)
    by_speaker = np.zeros(len(rows), dtype=bool)
    for speaker in np.unique(speakers):
        test = rows[speakers == speaker]
        by_speaker[test] = kernel.right(rows[speakers != speaker], test, takes)
    return by_take, by_speaker


def liquid(channels, weight, seed, held):
    """Return a tonotopic liquid of 1,600 neurons with ideal weights or with memristors."""
    devices = {} if not held else {"device": DEVICE.replace(weight_max=0.5, seed=seed),
                                   "input_device": DEVICE.replace(weight_max=weight, seed=seed + 100)}
    return Liquid(Lattice(LATTICE), TonotopicInput(channels, width=20.0 * channels / 64, p=0.15 * 64 / channels,
                                                       weight=weight, inhibitory=0.5),
                  excitation=0.5, inhibition=-0.5, seed=seed, **devices)


def line(name, found, speakers, names):
    """Print accuracies with what belongs beside them; return both."""
    parts = []
    for which in (0, 1):
        right = np.array([each[which] for each in found])
        share, n = right.mean(), right.shape[1]
        low, high = interval(share, n)
        seeds = f"; seeds {', '.join(f'{row.mean():.1%}' for row in right)}" if len(right) > 1 else ""
        parts.append(f"{share:.1%} ({low:.1%} to {high:.1%}, n_test {n}{seeds})")
    each = ", ".join(f"{who} {np.mean([row[1][speakers == k].mean() for row in found]):.0%}"
                     for k, who in enumerate(names))
    print(f"{name}\n    takes 0-4            {parts[0]}\n    a speaker not heard  {parts[1]}: {each}", flush=True)
    return [np.mean([each[which].mean() for each in found]) for which in (0, 1)]


def plot(sound, ear, results, path):
    """Draw one word, and the accuracies."""
    ns.plot.style()
    figure = plt.figure(figsize=(13, 6.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(3, 2))
    shown = ear if isinstance(ear, ns.encoders.Cochlea) else ns.encoders.Cochlea(256)
    ns.plot.sound(sound, 8000, shown, axes=left.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": [1, 2, 2]}))
    ax = right.subplots()
    for k, (name, pair) in enumerate(results.items()):
        bars = ax.bar(np.arange(2) + 0.25 * k, 100 * np.array(pair), 0.22, label=name)
        ax.bar_label(bars, fmt="%.0f", fontsize=8)
    ax.axhline(10, color="grey", linestyle="--", label="chance")
    ax.set_xticks(np.arange(2) + 0.25, ["takes 0-4", "a speaker not heard"])
    ax.set(ylabel="Accuracy (%)", ylim=(0, 105))
    right.legend(loc="outside lower center", ncols=4, fontsize=8)
    print(f"wrote {ns.plot.save(figure, path, lettered=False, dpi=100)}")


def main():
    """Encode, train, print and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--root", type=Path, help="zip file of FSDD")
    arguments.add_argument("--ear", choices=EARS, default="silicon", help="what makes spikes (silicon)")
    arguments.add_argument("--takes", type=int, default=50, help="use so many takes, at least 11 (50)")
    arguments.add_argument("--seeds", type=int, default=2, help="liquids to average over (2)")
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for spoken_digits.png")
    options = arguments.parse_args()
    data = os.environ.get("NEUROSIM_DATA")
    zips = sorted((Path(data) / "fsdd").glob("*.zip")) if data else []
    root = options.root or (zips[0] if zips else None)
    if root is None:
        print("spoken_digits.py needs the Free Spoken Digit Dataset and found none: set NEUROSIM_DATA to a folder that "
              "holds fsdd/ with its zip file, or give --root FILE.zip. Nothing was done.")
        sys.exit(0)
    _, sounds, digits, speakers, takes, names = recordings(root, options.takes)
    ear, weight = EARS[options.ear]
    spikes = [stretched(each) for each in ear.encode_batch([emphasised(sound) for sound in sounds], 8000, seed=1,
                                                           progress=True)]
    print(f"{len(sounds)} recordings of {len(names)} speakers, {np.mean([len(each) for each in spikes]):.0f} spikes "
          f"each; chance {np.bincount(digits).max() / len(digits):.1%}; {ear!r}")
    counts = BinnedCounts(BINS).matrix(spikes).reshape(len(spikes), BINS, 64, -1).sum(axis=3).reshape(len(spikes), -1)
    results = {"input spikes": line("counts of the input spikes, no liquid", [told(counts, digits, speakers, takes)],
                                    speakers, names)}
    for name, held in (("liquid", False), ("liquid of memristors", True)):
        found = []
        for seed in range(1, options.seeds + 1):
            states = liquid(ear.n_neurons, weight, seed, held).states(spikes, DURATION, BinnedCounts(BINS))
            found.append(told(states, digits, speakers, takes))
        hertz = states.sum() / len(spikes) / np.prod(LATTICE) / DURATION * 1e3
        results[name] = line(f"{name}, {hertz:.0f} Hz", found, speakers, names)
    plot(sounds[int(np.flatnonzero(digits == 7)[0])], ear, results, options.out / "spoken_digits.png")


if __name__ == "__main__":
    main()
