"""Lays a network out for the event-driven mode: the same draws and synapses as in the clocked one, delays as they
are."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neurosim.checks import Samples, Timed
from neurosim.engine.layout import Planner, _quantities, check_bounds
from neurosim.engine.synapses import build
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.event import numbers
from neurosim.network import Projection
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


@dataclass
class EventLayout:
    """A network for one seed: its populations, projections and drives with their numbers."""

    net: object
    seed: int
    populations: dict
    projections: dict
    drives: dict
    planner: object


class EventPlanner(Planner):
    """Makes an `EventLayout`; streams of random numbers are those of the clocked mode."""

    def __init__(self, net, seed):
        super().__init__(net, 1.0, seed, np.float64, 1)

    def layout(self) -> EventLayout:
        """Return the layout."""
        self.check_memory()
        populations = {p: self.population(p, 0) for p in self.net.populations}
        projections = {p: self.projection(p, None) for p in self.net.projections}
        drives = {d: self.drive(d, None) for d in self.net.drives}
        return EventLayout(self.net, self.seed, populations, projections, drives, self)

    def bytes_of(self, projection: Projection) -> int:
        """Return about how much memory the synapses of a projection take."""
        source, target = projection.source, projection.target
        stored = sum(isinstance(value, Samples) or np.ndim(value) > 0 for value in (projection.weight,
                                                                                    projection.delay))
        return int(projection.rule.expected(source.size, target.size, projection.shift) * (24 + 16 * stored))

    def population(self, population, turn):
        """Return the layout of a population."""
        if isinstance(population.model, Poisson):
            _check_rate(f"Poisson.rate of {population.name!r}", population.model.rate)
        return super().population(population, turn)

    def renew(self, plan) -> None:
        """Compute what follows from parameters that were set; refuse those that this mode cannot take."""
        if hasattr(plan, "numbers"):
            self.refresh(plan)
        elif isinstance(plan.population.model, Poisson):
            _check_rate(f"Poisson.rate of {plan.population.name!r}", plan.parameters.rate)

    def refresh(self, layout) -> None:
        """Compute the coefficients from the parameters, at first and after a parameter was set."""
        layout.numbers = numbers.numbers(layout.population, layout)

    def projection(self, projection: Projection, target_bounds):
        """Return the layout of a projection: its synapses in the order (source, delay, target)."""
        _check_parts(projection)
        source, target = projection.source, projection.target
        label = f"{projection.name}: delay"
        made = build(
            projection.rule, source.size, target.size, projection.shift,
            quantities=_quantities(projection) | {"delay": projection.delay}, delay=1.0, bounds=[0, target.size],
            seed=self.seed, streams=_SameLabel(self.streams, label), label=projection.name, dt=1.0, real=np.float64)
        (part,) = made.parts
        row = np.repeat(np.arange(source.size), np.diff(part.start))
        delay = part.values["delay"]
        if not (np.asarray(delay) > 0.0).all():
            raise ParameterError(f"{projection.name}: delay must be > 0 ms, got a draw of {np.min(delay):g}; give the "
                                 f"distribution "
                                 "low=... and bounds='clip' or 'redraw'")
        order = np.lexsort((part.target, row) if np.ndim(delay) == 0 else (part.target, delay, row))
        values = {name: value[order] if np.ndim(value) else float(value) for name, value in part.values.items()}
        check_bounds(projection, np.broadcast_to(values["weight"], part.target.size), values)
        return SimpleNamespace(
            projection=projection, source=row[order], start=part.start, values=values, n_synapses=part.target.size,
            target=part.target[order].astype(np.uint32), stream=self.streams.new(f"{projection.name}/noise"),
            port=self.net.port(projection), changed=set())

    def drive(self, drive, target_bounds):
        """Return the layout of a drive."""
        parameters = self.resolve(drive.drive, drive.target.size, drive.name)
        plan = SimpleNamespace(drive=drive, stream=self.streams.new(f"{drive.name}/noise"), parameters=parameters,
                               port=None)
        if isinstance(drive.drive, PoissonDrive):
            if isinstance(parameters.rate, Timed):
                _refuse(f"PoissonDrive.rate of {drive.name!r} must be constant",
                        "a Poisson population, whose rate can be set")
            plan.port = self.net.port(drive)
        else:
            plan.times, plan.values = _steps(drive, parameters)
        return plan


def _refuse(what, instead="mode='clocked'"):
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
