"""Scalar bodies as statements of text: what a model computes, written down while it computes with names.

A body is called with `Symbol`s in place of numbers. Each operation writes a statement and returns the symbol of its
result. Where a body decides by a value, both ways are followed and the results are chosen between by the condition;
a loop whose length depends on a value has no end on that way, and is refused.
"""

import builtins
import math
from collections.abc import Callable, Mapping
from types import FunctionType, SimpleNamespace
from typing import Any

from neurosim import maths
from neurosim.errors import UnsupportedError
from neurosim.neurons.schemes import phi

MOST_WAYS = 64  #: through one body
MOST_STATEMENTS = 5000  #: of one body


class _Fork(Exception):
    """A body decides by a condition for which no way is chosen yet."""

    def __init__(self, condition: "Symbol"):
        super().__init__(condition.text)
        self.condition = condition


class Trace:
    """The statements that a body comes to.

    Args:
        prefix: what names of intermediate results begin with.
        inline: whether expressions are put into each other instead, for places that take one expression.

    Attributes:
        lines: the statements, `name = expression`.
    """

    def __init__(self, prefix: str = "q", inline: bool = False):
        self.prefix, self.inline = prefix, inline
        self.lines: list[str] = []
        self._known: dict[str, Symbol] = {}
        self._taken: list[bool] = []
        self._at = 0

    def call(self, body: Callable, given: Mapping[str, Any]) -> list:
        """Return what a body returns, as symbols and numbers.

        Args:
            body: the function.
            given: name of an argument -> the text of an expression, or a number; others are ignored.

        Raises:
            UnsupportedError: it cannot be written as statements.
        """
        code = getattr(body, "__code__", None)
        if code is None:
            raise UnsupportedError(f"{body!r} is no function of Python, so it cannot be written as statements")
        names = code.co_varnames[:code.co_argcount]
        arguments = [Symbol(self, given[name]) if isinstance(given[name], str) else given[name] for name in names]
        function, self._ways = _symbolic(body, {}), 0
        try:
            found = self._follow(function, arguments, [])
        except (TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
            raise UnsupportedError(f"{body.__name__} cannot be written as statements: {error}") from error
        return found

    def let(self, text: str, condition: bool = False) -> "Symbol":
        """Write a statement, unless it is there already, and return its result."""
        if self.inline or condition:
            return Symbol(self, f"({text})", condition)
        if text not in self._known:
            if len(self.lines) >= MOST_STATEMENTS:
                raise UnsupportedError(f"it takes more than {MOST_STATEMENTS} statements")
            name = f"{self.prefix}{len(self.lines)}"
            self.lines.append(f"{name} = {text}")
            self._known[text] = Symbol(self, name)
        return self._known[text]

    def decide(self, condition: "Symbol") -> bool:
        """Return which way to go where a body asks whether a condition holds."""
        if self._at == len(self._taken):
            raise _Fork(condition)
        self._at += 1
        return self._taken[self._at - 1]

    def _follow(self, function, arguments, taken) -> list:
        """Return the results of a function for all ways that begin with some decisions."""
        self._ways += 1
        if self._ways > MOST_WAYS:
            raise UnsupportedError("it decides too often by values, as in a loop whose length depends on them")
        self._taken, self._at = taken, 0
        try:
            found = function(*arguments)
            return list(found) if isinstance(found, tuple) else [found]
        except _Fork as fork:
            condition = fork.condition
        yes, no = (self._follow(function, arguments, [*taken, way]) for way in (True, False))
        return [_chosen(self, condition, a, b) for a, b in zip(yes, no, strict=True)]


def _chosen(trace, condition, yes, no):
    if yes is no or (not isinstance(yes, Symbol) and not isinstance(no, Symbol) and yes == no):
        return yes
    share = f"int({condition.text})"
    return trace.let(f"{share} * {_text(yes)} + (1 - {share}) * {_text(no)}")


class Symbol:
    """A number that is not known yet: the text of an expression."""

    __hash__ = object.__hash__

    def __init__(self, trace: Trace, text: str, condition: bool = False):
        self.trace, self.text, self.condition = trace, text, condition

    def _with(self, pattern, *others):
        return self.trace.let(pattern.format(*(_text(each) for each in (self, *others))))

    def _compared(self, sign, other):
        return self.trace.let(f"{_text(self)} {sign} {_text(other)}", condition=True)

    def __add__(self, other): return self._with("{} + {}", other)
    def __radd__(self, other): return self._with("{1} + {0}", other)
    def __sub__(self, other): return self._with("{} - {}", other)
    def __rsub__(self, other): return self._with("{1} - {0}", other)
    def __mul__(self, other): return self._with("{} * {}", other)
    def __rmul__(self, other): return self._with("{1} * {0}", other)
    def __truediv__(self, other): return self._with("{} / {}", other)
    def __rtruediv__(self, other): return self._with("{1} / {0}", other)
    def __pow__(self, other): return self._with("{} ** {}", other)
    def __rpow__(self, other): return self._with("{1} ** {0}", other)
    def __neg__(self): return self._with("-{}")
    def __pos__(self): return self
    def __abs__(self): return self._with("abs({})")
    def __lt__(self, other): return self._compared("<", other)
    def __le__(self, other): return self._compared("<=", other)
    def __gt__(self, other): return self._compared(">", other)
    def __ge__(self, other): return self._compared(">=", other)
    def __eq__(self, other): return self._compared("==", other)
    def __ne__(self, other): return self._compared("!=", other)
    def __and__(self, other): return self.trace.let(f"{self.text} and {other.text}", condition=True)
    def __or__(self, other): return self.trace.let(f"{self.text} or {other.text}", condition=True)
    def __invert__(self): return self.trace.let(f"not {self.text}", condition=True)

    def __bool__(self):
        return self.trace.decide(self if self.condition else self != 0.0)

    def __index__(self):
        raise TypeError("the length of a loop depends on a value")

    __int__ = __float__ = __index__


def _text(value) -> str:
    if isinstance(value, Symbol):
        return f"int({value.text})" if value.condition else value.text
    if isinstance(value, bool):
        return str(float(value))
    text = repr(float(value))
    if text in ("inf", "-inf", "nan"):
        raise TypeError(f"a constant is {text}")
    return f"({text})" if value < 0 else text


def _function(pattern, plain):
    """Return a function that writes a call, or computes where nothing is unknown."""
    def call(*values):
        unknown = [value for value in values if isinstance(value, Symbol)]
        return unknown[0].trace.let(pattern.format(*map(_text, values))) if unknown else plain(*values)
    return call


def _least(a, b, *more):
    return _LEAST(a, b) if not more else _least(_LEAST(a, b), *more)


def _most(a, b, *more):
    return _MOST(a, b) if not more else _most(_MOST(a, b), *more)


_LEAST, _MOST = _function("clip({0}, -1e300, {1})", min), _function("clip({0}, {1}, 1e300)", max)
_MATH = {name: _function(f"{written}({{}})", getattr(math, name)) for name, written in (
    ("exp", "exp"), ("log", "log"), ("sqrt", "sqrt"), ("sin", "sin"), ("cos", "cos"), ("tan", "tan"),
    ("atan", "arctan"), ("asin", "arcsin"), ("acos", "arccos"), ("sinh", "sinh"), ("cosh", "cosh"),
    ("tanh", "tanh"), ("floor", "floor"), ("ceil", "ceil"))}


def _phi(z):
    """As `phi`; so little is added to z that it is never zero, and else what it was."""
    if not isinstance(z, Symbol):
        return phi(z)
    z = _least(z, 30.0) + 1e-300
    return _EXPM1(z) / z


_EXPM1 = _function("expm1({0})", math.expm1)
_WRITTEN = {maths.exp: _MATH["exp"], maths.log: _MATH["log"], builtins.min: _least, builtins.max: _most, phi: _phi,
            **{getattr(math, name): call for name, call in _MATH.items()}}


def _symbolic(body, made: dict) -> Callable:
    """Return a function with the functions that it calls replaced by such as write statements."""
    if body in made:
        return made[body]
    code, names = body.__code__, {}
    made[body] = function = FunctionType(code, names, body.__name__, body.__defaults__, body.__closure__)
    for name in code.co_names:
        value = body.__globals__.get(name, getattr(builtins, name, None))
        if value is math:
            names[name] = SimpleNamespace(**vars(math) | _MATH)
        elif value in _WRITTEN if callable(value) and getattr(value, "__hash__", None) else False:
            names[name] = _WRITTEN[value]
        elif isinstance(value, FunctionType):
            names[name] = _symbolic(value, made)
        else:
            names[name] = value
    names["__builtins__"] = builtins
    return function
