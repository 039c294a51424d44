"""Looking at a simulation: what it is, what it has recorded, its state and synapses as they are now."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurosim import setting
from neurosim.calls import arguments_listed
from neurosim.checks import check_is, describe_value
from neurosim.errors import NetworkError, SimulationError
from neurosim.network import DriveOn, Network, Population, Projection, one_with, recordable
from neurosim.resolving import Resolved, resolved
from neurosim.running import Run
from neurosim.settings import Settings
from neurosim.spikes import Spikes


class Synapses:
    """The synapses of a projection, in the order (source, delay, target).

    Attributes:
        source, target: numbered within the projection's populations, shape (synapses,).
        delay: ms.
        weight: in the unit of the receptor.

    The other quantities of its synapses are attributes of their names.
    """

    source: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    weight: np.ndarray

    def __init__(self, source, target, delay, values: dict):
        self.source, self.target, self.delay = source, target, delay
        for name, value in values.items():
            setattr(self, name, np.broadcast_to(value, source.size).copy())

    def __getattr__(self, name) -> Any:
        raise AttributeError(f"synapses must be asked for one of {', '.join(vars(self))}, got {name!r}")

    def __len__(self):
        return self.source.size

    def __repr__(self):
        return f"<{len(self)} synapses: {', '.join(vars(self))}>"


class Looking:
    """What can be asked of a simulation; a base of `Simulation`."""

    _run: Run

    # -- what it is --------------------------------------------------------------------------------

    @property
    def net(self) -> Network:
        """The network, which nobody changes any more."""
        return self._run.net

    @property
    def settings(self) -> Settings:
        """dt, seed, float type, mode and the like."""
        return self._run.settings

    @property
    def dt(self) -> float | None:
        """Length of a tick, ms; None in the mode "event"."""
        return self.settings.dt

    @property
    def seed(self) -> int:
        """Of everything random."""
        return self.settings.seed

    @property
    def threads(self) -> int:
        """How many threads at most."""
        return self.settings.threads

    @property
    def dtype(self) -> str:
        """Float type of states and weights."""
        return self.settings.dtype

    @property
    def packed(self) -> bool:
        """Whether weights are rounded and packed."""
        return self.settings.packed

    @property
    def memory_limit(self) -> float:
        """Bytes that recordings may take; it may be set."""
        return self.settings.memory_limit

    @memory_limit.setter
    def memory_limit(self, limit: float):
        self._run.allow(limit)

    @property
    def tick(self) -> int:
        """How far it has run, in ticks."""
        if self.dt is None:
            raise SimulationError("tick must be asked for where there are ticks; the mode 'event' has `time`")
        return self._run.engine.now

    @property
    def time(self) -> float:
        """How far it has run, ms."""
        return self._run.time

    @property
    def events(self) -> int:
        """How many events were handled since the simulation was made, in the mode "event"."""
        if self.dt is not None:
            raise SimulationError("events must be asked for in the mode 'event'; a clocked simulation has ticks")
        engine: Any = self._run.engine
        return engine.handled

    # -- looking -----------------------------------------------------------------------------------

    @arguments_listed
    def spikes(self, population: Population | str) -> Spikes:
        """Return the recorded spikes of a population, or of the part of it that is recorded."""
        return self._run.recordings.spikes(self._population(population))

    @arguments_listed
    def trace(self, what: Population | Projection | DriveOn | str,
              variable: str = "v") -> tuple[np.ndarray, np.ndarray]:
        """Return what was recorded of a variable, or of the current of a drive.

        Returns:
            times: ms, shape (samples,).
            values: shape (samples, neurons), or for a projection (samples, synapses) in the order of
                `synapses`.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> cell = net.add(ns.LIF(), 1, name="cell")
        >>> step = net.drive(cell, ns.StepCurrent(100.0, start=1.0, stop=2.0), name="step")
        >>> net.record(step, "current", every=0.5)
        >>> sim = ns.Simulation(net, dt=0.1)
        >>> sim.run(2.5)
        >>> times, current = sim.trace(step, "current")
        >>> times.tolist(), current[:, 0].tolist()
        ([0.5, 1.0, 1.5, 2.0, 2.5], [0.0, 0.0, 100.0, 100.0, 0.0])
        """
        owner = self._owner(what, [variable], drives=True, names_of=partial(recordable, self.net))
        return self._run.recordings.trace(owner, variable)

    @arguments_listed
    def get(self, population: Population | str, variable: str) -> np.ndarray:
        """Return a copy of a state variable as it is now, one value per neuron."""
        check_is("variable", variable, str, "the name of a state variable")
        return self._run.engine.read(self._population(population), variable)

    @arguments_listed
    def synapses(self, projection: Projection | str) -> Synapses:
        """Return the synapses of a projection in the order (source, delay, target).

        Returns:
            An object with arrays `source`, `target`, `delay` (ms), `weight`, and the other variables
            of its synapses by name.
        """
        return Synapses(*self._run.engine.synapses(self._projection(projection)))

    @arguments_listed
    def weights(self, projection: Projection | str, sparse: bool = False):
        """Return the weights of a projection, one per synapse in the order of `synapses`.

        Args:
            projection: the projection or its name.
            sparse: return a scipy sparse matrix of shape (source, target) instead; several synapses
                of one pair are added up.
        """
        projection = self._projection(projection)
        synapses = self.synapses(projection)
        if not sparse:
            return synapses.weight
        from scipy.sparse import coo_array

        shape = (projection.source.size, projection.target.size)
        return coo_array((synapses.weight, (synapses.source, synapses.target)), shape=shape).tocsr()

    def resolved(self) -> Resolved:
        """Return what the simulation is made of at present, as `ns.resolve` does for a description.

        What was drawn is as it was drawn; what was set or learned since is as it is now.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> cells = net.add(ns.LIF(tau_mem=ns.Uniform(10.0, 20.0)), 3, name="cells")
        >>> sim = ns.Simulation(net, seed=1)
        >>> sim.resolved().populations["cells"].parameters["tau_mem"].round(1)
        array([19. , 17.2, 15.8])
        """
        return resolved(self._run)

    def to_neo(self) -> Any:
        """Return everything that was recorded as a `neo.Block` of one segment: spike trains and analog signals.

        Groups have the names of the populations.

        Raises:
            UnsupportedError: Neo is not installed (extra `neo`).
        """
        from neurosim.export import neo

        return neo.run_block(self)

    @arguments_listed
    def export(self, path: str | Path, format: str | None = None, **fields: Any) -> None:
        """Write everything that was recorded, with what the network is, for other tools; whole or not at all.

        - "nwb", a name that ends in .nwb: units of all populations, traces as time series, the description as notes.
        - "neo", a name that ends in .nix: a block as `to_neo` gives it.
        - "sonata", a folder that is new or empty: nodes and edges with parameters, weights and delays as they are now,
          spikes, reports of variables, the configurations of circuit and simulation, the description.

        Args:
            path: name of the file, which is replaced, or of the folder.
            format: by default what the end of the name says; no end means a folder.
            fields: of `pynwb.NWBFile`, such as `experimenter`.

        Raises:
            ParameterError: nothing is recorded, or the format is not known.
            FileError: it cannot be written.
            UnsupportedError: a package is not installed (extras `nwb`, `neo`).

        Warns:
            NeurosimWarning: the format has no place for a part of the network.
        """
        from neurosim.export.runs import export

        export(self, path, format, fields)

    def forget(self) -> None:
        """Drop what was recorded so far and is kept in memory; recordings go on from now.

        So a run whose recordings have reached `memory_limit` goes on. What is streamed to files stays in them.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> noise = net.add(ns.Poisson(rate=1000.0), 10, name="noise")
        >>> net.record(noise)
        >>> sim = ns.Simulation(net)
        >>> sim.run(20.0)
        >>> sim.forget()
        >>> sim.run(10.0)
        >>> sim.spikes(noise).start, sim.spikes(noise).duration
        (20.0, 10.0)
        """
        self._run.recordings.forget()

    # -- helpers -------------------------------------------------------------------------------------

    def _owner(self, what, names=(), drives: bool = False, names_of=None):
        """Return a population, projection or drive that is given by itself or by its name.

        Of several with one name it is the one that has what is asked for: `names` of quantities that can be set, or of
        those that `names_of` returns.
        """
        if isinstance(what, str):
            names_of = names_of or partial(setting.names_of, self._run.engine)
            what = one_with(self.net.called(what, drives), names, names_of, "name")
        if isinstance(what, Projection):
            return self._projection(what)
        if drives and isinstance(what, DriveOn) and what in self._run.plan.drives:
            return what
        return self._population(what)

    def _population(self, population) -> Population:
        population = self.net.population(population) if isinstance(population, str) else population
        if not isinstance(population, Population) or population.base not in self._run.plan.populations:
            raise NetworkError(f"population must be one of this network, got {describe_value(population)}")
        return population

    def _projection(self, projection) -> Projection:
        projection = self.net.projection(projection) if isinstance(projection, str) else projection
        if not isinstance(projection, Projection) or projection not in self._run.plan.projections:
            raise NetworkError(f"projection must be one of this network, got {describe_value(projection)}")
        return projection


__all__ = ["Looking", "Synapses"]
