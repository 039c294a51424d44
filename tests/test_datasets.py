"""Data sets: the real files against an independent parse, round trips, laziness, splits, and what is refused."""

import hashlib
import os
import pickle
import re
import warnings
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from dataset_files import QUICK, SENSOR, camera, cochlea, folder_of, packed, same, spoken
from hypothesis import given
from hypothesis import strategies as st

from neurosim import datasets
from neurosim.datasets import (
    EVENT,
    MNIST,
    NMNIST,
    SHD,
    SPIKE,
    SSC,
    make_events,
    read_events,
    read_idx,
    read_nmnist,
    to_batch,
    to_spikes,
    write_events,
    write_idx,
    write_nmnist,
    write_shd,
)
from neurosim.errors import FileError, NeurosimWarning, ParameterError, UnsupportedError

ROOT = os.environ.get("NEUROSIM_DATA")
needs_data = pytest.mark.skipif(not ROOT, reason="the real recordings are needed: set NEUROSIM_DATA to their folder")


@pytest.fixture(scope="module")
def nmnist_zip():
    return Path(ROOT) / "nmnist" / "N-MNIST_subset.zip"


@pytest.fixture(scope="module")
def train(nmnist_zip):
    return NMNIST(nmnist_zip, train=True)


# ---- the real files against an independent parse ------------------------------------------------------------------

# From a parse by whole-number arithmetic on what `unzip -p` gives: recordings, events, sums of x, y, t and p, CRC-32 of
# all events packed as '<hhq?' (x, y, t, p), and events by digit.
GOLDEN = {
    True: (800, 3282960, 54707565, 56687994, 485656955593, 1636254, "ede9e375",
           [419232, 247904, 372349, 359641, 314467, 301216, 303769, 364218, 294889, 305275]),
    False: (100, 385596, 6388678, 6394198, 57793290170, 190652, "b94ec36f",
            [43159, 31352, 32370, 50009, 50804, 25416, 42986, 57762, 10286, 41452]),
}


@needs_data
@pytest.mark.parametrize("part", [True, False])
def test_nmnist_holds_what_an_independent_parse_gives(nmnist_zip, part):
    ds = NMNIST(nmnist_zip, train=part)
    events, offsets = (everything := ds.load_all()).events, everything.offsets
    counts = np.bincount(ds.labels, weights=np.diff(offsets), minlength=10).astype(int).tolist()
    found = (len(ds), len(events), *(int(events[name].sum()) for name in "xytp"), f"{zlib.crc32(events.tobytes()):08x}")
    assert (*found, counts) == GOLDEN[part]


def slow_parse(raw):
    """What a .bin file holds, event by event, with Python's whole numbers; None for what is not allowed."""
    rows, passed, last = [], 0, 0
    if len(raw) % 5:
        return None
    for at in range(0, len(raw), 5):
        word = int.from_bytes(raw[at:at + 5], "big")
        x, y, p, t = word >> 32, word >> 24 & 255, word >> 23 & 1, word & 0x7FFFFF
        if y == 240:
            passed += 2**13
            continue
        t += passed
        if x > 33 or y > 33 or t < last:
            return None
        last = t
        rows.append((x, y, t, bool(p)))
    return np.array(rows, dtype=EVENT)


@needs_data
def test_one_recording_and_all_of_them_are_the_same_by_any_way(nmnist_zip, train, tmp_path):
    everything = train.load_all()
    with zipfile.ZipFile(nmnist_zip) as archive:
        for index in (0, 123, 799):
            events, label = train[index]
            assert same(events, everything[index][0]) and label == everything[index][1] == train.labels[index]
            assert same(events, slow_parse(archive.read(train.names[index])))
            assert train.names[index].split("/")[1] == str(label)
        some = [name for name in train.names if "/3/" in name][:7]
        archive.extractall(tmp_path, some)
    unpacked = NMNIST(tmp_path)
    assert [name.rsplit("/", 1)[1] for name in unpacked.names] == [name.rsplit("/", 1)[1] for name in some]
    assert same(unpacked.load_all().events, train.select([train.names.index(name) for name in some]).load_all().events)


