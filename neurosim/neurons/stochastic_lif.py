"""Leaky integrate-and-fire with escape noise."""

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.maths import exp
from neurosim.neurons.lif import LIF, check_resistance


class StochasticLIF(LIF):
    r"""Leaky integrate-and-fire neuron that spikes at random, the more likely the higher v is (escape noise).

    tau_mem dv/dt = (v_leak - v) + r (i_bias + I);  a spike comes with the hazard
    rho = rho_0 exp((v - v_threshold) / delta_u), that is with the probability 1 - exp(-rho dt) in a
    tick, v being that at the end of the tick, after the arrivals. Reset and t_ref are those of `LIF`.

    v is integrated exactly (exponential Euler with conductances). The random numbers follow from the
    seed, the neuron and the tick.

    >>> StochasticLIF(rho_0=0.1, delta_u=2.0)
    StochasticLIF(rho_0=0.1, delta_u=2.0)

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 9.1.
    """

    v_threshold: PerElement = Parameter(-55.0, "mV", doc="value of v at which the hazard is rho_0")
    rho_0: PerElement = Parameter(1.0, "1/ms", at_least=0, doc="hazard where v is v_threshold")
    delta_u: PerElement = Parameter(1.0, "mV", above=0, doc="rise of v that makes the hazard e times as large")

    def validate(self):
        check_resistance(self)  # alone: it may be reset above where the hazard is rho_0

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"hazard": p.rho_0 * dt, "steepness": 1.0 / p.delta_u}

    @staticmethod
    def fires(v, uniform, v_threshold, hazard, steepness):
        """Whether the random number is below 1 - exp(-rho dt); a series where that would cancel."""
        x = hazard * exp((v - v_threshold) * steepness)
        few = x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0 * (1.0 - x / 6.0)))))
        return uniform < (few if x < 0.125 else 1.0 - exp(-x))
