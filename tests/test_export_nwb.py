"""NWB: PyNWB's validator finds nothing, the inspector only what simulated data lack, Neo's reader takes the file."""

import warnings

import h5py
import numpy as np
import pytest
from full_disk import largest_file
from hypothesis import given, settings
from hypothesis import strategies as st
from spike_strategies import as_written, clocked, exact, labels

from neurosim.errors import FileError, NeurosimWarning, ParameterError
from neurosim.export import read_spikes
from neurosim.spikes import Spikes

pynwb = pytest.importorskip("pynwb", reason="PyNWB is not installed; the extra nwb has it")

settings.register_profile("nwb", deadline=None, max_examples=25)
settings.load_profile("nwb")

BIG = 720575940600000001
#: What no simulation has, and keywords, with which Neo's reader raises.
LACKING = {"check_experimenter_exists", "check_institution", "check_subject_exists", "check_keywords"}


def some(**changes):
    return Spikes(**{"ticks": [3, 1, 4, 13], "ids": [2, 0, 2, 0], "size": 4, "duration": 2.0, "dt": 0.1, "name": "exc",
                     **changes})


@given(spikes=st.one_of(clocked(), exact()))
def test_files_bring_everything_back(spikes, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "spikes.nwb"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)  # of several spikes at one tick
        spikes.to_nwb(path)
    found, spikes = read_spikes(path), as_written(spikes)
    assert labels(found) == labels(spikes)
    if spikes.dt is None:
        assert found.watched is None or found.watched.tolist() == spikes.watched.tolist()
        order = np.lexsort((spikes.times, spikes.ids)), np.lexsort((found.times, found.ids))
        assert np.allclose(found.times[order[1]], spikes.times[order[0]], rtol=1e-15, atol=0)
        assert (found.start, found.duration, found.size) == (spikes.start, spikes.duration, spikes.size)
    else:
        assert found == spikes


def test_the_table_of_units(tmp_path):
    path = tmp_path / "a.nwb"
    some(unit_ids=[7, 8, BIG, 9]).to_nwb(path, experimenter=["Ada"], session_description="what it was")
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        table = file.units.to_dataframe()
        assert table.index.tolist() == [7, 8, BIG, 9] and set(table["population"]) == {"exc"}
        for times, right in zip(table["spike_times"], [[0.0001, 0.0013], [], [0.0003, 0.0004], []], strict=True):
            assert times == pytest.approx(right, rel=1e-15)
        assert all(each.tolist() == [[0.0, 0.002]] for each in table["obs_intervals"])
        assert file.units.resolution == 0.0001 and file.experimenter == ("Ada",)
        assert file.session_description == "what it was"
    with h5py.File(path) as file:
        assert file["units/spike_times"].dtype == np.float64
    with pytest.raises(ParameterError, match="fields of NWB must be those of pynwb.NWBFile: .*colour"):
        some().to_nwb(path, colour="red")


@pytest.mark.parametrize("spikes", [some(), some(ticks=[], ids=[]), some(unit_ids=[7, 8, BIG, 9], watched=[0, 2]),
                                    Spikes.from_times([0.5, 0.7], [0, 0], size=1, duration=1.0)],
                         ids=["some", "silent", "named", "exact"])
def test_validator_and_inspector_find_nothing_else(spikes, tmp_path):
    path = tmp_path / "a.nwb"
    spikes.to_nwb(path)
    assert not pynwb.validate(path=str(path))
    inspector = pytest.importorskip("nwbinspector", reason="nwbinspector is not installed")
    found = {message.check_function_name: message for message in inspector.inspect_nwbfile(nwbfile_path=str(path))
             if message.importance.name != "ERROR" or len(spikes)}  # of silent tables some checks die, see findings
    assert set(found) <= LACKING | ({"check_units_resolution_is_set"} if spikes.dt is None else set())
    subject = pynwb.file.Subject(subject_id="none", species="Mus musculus", sex="U", age="P0D", description="a model")
    spikes.to_nwb(path, experimenter=["Lovelace, Ada"], institution="here", subject=subject, keywords=["spikes"])
    found = {message.check_function_name for message in inspector.inspect_nwbfile(nwbfile_path=str(path))
             if message.importance.name != "ERROR" or len(spikes)}
    assert found <= ({"check_units_resolution_is_set"} if spikes.dt is None else set())


def test_several_spikes_at_one_tick_are_written_with_a_warning(tmp_path):
    spikes = some(ticks=[3, 3, 3, 5], ids=[0, 0, 1, 2])
    with pytest.warns(NeurosimWarning, match="1 spikes of 'exc' come at the same tick .* nwbinspector calls that"):
        spikes.to_nwb(tmp_path / "a.nwb")
    assert read_spikes(tmp_path / "a.nwb") == spikes


