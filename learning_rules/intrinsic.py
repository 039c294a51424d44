"""Intrinsic plasticity: neurons that keep their own rate, or the distribution of their rates."""

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import Linear, State
from neurosim.maths import exp
from neurosim.neurons.adaptive_lif import RisingLIF
from neurosim.neurons.base import Neuron

LEAST_GAIN = 1e-3  #: below it the gain is not let


class IntrinsicLIF(RisingLIF):
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

    rate: PerElement = Parameter(10.0, "Hz", at_least=0, doc="rate that the neuron should have")
    eta: PerElement = Parameter(0.1, "mV", at_least=0, doc="how much a spike raises the threshold")

    def linear(self, p):
        membrane = super().linear(p)
        return Linear(matrix=membrane.matrix, constant=membrane.constant | {"theta": -1e-3 * p.eta * p.rate},
                      current=membrane.current)

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"rise": p.eta, "sinks": 1e-3 * p.eta * p.rate * dt}

    @staticmethod
    def step(v, theta, i, g, leak, drive, gain, sinks):
        """Exponential Euler for v with the conductance g and the current i held over the tick; the threshold sinks."""
        rate = leak + gain * g
        target = (drive + gain * i) / rate
        return target + (v - target) * exp(-rate), theta - sinks


class IntrinsicSigmoid(Neuron):
    r"""Neuron that spikes at random with a sigmoid rate, whose gain and bias make its rates exponentially distributed.

    tau_mem dv/dt = -v + i_bias + I;   spikes come with the hazard rate_max y,   y = 1 / (1 + exp(-(gain v + bias)));
    dgain/dt = eta (1 / gain + v - (2 + 1 / mu) v y + v y^2 / mu),
    dbias/dt = eta (1 - (2 + 1 / mu) y + y^2 / mu),   mu = rate / rate_max.

    Gain and bias follow the gradient of the distance (Kullback and Leibler's) of the distribution of y from an
    exponential one of mean mu, of all distributions of that mean the one with the most information. So rates become
    sparse, whatever the distribution of the input is, and their mean becomes `rate`. v has no unit and is not reset.

    Scheme: exponential Euler for v, with the conductance and the current held over the tick; Euler's step of dt for
    gain and bias, with v as it was at the end of the tick before. They are kept in float64, the gain above 0.001.

    >>> IntrinsicSigmoid(rate=10.0, rate_max=100.0).eta
    0.0001

    Source: Triesch, Neural Computation 19 (2007) 885.
    """

    unit, current_unit = "", ""
    tau_mem: PerElement = Parameter(10.0, "ms", above=0, doc="membrane time constant")
    rate: PerElement = Parameter(10.0, "Hz", above=0, doc="mean rate that the neuron should have, below rate_max")
    rate_max: PerElement = Parameter(100.0, "Hz", above=0, doc="rate where y = 1")
    eta: PerElement = Parameter(1e-4, "1/ms", at_least=0, doc="learning rate of gain and bias")
    i_bias: PerElement = Parameter(0.0, "", doc="constant input")

    state = {"v": State(0.0, "", "membrane variable"),
             "gain": State(1.0, "", "steepness of the sigmoid", slow=True),
             "bias": State(0.0, "", "shift of the sigmoid", slow=True)}

    def coefficients(self, p, dt):
        return {"leak": dt / p.tau_mem, "i_bias": p.i_bias, "learn": p.eta * dt, "inverse_mu": p.rate_max / p.rate,
                "hazard": 1e-3 * p.rate_max * dt}

    @staticmethod
    def step(v, gain, bias, i, g, leak, i_bias, learn, inverse_mu):
        """Learn by the v that was, then integrate it."""
        y = 1.0 / (1.0 + exp(-(gain * v + bias)))
        slope = 1.0 - (2.0 + inverse_mu) * y + y * y * inverse_mu
        gain, bias = max(gain + learn * (1.0 / gain + v * slope), LEAST_GAIN), bias + learn * slope
        rate = leak * (1.0 + g)
        target = leak * (i_bias + i) / rate
        return target + (v - target) * exp(-rate), gain, bias

    @staticmethod
    def fires(v, gain, bias, uniform, hazard):
        """Whether the random number is below 1 - exp(-hazard y)."""
        return uniform < 1.0 - exp(-hazard / (1.0 + exp(-(gain * v + bias))))

    @staticmethod
    def after_spike(v, gain, bias):
        """Nothing is reset."""
        return v, gain, bias
