"""Whole runs in NWB, Neo and SONATA: every recording, weights and delays are those of the simulation."""

import json
import warnings

import export_runs
import h5py
import numpy as np
import pytest
from full_disk import largest_file

import neurosim as ns
from neurosim.errors import FileError, NeurosimWarning, ParameterError
from neurosim.export import runs

pytestmark = pytest.mark.filterwarnings("ignore:population .* has never spiked")


@pytest.fixture(scope="module")
def sim():
    return export_runs.run()


def whole(sim, name):
    return next(spikes for spikes in runs.recorded_spikes(sim) if spikes.name == name)


def test_recordings_of_parts_are_put_together_once(sim):
    inh = whole(sim, "inh/PV")
    assert inh.size == 5 and inh.watched.tolist() == [0, 1, 2, 3] and len(inh) > 10
    for part in (sim.net["inh/PV"][0:2], sim.net["inh/PV"][1:4]):
        assert inh.select(range(part.start, part.start + part.size), renumber=True) == sim.spikes(part)
    assert whole(sim, "noise").watched.tolist() == [3, 7] and whole(sim, "exc") == sim.spikes("exc")


def test_traces_tell_unit_and_neurons(sim):
    v, i, weight = runs.traces(sim)
    assert (v.unit, v.every, v.neurons.tolist(), v.population) == ("mV", 0.5, list(range(12)), "exc")
    assert (i.unit, i.every, i.neurons.tolist(), i.population) == ("pA", 1.0, [4, 1], "inh/PV")
    assert (weight.unit, weight.neurons, weight.population) == ("mV", None, None)


def test_what_a_simulation_is_made_of_at_present():
    net = ns.Network()
    cells = net.add(ns.LIF(), 2, name="cells")
    net.connect(cells, cells, weight=1.0, delay=2.0, name="loop")
    sim = ns.Simulation(net)
    assert sim.resolved().populations["cells"].parameters == ns.resolve(net).populations["cells"].parameters
    sim.set(cells, tau_mem=12.0)
    sim.set("loop", weight=[1.0, 2.0, 3.0, 4.0])
    found = sim.resolved()
    assert found.populations["cells"].parameters["tau_mem"] == 12.0
    assert found.projections["loop"].values["weight"].tolist() == [1.0, 2.0, 3.0, 4.0]
    wired = sim.rewire("loop", [1], [0], weight=5.0, delay=1.0).resolved().projections["loop"]
    assert (wired.source.tolist(), wired.target.tolist(), wired.delay.tolist()) == ([1], [0], [1.0])


# ---- SONATA -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(sim, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "circuit"
    with pytest.warns(NeurosimWarning, match="SONATA has no place for the trace 'drive weight'; description.md tells"):
        sim.export(folder)
    return folder


def test_a_folder_of_sonata_comes_back(sim, folder):
    for spikes in runs.recorded_spikes(sim):
        found = ns.read_spikes(folder / "output/spikes.h5", population=spikes.name.replace("/", "_"))
        assert found == spikes
    with pytest.raises(ParameterError, match="population must be given, one of 'exc', 'inh_PV', 'noise'"):
        ns.read_spikes(folder / "output/spikes.h5")
    assert "tau_mem" in (folder / "description.md").read_text()
    assert [path.name for path in folder.parent.iterdir()] == ["circuit"]


