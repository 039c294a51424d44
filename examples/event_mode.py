"""Neurons that tell apart times far below a tick: the exact, event-driven mode beside the clocked one.

    python examples/event_mode.py [--out FOLDER]

A coincidence detector, as in the sound localisation of the barn owl: spikes of the left and of the right ear reach
each cell over delay lines that differ by a few microseconds from cell to cell; the cell whose lines make up for the
difference between the ears gets both at once, and fires first and most. Without ticks the peak lies where it belongs;
at a tick of 0.1 ms half the cells are alike and the others silent.

Source: Jeffress, J. Comparative and Physiological Psychology 41 (1948) 35.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns

ns.plot.style()

parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
parser.add_argument("--out", type=Path, default=Path("."), help="folder for the figure")
parser.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = parser.parse_args()

# Both ears hear clicks, the right one 37 microseconds later; every line jitters by 10 microseconds.
generator = np.random.default_rng(3)
late, jitter, duration, fibres, cells = 0.037, 0.01, 2000.0, 20, 101
clicks = np.cumsum(generator.uniform(8.0, 12.0, 190))
left = clicks[:, None] + generator.normal(0.0, jitter, (clicks.size, fibres))
right = clicks[:, None] + late + generator.normal(0.0, jitter, (clicks.size, fibres))
times = np.concatenate([left, right], axis=1)
order = np.argsort(times, axis=None)
given = ns.Spikes.from_times(times.ravel()[order], np.tile(np.arange(2 * fibres), clicks.size)[order], size=2 * fibres,
                             duration=duration)

# Cell k has 0.5 ms + k microseconds on the left lines, and 0.5 ms + 100 microseconds - k on the right ones.
steps = np.arange(cells) * 1e-3
delays = np.concatenate([np.tile(0.5 + steps, (fibres, 1)), np.tile(0.6 - steps, (fibres, 1))])
net = ns.Network()
ears = net.add(ns.SpikeSource(given), name="ears")
detectors = net.add(ns.LIF(tau_mem=0.05, v_leak=0.0, v_reset=0.0, v_threshold=27.0, t_ref=2.0), cells, name="detectors")
net.connect(ears, detectors, weight=1.0, delay=delays)
net.record(detectors)

exact = ns.Simulation(net, mode="event")
exact.run(duration)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ns.NeurosimWarning)  # spikes are rounded to the grid: that is the point here
    clocked = ns.Simulation(net, dt=0.1)
    clocked.run(duration)

# The cell in whose lines left and right are `2 k - 100` microseconds apart answers to that difference between the ears.
difference = 2e3 * steps - 100.0
rates = {"exact": exact.spikes(detectors).counts() / clicks.size,
         "dt = 0.1 ms": clocked.spikes(detectors).counts() / clicks.size}
centre = (rates["exact"] * difference).sum() / rates["exact"].sum()
print(f"difference between the ears: {1e3 * late:.1f} us; centre of the exact answer: {centre:.1f} us")
print(f"spikes per click, best and worst cell: exact {rates['exact'].max():.2f} and {rates['exact'].min():.2f}, at dt "
      f"= 0.1 ms "
      f"{rates['dt = 0.1 ms'].max():.2f} and {rates['dt = 0.1 ms'].min():.2f}")
print(f"{exact.events} events, {len(exact.spikes(detectors))} spikes at times such as "
      f"{exact.spikes(detectors).times[0]:.15g} ms")

figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for name, rate in rates.items():
    axes[0].plot(difference, rate, label=name)
axes[0].axvline(1e3 * late, color="0.5", linestyle="--", linewidth=1)
axes[0].set(xlabel="difference that the delay lines make up for (us)", ylabel="spikes per click")
axes[0].legend()
spikes = exact.spikes(detectors)
after = spikes.times - clicks[np.clip(np.searchsorted(clicks, spikes.times) - 1, 0, None)]
axes[1].plot(difference[spikes.ids], 1e3 * after, ".", markersize=2, label="exact")
axes[1].set(xlabel="difference that the delay lines make up for (us)", ylabel="spike after the click (us)")
axes[1].legend()
path = ns.plot.save(figure, options.out / f"event_mode.{options.format}")
print(f"wrote {path}")
