"""What decides the kernels of a projection, and what the texts that touch its synapses share."""

import inspect
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from neurosim.distributions import normal_quantile
from neurosim.engine.kernel import INT, REAL, Array
from neurosim.errors import UnsupportedError
from neurosim.random import key_at, philox, uniform53

NEVER = -(1 << 40)  #: tick of an arrival that has not been
RING = 64  #: target spikes kept between two settlements
LATELY = 64  #: spikes of all targets together that are kept by their order, where only these teach
RECENT = 4  #: ticks of the target's last spikes, side by side in one cache line
EVENTS = 1024  #: ticks with spikes of modulating populations kept between two settlements
PAST = 16384  #: ticks for which the values of modulators are kept
DECAYS = 4096  #: ticks for which the decay of a trace is tabulated
OFFERED = ("weight", "change", "elapsed", "normal", "uniform")
BODIES = ("on_source", "on_target", "on_modulator", "on_period", "between", "on_change")


def synapse_field(name: str) -> str:
    """Return the name of a synapse's quantity in the arrays and the text, where it can clash with no other."""
    return name if name == "weight" else f"u_{name}"


def modulator_field(name: str) -> str:
    """Return the name of a modulator's recent values in the arrays and the text."""
    return f"m_{name}"


def decay_field(tau: str) -> str:
    """Return the name of the table of the decay with a time constant."""
    return f"decay_{tau}"


@lru_cache(maxsize=64)
def decays(tau: float, dt: float, real: type) -> np.ndarray:
    """Return what is left of a trace after 0, 1, ... ticks; of one that is gone in the end, nothing."""
    left = np.exp(-np.arange(DECAYS) * (dt / tau)).astype(real)
    left[-1] = 0 if is_brief(tau, dt, real) else left[-1]
    return left


def is_brief(tau: float, dt: float, real: type) -> bool:
    """Return whether a trace of 1 is lost in the rounding of another when its table of decays ends."""
    return bool(np.exp(-(DECAYS - 1) * dt / tau) < np.finfo(real).eps / 8)


def decayed(wiring, trace, value: str, ticks: str) -> str:
    """Return the expression of a trace some ticks later: a look into the table costs less than an exponential."""
    real = np.dtype(wiring.real).name
    if trace.tau in wiring.brief:
        return f"{value} * {decay_field(trace.tau)}[np.uint64(min({ticks}, {DECAYS - 1}))]"
    return (f"{value} * ({decay_field(trace.tau)}[np.uint64({ticks})] if {ticks} < {DECAYS} else "
            f"exp(-np.{real}({ticks} * dt) / {synapse_field(trace.tau)}))")


def _taken(body) -> set:
    return set() if body is None else set(inspect.signature(body).parameters)


