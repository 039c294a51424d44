"""A function tried at all points of a space; what is done stays done, whatever happens to the process."""

import re
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

from neurosim.calls import arguments_listed
from neurosim.checks import check_seed, describe_value
from neurosim.errors import FileError, NeurosimWarning, ParameterError
from neurosim.files import writing
from neurosim.machine import cores
from neurosim.progress import progress_bar
from neurosim.sweep import identity, local
from neurosim.sweep.calling import Caller, check_function
from neurosim.sweep.cluster import connected
from neurosim.sweep.cluster import run as run_on_cluster
from neurosim.sweep.encoding import decode, encode, key
from neurosim.sweep.journal import Journal
from neurosim.sweep.result import Result
from neurosim.sweep.spaces import Space, as_space

VERSION = 1


@arguments_listed
def sweep(function: Callable[..., Any], space: Space | Mapping[str, Iterable[Any]], *,
          seeds: int | Iterable[int] = 1, jobs: int | None = None, cluster: Any = None,
          folder: str | Path | None = None, name: str = "sweep", data: Mapping[str, Any] | None = None,
          retry: Literal["failed"] | None = None, progress: bool = True) -> Result:
    """Return what a function gives at all points of a space, for all seeds.

    seed of a call = SeedSequence(SHA-256(values of the point by name, trial)), 64 bits

    So a result depends on its own point alone: it is the same in any order, on any number of processes, after any
    interruption. With a folder each result is on disk as soon as there is one; called again, after `kill -9` as well,
    the sweep goes on with what is missing. A call that fails keeps its error and does not stop the others.

    Args:
        function: takes the values of a point by name, and, where it names them, `seed` (its own, from the point) and
            `trial` (one of `seeds` as it is, for what shall be alike at all points); returns a number, or a dict of
            results by name.
        space: a `Grid`, `Random`, `QuasiRandom` or `Points`; a dict of lists is a grid.
        seeds: how often each point is tried, or the list of trials, whole numbers >= 0.
        jobs: how many processes; by default one for each core. With 1 all is done in this process.
        cluster: address of a Dask scheduler, or a `dask.distributed.Client`, whose workers then make the calls; they
            read `data` from a file in `folder`, which they must share where they are other machines.
        folder: where results are kept, in a folder `name` of it; None keeps them in memory.
        name: of this sweep. One with another function, space, data or seeds needs another name.
        data: values by name that every call gets too. They are written down once, and arrays in them are memory-mapped
            and read-only.
        retry: "failed" tries calls again that failed.
        progress: whether to show a progress bar, with the time that is left.

    Raises:
        ParameterError: an argument does not fit.
        FileError: the folder holds another sweep, is in use or damaged, or cannot be written.
        SimulationError: processes die before they make a call.

    >>> def square(x, seed):
    ...     return {"y": x**2}
    >>> result = sweep(square, {"x": [1, 2, 3]}, jobs=1)
    >>> [row["y"] for row in result.rows]
    [1, 4, 9]
    """
    space, trials, data = as_space(space), _trials(seeds), _data(data)
    if jobs is not None and cluster is not None:
        raise ParameterError("sweep.jobs must be left out where there is a cluster, which has as many as it has, got "
                             f"{describe_value(jobs)}")
    jobs = cores() if jobs is None else _whole("jobs", jobs)
    if retry not in (None, "failed"):
        raise ParameterError(f"sweep.retry must be 'failed' or None, got {describe_value(retry)}")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]*\w[\w.-]*", name):
        raise ParameterError(f"sweep.name must be letters, digits, '_', '-' and '.', got {describe_value(name)}")
    clash = sorted(set(data) & {*space.points[0], "seed", "trial"})
    if clash:
        raise ParameterError("sweep.data must have names of its own, got "
                             f"{clash[0]!r}, which the function gets already")
    takes = check_function(function, space.points[0], data, len(trials))
    with _place(folder, name) as place, nullcontext() if cluster is None else connected(cluster) as client:
        journal = Journal(place, secrets.token_hex(6))
        with journal.driving(), _mapped(data, place) as mapped:
            _same_sweep(journal, _header(function, space, trials, data))
            calls, total = _missing(journal, space, trials, retry)
            caller = Caller(function, takes, journal, mapped)
            with progress_bar(progress, float(total), "calls") as show:
                _work(caller, calls, jobs, client, total, show)
            result = Result(space.points, trials, journal.read()[0])
    if result.failures:
        warnings.warn(f"{len(result.failures)} of {total} calls failed, the first with {result.failures[0]['error']}; "
                      "see result.failures", NeurosimWarning, stacklevel=3)
    return result


