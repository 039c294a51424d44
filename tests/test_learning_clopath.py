"""The voltage-based rule and its neuron against NEST, and against the rule's own equations."""

import json
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from learning_rules import ClopathAdEx, ClopathSTDP

GOLDEN = json.loads((Path(__file__).parent / "golden" / "nest_clopath.json").read_text(encoding="utf-8"))["runs"]
DT = 0.1


def simulate(pre, post, start, rule, dtype="float64"):
    """Run one synapse; in NEST a spike of time t meets the voltage of t - 0.1 ms, its delay."""
    net = ns.Network()
    duration = max(*pre, *post) + 1.0

    def given(times):
        return net.add(ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(len(times), int), size=1, dt=DT,
                                                           duration=duration)))

    source, forced = given(np.array(pre) - 2 * DT), given(np.array(post) - DT)
    cell = net.add(ClopathAdEx(), 1, name="cell")
    net.connect(forced, cell, weight=150.0, delay=DT)
    net.connect(source, cell, weight=start, delay=DT, plasticity=rule, name="p")
    for name in ("v", "w", "u_plus", "u_minus", "u_bar"):
        net.record(cell, name)
    net.record(cell)
    sim = ns.Simulation(net, DT, dtype=dtype)
    sim.run(duration)
    return sim


@pytest.mark.parametrize("name", GOLDEN)
def test_neuron_and_weight_are_those_of_nest(name):
    golden = GOLDEN[name]
    sim = simulate(golden["pre"], golden["post"], golden["start"],
                   ClopathSTDP(w_max=100.0, u_delay=golden["u_delay"]))
    np.testing.assert_allclose(sim.spikes("cell").times, golden["spikes"], atol=1e-9)
    for variable in ("v", "w", "u_plus", "u_minus"):
        times, values = sim.trace("cell", variable)
        rows = np.searchsorted(times, np.array(golden["at"]) - 1e-6)
        np.testing.assert_allclose(values[rows, 0], golden[variable], rtol=2e-3, atol=0.05, err_msg=variable)
    change, theirs = sim.weights("p")[0] - golden["start"], golden["weight"] - golden["start"]
    assert change == pytest.approx(theirs, rel=5e-4)


def ago(values, ms, first):
    """What a variable was some time ago, and before the start what it was at first."""
    ticks = round(ms / DT)
    return np.concatenate([np.full(ticks, first), values])[:values.size]


@pytest.mark.parametrize("u_delay", [0.0, DT, 5.0])
@pytest.mark.parametrize("homeostasis", ["off", "on"])
def test_the_weight_follows_its_equation_on_the_recorded_voltages(homeostasis, u_delay):
    rule = ClopathSTDP(homeostasis=homeostasis, w_max=100.0, a_ltd=1e-2, u_delay=u_delay)
    golden = GOLDEN["fast"]
    sim = simulate(golden["pre"], golden["post"], 50.0, rule)
    v, u_plus, u_minus, u_bar = (sim.trace("cell", name)[1][1:, 0] for name in ("v", "u_plus", "u_minus", "u_bar"))
    u_plus, u_minus = (ago(values, u_delay, -70.6) for values in (u_plus, u_minus))
    ticks = np.arange(1, v.size + 1)
    arrivals = np.rint((np.array(golden["pre"]) - DT) / DT).astype(int)
    x = sum(np.where(ticks > a, np.exp(-(ticks - a) * DT / 15.0), 0.0) for a in arrivals) / 15.0
    gain = (8e-5 * x * np.maximum(v + 45.3, 0) * np.maximum(u_plus + 70.6, 0)).sum() * DT
    amplitude = 1e-2 * (u_bar**2 / 60.0 if homeostasis == "on" else np.ones_like(u_bar))
    loss = (amplitude * np.maximum(u_minus + 70.6, 0))[arrivals - 1].sum()
    assert gain > 1e-3 and loss > 1e-3
    assert sim.weights("p")[0] - 50.0 == pytest.approx(gain - loss, rel=1e-9)


@pytest.mark.parametrize("u_delay, least, most", [(0.0, 0.5, 0.9), (5.0, -0.02, 0.02)])
def test_pairs_at_high_frequency_potentiate_more_than_at_low(u_delay, least, most):
    """Fifteen pairs, arrival 10 ms before the target: with late voltages nothing at low frequency, as published.

    Source: Sjostrom, Turrigiano, Nelson, Neuron 32 (2001) 1149; Clopath et al. 2010, fig. 2.
    """
    def change(rate):
        post = 50.0 + np.arange(15) * np.round(1000.0 / rate, 1)
        return simulate(post - 10.0, post, 0.01, ClopathSTDP(w_max=100.0, u_delay=u_delay)).weights("p")[0] - 0.01

    low, high = change(10.0), change(50.0)
    assert high > 0.01 and least < low / high < most


@pytest.mark.slow
def test_float32_gives_the_same_spikes():
    golden = GOLDEN["fast"]
    sim = simulate(golden["pre"], golden["post"], golden["start"], ClopathSTDP(w_max=100.0), "float32")
    np.testing.assert_allclose(sim.spikes("cell").times, golden["spikes"], atol=1e-9)
