"""What a network consists of: populations and parts of them, projections, drives, recorders."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.checks import describe_value, is_whole
from neurosim.connectivity import Rule
from neurosim.contracts import Device, Plasticity, Release
from neurosim.errors import ParameterError
from neurosim.neurons import Neuron
from neurosim.receptors import Receptor
from neurosim.sources import Drive, Source


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one model, or sources of one kind; `population[a:b]` is a part of them, `population[i]` one.

    Args:
        name: its name, unique in the network.
        model: a neuron model or a source.
        size: how many.
        initial: initial values of state variables, by name, where they are not the model's own.
        start, stop: the part of the whole population that this object stands for.
    """

    name: str
    model: Neuron | Source
    size: int
    initial: dict[str, Any] = field(default_factory=dict)
    start: int = 0
    whole: "Population | None" = None

    def __getitem__(self, part: slice | int) -> "Population":
        first, last = self._range(part)
        begin = self.start + first
        base = self.base
        return Population(f"{base.name}[{begin}:{begin + last - first}]", self.model, last - first, {}, begin, base)

    def _range(self, part: Any) -> tuple[int, int]:
        """Return the first member of a part and the one behind its last."""
        if is_whole(part):
            if not -self.size <= part < self.size:
                raise ParameterError(f"a member of population {self.name!r} must be one of 0 .. {self.size - 1}, "
                                     f"got [{part}]")
            first = int(part) % self.size
            return first, first + 1
        text = f"[{describe_value(part)}]"
        if isinstance(part, slice):
            text = "[" + ":".join("" if each is None else str(each) for each in (part.start, part.stop)) + (
                "]" if part.step is None else f":{part.step}]")
        try:
            first, last, step = part.indices(self.size) if isinstance(part, slice) else (0, 0, 0)
        except TypeError:  # bounds that are no whole numbers
            first = last = step = 0
        if step != 1:
            raise ParameterError(f"a part of population {self.name!r} must be one member, [3], or several that follow "
                                 f"each other, [0:100], got {text}; others are recorded with record(..., ids=...), "
                                 "connected by Explicit(sources, targets), or added as a population of their own")
        if last <= first:
            raise ParameterError(f"a part of population {self.name!r} must hold a neuron; it has {self.size}, "
                                 f"got {text}")
        return first, last

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
    """Return the number among the targets of what is source 0, or None for parts of two populations."""
    return source.start - target.start if source.base is target.base else None


def same_part(a: object, b: object) -> bool:
    """Return whether two population objects stand for the same neurons."""
    return (isinstance(a, Population) and isinstance(b, Population) and a.base is b.base and a.start == b.start
            and a.size == b.size)
