"""Folders of recordings to files in the layout of SHD: whole or absent, resumed, and honest about what is damaged."""

import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
from full_disk import largest_file
from scipy.io import wavfile

import neurosim as ns
from neurosim import files
from neurosim.cli import main
from neurosim.datasets import SHD, make_events, write_shd
from neurosim.encoders import Cochlea, encode_folder
from neurosim.encoders.audio import folder as folder_module
from neurosim.errors import FileError, NeurosimWarning, ParameterError

SMALL = Cochlea(40)


def sound(k, samples=1200):
    t = np.arange(samples) / 8000
    return (12_000 * np.sin(2 * np.pi * (300 + 90 * k) * t)).astype(np.int16)


@pytest.fixture
def folder(tmp_path):
    """Return a folder of twelve words by three speakers."""
    where = tmp_path / "words"
    where.mkdir()
    for k in range(12):
        wavfile.write(where / f"{k % 4}_{'abc'[k // 4]}_{k}.wav", 8000, sound(k))
    (where / "README.md").write_text("not a recording")
    return where


def test_a_folder_becomes_a_file_in_the_layout_of_shd(folder, tmp_path):
    done = encode_folder(SMALL, folder, tmp_path / "words.h5", seed=3, time_type="float64")
    names = sorted(path.name for path in folder.glob("*.wav"))
    assert done.names == tuple(names) and done.labels == ("0", "1", "2", "3") and done.speakers == ("a", "b", "c")
    digits = SHD(tmp_path / "words.h5")
    assert digits.names.tolist() == names and digits.classes == done.labels and digits.sensor_size == (40, 1, 1)
    for k, name in enumerate(names):
        events, label = digits[k]
        word, speaker, _ = name.split("_")
        assert (str(label), "abc"[digits.speakers[k]]) == (word, speaker)
        spikes = SMALL.replace(dt=None).encode(folder / name, seed=3, key=k)
        assert np.array_equal(events["t"], np.rint(1e3 * spikes.times).astype(int))
        assert np.array_equal(events["x"], spikes.ids) and len(events) == done.n_spikes[k] > 0
    with h5py.File(tmp_path / "words.h5") as file:
        assert file["spikes/times"][0].dtype == np.float64 and file["spikes/units"][0].dtype == np.uint16
        assert file["labels"][:].tolist() == digits.labels.tolist()
        assert [key.decode() for key in file["extra/keys"]] == ["0", "1", "2", "3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["words", "words.h5"]


def test_folders_inside_and_zip_files_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "commands.zip", "w") as archive:
        for k, name in enumerate(("yes/ab12_nohash_0.wav", "no/cd34_nohash_0.wav", "no/ab12_nohash_1.wav")):
            path = tmp_path / "commands" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            wavfile.write(path, 16_000, sound(k))
            archive.write(path, name)
    pattern = "{label}/{speaker}_nohash_*.wav"
    found = [encode_folder(SMALL, tmp_path / where, tmp_path / "words.h5", pattern=pattern)
             for where in ("commands", "commands.zip")]
    assert found[0].names == found[1].names == ("no/ab12_nohash_1.wav", "no/cd34_nohash_0.wav", "yes/ab12_nohash_0.wav")
    assert found[0].labels == ("no", "yes") and found[0].speakers == ("ab12", "cd34")
    assert found[0].n_spikes.tolist() == found[1].n_spikes.tolist()


def test_threads_change_nothing(folder, tmp_path):
    for threads in (1, 3):
        encode_folder(SMALL, folder, tmp_path / f"{threads}.h5", threads=threads)
    one, three = (SHD(tmp_path / f"{threads}.h5").load_all() for threads in (1, 3))
    assert np.array_equal(one.events, three.events) and np.array_equal(one.offsets, three.offsets)