def test_libsonata_opens_nodes_and_edges(sim, folder):
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed")
    nodes = libsonata.NodeStorage(str(folder / "nodes.h5"))
    assert nodes.population_names == {"noise", "exc", "inh_PV"}
    exc = nodes.open_population("exc")
    parameters = sim.resolved().populations["exc"].parameters
    assert exc.size == 12 and np.array_equal(exc.get_dynamics_attribute("tau_mem", exc.select_all()),
                                             parameters["tau_mem"])
    edges = libsonata.EdgeStorage(str(folder / "edges.h5"))
    assert edges.population_names == {"drive", "noise -> inh_PV", "exc -> inh_PV[1:5]", "inh_PV -> exc[0:6]"}
    for name, each in sim.resolved().projections.items():
        found = edges.open_population(name.replace("/", "_"))
        assert (found.source, found.target) == tuple(
            getattr(each.projection, side).base.name.replace("/", "_") for side in ("source", "target"))
        all_of = found.select_all()
        source, target = found.source_nodes(all_of), found.target_nodes(all_of)
        weight, delay = (found.get_attribute(what, all_of) for what in ("syn_weight", "delay"))
        right = sorted(zip(each.source.tolist(), each.target.tolist(), each.delay.tolist(),
                           np.broadcast_to(each.values["weight"], len(each.source)).tolist(), strict=True))
        assert sorted(zip(source.tolist(), target.tolist(), delay.tolist(), weight.tolist(), strict=True)) == right
        assert (np.diff(target.astype(int)) >= 0).all()
        for node in range(each.projection.target.base.size):
            assert found.afferent_edges(node).flatten().tolist() == np.flatnonzero(target == node).tolist()
        for node in range(each.projection.source.base.size):
            assert sorted(found.efferent_edges(node).flatten().tolist()) == np.flatnonzero(source == node).tolist()


def test_libsonata_opens_circuit_simulation_and_reports(sim, folder):
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed")
    circuit = libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))
    assert circuit.node_populations == {"noise", "exc", "inh_PV"} and len(circuit.edge_populations) == 4
    assert circuit.node_population_properties("noise").type == "virtual"
    assert circuit.node_population("exc").size == 12 and circuit.edge_population("drive").source == "noise"
    simulation = libsonata.SimulationConfig.from_file(str(folder / "simulation_config.json"))
    assert (simulation.run.tstop, simulation.run.dt, simulation.run.random_seed) == (100.0, 0.1, 3)
    assert set(simulation.list_report_names) == {"exc v", "inh_PV i_syn"}
    for population, variable, ids in (("exc", "v", range(12)), ("inh_PV", "i_syn", [4, 1])):
        reader = libsonata.SomaReportReader(str(folder / f"output/{population} {variable}.h5"))[population]
        assert list(reader.get_node_ids()) == list(ids) and reader.time_units == "ms"
        assert reader.data_units == {"v": "mV", "i_syn": "pA"}[variable]
        frame = reader.get()
        times, values = sim.trace("inh/PV" if variable == "i_syn" else "exc", variable)
        place = [list(frame.ids).index(node) for node in ids]
        assert np.allclose(frame.times, times) and np.allclose(frame.data[:, place], values, rtol=1e-6)
    reader = libsonata.SpikeReader(str(folder / "output/spikes.h5"))
    assert set(reader.get_population_names()) == {"noise", "exc", "inh_PV"}
    assert np.array_equal(reader["exc"].get_dict()["timestamps"], sim.spikes("exc").times)


def test_a_folder_is_whole_or_not_there(sim, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)
        with largest_file(3000), pytest.raises(FileError, match=r"circuit/nodes.h5 cannot be written: File too large"):
            sim.export(tmp_path / "circuit")
        assert not list(tmp_path.iterdir())
        (tmp_path / "circuit").mkdir()
        sim.export(tmp_path / "circuit")
        before = sorted(path.name for path in (tmp_path / "circuit").iterdir())
        with pytest.raises(FileError, match="it must be a new or an empty folder"):
            sim.export(tmp_path / "circuit")
    assert sorted(path.name for path in (tmp_path / "circuit").iterdir()) == before
    with pytest.raises(FileError, match="its folder does not exist"):
        sim.export(tmp_path / "no" / "circuit")


# ---- NWB and Neo ------------------------------------------------------------------------------------


def test_nwb_of_a_run(sim, tmp_path):
    pynwb = pytest.importorskip("pynwb", reason="PyNWB is not installed; the extra nwb has it")
    path = tmp_path / "run.nwb"
    sim.export(path, experimenter=["Lovelace, Ada"], institution="here")
    for spikes in runs.recorded_spikes(sim):
        assert ns.Spikes.from_nwb(path, population=spikes.name) == spikes
    assert not pynwb.validate(path=str(path))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        assert "tau_mem" in file.notes and "LIF" in file.experiment_description
        for trace, name in zip(runs.traces(sim), ("exc v", "inh_PV i_syn", "drive weight"), strict=True):
            series = file.acquisition[name]
            assert np.array_equal(series.data[:], trace.values)
            assert series.rate == 1000 / trace.every and series.starting_time == trace.times[0] / 1000
            assert (series.unit, series.conversion) == runs.SI[trace.unit]
        assert file.acquisition["inh_PV i_syn neurons"]["neuron"][:].tolist() == [4, 1]
    inspector = pytest.importorskip("nwbinspector", reason="nwbinspector is not installed")
    found = {message.check_function_name for message in inspector.inspect_nwbfile(nwbfile_path=str(path))}
    assert found <= {"check_subject_exists", "check_keywords"}


