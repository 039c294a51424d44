"""Spoken digits by an LSTM of 32 units: weights on a crossbar, activations made by ramp converters that bend.

    NEUROSIM_DATA=FOLDER python examples/nladc_lstm.py [--split speakers] [--seeds 1] [--quick] [--out FOLDER]

Recordings of the Free Spoken Digit Dataset are looked for as a zip file in the folder `fsdd` below NEUROSIM_DATA. With
`--split takes` (the default) takes 0 to 4 of each speaker and digit are the test set, 5 to 9 choose the epoch, the
others train. With `--split speakers` each speaker in turn is the test set, takes 0 to 9 of the others choose the epoch,
their other takes train: the voice that is tested was never heard, as in keyword tasks. Training needs PyTorch; what is
tested is the chip's arithmetic alone. Weights are limited to +-1, for which the largest conductance stands, so that
they use the range of the devices. Three numbers for each resolution:

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
from hardware_models.ramp_adc import FUNCTIONS, RampADC, lstm, lstm_ramps
from neurosim import plot
from neurosim.plot import COLORS
from neurosim.readouts import ridge, score
from neurosim.readouts.evaluation import interval

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--split", choices=("takes", "speakers"), default="takes", help="what the test set is (takes)")
arguments.add_argument("--seeds", type=int, default=1, help="networks that are trained in each fold (1)")
arguments.add_argument("--epochs", type=int, default=30, help="epochs of training in float32 (30)")
arguments.add_argument("--quick", action="store_true", help="a fraction of everything, only to see it run")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nladc_lstm.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
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
    """Return features, digits, speakers and numbers of the takes."""
    x, names = [], []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".wav")):
            with wave.open(io.BytesIO(archive.read(name))) as sound:
                x.append(features(np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)))
            names.append(Path(name).stem.split("_"))
    digits, speakers, takes = map(np.array, zip(*names, strict=True))
    return np.array(x), digits.astype(int), speakers, takes.astype(int)


def standardised(x, train):
    """Return features in units of three standard deviations of the training set, as a DAC of 8 bits gives them."""
    mean, std = x[train].mean((0, 1)), x[train].std((0, 1))
    return np.round(np.clip((x - mean) / (3 * std), -1.0, 1.0) * 127) / 127


def folds(digits, speakers, takes):
    """Return (name, rows of train, validation and test) of each fold."""
    train = takes >= (40 if options.quick else 10)
    if options.split == "takes":
        return [("takes 0 to 4", {"train": train, "validation": (takes >= 5) & (takes < 10), "test": takes < 5})]
    names = np.unique(speakers)[:2 if options.quick else None]
    return [(name, {"train": train & (speakers != name), "validation": (takes < 10) & (speakers != name),
                    "test": speakers == name}) for name in names]


began = time.perf_counter()
X, digits, speakers, takes = read(archives[0])
FOLDS = folds(digits, speakers, takes)
print(f"{len(digits)} recordings, {time.perf_counter() - began:.1f} s; in each of {len(FOLDS)} fold(s) "
      + ", ".join(f"{rows.sum()} {name}" for name, rows in FOLDS[0][1].items()))


# ---- the network ------------------------------------------------------------------------------------


def ramps_of(bits, error=0.0, seed=0):
    """Return programmed ramps for sigmoid and tanh."""
    return lstm_ramps(RampADC(bits=bits, rounding="nearest", programming_error=error, calibrate=error > 0), seed)


def logits(net, x, ramps=None, error=0.0, generator=None, call="__call__"):
    """Return the scores of the ten digits; float32 where no ramps are given."""
    functions = [FUNCTIONS["sigmoid"], FUNCTIONS["tanh"]] if ramps is None else [getattr(r, call) for r in ramps]
    devices = Memristor(weight_max=W_MAX, g_max=G_MAX, programming_noise=error / G_MAX)
    w, out = (devices.surrogate(net[name], generator) for name in ("w", "out"))
    return lstm(x, w, net["b"], *functions)[-1] @ out + net["b_out"]


def accuracy(net, data, **how):
    x, labels = data
    with torch.no_grad():
        return float((logits(net, x, **how).argmax(1) == labels).float().mean())


def train(net, data, epochs, rate, seed, ramps=None, error=0.0):
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
        found = accuracy(net, data["validation"], ramps=ramps)
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


def measured(data, seed):
    """Return accuracies of one network: in float32, converted, trained (by bits), on devices (by bits, error)."""
    net = train(start(seed), data, 4 if options.quick else options.epochs, 0.01, seed)
    converted = [accuracy(net, data["test"], ramps=ramps_of(bits)) for bits in BITS]
    aware, devices = [], []
    for bits in BITS:
        tuned = train(net, data, 2 if options.quick else options.epochs // 3, 0.005, seed + 100, ramps_of(bits), USUAL)
        aware.append(accuracy(tuned, data["test"], ramps=ramps_of(bits)))
        devices.append([np.mean([accuracy(
            tuned, data["test"], ramps=ramps_of(bits, error, chip), error=error,
            generator=np.random.default_rng(1000 + chip)) for chip in range(CHIPS)]) for error in ERRORS])
    return accuracy(net, data["test"]), converted, aware, devices


torch.set_num_threads(1)
results, plain = [], []  # by fold, then by seed
for name, rows in FOLDS:
    began, x = time.perf_counter(), standardised(X, rows["train"])
    data = {part: (torch.tensor(x[at], dtype=torch.float32).transpose(0, 1), torch.tensor(digits[at]))
            for part, at in rows.items()}
    flat, fit, test = x.reshape(len(x), -1), rows["train"], rows["test"]
    plain.append(score(ridge(np.logspace(0, 6, 13)).fit(flat[fit], digits[fit]), flat[test], digits[test], fit.sum()))
    results.append([measured(data, seed) for seed in range(options.seeds)])
    exact, five = np.mean([(run[0], run[2][BITS.index(5)]) for run in results[-1]], axis=0)
    print(f"test set {name}: linear readout {plain[-1].accuracy:.1%}, float32 {exact:.1%}, trained with 5 bits "
          f"{five:.1%}, {time.perf_counter() - began:.0f} s", flush=True)
floats, converted, aware, devices = (np.array([[run[k] for run in fold] for fold in results]) for k in range(4))
exact, converted, aware, devices = floats.mean(), *(each.mean((0, 1)) for each in (converted, aware, devices))
linear, chance = (np.mean([getattr(each, what) for each in plain]) for what in ("accuracy", "chance"))
n_test = sum(each.n_test for each in plain)

print(f"\n{'':<10}{'converted':>11}{'trained':>9}" + "".join(f"{error:>7g} uS" for error in ERRORS))
for k, bits in enumerate(BITS):
    print(f"{bits} bits{'':<4}{converted[k]:>11.1%}{aware[k]:>9.1%}" + "".join(f"{each:>10.1%}" for each in devices[k]))
print(f"float32   {exact:>11.1%}")
print(f"linear readout of the same features {linear:.1%}, chance {chance:.1%}")
low, high = interval(float(exact), n_test)
print(f"n_test {n_test}, so that float32 has a 95 % interval of {low:.1%} to {high:.1%}; {options.seeds} seed(s), "
      f"whose float32 differ by {np.ptp(floats.mean(0)):.1%}; {CHIPS} chips for each error; the error trained with is "
      f"{USUAL} uS")

# Look
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for axes in (left, right):
    axes.axhline(100 * exact, color="black", linestyle="--", linewidth=1, label="float32")
    axes.axhline(100 * linear, color="grey", linestyle=":", linewidth=1, label="linear readout")
    axes.set_ylabel("accuracy (%)")
left.plot(BITS, 100 * converted, "o-", color=COLORS[0], label="converted")
left.plot(BITS, 100 * aware, "o-", color=COLORS[1], label="trained with the converters")
left.plot(BITS, 100 * devices[:, ERRORS.index(USUAL)], "o-", color=COLORS[2], label=f"and {USUAL} uS of error")
left.set(xlabel="bits of the converters", xticks=BITS, title={"takes": "speakers that are known",
                                                              "speakers": "a speaker never heard"}[options.split])
for k, bits in enumerate(BITS):
    right.plot(ERRORS, 100 * devices[k], "o-", color=COLORS[k], label=f"{bits} bits")
right.set_xlabel("programming error of every device (uS, of 150)")
left.legend()
right.legend()
path = plot.save(figure, options.out / f"nladc_lstm.{options.format}")
print(f"\nwrote {path}")
