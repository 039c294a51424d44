"""What is given to `Network.add`, `connect`, `drive` and `record`, checked: one sentence where it does not fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurosim.checks import Parameter, Samples, describe_value, is_number
from neurosim.connectivity import Rule
from neurosim.contracts import Plasticity
from neurosim.errors import NetworkError, ParameterError, UnsupportedError
from neurosim.network.parts import DriveOn, Population, meet_in_disorder, shift_between
from neurosim.sources import Current


def check_part(label: str, value: Any, kind: type, optional: bool = True) -> None:
    """Raise ParameterError where a rule, receptor, release or device is none."""
    if not (value is None and optional) and not isinstance(value, kind):
        raise ParameterError(f"{label} must be a {kind.__name__}, got {describe_value(value)}{_hint(label, value)}")


def _hint(label: str, value: Any) -> str:
    if isinstance(value, str) and "gap" in value.lower():
        return "; gap junctions are made by couple(...)"
    if label != "rule":
        return ""
    if isinstance(value, (np.ndarray, list, tuple)) or hasattr(value, "tocoo"):
        return ("; a matrix of weights is given as Sparse(matrix), pairs as Explicit(sources, targets), and a weight "
                "for each pair of all to all as weight=matrix")
    if isinstance(value, (int, float, np.number)):
        return f"; a weight is given by name, weight={value:g}, a probability as FixedProbability({value:g})"
    return ""


def check_matrices(source: Population, target: Population, **given: Any) -> None:
    """Refuse matrices with a value for each pair that have not the shape of the pairs."""
    for label, value in given.items():
        if isinstance(value, np.ndarray) and value.ndim > 1 and value.shape != (source.size, target.size):
            turned = "; it is the other way round, give its transpose" * (value.shape == (target.size, source.size))
            raise ParameterError(f"{label} must have shape (source, target) = ({source.size}, {target.size}) where it "
                                 f"is a matrix, got an array of shape {value.shape}{turned}")


def check_rule(rule: Rule, source: Population, target: Population) -> None:
    """Refuse a connection rule that cannot be drawn between two populations or parts."""
    if not getattr(rule, "self_connections", True) and meet_in_disorder(source, target):
        raise UnsupportedError(f"{type(rule).__name__}.self_connections must be True between {source.name!r} and "
                               f"{target.name!r}, scattered parts that have some of their neurons in common; give "
                               "pairs as Explicit(sources, targets)")
    rule.check(source.size, target.size, shift_between(source, target))


def as_rules(plasticity: Any) -> tuple[Plasticity, ...]:
    """Return the learning rules of a projection as a tuple."""
    given = plasticity if isinstance(plasticity, (list, tuple)) else [] if plasticity is None else [plasticity]
    for rule in given:
        if not isinstance(rule, Plasticity):
            raise ParameterError(f"plasticity must be a Plasticity or a list of them, got {describe_value(rule)}"
                                 f"{_hint('plasticity', rule)}")
    spiking = [rule for rule in given if rule.on_source or rule.on_target]  # others do not care
    if len({rule.delay for rule in spiking}) > 1:
        raise UnsupportedError("the rules of one projection must agree on where its delay lies, got "
                               + " and ".join(f"{type(rule).__name__}(delay={rule.delay!r})" for rule in spiking))
    return tuple(given)


def check_acts(target, receptor) -> None:
    """Refuse a receptor that acts on what its target does not take input to."""
    if receptor.on not in target.model.inputs:
        known = " or ".join(repr(name) for name in target.model.inputs)
        raise ParameterError(f"{type(receptor).__name__}.on must be {known}, the inputs of "
                             f"{type(target.model).__name__}, for {target.name!r}, got {receptor.on!r}")


def check_lengths(owner: str, values: Mapping[str, Any], size: int) -> None:
    """Raise ParameterError where an array has not one value, or a table not one column, for each neuron."""
    for name, value in values.items():
        if isinstance(value, np.ndarray) and value.ndim == 1 and value.size != size:
            raise ParameterError(f"{owner}.{name} must have one value per neuron, {size}, got {value.size}")
        table = getattr(value, "values", None)
        if isinstance(table, np.ndarray) and table.ndim == 2 and table.shape[1] != size:
            raise ParameterError(f"{owner}.{name} must have one column per neuron, {size}, got {table.shape[1]}")


def as_initial(model: Any, initial: Any, size: int) -> dict[str, Any]:
    """Return the initial values of state variables by name."""
    state = getattr(model, "state", {})
    names = ", ".join(state) or "none"
    if initial is not None and not isinstance(initial, Mapping):
        first = next(iter(state), "v")
        raise ParameterError(f"initial must give values by the names of state variables of {type(model).__name__} "
                             f"({names}), such as initial={{{first!r}: {describe_value(initial)}}}, "
                             f"got {describe_value(initial)}")
    checked = {}
    for name, value in (initial or {}).items():
        if name not in state:
            raise ParameterError(f"initial must name state variables of {type(model).__name__} ({names}), got {name!r}")
        parameter = Parameter(unit=state[name].unit)
        parameter.name = name
        checked[name] = parameter.check("initial", value)
    check_lengths("initial", checked, size)
    return checked


def as_values(label: str, value: Any, bounds: str = "", above: float = -np.inf) -> Any:
    """Return weights or delays: a number, a distribution, or a read-only array, which nobody else can change.

    Args:
        label: what they are.
        value: what was given.
        bounds: the bound and the unit as text.
        above: what they must exceed.
    """
    if isinstance(value, Samples):
        return value
    value = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.array(np.nan)
    if (array.ndim == 0 and not is_number(value)) or not np.isfinite(array).all() or (array <= above).any():
        kind = " ".join(part for part in ("a finite number", bounds) if part)
        got = describe_value(value) if array.ndim == 0 else "an array with other values"
        raise ParameterError(f"{label} must be {kind}, an array of them, or a distribution, got {got}")
    if array.ndim == 0:
        return value
    array.setflags(write=False)
    return array


def as_ids(ids: Any, what: Any) -> np.ndarray | None:
    """Return numbers of neurons within a population as an array."""
    if ids is None:
        return None
    size = getattr(what, "size", 0)
    try:
        array = np.array(ids)
    except ValueError:  # rows of different lengths
        array = np.empty(0)
    if (array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer) or array.min() < 0
            or array.max() >= size or np.unique(array).size != array.size):
        raise ParameterError(f"ids must be different neuron numbers in 0 .. {size - 1}, got {describe_value(ids)}")
    return array


def check_variable(net: Any, what: Any, variable: Any) -> None:
    """Raise where a population, projection or drive has no variable of that name."""
    if not isinstance(variable, str):
        raise ParameterError(f"variable must be one name, such as 'v', got {describe_value(variable)}; call record "
                             "once for each")
    if variable == "spikes" and hasattr(what, "spiking"):
        if not what.spiking:
            raise UnsupportedError(f"spikes of {what.name!r} cannot be recorded: {type(what.model).__name__} never "
                                   "spikes; record 'v'")
        return
    known = recordable(net, what)
    if not known:
        raise UnsupportedError(f"{type(what.drive).__name__} {what.name!r} cannot be recorded: its events are added up "
                               "where they arrive; add a population of Poisson, connect it by OneToOne(), and record "
                               "its spikes")
    if variable not in known:
        hint = "; a receptor's variables are there once a projection uses it" if hasattr(what, "spiking") else ""
        raise ParameterError(f"variable of {what.name!r} must be one of {', '.join(known)}, got {variable!r}{hint}")


def recordable(net: Any, what: Any) -> list[str]:
    """Return the names of what may be recorded of a population, a projection or a drive."""
    if isinstance(what, DriveOn):
        return ["current"] if isinstance(what.drive, Current) else []
    return ["spikes", *net.variables(what)] if hasattr(what, "spiking") else ["weight", *synapse_state(what)]


def one_with(found: list, names: Any, names_of: Any, what: str) -> Any:
    """Return which of several with one name has what is asked for, the first if all do.

    Args:
        found: populations, projections and drives of one name.
        names: of what is asked for.
        names_of: a function that returns the names of what one of them has.
        what: what the names are, for the message.

    Raises:
        ParameterError: none of several has it; the message lists what all of them have.
    """
    offered = [names_of(each) for each in found] if len(found) > 1 else []
    for each, its in zip(found, offered, strict=False):
        if set(names) <= set(its):
            return each
    if offered:
        known = list(dict.fromkeys(name for its in offered for name in its))
        wrong = next((name for name in names if name not in known), None)
        got = f"got {wrong!r}" if wrong is not None else f"of one of those with this name, got {', '.join(names)}"
        raise ParameterError(f"{what} of {found[0].name!r} must be one of {', '.join(known)}, {got}")
    return found[0]


def synapse_state(projection: Any) -> list[str]:
    """Return the names of the variables of a projection's synapses, those of all its parts."""
    parts = (projection.release, *projection.plasticity, projection.device)
    return list(dict.fromkeys(name for part in parts if part is not None for name in part.state))


def check_receptor_name(population: Any, receptor: Any, others: Any) -> None:
    """Raise NetworkError where another receptor of the population has the name."""
    for other in others:
        if receptor.name is not None and other.name == receptor.name and other != receptor:
            raise NetworkError(f"name of a receptor of {population.name!r} must be new, or the receptors equal, got "
                               f"{receptor!r}, where {other!r} is there")
