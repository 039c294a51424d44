"""Receptors whose output is a conductance."""

from neurosim.aliases import Flag, PerElement
from neurosim.checks import Option, Parameter
from neurosim.neurons.base import Linear, State
from neurosim.receptors.base import Receptor


class ExponentialConductance(Receptor, kw_only=False):
    """A conductance that jumps by the weight and decays: tau_syn dg/dt = -g;  g -> g + w;  I = g (e_rev - v).

    A conductance is not negative, and neither are its weights, unless `negative` allows it: inhibition is a positive
    weight at a reversal potential below rest. Below zero the membrane is driven away from e_rev, and beyond any bound
    where the sum of all conductances is no longer positive.

    >>> ExponentialConductance(tau_syn=5.0, e_rev=0.0)
    ExponentialConductance(tau_syn=5.0, e_rev=0.0)
    """

    positional = 2
    effect = "conductance"
    unit = "nS"
    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="decay time constant")
    e_rev: PerElement = Parameter(0.0, "mV", doc="reversal potential")
    negative: Flag = Option(False, (False, True), doc="whether weights may be negative")
    state = {"g_syn": State(0.0, "nS", "synaptic conductance")}

    def linear(self, p):
        return Linear(matrix={("g_syn", "g_syn"): -1.0 / p.tau_syn}, arrival={"g_syn": 1.0}, output={"g_syn": 1.0})
