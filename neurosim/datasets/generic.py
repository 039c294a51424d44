"""Events of any sensor in a file, whose kind the end of its name tells.

| name | content |
|---|---|
| .npy, .npz | columns as arrays, a structured array, or an array of shape (events, columns) |
| .csv, .txt, and these with .gz | a line an event, columns named in the first line or by `columns` |
| .h5, .hdf5 | the layouts of DSEC, event_utils, v2e, Prophesee and ours, or columns at the root |
| .raw, .dat, .aedat, .aedat4, .es | what cameras write, see `cameras` |
| .bin | N-MNIST and N-Caltech101 |

What `write_events` makes, .npy excepted, also holds a count and a checksum, with which the events are compared.
"""

from contextlib import contextmanager
from pathlib import Path

import numpy as np

from neurosim.checks import describe_value, is_whole
from neurosim.datasets import arrays, hdf5, text
from neurosim.datasets.cameras import stream
from neurosim.datasets.columns import NANOSECONDS, Reading, checked_order
from neurosim.datasets.events import EVENT, SPIKE, check_range, checked_events, checked_size, fields_of, pack
from neurosim.datasets.files import check_choice
from neurosim.datasets.header import check_sum, head_of
from neurosim.datasets.nmnist import MOST_SENSOR, checked_sensor, decode
from neurosim.datasets.order import ORDERS
from neurosim.errors import FileError, ParameterError
from neurosim.files import as_path, reading

TABLES = {".npy": arrays.read_npy, ".npz": arrays.read_npz, ".csv": text.read_text, ".txt": text.read_text,
          ".csv.gz": text.read_text, ".txt.gz": text.read_text}
HDF5 = (".h5", ".hdf5")
WRITERS = {".npy": arrays.write_npy, ".npz": arrays.write_npz, ".csv": text.write_text,
           **dict.fromkeys(HDF5, hdf5.write_h5)}
ELSEWHERE = {".mat": "read it with scipy.io.loadmat (or h5py, from version 7.3 on) and give its columns to make_events",
             ".bag": "take the events out with rosbags and give their columns to make_events"}


def read_events(path: str | Path, sensor_size: tuple[int, int, int] | None = None, *, columns: str | None = None,
                time_unit: str | None = None, unsorted: str = "refuse", complete: bool = True,
                chunks: int | None = None) -> tuple:
    """Return the events of one recording, and the size of the sensor.

    Args:
        path: name of the file; its end says which kind.
        sensor_size: (width, height, polarities) that the events must fit; by default what the file says.
        columns: order of the columns where a table does not name them, such as "txyp" or "xypt"; _ for one that is not
            read.
        time_unit: unit of a table's times, "ns", "us", "ms" or "s"; by default what the file says, else microseconds.
            Times become whole microseconds, and those in microseconds must be whole.
        unsorted: what to do where time runs backwards: "refuse"; "sort"; or "unwrap" a counter of 23, 24, 31, 32 or 34
            bits that began again, by adding 2^bits to all that follows. Counters of camera files are always unwrapped.
        complete: whether to refuse a camera's file that ends within a record; False reads what is whole.
        chunks: number of events that are read at once; by default all.

    Returns:
        events: structured array with the fields x, y, t (microseconds) and p, or t, x and p where there is no y; with
            `chunks` an iterator of such arrays. Tables of text, .npz and .bin files are loaded before they are cut.
        sensor_size: as given, else as the file says, else None.

    Raises:
        FileError: the file is missing, damaged, cut short, lacks a column, or holds an address off the sensor, a time
            that is negative or runs backwards, or a polarity that is none. The sentence names file, record and column.
        ParameterError: an argument does not fit.
        UnsupportedError: AEDAT 4 without the package aedat.

    Warns:
        NeurosimWarning: events of a camera come before its first word of time, with their number.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "events.csv"
    >>> _ = path.write_text("timestamp,x,y,polarity\\n100,3,4,1\\n250,3,5,-1\\n")
    >>> events, _ = read_events(path)
    >>> events["t"], events["p"]
    (array([100, 250]), array([ True, False]))
    >>> parts, _ = read_events(path, chunks=1)
    >>> [len(part) for part in parts]
    [1, 1]
    """
    if time_unit is not None:
        check_choice("read_events.time_unit", time_unit, tuple(NANOSECONDS))
    check_choice("read_events.unsorted", unsorted, ORDERS)
    order = checked_order("read_events", columns)
    size = None if sensor_size is None else checked_size("read_events", sensor_size)
    many = _checked_chunks(chunks, unsorted)
    suffix = _suffix("read_events", path, (*TABLES, *HDF5, *stream.READERS, ".bin"))
    check_choice("read_events.complete", complete, (True, False))
    if suffix in TABLES or suffix in HDF5:
        parts = _parts(path, suffix, size, order, time_unit, unsorted, many)
    elif order is not None or time_unit is not None:
        raise ParameterError(f"read_events.columns and time_unit are for tables, {path} says both itself; leave them "
                             "out")
    elif suffix == ".bin":
        parts = _bin_parts(path, size, unsorted, many)
    elif size is not None and size[2] != 2:
        raise ParameterError(f"read_events.sensor_size must have 2 polarities for {path}, got {size}; merge_polarities "
                             "makes one of them")
    else:
        parts = _camera_parts(path, suffix, size, unsorted, complete, many)
    stated = next(parts)
    return (next(parts) if many is None else parts), stated


