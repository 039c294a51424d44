"""Receptors whose output is a current."""

import math
from typing import Literal

from neurosim.aliases import Choice, PerElement
from neurosim.checks import Parameter
from neurosim.contracts import Linear, State
from neurosim.receptors.base import Receptor
from neurosim.receptors.kinetics import REFRACTORY, check_rise, double_exponential


class ExponentialCurrent(Receptor, kw_only=False):
    """A current that jumps by the weight and decays: tau_syn di/dt = -i;  i -> i + w.

    With `refractory="cleared"`, which all currents and conductances take, a spike of the target sets it to 0, and what
    arrives until the target is no longer refractory is lost, as where published models for Brian2 have
    `(unless refractory)` behind the equation of the current, and set it to 0 at a spike.

    >>> ExponentialCurrent(tau_syn=5.0)
    ExponentialCurrent(tau_syn=5.0)

    Source: Shiu and others, Nature 634 (2024) 210, for currents that are cleared.
    """

    positional = 1
    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="decay time constant")
    refractory: Choice[Literal["kept", "cleared"]] = REFRACTORY
    state = {"i_syn": State(0.0, "pA", "synaptic current")}

    def linear(self, p):
        return Linear(matrix={("i_syn", "i_syn"): -1.0 / p.tau_syn}, arrival={"i_syn": 1.0}, output={"i_syn": 1.0})


class AlphaCurrent(Receptor, kw_only=False):
    """A current that rises and falls, i(t) = w (t / tau_syn) exp(1 - t / tau_syn): its peak is w at tau_syn.

    >>> AlphaCurrent(tau_syn=2.0)
    AlphaCurrent(tau_syn=2.0)

    Source: Rall, J. Neurophysiology 30 (1967) 1138.
    """

    positional = 1
    tau_syn: PerElement = Parameter(2.0, "ms", above=0, doc="time to the peak")
    refractory: Choice[Literal["kept", "cleared"]] = REFRACTORY
    state = {"i_syn": State(0.0, "pA", "synaptic current"), "rise": State(0.0, "pA/ms", "drive of the rise")}

    def linear(self, p):
        return Linear(matrix={("i_syn", "i_syn"): -1.0 / p.tau_syn, ("i_syn", "rise"): 1.0,
                              ("rise", "rise"): -1.0 / p.tau_syn},
                      arrival={"rise": math.e / p.tau_syn}, output={"i_syn": 1.0})


class DoubleExponentialCurrent(Receptor, kw_only=False):
    """A current with two time constants, i(t) = w k (exp(-t / tau_syn) - exp(-t / tau_rise)), its peak being w.

    Where the two are equal it is an `AlphaCurrent`.

    >>> DoubleExponentialCurrent(tau_rise=1.0, tau_syn=5.0)
    DoubleExponentialCurrent(tau_rise=1.0, tau_syn=5.0)

    Source: Roth, van Rossum, in De Schutter (ed.), Computational Modeling Methods for
    Neuroscientists, MIT Press 2009, chapter 6.
    """

    positional = 2
    tau_rise: PerElement = Parameter(1.0, "ms", above=0, doc="rise time constant")
    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="decay time constant, not shorter than tau_rise")
    refractory: Choice[Literal["kept", "cleared"]] = REFRACTORY
    state = {"i_syn": State(0.0, "pA", "synaptic current"), "rise": State(0.0, "pA/ms", "drive of the rise")}

    def validate(self):
        check_rise(self)

    def linear(self, p):
        return double_exponential(p, "i_syn")
