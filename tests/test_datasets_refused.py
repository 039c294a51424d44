"""Files that are damaged, of another format or inconsistent: one sentence that names the place."""

import gzip
import re

import h5py
import numpy as np
import pytest
from dataset_files import SENSOR, folder_of, packed, records, spoken

from neurosim.datasets import MNIST, NMNIST, SHD, read_events, read_idx, read_nmnist, write_idx
from neurosim.errors import FileError


@pytest.mark.parametrize(("raw", "message"), [
    (b"", "is cut short after 0 events: it has no events"),
    (records((1, 2, 3, 1))[:-1], "must have 5 bytes for every event, it has 4 bytes: record 0 (byte 0) is cut short"),
    (records((1, 2, 3, 1), (34, 2, 4, 0)), ", record 1 (byte 5) must have x in 0 .. 33, it has 34"),
    (records((1, 2, 3, 1), (3, 200, 4, 0)), ", record 1 (byte 5) must have y in 0 .. 33, it has 200"),
    (records((1, 2, 9, 1), (3, 4, 9, 0), (3, 4, 8, 0)),
     ", record 2 (byte 10) must not be earlier than the one before: time runs backwards from 9 to 8 us"),
    (records((1, 2, 9, 1), (3, 4, 57_300, 0)), "is cut short after 2 events: it ends at 57.3 ms and the third saccade "
                                               "begins at 210 ms; complete=False reads it all the same"),
])
def test_recordings_that_are_refused(tmp_path, raw, message):
    path = folder_of(tmp_path, ["Train/3/1.bin", "Train/3/2.bin"]) / "Train" / "3" / "2.bin"
    path.write_bytes(raw)
    for ds, name in ((NMNIST(tmp_path), str(path)),
                     (NMNIST(packed(tmp_path, tmp_path / "a.zip")), f"{tmp_path / 'a.zip'}: Train/3/2.bin")):
        for read in (ds.load_all, lambda ds=ds: ds[1]):
            with pytest.raises(FileError) as caught:
                read()
            text = str(caught.value)
            assert text.startswith(name) and message in text and "\n" not in text and caught.value.__cause__ is None


def test_a_recording_out_of_order_is_sorted_on_request(tmp_path):
    (tmp_path / "1.bin").write_bytes(records((1, 2, 9, 1), (3, 4, 8, 0), (5, 6, 8, 1)))
    events = read_nmnist(tmp_path / "1.bin", unsorted="sort")
    assert events["t"].tolist() == [8, 8, 9] and events["x"].tolist() == [3, 5, 1]


def test_folders_and_zip_files_that_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"nowhere does not exist"):
        NMNIST(tmp_path / "nowhere")
    with pytest.raises(FileError, match=r"has no recordings Test/<digit>/<number>.bin"):
        NMNIST(folder_of(tmp_path / "a", ["Train/3/1.bin"]), train=False)
    with pytest.raises(FileError, match=r"x/1.bin must lie in Train/<digit>/"):
        NMNIST(folder_of(tmp_path / "b", ["Train/x/1.bin"]))
    with pytest.raises(FileError, match=r"is there twice: .* must hold one Train/3/1.bin"):
        NMNIST(folder_of(tmp_path / "c", ["1/Train/3/1.bin", "2/Train/3/1.bin"]))
    (tmp_path / "text.zip").write_text("no zip file")
    with pytest.raises(FileError, match=r"text.zip is not a zip file or is damaged: File is not a zip file"):
        NMNIST(tmp_path / "text.zip")


def edited(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


def replace(file, name, values):
    del file[name]
    file[name] = values


def put(file, name, row, values):
    file[name][row] = np.asarray(values, dtype=h5py.check_vlen_dtype(file[name].dtype))


NO_SUM = "extra/crc32"


@pytest.mark.parametrize(("edit", "message"), [
    (lambda f: f.__delitem__("spikes"), "must have a dataset 'spikes/times', it has none"),
    (lambda f: f.__delitem__("spikes/units"), "must have a dataset 'spikes/units', it has none"),
    (lambda f: f.__delitem__("labels"), "must have a dataset 'labels', it has none"),
    (lambda f: replace(f, "labels", [0, 1]), "in 'spikes/times', 'spikes/units' and 'labels', it has 6, 6 and 2"),
    (lambda f: replace(f, "labels", [0, 1, 2, 3, 0, 0]), "'labels', record 3 must lie in 0 .. 2, it is 3"),
    (lambda f: replace(f, "labels", np.zeros(6)), "'labels' must be whole numbers, it is of type float64"),
    (lambda f: replace(f, "spikes/units", np.zeros(6, int)), "'spikes/units' must be lists of integers of"),
    (lambda f: replace(f, "extra/speaker", [0]), "'extra/speaker' must have 6 entries, it has 1"),
    (lambda f: put(f, "spikes/units", 2, [3, 700]), "of record 2, entry 1 must lie in 0 .. 699, it is 700"),
    (lambda f: put(f, "spikes/units", 2, [3]), "as many entries in 'spikes/units' as in 'spikes/times', 2, it has 1"),
    (lambda f: put(f, "spikes/times", 1, [0.5, np.nan]), "record 1, entry 1 must be a finite number >= 0 s, it is nan"),
    (lambda f: put(f, "spikes/times", 1, [-0.5, 1]), "of record 1, entry 0 must be a finite number >= 0 s, it is -0.5"),
    (lambda f: put(f, "spikes/times", 1, [0.5, np.inf]), "record 1, entry 1 must be a finite number >= 0 s, it is inf"),
    (lambda f: put(f, "spikes/times", 4, [0.5, 0.25]), "of record 4, entry 1 must not be earlier than the one before: "
                                                      "time runs backwards from 0.5 to 0.25 s"),
])
def test_hdf5_files_that_are_refused(tmp_path, edit, message):
    path = spoken(tmp_path / "random.h5")
    edited(path, lambda file: file.__delitem__(NO_SUM))
    SHD(path).load_all()
    edited(path, edit)
    with pytest.raises(FileError) as caught:
        SHD(path).load_all()
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)


