"""Ticks that are short beside a time constant: float64 where rounding in float32 would change what a model does."""

import numpy as np
import pytest

import neurosim as ns
from learning_rules import ClopathAdEx
from neurosim.contracts import Linear, State
from neurosim.precision import dtype_for, shortest_tick
from neurosim.receptors import Receptor


def network(model, **kwargs):
    net = ns.Network()
    return net, net.add(model, 1, name="cells", **kwargs)


@pytest.mark.parametrize("tau, over", [(20.0, 0.05), (100.0, 1.0)])
def test_the_first_spike_just_above_the_threshold_with_a_short_tick(tau, over):
    net, cells = network(ns.LIF(tau_mem=tau, i_bias=(15.0 + over) / 0.1))
    net.record(cells)
    expected = tau * np.log((15.0 + over) / over)
    sim = ns.Simulation(net, dt=0.001)
    sim.run(np.ceil(expected + 1.0))
    assert sim.dtype == "float64" and sim.spikes(cells).times[0] == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("tau", [1e3, 1e7])
def test_a_slow_leak_decays_at_its_rate(tau):
    net, cells = network(ns.LeakyIntegrator(tau_mem=tau, v_leak=0.0), initial={"v": 1.0})
    sim = ns.Simulation(net, dt=0.1)
    sim.run(2000.0)
    assert -np.log(sim.get(cells, "v")[0]) * tau / 2000.0 == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("model, tick", [
    (ns.LIF(tau_mem=20.0), 20.0 / 2e-4), (ns.LIF(tau_mem=np.array([20.0, 50.0])), 50.0 / 2e-4),
    (ns.LIF(tau_mem=ns.Uniform(10.0, 30.0)), 29.98 / 2e-4), (ns.AdaptiveLIF(tau_mem=20.0, tau_theta=1e7), 20.0 / 2e-4),
    (ns.Izhikevich(a=0.02), 50.0 / 1e-3), (ns.GeneralIzhikevich(a=0.001), 1000.0 / 1e-3),
    (ns.AdExIF(tau_w=500.0), 500.0 / 1e-3), (ns.IntegrateAndFire(c_mem=100.0, i_bias=7.0), 1000.0 / 2e-4),
    (ns.IntegrateAndFire(), 0.0)], ids=str)
def test_the_shortest_tick_of_a_model(model, tick):
    net = ns.Network()
    net.add(model, 2, name="cells")
    assert shortest_tick(net)[0] == pytest.approx(tick * 2.0**-24, rel=1e-6)
    if tick:
        assert dtype_for(net, 0.99 * tick * 2.0**-24) == "float64"
    assert dtype_for(net, 1.01 * tick * 2.0**-24) == "float32"


def test_receptors_count_and_a_description_says_what_decides():
    net, cells = network(ns.LIF(tau_mem=20.0))
    assert "float64" not in str(net)
    net.connect(cells, cells, ns.OneToOne(), weight=1.0, receptor=ns.ExponentialCurrent(2000.0))
    assert "float64 for ticks below 0.12 ms, because of i_syn of cells" in str(net)
    assert ns.Simulation(net, dt=0.1).dtype == "float64"
    assert ns.Simulation(net, dt=0.2).dtype == "float32"


def test_float32_that_is_asked_for_is_kept_with_a_warning():
    net, cells = network(ns.LIF(tau_mem=20.0))
    with pytest.warns(ns.NeurosimWarning, match="dt = 0.001 ms is too short for v of 'cells' in float32"):
        assert ns.Simulation(net, dt=0.001, dtype="float32").dtype == "float32"
    sim = ns.Simulation(net, dt=0.1)
    with pytest.warns(ns.NeurosimWarning, match="too short for v of 'cells'"):
        sim.set(cells, tau_mem=1e6)


class Bare(Receptor):
    """A receptor that states no rate of its own."""

    state = {"x": State(0.0)}

    def linear(self, p):
        return Linear(arrival={"x": 1.0}, output={"x": 1.0})


def test_what_does_not_decay_needs_nothing():
    net, cells = network(ns.LeakyIntegrator(tau_mem=20.0))
    net.connect(net.add(ns.Poisson(1.0), 1), cells, weight=1.0, receptor=Bare())
    assert shortest_tick(net)[1] == "v of cells"


@pytest.mark.slow
def test_slow_variables_of_the_voltage_based_neuron_are_float64():
    """u_bar moves by 1e-5 of its distance in a sub-step."""
    net, cells = network(ClopathAdEx(i_bias=400.0))
    sim = {}
    for dtype in ("float32", "float64"):
        sim[dtype] = ns.Simulation(net, dt=0.1, dtype=dtype)
        with np.errstate(all="ignore"):
            sim[dtype].run(99.0)
    for name in ("u_bar", "w"):
        assert sim["float32"].get(cells, name) == pytest.approx(sim["float64"].get(cells, name), rel=2e-4)
