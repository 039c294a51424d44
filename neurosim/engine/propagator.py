"""From parameters to the coefficients of an update kernel, with the exact propagator of what is linear.

A linear neuron and its current receptors are one system x' = A x + b + c I. Over a tick, with I held,
x(t + dt) = P x(t) + p + q I with P = exp(A dt), and p and q the integral of exp(A t) over the tick times b and c,
in float64. It needs no special case where two time constants are equal.

Source: Rotter, Diesmann, Exact digital simulation of time-invariant linear systems, Biological
Cybernetics 81 (1999) 381-402; Van Loan, IEEE Trans. Automatic Control 23 (1978) 395-404.
"""

import inspect
from functools import lru_cache

import numpy as np

from neurosim.contracts import Linear
from neurosim.engine.exponential import exponential_and_integral, product
from neurosim.engine.update import Kind, Port, coefficient_field, current_field, state_field
from neurosim.errors import ParameterError, UnsupportedError


class Coefficients:
    """The kind of a population and the values of its coefficients.

    Args:
        model: the neuron model.
        p: its parameters by name.
        ports: pairs of receptor and parameters.
        injected: whether a current is injected.
        dt: ms.
        real: float type of the states.
        direct: numbers of the ports at which arrivals are added to the variable itself.
        before: those of the same population before some of its parameters were set; what did not change is shared.
    """

    def __init__(self, model, p, ports, injected, dt, real, direct=(), before: "Coefficients | None" = None):
        self.ports = before.ports if before is not None else tuple(
            Port(index, receptor, index in direct) for index, (receptor, _) in enumerate(ports))
        conductance = any(port.receptor.effect == "conductance" for port in self.ports)
        linear = None if conductance else model.linear(p)
        if linear is None and model.step is None:
            raise UnsupportedError(f"{type(model).__name__} has no scheme for conductances; use a current receptor")
        if before is None:
            _check_acts(model, linear, self.ports)
        equations = [receptor.linear(q) for receptor, q in ports]
        pulsed = {port.receptor.on for port in self.ports if port.receptor.effect == "pulse"}
        held = tuple(current_field("I", on) for on in model.inputs if on in pulsed or (injected and on == "v"))
        self.system = _System(model, linear, self.ports, equations, dt, None if before is None else before.system)
        self.terms, values = self.system.terms(held)
        self.values: dict = {**values, **_of_model(model, p, linear, dt), **self._of_ports(ports, equations)}
        varies = {name: type(value) is not float for name, value in self.values.items()}
        self.kind = Kind(model, self.ports, varies, self.terms, injected, real)
        if before is not None and before.terms == self.terms and before.kind.coefficients == varies:
            self.kind = before.kind

    def _of_ports(self, ports, equations) -> dict:
        """Return the coefficients by which arrivals act."""
        found = {}
        for port, (receptor, q), linear in zip(self.ports, ports, equations, strict=True):
            for name, value in ({} if port.direct else linear.arrival).items():
                found[f"p{port.index}_arrival_{name}"] = _narrow(value)
            for value in linear.output.values():
                found[f"p{port.index}_output"] = _narrow(value)
            if receptor.effect == "conductance":
                found[f"p{port.index}_e_rev"] = _narrow(q.e_rev)
            if receptor.gate is not None:
                found |= {f"p{port.index}_gate_{name}": _narrow(getattr(q, name)) for name in port.gated}
        return found


def _of_model(model, p, linear, dt) -> dict:
    """Return what the bodies of a model take by name."""
    bodies = (model.fires, model.after_spike) if model.spiking else ()
    if linear is None:
        bodies += tuple(body for body in (model.step, model.tick_at_once()) if body is not None)
    wanted = _taken(bodies, tuple(model.state), model.inputs)
    offered = model.coefficients(p, dt)
    missing = [name for name in wanted if name not in offered]
    if missing:
        given = ["uniform", *(current_field(kind, on) for on in model.inputs for kind in "ig")]
        raise ParameterError(f"{type(model).__name__}: the arguments of its bodies must be state variables, "
                             f"coefficients, or one of {', '.join(given)}; got {', '.join(missing)}")
    return {coefficient_field(name): _narrow(offered[name]) for name in wanted}


@lru_cache(maxsize=1024)
def _taken(bodies: tuple, state: tuple, inputs: tuple) -> list:
    """Return the names that some bodies take besides the state and what the engine gives."""
    given = {"uniform", *(current_field(kind, on) for on in inputs for kind in "ig"), *state}
    return sorted({name for body in bodies for name in _arguments(body)} - given)


