"""N-MNIST: the official folders of .bin files or a zip file of them.

Source: G. Orchard, A. Jayawant, G. K. Cohen and N. Thakor, Converting static image datasets to spiking neuromorphic
datasets using saccades, Front. Neurosci. 9, 437 (2015). An event is 5 bytes: x, y, then polarity (1 bit) and time in
microseconds (23 bits, big endian). A record with y = 240 is no event: it adds 2^13 microseconds to all later times.
"""

import os
from pathlib import Path

import numpy as np

from neurosim.checks import describe_value
from neurosim.datasets.dataset import Dataset
from neurosim.datasets.events import EVENT, check_range, checked_events, checked_size, pack
from neurosim.datasets.files import Zip, check_choice, first_of, recording_name
from neurosim.datasets.order import ORDERS, Order
from neurosim.errors import FileError, ParameterError
from neurosim.files import as_path, reading, whole_file

SENSOR = (34, 34, 2)
MOST_SENSOR = (256, 240, 2)  #: what addresses of a byte can name, without y of overflow records
SACCADES = (0, 105_000, 210_000)  #: microseconds at which the three saccades of a recording begin
RECORD = 5
MARKER, MARKER_US = 240, 2**13
MOST_US = 2**23 - 1


class BinDataset(Dataset):
    """Recordings in .bin files, in a folder or a zip file; what is asked of each is for the data set to say."""

    def _set_places(self, found, archive):
        """Take [(label, name, place)] of the recordings and the zip file that holds them, if one does."""
        self._places, self._zip = [place for _, _, place in found], archive
        self._set([label for label, _, _ in found])

    def _decode(self, pieces, names) -> tuple:
        """Return (events, offsets) of the bytes of some recordings."""
        raise NotImplementedError

    @property
    def names(self) -> list:
        """Name of the file of each item: a path, or the name of a member of the zip file."""
        return [self._name(row) for row in self._rows]

    def _name(self, row) -> str:
        place = self._places[row]
        return str(place) if self._zip is None else place.name

    def _read(self, rows) -> tuple:
        if self._zip is None:
            pieces = [_bytes(self._places[row]) for row in rows]
            return self._decode(pieces, [self._name(row) for row in rows])
        pieces = self._zip.read([self._places[row] for row in rows])
        return self._decode(pieces, [f"{self._zip.path}: {self._name(row)}" for row in rows])

    def _empty(self):
        return np.empty(0, dtype=EVENT)


class NMNIST(BinDataset):
    """N-MNIST: handwritten digits in front of a moving event camera of 34 x 34 pixels, three saccades each.

    Items are (events, digit); events have the fields x, y, t (microseconds) and p (True is ON), sorted by time. Items
    are sorted by digit, then by name of the file.

    Args:
        path: the folder that holds `Train/<digit>/<number>.bin` and `Test/...`, or a zip file of it; folders in front
            of these names do not matter. A folder or a zip file that holds `Train.zip` and `Test.zip` will do as well.
        train: True for the recordings of `Train`, False for those of `Test`.
        saccade: 0, 1 or 2 to take one of the three saccades, [0, 105), [105, 210) or from 210 ms on, with times counted
            from its beginning; None for all.
        unsorted: what to do with a recording whose time runs backwards: "refuse" it, "sort" it, or "unwrap" a counter.
        complete: whether to refuse a recording without an event in the third saccade as cut short, which the format
            itself does not show; False reads such files of your own.

    Raises:
        FileError: there are no recordings, or the zip file is damaged; on reading, a recording that has an odd length,
            an address off the sensor, or times that run backwards. The sentence names file, record and byte.
        ParameterError: an argument does not fit.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> (root / "Train" / "7").mkdir(parents=True)
    >>> write_nmnist(make_events(t=[10, 250_000], x=[3, 4], y=[0, 33], p=[1, 0]), root / "Train" / "7" / "00001.bin")
    >>> train = NMNIST(root)
    >>> events, label = train[0]
    >>> events["t"], label
    (array([    10, 250000]), 7)
    """

    sensor_size = SENSOR
    classes = tuple(str(digit) for digit in range(10))

    def __init__(self, path, train: bool = True, *, saccade: int | None = None, unsorted: str = "refuse",
                 complete: bool = True):
        if saccade not in (None, 0, 1, 2) or isinstance(saccade, bool):
            raise ParameterError(f"NMNIST.saccade must be 0, 1, 2 or None, got {describe_value(saccade)}")
        check_choice("NMNIST.unsorted", unsorted, ORDERS)
        check_choice("NMNIST.train", train, (True, False))
        check_choice("NMNIST.complete", complete, (True, False))
        self.path, self.train = as_path("path", path), train
        self.saccade, self.unsorted, self.complete = saccade, unsorted, complete
        split = "Train" if train else "Test"
        found, archive = _recordings(self.path, split)
        if not found:
            raise FileError(f"{path} has no recordings {split}/<digit>/<number>.bin")
        self._set_places(found, archive)

    @staticmethod
    def below(data: str | Path | None) -> Path | None:
        """Return the folder or zip file of N-MNIST in the folder `nmnist` or `N-MNIST` of some data, or None.

        >>> NMNIST.below("nowhere") is None
        True
        """
        for folder in (as_path("data", data) / name for name in ("nmnist", "N-MNIST") if data):
            if (folder / "Train").is_dir() or (folder / "Train.zip").is_file():
                return folder
            if packed := sorted(folder.glob("*.zip")):
                return packed[0]
        return None

    def _decode(self, pieces, names) -> tuple:
        events, offsets = decode(pieces, names, SENSOR, self.unsorted)
        if self.complete:
            _check_complete(events["t"], offsets, names)
        if self.saccade is None:
            return events, offsets
        low, high = (*SACCADES, np.iinfo(np.int64).max)[self.saccade:self.saccade + 2]
        keep = (events["t"] >= low) & (events["t"] < high)
        events = events[keep]
        events["t"] -= low
        return events, np.concatenate([[0], np.cumsum(keep)])[offsets]


