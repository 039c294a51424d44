"""Why do my spikes differ? `compare`, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.backends.handing import Handed, hand_over
from neurosim.backends.result import Result
from neurosim.calls import arguments_listed
from neurosim.checks import describe_value
from neurosim.comparing import causes
from neurosim.comparing.causes import Cause, Explanation
from neurosim.comparing.reference import OpenLoop
from neurosim.comparing.sides import Difference, Side, common_dt, differences, matched, on_grid, side_of
from neurosim.errors import NeurosimError, ParameterError
from neurosim.simulation import Simulation
from neurosim.sources import Source
from neurosim.spikes import Spikes

LOOKED_AT = 48  #: neurons at most
WINDOW = 800  #: ticks after the first difference
BEFORE = 4  #: ticks before it that are shown
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}  #: of the size of v, within which v is at the threshold


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two results, spike by spike.

    Attributes:
        names: of the two.
        dt: length of a tick of the grid on which they are compared, ms; 0 for exact times.
        counts: population -> (spikes only in the first, only in the second, in both).
        first: the first spike that only one has, or None.
        causes: for each of the two, in what it differs from neurosim's rules.
        also: causes that explain the same as the first.
        why: a sentence where no cause could be looked for, or none was found.
        states: for each of the two, rows of (tick, v before a reset, v after it, what arrived, whether it spiked) of
            the neuron of the first difference, as far as its rules are known.
        rasters: for each of the two, population -> (ticks, ids).
    """

    names: tuple[str, str]
    dt: float
    counts: dict[str, tuple[int, int, int]]
    first: Difference | None
    causes: tuple[tuple[Cause, ...], tuple[Cause, ...]] = ((), ())
    also: tuple[Cause, ...] = ()
    why: str = ""
    states: tuple[list, list] = field(default_factory=lambda: ([], []))
    rasters: tuple[dict, dict] = field(default_factory=lambda: ({}, {}))

    @property
    def equal(self) -> bool:
        """Whether both have the same spikes."""
        return self.first is None

    @property
    def cause(self) -> str:
        """The name of the likely cause; "" where the spikes are equal, "unknown" where none was found."""
        if self.equal:
            return ""
        found = [*self.causes[1], *self.causes[0]]
        return found[0].name if found else causes.UNKNOWN

    def plot(self, ax=None, *, around: float | None = None) -> list:
        """Draw both rasters, one above the other's marks, and the first difference.

        Args:
            ax: matplotlib axes.
            around: ms before and after the first difference; by default all.

        Returns:
            The artists: marks of what both have, of what only one has, and the ring around the first difference.
        """
        from neurosim.comparing.picture import draw

        return draw(self, ax, around)

    def __str__(self):
        from neurosim.comparing.words import tell

        return tell(self)

    def __repr__(self):
        return f"<comparison of {self.names[0]} and {self.names[1]}: {'equal' if self.equal else self.cause}>"


@arguments_listed
def compare(a: Simulation | Result | Spikes | Mapping[str, Spikes],
            b: Simulation | Result | Spikes | Mapping[str, Spikes], *,
            names: tuple[str, str] = ("a", "b"), tolerance: float | None = None) -> Comparison:
    """Compare two results spike by spike; find the first difference, and name its likely cause.

    A cause is looked for where one of the two brings a network (a simulation or a result of a backend) and both are
    spikes in ticks of one length from time 0. Each neuron that differs is then computed anew, driven by the spikes that
    a result itself holds, under neurosim's rules and under others: a threshold with >=, a longer refractory time and so
    on. The rules that predict all spikes of a result are its own.

    Args:
        a, b: a simulation that has recorded spikes, a result of `ns.backends.run`, or the spikes of another program:
            a `Spikes`, or a dict population -> `Spikes`.
        names: what they are called.
        tolerance: mV within which v may be at the threshold by rounding; by default 1e-9 of its size for float64 and
            1e-4 for float32.

    Returns:
        The comparison, which tells all when it is printed.

    Raises:
        ParameterError: an argument does not fit, or the two have no population in common.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> noise = net.add(ns.Poisson(rate=50.0), 100, name="noise")
    >>> cells = net.add(ns.LIF(t_ref=2.0), 20, name="cells")
    >>> synapses = net.connect(noise, cells, weight=1.0, delay=1.0)
    >>> net.record(cells)
    >>> sim = ns.Simulation(net, dt=0.1, seed=1)
    >>> sim.run(100.0)
    >>> ns.compare(sim, sim.clone()).equal
    True
    """
    if not (isinstance(names, tuple) and len(names) == 2 and all(isinstance(each, str) for each in names)):
        raise ParameterError(f"names must be two words, got {describe_value(names)}")
    one, other = matched(side_of(a, names[0]), side_of(b, names[1]))
    dt = common_dt(one, other)
    grid = dt or 1e-9
    rasters = on_grid(one, grid), on_grid(other, grid)
    common = [name for name in one.spikes if name in other.spikes]
    stop = min(side.spikes[name].stop for side in (one, other) for name in common)
    counts, found = differences(*rasters, common, round(stop / grid))
    if not found:
        return Comparison(names, dt, counts, None, rasters=rasters)
    return _Search(one, other, rasters, dt, stop, counts, found, tolerance).comparison()


