"""Devices whose conductance follows a curve of the number of pulses: a nonlinear exponential, or a table."""

import math
from functools import cache
from typing import Literal

import numpy as np

from hardware_models.arrays import like, namespace
from hardware_models.memristor.equations import choose, normals
from hardware_models.memristor.pulses import Pulsed, Table
from hardware_models.memristor.tables import columns_of
from neurosim.aliases import Choice, PerElement, Row
from neurosim.checks import Option, Parameter, check_numbers, describe_value
from neurosim.errors import ParameterError, warn

FLAT = 1e5  #: shape of a curve without nonlinearity
SAME = 1e-6  #: share of the range within which a conductance is that of a table: float32 and rounding
STEEPEST = 9.5  #: largest label that a curve of this form has


def nonlinearity(shape):
    r"""Return the label of curves of given shapes a.

    NL = max over x in 0 .. 1 of (g(x) - x) / (0.07 sqrt 2), g(x) = (1 - exp(-x / a)) / (1 - exp(-1 / a));
    the maximum is at x = -a ln(a (1 - exp(-1 / a))).

    >>> float(round(nonlinearity(0.49918), 3))
    2.4
    """
    shape = check_numbers("nonlinearity.shape", shape)
    a = np.abs(np.asarray(shape, dtype=np.float64))
    full = -np.expm1(-1 / a)
    x = -a * np.log(a * full)
    return np.sign(shape) * (-np.expm1(-x / a) / full - x) / (0.07 * math.sqrt(2))


def shape_of(label):
    r"""Return the shape a of curves with given labels of nonlinearity, the sign that of the label.

    The closed form of `nonlinearity` is inverted by bisection, to a relative error of 1e-13. Labels
    of 0 give a straight line.

    Args:
        label: numbers in -9.5 .. 9.5, any shape.

    Raises:
        ParameterError: no curve of this form has such a label.

    >>> shape_of([2.4, -4.88]).round(5)
    array([ 0.49918, -0.2003 ])
    """
    label = check_numbers("shape_of.label", label)
    label = np.asarray(label, dtype=np.float64)
    if not np.isfinite(label).all() or np.abs(label).max(initial=0) > STEEPEST:
        raise ParameterError(f"nonlinearity labels must be within -{STEEPEST} .. {STEEPEST}, got "
                             f"{label.ravel()[np.argmax(~(np.abs(label.ravel()) <= STEEPEST))]:g}")
    size = np.abs(label)
    low, high = np.full(label.shape, math.log(1e-3)), np.full(label.shape, math.log(1e3))
    for _ in range(60):
        middle = (low + high) / 2
        steep = nonlinearity(np.exp(middle)) > size
        low, high = np.where(steep, middle, low), np.where(steep, high, middle)
    found = np.where(size < 2e-3, FLAT, np.exp((low + high) / 2))
    return np.where(label < 0, -found, found)[()]


def curve(pulses, most, shape):
    """Return the share of the range, 0 .. 1, after so many of `most` pulses up, for a shape a.

    >>> curve(np.array([0, 97]), 97, 0.49918)
    array([0., 1.])
    """
    pulses = check_numbers("curve.pulses", pulses)
    return np.abs(np.expm1(-np.asarray(pulses) / (most * shape)) / math.expm1(-1 / shape))


