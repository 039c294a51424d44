"""Leaky integrate-and-fire."""

import numpy as np

from neurosim.aliases import PerElement, PerElementOrNone
from neurosim.checks import Parameter
from neurosim.contracts import Crossing, Linear, State
from neurosim.errors import ParameterError
from neurosim.maths import exp
from neurosim.neurons.reset import Resetting

DEFAULT_R = 0.1  # GOhm


class LIF(Resetting):
    r"""Leaky integrate-and-fire neuron, integrated exactly.

    tau_mem dv/dt = (v_leak - v) + r (i_bias + I);  spike where v > v_threshold, then v is set to
    v_reset (reset="to_value") or lowered by v_threshold - v_leak (reset="subtract"), and held for t_ref.

    With conductances the scheme is exponential Euler: conductances are held over a tick.

    >>> LIF(tau_mem=20.0, v_leak=-60.0, v_reset=-60.0, v_threshold=-50.0, t_ref=5.0)
    LIF(tau_mem=20.0, v_threshold=-50.0, v_reset=-60.0, v_leak=-60.0, t_ref=5.0)

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 1.3.
    """

    tau_mem: PerElement = Parameter(10.0, "ms", above=0, doc="membrane time constant")
    v_threshold: PerElement = Parameter(-55.0, "mV", doc="threshold; a spike is sent where v is strictly above")
    v_reset: PerElement = Parameter(-70.0, "mV", doc="value after a spike, for reset='to_value'")
    v_leak: PerElement = Parameter(-70.0, "mV", doc="resting potential, E_L")
    t_ref: PerElement = Parameter(0.0, "ms", at_least=0, doc="how long v is held after a spike")
    r: PerElementOrNone = Parameter(None, "GOhm", above=0, optional=True,
                                    doc="membrane resistance; 0.1 where neither r nor c_mem is given")
    c_mem: PerElementOrNone = Parameter(None, "pF", above=0, optional=True,
                                        doc="membrane capacitance, instead of r = tau_mem / c_mem")
    i_bias: PerElement = Parameter(0.0, "pA", doc="constant current")

    state = {"v": State(lambda p: p.v_leak, "mV", "membrane potential")}

    floor = "v_leak"

    def validate(self):
        check_resistance(self)
        super().validate()

    def resistance(self, p):
        """Return r in GOhm from whichever of r and c_mem was given."""
        if p.c_mem is not None:
            return p.tau_mem / p.c_mem
        return DEFAULT_R if p.r is None else p.r

    def acting(self):
        return acting_membrane(self)

    def linear(self, p):
        return leak(p, self.resistance(p))

    def crossing(self, p):
        if self.reset == "to_value":
            return Crossing(p.v_threshold, reset=p.v_reset)
        return Crossing(p.v_threshold, down=p.v_threshold - p.v_leak)

    def coefficients(self, p, dt):
        r = self.resistance(p)
        return {"leak": dt / p.tau_mem, "drive": dt / p.tau_mem * (p.v_leak + r * p.i_bias), "gain": dt / p.tau_mem * r,
                "v_threshold": p.v_threshold, "v_reset": p.v_reset, "step_down": p.v_threshold - p.v_leak}

    @staticmethod
    def step(v, i, g, leak, drive, gain):
        """Exponential Euler with the conductance g and the current i held over the tick."""
        rate = leak + gain * g
        target = (drive + gain * i) / rate
        return target + (v - target) * exp(-rate)


def check_resistance(model) -> None:
    """Refuse a membrane whose resistance is said twice."""
    if model.r is not None and model.c_mem is not None:
        raise ParameterError(f"{type(model).__name__} must be given r or c_mem, got both; r = tau_mem / c_mem")


def leak(p, r) -> Linear:
    """Return the equation of a leaky membrane of resistance r."""
    return Linear(matrix={("v", "v"): -1.0 / p.tau_mem},
                  constant={"v": (p.v_leak + r * p.i_bias) / p.tau_mem},
                  current={"v": r / p.tau_mem})


def acting_membrane(model) -> dict:
    """Return the resistance and the capacitance of a membrane as far as they were left out."""
    name, given, default = ("r", model.c_mem, DEFAULT_R) if model.r is None else ("c_mem", model.r, None)
    if given is None:
        return {"r": default} | acting_membrane(model.replace(r=default))
    numbers = all(isinstance(each, (float, np.ndarray)) for each in (given, model.tau_mem))
    return {name: model.tau_mem / given if numbers else f"tau_mem / {'c_mem' if name == 'r' else 'r'}"}
