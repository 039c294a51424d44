"""Sweeps on the command line: what a TOML file describes, and pages about results.

The function is named as `module:function`, or as `file.py:function` with the file beside the TOML file. Parameters are
lists, whose combinations are a grid::

    function = "model.py:accuracy"
    seeds = 5
    folder = "results"

    [space]
    noise = [0.0, 0.1, 0.2]
    bits = [4, 8]

    [data]
    samples = { function = "model.py:recordings", most = 300 }
    targets = { file = "targets.npy" }

    [shared]
    states = "model.py:states"

or are drawn, each from a list or an interval `{ low = 0.01, high = 1.0, log = true }`, as one further table says:
`[random]` or `[quasirandom]` with `n`, or `[study]` with `n` and `highest` or `lowest`; these take what `Random`,
`QuasiRandom` and `Study` take. `[[point]]` tables, instead of `[space]`, list points one by one. Data are values as
they are, what a function returns for the other entries of its table, or a NumPy file. Further entries are `name`,
`jobs`, `cluster` and `trials` (a list, instead of `seeds`). Paths count from the TOML file.
"""

import importlib
import importlib.util
import inspect
import sys
import warnings
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from neurosim import sweep as sweeps
from neurosim.calls import meant, misfit
from neurosim.checks import describe_value
from neurosim.config import read_toml
from neurosim.errors import FileError, NeurosimError, NeurosimWarning, ParameterError, SimulationError
from neurosim.files import first_line, reading
from neurosim.sweep import store

PLAIN = ("function", "seeds", "trials", "folder", "name", "jobs", "cluster")
SPACES: dict[str, Any] = {"random": sweeps.Random, "quasirandom": sweeps.QuasiRandom, "study": sweeps.Study}
TABLES = ("space", "point", *SPACES, "data", "shared")


def read(path: str | Path) -> dict[str, Any]:
    """Return the arguments of `neurosim.sweep.sweep` that a TOML file describes; `folder` is always among them.

    Args:
        path: the file.

    Raises:
        FileError: the file is missing, not TOML, or describes something that does not fit; the message names the file
            and the entry.
    """
    path = Path(path)
    text = read_toml(path)
    try:
        return _arguments(text, path.resolve().parent)
    except NeurosimError as error:
        raise FileError(f"{path}: {error}") from None


