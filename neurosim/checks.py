"""Declared parameters with unit and bounds, checked where they are given, with one form of message.

A family of classes (neurons, receptors, sources, distributions, rules) derives from `Parametrised`
and declares its parameters as class attributes::

    class LIF(Neuron):
        tau_mem: PerElement = Parameter(10.0, "ms", above=0, doc="membrane time constant")

The constructor, its signature, the checks, `repr`, equality and the tables of the documentation
all follow from the declarations. The annotation, one of `neurosim.aliases`, is for editors and type checkers alone,
which then know the constructor and the type of `cell.tau_mem`; a class without annotations works all the same.
"""

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NoReturn,
    Self,
    TypeGuard,
    TypeVar,
    dataclass_transform,
    overload,
)

import numpy as np

from neurosim.calls import misfit
from neurosim.errors import ParameterError
from neurosim.units import warn_of_units

REQUIRED = inspect.Parameter.empty
Kept = TypeVar("Kept", covariant=True)
Given = TypeVar("Given", contravariant=True)


def describe_value(value: Any) -> str:
    """Return a short text of a value that was given, for a message."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, type) and issubclass(value, Parametrised):
        return f"the class {value.__name__} instead of an object, {value.__name__}(...)"
    if hasattr(value, "tocoo") and hasattr(value, "shape"):
        return f"a sparse matrix of shape {value.shape}"
    text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    return text if len(text) <= 60 else text[:57] + "..."


class Declared(Generic[Kept, Given]):
    """What a class declares: of which type an object keeps it, and of which types it may be given."""

    name: str = ""

    def __set_name__(self, owner, name):
        self.name = name

    if TYPE_CHECKING:
        @overload
        def __get__(self, instance: None, owner: type | None = None) -> "Parameter": ...
        @overload
        def __get__(self, instance: object, owner: type | None = None) -> Kept: ...
        def __get__(self, instance, owner=None) -> Any: ...
        def __set__(self, instance: object, value: Given) -> None: ...
    else:
        def __get__(self, instance, owner=None):
            return self if instance is None else instance.__dict__[self.name]


class Parameter(Declared[Any, Any]):
    """A number with a unit and bounds; where `per_element`, also an array or a distribution.

    Args:
        default: value when none is given; leave it out to make the parameter required.
        unit: unit of the value, "" where it has none.
        above, at_least, below, at_most: open and closed bounds.
        doc: what it is, a short phrase.
        per_element: whether one value per neuron (an array, a distribution) is accepted.
        optional: whether None is accepted.
        integer: whether the value must be a whole number.
        timed: whether a `TimedArray`, whose values change while the network runs, is accepted.
    """

    def __init__(self, default: Any = REQUIRED, unit: str = "", *, above: float | None = None,
                 at_least: float | None = None, below: float | None = None, at_most: float | None = None,
                 doc: str = "", per_element: bool = True, optional: bool = False, integer: bool = False,
                 timed: bool = False):
        self.default, self.unit, self.doc = default, unit, doc
        self.above, self.at_least, self.below, self.at_most = above, at_least, below, at_most
        self.per_element, self.optional, self.integer, self.timed = per_element, optional, integer, timed

    @property
    def bounds(self) -> str:
        """The declared bounds as text, for example "> 0"."""
        parts = [(">", self.above), (">=", self.at_least), ("<", self.below), ("<=", self.at_most)]
        return " and ".join(f"{sign} {bound:g}" for sign, bound in parts if bound is not None)

    def requirement(self, forms: bool = False) -> str:
        """What a value must be, as the middle of the message; with all its forms where asked for."""
        kind = "a whole number" if self.integer else "a finite number"
        text = " ".join(part for part in (kind, self.bounds, self.unit) if part)
        if not forms:
            return text
        if self.per_element:
            text += ", a 1-D array of them, or a distribution"
        if self.timed:
            text += ", or a TimedArray"
        return text + (", or None" if self.optional else "")

    def check(self, owner: str, value: Any) -> Any:
        """Return the value as float, int, read-only array or distribution; raise ParameterError."""
        if value is None and self.optional:
            return None
        if isinstance(value, Samples) and self.per_element:
            return value
        if isinstance(value, Timed) and self.timed:
            if not self.holds(value.values):
                self.refuse(owner, value.values.ravel(), value.values.ravel())
            return value
        if type(value) is float and not self.integer and math.isfinite(value) and self._within(value, value):
            return value  # which is most often given, and set in a loop
        if isinstance(value, (bool, np.bool_, str, bytes)) or value is None:
            self.refuse(owner, value)
        if self.integer and is_whole(value):  # exactly: a float has 53 bits
            number = int(value)
            return number if self._within(number, number) else self.refuse(owner, value)
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            self.refuse(owner, value)
        if array.ndim > (1 if self.per_element else 0) or not self.holds(array):
            self.refuse(owner, value, array)
        if array.ndim == 0:
            return int(array) if self.integer else float(array)
        array.setflags(write=False)
        return array

    def holds(self, array: np.ndarray) -> bool:
        """Return whether all values are finite and within the bounds."""
        if array.size == 0:
            return False
        low, high = float(array.min()), float(array.max())  # which are nan where one is
        whole = not self.integer or bool((array == np.floor(array)).all())
        return math.isfinite(low) and math.isfinite(high) and whole and self._within(low, high)

    def _within(self, low, high) -> bool:
        return ((self.above is None or low > self.above) and (self.at_least is None or low >= self.at_least)
                and (self.below is None or high < self.below) and (self.at_most is None or high <= self.at_most))

    def refuse(self, owner: str, value: Any, array: np.ndarray | None = None) -> NoReturn:
        """Raise the one form of message for a value that does not fit."""
        got = describe_value(value)
        if array is not None and array.ndim == 1:
            bad = [x for x in array if not self.holds(np.array([x]))]
            got = f"an array that holds {bad[0]:g}" if bad else got
        a_number = array is not None and array.ndim <= 1
        what = f"{owner}.{self.name}" if self.name else owner
        raise ParameterError(f"{what} must be {self.requirement(forms=not a_number)}, got {got}")


class Seed(Parameter):
    """The seed of random numbers, a whole number of 64 bits."""

    def __init__(self, doc: str):
        super().__init__(0, doc=doc, per_element=False, integer=True)

    @property
    def bounds(self) -> str:
        """The bounds as text."""
        return "in 0 .. 2^64 - 1"

    def check(self, owner: str, value: Any) -> int:
        """Return the seed as int; raise ParameterError."""
        return check_seed(f"{owner}.{self.name}", value)


class Option(Declared[Any, Any]):
    """A choice among named values; it selects code, so it is the same for a whole population."""

    per_element = False
    unit = ""

    def __init__(self, default: Any, choices: Iterable[Any], *, doc: str = ""):
        self.default, self.choices, self.doc = default, tuple(choices), doc

    @property
    def bounds(self) -> str:
        """The choices as text."""
        return " | ".join(repr(choice) for choice in self.choices)

    def check(self, owner: str, value: Any) -> Any:
        """Return the value if it is one of the choices; raise ParameterError."""
        if not any(value is choice or (type(value) is type(choice) and value == choice) for choice in self.choices):
            choices = " or ".join(repr(choice) for choice in self.choices)
            raise ParameterError(f"{owner}.{self.name} must be {choices}, got {describe_value(value)}")
        return value


class VariableName(Option):
    """The name of a variable of whatever the object is used with, which checks it."""

    def __init__(self, default: str, *, doc: str = ""):
        super().__init__(default, (), doc=doc)

    @property
    def bounds(self) -> str:
        """What a value must be."""
        return "name of a variable"

    def check(self, owner: str, value: Any) -> str:
        """Return the value if it is a name; raise ParameterError."""
        if not isinstance(value, str) or not value.isidentifier():
            raise ParameterError(f"{owner}.{self.name} must be the name of a variable, got {describe_value(value)}")
        return value


def required(parameter: Kept) -> Kept:
    """Return a declaration that has no default; an editor then marks where it is left out."""
    if getattr(parameter, "default", None) is not REQUIRED:
        raise TypeError("a required parameter must have no default")
    return parameter


class Label(Declared[Any, Any]):
    """A name that tells one object from another of its kind, or None."""

    per_element = optional = False
    unit = ""
    default = None
    bounds = "a name"

    def __init__(self, *, doc: str = ""):
        self.doc = doc

    def check(self, owner: str, value: Any) -> str | None:
        """Return the name; raise ParameterError where it is none."""
        if value is None or (isinstance(value, str) and value.isidentifier()):
            return value
        raise ParameterError(f"{owner}.{self.name} must be a name of letters, digits and _, or None, "
                             f"got {describe_value(value)}")


def computed(*, init: Literal[False] = False) -> Any:
    """Declare an attribute that an object makes of its parameters: a type checker then takes it for no parameter."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(required, computed))
