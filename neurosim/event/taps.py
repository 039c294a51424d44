"""What the event engine leaves of spikes and variables, for whoever records them."""

import numpy as np


class SpikeTap:
    """The spikes of a population, or of some of its neurons, with exact times."""

    every = 1

    def __init__(self, engine, population, ids):
        self.engine, self.ids, self.place = engine, ids, engine.index[population]

    def due(self):
        """Return None: the loop keeps all spikes."""

    def present(self):
        """Return None: spikes have no present value."""

    def take(self):
        """Return (times, ids) of what the last advance left."""
        times, ids, of = self.engine.seen
        mine = of == self.place
        if self.ids is not None:
            mine &= np.isin(ids, self.ids)
        return times[mine], ids[mine].astype(np.uint32)

    def bytes(self, span) -> int:
        """Return 0: nobody knows."""
        return 0


class CurrentTap:
    """What a drive injected just before now, for which the engine stops at every multiple of a time."""

    def __init__(self, engine, drive, ids, every):
        self.engine, self.drive, self.ids, self.every = engine, drive, ids, every

    def due(self):
        """Return the next time at which a sample is taken."""
        return (self.engine.now // self.every + 1) * self.every

    def present(self):
        """Return None: what flowed before a run began is not of it."""

    def take(self):
        """Return (times, rows): the sample of now, if one is taken now."""
        now = self.engine.now
        if now % self.every:
            return np.empty(0), np.empty((0, self.ids.size))
        times, values = self.engine.plan.drives[self.drive].form
        row = values[max(int(np.searchsorted(times, float(now), side="left")) - 1, 0)]
        return np.array([float(now)]), np.broadcast_to(row, self.drive.target.size)[self.ids][None]

    def bytes(self, span) -> int:
        """Return how much memory a recording over some time takes."""
        return int(span // self.every + 1) * (self.ids.size + 1) * 8


class VariableTap:
    """A state variable of some neurons, for which the engine stops at every multiple of a time."""

    def __init__(self, engine, population, variable: str, ids, every):
        self.engine, self.population, self.ids, self.every = engine, population.base, ids, every
        self.column = engine.key(population, variable)

    def due(self):
        """Return the next time at which a sample is taken."""
        return (self.engine.now // self.every + 1) * self.every

    def present(self):
        """Return the present sample, if now is a time at which one is taken."""
        if self.engine.now % self.every:
            return None
        return self.engine.look(self.population)[self.ids, self.column][None]

    def take(self):
        """Return (times, rows): the present sample, if there is one."""
        row = self.present()
        if row is None:
            return np.empty(0), np.empty((0, self.ids.size))
        return np.array([float(self.engine.now)]), row

    def bytes(self, span) -> int:
        """Return how much memory a recording over some time takes."""
        return int(span // self.every + 1) * (self.ids.size + 1) * 8
