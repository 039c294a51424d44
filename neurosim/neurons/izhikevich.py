"""The model of Izhikevich in its two forms, of 2003 and of 2007."""

from typing import Literal

import numpy as np

from neurosim.aliases import Choice, PerElement
from neurosim.checks import Option, Parameter
from neurosim.contracts import Parabola, State
from neurosim.errors import ParameterError
from neurosim.neurons.base import Neuron
from neurosim.neurons.schemes import LONGEST, quadratic_at_once, quadratic_tick


class Peaked(Neuron):
    """What both forms share: a peak that v must reach, and a count of the spikes that were not yet sent."""

    def rates(self, p):
        return {"u": p.a}

    @staticmethod
    def fires(v, due, v_peak):
        """At or above the peak, or in the sub-steps of this tick."""
        return (v >= v_peak) | (due > 0.5)

    @staticmethod
    def after_spike(v, u, due, v_peak, v_reset, d):
        """Reset, unless that was done within the tick; one spike less is due."""
        if v >= v_peak:
            return v_reset, u + d, due
        return v, u, due - 1.0


class Izhikevich(Peaked, kw_only=False):
    r"""Izhikevich's neuron of 2003, with two variables and four numbers.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + i_bias + I;  du/dt = a (b v - u);
    spike where v >= v_peak, then v is set to c and u raised by d.

    The current is in mV/ms, and a conductance in 1/ms. It starts at v = -65 mV and u = b v.

    The scheme must be chosen knowingly, a fast-spiking cell fires twice as fast with one as with the other:

    * "published": that of the published script, which takes a tick of 1 ms: two steps of dt/2 for v,
      then one of dt for u with the new v. A spike at tick t is the one that the script finds
      at the beginning of its step t + 1; with `Pulse` receptors and delays of one tick, networks
      reproduce it spike for spike.
    * "fine": converged. Sub-steps of second order within the tick, at most 0.05 ms and shorter where v
      changes by more than 1 mV; v and u are reset at the very crossing; current and conductance are
      held over the tick. Where several crossings fall into one tick, the spikes that are `due`
      leave in the next ticks, one in each.

    >>> Izhikevich(0.1, 0.2, -65.0, 2.0, scheme="fine")
    Izhikevich(a=0.1, b=0.2, c=-65.0, d=2.0, scheme='fine')

    Source: Izhikevich, Simple model of spiking neurons, IEEE Trans. Neural Networks 14 (2003) 1569.
    """

    positional = 4
    current_unit = "mV/ms"
    a: PerElement = Parameter(0.02, "1/ms", doc="rate of the recovery u")
    b: PerElement = Parameter(0.2, "1/ms", doc="sensitivity of u to v")
    c: PerElement = Parameter(-65.0, "mV", doc="value of v after a spike, below v_peak")
    d: PerElement = Parameter(8.0, "mV/ms", doc="what a spike adds to u")
    v_peak: PerElement = Parameter(30.0, "mV", doc="peak; a spike is sent where v reaches it")
    i_bias: PerElement = Parameter(0.0, "mV/ms", doc="constant current")
    scheme: Choice[Literal["published", "fine"]] = Option("published", ("published", "fine"),
                                                          doc="how a tick is integrated")

    state = {"v": State(-65.0, "mV", "membrane potential"),
             "u": State(lambda p: p.b * p.v, "mV/ms", "recovery"),
             "due": State(0.0, "", "spikes that happened and were not yet sent, scheme 'fine'")}

    def validate(self):
        check_peak(self, "c")

    def coefficients(self, p, dt):
        return {"a": p.a, "b": p.b, "v_reset": p.c, "d": p.d, "v_peak": p.v_peak, "i_bias": p.i_bias, "dt": dt,
                "half": dt / 2.0, "rate_u": p.a * dt, "longest": longest_step(p.a, dt)}

    def parabola(self, p):
        return Parabola(square=0.04, slope=5.0, drift=140.0 + p.i_bias, share=1.0, gain=1.0, a=p.a, b=p.b, offset=0.0,
                        peak=p.v_peak, reset=p.c, up=p.d)

    @property
    def step(self):
        """The integration that the scheme names."""
        return _published_2003 if self.scheme == "published" else _fine_2003

    @property
    def at_once(self):
        """The same of ticks that need few sub-steps."""
        return None if self.scheme == "published" else _calm_2003


