"""Generates the kernels of inputs: Poisson trains and drives, given spikes, injected currents."""

import inspect
import textwrap

import numpy as np

from neurosim.distributions import normal_quantile
from neurosim.engine.kernel import INT, REAL, Array, Kernel
from neurosim.engine.slots import EMIT, emitting
from neurosim.random import key_at, philox, uniform53

FLOW = "flow_kept"  #: name of the array of what a drive injects, where that is recorded
GROUP = 128  #: elements that share sixteen draws of the generator; parts begin at multiples of it
LARGEST_MEAN = 500.0  #: events of a Poisson process in one tick
FEW = 1 / 32  #: so many events at an element in a tick are few, for which there is a faster way

RANDOM = {"key0": INT, "key1": INT, "stream": INT, "sample": INT, "origin": INT}
AFTER = {"hold": 0, "repeat": 1, "zero": 2}

_ROW = """\
row{name} = max(tick - 1 - since{name}, 0) // every{name}
if after{name} == 1:
    row{name} = row{name} % rows{name}
beyond{name} = after{name} == 2 and row{name} >= rows{name}
row{name} = min(row{name}, rows{name} - 1)
"""

# Where events are few, the number of those of a group of elements is drawn, and then to whom each comes, which makes
# independent Poisson numbers as well (each event of a Poisson process, given to one of 128 at random).
_FEW = """\
none = exp(-128.0 * mean)
for g in range((n + skip + 127) // 128 if mean > 0.0 else 0):
    group = np.uint64(origin // 128 + g)
    w0, w1, w2, w3 = philox(group, np.uint64(tick), np.uint64(stream), np.uint64(sample), k0, k1)
    u = uniform53(w0, w1)
    if u < none:
        continue
    total = p = none
    events = 0
    while u >= total and events < {most}:
        events += 1
        p = p * (128.0 * mean) / events
        total += p
    begun = found
    places = w2 | (w3 << np.uint64(32))
    for m in range(events):
        if m % 9 == 0 and m > 0:  # of 64 bits nine places can be made, which are seven bits each
            more = group + (np.uint64(m // 9) << np.uint64(26))
            w0, w1, w2, w3 = philox(more, np.uint64(tick), np.uint64(stream), np.uint64(sample), k0, k1)
            places = w2 | (w3 << np.uint64(32))
        k = 128 * g - skip + np.int64(places & np.uint64(127))
        places = places >> np.uint64(7)
        if 0 <= k < n:
{put}
"""

# Where they are many, sixteen bits are drawn for each element. Of their 2^16 values, floor(2^16 p) belong to a count of
# the probability p, so that the count is the number of thresholds that they reach. The few values that are left over
# stand for what those parts lack: there the count is drawn once more, from the fractions of 2^16 p.
_MANY = """\
p = exp(-mean)
depth = 0
edge = np.int64(0)
while depth < edges.size and (p * 65536.0 >= 1.0 or depth <= mean):
    edge += np.int64(np.floor(p * 65536.0))
    edges[depth] = edge
    depth += 1
    p = p * mean / depth
left_over = 65536.0 - edge
beyond_all = np.uint16(depth)
for g in range((n + skip + 127) // 128):
    for lane in range(16):
        w0, w1, w2, w3 = philox(np.uint64(origin // 8 + 16 * g + lane), np.uint64(tick), np.uint64(stream),
                                np.uint64(sample), k0, k1)
        drawn[lane] = w0
        drawn[lane + 16] = w0 >> np.uint64(16)
        drawn[lane + 32] = w1
        drawn[lane + 48] = w1 >> np.uint64(16)
        drawn[lane + 64] = w2
        drawn[lane + 80] = w2 >> np.uint64(16)
        drawn[lane + 96] = w3
        drawn[lane + 112] = w3 >> np.uint64(16)
    mine = every_count[128 * g:128 * g + 128]
    edge = edges[0]
    for lane in range(128):
        mine[lane] = np.uint16(drawn[lane] >= edge)
    for m in range(1, depth):
        edge = edges[m]
        for lane in range(128):
            mine[lane] = mine[lane] + np.uint16(drawn[lane] >= edge)
    again = False
    for lane in range(128):
        again |= mine[lane] == beyond_all
    if again:
        for lane in range(128):
            if mine[lane] == beyond_all:
                w0, w1, w2, w3 = philox(np.uint64(0x80000000 + origin + 128 * g + lane), np.uint64(tick),
                                        np.uint64(stream), np.uint64(sample), k0, k1)
                mine[lane] = np.uint16(count_left_over(uniform53(w0, w1) * left_over, mean, most))
counts = every_count[skip:skip + n]
{use}
"""

