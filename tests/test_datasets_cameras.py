"""Files of event cameras: what writers of our own and other packages wrote is read to the byte, in any blocks."""

import importlib.util
import json
import os
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from dataset_files import QUICK, same
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import camera_files
from benchmarks.camera_files import FORMATS, HEIGHT, WIDTH
from neurosim.datasets import EVENT, make_events, read_events
from neurosim.datasets.cameras import stream
from neurosim.errors import FileError, NeurosimWarning, ParameterError, UnsupportedError

GOLDEN = Path(__file__).parent / "golden" / "cameras"
MANY = 400


def random_events(n=MANY, seed=0, gap=50, width=WIDTH, height=HEIGHT):
    rng = np.random.default_rng(seed)
    made = make_events(t=np.cumsum(rng.integers(0, gap, n)), x=rng.integers(0, width, n), y=rng.integers(0, height, n),
                       p=rng.integers(0, 2, n))
    row = rng.integers(0, n, n // 2)  # rows of neighbours at one time, as vectors hold them
    for name in "ytp":
        made[name][row] = made[name][np.maximum(row - 1, 0)]
    return np.sort(made, order=["t", "y", "p", "x"])


def plain(found):
    return None if found is None else np.array(found, dtype=EVENT)


@st.composite
def recordings(draw):
    n = draw(st.integers(0, 30))
    gaps = st.one_of(st.just(0), st.integers(0, 300), st.integers(4000, 4200), st.integers(0, 2**22))
    t = np.cumsum(draw(st.lists(gaps, min_size=n, max_size=n)), dtype=np.int64) + draw(st.integers(0, 5000))
    rows = draw(st.lists(st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(0, 1)),
                         min_size=n, max_size=n))
    x, y, p = np.array(rows, dtype=int).reshape(n, 3).T
    return make_events(t=t, x=x, y=y, p=p)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(stream, "BLOCK", 37)


# ---- writers of our own ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
@given(events=recordings())
@QUICK
def test_what_is_written_by_the_description_is_read(tmp_path_factory, name, events):
    suffix, write, parse = FORMATS[name]
    raw = write(events)
    path = tmp_path_factory.mktemp("camera") / f"a{suffix}"
    path.write_bytes(raw)
    found, size = read_events(path, (WIDTH, HEIGHT, 2))
    assert same(found, events) and size == (WIDTH, HEIGHT, 2)
    assert same(plain(parse(raw[camera_files.head_length(name):])), events)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("many", [1, 7, 1000])
def test_pieces_do_not_depend_on_how_the_file_is_cut(tmp_path, small_blocks, name, many):
    suffix, write, _ = FORMATS[name]
    path, events = tmp_path / f"a{suffix}", random_events()
    path.write_bytes(write(events))
    parts, size = read_events(path, (WIDTH, HEIGHT, 2), chunks=many)
    parts = list(parts)
    assert same(np.concatenate(parts), events) and size == (WIDTH, HEIGHT, 2)
    assert all(len(part) == many for part in parts[:-1]) and 1 <= len(parts[-1]) <= many
    path.write_bytes(write(events[:0]))
    assert list(read_events(path, (WIDTH, HEIGHT, 2), chunks=many)[0]) == []


@pytest.mark.parametrize(("name", "bits"), [("evt3", 24), ("evt2", 34), ("evt21", 34), ("evt21_legacy", 34), ("dat",
32),
                                            ("aedat2", 32), ("aedat3", 31), ("es", 26)])
def test_counters_that_wrap_go_on(tmp_path, small_blocks, name, bits):
    suffix, write, _ = FORMATS[name]
    events = random_events(50, seed=1, gap=2**bits // 10)
    assert events["t"][-1] > 2 * 2**bits
    (tmp_path / f"a{suffix}").write_bytes(write(events))
    for chunks in (None, 9):
        found = read_events(tmp_path / f"a{suffix}", (WIDTH, HEIGHT, 2), chunks=chunks)[0]
        assert same(found if chunks is None else np.concatenate(list(found)), events)


@given(words=st.lists(st.one_of(st.integers(0, 2**16 - 1), st.sampled_from([0x8000, 0x8001, 0x8FFF, 0x6005, 0x3003,
0x4FFF,
                                                                           0x50F0, 0x0007, 0x2803, 0xA000, 0x7001])),
                      max_size=30))
@QUICK
def test_any_words_of_evt3(tmp_path_factory, words):
    path, body = tmp_path_factory.mktemp("words") / "a.raw", struct.pack(f"<{len(words)}H", *words)
    path.write_bytes(camera_files.prophesee_head("EVT3") + body)
    wanted = plain(camera_files.parse_evt3(body))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)
        if wanted is None:
            with pytest.raises(FileError, match=r"a.raw, record \d+ \(byte \d+\): "):
                read_events(path)
        else:
            assert same(read_events(path)[0], wanted)


