"""Numbers that were probably meant in another unit: allowed, but told, with the unit that acts."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from neurosim.errors import warn

LONGEST_DELAY = 1e4  #: ms, beyond which a delay was probably given in another unit


class Doubt(NamedTuple):
    """Which numbers are doubted: those of a unit, by their names, all of them below (or above) a bound.

    Args:
        names: beginnings of the names.
        bound: in the unit that acts; far from what models have.
        other: the unit in which it was probably meant.
        factor: how much of the unit that acts one of the other is.
        above: whether numbers above the bound are doubted instead.
    """

    names: tuple[str, ...]
    bound: float
    other: str
    factor: float
    above: bool = False


DOUBTS = {
    "ms": Doubt(("tau", "t_ref"), 0.05, "s", 1e3),
    "mV": Doubt(("v_", "e_rev"), 0.1, "V", 1e3),
    "nS": Doubt(("g_", "weight"), 1e-6, "S", 1e9),
    "pA": Doubt(("i_", "amplitude", "mean", "std", "weight"), 1e-6, "A", 1e12),
    "pF": Doubt(("c_",), 1e-6, "F", 1e12),
    "GOhm": Doubt(("r",), 1e3, "Ohm", 1e-9, above=True),
    "ps": Doubt(("",), 1e-6, "s", 1e12),
    "uS": Doubt(("g_max",), 1e-3, "S", 1e6),
}
SHORT_TICK = 5e-4  #: ms, below which a tick was probably meant in s
NOTHING = 1e-3  #: ms, up to which a time constant stands for none, as in a membrane that follows its input


def doubt(name: str, unit: str, value: Any) -> str | None:
    """Return a sentence about a number, or an array, that was probably meant in another unit, or None.

    >>> doubt("tau_mem", "ms", 0.02)
    'is 0.02 ms; if 0.02 s are meant, give 20'
    >>> doubt("tau_mem", "ms", 20.0)
    """
    rule = DOUBTS.get(unit)
    if rule is None or not name.startswith(rule.names):
        return None
    if not isinstance(value, (int, float, np.ndarray)):
        return None
    nothing = NOTHING if unit == "ms" else 0.0
    if not isinstance(value, np.ndarray):
        size = abs(value)
    elif value.size and not rule.above and abs(value.flat[0]) >= rule.bound:
        return None  # one such number is enough, and the first mostly is one
    else:
        sizes = np.abs(value)
        sizes = sizes[sizes > nothing]
        size = (sizes.min() if rule.above else sizes.max()) if sizes.size else 0.0
    if not nothing < size or not (size > rule.bound if rule.above else size < rule.bound):
        return None
    shown = float(np.asarray(value).ravel()[0])
    return f"is {shown:g} {unit}; if {shown:g} {rule.other} are meant, give {shown * rule.factor:g}"


def warn_of_units(owner: str, values: Iterable[tuple[str, str, Any]]) -> None:
    """Warn of each of some values (name, unit, value) that was probably meant in another unit."""
    for name, unit, value in values:
        if sentence := doubt(name, unit, value):
            warn(f"{owner}.{name} {sentence}")


def warn_of_percent(owner: str, values: Mapping[str, Any]) -> None:
    """Warn of shares above 1, which were probably given in percent."""
    for name, value in values.items():
        if isinstance(value, (int, float)) and value > 1:
            warn(f"{owner}.{name} is {value:g}, a share; if {value:g} % are meant, give {value / 100:g}")


def warn_of_delay(label: str, delay: Any) -> None:
    """Warn of a delay that is longer than any that is known."""
    if isinstance(delay, (int, float, np.ndarray)) and np.size(delay) and np.max(delay) > LONGEST_DELAY:
        longest = float(np.max(delay))
        warn(f"{label} has a delay of {longest:g} ms, which is {longest / 1e3:g} s; delays are in ms")


def warn_of_tick(dt: float, parts: Mapping[str, Iterable[Any]]) -> None:
    """Warn of a tick that was probably given in seconds, and of time constants that are shorter than a tick.

    Args:
        dt: length of a tick in ms.
        parts: name of a population -> its model and its receptors.
    """
    if dt < SHORT_TICK:
        warn(f"dt is {dt:g} ms; if {dt:g} s are meant, give {dt * 1e3:g}")
    for population, models in parts.items():
        for model in models:
            for name, parameter in model.parameters.items():
                value = getattr(model, name)
                short = isinstance(value, (float, np.ndarray)) and NOTHING < np.min(value) < dt * (1 - 1e-9)
                if parameter.unit == "ms" and name.startswith("tau") and short:
                    warn(f"{type(model).__name__}.{name} of {population!r} is {np.min(value):g} ms, less than "
                         f"dt = {dt:g} ms; nothing within a tick is seen")
