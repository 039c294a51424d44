"""Spike-timing-dependent plasticity of triplets of spikes."""

from types import MappingProxyType
from typing import ClassVar, Literal

from learning_rules.bounded import Bounded, clip
from neurosim.aliases import Choice, PerElement, Real
from neurosim.checks import Option, Parameter, describe_value
from neurosim.contracts import Trace
from neurosim.errors import ParameterError

#: The fitted sets of parameters, by the names that `TripletSTDP.preset` takes.
PRESETS = MappingProxyType({
    "visual cortex": {"a2_plus": 5e-10, "a3_plus": 6.2e-3, "a2_minus": 7e-3, "a3_minus": 2.3e-4, "tau_plus": 16.8,
                      "tau_minus": 33.7, "tau_x": 101.0, "tau_y": 125.0, "spikes": "all"},
    "visual cortex, minimal": {"a2_plus": 0.0, "a3_plus": 6.5e-3, "a2_minus": 7.1e-3, "a3_minus": 0.0, "tau_plus": 16.8,
                               "tau_minus": 33.7, "tau_x": 101.0, "tau_y": 114.0, "spikes": "all"},
    "hippocampus": {"a2_plus": 4.6e-3, "a3_plus": 9.1e-3, "a2_minus": 3.0e-3, "a3_minus": 7.5e-9, "tau_plus": 16.8,
                    "tau_minus": 33.7, "tau_x": 575.0, "tau_y": 47.0, "spikes": "nearest"},
})


class TripletSTDP(Bounded):
    r"""Triplet STDP, which explains how pairs work at different frequencies.

    At an arrival:             w -> w - y (a2_minus + a3_minus x_slow);
    at a spike of the target:  w -> w + x (a2_plus + a3_plus y_slow);

    x and x_slow are traces of the arrivals with tau_plus and tau_x, y and y_slow traces of the target's spikes
    with tau_minus and tau_y. All are taken just before the spike. A spike raises its traces by 1 (spikes="all") or sets
    them to 1 (spikes="nearest"). The delay and spikes that meet are treated as in `PairSTDP`.

    The defaults are the set "visual cortex"; `preset` gives the others by name.

    >>> TripletSTDP.preset("hippocampus", w_max=2.0).spikes
    'nearest'

    Source: Pfister, Gerstner, J. Neuroscience 26 (2006) 9673.
    """

    a2_plus: PerElement = Parameter(5e-10, "", doc="growth by a pair, in the weight's unit")
    a3_plus: PerElement = Parameter(6.2e-3, "", doc="growth by a triplet target, source, target")
    a2_minus: PerElement = Parameter(7e-3, "", doc="loss by a pair")
    a3_minus: PerElement = Parameter(2.3e-4, "", doc="loss by a triplet source, target, source")
    tau_plus: Real = Parameter(16.8, "ms", above=0, per_element=False, doc="fast trace of arrivals")
    tau_minus: Real = Parameter(33.7, "ms", above=0, per_element=False, doc="fast trace of target spikes")
    tau_x: Real = Parameter(101.0, "ms", above=0, per_element=False, doc="slow trace of arrivals")
    tau_y: Real = Parameter(125.0, "ms", above=0, per_element=False, doc="slow trace of target spikes")
    delay: Choice[Literal["axonal", "dendritic"]] = Option("axonal", ("axonal", "dendritic"),
                                                           doc="whether the delay lies before or behind the synapse")
    spikes: Choice[Literal["all", "nearest"]] = Option("all", ("all", "nearest"), doc="which earlier spikes count")

    steps: ClassVar[tuple[str, ...]] = ("a2_plus", "a3_plus", "a2_minus", "a3_minus")
    source_traces: ClassVar[dict] = {"x": Trace("tau_plus"), "x_slow": Trace("tau_x")}
    target_traces: ClassVar[dict] = {"y": Trace("tau_minus"), "y_slow": Trace("tau_y")}

    def validate(self):
        super().validate()
        if self.spikes == "nearest":
            self.use_nearest()

    @classmethod
    def preset(cls, name: str, **changes) -> "TripletSTDP":
        """Return the rule with a fitted set of parameters.

        Args:
            name: "visual cortex" (all spikes), "visual cortex, minimal" or "hippocampus" (nearest spikes).
            changes: parameters that differ from the set, such as w_max.

        Raises:
            ParameterError: there is no such set.
        """
        if name not in PRESETS:
            raise ParameterError(f"preset must be {' or '.join(map(repr, PRESETS))}, got {describe_value(name)}")
        return cls(**{**PRESETS[name], **changes})

    def in_nest(self):
        """Return `stdp_triplet_synapse`; w_min must be 0."""
        numbers = all(isinstance(value, float) for value in (self.a2_plus, self.a3_plus, self.a2_minus, self.a3_minus,
                                                             self.w_min, self.w_max))
        if not numbers or self.w_min != 0.0 or self.delay != "dendritic" or self.spikes != "all":
            return None
        return ("stdp_triplet_synapse",
                {"Aplus": self.a2_plus, "Aplus_triplet": self.a3_plus, "Aminus": self.a2_minus,
                 "Aminus_triplet": self.a3_minus, "tau_plus": self.tau_plus, "tau_plus_triplet": self.tau_x,
                 "Wmax": self.w_max}, {"tau_minus": self.tau_minus, "tau_minus_triplet": self.tau_y})

    @staticmethod
    def on_source(weight, y, x_slow, a2_minus, a3_minus, w_min, w_max):
        """Depress."""
        return clip(weight - y * (a2_minus + a3_minus * x_slow), w_min, w_max)

    @staticmethod
    def on_target(weight, x, y_slow, a2_plus, a3_plus, w_min, w_max):
        """Potentiate."""
        return clip(weight + x * (a2_plus + a3_plus * y_slow), w_min, w_max)
