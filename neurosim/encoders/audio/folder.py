"""A folder of recordings becomes one file in the layout of SHD, on all cores, and goes on where it was stopped."""

import hashlib
import json
import os
import re
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neurosim import growing
from neurosim.checks import check_seed, describe_value
from neurosim.datasets import make_events, write_shd
from neurosim.datasets.files import Zip, check_choice
from neurosim.encoders.audio.base import AudioEncoder, check_threads
from neurosim.encoders.audio.sound import as_sound, check_channel, parse_wav
from neurosim.errors import FileError, ParameterError, warn
from neurosim.files import check_writable, reading, whole_hdf5
from neurosim.progress import progress_bar

PATTERN = "{label}_{speaker}_*.wav"
COLUMNS = ("count", "clipped", "crc", "digest")  # of a recording
SPIKES = ("t", "x")
_AT_ONCE = 64  # recordings that are kept together
_WHAT = "the beginning of a file of spikes"


class Encoded(NamedTuple):
    """What `encode_folder` did.

    Attributes:
        path: the file.
        names: name of each recording that is in it.
        labels, speakers: names of classes and of speakers, in the order of their numbers.
        n_spikes: number of spikes of each recording, int64.
        clipped: names of recordings that are clipped.
        skipped: sentence about each recording that was left out.
    """

    path: Path
    names: tuple
    labels: tuple
    speakers: tuple
    n_spikes: np.ndarray
    clipped: tuple
    skipped: tuple


class _Recording(NamedTuple):
    name: str
    label: str
    speaker: str
    where: Any  # a path, or a zip file and its member

    def read(self) -> bytes:
        """Return the bytes of the file."""
        if isinstance(self.where, Path):
            with reading(self.where, "a WAV file"):
                return self.where.read_bytes()
        archive, member = self.where
        return archive.read([member])[0]


def encode_folder(encoder: AudioEncoder, folder, to, *, pattern: str = PATTERN, seed: int = 0, channel=None,
                  damaged: str = "refuse", time_type: str = "float16", threads: int | None = None,
                  progress: bool = False) -> Encoded:
    """Encode all WAV files of a folder, and write the spikes to one file in the layout of SHD.

    The file appears whole or not at all. Until then what is done is kept beside it, in a file with ".part" added to its
    name: a call that is made again after the process was stopped goes on there. Recording k in the order of names has
    key k, so the number of threads changes nothing. One recording for each thread is in memory at a time.

    Args:
        encoder: a `Cochlea` or another encoder of sound.
        folder: the folder, or a zip file; WAV files in folders inside it count too.
        to: name of the file.
        pattern: which part of a file's name is the class and which the speaker: "{label}_{speaker}_*.wav" fits
            "7_jackson_31.wav"; "{label}/{speaker}_nohash_*.wav" the folders of Speech Commands. A pattern without "/"
            is compared with the last part of a path. "{speaker}" may be left out.
        seed: of everything random.
        channel: of files with several channels, the number of one, or "mean".
        damaged: "refuse": a file that is damaged, empty, silent or not finite stops everything; "skip": it is left out,
            and the last warning names all that were.
        time_type: "float16" seconds as in SHD, which are 0.5 ms apart after half a second, "float32" or "float64".
        threads: how many recordings are encoded at once; by default one for each core.
        progress: whether to show a progress bar.

    Returns:
        What is in the file, by name.

    Raises:
        FileError: the folder has no WAV file, one does not fit the pattern or is damaged, or the file cannot be
            written.
        ParameterError: an argument does not fit, or the part that was begun belongs to other recordings or settings.

    Warns:
        NeurosimWarning: recordings were skipped, are clipped, or lose more than 1 ms by the `time_type`.

    >>> import tempfile, pathlib
    >>> from scipy.io import wavfile
    >>> import neurosim as ns
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for label, f in (("low", 200), ("high", 2000)):
    ...     sound = (10_000 * np.sin(np.arange(1600) * 2 * np.pi * f / 8000)).astype(np.int16)
    ...     wavfile.write(folder / f"{label}_anna_0.wav", 8000, sound)
    >>> done = encode_folder(ns.encoders.Cochlea(50), folder, folder / "words.h5")
    >>> digits = ns.datasets.SHD(folder / "words.h5")
    >>> digits.classes, digits.labels, digits.speakers, digits.sensor_size
    (('high', 'low'), array([0, 1]), array([0, 0]), (50, 1, 1))
    """
    owner = "encode_folder"
    if not isinstance(encoder, AudioEncoder):
        raise ParameterError(f"{owner}.encoder must be an encoder of sound such as Cochlea(), got "
                             f"{describe_value(encoder)}")
    check_choice(f"{owner}.damaged", damaged, ("refuse", "skip"))
    check_channel(owner, channel)
    check_choice(f"{owner}.time_type", time_type, ("float16", "float32", "float64"))
    seed, threads = check_seed(f"{owner}.seed", seed), check_threads(owner, threads)
    to = Path(to)
    check_writable(to)
    recordings = _recordings(Path(folder), pattern)
    part = to.with_name(to.name + ".part")
    settings = json.dumps([repr(encoder), seed, describe_value(channel)])
    if not part.exists():
        with whole_hdf5(part) as file:
            file.attrs["settings"] = settings
            for name, columns in (("spikes", SPIKES), ("recordings", COLUMNS)):
                growing.append_rows(file.create_group(name), dict.fromkeys(columns, np.zeros(0)))
    work = _Work(encoder, recordings, part, seed, channel, damaged)
    work.check(settings)
    try:
        with progress_bar(progress, len(recordings), "recordings") as done:
            work.go(threads, done)
    finally:
        if not len(work.rows["count"]):
            os.remove(part)  # nothing is lost with it
    found = work.write(to, time_type)
    os.remove(part)
    _warn(found)
    return found