def test_neo_reads_the_file(tmp_path):
    neo = pytest.importorskip("neo", reason="Neo is not installed; the extra neo has it")
    some(unit_ids=[7, 8, BIG, 9]).to_nwb(tmp_path / "a.nwb")
    (segment,) = neo.io.NWBIO(str(tmp_path / "a.nwb"), mode="r").read_all_blocks()[0].segments
    assert [len(train) for train in segment.spiketrains] == [2, 0, 2, 0]
    found = Spikes.from_neo(segment, dt=0.1)
    assert found.ticks.tolist() == [1, 3, 4, 13] and found.stop == 2.0


def foreign(path, intervals=((0.0, 10.0), (0.0, 10.0)), dtype=np.float64):
    """A file as laboratories write them, unit by unit."""
    from datetime import UTC, datetime

    file = pynwb.NWBFile(session_description="a", identifier="b", session_start_time=datetime.now(UTC))
    for unit, (times, interval) in enumerate(zip(([1.0, 2.5], [0.5]), intervals, strict=True)):
        file.add_unit(spike_times=np.array(times), obs_intervals=None if interval is None else [interval],
                      id=950910352 + unit)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    if dtype != np.float64:
        with h5py.File(path, "a") as raw:
            times, attributes = raw["units/spike_times"][:], dict(raw["units/spike_times"].attrs)
            del raw["units/spike_times"]
            raw["units/spike_times"] = times.astype(dtype)
            raw["units/spike_times"].attrs.update(attributes)
    return path


def test_units_of_others(tmp_path):
    found = Spikes.from_nwb(foreign(tmp_path / "a.nwb"))
    assert found.unit_ids.tolist() == [950910352, 950910353] and found.times.tolist() == [500.0, 1000.0, 2500.0]
    assert found.ids.tolist() == [1, 0, 0] and (found.start, found.stop, found.dt) == (0.0, 10_000.0, None)
    assert Spikes.from_nwb(tmp_path / "a.nwb", dt=0.5).ticks.tolist() == [1000, 2000, 5000]
    with pytest.warns(NeurosimWarning, match="observed in several intervals.* from 0 to 10 s"):
        assert Spikes.from_nwb(foreign(tmp_path / "b.nwb", ((0.0, 5.0), (0.0, 10.0)))).stop == 10_000.0
    assert Spikes.from_nwb(foreign(tmp_path / "c.nwb", (None, None))).stop == 2500.0
    with pytest.raises(ParameterError, match="population must be one of none, those of .*c.nwb, got 'exc'"):
        Spikes.from_nwb(tmp_path / "c.nwb", population="exc")


def test_float32_seconds(tmp_path):
    path = foreign(tmp_path / "a.nwb", dtype=np.float32)
    assert Spikes.from_nwb(path, dt=0.1).ticks.tolist() == [5000, 10_000, 25_000]
    with h5py.File(path, "a") as raw:
        raw["units/spike_times"][:] += np.float32(3600)
    with pytest.raises(ParameterError, match="kept as float32, can tell"):
        Spikes.from_nwb(path, dt=0.1, duration=4e6)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    spikes, path = some(), tmp_path / "a.nwb"
    spikes.to_nwb(path)
    size = path.stat().st_size
    path.write_bytes(b"before")
    for limit in (0, size // 2, size - 1):
        with largest_file(limit), pytest.raises(FileError, match="a.nwb cannot be written: File too large"):
            spikes.to_nwb(path)
        assert path.read_bytes() == b"before" and [each.name for each in tmp_path.iterdir()] == ["a.nwb"]
    spikes.to_nwb(path)
    assert read_spikes(path) == spikes


def test_damaged_tables_are_refused(tmp_path):
    path = tmp_path / "a.nwb"
    some().to_nwb(path)
    with h5py.File(path, "a") as file:
        file["units/spike_times_index"][0] = 3
        file["units/spike_times_index"][1] = 1
    with pytest.raises(FileError, match="a.nwb is damaged: units/spike_times_index does not fit the 4 units"):
        read_spikes(path)
    some().to_nwb(path)
    with h5py.File(path, "a") as file:
        file["units/neuron"][0] = 99
    with pytest.raises(FileError, match="a.nwb does not hold valid spikes: Spikes.*99"):
        read_spikes(path)
    with h5py.File(path, "a") as file:
        del file["units"]
    with pytest.raises(FileError, match="must have a table of units with spike_times, it has none"):
        read_spikes(path)
