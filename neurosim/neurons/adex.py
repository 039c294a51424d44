"""Adaptive exponential integrate-and-fire."""

from math import nan, sqrt

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter, describe_value
from neurosim.contracts import State
from neurosim.errors import ParameterError
from neurosim.maths import exp
from neurosim.neurons.base import Neuron
from neurosim.neurons.izhikevich import check_peak
from neurosim.neurons.schemes import MOST, SHORTEST, phi

LONGEST = 0.1  #: ms, no sub-step is longer
SHARPEST = 1e-6  #: mV, a slope factor below this is none
ONSET = 4.0  #: slope factors below the threshold at which the upswing begins to be felt
BEND = 1.0 / 256.0  #: by which the slope of the upswing, times the sub-step, may change in a sub-step


class AdExIF(Neuron):
    r"""Adaptive exponential integrate-and-fire neuron.

    c_mem dv/dt = g_leak (v_leak - v) + g_leak delta_t exp((v - v_threshold) / delta_t) - w + i_bias + I;
    tau_w dw/dt = a (v - v_leak) - w;  spike where v > v_peak, then v is set to v_reset, w raised by b,
    and v held for t_ref. With delta_t = 0, the limit of a sharp threshold, the exponential is left out and a spike is
    sent where v > v_threshold: with a = b = 0 that is `LIF`.

    Scheme: exponential Rosenbrock-Euler for v, with w at the middle of the step, of second order and stable for any
    conductance, in sub-steps within the tick: at most 0.1 ms, from 4 delta_t below v_threshold on so short that v
    changes by delta_t / 2, and in the upswing by delta_t / 16 or less, but not below 1/512 of the tick. v and w are
    reset at the very crossing, and the rest of the tick follows; with t_ref > 0 v stays at v_reset from there to the
    end of t_ref, which counts from the tick of the spike. Current and conductance are held over the tick. The exponent
    is limited to 30. Where several crossings fall into one tick, the spikes that are `due` leave in the next ticks, one
    in each. The defaults are those of the paper.

    >>> AdExIF(a=2.0, b=60.0, tau_w=30.0, i_bias=500.0)
    AdExIF(tau_w=30.0, a=2.0, b=60.0, i_bias=500.0)

    Source: Brette, Gerstner, J. Neurophysiology 94 (2005) 3637; the scheme: Pope, Communications of the
    ACM 6 (1963) 491.
    """

    c_mem: PerElement = Parameter(281.0, "pF", above=0, doc="membrane capacitance")
    g_leak: PerElement = Parameter(30.0, "nS", above=0, doc="leak conductance")
    v_leak: PerElement = Parameter(-70.6, "mV", doc="resting potential, E_L")
    v_threshold: PerElement = Parameter(-50.4, "mV",
                                        doc="threshold of the spike's initiation, V_T; spikes are sent at v_peak")
    delta_t: PerElement = Parameter(2.0, "mV", at_least=0, doc="slope factor; below 1e-6 it counts as 0")
    tau_w: PerElement = Parameter(144.0, "ms", above=0, doc="time constant of the adaptation")
    a: PerElement = Parameter(4.0, "nS", doc="coupling of the adaptation to v")
    b: PerElement = Parameter(80.5, "pA", doc="what a spike adds to the adaptation")
    v_reset: PerElement = Parameter(-70.6, "mV", doc="value after a spike, below v_peak")
    v_peak: PerElement = Parameter(20.0, "mV", doc="peak; a spike is sent where v is above")
    t_ref: PerElement = Parameter(0.0, "ms", at_least=0, doc="how long v is held after a spike")
    i_bias: PerElement = Parameter(0.0, "pA", doc="constant current")

    state = {"v": State(lambda p: p.v_leak, "mV", "membrane potential"),
             "w": State(0.0, "pA", "adaptation current"),
             "due": State(0.0, "", "spikes that happened and were not yet sent"),
             "rest": State(0.0, "", "ticks for which v is still held")}

    def validate(self):
        check_peak(self, "v_reset")
        known = all(isinstance(value, (float, np.ndarray)) for value in (self.delta_t, self.v_reset, self.v_threshold))
        if known and np.any((self.delta_t < SHARPEST) & (self.v_reset >= np.asarray(self.v_threshold))):
            raise ParameterError(f"AdExIF.v_reset must be < v_threshold = {describe_value(self.v_threshold)} mV where "
                                 f"delta_t is 0, got {describe_value(self.v_reset)}")

    def rise(self, p):
        return 1.0 / p.c_mem

    def rates(self, p):
        return {"v": p.g_leak / p.c_mem, "w": 1.0 / p.tau_w}

    def coefficients(self, p, dt):
        limit = np.minimum(LONGEST, 0.1 * p.tau_w)
        smooth = np.asarray(p.delta_t) >= SHARPEST
        return {"leak": p.g_leak / p.c_mem, "share": 1.0 / p.c_mem, "v_leak": p.v_leak, "v_threshold": p.v_threshold,
                "width": np.where(smooth, p.delta_t, 0.0), "sharpness": smooth / np.where(smooth, p.delta_t, 1.0),
                "rate_w": 1.0 / p.tau_w, "a": p.a, "b": p.b, "v_reset": p.v_reset,
                "v_peak": np.where(smooth, p.v_peak, p.v_threshold), "i_bias": p.i_bias, "dt": dt,
                "longest": dt / np.ceil(dt / limit - 1e-9), "most_rest": np.rint(np.asarray(p.t_ref) / dt)}

    @staticmethod
    def step(v, w, due, rest, i, g, leak, share, v_leak, v_threshold, width, sharpness, rate_w, a, b, v_reset, v_peak,
             i_bias, dt, longest, most_rest):
        """Sub-steps of exponential Rosenbrock-Euler, with the crossing inside the tick."""
        if rest > 0.5:
            return v, _decay(w, a * (v - v_leak), rate_w * dt), due, rest - 1.0
        left = dt
        for _ in range(MOST):
            upswing, rate = _forces(v, w, i, g, leak, share, v_leak, v_threshold, width, sharpness, i_bias)
            h = min(left, longest)
            bend = h * h * upswing * sharpness * sharpness * abs(rate)
            if bend > BEND:
                h = min(h, max(h * sqrt(BEND / bend), dt * SHORTEST))
            reach = max(v_threshold - ONSET * width - v, 0.0) + 0.5 * width
            if h * rate > reach > 0.0:
                h = min(h, max(reach / rate, dt * SHORTEST))
            x = rate_w * h
            after = _moved(v, w, h, x, g, upswing, rate, leak, share, v_leak, sharpness, a)
            if v > v_peak or after > v_peak:
                h = h * min(max((v_peak - v) / (after - v), 0.0), 1.0)
                w = _relax(w, a * (0.5 * (v + v_peak) - v_leak), rate_w * h) + b
                v = v_reset
                due = due + 1.0
                if most_rest > 0.5:
                    return v, _decay(w, a * (v - v_leak), rate_w * (left - h)), due, rest
            else:
                w = _relax(w, a * (0.5 * (v + after) - v_leak), x)
                v = after
            left = left - h
            if not left > 0.0:
                return v, w, due, rest
        return v * nan, w, due, rest

    @staticmethod
    def at_once(v, w, due, rest, i, g, leak, share, v_leak, v_threshold, width, sharpness, rate_w, a, v_peak, i_bias,
                dt, longest):
        """The first sub-step, where it is the whole tick."""
        upswing, rate = _forces(v, w, i, g, leak, share, v_leak, v_threshold, width, sharpness, i_bias)
        bend = dt * dt * upswing * sharpness * sharpness * abs(rate)
        reach = max(v_threshold - ONSET * width - v, 0.0) + 0.5 * width
        x = rate_w * dt
        after = _moved(v, w, dt, x, g, upswing, rate, leak, share, v_leak, sharpness, a)
        cut = (longest < dt) | (bend > BEND) | ((dt * rate > reach) & (reach > 0.0))
        done = not ((rest > 0.5) | cut | (v > v_peak) | (after > v_peak))
        return done, after, _relax(w, a * (0.5 * (v + after) - v_leak), x), due, rest

    @staticmethod
    def fires(v, due, v_peak):
        """Above the peak, or in the sub-steps of this tick."""
        return (v > v_peak) | (due > 0.5)

    @staticmethod
    def after_spike(v, w, due, v_reset, b, v_peak, most_rest):
        """Reset, unless that was done within the tick; one spike less is due."""
        if v > v_peak and (due < 0.5 or most_rest < 0.5):
            return v_reset, w + b, due, most_rest
        return v_reset if most_rest > 0.5 else v, w, due - 1.0, most_rest


def _forces(v, w, i, g, leak, share, v_leak, v_threshold, width, sharpness, i_bias):
    """The exponential's share of dv/dt, and dv/dt."""
    upswing = leak * width * exp(min((v - v_threshold) * sharpness, 30.0))
    return upswing, leak * (v_leak - v) + upswing + share * (i_bias + i - g * v - w)


def _moved(v, w, h, x, g, upswing, rate, leak, share, v_leak, sharpness, a):
    """v after a sub-step of h, x time constants of w."""
    rate = rate - share * 0.5 * x * (a * (v - v_leak) - w)
    return v + h * rate * phi(h * (upswing * sharpness - leak - share * g))


def _relax(w, target, x):
    """A step of x time constants towards the target, of second order."""
    return w + (x - 0.5 * x * x) * (target - w)


def _decay(w, target, x):
    """A step of x time constants towards the target, exact."""
    return w + x * phi(-x) * (target - w)
