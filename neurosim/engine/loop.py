"""The loop that runs every network: at each tick, call the kernels of each part in their order.

A network is cut into as many parts as there are threads, or more. What a part emits reaches another `window` ticks
later at the earliest, the shortest delay; so a tick of a part may begin when all others have done the ticks that it
depends on. Each part tells how far it is in a cache line of its own.

Where there are no more parts than threads, every thread has a part of its own. Where it has to wait for long, which
happens when other programs keep the other threads from their cores, it takes over what is not being done by anybody,
and gives its core away if there is nothing. Of more parts, each thread takes the next that is ready and that nobody is
doing. And where one thread alone does all parts faster, because there is little to do in a tick or the machine is busy,
it does (`Crew`). Who does a tick changes no result.

What decays without input ends among numbers with less than a full significand, below 1.2e-38 in float32, where it
stays, and with which many processors compute far more slowly: in the loop they count as 0, as in programs that are
compiled with -ffast-math. A thread's own mode is put back at the end.
"""

import ctypes
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import numpy as np

from neurosim.engine import intrinsics, loader
from neurosim.engine.checked import stop_if_seen

APART = 256  #: bytes between what two threads write; processors fetch neighbouring lines too
PATIENCE = 400  #: looks at the others' progress before a thread helps out or gives its core away

FIRST_TRIALS, FIRST_TICKS = 3, 256  #: first trials of each kind of crew, and their ticks
TRIAL, TRY_AGAIN = 0.004, 0.2  #: seconds that a later trial takes, and seconds between two

_TEXT = '''
from numba import njit


@njit({inner})
def ready(board, n, part, tick, window):
    for other in range(n):
        if other != part and atomic_load(board + {apart} * other) < tick - window:
            return False
    return True


@njit({inner})
def work(functions, blocks, starts, last, window, board, claims, own, several):
    n = starts.size - 1
    waited = 0
    while True:
        finished, worked = True, False
        for turn in range(n if several or waited > {patience} else 1):
            part = (own + turn) % n
            tick = atomic_load(board + {apart} * part) + 1
            if tick >= last:
                continue
            finished = False
            if not ready(board, n, part, tick, window) or not atomic_claim(claims + {apart} * part):
                continue
            if atomic_load(board + {apart} * part) + 1 == tick:
                for k in range(starts[part], starts[part + 1]):
                    call_kernel(functions[k], blocks[k], tick)
                atomic_store(board + {apart} * part, tick)
                worked = True
            atomic_store(claims + {apart} * part, 0)
            break
        if worked:
            waited = 0
        elif finished and (several or waited > {patience}):
            return
        else:
            waited += 1
            pause()
            if waited > {patience} + 1:
                yield_thread()


def main(functions, blocks, starts, last, window, board, claims, own, several):
    mode = float_mode()
    set_float_mode(mode | {flush})
    work(functions, blocks, starts, last, window, board, claims, own, several)
    set_float_mode(mode)
'''


@cache
def _compiled():
    names = ("call_kernel", "atomic_load", "atomic_store", "atomic_claim", "pause", "yield_thread", "float_mode",
             "set_float_mode")
    text = _TEXT.format(inner=loader.INNER_TEXT, apart=APART, patience=PATIENCE, flush=intrinsics.FLUSH)
    return loader.load_function("loop", text, {name: getattr(intrinsics, name) for name in names})


class Program:
    """What is done for one part in every tick: a list of blocks, in order."""

    def __init__(self, blocks: list):
        self.blocks = blocks
        self.functions = np.array([block.kernel.address for block in blocks], dtype=np.int64)
        self.rows = np.array([block.row.ctypes.data for block in blocks], dtype=np.int64)


