"""A running simulation goes on with other synapses: for rules that change who is connected, or how late."""

from dataclasses import replace

import numpy as np

from neurosim.checks import describe_value
from neurosim.connectivity import Explicit
from neurosim.errors import NetworkError, ParameterError, SimulationError, UnsupportedError
from neurosim.simulation import Simulation, SimulationState

UNDER_WAY = ("refuse", "accept")


def with_synapses(sim: Simulation, projection, source, target, *, weight, delay, continues=None,
                  under_way: str = "refuse") -> Simulation:
    """Return a simulation that goes on from where another one is, with other synapses in one projection.

    Synapses are laid out by source and delay, so that other partners or delays mean another layout. Everything else is
    as it was: neurons, spikes under way, other projections, random numbers. Recordings begin anew; those so far stay
    with the old simulation.

    Args:
        sim: the simulation; it is not changed.
        projection: one of its projections, or its name.
        source, target: who is connected, numbered within the projection's populations, shape (synapses,).
        weight, delay: of each synapse (the receptor's unit, ms), numbers or shape (synapses,).
        continues: for each synapse the number of the old one that it was, in the order of `sim.synapses`, or -1 for a
            new one: it keeps the other variables of that synapse, such as those of a learning rule. By default all
            are new.
        under_way: what happens where an arrival is already due at a synapse that goes on and its delay changes, such
            that it would come twice or never: "refuse", or "accept" that.

    Raises:
        ParameterError: an argument does not fit.
        SimulationError: an arrival would come twice or never.
        UnsupportedError: the rule keeps what belongs to delays, and other delays occur than before; or the simulation
            is not in the mode "clocked".

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> a, b = net.add(ns.Poisson(rate=50.0), 3), net.add(ns.LIF(), 2)
    >>> synapses = net.connect(a, b, weight=1.0, delay=1.0, name="a to b")
    >>> sim = ns.Simulation(net)
    >>> sim.run(10.0)
    >>> later = with_synapses(sim, "a to b", [0, 2], [1, 0], weight=[0.5, 0.7], delay=2.0)
    >>> later.time, later.synapses("a to b").weight.round(2)
    (10.0, array([0.5, 0.7], dtype=float32))
    """
    if type(sim) is not Simulation:
        raise UnsupportedError("with_synapses: sim must be a Simulation in the mode 'clocked', got "
                               f"{describe_value(sim)}")
    old = sim.net.projection(projection) if isinstance(projection, str) else projection
    if old not in sim.net.projections:
        raise NetworkError(f"projection must be one of this simulation's network, got {describe_value(projection)}")
    if under_way not in UNDER_WAY:
        raise ParameterError(f"under_way must be 'refuse' or 'accept', got {describe_value(under_way)}")
    before, ticks = sim.synapses(old), np.rint(np.asarray(delay, np.float64) / sim.dt)
    rule, n = Explicit(source, target), np.size(source)
    continues = np.full(n, -1) if continues is None else np.asarray(continues)
    if continues.shape != (n,) or continues.dtype.kind not in "iu" or (n and not (
            continues.min() >= -1 and continues.max() < before.source.size)):
        raise ParameterError(f"continues must be one whole number per synapse, -1 or < {before.source.size}, "
                             f"got {describe_value(continues)}")
    weight, delay = (np.broadcast_to(np.asarray(value, np.float64), n).copy() for value in (weight, ticks * sim.dt))
    if under_way == "refuse":
        _check_under_way(sim, old, rule.sources, continues, before, delay)
    new = replace(old, rule=rule, weight=weight, delay=delay)
    net = sim.net.copy()
    net.projections[net.projections.index(old)] = new
    net.recorders = [replace(r, what=new) if r.what is old else r for r in net.recorders]
    after = Simulation(net, sim.dt, seed=sim.seed, threads=sim.threads, dtype=sim.dtype,
                       memory_limit=sim.memory_limit)
    changes = {key: value for key, value in sim._layout.changes().items() if key[0] is not old}
    if changes:
        after._layout.change(changes)
        after._instance.wire()
    after.restore(_carried(sim, after, new, continues))
    return after


def _check_under_way(sim, projection, sources, continues, before, delay):
    """Raise SimulationError if a spike of the last ticks would reach a synapse twice, or never."""
    kept = continues >= 0
    delays = np.rint(np.stack([before.delay[continues[kept]], delay[kept]]) / sim.dt)
    longest = sim._layout.longest
    ticks, ids = sim._instance.slots_between(projection.source.base, sim.tick - longest, sim.tick)
    due = np.sort(ids.astype(np.int64) * (longest + 1) + sim.tick - ticks)  # by source, then by age
    whose = (sources[kept].astype(np.int64) + projection.source.start) * (longest + 1)
    # A spike has arrived where its age is not below the delay: before and after, the same ones must have.
    arrived = [np.searchsorted(due, whose + np.minimum(each, longest)) for each in delays]
    if (arrived[0] != arrived[1]).any():
        raise SimulationError(
            f"projection {projection.name!r}: its delays must change while no arrival is affected, but one would come "
            "twice or never; let the sources be silent for the longest delay, or pass under_way='accept'")


def _carried(sim, after, projection, continues):
    """Return the state of the old simulation in the layout of the new one."""
    old, fresh, instance = sim.state(), after.state().arrays, after._instance
    label, arrays = f"synapses/{projection.name}/", {}
    per_synapse = {f"{label}{name}" for name in instance.changing(projection)}
    before, now = (each._layout.projections[each.net.projection(projection.name)].connectivity.delays
                   for each in (sim, after))
    if not np.array_equal(before, now) and not all(map(instance._by_target, instance._kept(projection))):
        raise UnsupportedError(f"projection {projection.name!r}: its rule or release keeps values for each source and "
                               "delay, so that the delays that occur must stay the same")
    if per_synapse:  # in the order of the new layout
        was = continues[np.lexsort((projection.rule.targets, projection.delay, projection.rule.sources))]
    for name, new in fresh.items():
        arrays[name] = (new if name in per_synapse else old.arrays[name]).copy()
        if name in per_synapse and name != f"{label}weight":
            arrays[name][was >= 0] = old.arrays[name][was[was >= 0]]
    return SimulationState(old.tick, arrays)
