"""The description: what it accepts, what it refuses and how, and that it says what is there."""

import numpy as np
import pytest
from scipy.sparse import csr_array

import neurosim as ns


@pytest.fixture
def parts():
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=10.0), 20, name="noise")
    cells = net.add(ns.LIF(), 30, name="cells")
    silent = net.add(ns.LeakyIntegrator(), 5, name="silent")
    return net, noise, cells, silent


def foreign():
    return ns.Network().add(ns.LIF(), 3, name="stranger")


REFUSED = {
    "model": (lambda n, s, c, q: n.add("LIF", 3), ns.ParameterError,
              "model must be a neuron model or a source, got 'LIF'"),
    "size": (lambda n, s, c, q: n.add(ns.LIF(), 0), ns.ParameterError, "size .* number in 1 .. 2\\^32 - 1, got 0"),
    "size bool": (lambda n, s, c, q: n.add(ns.LIF(), True), ns.ParameterError, "size .* got True"),
    "name taken": (lambda n, s, c, q: n.add(ns.LIF(), 3, name="cells"), ns.NetworkError, "'cells', which is taken"),
    "lengths": (lambda n, s, c, q: n.add(ns.LIF(tau_mem=[1.0, 2.0]), 3), ns.ParameterError,
                "LIF.tau_mem must have one value per neuron, 3, got 2"),
    "initial name": (lambda n, s, c, q: n.add(ns.LIF(), 3, initial={"w": 1.0}), ns.ParameterError, r"\(v\), got 'w'"),
    "initial value": (lambda n, s, c, q: n.add(ns.LIF(), 3, initial={"v": np.nan}), ns.ParameterError,
                      "initial.v must be a finite number mV, got nan"),
    "from silent": (lambda n, s, c, q: n.connect(q, c), ns.NetworkError, "source must emit spikes, but 'silent'"),
    "to source": (lambda n, s, c, q: n.connect(c, s), ns.NetworkError, "'noise' is a source of spikes"),
    "stranger": (lambda n, s, c, q: n.connect(foreign(), c), ns.NetworkError, "'stranger' is of another one"),
    "not a population": (lambda n, s, c, q: n.connect(20, c), ns.ParameterError,
                         "source must be a population, got 20"),
    "no such name": (lambda n, s, c, q: n.connect("nois", c), ns.NetworkError,
                     "population must be one of 'noise', 'cells', 'silent', got 'nois'; did you mean 'noise'"),
    "gap junction": (lambda n, s, c, q: n.connect(c, c, receptor="gap junction"), ns.ParameterError,
                     r"gap junctions are made by couple\(...\)"),
    "rule": (lambda n, s, c, q: n.connect(s, c, 0.1), ns.ParameterError, "rule must be a Rule, got 0.1"),
    "sizes": (lambda n, s, c, q: n.connect(s, c, ns.OneToOne()), ns.ParameterError, "OneToOne"),
    "weight": (lambda n, s, c, q: n.connect(s, c, weight=np.inf), ns.ParameterError, "weight must be a finite number"),
    "weight text": (lambda n, s, c, q: n.connect(s, c, weight="strong"), ns.ParameterError, "got 'strong'"),
    "delay": (lambda n, s, c, q: n.connect(s, c, delay=-1.0), ns.ParameterError,
              "delay must be a finite number > 0 ms"),
    "backwards": (lambda n, s, c, q: c[::-1], ns.ParameterError,
                  r"must be one member, \[3\], a slice, .*or members that ascend, .*, got \[::-1\]"),
    "disorder": (lambda n, s, c, q: c[[3, 1]], ns.ParameterError, r"must ascend, each once, got \[\[3, 1\]\]; sort"),
    "no member": (lambda n, s, c, q: c[30], ns.ParameterError, r"must be one of 0 \.\. 29, got \[30\]"),
    "empty": (lambda n, s, c, q: c[30:], ns.ParameterError, "must hold a neuron; it has 30"),
    "drive a source": (lambda n, s, c, q: n.drive(s, ns.SineCurrent(1.0, frequency=2.0)), ns.NetworkError,
                       "is a source of spikes"),
    "drive with source": (lambda n, s, c, q: n.drive(c, ns.Poisson(1.0)), ns.ParameterError, "connected with connect"),
    "receptor of current": (lambda n, s, c, q: n.drive(c, ns.SineCurrent(1.0, frequency=2.0), receptor=ns.Delta()),
                            ns.ParameterError, "receptor must be None for a current"),
    "record silent": (lambda n, s, c, q: n.record(q), ns.UnsupportedError, "never spikes; record 'v'"),
    "record unknown": (lambda n, s, c, q: n.record(c, "u"), ns.ParameterError, "must be one of spikes, v, got 'u'"),
    "record every": (lambda n, s, c, q: n.record(c, "v", every=0), ns.ParameterError, "every must be"),
    "record ids": (lambda n, s, c, q: n.record(c, "v", ids=[30]), ns.ParameterError, r"in 0 \.\. 29"),
    "record float ids": (lambda n, s, c, q: n.record(c, "v", ids=[0.5]), ns.ParameterError, "ids must be"),
    "unknown name": (lambda n, s, c, q: n.population("cell"), ns.NetworkError,
                     "'noise', 'cells', 'silent', got 'cell'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_with_a_sentence(parts, name):
    act, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        act(*parts)


def test_recording_twice_is_refused(parts):
    net, _, cells, _ = parts
    net.record(cells, "v")
    with pytest.raises(ns.NetworkError, match="recorded already"):
        net.record(cells, "v")
    with pytest.raises(ns.NetworkError, match="recorded already"):
        net.record(cells[0:30], "v")
    net.record(cells[0:10], "v")


def test_a_member_is_a_part_of_one(parts):
    net, _, cells, _ = parts
    assert (cells[3].start, cells[3].size, cells[3].name) == (3, 1, "cells[3:4]")
    assert (cells[-1].start, cells[10:20][2].start, cells[np.int64(5)].start) == (29, 12, 5)
    assert [each.start for each in cells[4:7]] == [4, 5, 6]


def test_names_stand_for_populations_and_projections(parts):
    net, noise, cells, _ = parts
    assert net["cells"] is cells and "cells" in net and cells in net and "cell" not in net
    assert list(net) == net.populations
    projection = net.connect("noise", "cells", receptor=ns.ExponentialCurrent(5.0))
    assert projection.source is noise and projection.target is cells
    net.drive("cells", ns.InjectedCurrent(100.0))
    net.record("cells", "i_syn")
    net.record("noise -> cells", "weight")
    assert [recorder.what for recorder in net.recorders] == [cells, projection]


def test_receptors_have_names_by_which_their_variables_are_recorded(parts):
    net, noise, cells, silent = parts
    ampa, gaba = ns.ExponentialCurrent(2.0, name="ampa"), ns.ExponentialCurrent(8.0, name="gaba")
    net.connect(noise, cells, weight=10.0, receptor=ampa)
    net.connect(noise, cells, weight=-5.0, receptor=gaba)
    net.connect(noise, cells, weight=-5.0, receptor=gaba)
    net.connect(noise, cells, weight=1.0, receptor=ns.ExponentialCurrent(3.0))
    assert list(net.variables(cells)) == ["v", "i_syn[ampa]", "i_syn[gaba]", "i_syn"]
    with pytest.raises(ns.ParameterError, match=r"one of spikes, v, i_syn\[ampa\], i_syn\[gaba\], i_syn, got 'i_syn\["):
        net.record(cells, "i_syn[0]")
    with pytest.raises(ns.NetworkError, match=r"must be new, or the receptors equal, .*tau_syn=3.0.*, where .*ampa"):
        net.connect(noise, cells, receptor=ns.ExponentialCurrent(3.0, name="ampa"))
    with pytest.raises(ns.ParameterError, match="name must be a name of letters, digits and _, or None, got 'a b'"):
        ns.ExponentialCurrent(3.0, name="a b")
    net.record(cells, "i_syn[gaba]")
    net.record(cells, "i_syn[ampa]")
    sim = ns.Simulation(net, dt=0.1, seed=1)
    sim.run(20.0)
    excited, inhibited = (sim.trace(cells, f"i_syn[{name}]")[1] for name in ("ampa", "gaba"))
    assert excited.max() > 0 > inhibited.min() and excited.min() >= 0 >= inhibited.max()


def test_a_name_of_a_receptor_changes_no_result(parts):
    def spikes(name):
        net = ns.Network()
        noise, cells = net.add(ns.Poisson(100.0), 20), net.add(ns.LIF(), 10)
        net.connect(noise, cells, weight=100.0, receptor=ns.ExponentialCurrent(2.0, name=name))
        net.record(cells)
        sim = ns.Simulation(net, seed=1)
        sim.run(100.0)
        return sim.spikes(cells)

    assert spikes(None) == spikes("ampa") and len(spikes(None))


def test_arrays_of_weights_and_delays_are_the_networks_own(parts):
    net, noise, cells, _ = parts
    weights, delays = np.ones((20, 30)), np.ones((20, 30))
    projection = net.connect(noise, cells, weight=weights, delay=delays)
    before = net.fingerprint()
    weights[:], delays[:] = 7.0, 3.0
    assert net.fingerprint() == before and projection.weight.max() == projection.delay.max() == 1.0
    with pytest.raises(ValueError, match="read-only"):
        projection.weight[0, 0] = 2.0


def test_a_sparse_matrix_brings_its_weights(parts):
    net, _, cells, silent = parts
    matrix = np.zeros((30, 5))
    matrix[3, 1], matrix[29, 4] = 1.5, -2.0
    projection = net.connect(cells, silent, ns.Sparse(csr_array(matrix)))
    plain = net.connect(cells, silent)
    sim = ns.Simulation(net)
    np.testing.assert_array_equal(sim.weights(projection, sparse=True).toarray(), matrix)
    assert set(sim.weights(plain)) == {1.0}


def test_equal_receptors_are_one_port_and_others_have_their_own(parts):
    net, noise, cells, _ = parts
    for tau in (5.0, 10.0, 5.0):
        net.connect(noise, cells, receptor=ns.ExponentialCurrent(tau))
    assert [port.tau_syn for port in net.ports(cells)] == [5.0, 10.0]
    assert list(net.variables(cells)) == ["v", "i_syn[0]", "i_syn[1]"]


def test_the_fingerprint_follows_every_number(parts):
    def fingerprint(weight=1.0, tau=10.0, ids=(0, 1)):
        net = ns.Network()
        cells = net.add(ns.LIF(tau_mem=tau), 2)
        net.connect(cells, cells, ns.Explicit([0], [ids[1]]), weight=weight)
        return net.fingerprint()

    same = fingerprint()
    assert same == fingerprint()
    assert len({same, fingerprint(weight=2.0), fingerprint(tau=np.array([10.0, 11.0])), fingerprint(ids=(0, 0))}) == 4


def test_frozen_things_say_how_to_change_them():
    model = ns.LIF(tau_mem=20.0)
    with pytest.raises(AttributeError, match="frozen; make another one with replace"):
        model.tau_mem = 10.0
    assert model.replace(tau_mem=10.0) == ns.LIF(tau_mem=10.0) and model.tau_mem == 20.0
    assert hash(model) == hash(ns.LIF(tau_mem=20.0))


def test_a_parameter_may_not_take_the_name_of_a_method():
    from neurosim.checks import Parameter
    from neurosim.neurons import Neuron

    with pytest.raises(TypeError, match="Mine.values must have another name"):
        type("Mine", (Neuron,), {"values": Parameter(1.0)})


@pytest.mark.parametrize("options, message", [
    ({"dt": 0}, "dt must be a finite number > 0 ms, got 0"), ({"seed": -1}, "seed must be a whole number"),
    ({"threads": 0}, "threads must be a whole number >= 1 and <= 256, got 0"),
    ({"dtype": "float16"}, "dtype must be 'float32' or 'float64'"),
    ({"mode": "magic"}, "mode must be"),
])
def test_a_simulation_checks_its_arguments(parts, options, message):
    with pytest.raises((ns.ParameterError, ns.UnsupportedError), match=message):
        ns.Simulation(parts[0], **options)


NEGATIVE = [-5.0, np.array([[1.0, -2.0, 0.5]]), ns.Normal(1.0, 1.0), ns.Uniform(-1.0, 1.0), np.float32(-1)]


@pytest.mark.parametrize("weight", NEGATIVE, ids=str)
def test_a_conductance_has_no_negative_weights_unless_asked(weight):
    """As numbers, arrays, draws, in drives, sparse matrices and by set; with `negative` all of them act."""
    def parts():
        net = ns.Network()
        return net, net.add(ns.Poisson(10.0), 1, name="p"), net.add(ns.LIF(), 3, name="c")

    advice = r"must be >= 0 nS, as ExponentialConductance is a conductance, got .*e_rev below rest.*negative=True"
    inhibition, asked = ns.ExponentialConductance(5.0, -80.0), ns.ExponentialConductance(5.0, 0.0, negative=True)
    net, source, cells = parts()
    with pytest.raises(ns.ParameterError, match="weight of 'p -> c' " + advice):
        net.connect(source, cells, weight=weight, receptor=inhibition)
    net.connect(source, cells, weight=weight, receptor=asked)
    if np.ndim(weight) == 2:
        with pytest.raises(ns.ParameterError, match=advice):
            net.connect(source, cells, ns.Sparse(weight), receptor=inhibition)
    else:
        with pytest.raises(ns.ParameterError, match="weight of 'PoissonDrive on c' " + advice):
            net.drive(cells, ns.PoissonDrive(rate=1.0, weight=weight), receptor=inhibition)
        net.drive(cells, ns.PoissonDrive(rate=1.0, weight=weight), receptor=asked)
    ns.Simulation(net).run(1.0)
    net, source, cells = parts()
    net.connect(source, cells, weight=ns.Normal(1.0, 1.0, low=0.0), receptor=inhibition, name="s")
    net.connect(source, cells, weight=np.ones(3)[None], receptor=inhibition, name="given")
    sim = ns.Simulation(net)
    for name in ("s", "given"):
        with pytest.raises(ns.ParameterError, match=f"weight of {name!r} " + advice):
            sim.set(name, weight=-1.0)


def test_rules_and_devices_of_a_conductance_do_not_lead_below_zero():
    from hardware_models import Memristor
    from learning_rules import PairSTDP

    net = ns.Network()
    source, cells = net.add(ns.Poisson(10.0), 50), net.add(ns.LIF(), 3)
    conductance = ns.ExponentialConductance()
    net.connect(source, cells, weight=0.02, receptor=conductance, device=Memristor(programming_noise=0.1), name="held")
    weights = ns.Simulation(net).weights("held")
    assert weights.min() == 0.0 and (weights == 0.0).mean() > 0.2
    net.connect(source, cells, weight=0.5, receptor=conductance, plasticity=PairSTDP(w_min=-1.0), name="p")
    with pytest.raises(ns.ParameterError, match="lower bound of PairSTDP of 'p' must be >= 0 nS, as Exp.*got -1"):
        ns.Simulation(net)


def test_the_files_of_the_command_line_refuse_negative_conductances(tmp_path):
    from neurosim import config

    file = tmp_path / "net.toml"
    file.write_text("""
[simulation]
duration = 1.0
[[population]]
name = "p"
size = 2
model = {type = "Poisson", rate = 10.0}
[[population]]
name = "c"
size = 2
model = {type = "LIF"}
[[projection]]
source = "p"
target = "c"
weight = -1.0
receptor = {type = "ExponentialConductance"}
""")
    with pytest.raises(ns.NeurosimError, match="must be >= 0 nS"):
        config.read(file)


def test_a_simulation_of_nothing_is_refused():
    with pytest.raises(ns.NetworkError, match="must have a population"):
        ns.Simulation(ns.Network())


def test_a_network_that_memory_cannot_hold_is_refused_before_it_is_made():
    net = ns.Network()
    cells = net.add(ns.LIF(), 4_000_000)
    net.connect(cells, cells, ns.FixedProbability(0.5), weight=ns.Normal(0.0, 1.0))
    with pytest.raises(ns.NetworkError, match="must fit into the .* GB that may be used here, got one "
                       "that needs about"):
        ns.Simulation(net)


def test_a_delay_below_a_tick_is_refused_when_laid_out(parts):
    net, noise, cells, _ = parts
    net.connect(noise, cells, delay=0.04)
    with pytest.raises(ns.ParameterError, match="delay must be >= dt = 0.1 ms"):
        ns.Simulation(net, 0.1)


@pytest.mark.parametrize("mode", ["clocked", "event"])
@pytest.mark.parametrize("rule, given", [
    (ns.Explicit([], []), {"weight": [], "delay": []}), (ns.Explicit([], []), {"delay": np.zeros(0), "weight": 1.0}),
    (ns.Sparse(np.zeros((3, 4))), {"delay": []}), (ns.Sparse(np.zeros((3, 4))), {"weight": []}),
    (ns.FixedProbability(0.0), {"weight": 0.5})], ids=str)
def test_a_projection_without_synapses_takes_what_any_takes(mode, rule, given):
    net = ns.Network()
    projection = net.connect(net.add(ns.Poisson(100.0), 3), net.add(ns.LIF(), 4), rule, **given)
    sim = ns.Simulation(net, mode=mode)
    sim.run(5.0)
    sim.set(projection, weight=2.0)
    sim.restore(sim.state())
    sim.set(projection, weight=[])
    sim.run(5.0)
    assert sim.weights(projection).size == 0


def test_empty_values_where_there_are_synapses_are_refused_when_they_are_counted():
    net = ns.Network()
    net.connect(net.add(ns.Poisson(100.0), 3), net.add(ns.LIF(), 4), weight=[])
    with pytest.raises(ns.ParameterError, match=r"weight must be a number, .* of shape \(3, 4\), got .*\(0,\)"):
        ns.Simulation(net)
