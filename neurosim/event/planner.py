"""Lays a network out for the event-driven mode: the same draws and synapses as in the clocked one, delays as they
are."""

import hashlib
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from neurosim.checks import Samples, Timed
from neurosim.engine.changing import with_numbers, with_parameters
from neurosim.engine.drawn import Drawer
from neurosim.engine.memory import check_memory
from neurosim.engine.plan import DrivePlan, Plan, PopulationPlan
from neurosim.engine.quantities import check_bounds, parts_of_synapse, quantities
from neurosim.engine.spans import spread_out
from neurosim.engine.synapses import build
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.event.numbers import numbers
from neurosim.network import Network, Population, Ports, Projection
from neurosim.random import Streams
from neurosim.sources import InjectedCurrent, Poisson, PoissonDrive, StepCurrent


class _SameLabel:
    """Hands out one stream for the delay, under whichever of its two labels it is asked for."""

    def __init__(self, streams, label):
        self.streams, self.label, self.number = streams, label, None

    def new(self, label: str) -> int:
        if label != self.label:
            return self.streams.new(label)
        self.number = self.number or self.streams.new(label)
        return self.number


@dataclass(frozen=True, eq=False)
class EventProjectionPlan:
    """A projection with its synapses in the order (source, delay, target).

    Attributes:
        projection: which.
        source, target: of each synapse, numbered from the first of the projection's sources and targets on.
        start: where the synapses of each source begin.
        values: weight, delay and the parameters of rule and release, each a number or one value per synapse.
        stream: of its random numbers.
        port: number of its receptor.
    """

    projection: Projection
    source: np.ndarray
    target: np.ndarray
    start: np.ndarray
    values: dict
    stream: int
    port: int

    @property
    def n_synapses(self) -> int:
        """How many synapses there are."""
        return self.target.size

    @property
    def shared(self) -> dict:
        """The quantities that are one number for all synapses, by name."""
        return {name: value for name, value in self.values.items() if np.ndim(value) == 0 and name != "delay"}

    @property
    def stored(self) -> tuple:
        """Names of the quantities that have one value per synapse."""
        return tuple(name for name, value in self.values.items() if np.ndim(value) and name != "delay")

    @property
    def variables(self) -> list[str]:
        """Names of what may be recorded of the synapses."""
        return ["weight", *(name for part in parts_of_synapse(self.projection) for name in part.state)]

    def checksums(self) -> dict[str, str]:
        """Return what identifies the synapses, and with them each of their quantities, by name."""
        digest = hashlib.sha256(self.start.tobytes() + self.target.tobytes())
        found = {"synapses": digest.hexdigest()}
        return found | {name: hashlib.sha256(np.asarray(value, np.float64).tobytes()).hexdigest()
                        for name, value in self.values.items()}


EventPlan = Plan[EventProjectionPlan]


