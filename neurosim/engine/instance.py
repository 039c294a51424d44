"""The state of a running network: arrays by name, pending spikes, and one program of kernels per thread.

Several instances may share one layout (a batch of samples); each has arrays of its own.
"""

import math
from dataclasses import replace
from functools import partial

import numpy as np

from neurosim.engine import build, inputs, learn
from neurosim.engine.bundle import Bundle
from neurosim.engine.deliver import deliver
from neurosim.engine.intrinsics import FLAGS
from neurosim.engine.kernel import LINE, aligned
from neurosim.engine.layout import Layout, begins, timed_table
from neurosim.engine.loop import Crew, Program, run
from neurosim.engine.slots import Slots
from neurosim.engine.update import state_field
from neurosim.engine.wiring import (
    EVENTS,
    NEVER,
    PAST,
    RECENT,
    RING,
    decay_field,
    decays,
    late_reads,
    modulator_field,
    synapse_field,
)
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.network import Population
from neurosim.random import seed_words
from neurosim.sources import Current, Poisson, SpikeSource

SLOT_BYTES = 64 << 20  #: memory for the lists of recent spikes; it bounds the length of a chunk
OUTPUT_BYTES = 64 << 20  #: memory for the samples of one variable until they are collected
LONGEST_CHUNK = 8192


