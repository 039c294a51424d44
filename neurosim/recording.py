"""What a run leaves: spikes, traces of variables, weights, kept in memory or streamed to a file."""

import time
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np

from neurosim.checks import check_ticks
from neurosim.engine.synapses import to_coo
from neurosim.engine.update import state_field
from neurosim.errors import NetworkError, ParameterError, SimulationError
from neurosim.network import Population, Projection, same_part
from neurosim.spikes import Spikes

FLUSH_SECONDS = 1.0  #: how often, at most, chunks go to a file
FLUSH_BYTES = 16 << 20


class Log:
    """A recording: ticks, and what was there at each, in chunks; of a file, the chunks that are not yet in it.

    Args:
        recorder: what is recorded.
        ids: the neurons, in the numbering of the whole population; None for all, and for synapses.
        every: ticks between two samples.
        key: of a state variable, its key among the arrays of an instance.
    """

    def __init__(self, recorder, ids=None, every: int = 1, key=None):
        self.recorder, self.ids, self.every, self.key = recorder, ids, every, key
        self.path = None if recorder.to is None else Path(recorder.to).absolute()
        self.stream = None  #: the open recording, from the first run on
        self.clear()

    @property
    def of_spikes(self) -> bool:
        """Whether it holds spikes; else samples of a variable."""
        return self.recorder.variable == "spikes"

    @property
    def name(self) -> str:
        """What it is a recording of, for messages and files."""
        return f"{self.recorder.variable} of {self.recorder.what.name}"

    def clear(self) -> None:
        """Forget everything."""
        self.begin = self.end = None  # the window: begin < tick <= end, and the sample at begin
        self.drop()

    def drop(self) -> None:
        """Forget the chunks in memory."""
        self.ticks, self.rows, self.bytes = [], [], 0

    def add(self, ticks: np.ndarray, rows: np.ndarray) -> None:
        """Append a chunk."""
        if ticks.size:
            self.ticks.append(ticks)
            self.rows.append(rows)
            self.bytes += ticks.nbytes + rows.nbytes

    def chunks(self):
        """Return (ticks, rows) of what is in memory."""
        if not self.ticks:
            empty = (0,) if self.of_spikes else (0, 0 if self.ids is None else self.ids.size)
            return np.empty(0, dtype=np.int64), np.empty(empty, dtype=np.uint32 if self.of_spikes else np.float64)
        if len(self.ticks) > 1:
            self.ticks, self.rows = [np.concatenate(self.ticks)], [np.concatenate(self.rows)]
        return self.ticks[0], self.rows[0]

    def all(self):
        """Return (ticks, rows) of everything, what is in the file included."""
        ticks, rows = self.chunks()
        if self.stream is None:
            return ticks, rows
        old_ticks, old_rows = self.stream.read()
        return np.concatenate([old_ticks, ticks]), np.concatenate([old_rows, rows]) if ticks.size else old_rows

    def cut(self, tick: int) -> None:
        """Forget what came after a tick."""
        if self.stream is not None:
            self.stream.cut(tick)
        ticks, rows = self.chunks()
        keep = ticks <= tick
        self.drop()
        self.add(ticks[keep], rows[keep])
        if self.begin is not None:
            self.begin, self.end = min(self.begin, tick), min(self.end, tick)


