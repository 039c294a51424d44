"""One call of a sweep: its point, seed, data and shared values by name; what it returned or how it failed, on disk."""

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurosim.calls import meant
from neurosim.errors import ParameterError
from neurosim.files import first_line
from neurosim.sweep import store
from neurosim.sweep.encoding import encode, seed
from neurosim.sweep.journal import Journal
from neurosim.sweep.shared import SEEDS, Recipe, signature
from neurosim.sweep.spaces import RESERVED


@dataclass(frozen=True)
class Call:
    """One call: of the swept function, or of one that makes a shared value.

    Args:
        key: its name.
        point: values of the parameters.
        trial: which of the seeds.
        attempt: the how manieth, from 1.
        makes: name of the shared value, None for the swept function.
        needs: keys of the shared values that are to be made before it.
    """

    key: str
    point: dict[str, Any]
    trial: int
    attempt: int
    makes: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caller:
    """What all calls of a sweep have in common; it is sent to the processes that work.

    Args:
        function: what is swept.
        takes: what it takes, by name.
        recipes: how shared values are made, by name.
        journal: where results go.
        data: files of the data by name.
        shared: folder of the shared values.
    """

    function: Callable[..., Any]
    takes: tuple[str, ...]
    recipes: Mapping[str, Recipe]
    journal: Journal
    data: Mapping[str, Path]
    shared: Path

    def __call__(self, call: Call) -> None:
        """Make one call and write down how it ended."""
        with self.journal.working() as write:
            write({"begin": call.key, "attempt": call.attempt})
            write(self.outcome(call))

    def outcome(self, call: Call) -> dict:
        """Make one call and return how it ended.

        Raises:
            FileError: a shared value cannot be written, for example on a full disk.
        """
        start = time.perf_counter()
        try:
            if call.makes is None:
                ended = {"values": encode(_named(self.function(**self._given(self.takes, call, seed)), call.point))}
            else:
                recipe = self.recipes[call.makes]
                value, ended = recipe.function(**self._given(recipe.takes, call, recipe.seed)), {"shared": call.makes}
        except (Exception, SystemExit) as error:
            ended = _failure(error)
        if "shared" in ended:
            try:
                store.dump(value, self.shared / call.key)
            except ParameterError as error:
                ended = _failure(error)
        return {"key": call.key, "attempt": call.attempt, **ended, "seconds": round(time.perf_counter() - start, 6)}

    def _given(self, takes, call, seed_of) -> dict:
        """Return the arguments of a call."""
        def value(name):
            if name in self.recipes:
                return store.load(self.shared / self.recipes[name].key(call.point, call.trial))
            if name in self.data:
                return store.load(self.data[name])
            if name in call.point:
                return call.point[name]
            return call.trial if name == "trial" else seed_of(call.point, call.trial)

        return {name: value(name) for name in takes}


def check_function(function, names: Iterable[str], data: Iterable[str], recipes: Mapping[str, Recipe],
                   trials: int) -> tuple[str, ...]:
    """Return what a swept function takes, by name.

    Args:
        function: what is swept.
        names: of the space.
        data: names of the data.
        recipes: of the shared values.
        trials: how many seeds there are.

    Raises:
        ParameterError: nobody takes a name, the function needs another one, or several seeds would do the same.
    """
    names = [*names]
    named, needed, catches_all = signature("sweep.function", function)
    given = [*names, *data, *recipes]
    used = {name for recipe in recipes.values() for name in recipe.takes}
    for name in given:
        if name not in named and name not in used and not catches_all:
            raise ParameterError(f"sweep.function must take all names, got {name!r}, but it takes "
                                 f"{', '.join(named) or 'none'}{meant(name, named)}")
    missing = [name for name in needed if name not in (*given, *SEEDS)]
    if missing:
        raise ParameterError("sweep.space must have values for all that the function needs, got none for "
                             f"{missing[0]!r}")
    takes = tuple(name for name in (*given, *SEEDS) if name in named or catches_all)
    by_trial = any(name in SEEDS for name in takes) or any(recipes[name].by_trial for name in takes if name in recipes)
    if trials > 1 and not by_trial:
        raise ParameterError("sweep.function must take `seed` or `trial` where there are several seeds, or all would "
                             "give the same")
    return takes


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


def _failure(error) -> dict:
    inner = error.__traceback__.tb_next  # without the line of this module
    return {"error": f"{type(error).__name__}: {first_line(error)}",
            "traceback": "".join(traceback.format_exception(type(error), error, inner or error.__traceback__))}


__all__ = ["Call", "Caller", "check_function"]
