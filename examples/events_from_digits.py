"""Handwritten digits before an event camera: what the camera sends, and what its threshold does to that.

    python examples/events_from_digits.py [--out FOLDER]

Still pictures give no events, so each digit is moved in three saccades, as N-MNIST was recorded. The camera compares
the log intensity of every pixel with the one at the pixel's last event.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import neurosim as ns

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for events_from_digits.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8) / 16.0  # intensity in [0, 1]
chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in range(5)]

# Record: events are structured arrays with the fields x, y, t (microseconds) and p (True is ON).
recordings = ns.encoders.saccade_recordings(images[chosen], seed=1, keys=chosen)
print(f"{'digit':<8}{'events':>8}{'ON':>8}{'saccade 1':>12}{'2':>8}{'3':>8}{'last (ms)':>12}")
for digit, events in enumerate(recordings):
    by_saccade = np.bincount(np.minimum(events["t"] // 105_000, 2), minlength=3)
    print(f"{digit:<8}{len(events):>8}{events['p'].mean():>8.2f}{by_saccade[0]:>12}{by_saccade[1]:>8}{by_saccade[2]:>8}"
          f"{events['t'][-1] / 1000:>12.1f}")

# The threshold: the smaller, the more steps a change of intensity takes.
print(f"\n{'threshold':<12}{'events of a 3':>14}")
thresholds = (0.1, 0.2, 0.4, 0.8)
for threshold in thresholds:
    camera = ns.encoders.EventCamera(threshold_on=threshold, threshold_off=threshold, t_ref=0.0)
    print(f"{threshold:<12g}{len(ns.encoders.saccade_recording(images[chosen[3]], camera)):>14}")

# Spikes: one neuron for each pixel and polarity, on a grid of ticks.
spikes = [ns.datasets.to_spikes(events, (34, 34, 2), dt=1.0, duration=316.0) for events in recordings]
assert [len(each) for each in spikes] == [len(events) for events in recordings]

figure = plt.figure(figsize=(10, 7.5), layout="constrained")
top, bottom = figure.subfigures(2, 1, height_ratios=[2, 1.1])
panels = top.subplots(2, 5)
for digit, events in enumerate(recordings):
    panels[0, digit].imshow(images[chosen[digit]], cmap="gray")
    panels[0, digit].set(title=f"digit {digit}", xticks=[], yticks=[])
    first = events[events["t"] < 105_000]
    ns.plot.events(first, ax=panels[1, digit])
    panels[1, digit].set(title="first saccade", xlabel="", ylabel="", xticks=[], yticks=[])
axes = bottom.subplots()
ns.plot.population_rate({f"digit {digit}": spikes[digit] for digit in range(3)}, width=5.0, ax=axes)
axes.set_ylabel("Events of a channel (Hz)")
path = ns.plot.save(figure, options.out / f"events_from_digits.{options.format}")
print(f"\nwrote {path}")