def test_a_version_1_of_dat(tmp_path):
    head = b"% Version 1\n% Width 304\n% Height 240\n\x00\x08"
    (tmp_path / "a.dat").write_bytes(head + struct.pack("<4I", 5, 1 << 17 | 239 << 9 | 303, 9, 7 << 9 | 3))
    found, size = read_events(tmp_path / "a.dat")
    assert same(found, make_events(t=[5, 9], x=[303, 3], y=[239, 7], p=[1, 0])) and size == (304, 240, 2)


def test_a_dvs128_of_aedat2(tmp_path):
    """x counts from the right, y from the bottom, and a bit of 0 is ON, as the code of jAER and libcaer has it."""
    head = b"#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n"
    words = 3 << 8 | 1 << 1 | 1, 5, 0x8000, 6, 127 << 8 | 127 << 1, 9
    (tmp_path / "a.aedat").write_bytes(head + struct.pack(">6I", *words))
    found, size = read_events(tmp_path / "a.aedat")
    assert same(found, make_events(t=[5, 9], x=[126, 0], y=[124, 0], p=[0, 1])) and size == (128, 128, 2)
    (tmp_path / "a.aedat").write_bytes(b"#!AER-DAT2.0\r\n" + struct.pack(">2I", 0, 5))
    with pytest.raises(FileError, match="must name its camera in a line '# AEChip: ...', it names none; give sensor_"):
        read_events(tmp_path / "a.aedat")
    assert read_events(tmp_path / "a.aedat", (128, 128, 2))[0]["p"].tolist() == [True]


def test_a_time_that_is_taken_back_before_an_event_comes(tmp_path):
    """Cameras write such words: the low bits go from 811 to 800, and the events that follow are of 800."""
    words = [0x8B2D, 0x6000 | 799, 0x0005, 0x2003, 0x8B2D, 0x6000 | 811, 0x6000 | 800, 0x2004]
    (tmp_path / "a.raw").write_bytes(camera_files.prophesee_head("EVT3") + struct.pack("<8H", *words))
    assert np.diff(read_events(tmp_path / "a.raw")[0]["t"]).tolist() == [1]


