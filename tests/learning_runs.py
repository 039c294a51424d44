"""What the tests of the learning rules share: one synapse between spikes at given times, and its plain reference."""

import numpy as np

import neurosim as ns


def one_synapse(rule, arrivals, targets, *, weight=0.5, dt=1.0, delay=1.0, dtype="float64", duration=None, copies=1,
                rewards=None, signal=None, level="signal"):
    """Run one synapse whose source's spikes arrive, and whose target spikes, at the given times in ms.

    The target is a membrane that the synapse itself cannot move to its threshold; spikes are forced on it. A modulator
    `reward` acts at the times of `rewards`, a modulator of the name `level` has the constant value `signal`.
    """
    arrivals, targets = np.asarray(arrivals, dtype=float), np.asarray(targets, dtype=float)
    duration = max(arrivals.max(initial=0.0), targets.max(initial=0.0)) + 2 * dt if duration is None else duration
    net = ns.Network()

    def given(times, name):
        return net.add(ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(times.size, int), size=1, dt=dt,
                                                           duration=max(duration, times.max(initial=0.0)))), name=name)

    source, force = given(arrivals - delay, "source"), given(targets - dt, "force")
    cell = net.add(ns.LIF(tau_mem=1e-2, v_leak=0.0, v_reset=0.0, v_threshold=1e8), copies, name="cell")
    net.connect(force, cell, weight=2e8, delay=dt)
    modulators = {} if rewards is None else {"reward": given(np.asarray(rewards, dtype=float) - dt, "rewards")}
    if signal is not None:
        modulators[level] = net.add(ns.LeakyIntegrator(v_leak=signal), 1, name="level"), "v"
    net.connect(source, cell, weight=weight, delay=delay, plasticity=rule, name="p", modulators=modulators)
    net.record(cell)
    sim = ns.Simulation(net, dt, dtype=dtype)
    sim.run(duration)
    assert np.array_equal(np.unique(sim.spikes(cell).times), np.unique(targets[targets <= duration]))
    return sim


def weight_after(rule, arrivals, targets, **how):
    """Return the weight of one synapse at the end."""
    return float(one_synapse(rule, arrivals, targets, **how).weights("p")[0])


def given_level(rule, name, value, arrivals, targets, weight):
    """Return the weight at the end, where a modulator has a constant value."""
    return weight_after(rule, arrivals, targets, weight=weight, signal=value, level=name)
