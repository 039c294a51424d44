"""Builds the synapses of a projection: from a rule and its values to arrays that the loops read.

Each part owns a range of targets and holds, for every source, a row of synapses sorted by delay. A
by-source rule is drawn row by row into the arrays, with room for what is expected and again if that
was not enough; a by-target rule is drawn once to count the rows and once to fill them, and then
sorted by delay within each row.
"""

import math
import textwrap
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.checks import Samples, describe_value
from neurosim.connectivity import Rows, Rule
from neurosim.distributions import Distribution
from neurosim.engine.loader import load_function
from neurosim.errors import NeurosimWarning, ParameterError
from neurosim.random import Streams, philox, seed_words, uniform53

MAX_TICKS = 2**24  #: no delay is longer
FEW_TICKS = 256  #: in a range of so few ticks no pass is needed to find those that occur


@dataclass
class Part:
    """The synapses of one range of targets, a row for each source, ordered by delay within a row.

    Attributes:
        first: index of the first target of the range.
        start: int64 (n_source + 1), where each row begins in the arrays of synapses.
        offsets: (n_source, n_delays + 1), where each delay begins within a row; None for one delay.
        target: uint16 or uint32, index of the target counted from `first`.
        values: name -> one value per synapse, or one number for all.
    """

    first: int
    start: np.ndarray
    offsets: np.ndarray | None
    target: np.ndarray
    values: dict[str, Any]


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


@dataclass
class _Value:
    """How one quantity is looked up or drawn: a kind, and the arrays that its code takes."""

    kind: str  # "shared", "drawn", "matrix" or "listed"
    shared: float = 0.0
    data: np.ndarray | None = None
    stream: int = 0
    quantile: Any = None


def build(rule: Rule, n_source: int, n_target: int, same: bool, *, quantities: dict, delay, bounds, seed: int,
          streams: Streams, label: str, dt: float, real, sort: bool = False, threads: int = 1) -> Connectivity:
    """Return the synapses that a rule makes between two populations.

    Args:
        rule: who connects to whom.
        n_source, n_target: sizes of the populations.
        same: whether both are one population.
        quantities: name -> a number (kept as one), a distribution, an array (n_source, n_target), or, for
            rules that list their synapses, a 1-D array with one value each. None: what the rule brings.
        delay: the same, in ms.
        bounds: boundaries of the parts over the targets, from 0 to n_target.
        seed: seed of the simulation, up to 64 bits.
        streams: takes one stream for the rule, one for the delay and one for each quantity.
        label: what the projection is called, for messages.
        dt: tick in ms.
        real: float type of the values.
        sort: whether synapses of a row with the same delay are sorted by target.
        threads: how many parts are built at once.

    Raises:
        ParameterError: for impossible rules, values of the wrong shape, or a delay that rounds to 0.

    >>> from neurosim.connectivity import FixedInDegree
    >>> made = build(FixedInDegree(3), 10, 4, False, quantities={"weight": 0.5}, delay=1.5, bounds=[0, 4], seed=1,
    ...              streams=Streams(), label="", dt=0.1, real=np.float32)
    >>> made.n_synapses, made.delays
    (12, array([15]))
    """
    label = f"{label}: " if label else ""
    bounds = np.asarray(bounds, np.int64)
    if bounds.size < 2 or bounds[0] != 0 or bounds[-1] != n_target or (np.diff(bounds) < 0).any():
        raise ParameterError(f"{label}bounds must ascend from 0 to {n_target}, got {bounds.tolist()}")
    rule.check(n_source, n_target, same)
    stream = streams.new(f"{label}connections")
    rows = rule.prepare(n_source, n_target, same, np.random.default_rng([seed, stream]))
    shape = n_source, n_target
    ticks, low, high = _delay(delay, shape, rows, dt, label, streams.new(f"{label}delay"))
    values = {}
    for name, given in quantities.items():
        given = rule.weights() if given is None and name == "weight" else given
        values[name] = _value(given, shape, rows, f"{label}{name}", streams.new(f"{label}{name}"), real)
    job = _Job(rule, rows, shape, same, bounds, seed_words(seed), stream, ticks, low, high, values, dt,
               np.dtype(real), sort, threads, label)
    return job.run()