@needs_data
def test_real_recordings_land_on_the_grid_together_as_one_by_one(train):
    part = train[::67]
    batch = to_batch(part.load_all(), dt=1.0)
    assert len(part) == 12 and batch.offsets[-1] == len(batch.ticks) > 10_000
    for index, (events, _) in enumerate(part):
        spikes, place = to_spikes(events, SENSOR, dt=1.0), slice(batch.offsets[index], batch.offsets[index + 1])
        assert np.array_equal(spikes.ticks, batch.ticks[place]) and np.array_equal(spikes.ids, batch.channels[place])


@needs_data
def test_the_saccades_of_a_recording_make_up_the_recording(nmnist_zip, train):
    whole, _ = train[5]
    parts = [NMNIST(nmnist_zip, saccade=saccade)[5][0] for saccade in range(3)]
    for part, begin in zip(parts, (0, 105_000, 210_000), strict=True):
        part["t"] += begin
    assert same(np.concatenate(parts), whole)
    assert parts[0]["t"].max() < 105_000 <= parts[1]["t"].min() <= parts[1]["t"].max() < 210_000 <= parts[2]["t"].min()


@needs_data
def test_mnist_holds_what_an_independent_parse_gives():
    folder = Path(ROOT) / "mnist"
    digits = MNIST(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")
    assert len(digits) == 60_000 and digits.sensor_size == (28, 28, 1)
    assert digits.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(digits.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert int(digits.images.sum(dtype=np.int64)) == 1567298545
    assert hashlib.sha256(digits.images.tobytes()).hexdigest()[:16] == "741c988805d008ac"
    assert np.array_equal(digits[59_999][0], digits.images[59_999])


# ---- round trips -------------------------------------------------------------------------------------------------


@given(camera())
@QUICK
def test_what_write_nmnist_writes_is_read_back(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("bin") / "1.bin"
    write_nmnist(events, path)
    assert same(read_nmnist(path), events) and same(slow_parse(path.read_bytes()), events)


@given(camera(most_us=2**23 + 2**18, most=8))
@QUICK
def test_times_beyond_the_23_bits_go_through_overflow_records(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("bin") / "1.bin"
    write_nmnist(events, path)
    assert same(read_nmnist(path), events) and same(slow_parse(path.read_bytes()), events)


def test_an_overflow_record_is_no_event_and_moves_later_times(tmp_path):
    def record(x, y, t):
        return bytes([x, y]) + t.to_bytes(3, "big")

    raw = b"".join([record(1, 2, 7), record(0, 240, 0), record(3, 4, 5), record(9, 240, 8), record(9, 240, 8),
                    record(5, 6, 6)])
    (tmp_path / "1.bin").write_bytes(raw)
    events = read_nmnist(tmp_path / "1.bin")
    assert events["t"].tolist() == [7, 2**13 + 5, 3 * 2**13 + 6] and events["x"].tolist() == [1, 3, 5]
    (tmp_path / "1.bin").write_bytes(raw + record(34, 0, 6))
    with pytest.raises(FileError, match=r"record 6 \(byte 30\) must have x in 0 .. 33, it has 34"):
        read_nmnist(tmp_path / "1.bin")


@given(st.lists(cochlea(), max_size=6), st.data())
@QUICK
def test_what_write_shd_writes_is_read_back(tmp_path_factory, recordings, data):
    n = len(recordings)
    labels = data.draw(st.lists(st.integers(0, 19), min_size=n, max_size=n))
    speakers = data.draw(st.lists(st.integers(0, 11), min_size=n, max_size=n))
    kind = data.draw(st.sampled_from(["float16", "float32", "float64"]))
    path = tmp_path_factory.mktemp("shd") / "random.h5"
    keys = [f"class {k} ü" for k in range(20)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)
        write_shd(recordings, labels, path, speakers=speakers, keys=keys, time_type=kind)
    ds = SHD(path)
    assert ds.labels.tolist() == labels and ds.speakers.tolist() == speakers and ds.classes == tuple(keys)
    for (events, _), written in zip(ds, recordings, strict=True):
        seconds = (written["t"] / 1e6).astype(kind).astype(np.float64)
        assert np.array_equal(events["t"], np.rint(seconds * 1e6)) and np.array_equal(events["x"], written["x"])
        assert events.dtype == SPIKE and events["p"].all()
        if kind == "float64":
            assert same(events, written)


@given(st.data(), st.sampled_from([".npy", ".npz", ".csv", ".h5"]), st.booleans())
@QUICK
def test_what_write_events_writes_is_read_back(tmp_path_factory, data, suffix, sized):
    events = data.draw(st.one_of(camera(most_us=2**40), cochlea(most_us=2**40)))
    size = (700, 34, 2) if "y" in events.dtype.names else (700, 1, 1)
    path = tmp_path_factory.mktemp("events") / f"random{suffix}"
    write_events(events, path, size if sized else None)
    found, found_size = read_events(path)
    assert same(found, events) and found_size == (size if sized and suffix != ".npy" else None)
    assert read_events(path, size)[1] == size


@given(st.data(), st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]), st.sampled_from(["", ".gz"]))
@QUICK
def test_what_write_idx_writes_is_read_back(tmp_path_factory, data, kind, suffix):
    shape = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    array = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 100, shape).astype(kind)
    path = tmp_path_factory.mktemp("idx") / f"random{suffix}"
    write_idx(array, path)
    assert same(read_idx(path), array)


@pytest.mark.parametrize("layout", ["plain", "chunks", "compressed", "user block"])
def test_lists_are_read_as_the_hdf5_library_reads_them(tmp_path, layout):
    path, rng = tmp_path / "layout.h5", np.random.default_rng(1)
    more = {"chunks": {"chunks": (3,), "maxshape": (None,)}, "compressed": {"compression": "gzip"}}.get(layout, {})
    block = {"userblock_size": 512} if layout == "user block" else {}
    with h5py.File(path, "w", **block) as file:
        for name, kind in (("times", "f2"), ("units", "u2")):
            file.create_dataset(f"spikes/{name}", (20,), dtype=h5py.vlen_dtype(np.dtype(kind)), **more)
        for row in range(20):
            n = 0 if row == 7 else int(rng.integers(1, 3000))
            file["spikes/times"][row] = np.sort(rng.random(n)).astype("f2")
            file["spikes/units"][row] = rng.integers(0, 700, n).astype("u2")
        file["labels"] = rng.integers(0, 20, 20)
        file.create_dataset("extra/keys", data=[f"{k} ü" for k in range(20)], dtype=h5py.string_dtype(), **more)
    ds = SHD(path)
    assert ds.classes == tuple(f"{k} ü" for k in range(20))
    with h5py.File(path, "r") as file:
        for row in (0, 7, 19):
            seconds = file["spikes/times"][row].astype(np.float64)
            assert np.array_equal(ds[row][0]["t"], np.rint(seconds * 1e6))
            assert np.array_equal(ds[row][0]["x"], file["spikes/units"][row])
    assert len(ds.load_all().events) == sum(len(events) for events, _ in ds)


# ---- a data set is a lazy sequence -------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    names = ["Train/7/00003.bin", "Train/0/00010.bin", "Train/7/00001.bin", "Test/1/60001.bin", "Train/0/00002.bin"]
    return folder_of(tmp_path / "N-MNIST", names)


def test_order_labels_and_names_do_not_depend_on_how_it_is_stored(small, tmp_path):
    ds = NMNIST(small)
    assert ds.labels.tolist() == [0, 0, 7, 7] and not ds.labels.flags.writeable
    assert [Path(name).name for name in ds.names] == ["00002.bin", "00010.bin", "00001.bin", "00003.bin"]
    packed(small / "Train", small / "Train.zip", "Train/")
    others = [packed(small, tmp_path / "a.zip"), packed(small, tmp_path / "b.zip", "any/where/"), small.parent,
              small / "Train", small / "Train.zip"]
    for path in others:
        other = NMNIST(path)
        assert other.labels.tolist() == ds.labels.tolist()
        assert all(same(a, b) for (a, _), (b, _) in zip(ds, other, strict=True))
    assert len(NMNIST(small, train=False)) == 1


def test_it_is_a_sequence(small):
    ds = NMNIST(small)
    assert len(ds) == 4 and len(list(ds)) == 4 and len(ds.classes) == 10 and ds.sensor_size == SENSOR
    assert same(ds[-1][0], ds[3][0]) and ds[np.int64(2)][1] == 7
    assert isinstance(ds[1:3], NMNIST) and ds[1:3].labels.tolist() == [0, 7]
    assert ds[::-1].labels.tolist() == [7, 7, 0, 0]
    assert ds.select([3, 3, 0]).names == [ds.names[3], ds.names[3], ds.names[0]]
    assert same(ds[1:].select([True, False, True])[1][0], ds[3][0])
    assert len(ds.select([])) == 0 and len(ds.select([]).load_all().events) == 0
    assert same(pickle.loads(pickle.dumps(ds))[1][0], ds[1][0])
    with pytest.raises(IndexError, match=r"index must lie in 0 .. 3 .*, got 4"):
        ds[4]
    for wrong in ([4], [0.5], [True], [[0]], "all"):
        with pytest.raises(ParameterError, match="NMNIST.select must be given integers in 0 .. 3 or a bool mask"):
            ds.select(wrong)


def test_nothing_is_read_before_it_is_asked_for(small, tmp_path):
    (small / "Train" / "7" / "00003.bin").write_bytes(b"damaged")
    for ds in (NMNIST(small), NMNIST(packed(small, tmp_path / "a.zip"))):
        assert ds.labels.tolist() == [0, 0, 7, 7] and len(ds[0][0])
        for read in (ds.load_all, lambda ds=ds: ds[3]):
            with pytest.raises(FileError, match=r"00003\.bin must have 5 bytes for every event, it has 7 bytes: "
                                                r"record 1 \(byte 5\) is cut short"):
                read()


def test_images_are_read_one_by_one_from_a_plain_file(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 3)).astype(np.uint8)
    write_idx(np.arange(6, dtype=np.uint8), tmp_path / "labels")
    for name in ("images", "images.gz"):
        write_idx(images, tmp_path / name)
        digits = pickle.loads(pickle.dumps(MNIST(tmp_path / name, tmp_path / "labels")))
        assert np.array_equal(digits[4][0], images[4]) and digits[4][1] == 4 and digits.sensor_size == (3, 4, 1)
        assert np.array_equal(digits[::2].images, images[::2]) and np.array_equal(digits[1:][0][0], images[1])
        with pytest.raises(UnsupportedError, match="images are no events|these are images"):
            digits.load_all()


