"""The stochastic synapse: a junction in series in a JTL, whose chance to pass a pulse on is set by a bias current."""

import math

import numpy as np

from hardware_models.sfq.circuit.circuit import GROUND, Circuit
from hardware_models.sfq.circuit.solver import simulate
from hardware_models.sfq.circuit.waveforms import ramp, triangles
from neurosim.aliases import Row
from neurosim.checks import Parametrised, check_number, check_numbers, check_whole, computed, required
from neurosim.connectivity import Vector
from neurosim.errors import ParameterError

IC, R, C, L = 0.25, 2.743961767, 0.175, 4.0  #: of the junctions (beta_c = 1) and links, mA, ohm, pF, pH
FIRST = 30.0  #: beginning of the first pulse, ps


def synapse(series: float = 0.7, bias: float = 0.7, junctions: int = 9, before: int = 5,
            times=(FIRST,)) -> Circuit:
    """Return a JTL with a series junction; the node behind it is biased by "ISYN", 1 mA times its `scale`.

    A pulse that arrives switches either the junction behind the series junction, and goes on, or the series junction,
    and is lost.

    Args:
        series: critical current of the series junction, as a part of that of the others.
        bias: bias of all other nodes, as a part of the critical current.
        junctions: length of the line, "B1" to "B9".
        before: how many of them are before the series junction "BS".
        times: when pulses begin at the input, ps.

    >>> synapse()
    Circuit('synapse': 10 junctions, 8 inductors, 10 current sources, 10 nodes)
    """
    series = check_number("synapse.series", series, above=0)
    bias = check_number("synapse.bias", bias)
    junctions = check_whole("synapse.junctions", junctions, at_least=2)
    before = check_whole("synapse.before", before, at_least=1, at_most=junctions - 1)
    circuit = Circuit("synapse")
    for k in range(1, junctions + 1):
        circuit.junction(f"B{k}", f"n{k}", GROUND, ic=IC, r=R, c=C)
        if k == before + 1:
            circuit.bias("ISYN", f"n{k}", ramp(1.0))
        else:
            circuit.bias(f"I{k}", f"n{k}", ramp(bias * IC))
        if k > 1:
            circuit.inductor(f"L{k}", f"n{k - 1}", "series" if k == before + 1 else f"n{k}", L)
    circuit.junction("BS", "series", f"n{before + 1}", ic=series * IC, r=R / series, c=series * C)
    circuit.bias("IN", "n1", triangles(times, height=0.5, width=3.0))
    return circuit


class EscapeCurve(Parametrised, kw_only=False):
    """How the chance that a pulse passes depends on the bias: P = (1 + erf((I - mean) / (sqrt(2) sigma))) / 2.

    Args:
        bias: bias currents, mA.
        passed, runs: how many of how many pulses passed at each of them.
        temperature: K.

    Attributes:
        mean, sigma: mA, of the curve of maximum likelihood.

    >>> curve = EscapeCurve([0.140, 0.146, 0.152], [8, 50, 92], [100, 100, 100], 4.2)
    >>> round(1000 * curve.mean, 3)
    146.0
    >>> round(float(curve.probability(0.146)), 3)
    0.5
    """

    positional = 4
    bias: Row = required(Vector(unit="mA", doc="bias currents", scalar=False))
    passed: Row = required(Vector(at_least=0, integer=True, doc="pulses that passed", scalar=False))
    runs: Row = required(Vector(above=0, integer=True, doc="pulses that arrived", scalar=False))
    temperature: Row = Vector(0.0, "K", at_least=0, doc="temperature")
    mean: float = computed()
    sigma: float = computed()

    def validate(self):
        """Fit the curve."""
        bias, passed, runs = (np.array(each, float) for each in (self.bias, self.passed, self.runs))
        if not bias.size == passed.size == runs.size or (passed > runs).any():
            raise ParameterError("EscapeCurve.passed and runs must be as many as bias, and passed <= runs")
        if not (0 < passed.sum() < runs.sum()):
            raise ParameterError("EscapeCurve: all pulses passed, or none; choose bias currents around the threshold")
        self.__dict__["mean"], self.__dict__["sigma"] = _fit(bias, passed, runs)

    def probability(self, bias):
        """Return the chance that a pulse passes at bias currents in mA."""
        from scipy.special import ndtr

        return ndtr((np.asarray(bias, float) - self.mean) / self.sigma)

    def bias_for(self, probability):
        """Return the bias currents, mA, at which pulses pass with given chances, > 0 and < 1."""
        from scipy.special import ndtri

        p = np.asarray(probability, float)
        if not ((p > 0.0) & (p < 1.0)).all():
            raise ParameterError("EscapeCurve.bias_for: probabilities must be > 0 and < 1; no bias makes a noisy "
                                 "synapse certain")
        return self.mean + self.sigma * ndtri(p)

    @property
    def grey_zone(self) -> float:
        """The width of the rise, sqrt(2 pi) sigma, mA."""
        return math.sqrt(2.0 * math.pi) * self.sigma


