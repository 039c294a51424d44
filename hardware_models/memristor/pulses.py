"""Devices that learn by pulses: how far one pulse moves a weight, by where the weight is."""

import math
from functools import cache
from inspect import Parameter as Argument
from inspect import Signature, signature
from typing import ClassVar

import numpy as np

from hardware_models.arrays import like, namespace
from hardware_models.memristor.device import Memristor
from hardware_models.memristor.equations import choose, normals
from neurosim.aliases import PerElement, Row
from neurosim.checks import Option, Parameter, describe_value
from neurosim.errors import ParameterError

MOST_PULSES = 100_000  #: in one update: a change of any size ends


class Table(Option):
    """A row of numbers that belongs to the kind of a device, such as the nodes of a curve."""

    def __init__(self, default, *, doc="", least=2, optional=False):
        super().__init__(default, (), doc=doc)
        self.least, self.optional = least, optional

    @property
    def bounds(self) -> str:
        """What the values must be."""
        return f"at least {self.least} finite numbers"

    def check(self, owner, value):
        """Return the values as a tuple; raise ParameterError where they are none."""
        if value is None and self.optional:
            return None
        try:
            values = tuple(float(x) for x in (() if value is None else value))
        except (TypeError, ValueError):
            values = ()
        if len(values) < self.least or not all(map(math.isfinite, values)):
            raise ParameterError(f"{owner}.{self.name} must be {self.bounds}, got {describe_value(value)}")
        return values


class Pulsed(Memristor):
    r"""Base of the pulse laws: a pulse up or down moves the weight by a step that depends on the weight.

        w <- w + d step_d f_d(w) (1 + step_noise x),   d = +-1,   then clipped to weight_low .. weight_high,

    where step_d is step_size, made smaller by `up_down` in one direction: (1 + up_down) up where up_down < 0, (1 -
    up_down) down where it is > 0. A wanted change is turned into |change| / step_size pulses, rounded at random so that
    the mean is right. Each of the four may be an array or a distribution: that is how devices differ.

    Args:
        step_size: change of the weight by one pulse, > 0, where f = 1.
        up_down: asymmetry, -1 < up_down < 1.
        step_noise: standard deviation from pulse to pulse, as a share of the step.
        weight_low, weight_high: bounds of the weight.
        weight_max, ...: as for `Memristor`.
    """

    step_size: PerElement = Parameter(0.001, above=0, doc="change by one pulse")
    up_down: PerElement = Parameter(0.0, above=-1, below=1, doc="asymmetry of up and down")
    step_noise: PerElement = Parameter(0.0, at_least=0, doc="spread from pulse to pulse")
    weight_low: PerElement = Parameter(-1.0, doc="lower bound of the weight")
    weight_high: PerElement = Parameter(1.0, doc="upper bound of the weight")
    shape: ClassVar[tuple] = ()  #: names of the parameters that `step` takes besides

    def validate(self):
        super().validate()
        if np.ndim(self.weight_low) == np.ndim(self.weight_high) == 0 and not self._is_drawn() and (
                self.weight_low >= self.weight_high):
            raise ParameterError(f"{type(self).__name__}.weight_low must be < weight_high = {self.weight_high:g}, got "
                                 f"{self.weight_low:g}")
        self.__dict__["update"] = self._update_body()

    def _is_drawn(self):
        return not all(isinstance(value, (float, int, np.ndarray)) for value in (self.weight_low, self.weight_high))

    def _update_body(self):
        return updater(type(self).step, self.shape)

    @staticmethod
    def step(xp, weight, sign, weight_low, weight_high):
        """Return f, the size of a step relative to step_size, at a weight and for a sign of +1 or -1."""
        raise NotImplementedError

    def pulse(self, weights, pulses, generator=None):
        """Return the weights after so many pulses each: up where positive, down where negative.

        Args:
            weights: array or tensor.
            pulses: whole numbers, of the shape of the weights or one for all.
            generator: of the noise from pulse to pulse; needed where there is any.
        """
        xp = namespace(weights)
        if np.any(np.asarray(self.step_noise) > 0) and generator is None:
            raise ParameterError(f"{type(self).__name__}.pulse must be given a generator: its steps are noisy")
        count = like(self._counts(pulses, weights), weights) + 0 * weights
        shape = [self._numbers(name, weights) for name in ("weight_low", "weight_high", *self.shape)]
        size, up_down, noise = (self._numbers(name, weights) for name in ("step_size", "up_down", "step_noise"))
        low, high = shape[:2]
        sign = choose(count > 0, 1.0, -1.0)
        size = size * (1.0 - choose(up_down * sign < 0, xp.abs(up_down), 0.0))
        for k in range(int(abs(np.asarray(pulses)).max(initial=0))):
            step = sign * size * self.step(xp, weights, sign, *shape)
            if generator is not None:
                step = step * (1.0 + noise * normals(generator, weights))
            moved = choose(weights + step > high, high, weights + step)
            moved = choose(moved < low, low, moved)
            weights = choose(xp.abs(count) > k, moved, weights)
        return weights

    def _counts(self, pulses, weights):
        """Return numbers of pulses, of the shape of the weights or one for all."""
        count = np.asarray(pulses, dtype=np.float64)
        if count.shape not in ((), tuple(np.shape(weights))) or not (count == np.rint(count)).all() or (
                not np.isfinite(count).all()):
            raise ParameterError(f"{type(self).__name__}.pulse must be given whole numbers of pulses, one or of the "
                                 f"weights' shape {tuple(np.shape(weights))}, got {describe_value(pulses)}")
        return count

    def _numbers(self, name, weights):
        value = getattr(self, name)
        if not isinstance(value, (float, int, np.ndarray)):
            raise ParameterError(f"{type(self).__name__}.{name} must be numbers here, got {value}: a distribution is "
                                 "drawn by a network; give an array instead")
        return like(np.asarray(value, dtype=np.float64), weights)


