"""What is said when the body of a model or rule cannot be compiled: which body, which line, and what is allowed."""

import dis
import linecache
import os
import re
import types

from neurosim.engine.fingerprint import functions_in
from neurosim.errors import ModelError

ALLOWED = ("a body may use its arguments and numbers, arithmetic, comparisons, if and loops, functions of "
           "neurosim.maths and math, other functions of this kind, and numbers that its module holds")
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')
_COLOURS = re.compile("\x1b\\[[0-9;]*m")


def refusal(name: str, text: str, leaves: dict, compiled: dict, error: Exception) -> ModelError:
    """Return the error that names the body on which the compiler stopped.

    Args:
        name: the kernel.
        text: its source, which calls the bodies by the names in `leaves`.
        leaves: scalar bodies by name.
        compiled: the same as Numba's functions.
        error: what Numba raised.
    """
    told = _COLOURS.sub("", str(error)).strip() or type(error).__name__
    bodies = {alias: leaf for alias, leaf in leaves.items() if isinstance(leaf, types.FunctionType)
              and not is_ours(leaf)}
    places = [(path, int(line)) for path, line in _PLACE.findall(told)]
    found = _culprit(places + _begun(error), bodies.values()) or _caller(places, text, bodies)
    if found:
        body, function, line = found
        code = linecache.getline(function.__code__.co_filename, line).strip()
        subject = f"{_title(body)} cannot be compiled: {_place(function, line)}" + (f" (`{code}`)" if code else "")
        if function is not body:
            subject += f" in {_title(function)}, which it calls"
    else:
        returned = [f"{_title(leaf)} returns {' or '.join(_returned(compiled[alias])) or 'what is not known'}"
                    for alias, leaf in bodies.items()]
        subject = f"the kernel {name!r} cannot be compiled" + (", where " if returned else "") + ", ".join(returned)
    return ModelError(f"{subject}; {ALLOWED}. The compiler says:\n{told}")


def refuse_what_fails_later(leaves: dict, compiled: dict) -> None:
    """Raise a ModelError for bodies that compile but would fail unseen within a loop."""
    for alias, leaf in leaves.items():
        if not isinstance(leaf, types.FunctionType) or is_ours(leaf):
            continue
        for function in functions_in(leaf):
            for step in dis.get_instructions(function):
                if step.opname == "RAISE_VARARGS":
                    raise ModelError(f"{_title(function)} ({_place(function, _first(function))}) raises or asserts, "
                                     f"which nobody would see within a compiled loop; {ALLOWED}")
        for kind in _returned(compiled[alias]):
            if "Optional" in kind or "generator" in kind:
                raise ModelError(f"{_title(leaf)} ({_place(leaf, _first(leaf))}) must return numbers on every path, "
                                 f"but may return {kind}")


def _returned(dispatcher) -> list:
    return sorted({str(overload.signature.return_type) for overload in dispatcher.overloads.values()})


def _first(function) -> int:
    return function.__code__.co_firstlineno


def _culprit(places, bodies):
    """Return (body, function in it, line) for the first place that lies in a body."""
    for path, line in places:
        for body in bodies:
            for function in functions_in(body):
                lines = [at for _, _, at in function.__code__.co_lines() if at]
                if _same(path, function.__code__.co_filename) and min(lines) <= line <= max(lines):
                    return body, function, line
    return None


def _begun(error) -> list:
    """Return where the functions begin that were being compiled, innermost first; Python's own errors tell no line."""
    found, step = [], error.__traceback__
    while step is not None:
        function = getattr(step.tb_frame.f_locals.get("self"), "py_func", None)
        if isinstance(function, types.FunctionType):
            found.insert(0, (function.__code__.co_filename, _first(function)))
        step = step.tb_next
    return found


def _caller(places, text, bodies):
    """Return the body that is called in the line of the kernel's own text to which a place points."""
    lines = text.splitlines()
    for _, number in places:
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        for alias, body in bodies.items():
            if re.search(rf"\b{re.escape(alias)}\(", line):
                return body, body, _first(body)
    return None


def _same(path, filename) -> bool:
    """Numba writes a path relative to the working folder."""
    return path == filename or os.path.abspath(path) == os.path.abspath(filename)


def is_ours(function: types.FunctionType) -> bool:
    """Return whether a body is one of the package's own."""
    return (function.__module__ or "").startswith("neurosim.")


def _title(function) -> str:
    return function.__qualname__.rpartition("<locals>.")[2]


def _place(function, line) -> str:
    return f"{os.path.basename(function.__code__.co_filename)}, line {line}"
