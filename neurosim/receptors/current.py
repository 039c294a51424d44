"""Receptors whose output is a current."""

import math

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.errors import ParameterError
from neurosim.neurons.base import Linear, State
from neurosim.receptors.base import Receptor


class ExponentialCurrent(Receptor, kw_only=False):
    """A current that jumps by the weight and decays: tau_syn di/dt = -i;  i -> i + w.

    >>> ExponentialCurrent(tau_syn=5.0)
    ExponentialCurrent(tau_syn=5.0)
    """

    positional = 1
    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="decay time constant")
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
    state = {"i_syn": State(0.0, "pA", "synaptic current"), "rise": State(0.0, "pA/ms", "drive of the rise")}

    def validate(self):
        rise, decay = self.tau_rise, self.tau_syn
        if isinstance(rise, (float, np.ndarray)) and isinstance(decay, (float, np.ndarray)) and np.any(rise > decay):
            raise ParameterError(f"{type(self).__name__}.tau_rise must be <= tau_syn = {decay} ms, got {rise}")

    def linear(self, p):
        apart = (np.asarray(p.tau_syn) - p.tau_rise) / p.tau_rise
        safe = np.where(apart == 0.0, 1.0, apart)
        peak_time = np.where(apart == 0.0, 1.0, np.log1p(safe) / safe)  # in units of tau_syn
        return Linear(matrix={("i_syn", "i_syn"): -1.0 / p.tau_syn, ("i_syn", "rise"): 1.0,
                              ("rise", "rise"): -1.0 / p.tau_rise},
                      arrival={"rise": np.exp(peak_time) / p.tau_rise}, output={"i_syn": 1.0})