class Parts:
    """The programs of all parts, side by side as the loop takes them."""

    def __init__(self, programs: list[Program]):
        self.programs = list(programs)
        self.functions = np.concatenate([program.functions for program in programs])
        self.rows = np.concatenate([program.rows for program in programs])
        self.starts = np.cumsum([0, *(program.functions.size for program in programs)])
        self.board, self.claims = _apart(len(programs)), _apart(len(programs))
        self.places = self.board.ctypes.data, self.claims.ctypes.data

    def run(self, first: int, last: int, window: int, threads: int = 1) -> None:
        """Run the ticks first <= tick < last with some threads, of which there are no more than parts."""
        self.board[:], self.claims[:] = first - 1, 0
        if threads == 1:
            self._work(last, window, 0, True)
        else:
            self._work_together(last, window, threads)
        stop_if_seen()

    def _work_together(self, last, window, threads):
        """Several threads are pinned, each to a core of its own that no other run has claimed, and released at the end:
        unpinned, two threads that wait for each other may end up on one core."""
        parts = len(self.programs)
        several = parts > threads  # for each, which takes what is next
        with claimed_cores(threads) as cores:
            others = [threading.Thread(target=self._work, args=(last, window, thread * parts // threads, several, core))
                      for thread, core in enumerate(cores) if thread > 0]
            started = []
            try:
                for thread in others:
                    thread.start()
                    started.append(thread)
                self._work(last, window, 0, several, cores[0])
            finally:
                for thread in started:
                    thread.join()

    def _work(self, last, window, part, several, core=None):
        with _pinned(core):
            _compiled()(self.functions, self.rows, self.starts, last, window, *self.places, part, several)


def run(programs: list[Program], first: int, last: int, window: int, threads: int | None = None) -> None:
    """Run the ticks first <= tick < last, by default with one thread for each program."""
    Parts(programs).run(first, last, window, len(programs) if threads is None else threads)


class Crew:
    """Runs programs with several threads or with one for all, whichever has lately been faster.

    Both are tried, and now and then the slower one again, for a time that does not matter: the machine may have
    become free, or busy.

    Args:
        threads: how many at most.
    """

    def __init__(self, threads: int):
        self.threads = threads
        self.trials = {False: [], True: []}  #: alone or not -> seconds per tick in the first trials
        self.cost = {}  #: alone or not -> seconds per tick, as last seen
        self.since = 0.0  #: seconds run since the slower one was tried
        self.parts = None

    def run(self, programs: list[Program], first: int, last: int, window: int) -> None:
        """Run the ticks first <= tick < last."""
        if self.parts is None or any(a is not b for a, b in zip(self.parts.programs, programs, strict=True)):
            self.parts = Parts(programs)
        if self.threads == 1:
            self.parts.run(first, last, window)
            return
        while first < last:
            alone, ticks = self._next(last - first)
            began = time.perf_counter()
            self.parts.run(first, first + ticks, window, 1 if alone else self.threads)
            self._note(alone, ticks, time.perf_counter() - began)
            first += ticks

    def _next(self, left: int) -> tuple[bool, int]:
        alone = len(self.trials[True]) < len(self.trials[False])
        if len(self.trials[alone]) < FIRST_TRIALS:
            return alone, min(left, FIRST_TICKS)
        slower = self.cost[True] > self.cost[False]
        if self.since > TRY_AGAIN:
            self.since = 0.0
            return slower, max(1, min(left, int(TRIAL / self.cost[slower])))
        return not slower, left

    def _note(self, alone, ticks, seconds):
        first = self.trials[alone]
        if len(first) < FIRST_TRIALS:  # what happens once, such as memory that is touched first, is not theirs
            first.append(seconds / ticks)
            self.cost[alone] = min(first)
        else:
            self.cost[alone] = seconds / ticks
        self.since += seconds


def _apart(n: int) -> np.ndarray:
    """Return an array that holds a number for each of n threads, APART bytes from each other, from a cache line on."""
    room = np.zeros((n + 1) * APART // 8, dtype=np.int64)
    return room[-(room.ctypes.data // 8) % (APART // 8):]


@contextmanager
def claimed_cores(n: int) -> Iterator[list]:
    """Yield a core for each of n threads, or None for each where they are left to the operating system.

    A core is claimed, by a socket whose name all processes of a machine see and which goes with its process, so that
    independent runs have different ones. The first is that where the operating system has put this thread.
    """
    claims, cores = [], []
    with ExitStack() as stack:
        for core in _nearest_cores() if sys.platform == "linux" and n > 1 else []:
            claim = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            try:
                claim.bind(f"\0neurosim-core-{core}")
            except OSError:
                claim.close()
                continue
            claims.append(claim)
            cores.append(core)
            if len(cores) == n:
                break
        if len(cores) < n:
            for claim in claims:
                claim.close()
            cores = [None] * n
        yield cores


def _nearest_cores() -> list:
    """Return the cores that are allowed, from that on which this thread is now."""
    allowed = sorted(os.sched_getaffinity(0))
    here = ctypes.CDLL(None).sched_getcpu()
    return [core for core in allowed if core >= here] + [core for core in allowed if core < here]


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
