"""What a swept function is made of: a digest for each part, so that a message can say which one has changed.

Parts are the functions and classes of the user's own files that it calls, however deep, and the plain values that these
take from their modules. Of installed packages the version of neurosim alone counts.
"""

import functools
import hashlib
import inspect
import sys
import sysconfig
import types
from pathlib import Path

from neurosim import __version__
from neurosim.errors import ParameterError
from neurosim.sweep.encoding import encode

_INSTALLED = [Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")]


def parts(function) -> dict[str, str]:
    """Return a digest of each part of a function, by name.

    >>> sorted(parts(lambda x: x + 1))
    ['<lambda>', 'neurosim']
    """
    found = {"neurosim": __version__}
    _add(function, found, set())
    if isinstance(function, types.FunctionType) and not _is_own(function):  # of a package: that one at least
        _add_function(function, found, set())
    return dict(sorted(found.items()))


def difference(before: dict, now: dict) -> str:
    """Return which parts differ, as the middle of a message."""
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")


def _add(value, found, seen, name=""):
    """Add the parts of a function, class, module or plain value."""
    if isinstance(value, functools.partial):
        _add((value.args, value.keywords), found, seen, "arguments of partial")
        return _add(value.func, found, seen)
    if isinstance(value, types.MethodType):
        return _add(value.__func__, found, seen)
    value = inspect.unwrap(value) if callable(value) else value
    value = getattr(value, "py_func", value)  # of what Numba compiles
    if id(value) in seen:
        return None
    if isinstance(value, types.FunctionType):
        seen.add(id(value))
        if _is_own(value):
            _add_function(value, found, seen)
    elif inspect.isclass(value):
        seen.add(id(value))
        if _is_own(value):
            for each in (value.__mro__[1:], *vars(value).values()):
                _add_member(each, found, seen, value.__qualname__)
    elif isinstance(value, types.ModuleType) or value is None:
        return None
    elif callable(value) and _is_own(type(value)):
        seen.add(id(value))
        _add(type(value), found, seen)
        _add(dict(getattr(value, "__dict__", {})), found, seen, f"fields of {type(value).__qualname__}")
    elif name:
        text = _plain(value)
        if text:
            found[name] = _digest(text)
    return None


def _add_function(function, found, seen):
    name = function.__qualname__
    text = f"{_code(function.__code__)} {_plain(function.__defaults__)} {_plain(function.__kwdefaults__)}"
    found[name] = _digest(found.get(name, "") + text)
    names = _names(function.__code__)
    cells = {}
    for free, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            cells[free] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    used = {each: function.__globals__[each] for each in names if each in function.__globals__} | cells
    for each, value in sorted(used.items()):
        _add(value, found, seen, f"{each}, which {name} uses")
        if isinstance(value, types.ModuleType) and _is_own(value):
            for inner in sorted(names & set(vars(value))):
                _add(vars(value)[inner], found, seen, f"{each}.{inner}, which {name} uses")


def _add_member(member, found, seen, owner):
    if isinstance(member, tuple):
        for base in member:
            _add(base, found, seen)
    elif isinstance(member, (staticmethod, classmethod)):
        _add(member.__func__, found, seen)
    elif isinstance(member, property):
        for each in (member.fget, member.fset):
            _add(each, found, seen)
    elif isinstance(member, types.FunctionType):
        _add(member, found, seen)


def _is_own(value) -> bool:
    """Whether a function, class or module comes from the user's files, not from an installed package."""
    module = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None) or ""
    top = module.partition(".")[0]
    if top in ("neurosim", "learning_rules", "hardware_models") or top in sys.stdlib_module_names - {"__main__"}:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return top not in sys.builtin_module_names
    return not any(folder in Path(file).resolve().parents for folder in _INSTALLED)


def _names(code) -> set:
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _code(code) -> str:
    consts = [_code(const) if isinstance(const, types.CodeType) else
              str(sorted(map(repr, const))) if isinstance(const, frozenset) else repr(const)
              for const in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {consts}"


def _plain(value) -> str:
    """Return the text of a value that can be saved; nothing for an empty list or dict, often a store that fills."""
    if isinstance(value, (list, dict)) and not value:
        return ""
    try:
        return encode(value)
    except ParameterError:
        return ""


def _digest(text) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


__all__ = ["difference", "parts"]
