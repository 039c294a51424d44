"""What a run leaves: spikes, traces of variables, weights, kept in memory or streamed to a file."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.engine.protocol import Engine, Tap
from neurosim.errors import NetworkError, ParameterError, SimulationError, UnsupportedError
from neurosim.network import DriveOn, Population, Projection, Recorder, check_variable, same_part
from neurosim.spikes import Spikes

FLUSH_SECONDS = 1.0  #: how often, at most, chunks go to a file
FLUSH_BYTES = 16 << 20
KINDS = {"population": Population, "projection": Projection, "drive": DriveOn}


class Log:
    """A recording: stamps of time, and what was there at each, in chunks; of a file, those that are not yet in it.

    Args:
        recorder: what is recorded.
        tap: where it comes from.
        ids: the neurons, in the numbering of the whole population; None for all, and for synapses.
        dtype: of the stamps.
    """

    def __init__(self, recorder: Recorder, tap: Tap, ids: np.ndarray | None = None, dtype: Any = np.int64):
        self.recorder, self.tap, self.ids, self.dtype = recorder, tap, ids, dtype
        self.every = tap.every  #: stamps between two samples
        self.path = None if recorder.to is None else Path(recorder.to).absolute()
        self.stream: Any = None  #: the open recording, from the first run on
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
        self.begin: Any = None
        self.end: Any = None  # the window: begin < stamp <= end, and the sample at begin
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

    def sample(self, engine: Engine) -> None:
        """Record what is there now, if now is a time at which it is recorded."""
        row = self.tap.present()
        if row is not None:
            self.add(np.array([engine.now], dtype=self.dtype), row)

    def collect(self, engine: Engine) -> None:
        """Take what the last advance left."""
        ticks, rows = self.tap.take()
        if isinstance(self.recorder.what, Population) and self.of_spikes:
            rows = self.recorder.what.places(rows)
        self.add(ticks, rows)
        self.end = engine.now

    def is_of(self, what) -> bool:
        """Return whether it is a recording of just this population, part, projection or drive."""
        return self.recorder.what is what or same_part(self.recorder.what, what)

    def covers(self, what) -> bool:
        """Return whether all of a part of a population is recorded here, among others."""
        mine = self.recorder.what
        if not isinstance(what, Population) or not isinstance(mine, Population) or mine.base is not what.base:
            return False
        return bool(mine.holds(what.ids).all() and (self.recorder.ids is None or self.ids is None
                                                    or np.isin(what.ids, self.ids).all()))

    def part(self, what, ticks: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (stamps, rows) of a part of what is recorded, out of those of all of it."""
        if self.is_of(what):
            return ticks, rows
        if self.of_spikes:
            mine: Any = self.recorder.what  # a population, as `covers` has found
            ids = mine.ids[rows]
            inside = what.holds(ids)
            return ticks[inside], what.places(ids[inside]).astype(rows.dtype)
        places = {neuron: place for place, neuron in enumerate([] if self.ids is None else self.ids.tolist())}
        return ticks, rows[:, [places[neuron] for neuron in what.ids.tolist()]]

    def watched(self, what):
        """Return which neurons of a population, or of a part of it, are watched; None for all."""
        return self.recorder.ids if self.is_of(what) else None

    def chunks(self):
        """Return (stamps, rows) of what is in memory."""
        if not self.ticks:
            empty = (0,) if self.of_spikes else (0, 0 if self.ids is None else self.ids.size)
            return np.empty(0, dtype=self.dtype), np.empty(empty, dtype=np.uint32 if self.of_spikes else np.float64)
        if len(self.ticks) > 1:
            self.ticks, self.rows = [np.concatenate(self.ticks)], [np.concatenate(self.rows)]
        return self.ticks[0], self.rows[0]

    def all(self):
        """Return (stamps, rows) of everything, what is in the file included."""
        ticks, rows = self.chunks()
        if self.stream is None:
            return ticks, rows
        old_ticks, old_rows = self.stream.read()
        return np.concatenate([old_ticks, ticks]), np.concatenate([old_rows, rows]) if ticks.size else old_rows

    def cut(self, stamp) -> None:
        """Forget what came after a stamp."""
        if self.stream is not None:
            self.stream.cut(stamp)
        ticks, rows = self.chunks()
        keep = ticks <= self.dtype(stamp)
        self.drop()
        self.add(ticks[keep], rows[keep])
        if self.begin is not None:
            self.begin, self.end = min(self.begin, stamp), min(self.end, stamp)


