"""Events in HDF5 files, in the layouts that are around.

| layout | where |
|---|---|
| ours | the columns in the group `events`, with an attribute `header` |
| DSEC | `events/t x y p`, and `t_offset`, which belongs to every time; its Blosc filter is in the package hdf5plugin |
| 1 Mpx of RVT | `events/t x y p height width` |
| event_utils | `events/ts xs ys ps` |
| v2e | `events`, a dataset of shape (events, 4), or `events`, a structured one |
| Prophesee | `CD/events`, a structured dataset |
| no group | `t x y p` or their other names at the root |

Files with other things beside them are read all the same; only the columns are looked at.
"""

import json
from contextlib import contextmanager

import numpy as np

from neurosim.datasets.arrays import columns_of
from neurosim.datasets.columns import Table, field_of
from neurosim.datasets.files import check_dataset, refuse_packed
from neurosim.datasets.header import checked_head
from neurosim.errors import FileError
from neurosim.files import h5py, whole_hdf5

CHUNK = 2**16  #: events in a chunk of a file of ours
PLACES = ("events", "CD/events")


@contextmanager
def opened(path):
    """Give the table of a file's columns by a function of the order asked for, as long as the file is open."""
    with open(path, "rb") as raw:
        refuse_packed(path, raw.read(4), "an HDF5 file of events")
        with h5py().File(raw, "r") as file:
            yield lambda order: _table(path, file, order)


def _table(path, file, order) -> Table:
    place = next((place for place in PLACES if place in file), None)
    found = file if place is None else file[place]
    shift = 0
    if "t_offset" in file:
        shift = _whole_number(path, file["t_offset"])
    if isinstance(found, h5py().Dataset):
        what = f"{path}: '{place}'"
        check_dataset(path, place, found, ndim=1 if found.dtype.names else 2)
        return Table(columns_of(what, _Lazy(found), order), shift=shift)
    size = check = None
    if place == "events" and {"header", "units"} & set(found.attrs):
        size, check = _header(path, found)
        columns = dict(found.items())
    else:
        columns, size = {name: found[name] for name in found if field_of(name)[0]}, _stated_size(path, found)
    if not columns:
        raise FileError(f"{path} must have the columns t and x in a group 'events' or at the root, or a dataset "
                        f"'events' or 'CD/events', it has {', '.join(map(repr, found)) or 'nothing'}")
    if order is not None:
        raise FileError(f"{path} names its columns {', '.join(columns)}; leave out columns={order!r}")
    for name, column in columns.items():
        check_dataset(path, name if place is None else f"{place}/{name}", column,
                      ndim=getattr(column, "ndim", 1) if 1 in getattr(column, "shape", ()) else 1)
    return Table(columns, size, check, shift)


def _header(path, group) -> tuple:
    # Text of fixed length only: the library may never end in a damaged heap, where text of other lengths lies.
    for name in ("header", "units"):  # a damaged name must not make it a file of others, which nothing checks
        if name not in group.attrs or group.attrs.get_id(name).dtype.kind != "S":
            raise FileError(f"{path}: the group 'events' must have the attributes 'header' and 'units' as text of "
                            "fixed length, or neither")
    size, check = checked_head(path, json.loads(bytes(group.attrs["header"])))
    if check is None:
        raise FileError(f"{path}: the header of the group 'events' must state the format of events")
    return size, check


def _whole_number(path, found) -> int:
    if not isinstance(found, h5py().Dataset) or found.size != 1 or found.dtype.kind not in "iu":
        raise FileError(f"{path}: '{(found.name or '').strip('/')}' must be one whole number")
    return int(np.asarray(found[()]).item())


def _stated_size(path, group) -> tuple[int, int, int] | None:
    """The size of the sensor that numbers `width` and `height` beside the columns say, as those of the 1 Mpx set do."""
    if "width" not in group or "height" not in group:
        return None
    return _whole_number(path, group["width"]), _whole_number(path, group["height"]), 2


class _Lazy:
    """A dataset that gives its columns as what can be cut."""

    def __init__(self, found):
        self.found, self.dtype = found, found.dtype
        self.shape, self.ndim, self.size = found.shape, found.ndim, found.size

    def __getitem__(self, key):
        return _Column(self.found, key)

    def reshape(self, _):
        return self


class _Column:
    """A field of a structured dataset, or a column of a 2-D one."""

    def __init__(self, found, key):
        self.found, self.key, self.ndim, self.shape = found, key, 1, found.shape[:1]
        self.dtype = found.dtype[key] if isinstance(key, str) else found.dtype

    def __len__(self):
        return len(self.found)

    def __getitem__(self, rows):
        return self.found.fields(self.key)[rows] if isinstance(self.key, str) else self.found[rows, self.key[1]]


def write_h5(path, events, head):
    """Write an HDF5 file of our layout."""
    with whole_hdf5(path) as file:
        group = file.create_group("events")
        group.attrs["header"] = np.bytes_(json.dumps(head))
        group.attrs["units"] = np.bytes_("us")
        for name in events.dtype.names:
            checked = {"chunks": (min(len(events), CHUNK),), "fletcher32": True} if len(events) else {}
            group.create_dataset(name, data=events[name], **checked)