def test_work_that_was_stopped_goes_on(folder, tmp_path, monkeypatch):
    encode_folder(SMALL, folder, tmp_path / "whole.h5", threads=1)
    monkeypatch.setattr("neurosim.encoders.audio.folder._AT_ONCE", 2)
    steps, heard = Cochlea.steps, []

    def stopping(self, sound, seed, key):
        heard.append(key)
        if len(heard) == 8:
            raise KeyboardInterrupt
        return steps(self, sound, seed, key)

    monkeypatch.setattr(Cochlea, "steps", stopping)
    with pytest.raises(KeyboardInterrupt):
        encode_folder(SMALL, folder, tmp_path / "words.h5", threads=1)
    assert not (tmp_path / "words.h5").exists() and (tmp_path / "words.h5.part").exists()
    begun, heard[:] = set(heard), list(range(100))  # from now on nothing is stopped
    encode_folder(SMALL, folder, tmp_path / "words.h5", threads=1)
    assert len(heard) - 100 <= 12 - 6 and set(heard[100:]) | begun == set(range(12))
    assert np.array_equal(SHD(tmp_path / "whole.h5").load_all().events, SHD(tmp_path / "words.h5").load_all().events)
    assert not (tmp_path / "words.h5.part").exists()


def test_a_process_that_is_killed_leaves_what_it_has_done(folder, tmp_path):
    code = ("import os, sys, neurosim as ns\n"
            "from neurosim.encoders.audio import folder\n"
            "folder._AT_ONCE, append, calls = 2, folder.growing.append_rows, []\n"
            "def dying(group, *rest, **more):\n"
            "    calls.append(group)\n"
            "    if len(calls) == 8:\n"
            "        os._exit(9)\n"
            "    append(group, *rest, **more)\n"
            "folder.growing.append_rows = dying\n"
            "ns.encoders.encode_folder(ns.encoders.Cochlea(40), sys.argv[1], sys.argv[2], threads=1)\n")
    done = subprocess.run([sys.executable, "-c", code, str(folder), str(tmp_path / "words.h5")], capture_output=True)
    assert done.returncode == 9, done.stderr
    with files.reading(tmp_path, "x"), h5py.File(tmp_path / "words.h5.part") as file:
        assert 0 < file["recordings"].attrs["rows"] < 12
    encode_folder(SMALL, folder, tmp_path / "words.h5")
    encode_folder(SMALL, folder, tmp_path / "whole.h5")
    assert np.array_equal(SHD(tmp_path / "whole.h5").load_all().events, SHD(tmp_path / "words.h5").load_all().events)


def begin(folder, to, encoder=SMALL, **more):
    """Leave a part behind: the last recording is damaged."""
    last = sorted(folder.glob("*.wav"))[-1]
    raw = last.read_bytes()
    last.write_bytes(raw[:300])
    with pytest.raises(FileError):
        encode_folder(encoder, folder, to, **more)
    last.write_bytes(raw)


def test_a_part_belongs_to_its_recordings_and_settings(folder, tmp_path):
    begin(folder, tmp_path / "words.h5")
    for other in ({"seed": 1}, {"channel": 0}, {"encoder": SMALL.replace(level=0.2)}):
        with pytest.raises(ParameterError, match=r"words\.h5\.part was begun with other settings, .* delete"):
            encode_folder(**{"encoder": SMALL, "folder": folder, "to": tmp_path / "words.h5", **other})
    first = min(folder.glob("*.wav"))
    wavfile.write(first, 8000, sound(77))
    with pytest.raises(ParameterError, match=r"words\.h5\.part was begun with other recordings: number 0 is another"):
        encode_folder(SMALL, folder, tmp_path / "words.h5")


