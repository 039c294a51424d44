"""Deep learning through black boxes: crossbars that are only called, beside backpropagation through a model of them.

    NEUROSIM_DATA=FOLDER python examples/black_boxes.py [--seeds 3] [--full] [--out FOLDER]

MNIST at 14 x 14 pixels. Each layer is a crossbar of memristors with random weights that nobody trains, the tanh of its
currents, and a trained matrix behind it. Programming and every read of the crossbars are noisy, by a share of the
conductance range and of the conductance. Counter-current learning and the forward-forward algorithm train each layer
for itself and need nothing of a crossbar but its outputs. Controls: one layer; layers of which only the last is
trained; backpropagation through a model (the crossbar without its noise), whose weights are then used on the crossbars;
and with forward passes on the crossbars and the model in the backward pass alone. Beside them a linear classifier of
the pixels, and chance. Settings were chosen on images 40,000 to 42,000, tests are on the last ones. Intervals are 95 %
of Student's t over seeds (crossbars, weights, order). --full: 20,000 images, 28 x 28 pixels, layers of 300. It needs
PyTorch (the extra torch).

Source: Momeni et al., Science 382 (2023) 1297; Kao, Hariharan, NeurIPS 2024; Hinton, arXiv 2212.13345.
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

import neurosim as ns
from hardware_models.memristor import CrossbarLayer, Memristor
from neurosim import plot
from neurosim.readouts import ridge

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=3, help="sets of crossbars (3)")
arguments.add_argument("--full", action="store_true", help="20,000 images, 28 x 28 pixels, layers of 300")
arguments.add_argument("--quick", action="store_true", help="few images, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for black_boxes.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
folder = Path(os.environ.get("NEUROSIM_DATA") or "missing") / "mnist"
if not (folder / "train-images-idx3-ubyte.gz").is_file():
    print("black_boxes.py needs train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz and did not find them: set "
          "NEUROSIM_DATA to a folder that holds mnist/. Nothing was done.")
    sys.exit(0)

import torch  # noqa: E402

from neurosim import bridge  # noqa: E402

torch.set_num_threads(1)
IMAGES, TESTS, WIDTH, EPOCHS, BATCH, RATE = ((20_000, 10_000, 300, 20, 200, 5e-3) if options.full else
                                             (500, 200, 40, 3, 50, 5e-3) if options.quick else
                                             (5_000, 2_000, 100, 12, 200, 5e-3))
NOISES = (0.0, 0.05) if options.quick else (0.0, 0.05, 0.15)
GAIN, LAYERS = 0.6, 3


def data():
    """Return pixels and labels to train on, and those to test on."""
    pixels, labels = (ns.datasets.read_idx(folder / f"train-{name}-ubyte.gz") for name in
                      ("images-idx3", "labels-idx1"))
    rows = np.r_[:IMAGES, 60_000 - TESTS:60_000]
    pixels, labels = pixels[rows].astype(np.float32) / 255, labels[rows].astype(np.int64)
    pixels = pixels if options.full else pixels.reshape(-1, 14, 2, 14, 2).mean((2, 4))
    pixels = pixels.reshape(len(rows), -1)
    return pixels[:IMAGES], labels[:IMAGES], pixels[IMAGES:], labels[IMAGES:]


def crossbars(seed, inputs, noise=0.0):
    """Return the layers' crossbars as functions, and the weights that were to be programmed."""
    boxes, wanted = [], []
    for k, n_in in enumerate([inputs] + [WIDTH] * (LAYERS - 1)):
        weights = np.random.default_rng([seed, k]).normal(0.0, GAIN, (n_in, WIDTH))
        device = Memristor(programming_noise=noise, read_noise=noise).fitted(weights)
        layer, reads = CrossbarLayer(weights, device, seed=seed), np.random.default_rng([seed, k, 1])
        boxes.append(lambda x, layer=layer, reads=reads: np.tanh(layer.forward(x, generator=reads)))
        wanted.append(torch.from_numpy(weights.astype(np.float32)))
    return boxes, wanted


def backpropagation(seed, x, y, boxes, wanted, aware):
    """Return a function that tells digits: matrices trained through a model, then used with the boxes given to it."""
    generator = torch.Generator().manual_seed(seed)
    matrices = [torch.nn.Parameter(torch.randn(WIDTH, 10 if k == LAYERS - 1 else WIDTH, generator=generator)
                                   / WIDTH ** 0.5) for k in range(LAYERS)]
    adam = torch.optim.Adam(matrices, lr=RATE)

    def scores(h, boxes, model):
        for k, matrix in enumerate(matrices):
            h = torch.nn.functional.normalize(torch.relu(h) if k else h)
            out = torch.tanh(h @ wanted[k]) if model else 0.0
            if boxes is not None:
                measured = torch.from_numpy(boxes[k](h.detach().numpy()).astype(np.float32))
                out = out + (measured - out).detach() if model else measured
            h = out @ matrix
        return h

    for _ in range(EPOCHS):
        for rows in torch.randperm(len(y), generator=generator).split(BATCH):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(scores(torch.from_numpy(x)[rows], boxes if aware else None, True),
                                              torch.from_numpy(y)[rows]).backward()
            adam.step()

    def told(pixels, boxes):
        with torch.no_grad():
            return scores(torch.from_numpy(pixels), boxes, False).argmax(1).numpy()
    return told