@dataclass(frozen=True)
class Wiring:
    """What decides the text of the kernels that touch the synapses of a projection.

    Args:
        target: dtype of the target indices.
        offsets: dtype of the table of delay segments, or None for a single delay.
        shared: names of the synapse quantities that are one number for the whole projection.
        stored: names of those that are arrays.
        release, device: the parts, or None; their classes matter, not their numbers.
        rules: the plasticity rules, in order; their classes and options matter.
        reads: names and dtypes of the target variables that the rules read.
        spiking: the names of those modulators that are spikes of a population.
        real: float type.
        packed: whether an entry of `target` holds the weight too, in its upper half.
        brief: names of the time constants whose traces are gone where their table of decays ends.
        young: whether spikes are under way that some of the synapses must not deliver, as these were not there yet.
        runs: whether the targets of each row and delay follow one another without a gap, so that its first tells all.
        ahead: whether a row is added to the sums of later ticks when its spike is sent.
    """

    target: Any
    offsets: Any
    shared: tuple
    stored: tuple
    release: Any
    rules: tuple[Any, ...]
    device: Any
    reads: tuple[Any, ...]
    spiking: tuple[str, ...]
    real: Any
    packed: bool = False
    brief: tuple = ()
    young: bool = False
    runs: bool = False
    ahead: bool = False

    @property
    def history(self) -> bool:
        """Whether the ticks of the last arrivals must be kept."""
        return self.release is not None or bool(self.rules)

    @property
    def random(self) -> bool:
        """Whether a body asks for a random number."""
        return any(self.draws(body) for body in ("read", "update"))

    def draws(self, body: str) -> bool:
        """Return whether this body of the device asks for a random number."""
        return self.device is not None and bool({"normal", "uniform"} & _taken(getattr(self.device, body)))

    @property
    def parts(self) -> list:
        """Release, rules and device, as far as there are any."""
        return [part for part in (self.release, *self.rules, self.device) if part is not None]

    def state(self) -> dict:
        """Return the synapse variables of all parts, by name."""
        return {name: state for part in self.parts for name, state in part.state.items()}

    def traces(self, side: str) -> dict:
        """Return the traces of the "source" or the "target" that the rules declare, by name."""
        return {name: trace for rule in self.rules for name, trace in getattr(rule, f"{side}_traces").items()}

    @property
    def time_constants(self) -> list[str]:
        """Names of the time constants of all traces."""
        return list(dict.fromkeys(trace.tau for side in ("source", "target") for trace in self.traces(side).values()))

    @property
    def modulators(self) -> list[str]:
        """Names of the signals that the rules take, in order."""
        return list(dict.fromkeys(name for rule in self.rules for name in rule.modulators))

    def has(self, body: str) -> bool:
        """Return whether a rule has a body of this name."""
        return any(getattr(rule, body) is not None for rule in self.rules)

    def takes(self, name: str, bodies=BODIES) -> bool:
        """Return whether one of the named bodies of a rule takes an argument of this name."""
        return any(name in _taken(getattr(rule, body)) for rule in self.rules for body in bodies)

    @property
    def only_targets_teach(self) -> bool:
        """Whether a synapse that no spike of a target has reached since its last arrival only transmits."""
        other = self.timed or self.lagged or self.modulators or self.random or self.release is not None or (
            self.device is not None)
        return bool(self.rules) and not (other or self.has("on_source"))

    @property
    def few_teach(self) -> bool:
        """Whether the targets that spiked since the last arrival are found in a row without a look at the others."""
        return self.only_targets_teach and self.runs

    def over(self, part) -> "Wiring":
        """Return what decides the kernels that go over a `Part` of synapses: runs help where rows mostly transmit."""
        transmits = not self.young and (not self.parts or self.only_targets_teach)
        return replace(self, runs=True) if transmits and part.in_runs else self

    @property
    def timed(self) -> bool:
        """Whether a body depends on how long ago the previous event was."""
        return self.has("between") or self.takes("elapsed")

    @property
    def dendritic(self) -> bool:
        """Whether the delay lies behind the synapse."""
        return any(rule.delay == "dendritic" for rule in self.rules)

    @property
    def lagged(self) -> bool:
        """Whether the target's spikes reach a synapse later, and one synapse later than another.

        Where all wait equally long, they are noted as late as they arrive, and there is nothing else to do.
        """
        return self.dendritic and self.offsets is not None

    @property
    def periodic(self) -> bool:
        """Whether a rule wants a pass over all synapses now and then."""
        return self.has("on_period")


