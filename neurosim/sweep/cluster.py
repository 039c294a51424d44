"""Calls on a cluster, by Dask: its workers compute, and this process alone writes down what they send.

Dask makes a task again whose worker has died. After some deaths it gives the task up, with healthy ones that were on
the same workers, so those are tried once more, each alone. A task that is made twice gives the same twice, by its seed.
"""

import pickle
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any

from neurosim.checks import describe_value
from neurosim.errors import FileError, ParameterError, SimulationError, UnsupportedError
from neurosim.files import first_line
from neurosim.sweep import store
from neurosim.sweep.calling import Call, Caller
from neurosim.sweep.waiting import Waiting

LOOK = 2.0  #: s between two looks at the workers while nothing ends
EMPTY = 60.0  #: s without a single worker until a sweep gives up
UNDER_WAY = 64  #: calls that the scheduler has at a time, at least
TOGETHER = 0.2  #: s of calls that go to a worker together, and MOST how many
MOST = 64
ANSWER = 10.0  #: s for a scheduler to answer


def distributed() -> Any:
    """Return `dask.distributed`; raise UnsupportedError where it is not installed."""
    try:
        return import_module("distributed")
    except ImportError:
        raise UnsupportedError("sweeps on a cluster need Dask; install it with `pip install distributed`") from None


@contextmanager
def connected(cluster):
    """Give a client of a cluster; one that is made for an address is closed at the end.

    Raises:
        ParameterError: it is neither a client nor an address that answers.
    """
    library = distributed()
    if isinstance(cluster, library.Client):
        yield cluster
        return
    if not isinstance(cluster, str):
        raise ParameterError("sweep.cluster must be the address of a Dask scheduler or a dask.distributed.Client, got "
                             f"{describe_value(cluster)}")
    try:
        client = library.Client(cluster, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ParameterError("sweep.cluster must be the address of a Dask scheduler that answers, as in "
                             f"'tcp://10.0.0.1:8786', got {cluster!r}: {first_line(error)}") from None
    with client:
        yield client


def run(caller: Caller, line: Waiting, client) -> None:
    """Make calls on the workers of a client.

    Args:
        caller: makes one call.
        line: which.
        client: of the cluster.

    Raises:
        SimulationError: there have been no workers for a while.
    """
    try:
        sent = store.to_bytes(caller)
    except ParameterError as error:
        raise ParameterError("sweep.function must be such that the workers can have it, got "
                             f"{first_line(error.__cause__ or error)}") from error
    with client.as_current():
        while given_up := _together(caller, sent, line, client):
            for call in given_up:
                alone = Waiting([replace(call, needs=())], caller.shared)
                if _together(caller, sent, alone, client):
                    _keep(caller, [{"key": call.key, "attempt": call.attempt, "seconds": 0.0, "traceback": "",
                                    "error": "SimulationError: the workers that made this call ended, alone as well"}])
                line.ended(call)


@lru_cache(maxsize=1)
def _received(sent) -> Caller:
    return pickle.loads(sent)


def _outcomes(sent, calls) -> list[dict]:
    """Make some calls on a worker, which makes the caller of its bytes once."""
    return [_received(sent).outcome(call) for call in calls]


def _together(caller, sent, line, client) -> list[Call]:
    """Make calls side by side; return those that Dask gave up because workers died."""
    library, ended = distributed(), SimpleQueue()
    under_way, given_up, workers = {}, [], _Workers(client)
    try:
        while True:
            while len(under_way) < workers.room() and (some := line.take(workers.at_once(len(line.ready)))):
                future = client.submit(_outcomes, sent, some, pure=False)
                under_way[future] = some
                future.add_done_callback(ended.put)
            if not under_way:
                return given_up
            for future in _taken(ended):
                some = under_way.pop(future)
                if future.status == "finished":
                    try:
                        entries = future.result(timeout=ANSWER)
                    except library.KilledWorker:  # its worker died with what it had, and so did the next one
                        given_up += some
                    except TimeoutError:
                        line.back(some)
                    else:
                        _keep(caller, entries)
                        workers.learn(entries)
                        for call in some:
                            line.ended(call)
                elif future.status == "error" and isinstance(future.exception(), library.KilledWorker):
                    given_up += some
                elif future.status == "error" and isinstance(future.exception(), FileError):
                    raise future.exception()
                elif future.status == "error":
                    raise ParameterError("sweep.function must be such that the workers can have it, got "
                                         f"{first_line(future.exception())}") from future.exception()
                else:  # lost, as where a scheduler was started again
                    line.back(some)
                future.release()
            workers.check()
    finally:
        if under_way:
            client.cancel(list(under_way))


def _taken(ended) -> list:
    """Return the futures that have ended, after waiting for one for a while."""
    try:
        found = [ended.get(timeout=LOOK)]
        while not ended.empty():
            found.append(ended.get())
    except Empty:
        return []
    return found


def _keep(caller, entries):
    with caller.journal.working() as write:
        for entry in entries:
            write(entry)


class _Workers:
    """The workers of a client, looked at now and then, and how long calls take on them."""

    def __init__(self, client):
        self.client, self.seen, self.looked, self.threads = client, time.monotonic(), -LOOK, 0
        self.calls, self.seconds = 0, 0.0

    def learn(self, entries) -> None:
        """Take note of calls that have ended."""
        self.calls, self.seconds = self.calls + len(entries), self.seconds + sum(each["seconds"] for each in entries)

    def at_once(self, waiting: int) -> int:
        """Return how many calls go to a worker together: one costs the scheduler some ms, which short calls share."""
        if not self.calls:
            return 1
        room = int(TOGETHER * self.calls / max(self.seconds, 1e-9))
        return max(1, min(room, MOST, waiting // (4 * max(self.threads, 1))))

    def room(self) -> int:
        """Return how many calls may be under way."""
        self._look()
        return max(UNDER_WAY, 4 * self.threads)

    def check(self) -> None:
        """Raise SimulationError where there have been no workers for long."""
        self._look()
        if time.monotonic() - self.seen > EMPTY:
            raise SimulationError(f"the cluster has had no workers for {EMPTY:g} s; what has ended is kept: start "
                                  "workers and call sweep again")

    def _look(self):
        if time.monotonic() - self.looked < LOOK:
            return
        self.threads = sum(self.client.nthreads().values())
        self.looked = time.monotonic()
        if self.threads:
            self.seen = self.looked