class EventPlanner:
    """Makes a `Plan` for the event mode; streams of random numbers are those of the clocked mode.

    Args:
        net: the network.
        seed: of everything that is drawn.
    """

    def __init__(self, net: Network, seed: int):
        self.net, self.seed = net, seed
        self.streams = Streams()
        self.drawer = Drawer(seed, self.streams, np.float64)
        self.ports = Ports(net)

    def plan(self) -> EventPlan:
        """Return the plan."""
        if self.net.couplings:
            _refuse(f"gap junctions {self.net.couplings[0].name!r} cannot be used")
        check_memory(sum(map(_bytes_of, self.net.projections)))
        populations = {p: self.population(p) for p in self.net.populations}
        projections = {p: self.projection(p) for p in self.net.projections}
        drives = {d: self.drive(d) for d in self.net.drives}
        return Plan(self.net, 1.0, self.seed, np.float64, 1, False, populations, projections, drives, ports=self.ports)

    def population(self, population: Population) -> PopulationPlan:
        """Return the plan of a population."""
        name, size = population.name, population.size
        stream = self.streams.new(f"{name}/noise")
        parameters = self.drawer.parameters(population.model, size, name)
        bounds = np.array([0, size])
        if not hasattr(population.model, "state"):
            return formed(PopulationPlan(population, bounds, parameters, (), {}, stream))
        ports = tuple((port, self.drawer.parameters(port, size, f"{name}/port {k}"))
                      for k, port in enumerate(self.ports.receptors[population]))
        initial = self.drawer.initial(population, parameters)
        return formed(PopulationPlan(population, bounds, parameters, ports, initial, stream))

    def projection(self, projection: Projection) -> EventProjectionPlan:
        """Return the plan of a projection."""
        _check_parts(projection)
        source, target = projection.source, projection.target
        label = f"{projection.name}: delay"
        made = build(
            projection.rule, source.size, target.size, projection.shift,
            quantities=quantities(projection) | {"delay": projection.delay}, delay=1.0, bounds=[0, target.size],
            seed=self.seed, streams=_SameLabel(self.streams, label), label=projection.name, dt=1.0, real=np.float64)
        (part,) = spread_out(made, source, target, np.array([0, target.span])).parts
        row = np.repeat(np.arange(source.span), np.diff(part.start))
        delay = part.values["delay"]
        if not (np.asarray(delay) > 0.0).all():
            raise ParameterError(f"{projection.name}: delay must be > 0 ms, got a draw of {np.min(delay):g}; give the "
                                 f"distribution low=... and bounds='clip' or 'redraw'")
        order = np.lexsort((part.target, row) if np.ndim(delay) == 0 else (part.target, delay, row))
        values = {name: value[order] if np.ndim(value) else float(value) for name, value in part.values.items()}
        check_bounds(projection, np.broadcast_to(values["weight"], part.target.size), values)
        return EventProjectionPlan(projection, row[order], part.target[order].astype(np.uint32), part.start, values,
                                   self.streams.new(f"{projection.name}/noise"), self.ports.of(projection))

    def drive(self, drive) -> DrivePlan:
        """Return the plan of a drive."""
        parameters = self.drawer.parameters(drive.drive, drive.target.size, drive.name)
        bounds = np.array([0, drive.target.size])
        port = None if drive.receptor is None else self.ports.of(drive)
        return formed_drive(DrivePlan(drive, parameters, bounds, bounds, self.streams.new(f"{drive.name}/noise"), port))


def formed(plan: PopulationPlan) -> PopulationPlan:
    """Return the plan of a population with what follows from its parameters; refuse those that the mode cannot take."""
    if isinstance(plan.population.model, Poisson):
        _check_rate(f"Poisson.rate of {plan.population.name!r}", plan.parameters.rate)
    return replace(plan, form=numbers(plan.population, plan)) if hasattr(plan.population.model, "state") else plan


def formed_drive(plan: DrivePlan) -> DrivePlan:
    """Return the plan of a drive with what follows from its parameters."""
    if isinstance(plan.drive.drive, PoissonDrive):
        if isinstance(plan.parameters.rate, Timed):
            _refuse(f"PoissonDrive.rate of {plan.drive.name!r} must be constant",
                    "a Poisson population, whose rate can be set")
        return plan
    return replace(plan, form=_steps(plan.drive, plan.parameters))


def changed(plan: EventPlan, changes) -> EventPlan:
    """Return the plan in which some parameters, or quantities of synapses, have other values; see `engine.changing`."""
    groups = {Population: {}, Projection: {}}
    drives = {}
    for (owner, name), value in changes.items():
        groups.get(type(owner), drives).setdefault(owner, {})[name] = value
    populations = {owner: formed(with_parameters(plan.populations[owner], values))
                   for owner, values in groups[Population].items()}
    projections = {owner: _with_values(plan.projections[owner], values)
                   for owner, values in groups[Projection].items()}
    driven = {owner: formed_drive(with_numbers(plan.drives[owner], values)) for owner, values in drives.items()}
    return replace(plan, populations={**plan.populations, **populations}, drives={**plan.drives, **driven},
                   projections={**plan.projections, **projections}, changes={**plan.changes, **changes})


