"""Yin and yang: three classes in a plane from five spike times, trained by exact gradients of the event mode.

    python examples/yin_yang.py [--full] [--epochs N] [--seeds N] [--out FOLDER]

A point (x, y) is told as four spikes, at times that grow with x, y, 1 - x and 1 - y, and a fifth before them. 120
hidden neurons spike once each, and the largest v of three leaky integrators are the logits. Test points are drawn from
generators of their own. Trained networks then run unchanged in ticks, with weights in memristors that are programmed
with errors, with delays that differ from synapse to synapse, and with weights as the probabilities with which pulses
pass SFQ synapses: on average, or pulse by pulse. Beside it a linear classifier of the coordinates, and
chance. It needs PyTorch (the extra torch). Source of the task: Kriener, Goeltz, Petrovici, NICE (2022).
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

import neurosim as ns
from hardware_models.memristor import Memristor
from hardware_models.sfq.network import SFQSynapses
from neurosim import bridge
from neurosim.readouts import interval, ridge

ns.plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--full", action="store_true", help="5,000 points and 100 epochs instead of 2,000 and 12")
arguments.add_argument("--points", type=int, help="train on so many points")
arguments.add_argument("--epochs", type=int, help="passes over them")
arguments.add_argument("--seeds", type=int, default=1, help="networks, each with points of its own (1)")
arguments.add_argument("--test", type=int, default=1000, help="test points (1000)")
arguments.add_argument("--hidden", type=int, default=120, help="hidden neurons (120)")
arguments.add_argument("--rate", type=float, default=0.02, help="of Adam, falling to 0 as a cosine (0.02)")
arguments.add_argument("--threads", type=int, help="that share a batch; all cores by default")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for yin_yang.png")
options = arguments.parse_args()
POINTS = options.points or (5000 if options.full else 2000)
EPOCHS = options.epochs or (100 if options.full else 12)
START, LATEST, DURATION, DELAY = 1.0, 21.0, 46.0, 1.0  # ms
BATCH, SHARP = 32, 10.0  # points; factor of the logits
NEVER_AGAIN = 1000.0  # ms
ERRORS, JITTERS = (0.01, 0.02, 0.05, 0.1), (0.1, 0.3, 1.0)  # of programming, shares of g_max; of delays, ms
torch.set_num_threads(1)


def drawn(n, seed, big=0.5, small=0.1):
    """Return coordinates x, y, 1 - x, 1 - y of n points and their classes, which are as good as equally frequent."""
    rng = np.random.default_rng(seed)
    classes, points = rng.integers(0, 3, n), np.empty((n, 2))
    missing = np.ones(n, bool)
    while missing.any():
        x, y = rng.random((2, n))
        right, left = np.hypot(x - 1.5 * big, y - big), np.hypot(x - 0.5 * big, y - big)
        yin = (right <= small) | ((left > small) & (left <= 0.5 * big)) | ((y > big) & (right > 0.5 * big))
        which = np.where((right < small) | (left < small), 2, yin.astype(int))
        taken = missing & (which == classes) & (np.hypot(x - big, y - big) <= big)
        points[taken] = np.stack([x, y], axis=1)[taken]
        missing &= ~taken
    return np.concatenate([points, 1.0 - points], axis=1), classes


def times(points):
    """Return when the five inputs spike, ms."""
    return START + (LATEST - START) * np.concatenate([points, np.zeros((len(points), 1))], axis=1)


def network(into, out_of, delays=(DELAY, DELAY), device=None):
    """Return inputs, hidden neurons that spike once, and readouts."""
    net = ns.Network()
    nothing = ns.Spikes.from_times([], [], size=5, duration=1.0)
    inputs = net.add(ns.SpikeSource(nothing), 5, name="inputs")
    hidden = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0, t_ref=NEVER_AGAIN),
                     into.shape[1], name="hidden")
    readouts = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0), 3, name="out")
    for name, source, target, weights, delay in (("in", inputs, hidden, into, delays[0]),
                                                 ("to out", hidden, readouts, out_of, delays[1])):
        net.connect(source, target, ns.AllToAll(), weight=weights, delay=delay, name=name,
                    receptor=ns.ExponentialCurrent(5.0), device=device and device.fitted(weights))
    return net


def begun(seed):
    """Return a network whose hidden neurons spike for some points and not for others.

    Where all spike for all points, by larger weights, a network may learn nothing but a linear answer."""
    rng = np.random.default_rng(seed)
    return network(rng.normal(1.0, 1.2, (5, options.hidden)), rng.normal(0.0, 0.5, (options.hidden, 3)))


def trained(seed):
    """Return a trained network and its training losses."""
    points, classes = drawn(POINTS, [seed, 1])
    learner = bridge.EventNetwork(begun(seed), train={"in": "weight", "to out": "weight"}, threads=options.threads)
    adam = torch.optim.Adam(learner.parameters(), lr=options.rate)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adam, EPOCHS * -(-POINTS // BATCH))
    rng, losses = np.random.default_rng([seed, 3]), []
    for _ in range(EPOCHS):
        total = 0.0
        for chosen in np.array_split(rng.permutation(POINTS), -(-POINTS // BATCH)):
            outcome = learner(times(points[chosen]), DURATION, largest=["out"])
            loss = torch.nn.functional.cross_entropy(SHARP * outcome.largest["out"], torch.from_numpy(classes[chosen]))
            adam.zero_grad()
            (loss + learner.activity(outcome, "hidden")).backward()
            adam.step()
            slower.step()
            total += loss.item() * len(chosen) / POINTS
        losses.append(total)
    return learner, losses


def in_events(net, points):
    """Return the classes that a network tells in the event mode."""
    return ns.gradients.Differentiable(net).run(times(points), DURATION, largest=True).largest("out").argmax(1)


def in_ticks(net, points, dt=0.1, seed=0):
    """Return the classes that a network tells in ticks."""
    net.record("out", "v")
    sim = ns.Simulation(net, dt=dt, seed=seed)
    ticks = np.rint(times(points) / dt).astype(int)
    order = np.argsort(ticks, axis=1, kind="stable")
    samples = [ns.Spikes(ticks=each[ids], ids=ids, size=5, duration=DURATION, dt=dt) for each, ids in
               zip(ticks, order, strict=True)]
    return np.array([result.trace("out", "v")[1].max(axis=0).argmax() for result in sim.run_batch(samples, DURATION)])


def tested(learner, seed):
    """Return the share of test points that a network tells rightly, by how it runs."""
    points, classes = drawn(options.test, [seed, 2])
    values = learner.values_of()
    weights = values["in", "weight"].reshape(5, -1), values["to out", "weight"].reshape(-1, 3)
    rng = np.random.default_rng([seed, 4])
    told = {"events": in_events(network(*weights), points), "ticks of 0.1 ms": in_ticks(network(*weights), points),
            "ticks of 1 ms": in_ticks(network(*weights), points, dt=1.0)}
    for error in ERRORS:
        told[f"memristors, {error:.0%}"] = in_ticks(network(*weights, device=Memristor(programming_noise=error)),
                                                     points, seed=seed)
    for jitter in JITTERS:
        delays = [np.maximum(DELAY + jitter * rng.normal(size=each.shape), 0.01) for each in weights]
        told[f"delays +- {jitter:g} ms"] = in_events(network(*weights, delays), points)
    for name, stochastic in (("SFQ, mean of pulses", False), ("SFQ, pulse by pulse", True)):
        device = SFQSynapses(bias_spread=0.001, stochastic=stochastic)
        told[name] = in_ticks(network(*weights, device=device), points, seed=seed)
    train = drawn(POINTS, [seed, 1])
    told["linear, of x and y"] = ridge(np.logspace(-3, 3, 7), scale=False).fit(*train).predict(points)
    return {name: float((each == classes).mean()) for name, each in told.items()} | {
        "chance": float(np.bincount(classes).max() / len(classes))}, points, told["events"]


def main():
    """Train, test, print and draw."""
    began, found = time.perf_counter(), []
    for seed in range(options.seeds):
        learner, losses = trained(seed)
        shares, points, told = tested(learner, seed)
        found.append(shares)
    print(f"5-{options.hidden}-3, {POINTS} points, {EPOCHS} epochs, seeds {options.seeds}, n_test {options.test} each, "
          f"{time.perf_counter() - began:.0f} s")
    means = {name: np.array([each[name] for each in found]) for name in found[0]}
    for name, each in means.items():
        low, high = interval(each.mean(), options.test * len(each))
        print(f"{name:<20}{each.mean():>8.2%}   {low:.2%} to {high:.2%}   seeds {each.min():.2%} to {each.max():.2%}")
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    axes[0].semilogy(np.arange(1, EPOCHS + 1), losses, "o-")
    axes[0].set(xlabel="epoch", ylabel="training loss")
    axes[1].scatter(points[:, 0], points[:, 1], c=np.array(ns.plot.COLORS[:3])[told], s=8)
    axes[1].set(xlabel="x", ylabel="y", title="as told", aspect="equal")
    names = list(means)
    axes[2].barh(names[::-1], [100 * means[name].mean() for name in names[::-1]], color=ns.plot.COLORS[0])
    axes[2].set(xlabel="accuracy (%)", xlim=(0, 100))
    path = ns.plot.save(figure, options.out / "yin_yang.png", lettered=False, dpi=100)
    print(f"\nwrote {path}")


if __name__ == "__main__":
    main()
