"""Pulse-level simulation of a circuit of SFQ cells."""

import hashlib
import json
from typing import Literal, NamedTuple

import numpy as np

from hardware_models.sfq.pulse import loop, tables
from hardware_models.sfq.pulse.cell import PS, attoseconds
from hardware_models.sfq.pulse.circuit import Circuit
from neurosim.aliases import Choice, Real, Whole
from neurosim.checks import Option, Parameter, Parametrised, Seed, describe_value, is_number
from neurosim.engine.queue import Queue
from neurosim.errors import FileError, ParameterError, SimulationError
from neurosim.files import reading, whole_file
from neurosim.random import seed_words
from neurosim.spikes import Spikes

FORMAT = "sfq.pulses"
VERSION = 1
CHUNK = 2_000_000  #: events between two looks at Ctrl-C
MS_PER_PS = 1e-9
MOST_PS = 9e9  #: float64 counts whole attoseconds up to 2**53
_POLICIES = {"raise": loop.RAISE, "drop": loop.DROP, "record": loop.RECORD, "physical": loop.PHYSICAL}
_RULES = {loop.DEAD: "dead time", loop.GAP: "gap"}
_OUTCOMES = {loop.TAKEN: "taken", loop.DROPPED: "dropped", loop.SWALLOWED: "swallowed",
             loop.LATE: "one clock late"}


class Violation(NamedTuple):
    """A pulse that came too soon; times in ps."""

    time: float
    cell: str
    input: str
    rule: str  #: "dead time" of the transition before, or the least "gap" to a pulse at another input
    other: str  #: the input whose pulse was too recent, "" for a dead time
    earliest: float  #: when it would have been allowed
    outcome: str  #: "taken", "dropped", "swallowed" or "one clock late"

    def __str__(self):
        why = (f"{self.cell} was in its dead time" if self.rule == "dead time"
               else f"a pulse had come at {self.cell}.{self.other} too recently")
        return (f"a pulse came at {self.cell}.{self.input} at {self.time:.10g} ps, when {why}; the earliest time "
                f"allowed was {self.earliest:.10g} ps")


class _Settings(Parametrised):
    """The checked settings of a simulation."""

    on_violation: Choice[Literal["raise", "drop", "record", "physical"]] = Option("raise", tuple(_POLICIES))
    seed: Whole = Seed("of the jitter")
    sample: Whole = Parameter(0, "", at_least=0, at_most=2**32 - 1, integer=True, per_element=False)
    jitter: Real = Parameter(0.0, "", at_least=0, per_element=False)
    tolerance: Real = Parameter(1e-6, "ps", at_least=0, per_element=False)


_Settings.__name__ = "PulseSimulation"  # whose settings messages speak of


