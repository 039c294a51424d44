"""What the measures take, with one form of message."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


def recording(owner: str, value) -> Spikes:
    """Return a recording; raise ParameterError where it is none."""
    if not isinstance(value, Spikes):
        raise ParameterError(f"{owner}.spikes must be a Spikes, such as sim.spikes(cells), got {describe_value(value)}")
    return value


def recordings(owner: str, value) -> list[Spikes]:
    """Return recordings of one population over windows of one length; raise ParameterError where they are not."""
    given: list[Any] = list(value) if isinstance(value, Iterable) and not isinstance(value, (str, Spikes)) else [value]
    if isinstance(value, Spikes) or not given or not all(isinstance(each, Spikes) for each in given):
        got = "one Spikes" if isinstance(value, Spikes) else describe_value(value)
        raise ParameterError(f"{owner}.trials must be a list of Spikes, one for each trial, got {got}")
    for each in given[1:]:
        for name in ("size", "duration"):
            if getattr(each, name) != getattr(given[0], name):
                raise ParameterError(f"{owner}.trials must be of one {name}, got {getattr(given[0], name):g} and "
                                     f"{getattr(each, name):g}")
        if not np.array_equal(_watched(each), _watched(given[0])):
            raise ParameterError(f"{owner}.trials must be of the same watched neurons, got others in one of them")
    return given


def _watched(spikes) -> np.ndarray:
    return np.arange(spikes.size) if spikes.watched is None else spikes.watched


def positive(owner: str, name: str, value, unit: str = "ms") -> float:
    """Return a finite number > 0."""
    return check_number(f"{owner}.{name}", value, unit, above=0)


def check_room(owner: str, entries: int) -> None:
    """Raise ParameterError where a result of float64 would be larger than 4 GiB."""
    if entries * 8 > 2**32:
        raise ParameterError(f"{owner} must give an array of at most 4 GiB, got {entries * 8 / 2**30:.3g} GiB; take "
                             "a part with select() or between()")
