"""The neuron of Hodgkin and Huxley."""

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import State
from neurosim.maths import exp
from neurosim.neurons.base import Neuron
from neurosim.neurons.schemes import phi

LONGEST = 0.02  #: ms, no sub-step is longer


class HodgkinHuxley(Neuron):
    r"""Hodgkin and Huxley's model of the squid axon, with sodium, potassium and leak.

    c_mem dv/dt = g_na m^3 h (e_na - v) + g_k n^4 (e_k - v) + g_leak (e_leak - v) + i_bias + I;
    dx/dt = alpha_x(v) (1 - x) - beta_x(v) x for x = m, h, n, with

    alpha_m = 0.1 (v + 40) / (1 - exp(-(v + 40) / 10)),  beta_m = 4 exp(-(v + 65) / 18),
    alpha_h = 0.07 exp(-(v + 65) / 20),  beta_h = 1 / (1 + exp(-(v + 35) / 10)),
    alpha_n = 0.01 (v + 55) / (1 - exp(-(v + 55) / 10)),  beta_n = 0.125 exp(-(v + 65) / 80).

    A spike is sent where v rises above v_threshold; nothing is reset. Scheme: half a step of the gates, a step of v,
    half a step of the gates, each exact while the others stand still (of second order), in sub-steps of at most 0.02
    ms. Current and conductance are held over the tick. The defaults are those of 10^-4 cm^2 of the axon at 6.3 degrees
    Celsius, with potentials shifted so that it rests at -65 mV. It starts there.

    >>> HodgkinHuxley(i_bias=1000.0)
    HodgkinHuxley(i_bias=1000.0)

    Source: Hodgkin, Huxley, J. Physiology 117 (1952) 500; the scheme: Rush, Larsen, IEEE Trans. Biomedical
    Engineering 25 (1978) 389.
    """

    c_mem: PerElement = Parameter(100.0, "pF", above=0, doc="membrane capacitance")
    g_na: PerElement = Parameter(12000.0, "nS", at_least=0, doc="largest conductance of sodium")
    g_k: PerElement = Parameter(3600.0, "nS", at_least=0, doc="largest conductance of potassium")
    g_leak: PerElement = Parameter(30.0, "nS", at_least=0, doc="leak conductance")
    e_na: PerElement = Parameter(50.0, "mV", doc="reversal potential of sodium")
    e_k: PerElement = Parameter(-77.0, "mV", doc="reversal potential of potassium")
    e_leak: PerElement = Parameter(-54.4, "mV", doc="reversal potential of the leak")
    v_threshold: PerElement = Parameter(0.0, "mV", doc="potential above which v sends a spike as it rises")
    i_bias: PerElement = Parameter(0.0, "pA", doc="constant current")

    state = {"v": State(-65.0, "mV", "membrane potential"),
             "m": State(lambda p: _resting(p, _gate_m), "", "activation of sodium"),
             "h": State(lambda p: _resting(p, _gate_h), "", "what is not inactivated of sodium"),
             "n": State(lambda p: _resting(p, _gate_n), "", "activation of potassium"),
             "up": State(0.0, "", "1 from a spike until v is below the threshold")}

    def rise(self, p):
        return 1.0 / p.c_mem

    def coefficients(self, p, dt):
        n_steps = np.ceil(dt / LONGEST - 1e-9)
        return {"n_steps": n_steps, "h_step": dt / n_steps, "share": 1.0 / p.c_mem, "g_na": p.g_na, "g_k": p.g_k,
                "g_leak": p.g_leak, "e_na": p.e_na, "e_k": p.e_k, "e_leak": p.e_leak, "i_bias": p.i_bias,
                "v_threshold": p.v_threshold}

    @staticmethod
    def step(v, m, h, n, up, i, g, n_steps, h_step, share, g_na, g_k, g_leak, e_na, e_k, e_leak, i_bias, v_threshold):
        """Sub-steps of the gates and of v in turn."""
        half = 0.5 * h_step
        for _ in range(int(n_steps)):
            m, h, n = _gates(v, m, h, n, half)
            sodium, potassium = g_na * m * m * m * h, g_k * n * n * n * n
            rate = share * (sodium + potassium + g_leak + g)
            drive = share * (sodium * e_na + potassium * e_k + g_leak * e_leak + i_bias + i)
            v = v + h_step * (drive - rate * v) * phi(-h_step * rate)
            m, h, n = _gates(v, m, h, n, half)
        return v, m, h, n, up if v > v_threshold else up * 0.0

    @staticmethod
    def fires(v, up, v_threshold):
        """Above the threshold, where it was not since the last spike."""
        return (v > v_threshold) & (up < 0.5)

    @staticmethod
    def after_spike(v, m, h, n, up):
        """Nothing but that the spike was sent."""
        return v, m, h, n, up * 0.0 + 1.0


def _gate_m(v):
    return 1.0 / phi(-0.1 * (v + 40.0)), 4.0 * exp((v + 65.0) / -18.0)


def _gate_h(v):
    return 0.07 * exp((v + 65.0) / -20.0), 1.0 / (1.0 + exp(-0.1 * (v + 35.0)))


def _gate_n(v):
    return 0.1 / phi(-0.1 * (v + 55.0)), 0.125 * exp((v + 65.0) / -80.0)


def _gates(v, m, h, n, dt):
    """Let the gates relax for dt ms while v stands still."""
    alpha_m, beta_m = _gate_m(v)
    alpha_h, beta_h = _gate_h(v)
    alpha_n, beta_n = _gate_n(v)
    return (_relaxed(m, alpha_m, beta_m, dt), _relaxed(h, alpha_h, beta_h, dt), _relaxed(n, alpha_n, beta_n, dt))


def _relaxed(x, alpha, beta, dt):
    rate = alpha + beta
    return alpha / rate + (x - alpha / rate) * exp(-rate * dt)


def _resting(p, gate):
    """Return where a gate stands still at the potential at which a neuron begins."""
    def at(v):
        alpha, beta = gate(v)
        return alpha / (alpha + beta)
    return at(p.v) if np.ndim(p.v) == 0 else np.array([at(float(v)) for v in p.v])
