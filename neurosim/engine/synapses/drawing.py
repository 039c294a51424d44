"""Synapses that are to be drawn: all of them at once, or some rows at a time."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurosim.connectivity import Rows, Rule
from neurosim.engine.synapses.connectivity import Connectivity, Giver, Slab
from neurosim.engine.synapses.gathering import Gathered
from neurosim.engine.synapses.lay import Member, drop_columns, lay
from neurosim.engine.synapses.passes import compile_draw, compile_gathering, compile_largest, compile_pass, guide_of
from neurosim.engine.synapses.quantities import MAX_TICKS, Quantity, refuse_delay

FEW_TICKS = 256  #: in a range of so few ticks no pass is needed to find those that occur


@dataclass
class Draft:
    """The synapses of a projection before any is drawn; `draft` says what it is made of."""

    rule: Rule
    rows: Rows
    shape: tuple[int, int]
    shift: int | None
    bounds: np.ndarray
    key: tuple[int, int]
    stream: int
    delay: Quantity
    low: int
    high: int
    values: dict[str, Quantity]
    dt: float
    real: np.dtype
    sort: bool
    threads: int
    what: str

    def __post_init__(self):
        self.delayed = self.delay.kind != "shared"
        self.arrays = {f"q{i}": name for i, (name, value) in enumerate(self.values.items()) if value.kind != "shared"}
        self.inputs = {"d": self.delay} if self.delayed else {}
        self.inputs |= {q: self.values[name] for q, name in self.arrays.items()}
        self.span = self.high - self.low + 1 if self.delayed else 0
        self.sorts = self.rule.by == "source" and self.sort and not self.rule.ascending
        self.spare: list = []  #: arrays that were made to gather synapses, for the next part
        self.starts = np.zeros(1, np.int64) if self.rows.starts is None else self.rows.starts.astype(np.int64)

    @property
    def shared(self) -> dict:
        """The quantities that are one number for all synapses, by name."""
        return {name: value.shared for name, value in self.values.items() if value.kind == "shared"}

    @property
    def stored(self) -> tuple:
        """Names of the quantities that have one value per synapse."""
        return tuple(self.arrays.values())

    @property
    def types(self) -> tuple:
        """Types of the targets and of the tables of offsets, which is None for one delay."""
        widest = int(np.max(np.diff(self.bounds), initial=0))
        narrow = self.rule.by == "source" and self.rows.capacity < 65536
        offsets = np.dtype(np.uint16 if narrow else np.uint32)
        return np.dtype(target_type(widest)), offsets if self.delayed else None

    @cached_property
    def compiled(self) -> tuple:
        """The compiled passes: the one of a by-source rule; of a by-target rule those that count, gather and draw."""
        if self.rule.by == "source":
            return (compile_pass(self.rule, self.inputs, self.sorts),)
        return *compile_gathering(self.rule), compile_draw(self.inputs)

    @cached_property
    def guide(self) -> np.ndarray:
        """A table that gives the tick of most delays that are drawn."""
        return guide_of(self.delay, self.dt, self.low, self.high)

    @cached_property
    def ticks(self) -> np.ndarray:
        """The delays that may occur; all that do are among them."""
        if not self.delayed:
            return np.array([self.low])
        if self.span <= FEW_TICKS:
            return self.low + np.arange(self.span)
        return self._occurring(self._each_part(self._survey))

    def made(self) -> Connectivity:
        """Return the synapses."""
        ticks = self.ticks
        parts, used = zip(*self._each_part(self._laid), strict=True)
        delays = self._occurring(used) if self.delayed else ticks
        drop_columns(parts, np.isin(ticks, delays))
        return Connectivity(list(parts), delays, *self.shape, sum(part.target.size for part in parts))

    def strip(self, thread: int, ticks: np.ndarray) -> "Strip | Gathered":
        """Return what draws the synapses of a part, those of some sources at a time.

        Args:
            thread: number of the part.
            ticks: delays whose places are the columns; those of the draft are among them.
        """
        low, high = self.bounds[thread:thread + 2].tolist()
        return self._strip(low, high, ticks)

    def _strip(self, first, last, ticks):
        return (Strip if self.rule.by == "source" else Gathered)(self, first, last, ticks)

    def found(self, strips: list) -> tuple:
        """Return the delays that occur, and the number of synapses, when all rows were drawn by a strip for each part.

        Raises:
            ParameterError: if a delay is not allowed.
        """
        delays = self._occurring([strip.used for strip in strips]) if self.delayed else self.ticks
        return delays, sum(strip.count for strip in strips)

    def largest(self, name: str) -> float:
        """Return the largest size of a quantity, 0 where there is no synapse; nothing is kept."""
        value = self.values[name]
        if value.kind == "shared":
            return abs(value.shared)
        own, partners = self.shape if self.rule.by == "source" else self.shape[::-1]
        main, rows = compile_largest(self.rule, value), self.rows

        def largest(first, last):
            size, capacity = np.zeros(1, self.real), rows.capacity
            main(partners, first, last, rows.ints, rows.floats, np.uint64(self.key[0]), np.uint64(self.key[1]),
                 np.uint64(self.stream), self.starts, np.empty(capacity, np.uint32), np.empty(capacity),
                 np.array([1 << 32, -1]), np.empty(1, self.real), size, value.data, np.uint64(value.stream))
            return float(size[0])

        return max(self._each(largest, np.linspace(0, own, self.threads + 1).astype(np.int64)))

    def _each_part(self, make):
        _ = self.compiled, self.guide  # made before threads need them
        return self._each(make, self.bounds)

    def _each(self, make, bounds):
        """Return what a function makes of each range, by some threads at once where there is more than one."""
        ranges = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
        if self.threads == 1 or len(ranges) == 1:
            return [make(*ends) for ends in ranges]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(lambda ends: make(*ends), ranges))

    def columns(self, ticks) -> np.ndarray:
        """Return the column of each tick from the lowest to the highest."""
        return np.searchsorted(ticks, self.low + np.arange(self.span)).astype(np.uint32)

    def buffers(self) -> dict:
        """Return what a pass needs for one row, and the flags of the ticks that it uses."""
        capacity = self.rows.capacity
        return {
            "used": np.zeros(self.span, np.uint8),
            "out": np.empty(capacity, np.uint32),
            "near": np.empty(capacity, np.uint32),
            "which": np.empty(capacity, np.uint32),
            "place": np.empty(capacity if self.delayed else 0, np.uint32),
            "uniform": np.empty(capacity),
            "spare": np.empty((2, capacity if self.sorts else 0), np.uint32),
            "digits": np.empty(256, np.int64),
        }

    def draw(self, first, last, buffers, column, *, rows=None, filling=True, start, columns=None, target=None,
             values=None) -> int:
        """Run the compiled pass over one part, or some rows of it."""
        return self.compiled[0](
            filling, *self.shape, first, last, *(rows or (0, self.shape[0])), self.rows.ints, self.rows.floats,
            np.uint64(self.key[0]), np.uint64(self.key[1]), np.uint64(self.stream), self.starts, self.dt, self.low,
            self.high, column, self.guide, *buffers.values(), start,
            np.empty(0, np.uint16) if columns is None else columns,
            np.empty(0, self.types[0]) if target is None else target, *self.arguments(values or self.empty(0)))

    def arguments(self, values: dict) -> list:
        """Return what the quantities add to the arguments of a pass that fills in values."""
        arguments = []
        for q, value in self.inputs.items():
            arguments += [value.data] + ([values[self.arrays[q]]] if q != "d" else [])
            if value.kind == "drawn":
                arguments.append(np.uint64(value.stream))
        return arguments

    def room(self, first: int, last: int) -> int:
        """Return how many synapses to make room for in a part: eight standard deviations above the mean."""
        share = self.rule.expected_into(first, last, *self.shape, self.shift)
        room = math.ceil(share + 8.0 * math.sqrt(share) + 64.0)
        return min(room, int(self.rule.expected(*self.shape, self.shift))) if self.rule.exact else room

    def empty(self, size) -> dict:
        """Return arrays for the values of some synapses."""
        return {name: np.empty(size, self.real) for name in self.arrays.values()}

    def _survey(self, first, last):
        """Return which ticks occur in a part."""
        none = np.zeros(self.span, np.uint32)
        if self.rule.by == "target":
            return Gathered(self, first, last, none[:0]).survey()
        buffers = self.buffers()
        self.draw(first, last, buffers, none, filling=False, start=np.empty(self.shape[0] + 1, np.int64))
        return buffers["used"]

    def _laid(self, first, last):
        """Return a part, and the flags of the ticks that it uses."""
        strip = self._strip(first, last, self.ticks)
        part = lay([Member(strip, 0, self.shape[0])], self.shape[0], self.ticks.size, target=self.types[0],
                   real=self.real, stored=self.stored)
        return self._part(first, part), strip.used

    def _part(self, first, part):
        """Return a part with the quantities in their order, those that all synapses share too."""
        part.first, part.values = first, {name: part.values.get(name, self.values[name].shared) for name in self.values}
        return part

    def _occurring(self, made):
        """Return the delays that occur, from the flags of all parts; refuse those that are not allowed."""
        used = np.any(made, axis=0)
        for tick in {0, MAX_TICKS + 1} & {self.low, self.high}:
            if used[tick - self.low]:
                drawn = self.delay.kind == "drawn"
                got = "a draw that rounds to " if drawn else "an entry that rounds to "
                got += "0" if tick == 0 else f"more ({MAX_TICKS} ticks)"
                help_ = f"; give the distribution low={self.dt:g} and bounds='clip' or 'redraw'" if drawn else ""
                refuse_delay(tick, self.dt, self.what, got + help_)
        return self.low + np.flatnonzero(used)


class Strip(Giver):
    """Draws rows of one part of a by-source draft, some at a time, each time into the same arrays.

    Attributes:
        used: flags of the ticks that occurred so far.
        count: number of synapses that were drawn so far.
    """

    def __init__(self, draft: Draft, first: int, last: int, ticks: np.ndarray):
        self.draft, self.first, self.last, self.buffers = draft, first, last, draft.buffers()
        self.used, self.count, self.size, self.column = self.buffers["used"], 0, -1, draft.columns(ticks)
        self.room = draft.room(first, last)
        self.only = 0 if draft.delayed else int(np.searchsorted(ticks, draft.low))
        self.narrow = np.uint16 if ticks.size < 65536 else np.uint32

    def rows(self, low: int, high: int) -> Slab:
        """Return the rows low .. high - 1; they are overwritten by the next ones."""
        start = np.empty(high - low + 1, np.int64)
        found = math.ceil(self.room * (high - low) / max(self.draft.shape[0], 1))
        done = False
        while not done:
            if found > self.size:  # the first time, or there was not enough room
                self._make_room(found)
            found = self.draft.draw(self.first, self.last, self.buffers, self.column, rows=(low, high), start=start,
                                    columns=self.columns, target=self.target, values=self.values)
            done = found <= self.size
        self.count += found
        return Slab(start, self.columns[:found], self.only, self.target[:found],
                    {name: array[:found] for name, array in self.values.items()})

    def done(self) -> None:
        """Let go of the arrays."""
        self._make_room(0)

    def _make_room(self, size):
        self.size, self.values = size, self.draft.empty(size)
        self.target = np.empty(size, self.draft.types[0])
        self.columns = np.empty(size if self.draft.delayed else 0, self.narrow)


def target_type(n: int) -> type:
    """Return the type that holds targets 0 .. n - 1."""
    return np.uint16 if n <= 65536 else np.uint32
