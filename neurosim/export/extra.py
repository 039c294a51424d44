"""Packages of other tools, imported when they are first used, or one sentence that says how to get them."""

from importlib import import_module
from typing import Any

from neurosim.errors import UnsupportedError


def need(module: str, what: str, extra: str) -> Any:
    """Return a module of an optional package.

    Args:
        module: its name, such as "neo.io".
        what: what needs it, the beginning of the sentence.
        extra: the extra of neurosim that brings it.

    Raises:
        UnsupportedError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UnsupportedError(f"{what} must have the package {module.split('.')[0]}, which cannot be imported "
                               f'({error}); get it with pip install "neurosim-toolkit[{extra}]"') from None
