"""Receptors that act on another variable than v, and conductances that depend on it: against fine integrations."""

import numpy as np
import pytest
from neuron_runs import run
from scipy.integrate import solve_ivp

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.contracts import Linear, State
from neurosim.maths import exp
from neurosim.neurons.base import Neuron
from neurosim.neurons.schemes import phi

TAU, COUPLING = 20.0, 0.02


class TwoCompartments(Neuron):
    """A soma and a dendrite, coupled; a class as a user would write it."""

    v_threshold = Parameter(-50.0, "mV")
    v_reset = Parameter(-70.0, "mV")
    inputs = ("v", "dendrite")
    state = {"v": State(-70.0, "mV"), "dendrite": State(-70.0, "mV")}

    def coefficients(self, p, dt):
        return {"dt": dt, "v_threshold": p.v_threshold, "v_reset": p.v_reset}

    @staticmethod
    def step(v, dendrite, i, g, i_dendrite, g_dendrite, dt):
        """Exponential Euler for each, in units of 100 pF."""
        rate, rate_d = 0.05 + 0.02 + 0.01 * g, 0.05 + 0.02 + 0.01 * g_dendrite
        drive, drive_d = -3.5 + 0.02 * dendrite + 0.01 * i, -3.5 + 0.02 * v + 0.01 * i_dendrite
        return (v + dt * (drive - rate * v) * phi(-dt * rate),
                dendrite + dt * (drive_d - rate_d * dendrite) * phi(-dt * rate_d))

    @staticmethod
    def fires(v, v_threshold):
        """Of the soma."""
        return v > v_threshold

    @staticmethod
    def after_spike(v, dendrite, v_reset):
        """Of the soma."""
        return v_reset, dendrite


class LinearPair(Neuron):
    """The same without a threshold, in its linear form."""

    spiking = False
    inputs = ("v", "dendrite")
    state = {"v": State(-70.0, "mV"), "dendrite": State(-70.0, "mV")}

    def linear(self, p):
        return Linear(matrix={("v", "v"): -0.07, ("v", "dendrite"): 0.02, ("dendrite", "v"): 0.02,
                              ("dendrite", "dendrite"): -0.07},
                      constant={"v": -3.5, "dendrite": -3.5}, current={"v": 0.01},
                      into={"dendrite": {"dendrite": 0.01}})


def course(receptors, times, gate=lambda v, receptor: 1.0):
    """v and dendrite at ms of a fine integration; receptors are (receptor, weight, ms of the arrival)."""
    def input_of(t, v, on):
        total = 0.0
        for receptor, weight, at in receptors:
            s = t - at
            if receptor.on != on or s <= 0.0:
                continue
            if receptor.effect == "current":
                total += weight * np.exp(-s / receptor.tau_syn)
                continue
            a, b = receptor.tau_rise, receptor.tau_syn
            peak = np.log(b / a) * a * b / (b - a)
            shape = (np.exp(-s / b) - np.exp(-s / a)) / (np.exp(-peak / b) - np.exp(-peak / a))
            total += weight * shape * gate(v, receptor) * (receptor.e_rev - v)
        return total

    def flow(t, y):
        return [-0.05 * (y[0] + 70.0) + 0.02 * (y[1] - y[0]) + 0.01 * input_of(t, y[0], "v"),
                -0.05 * (y[1] + 70.0) + 0.02 * (y[0] - y[1]) + 0.01 * input_of(t, y[1], "dendrite")]

    return solve_ivp(flow, (0.0, times[-1]), [-70.0, -70.0], t_eval=times, rtol=1e-9, atol=1e-9, max_step=0.1).y


def traces(model, receptors, duration, dt):
    found = run(model, duration, dt, inputs=[(receptor, weight, [at]) for receptor, weight, at in receptors],
                variables=["v", "dendrite"])[1]
    return found["v"][0], [found[name][1][:, 0] for name in ("v", "dendrite")]


def open_share(v, receptor):
    return 1.0 / (1.0 + receptor.mg / 3.57 * np.exp(-0.062 * v)) if isinstance(receptor, ns.NMDA) else 1.0


