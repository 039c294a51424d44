"""What a plasticity rule promises."""

from dataclasses import dataclass
from typing import Any, ClassVar

from neurosim.bodies import check_kind, check_once, check_returns, check_static, plain, starts
from neurosim.checks import Parametrised
from neurosim.contracts.equations import State
from neurosim.errors import ParameterError, UnsupportedError

BODIES = ("on_source", "on_target", "on_modulator", "on_period", "between", "on_change")


@dataclass(frozen=True)
class Trace:
    """An exponential trace of a neuron's spikes, as a synapse sees it: 1 is added at each spike.

    Args:
        tau: name of the parameter that is its time constant in ms.
        nearest: whether a spike sets the trace to 1 instead, so that only the last one counts.
    """

    tau: str
    nearest: bool = False


class Plasticity(Parametrised):
    """Base of the plasticity rules: traces, variables of each synapse, and scalar bodies for events.

    The events of a synapse are, in the order in which they are handled at one tick: the arrival of a
    spike of its source, a spike of its target, spikes of modulating populations, and the end of a
    period. A rule gives a static method for each that it answers to. Arguments are picked by name from

    * `weight`, the variables in `state`, the parameters,
    * `elapsed`: ms since the previous event of this synapse, of any kind, or since the start,
    * the traces in `source_traces` and `target_traces`, as they are just before the spike that is handled,
    * the variables of the target neuron in `reads`: at the end of the tick before, in `on_target` as the
      spike left them, and in `on_period` at the end of the tick; or what they were earlier than that by the
      parameter that `lags` names for them,
    * the signals in `modulators`, as they were at the end of the tick before the event.

    Each body returns the weight and then the variables in `state`:

    * `on_source(...)`: a spike of the source arrives.
    * `on_target(...)`: the target has spiked. Handled when the next source spike arrives, or when
      weights are asked for, with the traces as they were at that time; so it costs nothing by itself.
    * `on_modulator(...)`: a modulating population spiked in the tick before; handled as late. Its name
      gives the number of its spikes.
    * `on_period(...)`: at every multiple of `period` ms, for every synapse: costs a pass over all.
    * `between(elapsed, ...)`: what weight and state did of themselves since the previous event, in
      closed form; called before the body of every event. It takes no traces, signals or variables of the target,
      and no gate sees it.

    and one returns what comes of a change that other rules of the projection ask for:

    * `on_change(change, weight, ...)`: returns the change that happens, then the variables in `state`.
      The changes of a rule pass the gates of all rules that come after it in `plasticity=[...]`.

    `period` may be a parameter. `transmits` says whether the arriving spike carries the weight from before
    `on_source` or from after. A body clips the weight itself; `keep(weight, ...)` returns the weight, or the bound that
    it has passed, for what a gate has made of a change.

    With `delay = "axonal"` the delay of the projection lies before the synapse: a spike of the source
    is handled when it arrives at the target, and spikes of the target when they happen. With
    `"dendritic"` it lies behind: the source's spike of time t is handled as of t, and a spike of the target
    reaches the synapse a delay later; of two that meet, the target's counts as later for the
    traces and as earlier for what it changes, as in NEST. Results appear when the spike is delivered, and
    signals are those of that time, where NEST takes those of a delay before.

    `modulators` are named where the rule is used, `net.connect(..., modulators={"dopamine": cells})`: a
    population that spikes, whose number of spikes in a tick is the signal, or `(population, variable)` for a
    variable of a population of one neuron.
    """

    state: ClassVar[dict[str, State]] = {}
    source_traces: ClassVar[dict[str, Trace]] = {}
    target_traces: ClassVar[dict[str, Trace]] = {}
    reads: ClassVar[tuple[str, ...]] = ()
    lags: ClassVar[dict[str, str]] = {}  #: variable in `reads` -> parameter in ms, how long ago its value was
    modulators: ClassVar[tuple[str, ...]] = ()
    transmits: ClassVar[str] = "before"
    delay: ClassVar[Any] = "axonal"  #: a name, or an `Option`
    on_source: ClassVar[Any] = None
    on_target: ClassVar[Any] = None
    on_modulator: ClassVar[Any] = None
    on_period: ClassVar[Any] = None
    between: ClassVar[Any] = None
    on_change: ClassVar[Any] = None
    keep: ClassVar[Any] = None
    period: ClassVar[Any] = 0.0  #: ms between two calls of `on_period`

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_once(self, self._check_bodies)

    def _check_bodies(self) -> None:
        """Refuse what a class of one's own forgot, when it is first used."""
        name = type(self).__name__
        for each in ("source_traces", "target_traces"):
            check_kind(self, each, Trace, "Trace('tau_plus')")
            for key, trace in getattr(self, each).items():
                if trace.tau not in self.parameters:
                    raise ParameterError(f"{name}.{each}[{key!r}] must name a parameter as its time constant, got "
                                         f"{trace.tau!r}")
        check_kind(self, "state", State, "State(0.0)")
        known = [each for each in BODIES if getattr(self, each) is not None]
        lost = sorted({each for each in dir(type(self)) if each.startswith("on_")} - set(BODIES))
        if lost:
            raise ParameterError(f"{name}.{lost[0]} is never called: the bodies of a rule are {', '.join(BODIES)}")
        if not known:
            raise ParameterError(f"{name} must have a body, such as on_source(weight, ...): one of {', '.join(BODIES)}")
        check_static(self, (*BODIES, "keep"))
        p = plain(self)
        given = vars(p) | starts(self.state, p) | dict.fromkeys([*self.source_traces, *self.target_traces], 1.0)
        given |= dict.fromkeys([*self.reads, *self.modulators, "elapsed", "weight"], 1.0) | {"change": 0.1}
        for each in known:
            check_returns(self, each, given, ["change" if each == "on_change" else "weight", *self.state])

    @property
    def bounded(self) -> bool:
        """Whether the rule states bounds; where one of a projection does not, a run looks out for weights like NaN."""
        return type(self).weight_bounds is not Plasticity.weight_bounds

    def weight_bounds(self, p) -> tuple | None:
        """Return the least and the largest weight, each a number or one per synapse, or None where there is no bound.

        Weights outside are refused, where a network is laid out and where they are set; those that a device's errors of
        programming or ageing carry outside are held at the bound.

        Args:
            p: the parameters by name, each a number or an array with one value per synapse.
        """
        return None

    def in_nest(self) -> tuple[str, dict[str, float], dict[str, float]] | None:
        """Return NEST's name of the synapse that learns alike, its parameters, and those of the target neurons.

        None where NEST has no such synapse. It is the same but for what a spike transmits: in NEST the weight from
        after its own change.
        """
        return None

    def check(self, projection) -> None:
        """Look at the projection that is to carry the rule; raise or warn, naming it, where it does not fit.

        Raises:
            UnsupportedError: the rule answers to spikes of a target that never spikes.
        """
        if not projection.target.spiking and (self.on_target is not None or self.target_traces):
            raise UnsupportedError(f"projection {projection.name!r} must end at neurons that spike, as "
                                   f"{type(self).__name__} learns from their spikes; "
                                   f"{type(projection.target.model).__name__} never does")
