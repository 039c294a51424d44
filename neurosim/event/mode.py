"""The face of the event-driven mode: what `Simulation(net, mode="event")` does differently."""

import time as clock
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType, SimpleNamespace

import numpy as np

from neurosim.checks import check_number, describe_value
from neurosim.engine.layout import check_bounds
from neurosim.errors import FileError, NeurosimWarning, ParameterError, SimulationError, UnsupportedError
from neurosim.event.instance import EventInstance
from neurosim.event.layout import EventPlanner
from neurosim.event.recordings import EventRecordings
from neurosim.network import Projection
from neurosim.progress import progress_bar

RESPONSE = 0.1  #: seconds within which a run looks up


@dataclass(frozen=True, eq=False, repr=False)
class EventState:
    """A copy of the state of an event-driven simulation, which nothing changes any more.

    Args:
        time: ms.
        arrays: read-only arrays by name.
        changes: how many times parameters had been set by then.
    """

    time: float
    arrays: Mapping
    changes: int = 0

    def __post_init__(self):
        for array in self.arrays.values():
            array.setflags(write=False)
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))

    def __reduce__(self):
        return EventState, (self.time, dict(self.arrays), self.changes)

    def __repr__(self):
        return f"<state at {self.time:g} ms: {len(self.arrays)} arrays>"