class Instance:
    """Arrays and programs of one running network.

    Args:
        layout: what does not change.
        recorders: the recorders of state variables, whose kernels belong into the programs.
        sample: number of the sample in a batch, plus one; 0 outside a batch.
        most_ticks: how many ticks are run at once at most.
    """

    def __init__(self, layout: Layout, recorders=(), sample: int = 0, most_ticks: int = LONGEST_CHUNK):
        self.layout, self.recorders, self.sample = layout, list(recorders), sample
        self.tick = 0  #: up to which it has run
        self.neurons: dict[tuple, np.ndarray] = {}  #: (population or drive, variable) -> one value per neuron
        self.synapses: dict[tuple, list] = {}  #: (projection, variable) -> one array per part
        self.outputs: dict = {}  #: recorder -> (buffer of the chunk, number of its first row)
        self.late: dict = {}  #: (population, variable of some ticks ago) -> (variable, ticks)
        self.buffers: set = set()  #: keys of the arrays of neurons that are empty between two ticks
        sources = [p for p in layout.populations if isinstance(p.model, SpikeSource)]
        self.given = {p: self.on_grid(p, p.model.spikes) for p in sources}
        self.arrivals = [aligned(0, size, layout.real) for size in layout.size]
        self._allocate_neurons()
        self.mirrored = list(self._mirrors())  #: variables of direct ports, and where they are in `arrivals`
        for projection, plan in layout.projections.items():
            self._allocate_synapses(projection, plan)
        self._allocate_late()
        self.signals = self._allocate_signals()
        self.slots, self.crew = self._allocate_slots(most_ticks), Crew()
        self._allocate_outputs()
        self.wire()

    # -- arrays --------------------------------------------------------------------------------------

    def _allocate_neurons(self):
        real = self.layout.real
        for population, plan in self.layout.populations.items():
            n = population.size
            for name, state in getattr(population.model, "state", {}).items():
                self.neurons[population, state_field(name)] = aligned(plan.initial[name], n,
                                                                      np.float64 if state.slow else real)
            if plan.coefficients is None:
                continue
            for port in plan.coefficients.ports:
                self.neurons |= {(population, port.name(name)): aligned(state.initial, n, real)
                                 for name, state in port.receptor.state.items()}
            if plan.coefficients.kind.injected:
                self.neurons[population, "injected"] = aligned(0, n, real)
                self.buffers.add((population, "injected"))
            if plan.n_ref is not None:
                self.neurons[population, "until"] = np.full(n, NEVER)
        for drive in self.layout.drives:
            self.neurons |= {(drive, name): aligned(state.initial, drive.target.size, np.float64)
                             for name, state in getattr(drive.drive, "state", {}).items()}

    def _mirrors(self):
        for population, number in self.layout.direct:
            port = self.layout.populations[population].coefficients.ports[number]
            bounds = self.layout.populations[population].bounds
            for thread, (low, high) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
                yield self.neurons[population, port.variable][low:high], self._port(population, number, thread)

    def _port(self, population, number, thread):
        """The part of a thread's buffer that holds the sums of arrivals at a port, or a direct port's variable."""
        low, high = self.layout.populations[population].bounds[thread:thread + 2]
        begin = self.layout.reach[population, number][thread]
        return self.arrivals[thread][begin:begin + int(high - low)]

    def _allocate_synapses(self, projection, plan):
        real, wiring = self.layout.real, plan.wiring
        if not wiring.parts:
            return
        parts, plastic = plan.connectivity.parts, bool(wiring.rules)

        def arrays(name, size, value, dtype):
            sizes = map(size, range(len(parts)))
            self.synapses[projection, name] = [np.full(each, value, dtype=dtype) for each in sizes]

        def synapses(number):
            return parts[number].target.size

        def cells(number):
            return projection.source.base.size * max(1, plan.connectivity.delays.size)

        def targets(number):
            return int(plan.bounds[number + 1] - plan.bounds[number])

        if plastic:
            self.synapses[projection, "weight"] = [part.values["weight"].copy() for part in parts]
        for name, state in wiring.state().items():
            arrays(synapse_field(name), synapses, state.initial, np.float64 if state.slow else real)
        if wiring.history:
            arrays("arrived", cells, NEVER, np.int64)
        if plastic:
            for name in wiring.traces("source"):
                arrays(synapse_field(name), cells, 0, real)
            arrays("settled", lambda number: 1, 0, np.int64)
            arrays("noted", targets, 0, np.int64)
            arrays("noted_before", targets, 0, np.int64)
            arrays("recent", lambda number: targets(number) * RECENT, NEVER, np.int64)
            arrays("ring_tick", lambda number: targets(number) * RING, NEVER, np.int64)
            for name in wiring.traces("target"):
                arrays(f"trace_{name}", targets, 0, real)
                arrays(f"ring_{name}", lambda number: targets(number) * RING, 0, real)
            for name, dtype in late_reads(wiring):
                arrays(f"read_{name}", lambda number: targets(number) * RING, 0, dtype)
            for name in wiring.modulators:
                arrays(modulator_field(name), lambda number: PAST, 0, np.float64)
            if wiring.has("on_modulator"):
                arrays("event_tick", lambda number: EVENTS, NEVER, np.int64)
                arrays("events", lambda number: 1, 0, np.int64)

    def _allocate_late(self):
        """Variables of targets that rules read as they were some ticks ago, and rings of their values since."""
        for projection in self.layout.projections:
            population = projection.target.base
            for name, ticks in learn.lags(projection, self.layout.dt).items():
                late, now = learn.late_field(name, ticks), self.neurons[population, state_field(name)]
                self.late[population, late] = name, ticks
                self.neurons |= {(population, late): now.copy(), (population, f"ring_{late}"): np.repeat(now, ticks)}

    def _allocate_signals(self) -> dict:
        """The values of the last ticks of those variables that modulate a rule."""
        used = {signal for p in self.layout.projections for signal in p.modulators.values() if signal[1] != "spikes"}
        return {signal: np.full(PAST, self.neurons[signal[0].base, state_field(signal[1])][signal[0].start],
                                dtype=np.float64)
                for signal in sorted(used, key=lambda signal: (signal[0].name, signal[1]))}

    def _allocate_slots(self, most_ticks: int) -> dict:
        """Lists of the spikes of the last ticks, for each population and thread."""
        layout = self.layout
        capacity = {p: [self._most_spikes(p, plan, t) for t in range(layout.threads)]
                    for p, plan in layout.populations.items() if p.spiking}
        a_tick = 4 * max(1, sum(map(sum, capacity.values())))
        chunk = max(SLOT_BYTES // a_tick - layout.longest, 16, min(layout.window, LONGEST_CHUNK))
        chunk = self.most_ticks = int(min(most_ticks, chunk))
        length = layout.longest + chunk + min(layout.window, chunk)
        line = LINE // 2  # numbers of 64 bits
        stride = -(-2 * max(1, len(capacity)) // line) * line
        tables = [np.zeros(length * stride + line, dtype=np.int64) for _ in range(layout.threads)]
        tables = [table[-(table.ctypes.data // 8) % line:][:length * stride].reshape(length, stride)
                  for table in tables]
        return {p: [Slots(length, most, table, 2 * number) for most, table in zip(capacities, tables, strict=True)]
                for number, (p, capacities) in enumerate(capacity.items())}

    def _room(self) -> int:
        """How many ticks may run at once, for which lists of spikes, rings of target spikes and outputs have room."""
        rooms = [room for projection, plan in self.layout.projections.items() if plan.wiring.rules
                 for room in self._ring_room(projection, plan)]
        return min([self.most_ticks, *rooms, *(recorder.every * self._rows(recorder) for recorder in self.recorders)])

    def _ring_room(self, projection, plan, waiting: int = 0) -> tuple[int, int]:
        """How many ticks may surely follow where so many spikes of a target wait, and how many after a settlement."""
        wiring, delays = plan.wiring, plan.connectivity.delays
        lag = 2 * int(delays.max(initial=0)) if wiring.lagged else 0
        room = (RING - 1 - waiting) * (self._held(projection.target.base) + 1) - lag
        if room < 1 and waiting == 0:
            raise UnsupportedError(f"projection {projection.name!r}: with a dendritic delay of up to "
                                   f"{lag // 2 * self.layout.dt:g} ms its target must be refractory for at least "
                                   f"{(lag // (RING - 1) + 1) * self.layout.dt:g} ms, so that no more than {RING - 1} "
                                   "of its spikes are under way; give t_ref, a shorter delay, or delay='axonal'")
        return room, EVENTS if wiring.has("on_modulator") else PAST - lag - 1

    def _held(self, population) -> int:
        n_ref = self.layout.populations[population].n_ref
        return 0 if n_ref is None else int(n_ref.min())

    def _rows(self, recorder) -> int:
        """How many samples of a variable are kept until they are collected."""
        return max(16, min(self.most_ticks // recorder.every + 1, OUTPUT_BYTES // (8 * recorder.ids.size)))

    def _most_spikes(self, population, plan, thread) -> int:
        """How many spikes a thread's part of a population can send in a tick."""
        low, high = plan.bounds[thread], plan.bounds[thread + 1]
        if isinstance(population.model, Poisson):
            return int(high - low) * inputs.most_events(self._largest_mean(plan))
        if isinstance(population.model, SpikeSource):
            ticks, _ = self.given[population]
            return max(int(np.unique(ticks, return_counts=True)[1].max(initial=0)), int(high - low))
        return int(high - low)

    def _largest_mean(self, plan, owner: str = "Poisson") -> float:
        """The largest mean number of events of a Poisson process in a tick."""
        rate = float(np.max(getattr(plan.parameters.rate, "values", plan.parameters.rate)))
        limit = inputs.LARGEST_MEAN / (self.layout.dt * 1e-3)
        if rate > limit:
            raise ParameterError(f"{owner}.rate must be <= {limit:g} Hz, {inputs.LARGEST_MEAN:g} events in a tick of "
                                 f"{self.layout.dt:g} ms, got {rate:g}; use several, or a smaller dt")
        return rate * self.layout.dt * 1e-3

    def _allocate_outputs(self):
        for recorder in self.recorders:
            population, variable = recorder.key
            rows = self._rows(recorder) + 1
            dtype = self.neurons[population, variable].dtype
            self.outputs[recorder] = np.zeros((rows, recorder.ids.size), dtype=dtype), np.zeros(1, dtype=np.int64)

    def on_grid(self, population, spikes):
        """Return (ticks, ids) of given spikes on the grid of the simulation."""
        if spikes.size != population.size:
            raise ParameterError(f"spikes for {population.name!r} must be of {population.size} neurons, "
                                 f"got {spikes.size}")
        if spikes.dt != self.layout.dt:
            spikes = spikes.on_grid(self.layout.dt)
        ticks = np.asarray(spikes.ticks, dtype=np.int64)
        if ticks.size and ticks[0] < 1:
            raise ParameterError(f"spikes for {population.name!r} must come after t = 0, the first possible at one "
                                 f"tick, got {ticks[0] * self.layout.dt:g} ms")
        return ticks, np.asarray(spikes.ids, dtype=np.uint32)

    # -- programs --------------------------------------------------------------------------------------

    def wire(self) -> None:
        """Make the programs anew from the arrays; parameters may have changed."""
        threads = range(self.layout.threads)
        self._widen_slots()
        self.chunk = self._room()
        self.blocks, self.emitters = [], {population: [] for population in self.given}
        steps = [self._signals, self._early_notes, partial(self._deliveries, direct=False),
                 partial(self._drives, direct=False), self._updates, partial(self._deliveries, direct=True),
                 partial(self._drives, direct=True), self._notes, self._records]
        self.programs = [Program([block for step in steps for block in step(thread)]) for thread in threads]
        settling = [[self._settling(p, plan, thread, "") for p, plan in self._learning(thread)]
                    for thread in threads]
        self.settlers = [Program(blocks) for blocks in settling] if any(settling) else []

    def _widen_slots(self):
        """Make room for more spikes in a tick where rates or given spikes now ask for it."""
        for population, parts in self.slots.items():
            plan = self.layout.populations[population]
            if population in self.given and not _crowded(self.given[population][0], max(1, parts[0].capacity)):
                continue
            for thread, slots in enumerate(parts):
                most = self._most_spikes(population, plan, thread)
                if most > slots.capacity:
                    parts[thread] = slots.widened(most, self.tick)

    def _block(self, kernel, **values):
        block = kernel.block(**values)
        self.blocks.append(block)
        return block

    def _random(self, stream, origin):
        key0, key1 = seed_words(self.layout.seed)
        return {"key0": key0, "key1": key1, "stream": stream, "sample": self.sample, "origin": origin}

    def _slice(self, owner, name, low, high):
        return self.neurons[owner, name][low:high]

    def _deliveries(self, thread, direct):
        """Of projections whose synapses may lie in bundles, all come in the place of the first."""
        wanted = [each for plan in self.layout.projections.values() if plan.leader in (None, plan)
                  for each in (plan.deliveries or [plan]) if self._is_direct(plan) == direct]
        segments = max((self._segments(each, thread) for each in wanted), default=0)
        segments = {f"segment_{name}": np.empty(segments, dtype=np.int64) for name in ("low", "high", "cell")}
        for each in wanted:
            yield from self._deliver(each, thread, segments)

    def _is_direct(self, plan) -> bool:
        return (plan.projection.target.base, plan.port) in self.layout.direct

    def _segments(self, each, thread) -> int:
        """How many segments of rows a tick may have."""
        source, delays = (each.source, each.delays) if isinstance(each, Bundle) else (
            each.projection.source.base, each.connectivity.delays)
        return sum(slots.capacity for slots in self.slots[source]) * delays.size

    def _deliver(self, each, thread, segments):
        """The block that delivers the synapses of a projection, or of a bundle of them, on a thread."""
        if isinstance(each, Bundle):
            source, values, first = each.source, each.values(thread), each.begin[thread]
            values |= {"dt": self.layout.dt, "arrivals": self.arrivals[thread][first:first + values["n_target"]]}
        else:
            source, values = each.projection.source.base, None
            if each.bounds[thread] < each.bounds[thread + 1] and each.connectivity.n_synapses:
                values = self._synapse_values(each, thread)
                values["arrivals"] = self._arrivals(each, thread)
        if values is None or values["n_synapses"] == 0:
            return
        slots = self.slots[source]
        yield self._block(
            deliver(each.wiring), parts=len(slots), slots=slots[0].length, stride=slots[0].stride,
            ids_at=_addresses(s.ids for s in slots), marks_at=_addresses(s.marks for s in slots),
            room=segments["segment_low"].size, **segments, **values)

    def _arrivals(self, plan, thread):
        """The part of a thread's buffer that its synapses of a projection, or a drive, add to."""
        begin = begins(plan, self.layout.reach)[thread]
        return self.arrivals[thread][begin:begin + int(plan.bounds[thread + 1] - plan.bounds[thread])]

    def _synapse_values(self, plan, thread) -> dict:
        projection, wiring, part = plan.projection, plan.wiring, plan.connectivity.parts[thread]
        start, offsets = plan.rows[thread]
        low, high = plan.bounds[thread:thread + 2] + projection.target.start
        values = {"n_source": projection.source.base.size, "n_target": int(high - low),
                  "n_delays": plan.connectivity.delays.size, "n_synapses": part.target.size, "dt": self.layout.dt,
                  "delays": plan.connectivity.delays, "start": start, "target": part.target}
        if offsets is not None:
            values["offsets"] = offsets
        own = {name: arrays[thread] for (owner, name), arrays in self.synapses.items() if owner is projection}
        values |= {synapse_field(name): part.values[name] for name in (*wiring.shared, *wiring.stored)} | own
        late = {name: learn.late_field(name, ticks) for name, ticks in learn.lags(projection, self.layout.dt).items()}
        values |= {f"target_{name}": self._slice(projection.target.base, late.get(name, state_field(name)), low, high)
                   for name, _ in wiring.reads}
        values |= plan.periods if wiring.periodic else {}
        values |= {decay_field(tau): decays(float(part.values[tau]), self.layout.dt, self.layout.real)
                   for tau in wiring.time_constants}
        if wiring.random:
            values |= self._random(plan.stream, 0) | {"base": plan.base[thread]}
            del values["origin"]
        return values

    def _drives(self, thread, direct):
        for drive, plan in self.layout.drives.items():
            low, high = plan.bounds[thread:thread + 2]
            if low == high:
                continue
            if isinstance(drive.drive, Current):
                if not direct:
                    yield self._current(drive, plan, int(low), int(high))
            elif self._is_direct(plan) == direct:
                arrivals = self._arrivals(plan, thread)
                yield self._poisson(plan, int(low), int(high), drive, arrivals)

    def _current(self, drive, plan, low, high):
        layout, target = self.layout, drive.target
        varies, values, table = {}, {}, (1, 1, "hold", 1)
        for name, value in plan.coefficients.items():
            rows, every, after = timed_table(value, target.size, layout.dt, drive.name)
            if rows.shape[0] > 1:
                rows = rows[:, low:high] if rows.shape[1] > 1 else rows
                table = (rows.shape[0], rows.shape[1], after, every)
                varies[name], values[name] = "timed", np.ascontiguousarray(rows).ravel()
            else:
                varies[name] = rows.size > 1
                values[name] = np.ascontiguousarray(rows[0, low:high] if rows.size > 1 else rows[0])
        kernel = inputs.current(drive.drive, varies, layout.real)
        state = {name: self._slice(drive, name, low, high) for name in drive.drive.state}
        injected = self._slice(target.base, "injected", low + target.start, high + target.start)
        return self._block(kernel, n=high - low, dt=layout.dt, rows=table[0], columns=table[1], every=table[3],
                           after=inputs.AFTER[table[2]], injected=injected, **values, **state,
                           **self._random(plan.stream, low))

    def _poisson(self, plan, low, high, drive=None, arrivals=None, slots=None):
        real, n = self.layout.real, high - low
        label = "Poisson" if drive is None else drive.name
        rates, every, after = timed_table(plan.parameters.rate, n, self.layout.dt, label)
        individual = rates.shape[1] > 1
        means = np.ascontiguousarray(rates[:, low:high] if individual else rates) * (self.layout.dt * 1e-3)
        most = inputs.most_events(self._largest_mean(plan, "Poisson" if drive is None else type(drive.drive).__name__))
        values = {"n": n, "counts": aligned(0, n + 128, np.uint16), "rows": means.shape[0],
                  "columns": means.shape[1], "every": every, "after": inputs.AFTER[after], "means": means.ravel(),
                  **self._random(plan.stream, low)}
        if individual:
            values["most"] = most
        else:  # draws come in groups of whole populations, so that a part of one has them in common with its threads
            skip = (low + (0 if drive is None else drive.target.start)) % inputs.GROUP
            values |= {"draws": aligned(0, n + skip + 128, np.uint16), "n_edges": most, "skip": skip,
                       "edges": aligned(0, most, np.uint16)}
            values["origin"] += 0 if drive is None else drive.target.start - skip
        if drive is None:
            return self._block(inputs.poisson(individual, None, real), **values, **slots.arguments(low))
        weights = np.atleast_1d(np.asarray(plan.parameters.weight, dtype=real))
        differ = weights.size > 1
        return self._block(inputs.poisson(individual, differ, real), arrivals=arrivals,
                           weight=np.ascontiguousarray(weights[low:high]) if differ else weights, **values)

    def _updates(self, thread):
        for population, plan in self.layout.populations.items():
            low, high = (int(b) for b in plan.bounds[thread:thread + 2])
            if low == high:
                continue
            slots = self.slots[population][thread] if population.spiking else None
            if isinstance(population.model, Poisson):
                yield self._poisson(plan, low, high, slots=slots)
            elif isinstance(population.model, SpikeSource):
                yield self._given(population, low, high, slots)
            else:
                yield self._update(population, plan, thread, low, high, slots)

    def _given(self, population, low, high, slots):
        ticks, ids = _within(*self.given[population], low, high, population.size)
        block = self._block(inputs.given_spikes(), n_events=ticks.size, event_tick=ticks, event_id=ids,
                            cursor=np.zeros(1, dtype=np.int64), **slots.arguments(0))
        self.emitters[population].append((block, low, high, slots))
        return block

    def _update(self, population, plan, thread, low, high, slots):
        coefficients, n = plan.coefficients, high - low
        kernel = coefficients.kind.kernel()
        values = {"n": n}
        for port in coefficients.ports:
            values[port.variable if port.direct else port.buffer] = self._port(population, port.index, thread)
        for name, kind in kernel.fields.items():
            if name in values:
                continue
            if name in coefficients.values:
                value = np.atleast_1d(coefficients.values[name])
                value = value[low:high] if value.size > 1 else value
                values[name] = aligned(value, value.size, kind.dtype)
            elif (population, name) in self.neurons:
                values[name] = self._slice(population, name, low, high)
        if population.spiking:
            values |= {"spiked": aligned(0, n + FLAGS, np.uint8), **slots.arguments(low)}
        if "uniform" in kernel.fields:
            values |= {"uniform": aligned(0, n, np.float64), **self._random(plan.stream, low)}
        if plan.n_ref is not None:
            values |= {"n_ref": plan.n_ref[low:high].copy(), "held": aligned(0, n, np.uint32),
                       "held_v": aligned(0, n, self.neurons[population, state_field("v")].dtype),
                       "n_held": aligned(0, LINE, np.int64)[:1]}
        return self._block(kernel, **{name: values[name] for name in kernel.fields})

    def _early_notes(self, thread):
        """Spikes of targets that reach their synapses late, behind a dendritic delay, come before arrivals."""
        for projection, plan in self._learning(thread):
            if plan.wiring.dendritic and not plan.wiring.lagged:
                yield self._note(projection, plan, thread, 2 * int(plan.connectivity.delays[0]))

    def _learning(self, thread):
        return [(projection, plan) for projection, plan in self.layout.projections.items()
                if plan.wiring.rules and plan.bounds[thread] < plan.bounds[thread + 1] and plan.connectivity.n_synapses]

    def _note(self, projection, plan, thread, behind):
        kernel = learn.note(plan.wiring)
        values = self._synapse_values(plan, thread) | self.slots[projection.target.base][thread].arguments(0)
        values |= {"first": int(plan.bounds[thread]) + projection.target.start, "behind": behind}
        return self._block(kernel, **{name: values[name] for name in kernel.fields})

    def _notes(self, thread):
        for (population, late), (name, ticks) in self.late.items():
            low, high = self.layout.populations[population].bounds[thread:thread + 2]
            now, was = (self._slice(population, each, low, high) for each in (state_field(name), late))
            ring = self._slice(population, f"ring_{late}", low * ticks, high * ticks)
            if low < high:
                yield self._block(learn.fall_behind(now.dtype), n=int(high - low), ticks=ticks, now=now, was=was,
                                  ring=ring)
        for projection, plan in self._learning(thread):
            if plan.wiring.lagged or not plan.wiring.dendritic:
                yield self._note(projection, plan, thread, 0)
            if plan.wiring.periodic:
                yield self._settling(projection, plan, thread, "period")
        for (population, variable), past in self.signals.items():
            bounds = self.layout.populations[population.base].bounds
            if bounds[thread] <= population.start < bounds[thread + 1]:
                state = self._slice(population.base, state_field(variable), population.start, population.start + 1)
                yield self._block(learn.remember(state.dtype), state=state, past=past)

    def _settling(self, projection, plan, thread, end, **instead):
        return self._block(learn.Settle(plan.wiring, end).kernel(), **self._synapse_values(plan, thread) | instead)

    def _signals(self, thread):
        """What modulators were at the end of the tick before is fetched before anything else happens."""
        for projection, plan in self._learning(thread):
            wiring = plan.wiring
            if not wiring.modulators:
                continue
            kernel, values = learn.modulate(wiring), self._synapse_values(plan, thread)
            for name, (population, variable) in projection.modulators.items():
                if variable == "spikes":
                    slots = self.slots[population]
                    values |= {f"parts_{name}": len(slots), f"slots_{name}": slots[0].length,
                               f"stride_{name}": slots[0].stride,
                               f"marks_at_{name}": _addresses(each.marks for each in slots)}
                else:
                    values[f"past_{name}"] = self.signals[population, variable]
            yield self._block(kernel, **{name: values[name] for name in kernel.fields})

    def _records(self, thread):
        for recorder in self.recorders:
            population, variable = recorder.key
            low, high = self.layout.populations[population].bounds[thread:thread + 2]
            mine = np.flatnonzero((recorder.ids >= low) & (recorder.ids < high))
            if mine.size == 0:
                continue
            state = self._running(population, variable, thread)
            out, begin = self.outputs[recorder]
            yield self._block(inputs.recorder(state.dtype), n=mine.size, every=recorder.every, begin_row=begin,
                              columns=out.shape[1], n_state=state.size, n_rows=out.shape[0],
                              which=recorder.ids[mine] - low, column=mine, state=state, out=out.reshape(-1))

    def _running(self, population, variable, thread):
        """The part of a variable that a thread changes while the network runs."""
        coefficients = self.layout.populations[population].coefficients
        for port in coefficients.ports:
            if port.direct and variable == port.variable:
                return self._port(population, port.index, thread)
        return self._slice(population, variable, *self.layout.populations[population].bounds[thread:thread + 2])

    # -- running ---------------------------------------------------------------------------------------

    def advance(self, tick: int, ticks: int) -> None:
        """Run the ticks tick + 1 .. tick + ticks; not more than `chunk`."""
        for recorder, (_, begin) in self.outputs.items():
            begin[0] = -(-(tick + 1) // recorder.every)
        if not self._can_wait(tick, ticks):
            self.settle(tick)
        for array, running in self.mirrored:
            running[:] = array
        self.crew.run(self.programs, tick + 1, tick + ticks + 1, self.layout.window)
        for array, running in self.mirrored:
            array[:] = running
        self.tick = tick + ticks

    def _can_wait(self, tick: int, ticks: int) -> bool:
        """Return whether all that plastic synapses have to catch up with will still be kept some ticks later."""
        for projection, plan in self.layout.projections.items():
            if plan.wiring.rules:
                parts = zip(*(self.synapses[projection, name] for name in ("noted", "noted_before")), strict=True)
                waiting = max(int((now - then).max(initial=0)) for now, then in parts)
                since = min(int(settled[0]) for settled in self.synapses[projection, "settled"])
                room, longest = self._ring_room(projection, plan, waiting)
                if ticks > room or tick + ticks - since > longest:
                    return False
        return True

    def settle(self, tick: int) -> None:
        """Bring plastic synapses up to date; it changes no result, only when the work is done."""
        if self.settlers:
            run(self.settlers, tick, tick + 1, 1)

    def give(self, population, ticks: np.ndarray, ids: np.ndarray) -> None:
        """Replace the spikes that a `SpikeSource` emits; they are sorted. `rewind` must follow."""
        self.given[population] = ticks, ids
        emitters = self.emitters[population]
        if any(_crowded(ticks, slots.capacity) for *_, slots in emitters):
            self.wire()
            return
        for block, low, high, _ in emitters:
            mine, who = _within(ticks, ids, low, high, population.size)
            block.set("n_events", mine.size)
            block.set("event_tick", mine)
            block.set("event_id", who)

    def infinite(self) -> str | None:
        """Return a sentence about a value that is not finite, or None."""
        for (owner, name), values in self.neurons.items():
            if values.dtype.kind == "f" and not math.isfinite(float(np.add.reduce(values, dtype=np.float64))):
                bad = np.flatnonzero(~np.isfinite(values))
                if bad.size:
                    return f"{self._public(owner, name)} of neuron {bad[0]} of {owner.name!r} became {values[bad[0]]}"
        return None

    def _public(self, owner, name) -> str:
        """The name under which a user knows a variable."""
        if isinstance(owner, Population):
            for public, (port, variable) in self.layout.net.variables(owner).items():
                if name == (state_field(variable) if port is None else f"p{port}_{variable}"):
                    return public
        return name

    def set_sample(self, sample: int) -> None:
        """Give the random numbers of a sample to all that follows."""
        self.sample = sample
        for block in self.blocks:
            if "sample" in block.kernel.fields:
                block.set("sample", sample)

    # -- state in and out ------------------------------------------------------------------------------

    def view(self, projection):
        """Return the synapses of a projection with their stored values, as a `Connectivity`."""
        return self._with(projection, {name: self.synapses[projection, synapse_field(name)]
                                       for name in self.changing(projection)})

    def _with(self, projection, values):
        connectivity = self.layout.projections[projection].connectivity.alone()
        parts = [replace(part, values=part.values | {name: arrays[number] for name, arrays in values.items()})
                 for number, part in enumerate(connectivity.parts)]
        return replace(connectivity, parts=parts)

    def look(self, projection, tick: int):
        """Return the synapses of a projection as they are at the end of a tick, as a `Connectivity`.

        What changes of itself between events is stored only at events; a look changes no bit of it.
        """
        self.settle(tick)
        plan = self.layout.projections[projection]
        if not plan.wiring.has("between"):
            return self.view(projection)
        now = {name: [array.copy() for array in self.synapses[projection, synapse_field(name)]]
               for name in self.changing(projection)}
        for thread in range(self.layout.threads):
            if (projection, plan) in self._learning(thread):
                copies = {synapse_field(name): arrays[thread] for name, arrays in now.items()}
                block = self._settling(projection, plan, thread, "look", **copies)
                self.blocks.remove(block)
                run([Program([block])], tick, tick + 1, 1)
        return self._with(projection, now)

    def changing(self, projection) -> list[str]:
        """Return the names of the synapse values that change while the network runs."""
        wiring = self.layout.projections[projection].wiring
        return [name for name in ("weight", *wiring.state()) if (projection, synapse_field(name)) in self.synapses]

    def snapshot(self, tick: int) -> dict[str, np.ndarray]:
        """Return a copy of the whole state at the end of a tick, by name, in canonical numbering."""
        self.settle(tick)
        state = {_label(key): array.copy() for key, array in self.neurons.items() if key not in self.buffers}
        for population in self.slots:
            ticks, ids = self.slots_between(population, tick - self.layout.longest, tick)
            state |= {f"pending/{population.name}/ticks": ticks, f"pending/{population.name}/ids": ids}
        for projection in self.layout.projections:
            values = build.to_coo(self.view(projection))[3] if self.changing(projection) else {}
            state |= {f"synapses/{projection.name}/{name}": values[name].copy() for name in self.changing(projection)}
            state |= {f"synapses/{projection.name}/{name}": self._canonical(projection, name)
                      for name in self._kept(projection)}
        return state

    def _kept(self, projection) -> list[str]:
        """Names of the arrays of a projection, besides those of synapses, that belong to its state."""
        wiring = self.layout.projections[projection].wiring
        names = ["arrived"] if wiring.history else []
        if wiring.rules:
            names += [*map(synapse_field, wiring.traces("source")), "recent"]
            names += [f"trace_{name}" for name in wiring.traces("target")]
        if wiring.has("on_modulator"):
            names += ["event_tick", "events"]
        if wiring.lagged:  # spikes of the target that are on their way to the synapses
            names += ["noted", "ring_tick", *(f"ring_{name}" for name in wiring.traces("target"))]
        return names

    def _by_target(self, name) -> bool:
        return name in ("recent", "noted") or name.startswith(("trace_", "ring_"))

    def _canonical(self, projection, name):
        arrays = self.synapses[projection, name]
        if self._by_target(name):
            return np.concatenate(arrays)
        used = np.flatnonzero(np.diff(self.layout.projections[projection].bounds))  # threads without targets do nothing
        return arrays[used[0]].copy()

    def check_state(self, state) -> None:
        """Raise ParameterError if a state does not fit this network."""
        expected = self._shapes()
        given = {name: None if name.startswith("pending/") else array.shape for name, array in state.items()}
        for name in sorted(expected.keys() | given.keys()):
            if name not in given or name not in expected or expected[name] != given[name]:
                raise ParameterError(f"state must be of this network, with {name!r} of shape "
                                     f"{expected.get(name, 'none')}, got {given.get(name, 'none')}")

    def _shapes(self) -> dict:
        """The names of a state's arrays and their shapes; None where it varies."""
        shapes = {_label(key): array.shape for key, array in self.neurons.items() if key not in self.buffers}
        shapes |= {f"pending/{population.name}/{name}": None for population in self.slots for name in ("ticks", "ids")}
        for projection, plan in self.layout.projections.items():
            label = f"synapses/{projection.name}"
            shapes |= {f"{label}/{name}": (plan.connectivity.n_synapses,) for name in self.changing(projection)}
            shapes |= {f"{label}/{name}": (sum(map(len, self.synapses[projection, name])),) if self._by_target(name)
                       else self.synapses[projection, name][0].shape for name in self._kept(projection)}
        return shapes

    def restore(self, state: dict[str, np.ndarray], tick: int, keep=()) -> None:
        """Put a state back that `snapshot` returned; what the synapses of the projections in `keep` hold stays."""
        self.tick = tick
        for key, array in self.neurons.items():
            array[:] = 0 if key in self.buffers else state[_label(key)]
        for arrivals in self.arrivals:
            arrivals[:] = 0
        for population in self.slots:
            self.put_slots(population, *(state[f"pending/{population.name}/{name}"] for name in ("ticks", "ids")))
        for projection in self.layout.projections:
            self._restore_synapses(projection, state, tick, projection in keep)
        self.rewind(tick)

    def _restore_synapses(self, projection, state, tick, keep):
        for name in () if keep else self.changing(projection):
            self.put_values(projection, name, state[f"synapses/{projection.name}/{name}"])
        bounds = self.layout.projections[projection].bounds
        for name in self._kept(projection):
            values = state[f"synapses/{projection.name}/{name}"]
            for number, array in enumerate(self.synapses[projection, name]):
                each = values.size // max(1, projection.target.size)
                array[:] = values[each * bounds[number]:each * bounds[number + 1]] if self._by_target(name) else values
        for settled in self.synapses.get((projection, "settled"), []):
            settled[:] = tick
        wiring = self.layout.projections[projection].wiring
        if wiring.rules and not wiring.lagged:
            self._put_last_spike(projection, wiring)
        for before, noted in zip(*(self.synapses.get((projection, name), []) for name in ("noted_before", "noted")),
                                 strict=True):
            before[:] = noted

    def _put_last_spike(self, projection, wiring):
        """Of a target's ring, only its last spike matters after a settlement; a trace has grown by one with it."""
        names = wiring.traces("target").items()
        for number, recent in enumerate(self.synapses[projection, "recent"]):
            ring, spiked_at = slice(None, None, RING), recent[::RECENT]
            self.synapses[projection, "noted"][number][:] = spiked_at != NEVER
            self.synapses[projection, "ring_tick"][number][ring] = spiked_at
            for name, trace in names:
                before = 0 if trace.nearest else self.synapses[projection, f"trace_{name}"][number] - 1
                self.synapses[projection, f"ring_{name}"][number][ring] = before

    def put_values(self, projection, name, values) -> None:
        """Set a changing value of every synapse, from an array in canonical order or a number."""
        view = self.view(projection)
        build.set_values(view, name, values)
        for part, array in zip(view.parts, self.synapses[projection, synapse_field(name)], strict=True):
            array[:] = part.values[name]

    def mark(self) -> list:
        """Return copies of all arrays but the pending spikes, for `back`, faster than `snapshot` and `restore`."""
        arrays = [*self.neurons.values(), *(array for parts in self.synapses.values() for array in parts)]
        return [(array, array.copy()) for array in arrays]

    def back(self, marked: list, tick: int) -> None:
        """Put the arrays back as they were at `mark`, at a tick; `put_slots` and `rewind` must follow."""
        self.tick = tick
        for array, copy in marked:
            array[...] = copy

    def rewind(self, tick: int) -> None:
        """Make what follows from the state and the tick: who is held, which given spike is next, what signals are."""
        for (population, variable), past in self.signals.items():
            past[tick % PAST] = self.neurons[population.base, state_field(variable)][population.start]
        for block in self.blocks:
            values = block.values
            if "held" in values:
                held = np.flatnonzero(values["until"] > tick)
                values["held"][:held.size], values["n_held"][0] = held, held.size
                values["held_v"][:held.size] = values["s_v"][held]
            if "cursor" in values:
                values["cursor"][0] = np.searchsorted(values["event_tick"], tick, side="right")

    def slots_between(self, population, after: int, last: int):
        """Return (ticks, ids) of the spikes in the ticks after < tick <= last, sorted."""
        found = [slots.between(after, last) for slots in self.slots[population]]
        if len(found) == 1:
            return found[0]
        ticks = np.concatenate([ticks for ticks, _ in found])
        ids = np.concatenate([ids for _, ids in found])
        order = np.argsort(ticks, kind="stable")
        return ticks[order], ids[order]

    def put_slots(self, population, ticks, ids) -> None:
        """Make the given spikes the ones that are under way."""
        bounds = self.layout.populations[population].bounds
        for thread, slots in enumerate(self.slots[population]):
            mine = (ids >= bounds[thread]) & (ids < bounds[thread + 1])
            slots.put(ticks[mine], ids[mine])


def _addresses(arrays) -> np.ndarray:
    return np.array([array.ctypes.data for array in arrays], dtype=np.int64)


def _label(key) -> str:
    """Name of an array of neurons, or of a drive, in a state."""
    owner, name = key
    return f"{'neurons' if isinstance(owner, Population) else 'drives'}/{owner.name}/{name}"


def _within(ticks, ids, low, high, size):
    """Return the events of the neurons low <= id < high of a population."""
    if low == 0 and high == size:
        return ticks, ids
    mine = (ids >= low) & (ids < high)
    return ticks[mine], ids[mine]


def _crowded(ticks, capacity) -> bool:
    """Return whether more than `capacity` of the sorted events come in one tick."""
    return ticks.size > capacity and bool((ticks[capacity:] == ticks[:-capacity]).any())
