"""What is set between two runs, checked as it would be in a description."""

from typing import Any

import numpy as np

from neurosim.checks import Parameter, Samples, Timed, describe_value
from neurosim.engine.protocol import Engine
from neurosim.engine.quantities import check_bounds, parts_of_synapse, within_bounds
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.network import DriveOn, Population, Projection, check_lengths
from neurosim.running import Run


def put(run: Run, owner: Population | Projection | DriveOn, changes: dict) -> None:
    """Set what belongs to a population, a projection or a drive of a run; where a value does not fit, nothing is.

    Args:
        run: what goes on with it.
        owner: whose it is; of a population it may be a part.
        changes: new values by name.

    Raises:
        ParameterError: a name is not known, or a value does not fit.
        UnsupportedError: what cannot be set.
    """
    engine: Any = run.engine
    if isinstance(owner, DriveOn):
        run.change(of_drive(engine, owner, changes))
        return
    of: Any = of_projection if isinstance(owner, Projection) else of_population
    states, others = of(engine, owner, changes)
    if others:
        run.change(others)
    write = engine.put if isinstance(owner, Projection) else engine.write
    for name, values in states.items():
        write(owner, name, values)


def names_of(engine: Engine, owner: Population | Projection | DriveOn) -> list[str]:
    """Return the names of what can be set of a population, a projection or a drive."""
    if isinstance(owner, DriveOn):
        return list(owner.drive.parameters)
    if isinstance(owner, Population):
        ports = engine.plan.ports
        return list(dict.fromkeys([*ports.variables(owner), *ports.parameters(owner)]))
    plan = engine.plan.projections[owner]
    return list(dict.fromkeys([*engine.changing(owner), *plan.shared, *plan.stored, *_names_of_receptor(owner)]))


def _names_of_receptor(projection):
    return [name for name, each in projection.receptor.parameters.items() if isinstance(each, Parameter)]


def _refuse(engine, owner, name):
    known = ", ".join(names_of(engine, owner))
    raise ParameterError(f"what is set of {owner.name!r} must be one of {known}, got {name!r}")


def of_population(engine: Engine, population: Population, changes: dict) -> tuple[dict, dict]:
    """Return what is to be set of a population, or of a part of one.

    Args:
        engine: what runs.
        population: which.
        changes: new values by name: state variables, parameters of the model and of its receptors.

    Returns:
        State variables by name; and parameters, (whole population, name) -> values for the whole population.

    Raises:
        ParameterError: a name is not known, or a value does not fit.
    """
    ports = engine.plan.ports
    variables, parameters = ports.variables(population), ports.parameters(population)
    plan, states, found, time = engine.plan.populations[population.base], {}, {}, engine.clock.ms(engine.now)
    for name, value in changes.items():
        if name in variables:
            states[name] = values_of(name, value, population.size)
        elif name in parameters:
            found[name] = parameters[name]
        else:
            _refuse(engine, population, name)
    new = {}
    for port in dict.fromkeys(port for port, _ in found.values()):
        part, now = (population.model, plan.parameters) if port is None else plan.ports[port]
        own = {name: _parameter(part, name, changes[public], population, getattr(now, name), time)
               for public, (number, name) in found.items() if number == port}
        part.check_with({name: getattr(now, name) for name in part.parameters}, own)
        new |= {(population.base, name if port is None else f"{name}[{port}]"): value for name, value in own.items()}
    return states, new


def _parameter(part, name, value, population, now, time):
    """Return one parameter, checked, for the whole population of which a part may be meant."""
    checked = part.parameters[name].check(type(part).__name__, value)
    _check_form(name, checked)
    check_lengths(type(part).__name__, {name: checked}, population.size)
    if population.whole is None:
        return checked.later(time) if isinstance(checked, Timed) else checked
    if isinstance(checked, Timed) or isinstance(now, Timed) or checked is None or now is None:
        raise ParameterError(f"{name} must be a number or an array where it is set for a part, {population.name!r}")
    whole = np.array(np.broadcast_to(np.asarray(now, np.float64), population.base.size))
    whole[population.inside] = checked
    return part.parameters[name].check(type(part).__name__, whole)


def _check_form(name, value):
    if isinstance(value, Samples):
        raise ParameterError(f"{name} must be a number or an array when it is set in a running simulation, got {value}")