def test_a_head_without_end(tmp_path):
    (tmp_path / "a.aedat").write_bytes(b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n" + b"# preference\r\n" * 80_000)
    with pytest.raises(FileError, match="a.aedat must have a head of less than 1048576 bytes, it has more"):
        read_events(tmp_path / "a.aedat")


def test_events_before_the_first_time_are_counted(tmp_path):
    words = [0x0005, 0x2003, 0x3004, 0x4007, 0x8000, 0x6001, 0x2009]
    (tmp_path / "a.raw").write_bytes(camera_files.prophesee_head("EVT3") + struct.pack("<7H", *words))
    with pytest.warns(NeurosimWarning, match="a.raw: 4 events come before the first word of time and are left out"):
        assert same(read_events(tmp_path / "a.raw")[0], make_events(t=[1], x=[9], y=[5], p=[0]))


# ---- files of other packages -----------------------------------------------------------------------------------------


def test_golden_files_of_other_packages():
    """Written by faery 0.7.1, expelliarmus 1.1.12 and event_stream 1.6.3; `index.json` says by which, and of what."""
    index = json.loads((GOLDEN / "index.json").read_text())
    truth = np.load(GOLDEN / "events.npy")
    assert len(index) >= 9
    for name, about in index.items():
        events = truth.copy()
        if about["flipped"]:
            events["y"] = 479 - events["y"]
        if about["small"]:
            events["x"] %= 304
            events["y"] %= 240
        found, size = read_events(GOLDEN / name)
        assert same(found, events) and size == (about["size"] and tuple(about["size"])), name


def peer(name):
    found = importlib.util.find_spec(name)
    if found is None and os.environ.get("NEUROSIM_PEERS"):
        pytest.fail(f"NEUROSIM_PEERS is set and {name} is not installed")
    return pytest.importorskip(name, reason=f"{name} is not installed: see the extra `formats`")


@pytest.mark.parametrize("gap", [40, 5000, 2**18])
def test_evt3_agrees_with_the_package_evt3(tmp_path, gap):
    evt3 = peer("evt3")
    events = random_events(3000, seed=gap, gap=gap)
    (tmp_path / "a.raw").write_bytes(camera_files.write_evt3(events))
    theirs, ours = evt3.decode_file(str(tmp_path / "a.raw")), read_events(tmp_path / "a.raw")
    for name, column in zip("xytp", (theirs.x, theirs.y, theirs.timestamp, theirs.polarity), strict=True):
        assert np.array_equal(ours[0][name], column)
    assert ours[1][:2] == theirs.sensor_size


FAERY = [("a.raw", {"version": "evt3"}), ("a.raw", {"version": "evt2"}), ("a.dat", {"version": "dat2"}), ("a.es", {}),
         ("a.aedat4", {})]


@pytest.mark.parametrize(("name", "how"), FAERY)
@pytest.mark.parametrize("zero_t0", [True, False])
def test_files_of_faery(tmp_path, name, how, zero_t0):
    faery = peer("faery")
    if name == "a.aedat4":
        peer("aedat")
    events = random_events(2000, seed=5, gap=3000)
    events["t"] += 77
    given_ = np.zeros(len(events), dtype=faery.EVENTS_DTYPE)
    for theirs, ours in (("t", "t"), ("x", "x"), ("y", "y"), ("on", "p")):
        given_[theirs] = events[ours]
    faery.events_stream_from_array(given_, (WIDTH, HEIGHT)).to_file(tmp_path / name, zero_t0=zero_t0, **how)
    found, size = read_events(tmp_path / name)
    if zero_t0 and name == "a.es":  # the format has no place for it
        found["t"] += events["t"][0] - found["t"][0]
    assert same(found, events) and size == (WIDTH, HEIGHT, 2)
    assert same(np.concatenate(list(read_events(tmp_path / name, chunks=300)[0]))[["x", "y", "p"]],
                found[["x", "y", "p"]])


@pytest.mark.parametrize("encoding", ["dat", "evt2"])
def test_files_of_expelliarmus(tmp_path, encoding):
    expelliarmus = peer("expelliarmus")
    events = random_events(2000, seed=6, gap=3000)
    given_ = np.zeros(len(events), dtype=[("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")])
    for field in "txyp":
        given_[field] = events[field]
    path = tmp_path / ("a.dat" if encoding == "dat" else "a.raw")
    expelliarmus.Wizard(encoding=encoding).save(fpath=path, arr=given_)
    assert same(read_events(path)[0], events)


def test_files_of_event_stream(tmp_path):
    event_stream = peer("event_stream")
    events = random_events(2000, seed=7, gap=3000)
    given_ = np.zeros(len(events), dtype=event_stream.dvs_dtype)
    for theirs, ours in (("t", "t"), ("x", "x"), ("on", "p")):
        given_[theirs] = events[ours]
    given_["y"] = HEIGHT - 1 - events["y"]  # the format counts from the bottom
    with event_stream.Encoder(str(tmp_path / "a.es"), "dvs", WIDTH, HEIGHT) as encoder:
        encoder.write(given_)
    found, size = read_events(tmp_path / "a.es")
    assert same(found, events) and size == (WIDTH, HEIGHT, 2)
    assert (tmp_path / "a.es").read_bytes() == camera_files.write_es(events)  # so our writer is theirs, to the byte


def test_aedat4_without_its_package_says_what_to_install(tmp_path):
    (tmp_path / "a.aedat4").write_bytes(b"#!AER-DAT4.0\r\n")
    code = ("import sys; sys.modules['aedat'] = None; from neurosim.datasets import read_events; "
            "read_events(sys.argv[1])")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.aedat4")], capture_output=True, text=True,
                          cwd=Path(__file__).parent.parent)
    assert "UnsupportedError: AEDAT 4 files need the package aedat; install it with `pip install" in done.stderr
    assert UnsupportedError.__name__ in done.stderr


# ---- files that are refused ------------------------------------------------------------------------------------------


EVT3_HEAD = camera_files.prophesee_head("EVT3")
START = len(EVT3_HEAD)


def evt3(*words):
    return EVT3_HEAD + struct.pack(f"<{len(words)}H", *words)


