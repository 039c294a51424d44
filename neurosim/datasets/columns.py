"""From the columns of a file to checked events: names, units, polarities, ranges and the order of times.

| field | names | |
|---|---|---|
| t | t, ts, time, times, timestamp, timestamps | with its unit or not: `t_us`, `time_ms`, `Timestamp [us]` |
| x, y | x, xs, y, ys | |
| p | p, ps, pol, polarity, polarities, on | 0 and 1, -1 and 1, or bool |
"""

import re
from typing import NamedTuple

import numpy as np

from neurosim.checks import describe_value
from neurosim.datasets.events import EVENT, SPIKE, check_range, checked_size, pack
from neurosim.datasets.files import first_of
from neurosim.datasets.order import Order
from neurosim.errors import FileError, ParameterError

COLUMNS = {"t": ("t", "ts", "time", "times", "timestamp", "timestamps"), "x": ("x", "xs"), "y": ("y", "ys"),
           "p": ("p", "ps", "pol", "polarity", "polarities", "on")}
NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
MOST_US = 2**62
MOST_ADDRESS = 2**15 - 1
WITH_UNIT = re.compile(rf"({'|'.join(COLUMNS['t'])})(?:_(ns|us|µs|μs|ms|s)|\s*[\[(](ns|us|µs|μs|ms|s)[\])])")


class Table(NamedTuple):
    """The columns of a file, and what it says of them.

    Attributes:
        columns: arrays, or what can be cut like arrays, by the names that the file gives them.
        size: (width, height, polarities), or None.
        check: (number of events, checksum) of a file of ours, or None.
        shift: what must be added to every time, in units of the file.
    """

    columns: dict
    size: tuple | None = None
    check: tuple | None = None
    shift: int = 0


def field_of(name) -> tuple:
    """Return (field, unit of time) that the name of a column stands for, (None, None) for none of them."""
    plain = str(name).strip().lower()
    for field, names in COLUMNS.items():
        if plain in names:
            return field, None
    found = WITH_UNIT.fullmatch(plain)
    return ("t", (found[2] or found[3]).translate({0xB5: "u", 0x3BC: "u"})) if found else (None, None)


def checked_order(owner, columns) -> str | None:
    """Return an order of columns like "txyp", of t, x, y, p and _ for what is not read; raise ParameterError."""
    if columns is None:
        return None
    fits = isinstance(columns, str) and set(columns) <= set("txyp_") and {"t", "x"} <= set(columns)
    if not fits or any(columns.count(field) > 1 for field in "txyp"):
        raise ParameterError(f'{owner}.columns must be the order of the columns, such as "txyp" (each letter once, _ '
                             f"for a column that is not read), got {describe_value(columns)}")
    return columns


def ordered(what, array, order) -> dict:
    """Return the columns of a 2-D array of shape (events, columns) by an order that was asked for."""
    if order is None:
        raise FileError(f"{what} does not name its columns; say in which order they are, such as columns=\"txyp\" or "
                        'columns="xypt"')
    if array.ndim != 2 or array.shape[1] != len(order):
        raise FileError(f"{what} must have {len(order)} columns for columns={order!r}, it is of shape "
                        f"{tuple(array.shape)}")
    return {field: array[:, place] for place, field in enumerate(order) if field != "_"}


