"""The quadratic integrate-and-fire neuron, and the same on a circle."""

import math

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import Parabola, State
from neurosim.neurons.base import Neuron
from neurosim.neurons.izhikevich import Peaked, check_peak, longest_step
from neurosim.neurons.schemes import quadratic_at_once, quadratic_tick


class QuadraticIF(Peaked):
    r"""Quadratic integrate-and-fire neuron, the normal form of what begins to fire at any low rate.

    tau_mem dv/dt = a (v - v_rest) (v - v_critical) + r (i_bias + I);
    spike where v >= v_peak, then v is set to v_reset.

    Scheme: the exact solution for a constant current, in sub-steps within the tick in which v changes by at most 1 mV,
    with the reset at the very crossing. Current and conductance are held over the tick. Where several crossings fall
    into one tick, the spikes that are `due` leave in the next ticks, one in each.

    >>> QuadraticIF(tau_mem=10.0, i_bias=200.0)
    QuadraticIF(i_bias=200.0)

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 5.3.
    """

    tau_mem: PerElement = Parameter(10.0, "ms", above=0, doc="membrane time constant")
    a: PerElement = Parameter(0.05, "1/mV", above=0, doc="steepness of the parabola")
    v_rest: PerElement = Parameter(-70.0, "mV", doc="resting potential")
    v_critical: PerElement = Parameter(-50.0, "mV", doc="potential above which v runs away")
    v_peak: PerElement = Parameter(30.0, "mV", doc="peak; a spike is sent where v reaches it")
    v_reset: PerElement = Parameter(-75.0, "mV", doc="value of v after a spike, below v_peak")
    r: PerElement = Parameter(0.1, "GOhm", above=0, doc="membrane resistance")
    i_bias: PerElement = Parameter(0.0, "pA", doc="constant current")

    state = {"v": State(lambda p: p.v_rest, "mV", "membrane potential"),
             "u": State(0.0, "mV/ms", "recovery, of which there is none"),
             "due": State(0.0, "", "spikes that happened and were not yet sent")}

    def validate(self):
        check_peak(self, "v_reset")

    def rates(self, p):
        return {}

    def parabola(self, p):
        return Parabola(square=p.a / p.tau_mem, slope=-p.a * (p.v_rest + p.v_critical) / p.tau_mem,
                        drift=(p.a * p.v_rest * p.v_critical + p.r * p.i_bias) / p.tau_mem, share=0.0,
                        gain=p.r / p.tau_mem, a=0.0, b=0.0, offset=0.0, peak=p.v_peak, reset=p.v_reset, up=0.0)

    def coefficients(self, p, dt):
        form = self.parabola(p)
        return {"square": form.square, "slope": form.slope, "drive": form.drift, "gain": form.gain, "v_peak": p.v_peak,
                "v_reset": p.v_reset, "d": 0.0, "dt": dt, "longest": longest_step(0.0, dt)}

    @staticmethod
    def step(v, u, due, i, g, square, slope, drive, gain, v_peak, v_reset, dt, longest):
        """The parabola without a recovery."""
        return quadratic_tick(v, u, due, square, slope - gain * g, drive + gain * i, 0.0, 0.0, 0.0, 0.0, v_peak,
                              v_reset, 0.0, dt, longest)

    @staticmethod
    def at_once(v, u, due, i, g, square, slope, drive, gain, v_peak, dt, longest):
        """The same of ticks that need few sub-steps."""
        return quadratic_at_once(v, u, due, square, slope - gain * g, drive + gain * i, 0.0, 0.0, 0.0, 0.0, v_peak, dt,
                                 longest)


class Theta(Neuron):
    r"""Theta neuron: the quadratic integrate-and-fire neuron without units, reset from infinity to minus infinity.

    tau_mem dv/dt = 1 - cos(v) + (1 + cos(v)) (i_bias + I);  spike where v, an angle, passes pi.

    With x = tan(v / 2) it is tau_mem dx/dt = x^2 + i_bias + I. A constant positive current makes it fire at
    sqrt(i_bias) / (pi tau_mem). Currents have no unit, and jumps of v are angles.

    Scheme: the exact solution for a constant current, held over the tick. It takes currents and jumps, but no
    conductances and no gap junctions, which need a potential and not an angle: take `QuadraticIF` for these. Of several
    spikes in a tick one is sent.

    >>> Theta(tau_mem=10.0, i_bias=0.04)
    Theta(i_bias=0.04)

    Source: Ermentrout, Kopell, SIAM J. Applied Mathematics 46 (1986) 233.
    """

    unit = "rad"
    current_unit = "1"
    tau_mem: PerElement = Parameter(10.0, "ms", above=0, doc="time constant")
    i_bias: PerElement = Parameter(-0.01, "1", doc="constant current, the excitability; below 0 it rests")
    state = {"v": State(lambda p: -2.0 * np.arctan(np.sqrt(np.maximum(-np.asarray(p.i_bias), 0.0))), "rad",
                        "angle, between -pi and pi at the end of a tick")}

    def coefficients(self, p, dt):
        return {"share": dt / p.tau_mem, "i_bias": p.i_bias}

    @staticmethod
    def step(v, i, share, i_bias):
        """Turn (sin(v / 2), cos(v / 2)) by the exponential of the linear system that x is the ratio of."""
        y, x, eta = math.sin(0.5 * v), math.cos(0.5 * v), i_bias + i
        root = math.sqrt(abs(eta)) * share
        if root < 1e-4:
            even, odd = 1.0 - 0.5 * eta * share * share, share * (1.0 - eta * share * share / 6.0)
        elif eta > 0.0:
            even, odd = math.cos(root), math.sin(root) / root * share
        else:
            even, odd = math.cosh(root), math.sinh(root) / root * share
        before, y, x = 0.5 * v, even * y + eta * odd * x, even * x - odd * y
        after = math.atan2(y, x)
        turned = after - before
        return 2.0 * (before + (turned + 6.283185307179586 if turned < -3.141592653589793 else turned))

    @staticmethod
    def fires(v):
        """Beyond pi."""
        return v >= 3.141592653589793

    @staticmethod
    def after_spike(v):
        """The same angle."""
        return v - 6.283185307179586