@cache
def updater(step, shape):
    """Return the body of an update for the compiled loop, with the parameters of a law as its last arguments."""

    def update(weight, change, normal, uniform, step_size, up_down, step_noise, weight_low, weight_high, *own):
        pulses = min(math.floor(abs(change) / step_size + uniform), MOST_PULSES)
        sign = 1.0 if change > 0.0 else -1.0
        size = sign * step_size * (1.0 - (abs(up_down) if up_down * sign < 0.0 else 0.0))
        noise = size * step_noise * math.sqrt(float(pulses)) * normal
        noise *= step(np, weight, sign, weight_low, weight_high, *own)
        for _ in range(pulses):
            weight += size * step(np, weight, sign, weight_low, weight_high, *own)
            weight = min(max(weight, weight_low), weight_high)
        return min(max(weight + noise, weight_low), weight_high)

    named = [*list(signature(update).parameters.values())[:-1], *(Argument(n, Argument.POSITIONAL_ONLY) for n in shape)]
    update.__signature__ = Signature([Argument(each.name, Argument.POSITIONAL_ONLY) for each in named])
    return update


class ConstantStep(Pulsed):
    """Every pulse moves the weight alike: f = 1.

    >>> ConstantStep(step_size=0.1).pulse(np.zeros(2), [3, -2]).round(3)
    array([ 0.3, -0.2])

    Source: Gokmen, Vlasov, Frontiers in Neuroscience 10 (2016) 333.
    """

    @staticmethod
    def step(xp, weight, sign, weight_low, weight_high):
        """1."""
        return 1.0 + 0.0 * weight


class LinearStep(Pulsed):
    """Steps that shrink linearly: f = 1 - gamma_up w / weight_high up, 1 - gamma_down w / weight_low down.

    Args:
        gamma_up, gamma_down: slopes, >= 0.

    >>> LinearStep(step_size=0.02, gamma_up=0.5).pulse(np.array([-0.5]), 1)
    array([-0.475])

    Source: Rasch et al., "A flexible and fast PyTorch toolkit", AICAS 2021 (aihwkit's LinearStepDevice).
    """

    gamma_up: PerElement = Parameter(0.0, at_least=0, doc="slope of steps up")
    gamma_down: PerElement = Parameter(0.0, at_least=0, doc="slope of steps down")
    shape = ("gamma_up", "gamma_down")

    @staticmethod
    def step(xp, weight, sign, weight_low, weight_high, gamma_up, gamma_down):
        """1 - gamma w / bound."""
        return 1.0 - weight * choose(sign > 0, gamma_up / weight_high, gamma_down / weight_low)


class SoftBounds(Pulsed):
    """Steps that vanish at the bound: f = 1 - w / weight_high up, 1 - w / weight_low down.

    >>> SoftBounds(step_size=0.02).pulse(np.array([-0.5]), 1)
    array([-0.47])

    Source: Fusi, Abbott, Nature Neuroscience 10 (2007) 485; Rasch et al., AICAS 2021.
    """

    @staticmethod
    def step(xp, weight, sign, weight_low, weight_high):
        """1 - w / bound."""
        return 1.0 - weight / choose(sign > 0, weight_high, weight_low)


