"""Lays a network out: parameters to coefficients, projections to rows of synapses, who owns what."""

from dataclasses import replace
from typing import Any

import numpy as np

from neurosim.checks import Samples
from neurosim.engine import gaps
from neurosim.engine.ahead import may_send_ahead
from neurosim.engine.bundling import bundled, numbering, rows_of
from neurosim.engine.direct import direct_ports
from neurosim.engine.drawn import Drawer, program, spread
from neurosim.engine.kernel import LINE
from neurosim.engine.memory import bytes_of, check_memory
from neurosim.engine.partition import split
from neurosim.engine.plan import ClockedPlan, DrivePlan, Plan, PopulationPlan, ProjectionPlan, revised
from neurosim.engine.propagator import Coefficients
from neurosim.engine.quantities import check_bounds, periods, quantities, wiring_of
from neurosim.engine.spans import bounds_within, spread_out
from neurosim.engine.synapses import Connectivity, Draft, draft
from neurosim.errors import ParameterError, warn
from neurosim.network import Network, Population, Ports, Projection
from neurosim.precision import warn_where_lost
from neurosim.random import Streams

LONGEST_HOLD = 1e15  #: ticks for which a neuron may be refractory


class Planner:
    """Makes a `Plan`; it hands out the random streams in the order of the description.

    Args:
        net: the network.
        dt: ms.
        seed: of everything that is drawn.
        real: float type.
        parts: how many parts.
        packed: whether stored weights are packed where they can be.
        threads: how many threads work on the parts at most; by default one on each.
    """

    def __init__(self, net: Network, dt: float, seed: int, real: type, parts: int, packed: bool = False,
                 threads: int | None = None):
        self.net, self.dt, self.seed, self.real, self.parts, self.packed = net, dt, seed, real, parts, packed
        self.threads = parts if threads is None else min(threads, parts)
        self.streams = Streams()
        self.drawer = Drawer(seed, self.streams, real)
        self.ports = Ports(net)
        self.injected = {d.target.base for d in net.drives if d.receptor is None}
        self.direct = direct_ports(net, self.ports)
        self.joined = {side.base for junctions in net.couplings for side in (junctions.one, junctions.other)}

    def plan(self) -> ClockedPlan:
        """Return the plan."""
        check_memory(sum(bytes_of(p, self.parts, self.dt, self.real, self.packed) for p in self.net.projections))
        populations = {p: self.population(p, turn) for turn, p in enumerate(self.net.populations)}
        reach, size = self.arrivals(populations)
        projections, deliveries = self.projections(populations, reach)
        drives = {d: self.drive(d, populations[d.target.base].bounds) for d in self.net.drives}
        couplings = tuple(gaps.lay(junctions, self.seed, self.streams, self.dt) for junctions in self.net.couplings)
        delays = [p.connectivity.delays for p in projections.values() if p.connectivity.delays.size]
        window = min((int(d.min()) for d in delays), default=1 << 30)
        if any(p.modulators for p in projections):
            window = 1  # a signal acts one tick later
        behind = [2 * p.connectivity.delays.max() for p in projections.values()
                  if p.wiring.dendritic and p.connectivity.delays.size]
        longest = int(max([1, *(d.max() for d in delays), *behind]))
        return Plan(self.net, self.dt, self.seed, self.real, self.parts, self.packed, populations, projections, drives,
                    deliveries, window, longest, reach, tuple(size), frozenset(self.direct), couplings,
                    frozenset(self.injected), ports=self.ports, threads=self.threads)

    def arrivals(self, populations) -> tuple[dict, list]:
        """Return where the arrivals of each population and port lie in the buffer of each part, and its size.

        All that arrives on one part is in one buffer, so that one index tells any of its targets.
        """
        reach, size = {}, [0] * self.parts
        for population, plan in populations.items():
            for port in range(len(plan.ports)):
                reach[population, port] = list(size)
                size = [at + -(-int(n) // LINE) * LINE for at, n in zip(size, np.diff(plan.bounds), strict=True)]
        return reach, size

    def projections(self, populations, reach) -> tuple[dict, tuple]:
        """Return the plans of all projections, and what is delivered in which order.

        Those from one population are built and bundled together. Their random streams are those of the order of the
        description.
        """
        streams = {p: self.streams.several(p.name, 3 + len(quantities(p)) + (p.device is not None))
                   for p in self.net.projections}
        groups = {}
        for p in self.net.projections:
            groups.setdefault(p.source.base, []).append(p)
        plans, places = dict.fromkeys(self.net.projections), {}
        for group in groups.values():
            each = [self.projection(p, populations[p.target.base].bounds, streams[p]) for p in group]
            made, here = bundled(each, reach, self.packed, self.threads)
            plans |= {plan.projection: plan for plan in made}
            places |= here
        return plans, tuple(delivery for p in self.net.projections for delivery in places[p])

    def population(self, population: Population, turn: int) -> PopulationPlan:
        """Return the plan of a population."""
        size, name = population.size, population.name
        bounds = split(size, self.parts, turn, population in self.joined)
        stream = self.streams.new(f"{name}/noise")
        parameters = self.drawer.parameters(population.model, size, name)
        if not hasattr(population.model, "state"):
            return PopulationPlan(population, bounds, parameters, (), {}, stream)
        ports = tuple((port, self.drawer.parameters(port, size, f"{name}/port {k}"))
                      for k, port in enumerate(self.ports.receptors[population]))
        initial = self.drawer.initial(population, parameters)
        return formed(PopulationPlan(population, bounds, parameters, ports, initial, stream), self)

    def projection(self, projection: Projection, target_bounds, streams) -> ProjectionPlan:
        """Return the plan of a projection: its synapses by part, and the kind of its kernels."""
        source, target = projection.source, projection.target
        bounds = np.clip(target_bounds - target.start, 0, target.span)
        rules, device = projection.plasticity, projection.device
        connectivity = draft(
            projection.rule, source.size, target.size, projection.shift,
            quantities=quantities(projection), delay=projection.delay,
            bounds=bounds_within(target, target_bounds), seed=self.seed,
            streams=streams, label=projection.name, dt=self.dt, real=self.real,
            sort=device is not None, threads=self.threads)
        if projection.release is not None or rules or device is not None:
            connectivity = connectivity.made()  # others may be drawn into a bundle
        if source.scattered is not None or target.scattered is not None:
            made = connectivity.made() if isinstance(connectivity, Draft) else connectivity
            connectivity = spread_out(made, source, target, bounds)
        if rules or device is not None:
            spread(connectivity, "weight", self.real)
        wiring = wiring_of(projection, connectivity, self.real, self.dt)
        packs = self.packed and "weight" in wiring.stored
        wiring = replace(wiring, ahead=not packs and may_send_ahead(
            wiring, connectivity, source.span, target.span,
            projection.rule.expected(source.size, target.size, projection.shift)))
        plan = ProjectionPlan(projection, connectivity, bounds, target_bounds, wiring,
                              self.ports.of(projection),
                              streams.new(f"{projection.name}/noise"),
                              periods=periods(projection, connectivity.shared, self.dt))
        if not isinstance(connectivity, Connectivity):
            return plan
        plan = replace(plan, rows=rows_of(plan))
        for part in connectivity.parts if rules else []:
            check_bounds(projection, part.values["weight"], part.values)
        if device is not None and plan.rows is not None:
            program(projection, connectivity, self.seed, streams.new(f"{projection.name}/programming"))
            plan = replace(plan, base=numbering(plan.rows, source.base.size, connectivity.delays.size))
        return plan

    def drive(self, drive, target_bounds) -> DrivePlan:
        """Return the plan of a drive."""
        target = drive.target
        parameters = self.drawer.parameters(drive.drive, target.size, drive.name)
        plan = DrivePlan(drive, parameters, bounds_within(target, target_bounds), target_bounds,
                         self.streams.new(f"{drive.name}/noise"))
        return formed_drive(plan, self)


def formed(plan: PopulationPlan, laid: "Planner | Plan[Any]", before: PopulationPlan | None = None) -> PopulationPlan:
    """Return the plan of a population with what follows from its parameters, at first and after one was set.

    Args:
        plan: that of the population.
        laid: what it is a part of: dt, float type, direct ports, who has an injected current.
        before: the plan that it had before one was set; what did not change follows from it.
    """
    population, p = plan.population, plan.parameters
    if not hasattr(population.model, "state"):
        return plan
    direct = {number for number in range(len(plan.ports)) if (population, number) in laid.direct}
    form = Coefficients(population.model, p, plan.ports, population in laid.injected, laid.dt, laid.real, direct,
                        None if before is None else before.form)
    owners = [(population.model, p), *plan.ports]
    known = [] if before is None else [before.parameters, *(q for _, q in before.ports)]
    warn_where_lost(population.name, [(owner, q) for owner, q in owners if not any(q is each for each in known)],
                    laid.dt, laid.real)
    t_ref = getattr(p, "t_ref", None)
    if before is not None and t_ref is getattr(before.parameters, "t_ref", None):
        return revised(plan, form=form, n_ref=before.n_ref)
    return revised(plan, form=form, n_ref=_ticks_held(population, t_ref, laid.dt))


def formed_drive(plan: DrivePlan, laid: "Planner | Plan[Any]") -> DrivePlan:
    """Return the plan of a drive with what follows from its parameters."""
    drive = plan.drive
    if drive.receptor is not None:
        return replace(plan, port=laid.ports.of(drive))
    current: Any = drive.drive
    rounded = current.rounding(plan.parameters, laid.dt)
    if rounded:
        warn(f"{type(drive.drive).__name__} {drive.name!r} {rounded}")
    return revised(plan, form=current.coefficients(plan.parameters, laid.dt))


def _ticks_held(population, t_ref, dt):
    if t_ref is None:
        return None
    ticks = np.rint(np.asarray(t_ref) / dt)
    drawn = isinstance(population.model.values()["t_ref"], Samples)
    if not drawn and np.abs(ticks * dt - t_ref).max() > 1e-6 * dt:
        worst = np.abs(ticks * dt - t_ref).max()
        warn(f"t_ref of {population.name!r} is rounded to ticks of {dt:g} ms, by up to {worst:.3g} ms")
    if np.max(ticks, initial=0.0) > LONGEST_HOLD:
        raise ParameterError(f"t_ref of {population.name!r} must be <= {LONGEST_HOLD * dt:g} ms, {LONGEST_HOLD:g} "
                             f"ticks, got {np.max(t_ref):g}")
    return np.broadcast_to(ticks.astype(np.int64), population.size).copy()
