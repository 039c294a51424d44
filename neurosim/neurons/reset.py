"""What the integrate-and-fire models share: when they spike, and what that does to v."""

from typing import Any, ClassVar, Literal

import numpy as np

from neurosim.aliases import Choice
from neurosim.checks import Option, describe_value
from neurosim.errors import warn
from neurosim.neurons.base import Neuron


class Resetting(Neuron):
    """Base of the models that spike above `v_threshold` and are then reset as the option `reset` says.

    "to_value" sets v to the coefficient `v_reset`, "subtract" lowers it by the coefficient `step_down`.
    """

    reset: Choice[Literal["to_value", "subtract"]] = Option("to_value", ("to_value", "subtract"),
                                                            doc="what a spike does to v")
    v_threshold: ClassVar[Any]  #: a parameter
    floor: ClassVar[str] = "v_reset"  #: the parameter from which to the threshold "subtract" lowers v

    def validate(self):
        """Warn where a spike leaves v above the threshold; drawn values are not looked at."""
        name = "v_reset" if self.reset == "to_value" else self.floor
        after, threshold = getattr(self, name), self.v_threshold
        if above(after, threshold):
            warn(f"{type(self).__name__}.{name} should be <= v_threshold = {describe_value(threshold)} mV, got"
                 f" {describe_value(after)}: such a neuron spikes at every tick at which it is not held")

    @staticmethod
    def fires(v, v_threshold):
        """Strictly above the threshold."""
        return v > v_threshold

    @property
    def after_spike(self):
        """The reset that the option chose."""
        return _to_value if self.reset == "to_value" else _subtract


def above(value, limit) -> bool:
    """Return whether a parameter is above another in any neuron, as far as neither is drawn or left out."""
    if isinstance(value, float) and isinstance(limit, float):
        return value > limit
    known = all(isinstance(each, (float, np.ndarray)) for each in (value, limit))
    fit = known and (np.ndim(value) == 0 or np.ndim(limit) == 0 or np.size(value) == np.size(limit))
    return fit and bool(np.any(value > limit))


def _to_value(v, v_reset):
    return v_reset


def _subtract(v, step_down):
    return v - step_down
