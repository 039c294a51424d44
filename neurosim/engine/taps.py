"""What the clocked engine leaves of spikes, variables and synapses, for whoever records them."""

import numpy as np


class VariableTap:
    """A state variable of some neurons, or the current of a drive, which kernels copy at every so many ticks.

    Args:
        engine: the engine.
        key: of the variable among its arrays.
        ids: the neurons, in the numbering of the array.
        every: ticks between two samples.
    """

    def __init__(self, engine, key, ids, every: int):
        self.engine, self.key, self.ids, self.every = engine, key, ids, every
        rows = engine.rows(every, ids.size) + 1
        self.out = np.zeros((rows, ids.size), dtype=engine.neurons[key].dtype)
        self.begin = np.zeros(1, dtype=np.int64)  #: number of the first sample in `out`

    def start(self, tick: int) -> None:
        """Prepare for the ticks from this one on."""
        self.begin[0] = -(-tick // self.every)

    def due(self):
        """Return None: kernels take the samples."""

    def present(self):
        """Return the present sample, if now is a time at which one is taken."""
        return None if self.engine.tick % self.every else self.engine.neurons[self.key][self.ids][None]

    def take(self):
        """Return (ticks, rows) of what the last advance left."""
        begin = int(self.begin[0])
        rows = max(0, self.engine.tick // self.every - begin + 1)
        return (begin + np.arange(rows)) * self.every, self.out[:rows].copy()

    def bytes(self, span) -> int:
        """Return how much memory a recording over some ticks takes."""
        return (span // self.every + 1) * (self.ids.size * self.out.itemsize + 8)


class CurrentTap(VariableTap):
    """What a drive injected in the tick that ends now; before the first tick nothing has."""

    def present(self):
        """Return None: what flowed before a run began is not of it."""


class SpikeTap:
    """The spikes of a population, or of some of its neurons."""

    every = 1

    def __init__(self, engine, population, ids):
        self.engine, self.population, self.ids = engine, population, ids

    def due(self):
        """Return None: lists of spikes last longer than a chunk."""

    def present(self):
        """Return None: spikes have no present value."""

    def take(self):
        """Return (ticks, ids) of what the last advance left."""
        ticks, ids = self.engine.slots_between(self.population, self.engine.before, self.engine.tick)
        if self.ids is None:
            return ticks, ids
        mine = np.isin(ids, self.ids)
        return ticks[mine], ids[mine]

    def bytes(self, span) -> int:
        """Return 0: nobody knows."""
        return 0


class SynapseTap:
    """A quantity of the synapses of a projection, for which the engine stops."""

    def __init__(self, engine, projection, variable: str, every):
        self.engine, self.projection, self.variable, self.every = engine, projection, variable, every

    def due(self):
        """Return the next stamp at which a sample is taken."""
        return (self.engine.now // self.every + 1) * self.every

    def present(self):
        """Return the present sample, if now is a time at which one is taken."""
        if self.engine.now % self.every:
            return None
        source, _, _, values = self.engine.synapses(self.projection)
        return np.broadcast_to(values[self.variable], (1, source.size)).copy()

    def take(self):
        """Return (stamps, rows): the present sample, if there is one."""
        row = self.present()
        stamps = np.array([self.engine.now], dtype=self.engine.clock.dtype)
        return (stamps[:0], np.empty((0, 0))) if row is None else (stamps, row)

    def bytes(self, span) -> int:
        """Return how much memory a recording over a span of time takes."""
        plan = self.engine.plan
        size = plan.projections[self.projection].n_synapses * np.dtype(plan.real).itemsize
        return int(span // self.every + 1) * size
