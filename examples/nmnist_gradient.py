"""N-MNIST end to end by gradient, beside the counts of events and a liquid: cross-validated on recordings.

    NEUROSIM_DATA=FOLDER python examples/nmnist_gradient.py [--root FOLDER_OR_ZIP] [--network dense] [--out FOLDER]

Recordings of Train and Test are put together, as the subset that is commonly at hand is small, and cut into folds with
as much of each digit. Two layers of convolutions with LIF neurons and a readout of leaky integrators are trained by
surrogate gradients; with `--network dense` one full layer is, and with `--network events` one convolution by exact
gradients of its spike times, in the event mode, from pixels of 2 x 2 that send one spike in 10 ms at most. In training,
recordings are moved, turned, sheared, made larger or smaller by a little, and lose some of their events; events are
told as they are, and by the mean of themselves and 16 changed ones. Sizes, rates and the number of epochs are fixed
beforehand, those for events by parts of the first fold's training recordings; no fold's test part is looked at before
its one test. In the end the core gets trained layers, and its spikes are compared; those of the event mode are the
core's own. With `--only 0` the first fold alone is done, so that folds may run in processes of their own. It needs
PyTorch (the extra torch).
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
from sklearn.model_selection import StratifiedKFold

import neurosim as ns
from neurosim.readouts import interval, ridge
from neurosim.reservoirs import BinnedCounts, Liquid, NalsmLattice, OrientedInput

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--root", type=Path, help="folder or zip file of N-MNIST")
arguments.add_argument("--most", type=int, default=2000, help="use at most so many recordings (2000)")
arguments.add_argument("--network", choices=("convolutions", "dense", "events"), default="convolutions",
                       help="what is trained")
arguments.add_argument("--hidden", type=int, default=300, help="hidden neurons of a full layer (300)")
arguments.add_argument("--channels", type=int, nargs="+", help="of the convolutions (16 32; for events 32)")
arguments.add_argument("--layers", type=int, default=10, help="layers of 100 neurons of the liquid, 0 for none (10)")
arguments.add_argument("--epochs", type=int, help="passes over the training part (30; for events 60)")
arguments.add_argument("--folds", type=int, default=5, help="parts of the cross-validation (5)")
arguments.add_argument("--only", type=int, nargs="+", help="do these folds only, counted from 0")
arguments.add_argument("--seeds", type=int, default=1, help="how often all is done (1)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nmnist_gradient.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
options.epochs = options.epochs or (60 if options.network == "events" else 30)
options.channels = options.channels or ([32] if options.network == "events" else [16, 32])
if len(options.channels) != (1 if options.network == "events" else 2):
    arguments.error("--channels must be one number for events, else two")
SENSOR, DT, DURATION = (34, 34, 2), 15.0, 315.0
TICKS = round(DURATION / DT)
SIDE, PAUSE, SHARP = 17, 10.0, 12.0  # for events: pooled pixels; ms with one spike of each at most; factor of logits
BUSY, VIEWS = 1.0, 16  # for events: spikes of a neuron and recording at which a penalty begins; changed ones in a test

root = options.root or ns.datasets.NMNIST.below(os.environ.get("NEUROSIM_DATA"))
if root is None:
    print("nmnist_gradient.py needs recordings of N-MNIST and found none: set NEUROSIM_DATA to a folder that holds "
          "nmnist/, or give --root FOLDER_OR_ZIP. Nothing was done.")
    sys.exit(0)

import torch  # noqa: E402

from neurosim import bridge  # noqa: E402

torch.set_num_threads(1)
events, labels = [], []
for train in (True, False):
    part = ns.datasets.NMNIST(root, train=train).load_all()
    events += np.split(part.events, part.offsets[1:-1])
    labels.append(part.labels)
labels = np.concatenate(labels)
rows = np.random.default_rng(0).permutation(len(labels))[:options.most]
events, labels = [events[k][events[k]["t"] < DURATION * 1000 - 1] for k in rows], labels[rows]


def changed(x, y, rng):
    """Return the places of events of a picture that is moved, turned, sheared and of another size, and which are kept.

    Moves are up to 2.5 pixels, turns 0.2 rad, sizes 12 %, slants 0.15; up to a fifth of the events are lost.
    """
    move, turn, size, slant = rng.uniform(-2.5, 2.5, 2), rng.uniform(-0.2, 0.2), rng.uniform(-0.12, 0.12), 0.15
    cos, sin, slant = np.exp(size) * np.cos(turn), np.exp(size) * np.sin(turn), rng.uniform(-slant, slant)
    x, y = x - 16.5, y - 16.5
    x, y = (np.rint(each + 16.5 + by).astype(int) for each, by in
            zip((cos * x + (slant - sin) * y, sin * x + cos * y), move, strict=True))
    inside = (x >= 0) & (x < SENSOR[0]) & (y >= 0) & (y < SENSOR[1])
    return x, y, inside & (rng.random(len(x)) >= rng.uniform(0, 0.2))


def batch(chosen, rng=None):
    """Return recordings, one spike a tick and channel at most, (ticks, samples, inputs), changed in training."""
    made = np.zeros((TICKS, len(chosen), SENSOR[2], SENSOR[1], SENSOR[0]), dtype=np.float32)
    for b, k in enumerate(chosen):
        x, y, kept = events[k]["x"].astype(int), events[k]["y"].astype(int), slice(None)
        if rng is not None:
            x, y, kept = changed(x, y, rng)
        tick, up = events[k]["t"] // round(1000 * DT), events[k]["p"].astype(int)
        made[tick[kept], b, up[kept], y[kept], x[kept]] = 1.0
    return torch.from_numpy(made).flatten(2)


class Dropout(torch.nn.Module):
    """Neurons that are silent for a whole sample."""

    def __init__(self, share, generator):
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x):
        """Return what the others send, made larger by as much."""
        if not self.training:
            return x
        return x * ((torch.rand(x.shape[1:], generator=self.generator) >= self.share) / (1.0 - self.share))


def network(generator, x):
    """Return the layers; the sums of convolutions have a standard deviation of 0.7 thresholds at first."""
    surrogate, last = bridge.ATan(2.0), {"dt": DT, "tau_mem": 100.0, "bias": True, "generator": generator}
    if options.network == "dense":
        return bridge.Sequential(bridge.LIFLayer(np.prod(SENSOR), options.hidden, dt=DT, tau_mem=30.0,
                                                 surrogate=surrogate, generator=generator),
                                 bridge.LeakyIntegratorLayer(options.hidden, 10, **last))
    torch.manual_seed(generator.initial_seed())  # of the kernels
    parts, shape = [], SENSOR[::-1]
    for channels, padding, silent in zip(options.channels, (2, 0), (0.15, 0.3), strict=True):
        kernel = torch.nn.Conv2d(shape[0], channels, 5, stride=2, padding=padding)
        layer = bridge.StructuredLayer([kernel], shape, dt=DT, tau_mem=20.0, surrogate=surrogate)
        with torch.no_grad():
            kernel.bias.zero_()
            kernel.weight.mul_(0.7 / kernel(x.reshape(-1, *shape)).std())
            x, shape = layer(x)[0], layer.shape_out
        parts += [layer, Dropout(silent, generator)]
    return bridge.Sequential(*parts, bridge.LeakyIntegratorLayer(parts[-2].n_out, 10, **last))


def streams(chosen, rng=None):
    """Return recordings as spikes at their own times, of pooled pixels, changed in training."""
    found = []
    for k in chosen:
        x, y, kept = events[k]["x"].astype(int), events[k]["y"].astype(int), slice(None)
        if rng is not None:
            x, y, kept = changed(x, y, rng)
        times = events[k]["t"][kept] / 1000.0 + 0.001
        ids = (events[k]["p"][kept].astype(int) * SIDE + y[kept] // 2) * SIDE + x[kept] // 2
        _, first = np.unique(ids * 1000 + (times // PAUSE).astype(int), return_index=True)
        first.sort()  # events are in order of time
        found.append(ns.Spikes.from_times(times[first], ids[first], size=2 * SIDE * SIDE, duration=DURATION))
    return found


def spiking(seed):
    """Return a network of the event mode: pooled pixels, neurons behind a kernel of 5 x 5, leaky integrators."""
    rng, net, n = np.random.default_rng(seed), ns.Network(), 2 * SIDE * SIDE
    kernel = ns.Convolution(rng.normal(0.03, 0.3, (options.channels[0], 2, 5, 5)), (2, SIDE, SIDE), stride=2, padding=2)
    pixels = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=n, duration=1.0)), n, name="pixels")
    hidden = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0),
                     int(np.prod(kernel.shape_out)), name="hidden")
    out = net.add(ns.LeakyIntegrator(tau_mem=100.0, v_leak=0.0, r=1.0), 10, name="out")
    net.connect(pixels, hidden, kernel, delay=1.0, name="in", receptor=ns.ExponentialCurrent(5.0))
    net.connect(hidden, out, ns.AllToAll(), weight=rng.normal(0.0, 0.2, (hidden.size, 10)), delay=1.0, name="to out",
                receptor=ns.ExponentialCurrent(5.0))
    return net


class Spiking(torch.nn.Module):
    """The layers by exact gradients: logits of recordings, and a penalty for too few spikes and too many."""

    def __init__(self, seed):
        super().__init__()
        self.inside = bridge.EventNetwork(spiking(seed), train={"in": "kernel", "to out": "weight"}, threads=1)

    def forward(self, recordings):
        """Return logits, (recordings, 10), and the penalty."""
        outcome = self.inside(recordings, DURATION, integral=["out"])
        return SHARP * outcome.integral["out"] / DURATION, 0.001 * self.inside.activity(outcome, "hidden", at_most=BUSY)


def by_gradient(train, seed):
    """Return a trained network and its losses."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    exact, batches = options.network == "events", -(-len(train) // 32)
    net = Spiking(seed) if exact else network(generator, batch(train[:64]))
    rates = [0.01, 0.02] if exact else [3e-3] * len(list(net.parameters()))  # a kernel moves many synapses at once
    adam = torch.optim.AdamW([{"params": [each], "lr": rate} for each, rate in zip(net.parameters(), rates,
                                                                                  strict=True)], weight_decay=1e-2)
    pace = torch.optim.lr_scheduler.OneCycleLR(adam, rates, total_steps=options.epochs * batches, pct_start=0.15)
    losses = []
    for _ in range(options.epochs):
        for chosen in np.array_split(rng.permutation(train), batches):
            logits, penalty = net(streams(chosen, rng)) if exact else (net(batch(chosen, rng))[0].mean(0), 0.0)
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels[chosen]).long(), label_smoothing=0.05)
            adam.zero_grad()
            (loss + penalty).backward()
            adam.step()
            pace.step()
            losses.append(loss.item())
    return net.eval(), losses


