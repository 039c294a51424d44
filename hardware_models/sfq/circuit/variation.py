"""How far a parameter may move before a circuit fails, and how often it works with the spread of a process."""

import math
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np

from hardware_models.sfq.circuit.circuit import Circuit
from hardware_models.sfq.circuit.run import Run
from hardware_models.sfq.circuit.solver import simulate
from hardware_models.sfq.circuit.values import KINDS
from neurosim.checks import check_is
from neurosim.errors import ParameterError


class Margin(NamedTuple):
    """How far a parameter may move: `low` < 0 < `high`, as parts of its value; `at_reach` tells what was not passed."""

    name: str
    low: float
    high: float
    low_at_reach: bool
    high_at_reach: bool

    def __str__(self):
        return (f"{self.name:<24} {'<=' if self.low_at_reach else '  '}{100 * self.low:+6.1f} %  "
                f"{'>=' if self.high_at_reach else '  '}{100 * self.high:+6.1f} %")


class SamePulses:
    """The criterion that junctions switch as often as in a reference run, and at the same times to within some ps.

    Args:
        reference: a single run that works.
        names: junctions that are compared.
        within: largest difference of a time, ps; infinite to compare numbers only.
    """

    def __init__(self, reference: Run, names, within: float = math.inf):
        check_is("SamePulses.reference", reference, Run, "a Run, as simulate returns it")
        if reference.lanes is not None:
            raise ParameterError("SamePulses.reference must be a single run, got one with several lanes")
        self.expected = {name: reference.pulses(name) for name in names}
        self.within = within

    def __call__(self, run: Run) -> np.ndarray:
        """Return for each lane whether it works."""
        works = np.ones(run.lanes, dtype=bool)
        for name, times in self.expected.items():
            for lane, found in enumerate(run.pulses(name)):
                works[lane] &= len(found) == len(times) and bool((abs(found - times) <= self.within).all())
            works &= run.fluxons(name) == len(times)
        return works


def margins(circuit: Circuit, parameters: dict, works, duration: float, *, reach: float = 0.6,
            resolution: float = 0.005, **options) -> list[Margin]:
    """Return how far each parameter alone may move up and down before the circuit fails, by bisection.

    All parameters and both directions are simulated side by side, in as many rounds as the resolution takes. What works
    must be one interval around the nominal value, as in any bisection.

    Args:
        circuit: with nominal values.
        parameters: for each name what moves, in the form of `vary` of `simulate`: "DUT.B1.area", or a list of them.
        works: a function of a `Run` that returns for each lane whether it works, such as `SamePulses`.
        duration: ps.
        reach: largest change that is tried, as a part of the value, > 0 and < 1.
        resolution: of the result, as a part of the value.
        options: of `simulate`: h, temperature, seed, threads.

    Raises:
        ParameterError: the circuit does not work with its nominal values, or a value does not fit.

    >>> from hardware_models.sfq.circuit import bench, simulate
    >>> jtl = bench("jtl", {"a": [30.0]})
    >>> criterion = SamePulses(simulate(jtl, 60.0, h=0.1), ["OUT_q.B2"])
    >>> (bias,) = margins(jtl, {"bias": "DUT.IB*.scale"}, criterion, 60.0, h=0.1, resolution=0.05)
    >>> bias.low < -0.3 and bias.high > 0.2
    True
    """
    if not 0.0 < reach < 1.0 or not 0.0 < resolution < reach:
        raise ParameterError(f"margins: 0 < resolution < reach < 1 must hold, got {resolution!r} and {reach!r}")
    keys = {name: [key] if isinstance(key, str) else list(key) for name, key in parameters.items()}
    if not keys:
        raise ParameterError("margins.parameters must name at least one parameter")

    def try_out(changes):
        vary = {}
        for k, each in enumerate(keys.values()):
            for key in each:
                factors = vary.setdefault(key, np.ones(changes.size))
                factors[2 * k:2 * k + 2] *= 1.0 + changes[2 * k:2 * k + 2]
        return np.asarray(works(simulate(circuit, duration, vary=vary, **options)), dtype=bool)

    sides = np.tile([-1.0, 1.0], len(keys))
    if not try_out(0.0 * sides).all():
        raise ParameterError(f"margins: {circuit.name} does not work with its nominal values")
    good, bad = np.zeros(sides.size), np.full(sides.size, reach)
    open_ = try_out(bad * sides)
    for _ in range(math.ceil(math.log2(reach / resolution))):
        middle = 0.5 * (good + bad)
        fine = try_out(middle * sides)
        good, bad = np.where(fine, middle, good), np.where(fine, bad, middle)
    good = np.where(open_, reach, good) * sides
    return [Margin(name, float(good[2 * k]), float(good[2 * k + 1]), bool(open_[2 * k]), bool(open_[2 * k + 1]))
            for k, name in enumerate(keys)]