# What was given for a quantity


def _value(given, shape, rows, what, stream, real):
    """Return how a quantity is had; raise ParameterError for what fits no synapse."""
    if isinstance(given, Distribution):
        return _Value("drawn", data=given.numbers(), stream=stream, quantile=type(given).quantile)
    array = _array(given, what)
    if array.ndim == 0:
        return _Value("shared", shared=float(array), stream=stream)
    kind, array = _per_synapse(array, shape, rows, what)
    if not np.isfinite(array).all():
        raise ParameterError(f"{what} must be finite, got an array that holds {array[~np.isfinite(array)][0]}")
    return _Value(kind, data=_frozen(array, real))


def _array(given, what):
    """Return a number or an array as it is, without a copy; refuse anything else."""
    array = np.asarray(given)
    if array.dtype.kind not in "iuf" or isinstance(given, Samples) or array.ndim > 2 or (
            array.ndim == 0 and not np.isfinite(array)):
        raise ParameterError(f"{what} must be a finite number, a distribution or an array, got {describe_value(given)}")
    return array


def _per_synapse(array, shape, rows, what):
    """Return the kind of an array and the array in the order in which it is read."""
    if array.ndim == 2 and array.shape == shape:
        return "matrix", array
    if array.ndim == 1 and rows.starts is not None and array.size == rows.starts[-1]:
        return "listed", array if rows.order is None else array[rows.order]
    one_each = "" if rows.starts is None else f" or ({rows.starts[-1]},)"
    raise ParameterError(f"{what} must be a number, a distribution or an array of shape {shape}{one_each}, got "
                         f"{describe_value(array)}")


def _frozen(array, dtype):
    """Return a read-only contiguous array, so that one compiled loop serves all."""
    array = np.ascontiguousarray(array, dtype).view()
    array.setflags(write=False)
    return array


def _delay(given, shape, rows, dt, label, stream):
    """Return how the delays are had, in ticks, and the smallest and largest that may occur."""
    what = f"{label}delay"
    if isinstance(given, Distribution):
        numbers = given.numbers()
        ends = [min(max(type(given).quantile(u, *numbers[:2]), numbers[4]), numbers[5])
                for u in (max(numbers[2], 1e-17), min(numbers[3], 1 - 2**-53))]
        low, high = (int(min(max(math.floor(end / dt + 0.5), 0), MAX_TICKS)) for end in ends)
        return _Value("drawn", data=numbers, stream=stream, quantile=type(given).quantile), low, high
    array = _array(given, what)
    if array.ndim == 0:
        tick = int(_round(array, dt, what))
        if tick < 1 or tick > MAX_TICKS:
            _refuse_delay(tick, dt, label, f"{float(array)!r}")
        return _Value("shared", shared=tick), tick, tick
    kind, array = _per_synapse(array, shape, rows, what)
    ticks = _frozen(_round(array, dt, what), np.int32)
    low, high = (int(ticks.min()), int(ticks.max())) if ticks.size else (1, 1)
    return _Value(kind, data=ticks), low, high


def _round(ms, dt, what):
    """Return times in whole ticks, at most one more than allowed; warn where they are off the grid."""
    with np.errstate(invalid="ignore"):
        exact = np.asarray(ms, np.float64) / dt
        ticks = np.where(exact >= 0, np.minimum(np.floor(exact + 0.5), MAX_TICKS + 1), 0)  # NaN becomes 0
        off = np.abs(exact - ticks)[(ticks > 0) & (ticks <= MAX_TICKS)]
    worst = off.max(initial=0.0)
    if worst > 1e-6 * max(1.0, float(np.max(ticks, initial=0))):
        warnings.warn(f"{what} is not a multiple of dt = {dt:g} ms and was rounded, by up to {worst * dt:.3g} ms",
                      NeurosimWarning, stacklevel=4)
    return ticks


def _refuse_delay(tick, dt, label, got):
    limit = f">= dt = {dt:g} ms" if tick < 1 else f"<= {MAX_TICKS * dt:g} ms"
    raise ParameterError(f"{label}delay must be {limit}, got {got}")


