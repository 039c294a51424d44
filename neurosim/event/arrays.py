"""The arrays of a network that runs from event to event, and the tables by which the compiled loop finds its way."""

from dataclasses import dataclass

import numpy as np

from neurosim.engine.clock import Exact
from neurosim.engine.queue import Queue
from neurosim.errors import NetworkError, ParameterError
from neurosim.event import loop
from neurosim.event.adaptive import STEP
from neurosim.event.exponentials import NEXT, THRESHOLD, UNTIL, V
from neurosim.event.planner import EventPlan
from neurosim.event.synapses import synapses
from neurosim.sources import Poisson, PoissonDrive, SpikeSource

SEEN = 1 << 16  #: spikes that are kept until they are collected


@dataclass
class Room:
    """Arrays in which the loop works."""

    spare: np.ndarray
    work: np.ndarray
    places: np.ndarray
    rates: np.ndarray
    roots: np.ndarray


class EventArrays:
    """Everything that changes while a network runs from event to event.

    Args:
        plan: what does not change.

    Attributes:
        starts, targets, weights, delays: of the synapses of all projections, one after the other.
        slot_time, slot_at, slot_end, slot_of: of each spike under way.
        free: places for more spikes under way.
    """

    starts: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    slot_time: np.ndarray
    slot_at: np.ndarray
    slot_end: np.ndarray
    slot_of: np.ndarray
    free: np.ndarray

    def __init__(self, plan: EventPlan):
        self.plan, self.clock = plan, Exact()
        self.index = {p: number for number, p in enumerate(plan.populations)}
        self.number = {p: number for number, p in enumerate(plan.projections)}
        self.queue = Queue(1024)
        self.numbers = np.zeros(5, dtype=np.int64)
        self.given = {p: self.clock.given(p, p.model.spikes) for p in plan.populations
                      if isinstance(p.model, SpikeSource)}
        self._allocate_populations()
        self._allocate_projections()
        self._allocate_drives()
        self._allocate_slots(256)
        self.seen_time, self.seen_id, self.seen_of = np.zeros(SEEN), np.zeros(SEEN, np.int64), np.zeros(SEEN, np.int64)
        self._allocate_room()

    # -- arrays ------------------------------------------------------------------------------------

    def _allocate_populations(self):
        rows, x_at = [], 0
        self.pops = np.zeros((len(self.index), len(loop.POPULATION)), dtype=np.int64)
        for population, plan in self.plan.populations.items():
            model = population.model
            row = {"size": population.size, "stream": plan.stream, "x_at": x_at}
            if isinstance(model, (SpikeSource, Poisson)):
                row |= {"family": loop.GIVEN if isinstance(model, SpikeSource) else loop.SOURCE, "width": 2}
                start = np.zeros((1 if isinstance(model, SpikeSource) else population.size, 2))
            else:
                numbers = plan.form
                row |= {"family": numbers.family, "width": numbers.width, "n_chains": len(numbers.chains),
                        "stride": numbers.stride, "first": numbers.first}
                start = self._initial(population, plan)
            self.pops[self.index[population]] = [row.get(name, 0) for name in loop.POPULATION]
            rows.append(start.ravel())
            x_at += start.size
        self.x = np.concatenate(rows)
        self._put_tables()
        self._put_given()
        if max(self.x.size, self.c.size) >= 2**32:  # the loop counts places in 32 bits
            raise NetworkError(f"the states of all neurons must be less than 2^32 numbers in the mode 'event', got "
                               f"{self.x.size}; use mode='clocked'")

    def _set(self, population, **row) -> None:
        """Set columns of a population in the table of populations."""
        for name, value in row.items():
            self.pops[self.index[population], loop.POPULATION.index(name)] = value

    def _put_tables(self):
        """Lay the coefficients of all populations side by side."""
        tables, at = [np.zeros(0)], 0
        for population, plan in self.plan.populations.items():
            if not isinstance(population.model, SpikeSource):
                table = _table(plan)
                self._set(population, c_at=at, c_width=0 if len(table) == 1 else table.shape[1])
                tables.append(table.ravel())
                at += table.size
        self.c = np.concatenate(tables)

    def _put_given(self):
        """Lay the spikes that all sources are to emit side by side."""
        at = 0
        for population, (times, _) in self.given.items():
            self._set(population, c_at=at, c_width=times.size)
            at += times.size
        self.given_times, self.given_ids = (
            np.concatenate([np.zeros(0, dtype), *(events[k] for events in self.given.values())]).astype(dtype)
            for k, dtype in enumerate((np.float64, np.int64)))

    def _initial(self, population, plan):
        numbers = plan.form
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
        layout = self.plan
        count = len(layout.projections)
        self.projs = np.zeros((count, len(loop.PROJECTION)), dtype=np.int64)
        self.learning = {p: synapses(plan) for p, plan in layout.projections.items()}
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
            port, factor = layout.populations[target.base].form.ports[plan.port]
            row = {"source_first": source.start, "n_source": source.span, "target": self.index[target.base],
                   "rows_at": put("starts", plan.start), "synapses_at": put("targets",
                                                                            plan.target + np.uint32(target.start)),
                   "weight_at": put("weights", weight), "weight_step": int(np.ndim(weight) > 0),
                   "delay_at": put("delays", delay),
                   "delay_step": int(np.ndim(delay) > 0), "port": port, "factor": factor, "target_first": target.start,
                   "n_target": target.span}
            self.projs[number] = [row.get(name, 0) for name in loop.PROJECTION]
        for name, parts in arrays.items():
            dtype = {"starts": np.int64, "targets": np.uint32}.get(name, np.float64)
            setattr(self, name, np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype))
        self.instant, self.effects = np.zeros(1), np.zeros(1)
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
        for number, (projection, own) in enumerate(self.learning.items()):
            if own is not None:
                blocks = own.blocks(self.column(projection, "weight"), self.instant, self.effects)
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
        state, at = [np.zeros(0)], 0
        self.drives = np.zeros((len(self.plan.drives), len(loop.DRIVES)), dtype=np.int64)
        for number, (drive, plan) in enumerate(self.plan.drives.items()):
            own = np.zeros((drive.target.size, 2)) if isinstance(drive.drive, PoissonDrive) else np.array([[0.0, 1.0]])
            target = drive.target
            row = {"target": self.index[target.base], "n_target": target.size,
                   "state_at": at, "stream": plan.stream}
            self.drives[number] = [row.get(name, 0) for name in loop.DRIVES]
            state.append(own.ravel())
            at += own.size
        self.drive_x = np.concatenate(state)
        self._put_drives()

    def _put_drives(self):
        """Lay the numbers of all drives side by side."""
        values, at = [np.zeros(0)], 0

        def put(array):
            nonlocal at
            values.append(np.ravel(np.asarray(array, np.float64)))
            at += values[-1].size
            return at - values[-1].size

        for number, (drive, plan) in enumerate(self.plan.drives.items()):
            if isinstance(drive.drive, PoissonDrive):
                p = plan.parameters
                port, factor = self.plan.populations[drive.target.base].form.ports[plan.port]
                row = {"rate_at": put(p.rate), "rate_step": int(np.ndim(p.rate) > 0), "weight_at": put(p.weight),
                       "weight_step": int(np.ndim(p.weight) > 0), "port": port, "factor": factor}
            else:
                times, steps = plan.form
                row = {"times_at": put(times), "n_times": times.size, "columns": steps.shape[1],
                       "values_at": put(steps), "gain": put(np.zeros(drive.target.size))}
            row["members"] = put(drive.target.ids)
            for name, value in row.items():
                self.drives[number, loop.DRIVES.index(name)] = value
        self.drive_c = np.concatenate(values)

    def drive_row(self, number: int) -> dict:
        """Return the entries of a drive in the table of drives, by name."""
        return dict(zip(loop.DRIVES, self.drives[number].tolist(), strict=True))

    def _allocate_slots(self, count):
        """Make room for more spikes under way; those that are keep their places."""
        before = getattr(self, "slot_time", np.zeros(0)).size
        for name, dtype in (("slot_time", np.float64), ("slot_at", np.int64), ("slot_end", np.int64),
                            ("slot_of", np.int64)):
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
        self.room = Room(np.zeros(widest), np.zeros(4 * most + 2 * max(1, most) * levels),
                         np.zeros((levels, 2), dtype=np.int64), np.zeros(levels), np.zeros(levels))

    # -- views -------------------------------------------------------------------------------------

    def rows(self, population) -> np.ndarray:
        """Return the rows of state of a population, which may be written to."""
        at, width = (int(self.pops[self.index[population], loop.POPULATION.index(name)]) for name in ("x_at", "width"))
        size = 1 if population in self.given else population.size
        return self.x[at:at + width * size].reshape(size, width)

    def column(self, projection, name: str) -> np.ndarray:
        """Return the values of a quantity of a projection's synapses, a view that may be written to.

        Raises:
            ParameterError: the synapses have no such quantity.
        """
        own = self.learning[projection]
        row = dict(zip(loop.PROJECTION, self.projs[self.number[projection]].tolist(), strict=True))
        n = self.plan.projections[projection].n_synapses
        if name == "weight":
            return self.weights[row["weight_at"]:row["weight_at"] + (n if row["weight_step"] else 1)]
        if name == "delay":
            return self.delays[row["delay_at"]:row["delay_at"] + (n if row["delay_step"] else 1)]
        if own is not None and name in own.fields:
            return own.column(name)
        known = ", ".join(["weight", "delay", *([] if own is None else own.fields)])
        raise ParameterError(f"quantity of the synapses of {projection.name!r} must be one of {known}, got {name!r}")


def _table(plan) -> np.ndarray:
    """Return the coefficients of a population, a row for each member, or one for all."""
    return np.atleast_1d(np.asarray(plan.parameters.rate, np.float64))[:, None] if plan.form is None else (
        plan.form.table())
