"""Compiles kernels, once for all processes.

A kernel is a text plus the scalar bodies (leaves) that it calls. Numba's own cache does not notice
when a function that a cached one calls has changed, so the text goes, together with a fingerprint of
every leaf (bytecode, constants, globals and closure cells, recursively), to a file named by its hash
in our own cache folder, and Numba caches that file's function. A kernel is recompiled exactly when
something that it is made of has changed.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
import types as pytypes
import warnings
from functools import cache
from pathlib import Path

import numba
import numpy as np

from neurosim import maths
from neurosim.engine import elementary
from neurosim.errors import NeurosimWarning

KERNEL = numba.types.void(numba.types.CPointer(numba.types.int64), numba.types.int64)
KEEP_FILES = 2000
VERSION = "1"  # raise it when the way in which leaves are compiled changes

_SUBSTITUTES = {maths.exp: elementary.exp, maths.log: elementary.log}  # taken as they are: Numba finds their overloads
_OVERLOADS = {elementary.exp: (elementary._exp32, elementary._exp64), elementary.log: (elementary._log64,)}
_loaded: dict[str, object] = {}
_leaves: dict[tuple, object] = {}
_lock = threading.Lock()


def cache_folder() -> Path | None:
    """Return the folder for compiled kernels, or None where none can be written.

    The environment variable NEUROSIM_CACHE names another one.
    """
    chosen = os.environ.get("NEUROSIM_CACHE")
    if chosen:
        folder = Path(chosen)
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "neurosim" / "cache"
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neurosim"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def fingerprint(value, seen=None) -> str:
    """Return a text that changes when the value, or anything that a function depends on, changes."""
    seen = {} if seen is None else seen
    if isinstance(value, pytypes.FunctionType):
        return _function_fingerprint(value, seen)
    if isinstance(value, numba.core.extending._Intrinsic):
        return "intrinsic:" + fingerprint(value._defn, seen)
    if isinstance(value, numba.core.dispatcher.Dispatcher):
        return "jit:" + fingerprint(value.py_func, seen)
    if isinstance(value, pytypes.CodeType):
        parts = [value.co_code.hex(), repr(value.co_names), repr(value.co_varnames), repr(value.co_freevars)]
        return "code(" + ",".join(parts + [fingerprint(const, seen) for const in value.co_consts]) + ")"
    if isinstance(value, (tuple, list, frozenset)):
        items = (sorted(map(repr, value)) if isinstance(value, frozenset)
                 else [fingerprint(item, seen) for item in value])
        return type(value).__name__ + "(" + ",".join(items) + ")"
    if isinstance(value, np.ndarray):
        return f"array({value.dtype},{value.shape},{hashlib.sha256(value.tobytes()).hexdigest()})"
    if isinstance(value, np.generic):
        return f"{value.dtype}:{value.item()!r}"
    if isinstance(value, pytypes.ModuleType):
        return f"module:{value.__name__}"
    return (f"{type(value).__name__}:{value!r}" if _has_plain_repr(value)
            else f"named:{getattr(value, '__name__', type(value))}")


def _has_plain_repr(value) -> bool:
    return value is None or isinstance(value, (bool, int, float, complex, str, bytes))


def _function_fingerprint(function, seen) -> str:
    function = _SUBSTITUTES.get(function, function)
    if function in _OVERLOADS:
        return "overload(" + ",".join(fingerprint(body, seen) for body in _OVERLOADS[function]) + ")"
    if function in seen:
        return f"again:{seen[function]}"
    seen[function] = len(seen)
    outside = [f"{name}={fingerprint(value, seen)}" for name, value in sorted(_outside(function).items())]
    return f"def({fingerprint(function.__code__, seen)};{','.join(outside)};{function.__defaults__!r})"


def _names(code):
    names = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, pytypes.CodeType):
            names |= _names(const)
    return names


def _outside(function) -> dict:
    """Return what a function takes from its module and from its closure, by name."""
    globals_ = {name: function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return globals_ | {name: cell.cell_contents for name, cell in cells}


def compile_leaf(function, real):
    """Return a scalar body compiled for float type `real`, and with it the bodies that it calls.

    In float32 the float constants of the body become float32, so that `0.04 * v` stays narrow.
    """
    function = _SUBSTITUTES.get(function, function)
    if function in _OVERLOADS or not isinstance(function, pytypes.FunctionType):
        return function
    key = (real, fingerprint(function))
    if key not in _leaves:
        _leaves[key] = numba.njit(error_model="numpy", forceinline=True)(_narrowed(function, real))
    return _leaves[key]


def _narrowed(function, real):
    def narrow(value):
        if isinstance(value, tuple):
            return tuple(map(narrow, value))
        return real(value) if type(value) is float else value

    def convert(value):
        return compile_leaf(value, real) if isinstance(value, pytypes.FunctionType) else narrow(value)

    code = function.__code__
    code = code.replace(co_consts=tuple(map(narrow, code.co_consts)))
    outside = {name: convert(value) for name, value in _outside(function).items()}
    cells = tuple(pytypes.CellType(outside[name]) for name in code.co_freevars) or None
    copy = pytypes.FunctionType(code, {**function.__globals__, **outside}, function.__name__,
                                function.__defaults__, cells)
    return copy


def load_kernel(name: str, text: str, leaves: dict, real=np.float64) -> int:
    """Return the address of the compiled function `kernel(arguments, tick)` that a text defines.

    Args:
        name: what the kernel is, for the file's name.
        text: source of a module that defines `kernel`.
        leaves: scalar bodies by the names under which the text calls them.
        real: float type of the constants in the leaves.
    """
    return _load(name, text, leaves, real, _kernel_of).address


def load_function(name: str, text: str, leaves: dict, real=np.float64):
    """Return the jitted, GIL-free function `main` that a text defines, called from Python."""
    return _load(name, text, leaves, real, _function_of)


def _kernel_of(module, keep):
    return numba.cfunc(KERNEL, cache=keep, error_model="numpy")(module.kernel)


def _function_of(module, keep):
    return _Function(module, numba.njit(nogil=True, cache=keep, error_model="numpy")(module.main), keep)


class _Function:
    """A jitted function; it is loaded from the cache at its first call, so that is where a damaged entry shows."""

    def __init__(self, module, jitted, cached):
        self.module, self.jitted, self.cached = module, jitted, cached

    def __call__(self, *arguments):
        if not self.cached or self.jitted.overloads:
            return self.jitted(*arguments)
        try:
            self.jitted.compile(tuple(map(numba.typeof, arguments)))
        except Exception:
            _forget(Path(self.module.__file__))
            self.jitted, self.cached = numba.njit(nogil=True, error_model="numpy")(self.module.main), False
        return self.jitted(*arguments)


def _load(name, text, leaves, real, finish):
    parts = [VERSION, text, np.dtype(real).name, numba.__version__, np.__version__]
    parts += [f"{key}={fingerprint(leaf)}" for key, leaf in sorted(leaves.items())]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    key = f"{name}_{digest}"
    with _lock:
        if key not in _loaded:
            _loaded[key] = _build(key, text, leaves, real, finish)
        return _loaded[key]


def _build(key, text, leaves, real, finish):
    compiled = {alias: compile_leaf(leaf, real) for alias, leaf in leaves.items()}
    folder = _folder()
    if folder is None:
        return finish(_in_memory(key, text, compiled), False)
    path = folder / f"{key}.py"
    _write(path, text)
    try:
        return finish(_module(key, path, text, compiled), True)
    except Exception:  # a damaged entry, or one whose leaf has gone, must never stop a run: compile afresh
        _forget(path)
        return finish(_in_memory(key, text, compiled), False)


@cache
def _folder() -> Path | None:
    """Return the cache folder of this process; say once where there is none."""
    folder = cache_folder()
    if folder is None:
        warnings.warn("compiled kernels cannot be kept: no cache folder can be written; set NEUROSIM_CACHE to one",
                      NeurosimWarning, stacklevel=2)
    return folder


def _forget(path: Path) -> None:
    for part in path.parent.glob(f"__pycache__/{path.stem}.*"):
        part.unlink(missing_ok=True)


def _module(key, path, text, compiled):
    name = f"neurosim_cache.{key}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    module.__dict__.update(compiled)
    sys.modules[name] = module
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def _in_memory(key, text, compiled):
    module = pytypes.ModuleType(f"neurosim_memory.{key}")
    module.__dict__.update(compiled)
    exec(compile(text, f"<{key}>", "exec"), module.__dict__)
    return module


def _write(path: Path, text: str) -> None:
    """Write a file whole, unless it is there; two processes may do it at once."""
    if path.exists():
        os.utime(path)
        return
    _prune(path.parent)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def _prune(folder: Path) -> None:
    """Remove the kernels that were not used for longest, with what Numba keeps beside them."""
    files = sorted(folder.glob("*.py"), key=_age)
    for old in files[:max(0, len(files) - KEEP_FILES)]:
        old.unlink(missing_ok=True)
        _forget(old)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
