"""The text of what happens at synapses that learn or that release a part of their weight.

A synapse has a row of numbers: when the last spike arrived, its traces of arrivals as they were just after it, the variables of
rule and release, and those parameters that differ from synapse to synapse. A target has a row for each projection: when it last
spiked, and its traces just after. A target's spike visits all synapses that end at it.
"""

import inspect
from dataclasses import dataclass, field

import numpy as np

from neurosim.errors import UnsupportedError
from neurosim.maths import exp

LONG_AGO = -1e12  #: ms, of an arrival or a spike that has not been

_ARRIVAL = '''
@njit(nogil=True, error_model="numpy")
def arrival_{kind}(extra, at, shared, shared_at, traces, trace_at, weights, weight_at, t):
    elapsed = t - extra[at]
{lines}
    extra[at] = t
    return effect
'''

_SPIKED = '''
@njit(nogil=True, error_model="numpy")
def spiked_{kind}(extra, extra_at, width, shared, shared_at, traces, trace_at, weights, first_weight, low, high, back_synapse, t):
{decay}
    for n in range(low, high):
        e = np.int64(back_synapse[n])
        at = extra_at + e * width
        weight_at = first_weight + e
        elapsed = t - extra[at]
{lines}
{raise_}
    traces[trace_at] = t
'''

_CHOICE = '''
@njit(nogil=True, error_model="numpy")
def arrival(kind, extra, at, shared, shared_at, traces, trace_at, weights, weight_at, t):
{arrivals}
    return weights[weight_at]


@njit(nogil=True, error_model="numpy")
def spiked(kind, extra, extra_at, width, shared, shared_at, traces, trace_at, weights, weight_at, low, high, back_synapse,
           synapses, t):
{spikes}
    return
'''


@dataclass
class Synapses:
    """The text for the synapses of a projection, and where their numbers lie.

    Attributes:
        fields: names of the numbers of a synapse after the time of the last arrival, in order.
        initial: their initial values; a number, or an array with one value per synapse.
        shared: values that all synapses share, by name, in order.
        tau: names of the traces of targets, in order.
        text: the text, with {kind} in place of its number.
        leaves: the bodies it calls, by name with {kind}.
    """

    fields: list
    initial: list
    shared: dict
    traces: list
    text: str = ""
    leaves: dict = field(default_factory=dict)
    variables: list = field(default_factory=list)


def synapses(plan) -> Synapses | None:
    """Return what the synapses of a projection need; None where they do nothing but transmit their weight."""
    projection = plan.projection
    rule = projection.plasticity[0] if projection.plasticity else None
    if rule is None and projection.release is None:
        return None
    return _Writer(projection, rule, plan.values).synapses()


