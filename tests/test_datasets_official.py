"""Downloads as their sources pack them: zip files in zip files, trees of folders, EMNIST's orientation and labels."""

import pickle
import zipfile

import h5py
import numpy as np
import pytest
from dataset_files import folder_of, packed, records, same

from neurosim.datasets import (
    EMNIST,
    MNIST,
    NMNIST,
    SHD,
    NCaltech101,
    make_events,
    read_events,
    read_idx,
    read_nmnist,
    write_idx,
    write_nmnist,
)
from neurosim.errors import FileError, ParameterError


@pytest.fixture
def train_zip(tmp_path):
    (tmp_path / "made").mkdir()
    return packed(folder_of(tmp_path / "made", ["Train/3/00001.bin", "Train/0/00002.bin"]), tmp_path / "Train.zip")


def test_the_download_of_nmnist_is_read_as_it_is(tmp_path, train_zip):
    wanted = NMNIST(train_zip)
    for more in ("", "N-MNIST/"):
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr(f"{more}Train.zip", train_zip.read_bytes())
            archive.writestr(f"{more}Test.zip", b"")
        found = pickle.loads(pickle.dumps(NMNIST(tmp_path / "all.zip")))
        assert found.labels.tolist() == [0, 3] and found.names == ["Train/0/00002.bin", "Train/3/00001.bin"]
        assert same(found.load_all().events, wanted.load_all().events)
    with pytest.raises(FileError, match=r"all.zip is not a zip file or is damaged"):
        NMNIST(tmp_path / "all.zip", train=False)
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Train.zip", train_zip.read_bytes())
    with pytest.raises(FileError, match=r"all.zip holds Train.zip packed; unpack .*all.zip first and give the folder"):
        NMNIST(tmp_path / "all.zip")


@pytest.mark.parametrize("place", ["Train.zip", "N-MNIST/Train.zip", "a/b/Train.zip"])
def test_train_zip_in_a_folder_is_found(tmp_path, train_zip, place):
    root = tmp_path / "root"
    (root / place).parent.mkdir(parents=True)
    (root / place).write_bytes(train_zip.read_bytes())
    assert NMNIST(root).labels.tolist() == [0, 3] and len(NMNIST(root).load_all().events) == 11
    with pytest.raises(FileError, match=r"has no recordings Test/<digit>/<number>.bin"):
        NMNIST(root, train=False)


