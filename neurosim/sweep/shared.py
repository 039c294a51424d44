"""What calls share: values that follow from some of the parameters, made once for each of their distinct values.

A recipe says how one is made. Its values lie in files named by all that they follow from: what the recipe's function is
made of, the data, and the values of the parameters that it takes, itself or through other recipes. So they are found
again after an interruption, and by another sweep in the same folder.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from neurosim.calls import meant
from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.sweep import identity
from neurosim.sweep.encoding import encode, seed

SEEDS = ("seed", "trial")  #: what functions of a sweep may take besides parameters and data


@dataclass(frozen=True)
class Recipe:
    """How a shared value is made.

    Args:
        name: of the value.
        function: makes it.
        takes: what the function takes, by name.
        parameters: those that the value follows from, in order; through other recipes too.
        by_trial: whether it differs from trial to trial.
        content: digest of its function and data, and of those of the recipes that it follows from.
    """

    name: str
    function: Callable[..., Any]
    takes: tuple[str, ...]
    parameters: tuple[str, ...]
    by_trial: bool
    content: str

    def part(self, point: dict) -> dict:
        """Return the part of a point that the value follows from."""
        return {name: point[name] for name in self.parameters}

    def key(self, point: dict, trial: int) -> str:
        """Return the name of the value at a point."""
        text = encode([self.content, self.part(point), trial if self.by_trial else None])
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def seed(self, point: dict, trial: int) -> int:
        """Return the seed of the value at a point, which follows from name, parameters and trial."""
        return seed({"shared": self.name, "of": self.part(point)}, trial)


def recipes(shared: Mapping[str, Callable[..., Any]] | None, parameters: Iterable[str],
            data: Mapping[str, str]) -> dict[str, Recipe]:
    """Return the recipes of a sweep by name, each behind those that it follows from.

    Args:
        shared: functions by name.
        parameters: names of the space.
        data: digests of the data by name.

    Raises:
        ParameterError: a name or a function does not fit.
    """
    if shared is not None and (not isinstance(shared, Mapping)
                               or not all(isinstance(name, str) and name.isidentifier() for name in shared)):
        raise ParameterError(f"sweep.shared must be a dict of functions by name, got {describe_value(shared)}")
    shared, parameters = dict(shared or {}), list(parameters)
    for name in shared:
        if name in (*parameters, *data, *SEEDS):
            raise ParameterError(f"sweep.shared must have names of its own, got {name!r}, which is a parameter, data, "
                                 "`seed` or `trial`")
    takes = {name: _takes(name, function, (*parameters, *data, *SEEDS, *shared)) for name, function in shared.items()}
    found: dict[str, Recipe] = {}
    while len(found) < len(shared):
        ready = [name for name in shared if name not in found
                 and all(each in found for each in takes[name] if each in shared)]
        if not ready:
            left = [name for name in shared if name not in found]
            raise ParameterError(f"sweep.shared must not go round in a circle, got {' and '.join(left)}, which need "
                                 "each other")
        for name in ready:
            found[name] = _recipe(name, shared[name], takes[name], parameters, data, found)
    return found


def _recipe(name, function, takes, parameters, data, found) -> Recipe:
    others = [found[each] for each in takes if each in found]
    used = {each for each in takes if each in parameters}.union(*(other.parameters for other in others))
    content = encode([identity.parts(function), {each: data[each] for each in sorted(data) if each in takes},
                      sorted(other.content for other in others)])
    return Recipe(name, function, takes, tuple(sorted(used)),
                  any(each in SEEDS for each in takes) or any(other.by_trial for other in others),
                  hashlib.sha256(content.encode()).hexdigest())


def signature(owner: str, function) -> tuple[list[str], list[str], bool]:
    """Return the names that a function takes, those that it needs, and whether it takes any other name too.

    Raises:
        ParameterError: it is no function, or tells nothing of what it takes.
    """
    if not callable(function):
        raise ParameterError(f"{owner} must be a function, got {describe_value(function)}")
    try:
        given = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ParameterError(f"{owner} must have a signature, got {describe_value(function)}; wrap it in a function of "
                             "your own") from None
    named = [name for name, each in given.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    needed = [name for name, each in given.items()
              if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    return named, needed, any(each.kind is each.VAR_KEYWORD for each in given.values())


def _takes(name, function, names) -> tuple[str, ...]:
    owner = f"sweep.shared[{name!r}]"
    named, needed, catches_all = signature(owner, function)
    if catches_all:
        raise ParameterError(f"{owner} must name what it takes, got a function with **: it would be made anew for "
                             "every point")
    unknown = [each for each in needed if each not in names]
    if unknown:
        raise ParameterError(f"{owner} must take parameters, data, shared values, `seed` or `trial`, got "
                             f"{unknown[0]!r}{meant(unknown[0], names)}")
    if name in named:
        raise ParameterError(f"sweep.shared must not go round in a circle, got {name}, which needs itself")
    return tuple(each for each in named if each in names)



__all__ = ["SEEDS", "Recipe", "recipes", "signature"]
