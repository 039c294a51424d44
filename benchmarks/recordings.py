"""The real data that is measured with, below NEUROSIM_DATA: recordings of N-MNIST, and images of MNIST as spikes."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cases import DIGITS, Case

SENSOR = (34, 34, 2)


class Absent(Exception):
    """What a case needs is not there; the message says what."""


def root(case: str) -> Path:
    """Return the folder or zip file of N-MNIST."""
    import neurosim as ns

    found = ns.datasets.NMNIST.below(os.environ.get("NEUROSIM_DATA"))
    if found is not None:
        return found
    raise Absent(f"{case} needs recordings of N-MNIST: set NEUROSIM_DATA to a folder that holds nmnist/")


@dataclass(frozen=True)
class Wanted:
    """How many recordings, and how many ms of each."""

    name: str
    samples: int
    sample_ms: float


def samples(case: Case | Wanted) -> list:
    """Return the first 300 ms of recordings from all digits as `Spikes` at a tick of 1 ms.

    A channel spikes once in a tick at most, which is all that Brian2 and dense rasters can say.
    """
    import neurosim as ns

    dataset = ns.datasets.NMNIST(root(case.name), train=True)
    rows = np.sort(np.random.default_rng(0).permutation(len(dataset))[:case.samples])
    loaded = dataset.select(rows).load_all()
    found = []
    for events in np.split(loaded.events, loaded.offsets[1:-1]):
        early = events[events["t"] < (case.sample_ms - 1) * 1000]
        spikes = ns.datasets.to_spikes(early, SENSOR, dt=1.0, duration=case.sample_ms)
        once = np.unique(spikes.ticks * spikes.size + spikes.ids)
        found.append(spikes.replace(ticks=once // spikes.size, ids=once % spikes.size))
    return found


def digits(case: Case) -> list:
    """Return images of MNIST as Poisson `Spikes` at a tick of 1 ms, each followed by silence."""
    import neurosim as ns

    folder = Path(os.environ.get("NEUROSIM_DATA", "")) / "mnist"
    names = [folder / f"train-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]
    if not all(name.is_file() for name in names):
        raise Absent(f"{case.name} needs the images of MNIST: set NEUROSIM_DATA to a folder that holds mnist/")
    images = ns.datasets.MNIST(*names).images[:case.samples].reshape(case.samples, -1)
    rng = np.random.default_rng(0)
    found = []
    for image in images:
        at, ids = np.nonzero(rng.random((round(DIGITS["shown"]), image.size)) < image * (DIGITS["white"] * 1e-3 / 255))
        found.append(ns.Spikes(ticks=at + 1, ids=ids, size=image.size, dt=1.0, duration=case.sample_ms))
    return found


def one_after_another(samples, last: float) -> tuple:
    """Return times, in ms, and ids of all spikes of samples that follow each other every so many ms."""
    times = np.concatenate([np.zeros(0), *(sample.times + k * last for k, sample in enumerate(samples))])
    return times, np.concatenate([np.zeros(0, int), *(sample.ids for sample in samples)])


def events_of(samples, reached) -> float:
    """Return how many synaptic events samples cause where each input reaches some neurons."""
    return float(sum(reached[sample.ids].sum() for sample in samples))
