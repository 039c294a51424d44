"""MNIST as times of spikes, one hidden layer, trained by exact gradients of the event mode.

    NEUROSIM_DATA=FOLDER python examples/mnist_latency.py [--full] [--minutes M] [--checkpoint FILE] [--out FOLDER]

The brighter a pixel the earlier its one spike, in 20 ms; black pixels are silent. 350 hidden neurons and 10 leaky
integrators, whose largest v are the logits. Trained on the first images of the training set (--full: 50,000) and
tested on its last 10,000, which decide nothing; in training pictures are moved by up to a pixel and input spikes left
out. Beside it a linear classifier of the same times, and chance. With --checkpoint a training that --minutes has
ended, or that was killed, goes on where its last epoch ended. It needs PyTorch (the extra torch).
"""

import argparse
import os
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from neurosim.readouts import interval, ridge

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--full", action="store_true", help="50,000 images and 20 epochs instead of 10,000 and 5")
arguments.add_argument("--images", type=int, help="train on so many images")
arguments.add_argument("--test", type=int, default=10_000, help="test on so many of the last images (10000)")
arguments.add_argument("--epochs", type=int, help="passes over the training images")
arguments.add_argument("--hidden", type=int, default=350, help="hidden neurons (350)")
arguments.add_argument("--rate", type=float, default=2e-3, help="of Adam, falling to 0 as a cosine (0.002)")
arguments.add_argument("--dropout", type=float, default=0.1, help="share of input spikes left out in training (0.1)")
arguments.add_argument("--seed", type=int, default=0, help="of weights, order and shifts (0)")
arguments.add_argument("--threads", type=int, help="that share a batch; all cores by default")
arguments.add_argument("--minutes", type=float, default=np.inf, help="stop after the epoch that ends later than this")
arguments.add_argument("--checkpoint", type=Path, help="file that keeps the training after each epoch")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for mnist_latency.png")
options = arguments.parse_args()
N_TRAIN = options.images or (50_000 if options.full else 10_000)
EPOCHS = options.epochs or (20 if options.full else 5)
LATEST, DURATION, BATCH = 20.0, 40.0, 32  # ms, ms, images

folder = Path(os.environ.get("NEUROSIM_DATA") or "missing") / "mnist"
if not (folder / "train-images-idx3-ubyte.gz").is_file():
    print("mnist_latency.py needs train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz and did not find them: "
          "set NEUROSIM_DATA to a folder that holds mnist/. Nothing was done.")
    sys.exit(0)

import torch  # noqa: E402

from neurosim import bridge  # noqa: E402

torch.set_num_threads(1)


def images():
    """Return pictures of the training set, shape (60000, 28, 28), and labels."""
    pixels, labels = (ns.datasets.read_idx(folder / f"train-{name}-ubyte.gz") for name in
                      ("images-idx3", "labels-idx1"))
    return pixels, labels.astype(np.int64)


def latency(pictures):
    """Return when each pixel spikes, ms, inf where it is black."""
    flat = pictures.reshape(len(pictures), -1)
    return np.where(flat > 0, LATEST * (1.0 - flat / 255.0), np.inf)


