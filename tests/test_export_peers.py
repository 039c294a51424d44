"""libsonata, pandas, pyvcd, NEST and Brian2 beside what is written for them or read from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spike_strategies import as_written, clocked, exact, labels

from neurosim.errors import NeurosimWarning, ParameterError
from neurosim.spikes import Spikes

settings.register_profile("peers", deadline=None, max_examples=40)
settings.load_profile("peers")

BIG = 720575940600000001


def some(**changes):
    return Spikes(**{"ticks": [3, 1, 4, 13], "ids": [2, 0, 2, 0], "size": 4, "duration": 2.0, "dt": 0.1, "name": "exc",
                     "unit_ids": [7, 8, BIG, 9], **changes})


# ---- libsonata --------------------------------------------------------------------------------------


@given(spikes=st.one_of(clocked(), exact()))
def test_libsonata_opens_what_is_written(spikes, tmp_path_factory):
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed")
    path = tmp_path_factory.mktemp("files") / "spikes.h5"
    spikes.to_sonata(path)
    spikes = as_written(spikes)
    reader = libsonata.SpikeReader(str(path))
    (name,) = reader.get_population_names()
    population = reader[name]
    assert name == (spikes.name or "spikes") and population.sorting == "by_time" and population.time_units == "ms"
    found = population.get_dict()
    called = np.arange(spikes.size) if spikes.unit_ids is None else spikes.unit_ids
    assert np.array_equal(found["timestamps"], spikes.times)
    assert np.array_equal(found["node_ids"], called[spikes.ids].astype(np.uint64))
    if len(spikes):
        assert population.times == (spikes.times[0], spikes.times[-1])
        half = float(spikes.times[len(spikes) // 2])
        assert len(population.get(tstart=half)) >= np.count_nonzero(spikes.times >= half)


# ---- pandas -----------------------------------------------------------------------------------------


@given(spikes=st.one_of(clocked(), exact()))
def test_tables_bring_everything_back(spikes):
    pytest.importorskip("pandas", reason="pandas is not installed; the extra pandas has it")
    found = Spikes.from_pandas(spikes.to_pandas())
    assert found == as_written(spikes) and labels(found) == labels(as_written(spikes))


def test_tables_and_parts_of_them():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; the extra pandas has it")
    frame = some().to_pandas()
    assert frame.columns.tolist() == ["time_ms", "neuron", "tick"] and frame["neuron"].tolist() == [7, BIG, BIG, 7]
    assert Spikes.from_pandas(frame[frame["neuron"] == BIG]) == some(ticks=[3, 4], ids=[2, 2])
    found = Spikes.from_pandas(pandas.DataFrame({"senders": [3, 1], "times": [0.5, 0.1]}).rename(
        columns={"times": "time_ms"}), ids=range(5), dt=0.1)
    assert found.ids.tolist() == [1, 3] and found.size == 5
    with pytest.raises(ParameterError, match="frame must have a column named one of time_ms, time, it has x"):
        Spikes.from_pandas(pandas.DataFrame({"x": [1]}))
    with pytest.raises(ParameterError, match="frame must have neurons that are whole numbers"):
        Spikes.from_pandas(pandas.DataFrame({"time_ms": [1.0], "neuron": ["a"]}))
    with pytest.raises(ParameterError, match="frame must be a pandas DataFrame, got"):
        Spikes.from_pandas([1, 2])


def test_pandas_reads_the_csv(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; the extra pandas has it")
    spikes = some(unit_ids=None)
    spikes.to_csv(tmp_path / "a.csv")
    assert Spikes.from_pandas(pandas.read_csv(tmp_path / "a.csv", comment="#"), ids=range(4), dt=0.1,
                              duration=2.0) == spikes


# ---- VCD --------------------------------------------------------------------------------------------


@given(spikes=clocked(several=False).filter(lambda spikes: spikes.dt != 1 / 3))
def test_pyvcd_reads_the_dump(spikes, tmp_path_factory):
    reader = pytest.importorskip("vcd.reader", reason="pyvcd is not installed")
    path = tmp_path_factory.mktemp("files") / "spikes.vcd"
    spikes.to_vcd(path)
    spikes = as_written(spikes)
    names, found, now, step = {}, [], None, None
    with open(path, "rb") as file:
        for token in reader.tokenize(file):
            if token.kind is reader.TokenKind.TIMESCALE:
                unit = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6, "ps": 1e-9, "fs": 1e-12}
                step = int(token.timescale.magnitude) * unit[token.timescale.unit.value]
            elif token.kind is reader.TokenKind.VAR:
                assert token.var.type_ is reader.VarType.event
                names[token.var.id_code] = int(token.var.reference[1:])
            elif token.kind is reader.TokenKind.CHANGE_TIME:
                now = token.time_change * step
            elif token.kind is reader.TokenKind.CHANGE_SCALAR:
                found.append((round(now / spikes.dt), names[token.scalar_change.id_code]))
    called = np.arange(spikes.size) if spikes.unit_ids is None else spikes.unit_ids
    assert sorted(found) == sorted(zip(spikes.ticks.tolist(), called[spikes.ids].tolist(), strict=True))
    assert now == pytest.approx(spikes.stop)


# ---- simulators -------------------------------------------------------------------------------------


def test_recorders_and_files_of_nest(tmp_path):
    nest = pytest.importorskip("nest", reason="NEST is not installed; the extra nest has it")
    nest.ResetKernel()
    nest.set(resolution=0.1, local_num_threads=2, data_path=str(tmp_path), overwrite_files=True)
    cells = nest.Create("iaf_psc_exp", 7, {"I_e": np.linspace(300.0, 600.0, 7)})
    recorders = [nest.Create("spike_recorder", params={"record_to": kind, "time_in_steps": steps, "label": f"s{steps}"})
                 for kind in ("memory", "ascii") for steps in (False, True)]
    for recorder in recorders:
        nest.Connect(cells, recorder)
    nest.Simulate(200.0)
    options = {"ids": cells.tolist(), "dt": 0.1, "duration": 200.0}
    found = Spikes.from_nest(recorders[0], **options)
    events = recorders[0].events
    assert len(found) == len(events["times"]) > 20 and found.size == 7
    assert found.counts()[0] == 0 < found.counts()[-1]  # a silent neuron stays
    for neuron, cell in enumerate(cells.tolist()):
        assert np.array_equal(found.ticks[found.ids == neuron],
                              np.sort(np.rint(events["times"][events["senders"] == cell] / 0.1).astype(int)))
    assert Spikes.from_nest(events, **options) == found == Spikes.from_nest(recorders[1], **options)
    for recorder in recorders[2:]:
        (named,) = recorder.get("filenames")  # one of two: each thread writes its own
        files = sorted(tmp_path.glob(f"{recorder.get('label')}-*.dat"))
        assert len(files) == 2 and Spikes.from_nest(files, **options) == found
        with pytest.warns(NeurosimWarning, match=f"for each thread, and these were not given: {files[0].name}"):
            Spikes.from_nest(named, **options)
    assert Spikes.from_nest(recorders[0], **{**options, "ids": cells}) == found


def test_monitors_of_brian2():
    """A neuron that fires in its first step spikes at 0 in Brian2, and at the end of that step, tick 1, here."""
    b2 = pytest.importorskip("brian2", reason="Brian2 is not installed; the extra brian2 has it", exc_type=ImportError)
    b2.start_scope()
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = 0.1 * b2.ms
    group = b2.NeuronGroup(4, "dv/dt = rate : 1\nrate : Hz", threshold="v > 1", reset="v = 0", method="euler")
    group.v, group.rate = [2.0, 0.0, 0.5, 0.0], [0.0, 60.0, 60.0, 0.0] / b2.second
    monitor, part = b2.SpikeMonitor(group), b2.SpikeMonitor(group[1:])
    network = b2.Network(group, monitor, part)
    network.run(50 * b2.ms)
    found = Spikes.from_brian2(monitor)
    assert found.ticks.tolist() == [round(float(t / b2.ms) / 0.1) + 1 for t in monitor.t]
    assert found.ticks[0] == 1 and found.ids.tolist() == list(monitor.i)
    assert (found.size, found.dt, found.start, found.duration) == (4, 0.1, 0.0, 50.0)
    assert Spikes.from_brian2(part).size == 3 and len(Spikes.from_brian2(part)) == len(found) - 1
    assert Spikes.from_brian2(monitor.get_states(), ids=range(4), dt=0.1, duration=50.0) == found
    with pytest.raises(ParameterError, match="dt must be the step of Brian2's clock, got 0.3 ms"):
        Spikes.from_brian2(monitor, dt=0.3)
    with pytest.raises(ParameterError, match="monitor must be a SpikeMonitor, got"):
        Spikes.from_brian2([1])
    with pytest.raises(ParameterError, match="together with dt, the step of Brian2's clock in ms"):
        Spikes.from_brian2(monitor.get_states())
