"""DVS128 Gesture: gestures of 29 people before an event camera, from the official AEDAT 3.1 files and their tables.

Source: A. Amir et al., A low power, fully event-based gesture recognition system, CVPR (2017). A recording holds the
gestures of one person in one light, one after the other; the table beside it says when each begins and ends.
`trials_to_train.txt` and `trials_to_test.txt` name the recordings of each part.
"""

import os
import re
from pathlib import Path

import numpy as np

from neurosim.datasets.cameras import opened
from neurosim.datasets.dataset import Dataset
from neurosim.datasets.events import EVENT
from neurosim.datasets.files import check_choice, refuse_packed
from neurosim.errors import FileError
from neurosim.files import as_path, reading

HEAD = "class,startTime_usec,endTime_usec"
NAME = re.compile(r"user(\d+)_(\w+)\.aedat")


class DVSGesture(Dataset):
    """DVS128 Gesture: 11 gestures of 29 people in several lights, as events of 128 x 128 pixels.

    Items are (events, class); events have the fields x, y, t (microseconds) and p, sorted by time, and times count
    from the beginning of the gesture. A recording holds some ten gestures and is decoded when the first of them is
    asked for; it is kept until one of another recording is, so reading in order is fast. Official parts have no person
    in common.

    Args:
        path: the unpacked folder, with the `.aedat` files, their `_labels.csv`, and the two lists of trials; or one
            above it.
        train: True for the recordings of `trials_to_train.txt`, False for those of `trials_to_test.txt`.
        unsorted: what to do with a recording whose time runs backwards: "refuse" it or "sort" it.
        complete: whether to refuse a recording that ends within a packet; False reads what is whole.

    Raises:
        FileError: a file is missing or not of its format; on reading, a recording that is damaged, cut short, or ends
            before one of its gestures begins. The sentence names file, line or packet, and byte.
        ParameterError: an argument does not fit.

    >>> import struct, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "trials_to_train.txt").write_text("user01_led.aedat\\n")
    >>> _ = (folder / "user01_led_labels.csv").write_text(HEAD + "\\n1,100,200\\n8,300,400\\n")
    >>> packet = struct.pack("<hhiiiiii4I", 1, 1, 8, 4, 0, 2, 2, 2, 5 << 17 | 3 << 2 | 3, 150, 1, 310)
    >>> head = b"#!AER-DAT3.1\\r\\n#Format: RAW\\r\\n#Source 1: DVS128\\r\\n#!END-HEADER\\r\\n"
    >>> _ = (folder / "user01_led.aedat").write_bytes(head + packet)
    >>> gestures = DVSGesture(folder)
    >>> events, label = gestures[0]
    >>> events[["x", "y", "t"]].tolist(), gestures.classes[label], gestures.users
    ([(5, 3, 50)], 'hand_clapping', array([1, 1]))
    """

    sensor_size = (128, 128, 2)
    classes = ("hand_clapping", "right_hand_wave", "left_hand_wave", "right_arm_clockwise",
               "right_arm_counter_clockwise", "left_arm_clockwise", "left_arm_counter_clockwise", "arm_roll",
               "air_drums", "air_guitar", "other_gestures")

    def __init__(self, path: str | Path, train: bool = True, *, unsorted: str = "refuse", complete: bool = True):
        check_choice("DVSGesture.train", train, (True, False))
        check_choice("DVSGesture.unsorted", unsorted, ("refuse", "sort"))
        check_choice("DVSGesture.complete", complete, (True, False))
        self.path, self.unsorted, self.complete = as_path("path", path), unsorted, complete
        trials = _trials(self.path, "trials_to_train.txt" if train else "trials_to_test.txt")
        found = [(file, *gesture) for file, name in enumerate(trials)
                 for gesture in _gestures(name.with_name(f"{name.stem}_labels.csv"), len(self.classes))]
        self._files = trials
        self._rows_of = np.array([row[:1] + row[2:] for row in found], dtype=np.int64).reshape(-1, 3)
        self._last = None
        self._set([row[1] for row in found])

    @property
    def users(self) -> np.ndarray:
        """Number of the person of each item, int64, shape (len,)."""
        return self._of_rows(np.array([int(_said(self._files[file])[0]) for file in self._rows_of[:, 0]],
                                      dtype=np.int64))

    @property
    def lights(self) -> np.ndarray:
        """Name of the light of each item, such as "fluorescent_led", shape (len,)."""
        return self._of_rows(np.array([_said(self._files[file])[1] for file in self._rows_of[:, 0]], dtype=str))

    def _read(self, rows) -> tuple:
        pieces = [self._gesture(*self._rows_of[row].tolist()) for row in rows]
        ends = np.cumsum([len(piece) for piece in pieces])
        return np.concatenate(pieces), np.concatenate([[0], ends]).astype(np.int64)

    def _gesture(self, file, start, end) -> np.ndarray:
        if self._last is None or self._last[0] != file:
            self._last = file, self._recording(self._files[file])
        events = self._last[1]
        if not len(events) or events["t"][-1] < start:
            ends = f"ends at {events['t'][-1]} us" if len(events) else "has no events"
            raise FileError(f"{self._files[file]} must hold the gesture from {start} to {end} us of its table, it "
                            f"{ends}")
        first, last = np.searchsorted(events["t"], (start, end))
        part = events[first:last].copy()
        part["t"] -= start
        return part

    def _recording(self, path) -> np.ndarray:
        with (reading(path, "an AEDAT 3.1 file"),
              opened(path, ".aedat", self.sensor_size, self.unsorted, self.complete, None) as (_, events)):
            return next(events)

    def _empty(self):
        return np.empty(0, dtype=EVENT)

    def __getstate__(self):
        return {**self.__dict__, "_last": None}


