"""Running one network for many independent inputs: `run_batch`."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from neurosim import setting
from neurosim.checks import check_is, check_ticks, check_whole, describe_value, is_whole
from neurosim.errors import (
    NeurosimError,
    ParameterError,
    SimulationError,
    UnsupportedError,
    held_back,
    warn,
    warn_of_all,
)
from neurosim.machine import cores
from neurosim.network import DriveOn, Population, Projection, one_with, recordable
from neurosim.progress import progress_bar
from neurosim.running import Run, lay_out
from neurosim.sources import SpikeSource
from neurosim.spikes import Spikes

LOOK = 0.1  #: seconds between two looks of the waiting thread: for Ctrl-C and the progress bar
MOST_TICKS = 1024  #: ticks that a sample runs before it looks whether it must stop


class Result:
    """What one sample of a batch left.

    Attributes:
        index: position of the sample in the batch.
        key: the whole number that selected its random numbers.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> source = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=2, duration=1.0)), name="input")
    >>> cells = net.add(ns.LIF(), 3, name="cells")
    >>> synapses = net.connect(source, cells, weight=20.0)
    >>> net.record(cells)
    >>> samples = [ns.Spikes.from_times([1.0], [k], size=2, duration=5.0, dt=0.1) for k in range(2)]
    >>> [len(result.spikes(cells)) for result in ns.Simulation(net, dt=0.1).run_batch(samples, 5.0)]
    [3, 3]
    """

    def __init__(self, batch, index: int, key: int, recorded: list):
        self.index, self.key = index, key
        self._batch, self._recorded = batch, recorded

    def spikes(self, population: Population | str) -> Spikes:
        """Return the recorded spikes of a population; their times count from the beginning of the sample.

        Args:
            population: the population, or its name.

        Raises:
            NetworkError: its spikes are not recorded.
        """
        batch = self._batch
        population = batch.net.population(population) if isinstance(population, str) else population
        place, log = batch.find(population, "spikes")
        ticks, ids = log.part(population, *self._recorded[place])
        return Spikes(ticks=ticks - batch.tick, ids=ids, size=population.size, dt=batch.dt,
                      watched=log.watched(population), duration=batch.ticks * batch.dt, name=population.name,
                      metadata={"seed": batch.seed, "key": self.key, "network": batch.run.fingerprint})

    def trace(self, what: Population | Projection | DriveOn | str,
              variable: str = "v") -> tuple[np.ndarray, np.ndarray]:
        """Return what was recorded of a variable.

        Args:
            what: the population, projection or drive, or its name.
            variable: name of the variable.

        Returns:
            times: ms from the beginning of the sample, shape (samples,).
            values: shape (samples, neurons or synapses).

        Raises:
            NetworkError: the variable is not recorded.
        """
        batch = self._batch
        if isinstance(what, str):
            what = one_with(batch.net.called(what, drives=True), [variable], partial(recordable, batch.net), "variable")
        place, log = batch.find(what, variable)
        ticks, rows = log.part(what, *self._recorded[place])
        return (ticks - batch.tick) * batch.dt, rows

    def __repr__(self):
        return f"<result of sample {self.index}, key {self.key}: {self._batch.ticks * self._batch.dt:g} ms>"


def run_batch(run: Run, samples, duration: float, keys=None, threads: int | None = None, progress: bool = False,
              allow_infinite: bool = False, changes: list[dict] | None = None) -> list[Result]:
    """Run a network once for each of many inputs, each from the present state of a run.

    Args:
        run: the run, which stays as it is.
        samples: a dict from `SpikeSource` populations or their names to `Spikes` for each, or `Spikes`; or how many
            trials, which differ in their random numbers alone.
        duration: ms that each runs.
        keys: whole numbers in 0 .. 2^32 - 2, one for each sample; by default its position.
        threads: how many samples run at once; by default one for each core.
        progress: whether to show a progress bar.
        allow_infinite: whether values that are infinite or undefined let a sample go on.
        changes: what is set before each sample, owner -> {name: value}.

    Returns:
        One `Result` for each sample, in order.

    Raises:
        ParameterError: an argument does not fit; the message names the sample.
        UnsupportedError: a recording is streamed to a file.
        SimulationError: a value became infinite or undefined, or the results need too much memory.
    """
    if run.settings.mode != "clocked":
        raise UnsupportedError("run_batch is not there in the mode 'event'; use mode='clocked', or state() and "
                               "restore(...) in a loop")
    for log in run.recordings.logs:
        if log.path is not None:
            raise UnsupportedError(f"run_batch keeps its results in memory, but {log.name} is streamed to {log.path}; "
                                   "record it without to=...")
    samples = _listed(samples)
    batch = _Batch(run, check_ticks("duration", duration, run.engine.plan.dt, at_least=1), allow_infinite)
    inputs = [batch.input(index, sample) for index, sample in enumerate(samples)]
    changes = [{}] * len(samples) if changes is None else changes
    if len(changes) != len(samples):
        raise ParameterError(f"changes must be one for each of the {len(samples)} samples, got {len(changes)}")
    keys = _keys(keys, len(samples))
    if not samples:
        return []
    batch.check_memory(len(samples))
    settings = replace(run.settings, threads=1, memory_limit=np.inf)
    plan = run.plan if run.plan.parts == 1 else lay_out(run.net, settings)
    state = replace(run.state(), settings=settings)
    workers = [_Worker(batch, settings, plan, state) for _ in range(min(_threads(threads), len(samples)))]
    return _run(workers, [*zip(keys, inputs, changes, strict=True)], progress)


def _listed(samples) -> list:
    """Return one input for each sample; trials have none of their own."""
    if is_whole(samples):
        return [{}] * check_whole("the number of trials", samples, at_least=0)
    if isinstance(samples, (str, Spikes, dict)) or not isinstance(samples, Iterable):
        raise ParameterError("samples must be a list, with Spikes or a dict from a population to Spikes for each, or "
                             f"the number of trials, got {describe_value(samples)}")
    return list(samples)


def _keys(keys, n):
    if keys is None:
        return list(range(n))
    check_is("keys", keys, Iterable, "whole numbers, one for each sample")
    keys = list(keys)
    for key in keys:
        if not is_whole(key) or not 0 <= key < 2**32 - 1:
            raise ParameterError(f"keys must be whole numbers in 0 .. 2^32 - 2, got {describe_value(key)}")
    if len(keys) != n:
        raise ParameterError(f"keys must be one for each of the {n} samples, got {len(keys)}")
    return [int(key) for key in keys]


def _threads(threads) -> int:
    if threads is None:
        return cores()
    return check_whole("threads", threads, at_least=1, at_most=256)


class _Batch:
    """What all samples of a batch share."""

    def __init__(self, run, ticks, allow_infinite):
        self.run, self.allow_infinite = run, allow_infinite
        self.net, self.dt, self.seed = run.net, run.settings.dt, run.settings.seed
        self.tick, self.ticks = run.engine.now, ticks
        self.recordings, self.memory_limit = run.recordings, run.settings.memory_limit
        self.given = dict(run.engine.given)
        self.warned, self.lock, self.bytes = False, threading.Lock(), 0

    def find(self, what, variable):
        """Return the place of a recording among the results, and the recording."""
        log = self.recordings.find(what, variable)
        return self.recordings.logs.index(log), log

    def check_memory(self, n):
        """Raise SimulationError if traces of so many samples would not fit."""
        size = n * sum(log.tap.bytes(self.ticks) for log in self.recordings.logs)
        self.refuse(size if size > self.memory_limit else 0)

    def count(self, recorded):
        """Raise SimulationError if the results that there are take too much memory."""
        with self.lock:
            self.bytes += sum(ticks.nbytes + rows.nbytes for ticks, rows in recorded)
            self.refuse(self.bytes if self.bytes > self.memory_limit else 0)

    def refuse(self, size):
        """Raise SimulationError for results of some size."""
        if size:
            raise SimulationError(f"the results of the batch need {size / 1e9:.3g} GB or more, and memory_limit = "
                                  f"{self.memory_limit / 1e9:.3g} GB; record every=... ms or fewer ids=..., or run "
                                  "fewer samples at once")

    def input(self, index, sample) -> dict:
        """Return a sample as a dict from populations to spikes."""
        if isinstance(sample, Spikes):
            if len(self.given) != 1:
                raise ParameterError(f"sample {index} must be a dict from a population to Spikes: the network has "
                                     f"{len(self.given)} populations of SpikeSource, not one")
            sample = {next(iter(self.given)): sample}
        if not isinstance(sample, dict):
            raise ParameterError(f"sample {index} must be Spikes or a dict from a population to Spikes, "
                                 f"got {describe_value(sample)}")
        return {self._source(index, population): self._spikes(index, spikes) for population, spikes in sample.items()}

    def _source(self, index, population):
        found = population
        if isinstance(population, str):
            found = next((p for p in self.given if p.name == population), None)
        if found not in self.given:
            known = ", ".join(repr(p.name) for p in self.given) or "none"
            raise ParameterError(f"sample {index} must name populations of {SpikeSource.__name__} ({known}), "
                                 f"got {describe_value(population)}")
        return found

    def _spikes(self, index, spikes):
        if not isinstance(spikes, Spikes):
            raise ParameterError(f"sample {index} must hold Spikes, got {describe_value(spikes)}")
        return spikes

    def on_time(self, index, population, spikes):
        """Return (ticks, ids) of the spikes of a sample in the time of the simulation."""
        ticks, ids = self.run.engine.clock.given(population, spikes)
        if ticks.size and ticks[-1] > self.ticks and not self.warned:
            self.warned = True
            late = int((ticks > self.ticks).sum())
            warn(f"sample {index} has {late} spikes for {population.name!r} after the duration of the batch, "
                 f"{self.ticks * self.dt:g} ms, which it never reaches")
        return ticks + self.tick if self.tick else ticks, ids


class _Worker:
    """One thread's copy of the run, which goes back to the same state before each sample."""

    def __init__(self, batch, settings, plan, state):
        self.batch = batch
        self.run = Run(batch.net, settings, plan=plan, state=state, most_ticks=min(batch.ticks, MOST_TICKS),
                       fingerprint=batch.run.fingerprint)
        engine: Any = self.run.engine
        longest = plan.longest
        self.marked, self.changes = engine.mark(), engine.plan.changes
        self.pending = [(population, *engine.slots_between(population, batch.tick - longest, batch.tick))
                        for population in engine.slots]

    def one(self, index, key, given, changes, stop) -> Result | None:
        """Run one sample; return None if it was stopped."""
        batch, run, end = self.batch, self.run, self.batch.tick + self.batch.ticks
        self._prepare(index, key, given, changes)
        while run.engine.now < end:
            if stop.is_set():
                return None
            try:
                run.until(end, MOST_TICKS, batch.allow_infinite)
            except SimulationError as error:
                passed = run.time - batch.tick * batch.dt
                raise SimulationError(str(error).replace(f"at or before t = {run.time:g} ms",
                                                         f"at or before t = {passed:g} ms of the sample")) from None
        recorded = [log.chunks() for log in run.recordings.logs]
        batch.count(recorded)
        return Result(batch, index, key, recorded)

    def _prepare(self, index, key, given, changes):
        run, batch = self.run, self.batch
        engine: Any = run.engine
        run.change_to(self.changes)  # a sample outlives the youth of new synapses
        engine.back(self.marked, batch.tick)
        for population, ticks, ids in self.pending:
            engine.put_slots(population, ticks, ids)
        for population, events in batch.given.items():
            if population in given:
                engine.give(population, *batch.on_time(index, population, given[population]))
            elif engine.given[population] is not events:
                engine.give(population, *events)
        run.set_sample(key + 1)
        for owner, values in changes.items():
            setting.put(run, owner, values)
        for log in run.recordings.logs:
            log.clear()
            log.sample(engine)


