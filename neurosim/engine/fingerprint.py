"""What a compiled function is made of, as a text that changes when anything of it changes.

Numba notices a change of a function's own source only. A body also depends on what it names: constants and
functions of its module, of its closure, and of other modules (`consts.RATE`), however deep.
"""

import enum
import hashlib
import os
import sys
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numba.core import dispatcher, extending

from neurosim import maths
from neurosim.engine import elementary

#: taken as they are: Numba finds their overloads
SUBSTITUTES: dict[Any, Any] = {maths.exp: elementary.exp, maths.log: elementary.log}
OVERLOADS: dict[Any, tuple] = {elementary.exp: (elementary.exp32, elementary.exp64),
                               elementary.log: (elementary.log64,)}
#: packages that change with their version only, which is part of every key
_VERSIONED = {"numpy", "numba", "llvmlite"}
_STANDARD = os.path.dirname(os.__file__)  #: where Python's own modules are


def fingerprint(value: Any, names: frozenset = frozenset(), seen: dict | None = None) -> str:
    """Return a text that changes when the value, or anything that a function depends on, changes.

    Args:
        value: a function, or what a function names.
        names: attributes that are looked up in the value where it is a module.
        seen: functions and modules that are being described, by their number.
    """
    seen = {} if seen is None else seen
    if isinstance(value, types.FunctionType):
        return _of_function(value, seen)
    if isinstance(value, extending._Intrinsic):
        return "intrinsic:" + fingerprint(value._defn, names, seen)
    if isinstance(value, dispatcher.Dispatcher):
        return "jit:" + fingerprint(value.py_func, names, seen)
    if isinstance(value, types.ModuleType):
        return _of_module(value, names, seen)
    if isinstance(value, types.CodeType):
        parts = [value.co_code.hex(), repr(value.co_names), repr(value.co_varnames), repr(value.co_freevars)]
        return "code(" + ",".join(parts + [fingerprint(const, names, seen) for const in value.co_consts]) + ")"
    if isinstance(value, (tuple, list)):
        fields = getattr(value, "_fields", "")
        return f"{type(value).__name__}{fields}({','.join(fingerprint(item, names, seen) for item in value)})"
    if isinstance(value, frozenset):
        return f"frozenset({sorted(map(repr, value))})"
    if isinstance(value, np.ndarray):
        return f"array({value.dtype},{value.shape},{hashlib.sha256(value.tobytes()).hexdigest()})"
    if isinstance(value, np.generic):
        return f"{value.dtype}:{value.item()!r}"
    if isinstance(value, enum.EnumType):
        members: Any = value
        return f"enum({[(member.name, member.value) for member in members]})"
    return f"{type(value).__name__}:{value!r}"  # an address in the text means compiling anew in every process


def is_versioned(module: types.ModuleType) -> bool:
    """Return whether a module changes with its version only; those of Python itself hold what differs from process to
    process besides, such as `os.environ`."""
    package, file = module.__name__.partition(".")[0], getattr(module, "__file__", None) or _STANDARD
    return package in _VERSIONED or (package in sys.stdlib_module_names and file.startswith(_STANDARD))


def names_of(code: types.CodeType) -> frozenset:
    """Return all names that a function's code, and the functions within it, look up in modules and objects."""
    names = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            names |= names_of(const)
    return frozenset(names)


def outside(function: types.FunctionType) -> dict:
    """Return what a function takes from its module and from its closure, by name."""
    globals_ = {name: function.__globals__[name] for name in names_of(function.__code__)
                if name in function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return globals_ | {name: cell.cell_contents for name, cell in cells}


def used_of(module: types.ModuleType, names: frozenset) -> dict:
    """Return what of a module may be meant where a function that uses it names these attributes."""
    return {name: vars(module)[name] for name in sorted(names) if name in vars(module)}


def functions_in(function: types.FunctionType, seen: set | None = None) -> Iterator[types.FunctionType]:
    """Yield a function and all Python functions that it calls, however deep."""
    seen = set() if seen is None else seen
    if function in seen or function in SUBSTITUTES:
        return
    seen.add(function)
    yield function
    names, values = names_of(function.__code__), list(outside(function).values())
    for value in values:
        if isinstance(value, types.FunctionType):
            yield from functions_in(value, seen)
        elif isinstance(value, types.ModuleType) and not is_versioned(value) and (value, names) not in seen:
            seen.add((value, names))
            values += used_of(value, names).values()


def _of_module(module, names, seen):
    if is_versioned(module) or (module, names) in seen:
        return f"module:{module.__name__}"
    seen[module, names] = len(seen)
    used = [f"{name}={fingerprint(value, names, seen)}" for name, value in used_of(module, names).items()]
    return f"module:{module.__name__}({','.join(used)})"


def _of_function(function, seen):
    function = SUBSTITUTES.get(function, function)
    if function in OVERLOADS:
        return "overload(" + ",".join(fingerprint(body, frozenset(), seen) for body in OVERLOADS[function]) + ")"
    if function in seen:
        return f"again:{seen[function]}"
    if _is_ours(function):
        return _of_ours(function)
    seen[function] = len(seen)
    return _described(function, seen)


def _is_ours(function) -> bool:
    """Return whether a function is one of this package that nobody changes while it runs."""
    return str(function.__module__).startswith("neurosim.") and function.__closure__ is None


@lru_cache(maxsize=1024)
def _of_ours(function) -> str:
    return _described(function, {function: 0})


def _described(function, seen):
    names = names_of(function.__code__)
    parts = [f"{name}={fingerprint(value, names, seen)}" for name, value in sorted(outside(function).items())]
    return f"def({fingerprint(function.__code__, names, seen)};{','.join(parts)};{function.__defaults__!r})"