def of_drive(engine: Engine, drive: DriveOn, changes: dict) -> dict:
    """Return the parameters that are to be set of a drive, (drive, name) -> value; raise ParameterError."""
    part, now, found = drive.drive, engine.plan.drives[drive].parameters, {}
    for name, value in changes.items():
        if name not in part.parameters:
            _refuse(engine, drive, name)
        checked = part.parameters[name].check(type(part).__name__, value)
        _check_form(name, checked)
        check_lengths(type(part).__name__, {name: checked}, drive.target.size)
        found[name] = checked.later(engine.clock.ms(engine.now)) if isinstance(checked, Timed) else checked
    part.check_with({name: getattr(now, name) for name in part.parameters}, found)
    return {(drive, name): value for name, value in found.items()}


def of_projection(engine: Engine, projection: Projection, changes: dict) -> tuple[dict, dict]:
    """Return what is to be set of a projection.

    Returns:
        Quantities that change while the network runs, by name; and others, (owner, name) -> value, of the projection
        or, for the parameters of its receptor, of its target population.

    Raises:
        ParameterError: a name is not known, or a value does not fit.
        UnsupportedError: what cannot be set.
    """
    plan, changing = engine.plan.projections[projection], engine.changing(projection)
    changing_now, static, receptors = {}, {}, {}
    known = [*changing, *plan.shared, *plan.stored]
    for name, value in changes.items():
        if name == "delay":
            raise UnsupportedError(f"the delays of {projection.name!r} cannot be set: they are laid out; "
                                   "sim.rewire(...) returns a simulation that goes on with others")
        if name in known:
            shared = name in plan.shared and name not in changing
            size = 1 if shared and np.ndim(value) == 0 else plan.n_synapses
            group = changing_now if name in changing else static
            group[name] = _quantity(projection, name, value, size)
        elif name in _names_of_receptor(projection):
            receptors[name] = value
        else:
            _refuse(engine, projection, name)
    for group in (changing_now, static):
        if "weight" in group:
            projection.receptor.check_weights(f"weight of {projection.name!r}", group["weight"])
    _check_together(engine, projection, plan, changing_now, static)
    others = {(projection, name): value for name, value in static.items()}
    return changing_now, others | (_of_receptor(engine, projection, plan.port, receptors) if receptors else {})


def _quantity(projection, name, value, size):
    """Return a value for synapses, checked by the part that declares it."""
    for part in parts_of_synapse(projection):
        if name in part.parameters:
            checked = part.parameters[name].check(type(part).__name__, value)
            _check_form(name, checked)
            value = checked
    values = values_of(name, value, size)
    return values[0] if size == 1 and np.ndim(value) == 0 else values


def _check_together(engine, projection, plan, changing, static):
    """Refuse parameters that do not go together, and weights outside the bounds of a rule."""
    scalars = {name: float(value) for name, value in static.items() if np.ndim(value) == 0}
    for part in parts_of_synapse(projection):
        own = {name: plan.shared[name] for name in part.parameters if name in plan.shared}
        new = {name: value for name, value in scalars.items() if name in part.parameters}
        if new:
            part.replace(**own | new)
    if projection.plasticity and ("weight" in changing or static):
        values = engine.synapses(projection)[3]
        now, real = np.broadcast_to(values["weight"], plan.n_synapses), engine.plan.real
        weights = np.broadcast_to(changing.get("weight", now), plan.n_synapses).astype(real)
        if projection.device is not None:  # what a device has carried beyond the bounds may stay
            weights = np.where(weights == now, within_bounds(projection, now, values), weights)
        check_bounds(projection, weights, values | changing | static)


def _of_receptor(engine, projection, port, changes):
    """Return parameters of the receptor of a projection, which must be its own."""
    ports = engine.plan.ports
    others = [user for user in (*engine.plan.projections, *engine.plan.drives) if user is not projection
              and user.target.base is projection.target.base and user.receptor is not None and ports.of(user) == port]
    name = next(iter(changes))
    if others or projection.target.whole is not None:
        whose = f"{others[0].name!r} shares it" if others else f"{projection.target.name!r} is a part of its population"
        raise ParameterError(f"{name} of {projection.name!r} belongs to a receptor of its target, and {whose}; set it "
                             f"for all by sim.set({projection.target.base.name!r}, ...) with the name {name} or "
                             f"{name}[{port}]")
    public = {(number, own): public for public, (number, own) in
              ports.parameters(projection.target).items()}
    return of_population(engine, projection.target,
                         {public[port, name]: value for name, value in changes.items()})[1]


def values_of(name: str, value, size: int) -> np.ndarray:
    """Return `size` finite numbers; raise ParameterError for what are none."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all() or array.ndim > 1 or (array.ndim == 1 and array.size != size):
        raise ParameterError(f"{name} must be a finite number or {size} of them, got {describe_value(value)}")
    return np.broadcast_to(array, size)
