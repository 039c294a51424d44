"""Many spikes in one tick: lists of spikes get the room that they need, wherever the spikes come from."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.contracts import Device, Plasticity

DT, CROWD = 0.1, 500
NOTHING = ns.Spikes(ticks=[], ids=[], size=2, dt=DT, duration=2.0)
ALL_AT_ONCE = ns.Spikes(ticks=np.full(CROWD, 10), ids=np.zeros(CROWD, int), size=2, dt=DT, duration=2.0)


def network():
    net = ns.Network()
    source = net.add(ns.SpikeSource(NOTHING), name="source")
    cells = net.add(ns.LIF(v_threshold=0.0), 3, name="cells")
    net.connect(source, cells, weight=0.01, delay=5.0)
    net.record(cells, "v")
    return net


@pytest.fixture
def under_way():
    """A simulation in which more spikes of one tick are under way than its source sends by itself."""
    sim = ns.Simulation(network(), dt=DT)
    sim.give("source", ALL_AT_ONCE)
    sim.run(2.0)
    sim.give("source", NOTHING)
    return sim


def arrived(sim):
    sim.run(4.0)
    v = sim.get("cells", "v")
    assert (v > -70.0 + 1.0).all()
    return v


def test_a_fresh_simulation_takes_a_crowded_state(under_way):
    fresh = ns.Simulation(network(), dt=DT)
    fresh.restore(under_way.state())
    np.testing.assert_array_equal(arrived(fresh), arrived(under_way))


def test_a_loaded_simulation_takes_a_crowded_state(under_way, tmp_path):
    under_way.save(tmp_path / "crowd.h5")
    np.testing.assert_array_equal(arrived(ns.Simulation.load(tmp_path / "crowd.h5", network())), arrived(under_way))


def test_a_batch_begins_with_a_crowd(under_way):
    results = under_way.run_batch([NOTHING, NOTHING], 4.0, threads=2)
    expected = arrived(under_way)
    for result in results:
        np.testing.assert_array_equal(result.trace("cells")[1][-1], expected)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_crowd_in_a_small_part(threads):
    """The last part of 129 neurons has one neuron, which spikes a hundred times in each tick."""
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=129, duration=1.0)), name="source")
    cells = net.add(ns.LIF(v_threshold=1e9), 129, name="cells")
    net.connect(source, cells, weight=0.001, delay=1.0)
    net.record(source)
    sim = ns.Simulation(net, dt=DT, threads=threads)
    assert sim._run.plan.parts == threads
    ticks = np.repeat(np.arange(10, 30), 100)
    sim.give("source", ns.Spikes(ticks=ticks, ids=np.full(ticks.size, 128), size=129, dt=DT, duration=4.0))
    sim.run(5.0)
    found = sim.spikes("source")
    np.testing.assert_array_equal(found.ticks, ticks)
    assert (found.ids == 128).all()
    lone = ns.Simulation(net, dt=DT)
    lone.give("source", ns.Spikes(ticks=ticks, ids=np.full(ticks.size, 128), size=129, dt=DT, duration=4.0))
    lone.run(5.0)
    np.testing.assert_array_equal(sim.get("cells", "v"), lone.get("cells", "v"))


class Grow(Plasticity):
    """Every spike of the target adds 1."""

    @staticmethod
    def on_target(weight):
        return weight + 1.0


class Noisy(Device):
    """A change comes with a random factor."""

    @staticmethod
    def update(weight, change, normal):
        return weight + change * normal


@pytest.mark.parametrize(("pieces", "look"), [(1, False), (4, True), (40, True), (400, False)])
def test_noise_of_a_device_belongs_to_the_event(pieces, look):
    """However late target spikes are handled, and whoever looks, each change has a number of its own."""
    def run(pieces, look):
        net = ns.Network()
        source = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 30.0], [0, 0], size=1, duration=40.0, dt=DT)))
        cell = net.add(ns.LIF(i_bias=1000.0), 1, name="cell")
        net.connect(source, cell, weight=0.1, plasticity=Grow(), device=Noisy(), name="p")
        net.record(cell)
        sim = ns.Simulation(net, dt=DT, seed=1)
        for _ in range(pieces):
            sim.run(40.0 / pieces)
            if look:
                sim.weights("p")
        return sim.weights("p")[0], len(sim.spikes("cell"))

    weight, spikes = run(pieces, look)
    assert (weight, spikes) == run(1, False)
    assert abs(weight) < 5 * np.sqrt(spikes)  # one number for all would give `spikes` times that number
