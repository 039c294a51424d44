"""Values, models and rules as text, with their units."""

import numpy as np

from neurosim.checks import Samples, Timed, describe_value
from neurosim.sources import SpikeSource


def value_text(value, unit: str = "") -> str:
    """Return a value with its unit, arrays and distributions shortened.

    >>> value_text(np.array([1.0, 3.0, 2.0]), "mV")
    '3 values, 1 to 3 mV'
    """
    if value is None:
        return "-"
    if isinstance(value, Timed):
        return f"{_range(value.values)}{_after(unit)}, a value for {value.every:g} ms, then {value.after}" + (
            f", from {value.start:g} ms on" if value.start else "")
    if isinstance(value, Samples):
        return f"{value}{_after(unit)}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float, np.number)):
        return f"{value:.8g}{_after(unit)}"
    if isinstance(value, (list, tuple, np.ndarray)):
        array = np.asarray(value)
        if array.ndim == 1 and array.size <= 4 and isinstance(value, tuple):
            return f"({', '.join(f'{x:.8g}' for x in array)}){_after(unit)}"
        return f"{_range(array)}{_after(unit)}"
    return describe_value(value)


def _after(unit):
    return f" {unit}" if unit else ""


def _range(array):
    shape = " x ".join(f"{n:,}" for n in array.shape)
    low, high = (array.min(), array.max()) if array.size else (np.nan, np.nan)
    return f"{shape} values, " + (f"all {low:.6g}" if low == high else f"{low:.6g} to {high:.6g}")


def part_text(part, left_out=(), *, whole: bool = False, units=None) -> str:
    """Return a model, rule, receptor ... with its parameters and their units.

    Args:
        part: what has declared parameters.
        left_out: names of parameters that do not matter here.
        whole: whether parameters that have their default value are shown too.
        units: units by name of parameters that declare none.
    """
    name = type(part).__name__
    if isinstance(part, SpikeSource):
        return f"{name}({len(part.spikes):,} spikes)"
    shown = []
    for key, parameter in part.parameters.items():
        value = getattr(part, key)
        if key not in left_out and value is not None and (whole or not _is(value, parameter.default)):
            shown.append(f"{key} = {value_text(value, (units or {}).get(key) or parameter.unit)}")
    return f"{name}({', '.join(shown)})" if shown else name


def _is(value, default):
    return type(value) is type(default) and not isinstance(value, np.ndarray) and value == default


def rule_text(projection, whole=False):
    """Return the rule of a projection."""
    own = projection.source.base is projection.target.base
    return part_text(projection.rule, () if own else ("self_connections",), whole=whole)


def weight_text(projection):
    """Return the weights of a projection with their unit."""
    unit = projection.receptor.weight_unit(projection.target.model)
    if projection.weight is None:
        own = projection.rule.weights()
        return "not given" if own is None else value_text(own, unit)
    return value_text(projection.weight, unit)


def drive_units(drive):
    """Return the unit of a drive's weight, which its receptor decides."""
    return {} if drive.receptor is None else {"weight": drive.receptor.weight_unit(drive.target.model)}