class Recordings:
    """All recordings of a simulation.

    Args:
        engine: what runs.
        recorders: what is recorded.
        memory_limit: bytes that may be kept in memory.
        labels: returns what goes with every recording: "seed", and "network", its fingerprint.
    """

    def __init__(self, engine: Engine, recorders, memory_limit: float, labels: Callable[[], dict]):
        self.engine, self.memory_limit, self.labels = engine, memory_limit, labels
        logs = [self._log(recorder) for recorder in recorders]
        kinds = {Projection: 2, Population: 0, DriveOn: 0}
        self.logs = sorted(logs, key=lambda log: 1 if log.of_spikes else kinds[type(log.recorder.what)])
        self._flushed = time.monotonic()

    def _log(self, recorder: Recorder) -> Log:
        clock, what = self.engine.clock, recorder.what
        if recorder.to is not None and clock.dt is None:
            raise UnsupportedError(f"{recorder.variable} of {what.name} cannot be streamed to a file in the mode "
                                   "'event'; leave out to=...")
        if recorder.every is not None:
            every = clock.span("every of a recording", recorder.every, at_least=1)
        elif clock.dt is None and recorder.variable != "spikes":
            raise UnsupportedError(f"{recorder.variable} of {what.name} must be given every=... ms in the mode "
                                   "'event', which has no ticks")
        else:
            every = 1
        if isinstance(what, Projection):
            self._check_synapse_variable(recorder)
            return Log(recorder, self.engine.tap(what, recorder.variable, None, every), dtype=clock.dtype)
        ids = np.arange(what.size) if recorder.ids is None else recorder.ids
        if isinstance(what, DriveOn):
            return Log(recorder, self.engine.tap(what, recorder.variable, ids, every), ids, clock.dtype)
        ids = what.ids[ids]
        if recorder.variable == "spikes" and what.whole is None and recorder.ids is None:
            ids = None
        return Log(recorder, self.engine.tap(what, recorder.variable, ids, every), ids, clock.dtype)

    def _check_synapse_variable(self, recorder):
        known = self.engine.plan.projections[recorder.what].variables
        if recorder.variable not in known:
            raise ParameterError(f"variable of {recorder.what.name!r} must be one of {', '.join(known)}, "
                                 f"got {recorder.variable!r}")

    # -- while running -----------------------------------------------------------------------------

    def begin(self, span) -> None:
        """Prepare for a run of some time: refuse what would not fit, record the start."""
        self._check_memory(span)
        self._open()
        for log in self.logs:
            if log.begin is None:
                log.begin = log.end = self.engine.now
                if not self.engine.now:
                    log.sample(self.engine)

    def _check_memory(self, span):
        sizes = {log: log.tap.bytes(span) for log in self.logs if log.path is None}
        sizes = {log: size for log, size in sizes.items() if size}
        total = sum(sizes.values())
        if sizes and total + self.bytes() > self.memory_limit:
            most, others = max(sizes, key=lambda log: sizes[log]), len(sizes) - 1
            and_others = f" and {others} other recording{'s' if others > 1 else ''}" if others else ""
            raise SimulationError(
                f"recording {most.recorder.variable!r} of {most.recorder.what.name!r}{and_others} for "
                f"{float(self.engine.clock.ms(span)):g} ms "
                f"needs {total / 1e9:.3g} GB, more than memory_limit = {self.memory_limit / 1e9:.3g} GB with the "
                f"{self.bytes() / 1e9:.3g} GB that are there; record every=... ms, fewer ids=..., or stream it with "
                "to='file.h5'")

    def bytes(self) -> int:
        """Return how much memory the recordings take."""
        return sum(log.bytes for log in self.logs)

    def due(self, stop):
        """Return the stamp, up to `stop`, at which the engine must stop for the next sample."""
        return min([stop, *(due for log in self.logs if (due := log.tap.due()) is not None)])

    def collect(self) -> None:
        """Take what the last advance left."""
        for log in self.logs:
            log.collect(self.engine)
        self._flush()
        if self.bytes() > self.memory_limit:
            raise SimulationError(
                f"recordings take {self.bytes() / 1e9:.3g} GB at t = {self._now:g} ms, more than memory_limit = "
                f"{self.memory_limit / 1e9:.3g} GB; stream them with to='file.h5', forget() those that were looked "
                "at, or raise the limit")

    @property
    def _now(self) -> float:
        return float(self.engine.clock.ms(self.engine.now))

    def forget(self) -> None:
        """Drop what is kept in memory; recordings go on from now."""
        for log in self.logs:
            if log.stream is None:  # else it waits for its file, where a disk is full
                log.drop()
                log.begin = log.end

    # -- files -------------------------------------------------------------------------------------

    def _open(self):
        new = [log for log in self.logs if log.path is not None and log.stream is None]
        if new:
            from neurosim.streams import create

            clock: Any = self.engine.clock  # one with ticks, as `_log` has seen to
            create(new, self.labels(), clock.dt, self.engine.now)

    @contextmanager
    def files(self):
        """See to it that what was recorded meanwhile is in its files at the end, and on the disk, whatever ended it."""
        try:
            yield
        finally:
            self.flush()
            for log in self.logs:
                if log.stream is not None:
                    log.stream.sync()

    def _flush(self):
        """Move chunks to files, now and then."""
        waiting = sum(log.bytes for log in self.logs if log.path is not None)
        if waiting and (waiting > FLUSH_BYTES or time.monotonic() - self._flushed > FLUSH_SECONDS):
            self.flush()

    def flush(self) -> None:
        """Move all chunks that belong into files there."""
        for log in self.logs:
            if log.stream is not None:
                log.stream.append(log, self.engine.clock.dt, self.engine.now)
        self._flushed = time.monotonic()

    # -- afterwards ----------------------------------------------------------------------------------

    def find(self, what, variable: str) -> Log:
        """Return the recording of a variable, or of spikes, of a population or of more than it."""
        logs = [log for log in self.logs if log.recorder.variable == variable]
        found = [log for log in logs if log.is_of(what)] or [log for log in logs if log.covers(what)]
        if found:
            return found[0]
        check_variable(self.engine.plan.net, what, variable)
        kind = next(name for name, each in KINDS.items() if isinstance(what, each))
        call = f"net.record({kind}"
        call += ")" if variable == "spikes" else f", {variable!r})"
        raise NetworkError(f"{variable!r} of {what.name!r} must be recorded before it can be read; call {call} before "
                           "the simulation is made")

    def spikes(self, population) -> Spikes:
        """Return the recorded spikes of a population."""
        log = self.find(population, "spikes")
        ticks, ids = log.all()
        ticks, ids = log.part(population, ticks, ids)
        begin, end = (0, 0) if log.begin is None else (log.begin, log.end)
        return self.engine.clock.spikes(ticks, ids, begin, end, size=population.size, name=population.name,
                                        watched=log.watched(population), metadata=self.labels())

    def trace(self, what, variable: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (times, values) of a recorded variable."""
        log = self.find(what, variable)
        ticks, rows = log.all()
        ticks, rows = log.part(what, ticks, rows)
        return self.engine.clock.ms(ticks), rows

    def cut(self, before) -> None:
        """Forget what was recorded after the present; everything, if the simulation leapt ahead from `before`."""
        for log in self.logs:
            if self.engine.now > before:
                log.cut(-1)
                log.clear()
            else:
                log.cut(self.engine.now)
        self.flush()

    def contents(self) -> list:
        """Return what is in memory, (begin, end, stamps, rows) for each recording."""
        return [(log.begin, log.end, *log.chunks()) for log in self.logs]

    def put_contents(self, contents: list) -> None:
        """Take over what `contents` returned of the same recorders."""
        for log, (begin, end, ticks, rows) in zip(self.logs, contents, strict=True):
            log.clear()
            log.begin, log.end = begin, end
            log.add(ticks, rows)
