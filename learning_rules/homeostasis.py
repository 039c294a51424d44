"""Homeostasis of synapses: scaling towards a target rate, and a constant sum of weights."""

from typing import ClassVar

import numpy as np

from learning_rules.bounded import Bounded, clip
from neurosim.aliases import PerElement, Real
from neurosim.checks import Parameter, check_number
from neurosim.contracts import Trace
from neurosim.errors import ParameterError


class SynapticScaling(Bounded):
    r"""Synaptic scaling: all weights of a neuron grow by one factor where it spikes too rarely, else they shrink.

    Every period:  w -> w (1 + eta (rate - r) / rate),    r = y / tau_rate,

    r being the target's rate as a trace y of its spikes measures it, tau_rate dy/dt = -y, raised by 1 by a spike. The
    factor is the same for all synapses of a neuron, so their ratios stay what they are. A pass over all synapses
    in each period.

    It goes together with other rules: `plasticity=[PairSTDP(), SynapticScaling(rate=5.0)]`.

    >>> SynapticScaling(rate=5.0)
    SynapticScaling(rate=5.0)

    Source: Turrigiano, Leslie, Desai, Rutherford, Nelson, Nature 391 (1998) 892; van Rossum, Bi, Turrigiano, J.
    Neuroscience 20 (2000) 8812.
    """

    rate: PerElement = Parameter(10.0, "Hz", above=0, doc="rate that the target should have")
    eta: PerElement = Parameter(0.01, "", at_least=0, below=1, doc="strength of the correction in one period")
    tau_rate: Real = Parameter(5000.0, "ms", above=0, per_element=False, doc="over which the target's rate is measured")
    period: Real = Parameter(100.0, "ms", above=0, per_element=False, doc="how often weights are scaled")
    target_traces: ClassVar[dict] = {"y_rate": Trace("tau_rate")}

    @staticmethod
    def on_period(weight, y_rate, rate, eta, tau_rate, w_min, w_max):
        """Scale."""
        return clip(weight * (1.0 + eta * (1.0 - 1e3 * y_rate / (tau_rate * rate))), w_min, w_max)


def normalise(sim, projection, total: float) -> None:
    """Multiply the weights of each target neuron by one factor, so that they sum to a total.

    For projections that learn: call it between two runs, such as two images. A neuron whose weights are all 0 is left.
    Weights stay within the bounds of the rule: one that would leave them is set to the bound, and the sum is another.

    Args:
        sim: a `neurosim.Simulation`.
        projection: the projection, or its name.
        total: sum of the weights that arrive at each neuron, in the weight's unit, positive.

    Raises:
        ParameterError: the total is not positive, a sum of weights is negative, or the projection does not learn.

    >>> import neurosim as ns
    >>> from learning_rules import PairSTDP, normalise
    >>> net = ns.Network()
    >>> a, b = net.add(ns.Poisson(10.0), 4), net.add(ns.LIF(), 2)
    >>> synapses = net.connect(a, b, weight=0.5, plasticity=PairSTDP())
    >>> sim = ns.Simulation(net)
    >>> normalise(sim, synapses, 1.0)
    >>> sim.weights(synapses)[0]
    np.float32(0.25)

    Source: Diehl, Cook, Frontiers in Computational Neuroscience 9 (2015) 99.
    """
    total = check_number("normalise: total", total, above=0)
    sums = sim.sums(projection)
    if (sums < 0).any():
        raise ParameterError(f"normalise: the weights of each neuron must have a sum >= 0, got {sums.min():g}")
    sim.scale(projection, np.divide(total, sums, out=np.ones_like(sums), where=sums > 0))
