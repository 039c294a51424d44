"""State goes in and comes out: copies, files, recordings in files, and what stops a run."""

import copy
import json
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from test_contracts import ToyPair

import neurosim as ns
from neurosim import checkpoint, growing
from neurosim.engine import plan
from neurosim.streams import read_trace

ROOT = Path(__file__).resolve().parent.parent


def network(rate=50.0, record=True, to=None):
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=rate), 200, name="noise")
    cells = net.add(ns.LIF(tau_mem=12.0, t_ref=1.0), 300, name="cells")
    net.connect(noise, cells, ns.FixedProbability(0.2), weight=ns.Normal(1.2, 0.2), delay=1.5, name="in")
    net.connect(cells, cells, ns.FixedProbability(0.05), weight=0.1, delay=ns.Uniform(0.5, 3.0), name="back",
                release=ns.TsodyksMarkram(u_0=0.5, tau_rec=40.0))
    if record:
        def file(name):
            return None if to is None else to / name

        net.record(noise)
        net.record(cells, to=file("spikes.h5"))
        net.record(cells, "v", every=0.5, to=file("v.h5"))
        net.record(net.projection("back"), "resources", every=5.0, to=file("x.h5"))
    return net


def simulation(threads=1, **options):
    return ns.Simulation(network(**options), dt=0.1, seed=7, threads=threads)


def everything(sim):
    found = [sim.spikes(name).fingerprint() for name in ("noise", "cells")]
    for what, variable in (("cells", "v"), ("back", "resources")):
        times, values = sim.trace(what, variable)
        found += [times.tobytes(), values.shape, values.tobytes()]
    return found


def raw(state):
    return {name: array.tobytes() for name, array in state.arrays.items()}


# ---- states -----------------------------------------------------------------------------------------------------


def test_a_state_is_a_copy_that_nothing_changes():
    sim = simulation()
    sim.run(20.0)
    state = sim.state()
    before = raw(state)
    sim.run(10.0)
    sim.set("cells", v=-60.0)
    assert raw(state) == before
    with pytest.raises(ValueError, match="read-only"):
        next(iter(state.arrays.values()))[:] = 0
    with pytest.raises(TypeError):
        state.arrays["new"] = np.zeros(1)
    with pytest.raises(AttributeError):
        state.tick = 3
    assert raw(pickle.loads(pickle.dumps(state))) == raw(copy.deepcopy(state)) == before
    sim.restore(state)
    assert raw(sim.state()) == before and sim.tick == 200


def test_a_state_can_be_restored_again_and_elsewhere():
    whole, sim, other = simulation(), simulation(threads=2), simulation(threads=3)
    whole.run(40.0)
    sim.run(25.0)
    state = sim.state()
    for _ in range(3):
        sim.run(15.0)
        assert everything(sim) == everything(whole)
        sim.restore(state)
    other.restore(pickle.loads(pickle.dumps(state)))
    other.run(15.0)
    assert raw(other.state()) == raw(whole.state())
    assert other.spikes("cells") == whole.spikes("cells").between(25.0, 40.0)


def test_recordings_have_no_hidden_gap_after_a_leap_ahead():
    sim = simulation()
    sim.run(10.0)
    early = sim.state()
    sim.run(20.0)
    late = sim.state()
    sim.restore(early)
    assert sim.spikes("cells").stop == 10.0
    sim.restore(late)
    sim.run(5.0)
    spikes = sim.spikes("cells")
    assert (spikes.start, spikes.stop) == (30.0, 35.0)
    assert sim.trace("cells", "v")[0][0] == 30.5


def test_a_state_of_another_network_is_refused():
    net = ns.Network()
    net.add(ns.LIF(), 3, name="cells")
    state = ns.Simulation(net).state()
    sim = simulation()
    before = raw(sim.state())
    with pytest.raises(ns.ParameterError, match="state must be of an equal network"):
        sim.restore(state)
    with pytest.raises(ns.ParameterError, match="must be what sim.state"):
        sim.restore({})
    assert raw(sim.state()) == before


# ---- what was set -------------------------------------------------------------------------------------------------


