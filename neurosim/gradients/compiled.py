"""The two loops, compiled.

Numba counts references to arrays wherever one is sliced or handed on, atomically, which took a quarter of the time. The
functions here make no arrays, so they are compiled without; `main` alone, which Python calls, is as all others are.
"""

import inspect
from functools import cache

from neurosim.engine import loader, queue
from neurosim.engine.checked import CHECKING
from neurosim.event import exponentials
from neurosim.gradients import backward, forward, mathematics

_FUNCTIONS = (exponentials.two, exponentials.three, exponentials.relax, exponentials.quiet, exponentials.leave,
              exponentials.earliest, exponentials.level, exponentials.slowest_left, exponentials.zero,
              exponentials.first_crossing, mathematics.convolved, mathematics.forth, mathematics.approach,
              mathematics.back, mathematics.fed_back, mathematics.area, mathematics.weigh, mathematics.turning,
              mathematics.summits, queue.precedes, queue.push, queue.replace_root, queue.pop)
_OPTIONS = f"{loader.INNER_TEXT}, _nrt={CHECKING}"  # a check that fails makes an error to raise
PLAIN = f"@njit({_OPTIONS})"
INLINED = f"@njit({_OPTIONS}, forceinline=True)"  # to hand on fifty arrays takes longer than what is done with them
MAIN = "def main(*arguments):\n    return through(*arguments)\n"


def _constants() -> str:
    names = {}
    for module in (exponentials, mathematics, forward, queue):
        names |= {name: value for name, value in vars(module).items()
                  if name.isupper() and isinstance(value, (int, float))}
    for prefix, columns in (("P", forward.POPULATION), ("J", forward.PROJECTION), ("N", forward.NUMBERS),
                            ("O", backward.NUMBER_NAMES)):
        names |= {f"{prefix}_{name}": number for number, name in enumerate(columns)}
    lines = [f"{name} = {number!r}" for name, number in names.items() if number != float("inf")]
    return "\n".join(["import numpy as np", "from math import exp, expm1, inf, log, log1p", "from numba import njit",
                      "FOREVER = inf", *lines])


def text(way) -> str:
    """Return the source of a loop and of all that it calls."""
    functions = [f"{PLAIN}\n{inspect.getsource(each)}" for each in _FUNCTIONS]
    loop = way.TEXT
    for name, arguments in way.ARGUMENTS.items():
        loop = loop.replace(name, arguments)
    return "\n\n".join([_constants(), *functions, loop.replace("@plain", PLAIN).replace("@inlined", INLINED), MAIN])


@cache
def forth():
    """Return the compiled loop of the way forward."""
    return loader.load_function("gradients_forth", text(forward), {})


@cache
def back():
    """Return the compiled loop of the way back."""
    return loader.load_function("gradients_back", text(backward), {})
