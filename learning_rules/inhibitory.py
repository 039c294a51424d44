"""Plasticity of inhibitory synapses that balances excitation."""

from typing import ClassVar, Literal

import numpy as np

from learning_rules.bounded import Stepping
from neurosim.aliases import Choice, PerElement, Real
from neurosim.checks import Option, Parameter
from neurosim.contracts import Trace


class InhibitorySTDP(Stepping):
    r"""Inhibition that grows where its target spikes more often than it should.

    At an arrival:             |w| -> |w| + eta (y - alpha);
    at a spike of the target:  |w| -> |w| + eta x;

    x and y are traces of the arrivals and of the target's spikes, both with tau, and raised by 1 by a spike. Weights
    stay between 0 and w_max and have its sign: give a negative w_max where inhibitory weights are negative (currents,
    jumps), a positive one for conductances. The target's rate settles at alpha / (2 tau): arrivals at rate r change |w|
    per second by eta r (2 tau rate - alpha), where the two are uncorrelated.

    The delay and spikes that meet are treated as in `PairSTDP`.

    >>> InhibitorySTDP(eta=1e-2, alpha=0.2, w_max=-50.0)
    InhibitorySTDP(eta=0.01, alpha=0.2, w_max=-50.0)

    Source: Vogels, Sprekeler, Zenke, Clopath, Gerstner, Science 334 (2011) 1569.
    """

    eta: PerElement = Parameter(1e-3, "", at_least=0, doc="learning rate, in the weight's unit")
    alpha: PerElement = Parameter(0.12, "", doc="depression by each arrival, 2 tau times the target rate")
    tau: Real = Parameter(20.0, "ms", above=0, per_element=False, doc="time constant of both traces")
    w_max: PerElement = Parameter(1.0, "", doc="strongest weight; negative where weights are negative")

    delay: Choice[Literal["axonal", "dendritic"]] = Option("axonal", ("axonal", "dendritic"),
                                                           doc="whether the delay lies before or behind the synapse")
    steps: ClassVar[tuple[str, ...]] = ("eta",)
    source_traces: ClassVar[dict] = {"x": Trace("tau")}
    target_traces: ClassVar[dict] = {"y": Trace("tau")}

    def weight_bounds(self, p):
        """Return the smallest and the largest weight, numbers or one per synapse."""
        return np.minimum(p.w_max, 0.0), np.maximum(p.w_max, 0.0)

    def in_nest(self):
        """Return `vogels_sprekeler_synapse`, which at an arrival grows, is held at w_max, and then shrinks."""
        numbers = all(isinstance(value, float) for value in (self.eta, self.alpha, self.w_max))
        if self.delay != "dendritic" or not numbers:
            return None
        return ("vogels_sprekeler_synapse", {"eta": self.eta, "alpha": self.alpha, "tau": self.tau, "Wmax": self.w_max,
                                             "weight": self.w_max},  # one of the sign of Wmax; each synapse has its own
                {"tau_minus": self.tau})

    @staticmethod
    def on_source(weight, y, eta, alpha, w_max):
        """Grow or shrink by the target's activity."""
        return _towards(weight, eta * (y - alpha), w_max)

    @staticmethod
    def on_target(weight, x, eta, w_max):
        """Grow."""
        return _towards(weight, eta * x, w_max)

    @staticmethod
    def keep(weight, w_max):
        """Stay within the bounds."""
        return _towards(weight, 0.0, w_max)


def _towards(weight, change, w_max):
    """Strengthen a weight of the sign of w_max, between 0 and w_max."""
    if w_max < 0.0:
        return min(max(weight - change, w_max), 0.0)
    return min(max(weight + change, 0.0), w_max)