def test_a_file_with_checksums_shows_a_change_that_is_allowed(tmp_path):
    path = spoken(tmp_path / "random.h5")
    edited(path, lambda file: put(file, "spikes/units", 3, [3, 4]))
    ds = SHD(path)
    assert len(ds[0][0]) == 2
    with pytest.raises(FileError, match=r"random.h5 is damaged: the checksum of record 3 must be [0-9a-f]{8}, it is "):
        ds[3]


def test_what_is_no_hdf5_file(tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(b"no HDF5 file")
    with pytest.raises(FileError, match=r"x.h5 is not an HDF5 file of spikes or is damaged: "):
        SHD(path)
    path.write_bytes(gzip.compress(b"anything"))
    with pytest.raises(FileError, match=r"x.h5 is not an HDF5 file but a gzip file; unpack it first"):
        SHD(path)
    raw = spoken(tmp_path / "random.h5").read_bytes()
    path.write_bytes(raw[:len(raw) // 2])
    with pytest.raises(FileError, match=r"x.h5 is not an HDF5 file of spikes or is damaged: "):
        SHD(path)
    with pytest.raises(FileError, match="does not exist"):
        SHD(tmp_path / "nowhere.h5")
    with pytest.raises(FileError, match="must be an HDF5 file of spikes, it is a folder"):
        SHD(tmp_path)


@pytest.mark.parametrize(("raw", "message"), [
    (b"", "is not an idx file: it must begin with the bytes 00 00, a type of 08 to 0e"),
    (b"\0\0\7\1\0\0\0\0", "it begins with 00 00 07 01"),
    (b"\0\0\x08\3\0\0\0\2\0\0\0", "is cut short: its header must have 16 bytes, it has 11"),
    (b"\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\2" + b"1" * 7, "must have 24 bytes for 2 x 2 x 2 numbers, it has 23: record 1 "
                                                       "(byte 20) is cut short"),
    (b"\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\2" + b"1" * 9, "must have 24 bytes for 2 x 2 x 2 numbers, it has more"),
])
def test_idx_files_that_are_refused(tmp_path, raw, message):
    write_idx(np.zeros(2, dtype=np.uint8), tmp_path / "labels")
    for path, content in ((tmp_path / "images", raw), (tmp_path / "images.gz", gzip.compress(raw))):
        path.write_bytes(content)
        with pytest.raises(FileError) as caught:
            read_idx(path)
        assert str(caught.value).startswith(str(path)) and message in str(caught.value)
        with pytest.raises(FileError, match=re.escape(message)):
            _ = MNIST(path, tmp_path / "labels").images
    path.write_bytes(gzip.compress(raw)[:-3])
    with pytest.raises(FileError, match="is cut short|is not an idx file|it has more"):
        read_idx(path)


def test_images_and_labels_that_do_not_belong_together(tmp_path):
    write_idx(np.zeros((2, 3, 3), dtype=np.uint8), tmp_path / "images")
    for labels, message in (([0, 1, 2], "must hold as many labels as"), ([0, 10], "record 1 (byte 9) must be a label")):
        write_idx(np.array(labels, dtype=np.uint8), tmp_path / "labels")
        with pytest.raises(FileError, match=re.escape(message)):
            MNIST(tmp_path / "images", tmp_path / "labels")
    with pytest.raises(FileError, match="must hold images, bytes in 3 dimensions, it holds uint8 in 1 dimension"):
        write_idx(np.array([0, 1], dtype=np.uint8), tmp_path / "labels")
        MNIST(tmp_path / "labels", tmp_path / "labels")


CSV = "t,x,y,p\n10,1,2,0\n20,3,4,1\n"


@pytest.mark.parametrize(("text", "message"), [
    ("", "must have a line with the names of its columns, it has none"),
    ("t\0", "must be text, byte 1 is 0"),
    (CSV.replace("t,", "q,"), "must have a column 't' or 'ts' or 'time' or 'times' or 'timestamp'"),
    (CSV.replace("y,p", "ts,p"), "must have one column t, it has 't' and 'ts'"),
    (CSV.replace("y,p", "p,p"), "must name each column once, got t, x, p, p"),
    (CSV.replace("3,4,1", "3,4"), "must have 4 numbers in every line: the dtype passed requires 4 columns but 3"),
    (CSV.replace("3,4,1", "3,four,1"), "must have 4 numbers in every line: could not convert string 'four'"),
    (CSV.replace("20", "5"), "record 1 must not be earlier than the one before: time runs backwards from 10 to 5 us"),
    (CSV.replace("20", "20.5"), "record 1: t must be a whole number in 0 .. 4611686018427387904, it is 20.5"),
    (CSV.replace("20", "nan"), "record 1: t must be a whole number"),
    (CSV.replace("10", "-10"), "record 0: t must be a whole number in 0 .."),
    (CSV.replace("3,4,1", "34,4,1"), "['x'] must be in 0 .. 33, got 34 in event 1"),
    (CSV.replace("3,4,1", "3,4,2"), "record 1: p must be a whole number in -1 .. 1, it is 2"),
    (CSV.replace("3,4,1", "3,4,-1"), "p must be 0 and 1 or -1 and 1, it is -1 (record 1) and 0 (record 0)"),
])
def test_tables_that_are_refused(tmp_path, text, message):
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(FileError) as caught:
        read_events(path, SENSOR)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)


