"""The two results that are compared: their spikes on one grid, and where these first differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.backends import Result
from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.network import Network, Population
from neurosim.simulation import Simulation
from neurosim.sources import Source
from neurosim.spikes import Spikes


@dataclass(frozen=True, eq=False)
class Side:
    """One of two results.

    Attributes:
        name: what it is called.
        spikes: of each population that it knows, by name.
        net, dt, seed, dtype: of the network, where they are known.
        whole: whether it began at time 0.
    """

    name: str
    spikes: dict[str, Spikes]
    net: Network | None = None
    dt: float | None = None
    seed: int = 0
    dtype: str = "float64"
    whole: bool = True


@dataclass(frozen=True)
class Difference:
    """A spike that only one of two results has.

    Attributes:
        population, neuron: whose it is.
        tick: when, on the common grid; its time is `tick * dt`.
        only_in: 0 for the first result, 1 for the second.
    """

    population: str
    neuron: int
    tick: int
    only_in: int


def side_of(value: Any, name: str) -> Side:
    """Return a result as a side of a comparison.

    Raises:
        ParameterError: it is none.
    """
    if isinstance(value, Simulation):
        spikes = {recorder.what.name: value.spikes(recorder.what) for recorder in value.net.recorders
                  if isinstance(recorder.what, Population) and recorder.variable == "spikes" and recorder.ids is None}
        whole = all(each.start == 0.0 for each in spikes.values())
        return Side(name, spikes, value.net, value.dt, value.seed, value.dtype, whole)
    if isinstance(value, Result):
        spikes = {p.name: value.spikes(p) for p in value.net.populations if p.spiking}
        return Side(name, spikes, value.net, value.dt, value.seed)
    if isinstance(value, Spikes):
        return Side(name, {value.name: value}, dt=value.dt, whole=value.start == 0.0)
    if isinstance(value, Mapping) and value and all(isinstance(each, Spikes) for each in value.values()):
        named = {getattr(key, "name", key): each for key, each in value.items()}
        return Side(name, named, dt=next(iter(value.values())).dt, whole=all(s.start == 0.0 for s in named.values()))
    raise ParameterError(f"{name} must be a simulation, a result of a backend, a Spikes or a dict population -> "
                         f"Spikes, got {describe_value(value)}")


def matched(a: Side, b: Side) -> tuple[Side, Side]:
    """Return the sides with the populations that both know, under the same names.

    A single `Spikes` without a name is that of the only population, sources aside, that the other knows.
    """
    a, b = _named_as(a, b), _named_as(b, a)
    common = [name for name in a.spikes if name in b.spikes]
    if not common:
        raise ParameterError(f"{a.name} and {b.name} must hold spikes of a common population, got those of "
                             f"{_listed(a)} and of {_listed(b)}")
    for name in common:
        if a.spikes[name].size != b.spikes[name].size:
            raise ParameterError(f"population {name!r} must have the same size in both, got {a.spikes[name].size} in "
                                 f"{a.name} and {b.spikes[name].size} in {b.name}")
    return a, b


def _named_as(side, other) -> Side:
    if len(side.spikes) == 1 and not set(side.spikes) & set(other.spikes):
        (spikes,) = side.spikes.values()
        known = [name for name in other.spikes if other.net is None or not _is_source(other.net, name)]
        if len(known) == 1 and spikes.name == "":
            return Side(side.name, {known[0]: spikes}, side.net, side.dt, side.seed, side.dtype, side.whole)
    return side


def _is_source(net, name) -> bool:
    return any(p.name == name and isinstance(p.model, Source) for p in net.populations)


def _listed(side) -> str:
    return ", ".join(repr(name) for name in side.spikes) or "none"


def common_dt(a: Side, b: Side) -> float:
    """Return the length of a tick of the coarser grid; 0 where both have exact times."""
    steps = [spikes.dt for side in (a, b) for spikes in side.spikes.values() if spikes.dt is not None]
    return max(steps, default=0.0)


def on_grid(side: Side, dt: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return ticks and ids of each population on a grid; a time between two ticks is found at the end of its tick."""
    found = {}
    for name, spikes in side.spikes.items():
        if spikes.dt is not None and np.isclose(spikes.dt, dt, rtol=1e-9):
            ticks = spikes.ticks
        else:
            ticks = np.ceil(spikes.times / dt - 1e-6).astype(np.int64)
        found[name] = ticks.astype(np.int64), spikes.ids.astype(np.int64)
    return found


def differences(a: dict, b: dict, names, stop: int) -> tuple[dict, list[Difference]]:
    """Return (only in a, only in b, in both) of each population, and all differences in the order of time."""
    counts, found = {}, []
    for name in names:
        keys = [ticks[ticks <= stop] << 32 | ids[ticks <= stop] for ticks, ids in (a[name], b[name])]
        both = np.unique(np.concatenate(keys), return_counts=False)
        many = [np.searchsorted(np.sort(each), both, "right") - np.searchsorted(np.sort(each), both) for each in keys]
        surplus = many[0] - many[1]
        counts[name] = (int(surplus[surplus > 0].sum()), int(-surplus[surplus < 0].sum()),
                        int(np.minimum(*many).sum()))
        at = np.nonzero(surplus)[0]
        found += [Difference(name, int(both[k] & 0xFFFFFFFF), int(both[k] >> 32), int(surplus[k] < 0)) for k in at]
    return counts, sorted(found, key=lambda each: each.tick)
