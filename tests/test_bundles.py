"""Projections whose synapses lie in one bundle are, seen from outside, as if each had its own."""

import tracemalloc

import numpy as np
import pytest

import learning_rules
import neurosim as ns
from neurosim.engine import bundle, bundling, partition, planner
from neurosim.engine.synapses import drawing, lay
from tests.shares import quick

DT = 0.1


def network(weight=None, delay=None, n=300):
    weight = weight or ns.Normal(0.3, 0.05)
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=40.0), 200, name="noise")
    a = net.add(ns.LIF(tau_mem=10.0, r=0.1, t_ref=1.0), n, name="a")
    b = net.add(ns.LIF(tau_mem=15.0, r=0.1), n // 2, name="b")
    current = ns.ExponentialCurrent(tau_syn=3.0)
    net.connect(noise[20:180], a, ns.FixedInDegree(20), weight=2.0, delay=1.0, name="noise a")
    net.connect(noise, b, ns.FixedInDegree(20), weight=2.0, delay=1.0, name="noise b")
    for source in (a, b):
        net.connect(source, a, ns.FixedInDegree(15), weight=weight, delay=delay or ns.Uniform(0.2, 3.0),
                    name=f"{source.name} a")
        net.connect(source, b[10:100], ns.FixedTotal(2000), weight=weight, delay=delay or ns.Uniform(0.4, 2.0),
                    name=f"{source.name} b")
        net.connect(source, b, ns.FixedProbability(0.05), weight=ns.Normal(20.0, 5.0), delay=delay or 1.5,
                    receptor=current, name=f"{source.name} current")
        net.connect(source, b, ns.FixedProbability(0.02), weight=weight, delay=delay or 1.5, name=f"{source.name} more")
    net.record(a)
    net.record(b)
    return net


def simulation(threads=1, **options):
    parts = {name: options.pop(name) for name in ("weight", "delay") if name in options}
    return ns.Simulation(network(**parts), DT, seed=3, threads=threads, **options)


@pytest.fixture
def alone(monkeypatch):
    """Simulations without bundles."""
    def make(*args, **options):
        with monkeypatch.context() as patch:
            patch.setattr(bundling, "may_join", lambda first, plan: first is plan)
            return simulation(*args, **options)
    return make


@pytest.mark.parametrize("parts", quick(("",), [{}, {"delay": 1.0}, {"weight": 0.3}, {"weight": 0.3, "delay": 1.0}],
                                        name=" and ".join))
@pytest.mark.parametrize("threads", [1, 3])
def test_bundles_change_neither_synapses_nor_spikes(alone, parts, threads):
    sim, other = simulation(threads, **parts), alone(1, **parts)
    assert any(plan.bundle is not None for plan in sim._run.plan.projections.values())
    assert all(plan.bundle is None for plan in other._run.plan.projections.values())
    for p in sim.net.projections:
        for name, values in vars(sim.synapses(p.name)).items():
            np.testing.assert_array_equal(values, getattr(other.synapses(p.name), name), err_msg=f"{p.name} {name}")
    for each in (sim, other):
        each.run(100.0)
    assert len(sim.spikes("b")) > 300
    assert sim.spikes("a") == other.spikes("a") and sim.spikes("b") == other.spikes("b")


def test_too_many_targets_for_one_bundle_make_several(monkeypatch):
    whole = simulation(2)
    monkeypatch.setattr(bundle, "REACH", 200)
    monkeypatch.setattr(bundling, "REACH", 200)
    cut = simulation(2)
    assert len({id(p.bundle or p) for p in cut._run.plan.projections.values()}) > len(
        {id(p.bundle or p) for p in whole._run.plan.projections.values()})
    for each in (whole, cut):
        each.run(100.0)
    assert whole.spikes("a") == cut.spikes("a") and whole.spikes("b") == cut.spikes("b")


def test_weights_of_a_bundled_projection_can_be_set(alone):
    new = np.linspace(0.1, 0.5, simulation().weights("a a").size)
    seen = []
    for sim in (simulation(2), alone()):
        sim.run(20.0)
        sim.set("a a", weight=new)
        sim.set("noise a", weight=1.9)
        np.testing.assert_array_equal(sim.weights("a a"), new.astype(np.float32))
        sim.run(80.0)
        seen.append((sim.spikes("a"), sim.spikes("b"), sim.weights("a b")))
    assert seen[0][:2] == seen[1][:2]
    np.testing.assert_array_equal(seen[0][2], seen[1][2])


def test_packed_weights_are_rounded_as_stated_and_the_same_for_any_threads():
    full, packed = simulation(), simulation(packed=True)
    groups = [["a a", "a b", "a current"], ["b a", "b b", "b current"]]
    for group in groups:
        step = max(np.abs(full.weights(name)).max() for name in group) / 32767
        for name in group:
            error = np.abs(packed.weights(name).astype(float) - full.weights(name))
            assert 0 < error.max() <= 0.503 * step  # a float32 adds 0.002 of a step
    assert packed.weights("noise a").tolist() == full.weights("noise a").tolist()
    three = simulation(3, packed=True)
    for sim in (full, packed, three):
        sim.run(100.0)
    assert packed.spikes("b") == three.spikes("b")
    assert abs(len(packed.spikes("a")) / len(full.spikes("a")) - 1) < 0.05


def test_packed_weights_are_the_multiples_next_to_the_full_ones():
    full, packed = simulation(), simulation(packed=True)
    for group in (["a a", "a b", "a current", "a more"], ["b a", "b b", "b current", "b more"]):
        scale = float(max(np.abs(full.weights(name)).max() for name in group)) / 32767
        for name in group:
            whole = full.weights(name).astype(float)
            number = np.rint(whole * (1 / scale)).astype(np.float32)
            np.testing.assert_array_equal(packed.weights(name), number * np.float32(scale), err_msg=name)
            ours, theirs = packed.synapses(name), full.synapses(name)
            for field in ("source", "target", "delay"):
                np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))