def _with_values(plan: EventProjectionPlan, values: dict) -> EventProjectionPlan:
    new = {name: float(np.ravel(value)[0]) if np.size(value) == 1 and name in plan.shared
           else np.broadcast_to(np.asarray(value, np.float64), plan.n_synapses) for name, value in values.items()}
    return replace(plan, values={**plan.values, **new})


def _bytes_of(projection: Projection) -> int:
    """Return about how much memory the synapses of a projection take."""
    source, target = projection.source, projection.target
    stored = sum(isinstance(value, Samples) or np.ndim(value) > 0 for value in (projection.weight, projection.delay))
    return int(projection.rule.expected(source.size, target.size, projection.shift) * (24 + 16 * stored))


def _refuse(what, instead="mode='clocked'") -> NoReturn:
    raise UnsupportedError(f"{what} in the mode 'event'; use {instead}")


def _check_rate(what, rate):
    if isinstance(rate, Timed):
        _refuse(f"{what} must be constant", "sim.set(..., rate=...) between two runs")


def _steps(drive, parameters):
    """Return the times at which a current changes, from 0 on, and its values from then on, (times, 1 or neurons)."""
    if type(drive.drive) is StepCurrent:
        start, stop = parameters.start, parameters.stop
        if np.ndim(start) or np.ndim(stop):
            _refuse(f"StepCurrent.start and stop of {drive.name!r} must be the same for all neurons",
                    "one drive for each")
        on = np.atleast_1d(parameters.amplitude)
        steps = [(0.0, on * (start <= 0.0 < stop))]
        steps += [(start, on)] if 0.0 < start < stop else []
        steps += [(stop, on * 0.0)] if stop > max(0.0, start) and np.isfinite(stop) else []
        return np.array([t for t, _ in steps]), np.array([value for _, value in steps])
    if type(drive.drive) is not InjectedCurrent:
        _refuse(f"{type(drive.drive).__name__} of {drive.name!r} changes all the time and cannot be used")
    amplitude = parameters.amplitude
    if not isinstance(amplitude, Timed):
        return np.zeros(1), np.atleast_1d(np.asarray(amplitude, np.float64))[None]
    if amplitude.after == "repeat":
        _refuse(f"the TimedArray of {drive.name!r} must not repeat", "after='hold' or after='zero'")
    values = amplitude.values.reshape(len(amplitude.values), -1)
    if amplitude.after == "zero":
        values = np.concatenate([values, np.zeros((1, values.shape[1]))])
    times = amplitude.start + np.arange(len(values)) * amplitude.every
    times[0] = 0.0
    return times, values


def _check_parts(projection):
    """Refuse what a synapse cannot carry in this mode."""
    where = f"of projection {projection.name!r}"
    if projection.device is not None:
        _refuse(f"{type(projection.device).__name__} {where} cannot be used")
    if len(projection.plasticity) > 1:
        names = ", ".join(type(rule).__name__ for rule in projection.plasticity)
        _refuse(f"several plasticity rules, {names}, {where} cannot be used")
    for rule in projection.plasticity:
        name = type(rule).__name__
        for what in ("on_period", "on_modulator", "between", "on_change"):
            if getattr(rule, what) is not None:
                _refuse(f"{name} {where} has {what} and cannot be used")
        for what in ("reads", "modulators"):
            if getattr(rule, what):
                _refuse(f"{name} {where} {'reads' if what == 'reads' else 'takes'} {getattr(rule, what)[0]!r} and "
                        f"cannot be used")
        if rule.delay != "axonal":
            _refuse(f"{name} {where} must have an axonal delay")