@arguments_listed
def load(folder: str | Path, name: str = "sweep") -> Result:
    """Return what a sweep has found so far, from its folder.

    Args:
        folder, name: of the sweep.

    Raises:
        FileError: there is no such sweep, or it is damaged.

    >>> folder = tempfile.mkdtemp()
    >>> done = sweep(lambda x: x + 1, {"x": [1]}, jobs=1, folder=folder)
    >>> load(folder).rows
    [{'x': 1, 'seed': 0, 'value': 2, 'error': None}]
    """
    journal = Journal(Path(folder) / name, "")
    header = journal.header()
    if header is None:
        raise FileError(f"{journal.folder} holds no sweep; sweep(..., folder=, name=) makes one")
    return Result(decode(header["points"]), header["trials"], journal.read()[0])


def _work(caller, calls, jobs, client, total, show):
    done = total - len(calls)
    show(float(done))

    def one():
        nonlocal done
        done += 1
        show(float(done))

    if client is not None:
        run_on_cluster(caller, calls, client, one)
    else:
        local.run(caller, calls, jobs, one)


def _missing(journal, space, trials, retry):
    """Return point, trial and attempt of the calls that must be made, and how many there are in all."""
    ended, begun = journal.read()
    calls = []
    for point in space.points:
        for trial in trials:
            name = key(point, trial)
            before = ended.get(name)
            if before is None or (retry and "error" in before):
                calls.append((point, trial, 1 + max(begun.get(name, 0), before["attempt"] if before else 0)))
    return calls, len(space) * len(trials)


# ---- what a folder's sweep is -----------------------------------------------------------------------


def _header(function, space, trials, data) -> dict:
    import joblib

    parts = identity.parts(function) | {f"data {name}": joblib.hash(value) for name, value in data.items()}
    return {"version": VERSION, "function": parts, "points": encode(space.points), "trials": trials}


def _same_sweep(journal, header):
    """Write down what the folder's sweep is, or refuse another one."""
    before = journal.header()
    if before is None:
        return journal.describe(header)
    if before["version"] != VERSION:
        raise FileError(f"{journal.folder} must be of version {VERSION}, got {before['version']}; give another name=")
    points = [{key(point, 0) for point in decode(each["points"])} for each in (before, header)]
    changed = []
    if points[0] != points[1]:
        changed.append(f"its space ({len(points[0] - points[1])} points of it are gone, "
                       f"{len(points[1] - points[0])} are new)")
    if sorted(before["trials"]) != sorted(header["trials"]):
        changed.append(f"its seeds ({before['trials']}, now {header['trials']})")
    if before["function"] != header["function"]:
        changed.append(f"what its function is made of ({identity.difference(before['function'], header['function'])})")
    if changed:
        raise FileError(f"{journal.folder} holds another sweep: {' and '.join(changed)} changed; give another name=, "
                        "or what it was made with")
    return None


@contextmanager
def _place(folder, name):
    if folder is not None:
        yield Path(folder) / name
        return
    with tempfile.TemporaryDirectory(prefix="neurosim-sweep-") as made:
        yield Path(made) / name


@contextmanager
def _mapped(data, folder):
    """Give a file of the data for this run of the sweep, None where there is none; those of killed runs go."""
    for left in folder.glob("data-*"):
        shutil.rmtree(left, ignore_errors=True)
    if not data:
        yield None
        return
    import joblib

    with tempfile.TemporaryDirectory(prefix="data-", dir=folder, ignore_cleanup_errors=True) as made:
        path = Path(made) / "data"
        with writing(path):
            joblib.dump(data, path)
        yield path


# ---- arguments --------------------------------------------------------------------------------------


def _whole(what, value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(f"sweep.{what} must be a whole number >= 1, got {describe_value(value)}")
    return value


def _trials(seeds) -> list[int]:
    if isinstance(seeds, (bool, str, bytes)) or not isinstance(seeds, (int, Iterable)):
        raise ParameterError(f"sweep.seeds must be a whole number >= 1 or a list of whole numbers, got "
                             f"{describe_value(seeds)}")
    if isinstance(seeds, int):
        return list(range(_whole("seeds", seeds)))
    trials = [check_seed("sweep.seeds", each) for each in seeds]
    if not trials or len(set(trials)) < len(trials):
        raise ParameterError(f"sweep.seeds must be one at least and differ, got {describe_value(trials)}")
    return trials


def _data(data) -> dict:
    if data is not None and (not isinstance(data, Mapping) or not all(isinstance(name, str) for name in data)):
        raise ParameterError(f"sweep.data must be a dict of values by name, got {describe_value(data)}")
    return dict(data or {})
