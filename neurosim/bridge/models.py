"""Neurons of the core in the form that trained layers have: plain numbers, and a reset by an amount of its own."""

from dataclasses import replace

import numpy as np

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import State
from neurosim.neurons.adaptive_lif import AdaptiveLIF
from neurosim.neurons.integrate_and_fire import IntegrateAndFire
from neurosim.neurons.lif import LIF
from neurosim.neurons.reset import Resetting


class UnitlessLIF(LIF):
    """`ns.LIF` in plain numbers around 0, whose reset="subtract" lowers v by v_step instead of v_threshold - v_leak.

    >>> UnitlessLIF(tau_mem=20.0, reset="subtract", v_step=1.1)
    UnitlessLIF(v_step=1.1, tau_mem=20.0, reset='subtract')

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 1.3.
    """

    v_threshold: PerElement = Parameter(1.0, "", doc="threshold; a spike is sent where v is strictly above")
    v_reset: PerElement = Parameter(0.0, "", doc="value after a spike, for reset='to_value'")
    v_leak: PerElement = Parameter(0.0, "", doc="value at rest")
    v_step: PerElement = Parameter(1.0, "", doc="by how much a spike lowers v, for reset='subtract'")
    unit = current_unit = ""

    def crossing(self, p):
        crossing = super().crossing(p)
        return replace(crossing, down=p.v_step) if self.reset == "subtract" else crossing

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"step_down": p.v_step}


class UnitlessIF(IntegrateAndFire):
    """`ns.IntegrateAndFire` in plain numbers from 0 on, whose reset="subtract" lowers v by v_step.

    >>> UnitlessIF(reset="subtract", v_step=1.1)
    UnitlessIF(v_step=1.1, reset='subtract')

    Source: Gerstner, Kistler, Neuron Models: Foundations, Cambridge 2002, section 4.1.
    """

    c_mem: PerElement = Parameter(1.0, "ms", above=0, doc="what a current of 1 must charge to raise v by 1")
    v_threshold: PerElement = UnitlessLIF.v_threshold
    v_reset: PerElement = UnitlessLIF.v_reset
    v_step: PerElement = UnitlessLIF.v_step
    unit = current_unit = ""

    def crossing(self, p):
        crossing = super().crossing(p)
        return replace(crossing, down=p.v_step) if self.reset == "subtract" else crossing

    def coefficients(self, p, dt):
        return super().coefficients(p, dt) | {"step_down": p.v_step}


class UnitlessAdaptiveLIF(UnitlessLIF, AdaptiveLIF):
    """`ns.AdaptiveLIF` in plain numbers, with the reset of `UnitlessLIF`.

    >>> UnitlessAdaptiveLIF(tau_theta=100.0, delta_theta=0.1).v_threshold
    1.0

    Source: Bellec et al., Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS 2018.
    """

    tau_theta: PerElement = AdaptiveLIF.tau_theta
    delta_theta: PerElement = Parameter(0.1, "", doc="how much a spike raises the threshold")


class SynapticLIF(Resetting):
    """Leaky integrate-and-fire neuron in discrete time, whose current acts at once; give it `ns.Pulse` receptors.

    i_syn(t) = exp(-dt / tau_syn) i_syn(t-1) + i;  v(t) = exp(-dt / tau_mem) v(t-1) + i_syn(t);  spike where
    v > v_threshold, then v is set to v_reset (reset="to_value") or lowered by v_step (reset="subtract"), and held for
    t_ref. Unlike in `ns.LIF` with `ns.ExponentialCurrent`, what v is given in a tick depends on the length of the tick.

    >>> SynapticLIF(tau_mem=10.0, tau_syn=5.0)
    SynapticLIF(tau_mem=10.0)

    Source: Eshraghian et al., Training spiking neural networks using lessons from deep learning, Proc. IEEE 111 (2023)
    1016.
    """

    tau_mem: PerElement = Parameter(20.0, "ms", above=0, doc="membrane time constant")
    tau_syn: PerElement = Parameter(5.0, "ms", above=0, doc="time constant of the current")
    v_threshold: PerElement = Parameter(1.0, "", doc="threshold; a spike is sent where v is strictly above")
    v_reset: PerElement = Parameter(0.0, "", doc="value after a spike, for reset='to_value'")
    v_step: PerElement = Parameter(1.0, "", doc="by how much a spike lowers v, for reset='subtract'")
    t_ref: PerElement = Parameter(0.0, "ms", at_least=0, doc="how long v is held after a spike")
    state = {"v": State(0.0, "", "membrane"), "i_syn": State(0.0, "", "synaptic current")}
    inputs = ("v", "i_syn")
    unit = current_unit = ""

    def rates(self, p):
        return {"v": 1.0 / p.tau_mem, "i_syn": 1.0 / p.tau_syn}

    def coefficients(self, p, dt):
        return {"beta": np.exp(-dt / p.tau_mem), "alpha": np.exp(-dt / p.tau_syn), "v_threshold": p.v_threshold,
                "v_reset": p.v_reset, "step_down": p.v_step}

    @staticmethod
    def step(v, i_syn, i, beta, alpha):
        """One tick."""
        current = alpha * i_syn + i
        return beta * v + current, current

    @property
    def after_spike(self):
        """The reset that the option chose; the current goes on."""
        return _to_value if self.reset == "to_value" else _subtract


def _to_value(v, i_syn, v_reset):
    return v_reset, i_syn


def _subtract(v, i_syn, step_down):
    return v - step_down, i_syn
