"""A neuron of the core that deep learning libraries have: a current that acts in the tick in which it arrives."""

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.neurons.base import State
from neurosim.neurons.reset import Resetting


class SynapticLIF(Resetting):
    """Leaky integrate-and-fire neuron in discrete time, whose current acts at once; give it `ns.Pulse` receptors.

    i_syn(t) = exp(-dt / tau_syn) i_syn(t-1) + i;  v(t) = exp(-dt / tau_mem) v(t-1) + i_syn(t);  spike where
    v > v_threshold, then v is set to v_reset (reset="to_value") or lowered by v_step (reset="subtract"), and held for
    t_ref. Unlike in `ns.LIF` with `ns.ExponentialCurrent`, what v is given in a tick depends on the length of the tick.

    >>> SynapticLIF(tau_mem=10.0, tau_syn=5.0)
    SynapticLIF(tau_mem=10.0)

    Source: Eshraghian et al., Training spiking neural networks using lessons from deep learning, Proc. IEEE 111 (2023)
    1016.
    """

    tau_mem: PerElement = Parameter(20.0, "ms", above=0, doc="membrane time constant")
    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="time constant of the current")
    v_threshold: PerElement = Parameter(1.0, "", doc="threshold; a spike is sent where v is strictly above")
    v_reset: PerElement = Parameter(0.0, "", doc="value after a spike, for reset='to_value'")
    v_step: PerElement = Parameter(1.0, "", doc="by how much a spike lowers v, for reset='subtract'")
    t_ref: PerElement = Parameter(0.0, "ms", at_least=0, doc="how long v is held after a spike")
    state = {"v": State(0.0, "", "membrane"), "i_syn": State(0.0, "", "synaptic current")}
    inputs = ("v", "i_syn")
    unit = current_unit = ""

    def rates(self, p):
        return {"v": 1.0 / p.tau_mem, "i_syn": 1.0 / p.tau_syn}

    def coefficients(self, p, dt):
        return {"beta": np.exp(-dt / p.tau_mem), "alpha": np.exp(-dt / p.tau_syn), "v_threshold": p.v_threshold,
                "v_reset": p.v_reset, "step_down": p.v_step}

    @staticmethod
    def step(v, i_syn, i, beta, alpha):
        """One tick."""
        current = alpha * i_syn + i
        return beta * v + current, current

    @property
    def after_spike(self):
        """The reset that the option chose; the current goes on."""
        return _to_value if self.reset == "to_value" else _subtract


def _to_value(v, i_syn, v_reset):
    return v_reset, i_syn


def _subtract(v, i_syn, step_down):
    return v - step_down, i_syn
