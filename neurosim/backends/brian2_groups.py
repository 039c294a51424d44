"""Neurons for Brian2 as text, with neurosim's own scheme: what the update kernel computes, as statements.

Numbers have no units: ms, mV, pA and nS are what they are in neurosim. Names are those of the kernel, `s_v` for v of
the model, `p0_i_syn` for a variable of the first receptor, `a_1` for what arrives at the second, a pulse.
"""

import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from neurosim.backends.tracing import Trace
from neurosim.engine.plan import PopulationPlan
from neurosim.engine.update import coefficient_field, current_field, state_field
from neurosim.errors import UnsupportedError


@dataclass
class Group:
    """What a `NeuronGroup` of Brian2 is made of.

    Attributes:
        equations: variables, one a line.
        update: statements that take it from tick to tick.
        threshold, reset: when a neuron spikes, and what that does; "" where none does.
        arrivals: port -> statement for an arrival of weight `w`.
        early: ports whose arrivals take part in the integration of their tick.
        numbers: names that mean one number.
        arrays: variables with their values at the start, one for each neuron or a number.
        method: of integration, for equations.
    """

    equations: list[str] = field(default_factory=list)
    update: list[str] = field(default_factory=list)
    threshold: str = ""
    reset: list[str] = field(default_factory=list)
    arrivals: dict[int, str] = field(default_factory=dict)
    early: set[int] = field(default_factory=set)
    numbers: dict[str, float] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)
    method: str = "euler"


def same(plan: PopulationPlan, injected: str) -> Group:
    """Return a population with the scheme of neurosim.

    Args:
        plan: that of the population.
        injected: the expression of its injected current; "" for none.

    Raises:
        UnsupportedError: a body of the model cannot be written as statements.
    """
    return _Writer(plan, injected).group


class Names:
    """A group with the variables of a population declared, and what both schemes write alike.

    Args:
        plan: that of the population.
    """

    def __init__(self, plan: PopulationPlan):
        self.plan, self.model, self.form = plan, plan.neuron, plan.form
        self.ports, self.held = plan.form.kind.ports, plan.n_ref is not None
        self.group = Group()
        self.group.arrays |= {state_field(name): value for name, value in plan.initial.items()}
        self.group.arrays |= {port.name(name): state.initial for port in self.ports
                              for name, state in port.receptor.state.items()}
        for port in self.ports:
            self._arrive(port)

    def number(self, name: str, value) -> str:
        """Keep a number, or one for each neuron, and return its name."""
        if np.ndim(value):
            if name not in self.group.arrays:
                self.group.equations.append(f"{name} : 1 (constant)")
            self.group.arrays[name] = value
        else:
            self.group.numbers[name] = float(value)
        return name

    def differential(self, field: str, rate: str, held: bool = False) -> None:
        """Add the equation of a variable, its rate per ms; one that is held stands still while refractory."""
        flag = " (unless refractory)" if held and self.held and self.model.spiking else ""
        self.group.equations.append(f"d{field}/dt = ({rate}) / ms : 1{flag}")

    def fields(self, text: str) -> str:
        """Return statements with the names of the model's variables as they are called in the group."""
        return re.sub(r"\b(" + "|".join(self.model.state) + r")\b", lambda found: state_field(found[0]), text)

    def spike(self) -> None:
        """Write when the model spikes and what that does, from its bodies."""
        if not self.model.spiking:
            return
        given = self.given()
        for value in given.values():
            if value in self.form.values:  # it differs from neuron to neuron
                self.number(value, self.form.values[value])
        condition, trace = Trace(inline=True), Trace("r")
        self.group.threshold = plain(condition.call(self.model.fires, given)[0])
        after = [plain(value) for value in trace.call(self.model.after_spike, given)]
        names = [state_field(name) for name in self.model.state]
        changed = [(name, text) for name, text in zip(names, after, strict=True) if text != name]
        changed += [(port.name(name), "0.0") for port in self.ports if port.receptor.cleared
                    for name in port.receptor.state]
        self.group.reset = [*trace.lines, *(f"z_{name} = {text}" for name, text in changed),
                            *(f"{name} = z_{name}" for name, _ in changed)]

    def given(self) -> dict:
        """Return what the bodies of the model take by name: names of variables and coefficients, and numbers."""
        known: dict[str, str | float] = {name: state_field(name) for name in self.model.state}
        for name in self.form.values:
            if name.startswith(coefficient_field("")):
                known[name.removeprefix(coefficient_field(""))] = self.coefficient(name)
        return known

    def coefficient(self, name: str) -> "str | float":
        """Return a coefficient as a number, or by name where it differs from neuron to neuron."""
        value = self.form.values[name]
        return name if np.ndim(value) else float(value)

    def _arrive(self, port):
        effect = port.receptor.effect
        if effect == "jump":
            free = " * int(not_refractory_post)" if self.held and port.target == "s_v" else ""
            self.group.arrivals[port.index] = f"{port.target}_post += w{free}"
        elif effect == "pulse":
            self.group.arrivals[port.index] = f"a_{port.index}_post += w"
            self.group.early.add(port.index)
        else:
            lines = []
            for name in port.receptor.linear(_ones(port.receptor)).arrival:
                factor = f"p{port.index}_arrival_{name}"
                value = self.form.values.get(factor, 1.0)  # where it is not there, the weight is added as it is
                factor = f"{self.number(factor, value)}_post" if np.ndim(value) else repr(float(value))
                open_ = " * int(not_refractory_post)" if port.receptor.cleared and self.held else ""
                lines.append(f"{port.name(name)}_post += w * {factor}{open_}")
            self.group.arrivals[port.index] = "\n".join(lines)

    def finished(self) -> Group:
        """Return the group."""
        return self.group


