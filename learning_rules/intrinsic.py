"""Intrinsic plasticity: neurons that keep their own rate."""

from neurosim.checks import Parameter
from neurosim.maths import exp
from neurosim.neurons.base import Linear, State
from neurosim.neurons.lif import LIF


class IntrinsicLIF(LIF):
    r"""Leaky integrate-and-fire neuron whose threshold moves until it spikes at a rate of its own choice.

    tau_mem dv/dt = (v_leak - v) + r (i_bias + I);  dtheta/dt = -eta rate;
    spike where v > v_threshold + theta, then theta -> theta + eta, and v is reset as in `LIF`.

    In the mean the threshold rests where the neuron spikes at `rate`, whatever its input is, unless the input cannot
    bring it there. theta is kept in float64 whatever the precision of v. With a decay instead of a rate this is
    `neurosim.AdaptiveLIF`, the adaptive threshold of Diehl and Cook.

    >>> IntrinsicLIF(rate=5.0)
    IntrinsicLIF(rate=5.0)

    Source: Desai, Rutherford, Turrigiano, Nature Neuroscience 2 (1999) 515; Lazar, Pipa, Triesch, Frontiers in
    Computational Neuroscience 3 (2009) 23.
    """

    rate = Parameter(10.0, "Hz", at_least=0, doc="rate that the neuron should have")
    eta = Parameter(0.1, "mV", at_least=0, doc="how much a spike raises the threshold")

    state = {"v": State(lambda p: p.v_leak, "mV", "membrane potential"),
             "theta": State(0.0, "mV", "how far the threshold is raised", slow=True)}

    def linear(self, p):
        membrane = super().linear(p)
        return Linear(matrix=membrane.matrix, constant=membrane.constant | {"theta": -1e-3 * p.eta * p.rate},
                      current=membrane.current)

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"eta": p.eta, "sinks": 1e-3 * p.eta * p.rate * dt}

    @staticmethod
    def step(v, theta, i, g, leak, drive, gain, sinks):
        """Exponential Euler for v with the conductance g and the current i held over the tick; the threshold sinks."""
        rate = leak + gain * g
        target = (drive + gain * i) / rate
        return target + (v - target) * exp(-rate), theta - sinks

    @staticmethod
    def fires(v, theta, v_threshold):
        """Strictly above the threshold as it is now."""
        return v > v_threshold + theta

    @property
    def after_spike(self):
        """The reset that the option chose."""
        return _to_value if self.reset == "to_value" else _subtract


def _to_value(v, theta, v_reset, eta):
    return v_reset, theta + eta


def _subtract(v, theta, step_down, eta):
    return v - step_down, theta + eta
