"""What a description comes to for a seed: drawn parameters and synapses as arrays, which other programs can read."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.network import Network
from neurosim.running import Run
from neurosim.settings import Settings


@dataclass(frozen=True, eq=False)
class ResolvedPopulation:
    """A population with its numbers.

    Attributes:
        name, model, size: what it is.
        parameters: of the model, numbers or arrays with one value per neuron.
        initial: initial values of the state variables.
        receptors: each receptor with its parameters, in the order of `Network.ports`.
        spikes: of a `SpikeSource`, (times in ms, ids); else None.
    """

    name: str
    model: Any
    size: int
    parameters: dict[str, Any]
    initial: dict[str, Any]
    receptors: list[tuple[Any, dict[str, Any]]]
    spikes: tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True, eq=False)
class ResolvedProjection:
    """A projection with its synapses in the order (source, delay, target).

    Attributes:
        name: its name.
        projection: its description.
        source, target: numbered within the whole populations, shape (synapses,).
        delay: ms, as it acts.
        values: weight, and the parameters and variables of release, rules and device, numbers or arrays.
        receptor: number of its receptor among those of the target.
    """

    name: str
    projection: Any
    source: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    values: dict[str, Any]
    receptor: int


@dataclass(frozen=True, eq=False)
class ResolvedDrive:
    """A drive with its numbers; `receptor` is the number of its receptor, None for a current."""

    name: str
    drive: Any
    parameters: dict[str, Any]
    receptor: int | None


@dataclass(frozen=True, eq=False)
class Resolved:
    """A network with everything drawn: populations, projections and drives by name."""

    populations: dict[str, ResolvedPopulation]
    projections: dict[str, ResolvedProjection]
    drives: dict[str, ResolvedDrive]


def resolve(net: Network, dt: float | None = 0.1, seed: int = 0, dtype: str = "float64") -> Resolved:
    """Return what a simulation of a network would be made of: every distribution and connection drawn.

    Args:
        net: the network.
        dt: ms; None for delays as they are given, which no grid rounds.
        seed: that of the simulation.
        dtype: "float64" or "float32", of weights.

    Raises:
        ParameterError: an argument does not fit.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> noise = net.add(ns.Poisson(20.0), 4, name="noise")
    >>> cells = net.add(ns.LIF(tau_mem=ns.Uniform(10.0, 20.0)), 3, name="cells")
    >>> synapses = net.connect(noise, cells, ns.FixedInDegree(2), weight=0.5, delay=1.5, name="in")
    >>> found = ns.resolve(net, seed=1)
    >>> found.projections["in"].source.size, found.populations["cells"].parameters["tau_mem"].shape
    (6, (3,))
    """
    if not isinstance(net, Network):
        raise ParameterError(f"net must be a Network, got {describe_value(net)}")
    settings = Settings(dt=dt, seed=seed, dtype=dtype, mode="clocked" if dt is not None else "event")
    return resolved(Run(net.copy(), settings, record=False))


def resolved(run: Run) -> Resolved:
    """Return what a run is made of at present: what was set, learned or wired anew since it was laid out is in it."""
    now = run.engine.plan
    return Resolved({p.name: _population(run, p, plan) for p, plan in now.populations.items()},
                    {p.name: _projection(run, p, plan) for p, plan in now.projections.items()},
                    {d.name: ResolvedDrive(d.name, d.drive, dict(vars(plan.parameters)), plan.port)
                     for d, plan in now.drives.items()})


def _population(run, population, plan):
    spikes = run.engine.given.get(population)
    if spikes is not None:
        spikes = np.asarray(run.engine.clock.ms(spikes[0]), np.float64), spikes[1]
    return ResolvedPopulation(population.name, population.model, population.size, dict(vars(plan.parameters)),
                              dict(plan.initial), [(port, dict(vars(p))) for port, p in plan.ports], spikes)


def _projection(run, projection, plan):
    source, target, delay, values = run.engine.synapses(projection)
    source, target = projection.source.ids[source], projection.target.ids[target]
    return ResolvedProjection(projection.name, projection, source.astype(np.uint32), target.astype(np.uint32), delay,
                              values, plan.port)


__all__ = ["Resolved", "ResolvedDrive", "ResolvedPopulation", "ResolvedProjection", "resolve", "resolved"]
