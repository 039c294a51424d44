"""What the rules share whose weights stay between two bounds."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter, Samples
from neurosim.contracts import Plasticity
from neurosim.errors import ParameterError, warn


def clip(weight, w_min, w_max):
    """Return the weight, or the bound that it has passed."""
    return min(max(weight, w_min), w_max)


class Stepping(Plasticity):
    """Base of the rules that say by how much one event may change a weight."""

    steps: ClassVar[tuple[str, ...]] = ()  #: the parameters that are such changes

    def check(self, projection):
        """Warn about changes that are larger than the range of the weights."""
        super().check(projection)
        for name in self.steps:
            self.warn_if_above(projection, name, getattr(self, name))

    def warn_if_above(self, projection, name: str, largest) -> None:
        """Warn where one event may change a weight by more than the whole range between its bounds."""
        if any(isinstance(value, Samples) for value in (largest, *self.values().values())):
            return
        low, high = self.weight_bounds(self) or (-np.inf, np.inf)
        if np.any(np.abs(largest) > np.subtract(high, low)):
            warn(f"projection {projection.name!r}: {type(self).__name__}.{name} = {largest} is more than the "
                 f"range of its weights, {low} .. {high}: one event takes a weight from bound to bound")


class Bounded(Stepping):
    """Base of the rules that keep every weight in w_min .. w_max."""

    w_min: PerElement = Parameter(0.0, "", doc="smallest weight, in the weight's unit")
    w_max: PerElement = Parameter(1.0, "", doc="largest weight, in the weight's unit")

    def validate(self):
        low, high = self.w_min, self.w_max
        if isinstance(low, (float, np.ndarray)) and isinstance(high, (float, np.ndarray)) and np.any(low >= high):
            raise ParameterError(f"{type(self).__name__}.w_min must be < w_max = {high}, got {low}")

    keep = staticmethod(clip)

    def weight_bounds(self, p):
        """Return the smallest and the largest weight, numbers or one per synapse."""
        return p.w_min, p.w_max

    def use_nearest(self) -> None:
        """Let every spike set its traces to 1, instead of raising them."""
        for side in ("source_traces", "target_traces"):
            self.__dict__[side] = {name: replace(trace, nearest=True) for name, trace in getattr(self, side).items()}
