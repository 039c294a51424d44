"""A liquid state machine that reads digits from events, and what its accuracy must be compared with.

    python examples/liquid_state_machine.py [--digits 600] [--out FOLDER]

Nothing in the liquid is trained; a linear readout is, on how often each neuron spiked in each of three saccades. An
accuracy means little alone, so the same readout is trained on four other things, with the same folds:

- how many events each channel had, the plainest features of the recordings;
- these counts by saccade, so that it knows as much of time as the readout of the liquid does;
- the liquid's input weights and a static rectifier, without neurons: what spikes and dynamics add to the weights;
- the pixels of the digits, which no event camera has seen.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import neurosim as ns
from neurosim.readouts import evaluate, ridge
from neurosim.reservoirs import BinnedCounts, Counts, Liquid, NalsmLattice, OrientedInput

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--digits", type=int, default=600, help="how many digits, at least 50 (600)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for liquid_state_machine.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
SENSOR, DURATION, SEED = (34, 34, 2), 316.0, 0

# Recordings: digits in another order, moved before an event camera.
images, labels = load_digits(return_X_y=True)
order = np.random.default_rng(SEED).permutation(len(labels))[:options.digits]
images, labels = images[order] / 16.0, labels[order]
events = ns.encoders.saccade_recordings(images.reshape(-1, 8, 8), seed=SEED, keys=order)
samples = [ns.datasets.to_spikes(each, SENSOR, dt=1.0, duration=DURATION) for each in events]
print(f"{len(samples)} recordings, {np.mean([len(each) for each in samples]):.0f} events each")

# Liquid: every neuron sees a small part of the image through an oriented field; neighbours connect more often.
liquid = Liquid(NalsmLattice((10, 10, 10)), OrientedInput(SENSOR, weight=80.0), excitation=0.5, inhibition=-0.5,
                dt=1.0, seed=SEED)
saccades = BinnedCounts(edges=(105.0, 210.0, DURATION))
began = time.perf_counter()
states = liquid.states(samples, DURATION, saccades)
rate = states.sum() / states.shape[0] / liquid.size / DURATION * 1000
print(f"{liquid.size} neurons at {rate:.1f} Hz, {time.perf_counter() - began:.1f} s\n")

# Controls: what the same readout makes of other features.
binned = saccades.matrix(samples)
rectified = np.hstack([np.maximum(part @ liquid.input_weights, 0.0) for part in np.split(binned, 3, axis=1)])
features = {"liquid": states, "event counts": Counts().matrix(samples), "event counts by saccade": binned,
            "input weights, rectified": rectified, "pixels of the digits": images}
results = {}
print(f"{'features':<26}{'accuracy':>9}   95 % interval")
for name, X in features.items():
    readout = ridge(np.logspace(-1, 4, 11), scale=False, root=True)
    results[name] = result = evaluate(readout, X, labels, folds=5, seeds=[SEED])
    print(f"{name:<26}{result.accuracy:>9.1%}   {result.interval[0]:.1%} to {result.interval[1]:.1%}")
print(f"{'chance':<26}{result.chance:>9.1%}")
print(f"five folds, n_train {result.n_train} each, n_test {result.n_test} together, seed {SEED}")

# Look: one recording of a zero, a one and a two with what the liquid makes of it; which digits are taken for which.
figure = plt.figure(figsize=(13, 6), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.4, 1])
shown = [int(np.flatnonzero(labels == digit)[0]) for digit in range(3)]
answers = liquid.simulation().run_batch([samples[k] for k in shown], DURATION, keys=shown)
joined = {"input": [samples[k] for k in shown], "liquid": [each.spikes("liquid") for each in answers]}
joined = {name: parts[0].merge(*(part.shift(k * DURATION) for k, part in enumerate(parts) if k))
          for name, parts in joined.items()}
ns.plot.activity(joined, figure=left, marks={k * DURATION: f"digit {k}" for k in range(3)})
axes = right.subplots()
ns.plot.confusion(labels, results["liquid"].predictions[0], ax=axes)
axes.set_title(f"liquid, {results['liquid'].accuracy:.1%} of {len(labels)}")
path = ns.plot.save(figure, options.out / f"liquid_state_machine.{options.format}")
print(f"\nwrote {path}")
