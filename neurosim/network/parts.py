"""What a network consists of: populations and parts of them, projections, drives, recorders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.connectivity import Rule
from neurosim.contracts import Device, Plasticity, Release
from neurosim.network.members import members_of, named
from neurosim.neurons import Neuron
from neurosim.receptors import Receptor
from neurosim.sources import Drive, Source


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one model, or sources of one kind; `population[a:b]` is a part of them, `population[i]` one.

    Parts may be scattered: `population[::2]`, `population[[1, 3]]`, or by an array of truth values.

    Args:
        name: its name, unique in the network.
        model: a neuron model or a source.
        size: how many.
        initial: initial values of state variables, by name, where they are not the model's own.
        start: number of the first member of a part in the whole population.
        whole: the population that it is a part of; None for a whole one.
        scattered: numbers of the members in the whole population, ascending; None where they follow each other.
    """

    name: str
    model: Neuron | Source
    size: int
    initial: dict[str, Any] = field(default_factory=dict)
    start: int = 0
    whole: "Population | None" = None
    scattered: np.ndarray | None = None

    def __getitem__(self, part: "slice | int | Sequence[int] | np.ndarray") -> "Population":
        members, base = members_of(self.name, self.size, part), self.base
        if isinstance(members, slice):
            members = slice(members.start + self.start, members.stop + self.start) if self.scattered is None else (
                self.scattered[members])
        else:
            members = self.ids[members]
        if not isinstance(members, slice) and members[-1] - members[0] == members.size - 1:
            members = slice(int(members[0]), int(members[-1]) + 1)
        if isinstance(members, slice):
            begin, size, scattered = members.start, members.stop - members.start, None
        else:
            begin, size, scattered = int(members[0]), members.size, members
            members.setflags(write=False)
        return Population(f"{base.name}[{named(members)}]", self.model, size, {}, begin, base, scattered)

    @property
    def ids(self) -> np.ndarray:
        """The numbers of its members in the whole population, ascending, int64."""
        return np.arange(self.start, self.start + self.size) if self.scattered is None else self.scattered

    @property
    def inside(self) -> slice | np.ndarray:
        """What takes its members out of an array of the whole population."""
        return slice(self.start, self.start + self.size) if self.scattered is None else self.scattered

    @property
    def span(self) -> int:
        """How far it reaches in the whole population, from its first member to its last."""
        return self.size if self.scattered is None else int(self.scattered[-1]) - self.start + 1

    def places(self, ids: np.ndarray) -> np.ndarray:
        """Return which of its members have numbers in the whole population; they must be members."""
        if self.scattered is None:
            return ids - ids.dtype.type(self.start) if self.start else ids
        return np.searchsorted(self.scattered, ids).astype(ids.dtype)

    def holds(self, ids: np.ndarray) -> np.ndarray:
        """Return which numbers in the whole population are those of members."""
        if self.scattered is None:
            return (ids >= self.start) & (ids < self.start + self.size)
        return np.isin(ids, self.scattered)

    def __iter__(self) -> "Iterator[Population]":
        return (self[i] for i in range(self.size))

    @property
    def base(self) -> "Population":
        """The whole population that this is a part of."""
        return self.whole or self

    @property
    def spiking(self) -> bool:
        """Whether its members emit spikes."""
        return isinstance(self.model, Source) or self.model.spiking

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"<population {self.name!r}: {self.size} x {self.model!r}>"


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one population to another: who, how strong, how late, and what they do."""

    name: str
    source: Population
    target: Population
    rule: Rule
    weight: Any
    delay: Any
    receptor: Receptor
    release: Release | None
    plasticity: tuple[Plasticity, ...]
    device: Device | None
    modulators: dict[str, Any] = field(default_factory=dict)

    @property
    def shift(self) -> int | None:
        """Source i is target i + shift, where both are parts of one population; None where they are of two."""
        return shift_between(self.source, self.target)

    def __repr__(self):
        return f"<projection {self.name!r}: {self.rule!r}>"


@dataclass(frozen=True, eq=False)
class DriveOn:
    """A drive that acts on a population."""

    name: str
    drive: Drive
    target: Population
    receptor: Receptor | None

    @property
    def size(self) -> int:
        """On how many neurons it acts."""
        return self.target.size

    def __repr__(self) -> str:
        return f"<drive {self.name!r}: {self.drive!r}>"


@dataclass(frozen=True, eq=False)
class GapJunctions:
    """Electrical junctions between neurons of two populations, or of one: who, and how well they conduct."""

    name: str
    one: Population
    other: Population
    rule: Rule
    conductance: Any

    @property
    def shift(self) -> int | None:
        """As that of a projection from `one` to `other`."""
        return shift_between(self.one, self.other)

    def __repr__(self) -> str:
        return f"<gap junctions {self.name!r}: {self.rule!r}>"


@dataclass(frozen=True, eq=False)
class Recorder:
    """What is recorded: spikes, a state variable of a population, weights of a projection, the current of a drive."""

    what: Population | Projection | DriveOn
    variable: str
    every: float | None
    ids: np.ndarray | None
    to: Path | None


def shift_between(source: Population, target: Population) -> int | None:
    """Return the number among the targets of what is source 0, or None for parts that have no neuron in common.

    None, too, where scattered parts have some in common, but no one number for all: `meet_in_disorder`.
    """
    if source.base is not target.base:
        return None
    if source.scattered is target.scattered is None:
        return source.start - target.start
    sources, targets = source.ids, target.ids
    common, places, others = np.intersect1d(sources, targets, assume_unique=True, return_indices=True)
    if not common.size:
        return None
    shift = int(others[0] - places[0])
    overlap = min(sources.size + min(shift, 0), targets.size - max(shift, 0), sources.size, targets.size)
    if (others - places != shift).any() or common.size != overlap:
        return None
    return shift


def meet_in_disorder(source: Population, target: Population) -> bool:
    """Return whether parts have neurons in common, but not such that source i is target i + some number."""
    return (source.base is target.base and shift_between(source, target) is None
            and bool(np.intersect1d(source.ids, target.ids).size))


def same_part(a: object, b: object) -> bool:
    """Return whether two population objects stand for the same neurons."""
    return (isinstance(a, Population) and isinstance(b, Population) and a.base is b.base and a.start == b.start
            and a.size == b.size and np.array_equal(a.ids, b.ids))
