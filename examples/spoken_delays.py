"""Spoken digits of a speaker that was not heard: delays that learn, the same delays fixed, and one delay for all.

    NEUROSIM_DATA=FOLDER python examples/spoken_delays.py [--takes 20] [--epochs 12] [--seeds 5] [--out FOLDER]

Recordings of the Free Spoken Digit Dataset become spikes of a silicon cochlea of 20 channels, stretched to 100 ms, some
160 a word. 24 hidden neurons and 10 leaky integrators, whose mean v are the logits, are trained by exact gradients of
the event mode, with the weights alone, or with the 480 delays into the hidden neurons too. Seed k leaves out speaker
k, who is heard in the test alone; the ways to begin and the settings are the same for all three networks. They were
chosen with a second speaker left out of the four. Beside them a linear readout of counts in ten parts of the word, and
chance. It needs PyTorch (the extra torch). Nothing is downloaded.
"""

import argparse
import io
import os
import sys
import time
import zipfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.io import wavfile

import neurosim as ns
from neurosim.readouts import interval, ridge

ns.plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--takes", type=int, default=20, help="use so many takes of each word (20)")
arguments.add_argument("--epochs", type=int, default=12, help="passes over the training words (12)")
arguments.add_argument("--hidden", type=int, default=24, help="hidden neurons (24)")
arguments.add_argument("--seeds", type=int, default=5, help="networks, each without one speaker (5)")
arguments.add_argument("--threads", type=int, help="that share a batch; all cores by default")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for spoken_delays.png")
options = arguments.parse_args()
CHANNELS, WORD, LONGEST, DURATION = 20, 100.0, 40.0, 170.0  # ms; longest delay that is drawn
BATCH, SHARP, LEFT_OUT = 32, 10.2, 0.2  # words, factor of the logits, share of spikes left out in training
RATES = {"weight": 0.02, "delay": 0.5}  # of Adam, ms for delays
KINDS = ("one delay for all", "delays fixed", "delays learned")

zips = sorted((Path(os.environ.get("NEUROSIM_DATA") or "missing") / "fsdd").glob("*.zip"))
if not zips:
    print("spoken_delays.py needs the Free Spoken Digit Dataset and found none: set NEUROSIM_DATA to a folder that "
          "holds fsdd/ with its zip file. Nothing was done.")
    sys.exit(0)

import torch  # noqa: E402

from neurosim import bridge  # noqa: E402

torch.set_num_threads(1)


def words():
    """Return (times, channels) of the words, digits and speakers."""
    with zipfile.ZipFile(zips[0]) as folder:
        names = sorted(name for name in folder.namelist() if name.endswith(".wav"))
        names = [name for name in names if int(name[:-4].rpartition("_")[2]) < options.takes]
        sounds = [np.diff(wavfile.read(io.BytesIO(folder.read(name)))[1].astype(float), prepend=0.0) for name in names]
    ear = ns.encoders.SiliconCochlea(CHANNELS, f_max=3800.0, gain=1500.0, dt=None)
    spikes = ear.encode_batch([0.1 * sound / np.sqrt(np.mean(sound**2)) for sound in sounds], 8000, seed=1)
    parts = [Path(name).stem.split("_") for name in names]
    speakers = sorted({who for _, who, _ in parts})
    return ([(each.times * (WORD / each.duration), each.ids) for each in spikes],
            np.array([int(digit) for digit, _, _ in parts]), np.array([speakers.index(who) for _, who, _ in parts]))


def network(kind, seed):
    """Return ear, hidden neurons and readouts."""
    rng, hidden = np.random.default_rng(seed), options.hidden
    into, out_of = rng.normal(0.1, 0.5, (CHANNELS, hidden)), rng.normal(0.0, 0.5, (hidden, 10))
    delays = rng.uniform(1.0, 1.0 + LONGEST, (CHANNELS, hidden))
    net = ns.Network()
    nothing = ns.Spikes.from_times([], [], size=CHANNELS, duration=1.0)
    ear = net.add(ns.SpikeSource(nothing), CHANNELS, name="ear")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), hidden, name="hidden")
    out = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0), 10, name="out")
    net.connect(ear, cells, ns.AllToAll(), weight=into, delay=1.0 if kind == KINDS[0] else delays, name="in",
                receptor=ns.ExponentialCurrent(5.0))
    net.connect(cells, out, ns.AllToAll(), weight=out_of, delay=1.0, name="to out", receptor=ns.ExponentialCurrent(5.0))
    return net


