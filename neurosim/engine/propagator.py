"""From parameters to the coefficients of an update kernel, with the exact propagator of what is linear.

A linear neuron and its current receptors are one system x' = A x + b + c I. Over a tick, with I held,
x(t + dt) = P x(t) + p + q I, all from one matrix exponential of [[A, b, c], [0, 0, 0], [0, 0, 0]] dt,
in float64. It needs no special case where two time constants are equal.

Source: Rotter, Diesmann, Exact digital simulation of time-invariant linear systems, Biological
Cybernetics 81 (1999) 381-402; Van Loan, IEEE Trans. Automatic Control 23 (1978) 395-404.
"""

import inspect
from functools import lru_cache

import numpy as np

from neurosim.contracts import Linear
from neurosim.engine.exponential import exponential, reach
from neurosim.engine.update import Kind, Port, coefficient_field, current_field, state_field
from neurosim.errors import ParameterError, UnsupportedError

FEW = 16  #: so many matrices are few, whose exponentials are kept


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
    """

    def __init__(self, model, p, ports, injected, dt, real, direct=()):
        self.ports = tuple(Port(index, receptor, index in direct) for index, (receptor, _) in enumerate(ports))
        conductance = any(port.receptor.effect == "conductance" for port in self.ports)
        linear = None if conductance else model.linear(p)
        if linear is None and model.step is None:
            raise UnsupportedError(f"{type(model).__name__} has no scheme for conductances; use a current receptor")
        _check_acts(model, linear, self.ports)
        self.values: dict = {}
        terms = self._propagate(model, linear, ports, injected, dt)
        self._add_model(model, p, linear, dt)
        self._add_ports(ports)
        varies = {name: np.ndim(value) == 1 for name, value in self.values.items()}
        self.kind = Kind(model, self.ports, varies, terms, injected, real)

    def _propagate(self, model, linear, ports, injected, dt) -> dict:
        """Fill in the propagator; return its terms, {variable: {source: coefficient name}}."""
        system = _System(model, linear, list(zip(self.ports, [q for _, q in ports], strict=True)))
        if not system.variables:
            return {}
        exact, held, structure = system.propagator(dt)
        pulsed = {port.receptor.on for port in self.ports if port.receptor.effect == "pulse"}
        wanted = [current_field("I", on) for on in model.inputs if on in pulsed or (injected and on == "v")]
        columns = [*system.variables, "1", *(current_field("I", on) for on in model.inputs)]
        terms, row_of_one = {}, len(system.variables)
        for row, variable in enumerate(system.variables):
            terms[variable] = {}
            for column, source in enumerate(columns):
                if structure[row, column] and (column <= row_of_one or source in wanted):
                    name = f"c_{variable}_{ {'1': 'one', 'I': 'current'}.get(source, source)}"
                    here = exact[:, row, column] if column < row_of_one else held[:, row, column - row_of_one]
                    self.values[name] = _narrow(here)
                    terms[variable][source] = name
        return terms

    def _add_model(self, model, p, linear, dt):
        """Fill in what the model's bodies take by name."""
        bodies = [model.fires, model.after_spike] if model.spiking else []
        if linear is None:
            bodies.append(model.step)
        wanted = {name for body in bodies for name in _arguments(body)}
        given = ["uniform", *(current_field(kind, on) for on in model.inputs for kind in "ig")]
        wanted -= set(model.state) | set(given)
        offered = model.coefficients(p, dt)
        missing = wanted - set(offered)
        if missing:
            raise ParameterError(f"{type(model).__name__}: the arguments of its bodies must be state variables, "
                                 f"coefficients, or one of {', '.join(given)}; got {', '.join(sorted(missing))}")
        self.values |= {coefficient_field(name): _narrow(offered[name]) for name in sorted(wanted)}

    def _add_ports(self, ports):
        for port, (receptor, q) in zip(self.ports, ports, strict=True):
            equations = receptor.linear(q)
            for name, value in ({} if port.direct else equations.arrival).items():
                self.values[f"p{port.index}_arrival_{name}"] = _narrow(value)
            for value in equations.output.values():
                self.values[f"p{port.index}_output"] = _narrow(value)
            if receptor.effect == "conductance":
                self.values[f"p{port.index}_e_rev"] = _narrow(q.e_rev)
            if receptor.gate is not None:
                self.values |= {f"p{port.index}_gate_{name}": _narrow(getattr(q, name)) for name in port.gated}


