"""The adaptive exponential neuron of the voltage-based rule."""

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import State
from neurosim.errors import ParameterError
from neurosim.maths import exp
from neurosim.neurons.base import Neuron

LONGEST = 0.005  #: ms, no sub-step is longer


class ClopathAdEx(Neuron):
    r"""Adaptive exponential integrate-and-fire neuron with spikes that last, and with filtered voltages.

    c_mem dv/dt = g_leak (v_leak - v) + g_leak delta_t exp((v - theta) / delta_t) - w + z + i_bias + I;
    tau_w dw/dt = a (v - v_leak) - w;   tau_z dz/dt = -z;   tau_theta dtheta/dt = v_threshold - theta;
    tau_plus du_plus/dt = v - u_plus;   tau_minus du_minus/dt = v - u_minus;
    tau_bar du_bar/dt = (u_minus - v_leak) - u_bar.

    Where v reaches v_peak a spike is sent, v is held at v_clamp for t_clamp and then set to v_reset; at the spike w is
    raised by b, z set to i_spike, and theta to theta_max; w does not change while v is held. Scheme: Heun in sub-steps
    of at most 0.005 ms for v, exponential for the others. Arrivals while v is held are lost. Current and conductance
    are held over the tick.

    It carries what `ClopathSTDP` reads: v, u_plus, u_minus, and u_bar, measured from rest.

    >>> ClopathAdEx(i_bias=700.0)
    ClopathAdEx(i_bias=700.0)

    Source: Clopath, Buesing, Vasilaki, Gerstner, Nature Neuroscience 13 (2010) 344; Badel et al., J. Neurophysiology 99
    (2008) 656. Values: those of NEST's aeif_psc_delta_clopath.
    """

    c_mem: PerElement = Parameter(281.0, "pF", above=0, doc="membrane capacitance")
    g_leak: PerElement = Parameter(30.0, "nS", above=0, doc="leak conductance")
    v_leak: PerElement = Parameter(-70.6, "mV", doc="resting potential")
    v_threshold: PerElement = Parameter(-50.4, "mV", doc="threshold to which theta relaxes")
    theta_max: PerElement = Parameter(30.4, "mV", doc="threshold after a spike")
    tau_theta: PerElement = Parameter(50.0, "ms", above=0, doc="time constant of the threshold")
    delta_t: PerElement = Parameter(2.0, "mV", above=0, doc="slope factor")
    tau_w: PerElement = Parameter(144.0, "ms", above=0, doc="time constant of the adaptation")
    a: PerElement = Parameter(4.0, "nS", doc="coupling of the adaptation to v")
    b: PerElement = Parameter(80.5, "pA", doc="what a spike adds to the adaptation")
    i_spike: PerElement = Parameter(400.0, "pA", doc="afterdepolarising current just after a spike")
    tau_z: PerElement = Parameter(40.0, "ms", above=0, doc="time constant of the afterdepolarising current")
    v_peak: PerElement = Parameter(33.0, "mV", doc="where a spike is sent")
    v_clamp: PerElement = Parameter(33.0, "mV", doc="value at which v is held after a spike")
    v_reset: PerElement = Parameter(-60.0, "mV", doc="value after that, below v_peak")
    t_clamp: PerElement = Parameter(2.0, "ms", at_least=0, doc="how long v is held at v_clamp")
    tau_plus: PerElement = Parameter(7.0, "ms", above=0, doc="time constant of u_plus")
    tau_minus: PerElement = Parameter(10.0, "ms", above=0, doc="time constant of u_minus")
    tau_bar: PerElement = Parameter(500.0, "ms", above=0, doc="time constant of u_bar")
    i_bias: PerElement = Parameter(0.0, "pA", doc="constant current")

    state = {"v": State(lambda p: p.v_leak, "mV", "membrane potential"),
             "w": State(0.0, "pA", "adaptation current", slow=True),
             "z": State(0.0, "pA", "afterdepolarising current"),
             "theta": State(lambda p: p.v_threshold, "mV", "threshold of the spike's initiation"),
             "u_plus": State(lambda p: p.v_leak, "mV", "filtered voltage, fast"),
             "u_minus": State(lambda p: p.v_leak, "mV", "filtered voltage, slower"),
             "u_bar": State(0.0, "mV", "slow average of the voltage above rest", slow=True),
             "hold": State(0.0, "", "ticks for which v is still held"),
             "due": State(0.0, "", "1 where a spike of this tick is to be sent")}

    def validate(self):
        reset, peak = self.v_reset, self.v_peak
        if isinstance(reset, (float, np.ndarray)) and isinstance(peak, (float, np.ndarray)) and np.any(reset >= peak):
            raise ParameterError(f"{type(self).__name__}.v_reset must be < v_peak = {peak} mV, got {reset}")

    def coefficients(self, p, dt):
        h = dt / np.ceil(dt / LONGEST - 1e-9)
        return {"n_steps": np.rint(dt / h), "h": h, "leak": p.g_leak / p.c_mem, "share": 1.0 / p.c_mem,
                "v_leak": p.v_leak, "delta_t": p.delta_t, "v_threshold": p.v_threshold, "theta_max": p.theta_max,
                "a": p.a, "b": p.b, "i_spike": p.i_spike, "v_peak": p.v_peak, "v_clamp": p.v_clamp,
                "v_reset": p.v_reset, "i_bias": p.i_bias, "most_hold": np.rint(np.asarray(p.t_clamp) / dt),
                **{f"lost_{name}": -np.expm1(-h / getattr(p, f"tau_{name}"))
                   for name in ("w", "z", "theta", "plus", "minus", "bar")}}

    @staticmethod
    def step(v, w, z, theta, u_plus, u_minus, u_bar, hold, due, i, g, n_steps, h, leak, share, v_leak, delta_t,
             v_threshold, theta_max, a, b, i_spike, v_peak, v_clamp, v_reset, i_bias, most_hold, lost_w, lost_z,
             lost_theta, lost_plus, lost_minus, lost_bar):
        """Sub-steps of Heun's scheme for v, exponential steps towards its mean for the others."""
        held = hold > 0.5
        for _ in range(int(n_steps)):
            before, out = v, i_bias + i
            if not held:
                first = _rate(v, w, z, theta, out, g, leak, share, v_leak, delta_t)
                ahead = min(v + h * first, v_peak)
                second = _rate(ahead, w, z, theta, out, g, leak, share, v_leak, delta_t)
                v = min(v + 0.5 * h * (first + second), v_peak)
                w = w + lost_w * (a * (0.5 * (v + before) - v_leak) - w)
            middle = 0.5 * (v + before)
            u_bar = u_bar + lost_bar * (u_minus - v_leak - u_bar)
            u_plus = u_plus + lost_plus * (middle - u_plus)
            u_minus = u_minus + lost_minus * (middle - u_minus)
            z = z - lost_z * z
            theta = theta + lost_theta * (v_threshold - theta)
            if not held and v >= v_peak:
                v, w, z, theta, due = v_clamp, w + b, i_spike, theta_max, due + 1.0
                hold, held = most_hold + 1.0, True
        if hold > 0.5:
            hold = hold - 1.0
            v = v_clamp if hold > 0.5 else v_reset
        return v, w, z, theta, u_plus, u_minus, u_bar, hold, due

    @staticmethod
    def fires(v, hold, due, v_peak):
        """In the sub-steps of this tick, or by what has just arrived."""
        return (due > 0.5) | ((v >= v_peak) & (hold < 0.5))

    @staticmethod
    def after_spike(v, w, z, theta, u_plus, u_minus, u_bar, hold, due, b, i_spike, theta_max, v_clamp, v_reset,
                    most_hold):
        """Begin to hold v, unless that was done within the tick."""
        if due > 0.5:
            return v, w, z, theta, u_plus, u_minus, u_bar, hold, due - 1.0
        after = v_clamp if most_hold > 0.5 else v_reset
        return after, w + b, i_spike, theta_max, u_plus, u_minus, u_bar, most_hold, due


def _rate(v, w, z, theta, current, g, leak, share, v_leak, delta_t):
    """The derivative of v; the exponent is limited to 30."""
    upswing = leak * delta_t * exp(min((v - theta) / delta_t, 30.0))
    return leak * (v_leak - v) + upswing + share * (current + z - w - g * v)