class Reading:
    """Takes the columns of one file piece by piece and returns events.

    Args:
        path: name of the file, for messages.
        table: the columns.
        time_unit: "ns", "us", "ms", "s", or None for what the file says, else microseconds.
        unsorted: "refuse", "sort" or "unwrap".
        size: (width, height, polarities) that the events must fit, or None.

    Raises:
        FileError: a column is missing, there twice, or of another length or kind.
    """

    def __init__(self, path, table, time_unit, unsorted, size):
        self.path, self.shift, self.size = path, table.shift, size
        self.columns, unit = _named(path, table.columns)
        if unit and time_unit and unit != time_unit:
            raise FileError(f"{path}: the name of its times says {unit}, got time_unit={time_unit!r}; leave that out")
        self.unit = time_unit or unit or "us"
        for name, column in self.columns.items():
            if column.ndim == 2 and 1 in column.shape:  # as MATLAB has columns
                self.columns[name] = column = np.asarray(column).reshape(-1)
            if column.ndim != 1 or column.dtype.kind not in "biuf":
                raise FileError(f"{path}: column {name} must be numbers in 1 dimension, it has shape "
                                f"{tuple(column.shape)} and type {column.dtype}")
            if len(column) != len(self.columns["t"]):
                raise FileError(f"{path}: column {name} must have {len(self.columns['t'])} entries as t has, it has "
                                f"{len(column)}")
        self.order = Order(unsorted, lambda event: f"{path}, record {event}", self.unit)
        self.polarities = {}  # each value of p that was seen, and the record where it was first

    def __len__(self):
        return len(self.columns["t"])

    def take(self, first=0, last=None) -> np.ndarray:
        """Return the events of records first .. last - 1; pieces must be taken in order."""
        cut = {name: np.asarray(column[first:last]) for name, column in self.columns.items()}
        t = self._times(cut["t"], first)
        for name in {"x", "y"} & cut.keys():
            self._check(name, cut[name], first, 0, MOST_ADDRESS)
        cut["p"] = self._polarity(cut["p"], first) if "p" in cut else np.ones(len(t), dtype=bool)
        events = self.order.sorted(pack(EVENT if "y" in cut else SPIKE, **{**cut, "t": t}))
        if self.size is not None:
            try:
                check_range(str(self.path), events, checked_size(str(self.path), self.size), first)
            except ParameterError as error:
                raise FileError(str(error)) from None
        return events

    def _times(self, t, first) -> np.ndarray:
        least, most = -self.shift, MOST_US - self.shift
        if t.dtype.kind == "f" and self.unit != "us":
            self._check("t", t, first, least, 2**53 * 1000 / NANOSECONDS[self.unit], whole=False)
            return np.rint((self.order.follow(t) + self.shift) * (NANOSECONDS[self.unit] / 1000)).astype(np.int64)
        if self.unit in ("ms", "s"):
            most = most * 1000 // NANOSECONDS[self.unit]
        self._check("t", t, first, least, most)
        t = self.order.follow(t.astype(np.int64)) + self.shift
        return (t + 500) // 1000 if self.unit == "ns" else t * (NANOSECONDS[self.unit] // 1000)

    def _polarity(self, p, first) -> np.ndarray:
        if p.dtype == bool:
            return p
        self._check("p", p, first, -1, 1)
        for value in (-1, 0, 1):
            if value not in self.polarities and (p == value).any():
                self.polarities[value] = first + first_of(p == value)
        if {-1, 0} <= self.polarities.keys():
            seen = " and ".join(f"{value} (record {self.polarities[value]})" for value in sorted(self.polarities))
            raise FileError(f"{self.path}: p must be 0 and 1 or -1 and 1, it is {seen}; which of them are OFF must be "
                            "settled in the file")
        return p > 0

    def _check(self, name, column, first, least, most, whole=True):
        with np.errstate(invalid="ignore"):
            bad = ~((column >= least) & (column <= most))
            if whole and column.dtype.kind == "f":
                bad |= column != np.floor(column)
        if not bad.any():
            return
        value, kind = column[first_of(bad)], "a whole number" if whole else "a number"
        hint = ""
        if name == "t" and value < least:
            hint = "; take the time of the first event from all, as nothing comes before 0"
        elif name == "t" and np.isfinite(value) and value != np.floor(value):
            hint = '; give time_unit="ms" or "s" where that is meant'
        raise FileError(f"{self.path}, record {first + first_of(bad)}: {name} must be {kind} in {least} .. {most}, "
                        f"it is {value}{hint}")


def _named(path, columns) -> tuple:
    """The columns by field, and the unit that the name of the times states."""
    found, unit = {}, None
    for name, column in columns.items():
        field, said = field_of(name)
        if field in found:
            both = [other for other in columns if field_of(other)[0] == field]
            raise FileError(f"{path} must have one column {field}, it has {' and '.join(map(repr, both))}")
        if field is not None:
            found[field], unit = column, unit or said
    for field in "tx":
        if field not in found:
            raise FileError(f"{path} must have a column {' or '.join(map(repr, COLUMNS[field]))}, it has "
                            f"{', '.join(map(repr, list(columns)[:9])) or 'none'}")
    return found, unit
