"""Spikes that are under way when synapses are exchanged: a synapse delivers what was sent while it was there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shares import quick
from test_every_rule import RULES, composed, network, target_of

import neurosim as ns
from learning_rules import PairSTDP

DT, TURN, END, SOURCES = 0.5, 20.0, 45.0, 6


def drawn(rng, n, size, shared):
    """Source, target, weight and delay of n synapses, one of which has the largest weight that there is."""
    weight = np.full(n, 0.25) if shared else np.append(1.0, rng.integers(1, 64, n - 1) / 64.0)
    return rng.integers(0, SOURCES, n), rng.integers(0, size, n), weight, DT * rng.integers(1, 20, n)


def sources(net, rng):
    """A source, and its twin that emits only what the source emits after the turn."""
    ticks, ids = np.sort(rng.integers(1, round(END / DT), 300)), rng.integers(0, SOURCES, 300)
    for chosen in (ticks > 0, ticks * DT > TURN):
        spikes = ns.Spikes(ticks=ticks[chosen], ids=ids[chosen], size=SOURCES, dt=DT, duration=END)
        yield net.add(ns.SpikeSource(spikes))


@pytest.mark.slow
@settings(deadline=None, max_examples=16)
@given(seed=st.integers(0, 2**31), threads=st.sampled_from([1, 3]), beside=st.booleans(), shared=st.booleans(),
       packed=st.booleans())
def test_a_new_synapse_delivers_what_a_twin_sends_that_was_silent_before(seed, threads, beside, shared, packed):
    rng, size = np.random.default_rng(seed), 400
    old, new, kept = drawn(rng, 40, size, shared), drawn(rng, 30, size, shared), np.arange(25)

    def begun(of_twin):
        """A simulation at the turn, with nothing but what is under way."""
        net = ns.Network()
        source, twin = sources(net, np.random.default_rng(seed))
        cells = net.add(ns.LeakyIntegrator(tau_mem=30.0, v_leak=0.0), size, name="cells")
        s, t, weight, delay = [each[kept] for each in old] if of_twin else old
        net.connect(source, cells, ns.Explicit(s, t), weight=weight, delay=delay, name="p")
        if beside:  # something to share a bundle with
            net.connect(source, cells, ns.Explicit(*old[:2]), weight=old[2], delay=old[3])
        if of_twin:
            net.connect(twin, cells, ns.Explicit(*new[:2]), weight=new[2], delay=new[3])
        sim = ns.Simulation(net, DT, dtype="float64", threads=threads, packed=packed)
        sim.run(TURN)
        sim.set("cells", v=0.0)
        return sim

    sim = begun(of_twin=False)
    place = np.empty(40, int)
    place[np.lexsort((old[1], old[3], old[0]))] = np.arange(40)  # of each synapse in the order of the layout
    source, target, weight, delay = (np.concatenate([was[kept], now]) for was, now in zip(old, new, strict=True))
    sim = sim.rewire("p", source, target, weight=weight, delay=delay, continues=np.append(place[kept], np.full(30, -1)))
    right = begun(of_twin=True)
    for _ in range(5):
        sim.run((END - TURN) / 5)
        right.run((END - TURN) / 5)
        np.testing.assert_allclose(sim.get("cells", "v"), right.get("cells", "v"), rtol=1e-12, atol=1e-15)
    assert np.count_nonzero(right.get("cells", "v")) > 20


def one_pair(cells, times=(10.0, 11.0), turn=12.0, **projection):
    """A source whose spikes are under way, 8 ms, to one of two cells when its synapse goes to the other one."""
    net = ns.Network()
    spikes = ns.Spikes.from_times(times, np.zeros(len(times), int), size=1, duration=60.0, dt=DT)
    source = net.add(ns.SpikeSource(spikes))
    cells = net.add(cells, 2, name="cells")
    net.connect(source, cells, ns.Explicit([0], [0]), delay=8.0, name="p", **projection)
    if cells.spiking:
        net.record(cells)
    sim = ns.Simulation(net, DT, dtype="float64")
    sim.run(turn)
    return sim


@pytest.mark.slow
def test_nothing_comes_of_a_spike_that_was_sent_before():
    release = ns.TsodyksMarkram(u_0=0.5, tau_rec=100.0, tau_facil=50.0)
    sim = one_pair(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0), (10.0, 11.0, 30.0), weight=2.0, release=release)
    later = sim.rewire("p", [0], [1], weight=3.0, delay=8.0)
    later.run(10.0)
    assert later.get("cells", "v").tolist() == [0.0, 0.0] and later.time == 22.0
    later.run(16.0)  # a first spike of a synapse at rest transmits u_0 of its weight
    assert later.get("cells", "v") == pytest.approx([0.0, 0.5 * 3.0])


def test_a_rule_sees_no_arrival_of_a_spike_that_was_sent_before():
    """The target spikes at 15 ms; arrivals at 18 and 38 ms, the first of them sent before the synapse was there."""
    rule = PairSTDP(a_plus=0.0, a_minus=0.1, tau_minus=20.0, w_max=1.0)
    sim = one_pair(ns.LIF(tau_mem=20.0, t_ref=2.0), (10.0, 30.0), weight=0.5, plasticity=rule)
    later = sim.rewire("p", [0, 0], [0, 1], weight=0.5, delay=8.0, continues=[0, -1])
    later.run(2.5)
    later.set("cells", v=0.0)  # above the threshold
    later.run(20.0)
    assert later.spikes("cells").times.tolist() == [15.0, 15.0]
    one_late, one_early = 0.1 * np.exp(-23.0 / 20.0), 0.1 * np.exp(-3.0 / 20.0)
    both = later.weights("p")
    later.run(5.0)
    assert both == pytest.approx([0.5 - one_early, 0.5])
    assert later.weights("p") == pytest.approx([0.5 - one_early - one_late, 0.5 - one_late])


@pytest.mark.parametrize("cls", quick(("PairSTDP",), RULES), ids=lambda cls: cls.__name__)
def test_state_threads_and_pieces_change_no_bit_while_synapses_are_young(cls, tmp_path):
    sim = ns.Simulation(network(composed(cls), target_of(cls)), DT, seed=3)
    sim.run(40.0)
    was = sim.synapses("p")
    n = len(was)
    target, continues = was.target.copy(), np.arange(n)
    target[::2], continues[::2] = (target[::2] + 7) % 300, -1
    young = sim.rewire("p", was.source, target, weight=was.weight, delay=was.delay, continues=continues)
    young.run(1.0)
    state = young.state()
    assert any(name == "born" for _, _, name in state.changes)
    young.save(tmp_path / "young.h5")
    others = [young.clone(threads=3), ns.Simulation.load(tmp_path / "young.h5", young.net)]
    again = young.rewire("p", *(getattr(young.synapses("p"), name) for name in ("source", "target")),
                         weight=young.weights("p"), delay=young.synapses("p").delay, continues=np.arange(n))
    for other in [*others, again]:
        for piece in (0.5, 3.0, 16.5):
            other.run(piece)
    young.run(20.0)
    assert not any(name == "born" for _, _, name in young.state().changes)
    end = young.state().arrays
    for other in [*others, again]:
        for name, array in other.state().arrays.items():
            np.testing.assert_array_equal(array, end[name], err_msg=name)
    young.restore(state)
    young.run(20.0)
    np.testing.assert_array_equal(young.weights("p"), again.weights("p"))


def test_samples_of_a_batch_begin_with_young_synapses():
    sim = one_pair(ns.LeakyIntegrator(tau_mem=1e9, v_leak=0.0), weight=1.0)
    later = sim.rewire("p", [0], [1], weight=1.0, delay=8.0)
    net = later.net
    net.record("cells", "v", every=1.0)
    later = ns.Simulation(net, DT, dtype="float64").rewire("p", [0], [0], weight=1.0, delay=8.0)
    later.run(12.0)
    later = later.rewire("p", [0], [1], weight=1.0, delay=8.0)
    once = ns.Spikes.from_times([2.0], [0], size=1, duration=20.0)
    for result in later.run_batch([once, once, once], 20.0, threads=1):
        assert result.trace("cells")[1][-1] == pytest.approx([0.0, 1.0])


def test_turns_while_spikes_are_under_way():
    sim = one_pair(ns.LeakyIntegrator(tau_mem=1e9, v_leak=0.0), (1.0, 10.0), turn=5.0, weight=1.0)
    sim = sim.rewire("p", [0], [1], weight=1.0, delay=8.0)  # the first spike is lost
    sim.run(6.0)
    sim = sim.rewire("p", [0, 0], [0, 1], weight=1.0, delay=8.0, continues=[-1, 0])
    sim.run(20.0)
    assert sim.get("cells", "v") == pytest.approx([0.0, 1.0])
