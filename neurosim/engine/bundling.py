"""Which projections from one population share a bundle, and in which order a tick delivers what there is."""

from dataclasses import replace

import numpy as np

from neurosim.engine.bundle import MOST, Bundle, may_join
from neurosim.engine.partition import REACH
from neurosim.engine.plan import ProjectionPlan
from neurosim.engine.synapses import Draft


def bundled(plans: list[ProjectionPlan], reach, packed: bool, threads: int,
            scale: float = 0.0) -> tuple[list[ProjectionPlan], dict]:
    """Put what can be bundled of the synapses from one population into bundles.

    Args:
        plans: plans of the projections from one population, in order.
        reach: where arrivals lie, as in `Plan`.
        packed: whether stored weights are rounded, and packed where 16 bits tell the targets apart.
        threads: how many parts are made at once.
        scale: what rounded weights are multiples of; by default 1/32767 of the largest.

    Returns:
        The plans, whose synapses may now lie in bundles, in the same order; and what is delivered in the place of
        each projection: bundles and projections.
    """
    done, places = {plan.projection: plan for plan in plans}, {plan.projection: [] for plan in plans}
    groups = _groups(plans)
    rounded = [plan for group in groups for plan in group if packed and "weight" in plan.wiring.stored]
    scale = scale or max((plan.connectivity.largest("weight") for plan in rounded), default=0.0) / MOST or 1.0
    for group in groups:
        leader, wanted = group[0].projection, group[0] in rounded
        for members in _within_reach(group, reach):
            if len(members) > 1 or wanted:
                made = Bundle(members, [begins(plan, reach) for plan in members], threads, scale if wanted else 0.0)
                done |= {plan.projection: plan for plan in made.plans}
                places[leader].append(made)
            else:
                done[members[0].projection] = drawn(members[0])
                places[leader].append(members[0].projection)
    delivered = {each for here in places.values() for each in here}
    for projection, plan in done.items():
        if plan.bundle is None and projection not in delivered:
            places[projection].append(projection)
    return list(done.values()), places


def _groups(plans) -> list[list[ProjectionPlan]]:
    """Return the plans that may lie together, in groups; what may be in no bundle is in no group."""
    groups = []
    for plan in plans:
        fits = (group for group in groups
                if may_join(group[0], plan) and not any(_overlap(plan, each) for each in group))
        group = next(fits, None)
        if group is None and may_join(plan, plan):
            groups.append([plan])
        elif group is not None:
            group.append(plan)
    return groups


def drawn(plan: ProjectionPlan) -> ProjectionPlan:
    """Return the plan of a projection that has arrays of its own; its synapses are drawn if that is yet to be done."""
    if not isinstance(plan.connectivity, Draft):
        return plan
    made = plan.connectivity.made()
    target, offsets = made.types
    plan = replace(plan, connectivity=made, wiring=replace(plan.wiring, target=target, offsets=offsets))
    return replace(plan, rows=rows_of(plan))


def taken_out(plan: ProjectionPlan) -> ProjectionPlan:
    """Return the plan of a projection whose synapses lie in arrays of their own."""
    plan = replace(plan, connectivity=plan.connectivity.alone(), bundle=None)
    return replace(plan, rows=rows_of(plan))


def begins(plan: ProjectionPlan, reach) -> list:
    """Return where the targets of a projection, or a drive, begin in the buffer of arrivals of each part."""
    target = plan.target
    start, places = target.start, reach[target.base, plan.port]
    inside = [max(0, int(low) + start - int(first)) for low, first in zip(plan.bounds, plan.first, strict=True)][:-1]
    return [at + (more if plan.bounds[t] < plan.bounds[t + 1] else 0)
            for t, (at, more) in enumerate(zip(places, inside, strict=True))]


def _overlap(plan, other) -> bool:
    """Return whether two projections have a target in common."""
    a, b = plan.projection.target, other.projection.target
    return a.base is b.base and plan.port == other.port and a.start < b.start + b.span and b.start < a.start + a.span


def _within_reach(group, reach) -> list:
    """Cut a group where its targets are too many for 16 bits; every part is cut at the same projections."""
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
    before, after = source.start, source.base.size - source.start - source.span
    if before == after == 0:
        return part.start, None if part.offsets is None else part.offsets.reshape(-1)
    start = np.concatenate([np.full(before, 0), part.start, np.full(after, part.start[-1])])
    if part.offsets is None:
        return start, None
    empty = np.zeros((1, n_delays + 1), dtype=part.offsets.dtype)
    table = np.concatenate([empty.repeat(before, 0), part.offsets, empty.repeat(after, 0)])
    return start, table.reshape(-1)


def numbering(rows, n_source: int, n_delays: int) -> list:
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
