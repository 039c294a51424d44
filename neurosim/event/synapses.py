"""What happens at synapses that learn or that release a part of their weight: kernels of their own, which the loop
calls.

A synapse has a row of numbers: when the last spike arrived, its traces of arrivals as they were just after it, the
variables of rule and release, and those parameters that differ from synapse to synapse. A target has a row for each
projection: when it last spiked, and its traces just after. A target's spike visits all synapses that end at it.
"""

import inspect

import numpy as np

from neurosim.engine.kernel import INT, REAL, Array, Kernel
from neurosim.errors import UnsupportedError

LONG_AGO = -1e12  #: ms, of an arrival or a spike that has not been


class Synapses:
    """The numbers of the synapses of a projection that learn or release, and the kernels that handle them.

    Args:
        plan: the layout of the projection.

    Attributes:
        shared: values that all synapses share, by name.
        variables: names of the variables of rule and release.
        extra: a row for each synapse.
        traces: a row for each target.
    """

    def __init__(self, plan):
        self.projection, values = plan.projection, plan.values
        self.rule = self.projection.plasticity[0] if self.projection.plasticity else None
        self.release = self.projection.release
        self.source_traces = {} if self.rule is None else dict(self.rule.source_traces)
        self.target_traces = {} if self.rule is None else dict(self.rule.target_traces)
        states = {name: state for part in (self.rule, self.release) if part is not None for name,
                  state in part.state.items()}
        own = {name: value for name, value in values.items() if name not in ("weight", "delay")}
        stored = {name: value for name, value in own.items() if np.ndim(value)}
        self.shared = {name: float(value) for name, value in own.items() if name not in stored}
        self.variables, self.fields = list(states), [*self.source_traces, *states, *stored]
        for trace in [*self.source_traces.values(), *self.target_traces.values()]:
            if trace.tau in stored:
                raise UnsupportedError(f"{type(self.rule).__name__}.{trace.tau} must be one number: it is the time "
                                       f"constant of a trace")
        self.extra = np.zeros((plan.n_synapses, 1 + len(self.fields)))
        self.extra[:, 0] = LONG_AGO
        for name in (*states, *stored):
            self.column(name)[:] = states[name].initial if name in states else stored[name]
        self.traces = np.zeros((self.projection.target.span, 1 + len(self.target_traces)))
        self.traces[:, 0] = LONG_AGO
        self.target = plan.target
        self.back_synapse = np.argsort(plan.target, kind="stable").astype(np.uint32)
        self.back = np.concatenate([[0], np.cumsum(np.bincount(plan.target, minlength=self.projection.target.span))])
        self.now, self.effect = np.zeros(1), np.zeros(1)
        self.kernels = [self._arrival(), *([] if self.rule is None else [self._spiked(self.rule)])]

    def column(self, name: str) -> np.ndarray:
        """Return a number of every synapse, a view that may be written to."""
        return self.extra[:, 1 + self.fields.index(name)]

    def blocks(self, weight: np.ndarray, now: np.ndarray, effect: np.ndarray) -> list:
        """Return the arguments of the kernels of an arrival and of a target's spike.

        Args:
            weight: of every synapse, or one for all.
            now: place of the time, ms.
            effect: place for what an arrival has for an effect.
        """
        values = {"n_synapses": self.target.size, "n_target": self.traces.shape[0], "n_weight": weight.size, "now": now,
                  "effect": effect, "weight": weight, "target": self.target, "extra": self.extra, "traces": self.traces,
                  "back": self.back, "back_synapse": self.back_synapse} | {f"u_{k}": v for k, v in self.shared.items()}
        return [kernel.block(**{name: values[name] for name in kernel.fields}) for kernel in self.kernels]

    # -- the texts -----------------------------------------------------------------------------------

    def _kernel(self, name, lines, leaves, more) -> Kernel:
        fields = {"n_synapses": INT, "n_target": INT, "n_weight": INT, "now": Array(np.float64, 1),
                  "effect": Array(np.float64, 1), "weight": Array(np.float64, "n_weight"),
                  "target": Array(np.uint32, "n_synapses"), "extra": Array(np.float64,
                                                                           f"n_synapses * {self.extra.shape[1]}"),
                  "traces": Array(np.float64, f"n_target * {self.traces.shape[1]}"), **more}
        fields |= {f"u_{name}": REAL for name in self.shared}
        return Kernel(name, fields, "\n".join(lines), leaves, np.float64)

    def _place(self, name) -> str:
        return f"extra[at + {1 + self.fields.index(name)}]"

    def _target_trace(self, name) -> str:
        return f"traces[trace_at + {1 + list(self.target_traces).index(name)}]"

    def _call(self, leaves, body, part, known) -> str:
        leaves[body] = getattr(part, body)
        arguments = []
        for name in inspect.signature(leaves[body]).parameters:
            if name in known:
                arguments.append(known[name])
            elif name in self.fields:
                arguments.append(self._place(name))
            elif name in self.shared:
                arguments.append(f"u_{name}")
            else:
                raise UnsupportedError(f"{type(part).__name__}.{body} of projection {self.projection.name!r} takes "
                                       f"{name!r} and cannot "
                                       "be used in the mode 'event'; use mode='clocked'")
        return f"{body}({', '.join(arguments)})"

    def _learn(self, leaves, rule, body, known) -> str:
        results = ", ".join(["weight[e]", *map(self._place, rule.state)])
        return f"{results} = {self._call(leaves, body, rule, known | {'weight': 'weight[e]'})}"

    def _target_now(self) -> list[str]:
        return [f"now_{name} = {self._target_trace(name)} * exp(-(t - traces[trace_at]) / u_{trace.tau})"
                for name, trace in self.target_traces.items()]

    def _raised(self, traces, place) -> list[str]:
        return [f"{place(name)} = " + ("1.0" if trace.nearest else f"now_{name} + 1.0") for name,
                trace in traces.items()]

    def _arrival(self) -> Kernel:
        """A spike arrives at synapse number `tick`."""
        leaves, rule = {}, self.rule
        lines = ["e = tick", f"at = e * {self.extra.shape[1]}", "t = now[0]", "elapsed = t - extra[at]"]
        lines += [f"now_{name} = {self._place(name)} * exp(-elapsed / u_{trace.tau})" for name,
                  trace in self.source_traces.items()]
        learn = []
        if rule is not None and rule.on_source is not None:
            lines += [f"trace_at = np.int64(target[e]) * {self.traces.shape[1]}", *self._target_now()]
            learn = [self._learn(leaves, rule, "on_source", {name: f"now_{name}" for name in (*self.source_traces,
                                                                                              *self.target_traces)})]
        weight = "amount = weight[e]" if rule is not None else "amount = weight[e if n_weight > 1 else 0]"
        lines += [*learn, weight] if rule is not None and rule.transmits == "after" else [weight, *learn]
        if self.release is not None:
            results = ", ".join(["share", *map(self._place, self.release.state)])
            lines += [f"{results} = {self._call(leaves, 'release', self.release, {'elapsed': 'elapsed'})}",
                      "amount *= share"]
        lines += [*self._raised(self.source_traces, self._place), "extra[at] = t", "effect[0] = amount"]
        return self._kernel("event_arrival", lines, leaves, {})

    def _spiked(self, rule) -> Kernel:
        """Target number `tick` has spiked."""
        leaves = {}
        lines = ["t = now[0]", f"trace_at = tick * {self.traces.shape[1]}", *self._target_now()]
        if rule.on_target is not None:
            known = {name: f"then_{name}" for name in self.source_traces}
            known |= {name: f"now_{name}" for name in self.target_traces}
            inner = ["e = np.int64(back_synapse[n])", f"at = e * {self.extra.shape[1]}",
                     *(f"then_{name} = {self._place(name)} * exp((extra[at] - t) / u_{trace.tau})"
                       for name, trace in self.source_traces.items()),
                     self._learn(leaves, rule, "on_target", known)]
            lines += ["for n in range(back[tick], back[tick + 1]):", *(f"    {line}" for line in inner)]
        lines += [*self._raised(self.target_traces, self._target_trace), "traces[trace_at] = t"]
        return self._kernel("event_spiked", lines, leaves,
                            {"back": Array(np.int64, "n_target + 1"), "back_synapse": Array(np.uint32, "n_synapses")})


def synapses(plan) -> Synapses | None:
    """Return what the synapses of a projection need; None where they do nothing but transmit their weight."""
    return Synapses(plan) if plan.projection.plasticity or plan.projection.release is not None else None
