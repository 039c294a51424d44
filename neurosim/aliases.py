"""Names of types: what a function takes, and what declared parameters are, for editors and type checkers.

The first group annotates arguments; the second the declarations of a class that derives from `Parametrised`::

    class Leaky(Neuron):
        tau: PerElement = Parameter(10.0, "ms", above=0)
        steps: Whole = Parameter(1, integer=True, per_element=False)
        scheme: Choice[Literal["euler", "exact"]] = Option("exact", ("euler", "exact"))

What may be an array or a distribution is a number nearly always, so it is kept as `float | Any`: an editor knows the
number, and nobody who computes with it has to rule out the others.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from neurosim.checks import Declared, Samples, Timed

Number: TypeAlias = float | np.integer | np.floating
Numbers: TypeAlias = Number | Sequence[Number] | np.ndarray
Values: TypeAlias = Numbers | Samples  #: a number, one for each element, or a distribution
Weights: TypeAlias = Values | Sequence[Sequence[Number]]  #: the same, or an array of shape (source, target)
Delays: TypeAlias = Weights  #: ms
Seed: TypeAlias = int | np.integer  #: of random numbers, 0 <= seed < 2^64

T = TypeVar("T")
Choice: TypeAlias = Declared[T, T]  #: an `Option`; T names its choices
Flag: TypeAlias = Declared[bool, bool]  #: an `Option` of True and False
Real: TypeAlias = Declared[float, Number]
RealOrNone: TypeAlias = Declared[float | None, Number | None]
Whole: TypeAlias = Declared[int, Number]
WholeOrNone: TypeAlias = Declared[int | None, Number | None]
PerElement: TypeAlias = Declared[float | Any, Values]
PerElementOrNone: TypeAlias = Declared[float | Any | None, Values | None]
PerElementTimed: TypeAlias = Declared[float | Any, Values | Timed]  #: it may change while a network runs
Row: TypeAlias = Declared[tuple[Any, ...] | Any, Numbers]  #: a number or several
RowOrNone: TypeAlias = Declared[tuple[Any, ...] | Any, Numbers | None]
Table: TypeAlias = Declared[np.ndarray, np.ndarray | Sequence[Any]]  #: an array of one or more axes
TableOrNone: TypeAlias = Declared[np.ndarray | Any, np.ndarray | Sequence[Any] | None]
