"""NEUROSIM_CHECK=1: all compiled code checks each index of each array, and a run stops with the names of both.

Compiled loops trust their lists; a wrong index reads or writes what is not theirs. With this variable set the text of
each kernel is rewritten before it is compiled, so that `x[i]` becomes `x[check_at(i, size_of(x, 0), place)]`; `place`
tells the kernel and the array. It is for tests of neurosim and of plug-ins: it is several times slower.
"""

import ast
import hashlib
import inspect
import os
import sys
import textwrap
import types as pytypes

import numba
import numpy as np
from numba import types
from numba.extending import overload

from neurosim.errors import SimulationError

CHECKING = os.environ.get("NEUROSIM_CHECK", "") not in ("", "0")

_places: dict[int, tuple[str, str]] = {}  #: number -> kernel, array
_seen: list[BaseException] = []


def size_of(array, axis):
    """Return the length of an array along an axis, or of a tuple; for compiled code."""
    raise NotImplementedError


@overload(size_of)
def _size_of(array, axis):
    if isinstance(array, types.Array):
        return lambda array, axis: array.shape[axis]
    return lambda array, axis: len(array)


# `np.int64(place)` since Numba 0.60 takes a constant argument for part of the type of what is raised, and one function
# turns those of all types of one layout into Python's: an error then carried the place of another index.


@numba.njit
def check_at(index, size, place):
    """Return an index that lies within; raise an IndexError that carries the place otherwise."""
    if index < 0 or index >= size:
        raise IndexError(np.int64(place), index, size)
    return index


@numba.njit
def check_end(index, size, place):
    """Return an end of a slice that lies within; raise an IndexError that carries the place otherwise."""
    if index < 0 or index > size:
        raise IndexError(np.int64(place), index, size)
    return index


NAMES = {"size_of": size_of, "check_at": check_at, "check_end": check_end}


def with_checks(name: str, text: str) -> str:
    """Return the text of a module in which each index is checked.

    Args:
        name: the kernel.
        text: its source.
    """
    return ast.unparse(ast.fix_missing_locations(_Checks(name).visit(ast.parse(text))))


def body_with_checks(function: pytypes.FunctionType, names: dict) -> pytypes.FunctionType:
    """Return a body in which each index is checked; one whose source is not at hand is returned as it is.

    Args:
        function: the body.
        names: what it takes from its module and its closure.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return function
    if not isinstance(tree.body[0], ast.FunctionDef):
        return function
    tree.body[0].decorator_list = []
    _Checks(function.__qualname__).visit(tree)
    scope = {**function.__globals__, **names, **NAMES}
    exec(compile(ast.fix_missing_locations(tree), function.__code__.co_filename, "exec"), scope)
    return scope[function.__name__]


def stop_if_seen() -> None:
    """Raise a SimulationError for the first index that a kernel was stopped at."""
    if _seen:
        error = _seen[0]
        _seen.clear()
        raise as_error(error)


def as_error(error: BaseException) -> SimulationError:
    """Return the error that names the kernel and the array."""
    if isinstance(error, IndexError) and error.args and error.args[0] in _places:
        (kernel, array), (index, size) = _places[error.args[0]], error.args[1:]
        return SimulationError(f"kernel {kernel!r} asks for element {index} of its array {array!r}, which has {size}")
    return SimulationError(f"a kernel failed: {error!r}")


class _Checks(ast.NodeTransformer):
    def __init__(self, kernel):
        self.kernel = kernel

    def visit_Subscript(self, node):
        self.generic_visit(node)
        if isinstance(node.value, ast.Name):
            given = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            parts: list[ast.expr] = [self._checked(node.value.id, axis, part) for axis, part in enumerate(given)]
            node.slice = ast.Tuple(parts, ast.Load()) if isinstance(node.slice, ast.Tuple) else parts[0]
        return node

    def _checked(self, array, axis, part):
        if isinstance(part, ast.Constant):  # Numba's own check sees to these, also where the array is a tuple
            return part
        if isinstance(part, ast.Slice):
            low, high = (end and self._call("check_end", array, axis, end) for end in (part.lower, part.upper))
            return ast.Slice(low, high, part.step)
        return self._call("check_at", array, axis, part)

    def _call(self, check, array, axis, index):
        place = int.from_bytes(hashlib.sha256(f"{self.kernel} {array}".encode()).digest()[:6], "big")
        _places[place] = self.kernel, array
        size = ast.Call(ast.Name("size_of", ast.Load()), [ast.Name(array, ast.Load()), ast.Constant(axis)], [])
        return ast.Call(ast.Name(check, ast.Load()), [index, size, ast.Constant(place)], [])


def _note(unraisable, before=sys.unraisablehook) -> None:
    """A kernel has nobody to raise to, so what it raises is kept until its loop has ended."""
    if "numba" in repr(unraisable.object):
        _seen.append(unraisable.exc_value)
    else:
        before(unraisable)


if CHECKING:
    sys.unraisablehook = _note
