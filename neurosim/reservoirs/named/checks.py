"""Checks of the arguments that the named networks share, with the one form of message."""

import math

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError


def check_scale(name: str, value) -> float:
    """Return a scale in (0, 1]; raise ParameterError for anything else."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 < value <= 1:
        raise ParameterError(f"{name} must be a finite number > 0 and <= 1, got {describe_value(value)}")
    return float(value)


def check_count(name: str, value, at_least: int = 1) -> int:
    """Return a whole number; raise ParameterError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < at_least:
        raise ParameterError(f"{name} must be a whole number >= {at_least}, got {describe_value(value)}")
    return int(value)


def check_number(name: str, value, at_least: float = -math.inf, unit: str = "", at_most: float = math.inf) -> float:
    """Return a finite number within bounds; raise ParameterError for anything else."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not at_least <= value <= at_most:
        bound = "" if at_least == -math.inf else f" >= {at_least:g}"
        bound += "" if at_most == math.inf else f" and <= {at_most:g}"
        raise ParameterError(f"{name} must be a finite number{bound}{' ' + unit if unit else ''}, "
                             f"got {describe_value(value)}")
    return float(value)


def check_choice(name: str, value, choices):
    """Return one of several values; raise ParameterError for anything else."""
    if not isinstance(value, str) or value not in choices:
        raise ParameterError(f"{name} must be {' or '.join(map(repr, choices))}, got {describe_value(value)}")
    return value
