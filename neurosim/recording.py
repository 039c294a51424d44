"""What a run leaves: spikes, traces of variables, weights, kept in memory or streamed to a file."""

from dataclasses import dataclass, field

import numpy as np

from neurosim.checks import check_ticks
from neurosim.engine import build
from neurosim.engine.update import state_field
from neurosim.errors import NetworkError, ParameterError, SimulationError
from neurosim.network import Population, Projection, same_part
from neurosim.spikes import Spikes

SPIKE_BYTES = 12  #: a tick and a neuron number


@dataclass(eq=False)
class StateLog:
    """The recording of a state variable: at which ticks, of which neurons, and what."""

    recorder: object
    key: tuple
    every: int
    ids: np.ndarray
    rows: list = field(default_factory=list)
    ticks: list = field(default_factory=list)


@dataclass(eq=False)
class SpikeLog:
    """The recording of spikes of a population or a part of it."""

    recorder: object
    population: Population
    ids: np.ndarray | None
    ticks: list = field(default_factory=list)
    found: list = field(default_factory=list)
    begin: int | None = None
    end: int = 0


@dataclass(eq=False)
class SynapseLog:
    """The recording of a variable of a projection's synapses."""

    recorder: object
    every: int
    ticks: list = field(default_factory=list)
    rows: list = field(default_factory=list)