def _run(workers, samples, progress):
    """Hand the samples to the workers, each in a thread of its own; return the results in order."""
    results: list[Any] = [None] * len(samples)
    failures, held = [], []
    turns, stop = iter(range(len(samples))), threading.Event()
    lock = threading.Lock()

    def work(worker, ended):
        while not stop.is_set():
            with lock:
                index = next(turns, None)
            if index is None:
                break
            try:
                with held_back(held):
                    results[index] = worker.one(index, *samples[index], stop)
            except BaseException as error:
                failures.append((index, error))
                stop.set()
        ended.set()

    ends = [threading.Event() for _ in workers]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(workers, ends, strict=True)]
    with progress_bar(progress, len(samples), "samples") as show:
        try:
            for thread in threads:
                thread.start()
            for ended in ends:  # not `join`, which takes a thread for dead where Ctrl-C interrupts it
                while not ended.wait(LOOK):
                    show(len(samples) - results.count(None))
            show(len(samples) - results.count(None))
        finally:
            stop.set()
            for thread in threads:
                if thread.ident is not None:  # it was started
                    thread.join()
            warn_of_all(held)
    if failures:
        _raise(*min(failures, key=lambda failure: failure[0]))
    return results


def _raise(index, error):
    """Raise what a sample raised; its message names the sample."""
    if isinstance(error, NeurosimError):
        raise type(error)(f"sample {index}: {error}") from error
    error.add_note(f"in sample {index} of the batch")
    raise error


__all__ = ["Result", "run_batch"]
