"""Thousands of damaged files: each gives what was written, or what an independent slow parse gives, or one FileError.

Damage is drawn from fixed seeds: cut short, bits and bytes changed, bytes put in, left out or doubled. The HDF5 library
is compiled code that may crash or never end, so its files are read in a process of their own with a time limit.
"""

import gzip
import io
import math
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from neurosim.datasets import (
    EVENT,
    MNIST,
    NMNIST,
    SHD,
    SPIKE,
    make_events,
    read_events,
    read_nmnist,
    write_events,
    write_idx,
    write_nmnist,
    write_shd,
)
from neurosim.datasets.idx import parse_idx
from neurosim.datasets.nmnist import decode
from neurosim.errors import FileError

SENSOR = (34, 34, 2)
SECONDS = 240  #: for the HDF5 files of one kind; they need about five


def damaged(raw, many, seed):
    """Yield damaged copies of some bytes; some differ in one bit, some in length, some in a whole stretch."""
    rng = np.random.default_rng(seed)
    for _ in range(many):
        copy, at, length = bytearray(raw), int(rng.integers(len(raw))), int(rng.integers(1, 24))
        kind = rng.integers(7)
        if kind == 0:
            del copy[at:]
        elif kind == 1:
            copy[at:at] = rng.bytes(length)
        elif kind == 2:
            copy[at:at] = copy[at:at + length]
        elif kind == 3:
            del copy[at:at + length]
        elif kind == 4:
            copy[at:at + length] = rng.bytes(len(copy[at:at + length]))
        else:
            for place in rng.integers(len(raw), size=rng.integers(1, 5)):
                copy[place] ^= 1 << int(rng.integers(8)) if kind == 5 else int(rng.integers(1, 256))
        yield bytes(copy)


def outcome(read, name):
    """What a reader gives, or None where it raises the one error, in one sentence that names the file."""
    try:
        return read()
    except FileError as error:
        text = str(error)
        assert str(name) in text and "\n" not in text and len(text) > len(str(name)) + 10, text
        assert error.__suppress_context__ or error.__context__ is None
        return None


def camera(n, seed, most=10**6):
    rng = np.random.default_rng(seed)
    return make_events(t=np.sort(rng.integers(0, most, n)), x=rng.integers(0, 34, n), y=rng.integers(0, 34, n),
                       p=rng.integers(0, 2, n))


def same(a, b):
    return a.dtype == b.dtype and np.array_equal(a, b)


# ---- N-MNIST -----------------------------------------------------------------------------------------------------


def slow_bin(raw):
    """The events of a .bin file, one by one; None for what is not allowed."""
    rows, passed, last = [], 0, 0
    for at in range(0, len(raw), 5):
        if len(raw) - at < 5:
            return None
        x, y, p, t = raw[at], raw[at + 1], raw[at + 2] >> 7, int.from_bytes(raw[at + 2:at + 5], "big") % 2**23
        passed += 2**13 * (y == 240)
        if y == 240:
            continue
        if x > 33 or y > 33 or t + passed < last:
            return None
        last = t + passed
        rows.append((x, y, last, bool(p)))
    return np.array(rows, dtype=EVENT)


def test_damaged_recordings(tmp_path):
    path = tmp_path / "1.bin"
    write_nmnist(camera(40, 1, 2**23 + 2**16), path)
    raw, read = path.read_bytes(), 0
    assert same(slow_bin(raw), read_nmnist(path))
    for copy in damaged(raw, 6000, seed=1):
        found, wanted = outcome(lambda copy=copy: decode([copy], ["1.bin"], SENSOR)[0], "1.bin"), slow_bin(copy)
        assert (found is None) == (wanted is None)
        assert found is None or same(found, wanted)
        read += found is not None
    assert 200 < read < 5000  # both ends of the test are there


