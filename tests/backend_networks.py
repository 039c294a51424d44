"""Networks that neurosim, Brian2 and NEST run alike; each is small beside a study and large beside a coincidence."""

import numpy as np

import neurosim as ns
from learning_rules import InhibitorySTDP, PairSTDP, TripletSTDP

SEED, DURATION, SIZE = 2, 60.0, 1000


class AfterPairSTDP(PairSTDP):
    """Pair STDP whose arrivals transmit the weight from after their own change, as NEST's do."""

    transmits = "after"


class AfterTripletSTDP(TripletSTDP):
    """The same of triplets."""

    transmits = "after"


class AfterInhibitorySTDP(InhibitorySTDP):
    """The same of inhibition."""

    transmits = "after"


def recurrent(model, receptors, weights, drive=None, dt=0.1):
    """A network of one population that inhibits or excites itself, with Poisson sources, drives and currents."""
    net = ns.Network()
    cells = net.add(model, SIZE, name="cells", initial={"v": ns.Uniform(-70.0, -62.0)})
    noise = net.add(ns.Poisson(ns.Uniform(5.0, 40.0)), 200, name="noise")
    for half, (receptor, weight) in enumerate(zip(receptors, weights, strict=True)):
        part = cells[500 * half:500 * half + 500]
        net.connect(part, cells, ns.FixedProbability(0.05), weight=weight, delay=ns.Uniform(1.0, 3.0),
                    receptor=receptor)
        net.connect(noise, cells, ns.FixedProbability(0.1), weight=ns.Uniform(min(0, 2 * weight), max(0, 2 * weight)),
                    delay=1.0, receptor=receptor)
    net.drive(cells[100:600], ns.PoissonDrive(rate=1000.0, weight=weights[0]), receptor=receptors[0])
    if drive is not None:
        net.drive(cells, drive)
    return recorded(net, cells)


def recorded(net, cells):
    net.record(cells)
    net.record(cells, "v", every=1.0, ids=[0, cells.size - 1])
    return net


def cuba():
    """Benchmark 2 of Brette et al., J. Computational Neuroscience 23 (2007) 349, with a quarter of the neurons."""
    net = ns.Network()
    model = ns.LIF(tau_mem=20.0, v_leak=-49.0, v_reset=-60.0, v_threshold=-50.0, t_ref=5.0)
    cells = net.add(model, SIZE, name="cells", initial={"v": ns.Uniform(-60.0, -50.0)})
    for part, weight, tau in ((cells[:800], 16.2, 5.0), (cells[800:], -90.0, 9.0)):
        net.connect(part, cells, ns.FixedProbability(0.08), weight=weight, delay=ns.Uniform(0.1, 2.0),
                    receptor=ns.ExponentialCurrent(tau))
    return recorded(net, cells)


def learning(rule, size=100):
    """Given spikes through synapses that learn, onto neurons that excite each other through such."""
    net, rng = ns.Network(), np.random.default_rng(1)
    pairs = np.unique(rng.integers([1, 0], [601, size], (1200, 2)), axis=0)
    given = ns.Spikes(ticks=pairs[:, 0], ids=pairs[:, 1], size=size, dt=0.1, duration=DURATION)
    source = net.add(ns.SpikeSource(given), name="source")
    cells = net.add(ns.LIF(t_ref=2.0), size, name="cells")
    high = float(np.clip(rule.w_max, -0.5, 2.0))
    for part, name in ((source, "forward"), (cells, "back")):
        net.connect(part, cells, ns.FixedProbability(0.3), weight=ns.Uniform(min(0.0, high), max(0.0, high)),
                    delay=ns.Uniform(1.0, 3.0), plasticity=rule, name=name)
    net.drive(cells, ns.PoissonDrive(rate=2500.0, weight=1.5 if high > 0.0 else 4.0))
    return recorded(net, cells)


