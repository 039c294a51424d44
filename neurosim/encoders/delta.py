"""Delta modulation: a signal tells only by how many steps it has changed."""

from functools import cache

import numpy as np

from neurosim.aliases import PerElement, Real
from neurosim.checks import Parameter, required
from neurosim.encoders.base import Encoder, numbers, own
from neurosim.engine.loader import load_function
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes

_MOST_STEPS = 2.0**31

# A level moves only when the signal has left it by a whole step: it stays between floor and ceil of the signal, in
# steps.
_LEVELS = """
import numpy as np


def main(steps, levels):
    for k in range(1, steps.shape[0]):
        for c in range(steps.shape[1]):
            level = max(levels[k - 1, c], np.int64(np.floor(steps[k, c])))
            levels[k, c] = min(level, np.int64(np.ceil(steps[k, c])))
"""


@cache
def delta_levels():
    """Return the compiled loop that moves levels; the first row of both its arguments is where they begin."""
    return load_function("delta_levels", _LEVELS, {})


class DeltaEncoder(Encoder, kw_only=False):
    """Send-on-delta: an ON or OFF spike for every step of `threshold` by which a signal has risen or fallen.

    Each channel keeps an integer level n, 0 at the first sample. Sample k, with y = (x(k) - x(0)) / threshold, moves it
    to the nearest n with |y - n| < 1, and sends one spike per step at tick k: ON for a step up, OFF for a step down. So
    `x(0) + threshold n` follows the signal with an error below the threshold, and a ripple smaller than it sends
    nothing.

    Args:
        threshold: step, in the unit of the signal, > 0; one number, or one per channel, shape (channels,).
        dt: time between two samples, and the length of a tick, ms, > 0.

    The data of a sample are a signal, shape (times,) or (times, channels), with at least 2 times. Neuron c is the ON
    neuron of channel c, neuron channels + c its OFF neuron. The window is (0, (times - 1) dt]. Nothing is random.

    Raises:
        ParameterError: if a parameter or the signal do not fit.

    >>> encoder = DeltaEncoder(threshold=1.0)
    >>> spikes = encoder.encode([0.0, 0.6, 2.5, 1.8, 0.9])
    >>> spikes.ticks, spikes.ids
    (array([2, 2, 4]), array([0, 0, 1], dtype=uint32))
    >>> encoder.reconstruct(spikes, start=0.0).ravel()
    array([0., 0., 2., 2., 1.])

    Source: Miskowicz, "Send-on-delta concept", Sensors 6 (2006) 49-63.
    """

    stream = 0x656E6304
    positional = 1
    threshold: PerElement = required(Parameter(unit="", above=0, doc="step, in the unit of the signal"))
    dt: Real = own(1.0, "ms", above=0, doc="time between two samples")

    def validate(self):
        if not isinstance(self.threshold, (float, np.ndarray)):
            raise ParameterError(
                f"DeltaEncoder.threshold must be a number or a 1-D array of them, got {self.threshold!r}")

    def reconstruct(self, spikes: Spikes, start=0.0) -> np.ndarray:
        """Return the signal that the spikes tell, `start + threshold (ON - OFF spikes so far)`.

        Args:
            spikes: what `encode` returned.
            start: first sample of the signal: one number, or one per channel, shape (channels,).

        Returns:
            float64, shape (times, channels); it differs from the signal by less than the threshold everywhere.

        Raises:
            ParameterError: if the spikes cannot come from this encoder, or `start` has another number of channels.
        """
        if not isinstance(spikes, Spikes) or spikes.dt != self.dt or spikes.start != 0 or spikes.size % 2:
            raise ParameterError(
                f"DeltaEncoder.spikes must come from an encoder with dt = {self.dt:g} ms, got {spikes!r}")
        channels = spikes.size // 2
        self._check_channels(channels)
        start = numbers("DeltaEncoder.start", start, low=None)
        if start.shape not in ((), (channels,)):
            raise ParameterError(f"DeltaEncoder.start must be one number or one for each of {channels} channels, "
                                 f"got an array of shape {start.shape}")
        steps = np.zeros((round(spikes.duration / self.dt) + 1, channels), dtype=np.int64)
        up = spikes.ids < channels
        np.add.at(steps, (spikes.ticks, spikes.ids % max(1, channels)), np.where(up, 1, -1))
        return start + self.threshold * np.cumsum(steps, axis=0)

    def _check_channels(self, channels):
        if isinstance(self.threshold, np.ndarray) and len(self.threshold) != channels:
            raise ParameterError(f"DeltaEncoder.threshold must be one number or one for each of {channels} channels, "
                                 f"got {len(self.threshold)}")

    def _sample(self, data):
        signal = numbers("DeltaEncoder.data", data, low=None)
        if signal.ndim not in (1, 2) or len(signal) < 2:
            raise ParameterError("DeltaEncoder.data must have shape (times,) or (times, channels) with at least 2 "
                                 f"times, got an array of shape {signal.shape}")
        signal = signal.reshape(len(signal), -1)
        self._check_channels(signal.shape[1])
        return signal

    def _spikes(self, data, generator):
        steps = (data - data[0]) / self.threshold
        if np.abs(steps).max() > _MOST_STEPS:
            raise ParameterError("DeltaEncoder.threshold must be at least 2^-31 of the range of the signal, "
                                 f"got {self.threshold!r}")
        levels = np.zeros(steps.shape, dtype=np.int64)
        delta_levels()(np.ascontiguousarray(steps), levels)
        moves = np.diff(levels, axis=0)
        rows, channels = np.nonzero(moves)
        many = moves[rows, channels]
        ids = channels + np.where(many > 0, 0, data.shape[1])
        return Spikes(ticks=np.repeat(rows + 1, np.abs(many)), ids=np.repeat(ids, np.abs(many)), size=2 * data.shape[1],
                      duration=(len(data) - 1) * self.dt, dt=self.dt)