def test_damaged_zip_files(tmp_path):
    path = tmp_path / "digits.zip"
    names = ["Train/1/1.bin", "Train/7/7.bin", "Test/1/1.bin", "Test/7/7.bin"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for seed, name in enumerate(names):
            write_nmnist(camera(30, seed), tmp_path / "1.bin")
            archive.write(tmp_path / "1.bin", name)
    raw = path.read_bytes()

    def read():
        return [(ds.labels.tolist(), (everything := ds.load_all()).events.tobytes(), everything.offsets.tolist())
                for ds in (NMNIST(path, train=part) for part in (True, False))]

    wanted, equal = read(), 0
    for copy in damaged(raw, 3000, seed=2):
        path.write_bytes(copy)
        found = outcome(read, path)
        assert found is None or found == wanted
        equal += found is not None
    assert 20 < equal < 2000


# ---- idx ---------------------------------------------------------------------------------------------------------


def slow_idx(raw):
    """The numbers of an idx file by `struct`; None for what is not allowed."""
    code = {8: "B", 9: "b", 11: "h", 12: "i", 13: "f", 14: "d"}.get(raw[2] if len(raw) > 3 else None)
    if code is None or raw[:2] != b"\0\0" or raw[3] == 0 or len(raw) < 4 + 4 * raw[3]:
        return None
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    due = math.prod(shape)
    if due * struct.calcsize(code) != len(raw) - 4 - 4 * raw[3]:
        return None
    return np.array(struct.unpack_from(f">{due}{code}", raw, 4 + 4 * raw[3]), dtype=code).reshape(shape)


@pytest.mark.parametrize("kind", ["u1", "i2", "f8"])
def test_damaged_idx_files(tmp_path, kind):
    array = np.random.default_rng(3).integers(0, 100, (4, 3, 2)).astype(kind)
    write_idx(array, tmp_path / "numbers")
    raw = (tmp_path / "numbers").read_bytes()
    for copy in damaged(raw, 2000, seed=4):
        found, wanted = outcome(lambda copy=copy: parse_idx("numbers", copy), "numbers"), slow_idx(copy)
        assert (found is None) == (wanted is None)
        assert found is None or (found.dtype == wanted.dtype and found.tobytes() == wanted.tobytes())
    for copy in damaged(gzip.compress(raw, mtime=0), 2000, seed=5):
        found = outcome(lambda copy=copy: parse_idx("numbers.gz", copy), "numbers.gz")
        assert found is None or same(found, array)


def test_damaged_images(tmp_path):
    images = np.random.default_rng(6).integers(0, 256, (5, 4, 4)).astype(np.uint8)
    write_idx(images, tmp_path / "images")
    write_idx(np.arange(5, dtype=np.uint8), tmp_path / "labels")
    raw, path = (tmp_path / "images").read_bytes(), tmp_path / "damaged"
    for copy in damaged(raw, 1000, seed=7):
        path.write_bytes(copy)
        found = outcome(lambda: np.array([image for image, _ in MNIST(path, tmp_path / "labels")]), path)
        assert found is None or same(found, slow_idx(copy))


# ---- files of events ---------------------------------------------------------------------------------------------


def slow_csv(text):
    """The events of a table line by line, by what the names of its columns say."""
    lines = text.splitlines()
    while lines[0].startswith("#"):
        lines.pop(0)
    names = [name.strip().lower() for name in lines[0].split(",")]
    rows = [dict(zip(names, map(float, line.split(",")), strict=True)) for line in lines[1:]]

    def take(row, *others):
        return next((row[name] for name in others if name in row), 1.0)

    dtype = EVENT if "y" in names else SPIKE
    return np.array([tuple({"t": take(row, "t", "ts", "timestamp"), "x": take(row, "x"), "y": take(row, "y"),
                            "p": take(row, "p", "pol", "polarity", "on") > 0}[field] for field in dtype.names)
                     for row in rows], dtype=dtype)


def test_damaged_tables(tmp_path):
    events, path = camera(40, 8), tmp_path / "events.csv"
    write_events(events, path, SENSOR)
    raw = path.read_bytes()
    assert same(slow_csv(raw.decode()), events)
    head = raw.split(b"\n")[0]
    for copy in damaged(raw, 3000, seed=9):
        path.write_bytes(copy)
        found = outcome(lambda: read_events(path), path)
        if found is not None and copy.split(b"\n")[0] == head:
            assert same(found[0], events) and found[1] == SENSOR
        elif found is not None:  # a damaged first line is a comment, and the table is that of another tool
            assert same(found[0], slow_csv(copy.decode()))


def test_damaged_npy_files(tmp_path):
    path = tmp_path / "events.npy"
    write_events(camera(40, 10), path)
    raw = path.read_bytes()
    for copy in damaged(raw, 3000, seed=11):
        path.write_bytes(copy)
        found = outcome(lambda: read_events(path)[0], path)
        if found is not None:
            file = io.BytesIO(copy)
            array = np.load(file, allow_pickle=False)
            assert file.tell() == len(copy)
            names = {field: name for name in array.dtype.names for field in ("t", "x", "y", "p")
                     if name.strip().lower() in {"t": ("t", "ts"), "p": ("p", "on", "pol")}.get(field, (field,))}
            for field, name in names.items():
                assert np.array_equal(found[field], array[name] > 0 if field == "p" else array[name])


def test_damaged_npz_files(tmp_path):
    events, path = camera(40, 12), tmp_path / "events.npz"
    write_events(events, path, SENSOR)
    for copy in damaged(path.read_bytes(), 2000, seed=13):
        path.write_bytes(copy)
        found = outcome(lambda: read_events(path), path)
        assert found is None or (same(found[0], events) and found[1] == SENSOR)


# ---- HDF5, in a process of its own -------------------------------------------------------------------------------


def spoken(path, seed=14):
    rng = np.random.default_rng(seed)
    recordings = [make_events(t=np.sort(rng.integers(0, 10**6, n)), x=rng.integers(0, 700, n))
                  for n in rng.integers(0, 40, 9)]
    write_shd(recordings, rng.integers(0, 3, 9), path, speakers=rng.integers(0, 4, 9), keys=["one", "two", "zwölf"])


def hdf5_events(folder, many):
    events, path = camera(60, 15), folder / "events.h5"
    write_events(events, path, SENSOR)
    for copy in damaged(path.read_bytes(), many, seed=16):
        path.write_bytes(copy)
        found = outcome(lambda: read_events(path), path)
        assert found is None or (same(found[0], events) and found[1] == SENSOR)


def hdf5_with_checksums(folder, many):
    path = folder / "random.h5"
    spoken(path)

    def read():
        ds = SHD(path)
        everything = ds.load_all()
        return (everything.events.tobytes(), everything.offsets.tolist(), ds.labels.tolist(), ds.speakers.tolist(),
                ds.classes) if ds._sums is not None else None

    wanted, equal = read(), 0
    for copy in damaged(path.read_bytes(), many, seed=17):
        path.write_bytes(copy)
        found = outcome(read, path)
        assert found is None or found == wanted
        equal += found is not None
    assert equal > many // 10


def hdf5_as_official(folder, many):
    """Without checksums a changed number may be legal; then there are as many recordings, all of them allowed."""
    path = folder / "random.h5"
    spoken(path)
    with h5py.File(path, "r+") as file:
        del file["extra/crc32"]
    wanted = SHD(path).load_all()
    for copy in damaged(path.read_bytes(), many, seed=18):
        path.write_bytes(copy)
        found = outcome(lambda: SHD(path).load_all(), path)
        if found is not None:
            assert len(found) == len(wanted) or found.offsets[-1] == len(found.events)
            for events, label in found:
                assert (np.diff(events["t"]) >= 0).all() and (events["t"] >= 0).all() and 0 <= label < 20
                assert not len(events) or (events["x"].min() >= 0 and events["x"].max() < 700)


@pytest.mark.parametrize("part", ["hdf5_events", "hdf5_with_checksums", "hdf5_as_official"])
def test_damaged_hdf5_files(tmp_path, part):
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, __file__, part, str(tmp_path), "500"], capture_output=True, text=True,
                          timeout=SECONDS, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr[-3000:]


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
