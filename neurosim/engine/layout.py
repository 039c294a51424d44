"""Lays a network out: parameters to coefficients, projections to rows of synapses, who owns what.

A layout belongs to one dt, seed, float type and number of threads, and does not change while the
network runs; what changes is in an `Instance`.
"""

import math
import os
import warnings
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from neurosim.checks import Parameter, Parametrised, Samples, Timed, check_ticks, same
from neurosim.engine import loader
from neurosim.engine.bundle import REACH, Bundle, may_join
from neurosim.engine.direct import direct_ports
from neurosim.engine.inputs import GROUP
from neurosim.engine.kernel import LINE
from neurosim.engine.learn import check_rules
from neurosim.engine.propagator import Coefficients
from neurosim.engine.synapses import Connectivity, Draft, draft, estimate_bytes, set_values, to_coo
from neurosim.engine.synapses.quantities import check_finite
from neurosim.engine.wiring import Wiring, is_brief, late_reads
from neurosim.errors import NetworkError, NeurosimWarning, ParameterError, UnsupportedError
from neurosim.network import Network, Population, Projection
from neurosim.precision import warn_where_lost
from neurosim.random import Streams, philox, seed_words, uniform53

LONGEST_HOLD = 1e15  #: ticks for which a neuron may be refractory
SMALLEST_PART = 4096  #: updates of neurons, or as much work, in a tick: threads with less wait more than they do

_DRAW = '''
import numpy as np


def main(out, numbers, stream, k0, k1):
    for k in range(out.size):
        w0, w1, w2, w3 = philox(np.uint64(k), np.uint64(0), np.uint64(stream), np.uint64(0), np.uint64(k0),
                                np.uint64(k1))
        u = min(numbers[2] + (numbers[3] - numbers[2]) * uniform53(w0, w1), 1.0 - 2.0**-53)
        out[k] = min(max(quantile(u, numbers[0], numbers[1]), numbers[4]), numbers[5])
'''


def draw(distribution, size: int, stream: int, seed: int) -> np.ndarray:
    """Return one value of a distribution for each of `size` elements."""
    leaves = {"quantile": distribution.body, "philox": philox, "uniform53": uniform53}
    out = np.empty(size)
    loader.load_function("draw", _DRAW, leaves)(out, distribution.numbers(), stream, *seed_words(seed))
    return out


