"""Delays that learn by gradient in PyTorch, and the same spikes in the core: which volley came first, and by how much?

    python examples/delays_to_core.py [--seeds 4] [--epochs 40] [--quick] [--out FOLDER]

Two volleys of three channels each come one after the other, in one of six orders and lags; spikes are lost and added.
Four neurons without a memory of their own, behind synapses with delays of up to 24 ticks, tell the six apart by the sum
of what they send. Without delays they cannot; with random delays that stay they can partly; with delays that learn,
spread over taps that narrow while they do, best. Then delays are whole ticks, the network is written into the core, and
the core sends the same spikes. Beside it: chance, and a linear readout of the counts of the channels, which hold no
order. 1,000 test samples that no training saw; intervals are 95 % of Student's t over seeds.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats

import neurosim as ns
from neurosim import bridge, plot
from neurosim.bridge.extra import torch
from neurosim.readouts import ridge

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=4, help="of data, weights and delays (4)")
arguments.add_argument("--epochs", type=int, default=40, help="passes of the training (40)")
arguments.add_argument("--quick", action="store_true", help="few epochs, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for delays_to_core.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
epochs = 4 if options.quick else options.epochs
torch.set_num_threads(1)
warnings.filterwarnings("ignore", "UnitlessLIF.tau_mem", ns.NeurosimWarning)  # they forget within a tick on purpose

LAGS = (-9, -6, -3, 3, 6, 9)  # ticks of 1 ms
TICKS, GROUP, NEURONS, LONGEST, TRAIN, TEST = 50, 3, 4, 24.0, 1536, 1000


def volleys(n, generator):
    """Return samples (ticks, n, channels) and which of the lags each has."""
    classes = torch.randint(0, len(LAGS), (n,), generator=generator)
    begin = torch.randint(12, TICKS - 24, (n,), generator=generator)
    x = torch.zeros(TICKS, n, 2 * GROUP)
    for b, lag in enumerate(torch.tensor(LAGS)[classes].tolist()):
        x[begin[b] + max(-lag, 0), b, :GROUP] = 1.0
        x[begin[b] + max(lag, 0), b, GROUP:] = 1.0
    kept = torch.rand(x.shape, generator=generator) < 0.9
    added = torch.rand(x.shape, generator=generator) < 0.01
    return (x * kept + added).clamp(max=1.0), classes


def trained(delays, x, classes, generator):
    """Return a network trained on samples: neurons that forget within a tick, and a readout that sums."""
    net = bridge.Sequential(
        bridge.LIFLayer(2 * GROUP, NEURONS, tau_mem=0.5, delays=delays, surrogate=bridge.ATan(5.0),
                        generator=generator),
        bridge.LeakyIntegratorLayer(NEURONS, len(LAGS), tau_mem=1000.0, bias=True, generator=generator))
    with torch.no_grad():
        net.layers[0].weight.abs_().mul_(2.0)
    late = [each for name, each in net.named_parameters() if "delay" in name]
    others = [each for name, each in net.named_parameters() if "delay" not in name]
    adam = torch.optim.Adam([{"params": others, "lr": 0.05}, {"params": late, "lr": 0.2}])
    slower = torch.optim.lr_scheduler.LambdaLR(adam, [lambda e: 0.5 * (1.0 + np.cos(np.pi * e / epochs)),
                                                      lambda e: max(0.02, 1.0 - e / epochs)])
    for epoch in range(epochs):
        bridge.anneal(net, min(1.0, epoch / (0.6 * epochs)))
        for rows in torch.randperm(len(classes), generator=generator).split(64):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(net(x[:, rows])[0][-1], classes[rows]).backward()
            adam.step()
        slower.step()
    return net.eval()  # delays are whole ticks from here on


def accuracy(net, x, classes):
    """Return the share of samples whose lag is told."""
    with torch.no_grad():
        return float((net(x)[0][-1].argmax(1) == classes).float().mean())


def same_spikes(net, x):
    """Return how many spikes the core sends, and whether they are those of PyTorch, tick for tick."""
    core = bridge.to_network(net)
    made = core.run(x.numpy())[0]
    with torch.no_grad():
        expected = net.layers[0](x)[0].numpy()
    return int(made.sum()), np.array_equal(made, expected)


KINDS = ("none", "random", "learned")
found = {kind: [] for kind in (*KINDS, "counts")}
chance, spikes, equal = [], 0, True
for seed in range(options.seeds):
    for kind in KINDS:
        generator = torch.Generator().manual_seed(seed)
        x, classes = volleys(TRAIN, generator)
        new, right = volleys(TEST, generator)
        delays = None if kind == "none" else bridge.Delays(LONGEST, learn=kind == "learned", sigma_start=5.0)
        net = trained(delays, x, classes, generator)
        found[kind].append(accuracy(net, new, right))
    counted, same = same_spikes(net, new)  # of the learned delays, which come last
    spikes, equal = spikes + counted, equal and same
    found["counts"].append(ridge().fit(x.sum(0).numpy(), classes.numpy()).score(new.sum(0).numpy(), right.numpy()))
    chance.append(float(torch.bincount(right).max()) / TEST)


def text(values):
    """Return mean and interval of accuracies over seeds."""
    if len(values) < 2:
        return f"{100 * values[0]:6.1f}%"
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{100 * np.mean(values):6.1f}% +- {100 * half:.1f}%"


print(f"six orders and lags, {NEURONS} neurons, n_test {TEST}, seeds 0 to {options.seeds - 1}, {epochs} epochs; "
      f"chance (the commonest lag) {100 * np.mean(chance):.1f}%")
for kind, label in {"counts": "linear readout of the channels' counts", "none": "no delays",
                    "random": "random delays that stay", "learned": "delays that learn, then whole ticks"}.items():
    print(f"{label:<40}{text(found[kind])}")
print(f"in the core: {spikes} spikes of the test samples, {'the same, tick for tick' if equal else 'NOT THE SAME'}")

figure, (left, right_panel) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
delays = net.layers[0].delays.ticks().numpy().T  # (neurons, channels)
left.matshow(delays, cmap="viridis", aspect="auto")
left.set(xlabel="Channel", ylabel="Neuron", title="Learned delays (ticks)")
left.xaxis.set_ticks_position("bottom")
for (row, column), ticks in np.ndenumerate(delays):
    left.text(column, row, int(ticks), ha="center", va="center", color="white" if ticks < 14 else "black", size=8)
means = [100 * np.mean(found[kind]) for kind in ("counts", *KINDS)]
right_panel.bar(["counts", "no delays", "random", "learned"], means, color=["0.7", *plot.COLORS[:3]])
right_panel.axhline(100 * np.mean(chance), color="black", linestyle="--", linewidth=1, label="chance")
right_panel.set(ylabel="Accuracy (%)", ylim=(0, 100))
right_panel.legend(frameon=False)
path = plot.save(figure, options.out / f"delays_to_core.{options.format}")
print(f"\nwrote {path}")
