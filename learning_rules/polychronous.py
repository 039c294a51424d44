"""The plasticity of the polychronous network: pairs of spikes change a derivative, and that the weight each second."""

from typing import ClassVar

from learning_rules.bounded import Bounded, clip
from neurosim.aliases import PerElement, Real
from neurosim.checks import Parameter
from neurosim.contracts import State, Trace


class SlowSTDP(Bounded):
    r"""Pair STDP that is gathered for a second before it acts, as in Izhikevich's polychronous network.

    At a spike of the target:  s -> s + a_plus x;      at an arrival:  s -> s - a_minus y;
    every `period`:            w -> clip(w + drift + s),  then  s -> keep s.

    x and y are traces of the arrivals and of the target's spikes, of the nearest spike only, with time constants
    tau_plus and tau_minus. s, the derivative, is in the weight's unit. The delay is axonal; at one tick the arrival
    comes before the target's spike, which then gives a full a_plus.

    The defaults are those of the published script, where both traces lose 5 % per ms. There, an arrival one tick after
    the target's spike finds the full 0.12: hence a_minus = 0.12 / 0.95.

    >>> SlowSTDP(w_max=8.0).period
    1000.0

    Source: Izhikevich, Neural Computation 18 (2006) 245, and its script spnet.
    """

    a_plus: PerElement = Parameter(0.1, "", doc="growth of s by an arrival at the tick of the target's spike")
    a_minus: PerElement = Parameter(0.12 / 0.95, "", doc="loss of s by an arrival just after the target's spike")
    tau_plus: Real = Parameter(19.495725, "ms", above=0, per_element=False,
                               doc="time constant of the trace of arrivals")
    tau_minus: Real = Parameter(19.495725, "ms", above=0, per_element=False,
                                doc="time constant of the trace of targets")
    drift: PerElement = Parameter(0.01, "", doc="what a weight gains in a period without spikes")
    keep: PerElement = Parameter(0.9, "", at_least=0, at_most=1, doc="share of s that is kept after it acted")
    w_max: PerElement = Parameter(10.0, "", doc="largest weight, in the weight's unit")
    period: Real = Parameter(1000.0, "ms", above=0, per_element=False, doc="how often s acts; a pass over all synapses")

    steps: ClassVar[tuple[str, ...]] = ("a_plus", "a_minus", "drift")
    state: ClassVar[dict] = {"s": State(0.0, "", "what the weight will gain at the end of the period")}
    source_traces: ClassVar[dict] = {"x": Trace("tau_plus", nearest=True)}
    target_traces: ClassVar[dict] = {"y": Trace("tau_minus", nearest=True)}

    @staticmethod
    def on_source(weight, s, y, a_minus):
        """Depress."""
        return weight, s - a_minus * y

    @staticmethod
    def on_target(weight, s, x, a_plus):
        """Potentiate."""
        return weight, s + a_plus * x

    @staticmethod
    def on_period(weight, s, drift, keep, w_min, w_max):
        """Let the derivative act."""
        return clip(weight + drift + s, w_min, w_max), keep * s
