"""A function tried at all points of a space; what is done stays done, whatever happens to the process."""

import pickle
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Literal

from neurosim.calls import arguments_listed
from neurosim.checks import check_seed, describe_value
from neurosim.errors import FileError, ParameterError, warn
from neurosim.files import as_path, first_line, writing
from neurosim.machine import cores
from neurosim.progress import progress_bar
from neurosim.sweep import identity, local, store
from neurosim.sweep.calling import Caller, check_function
from neurosim.sweep.cluster import connected
from neurosim.sweep.cluster import run as run_on_cluster
from neurosim.sweep.driving import Driver
from neurosim.sweep.encoding import decode, key
from neurosim.sweep.journal import Journal
from neurosim.sweep.result import Result
from neurosim.sweep.shared import SEEDS, recipes
from neurosim.sweep.spaces import Space, as_space

VERSION = 2
SHARED = "shared"  #: folder of shared values, beside those of the sweeps
OLD = 3600.0  #: s after which a file that was not finished is nobody's


@arguments_listed
def sweep(function: Callable[..., Any], space: Space | Mapping[str, Iterable[Any]], *,
          seeds: int | Iterable[int] = 1, jobs: int | None = None, cluster: Any = None,
          folder: str | Path | None = None, name: str = "sweep", data: Mapping[str, Any] | None = None,
          shared: Mapping[str, Callable[..., Any]] | None = None, retry: Literal["failed"] | None = None,
          progress: bool = True) -> Result:
    """Return what a function gives at all points of a space, for all seeds.

    seed of a call = SeedSequence(SHA-256(values of the point by name, trial)), 64 bits

    So a result depends on its own point alone: it is the same in any order, on any number of processes, after any
    interruption. With a folder each result is on disk as soon as there is one; called again, after `kill -9` as well,
    the sweep goes on with what is missing. A call that fails keeps its error and does not stop the others.

    Args:
        function: takes the values of a point by name, and, where it names them, `seed` (its own, from the point) and
            `trial` (one of `seeds` as it is, for what shall be alike at all points); returns a number, or a dict of
            results by name.
        space: a `Grid`, `Random`, `QuasiRandom` or `Points`, or a `Study`; a dict of lists is a grid.
        seeds: how often each point is tried, or the list of trials, whole numbers >= 0.
        jobs: how many processes; by default one for each core. With 1 all is done in this process.
        cluster: address of a Dask scheduler, or a `dask.distributed.Client`, whose workers then make the calls; they
            read `data` from a file in `folder`, which they must share where they are other machines.
        folder: where results are kept, in a folder `name` of it; None keeps them in memory.
        name: of this sweep. One with another function, space, data or seeds needs another name.
        data: values by name that every call may take too. They are written down once, and arrays in them are
            memory-mapped and read-only.
        shared: functions by name, of some of the parameters, data, `seed`, `trial` and each other's values. What they
            return is made once for each distinct set of what they take, written down, and mapped like data into the
            calls that take that name: states of a network, or a simulation, whose layout is then not built again.
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
    _check_name(name)
    clash = sorted(set(data) & {*space.names, *SEEDS})
    if clash:
        raise ParameterError("sweep.data must have names of its own, got "
                             f"{clash[0]!r}, which the function gets already")
    digests = _digests(data)
    made = recipes(shared, space.names, digests)
    takes = check_function(function, space.names, data, made, len(trials))
    with _place(folder) as place, nullcontext() if cluster is None else connected(cluster) as client:
        journal = Journal(place / name, secrets.token_hex(6))
        with journal.driving(), _mapped(data, journal.folder) as (mapped, sent):
            _same_sweep(journal, _header(function, made, space, trials, digests))
            caller = Caller(function, takes, made, journal, mapped, _shared_folder(place, made))
            with progress_bar(progress, float(len(space) * len(trials)), "calls") as show:
                driver = Driver(caller, trials, retry is not None, lambda line: run_on_cluster(
                    caller, line, client) if client is not None else local.run(
                        caller, line, jobs, sent), show)
                points = space.explore(driver.work, journal.history(), journal.note)
            result = Result(points, trials, journal.read()[0], space.highest, space.lowest)
    if result.failures:
        warn(f"{len(result.failures)} of {len(result)} calls failed, the first with "
             f"{result.failures[0]['error']}; see result.failures")
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
    journal = Journal(as_path("load.folder", folder) / name, "")
    header = journal.header()
    if header is None:
        raise FileError(f"{journal.folder} holds no sweep; sweep(..., folder=, name=) makes one")
    _check_version(journal, header)
    space = header["space"]
    study = space.get("study", {"highest": (), "lowest": ()})
    asked = {text: decode(text) for entry in journal.history() for text in entry.get("asked", ())}
    points = decode(space["points"]) if "points" in space else list(asked.values())
    if not points:
        raise FileError(f"{journal.folder} holds a study that has not asked for a point yet; go on with sweep(...)")
    return Result(points, header["trials"], journal.read()[0], study["highest"], study["lowest"])


def names(folder: str | Path) -> list[str]:
    """Return the names of the sweeps in a folder.

    >>> folder = tempfile.mkdtemp()
    >>> _ = sweep(lambda x: x, {"x": [1]}, jobs=1, folder=folder, name="first")
    >>> names(folder)
    ['first']
    """
    return sorted(path.parent.name for path in as_path("names.folder", folder).glob("*/sweep") if path.is_file())


# ---- what a folder's sweep is -----------------------------------------------------------------------


def _digests(data) -> dict[str, str]:
    import joblib

    found = {}
    for name, value in data.items():
        try:
            found[name] = str(joblib.hash(value))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ParameterError("sweep.data must be values that can be pickled, got "
                                 f"{describe_value(value)} for {name!r}: {first_line(error)}") from error
    return found


def _header(function, made, space, trials, digests) -> dict:
    parts = identity.parts(function) | {f"data {name}": digest for name, digest in digests.items()}
    parts |= {f"shared {name}": recipe.content for name, recipe in made.items()}
    return {"version": VERSION, "function": parts, "space": space.content(), "trials": trials}


def _same_sweep(journal, header):
    """Write down what the folder's sweep is, or refuse another one."""
    before = journal.header()
    if before is None:
        return journal.describe(header)
    _check_version(journal, before)
    changed = _space_changed(before["space"], header["space"])
    if sorted(before["trials"]) != sorted(header["trials"]):
        changed.append(f"its seeds ({before['trials']}, now {header['trials']})")
    if before["function"] != header["function"]:
        changed.append(f"what its function is made of ({identity.difference(before['function'], header['function'])})")
    if changed:
        raise FileError(f"{journal.folder} holds another sweep: {' and '.join(changed)} changed; give another name=, "
                        "or what it was made with")
    return None


