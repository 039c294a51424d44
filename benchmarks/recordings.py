"""The real recordings that the liquid is measured with: N-MNIST below NEUROSIM_DATA."""

import os
from pathlib import Path

import numpy as np

from benchmarks.cases import LSM, liquid_weights

SENSOR = (34, 34, 2)


class Absent(Exception):
    """What a case needs is not there; the message says what."""


def root() -> Path:
    """Return the folder or zip file of N-MNIST."""
    data = os.environ.get("NEUROSIM_DATA")
    for folder in (Path(data) / name for name in ("nmnist", "N-MNIST") if data):
        if (folder / "Train").is_dir() or (folder / "Train.zip").is_file():
            return folder
        if zips := sorted(folder.glob("*.zip")):
            return zips[0]
    raise Absent("lsm needs recordings of N-MNIST: set NEUROSIM_DATA to a folder that holds nmnist/")


def samples(n: int | None = None) -> list:
    """Return the first 300 ms of recordings from all digits as `Spikes` at a tick of 1 ms.

    A channel spikes once in a tick at most, which is all that Brian2 and dense rasters can say.
    """
    import neurosim as ns

    n = LSM["recordings"] if n is None else n
    dataset = ns.datasets.NMNIST(root(), train=True)
    rows = np.sort(np.random.default_rng(0).permutation(len(dataset))[:n])
    loaded = dataset.select(rows).load_all()
    found = []
    for events in np.split(loaded.events, loaded.offsets[1:-1]):
        early = events[events["t"] < (LSM["ms"] - 1) * 1000]
        spikes = ns.datasets.to_spikes(early, SENSOR, dt=1.0, duration=LSM["ms"])
        once = np.unique(spikes.ticks * spikes.size + spikes.ids)
        found.append(spikes.replace(ticks=once // spikes.size, ids=once % spikes.size))
    return found


def events_of(samples) -> float:
    """Return how many synaptic events recordings cause in the liquid."""
    reached = np.count_nonzero(liquid_weights()[0], axis=1)
    return float(sum(reached[sample.ids].sum() for sample in samples))
