"""From the columns of another tool's file or object to `Spikes`: who is who, which window, which ticks.

A window is open on the left, so that a spike at the very time at which other tools begin needs one that opens earlier.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.aliases import Number
from neurosim.checks import check_number, describe_value
from neurosim.errors import FileError, ParameterError, warn
from neurosim.spikes.header import FORMAT, check_header, fields, header

TEXT = "neurosim"  #: where a file of another format keeps our header


@dataclass
class Found:
    """What a file or an object holds.

    Attributes:
        times: ms, shape (n_spikes,), of the type in which they are kept.
        units: what the neuron of each spike is called, 64-bit integers, shape (n_spikes,).
        listed: what all its neurons are called, silent ones too; None where it does not say.
        head: our header, where we wrote it.
        said: `dt`, `start`, `duration` and `name`, as far as it says them.
        spacing: ms by which two neighbouring numbers of the type of its times differ at the latest; 0 for float64.
    """

    times: np.ndarray
    units: np.ndarray
    listed: np.ndarray | None = None
    head: Mapping | None = None
    said: Mapping = field(default_factory=dict)
    spacing: float = 0.0


@dataclass(frozen=True)
class Wanted:
    """What the caller says of spikes; None for what the file says."""

    ids: Any = None
    dt: Number | None = None
    start: Number | None = None
    duration: Number | None = None
    name: str | None = None

    @property
    def given(self) -> dict:
        """What is not None, without `ids`."""
        return {name: value for name, value in vars(self).items() if value is not None and name != "ids"}


def spacing(times: np.ndarray) -> float:
    """Return by how much two neighbouring numbers of the type of some times differ at the latest; 0 for float64.

    >>> spacing(np.array([1.5, 1000.0], dtype=np.float32))
    6.103515625e-05
    """
    if times.dtype.kind != "f" or times.dtype.itemsize >= 8:
        return 0.0
    return float(np.spacing(np.abs(times).max(initial=0)))


# ---- our header in other files ----------------------------------------------------------------------


def header_text(spikes, counted: bool = True) -> str:
    """Return what another format does not say of spikes, as JSON; neurons and times are in the file itself.

    Args:
        spikes: the spikes.
        counted: whether it tells their number; not where users take some of them, as of a table.

    >>> from neurosim.spikes import Spikes
    >>> header_text(Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1))[:43]
    '{"format": "neurosim.spikes", "version": 1,'
    """
    count = {"spikes": len(spikes)} if counted else {}
    return json.dumps({**header(spikes), **count, "metadata": dict(spikes.metadata),
                       "renamed": spikes.unit_ids is not None})


def header_of(path, text) -> dict | None:
    """Return our header from a text that may hold it, or None."""
    if isinstance(text, bytes):
        text = text.decode()
    if not isinstance(text, str) or FORMAT not in text:
        return None
    begin = text.index("{")
    return check_header(path, json.loads(text[begin:]))


# ---- the parts of a recording -------------------------------------------------------------------------


def assemble(cls, what, found: Found, wanted: Wanted):
    """Return an object of a class, whose constructor is that of `Spikes`.

    Args:
        cls: the class.
        what: the file, a `Path`, or what else it is made of, for messages.
        found: what is there.
        wanted: what the caller says of it.

    Raises:
        ParameterError: something does not fit what the caller said.
        FileError: something does not fit, and the caller said nothing.

    Warns:
        NeurosimWarning: times are off the grid, or the window had to open earlier than was said.
    """
    try:
        return cls(**_arguments(found, wanted))
    except ParameterError as error:
        if wanted.given or wanted.ids is not None or not isinstance(what, Path):
            raise ParameterError(f"{what}: {error}") from None
        raise FileError(f"{what} does not hold valid spikes: {error}") from None


def _arguments(found: Found, wanted: Wanted) -> dict:
    """The arguments of the constructor."""
    head = found.head
    if head is not None and head.get("spikes", len(found.times)) != len(found.times):
        raise ParameterError(f"there must be {head['spikes']} of them, as its header says, there are "
                             f"{len(found.times)}")
    labels = {} if head is None else {**fields(head), "metadata": head.get("metadata")}
    for name, value in {**found.said, **wanted.given}.items():
        if name in wanted.given or head is None:
            labels[name] = value
    labels.pop("size", None)
    numbers, who = _numbers(found, wanted)
    dt = labels.pop("dt", None)
    if dt is not None:
        dt = check_number("dt", dt, "ms", above=0)
        stamps = {"ticks": _ticks(found, dt), "dt": dt}
    else:
        stamps = {"times": found.times.astype(np.float64)}
    _open_window(stamps, labels, "start" in wanted.given)
    return {**stamps, "ids": numbers, **who, **labels}


def _numbers(found: Found, wanted: Wanted) -> tuple:
    """The number of the neuron of each spike, and `size`, `watched` and `unit_ids`."""
    head = found.head
    if wanted.ids is None and head is not None and not head.get("renamed"):
        watched = None if found.listed is None else found.listed
        return found.units, {"size": head["size"], "watched": watched}
    listed = found.listed if wanted.ids is None else _outside("ids", wanted.ids)
    if listed is None:
        listed = np.unique(found.units)
    listed, units = _alike(listed, found.units)
    order = np.argsort(listed, kind="stable")
    in_order = listed[order]
    if (in_order[1:] == in_order[:-1]).any():
        raise ParameterError(f"ids must name each neuron once, got {in_order[:-1][in_order[1:] == in_order[:-1]][0]} "
                             "twice")
    place = np.searchsorted(in_order, units)
    stray = place == len(listed)
    stray[~stray] = in_order[place[~stray]] != units[~stray]
    if stray.any():
        raise ParameterError(f"ids must name all neurons that spike, {units[stray][0]} is not among them")
    return order[place], {"size": len(listed), "unit_ids": listed}


def _outside(what, values) -> np.ndarray:
    array = np.asarray(list(values) if isinstance(values, range) else values)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ParameterError(f"{what} must be a 1-D array of whole numbers, got {describe_value(values)}")
    return array


def _alike(*arrays) -> list:
    """Arrays of integers as one type, which NumPy would else compare as float64."""
    if any(array.dtype == np.uint64 and array.max(initial=0) > 2**63 - 1 for array in arrays):
        if any(array.min(initial=0) < 0 for array in arrays):
            raise ParameterError("ids must be below 2**63 where some are negative")
        return [array.astype(np.uint64) for array in arrays]
    return [array.astype(np.int64) for array in arrays]


def _ticks(found: Found, dt) -> np.ndarray:
    """The nearest ticks; what the type of the times cannot tell is refused, what is off the grid warned about."""
    if found.spacing >= dt:
        last = np.abs(found.times).max(initial=0)
        raise ParameterError(f"dt must be longer than what the times, kept as float32, can tell, "
                             f"{found.spacing:g} ms at {last:g} ms, got {dt:g} ms; read the exact times, without dt")
    grid = found.times.astype(np.float64) / dt
    if not (np.abs(grid) <= 2**44).all():
        raise ParameterError(f"times must be finite and at most 2**44 ticks of dt = {dt:g} ms, got "
                             f"{found.times[~(np.abs(grid) <= 2**44)][0]:g} ms")
    ticks = np.rint(grid)
    grid -= ticks
    worst = np.abs(grid, out=grid)
    allowed = 1e-6 + 4e-15 * np.abs(ticks).max(initial=0) + 0.5 * found.spacing / dt
    if worst.max(initial=0) > allowed:
        warn(f"times were rounded to the grid of dt = {dt:g} ms; the worst error is {worst.max() * dt:.3g} ms "
             f"({worst.max():.2g} tick)")
    return ticks.astype(np.int64)


def _open_window(stamps, labels, fixed):
    """Let the window open before the first spike, where nobody fixed when it does."""
    dt = stamps.get("dt")
    values = stamps["times" if dt is None else "ticks"]
    start = labels.get("start", 0.0)
    if not len(values) or fixed:
        return
    begin = float(start) if dt is None else round(float(start) / dt)
    first = values.min()
    if first > begin or not np.isfinite(first):
        return
    opens = math.nextafter(float(first), -math.inf) if dt is None else (int(first) - 1) * dt
    warn(f"the first spike, at {first if dt is None else first * dt:g} ms, is not after the start of the "
         f"window, {start:g} ms, which is open there; it opens at {opens:g} ms instead (start= says when)")
    if labels.get("duration") is not None:
        span = start + labels["duration"] - opens
        labels["duration"] = span if dt is None else round(span / dt) * dt
    labels["start"] = opens
