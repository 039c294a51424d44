"""The arrays of a running network: variables of neurons and synapses, lists of spikes, what is recorded."""

import numpy as np

from neurosim.engine import inputs, learn
from neurosim.engine.clock import Ticks
from neurosim.engine.kernel import LINE, aligned
from neurosim.engine.plan import ClockedPlan
from neurosim.engine.slots import Slots
from neurosim.engine.timed import timed_table
from neurosim.engine.update import state_field
from neurosim.engine.wiring import EVENTS, LATELY, NEVER, PAST, RECENT, RING, late_reads, modulator_field, synapse_field
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.sources import Poisson, SpikeSource

SLOT_BYTES = 64 << 20  #: memory for the lists of recent spikes; it bounds the length of a chunk
OUTPUT_BYTES = 64 << 20  #: memory for the samples of one variable until they are collected
LONGEST_CHUNK, SHORTEST_CHUNK = 8192, 16


class Arrays:
    """What changes while a network runs.

    Args:
        plan: what does not change.
        most_ticks: how many ticks are run at once at most.
    """

    def __init__(self, plan: ClockedPlan, most_ticks: int = LONGEST_CHUNK):
        self.plan, self.clock = plan, Ticks(plan.dt)
        self.tick = self.before = 0  #: up to which it has run, and up to which it had before the last advance
        self.neurons: dict[tuple, np.ndarray] = {}  #: (population or drive, variable) -> one value per neuron
        self.varying: dict = {}  #: projection -> variable -> one array per part
        self.taps: list = []  #: the recordings of state variables
        self.late: dict = {}  #: (population, variable of some ticks ago) -> (variable, ticks)
        self.buffers: set = set()  #: keys of the arrays of neurons that are empty between two ticks
        self.given = {p: self.clock.given(p, p.model.spikes) for p in plan.populations
                      if isinstance(p.model, SpikeSource)}
        self.arrivals = [aligned(0, size, plan.real) for size in plan.size]
        self._allocate_neurons()
        self.mirrored = list(self._mirrors())  #: variables of direct ports, and where they are in `arrivals`
        for projection, each in plan.projections.items():
            self._allocate_synapses(projection, each)
        self._allocate_late()
        self.signals = self._allocate_signals()
        self.slots = self._allocate_slots(most_ticks)

    def _allocate_neurons(self):
        real = self.plan.real
        for population, plan in self.plan.populations.items():
            n = population.size
            for name, state in getattr(population.model, "state", {}).items():
                self.neurons[population, state_field(name)] = aligned(plan.initial[name], n,
                                                                      np.float64 if state.slow else real)
            if plan.form is None:
                continue
            for port in plan.form.ports:
                self.neurons |= {(population, port.name(name)): aligned(state.initial, n, real)
                                 for name, state in port.receptor.state.items()}
            if plan.form.kind.injected:
                self.neurons[population, "injected"] = aligned(0, n, real)
                self.buffers.add((population, "injected"))
            if plan.n_ref is not None:
                self.neurons[population, "until"] = np.full(n, NEVER)
        for drive in self.plan.drives:
            self.neurons |= {(drive, name): aligned(state.initial, drive.target.size, np.float64)
                             for name, state in getattr(drive.drive, "state", {}).items()}

    def _mirrors(self):
        for population, number in self.plan.direct:
            port = self.plan.populations[population].form.ports[number]
            bounds = self.plan.populations[population].bounds
            for thread, (low, high) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
                yield self.neurons[population, port.variable][low:high], self._port(population, number, thread)

    def _port(self, population, number, thread):
        """The part of a thread's buffer that holds the sums of arrivals at a port, or a direct port's variable."""
        low, high = self.plan.populations[population].bounds[thread:thread + 2]
        begin = self.plan.reach[population, number][thread]
        return self.arrivals[thread][begin:begin + int(high - low)]

    def _allocate_synapses(self, projection, plan):
        real, wiring = self.plan.real, plan.wiring
        own = self.varying[projection] = {}
        if not wiring.parts:
            return
        parts, plastic = plan.connectivity.parts, bool(wiring.rules)

        def arrays(name, size, value, dtype):
            sizes = map(size, range(len(parts)))
            own[name] = [np.full(each, value, dtype=dtype) for each in sizes]

        def synapses(number):
            return parts[number].target.size

        def cells(number):
            return projection.source.base.size * max(1, plan.connectivity.delays.size)

        def targets(number):
            return int(plan.bounds[number + 1] - plan.bounds[number])

        if plastic:
            own["weight"] = [part.values["weight"].copy() for part in parts]
        for name, state in wiring.state().items():
            arrays(synapse_field(name), synapses, state.initial, np.float64 if state.slow else real)
        if wiring.history:
            arrays("arrived", cells, NEVER, np.int64)
        if plastic:
            for name in wiring.traces("source"):
                arrays(synapse_field(name), cells, 0, real)
            for name in ("settled", "latest", *["advanced"] * wiring.has("between")):
                arrays(name, lambda number: 1, 0, np.int64)
            if wiring.only_targets_teach:
                arrays("spiked", lambda number: 1, 0, np.int64)
                for name in ("spiked_tick", "spiked_target"):
                    arrays(name, lambda number: LATELY, 0, np.int64)
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
        for projection in self.plan.projections:
            population = projection.target.base
            for name, ticks in learn.lags(projection, self.plan.dt).items():
                late, now = learn.late_field(name, ticks), self.neurons[population, state_field(name)]
                self.late[population, late] = name, ticks
                self.neurons |= {(population, late): now.copy(), (population, f"ring_{late}"): np.repeat(now, ticks)}

    def _allocate_signals(self) -> dict:
        """The values of the last ticks of those variables that modulate a rule."""
        used = {signal for p in self.plan.projections for signal in p.modulators.values() if signal[1] != "spikes"}
        return {signal: np.full(PAST, self.neurons[signal[0].base, state_field(signal[1])][signal[0].start],
                                dtype=np.float64)
                for signal in sorted(used, key=lambda signal: (signal[0].name, signal[1]))}

    def _allocate_slots(self, most_ticks: int) -> dict:
        """Lists of the spikes of the last ticks, for each population and thread."""
        layout = self.plan
        capacity = {p: [self._most_spikes(p, plan, t) for t in range(layout.parts)]
                    for p, plan in layout.populations.items() if p.spiking}
        a_tick = 4 * max(1, sum(map(sum, capacity.values())))
        chunk = max(SLOT_BYTES // a_tick - layout.longest, SLOT_BYTES // (2 * a_tick), SHORTEST_CHUNK)
        chunk = self.most_ticks = int(min(most_ticks, chunk))
        length = layout.longest + chunk + min(layout.window, chunk)
        ticks = length + 1 if length * a_tick <= 2 * SLOT_BYTES else chunk + 2  # others get more where they need it
        line = LINE // 2  # numbers of 64 bits
        stride = -(-2 * max(1, len(capacity)) // line) * line
        tables = [np.zeros(length * stride + line, dtype=np.int64) for _ in range(layout.parts)]
        tables = [table[-(table.ctypes.data // 8) % line:][:length * stride].reshape(length, stride)
                  for table in tables]
        return {p: [Slots(length, most, table, 2 * number, ticks * max(1, most))
                    for most, table in zip(capacities, tables, strict=True)]
                for number, (p, capacities) in enumerate(capacity.items())}

    def _room(self) -> int:
        """How many ticks may run at once, for which lists of spikes, rings of target spikes and outputs have room."""
        rooms = [room for projection, plan in self.plan.projections.items() if plan.wiring.rules
                 for room in self._ring_room(projection, plan)]
        return min([self.most_ticks, *rooms, *(tap.every * self.rows(tap.every, tap.ids.size) for tap in self.taps)])

    def _ring_room(self, projection, plan, waiting: int = 0) -> tuple[int, int]:
        """How many ticks may surely follow where so many spikes of a target wait, and how many after a settlement."""
        wiring, delays = plan.wiring, plan.connectivity.delays
        lag = 2 * int(delays.max(initial=0)) if wiring.lagged else 0
        room = (RING - 1 - waiting) * (self._held(projection.target.base) + 1) - lag
        if room < 1 and waiting == 0:
            raise UnsupportedError(f"projection {projection.name!r}: with a dendritic delay of up to "
                                   f"{lag // 2 * self.plan.dt:g} ms its target must be refractory for at least "
                                   f"{(lag // (RING - 1) + 1) * self.plan.dt:g} ms, so that no more than {RING - 1} "
                                   "of its spikes are under way; give t_ref, a shorter delay, or delay='axonal'")
        return room, EVENTS if wiring.has("on_modulator") else PAST - lag - 1

    def _held(self, population) -> int:
        n_ref = self.plan.populations[population].n_ref
        return 0 if n_ref is None else int(n_ref.min())

    def rows(self, every: int, columns: int) -> int:
        """How many samples of a variable are kept until they are collected."""
        return max(16, min(self.most_ticks // every + 1, OUTPUT_BYTES // (8 * columns)))

    def _most_spikes(self, population, plan, thread) -> int:
        """How many spikes a thread's part of a population can send in a tick."""
        low, high = plan.bounds[thread], plan.bounds[thread + 1]
        if isinstance(population.model, Poisson):
            self._largest_mean(plan)
            rates = timed_table(plan.parameters.rate, self.plan.dt, population.name).values
            total = rates[:, low:high].sum(1) if rates.shape[1] > 1 else rates * (high - low)
            return inputs.most_events(float(total.max()) * self.plan.dt * 1e-3)
        if isinstance(population.model, SpikeSource):
            ticks, _ = self.given[population]
            return max(int(np.unique(ticks, return_counts=True)[1].max(initial=0)), int(high - low))
        return int(high - low)

    def _largest_mean(self, plan, owner: str = "Poisson") -> float:
        """The largest mean number of events of a Poisson process in a tick."""
        rate = float(np.max(getattr(plan.parameters.rate, "values", plan.parameters.rate)))
        limit = inputs.LARGEST_MEAN / (self.plan.dt * 1e-3)
        if rate > limit:
            raise ParameterError(f"{owner}.rate must be <= {limit:g} Hz, {inputs.LARGEST_MEAN:g} events in a tick of "
                                 f"{self.plan.dt:g} ms, got {rate:g}; use several, or a smaller dt")
        return rate * self.plan.dt * 1e-3