def summary(values):
    """Return mean and half width of the interval in percent, as text."""
    values = 100 * np.asarray(values)
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return f"{values.mean():6.1f} +- {half:4.1f} %"


x, y, test, truth = data()
found = {}
for seed in range(options.seeds):
    how = {"hidden": WIDTH, "epochs": EPOCHS, "batch_size": BATCH, "learning_rate": RATE, "seed": seed}

    def note(name, told, noise=0.0):
        found.setdefault((name, noise), []).append((told == truth).mean())

    for name, kind, inputs in (("counter-current", bridge.CounterCurrent, x.shape[1]),
                               ("forward-forward", bridge.ForwardForward, x.shape[1] + 10)):
        exact = crossbars(seed, inputs)[0]
        for layers, trained, what in ((1, None, "one layer"), (2, None, "two layers"), (2, 1, "two, one trained"),
                                      (3, 1, "three, one trained")):
            if kind is bridge.CounterCurrent or layers < 3:
                learner = kind(exact[:layers], trained=trained, **how).fit(x, y)
                note(f"{name}, {what}", learner.predict(test))
        best = LAYERS if kind is bridge.CounterCurrent else 1
        for noise in NOISES:
            learner = kind(crossbars(seed, inputs, noise)[0][:best], **how).fit(x, y)
            note(f"{name}, {'three layers' if best > 1 else 'one layer'}, on its chip", learner.predict(test), noise)
    boxes, wanted = crossbars(seed, x.shape[1])
    blind = backpropagation(seed, x, y, None, wanted, aware=False)
    for noise in NOISES:
        boxes = crossbars(seed, x.shape[1], noise)[0]
        note("backpropagation through the model", blind(test, boxes), noise)
        note("backpropagation, forward on the chip",
             backpropagation(seed, x, y, boxes, wanted, aware=True)(test, boxes), noise)

linear = (ridge(scale=False).fit(x, y).predict(test) == truth).mean()
chance = np.bincount(truth).max() / len(truth)
print(f"{len(y)} images, n_test {len(truth)}, {options.seeds} seeds, {WIDTH} columns a crossbar; linear classifier of "
      f"the pixels {100 * linear:.1f} %, chance {100 * chance:.1f} %\n\ncrossbars without noise")
names = list(dict.fromkeys(name for name, _ in found))
for name in names:
    if (name, NOISES[-1]) not in found:
        print(f"{name:<42}{summary(found[name, 0.0])}")
print(f"\n{'noise of programming and reads':<42}" + "".join(f"{f'{noise:.0%}':>16}" for noise in NOISES)
      + f"{'lost at 5 %':>18}")
noisy = [name for name in names if (name, NOISES[-1]) in found]
for name in noisy:
    lost = np.array(found[name, 0.0]) - found[name, 0.05]
    print(f"{name:<42}" + "".join(f"{summary(found[name, noise]):>16}" for noise in NOISES) + f"{summary(lost):>18}")

figure, panels = plt.subplots(1, 2, figsize=(10.5, 3.8), layout="constrained")
bars = {name.removesuffix(", on its chip"): name for name in names if "back" not in name}  # a name once
for k, name in enumerate(bars.values()):
    values = 100 * np.array(found[name, 0.0])
    panels[0].barh(k, values.mean(), color=plot.COLORS[0 if "counter" in name else 1])
    panels[0].plot(values, np.full(len(values), k), "k.", ms=4)
panels[0].set(yticks=range(len(bars)), yticklabels=list(bars),
              xlabel="Right (%)", xlim=(40, 100), title="Without noise")
for k, name in enumerate(noisy):
    values = 100 * np.array([found[name, noise] for noise in NOISES])
    panels[1].errorbar(100 * np.array(NOISES), values.mean(1), values.std(1), marker="o", color=plot.COLORS[k],
                       label=name)
panels[1].set(xlabel="Noise of programming and reads (%)", ylabel="Right (%)", title="Bars: spread over seeds")
for draw in (panels[0].axvline, panels[1].axhline):
    draw(100 * linear, color="grey", ls=":", label="linear, of the pixels")
panels[1].legend(fontsize=7)
print(f"\nwrote {plot.save(figure, options.out / f'black_boxes.{options.format}')}")