REFUSED = [
    ("a.raw", bytes(64), "must have a head that names the format EVT2, EVT21 or EVT3, it names none"),
    ("a.raw", b"% format HISTO3D;width=3\n", "it names HISTO3D"),
    ("a.raw", evt3(0x8000, 0x6001, 240, 0x2003), f"record 3 (byte {START + 6}): y must be in 0 .. 239, it is 240"),
    ("a.raw", evt3(0x8000, 0x6001, 5, 0x2000 | 320), f"record 3 (byte {START + 6}): x must be in 0 .. 319, it is 320"),
    ("a.raw", evt3(0x8000, 0x6001, 5, 0x3000 | 315, 0x4020), f"record 4 (byte {START + 8}): x must be in 0 .. 319"),
    ("a.raw", evt3(0x8000, 0x6009, 5, 0x2001, 0x6008, 0x2001), f"record 5 (byte {START + 10}): an event must not be "
     'earlier than the one before: time runs backwards from 9 to 8 us; unsorted="sort" reads it all the same'),
    ("a.raw", evt3(0x8000, 0x1000), f"record 1 (byte {START + 2}): a word must be of a kind of the format, its kind "
                                    "is 1"),
    ("a.raw", evt3(0x8000) + b"a", f"is cut short: the record at byte {START + 2} must be longer than the 1 bytes "
                                   "that"),
    ("a.dat", bytes(64), "must hold events of type 0 or 12 of 8 bytes, byte 0 and the next say type 0 of 0 bytes"),
    ("a.dat", b"% Version 3\n\0\x08", "must be of version 1 or 2 of the DAT format, it is of version '3'"),
    ("a.dat", b"% Version 2\n", "is cut short: after its head, at byte 12, must come the type and length"),
    ("a.dat", b"% Width 2\n% Height 2\n\0\x08" + struct.pack("<4I", 5, 1, 6, 2), "record 1 (byte 31): x must be in 0 "
                                                                                 ".. 1"),
    ("a.dat", b"% Width 2\n% Height 2\n\0\x08" + struct.pack("<4I", 5, 1, 4, 1), "record 1 (byte 31) must not be "
                                                                                 "earlier"),
    ("a.es", bytes(64), "is not an Event Stream file: it must begin with 'Event Stream'"),
    ("a.es", b"Event Stream\0\x01\0" + bytes(9), "must be of version 2 of Event Stream, it is of version 0.1.0"),
    ("a.es", b"Event Stream\2\0\0\2" + bytes(9), "must hold events of a DVS (type 1), it holds ATIS events (type 2)"),
    ("a.es", b"Event Stream\2\0\0\1\4\0\4\0\2\4\0\1\0", "record 0 (byte 20): x must be in 0 .. 3, it is 4"),
    ("a.es", b"Event Stream\2\0\0\1\4\0\4\0\2\3\0\1\0\2\3\0\4\0", "record 1 (byte 25): y must be in 0 .. 3, it is -1"),
    ("a.es", b"Event Stream\2\0\0\1\4\0\4\0\2\3\0", "is cut short: the record at byte 20 must be longer than the 3 "
                                                    "bytes"),
    ("a.es", b"Event Stream\2\0\0\1\0\0\4\0", "must state a sensor of 1 .. 32768 pixels a side, it states 0 x 4"),
    ("a.aedat", bytes(64), "must begin with #!AER-DAT and the version 2.0, 3.1 or 4.0, it begins with"),
    ("a.aedat", b"#!AER-DAT1.0\r\n", "must begin with #!AER-DAT and the version 2.0, 3.1 or 4.0"),
    ("a.aedat", b"#!AER-DAT3.1\r\n", "must have a head that ends in #!END-HEADER"),
    ("a.aedat", b"#!AER-DAT3.1\r\n#Format: SERIALTS\r\n#!END-HEADER\r\n", "must be of the format RAW, it is of the "
                                                                          "format"),
    ("a.aedat4", bytes(64), "must begin with #!AER-DAT and the version"),
    ("a.bin", bytes(64), "record 12 (byte 60) is cut short"),
]


@pytest.mark.parametrize(("name", "raw", "message"), REFUSED)
def test_files_that_are_refused(tmp_path, name, raw, message):
    (tmp_path / name).write_bytes(raw)
    for chunks in (None, 3):
        with pytest.raises(FileError) as caught:
            list(read_events(tmp_path / name, chunks=chunks)[0])
        text = str(caught.value)
        assert text.startswith(str(tmp_path / name)) and message in text and "\n" not in text