def varied(pictures, rng):
    """Return spike times of pictures moved by up to a pixel each way, with some spikes left out."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    moved = np.stack([each[y:y + 28, x:x + 28] for each, (y, x) in
                      zip(padded, rng.integers(0, 3, (len(pictures), 2)), strict=True)])
    times = latency(moved)
    times[rng.random(times.shape) < options.dropout] = np.inf
    return times


def network(seed):
    """Return pixels, hidden neurons and readouts."""
    rng = np.random.default_rng(seed)
    net = ns.Network()
    nothing = ns.Spikes.from_times([], [], size=784, duration=1.0)
    pixels = net.add(ns.SpikeSource(nothing), 784, name="pixels")
    hidden = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), options.hidden,
                     name="hidden")
    out = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0), 10, name="out")
    current = ns.ExponentialCurrent(5.0)
    net.connect(pixels, hidden, ns.AllToAll(), weight=rng.normal(0.078, 0.045, (784, options.hidden)), delay=1.0,
                receptor=current, name="in")
    net.connect(hidden, out, ns.AllToAll(), weight=rng.normal(0.0, 0.3, (options.hidden, 10)), delay=1.0,
                receptor=current, name="to out")
    return net


def told(learner, pictures):
    """Return the digits that a network tells, and how often its hidden neurons spike in a picture."""
    guessed, spikes = [], 0
    with torch.no_grad():
        for part in np.array_split(pictures, -(-len(pictures) // 500)):
            outcome = learner(latency(part), DURATION, largest=["out"])
            guessed.append(outcome.largest["out"].argmax(1).numpy())
            spikes += outcome.run.counts("hidden").sum()
    return np.concatenate(guessed), spikes / len(pictures)


def train(learner, pictures, labels):
    """Train to the end or until time is up; return whether it is the end, and the mean loss of each epoch."""
    adam = torch.optim.Adam(learner.parameters(), lr=options.rate)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adam, EPOCHS * -(-len(labels) // BATCH))
    losses, began = [], time.monotonic()
    if options.checkpoint and options.checkpoint.is_file():
        kept = torch.load(options.checkpoint, weights_only=True)
        learner.load_state_dict(kept["learner"])
        adam.load_state_dict(kept["adam"])
        slower.load_state_dict(kept["slower"])
        losses = kept["losses"]
    for epoch in range(len(losses), EPOCHS):
        rng = np.random.default_rng([options.seed, epoch])
        total = 0.0
        for chosen in np.array_split(rng.permutation(len(labels)), -(-len(labels) // BATCH)):
            outcome = learner(varied(pictures[chosen], rng), DURATION, largest=["out"])
            loss = torch.nn.functional.cross_entropy(outcome.largest["out"], torch.from_numpy(labels[chosen]))
            adam.zero_grad()
            loss.backward()
            adam.step()
            slower.step()
            total += loss.item() * len(chosen) / len(labels)
        losses.append(total)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total:.4f}, {time.monotonic() - began:.0f} s", flush=True)
        if options.checkpoint:
            partial = options.checkpoint.with_name(options.checkpoint.name + ".partial")
            torch.save({"learner": learner.state_dict(), "adam": adam.state_dict(), "slower": slower.state_dict(),
                        "losses": losses}, partial)
            partial.replace(options.checkpoint)
        if time.monotonic() - began > 60.0 * options.minutes:
            break
    return losses


def main():
    """Train, test, print and draw."""
    pictures, labels = images()
    test, truth = pictures[len(pictures) - options.test:], labels[len(pictures) - options.test:]
    pictures, labels = pictures[:N_TRAIN], labels[:N_TRAIN]
    learner = bridge.EventNetwork(network(options.seed), train={"in": "weight", "to out": "weight"},
                                  threads=options.threads)
    losses = train(learner, pictures, labels)
    if len(losses) < EPOCHS:
        print(f"{len(losses)} of {EPOCHS} epochs are done; run it again to go on")
    guessed, spikes = told(learner, test)
    linear = ridge(np.logspace(-1, 4, 6), scale=False)
    linear.fit(np.minimum(latency(pictures), LATEST), labels)
    shares = {"exact gradients": (guessed == truth).mean(),
              "linear, of the times": (linear.predict(np.minimum(latency(test), LATEST)) == truth).mean(),
              "chance": np.bincount(truth).max() / len(truth)}
    print(f"\n784-{options.hidden}-10, {N_TRAIN} images, {len(losses)} epochs, seed {options.seed}, n_test "
          f"{len(truth)}, {spikes:.0f} hidden spikes a picture")
    for name, share in shares.items():
        low, high = interval(float(share), len(truth))
        print(f"{name:<22}{share:>8.2%}   {low:.2%} to {high:.2%}")
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    axes[0].plot(np.arange(1, len(losses) + 1), losses, "o-")
    axes[0].set(xlabel="epoch", ylabel="training loss", yscale="log")
    matrix = np.zeros((10, 10))
    np.add.at(matrix, (truth, guessed), 1)
    axes[1].imshow(matrix / np.maximum(matrix.sum(1, keepdims=True), 1), cmap="magma")
    axes[1].set(xlabel="told", ylabel="digit", xticks=range(10), yticks=range(10))
    options.out.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out / "mnist_latency.png", dpi=100)
    print(f"\nwrote {options.out / 'mnist_latency.png'}")


if __name__ == "__main__":
    main()
