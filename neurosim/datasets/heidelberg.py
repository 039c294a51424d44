"""SHD and SSC: spoken digits and words as spikes of 700 cochlear channels, from the official HDF5 files.

Source: B. Cramer, Y. Stradmann, J. Schemmel and F. Zenke, The Heidelberg spiking data sets for the systematic
evaluation of spiking neural networks, IEEE Trans. Neural Netw. Learn. Syst. 33, 2744 (2022). A file holds
`spikes/times` (seconds, float16, one list for each recording), `spikes/units` (channels), `labels`, `extra/speaker`
and `extra/keys` (the names of the classes).

A file that `write_shd` made also holds `extra/crc32`, a checksum for each recording, so that damage to what was written
does not go unnoticed; the official files have none.
"""

import zlib

import numpy as np

from neurosim.checks import check_whole, describe_value, is_whole
from neurosim.datasets.columns import NANOSECONDS
from neurosim.datasets.dataset import Dataset
from neurosim.datasets.events import SPIKE, check_range, checked_events, pack
from neurosim.datasets.files import check_choice, check_dataset, first_of, refuse_packed
from neurosim.datasets.lists import Lists
from neurosim.errors import FileError, ParameterError, warn
from neurosim.files import as_path, h5py, reading, whole_hdf5

CHANNELS = 700
MOST_CHANNELS = 2**15
US_PER_S = 1e6
MOST_S = 2**40 / US_PER_S
WHAT = "an HDF5 file of spikes"


