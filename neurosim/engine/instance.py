"""A running network: it advances, and its state can be taken out and put back.

Several instances may share one layout (a batch of samples); each has arrays of its own.
"""

import math
from dataclasses import replace

import numpy as np

from neurosim.engine.arrays import LONGEST_CHUNK
from neurosim.engine.layout import Layout
from neurosim.engine.loop import Crew, Program, run
from neurosim.engine.programs import Programs, crowded, within
from neurosim.engine.synapses import set_values, to_coo
from neurosim.engine.update import state_field
from neurosim.engine.wiring import NEVER, PAST, RECENT, RING, synapse_field
from neurosim.errors import ParameterError
from neurosim.network import Population


class Instance(Programs):
    """Arrays and programs of one running network, which are made from a layout."""

    def __init__(self, layout: Layout, recorders=(), sample: int = 0, most_ticks: int = LONGEST_CHUNK):
        super().__init__(layout, recorders, sample, most_ticks)
        self.crew = Crew()

    # -- running ---------------------------------------------------------------------------------------

    def advance(self, tick: int, ticks: int) -> None:
        """Run the ticks tick + 1 .. tick + ticks; not more than `chunk`."""
        for recorder, (_, begin) in self.outputs.items():
            begin[0] = -(-(tick + 1) // recorder.every)
        if not self._can_wait(tick, ticks):
            self.settle(tick)
        for array, running in self.mirrored:
            running[:] = array
        self._make_room(tick, ticks)
        self.crew.run(self.programs, tick + 1, tick + ticks + 1, self.layout.window)
        for array, running in self.mirrored:
            array[:] = running
        self.tick = tick + ticks

    def _make_room(self, tick: int, ticks: int) -> None:
        """Let the lists of spikes have room for all that some ticks can bring; blocks are told where they lie now."""
        for parts in self.slots.values():
            for thread, slots in enumerate(parts):
                if slots.has_room(ticks, tick, self.layout.longest):
                    continue
                parts[thread] = slots.widened(slots.between(tick - self.layout.longest, tick), self.most_ticks)
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
        if any(crowded(ticks, slots.capacity) for *_, slots in emitters):
            self.wire()
            return
        for block, low, high, _ in emitters:
            mine, who = within(ticks, ids, low, high, population.size)
            block.set("n_events", mine.size)
            block.set("event_tick", mine)
            block.set("event_id", who)

    def infinite(self) -> str | None:
        """Return a sentence about a value that is not finite, or None; weights that rules keep in bounds are finite."""
        for projection in self.layout.projections:
            if not all(rule.bounded for rule in projection.plasticity):
                for weights in self.synapses[projection, "weight"]:
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
            values = to_coo(self.view(projection))[3] if self.changing(projection) else {}
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
        for name in ("settled", "latest"):
            for array in self.synapses.get((projection, name), []):
                array[:] = tick
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
        set_values(view, name, values)
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
        """Make the given spikes the ones that are under way; those that have arrived by now are left out."""
        bounds, parts, wider = self.layout.populations[population].bounds, self.slots[population], False
        for thread, slots in enumerate(parts):
            mine = (ids >= bounds[thread]) & (ids < bounds[thread + 1]) & (ticks > self.tick - self.layout.longest)
            known, most = (ticks[mine], ids[mine]), 0
            if crowded(known[0], slots.capacity):
                most = int(np.unique(known[0], return_counts=True)[1].max())
            if most or known[0].size > slots.room:
                parts[thread], wider = slots.widened(known, self.most_ticks, most), True
            else:
                slots.put(*known)
        if wider:
            self.wire()


def _label(key) -> str:
    """Name of an array of neurons, or of a drive, in a state."""
    owner, name = key
    return f"{'neurons' if isinstance(owner, Population) else 'drives'}/{owner.name}/{name}"