def _warn(found):
    if found.clipped:
        warn(f"{len(found.clipped)} of {len(found.names)} recordings are clipped, such as {found.clipped[0]}")
    if found.skipped:
        warn(f"{len(found.skipped)} recordings were left out: {'; '.join(found.skipped)}")


# ---- which files ----------------------------------------------------------------------------------------------------


def _recordings(folder, pattern) -> list:
    """Return the recordings of a folder or zip file, sorted by name; raise FileError where one does not fit."""
    expression, whole_path = _compiled(pattern)
    if folder.is_dir():
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    elif folder.is_file():
        archive = Zip(folder)
        files = {member.name: (archive, member) for member in archive.members}
    else:
        raise FileError(f"{folder} does not exist; give a folder of WAV files, or a zip file of them")
    found = []
    for name in sorted(files):
        if not name.lower().endswith(".wav") or name.rpartition("/")[2].startswith("._"):  # which macOS leaves
            continue
        fits = expression.fullmatch(name if whole_path else name.rpartition("/")[2])
        if fits is None:
            raise FileError(f"{folder}: {name} must fit the pattern {pattern!r}; give another pattern, or take the "
                            "file away")
        found.append(_Recording(name, fits["label"], fits.groupdict().get("speaker", ""), files[name]))
    if not found:
        raise FileError(f"{folder} must hold WAV files (*.wav), it holds {len(files)} other files")
    return found


def _compiled(pattern):
    parts = re.split(r"(\{label\}|\{speaker\}|\*)", pattern) if isinstance(pattern, str) else []
    if parts.count("{label}") != 1 or parts.count("{speaker}") > 1:
        raise ParameterError("encode_folder.pattern must hold {label} once and {speaker} at most once, as in "
                             f"{PATTERN!r}, got {describe_value(pattern)}")
    named = {"{label}": r"(?P<label>[^/]+?)", "{speaker}": r"(?P<speaker>[^/]+?)", "*": r"[^/]*"}
    text = "".join(named.get(part, re.escape(part)) for part in parts)
    return re.compile(text, re.IGNORECASE), "/" in pattern


def _numbered(values) -> tuple[tuple, list]:
    """Return the different names in order, numbers as numbers are, and the place of each of the values."""
    names = sorted(set(values))
    if all(name.isdecimal() for name in names):
        names.sort(key=int)
    place = {name: index for index, name in enumerate(names)}
    return tuple(names), [place[value] for value in values]


# ---- work that may be stopped ---------------------------------------------------------------------------------------


