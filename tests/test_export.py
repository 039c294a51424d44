"""Spikes in the files of others and back, as far as no other tool is needed; what is wrong is said in a sentence."""

import warnings

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spike_strategies import as_written, clocked, exact, labels

import neurosim as ns
from neurosim.errors import FileError, NeurosimWarning, ParameterError, UnsupportedError
from neurosim.export import read_spikes, write_spikes
from neurosim.spikes import Spikes

settings.register_profile("export", deadline=None, max_examples=40)
settings.load_profile("export")

BIG = [2**63 - 1, 720575940600000001, 5]  #: FlyWire's numbers have 60 bits


def small(**changes):
    return Spikes(**{"ticks": [3, 1, 4], "ids": [0, 1, 0], "size": 3, "duration": 1.0,
                     "dt": 0.1, "name": "cells", "unit_ids": BIG, **changes})


def back(spikes, path):
    write_spikes(spikes, path)
    return read_spikes(path)


# ---- round trips ------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["h5", "csv", "npz"])
@given(spikes=st.one_of(clocked(), exact()))
def test_files_of_neurosim_bring_everything_back(end, spikes, tmp_path_factory):
    found = back(spikes, tmp_path_factory.mktemp("files") / f"spikes.{end}")
    assert found == spikes and labels(found) == labels(spikes)


@given(spikes=st.one_of(clocked(), exact()))
def test_sonata_brings_everything_back(spikes, tmp_path_factory):
    found = back(spikes, tmp_path_factory.mktemp("files") / "spikes.sonata")
    assert found == as_written(spikes) and labels(found) == labels(as_written(spikes))


