"""NeuroBench's metrics: those of its harness on a network of torch, and errors where one is not defined."""

import json
from pathlib import Path

import numpy as np
import pytest
from neurobench_reference import LABELS, LIF, STEPS, described

import neurosim as ns
from neurosim import neurobench
from neurosim.errors import NetworkError, ParameterError, UnsupportedError

GOLDEN = json.loads((Path(__file__).parent / "golden" / "neurobench.json").read_text(encoding="utf-8"))


def network(dense=True):
    """The network of the harness; zero weights are synapses of weight 0, or none."""
    weights, raster = described()
    given = [ns.Spikes.from_dense(each, 1.0) for each in raster]
    net = ns.Network()
    layers = [net.add(ns.SpikeSource(given[0]), name="input")]
    layers += [net.add(ns.LIF(**LIF), w.shape[1], name=f"layer {k}") for k, w in enumerate(weights)]
    for source, target, w in zip(layers, layers[1:], weights, strict=False):
        rule = ns.AllToAll() if dense else ns.Explicit(*np.nonzero(w))
        net.connect(source, target, rule, weight=w if dense else w[np.nonzero(w)], delay=1.0)
    for layer in layers:
        net.record(layer)
    sim = ns.Simulation(net, dt=1.0, dtype="float32")
    return sim, sim.run_batch(given, float(STEPS))


@pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning")
def test_all_are_those_of_the_harness():
    sim, samples = network()
    found = neurobench.measure(sim, samples, predictions=GOLDEN["predictions"], labels=LABELS)
    by_layer = found.pop("ActivationSparsityByLayer")
    assert found.keys() == GOLDEN["metrics"].keys() and 0.5 < found["ActivationSparsity"] < 0.99
    for name, theirs in GOLDEN["metrics"].items():
        assert found[name] == pytest.approx(theirs, rel=1e-6), name
    assert found["SynapticOperations"]["Effective_MACs"] > 0 < found["SynapticOperations"]["Effective_ACs"]
    sizes = {"layer 0": 12, "layer 1": 4}
    together = sum(by_layer[name] * size for name, size in sizes.items()) / sum(sizes.values())
    assert together == pytest.approx(found["ActivationSparsity"])


@pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning")
def test_synapses_that_are_not_there_are_zero_weights_that_take_no_room():
    dense, sparse = (neurobench.measure(*network(kind)) for kind in (True, False))
    for name in ("ConnectionSparsity", "ActivationSparsity", "SynapticOperations"):
        assert sparse[name] == dense[name]
    assert sparse["ParameterCount"] == round(dense["ParameterCount"] * (1 - dense["ConnectionSparsity"]))
    assert sparse["Footprint"] < dense["Footprint"]


def small(spiking=True, connected=True, recorded=True):
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=2, duration=5.0)), name="source")
    cells = net.add(ns.LIF() if spiking else ns.LeakyIntegrator(), 3, name="cells")
    if connected:
        net.connect(source, cells, weight=20.0)
    for population in (source, *([cells] if spiking else [])):
        if recorded:
            net.record(population)
    return net


def run(net, duration=5.0, **settings):
    sim = ns.Simulation(net, **{"dt": 1.0, **settings})
    if duration:
        sim.run(duration)
    return sim


def test_what_is_not_defined_raises_and_is_never_zero():
    for net, name, words in (
            (small(spiking=False), "ActivationSparsity", "without neurons that spike"),
            (small(connected=False), "ConnectionSparsity", "without projections"),
            (small(connected=False), "SynapticOperations", "without projections"),
            (small(), "ClassificationAccuracy", "without predictions and labels"),
            (small(), "MembraneUpdates", "run NeuroBench's harness"),
            (small(), "NeuronOperations", "table of snnTorch's classes")):
        with pytest.raises(UnsupportedError, match=words):
            neurobench.measure(run(net), metrics=[name])
    driven = small()
    driven.drive("cells", ns.PoissonDrive(rate=10.0, weight=1.0), name="noise")
    with pytest.raises(UnsupportedError, match="events of the drive 'noise'"):
        neurobench.measure(run(driven), metrics=["SynapticOperations"])
    with pytest.raises(UnsupportedError, match="where no tick was run"):
        neurobench.measure(run(small(), 0.0), metrics=["ActivationSparsity"])
    with pytest.raises(UnsupportedError, match="time steps"):
        neurobench.measure(run(small(), dt=None, mode="event"))
    with pytest.raises(NetworkError, match="must be recorded"):
        neurobench.measure(run(small(recorded=False)), metrics=["SynapticOperations"])


def test_bad_arguments():
    sim = run(small())
    with pytest.raises(ParameterError, match="metrics must be of .*got 'Sparsity'"):
        neurobench.measure(sim, metrics=["Sparsity"])
    with pytest.raises(ParameterError, match="sim must be a Simulation, got 3"):
        neurobench.measure(3)
    with pytest.raises(ParameterError, match="samples must be results of run_batch"):
        neurobench.measure(sim, [])
    with pytest.raises(ParameterError, match="one for each of 1 samples"):
        neurobench.measure(sim, predictions=[1, 2], labels=[1, 2], metrics=["ClassificationAccuracy"])