def _fit(bias, passed, runs):
    """Return mean and sigma of the normal distribution function of largest likelihood."""
    from scipy.optimize import minimize
    from scipy.special import log_ndtr

    middle = np.interp(0.5, np.maximum.accumulate(passed / runs), bias)
    width = max((bias.max() - bias.min()) / 4.0, 1e-6)

    def loss(p):
        z = (bias - middle - width * p[0]) / (width * math.exp(p[1]))
        return -(passed * log_ndtr(z) + (runs - passed) * log_ndtr(-z)).sum()

    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead",
                    options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 2000}).x
    return float(middle + width * best[0]), float(width * math.exp(best[1]))


def escape_probability(bias, *, temperature: float = 4.2, runs: int = 200, series: float = 0.7, seed: int = 0,
                       h: float = 0.05, duration: float = 80.0, threads: int | None = None) -> EscapeCurve:
    """Return the chance that a pulse passes the stochastic synapse against its bias current, simulated and fitted.

    Args:
        bias: bias currents of the node behind the series junction, mA.
        temperature: K, > 0.
        runs: pulses at each bias.
        series: critical current of the series junction, as a part of that of the others.
        seed: of the noise.
        h, duration: step and length of a run, ps.
        threads: processor threads.

    >>> curve = escape_probability([0.13, 0.1463, 0.165], runs=8)
    >>> curve.passed[0], curve.passed[2]
    (0, 8)

    Source: the circuit is a decision pair with one arm a JTL; the shape of the curve, Filippov, Polyakov, Semenov,
    Likharev, IEEE Transactions on Applied Superconductivity 5 (1995) 2240.
    """
    bias = np.atleast_1d(check_numbers("escape_probability.bias", bias))
    runs = check_whole("escape_probability.runs", runs, at_least=1)
    scale = np.repeat(bias, runs)
    run = simulate(synapse(series), duration, h=h, temperature=temperature, seed=seed, keys=np.arange(scale.size),
                   vary={"ISYN.scale": scale}, threads=threads)
    passed = (run.fluxons("B9") >= 1).reshape(bias.size, runs).sum(axis=1)
    return EscapeCurve(bias, passed, np.full(bias.size, runs), temperature)


def threshold(series: float = 0.7, *, h: float = 0.05, duration: float = 100.0, resolution: float = 1e-5) -> float:
    """Return the bias current, mA, above which a pulse passes without noise, by bisection.

    >>> round(threshold(resolution=1e-3), 3)
    0.146
    """
    resolution = check_number("threshold.resolution", resolution, "mA", above=0)
    low, high = 0.0, 1.2 * IC
    circuit = synapse(series)
    while high - low > resolution:
        tried = np.linspace(low, high, 18)[1:-1]
        passed = simulate(circuit, duration, h=h, vary={"ISYN.scale": tried}).fluxons("B9") >= 1
        k = int(np.argmax(passed)) if passed.any() else len(tried)
        edges = np.array([low, *tried, high])
        low, high = edges[k], edges[k + 1]
    return float(0.5 * (low + high))
