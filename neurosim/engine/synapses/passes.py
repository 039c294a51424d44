"""The compiled passes that draw synapses: their texts, put together from the rule and the kinds of the values.

A pass goes over rows. One of a by-source rule appends its synapses to arrays as they come. One of a by-target rule
first counts the synapses of each source, and then writes each to the place that the counts give it.
"""

import numpy as np

from neurosim.engine.checked import CHECKING
from neurosim.engine.loader import load_function
from neurosim.engine.refusal import is_ours
from neurosim.random import philox, uniform53

_UNIFORM = """
            for i in range({count}):
                w = philox(np.uint64({k}), np.uint64(row), stream_{name}, np.uint64(0), k0, k1)
                uniform[i] = min({name}[2] + ({name}[3] - {name}[2]) * uniform53(w[0], w[1]), 1.0 - 2.0**-53)
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
        x = min(max(quantile(min(max(cell / guide.size, 1e-300), 1.0 - 2.0**-53), d[0], d[1]), d[4]), d[5])
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

def main(filling, survey, n_source, n_target, first, last, low_row, high_row, ints, floats, k0, k1, stream, starts,
         dt, low, high, column, guide, used, cursor, out, near, which, place, uniform, spare, digits, start,
         columns, target{arguments}):
"""

_BY_SOURCE = """
    begin = np.uint32(first)
    width = np.uint32(last - first)
    position = 0
    for row in range(low_row, high_row):
        start[row - low_row] = position
        kept = 0
        for k in range(partners(row, n_target, ints, floats, k0, k1, stream, out)):
            local = np.uint32(out[k] - begin)
            near[kept] = local
            which[kept] = k
            kept += np.int64(local < width)
{sort}{delays}
        if filling and position + kept <= target.size:
            row_target = target[position:position + kept]
            for i in range(kept):
                row_target[i] = near[i]
{keep}{values}
        position += kept
    start[high_row - low_row] = position
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

_SOURCE_KEEP = """
            row_columns = columns[position:position + kept]
            for i in range(kept):
                row_columns[i] = place[i]
"""

_SOURCE_VALUES = """
{uniform}
            row_{name} = values_{name}[position:position + kept]
            for i in range(kept):
                {look_up}
                row_{name}[i] = x
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

_TARGET_KEEP = """
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
        cursor[:] = 0
        for i in range(place.size):
            cursor[place[i]] += 1
        total = 0
        for c in range(cursor.size):
            offsets[row, c] = total
            size = cursor[c]
            cursor[c] = total
            total += size
        offsets[row, cursor.size] = total
        for i in range(place.size):
            c = place[i]
            place[i] = cursor[c]
            cursor[c] += 1
"""

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


def compile_pass(rule, inputs: dict, sorts: bool):
    """Return the compiled pass for a rule; one that is not our own is checked, for it may ask for too little room.

    Args:
        rule: who connects to whom.
        inputs: the quantities that differ from synapse to synapse, by the names in the text; "d" is the delay.
        sorts: whether the rows of a by-source rule are sorted by target.
    """
    leaves = {"partners": rule.partners, "philox": philox, "uniform53": uniform53}
    arguments = ""
    for name, value in inputs.items():
        arguments += f", {name}" + (f", values_{name}" if name != "d" else "")
        if value.kind == "drawn":
            arguments += f", stream_{name}"
            leaves[f"quantile_{name}"] = value.quantile
    if sorts:
        leaves["sort_row"] = _sort_row
    body = _by_target(inputs) if rule.by == "target" else _by_source(inputs, sorts)
    return load_function("build", _HEAD.format(arguments=arguments) + body, leaves,
                         checking=CHECKING or not is_ours(rule.partners))


def guide_of(delay, dt: float, low: int, high: int) -> np.ndarray:
    """Return, for each cell of equal probability, the tick of a drawn delay, or -1 where there are several."""
    guide = np.empty(CELLS if delay.kind == "drawn" else 0, np.int32)
    if guide.size:
        load_function("build_guide", _GUIDE, {"quantile": delay.quantile})(delay.data, dt, low, high, guide)
    return guide


def sort_by_delay(start: np.ndarray, columns: np.ndarray, n_columns: int, arrays: list) -> np.ndarray:
    """Sort each row by the column of its synapses, in place; return the table of offsets.

    Args:
        start: where each row begins.
        columns: the column of each synapse; its place in the row when this returns.
        n_columns: how many there are.
        arrays: what is sorted.
    """
    offsets = np.empty((start.size - 1, n_columns + 1), columns.dtype)
    load_function("build_by_delay", _BY_DELAY, {})(start, columns, np.empty(n_columns, np.int64), offsets)
    longest = int(np.diff(start).max(initial=0))
    for array in arrays:
        load_function("build_permute", _PERMUTE, {})(start, columns, np.empty(longest, array.dtype), array)
    return offsets


def _by_source(inputs, sorts):
    def parts(name):
        return _parts(name, inputs[name], count="kept", k="which[i]", pair="row, np.int64(near[i]) + first")

    delayed = "d" in inputs
    return _BY_SOURCE.format(
        sort=_SORT if sorts else "", delays=_DELAYS.format(when="True", **parts("d")) if delayed else "",
        keep=_SOURCE_KEEP if delayed else "",
        values="".join(_SOURCE_VALUES.format(name=name, **parts(name)) for name in inputs if name != "d"))


def _by_target(inputs):
    def parts(name):
        return _parts(name, inputs[name], count="count", k="i", pair="np.int64(out[i]), row")

    delayed = "d" in inputs
    return _BY_TARGET.format(
        delays=_DELAYS.format(when="filling or survey", **parts("d")) if delayed else "",
        keep=_TARGET_KEEP if delayed else "",
        values="".join(_TARGET_VALUES.format(name=name, **parts(name)) for name in inputs if name != "d"))


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
