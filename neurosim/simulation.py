"""Running a network: `Simulation`."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from neurosim.calls import arguments_listed
from neurosim.changing import Changing
from neurosim.checks import check_is, describe_value, is_whole
from neurosim.errors import NetworkError, ParameterError, SimulationError, warn
from neurosim.files import as_path
from neurosim.looking import Synapses
from neurosim.network import Network, Population, Projection
from neurosim.precision import dtype_for
from neurosim.progress import progress_bar
from neurosim.reprs import plural
from neurosim.running import Run
from neurosim.settings import Settings, State
from neurosim.units import warn_of_tick

QUIET = 100.0  #: ms after which a population that has never spiked is named


class Simulation(Changing):
    """A network laid out in memory, which runs, stops, goes on, and can be saved.

    Time is a whole number of ticks. Within a tick: integrate from t - dt to t; add what arrives at t;
    spike where v is strictly above the threshold; reset; record. A spike at t with delay d arrives at
    t + d. The same seed gives the same spikes, bit for bit, for any number of threads and any way of
    cutting a run.

    Args:
        net: the network; it is read once, later changes to it have no effect.
        dt: length of a tick, ms; 0.1 by default. There is none in the mode "event".
        seed: of everything random, 0 <= seed < 2^64.
        threads: number of threads, by default one; of a small network, one does all in less time.
        dtype: "float32" or "float64", of states and weights; by default "float32", and "float64" where rounding would
            change a rate too much: below some 1e-4 time constants a tick (`neurosim.precision`). Always "float64" in
            the mode "event".
        mode: "clocked", or "event": exact, without ticks, see docs/event_mode.md.
        packed: whether a weight that differs from synapse to synapse shares 32 bits with its target, where it does
            not change: less memory and time for large networks. It is then rounded to a multiple of 1/32767 of the
            largest weight of all projections from the same population.
        memory_limit: bytes that recordings may take; more is refused before the run.

    Raises:
        ParameterError: an argument does not fit.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> cell = net.add(ns.LIF(tau_mem=10.0, r=0.1, i_bias=200.0), 1, name="cell")
    >>> net.record(cell)
    >>> sim = ns.Simulation(net, dt=0.1)
    >>> sim.run(100.0)
    >>> len(sim.spikes(cell))
    7
    """

    @arguments_listed
    def __init__(self, net: Network, dt: float | None = None, *, seed: int = 0, threads: int | None = None,
                 dtype: str | None = None, mode: str = "clocked", packed: bool = False, memory_limit: float = 4e9):
        if not isinstance(net, Network):
            raise ParameterError(f"net must be a Network, got {describe_value(net)}")
        if not net.populations:
            raise NetworkError("net must have a population; add one with net.add(model, size)")
        settings = Settings.of(dt=dt, seed=seed, dtype=dtype, mode=mode, packed=packed, threads=threads,
                               memory_limit=memory_limit)
        if dtype is None and settings.dt is not None:
            settings = replace(settings, dtype=dtype_for(net, settings.dt))
        if settings.dt is not None:
            warn_of_tick(settings.dt, {p.name: (p.model, *ports) for p, ports in net.receptors().items()})
        self._begin(Run(net.copy(), settings))

    @classmethod
    def _of(cls, run: Run) -> "Simulation":
        """Return the simulation of a run that is there."""
        made = cls.__new__(cls)
        made._begin(run)
        return made

    def _begin(self, run: Run) -> None:
        self._run, self._busy, self._ran, self._warned = run, False, 0.0, set()

    # -- running -----------------------------------------------------------------------------------

    @arguments_listed
    def run(self, duration: float, *, progress: bool = False, callback=None, callback_every: float | None = None,
            allow_infinite: bool = False) -> None:
        """Go on for some ms from where the simulation is.

        Args:
            duration: ms, a multiple of dt; any number in the mode "event".
            progress: whether to show a progress bar.
            callback: called as callback(sim) after every `callback_every` ms; it may look at the
                simulation, set parameters and save, but not run or restore.
            callback_every: ms between two calls, a multiple of dt, counted from t = 0.
            allow_infinite: whether values that are infinite or undefined let the run go on.

        Raises:
            SimulationError: a value became infinite or undefined, or recordings need too much memory.
            KeyboardInterrupt: Ctrl-C was pressed; all threads have stopped at one tick, `sim.time`,
                from which the simulation can go on.
        """
        run, clock = self._run, self._run.engine.clock
        span = clock.span("duration", duration)
        if (callback is None) != (callback_every is None):
            raise ParameterError("callback and callback_every must be given together")
        if callback is not None and not callable(callback):
            raise ParameterError(f"callback must be a function of the simulation, got {describe_value(callback)}")
        period = None if callback is None else clock.span("callback_every", callback_every, at_least=1)
        self._check_idle("run")
        run.recordings.begin(span)
        start, total = self.time, float(clock.ms(span))
        visit = None if callback is None else lambda: callback(self)
        with self._working(), progress_bar(progress, total, "ms") as show:
            try:
                run.go_on(run.engine.now + span, period=period, visit=visit, show=show, allow_infinite=allow_infinite)
            finally:
                self._ran += self.time - start
        self._warn()

    def _check_idle(self, what):
        if self._busy:
            raise SimulationError(f"{what} must not be called while the simulation runs, as from a callback; let the "
                                  "run end first")

    @contextmanager
    def _working(self):
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _warn(self):
        """Name populations of neurons that never spike, or that do at every tick."""
        if self._ran < QUIET or (self.dt is not None and self._ran < 100 * self.dt):
            return
        for population, count in self._run.engine.counts().items():
            if population in self._warned or not hasattr(population.model, "state"):
                continue
            if count == 0:
                self._warned.add(population)
                warn(f"population {population.name!r} has never spiked in {self._ran:g} ms; is its "
                     "input too weak?")
            elif self.dt is not None and count == round(self._ran / self.dt) * population.size:
                self._warned.add(population)
                warn(f"every neuron of {population.name!r} has spiked at every tick; is its input too strong?")

    # -- state in and out --------------------------------------------------------------------------

    def state(self) -> State:
        """Return a copy of everything that changes while the network runs.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> cell = net.add(ns.LIF(i_bias=200.0), 1, name="cell")
        >>> sim = ns.Simulation(net, dt=0.1)
        >>> sim.run(5.0)
        >>> state, v = sim.state(), sim.get(cell, "v")
        >>> sim.run(20.0)
        >>> sim.restore(state)
        >>> sim.time, bool((sim.get(cell, "v") == v).all())
        (5.0, True)
        """
        return self._run.state()

    @arguments_listed
    def restore(self, state: State, *, keep=(), sample: int | None = None) -> None:
        """Go to a state; recordings after it are dropped, all of them if it lies ahead of the present.

        Everything is as it was then: neurons, synapses, spikes under way, the spikes that sources were given, what
        was set, the sample, the ages of devices.

        Args:
            state: what `state` returned, of this simulation or of another one of an equal network with the same
                dt, seed, dtype, mode and packing, and any number of threads.
            keep: projections, or their names, whose synapses keep what they have learned and what was set of them:
                samples are shown one after the other, each to a network at rest. Populations keep parameters that
                were set.
            sample: a whole number that selects the random numbers of what follows, as the key of a sample in
                `run_batch`; otherwise the same time brings the same numbers again.

        Raises:
            ParameterError: it is not a state, or one of another network.
        """
        if not isinstance(state, State):
            raise ParameterError(f"state must be what sim.state() returned, got {describe_value(state)}")
        self._check_idle("restore")
        if isinstance(keep, (str, Population, Projection)):
            raise ParameterError(f"keep must be a list of projections, got {describe_value(keep)}")
        kept = [self._owner(owner, ["weight"]) for owner in keep]
        if sample is not None and not (is_whole(sample) and 0 <= sample < 2**32 - 1):
            raise ParameterError(f"sample must be a whole number in 0 .. 2^32 - 2, got {describe_value(sample)}")
        self._run.go_to(state, kept, None if sample is None else int(sample) + 1)

    @arguments_listed
    def clone(self, *, seed: int | None = None, threads: int | None = None, dtype: str | None = None,
              memory_limit: float | None = None, record: bool = True) -> "Simulation":
        """Return another simulation that goes on from here by itself: try something, and go on with the original.

        Args:
            seed: of what is drawn from now on (noise, random releases); what was drawn when the network was laid out,
                such as connections, stays. By default the same numbers come again.
            threads, dtype, memory_limit: other settings; by default the same.
            record: whether the clone has the recordings, those so far included; not where one is streamed to a file.

        Raises:
            ParameterError: a setting does not fit, or a recording goes to a file.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> cell = net.add(ns.LIF(i_bias=200.0), 1, name="cell")
        >>> net.record(cell)
        >>> sim = ns.Simulation(net)
        >>> sim.run(50.0)
        >>> twin = sim.clone()
        >>> twin.set(cell, i_bias=0.0)
        >>> twin.run(50.0)
        >>> sim.run(50.0)
        >>> len(sim.spikes(cell)) > len(twin.spikes(cell))
        True
        """
        self._check_idle("clone")
        given = {"noise": seed, "threads": threads, "dtype": dtype, "memory_limit": memory_limit}
        settings = replace(self.settings, **{name: value for name, value in given.items() if value is not None})
        streamed = [log for log in self._run.recordings.logs if log.path is not None]
        if record and streamed:
            raise ParameterError("record must be False where a recording goes to a file, which only one simulation can "
                                 f"write: {streamed[0].name} goes to {streamed[0].path}")
        made = self._of(self._run.clone(settings, record))
        if record:
            made._run.recordings.put_contents(self._run.recordings.contents())
        made._ran, made._warned = self._ran, set(self._warned)
        return made

    def __copy__(self):
        return self.clone()

    def __deepcopy__(self, memo):
        return self.clone()

    def __reduce__(self):
        if any(log.path is not None for log in self._run.recordings.logs):
            raise TypeError("a simulation that streams a recording to a file must not be pickled; use save and load")
        return _unpickled, (self.net, self.settings, self.state(), self._run.recordings.contents())

    @arguments_listed
    def rewire(self, projection: Projection | str, source, target, *, weight, delay, continues=None,
               under_way: str = "refuse") -> "Simulation":
        """Return a simulation that goes on from where this one is, with other synapses in one projection.

        Synapses are laid out by source and delay, so that other partners or delays mean another layout. Everything
        else is as it was: neurons, spikes under way and given, other projections, what was set, random numbers, ages of
        devices. Recordings begin anew; those so far stay with this simulation.

        Args:
            projection: one of its projections, or its name.
            source, target: who is connected, numbered within the projection's populations, shape (synapses,).
            weight, delay: of each synapse (the receptor's unit, ms), numbers or shape (synapses,).
            continues: for each synapse the number of the old one that it was, in the order of `synapses`, or -1
                for a new one: it keeps the other variables of that synapse, such as those of a learning rule. By
                default all are new.
            under_way: what happens where an arrival is already due at a synapse that goes on and its delay changes,
                such that it would come twice or never: "refuse", or "accept" that. Spikes that were sent before a
                synapse was there do not arrive at it; those under way to a synapse that ends are lost. What a learning
                rule remembers of neurons, its traces, goes on at new synapses too.

        Raises:
            ParameterError: an argument does not fit.
            SimulationError: an arrival would come twice or never.
            UnsupportedError: the rule keeps what belongs to delays, and other delays occur than before; or the
                simulation is not in the mode "clocked".

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> a, b = net.add(ns.Poisson(rate=50.0), 3), net.add(ns.LIF(), 2)
        >>> synapses = net.connect(a, b, weight=1.0, delay=1.0, name="a to b")
        >>> sim = ns.Simulation(net)
        >>> sim.run(10.0)
        >>> later = sim.rewire("a to b", [0, 2], [1, 0], weight=[0.5, 0.7], delay=2.0)
        >>> later.time, later.synapses("a to b").weight.round(2)
        (10.0, array([0.5, 0.7], dtype=float32))
        """
        from neurosim.rewiring import rewired

        self._check_idle("rewire")
        return self._of(rewired(self._run, self._projection(projection), source, target, weight=weight, delay=delay,
                                continues=continues, under_way=under_way))

    @arguments_listed
    def save(self, path: str | Path) -> None:
        """Write state and recordings to an HDF5 file, whole or not at all.

        Args:
            path: name of the file; one that exists is replaced.

        Raises:
            FileError: the file cannot be written.

        >>> import pathlib, tempfile, neurosim as ns
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "state.h5"
        >>> net = ns.Network()
        >>> noise = net.add(ns.Poisson(rate=100.0), 10, name="noise")
        >>> net.record(noise)
        >>> sim = ns.Simulation(net, seed=1)
        >>> sim.run(50.0)
        >>> sim.save(path)
        >>> ns.Simulation.load(path, net).spikes(noise) == sim.spikes(noise)
        True
        """
        from neurosim.checkpoint import save

        save(self._run, as_path("path", path))

    @classmethod
    def load(cls, path: str | Path, net: Network, *, threads: int | None = None,
             memory_limit: float = 4e9) -> "Simulation":
        """Return a simulation that goes on from a file.

        Args:
            path: file that `save` wrote.
            net: the same network, described again; the file holds its state, not its description.
            threads: may differ from the saved simulation's; the spikes do not.
            memory_limit: as for a new simulation.

        Raises:
            FileError: the file is missing, damaged, of another version, or of another network.
        """
        from neurosim.checkpoint import load

        if not isinstance(net, Network):
            raise ParameterError(f"net must be a Network, got {describe_value(net)}")
        return cls._of(load(as_path("path", path), net.copy(), threads, memory_limit))

    # -- many inputs ---------------------------------------------------------------------------------

    @arguments_listed
    def run_batch(self, samples, duration: float, *, changes=None, keys=None, threads: int | None = None,
                  progress: bool = False, allow_infinite: bool = False) -> list:
        """Run the network once for each of many independent inputs or trials, each from the present state.

        What a sample learns is gone at its end. Samples that teach a network are run one after the
        other, with `restore(state, keep=[projection])` between them.

        Args:
            samples: one input each: a dict from the name of a `SpikeSource` population (or the
                population) to `Spikes`, whose times count from the present; or just `Spikes` where
                the network has one such population. A number, as in `run_batch(50, 500.0)`, is that
                of trials, which differ in their random numbers alone.
            duration: ms that each runs.
            changes: what is set for one sample alone, a dict for each: from what `set` takes, a population, a part
                of one, a projection, a drive, or its name, to new values by name. So neurons are silenced, or a
                parameter is swept, in one batch.
            keys: a whole number for each sample, which selects its random numbers; by default its
                position. With its key a sample gives the same result in any order and any batch.
            threads: how many samples run at once; by default one for each core.
            progress: whether to show a progress bar.
            allow_infinite: whether values that are infinite or undefined let a sample go on.

        Returns:
            One `Result` per sample, in order: `result.spikes(population)`, `result.trace(...)`, whose
            times count from the beginning of the sample.

        Raises:
            ParameterError: an argument or a sample does not fit.
            UnsupportedError: a recording is streamed to a file.
            SimulationError: a value became infinite or undefined, or the results need too much memory.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> touch = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=2, duration=1.0)), name="touch")
        >>> cells = net.add(ns.LIF(), 3, name="cells")
        >>> synapses = net.connect(touch, cells, weight=20.0)
        >>> net.record(cells)
        >>> once = ns.Spikes.from_times([1.0], [0], size=2, duration=9.0)
        >>> twice = ns.Spikes.from_times([1.0, 5.0], [0, 0], size=2, duration=9.0)
        >>> [len(result.spikes(cells)) for result in ns.Simulation(net, dt=0.1).run_batch([once, twice], 9.0)]
        [3, 6]
        >>> deaf = {cells[0:2]: {"v_threshold": 0.0}}
        >>> [len(r.spikes(cells)) for r in ns.Simulation(net, dt=0.1).run_batch([once] * 2, 9.0, changes=[{}, deaf])]
        [3, 1]
        """
        from neurosim.batch import run_batch

        if changes is not None:
            check_is("changes", changes, (list, tuple), "a list, with a dict from what is set to values for each "
                                                        "sample")
            changes = [self._owned(each) for each in changes]
        return run_batch(self._run, samples, duration, keys, threads, progress, allow_infinite, changes)

    def _owned(self, changes):
        """Return what is set for a sample, with what was called by its name."""
        check_is("what is set for a sample", changes, dict, "a dict from what is set to values by name")
        for values in changes.values():
            check_is("what is set for a sample", values, dict, "new values by name")
        return {self._owner(what, values, drives=True): values for what, values in changes.items()}

    def __repr__(self):
        what = f"<simulation of {plural(len(self.net.populations), 'population')} at t = {self.time:g} ms, "
        if self.dt is None:
            return f"{what}event-driven>"
        return f"{what}dt = {self.dt:g} ms, {self.dtype}, {plural(self.threads, 'thread')}>"


def _unpickled(net, settings, state, recorded) -> Simulation:
    """Return a simulation that was pickled; its network is laid out anew."""
    run = Run(net, settings, state=state)
    run.recordings.put_contents(recorded)
    return Simulation._of(run)


def taken_apart(sim: Simulation) -> tuple:
    """Return what a simulation is made of, its layout included, such that `put_together` builds nothing again."""
    run = sim._run
    return run.net, run.settings, run.plan, sim.state(), run.recordings.contents(), run.fingerprint


def put_together(net, settings, plan, state, recorded, fingerprint) -> Simulation:
    """Return a simulation from what `taken_apart` returned, on this version of neurosim."""
    run = Run(net, settings, plan=plan, state=state, fingerprint=fingerprint)
    run.recordings.put_contents(recorded)
    return Simulation._of(run)


__all__ = ["Simulation", "State", "Synapses"]
