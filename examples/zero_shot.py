"""Zero-shot retrieval: pictures find spoken digits of classes that no training saw, through two frozen liquids.

    NEUROSIM_DATA=FOLDER python examples/zero_shot.py [--takes 20] [--cache FOLDER] [--quick] [--out FOLDER]

Recordings of N-MNIST (nmnist/) go through an image liquid, spoken digits of the Free Spoken Digit Dataset (fsdd/)
through an audio liquid. Two projections are trained on eight digits so that both kinds of states of a digit come
together; then samples of each kind look for their digit among those of the other kind: of the eight digits, in
recordings that were not trained on, and of the two that were left out. Five ways to leave two digits out. Everything
is chosen on the eight digits: early stopping looks at held-out samples of these. The same is done with liquids whose
weights, of inputs and within, memristors on crossbars hold, none of them exactly and some stuck. Beside it stand the
same towers on the raw inputs, events a pixel and energy a band, and chance. Intervals are 95 % of Student's t over the
five ways. --cache keeps the states.
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
import scipy.io.wavfile
import scipy.signal
import scipy.stats
import torch

import neurosim as ns
from hardware_models.memristor import Memristor
from neurosim import bridge
from neurosim.reservoirs import (
    BinnedCounts,
    Liquid,
    MaassLattice,
    NalsmLattice,
    OrientedInput,
    TonotopicInput,
    cached_states,
)

ns.plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--takes", type=int, default=20, help="takes of each speaker and digit (20 of 50)")
arguments.add_argument("--cache", type=Path, help="folder in which the states of the liquids are kept")
arguments.add_argument("--quick", action="store_true", help="few samples and one way, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for zero_shot.png")
options = arguments.parse_args()
torch.set_num_threads(1)
SENSOR, BANDS, PICTURE, SOUND, SEED = (34, 34, 2), 32, 340.0, 700.0, 0
DATA = Path(os.environ.get("NEUROSIM_DATA") or "missing")
PICTURES, SPEECH = (next(iter(sorted((DATA / name).glob("*.zip"))), None) for name in ("nmnist", "fsdd"))
if PICTURES is None or SPEECH is None:
    print("zero_shot.py needs nmnist/*.zip and fsdd/*.zip and did not find both: set NEUROSIM_DATA to their folder. "
          "Nothing was done.")
    sys.exit(0)


def pictures():
    """Return N-MNIST as spikes, raw counts of 2 x 2 pixels, and labels."""
    parts = [ns.datasets.NMNIST(PICTURES, train=train).load_all() for train in (True, False)]
    events = [each for part in parts for each in np.split(part.events, part.offsets[1:-1])]
    labels = np.concatenate([part.labels for part in parts])
    rows = np.random.default_rng(SEED).permutation(len(labels))[:100 if options.quick else None]
    spikes = [ns.datasets.to_spikes(events[k], SENSOR, dt=1.0, duration=PICTURE) for k in rows]
    raw = [np.bincount(events[k]["y"].astype(int) // 2 * 17 + events[k]["x"] // 2, minlength=289) for k in rows]
    return spikes, np.array(raw, dtype=float), labels[rows]


def energies(samples, rate):
    """Return the level of each band in each frame of 10 ms, from 0 (60 dB below the loudest) to 1."""
    times, power = scipy.signal.stft(samples.astype(float), rate, nperseg=256, noverlap=256 - rate // 100)[1:]
    frequencies, power = np.linspace(0, rate / 2, len(power)), np.abs(power) ** 2
    edges = 700.0 * np.expm1(np.linspace(np.log1p(100 / 700), np.log1p(0.98 * rate / 1400), BANDS + 2))
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    band = np.clip(np.minimum(rising, falling), 0, None) @ power
    return np.clip(1.0 + np.log10(band / band.max() + 1e-12) / 6.0, 0.0, 1.0)[:, :int(SOUND // 10)]


def speech():
    """Return spoken digits as spikes of bands, raw levels in five parts of time, and labels."""
    spikes, raw, labels = [], [], []
    generator = np.random.default_rng(SEED)
    with zipfile.ZipFile(SPEECH) as file:
        for name in sorted(each for each in file.namelist() if each.endswith(".wav")):
            digit, _, take = Path(name).stem.split("_")
            if int(take) >= (2 if options.quick else options.takes):
                continue
            level = np.zeros((BANDS, int(SOUND // 10)))
            heard = energies(*scipy.io.wavfile.read(io.BytesIO(file.read(name)))[::-1])
            level[:, :heard.shape[1]] = heard
            raster = generator.random((int(SOUND), BANDS)) < 0.15 * np.repeat(level, 10, axis=1).T ** 2
            spikes.append(ns.Spikes.from_dense(raster, 1.0))
            raw.append(np.concatenate([part.mean(1) for part in np.array_split(level, 5, axis=1)]))
            labels.append(int(digit))
    return spikes, np.array(raw), np.array(labels)


def states(liquid, samples, duration, parts):
    """Return the states of a liquid, from the cache where there is one."""
    if options.cache is None:
        return liquid.states(samples, duration, BinnedCounts(parts))
    return cached_states(liquid, samples, duration, BinnedCounts(parts), folder=options.cache)


def liquids(crossbars):
    """Return states of pictures and of spoken digits; crossbars have errors of 5 % of g_max, and 5 % stuck devices."""
    def held(weight, seed):
        return Memristor(weight_max=weight, programming_noise=0.05, stuck_off=0.05, seed=seed) if crossbars else None

    deep = 2 if options.quick else 8
    eye = Liquid(NalsmLattice((10, 10, deep)), OrientedInput(SENSOR, weight=80.0), excitation=0.5, inhibition=-0.5,
                 dt=1.0, seed=SEED, device=held(0.5, 1), input_device=held(80.0, 3))
    ear = Liquid(MaassLattice((8, 8, deep)), TonotopicInput(BANDS, weight=12.0), excitation=0.6, inhibition=-0.6,
                 dt=1.0, seed=SEED, device=held(0.6, 5), input_device=held(12.0, 7))
    return np.sqrt(states(eye, seen_pictures, PICTURE, 3)), np.sqrt(states(ear, heard_speech, SOUND, 5))


seen_pictures, raw_pictures, y = pictures()
heard_speech, raw_speech, z = speech()
sets = {"liquids": liquids(crossbars=False), "crossbars": liquids(crossbars=True),
        "raw inputs": (np.sqrt(raw_pictures), raw_speech)}
print(f"{len(y)} pictures, {len(z)} spoken digits; states of {sets['liquids'][0].shape[1]} and "
      f"{sets['liquids'][1].shape[1]} numbers")

ways = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)][:1 if options.quick else 5]
found = {}
for name, (A, B) in sets.items():
    for targets in ("label", "instance"):
        rows = []
        for k, unseen in enumerate(ways):
            rng = np.random.default_rng(k)
            out_a, out_b = np.isin(y, unseen), np.isin(z, unseen)
            test_a, test_b = (rng.random(len(labels)) < 0.2 for labels in (y, z))
            fit_a, fit_b = ~out_a & ~test_a, ~out_b & ~test_b
            towers = bridge.TwoTowers(targets=targets, seed=k, max_epochs=5 if options.quick else 60)
            towers.fit(A[fit_a], y[fit_a], B[fit_b], z[fit_b])
            for part_a, part_b in ((~out_a & test_a, ~out_b & test_b), (out_a, out_b)):
                rows.append(bridge.retrieval(towers, A[part_a], y[part_a], B[part_b], z[part_b]))
        found[name, targets] = rows[::2], rows[1::2]


def summary(values):
    """Return mean and half width of the 95 % interval of Student's t, as text."""
    values, n = 100 * np.asarray(values), len(values)
    half = scipy.stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return f"{values.mean():5.1f} +- {half:4.1f} %"


