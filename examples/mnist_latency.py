"""MNIST as times of spikes, one hidden layer, trained by exact gradients of the event mode.

    NEUROSIM_DATA=FOLDER python examples/mnist_latency.py [--full] [--minutes M] [--checkpoint FILE] [--out FOLDER]

The brighter a pixel the earlier its one spike, in 20 ms; black pixels are silent. 350 hidden neurons and 10 leaky
integrators, whose mean v are the logits. Trained on the first images of the training set (--full: 50,000) and
tested on its last 10,000, which decide nothing; in training pictures are moved by up to a pixel and input spikes left
out. Beside it a linear classifier of the same times, and chance. With --checkpoint a training that --minutes has
ended, or that was killed, goes on where its last epoch ended. With --elsewhere the trained weights then run unchanged
in ticks, in memristors, with delays that differ, and in SFQ synapses. It needs PyTorch (the extra torch).
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
from hardware_models.memristor import Memristor
from hardware_models.sfq.network import SFQSynapses
from neurosim.readouts import interval, ridge

ns.plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--full", action="store_true", help="50,000 images and 14 epochs instead of 10,000 and 5")
arguments.add_argument("--images", type=int, help="train on so many images")
arguments.add_argument("--test", type=int, default=10_000, help="test on so many of the last images (10000)")
arguments.add_argument("--validate", action="store_true",
                       help="train on 45,000 images at most and test on the 5,000 after them, to choose settings by")
arguments.add_argument("--epochs", type=int, help="passes over the training images")
arguments.add_argument("--elsewhere", type=int, default=0,
                       help="show so many test images to the trained weights in ticks and on devices too (0)")
arguments.add_argument("--hidden", type=int, default=350, help="hidden neurons (350)")
arguments.add_argument("--rate", type=float, default=5e-3, help="of Adam, falling to 0 as a cosine (0.005)")
arguments.add_argument("--dropout", type=float, default=0.1, help="share of input spikes left out in training (0.1)")
arguments.add_argument("--seed", type=int, default=0, help="of weights, order and shifts (0)")
arguments.add_argument("--threads", type=int, help="that share a batch; all cores by default")
arguments.add_argument("--minutes", type=float, default=np.inf, help="stop after the epoch that ends later than this")
arguments.add_argument("--checkpoint", type=Path, help="file that keeps the training after each epoch")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for mnist_latency.png")
options = arguments.parse_args()
N_TRAIN = min(options.images or (50_000 if options.full else 10_000), 45_000 if options.validate else 50_000)
EPOCHS = options.epochs or (14 if options.full else 5)
LATEST, DURATION, DELAY = 20.0, 40.0, 1.0  # ms
BATCH, SHARP = 32, 6.0  # images; factor of the logits
ERRORS, JITTERS = (0.01, 0.02, 0.05, 0.1), (0.3, 1.0, 3.0)  # of programming, shares of g_max; of delays, ms
FRAMES = (1, 10)  # how often a picture is shown to synapses that let each pulse pass or not

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


def network(into, out_of, delays=(DELAY, DELAY), device=None):
    """Return pixels, hidden neurons and readouts."""
    net = ns.Network()
    nothing = ns.Spikes.from_times([], [], size=784, duration=1.0)
    pixels = net.add(ns.SpikeSource(nothing), 784, name="pixels")
    hidden = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), into.shape[1],
                     name="hidden")
    out = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0), 10, name="out")
    for name, source, target, weights, delay in (("in", pixels, hidden, into, delays[0]),
                                                 ("to out", hidden, out, out_of, delays[1])):
        net.connect(source, target, ns.AllToAll(), weight=weights, delay=delay, name=name,
                    receptor=ns.ExponentialCurrent(5.0), device=device and device.fitted(weights))
    return net


def begun(seed):
    """Return a network in which a third of the hidden neurons spike in a picture: each is selective before training."""
    rng = np.random.default_rng(seed)
    return network(rng.normal(0.04, 0.2, (784, options.hidden)), rng.normal(0.0, 0.5, (options.hidden, 10)))


def told(learner, pictures):
    """Return the digits that a network tells, and how often its hidden neurons spike in a picture."""
    guessed, spikes = [], 0
    with torch.no_grad():
        for part in np.array_split(pictures, -(-len(pictures) // 500)):
            outcome = learner(latency(part), DURATION, integral=["out"])
            guessed.append(outcome.integral["out"].argmax(1).numpy())
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
            outcome = learner(varied(pictures[chosen], rng), DURATION, integral=["out"])
            logits = SHARP * outcome.integral["out"] / DURATION
            loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[chosen]))
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


def in_ticks(net, pictures, dt=0.1, seed=0):
    """Return the readouts' mean v of pictures that a network is shown in ticks, (pictures, 10)."""
    net.record("out", "v")
    ticks, samples = np.rint(latency(pictures) / dt) + 1, []  # all one tick later: there is no spike at tick 0
    for each in ticks:
        ids = np.argsort(each, kind="stable")[:np.isfinite(each).sum()]
        samples.append(ns.Spikes(ticks=each[ids].astype(int), ids=ids, size=784, duration=DURATION, dt=dt))
    results = ns.Simulation(net, dt=dt, seed=seed).run_batch(samples, DURATION)
    return np.array([result.trace("out", "v")[1].mean(axis=0) for result in results])