def test_neo_of_a_run(sim, tmp_path):
    neo = pytest.importorskip("neo", reason="Neo is not installed; the extra neo has it")
    block = sim.to_neo()
    (segment,) = block.segments
    assert [group.name for group in block.groups] == ["exc", "inh/PV", "noise", "drive"]
    for spikes in runs.recorded_spikes(sim):
        assert ns.Spikes.from_neo(block, population=spikes.name) == spikes
    for signal, trace in zip(segment.analogsignals, runs.traces(sim), strict=True):
        assert np.array_equal(signal.magnitude, trace.values) and str(signal.dimensionality) == trace.unit
        assert np.allclose(signal.times.rescale("ms").magnitude, trace.times)
        if trace.neurons is not None:
            assert signal.array_annotations["neuron"].tolist() == trace.neurons.tolist()
    pytest.importorskip("nixio", reason="nixio is not installed; the extra neo has it")
    sim.export(tmp_path / "run.nix")
    io = neo.io.NixIO(str(tmp_path / "run.nix"), mode="ro")
    (read,) = io.read_all_blocks()
    io.close()
    assert [np.array_equal(a.magnitude, b.magnitude) for a, b in
            zip(read.segments[0].analogsignals, segment.analogsignals, strict=True)] == [True] * 3
    assert ns.read_spikes(tmp_path / "run.nix", population="exc") == sim.spikes("exc")


# ---- edges of what there is -------------------------------------------------------------------------


def test_a_run_without_ticks_or_synapses(tmp_path):
    net = ns.Network()
    cells = net.add(ns.LIF(i_bias=300.0), 3, name="cells")
    net.record(cells)
    net.record(cells, "v", every=1.0)
    sim = ns.Simulation(net, mode="event")
    sim.run(50.0)
    sim.export(tmp_path / "circuit")
    assert ns.read_spikes(tmp_path / "circuit/output/spikes.h5") == sim.spikes(cells)
    assert not (tmp_path / "circuit/edges.h5").exists()
    config = json.loads((tmp_path / "circuit/simulation_config.json").read_text())
    assert "dt" not in config["run"] and config["run"]["tstop"] == 50.0
    with h5py.File(tmp_path / "circuit/output/cells v.h5") as file:
        assert file["report/cells/data"].shape == (51, 3)


def test_parts_that_sonata_cannot_hold_are_named(tmp_path):
    net = ns.Network()
    cells = net.add(ns.LIF(), 3, name="cells")
    net.couple(cells, cells, ns.Explicit([0], [1]), conductance=1.0, name="gaps")
    net.drive(cells, ns.PoissonDrive(rate=500.0, weight=3.0), name="background")
    net.record(cells)
    sim = ns.Simulation(net)
    sim.run(20.0)
    with pytest.warns(NeurosimWarning, match="no place for gap junctions 'gaps', the drive 'background'; description"):
        sim.export(tmp_path / "circuit")


def test_what_is_wrong_is_said(sim, tmp_path):
    for format, name in ((None, "run.mat"), ("matlab", "run.nwb")):
        with pytest.raises(ParameterError, match=r'format must be "nwb" \(.nwb\), "neo" \(.nix\) or "sonata"'):
            sim.export(tmp_path / name, format)
    with pytest.raises(ParameterError, match="fields are those of an NWB file, 'sonata' has none, got experimenter"):
        sim.export(tmp_path / "circuit", experimenter="me")
    net = ns.Network()
    net.add(ns.LIF(), 1)
    with pytest.raises(ParameterError, match="must have recorded something before it is exported"):
        ns.Simulation(net).export(tmp_path / "circuit")
