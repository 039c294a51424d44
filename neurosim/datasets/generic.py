"""Events of any sensor in a file of four common kinds, told apart by the end of the name.

| name | content |
|---|---|
| .npy | one structured array |
| .npz | the columns as arrays, or one structured array `events`; where known, `sensor_size` |
| .csv | a line with the names of the columns, then one line an event; lines that begin with # before it are comments |
| .h5, .hdf5 | the columns as datasets of the group `events`, with an attribute `header`, as `write_events` makes it |

Columns are `t` (also `ts`, `timestamp`), `x`, and where the sensor has them `y` and `p` (also `pol`, `polarity`, `on`;
0 and 1, -1 and 1, or bool); others are not read. What `write_events` makes, .npy excepted, also holds a count and a
checksum, with which the events are compared.
"""

import io
import json
import warnings
import zlib
from pathlib import Path

import numpy as np

from neurosim.checks import describe_value
from neurosim.datasets.events import EVENT, SPIKE, check_range, checked_events, checked_size, pack
from neurosim.datasets.files import ORDERS, Zip, check_choice, check_dataset, first_of
from neurosim.errors import FileError, ParameterError
from neurosim.files import h5py, reading, whole_file, whole_hdf5

FORMAT = "neurosim.events"
VERSION = 1
CHUNK = 2**16  #: events in a chunk of an HDF5 file
SUFFIXES = (".npy", ".npz", ".csv", ".h5", ".hdf5")
COLUMNS = {"t": ("t", "ts", "timestamp"), "x": ("x",), "y": ("y",), "p": ("p", "pol", "polarity", "on")}
UNITS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
LIMITS = {"x": 2**15 - 1, "y": 2**15 - 1}


def read_events(path, sensor_size=None, *, time_unit: str = "us", unsorted: str = "refuse") -> tuple:
    """Return the events of a .npy, .npz, .csv, .h5 or .hdf5 file, and the size of the sensor.

    Columns are t (or ts, timestamp), x, and where the sensor has them y and p (or pol, polarity, on).

    Args:
        path: name of the file.
        sensor_size: (width, height, polarities) that the events must fit; by default what the file says.
        time_unit: unit of the file's times, "ns", "us", "ms" or "s"; times become whole microseconds, and those in
            microseconds must be whole.
        unsorted: what to do where time runs backwards: "refuse" or "sort".

    Returns:
        events: structured array with the fields x, y, t (microseconds) and p, or t, x and p where there is no y.
        sensor_size: as given, else as the file says, else None.

    Raises:
        FileError: the file is missing, damaged, cut short, lacks a column, or holds an address off the sensor, a time
            that is negative or runs backwards, or a polarity that is none. The sentence names file, record and column.
        ParameterError: an argument does not fit.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "events.csv"
    >>> _ = path.write_text("timestamp,x,y,polarity\\n100,3,4,1\\n250,3,5,-1\\n")
    >>> events, _ = read_events(path)
    >>> events["t"], events["p"]
    (array([100, 250]), array([ True, False]))
    """
    check_choice("read_events.time_unit", time_unit, tuple(UNITS))
    check_choice("read_events.unsorted", unsorted, ORDERS)
    if sensor_size is not None:
        sensor_size = checked_size("read_events", sensor_size)
    read = _by_suffix("read_events", path, (_read_npy, _read_npz, _read_csv, _read_h5, _read_h5))
    with reading(path, f"a {Path(path).suffix} file of events"):
        columns, stated, check = read(path)
        events = _events(path, columns, time_unit)
        if check is not None and check != (len(events), _checksum(events, stated)):
            raise FileError(f"{path} is damaged: it must hold {check[0]} events with the checksum {check[1]}, "
                            f"it holds {len(events)} with {_checksum(events, stated)}")
        back = np.diff(events["t"]) < 0
        if back.any():
            bad = first_of(back) + 1
            if unsorted == "refuse":
                raise FileError(f"{path}, record {bad} must not be earlier than the one before: time runs backwards "
                                f"from {events['t'][bad - 1]} to {events['t'][bad]} us; "
                                'unsorted="sort" reads it all the same')
            events = events[np.argsort(events["t"], kind="stable")]
        size = stated if sensor_size is None else sensor_size
        if size is not None:
            try:
                check_range(str(path), events, checked_size(str(path), size))
            except ParameterError as error:
                raise FileError(str(error)) from None
    return events, None if size is None else tuple(int(n) for n in size)


