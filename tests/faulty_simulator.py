"""A small simulator of its own: integrate-and-fire neurons in a plain loop, with one rule wrong where it is asked to.

It shares nothing with neurosim but the numbers of `ns.resolve`, and is written the other way round: arrivals lie in a
ring that is filled when a spike is sent.
"""

import math

import numpy as np

import neurosim as ns

FAULTS = ("", "compare first", "equal", "longer", "later", "down", "tau", "arrivals", "reset", "labels")


def simulate(net, duration, dt, seed, fault="") -> ns.Spikes:
    """Return the spikes of the population "cells", given spikes coming from "source"."""
    numbers = ns.resolve(net, dt, seed)
    p, size = numbers.populations["cells"].parameters, numbers.populations["cells"].size
    ticks = round(duration / dt)
    leak = p.get("v_leak", 0.0)
    keep = math.exp(-dt / p["tau_mem"]) if "tau_mem" in p else 1.0
    if fault == "tau":
        keep = 1.0 - dt / p["tau_mem"]
    held_for = round(p["t_ref"] / dt) + (fault == "longer")
    v = np.broadcast_to(numbers.populations["cells"].initial["v"], size).astype(float).copy()
    ring, free_at, sent = np.zeros((ticks + 200, size)), np.zeros(size, int), [[], []]
    given = {}
    times, ids = numbers.populations["source"].spikes
    for time, k in zip(times, ids, strict=True):
        given.setdefault(round(time / dt), []).append(int(k))
    targets = {}
    for projection in numbers.projections.values():
        name = projection.projection.source.base.name
        weights = np.broadcast_to(projection.values["weight"], projection.source.size)
        for s, t, d, w in zip(projection.source, projection.target, projection.delay, weights,
                              strict=True):
            late = round(d / dt) + (fault == "later")
            if fault == "down":
                late = int(projection.projection.delay / dt)
            targets.setdefault((name, int(s)), []).append((int(t), late, float(w)))
    for tick in range(1, ticks + 1):
        free, arriving = free_at < tick, ring[tick]
        v = np.where(free, leak + (v - leak) * keep, v)
        if fault != "compare first":
            v = v + np.where(free | (fault == "arrivals"), arriving, 0.0)
        over = v >= p["v_threshold"] if fault == "equal" else v > p["v_threshold"]
        spiking = np.nonzero(over & free)[0]
        if fault == "compare first":
            v = v + np.where(free, arriving, 0.0)
        v[spiking] = v[spiking] - (p["v_threshold"] - leak) if fault == "reset" else p["v_reset"]
        free_at[spiking] = tick + held_for
        for name, senders in (("cells", spiking), ("source", given.get(tick, []))):
            for sender in senders:
                for target, late, weight in targets.get((name, int(sender)), []):
                    ring[tick + late, target] += weight
        sent[0] += [tick] * len(spiking)
        sent[1] += spiking.tolist()
    stamps = np.array(sent[0], int) - (fault == "labels")
    inside = stamps > 0
    return ns.Spikes(ticks=stamps[inside], ids=np.array(sent[1], int)[inside], size=size, duration=duration, dt=dt)
