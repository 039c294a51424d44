"""Synapses that are built: their arrays, their canonical order, and what identifies them."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from neurosim.checks import describe_value
from neurosim.engine.loader import load_function
from neurosim.engine.synapses.runs import cells, in_runs
from neurosim.errors import ParameterError

_CHECKSUM = """
import numpy as np

def main(start, offsets, delays, target, first, weight):
    total = np.uint64(0)
    for row in range(start.size - 1):
        for d in range(delays.size):
            begin, end = start[row], start[row + 1]
            if offsets.size:
                end = begin + offsets[row, d + 1]
                begin += offsets[row, d]
            for i in range(begin, end):
                h = mix(np.uint64(row) + np.uint64(0x9E3779B97F4A7C15))
                h = mix(h ^ np.uint64(target[i] + first))
                h = mix(h ^ np.uint64(delays[d]))
                total += mix(h ^ np.uint64(weight[i if weight.size > 1 else 0]))
    return total
"""

_UNROLL = """
def main(start, offsets, columns, column):
    e = 0
    for line in range(offsets.shape[0]):
        for k in range(columns.size):
            for n in range(offsets[line, k], offsets[line, k + 1]):
                column[e] = columns[k]
                e += 1
"""


@dataclass
class Part:
    """The synapses of one range of targets, a row for each source, ordered by delay within a row.

    Attributes:
        first: index of the first target of the range.
        start: int64 (n_source + 1), where each row begins in the arrays of synapses.
        offsets: (n_source, n_delays + 1), where each delay begins within a row; None for one delay.
        target: uint16 or uint32, index of the target counted from `first`.
        values: name -> one value per synapse, or one number for all.
        packed: whether `target` has weights in the upper halves of its entries.
        runs: what `in_runs` found; None as long as nobody has asked.
    """

    first: int
    start: np.ndarray
    offsets: np.ndarray | None
    target: np.ndarray
    values: dict[str, Any]
    packed: bool = False
    runs: bool | None = None

    @property
    def in_runs(self) -> bool:
        """Whether the targets of each row and delay follow one another, and are many enough to make use of it."""
        if self.runs is None:
            self.runs = in_runs(self.start, self.offsets, self.target, self.packed)
        return self.runs

    @property
    def cells(self) -> np.ndarray:
        """Where the synapses of each row and delay begin, one after the other, and where the last ones end."""
        return cells(self.start, self.offsets)


@dataclass
class Connectivity:
    """All synapses of a projection.

    Attributes:
        parts: one for each range of targets.
        delays: int64, the delays that occur, in ticks, ascending; empty if there is none to draw.
        n_source, n_target: sizes of the two populations.
        n_synapses: number of synapses of all parts.
    """

    parts: list[Part]
    delays: np.ndarray
    n_source: int
    n_target: int
    n_synapses: int

    def alone(self) -> "Connectivity":
        """Return the synapses in arrays of their own, which these are."""
        return self

    @property
    def shape(self) -> tuple:
        """Sizes of the two populations."""
        return self.n_source, self.n_target

    @property
    def ticks(self) -> np.ndarray:
        """The delays that occur, as `Draft.ticks`."""
        return self.delays

    def found(self, strips: list) -> tuple:
        """Return the delays that occur, and the number of synapses."""
        return self.delays, self.n_synapses

    def largest(self, name: str) -> float:
        """Return the largest size of a quantity, 0 where there is no synapse."""
        values = [part.values[name] for part in self.parts if part.target.size]
        return max((float(max(np.max(each), -np.min(each))) for each in values), default=0.0)

    def strip(self, thread: int, ticks: np.ndarray) -> "Whole":
        """Return what gives the rows of a part, some at a time, for columns that stand for some delays."""
        return Whole(self.parts[thread], np.searchsorted(ticks, self.delays))

    @property
    def shared(self) -> dict:
        """The quantities that are one number for all synapses, by name."""
        return {name: value for name, value in self.parts[0].values.items() if not isinstance(value, np.ndarray)}

    @property
    def stored(self) -> tuple:
        """Names of the quantities that have one value per synapse."""
        return tuple(name for name, value in self.parts[0].values.items() if isinstance(value, np.ndarray))

    @property
    def types(self) -> tuple:
        """Types of the targets and of the tables of offsets, which is None for one delay."""
        part = self.parts[0]
        return part.target.dtype, None if part.offsets is None else part.offsets.dtype


class Slab(NamedTuple):
    """Some rows of synapses as they were drawn: one row after the other, or in the order in which they were created.

    Attributes:
        start: int64, where each row begins; empty where rows are mixed.
        column: the number of the delay of each synapse; empty if all have one.
        only: that one.
        target: index of the target of each synapse.
        values: name -> one value per synapse.
        row: the row of each synapse, counted from the beginning of the step; empty where they come row by row.
    """

    start: np.ndarray
    column: np.ndarray
    only: int
    target: np.ndarray
    values: dict
    row: np.ndarray = np.empty(0, np.uint32)


class Giver:
    """Gives the synapses of a part by the rows of sources, some at a time.

    Attributes:
        room: how many synapses to make room for in all.
    """

    room: int

    def cut(self, shift: int, first: int) -> None:
        """Take note that steps of 2^shift rows will be asked for, where source 0 has row `first`."""

    def rows(self, low: int, high: int) -> Slab:
        """Return the synapses of the sources low .. high - 1; they may be overwritten by the next ones."""
        raise NotImplementedError

    def done(self) -> None:
        """Let go of what was needed; nothing more will be asked for."""


class Whole(Giver):
    """Gives rows of a part that is there, as `Strip` does of one that is to be drawn.

    Args:
        part: the synapses.
        columns: the number of the column of each delay.
    """

    def __init__(self, part: Part, columns: np.ndarray):
        self.part, self.columns = part, columns
        self.room = part.target.size

    def rows(self, low: int, high: int) -> Slab:
        """Return the rows low .. high - 1, views of what is there."""
        part = self.part
        here = slice(part.start[low], part.start[high])
        start = part.start[low:high + 1] - here.start
        column = np.empty(0 if part.offsets is None else start[-1], np.uint32)
        if column.size and part.offsets is not None:
            load_function("build_unroll", _UNROLL, {})(start, part.offsets[low:high], self.columns, column)
        values = {name: value[here] for name, value in part.values.items() if isinstance(value, np.ndarray)}
        return Slab(start, column, int(self.columns[0]) if self.columns.size else 0, part.target[here], values)


def _mix(z):
    """Return 64 well mixed bits (the finaliser of splitmix64)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _coordinates(connectivity):
    """Return source, delay index and target of every synapse, in the order of the parts, and the canonical order."""
    sources, columns, targets = [], [], []
    for part in connectivity.parts:
        counts = np.diff(part.start)
        sources.append(np.repeat(np.arange(counts.size, dtype=np.uint32), counts))
        targets.append(part.target.astype(np.uint32) + np.uint32(part.first))
        if part.offsets is None:
            columns.append(np.zeros(part.target.size, np.uint32))
        else:
            sizes = np.diff(part.offsets.astype(np.int64), axis=1)
            columns.append(np.repeat(np.tile(np.arange(sizes.shape[1], dtype=np.uint32), counts.size), sizes.ravel()))
    source, column, target = map(np.concatenate, (sources, columns, targets))
    key = source.astype(np.uint64)
    key *= np.uint64(max(connectivity.delays.size, 1))
    key += column
    key *= np.uint64(connectivity.n_target)
    key += target
    return source, column, target, np.argsort(key, kind="stable")