def change(sim):
    sim.set("cells", tau_mem=np.linspace(8.0, 16.0, 300), t_ref=0.5, i_bias=20.0)
    sim.set("noise", rate=ns.TimedArray([200.0, 5.0], every=7.0, after="repeat"))
    sim.set("in", weight=sim.weights("in") * 1.1)
    sim.set("back", weight=0.3, u_0=0.7)
    sim.set("back", utilisation=np.linspace(0.0, 1.0, len(sim.weights("back"))))


def test_what_was_set_acts_and_is_saved(tmp_path):
    sim, plain = simulation(), simulation()
    for each in (sim, plain):
        each.run(10.0)
    change(sim)
    assert np.allclose(sim.weights("in"), plain.weights("in") * 1.1)
    ramp = np.linspace(0.0, 1.0, len(sim.weights("back"))).astype(np.float32)
    assert np.array_equal(sim.synapses("back").utilisation, ramp)
    sim.save(tmp_path / "state.h5")
    later = ns.Simulation.load(tmp_path / "state.h5", network(), threads=2)
    later.save(tmp_path / "again.h5")
    again = ns.Simulation.load(tmp_path / "again.h5", network())
    for each in (sim, plain, later, again):
        each.run(30.0)
    assert everything(later) == everything(sim) == everything(again) != everything(plain)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_was_set_does_the_same_for_any_threads(threads):
    sim, one = simulation(threads=threads), simulation()
    for each in (sim, one):
        each.run(10.0)
        change(each)
        each.run(20.0)
    assert everything(sim) == everything(one)


def test_a_higher_rate_finds_room():
    sim = simulation(rate=1.0)
    sim.run(5.0)
    sim.set("noise", rate=50000.0)
    sim.run(50.0)
    counts = np.bincount(sim.spikes("noise").ticks, minlength=551)[51:]
    assert abs(counts.mean() - 1000.0) < 20.0


def test_shared_values_are_one_for_each_synapse():
    synapses = simulation().synapses("back")
    assert synapses.weight.shape == synapses.u_0.shape == synapses.source.shape


def test_a_refused_change_changes_nothing():
    sim = simulation()
    before, weights = raw(sim.state()), sim.weights("in")
    with pytest.raises(ns.ParameterError, match="what is set of 'cells' must be one of .*, got 'size'"):
        sim.set("cells", v=-60.0, tau_mem=3.0, size=4)
    with pytest.raises(ns.ParameterError, match="what is set of 'in' must be one of weight, got 'tau'"):
        sim.set("in", weight=0.0, tau=4)
    other = simulation()
    for each in (sim, other):
        each.run(10.0)
    assert raw(other.state()) == raw(sim.state()) != before and np.array_equal(sim.weights("in"), weights)


def test_what_is_added_to_the_network_later_has_no_effect(tmp_path):
    net = network()
    sim, plain = ns.Simulation(net, dt=0.1, seed=7), simulation()
    cells = net.population("cells")
    net.connect(cells, cells, weight=1.0, delay=1.0, receptor=ns.ExponentialCurrent(3.0))
    net.drive(cells, ns.OUCurrent(mean=10.0, std=3.0, tau=4.0))
    for each in (sim, plain):
        each.run(10.0)
        each.set("cells", i_bias=10.0)
        each.run(10.0)
    sim.save(tmp_path / "state.h5")
    assert everything(sim) == everything(plain) == everything(ns.Simulation.load(tmp_path / "state.h5", network()))


# ---- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    sim = simulation()
    sim.run(12.3)
    path = tmp_path_factory.mktemp("saved") / "state.h5"
    sim.save(path)
    return path


def test_a_file_says_what_it_is(saved):
    with h5py.File(saved) as file:
        header = json.loads(file["header"][()])
        assert file.attrs["format"] == "neurosim.state" and file.attrs["version"] == 2
        assert "cells" in file["description"][()].decode()
    assert {"neurosim", "numpy", "numba", "settings", "time", "fingerprint"} <= header.keys()
    assert {"dt", "seed", "dtype", "threads", "packed", "mode"} <= header["settings"].keys()
    assert header["time"] == 123 and header["settings"]["seed"] == 7


