"""How often one neuron fires at which time after another."""

import inspect
from functools import cache

import numpy as np

from neurosim.analysis.checks import check_room, positive, recording
from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


def correlogram(source: Spikes, target: Spikes | None = None, *, pairs=None, reach: float = 50.0, width: float = 1.0,
                relative: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return at which lags spikes of `target` follow spikes of `source`: a cross-correlogram.

    Bin k holds the pairs of spikes with a lag, time of the target minus time of the source, in
    [k width - width/2, k width + width/2). With ticks a lag lies on no edge where the width is an odd number of them.

    Args:
        source: spikes of all its neurons are taken together; for single neurons give `spikes.select([3])`, or pairs.
        target: likewise; by default those of `source`, and every two different neurons are compared.
        pairs: neurons of source and target, integers of shape (n, 2): each pair gets a correlogram of its own.
        reach: longest lag, ms, >= width: bins from -k to k = reach / width, rounded down.
        width: of a bin, ms, > 0.
        relative: whether counts are divided by those that are expected of independent trains of the same rates, which
            for each lag are n_source n_target width (T - |lag|) / T^2: 1 means chance.

    Returns:
        Lags in ms at the middles of the bins, shape (bins,), and counts, float64, shape (bins,) or (n, bins).

    Raises:
        ParameterError: the recordings differ in window or dt, or an argument does not fit.

    >>> from neurosim.spikes import Spikes
    >>> a = Spikes(ticks=[10, 50], ids=[0, 0], size=1, duration=100.0, dt=1.0)
    >>> b = Spikes(ticks=[12, 51], ids=[0, 0], size=1, duration=100.0, dt=1.0)
    >>> correlogram(a, b, reach=2.0)
    (array([-2., -1.,  0.,  1.,  2.]), array([0., 0., 0., 1., 1.]))

    Source: Perkel, Gerstein, Moore, Biophysical Journal 7 (1967) 419.
    """
    source = recording("correlogram", source)
    target = source if target is None else recording("correlogram", target)
    for name in ("start", "duration", "dt"):
        if getattr(source, name) != getattr(target, name):
            raise ParameterError(f"correlogram.target must have the {name} of the source, {getattr(source, name)!r}, "
                                 f"got {getattr(target, name)!r}")
    width, each, many = _bins(source, reach, width)
    if pairs is None:
        counts = _of_all(source, target, each, many)
    else:
        pairs = _checked(pairs, source, target)
        counts = _of_pairs(source, target, pairs, each, many)
    lags = np.arange(-many, many + 1) * width
    if relative:
        counts = counts / _expected(source, target, pairs, lags, width)
    return lags, counts


def autocorrelogram(spikes: Spikes, *, reach: float = 50.0, width: float = 1.0,
                    relative: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return at which lags spikes of each neuron follow others of its own: lags, and counts of shape (size, bins).

    A spike and itself do not count. Arguments are those of `correlogram`, of which it is the pairs of each neuron and
    itself; neurons that nobody watched have NaN.

    >>> from neurosim.spikes import Spikes
    >>> spikes = Spikes(ticks=[10, 12], ids=[0, 0], size=1, duration=100.0, dt=1.0)
    >>> autocorrelogram(spikes, reach=2.0)[1]
    array([[1., 0., 0., 0., 1.]])
    """
    ids = np.arange(recording("autocorrelogram", spikes).size)
    return correlogram(spikes, pairs=np.stack([ids, ids], axis=1), reach=reach, width=width, relative=relative)


def _bins(spikes, reach, width) -> tuple:
    """Width in ms, width in the unit of the stamps, and how many bins there are on each side of 0."""
    width = positive("correlogram", "width", width)
    if spikes.dt is not None:
        ticks = round(width / spikes.dt)
        if ticks < 1 or abs(width / spikes.dt - ticks) > 1e-6:
            raise ParameterError(f"correlogram.width must be a multiple of dt = {spikes.dt:g} ms, got {width:g}")
    many = positive("correlogram", "reach", reach) / width
    if many < 1 or many > 1e7:
        raise ParameterError(f"correlogram.reach must be 1 to 1e7 widths of {width:g} ms, got {reach:g} ms")
    return width, (width if spikes.dt is None else float(ticks)), int(many * (1 + 1e-12))


def _checked(pairs, source, target) -> np.ndarray:
    array = np.asarray(pairs)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise ParameterError("correlogram.pairs must be integers of shape (n, 2), a neuron of the source and one of "
                             f"the target, got {describe_value(pairs)}")
    if array.size and (array.min() < 0 or (array >= [source.size, target.size]).any()):
        raise ParameterError(f"correlogram.pairs must be neurons in 0 .. {source.size - 1} and 0 .. {target.size - 1}")
    return array.astype(np.int64)


def _stamps(spikes) -> np.ndarray:
    """Ticks or ms since the window opened."""
    return (spikes.times - spikes.start if spikes.dt is None
            else (spikes.ticks - round(spikes.start / spikes.dt)).astype(np.float64))


def _of_all(source, target, width, many) -> np.ndarray:
    counts = np.zeros((1, 2 * many + 1))
    whole = [np.array([0, len(each)]) for each in (source, target)]
    _loop()(_stamps(source), _stamps(target), source.ids, target.ids, *whole, np.zeros((1, 2), np.int64),
            source is target, False, width, many, counts)
    return counts[0]


def _of_pairs(source, target, pairs, width, many) -> np.ndarray:
    check_room("correlogram", len(pairs) * (2 * many + 1))
    counts = np.zeros((len(pairs), 2 * many + 1))
    lists = []
    for each in (source, target):
        order = np.argsort(each.ids, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(each.ids, minlength=each.size))])
        lists.append((_stamps(each)[order], each.ids[order], first))
    (a, ids_a, first_a), (b, ids_b, first_b) = lists
    _loop()(a, b, ids_a, ids_b, first_a, first_b, pairs, False, source is target, width, many, counts)
    for column, each in ((0, source), (1, target)):
        if each.watched is not None:
            counts[~np.isin(pairs[:, column], each.watched)] = np.nan
    return counts


def _expected(source, target, pairs, lags, width) -> np.ndarray:
    """Counts of independent trains; those of all pairs together leave out a neuron and itself where they are alike."""
    a, b = source.counts(), target.counts()
    if pairs is None:
        both = np.nansum(a) * np.nansum(b) - (np.nansum(a * b) if source is target else 0)
    else:
        both = (a[pairs[:, 0]] * b[pairs[:, 1]])[:, None]
    share = width * np.maximum(source.duration - np.abs(lags), 0.0) / source.duration**2
    expected = np.asarray(both * share, np.float64)
    return np.where(expected > 0, expected, np.nan)


def _count(a, b, ids_a, ids_b, first_a, first_b, pairs, unlike, itself, width, many, counts):
    furthest = (many + 0.5) * width
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        low, end = first_b[j], first_b[j + 1]
        for s in range(first_a[i], first_a[i + 1]):
            while low < end and b[low] - a[s] < -furthest:
                low += 1
            for t in range(low, end):
                lag = b[t] - a[s]
                if lag >= furthest:
                    break
                if (unlike and ids_a[s] == ids_b[t]) or (itself and i == j and s == t):
                    continue
                counts[p, many + int(np.floor((2.0 * lag + width) / (2.0 * width)))] += 1.0


@cache
def _loop():
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    text = inspect.getsource(_count).replace("def _count", "def main")
    return load_function("correlogram", "import numpy as np\n" + text, {})