def scattered():
    """Parts whose members do not follow each other, at both ends of synapses, under drives and recorded."""
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=10.0, t_ref=2.0), SIZE, name="cells", initial={"v": ns.Uniform(-70.0, -62.0)})
    noise = net.add(ns.Poisson(20.0), 200, name="noise")
    some = cells[np.unique(np.random.default_rng(1).integers(0, SIZE, 300))]
    net.connect(noise[::3], some, ns.FixedProbability(0.3), weight=ns.Uniform(0.0, 2.0))
    net.connect(some, cells[::2], ns.FixedProbability(0.2), weight=0.6, delay=ns.Uniform(1.0, 3.0))
    net.drive(cells[1::2], ns.PoissonDrive(rate=2000.0, weight=np.linspace(0.5, 1.5, SIZE // 2)))
    net.drive(some, ns.InjectedCurrent(np.linspace(50.0, 250.0, some.size)))
    return recorded(net, cells)


def timed():
    return ns.TimedArray(np.random.default_rng(1).normal(50.0, 30.0, (12, SIZE)), every=5.0)


#: name: the network, dt, and whether NEST has the same scheme
NETWORKS = {
    "currents": (cuba, 0.1, True),
    "jumps": (lambda: recurrent(ns.LIF(tau_mem=ns.Uniform(10.0, 20.0), t_ref=ns.Uniform(1.0, 3.0), i_bias=60.0),
                                [ns.Delta(), ns.Delta()], [0.5, -0.5]), 0.1, True),
    "alpha currents": (lambda: recurrent(ns.LIF(t_ref=2.0, i_bias=100.0), [ns.AlphaCurrent(2.0), ns.AlphaCurrent(10.0)],
                                         [20.0, -20.0], ns.InjectedCurrent(timed())), 0.1, True),
    "a step, drawn time constants": (lambda: recurrent(
        ns.LIF(t_ref=2.0, i_bias=ns.Uniform(50.0, 100.0)),
        [ns.ExponentialCurrent(ns.Uniform(2.0, 4.0)), ns.ExponentialCurrent(9.0)], [40.0, -20.0],
        ns.StepCurrent(100.0, start=5.0, stop=40.0)), 0.1, True),
    "equal time constants": (lambda: recurrent(
        ns.LIF(t_ref=2.0, i_bias=100.0), [ns.ExponentialCurrent(10.0), ns.DoubleExponentialCurrent(1.0, 10.0)],
        [20.0, -20.0]), 0.1, False),
    "cleared currents": (lambda: recurrent(
        ns.LIF(t_ref=2.0, i_bias=100.0),
        [ns.ExponentialCurrent(3.0, refractory="cleared"),
         ns.DoubleExponentialCurrent(1.0, 4.0, refractory="cleared")], [60.0, -20.0]), 0.1, False),
    "conductances": (lambda: recurrent(
        ns.LIF(tau_mem=20.0, c_mem=200.0, v_leak=-60.0, v_threshold=-50.0, v_reset=-60.0, t_ref=5.0),
        [ns.ExponentialConductance(5.0, 0.0), ns.ExponentialConductance(10.0, -80.0)], [1.0, 3.0],
        ns.InjectedCurrent(200.0)), 0.1, False),
    "scattered parts": (scattered, 0.1, True),
    "NMDA": (lambda: recurrent(ns.LIF(t_ref=2.0), [ns.ExponentialCurrent(4.0), ns.NMDA()], [90.0, 1.0]), 0.1, False),
    "Izhikevich": (lambda: recurrent(ns.Izhikevich(), [ns.Pulse(), ns.Pulse()], [4.0, -2.0],
                                     ns.OUCurrent(mean=3.0, std=2.0, tau=5.0)), 1.0, True),
    "Izhikevich of 2007": (lambda: recurrent(
        ns.GeneralIzhikevich(), [ns.ExponentialCurrent(4.0), ns.ExponentialConductance(5.0, -80.0)], [60.0, 2.0]),
        1.0, False),
    "adaptive threshold": (lambda: recurrent(
        ns.AdaptiveLIF(reset="subtract", v_threshold=-60.0), [ns.ExponentialCurrent(4.0), ns.Delta()], [30.0, -0.8]),
        0.1, False),
}
_SAME = {"a_plus": 0.04, "a_minus": 0.03, "w_max": 2.0}
RULES = {  #: name: the rule, and whether NEST has it
    "pairs": (PairSTDP(**_SAME), False),
    "pairs, after": (AfterPairSTDP(**_SAME), False),
    "pairs, dendritic": (PairSTDP(**_SAME, delay="dendritic"), False),
    "pairs, dendritic, after": (AfterPairSTDP(**_SAME, delay="dendritic"), True),
    "powers of the weight": (AfterPairSTDP(**_SAME, delay="dendritic", mu_plus=1.0, mu_minus=0.5), True),
    "nearest pairs": (PairSTDP(**_SAME, pairs="nearest"), False),
    "triplets": (TripletSTDP(w_max=2.0), False),
    "triplets, dendritic, after": (AfterTripletSTDP(w_max=2.0, delay="dendritic"), True),
    "inhibition": (InhibitorySTDP(eta=0.02, w_max=-0.5), False),
    "inhibition, dendritic, after": (AfterInhibitorySTDP(eta=0.02, w_max=-5.0, delay="dendritic"), True),
}


def ours(net, dt, duration=DURATION):
    """Return neurosim's simulation of a network, in float64."""
    sim = ns.Simulation(net, dt=dt, seed=SEED, dtype="float64")
    sim.run(duration)
    return sim


def check_alike(sim, result, least=500):
    """Compare all that a simulation and a result have in common: spikes tick by tick, v within rounding."""
    for population in sim.net.populations:
        if population.name == "cells":
            assert sim.spikes(population) == result.spikes(population), population.name
    assert len(sim.spikes("cells")) >= least
    times, v = sim.trace("cells", "v")
    found = result.trace("cells", "v")
    np.testing.assert_allclose(found[0], times, atol=1e-9)
    np.testing.assert_allclose(found[1], v, atol=1e-8)
