"""How fast this machine moves bytes, and how many bytes a case must move at least.

The model: a tick reads and writes every number of every neuron's state and input buffers once, and an event reads its
synapse once (target, and weight where each synapse has its own; a weight that learns is also written). Adding to the
input buffer, which stays in the cache, spikes, drives and all arithmetic count nothing. State moves as in a triad over
arrays as large as one thread's state, synapses as in reading arrays as large as one thread's synapses. The time that
this takes is the bound, and its share of the time that a case took says how near to it the case came.
"""

import threading
import time

import numpy as np

from benchmarks.cases import Case

_TRIAD = """
def main(a, b, c, rounds):
    for r in range(rounds):
        scale = np.float32(r)
        for i in range(a.size):
            a[i] = b[i] + scale * c[i]
"""
_READ = """
def main(a, rounds):
    found = np.uint64(0)
    for r in range(rounds):
        turn = np.uint64(r)
        for i in range(a.size):
            found ^= a[i] + turn
    return found
"""
MOVED = 2e8  #: bytes of one measurement at least
LARGEST = 1 << 28  #: bytes of an array; more is slower only by rounding


def _functions():
    from neurosim.engine import loader

    return (loader.load_function("triad", "import numpy as np\n" + _TRIAD, {}),
            loader.load_function("read", "import numpy as np\n" + _READ, {}))


def measure(state: float, synapses: float, threads: int) -> dict:
    """Return bytes per second, of all threads together, for working sets of some bytes.

    Args:
        state: bytes of the state that all threads own together.
        synapses: bytes of all synapses.
        threads: how many move bytes at once.
    """
    from neurosim.engine.kernel import aligned

    triad, read = _functions()
    triad(*np.zeros((3, 16), np.float32), 1)
    read(np.zeros(16, np.uint64), 1)
    n = max(64, int(min(state, LARGEST) / threads / 12))
    arrays = [[aligned(0, n, np.float32) for _ in range(3)] for _ in range(threads)]
    rounds = max(1, round(MOVED / (12 * n)))
    moved = _rate(lambda k: triad(*arrays[k], rounds), threads, 12 * n * rounds)
    n = max(64, int(min(synapses, LARGEST) / threads / 8))
    lists = [np.zeros(n, np.uint64) for _ in range(threads)]
    rounds_read = max(1, round(MOVED / (8 * n)))
    return {"triad": moved, "read": _rate(lambda k: read(lists[k], rounds_read), threads, 8 * n * rounds_read)}


def _rate(work, threads, size) -> float:
    """Return the best of five turns, bytes per second."""
    best = np.inf
    for _ in range(5):
        workers = [threading.Thread(target=work, args=(k,)) for k in range(1, threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        work(0)
        for worker in workers:
            worker.join()
        best = min(best, time.perf_counter() - began)
    return threads * size / best


def _real(dtype):
    return 8 if dtype == "float64" else 4


def synapse_bytes(case: Case, dtype: str) -> float:
    """Return the bytes that an event reads and writes."""
    if dtype == "packed":
        return 4.0
    real = _real(dtype)
    # of the synapses of a network with two populations, those among the first learn
    sizes = {"target": 2, "weight": real, "learned": 2 * real * case.n[0] ** 2 / sum(case.n) ** 2}
    return sum(sizes[part] for part in case.synapse)


def working_sets(case: Case, dtype: str) -> tuple[float, float]:
    """Return the bytes of all state and of all synapses."""
    synapses = sum(n * k for n, k in zip(case.n, case.fan_out, strict=True))
    return sum(case.n) * case.variables * _real(dtype), synapses * synapse_bytes(case, dtype)


def bound(case: Case, dtype: str, events: float, ms: float, speed: dict) -> float:
    """Return the seconds that moving the bytes of a run takes."""
    state, _ = working_sets(case, dtype)
    return 2 * state * ms / case.dt / speed["triad"] + events * synapse_bytes(case, dtype) / speed["read"]
