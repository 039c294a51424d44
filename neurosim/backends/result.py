"""What a run by another simulator leaves: the same kind of thing as a simulation of neurosim."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import NetworkError
from neurosim.looking import Synapses
from neurosim.network import Network, Population, Projection
from neurosim.reprs import plural
from neurosim.spikes import Spikes


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Spikes, traces and weights of a network that another simulator has run.

    Attributes:
        net: the network.
        simulator: its name and version.
        dt: length of a tick, ms.
        seed: of everything that was drawn.
        duration: ms that were run.
        notes: sentences on what the simulator computes otherwise than neurosim.

    >>> from neurosim import backends
    >>> backends.Result.__name__
    'Result'
    """

    net: Network
    simulator: str
    dt: float
    seed: int
    duration: float
    notes: tuple[str, ...] = ()
    _spikes: dict[Population, tuple] = field(default_factory=dict)
    _traces: dict[tuple, np.ndarray] = field(default_factory=dict)
    _synapses: dict[Projection, tuple] = field(default_factory=dict)

    def spikes(self, population: Population | str) -> Spikes:
        """Return the spikes of a population or of a part of one; those of all populations are kept.

        Raises:
            NetworkError: it is no population of this network.
        """
        part = self._population(population)
        if part.base not in self._spikes:
            raise NetworkError(f"population {part.name!r} must emit spikes; {type(part.model).__name__} never does")
        ticks, ids = self._spikes[part.base]
        inside = part.holds(ids)
        return Spikes(ticks=ticks[inside], ids=part.places(ids[inside]), size=part.size, dt=self.dt, name=part.name,
                      duration=self.duration, metadata={"seed": self.seed, "simulator": self.simulator})

    def trace(self, what: Population | str, variable: str = "v") -> tuple[np.ndarray, np.ndarray]:
        """Return what was recorded of a variable.

        Returns:
            times: ms, shape (samples,).
            values: shape (samples, neurons).

        Raises:
            NetworkError: it was not recorded.
        """
        part = self._population(what)
        for recorder in self.net.recorders:
            if recorder.variable == variable and isinstance(recorder.what, Population) and _covers(recorder, part):
                every = 1 if recorder.every is None else round(recorder.every / self.dt)
                rows = self._traces[part.base, variable][::every]
                columns = watched(recorder)
                inside = part.holds(columns)
                return np.arange(len(rows)) * (every * self.dt), rows[:, columns[inside]]
        raise NetworkError(f"{variable!r} of {part.name!r} must be recorded before it can be read; call "
                           f"net.record(population, {variable!r}) before the network is run")

    def synapses(self, projection: Projection | str) -> Synapses:
        """Return the synapses of a projection as they are at the end, in the order (source, delay, target)."""
        projection = self.net.projection(projection) if isinstance(projection, str) else projection
        if projection not in self._synapses:
            raise NetworkError(f"projection must be one of this network, got {describe_value(projection)}")
        return Synapses(*self._synapses[projection])

    def weights(self, projection: Projection | str) -> np.ndarray:
        """Return the weights of a projection at the end, one for each synapse in the order of `synapses`."""
        return self.synapses(projection).weight

    def _population(self, population: Any) -> Population:
        population = self.net.population(population) if isinstance(population, str) else population
        if not isinstance(population, Population) or population.base not in self.net.populations:
            raise NetworkError(f"population must be one of this network, got {describe_value(population)}")
        return population

    def __repr__(self):
        populations = plural(len(self.net.populations), "population")
        return f"<result of {self.simulator}: {self.duration:g} ms of {populations}>"


def watched(recorder) -> np.ndarray:
    """Return the neurons of the whole population that a recorder records."""
    ids = np.arange(recorder.what.size) if recorder.ids is None else np.asarray(recorder.ids)
    return recorder.what.ids[ids]


def _covers(recorder, part) -> bool:
    what = recorder.what
    return what.base is part.base and bool(what.holds(part.ids).all())
