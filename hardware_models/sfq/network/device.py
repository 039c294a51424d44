"""The stochastic synapse as a device layer: weights that are bias currents, and a read that passes or does not."""

import numpy as np

from hardware_models.arrays import as_float, like, namespace
from hardware_models.memristor.equations import normals, to_numpy
from hardware_models.sfq.network.loop import one
from hardware_models.sfq.network.synapse import BiasSynapse
from neurosim.aliases import Flag, Real
from neurosim.checks import Option
from neurosim.contracts import Device
from neurosim.errors import ParameterError


class SFQSynapses(Device):
    r"""Stochastic SFQ synapses that hold the weights of a projection as bias currents.

    A weight is the probability p that a pulse passes, at the excitatory or at the inhibitory input of its neuron:

        |w| = weight_max p / probability_max,   p = P(I, T) of the escape curve.

    With everything off, weights act with their mean. `stochastic` lets every pulse pass or not (a pulse that passes
    acts with weight_max / probability_max); a spread of the currents and a temperature that is not that of the design
    change the probabilities. A weight of 0 has no synapse.

    Args:
        weight_max: weight of the largest probability; larger weights are refused. See `fitted`.
        probability_max: largest probability, < 1.
        stochastic: whether single pulses pass or do not.
        bias_spread: standard deviation of the bias currents, mA.
        temperature: K, at which it works.
        design_temperature: K, for which the bias currents are chosen.

    >>> layer = SFQSynapses(bias_spread=0.001)
    >>> held = layer.program(np.array([0.0, 0.5, -0.5]), np.random.default_rng(0))
    >>> float(held[0]), bool(0.2 < held[1] < 0.8)
    (0.0, True)
    >>> layer.bias([0.0, 0.5, -0.5]).round(4)
    array([   nan, 0.1417, 0.1417])

    Source: Edwards et al., Neuromorph. Comput. Eng. 4 (2024) 014005.
    """

    weight_max: Real = one(1.0, "", "weight of the largest probability", above=0)
    probability_max: Real = one(0.99, "", "largest probability", above=0, below=1)
    stochastic: Flag = Option(False, (False, True), doc="whether single pulses pass or do not")
    bias_spread: Real = one(0.0, "mA", "standard deviation of the bias currents", at_least=0)
    temperature: Real = one(4.2, "K", "at which it works", at_least=0, at_most=10)
    design_temperature: Real = one(4.2, "K", "for which the bias currents are chosen", above=0, at_most=10)

    def validate(self):
        self.__dict__["read"] = _read if self.stochastic else None

    def fitted(self, weights) -> "SFQSynapses":
        """Return the same layer with weight_max at the largest size among some weights."""
        return self.replace(weight_max=float(np.abs(to_numpy(weights)).max()))

    def probability(self, weights) -> np.ndarray:
        """Return the probability of each weight; raise ParameterError where it cannot be mapped."""
        sizes = np.abs(to_numpy(weights))
        bad = sizes[~(sizes <= self.weight_max * (1 + 1e-6))]
        if bad.size:
            raise ParameterError(f"SFQSynapses must be given weights within {-self.weight_max:g} .. "
                                 f"{self.weight_max:g}, got one of size {bad.flat[0]:g}; set weight_max, or use "
                                 "fitted(weights)")
        return np.minimum(sizes / self.weight_max, 1.0) * self.probability_max

    def bias(self, weights) -> np.ndarray:
        """Return the bias current of each weight, mA, NaN where a weight is 0 and needs no synapse."""
        p = self.probability(weights)
        return np.where(p > 0, BiasSynapse(temperature=self.design_temperature).bias(p), np.nan)

    def program(self, weights, generator):
        """Return the weights that act on average at the temperature, with errors of the bias currents."""
        bias = self.bias(weights)
        if not self.bias_spread and self.temperature == self.design_temperature:
            return weights
        bias = bias + self.bias_spread * generator.standard_normal(bias.shape)
        p = np.nan_to_num(BiasSynapse(temperature=self.temperature).passing(bias))
        return like(np.sign(to_numpy(weights)) * p * self.weight_max / self.probability_max, as_float(weights))

    def forward(self, x, weights, clocks: int | None = None, generator=None):
        r"""Return what neurons receive per clock for rates x: y = x W, with the noise of counting pulses.

        In every clock a pulse comes with probability x_i and passes with p_ij, so that the mean over n clocks has the
        variance sum_i (weight_max / probability_max)^2 x_i p_ij (1 - x_i p_ij) / n; it is drawn as a normal number.

        Args:
            x: rates, 0 to 1, shape (..., inputs); an array or a tensor.
            weights: as programmed, shape (inputs, neurons), of the same kind.
            clocks: n; None is without noise, as is `stochastic=False`.
            generator: numpy or torch generator of the noise.
        """
        plain = x if namespace(x) is np else x.detach()
        low, high = float(plain.min()), float(plain.max())
        if not (low >= 0 and high <= 1):
            raise ParameterError(f"SFQSynapses.forward: x must be rates within 0 .. 1 pulses per clock, got "
                                 f"{low if not low >= 0 else high:g}")
        y = x @ weights
        if not self.stochastic or clocks is None:
            return y
        if generator is None:
            raise ParameterError("SFQSynapses.forward must be given a generator: single pulses pass or do not")
        unit = self.weight_max / self.probability_max
        xp = namespace(y)
        variance = unit * (x @ xp.abs(weights)) - (x * x) @ (weights * weights)
        return y + xp.sqrt(xp.abs(variance) / clocks) * normals(generator, y)


def _read(weight, uniform, weight_max, probability_max):
    """One pulse: it passes and acts with the unit weight, or it does not."""
    unit = weight_max / probability_max
    return unit * ((uniform * unit < weight) * 1.0 - (uniform * unit < -weight) * 1.0)