class Parametrised:
    """Base of everything that is a frozen set of declared parameters.

    For parameters by position a class says how many, and `kw_only=False`; for a base's own `__init__`, `init=False`::

        class Normal(Distribution, kw_only=False):
            positional = 2
    """

    __signature__: ClassVar[inspect.Signature]
    parameters: ClassVar[dict[str, Any]] = {}
    _declared: ClassVar[inspect.Signature]
    positional: ClassVar[int] = 0  #: how many parameters may be given by position

    def __init_subclass__(cls, *, kw_only: bool = True, init: bool = True, **kwargs):
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Declared)}
        inherited = {name: value for name, value in cls.parameters.items() if getattr(cls, name, None) is value}
        taken = sorted(set(own) & set(dir(Parametrised)))
        if taken:
            raise TypeError(f"{cls.__name__}.{taken[0]} must have another name: every such class has a "
                            f"{taken[0]} already")
        cls.parameters = {**own, **inherited}
        cls._declared = cls.__signature__ = inspect.Signature([
            inspect.Parameter(
                name, inspect.Parameter.POSITIONAL_OR_KEYWORD if index < cls.positional
                else inspect.Parameter.KEYWORD_ONLY, default=parameter.default)
            for index, (name, parameter) in enumerate(cls.parameters.items())])
        others = list(inspect.signature(cls.__init__).parameters.values())[1:]
        if [each.kind for each in others] != [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
            cls.__signature__ = inspect.Signature(others)  # a constructor of its own, not one that hands on

    def __init__(self, *args, **kwargs):
        owner = type(self).__name__
        try:
            given = type(self)._declared.bind(*args, **kwargs)
        except TypeError as error:
            raise misfit(owner, type(self)._declared, error, kwargs) from None
        given_names = list(given.arguments)
        given.apply_defaults()
        for name, value in given.arguments.items():
            if value is REQUIRED:
                continue
            self.__dict__[name] = self.parameters[name].check(owner, value)
        warn_of_units(owner, ((name, self.parameters[name].unit, self.__dict__[name]) for name in given_names))
        self.validate()

    def validate(self) -> None:
        """Check what concerns several parameters at once; raise ParameterError."""

    def __setattr__(self, name, value):
        raise AttributeError(f"{type(self).__name__} is frozen; make another one with replace({name}=...)")

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some parameters changed."""
        return type(self)(**{**self.values(), **changes})

    def check_with(self, now: Mapping[str, Any], checked: Mapping[str, Any]) -> None:
        """Check all parameters, as they are `now`, with those that are to be others and fit by themselves."""
        made = object.__new__(type(self))
        made.__dict__.update({**now, **checked})
        warn_of_units(type(self).__name__, ((name, self.parameters[name].unit, value)
                                            for name, value in checked.items()))
        made.validate()

    def values(self) -> dict[str, Any]:
        """Return the parameters by name, as they were given."""
        return {name: self.__dict__[name] for name in self.parameters}

    def acting(self) -> dict[str, Any]:
        """Return, by name, the values that act where a parameter was left out: numbers, arrays, or how they follow."""
        return {}

    def __repr__(self):
        shown = [f"{name}={describe_value(value)}" for index, (name, value) in enumerate(self.values().items())
                 if index < self.positional or not same(value, self.parameters[name].default)]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other):
        return type(self) is type(other) and all(
            same(value, other.__dict__[name]) for name, value in self.values().items())

    def __hash__(self):
        return hash((type(self), tuple(
            value.tobytes() if isinstance(value, np.ndarray) else value for value in self.values().values())))


class Samples:
    """Base of everything that yields one value per element when a network is laid out."""

    def at(self, share: float) -> float:
        """Return the value below which a share of the values lies."""
        raise NotImplementedError


class Timed:
    """Base of values that change while a network runs: `values`, each for `every` ms, then what `after` says.

    Attributes:
        start: when the first one begins, ms.
    """

    values: np.ndarray
    every: float
    after: str
    start: float

    def later(self, by: float) -> Self:
        """Return the same values, some ms later."""
        raise NotImplementedError


def same(a, b) -> bool:
    """Return whether two values of a parameter are the same; arrays are where all entries are."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    return type(a) is type(b) and a == b


def is_number(value: Any) -> TypeGuard[float | np.integer | np.floating]:
    """Return whether a value is one real number, of Python or of NumPy; a truth value is none.

    >>> is_number(np.float32(1.5)), is_number(True), is_number("1")
    (True, False, False)
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def is_whole(value: Any) -> TypeGuard[int | np.integer]:
    """Return whether a value is one whole number, of Python or of NumPy; a truth value is none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_numbers(what: str, value: Any) -> np.ndarray:
    """Return an array of numbers as float64; raise ParameterError where it holds anything else."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return array.astype(np.float64)
    except (TypeError, ValueError):
        pass
    raise ParameterError(f"{what} must be an array of numbers, got {describe_value(value)}")


def check_is(what: str, value: Any, kind: type | tuple, such_as: str) -> None:
    """Raise ParameterError where a value is not of a kind."""
    if not isinstance(value, kind):
        raise ParameterError(f"{what} must be {such_as}, got {describe_value(value)}")


def check_number(what: str, value: Any, unit: str = "", **bounds: Any) -> float:
    """Return a finite number as float; raise ParameterError for anything else.

    Args:
        what: what it is, for the message.
        value: what was given.
        unit: its unit.
        bounds: above, at_least, below or at_most, as for `Parameter`.

    >>> check_number("dt", np.int64(1), "ms", above=0)
    1.0
    """
    return Parameter(unit=unit, per_element=False, **bounds).check(what, value)


def check_whole(what: str, value: Any, **bounds: Any) -> int:
    """Return a whole number as int, exactly; raise ParameterError for anything else.

    >>> check_whole("n", np.uint64(2**63 + 1), at_least=1)
    9223372036854775809
    """
    parameter = Parameter(per_element=False, integer=True, **bounds)
    return parameter.check(what, value) if is_whole(value) else parameter.refuse(what, value)


def check_seed(what: str, value: Any, bits: int = 64) -> int:
    """Return the seed or key of random numbers as int, exactly; raise ParameterError for anything else.

    >>> check_seed("seed", 2**53 + 1)
    9007199254740993
    """
    if not is_whole(value) or not 0 <= int(value) < 2**bits:
        raise ParameterError(f"{what} must be a whole number in 0 .. 2^{bits} - 1, got {describe_value(value)}")
    return int(value)


def check_ticks(what: str, value: float, dt: float, *, at_least: int = 0) -> int:
    """Return a duration in whole ticks of dt; raise ParameterError if it is off the grid.

    >>> check_ticks("duration", 1.5, 0.1)
    15
    """
    if not is_number(value) or not math.isfinite(value):
        raise ParameterError(f"{what} must be a finite number of ms, got {describe_value(value)}")
    ticks = round(value / dt)
    if ticks < at_least or abs(value / dt - ticks) > 1e-6 + 1e-14 * abs(ticks):
        raise ParameterError(
            f"{what} must be a multiple of dt = {dt:g} ms and >= {at_least * dt:g} ms, got {value!r}")
    return ticks
