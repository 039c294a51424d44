"""Generates the kernels of inputs: Poisson trains and drives, given spikes, injected currents."""

import inspect
import textwrap

import numpy as np

from neurosim.distributions import normal_quantile
from neurosim.engine.kernel import INT, REAL, Array, Kernel
from neurosim.engine.slots import EMIT, emitting
from neurosim.random import philox, uniform53

GROUP = 128  #: elements that share sixteen draws of the generator; parts begin at multiples of it
LARGEST_MEAN = 500.0  #: events of a Poisson process in one tick

RANDOM = {"key0": INT, "key1": INT, "stream": INT, "sample": INT, "origin": INT}
TIMED = {"rows": INT, "columns": INT, "every": INT, "after": INT}  #: how a table of values follows time
AFTER = {"hold": 0, "repeat": 1, "zero": 2}

_ROW = """\
row = (tick - 1) // every
if after == 1:
    row = row % rows
beyond = after == 2 and row >= rows
row = min(row, rows - 1)
"""

# A count is the number of thresholds F(0), F(1), ... that a uniform number reaches. Sixteen bits are
# drawn for each element; what a threshold has beyond them is decided once for the tick by a common
# draw (`dither`), so that every count has exactly its probability.
_SHARED = """\
mean = 0.0 if beyond else means[row]
total = p = exp(-mean)
depth = 0
dither, w1, w2, w3 = philox(np.uint64(0xFFFFFFFF), np.uint64(tick), np.uint64(stream), np.uint64(sample),
                            np.uint64(key0), np.uint64(key1))
share = np.float64(dither) * 2.3283064365386963e-10
while depth < edges.size:
    edge = np.int64(np.floor(total * 65536.0 + share))
    if edge >= 65536:
        break
    edges[depth] = edge
    depth += 1
    p = p * mean / depth
    total += p
if depth == 0:
    {nothing}
    return
for g in range((n + skip + 127) // 128):
    group = draws[128 * g:128 * g + 128]
    for lane in range(16):
        w0, w1, w2, w3 = philox(np.uint64(origin // 8 + 16 * g + lane), np.uint64(tick), np.uint64(stream),
                                np.uint64(sample), np.uint64(key0), np.uint64(key1))
        group[lane] = w0
        group[lane + 16] = w0 >> np.uint64(16)
        group[lane + 32] = w1
        group[lane + 48] = w1 >> np.uint64(16)
        group[lane + 64] = w2
        group[lane + 80] = w2 >> np.uint64(16)
        group[lane + 96] = w3
        group[lane + 112] = w3 >> np.uint64(16)
edge = edges[0]
drawn = draws[skip:skip + n]
for k in range(n):
    counts[k] = drawn[k] >= edge
for m in range(1, depth):
    edge = edges[m]
    for k in range(n):
        counts[k] = counts[k] + np.uint16(drawn[k] >= edge)
{use}
"""

_INDIVIDUAL = """\
for k in range(n):
    mean = 0.0 if beyond else means[row * columns + k]
    w0, w1, w2, w3 = philox(np.uint64(origin + k), np.uint64(tick), np.uint64(stream), np.uint64(sample),
                            np.uint64(key0), np.uint64(key1))
    u = uniform53(w0, w1)
    p = exp(-mean)
    total = p
    m = 0
    while u >= total and m < most:
        m += 1
        p = p * mean / m
        total += p
    counts[k] = m
{use}
"""

_EMIT = emitting("""\
for k in range(n):
    for m in range(counts[k]):
        here[found] = first + k
        found += 1
""")


def poisson(individual: bool, weighted: bool | None, real) -> Kernel:
    """Return the kernel of a Poisson process at each element.

    Args:
        individual: whether the rates differ from element to element.
        weighted: None for a population that emits spikes; for a drive, whether weights differ.
        real: float type of the buffer that a drive adds to.
    """
    fields = {"n": INT, "counts": Array(np.uint16, "n + 128"), **TIMED, **RANDOM,
              "means": Array(np.float64, "rows * columns")}
    if individual:
        fields |= {"most": INT}
    else:
        fields |= {"skip": INT, "draws": Array(np.uint16, "n + skip + 128"), "n_edges": INT,
                   "edges": Array(np.uint16, "n_edges")}
    if weighted is None:
        fields, use, nothing = fields | EMIT, _EMIT, emitting("", "    ").lstrip()
    else:
        factor = "weight[k]" if weighted else "w"
        use = ("" if weighted else "w = weight[0]\n") + (
            f"for k in range(n):\n    arrivals[k] = arrivals[k] + {factor} * {np.dtype(real).name}(counts[k])\n")
        use, nothing = use.replace("* float", "* np.float"), "pass"
        fields |= {"weight": Array(real, "n" if weighted else 1), "arrivals": Array(real, "n")}
    text = _ROW + (_INDIVIDUAL.format(use=use) if individual else _SHARED.format(use=use, nothing=nothing))
    return Kernel("poisson", fields, text, {"philox": philox, "uniform53": uniform53}, np.float64)


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


def current(drive, varies: dict, real) -> Kernel:
    """Return the kernel that adds an injected current to the buffer of a population.

    Args:
        drive: the `Current`; its class matters.
        varies: names of its coefficients: True where they differ, False where not, "timed" for a table.
        real: float type of the buffer.
    """
    arguments = list(inspect.signature(drive.current).parameters)
    fields = {"n": INT, "dt": REAL, **TIMED, **RANDOM, "injected": Array(real, "n")}
    head = ["time = (tick - 1) * dt"]
    for name, kind in varies.items():
        if kind == "timed":
            fields[name] = Array(np.float64, "rows * columns")
        else:
            fields[name] = Array(np.float64, "n" if kind else 1)
    fields |= {name: Array(np.float64, "n") for name in drive.state}
    loop = []
    if "normal" in arguments:
        loop += ["w0, w1, w2, w3 = philox(np.uint64(origin + k), np.uint64(tick), np.uint64(stream),"
                 " np.uint64(sample), np.uint64(key0), np.uint64(key1))",
                 "normal = normal_quantile(uniform53(w0, w1))"]
    given = []
    for name in arguments:
        if name in ("time", "normal"):
            given.append(name)
        elif name in drive.state or varies[name] is True:
            given.append(f"{name}[k]")
        elif varies[name] == "timed":
            head.append("wide = 1 if columns > 1 else 0\nfactor = 0.0 if beyond else 1.0\noffset = row * columns")
            given.append(f"factor * {name}[offset + wide * k]")
        else:
            given.append(f"{name}[0]")
    results = ", ".join(["value", *(f"{name}[k]" for name in drive.state)])
    loop += [f"{results} = body({', '.join(given)})", "injected[k] = injected[k] + value"]
    text = _ROW + "\n".join(head) + "\nfor k in range(n):\n" + "".join(f"    {line}\n" for line in loop)
    leaves = {"body": drive.current, "philox": philox, "uniform53": uniform53, "normal_quantile": normal_quantile}
    return Kernel("current", fields, text, leaves, np.float64)


def recorder(dtype) -> Kernel:
    """Return the kernel that copies a variable of some neurons at every so many ticks."""
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