def read_nmnist(path, sensor_size=SENSOR, *, unsorted: str = "refuse") -> np.ndarray:
    """Return the events of one .bin file of N-MNIST's format; N-Caltech101 has it too, with a larger sensor.

    Args:
        path: name of the file.
        sensor_size: (width, height, 2), up to 256 x 240.
        unsorted: what to do where time runs backwards: "refuse", "sort", or "unwrap" a counter that began again.

    Returns:
        structured array with the fields x, y, t (microseconds) and p.

    Raises:
        FileError: the file is missing, has an odd length, an address off the sensor, or times that run backwards.
        ParameterError: an argument does not fit.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "00001.bin"
    >>> write_nmnist(make_events(t=[10, 20], x=[3, 4], y=[0, 33], p=[1, 0]), path)
    >>> read_nmnist(path)["y"]
    array([ 0, 33], dtype=int16)
    """
    check_choice("read_nmnist.unsorted", unsorted, ORDERS)
    return decode([_bytes(path)], [str(path)], checked_sensor("read_nmnist", sensor_size), unsorted)[0]


def write_nmnist(events, path, sensor_size=SENSOR) -> None:
    """Write one .bin file of N-MNIST's format; it appears whole or not at all.

    Args:
        events: structured array with the fields x, y, t (microseconds, sorted) and p; times from 2^23 microseconds on
            are written with overflow records, as the format has them.
        path: name of the file; one that exists is replaced.
        sensor_size: (width, height, 2), up to 256 x 240.

    Raises:
        ParameterError: the events do not fit the format.
        FileError: the file cannot be written.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "00001.bin"
    >>> write_nmnist(make_events(t=[258], x=[3], y=[4], p=[1]), path)
    >>> path.read_bytes()
    b'\\x03\\x04\\x80\\x01\\x02'
    """
    size = checked_sensor("write_nmnist", sensor_size)
    check_range("write_nmnist", checked_events("write_nmnist", events), size)
    t = events["t"].astype(np.int64)
    if (np.diff(t) < 0).any():
        raise ParameterError("write_nmnist.events must be sorted by time")
    markers = np.maximum(0, -((MOST_US - t) // MARKER_US))  # how many overflow records come before each event
    if len(t) and markers[-1] > 2**24:
        raise ParameterError(f"write_nmnist.events['t'] must be at most {2**24 * MARKER_US} us, got {t[-1]}")
    t = t - markers * MARKER_US
    records = np.zeros((len(t) + (int(markers[-1]) if len(t) else 0), RECORD), dtype=np.uint8)
    records[:, 1] = MARKER
    records[np.arange(len(t)) + markers] = np.stack(
        [events["x"], events["y"], events["p"].astype(np.int64) << 7 | t >> 16, t >> 8 & 255, t & 255], axis=1)
    with whole_file(path) as file:
        file.write(records.tobytes())


def decode(pieces, names, sensor_size, unsorted="refuse") -> tuple:
    """Return (events, offsets) of the bytes of some recordings; raise FileError that names the first fault."""
    for piece, name in zip(pieces, names, strict=True):
        if len(piece) % RECORD:
            whole = len(piece) // RECORD
            raise FileError(f"{name} must have {RECORD} bytes for every event, it has {len(piece)} bytes: record "
                            f"{whole} (byte {whole * RECORD}) is cut short")
    raw = np.frombuffer(b"".join(pieces), dtype=np.uint8).reshape(-1, RECORD)
    offsets = np.concatenate([[0], np.cumsum([len(piece) // RECORD for piece in pieces])]).astype(np.int64)
    x, y, high = raw[:, 0], raw[:, 1], raw[:, 2]
    t = (high & 127).astype(np.int64) << 16
    t |= raw[:, 3].astype(np.int64) << 8
    t |= raw[:, 4]
    p = high > 127
    begins = offsets
    record = None  # the record that each event came from, where that is not simply its place
    marker = y == MARKER
    if marker.any():
        passed = np.concatenate([[0], np.cumsum(marker)])
        t += (passed[1:] - np.repeat(passed[offsets[:-1]], np.diff(offsets))) * MARKER_US
        record = np.flatnonzero(~marker)
        x, y, t, p = x[record], y[record], t[record], p[record]
        offsets = offsets - passed[offsets]

    def where(event):
        place = event if record is None else int(record[event])
        piece = int(np.searchsorted(begins, place, side="right")) - 1
        return f"{names[piece]}, record {place - begins[piece]} (byte {(place - begins[piece]) * RECORD})"

    for field, column, size in (("x", x, sensor_size[0]), ("y", y, sensor_size[1])):
        if len(column) and column.max() >= size:
            bad = first_of(column >= size)
            raise FileError(f"{where(bad)} must have {field} in 0 .. {size - 1}, it has {column[bad]}")
    back = np.diff(t) < 0
    borders = offsets[1:-1]
    back[borders[(borders > 0) & (borders < len(t))] - 1] = False
    if back.any() and unsorted != "sort":
        for first, last in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            order = Order(unsorted, lambda event, first=first: where(first + event))
            t[first:last] = order.follow(t[first:last].copy())
    events = pack(EVENT, x=x, y=y, t=t, p=p)
    if unsorted == "sort" and back.any():
        events = events[np.lexsort((t, np.repeat(np.arange(len(names)), np.diff(offsets))))]
    return events, offsets


def checked_sensor(owner, sensor_size) -> tuple:
    """Return a sensor size that the format can hold; raise ParameterError."""
    size = checked_size(owner, sensor_size)
    if size[0] > 256 or size[1] > MARKER or size[2] != 2:
        raise ParameterError(f"{owner}.sensor_size must be at most (256, {MARKER}, 2) with 2 polarities, got {size}")
    return size


def _check_complete(t, offsets, names):
    counts = np.diff(offsets)
    last = np.where(counts > 0, t[np.maximum(offsets[1:], 1) - 1] if len(t) else 0, -1)
    if (last < SACCADES[2]).any():
        bad = first_of(last < SACCADES[2])
        ends = f"ends at {last[bad] / 1000:g} ms" if counts[bad] else "has no events"
        raise FileError(f"{names[bad]} is cut short after {counts[bad]} events: it {ends} and the third saccade begins "
                        f"at {SACCADES[2] / 1000:g} ms; complete=False reads it all the same")


def _bytes(path) -> bytes:
    with reading(path, "a .bin file of events"):
        return Path(path).read_bytes()


def _recordings(path, split) -> tuple:
    """[(digit, name, place)] in order, and the zip file that holds them if one does."""
    names, archive = listed(path, split)
    found = {}
    for name, place in names:
        parts = recording_name(name, ("Train", "Test"))
        if parts is None:
            continue
        shown = place if archive is None else f"{path}: {name}"
        digit, _, file = parts[1].partition("/")
        if len(digit) != 1 or digit not in "0123456789" or not file or "/" in file:
            raise FileError(f"{shown} must lie in {parts[0]}/<digit>/")
        if parts[0] == split:
            if (int(digit), file) in found:
                raise FileError(f"{shown} is there twice: {path} must hold one {split}/{parts[1]}")
            found[int(digit), file] = place
    return [(*key, found[key]) for key in sorted(found)], archive


def listed(path, split) -> tuple:
    """Return [(name, place)] of a folder or zip file, and the zip file; `<split>.zip` in it is taken in its place."""
    packed = f"{split}.zip"
    if not path.is_dir():
        archive = Zip(path)
        inside = [member for member in archive.members if member.name.replace("\\", "/").rpartition("/")[2] == packed]
        if len(inside) == 1:
            archive = archive.inside(inside[0])
        return [(member.name.replace("\\", "/"), member) for member in archive.members], archive
    with reading(path, "a folder of recordings"):
        places = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    inside = path.resolve().name
    names = [(f"{inside}/{place.relative_to(path).as_posix()}", place) for place in places]
    zips = [place for place in places if place.name == packed]
    if len(zips) == 1 and not any(f"/{split}/" in name for name, _ in names):
        return listed(zips[0], split)
    return names, None
