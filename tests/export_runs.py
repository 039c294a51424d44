"""A small network of which everything is recorded, for the tests of whole runs."""

import numpy as np

import neurosim as ns


def network():
    """Sources, two populations, heterogeneous parameters, weights and delays, parts, and traces of all kinds."""
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=60.0), 20, name="noise")
    exc = net.add(ns.LIF(tau_mem=ns.Uniform(10.0, 20.0)), 12, name="exc")
    inh = net.add(ns.LIF(), 5, name="inh/PV")
    net.connect(noise, exc, ns.FixedProbability(0.5), weight=ns.Uniform(4.0, 6.0), delay=ns.Uniform(0.5, 3.0),
                name="drive")
    net.connect(noise, inh, ns.FixedProbability(0.5), weight=ns.Uniform(4.0, 6.0), delay=ns.Uniform(0.5, 3.0))
    net.connect(exc, inh[1:], weight=40.0, delay=1.0, receptor=ns.ExponentialCurrent(5.0))
    net.connect(inh, exc[:6], ns.FixedInDegree(2), weight=-1.0, delay=ns.Integers(1, 4))
    net.record(exc)
    net.record(inh[0:2])
    net.record(inh[1:4])
    net.record(noise, ids=[3, 7])
    net.record(exc, "v", every=0.5)
    net.record(inh, "i_syn", every=1.0, ids=[4, 1])
    net.record(net.projection("drive"), "weight", every=0.5)
    return net


def run(**options):
    """Return the simulation after 100 ms."""
    sim = ns.Simulation(network(), dt=0.1, seed=3, **options)
    sim.run(100.0)
    return sim


def dense(sim, projection):
    """The weights of a projection as a matrix of whole populations, and the delay of each synapse in it."""
    found = sim.resolved().projections[projection]
    shape = [getattr(found.projection, side).base.size for side in ("source", "target")]
    weight = np.zeros(shape)
    np.add.at(weight, (found.source, found.target), np.broadcast_to(found.values["weight"], found.source.shape))
    return weight
