"""A network that runs: the one owner of its plan, its engine and its recordings, and the loop that drives them."""

import signal
import threading
import time
from dataclasses import replace
from functools import cached_property
from typing import Any

from neurosim.checks import same
from neurosim.engine.changing import BORN
from neurosim.engine.clocked import Clocked
from neurosim.engine.partition import parts_of
from neurosim.engine.plan import Plan
from neurosim.engine.planner import Planner
from neurosim.engine.protocol import Engine
from neurosim.errors import ParameterError, SimulationError
from neurosim.network import Network, Population, Projection
from neurosim.recording import Recordings
from neurosim.settings import Settings, State

RESPONSE = 0.1  #: seconds within which a run looks up: for Ctrl-C, the progress bar, memory
KINDS = {"population": "populations", "projection": "projections", "drive": "drives"}


def lay_out(net: Network, settings: Settings) -> Plan[Any]:
    """Return the plan of a network for some settings, for the engine that they ask for."""
    if settings.dt is None:
        from neurosim.event.planner import EventPlanner

        return EventPlanner(net, settings.seed).plan()
    parts = parts_of(net, settings.threads, settings.packed)
    return Planner(net, settings.dt, settings.seed, settings.real, parts, settings.packed, settings.threads).plan()


class Run:
    """A network with its plan, its engine and its recordings.

    Args:
        net: the network; nobody changes it any more.
        settings: how it is run.
        plan: that of the network for these settings, where it is there.
        state: where it begins; at rest by default.
        record: whether it keeps the recordings that the network asks for.
        most_ticks: how many ticks are run at once at most, where there are ticks.
        fingerprint: of the network, where it is known.
    """

    def __init__(self, net: Network, settings: Settings, *, plan=None, state: State | None = None,
                 record: bool = True, most_ticks: int | None = None, fingerprint: str | None = None):
        self.net, self.settings = net, settings
        if fingerprint is not None:
            self.fingerprint = fingerprint
        self.plan = lay_out(net, settings) if plan is None else plan  #: as it was laid out, without changes
        self.engine = self._engine(most_ticks)
        self.ages: dict[Projection, float] = {}  #: of devices, ms, beyond what the run itself took
        self.described = dict(self.engine.given)  #: the spikes that the description gives to sources
        self.feeds: dict = {}  #: drive -> amplitudes that are written from outside
        self.sample = 0
        self.budget = 4 * self.engine.least  #: stamps that are run at once, as many as take a moment
        self.recordings = Recordings(self.engine, net.recorders if record else [], settings.memory_limit,
                                     lambda: {"seed": settings.seed, "network": self.fingerprint})
        if state is not None:
            self.restore(state)
        self.engine.settle()  # which makes the programs, so that what they refuse is refused now

    @cached_property
    def fingerprint(self) -> str:
        """That of the network."""
        return self.net.fingerprint()

    def _engine(self, most_ticks) -> Engine:
        noise = self.settings.seed if self.settings.noise is None else self.settings.noise
        if self.settings.mode == "event":
            from neurosim.event.engine import EventEngine

            return EventEngine(self.plan, noise=noise, memory_limit=self.settings.memory_limit)
        return Clocked(self.plan, noise=noise, **({} if most_ticks is None else {"most_ticks": most_ticks}))

    # -- state -----------------------------------------------------------------------------------------

    def state(self) -> State:
        """Return a copy of everything that changes while the network runs."""
        engine = self.engine
        changes = {(kind, owner.name, name): value for kind, group in KINDS.items()
                   for (owner, name), value in engine.plan.changes.items() if owner in getattr(self.plan, group)}
        changes |= {("drive", d.name, "amplitude"): values.copy() for d, values in self.feeds.items()}
        given = {p.name: events for p, events in engine.given.items() if events is not self.described[p]}
        return State(engine.now, engine.snapshot(), changes, given, self.sample,
                     {p.name: age for p, age in self.ages.items()}, self.fingerprint, self.settings)

    def check(self, state: State) -> None:
        """Raise ParameterError if a state is not one of this network with these settings."""
        if state.network != self.fingerprint:
            raise ParameterError("state must be of an equal network, got one of another network; describe the network "
                                 "as it was when the state was taken")
        for name, value in self.settings.identity.items():
            other = state.settings.identity[name]
            if other != value:
                raise ParameterError(f"state must be of a simulation with {name} = {value!r}, got one with "
                                     f"{name} = {other!r}")

    def restore(self, state: State, keep=(), sample: int | None = None) -> None:
        """Go to a state.

        Args:
            state: what `state` returned, of this run or of one of an equal network with the same settings.
            keep: projections and populations that keep what they have learned and what was set of them.
            sample: what selects the random numbers of what follows; by default that of the state.
        """
        self.check(state)
        engine = self.engine
        now = dict(engine.plan.changes)
        self.change_to({**self._changes_of(state), **_kept(now, keep, Projection)})
        engine.check(state.arrays)
        engine.restore(state.arrays, state.time, keep)
        self.change_to({**engine.plan.changes, **_kept(now, keep, Population)})  # from a state that came of others
        for drive, values in self.feeds.items():
            values[:] = engine.plan.drives[drive].parameters.amplitude
        for population, events in self.described.items():
            wanted = state.given.get(population.name, events)
            if engine.given[population] is not wanted:
                engine.give(population, *wanted)
        self.set_sample(state.sample if sample is None else sample)
        self.ages = {p: age for p, age in self.ages.items() if p in keep} | {
            p: age for name, age in state.ages.items() if (p := self.net.projection(name)) not in keep}

    def _changes_of(self, state: State) -> dict:
        """Return what had been set, (owner, name) -> value."""
        owners = {(kind, owner.name): owner for kind, group in KINDS.items() for owner in getattr(self.plan, group)}
        return {(owners[kind, name], parameter): value for (kind, name, parameter), value in state.changes.items()}

    def change_to(self, wanted: dict) -> None:
        """Let what is set be this and nothing else, (owner, name) -> value."""
        now = self.engine.plan.changes
        if wanted.keys() != now.keys() or any(value is not now[key] and not same(value, now[key])
                                              for key, value in wanted.items()):
            self.engine.change(self.engine.changed(self.plan, wanted) if wanted else self.plan)

    def set_sample(self, sample: int) -> None:
        """Choose the random numbers of what follows."""
        self.sample = sample
        self.engine.set_sample(sample)

    def allow(self, limit: float) -> None:
        """Let recordings, and events under way, take so many bytes."""
        self.settings = replace(self.settings, memory_limit=limit)
        self.recordings.memory_limit = self.engine.memory_limit = self.settings.memory_limit

    def feed(self, drive):
        """Return the amplitudes of an injected current, which act as soon as they are written."""
        self.feeds[drive] = self.engine.feed(drive)
        return self.feeds[drive]

    def change(self, changes: dict) -> None:
        """Set parameters or static quantities of synapses, which are known to fit: (owner, name) -> value."""
        for (owner, name), value in changes.items():
            if owner in self.feeds and name == "amplitude":
                self.feeds[owner][:] = value
        self.engine.change(self.engine.changed(self.engine.plan, changes))

    def go_to(self, state: State, keep=(), sample: int | None = None) -> None:
        """Go to a state; what was recorded after it is forgotten."""
        before = self.engine.now
        self.restore(state, keep, sample)
        self.recordings.cut(before)

    def clone(self, settings: Settings, record: bool = True) -> "Run":
        """Return another run that goes on from here with other settings, which lay the network out as it is or anew."""
        alike = replace(settings, noise=None, memory_limit=self.settings.memory_limit) == replace(
            self.settings, noise=None)
        state = replace(self.state(), settings=replace(settings))
        return Run(self.net, settings, plan=self.plan if alike else None, state=state, record=record)

    # -- running ---------------------------------------------------------------------------------------

    @property
    def time(self) -> float:
        """How far it has run, ms."""
        return float(self.engine.clock.ms(self.engine.now))

    def until(self, end, budget: int, allow_infinite: bool) -> int:
        """Go on towards a stamp for about so much work, and take what came of it; return how much was done."""
        grown = self._grown()
        done = self.engine.advance(min(self.recordings.due(end), grown or end), budget)
        self.recordings.collect()
        if not allow_infinite:
            found = self.engine.infinite()
            if found:
                raise SimulationError(f"{found} at or before t = {self.time:g} ms; look for too large weights, "
                                      "currents or dt")
        return done

    def _grown(self):
        """Return the tick at which the first of the new synapses are like all others, if there are any."""
        plan = self.engine.plan
        young = {owner: int(born.max()) + int(plan.projections[owner].connectivity.delays.max())
                 for (owner, name), born in plan.changes.items() if name == BORN}
        if any(tick <= self.engine.now for tick in young.values()):
            self.change_to({(owner, name): value for (owner, name), value in plan.changes.items()
                             if name != BORN or young[owner] > self.engine.now})
        return min((tick for tick in young.values() if tick > self.engine.now), default=None)

    def go_on(self, end, *, period=None, visit=None, show=lambda amount: None, allow_infinite: bool = False) -> None:
        """Run up to a stamp.

        Args:
            end: the stamp.
            period: stamps between two visits.
            visit: called without arguments at every multiple of the period.
            show: called with the ms that were run.
            allow_infinite: whether values that are infinite or undefined let the run go on.

        Raises:
            SimulationError: a value became infinite or undefined, or recordings need too much memory.
            KeyboardInterrupt: Ctrl-C was pressed; the run can go on from `now`.
        """
        engine, start = self.engine, self.time
        with _Interrupt() as interrupt, self.recordings.files():
            while engine.now < end:
                stop = end if visit is None else min(end, (engine.now // period + 1) * period)
                began = time.perf_counter()
                done = self.until(stop, self.budget, allow_infinite)
                took = time.perf_counter() - began
                self.budget = int(min(max(engine.least, 4 * self.budget),
                                      max(engine.least, done * RESPONSE / max(took, 1e-6))))
                show(self.time - start)
                if visit is not None and engine.now % period == 0:
                    visit()
                interrupt.check()


def _kept(changes: dict, keep, kind) -> dict:
    """Return the changes of those that are kept and of some kind; since when there are synapses is no one's to keep."""
    return {(owner, name): value for (owner, name), value in changes.items()
            if isinstance(owner, kind) and name != BORN and any(owner is each for each in keep)}


class _Interrupt:
    """Holds Ctrl-C back until a chunk of ticks has ended."""

    def __enter__(self):
        self.asked, self.before = False, None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.getsignal(signal.SIGINT)
            if self.before is signal.default_int_handler:
                signal.signal(signal.SIGINT, self._note)
            else:
                self.before = None
        return self

    def _note(self, *_):
        self.asked = True

    def check(self):
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.asked:
            raise KeyboardInterrupt

    def __exit__(self, kind, *_):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
        if kind is None:
            self.check()


__all__ = ["Run", "lay_out"]