class Recordings:
    """All recordings of a simulation."""

    def __init__(self, net, layout, memory_limit: float):
        self.net, self.layout, self.memory_limit = net, layout, memory_limit
        self.states, self.spike_logs, self.synapse_logs = [], [], []
        for recorder in net.recorders:
            self._add(recorder)

    def _add(self, recorder):
        dt = self.layout.dt
        every = 1 if recorder.every is None else check_ticks("every of a recording", recorder.every, dt, at_least=1)
        if isinstance(recorder.what, Projection):
            self._check_synapse_variable(recorder)
            self.synapse_logs.append(SynapseLog(recorder, every))
            return
        ids = np.arange(recorder.what.size) if recorder.ids is None else recorder.ids
        ids = np.asarray(ids, dtype=np.int64) + recorder.what.start
        if recorder.variable == "spikes":
            whole = recorder.what.whole is None and recorder.ids is None
            self.spike_logs.append(SpikeLog(recorder, recorder.what.base, None if whole else ids))
        else:
            self.states.append(StateLog(recorder, self.key(recorder.what, recorder.variable), every, ids))

    def _check_synapse_variable(self, recorder):
        wiring = self.layout.projections[recorder.what].wiring
        known = ["weight", *wiring.state()]
        if recorder.variable not in known:
            raise ParameterError(f"variable of {recorder.what.name!r} must be one of {', '.join(known)}, "
                                 f"got {recorder.variable!r}")

    def key(self, population, variable: str) -> tuple:
        """Return the key of a variable among the arrays of an instance."""
        variables = self.net.variables(population)
        if variable not in variables:
            raise ParameterError(f"variable of {population.name!r} must be one of {', '.join(variables) or 'none'}, "
                                 f"got {variable!r}")
        port, name = variables[variable]
        return population.base, state_field(name) if port is None else f"p{port}_{name}"

    # -- while running -----------------------------------------------------------------------------

    def begin(self, sim, ticks: int) -> None:
        """Prepare for a run of some ticks: refuse what would not fit, record the start."""
        self._check_memory(ticks)
        for log in self.spike_logs:
            log.begin = sim.tick if log.begin is None else log.begin
            log.end = max(log.end, sim.tick)
        if sim.tick == 0:
            for log in self.states:
                if not log.ticks:
                    log.rows.append(sim._instance.neurons[log.key][log.ids][None].copy())
                    log.ticks.append(np.zeros(1, dtype=np.int64))
            for log in self.synapse_logs:
                if not log.ticks:
                    self._sample_synapses(sim, log)

    def _check_memory(self, ticks):
        for log in self.states:
            size = (ticks // log.every + 1) * log.ids.size * 8
            if log.recorder.to is None and size + self.bytes() > self.memory_limit:
                raise SimulationError(
                    f"recording {log.recorder.variable!r} of {log.recorder.what.name!r} for {ticks} ticks needs "
                    f"{size / 1e9:.3g} GB, more than memory_limit = {self.memory_limit / 1e9:.3g} GB; record every=... ms, "
                    "fewer ids=..., or stream it with to='file.h5'")

    def bytes(self) -> int:
        """Return how much memory the recordings take."""
        rows = [row for log in (*self.states, *self.synapse_logs) for row in log.rows]
        spikes = sum(ids.size for log in self.spike_logs for ids in log.found)
        return sum(row.nbytes for row in rows) + SPIKE_BYTES * spikes

    def room(self, tick: int) -> int:
        """Return how many ticks may pass until the next sample of synapses is due."""
        return min((log.every - tick % log.every for log in self.synapse_logs), default=1 << 40)

    def collect(self, sim, steps: int) -> None:
        """Take what the last ticks left."""
        instance, first, last = sim._instance, sim.tick - steps, sim.tick
        for log in self.states:
            out, begin = instance.outputs[log]
            rows = last // log.every - int(begin[0]) + 1
            if rows > 0:
                log.rows.append(out[:rows].copy())
                log.ticks.append((int(begin[0]) + np.arange(rows)) * log.every)
        for log in self.spike_logs:
            self._collect_spikes(instance, log, first, last)
        for log in self.synapse_logs:
            if last % log.every == 0:
                self._sample_synapses(sim, log)
        self._stream(sim)
        if self.bytes() > self.memory_limit:
            raise SimulationError(
                f"recordings take {self.bytes() / 1e9:.3g} GB at t = {sim.time:g} ms, more than memory_limit = "
                f"{self.memory_limit / 1e9:.3g} GB; stream them with to='file.h5', or raise the limit")

    def _collect_spikes(self, instance, log, first, last):
        ticks, ids = instance.slots_between(log.population, first, last)
        if log.ids is not None:
            mine = np.isin(ids, log.ids)
            ticks, ids = ticks[mine], ids[mine]
        log.ticks.append(ticks)
        log.found.append(ids)
        log.end = last

    def _sample_synapses(self, sim, log):
        values = build.to_coo(sim._instance.view(log.recorder.what))[3][log.recorder.variable]
        log.rows.append(np.array(values)[None])
        log.ticks.append(np.array([sim.tick]))

    def _stream(self, sim):
        for log in (*self.states, *self.spike_logs):
            if log.recorder.to is not None:
                from neurosim.checkpoint import append

                append(log, sim)

    # -- afterwards ----------------------------------------------------------------------------------

    def spikes(self, sim, population) -> Spikes:
        """Return the recorded spikes of a population."""
        for log in self.spike_logs:
            if log.recorder.what is population or same_part(log.recorder.what, population):
                return self._spikes_of(sim, log)
        raise NetworkError(f"spikes of {population.name!r} must be recorded before they can be read; call "
                           "net.record(population) before the simulation is made")

    def _spikes_of(self, sim, log) -> Spikes:
        begin = 0 if log.begin is None else log.begin
        ticks = np.concatenate([np.empty(0, dtype=np.int64), *log.ticks])
        ids = np.concatenate([np.empty(0, dtype=np.uint32), *log.found]) - np.uint32(log.recorder.what.start)
        return Spikes(ticks=ticks, ids=ids, size=log.recorder.what.size, dt=sim.dt, start=begin * sim.dt,
                      duration=(max(log.end, begin) - begin) * sim.dt, name=log.recorder.what.name,
                      metadata={"seed": sim.seed, "network": self.net.fingerprint()})

    def trace(self, what, variable: str):
        """Return (times, values) of a recorded variable."""
        for log in (*self.states, *self.synapse_logs):
            if log.recorder.variable == variable and (log.recorder.what is what or same_part(log.recorder.what, what)):
                if not log.rows:
                    return np.empty(0), np.empty((0, 0))
                return np.concatenate(log.ticks) * self.layout.dt, np.concatenate(log.rows)
        raise NetworkError(f"{variable!r} of {what.name!r} must be recorded before it can be read; call "
                           f"net.record(..., {variable!r}) before the simulation is made")

    def cut(self, tick: int) -> None:
        """Forget what was recorded after a tick."""
        for log in (*self.states, *self.synapse_logs):
            if log.ticks:
                ticks, rows = np.concatenate(log.ticks), np.concatenate(log.rows)
                log.ticks, log.rows = [ticks[ticks <= tick]], [rows[ticks <= tick]]
        for log in self.spike_logs:
            ticks = np.concatenate([np.empty(0, dtype=np.int64), *log.ticks])
            found = np.concatenate([np.empty(0, dtype=np.uint32), *log.found])
            log.ticks, log.found = [ticks[ticks <= tick]], [found[ticks <= tick]]
            if log.begin is not None:
                log.begin, log.end = min(log.begin, tick), min(log.end, tick)