def run(given: dict[str, Any], *, retry: bool = False, quiet: bool = False) -> tuple[sweeps.Result, Path]:
    """Run a sweep and write a page about it; return the result and the page.

    Args:
        given: what `read` returned.
        retry: whether calls that failed are made again.
        quiet: whether to show no progress.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)  # failures are told at the end
        result = sweeps.sweep(**given, retry="failed" if retry else None, progress=not quiet)
    name = given.get("name", "sweep")
    page = Path(given["folder"]) / f"{name}.html"
    result.report(page, name)
    return result, page


def report(folder: str | Path, name: str | None = None, out: str | Path | None = None,
           highest: Iterable[str] = (), lowest: Iterable[str] = ()) -> Path:
    """Write a page about a sweep that a folder holds; return its path.

    Args:
        folder: where results are, as `sweep` was given it.
        name: of the sweep; may be left out where there is one.
        out: of the page; by default `name`.html in the folder.
        highest, lowest: as for `Result.report`.

    Raises:
        FileError: there is no such sweep, or several.
        ParameterError: there is no such result.
    """
    folder = Path(folder)
    if name is None and (folder / "sweep").is_file():  # the folder of the sweep itself
        folder, name = folder.parent, folder.name
    names = sweeps.names(folder)
    if name is None and len(names) == 1:
        name = names[0]
    if name is None or name not in names:
        raise FileError(f"{folder} must hold the sweep, and --name must say which where there are several: it holds "
                        f"{', '.join(names) or 'none'}{meant(name or '', names)}")
    page = folder / f"{name}.html" if out is None else Path(out)
    sweeps.load(folder, name).report(page, name, highest=highest, lowest=lowest)
    return page


def summary(result: sweeps.Result) -> str:
    """Return what to say of a sweep in a few lines."""
    lines = [f"{len(result)} calls, {len(result.failures)} failed"]
    sought = [*result.highest, *result.lowest] or result.numbers()[:1]
    if any(point["n"] for point in result.means()):
        for name in sought:
            best = result.best(name)
            at = ", ".join(f"{each} = {best[each]}" for each in result.parameters)
            lines.append(f"{'lowest' if name in result.lowest else 'highest'} {name} {best[name]:.6g} (mean of "
                         f"{best['n']}) at {at}")
    return "\n".join(lines)


def check(result: sweeps.Result) -> None:
    """Raise SimulationError where calls failed."""
    if result.failures:
        raise SimulationError(f"{len(result.failures)} of {len(result)} calls failed, the first with "
                              f"{result.failures[0]['error']}; the page tells all, and --retry tries them again")


# ---- what a file says -------------------------------------------------------------------------------


def _arguments(text, folder) -> dict[str, Any]:
    for key in text:
        if key not in (*PLAIN, *TABLES):
            raise FileError(f"the file must have only {', '.join((*PLAIN, *TABLES))}, got {key!r}"
                            f"{meant(key, (*PLAIN, *TABLES))}")
    for name in TABLES:
        wanted = list if name == "point" else dict
        if not isinstance(text.get(name, wanted()), wanted):
            raise FileError(f"{name} must be written as {'[[point]]' if name == 'point' else f'[{name}]'}")
    if "function" not in text:
        raise FileError("it must have a function, as in function = \"model.py:accuracy\"")
    given = {"function": _function("function", text["function"], folder), "space": _space(text),
             "folder": folder / text.get("folder", "neurosim-sweep"),
             "data": {name: _datum(name, value, folder) for name, value in text.get("data", {}).items()},
             "shared": {name: _function(f"shared.{name}", value, folder)
                        for name, value in text.get("shared", {}).items()}}
    if "trials" in text and "seeds" in text:
        raise FileError("it must have seeds, how many, or trials, which, and not both")
    given["seeds"] = text.get("trials", text.get("seeds", 1))
    return given | {name: text[name] for name in ("name", "jobs", "cluster") if name in text}


def _space(text):
    kinds = [name for name in SPACES if name in text]
    if ("space" in text) == ("point" in text) or len(kinds) > 1 or (kinds and "point" in text):
        raise FileError("it must have a [space], with [random], [quasirandom] or [study] where it is drawn from, or "
                        f"[[point]] tables, got {' and '.join(n for n in TABLES[:5] if n in text) or 'none of them'}")
    if "point" in text:
        return sweeps.Points(text["point"])
    if not kinds:
        return sweeps.Grid(**text["space"])
    values = {name: _called(f"space.{name}", sweeps.Range, each) if isinstance(each, dict) else each
              for name, each in text["space"].items()}
    options = dict(text[kinds[0]])
    if "n" not in options:
        raise FileError(f"[{kinds[0]}] must have n, how many points are drawn")
    clash = [name for name in options if name in values]
    if clash:
        raise FileError(f"[space] must have other names than [{kinds[0]}], got {clash[0]!r} in both")
    n = options.pop("n")
    known = [name for name, each in inspect.signature(SPACES[kinds[0]]).parameters.items()
             if each.kind is each.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise FileError(f"[{kinds[0]}] must have only n, {', '.join(known)}, got {name!r}{meant(name, known)}")
    return SPACES[kinds[0]](n, **options, **values)


def _datum(name, value, folder):
    if not isinstance(value, dict):
        return value
    if set(value) == {"file"}:
        import numpy as np

        path = folder / value["file"]
        with reading(path, "a NumPy file (.npy)"):
            return np.load(path, allow_pickle=False)
    if "function" not in value:
        return value
    options = {each: option for each, option in value.items() if each != "function"}
    return _called(f"data.{name}", _function(f"data.{name}", value["function"], folder), options)


def _called(where, function, options):
    """Return what a function gives for the entries of a table."""
    signature = inspect.signature(function)
    try:
        signature.bind(**options)
    except TypeError as error:
        raise misfit(where, signature, error, options) from None
    return function(**options)


def _function(where, name, folder) -> Callable[..., Any]:
    """Return a function by its name, `module:function` or `file.py:function`."""
    if not isinstance(name, str) or name.count(":") != 1 or not name.rpartition(":")[2].isidentifier():
        raise ParameterError(f"{where} must be module:function or file.py:function, got {describe_value(name)}")
    place, _, inner = name.partition(":")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # as beside a script: what the file imports may lie there
    module = _file(folder / place) if place.endswith(".py") else _module(where, place)
    found = getattr(module, inner, None)
    if not callable(found):
        near = meant(inner, [each for each in vars(module) if callable(getattr(module, each))])
        raise ParameterError(f"{where} must name a function of {place}, which has no function {inner!r}{near}")
    return found


def _module(where, name):
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever the code of a module does
        raise ParameterError(f"{where} must name a module that can be imported, got {name!r}: {type(error).__name__}: "
                             f"{first_line(error)}") from None


def _file(path):
    """Return the module that a file is; its functions travel as those of a script do."""
    path = path.resolve()
    name = f"{path.stem}_{zlib.crc32(str(path).encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileError(f"{path} does not exist")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the code of a file does
        del sys.modules[name]
        raise ParameterError(f"{path} must be a file that can be imported: {type(error).__name__}: "
                             f"{first_line(error)}") from None
    store.send_by_value(module)
    return module


__all__ = ["check", "read", "report", "run", "summary"]
