"""What is done in every tick with the arrays of a network: blocks of kernels, and their order."""

from functools import partial
from typing import Any

import numpy as np

from neurosim.engine import ahead, gaps, inputs, learn
from neurosim.engine.arrays import LONGEST_CHUNK, Arrays
from neurosim.engine.bundle import Bundle
from neurosim.engine.bundling import begins
from neurosim.engine.deliver import MOST_SEGMENTS, deliver
from neurosim.engine.inputs import FLOW
from neurosim.engine.intrinsics import FLAGS
from neurosim.engine.kernel import LINE, aligned
from neurosim.engine.loop import Program
from neurosim.engine.plan import ClockedPlan
from neurosim.engine.timed import timed_table
from neurosim.engine.update import state_field
from neurosim.engine.wiring import decay_field, decays, synapse_field
from neurosim.network import Population
from neurosim.random import seed_words
from neurosim.sources import Current, Poisson, SpikeSource


class Programs(Arrays):
    """Arrays, and one program of kernels per thread that goes over them.

    Args:
        plan: what does not change.
        sample: number of the sample in a batch, plus one; 0 outside a batch.
        noise: seed of what is drawn while it runs; by default that of the plan.
        most_ticks: how many ticks are run at once at most.
    """

    def __init__(self, plan: ClockedPlan, sample: int = 0, noise: int | None = None, most_ticks: int = LONGEST_CHUNK):
        super().__init__(plan, most_ticks)
        self.sample, self.noise = sample, plan.seed if noise is None else noise
        self.attached: list = []  #: functions that return a block which is called before all others
        self.fed: dict = {}  #: drive -> amplitudes that are written from outside
        self.stale = True  #: whether the programs must be made anew before the next tick
        self.moved = True  #: whether what follows from the state and the tick must be made anew

    def rewind(self) -> None:
        """Make what follows from the state and the tick; `Snapshots` does."""
        raise NotImplementedError

    def ready(self) -> None:
        """See to it that the programs fit the arrays, the plan and the tick."""
        if self.stale:
            self._wire()
            self.stale, self.moved = False, True
        if self.moved:
            self.rewind()
            self.moved = False

    def _wire(self) -> None:
        """Make the programs from the arrays and the plan."""
        threads = range(self.plan.parts)
        self._widen_slots()
        self.chunk = self._room()
        self.blocks, self.emitters = [], {population: [] for population in self.given}
        self.updates, self.currents = {population: [] for population in self.plan.populations}, {}
        steps = [self._first, self._signals, self._early_notes, partial(self._deliveries, direct=False),
                 partial(self._drives, direct=False), partial(self._exchanges, backwards=False), self._updates,
                 partial(self._deliveries, direct=True), partial(self._drives, direct=True),
                 partial(self._exchanges, backwards=True), self._notes, self._records]
        self.programs = [Program([block for step in steps for block in step(thread)]) for thread in threads]
        settling = [[self._settling(p, plan, thread, "") for p, plan in self._learning(thread)]
                    for thread in threads]
        self.settlers = [Program(blocks) for blocks in settling] if any(settling) else []
        self.settled = [self.varying[p]["settled"][thread] for thread in threads for p, _ in self._learning(thread)]

    def _first(self, thread):
        """What was attached, which is called by the first part."""
        for make in self.attached if thread == 0 else ():
            block = make(self._spikes_of)
            self.blocks.append(block)
            yield block

    def _spikes_of(self, population) -> dict:
        """Return the arguments by which a kernel reads the spikes of a population."""
        slots = self.slots[population][0]
        return {"slots": slots.length, "stride": slots.stride, "room": slots.room, "ids": slots.ids,
                "marks": slots.marks}

    def _widen_slots(self):
        """Make room for more spikes in a tick where rates or given spikes now ask for it."""
        for population, parts in self.slots.items():
            plan = self.plan.populations[population]
            least = min(slots.capacity for slots in parts)
            if population in self.given and not crowded(self.given[population][0], max(1, least)):
                continue
            for thread, slots in enumerate(parts):
                most = self._most_spikes(population, plan, thread)
                if most > slots.capacity:
                    known = slots.between(self.tick - self.plan.longest, self.tick)
                    parts[thread] = slots.widened(known, self.most_ticks, most)

    def _block(self, kernel, **values):
        block = kernel.block(**values)
        self.blocks.append(block)
        return block

    def _random(self, stream, origin):
        key0, key1 = seed_words(self.noise)
        return {"key0": key0, "key1": key1, "stream": stream, "sample": self.sample, "origin": origin}

    def _slice(self, owner, name, low, high):
        return self.neurons[owner, name][low:high]

    def _deliveries(self, thread, direct):
        """Of bundles, and of projections that are in none."""
        wanted = [each if isinstance(each, Bundle) else self.plan.projections[each] for each in self.plan.deliveries]
        wanted = [each for each in wanted if self._is_direct(each) == direct]
        segments = max((self._segments(each, thread) for each in wanted), default=0)
        segments = {f"segment_{name}": np.empty(segments, dtype=np.int64) for name in ("low", "high", "cell")}
        for each in wanted:
            yield from self._deliver(each, thread, segments)

    def _is_direct(self, plan) -> bool:
        plan = plan.plans[0] if isinstance(plan, Bundle) else plan
        return (plan.target.base, plan.port) in self.plan.direct

    def _segments(self, each, thread) -> int:
        """How many segments of rows are listed at once."""
        source, delays = (each.source, each.delays) if isinstance(each, Bundle) else (
            each.projection.source.base, each.connectivity.delays)
        return min(sum(slots.capacity for slots in self.slots[source]) * delays.size, MOST_SEGMENTS)

    def _deliver(self, each, thread, segments):
        """The block that delivers the synapses of a projection, or of a bundle of them, on a thread."""
        if isinstance(each, Bundle):
            source, part = each.source, each.parts[thread]
            values, first = each.values(thread), each.begin[thread]
            values |= {"dt": self.plan.dt, "arrivals": self.arrivals[thread][first:first + values["n_target"]]}
        else:
            source, part, values = each.projection.source.base, each.connectivity.parts[thread], None
            if each.bounds[thread] < each.bounds[thread + 1] and each.connectivity.n_synapses:
                values = self._synapse_values(each, thread)
                values["arrivals"] = self._arrivals(each, thread)
                values |= {"born": each.born[thread]} if each.wiring.young else {}
        if values is None or values["n_synapses"] == 0:
            return
        slots = self.slots[source]
        values |= {"parts": len(slots), "slots": slots[0].length, "stride": slots[0].stride,
                   "ids_at": _addresses(s.ids for s in slots), "marks_at": _addresses(s.marks for s in slots)}
        if each.wiring.ahead:
            values |= ahead.kept(part, values["delays"], values["n_target"], self.plan.real)
            kernel = ahead.ahead(each.wiring)
        else:
            values |= {"room": segments["segment_low"].size, **segments}
            kernel = deliver(each.wiring.over(part))
        yield self._block(kernel, **{name: values[name] for name in kernel.fields})

    def _arrivals(self, plan, thread):
        """The part of a thread's buffer that its synapses of a projection, or a drive, add to."""
        begin = begins(plan, self.plan.reach)[thread]
        return self.arrivals[thread][begin:begin + int(plan.bounds[thread + 1] - plan.bounds[thread])]

    def _synapse_values(self, plan, thread) -> dict:
        projection, wiring, part = plan.projection, plan.wiring, plan.connectivity.parts[thread]
        start, offsets = plan.rows[thread]
        low, high = plan.bounds[thread:thread + 2] + projection.target.start
        values = {"n_source": projection.source.base.size, "n_target": int(high - low),
                  "n_delays": plan.connectivity.delays.size, "n_synapses": part.target.size, "dt": self.plan.dt,
                  "delays": plan.connectivity.delays, "start": start, "target": part.target}
        if offsets is not None:
            values["offsets"] = offsets
        own = {name: arrays[thread] for name, arrays in self.varying[projection].items()}
        values |= {synapse_field(name): part.values[name] for name in (*wiring.shared, *wiring.stored)} | own
        late = {name: learn.late_field(name, ticks) for name, ticks in learn.lags(projection, self.plan.dt).items()}
        values |= {f"target_{name}": self._slice(projection.target.base, late.get(name, state_field(name)), low, high)
                   for name, _ in wiring.reads}
        values |= plan.periods if wiring.periodic else {}
        values |= {decay_field(tau): decays(float(part.values[tau]), self.plan.dt, self.plan.real)
                   for tau in wiring.time_constants}
        if wiring.random:
            values |= self._random(plan.stream, 0) | {"base": plan.base[thread]}
            del values["origin"]
        return values

    def _drives(self, thread, direct):
        for drive, plan in self.plan.drives.items():
            low, high = plan.bounds[thread:thread + 2]
            if low == high:
                continue
            if isinstance(drive.drive, Current):
                if not direct:
                    yield self._current(drive, plan, thread)
            elif self._is_direct(plan) == direct:
                yield self._poisson(plan, int(low), int(high), drive, self._into("arrivals", plan, thread))

    def _into(self, name, plan, thread) -> dict:
        """The part of a buffer that a drive adds to on a thread, and where in it scattered targets are."""
        target, (low, high) = plan.target, plan.bounds[thread:thread + 2]
        if target.scattered is None:
            return {name: self._arrivals(plan, thread) if name == "arrivals" else self._slice(
                target.base, name, low + target.start, high + target.start)}
        first, last = plan.first[thread:thread + 2]
        whole = (self._port(target.base, plan.port, thread) if name == "arrivals"
                 else self._slice(target.base, name, first, last))
        return {name: whole, f"n_{name}": whole.size, "where": target.scattered[low:high] - first}

    def _current(self, drive, plan, thread):
        layout, (low, high) = self.plan, (int(each) for each in plan.bounds[thread:thread + 2])
        varies, values = {}, {}
        fed = {"amplitude": self.fed[drive]} if drive in self.fed else {}
        for name, value in (plan.form | fed).items():
            table = timed_table(value, layout.dt, drive.name)
            part = _columns(table.values, low, high)
            varies[name] = "timed" if table.timed else table.values.shape[1] > 1
            own = part.ravel() if name in fed else part.flatten()  # what is fed is read where it is written
            values |= {name: own} | (inputs.times(table, part, f"_{name}") if table.timed else {})
        kept = (drive, FLOW) in self.neurons
        kernel = inputs.current(drive.drive, varies, layout.real, kept, drive.target.scattered is not None)
        state = {name: self._slice(drive, name, low, high) for name in (*drive.drive.state, *[FLOW] * kept)}
        block = self._block(kernel, n=high - low, dt=layout.dt, **self._into("injected", plan, thread), **values,
                            **state, **self._random(plan.stream, low))
        self.currents.setdefault(drive, []).append((block, low, high))
        return block

    def _poisson(self, plan, low, high, drive=None, into: Any = None, slots: Any = None):
        real, n = self.plan.real, high - low
        label = "Poisson" if drive is None else drive.name
        table = timed_table(plan.parameters.rate, self.plan.dt, label)
        individual = table.values.shape[1] > 1
        means = _columns(table.values, low, high) * (self.plan.dt * 1e-3)
        most = inputs.most_events(self._largest_mean(plan, "Poisson" if drive is None else type(drive.drive).__name__))
        values = {"n": n, "most": most, "means": means.ravel(), **inputs.times(table, means),
                  **self._random(plan.stream, low)}
        if individual:
            values["counts"] = aligned(0, n, np.uint16)
        else:  # draws come in groups of the whole population, which a part has in common with its threads
            start = 0 if drive is None or drive.target.scattered is not None else drive.target.start
            skip = (low + start) % inputs.GROUP
            values |= {"every_count": aligned(0, n + skip + 128, np.uint16), "skip": skip,
                       "edges": aligned(0, most, np.uint16), "drawn": aligned(0, inputs.GROUP, np.uint16)}
            values["origin"] += 0 if drive is None else start - skip
        if drive is None:
            return self._block(inputs.poisson(individual, None, real), **values, **slots.arguments(low))
        weights = np.atleast_1d(np.asarray(plan.parameters.weight, dtype=real))
        differ = weights.size > 1
        return self._block(inputs.poisson(individual, differ, real, "where" in into), **into,
                           weight=np.ascontiguousarray(weights[low:high]) if differ else weights, **values)

    def _exchanges(self, thread, backwards):
        """Half a tick of currents through gap junctions, whose populations all belong to the first thread."""
        for coupling in self.plan.couplings[::-1 if backwards else 1] if thread == 0 else ():
            plans = [self.plan.populations[each.base] for each in (coupling.junctions.one, coupling.junctions.other)]
            v, w = (self.neurons[plan.population, state_field("v")] for plan in plans)
            kernel = gaps.exchange((v.dtype, w.dtype), tuple(plan.n_ref is not None for plan in plans), backwards)
            values = {"n": coupling.first.size, "n_first": v.size, "n_second": w.size, "v": v, "w": w,
                      "first": coupling.first, "second": coupling.second}
            values |= {f"until_{side}": self.neurons[plan.population, "until"]
                       for side, plan in zip(("first", "second"), plans, strict=True) if plan.n_ref is not None}
            moves = gaps.shares(coupling, plans, self.plan.dt)
            values |= {name: share.astype(kernel.fields[name].dtype) for name, share in moves.items()}
            yield self._block(kernel, **values)

    def _updates(self, thread):
        for population, plan in self.plan.populations.items():
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
        ticks, ids = self.given[population]
        ticks, ids = within(ticks, ids, low, high, population.size)
        block = self._block(inputs.given_spikes(), n_events=ticks.size, event_tick=ticks, event_id=ids,
                            cursor=np.zeros(1, dtype=np.int64), **slots.arguments(0))
        self.emitters[population].append((block, low, high, slots))
        return block

    def _update(self, population, plan, thread, low, high, slots):
        coefficients, n = plan.form, high - low
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
        if slots is not None:
            values |= {"spiked": aligned(0, n + FLAGS, np.uint8), **slots.arguments(low)}
        if "uniform" in kernel.fields:
            values |= {"uniform": aligned(0, n, np.float64), **self._random(plan.stream, low)}
        if plan.n_ref is not None:
            values |= {"n_ref": plan.n_ref[low:high].copy(), "held": aligned(0, n, np.uint32),
                       "held_v": aligned(0, n, self.neurons[population, state_field("v")].dtype),
                       "n_held": aligned(0, LINE, np.int64)[:1]}
        block = self._block(kernel, **{name: values[name] for name in kernel.fields})
        self.updates[population].append((block, low, high))
        return block

    def _early_notes(self, thread):
        """Spikes of targets that reach their synapses late, behind a dendritic delay, come before arrivals."""
        for projection, plan in self._learning(thread):
            if projection.target.spiking and plan.wiring.dendritic and not plan.wiring.lagged:
                yield self._note(projection, plan, thread, 2 * int(plan.connectivity.delays[0]))

    def _learning(self, thread):
        return [(projection, plan) for projection, plan in self.plan.projections.items()
                if plan.wiring.rules and plan.bounds[thread] < plan.bounds[thread + 1] and plan.connectivity.n_synapses]

    def _note(self, projection, plan, thread, behind):
        kernel = learn.note(plan.wiring)
        values = self._synapse_values(plan, thread) | self.slots[projection.target.base][thread].arguments(0)
        values |= {"first": int(plan.bounds[thread]) + projection.target.start, "behind": behind}
        return self._block(kernel, **{name: values[name] for name in kernel.fields})

    def _notes(self, thread):
        for (population, late), (name, ticks) in self.late.items():
            low, high = (int(each) for each in self.plan.populations[population].bounds[thread:thread + 2])
            now, was = (self._slice(population, each, low, high) for each in (state_field(name), late))
            ring = self._slice(population, f"ring_{late}", low * ticks, high * ticks)
            if low < high:
                yield self._block(learn.fall_behind(now.dtype), n=int(high - low), ticks=ticks, now=now, was=was,
                                  ring=ring)
        for projection, plan in self._learning(thread):
            if projection.target.spiking and (plan.wiring.lagged or not plan.wiring.dendritic):
                yield self._note(projection, plan, thread, 0)
            if plan.wiring.periodic:
                yield self._settling(projection, plan, thread, "period")
        for (population, variable), past in self.signals.items():
            bounds = self.plan.populations[population.base].bounds
            if bounds[thread] <= population.start < bounds[thread + 1]:
                state = self._slice(population.base, state_field(variable), population.start, population.start + 1)
                yield self._block(learn.remember(state.dtype), state=state, past=past)

    def _settling(self, projection, plan, thread, end, **instead):
        wiring = plan.wiring.over(plan.connectivity.parts[thread])
        return self._block(learn.Settle(wiring, end).kernel(), **self._synapse_values(plan, thread) | instead)

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
        for tap in self.taps:
            owner, variable = tap.key
            plans: Any = self.plan.populations if isinstance(owner, Population) else self.plan.drives
            low, high = plans[owner].bounds[thread:thread + 2]
            mine = np.flatnonzero((tap.ids >= low) & (tap.ids < high))
            if mine.size == 0:
                continue
            state = self._running(owner, variable, thread)
            yield self._block(inputs.recorder(state.dtype), n=mine.size, every=tap.every, begin_row=tap.begin,
                              columns=tap.out.shape[1], n_state=state.size, n_rows=tap.out.shape[0],
                              which=tap.ids[mine] - low, column=mine, state=state, out=tap.out.reshape(-1))

    def _running(self, population, variable, thread):
        """The part of a variable, or of a current, that a thread changes while the network runs."""
        if not isinstance(population, Population):
            return self._slice(population, variable, *self.plan.drives[population].bounds[thread:thread + 2])
        coefficients = self.plan.populations[population].form
        for port in coefficients.ports:
            if port.direct and variable == port.variable:
                return self._port(population, port.index, thread)
        low, high = self.plan.populations[population].bounds[thread:thread + 2]
        return self._slice(population, variable, low, high)


def _columns(values, low, high) -> np.ndarray:
    """Return the columns of some elements, or the one of all."""
    return np.ascontiguousarray(values[:, low:high] if values.shape[1] > 1 else values)


def _addresses(arrays) -> np.ndarray:
    return np.array([array.ctypes.data for array in arrays], dtype=np.int64)


def within(ticks, ids, low, high, size):
    """Return the events of the neurons low <= id < high of a population."""
    if low == 0 and high == size:
        return ticks, ids
    mine = (ids >= low) & (ids < high)
    return ticks[mine], ids[mine]


def crowded(ticks, capacity) -> bool:
    """Return whether more than `capacity` of the sorted events come in one tick."""
    return ticks.size > capacity and bool((ticks[capacity:] == ticks[:-capacity]).any())
