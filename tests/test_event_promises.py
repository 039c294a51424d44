"""What the event-driven mode promises: cuts, checkpoints, seeds, statistics, plasticity, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.contracts import Crossing, Plasticity, Trace

pytestmark = pytest.mark.filterwarnings("ignore:population .* has never spiked")


class Pairs(Plasticity):
    """Additive STDP, for these tests."""

    a_plus = Parameter(0.2, "", doc="potentiation")
    a_minus = Parameter(0.1, "", doc="depression")
    tau_plus = Parameter(20.0, "ms", above=0, per_element=False, doc="time constant")
    tau_minus = Parameter(15.0, "ms", above=0, per_element=False, doc="time constant")
    source_traces = {"x": Trace("tau_plus")}
    target_traces = {"y": Trace("tau_minus")}

    @staticmethod
    def on_source(weight, y, a_minus):
        return weight - a_minus * y

    @staticmethod
    def on_target(weight, x, a_plus):
        return weight + a_plus * x


def train(times, ids=None, size=1, duration=1000.0):
    ids = np.zeros(len(times), dtype=int) if ids is None else ids
    return ns.SpikeSource(ns.Spikes.from_times(times, ids, size=size, duration=duration))


def lively(plastic=True):
    """A network with everything that can be under way: Poisson, drives, delays, learning, release, steps of a
    current."""
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=40.0), 30, name="noise")
    cells = net.add(ns.LIF(t_ref=1.5, i_bias=60.0), 20, name="cells")
    quick = net.add(ns.Izhikevich(0.1, 0.2, -65.0, 2.0, scheme="fine"), 5, name="quick")
    net.connect(noise, cells, ns.FixedProbability(0.4), weight=130.0, delay=ns.Uniform(0.3, 3.0), name="in",
                receptor=ns.ExponentialCurrent(3.0), plasticity=Pairs(a_plus=1.0, a_minus=1.0) if plastic else None)
    net.connect(cells, cells, ns.FixedProbability(0.3), weight=-40.0, delay=1.7, receptor=ns.AlphaCurrent(5.0),
                release=ns.TsodyksMarkram(u_0=0.3, tau_rec=100.0, tau_facil=50.0))
    net.connect(cells, quick, ns.FixedProbability(0.5), weight=8.0, delay=0.77, receptor=ns.ExponentialCurrent(4.0))
    net.drive(cells, ns.PoissonDrive(rate=100.0, weight=2.0))
    net.drive(cells[:5], ns.StepCurrent(100.0, start=33.3, stop=66.6))
    for population in (cells, quick, noise):
        net.record(population)
    return net


def outcome(sim):
    return [sim.spikes(name) for name in ("cells", "quick", "noise")] + [sim.weights("in").tobytes()]


@pytest.fixture(scope="module")
def whole():
    sim = ns.Simulation(lively(), mode="event", seed=11)
    sim.run(100.0)
    return outcome(sim)


def test_it_is_lively(whole):
    assert len(whole[0]) > 100 and len(whole[1]) > 10 and len(whole[2]) > 60


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(0.01, 99.99), min_size=1, max_size=6, unique=True))
def test_cuts_anywhere_change_no_bit(whole, cuts):
    sim = ns.Simulation(lively(), mode="event", seed=11)
    for cut in sorted(cuts):
        sim.run(cut - sim.time)
        sim.get("cells", "v")
        sim.synapses("in")
    sim.run(100.0 - sim.time)
    assert [spikes.times.tobytes() for spikes in outcome(sim)[:3]] == [spikes.times.tobytes() for spikes in whole[:3]]
    assert outcome(sim)[3] == whole[3]


@settings(max_examples=4, deadline=None)
@given(st.integers(1, 99))
def test_save_and_load_and_restore_go_on_with_the_same_bits(whole, tmp_path_factory, at):
    path = tmp_path_factory.mktemp("event") / "state.h5"
    sim = ns.Simulation(lively(), mode="event", seed=11)
    sim.run(float(at))
    sim.save(path)
    state = sim.state()
    later = ns.Simulation.load(path, lively())
    assert later.time == at
    later.run(100.0 - at)
    assert outcome(later) == whole
    sim.run(100.0 - at)
    sim.restore(state)
    assert sim.time == at and sim.spikes("cells").stop == at
    sim.run(100.0 - at)
    assert outcome(sim) == whole


def test_the_seed_decides(whole):
    sim = ns.Simulation(lively(), mode="event", seed=12)
    sim.run(100.0)
    assert outcome(sim)[0] != whole[0]


def test_recorded_variables_change_nothing_and_are_those_of_their_times(whole):
    net = lively()
    net.record(net.population("cells"), "v", every=0.7, ids=[3, 4])
    net.record(net.projection("in"), "weight", every=25.0)
    sim = ns.Simulation(net, mode="event", seed=11)
    sim.run(100.0)
    assert outcome(sim)[3] == whole[3] and sim.spikes("cells") == whole[0]
    times, v = sim.trace("cells", "v")
    assert times.tolist() == [k * 0.7 for k in range(143)] and v.shape == (143, 2)
    other = ns.Simulation(lively(), mode="event", seed=11)
    other.run(70.0)
    assert other.get("cells", "v")[3:5].tolist() == v[100].tolist()
    times, weights = sim.trace("in", "weight")
    assert times.tolist() == [0.0, 25.0, 50.0, 75.0, 100.0] and weights[-1].tobytes() == whole[3]


def test_a_streamed_callback_sees_its_times():
    sim, seen = ns.Simulation(lively(), mode="event"), []
    sim.run(10.0, callback=lambda sim: seen.append(sim.time), callback_every=2.5)
    assert seen == [2.5, 5.0, 7.5, 10.0]


# -- randomness --------------------------------------------------------------------------------------------------------


def test_intervals_of_poisson_sources_and_drives():
    from scipy.stats import kstest

    net = ns.Network()
    noise = net.add(ns.Poisson(rate=[50.0] * 40 + [0.0]), 41, name="noise")
    cells = net.add(ns.LIF(), 40, name="cells")
    net.drive(cells, ns.PoissonDrive(rate=50.0, weight=100.0))
    net.record(noise)
    net.record(cells)
    sim = ns.Simulation(net, mode="event", seed=3)
    sim.run(5000.0)
    for spikes in (sim.spikes(noise), sim.spikes(cells)):
        intervals = np.concatenate([np.diff(spikes.times[spikes.ids == k], prepend=0.0) for k in range(40)])
        assert len(spikes) == pytest.approx(10000, abs=400)
        assert kstest(intervals, "expon", args=(0.0, 20.0)).pvalue > 1e-3
        assert np.unique(spikes.times).size == len(spikes)
    assert not (sim.spikes(noise).ids == 40).any()


# -- synapses ----------------------------------------------------------------------------------------------------------


def on_grid(**parts):
    """A network whose spikes all lie on the grid: jumps far over the threshold at given times."""
    generator = np.random.default_rng(2)
    net = ns.Network()
    source = net.add(train(np.sort(generator.choice(np.arange(1, 3000), 400, replace=False)) * 0.1,
                           generator.integers(0, 20, 400), 20), name="source")
    teacher = net.add(train(np.sort(generator.choice(np.arange(1, 3000), 200, replace=False)) * 0.1,
                            generator.integers(0, 10, 200), 10), name="teacher")
    cells = net.add(ns.LIF(tau_mem=5.0, t_ref=0.3), 10, name="cells")
    delays = np.round(generator.uniform(1, 30, (20, 10))) * 0.1
    net.connect(source, cells, ns.FixedProbability(0.5), weight=0.01, delay=delays, name="synapses", **parts)
    net.connect(teacher, cells, ns.OneToOne(), weight=100.0, delay=0.4)
    net.record(cells)
    return net


@pytest.mark.parametrize("parts", [
    pytest.param({"plasticity": Pairs(a_plus=1e-4, a_minus=2e-4)}, marks=pytest.mark.slow),
    pytest.param({"release": ns.TsodyksMarkram(u_0=0.4, tau_rec=80.0, tau_facil=30.0)}, marks=pytest.mark.slow),
    {"plasticity": Pairs(a_plus=1e-4, a_minus=2e-4), "release": ns.TsodyksMarkram(u_0=0.4, tau_rec=80.0,
                                                                                  tau_facil=30.0)}])
def test_learning_and_release_are_those_of_the_clocked_mode(parts):
    exact = ns.Simulation(on_grid(**parts), mode="event", seed=5)
    clocked = ns.Simulation(on_grid(**parts), dt=0.1, dtype="float64", seed=5)
    for sim in (exact, clocked):
        sim.run(310.0)
    assert len(exact.spikes("cells")) == len(clocked.spikes("cells")) > 100
    a, b = exact.synapses("synapses"), clocked.synapses("synapses")
    names = sorted(vars(a))
    assert names == sorted(vars(b)) and a.source.tolist() == b.source.tolist()
    for name in names:
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-9, abs=1e-12), name
    assert exact.get("cells", "v") == pytest.approx(clocked.get("cells", "v"), abs=1e-9)
    if "plasticity" in parts:
        assert np.abs(a.weight - 0.01).max() > 1e-4


@pytest.mark.parametrize("rule", ["AllToAll()", "OneToOne()", "FixedInDegree(3)", "FixedOutDegree(3)",
                                  "FixedTotal(40)"])
def test_every_rule_connects_the_same_in_both_modes(rule):
    net = ns.Network()
    a, b = net.add(ns.LIF(), 12, name="a"), net.add(ns.LIF(), 12, name="b")
    net.connect(a, b, eval(f"ns.{rule}"), weight=ns.Normal(1.0, 0.5), delay=2.0, name="p")
    exact, clocked = ns.Simulation(net, mode="event", seed=9), ns.Simulation(net, seed=9, dtype="float64")
    assert abs(exact.weights("p", sparse=True) - clocked.weights("p", sparse=True)).max() == 0.0


def test_parts_of_populations():
    net = ns.Network()
    source = net.add(train([1.0, 1.0], [0, 3], 4))
    cells = net.add(ns.LIF(), 6)
    net.connect(source[2:], cells[3:], weight=20.0, delay=0.5)
    net.record(cells[4:])
    sim = ns.Simulation(net, mode="event")
    sim.run(5.0)
    assert sim.spikes(cells[4:]).ids.tolist() == [0, 1] and sim.get(cells, "v")[:3].tolist() == [-70.0] * 3


# -- changes -----------------------------------------------------------------------------------------------------------


def test_set_parameters_and_states_and_weights():
    net = ns.Network()
    source = net.add(train([30.0]))
    cell = net.add(ns.LIF(tau_mem=10.0, r=0.1, i_bias=200.0), 1, name="cell")
    net.connect(source, cell, weight=0.0, delay=1.0, name="p")
    net.record(cell)
    sim = ns.Simulation(net, mode="event")
    sim.run(10.0)
    sim.set(cell, i_bias=0.0, v=-60.0)
    sim.run(10.0)
    assert sim.get(cell, "v")[0] == pytest.approx(-70.0 + 10.0 * np.exp(-1.0), abs=1e-12) and len(sim.spikes(cell)) == 0
    sim.set("p", weight=50.0)
    sim.run(20.0)
    assert sim.spikes(cell).times.tolist() == [31.0]
    with pytest.raises(ns.ParameterError, match="set"):
        sim.set("p", wait=1.0)
    with pytest.raises(ns.ParameterError, match="tau_mem"):
        sim.set(cell, tau_mem=-1.0)
    sim.set(cell, i_bias=300.0)
    before = sim.get(cell, "v")[0]
    sim.run(20.0)
    assert sim.spikes(cell).times[1] == pytest.approx(40.0 + 10.0 * np.log((-40.0 - before) / 15.0), abs=1e-9)


def test_rates_can_be_set_between_runs():
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=100.0), 100, name="noise")
    net.record(noise)
    sim = ns.Simulation(net, mode="event")
    sim.run(1000.0)
    sim.set(noise, rate=0.0)
    sim.run(1000.0)
    sim.set(noise, rate=np.linspace(0.0, 40.0, 100))
    sim.run(1000.0)
    spikes = sim.spikes(noise)
    counts = np.histogram(spikes.times, [0.0, 1000.0, 2000.0, 3000.0])[0]
    assert counts[0] == pytest.approx(10000, abs=500) and counts[1] == 0 and counts[2] == pytest.approx(2000, abs=250)
    with pytest.raises(ns.UnsupportedError, match="constant"):
        sim.set(noise, rate=ns.TimedArray([1.0, 2.0], every=1.0))


@pytest.mark.parametrize("kept", [False, True])
def test_a_state_brings_the_parameters_of_its_time_back_unless_they_are_kept(kept):
    net = ns.Network()
    cell = net.add(ns.LIF(tau_mem=10.0, r=0.1, i_bias=200.0), 1, name="cell")
    net.record(cell)
    sim = ns.Simulation(net, mode="event")
    sim.run(5.0)
    state, v = sim.state(), sim.get(cell, "v")[0]
    sim.set(cell, i_bias=400.0)
    sim.run(30.0)
    sim.restore(state, keep=[cell] if kept else [])
    assert sim.get(cell, "v")[0] == v
    sim.run(30.0)
    aim = -30.0 if kept else -50.0  # mV, at which v would rest
    assert sim.spikes(cell).times[0] == pytest.approx(5.0 + 10.0 * np.log((aim - v) / (aim + 55.0)), abs=1e-9)


def test_what_was_set_is_in_the_file(tmp_path):
    def described():
        net = ns.Network()
        cells = net.add(ns.LIF(i_bias=160.0), 3, name="cells")
        net.connect(cells, cells, weight=0.1, delay=1.1, name="p")
        net.record(cells)
        return net

    sim = ns.Simulation(described(), mode="event")
    sim.run(20.0)
    sim.set("cells", i_bias=[170.0, 180.0, 190.0])
    sim.set("p", weight=np.linspace(0.1, 0.9, 9))
    sim.run(20.0)
    sim.save(tmp_path / "a.h5")
    later = ns.Simulation.load(tmp_path / "a.h5", described())
    for each in (sim, later):
        each.run(60.0)
    assert sim.spikes("cells") == later.spikes("cells") and sim.weights("p").tolist() == later.weights("p").tolist()


# -- limits ------------------------------------------------------------------------------------------------------------


def test_the_queue_grows_and_loses_nothing():
    net = ns.Network()
    source = net.add(train(np.linspace(1.0, 2.0, 3000)))
    cells = net.add(ns.LIF(), 500)
    net.connect(source, cells, weight=0.001, delay=ns.Uniform(5.0, 50.0), name="p")
    net.record(source)
    sim = ns.Simulation(net, mode="event")
    sim.run(60.0)
    assert len(sim.spikes(source)) == 3000 and sim.events > 3000 * 500
    t, v = 60.0, -70.0
    delays = sim.synapses("p").delay
    arrivals = np.linspace(1.0, 2.0, 3000)[:, None] + delays[None]
    expected = v + 0.001 * np.exp(-(t - arrivals) / 10.0).sum(0)
    assert np.sort(sim.get(cells, "v")) == pytest.approx(np.sort(expected), abs=1e-9)


def test_a_queue_that_would_need_too_much_memory_stops_before_anything_is_lost():
    def described():
        net = ns.Network()
        source = net.add(train(np.linspace(1.0, 2.0, 20000)))
        cells = net.add(ns.LIF(), 10, name="cells")
        net.connect(source, cells, weight=0.001, delay=ns.Uniform(5.0, 50.0))
        return net

    small = ns.Simulation(described(), mode="event", memory_limit=1e5)
    with pytest.raises(ns.SimulationError, match="memory_limit"):
        small.run(60.0)
    reached = small.time
    assert 1.0 < reached < 2.0
    small.memory_limit = 1e9
    small.run(60.0 - reached)
    large = ns.Simulation(described(), mode="event")
    large.run(60.0)
    assert small.get("cells", "v").tolist() == large.get("cells", "v").tolist()


def refused(make, error=ns.UnsupportedError, match="event", **options):
    net = ns.Network()
    source = net.add(train([1.0]), name="source")
    make(net, source)
    with pytest.raises(error, match=match):
        ns.Simulation(net, mode="event", **options)


class Own(ns.LIF):
    """A neuron that changes when it fires, and does not say so."""

    @staticmethod
    def fires(v, v_threshold):
        return v > v_threshold + 1.0


@pytest.mark.parametrize(("model", "match"), [
    (ns.AdExIF(), "AdExIF"), (ns.StochasticLIF(), "StochasticLIF"), (ns.Izhikevich(), "scheme"), (Own(), "Own"),
    (ns.LIF(v_reset=-50.0), "v_reset")])
def test_models_without_an_exact_form_are_refused_by_name(model, match):
    error = ns.ParameterError if match == "v_reset" else ns.UnsupportedError
    refused(lambda net, source: net.add(model, 1), error, match)


def test_a_start_above_the_threshold_is_refused():
    refused(lambda net, source: net.add(ns.LIF(), 2, initial={"v": [-60.0, -54.0]}), ns.ParameterError, "initial v")


class Stated(Own):
    """The same neuron, which says what it does."""

    def crossing(self, p):
        return Crossing(p.v_threshold + 1.0, reset=p.v_reset)


def test_a_model_of_ones_own_that_states_its_exact_form_runs():
    net = ns.Network()
    cell = net.add(Stated(tau_mem=10.0, r=0.1, i_bias=200.0), 1)
    net.record(cell)
    sim = ns.Simulation(net, mode="event")
    sim.run(20.0)
    assert sim.spikes(cell).times[0] == pytest.approx(10.0 * np.log(20.0 / 4.0), abs=1e-12)


def test_ctrl_c_stops_between_two_events_and_the_run_can_go_on(whole):
    import signal

    sim = ns.Simulation(lively(), mode="event", seed=11)
    with pytest.raises(KeyboardInterrupt):
        sim.run(100.0, callback=lambda sim: signal.raise_signal(signal.SIGINT), callback_every=30.0)
    assert 30.0 <= sim.time <= 60.0
    sim.run(100.0 - sim.time, progress=True)
    assert outcome(sim)[3] == whole[3] and sim.spikes("cells").times.tolist() == whole[0].times.tolist()


@pytest.mark.parametrize(("parts", "match"), [
    ({"receptor": ns.ExponentialConductance(5.0, 0.0)}, "ExponentialConductance"), ({"receptor": ns.Pulse()}, "Pulse")])
def test_receptors_without_an_exact_form_are_refused_by_name(parts, match):
    refused(lambda net, source: net.connect(source, net.add(ns.LIF(), 1), **parts), match=match)


@pytest.mark.parametrize(("drive", "match"), [
    (ns.OUCurrent(mean=0.0, std=1.0, tau=5.0), "OUCurrent"), (ns.SineCurrent(1.0, frequency=10.0), "SineCurrent"),
    (ns.PoissonDrive(rate=ns.TimedArray([1.0, 2.0], every=1.0), weight=1.0), "rate"),
    (ns.InjectedCurrent(ns.TimedArray([1.0, 2.0], every=1.0, after="repeat")), "repeat")])
def test_drives_that_change_all_the_time_are_refused_by_name(drive, match):
    refused(lambda net, source: net.drive(net.add(ns.LIF(), 1), drive), match=match)


class Periodic(Pairs):
    """A rule with a period."""

    period = 10.0

    @staticmethod
    def on_period(weight):
        return weight


class Reader(Pairs):
    """A rule that reads its target."""

    reads = ("v",)


@pytest.mark.parametrize(("rule", "match"), [(Periodic(), "on_period"), (Reader(), "reads"), ([Pairs(), Pairs()],
                                                                                              "several")])
def test_rules_that_cannot_be_carried_are_refused_by_name(rule, match):
    refused(lambda net, source: net.connect(source, net.add(ns.LIF(), 1), plasticity=rule), match=match)


@pytest.mark.parametrize(("options", "match"), [({"dt": 0.1}, "dt"), ({"threads": 2}, "threads"),
                                                ({"dtype": "float32"}, "dtype")])
def test_options_of_the_clocked_mode_are_refused(options, match):
    refused(lambda net, source: None, match=match, **options)


def test_other_refusals(tmp_path):
    refused(lambda net, source: net.record(source, to=tmp_path / "a.h5"), match="streamed")

    def record_v(net, source):
        net.record(net.add(ns.LIF(), 1), "v")

    refused(record_v, match="every")
    net = ns.Network()
    net.add(ns.LIF(), 1)
    sim = ns.Simulation(net, mode="event")
    with pytest.raises(ns.UnsupportedError, match="run_batch"):
        sim.run_batch([], 1.0)
    for bad in (-1.0, np.nan, np.inf, "1", None):
        with pytest.raises(ns.ParameterError, match="duration"):
            sim.run(bad)
    with pytest.raises(ns.ParameterError, match="state"):
        sim.restore(ns.Simulation(net).state())
    with pytest.raises(ns.ParameterError, match="mode"):
        ns.Simulation(net, mode="continuous")


def test_a_value_that_is_not_finite_stops_the_run():
    net = ns.Network()
    source = net.add(train([1.0, 2.0]))
    cell = net.add(ns.LeakyIntegrator(), 1, name="cell")
    net.connect(source, cell, weight=1.7e308, delay=1.0)
    sim = ns.Simulation(net, mode="event")
    with pytest.raises(ns.SimulationError, match="v of neuron 0 of 'cell'"):
        sim.run(10.0)