# The texts of the compiled passes

_UNIFORM = """
            for i in range({count}):
                w = philox(np.uint64({k}), np.uint64(row), stream_{name}, np.uint64(0), k0, k1)
                uniform[i] = {name}[2] + ({name}[3] - {name}[2]) * uniform53(w[0], w[1])
"""
_LOOK_UP = {
    "drawn": "x = min(max(quantile_{name}(uniform[i], {name}[0], {name}[1]), {name}[4]), {name}[5])",
    "matrix": "x = {name}[{pair}]",
    "listed": "x = {name}[starts[row] + {k}]",
}
_TICK = {"drawn": "math.floor(min(max(x / dt + 0.5, low), high))", "matrix": "x", "listed": "x"}

# Few cells of equal probability hold draws of two ticks; for the others a table says which tick it is.
CELLS = 8192
_GUIDE = """
import math
import numpy as np

def main(d, dt, low, high, guide):
    before = -1
    for cell in range(guide.size + 1):
        x = min(max(quantile(min(max(cell / guide.size, 1e-17), 1.0 - 2.0**-53), d[0], d[1]), d[4]), d[5])
        tick = np.int64(math.floor(min(max(x / dt + 0.5, low), high)))
        if cell > 0:
            guide[cell - 1] = tick if tick == before else -1
        before = tick
"""
_GUIDED = """tick = np.int64(guide[np.uint64(uniform[i] * guide.size)])
                if tick < 0:
                    {look_up}
                    tick = np.int64({tick})"""

_HEAD = """
import math
import numpy as np

def main(filling, survey, n_source, n_target, first, last, ints, floats, k0, k1, stream, starts, dt, low, high,
         column, guide, used, cursor, out, near, which, place, uniform, spare, digits, start, offsets, columns,
         target{arguments}):
"""

_BY_SOURCE = """
    begin = np.uint32(first)
    width = np.uint32(last - first)
    position = 0
    for row in range(n_source):
        start[row] = position
        kept = 0
        for k in range(partners(row, n_target, ints, floats, k0, k1, stream, out)):
            local = np.uint32(out[k] - begin)
            near[kept] = local
            which[kept] = k
            kept += np.int64(local < width)
{sort}{delays}
        if filling and position + kept <= target.size:
{arrange}
            row_target = target[position:position + kept]
            for i in range(kept):
                row_target[{at}] = near[i]
{values}
        position += kept
    start[n_source] = position
    return position
"""

_SORT = """
        sort_row(near, which, kept, spare, digits, width)
"""

_DELAYS = """
        if {when}:
{uniform}
            for i in range({count}):
                {found}
                used[tick - low] = 1
                place[i] = column[tick - low]
"""

_ARRANGE = """
            cursor[:] = 0
            for i in range(kept):
                cursor[place[i]] += 1
            total = 0
            for c in range(cursor.size):
                offsets[row, c] = total
                size = cursor[c]
                cursor[c] = total
                total += size
            offsets[row, cursor.size] = total
            for i in range(kept):
                c = place[i]
                place[i] = cursor[c]
                cursor[c] += 1
"""

_SOURCE_VALUES = """
{uniform}
            row_{name} = values_{name}[position:position + kept]
            for i in range(kept):
                {look_up}
                row_{name}[{at}] = x
"""

_BY_TARGET = """
    for row in range(first, last):
        count = partners(row, n_source, ints, floats, k0, k1, stream, out)
{delays}
        if not filling:
            for i in range(count):
                cursor[out[i]] += 1
        else:
            for i in range(count):
                at = cursor[out[i]]
                cursor[out[i]] = at + 1
                which[i] = at
                target[at] = row - first
{keep}{values}
    return 0
"""

_KEEP = """
            for i in range(count):
                columns[which[i]] = place[i]
"""

_TARGET_VALUES = """
{uniform}
            for i in range(count):
                {look_up}
                values_{name}[which[i]] = x
"""

_BY_DELAY = """
def main(start, columns, cursor, offsets):
    for row in range(start.size - 1):
        place = columns[start[row]:start[row + 1]]
        kept = place.size
""" + textwrap.indent(textwrap.dedent(_ARRANGE), " " * 8)

