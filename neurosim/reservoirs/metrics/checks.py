"""Checks that the metrics share."""

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError


def table(name: str, value, axes=(2,), kind: str = "a 2-D array") -> np.ndarray:
    """Return finite numbers with one of some numbers of axes as float64; raise ParameterError."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = np.empty(())
    if array.ndim not in axes or array.size == 0:
        raise ParameterError(f"{name} must be {kind} of finite numbers, got {describe_value(value)}")
    if not np.isfinite(array).all():
        raise ParameterError(f"{name} must be {kind} of finite numbers, got one that holds "
                             f"{array[~np.isfinite(array)][0]}")
    return array


def whole(name: str, value, at_least: int = 1, at_most: int | None = None) -> int:
    """Return a whole number within bounds; raise ParameterError."""
    fits = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= at_least
    if not fits or (at_most is not None and value > at_most):
        bound = f">= {at_least}" + ("" if at_most is None else f" and <= {at_most}")
        raise ParameterError(f"{name} must be a whole number {bound}, got {describe_value(value)}")
    return int(value)


def positive(name: str, value, unit: str = "", below: float = np.inf) -> float:
    """Return a finite number > 0; raise ParameterError."""
    number = isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or not 0 < value < below:
        bound = "> 0" + ("" if below == np.inf else f" and < {below:g}")
        raise ParameterError(f"{name} must be a finite number {bound}{' ' + unit if unit else ''}, "
                             f"got {describe_value(value)}")
    return float(value)


def pair(owner: str, states, inputs) -> tuple[np.ndarray, np.ndarray]:
    """Return states (times, units) and the input (times,) that caused them; raise ParameterError."""
    states = table(f"{owner}.states", states)
    inputs = table(f"{owner}.inputs", inputs, (1, 2), "one number for each time")
    if inputs.size != len(states):
        raise ParameterError(f"{owner}.inputs must be one number for each of the {len(states)} times, "
                             f"got an array of shape {inputs.shape}")
    return states, inputs.ravel()