def _check_version(journal, header):
    if header["version"] != VERSION:
        raise FileError(f"{journal.folder} must be of version {VERSION}, got {header['version']}; give another name=")


def _space_changed(before, now) -> list[str]:
    """Return what to say of a space that is another one."""
    if "points" in before and "points" in now:
        points = [{key(point, 0) for point in decode(each["points"])} for each in (before, now)]
        gone, new = len(points[0] - points[1]), len(points[1] - points[0])
        return [f"its space ({gone} points of it are gone, {new} are new)"] if gone or new else []
    if "study" in before and "study" in now:
        names = identity.difference(before["study"], now["study"])
        return [f"its study ({names})"] if names else []
    return ["its space (a study is no list of points)"]


@contextmanager
def _place(folder):
    if folder is not None:
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="neurosim-sweep-") as made:
        yield Path(made)


@contextmanager
def _mapped(data, folder):
    """Give the files of the data for this run of the sweep, and a name for one more; those of killed runs go."""
    for left in folder.glob("data-*"):
        shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix="data-", dir=folder, ignore_cleanup_errors=True) as made:
            files = {name: Path(made) / f"{number}" for number, name in enumerate(data)}
            for name, path in files.items():
                store.dump(data[name], path)
            yield files, Path(made) / "function"
    finally:
        store.forget()


def _shared_folder(place, made) -> Path:
    """Return the folder of shared values; what was left half written an hour ago or more goes."""
    folder = place / SHARED
    if made:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.tmp"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > OLD:
                    left.unlink()
    return folder


# ---- arguments --------------------------------------------------------------------------------------


def _check_name(name):
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]*\w[\w.-]*", name) or name == SHARED:
        raise ParameterError(f"sweep.name must be letters, digits, '_', '-' and '.', and not {SHARED!r}, got "
                             f"{describe_value(name)}")


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
