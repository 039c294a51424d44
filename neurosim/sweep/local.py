"""Calls on this machine: one after the other in this process, or side by side in others, by joblib."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path

from neurosim.errors import NeurosimError, ParameterError, SimulationError
from neurosim.files import first_line
from neurosim.sweep import store
from neurosim.sweep.calling import Call, Caller

DEATHS = 3  #: of processes one after the other, without a call that ended in between, until a sweep gives up
ALONE = 3  #: how often a call that had begun when a process died is made again, alone


def run(caller: Caller, calls: list[Call], jobs: int, done: Callable[[], None], sent: Path) -> None:
    """Make calls.

    A process that dies takes those of its neighbours along, so all calls that had begun are made again, each alone. One
    whose process dies each time has failed, and the rest goes on.

    Args:
        caller: makes one call.
        calls: which.
        jobs: how many processes.
        done: told after every call.
        sent: a file that processes read the caller from, once each; it is written where it is not there.

    Raises:
        ParameterError: the function cannot be sent to other processes.
        SimulationError: processes die before they make a call.
    """
    if jobs == 1:
        for call in calls:
            caller(call)
            done()
        return
    if not sent.exists():
        _send(caller, sent)
    deaths, left = 0, calls
    while left:
        death = _side_by_side(sent, left, jobs, done)
        if death is None:
            return
        suspects, rest = _after(caller, left)
        for call in suspects:
            _alone(caller, call, jobs, sent)
            done()
        deaths = 0 if len(rest) < len(left) else deaths + 1
        if deaths >= DEATHS:
            raise SimulationError(f"{DEATHS} processes ended before they made a call: {death}; jobs=1 works in this "
                                  "one")
        left = rest


def _send(caller, sent):
    try:
        store.dump(caller, sent)
    except ParameterError as error:
        raise ParameterError("sweep.function must be such that other processes can have it, got "
                             f"{first_line(error.__cause__ or error)}; jobs=1 works in this process") from error


def _side_by_side(sent, calls, jobs, done) -> str | None:
    """Make calls in processes; return how one died, None where none did."""
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    try:
        for _ in parallel(delayed(_in_worker)(sent, os.getpid(), call) for call in calls):
            done()
    except BrokenProcessPool as error:
        return " ".join(str(error).split())
    return None


_BUSY = threading.Lock()  # held while this process makes a call
_WATCHED: list[int] = []  # the processes whose end this one does not outlive


@lru_cache(maxsize=1)
def _received(sent) -> Caller:
    try:
        return store.load(sent, writable=True)
    except NeurosimError as error:
        raise ParameterError("sweep.function must be such that other processes can have it, got "
                             f"{first_line(error)}; jobs=1 works in this process") from None


def _in_worker(sent, driver, call):
    if driver not in _WATCHED:
        _WATCHED.append(driver)
        if os.getppid() == driver:
            threading.Thread(target=_end_with, args=(driver,), daemon=True).start()
    with _BUSY:
        _received(sent)(call)


def _end_with(driver):
    """End this process when its parent was killed, after the call that it makes; else it would wait for minutes."""
    while os.getppid() == driver:
        time.sleep(0.5)
    with _BUSY:
        os.kill(os.getpid(), signal.SIGTERM)


def _after(caller, calls):
    """Return the calls that had begun when a process died, and those that had not."""
    caller.journal.wait()
    ended, begun = caller.journal.read()
    left = [call for call in calls if ended.get(call.key, {"attempt": 0})["attempt"] < call.attempt]
    return ([call for call in left if begun.get(call.key) == call.attempt],
            [call for call in left if begun.get(call.key) != call.attempt])


def _alone(caller, call, jobs, sent):
    death = ""
    for _ in range(ALONE):
        died = _side_by_side(sent, [call], jobs, lambda: None)
        if died is None:
            return
        death = died
        caller.journal.wait()
        if caller.journal.read()[0].get(call.key, {"attempt": 0})["attempt"] == call.attempt:
            return  # it had ended, and its process died behind it
    with caller.journal.working() as write:
        write({"key": call.key, "attempt": call.attempt, "seconds": 0.0, "traceback": death,
               "error": f"SimulationError: the process that made this call ended, {ALONE + 1} times"})