_SHARED = """\
mean = 0.0 if beyond else means[row]
k0, k1 = key_at(key0, key1, tick, 0)
{weight}if mean <= {few}:
{few_events}else:
{many_events}"""

_INDIVIDUAL = """\
k0, k1 = key_at(key0, key1, tick, 0)
{weight}for k in range(n):
    mean = 0.0 if beyond else means[row * columns + k]
    w0, w1, w2, w3 = philox(np.uint64(origin + k), np.uint64(tick), np.uint64(stream), np.uint64(sample), k0, k1)
    counts[k] = np.uint16(count_of(uniform53(w0, w1), mean, most))
{use}
"""

# The list has room for the largest number of a tick, which is exceeded with less than 2^-48.
_EMIT = """\
events = 0
for k in range(n):
    events += counts[k]
k = n
while events > capacity:
    k -= 1
    events -= counts[k]
    counts[k] = 0
for k in range(n):
    for m in range(counts[k]):
        here[found] = first + k
        found += 1
"""

_EMIT_ONE = """\
if found < capacity:
    place = found
    while place > begun and here[place - 1] > first + k:  # a list ascends
        here[place] = here[place - 1]
        place -= 1
    here[place] = first + k
    found += 1
"""


def times(table, values, name: str = "") -> dict:
    """Return the arguments that say how the rows of a table, or of some of its columns, follow time."""
    given = {"rows": values.shape[0], "columns": values.shape[1], "every": table.every, "since": table.since,
             "after": AFTER[table.after]}
    return {f"{field}{name}": value for field, value in given.items()}


def _timed(name: str = "") -> dict:
    return {f"{field}{name}": INT for field in ("rows", "columns", "every", "since", "after")}


def at(scattered: bool) -> str:
    """Return which element of a buffer a drive adds to for its target number k."""
    return "where[k]" if scattered else "k"


def _into(name: str, real, scattered: bool) -> dict:
    """The fields of a buffer that a drive adds to."""
    if not scattered:
        return {name: Array(real, "n")}
    return {f"n_{name}": INT, name: Array(real, f"n_{name}"), "where": Array(np.int64, "n")}


def count_of(u, mean, most):
    """Return how many thresholds of a Poisson distribution a uniform number reaches, which has that distribution."""
    p = total = np.exp(-mean)
    count = 0
    while u >= total and count < most:
        count += 1
        p = p * mean / count
        total += p
    return count


def count_left_over(u, mean, most):
    """Return the count to which a number below the sum of the fractions of 2^16 p belongs."""
    p = np.exp(-mean)
    count = 0
    while count < most:
        fraction = p * 65536.0 - np.floor(p * 65536.0)
        if u < fraction:
            break
        u -= fraction
        count += 1
        p = p * mean / count
    return count


def poisson(individual: bool, weighted: bool | None, real, scattered: bool = False) -> Kernel:
    """Return the kernel of a Poisson process at each element.

    Args:
        individual: whether the rates differ from element to element.
        weighted: None for a population that emits spikes; for a drive, whether weights differ.
        real: float type of the buffer that a drive adds to.
        scattered: as for a current.
    """
    fields = {"n": INT, **_timed(), **RANDOM, "most": INT, "means": Array(np.float64, "rows * columns")}
    if individual:
        fields |= {"counts": Array(np.uint16, "n")}
    else:
        fields |= {"skip": INT, "every_count": Array(np.uint16, "n + skip + 128"), "edges": Array(np.uint16, "most"),
                   "drawn": Array(np.uint16, GROUP)}
    if weighted is None:
        fields, use, put, weight = fields | EMIT, _EMIT, _EMIT_ONE, ""
    else:
        factor, weight = ("weight[k]", "") if weighted else ("w", "w = weight[0]\n")
        sum_ = f"arrivals[{at(scattered)}] = arrivals[{at(scattered)}] + {factor}"
        use = f"for k in range(n):\n    {sum_} * np.{np.dtype(real).name}(counts[k])\n"
        put, weight = f"{sum_}\n", weight + "found = 0\n"
        fields |= {"weight": Array(real, "n" if weighted else 1), **_into("arrivals", real, scattered)}
    if individual:
        text = _INDIVIDUAL.format(use=use, weight=weight)
    else:
        few = _FEW.format(put=textwrap.indent(put, " " * 12), most=most_events(128 * FEW))
        text = _SHARED.format(few=FEW, weight=weight, few_events=textwrap.indent(few, "    "),
                              many_events=textwrap.indent(_MANY.format(use=use), "    "))
    text = _ROW.format(name="") + text
    leaves = {"philox": philox, "uniform53": uniform53, "key_at": key_at, "count_of": count_of,
              "count_left_over": count_left_over}
    return Kernel("poisson", fields, emitting(text) if weighted is None else text, leaves, np.float64)


