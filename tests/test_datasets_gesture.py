"""DVS128 Gesture: files in the official layout, made record by record, give the gestures that their tables say."""

import gzip
import pickle
import re
import struct

import numpy as np
import pytest
from dataset_files import same

from benchmarks import camera_files
from neurosim.datasets import DVSGesture, make_events, read_events
from neurosim.errors import FileError, ParameterError

HEAD = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2016-09-20 11:08:42\r\n#!END-HEADER\r\n"
GESTURES = [(1, 1_000, 5_000), (11, 5_000, 9_000), (4, 12_000, 20_000)]


def recording(seed, n=300, most=20_000):
    rng = np.random.default_rng(seed)
    return make_events(t=np.sort(rng.integers(0, most, n)), x=rng.integers(0, 128, n), y=rng.integers(0, 128, n),
                       p=rng.integers(0, 2, n))


def write(path, events):
    raw = camera_files.write_aedat3(events)
    path.write_bytes(HEAD + raw[len(camera_files.write_aedat3(events[:0])):])


def table(gestures):
    return "class,startTime_usec,endTime_usec\n" + "".join(f"{kind},{a},{b}\n" for kind, a, b in gestures)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "DvsGesture"
    root.mkdir()
    parts = {"train": ["user01_fluorescent.aedat", "user02_lab.aedat"], "test": ["user24_fluorescent_led.aedat"]}
    for part, names in parts.items():
        (root / f"trials_to_{part}.txt").write_text("\n".join(names) + "\n\n")
        for name in names:
            write(root / name, recording(int(name[4:6])))
            (root / name.replace(".aedat", "_labels.csv")).write_text(table(GESTURES))
    return root


def test_gestures_are_what_the_tables_say(folder):
    for path in (folder, folder.parent):
        ds = DVSGesture(path)
        assert len(ds) == 6 and ds.labels.tolist() == [0, 10, 3] * 2 and ds.users.tolist() == [1, 1, 1, 2, 2, 2]
        assert ds.lights.tolist() == ["fluorescent"] * 3 + ["lab"] * 3 and len(ds.classes) == 11
        for index, (user, (kind, start, end)) in enumerate([(user, g) for user in (1, 2) for g in GESTURES]):
            whole = recording(user)
            wanted = whole[(whole["t"] >= start) & (whole["t"] < end)]
            wanted["t"] -= start
            events, label = ds[index]
            assert same(events, wanted) and label == kind - 1 and len(events) > 20
    test = DVSGesture(folder, train=False)
    assert test.users.tolist() == [24] * 3 and test.lights[0] == "fluorescent_led"
    assert not set(test.users) & set(ds.users)


def test_it_is_read_in_any_order_and_all_at_once(folder):
    ds = DVSGesture(folder)
    everything = ds.load_all()
    for index in (5, 0, 3, 1):
        assert same(ds[index][0], everything[index][0])
    part = pickle.loads(pickle.dumps(ds.select([4, 0])))
    assert same(part[0][0], ds[4][0]) and part.users.tolist() == [2, 1] and everything.sensor_size == (128, 128, 2)
    whole = read_events(folder / "user02_lab.aedat")
    assert same(whole[0], recording(2)) and whole[1] == (128, 128, 2)


def test_a_long_recording_overflows_its_31_bits(folder):
    events = recording(1)
    events["t"] += 2**31 - 10_000
    write(folder / "user01_fluorescent.aedat", events)
    start = 2**31 - 5_000
    (folder / "user01_fluorescent_labels.csv").write_text(table([(2, start, start + 9_000)]))
    wanted = events[(events["t"] >= start) & (events["t"] < start + 9_000)]
    assert np.array_equal(DVSGesture(folder)[0][0]["t"], wanted["t"] - start)


def replaced(name, text):
    return lambda root: (root / name).write_text(text)


TABLE = "user01_fluorescent_labels.csv"


@pytest.mark.parametrize(("edit", "message"), [
    (lambda root: (root / "trials_to_train.txt").unlink(), "must hold one list trials_to_train.txt, it holds 0"),
    (lambda root: (root / TABLE).unlink(), f"{TABLE} does not exist"),
    (lambda root: (root / "user02_lab.aedat").unlink(), "user02_lab.aedat does not exist, and trials_to_train.txt "
                                                        "names it"),
    (replaced("trials_to_train.txt", "a.aedat\n"), "line 1 must name a recording as user01_led.aedat, it is 'a.aedat'"),
    (replaced("trials_to_train.txt", "user02_lab.aedat\n" * 2), "must name each recording once, and at least one"),
    (replaced("trials_to_train.txt", "\n"), "must name each recording once, and at least one, it names 0"),
    (replaced(TABLE, "1,2,3\n"), "must begin with the line class,startTime_usec,endTime_usec, it begins with '1,2,3'"),
    (replaced(TABLE, table([(12, 1, 2)])), "line 2 must have a class in 1 .. 11 and begin before it ends, it is "
                                           "'12,1,2'"),
    (replaced(TABLE, table([(1, 1, 2), (2, 9, 9)])), "line 3 must have a class in 1 .. 11 and begin before it ends"),
    (replaced(TABLE, table([("a", 1, 2)])), "line 2 must be three whole numbers"),
])
def test_folders_that_are_refused(folder, edit, message):
    edit(folder)
    with pytest.raises(FileError, match=re.escape(message)):
        DVSGesture(folder)


def test_recordings_that_are_refused(folder):
    path = folder / "user01_fluorescent.aedat"
    raw = path.read_bytes()
    path.write_bytes(raw[:-5])
    with pytest.raises(FileError, match=r"user01_fluorescent.aedat is cut short: the record at byte"):
        DVSGesture(folder)[0]
    assert len(DVSGesture(folder, complete=False)[0][0])
    path.write_bytes(raw[:len(HEAD)] + struct.pack("<hhiiiiii2I", 1, 1, 8, 4, 0, 1, 1, 1, 1, 500))
    with pytest.raises(FileError, match="must hold the gesture from 1000 to 5000 us of its table, it ends at 500 us"):
        DVSGesture(folder)[0]
    path.write_bytes(raw[:len(HEAD)])
    with pytest.raises(FileError, match="of its table, it has no events"):
        DVSGesture(folder)[0]
    assert len(DVSGesture(folder)[3][0])  # nothing is read before it is asked for


def test_what_is_no_folder(tmp_path):
    with pytest.raises(FileError, match="nowhere does not exist"):
        DVSGesture(tmp_path / "nowhere")
    (tmp_path / "DvsGesture.tar.gz").write_bytes(gzip.compress(b"tar"))
    with pytest.raises(FileError, match=r"is not a folder of recordings but a gzip file; unpack it first \(gunzip\)"):
        DVSGesture(tmp_path / "DvsGesture.tar.gz")
    for arguments in ({"train": 1.5}, {"unsorted": "unwrap"}, {"complete": None}):
        with pytest.raises(ParameterError, match=f"DVSGesture.{next(iter(arguments))} must be"):
            DVSGesture(tmp_path, **arguments)
