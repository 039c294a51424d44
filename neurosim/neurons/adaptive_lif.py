"""Leaky integrate-and-fire with an adaptive threshold."""

from dataclasses import replace

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import Linear, State
from neurosim.maths import exp
from neurosim.neurons.lif import LIF


class RisingLIF(LIF):
    """Base of the neurons whose threshold rises at every spike, by the coefficient `rise`, and comes down by itself."""

    state = {"v": State(lambda p: p.v_leak, "mV", "membrane potential"),
             "theta": State(0.0, "mV", "how far the threshold is raised", slow=True)}

    @staticmethod
    def fires(v, theta, v_threshold):
        """Strictly above the threshold as it is now."""
        return v > v_threshold + theta

    @property
    def after_spike(self):
        """The reset that the option chose."""
        return _to_value if self.reset == "to_value" else _subtract


def _to_value(v, theta, v_reset, rise):
    return v_reset, theta + rise


def _subtract(v, theta, step_down, rise):
    return v - step_down, theta + rise


class AdaptiveLIF(RisingLIF):
    r"""Leaky integrate-and-fire neuron whose threshold rises at every spike and decays, integrated exactly.

    tau_mem dv/dt = (v_leak - v) + r (i_bias + I);  tau_theta dtheta/dt = -theta;
    spike where v > v_threshold + theta, then theta -> theta + delta_theta, and v is reset as in `LIF`
    (reset="subtract" lowers it by v_threshold - v_leak, without theta).

    theta is kept in float64 whatever the precision of v, so that it decays rightly with any
    tau_theta. With conductances v follows exponential Euler, and theta stays exact.

    >>> AdaptiveLIF(tau_mem=100.0, tau_theta=1e7, delta_theta=0.05)
    AdaptiveLIF(tau_theta=10000000.0, delta_theta=0.05, tau_mem=100.0)

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 6.1;
    as a homeostatic threshold: Diehl, Cook, Frontiers in Computational Neuroscience 9 (2015) 99.
    """

    tau_theta: PerElement = Parameter(200.0, "ms", above=0, doc="time constant with which the threshold comes back")
    delta_theta: PerElement = Parameter(1.0, "mV", doc="how much a spike raises the threshold")

    def linear(self, p):
        membrane = super().linear(p)
        return Linear(matrix=membrane.matrix | {("theta", "theta"): -1.0 / p.tau_theta}, constant=membrane.constant,
                      current=membrane.current)

    def crossing(self, p):
        return replace(super().crossing(p), decays={"theta": p.delta_theta})

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"rise": p.delta_theta, "lost": -np.expm1(-dt / p.tau_theta)}

    @staticmethod
    def step(v, theta, i, g, leak, drive, gain, lost):
        """Exponential Euler for v with the conductance g and the current i held over the tick; theta decays."""
        rate = leak + gain * g
        target = (drive + gain * i) / rate
        return target + (v - target) * exp(-rate), theta - lost * theta
