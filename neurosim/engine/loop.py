"""The loop that runs every network: at each tick, call the kernels of this thread in their order.

Threads meet at a barrier once in every `window` ticks, the shortest delay: what one emits within a
window reaches another only in a later one. A waiting thread spins briefly and then yields its core.
"""

import multiprocessing
import os
import threading
from contextlib import contextmanager
from functools import cache

import numpy as np

from neurosim.engine import intrinsics, loader

_TEXT = '''
from numba import njit


@njit(nogil=True)
def wait(meeting, n_threads):
    turn = atomic_load(meeting + 64)
    if atomic_add(meeting, 1) == n_threads - 1:
        atomic_add(meeting, -n_threads)
        atomic_add(meeting + 64, 1)
        return
    spins = 0
    while atomic_load(meeting + 64) == turn:
        spins += 1
        if spins > 2000:
            yield_thread()


def main(functions, blocks, first, last, window, meeting, n_threads):
    for tick in range(first, last):
        for k in range(functions.size):
            call_kernel(functions[k], blocks[k], tick)
        if n_threads > 1 and ((tick - first) % window == window - 1 or tick == last - 1):
            wait(meeting, n_threads)
'''


@cache
def _compiled():
    names = ("call_kernel", "atomic_add", "atomic_load", "yield_thread")
    return loader.load_function("loop", _TEXT, {name: getattr(intrinsics, name) for name in names})


class Program:
    """What one thread does in every tick: a list of blocks, in order."""

    def __init__(self, blocks: list):
        self.blocks = blocks
        self.functions = np.array([block.kernel.address for block in blocks], dtype=np.int64)
        self.rows = np.array([block.row.ctypes.data for block in blocks], dtype=np.int64)


def run(programs: list[Program], first: int, last: int, window: int) -> None:
    """Run the ticks first <= tick < last, one program per thread.

    Several threads are pinned, each to a core of its own among those allowed, and released at the
    end: unpinned, two threads that wait for each other may end up on one core.
    """
    main = _compiled()
    meeting = np.zeros(16, dtype=np.int64)
    cores = _cores(len(programs))

    def work(program, core):
        with _pinned(core):
            main(program.functions, program.rows, first, last, window, meeting.ctypes.data, len(programs))

    others = [threading.Thread(target=work, args=pair) for pair in zip(programs[1:], cores[1:], strict=True)]
    for thread in others:
        thread.start()
    try:
        work(programs[0], cores[0])
    finally:
        for thread in others:
            thread.join()


def _cores(n: int) -> list:
    """Return a core for each of n threads, or None where threads are left to the operating system."""
    if n == 1 or not hasattr(os, "sched_setaffinity") or multiprocessing.parent_process() is not None:
        return [None] * n
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[:n] if len(allowed) >= n else [None] * n


@contextmanager
def _pinned(core):
    """Keep the calling thread on one core; None leaves it as it is."""
    if core is None:
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
