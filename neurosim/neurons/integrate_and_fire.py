"""Integrate-and-fire without leak."""

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import Crossing, Linear, State
from neurosim.neurons.reset import Resetting
from neurosim.neurons.schemes import phi


class IntegrateAndFire(Resetting):
    r"""Integrate-and-fire neuron without leak, integrated exactly.

    c_mem dv/dt = i_bias + I;  spike where v > v_threshold, then v is set to v_reset
    (reset="to_value") or lowered by v_threshold - v_reset (reset="subtract"), and held for t_ref.
    It starts at v_reset.

    With conductances the scheme is exponential Euler: conductances are held over a tick.

    >>> IntegrateAndFire(c_mem=200.0, v_reset=0.0, v_threshold=1.0, reset="subtract")
    IntegrateAndFire(c_mem=200.0, v_threshold=1.0, v_reset=0.0, reset='subtract')

    Source: Gerstner, Kistler, Neuron Models: Foundations, Cambridge 2002, section 4.1.
    """

    c_mem: PerElement = Parameter(100.0, "pF", above=0, doc="membrane capacitance")
    v_threshold: PerElement = Parameter(-55.0, "mV", doc="threshold; a spike is sent where v is strictly above")
    v_reset: PerElement = Parameter(-70.0, "mV", doc="value at the start, and after a spike for reset='to_value'")
    t_ref: PerElement = Parameter(0.0, "ms", at_least=0, doc="how long v is held after a spike")
    i_bias: PerElement = Parameter(0.0, "pA", doc="constant current")

    state = {"v": State(lambda p: p.v_reset, "mV", "membrane potential")}

    def linear(self, p):
        return Linear(constant={"v": p.i_bias / p.c_mem}, current={"v": 1.0 / p.c_mem})

    def rates(self, p):
        """How fast i_bias moves v, of its size: there is nothing that v comes back to."""
        return {"v": p.i_bias / p.c_mem / np.maximum(np.abs(p.v_threshold), np.abs(p.v_reset))}

    def crossing(self, p):
        if self.reset == "to_value":
            return Crossing(p.v_threshold, reset=p.v_reset)
        return Crossing(p.v_threshold, down=p.v_threshold - p.v_reset)

    def coefficients(self, p, dt):
        return {"gain": dt / p.c_mem, "i_bias": p.i_bias, "v_threshold": p.v_threshold, "v_reset": p.v_reset,
                "step_down": p.v_threshold - p.v_reset}

    @staticmethod
    def step(v, i, g, gain, i_bias):
        """Exponential Euler with the conductance g and the current i held over the tick."""
        return v + gain * (i_bias + i - g * v) * phi(-gain * g)