def elsewhere(learner, pictures):
    """Return the digits that the trained weights tell, unchanged, in ticks, on devices and with other delays."""
    values, rng = learner.values_of(), np.random.default_rng([options.seed, 4])
    weights = values["in", "weight"].reshape(784, -1), values["to out", "weight"].reshape(-1, 10)
    v = {f"ticks of {dt:g} ms": in_ticks(network(*weights), pictures, dt) for dt in (0.1, 1.0)}
    for error in ERRORS:
        v[f"memristors, {error:.0%}"] = in_ticks(network(*weights, device=Memristor(programming_noise=error)), pictures)
    for jitter in JITTERS:
        delays = [np.maximum(DELAY + jitter * rng.normal(size=each.shape), 0.01) for each in weights]
        run = ns.gradients.Differentiable(network(*weights, delays)).run(latency(pictures), DURATION)
        v[f"delays +- {jitter:g} ms"] = run.integral("out")
    v["SFQ, mean of pulses"] = in_ticks(network(*weights, device=SFQSynapses(bias_spread=0.001)), pictures)
    pulses = network(*weights, device=SFQSynapses(bias_spread=0.001, stochastic=True))
    frames = in_ticks(pulses, np.concatenate([pictures] * FRAMES[-1])).reshape(FRAMES[-1], len(pictures), 10)
    for n in FRAMES:
        v[f"SFQ, {n} frame{'s' * (n > 1)}"] = frames[:n].sum(axis=0)
    return {name: each.argmax(1) for name, each in v.items()}


def main():
    """Train, test, print and draw."""
    pictures, labels = images()
    apart = slice(45_000, 50_000) if options.validate else slice(len(pictures) - options.test, None)
    test, truth = pictures[apart], labels[apart]
    pictures, labels = pictures[:N_TRAIN], labels[:N_TRAIN]
    learner = bridge.EventNetwork(begun(options.seed), train={"in": "weight", "to out": "weight"},
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
    few = slice(0, options.elsewhere)
    for name, each in (elsewhere(learner, test[few]) if options.elsewhere else {}).items():
        share = float((each == truth[few]).mean())
        low, high = interval(share, len(each))
        print(f"{name:<22}{share:>8.2%}   {low:.2%} to {high:.2%}   n_test {len(each)}", flush=True)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    axes[0].plot(np.arange(1, len(losses) + 1), losses, "o-")
    axes[0].set(xlabel="epoch", ylabel="training loss", yscale="log")
    matrix = np.zeros((10, 10))
    np.add.at(matrix, (truth, guessed), 1)
    axes[1].imshow(matrix / np.maximum(matrix.sum(1, keepdims=True), 1), cmap="magma")
    axes[1].set(xlabel="told", ylabel="digit", xticks=range(10), yticks=range(10))
    path = ns.plot.save(figure, options.out / "mnist_latency.png", lettered=False, dpi=100)
    print(f"\nwrote {path}")


if __name__ == "__main__":
    main()
