"""The engine that has ticks: it advances, and its state can be taken out and put back.

Several engines may share one plan (a batch of samples); each has arrays of its own.
"""

import math

import numpy as np

from neurosim.checks import Timed
from neurosim.engine.arrays import LONGEST_CHUNK
from neurosim.engine.changing import changed
from neurosim.engine.inputs import FLOW
from neurosim.engine.kernel import aligned
from neurosim.engine.loop import Crew
from neurosim.engine.plan import ClockedPlan
from neurosim.engine.programs import crowded, within
from neurosim.engine.snapshots import Snapshots
from neurosim.engine.taps import CurrentTap, SpikeTap, SynapseTap, VariableTap
from neurosim.engine.update import state_field
from neurosim.errors import NeurosimError, ParameterError
from neurosim.network import DriveOn, Population, Projection


class Clocked(Snapshots):
    """Arrays and programs of one running network; it keeps what `protocol.Engine` promises.

    Args:
        plan: what is run.
        sample: number of the sample in a batch, plus one; 0 outside a batch.
        noise: seed of what is drawn while it runs; by default that of the plan.
        most_ticks: how many ticks are run at once at most.
    """

    least = 16
    memory_limit = math.inf  #: what it takes was taken when it was made

    def __init__(self, plan: ClockedPlan, sample: int = 0, noise: int | None = None, most_ticks: int = LONGEST_CHUNK):
        super().__init__(plan, sample, noise, most_ticks)
        self.crew = Crew(plan.threads)
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
                settled = zip(self.varying[projection]["settled"], np.diff(plan.bounds), strict=True)
                since = min((int(last[0]) for last, targets in settled if targets), default=tick)
                room, longest = self._ring_room(projection, plan, waiting)
                if ticks > room or tick + ticks - since > longest:
                    return False
        return True

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
        """Begin to listen to spikes, a variable or a current; ids count from the first of the whole population, or
        from the first target of a drive."""
        if isinstance(what, Projection):
            return SynapseTap(self, what, variable, every)
        if variable == "spikes":
            return SpikeTap(self, what.base, ids)
        if isinstance(what, DriveOn):
            self.taps.append(CurrentTap(self, self._flow(what), ids, every))
        else:
            self.taps.append(VariableTap(self, self.key(what, variable), ids, every))
        self.stale = True
        return self.taps[-1]

    def _flow(self, drive) -> tuple:
        """Let what a drive injects in a tick be kept; return its key among the arrays of neurons."""
        self.neurons.setdefault((drive, FLOW), aligned(0, drive.target.size, np.float64))
        self.buffers.add((drive, FLOW))
        return drive, FLOW

    def change(self, plan: ClockedPlan) -> None:
        """Go on with a plan in which parameters or synapses are others; one that is refused changes nothing."""
        self.settle()
        for projection, each in plan.projections.items() if plan.projections is not self.plan.projections else ():
            if each is not self.plan.projections[projection]:
                self.bring(projection)
        if self._replaced(plan):
            self.plan = plan
            self.chunk = self._room()
            return
        before, self.plan, self.stale = self.plan, plan, True
        try:
            self.ready()
        except NeurosimError:
            self.plan, self.stale = before, True
            raise

    def _replaced(self, plan: ClockedPlan) -> bool:
        """Put the numbers of populations into their blocks where nothing else has changed; return whether that did."""
        before, changed = self.plan, []
        if plan.projections is not before.projections or not self._replaced_currents(plan):
            return False
        for population, each in plan.populations.items():
            was = before.populations[population]
            if each is not was:
                if each.form is None or each.form.kind != was.form.kind or self._is_joined(population):
                    return False
                changed.append((each, was))
        for each, was in changed:
            others = [(name, value) for name, value in each.form.values.items() if value is not was.form.values[name]]
            for block, low, high in self.updates[each.population]:
                for name, value in others:
                    if name in block.values:
                        block.values[name][:] = value[low:high] if isinstance(value, np.ndarray) else value
                if each.n_ref is not was.n_ref:
                    block.values["n_ref"][:] = each.n_ref[low:high]
        return True

    def _is_joined(self, population) -> bool:
        """Return whether gap junctions follow from the parameters of a population, too."""
        sides = [side.base for junctions in self.plan.net.couplings for side in (junctions.one, junctions.other)]
        return population in sides

    def _replaced_currents(self, plan: ClockedPlan) -> bool:
        """Put the numbers of injected currents into their blocks; return whether that was possible."""
        for drive, each in plan.drives.items():
            was = self.plan.drives[drive]
            if each is was:
                continue
            if drive.receptor is not None or drive in self.fed or any(
                    isinstance(value, Timed) or isinstance(was.form[name], Timed)
                    or np.shape(value) != np.shape(was.form[name])
                    for name, value in each.form.items()):
                return False
            for block, low, high in self.currents.get(drive, ()):
                for name, value in each.form.items():
                    block.values[name][:] = value[low:high] if np.ndim(value) else value
        return True

    def changed(self, plan: ClockedPlan, changes: dict) -> ClockedPlan:
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
        return "current" if name == FLOW else name

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
        return self.neurons[self.key(population, variable)][population.inside].copy()

    def write(self, population, variable: str, values) -> None:
        """Set a state variable of a population, or of a part of one."""
        self.neurons[self.key(population, variable)][population.inside] = values
        self.moved = True

    def set_sample(self, sample: int) -> None:
        """Give the random numbers of a sample to all that follows."""
        if sample == self.sample:
            return
        self.sample = sample
        for block in () if self.stale else self.blocks:
            if "sample" in block.kernel.fields:
                block.set("sample", sample)
