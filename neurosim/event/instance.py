"""The state of a network that runs from event to event: rows of numbers, the queue, the spikes under way."""

import hashlib
from types import SimpleNamespace

import numpy as np

from neurosim.engine.queue import Queue
from neurosim.errors import NetworkError, ParameterError, SimulationError
from neurosim.event import loop
from neurosim.event.adaptive import STEP
from neurosim.event.exponentials import DRIFT, NEXT, THRESHOLD, UNTIL, V
from neurosim.event.synapses import synapses
from neurosim.random import seed_words
from neurosim.sources import Poisson, PoissonDrive, SpikeSource

SEEN = 1 << 16  #: spikes that are kept until they are collected
_ROWS = ("x", "drive_x")  #: arrays of the state whose length never changes
_SLOTS = ("slot_time", "slot_at", "slot_end", "slot_of", "free")  #: those of the spikes under way


class EventInstance:
    """Arrays of one running network, and the calls of the compiled loop.

    Args:
        layout: what does not change.
        recorded: the populations whose spikes are kept.
        memory_limit: bytes that events under way may take.
    """

    def __init__(self, layout, recorded, memory_limit: float):
        self.layout, self.memory_limit = layout, memory_limit
        self.index = {p: number for number, p in enumerate(layout.populations)}
        self.queue = Queue(1024)
        self.numbers = np.zeros(5, dtype=np.int64)
        self._allocate_populations(recorded)
        self._allocate_projections()
        self._allocate_drives()
        self._allocate_slots(256)
        self.seen_time, self.seen_id, self.seen_of = np.zeros(SEEN), np.zeros(SEEN, np.int64), np.zeros(SEEN, np.int64)
        self._allocate_room()
        self.warned = set()
        self.begin()

    # -- arrays ------------------------------------------------------------------------------------

    def _allocate_populations(self, recorded):
        tables, rows, given, ids, self.pops = [], [], [], [], np.zeros((len(self.index), len(loop.POPULATION)),
                                                                       dtype=np.int64)
        x_at = c_at = given_at = 0
        for population, plan in self.layout.populations.items():
            model, numbers = population.model, None
            row = {"size": population.size, "stream": plan.stream, "recorded": population in recorded, "x_at": x_at,
                   "c_at": c_at}
            table = np.zeros((1, 0))
            if isinstance(model, SpikeSource):
                times, who = _given(population, model.spikes)
                row |= {"family": loop.GIVEN, "width": 2, "c_at": given_at, "c_width": times.size}
                given.append(times)
                ids.append(who)
                given_at += times.size
                start = np.zeros((1, 2))
            elif isinstance(model, Poisson):
                table = np.atleast_1d(np.asarray(plan.parameters.rate, np.float64))[:, None]
                row |= {"family": loop.SOURCE, "width": 2}
                start = np.zeros((population.size, 2))
            else:
                numbers = plan.numbers
                table = numbers.table()
                row |= {"family": numbers.family, "width": numbers.width, "n_chains": len(numbers.chains),
                        "stride": numbers.stride,
                        "first": numbers.first}
                start = self._initial(population, plan)
            if not isinstance(model, SpikeSource):
                row["c_width"] = 0 if len(table) == 1 else table.shape[1]
            self.pops[self.index[population]] = [row.get(name, 0) for name in loop.POPULATION]
            tables.append(table.ravel())
            rows.append(start.ravel())
            x_at, c_at = x_at + start.size, c_at + table.size
        self.x, self.c = np.concatenate(rows), np.concatenate(tables)
        if max(self.x.size, self.c.size) >= 2**32:  # the loop counts places in 32 bits
            raise NetworkError(f"the states of all neurons must be less than 2^32 numbers in the mode 'event', got "
                               f"{self.x.size}; use mode='clocked'")
        self.given, self.given_id = (np.concatenate([np.zeros(0, dtype), *arrays]) for arrays, dtype in
                                     ((given, np.float64), (ids, np.int64)))

    def _initial(self, population, plan):
        numbers = plan.numbers
        start = np.zeros((population.size, numbers.width))
        start[:, UNTIL], start[:, NEXT] = -np.inf, np.inf
        for name, place in numbers.columns.items():
            if name in plan.initial:
                start[:, place] = plan.initial[name]
        if numbers.family == loop.QUADRATIC:
            start[:, STEP] = 0.01
        elif numbers.family == loop.LINEAR and (start[:, V] > numbers.values[THRESHOLD]).any():
            raise ParameterError(f"initial v of {population.name!r} must not be above v_threshold in the mode 'event', "
                                 f"in which there is no spike at t = 0, got {start[:, V].max():g} mV")
        return start

    def _allocate_projections(self):
        layout = self.layout
        count = len(layout.projections)
        self.projs = np.zeros((count, len(loop.PROJECTION)), dtype=np.int64)
        self.synapses = {p: synapses(plan) for p, plan in layout.projections.items()}
        arrays = {name: [] for name in ("starts", "targets", "weights", "delays")}
        at = dict.fromkeys(arrays, 0)

        def put(name, array):
            arrays[name].append(np.ravel(array))
            at[name] += np.size(array)
            return at[name] - np.size(array)

        for number, (projection, plan) in enumerate(layout.projections.items()):
            source, target = projection.source, projection.target
            weight, delay = plan.values["weight"], plan.values["delay"]
            if projection.plasticity:
                weight = np.broadcast_to(weight, plan.n_synapses)
            port, factor = layout.populations[target.base].numbers.ports[plan.port]
            row = {"source_first": source.start, "n_source": source.size, "target": self.index[target.base],
                   "rows_at": put("starts", plan.start), "synapses_at": put("targets",
                                                                            plan.target + np.uint32(target.start)),
                   "weight_at": put("weights", weight), "weight_step": int(np.ndim(weight) > 0),
                   "delay_at": put("delays", delay),
                   "delay_step": int(np.ndim(delay) > 0), "port": port, "factor": factor, "target_first": target.start,
                   "n_target": target.size}
            self.projs[number] = [row.get(name, 0) for name in loop.PROJECTION]
        for name, parts in arrays.items():
            dtype = {"starts": np.int64, "targets": np.uint32}.get(name, np.float64)
            setattr(self, name, np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype))
        self.now, self.effects = np.zeros(1), np.zeros(1)
        self.wire()
        longest = max((int(np.diff(plan.start).max(initial=0)) for plan in layout.projections.values()), default=0)
        # how many events one event can put into the queue
        self.most = longest + max(p.size for p in self.index) + count + 4
        projections = list(layout.projections)
        self.outs, self.out_list = self._by_population(projections, "source", lambda p: True)
        self.ins, self.in_list = self._by_population(projections, "target", lambda p: p.plasticity)

    def wire(self) -> None:
        """Give the kernels of synapses their arguments anew; arrays or values that all synapses share may be others."""
        self.blocks = []
        for number, (projection, own) in enumerate(self.synapses.items()):
            if own is not None:
                blocks = own.blocks(self.column(projection, "weight"), self.now, self.effects)
                self.blocks += blocks
                for name, block in zip(("arrival", "spiked"), blocks, strict=False):
                    self.projs[number, loop.PROJECTION.index(name)] = block.kernel.address
                    self.projs[number, loop.PROJECTION.index(f"{name}_block")] = block.row.ctypes.data

    def _by_population(self, projections, side, chosen):
        lists = [[number for number, p in enumerate(projections) if getattr(p, side).base is population and chosen(p)]
                 for population in self.index]
        return (np.cumsum([0, *map(len, lists)]).astype(np.int64),
                np.array([number for part in lists for number in part], dtype=np.int64))

    def _allocate_drives(self):
        self.drives = np.zeros((len(self.layout.drives), len(loop.DRIVES)), dtype=np.int64)
        state, values = [np.zeros(0)], [np.zeros(0)]
        state_at = value_at = 0
        for number, (drive, plan) in enumerate(self.layout.drives.items()):
            target = drive.target
            row = {"target": self.index[target.base], "target_first": target.start, "n_target": target.size,
                   "state_at": state_at, "stream": plan.stream}

            def put(array):
                nonlocal value_at
                values.append(np.ravel(np.asarray(array, np.float64)))
                value_at += values[-1].size
                return value_at - values[-1].size

            if isinstance(drive.drive, PoissonDrive):
                p = plan.parameters
                port, factor = self.layout.populations[target.base].numbers.ports[plan.port]
                row |= {"rate_at": put(p.rate), "rate_step": int(np.ndim(p.rate) > 0), "weight_at": put(p.weight),
                        "weight_step": int(np.ndim(p.weight) > 0), "port": port, "factor": factor}
                own = np.zeros((target.size, 2))
            else:
                row |= {"times_at": put(plan.times), "n_times": plan.times.size, "columns": plan.values.shape[1],
                        "values_at": put(plan.values), "gain": put(np.zeros(target.size))}
                own = np.array([[0.0, 1.0]])
            state.append(own.ravel())
            state_at += own.size
            self.drives[number] = [row.get(name, 0) for name in loop.DRIVES]
        self.drive_x, self.drive_c = np.concatenate(state), np.concatenate(values)

    def _allocate_slots(self, count):
        """Make room for more spikes under way; those that are keep their places."""
        before = getattr(self, "slot_time", np.zeros(0)).size
        for name, dtype in (("slot_time", np.float64), ("slot_at", np.int64), ("slot_end", np.int64), ("slot_of",
                                                                                                       np.int64)):
            new = np.zeros(count, dtype=dtype)
            new[:before] = getattr(self, name, new[:0])[:before]
            setattr(self, name, new)
        free = np.zeros(count, dtype=np.int64)
        n_free = int(self.numbers[loop.N_FREE])
        free[count - before:count - before + n_free] = getattr(self, "free", free[:0])[:n_free]
        free[:count - before] = np.arange(count - 1, before - 1, -1)
        self.free = free
        self.numbers[loop.N_FREE] = n_free + count - before

    def _allocate_room(self):
        most = int(self.pops[:, loop.POPULATION.index("n_chains")].max(initial=0))
        widest = int(self.pops[:, loop.POPULATION.index("width")].max(initial=0))
        levels = 2 * most + 4
        self.room = SimpleNamespace(spare=np.zeros(widest), work=np.zeros(4 * most + 2 * max(1, most) * levels),
                                    places=np.zeros((levels, 2), dtype=np.int64), rates=np.zeros(levels),
                                    roots=np.zeros(levels))

    # -- running -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Put the first events into the queue."""
        for population, plan in self.layout.populations.items():
            if hasattr(plan, "numbers"):
                self.renew_drift(population)
            self.foresee(population, 0.0)
        for number, (drive, plan) in enumerate(self.layout.drives.items()):
            self._begin_drive(number, drive, plan)

    def _begin_drive(self, number, drive, plan):
        row = dict(zip(loop.DRIVES, self.drives[number].tolist(), strict=True))
        if not isinstance(drive.drive, PoissonDrive):
            if row["n_times"] > 1:
                self.queue.push(float(plan.times[1]), (loop.STEP_CURRENT << loop.SHIFT) + number, 0)
            return
        self._make_room(row["n_target"])
        self._call(loop.START, number, 0, 0.0)

    def renew_drift(self, population) -> None:
        """Compute the constant part of v' anew: of the parameters and of the currents that flow now."""
        numbers = self.layout.populations[population].numbers
        drift = np.zeros(population.size) + numbers.drift
        for number, (drive, plan) in enumerate(self.layout.drives.items()):
            if drive.target.base is not population or isinstance(drive.drive, PoissonDrive):
                continue
            row = dict(zip(loop.DRIVES, self.drives[number].tolist(), strict=True))
            part = slice(drive.target.start, drive.target.start + drive.target.size)
            gain = np.broadcast_to(np.asarray(numbers.gain, np.float64), population.size)[part]
            self.drive_c[row["gain"]:row["gain"] + row["n_target"]] = gain
            drift[part] += gain * plan.values[int(self.drive_x[row["state_at"] + 1]) - 1]
        self.rows(population)[:, DRIFT] = drift

    def rows(self, population) -> np.ndarray:
        """Return the rows of state of a population, which may be written to."""
        at, width = (int(self.pops[self.index[population], loop.POPULATION.index(name)]) for name in ("x_at", "width"))
        return self.x[at:at + width * population.size].reshape(population.size, width)

    def renew(self, population) -> None:
        """Take over parameters of a population that were changed; `foresee` must follow."""
        plan, number = self.layout.populations[population], self.index[population]
        table = plan.numbers.table() if hasattr(plan, "numbers") else np.atleast_1d(plan.parameters.rate)[:, None]
        self.pops[number, loop.POPULATION.index("c_at")] = self.c.size
        self.pops[number, loop.POPULATION.index("c_width")] = 0 if len(table) == 1 else table.shape[1]
        self.c = np.concatenate([self.c, table.ravel()])
        if hasattr(plan, "numbers"):
            self.renew_drift(population)

    def bring(self, population, t: float) -> None:
        """Compute the state of a whole population at time t, in place."""
        self.rows(population)[:] = self.look(population, t)

    def look(self, population, t: float) -> np.ndarray:
        """Return the rows of a population as they are at time t; nothing is changed."""
        rows = self.rows(population)
        peeked = np.zeros(rows.size)
        self._call(loop.PEEK, self.index[population], 0, t, peeked)
        return peeked.reshape(rows.shape)

    def foresee(self, population, t: float) -> None:
        """Predict the next event of every member of a population anew; their states are those of time t."""
        self._make_room(population.size + 1)
        self._call(loop.FORESEE, self.index[population], 0, t)

    def advance(self, end: float, budget: int) -> bool:
        """Handle the events up to time `end`, not more than `budget` and as long as there is room; return whether all
        are done."""
        code = self._call(loop.RUN, 0, budget, end)
        if code == loop.GROW:
            self._make_room(self.most)
            if self.numbers[loop.N_FREE] < len(self.projs):
                self._check_memory(64 * self.slot_time.size)
                self._allocate_slots(2 * self.slot_time.size + len(self.projs))
        return code == loop.DONE

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
            self.seen_of,
            self.given, self.given_id, self.drives, self.drive_x, self.drive_c, self.now, self.effects, room.spare,
            room.work, room.places, room.rates, room.roots,
            np.zeros(0) if peeked is None else peeked, *seed_words(self.layout.seed))
        q.size = int(self.numbers[loop.SIZE])
        return code

    def collect(self):
        """Return times, numbers and populations (by their place) of the spikes since the last call, in order."""
        n = int(self.numbers[loop.N_SEEN])
        self.numbers[loop.N_SEEN] = 0
        return self.seen_time[:n].copy(), self.seen_id[:n].copy(), self.seen_of[:n].copy()

    @property
    def handled(self) -> int:
        """How many events were handled."""
        return int(self.numbers[loop.N_EVENTS])

    @property
    def reached(self) -> float:
        """A time up to which all events are handled."""
        return float(np.nextafter(self.queue.time[0], -np.inf)) if self.queue.size else 0.0

    def silent(self):
        """Return the populations of neurons that never spiked and were not warned about."""
        counts = self.pops[:, loop.POPULATION.index("spikes")]
        return [p for p, number in self.index.items()
                if counts[number] == 0 and p.spiking and hasattr(self.layout.populations[p],
                                                                 "numbers") and p not in self.warned]

    def infinite(self) -> str | None:
        """Return a sentence about a value that is not finite, or None."""
        for projection in self.layout.projections:
            if not all(rule.bounded for rule in projection.plasticity):
                weights = self.column(projection, "weight")
                bad = weights[~np.isfinite(weights)]
                if bad.size:
                    return f"a weight of projection {projection.name!r} became {bad[0]}"
        for population, plan in self.layout.populations.items():
            if hasattr(plan, "numbers"):
                rows = self.rows(population)
                for name, place in plan.numbers.columns.items():
                    bad = np.flatnonzero(~np.isfinite(rows[:, place]))
                    if bad.size:
                        return f"{name} of neuron {bad[0]} of {population.name!r} became {rows[bad[0], place]}"
        return None

    # -- synapses ------------------------------------------------------------------------------------

    def column(self, projection, name: str):
        """Return the values of a quantity of a projection's synapses, a view that may be written to; None for unknown
        names."""
        number, own = list(self.layout.projections).index(projection), self.synapses[projection]
        row = dict(zip(loop.PROJECTION, self.projs[number].tolist(), strict=True))
        n = self.layout.projections[projection].n_synapses
        if name == "weight":
            return self.weights[row["weight_at"]:row["weight_at"] + (n if row["weight_step"] else 1)]
        if name == "delay":
            return self.delays[row["delay_at"]:row["delay_at"] + (n if row["delay_step"] else 1)]
        if own is not None and name in own.fields:
            return own.column(name)
        return None

    def set_weights(self, projection, values) -> None:
        """Set the weights of a projection; what was one number for all becomes an array if it is given one."""
        number = list(self.layout.projections).index(projection)
        here = self.column(projection, "weight")
        if here.size == 1 and np.size(values) > 1:
            self.projs[number, loop.PROJECTION.index("weight_at")] = self.weights.size
            self.projs[number, loop.PROJECTION.index("weight_step")] = 1
            self.weights = np.concatenate([self.weights, values])
            self.wire()
        else:
            here[:] = values

    def checksum(self, projection) -> str:
        """Return a hash of the synapses of a projection: who, how late, and what was laid down with them."""
        plan = self.layout.projections[projection]
        digest = hashlib.sha256()
        for array in (plan.start, plan.target, *(value for value in plan.values.values() if np.ndim(value))):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    # -- state in and out ------------------------------------------------------------------------------

    def snapshot(self) -> dict:
        """Return a copy of everything that changes, by name."""
        state = {f"queue/{name}": array for name, array in self.queue.snapshot().items()}
        state |= {name: getattr(self, name).copy() for name in (*_ROWS, *_SLOTS)}
        state["free"] = state["free"][:self.numbers[loop.N_FREE]]
        for projection, own in self.synapses.items():
            if projection.plasticity:
                state[f"weights/{projection.name}"] = self.column(projection, "weight").copy()
            if own is not None:
                state |= {f"extra/{projection.name}": own.extra.copy(), f"traces/{projection.name}": own.traces.copy()}
        return state

    def check_state(self, state) -> None:
        """Raise ParameterError if a state does not fit this network."""
        expected = self.snapshot()
        for name in sorted(expected.keys() | state.keys()):
            fixed = name in _ROWS or name.startswith(("weights/", "extra/", "traces/"))
            if name not in state or name not in expected or (fixed and state[name].shape != expected[name].shape):
                there = state[name].shape if name in state else "none"
                raise ParameterError(f"state must be of this network in the mode 'event', with {name!r} of shape "
                                     f"{expected[name].shape if name in expected else 'none'}, got {there}")

    def restore(self, state) -> None:
        """Put a state back that `snapshot` returned."""
        self.queue.restore({name: state[f"queue/{name}"] for name in ("time", "order", "item")})
        for name in _ROWS:
            getattr(self, name)[:] = state[name]
        free = state["free"]
        for name in _SLOTS:
            setattr(self, name, state[name].copy())
        self.free = np.zeros(self.slot_time.size, dtype=np.int64)
        self.free[:free.size] = free
        self.numbers[loop.N_FREE], self.numbers[loop.N_SEEN] = free.size, 0
        for projection, own in self.synapses.items():
            if projection.plasticity:
                self.set_weights(projection, state[f"weights/{projection.name}"])
            if own is not None:
                own.extra[:], own.traces[:] = state[f"extra/{projection.name}"], state[f"traces/{projection.name}"]


def _given(population, spikes):
    """Return times and neurons of given spikes."""
    if spikes.size != population.size:
        raise ParameterError(f"spikes for {population.name!r} must be of {population.size} neurons, got {spikes.size}")
    times = np.asarray(spikes.times, dtype=np.float64)
    if times.size and times[0] <= 0.0:
        raise ParameterError(f"spikes for {population.name!r} must come after t = 0, got {times[0]:g} ms")
    return times, np.asarray(spikes.ids, dtype=np.int64)
