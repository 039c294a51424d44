"""Synapses for Brian2 as text: what an arrival does, and rules of traces with their order within a tick.

With the schedule of the backend Brian2 sees a spike in the step after its own. An arrival acts in time if its delay is
a tick shorter; a rule that must see arrivals before spikes of the target of the same tick sees both a step late.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from neurosim.backends.tracing import Trace

SOURCE, TARGET = "pre", "post"


@dataclass
class Pathway:
    """What a spike of one side does, some ticks later.

    Attributes:
        name: of the pathway.
        side: "pre" or "post".
        code: statements.
        delay: ticks, in Brian2's count, a number or one for each synapse.
        order: among those of one step.
    """

    name: str
    side: str
    code: str
    delay: np.ndarray
    order: int = 0


@dataclass
class Wires:
    """What `Synapses` of Brian2 are made of.

    Attributes:
        equations: variables of a synapse.
        pathways: what spikes do.
        numbers: names that mean one number.
        arrays: variables with one value for each synapse.
        late: whether the rule sees all one step late, so that one more step must be run.
    """

    equations: list[str] = field(default_factory=list)
    pathways: list[Pathway] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    late: bool = False


def static(values, delay, arrival: str) -> Wires:
    """Return synapses that do not learn.

    Args:
        values: their quantities, `weight` among them.
        delay: ticks of neurosim.
        arrival: the statement for an arrival of weight `w`.
    """
    made = Wires(pathways=[Pathway("arrive", SOURCE, arrival, delay - 1)])
    _keep(made, "w", values["weight"])
    return made


def plastic(rule, values, delay, arrival: str, dt: float) -> Wires:
    """Return synapses with a rule of traces.

    Raises:
        UnsupportedError: a body of the rule cannot be written as statements.
    """
    made = Wires(["w : 1"], arrays={"w": values["weight"]})
    for name in rule.parameters:
        if name in values:
            _keep(made, name, values[name])
    for name, trace in (rule.source_traces | rule.target_traces).items():
        made.equations.append(f"d{name}/dt = -{name} / ({float(getattr(rule, trace.tau))!r}*ms) : 1 (event-driven)")
    raised = {side: [f"{name} = 1" if trace.nearest else f"{name} += 1" for name, trace in traces.items()]
              for side, traces in ((SOURCE, rule.source_traces), (TARGET, rule.target_traces))}
    (_dendritic if rule.delay == "dendritic" else _axonal)(made, rule, delay, arrival, raised, dt)
    return made


def _axonal(made, rule, delay, arrival, raised, dt):
    """Arrivals, then spikes of the target, a step late; what arrives acts in time."""
    made.late = True
    sent = arrival
    if rule.transmits == "after" and rule.on_source is not None:
        traces = rule.source_traces | rule.target_traces
        early = {name: f"({name} * {math.exp(-dt / float(getattr(rule, trace.tau)))!r})"
                 for name, trace in traces.items()}  # those of the arrival: they are a step ahead
        lines, after = _written(rule, rule.on_source, made, early, "f")
        sent = "\n".join([*lines, f"sent = {after}", _sending(arrival)])
    made.pathways = [
        Pathway("arrive", SOURCE, "\n".join(_changed(rule, rule.on_source, made, "q") + raised[SOURCE]), delay, -2),
        Pathway("learn", TARGET, "\n".join(_changed(rule, rule.on_target, made, "r") + raised[TARGET]),
                np.zeros_like(delay), -1),
        Pathway("effect", SOURCE, sent, delay - 1, 0)]


def _dendritic(made, rule, delay, arrival, raised, dt):
    """All a delay later than at the synapse, where a spike of the target comes a delay after it happened."""
    learn, arrive = _changed(rule, rule.on_target, made, "r"), _changed(rule, rule.on_source, made, "q")
    before = rule.transmits == "before"
    made.pathways = [
        Pathway("effect", SOURCE, arrival, delay - 1, -1 if before else 0),
        Pathway("mark_arrival", SOURCE, "\n".join(raised[SOURCE]), delay - 1, 1),
        Pathway("mark_target", TARGET, "\n".join(raised[TARGET]), 2 * delay - 1, 1)]
    if learn:
        made.pathways.append(Pathway("learn", TARGET, "\n".join(learn), 2 * delay - 1, -2))
    if arrive:
        made.pathways.append(Pathway("arrive", SOURCE, "\n".join(arrive), delay - 1, 0 if before else -1))
    made.pathways = [pathway for pathway in made.pathways if pathway.code]


def _changed(rule, body, made, prefix) -> list[str]:
    """Return the statements that change the weight as a body says."""
    if body is None:
        return []
    lines, after = _written(rule, body, made, {}, prefix)
    return [*lines, f"w = {after}"]


def _written(rule, body, made, instead, prefix):
    trace = Trace(prefix)
    given = {"weight": "w"} | {name: name for name in (*rule.source_traces, *rule.target_traces)} | instead
    given |= {name: made.numbers.get(name, name) for name in rule.parameters}
    after = trace.call(body, given)[0]
    return trace.lines, getattr(after, "text", None) or repr(float(after))


def _sending(arrival: str) -> str:
    """Return an arrival's statement with what was computed as its weight."""
    return "\n".join(line.replace("+= w", "+= sent") for line in arrival.splitlines())


def _keep(made, name, value):
    if np.ndim(value):
        made.equations += [] if name in made.arrays else [f"{name} : 1 (constant)"]
        made.arrays[name] = value
    else:
        made.numbers[name] = float(value)
