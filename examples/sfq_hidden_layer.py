"""A digit classifier whose hidden layer is superconducting: weights as bias currents, units as storage loops.

    python examples/sfq_hidden_layer.py [--quick] [--out FOLDER]

A network of 64-20-10 is trained on the 8 x 8 digits of scikit-learn. The weights of its hidden layer become bias
currents of stochastic synapses; pixels become rates of pulses. Every pulse of every test image is simulated. The
readout stays that of the trained network. Beside it: chance, a linear readout of the pixels, the network in software.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import neurosim as ns
from hardware_models.sfq.network import HiddenLayer, SFQSynapses

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--quick", action="store_true", help="one seed, 60 test images")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for sfq_hidden_layer.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
seeds, most, counts = ((0,), 60, (5, 20)) if options.quick else ((0, 1, 2), 360, (5, 10, 20, 50))

digits = load_digits()
pixels, labels = digits.data / 16.0, digits.target
found = {name: [] for name in ("linear", "software", *counts)}
for seed in seeds:
    x, x_test, y, y_test = train_test_split(pixels, labels, test_size=0.2, random_state=seed, stratify=labels)
    x_test, y_test = x_test[:most], y_test[:most]
    linear = LogisticRegression(max_iter=2000).fit(x, y)
    network = MLPClassifier((20,), alpha=1.0, max_iter=300, random_state=seed, learning_rate_init=0.01).fit(x, y)
    layer = HiddenLayer(network.coefs_[0], network.intercepts_[0])

    def accuracy(hidden, network=network, y_test=y_test):
        return float(((hidden @ network.coefs_[1] + network.intercepts_[1]).argmax(1) == y_test).mean())

    found["linear"].append(linear.score(x_test, y_test))
    found["software"].append(accuracy(layer.forward(x_test)))
    for frames in counts:
        hidden, energy = layer.run(x_test, frames, seed=seed, energy=True)
        found[frames].append(accuracy(hidden))

print(f"n_test = {len(x_test)}, seeds = {len(seeds)}; chance 0.100")
for name, values in found.items():
    label = f"SFQ, {name} frames, {name * layer.frame / 1e3:.1f} ns" if name in counts else name
    print(f"{label:32s} {np.mean(values):.3f}  ({min(values):.3f} .. {max(values):.3f})")
print(f"circuit: {layer.circuit().junctions} junctions, {64 + 1} slots of {layer.slot:g} ps in a frame of "
      f"{layer.frame / 1e3:.2f} ns, so {1e3 / layer.frame:.2f} G frames/s")
print(f"an inference of {counts[-1]} frames: {energy.pulses / energy.samples:.0f} pulses, "
      f"{energy.switching_per_inference / 1e3:.1f} fJ of switching, "
      f"{(energy.per_inference - energy.switching_per_inference) / 1e6:.1f} pJ of static bias "
      f"({energy.power / 1e6:.1f} mW)")

# What a spread of the bias currents and a temperature that is not that of the design do (rates, without counting).
spreads, temperatures = np.array([0, 1, 2, 4, 8, 16]), np.array([1.0, 2.0, 3.0, 4.2, 6.0, 8.0, 10.0])
weights = np.vstack([network.coefs_[0], network.intercepts_[0]])
device = SFQSynapses().fitted(weights)


def with_device(**changes):
    return np.mean([accuracy(HiddenLayer(network.coefs_[0], network.intercepts_[0], device.replace(**changes),
                                         seed=k).forward(x_test)) for k in range(5)])


by_spread = [with_device(bias_spread=s * 1e-3) for s in spreads]
by_temperature = [with_device(temperature=t) for t in temperatures]
print("accuracy against bias spread:", ", ".join(f"{s} uA {a:.3f}" for s, a in zip(spreads, by_spread, strict=True)))
print("accuracy against temperature:", ", ".join(f"{t:g} K {a:.3f}" for t, a in zip(temperatures, by_temperature,
                                                                                   strict=True)))

figure, panels = plt.subplots(1, 4, figsize=(15, 4), layout="constrained")
panels[0].plot(layer.forward(x_test).ravel() * layer.gain, hidden.ravel() * layer.gain, ".", markersize=2,
               color=ns.plot.COLORS[0])
top = hidden.max() * layer.gain
panels[0].plot([0, top], [0, top], color="black", linewidth=0.8)
panels[0].set(xlabel="max(0, x W + b), scaled", ylabel="Pulses per frame", title=f"Hidden units, {counts[-1]} frames")
times = np.array(counts) * layer.frame / 1e3
panels[1].errorbar(times, [np.mean(found[c]) for c in counts],
                   [[np.mean(found[c]) - min(found[c]) for c in counts],
                    [max(found[c]) - np.mean(found[c]) for c in counts]], fmt="o-", capsize=3, label="SFQ, every pulse")
for k, (name, label) in enumerate((("software", "software"), ("linear", "linear, pixels"))):
    panels[1].axhline(np.mean(found[name]), color=ns.plot.COLORS[k + 1], linestyle="--", label=label)
panels[1].axhline(0.1, color="gray", linestyle=":", label="chance")
panels[1].set(xlabel="Time of an inference (ns)", ylabel="Accuracy", title="Digits", ylim=(0, 1.02))
panels[1].legend(frameon=False, loc="center right")
panels[2].plot(spreads, by_spread, "o-", color=ns.plot.COLORS[0])
panels[2].set(xlabel="Spread of bias currents (uA)", ylabel="Accuracy", title="Bias spread", ylim=(0, 1.02))
panels[3].plot(temperatures, by_temperature, "o-", color=ns.plot.COLORS[0])
panels[3].set(xlabel="Temperature (K), set for 4.2 K", ylabel="Accuracy", title="Temperature", ylim=(0, 1.02))
for axes in panels:
    axes.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"sfq_hidden_layer.{options.format}")
print(f"\nwrote {path}")