class _Heidelberg(Dataset):
    """What SHD and SSC have in common."""

    sensor_size = (CHANNELS, 1, 1)
    number_of_classes = 0

    def __init__(self, path, *, unsorted: str = "refuse", time_unit: str | None = None):
        self.path = as_path("path", path)
        check_choice(f"{type(self).__name__}.unsorted", unsorted, ("refuse", "sort"))
        check_choice(f"{type(self).__name__}.time_unit", time_unit, (None, *NANOSECONDS))
        self.unsorted, self.time_unit = unsorted, time_unit
        with reading(path, WHAT), open(path, "rb") as raw, _hdf5(path, raw) as file:
            times, units = self._lists(raw, file, "times", "fiu"), self._lists(raw, file, "units", "iu")
            if times.base.kind in "iu" and time_unit is None:
                raise FileError(f"{path}: 'spikes/times' must be seconds as floating-point numbers, they are whole "
                                f'numbers ({times.base}); say what they count: time_unit="us", "ms", "ns" or "s"')
            self._per_s = 10**9 // NANOSECONDS[time_unit or "s"]
            labels = self._numbers(file, "labels")
            self._sums = self._numbers(file, "extra/crc32") if "extra/crc32" in file else None
            self._speakers = self._numbers(file, "extra/speaker") if "extra/speaker" in file else None
            self._times, self._units = times, units
            if not times.many == units.many == len(labels):
                raise FileError(f"{path} must have as many entries in 'spikes/times', 'spikes/units' and 'labels', "
                                f"it has {times.many}, {units.many} and {len(labels)}")
            for name, values in (("crc32", self._sums), ("speaker", self._speakers)):
                if values is not None and len(values) != len(labels):
                    raise FileError(f"{path}: 'extra/{name}' must have {len(labels)} entries, it has {len(values)}")
            self._keys, self._titles = (self._names(raw, file, name) if name in file else None
                                        for name in ("extra/keys", "extra/names"))
            if self._titles is not None and len(self._titles) != len(labels):
                raise FileError(f"{path}: 'extra/names' must have {len(labels)} entries, it has {len(self._titles)}")
            channels = file.attrs.get("channels", CHANNELS)
        if not is_whole(channels) or not 1 <= channels <= MOST_CHANNELS:
            raise FileError(f"{path} must have a whole number of channels in 1 .. {MOST_CHANNELS}, it says {channels}")
        self.sensor_size = (int(channels), 1, 1)
        most = self.number_of_classes if self._keys is None else len(self._keys)
        bad = (labels < 0) | (labels >= most)
        if bad.any():
            raise FileError(f"{path}: 'labels', record {first_of(bad)} must lie in 0 .. {most - 1}, "
                            f"it is {labels[first_of(bad)]}")
        self._set(labels)

    # ---- the file -------------------------------------------------------------------------------------

    def _dataset(self, file, name, lists=False):
        if name not in file:
            raise FileError(f"{self.path} must have a dataset '{name}', it has none")
        return check_dataset(self.path, name, file[name], lists)

    def _lists(self, raw, file, name, kinds):
        found = self._dataset(file, f"spikes/{name}", lists=True)
        base = h5py().check_vlen_dtype(found.dtype)
        if base is None or base.kind not in kinds:
            numbers = "numbers" if "f" in kinds else "integers"
            raise FileError(f"{self.path}: 'spikes/{name}' must be lists of {numbers} of different length, "
                            f"it is of type {found.dtype if base is None else f'lists of {base}'}")
        return Lists(self.path, raw, found, base)

    def _numbers(self, file, name):
        found = self._dataset(file, name)
        if found.dtype.kind not in "iu":
            raise FileError(f"{self.path}: '{name}' must be whole numbers, it is of type {found.dtype}")
        values = found[:]
        if len(values) and (values.min() < -(2**62) or values.max() > 2**62):
            raise FileError(f"{self.path}: '{name}' must be whole numbers below 2**62, it holds others")
        return values.astype(np.int64)

    def _names(self, raw, file, name):
        found = self._dataset(file, name, lists=True)
        text = h5py().check_string_dtype(found.dtype)
        if text is None:
            raise FileError(f"{self.path}: '{name}' must be text, it is of type {found.dtype}")
        if text.length is not None:
            return tuple(each.decode() for each in found[:])
        each = Lists(self.path, raw, found, np.dtype(np.uint8)).read(raw, range(len(found)))
        return tuple(bytes(one).rstrip(b"\0").decode() for one in each)

    # ---- labels ---------------------------------------------------------------------------------------

    @property
    def classes(self) -> tuple:
        """Name of each class, from `extra/keys`; raises FileError where the file has none."""
        if self._keys is None:
            raise FileError(f"{self.path} must have a dataset 'extra/keys', it has none")
        return self._keys

    @property
    def speakers(self) -> np.ndarray:
        """Number of the speaker of each item, int64, shape (len,); raises FileError where the file has none."""
        if self._speakers is None:
            raise FileError(f"{self.path} must have a dataset 'extra/speaker', it has none")
        return self._of_rows(self._speakers)

    @property
    def names(self) -> np.ndarray:
        """Name of each item, from `extra/names`, shape (len,); raises FileError where the file has none."""
        if self._titles is None:
            raise FileError(f"{self.path} must have a dataset 'extra/names', it has none")
        return self._of_rows(np.array(self._titles))

    def split_by_speaker(self, held_out, seed: int = 0) -> tuple:
        """Return two data sets without a common speaker: the rest, and what some speakers said.

        Args:
            held_out: the speakers of the second part, or, as a float in (0, 1), the fraction of the speakers that are
                drawn for it, at least one.
            seed: seed of that draw.

        Returns:
            rest and held-out part, each in the order of this data set.

        Raises:
            ParameterError: a speaker is not there, or one part would have none.
            FileError: the file does not say who spoke.
        """
        speakers = self.speakers
        present = np.unique(speakers)
        if isinstance(held_out, (float, np.floating)):
            if not 0 < held_out < 1:
                raise ParameterError(f"split_by_speaker.held_out must be a fraction in (0, 1) or a list of speakers, "
                                     f"got {held_out}")
            many = max(1, round(held_out * len(present)))
            chosen = np.random.default_rng(seed).choice(present, min(many, len(present)), replace=False)
        else:
            chosen = np.atleast_1d(np.asarray(held_out))
            missing = [speaker for speaker in chosen.tolist() if speaker not in present.tolist()]
            if missing or not len(chosen):
                raise ParameterError(f"split_by_speaker.held_out must name speakers of {present.tolist()}, "
                                     f"got {describe_value(missing[0] if missing else held_out)}")
        out = np.isin(speakers, chosen)
        if out.all():
            raise ParameterError(f"split_by_speaker.held_out must leave a speaker for the rest, got all {len(present)}")
        return self.select(~out), self.select(out)

    # ---- recordings -----------------------------------------------------------------------------------

    def _read(self, rows) -> tuple:
        rows = np.asarray(rows)
        with reading(self.path, WHAT), open(self.path, "rb") as file:
            times, units = (lists.read(file, rows.tolist()) for lists in (self._times, self._units))
        return self._decode(rows, list(zip(times, units, strict=True)))

    def _decode(self, rows, pairs) -> tuple:
        for row, (times, units) in zip(rows, pairs, strict=True):
            if len(times) != len(units):
                raise FileError(f"{self.path}: record {row} must have as many entries in 'spikes/units' as in "
                                f"'spikes/times', {len(times)}, it has {len(units)}")
            self._check_sum(row, times, units)
        offsets = np.concatenate([[0], np.cumsum([len(times) for times, _ in pairs])]).astype(np.int64)
        seconds = np.concatenate([times for times, _ in pairs]).astype(np.float64) / self._per_s
        units = np.concatenate([units for _, units in pairs])

        def where(name, event):
            row = int(np.searchsorted(offsets, event, side="right")) - 1
            return f"{self.path}: 'spikes/{name}' of record {rows[row]}, entry {event - offsets[row]}"

        channels = self.sensor_size[0]
        bad = (units < 0) | (units >= channels)
        if bad.any():
            bad = first_of(bad)
            raise FileError(f"{where('units', bad)} must lie in 0 .. {channels - 1}, it is {units[bad]}")
        bad = ~((seconds >= 0) & (seconds < MOST_S))
        if bad.any():
            bad = first_of(bad)
            raise FileError(f"{where('times', bad)} must be a finite number >= 0 s, it is {seconds[bad]:g}")
        back = np.diff(seconds) < 0
        borders = offsets[1:-1]
        back[borders[(borders > 0) & (borders < len(seconds))] - 1] = False
        if back.any() and self.unsorted == "refuse":
            bad = first_of(back) + 1
            raise FileError(f"{where('times', bad)} must not be earlier than the one before: time runs backwards from "
                            f'{seconds[bad - 1]:g} to {seconds[bad]:g} s; unsorted="sort" reads it all the same')
        events = pack(SPIKE, t=np.rint(seconds * US_PER_S).astype(np.int64), x=units, p=True)
        if back.any():
            events = events[np.lexsort((seconds, np.repeat(np.arange(len(rows)), np.diff(offsets))))]
        return events, offsets

    def _check_sum(self, row, times, units):
        if self._sums is None:
            return
        speaker = -1 if self._speakers is None else self._speakers[row]
        found = _checksum(times, units, self._labels[row], speaker, self._keys)
        if found != self._sums[row]:
            raise FileError(f"{self.path} is damaged: the checksum of record {row} must be {self._sums[row]:08x}, "
                            f"it is {found:08x}")

    def _empty(self):
        return np.empty(0, dtype=SPIKE)