def test_a_file_that_is_not_there_or_not_one_is_refused(saved, tmp_path):
    with pytest.raises(ns.FileError, match=r"none\.h5 does not exist"):
        ns.Simulation.load(tmp_path / "none.h5", network())
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(ns.FileError, match=r"text\.h5 is not an HDF5 file of a simulation or is damaged"):
        ns.Simulation.load(tmp_path / "text.h5", network())
    h5py.File(tmp_path / "other.h5", "w").close()
    with pytest.raises(ns.FileError, match="no format 'neurosim.state'"):
        ns.Simulation.load(tmp_path / "other.h5", network())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_short_is_refused(saved, tmp_path, share):
    data = saved.read_bytes()
    (tmp_path / "cut.h5").write_bytes(data[:int(len(data) * share)])
    with pytest.raises(ns.FileError, match=r"cut\.h5"):
        ns.Simulation.load(tmp_path / "cut.h5", network())


def test_a_file_that_was_edited_or_is_of_another_version_is_refused(saved, tmp_path):
    path = tmp_path / "state.h5"
    path.write_bytes(saved.read_bytes())
    with h5py.File(path, "r+") as file:
        file["arrays"]["0"][0] = 1.0
    with pytest.raises(ns.FileError, match="damaged or was edited"):
        ns.Simulation.load(path, network())
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(ns.FileError, match="must be of version 2, it is of version 99"):
        ns.Simulation.load(path, network())


def test_another_network_is_refused_by_what_differs(saved):
    with pytest.raises(ns.FileError, match=r"population noise .*rate=50.*given network has .*rate=51"):
        ns.Simulation.load(saved, network(rate=51.0))


def test_other_synapses_are_refused(saved, monkeypatch):
    monkeypatch.setattr(plan, "checksum", lambda connectivity, name: "0")
    with pytest.raises(ns.FileError, match="synapses of projection 'in' differ; it was written with neurosim"):
        ns.Simulation.load(saved, network())


