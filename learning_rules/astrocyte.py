"""STDP whose depression an astrocyte sets, and the synapses of the liquid that was tuned so."""

from typing import ClassVar, Literal

from learning_rules.bounded import Bounded, clip
from neurosim.aliases import Choice, PerElement, Real
from neurosim.checks import Option, Parameter
from neurosim.contracts import Release, Trace
from neurosim.maths import exp


class AstrocyteSTDP(Bounded):
    r"""Pair STDP whose depression is the activity of an astrocyte, which brings a liquid to the edge of chaos.

    Excitatory:  w -> w + share a_plus x at a spike of the target,   w -> w - share A y at an arrival;
    inhibitory:  w -> w - share A x at a spike of the target,   w -> w + share a_plus y at an arrival.

    x and y are traces of arrivals and of the target's spikes, with tau, raised by 1 by a spike. A is the modulator
    `astrocyte`, a variable of one neuron: a `neurosim.LeakyIntegrator` with v_leak = b and tau_mem = 100 ms, to which
    all spikes of the liquid are connected with a jump of w_astro / tau_mem and all spikes of the input with the
    negative of it. So A rises where the liquid spikes more than its input, and depression with it. Weights of
    inhibitory synapses are negative, and A makes them stronger. The delay is axonal; at one tick the arrival comes
    before the target's spike.

    >>> AstrocyteSTDP(kind="inhibitory", w_min=-3.0, w_max=0.0)
    AstrocyteSTDP(kind='inhibitory', w_max=0.0, w_min=-3.0)

    Source: Ivanov, Michmizos, Increasing liquid state machine performance with edge-of-chaos dynamics organized by
    astrocyte-modulated plasticity, NeurIPS 2021, and its code.
    """

    a_plus: PerElement = Parameter(0.15, "", doc="potentiation, in the weight's unit")
    share: PerElement = Parameter(0.1, "", at_least=0, doc="what a spike adds to a trace, as the source counts it")
    tau: Real = Parameter(10.0, "ms", above=0, per_element=False, doc="time constant of both traces")
    kind: Choice[Literal["excitatory", "inhibitory"]] = Option("excitatory", ("excitatory", "inhibitory"),
                                                               doc="which spike the astrocyte acts on")
    w_max: PerElement = Parameter(3.0, "", doc="largest weight, in the weight's unit")

    modulators: ClassVar[tuple[str, ...]] = ("astrocyte",)
    source_traces: ClassVar[dict] = {"x": Trace("tau")}
    target_traces: ClassVar[dict] = {"y": Trace("tau")}

    @property
    def on_source(self):
        """What an arrival does."""
        return _potentiate_by_y if self.kind == "inhibitory" else _depress_by_y

    @property
    def on_target(self):
        """What a spike of the target does."""
        return _depress_by_x if self.kind == "inhibitory" else _potentiate_by_x


def _potentiate_by_x(weight, x, share, a_plus, w_min, w_max):
    return clip(weight + share * a_plus * x, w_min, w_max)


def _potentiate_by_y(weight, y, share, a_plus, w_min, w_max):
    return clip(weight + share * a_plus * y, w_min, w_max)


def _depress_by_x(weight, x, share, astrocyte, w_min, w_max):
    return clip(weight - share * astrocyte * x, w_min, w_max)


def _depress_by_y(weight, y, share, astrocyte, w_min, w_max):
    return clip(weight - share * astrocyte * y, w_min, w_max)


class NonAccumulating(Release):
    """Release that restarts a decaying current instead of adding to it: the share 1 - exp(-elapsed / tau_syn).

    For receptors whose current decays with the same tau_syn: what is left of the last spike's current and what this
    spike transmits are one full weight. (Where the weight has changed in between, what is left is of the old one.) The
    first spike of a synapse transmits the whole weight.

    >>> NonAccumulating(tau_syn=2.0)
    NonAccumulating(tau_syn=2.0)

    Source: the code of Ivanov, Michmizos, NeurIPS 2021.
    """

    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="time constant of the receptor")

    @staticmethod
    def release(elapsed, tau_syn):
        """What is missing to a full current."""
        return 1.0 - exp(-elapsed / tau_syn)