@given(spikes=clocked(several=False))
def test_vcd_brings_everything_back(spikes, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "spikes.vcd"
    if spikes.dt == 1 / 3:
        with pytest.raises(UnsupportedError, match="dt that is a whole number of fs"):
            write_spikes(spikes, path)
        return
    found = back(spikes, path)
    assert found == as_written(spikes) and labels(found) == labels(as_written(spikes))


@given(spikes=clocked())
def test_events_of_tonic_come_back(spikes):
    from neurosim import datasets

    spikes = as_written(spikes).watched_only().replace(unit_ids=None)
    whole = abs(spikes.dt * 1000 - round(spikes.dt * 1000)) < 1e-9
    with warnings.catch_warnings():
        warnings.simplefilter("error" if whole else "ignore")
        events = spikes.to_tonic()
    assert (np.diff(events["t"]) >= 0).all() and (events["p"] == 1).all() and len(events) == len(spikes)
    if whole:
        found = datasets.to_spikes(events, (spikes.size, 1, 1), dt=spikes.dt, duration=spikes.stop)
        assert np.array_equal(found.ticks, spikes.ticks) and np.array_equal(found.ids, spikes.ids)


def test_times_that_are_no_whole_microseconds_are_rounded_with_a_warning():
    with pytest.warns(NeurosimWarning, match="whole microseconds, in which Tonic counts; the worst error is 0.5 us"):
        assert Spikes.from_times([0.0015, 2.0], [0, 0]).to_tonic()["t"].tolist() == [2, 2000]


@pytest.mark.slow
@pytest.mark.parametrize("end", ["npz", "h5", "sonata", "nwb", "neo"])
def test_ten_million_spikes_come_back(end, tmp_path):
    if end in ("nwb", "neo"):
        pytest.importorskip({"nwb": "pynwb", "neo": "neo"}[end], reason=f"the extra {end} is not installed")
    rng = np.random.default_rng(0)
    cells = np.sort(rng.choice(2**63 - 1, 10_000, replace=False))
    spikes = Spikes(ticks=rng.integers(1, 360_000_001, 10_000_000), ids=rng.integers(0, 9_999, 10_000_000), size=10_000,
                    dt=0.1, duration=3.6e7, unit_ids=cells)  # ten hours, the last one silent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)  # of two spikes at one tick
        found = Spikes.from_neo(spikes.to_neo()) if end == "neo" else back(spikes, tmp_path / f"spikes.{end}")
    assert found == spikes and np.array_equal(found.unit_ids, cells)


# ---- SONATA -----------------------------------------------------------------------------------------


def foreign_sonata(path, times=(0.5, 1.2), nodes=(3, 900), units="ms", **attributes):
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/cortex")
        group["timestamps"] = np.asarray(times)
        group["node_ids"] = np.asarray(nodes, dtype=np.uint64)
        if units is not None:
            group["timestamps"].attrs["units"] = units
        group.attrs.update(attributes)
    return path


def test_a_sonata_file_says_what_readers_need(tmp_path):
    small().to_sonata(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        group = file["spikes/cells"]
        assert group["timestamps"].attrs["units"] == "ms" and group["timestamps"].dtype == np.float64
        assert group["node_ids"].dtype == np.uint64 and group["timestamps"].compression is None
        kind = group.attrs.get_id("sorting").dtype
        assert h5py.check_enum_dtype(kind) == {"none": 0, "by_id": 1, "by_time": 2} and group.attrs["sorting"] == 2
        assert file.attrs["magic"] == 0x0A7A and file.attrs["version"].tolist() == [0, 1]


def test_a_sonata_file_of_another_writer(tmp_path):
    path = foreign_sonata(tmp_path / "a.h5", sorting="by_time")
    found = Spikes.from_sonata(path)
    assert found.times.tolist() == [0.5, 1.2] and found.unit_ids.tolist() == [3, 900] and found.name == "cortex"
    found = Spikes.from_sonata(path, ids=range(1000), dt=0.1, duration=5.0)
    assert found.ticks.tolist() == [5, 12] and found.ids.tolist() == [3, 900]
    assert (found.size, found.duration, found.unit_ids) == (1000, 5.0, None)
    assert read_spikes(path, dt=0.1) == Spikes.from_sonata(path, dt=0.1)


def test_sonata_in_other_units_and_order(tmp_path):
    found = Spikes.from_sonata(foreign_sonata(tmp_path / "a.h5", times=(0.012, 0.0005), units="s"), dt=0.1)
    assert found.ticks.tolist() == [5, 120] and found.unit_ids[found.ids].tolist() == [900, 3]
    assert len(Spikes.from_sonata(foreign_sonata(tmp_path / "b.h5", times=(), nodes=(), units=None))) == 0
    with pytest.raises(FileError, match="timestamps in ms, s or us, it has 'fortnight'"):
        Spikes.from_sonata(foreign_sonata(tmp_path / "c.h5", units="fortnight"))


def test_a_spike_at_the_very_beginning_is_kept(tmp_path):
    path = foreign_sonata(tmp_path / "a.h5", times=(0.0, 1.0))
    with pytest.warns(NeurosimWarning, match="the first spike, at 0 ms, is not after the start of the window, 0 ms"):
        found = Spikes.from_sonata(path, dt=0.1, duration=2.0)
    assert found.ticks.tolist() == [0, 10] and (found.start, found.stop) == (-0.1, 2.0)
    with pytest.warns(NeurosimWarning, match="it opens at"):
        found = Spikes.from_sonata(path)
    assert found.times.tolist() == [0.0, 1.0] and found.start < 0
    with pytest.raises(ParameterError, match=r"must lie in \(0, 10\]"):
        Spikes.from_sonata(path, dt=0.1, start=0.0, duration=1.0)


def test_times_of_float32_are_refused_where_they_cannot_hold_a_tick(tmp_path):
    hour = np.array([3_600_000.1], dtype=np.float32)  # ms; neighbouring numbers differ by 0.25
    path = foreign_sonata(tmp_path / "a.h5", times=hour, nodes=[0])
    with pytest.raises(ParameterError, match="dt must be longer than what the times, kept as float32, can tell, 0.25"):
        Spikes.from_sonata(path, dt=0.1)
    assert Spikes.from_sonata(path, dt=1.0).ticks.tolist() == [3_600_000]
    assert Spikes.from_sonata(path).times.tolist() == hour.tolist()
    minute = np.array([60_000.1], dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Spikes.from_sonata(foreign_sonata(tmp_path / "b.h5", times=minute, nodes=[0]), dt=0.1)
    assert found.ticks.tolist() == [600_001]


def test_times_off_the_grid_are_rounded_with_a_warning(tmp_path):
    path = foreign_sonata(tmp_path / "a.h5", times=(0.53, 1.2))
    with pytest.warns(NeurosimWarning, match="rounded to the grid of dt = 0.1 ms; the worst error is 0.03 ms"):
        assert Spikes.from_sonata(path, dt=0.1).ticks.tolist() == [5, 12]


# ---- what is wrong ----------------------------------------------------------------------------------


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"name of spikes.mat must end in one of .csv, .npz, .nwb, .vcd"):
        write_spikes(small(), tmp_path / "spikes.mat")
    with pytest.raises(ParameterError, match=r"or format= must say what it is"):
        ns.read_spikes(tmp_path / "spikes")
    with pytest.raises(ParameterError, match="format must be one of csv, npz, h5, nwb, .* got 'matlab'"):
        ns.read_spikes(tmp_path / "spikes.mat", format="matlab")
    with pytest.raises(ParameterError, match="format must be one of csv, npz, h5, nwb, .* got 'gdf'"):
        write_spikes(small(), tmp_path / "spikes.gdf", format="gdf")
    with pytest.raises(ParameterError, match="spikes must be Spikes, got"):
        write_spikes([1.0], tmp_path / "spikes.csv")


@pytest.mark.parametrize("end", ["h5", "csv", "npz", "sonata", "nwb", "vcd", "gdf", "dat"])
def test_files_that_are_missing_or_something_else(end, tmp_path):
    with pytest.raises(FileError, match=f"nothing.{end} does not exist"):
        ns.read_spikes(tmp_path / f"nothing.{end}")
    path = tmp_path / f"text.{end}"
    path.write_text("this is a letter to a friend\n")
    with pytest.raises(FileError, match=f"text.{end}"):
        ns.read_spikes(path)
    path.write_bytes(b"")
    if end not in ("gdf", "dat"):
        with pytest.raises(FileError, match=f"text.{end}"):
            ns.read_spikes(path)


@pytest.mark.parametrize("end", ["h5", "csv", "npz", "sonata", "vcd"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_files_that_were_cut_are_refused(end, part, tmp_path):
    """No file that was cut gives other spikes without a word."""
    spikes = Spikes(ticks=np.repeat(np.arange(1, 301), 2), ids=np.tile([0, 3], 300), size=5, duration=40.0, dt=0.1)
    path = tmp_path / f"spikes.{end}"
    write_spikes(spikes, path)
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * part)])
    with pytest.raises(FileError, match=f"spikes.{end}"):
        ns.read_spikes(path)


def test_newer_versions_are_refused(tmp_path):
    path = tmp_path / "spikes.sonata"
    small().to_sonata(path)
    with h5py.File(path, "a") as file:
        file.attrs["version"] = np.array([0, 2], dtype=np.uint32)
    with pytest.raises(FileError, match=r"must be of SONATA version 0.1, it is of version 0.2"):
        ns.read_spikes(path)
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        file.attrs["nwb_version"] = "3.0.0"
    with pytest.raises(FileError, match="must be of NWB version 2, it is of version 3.0.0"):
        ns.read_spikes(tmp_path / "a.nwb")
    for end in ("npz", "vcd"):
        path = tmp_path / f"spikes.{end}"
        write_spikes(small(), path)
        if end == "vcd":
            path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
        else:
            with np.load(path) as file:
                arrays = dict(file)
            arrays["neurosim"] = np.array(str(arrays["neurosim"]).replace('"version": 1', '"version": 2'))
            np.savez(path, **arrays)
        with pytest.raises(FileError, match="must be of version 1, it is of version 2"):
            ns.read_spikes(path)


def test_ids_and_times_outside_are_refused(tmp_path):
    path = foreign_sonata(tmp_path / "a.h5")
    with pytest.raises(ParameterError, match="a.h5: ids must name all neurons that spike, 900 is not among them"):
        Spikes.from_sonata(path, ids=range(100))
    with pytest.raises(ParameterError, match="ids must name each neuron once, got 3 twice"):
        Spikes.from_sonata(path, ids=[3, 3, 900])
    with pytest.raises(ParameterError, match=r"times must lie in \(0, 1\] ms.* got 1.2"):
        Spikes.from_sonata(path, duration=1.0)
    with pytest.raises(ParameterError, match="population must be one of 'cortex', those of .*a.h5, got 'thalamus'"):
        Spikes.from_sonata(path, population="thalamus")
    small(unit_ids=None).to_sonata(tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5", "a") as file:
        file["spikes/cells/node_ids"][0] = 77
    with pytest.raises(FileError, match=r"b.h5 does not hold valid spikes: .*ids must lie in 0 .. 2 .* got 77"):
        ns.read_spikes(tmp_path / "b.h5")
    with pytest.raises(ParameterError, match="dt must be left out for .*c.npz, which neurosim wrote"):
        small().to_npz(tmp_path / "c.npz")
        ns.read_spikes(tmp_path / "c.npz", dt=0.1)


def test_what_vcd_cannot_hold_is_refused(tmp_path):
    with pytest.raises(UnsupportedError, match="exact times; call on_grid"):
        Spikes.from_times([1.0], [0]).to_vcd(tmp_path / "a.vcd")
    with pytest.raises(UnsupportedError, match="at most one spike of a neuron at a tick, neuron 0 has several at"):
        small(ticks=[3, 3], ids=[0, 0]).to_vcd(tmp_path / "a.vcd")
    with pytest.raises(UnsupportedError, match="times >= 0, and the window opens at -1 ms"):
        small(start=-1.0, duration=2.0).to_vcd(tmp_path / "a.vcd")
    assert not list(tmp_path.iterdir())


def test_vcd_of_another_writer(tmp_path):
    """Rising edges are spikes; a level that $dumpvars lists, a wide signal and a comment are none."""
    path = tmp_path / "a.vcd"
    path.write_text("$timescale 10 ns $end\n$scope module top $end $var wire 1 ! clk $end $var wire 8 % bus $end\n"
                    "$var reg 1 # req $end $upscope $end $enddefinitions $end\n#0 $dumpvars 1! 0# b0 % $end\n"
                    "#5 0! b101 % #7 1! $comment 1# $end 1# #9 1! #20 0! 0# #25 1! #40\n")
    found = Spikes.from_vcd(path)
    assert found.times.tolist() == [7e-5, 7e-5, 25e-5] and found.ids.tolist() == [0, 1, 0]
    assert found.size == 2 and found.duration == 40e-5


# ---- NEST, gdf --------------------------------------------------------------------------------------

ASCII = "# NEST version: 3.10.0\n# RecordingBackendASCII version: 2\n"


def test_dictionaries_of_nest():
    events = {"senders": np.array([7, 5, 7]), "times": np.array([1.0, 0.1, 20.3])}
    found = Spikes.from_nest(events, ids=range(5, 9), dt=0.1, duration=100.0, name="exc")
    assert found.ticks.tolist() == [1, 10, 203] and found.ids.tolist() == [0, 2, 2]
    assert found.size == 4 and found.unit_ids.tolist() == [5, 6, 7, 8] and found.name == "exc"
    steps = {"senders": [7, 5], "times": np.array([10, 1]), "offsets": np.array([0.0, 0.025])}
    with pytest.warns(NeurosimWarning, match="the worst error is 0.025 ms"):  # a spike before the end of its step
        assert Spikes.from_nest([steps], dt=0.1).ticks.tolist() == [1, 10]
    with pytest.raises(ParameterError, match="dt must be given where times are steps"):
        Spikes.from_nest(steps)
    with pytest.raises(ParameterError, match="source must be a spike recorder of NEST"):
        Spikes.from_nest({"times": []})


def test_files_of_nest(tmp_path):
    first, second = tmp_path / "out-7-0.dat", tmp_path / "out-7-1.dat"
    first.write_text(ASCII + "sender\ttime_ms\n1\t13.900\n3\t29.800\n")
    second.write_text(ASCII + "sender\ttime_ms\n2\t0.100\n")
    found = Spikes.from_nest([first, second], ids=[1, 2, 3, 4], dt=0.1, duration=50.0)
    assert found.ticks.tolist() == [1, 139, 298] and found.ids.tolist() == [1, 0, 2] and found.size == 4
    with pytest.warns(NeurosimWarning, match="were not given: out-7-1.dat"):
        assert read_spikes(first, dt=0.1).ticks.tolist() == [139, 298]
    steps = tmp_path / "steps.dat"
    steps.write_text(ASCII + "sender\ttime_step\ttime_offset\n1\t139\t0.000\n1\t298\t0.000\n")
    assert Spikes.from_nest(steps, dt=0.1).ticks.tolist() == [139, 298]
    for text, message in ((ASCII.replace("version: 2", "version: 3") + "sender\ttime_ms\n", "version 2, it is of '3'"),
                          (ASCII + "sender\ttime_ms\tV_m\n", "it has sender, time_ms, V_m"),
                          (ASCII + "sender\ttime_ms\n1\t13.9\n2\t4", "cut short"),
                          ("1 2.0\n", "read by Spikes.from_gdf"),
                          (ASCII + "sender\ttime_ms\n1\t13.9\t5\n", "steps.dat")):
        steps.write_text(text)
        with pytest.raises(FileError, match=message):
            Spikes.from_nest(steps)


def test_gdf(tmp_path):
    path = tmp_path / "a.gdf"
    path.write_text("# from NEST 2\n720575940600000001 3.5\n5\t1.0\n\n700 2000\n")
    found = Spikes.from_gdf(path, ids=[5, 720575940600000001], others="leave out", duration=10.0)
    assert found.times.tolist() == [1.0, 3.5] and found.ids.tolist() == [0, 1]
    with pytest.raises(ParameterError, match="ids must name all neurons that spike, 700 is not among them"):
        Spikes.from_gdf(path, ids=[5, 720575940600000001])
    path.write_text("9.0e+00 2.5e+01\n")
    assert read_spikes(path).unit_ids.tolist() == [9]
    for text, message in (("1.5 2.0\n", "whole numbers in its first column"), ("1 2.0 3\n", "must have 2 columns"),
                          ("1 2.0\n1 3.", "cut short"), ("1 nan\n", "does not hold valid spikes"), ("a b\n", "a.gdf")):
        path.write_text(text)
        with pytest.raises(FileError, match=message):
            Spikes.from_gdf(path)


def test_recordings_of_motor_cortex():
    import os
    from pathlib import Path

    root = os.environ.get("NEUROSIM_DATA")
    if not root or not (Path(root) / "motor_cortex").is_dir():
        pytest.skip("NEUROSIM_DATA leads to no folder motor_cortex with recordings in .gdf")
    path = Path(root) / "motor_cortex/winny131_23.gdf"
    found = Spikes.from_gdf(path, ids=[2, 3], others="leave out", dt=1.0)
    table = np.loadtxt(path)
    assert found.counts().tolist() == [(table[:, 0] == 2).sum(), (table[:, 0] == 3).sum()]
    assert found.times.max() == table[np.isin(table[:, 0], [2, 3]), 1].max()