def test_more_parts_than_threads_change_nothing(monkeypatch):
    def run(threads):
        net = network(n=600)
        a, b = net.populations[1:]
        net.connect(a, b, ns.FixedInDegree(5), weight=0.2, delay=0.5, name="learns",
                    plasticity=learning_rules.PairSTDP(w_max=1.0))
        sim = ns.Simulation(net, DT, seed=3, threads=threads, packed=True)
        sim.run(60.0)
        weights = [sim.weights("learns"), sim.weights("a a")]
        sim.set("a a", weight=weights[1][::-1].copy())
        sim.run(60.0)
        return sim, sim.spikes("a"), sim.spikes("b"), weights

    whole, *expected, weights = run(1)
    for module in (partition, bundle, bundling):
        monkeypatch.setattr(module, "REACH", 256)
    monkeypatch.setattr(partition, "SMALLEST_PART", 10)
    for threads in (1, 2):
        cut, *spikes, others = run(threads)
        assert (whole._run.plan.parts, cut._run.plan.parts, cut._run.plan.threads) == (1, 3, threads)
        assert all(each.bundle.packed for each in cut._run.plan.projections.values() if each.bundle is not None
                   and each.bundle.scale)
        assert spikes == expected and len(spikes[1]) > 300
        for a, b in zip(weights, others, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 1_000_000, 3_000_001])