def _checked_chunks(chunks, unsorted):
    if chunks is None:
        return None
    if not is_whole(chunks) or chunks < 1:
        raise ParameterError("read_events.chunks must be a whole number of events > 0 or None, "
                             f"got {describe_value(chunks)}")
    if unsorted == "sort":
        raise ParameterError('read_events.unsorted="sort" needs all events at once; leave out chunks')
    return int(chunks)


def _parts(path, suffix, size, order, time_unit, unsorted, many):
    """Yield the size of the sensor, then the events: all, or piece by piece."""
    with reading(path, f"a {suffix} file of events"), _opened(path, suffix, order, many) as table:
        size = table.size if size is None else size
        taken = Reading(path, table, time_unit, unsorted, size)
        if table.check is not None and many is not None:
            _check_before(path, table, taken)
        if many is None:
            events = taken.take()
            if table.check is not None:
                check_sum(path, table.check, events, table.size)
        stated = None if size is None else tuple(int(n) for n in checked_size(str(path), size))
        yield stated
        if many is None:
            yield events
            return
        for first in range(0, len(taken), many):
            yield taken.take(first, first + many)


def _camera_parts(path, suffix, size, unsorted, complete, many):
    """Yield the size of the sensor, then the events, of a camera's file."""
    with (reading(path, f"a {suffix} file of events"),
          stream.opened(path, suffix, size, unsorted, complete, many) as (sensor, events)):
        yield sensor
        yield from events


def _bin_parts(path, size, unsorted, many):
    """Yield the size of the sensor, which the file does not say, then the events, of a .bin file."""
    sensor = MOST_SENSOR if size is None else checked_sensor("read_events", size)
    with reading(path, "a .bin file of events"):
        events = decode([Path(path).read_bytes()], [str(path)], sensor, unsorted)[0]
    yield size
    yield from (events[first:first + (many or len(events))] for first in range(0, max(1, len(events)), many or 2**62))


@contextmanager
def _opened(path, suffix, order, many):
    if suffix in HDF5:
        with hdf5.opened(path) as table:
            yield table(order)
    else:
        yield TABLES[suffix](path, order, many)


def _check_before(path, table, taken):
    """Compare a file of ours with its checksum column by column, so that no piece is given of a damaged one."""
    for name, column in taken.columns.items():
        if column.dtype.kind not in "biu":
            raise FileError(f"{path} is damaged: column {name} must be whole numbers, it is of type {column.dtype}")
    names = (EVENT if "y" in taken.columns else SPIKE).names
    check_sum(path, table.check, taken.columns, table.size, names)


def write_events(events: np.ndarray, path: str | Path, sensor_size: tuple[int, int, int] | None = None) -> None:
    """Write events to a .npy, .npz, .csv, .h5 or .hdf5 file that `read_events` reads; it appears whole or not at all.

    Args:
        events: structured array with the fields t (microseconds, sorted), x, and where the sensor has them y and p.
        path: name of the file; its end says which kind, and one that exists is replaced.
        sensor_size: (width, height, polarities); all but .npy keep it.

    Raises:
        ParameterError: the events are not sorted or do not fit the sensor, or the end of the name is none of these.
        FileError: the file cannot be written.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "events.h5"
    >>> write_events(make_events(t=[1, 2], x=[3, 4]), path, sensor_size=(64, 1, 1))
    >>> read_events(path)[1]
    (64, 1, 1)
    """
    write = WRITERS[_suffix("write_events", path, WRITERS)]
    checked_events("write_events", events)
    size = None if sensor_size is None else checked_size("write_events", sensor_size)
    names = fields_of(events)
    check_range("write_events", events, size or (2**15, 2**15 if "y" in names else 1, 2 if "p" in names else 1))
    dtype = EVENT if "y" in names else SPIKE
    p = events["p"] if "p" in names else np.ones(len(events), dtype=bool)
    events = pack(dtype, p=p, **{name: events[name] for name in ("t", "x", "y") if name in names})
    if (np.diff(events["t"]) < 0).any():
        raise ParameterError("write_events.events must be sorted by time")
    write(path, events, head_of(events, size))


def _suffix(owner, path, allowed) -> str:
    suffixes = [suffix.lower() for suffix in as_path(f"{owner}.path", path).suffixes]
    for many in (2, 1):
        if "".join(suffixes[-many:]) in allowed:
            return "".join(suffixes[-many:])
    hint = f"; {ELSEWHERE[suffixes[-1]]}" if suffixes and suffixes[-1] in ELSEWHERE else ""
    raise ParameterError(f"{owner}.path must end in {', '.join(allowed)}, got {describe_value(str(path))}{hint}")
