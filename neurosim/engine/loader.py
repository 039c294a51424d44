"""Compiles kernels, once for all processes.

A kernel is a text plus the scalar bodies (leaves) that it calls. Its key is a hash of the text and of a fingerprint of
every leaf (`engine/fingerprint.py`), under which the machine code is kept for other processes (`engine/store.py`): a
kernel is compiled again exactly when something that it is made of has changed.
"""

import hashlib
import sys
import threading
import types as pytypes
from functools import partial
from typing import Any

import numba
import numpy as np
from numba.core.ccallback import CFunc

from neurosim.engine.checked import CHECKING, NAMES, as_error, body_with_checks, with_checks
from neurosim.engine.fingerprint import (
    OVERLOADS,
    SUBSTITUTES,
    fingerprint,
    is_versioned,
    names_of,
    outside,
    used_of,
)
from neurosim.engine.refusal import refusal, refuse_what_fails_later
from neurosim.engine.store import Entry
from neurosim.errors import ModelError

# What only compiled code calls needs no doors from Python and C, which take longer to compile than a short function.
INNER = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INNER_TEXT = ", ".join(f"{name}={value!r}" for name, value in INNER.items())  #: as options in the text of a kernel

ARGUMENTS = (numba.types.CPointer(numba.types.int64), numba.types.int64)
VERSION = "3"  # raise it when the way in which leaves are compiled changes

_loaded: dict[str, object] = {}
_leaves: dict[tuple, object] = {}
_being_made: set[tuple] = set()
_lock = threading.Lock()


def load_kernel(name: str, text: str, leaves: dict, real=np.float64) -> int:
    """Return the address of the compiled function `kernel(arguments, tick)` that a text defines.

    Args:
        name: what the kernel is, for the file's name.
        text: source of a module that defines `kernel`.
        leaves: scalar bodies by the names under which the text calls them.
        real: float type of the constants in the leaves.

    Raises:
        ModelError: a body cannot be compiled.
    """
    return _load(name, text, leaves, real, _kernel_of).address


def load_function(name: str, text: str, leaves: dict, real: Any = np.float64, checking: bool = CHECKING) -> Any:
    """Return the compiled, GIL-free function `main` that a text defines, called from Python.

    It is compiled, or fetched, when it is first called with arguments of new types, and raises a ModelError then
    where a body cannot be compiled. With `checking` it raises a SimulationError for an index that is not in its array.
    """
    return _load(name, text, leaves, real, _function_of, checking)


def _load(name, text, leaves, real, finish, checking=CHECKING) -> Any:
    parts = [VERSION, str(checking), text, np.dtype(real).name, numba.__version__, np.__version__, sys.version]
    parts += [f"{key}={fingerprint(leaf)}" for key, leaf in sorted(leaves.items())]
    key = f"{name}_{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:24]}"
    with _lock:
        if key not in _loaded:
            compiled = {alias: compile_leaf(leaf, real, checking) for alias, leaf in leaves.items()}
            if checking:
                text, compiled = with_checks(name, text), compiled | NAMES
            refused = partial(refusal, name, text, leaves, compiled)
            entry = Entry(key, text, check=partial(refuse_what_fails_later, leaves, compiled))
            _loaded[key] = finish(_module(key, text, compiled), entry, refused, checking)
        return _loaded[key]


def _kernel_of(module, entry, refused, checking):
    options = {"error_model": "numpy", "boundscheck": checking}
    kernel: Any = CFunc(module.kernel, (ARGUMENTS, numba.types.void), {}, options)
    kernel._cache = entry
    try:
        kernel.compile()
    except ModelError:
        raise
    except Exception as error:  # besides its own errors, Numba raises whatever it meets while it reads a body
        raise refused(error) from None
    return kernel


def _function_of(module, entry, refused, checking):
    jitted: Any = numba.njit(nogil=True, error_model="numpy", boundscheck=checking)(module.main)
    jitted._cache = entry

    def call(*arguments):
        try:
            return jitted(*arguments)
        except Exception as error:
            trace = error.__traceback__
            running = trace is None or trace.tb_next is None  # compiled code has no frames of Python below
            if checking and isinstance(error, IndexError):
                raise as_error(error) from None
            if running or isinstance(error, ModelError):
                raise
            raise refused(error) from None

    call.module, call.jitted = module, jitted  # what is compiled, which tests look at
    return call


def _module(key, text, compiled):
    """Return the module that a text defines; Numba looks for it by name when it fetches what belongs to it."""
    module = pytypes.ModuleType(f"neurosim_kernels.{key}")
    module.__dict__.update(compiled)
    sys.modules[module.__name__] = module
    exec(compile(text, f"{key}.py", "exec"), module.__dict__)
    return module


# ---------------------------------------------------------------------------------------------------------------------
# Leaves
# ---------------------------------------------------------------------------------------------------------------------

def compile_leaf(function, real, checking: bool = CHECKING):
    """Return a scalar body compiled for float type `real`, and with it the bodies that it calls.

    In float32 the float constants of the body become float32, so that `0.04 * v` stays narrow.
    """
    function = SUBSTITUTES.get(function, function)
    if function in OVERLOADS or not isinstance(function, pytypes.FunctionType):
        return function
    key = (real, checking, fingerprint(function))
    if key in _being_made:
        raise ModelError(f"{function.__qualname__} calls itself, which a body that is compiled into a loop cannot")
    if key not in _leaves:
        _being_made.add(key)
        try:
            _leaves[key] = _compiled(function, real, checking)
        finally:
            _being_made.discard(key)
    return _leaves[key]


def _compiled(function, real, checking):
    names = names_of(function.__code__)
    used = {name: _convert(value, real, names, checking) for name, value in outside(function).items()}
    function = body_with_checks(function, used) if checking else function
    return numba.njit(forceinline=True, boundscheck=checking, **INNER)(_narrowed(function, real, used))


def _narrowed(function, real, used):
    code = function.__code__
    names = names_of(code)
    code = code.replace(co_consts=tuple(_convert(value, real, names, False) for value in code.co_consts))
    cells = tuple(pytypes.CellType(used[name]) for name in code.co_freevars) or None
    return pytypes.FunctionType(code, {**function.__globals__, **used}, function.__name__, function.__defaults__, cells)


def _convert(value, real, names, checking):
    """Return what a body names as it is compiled: functions as leaves, floats, also in tuples and modules, narrow."""
    if isinstance(value, pytypes.FunctionType):
        return compile_leaf(value, real, checking)
    if isinstance(value, pytypes.ModuleType):
        used = used_of(value, names)
        if is_versioned(value) and not any(type(found) is float for found in used.values()):
            return value
        twin = pytypes.ModuleType(value.__name__)
        twin.__dict__.update({name: _convert(found, real, names - {name}, checking) for name, found in used.items()})
        return twin
    if type(value) is tuple:
        return tuple(_convert(item, real, names, checking) for item in value)
    return real(value) if type(value) is float else value
