"""The compiled passes that draw synapses: their texts, put together from the rule and the kinds of the values.

A pass goes over rows. One of a by-source rule appends its synapses to arrays as they come. A by-target rule has three:
one counts how many synapses some sources have together, for each step of sources; one gathers, without values, those of
the sources in a window, step by step; and one draws delays and values for what was gathered. One more finds the largest
of a quantity, for either kind of rule, without keeping anything.
"""

import numpy as np

from neurosim.engine.checked import CHECKING
from neurosim.engine.loader import load_function
from neurosim.engine.refusal import is_ours
from neurosim.random import philox, uniform53

_UNIFORM = """
            for i in range({count}):
                w = philox(np.uint64({k}), np.uint64({row}), stream_{name}, np.uint64(0), k0, k1)
                uniform[i] = min({name}[2] + ({name}[3] - {name}[2]) * uniform53(w[0], w[1]), 1.0 - 2.0**-53)
"""
_LOOK_UP = {
    "drawn": "x = min(max(quantile_{name}(uniform[i], {name}[0], {name}[1]), {name}[4]), {name}[5])",
    "matrix": "x = {name}[{pair}]",
    "listed": "x = {name}[starts[{row}] + {k}]",
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
_GUIDED = """tick = np.int64(guide[np.uint32(np.int32(uniform[i] * guide.size))])
                if tick < 0:
                    {look_up}
                    tick = np.int64({tick})"""

_HEAD = """
import math
import numpy as np

def main(filling, n_source, n_target, first, last, low_row, high_row, ints, floats, k0, k1, stream, starts,
         dt, low, high, column, guide, used, out, near, which, place, uniform, spare, digits, start,
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
        if True:
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

_COUNT = """
def main(n_source, first, last, ints, floats, k0, k1, stream, offset, shift, out, counts, sources):
    for row in range(first, last):
        for i in range(partners(row, n_source, ints, floats, k0, k1, stream, out)):
{check}
            counts[(np.int64(out[i]) + offset) >> shift] += 1
"""

_GATHER = """
def main(n_source, first, last, ints, floats, k0, k1, stream, offset, shift, out, place, low, size, cursor, source,
         target, which):
    begin = np.uint32(low - offset)
    width = np.uint32(size)
    inside = np.uint32((1 << shift) - 1)
    for row in range(first, last):
        kept = 0  # first those in the window, without a branch that nobody can guess
        for i in range(partners(row, n_source, ints, floats, k0, k1, stream, out)):
            number = np.uint32(out[i] - begin)
            out[kept] = number
            place[kept] = i
            kept += np.int64(number < width)
        for i in range(kept):
            number = out[i]
            step = np.int64(number >> shift)
            at = cursor[step]
            cursor[step] = at + 1
            source[at] = number & inside
            target[at] = row - first
            which[at] = place[i]
"""

_DRAW = """
import math
import numpy as np

def main(first, low_row, k0, k1, starts, dt, low, high, column, guide, used, place, uniform, source, target,
         creation, columns{arguments}):
    for position in range(0, target.size, uniform.size):
        kept = min(uniform.size, target.size - position)
        own = source[position:position + kept]
        near = target[position:position + kept]
        which = creation[position:position + kept]
        if True:
            pass
{delays}{keep}{values}
"""

_LARGEST = """
import numpy as np

def main(n_partner, first, last, ints, floats, k0, k1, stream, starts, out, uniform, ends, value, size, q, stream_q):
    largest = size[0]
    for row in range(first, last):
        count = partners(row, n_partner, ints, floats, k0, k1, stream, out)
{narrow}
        for i in range(count):
            if {wanted}:
{uniform}
                {look_up}
                value[0] = x
                largest = max(largest, abs(value[0]))
    size[0] = largest
"""

# A draw ascends or descends with its random word, so that only the words next to the least and the most are looked at.
_NARROW = """
        least, most = np.uint32(0xFFFFFFFF), np.uint32(0)
        for i in range(count):
            word = np.uint32(philox(np.uint64(i), np.uint64(row), stream_q, np.uint64(0), k0, k1)[0])
            out[i] = word
            least = min(least, word)
            most = max(most, word)
        if count == 0 or (np.int64(least) > ends[0] + 1 and np.int64(most) < ends[1] - 1):
            continue
        ends[0] = min(ends[0], np.int64(least))
        ends[1] = max(ends[1], np.int64(most))
"""
_ONE_UNIFORM = """
                w = philox(np.uint64(i), np.uint64(row), stream_q, np.uint64(0), k0, k1)
                uniform[i] = min(q[2] + (q[3] - q[2]) * uniform53(w[0], w[1]), 1.0 - 2.0**-53)
"""


def compile_pass(rule, inputs: dict, sorts: bool):
    """Return the compiled pass for a by-source rule; one that is not our own is checked: it may have too little room.

    Args:
        rule: who connects to whom.
        inputs: the quantities that differ from synapse to synapse, by the names in the text; "d" is the delay.
        sorts: whether the rows of a by-source rule are sorted by target.
    """
    arguments, leaves = _arguments(inputs)
    leaves |= {"partners": rule.partners} | ({"sort_row": _sort_row} if sorts else {})
    text = _HEAD.format(arguments=arguments) + _by_source(inputs, sorts)
    return load_function("build", text, leaves, checking=CHECKING or not is_ours(rule.partners))


def compile_gathering(rule) -> tuple:
    """Return the compiled passes that count and gather the synapses of a by-target rule."""
    checking = CHECKING or not is_ours(rule.partners)
    count = _COUNT.format(check="            sources[out[i]] = 1" if checking else "")
    return tuple(load_function(f"build_{name}", f"import numpy as np\n{text}", {"partners": rule.partners},
                               checking=checking) for name, text in (("count_by", count), ("gather", _GATHER)))


def compile_draw(inputs: dict):
    """Return the compiled pass that draws delays and values for gathered synapses."""
    arguments, leaves = _arguments(inputs)
    return load_function("build_draw", _draw(inputs, arguments), leaves)


def compile_largest(rule, value):
    """Return the compiled pass that finds the largest size of a quantity that differs from synapse to synapse."""
    drawn = value.kind == "drawn"
    partner, leaves = "np.int64(out[i])", {"partners": rule.partners, "philox": philox, "uniform53": uniform53}
    pair = f"row, {partner}" if rule.by == "source" else f"{partner}, row"
    text = _LARGEST.format(
        narrow=_NARROW if drawn else "", uniform=_ONE_UNIFORM if drawn else "",
        wanted="np.int64(out[i]) <= ends[0] + 1 or np.int64(out[i]) >= ends[1] - 1" if drawn else "True",
        look_up=_LOOK_UP[value.kind].format(name="q", k="i", row="row", pair=pair))
    leaves |= {"quantile_q": value.quantile} if drawn else {}
    return load_function("build_largest", text, leaves, checking=CHECKING or not is_ours(rule.partners))


def _arguments(inputs):
    """Return the arguments that the quantities add to a pass, and the bodies that it calls for them."""
    leaves, arguments = {"philox": philox, "uniform53": uniform53}, ""
    for name, value in inputs.items():
        arguments += f", {name}" + (f", values_{name}" if name != "d" else "")
        if value.kind == "drawn":
            arguments += f", stream_{name}"
            leaves[f"quantile_{name}"] = value.quantile
    return arguments, leaves


def guide_of(delay, dt: float, low: int, high: int) -> np.ndarray:
    """Return, for each cell of equal probability, the tick of a drawn delay, or -1 where there are several."""
    guide = np.empty(CELLS if delay.kind == "drawn" else 0, np.int32)
    if guide.size:
        load_function("build_guide", _GUIDE, {"quantile": delay.quantile})(delay.data, dt, low, high, guide)
    return guide


def _by_source(inputs, sorts):
    pieces = _pieces(inputs, "row", "row, np.int64(near[i]) + first")
    return _BY_SOURCE.format(sort=_SORT if sorts else "", **pieces)


def _draw(inputs, arguments):
    row = "first + np.int64(near[i])"
    return _DRAW.format(arguments=arguments, **_pieces(inputs, row, f"low_row + np.int64(own[i]), {row}"))


def _pieces(inputs, row, pair):
    """Return the pieces of text that draw delays, keep them, and draw the values."""
    def parts(name):
        return _parts(name, inputs[name], count="kept", k="which[i]", row=row, pair=pair)

    delayed = "d" in inputs
    return {"delays": _DELAYS.format(**parts("d")) if delayed else "", "keep": _SOURCE_KEEP if delayed else "",
            "values": "".join(_SOURCE_VALUES.format(name=name, **parts(name)) for name in inputs if name != "d")}


def _parts(name, value, count, k, row, pair):
    """Return the pieces of text that get one value of a synapse into x."""
    look_up = _LOOK_UP[value.kind].format(name=name, k=k, row=row, pair=pair)
    plain = "{look_up}\n                tick = np.int64({tick})"
    found = _GUIDED if value.kind == "drawn" else plain
    return {
        "count": count,
        "found": found.format(look_up=look_up, tick=_TICK[value.kind]),
        "uniform": _UNIFORM.format(name=name, count=count, k=k, row=row) if value.kind == "drawn" else "",
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
