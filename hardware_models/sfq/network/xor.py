"""XOR of two rate-coded inputs by two layers of stochastic synapses and storage loops, on both levels."""

import numpy as np

from hardware_models.sfq.network.layers import SFQLayer, junction_circuit, pulse_circuit
from hardware_models.sfq.network.loop import COINCIDENCE, RELAY, one
from hardware_models.sfq.network.synapse import BiasSynapse
from hardware_models.sfq.network.timing import TIMES
from neurosim.aliases import Real
from neurosim.checks import Parametrised, describe_value
from neurosim.errors import ParameterError

PATTERNS = ((0, 0), (0, 1), (1, 0), (1, 1))
START = 30.0  #: ps, of the first clock


class XORNetwork(Parametrised):
    """Two hidden loops that fire on coincidence, x1 and not x2, x2 and not x1, and an output loop that relays both.

    Pulses only add, so each input comes on two rails: in every clock period a pulse comes on the rail "x" or on
    the rail "not x", the latter `lag` later, so that the merger does not make one pulse of two. Every wire into a loop
    goes through a stochastic synapse; all of them have the bias for `probability` at `design_temperature`.

    Rate of the output, per clock: P(one input on) p^3, where p is the probability; with all pulses in time.

    Args:
        probability: that a synapse passes a pulse.
        design_temperature: for which the bias currents are chosen, K.
        period: of the clock, ps.
        lag: of the second rail, ps.

    >>> net = XORNetwork()
    >>> rates = net.pulse_rates(clocks=200, seed=1)
    >>> bool(rates[0] < 0.05), bool(rates[1] > 0.7)
    (True, True)

    Source: task and rate coding, Edwards et al., Neuromorph. Comput. Eng. 4 (2024) 014005; the circuit is ours.
    """

    probability: Real = one(0.95, "", "that a synapse passes a pulse", above=0, below=1)
    design_temperature: Real = one(4.2, "K", "for which bias currents are chosen", above=0, at_most=10)
    period: Real = one(50.0, "ps", "of the clock", above=0)
    lag: Real = one(10.0, "ps", "of the second rail", above=0)

    def validate(self):
        if self.lag >= self.period:
            raise ParameterError(f"XORNetwork.lag must be < period = {self.period:g} ps, got {self.lag:g}")

    def layers(self, spread: float = 0.0, generator=None) -> list:
        """Return the layers; `spread` is the standard deviation of every bias current, mA, drawn from `generator`.

        Bias currents outside of the range of the escape curve come out at its ends.
        """
        from hardware_models.sfq.network.synapse import HIGHEST, LOWEST

        bias = float(BiasSynapse(temperature=self.design_temperature).bias(self.probability))
        hidden, output = np.full((4, 2), np.nan), np.full((2, 1), bias)
        hidden[[0, 1], 0] = hidden[[2, 3], 1] = bias
        if spread:
            if generator is None:
                raise ParameterError("XORNetwork.layers: a spread must come with a generator")
            hidden, output = (np.clip(each + spread * generator.standard_normal(each.shape), LOWEST, HIGHEST)
                              for each in (hidden, output))
        return [SFQLayer(hidden, COINCIDENCE), SFQLayer(output, RELAY)]

    def trains(self, x, clocks: int, generator=None) -> list:
        """Return the times of the pulses on the four rails, ps.

        Args:
            x: the two inputs, 0 to 1: the probability of a pulse in each clock period.
            clocks: number of clock periods.
            generator: draws the pulses of inputs that are neither 0 nor 1.
        """
        x = np.asarray(x, dtype=float)
        if x.shape != (2,) or not ((x >= 0) & (x <= 1)).all():
            raise ParameterError(f"XORNetwork: x must be two rates within 0 .. 1, got {describe_value(x.tolist())}")
        if generator is None and ((x > 0) & (x < 1)).any():
            raise ParameterError("XORNetwork.trains: rates between 0 and 1 must come with a generator")
        draw = np.zeros((2, clocks)) if generator is None else generator.random((2, clocks))
        on = draw < x[:, None]
        times = START + self.period * np.arange(clocks)
        return [times[on[0]], times[~on[1]] + self.lag, times[on[1]], times[~on[0]] + self.lag]

    def pulse_rates(self, patterns=PATTERNS, *, clocks: int = 1000, temperature: float | None = None, seed: int = 0,
                    spread: float = 0.0, jitter: float = 1.0, circuits: int = 1) -> np.ndarray:
        """Return the pulses per clock at the output for input patterns, at the pulse level.

        Args:
            patterns: pairs of inputs.
            clocks: clock periods for each.
            temperature: K; by default that of the design.
            seed: of the synapses, the jitter, rates and the spread.
            spread: standard deviation of the bias currents, mA.
            jitter: factor of the thermal jitter of all cells.
            circuits: how many circuits with bias currents of their own are tried.

        Returns:
            shape (patterns,), or (circuits, patterns) where there are several.
        """
        from hardware_models.sfq.pulse import PulseSimulation

        temperature = self.design_temperature if temperature is None else temperature
        rng = np.random.default_rng([seed, 7])
        times = TIMES._replace(**{name: value._replace(jitter=jitter * value.jitter) for name, value in
                                  TIMES._asdict().items() if hasattr(value, "jitter")})
        rates = np.zeros((circuits, len(patterns)))
        for c in range(circuits):
            circuit = pulse_circuit(self.layers(spread, rng), temperature=temperature, times=times)
            sim = PulseSimulation(circuit, on_violation="physical", seed=seed)
            for k, x in enumerate(patterns):
                sim.reset(sample=c * len(patterns) + k)
                sim.send(**{f"in_{i}": train for i, train in enumerate(self.trains(x, clocks, rng))})
                sim.run()
                rates[c, k] = sim.pulses("out_0").size / clocks
        return rates[0] if circuits == 1 else rates

    def circuit_rates(self, patterns=PATTERNS, *, clocks: int = 8, runs: int = 32, temperature: float | None = None,
                      seed: int = 0, spread: float = 0.0, h: float = 0.1, threads: int | None = None) -> np.ndarray:
        """Return the pulses per clock at the output for input patterns, from the equations of all junctions.

        Args:
            patterns: pairs of inputs that are 0 or 1.
            clocks: clock periods in a run.
            runs: noise realisations for each pattern; with a spread each has bias currents of its own.
            temperature: K; by default that of the design.
            seed: of the noise and the spread.
            spread: standard deviation of the bias currents, mA.
            h: step, ps.
            threads: processor threads.

        Returns:
            shape (patterns,), with a spread (runs, patterns).
        """
        from hardware_models.sfq.circuit import simulate

        temperature = self.design_temperature if temperature is None else temperature
        plain = self.layers()
        drawn = [self.layers(spread, np.random.default_rng([seed, 7, run])) for run in range(runs)] if spread else []
        vary = {}
        for k, layer in enumerate(plain):
            for i, j in np.argwhere(~np.isnan(layer.bias)):
                if spread:
                    vary[f"S_{k}_{i}_{j}.ISYN.scale"] = [each[k].bias[i, j] / layer.bias[i, j] for each in drawn]
        duration = h * np.ceil((START + self.period * clocks + 100.0) / h)
        rates = np.zeros((runs, len(patterns)))
        for k, x in enumerate(patterns):
            if not set(x) <= {0, 1}:
                raise ParameterError(f"XORNetwork.circuit_rates: patterns must be of 0 and 1, got {describe_value(x)}")
            run = simulate(junction_circuit(plain, self.trains(x, clocks)), duration, h=h, temperature=temperature,
                           seed=seed + k, keys=np.arange(runs), vary=vary or None, threads=threads)
            rates[:, k] = run.fluxons("N_1_0.B5") / clocks
        return rates if spread else rates.mean(axis=0)


def margin(rates):
    """Return the classification margin of rates for the patterns 00, 01, 10, 11 in the last axis.

    margin = (lowest rate of a "1" - highest rate of a "0") / highest rate; 0 where there are no pulses at all.

    >>> round(float(margin([0.0, 0.8, 0.9, 0.1])), 3)
    0.778
    """
    rates = np.asarray(rates, dtype=float)
    most = rates.max(axis=-1)
    gap = np.minimum(rates[..., 1], rates[..., 2]) - np.maximum(rates[..., 0], rates[..., 3])
    return np.where(most > 0, gap / np.where(most > 0, most, 1.0), 0.0)
