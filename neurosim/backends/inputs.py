"""What a network is given from outside, tick by tick, drawn as a simulation draws it: trains, events, currents.

Other simulators draw other random numbers. So what neurosim would draw is measured: a small network of the sources and
drives alone, with their own random streams, is run, and what arrives is handed over as plain spikes and currents.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np

from neurosim.contracts import State
from neurosim.errors import NeurosimWarning
from neurosim.network import Network
from neurosim.neurons import Neuron
from neurosim.receptors import Pulse
from neurosim.running import Run, lay_out
from neurosim.sources import InjectedCurrent, Poisson, PoissonDrive, SineCurrent, StepCurrent

PIECE = 2_000_000  #: numbers that are measured at once
CERTAIN = (InjectedCurrent, StepCurrent, SineCurrent)  #: currents in which nothing is drawn


class Meter(Neuron):
    """A neuron whose v is the current of the tick."""

    spiking = False
    unit = ""
    current_unit = "1"
    state = {"v": State(0.0)}

    @staticmethod
    def step(v, i):
        """Show the current."""
        return i + 0.0 * v


@dataclass(frozen=True, eq=False)
class Train:
    """Spikes of a source, or events at the targets of a drive, sorted by tick, then id.

    Attributes:
        ticks, ids: of each, shape (spikes,); several of one id at one tick are one entry.
        counts: how many it is, shape (spikes,).
    """

    ticks: np.ndarray
    ids: np.ndarray
    counts: np.ndarray

    @property
    def several(self) -> int:
        """The most spikes of one id at one tick."""
        return int(self.counts.max(initial=1))


@dataclass(frozen=True, eq=False)
class Steps:
    """A current that is constant between some ticks.

    Attributes:
        since: the ticks with which each value begins, the first 1, ascending, shape (values,); the tick t is the
            interval from t - 1 to t.
        values: shape (values, neurons), or (values, 1) where all neurons have the same.
    """

    since: np.ndarray
    values: np.ndarray

    def rows(self, ticks: int) -> np.ndarray:
        """Return the value of every tick from the first on, shape (ticks, neurons or 1)."""
        return np.repeat(self.values, np.diff([*self.since, ticks + 1]), axis=0)


def trains_of(run: Run, ticks: int) -> dict:
    """Return the spikes of every source of a network that is laid out: population -> `Train`."""
    found = {}
    for population, plan in run.plan.populations.items():
        if isinstance(population.model, Poisson):
            found[population] = _train(*_spikes(run, plan, ticks))
        elif population in run.engine.given:
            at, ids = run.engine.given[population]
            inside = at <= ticks
            found[population] = _train(at[inside], ids[inside])
    return found


def events_of(run: Run, ticks: int) -> dict:
    """Return the events of every Poisson drive: drive -> `Train`, whose ids are of the whole population."""
    found = {}
    for drive, plan in run.plan.drives.items():
        if not isinstance(drive.drive, PoissonDrive):
            continue
        shown = PoissonDrive(rate=plan.parameters.rate, weight=1.0)
        pieces = [(np.nonzero(rows), rows, first) for first, rows in
                  _measured(run, [(drive, plan, shown, Pulse())], ticks, drive.target.base.size)]
        at = [[*place, rows[place]] for place, rows, _ in pieces]
        found[drive] = Train(np.concatenate([place[0] + first + 1 for place, _, first in pieces]),
                             np.concatenate([each[1] for each in at]),
                             np.concatenate([np.rint(each[2]).astype(np.int64) for each in at]))
    return found


def currents_of(run: Run, ticks: int) -> dict:
    """Return the sum of the injected currents of each population that has any: population -> `Steps`."""
    by_target = {}
    for drive, plan in run.plan.drives.items():
        if drive.receptor is None:
            by_target.setdefault(drive.target.base, []).append((drive, plan))
    found = {}
    for population, drives in by_target.items():
        alike = all(_same_for_all(drive, plan) for drive, plan in drives)
        shown = [(drive, plan, drive.drive.replace(**vars(plan.parameters)), None) for drive, plan in drives]
        found[population] = _steps([rows for _, rows in _measured(run, shown, ticks, 1 if alike else population.size)])
    return found


def _same_for_all(drive, plan) -> bool:
    """Whether a current is the same for all neurons of the population."""
    values = [getattr(value, "values", np.atleast_1d(value)) for value in vars(plan.parameters).values()]
    one = all(np.ndim(value) < 2 or np.shape(value)[1] == 1 for value in values if np.ndim(value) != 1)
    arrays = any(np.ndim(value) == 1 for value in vars(plan.parameters).values())
    return isinstance(drive.drive, CERTAIN) and drive.target.size == drive.target.base.size and one and not arrays


def _spikes(run, plan, ticks):
    """Run a Poisson population alone, with its own stream of random numbers."""
    net = Network()
    source = net.add(Poisson(plan.parameters.rate), plan.population.size, name=plan.population.name)
    net.record(source)
    alone = _probe(run, net, populations={source: plan.stream})
    alone.recordings.begin(ticks)
    alone.go_on(ticks)
    spikes = alone.recordings.spikes(source)
    return spikes.ticks, spikes.ids


def _measured(run, drives, ticks, size):
    """Yield (number of ticks before, rows) of the current that drives inject into meters, piece by piece."""
    net = Network()
    meters = net.add(Meter(), size, name="meters")
    made = {}
    for drive, plan, shown, receptor in drives:
        part = meters[drive.target.ids] if size > 1 else meters
        made[net.drive(part, shown, receptor=receptor, name=drive.name)] = plan.stream
    net.record(meters, "v")
    alone = _probe(run, net, drives=made)
    for first in range(0, ticks, max(1, PIECE // size)):
        last = min(ticks, first + max(1, PIECE // size))
        alone.recordings.begin(last - first)
        alone.go_on(last)
        times, rows = alone.recordings.trace(meters, "v")
        yield first, rows[-(last - first):]
        alone.recordings.forget()


def _probe(run, net, populations=None, drives=None):
    """Return a run of a small network whose parts have the random streams of those that they stand for."""
    settings = replace(run.settings, threads=1, packed=False, memory_limit=max(run.settings.memory_limit, 1e9))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)  # they were said of the network itself
        plan = lay_out(net, settings)
    given = {"populations": populations or {}, "drives": drives or {}}
    streams = {kind: {part: replace(laid, stream=given[kind].get(part, laid.stream))
                      for part, laid in getattr(plan, kind).items()} for kind in given}
    return Run(net, settings, plan=replace(plan, **streams))


def _train(ticks, ids) -> Train:
    """Return spikes with those of one id at one tick put together."""
    order = np.lexsort((ids, ticks))
    pairs, counts = np.unique(np.stack([np.asarray(ticks)[order], np.asarray(ids, np.int64)[order]]), axis=1,
                              return_counts=True)
    return Train(pairs[0], pairs[1], counts)


def _steps(pieces) -> Steps:
    """Return rows, one for each tick, as values between changes."""
    since, values, before, first = [], [], None, 1
    for rows in pieces:
        changed = np.ones(len(rows), bool)
        changed[1:] = (rows[1:] != rows[:-1]).any(axis=1)
        changed[0] = before is None or bool((rows[0] != before).any())
        since.append(np.nonzero(changed)[0] + first)
        values.append(rows[changed])
        before, first = rows[-1], first + len(rows)
    joined = np.concatenate(values)
    if joined.shape[1] > 1 and (joined == joined[:, :1]).all():
        joined = joined[:, :1]
    return Steps(np.concatenate(since), joined)