class NonlinearPulses(Pulsed):
    r"""Conductances that follow an exponential of the number of pulses, with nonlinearities of their own up and down.

    With g the share of the range, n pulses lead to

        g + (B - g) (1 - exp(-n / (P a))),   B = 1 / (1 - exp(-1 / a)),

    a > 0 and P = pulses_up for pulses up; for pulses down the same about the other end, 1 - g for g. The number of
    pulses is |change| / range P, rounded at random so that the mean is right, or cut as in MLP+NeuroSim. A table of
    the labels and of a is not needed: see `shape_of`.

    Args:
        shape_up, shape_down: a, > 0; `NonlinearPulses.labelled` takes labels, such as +2.4 and -4.88.
        pulses_up, pulses_down: pulses from one end to the other.
        cycle_noise: standard deviation from pulse to pulse, as a share of the range; n pulses have sqrt(n) of it.
        rounding: "random" or "down".
        weight_low, weight_high, ...: as for `Pulsed`.

    >>> device = NonlinearPulses.labelled(2.4, -4.88, pulses_up=97, pulses_down=100, weight_low=0.0)
    >>> device.pulse(np.array([0.0, 1.0]), np.array([97, -100])).round(12)
    array([1., 0.])

    Source: Chen, Peng, Yu, IEEE TCAD 37 (2018) 3067 (MLP+NeuroSim); the closed form of the label is our own.
    """

    shape_up: PerElement = Parameter(FLAT, above=0, doc="shape of the curve up")
    shape_down: PerElement = Parameter(FLAT, above=0, doc="shape of the curve down")
    pulses_up: PerElement = Parameter(64.0, at_least=1, doc="pulses from end to end, up")
    pulses_down: PerElement = Parameter(64.0, at_least=1, doc="and down")
    cycle_noise: PerElement = Parameter(0.0, at_least=0, doc="spread from pulse to pulse")
    rounding: Choice[Literal["random", "down"]] = Option("random", ("random", "down"),
                                                         doc="how the number of pulses is rounded")

    @classmethod
    def labelled(cls, up: float, down: float, **changes) -> "NonlinearPulses":
        """Return a device with nonlinearity labels, the one of pulses down being negative; numbers or arrays."""
        shapes = {"shape_up": shape_of(np.clip(up, 0, None)), "shape_down": np.abs(shape_of(np.clip(down, None, 0)))}
        if np.min(up) < 0 or np.max(down) > 0:
            raise ParameterError(f"labels must be >= 0 up and <= 0 down, got {np.min(up):g} and {np.max(down):g}")
        return cls(**{**shapes, **changes})

    def _update_body(self):
        return _curve_update(self.rounding == "random")

    def pulse(self, weights, pulses, generator=None):
        """Return the weights after so many pulses each: up where positive, down where negative."""
        xp = namespace(weights)
        names = ("weight_low", "weight_high", "shape_up", "shape_down", "pulses_up", "pulses_down", "cycle_noise")
        low, high, up, down, most_up, most_down, noise = (self._numbers(name, weights) for name in names)
        count = like(self._counts(pulses, weights), weights) + 0 * weights
        moved = _along(xp, weights, count, low, high, up, down, most_up, most_down)
        if (noise > 0).any():
            if generator is None:
                raise ParameterError(f"{type(self).__name__}.pulse must be given a generator: its steps are noisy")
            moved = moved + noise * (high - low) * xp.sqrt(xp.abs(count)) * normals(generator, weights)
        moved = choose(moved > high, high + 0 * moved, moved)
        return choose(moved < low, low + 0 * moved, moved)


def _along(xp, weight, pulses, low, high, shape_up, shape_down, pulses_up, pulses_down):
    """Follow the curve up where pulses > 0 and the curve down where they are < 0; 0 changes nothing."""
    up = pulses > 0
    g = (weight - low) / (high - low)
    g = choose(up, g, 1.0 - g)
    shape = choose(up, shape_up, shape_down)
    part = xp.abs(pulses) / (choose(up, pulses_up, pulses_down) * shape)
    step = (-1.0 / xp.expm1(-1.0 / shape) - g) * -xp.expm1(-part)
    return weight + (high - low) * choose(up, step, -step)


@cache
def _curve_update(random):
    def update(weight, change, normal, uniform, weight_low, weight_high, shape_up, shape_down, pulses_up, pulses_down,
               cycle_noise):
        most = pulses_up if change > 0.0 else pulses_down
        pulses = math.floor(abs(change) / (weight_high - weight_low) * most + (uniform if random else 0.0))
        if pulses == 0:
            return weight
        signed = float(pulses) if change > 0.0 else -float(pulses)
        new = _along(np, weight, signed, weight_low, weight_high, shape_up, shape_down, pulses_up, pulses_down)
        new += cycle_noise * (weight_high - weight_low) * math.sqrt(float(pulses)) * normal
        return min(max(new, weight_low), weight_high)

    return update


