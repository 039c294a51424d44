"""What a network is laid out to be: parameters as numbers, synapses as rows. A plan is a value that nothing changes.

What is set between two runs makes another plan, which shares all that stayed as it was (`planner.changed`). What
changes while a network runs belongs to an engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

import numpy as np

from neurosim.engine.synapses import checksum
from neurosim.errors import NetworkError
from neurosim.network import DriveOn, Network, Population, Ports, Projection
from neurosim.neurons import Neuron

Laid = TypeVar("Laid")  #: the plan of a projection, which each engine has of its own


def revised(plan, **values):
    """Return a plan with other values, as `dataclasses.replace` does, which takes five times as long."""
    made = object.__new__(type(plan))
    made.__dict__.update(vars(plan), **values)
    return made


@dataclass(frozen=True, eq=False)
class PopulationPlan:
    """A population with its numbers.

    Attributes:
        population: which.
        bounds: of its parts, one for each thread.
        parameters: of the model, numbers and arrays by name.
        ports: its receptors, in the order of `Network.ports`, each with its parameters.
        initial: initial values of the state variables.
        stream: of its random numbers.
        form: what its engine computes with, made from the parameters; None for a source.
        n_ref: ticks for which each neuron is refractory, in an engine that has ticks.
    """

    population: Population
    bounds: np.ndarray
    parameters: SimpleNamespace
    ports: tuple
    initial: dict
    stream: int
    form: Any = None
    n_ref: np.ndarray | None = None

    @property
    def neuron(self) -> Neuron:
        """The model of a population of neurons.

        Raises:
            NetworkError: the population is a source.
        """
        model = self.population.model
        if not isinstance(model, Neuron):
            raise NetworkError(f"population {self.population.name!r} must have a neuron model, got "
                               f"{type(model).__name__}, a source")
        return model


@dataclass(frozen=True, eq=False)
class ProjectionPlan:
    """A projection with its synapses.

    Attributes:
        projection: which.
        connectivity: its synapses; in a bundle, what takes them out of it.
        bounds: of the parts of its targets, counted from the first of them.
        first: of the parts of the whole target population.
        wiring: what decides its kernels.
        port: number of its receptor.
        stream: of its random numbers.
        rows: of each part, the table of rows for the whole source population.
        base: of each part, the canonical number of the first synapse of each row and delay, for devices.
        bundle: the bundle that holds the synapses, or None.
        periods: ticks between two passes over all synapses, by name.
        born: of each part, the tick up to which each synapse was not there and spikes that were sent do not arrive;
            None where no such spike is under way.
    """

    projection: Projection
    connectivity: Any
    bounds: np.ndarray
    first: np.ndarray
    wiring: Any
    port: int
    stream: int
    rows: list | None = None
    base: list | None = None
    bundle: Any = None
    periods: Mapping = field(default_factory=dict)
    born: list | None = None

    @property
    def target(self) -> Population:
        """Where the synapses end."""
        return self.projection.target

    @property
    def n_synapses(self) -> int:
        """How many synapses there are."""
        return self.connectivity.n_synapses

    @property
    def shared(self) -> dict:
        """The quantities that are one number for all synapses, by name."""
        return self.connectivity.shared

    @property
    def stored(self) -> tuple:
        """Names of the quantities that have one value per synapse."""
        return self.wiring.stored

    @property
    def variables(self) -> list[str]:
        """Names of what may be recorded of the synapses."""
        return ["weight", *self.wiring.state()]

    def checksums(self) -> dict[str, str]:
        """Return what identifies the synapses, and with them each of their quantities, by name."""
        connectivity = self.connectivity.alone()
        names = connectivity.parts[0].values
        return {"synapses": checksum(connectivity, None), **{name: checksum(connectivity, name) for name in names}}


@dataclass(frozen=True, eq=False)
class DrivePlan:
    """A drive with its numbers.

    Attributes:
        drive: which.
        parameters: numbers, arrays and `TimedArray`s by name.
        bounds: of the parts of its targets, counted among them.
        first: of the parts of the whole target population.
        stream: of its random numbers.
        port: number of its receptor; None for a current.
        form: what the body of a current takes by name, in an engine that has ticks; else (times, values) of its steps.
    """

    drive: DriveOn
    parameters: SimpleNamespace
    bounds: np.ndarray
    first: np.ndarray
    stream: int
    port: int | None = None
    form: Any = None

    @property
    def target(self) -> Population:
        """What it acts on."""
        return self.drive.target

    @property
    def events_to(self) -> int:
        """Number of the receptor at which its events arrive.

        Raises:
            NetworkError: the drive is a current.
        """
        if self.port is None:
            raise NetworkError(f"drive {self.drive.name!r} must send events to a receptor, it is a current")
        return self.port


@dataclass(frozen=True, eq=False)
class Plan(Generic[Laid]):
    """A network for one dt, seed, float type and number of parts.

    Attributes:
        net: the description.
        dt: ms; 1 in an engine without ticks.
        seed: of everything that was drawn.
        real: float type.
        parts: how many parts there are.
        packed: whether stored weights were to be packed.
        populations, projections, drives: their plans, in the order of the description.
        deliveries: bundles, and projections that are in none, in the order in which a tick delivers them.
        window: ticks after which a spike has an effect on another part at the earliest.
        longest: ticks for which spikes must be kept.
        reach: (population, port) -> where its arrivals begin in the buffer of each part.
        size: size of the buffer of arrivals of each part.
        direct: (population, port) whose variable lies in that buffer.
        couplings: gap junctions, in the order of the description.
        injected: the populations into which a current is injected.
        ports: the receptors of every population.
        threads: how many threads work on the parts at most.
        changes: what was set since the network was laid out, (population, projection or drive, name) -> value.
    """

    net: Network
    dt: float
    seed: int
    real: type
    parts: int
    packed: bool
    populations: Mapping[Population, PopulationPlan]
    projections: Mapping[Projection, Laid]
    drives: Mapping[DriveOn, DrivePlan]
    deliveries: tuple = ()
    window: int = 1
    longest: int = 1
    reach: Mapping = field(default_factory=dict)
    size: tuple = ()
    direct: frozenset = frozenset()
    couplings: tuple = ()
    injected: frozenset = frozenset()
    ports: Ports = field(kw_only=True)
    threads: int = field(default=1, kw_only=True)
    changes: Mapping = field(default_factory=dict)


ClockedPlan = Plan[ProjectionPlan]  #: that of the engine with ticks