class SHD(_Heidelberg):
    """Spiking Heidelberg Digits: spoken digits in German and English, 20 classes, as spikes of 700 channels.

    Items are (events, label); events have the fields t (microseconds), x (channel) and p (always True), sorted by time.
    The file's seconds become float64 before they are scaled and rounded to whole microseconds; float16 is much coarser,
    0.5 ms between 0.5 and 1 s. There is no official validation set: make one with `split_by_speaker`.

    Args:
        path: name of the unpacked file, for example `shd_train.h5`.
        unsorted: what to do with a recording whose time runs backwards: "refuse" it or "sort" it.
        time_unit: "s", "ms", "us" or "ns" for files whose times are not seconds; whole numbers need it, as the format
            has floating-point seconds.

    Raises:
        FileError: the file is missing, no HDF5 file, or lacks a group; on reading, a recording with a channel above
            699, a time that is negative, not finite or runs backwards, or lists of different length. The sentence names
            file, group, record and entry.
        ParameterError: an argument does not fit.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "digits.h5"
    >>> recordings = [make_events(t=[500_000], x=[699]), make_events(t=[250_000, 750_000], x=[0, 12])]
    >>> write_shd(recordings, [1, 0], path, speakers=[3, 4], keys=["zero", "one"])
    >>> digits = SHD(path)
    >>> events, label = digits[1]
    >>> events["t"], digits.classes[label], digits.speakers
    (array([250000, 750000]), 'zero', array([3, 4]))
    >>> [len(part) for part in digits.split_by_speaker([4])]
    [1, 1]
    """

    number_of_classes = 20


class SSC(_Heidelberg):
    """Spiking Speech Commands: spoken words, 35 classes, as spikes of 700 channels; used like `SHD`.

    Args:
        path: name of the unpacked file, for example `ssc_train.h5`.
        unsorted: what to do with a recording whose time runs backwards: "refuse" it or "sort" it.
        time_unit: "s", "ms", "us" or "ns" for files whose times are not seconds; whole numbers need it, as the format
            has floating-point seconds.

    Raises:
        FileError: as for `SHD`.
        ParameterError: an argument does not fit.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "words.h5"
    >>> write_shd([make_events(t=[500_000], x=[699])], [34], path)
    >>> words = SSC(path)
    >>> words[0][0]["x"], words.labels
    (array([699], dtype=int16), array([34]))
    """

    number_of_classes = 35


