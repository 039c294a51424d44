"""Hand velocity from spikes of motor cortex: spiking and linear decoders, and filters after them.

    NEUROSIM_DATA=FOLDER python examples/decoding_m1.py [--seeds 5] [--epochs 60] [--quick] [--out FOLDER]

171 units of monkey M1 in bins of 50 ms (m1_reaching/). The first half of the recording is for training, the next
quarter for validation, the last for the test: blocks of time, since neighbouring bins are alike. Decoders: ridge
regression on the present bin, and on ten of them (Wiener filter); 50 LIF neurons with leaky integrators, trained by
surrogate gradient. After each a Bessel filter: causal, in blocks of 4 bins (known 200 ms late) and of 16, and zero-
phase (offline). Cutoffs, and the epoch that is kept, are chosen on the validation part. R2 is the mean of both
directions.
"""

import argparse
import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from sklearn.linear_model import Ridge

from neurosim import bridge, plot
from neurosim.readouts import bessel

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=5, help="seeds of the spiking decoder (5)")
arguments.add_argument("--epochs", type=int, default=60, help="passes of its training (60)")
arguments.add_argument("--quick", action="store_true", help="a fifth of the recording, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for decoding_m1.png")
options = arguments.parse_args()
torch.set_num_threads(1)
path = Path(os.environ.get("NEUROSIM_DATA") or "missing") / "m1_reaching" / "m1_stevenson_2011.npz"
if not path.exists():
    print("decoding_m1.py needs m1_reaching/m1_stevenson_2011.npz and did not find it: set NEUROSIM_DATA to its "
          "folder. Nothing was done.")
    sys.exit(0)
DT, CUTOFFS, PIECE = 50.0, (0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0), 100
FILTERS = {"none": None, "causal": {"mode": "causal"}, "block of 4": {"mode": "block", "block": 4},
           "block of 16": {"mode": "block", "block": 16}, "zero-phase": {"mode": "zero_phase"}}
LATE = {"none": 0, "causal": 0, "block of 4": 200, "block of 16": 800, "zero-phase": None}

with np.load(path) as file:
    counts, velocity = file["counts"].astype(float), file["hand_vel"][:, :2].astype(float)
counts, velocity = (each[:3000] if options.quick else each for each in (counts, velocity))
n = len(counts)
TRAIN, VALIDATION, TEST = slice(0, n // 2), slice(n // 2, 3 * n // 4), slice(3 * n // 4, n)
counts = counts[:, counts[TRAIN].std(0) > 0]
counts = counts / counts[TRAIN].std(0)
middle, size = velocity[TRAIN].mean(0), velocity[TRAIN].std(0)
goal = (velocity - middle) / size


def r2(found, part):
    """Return the share of the variance that is explained, mean of both directions."""
    right = goal[part]
    return float(np.mean(1.0 - ((found - right) ** 2).sum(0) / ((right - right.mean(0)) ** 2).sum(0)))


def linear(bins):
    """Return velocities of ridge regression on some of the last bins, its strength chosen on the validation part."""
    rows = [np.concatenate([np.zeros((k, counts.shape[1])), counts[:n - k]]) for k in range(bins)]
    X = np.concatenate(rows, axis=1)
    made = [Ridge(alpha).fit(X[TRAIN], goal[TRAIN]).predict(X) for alpha in (1e1, 1e2, 1e3, 1e4)]
    return max(made, key=lambda each: r2(each[VALIDATION], VALIDATION))


def spiking(seed):
    """Return velocities of a spiking decoder that runs through the recording, and the spikes of a neuron and bin."""
    generator = torch.Generator().manual_seed(seed)
    net = bridge.Sequential(
        bridge.LIFLayer(counts.shape[1], 50, dt=DT, tau_mem=200.0, trainable=["tau_mem"], bias=True,
                        surrogate=bridge.FastSigmoid(5.0), generator=generator),
        bridge.LeakyIntegratorLayer(50, 2, dt=DT, tau_mem=200.0, trainable=["tau_mem"], bias=True,
                                    generator=generator))
    x, y = (torch.from_numpy(each).float() for each in (counts, goal))
    pieces = n // 2 // PIECE
    inputs, wanted = (each[:pieces * PIECE].reshape(pieces, PIECE, -1).transpose(0, 1).contiguous() for each in (x, y))
    adam = torch.optim.Adam(net.parameters(), lr=3e-3)
    best, kept = -np.inf, None
    for _ in range(2 if options.quick else options.epochs):
        for rows in torch.randperm(pieces, generator=generator).split(16):
            adam.zero_grad()
            made, _ = net(inputs[:, rows])
            ((made - wanted[:, rows])[5:] ** 2).mean().backward()
            adam.step()
        with torch.no_grad():
            out = net(x[:, None])[0][:, 0].numpy()
            if (reached := r2(out[VALIDATION], VALIDATION)) > best:
                best, kept = reached, (out, float(net.layers[0](x[:, None])[0].mean()))
    return kept


def filtered(out):
    """Return R2 on the test part after each filter, with the cutoff that is best on the validation part."""
    found = {}
    for name, how in FILTERS.items():
        parts = [out] if how is None else [bessel(out, cutoff, DT, **how) for cutoff in CUTOFFS]
        found[name] = r2(max(parts, key=lambda each: r2(each[VALIDATION], VALIDATION))[TEST], TEST)
    return found


runs = [spiking(seed) for seed in range(options.seeds)]
decoders = {"linear, one bin": [filtered(linear(1))], "linear, ten bins": [filtered(linear(10))],
            f"50 LIF, {options.seeds} seeds": [filtered(out) for out, _ in runs]}
print(f"{n} bins, {counts.shape[1]} units; test on the last {n - TEST.start}; R2 of always the mean: "
      f"{r2(np.zeros_like(goal[TEST]), TEST):.3f}")
print(f"{'':20s}" + "".join(f"{name:>18s}" for name in FILTERS))
print(f"{'known after':20s}" + "".join(f"{'at the end' if LATE[name] is None else f'{LATE[name]} ms':>18s}"
                                       for name in FILTERS))
for decoder, found in decoders.items():
    line = ""
    for name in FILTERS:
        values = np.array([each[name] for each in found])
        half = scipy.stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)) \
            if len(values) > 1 else np.nan
        line += f"{f'{values.mean():.3f}' + (f' +- {half:.3f}' if len(values) > 1 else ''):>18s}"
    print(f"{decoder:20s}{line}")
print(f"spikes of a LIF neuron a bin: {np.mean([rate for _, rate in runs]):.2f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5))
for k, (decoder, found) in enumerate(decoders.items()):
    left.plot(range(len(FILTERS)), [np.mean([each[name] for each in found]) for name in FILTERS], "o-", color=f"C{k}",
              label=decoder)
left.set_xticks(range(len(FILTERS)), FILTERS, fontsize=7)
left.set_ylabel("R2 on the test part")
left.legend(fontsize=7)
shown = slice(TEST.start, TEST.start + 200)
t = np.arange(200) * DT / 1000
right.plot(t, goal[shown, 0], "k", lw=1, label="hand")
right.plot(t, runs[0][0][shown, 0], "C2", lw=0.8, alpha=0.6, label="50 LIF")
right.plot(t, bessel(runs[0][0], 1.0, DT)[shown, 0], "C3", lw=1, label="zero-phase, 1 Hz")
right.set_xlabel("s")
right.set_ylabel("velocity, standard deviations")
right.legend(fontsize=7)
fig.tight_layout()
path = options.out / "decoding_m1.png"
plot.save(fig, path, lettered=False, dpi=120)
print(f"wrote {path}")
