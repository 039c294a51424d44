"""Damaged recordings: each gives what was written, what a slow parse of its own gives, or one sentence that names it.

Damage is drawn from fixed seeds: cut short, bits and bytes changed, bytes put in, left out or doubled. Each kind
of file is read in a process of its own with a time limit, for compiled libraries may crash or never end.
`tests/test_datasets_fuzz.py` runs a short one of each kind; `python -m benchmarks damaged-recordings` runs 20,000.
"""

import gzip
import io
import math
import os
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np

from benchmarks import camera_files
from neurosim.datasets import (
    EVENT,
    MNIST,
    NMNIST,
    SHD,
    SPIKE,
    make_events,
    read_events,
    write_events,
    write_idx,
    write_nmnist,
    write_shd,
)
from neurosim.datasets.idx import parse_idx
from neurosim.datasets.nmnist import decode
from neurosim.errors import FileError, NeurosimWarning

SENSOR = (34, 34, 2)
MANY = 20_000
SECONDS = 0.2  #: for each file, on a busy machine; it takes some milliseconds


class Lost(Exception):
    """A damaged file gave something that is neither what was written nor an error."""


def expect(good, what):
    """Raise Lost unless something holds."""
    if not good:
        raise Lost(what)


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
        expect(str(name) in text and "\n" not in text and len(text) > len(str(name)) + 10, f"no sentence: {text}")
        expect(error.__suppress_context__ or error.__context__ is None, f"an error behind: {text}")
        return None


def camera(n, seed, most=10**6):
    """Return events of a camera."""
    rng = np.random.default_rng(seed)
    return make_events(t=np.sort(rng.integers(0, most, n)), x=rng.integers(0, 34, n), y=rng.integers(0, 34, n),
                       p=rng.integers(0, 2, n))


def same(a, b):
    """Return whether two arrays are equal in type and values."""
    return a.dtype == b.dtype and np.array_equal(a, b)


def whole_and_in_pieces(path, **arguments):
    """Return the events of a file, read at once and piece by piece, which must agree."""
    events, size = read_events(path, **arguments)
    parts = list(read_events(path, chunks=7, **arguments)[0])
    expect(same(np.concatenate(parts) if parts else events[:0], events), f"{path} is not the same in pieces")
    return events, size


# ---- N-MNIST and idx ------------------------------------------------------------------------------------------------


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


def bin_files(folder, many):
    """Files of N-MNIST."""
    path = folder / "1.bin"
    write_nmnist(camera(40, 1, 2**23 + 2**16), path)
    for copy in damaged(path.read_bytes(), many, seed=1):
        found, wanted = outcome(lambda copy=copy: decode([copy], ["1.bin"], SENSOR)[0], "1.bin"), slow_bin(copy)
        expect((found is None) == (wanted is None) and (found is None or same(found, wanted)), "a .bin file")