def given_spikes() -> Kernel:
    """Return the kernel that emits spikes from a sorted list."""
    fields = {"n_events": INT, "event_tick": Array(np.int64, "n_events"), "event_id": Array(np.uint32, "n_events"),
              "cursor": Array(np.int64, 1), **EMIT}
    text = """\
        at = cursor[0]
        while at < n_events and event_tick[at] <= tick:
            here[found] = event_id[at]
            found += 1
            at += 1
        cursor[0] = at
        """
    return Kernel("given", fields, emitting(text), {}, np.float64)


def current(drive, varies: dict, real, kept: bool = False, scattered: bool = False) -> Kernel:
    """Return the kernel that adds an injected current to the buffer of a population.

    Args:
        drive: the `Current`; its class matters.
        varies: names of its coefficients: True where they differ, False where not, "timed" for a table.
        real: float type of the buffer.
        kept: whether what is injected is kept, for a recording.
        scattered: whether the targets do not follow each other; `where` says where they are in the buffer.
    """
    arguments = list(inspect.signature(drive.current).parameters)
    fields, place = {"n": INT, "dt": REAL, **RANDOM, **_into("injected", real, scattered)}, at(scattered)
    head = ["time = (tick - 1) * dt"]
    for name, kind in varies.items():
        if kind == "timed":
            fields |= _timed(f"_{name}") | {name: Array(np.float64, f"rows_{name} * columns_{name}")}
        else:
            fields[name] = Array(np.float64, "n" if kind else 1)
    fields |= {name: Array(np.float64, "n") for name in drive.state}
    loop = []
    if "normal" in arguments:
        head.append("k0, k1 = key_at(key0, key1, tick, 0)")
        loop += ["w0, w1, w2, w3 = philox(np.uint64(origin + k), np.uint64(tick), np.uint64(stream),"
                 " np.uint64(sample), k0, k1)",
                 "normal = normal_quantile(uniform53(w0, w1))"]
    given = []
    for name in arguments:
        if name in ("time", "normal"):
            given.append(name)
        elif name in drive.state or varies[name] is True:
            given.append(f"{name}[k]")
        elif varies[name] == "timed":
            head.append(_ROW.format(name=f"_{name}") + f"wide_{name} = 1 if columns_{name} > 1 else 0\n"
                        f"factor_{name} = 0.0 if beyond_{name} else 1.0\n"
                        f"offset_{name} = row_{name} * columns_{name}")
            given.append(f"factor_{name} * {name}[offset_{name} + wide_{name} * k]")
        else:
            given.append(f"{name}[0]")
    results = ", ".join(["value", *(f"{name}[k]" for name in drive.state)])
    loop += [f"{results} = body({', '.join(given)})", f"injected[{place}] = injected[{place}] + value"]
    if kept:
        fields[FLOW] = Array(np.float64, "n")
        loop.append(f"{FLOW}[k] = value")
    text = "\n".join(head) + "\nfor k in range(n):\n" + "".join(f"    {line}\n" for line in loop)
    leaves = {"body": drive.current, "philox": philox, "uniform53": uniform53, "key_at": key_at,
              "normal_quantile": normal_quantile}
    return Kernel("current", fields, text, leaves, np.float64)


def recorder(dtype) -> Kernel:
    """Return the kernel that copies a variable of some neurons, or a current, at every so many ticks."""
    fields = {"n": INT, "every": INT, "begin": INT, "columns": INT, "n_state": INT, "n_rows": INT,
              "which": Array(np.int64, "n"), "column": Array(np.int64, "n"), "state": Array(dtype, "n_state"),
              "out": Array(dtype, "n_rows * columns")}
    text = """\
        if tick % every == 0:
            row = tick // every - begin_row[0]
            for m in range(n):
                out[row * columns + column[m]] = state[which[m]]
        """
    fields = {name: kind for name, kind in fields.items() if name != "begin"} | {"begin_row": Array(np.int64, 1)}
    return Kernel("record", fields, textwrap.dedent(text), {}, np.float64)


def most_events(mean: float) -> int:
    """Return a number of events in a tick that a Poisson process of this mean exceeds with less than 2^-48."""
    return int(np.ceil(mean + 9.0 * np.sqrt(mean) + 8.0)) if mean > 1e-9 else 4
