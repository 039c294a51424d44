"""Parts of a population behave as a population of their own would, in both modes."""

import numpy as np
import pytest

import neurosim as ns

MODES = ["clocked", "event"]
TAU = np.array([1.0, 2.0, 4.0])


def simulation(net, mode):
    return ns.Simulation(net, mode="event") if mode == "event" else ns.Simulation(net, dtype="float64", threads=2)


def pulse():
    return ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=1, duration=5.0, dt=0.1))


def silent():
    return ns.LIF(v_leak=0.0, v_reset=0.0, v_threshold=1e6)


@pytest.mark.parametrize("mode", MODES)
def test_no_neuron_is_connected_with_itself_where_parts_overlap(mode):
    net = ns.Network()
    cells = net.add(ns.LIF(), 20)
    rules = [ns.AllToAll(self_connections=False), ns.FixedInDegree(8, self_connections=False),
             ns.FixedOutDegree(8, multiple=False, self_connections=False),
             ns.FixedTotal(100, self_connections=False), ns.FixedProbability(1.0, self_connections=False)]
    made = [(net.connect(source, target, rule), source.start, target.start) for rule in rules
            for source, target in ((cells[10:20], cells), (cells, cells[3:15]), (cells[4:9], cells[6:20]))]
    sim = simulation(net, mode)
    for projection, first_source, first_target in made:
        synapses = sim.synapses(projection)
        own = synapses.source.astype(int) + first_source == synapses.target.astype(int) + first_target
        assert synapses.source.size and not own.any(), projection


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("receptor", [ns.ExponentialCurrent(TAU), ns.AlphaCurrent(TAU),
                                      ns.DoubleExponentialCurrent(TAU / 2, TAU)], ids=lambda r: type(r).__name__)
def test_a_receptor_with_one_value_per_neuron_of_a_part(mode, receptor):
    def v(size, first):
        net = ns.Network()
        source, cells = net.add(pulse()), net.add(silent(), size)
        net.connect(source, cells[first:first + 3], weight=100.0, receptor=receptor)
        sim = simulation(net, mode)
        sim.run(5.0)
        return sim.get(cells, "v")

    alone = v(3, 0)
    assert np.unique(alone).size == 3 and (alone > 0.1).all()
    for first in (0, 2, 3):
        part = v(6, first)
        np.testing.assert_allclose(part[first:first + 3], alone, rtol=1e-12)
        assert not np.delete(part, slice(first, first + 3)).any()


@pytest.mark.parametrize("receptor", [ns.ExponentialCurrent(TAU), ns.ExponentialConductance(TAU, e_rev=10.0 * TAU)],
                         ids=lambda r: type(r).__name__)
def test_one_receptor_on_several_parts_and_a_drive_has_each_parts_own_values(receptor):
    """Parts overlap, equal arrays belong to different neurons, and a drive reaches a part as a projection does."""
    def build(parts, size):
        net = ns.Network()
        source, cells = net.add(pulse()), net.add(silent(), size)
        for first in parts:
            net.connect(source, cells[first:first + 3], weight=100.0, receptor=receptor)
        return net, cells

    net, cells = build((1, 2, 6), 300)
    assert len(net.ports(cells)) == 3
    sim = simulation(net, "clocked")
    sim.run(3.0)
    total = np.zeros(300)
    for first in (1, 2, 6):
        single = simulation(build((first,), 300)[0], "clocked")
        single.run(3.0)
        (name,) = [name for name in net.variables(cells) if name.endswith("[0]")]
        total += single.get(single.net.populations[1], name[:-3])
    np.testing.assert_allclose(sum(sim.get(cells, f"{name[:-3]}[{k}]") for k in range(3)), total, rtol=1e-12)
    net, cells = build((150,), 300)
    drive = net.drive(cells[150:153], ns.PoissonDrive(rate=1000.0, weight=1.0), receptor=receptor)
    assert net.port(drive) == net.port(net.projections[0]) == 0
