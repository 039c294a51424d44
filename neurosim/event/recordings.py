"""What an event-driven run leaves: exact spike times, and variables at given times."""

from dataclasses import dataclass, field

import numpy as np

from neurosim.errors import NetworkError, ParameterError, SimulationError, UnsupportedError
from neurosim.network import Projection, same_part
from neurosim.spikes import Spikes


@dataclass
class EventLog:
    """A recording: times in ms and what was there at each, in chunks.

    Attributes:
        recorder: what is recorded.
        ids: the neurons, in the numbering of the whole population; None for synapses.
        next: number of the next sample, which is due at next * every.
        begin, end: the window that is covered, ms; None before the first run.
    """

    recorder: object
    ids: np.ndarray | None
    next: int = 0
    begin: float | None = None
    end: float | None = None
    times: list = field(default_factory=list)
    rows: list = field(default_factory=list)

    @property
    def of_spikes(self) -> bool:
        """Whether it holds spikes; else samples of a variable."""
        return self.recorder.variable == "spikes"

    def all(self):
        """Return (times, rows)."""
        if not self.times:
            shape = (0,) if self.of_spikes else (0, 0 if self.ids is None else self.ids.size)
            return np.empty(0), np.empty(shape, dtype=np.uint32 if self.of_spikes else np.float64)
        if len(self.times) > 1:
            self.times, self.rows = [np.concatenate(self.times)], [np.concatenate(self.rows)]
        return self.times[0], self.rows[0]

    def bytes(self) -> int:
        """Return how much memory it takes."""
        return sum(part.nbytes for part in (*self.times, *self.rows))

    def cut(self, time: float) -> None:
        """Forget what came after a time."""
        times, rows = self.all()
        self.times, self.rows = [times[times <= time]], [rows[times <= time]]
        if self.begin is not None:
            self.begin, self.end = min(self.begin, time), min(self.end, time)


class EventRecordings:
    """All recordings of an event-driven simulation."""

    def __init__(self, net, layout, memory_limit: float):
        self.net, self.layout, self.memory_limit = net, layout, memory_limit
        self.logs = [self._log(recorder) for recorder in net.recorders]
        self.fingerprint = net.fingerprint()

    def _log(self, recorder):
        what = recorder.what
        label = f"the recording of {recorder.variable} of {what.name!r}"
        if recorder.to is not None:
            raise UnsupportedError(f"{label} cannot be streamed to a file in the mode 'event'; leave out to=...")
        if recorder.variable != "spikes" and recorder.every is None:
            raise UnsupportedError(f"{label} must be given every=... ms in the mode 'event', which has no ticks")
        if isinstance(what, Projection):
            return EventLog(recorder, None)
        if recorder.variable != "spikes":
            self.column(what, recorder.variable)
        ids = np.arange(what.size) if recorder.ids is None else recorder.ids
        return EventLog(recorder, np.asarray(ids, dtype=np.int64) + what.start)

    def column(self, population, variable: str) -> int:
        """Return the place of a variable in the rows of a population."""
        variables, columns = self.net.variables(population), self._columns(population)
        port, name = variables.get(variable, (None, variable))
        key = name if port is None else f"p{port}_{name}"
        if variable not in variables or key not in columns:
            known = [public for public, (port, name) in variables.items()
                     if (name if port is None else f"p{port}_{name}") in columns]
            raise ParameterError(f"variable of {population.name!r} must be one of {', '.join(known) or 'none'} in the "
                                 f"mode 'event', "
                                 f"got {variable!r}")
        return columns[key]

    def _columns(self, population):
        plan = self.layout.populations[population.base]
        return plan.numbers.columns if hasattr(plan, "numbers") else {}

    @property
    def recorded(self) -> set:
        """The populations whose spikes are kept."""
        return {log.recorder.what.base for log in self.logs if log.of_spikes}

    def begin(self, time: float) -> None:
        """Prepare for a run from a time on."""
        for log in self.logs:
            if log.begin is None:
                log.begin = log.end = time
                if not log.of_spikes and time > 0.0:
                    log.next = _after(time, log.recorder.every)

    def next(self) -> float:
        """Return when the next sample of a variable is due."""
        return min((log.next * log.recorder.every for log in self.logs if not log.of_spikes), default=np.inf)

    def sample(self, sim, time: float) -> None:
        """Take the samples that are due by now."""
        for log in self.logs:
            while not log.of_spikes and log.next * log.recorder.every <= time:
                what = log.recorder.what
                if isinstance(what, Projection):
                    row = getattr(sim.synapses(what), log.recorder.variable)
                else:
                    row = sim.look(what.base)[log.ids, self.column(what, log.recorder.variable)]
                log.times.append(np.array([log.next * log.recorder.every]))
                log.rows.append(np.array(row, dtype=np.float64)[None])
                log.next += 1

    def collect(self, instance, time: float) -> None:
        """Take the spikes that the loop left, and note how far it came."""
        times, ids, of = instance.collect()
        for log in self.logs:
            log.end = time
            if log.of_spikes and times.size:
                mine = of == instance.index[log.recorder.what.base]
                if log.recorder.ids is not None or log.recorder.what.whole is not None:
                    mine &= np.isin(ids, log.ids)
                if mine.any():
                    log.times.append(times[mine])
                    log.rows.append((ids[mine] - log.recorder.what.start).astype(np.uint32))
        taken = sum(log.bytes() for log in self.logs)
        if taken > self.memory_limit:
            raise SimulationError(f"recordings take {taken / 1e9:.3g} GB at t = {time:g} ms, more than memory_limit = "
                                  f"{self.memory_limit / 1e9:.3g} GB; record fewer, or raise the limit")

    def find(self, what, variable: str) -> EventLog:
        """Return the recording of a variable, or of spikes."""
        for log in self.logs:
            if log.recorder.variable == variable and (log.recorder.what is what or same_part(log.recorder.what, what)):
                return log
        raise NetworkError(f"{variable!r} of {what.name!r} must be recorded before it can be read; call "
                           f"net.record(...) before the "
                           "simulation is made")

    def spikes(self, sim, population) -> Spikes:
        """Return the recorded spikes of a population, with exact times."""
        log = self.find(population, "spikes")
        times, ids = log.all()
        begin, end = (0.0, 0.0) if log.begin is None else (log.begin, log.end)
        duration = end - begin
        if begin + duration < end:
            duration = np.nextafter(duration, np.inf)
        return Spikes(times=times, ids=ids, size=population.size, start=begin, duration=float(duration),
                      name=log.recorder.what.name, watched=log.recorder.ids,
                      metadata={"seed": sim.seed, "network": self.fingerprint})

    def cut(self, time: float, before: float) -> None:
        """Forget what was recorded after a time to which the simulation went from `before`; everything if it lies
        ahead."""
        for log in self.logs:
            log.cut(time if time <= before else -1.0)
            if time > before:
                log.begin = log.end = None
            elif not log.of_spikes:
                log.next = min(log.next, _after(time, log.recorder.every))


def _after(time, every) -> int:
    """Return the number of the first sample after a time."""
    number = int(time / every)
    while number * every <= time:
        number += 1
    return number
