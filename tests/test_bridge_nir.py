"""NIR: what is written is what readers step, files of other frameworks, and what NIR cannot hold."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")
nir = pytest.importorskip("nir", reason="NIR is not installed; the extra nir has it")

import neurosim as ns  # noqa: E402
from neurosim import bridge  # noqa: E402
from neurosim.errors import FileError, ParameterError, UnsupportedError  # noqa: E402

GOLDEN = Path(__file__).parent / "golden" / "nir.zip"  # made by tests/nir_exporters.py
DIALECTS = ("plain", "snntorch", "spikingjelly", "norse")


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nir")
    with zipfile.ZipFile(GOLDEN) as file:
        file.extractall(folder)
    return folder, dict(np.load(folder / "spikes.npz"))


def sent(net, x):
    with torch.no_grad():
        return net(torch.from_numpy(x.reshape(*x.shape[:2], -1)).double())[0].numpy()


# ---------------------------------------------------------------------------------------------------------------------
# Files of other frameworks
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["snntorch_dense", "snntorch_recurrent", "snntorch_conv", "spikingjelly_dense",
                                  "spikingjelly_conv", "norse"])
def test_files_of_other_frameworks_give_the_spikes_of_these(golden, name):
    folder, spikes = golden
    found = bridge.from_nir(folder / f"{name}.nir", dialect=name.split("_")[0])
    assert found.report.faithful, str(found.report)
    x = spikes[f"{name}_in"]
    assert spikes[name].any() and np.array_equal(sent(found.net, x), spikes[name])
    core = bridge.to_network(found.net).run(x.reshape(*x.shape[:2], -1))
    assert np.array_equal(core[-1], spikes[name])


def test_the_time_constants_that_norse_writes_by_default_are_named_and_mended(golden):
    folder, spikes = golden
    path = folder / "norse_default.nir"
    with pytest.raises(UnsupportedError, match="node '1' .LIF. .* tau: must be at least the length of a step, 0.001 s; "
                                               "Norse 1.1.0 writes dt / tau_mem_inv"):
        bridge.from_nir(path, dialect="norse")
    found = bridge.from_nir(path, dialect="norse", allow_lossy=True)
    assert {row.verdict for row in found.report.rows if row.type == "LIF"} == {"approximate"}
    assert "divided by the step" in str(found.report)
    assert np.array_equal(sent(found.net, spikes["norse_in"]), spikes["norse"])


@pytest.mark.parametrize("dialect", ["snntorch", "spikingjelly", "norse"])
def test_other_frameworks_send_our_spikes_from_our_files(golden, dialect):
    """The spikes are those of the framework after it read the file; layers read from it, and written again, agree."""
    folder, spikes = golden
    found = bridge.from_nir(folder / f"ours_{dialect}.nir")
    assert found.report.dialect == dialect and found.report.faithful
    expected = spikes[f"ours_{dialect}"]
    assert expected.any() and np.array_equal(sent(found.net, spikes[f"ours_{dialect}_in"]), expected)
    again = bridge.to_nir(found.net, dialect=dialect).graph
    for name, node in found.graph.nodes.items():
        for key, value in vars(node).items():
            if isinstance(value, np.ndarray):
                assert np.allclose(getattr(again.nodes[name], key), value, rtol=1e-9), (name, key)


# ---------------------------------------------------------------------------------------------------------------------
# The exact solution
# ---------------------------------------------------------------------------------------------------------------------

def test_a_leaky_integrator_is_its_exact_solution():
    tau, r, leak, dt = np.array([0.02, 0.005]), np.array([3.0, 40.0]), np.array([0.5, -1.0]), 1e-3
    found = bridge.from_nir(nir.NIRGraph.from_list(nir.Linear(np.eye(2)), nir.LI(tau, r, leak)), dt=1.0)
    x = np.zeros((40, 1, 2))
    x[3] = 1.0
    v = sent(found.net, x)[:, 0]
    since = (np.arange(40) - 3)[:, None] * dt
    exact = np.where(since >= 0, r / tau * dt * np.exp(-since / tau), 0.0)
    assert np.allclose(v, leak + exact - leak * np.exp(-(np.arange(40) + 1)[:, None] * dt / tau), rtol=1e-12)


def test_a_current_based_neuron_is_its_exact_solution():
    """The peak of v, 0.97 of the threshold: no spike; with the threshold below it, one at the tick where v passes."""
    tau_syn, tau_mem, r, w_in, dt = 0.005, 0.02, 2.0, 30.0, 1e-3
    t = np.arange(60) * dt
    i0 = w_in / tau_syn * dt
    v = r * i0 / tau_mem * (np.exp(-t / tau_mem) - np.exp(-t / tau_syn)) / (1 / tau_syn - 1 / tau_mem)
    one = np.ones(1)

    def spikes(threshold):
        node = nir.CubaLIF(tau_syn * one, tau_mem * one, r * one, 0.0 * one, threshold * one, w_in=w_in * one)
        x = np.zeros((60, 1, 1))
        x[0] = 1.0
        found = bridge.from_nir(nir.NIRGraph.from_list(nir.Linear(one[:, None]), node), dt=1.0)
        return np.flatnonzero(sent(found.net, x))

    assert spikes(1.0001 * v.max()).size == 0
    assert spikes(0.6 * v.max())[0] == np.flatnonzero(v > 0.6 * v.max())[0]


def test_neurons_without_leak_count():
    node = nir.IF(r=np.full(1, 1000.0), v_threshold=np.full(1, 2.5))
    found = bridge.from_nir(nir.NIRGraph.from_list(nir.Linear(np.ones((1, 1))), node), dt=1.0)
    x = np.ones((12, 1, 1))
    assert np.flatnonzero(sent(found.net, x)).tolist() == [2, 5, 8, 11]
    assert np.array_equal(bridge.to_network(found.net).run(x)[0], sent(found.net, x))
    assert type(bridge.to_nir(found.net).graph.nodes["layer1"]).__name__ == "IF"


# ---------------------------------------------------------------------------------------------------------------------
# There and back
# ---------------------------------------------------------------------------------------------------------------------

def drawn(cls, n_in, n_out, seed, gain=3.0, **options):
    layer = cls(n_in, n_out, dtype=torch.float64, generator=torch.Generator().manual_seed(seed), **options)
    with torch.no_grad():
        layer.weight.mul_(gain)
        if layer.has_bias:
            layer.bias.fill_(0.02)
    return layer


def convolutions():
    torch.manual_seed(3)
    conv = torch.nn.Conv2d(2, 4, (3, 5), padding=(1, 2)).double()
    with torch.no_grad():
        conv.weight.mul_(6.0)
    first = bridge.StructuredLayer([conv, torch.nn.AvgPool2d(2)], (2, 6, 6), tau_mem=np.linspace(5.0, 9.0, 4))
    pool = bridge.MaxPoolLayer(first.shape_out, 3, stride=1, padding=1)
    return [first, pool, drawn(bridge.LIFLayer, pool.n_out, 5, 2, gain=8.0)]


NETS = {
    "jumps": (["plain", "snntorch", "norse"], lambda: [
        drawn(bridge.LIFLayer, 8, 12, 1, bias=True, recurrent=True, tau_mem=10.0),
        drawn(bridge.LIFLayer, 12, 5, 2, tau_mem=np.linspace(5.0, 20.0, 5))]),
    "thresholds": (["plain", "snntorch", "norse"], lambda: [
        drawn(bridge.LIFLayer, 8, 12, 1, v_threshold=np.linspace(0.5, 1.5, 12))]),
    "values after a spike": (["plain"], lambda: [drawn(bridge.LIFLayer, 8, 12, 1, v_reset=-0.3)]),
    "currents": (["plain"], lambda: [
        drawn(bridge.CurrentLIFLayer, 8, 12, 1, r=9.0, bias=True, recurrent=True),
        drawn(bridge.LeakyIntegratorLayer, 12, 3, 2, bias=True)]),
    "same tick": (["snntorch", "spikingjelly", "norse"], lambda: [
        drawn(bridge.SynapticLayer, 8, 12, 1, bias=True, recurrent=True), drawn(bridge.LIFLayer, 12, 5, 2)]),
    "convolutions": (["plain"], convolutions),
}


@pytest.mark.parametrize(("name", "dialect"), [(name, each) for name, (known, _) in NETS.items() for each in known])
def test_a_network_comes_back_from_a_file(tmp_path, name, dialect):
    net = bridge.Sequential(*NETS[name][1]())
    there = bridge.to_nir(net, tmp_path / "net.nir", dialect=dialect)
    back = bridge.from_nir(tmp_path / "net.nir")
    assert there.report.faithful and back.report.faithful, f"{there.report}\n{back.report}"
    assert back.report.dialect == dialect and back.net.layers[0].dt == 1.0
    x = (np.random.default_rng(4).random((80, 3, net.layers[0].n_in)) < 0.3).astype(float)
    expected = sent(net, x)
    assert expected.any() and np.allclose(sent(back.net, x), expected, rtol=0, atol=1e-10)
    assert all(row.spikes > 20 for row in there.report.rows if row.differ is not None and row.type != "LI")


def test_a_network_of_the_core_goes_by_way_of_layers(tmp_path):
    net = ns.Network()
    given = np.random.default_rng(5).random((80, 10)) < 0.3
    source = net.add(ns.SpikeSource(ns.Spikes.from_dense(given, 1.0)), name="source")
    cells = net.add(ns.LIF(tau_mem=ns.Uniform(10.0, 20.0), v_reset=-72.0), 8, name="cells")
    net.connect(source, cells, ns.FixedProbability(0.5), weight=ns.Normal(5.0, 1.0), delay=1.0)
    net.connect(cells, cells, ns.FixedProbability(0.5), weight=-1.0, delay=1.0)
    net.record(cells)
    sim = ns.Simulation(net, dt=1.0, seed=2, dtype="float64")
    sim.run(80.0)
    bridge.to_nir(bridge.from_network(net, dt=1.0, seed=2), tmp_path / "net.nir")
    (found,) = bridge.to_network(bridge.from_nir(tmp_path / "net.nir").net).run(given[:, None].astype(float))
    raster = sim.spikes(cells).to_dense().astype(float)
    assert raster.any() and np.array_equal(found[:79, 0], raster[1:])  # layer 1 does step t at tick t + 2


@pytest.mark.parametrize(("layer", "dialect", "message"), [
    (lambda: drawn(bridge.LIFLayer, 8, 12, 1, reset="subtract"), "plain",
     r"node 'layer1' of layer 1 .LIFLayer. cannot hold reset='subtract': NIR resets to a value"),
    (lambda: drawn(bridge.LIFLayer, 8, 12, 1, delays=bridge.Delays(5.0)), "plain",
     "cannot hold delays: NIR has no delay of a synapse"),
    (lambda: drawn(bridge.LIFLayer, 8, 12, 1, t_ref=2.0), "snntorch", "cannot hold t_ref: NIR has no refractory time"),
    (lambda: drawn(bridge.AdaptiveLIFLayer, 8, 12, 1), "plain", "cannot hold delta_theta"),
    (lambda: drawn(bridge.LIFLayer, 8, 12, 1, v_initial=0.5), "norse", "cannot hold v_initial"),
    (lambda: drawn(bridge.SynapticLayer, 8, 12, 1), "plain", "cannot hold input: NIR's synaptic current acts from"),
    (lambda: drawn(bridge.CurrentLIFLayer, 8, 12, 1, r=9.0), "norse", "cannot hold input: norse lets a synaptic"),
])
def test_what_nir_cannot_hold_is_named_and_measured(layer, dialect, message):
    with pytest.raises(UnsupportedError, match=message):
        bridge.to_nir(layer(), dialect=dialect)
    report = bridge.to_nir(layer(), dialect=dialect, allow_lossy=True).report
    (row,) = [row for row in report.rows if row.node == "layer1"]
    assert row.verdict == "approximate" and row.differ > 0 and row.why in message + row.why
    assert not report.faithful and "approximate" in str(report)


@pytest.mark.parametrize(("options", "dialect", "message"), [
    ({"v_reset": -0.2}, "snntorch", "cannot be written for snntorch: v_reset: snnTorch takes 0 for it"),
    ({"v_reset": -0.2}, "norse", "v_reset: Norse takes 0 for it"),
    ({"v_reset": -0.2}, "spikingjelly", "v_reset: SpikingJelly refuses other values than v_leak"),
    ({"tau_mem": np.linspace(5.0, 20.0, 12)}, "spikingjelly", "tau: spikingjelly takes one value for all neurons"),
    ({"tau_mem": 1e18}, "snntorch", "type: snntorch does not read IF right: it makes IF a leaky neuron"),
])
def test_what_a_reader_does_not_take_is_named(options, dialect, message):
    layer = drawn(bridge.LIFLayer, 8, 12, 1, **options)
    with pytest.raises(UnsupportedError, match=message):
        bridge.to_nir(layer, dialect=dialect)
    report = bridge.to_nir(layer, dialect=dialect, allow_lossy=True).report
    assert [row.verdict for row in report.rows] == ["faithful", "unsupported"]


def test_readers_that_ignore_something_are_measured():
    """LIF of Norse takes 1 for r, so that a file with r = 20 is another network there."""
    ones = np.ones(4)
    graph = nir.NIRGraph.from_list(nir.Linear(np.eye(4)), nir.LIF(0.02 * ones, 20.0 * ones, 0.0 * ones, ones))
    with pytest.raises(UnsupportedError, match="node 'lif' .LIF. .* r: Norse takes 1 for it"):
        bridge.from_nir(graph, dialect="norse")
    lossy, right = bridge.from_nir(graph, dialect="norse", allow_lossy=True), bridge.from_nir(graph, dt=1.0)
    assert lossy.report.rows[-1].verdict == "unsupported" and right.report.faithful
    x = np.ones((50, 1, 4))
    assert not sent(lossy.net, x).any() and sent(right.net, x).any()


def test_inner_graphs_are_dissolved():
    ones = np.ones(3)
    lif = nir.LIF(0.01 * ones, 10.0 * ones, 0.0 * ones, ones)
    inner = nir.NIRGraph({"input": nir.Input([3]), "lif": lif, "w": nir.Linear(0.4 * np.eye(3)),
                          "output": nir.Output([3])}, [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")])
    graph = nir.NIRGraph({"input": nir.Input([2]), "weights": nir.Affine(np.ones((3, 2)), 0.1 * ones), "rnn": inner,
                          "output": nir.Output([3])}, [("input", "weights"), ("weights", "rnn"), ("rnn", "output")])
    found = bridge.from_nir(graph, dt=1.0)
    assert found.report.faithful and found.net.layers[0].kind.recurrent
    assert torch.allclose(found.net.layers[0].recurrent.detach(), 0.4 * torch.eye(3, dtype=torch.float64))


def branched():
    ones = np.ones(2)
    lif = {name: nir.LIF(0.01 * ones, 10.0 * ones, 0.0 * ones, ones) for name in ("a", "b")}
    return nir.NIRGraph({"input": nir.Input([2]), **lif, "output": nir.Output([2])},
                        [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")])


def single(node, **options):
    return lambda: bridge.from_nir(nir.NIRGraph.from_list(nir.Linear(np.eye(2)), node, type_check=False), **options)


ONES = np.ones(2)
LIF = nir.LIF(0.01 * ONES, 10.0 * ONES, 0.0 * ONES, ONES)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: bridge.from_nir(3), ParameterError, "graph must be a nir.NIRGraph or the path of a NIR file, got 3"),
    (lambda: bridge.from_nir("none.nir"), FileError, "none.nir does not exist"),
    (single(LIF), ParameterError, "dt must be given in ms"),
    (single(LIF, dt=-1.0), ParameterError, "dt must be a finite number > 0 ms"),
    (single(LIF, dialect="lava"), ParameterError, "dialect must be 'plain', 'snntorch', 'spikingjelly', 'norse', got"),
    (lambda: bridge.from_nir(branched(), dt=1.0), UnsupportedError, "since layers form a chain, got 0 and 2"),
    (single(nir.Delay(0.01 * ONES), dt=1.0), UnsupportedError, "node 'delay' .Delay. has no counterpart"),
    (single(nir.CubaLI(0.01 * ONES, 0.01 * ONES, ONES, 0.0 * ONES), dt=1.0), UnsupportedError, "CubaLI"),
    (single(nir.LIF(-0.01 * ONES, ONES, 0.0 * ONES, ONES), dt=1.0), UnsupportedError, "tau: must be > 0"),
    (single(nir.LIF(np.nan * ONES, ONES, 0.0 * ONES, ONES), dt=1.0), UnsupportedError, "tau: must be finite"),
    (single(nir.Linear(np.eye(2)), dt=1.0), UnsupportedError, "must lead to neurons"),
    (lambda: bridge.to_nir(torch.nn.Linear(2, 2)), ParameterError, "net must be a Layer or a Sequential of them"),
    (lambda: bridge.to_nir(bridge.Sequential(torch.nn.Linear(2, 2), bridge.LIFLayer(2, 2))), UnsupportedError,
     "Linear has no counterpart in NIR"),
    (lambda: bridge.to_nir(bridge.LIFLayer(2, 2), "no/such/folder/net.nir"), FileError, "its folder does not exist"),
])
def test_bad_input_gets_one_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_file_that_is_none_is_named(tmp_path):
    (tmp_path / "net.nir").write_bytes(b"no file of HDF5")
    with pytest.raises(FileError, match="is not a NIR file or is damaged"):
        bridge.from_nir(tmp_path / "net.nir")


def test_dialects_are_known_by_name():
    from neurosim.bridge.exchange.dialects import DIALECTS as known

    assert tuple(known) == DIALECTS
