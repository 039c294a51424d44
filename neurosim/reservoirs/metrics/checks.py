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


def pair(owner: str, states, inputs) -> tuple[np.ndarray, np.ndarray]:
    """Return states (times, units) and the input (times,) that caused them; raise ParameterError."""
    states = table(f"{owner}.states", states)
    inputs = table(f"{owner}.inputs", inputs, (1, 2), "one number for each time")
    if inputs.size != len(states):
        raise ParameterError(f"{owner}.inputs must be one number for each of the {len(states)} times, "
                             f"got an array of shape {inputs.shape}")
    return states, inputs.ravel()