def test_a_packed_network_has_parts_whose_targets_16_bits_tell_apart(size):
    net = ns.Network()
    cells = net.add(ns.LIF(), size, name="cells")
    net.connect(cells, cells, ns.FixedInDegree(1), weight=ns.Normal(1.0, 0.1), delay=1.0)
    parts = partition.parts_of(net, 2, packed=True)
    assert partition.parts_of(net, 2) <= 2 and parts == max(partition.parts_of(net, 2), -(-size // 65_536))
    assert np.diff(partition.split(size, parts, 0)).max() <= 65_536


def test_packed_weights_survive_a_file(tmp_path):
    sim = simulation(packed=True)
    sim.run(20.0)
    sim.save(tmp_path / "s.h5")
    later = ns.Simulation.load(tmp_path / "s.h5", network(), threads=2)
    assert later.packed
    for each in (sim, later):
        each.run(50.0)
    assert sim.spikes("b") == later.spikes("b")


def test_synapses_are_drawn_into_a_bundle_without_a_copy():
    net = ns.Network()
    a, b = (net.add(ns.LIF(), n, name=name) for name, n in (("a", 3000), ("b", 2000)))
    for source in (a, b):
        for target in (a, b):
            net.connect(source, target, ns.FixedProbability(0.1), weight=ns.Normal(1.0, 0.1),
                        delay=ns.Uniform(0.2, 3.0))
    planner.Planner(net, DT, 1, np.float32, 2).plan()  # what is compiled is kept
    tracemalloc.start()
    plans = planner.Planner(net, DT, 1, np.float32, 2).plan().projections
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    bundles = {id(plan.bundle): plan.bundle for plan in plans.values()}.values()
    synapses = sum(part.target.nbytes + part.values["weight"].nbytes for each in bundles for part in each.parts)
    assert synapses == 6 * sum(plan.connectivity.n_synapses for plan in plans.values()) > 14e6
    assert left < 1.15 * synapses  # with tables of rows and delays
    assert peak < left + 6e6  # what is drawn at a time


@pytest.mark.parametrize("room", [0, 100])
def test_too_little_room_costs_time_only(monkeypatch, room):
    whole = simulation(2)
    monkeypatch.setattr(drawing.Draft, "room", lambda *_: room)
    monkeypatch.setattr(lay, "AT_A_TIME", 500)
    for each in (simulation(2), simulation(1)):
        for p in each.net.projections:
            for name, values in vars(each.synapses(p.name)).items():
                np.testing.assert_array_equal(values, getattr(whole.synapses(p.name), name), err_msg=f"{p.name} {name}")


def test_a_projection_without_synapses_may_lie_in_a_bundle():
    net = ns.Network()
    noise, a = net.add(ns.Poisson(rate=100.0), 20, name="noise"), net.add(ns.LIF(tau_mem=10.0, r=0.1), 50, name="a")
    for name, p in (("none", 0.0), ("some", 0.3), ("nothing", 1e-12)):
        net.connect(noise, a, ns.FixedProbability(p), weight=ns.Normal(9.0, 1.0), delay=ns.Uniform(0.5, 2.0), name=name)
    net.record(a)
    sim = ns.Simulation(net, DT, seed=2, threads=2)
    sim.run(50.0)
    assert sim.weights("none").size == sim.weights("nothing").size == 0 < sim.weights("some").size
    assert len(sim.spikes("a")) > 50
    sim.set("some", weight=np.zeros(sim.weights("some").size))
    sim.run(50.0)
    after = sim.spikes("a").ticks
    assert (after < 550).all()


@pytest.mark.slow
def test_packed_weights_do_not_depend_on_threads_where_16_bits_are_too_few():
    net = ns.Network()
    noise, a = net.add(ns.Poisson(rate=10.0), 10, name="noise"), net.add(ns.LIF(), 70_000, name="a")
    net.connect(noise, a, ns.FixedTotal(5000), weight=ns.Normal(0.3, 0.1), delay=1.0, name="all")
    full = ns.Simulation(net, DT, seed=1).synapses("all")
    packed = [ns.Simulation(net, DT, seed=1, threads=threads, packed=True).synapses("all") for threads in (1, 2)]
    np.testing.assert_array_equal(packed[0].weight, packed[1].weight)
    np.testing.assert_array_equal(packed[1].target, full.target)
    assert 0 < np.abs(packed[0].weight.astype(float) - full.weight).max() < 0.51 * 0.8 / 32767


def test_setting_one_packed_projection_leaves_its_neighbours_as_they_are(tmp_path):
    def described():
        net = ns.Network()
        noise, a, b = net.add(ns.Poisson(rate=500.0), 50), net.add(ns.LIF(), 40, name="a"), net.add(ns.LIF(), 40)
        net.connect(noise, a, weight=ns.Normal(1.0, 0.1), delay=1.0, name="one")
        net.connect(noise, b, weight=ns.Normal(1.0, 0.1), delay=1.0, name="other")
        net.record(a)
        return net

    sim = ns.Simulation(described(), DT, seed=1, packed=True)
    one, other = sim.weights("one"), sim.weights("other")
    for factor in (1e4, 1e-4, 1.0):
        sim.set("one", weight=one * np.float32(factor))
    np.testing.assert_array_equal(sim.weights("one"), one)
    np.testing.assert_array_equal(sim.weights("other"), other)
    sim.run(20.0)
    sim.save(tmp_path / "packed.h5")
    again = ns.Simulation.load(tmp_path / "packed.h5", described(), threads=2)
    for each in (sim, again):
        each.run(20.0)
    assert sim.spikes("a") == again.spikes("a")
