"""Receptors whose output is a conductance."""

from typing import Literal

from neurosim.aliases import Choice, Flag, PerElement
from neurosim.checks import Option, Parameter
from neurosim.contracts import Linear, State
from neurosim.maths import exp
from neurosim.receptors.base import Receptor
from neurosim.receptors.kinetics import REFRACTORY, check_rise, double_exponential


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
    refractory: Choice[Literal["kept", "cleared"]] = REFRACTORY
    state = {"g_syn": State(0.0, "nS", "synaptic conductance")}

    def linear(self, p):
        return Linear(matrix={("g_syn", "g_syn"): -1.0 / p.tau_syn}, arrival={"g_syn": 1.0}, output={"g_syn": 1.0})


class DoubleExponentialConductance(Receptor, kw_only=False):
    """A conductance g(t) = w k (exp(-t / tau_syn) - exp(-t / tau_rise)), its peak being w;  I = g (e_rev - v).

    >>> DoubleExponentialConductance(tau_rise=0.5, tau_syn=5.0, e_rev=0.0)
    DoubleExponentialConductance(tau_rise=0.5, tau_syn=5.0, e_rev=0.0)

    Source: Roth, van Rossum, in De Schutter (ed.), Computational Modeling Methods for
    Neuroscientists, MIT Press 2009, chapter 6.
    """

    positional = 3
    effect = "conductance"
    unit = "nS"
    tau_rise: PerElement = Parameter(0.5, "ms", above=0, doc="rise time constant")
    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="decay time constant, not shorter than tau_rise")
    e_rev: PerElement = Parameter(0.0, "mV", doc="reversal potential")
    negative: Flag = ExponentialConductance.negative
    refractory: Choice[Literal["kept", "cleared"]] = REFRACTORY
    state = {"g_syn": State(0.0, "nS", "synaptic conductance"), "rise": State(0.0, "nS/ms", "drive of the rise")}

    def validate(self):
        check_rise(self)

    def linear(self, p):
        return double_exponential(p, "g_syn")


class NMDA(DoubleExponentialConductance, kw_only=False):
    """A slow conductance that magnesium blocks at rest: I = g B (e_rev - v),  B = 1 / (1 + mg / 3.57 exp(-0.062 v)).

    g(t) = w k (exp(-t / tau_syn) - exp(-t / tau_rise)), its peak being w, is the conductance without the block. B is
    taken at the beginning of a tick and held over it.

    >>> NMDA(tau_syn=80.0)
    NMDA(tau_rise=2.0, tau_syn=80.0, mg=1.0)

    Source: Jahr, Stevens, J. Neuroscience 10 (1990) 3178, for B.
    """

    tau_rise: PerElement = Parameter(2.0, "ms", above=0, doc="rise time constant")
    tau_syn: PerElement = Parameter(100.0, "ms", above=0, doc="decay time constant, not shorter than tau_rise")
    mg: PerElement = Parameter(1.0, "mM", at_least=0, doc="concentration of magnesium outside")

    @staticmethod
    def gate(v, mg):
        """The share of the conductance that magnesium leaves open."""
        return 1.0 / (1.0 + mg / 3.57 * exp(-0.062 * v))
