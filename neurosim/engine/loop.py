"""The loop that runs every network: at each tick, call the kernels of this thread in their order.

What a thread emits reaches another `window` ticks later at the earliest, the shortest delay. So none
may be further ahead of another than that: before a tick, it waits until all others have done the ticks
that it depends on. Each tells how far it is in a cache line of its own, which it alone writes. A waiting
thread spins briefly and then yields its core.
"""

import multiprocessing
import os
import threading
from contextlib import contextmanager
from functools import cache

import numpy as np

from neurosim.engine import intrinsics, loader

APART = 256  #: bytes between what two threads tell; processors fetch neighbouring lines too
SPINS = 2000  #: looks at another thread's progress before the core is given away

_TEXT = '''
from numba import njit


@njit(nogil=True)
def wait(progress, n_threads, done):
    for other in range(n_threads):
        spins = 0
        while atomic_load(progress + {apart} * other) < done:
            spins += 1
            if spins > {spins}:
                yield_thread()


def main(functions, blocks, first, last, window, progress, thread, n_threads):
    for tick in range(first, last):
        if n_threads > 1 and tick - window >= first:
            wait(progress, n_threads, tick - window)
        for k in range(functions.size):
            call_kernel(functions[k], blocks[k], tick)
        if n_threads > 1:
            atomic_store(progress + {apart} * thread, tick)
'''


@cache
def _compiled():
    names = ("call_kernel", "atomic_load", "atomic_store", "yield_thread")
    text = _TEXT.format(apart=APART, spins=SPINS)
    return loader.load_function("loop", text, {name: getattr(intrinsics, name) for name in names})


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
    progress = np.full(len(programs) * APART // 8 + 16, first - 1, dtype=np.int64)
    cores = _cores(len(programs))

    def work(thread):
        program = programs[thread]
        with _pinned(cores[thread]):
            main(program.functions, program.rows, first, last, window, begin, thread, len(programs))

    begin = -(-progress.ctypes.data // 64) * 64
    others = [threading.Thread(target=work, args=(thread,)) for thread in range(1, len(programs))]
    for thread in others:
        thread.start()
    try:
        work(0)
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