def spread(circuit: Circuit, local: dict, runs: int, *, common: dict | None = None, uniform: dict | None = None,
           seed: int = 0) -> dict:
    """Return values of `vary` for the spread of a process: factors of mean 1, log-normal or uniform, one set per run.

    Args:
        circuit: whose elements are spread.
        local: standard deviation of the factor of each element alone, by "pattern.parameter", such as {"*.l": 0.03}.
        runs: number of lanes.
        common: the same for factors that all matching elements share, such as the critical current of a chip.
        uniform: half widths of uniform factors of each element alone, such as the `spread` of a `Deck`.
        seed: of the random numbers.

    >>> circuit = Circuit()
    >>> circuit.inductor("L1", "a", "0", 4.0)
    >>> spread(circuit, {"*.l": 0.05}, runs=3, seed=1)["L1.l"].shape
    (3,)
    """
    generator = np.random.Generator(np.random.Philox(seed))
    vary = {}
    for each, shared in ((common or {}, True), (local, False)):
        for key, std in each.items():
            if not 0.0 <= std < 0.5:
                raise ParameterError(f"spread: the standard deviation of {key} must be >= 0 and < 0.5, got {std!r}")
            names = matching(circuit, key)
            width = math.sqrt(math.log1p(std * std))
            drawn = [np.exp(width * generator.standard_normal(runs) - 0.5 * width * width)
                     for _ in range(1 if shared else len(names))]
            for k, name in enumerate(names):
                vary[name] = vary.get(name, 1.0) * drawn[0 if shared else k]
    for key, half in (uniform or {}).items():
        if not 0.0 <= half < 1.0:
            raise ParameterError(f"spread: the half width of {key} must be >= 0 and < 1, got {half!r}")
        for name in matching(circuit, key):
            vary[name] = vary.get(name, 1.0) * generator.uniform(1.0 - half, 1.0 + half, runs)
    return vary


def matching(circuit: Circuit, key: str) -> list[str]:
    """Return "element.parameter" for all elements that a key such as "X1.L*.l" fits; ParameterError where none does."""
    pattern, _, parameter = key.rpartition(".")
    pattern = pattern.casefold()
    some = [circuit.placed[pattern]] if pattern in circuit.placed else circuit.placed.values()
    names = [f"{each.name}.{parameter}" for each in some
             if (each.name.casefold() == pattern or fnmatchcase(each.name.casefold(), pattern))
             and any(isinstance(each.element, kind) and parameter in allowed for kind, allowed in KINDS.items())]
    if not names:
        raise ParameterError(f"spread: {key!r} fits no element of {circuit.name}; write, say, '*.area' or 'L*.l'")
    return names


class Yield(NamedTuple):
    """How many of the runs worked, and a 95 % interval of the probability (Wilson)."""

    works: np.ndarray
    fraction: float
    low: float
    high: float


def monte_carlo(circuit: Circuit, local: dict, works, duration: float, *, runs: int = 200, common: dict | None = None,
                uniform: dict | None = None, seed: int = 0, **options) -> Yield:
    """Return how often a circuit works when its values are spread as those of a process.

    Args:
        circuit: with nominal values.
        local, common, uniform, seed: see `spread`.
        works: a function of a `Run` that returns for each lane whether it works.
        duration: ps.
        runs: number of circuits.
        options: of `simulate`.

    >>> from hardware_models.sfq.circuit import bench, simulate
    >>> jtl = bench("jtl", {"a": [30.0]})
    >>> criterion = SamePulses(simulate(jtl, 60.0, h=0.1), ["OUT_q.B2"])
    >>> monte_carlo(jtl, {"DUT.*.area": 0.02}, criterion, 60.0, h=0.1, runs=16).fraction
    1.0

    Source of the interval: Wilson, Journal of the American Statistical Association 22 (1927) 209.
    """
    vary = spread(circuit, local, runs, common=common, uniform=uniform, seed=seed)
    done = np.asarray(works(simulate(circuit, duration, vary=vary, **options)), dtype=bool)
    p, z = done.mean(), 1.959964
    middle = (p + z * z / (2 * runs)) / (1 + z * z / runs)
    half = z / (1 + z * z / runs) * math.sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs))
    return Yield(done, float(p), max(0.0, float(middle - half)), min(1.0, float(middle + half)))