def write_events(events, path, sensor_size=None) -> None:
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
    write = _by_suffix("write_events", path, (_write_npy, _write_npz, _write_csv, _write_h5, _write_h5))
    checked_events("write_events", events)
    size = None if sensor_size is None else checked_size("write_events", sensor_size)
    names = events.dtype.names
    check_range("write_events", events, size or (2**15, 2**15 if "y" in names else 1, 2 if "p" in names else 1))
    dtype = EVENT if "y" in names else SPIKE
    p = events["p"] if "p" in names else np.ones(len(events), dtype=bool)
    events = pack(dtype, p=p, **{name: events[name] for name in set(dtype.names) - {"p"}})
    if (np.diff(events["t"]) < 0).any():
        raise ParameterError("write_events.events must be sorted by time")
    head = {"format": FORMAT, "version": VERSION, "events": len(events), "checksum": _checksum(events, size)}
    write(path, events, head if size is None else {**head, "sensor_size": list(size)})


def _by_suffix(owner, path, kinds):
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ParameterError(f"{owner}.path must end in {', '.join(SUFFIXES)}, got {describe_value(str(path))}")
    return kinds[SUFFIXES.index(suffix)]


def _checksum(events, sensor_size) -> str:
    value = zlib.crc32(json.dumps([events.dtype.names, None if sensor_size is None else list(sensor_size)]).encode())
    for name in events.dtype.names:
        value = zlib.crc32(events[name].astype("<i8").tobytes(), value)
    return f"{value:08x}"


def _checked_head(path, head) -> tuple:
    """The sensor size and (count, checksum) of a header of ours; (None, None) for none of ours."""
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        return None, None
    if head.get("version") != VERSION:
        raise FileError(f"{path} must be of version {VERSION}, it is of version {head.get('version')!r}")
    for name in ("events", "checksum"):
        if name not in head:
            raise FileError(f"{path} must state {name!r} in its header, it does not")
    return head.get("sensor_size"), (int(head["events"]), str(head["checksum"]))


# ---- columns ----------------------------------------------------------------------------------------------


def _events(path, columns, time_unit) -> np.ndarray:
    """The event array of a dict of columns under any of their names."""
    found = {}
    for name, others in COLUMNS.items():
        given = [column for column in columns if str(column).strip().lower() in others]
        if len(given) > 1:
            raise FileError(f"{path} must have one column {name}, it has {' and '.join(map(repr, given))}")
        if given:
            found[name] = np.asarray(columns[given[0]])
        elif name in "tx":
            raise FileError(f"{path} must have a column {' or '.join(map(repr, others))}, it has "
                            f"{', '.join(map(repr, columns)) or 'none'}")
    for name, column in found.items():
        if column.ndim != 1 or column.dtype.kind not in "biuf":
            raise FileError(f"{path}: column {name} must be numbers in 1 dimension, it is {describe_value(column)} "
                            f"and type {column.dtype}")
        if len(column) != len(found["t"]):
            raise FileError(f"{path}: column {name} must have {len(found['t'])} entries as t has, it has {len(column)}")
    found["t"] = _microseconds(path, found["t"], time_unit)
    for name, most in LIMITS.items():
        if name in found:
            _check_column(path, name, found[name], 0, most)
    p = found.get("p", np.ones(len(found["t"]), dtype=bool))
    if p.dtype != bool:
        _check_column(path, "p", p, -1, 1)
        if len(p) and p.min() < 0 and (p == 0).any():
            raise FileError(f"{path}, record {first_of(p == 0)}: p must be 0 and 1 or -1 and 1, it is all three")
    found["p"] = p > 0
    return pack(EVENT if "y" in found else SPIKE, **found)


def _microseconds(path, t, time_unit) -> np.ndarray:
    if time_unit == "us":
        _check_column(path, "t", t, 0, 2**62, hint='; give time_unit="ms" or "s" where that is meant')
        return t.astype(np.int64)
    seen = t.astype(np.float64) * UNITS[time_unit]
    _check_column(path, "t", seen, 0, 2**53, whole=False)
    return np.rint(seen).astype(np.int64)


def _check_column(path, name, column, least, most, whole=True, hint=""):
    with np.errstate(invalid="ignore"):
        bad = ~((column >= least) & (column <= most))
        if whole and column.dtype.kind == "f":
            bad |= column != np.floor(column)
    if bad.any():
        kind = "a whole number" if whole else "a number"
        raise FileError(f"{path}, record {first_of(bad)}: {name} must be {kind} in {least} .. {most}, "
                        f"it is {column[first_of(bad)]}{hint}")


# ---- the kinds of files -----------------------------------------------------------------------------------