def test_ncaltech101_in_a_folder_and_in_a_zip_file(tmp_path):
    root = tmp_path / "Caltech101"
    for name in ("ant/image_0002.bin", "ant/image_0001.bin", "Faces_easy/image_0001.bin"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        n = 3 + len(name)
        events = make_events(t=np.arange(n), x=np.full(n, 239), y=np.full(n, 179), p=np.arange(n) % 2)
        write_nmnist(events, root / name, (240, 180, 2))
    (tmp_path / "Caltech101_annotations" / "ant").mkdir(parents=True)
    (tmp_path / "Caltech101_annotations" / "ant" / "annotation_0001.bin").write_bytes(b"no events")
    for path in (root, tmp_path, packed(tmp_path, tmp_path / "Caltech101.zip")):
        ds = NCaltech101(path)
        assert ds.classes == ("Faces_easy", "ant") and ds.labels.tolist() == [0, 1, 1]
        assert [len(events) for events, _ in ds] == [28, 21, 21] and ds.load_all().sensor_size == (240, 180, 2)
    with pytest.raises(FileError, match=r"image_0001.bin, record 0 \(byte 0\) must have x in 0 .. 238, it has 239"):
        NCaltech101(root, sensor_size=(239, 180, 2))[0]
    with pytest.raises(FileError, match=r"has no recordings <class>/image_<number>.bin"):
        NCaltech101(tmp_path / "Caltech101_annotations")


def test_a_bin_file_whose_counter_wraps(tmp_path):
    rows = [(1, 2, 2**23 - 8, 1), (3, 4, 2**23 - 1, 0), (5, 6, 4, 1), (7, 8, 9, 1)]
    (tmp_path / "1.bin").write_bytes(records(*rows))
    with pytest.raises(FileError, match=r"record 2 \(byte 10\) .* a counter of 23 bits began again; unsorted=.unwrap"):
        read_nmnist(tmp_path / "1.bin")
    steps = read_nmnist(tmp_path / "1.bin", unsorted="unwrap")["t"] - 2**23
    assert steps.tolist() == [-8, -1, 4, 9]


@pytest.mark.parametrize(("split", "labels", "names"), [
    ("letters", [1, 26], "AZ"), ("balanced", [0, 10, 35, 36, 46], "0AZat"), ("bymerge", [39, 43], "en"),
    ("byclass", [9, 36, 61], "9az"), ("digits", [0, 9], "09"), ("mnist", [7], "7")])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_emnist_is_upright_and_its_labels_name_characters(tmp_path, split, labels, names, suffix):
    images = np.random.default_rng(1).integers(0, 256, (len(labels), 28, 28)).astype(np.uint8)
    write_idx(images, tmp_path / f"i{suffix}")
    write_idx(np.array(labels, dtype=np.uint8), tmp_path / f"l{suffix}")
    ds = EMNIST(tmp_path / f"i{suffix}", tmp_path / f"l{suffix}", split)
    assert "".join(ds.classes[label] for _, label in ds) == names and ds.sensor_size == (28, 28, 1)
    for index, (image, _) in enumerate(ds):
        assert np.array_equal(image, images[index].T) and np.array_equal(ds.images[index], image)
    assert len(ds.classes) == {"letters": 26, "balanced": 47, "bymerge": 47, "byclass": 62}.get(split, 10)


def test_labels_of_another_split_say_so(tmp_path):
    write_idx(np.zeros((2, 28, 28), np.uint8), tmp_path / "i")
    write_idx(np.array([26, 0], np.uint8), tmp_path / "l")
    with pytest.raises(FileError, match=r"record 0 \(byte 8\) must be a label 0 .. 9, it is 26; letters are read by"):
        MNIST(tmp_path / "i", tmp_path / "l")
    with pytest.raises(FileError, match=r"record 1 \(byte 9\) must be a label 1 .. 26, it is 0; split='letters' must"):
        EMNIST(tmp_path / "i", tmp_path / "l", "letters")
    with pytest.raises(ParameterError, match="EMNIST.split must be 'byclass' or"):
        EMNIST(tmp_path / "i", tmp_path / "l", "words")


def test_packed_files_say_what_to_unpack(tmp_path):
    for name, read in (("shd_train.h5", SHD), ("images-idx3-ubyte", read_idx), ("events.h5", read_events)):
        path = tmp_path / f"{name}.zip.h5"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"content")
        with pytest.raises(FileError, match=rf"but a zip file, it holds {name}; unpack it first \(unzip\)"):
            read(path)
    (tmp_path / "damaged.h5").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(FileError, match=r"damaged.h5 is not an HDF5 file but a zip file; unpack it first"):
        SHD(tmp_path / "damaged.h5")


@pytest.mark.parametrize(("kind", "unit", "times"), [
    ("i4", "us", [1, 250_000]), ("u8", "ms", [1, 250]), ("i8", "s", [0, 1]), ("f8", "ms", [0.5, 250.25]),
    ("i2", "ns", [1000, 30_000])])
def test_times_of_shd_that_are_no_seconds(tmp_path, kind, unit, times):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values, base in (("times", times, kind), ("units", [3, 4], "u2")):
            made = file.create_dataset("spikes/" + name, (1,), dtype=h5py.vlen_dtype(np.dtype(base)))
            made[0] = np.array(values, base)
        file["labels"] = [0]
    us = {"ns": 0.001, "us": 1, "ms": 1000, "s": 10**6}[unit]
    assert SHD(tmp_path / "a.h5", time_unit=unit)[0][0]["t"].tolist() == [round(t * us) for t in times]
    if kind[0] != "f":
        with pytest.raises(FileError, match=r"they are whole numbers \(u?int\d+\); say what they count: time_unit="):
            SHD(tmp_path / "a.h5")
    with pytest.raises(ParameterError, match="SHD.unsorted must be 'refuse' or 'sort', got 'unwrap'"):
        SHD(tmp_path / "a.h5", unsorted="unwrap")
