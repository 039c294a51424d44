"""Leaky integrator."""

from neurosim.aliases import PerElement, PerElementOrNone
from neurosim.contracts import Linear, State
from neurosim.neurons.base import Neuron
from neurosim.neurons.lif import LIF, acting_membrane, check_resistance, leak


class LeakyIntegrator(Neuron):
    r"""Leaky integrator: a membrane that never spikes, integrated exactly.

    tau_mem dv/dt = (v_leak - v) + r (i_bias + I)

    With conductances the scheme is exponential Euler: conductances are held over a tick.

    >>> LeakyIntegrator(tau_mem=20.0, v_leak=0.0)
    LeakyIntegrator(tau_mem=20.0, v_leak=0.0)

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 1.3.
    """

    spiking = False
    tau_mem: PerElement = LIF.tau_mem
    v_leak: PerElement = LIF.v_leak
    r: PerElementOrNone = LIF.r
    c_mem: PerElementOrNone = LIF.c_mem
    i_bias: PerElement = LIF.i_bias
    state = {"v": State(lambda p: p.v_leak, "mV", "membrane potential")}
    resistance = LIF.resistance
    step = staticmethod(LIF.step)

    def validate(self):
        check_resistance(self)

    def acting(self):
        return acting_membrane(self)

    def linear(self, p) -> Linear:
        return leak(p, self.resistance(p))

    def coefficients(self, p, dt):
        drive, gain = dt / p.tau_mem * p.v_leak, dt / p.tau_mem * self.resistance(p)
        return {"leak": dt / p.tau_mem, "drive": drive + gain * p.i_bias, "gain": gain}