def told(net, test, views=0):
    """Return the digits that a network tells, by recordings and so many changed ones."""
    rng = np.random.default_rng(0)

    def logits(chosen):
        if options.network != "events":
            return net(batch(chosen))[0].mean(0)
        return sum(net(streams(chosen, each))[0] for each in [None] + [rng] * views)

    with torch.no_grad():
        return np.concatenate([logits(chosen).argmax(1).numpy()
                               for chosen in np.array_split(test, -(-len(test) // 64))])


def same_spikes(net, x):
    """Return how many spikes the core sends, and which share of ticks and neurons is that of PyTorch."""
    made = bridge.to_network(net.double()).run(x.numpy())
    x, sent, alike = x.double(), 0, []
    with torch.no_grad():
        for layer, core in zip(net.layers[:-1], made[:-1], strict=True):
            x, _ = layer(x)
            sent += int(core.sum())
            alike.append((x.numpy() == core).mean())
    return sent, float(np.mean(alike))


def fine(recording):
    """Return one spike a millisecond and channel at most."""
    made = ns.datasets.to_spikes(recording, SENSOR, dt=1.0, duration=DURATION)
    once = np.unique(made.ticks * made.size + made.ids)
    return made.replace(ticks=once // made.size, ids=once % made.size)


saccades, whole = BinnedCounts(edges=(105.0, 210.0, DURATION)), [fine(each) for each in events]
fixed = {"event counts by saccade": saccades.matrix(whole)}
if options.layers:
    liquid = Liquid(NalsmLattice((10, 10, options.layers)), OrientedInput(SENSOR, weight=80.0), excitation=0.5,
                    inhibition=-0.5, dt=1.0, seed=0)
    fixed["liquid"] = liquid.states(whole, DURATION, saccades)
trained = {"exact gradient": 0, f"exact gradient, {VIEWS} changed": VIEWS} if options.network == "events" else {
    f"surrogate gradient, {options.network}": 0}
right = {name: [] for name in (*trained, *fixed)}
began, n_test = time.perf_counter(), 0
for seed in range(options.seeds):
    counts, n_test = dict.fromkeys(right, 0), 0
    folds = StratifiedKFold(options.folds, shuffle=True, random_state=seed)
    for k, (train, test) in enumerate(folds.split(labels, labels)):
        if options.only and k not in options.only:
            continue
        n_test += len(test)
        net, losses = by_gradient(train, seed)
        hits = {name: int((told(net, test, views) == labels[test]).sum()) for name, views in trained.items()}
        for name, each in hits.items():
            counts[name] += each
        for name, X in fixed.items():
            readout = ridge(np.logspace(-1, 4, 11), scale=False, root=True).fit(X[train], labels[train])
            counts[name] += int((readout.predict(X[test]) == labels[test]).sum())
        print(f"seed {seed}, fold {k}: {', '.join(map(str, hits.values()))} of {len(test)}, "
              f"{time.perf_counter() - began:.0f} s", flush=True)
    for name, hits in counts.items():
        right[name].append(hits / n_test)

print(f"\n{'features':<34}{'accuracy':>9}   95 % interval")
for name, shares in right.items():
    low, high = interval(float(np.mean(shares)), n_test)
    print(f"{name:<34}{np.mean(shares):>9.1%}   {low:.1%} to {high:.1%}")
print(f"{'chance':<34}{np.bincount(labels).max() / len(labels):>9.1%}")
print(f"n_test {n_test} over {len(options.only or range(options.folds))} folds, seeds {options.seeds}")
if options.network != "events":
    sent, alike = same_spikes(net, batch(test[:5]))
    print(f"in the core: {sent} spikes of 5 recordings, {alike:.2%} of ticks and neurons as in PyTorch")

figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
axes.plot(losses, linewidth=0.8)
axes.set(xlabel="Step", ylabel="Training loss of the last fold", yscale="log")
print(f"\nwrote {ns.plot.save(figure, options.out / f'nmnist_gradient.{options.format}')}")
