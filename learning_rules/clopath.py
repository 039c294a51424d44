"""Plasticity that depends on the target's voltage."""

from typing import ClassVar, Literal

import numpy as np

from learning_rules.bounded import Bounded, clip
from learning_rules.clopath_neuron import ClopathAdEx
from neurosim.aliases import Choice, PerElement, Real
from neurosim.checks import Option, Parameter
from neurosim.contracts import State, Trace


class ClopathSTDP(Bounded):
    r"""Voltage-based STDP: arrivals at a depolarised target depress, those before its spikes potentiate.

    At an arrival:  w -> w - a_ltd [u_minus - theta_minus]+,
    always:         dw/dt = a_ltp (x / tau_x) [v - theta_plus]+ [u_plus - theta_minus]+,

    [.]+ being the positive part, x the trace of earlier arrivals, tau_x dx/dt = -x, raised by 1 by each, and u_minus
    and u_plus low-pass filtered voltages of the target, which `ClopathAdEx` carries, as they were u_delay ago: so a
    spike does not count for its own potentiation. With homeostasis="on" depression is multiplied by
    u_bar^2 / u_ref_squared, a slow average of the voltage above rest.

    The integral is Euler's, of step `period`, which must be the length of a tick; that costs a pass over all synapses
    in every tick, and so is meant for small networks. The delay is axonal. u_delay is a multiple of a tick. The paper
    does not tell of it, its published script and NEST (delay_u_bars) have 5 ms; 0 takes the voltages of the same tick.

    >>> ClopathSTDP(period=0.1, w_max=50.0).homeostasis
    'off'

    Source: Clopath, Buesing, Vasilaki, Gerstner, Nature Neuroscience 13 (2010) 344.
    """

    target = ClopathAdEx
    a_ltd: PerElement = Parameter(14e-5, "1/mV", at_least=0, doc="amplitude of the depression, in the weight's unit")
    a_ltp: PerElement = Parameter(8e-5, "1/mV^2", at_least=0, doc="amplitude of the potentiation, in the weight's unit")
    theta_minus: PerElement = Parameter(-70.6, "mV", doc="voltage above which filtered voltages count")
    theta_plus: PerElement = Parameter(-45.3, "mV", doc="voltage above which the target potentiates")
    tau_x: Real = Parameter(15.0, "ms", above=0, per_element=False, doc="time constant of the trace of arrivals")
    u_ref_squared: PerElement = Parameter(60.0, "mV^2", above=0, doc="reference of the homeostasis")
    u_delay: Real = Parameter(5.0, "ms", at_least=0, per_element=False, doc="how late u_plus and u_minus are read")
    homeostasis: Choice[Literal["off", "on"]] = Option("off", ("off", "on"),
                                                       doc="whether depression grows with the target's average voltage")
    period: Real = Parameter(0.1, "ms", above=0, per_element=False, doc="length of a tick")

    reads: ClassVar[tuple[str, ...]] = ("v", "u_plus", "u_minus", "u_bar")
    lags: ClassVar[dict[str, str]] = {"u_plus": "u_delay", "u_minus": "u_delay"}
    state: ClassVar[dict] = {"arrivals": State(0.0, "", "arrivals in this tick")}
    source_traces: ClassVar[dict] = {"x": Trace("tau_x")}

    def check(self, projection):
        """Warn about an arrival at theta_plus that would take a weight from bound to bound."""
        super().check(projection)
        if all(isinstance(each, (float, np.ndarray)) for each in (self.a_ltd, self.theta_plus, self.theta_minus)):
            self.warn_if_above(projection, "a_ltd (theta_plus - theta_minus)",
                               self.a_ltd * (self.theta_plus - self.theta_minus))

    @staticmethod
    def on_source(weight, arrivals):
        """Note the arrival; the target's voltages of this tick are not there yet."""
        return weight, arrivals + 1.0

    @property
    def on_period(self):
        """Potentiate by the arrivals before, and depress by those of this tick."""
        return _with_homeostasis if self.homeostasis == "on" else _without


def _without(weight, arrivals, x, v, u_plus, u_minus, a_ltd, a_ltp, theta_minus, theta_plus, tau_x, period, w_min,
             w_max):
    gain = a_ltp * (x - arrivals) / tau_x * max(v - theta_plus, 0.0) * max(u_plus - theta_minus, 0.0) * period
    loss = arrivals * a_ltd * max(u_minus - theta_minus, 0.0)
    return clip(clip(weight + gain, w_min, w_max) - loss, w_min, w_max), arrivals * 0.0


def _with_homeostasis(weight, arrivals, x, v, u_plus, u_minus, u_bar, a_ltd, a_ltp, theta_minus, theta_plus, tau_x,
                      u_ref_squared, period, w_min, w_max):
    amplitude = a_ltd * u_bar * u_bar / u_ref_squared
    return _without(weight, arrivals, x, v, u_plus, u_minus, amplitude, a_ltp, theta_minus, theta_plus, tau_x, period,
                    w_min, w_max)
