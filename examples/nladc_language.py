"""A language model of characters whose LSTM sits on a crossbar, with activations made by ramp converters that bend.

    python examples/nladc_language.py [--steps 240] [--hidden 96] [--full] [--out FOLDER]

The text is the help on Python's language that CPython ships (`pydoc_data.topics`), in lower case; it differs a little
between versions of Python, so the version is printed. The last tenth is the test text. Training needs PyTorch. Scores
are bits per character, less is better; beside them stand models that only count characters.
"""

import argparse
import platform
import sys
import time
from collections import Counter
from pathlib import Path
from pydoc_data.topics import topics

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

try:
    import torch
except ImportError:
    print("nladc_language.py trains with PyTorch, which is not installed: pip install neurosim-toolkit[torch]. "
          "Nothing was done.")
    sys.exit(0)

from hardware_models.memristor import Memristor
from hardware_models.ramp_adc import FUNCTIONS, RampADC, lstm, lstm_ramps
from neurosim import plot
from neurosim.plot import COLORS

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--steps", type=int, help="steps of training in float32 (240; with --full 500)")
arguments.add_argument("--hidden", type=int, default=96, help="units of the LSTM (96)")
arguments.add_argument("--seed", type=int, default=0, help="of everything random (0)")
arguments.add_argument("--full", action="store_true", help="500 steps, 5 chips; five minutes")
arguments.add_argument("--quick", action="store_true", help="a fraction of everything, only to see it run")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nladc_language.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
BITS = (3, 5) if options.quick else (3, 4, 5, 8)
STEPS, HIDDEN = (20, 16) if options.quick else (options.steps or (500 if options.full else 240), options.hidden)
CHIPS, USUAL, G_MAX, W_MAX = 5 if options.full else 2, 2.67, 150.0, 2.0
LENGTH, CONTEXT = 100, 50  # characters of a sample; those before the first that is scored in the test

# ---- text --------------------------------------------------------------------------------------------

text = "\n".join(topics[name] for name in sorted(topics)).lower()
often = {character for character, count in Counter(text).items() if count >= 50}
text = "".join(character if character in often else "?" for character in text)
alphabet = sorted(set(text))
numbers = np.array([alphabet.index(character) for character in text])
cut = len(numbers) * 9 // 10
train, test = numbers[:cut], numbers[cut:]
print(f"help texts of Python {platform.python_version()}: {len(train)} characters to train on, {len(test)} to test, "
      f"{len(alphabet)} different ones")


def counting(order):
    """Return bits per character of a model that counts what follows `order` characters, interpolated downwards."""
    size = len(alphabet)
    p = np.full((len(test), size), 1.0 / size)
    for k in range(order + 1):
        tables = {}
        for i in range(k, len(train)):
            tables.setdefault(tuple(train[i - k:i]), Counter())[train[i]] += 1
        for i in range(k, len(test)):
            if seen := tables.get(tuple(test[i - k:i])):
                p[i] *= 3.0  # the shorter context counts like three characters
                for character, count in seen.items():
                    p[i, character] += count
                p[i] /= 3.0 + seen.total()
    return float(-np.log2(p[np.arange(order, len(test)), test[order:]]).mean())


# ---- the network, on a crossbar of pairs of devices and with ramp converters --------------------------


def ramps_of(bits, error=0.0, seed=0):
    """Return programmed ramps for sigmoid and tanh."""
    return lstm_ramps(RampADC(bits=bits, rounding="nearest", programming_error=error, calibrate=error > 0), seed)


def bits_per_character(net, samples, ramps=None, error=0.0, generator=None, call="__call__", skip=0):
    """Return the mean over samples, whose characters stand in columns; those before `skip` are only context."""
    functions = [FUNCTIONS["sigmoid"], FUNCTIONS["tanh"]] if ramps is None else [getattr(r, call) for r in ramps]
    devices = Memristor(weight_max=W_MAX, g_max=G_MAX, programming_noise=error / G_MAX)
    w, out = (devices.surrogate(net[name], generator) for name in ("w", "out"))
    x = torch.nn.functional.one_hot(samples[:-1], len(alphabet)).float()
    h = lstm(x, w, net["b"], *functions)[skip:]
    scores = (h @ out + net["b_out"]).flatten(0, 1)
    return torch.nn.functional.cross_entropy(scores, samples[1 + skip:].flatten()) / np.log(2)