class _Writer(Names):
    def __init__(self, plan, injected):
        super().__init__(plan)
        self.kind, self.injected = plan.form.kind, injected
        self.group.arrays |= {f"a_{port.index}": 0.0 for port in self.ports if port.receptor.effect == "pulse"}
        constants = {name.split(" : ")[0] for name in self.group.equations}
        self.group.equations += [f"{name} : 1" for name in self.group.arrays if name not in constants]
        for name, value in self.form.values.items():
            self.number(name, value)
        self._integrate()
        self.spike()

    def _integrate(self):
        """Each new value from the old ones; a neuron that is held keeps its v."""
        lines, news = [], {}
        for variable, terms in self.kind.terms.items():
            factors = {"1": ""} | {current_field("I", on): f" * ({self._held_current(on)})" for on in self.model.inputs}
            parts = [name + factors.get(source, f" * {source}") for source, name in terms.items()]
            news[variable] = " + ".join(parts) or f"{variable} * 0"
        if "s_v" not in self.kind.terms:
            trace = Trace()
            given = self.given() | self._currents(lines)
            out = trace.call(self.model.step, given)
            lines += trace.lines
            news |= {state_field(name): plain(value) for name, value in zip(self.model.state, out, strict=True)}
        lines += [f"n_{name} = {text}" for name, text in news.items()]
        for name in news:
            free = self.held and name == "s_v"
            lines.append(f"{name} = int(not_refractory) * n_{name} + (1 - int(not_refractory)) * {name}" if free
                         else f"{name} = n_{name}")
        self.group.update = lines + [f"a_{port.index} = 0" for port in self.ports if port.receptor.effect == "pulse"]

    def _held_current(self, on):
        """The current into a variable that is held over the tick."""
        parts = [self.injected] if self.injected and on == "v" else []
        parts += [f"a_{port.index}" for port in self.ports
                  if port.receptor.effect == "pulse" and port.receptor.on == on]
        return " + ".join(parts) or "0"

    def _currents(self, lines) -> dict:
        """Write the sums of currents and conductances that a step takes; return their names."""
        found = {}
        for on in self.model.inputs:
            currents, conductances = [self._held_current(on)], []
            for port in self.ports:
                if port.receptor.on != on or port.receptor.effect not in ("current", "conductance"):
                    continue
                output = f"p{port.index}_output * {port.name(next(iter(port.receptor.state)))}"
                if port.receptor.effect == "current":
                    currents.append(output)
                    continue
                lines.append(f"g_{port.index} = {output}{self._gate(port, lines)}")
                conductances.append(f"g_{port.index}")
                currents.append(f"g_{port.index} * p{port.index}_e_rev")
            for kind, parts in (("i", currents), ("g", conductances)):
                name = current_field(kind, on)
                lines.append(f"sum_{name} = {' + '.join(parts) or '0'}")
                found[name] = f"sum_{name}"
        return found

    def _gate(self, port, lines) -> str:
        """Write the share of a conductance that is open; return the factor."""
        if port.receptor.gate is None:
            return ""
        trace = Trace(f"o{port.index}_")
        given = {name: self.coefficient(f"p{port.index}_gate_{name}") for name in port.gated}
        first = port.receptor.gate.__code__.co_varnames[0]
        share = plain(trace.call(port.receptor.gate, given | {first: port.target})[0])
        lines += trace.lines
        return f" * {share}"


def plain(value) -> str:
    """Return the text of a symbol or of a number."""
    return getattr(value, "text", None) or repr(float(value))


def _ones(receptor):
    return SimpleNamespace(**{name: 1.0 for name in receptor.parameters})


def check_draws(plan: PopulationPlan) -> None:
    """Refuse a model that draws random numbers while it runs.

    Raises:
        UnsupportedError: a body takes `uniform`.
    """
    model = plan.neuron
    for body in (model.step, model.fires, model.after_spike):
        if body is not None and "uniform" in body.__code__.co_varnames[:body.__code__.co_argcount]:
            raise UnsupportedError(f"{type(model).__name__} draws a random number at every tick, which no other "
                                   "simulator draws alike")
