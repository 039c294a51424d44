"""The two loops, compiled."""

import inspect
from functools import cache

from neurosim.engine import loader, queue
from neurosim.event import exponentials
from neurosim.gradients import backward, forward, mathematics

_FUNCTIONS = (exponentials.two, exponentials.three, exponentials.relax, exponentials.quiet, exponentials.leave,
              exponentials.earliest, exponentials.level, exponentials.slowest_left, exponentials.zero,
              exponentials.first_crossing, mathematics.convolved, mathematics.forth, mathematics.back,
              mathematics.fed_back, mathematics.area, mathematics.weigh, mathematics.summit)


def _constants() -> str:
    names = {}
    for module in (exponentials, mathematics, forward):
        names |= {name: value for name, value in vars(module).items()
                  if name.isupper() and isinstance(value, (int, float))}
    for prefix, columns in (("P", forward.POPULATION), ("J", forward.PROJECTION), ("N", forward.NUMBERS),
                            ("O", backward.NUMBER_NAMES)):
        names |= {f"{prefix}_{name}": number for number, name in enumerate(columns)}
    lines = [f"{name} = {number!r}" for name, number in names.items() if number != float("inf")]
    return "\n".join(["import numpy as np", "from math import exp, expm1, inf, log, log1p", "from numba import njit",
                      "FOREVER = inf", *lines])


def _text(way) -> str:
    functions = [f'@njit(nogil=True, error_model="numpy")\n{inspect.getsource(each)}' for each in _FUNCTIONS]
    loop = way.TEXT
    for name, arguments in way.ARGUMENTS.items():
        loop = loop.replace(name, arguments)
    return "\n\n".join([_constants(), *functions, loop])


@cache
def forth():
    """Return the compiled loop of the way forward."""
    return loader.load_function("gradients_forth", _text(forward), {"push": queue.push, "pop": queue.pop})


@cache
def back():
    """Return the compiled loop of the way back."""
    return loader.load_function("gradients_back", _text(backward), {})