class MeasuredPulses(Pulsed):
    r"""Conductances that follow measured tables: one for pulses up, one for pulses down, of any lengths and ends.

    An update finds the place on the curve of its direction that has the present conductance, moves on by the pulses,
    and takes the conductance there; between pulses the curve is straight. Where it is level, a device is at the end of
    the level stretch. The tables are in any unit: their smallest value stands for weight_low, their largest for
    weight_high. The curve down need not begin where the curve up ends. Noisy tables are made monotonic by `smoothed`,
    and tables in a file are read by `from_csv`.

    Args:
        table_up: conductance after 0, 1, 2, ... pulses up, rising.
        table_down: conductance after 0, 1, 2, ... pulses down, falling.
        cycle_noise: standard deviation from pulse to pulse, as a share of the range.
        weight_low, weight_high, ...: as for `Pulsed`.

    Raises:
        ParameterError: a table goes the other way at a pulse, which is named, or never changes.

    >>> device = MeasuredPulses(table_up=(1, 5, 7, 8), table_down=(9, 4, 2, 1), weight_low=0.0)
    >>> device.pulse(np.array([0.0, 0.75]), np.array([2, -1])).round(4)
    array([0.75 , 0.275])
    """

    table_up: Row = Table((0.0, 1.0), doc="conductances after 0, 1, ... pulses up")
    table_down: Row = Table((1.0, 0.0), doc="conductances after 0, 1, ... pulses down")
    cycle_noise: PerElement = Parameter(0.0, at_least=0, doc="spread from pulse to pulse")

    def validate(self):
        for name, sign, word in (("table_up", 1, "rise"), ("table_down", -1, "fall")):
            table = np.array(getattr(self, name))
            wrong = np.flatnonzero(np.diff(table) * sign < 0)
            if wrong.size or table[0] == table[-1]:
                k = wrong[0] + 1 if wrong.size else 1
                more = f", and {wrong.size - 1} more such steps" * (wrong.size > 1)
                raise ParameterError(f"MeasuredPulses.{name} must {word} with the pulses or stay, got {table[k]:g} "
                                     f"after {table[k - 1]:g} at pulse {k}{more}; MeasuredPulses.smoothed makes noisy "
                                     "tables monotonic")
        super().validate()

    @classmethod
    def smoothed(cls, table_up, table_down, **changes) -> "MeasuredPulses":
        """Return the device of noisy tables, each replaced by the monotonic one nearest to it by least squares.

        A warning says how many steps went the other way and how far values were moved.

        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as said:
        ...     device = MeasuredPulses.smoothed([0.0, 2.0, 1.0, 3.0], [3.0, 1.0, 0.0])
        >>> device.table_up, str(said[0].message)[:57]
        ((0.0, 1.5, 1.5, 3.0), 'table_up was made monotonic: 1 of 3 steps went the other ')

        Source: pool adjacent violators, Barlow, Bartholomew, Bremner, Brunk, Statistical Inference under Order
        Restrictions, Wiley 1972.
        """
        return cls(**{"table_up": _monotonic("table_up", table_up, 1),
                      "table_down": _monotonic("table_down", table_down, -1), **changes})

    @classmethod
    def from_csv(cls, path, columns=("up", "down"), *, smooth: bool = False, **changes) -> "MeasuredPulses":
        """Return the device of a text file with one column for pulses up and one for pulses down.

        Args:
            path: the file; see `hardware_models.memristor.tables.columns_of`.
            columns: names or numbers of the two columns, in the order of the pulses.
            smooth: whether noisy tables are made monotonic, with a warning that says by how much.
            changes: other parameters.

        Raises:
            FileError: the file cannot be read; the line is named.
            ParameterError: a column is missing, or a table is not monotonic.
        """
        up, down = columns_of(path, columns)
        return cls.smoothed(up, down, **changes) if smooth else cls(table_up=up, table_down=down, **changes)

    def _scaled(self):
        both = np.array(self.table_up + self.table_down)
        low, span = both.min(), np.ptp(both)
        return ((np.array(table) - low) / span for table in (self.table_up, self.table_down))

    def _update_body(self):
        return _table_update(*(tuple(table.tolist()) for table in self._scaled()))

    def pulse(self, weights, pulses, generator=None):
        """Return the weights after so many pulses each: up where positive, down where negative; numpy only."""
        low, high = (np.asarray(getattr(self, name)) for name in ("weight_low", "weight_high"))
        count = np.broadcast_to(self._counts(pulses, weights), np.shape(weights))
        g = (weights - low) / (high - low)
        up, down = self._scaled()
        at_up, at_down = _place(up, g) + np.maximum(count, 0), _place(-down, -g) + np.maximum(-count, 0)
        new = np.where(count > 0, np.maximum(np.interp(at_up, np.arange(up.size), up), g),
                       np.minimum(np.interp(at_down, np.arange(down.size), down), g))
        new = np.where(count == 0, g, new)
        if np.any(np.asarray(self.cycle_noise) > 0):
            if generator is None:
                raise ParameterError("MeasuredPulses.pulse must be given a generator: its steps are noisy")
            new = new + self.cycle_noise * np.sqrt(np.abs(count)) * generator.standard_normal(new.shape)
        return low + np.clip(new, 0, 1) * (high - low)