def test_what_was_left_out_is_not_taken_for_whole_later(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("neurosim.encoders.audio.folder._AT_ONCE", 1)
    (folder / "0_a_0.wav").write_bytes(b"RIFF")
    write = folder_module._Work.write
    monkeypatch.setattr(folder_module._Work, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        encode_folder(SMALL, folder, tmp_path / "words.h5", damaged="skip")
    monkeypatch.setattr(folder_module._Work, "write", write)
    with pytest.raises(FileError, match=r"0_a_0\.wav is not a WAV file .* was left out before; damaged=\"skip\" goes"):
        encode_folder(SMALL, folder, tmp_path / "words.h5")
    with pytest.warns(NeurosimWarning, match="1 recordings were left out: 0_a_0"):
        assert len(encode_folder(SMALL, folder, tmp_path / "words.h5", damaged="skip").names) == 11


def test_on_a_full_disk_the_file_is_absent_and_work_goes_on_later(folder, tmp_path):
    encode_folder(SMALL, folder, tmp_path / "whole.h5")
    size = (tmp_path / "whole.h5").stat().st_size
    for limit in (0, 1000, 8000, size // 2, size - 1):
        with largest_file(limit), pytest.raises(FileError, match=r"words\.h5(\.part)? cannot be written"):
            encode_folder(SMALL, folder, tmp_path / "words.h5")
        assert not (tmp_path / "words.h5").exists()
    encode_folder(SMALL, folder, tmp_path / "words.h5")
    assert np.array_equal(SHD(tmp_path / "whole.h5").load_all().events, SHD(tmp_path / "words.h5").load_all().events)


def test_many_recordings_are_written_without_all_being_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_PAGES", 8)
    held = []

    class Many:
        def __len__(self):
            return 300

        def __iter__(self):
            for k in range(300):
                yield make_events(t=np.arange(k * 3) * 10, x=np.arange(k * 3) % 700)

    spill = files.Pages._spill
    monkeypatch.setattr(files.Pages, "_spill", lambda self: (held.append(len(self.pages)), spill(self)))
    write_shd(Many(), np.arange(300) % 7, tmp_path / "many.h5", time_type="float64")
    found = SHD(tmp_path / "many.h5").load_all()
    assert len(held) > 5 and max(held) < 40
    assert np.diff(found.offsets).tolist() == [3 * k for k in range(300)]
    with largest_file(100_000), pytest.raises(FileError, match="cannot be written"):
        write_shd(Many(), np.arange(300) % 7, tmp_path / "cut.h5", time_type="float64")
    assert not (tmp_path / "cut.h5").exists()


# ---- what is wrong with recordings ----------------------------------------------------------------------------------


def stereo(path):
    wavfile.write(path, 8000, np.stack([sound(1), sound(2)], axis=1))


DAMAGE = {
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:900]), r"1_b_5\.wav is .*(damaged|cut short)"),
    "no WAV file": (lambda path: path.write_bytes(b"ID3" + bytes(500)), r"1_b_5\.wav is not a WAV file or is damaged"),
    "of no bytes": (lambda path: path.write_bytes(b""), r"1_b_5\.wav is not a WAV file or is damaged"),
    "without samples": (lambda path: wavfile.write(path, 8000, np.zeros(0, np.int16)),
                        r"1_b_5\.wav (must hold at least one sample|is not a WAV file)"),
    "silent": (lambda path: wavfile.write(path, 8000, np.zeros(800, np.int16)), r"1_b_5\.wav must not be silent"),
    "not finite": (lambda path: wavfile.write(path, 8000, np.full(800, np.nan, np.float32)),
                   r"1_b_5\.wav must be finite numbers, sample 0 is nan"),
    "stereo": (stereo, r"1_b_5\.wav must have one channel, it has 2; say channel=\"mean\""),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_recording_is_named_and_skipped_only_if_asked(kind, folder, tmp_path):
    damage, message = DAMAGE[kind]
    damage(folder / "1_b_5.wav")
    with pytest.raises(FileError, match=message):
        encode_folder(SMALL, folder, tmp_path / "words.h5")
    assert not (tmp_path / "words.h5").exists()
    with pytest.warns(NeurosimWarning, match=r"1 recordings were left out: 1_b_5\.wav "):
        done = encode_folder(SMALL, folder, tmp_path / "other.h5", damaged="skip")
    assert len(done.names) == 11 and "1_b_5.wav" not in done.names and done.skipped[0].startswith("1_b_5.wav ")
    assert SHD(tmp_path / "other.h5").names.tolist() == list(done.names)
    if kind == "stereo":
        assert len(encode_folder(SMALL, folder, tmp_path / "third.h5", channel="mean").names) == 12


def test_clipped_recordings_are_named(folder, tmp_path):
    wavfile.write(folder / "1_b_5.wav", 8000, np.clip(4 * sound(5).astype(int), -32768, 32767).astype(np.int16))
    with pytest.warns(NeurosimWarning, match=r"1 of 12 recordings are clipped, such as 1_b_5\.wav"):
        assert encode_folder(SMALL, folder, tmp_path / "words.h5").clipped == ("1_b_5.wav",)


@pytest.mark.parametrize("arguments, message", [
    ({"pattern": "{label}-*.wav"}, r"words: 0_a_0\.wav must fit the pattern '\{label\}-\*\.wav'"),
    ({"pattern": "*.wav"}, r"encode_folder\.pattern must hold \{label\} once and \{speaker\} at most once"),
    ({"pattern": 3}, r"encode_folder\.pattern must hold"),
    ({"damaged": "ignore"}, r"encode_folder\.damaged must be"),
    ({"time_type": "float8"}, r"encode_folder\.time_type must be"),
    ({"seed": -1}, r"encode_folder\.seed must be a whole number"),
    ({"threads": 0}, r"encode_folder\.threads must be a whole number >= 1"),
    ({"channel": "left"}, r"encode_folder\.channel must be the number of a channel, \"mean\" or None, got 'left'"),
    ({"encoder": ns.encoders.PoissonEncoder()}, r"encode_folder\.encoder must be an encoder of sound such as Cochlea"),
    ({"folder": "nowhere"}, r"nowhere does not exist; give a folder of WAV files"),
])
def test_arguments_that_do_not_fit_are_refused(arguments, message, folder, tmp_path):
    with pytest.raises((ParameterError, FileError), match=message):
        encode_folder(**{"encoder": SMALL, "folder": folder, "to": tmp_path / "words.h5", **arguments})
    assert not (tmp_path / "words.h5").exists()


def test_a_folder_without_recordings_says_so(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(FileError, match=r"must hold WAV files \(\*\.wav\), it holds 1 other files"):
        encode_folder(SMALL, tmp_path, tmp_path / "words.h5")


# ---- the command ----------------------------------------------------------------------------------------------------


def test_the_command_encodes_a_folder(folder, tmp_path, capsys):
    assert main(["encode", "audio", str(folder), "--to", str(tmp_path / "words.h5"), "--channels", "40", "--seed", "3",
                 "--time-type", "float32"]) == 0
    out = capsys.readouterr().out
    assert "12 recordings, 4 classes, 3 speakers" in out and "words.h5" in out
    encode_folder(SMALL, folder, tmp_path / "same.h5", seed=3, time_type="float32")
    assert np.array_equal(SHD(tmp_path / "words.h5").load_all().events, SHD(tmp_path / "same.h5").load_all().events)


def test_the_command_says_what_is_wrong_in_one_sentence(folder, tmp_path, capsys):
    (folder / "1_b_5.wav").write_bytes(b"RIFF")
    to = str(tmp_path / "words.h5")
    assert main(["encode", "audio", str(folder), "--to", to, "--channels", "40"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("neurosim: 1_b_5.wav is not a WAV file") and captured.err.count("\n") == 1
    assert "--skip-damaged" in captured.err
    assert main(["encode", "audio", str(folder), "--to", to, "--channels", "40", "--skip-damaged"]) == 0
    captured = capsys.readouterr()
    assert "left out: 1_b_5.wav" in captured.err and "11 recordings" in captured.out
    for wrong in (["--channels", "0"], ["--channel", "left"], ["--threads", "0"], ["--seed", "-1"],
                  ["--pattern", "{label}-*"]):
        assert main(["encode", "audio", str(folder), "--to", str(tmp_path / "c.h5"), *wrong]) == 1
        assert "must" in (err := capsys.readouterr().err) and err.count("\n") == 1
        assert not (tmp_path / "c.h5").exists() and not (tmp_path / "c.h5.part").exists()
