"""How much trains and signals have in common: of counts, of spikes within a window, and by frequency."""

import math

import numpy as np

from neurosim.analysis.checks import check_room, positive, recording
from neurosim.analysis.pairs import matrix, over_population
from neurosim.analysis.trains import Trains
from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


def correlation(spikes: Spikes, width: float) -> np.ndarray:
    """Return the correlation coefficient of the binned counts of each pair of neurons, float64, shape (size, size).

    Cov(n_a, n_b) / sqrt(Var(n_a) Var(n_b)): 1 for counts in proportion, 0 on average for independent ones. NaN for
    neurons whose counts never differ or that nobody watched.

    Args:
        spikes: the trains.
        width: of a bin, ms, > 0; a last bin that would be shorter is left out.

    >>> from neurosim.spikes import Spikes
    >>> correlation(Spikes.from_trains([[1, 6], [2, 5], [3, 4]], duration=8.0), 2.0)[0].round(4)
    array([ 1.    ,  1.    , -0.5774])
    """
    spikes = recording("correlation", spikes)
    check_room("correlation", spikes.size**2)
    counts = _counts("correlation", spikes, width).astype(np.float64)
    counts -= counts.mean(axis=0)
    counts /= np.where(power := np.sqrt((counts**2).sum(axis=0)), power, np.nan)
    return over_population(spikes, np.clip(counts.T @ counts, -1.0, 1.0))


def sttc(spikes: Spikes, window: float, *, threads: int | None = None) -> np.ndarray:
    """Return the spike time tiling coefficient of each pair of trains, float64, shape (size, size).

    ((P_a - T_b) / (1 - P_a T_b) + (P_b - T_a) / (1 - P_b T_a)) / 2, where P_a is the share of the spikes of a within
    `window` of a spike of b, and T_b the share of the time that is within `window` of a spike of b: 1 for equal trains,
    0 on average for independent ones, whatever their rates. NaN for silent neurons and those that nobody watched.

    Args:
        spikes: the trains.
        window: ms, > 0.
        threads: how many rows are worked on at once; by default one for each core.

    >>> from neurosim.spikes import Spikes
    >>> sttc(Spikes.from_trains([[10, 50], [11, 80]], duration=100.0), 2.0)[0].round(4)
    array([1.    , 0.4375])

    Source: Cutts, Eglen, J. Neuroscience 34 (2014) 14288.
    """
    window = positive("sttc", "window", window)
    trains = Trains.of("sttc", spikes)
    found = matrix("sttc", _tiling, trains, window, diagonal=1.0, threads=threads)
    silent = np.diff(trains.first) == 0
    found[silent] = np.nan
    return over_population(spikes, found)


def synchrony(signals, width: float | None = None) -> float:
    r"""Return Golomb's measure of synchrony, chi: how much of what neurons do the whole population does.

    chi^2 = Var_t(<x(t)>) / <Var_t(x_k)>, where <> is the mean over neurons: 1 where all do the same, 1/sqrt(N) where
    they are independent. NaN where nothing varies.

    Args:
        signals: `Spikes`, of which counts in bins are taken; or traces such as potentials, shape (times, neurons).
        width: of a bin, ms, > 0, for spikes.

    >>> from neurosim.spikes import Spikes
    >>> synchrony(Spikes.from_trains([[1, 6], [2, 5]], duration=8.0), 2.0)
    1.0

    Source: Golomb, Rinzel, Physica D 72 (1994) 259.
    """
    if isinstance(signals, Spikes):
        values = _counts("synchrony", signals, width).astype(np.float64)
    else:
        values = _array("synchrony.signals", signals, 2, "Spikes, or traces of shape (times, neurons)")
        if width is not None:
            raise ParameterError("synchrony.width must be None for traces, which have bins of their own")
    each = values.var(axis=0).mean() if values.size else 0.0
    return math.sqrt(values.mean(axis=1).var() / each) if each else math.nan


