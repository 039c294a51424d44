"""Changing a simulation between two runs: parameters, weights, what sources emit, what is written by hand."""

import numpy as np

from neurosim import setting
from neurosim.calls import arguments_listed
from neurosim.checks import Timed, check_number, describe_value
from neurosim.engine.quantities import within_bounds
from neurosim.errors import ParameterError
from neurosim.looking import Looking
from neurosim.network import DriveOn, Population, Projection
from neurosim.sources import InjectedCurrent
from neurosim.spikes import Spikes


class Changing(Looking):
    """What can be set of a simulation; a base of `Simulation`."""

    @arguments_listed
    def set(self, what: Population | Projection | DriveOn | str, **changes) -> None:
        """Set parameters or state variables of a population, weights of a projection, parameters of a drive.

        Every value is checked as it would be in a description; where one does not fit, nothing is changed.

        Args:
            what: the population, or a part of one, the projection or the drive, or its name; of several with one
                name the one that has what is changed.
            changes: new values by name. A state variable takes a number or an array; `weight` of a
                projection a number or one value per synapse in the order of `synapses`. Parameters of a receptor are
                set for its population, `tau_syn`, or `tau_syn[0]` where several receptors have one.

        Raises:
            ParameterError: a name is not known, or a value does not fit.
            UnsupportedError: what cannot be changed between runs, such as delays.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> cell = net.add(ns.LIF(tau_mem=10.0), 2, name="cell")
        >>> step = net.drive(cell, ns.InjectedCurrent(0.0), name="step")
        >>> sim = ns.Simulation(net)
        >>> sim.set("step", amplitude=100.0)
        >>> sim.set(cell[0:1], v=-60.0)
        >>> sim.get(cell, "v").tolist()
        [-60.0, -70.0]
        """
        owner = self._owner(what, changes, drives=True)
        if not changes:
            raise ParameterError(f"set must be given what to set of {owner.name!r} by name, one of "
                                 f"{', '.join(setting.names_of(self._run.engine, owner))}, got nothing")
        setting.put(self._run, owner, changes)

    @arguments_listed
    def age(self, projection: Projection | str, elapsed: float) -> None:
        """Let the devices of a projection age, without running the network: an hour or a year on the shelf.

        Args:
            projection: a projection with a device, or its name.
            elapsed: ms, on the devices' clock; the network's does not move.

        Raises:
            ParameterError: it has no device, or the time does not fit.

        >>> import neurosim as ns
        >>> from neurosim.contracts import Device
        >>> class Leaky(Device):
        ...     def age(self, weights, elapsed, since=0.0):
        ...         return weights / (1.0 + elapsed / 1000.0)
        >>> net = ns.Network()
        >>> a, b = net.add(ns.Poisson(rate=10.0), 2), net.add(ns.LIF(), 3)
        >>> p = net.connect(a, b, weight=2.0, device=Leaky())
        >>> sim = ns.Simulation(net)
        >>> sim.age(p, 1000.0)
        >>> sim.weights(p).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
        """
        projection = self._projection(projection)
        run, device = self._run, projection.device
        if device is None:
            raise ParameterError(f"projection {projection.name!r} must have a device, which ages; it has none")
        elapsed = check_number("elapsed", elapsed, "ms", at_least=0)
        since = run.ages.get(projection, 0.0)
        weights = np.asarray(self.weights(projection), dtype=np.float64)
        aged = np.asarray(device.age(weights, float(elapsed), since), dtype=np.float64)
        if not np.array_equal(aged, weights, equal_nan=True):  # what does not age may be infinite
            if aged.shape != weights.shape or not np.isfinite(aged).all():
                raise ParameterError(f"{type(device).__name__}.age must return one finite weight per synapse")
            values = dict(run.engine.synapses(projection)[3])
            self.set(projection, weight=within_bounds(projection, aged.astype(run.engine.plan.real), values))
        run.ages[projection] = since + float(elapsed)

    @arguments_listed
    def give(self, population: Population | str, spikes: Spikes) -> None:
        """Replace the spikes that a `SpikeSource` emits from now on; their times count from the present.

        So a network is shown one sample after the other while it learns.

        Args:
            population: the population of the source, or its name.
            spikes: of as many neurons; those under way are not taken back.

        Raises:
            ParameterError: it is no `SpikeSource`, or the spikes do not fit it.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> touch = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=2, duration=2.0)), name="touch")
        >>> net.record(touch)
        >>> sim = ns.Simulation(net, dt=0.5)
        >>> sim.run(10.0)
        >>> sim.give(touch, ns.Spikes.from_times([1.0, 2.0], [0, 1], size=2, duration=3.0))
        >>> sim.run(10.0)
        >>> sim.spikes(touch).times.tolist()
        [1.0, 11.0, 12.0]
        """
        population, run = self._population(population), self._run
        if population not in run.engine.given:
            raise ParameterError(f"population must be a SpikeSource, but {population.name!r} is of "
                                 f"{type(population.model).__name__}")
        if not isinstance(spikes, Spikes):
            raise ParameterError(f"spikes must be Spikes, got {describe_value(spikes)}")
        stamps, ids = run.engine.clock.given(population, spikes)
        run.engine.give(population, stamps + run.engine.clock.dtype(run.engine.now), ids)

    @arguments_listed
    def feed(self, drive: DriveOn | str) -> np.ndarray:
        """Return the amplitudes of an injected current, pA, shape (neurons of its target,), to be written by hand.

        What is written acts from the next tick on, until it is written anew: the cheap way to close a loop around
        a network, as a robot or a game does. They are part of `state`.

        Args:
            drive: an `InjectedCurrent` on a population, or its name.

        Raises:
            ParameterError: it is another drive.
            UnsupportedError: the mode is "event".

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> cells = net.add(ns.LIF(tau_mem=10.0, r=0.1), 2, name="cells")
        >>> hand = net.drive(cells, ns.InjectedCurrent(0.0), name="hand")
        >>> sim = ns.Simulation(net, dt=0.1)
        >>> current = sim.feed("hand")
        >>> for _ in range(300):
        ...     current[:] = 50.0 * (-65.0 - sim.get(cells, "v"))  # hold v at a level above its rest
        ...     sim.run(0.1)
        >>> [round(float(v), 1) for v in sim.get(cells, "v")]
        [-65.8, -65.8]
        """
        found = self._owner(drive, ["amplitude"], drives=True)
        if not isinstance(found, DriveOn) or type(found.drive) is not InjectedCurrent:
            raise ParameterError(f"drive must be an InjectedCurrent on a population, got {describe_value(drive)}")
        if isinstance(self._run.engine.plan.drives[found].parameters.amplitude, Timed):
            raise ParameterError(f"the amplitude of {found.name!r} must be a number or an array before it is fed, got "
                                 "a TimedArray; set it first")
        return self._run.feed(found)

    @arguments_listed
    def attach(self, make) -> None:
        """Let compiled code be called at the beginning of every tick: for rules that read spikes and write a `feed`.

        Args:
            make: called as make(spikes_of), at once and whenever the programs are made anew; returns a block of a
                `neurosim.engine.kernel.Kernel`. `spikes_of(population)` returns the arguments slots, stride, room, ids,
                marks by which the kernel finds the spikes of the last ticks: those of tick t are
                ids[marks[s]:marks[s] + marks[s + 1]], s = t % slots * stride.

        Raises:
            ParameterError: the simulation has more than one thread.
            UnsupportedError: the mode is "event".
        """
        if self.threads > 1:
            raise ParameterError(f"attach needs threads=1, got {self.threads}")
        self._run.engine.attach(make)

    @arguments_listed
    def sums(self, projection: Projection | str) -> np.ndarray:
        """Return the sum of the weights of a projection that end at each target, shape (targets,)."""
        return self._run.engine.sums(self._learning(projection, "sums"))

    @arguments_listed
    def scale(self, projection: Projection | str, factors) -> None:
        """Multiply the weights of a projection that learns by a factor for each target, within the bounds of its rules.

        Args:
            projection: the projection, or its name.
            factors: shape (targets,), finite.
        """
        projection = self._learning(projection, "scale")
        self._run.engine.scale(projection, setting.values_of("factors", factors, projection.target.size))

    def _learning(self, projection, what):
        projection = self._projection(projection)
        if not projection.plasticity or projection.device is not None:
            raise ParameterError(f"{what}: projection {projection.name!r} must have a learning rule and no device; set "
                                 "the weights of others with sim.set")
        return projection


__all__ = ["Changing"]
