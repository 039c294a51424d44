"""The state of the engine that has ticks: its synapses as they are now, snapshots that go out and come back."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neurosim.engine.loop import Program, run
from neurosim.engine.programs import Programs, crowded
from neurosim.engine.scaling import add_up, scale
from neurosim.engine.spans import numbers_within
from neurosim.engine.synapses import set_values, to_coo
from neurosim.engine.update import state_field
from neurosim.engine.wiring import NEVER, PAST, RECENT, RING, synapse_field
from neurosim.errors import ParameterError
from neurosim.network import Population


class Snapshots(Programs):
    """Arrays and programs whose state can be looked at, taken out and put back; a base of `Clocked`."""

    def settle(self) -> None:
        """Bring plastic synapses up to date; it changes no result, only when the work is done."""
        self.ready()
        if any(settled[0] != self.tick for settled in self.settled):
            run(self.settlers, self.tick, self.tick + 1, 1, self.plan.threads)

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
        if not self.plan.projections[projection].wiring.has("between"):
            return self.view(projection)
        now = {name: [array.copy() for array in self.varying[projection][synapse_field(name)]]
               for name in self.changing(projection)}
        self._let_pass(projection, now)
        return self._with(projection, now)

    def _let_pass(self, projection, values):
        """Let values of synapses, by name and part, be what they have become of themselves since the last event."""
        plan = self.plan.projections[projection]
        for thread in range(self.plan.parts):
            if (projection, plan) in self._learning(thread):
                arrays = {synapse_field(name): parts[thread] for name, parts in values.items()}
                block = self._settling(projection, plan, thread, "look", **arrays)
                self.blocks.remove(block)
                run([Program([block])], self.tick, self.tick + 1, 1)

    def bring(self, projection) -> None:
        """Let what changes of itself be stored as it is now, before it is changed from outside."""
        self.settle()
        if self.plan.projections[projection].wiring.has("between"):
            own = self.varying[projection]
            self._let_pass(projection, {name: own[synapse_field(name)] for name in self.changing(projection)})
            for advanced in own["advanced"]:
                advanced[:] = self.tick

    def synapses(self, projection) -> tuple:
        """Return (source, target, delay in ms, values by name) of all synapses as they are now."""
        source, target, delay, values = to_coo(self.look(projection))
        source, target = (numbers_within(part, numbers) for part, numbers in
                          ((projection.source, source), (projection.target, target)))
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
        if wiring.has("between"):
            names += ["advanced"]
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
        self.settle()  # what they have learned and is yet to be handled
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
            self._put(projection, name, state[f"synapses/{projection.name}/{name}"])
        bounds = self.plan.projections[projection].bounds
        for name in self._kept(projection):
            values = state[f"synapses/{projection.name}/{name}"]
            for number, array in enumerate(self.varying[projection][name]):
                each = values.size // max(1, projection.target.span)
                array[:] = values[each * bounds[number]:each * bounds[number + 1]] if self._by_target(name) else values
        for name in ("settled", "latest"):
            for array in self.varying[projection].get(name, []):
                array[:] = tick
        for array in self.varying[projection].get("spiked", []):
            array[:] = 0
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
        self.bring(projection)
        self._put(projection, name, values)

    def _put(self, projection, name, values):
        view = self.view(projection)
        set_values(view, name, values)
        for part, array in zip(view.parts, self.varying[projection][synapse_field(name)], strict=True):
            array[:] = part.values[name]

    def sums(self, projection) -> np.ndarray:
        """Return the sum of the weights that end at each target."""
        target = projection.target
        total = np.zeros(target.span)
        for part, bounds in self._parts(self.look(projection), projection):
            add_up(part, total[bounds])
        return total[target.ids - target.start]

    def scale(self, projection, factors: np.ndarray) -> None:
        """Multiply the changing weights that end at each target by a factor, and keep them within the rules' bounds."""
        self.bring(projection)
        target = projection.target
        spread = np.ones(target.span)
        spread[target.ids - target.start] = factors
        for part, bounds in self._parts(self.view(projection), projection):
            scale(part, spread[bounds])
            for rule in projection.plasticity:
                limits = rule.weight_bounds(SimpleNamespace(**part.values))
                if limits is not None:
                    np.clip(part.values["weight"], *limits, out=part.values["weight"])

    def _parts(self, connectivity, projection):
        """The synapses of each part, with where their targets are."""
        bounds = self.plan.projections[projection].bounds
        return [(part, slice(low, high)) for part, low, high in
                zip(connectivity.parts, bounds[:-1], bounds[1:], strict=True) if low < high]

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
            if "summed" in values:
                values["summed"][0] = NEVER
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
