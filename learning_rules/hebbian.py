"""Hebbian rules as spikes carry them: rates become traces, and the target's rate is sampled by its spikes."""

from typing import ClassVar

from learning_rules.bounded import Bounded, clip
from neurosim.aliases import PerElement, Real
from neurosim.checks import Parameter
from neurosim.contracts import Trace
from neurosim.maths import exp


class _Sampled(Bounded):
    """Base: the weight changes at the target's spikes only, by the trace x of the arrivals."""

    eta: PerElement = Parameter(1e-3, "", doc="learning rate, in the weight's unit")
    tau_x: Real = Parameter(20.0, "ms", above=0, per_element=False, doc="time constant of the trace of arrivals")
    steps: ClassVar[tuple[str, ...]] = ("eta",)
    source_traces: ClassVar[dict] = {"x": Trace("tau_x")}


class Hebb(_Sampled):
    r"""Hebb's rule: at a spike of the target, w -> w + eta (x - x_0).

    x is the trace of the arrivals, tau_x dx/dt = -x, raised by 1 by each. Where the spikes of the two sides are
    independent, of rates r_x and r_y, w grows by eta r_y (tau_x r_x - x_0) per unit of time. With x_0 > 0 sources that
    were silent lose, as in the network of Diehl and Cook. A negative eta makes the rule anti-Hebbian: what fires
    together is taken apart. Weights are clipped to w_min .. w_max; nothing else stops them.

    >>> Hebb(eta=-1e-3, w_min=-1.0)  # anti-Hebbian
    Hebb(eta=-0.001, w_min=-1.0)

    Source: Hebb, The Organization of Behavior, Wiley 1949; Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics,
    Cambridge 2014, section 19.2; anti-Hebbian: Foldiak, Biol. Cybernetics 64 (1990) 165; x_0: Diehl, Cook, Frontiers in
    Computational Neuroscience 9 (2015) 99.
    """

    x_0: PerElement = Parameter(0.0, "", doc="value of x at which nothing happens")

    @staticmethod
    def on_target(weight, x, eta, x_0, w_min, w_max):
        """Grow by the source's recent arrivals."""
        return clip(weight + eta * (x - x_0), w_min, w_max)


class Oja(_Sampled):
    r"""Oja's rule, Hebb's with a decay that keeps the norm of a neuron's weights: w -> w + eta (x - y w / y_0).

    At a spike of the target; x is the trace of the arrivals and y that of the target's earlier spikes, with tau_x and
    tau_y. As rates: dw/dt ~ r_y (r_x tau_x - r_y tau_y w / y_0), whose fixed point is along the first eigenvector of
    the correlations of the inputs where the target's rate is linear in them.

    >>> Oja(y_0=2.0)
    Oja(y_0=2.0)

    Source: Oja, J. Mathematical Biology 15 (1982) 267.
    """

    tau_y: Real = Parameter(20.0, "ms", above=0, per_element=False, doc="time constant of the trace of target spikes")
    y_0: PerElement = Parameter(1.0, "", above=0, doc="value of y at which a weight decays to x")
    target_traces: ClassVar[dict] = {"y": Trace("tau_y")}

    @staticmethod
    def on_target(weight, x, y, eta, y_0, w_min, w_max):
        """Grow by the source's recent arrivals, decay by the target's own activity."""
        return clip(weight + eta * (x - y / y_0 * weight), w_min, w_max)


class BCM(_Sampled):
    r"""The rule of Bienenstock, Cooper and Munro: growth above a threshold that slides with the target's activity.

    At a spike of the target:  w -> w + eta x (y - theta),  theta = c^2 / y_0,

    x being the trace of the arrivals, y that of the target's earlier spikes, and c the target's activity as y
    measures it, averaged over tau_theta: a slow trace of its spikes times tau_y / tau_theta. A target that is more
    active than y_0 for long raises theta above y, and its synapses shrink; so y_0 / tau_y is the rate at which they
    rest.

    >>> BCM(y_0=0.5)
    BCM(y_0=0.5)

    Source: Bienenstock, Cooper, Munro, J. Neuroscience 2 (1982) 32.
    """

    tau_y: Real = Parameter(20.0, "ms", above=0, per_element=False, doc="time constant of the trace of target spikes")
    tau_theta: Real = Parameter(2000.0, "ms", above=0, per_element=False,
                                doc="over which the target's activity is averaged")
    y_0: PerElement = Parameter(0.2, "", above=0,
                                doc="activity at which the synapses rest: the resting rate times tau_y")
    target_traces: ClassVar[dict] = {"y": Trace("tau_y"), "y_slow": Trace("tau_theta")}

    @staticmethod
    def on_target(weight, x, y, y_slow, eta, tau_y, tau_theta, y_0, w_min, w_max):
        """Grow where the target is more active than its threshold, shrink where it is less."""
        activity = y_slow * (tau_y / tau_theta)
        return clip(weight + eta * x * (y - activity * activity / y_0), w_min, w_max)


class SoftWinnerTakeAll(_Sampled):
    r"""Hebb's rule for a soft winner-take-all circuit: at a spike of the target, w -> w + eta (c x exp(-w) - 1).

    x is the trace of the arrivals, the nearest only: 1 where a spike has just arrived, and falling with tau_x. The
    weight settles where exp(w) is c times the mean of x at the target's spikes, so w is the logarithm of how likely the
    source has been active: weights are log likelihoods, a neuron sums them, and where the neurons compete so that each
    spikes with a softmax of its membrane, the rule is a stochastic form of expectation maximisation. The
    default bounds let probabilities from 1 / c to 1 be told apart.

    >>> SoftWinnerTakeAll(eta=0.01)
    SoftWinnerTakeAll(eta=0.01)

    Source: Nessler, Pfeiffer, Buesing, Maass, PLoS Computational Biology 9 (2013) e1003037.
    """

    c: PerElement = Parameter(20.0, "", above=0, doc="shift of the weights: w = log(c p)")
    w_max: PerElement = Parameter(3.0, "", doc="largest weight, log(c) or a little more")
    source_traces: ClassVar[dict] = {"x": Trace("tau_x", nearest=True)}

    @staticmethod
    def on_target(weight, x, eta, c, w_min, w_max):
        """Approach the log likelihood of the source's activity."""
        return clip(weight + eta * (c * x * exp(min(-weight, 80.0)) - 1.0), w_min, w_max)  # float32 ends at exp(88)