class _System:
    """The joint linear system of a model and its receptors, of the receptors alone if it is not linear, and what it
    does in a tick.

    Attributes:
        variables: their names.
        columns: names of the constant and the currents that are held over a tick.
        rates, inputs: A, and b beside c, by (row, column), each a number or one for every neuron.
        exact, integral: P, and the integral of exp(A t) over the tick.
        held: p beside q.
    """

    def __init__(self, model, linear, ports, equations, dt, before):
        self.variables = [state_field(name) for name in model.state] if linear is not None else []
        self.columns = ["1", *(current_field("I", on) for on in model.inputs)]
        own, self.rates, self.inputs = linear or Linear(), {}, {}
        self._put(own.matrix, state_field)
        for port, its in zip(ports, equations, strict=True):
            self._add(port, its, own)
        for column, values in enumerate((own.constant, *map(own.gains, model.inputs))):
            for name, value in values.items():
                self.inputs[self.variables.index(state_field(name)), column] = _narrow(value)
        self._solve(dt, before)

    def _put(self, matrix, name_of):
        for (a, b), value in matrix.items():
            self.rates[self.variables.index(name_of(a)), self.variables.index(name_of(b))] = _narrow(value)

    def _add(self, port, equations, own):
        self.variables += [port.name(name) for name in port.receptor.state]
        self._put(equations.matrix, port.name)
        if port.receptor.effect == "current":
            for target, gain in own.gains(port.receptor.on).items():
                row = self.variables.index(state_field(target))
                for name, output in equations.output.items():
                    self.rates[row, self.variables.index(port.name(name))] = _narrow(gain * output)

    def _solve(self, dt, before):
        """Fill in what it does in a tick; what an input that is held does is the integral times it, so that another
        constant or current needs no other exponential."""
        if before is not None and _equal(self.rates, before.rates):
            self.exact, self.integral = before.exact, before.integral
        else:
            rates = {place: value * dt for place, value in self.rates.items() if _acts(value)}
            self.exact, integral = exponential_and_integral(rates, len(self.variables))
            self.integral = {place: value * dt for place, value in integral.items()}
        self.held = product(self.integral, {place: value for place, value in self.inputs.items() if _acts(value)})

    def terms(self, held: tuple) -> tuple[dict, dict]:
        """Return the terms of the propagator, {variable: {source: name of the coefficient}}, and the values by name.

        Args:
            held: names of the currents that are known.
        """
        terms, values = {variable: {} for variable in self.variables}, {}
        for row, variable in enumerate(self.variables):
            for column, source in enumerate(self.variables):
                if (row, column) in self.exact:
                    terms[variable][source] = name = f"c_{variable}_{source}"
                    values[name] = self.exact[row, column]
            for column, source in enumerate(self.columns):
                if (row, column) in self.held and (column == 0 or source in held):
                    terms[variable][source] = name = f"c_{variable}_{ {'1': 'one', 'I': 'current'}.get(source, source)}"
                    values[name] = self.held[row, column]
        return terms, values


def _acts(value) -> bool:
    """Return whether a value of an equation is not zero in all neurons."""
    return bool(value[0] or value.any()) if isinstance(value, np.ndarray) else value != 0.0


def _equal(one: dict, other: dict) -> bool:
    """Return whether two sets of equations are the same."""
    return one.keys() == other.keys() and all(
        value is other[place] or np.array_equal(value, other[place]) if isinstance(value, np.ndarray)
        else not isinstance(other[place], np.ndarray) and value == other[place] for place, value in one.items())


@lru_cache(maxsize=1024)
def _arguments(body) -> tuple:
    return tuple(inspect.signature(body).parameters)


def _check_acts(model, linear, ports):
    """Refuse receptors whose current or conductance the model would not notice."""
    takes = () if linear is not None else _arguments(model.step)
    for port in ports:
        receptor, on = port.receptor, port.receptor.on
        if receptor.cleared and not model.spiking:
            raise UnsupportedError(f"{type(receptor).__name__} with refractory='cleared' needs a target that spikes, "
                                   f"and {type(model).__name__} never does; leave the option out")
        if receptor.effect == "jump":
            continue
        kinds = "ig" if receptor.effect == "conductance" else "i"
        missing = [] if linear is not None else [current_field(kind, on) for kind in kinds
                                                 if current_field(kind, on) not in takes]
        if missing or (linear is not None and not linear.gains(on)):
            what = f"its step takes no {missing[0]}" if missing else f"its linear equations name no current into {on}"
            raise UnsupportedError(f"{type(model).__name__} cannot take {type(receptor).__name__} on {on!r}: {what}")


def _narrow(value):
    """Return a float where all values are the same, else an array."""
    if isinstance(value, float):
        return float(value)
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 1 and array[0] == array[-1] and (array == array[0]).all():
        return float(array[0])
    return float(array) if array.ndim == 0 else array
