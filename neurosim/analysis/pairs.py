"""Square matrices of what compares two spike trains, in compiled loops on all cores."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from neurosim import machine
from neurosim.analysis.checks import check_room
from neurosim.analysis.trains import Trains
from neurosim.checks import check_whole
from neurosim.spikes import Spikes

ROWS = 16  #: in one piece of work


def matrix(owner: str, body, trains: Trains, parameter: float = 0.0, *, diagonal: float = 0.0,
           known: np.ndarray | None = None, threads: int | None = None) -> np.ndarray:
    """Return what a body gives for each pair of trains, float64, shape (trains, trains), symmetric.

    Args:
        owner: the measure's name, for messages.
        body: compiled function (a, b, span, parameter, work, places) -> number of the times of two trains, with arrays
            of numbers and of whole numbers to work in.
        trains: all trains.
        parameter: of the measure.
        diagonal: what a train and itself give.
        known: matrix of what is known already, with NaN where the body is asked.
        threads: how many rows are worked on at once; by default one for each core.
    """
    threads = machine.cores() if threads is None else check_whole(f"{owner}.threads", threads, at_least=1)
    many = len(trains)
    check_room(owner, many * many)
    if known is None:
        known = np.full((many, many), np.nan)
        np.fill_diagonal(known, diagonal)
    loop, room = compiled(body), 2 * trains.longest + 2

    def rows(low):
        loop(trains.times, trains.first, trains.span, parameter, low, min(low + ROWS, many), np.empty(room),
             np.empty(room, np.int64), known)

    with ThreadPoolExecutor(min(threads, max(1, many // ROWS))) as pool:
        list(pool.map(rows, range(0, many, ROWS)))
    return known


def over_population(spikes: Spikes, found: np.ndarray) -> np.ndarray:
    """Return a matrix of the watched neurons as one of all, with NaN for those that nobody watched."""
    if spikes.watched is None:
        return found
    whole = np.full((spikes.size, spikes.size), np.nan)
    whole[np.ix_(spikes.watched, spikes.watched)] = found
    return whole


def _each(times, first, span, parameter, low, high, work, places, out):
    for i in range(low, high):
        a = times[first[i]:first[i + 1]]
        for j in range(i + 1, len(first) - 1):
            if np.isnan(out[i, j]):
                out[i, j] = body(a, times[first[j]:first[j + 1]], span, parameter, work, places)  # noqa: F821  # pyright: ignore
            out[j, i] = out[i, j]


@cache
def compiled(body):
    """Return the loop over pairs around a body."""
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    text = "import numpy as np\n" + inspect.getsource(_each).replace("def _each", "def main")
    return load_function(f"pairs{body.__name__}", text, {"body": body})
