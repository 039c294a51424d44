"""How regular trains are: from one interval to the next, and from count to count."""

import numpy as np

from neurosim.analysis.checks import positive, recording, recordings
from neurosim.checks import check_number
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


def cv2(spikes: Spikes) -> np.ndarray:
    r"""Return the local coefficient of variation of the intervals of each neuron, shape (size,).

    CV2 = < 2 |I_{k+1} - I_k| / (I_{k+1} + I_k) >: 0 for a regular train, 1 for a Poisson process, and unlike
    `Spikes.cv` hardly more where the rate drifts. NaN for neurons with fewer than 3 spikes.

    >>> from neurosim.spikes import Spikes
    >>> cv2(Spikes.from_trains([[1, 2, 4, 5], [1, 2, 3]], duration=6.0)).round(4)
    array([0.6667, 0.    ])

    Source: Holt, Softky, Koch, Douglas, J. Neurophysiology 75 (1996) 1806.
    """
    before, after, ids = _successive("cv2", spikes)
    return _mean(2 * np.abs(after - before) / (after + before), ids, spikes.size)


def lv(spikes: Spikes, *, refractory: float = 0.0) -> np.ndarray:
    r"""Return the local variation of the intervals of each neuron, shape (size,).

    LV = 3 < ((I_{k+1} - I_k) / (I_{k+1} + I_k))^2 >: 0 for a regular train, 1 for a Poisson process. NaN for neurons
    with fewer than 3 spikes.

    Args:
        spikes: the trains.
        refractory: R in ms, >= 0; with it the mean is of (1 - 4 I_k I_{k+1} / (I_k + I_{k+1})^2)
            (1 + 4 R / (I_k + I_{k+1})), which is LvR.

    >>> from neurosim.spikes import Spikes
    >>> lv(Spikes.from_trains([[1, 2, 4, 5], [1, 2, 3]], duration=6.0)).round(4)
    array([0.3333, 0.    ])

    Source: Shinomoto, Shima, Tanji, Neural Computation 15 (2003) 2823; with R: Shinomoto et al., PLoS Computational
    Biology 5 (2009) e1000433.
    """
    refractory = check_number("lv.refractory", refractory, "ms", at_least=0)
    before, after, ids = _successive("lv", spikes)
    both = before + after
    return 3 * _mean(((after - before) / both) ** 2 * (1 + 4 * refractory / both), ids, spikes.size)


def fano(spikes, width: float | None = None) -> np.ndarray:
    """Return the Fano factor of each neuron, the variance of its counts over their mean, shape (size,).

    1 for a Poisson process, 0 for counts that are always alike. The variance has the divisor n. NaN for neurons that
    are silent or that nobody watched.

    Args:
        spikes: trials, a list of `Spikes` whose counts are compared; or one recording, cut into windows.
        width: of these windows, ms, > 0; the rest behind the last whole one is left out.

    >>> from neurosim.spikes import Spikes
    >>> trials = [Spikes.from_trains([train], duration=9.0) for train in ([1.0], [2.0, 3.0, 4.0])]
    >>> fano(trials)
    array([0.5])
    >>> fano(Spikes.from_trains([[1.0, 4.0, 5.0, 6.0]], duration=6.0), width=3.0)
    array([0.5])
    """
    if width is None:
        counts = np.stack([each.counts() for each in recordings("fano", spikes)])
    else:
        whole = recording("fano", spikes)
        counts = whole.bin(positive("fano", "width", width), per_neuron=True)
        counts = counts[:int(whole.duration / width * (1 + 1e-12))]
    if len(counts) < 2:
        raise ParameterError(f"fano must have two {'trials' if width is None else 'windows'} or more to compare, "
                             f"got {len(counts)}")
    with np.errstate(invalid="ignore", divide="ignore"):
        return counts.var(axis=0) / counts.mean(axis=0)


def _successive(owner, spikes) -> tuple:
    """Return each two intervals that follow each other, and the neuron of each; two of no length are left out."""
    steps, ids = recording(owner, spikes).isi()
    same = (ids[1:] == ids[:-1]) & (steps[1:] + steps[:-1] > 0)
    return steps[:-1][same], steps[1:][same], ids[1:][same]


def _mean(values, ids, size) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.bincount(ids, values, size) / np.bincount(ids, minlength=size)
