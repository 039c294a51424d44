"""Calls on this machine: one after the other in this process, or side by side in others, by joblib."""

import os
import signal
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from neurosim.errors import NeurosimError, ParameterError, SimulationError
from neurosim.files import first_line
from neurosim.machine import cores
from neurosim.sweep import store
from neurosim.sweep.calling import Call, Caller
from neurosim.sweep.waiting import Waiting

DEATHS = 3  #: of processes one after the other, without a call that ended in between, until a sweep gives up
ALONE = 3  #: how often a call that had begun when a process died is made again, alone
AHEAD = 2  #: calls that are under way for each process: one that it makes, and one that it finds when that has ended
IDLE = 300  #: s until a process ends that has nothing to do
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
           "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS")  #: what the processes share between them


def run(caller: Caller, line: Waiting, jobs: int, sent: Path) -> None:
    """Make calls.

    A process that dies takes those of its neighbours along, so all calls that had begun are made again, each alone. One
    whose process dies each time has failed, and the rest goes on.

    Args:
        caller: makes one call.
        line: which.
        jobs: how many processes.
        sent: a file that processes read the caller from, once each; it is written where it is not there.

    Raises:
        ParameterError: the function cannot be sent to other processes.
        SimulationError: processes die before they make a call.
    """
    if jobs == 1:
        while calls := line.take():
            caller(calls[0])
            line.ended(calls[0])
        return
    if not sent.exists():
        _send(caller, sent)
    deaths = 0
    while lost := _side_by_side(sent, line, jobs):
        ended, suspects, rest = _after(caller, lost.calls)
        for call in ended:
            line.ended(call)
        for call in suspects:
            _alone(caller, call, jobs, sent)
            line.ended(call)
        line.back(rest)
        deaths = 0 if ended or suspects or lost.some_ended else deaths + 1
        if deaths >= DEATHS:
            raise SimulationError(f"{DEATHS} processes ended before they made a call: {lost.why}; jobs=1 works in "
                                  "this one")


def _send(caller, sent):
    try:
        store.dump(caller, sent)
    except ParameterError as error:
        raise ParameterError("sweep.function must be such that other processes can have it, got "
                             f"{first_line(error.__cause__ or error)}; jobs=1 works in this process") from error


@dataclass(frozen=True)
class _Lost:
    """What was under way when a process died, why it did, and whether a call had ended before."""

    calls: list[Call]
    why: str
    some_ended: bool


def _side_by_side(sent, line, jobs) -> _Lost | None:
    """Make calls in processes; return what was lost when one died, None where none did."""
    pool, under_way, some_ended = _processes(jobs), {}, False
    try:
        while True:
            for call in line.take(AHEAD * jobs - len(under_way)):
                under_way[pool.submit(_in_worker, sent, tuple(sys.path), os.getpid(), call)] = call
            if not under_way:
                return None
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                future.result()
                line.ended(under_way.pop(future))
                some_ended = True
    except BrokenProcessPool as error:
        return _Lost([*under_way.values()], " ".join(str(error).split()), some_ended)
    except BaseException:
        pool.shutdown(kill_workers=True)
        raise


def _processes(jobs):
    """Return joblib's pool of processes, which outlives this sweep for the next one.

    `joblib.Parallel` takes all calls in the order in which they are given; which call can begin next is known here only
    when another has ended.
    """
    from joblib.externals.loky import get_reusable_executor

    threads = str(max(1, cores() // jobs))
    return get_reusable_executor(jobs, timeout=IDLE, env={name: os.environ.get(name, threads) for name in THREADS})


_BUSY = threading.Lock()  # held while this process makes a call
_WATCHED: list[int] = []  # the processes whose end this one does not outlive


@lru_cache(maxsize=1)
def _received(sent, folders) -> Caller:
    sys.path += [each for each in folders if each not in sys.path]  # this process may be older than one of them
    try:
        return store.load(sent, writable=True)
    except NeurosimError as error:
        raise ParameterError("sweep.function must be such that other processes can have it, got "
                             f"{first_line(error)}; jobs=1 works in this process") from None


def _in_worker(sent, folders, driver, call):
    if driver not in _WATCHED:
        _WATCHED.append(driver)
        if os.getppid() == driver:
            threading.Thread(target=_end_with, args=(driver,), daemon=True).start()
    with _BUSY:
        _received(sent, folders)(call)


def _end_with(driver):
    """End this process when its parent was killed, after the call that it makes; else it would wait for minutes."""
    while os.getppid() == driver:
        time.sleep(0.5)
    with _BUSY:
        os.kill(os.getpid(), signal.SIGTERM)


def _after(caller, calls):
    """Return those of some calls that had ended when a process died, that had only begun, and that had not."""
    caller.journal.wait()
    ended, begun = caller.journal.read()
    made = [call for call in calls if ended.get(call.key, {"attempt": 0})["attempt"] >= call.attempt]
    left = [call for call in calls if call not in made]
    return (made, [call for call in left if begun.get(call.key) == call.attempt],
            [call for call in left if begun.get(call.key) != call.attempt])


def _alone(caller, call, jobs, sent):
    death = ""
    for _ in range(ALONE):
        lost = _side_by_side(sent, Waiting([replace(call, needs=())], caller.shared), jobs)
        if lost is None:
            return
        death = lost.why
        caller.journal.wait()
        if caller.journal.read()[0].get(call.key, {"attempt": 0})["attempt"] == call.attempt:
            return  # it had ended, and its process died behind it
    with caller.journal.working() as write:
        write({"key": call.key, "attempt": call.attempt, "seconds": 0.0, "traceback": death,
               "error": f"SimulationError: the process that made this call ended, {ALONE + 1} times"})
