"""What the integrate-and-fire models share: when they spike, and what that does to v."""

from typing import Literal

from neurosim.aliases import Choice
from neurosim.checks import Option
from neurosim.neurons.base import Neuron


class Resetting(Neuron):
    """Base of the models that spike above `v_threshold` and are then reset as the option `reset` says.

    "to_value" sets v to the coefficient `v_reset`, "subtract" lowers it by the coefficient `step_down`.
    """

    reset: Choice[Literal["to_value", "subtract"]] = Option("to_value", ("to_value", "subtract"),
                                                            doc="what a spike does to v")

    @staticmethod
    def fires(v, v_threshold):
        """Strictly above the threshold."""
        return v > v_threshold

    @property
    def after_spike(self):
        """The reset that the option chose."""
        return _to_value if self.reset == "to_value" else _subtract


def _to_value(v, v_reset):
    return v_reset


def _subtract(v, step_down):
    return v - step_down
