"""Spoken digits by an LSTM of 32 units: weights on a crossbar, activations made by ramp converters that bend.

    NEUROSIM_DATA=FOLDER python examples/nladc_lstm.py [--seeds 1] [--epochs 30] [--quick] [--out FOLDER]

Recordings of the Free Spoken Digit Dataset are looked for as a zip file in the folder `fsdd` below NEUROSIM_DATA. Takes
0 to 4 of each speaker and digit are the test set, 5 to 9 choose the epoch, the others train. Training needs PyTorch;
what is tested is the chip's arithmetic alone. Weights are limited to +-1, for which the largest conductance stands, so
that they use the range of the devices. Three numbers for each resolution:

- converted: the network is trained in float32 and then put on the chip;
- trained: it is trained on with the converters in the loop (straight-through gradients) and noise on the weights;
- on devices: the latter with errors of 2.67 uS (of 150 uS) in every device, weights and ramps, over ten chips.
"""

import argparse
import io
import os
import sys
import time
import wave
import zipfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

try:
    import torch
except ImportError:
    print("nladc_lstm.py trains with PyTorch, which is not installed: pip install neurosim-toolkit[torch]. "
          "Nothing was done.")
    sys.exit(0)

from hardware_models.memristor import Memristor
from hardware_models.ramp_adc import FUNCTIONS, RampADC, lstm
from neurosim.plot import COLORS
from neurosim.readouts import ridge, score
from neurosim.readouts.evaluation import interval

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=1, help="networks that are trained (1)")
arguments.add_argument("--epochs", type=int, default=30, help="epochs of training in float32 (30)")
arguments.add_argument("--quick", action="store_true", help="a fraction of everything, only to see it run")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nladc_lstm.png")
options = arguments.parse_args()
BITS, ERRORS, CHIPS = ((3, 5), (0.0, 2.67), 2) if options.quick else ((3, 4, 5, 8), (0.0, 1.0, 2.67, 5.0, 10.0), 10)
HIDDEN, MELS, STEPS, RATE, G_MAX, W_MAX, USUAL = 32, 40, 40, 8000, 150.0, 1.0, 2.67

folder = Path(os.environ.get("NEUROSIM_DATA", "")) / "fsdd"
archives = sorted(folder.glob("*.zip")) if os.environ.get("NEUROSIM_DATA") else []
if not archives:
    print("nladc_lstm.py needs recordings of the Free Spoken Digit Dataset and found none: set NEUROSIM_DATA to a "
          "folder that holds fsdd/*.zip. Nothing was done.")
    sys.exit(0)


# ---- features: logarithms of 40 mel bands every 25 ms, one second -----------------------------------


def mel_filters(n_fft):
    """Triangles that are equally wide in mel, from 60 Hz to 4 kHz."""
    mel = np.linspace(*2595 * np.log10(1 + np.array([60.0, 4000.0]) / 700), MELS + 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    f = np.fft.rfftfreq(n_fft, 1 / RATE)
    rise = (f - hertz[:-2, None]) / np.diff(hertz)[:-1, None]
    fall = (hertz[2:, None] - f) / np.diff(hertz)[1:, None]
    return np.maximum(np.minimum(rise, fall), 0.0)


def features(sound):
    """Return log mel energies, shape (STEPS, MELS); a recording is cut or padded with silence to one second."""
    hop, window = RATE // 40, 512
    padded = np.zeros(hop * (STEPS - 1) + window)
    sound = sound[:len(padded)]
    padded[len(padded) - len(sound):] = sound / max(np.abs(sound).max(), 1e-9)  # silence comes first
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop] * np.hanning(window)
    return np.log(np.abs(np.fft.rfft(frames)) ** 2 @ mel_filters(window).T + 1e-3)


def read(path):
    """Return features, digits and numbers of the takes."""
    x, digits, takes = [], [], []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".wav")):
            digit, _, take = Path(name).stem.split("_")
            with wave.open(io.BytesIO(archive.read(name))) as sound:
                x.append(features(np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)))
            digits.append(int(digit))
            takes.append(int(take))
    return np.array(x), np.array(digits), np.array(takes)


began = time.perf_counter()
X, y, take = read(archives[0])
part = {"test": take < 5, "validation": (take >= 5) & (take < 10), "train": take >= (40 if options.quick else 10)}
mean, std = X[part["train"]].mean((0, 1)), X[part["train"]].std((0, 1))
X = np.clip((X - mean) / (3 * std), -1.0, 1.0)
X = np.round(X * 127) / 127  # what a DAC of 8 bits gives
data = {name: (torch.tensor(X[rows], dtype=torch.float32).transpose(0, 1), torch.tensor(y[rows]))
        for name, rows in part.items()}
print(f"{len(y)} recordings, {len(data['train'][1])} train, {len(data['validation'][1])} validation, "
      f"{len(data['test'][1])} test, {time.perf_counter() - began:.1f} s")
plain = ridge(np.logspace(0, 6, 13)).fit(X[part["train"]].reshape(part["train"].sum(), -1), y[part["train"]])
linear = score(plain, X[part["test"]].reshape(part["test"].sum(), -1), y[part["test"]], part["train"].sum())


# ---- the network ------------------------------------------------------------------------------------


def converters(bits, error=0.0, seed=0):
    """Return programmed ramps for sigmoid and tanh."""
    adc = RampADC(bits=bits, rounding="nearest", programming_error=error, calibrate=error > 0)
    return [adc.replace(function=name).program(seed, key) for key, name in enumerate(("sigmoid", "tanh"))]


