"""What an engine promises: whatever runs a plan keeps this, and everything above an engine uses nothing else.

Time is counted in stamps: whole ticks, or exact ms as fractions, as `clock` says. State goes out and in as arrays by
name, in a numbering that does not depend on how the engine divides its work.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from neurosim.engine.clock import Exact, Ticks
from neurosim.engine.plan import Plan
from neurosim.network import DriveOn, Population, Projection


class Tap(Protocol):
    """What an engine leaves of one quantity while it runs; `every` is how many stamps lie between two samples."""

    every: Any

    def due(self) -> Any:
        """Return the stamp at which the engine must stop next for this tap, or None."""
        ...

    def present(self) -> np.ndarray | None:
        """Return the present sample, shape (1, columns), if now is a time at which one is taken; else None."""
        ...

    def take(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (stamps, rows) of what the last `advance` left; called after each."""
        ...

    def bytes(self, span) -> int:
        """Return how much memory a recording over a span of time takes, as far as is known before."""
        ...


class Engine(Protocol):
    """A running network.

    Attributes:
        plan: what it runs, as it was changed last; its projections are laid out in the engine's own way.
        least: a budget that is always worth a call of `advance`.
        given: the spikes that sources emit, (stamps, ids).
        memory_limit: bytes that events under way may take, where there is a choice.
    """

    plan: Plan[Any]
    least: int
    given: dict[Population, tuple]
    memory_limit: float

    @property
    def clock(self) -> Ticks | Exact:
        """How it counts time."""
        ...

    @property
    def now(self) -> Any:
        """The stamp up to which it has run."""
        ...

    def advance(self, stop, budget: int, /) -> int:
        """Go on towards a stamp, and not beyond, for about so much work; return how much was done."""
        ...

    def settle(self) -> None:
        """Do what was put off; it changes no result."""
        ...

    def change(self, plan: Plan[Any], /) -> None:
        """Go on with a plan in which parameters or values of synapses are others (`changed`)."""
        ...

    def changed(self, plan: Plan[Any], changes: dict, /) -> Plan[Any]:
        """Return a plan with changes; raise ParameterError or UnsupportedError for what it cannot take."""
        ...

    def key(self, population: Population, variable: str, /) -> Any:
        """Return under which key a variable is kept; raise ParameterError for one that is not there."""
        ...

    def read(self, population: Population, variable: str, /) -> np.ndarray:
        """Return a copy of a state variable of a population, or of a part of one, as it is now."""
        ...

    def write(self, population: Population, variable: str, values: np.ndarray, /) -> None:
        """Set a state variable of a population, or of a part of one."""
        ...

    def changing(self, projection: Projection, /) -> list[str]:
        """Return the names of the synapses' quantities that change while the network runs."""
        ...

    def synapses(self, projection: Projection, /) -> tuple:
        """Return (source, target, delay in ms, values by name) as they are now, in the order (source, delay, target);
        a value that all share is one number."""
        ...

    def put(self, projection: Projection, name: str, values, /) -> None:
        """Set a changing quantity of synapses: a number, or one value each in the order of `synapses`."""
        ...

    def tap(self, what: Population | Projection | DriveOn, variable: str, ids, every, /) -> Tap:
        """Begin to listen to spikes, a variable or a current; ids count from the first of the whole population, or
        from the first target of a drive."""
        ...

    def give(self, population: Population, stamps: np.ndarray, ids: np.ndarray, /) -> None:
        """Replace the spikes that a source emits, sorted; those that are past count no more."""
        ...

    def counts(self) -> dict[Population, int]:
        """Return how many spikes each population has emitted since the engine was made."""
        ...

    def infinite(self) -> str | None:
        """Return a sentence about a value that is not finite, or None."""
        ...

    def sums(self, projection: Projection, /) -> np.ndarray:
        """Return the sum of the weights that end at each target."""
        ...

    def scale(self, projection: Projection, factors: np.ndarray, /) -> None:
        """Multiply the changing weights that end at each target by a factor, and keep them within the rules' bounds."""
        ...

    def feed(self, drive: DriveOn, /) -> np.ndarray:
        """Return the amplitudes of an injected current, one for each target, which act as soon as they are written."""
        ...

    def attach(self, make: Callable, /) -> None:
        """Let a block of compiled code be called at the beginning of every tick."""
        ...

    def set_sample(self, sample: int, /) -> None:
        """Choose the random numbers of what follows."""
        ...

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return a copy of all that changes, by name."""
        ...

    def check(self, arrays, /) -> None:
        """Raise ParameterError if arrays are not a snapshot of this network."""
        ...

    def restore(self, arrays, now, keep=(), /) -> None:
        """Put a snapshot back; what the synapses of the projections in `keep` hold stays."""
        ...