_PERMUTE = """
def main(start, place, scratch, values):
    for row in range(start.size - 1):
        first = start[row]
        count = start[row + 1] - first
        for i in range(count):
            scratch[place[first + i]] = values[first + i]
        for i in range(count):
            values[first + i] = scratch[i]
"""

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


def _parts(name, value, count, k, pair):
    """Return the pieces of text that get one value of a synapse into x."""
    look_up = _LOOK_UP[value.kind].format(name=name, k=k, pair=pair)
    plain = "{look_up}\n                tick = np.int64({tick})"
    found = _GUIDED if value.kind == "drawn" else plain
    return {
        "count": count,
        "found": found.format(look_up=look_up, tick=_TICK[value.kind]),
        "uniform": _UNIFORM.format(name=name, count=count, k=k) if value.kind == "drawn" else "",
        "look_up": look_up,
    }


def _mix(z):
    """Return 64 well mixed bits (the finaliser of splitmix64)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _sort_row(out, which, kept, spare, digits, width):
    """Sort the targets of a row, each with its place of creation, keeping the order of equals."""
    shift = 0
    while (np.int64(width) - 1) >> shift > 0:
        digits[:] = 0
        for i in range(kept):
            digits[(out[i] >> shift) & 255] += 1
        total = 0
        for d in range(256):
            size = digits[d]
            digits[d] = total
            total += size
        for i in range(kept):
            d = (out[i] >> shift) & 255
            spare[0, digits[d]] = out[i]
            spare[1, digits[d]] = which[i]
            digits[d] += 1
        for i in range(kept):
            out[i] = spare[0, i]
            which[i] = spare[1, i]
        shift += 8


@dataclass
class _Job:
    """One call of `build`: what its compiled passes take, and the passes over all parts."""

    rule: Rule
    rows: Rows
    shape: tuple[int, int]
    same: bool
    bounds: np.ndarray
    key: tuple[int, int]
    stream: int
    delay: _Value
    low: int
    high: int
    values: dict[str, _Value]
    dt: float
    real: np.dtype
    sort: bool
    threads: int
    what: str

    def __post_init__(self):
        self.delayed = self.delay.kind != "shared"
        self.arrays = {f"q{i}": value for i, value in enumerate(self.values.values()) if value.kind != "shared"}
        self.inputs = ({"d": self.delay} if self.delayed else {}) | self.arrays
        self.span = self.high - self.low + 1 if self.delayed else 0
        self.n_columns = self.span
        self.column = np.arange(self.span if self.span <= FEW_TICKS else 0, dtype=np.uint32)

    def run(self) -> Connectivity:
        """Return the synapses."""
        self.main = self._compile()
        self.guide = np.empty(CELLS if self.delay.kind == "drawn" else 0, np.int32)
        if self.guide.size:
            guide = load_function("build_guide", _GUIDE, {"quantile": self.delay.quantile})
            guide(self.delay.data, self.dt, self.low, self.high, self.guide)
        if self.span > FEW_TICKS:
            occurring = self._used(self._each_part(self._survey))
            self.n_columns = int(occurring.sum())
            self.column = (np.cumsum(occurring) - 1).astype(np.uint32)
        made = self._each_part(self._by_source if self.rule.by == "source" else self._by_target)
        parts, used = zip(*made, strict=True)
        delays = np.array([self.low])
        if self.delayed:
            occurring = self._used(used)
            delays = self.low + np.flatnonzero(occurring)
            self._drop_columns(parts, self.column[occurring], delays.size)
        return Connectivity(list(parts), delays, *self.shape, sum(part.target.size for part in parts))

    def _compile(self):
        """Return the compiled pass for this rule, these kinds of values and this kind of delay."""
        leaves = {"partners": self.rule.partners, "philox": philox, "uniform53": uniform53}
        arguments = ""
        for name, value in self.inputs.items():
            arguments += f", {name}" + (f", values_{name}" if name != "d" else "")
            if value.kind == "drawn":
                arguments += f", stream_{name}"
                leaves[f"quantile_{name}"] = value.quantile
        if self.rule.by == "target":
            body = self._text_by_target()
        else:
            body = self._text_by_source()
            if self._sorts():
                leaves["sort_row"] = _sort_row
        return load_function("build", _HEAD.format(arguments=arguments) + body, leaves)

    def _sorts(self):
        return self.rule.by == "source" and self.sort and not self.rule.ascending

    def _text_by_source(self):
        def parts(name, value):
            return _parts(name, value, count="kept", k="which[i]", pair="row, np.int64(near[i]) + first")

        at = "place[i]" if self.delayed else "i"
        delays = _DELAYS.format(when="True", **parts("d", self.delay)) if self.delayed else ""
        values = [_SOURCE_VALUES.format(name=name, at=at, **parts(name, value)) for name, value in self.arrays.items()]
        return _BY_SOURCE.format(sort=_SORT if self._sorts() else "", delays=delays, at=at,
                                 arrange=_ARRANGE if self.delayed else "", values="".join(values))

    def _text_by_target(self):
        def parts(name, value):
            return _parts(name, value, count="count", k="i", pair="np.int64(out[i]), row")

        delays = _DELAYS.format(when="filling or survey", **parts("d", self.delay)) if self.delayed else ""
        values = [_TARGET_VALUES.format(name=name, **parts(name, value)) for name, value in self.arrays.items()]
        return _BY_TARGET.format(delays=delays, keep=_KEEP if self.delayed else "", values="".join(values))

    def _each_part(self, make):
        ranges = list(zip(self.bounds[:-1].tolist(), self.bounds[1:].tolist(), strict=True))
        if self.threads == 1 or len(ranges) == 1:
            return [make(*ends) for ends in ranges]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(lambda ends: make(*ends), ranges))

    def _buffers(self):
        """Return what one part needs for one row, and the flags of the ticks that it uses."""
        capacity = self.rows.capacity
        return {
            "used": np.zeros(self.span, np.uint8),
            "out": np.empty(capacity, np.uint32),
            "near": np.empty(capacity if self.rule.by == "source" else 0, np.uint32),
            "which": np.empty(capacity, np.uint32 if self.rule.by == "source" else np.int64),
            "place": np.empty(capacity if self.delayed else 0, np.uint32),
            "uniform": np.empty(capacity),
            "spare": np.empty((2, capacity if self._sorts() else 0), np.uint32),
            "digits": np.empty(256, np.int64),
        }

    def _pass(self, first, last, filling, survey, buffers, *, cursor, start, offsets, columns, target, values):
        """Run the compiled pass over one part."""
        column = self.column
        if column.size == 0:
            column = np.zeros(self.span if survey else 0, np.uint32)
        starts = np.zeros(1, np.int64) if self.rows.starts is None else self.rows.starts.astype(np.int64)
        arguments = []
        for name, value in self.inputs.items():
            arguments += [value.data] + ([values[name]] if name != "d" else [])
            if value.kind == "drawn":
                arguments.append(np.uint64(value.stream))
        return self.main(
            filling, survey, *self.shape, first, last, self.rows.ints, self.rows.floats, np.uint64(self.key[0]),
            np.uint64(self.key[1]), np.uint64(self.stream), starts, self.dt, self.low, self.high, column, self.guide,
            buffers["used"], cursor, buffers["out"], buffers["near"], buffers["which"], buffers["place"],
            buffers["uniform"], buffers["spare"], buffers["digits"], start, offsets, columns, target, *arguments)

    def _survey(self, first, last):
        """Return which ticks occur in a part."""
        buffers = self._buffers()
        by_source = self.rule.by == "source"
        start = np.empty(self.shape[0] + 1, np.int64)
        self._pass(first, last, False, True, buffers, cursor=np.zeros(0 if by_source else self.shape[0], np.int64),
                   start=start, offsets=np.empty((0, 0), self._offset_type()), columns=np.empty(0, np.uint16),
                   target=np.empty(0, _target_type(last - first)), values=self._empty(0))
        return buffers["used"]

    def _empty(self, size):
        return {name: np.empty(size, self.real) for name in self.arrays}

    def _offset_type(self):
        return np.uint16 if self.rows.capacity < 65536 else np.uint32

    def _by_source(self, first, last):
        """Return a part of a by-source rule: filled at once, or again if there was not enough room."""
        n_source, n_target = self.shape
        buffers = self._buffers()
        start = np.empty(n_source + 1, np.int64)
        offsets = np.empty((n_source if self.delayed else 0, self.n_columns + 1), self._offset_type())
        room = _room(self.rule, n_source, n_target, self.same, first, last)
        while True:
            target, values = np.empty(room, _target_type(last - first)), self._empty(room)
            found = self._pass(first, last, True, False, buffers, cursor=np.zeros(self.n_columns, np.int64),
                               start=start, offsets=offsets, columns=np.empty(0, np.uint16), target=target,
                               values=values)
            if found <= room:
                break
            room = found
        target, values = _trimmed(target, found), {name: _trimmed(array, found) for name, array in values.items()}
        return self._part(first, start, offsets, target, values), buffers["used"]

    def _by_target(self, first, last):
        """Return a part of a by-target rule: counted, filled, and sorted by delay within each row."""
        n_source, n_columns = self.shape[0], self.n_columns
        buffers = self._buffers()
        cursor = np.zeros(n_source, np.int64)
        fixed = {"start": cursor[:0], "offsets": np.empty((0, 0), self._offset_type())}
        target_type = _target_type(last - first)
        self._pass(first, last, False, False, buffers, cursor=cursor, **fixed, columns=np.empty(0, np.uint16),
                   target=np.empty(0, target_type), values=self._empty(0))
        start = np.concatenate([[0], np.cumsum(cursor)])
        longest = int(cursor.max(initial=0))
        narrow = np.uint16 if max(longest, n_columns) < 65536 else np.uint32
        cursor[:] = start[:-1]
        columns = np.empty(start[-1] if self.delayed else 0, narrow)
        target, values = np.empty(start[-1], target_type), self._empty(start[-1])
        self._pass(first, last, True, False, buffers, cursor=cursor, **fixed, columns=columns, target=target,
                   values=values)
        offsets = np.empty((n_source if self.delayed else 0, n_columns + 1), narrow)
        if self.delayed:
            load_function("build_by_delay", _BY_DELAY, {})(start, columns, np.empty(n_columns, np.int64), offsets)
            permute = load_function("build_permute", _PERMUTE, {})
            for array in (target, *values.values()):
                permute(start, columns, np.empty(longest, array.dtype), array)
        return self._part(first, start, offsets, target, values), buffers["used"]

    def _part(self, first, start, offsets, target, values):
        arrays = iter(values.values())
        named = {name: value.shared if value.kind == "shared" else next(arrays)
                 for name, value in self.values.items()}
        return Part(first, start, offsets if self.delayed else None, target, named)

    def _used(self, made):
        """Return which ticks occur; raise ParameterError if one of them is not allowed."""
        used = np.zeros(self.span, bool)
        for flags in made:
            used |= flags.astype(bool)
        for tick in {0, MAX_TICKS + 1} & {self.low, self.high}:
            if used[tick - self.low]:
                drawn = self.delay.kind == "drawn"
                got = "a draw that rounds to " if drawn else "an entry that rounds to "
                got += "0" if tick == 0 else f"more ({MAX_TICKS} ticks)"
                help_ = f"; give the distribution low={self.dt:g} and bounds='clip' or 'redraw'" if drawn else ""
                _refuse_delay(tick, self.dt, self.what, got + help_)
        return used

    def _drop_columns(self, parts, occurring, n_delays):
        """Leave only the delays that occur in the tables of offsets, in the narrowest type that holds them."""
        kept = np.append(occurring, self.n_columns).astype(np.int64)
        for part in parts:
            longest = int(np.diff(part.start).max(initial=0))
            if n_delays < 2:
                part.offsets = None
            else:
                offsets = part.offsets if kept.size == part.offsets.shape[1] else part.offsets[:, kept]
                part.offsets = np.ascontiguousarray(offsets, np.uint16 if longest < 65536 else np.uint32)


def _target_type(n):
    return np.uint16 if n <= 65536 else np.uint32


def _room(rule, n_source, n_target, same, first, last):
    """Return how many synapses to make room for in a part: eight standard deviations above the mean."""
    share = rule.expected_into(first, last, n_source, n_target, same)
    room = math.ceil(share + 8.0 * math.sqrt(share) + 64.0)
    return min(room, int(rule.expected(n_source, n_target, same))) if rule.exact else room


def _trimmed(array, size):
    """Return the first `size` values; a copy only where much would be kept for nothing."""
    return array[:size] if array.size - size <= size // 16 else array[:size].copy()


def estimate_bytes(rule: Rule, n_source: int, n_target: int, same: bool, *, quantities: dict, delay, bounds,
                   dt: float, real) -> int:
    """Return about how much memory `build` takes at its peak, without building anything.

    Takes what `build` takes.

    >>> from neurosim.connectivity import FixedTotal
    >>> estimate_bytes(FixedTotal(1000000), 1000, 1000, False, quantities={"weight": 0.1}, delay=1.0,
    ...                bounds=[0, 1000], dt=0.1, real=np.float32)
    2008008
    """
    parts = len(bounds) - 1
    widest = int(np.max(np.diff(bounds), initial=0))
    n = rule.expected(n_source, n_target, same)
    arrays = sum(isinstance(given, Samples) or given is None or np.ndim(given) > 0 for given in quantities.values())
    each = np.dtype(_target_type(widest)).itemsize + arrays * np.dtype(real).itemsize
    total = n * each + parts * 8 * (n_source + 1)
    if isinstance(delay, Samples) or np.ndim(delay):
        n_delays = _count_delays(delay, (n_source, n_target), n, dt)
        total += parts * n_source * (n_delays + 1) * 2 + (2 * n if rule.by == "target" else 0)
    return int(total)


def _count_delays(delay, shape, n, dt):
    """Return about how many columns the tables of offsets will have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)
        value, low, high = _delay(delay, shape, Rows(0, np.empty(0), starts=np.array([np.size(delay)])), dt, "", 0)
    if high - low < FEW_TICKS:
        return high - low + 1
    if value.kind != "drawn":
        return np.unique(value.data).size
    edges = np.unique(np.geomspace(1, high - low + 2, 20_000).astype(np.int64)) - 1  # of groups of ticks
    below = np.array([delay.probability((low + edge - 0.5) * dt) for edge in edges])
    below[0], below[-1] = 0.0, 1.0
    first, last = delay.uniform_range()
    share = np.diff(np.clip((below - first) / (last - first), 0.0, 1.0)) / np.diff(edges)
    return math.ceil((np.diff(edges) * -np.expm1(n * np.log1p(-np.minimum(share, 0.999)))).sum())