class _Search:
    """Looks for the cause of differences."""

    def __init__(self, one: Side, other: Side, rasters, dt, stop, counts, found, tolerance):
        self.sides, self.rasters, self.dt, self.stop = (one, other), rasters, dt, stop
        self.counts, self.found, self.tolerance = counts, found, tolerance
        self.known = next(((side.net, side.seed) for side in self.sides if side.net is not None), None)

    def comparison(self) -> Comparison:
        """Return what was found."""
        made: dict[str, Any] = {"names": tuple(side.name for side in self.sides), "dt": self.dt, "counts": self.counts,
                                "first": self.found[0], "rasters": self.rasters}
        early, cause = self._without_network()
        if early or self.known is None:
            return Comparison(**made, causes=((), (cause,) if cause else ()), why=early)
        net, seed = self.known
        try:
            handed = hand_over(net, self.ticks * self.dt, self.dt, seed, "a comparison", "same")
            explained = [self._explained(handed, number) for number in (0, 1)]
        except NeurosimError as error:
            return Comparison(**made, why=f"no cause was looked for: {error}")
        return Comparison(**made, **self._told(handed, explained))

    @property
    def ticks(self) -> int:
        """How many ticks are looked at."""
        return min(round(self.stop / self.dt), self.found[0].tick + WINDOW)

    def _without_network(self) -> tuple[str, Cause | None]:
        """Return why no cause is looked for by computing neurons anew, and the cause where it is plain all the same."""
        steps = [next((s.dt for s in side.spikes.values()), None) for side in self.sides]
        if steps[0] != steps[1]:
            words = " and ".join("exact times" if step is None else f"ticks of {step:g} ms" for step in steps)
            return f"they have {words} for a step", Cause(causes.TICK, f"one tick is not one of the other: {words}")
        if self.known is None:
            return "neither of the two brings a network; give a simulation or a result of a backend as one", None
        if self.dt == 0.0:
            return "exact times have no ticks to look at", None
        if not all(side.whole for side in self.sides):
            return "spikes must be recorded from time 0 on", None
        net, _ = self.known
        if any(p.name == self.found[0].population and isinstance(p.model, Source) for p in net.populations):
            return ("the first difference is in a source", Cause(causes.GIVEN, "sources send other spikes"))
        return "", None

    def _explained(self, handed: Handed, number: int) -> Explanation:
        """Return the rules under which one result's neurons spike as they do."""
        population = handed.net.population(self.found[0].population.split("[")[0])
        spikes = {name: self.rasters[1 - number][name] for name in self.rasters[1 - number]} | self.rasters[number]
        for projection in handed.net.projections:
            if projection.target.base is population:
                self._check(projection, spikes)
        return causes.explain(OpenLoop(handed, population, self._neurons(population), spikes, self.ticks,
                                       self._tolerance(number, handed, population)), self.found[0].tick)

    def _check(self, projection, spikes):
        source = projection.source.base
        if projection.plasticity:
            raise ParameterError(f"the synapses of {projection.name!r} learn, and their weights are not known at each "
                                 "tick")
        if not isinstance(source.model, Source) and source.name not in spikes:
            raise ParameterError(f"the spikes of {source.name!r}, which drive {projection.target.name!r}, must be "
                                 "recorded as well")

    def _neurons(self, population) -> np.ndarray:
        """Return the neurons that are looked at: those that differ first."""
        part = self.found[0].population
        start = int(part.split("[")[1].split(":")[0]) if "[" in part else 0
        mine = [each.neuron + start for each in self.found if each.population == part]
        return np.array(list(dict.fromkeys(mine))[:LOOKED_AT])

    def _tolerance(self, number, handed, population) -> float:
        if self.tolerance is not None:
            return self.tolerance
        p = vars(handed.run.plan.populations[population].parameters)
        size = max((float(np.max(np.abs(value))) for name, value in p.items()
                    if name in ("v_threshold", "v_peak", "v_leak", "v_reset") and value is not None), default=1.0)
        return TOLERANCE[self.sides[number].dtype] * max(size, 1e-3)

    def _told(self, handed, explained) -> dict:
        """Return what a comparison says about causes and states."""
        found = tuple(each.causes if each.complete or each.causes else () for each in explained)
        incomplete = [side.name for side, each in zip(self.sides, explained, strict=True) if not each.complete]
        why = ""
        if not any(found):
            if incomplete:
                why = f"no rule that is known makes the spikes of {' and '.join(incomplete)}"
            else:
                found = ((), (Cause(causes.TIE, self._tie(explained)),))
        elif incomplete:
            why = (f"what was found predicts most, but not all spikes of {' and '.join(incomplete)}")
        also = explained[1].as_well or explained[0].as_well
        return {"causes": found, "also": also, "why": why,
                "states": tuple(self._rows(each.outcome, number) for number, each in enumerate(explained))}

    def _tie(self, explained) -> str:
        first = self.found[0]
        distance = [each.outcome.distance[first.tick, 0] for each in explained]
        near = min((abs(float(each)) for each in distance if np.isfinite(each)), default=float("nan"))
        types = {side.dtype for side in self.sides}
        floats = " (one is computed in float32)" if "float32" in types else ""
        return f"v is within {near:.2g} mV of the threshold, where rounding decides{floats}"

    def _rows(self, outcome, number) -> list:
        """Return the state of the neuron of the first difference at the ticks before it."""
        tick = self.found[0].tick
        part = self.found[0].population
        ticks, ids = self.rasters[number][part]
        spiked = set(ticks[ids == self.found[0].neuron].tolist())
        return [(at, float(outcome.v[at, 0]), float(outcome.after[at, 0]), float(outcome.arrived[at, 0]), at in spiked)
                for at in range(max(1, tick - BEFORE), tick + 1)]