class EventMode:
    """A simulation without ticks: it goes from event to event, and computes only what is touched.

    It takes the place of the methods of `Simulation` that know about ticks. Times are float64 in ms.
    """

    def __init__(self, net, dt=None, *, seed=0, threads=None, dtype=None, mode="event", memory_limit=4e9):
        self._check(net, 1.0, seed, None, "float64", mode)
        for name, value, right in (("dt", dt, None), ("threads", threads, 1), ("dtype", dtype, "float64")):
            if value not in (None, right):
                raise UnsupportedError(f"{name} must be left out{'' if right is None else f' or {right!r}'} in the "
                                       f"mode 'event', got "
                                       f"{describe_value(value)}")
        self.net = net = net.copy()
        self.dt, self.seed, self.threads, self.dtype = None, int(seed), 1, "float64"
        self.memory_limit = float(memory_limit)
        self._clock, self._running, self._set, self._changes = Fraction(0), False, {}, 0
        self._layout = EventPlanner(net, self.seed).layout()
        self._recordings = EventRecordings(net, self._layout, self.memory_limit)
        self._instance = EventInstance(self._layout, self._recordings.recorded, self.memory_limit)

    @cached_property
    def _checksums(self) -> dict:
        """Hashes of the synapses, by projection: another NumPy or neurosim may draw others."""
        return {p.name: self._instance.checksum(p) for p in self._layout.projections}

    @property
    def time(self) -> float:
        """How far the simulation has run, ms."""
        return float(self._clock)

    @property
    def events(self) -> int:
        """How many events were handled since the simulation was made."""
        return int(self._instance.handled)

    # -- running -----------------------------------------------------------------------------------

    def run(self, duration, *, progress=False, callback=None, callback_every=None, allow_infinite=False):
        """Go on for some ms, any number; the other arguments are those of the clocked mode."""
        duration = _positive("duration", duration, at_least=True)
        if (callback is None) != (callback_every is None):
            raise ParameterError("callback and callback_every must be given together")
        every = np.inf if callback is None else _positive("callback_every", callback_every)
        self._check_idle("run")
        self._recordings.begin(self.time)
        start, end = self.time, self._clock + Fraction(duration)
        turn = int(self.time / every) + 1 if callback else 0
        with self._busy(), self._interrupt() as interrupt, progress_bar(progress, duration, "ms") as done:
            self._recordings.sample(self, self.time)
            while True:
                stop = min(float(end), turn * every if callback else np.inf, self._recordings.next())
                self._until(stop, interrupt, lambda: done(self.time - start), allow_infinite)
                self._clock = end if stop == float(end) else Fraction(stop)
                self._recordings.collect(self._instance, self.time)
                self._recordings.sample(self, self.time)
                if callback is not None and self.time >= turn * every:
                    turn += 1
                    callback(self)
                if self._clock == end:
                    break
        self._warn()

    def _until(self, stop, interrupt, show, allow_infinite):
        """Handle all events up to a time, with a look up now and then."""
        budget, done = 1 << 12, False
        while not done:
            began, before, handled = clock.perf_counter(), self.time, self.events
            try:
                done = self._instance.advance(stop, budget)
            finally:
                self._clock = Fraction(stop if done else max(before, self._instance.reached))
                self._recordings.collect(self._instance, self.time)
            show()
            if not allow_infinite:
                found = self._instance.infinite()
                if found:
                    raise SimulationError(f"{found} at or before t = {self.time:g} ms; look for too large weights or "
                                          f"currents")
            interrupt.check()
            took = clock.perf_counter() - began
            budget = int(min(4 * budget, max(4096, (self.events - handled) * RESPONSE / max(took, 1e-6))))

    def _warn(self):
        if self.time < 100.0:
            return
        for population in self._instance.silent():
            self._instance.warned.add(population)
            warnings.warn(f"population {population.name!r} has never spiked in {self.time:g} ms; is its input too "
                          f"weak?",
                          NeurosimWarning, stacklevel=3)

    # -- looking -----------------------------------------------------------------------------------

    def trace(self, what, variable="v"):
        """Return (times, values) of what was recorded of a variable."""
        if isinstance(what, str) and any(what == p.name for p in self.net.projections):
            what = self.net.projection(what)
        what = what if isinstance(what, Projection) else self._population(what)
        return self._recordings.find(what, variable).all()

    def look(self, population) -> np.ndarray:
        """Return the rows of state of a whole population as they are now."""
        return self._instance.look(population, self.time)

    def get(self, population, variable):
        """Return a copy of a state variable as it is now, one value per neuron."""
        population = self._population(population)
        column = self._recordings.column(population, variable)
        return self.look(population.base)[population.start:population.start + population.size, column].copy()

    def synapses(self, projection):
        """Return the synapses of a projection in the order (source, delay, target); delays in ms as they were given."""
        projection = self._projection(projection)
        plan, own = self._layout.projections[projection], self._instance.synapses[projection]
        values = {name: self._instance.column(projection, name) for name in ["delay", "weight",
                                                                             *([] if own is None else own.variables)]}
        values |= {name: value for name, value in plan.values.items() if name not in values}
        values = {name: np.broadcast_to(value, plan.n_synapses).copy() for name, value in values.items()}
        return SimpleNamespace(source=plan.source.astype(np.uint32), target=plan.target.copy(), **values)

    # -- changing ----------------------------------------------------------------------------------

    def set(self, what, **changes):
        """Set parameters or state variables of a population, or weights of a projection, as in the clocked mode."""
        if isinstance(what, str) and any(what == p.name for p in self.net.projections):
            what = self.net.projection(what)
        if isinstance(what, Projection):
            self._set_projection(self._projection(what), changes)
        else:
            self._set_population(self._population(what), changes)

    def _set_population(self, population, changes):
        states, parameters = self._sort_changes(population, changes)
        columns = {name: self._recordings.column(population, name) for name in states}
        plan, before = self._layout.populations[population], None
        if parameters:
            before = SimpleNamespace(**vars(plan.parameters))
            vars(plan.parameters).update(parameters)
            try:
                self._layout.planner.renew(plan)
            except (ParameterError, UnsupportedError):
                plan.parameters = before
                raise
        if hasattr(plan, "numbers"):
            self._instance.bring(population, self.time)
        for name, values in states.items():
            self._instance.rows(population)[:, columns[name]] = values
        if parameters:
            self._changes += 1
            self._instance.renew(population)
            self._set |= {(population, name): value for name, value in parameters.items()}
        self._instance.foresee(population, self.time)

    def _renew(self, population):
        """Let a population go on with its present parameters from a state that came of others."""
        if hasattr(self._layout.populations[population], "numbers"):
            self._instance.bring(population, self.time)
            self._instance.renew_drift(population)
        self._instance.foresee(population, self.time)

    def _set_projection(self, projection, changes):
        instance, plan = self._instance, self._layout.projections[projection]
        own = instance.synapses[projection]
        known = ["weight", *([] if own is None else [*own.variables, *own.shared])]
        checked = {}
        for name, value in changes.items():
            if name not in known:
                raise ParameterError(f"what is set of {projection.name!r} must be one of {', '.join(known)}, got "
                                     f"{name!r}")
            alike = own is not None and name in own.shared
            checked[name] = self._values(name, value, 1 if alike else plan.n_synapses)
        if "weight" in checked:
            check_bounds(projection, checked["weight"], plan.values | checked)
        for name, values in checked.items():
            if name == "weight" and plan.n_synapses == 0:
                continue
            if name == "weight":
                instance.set_weights(projection, values if np.ndim(changes[name]) else values[:1])
            elif name in own.shared:
                own.shared[name] = plan.values[name] = float(np.ravel(values)[0])
            else:
                instance.column(projection, name)[:] = values
            if name not in (() if own is None else own.variables) and not (name == "weight" and projection.plasticity):
                self._set[projection, name] = np.array(instance.column(projection,
                                                                       name) if name == "weight" else own.shared[name])
        instance.wire()

    # -- state in and out --------------------------------------------------------------------------

    def state(self) -> EventState:
        """Return a copy of everything that changes while the network runs, events under way included."""
        return EventState(self.time, self._instance.snapshot(), self._changes)

    def restore(self, state, *, keep=(), sample=None):
        """Go to a state; recordings after it are dropped, all of them if it lies ahead of the present."""
        if not isinstance(state, EventState):
            raise ParameterError(f"state must be what sim.state() of the mode 'event' returned, got "
                                 f"{describe_value(state)}")
        if sample is not None or tuple(keep):
            raise UnsupportedError("restore must be called without keep and sample in the mode 'event'; use "
                                   "mode='clocked'")
        self._check_idle("restore")
        self._instance.check_state(state.arrays)
        before, self._clock = self.time, Fraction(state.time)
        self._instance.restore(state.arrays)
        for population in {owner for owner, _ in self._set if not isinstance(owner, Projection)}:
            if state.changes != self._changes:  # what was foreseen then was so with other parameters
                self._renew(population)
        self._recordings.cut(self.time, before)

    def save(self, path):
        """Write state and recordings to an HDF5 file, whole or not at all."""
        from pathlib import Path

        from neurosim.checkpoint import write

        state = self.state()
        arrays = {f"state/{name}": array for name, array in state.arrays.items()}
        changes = []
        for number, ((owner, name), value) in enumerate(self._set.items()):
            changes.append(["projection" if isinstance(owner, Projection) else "population", owner.name, name])
            arrays[f"changes/{number}"] = np.asarray(np.nan if value is None else value, dtype=np.float64)
        logs = []
        for number, log in enumerate(self._recordings.logs):
            logs.append({**_identity(log), "begin": log.begin, "end": log.end, "next": log.next})
            arrays[f"recordings/{number}/times"], arrays[f"recordings/{number}/rows"] = log.all()
        header = {"mode": "event", "time": [self._clock.numerator, self._clock.denominator], "changes": changes,
                  "recordings": logs, "checksums": self._checksums}
        write(self, Path(path), header, arrays)

    def take_over(self, path, header, arrays) -> None:
        """Go on from the contents of a file, see `save`."""
        different = [name for name, value in header["checksums"].items() if value != self._checksums.get(name)]
        if different:
            versions = ", ".join(f"{name} {header[name]}" for name in ("neurosim", "numpy", "numba"))
            raise FileError(f"{path} must have the same synapses as this neurosim makes, but those of projection "
                            f"{different[0]!r} differ; it was written with {versions}")
        for number, (kind, owner, name) in enumerate(header["changes"]):
            value = arrays[f"changes/{number}"]
            value = value if value.ndim else None if np.isnan(value) else value.item()
            self.set(owner if kind == "population" else self.net.projection(owner), **{name: value})
        state = {name.removeprefix("state/"): array for name, array in arrays.items() if name.startswith("state/")}
        try:
            self._instance.check_state(state)
        except ParameterError as error:
            raise FileError(f"{path} was written by another neurosim, {header['neurosim']}: {error}") from None
        self._clock = Fraction(*header["time"])
        self._instance.restore(state)
        saved = {_key(entry): (number, entry) for number, entry in enumerate(header["recordings"])}
        for log in self._recordings.logs:
            number, entry = saved.pop(_key(_identity(log)), (None, None))
            if entry is not None:
                log.begin, log.end, log.next = entry["begin"], entry["end"], entry["next"]
                log.times, log.rows = [arrays[f"recordings/{number}/times"]], [arrays[f"recordings/{number}/rows"]]
        if saved:
            lost = ", ".join(f"{entry['variable']} of {entry['what']}" for _, entry in saved.values())
            warnings.warn(f"{path} holds recordings that the given network does not ask for, which are left out: "
                          f"{lost}",
                          NeurosimWarning, stacklevel=4)

    def run_batch(self, *_, **__):
        """Refuse: batches are for the clocked mode."""
        raise UnsupportedError("run_batch is not there in the mode 'event'; use mode='clocked', or state() and "
                               "restore(...) in a loop")

    def __repr__(self):
        return f"<simulation of {len(self._layout.populations)} populations at t = {self.time:g} ms, event-driven>"


def _positive(name, value, at_least=False) -> float:
    return check_number(name, value, "ms", **{"at_least" if at_least else "above": 0})


def _identity(log) -> dict:
    ids = [] if log.recorder.ids is None else np.asarray(log.recorder.ids).tolist()
    return {"what": log.recorder.what.name, "variable": log.recorder.variable, "every": log.recorder.every, "ids": ids}


def _key(entry) -> tuple:
    return entry["what"], entry["variable"], entry["every"], tuple(entry["ids"])