def on_crossbar(weights, error, generator):
    """Return the weights that pairs of devices hold, with the gradient of the weights themselves."""
    weights = weights.clamp(-W_MAX, W_MAX)
    held = Memristor(weight_max=W_MAX, g_max=G_MAX, programming_noise=error / G_MAX).program(weights, generator)
    return weights + (held - weights).detach()


def logits(net, x, ramps=None, error=0.0, generator=None, call="__call__"):
    """Return the scores of the ten digits; float32 where no ramps are given."""
    functions = [FUNCTIONS["sigmoid"], FUNCTIONS["tanh"]] if ramps is None else [getattr(r, call) for r in ramps]
    w, out = (on_crossbar(net[name], error, generator) for name in ("w", "out"))
    return lstm(x, w, net["b"], *functions)[-1] @ out + net["b_out"]


def accuracy(net, name, **how):
    with torch.no_grad():
        x, labels = data[name]
        return float((logits(net, x, **how).argmax(1) == labels).float().mean())


def train(net, epochs, rate, seed, ramps=None, error=0.0):
    """Return the net of the epoch that is best on the validation recordings."""
    generator = np.random.default_rng(seed)
    net = {name: value.clone().requires_grad_() for name, value in net.items()}
    optimiser = torch.optim.Adam(net.values(), lr=rate)
    x, labels = data["train"]
    batches = -(-len(labels) // 100)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * batches)
    best = (-1.0, None)
    for _ in range(epochs):
        for rows in np.array_split(generator.permutation(len(labels)), batches):
            optimiser.zero_grad()
            scores = logits(net, x[:, rows], ramps, error, generator, "surrogate")
            torch.nn.functional.cross_entropy(scores, labels[rows], label_smoothing=0.1).backward()
            torch.nn.utils.clip_grad_norm_(net.values(), 1.0)
            optimiser.step()
            schedule.step()
        found = accuracy(net, "validation", ramps=ramps)
        if found >= best[0]:
            best = found, {name: value.detach().clone() for name, value in net.items()}
    return best[1]


def start(seed):
    torch.manual_seed(seed)
    bias = torch.zeros(4 * HIDDEN)
    bias[HIDDEN:2 * HIDDEN] = 1.0
    return {"w": torch.randn(MELS + HIDDEN, 4 * HIDDEN) / (MELS + HIDDEN) ** 0.5, "b": bias,
            "out": torch.randn(HIDDEN, 10) / HIDDEN ** 0.5, "b_out": torch.zeros(10)}


# ---- accuracy against bits and programming error ----------------------------------------------------

torch.set_num_threads(1)
floats, converted, aware, devices = [], [], [], []  # by seed; devices: by seed, bits, error
for seed in range(options.seeds):
    began = time.perf_counter()
    net = train(start(seed), 4 if options.quick else options.epochs, 0.01, seed)
    floats.append(accuracy(net, "test"))
    converted.append([accuracy(net, "test", ramps=converters(bits)) for bits in BITS])
    aware.append([])
    devices.append([])
    for bits in BITS:
        tuned = train(net, 2 if options.quick else options.epochs // 3, 0.005, seed + 100, converters(bits), USUAL)
        aware[-1].append(accuracy(tuned, "test", ramps=converters(bits)))
        devices[-1].append([np.mean([
            accuracy(tuned, "test", ramps=converters(bits, error, chip), error=error,
                     generator=np.random.default_rng(1000 + chip)) for chip in range(CHIPS)]) for error in ERRORS])
    print(f"seed {seed}: float32 {floats[-1]:.1%}, {time.perf_counter() - began:.0f} s")
converted, aware, devices = (np.array(each) for each in (converted, aware, devices))

print(f"\n{'':<10}{'converted':>11}{'trained':>9}" + "".join(f"{error:>7g} uS" for error in ERRORS))
for k, bits in enumerate(BITS):
    print(f"{bits} bits{'':<4}{converted[:, k].mean():>11.1%}{aware[:, k].mean():>9.1%}"
          + "".join(f"{devices[:, k, j].mean():>10.1%}" for j in range(len(ERRORS))))
print(f"float32   {np.mean(floats):>11.1%}")
print(f"linear readout of the same features {linear.accuracy:.1%}, chance {linear.chance:.1%}")
low, high = interval(float(np.mean(floats)), linear.n_test)
print(f"n_test {linear.n_test}, so that float32 has a 95 % interval of {low:.1%} to {high:.1%}; "
      f"{options.seeds} seed(s), {CHIPS} chips for each error; the error trained with is {USUAL} uS")

# Look
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for axes in (left, right):
    axes.axhline(100 * np.mean(floats), color="black", linestyle="--", linewidth=1, label="float32")
    axes.axhline(100 * linear.accuracy, color="grey", linestyle=":", linewidth=1, label="linear readout")
    axes.set_ylabel("accuracy (%)")
left.plot(BITS, 100 * converted.mean(0), "o-", color=COLORS[0], label="converted")
left.plot(BITS, 100 * aware.mean(0), "o-", color=COLORS[1], label="trained with the converters")
left.plot(BITS, 100 * devices[:, :, ERRORS.index(USUAL)].mean(0), "o-", color=COLORS[2],
          label=f"and {USUAL} uS of error")
left.set(xlabel="bits of the converters", xticks=BITS)
for k, bits in enumerate(BITS):
    right.plot(ERRORS, 100 * devices[:, k].mean(0), "o-", color=COLORS[k], label=f"{bits} bits")
right.set_xlabel("programming error of every device (uS, of 150)")
left.legend()
right.legend()
options.out.mkdir(parents=True, exist_ok=True)
figure.savefig(options.out / "nladc_lstm.png", dpi=100)
print(f"\nwrote {options.out / 'nladc_lstm.png'}")
