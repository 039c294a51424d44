"""Calls on this machine: one after the other in this process, or side by side in others, by joblib."""

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

from neurosim.errors import ParameterError, SimulationError
from neurosim.files import first_line
from neurosim.sweep.calling import Call, Caller

DEATHS = 3  #: of processes one after the other, without a call that ended in between, until a sweep gives up
ALONE = 3  #: how often a call that had begun when a process died is made again, alone


def run(caller: Caller, calls: list[Call], jobs: int, done: Callable[[], None]) -> None:
    """Make calls.

    A process that dies takes those of its neighbours along, so all calls that had begun are made again, each alone. One
    whose process dies each time has failed, and the rest goes on.

    Args:
        caller: makes one call.
        calls: which.
        jobs: how many processes.
        done: told after every call.

    Raises:
        ParameterError: the function cannot be sent to other processes.
        SimulationError: processes die before they make a call.
    """
    if jobs == 1:
        for call in calls:
            caller(call)
            done()
        return
    deaths, left = 0, calls
    while left:
        death = _side_by_side(caller, left, jobs, done)
        if death is None:
            return
        suspects, rest = _after(caller, left)
        for call in suspects:
            _alone(caller, call, jobs)
            done()
        deaths = 0 if len(rest) < len(left) else deaths + 1
        if deaths >= DEATHS:
            raise SimulationError(f"{DEATHS} processes ended before they made a call: {death}; jobs=1 works in this "
                                  "one")
        left = rest


def _side_by_side(caller, calls, jobs, done) -> str | None:
    """Make calls in processes; return how one died, None where none did."""
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    try:
        for _ in parallel(delayed(_in_worker)(caller, os.getpid(), call) for call in calls):
            done()
    except BrokenProcessPool as error:
        return " ".join(str(error).split())
    except (pickle.PicklingError, AttributeError, TypeError) as error:  # calls keep their own errors
        raise ParameterError(f"sweep.function and its data must be such that other processes can have them, got "
                             f"{first_line(error)}; jobs=1 works in this process") from error
    return None


_BUSY = threading.Lock()  # held while this process makes a call
_WATCHED: list[int] = []  # the processes whose end this one does not outlive


def _in_worker(caller, driver, call):
    if driver not in _WATCHED:
        _WATCHED.append(driver)
        if os.getppid() == driver:
            threading.Thread(target=_end_with, args=(driver,), daemon=True).start()
    with _BUSY:
        caller(call)


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


def _alone(caller, call, jobs):
    death = ""
    for _ in range(ALONE):
        died = _side_by_side(caller, [call], jobs, lambda: None)
        if died is None:
            return
        death = died
        caller.journal.wait()
        if caller.journal.read()[0].get(call.key, {"attempt": 0})["attempt"] == call.attempt:
            return  # it had ended, and its process died behind it
    with caller.journal.working() as write:
        write({"key": call.key, "attempt": call.attempt, "seconds": 0.0, "traceback": death,
               "error": f"SimulationError: the process that made this call ended, {ALONE + 1} times"})