def coherence(one, other, *, width: float = 1.0, segment: float = 1000.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the magnitude-squared coherence of two signals at each frequency, by Welch's method.

    C(f) = |P_xy(f)|^2 / (P_xx(f) P_yy(f)): 1 where one is a filtered copy of the other, about 1 / (number of
    independent segments) where they have nothing in common. NaN where a signal has no power.

    Args:
        one, other: `Spikes`, of all of whose neurons the counts are taken together; or a signal that was sampled once
            in each bin, such as a potential or a stimulus, shape (bins,).
        width: ms from one value to the next, > 0.
        segment: length of the segments, which have Hann windows and overlap by half, ms: frequencies are
            1000 / segment Hz apart.

    Returns:
        Frequencies in Hz, and the coherence, both of shape (segment / width / 2 + 1,).

    Raises:
        ParameterError: the signals differ in length, or are shorter than two segments.

    >>> import numpy as np
    >>> noise = np.random.default_rng(1).normal(size=8000)
    >>> frequencies, found = coherence(noise, np.roll(noise, 3))
    >>> frequencies[:3], float(found.mean().round(2))
    (array([0., 1., 2.]), 1.0)

    Source: Welch, IEEE Transactions on Audio and Electroacoustics 15 (1967) 70.
    """
    from scipy.signal import coherence as welch

    width = positive("coherence", "width", width)
    x, y = (_signal(each, width) for each in (one, other))
    length = round(positive("coherence", "segment", segment) / width)
    if len(x) != len(y):
        raise ParameterError(f"coherence must have two signals of one length, got {len(x)} and {len(y)} bins")
    if length < 4 or len(x) < 2 * length:
        raise ParameterError(f"coherence.segment must hold 4 bins or more, and the signals two segments, got {length} "
                             f"bins for signals of {len(x)}")
    with np.errstate(invalid="ignore", divide="ignore"):
        return welch(x, y, fs=1000.0 / width, nperseg=length)


def _signal(what, width) -> np.ndarray:
    if isinstance(what, Spikes):
        return what.bin(width)[:int(what.duration / width * (1 + 1e-12))].astype(np.float64)
    return _array("coherence", what, 1, "Spikes, or a signal of shape (bins,)")


def _array(name, what, axes, kind) -> np.ndarray:
    try:
        array = np.asarray(what, np.float64)
    except (TypeError, ValueError):
        array = np.empty((0,) * (axes + 1))
    if array.ndim != axes or not np.isfinite(array).all():
        raise ParameterError(f"{name} must be {kind}, of finite numbers, got {describe_value(what)}")
    return array


def _counts(owner, spikes, width) -> np.ndarray:
    """Counts of the watched neurons in bins of full width, shape (bins, neurons)."""
    if width is None:
        raise ParameterError(f"{owner}.width must be the width of a bin in ms, got None")
    width = positive(owner, "width", width)
    spikes = spikes.watched_only()
    return spikes.bin(width, per_neuron=True)[:int(spikes.duration / width * (1 + 1e-12))]


def _tiling(a, b, span, window, work, places):
    if len(a) == 0 or len(b) == 0:
        return np.nan
    total = 0.0
    for turn in range(2):
        x, y = (a, b) if turn == 0 else (b, a)
        near = 0
        j = 0
        for i in range(len(x)):
            while j < len(y) - 1 and y[j + 1] <= x[i]:
                j += 1
            apart = abs(x[i] - y[j])
            if j < len(y) - 1:
                apart = min(apart, abs(y[j + 1] - x[i]))
            if apart <= window * (1.0 + 1e-9):  # ticks times dt are a little beside multiples
                near += 1
        covered = 0.0
        until = 0.0
        for j in range(len(y)):
            covered += max(0.0, min(y[j] + window, span) - max(y[j] - window, until))
            until = max(until, min(y[j] + window, span))
        share, tiled = near / len(x), covered / span
        total += 0.5 if share * tiled >= 1.0 else 0.5 * (share - tiled) / (1.0 - share * tiled)
    return total