def packet(words, kind=1, size=8, place=4, valid=None, source=1):
    good = sum(word & 1 for word, _ in words) if valid is None else valid
    head = struct.pack("<hhiiiiii", kind, source, size, place, 0, len(words), len(words), good)
    return head + b"".join(struct.pack("<II", *pair) for pair in words)


AEDAT3 = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"


@pytest.mark.parametrize(("body", "message"), [
    (packet([(1, 5)], valid=0), f"record 0 (byte {len(AEDAT3)}): a packet must hold 0 valid events, it holds 1"),
    (packet([(1, 5)]) + packet([(1, 5)], source=2), "must hold events of one camera, it holds those of sources 1 and "
                                                    "2"),
    (packet([(1, 5)], size=0), "a packet must have sizes that fit, it has 0 bytes an event"),
    (packet([(1, 5)], place=0), "events of polarity must have 8 bytes with the time at 4"),
    (packet([(1, 5), (1, 4)]), "event 1 in packet 0"),
    (packet([(1 << 24 | 1, 5)]), "x must be in 0 .. 127, it is 128"),
    (packet([(1, 2**31)]), "times of a packet must be below 2**31 us, one is 2147483648"),
    (packet([(1, 5)])[:-1], f"is cut short: the record at byte {len(AEDAT3)} must be longer than the 35 bytes"),
])
def test_packets_that_are_refused(tmp_path, body, message):
    (tmp_path / "a.aedat").write_bytes(AEDAT3 + body)
    with pytest.raises(FileError) as caught:
        read_events(tmp_path / "a.aedat")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_whole_of_a_file_that_was_cut(tmp_path, name):
    suffix, write, parse = FORMATS[name]
    events = random_events(40, seed=3)
    (tmp_path / f"a{suffix}").write_bytes(write(events)[:-1])
    with pytest.raises(FileError, match="is cut short: the record at byte"):
        read_events(tmp_path / f"a{suffix}", (WIDTH, HEIGHT, 2))
    found = read_events(tmp_path / f"a{suffix}", (WIDTH, HEIGHT, 2), complete=False)[0]
    assert 0 <= len(events) - len(found) <= 12 and same(found, events[:len(found)])


@pytest.mark.parametrize("name", ["evt3", "evt2", "evt21", "dat", "aedat2", "aedat3"])
def test_times_that_run_backwards_are_sorted_on_request(tmp_path, name):
    suffix, write, _ = FORMATS[name]
    events = random_events(40, seed=4, gap=3)
    late = events[::-1][:20]
    (tmp_path / f"a{suffix}").write_bytes(write(late))
    with pytest.raises(FileError, match="backwards"):
        read_events(tmp_path / f"a{suffix}", (WIDTH, HEIGHT, 2))
    found = read_events(tmp_path / f"a{suffix}", (WIDTH, HEIGHT, 2), unsorted="sort")[0]
    assert same(np.sort(found, order=["t", "y", "p", "x"]), np.sort(late, order=["t", "y", "p", "x"]))
    assert (np.diff(found["t"]) >= 0).all()


def test_a_packet_longer_than_a_block_is_read_with_few_copies(tmp_path, small_blocks, monkeypatch):
    events = random_events(3000, seed=8)
    (tmp_path / "a.aedat").write_bytes(camera_files.write_aedat3(events, many=3000))
    copied, join = [], np.concatenate
    monkeypatch.setattr(stream.np, "concatenate", lambda parts: copied.append(sum(map(len, parts))) or join(parts))
    parts = list(read_events(tmp_path / "a.aedat", (WIDTH, HEIGHT, 2), chunks=10**6)[0])
    assert same(parts[0], events) and sum(copied) < 8 * len((tmp_path / "a.aedat").read_bytes())


def test_readers_without_loops_leave_numba_alone():
    code = "import sys; import neurosim.datasets; print('numba' in sys.modules)"
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "False", done.stderr


def test_what_is_for_tables_only(tmp_path):
    (tmp_path / "a.dat").write_bytes(camera_files.write_dat(random_events(3)))
    for arguments in ({"columns": "txyp"}, {"time_unit": "us"}):
        with pytest.raises(ParameterError, match="read_events.columns and time_unit are for tables"):
            read_events(tmp_path / "a.dat", **arguments)
    with pytest.raises(ParameterError, match="read_events.sensor_size must have 2 polarities for .*a.dat, got"):
        read_events(tmp_path / "a.dat", (WIDTH, HEIGHT, 1))
    with pytest.raises(ParameterError, match="read_events.complete must be True or False, got None"):
        read_events(tmp_path / "a.dat", complete=None)
