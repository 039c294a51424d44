"""How far spike trains are from each other."""

import inspect
from functools import cache

import numpy as np

from neurosim.analysis.checks import positive
from neurosim.analysis.pairs import matrix, over_population
from neurosim.analysis.spike_tiles import spike_distances
from neurosim.analysis.trains import Trains
from neurosim.checks import check_number
from neurosim.spikes import Spikes


def isi_distance(spikes: Spikes, *, threads: int | None = None) -> np.ndarray:
    r"""Return the ISI-distance of each pair of trains, float64, shape (size, size).

    D = 1/T \int_0^T |I_a(t) - I_b(t)| / max(I_a(t), I_b(t)) dt,

    where I(t) is the interval between the spikes around t: 0 for equal trains, 1 - r for regular ones whose rates have
    the ratio r < 1. Before the first spike I is the first interval, or the time since the window opened if that is
    longer; likewise at the end. A silent train has one interval, the window. NaN for neurons that nobody watched.

    Args:
        spikes: the trains, and the window T.
        threads: how many rows are worked on at once; by default one for each core.

    >>> from neurosim.spikes import Spikes
    >>> isi_distance(Spikes.from_trains([[1, 3, 5, 7, 9], [1, 5, 9]], duration=10.0))[0]
    array([0. , 0.5])

    Source: Kreuz, Haas, Morelli, Abarbanel, Politi, J. Neuroscience Methods 165 (2007) 151.
    """
    trains = Trains.of("isi_distance", spikes).with_edges
    return over_population(spikes, matrix("isi_distance", _isi, trains, threads=threads))


def spike_distance(spikes: Spikes, *, threads: int | None = None) -> np.ndarray:
    r"""Return the SPIKE-distance of each pair of trains, float64, shape (size, size).

    D = 1/T \int_0^T (S_a I_b + S_b I_a) / (2 <I>^2) dt,   S_a(t) = (d_P (t_F - t) + d_F (t - t_P)) / I_a,

    where t_P and t_F are the spikes of a around t, I_a = t_F - t_P, d_P and d_F how far from each the nearest spike of
    b is, and <I> = (I_a + I_b) / 2: 0 for equal trains. At the edges of the window, and for silent trains, intervals
    are those of `isi_distance`, and d is that of the spike inside. NaN for neurons that nobody watched.

    Args:
        spikes: the trains, and the window T.
        threads: how many rows are worked on at once; by default one for each core.

    >>> from neurosim.spikes import Spikes
    >>> spike_distance(Spikes.from_trains([[2.0, 4.0, 6.0], [2.0, 4.5, 6.0]], duration=8.0))[0].round(4)
    array([0.    , 0.0615])

    Source: Kreuz, Chicharro, Houghton, Andrzejak, Mormann, J. Neurophysiology 109 (2013) 1457; edges as in PySpike.
    """
    trains = Trains.of("spike_distance", spikes).with_edges
    return over_population(spikes, spike_distances(trains, threads))


def spike_synchronization(spikes: Spikes, *, window: float | None = None, threads: int | None = None) -> np.ndarray:
    r"""Return which share of the spikes of each pair of trains coincide, float64, shape (size, size).

    Two spikes coincide that come at one time, or closer together than half of each interval that begins or ends at
    one of them. 1 for equal trains and for two silent ones. NaN for neurons that nobody watched.

    Args:
        spikes: the trains; a half interval at an edge is half of the window.
        window: the longest time between two spikes that coincide, ms, > 0; by default there is no bound.
        threads: how many rows are worked on at once; by default one for each core.

    >>> from neurosim.spikes import Spikes
    >>> spike_synchronization(Spikes.from_trains([[1, 4, 7], [1.5, 5.9, 7]], duration=10.0))[0].round(4)
    array([1.    , 0.6667])

    Source: Kreuz, Mulansky, Bozanic, J. Neurophysiology 113 (2015) 3432.
    """
    trains = Trains.of("spike_synchronization", spikes, in_ticks=True)
    longest = trains.span / 2
    if window is not None:
        window = positive("spike_synchronization", "window", window)
        longest = min(longest, window if spikes.dt is None else round(window / spikes.dt, 6))
    return over_population(spikes, matrix("spike_synchronization", _coincident, trains, longest, diagonal=1.0,
                                          threads=threads))