class _Writer:
    def __init__(self, projection, rule, values):
        self.projection, self.rule, self.release = projection, rule, projection.release
        self.source_traces = {} if rule is None else dict(rule.source_traces)
        self.target_traces = {} if rule is None else dict(rule.target_traces)
        states = {name: state for part in (rule, self.release) if part is not None for name, state in part.state.items()}
        own = {name: value for name, value in values.items() if name not in ("weight", "delay")}
        stored = {name: value for name, value in own.items() if np.ndim(value)}
        self.shared = {name: value for name, value in own.items() if name not in stored}
        self.names = [*self.source_traces, *states, *stored]
        self.initial = [0.0] * len(self.source_traces) + [state.initial for state in states.values()] + list(stored.values())
        self.states, self.leaves = list(states), {}
        for trace in [*self.source_traces.values(), *self.target_traces.values()]:
            if trace.tau in stored:
                raise UnsupportedError(f"{type(rule).__name__}.{trace.tau} must be one number: it is the time constant of a trace")

    def synapses(self) -> Synapses:
        text = _ARRIVAL.replace("{lines}", _indent(self._arrival(), 1)) + self._spiked()
        return Synapses(self.names, self.initial, self.shared, list(self.target_traces), text, self.leaves, self.states)

    def _place(self, name) -> str:
        return f"extra[at + {1 + self.names.index(name)}]"

    def _shared(self, name) -> str:
        return f"shared[shared_at + {list(self.shared).index(name)}]"

    def _decayed(self, value, trace, since) -> str:
        self.leaves["exp"] = exp
        return f"{value} * exp(-{since} / {self._shared(trace.tau)})"

    def _target_trace(self, name) -> str:
        return f"traces[trace_at + {1 + list(self.target_traces).index(name)}]"

    def _call(self, body, part, known) -> str:
        alias = f"{body}_{{kind}}"
        self.leaves[alias] = getattr(part, body)
        arguments = []
        for name in inspect.signature(getattr(part, body)).parameters:
            if name in known:
                arguments.append(known[name])
            elif name in self.names:
                arguments.append(self._place(name))
            elif name in self.shared:
                arguments.append(self._shared(name))
            else:
                raise UnsupportedError(f"{type(part).__name__}.{body} of projection {self.projection.name!r} takes {name!r} and cannot "
                                       "be used in the mode 'event'; use mode='clocked'")
        return f"{alias}({', '.join(arguments)})"

    def _learn(self, body, known) -> str:
        results = ", ".join(["weights[weight_at]", *map(self._place, self.rule.state)])
        return f"{results} = {self._call(body, self.rule, known)}"

    def _arrival(self) -> list[str]:
        lines, learn, after = [], [], False
        if self.rule is not None:
            lines += [f"now_{name} = {self._decayed(self._place(name), trace, 'elapsed')}"
                      for name, trace in self.source_traces.items()]
            if self.rule.on_source is not None:
                lines += [f"now_{name} = {self._decayed(self._target_trace(name), trace, '(t - traces[trace_at])')}"
                          for name, trace in self.target_traces.items()]
                known = {name: f"now_{name}" for name in (*self.source_traces, *self.target_traces)}
                learn = [self._learn("on_source", known | {"weight": "weights[weight_at]"})]
                after = self.rule.transmits == "after"
        lines += [*learn, "effect = weights[weight_at]"] if after else ["effect = weights[weight_at]", *learn]
        if self.release is not None:
            results = ", ".join(["amount", *map(self._place, self.release.state)])
            lines += [f"{results} = {self._call('release', self.release, {'elapsed': 'elapsed'})}", "effect *= amount"]
        return lines + [f"{self._place(name)} = " + ("1.0" if trace.nearest else f"now_{name} + 1.0")
                        for name, trace in self.source_traces.items()]

    def _spiked(self) -> str:
        if self.rule is None:
            return ""
        decay = [f"now_{name} = {self._decayed(self._target_trace(name), trace, '(t - traces[trace_at])')}"
                 for name, trace in self.target_traces.items()]
        lines = ["pass"]
        if self.rule.on_target is not None:
            lines = [f"then_{name} = {self._decayed(self._place(name), trace, 'elapsed')}"
                     for name, trace in self.source_traces.items()]
            known = {name: f"then_{name}" for name in self.source_traces} | {name: f"now_{name}" for name in self.target_traces}
            lines.append(self._learn("on_target", known | {"weight": "weights[weight_at]"}))
        raise_ = [f"{self._target_trace(name)} = " + ("1.0" if trace.nearest else f"now_{name} + 1.0")
                  for name, trace in self.target_traces.items()]
        return _SPIKED.replace("{decay}", _indent(decay, 1)).replace("{lines}", _indent(lines, 2)).replace(
            "{raise_}", _indent(raise_, 1))


def combine(kinds: list) -> tuple:
    """Return the text that serves several kinds of synapses, numbered from 1, and its leaves.

    Args:
        kinds: pairs of a text and its leaves, as `Synapses` has them.
    """
    if not kinds:
        return "", ()
    text, arrivals, spikes, leaves = "", [], [], {}
    for number, (part, bodies) in enumerate(kinds, start=1):
        text += part.replace("{kind}", str(number))
        leaves |= {name.replace("{kind}", str(number)): body for name, body in bodies.items()}
        arrivals += [f"if kind == {number}:", f"    return arrival_{number}(extra, at, shared, shared_at, traces, trace_at, weights, "
                     "weight_at, t)"]
        if "def spiked_{kind}" in part:
            spikes += [f"if kind == {number}:", f"    spiked_{number}(extra, extra_at, width, shared, shared_at, traces, trace_at, "
                       "weights, weight_at, low, high, back_synapse, t)"]
    choice = _CHOICE.replace("{arrivals}", _indent(arrivals, 1)).replace("{spikes}", _indent(spikes or ["pass"], 1))
    return text + choice, tuple(sorted(leaves.items()))


def _indent(lines, depth) -> str:
    return "\n".join("    " * depth + line for line in lines)
