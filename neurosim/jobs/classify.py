"""A liquid state machine with a linear readout, and the controls that belong beside it."""

from dataclasses import dataclass

import numpy as np

from neurosim.jobs.recordings import DT, EDGES, SENSOR, Recordings
from neurosim.readouts import Evaluation, evaluate, ridge, score
from neurosim.readouts.gram import GramRidge, gram
from neurosim.reservoirs import BinnedCounts, Liquid, NalsmLattice, OrientedInput

ALPHAS = np.logspace(-1.0, 4.0, 11)


@dataclass(frozen=True)
class Settings:
    """What the liquid and its readout are.

    Args:
        weight: size of the receptive fields' weights, mV.
        wavelength: shortest and longest wavelength of the fields, pixels.
        recurrence: weight within the liquid, mV, positive from excitatory and negative from inhibitory neurons.
        layers: number of 10 x 10 layers of the liquid's lattice; 10 are 1,000 neurons.
    """

    weight: float = 80.0
    wavelength: tuple[float, float] = (5.0, 12.0)
    recurrence: float = 0.5
    layers: int = 10


#: among these the training recordings choose
CANDIDATES = tuple(Settings(weight, wavelength, recurrence) for weight, wavelength, recurrence in (
    (40.0, (5.0, 12.0), 0.0), (80.0, (5.0, 12.0), 0.5), (80.0, (4.0, 10.0), 0.0), (160.0, (5.0, 12.0), 0.5)))


def liquid(settings: Settings, seed: int) -> Liquid:
    """Return the liquid: neurons with oriented receptive fields over the image, on the lattice of NALSM."""
    fields = OrientedInput(SENSOR, weight=settings.weight, wavelength=settings.wavelength)
    return Liquid(NalsmLattice((10, 10, settings.layers)), fields, excitation=settings.recurrence,
                  inhibition=-settings.recurrence, dt=DT, seed=seed)


def features(duration: float) -> BinnedCounts:
    """Return the feature map: how often each neuron spiked in each of the three saccades."""
    return BinnedCounts(edges=[*EDGES, duration])


def readout():
    """Return the readout: ridge regression on square roots of counts."""
    return ridge(ALPHAS, scale=False, root=True)


def choosing_readout(features) -> GramRidge:
    """Return the same readout over several sets of features, of which the data that it is fitted to choose one.

    Args:
        features: one array of shape (samples, features) for each liquid. The readout is given numbers of samples.
    """
    return GramRidge([gram(each, root=True) for each in features], ALPHAS)


def numbers(n: int) -> np.ndarray:
    """Return the numbers of n samples, as that readout takes them."""
    return np.arange(n)[:, None]


def event_counts(recordings: Recordings) -> np.ndarray:
    """Return how many events each channel has, shape (recordings, channels): the plainest features."""
    width, height, polarities = SENSOR
    channels = [(found["p"].astype(np.int64) * height + found["y"]) * width + found["x"] for found in recordings.events]
    return np.stack([np.bincount(c, minlength=width * height * polarities) for c in channels]).astype(np.float32)


def binned_events(samples, duration: float) -> np.ndarray:
    """Return the input spikes of each channel in each saccade: what the liquid's features are made from."""
    return np.stack([features(duration).vector(spikes) for spikes in samples])


def rectified(liquid: Liquid, binned: np.ndarray) -> np.ndarray:
    """Return the input weights followed by a static rectifier, without spikes: the control for the liquid.

    Args:
        liquid: whose input weights are used.
        binned: input spikes by saccade, shape (recordings, 3 * channels).
    """
    parts = np.split(binned, len(EDGES) + 1, axis=1)
    return np.concatenate([np.maximum(part @ liquid.input_weights, 0.0) for part in parts], axis=1).astype(np.float32)


def split_score(X, recordings: Recordings, model=None) -> Evaluation:
    """Train on the training recordings and evaluate on the test recordings."""
    n = recordings.n_train
    model = (readout() if model is None else model).fit(X[:n], recordings.labels[:n])
    return score(model, X[n:], recordings.labels[n:], n)


def cross_validated(X, labels, seed: int, model=None) -> Evaluation:
    """Cross-validate a readout in five folds."""
    return evaluate(readout() if model is None else model, X, labels, seeds=[seed])
