"""Spike-timing-dependent plasticity of pairs of spikes."""

from typing import ClassVar, Literal

from learning_rules.bounded import Bounded, clip
from neurosim.aliases import Choice, Flag, PerElement, Real
from neurosim.checks import Option, Parameter
from neurosim.contracts import State, Trace


class PairSTDP(Bounded):
    r"""Pair STDP: a synapse grows where its spike arrives before the target's, and shrinks where it arrives after.

    At a spike of the target:  w -> w + a_plus ((w_max - w) / (w_max - w_min))^mu_plus x;
    at an arrival:             w -> w - a_minus ((w - w_min) / (w_max - w_min))^mu_minus y;

    x is a trace of the arrivals at this synapse, tau_plus dx/dt = -x, and y one of the target's spikes,
    tau_minus dy/dt = -y. A spike raises its trace by 1 (pairs="all") or sets it to 1, so that only the nearest
    spike of the other side counts (pairs="nearest").  So one pair changes w by a_plus exp(-D / tau_plus), D being the
    time from the arrival to the target's spike, or by -a_minus exp(D / tau_minus) where D < 0. The exponents choose the
    dependence on the weight: 0 additive, 1 multiplicative, between them a power law.

    With delay="axonal" what counts is when the source's spike arrives. Where both come at one tick the arrival is the
    first, with D = 0: a full a_plus and no depression. With delay="dendritic" a spike of the target reaches the synapse
    after the delay, and two that meet there do not pair, as in NEST. Weights are clipped at every change.

    A float32 weight near w cannot move by less than 3e-8 w. With compensated=True each synapse keeps what rounding took
    from it and adds it to the next change, so that a million changes of 1e-8 add up to 0.01.

    >>> PairSTDP(a_plus=0.01, a_minus=0.012, pairs="nearest")
    PairSTDP(a_plus=0.01, a_minus=0.012, pairs='nearest')

    Source: Song, Miller, Abbott, Nature Neuroscience 3 (2000) 919; the dependence on the weight: Guetig, Aharonov,
    Rotter, Sompolinsky, J. Neuroscience 23 (2003) 3697; pairs: Morrison, Diesmann, Gerstner, Biol. Cybernetics 98
    (2008) 459.
    """

    a_plus: PerElement = Parameter(0.005, "",
                                   doc="change by an arrival just before the target's spike, in the weight's unit")
    a_minus: PerElement = Parameter(0.00525, "",
                                    doc="loss by an arrival just after the target's spike, in the weight's unit")
    tau_plus: Real = Parameter(20.0, "ms", above=0, per_element=False, doc="time constant of the trace of arrivals")
    tau_minus: Real = Parameter(20.0, "ms", above=0, per_element=False,
                                doc="time constant of the trace of target spikes")
    mu_plus: PerElement = Parameter(0.0, "", at_least=0, doc="exponent of the room above the weight")
    mu_minus: PerElement = Parameter(0.0, "", at_least=0, doc="exponent of the room below the weight")
    delay: Choice[Literal["axonal", "dendritic"]] = Option("axonal", ("axonal", "dendritic"),
                                                           doc="whether the delay lies before or behind the synapse")
    pairs: Choice[Literal["all", "nearest"]] = Option("all", ("all", "nearest"), doc="which pairs of spikes count")
    compensated: Flag = Option(False, (False, True),
                               doc="whether what rounding takes is kept, one more number per synapse")

    steps: ClassVar[tuple[str, ...]] = ("a_plus", "a_minus")
    source_traces: ClassVar[dict] = {"x": Trace("tau_plus")}
    target_traces: ClassVar[dict] = {"y": Trace("tau_minus")}

    def validate(self):
        super().validate()
        if self.pairs == "nearest":
            self.use_nearest()
        if self.compensated:  # the others carry nothing
            self.__dict__["state"] = {"lost": State(0.0, "", "what rounding took from the weight")}

    @property
    def on_source(self):
        """Depress."""
        return _depress_compensated if self.compensated else _depress

    @property
    def on_target(self):
        """Potentiate."""
        return _potentiate_compensated if self.compensated else _potentiate

    def in_nest(self):
        """Return `stdp_synapse`, whose steps are shares of w_max; w_min must be 0.

        NEST's synapses of nearest spikes take each source for one that has spiked at time 0.
        """
        numbers = all(isinstance(value, float) for value in (self.a_plus, self.a_minus, self.mu_plus, self.mu_minus,
                                                             self.w_min, self.w_max))
        as_there = self.delay == "dendritic" and self.pairs == "all" and not self.compensated
        if not numbers or not as_there or self.w_min != 0.0 or self.a_plus == 0.0:
            return None
        return ("stdp_synapse",
                {"lambda": self.a_plus / self.w_max, "alpha": self.a_minus / self.a_plus, "mu_plus": self.mu_plus,
                 "mu_minus": self.mu_minus, "tau_plus": self.tau_plus, "Wmax": self.w_max},
                {"tau_minus": self.tau_minus})


def _scaled(step, weight, bound, w_min, w_max, mu):
    """A step times the room that is left up to a bound, as a share of all, to the power mu."""
    if mu != 0.0:
        room = abs(bound - weight) / (w_max - w_min)
        step = step * (room if mu == 1.0 else room**mu)
    return step


def _depress(weight, y, a_minus, mu_minus, w_min, w_max):
    return clip(weight - _scaled(a_minus * y, weight, w_min, w_min, w_max, mu_minus), w_min, w_max)


def _potentiate(weight, x, a_plus, mu_plus, w_min, w_max):
    return clip(weight + _scaled(a_plus * x, weight, w_max, w_min, w_max, mu_plus), w_min, w_max)


def _depress_compensated(weight, lost, y, a_minus, mu_minus, w_min, w_max):
    return compensate(weight, lost, -_scaled(a_minus * y, weight, w_min, w_min, w_max, mu_minus), w_min, w_max)


def _potentiate_compensated(weight, lost, x, a_plus, mu_plus, w_min, w_max):
    return compensate(weight, lost, _scaled(a_plus * x, weight, w_max, w_min, w_max, mu_plus), w_min, w_max)


def compensate(weight, lost, change, w_min, w_max):
    """Return weight + change + lost, clipped, and what rounding took from it: Kahan's sum.

    Source: Kahan, Communications of the ACM 8 (1965) 40.
    """
    change = change + lost
    after = type(weight)(weight + change)  # as it will be stored
    if after < w_min:
        return w_min, lost * 0.0
    if after > w_max:
        return w_max, lost * 0.0
    return after, change - (after - weight)