def van_rossum(spikes: Spikes, tau: float, *, threads: int | None = None) -> np.ndarray:
    r"""Return the van Rossum distance of each pair of trains, float64, shape (size, size).

    D^2 = 2/tau \int_0^\infty (f_a - f_b)^2 dt,   f(t) = \sum_i exp(-(t - t_i) / tau) for t >= t_i,

    so that one spike is 1 away from silence. It counts all spikes for tau -> 0 and differences of rates for large tau.
    NaN for neurons that nobody watched.

    Args:
        spikes: the trains.
        tau: time constant, ms, > 0.
        threads: how many rows are worked on at once; by default one for each core.

    >>> from neurosim.spikes import Spikes
    >>> van_rossum(Spikes.from_trains([[1.0], [], [2.0]], duration=10.0), 1.0).round(4)
    array([[0.    , 1.    , 1.1244],
           [1.    , 0.    , 1.    ],
           [1.1244, 1.    , 0.    ]])

    Source: van Rossum, Neural Computation 13 (2001) 751; Houghton, Kreuz, Network 23 (2012) 48.
    """
    tau = positive("van_rossum", "tau", tau)
    trains = Trains.of("van_rossum", spikes)
    later = np.zeros((len(trains), len(trains)))
    ids = np.repeat(np.arange(len(trains)), np.diff(trains.first))
    order = np.argsort(trains.times, kind="stable")
    _overlaps()(trains.times[order], ids[order], tau, np.zeros(len(trains)), later)
    squares = later + later.T
    own = np.diff(trains.first) + squares.diagonal()
    for k, row in enumerate(squares):
        row *= -2
        row += own[k] + own
        row[row < 1e-5 * (own[k] + own)] = np.nan  # what a difference of large numbers does not tell is added up
    np.fill_diagonal(squares, 0.0)
    return np.sqrt(over_population(spikes, matrix("van_rossum", _apart, trains, tau, known=squares, threads=threads)))


def victor_purpura(spikes: Spikes, cost: float, *, threads: int | None = None) -> np.ndarray:
    """Return the Victor-Purpura distance of each pair of trains, float64, shape (size, size).

    It is what the cheapest way from one train to the other costs: 1 for a spike that is added or taken away,
    cost * |ms| for one that is moved. NaN for neurons that nobody watched.

    Args:
        spikes: the trains.
        cost: of moving a spike, 1/ms, >= 0. With 0 the distance is the difference of the numbers of spikes.
        threads: how many rows are worked on at once; by default one for each core.

    >>> from neurosim.spikes import Spikes
    >>> victor_purpura(Spikes.from_trains([[1.0, 4.0], [1.5]], duration=10.0), 1.0)[0]
    array([0. , 1.5])

    Source: Victor, Purpura, J. Neurophysiology 76 (1996) 1310.
    """
    cost = check_number("victor_purpura.cost", cost, "1/ms", at_least=0)
    trains = Trains.of("victor_purpura", spikes)
    return over_population(spikes, matrix("victor_purpura", _moved, trains, cost, threads=threads))


# ---- compiled bodies: what two trains give. Those with edges have one more time at each end -------------------------


def _places(a, b, in_a, in_b):
    """Note the interval of b that ends at or holds each spike of a, and the other way round.

    Who is next is chosen without a branch, which would be foreseen every second time.
    """
    n, m = len(a) - 2, len(b) - 2
    i = 0
    j = 0
    while i < n and j < m:
        in_b[i + 1] = j  # written anew until it is the spike's turn
        in_a[j + 1] = i
        step = np.int64(a[i + 1] <= b[j + 1])
        i += step
        j += 1 - step
    while i < n:
        in_b[i + 1] = m
        i += 1
    while j < m:
        in_a[j + 1] = n
        j += 1


