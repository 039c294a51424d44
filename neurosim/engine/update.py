"""Generates the kernel that advances the neurons of one population by one tick.

The loop of a kind has four steps, each its own pass, so that the first, which touches every neuron,
vectorises: (1) integrate, add the arrivals, compare with the threshold; (2) put refractory neurons
back; (3) reset those that spike and list them; what is rare costs little. Where a model can do most of its ticks
at once, that is a pass before these, after which the few others are integrated one by one.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.engine.intrinsics import FLAGS
from neurosim.engine.kernel import INT, Array, Kernel, Number
from neurosim.engine.slots import CLOSE, EMIT, OPEN
from neurosim.random import key_at, philox, uniform53


@dataclass(frozen=True)
class Port:
    """One receptor of a population: the names of its variables, prefixed, and what arrives at it.

    Arrivals at a direct port are added to its variable after the update; there is no buffer of them.
    """

    index: int
    receptor: Any
    direct: bool = False

    def name(self, variable: str) -> str:
        """Return the name of a variable of this port in the arrays and the text."""
        return f"p{self.index}_{variable}"

    @property
    def target(self) -> str:
        """Name of the target's variable on which it acts, in the arrays and the text."""
        return state_field(self.receptor.on)

    @property
    def gated(self) -> list[str]:
        """Names of the parameters on which the open share of its conductance depends besides v."""
        return list(inspect.signature(self.receptor.gate).parameters)[1:]

    @property
    def variable(self) -> str:
        """Name of the first variable, which is the only one of a direct port."""
        return self.name(next(iter(self.receptor.state)))

    @property
    def buffer(self) -> str:
        """Name of the array in which the weights that arrive at a tick are summed."""
        return f"p{self.index}_in"


@dataclass(frozen=True)
class Kind:
    """What decides the text of an update kernel.

    Args:
        model: the neuron model; its class and options matter, not its numbers.
        ports: the receptors.
        coefficients: names of the coefficients, and whether each differs from neuron to neuron.
        terms: the linear part, {variable: {variable | "1" | "I": coefficient name}}.
        injected: whether a current is injected from outside.
        real: float type of the states.
    """

    model: Any
    ports: tuple
    coefficients: dict
    terms: dict
    injected: bool
    real: type

    def kernel(self) -> Kernel:
        """Return the update kernel of this kind."""
        return _Writer(self).kernel()


def state_field(name: str) -> str:
    """Return the name of a model's variable in the arrays and the text, where it can clash with no other."""
    return f"s_{name}"


def coefficient_field(name: str) -> str:
    """Return the name of a model's coefficient in the text."""
    return f"m_{name}"


def current_field(kind: str, on: str) -> str:
    """Return under which name a body gets what acts on a variable: i, g, or with the name of another one than v."""
    return kind if on == "v" else f"{kind}_{on}"


def uses_uniform(model) -> bool:
    """Return whether a body of the model asks for a random number."""
    bodies = (model.step, model.fires, model.after_spike)
    return any("uniform" in inspect.signature(body).parameters for body in bodies if body is not None)


