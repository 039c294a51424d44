"""Which members a part of a population has: what stands in its brackets."""

import hashlib
from typing import Any

import numpy as np

from neurosim.checks import describe_value, is_whole
from neurosim.errors import ParameterError

FORMS = "one member, [3], a slice, [0:100] or [::2], or members that ascend, [[1, 3, 4]]"
FEW = 6  #: members that a name lists


def members_of(name: str, size: int, part: Any) -> slice | np.ndarray:
    """Return the members that a part of a population holds: a slice of step 1, or ascending numbers.

    Args:
        name: of the population.
        size: how many members it has.
        part: what stands in the brackets.

    Raises:
        ParameterError: it is no part.

    >>> members_of("cells", 6, 3), members_of("cells", 6, slice(None, None, 2))
    (slice(3, 4, None), array([0, 2, 4]))
    """
    if is_whole(part):
        if not -size <= part < size:
            raise ParameterError(f"a member of population {name!r} must be one of 0 .. {size - 1}, got [{part}]")
        first = int(part) % size
        return slice(first, first + 1)
    members = _of_slice(part, size) if isinstance(part, slice) else _of_list(part, size)
    if members is None:
        raise ParameterError(f"a part of population {name!r} must be {FORMS}, got [{_text(part)}]")
    count = members.stop - members.start if isinstance(members, slice) else members.size
    if count <= 0:
        raise ParameterError(f"a part of population {name!r} must hold a neuron; it has {size}, got [{_text(part)}]")
    if isinstance(members, slice):
        return members
    if members.min() < 0 or members.max() >= size:
        bad = members[(members < 0) | (members >= size)][0]
        raise ParameterError(f"members of a part of population {name!r} must lie in 0 .. {size - 1}, got {bad}")
    if (np.diff(members) <= 0).any():
        raise ParameterError(f"members of a part of population {name!r} must ascend, each once, got [{_text(part)}]; "
                             "sort them, as by np.unique")
    return members


def _of_slice(part: slice, size: int) -> slice | np.ndarray | None:
    try:
        first, last, step = part.indices(size)
    except (TypeError, ValueError):  # bounds that are no whole numbers, a step of 0
        return None
    if step < 0:
        return None
    return slice(first, max(first, last)) if step == 1 else np.arange(first, last, step)


def _of_list(part: Any, size: int) -> np.ndarray | None:
    if isinstance(part, (str, bytes, dict, set, float, type(None))):
        return None
    try:
        array = np.asarray(part)
    except ValueError:  # rows of different lengths
        return None
    if array.ndim != 1 or array.dtype.kind not in "iub" and array.size:
        return None
    if array.dtype.kind == "b":
        return np.flatnonzero(array) if array.size == size else None
    return array.astype(np.int64)


def _text(part: Any) -> str:
    if not isinstance(part, slice):
        return describe_value(part)
    ends = ["" if each is None else str(each) for each in (part.start, part.stop)]
    return ":".join(ends if part.step is None else [*ends, str(part.step)])


def named(members: slice | np.ndarray) -> str:
    """Return what a part is called within its population; different parts have different names.

    >>> named(slice(2, 5)), named(np.array([0, 2, 4])), named(np.array([1, 2, 7]))
    ('2:5', '0:6:2', '1, 2, 7')
    >>> named(np.arange(100) ** 2)
    '100 of 0 .. 9801, #d6f9fed3'
    """
    if isinstance(members, slice):
        return f"{members.start}:{members.stop}"
    steps = np.unique(np.diff(members))
    if steps.size == 1 and members.size > 2:
        return f"{members[0]}:{members[-1] + steps[0]}:{steps[0]}"
    if members.size <= FEW:
        return ", ".join(map(str, members))
    digest = hashlib.sha256(members.astype("<i8").tobytes()).hexdigest()[:8]
    return f"{members.size} of {members[0]} .. {members[-1]}, #{digest}"


__all__ = ["members_of", "named"]