class GeneralIzhikevich(Peaked):
    r"""Izhikevich's neuron of 2007, in physical units.

    c_mem dv/dt = k (v - v_r) (v - v_t) - u + i_bias + I;  du/dt = a (b (v - v_r) - u);
    spike where v >= v_peak, then v is set to v_reset and u raised by d.

    It starts at v = v_r and u = b (v - v_r). The schemes:

    * "published": the forward Euler step of the book's script, which takes a tick of 1 ms: one step of
      dt for v and for u, both from the old values.
    * "fine": converged, as in `Izhikevich`.

    The defaults are those of a regular spiking cell of the neocortex.

    >>> GeneralIzhikevich(k=1.2, v_r=-75.0, v_t=-45.0, c_mem=150.0, a=0.01, b=5.0, v_reset=-56.0, d=130.0, v_peak=50.0)
    GeneralIzhikevich(c_mem=150.0, k=1.2, v_r=-75.0, v_t=-45.0, a=0.01, b=5.0, v_reset=-56.0, d=130.0, v_peak=50.0)

    Source: Izhikevich, Dynamical Systems in Neuroscience, MIT Press 2007, chapter 8.
    """

    c_mem: PerElement = Parameter(100.0, "pF", above=0, doc="membrane capacitance")
    k: PerElement = Parameter(0.7, "nS/mV", above=0, doc="steepness of the parabola")
    v_r: PerElement = Parameter(-60.0, "mV", doc="resting potential")
    v_t: PerElement = Parameter(-40.0, "mV", doc="instantaneous threshold")
    a: PerElement = Parameter(0.03, "1/ms", doc="rate of the recovery u")
    b: PerElement = Parameter(-2.0, "nS", doc="sensitivity of u to v")
    v_reset: PerElement = Parameter(-50.0, "mV", doc="value of v after a spike, below v_peak")
    d: PerElement = Parameter(100.0, "pA", doc="what a spike adds to u")
    v_peak: PerElement = Parameter(35.0, "mV", doc="peak; a spike is sent where v reaches it")
    i_bias: PerElement = Parameter(0.0, "pA", doc="constant current")
    scheme: Choice[Literal["published", "fine"]] = Option("published", ("published", "fine"),
                                                          doc="how a tick is integrated")

    state = {"v": State(lambda p: p.v_r, "mV", "membrane potential"),
             "u": State(lambda p: p.b * (p.v - p.v_r), "pA", "recovery"),
             "due": State(0.0, "", "spikes that happened and were not yet sent, scheme 'fine'")}

    def validate(self):
        check_peak(self, "v_reset")

    def coefficients(self, p, dt):
        return {"steepness": p.k, "v_r": p.v_r, "v_t": p.v_t, "a": p.a, "b": p.b, "v_reset": p.v_reset, "d": p.d,
                "v_peak": p.v_peak, "i_bias": p.i_bias, "dt": dt, "gain": dt / p.c_mem, "rate_u": p.a * dt,
                "square": p.k / p.c_mem, "share": 1.0 / p.c_mem, "slope": -p.k * (p.v_r + p.v_t) / p.c_mem,
                "drive": (p.k * p.v_r * p.v_t + p.i_bias) / p.c_mem, "offset": -p.b * p.v_r,
                "longest": longest_step(p.a, dt)}

    def parabola(self, p):
        return Parabola(square=p.k / p.c_mem, slope=-p.k * (p.v_r + p.v_t) / p.c_mem,
                        drift=(p.k * p.v_r * p.v_t + p.i_bias) / p.c_mem, share=1.0 / p.c_mem, gain=1.0 / p.c_mem,
                        a=p.a, b=p.b, offset=-p.b * p.v_r, peak=p.v_peak, reset=p.v_reset, up=p.d)

    @property
    def step(self):
        """The integration that the scheme names."""
        return _published_2007 if self.scheme == "published" else _fine_2007

    @property
    def at_once(self):
        """The same of ticks that need few sub-steps."""
        return None if self.scheme == "published" else _calm_2007


def longest_step(a, dt):
    """Return the length of the sub-steps for a recovery rate, ms."""
    limit = np.minimum(LONGEST, 0.1 / np.maximum(np.abs(a), 1e-9))
    return dt / np.ceil(dt / limit - 1e-9)


def check_peak(model, name):
    """Refuse a reset at or above the peak."""
    reset, peak = getattr(model, name), model.v_peak
    if isinstance(reset, (float, np.ndarray)) and isinstance(peak, (float, np.ndarray)) and np.any(reset >= peak):
        raise ParameterError(f"{type(model).__name__}.{name} must be < v_peak = {peak} mV, got {reset}")


def _published_2003(v, u, due, i, g, i_bias, half, rate_u, b):
    v = v + half * (0.04 * (v * v) + 5.0 * v + 140.0 - u + (i + i_bias - g * v))
    v = v + half * (0.04 * (v * v) + 5.0 * v + 140.0 - u + (i + i_bias - g * v))
    return v, u + rate_u * (b * v - u), due


def _fine_2003(v, u, due, i, g, i_bias, a, b, v_peak, v_reset, d, dt, longest):
    return quadratic_tick(v, u, due, 0.04, 5.0 - g, 140.0 + i_bias + i, 1.0, a, b, 0.0, v_peak, v_reset, d, dt, longest)


def _calm_2003(v, u, due, i, g, i_bias, a, b, v_peak, dt, longest):
    return quadratic_at_once(v, u, due, 0.04, 5.0 - g, 140.0 + i_bias + i, 1.0, a, b, 0.0, v_peak, dt, longest)


def _published_2007(v, u, due, i, g, steepness, v_r, v_t, i_bias, gain, rate_u, b):
    after = v + gain * (steepness * (v - v_r) * (v - v_t) - u + (i + i_bias - g * v))
    return after, u + rate_u * (b * (v - v_r) - u), due


def _fine_2007(v, u, due, i, g, square, slope, drive, share, a, b, offset, v_peak, v_reset, d, dt, longest):
    return quadratic_tick(v, u, due, square, slope - share * g, drive + share * i, share, a, b, offset, v_peak, v_reset,
                          d, dt, longest)


def _calm_2007(v, u, due, i, g, square, slope, drive, share, a, b, offset, v_peak, dt, longest):
    return quadratic_at_once(v, u, due, square, slope - share * g, drive + share * i, share, a, b, offset, v_peak, dt,
                             longest)
