"""Why spikes differ: injected faults are named rightly, by their spikes alone."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from faulty_simulator import FAULTS, simulate
from shares import quick

import neurosim as ns
from learning_rules import PairSTDP
from neurosim.errors import ParameterError

DT, DURATION, SEED = 0.1, 60.0, 3
NAMED = {"compare first": "order within a tick", "equal": "> against >=", "longer": "refractory time",
         "later": "delays", "down": "delays", "tau": "tau from 1 - beta", "arrivals": "arrivals during refractoriness",
         "reset": "reset", "labels": "time stamps"}
pytestmark = pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning")


def network(fault="", **connect):
    """Given spikes onto neurons that excite and inhibit each other; whole numbers where ties are wanted."""
    whole = fault == "equal"
    net, rng = ns.Network(), np.random.default_rng(5)
    pairs = np.unique(rng.integers([1, 0], [round(DURATION / DT), 40], (900, 2)), axis=0)
    given = ns.Spikes(ticks=pairs[:, 0], ids=pairs[:, 1], size=40, dt=DT, duration=DURATION)
    source = net.add(ns.SpikeSource(given), name="source")
    model = (ns.IntegrateAndFire(v_threshold=15.0, v_reset=0.0, t_ref=1.0) if whole else
             ns.LIF(t_ref=1.5, v_leak=-70.0, v_reset=-68.0))
    cells = net.add(model, 60, name="cells")
    drawn, delay = ns.Integers if whole else ns.Uniform, 0.27 if fault == "down" else 1.0
    net.connect(source, cells, ns.FixedProbability(0.5), weight=drawn(1, 4), delay=delay)
    net.connect(cells, cells, ns.FixedProbability(0.2), weight=drawn(0 if whole else -1, 2), delay=delay, **connect)
    net.record(cells)
    return net


def ours(net, **settings):
    sim = ns.Simulation(net, **{"dt": DT, "seed": SEED, "dtype": "float64", **settings})
    sim.run(DURATION)
    return sim


@pytest.mark.parametrize("fault", quick(("tau",), [fault for fault in FAULTS if fault]))
def test_an_injected_fault_is_named(fault):
    net = network(fault)
    sim, other = ours(net), simulate(net, DURATION, DT, SEED, fault)
    found = ns.compare(sim, other, names=("neurosim", "other"))
    assert not found.equal and found.cause == NAMED[fault]
    assert found.causes[0] == () and len(found.causes[1]) == 1 and found.why == ""
    told = str(found)
    assert f"other: {NAMED[fault]}: " in told and "in neurosim alone" in told or "in other alone" in told
    turned = ns.compare(other, sim, names=("other", "neurosim"))  # the other way round it is still the other's fault
    assert turned.cause == NAMED[fault] and turned.causes[1] == ()


@pytest.mark.parametrize("fault", ["", "equal", "down"])
def test_without_a_fault_all_is_equal(fault):
    net = network(fault)
    found = ns.compare(ours(net), simulate(net, DURATION, DT, SEED))
    assert found.equal and found.cause == "" and str(found).startswith("equal\ncells: ") and found.first is None


def test_the_first_difference_is_the_first():
    net = network()
    sim, other = ours(net).spikes("cells"), simulate(net, DURATION, DT, SEED, "longer")
    first = ns.compare(ours(net), other).first
    both = [set(zip(each.ticks.tolist(), each.ids.tolist(), strict=True)) for each in (sim, other)]
    assert (first.tick, first.neuron) in both[0] ^ both[1]
    assert first.tick == min(both[0] ^ both[1])[0] and ((first.tick, first.neuron) in both[1]) == first.only_in
    counts = ns.compare(sim, other.replace(name="cells")).counts["cells"]
    assert counts == (len(both[0] - both[1]), len(both[1] - both[0]), len(both[0] & both[1]))


def test_states_before_the_difference_are_those_that_were_recorded():
    net = network()
    net.record("cells", "v")
    sim = ours(net)
    found = ns.compare(sim, simulate(net, DURATION, DT, SEED, "longer"))
    times, v = sim.trace("cells", "v")
    for tick, _, after, _, spiked in found.states[0]:
        assert after == pytest.approx(v[tick, found.first.neuron], abs=1e-9)
        assert spiked == bool(((sim.spikes("cells").ticks == tick)
                               & (sim.spikes("cells").ids == found.first.neuron)).any())
    assert [row[0] for row in found.states[1]][-1] == found.first.tick


def test_floats_and_ticks_are_named():
    net = network()
    single = ns.compare(ours(net), ours(net, dtype="float32"), names=("double", "single"))
    if not single.equal:
        assert single.cause == "rounding of a tie"
    alone = ns.Network()
    alone.record(alone.add(ns.LIF(i_bias=180.0), 1, name="cells"))
    for settings, words in (({"dt": 0.05}, "ticks of 0.1 ms and ticks of 0.05 ms"),
                            ({"dt": None, "mode": "event", "dtype": None}, "ticks of 0.1 ms and exact times")):
        other = ns.compare(ours(alone), ours(alone, **settings))
        assert other.cause == "length of a tick" and words in str(other)


def test_a_tie_that_rounding_decides_is_named():
    """Jumps of 0.1 towards 1: ten of them are below, or at, by the order in which they are added."""
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=np.arange(1, 200), ids=np.zeros(199, int), size=1, dt=DT,
                                              duration=DURATION)), name="source")
    cells = net.add(ns.LIF(tau_mem=1e9, v_leak=0.0, v_reset=0.0, v_threshold=1.0), 1, name="cells")
    net.connect(source, cells, weight=0.1, delay=1.0)
    net.record(cells)
    sim = ours(net)
    early = sim.spikes("cells").ticks[0] - 1
    other = ns.Spikes(ticks=np.arange(early, 209, 10), ids=np.zeros(len(range(early, 209, 10)), int), size=1, dt=DT,
                      duration=DURATION)
    found = ns.compare(sim, other, tolerance=1e-6)
    assert found.cause in ("rounding of a tie", "> against >=") and not found.equal
    assert ns.compare(sim, other).states[0]


def test_the_input_of_a_source_is_a_cause():
    net = network()
    net.record("source")
    sim, spikes = ours(net), {}
    spikes["cells"] = sim.spikes("cells")
    spikes["source"] = sim.spikes("source").between(1.0).replace(start=0.0, duration=DURATION)
    assert ns.compare(sim, spikes).cause == "other input"


@pytest.mark.slow
def test_what_cannot_be_explained_is_said():
    net, rng = network(), np.random.default_rng(1)
    sim = ours(net)
    spikes = sim.spikes("cells")
    wild = ns.Spikes(ticks=rng.integers(1, 600, len(spikes)), ids=spikes.ids, size=60, dt=DT, duration=DURATION)
    found = ns.compare(sim, wild)
    assert found.cause == "unknown" and "no rule that is known" in found.why
    assert "neither of the two brings a network" in ns.compare(spikes, wild.replace(name="cells")).why
    learning = ours(network(plasticity=PairSTDP(w_min=-1.0, w_max=2.0)))
    assert "learn, and their weights" in ns.compare(learning, wild).why
    assert "have exact times" not in found.why


def test_a_population_that_drives_must_be_recorded():
    net = network()
    more = net.add(ns.LIF(t_ref=1.0), 5, name="more")
    net.connect("source", more, weight=3.0)
    net.connect(more, "cells", weight=1.0)
    found = ns.compare(ours(net), simulate(network(), DURATION, DT, SEED))
    assert "the spikes of 'more', which drive 'cells', must be recorded" in found.why


def test_bad_arguments():
    sim = ours(network())
    with pytest.raises(ParameterError, match="a must be a simulation, a result of a backend"):
        ns.compare(3, sim)
    with pytest.raises(ParameterError, match="names must be two words"):
        ns.compare(sim, sim, names=("one",))
    other = sim.spikes("cells").replace(name="others")
    with pytest.raises(ParameterError, match="common population, got those of 'cells' and of 'others'"):
        ns.compare(sim, other)
    with pytest.raises(ParameterError, match="'cells' must have the same size in both, got 60 in a and 61 in b"):
        ns.compare(sim, sim.spikes("cells").replace(size=61))


def test_the_picture_shows_every_spike_once_and_the_first_difference():
    net = network()
    sim, other = ours(net), simulate(net, DURATION, DT, SEED, "longer")
    found = ns.compare(sim, other)
    artists = found.plot()
    shown = [len(artist.get_xdata()) for artist in artists]
    only_a, only_b, both = found.counts["cells"]
    assert shown == [both, only_a, only_b, 1]
    assert artists[3].get_xdata()[0] == pytest.approx(found.first.tick * DT)
    assert artists[3].get_ydata()[0] == found.first.neuron
    near = found.plot(around=5.0)[0].axes
    assert near.get_xlim() == pytest.approx((max(0.0, found.first.tick * DT - 5.0), found.first.tick * DT + 5.0))
    plt.close("all")