def parts_of(net: Network, threads: int) -> int:
    """Return into how many parts, one for each thread, a network is worth cutting."""
    work = sum(p.size for p in net.populations)
    for projection in net.projections:  # at 10 Hz and 0.1 ms, and an arrival takes as long as 10 updates, or 100
        synapses = projection.rule.expected(projection.source.size, projection.target.size, projection.shift)
        work += synapses / (10 if projection.plasticity else 100)
    return int(max(1, min(threads, work // SMALLEST_PART)))


def split(size: int, threads: int, turn: int) -> np.ndarray:
    """Return the bounds of the parts of a population, one for each thread, at multiples of GROUP.

    A population that is too small for all goes to a thread by its turn.
    """
    groups = -(-size // GROUP)
    if groups >= threads:
        return np.minimum(np.array([groups * t // threads for t in range(threads + 1)]) * GROUP, size)
    owner = turn % threads
    return np.array([0 if t <= owner else size for t in range(threads + 1)])


@dataclass
class PopulationLayout:
    """A population with its numbers: bounds of its parts, parameters, coefficients, initial values."""

    population: Population
    bounds: np.ndarray
    parameters: SimpleNamespace
    coefficients: Coefficients | None
    initial: dict
    n_ref: np.ndarray | None
    stream: int
    ports: list = field(default_factory=list)
    changed: set = field(default_factory=set)  #: names of parameters that were set since


@dataclass
class Layout:
    """A network for one dt, seed, float type and number of threads."""

    net: Network
    dt: float
    seed: int
    real: type
    threads: int
    populations: dict
    projections: dict
    drives: dict
    window: int
    longest: int
    reach: dict  #: (population, port) -> where its arrivals begin in the buffer of each thread
    size: list  #: size of the buffer of arrivals of each thread
    direct: set  #: (population, port) whose variable lies in that buffer

    def changes(self) -> dict:
        """Return what was set since the layout was made: (population or projection, name) -> value.

        Values of synapses are in canonical order, so that a layout for another number of threads can take them.
        """
        found = {(p, name): getattr(plan.parameters, name)
                 for p, plan in self.populations.items() for name in sorted(plan.changed)}
        for projection, plan in self.projections.items():
            values = to_coo(plan.connectivity.alone())[3] if plan.changed else {}
            found |= {(projection, name): values[name] for name in sorted(plan.changed)}
        return found

    def change(self, changes: dict) -> None:
        """Set what another layout of the same network returned from `changes`; instances must be made after it."""
        planner = Planner(self.net, self.dt, self.seed, self.real, self.threads)
        for (owner, name), value in changes.items():
            if owner in self.populations:
                setattr(self.populations[owner].parameters, name, value)
                self.populations[owner].changed.add(name)
            else:
                self.set_synapses(owner, name, value)
        for plan in self.populations.values():
            if plan.changed and plan.coefficients is not None:
                planner.refresh(plan)

    def set_synapses(self, projection, name: str, values) -> None:
        """Set a quantity of a projection's synapses; what was one number becomes an array if it is given one."""
        plan = self.projections[projection]
        values = np.asarray(values, dtype=self.real)
        values = values.reshape(-1)[0] if values.size == 1 and name in plan.wiring.shared else values
        bundled, members = plan.bundle, [] if plan.bundle is None else plan.bundle.plans
        if bundled is not None:
            bundled.dissolve()
        set_values(plan.connectivity, name, values)
        plan.wiring = _wiring(projection, plan.connectivity, self.real, self.dt)
        plan.changed.add(name)
        if bundled is not None:
            for each in members:
                each.rows = rows_of(each)
            bundle(members, self.reach, bundled.packed, self.threads)


class Planner:
    """Makes a `Layout`; it hands out the random streams in the order of the description."""

    def __init__(self, net: Network, dt: float, seed: int, real: type, threads: int, packed: bool = False):
        self.net, self.dt, self.seed, self.real, self.threads, self.packed = net, dt, seed, real, threads, packed
        self.streams = Streams()
        self.direct = direct_ports(net)

    def layout(self) -> Layout:
        """Return the layout."""
        self.check_memory()
        populations = {p: self.population(p, turn) for turn, p in enumerate(self.net.populations)}
        reach, size = self.arrivals(populations)
        projections = self.projections(populations, reach)
        drives = {d: self.drive(d, populations[d.target.base].bounds) for d in self.net.drives}
        delays = [p.connectivity.delays for p in projections.values() if p.connectivity.delays.size]
        window = min((int(d.min()) for d in delays), default=1 << 30)
        if any(p.modulators for p in projections):
            window = 1  # a signal acts one tick later
        behind = [2 * p.connectivity.delays.max() for p in projections.values()
                  if p.wiring.dendritic and p.connectivity.delays.size]
        longest = int(max([1, *(d.max() for d in delays), *behind]))
        return Layout(self.net, self.dt, self.seed, self.real, self.threads, populations, projections, drives, window,
                      longest, reach, size, self.direct)

    def arrivals(self, populations) -> tuple[dict, list]:
        """Return where the arrivals of each population and port lie in the buffer of each thread, and its size.

        All that arrives on one thread is in one buffer, so that one index tells any of its targets.
        """
        reach, size = {}, [0] * self.threads
        for population, plan in populations.items():
            for port in range(len(plan.ports)):
                reach[population, port] = list(size)
                size = [at + -(-int(n) // LINE) * LINE for at, n in zip(size, np.diff(plan.bounds), strict=True)]
        return reach, size

    def projections(self, populations, reach) -> dict:
        """Return the layouts of all projections; those from one population are built and bundled together.

        Their random streams are those of the order of the description.
        """
        streams = {p: self.streams.several(p.name, 3 + len(_quantities(p)) + (p.device is not None))
                   for p in self.net.projections}
        plans = dict.fromkeys(self.net.projections)
        for source in dict.fromkeys(p.source.base for p in self.net.projections):
            group = [p for p in self.net.projections if p.source.base is source]
            for p in group:
                plans[p] = self.projection(p, populations[p.target.base].bounds, streams[p])
            bundle([plans[p] for p in group], reach, self.packed, self.threads)
        return plans

    def check_memory(self) -> None:
        """Refuse a network whose synapses do not fit into the memory of this machine."""
        if not hasattr(os, "sysconf"):
            return
        have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        need = sum(self.bytes_of(projection) for projection in self.net.projections)
        if need > have:
            raise NetworkError(f"the synapses must fit into the {have / 1e9:.3g} GB of this machine, got one that "
                               f"needs about {need / 1e9:.3g} GB; give fewer neurons, a smaller probability, or one "
                               "weight for a whole projection")

    def bytes_of(self, projection: Projection) -> int:
        """Return about how much memory the synapses of a projection take."""
        source, target = projection.source, projection.target
        bounds = np.linspace(0, target.size, self.threads + 1).astype(np.int64)
        return estimate_bytes(
            projection.rule, source.size, target.size, projection.shift,
            quantities=_quantities(projection), delay=projection.delay, bounds=bounds, dt=self.dt, real=self.real)

    def resolve(self, owner: Parametrised, size: int, label: str) -> SimpleNamespace:
        """Return the parameters of an object as numbers and arrays; distributions are drawn."""
        values = owner.values() if isinstance(owner, Parametrised) else {}
        drawn = {name: self.value(value, size, f"{label}/{name}") for name, value in values.items()}
        parameters = SimpleNamespace(**drawn)
        _check_drawn(owner, parameters, label)
        return parameters

    def value(self, value, size, label):
        """Return one parameter as a number or array."""
        if isinstance(value, Samples):
            check_finite(value, label, self.real)
            return draw(value, size, self.streams.new(label), self.seed)
        return value

    def population(self, population: Population, turn: int) -> PopulationLayout:
        """Return the layout of a population."""
        size, name = population.size, population.name
        bounds = split(size, self.threads, turn)
        stream = self.streams.new(f"{name}/noise")
        if not hasattr(population.model, "state"):
            parameters = self.resolve(population.model, size, name)
            return PopulationLayout(population, bounds, parameters, None, {}, None, stream)
        parameters = self.resolve(population.model, size, name)
        ports = [(port, self.resolve(port, size, f"{name}/port {k}"))
                 for k, port in enumerate(self.net.ports(population))]
        initial = self.initial(population, parameters)
        layout = PopulationLayout(population, bounds, parameters, None, initial, None, stream)
        layout.ports = ports
        self.refresh(layout)
        return layout

    def initial(self, population, parameters) -> dict:
        """Return the initial values of the state variables."""
        values = {}
        for name, state in population.model.state.items():
            default = state.initial(parameters) if callable(state.initial) else state.initial
            given = population.initial.get(name, default)
            value = values[name] = self.value(given, population.size, f"{population.name}/initial {name}")
            if name == "v":  # states that start at a function of the parameters see the v that was chosen
                parameters.v = value
        return values

    def refresh(self, layout: PopulationLayout) -> None:
        """Compute the coefficients from the parameters, at first and after a parameter was set."""
        model, p = layout.population.model, layout.parameters
        injected = any(d.receptor is None and d.target.base is layout.population for d in self.net.drives)
        direct = {number for population, number in self.direct if population is layout.population}
        layout.coefficients = Coefficients(model, p, layout.ports, injected, self.dt, self.real, direct)
        layout.n_ref = _ticks_held(layout.population, getattr(p, "t_ref", None), self.dt)
        warn_where_lost(layout.population, p, layout.ports, self.dt, self.real)

    def projection(self, projection: Projection, target_bounds, streams):
        """Return the layout of a projection: its synapses by thread, and the kind of its kernels."""
        source, target = projection.source, projection.target
        bounds = np.clip(target_bounds - target.start, 0, target.size)
        connectivity = draft(
            projection.rule, source.size, target.size, projection.shift,
            quantities=_quantities(projection), delay=projection.delay, bounds=bounds, seed=self.seed,
            streams=streams, label=projection.name, dt=self.dt, real=self.real,
            sort=projection.device is not None, threads=self.threads)
        if projection.release is not None or projection.plasticity or projection.device is not None or (
                projection.rule.by == "target"):
            connectivity = connectivity.made()  # others may be drawn into a bundle
        if projection.plasticity or projection.device is not None:
            _spread(connectivity, "weight", self.real)
        wiring = _wiring(projection, connectivity, self.real, self.dt)
        plan = SimpleNamespace(
            projection=projection, connectivity=connectivity, bounds=bounds, first=target_bounds, wiring=wiring,
            port=self.net.port(projection), stream=streams.new(f"{projection.name}/noise"),
            changed=set(), aged=0.0, rows=None, base=None, bundle=None, leader=None, deliveries=[])
        if isinstance(connectivity, Connectivity):
            plan.rows = rows_of(plan)
        for part in connectivity.parts if wiring.rules else []:
            check_bounds(projection, part.values["weight"], part.values)
        if projection.device is not None:
            _program(plan, self.seed, streams.new(f"{projection.name}/programming"))
            plan.base = _numbering(plan.rows, source.base.size, connectivity.delays.size)
        if wiring.periodic:
            plan.periods = _periods(projection, self.dt)
        return plan

    def drive(self, drive, target_bounds):
        """Return the layout of a drive."""
        target = drive.target
        parameters = self.resolve(drive.drive, target.size, drive.name)
        plan = SimpleNamespace(
            drive=drive, projection=drive, stream=self.streams.new(f"{drive.name}/noise"), parameters=parameters,
            bounds=np.clip(target_bounds - target.start, 0, target.size), first=target_bounds)
        if drive.receptor is None:
            plan.coefficients = drive.drive.coefficients(parameters, self.dt)
        else:
            plan.port = self.net.port(drive)
        return plan


def _quantities(projection) -> dict:
    """Return what each synapse has by name: its weight and the parameters of its parts."""
    quantities = {"weight": projection.weight}
    rules = projection.plasticity
    for part in (projection.release, *rules, projection.device):
        for name, value in ({} if part is None else part.values()).items():
            if not isinstance(part.parameters[name], Parameter) or value is None:
                continue
            if any(part is rule for rule in rules) and name in quantities and same(quantities[name], value):
                continue  # several rules may have a parameter in common
            if name in quantities:
                raise UnsupportedError(f"projection {projection.name!r}: its release, plasticity and device must have "
                                       f"parameters of different names, got {name!r} twice")
            quantities[name] = value
    _check_names(projection, list(quantities))
    return quantities


def _check_names(projection, taken):
    """Refuse parts whose variables and traces have the names of others."""
    rules = projection.plasticity
    parts = [part for part in (projection.release, *rules, projection.device) if part is not None]
    names = [name for part in parts for name in part.state]
    for kind in ("source_traces", "target_traces"):
        found = {}
        for name, trace in ((name, trace) for rule in rules for name, trace in getattr(rule, kind).items()):
            if found.setdefault(name, trace) != trace:
                names.append(name)
        names += found
    names += {name: None for rule in rules for name in (*rule.reads, *rule.modulators)}
    for name in names:
        if name in taken:
            raise UnsupportedError(f"projection {projection.name!r}: its parameters, variables and traces must have "
                                   f"different names, got {name!r} twice")
        taken.append(name)


def _wiring(projection, connectivity, real, dt) -> Wiring:
    """Return what decides the kernels of a projection."""
    stored, shared = connectivity.stored, connectivity.shared
    _check_rule(projection, stored)
    rules, model = projection.plasticity, projection.target.model
    read = dict.fromkeys(name for rule in rules for name in rule.reads)
    reads = tuple((name, np.float64 if model.state[name].slow else real) for name in read)
    spiking = tuple(name for name, (_, variable) in projection.modulators.items() if variable == "spikes")
    target, offsets = connectivity.types
    wiring = Wiring(target, offsets, tuple(shared), stored, projection.release, rules, projection.device, reads,
                    spiking, real)
    brief = tuple(tau for tau in wiring.time_constants if is_brief(float(shared[tau]), dt, real))
    wiring = replace(wiring, brief=brief)
    if rules:
        check_rules(wiring)
    if wiring.dendritic and late_reads(wiring):
        raise UnsupportedError(f"projection {projection.name!r}: a rule with delay='dendritic' cannot take "
                               f"{late_reads(wiring)[0][0]!r} of its target in on_target; use delay='axonal'")
    return wiring


def _check_rule(projection, stored):
    """Refuse a plasticity rule that this projection cannot carry."""
    model = projection.target.model
    for rule in projection.plasticity:
        owner = type(rule).__name__
        for trace in [*rule.source_traces.values(), *rule.target_traces.values()]:
            if trace.tau in stored:
                raise UnsupportedError(f"{owner}.{trace.tau} must be one number: it is the time constant of a trace "
                                       "that all synapses share")
        unknown = [name for name in rule.reads if name not in model.state]
        if unknown:
            raise UnsupportedError(f"{owner} reads {unknown[0]!r} of its target, but {type(model).__name__} has "
                                   f"{', '.join(model.state)}")


def check_bounds(projection, weights, values: dict) -> None:
    """Refuse weights outside the bounds of the rules of a projection.

    Args:
        projection: whose weights they are.
        weights: one per synapse.
        values: the synapses' quantities by name, each a number or one per synapse.
    """
    for rule, low, high in _bounds(projection, weights, values):
        bad = np.flatnonzero((weights < low) | (weights > high))
        if bad.size:
            k = bad[0]
            raise ParameterError(f"weights of {projection.name!r} must be within {low[k]:g} .. {high[k]:g}, the bounds "
                                 f"of its {type(rule).__name__}, got {weights[k]:g}")


def within_bounds(projection, weights, values: dict) -> np.ndarray:
    """Return weights that a device holds, moved to the bounds of receptor and rules, as these do it under way.

    Errors of programming and ageing are no one's wish, so they are not refused; what is not finite stays as it is.
    """
    if not projection.receptor.signed:
        weights = np.where(weights < 0.0, 0.0, weights)
    for _, low, high in _bounds(projection, weights, values):
        weights = np.where(np.isfinite(weights), np.clip(weights, low, high), weights)
    return weights


def _bounds(projection, weights, values):
    """Return (rule, lowest, highest weight of each synapse) for the rules that have bounds."""
    found = []
    for rule in projection.plasticity:
        bounds = rule.weight_bounds(SimpleNamespace(**values)) if weights.size else None
        if bounds is not None:
            projection.receptor.check_weights(f"lower bound of {type(rule).__name__} of {projection.name!r}", bounds[0])
            found.append((rule, *(np.broadcast_to(np.asarray(bound, dtype=weights.dtype), weights.shape)
                                  for bound in bounds)))
    return found


def _periods(projection, dt) -> dict:
    """Return the ticks between two passes over all synapses, "period", and those of each rule that asks for them."""
    each = {f"period_{number}": check_ticks(f"{type(rule).__name__}.period", rule.period, dt, at_least=1)
            for number, rule in enumerate(projection.plasticity) if rule.on_period is not None}
    return {"period": math.gcd(*each.values()), **each}


def bundle(plans: list, reach: dict, packed: bool, threads: int) -> None:
    """Put what can be bundled of the synapses from one population into bundles.

    Args:
        plans: layouts of projections from one population, in order.
        reach: where arrivals lie, as in `Layout`.
        packed: whether stored weights are packed.
        threads: how many parts there are, and are made at once.
    """
    groups = []
    for plan in plans:
        fits = (group for group in groups
                if may_join(group[0], plan) and not any(_overlap(plan, each) for each in group))
        group = next(fits, None)
        if group is None and may_join(plan, plan):
            groups.append([plan])
        elif group is not None:
            group.append(plan)
    for group in groups:
        group[0].deliveries = []
        for members in _within_reach(group, reach):
            made, wanted = members[0], packed and "weight" in members[0].wiring.stored
            if len(members) > 1 or wanted:
                made = Bundle(members, [begins(plan, reach) for plan in members], wanted, threads)
            else:
                _draw(made)
            group[0].deliveries.append(made)
        for plan in group:
            plan.leader = group[0]


def _draw(plan) -> None:
    """Draw the synapses of a projection that has arrays of its own, if that is yet to be done."""
    if isinstance(plan.connectivity, Draft):
        plan.connectivity = plan.connectivity.made()
        target, offsets = plan.connectivity.types
        plan.wiring, plan.rows = replace(plan.wiring, target=target, offsets=offsets), rows_of(plan)


def begins(plan, reach) -> list:
    """Return where the targets of a projection begin in the buffer of arrivals of each thread."""
    start, places = plan.projection.target.start, reach[plan.projection.target.base, plan.port]
    inside = [max(0, int(low) + start - int(first)) for low, first in zip(plan.bounds, plan.first, strict=True)][:-1]
    return [at + (more if plan.bounds[t] < plan.bounds[t + 1] else 0)
            for t, (at, more) in enumerate(zip(places, inside, strict=True))]


def _overlap(plan, other) -> bool:
    """Return whether two projections have a target in common."""
    a, b = plan.projection.target, other.projection.target
    return a.base is b.base and plan.port == other.port and a.start < b.start + b.size and b.start < a.start + a.size


def _within_reach(group, reach) -> list:
    """Cut a group where its targets are too many for 16 bits; every thread is cut at the same projections."""
    def ends(plan):
        return [(at, at + int(n)) for at, n in zip(reach[plan.projection.target.base, plan.port],
                                                   np.diff(plan.first), strict=True)]

    cut = []
    for plan in sorted(group, key=lambda plan: max(low for low, _ in ends(plan))):
        first = ends(cut[-1][0]) if cut else []
        if cut and all(high - low <= REACH for (low, _), (_, high) in zip(first, ends(plan), strict=True)):
            cut[-1].append(plan)
        else:
            cut.append([plan])
    return cut


def rows_of(plan) -> list:
    """Return the tables of rows of the parts of a projection, for the whole source population."""
    return [_widen(part, plan.projection.source, plan.connectivity.delays.size) for part in plan.connectivity.parts]


def _widen(part, source, n_delays):
    """Return the row table of a part for the whole source population, of which it may be a slice."""
    before, after = source.start, source.base.size - source.start - source.size
    if before == after == 0:
        return part.start, None if part.offsets is None else part.offsets.reshape(-1)
    start = np.concatenate([np.full(before, 0), part.start, np.full(after, part.start[-1])])
    if part.offsets is None:
        return start, None
    empty = np.zeros((1, n_delays + 1), dtype=part.offsets.dtype)
    table = np.concatenate([empty.repeat(before, 0), part.offsets, empty.repeat(after, 0)])
    return start, table.reshape(-1)


def _numbering(rows, n_source, n_delays):
    """Return, for each part, the canonical number of the first synapse of each row and delay."""
    sizes = []
    for start, offsets in rows:
        if offsets is None:
            sizes.append(np.diff(start).reshape(n_source, 1))
        else:
            sizes.append(np.diff(offsets.reshape(n_source, n_delays + 1).astype(np.int64), axis=1))
    inside = np.cumsum([np.zeros_like(sizes[0]), *sizes], axis=0)
    begin = np.concatenate([[0], np.cumsum(inside[-1].ravel())[:-1]]).reshape(inside[-1].shape)
    return [np.ascontiguousarray(begin + inside[k]).ravel() for k in range(len(rows))]


def _program(layout, seed, stream):
    """Let a device hold the weights, in canonical order, so that threads do not matter."""
    connectivity = layout.connectivity
    weights = to_coo(connectivity)[3]["weight"]
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)))
    device = layout.projection.device
    programmed = np.asarray(device.program(weights.astype(np.float64), generator), dtype=np.float64)
    if programmed.shape != weights.shape or not (device.may_be_infinite or np.isfinite(programmed).all()):
        raise ParameterError(f"{type(device).__name__}.program must return one finite weight per synapse")
    set_values(connectivity, "weight", programmed)
    for part in connectivity.parts:
        part.values["weight"] = within_bounds(layout.projection, part.values["weight"], part.values)


def _spread(connectivity, name, real):
    """Give every synapse its own value of a quantity that was one number."""
    for part in connectivity.parts:
        if not isinstance(part.values[name], np.ndarray):
            part.values[name] = np.full(part.target.size, part.values[name], dtype=real)


def _check_drawn(model, parameters, name):
    """Refuse a distribution whose draws leave the bounds of a parameter."""
    for key, value in vars(parameters).items():
        parameter = model.parameters[key]
        if isinstance(value, np.ndarray) and not parameter.holds(value):
            bad = [x for x in value if not parameter.holds(np.array([x]))][0]
            raise ParameterError(f"{type(model).__name__}.{key} must be {parameter.requirement()}, but in "
                                 f"{name!r} its distribution gave {bad:g}; give it low=... or high=...")


def _ticks_held(population, t_ref, dt):
    if t_ref is None:
        return None
    ticks = np.rint(np.asarray(t_ref) / dt)
    drawn = isinstance(population.model.values()["t_ref"], Samples)
    if not drawn and np.abs(ticks * dt - t_ref).max() > 1e-6 * dt:
        worst = np.abs(ticks * dt - t_ref).max()
        warnings.warn(f"t_ref of {population.name!r} is rounded to ticks of {dt:g} ms, by up to {worst:.3g} ms",
                      NeurosimWarning, stacklevel=2)
    if np.max(ticks, initial=0.0) > LONGEST_HOLD:
        raise ParameterError(f"t_ref of {population.name!r} must be <= {LONGEST_HOLD * dt:g} ms, {LONGEST_HOLD:g} "
                             f"ticks, got {np.max(t_ref):g}")
    return np.broadcast_to(ticks.astype(np.int64), population.size).copy()


class Table(NamedTuple):
    """A parameter as it follows time.

    Attributes:
        values: shape (rows, columns), a column for each element or one for all.
        every: ticks that a row holds.
        after: what follows the last one.
        since: ticks after which the first one ends `every` later.
        timed: whether it changes at all.
    """

    values: np.ndarray
    every: int = 1
    after: str = "hold"
    since: int = 0
    timed: bool = False


def timed_table(value, dt: float, label: str) -> Table:
    """Return the table of a parameter; a number or an array of one value per element is a table of one row."""
    if not isinstance(value, Timed):
        return Table(np.atleast_1d(np.asarray(value, dtype=np.float64)).reshape(1, -1))
    every, since = (min(check_ticks(f"{label}: TimedArray.{name}", getattr(value, name), dt, at_least=least), 1 << 60)
                    for name, least in (("every", 1), ("start", 0)))
    return Table(value.values.reshape(len(value.values), -1), every, value.after, since, True)