windows = torch.tensor(np.lib.stride_tricks.sliding_window_view(test, LENGTH + CONTEXT + 1)[::LENGTH].T.copy())


def tested(net, **how):
    with torch.no_grad():
        return float(bits_per_character(net, windows, skip=CONTEXT, **how))


def trained(net, steps, rate, ramps=None, error=0.0):
    generator = np.random.default_rng([options.seed, steps])
    net = {name: value.clone().requires_grad_() for name, value in net.items()}
    optimiser = torch.optim.Adam(net.values(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    for _ in range(steps):
        starts = generator.integers(len(train) - LENGTH - 1, size=32)
        samples = torch.tensor(np.stack([train[s:s + LENGTH + 1] for s in starts], axis=1))
        optimiser.zero_grad()
        bits_per_character(net, samples, ramps, error, generator, "surrogate").backward()
        torch.nn.utils.clip_grad_norm_(net.values(), 1.0)
        optimiser.step()
        schedule.step()
    return {name: value.detach() for name, value in net.items()}


torch.set_num_threads(1)
torch.manual_seed(options.seed)
began = time.perf_counter()
rows = len(alphabet) + HIDDEN
net = {"w": torch.randn(rows, 4 * HIDDEN) / HIDDEN**0.5, "b": torch.zeros(4 * HIDDEN),
       "out": torch.randn(HIDDEN, len(alphabet)) / HIDDEN**0.5, "b_out": torch.zeros(len(alphabet))}
net = trained(net, STEPS, 0.01)
exact = tested(net)
print(f"LSTM of {HIDDEN} units, crossbar of {rows} x {4 * HIDDEN}, {time.perf_counter() - began:.0f} s\n")

print(f"{'bits per character':<20}{'converted':>10}{'trained':>9}{f'with {USUAL} uS':>14}")
results = []
for bits in BITS:
    tuned = trained(net, STEPS // 4, 0.004, ramps_of(bits), USUAL)
    chips = [tested(tuned, ramps=ramps_of(bits, USUAL, chip), error=USUAL, generator=np.random.default_rng(chip))
             for chip in range(CHIPS)]
    results.append((tested(net, ramps=ramps_of(bits)), tested(tuned, ramps=ramps_of(bits)), np.mean(chips)))
    print(f"{f'{bits} bits':<20}" + "{:>10.3f}{:>9.3f}{:>14.3f}".format(*results[-1]))
longer = tested(trained(net, STEPS // 4, 0.004))
print(f"{'float32':<20}{exact:>10.3f}{longer:>9.3f}")
counted = {f"{order + 1} characters counted": counting(order) for order in ((0, 2) if options.quick else (0, 1, 2, 4))}
print(", ".join(f"{name} {value:.3f}" for name, value in counted.items())
      + f", guessing {np.log2(len(alphabet)):.3f}")
print(f"{windows.shape[1] * LENGTH} characters scored, seed {options.seed}, {CHIPS} chips; trained: {STEPS // 4} "
      f"further steps with the converters and noise of {USUAL} uS (float32: without)")

# Look
figure, axes = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
for k, label in enumerate(("converted", "trained with the converters", f"and {USUAL} uS of error")):
    axes.plot(BITS, [each[k] for each in results], "o-", color=COLORS[k], label=label)
axes.axhline(longer, color="black", linestyle="--", linewidth=1, label="float32, as many steps")
for (name, value), style in zip(list(counted.items())[1:], (":", "-.", (0, (1, 4))), strict=False):
    axes.axhline(value, color="grey", linestyle=style, linewidth=1, label=name)
axes.set(xlabel="bits of the converters", ylabel="bits per character", xticks=BITS)
axes.legend(fontsize=8)
path = plot.save(figure, options.out / f"nladc_language.{options.format}")
print(f"\nwrote {path}")
