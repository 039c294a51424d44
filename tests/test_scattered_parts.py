"""Parts whose members do not follow each other, in every place: each behaves as a population of its own would."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from learning_rules import PairSTDP
from neurosim.config import read
from neurosim.contracts import Device
from neurosim.gradients import Differentiable

DT = 0.1
PLACES = np.array([0, 3, 4, 130, 131, 132, 260, 299])  # of the targets, over the bounds of three threads
SOURCES = np.array([1, 2, 5, 9, 14])
MODEL = ns.LIF(tau_mem=10.0, r=0.1, t_ref=2.0)


class Coarse(Device):
    """Holds weights in steps of a quarter."""

    def program(self, weights, generator):
        """Round, with an error of its own for each."""
        return np.round(4.0 * weights) / 4.0 + generator.normal(0.0, 0.01, weights.shape)


def trains():
    """Random trains of the sources, by member of the part."""
    generator = np.random.default_rng(1)
    ticks = np.sort(generator.integers(1, 900, 120))
    return ticks, generator.integers(0, SOURCES.size, 120)


def build(scattered: bool, connect, drives=()):
    """Return a network in which sources and targets are parts, or are populations of just these members."""
    ticks, ids = trains()
    net = ns.Network()
    n = 16 if scattered else SOURCES.size
    given_ = ns.Spikes(ticks=ticks, ids=SOURCES[ids] if scattered else ids, size=n, duration=100.0, dt=DT)
    source = net.add(ns.SpikeSource(given_), name="source")
    target = net.add(MODEL, 300 if scattered else PLACES.size, name="target")
    a, b = (source[SOURCES], target[PLACES]) if scattered else (source, target)
    for options in connect:
        net.connect(b if options.get("within") else a, b, **{k: v for k, v in options.items() if k != "within"})
    for drive, receptor in drives:
        acting = net.drive(b, drive, receptor=receptor)
        if receptor is None:
            net.record(acting, "current")
    net.record(b)
    net.record(b, "v")
    return net, a, b


def simulation(net, mode="clocked", **options):
    return ns.Simulation(net, seed=5, **({"mode": "event"} if mode == "event" else {"dt": DT} | options))


def record_every(net, mode):
    """In the mode "event" a variable is recorded at times that are given."""
    if mode == "event":
        net.recorders[:] = [r if r.variable == "spikes" else replace(r, every=1.0) for r in net.recorders]


def compare(connect, drives=(), mode="clocked", act=lambda sim, a, b: None, **options):
    """Run both networks and hold everything that can be seen of the part against the population of its own."""
    sims = []
    for scattered in (False, True):
        net, a, b = build(scattered, connect, drives)
        record_every(net, mode)
        sim = simulation(net, mode, **options)
        sim.run(50.0)
        act(sim, a, b)
        sim.run(50.0)
        sims.append((sim, a, b))
    (alone, a, b), (sim, c, d) = sims
    assert sim.spikes(d).size == PLACES.size and sim.spikes(d).name == d.name
    assert np.array_equal(sim.spikes(d).times, alone.spikes(b).times)
    assert np.array_equal(sim.spikes(d).ids, alone.spikes(b).ids)
    assert np.array_equal(sim.trace(d, "v")[1], alone.trace(b, "v")[1])
    assert np.array_equal(sim.get(d, "v"), alone.get(b, "v"))
    assert np.array_equal(sim.get("target", "v")[PLACES], alone.get(b, "v"))
    others = np.setdiff1d(np.arange(300), PLACES)
    np.testing.assert_allclose(sim.get("target", "v")[others], MODEL.v_leak, rtol=1e-6)
    for p, q in zip(alone.net.projections, sim.net.projections, strict=True):
        one, other = alone.synapses(p), sim.synapses(q)
        assert len(one) and vars(one).keys() == vars(other).keys()
        for name, values in vars(one).items():
            assert np.array_equal(values, getattr(other, name)), name
        assert (sim.weights(q, sparse=True) != alone.weights(p, sparse=True)).nnz == 0
        assert np.array_equal(alone.sums(p), sim.sums(q)) if p.plasticity and p.device is None else True
    for one, other in zip(alone.net.drives, sim.net.drives, strict=True):
        if one.receptor is None:
            assert np.array_equal(sim.trace(other, "current")[1], alone.trace(one, "current")[1])
    return alone, sim, b, d


RULES = [ns.AllToAll(), ns.FixedProbability(0.5), ns.FixedInDegree(2), ns.FixedOutDegree(4), ns.FixedTotal(17),
         ns.Explicit([0, 0, 4, 2], [7, 1, 3, 3])]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_every_rule(rule, threads):
    compare([{"rule": rule, "weight": ns.Uniform(2.0, 9.0), "delay": ns.Uniform(0.5, 3.0)},
             {"rule": rule, "weight": 0.5}], threads=threads)


@pytest.mark.parametrize("mode", ["clocked", "event"])
@pytest.mark.parametrize("parts", [
    {"plasticity": PairSTDP(a_plus=0.1, w_max=20.0)}, {"release": ns.TsodyksMarkram(u_0=0.4)},
    {"receptor": ns.ExponentialCurrent(np.linspace(1.0, 5.0, 8)), "weight": 900.0},
    {"receptor": ns.AlphaCurrent(3.0), "weight": ns.Uniform(300.0, 900.0)},
], ids=lambda parts: next(iter(parts)))
def test_every_kind_of_synapse_in_both_modes(parts, mode):
    options = {"weight": ns.Uniform(4.0, 9.0), "delay": 1.5, **parts}
    compare([options, {"within": True, "rule": ns.AllToAll(self_connections=False), "weight": -0.5}], mode=mode)


@pytest.mark.parametrize("parts", [
    {"device": Coarse()},
    {"receptor": ns.ExponentialConductance(3.0, 0.0), "weight": 20.0},
    {"plasticity": PairSTDP(delay="dendritic", w_max=20.0), "delay": 0.7},
])
@pytest.mark.parametrize("threads", [1, 3])
def test_devices_conductances_and_dendritic_delays(parts, threads):
    compare([{"weight": ns.Uniform(4.0, 9.0), **parts}], threads=threads)


def test_packed_weights():
    compare([{"weight": ns.Uniform(2.0, 9.0)}, {"weight": ns.Uniform(0.0, 1.0)}], packed=True, threads=3)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("drive, receptor", [
    (ns.InjectedCurrent(np.linspace(100.0, 400.0, 8)), None), (ns.StepCurrent(300.0, start=10.0, stop=70.0), None),
    (ns.InjectedCurrent(ns.TimedArray(np.arange(16.0).reshape(2, 8) * 30.0, every=30.0)), None),
    (ns.OUCurrent(mean=200.0, std=80.0, tau=5.0), None), (ns.PoissonDrive(rate=4000.0, weight=0.6), ns.Delta()),
    (ns.PoissonDrive(rate=np.linspace(100.0, 1500.0, 8), weight=np.linspace(3.0, 0.9, 8)), ns.Delta()),
    (ns.PoissonDrive(rate=6000.0, weight=30.0), ns.ExponentialCurrent(2.0)),
    (ns.PoissonDrive(rate=6000.0, weight=1.0), ns.ExponentialConductance(2.0, 0.0)),
], ids=lambda each: type(each).__name__)
def test_every_drive(drive, receptor, threads):
    compare([], [(drive, receptor)], threads=threads)


@pytest.mark.parametrize("drive, receptor", [
    (ns.InjectedCurrent(np.linspace(100.0, 400.0, 8)), None), (ns.StepCurrent(300.0, start=10.0, stop=70.0), None),
    (ns.PoissonDrive(rate=4000.0, weight=np.linspace(0.3, 0.9, 8)), ns.Delta()),
])
def test_drives_in_the_event_mode(drive, receptor):
    sims = []
    for scattered in (False, True):
        net, _, b = build(scattered, [], [(drive, receptor)])
        record_every(net, "event")
        sim = simulation(net, "event")
        sim.run(40.0)
        sim.set(net.drives[0], **({"amplitude": 350.0} if receptor is None else {"weight": 0.8}))
        sim.run(60.0)
        sims.append((sim, b))
    (alone, b), (sim, d) = sims
    assert len(sim.spikes(d)) and np.array_equal(sim.spikes(d).times, alone.spikes(b).times)
    assert np.array_equal(sim.trace(d, "v")[1], alone.trace(b, "v")[1])


@pytest.mark.parametrize("mode", ["clocked", "event"])
def test_setting_looking_and_scaling_between_runs(mode):
    def act(sim, a, b):
        plastic, other = sim.net.projections
        sim.set(b, v=np.linspace(-69.0, -60.0, 8), tau_mem=np.linspace(5.0, 30.0, 8))
        sim.set(plastic, weight=np.linspace(1.0, 9.0, len(sim.synapses(plastic))))
        sim.scale(plastic, np.linspace(0.5, 1.5, 8))
        sim.set(other, weight=3.0)

    _, sim, _, d = compare([{"weight": ns.Uniform(4.0, 9.0), "plasticity": PairSTDP(w_max=20.0)}, {"weight": 1.0}],
                           mode=mode, act=act)
    assert np.array_equal(sim.get("target", "v")[PLACES[2:5]], sim.get(d[2:5], "v"))


def test_what_is_recorded_of_a_part_is_served_for_its_parts_and_in_files(tmp_path):
    net, _, b = build(True, [{"weight": 9.0}])
    net.recorders.clear()
    net.record(b, to=tmp_path / "s.h5")
    net.record(b, "v", ids=[1, 6], to=tmp_path / "v.h5")
    net.record("target")
    sim = simulation(net)
    sim.run(90.0)
    whole, part = sim.spikes("target"), sim.spikes(b)
    assert len(part) and np.array_equal(PLACES[part.ids], whole.ids) and np.array_equal(part.times, whole.times)
    for sub in (b[::2], b[[1, 2, 7]], b[3], b[1:4], net["target"][[3, 132]]):
        found = sim.spikes(sub)
        keep = np.isin(whole.ids, sub.ids)
        assert np.array_equal(sub.ids[found.ids], whole.ids[keep]) and found.size == sub.size
    assert np.array_equal(sim.trace(b[[1, 6]], "v")[1], sim.trace(b, "v")[1])
    with pytest.raises(ns.NetworkError, match="must be recorded"):
        sim.trace(b[[1, 2]], "v")
    assert np.array_equal(ns.Spikes.load(tmp_path / "s.h5").ids, part.ids)
    assert np.array_equal(ns.read_trace(tmp_path / "v.h5")[1], sim.trace(b, "v")[1])


def test_states_batches_clones_and_wiring_anew(tmp_path):
    results = []
    for scattered in (False, True):
        net, a, b = build(scattered, [{"weight": ns.Uniform(4.0, 9.0), "plasticity": PairSTDP(w_max=20.0)}],
                          [(ns.OUCurrent(mean=0.0, std=50.0, tau=5.0), None)])
        sim = simulation(net, threads=1 + 2 * scattered)
        sim.run(20.0)
        sim.save(tmp_path / f"{scattered}.h5")
        loaded, twin = ns.Simulation.load(tmp_path / f"{scattered}.h5", net, threads=1), sim.clone()
        late = sim.rewire(net.projections[0], [0, 4, 4], [7, 0, 5], weight=[8.0, 9.0, 7.0], delay=1.0,
                          continues=[3, -1, -1], under_way="accept")
        for each in (sim, loaded, twin, late):
            each.run(50.0)
        assert loaded.spikes(b) == sim.spikes(b) == twin.spikes(b)
        batch = simulation(net).run_batch(2, 60.0)
        p = late.net.projections[0]
        results.append([sim.get(b, "v"), late.get(b, "v"), late.synapses(p).target, late.synapses(p).weight,
                        *(r.spikes(b).times for r in batch), *(r.trace(b, "v")[1] for r in batch)])
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


def test_gap_junctions_energy_and_what_others_read():
    from hardware_models.energy import EventCosts, run_energy

    found = []
    for scattered in (False, True):
        net, _, b = build(scattered, [{"weight": 9.0, "rule": ns.FixedProbability(0.7)}])
        net.couple(b, b, ns.Explicit([0, 1, 5], [1, 2, 7]), conductance=2.0)
        net.record("source")
        net.record("target") if scattered else None
        sim = simulation(net, threads=1)
        sim.run(90.0)
        resolved = sim.resolved().projections[net.projections[0].name]
        places, sources = (PLACES, SOURCES) if scattered else (np.arange(8), np.arange(5))
        back = [np.searchsorted(which, of) for which, of in ((sources, resolved.source), (places, resolved.target))]
        assert np.isin(resolved.target, places).all() and np.isin(resolved.source, sources).all()
        events = run_energy(sim, EventCosts(synaptic_event=1.0, spike=1.0, neuron_update=0.0, t_update=1.0))
        found.append([sim.get(b, "v"), *back, list(events.events.values())])
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 11), min_size=1), st.sets(st.integers(0, 11), min_size=1), st.integers(0, 2**32))
def test_nobody_is_connected_with_itself_where_that_is_left_out(one, other, seed):
    net = ns.Network()
    cells = net.add(ns.LIF(), 12)
    a, b = cells[sorted(one)], cells[sorted(other)]
    pairs = a.size * b.size - len(one & other)
    try:
        p = net.connect(a, b, ns.AllToAll(self_connections=False))
    except ns.UnsupportedError as error:
        assert "scattered parts that have some of their neurons in common" in str(error)
        assert one & other and (a.scattered is not None or b.scattered is not None)
        return
    synapses = ns.Simulation(net, seed=seed).synapses(p)
    assert len(synapses) == pairs and (a.ids[synapses.source] != b.ids[synapses.target]).all()


def test_parts_that_follow_each_other_are_the_same_however_they_are_written():
    net = ns.Network()
    cells = net.add(ns.LIF(), 10, name="cells")
    for part in (cells[[2, 3, 4]], cells[2:5:1], cells[np.isin(np.arange(10), [2, 3, 4])], cells[1:6][[1, 2, 3]]):
        assert (part.name, part.start, part.size, part.scattered) == ("cells[2:5]", 2, 3, None)
    assert cells[::2].name == "cells[0:10:2]" == cells[[0, 2, 4, 6, 8]].name
    assert cells[::2][1:3].ids.tolist() == [2, 4] and cells[::2][[0, 4]].ids.tolist() == [0, 8]
    many = [net.add(ns.LIF(), 1000)[np.sort(np.random.default_rng(k).choice(1000, 50, False))] for k in range(3)]
    assert len({part.name.split("[")[1] for part in many}) == 3
    one, other = ns.Network(), ns.Network()
    for n, members in ((one, [0, 2, 5]), (other, [0, 2, 6])):
        n.drive(n.add(ns.LIF(), 9, name="c")[members], ns.InjectedCurrent(1.0), name="d")
    assert one.fingerprint() != other.fingerprint()


@pytest.mark.parametrize("part, sentence", [
    ([3, 1], r"must ascend, each once, got \[\[3, 1\]\]; sort them"), ([1, 1], "must ascend, each once"),
    ([1, 10], r"must lie in 0 .. 9, got 10"), ([-1, 2], r"must lie in 0 .. 9, got -1"), ([], "must hold a neuron"),
    (slice(None, None, -1), r"or members that ascend, \[\[1, 3, 4\]\], got \[::-1\]"), ("a", r"got \['a'\]"),
    ([True, False], "got"), ([0.5, 1.5], "got"), (None, r"got \[None\]"), (slice(0, 9, 0), r"got \[0:9:0\]"),
])
def test_what_is_no_part_is_refused(part, sentence):
    with pytest.raises(ns.ParameterError, match=sentence):
        ns.Network().add(ns.LIF(), 10)[part]


def test_a_file_of_a_network_names_scattered_parts(tmp_path):
    path = tmp_path / "n.toml"
    path.write_text('[simulation]\nduration = 5.0\n[[population]]\nname = "c"\nsize = 10\nmodel = {type = "LIF"}\n'
                    '[[drive]]\ntarget = "c[::3]"\ndrive = {type = "InjectedCurrent", amplitude = 300.0}\n'
                    '[[record]]\nwhat = "c[1, 3]"\n')
    net, _ = read(path)
    assert net.drives[0].target.ids.tolist() == [0, 3, 6, 9] and net.recorders[0].what.ids.tolist() == [1, 3]


@pytest.mark.usefixtures("gradient_loops")
def test_gradients_reach_scattered_parts():
    found = []
    for scattered in (False, True):
        net, _, b = build(scattered, [{"weight": np.linspace(4.0, 9.0, 40).reshape(5, 8), "delay": 1.5}])
        net.recorders.clear()
        model = Differentiable(net)
        name = net.projections[0].name
        found.append([*model.synapses(name), model.values(name, "weight")])
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)
