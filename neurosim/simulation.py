"""Running a network: `Simulation`."""

import signal
import threading
import time
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np

from neurosim.checks import check_number, check_seed, check_ticks, check_whole, describe_value, is_whole
from neurosim.engine.instance import Instance
from neurosim.engine.layout import Planner, check_bounds, parts_of, within_bounds
from neurosim.engine.synapses import to_coo
from neurosim.errors import NetworkError, NeurosimWarning, ParameterError, SimulationError
from neurosim.event.mode import EventMode
from neurosim.network import Network, Population, Projection, check_lengths
from neurosim.precision import dtype_for
from neurosim.progress import progress_bar
from neurosim.recording import Recordings
from neurosim.sources import TimedArray
from neurosim.spikes import Spikes

MODES = ("clocked", "event")
DTYPES = {"float32": np.float32, "float64": np.float64}
RESPONSE = 0.1  #: seconds within which a run looks up: for Ctrl-C, the progress bar, memory


class Simulation:
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

    def __new__(cls, net=None, dt=None, *, mode: str = "clocked", **_):
        return super().__new__(_EventSimulation if cls is Simulation and mode == "event" else cls)

    def __init__(self, net: Network, dt: float | None = None, *, seed: int = 0, threads: int | None = None,
                 dtype: str | None = None, mode: str = "clocked", packed: bool = False, memory_limit: float = 4e9):
        dt = 0.1 if dt is None else dt
        self._check(net, dt, seed, threads, dtype, mode)
        dtype = dtype or dtype_for(net, float(dt))
        self.net = net = net.copy()
        self.dt, self.seed, self.threads, self.dtype = float(dt), int(seed), int(threads or 1), dtype
        self.memory_limit, self.packed = float(memory_limit), bool(packed)
        self.tick, self._running = 0, False
        self._given = set()  #: sources whose spikes are no more those of the description
        parts = parts_of(net, self.threads)
        self._layout = Planner(net, self.dt, self.seed, DTYPES[dtype], parts, self.packed).layout()
        self._recordings = Recordings(net, self._layout, self.memory_limit)
        self._instance = Instance(self._layout, self._recordings.states)
        self._watch = {p: SimpleNamespace(spikes=0, ticks=0, warned=False) for p in self._instance.slots}

    @staticmethod
    def _check(net, dt, seed, threads, dtype, mode):
        if not isinstance(net, Network):
            raise ParameterError(f"net must be a Network, got {describe_value(net)}")
        if not net.populations:
            raise NetworkError("net must have a population; add one with net.add(model, size)")
        check_number("dt", dt, "ms", above=0)
        check_seed("seed", seed)
        if threads is not None:
            check_whole("threads", threads, at_least=1, at_most=256)
        if dtype is not None and dtype not in DTYPES:
            raise ParameterError(f"dtype must be 'float32' or 'float64', got {describe_value(dtype)}")
        if mode not in MODES:
            raise ParameterError(f"mode must be 'clocked' or 'event', got {describe_value(mode)}")

    @property
    def time(self) -> float:
        """How far the simulation has run, ms."""
        return self.tick * self.dt

    # -- running -----------------------------------------------------------------------------------

    def run(self, duration: float, *, progress: bool = False, callback=None, callback_every: float | None = None,
            allow_infinite: bool = False) -> None:
        """Go on for some ms from where the simulation is.

        Args:
            duration: ms, a multiple of dt.
            progress: whether to show a progress bar.
            callback: called as callback(sim) after every `callback_every` ms; it may look at the
                simulation, set parameters and save, but not run or restore.
            callback_every: ms between two calls, a multiple of dt.
            allow_infinite: whether values that are infinite or undefined let the run go on.

        Raises:
            SimulationError: a value became infinite or undefined, or recordings need too much memory.
            KeyboardInterrupt: Ctrl-C was pressed; all threads have stopped at one tick, `sim.time`,
                from which the simulation can go on.
        """
        ticks = check_ticks("duration", duration, self.dt)
        if (callback is None) != (callback_every is None):
            raise ParameterError("callback and callback_every must be given together")
        period = ticks if callback is None else check_ticks("callback_every", callback_every, self.dt, at_least=1)
        self._check_idle("run")
        self._recordings.begin(self, ticks)
        end, show = self.tick + ticks, progress_bar(progress, ticks * self.dt, "ms")
        with self._busy(), _Interrupt() as interrupt, self._recordings.files(self), show as done:
            pace = 64
            while self.tick < end:
                stop = min(end, (self.tick // max(1, period) + 1) * period if callback else end)
                steps = min(pace, self._instance.chunk, stop - self.tick, self._recordings.room(self.tick))
                pace = self._chunk(steps, allow_infinite, pace)
                done((ticks - (end - self.tick)) * self.dt)
                if callback is not None and self.tick % period == 0:
                    callback(self)
                interrupt.check()
        self._warn()

    def _check_idle(self, what):
        if self._running:
            raise SimulationError(f"{what} must not be called while the simulation runs, as from a callback; let the "
                                  "run end first")

    @contextmanager
    def _busy(self):
        self._running = True
        try:
            yield
        finally:
            self._running = False

    def _chunk(self, steps: int, allow_infinite: bool, pace: int) -> int:
        """Run some ticks and look at what came of them; return how many ticks to run next."""
        began = time.perf_counter()
        self._instance.advance(self.tick, steps)
        self.tick += steps
        self._recordings.collect(self, steps)
        for population, seen in self._watch.items():
            parts = self._instance.slots[population]
            seen.spikes += sum(slots.total(self.tick - steps, self.tick) for slots in parts)
            seen.ticks += steps
        if not allow_infinite:
            self._check_finite()
        took = time.perf_counter() - began
        return int(min(max(16, pace * 4), max(16, steps * RESPONSE / max(took, 1e-6))))

    def _check_finite(self):
        found = self._instance.infinite()
        if found:
            raise SimulationError(f"{found} at or before t = {self.time:g} ms; look for too large weights, currents or "
                                  "dt")

    def _warn(self):
        for population, seen in self._watch.items():
            if seen.warned or seen.ticks < 100 or seen.ticks * self.dt < 100 or not hasattr(population.model, "state"):
                continue
            if seen.spikes == 0:
                seen.warned = True
                warnings.warn(f"population {population.name!r} has never spiked in {seen.ticks * self.dt:g} ms; is its "
                              "input too weak?", NeurosimWarning, stacklevel=3)
            elif seen.spikes == seen.ticks * population.size:
                seen.warned = True
                warnings.warn(f"every neuron of {population.name!r} has spiked at every tick; is its input too strong?",
                              NeurosimWarning, stacklevel=3)

    # -- looking -----------------------------------------------------------------------------------

    def spikes(self, population: Population | str) -> Spikes:
        """Return the recorded spikes of a population, or of the part of it that is recorded."""
        return self._recordings.spikes(self, self._population(population))

    def trace(self, what: Population | Projection | str, variable: str = "v") -> tuple[np.ndarray, np.ndarray]:
        """Return what was recorded of a variable.

        Returns:
            times: ms, shape (samples,).
            values: shape (samples, neurons), or for a projection (samples, synapses) in the order of
                `synapses`.
        """
        if isinstance(what, str) and any(what == p.name for p in self.net.projections):
            what = self.net.projection(what)
        return self._recordings.trace(what if isinstance(what, Projection) else self._population(what), variable)

    def get(self, population: Population | str, variable: str) -> np.ndarray:
        """Return a copy of a state variable as it is now, one value per neuron."""
        population = self._population(population)
        key = self._recordings.key(population, variable)
        return self._instance.neurons[key][population.start:population.start + population.size].copy()

    def synapses(self, projection: Projection | str) -> SimpleNamespace:
        """Return the synapses of a projection in the order (source, delay, target).

        Returns:
            An object with arrays `source`, `target`, `delay` (ms), `weight`, and the other variables
            of its synapses by name.
        """
        projection = self._projection(projection)
        source, target, delay, values = to_coo(self._instance.look(projection, self.tick))
        values = {name: np.broadcast_to(value, source.size).copy() for name, value in values.items()}
        return SimpleNamespace(source=source, target=target, delay=delay * self.dt, **values)

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

    # -- changing ----------------------------------------------------------------------------------

    def set(self, what: Population | Projection | str, **changes) -> None:
        """Set parameters or state variables of a population, or parameters and weights of a projection.

        Args:
            what: the population or projection, or its name.
            changes: new values by name. A state variable takes a number or an array; `weight` of a
                projection a number or one value per synapse in the order of `synapses`. The times of a `TimedArray`
                count from the present.
        """
        if isinstance(what, str) and any(what == p.name for p in self.net.projections):
            what = self.net.projection(what)
        if isinstance(what, Projection):
            anew = self._set_projection(self._projection(what), changes)
        else:
            anew = self._set_population(self._population(what), changes)
        if anew:
            self._instance.wire()
        self._instance.rewind(self.tick)

    def _set_population(self, population, changes) -> bool:
        """Set what is known to fit; return whether numbers changed that the programs hold."""
        plan = self._layout.populations[population]
        states, parameters = self._sort_changes(population, changes)
        for name, values in states.items():
            self._instance.neurons[self._recordings.key(population, name)][:] = values
        vars(plan.parameters).update(parameters)
        plan.changed.update(parameters)
        if parameters and plan.coefficients is not None:
            Planner(self.net, self.dt, self.seed, self._layout.real, self.threads).refresh(plan)
        return bool(parameters)

    def _sort_changes(self, population, changes):
        """Return what is to be set of a population, checked: state variables and parameters, by name."""
        if population.whole is not None:
            raise ParameterError(f"parameters must be set for a whole population, got the part {population.name!r}; "
                                 "give an array with one value per neuron")
        plan = self._layout.populations[population]
        model, variables = population.model, self.net.variables(population)
        states, parameters = {}, {}
        for name, value in changes.items():
            if name in variables:
                states[name] = _values(name, value, population.size)
            elif name in model.parameters and model.parameters[name].per_element:
                checked = model.parameters[name].check(type(model).__name__, value)
                check_lengths(type(model).__name__, {name: checked}, population.size)
                checked = checked.later(self.time) if isinstance(checked, TimedArray) else checked
                if hasattr(checked, "numbers"):
                    raise ParameterError(f"{name} must be a number or an array when it is set in a running simulation, "
                                         f"got {checked}")
                parameters[name] = checked
            else:
                known = ", ".join([*variables, *(k for k, p in model.parameters.items() if p.per_element)])
                raise ParameterError(f"what is set of {population.name!r} must be one of {known}, got {name!r}")
        if parameters:
            model.replace(**{name: getattr(plan.parameters, name) for name in model.parameters} | parameters)
        return states, parameters

    def _set_projection(self, projection, changes) -> bool:
        plan = self._layout.projections[projection]
        self._settle()
        changing, checked = self._instance.changing(projection), {}
        for name, value in changes.items():
            if name in changing or name in plan.wiring.stored:
                checked[name] = _values(name, value, plan.connectivity.n_synapses)
            elif name in plan.wiring.shared:
                checked[name] = _values(name, value, plan.connectivity.n_synapses if np.ndim(value) else 1)
            else:
                known = ", ".join(dict.fromkeys([*changing, *plan.wiring.shared, *plan.wiring.stored]))
                raise ParameterError(f"what is set of {projection.name!r} must be one of {known}, got {name!r}")
        if "weight" in checked:
            projection.receptor.check_weights(f"weight of {projection.name!r}", checked["weight"])
        if "weight" in checked and projection.plasticity:
            now = to_coo(self._instance.view(projection))[3]
            check_bounds(projection, np.asarray(checked["weight"], dtype=now["weight"].dtype), now | checked)
        for name, values in checked.items():
            if name in changing:
                self._instance.put_values(projection, name, values)
            else:
                self._layout.set_synapses(projection, name, values)
        return not set(checked) <= set(changing)

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
        plan, device = self._layout.projections[projection], projection.device
        if device is None:
            raise ParameterError(f"projection {projection.name!r} must have a device, which ages; it has none")
        elapsed = check_number("elapsed", elapsed, "ms", at_least=0)
        weights = self.weights(projection).astype(np.float64)
        aged = np.asarray(device.age(weights, float(elapsed), plan.aged), dtype=np.float64)
        if not np.array_equal(aged, weights, equal_nan=True):  # what does not age may be infinite
            if aged.shape != weights.shape or not np.isfinite(aged).all():
                raise ParameterError(f"{type(device).__name__}.age must return one finite weight per synapse")
            values = to_coo(self._instance.view(projection))[3]
            self.set(projection, weight=within_bounds(projection, aged.astype(values["weight"].dtype), values))
        plan.aged += float(elapsed)

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
        population = self._population(population)
        if population not in self._instance.given:
            raise ParameterError(f"population must be a SpikeSource, but {population.name!r} is of "
                                 f"{type(population.model).__name__}")
        if not isinstance(spikes, Spikes):
            raise ParameterError(f"spikes must be Spikes, got {describe_value(spikes)}")
        ticks, ids = self._instance.on_grid(population, spikes)
        self._put_given(population, ticks + self.tick, ids)

    def _put_given(self, population, ticks, ids):
        self._given.add(population)
        self._instance.give(population, ticks, ids)
        self._instance.rewind(self.tick)

    # -- state in and out --------------------------------------------------------------------------

    def state(self) -> "SimulationState":
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
        return SimulationState(self.tick, self._instance.snapshot(self.tick))

    def restore(self, state: "SimulationState", *, keep=(), sample: int | None = None) -> None:
        """Go to a state; recordings after it are dropped, all of them if it lies ahead of the present.

        Parameters that were set stay as they are: they are not part of the state, nor are the
        weights of projections without plasticity.

        Args:
            state: what `state` returned, of this simulation or of another one of an equal network,
                with any number of threads.
            keep: projections, or their names, whose synapses keep what they have learned: samples are shown one
                after the other, each to a network at rest.
            sample: a whole number that selects the random numbers of what follows, as the key of a sample in
                `run_batch`; otherwise the same time brings the same numbers again.

        Raises:
            ParameterError: it is not a state, or one of another network.
        """
        if not isinstance(state, SimulationState):
            raise ParameterError(f"state must be what sim.state() returned, got {describe_value(state)}")
        self._check_idle("restore")
        self._instance.check_state(state.arrays)
        kept = [self._projection(projection) for projection in keep]
        if sample is not None and not (is_whole(sample) and 0 <= sample < 2**32 - 1):
            raise ParameterError(f"sample must be a whole number in 0 .. 2^32 - 2, got {describe_value(sample)}")
        self._settle()
        before, self.tick = self.tick, state.tick
        self._instance.restore(state.arrays, state.tick, kept)
        if sample is not None:
            self._instance.set_sample(int(sample) + 1)
        self._recordings.cut(self, before)

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

        save(self, Path(path))

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

        return load(cls, Path(path), net, threads, memory_limit)

    # -- many inputs ---------------------------------------------------------------------------------

    def run_batch(self, samples, duration: float, *, keys=None, threads: int | None = None,
                  progress: bool = False, allow_infinite: bool = False) -> list:
        """Run the network once for each of many independent inputs, each from the present state.

        What a sample learns is gone at its end. Samples that teach a network are run one after the
        other, with `restore(state, keep=[projection])` between them.

        Args:
            samples: one input each: a dict from the name of a `SpikeSource` population (or the
                population) to `Spikes`, whose times count from the present; or just `Spikes` where
                the network has one such population.
            duration: ms that each runs.
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
        """
        from neurosim.batch import run_batch

        return run_batch(self, samples, duration, keys, threads, progress, allow_infinite)

    # -- helpers -------------------------------------------------------------------------------------

    def _settle(self):
        self._instance.settle(self.tick)

    def _population(self, population) -> Population:
        population = self.net.population(population) if isinstance(population, str) else population
        if not isinstance(population, Population) or population.base not in self._layout.populations:
            raise NetworkError(f"population must be one of this network, got {describe_value(population)}")
        return population

    def _projection(self, projection) -> Projection:
        projection = self.net.projection(projection) if isinstance(projection, str) else projection
        if projection not in self._layout.projections:
            raise NetworkError(f"projection must be one of this network, got {describe_value(projection)}")
        return projection

    def __repr__(self):
        return (f"<simulation of {len(self._layout.populations)} populations at t = {self.time:g} ms, "
                f"dt = {self.dt:g} ms, {self.dtype}, {self.threads} thread{'s' if self.threads > 1 else ''}>")


@dataclass(frozen=True, eq=False, repr=False)
class SimulationState:
    """A copy of the state of a simulation at the end of a tick, which nothing changes any more.

    Args:
        tick: the tick, whole.
        arrays: read-only arrays by name, in an order that the number of threads does not change.
    """

    tick: int
    arrays: Mapping

    def __post_init__(self):
        for array in self.arrays.values():
            array.setflags(write=False)
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))

    def __reduce__(self):
        return SimulationState, (self.tick, dict(self.arrays))

    def __repr__(self):
        return f"<state at tick {self.tick}: {len(self.arrays)} arrays>"


def _values(name, value, size):
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all() or array.ndim > 1 or (array.ndim == 1 and array.size != size):
        raise ParameterError(f"{name} must be a finite number or {size} of them, got {describe_value(value)}")
    return np.broadcast_to(array, size)


class _Interrupt:
    """Holds Ctrl-C back until a chunk of ticks has ended."""

    def __enter__(self):
        self.asked, self.before = False, None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.getsignal(signal.SIGINT)
            if self.before is signal.default_int_handler:
                signal.signal(signal.SIGINT, self._note)
            else:
                self.before = None
        return self

    def _note(self, *_):
        self.asked = True

    def check(self):
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.asked:
            raise KeyboardInterrupt

    def __exit__(self, kind, *_):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
        if kind is None:
            self.check()


class _EventSimulation(EventMode, Simulation):
    """What `Simulation(net, mode="event")` is."""

    _interrupt, _values = _Interrupt, staticmethod(_values)


__all__ = ["Simulation", "SimulationState"]
