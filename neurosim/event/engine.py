"""The engine without ticks: it goes from event to event."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np

from neurosim.engine.spans import numbers_within
from neurosim.engine.taps import SynapseTap
from neurosim.errors import ParameterError, SimulationError, UnsupportedError
from neurosim.event import loop, planner
from neurosim.event.arrays import EventArrays
from neurosim.event.exponentials import DRIFT
from neurosim.event.planner import EventPlan
from neurosim.event.taps import CurrentTap, SpikeTap, VariableTap
from neurosim.network import DriveOn, Projection
from neurosim.random import seed_words
from neurosim.sources import PoissonDrive

_ROWS = ("x", "drive_x")  #: arrays of the state whose length never changes
_SLOTS = ("slot_time", "slot_at", "slot_end", "slot_of", "free")  #: those of the spikes under way


class EventEngine(EventArrays):
    """Arrays of one running network, and the calls of the compiled loop; it keeps what `protocol.Engine` promises.

    Args:
        plan: what is run.
        noise: seed of what is drawn while it runs.
        memory_limit: bytes that events under way may take.
    """

    least = 1 << 12

    def __init__(self, plan: EventPlan, noise: int, memory_limit: float):
        super().__init__(plan)
        self.noise, self.memory_limit, self.now = noise, memory_limit, Fraction(0)
        self.variables = {}  #: population -> its variables and their columns, as they were asked for
        self.recorded = set()  #: populations whose spikes are kept
        self.seen = self._collect()  #: times, neurons and populations of the spikes of the last advance
        for population, each in plan.populations.items():
            if each.form is not None:
                self.renew_drift(population)
            self.foresee(population)
        for number, drive in enumerate(plan.drives):
            self._begin_drive(number, drive)

    # -- running -----------------------------------------------------------------------------------

    def advance(self, stop, budget: int) -> int:
        """Handle events up to a time, not more than `budget` and as long as there is room; return how many."""
        before, handled, done = self.now, self.handled, False
        try:
            code = self._call(loop.RUN, 0, budget, stop)
            done = code == loop.DONE
            if code == loop.GROW:
                self._make_room(self.most)
                if self.numbers[loop.N_FREE] < len(self.projs):
                    self._check_memory(64 * self.slot_time.size)
                    self._allocate_slots(2 * self.slot_time.size + len(self.projs))
        finally:
            self.now = stop if done else max(before, self._reached())
            self.seen = self._collect()
        return self.handled - handled

    def _reached(self) -> Fraction:
        """A time up to which all events are handled."""
        return Fraction(float(np.nextafter(self.queue.time[0], -np.inf))) if self.queue.size else Fraction(0)

    @property
    def handled(self) -> int:
        """How many events were handled."""
        return int(self.numbers[loop.N_EVENTS])

    def _collect(self):
        """Return times, numbers and populations (by their place) of the spikes that the loop has left, in order."""
        n = int(self.numbers[loop.N_SEEN])
        self.numbers[loop.N_SEEN] = 0
        return self.seen_time[:n].copy(), self.seen_id[:n].copy(), self.seen_of[:n].copy()

    def settle(self) -> None:
        """Do nothing: nothing is put off."""

    def _begin_drive(self, number, drive):
        """Put the next event of a drive into the queue, instead of the one that may be there."""
        row = self.drive_row(number)
        if isinstance(drive.drive, PoissonDrive):
            self._make_room(row["n_target"])
            self._call(loop.START, number, 0, self.now)
            return
        order = (loop.STEP_CURRENT << loop.SHIFT) + number
        self.queue.remove(order)
        times = self.plan.drives[drive].form[0]
        step = int(np.searchsorted(times, float(self.now), side="right"))
        self.drive_x[row["state_at"] + 1] = step
        if step < times.size:
            self.queue.push(float(times[step]), order, 0)

    def renew_drift(self, population) -> None:
        """Compute the constant part of v' anew: of the parameters and of the currents that flow now."""
        numbers = self.plan.populations[population].form
        drift = np.zeros(population.size) + numbers.drift
        for number, (drive, plan) in enumerate(self.plan.drives.items()):
            if drive.target.base is not population or isinstance(drive.drive, PoissonDrive):
                continue
            row = self.drive_row(number)
            part = drive.target.inside
            gain = np.broadcast_to(np.asarray(numbers.gain, np.float64), population.size)[part]
            self.drive_c[row["gain"]:row["gain"] + row["n_target"]] = gain
            drift[part] += gain * plan.form[1][int(self.drive_x[row["state_at"] + 1]) - 1]
        self.rows(population)[:, DRIFT] = drift

    def bring(self, population) -> None:
        """Compute the state of a whole population as it is now, in place."""
        self.rows(population)[:] = self.look(population)

    def look(self, population) -> np.ndarray:
        """Return the rows of a population as they are now; nothing is changed."""
        rows = self.rows(population)
        peeked = np.zeros(rows.size)
        self._call(loop.PEEK, self.index[population], 0, self.now, peeked)
        return peeked.reshape(rows.shape)

    def foresee(self, population) -> None:
        """Predict the next event of every member of a population anew; their states are those of now."""
        self._make_room(population.size + 1)
        self._call(loop.FORESEE, self.index[population], 0, self.now)

    def _make_room(self, more):
        if self.queue.size + more > self.queue.time.size:
            capacity = max(2 * self.queue.time.size, self.queue.size + more)
            self._check_memory(24 * capacity)
            self.queue.grow(capacity)

    def _check_memory(self, need):
        if need > self.memory_limit:
            raise SimulationError(f"the events under way need {need / 1e9:.3g} GB, more than memory_limit = "
                                  f"{self.memory_limit / 1e9:.3g} GB; raise the limit, or use mode='clocked' for so "
                                  f"much activity")

    def _call(self, task, which, budget, end, peeked=None):
        q, room = self.queue, self.room
        self.numbers[loop.SIZE] = q.size
        code = loop.compiled()(
            task, which, budget, float(end), self.numbers, q.time, q.order, q.item, self.x, self.c, self.pops,
            self.projs, self.outs,
            self.out_list, self.ins, self.in_list, self.starts, self.targets, self.weights, self.delays,
            self.slot_time, self.slot_at, self.slot_end, self.slot_of, self.free, self.seen_time, self.seen_id,
            self.seen_of, self.given_times, self.given_ids, self.drives, self.drive_x, self.drive_c, self.instant,
            self.effects, room.spare, room.work, room.places, room.rates, room.roots,
            np.zeros(0) if peeked is None else peeked, *seed_words(self.noise))
        q.size = int(self.numbers[loop.SIZE])
        return code

    def infinite(self) -> str | None:
        """Return a sentence about a value that is not finite, or None."""
        for projection in self.plan.projections:
            if not all(rule.bounded for rule in projection.plasticity):
                weights = self.column(projection, "weight")
                bad = weights[~np.isfinite(weights)]
                if bad.size:
                    return f"a weight of projection {projection.name!r} became {bad[0]}"
        for population, plan in self.plan.populations.items():
            if plan.form is not None:
                rows = self.rows(population)
                for name, place in plan.form.columns.items():
                    bad = np.flatnonzero(~np.isfinite(rows[:, place]))
                    if bad.size:
                        return f"{name} of neuron {bad[0]} of {population.name!r} became {rows[bad[0], place]}"
        return None

    # -- looking and changing ------------------------------------------------------------------------

    def counts(self) -> dict:
        """Return how many spikes each population has emitted since the engine was made."""
        column = loop.POPULATION.index("spikes")
        return {p: int(self.pops[number, column]) for p, number in self.index.items() if p.spiking}

    def key(self, population, variable: str) -> int:
        """Return the place of a variable in the rows of a population."""
        if population.base not in self.variables:
            form = self.plan.populations[population.base].form
            columns = {} if form is None else form.columns
            named = {public: name if port is None else f"p{port}_{name}"
                     for public, (port, name) in self.plan.ports.variables(population.base).items()}
            self.variables[population.base] = {public: columns[name] for public, name in named.items()
                                               if name in columns}
        known = self.variables[population.base]
        if variable not in known:
            raise ParameterError(f"variable of {population.name!r} must be one of {', '.join(known) or 'none'} in the "
                                 f"mode 'event', got {variable!r}")
        return known[variable]

    def read(self, population, variable: str) -> np.ndarray:
        """Return a copy of a state variable of a population, or of a part of one."""
        column = self.key(population, variable)
        return self.look(population.base)[population.inside, column].copy()

    def write(self, population, variable: str, values) -> None:
        """Set a state variable of a population, or of a part of one."""
        column = self.key(population, variable)
        self.bring(population.base)
        self.rows(population.base)[population.inside, column] = values
        self.foresee(population.base)

    def changing(self, projection) -> list[str]:
        """Return the names of the synapses' quantities that change while the network runs."""
        own = self.learning[projection]
        return [*(["weight"] if projection.plasticity else []), *([] if own is None else own.variables)]

    def synapses(self, projection) -> tuple:
        """Return (source, target, delay in ms, values by name) of all synapses as they are now."""
        plan, own = self.plan.projections[projection], self.learning[projection]
        names = ["weight", *([] if own is None else own.variables)]
        values: dict[str, np.ndarray | float] = {name: self.column(projection, name).copy() for name in names}
        weight = self.column(projection, "weight")
        if weight.size != plan.n_synapses:
            values["weight"] = float(weight[0])
        values |= {name: value for name, value in plan.values.items() if name not in values and name != "delay"}
        delay = np.broadcast_to(plan.values["delay"], plan.n_synapses).copy()
        source, target = (numbers_within(part, numbers) for part, numbers in
                          ((projection.source, plan.source), (projection.target, plan.target)))
        return source.astype(np.uint32), target.astype(np.uint32), delay, values

    def put(self, projection, name: str, values) -> None:
        """Set a changing quantity of synapses: a number, or one value each."""
        self.column(projection, name)[:] = values

    def give(self, population, times: np.ndarray, ids: np.ndarray) -> None:
        """Replace the spikes that a source emits, sorted; those that are past count no more."""
        self.given[population] = times, ids
        self._put_given()
        self.rows(population)[0, 1] = np.searchsorted(times, float(self.now), side="right")
        self.foresee(population)

    def tap(self, what, variable: str, ids, every):
        """Begin to listen to spikes, a variable or a current; ids count from the first of the whole population, or
        from the first target of a drive."""
        if isinstance(what, Projection):
            return SynapseTap(self, what, variable, every)
        if isinstance(what, DriveOn):
            return CurrentTap(self, what, ids, every)
        if variable == "spikes":
            self._set(what.base, recorded=True)
            return SpikeTap(self, what.base, ids)
        return VariableTap(self, what, variable, ids, every)

    def changed(self, plan: EventPlan, changes: dict) -> EventPlan:
        """Return a plan with changes."""
        return planner.changed(plan, changes)

    def change(self, plan: EventPlan) -> None:
        """Go on with a plan in which parameters or values of synapses are others."""
        before, self.plan = self.plan, plan
        moved = [p for p, each in plan.populations.items() if each is not before.populations[p]]
        driven = [d for d, each in plan.drives.items() if each is not before.drives[d]]
        touched = dict.fromkeys([*moved, *(d.target.base for d in driven if not isinstance(d.drive, PoissonDrive))])
        for population in touched:
            if plan.populations[population].form is not None:
                self.bring(population)  # with the coefficients so far
        self._put_tables()
        self._put_drives()
        for drive in driven:
            self._begin_drive(list(plan.drives).index(drive), drive)
        for population, each in plan.populations.items():
            if each.form is not None and (population in touched or driven):
                self.renew_drift(population)
        for population in touched:
            self.foresee(population)
        for projection, each in plan.projections.items():
            if each is not before.projections[projection]:
                self._change_synapses(projection, each, before.projections[projection])
        self.wire()

    def _change_synapses(self, projection, plan, before):
        own = self.learning[projection]
        for name, value in plan.values.items():
            if value is before.values[name]:
                continue
            if name == "weight":
                self.set_weights(projection, value)
            elif own is not None and name in own.shared and np.ndim(value) == 0:
                own.shared[name] = value
            elif own is not None and name in own.fields:
                own.column(name)[:] = value
            else:
                raise UnsupportedError(f"{name} of {projection.name!r} must stay one number in the mode 'event'; use "
                                       "mode='clocked'")

    def set_weights(self, projection, values) -> None:
        """Set the weights of a projection; what was one number for all becomes an array if it is given one."""
        here = self.column(projection, "weight")
        if self.plan.projections[projection].n_synapses == 0:
            return
        if here.size == np.size(values) or np.ndim(values) == 0:
            here[:] = values
            return
        row = self.projs[self.number[projection]]
        row[loop.PROJECTION.index("weight_at")] = self.weights.size
        row[loop.PROJECTION.index("weight_step")] = 1
        self.weights = np.concatenate([self.weights, np.asarray(values, np.float64)])

    def sums(self, projection) -> np.ndarray:
        """Return the sum of the weights that end at each target."""
        plan = self.plan.projections[projection]
        weight = np.broadcast_to(self.column(projection, "weight"), plan.n_synapses)
        target = projection.target
        return np.bincount(plan.target, weight, minlength=target.span)[target.ids - target.start]

    def scale(self, projection, factors: np.ndarray) -> None:
        """Multiply the changing weights that end at each target by a factor, and keep them within the rules' bounds."""
        plan, weight = self.plan.projections[projection], self.column(projection, "weight")
        weight *= factors[numbers_within(projection.target, plan.target)]
        for rule in projection.plasticity:
            limits = rule.weight_bounds(SimpleNamespace(**plan.values))
            if limits is not None:
                np.clip(weight, *limits, out=weight)

    def feed(self, drive) -> np.ndarray:
        """Refuse: a current that others write has no known events."""
        raise UnsupportedError(f"feed needs mode='clocked'; in the mode 'event' set the amplitude of {drive.name!r} "
                               "between two runs")

    def attach(self, make) -> None:
        """Refuse: there are no ticks."""
        raise UnsupportedError("attach needs mode='clocked'; the mode 'event' has no ticks")

    def set_sample(self, sample: int) -> None:
        """Refuse another sample than that outside a batch: random numbers are drawn by neuron and event."""
        if sample:
            raise UnsupportedError("restore must be called without sample in the mode 'event'; use mode='clocked'")

    # -- state in and out ------------------------------------------------------------------------------

    def snapshot(self) -> dict:
        """Return a copy of everything that changes, by name."""
        state = {f"queue/{name}": array for name, array in self.queue.snapshot().items()}
        state |= {name: getattr(self, name).copy() for name in (*_ROWS, *_SLOTS)}
        state["free"] = state["free"][:self.numbers[loop.N_FREE]]
        for projection, own in self.learning.items():
            if projection.plasticity:
                state[f"weights/{projection.name}"] = self.column(projection, "weight").copy()
            if own is not None:
                state |= {f"extra/{projection.name}": own.extra.copy(), f"traces/{projection.name}": own.traces.copy()}
        return state

    def check(self, state) -> None:
        """Raise ParameterError if a state does not fit this network."""
        expected = self.snapshot()
        for name in sorted(expected.keys() | state.keys()):
            fixed = name in _ROWS or name.startswith(("weights/", "extra/", "traces/"))
            if name not in state or name not in expected or (fixed and state[name].shape != expected[name].shape):
                there = state[name].shape if name in state else "none"
                raise ParameterError(f"state must be of this network in the mode 'event', with {name!r} of shape "
                                     f"{expected[name].shape if name in expected else 'none'}, got {there}")

    def restore(self, state, now, keep=()) -> None:
        """Put a state back that `snapshot` returned; what the synapses of the projections in `keep` hold stays."""
        self.now = Fraction(now)
        self.queue.restore({name: state[f"queue/{name}"] for name in ("time", "order", "item")})
        for name in _ROWS:
            getattr(self, name)[:] = state[name]
        free = state["free"]
        for name in _SLOTS:
            setattr(self, name, state[name].copy())
        self.free = np.zeros(self.slot_time.size, dtype=np.int64)
        self.free[:free.size] = free
        self.numbers[loop.N_FREE], self.numbers[loop.N_SEEN] = free.size, 0
        for projection, own in self.learning.items():
            if projection.plasticity and projection not in keep:
                self.set_weights(projection, state[f"weights/{projection.name}"])
            if own is not None:
                kept = {name: own.column(name).copy() for name in own.variables} if projection in keep else {}
                own.extra[:], own.traces[:] = state[f"extra/{projection.name}"], state[f"traces/{projection.name}"]
                for name, values in kept.items():
                    own.column(name)[:] = values