@pytest.mark.parametrize("model", [TwoCompartments(), LinearPair()], ids=lambda m: type(m).__name__)
def test_currents_into_soma_and_dendrite(model):
    receptors = [(ns.ExponentialCurrent(3.0), 100.0, 5.0), (ns.ExponentialCurrent(5.0, on="dendrite"), 300.0, 8.0)]
    dt = 0.01 if isinstance(model, TwoCompartments) else 0.5
    times, found = traces(model, receptors, 40.0, dt)
    for mine, exact in zip(found, course(receptors, times), strict=True):
        assert np.abs(mine - exact).max() < (0.02 if isinstance(model, TwoCompartments) else 1e-5)
    assert found[1].max() > found[0].max() + 1.0


def test_nmda_receptors_on_the_dendrite_open_where_it_is_depolarised():
    """First order in the tick, as conductance and block are held over it."""
    def receptors(current):
        return [(ns.NMDA(on="dendrite"), 10.0, 5.0), (ns.DoubleExponentialConductance(0.5, 5.0, 0.0), 2.0, 6.0),
                (ns.ExponentialCurrent(20.0, on="dendrite"), current, 5.0)]

    worst = []
    for dt in (0.1, 0.05):
        times, found = traces(TwoCompartments(v_threshold=0.0), receptors(150.0), 60.0, dt)
        exact = course(receptors(150.0), times, open_share)
        worst.append(max(np.abs(mine - each).max() for mine, each in zip(found, exact, strict=True)))
    assert worst[0] < 0.15 and worst[1] < 0.6 * worst[0]
    alone, helped = (traces(TwoCompartments(v_threshold=0.0), receptors(current), 60.0, 0.1)[1][1].max()
                     for current in (0.0, 300.0))
    linear = course([receptors(300.0)[2]], np.arange(0.0, 60.0, 0.1))[1].max()
    assert helped + 70.0 > (alone + 70.0) + (linear + 70.0)  # more than the sum


def test_the_block_of_nmda():
    assert ns.NMDA.gate(0.0, 1.0) == pytest.approx(1.0 / (1.0 + 1.0 / 3.57))
    assert ns.NMDA.gate(-70.0, 0.0) == 1.0
    assert ns.NMDA.gate(-70.0, 1.0) == pytest.approx(0.0445, abs=1e-3)
    assert exp(0.0) == 1.0


def test_jumps_and_pulses_on_a_dendrite():
    for receptor, weight in ((ns.Delta(on="dendrite"), 4.0), (ns.Pulse(on="dendrite"), 1000.0)):
        times, (v, dendrite) = traces(LinearPair(), [(receptor, weight, 2.0)], 4.0, 0.1)
        before = np.searchsorted(times, 1.95)
        rise = 4.0 if isinstance(receptor, ns.Delta) else 1000.0 * 0.01 * 0.1
        assert dendrite[before] + 70.0 == pytest.approx(rise, rel=5e-3)
        assert abs(v[before] + 70.0) < 0.02 * rise < dendrite[before] - v[before] + 70.0


def test_what_does_not_fit_is_refused():
    net = ns.Network()
    cells, pair = net.add(ns.LIF(), 2, name="cells"), net.add(LinearPair(), 2, name="pair")
    source = net.add(ns.Poisson(1.0), 2)
    with pytest.raises(ns.ParameterError, match="NMDA.on must be 'v', the inputs of LIF, for 'cells', got 'dendrite'"):
        net.connect(source, cells, receptor=ns.NMDA(on="dendrite"))
    with pytest.raises(ns.ParameterError, match="ExponentialCurrent.on must be 'v' or 'dendrite'"):
        net.drive(pair, ns.PoissonDrive(rate=1.0, weight=1.0), receptor=ns.ExponentialCurrent(on="x"))
    with pytest.raises(ns.ParameterError, match="Delta.on must be the name of a variable, got 3"):
        ns.Delta(on=3)
    net.connect(source, pair, receptor=ns.ExponentialCurrent(on="dendrite"))
    with pytest.raises(ns.UnsupportedError, match="event"):
        ns.Simulation(net, mode="event")


def test_conductances_that_a_model_would_not_notice_are_refused():
    net = ns.Network()
    net.connect(net.add(ns.Poisson(1.0), 2), net.add(ns.Theta(), 2), weight=1.0, receptor=ns.ExponentialConductance())
    with pytest.raises(ns.UnsupportedError, match="Theta cannot take ExponentialConductance on 'v': its step"):
        ns.Simulation(net)