class Synapse:
    """Base of the writers of texts with a loop over the synapses of a row: arguments, calls, draws."""

    def __init__(self, wiring: Wiring):
        self.wiring = wiring
        self.leaves = {}

    def fields(self) -> dict:
        """Return the arguments that describe the synapses."""
        w, n, cells = self.wiring, "n_synapses", "n_source * n_delays"
        fields = {"n_source": INT, "n_target": INT, "n_delays": INT, "n_synapses": INT, "dt": REAL,
                  "delays": Array(np.int64, "n_delays"), "start": Array(np.int64, "n_source + 1"),
                  "target": Array(w.target, n)}
        if w.offsets is not None:
            fields["offsets"] = Array(w.offsets, "n_source * (n_delays + 1)")
        fields |= {synapse_field(name): REAL for name in w.shared}
        fields |= {synapse_field(name): Array(w.real, n) for name in w.stored}
        for name, state in w.state().items():
            fields[synapse_field(name)] = Array(np.float64 if state.slow else w.real, n)
        if w.history:
            fields["arrived"] = Array(np.int64, cells)
        if w.rules:
            fields |= {synapse_field(name): Array(w.real, cells) for name in w.traces("source")}
            fields |= history_fields(w) | {"settled": Array(np.int64, 1)}
            fields |= {"advanced": Array(np.int64, 1)} if w.has("between") else {}
            fields |= {f"target_{name}": Array(dtype, "n_target") for name, dtype in w.reads}
            fields |= modulation_fields(w) | {decay_field(tau): Array(w.real, DECAYS) for tau in w.time_constants}
            if w.periodic:
                fields |= {"period": INT} | {f"period_{number}": INT for number, rule in enumerate(w.rules)
                                             if rule.on_period is not None}
        if w.random:
            fields |= {"base": Array(np.int64, cells), "key0": INT, "key1": INT, "stream": INT, "sample": INT}
            self.leaves |= {"key_at": key_at, "philox": philox, "uniform53": uniform53,
                            "normal_quantile": normal_quantile}
        return fields

    def row(self) -> list[str]:
        """The part of a source's row that has delay number k."""
        if self.wiring.offsets is None:
            return ["low = start[source]", "high = start[source + 1]"]
        return ["at = source * (n_delays + 1) + k", "low = start[source] + np.int64(offsets[at])",
                "high = start[source] + np.int64(offsets[at + 1])"]

    def call(self, alias, part, body, renamed=()) -> str:
        """A call of a scalar body, its arguments picked by name."""
        self.leaves[alias] = body
        renamed, arguments = dict(renamed), []
        for name in inspect.signature(body).parameters:
            if name in renamed:
                arguments.append(renamed[name])
            elif name in part.state or name in self.wiring.stored:
                arguments.append(f"{synapse_field(name)}[e]")
            elif name in getattr(part, "reads", ()):
                arguments.append(f"target_{name}[j]")
            elif name in self.wiring.shared:
                arguments.append(synapse_field(name))
            elif name in OFFERED:
                arguments.append(name)
            else:
                raise UnsupportedError(f"{type(part).__name__}.{body.__name__} takes {name!r}, which is neither a "
                                       f"variable, a trace, a parameter, nor one of {', '.join(OFFERED)}, or is not "
                                       "known at such an event")
        return f"{alias}({', '.join(arguments)})"

    def draw(self, body: str, when: str = "tick", which: int = 0, turn: str = "0") -> list[str]:
        """Fresh random numbers for synapse e, where a body of the device asks for them; they cost more than most do.

        Each belongs to what happens at a tick, however late it is handled; `which` tells apart what happens at one,
        `turn` the arrivals of several spikes of one source.
        """
        if not self.wiring.draws(body):
            return []
        return ["word = base[q] + (e - low)", f"k0, k1 = key_at(key0, key1, {when}, {turn})",
                f"w0, w1, w2, w3 = philox(np.uint64(word), np.uint64({when}), np.uint64(stream + {which << 24}),"
                " np.uint64(sample), k0, k1)",
                "normal = normal_quantile(uniform53(w0, w1))", "uniform = uniform53(w2, w3)"]


def history_fields(wiring: Wiring) -> dict:
    """Return the arguments that hold the targets' last spikes.

    The last tick of all; rings of ticks and traces of each; and where only they teach, the last of all in their order.
    """
    n, ring = "n_target", f"n_target * {RING}"
    fields = {"latest": Array(np.int64, 1), "noted": Array(np.int64, n), "noted_before": Array(np.int64, n),
              "recent": Array(np.int64, f"{RECENT} * n_target"), "ring_tick": Array(np.int64, ring)}
    if wiring.only_targets_teach:
        fields |= {"spiked": Array(np.int64, 1), "spiked_tick": Array(np.int64, LATELY),
                   "spiked_target": Array(np.int64, LATELY)}
    for name, _trace in wiring.traces("target").items():
        fields |= {f"trace_{name}": Array(wiring.real, n),
                   f"ring_{name}": Array(wiring.real, ring)}
    return fields | {f"read_{name}": Array(dtype, ring) for name, dtype in late_reads(wiring)}


def late_reads(wiring: Wiring) -> list:
    """Return names and dtypes of the variables of the target that are needed as its spikes left them."""
    return [(name, dtype) for name, dtype in wiring.reads if wiring.takes(name, ["on_target"])]


def modulation_fields(wiring: Wiring) -> dict:
    """Return the arguments that hold the recent values of the modulators and the ticks of their spikes."""
    fields = {modulator_field(name): Array(np.float64, PAST) for name in wiring.modulators}
    if wiring.has("on_modulator"):
        fields |= {"event_tick": Array(np.int64, EVENTS), "events": Array(np.int64, 1)}
    return fields