print(f"\n{'':28s}{'8 digits, picture to speech':>28s}{'speech to picture':>20s}{'2 unseen, p. to s.':>20s}"
      f"{'s. to p.':>18s}")
for (name, targets), parts in found.items():
    print(f"{name + ', ' + targets + ' targets':28s}" + "".join(
        f"{summary([getattr(each, way) for each in part]):>{width}s}" for part, widths in zip(
            parts, ((28, 20), (20, 18)), strict=True) for way, width in zip(("a_to_b", "b_to_a"), widths, strict=True)))
first = found["liquids", "label"]
chances = [100 * np.mean([each.chance_a_to_b for each in part]) for part in first]
print(f"{'chance':28s}{chances[0]:>24.1f} %{chances[0]:>17.1f} %{chances[1]:>18.1f} %{chances[1]:>16.1f} %")
queries = [[np.mean([getattr(each, n) for each in part]) for n in ("n_a", "n_b")] for part in first]
print(f"{len(ways)} ways; n_test of a way: {queries[0][0]:.0f} pictures and {queries[0][1]:.0f} spoken of the eight, "
      f"{queries[1][0]:.0f} and {queries[1][1]:.0f} of the two")

fig, ax = plt.subplots(figsize=(7, 3.5))
for k, ((name, targets), parts) in enumerate(found.items()):
    for j, part in enumerate(parts):
        values = [50 * (each.a_to_b + each.b_to_a) for each in part]
        ax.plot(np.full(len(values), j) + 0.12 * (k - 2.5), values, "o", color=f"C{k}", ms=4,
                label=f"{name}, {targets}" if j == 0 else None)
for j, chance in enumerate(chances):
    ax.plot([j - 0.4, j + 0.4], [chance, chance], "k:", lw=1, label="chance" if j == 0 else None)
ax.set_xticks([0, 1], ["eight digits, other recordings", "two digits never seen"])
ax.set_ylabel("right digit found first, %")
ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
fig.tight_layout()
path = options.out / "zero_shot.png"
ns.plot.save(fig, path, lettered=False, dpi=120)
print(f"wrote {path}")