def to_coo(connectivity: Connectivity):
    """Return (source, target, delay in ticks, values by name) of every synapse in canonical order.

    The order is by source, delay, target and creation, the same for any number of parts. A value that
    is shared stays one number.

    >>> from neurosim.connectivity import Explicit
    >>> from neurosim.engine.synapses import build
    >>> from neurosim.random import Streams
    >>> made = build(Explicit([2, 0], [1, 0]), 3, 2, None, quantities={"weight": [0.2, 0.1]}, delay=1.0, bounds=[0, 2],
    ...              seed=1, streams=Streams(), label="", dt=0.1, real=np.float64)
    >>> to_coo(made)[3]["weight"]
    array([0.1, 0.2])
    """
    source, column, target, order = _coordinates(connectivity)
    delay = connectivity.delays.astype(np.int32)[column] if source.size else np.empty(0, np.int32)
    values = {}
    for name, value in connectivity.parts[0].values.items():
        values[name] = value if np.ndim(value) == 0 else np.concatenate(
            [part.values[name] for part in connectivity.parts])[order]
    return source[order], target[order], delay[order], values


def set_values(connectivity: Connectivity, name: str, values) -> None:
    """Set one quantity of every synapse from an array in the canonical order of `to_coo`, or a number for all.

    Arrays are written in place; a quantity that was one number for all becomes an array when it is given one.

    Raises:
        ParameterError: if there is not one value per synapse.
    """
    values = np.asarray(values)
    if values.ndim and values.shape != (connectivity.n_synapses,):
        raise ParameterError(f"{name} must be one value per synapse, {connectivity.n_synapses}, got "
                             f"{describe_value(values)}")
    ordered = in_parts(connectivity, values) if values.ndim else [float(values)] * len(connectivity.parts)
    for part, new in zip(connectivity.parts, ordered, strict=True):
        if isinstance(part.values.get(name), np.ndarray):
            part.values[name][...] = new
        else:
            part.values[name] = new


def in_parts(connectivity: Connectivity, values: np.ndarray) -> list[np.ndarray]:
    """Return one value per synapse, given in the canonical order of `to_coo`, in the order of each part."""
    ordered = np.empty_like(values)
    ordered[_coordinates(connectivity)[3]] = values
    ends = np.cumsum([part.target.size for part in connectivity.parts])
    return np.split(ordered, ends[:-1])


def with_values(connectivity: Connectivity, name: str, values) -> Connectivity:
    """Return synapses of which one quantity has other values, see `set_values`; those given stay as they are."""
    parts = [replace(part, values={key: value.copy() if key == name and isinstance(value, np.ndarray) else value
                                   for key, value in part.values.items()}) for part in connectivity.parts]
    changed = replace(connectivity, parts=parts)
    set_values(changed, name, values)
    return changed


def checksum(connectivity: Connectivity, name: str | None = "weight") -> str:
    """Return a text that identifies all sources, targets and delays, and with them the values of one quantity.

    It is a sum of mixed bits over the synapses, so that neither the order nor the number of parts matters.
    """
    main = load_function("build_checksum", _CHECKSUM, {"mix": _mix})
    total = 0
    for part in connectivity.parts:
        value = np.atleast_1d(np.asarray(0.0 if name is None else part.values[name]))
        bits = value.view(np.uint32 if value.dtype == np.float32 else np.uint64)
        offsets = np.empty((0, 0), np.uint16) if part.offsets is None else part.offsets
        total += int(main(part.start, offsets, connectivity.delays, part.target, part.first, bits))
    return f"{total & 0xFFFFFFFFFFFFFFFF:016x}"
