"""What is said when a model, rule or current of one's own is made and a body or a declaration is not what it must be.

Each scalar body is called once in plain Python, with the numbers that it would begin with: whoever forgets a return or
a value is told then, and not by a compiler or by a run in which nothing happens.
"""

import builtins
import inspect
import math
import numbers
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from neurosim.checks import Option, Samples, Timed, describe_value
from neurosim.errors import ParameterError

_SAFE = {"abs", "bool", "float", "int", "len", "max", "min", "pow", "range", "round"}  #: builtins without effects


def check_once(owner, check) -> None:
    """Call `check()`, unless it has passed for an object of the same class with the same options."""
    cls = type(owner)
    options = repr([owner.__dict__[name] for name, each in cls.parameters.items() if isinstance(each, Option)])
    seen = vars(cls).get("_sound", frozenset())
    if options not in seen:
        check()
        cls._sound = seen | {options}


def changed_below(owner, form: str, bodies) -> list[str]:
    """Return which bodies a class changes without saying anew what depends on them.

    Args:
        owner: an object of the class.
        form: name of what depends on the bodies.
        bodies: their names.
    """
    order = type(owner).__mro__

    def place(name):
        return next((k for k, cls in enumerate(order) if name in vars(cls)), len(order))

    return [name for name in bodies if place(name) < place(form)]


def check_static(owner, names) -> None:
    """Refuse bodies that would get the object as their first argument."""
    for name in names:
        if isinstance(inspect.getattr_static(type(owner), name, None), FunctionType):
            raise ParameterError(f"{type(owner).__name__}.{name} must be a static method: write @staticmethod on the "
                                 "line above it, and give it no self")


def check_kind(owner, name: str, kind: type, example: str) -> None:
    """Refuse a declaration whose values are not of the kind that it holds."""
    held = getattr(owner, name)
    if not isinstance(held, dict):
        raise ParameterError(f"{type(owner).__name__}.{name} must be a dict such as {{'x': {example}}}, got "
                             f"{describe_value(held)}")
    for key, value in held.items():
        if not isinstance(value, kind):
            raise ParameterError(f"{type(owner).__name__}.{name}[{key!r}] must be a {kind.__name__}, such as "
                                 f"{example}, got {describe_value(value)}")


def check_returns(owner, name: str, known: dict[str, Any], results: list[str], what: str = "") -> None:
    """Call a body once and refuse what it returns if that is not what is expected.

    A body that asks for what is not known here, or that does more than compute, is left to the compiler.

    Args:
        owner: the object.
        name: of the body.
        known: what a body may ask for by name, as numbers.
        results: what it must return, in order.
        what: the same in words, where that is clearer.
    """
    body = getattr(owner, name)
    wanted = list(inspect.signature(body).parameters) if isinstance(body, FunctionType) else None
    if wanted is None or not set(wanted) <= set(known) or not _computes(body):
        return
    try:
        found = body(*(known[each] for each in wanted))
    except Exception:  # numbers that overflow, and what the compiler tells better
        return
    values = found if isinstance(found, tuple) else (found,)
    if len(values) == len(results) and all(isinstance(each, (numbers.Real, np.number, np.bool_)) for each in values):
        return
    count = "1 value" if len(values) == 1 else f"{len(values)} values"
    got = "nothing" if found is None else repr(found) if len(values) == len(results) else count
    raise ParameterError(f"{type(owner).__name__}.{name} must return {what or _listed(results)}, but returns {got}; "
                         f"end it with `return {', '.join(results)}`")


def plain(owner) -> SimpleNamespace:
    """Return the parameters of one element as plain numbers."""
    return SimpleNamespace(**{name: _one(value) for name, value in owner.values().items()})


def starts(state: dict, p: SimpleNamespace) -> dict[str, float]:
    """Return the numbers at which variables begin; they are also put among the parameters, as functions may ask."""
    found = {}
    for name, each in state.items():
        initial: Any = each.initial(p) if callable(each.initial) else _one(each.initial)
        found[name] = float(np.ravel(initial)[0])
        if name == "v":
            p.v = found[name]
    return found


def as_numbers(values: dict) -> dict[str, Any]:
    """Return coefficients as numbers of one element."""
    return {name: value if isinstance(value, str) or value is None else float(np.ravel(value)[0])
            for name, value in values.items()}


def _one(value):
    if isinstance(value, Samples):
        return float(value.at(0.5))
    if isinstance(value, Timed):
        return float(np.ravel(value.values)[0])
    return float(np.ravel(value)[0]) if isinstance(value, np.ndarray) else value


def _computes(body) -> bool:
    """Return whether a body, and the functions of Python that it calls, use nothing that could have an effect."""
    seen, left = set(), [body]
    while left:
        function = left.pop()
        if function in seen:
            continue
        seen.add(function)
        scope = inspect.getclosurevars(function)
        if scope.unbound - set(dir(math)) - set(dir(np)) or not set(scope.builtins) <= _SAFE:
            return False
        for value in (*scope.globals.values(), *scope.nonlocals.values()):
            if isinstance(value, FunctionType):
                left.append(value)
            elif not (value is math or value is np or isinstance(value, (numbers.Number, np.number))
                      or getattr(math, getattr(value, "__name__", ""), None) is value
                      or getattr(builtins, getattr(value, "__name__", ""), None) is value):
                return False
    return True


def _listed(results) -> str:
    return results[0] if len(results) == 1 else f"{len(results)} values, {', '.join(results)}"


