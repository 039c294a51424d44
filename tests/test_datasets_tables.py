"""Tables of events as other tools write them: read rightly, in the order asked for, or one sentence on what to do."""

import gzip

import h5py
import numpy as np
import pytest
from dataset_files import same

from neurosim.datasets import SPIKE, make_events, read_events, to_spikes, write_events
from neurosim.errors import FileError, NeurosimWarning, ParameterError


def test_tables_of_other_tools(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("# a comment\n# another\npolarity,X,timestamp,other\n-1,5,0.000125,9\n1,6,0.25,9\n")
    events, size = read_events(path, time_unit="s")
    assert events["t"].tolist() == [125, 250_000] and events["p"].tolist() == [False, True] and size is None
    assert events.dtype == SPIKE
    tonic = np.array([(1, 2, 3, 0), (4, 5, 6, 1)], dtype=[("x", int), ("y", int), ("t", int), ("p", int)])
    np.save(tmp_path / "tonic.npy", tonic)
    np.savez(tmp_path / "tonic.npz", **{name: tonic[name] for name in "xytp"})
    for name in ("tonic.npy", "tonic.npz"):
        assert same(read_events(tmp_path / name)[0], make_events(t=[3, 6], x=[1, 4], y=[2, 5], p=[0, 1]))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match=r"objects.npy must hold numbers, it holds Python objects"):
        read_events(tmp_path / "objects.npy")


def test_a_change_that_is_allowed_does_not_pass_the_checksum(tmp_path):
    events = make_events(t=[10, 20], x=[1, 2])
    write_events(events, tmp_path / "a.csv", (5, 1, 1))
    text = (tmp_path / "a.csv").read_text()
    for wrong in (text.replace("20,2", "21,2"), text.replace("20,2,1\n", ""), text.replace("[5, 1, 1]", "[6, 1, 1]")):
        (tmp_path / "a.csv").write_text(wrong)
        with pytest.raises(FileError, match=r"a.csv is damaged: it must hold 2 events with the checksum "):
            read_events(tmp_path / "a.csv")




T, X, Y, P = np.array([10, 20, 20]), np.array([1, 3, 5]), np.array([2, 4, 0]), np.array([0, 1, 1])
EVENTS = make_events(t=T, x=X, y=Y, p=P)
STRUCTURED = np.array(list(zip(X, Y, P, T, strict=True)), dtype=[("x", "u2"), ("y", "u2"), ("p", "i2"), ("t", "i8")])


@pytest.mark.parametrize("text", [
    "t,x,y,p\n10,1,2,0\n20,3,4,1\n20,5,0,1", "t,x,y,p\n10,1,2,0\n20,3,4,1\n20,5,0,1\n\n \n",
    "\n\nt,x,y,p\n\n10,1,2,0\n20,3,4,1\n20,5,0,1\n",
    "\ufefft,x,y,p\r\n10,1,2,0\r\n20,3,4,1\r\n20,5,0,1\r\n", "t;x;y;p\n10;1;2;0\n20;3;4;1\n20;5;0;1\n",
    "t\tx\ty\tp\n10\t1\t2\t0\n20\t3\t4\t1\n20\t5\t0\t1\n", "t x y p\n10 1 2 0\n20  3 4 1\n20 5 0 1\n",
    "time,x,y,pol\n10,1,2,-1\n20,3,4,1\n20,5,0,1\n", "t_us,xs,ys,ps\n10,1,2,0\n20,3,4,1\n20,5,0,1\n",
    "Timestamp [us],X,Y,P\n10,1,2,0\n20,3,4,1\n20,5,0,1\n", "t_ms,x,y,p\n0.01,1,2,0\n0.02,3,4,1\n0.02,5,0,1\n",
    "time (ns),x,y,p\n10000,1,2,0\n20000,3,4,1\n20000,5,0,1\n", "t,x,y,on\n10,1,2,False\n20,3,4,True\n20,5,0,true\n",

    "t,x,y,p\n1e1,1.0,2,0\n20,3,4,1\n20,5,0,1.0\n", "# t x y p\n10 1 2 0\n20 3 4 1\n20 5 0 1\n",
    "y,p,t,x,more\n2,0,10,1,7\n4,1,20,3,7\n0,1,20,5,7\n",
])
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.csv.gz"])
def test_texts_with_names(tmp_path, text, name):
    raw = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw[:9]) + gzip.compress(raw[9:]) if name.endswith("gz") else raw)
    events, size = read_events(tmp_path / name)
    assert same(events, EVENTS) and size is None
    parts = list(read_events(tmp_path / name, chunks=2)[0])
    assert [len(part) for part in parts] == [2, 1] and same(np.concatenate(parts), EVENTS)


