"""Parameters that change in time, as tables for kernels."""

from typing import NamedTuple

import numpy as np

from neurosim.checks import Timed, check_ticks


class Table(NamedTuple):
    """A parameter as it follows time.

    Attributes:
        values: shape (rows, columns), a column for each element or one for all.
        every: ticks that a row holds.
        after: what follows the last one.
        since: ticks after which the first one ends `every` later.
        timed: whether it changes at all.
    """

    values: np.ndarray
    every: int = 1
    after: str = "hold"
    since: int = 0
    timed: bool = False


def timed_table(value, dt: float, label: str) -> Table:
    """Return the table of a parameter; a number or an array of one value per element is a table of one row."""
    if not isinstance(value, Timed):
        return Table(np.atleast_1d(np.asarray(value, dtype=np.float64)).reshape(1, -1))
    every, since = (min(check_ticks(f"{label}: TimedArray.{name}", getattr(value, name), dt, at_least=least), 1 << 60)
                    for name, least in (("every", 1), ("start", 0)))
    return Table(value.values.reshape(len(value.values), -1), every, value.after, since, True)
