"""What a plasticity rule promises."""

from dataclasses import dataclass
from typing import ClassVar

from neurosim.checks import Parametrised
from neurosim.neurons.base import State


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
    """Base of the plasticity rules: traces, variables of each synapse, and scalar bodies.

    The arguments of the bodies are picked by name from: `weight`; the variables in `state`; the
    traces in `source_traces` and `target_traces`, each as it is just before the spike that is being
    handled; the variables of the target neuron in `reads`, as they are at the end of the tick
    before; and the parameters. Each body returns the weight and then the variables in `state`.

    * `on_source(...)`: a spike of the source arrives. The delay counts as axonal: the spike is
      handled when it arrives, and so are the source traces.
    * `on_target(...)`: the target has spiked. Handled when the next source spike arrives, or when
      weights are asked for, with the traces as they were at that time; so it costs nothing by itself.
    * `on_period(...)`: at every multiple of `period` ms, for every synapse: costs a pass over all.

    At one tick the arrival comes before the target's spike. `transmits` says whether the arriving
    spike carries the weight from before `on_source` or from after. A body clips the weight itself.
    """

    state: ClassVar[dict[str, State]] = {}
    source_traces: ClassVar[dict[str, Trace]] = {}
    target_traces: ClassVar[dict[str, Trace]] = {}
    reads: ClassVar[tuple[str, ...]] = ()
    transmits: ClassVar[str] = "before"
    on_source = None
    on_target = None
    on_period = None
    period: float = 0.0  #: ms between two calls of `on_period`
