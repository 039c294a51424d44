"""Where the recordings of a classification come from."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from neurosim.errors import ParameterError
from neurosim.spikes import Spikes

SENSOR = (34, 34, 2)
DT = 1.0  #: ms
EDGES = (105.0, 210.0)  #: ms, where one saccade ends and the next begins


@dataclass(frozen=True)
class Recordings:
    """Labelled event recordings of one camera.

    Args:
        events: one structured array with x, y, t, p for each recording.
        labels: one for each.
        n_train: the first so many are for training, the others for testing.
        duration: ms.
        source: where they are from, a sentence for the summary.
    """

    events: list
    labels: np.ndarray
    n_train: int
    duration: float
    source: str

    def spikes(self) -> list[Spikes]:
        """Return each recording as spikes of 34 x 34 x 2 channels."""
        from neurosim.datasets import to_spikes

        return [to_spikes(events, SENSOR, dt=DT, duration=self.duration) for events in self.events]


def digits(seed: int, n: int | None = None) -> Recordings:
    """Return scikit-learn's handwritten digits as an event camera sees them in three saccades.

    Args:
        seed: of the order of the digits and of the camera's noise.
        n: how many; all 1,797 by default. A quarter is for testing.
    """
    from sklearn.datasets import load_digits

    from neurosim.encoders import saccade_recordings

    images, labels = cast("tuple[np.ndarray, np.ndarray]", load_digits(return_X_y=True))
    order = np.random.default_rng(seed).permutation(len(labels))[:n]
    events = saccade_recordings(images[order].reshape(-1, 8, 8) / 16.0, seed=seed, keys=order)
    source = "handwritten digits of scikit-learn, moved before the event-camera model in the saccades of N-MNIST"
    return Recordings(events, labels[order], len(order) - len(order) // 4, 316.0, source)


def nmnist(path) -> Recordings:
    """Return N-MNIST recordings from their official files: those of Train, then those of Test.

    Args:
        path: the folder or zip file, as for `neurosim.datasets.NMNIST`.
    """
    from neurosim.datasets import NMNIST

    parts = [NMNIST(path, train=True), NMNIST(path, train=False)]
    events = [events for part in parts for events, _ in part]
    labels = np.concatenate([part.labels for part in parts])
    last = max(int(found["t"][-1]) for found in events if len(found))
    if len(parts[0]) < 100:
        raise ParameterError(f"N-MNIST must have at least 100 training recordings, got {len(parts[0])} in {path}")
    duration = float(np.ceil(last / 1000.0) + 1.0)
    return Recordings(events, labels, len(parts[0]), duration, "N-MNIST recordings, official files")