def write_shd(recordings, labels, path, *, speakers=None, keys=None, names=None, time_type="float16",
              channels=CHANNELS) -> None:
    """Write an HDF5 file in the layout of SHD, with a checksum for each recording; it appears whole or not at all.

    Args:
        recordings: one event array for each item, with the fields t (microseconds, sorted) and x (0 .. channels - 1);
            of something that has a length and yields them, one is held at a time.
        labels: class of each, integers, shape (n_recordings,).
        path: name of the file; one that exists is replaced.
        speakers: number of the speaker of each, integers >= 0, shape (n_recordings,).
        keys: name of each class.
        names: name of each recording, such as that of the file that it was made of; they go to `extra/names`.
        time_type: "float16" as in the official files, "float32" or "float64"; float64 keeps every microsecond.
        channels: how many there are; a number other than 700 is noted in the file, for our reader.

    Raises:
        ParameterError: recordings, labels, speakers, keys or names do not fit.
        FileError: the file cannot be written.

    Warns:
        NeurosimWarning: if a time moves by more than 1 ms because of `time_type`, with the worst error.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "digits.h5"
    >>> write_shd([make_events(t=[1_234_567], x=[5])], [0], path, time_type="float64")
    >>> SHD(path)[0][0]["t"]
    array([1234567])
    """
    check_choice("write_shd.time_type", time_type, ("float16", "float32", "float64"))
    channels = check_whole("write_shd.channels", channels, at_least=1, at_most=MOST_CHANNELS)
    recordings = recordings if hasattr(recordings, "__len__") else list(recordings)
    many = len(recordings)
    keys, names = (None if given is None else _text(name, given) for name, given in (("keys", keys), ("names", names)))
    if names is not None and len(names) != many:
        raise ParameterError(f"write_shd.names must be one for each of the {many} recordings, got {len(names)}")
    labels = _whole("labels", labels, many, None if keys is None else len(keys))
    speakers = None if speakers is None else _whole("speakers", speakers, many)
    sums, worst = np.zeros(many, dtype=np.uint32), 0.0
    with whole_hdf5(path) as file:
        made = [file.create_dataset(f"spikes/{name}", (many,), dtype=h5py().vlen_dtype(np.dtype(base)))
                for name, base in (("times", time_type), ("units", "uint16"))]
        for index, events in enumerate(recordings):
            pair = _pair(index, events, time_type, channels)
            for dataset, values in zip(made, pair, strict=True):
                dataset[index] = values
            sums[index] = _checksum(*pair, labels[index], -1 if speakers is None else speakers[index], keys)
            worst = max(worst, float(np.abs(pair[0].astype(np.float64) * US_PER_S - events["t"]).max(initial=0)))
        file["labels"] = labels.astype(np.uint64)
        file["extra/crc32"] = sums
        if speakers is not None:
            file["extra/speaker"] = speakers.astype(np.uint64)
        for name, given in (("keys", keys), ("names", names)):
            if given is not None:
                file[f"extra/{name}"] = np.array([each.encode() for each in given], dtype=bytes)
        if channels != CHANNELS:
            file.attrs["channels"] = channels
    if worst > 1000:
        warn(f"write_shd rounded times to {time_type}; the worst error is {worst / 1000:.3g} ms; "
             'time_type="float64" keeps them')


def _pair(index, events, time_type, channels) -> tuple[np.ndarray, np.ndarray]:
    owner = f"write_shd.recordings[{index}]"
    check_range(owner, checked_events(owner, events), (channels, 1, 1))
    if (np.diff(events["t"].astype(np.int64)) < 0).any():
        raise ParameterError(f"{owner} must be sorted by time")
    seconds = events["t"] / US_PER_S
    limit = min(MOST_S, float(np.finfo(time_type).max))
    if len(seconds) and seconds[-1] >= limit:
        raise ParameterError(f"{owner} must end before {limit:g} s to be written as {time_type}, got {seconds[-1]:g} s")
    return seconds.astype(time_type), events["x"].astype(np.uint16)


def _checksum(times, units, label, speaker, keys) -> int:
    """The CRC-32 of all that belongs to one recording, the names of the classes included."""
    head = np.array([len(times), label, speaker], dtype="<i8").tobytes() + "\0".join(keys or ()).encode()
    seconds, units = np.asarray(times, dtype=np.float64), np.asarray(units).astype(np.int64)
    return zlib.crc32(units.astype("<i8").tobytes(), zlib.crc32(seconds.astype("<f8").tobytes(), zlib.crc32(head)))


def _whole(name, values, many, below=None) -> np.ndarray:
    array = np.asarray(values)
    array = array.astype(np.int64) if array.shape == (0,) else array
    if array.shape != (many,) or array.dtype.kind not in "iu":
        raise ParameterError(f"write_shd.{name} must be one whole number for each of the {many} recordings, "
                             f"got {describe_value(values)}")
    most = 2**62 if below is None else below - 1
    if many and (array.min() < 0 or array.max() > most):
        raise ParameterError(f"write_shd.{name} must lie in 0 .. {most}, got {array[(array < 0) | (array > most)][0]}")
    return array.astype(np.int64)


def _text(name, given) -> tuple:
    given = tuple(given) if not isinstance(given, str) else ()
    if not given or not all(isinstance(each, str) and each and "\0" not in each for each in given):
        what = "class" if name == "keys" else "recording"
        raise ParameterError(f"write_shd.{name} must be one name for each {what}, each a str that is not empty")
    return given


def _hdf5(path, raw):
    refuse_packed(path, raw.read(4), "an HDF5 file")
    return h5py().File(raw, "r")
