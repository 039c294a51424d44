"""Digits without labels on a crossbar that STDP pulses train: what devices that are nonlinear and differ do to it.

    python examples/crossbar_stdp.py [--seeds 2] [--neurons 100] [--quick] [--out FOLDER]

Each of the small digits of scikit-learn is shown as spikes of 64 pixels and of their 64 complements, so that all images
bring equally many. Every neuron has one device to each input. When a neuron spikes, devices whose input has spiked
lately get pulses up and all others pulses down: STDP, with no computer in between. A spike also inhibits all other
neurons, and raises the neuron's own threshold. Nothing is ever written to the devices but random weights at first and
those pulses; labels are used only afterwards, to name the neurons. Untrained devices, exact weights, and a ridge
readout of the pixels stand beside them.

Source: the pulses: Querlioz, Bichler, Dollfus, Gamrat, IEEE Transactions on Nanotechnology 12 (2013) 288; the network:
Diehl, Cook, Frontiers in Computational Neuroscience 9 (2015) 99.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import neurosim as ns
from hardware_models.memristor import Memristor, NonlinearPulses
from learning_rules import Hebb
from neurosim.readouts import interval, ridge, score

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=2, help="of splits, devices and spikes (2)")
arguments.add_argument("--neurons", type=int, default=100)
arguments.add_argument("--quick", action="store_true", help="300 images of training, and the ends of each scale")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for crossbar_stdp.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

N_INPUTS, N_TRAIN = 128, 300 if options.quick else 1200
SHOWN, REST, BRIGHT = 100, 50, 0.15  # ms that an image is shown, then nothing; chance of a spike of white per ms
WEIGHT, HIGHEST = 1.5, 4.5  # mV: range of a device, and the most that one may have where they differ
ETA, PULSES = 0.01, 100  # change that a spike asks for, as a share of the range; pulses from end to end
NEURON = ns.AdaptiveLIF(tau_mem=30.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=5.0, tau_theta=1e7,
                        delta_theta=1.5)
PAIRS = np.divmod(np.arange(N_INPUTS * options.neurons), options.neurons)  # inputs and neurons of the devices


def encode(images, generator):
    """Return spikes of images, 0 to 1, shown one after the other: pixels first, then their complements."""
    chances = np.concatenate([images, 1.0 - images], axis=1) * BRIGHT
    image, tick, channel = np.nonzero(generator.random((len(images), SHOWN, N_INPUTS)) < chances[:, None, :])
    return ns.Spikes(ticks=image * (SHOWN + REST) + tick + 1, ids=channel.astype(np.uint32), size=N_INPUTS, dt=1.0,
                     duration=1.0 * len(images) * (SHOWN + REST))


def devices(up, down, generator, spread=0.0, **noise):
    """Return devices with labels of nonlinearity; labels, numbers of pulses and largest weights have a spread."""
    def vary(value, low, high):
        return np.clip(value * (1 + spread * generator.standard_normal(PAIRS[0].size)), low, high)

    return NonlinearPulses.labelled(
        vary(up, 0.0, 9.0), vary(down, -9.0, 0.0), pulses_up=vary(PULSES, 10, 1000), pulses_down=vary(PULSES, 10, 1000),
        weight_low=0.0, weight_high=vary(WEIGHT, 0.1, HIGHEST), weight_max=HIGHEST, **noise)


def show(images, weights, theta, generator, layer, *, adapting=False, learning=False):
    """Show images; return counts, shape (images, neurons), weights, shape (inputs, neurons), and thresholds."""
    net = ns.Network()
    pixels = net.add(ns.SpikeSource(encode(images, generator)), name="pixels")
    neuron = NEURON if adapting else NEURON.replace(delta_theta=0.0)
    cells = net.add(neuron, options.neurons, name="cells", initial={"theta": theta})
    bounds = {"w_min": -HIGHEST, "w_max": 2 * HIGHEST} if layer else {"w_max": WEIGHT}  # devices have their own
    rule = Hebb(eta=ETA * WEIGHT, x_0=8 * BRIGHT, **bounds)
    if layer and not learning:
        layer = Memristor(weight_max=HIGHEST, read_noise=layer.read_noise)  # written already; now only read
    net.connect(pixels, cells, ns.Explicit(*PAIRS), weight=weights.ravel(), delay=1.0, name="crossbar", device=layer,
                plasticity=rule if learning else None)
    net.connect(cells, cells, ns.AllToAll(self_connections=False), weight=-400 * BRIGHT, delay=1.0)
    net.record(cells)
    sim = ns.Simulation(net, 1.0, seed=int(generator.integers(2**32)))
    sim.run(1.0 * len(images) * (SHOWN + REST))
    return (sim.spikes(cells).bin(SHOWN + REST, per_neuron=True), sim.weights("crossbar").reshape(N_INPUTS, -1),
            sim.get(cells, "theta"))


def answer(counts, labels):
    """Return the digit whose neurons spike most in the mean."""
    return np.argmax([counts[:, labels == d].mean(axis=1) if (labels == d).any() else np.zeros(len(counts))
                      for d in range(10)], axis=0)


def learn(seed, up=None, down=None, learning=True, **kind):
    """Return accuracy on the test images, selectivity of the neurons, and weights; exact ones without labels."""
    generator, own = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    order = generator.permutation(len(images))
    train, test = order[:N_TRAIN], order[1200:]
    layer = None if up is None else devices(up, down, own, **kind)
    weights, theta = generator.uniform(0.0, WEIGHT, (N_INPUTS, options.neurons)), np.zeros(options.neurons)
    if layer:
        weights = np.minimum(weights, layer.weight_high.reshape(weights.shape))
    _, weights, theta = show(images[train], weights, theta, generator, layer, adapting=True, learning=learning)
    counts, _, _ = show(images[train], weights, theta, generator, layer)
    means = np.array([counts[digits[train] == d].mean(axis=0) for d in range(10)])
    tested, _, _ = show(images[test], weights, theta, generator, layer)
    right = np.mean(answer(tested, means.argmax(axis=0)) == digits[test])
    share = means.max(axis=0) / np.maximum(means.sum(axis=0), 1e-9)
    return right, share[means.sum(axis=0) > 0].mean(), weights


def measure(name, **kind):
    """Measure one kind of devices over all seeds, print it, and return mean, deviation and the first weights."""
    found = [learn(seed, **kind) for seed in range(options.seeds)]
    right, selective = (np.array([each[k] for each in found]) for k in (0, 1))
    low, high = interval(right.mean(), n_test)
    print(f"{name:<54}{right.mean():>8.1%}   {low:.1%} to {high:.1%}{right.std(ddof=options.seeds > 1):>8.1%}"
          f"{selective.mean():>10.2f}", flush=True)
    return right.mean(), right.std(), found[0][2]


data = load_digits()
images, digits = data.images.reshape(-1, 64) / 16.0, data.target
n_test = len(images) - 1200
splits = [np.random.default_rng([seed, 1]).permutation(len(images)) for seed in range(options.seeds)]
pixels = np.mean([score(ridge().fit(images[o[:N_TRAIN]], digits[o[:N_TRAIN]]), images[o[1200:]], digits[o[1200:]],
                        N_TRAIN).accuracy for o in splits])
chance = np.mean([np.bincount(digits[order[1200:]]).max() / n_test for order in splits])
print(f"{N_TRAIN} images shown once without labels, n_test {n_test}, seeds 0 to {options.seeds - 1}, {options.neurons} "
      f"neurons\nchance {chance:.1%}; a ridge readout of the pixels, with labels, {pixels:.1%}\n")
print(f"{'':<54}{'accuracy':>8}   95 % interval     std  selectivity")
untrained = measure("devices untrained, thresholds adapted", learning=False)
exact = measure("exact weights")
labels = (0.0, 4.88) if options.quick else (0.0, 1.0, 2.4, 4.88)
nonlinear = [measure(f"labels +{a:g} / -{a:g}", up=a, down=-a) for a in labels]
spreads = (0.0, 0.3) if options.quick else (0.0, 0.1, 0.3, 0.5)
kinds = {"linear": (0.0, 0.0), "silver in silicon": (2.4, -4.88)}
spread = {name: [measure(f"{name}, labels +{a:g} / {b:+g}, spread {s:.0%}", up=a, down=b, spread=s)
                 if s or name != "linear" else nonlinear[0] for s in spreads] for name, (a, b) in kinds.items()}
worst = measure("the same, spread 30 %, noise of everything", up=2.4, down=-4.88, spread=0.3, cycle_noise=0.035,
                programming_noise=0.05, read_noise=0.05)
print("\nnoise: 3.5 % of the range from pulse to pulse, 5 % of the largest weight when the first weights are written, "
      "5 % at\nevery spike")


def mosaic(weights):
    """Return the weights of the first 25 neurons, pixel less complement, as one picture."""
    maps = (weights[:64] - weights[64:]).T[:25].reshape(5, 5, 8, 8)
    return np.pad(maps, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=0).transpose(0, 2, 1, 3).reshape(45, 45)


figure, panels = plt.subplots(2, 3, figsize=(13, 8), layout="constrained")
panels = panels.ravel()
for panel, (title, weights) in zip(panels, {"exact weights": exact[2], "silver in silicon, spread 30 %, all noise":
                                            worst[2]}.items(), strict=False):
    panel.imshow(mosaic(weights), cmap="RdBu_r", vmin=-WEIGHT, vmax=WEIGHT)
    panel.set(title=f"{title}:\nwhat 25 neurons have learnt", xticks=[], yticks=[])
for name, (_, _, weights) in {"exact": exact, "linear": nonlinear[0], "with spread and noise": worst,
                              "silver in silicon": spread["silver in silicon"][0]}.items():
    panels[2].hist(weights.ravel() / WEIGHT, np.linspace(-0.1, 2.0, 64), histtype="step", label=name)
panels[2].set(xlabel="weight, share of the range", ylabel="devices", yscale="log")
pulses = np.arange(PULSES + 1)
for a in labels:
    one = NonlinearPulses.labelled(a, -a, pulses_up=PULSES, pulses_down=PULSES, weight_low=0.0)
    up, down = one.pulse(np.zeros(pulses.size), pulses), one.pulse(np.ones(pulses.size), -pulses)
    panels[3].plot(np.concatenate([pulses, PULSES + pulses]), np.concatenate([up, down]), label=f"+{a:g} / -{a:g}")
panels[3].set(xlabel="pulses up, then down", ylabel="weight, share of the range")
panels[4].errorbar(labels, [100 * m for m, _, _ in nonlinear], [100 * s for _, s, _ in nonlinear], marker="o",
                   capsize=3)
panels[4].set(xlabel="label of nonlinearity, up and down")
for name, points in spread.items():
    panels[5].errorbar([100 * s for s in spreads], [100 * m for m, _, _ in points], [100 * s for _, s, _ in points],
                       marker="o", capsize=3, label=name)
panels[5].plot(30, 100 * worst[0], "s", color="k", label="and all noise")
panels[5].set(xlabel="spread of devices (%)")
for panel in panels[4:]:
    for value, style, label in ((exact[0], "--", "exact weights"), (untrained[0], "-.", "untrained"),
                                (pixels, ":", "ridge of pixels"), (chance, "-", "chance")):
        panel.axhline(100 * value, color="grey", ls=style, label=label)
    panel.set(ylabel="accuracy (%)", ylim=(0, 100))
for panel in panels[2:]:
    panel.legend(fontsize=8)
path = ns.plot.save(figure, options.out / f"crossbar_stdp.{options.format}")
print(f"wrote {path}")
