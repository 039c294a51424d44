"""Three factors: changes that other rules ask for wait as eligibility until a signal makes them real."""

from typing import ClassVar

from learning_rules.bounded import clip
from neurosim.aliases import PerElement, Real
from neurosim.checks import Parameter
from neurosim.contracts import Plasticity, State
from neurosim.maths import exp


class Gated(Plasticity):
    r"""Lets a signal decide how much of a change happens: dw -> dw (signal - baseline).

    A gate: it stands behind the rules whose changes it scales, `plasticity=[PairSTDP(), Gated()]`, and keeps nothing.
    The signal is the value of the modulator at the end of the tick before. With a negative value what would grow
    shrinks.

    >>> Gated(baseline=1.0).modulators
    ('signal',)

    Source: Fremaux, Gerstner, Frontiers in Neural Circuits 9 (2016) 85, section 3.
    """

    baseline: PerElement = Parameter(0.0, "", doc="value of the signal at which nothing happens")
    modulators: ClassVar[tuple[str, ...]] = ("signal",)

    @staticmethod
    def on_change(change, signal, baseline):
        """Scale the change."""
        return change * (signal - baseline)


class _Traced(Plasticity):
    """Base: a gate that stores every change in the eligibility c, which decays."""

    tau_c: PerElement = Parameter(1000.0, "ms", above=0, doc="time constant of the eligibility")
    floor: PerElement = Parameter(0.0, "", doc="smallest weight that a signal leads to, in the weight's unit")
    ceiling: PerElement = Parameter(1.0, "", doc="largest weight that a signal leads to, in the weight's unit")

    def weight_bounds(self, p):
        """Return the smallest and the largest weight, numbers or one per synapse."""
        return p.floor, p.ceiling


class Reward(_Traced):
    r"""Eligibility that reward turns into weight, the reward being spikes of a population.

    c -> c + dw where a rule before it asks for dw, which then does not happen;
    dc/dt = -c / tau_c;    dn/dt = -n / tau_n + step S(t);    dw/dt = c (n - baseline),

    S(t) being the spikes of the modulator `reward`, a population (dopamine cells, or a `SpikeSource` with given
    rewards), which act one tick after they happened. Between two events at a synapse the equations are solved in closed
    form, so a synapse costs work only when a spike arrives, and when there is a reward; that costs one visit of each
    synapse, when its next spike arrives. A single reward D ms after a change dw adds to the weight, in the end,
    dw step exp(-D / tau_c) tau_c tau_n / (tau_c + tau_n).

    n, a concentration, is the same for all synapses of a projection, and starts at 0. Rules before it clip what they
    ask for at their own bounds; give them wide ones where a weight at its bound shall become eligible all the same.

    >>> from learning_rules import PairSTDP
    >>> rules = [PairSTDP(a_plus=1.0, a_minus=1.5, w_min=-1e3, w_max=1e3), Reward(tau_n=200.0, step=0.005, ceiling=4.0)]

    Source: Izhikevich, Cerebral Cortex 17 (2007) 2443.
    """

    tau_n: PerElement = Parameter(200.0, "ms", above=0, doc="time constant of the reward's concentration")
    step: PerElement = Parameter(0.005, "1/ms", doc="what a spike of the modulator adds to the concentration")
    baseline: PerElement = Parameter(0.0, "1/ms", doc="concentration at which nothing happens")

    modulators: ClassVar[tuple[str, ...]] = ("reward",)
    state: ClassVar[dict] = {"c": State(0.0, "", "eligibility, in the weight's unit"),
                             "n": State(0.0, "1/ms", "concentration of the reward")}

    @staticmethod
    def between(elapsed, weight, c, n, tau_c, tau_n, baseline, floor, ceiling):
        """Let eligibility and concentration decay, and the weight follow their product."""
        both = tau_c * tau_n / (tau_c + tau_n)
        gain = n * both * lost(elapsed / both) - baseline * tau_c * lost(elapsed / tau_c)
        return clip(weight + c * gain, floor, ceiling), c * exp(-elapsed / tau_c), n * exp(-elapsed / tau_n)

    @staticmethod
    def on_change(change, c, n):
        """Keep the change as eligibility."""
        return change * 0.0, c + change, n

    @staticmethod
    def on_modulator(weight, c, n, reward, step):
        """Take in the reward."""
        return weight, c, n + step * reward


class ThreeFactor(_Traced):
    r"""Eligibility that any signal turns into weight, looked at every `period`.

    c -> c + dw where a rule before it asks for dw, which then does not happen;  dc/dt = -c / tau_c;
    every period:  w -> w + c (signal - baseline) period.

    The signal is a variable of a population of one neuron, which spikes, currents or a script drive. This is Euler's
    step of dw/dt = c (signal - baseline), and costs a pass over all synapses in each period.

    More signals take a subclass of three lines: name them in `modulators`, and take them in `on_period`.

    >>> class Surprise(ThreeFactor):
    ...     modulators = ("reward", "novelty")
    ...
    ...     @staticmethod
    ...     def on_period(weight, c, reward, novelty, period, floor, ceiling):
    ...         return min(max(weight + c * reward * novelty * period, floor), ceiling), c

    Source: Fremaux, Gerstner, Frontiers in Neural Circuits 9 (2016) 85.
    """

    baseline: PerElement = Parameter(0.0, "1/ms", doc="value of the signal at which nothing happens")
    period: Real = Parameter(10.0, "ms", above=0, per_element=False, doc="how often the signal is looked at")

    modulators: ClassVar[tuple[str, ...]] = ("signal",)
    state: ClassVar[dict] = {"c": State(0.0, "", "eligibility, in the weight's unit")}

    @staticmethod
    def between(elapsed, weight, c, tau_c):
        """Let the eligibility decay."""
        return weight, c * exp(-elapsed / tau_c)

    @staticmethod
    def on_change(change, c):
        """Keep the change as eligibility."""
        return change * 0.0, c + change

    @staticmethod
    def on_period(weight, c, signal, baseline, period, floor, ceiling):
        """Let the signal act."""
        return clip(weight + c * (signal - baseline) * period, floor, ceiling), c


def lost(x):
    """Return 1 - exp(-x) for x >= 0, to the last digits also where x is small."""
    if x < 0.1:
        return x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0 - x * (1.0 / 120.0 - x * (1.0 / 720.0))))))
    return 1.0 - exp(-x)