class _System:
    """The joint linear system of a model and its receptors; of the receptors alone if it is not linear."""

    def __init__(self, model, linear, ports):
        self.linear = linear or Linear()
        self.variables = [state_field(name) for name in model.state] if linear is not None else []
        self.entries = [(self._index(a), self._index(b), value)
                        for (a, b), value in self.linear.matrix.items()]
        for port, q in ports:
            self._add(port, port.receptor.linear(q), linear is not None)
        size = len(self.variables)
        self.size = size + 1 + len(model.inputs)
        for column, values in enumerate((self.linear.constant, *map(self.linear.gains, model.inputs)), size):
            self.entries += [(self._index(name), column, value) for name, value in values.items()]

    def _index(self, name):
        return self.variables.index(state_field(name))

    def _add(self, port, equations, joined):
        self.variables += [port.name(name) for name in port.receptor.state]
        index = {name: self.variables.index(port.name(name)) for name in port.receptor.state}
        self.entries += [(index[a], index[b], value) for (a, b), value in equations.matrix.items()]
        if joined and port.receptor.effect == "current":
            for target, gain in self.linear.gains(port.receptor.on).items():
                self.entries += [(self._index(target), index[name], gain * output)
                                 for name, output in equations.output.items()]

    def propagator(self, dt):
        """Return P, then p and q side by side, for every neuron or one for all, and where they can differ from zero."""
        n = len(self.variables)
        rates = _matrix(n, n, [entry for entry in self.entries if entry[1] < n])
        inputs = _matrix(n, self.size - n, [(row, column - n, value) for row, column, value in self.entries
                                            if column >= n])
        exact = _steps_of(rates, n, dt)
        held = exact[:, :, n:] @ inputs
        structure = np.zeros((self.size, self.size), dtype=bool)
        structure[:n] = np.concatenate([(rates != 0.0).any(axis=0), (inputs != 0.0).any(axis=0)], axis=1)
        return exact[:, :, :n], held, _reach_of(structure.tobytes(), self.size)


def _matrix(rows, columns, entries) -> np.ndarray:
    """Return the sum of entries (row, column, value) as a matrix for every neuron, or one for all."""
    count = max((np.size(value) for _, _, value in entries), default=1)
    matrix = np.zeros((count, rows, columns))
    for row, column, value in entries:
        matrix[:, row, column] += value
    return matrix


def _steps_of(rates, n: int, dt: float) -> np.ndarray:
    """Return `_steps` of matrices, of which equal ones are handled once and few are kept."""
    flat = rates.reshape(len(rates), -1)
    if len(flat) > 1 and (flat == flat[0]).all():
        flat = flat[:1]
    if len(flat) == 1:
        return _few_steps(flat.tobytes(), n, dt)
    unique, inverse = np.unique(flat, axis=0, return_inverse=True)
    return (_few_steps if len(unique) <= FEW else _steps)(unique.tobytes(), n, dt)[inverse.ravel()]


def _steps(rates: bytes, n: int, dt: float) -> np.ndarray:
    """Return exp(A dt) and its integral over the tick side by side, (matrices, n, 2 n): what an input held over the
    tick does is that integral times it, so that another constant or current needs no other exponential."""
    matrix = np.frombuffer(rates).reshape(-1, n, n)
    joined = np.zeros((len(matrix), 2 * n, 2 * n))
    joined[:, :n, :n], joined[:, :n, n:] = matrix * dt, np.eye(n) * dt
    return exponential(joined)[:, :n]


_few_steps = lru_cache(maxsize=256)(_steps)


@lru_cache(maxsize=256)
def _reach_of(structure: bytes, size: int) -> np.ndarray:
    """Return `reach` of a matrix of which only is known where it is zero."""
    return reach(np.frombuffer(structure, dtype=bool).reshape(1, size, size).astype(float))


@lru_cache(maxsize=1024)
def _arguments(body) -> tuple:
    return tuple(inspect.signature(body).parameters)


def _check_acts(model, linear, ports):
    """Refuse receptors whose current or conductance the model would not notice."""
    takes = () if linear is not None else _arguments(model.step)
    for port in ports:
        receptor, on = port.receptor, port.receptor.on
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
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 1 and (array.size == 1 or (array == array[0]).all()):
        return float(array[0])
    return float(array) if array.ndim == 0 else array