# What is done with synapses that are built


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
    >>> made = build(Explicit([2, 0], [1, 0]), 3, 2, False, quantities={"weight": [0.2, 0.1]}, delay=1.0, bounds=[0, 2],
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
    if values.ndim:
        ordered = np.empty_like(values)
        ordered[_coordinates(connectivity)[3]] = values
    first = 0
    for part in connectivity.parts:
        last = first + part.target.size
        new = ordered[first:last] if values.ndim else float(values)
        if isinstance(part.values.get(name), np.ndarray):
            part.values[name][...] = new
        else:
            part.values[name] = new
        first = last


def checksum(connectivity: Connectivity) -> int:
    """Return a number of 64 bits that identifies all sources, targets, delays and weights.

    It is a sum of mixed bits over the synapses, so that neither the order nor the number of parts matters.
    """
    main = load_function("build_checksum", _CHECKSUM, {"mix": _mix})
    total = 0
    for part in connectivity.parts:
        weight = np.atleast_1d(np.asarray(part.values.get("weight", 0.0)))
        bits = weight.view(np.uint32 if weight.dtype == np.float32 else np.uint64)
        offsets = np.empty((0, 0), np.uint16) if part.offsets is None else part.offsets
        total += int(main(part.start, offsets, connectivity.delays, part.target, part.first, bits))
    return total & 0xFFFFFFFFFFFFFFFF