class _Work:
    """Recordings in their order, the first of which are done and kept in a file that grows."""

    def __init__(self, encoder, recordings, part, seed, channel, damaged):
        self.encoder, self.recordings, self.part = encoder, recordings, part
        self.seed, self.channel, self.damaged = seed, channel, damaged
        self.rows = {name: np.zeros((0, 32) if name == "digest" else 0, np.int64) for name in COLUMNS}
        self.skipped = {}

    def check(self, settings):
        """Take what is kept; raise ParameterError where it belongs to other recordings or settings."""
        with growing.looking(self.part, _WHAT) as file:
            begun = str(file.attrs["settings"])
            columns = growing.read_rows(self.part, file["recordings"], COLUMNS)
            self.skipped = {int(row): text for row, text in json.loads(str(file.attrs.get("skipped", "{}"))).items()}
        if columns is not None:
            self.rows = dict(zip(COLUMNS, columns, strict=True))
        again = f"; give what it was begun with, or delete {self.part} to begin anew"
        if begun != settings:
            raise ParameterError(f"{self.part} was begun with other settings, {begun}, than {settings}{again}")
        for row in range(len(self.rows["count"])):
            if row >= len(self.recordings) or not np.array_equal(self.rows["digest"][row],
                                                                  self._digest(self.recordings[row])):
                raise ParameterError(f"{self.part} was begun with other recordings: number {row} is another file now"
                                     + again)
        if self.skipped and self.damaged == "refuse":
            raise FileError(f"{min(self.skipped.items())[1]}, and was left out before; damaged=\"skip\" goes on so, "
                            f"or delete {self.part} to begin anew")

    @staticmethod
    def _digest(recording, raw=None):
        raw = recording.read() if raw is None else raw
        digest = hashlib.sha256(f"{recording.name}\0".encode() + raw).digest()
        return np.frombuffer(digest, dtype=np.uint8)

    def go(self, threads, done):
        """Encode what is not done yet, and keep it some recordings at a time."""
        at = first = len(self.rows["count"])
        done(first)
        coming, ready = deque(), []
        pool = ThreadPoolExecutor(threads)
        try:
            while at < len(self.recordings) or coming:
                while at < len(self.recordings) and len(coming) < 2 * threads:
                    coming.append(pool.submit(self._one, at))
                    at += 1
                ready.append(coming.popleft().result())
                first += 1
                done(first)
                if len(ready) >= _AT_ONCE:
                    self._keep(ready)
                    ready = []
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._keep(ready)  # also where the next one is damaged, or somebody stops it

    def _one(self, row) -> dict:
        """Return the spikes of one recording and what is known of it."""
        recording = self.recordings[row]
        raw = recording.read()
        found = {"digest": self._digest(recording, raw), "clipped": 0, "t": np.zeros(0, np.int64),
                 "x": np.zeros(0, np.uint16), "skipped": None, "row": row}
        try:
            samples, rate = parse_wav(raw, recording.name)
            sound = as_sound(type(self.encoder).__name__, samples, rate, self.channel)._replace(what=recording.name)
            found["clipped"] = sound.clipped()
            steps, ids, _ = self.encoder.steps(sound, self.seed, row)
        except (FileError, ParameterError) as error:
            sentence = str(error).replace(f"{type(self.encoder).__name__}.audio", recording.name)
            if self.damaged == "refuse":
                raise FileError(f'{sentence}; damaged="skip" leaves such recordings out' if "channel=" not in sentence
                                else sentence) from None
            found["skipped"] = sentence
            return found
        found["t"] = np.rint(steps * (1e3 * self.encoder.resolution)).astype(np.int64)
        found["x"] = ids.astype(np.uint16)
        return found

    def _keep(self, ready):
        if not ready:
            return
        self.skipped |= {each["row"]: each["skipped"] for each in ready if each["skipped"]}
        new = {"count": np.array([len(each["t"]) for each in ready]),
               "clipped": np.array([each["clipped"] for each in ready]),
               "crc": np.array([_crc(each["t"], each["x"]) for each in ready]),
               "digest": np.stack([each["digest"] for each in ready])}
        with growing.changing(self.part) as file:
            growing.append_rows(file["spikes"], {name: np.concatenate([each[name] for each in ready])
                                                 for name in SPIKES})
            growing.append_rows(file["recordings"], new)
            file.attrs.modify("skipped", json.dumps(self.skipped))
        self.rows = {name: np.concatenate([self.rows[name], new[name]]) for name in COLUMNS}

    def write(self, to, time_type) -> Encoded:
        """Write the file in the layout of SHD."""
        taken = [row for row in range(len(self.recordings)) if row not in self.skipped]
        if not taken:
            raise FileError(f"{to} must hold at least one recording, all {len(self.recordings)} were left out, the "
                            f"first as {self.skipped[0]}")
        chosen = [self.recordings[row] for row in taken]
        keys, labels = _numbered([each.label for each in chosen])
        speakers, numbers = _numbered([each.speaker for each in chosen])
        names = tuple(each.name for each in chosen)
        with self._kept(taken) as kept:
            write_shd(kept, labels, to, speakers=numbers if any(speakers) else None, keys=keys, names=names,
                      time_type=time_type, channels=self.encoder.n_neurons)
        clipped = tuple(self.recordings[row].name for row in taken if self.rows["clipped"][row])
        return Encoded(to, names, keys, speakers, self.rows["count"][taken], clipped, tuple(self.skipped.values()))

    @contextmanager
    def _kept(self, taken):
        with growing.looking(self.part, _WHAT) as file:
            yield _Kept(file["spikes"], self.rows, taken, self.part)


class _Kept:
    """The events of recordings that are kept, one at a time."""

    def __init__(self, group, rows, taken, part):
        self.group, self.rows, self.taken, self.part = group, rows, taken, part
        self.offsets = np.concatenate([[0], np.cumsum(rows["count"])])

    def __len__(self):
        return len(self.taken)

    def __iter__(self):
        for row in self.taken:
            place = slice(self.offsets[row], self.offsets[row + 1])
            t, x = (self.group[name][place] if place.stop > place.start else np.zeros(0, np.int64) for name in SPIKES)
            if _crc(t, x) != self.rows["crc"][row]:
                raise FileError(f"{self.part} is damaged: the spikes of recording {row} are not what was kept")
            yield make_events(t=t, x=x)


def _crc(t, x) -> int:
    return zlib.crc32(x.astype("<u2").tobytes(), zlib.crc32(t.astype("<i8").tobytes()))


__all__ = ["PATTERN", "Encoded", "encode_folder"]