def _trials(path, name) -> list:
    """The recordings that a list of trials names."""
    if path.is_file():
        with reading(path, "a folder"), open(path, "rb") as file:
            refuse_packed(path, file.read(4), "a folder of recordings")
        raise FileError(f"{path} must be the folder with {name}, it is a file")
    with reading(path, "a folder of recordings"):
        if not path.is_dir():
            raise FileNotFoundError
        lists = [Path(folder) / name for folder, _, names in os.walk(path) if name in names]
    if len(lists) != 1:
        raise FileError(f"{path} must hold one list {name}, it holds {len(lists)}")
    with reading(lists[0], "a list of trials"):
        lines = [line.strip() for line in lists[0].read_text(encoding="utf-8-sig").splitlines()]
    for number, line in enumerate(lines, 1):
        if line and not NAME.fullmatch(line):
            raise FileError(f"{lists[0]}, line {number} must name a recording as user01_led.aedat, it is {line[:80]!r}")
    trials = [lists[0].with_name(line) for line in lines if line]
    if len(set(trials)) != len(trials) or not trials:
        raise FileError(f"{lists[0]} must name each recording once, and at least one, it names {len(trials)}")
    missing = [trial for trial in trials if not trial.is_file()]
    if missing:
        raise FileError(f"{missing[0]} does not exist, and {lists[0].name} names it")
    return trials


def _said(path) -> tuple[str, str]:
    """The number of the person and the light that the name of a recording says; `_trials` refuses other names."""
    ((person, light),) = NAME.findall(path.name)
    return person, light


def _gestures(path, classes) -> list:
    """[(class from 0, start, end)] of a table of gestures, in microseconds."""
    with reading(path, "a table of gestures"):
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    if not lines or lines[0].replace(" ", "") != HEAD:
        raise FileError(f"{path} must begin with the line {HEAD}, it begins with {(lines or [''])[0][:80]!r}")
    found = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != 3 or not all(re.fullmatch(r"\d{1,18}", cell) for cell in cells):
            raise FileError(f"{path}, line {number} must be three whole numbers, {HEAD}, it is {line[:80]!r}")
        kind, start, end = map(int, cells)
        if not 1 <= kind <= classes or start >= end:
            raise FileError(f"{path}, line {number} must have a class in 1 .. {classes} and begin before it ends, it "
                            f"is {line!r}")
        found.append((kind - 1, start, end))
    return found