class _Writer:
    def __init__(self, kind: Kind):
        self.kind = kind
        self.model = kind.model
        self.states = {state_field(name): np.float64 if state.slow else kind.real
                       for name, state in self.model.state.items()}
        self.leaves = {}
        self.refractory = "t_ref" in self.model.parameters

    def kernel(self) -> Kernel:
        kind = self.kind
        body = self._integrate()
        if self.model.spiking:
            body += self._after()
        return Kernel("update", self._fields(), body, self.leaves, kind.real)

    # -- arguments ---------------------------------------------------------------------------------

    def _fields(self) -> dict:
        kind, n = self.kind, "n"
        fields: dict = {"n": INT}
        fields |= {name: Array(dtype, n) for name, dtype in self.states.items()}
        for port in kind.ports:
            fields |= {port.name(name): Array(kind.real, n) for name in port.receptor.state}
            fields |= {} if port.direct else {port.buffer: Array(kind.real, n)}
        if kind.injected:
            fields["injected"] = Array(kind.real, n)
        for name, varies in kind.coefficients.items():
            slow = name in self._slow_coefficients()
            dtype = np.float64 if slow else kind.real
            fields[name] = Array(dtype, n) if varies else Number(dtype)
        if self.model.spiking:
            fields |= {"spiked": Array(np.uint8, f"n + {FLAGS}"), **EMIT}
        if uses_uniform(self.model):
            fields |= {"uniform": Array(np.float64, n), "key0": INT, "key1": INT, "stream": INT, "sample": INT,
                       "origin": INT}
            self.leaves |= {"key_at": key_at, "philox": philox, "uniform53": uniform53}
        if self.refractory:
            fields |= {"n_ref": Array(np.int64, n), "until": Array(np.int64, n), "held": Array(np.uint32, n),
                       "held_v": Array(self.states["s_v"], n), "n_held": Array(np.int64, 1)}
        return fields

    def _slow_coefficients(self):
        return {name for variable, terms in self.kind.terms.items() if self.states.get(variable) is np.float64
                and self.kind.real is not np.float64 for name in terms.values()}

    def _coefficient(self, name):
        return f"{name}[k]" if self.kind.coefficients[name] else name

    # -- the pass over all neurons --------------------------------------------------------------------

    def _integrate(self) -> str:
        kind = self.kind
        head = self._draw() if uses_uniform(self.model) else []
        ahead = "s_v" not in kind.terms and self.model.spiking and self.model.tick_at_once() is not None
        head += self._at_once() if ahead else []
        loop = self._load()
        loop += ["injected[k] = 0"] if kind.injected else []
        loop += [f"{port.buffer}[k] = 0" for port in kind.ports if not port.direct]
        loop += self._advance_linear()
        loop += [f"y_{name} = x_{name}" for name in self.states] if ahead else self._advance_model("step")
        loop += self._add_arrivals()
        loop += [f"{name}[k] = y_{name}" for name in self._variables()]
        if self.model.spiking:
            loop.append(f"spiked[k] = {self._call('fires', self.model.fires, 'y_')}")
        return "\n".join(head) + "\nfor k in range(n):\n" + _indent(loop)

    def _load(self) -> list[str]:
        """Read the variables of a neuron, what is injected and what has arrived."""
        lines = [f"x_{name} = {name}[k]" for name in self._variables()]
        lines += ["x_injected = injected[k]"] if self.kind.injected else []
        return lines + [f"a_{port.index} = {port.buffer}[k]" for port in self.kind.ports if not port.direct]

    def _at_once(self) -> list[str]:
        """Integrate the model's own variables: those of all neurons at once, where that is right, then the others."""
        try_all = [*self._load(), *self._advance_model("at_once"), "spiked[k] = not done",
                   *(f"{name}[k] = y_{name} if done else x_{name}" for name in self.states)]
        others = [*self._load(), *self._advance_model("step"), *(f"{name}[k] = y_{name}" for name in self.states)]
        return ["for k in range(n):", *(f"    {line}" for line in try_all), *_for_each_flag(others)]

    def _variables(self) -> list[str]:
        return [*self.states, *(port.name(name) for port in self.kind.ports for name in port.receptor.state)]

    def _advance_linear(self) -> list[str]:
        """The exact propagator: each new value is a sum over old ones."""
        lines = []
        for variable, terms in self.kind.terms.items():
            parts = []
            for source, name in terms.items():
                factor = {"1": ""} | {current_field("I", on): f" * {self._current_in(on)}" for on in self.model.inputs}
                factor = factor.get(source, f" * x_{source}")
                parts.append(self._coefficient(name) + factor)
            lines.append(f"y_{variable} = " + (" + ".join(parts) or f"x_{variable} * 0"))
        return lines

    def _current_in(self, on):
        """The current into a variable that is held over the tick: injected into v, and from pulses."""
        parts = ["x_injected"] if self.kind.injected and on == "v" else []
        parts += [f"a_{port.index}" for port in self.kind.ports
                  if port.receptor.effect == "pulse" and port.receptor.on == on]
        return f"({' + '.join(parts)})" if parts else "0"

    def _advance_model(self, name) -> list[str]:
        """The model's own body of this name, where it is not part of the exact propagator."""
        if "s_v" in self.kind.terms:
            return []
        zero = f"np.{np.dtype(self.kind.real).name}(0)"
        lines = []
        for on in self.model.inputs:
            i, g = current_field("i", on), current_field("g", on)
            lines += [f"{i} = {zero}", f"{g} = {zero}"]
            if self._current_in(on) != "0":
                lines.append(f"{i} = {i} + {self._current_in(on)}")
        for port in self.kind.ports:
            lines += self._receptor_output(port)
        results = [*(["done"] if name == "at_once" else []), *(f"y_{state}" for state in self.states)]
        return [*lines, f"{', '.join(results)} = {self._call(name, getattr(self.model, name), 'x_')}"]

    def _receptor_output(self, port) -> list[str]:
        if port.receptor.effect not in ("current", "conductance"):
            return []
        output = self._coefficient(f"p{port.index}_output") + f" * x_{port.name(next(iter(port.receptor.state)))}"
        i, g = (current_field(kind, port.receptor.on) for kind in "ig")
        if port.receptor.effect == "current":
            return [f"{i} = {i} + {output}"]
        if port.receptor.gate is not None:
            self.leaves[f"gate_{port.index}"] = port.receptor.gate
            given = [f"x_{port.target}", *(self._coefficient(f"p{port.index}_gate_{name}") for name in port.gated)]
            output = f"{output} * gate_{port.index}({', '.join(given)})"
        return [f"g_{port.index} = {output}", f"{g} = {g} + g_{port.index}",
                f"{i} = {i} + g_{port.index} * {self._coefficient(f'p{port.index}_e_rev')}"]

    def _add_arrivals(self) -> list[str]:
        lines = []
        for port in self.kind.ports:
            if port.receptor.effect == "jump":
                lines.append(f"y_{port.target} = y_{port.target} + a_{port.index}")
            for name in () if port.direct else port.receptor.state:
                coefficient = f"p{port.index}_arrival_{name}"
                if coefficient in self.kind.coefficients:
                    lines.append(f"y_{port.name(name)} = y_{port.name(name)} + "
                                 f"{self._coefficient(coefficient)} * a_{port.index}")
        return lines

    def _call(self, alias, body, prefix) -> str:
        """The call of a scalar body, its arguments picked by name."""
        self.leaves[f"body_{alias}"] = body
        arguments = []
        for name in inspect.signature(body).parameters:
            if name in self.model.state:
                field = state_field(name)
                arguments.append(prefix + field if prefix else f"{field}[k]")
            elif name in [current_field(kind, on) for on in self.model.inputs for kind in "ig"]:
                arguments.append(name)
            elif name == "uniform":
                arguments.append(f"np.{np.dtype(self.kind.real).name}(uniform[k])")
            else:
                arguments.append(self._coefficient(coefficient_field(name)))
        return f"body_{alias}({', '.join(arguments)})"

    # -- the passes over few neurons --------------------------------------------------------------------

    def _hold(self) -> list[str]:
        """Put the neurons that are still refractory back to where their spike left them; forget the others."""
        return ["kept = 0",
                "for j in range(n_held[0]):",  # without a branch that nobody could predict
                "    k, stays = held[j], until[held[j]] >= tick",
                "    held_v[kept] = held_v[j]",
                "    held[kept] = k",
                "    s_v[k] = held_v[kept] if stays else s_v[k]",
                "    spiked[k] = np.uint8(0) if stays else spiked[k]",
                *(f"    {name}[k] = 0 if stays else {name}[k]" for name in self._cleared()),
                "    kept += stays"]

    def _cleared(self) -> list[str]:
        """Names of the variables that a spike clears, and whose arrivals are lost while a neuron is refractory."""
        return [port.name(name) for port in self.kind.ports if port.receptor.cleared for name in port.receptor.state]

    def _draw(self) -> list[str]:
        """One uniform number for each neuron: two from each call of the generator."""
        return ["k0, k1 = key_at(key0, key1, tick, 0)",
                "for q in range((n + 1) // 2):",
                "    w0, w1, w2, w3 = philox(np.uint64(origin // 2 + q), np.uint64(tick), np.uint64(stream),",
                "                            np.uint64(sample), k0, k1)",
                "    uniform[2 * q] = uniform53(w0, w1)",
                "    if 2 * q + 1 < n:",
                "        uniform[2 * q + 1] = uniform53(w2, w3)"]

    def _after(self) -> str:
        lines = self._hold() if self.refractory else []
        lines += OPEN.splitlines()
        spike = [f"{', '.join(f'{name}[k]' for name in self.states)} = "
                 f"{self._call('after_spike', self.model.after_spike, '')}",
                 *(f"{name}[k] = 0" for name in self._cleared()), "here[found] = first + k", "found += 1"]
        if self.refractory:
            spike += ["if n_ref[k] > 0:", "    until[k] = tick + n_ref[k]", "    held[kept] = k",
                      "    held_v[kept] = s_v[k]", "    kept += 1"]
        lines += _for_each_flag(spike)
        lines += CLOSE.splitlines()
        if self.refractory:
            lines.append("n_held[0] = kept")
        return "\n".join(lines)


def _for_each_flag(lines) -> list[str]:
    """Return lines that are run for each k at which `spiked` is not 0."""
    return [f"for q in range(0, n, {FLAGS}):",
            "    flags = flags_of(spiked, q)",
            "    while flags != 0:",
            "        k = q + first_flag(flags)",
            "        flags &= flags - np.uint64(1)",
            *(f"        {line}" for line in lines)]


def _indent(lines) -> str:
    return "".join(f"    {line}\n" for line in lines)