class Recordings:
    """All recordings of a simulation."""

    def __init__(self, net, layout, memory_limit: float):
        self.net, self.layout, self.memory_limit = net, layout, memory_limit
        self.states, self.spike_logs, self.synapse_logs = [], [], []
        for recorder in net.recorders:
            self._add(recorder)
        self._flushed = time.monotonic()

    def _add(self, recorder):
        dt = self.layout.dt
        every = 1 if recorder.every is None else check_ticks("every of a recording", recorder.every, dt, at_least=1)
        if isinstance(recorder.what, Projection):
            self._check_synapse_variable(recorder)
            self.synapse_logs.append(Log(recorder, every=every))
            return
        ids = np.arange(recorder.what.size) if recorder.ids is None else recorder.ids
        ids = np.asarray(ids, dtype=np.int64) + recorder.what.start
        if recorder.variable == "spikes":
            whole = recorder.what.whole is None and recorder.ids is None
            self.spike_logs.append(Log(recorder, None if whole else ids))
        else:
            self.states.append(Log(recorder, ids, every, self.key(recorder.what, recorder.variable)))

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

    @property
    def logs(self) -> list[Log]:
        """All recordings."""
        return [*self.states, *self.spike_logs, *self.synapse_logs]

    @cached_property
    def fingerprint(self) -> str:
        """That of the network."""
        return self.net.fingerprint()

    # -- while running -----------------------------------------------------------------------------

    def begin(self, sim, ticks: int) -> None:
        """Prepare for a run of some ticks: refuse what would not fit, record the start."""
        self._check_memory(sim, ticks)
        self._open(sim)
        for log in self.logs:
            if log.begin is None:
                log.begin = log.end = sim.tick
                if sim.tick == 0:
                    self.sample_now(sim, log)

    def sample_now(self, sim, log) -> None:
        """Record the present value of a variable, if now is a time at which it is recorded."""
        if sim.tick % log.every or log.of_spikes:
            return
        if log.ids is None:
            self._sample_synapses(sim, log)
        else:
            log.add(np.array([sim.tick]), sim._instance.neurons[log.key][log.ids][None])

    def _check_memory(self, sim, ticks):
        sizes = {log: (ticks // log.every + 1) * log.ids.size * sim._instance.neurons[log.key].itemsize
                 for log in self.states if log.path is None}
        total = sum(sizes.values())
        if sizes and total + self.bytes() > self.memory_limit:
            most, others = max(sizes, key=sizes.get), len(sizes) - 1
            and_others = f" and {others} other recording{'s' if others > 1 else ''}" if others else ""
            raise SimulationError(
                f"recording {most.recorder.variable!r} of {most.recorder.what.name!r}{and_others} for {ticks} ticks "
                f"needs {total / 1e9:.3g} GB, more than memory_limit = {self.memory_limit / 1e9:.3g} GB with the "
                f"{self.bytes() / 1e9:.3g} GB that are there; record every=... ms, fewer ids=..., or stream it with "
                "to='file.h5'")

    def bytes(self) -> int:
        """Return how much memory the recordings take."""
        return sum(log.bytes for log in self.logs)

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
                log.add((int(begin[0]) + np.arange(rows)) * log.every, out[:rows].copy())
        for log in self.spike_logs:
            self._collect_spikes(instance, log, first, last)
        for log in self.synapse_logs:
            if last % log.every == 0:
                self._sample_synapses(sim, log)
        for log in self.logs:
            log.end = last
        self._flush(sim)
        if self.bytes() > self.memory_limit:
            raise SimulationError(
                f"recordings take {self.bytes() / 1e9:.3g} GB at t = {sim.time:g} ms, more than memory_limit = "
                f"{self.memory_limit / 1e9:.3g} GB; stream them with to='file.h5', or raise the limit")

    def _collect_spikes(self, instance, log, first, last):
        ticks, ids = instance.slots_between(log.recorder.what.base, first, last)
        if log.ids is not None:
            mine = np.isin(ids, log.ids)
            ticks, ids = ticks[mine], ids[mine]
        log.add(ticks, ids - np.uint32(log.recorder.what.start))

    def _sample_synapses(self, sim, log):
        connectivity = sim._instance.look(log.recorder.what, sim.tick)
        values = to_coo(connectivity)[3][log.recorder.variable]
        log.add(np.array([sim.tick]), np.broadcast_to(values, (1, connectivity.n_synapses)).copy())

    # -- files -------------------------------------------------------------------------------------

    def _open(self, sim):
        new = [log for log in self.logs if log.path is not None and log.stream is None]
        if new:
            from neurosim.streams import create

            create(new, sim)

    @contextmanager
    def files(self, sim):
        """See to it that what was recorded meanwhile is in its files at the end, whatever ended it."""
        try:
            yield
        finally:
            self.flush(sim)

    def _flush(self, sim):
        """Move chunks to files, now and then."""
        waiting = sum(log.bytes for log in self.logs if log.path is not None)
        if waiting and (waiting > FLUSH_BYTES or time.monotonic() - self._flushed > FLUSH_SECONDS):
            self.flush(sim)

    def flush(self, sim) -> None:
        """Move all chunks that belong into files there."""
        for log in self.logs:
            if log.stream is not None:
                log.stream.append(log, sim)
        self._flushed = time.monotonic()

    # -- afterwards ----------------------------------------------------------------------------------

    def find(self, what, variable: str) -> Log:
        """Return the recording of a variable, or of spikes."""
        for log in self.logs:
            if log.recorder.variable == variable and (log.recorder.what is what or same_part(log.recorder.what, what)):
                return log
        call = f"net.record({'population' if isinstance(what, Population) else 'projection'}"
        call += ")" if variable == "spikes" else f", {variable!r})"
        raise NetworkError(f"{variable!r} of {what.name!r} must be recorded before it can be read; call {call} before "
                           "the simulation is made")

    def spikes(self, sim, population) -> Spikes:
        """Return the recorded spikes of a population."""
        log = self.find(population, "spikes")
        ticks, ids = log.all()
        begin, end = (0, 0) if log.begin is None else (log.begin, log.end)
        return Spikes(ticks=ticks, ids=ids, size=population.size, dt=sim.dt, start=begin * sim.dt,
                      duration=(end - begin) * sim.dt, name=log.recorder.what.name, watched=log.recorder.ids,
                      metadata={"seed": sim.seed, "network": self.fingerprint})

    def trace(self, what, variable: str):
        """Return (times, values) of a recorded variable."""
        ticks, rows = self.find(what, variable).all()
        return ticks * self.layout.dt, rows

    def cut(self, sim, before: int) -> None:
        """Forget what was recorded after the present; everything, if the simulation leapt ahead from tick `before`."""
        for log in self.logs:
            if sim.tick > before:
                log.cut(-1)
                log.clear()
            else:
                log.cut(sim.tick)
        self.flush(sim)
