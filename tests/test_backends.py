"""What is handed to other simulators, without any of them: input as it is drawn, bodies as statements, programs."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
from backend_networks import NETWORKS, RULES, SEED, learning, ours

import neurosim as ns
from neurosim.backends.handing import hand_over
from neurosim.backends.inputs import currents_of, events_of, trains_of
from neurosim.backends.nest_text import program
from neurosim.backends.tracing import Trace
from neurosim.errors import FileError, ParameterError, UnsupportedError
from neurosim.running import Run
from neurosim.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning")
DT, TICKS = 0.1, 300


def driven(noise):
    """Sources, events and currents of all kinds at neurons that never spike."""
    net = ns.Network()
    some, many = net.add(ns.Poisson(ns.Uniform(5.0, 50.0)), 200, name="some"), net.add(ns.Poisson(800.0), 150)
    cells = net.add(ns.LeakyIntegrator(tau_mem=10.0), 300, name="cells")
    for source in (some, many):
        net.record(source)
    net.drive(cells[50:250], ns.PoissonDrive(rate=3000.0, weight=ns.Uniform(0.1, 0.3)))
    net.drive(cells, ns.PoissonDrive(rate=ns.TimedArray([100.0, 900.0], every=10.0), weight=0.5), name="timed")
    net.drive(cells, ns.StepCurrent(50.0, start=5.0, stop=20.0))
    net.drive(cells[:100], ns.SineCurrent(20.0, frequency=50.0))
    if noise:
        net.drive(cells, ns.OUCurrent(mean=50.0, std=10.0, tau=5.0))
        net.drive(cells, ns.WhiteNoiseCurrent(mean=0.0, sigma=20.0))
    net.record(cells, "v")
    return net


def laid(net):
    return Run(net.copy(), Settings(dt=DT, seed=SEED, dtype="float64", mode="clocked"), record=False)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [pytest.param(False, marks=pytest.mark.slow), True])
def test_input_is_what_a_simulation_draws(noise):
    """v of a leaky membrane, by its exact formula from the trains and currents, is v of the simulation."""
    net = driven(noise)
    sim, run = ours(net, DT, TICKS * DT), laid(net)
    trains, events, currents = (find(run, TICKS) for find in (trains_of, events_of, currents_of))
    for source, train in trains.items():
        spikes = sim.spikes(source)
        np.testing.assert_array_equal(np.repeat(train.ticks, train.counts), spikes.ticks)
        np.testing.assert_array_equal(np.repeat(train.ids, train.counts), spikes.ids)
    arrivals = np.zeros((TICKS + 1, 300))
    for drive, train in events.items():
        weight = np.zeros(300)
        weight[drive.target.start:drive.target.start + drive.target.size] = run.plan.drives[drive].parameters.weight
        np.add.at(arrivals, (train.ticks, train.ids), train.counts * weight[train.ids])
        assert train.several > 1
    (rows,) = [steps.rows(TICKS) for steps in currents.values()]
    v, keep, found = np.full(300, -70.0), np.exp(-DT / 10.0), [np.full(300, -70.0)]
    for tick in range(1, TICKS + 1):
        v = -70.0 + (v + 70.0) * keep + 0.1 * rows[tick - 1] * (1.0 - keep) + arrivals[tick]
        found.append(v)
    np.testing.assert_allclose(found, sim.trace("cells", "v")[1], atol=1e-9)


def test_a_current_that_all_neurons_share_is_kept_once_for_each_change():
    net = ns.Network()
    cells = net.add(ns.LIF(), 1000, name="cells")
    net.drive(cells, ns.StepCurrent(50.0, start=5.0, stop=20.0))
    (steps,) = currents_of(laid(net), TICKS).values()
    assert steps.since.tolist() == [1, 51, 201] and steps.values.ravel().tolist() == [0.0, 50.0, 0.0]


def both_ways(x, y):
    if x > y:
        return x - y, y * 2.0
    return x, min(y, 3.0) if y > 2.0 else -y


@pytest.mark.parametrize("x", [-1.0, 1.0, 2.5, 5.0])
@pytest.mark.parametrize("y", [0.5, 2.5, 7.0])
def test_statements_compute_what_a_body_computes(x, y):
    trace = Trace()
    out = trace.call(both_ways, {"x": "a", "y": "b"})
    space = {"a": x, "b": y, "clip": np.clip}
    exec("\n".join(trace.lines), space)
    assert [eval(each.text, space) for each in out] == list(both_ways(x, y))


def endless(x):
    while x > 1.0:
        x = x * 0.5
    return x


def counted(x):
    return sum(range(int(x)))


def test_what_cannot_be_written_is_refused():
    with pytest.raises(UnsupportedError, match="decides too often by values"):
        Trace().call(endless, {"x": "a"})
    with pytest.raises(UnsupportedError, match="counted cannot be written as statements: the length of a loop"):
        Trace().call(counted, {"x": "a"})


@pytest.mark.slow
def test_a_program_for_nest_needs_no_nest():
    made = program(hand_over(NETWORKS["currents"][0](), 10.0, DT, SEED, "NEST", "same"))
    text = made.text("network.py")
    compile(text, "network.py", "exec")
    assert "'iaf_psc_exp_multisynapse', 1000" in text and "1000 neurons in 1 populations" in text
    assert "'V_th': -49.99999999999999," in text  # the next number above the threshold, as NEST takes >=
    assert max(map(len, text.splitlines())) < 300


@pytest.mark.parametrize(("change", "words"), [
    ({"receptor": ns.ExponentialCurrent(10.0)}, "takes no tau_syn that is equal to tau_mem"),
    ({"receptor": ns.NMDA()}, "NEST has no model of LIF with NMDA"),
    pytest.param({"release": ns.TsodyksMarkram()}, "release by TsodyksMarkram", marks=pytest.mark.slow),
    ({"plasticity": RULES["pairs"][0]}, "no synapse that learns as PairSTDP"),
    ({"model": ns.LIF(reset="subtract")}, "reset v to a value"),
    pytest.param({"model": ns.HodgkinHuxley()}, "NEST has no model that is HodgkinHuxley", marks=pytest.mark.slow),
    ({"model": ns.Izhikevich()}, "a Pulse, not as Delta"),
    pytest.param({"model": ns.Izhikevich(scheme="fine")}, "one step per tick", marks=pytest.mark.slow),
    pytest.param({"model": ns.AdExIF()}, "scheme='own' lets NEST do it its way", marks=pytest.mark.slow),
    ({"both": True}, "with both Delta and ExponentialCurrent"),
])
def test_what_nest_cannot_express_is_refused_by_name(change, words):
    change = dict(change)
    net, both = ns.Network(), change.pop("both", False)
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=2, duration=5.0)), name="source")
    cells = net.add(change.pop("model", ns.LIF()), 3, name="cells")
    net.connect(source, cells, weight=0.5, name="in", **change)
    if both:
        net.connect(source, cells, weight=5.0, receptor=ns.ExponentialCurrent(2.0))
    with pytest.raises(UnsupportedError, match=f"'(cells|in)' cannot be run by NEST: .*{words}"):
        program(hand_over(net, 5.0, DT, SEED, "NEST", "same"))


def test_scripts_are_written_whole_or_not_at_all(tmp_path):
    net = NETWORKS["currents"][0]()
    with pytest.raises(ParameterError, match="must end in '.py', got 'network'"):
        ns.backends.script(net, "nest", tmp_path / "network", 10.0)
    with pytest.raises(FileError, match="its folder does not exist"):
        ns.backends.script(net, "nest", tmp_path / "nowhere" / "network.py", 10.0)
    with pytest.raises(ParameterError, match="Brian2 writes programs in C"):
        ns.backends.script(net, "brian2", tmp_path / "network.py", 10.0)
    assert not list(tmp_path.iterdir())


def test_arguments_are_checked():
    net = NETWORKS["currents"][0]()
    with pytest.raises(ParameterError, match="scheme must be 'same' or 'own', got 'mine'"):
        ns.backends.run(net, 10.0, scheme="mine")
    with pytest.raises(ParameterError, match="net must be a Network, got 3"):
        ns.backends.run(3, 10.0)
    with pytest.raises(ParameterError, match="backend must be 'brian2' or 'nest', got 'arbor'"):
        ns.backends.run(net, 10.0, backend="arbor")


@pytest.mark.parametrize(("name", "title"), [("brian2", "Brian2"), ("nest", "NEST")])
def test_a_simulator_that_is_not_there_is_named(name, title, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)  # which no form of import gets past
    with pytest.raises(UnsupportedError, match=rf"must have {title}, which is not installed.*toolkit\[{name}\]"):
        ns.backends.run(learning(RULES["pairs, dendritic, after"][0]), 1.0, backend=name)


def test_the_package_imports_no_simulator():
    code = "import sys, neurosim as ns; ns.backends.run; print(*({'brian2', 'nest'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == ""
    assert importlib.import_module("neurosim.backends").__all__ == ["Result", "run", "script"]