def zip_files(folder, many):
    """Zip files of N-MNIST, every other one in a zip file."""
    inner, outer = folder / "Train.zip", folder / "all.zip"
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for seed, name in enumerate(("Train/1/1.bin", "Train/7/7.bin", "Test/1/1.bin", "Test/7/7.bin")):
            write_nmnist(camera(30, seed), folder / "1.bin")
            archive.write(folder / "1.bin", name)
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "Train.zip")
    for path, seed in ((inner, 2), (outer, 3)):
        def read(path=path):
            ds = NMNIST(path)
            return ds.labels.tolist(), (everything := ds.load_all()).events.tobytes(), everything.offsets.tolist()

        wanted = read()
        for copy in damaged(path.read_bytes(), (many + 1) // 2, seed):
            path.write_bytes(copy)
            found = outcome(read, path)
            expect(found is None or found == wanted, "a zip file")


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


def idx_files(folder, many):
    """Files of idx, plain and gzipped."""
    for seed, kind in enumerate(("u1", "i2", "f8")):
        array = np.random.default_rng(3).integers(0, 100, (4, 3, 2)).astype(kind)
        write_idx(array, folder / "numbers")
        raw = (folder / "numbers").read_bytes()
        for copy in damaged(raw, many // 6 + 1, seed=40 + seed):
            found, wanted = outcome(lambda copy=copy: parse_idx("numbers", copy), "numbers"), slow_idx(copy)
            expect((found is None) == (wanted is None), "an idx file")
            expect(found is None or (same(found, wanted) or found.tobytes() == wanted.tobytes()), "an idx file")
        for copy in damaged(gzip.compress(raw, mtime=0), many // 6 + 1, seed=50 + seed):
            found = outcome(lambda copy=copy: parse_idx("numbers.gz", copy), "numbers.gz")
            expect(found is None or same(found, array), "a gzipped idx file")


def images(folder, many):
    """Files of images, read one by one."""
    shown = np.random.default_rng(6).integers(0, 256, (5, 4, 4)).astype(np.uint8)
    write_idx(shown, folder / "images")
    write_idx(np.arange(5, dtype=np.uint8), folder / "labels")
    raw, path = (folder / "images").read_bytes(), folder / "damaged"
    for copy in damaged(raw, many, seed=7):
        path.write_bytes(copy)
        found = outcome(lambda: np.array([image for image, _ in MNIST(path, folder / "labels")]), path)
        expect(found is None or same(found, slow_idx(copy)), "a file of images")


# ---- tables ---------------------------------------------------------------------------------------------------------


def slow_csv(text):
    """The events of a table line by line, by what the names of its columns say."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    while lines[0][0] in "#%":
        lines.pop(0)
    mark = next((mark for mark in ";,\t" if mark in lines[0]), None)
    names = [name.strip().lower() for name in lines[0].split(mark)]
    mark = next((mark for mark in ";,\t" if mark in (lines[1] if len(lines) > 1 else "")), None)
    rows = [dict(zip(names, map(float, line.split(mark)), strict=True)) for line in lines[1:]]

    def take(row, *others):
        return next((row[name] for name in others if name in row), 1.0)

    dtype = EVENT if "y" in names else SPIKE
    return np.array([tuple({"t": take(row, "t", "ts", "time", "times", "timestamp"), "x": take(row, "x", "xs"),
                            "y": take(row, "y"), "p": take(row, "p", "pol", "polarity", "on", "ps") > 0}[field]
                           for field in dtype.names) for row in rows], dtype=dtype)


def tables(folder, many):
    """Tables with the header of ours, which holds a checksum, and without."""
    events, path = camera(40, 8), folder / "events.csv"
    write_events(events, path, SENSOR)
    raw = path.read_bytes()
    head, _, body = raw.partition(b"\n")
    expect(same(slow_csv(raw.decode()), events), "the slow parse of a table")
    for whole, seed in ((raw, 9), (body, 10)):
        for copy in damaged(whole, (many + 1) // 2, seed):
            path.write_bytes(copy)
            found = outcome(lambda: whole_and_in_pieces(path), path)
            if found is not None and copy.split(b"\n")[0] == head:
                expect(same(found[0], events) and found[1] == SENSOR, "a table of ours")
            elif found is not None:  # a damaged first line is a comment, and the table is that of another tool
                expect(same(found[0], slow_csv(copy.decode("utf-8-sig"))), "a table of another tool")


def npy_files(folder, many):
    """Files of numpy."""
    path = folder / "events.npy"
    write_events(camera(40, 10), path)
    for copy in damaged(path.read_bytes(), many, seed=11):
        path.unlink()  # one that is mapped must not change
        path.write_bytes(copy)
        found = outcome(lambda: whole_and_in_pieces(path)[0], path)
        if found is None:
            continue
        file = io.BytesIO(copy)
        array = np.load(file, allow_pickle=False)
        expect(file.tell() == len(copy), "a .npy file has more")
        names = {"t": ("t", "ts", "times", "time"), "x": ("x", "xs"), "y": ("y", "ys"), "p": ("p", "on", "ps", "pol")}
        for name in array.dtype.names:
            for field, others in names.items():
                if name.strip().lower() in others:
                    values = array[name] > 0 if field == "p" else array[name]
                    expect(np.array_equal(found[field], values), "a .npy file")


def npz_files(folder, many):
    """Files of several arrays of numpy."""
    as_written_or_refused(camera(40, 12), folder / "events.npz", many, 13, "a .npz file")


def as_written_or_refused(events, path, many, seed, what):
    """Damaged copies of a file of events with a checksum: each holds what was written, or is refused."""
    write_events(events, path, SENSOR)
    for copy in damaged(path.read_bytes(), many, seed=seed):
        path.write_bytes(copy)
        found = outcome(lambda: whole_and_in_pieces(path), path)
        expect(found is None or (same(found[0], events) and found[1] == SENSOR), what)


# ---- HDF5 -----------------------------------------------------------------------------------------------------------


def spoken(path, seed=14):
    """Write a file in the layout of SHD."""
    rng = np.random.default_rng(seed)
    recordings = [make_events(t=np.sort(rng.integers(0, 10**6, n)), x=rng.integers(0, 700, n))
                  for n in rng.integers(0, 40, 9)]
    write_shd(recordings, rng.integers(0, 3, 9), path, speakers=rng.integers(0, 4, 9), keys=["one", "two", "zwölf"])


def hdf5_of_ours(folder, many):
    """Files of events with a checksum."""
    as_written_or_refused(camera(60, 15), folder / "events.h5", many, 16, "an HDF5 file of ours")


def hdf5_of_others(folder, many):
    """Layouts without a checksum: a number may change to another legal one; their count and their order hold."""
    events, path = camera(60, 17), folder / "events.h5"
    packed = {"chunks": (16,), "compression": "gzip"}
    for place, more in (("events/", {}), ("events/", packed), ("", {}), ("CD/events", packed), ("events", {})):
        with h5py.File(path, "w") as file:
            if place in ("", "events/"):
                for name in "txyp":
                    file.create_dataset(place + name, data=events[name], **more)
                file["t_offset"] = 5
            else:
                file.create_dataset(place, data=events, **more)
        wanted = read_events(path)[0]
        for copy in damaged(path.read_bytes(), many // 5 + 1, seed=18):
            path.write_bytes(copy)
            found = outcome(lambda: whole_and_in_pieces(path)[0], path)
            if found is not None:
                expect(found.dtype in (EVENT, SPIKE), "fields")
                expect((np.diff(found["t"]) >= 0).all() and (found["t"] >= 0).all(), "the times of an HDF5 file")
                expect(abs(len(found) - len(wanted)) < 16, "the number of events of an HDF5 file")


def hdf5_of_shd(folder, many):
    """Files in the layout of SHD, with our checksums and without them."""
    path = folder / "random.h5"
    spoken(path)

    def read():
        ds = SHD(path)
        everything = ds.load_all()
        return everything, (everything.events.tobytes(), everything.offsets.tolist(), ds.labels.tolist(),
                            ds.speakers.tolist(), ds.classes)

    wanted = read()[1]
    with h5py.File(path) as file:
        expect("extra/crc32" in file, "checksums")
    for copy in damaged(path.read_bytes(), (many + 1) // 2, seed=17):
        path.write_bytes(copy)
        found = outcome(read, path)
        with_sums = found is not None and b"crc32" in copy
        expect(not with_sums or found[1] == wanted, "a file of SHD with checksums")
    spoken(path)
    with h5py.File(path, "r+") as file:
        del file["extra/crc32"]
    for copy in damaged(path.read_bytes(), (many + 1) // 2, seed=18):
        path.write_bytes(copy)
        found = outcome(lambda: SHD(path).load_all(), path)
        for events, label in found or ():
            expect((np.diff(events["t"]) >= 0).all() and (events["t"] >= 0).all() and 0 <= label < 20, "SHD")
            expect(not len(events) or (events["x"].min() >= 0 and events["x"].max() < 700), "a channel of SHD")


# ---- cameras --------------------------------------------------------------------------------------------------------


def cameras(folder, many):
    """Files of cameras: damaged records give what a slow parse gives, damaged heads an error or events in range."""
    warnings.simplefilter("ignore", NeurosimWarning)
    size = (camera_files.WIDTH, camera_files.HEIGHT, 2)
    for seed, (name, (suffix, write, parse)) in enumerate(camera_files.FORMATS.items()):
        path, head = folder / f"events{suffix}", camera_files.head_length(name)
        raw = write(camera(60, 19, 40_000))
        for copy in damaged(raw[head:], many // 10 + 1, 20 + seed):
            path.write_bytes(raw[:head] + copy)
            found, wanted = outcome(lambda path=path: whole_and_in_pieces(path, sensor_size=size)[0], path), parse(copy)
            expect((found is None) == (wanted is None), f"{name}: {found} {wanted}")
            expect(found is None or same(found, np.array(wanted, dtype=EVENT)), name)
        for copy in damaged(raw[:head + 24], many // 40 + 1, 40 + seed):
            path.write_bytes(copy + raw[head + 24:])
            found = outcome(lambda path=path: whole_and_in_pieces(path, sensor_size=size)[0], path)
            expect(found is None or not len(found) or (found["x"].max() < size[0] and found["y"].max() < size[1]
                                                       and (np.diff(found["t"]) >= 0).all()), name)


KINDS = {kind.__name__: kind for kind in (bin_files, zip_files, idx_files, images, tables, npy_files, npz_files,
                                          hdf5_of_ours, hdf5_of_others, hdf5_of_shd, cameras)}


def run(kind, many) -> str:
    """Read damaged files of one kind in a process of its own; return what went wrong, or an empty string."""
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([sys.executable, __file__, kind, folder, str(many)], capture_output=True, text=True,
                                  timeout=60 + SECONDS * many, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
        except subprocess.TimeoutExpired:
            return f"{kind}: did not end"
    return "" if done.returncode == 0 else f"{kind}: exit status {done.returncode}: {done.stderr[-2000:]}"


def main(_settings, _out) -> tuple:
    """Read 20,000 damaged recordings of all kinds; return (a table of what went wrong, whether nothing did)."""
    found = {kind: run(kind, MANY // len(KINDS)) for kind in KINDS}
    for kind, wrong in found.items():
        print(f"{kind:16} {MANY // len(KINDS)} files: {wrong or 'each read as it is, or refused in a sentence'}")
    return found, not any(found.values())


if __name__ == "__main__":
    KINDS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
