"""The engine that has ticks: it advances, and its state can be taken out and put back.

Several engines may share one plan (a batch of samples); each has arrays of its own.
"""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neurosim.checks import Timed
from neurosim.engine.arrays import LONGEST_CHUNK
from neurosim.engine.changing import changed
from neurosim.engine.kernel import aligned
from neurosim.engine.loop import Crew, Program, run
from neurosim.engine.plan import Plan
from neurosim.engine.programs import Programs, crowded, within
from neurosim.engine.scaling import add_up, scale
from neurosim.engine.synapses import set_values, to_coo
from neurosim.engine.taps import SpikeTap, SynapseTap, VariableTap
from neurosim.engine.update import state_field
from neurosim.engine.wiring import NEVER, PAST, RECENT, RING, synapse_field
from neurosim.errors import NeurosimError, ParameterError
from neurosim.network import Population, Projection


class Clocked(Programs):
    """Arrays and programs of one running network; it keeps what `protocol.Engine` promises.

    Args:
        plan: what is run.
        sample: number of the sample in a batch, plus one; 0 outside a batch.
        noise: seed of what is drawn while it runs; by default that of the plan.
        most_ticks: how many ticks are run at once at most.
    """

    least = 16

    def __init__(self, plan: Plan, sample: int = 0, noise: int | None = None, most_ticks: int = LONGEST_CHUNK):
        super().__init__(plan, sample, noise, most_ticks)
        self.crew = Crew()
        self.sent = dict.fromkeys(self.slots, 0)  #: population -> spikes so far
        self.variables = {}  #: population -> its variables, by public name, as they were asked for

    @property
    def now(self) -> int:
        """The tick up to which it has run."""
        return self.tick

    # -- running ---------------------------------------------------------------------------------------

    def advance(self, stop: int, budget: int) -> int:
        """Run some ticks, not beyond a tick and not more than `budget`; return how many."""
        self.ready()
        tick, ticks = self.tick, min(budget, self.chunk, stop - self.tick)
        for tap in self.taps:
            tap.start(tick + 1)
        if not self._can_wait(tick, ticks):
            self.settle()
        for array, running in self.mirrored:
            running[:] = array
        self._make_room(tick, ticks)
        self.crew.run(self.programs, tick + 1, tick + ticks + 1, self.plan.window)
        for array, running in self.mirrored:
            array[:] = running
        self.before, self.tick = tick, tick + ticks
        for population, parts in self.slots.items():
            self.sent[population] += sum(slots.total(tick, self.tick) for slots in parts)
        return ticks

    def _make_room(self, tick: int, ticks: int) -> None:
        """Let the lists of spikes have room for all that some ticks can bring; blocks are told where they lie now."""
        for parts in self.slots.values():
            for thread, slots in enumerate(parts):
                if slots.has_room(ticks, tick, self.plan.longest):
                    continue
                parts[thread] = slots.widened(slots.between(tick - self.plan.longest, tick), self.most_ticks)
                new, old = parts[thread].ids, slots.ids
                for block in (block for program in self.programs for block in program.blocks):
                    if block.values.get("ids") is old:
                        block.set("ids", new)
                        block.set("room", new.size)
                    elif "ids_at" in block.values:
                        places = block.values["ids_at"]
                        places[places == old.ctypes.data] = new.ctypes.data

    def _can_wait(self, tick: int, ticks: int) -> bool:
        """Return whether all that plastic synapses have to catch up with will still be kept some ticks later."""
        for projection, plan in self.plan.projections.items():
            if plan.wiring.rules:
                parts = zip(*(self.varying[projection][name] for name in ("noted", "noted_before")), strict=True)
                waiting = max(int((now - then).max(initial=0)) for now, then in parts)
                since = min(int(settled[0]) for settled in self.varying[projection]["settled"])
                room, longest = self._ring_room(projection, plan, waiting)
                if ticks > room or tick + ticks - since > longest:
                    return False
        return True

    def settle(self) -> None:
        """Bring plastic synapses up to date; it changes no result, only when the work is done."""
        self.ready()
        if self.settlers:
            run(self.settlers, self.tick, self.tick + 1, 1)

    def attach(self, make) -> None:
        """Let a block be called at the beginning of every tick, before everything else.

        Args:
            make: makes the block from a function that returns the arguments by which a kernel reads the spikes of a
                population; called whenever the programs are made anew.
        """
        self.attached.append(make)
        self.stale = True

    def feed(self, drive) -> np.ndarray:
        """Return the amplitudes of an injected current, one for each target, which act as soon as they are written."""
        if drive not in self.fed:
            now = self.plan.drives[drive].parameters.amplitude
            self.fed[drive] = aligned(np.broadcast_to(now, drive.target.size), drive.target.size, np.float64)
            self.stale = True
        return self.fed[drive]

    def give(self, population, ticks: np.ndarray, ids: np.ndarray) -> None:
        """Replace the spikes that a `SpikeSource` emits; they are sorted."""
        self.given[population] = ticks, ids
        self.moved = True
        if self.stale or any(crowded(ticks, slots.capacity) for *_, slots in self.emitters[population]):
            self.stale = True
            return
        for block, low, high, _ in self.emitters[population]:
            mine, who = within(ticks, ids, low, high, population.size)
            block.set("n_events", mine.size)
            block.set("event_tick", mine)
            block.set("event_id", who)

    def counts(self) -> dict:
        """Return how many spikes each population has emitted since the engine was made."""
        return dict(self.sent)

    def tap(self, what, variable: str, ids, every):
        """Begin to listen to spikes or a variable; ids count from the first neuron of the whole population."""
        if isinstance(what, Projection):
            return SynapseTap(self, what, variable, every)
        if variable == "spikes":
            return SpikeTap(self, what.base, ids)
        self.taps.append(VariableTap(self, self.key(what, variable), ids, every))
        self.stale = True
        return self.taps[-1]

    def change(self, plan: Plan) -> None:
        """Go on with a plan in which parameters or synapses are others; one that is refused changes nothing."""
        self.settle()
        if self._replaced(plan):
            self.plan, self.moved = plan, True
            self.chunk = self._room()
            return
        before, self.plan, self.stale = self.plan, plan, True
        try:
            self.ready()
        except NeurosimError:
            self.plan, self.stale = before, True
            raise

    def _replaced(self, plan: Plan) -> bool:
        """Put the numbers of populations into their blocks where nothing else has changed; return whether that did."""
        before, changed = self.plan, []
        if plan.projections is not before.projections or not self._replaced_currents(plan):
            return False
        for population, each in plan.populations.items():
            was = before.populations[population]
            if each is not was:
                if each.form is None or each.form.kind != was.form.kind:
                    return False
                changed.append(each)
        for each in changed:
            for block, low, high in self.updates[each.population]:
                for name, value in each.form.values.items():
                    if name in block.values:
                        block.values[name][:] = value[low:high] if np.ndim(value) else value
                if each.n_ref is not None:
                    block.values["n_ref"][:] = each.n_ref[low:high]
        return True

    def _replaced_currents(self, plan: Plan) -> bool:
        """Put the numbers of injected currents into their blocks; return whether that was possible."""
        for drive, each in plan.drives.items():
            was = self.plan.drives[drive]
            if each is was:
                continue
            if drive.receptor is not None or drive in self.fed or any(
                    isinstance(value, Timed) or np.shape(value) != np.shape(was.form[name])
                    for name, value in each.form.items()):
                return False
            for block, low, high in self.currents.get(drive, ()):
                for name, value in each.form.items():
                    block.values[name][:] = value[low:high] if np.ndim(value) else value
        return True

    def changed(self, plan: Plan, changes: dict) -> Plan:
        """Return a plan with changes."""
        return changed(plan, changes)

    def infinite(self) -> str | None:
        """Return a sentence about a value that is not finite, or None; weights that rules keep in bounds are finite."""
        for projection in self.plan.projections:
            if not all(rule.bounded for rule in projection.plasticity):
                for weights in self.varying[projection]["weight"]:
                    bad = weights[~np.isfinite(weights)]
                    if bad.size:
                        return f"a weight of projection {projection.name!r} became {bad[0]}"
        for (owner, name), values in self.neurons.items():
            if values.dtype.kind == "f" and not math.isfinite(float(np.add.reduce(values, dtype=np.float64))):
                bad = np.flatnonzero(~np.isfinite(values))
                if bad.size:
                    return f"{self._public(owner, name)} of neuron {bad[0]} of {owner.name!r} became {values[bad[0]]}"
        return None

    def _public(self, owner, name) -> str:
        """The name under which a user knows a variable."""
        if isinstance(owner, Population):
            return next((public for public, key in self._variables(owner).items() if key == name), name)
        return name

    def _variables(self, population) -> dict:
        """The variables of a population by the names under which a user knows them, and the names of their arrays."""
        if population.base not in self.variables:
            named = self.plan.ports.variables(population.base)
            self.variables[population.base] = {
                public: state_field(name) if port is None else f"p{port}_{name}"
                for public, (port, name) in named.items()}
        return self.variables[population.base]

    def key(self, population, variable: str) -> tuple:
        """Return the key of a variable among the arrays of neurons."""
        names = self._variables(population)
        if variable not in names:
            raise ParameterError(f"variable of {population.name!r} must be one of {', '.join(names) or 'none'}, "
                                 f"got {variable!r}")
        return population.base, names[variable]

    def read(self, population, variable: str) -> np.ndarray:
        """Return a copy of a state variable of a population, or of a part of one."""
        return self.neurons[self.key(population, variable)][population.start:population.start + population.size].copy()

    def write(self, population, variable: str, values) -> None:
        """Set a state variable of a population, or of a part of one."""
        self.neurons[self.key(population, variable)][population.start:population.start + population.size] = values
        self.moved = True

    def set_sample(self, sample: int) -> None:
        """Give the random numbers of a sample to all that follows."""
        if sample == self.sample:
            return
        self.sample = sample
        for block in () if self.stale else self.blocks:
            if "sample" in block.kernel.fields:
                block.set("sample", sample)

    # -- state in and out ------------------------------------------------------------------------------

    def view(self, projection):
        """Return the synapses of a projection with their stored values, as a `Connectivity`."""
        return self._with(projection, {name: self.varying[projection][synapse_field(name)]
                                       for name in self.changing(projection)})

    def _with(self, projection, values):
        connectivity = self.plan.projections[projection].connectivity.alone()
        parts = [replace(part, values=part.values | {name: arrays[number] for name, arrays in values.items()})
                 for number, part in enumerate(connectivity.parts)]
        return replace(connectivity, parts=parts)

    def look(self, projection):
        """Return the synapses of a projection as they are now, as a `Connectivity`.

        What changes of itself between events is stored only at events; a look changes no bit of it.
        """
        self.settle()
        plan = self.plan.projections[projection]
        if not plan.wiring.has("between"):
            return self.view(projection)
        now = {name: [array.copy() for array in self.varying[projection][synapse_field(name)]]
               for name in self.changing(projection)}
        for thread in range(self.plan.parts):
            if (projection, plan) in self._learning(thread):
                copies = {synapse_field(name): arrays[thread] for name, arrays in now.items()}
                block = self._settling(projection, plan, thread, "look", **copies)
                self.blocks.remove(block)
                run([Program([block])], self.tick, self.tick + 1, 1)
        return self._with(projection, now)

    def synapses(self, projection) -> tuple:
        """Return (source, target, delay in ms, values by name) of all synapses as they are now."""
        source, target, delay, values = to_coo(self.look(projection))
        return source, target, delay * self.plan.dt, values

    def changing(self, projection) -> list[str]:
        """Return the names of the synapse values that change while the network runs."""
        wiring, own = self.plan.projections[projection].wiring, self.varying[projection]
        return [name for name in ("weight", *wiring.state()) if synapse_field(name) in own]

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return a copy of the whole state, by name, in canonical numbering."""
        self.settle()
        state = {_label(key): array.copy() for key, array in self.neurons.items() if key not in self.buffers}
        for population in self.slots:
            ticks, ids = self.slots_between(population, self.tick - self.plan.longest, self.tick)
            state |= {f"pending/{population.name}/ticks": ticks, f"pending/{population.name}/ids": ids}
        for projection in self.plan.projections:
            changing = self.changing(projection)
            values = to_coo(self.view(projection))[3] if changing else {}
            state |= {f"synapses/{projection.name}/{name}": values[name].copy() for name in changing}
            state |= {f"synapses/{projection.name}/{name}": self._canonical(projection, name)
                      for name in self._kept(projection)}
        return state

    def _kept(self, projection) -> list[str]:
        """Names of the arrays of a projection, besides those of synapses, that belong to its state."""
        wiring = self.plan.projections[projection].wiring
        names = ["arrived"] if wiring.history else []
        if wiring.rules:
            names += [*map(synapse_field, wiring.traces("source")), "recent"]
            names += [f"trace_{name}" for name in wiring.traces("target")]
        if wiring.has("on_modulator"):
            names += ["event_tick", "events"]
        if wiring.lagged:  # spikes of the target that are on their way to the synapses
            names += ["noted", "ring_tick", *(f"ring_{name}" for name in wiring.traces("target"))]
        return names

    def kept_by_target(self, projection) -> bool:
        """Return whether the state of a projection, besides that of its synapses, does not depend on its delays."""
        return all(map(self._by_target, self._kept(projection)))

    def _by_target(self, name) -> bool:
        return name in ("recent", "noted") or name.startswith(("trace_", "ring_"))

    def _canonical(self, projection, name):
        arrays = self.varying[projection][name]
        if self._by_target(name):
            return np.concatenate(arrays)
        used = np.flatnonzero(np.diff(self.plan.projections[projection].bounds))  # threads without targets do nothing
        return arrays[used[0]].copy()

    def check(self, state) -> None:
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
        for projection, plan in self.plan.projections.items():
            label = f"synapses/{projection.name}"
            shapes |= {f"{label}/{name}": (plan.connectivity.n_synapses,) for name in self.changing(projection)}
            shapes |= {f"{label}/{name}": (sum(map(len, self.varying[projection][name])),) if self._by_target(name)
                       else self.varying[projection][name][0].shape for name in self._kept(projection)}
        return shapes

    def restore(self, state, tick: int, keep=()) -> None:
        """Put a state back that `snapshot` returned; what the synapses of the projections in `keep` hold stays."""
        self.tick = tick
        for key, array in self.neurons.items():
            array[:] = 0 if key in self.buffers else state[_label(key)]
        for arrivals in self.arrivals:
            arrivals[:] = 0
        for population in self.slots:
            self.put_slots(population, *(state[f"pending/{population.name}/{name}"] for name in ("ticks", "ids")))
        for projection in self.plan.projections:
            self._restore_synapses(projection, state, tick, projection in keep)
        self.moved = True

    def _restore_synapses(self, projection, state, tick, keep):
        for name in () if keep else self.changing(projection):
            self.put(projection, name, state[f"synapses/{projection.name}/{name}"])
        bounds = self.plan.projections[projection].bounds
        for name in self._kept(projection):
            values = state[f"synapses/{projection.name}/{name}"]
            for number, array in enumerate(self.varying[projection][name]):
                each = values.size // max(1, projection.target.size)
                array[:] = values[each * bounds[number]:each * bounds[number + 1]] if self._by_target(name) else values
        for name in ("settled", "latest"):
            for array in self.varying[projection].get(name, []):
                array[:] = tick
        wiring = self.plan.projections[projection].wiring
        if wiring.rules and not wiring.lagged:
            self._put_last_spike(projection, wiring)
        for before, noted in zip(*(self.varying[projection].get(name, []) for name in ("noted_before", "noted")),
                                 strict=True):
            before[:] = noted

    def _put_last_spike(self, projection, wiring):
        """Of a target's ring, only its last spike matters after a settlement; a trace has grown by one with it."""
        names = wiring.traces("target").items()
        for number, recent in enumerate(self.varying[projection]["recent"]):
            ring, spiked_at = slice(None, None, RING), recent[::RECENT]
            self.varying[projection]["noted"][number][:] = spiked_at != NEVER
            self.varying[projection]["ring_tick"][number][ring] = spiked_at
            for name, trace in names:
                before = 0 if trace.nearest else self.varying[projection][f"trace_{name}"][number] - 1
                self.varying[projection][f"ring_{name}"][number][ring] = before

    def put(self, projection, name, values) -> None:
        """Set a changing value of every synapse, from an array in canonical order or a number."""
        view = self.view(projection)
        set_values(view, name, values)
        for part, array in zip(view.parts, self.varying[projection][synapse_field(name)], strict=True):
            array[:] = part.values[name]

    def sums(self, projection) -> np.ndarray:
        """Return the sum of the weights that end at each target."""
        total = np.zeros(projection.target.size)
        for part, bounds in self._parts(projection):
            add_up(part.target, part.values["weight"], total[bounds])
        return total

    def scale(self, projection, factors: np.ndarray) -> None:
        """Multiply the changing weights that end at each target by a factor, and keep them within the rules' bounds."""
        for part, bounds in self._parts(projection):
            scale(part.target, part.values["weight"], factors[bounds])
            for rule in projection.plasticity:
                limits = rule.weight_bounds(SimpleNamespace(**part.values))
                if limits is not None:
                    np.clip(part.values["weight"], *limits, out=part.values["weight"])

    def _parts(self, projection):
        """The synapses of each part, brought up to date, with where their targets are."""
        self.settle()
        bounds = self.plan.projections[projection].bounds
        return [(part, slice(low, high)) for part, low, high in
                zip(self.view(projection).parts, bounds[:-1], bounds[1:], strict=True) if low < high]

    def mark(self) -> list:
        """Return copies of all arrays but the pending spikes, for `back`, faster than `snapshot` and `restore`."""
        own = [array for each in self.varying.values() for parts in each.values() for array in parts]
        arrays = [*self.neurons.values(), *own]
        return [(array, array.copy()) for array in arrays]

    def back(self, marked: list, tick: int) -> None:
        """Put the arrays back as they were at `mark`, at a tick; `put_slots` must follow."""
        self.tick, self.moved = tick, True
        for array, copy in marked:
            array[...] = copy

    def rewind(self) -> None:
        """Make what follows from the state and the tick: who is held, which given spike is next, what signals are."""
        tick = self.tick
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
        """Make the given spikes the ones that are under way; those that have arrived by now are left out."""
        bounds, parts, wider = self.plan.populations[population].bounds, self.slots[population], False
        for thread, slots in enumerate(parts):
            mine = (ids >= bounds[thread]) & (ids < bounds[thread + 1]) & (ticks > self.tick - self.plan.longest)
            known, most = (ticks[mine], ids[mine]), 0
            if crowded(known[0], slots.capacity):
                most = int(np.unique(known[0], return_counts=True)[1].max())
            if most or known[0].size > slots.room:
                parts[thread], wider = slots.widened(known, self.most_ticks, most), True
            else:
                slots.put(*known)
        self.stale |= wider


def _label(key) -> str:
    """Name of an array of neurons, or of a drive, in a state."""
    owner, name = key
    return f"{'neurons' if isinstance(owner, Population) else 'drives'}/{owner.name}/{name}"