def test_a_file_appears_whole_or_not_at_all(saved, tmp_path, monkeypatch):
    sim = simulation(record=False)
    path = tmp_path / "state.h5"
    path.write_bytes(saved.read_bytes())
    monkeypatch.setattr(checkpoint, "_digest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sim.save(path)
    assert path.read_bytes() == saved.read_bytes() and [p.name for p in tmp_path.iterdir()] == ["state.h5"]
    monkeypatch.undo()
    with pytest.raises(ns.FileError, match="cannot be written"):
        sim.save(tmp_path / "no folder" / "state.h5")
    sim.save(path)
    assert ns.Simulation.load(path, network(record=False)).tick == 0


def test_recordings_that_nobody_asks_for_any_more_are_named(saved):
    with pytest.warns(ns.NeurosimWarning, match="left out: v of cells, spikes of noise, spikes of cells, resources of"):
        sim = ns.Simulation.load(saved, network(record=False))
    sim.run(1.0)


# ---- recordings in files ------------------------------------------------------------------------------------------


def test_streamed_recordings_are_those_in_memory(tmp_path):
    sim, streamed = simulation(), simulation(to=tmp_path, threads=2)
    for each in (sim, streamed):
        for piece in (0.0, 10.0, 0.3, 29.7):
            each.run(piece)
    assert everything(streamed) == everything(sim)
    assert streamed._run.recordings.bytes() < sim._run.recordings.bytes() / 4
    assert ns.Spikes.load(tmp_path / "spikes.h5") == sim.spikes("cells")
    assert ns.Spikes.load(tmp_path / "spikes.h5").metadata["seed"] == 7
    for file, what, variable in (("v.h5", "cells", "v"), ("x.h5", "back", "resources")):
        for a, b in zip(read_trace(tmp_path / file), sim.trace(what, variable), strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("block", [100, 1 << 20])
def test_an_earlier_state_cuts_the_files_too(tmp_path, monkeypatch, block):
    monkeypatch.setattr(growing, "BLOCK_BYTES", block)
    sim, streamed = simulation(), simulation(to=tmp_path)
    sim.run(40.0)
    streamed.run(15.0)
    state = streamed.state()
    streamed.run(30.0)
    streamed.restore(state)
    assert ns.Spikes.load(tmp_path / "spikes.h5") == sim.spikes("cells").between(0.0, 15.0)
    streamed.run(25.0)
    assert everything(streamed) == everything(sim)


def test_a_recording_is_not_written_over_a_file(tmp_path):
    (tmp_path / "v.h5").write_text("precious")
    sim = simulation(to=tmp_path)
    with pytest.raises(ns.FileError, match=r"v\.h5 must not exist when a recording of v of cells is begun there"):
        sim.run(1.0)
    assert (tmp_path / "v.h5").read_text() == "precious" and sim.tick == 0
    with pytest.raises(ns.FileError, match="folder does not exist"):
        simulation(to=tmp_path / "nowhere").run(1.0)


def test_streamed_recordings_go_on_after_load(tmp_path):
    sim, streamed = simulation(), simulation(to=tmp_path)
    sim.run(40.0)
    streamed.run(15.0)
    streamed.save(tmp_path / "state.h5")
    streamed.run(3.0)
    later = ns.Simulation.load(tmp_path / "state.h5", network(to=tmp_path))
    later.run(25.0)
    assert everything(later) == everything(sim)
    assert ns.Spikes.load(tmp_path / "spikes.h5") == sim.spikes("cells")
    with pytest.raises(ns.FileError, match="in another file, .*; describe that recorder with to="):
        ns.Simulation.load(tmp_path / "state.h5", network())
    (tmp_path / "v.h5").unlink()
    with pytest.raises(ns.FileError, match=r"v\.h5 does not exist"):
        ns.Simulation.load(tmp_path / "state.h5", network(to=tmp_path))


def run_script(text, *arguments):
    head = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
    command = [sys.executable, "-c", head + text, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_file_survives_the_death_of_its_process(tmp_path):
    text = """
import os, sys
from pathlib import Path
from neurosim import recording
from test_state import simulation
recording.FLUSH_SECONDS = -1.0
sim = simulation(to=Path(sys.argv[1]))
sim.run(100.0, callback=lambda sim: os._exit(9) if sim.tick >= 200 else None, callback_every=10.0)
"""
    process = run_script(text, tmp_path)
    process.wait(60)
    assert process.returncode == 9
    sim = simulation()
    sim.run(20.0)
    times, values = read_trace(tmp_path / "v.h5")
    assert np.array_equal(times, sim.trace("cells", "v")[0]) and np.array_equal(values, sim.trace("cells", "v")[1])
    assert ns.Spikes.load(tmp_path / "spikes.h5") == sim.spikes("cells")


# ---- what stops a run -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT between processes")
def test_ctrl_c_stops_at_a_tick_and_the_run_goes_on():
    text = """
import sys
from test_state import raw, simulation
sim = simulation(threads=2)
try:
    sim.run(300_000.0, callback=lambda sim: sim.tick == 100 and print("running", flush=True), callback_every=10.0)
except KeyboardInterrupt:
    stopped = sim.tick
sim.run(10.0)
whole = simulation()
whole.run((stopped + 100) * 0.1)
same = raw(sim.state()) == raw(whole.state()) and sim.spikes("cells") == whole.spikes("cells")
print(10 < stopped < 3_000_000, same, flush=True)
"""
    process = run_script(text)
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert output == "True True\n"


def test_a_callback_comes_at_whole_periods_and_may_set_parameters():
    sim, by_hand, seen = simulation(), simulation(), []

    def callback(sim):
        seen.append(sim.tick)
        sim.set("cells", i_bias=sim.time)

    sim.run(0.7)
    sim.run(10.0, callback=callback, callback_every=2.5)
    assert seen == [25, 50, 75, 100]
    by_hand.run(2.5)
    for k in range(1, 5):
        by_hand.set("cells", i_bias=2.5 * k)
        by_hand.run(2.5 if k < 4 else 0.7)
    assert everything(sim) == everything(by_hand)
    with pytest.raises(ns.ParameterError, match="given together"):
        sim.run(1.0, callback=callback)


def test_a_callback_may_save_but_not_run_or_restore(tmp_path):
    sim, whole = simulation(), simulation()
    state = sim.state()
    for what, call in (("run", lambda sim: sim.run(1.0)), ("restore", lambda sim: sim.restore(state))):
        with pytest.raises(ns.SimulationError, match=f"{what} must not be called while the simulation runs"):
            sim.run(4.0, callback=call, callback_every=1.0)
    sim.run(8.0, callback=lambda sim: sim.save(tmp_path / f"{sim.tick}.h5"), callback_every=4.0)
    whole.run(10.0)
    later = ns.Simulation.load(tmp_path / "40.h5", network())
    later.run(6.0)
    assert everything(later) == everything(sim) == everything(whole)


@pytest.mark.slow
def test_a_shorter_refractory_time_loses_no_spike_of_a_learning_target():
    def after(pieces):
        net = ns.Network()
        source = net.add(ns.SpikeSource(ns.Spikes(ticks=[1], ids=[0], size=1, dt=0.1, duration=1.0)), name="source")
        cells = net.add(ns.LIF(t_ref=5.0, i_bias=1e6), 3, name="cells")
        net.connect(source, cells, weight=0.0, delay=0.1, plasticity=ToyPair(tau_plus=1e4, w_max=1e9), name="learner")
        sim = ns.Simulation(net, dt=0.1)
        sim.set("cells", t_ref=0.0)
        for piece in pieces:
            sim.run(piece)
        return sim.weights("learner")

    assert np.array_equal(after([60.0]), after([3.0] * 20)) and after([60.0]).min() > 25.0


def test_recordings_that_do_not_fit_are_refused_before_the_run():
    sim = ns.Simulation(network(), dt=0.1, memory_limit=1e6)
    with pytest.raises(ns.SimulationError, match=r"'resources' of 'back' and 1 other .* = 0\.001 GB .*stream"):
        sim.run(1e6)
    assert sim.tick == 0
    sim.run(10.0)


def test_spikes_that_do_not_fit_stop_the_run():
    net = ns.Network()
    net.record(net.add(ns.Poisson(rate=10000.0), 1000, name="noise"))
    sim = ns.Simulation(net, dt=0.1, memory_limit=1e6)
    with pytest.raises(ns.SimulationError, match="recordings take .* at t = .* ms"):
        sim.run(10000.0)
    assert 0 < sim.time < 10000.0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_value_that_is_not_finite_stops_the_run(threads):
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=[250], ids=[0], size=1, dt=0.1, duration=50.0)), name="source")
    cells = net.add(ns.LIF(), 300, name="cells")
    net.connect(source, cells, ns.Explicit([0], [170]), weight=3e38, delay=1.0, receptor=ns.ExponentialCurrent(5.0))
    net.connect(source, cells, ns.Explicit([0], [170]), weight=3e38, delay=1.0, receptor=ns.ExponentialCurrent(5.0))
    sim = ns.Simulation(net, dt=0.1, threads=threads)
    state = sim.state()
    sim.run(25.9)
    with pytest.raises(ns.SimulationError, match="i_syn of neuron 170 of 'cells' became inf at or before t = .* ms"):
        sim.run(1e6)
    assert sim.time < 25.9 + 1e6
    sim.restore(state)
    sim.run(40.0, allow_infinite=True)
    assert sim.time == 40.0


@pytest.mark.parametrize("mode", [{}, {"mode": "event"}])
def test_of_several_with_one_name_the_one_that_has_the_quantity_is_set(mode):
    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=1, dt=1.0, duration=1.0)), name="both")
    cells = net.add(ns.LIF(), 2, name="cells")
    net.connect(given, cells, weight=3.0, name="both")
    net.connect(cells, cells, weight=1.0, name="cells")
    sim = ns.Simulation(net, **mode)
    sim.set("both", weight=4.0)
    sim.set("cells", weight=2.0)
    sim.set("cells", v=-60.0)
    assert sim.weights("both").tolist() == [4.0, 4.0] and sim.weights("cells").tolist() == [2.0] * 4
    assert sim.get("cells", "v").tolist() == [-60.0, -60.0]
    with pytest.raises(ns.NetworkError, match="population, projection or drive must be one of 'both', 'cells', got"):
        sim.set("nobody", v=1.0)
