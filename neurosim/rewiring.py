"""A run goes on with other synapses: for rules that change who is connected, or how late."""

from dataclasses import replace

import numpy as np

from neurosim.checks import check_numbers, describe_value
from neurosim.connectivity import Explicit
from neurosim.engine.changing import BORN
from neurosim.engine.quantities import within_bounds
from neurosim.engine.wiring import NEVER
from neurosim.errors import ParameterError, SimulationError, UnsupportedError
from neurosim.network import Projection
from neurosim.running import Run

UNDER_WAY = ("refuse", "accept")


def rewired(run: Run, projection: Projection, source, target, *, weight, delay, continues=None,
            under_way: str = "refuse") -> Run:
    """Return a run that goes on from where another one is, with other synapses; see `Simulation.rewire`."""
    if run.settings.mode != "clocked":
        raise UnsupportedError(f"rewire needs mode='clocked', got mode={run.settings.mode!r}")
    if under_way not in UNDER_WAY:
        raise ParameterError(f"under_way must be 'refuse' or 'accept', got {describe_value(under_way)}")
    dt = run.engine.plan.dt
    old_source, _, old_delay, values = run.engine.synapses(projection)
    old_weight = np.append(np.broadcast_to(values["weight"], old_source.size), [run.engine.plan.real(0)])  # of none
    weight, delay = (check_numbers(f"rewire.{name}", value) for name, value in (("weight", weight), ("delay", delay)))
    ticks = np.rint(delay / dt)
    rule, n = Explicit(source, target), np.size(source)
    continues = np.full(n, -1) if continues is None else np.asarray(continues)
    if continues.shape != (n,) or continues.dtype.kind not in "iu" or (n and not (
            continues.min() >= -1 and continues.max() < old_source.size)):
        raise ParameterError(f"continues must be one whole number per synapse, -1 or < {old_source.size}, "
                             f"got {describe_value(continues)}")
    for name, value in (("weight", weight), ("delay", ticks)):
        if np.shape(value) not in ((), (n,)) or not np.isfinite(value).all():
            raise ParameterError(f"rewire.{name} must be a finite number or {n} of them, one for each synapse, got "
                                 f"{describe_value(value)}")
    weight, delay = (np.broadcast_to(value, n).copy() for value in (weight, ticks * dt))
    if under_way == "refuse":
        _check_under_way(run, projection, rule.sources, continues, old_delay, delay)
    kept = (continues >= 0) & (weight.astype(old_weight.dtype) == old_weight[continues])
    described = weight
    if projection.device is not None:  # which may have carried a weight beyond the bounds of a rule
        held = np.append(within_bounds(projection, old_weight[:-1], values), 0.0)
        described = np.where(kept, held[continues], weight)
    new = replace(projection, rule=rule, weight=described, delay=delay)
    net = run.net.copy()
    net.projections[net.projections.index(projection)] = new
    net.recorders = [replace(r, what=new) if r.what is projection else r for r in net.recorders]
    after = Run(net, run.settings)
    order = np.lexsort((rule.targets, delay, rule.sources))  # of the synapses in the new layout
    was = continues[order]
    carried = _carried(run, after, projection, new, was)
    changes = {**carried.changes, **_born(run, after, projection, new, was)}
    laid = after.engine.synapses(new)[3]["weight"]
    after.restore(replace(carried, changes=changes))
    if "weight" in after.engine.changing(new):
        _put_weights(after, new, np.where(kept[order], old_weight[was], laid))
    return after


def _check_under_way(run, projection, sources, continues, old_delay, delay):
    """Raise SimulationError if a spike of the last ticks would reach a synapse twice, or never."""
    engine, dt = run.engine, run.settings.dt
    kept, longest = continues >= 0, engine.plan.longest
    delays = np.rint(np.stack([old_delay[continues[kept]], delay[kept]]) / dt)
    ticks, ids = engine.slots_between(projection.source.base, engine.now - longest, engine.now)
    due = np.sort(ids.astype(np.int64) * (longest + 1) + engine.now - ticks)  # by source, then by age
    whose = projection.source.ids[sources[kept]] * (longest + 1)
    # A spike has arrived where its age is not below the delay: before and after, the same ones must have.
    arrived = [np.searchsorted(due, whose + np.minimum(each, longest)) for each in delays]
    if (arrived[0] != arrived[1]).any():
        raise SimulationError(
            f"projection {projection.name!r}: its delays must change while no arrival is affected, but one would come "
            "twice or never; let the sources be silent for the longest delay, or pass under_way='accept'")


def _put_weights(run, projection, weights):
    """Let weights that change be these, where they are not already what has become of the old ones."""
    if not np.array_equal(run.engine.synapses(projection)[3]["weight"], weights):
        run.engine.put(projection, "weight", weights)


def _born(run, after, old, projection, was) -> dict:
    """Return up to which tick each synapse was not there, as a change, where that makes a difference."""
    engine, longest = run.engine, after.engine.plan.longest
    source, _, delay, _ = after.engine.synapses(projection)
    before = engine.plan.changes.get((old, BORN))
    born = np.where(was < 0, engine.now, NEVER if before is None else before[was])
    ticks, ids = engine.slots_between(projection.source.base, engine.now - longest, engine.now)
    last = np.full(projection.source.base.size, NEVER)  # of the ticks at which a source has sent a spike
    np.maximum.at(last, ids, ticks)
    last = last[projection.source.ids[source]]
    under_way = np.where(was < 0, last, born) + np.rint(delay / run.settings.dt) > engine.now
    return {("projection", projection.name, BORN): born} if under_way.any() else {}


def _carried(run, after, old, projection, was):
    """Return the state of the old run in the layout of the new one."""
    state, fresh, engine = run.state(), after.state(), after.engine
    label, arrays = f"synapses/{projection.name}/", {}
    per_synapse = {f"{label}{name}" for name in engine.changing(projection)}
    before, now = run.engine.plan.projections[old], engine.plan.projections[projection]
    delays = [plan.connectivity.delays for plan in (before, now)]
    if not np.array_equal(*delays) and not engine.kept_by_target(projection):
        raise UnsupportedError(f"projection {projection.name!r}: its rule or release keeps values for each source and "
                               "delay, so that the delays that occur must stay the same")
    for name, new in fresh.arrays.items():
        arrays[name] = (new if name in per_synapse else state.arrays[name]).copy()
        if name in per_synapse:
            arrays[name][was >= 0] = state.arrays[name][was[was >= 0]]
    changes = {key: value for key, value in state.changes.items()
               if key[:2] != ("projection", projection.name) or np.ndim(value) == 0 and key[2] != "weight"}
    return replace(fresh, time=state.time, arrays=arrays, changes=changes, given=state.given, sample=state.sample,
                   ages=state.ages)