class PulseSimulation:
    """Runs a circuit of cells from event to event.

    Every pulse is an event: when it arrives, the cell makes the transition of its state, and pulses leave after their
    delays. Time is counted in whole attoseconds (1e-6 ps), to which delays and given times are rounded, so that decimal
    delays add up exactly and equal times are equal. Pulses that reach one cell at one time are handled in the order of
    the priorities of the state that the cell is in.

    Args:
        circuit: the circuit; all its inputs, outputs and probes are recorded.
        on_violation: what is done where a pulse comes too soon: "raise" stops with SimulationError; "drop" leaves the
            pulse out; "record" takes it as if nothing had happened; "physical" does what a circuit does (see `Cell`).
            Each is noted as a `Violation`.
        seed: of jitter and of stochastic cells. Every cell draws its own numbers, one after the other.
        sample: number of the trial; other samples have other random numbers.
        jitter: standard deviation added to the delay of every pulse, as a share of the delay, at most 1/9.
        tolerance: by how much a pulse may come too soon without breaking a rule, ps.

    Raises:
        ParameterError: if a setting does not fit.
        NetworkError: if an input of a cell is not driven, or an input of the circuit drives nothing.

    >>> from hardware_models.sfq.pulse import JTL, Circuit
    >>> line = Circuit("line")
    >>> line.output("q", line.chain(line.input("a"), JTL(), 10))
    >>> sim = PulseSimulation(line)
    >>> sim.send(a=[10.0, 110.0])
    >>> sim.run()
    >>> sim.pulses("q"), sim.time
    (array([ 67., 167.]), 167.0)
    """

    def __init__(self, circuit: Circuit, *, on_violation: Literal["raise", "drop", "record", "physical"] = "raise",
                 seed=0, sample=0, jitter=0.0, tolerance=1e-6):
        if not isinstance(circuit, Circuit):
            raise ParameterError(f"PulseSimulation.circuit must be a Circuit, got {describe_value(circuit)}")
        self.settings = _Settings(
            on_violation=on_violation, seed=seed, sample=sample, jitter=jitter, tolerance=tolerance)
        self.circuit = circuit
        self._tables = tables.build(circuit, self.settings.jitter)
        self._start = self._tables.cells.copy(), self._tables.ports.copy()
        self._batch = np.zeros(self._tables.most_inputs + 8, dtype=np.int64)
        self._room = self._batch.size * (self._tables.most_emissions + 2)
        self._key = np.array(seed_words(self.settings.seed), dtype=np.uint64)
        self.reset(self.settings.sample)

    def reset(self, sample: int | None = None) -> None:
        """Go back to the beginning: cells in their first states, no pulses; with another sample if one is given."""
        if sample is not None:
            self.settings = self.settings.replace(sample=sample)
        self._tables.cells[:], self._tables.ports[:] = self._start
        self._queue = Queue(max(64, 2 * self._room))
        self._given = np.zeros(0), np.zeros(0, dtype=np.int64)
        self._record_time, self._record_port = np.zeros(256 + self._room), np.zeros(256 + self._room, dtype=np.int64)
        self._faults = np.zeros(16 + self._room, dtype=loop.FAULT)
        self._counts = np.zeros(5, dtype=np.int64)  # events in the queue, given, recorded, violations, handled
        self._last_time = np.full(1, -1.0)
        self._now, self._stopped = -1.0, False

    # ---- running ----------------------------------------------------------------------------------

    @property
    def time(self) -> float:
        """The time in ps up to which everything has happened."""
        return max(float(self._now), 0.0) / PS

    @property
    def n_events(self) -> int:
        """Number of pulses (and leaks) that cells have handled."""
        return int(self._counts[4])

    def send(self, **pulses) -> None:
        """Give pulses to inputs of the circuit.

        Args:
            pulses: for each input, by name, times in ps >= 0, shape (n_pulses,), later than what has been run.
        """
        times, ports = [self._given[0][self._counts[1]:]], [self._given[1][self._counts[1]:]]
        for name, values in pulses.items():
            if name not in self._tables.inputs:
                raise ParameterError(f"{self.circuit.name} has the inputs {', '.join(self._tables.inputs)}, got "
                                     f"{name!r}")
            try:
                stamps = np.atleast_1d(np.asarray(values, dtype=np.float64))
            except (TypeError, ValueError):
                stamps = np.array([np.nan])
            if stamps.ndim != 1 or not np.isfinite(stamps).all() or (stamps < 0).any():
                raise ParameterError(f"the pulses of {name} must be finite times >= 0 ps in a 1-D array, got "
                                     f"{describe_value(values)}")
            if (stamps > MOST_PS).any():
                raise ParameterError(f"the pulses of {name} must be at most {MOST_PS:g} ps, up to which attoseconds "
                                     f"can be told, got {stamps.max():g}")
            stamps = attoseconds(stamps)
            if (stamps <= self._now).any():
                raise ParameterError(f"the pulses of {name} must be later than {self.time:.10g} ps, up to which "
                                     f"everything has happened, got {stamps.min() / PS:.10g}")
            times.append(stamps)
            ports.append(np.full(stamps.size, self._tables.inputs[name]))
        times, ports = np.concatenate(times), np.concatenate(ports).astype(np.int64)
        order = np.lexsort((ports, times))
        same = np.flatnonzero((np.diff(times[order]) == 0) & (np.diff(ports[order]) == 0))
        if same.size:
            raise ParameterError(f"an input takes one pulse at a time, got two at {times[order][same[0]] / PS:.10g} ps")
        self._given, self._counts[1] = (times[order], ports[order]), 0

    def run(self, until: float | None = None, *, most_events: int = 1_000_000_000) -> None:
        """Run until a time in ps, inclusive, or until no pulse is under way.

        Raises:
            SimulationError: at a pulse that came too soon, where violations are raised; and where the circuit has not
                come to rest after `most_events` events.
        """
        if self._stopped:
            raise SimulationError("this simulation was stopped by a violation; reset it, or restore a state")
        end = np.inf if until is None else self._end(until)
        first, status = self.n_events, loop.LIMIT
        while status in (loop.LIMIT, loop.GROW):
            if self.n_events - first >= most_events:
                raise SimulationError(f"{self.circuit.name} has not come to rest after {most_events} events; if pulses "
                                      "go round for ever, say until when to run")
            status = self._advance(end, min(CHUNK, most_events - self.n_events + first))
            if status == loop.GROW:
                self._grow()
        if status == loop.STOPPED:
            self._stopped = True
            raise SimulationError(str(self.violations[-1]))
        self._now = end if until is not None else max(self._now, self._last_time[0])

    def _end(self, until):
        if not is_number(until) or not until <= MOST_PS:
            raise ParameterError(f"run: until must be a number of at most {MOST_PS:g} ps, got {describe_value(until)}")
        end = float(attoseconds(until))
        if end < self._now:
            raise ParameterError(f"run: until must be at least {self.time:.10g} ps, up to which everything has "
                                 f"happened, got {until!r}")
        return end

    def _advance(self, end, limit):
        made, events, settings = self._tables, self._queue, self.settings
        self._counts[0] = events.size
        status = loop.compiled()(
            made.cells, made.ports, made.wires, made.transitions, made.emissions, made.gaps, self._batch, events.time,
            events.order, events.item, *self._given, self._record_time, self._record_port, self._faults, self._counts,
            self._last_time, self._key, settings.sample, _POLICIES[settings.on_violation], settings.tolerance * PS, end,
            limit, self._room)
        events.size = int(self._counts[0])
        return status

    def _grow(self):
        if self._queue.size + self._room > self._queue.time.size:
            self._queue.grow()
        if self._counts[2] + self._room > self._record_time.size:
            more = np.zeros(self._record_time.size)
            self._record_time = np.concatenate([self._record_time, more])
            self._record_port = np.concatenate([self._record_port, more.astype(np.int64)])
        if self._counts[3] + self._room > self._faults.size:
            self._faults = np.concatenate([self._faults, np.zeros_like(self._faults)])

    # ---- results ----------------------------------------------------------------------------------

    @property
    def recorded(self) -> tuple:
        """Names of what is recorded: inputs, outputs and probes."""
        return tuple(self._tables.records)

    def pulses(self, name: str) -> np.ndarray:
        """Return the times in ps at which pulses passed an input, output or probe, up to now."""
        n = self._counts[2]
        return self._record_time[:n][self._record_port[:n] == self._number(name)] / PS

    def _number(self, name):
        if name not in self._tables.records:
            names = ", ".join(self.recorded[:20]) + (", ..." if len(self.recorded) > 20 else "")
            raise ParameterError(f"what is recorded is {names}, got {name!r}")
        return self._tables.records[name]

    def events(self, *names: str) -> dict:
        """Return recorded pulses, name -> times in ps; by default of all that is recorded."""
        n = self._counts[2]
        order = np.argsort(self._record_port[:n], kind="stable")
        times, numbers = self._record_time[:n][order] / PS, self._record_port[:n][order]
        found = {}
        for name in names or self.recorded:
            number = self._number(name)
            found[name] = times[slice(*np.searchsorted(numbers, [number, number + 1]))]
        return found

    @property
    def violations(self) -> list:
        """Every pulse that came too soon, as a `Violation`, in the order of time."""
        made = self._tables
        found = []
        for fault in self._faults[:self._counts[3]]:
            cell = made.cells[fault["cell"]]
            ports = made.kinds[fault["cell"]].inputs
            other = "" if fault["other"] < 0 else ports[fault["other"] - cell["first_port"]]
            found.append(Violation(
                float(fault["time"]) / PS, made.names[fault["cell"]], ports[fault["port"] - cell["first_port"]],
                _RULES[int(fault["rule"])], other, float(fault["earliest"]) / PS, _OUTCOMES[int(fault["outcome"])]))
        return found

    def firings(self) -> dict:
        """Return how often each cell fired, name -> number."""
        return dict(zip(self._tables.names, self._tables.cells["firings"].tolist(), strict=True))

    def cell_state(self, name: str) -> str:
        """Return the name of the state that a cell is in."""
        from hardware_models.sfq.pulse.cell import machine

        if name not in self._tables.names:
            raise ParameterError(f"{self.circuit.name} has no cell called {name!r}")
        index = self._tables.names.index(name)
        return machine(self._tables.kinds[index]).states[self._tables.cells[index]["state"]]

    def spikes(self, *names: str, duration: float | None = None) -> Spikes:
        """Return recorded pulses as exact spikes, one neuron for each name: 1 ps becomes 1e-9 ms, nothing is scaled.

        Args:
            names: which; by default the outputs of the circuit.
            duration: end of the window in ps; by default the time up to which everything has happened.
        """
        names = names or tuple(self.circuit.outputs)
        trains = list(self.events(*names).values())
        stop = (self.time if duration is None else duration) * MS_PER_PS
        times = np.concatenate([np.zeros(0), *trains]) * MS_PER_PS
        ids = np.repeat(np.arange(len(trains)), [train.size for train in trains])
        return Spikes.from_times(times, ids, size=len(names), duration=stop, name=self.circuit.name)

    # ---- state ------------------------------------------------------------------------------------

    def _fingerprint(self) -> str:
        """What must be the same for a state to fit: circuit, cells, times, seed and policy."""
        made, digest = self._tables, hashlib.sha256()
        digest.update(json.dumps([made.names, made.records, made.inputs, repr(self.settings)]).encode())
        for array in (made.wires, made.transitions, made.emissions, made.gaps, *self._start):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def state(self) -> dict:
        """Return all that changes, as arrays by name: cells, pulses under way, pulses given, recordings, violations."""
        made, n = self._tables, self._counts
        return {"cells": made.cells.copy(), "ports": made.ports.copy(), **self._queue.snapshot(),
                "given_time": self._given[0][n[1]:].copy(), "given_port": self._given[1][n[1]:].copy(),
                "record_time": self._record_time[:n[2]].copy(), "record_port": self._record_port[:n[2]].copy(),
                "faults": self._faults[:n[3]].copy(), "handled": np.array(n[4]), "now": np.array(self._now),
                "circuit": np.array(self._fingerprint())}

    def restore(self, state: dict) -> None:
        """Go on from a state of the same circuit with the same settings; raise ParameterError for another's."""
        if str(state["circuit"]) != self._fingerprint():
            raise ParameterError(f"this state is of another circuit than {self.circuit.name}, or of other settings")
        self.reset()
        made = self._tables
        made.cells[:], made.ports[:] = state["cells"], state["ports"]
        self._queue.restore({name: state[name] for name in ("time", "order", "item")})
        self._given = np.array(state["given_time"]), np.array(state["given_port"])
        n_records, n_faults = state["record_time"].size, state["faults"].size
        self._record_time = np.concatenate([state["record_time"], self._record_time])
        self._record_port = np.concatenate([state["record_port"], self._record_port])
        self._faults = np.concatenate([state["faults"], self._faults])
        self._counts[:] = self._queue.size, 0, n_records, n_faults, int(state["handled"])
        self._now = float(state["now"])

    def save(self, path) -> None:
        """Write the state to a NumPy archive (.npz), which appears whole or not at all."""
        arrays = {"format": np.array(f"{FORMAT} {VERSION}"), **self.state()}
        with whole_file(path) as file:
            np.savez(file, **arrays)

    def load(self, path) -> None:
        """Go on from a file that `save` wrote; raise FileError if it is damaged or of another circuit."""
        with reading(path, "a state of a pulse simulation"):
            with np.load(path, allow_pickle=False) as file:
                state = {name: file[name] for name in file.files}
        if str(state.pop("format", "")) != f"{FORMAT} {VERSION}":
            raise FileError(f"{path} is not a state of a pulse simulation that this version reads")
        try:
            self.restore(state)
        except (ParameterError, KeyError) as error:
            raise FileError(f"{path} does not fit: {error}") from None