def trained(kind, seed, spikes, digits):
    """Return a network trained on words."""
    rng, learns = np.random.default_rng([seed, 1]), ["weight"] + ["delay"] * (kind == KINDS[2])
    learner = bridge.EventNetwork(network(kind, seed), train={"in": learns, "to out": "weight"},
                                  threads=options.threads)
    named = [("in", name) for name in learns] + [("to out", "weight")]
    adam = torch.optim.Adam([{"params": [learner.value(*key)], "lr": RATES[key[1]]} for key in named])
    steps = -(-len(digits) // BATCH)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adam, options.epochs * steps)
    for _ in range(options.epochs):
        for chosen in np.array_split(rng.permutation(len(digits)), steps):
            kept = [rng.random(len(spikes[k][0])) > LEFT_OUT for k in chosen]
            given = [(spikes[k][0][each], spikes[k][1][each]) for k, each in zip(chosen, kept, strict=True)]
            v = learner(given, DURATION, integral=["out"]).integral["out"] / DURATION
            loss = torch.nn.functional.cross_entropy(SHARP * v, torch.from_numpy(digits[chosen]))
            adam.zero_grad()
            loss.backward()
            adam.step()
            slower.step()
    return learner


def linear(spikes, digits, train, test):
    """Return what a linear readout of counts in ten parts of a word tells."""
    counts = np.array([np.histogram2d(times, ids, bins=[10, CHANNELS], range=[[0.0, WORD], [0, CHANNELS]])[0].ravel()
                       for times, ids in spikes])
    readout = ridge(np.logspace(-2, 4, 13), scale=False, root=True).fit(counts[train], digits[train])
    return readout.predict(counts[test]) == digits[test]


def main():
    """Train, test, print and draw."""
    began = time.perf_counter()
    spikes, digits, speakers = words()
    right = {name: [] for name in (*KINDS, "linear, counts")}
    for seed in range(options.seeds):
        train, test = np.flatnonzero(speakers != seed % 5), np.flatnonzero(speakers == seed % 5)
        right["linear, counts"].append(linear(spikes, digits, train, test))
        for kind in KINDS:
            learner = trained(kind, seed, [spikes[k] for k in train], digits[train])
            with torch.no_grad():
                told = learner([spikes[k] for k in test], DURATION, integral=["out"]).integral["out"].argmax(1).numpy()
            right[kind].append(told == digits[test])
            print(f"seed {seed}, {kind:<20}{right[kind][-1].mean():>7.1%}   {time.perf_counter() - began:.0f} s",
                  flush=True)
    print(f"\n{CHANNELS}-{options.hidden}-10, {len(digits)} words, {options.epochs} epochs, {options.seeds} seeds, "
          f"n_test {len(right[KINDS[0]][0])} each, chance 10.0%")
    shares = {name: np.array([each.mean() for each in found]) for name, found in right.items()}
    for name, each in shares.items():
        low, high = interval(each.mean(), sum(map(len, right[name])))
        print(f"{name:<20}{each.mean():>7.1%}   {low:.1%} to {high:.1%}   seeds {', '.join(f'{x:.1%}' for x in each)}")
    for other in KINDS[:2]:
        gain = 100.0 * (shares[KINDS[2]] - shares[other])
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.nan
        print(f"learned minus {other}: {gain.mean():+.1f} points, standard error over seeds {error:.1f}")
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for name, each in shares.items():
        axes.plot(100.0 * each, "o-", label=name)
    axes.set(xlabel="seed, and speaker left out", ylabel="accuracy (%)", xticks=range(options.seeds), ylim=(0, 100))
    axes.legend(frameon=False, fontsize=8)
    path = ns.plot.save(figure, options.out / "spoken_delays.png", lettered=False, dpi=100)
    print(f"\nwrote {path}")


if __name__ == "__main__":
    main()
