"""Pairs of nonlinear devices that are only ever pulsed up, and refreshed where they are full."""

import numpy as np

from hardware_models.memristor.nonlinear import NonlinearPulses, shape_of
from neurosim.checks import check_seed, check_whole, describe_value
from neurosim.errors import ParameterError

UPDATES = ("ideal", "bidirectional", "unidirectional")


class SynapseArray:
    r"""A matrix of weights w = G+ - G-, each conductance a share 0 .. 1 of its range, trained by pulses.

    * "unidirectional": a positive change pulses G+ up, a negative one G-; none is ever pulsed down. Where one of a pair
      is nearly full, both are read, reset, and the difference is written back (refresh).
    * "bidirectional": G+ is pulsed up or down and G- stays in the middle, so that the nonlinearity of the two
      directions differs and small opposite changes do not cancel.
    * "ideal": the weight moves by exactly what is asked.

    The pulses of a change are |change| P, rounded at random so that their mean is right. Devices differ: the labels of
    their curves have the standard deviation `spread` times the label.

    Args:
        shape: of the matrix.
        update: one of the three.
        up, down: labels of nonlinearity.
        spread: from device to device, as a share of the label.
        pulses_up, pulses_down: P, pulses from end to end.
        cycle_noise: standard deviation of a pulse, as a share of the range.
        full: share of the range above which a pair is refreshed.
        seed: of devices and pulses.

    >>> array = SynapseArray((2, 2), "ideal")
    >>> array.change(np.array([[0.1, -0.2], [0.0, 0.3]]))
    >>> array.weights
    array([[ 0.1, -0.2],
           [ 0. ,  0.3]])

    Source: Lim et al., Neural Computing and Applications 31 (2019) 8101 (arXiv 1707.06381), for the scheme.
    """

    def __init__(self, shape, update="unidirectional", *, up=2.4, down=-4.88, spread=0.0, pulses_up=97, pulses_down=100,
                 cycle_noise=0.0, full=0.9, seed=0):
        if not isinstance(update, str) or update not in UPDATES:
            raise ParameterError(f"SynapseArray.update must be {' or '.join(map(repr, UPDATES))}, got "
                                 f"{describe_value(update)}")
        if not 0 < full <= 1 or spread < 0:
            raise ParameterError(f"SynapseArray must have 0 < full <= 1 and spread >= 0, got {full:g} and {spread:g}")
        shape = tuple(check_whole("each length in SynapseArray.shape", each, at_least=1) for each in (
            shape if isinstance(shape, (tuple, list)) else [shape]))
        self.update, self.full, self.refreshes = update, full, 0
        self.generator = np.random.default_rng(check_seed("SynapseArray.seed", seed))
        start = 0.5 if update == "bidirectional" else 0.0
        self.plus, self.minus = np.full(shape, start), np.full(shape, start)
        self.devices = [self._device(shape, up, down, spread, pulses_up, pulses_down, cycle_noise) for _ in range(2)]
        self.pulses = pulses_up, pulses_down

    def _device(self, shape, up, down, spread, pulses_up, pulses_down, cycle_noise):
        labels = np.array([up, down])[:, None] * (1 + spread * self.generator.standard_normal((2, int(np.prod(shape)))))
        up, down = np.clip(labels[0], 0, 9), np.clip(labels[1], -9, 0)
        return NonlinearPulses(shape_up=shape_of(up), shape_down=np.abs(shape_of(down)), pulses_up=pulses_up,
                               pulses_down=pulses_down, cycle_noise=cycle_noise, weight_low=0.0)

    @property
    def weights(self) -> np.ndarray:
        """The differences of the pairs."""
        return self.plus - self.minus

    def change(self, wanted: np.ndarray) -> None:
        """Move the weights by some amounts, as far as the devices can."""
        wanted = np.asarray(wanted, dtype=np.float64)
        if wanted.shape != self.plus.shape or not np.isfinite(wanted).all():
            raise ParameterError(f"changes must be finite and of shape {self.plus.shape}, got {describe_value(wanted)}")
        if self.update == "ideal":
            new = np.clip(self.weights + wanted, -1.0, 1.0)
            self.plus, self.minus = np.maximum(new, 0), np.maximum(-new, 0)
            return
        up, down = self.pulses
        if self.update == "bidirectional":
            count = self._whole(np.abs(wanted) * np.where(wanted > 0, up, down)) * np.sign(wanted)
            self.plus = self._pulse(0, self.plus, count)
            return
        count = self._whole(np.abs(wanted) * up)
        self.plus = self._pulse(0, self.plus, np.where(wanted > 0, count, 0))
        self.minus = self._pulse(1, self.minus, np.where(wanted < 0, count, 0))
        self._refresh()

    def _refresh(self):
        full = np.maximum(self.plus, self.minus) > self.full
        if not full.any():
            return
        self.refreshes += int(full.sum())
        difference = np.where(full, self.weights, 0.0)
        for k, size in enumerate((np.maximum(difference, 0), np.maximum(-difference, 0))):
            steps = self._whole(self._pulses_to(k, size))
            written = self._pulse(k, np.where(full, 0.0, (self.plus, self.minus)[k]), np.where(full, steps, 0))
            self.plus, self.minus = (written, self.minus) if k == 0 else (self.plus, written)

    def _pulses_to(self, k, target):
        """Return how many pulses lead from 0 to a share of the range, on the median curve: all that one knows."""
        shape = float(np.median(self.devices[k].shape_up))
        return -shape * self.pulses[0] * np.log1p(target * np.expm1(-1 / shape))

    def _pulse(self, k, g, count):
        device = self.devices[k]
        return device.pulse(g.ravel(), count.ravel(), self.generator).reshape(g.shape)

    def _whole(self, count):
        return np.floor(count + self.generator.random(count.shape))


__all__ = ["UPDATES", "SynapseArray"]
