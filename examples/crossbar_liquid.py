"""N-MNIST through a liquid whose synapses are memristor crossbars: what each non-ideality costs.

    NEUROSIM_DATA=FOLDER python examples/crossbar_liquid.py [--seeds 2] [--most 300] [--quick] [--out FOLDER]

The network is that of a resistive-memory liquid: the centre of the sensor (16 x 16, ON events) onto 200 recurrent LIF
neurons through two crossbars, 256 x 200 and 200 x 200, with fixed random weights; only a ridge readout of three spike
counts of each neuron is trained, anew for each condition. --seeds 20 --most 900 is the full protocol. Nothing is
downloaded.
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
from hardware_models.memristor import PCM, CrossbarCircuit, CrossbarLayer, Memristor, RandomResistors
from neurosim.readouts import evaluate, ridge
from neurosim.reservoirs import BinnedCounts, states

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--root", type=Path, help="folder or zip file of N-MNIST")
arguments.add_argument("--seeds", type=int, default=2, help="random weights to average over (2)")
arguments.add_argument("--most", type=int, default=300, help="use at most so many recordings (300)")
arguments.add_argument("--quick", action="store_true", help="one level of each non-ideality")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for crossbar_liquid.png")
options = arguments.parse_args()

READOUT = ridge(np.logspace(-1, 4, 11), scale=False, root=True)
NEURON = ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=2.0)
INPUT_STD, RECURRENT_STD, WIDE, SIZE, DURATION = 2.5, 0.7, 16, 200, 320.0  # mV, mV, pixels, neurons, ms
HOUR = 3.6e6  # ms


def found(data):
    """Return the folder or zip file of N-MNIST below the data root, or None."""
    for folder in (Path(data) / name for name in ("nmnist", "N-MNIST") if data):
        if (folder / "Train").is_dir() or (folder / "Train.zip").is_file():
            return folder
        if zips := sorted(folder.glob("*.zip")):
            return zips[0]
    return None


def centre(events):
    """Return the spikes of the ON events in the middle of the sensor, 256 channels."""
    low = (34 - WIDE) // 2
    x, y = events["x"].astype(np.int64) - low, events["y"].astype(np.int64) - low
    keep = events["p"] & (x >= 0) & (x < WIDE) & (y >= 0) & (y < WIDE) & (events["t"] < DURATION * 1000)
    ticks = np.maximum(np.ceil(events["t"][keep] / 1000).astype(np.int64), 1)
    order = np.argsort(ticks, kind="stable")
    return ns.Spikes(ticks=ticks[order], ids=(y * WIDE + x)[keep][order], size=WIDE * WIDE, dt=1.0, duration=DURATION)


def software(seed):
    """Return Gaussian weights (input, recurrent), mV."""
    rng = np.random.default_rng([seed, 1])
    return rng.normal(0, INPUT_STD, (WIDE * WIDE, SIZE)), rng.normal(0, RECURRENT_STD, (SIZE, SIZE))


def sampled(seed):
    """Return weights of pairs of random resistors with the same standard deviation."""
    rng, cells = np.random.default_rng([seed, 2]), RandomResistors.formed(0.5)
    return (cells.weights((WIDE * WIDE, SIZE), rng, INPUT_STD), cells.weights((SIZE, SIZE), rng, RECURRENT_STD))


def accuracy(weights, device, seed, *, wires=0.0, aged=0.0):
    """Return the share of recordings that are recognised, and the mean rate in Hz."""
    net = ns.Network()
    silence = ns.Spikes(ticks=[], ids=[], size=WIDE * WIDE, dt=1.0, duration=1.0)
    source = net.add(ns.SpikeSource(silence), name="input")
    liquid = net.add(NEURON, SIZE, name="liquid")
    for part, (matrix, origin) in enumerate(zip(weights, (source, liquid), strict=True)):
        layer = device.fitted(matrix).replace(seed=2 * seed + part)
        held = CrossbarLayer(matrix, layer, r_word=wires, r_bit=wires, seed=2 * seed + part)
        if aged:
            held.age(aged)
        noise = layer.replace(**{name: 0.0 for name in ("programming_noise", "stuck_on", "stuck_off")})
        noise = noise.fitted(held.weights)
        net.connect(origin, liquid, ns.Sparse(held.weights), delay=1.0, device=noise if noise.read else None)
    net.record(liquid)
    counts = states(ns.Simulation(net, 1.0, seed=seed), samples, DURATION, BinnedCounts(3))
    return evaluate(READOUT, counts, labels, seeds=[seed]), counts.sum() / len(samples) / SIZE / DURATION * 1000


root = options.root or found(os.environ.get("NEUROSIM_DATA"))
if root is None:
    print("crossbar_liquid.py needs recordings of N-MNIST and found none: set NEUROSIM_DATA to a folder that holds "
          "nmnist/, or give --root FOLDER_OR_ZIP. Nothing was done.")
    sys.exit(0)

# Recordings, from all over the two parts of the data set
events, labels = [], []
for train in (True, False):
    part = ns.datasets.NMNIST(root, train=train)
    rows = np.random.default_rng(0).permutation(len(part))[:round(options.most * (8 if train else 1) / 9)]
    batch = part.select(np.sort(rows)).load_all()
    events += np.split(batch.events, batch.offsets[1:-1])
    labels.append(batch.labels)
labels, samples = np.concatenate(labels), [centre(each) for each in events]
print(f"{len(samples)} recordings, {np.mean([len(each) for each in samples]):.0f} spikes each, {options.seeds} seeds")


def measured(name, level, weights, device, **changes):
    """Measure one condition over all seeds, print it, and return the accuracies."""
    began = time.perf_counter()
    found = [accuracy(weights(seed), device, seed, **changes) for seed in range(options.seeds)]
    right = np.array([result.accuracy for result, _ in found])
    low, high = ns.readouts.interval(right.mean(), found[0][0].n_test)
    spread = right.std(ddof=options.seeds > 1)
    print(f"{name:<26}{level:>10}{right.mean():>9.1%}   {low:.1%} to {high:.1%}   {spread:>5.1%}"
          f"{np.mean([rate for _, rate in found]):>7.1f} Hz{time.perf_counter() - began:>6.0f} s", flush=True)
    return right


print(f"{'what':<26}{'level':>10}{'accuracy':>9}   95 % interval    std over seeds")
raw = BinnedCounts(3).matrix(samples)
control = evaluate(READOUT, raw, labels, seeds=range(options.seeds))
print(f"{'event counts, no liquid':<26}{'':>10}{control.accuracy:>9.1%}   chance {control.chance:.1%}, "
      f"n_test {control.n_test}")
ideal = measured("Gaussian weights", "ideal", software, Memristor())
resistors = measured("random resistors", "ideal", sampled, Memristor())
difference = 100 * (resistors - ideal)
print(f"difference, paired: {difference.mean():+.2f} points, standard error "
      f"{difference.std(ddof=options.seeds > 1) / np.sqrt(options.seeds):.2f}\n")

sweeps = {
    "programming noise": [(f"{s:.0%}", s, Memristor(programming_noise=s), {}) for s in (0.02, 0.05, 0.1, 0.2)],
    "read noise": [(f"{s:.0%}", s, Memristor(read_noise=s), {}) for s in (0.02, 0.05, 0.1, 0.2)],
    "drift (h)": [(name, h, PCM(drift=1.0), {"aged": h * HOUR})
                  for name, h in (("1 h", 1), ("1 day", 24), ("30 days", 720), ("1 year", 8760))],
    "drift, compensated (h)": [(name, h, PCM(drift=1.0, drift_compensation=True), {"aged": h * HOUR})
                               for name, h in (("1 h", 1), ("1 day", 24), ("30 days", 720), ("1 year", 8760))],
    "stuck devices": [(f"{s:.0%}", s, Memristor(stuck_on=0.16 * s, stuck_off=0.84 * s), {})
                      for s in (0.01, 0.05, 0.1, 0.2)],
    "wire (ohm)": [(f"{r} ohm", r, Memristor(), {"wires": r}) for r in (0.35, 1.0, 2.5, 5.0)],
}
results = {}
for name, levels in sweeps.items():
    results[name] = [(x, measured(name, level, software, device, **changes))
                     for level, x, device, changes in (levels[-1:] if options.quick else levels)]

# Wires alone: the loss of uniform arrays against r G n^2
curves = {}
for n in (16, 32, 64, 128, 256):
    curves[n] = []
    for r in np.logspace(-2, 0.5, 8):
        current = CrossbarCircuit(np.full((n, n), 100.0), r, r).solve(np.full(n, 0.2)).currents.mean()
        curves[n].append((r * 100e-6 * n * n, 1 - current / (n * 100.0 * 0.2)))
print("\nmean loss of uniform arrays (100 uS) at the same r G n^2, interpolated")
for x in (0.1, 1.0):
    print(f"r G n^2 = {x:g}: " + ", ".join(
        f"n = {n}: {np.interp(np.log(x), np.log([p[0] for p in c]), [p[1] for p in c]):.1%}" for n, c in curves.items()
        if c[0][0] <= x <= c[-1][0]) + f"; first order (2/3) r G n^2: {2 * x / 3:.1%}")

figure, panels = plt.subplots(2, 4, figsize=(15, 6.5), layout="constrained")
panels = panels.ravel()
for panel, (name, points) in zip(panels, results.items(), strict=False):
    panel.errorbar([x for x, _ in points], [100 * a.mean() for _, a in points], [100 * a.std() for _, a in points],
                   marker="o", capsize=3)
    panel.axhline(100 * ideal.mean(), color="grey", ls="--", label="ideal")
    panel.axhline(100 * control.accuracy, color="grey", ls=":", label="event counts")
    panel.set(xscale="log", xlabel=name, ylabel="accuracy (%)", ylim=(60, 100))
    panel.set_xticks([x for x, _ in points], [f"{x:g}" for x, _ in points])
    panel.minorticks_off()
    panel.legend(loc="lower left")
panels[6].errorbar([0, 1], [100 * ideal.mean(), 100 * resistors.mean()], [100 * ideal.std(), 100 * resistors.std()],
                   fmt="o", capsize=3)
panels[6].set(xticks=[0, 1], xticklabels=["Gaussian", "random resistors"], xlim=(-0.5, 1.5), ylabel="accuracy (%)")
for n, points in curves.items():
    panels[7].loglog([x for x, _ in points], [100 * loss for _, loss in points], marker=".", label=f"{n} x {n}")
panels[7].set(xlabel="r G n$^2$", ylabel="mean loss of current (%)")
panels[7].legend()
options.out.mkdir(parents=True, exist_ok=True)
figure.savefig(options.out / "crossbar_liquid.png", dpi=100)
print(f"wrote {options.out / 'crossbar_liquid.png'}")