class PowerStep(Pulsed):
    """f = u^gamma up and (1 - u)^gamma down, with u = (weight_high - w) / (weight_high - weight_low).

    Args:
        gamma: exponent, > 0.

    >>> PowerStep(step_size=0.05, gamma=2.0).pulse(np.array([-0.5]), 1)
    array([-0.471875])

    Source: Rasch et al., AICAS 2021 (aihwkit's PowStepDevice).
    """

    gamma: PerElement = Parameter(1.0, above=0, doc="exponent")
    shape = ("gamma",)

    @staticmethod
    def step(xp, weight, sign, weight_low, weight_high, gamma):
        """A power of the distance from the bound."""
        u = (weight_high - weight) / (weight_high - weight_low)
        u = choose(sign > 0, u, 1.0 - u)
        return choose(u > 0, u, 0.0 * u) ** gamma


class ExponentialStep(Pulsed):
    """f = max(1 - A_d exp(d gamma_d z), 0) with z = 2 a w / (weight_high - weight_low) + b.

    Args:
        a_up, a_down: A_d, >= 0.
        gamma_up, gamma_down: > 0.
        slope, offset: a and b.

    Source: Rasch et al., AICAS 2021 (aihwkit's ExpStepDevice), whose defaults these are.
    """

    a_up: PerElement = Parameter(0.00081, at_least=0, doc="size of the exponential up")
    a_down: PerElement = Parameter(0.36833, at_least=0, doc="and down")
    gamma_up: PerElement = Parameter(12.44625, above=0, doc="rate of the exponential up")
    gamma_down: PerElement = Parameter(12.78785, above=0, doc="and down")
    slope: PerElement = Parameter(0.244, doc="a of the scaled weight")
    offset: PerElement = Parameter(0.2425, doc="b of the scaled weight")
    shape = ("a_up", "a_down", "gamma_up", "gamma_down", "slope", "offset")

    @staticmethod
    def step(xp, weight, sign, weight_low, weight_high, a_up, a_down, gamma_up, gamma_down, slope, offset):
        """1 less an exponential, at least 0."""
        z = 2.0 * slope * weight / (weight_high - weight_low) + offset
        f = 1.0 - choose(sign > 0, a_up, a_down) * xp.exp(sign * choose(sign > 0, gamma_up, gamma_down) * z)
        return choose(f > 0, f, 0.0 * f)


class PiecewiseStep(Pulsed):
    """f interpolates between nodes at equal distances from weight_low to weight_high.

    Args:
        nodes_up, nodes_down: f at the nodes, the first at weight_low; as many for both.

    >>> PiecewiseStep(step_size=0.02, nodes_up=(1.5, 1.0, 0.5), nodes_down=(0.5, 1.0, 1.5)).pulse(np.array([-0.5]), 1)
    array([-0.475])

    Source: Rasch et al., AICAS 2021 (aihwkit's PiecewiseStepDevice).
    """

    nodes_up: Row = Table((1.0, 1.0), doc="steps up at the nodes")
    nodes_down: Row = Table((1.0, 1.0), doc="steps down at the nodes")

    def validate(self):
        if len(self.nodes_up) != len(self.nodes_down):
            raise ParameterError(f"PiecewiseStep.nodes_down must be {len(self.nodes_up)} numbers as nodes_up is, got "
                                 f"{len(self.nodes_down)}")
        self.__dict__["step"] = _piecewise(self.nodes_up, self.nodes_down)
        super().validate()

    def _update_body(self):
        return updater(self.step, ())

    @staticmethod
    def step(xp, weight, sign, weight_low, weight_high):
        """Replaced in each object by the curve of its nodes."""
        raise NotImplementedError


@cache
def _piecewise(up, down):
    last = len(up) - 1

    def step(xp, weight, sign, weight_low, weight_high):
        at = (weight - weight_low) / (weight_high - weight_low) * last
        total = 0.0 * weight
        for k in range(last + 1):
            away = xp.abs(at - k)
            f = choose(sign > 0, up[k] + 0.0 * weight, down[k] + 0.0 * weight)
            total = total + choose(away < 1, 1.0 - away, 0.0 * away) * f
        return total

    return step


__all__ = ["ConstantStep", "ExponentialStep", "LinearStep", "PiecewiseStep", "PowerStep", "Pulsed", "SoftBounds",
           "Table"]
