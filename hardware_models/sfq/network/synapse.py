"""Stochastic synapses by their bias current: probability at a temperature, and the bias for a probability."""

import numpy as np

from neurosim.aliases import Real, RealOrNone
from neurosim.checks import Parameter, Parametrised, describe_value
from neurosim.errors import ParameterError

#: Measured by `measure_curves`: temperature (K), mean and sigma (mA) of the escape curve.
CURVES = ((1.0, 0.141715, 0.002386), (2.0, 0.141639, 0.003314), (4.2, 0.141718, 0.004769), (6.0, 0.141632, 0.005706),
          (8.0, 0.141892, 0.006747), (10.0, 0.141681, 0.007343))
LOWEST, HIGHEST = 0.1, 0.19  #: mA, the biases at which the circuit was tried
QUIET = 0.1417  #: mA, threshold at 0 K


def measure_curves(temperatures=(1.0, 2.0, 4.2, 6.0, 8.0, 10.0), *, runs: int = 1000, seed: int = 20, h: float = 0.05,
                   threads: int | None = None) -> list:
    """Return the escape curves of the synapse of the network between two lines, one for each temperature.

    Args:
        temperatures: K, > 0.
        runs: pulses at each of nine bias currents.
        seed: of the noise; the k-th temperature has seed + k.
        h: step, ps.
        threads: processor threads.

    >>> curve, = measure_curves([4.2], runs=8, h=0.1)
    >>> 0.13 < curve.mean < 0.15
    True
    """
    from hardware_models.sfq.circuit import Circuit, EscapeCurve, simulate
    from hardware_models.sfq.network.circuits import drive, sink, synapse_line

    circuit = Circuit("synapse between lines")
    drive(circuit, "IN", [30.0], "x")
    circuit.include("S", synapse_line(1.0), "x", "y")
    sink(circuit, "OUT", "y")
    curves = []
    for k, temperature in enumerate(temperatures):
        bias = QUIET + 2.2e-3 * np.sqrt(temperature) * np.linspace(-2.0, 2.0, 9)
        run = simulate(circuit, 90.0, h=h, temperature=temperature, seed=seed + k, keys=np.arange(9 * runs),
                       vary={"S.ISYN.scale": np.repeat(bias, runs)}, threads=threads)
        passed = (run.fluxons("S.B8") >= 1).reshape(9, runs).sum(axis=1)
        curves.append(EscapeCurve(bias, passed, np.full(9, runs), temperature))
    return curves


class BiasSynapse(Parametrised):
    r"""The escape curve of the stochastic synapse at a temperature: bias current <-> probability that a pulse passes.

    P(I) = (1 + erf((I - mean) / (sqrt(2) sigma))) / 2,   mean and sigma at T interpolated between measured ones.

    Sigma grows as the square root of T, which is used below 1 K; at 0 K the curve is a step. Mean and sigma of another
    circuit can be given, for example those of an `EscapeCurve`.

    Args:
        temperature: K.
        mean, sigma: mA; None takes the measured ones.

    >>> synapse = BiasSynapse(temperature=4.2)
    >>> round(float(synapse.probability(synapse.bias(0.8))), 6)
    0.8
    >>> synapse.grey_zone > BiasSynapse(temperature=2.0).grey_zone
    True

    Source: Edwards et al., Neuromorph. Comput. Eng. 4 (2024) 014005 (weights by bias currents); the curve is that
    of our circuit, a series junction in a JTL.
    """

    temperature: Real = Parameter(4.2, "K", at_least=0, at_most=10, per_element=False, doc="temperature")
    mean: RealOrNone = Parameter(None, "mA", above=0, optional=True, per_element=False,
                                 doc="bias at which half of the pulses pass")
    sigma: RealOrNone = Parameter(None, "mA", above=0, optional=True, per_element=False,
                                  doc="width of the escape curve")

    @property
    def curve(self) -> tuple[float, float]:
        """Mean and sigma in mA."""
        known, means, sigmas = np.array([(0.0, QUIET, 0.0), *CURVES]).T
        mean = float(np.interp(self.temperature, known, means)) if self.mean is None else self.mean
        if self.sigma is not None:
            return mean, self.sigma
        per_root = float(np.interp(self.temperature, known[1:], sigmas[1:] / np.sqrt(known[1:])))
        return mean, per_root * self.temperature**0.5

    @property
    def grey_zone(self) -> float:
        """Width of the rise, sqrt(2 pi) sigma, mA."""
        return (2.0 * np.pi) ** 0.5 * self.curve[1]

    def probability(self, bias) -> np.ndarray:
        """Return the probability that a pulse passes at bias currents in mA, any shape.

        Raises:
            ParameterError: a bias is outside of the range in which the circuit works as a synapse.
        """
        bias = np.asarray(bias, dtype=float)
        bad = bias[~((bias >= LOWEST) & (bias <= HIGHEST))]
        if bad.size:
            raise ParameterError(f"BiasSynapse.probability: bias must be within {LOWEST:g} .. {HIGHEST:g} mA, the "
                                 f"range of the escape curve, got {bad.flat[0]:g}; give mA, not uA")
        return self.passing(bias)

    def passing(self, bias) -> np.ndarray:
        """Return the probability at any bias, in or out of the range: beyond it, pulses fail, or pass, for certain."""
        from scipy.special import ndtr

        mean, sigma = self.curve
        return ndtr((bias - mean) / sigma) if sigma else np.where(bias > mean, 1.0, 0.0)

    def bias(self, probability) -> np.ndarray:
        """Return the bias currents in mA at which pulses pass with given probabilities, any shape.

        0 is the lowest bias of the range and 1 the highest: there the curve misses them by less than 1e-10 at 4.2 K.

        Raises:
            ParameterError: a probability is not within 0 .. 1, or no bias within the range gives it.
        """
        from scipy.special import ndtri

        p = np.asarray(probability, dtype=float)
        bad = p[~((p >= 0) & (p <= 1))]
        if bad.size:
            raise ParameterError(f"BiasSynapse.bias: a probability must be within 0 .. 1, got {bad.flat[0]:g}")
        mean, sigma = self.curve
        if sigma == 0 and ((p > 0) & (p < 1)).any():
            raise ParameterError("BiasSynapse.bias: at 0 K a pulse passes always or never, so that only the "
                                 "probabilities 0 and 1 can be set; give a temperature > 0")
        with np.errstate(invalid="ignore"):
            bias = np.where(p == 0, LOWEST, np.where(p == 1, HIGHEST, mean + sigma * ndtri(p)))
        bad = p[(bias < LOWEST) | (bias > HIGHEST)]
        if bad.size:
            raise ParameterError(f"BiasSynapse.bias: no bias within {LOWEST:g} .. {HIGHEST:g} mA gives the probability "
                                 f"{bad.flat[0]:g} at {self.temperature:g} K; keep it closer to 1/2")
        return bias

    def cell(self, bias: float, **times):
        """Return the synapse of the pulse level for a bias current in mA; `times` are parameters of the cell."""
        from hardware_models.sfq.pulse import Synapse

        if np.ndim(bias) != 0:
            raise ParameterError(f"BiasSynapse.cell: bias must be a number of mA, got {describe_value(bias)}")
        return Synapse(probability=float(self.passing(bias)), **times)