def _parse_npy(name, raw) -> np.ndarray:
    """The array of the bytes of a .npy file, which must be as long as its header says."""
    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    head = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if head is None:
        raise FileError(f"{name} must be of version 1.0 or 2.0 of the format, it is of {version}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a damaged header may name a type that numpy is about to drop
        shape, fortran, dtype = head(file)
    if dtype.hasobject:
        raise FileError(f"{name} must hold numbers, it holds Python objects")
    due = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if min(shape, default=0) < 0 or due != len(raw) - file.tell():
        raise FileError(f"{name} must have {due} bytes after its header (byte {file.tell()}), "
                        f"it has {len(raw) - file.tell()}")
    return np.frombuffer(raw, dtype=dtype, offset=file.tell()).reshape(shape, order="F" if fortran else "C")


def _fields(name, array) -> dict:
    if array.dtype.names is None or array.ndim != 1:
        raise FileError(f"{name} must be a structured array in 1 dimension, it is {describe_value(array)} "
                        f"and type {array.dtype}")
    return {field: array[field] for field in array.dtype.names}


def _read_npy(path) -> tuple:
    return _fields(path, _parse_npy(path, Path(path).read_bytes())), None, None


def _write_npy(path, events, head):
    with whole_file(path) as file:
        np.lib.format.write_array(file, events, allow_pickle=False)


def _read_npz(path) -> tuple:
    archive = Zip(path)
    arrays = {member.name.removesuffix(".npy"): _parse_npy(f"{path}: {member.name}", raw)
              for member, raw in zip(archive.members, archive.read(archive.members), strict=True)}
    size = [int(n) for n in arrays["sensor_size"].ravel()] if "sensor_size" in arrays else None
    check = None
    if "header" in arrays:
        check = _checked_head(path, json.loads(str(arrays["header"])))[1]
    return _fields(f"{path}: events.npy", arrays["events"]) if "events" in arrays else arrays, size, check


def _write_npz(path, events, head):
    size = {"sensor_size": np.array(head["sensor_size"])} if "sensor_size" in head else {}
    with whole_file(path) as file:
        np.savez_compressed(file, events=events, header=np.array(json.dumps(head)), **size)


def _read_csv(path) -> tuple:
    raw = Path(path).read_bytes()
    text = raw.decode("utf-8-sig")
    if not text.endswith("\n"):
        raise FileError(f"{path} ends in the middle of a line (byte {len(raw)}); it was cut short")
    lines = text.splitlines()
    size = check = None
    while lines and lines[0].startswith("#"):
        comment = lines.pop(0)
        if comment.startswith("# {"):
            size, check = _checked_head(path, json.loads(comment[2:]))
    if not lines:
        raise FileError(f"{path} must have a line with the names of its columns, it has none")
    names, body = [name.strip() for name in lines[0].split(",")], lines[1:]
    if len(set(names)) != len(names):
        raise FileError(f"{path} must name each column once, got {lines[0]!r}")
    return dict(zip(names, _table(path, names, body), strict=True)), size, check


def _table(path, names, body) -> list:
    """The columns of the lines of a CSV file, integers where all of them are."""
    if not body:
        return [np.zeros(0, dtype=np.int64) for _ in names]
    for kind in (np.int64, np.float64):
        try:
            table = np.loadtxt(body, dtype=kind, delimiter=",", comments=None, ndmin=2)
        except ValueError as error:
            reason = error
            continue
        if table.shape != (len(body), len(names)):
            raise FileError(f"{path} must have {len(names)} columns in each of {len(body)} lines, it has "
                            f"{table.shape[1]} columns and {table.shape[0]} lines")
        return list(table.T)
    raise FileError(f"{path} must have numbers in every column: {reason}")


def _write_csv(path, events, head):
    names = [name for name in ("t", "x", "y", "p") if name in events.dtype.names]
    rows = zip(*(events[name].astype(np.int64).tolist() for name in names), strict=True)
    body = "".join(",".join(map(str, row)) + "\n" for row in rows)
    with whole_file(path, encoding="utf-8") as file:
        file.write(f"# {json.dumps(head)}\n{','.join(names)}\n{body}")


def _read_h5(path) -> tuple:
    with open(path, "rb") as raw, h5py().File(raw, "r") as file:
        if "events" not in file:
            raise FileError(f"{path} must have a group 'events', it has none")
        group = file["events"]
        if not isinstance(group, h5py().Group):
            raise FileError(f"{path}: 'events' must be a group")
        # Text of fixed length only: the library may never end in a damaged heap, where text of other lengths lies.
        if "header" not in group.attrs or group.attrs.get_id("header").dtype.kind != "S":
            raise FileError(f"{path}: the group 'events' must have the text attribute 'header'; read other files with "
                            "h5py and use make_events")
        size, check = _checked_head(path, json.loads(bytes(group.attrs["header"])))
        if check is None:
            raise FileError(f"{path}: the header of the group 'events' must state the format {FORMAT!r}")
        for name in group:
            check_dataset(path, f"events/{name}", group[name])
        return {name: column[:] for name, column in group.items()}, size, check


def _write_h5(path, events, head):
    with whole_hdf5(path) as file:
        group = file.create_group("events")
        group.attrs["header"] = np.bytes_(json.dumps(head))
        group.attrs["units"] = np.bytes_("us")
        for name in events.dtype.names:
            checked = {"chunks": (min(len(events), CHUNK),), "fletcher32": True} if len(events) else {}
            group.create_dataset(name, data=events[name], **checked)
