"""Rate codes: the larger the value, the more spikes."""

import numpy as np

from neurosim.aliases import Real, RealOrNone
from neurosim.checks import check_ticks
from neurosim.encoders.base import Encoder, own
from neurosim.spikes import Spikes

_BLOCK = 2**20  # draws that are held at a time


class PoissonEncoder(Encoder, kw_only=False):
    """Independent Poisson trains whose rates are proportional to the values.

    Neuron i has the rate `max_rate * x_i`, so the number of its spikes is Poisson with mean
    `max_rate * x_i * duration / 1000`, and each falls at any time of the window with equal probability. Several spikes
    of one neuron in one tick are several spikes.

    Args:
        max_rate: rate of the value 1, Hz, >= 0.
        duration: length of the window, ms, > 0; with `dt` a multiple of it.
        dt: length of a tick, ms, > 0, or None for exact times.

    The data of a sample are numbers in [0, 1] of any shape; neuron i is number i in C order.

    Raises:
        ParameterError: if a parameter or the data do not fit.

    >>> encoder = PoissonEncoder(max_rate=200.0, duration=1000.0)
    >>> spikes = encoder.encode([0.0, 1.0], seed=1)
    >>> spikes.rates().round(-2)
    array([  0., 200.])
    >>> encoder.encode_batch([[0.5, 0.5], [0.0, 1.0]], seed=1, keys=[7, 0])[1] == spikes
    True

    Source: Heeger, Poisson model of spike generation, Stanford handout, 2000 (homogeneous case, drawn by its counts).
    """

    stream = 0x656E6301
    positional = 1
    max_rate: Real = own(100.0, "Hz", at_least=0, doc="rate of the value 1")
    duration: Real = own(100.0, "ms", above=0, doc="length of the window")
    dt: RealOrNone = own(1.0, "ms", above=0, optional=True, doc="length of a tick; None gives exact times")

    def validate(self):
        if self.dt is not None:
            check_ticks("PoissonEncoder.duration", self.duration, self.dt, at_least=1)

    def _spikes(self, data, generator):
        ids = np.repeat(np.arange(data.size), generator.poisson(self.max_rate * self.duration / 1000.0 * data))
        if self.dt is None:
            times = self.duration * (1.0 - generator.random(ids.size))  # in (0, duration]
            return Spikes(times=times, ids=ids, size=data.size, duration=self.duration)
        ticks = generator.integers(1, round(self.duration / self.dt), size=ids.size, endpoint=True)
        return Spikes(ticks=ticks, ids=ids, size=data.size, duration=self.duration, dt=self.dt)


class BernoulliEncoder(Encoder, kw_only=False):
    """At most one spike per neuron and tick, with a probability proportional to the value.

    In every tick neuron i spikes with the probability `p_max * x_i`, independently.

    Args:
        p_max: probability of a spike in a tick for the value 1, 0 to 1.
        duration: length of the window, ms, > 0, a multiple of `dt`.
        dt: length of a tick, ms, > 0.

    The data of a sample are numbers in [0, 1] of any shape; neuron i is number i in C order.

    Raises:
        ParameterError: if a parameter or the data do not fit.

    >>> BernoulliEncoder(p_max=1.0, duration=3.0).encode([0.0, 1.0]).to_dense()
    array([[False,  True],
           [False,  True],
           [False,  True]])

    Source: Dayan, Abbott, Theoretical Neuroscience, MIT Press 2001, section 1.4.
    """

    stream = 0x656E6302
    positional = 1
    p_max: Real = own(0.1, "", at_least=0, at_most=1, doc="probability of a spike in a tick for the value 1")
    duration: Real = own(100.0, "ms", above=0, doc="length of the window")
    dt: Real = own(1.0, "ms", above=0, doc="length of a tick")

    def validate(self):
        check_ticks("BernoulliEncoder.duration", self.duration, self.dt, at_least=1)

    def _spikes(self, data, generator):
        probability = self.p_max * data
        many, rows = round(self.duration / self.dt), max(1, _BLOCK // data.size)
        ticks, ids = [], []
        for begin in range(0, many, rows):  # the draws come in the same order whatever the size of a block
            tick, neuron = np.nonzero(generator.random((min(rows, many - begin), data.size)) < probability)
            ticks.append(tick + (begin + 1))
            ids.append(neuron)
        return Spikes(ticks=np.concatenate(ticks), ids=np.concatenate(ids), size=data.size, duration=self.duration,
                      dt=self.dt)
