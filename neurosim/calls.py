"""Calls whose arguments do not fit are answered in one sentence that lists what fits."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from neurosim.errors import ParameterError

P = ParamSpec("P")
R = TypeVar("R")


def meant(name: str, names: Iterable[str]) -> str:
    """Return the name that was probably meant, as the end of a message; nothing where none is near.

    >>> meant("weigth", ["weight", "delay"])
    "; did you mean 'weight'?"
    """
    from difflib import get_close_matches

    near = get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def takes(signature: inspect.Signature) -> str:
    """Return the names of arguments as text; those that must be given by name end in "="."""
    shown = [f"{name} by name, name=..." if each.kind is each.VAR_KEYWORD else name + "=" * (
        each.kind is each.KEYWORD_ONLY) for name, each in signature.parameters.items() if name != "self"]
    return ", ".join(shown) or "no arguments"


def misfit(owner: str, signature: inspect.Signature, error: TypeError, given: Iterable[str]) -> ParameterError:
    """Return the error for a call that does not fit a signature.

    Args:
        owner: what was called.
        signature: its signature.
        error: what `signature.bind` said.
        given: the names that were given.
    """
    unknown = [name for name in given if name not in signature.parameters]
    near = meant(unknown[0], signature.parameters) if unknown else ""
    return ParameterError(f"{owner}: {error}; it takes {takes(signature)}{near}")


def _unbound(signature: inspect.Signature, args: tuple, kwargs: dict) -> TypeError | None:
    """Return what is wrong with the arguments of a call."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return error
    return None


def arguments_listed(function: Callable[P, R]) -> Callable[P, R]:
    """Let a public function answer a misspelt or misplaced argument with the names that it takes.

    >>> @arguments_listed
    ... def scale(value, *, factor=1.0):
    ...     return factor * value
    >>> scale(2.0, facter=3.0)
    Traceback (most recent call last):
    neurosim.errors.ParameterError: scale: got an unexpected keyword argument 'facter'; it takes value, factor=; \
did you mean 'factor'?
    """
    signature = inspect.signature(function)
    owner = function.__name__ if function.__name__ != "__init__" else function.__qualname__.split(".")[-2]

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError:
            if error := _unbound(signature, args, kwargs):  # asked only now, as it takes longer than many a call
                raise misfit(owner, signature, error, kwargs) from None
            raise

    return called
