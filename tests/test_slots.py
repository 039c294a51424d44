"""Lists of recent spikes: room for what comes is proven before it comes and grown where it must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from learning_rules import PairSTDP
from neurosim.engine import arrays, programs
from neurosim.engine.slots import Slots


def emit(slots, tick, ids):
    """Write the list of a tick as a kernel does."""
    before = (tick - 1) % slots.length
    begin = int(slots.begin[before] + slots.count[before])
    if begin + slots.capacity > slots.room:
        begin = 0
    slots.ids[begin:begin + len(ids)] = ids
    slots.begin[tick % slots.length], slots.count[tick % slots.length] = begin, len(ids)


@settings(deadline=None, max_examples=200)
@given(capacity=st.integers(1, 7), kept=st.integers(1, 9), most=st.integers(1, 6), room=st.integers(1, 40),
       seed=st.integers(0, 2**32 - 1), busy=st.floats(0.0, 1.0))
def test_lists_that_are_needed_are_never_overwritten(capacity, kept, most, room, seed, busy):
    """Some ticks at a time, each after room was made where `has_room` said so, against plain lists."""
    rng = np.random.default_rng(seed)
    slots, lists, tick, grown = Slots(kept + 2 * most, capacity, room=room), {}, 0, 0
    for _ in range(40):
        ticks = int(rng.integers(1, most + 1))
        if not slots.has_room(ticks, tick, kept):
            slots, grown = slots.widened(slots.between(tick - kept, tick), most), grown + 1
            assert slots.has_room(ticks, tick, kept)
        oldest = max(0, tick - kept)  # a part that is behind the others still reads what follows it
        for _ in range(ticks):
            tick += 1
            lists[tick] = rng.integers(0, 2**32, rng.integers(0, capacity + 1) if rng.random() < busy else 0)
            emit(slots, tick, lists[tick])
            expected = np.concatenate([lists[t] for t in range(oldest + 1, tick + 1)])
            np.testing.assert_array_equal(slots.between(oldest, tick)[1], expected)
    assert grown < 12  # room doubles with what is kept


def network():
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=3000.0), 300, name="noise")
    cells = net.add(ns.LIF(tau_mem=10.0), 260, name="cells")
    net.connect(noise, cells, ns.FixedInDegree(30), weight=ns.Uniform(0.1, 0.3), delay=ns.Uniform(0.1, 9.0))
    net.connect(cells, cells, ns.FixedInDegree(20), weight=-0.2, delay=ns.Uniform(0.5, 4.0))
    net.connect(cells, cells, ns.FixedInDegree(5), weight=0.1, delay=2.0, plasticity=PairSTDP(w_max=1.0),
                name="learning")
    net.record(cells)
    net.record(noise)
    return net


def outcome(threads=1):
    sim = ns.Simulation(network(), dt=0.1, seed=3, threads=threads)
    sim.run(60.0)
    state = sim.state()
    sim.run(60.0)
    sim.restore(state)
    sim.run(60.0)
    rooms = [slots.room for parts in sim._run.engine.slots.values() for slots in parts]
    return sim.spikes("cells"), sim.spikes("noise"), sim.weights("learning"), rooms


@pytest.fixture(scope="module")
def plenty():
    return outcome()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_room_that_grows_while_a_network_runs_changes_nothing(monkeypatch, plenty, threads):
    monkeypatch.setattr(arrays, "SLOT_BYTES", 4096)
    spikes, noise, weights, rooms = outcome(threads)
    assert len(spikes) > 1000 and spikes == plenty[0] and noise == plenty[1]
    np.testing.assert_array_equal(weights, plenty[2])
    assert sum(rooms) < sum(plenty[3]) / 10


@pytest.mark.parametrize("most", [1, 7])
def test_segments_that_are_listed_a_few_at_a_time_change_nothing(monkeypatch, plenty, most):
    monkeypatch.setattr(programs, "MOST_SEGMENTS", most)
    spikes, noise, weights, _ = outcome(2)
    assert spikes == plenty[0] and noise == plenty[1]
    np.testing.assert_array_equal(weights, plenty[2])


def test_a_readout_in_the_loop_finds_lists_that_have_moved(monkeypatch):
    pytest.importorskip("sklearn")
    from learning_rules import Force

    def run():
        net = ns.Network()
        cells = net.add(ns.LIF(i_bias=ns.Uniform(300.0, 900.0), t_ref=0.1), 200, name="cells")
        net.connect(cells, cells, ns.FixedInDegree(5), weight=0.1, delay=20.0)
        return Force(net, cells, dt=0.1, seed=1).fit(np.sin(np.arange(1000) / 100.0))

    before = run()
    monkeypatch.setattr(arrays, "SLOT_BYTES", 4096)
    np.testing.assert_array_equal(run(), before)
    assert np.abs(before[-100:]).max() > 0


@pytest.mark.parametrize("model, size, most", [
    (ns.LIF(), 1_000_000, 2.1 * arrays.SLOT_BYTES), (ns.Poisson(5.0), 60_000, 8e6),
    (ns.Poisson(5.0 + np.arange(60_000) / 1e9), 60_000, 8e6)])
def test_what_does_not_spike_takes_little_room(model, size, most):
    """Addresses, of which only what is written is ever touched."""
    for delay in (None, 0.1, 50.0):
        net = ns.Network()
        sources = net.add(model, size)
        if delay:
            net.connect(sources[:1], net.add(ns.LIF(), 1), weight=0.0, delay=delay)
        sim = ns.Simulation(net)
        sim.run(1.0)
        assert sum(slots.ids.nbytes + slots.table.nbytes for parts in sim._run.engine.slots.values()
                   for slots in parts) < most