def _isi(a, b, span, parameter, work, places):
    n, m = len(a) - 2, len(b) - 2
    in_b, in_a = places[:n + 2], places[n + 2:n + m + 4]
    _places(a, b, in_a, in_b)
    total = 0.0
    for k in range(1, n + 2):  # times that end at a spike of a, and at the end of the window
        j = in_b[k] if k <= n else m
        end = a[k] if k <= n else span
        one, other = a[k] - a[k - 1], b[j + 1] - b[j]
        total += (end - max(a[k - 1], b[j], 0.0)) * (abs(one - other) / max(one, other, 1e-60))
    for k in range(1, m + 1):  # times that end at a spike of b
        i = in_a[k]
        one, other = a[i + 1] - a[i], b[k] - b[k - 1]
        total += (b[k] - max(a[i], b[k - 1], 0.0)) * (abs(one - other) / max(one, other, 1e-60))
    return total / span


def _coincident(a, b, span, longest, work, places):
    n, m = len(a), len(b)
    if n + m == 0:
        return 1.0
    i = 0
    j = 0
    found = 0
    while i < n and j < m:
        near = 2.0 * longest
        if i > 0:
            near = min(near, a[i] - a[i - 1])
        if j > 0:
            near = min(near, b[j] - b[j - 1])
        if i < n - 1:
            near = min(near, a[i + 1] - a[i])
        if j < m - 1:
            near = min(near, b[j + 1] - b[j])
        apart = a[i] - b[j]
        if apart == 0 or abs(apart) < 0.5 * near:
            found += 2
            i += 1
            j += 1
        elif apart < 0:
            i += 1
        else:
            j += 1
    return found / (n + m)


def _moved(a, b, span, cost, work, places):
    n, m = len(a), len(b)
    if cost == 0.0:
        return float(abs(n - m))
    row = work[:m + 1]
    for j in range(m + 1):
        row[j] = j
    for i in range(n):
        corner = row[0]
        row[0] = i + 1.0
        left = row[0]
        for j in range(m):
            above = row[j + 1]
            left = min(left + 1.0, above + 1.0, corner + cost * abs(a[i] - b[j]))
            row[j + 1] = left
            corner = above
    return row[m]


def _apart(a, b, span, tau, work, places):
    """The square of van Rossum's distance as an integral of squares, from spike to spike."""
    n, m = len(a), len(b)
    i = 0
    j = 0
    last = 0.0
    apart = 0.0
    total = 0.0
    while i < n or j < m:
        mine = j >= m or (i < n and a[i] <= b[j])
        now = a[i] if mine else b[j]
        if now > last:
            left = np.exp((last - now) / tau)
            total += apart * apart * (1.0 - left * left)
            apart *= left
            last = now
        if mine:
            apart += 1.0
            i += 1
        else:
            apart -= 1.0
            j += 1
    return total + apart * apart


def _sum_overlaps(times, ids, tau, traces, later):
    """Add to later[k, l] exp(-(t_k - t_l) / tau) for every two spikes of which that of k is handled later."""
    begin = 0.0
    for s in range(len(times)):
        since = (times[s] - begin) / tau
        if since > 300.0:  # traces grow with time: before they are too large, they are taken down
            traces *= np.exp(-since)
            begin = times[s]
            since = 0.0
        up = np.exp(since)
        down = 1.0 / up
        k = ids[s]
        for l in range(len(traces)):
            later[k, l] += down * traces[l]
        traces[k] += up


@cache
def _overlaps():
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    text = inspect.getsource(_sum_overlaps).replace("def _sum_overlaps", "def main")
    return load_function("van_rossum", "import numpy as np\n" + text, {})