def test_texts_without_names_need_an_order(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("10,1,2,0,9\n20,3,4,1,9\n20,5,0,1,9\n")
    with pytest.raises(FileError, match=r"names of its columns, it begins with '10,1,2,0,9'; say in which order"):
        read_events(path)
    assert same(read_events(path, columns="txyp_")[0], EVENTS)
    with pytest.raises(FileError, match="must have 4 columns for the order 'txyp', it begins with '10,1,2,0,9'"):
        read_events(path, columns="txyp")
    path.write_text("t,x,y,p\n10,1,2,0\n")
    with pytest.raises(FileError, match="names its columns t, x, y, p; leave out columns='txyp'"):
        read_events(path, columns="txyp")
    path.write_text("%geometry:640,480\n1,2,0,10\n3,4,1,20\n5,0,1,20\n")  # Prophesee's tools write x, y, p, t
    events, size = read_events(path)
    assert same(events, EVENTS) and size == (640, 480, 2)
    path.write_text("%geometry:5,480\n1,2,0,10\n3,4,1,20\n5,0,1,20\n")
    with pytest.raises(FileError, match=r"\['x'\] must be in 0 .. 4, got 5 in event 2"):
        read_events(path)
    for wrong in ("txy1", "xyp", "ttxy", 5, ""):
        with pytest.raises(ParameterError, match="read_events.columns must be the order of the columns"):
            read_events(path, columns=wrong)


@pytest.mark.parametrize("made", [
    {"t": T, "x": X, "y": Y, "p": P}, {"ts": T, "xs": X, "ys": Y, "ps": P}, {"event_data": STRUCTURED},
    {"arr_0": STRUCTURED},
    {"events": STRUCTURED}, {"events": STRUCTURED[:, None]}, {"other": np.eye(3), "event_data": STRUCTURED},
    {"t": T, "x": X, "y": Y, "p": P * 2 - 1, "info": np.array({"a": 1}, dtype=object)},
    {name: column[:, None] for name, column in (("t", T), ("x", X), ("y", Y), ("p", P))},
    {name: column[None, :].astype(float) for name, column in (("t", T), ("x", X), ("y", Y), ("p", P))},
])
def test_arrays_by_the_names_that_are_around(tmp_path, made):
    np.savez(tmp_path / "a.npz", **made)
    assert same(read_events(tmp_path / "a.npz")[0], EVENTS)
    assert same(np.concatenate(list(read_events(tmp_path / "a.npz", chunks=1)[0])), EVENTS)


def test_arrays_without_names_are_read_in_the_order_asked_for(tmp_path):
    txyp, xypt = np.stack([T, X, Y, P], 1), np.stack([X, Y, P, T], 1).astype(float)
    np.save(tmp_path / "a.npy", txyp)
    np.savez(tmp_path / "a.npz", xypt)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events"] = txyp.astype("u4")
    for name, order in (("a.npy", "txyp"), ("a.npz", "xypt"), ("a.h5", "txyp")):
        assert same(read_events(tmp_path / name, columns=order)[0], EVENTS)
        assert same(np.concatenate(list(read_events(tmp_path / name, columns=order, chunks=2)[0])), EVENTS)
        with pytest.raises(FileError, match="does not name its columns; say in which order they are"):
            read_events(tmp_path / name)
        with pytest.raises(FileError, match=r"must have 3 columns for columns='txy', it is of shape \(3, 4\)"):
            read_events(tmp_path / name, columns="txy")


LAYOUTS = {
    "DSEC": {"events/t": T - 5, "events/x": X, "events/y": Y, "events/p": P, "t_offset": 5, "ms_to_idx": [0]},
    "event_utils": {"events/ts": T / 1e6, "events/xs": X, "events/ys": Y, "events/ps": P.astype(bool),
                    "images/image0": np.eye(2)},
    "1 Mpx": {"events/t": T, "events/x": X, "events/y": Y, "events/p": P, "events/height": 720, "events/width": 1280},
    "root": {"t": T, "x": X, "y": Y, "p": P, "more": np.eye(3)},
    "Prophesee": {"CD/events": STRUCTURED, "EXT_TRIGGER/events": np.zeros(2, [("p", "i2"), ("t", "i8"), ("id", "i2")])},
    "structured": {"events": STRUCTURED},
    "columns of MATLAB": {name: column[:, None] for name, column in (("t", T), ("x", X), ("y", Y), ("p", P))},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("more", [{}, {"chunks": True, "compression": "gzip"}])
def test_hdf5_in_the_layouts_that_are_around(tmp_path, layout, more):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, data in LAYOUTS[layout].items():
            file.create_dataset(name, data=data, **(more if np.ndim(data) else {}))
    unit = "s" if layout == "event_utils" else None
    events, size = read_events(tmp_path / "a.h5", time_unit=unit)
    assert same(events, EVENTS) and size == ((1280, 720, 2) if layout == "1 Mpx" else None)
    parts = list(read_events(tmp_path / "a.h5", time_unit=unit, chunks=2)[0])
    assert [len(part) for part in parts] == [2, 1] and same(np.concatenate(parts), EVENTS)


def test_files_of_dsec_as_they_are_packed(tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin", reason="hdf5plugin is not installed: see the extra `formats`")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, data in LAYOUTS["DSEC"].items():
            file.create_dataset(name, data=data, **(hdf5plugin.Blosc() if np.ndim(data) else {}))
    assert same(read_events(tmp_path / "a.h5")[0], EVENTS)


def test_hdf5_files_that_say_what_to_do(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["other/things"] = [1]
    with pytest.raises(FileError, match="must have the columns t and x in a group 'events' or at the root"):
        read_events(path)
    with h5py.File(path, "w") as file:  # as the camera's tools pack it, by a filter that is not in the HDF5 library
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((4,))
        properties.set_filter(36559, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((4,), (h5py.h5s.UNLIMITED,))
        group = file.create_group("CD")
        h5py.h5d.create(group.id, b"events", h5py.h5t.py_create(STRUCTURED.dtype), space, properties)
    with pytest.raises(FileError, match=r"'CD/events' is packed by the HDF5 filter 36559 .* which is not installed"):
        read_events(path)
    (tmp_path / "b.h5").write_bytes(gzip.compress(b"HDF5"))
    with pytest.raises(FileError, match=r"b.h5 is not an HDF5 file of events but a gzip file; unpack it first"):
        read_events(tmp_path / "b.h5")


def table(path, t, p=None):
    made = np.zeros(len(t), [("x", "u2"), ("y", "u2"), ("t", np.asarray(t).dtype), ("p", "i1")])
    made["t"], made["p"] = t, 1 if p is None else p
    np.save(path, made)
    return path


@pytest.mark.parametrize("bits", [23, 24, 31, 32, 34])
@pytest.mark.parametrize("chunks", [None, 1, 3])
def test_a_counter_that_wraps_is_unwrapped_when_asked(tmp_path, bits, chunks):
    true = np.cumsum(np.full(40, 2**bits // 10)) + 3
    path = table(tmp_path / "a.npy", true % 2**bits)
    with pytest.raises(FileError) as caught:
        read_events(path)
    assert f"a counter of {bits} bits began again; unsorted=\"unwrap\" adds 2**{bits}" in str(caught.value)
    assert "sort\" reads" not in str(caught.value)
    events = read_events(path, unsorted="unwrap", chunks=chunks)[0]
    assert np.array_equal((events if chunks is None else np.concatenate(list(events)))["t"], true)
    scaled = read_events(path, unsorted="unwrap", time_unit="ms")[0]  # it is the file's counter that wraps
    assert np.array_equal(scaled["t"], true * 1000)


def test_who_sorts_a_counter_that_wrapped_is_told(tmp_path):
    with pytest.warns(NeurosimWarning, match=r"a.npy, record 2: time runs backwards .* a counter of 24 bits that "
                                             r"began"):
        assert read_events(table(tmp_path / "a.npy", [2**24 - 20, 2**24 - 10, 5]), unsorted="sort")[0]["t"][0] == 5


@pytest.mark.parametrize(("t", "message"), [
    ([2**24 - 10, 5, 2**24], "record 2 must be of a counter of 24 bits as its wrap says, its time is 16777216"),
    ([2**24 - 10, 5, 2**23, 3], 'from 8388608 to 3 us; unsorted="sort" reads it all the same'),
    ([100, 50], 'record 1 must not be earlier than the one before: time runs backwards from 100 to 50 us; unsorted'),
    ([2**31 - 5, 7, 2**32 - 5], "record 2 must be of a counter of 31 bits"),
    ([-5, 1, 2], "record 0: t must be a whole number in 0 .. 4611686018427387904, it is -5; take the time of the"),
    ([1.0, np.nan], "record 1: t must be a whole number in 0 .. 4611686018427387904, it is nan"),
    ([1.0, np.inf], "it is inf"),
    ([0.5, 1.0], 'it is 0.5; give time_unit="ms" or "s" where that is meant'),
])
@pytest.mark.parametrize("chunks", [None, 1])
def test_times_that_are_refused(tmp_path, t, message, chunks):
    path = table(tmp_path / "a.npy", np.array(t))
    with pytest.raises(FileError) as caught:
        list(read_events(path, unsorted="unwrap", chunks=chunks)[0])
    assert str(caught.value).startswith(str(path)) and message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("p", [(-1, 0, -1), (0, 1, -1), (0, 0, -1)])
@pytest.mark.parametrize("chunks", [None, 1])
def test_polarities_that_may_mean_two_things_are_refused(tmp_path, p, chunks):
    path = table(tmp_path / "a.npy", [1, 2, 3], p)
    with pytest.raises(FileError) as caught:
        list(read_events(path, chunks=chunks)[0])
    assert ": p must be 0 and 1 or -1 and 1, it is -1 (record " in str(caught.value)


@pytest.mark.parametrize(("p", "on"), [((-1, -1, -1), 0), ((-1, 1, -1), 1), ((0, 0, 0), 0), ((1, 1, 1), 3)])
def test_polarities_of_one_kind(tmp_path, p, on):
    assert read_events(table(tmp_path / "a.npy", [1, 2, 3], p))[0]["p"].sum() == on


def test_large_times_lose_nothing(tmp_path):
    """Nanoseconds since 1970 need 61 bits, more than a float64 has."""
    path = tmp_path / "a.csv"
    path.write_text("t,x,p\n1700000000123456789,1,1.0\n1700000000123457500,2,0\n")
    assert read_events(path, time_unit="ns")[0]["t"].tolist() == [1700000000123457, 1700000000123458]
    late = read_events(path, time_unit="ns")[0]
    assert to_spikes(late, (3, 1, 2), start="first", dt=0.001).ticks.tolist() == [1, 1]


def test_the_unit_that_a_name_states_is_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t_ms,x\n5,1\n")
    assert read_events(path, time_unit="ms")[0]["t"].tolist() == [5000]
    with pytest.raises(FileError, match="the name of its times says ms, got time_unit='us'; leave that out"):
        read_events(path, time_unit="us")


@pytest.mark.parametrize(("name", "hint"), [("a.mat", "scipy.io.loadmat"), ("a.bag", "rosbags"), ("a.xyz", "must end")])
def test_other_kinds_say_what_to_do(tmp_path, name, hint):
    with pytest.raises(ParameterError, match=hint):
        read_events(tmp_path / name)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"chunks": 0}, "read_events.chunks must be a whole number of events > 0 or None, got 0"),
    ({"chunks": 5, "unsorted": "sort"}, 'unsorted="sort" needs all events at once; leave out chunks'),
    ({"unsorted": "no"}, "read_events.unsorted must be 'refuse' or 'sort' or 'unwrap', got 'no'"),
])
def test_arguments_that_do_not_fit(tmp_path, arguments, message):
    with pytest.raises(ParameterError) as caught:
        read_events(table(tmp_path / "a.npy", [1, 2]), **arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".h5"])
def test_a_damaged_file_of_ours_gives_no_piece(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_events(EVENTS, path, (9, 9, 2))
    if suffix == ".h5":
        with h5py.File(path, "r+") as file:
            file["events/x"][2] = 6
    elif suffix == ".csv":
        path.write_text(path.read_text().replace("20,5,0,1", "20,6,0,1"))
    else:
        with np.load(path) as file:
            changed = dict(file)
        changed["events"]["x"][2] = 6
        np.savez(path, **changed)
    with pytest.raises(FileError, match="is damaged: it must hold 3 events with the checksum"):
        read_events(path, chunks=1)