def _place(table, g):
    """Return where on a rising table some values are; at a level stretch, its end."""
    k = np.clip(np.searchsorted(table, g + SAME, side="right") - 1, 0, table.size - 2)
    step = table[k + 1] - table[k]
    return k + np.clip((g - table[k]) / np.where(step > 0, step, 1.0), 0.0, 1.0)


def _monotonic(name, table, sign):
    """Return the nearest rising (sign +1) or falling table; warn where it is another."""
    given = np.asarray(table, dtype=np.float64)
    if given.ndim != 1 or given.size < 2 or not np.isfinite(given).all():
        raise ParameterError(f"MeasuredPulses.smoothed: {name} must be at least 2 finite numbers, got "
                             f"{describe_value(table)}")
    from sklearn.isotonic import isotonic_regression

    found = isotonic_regression(given, increasing=sign > 0)
    wrong = int(np.count_nonzero(np.diff(given) * sign < 0))
    if wrong:
        moved = np.abs(found - given).max()
        warn(f"{name} was made monotonic: {wrong} of {given.size - 1} steps went the other way, and values "
             f"were moved by up to {moved:.3g}, {moved / max(np.ptp(found), 1e-300):.2g} of the range")
    return found


@cache
def _table_update(up, down):
    rising, falling = np.array(up), -np.array(down)

    def along(table, g, pulses):
        """Return the value so many pulses further on a rising table."""
        last = table.size - 1
        k = np.searchsorted(table, g + SAME, side="right") - 1
        if k >= last:
            return g
        at = k + max(g - table[k], 0.0) / (table[k + 1] - table[k]) if k >= 0 else 0.0
        at += pulses
        if at >= last:
            return table[last]
        k = int(at)
        return table[k] + (at - k) * (table[k + 1] - table[k])

    def update(weight, change, normal, uniform, weight_low, weight_high, cycle_noise):
        most = (rising.size if change > 0.0 else falling.size) - 1
        pulses = math.floor(abs(change) / (weight_high - weight_low) * most + uniform)
        if pulses == 0:
            return weight
        g = (weight - weight_low) / (weight_high - weight_low)
        g = along(rising, g, float(pulses)) if change > 0.0 else -along(falling, -g, float(pulses))
        g += cycle_noise * math.sqrt(float(pulses)) * normal
        return weight_low + min(max(g, 0.0), 1.0) * (weight_high - weight_low)

    return update


__all__ = ["MeasuredPulses", "NonlinearPulses", "curve", "nonlinearity", "shape_of"]
