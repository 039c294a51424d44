"""Draws the picture of the transforms of events: `python docs/events/draw.py` writes it beside this file."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import neurosim as ns

FOLDER = Path(__file__).resolve().parent
SENSOR = (34, 34, 2)


def recording():
    """A digit that moves in front of the event camera for 100 ms, with events of noise."""
    image = load_digits().images[3:4] / 16.0
    events = ns.datasets.time_window(ns.encoders.saccade_recordings(image, seed=1)[0], 0, 100_000)
    rng, n = np.random.default_rng(0), 400
    noise = ns.datasets.make_events(t=rng.integers(0, 100_000, n), x=rng.integers(0, 34, n), y=rng.integers(0, 34, n),
                                    p=rng.integers(0, 2, n))
    both = np.concatenate([events, noise])
    return both[np.argsort(both["t"], kind="stable")]


def difference(events, size):
    """ON minus OFF events of each pixel."""
    off, on = ns.datasets.to_frames(events, size, n_frames=1)[0]
    return on - off


def main():
    """Draw a panel for each function."""
    data, events = ns.datasets, recording()
    clean = data.denoise(events, SENSOR, window=5000, neighbours=2)
    panels = {
        "the recording": difference(events, SENSOR),
        "denoise": difference(clean, SENSOR),
        "refractory_filter": difference(data.refractory_filter(events, SENSOR, 50_000), SENSOR),
        "time_window": difference(data.time_window(clean, 0, 20_000), SENSOR),
        "crop": difference(data.crop(clean, x=(8, 26), y=(8, 26)), (18, 18, 2)),
        "downsample": difference(data.downsample(clean, 2), (17, 17, 2)),
        "flip (x)": difference(data.flip(clean, SENSOR, "x"), SENSOR),
        "flip (p)": difference(data.flip(clean, SENSOR, "p"), SENSOR),
        "merge_polarities": difference(data.merge_polarities(clean), SENSOR),
        "to_frames: frame 2 of 5": np.diff(data.to_frames(clean, SENSOR, n_frames=5)[1], axis=0)[0],
        "to_voxel_grid: bin 3 of 5": data.to_voxel_grid(clean, SENSOR, 5)[2],
        "time_surface: ON": data.time_surface(clean, SENSOR, tau=30_000.0)[1],
    }
    figure, axes = plt.subplots(3, 4, figsize=(9, 7), layout="constrained")
    for ax, (title, picture) in zip(axes.flat, panels.items(), strict=True):
        most = np.abs(picture).max()
        ax.imshow(picture, cmap="RdBu", vmin=-most, vmax=most)
        ax.set_title(title, fontsize=9)
        ax.set_xticks([])
        ax.set_yticks([])
    figure.savefig(FOLDER / "transforms.png", dpi=70)
    plt.close(figure)


if __name__ == "__main__":
    main()
