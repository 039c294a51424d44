"""One call of a swept function: its point, seed and data by name, and what it returned or how it failed, on disk."""

import inspect
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurosim.calls import meant
from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.files import first_line
from neurosim.sweep.encoding import encode, key, seed
from neurosim.sweep.journal import Journal
from neurosim.sweep.spaces import RESERVED


@dataclass(frozen=True)
class Caller:
    """What all calls of a sweep have in common; it is sent to the processes that work.

    Args:
        function: what is swept.
        takes: which of "seed" and "trial" it takes.
        journal: where its results go.
        data: a file of values that every call gets, memory-mapped, or None.
    """

    function: Callable[..., Any]
    takes: tuple[str, ...]
    journal: Journal
    data: Path | None

    def __call__(self, point: dict, trial: int, attempt: int) -> None:
        """Make one call and write down how it ended."""
        with self.journal.working() as write:
            write({"begin": key(point, trial), "attempt": attempt})
            write(self.outcome(point, trial, attempt))

    def outcome(self, point: dict, trial: int, attempt: int) -> dict:
        """Make one call and return how it ended."""
        given = {"seed": seed(point, trial), "trial": trial}
        entry: dict[str, Any] = {"key": key(point, trial), "attempt": attempt}
        start = time.perf_counter()
        try:
            found = self.function(**point, **{name: given[name] for name in self.takes}, **_loaded(self.data))
            entry["values"] = encode(_named(found, point))
        except (Exception, SystemExit) as error:
            entry |= {"error": f"{type(error).__name__}: {first_line(error)}", "traceback": _traceback(error)}
        return entry | {"seconds": round(time.perf_counter() - start, 6)}


def check_function(function, names: Iterable[str], data: Iterable[str], trials: int) -> tuple[str, ...]:
    """Return which of "seed" and "trial" a function takes; raise ParameterError where it does not take the names."""
    if not callable(function):
        raise ParameterError(f"sweep.function must be a function, got {describe_value(function)}")
    try:
        taken = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ParameterError(f"sweep.function must have a signature, got {describe_value(function)}; wrap it in a "
                             "function of your own") from None
    kinds = [each.kind for each in taken.values()]
    by_name = [name for name, each in taken.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    given, catches_all = [*names, *data], inspect.Parameter.VAR_KEYWORD in kinds
    for name in given:
        if name not in by_name and not catches_all:
            raise ParameterError(f"sweep.function must take all names, got {name!r}, but it takes "
                                 f"{', '.join(by_name) or 'none'}{meant(name, by_name)}")
    seeds = tuple(name for name in ("seed", "trial") if name in by_name or catches_all)
    missing = [name for name, each in taken.items() if each.default is each.empty and name not in (*given, *seeds)
               and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    if missing:
        raise ParameterError("sweep.space must have values for all that the function needs, got none for "
                             f"{missing[0]!r}")
    if trials > 1 and not seeds:
        raise ParameterError("sweep.function must take `seed` or `trial` where there are several seeds, or all would "
                             "give the same")
    return seeds


def _named(found, point) -> dict:
    """Return the results of a call by name."""
    if found is None or (isinstance(found, dict) and not found):
        raise ParameterError(f"a swept function must return a number or a dict of results by name, got {found!r}")
    values = found if isinstance(found, dict) else {"value": found}
    for name in values:
        if not isinstance(name, str) or name in (*point, *RESERVED):
            raise ParameterError("a swept function must return names that are no parameter of it and none of "
                                 f"{', '.join(RESERVED)}, got {name!r}")
    return values


def _traceback(error) -> str:
    inner = error.__traceback__.tb_next  # without the line of this module
    return "".join(traceback.format_exception(type(error), error, inner or error.__traceback__))


_OPEN: dict[Path, dict] = {}  # the data that this process has mapped last


def _loaded(path) -> dict:
    if path is None:
        return {}
    if path not in _OPEN:
        import joblib

        values = joblib.load(path, mmap_mode="r")
        _OPEN.clear()
        _OPEN[path] = values
        return values  # another thread may clear it
    return _OPEN[path]