def test_splits_by_speaker(tmp_path):
    ds = SHD(spoken(tmp_path / "random.h5"))
    rest, held_out = ds.split_by_speaker([2, 3])
    assert rest.speakers.tolist() == [0, 0, 1] and held_out.speakers.tolist() == [2, 2, 3]
    assert held_out.labels.tolist() == [0, 1, 2] and same(held_out[0][0], ds[3][0])
    for seed in range(20):
        rest, held_out = ds.split_by_speaker(0.5, seed=seed)
        assert not set(rest.speakers) & set(held_out.speakers) and len(set(held_out.speakers)) == 2
        assert len(rest) + len(held_out) == len(ds)
        assert held_out.speakers.tolist() == ds.split_by_speaker(0.5, seed=seed)[1].speakers.tolist()
    assert len(set(ds.split_by_speaker(0.01)[1].speakers)) == 1
    for wrong, message in ([[9], "must name speakers of [0, 1, 2, 3], got 9"], [[], "must name speakers"],
                           [[0, 1, 2, 3], "must leave a speaker"], [1.5, "must be a fraction in (0, 1)"]):
        with pytest.raises(ParameterError, match=re.escape(message)):
            ds.split_by_speaker(wrong)
    write_shd([make_events(t=[1], x=[1])], [34], tmp_path / "words.h5", time_type="float64")
    words = SSC(tmp_path / "words.h5")
    with pytest.raises(FileError, match=r"words.h5 must have a dataset 'extra/speaker', it has none"):
        _ = words.speakers
    with pytest.raises(FileError, match=r"words.h5 must have a dataset 'extra/keys', it has none"):
        _ = words.classes
    with pytest.raises(FileError, match=r"'labels', record 0 must lie in 0 .. 19, it is 34"):
        SHD(tmp_path / "words.h5")


def test_half_seconds_become_64_bits_before_they_are_scaled(tmp_path):
    """As float16 a microsecond count beyond 65504 is infinite."""
    path = tmp_path / "late.h5"
    with pytest.warns(NeurosimWarning, match="rounded times to float16; the worst error is"):
        write_shd([make_events(t=[1_234_567, 8_768_400], x=[0, 1])], [0], path)
    assert SHD(path)[0][0]["t"].tolist() == [round(float(np.float16(s)) * 1e6) for s in (1.234567, 8.7684)]


def test_public_names_have_docstrings_with_examples():
    for name in datasets.__all__:
        thing = getattr(datasets, name)
        if callable(thing) and name not in ("EVENT", "SPIKE", "Dataset"):
            assert ">>>" in thing.__doc__, name
