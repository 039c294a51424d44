"""Latency code: the larger the value, the earlier its one spike."""

from typing import Literal

import numpy as np

from neurosim.aliases import Choice, Real, RealOrNone
from neurosim.checks import Option, check_ticks
from neurosim.encoders.base import Encoder, own
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


class LatencyEncoder(Encoder):
    """One spike per neuron, the earlier the larger its value; values up to the threshold never spike.

    With x the value and theta the threshold, neurons with x > theta spike at

    - "linear": `t = t_max - (t_max - t_min) (x - theta) / (1 - theta)`, from t_min for x = 1 to t_max for x = theta;
    - "log": `t = t_min + tau ln(x / (x - theta))`, the time at which a leaky integrator with time constant tau and the
      input x from t_min on reaches theta. Where that is later than t_max there is no spike.

    The window is (0, t_max]; with `dt`, times are rounded to the nearest tick. Nothing is random: seed and key do not
    matter.

    Args:
        law: "linear" or "log".
        t_min: earliest spike of the linear law, begin of the input of the other, ms, > 0 and < t_max.
        t_max: latest spike and length of the window, ms, > 0; with `dt` a multiple of it.
        tau: time constant of the "log" law, ms, > 0.
        threshold: values up to this one do not spike, 0 to below 1; above 0 for "log".
        dt: length of a tick, ms, > 0, at most t_min; or None for exact times.

    The data of a sample are numbers in [0, 1] of any shape; neuron i is number i in C order.

    Raises:
        ParameterError: if a parameter or the data do not fit.

    >>> LatencyEncoder(t_min=1.0, t_max=11.0).encode([0.0, 0.5, 1.0]).trains()
    [array([], dtype=float64), array([6.]), array([1.])]
    >>> LatencyEncoder(law="log", threshold=0.5, tau=10.0, t_max=50.0, dt=None).encode([0.5, 1.0]).times.round(3)
    array([7.931])

    Source: Thorpe, Delorme, Van Rullen, "Spike-based strategies for rapid processing", Neural Networks 14 (2001)
    715-725 (linear order of firing); the logarithmic law is the charging curve of a leaky integrator.
    """

    stream = 0x656E6303
    law: Choice[Literal["linear", "log"]] = Option("linear", ("linear", "log"),
                                                   doc="how the time follows from the value")
    t_min: Real = own(1.0, "ms", above=0, doc="earliest spike, or begin of the input")
    t_max: Real = own(100.0, "ms", above=0, doc="latest spike and length of the window")
    tau: Real = own(20.0, "ms", above=0, doc="time constant of the \"log\" law")
    threshold: Real = own(0.0, "", at_least=0, below=1, doc="values up to this one do not spike")
    dt: RealOrNone = own(1.0, "ms", above=0, optional=True, doc="length of a tick; None gives exact times")

    def validate(self):
        if self.t_min >= self.t_max:
            raise ParameterError(f"LatencyEncoder.t_min must be < t_max = {self.t_max:g} ms, got {self.t_min:g}")
        if self.law == "log" and self.threshold == 0:
            raise ParameterError("LatencyEncoder.threshold must be > 0 for the 'log' law, got 0")
        if self.dt is not None:
            check_ticks("LatencyEncoder.t_max", self.t_max, self.dt, at_least=1)
            if self.t_min < self.dt:
                raise ParameterError(f"LatencyEncoder.t_min must be >= dt = {self.dt:g} ms, got {self.t_min:g}")

    def times(self, data) -> np.ndarray:
        """Return the exact time of each value's spike in ms, infinite where there is none; shape of the data.

        >>> LatencyEncoder(t_min=1.0, t_max=11.0).times([0.0, 0.25, 1.0])
        array([inf, 8.5, 1. ])
        """
        return self._times(self._sample(data)).reshape(np.shape(data))

    def _times(self, x):
        times = np.full(x.shape, np.inf)
        fires = x > self.threshold
        over = x[fires] - self.threshold
        if self.law == "linear":
            times[fires] = self.t_max - (self.t_max - self.t_min) * (over / (1.0 - self.threshold))
        else:
            times[fires] = self.t_min + self.tau * np.log(x[fires] / over)
        times[times > self.t_max] = np.inf
        return times

    def _spikes(self, data, generator):
        times = self._times(data)
        ids = np.flatnonzero(np.isfinite(times))
        if self.dt is None:
            return Spikes(times=times[ids], ids=ids, size=data.size, duration=self.t_max)
        ticks = np.rint(times[ids] / self.dt).astype(np.int64)
        return Spikes(ticks=ticks, ids=ids, size=data.size, duration=self.t_max, dt=self.dt)
