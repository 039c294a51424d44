"""Homeostasis: inhibition that balances, scaling, thresholds that find a rate, and constant sums of weights."""

import numpy as np
import pytest
from learning_runs import weight_after

import neurosim as ns
from learning_rules import InhibitorySTDP, IntrinsicLIF, IntrinsicSigmoid, PairSTDP, SynapticScaling, normalise


@pytest.mark.slow
def test_inhibitory_stdp_by_its_equations():
    rule = InhibitorySTDP(eta=0.01, alpha=0.3, w_max=9.0)
    late = weight_after(rule, [100.0], [90.0]) - 0.5
    assert late == pytest.approx(0.01 * (np.exp(-10 / 20) - 0.3), rel=1e-12)
    early = weight_after(rule, [100.0], [110.0]) - 0.5
    assert early == pytest.approx(0.01 * (np.exp(-10 / 20) - 0.3), rel=1e-12)
    negative = weight_after(rule.replace(w_max=-9.0), [100.0], [110.0], weight=-0.5)
    assert negative == pytest.approx(-0.5 - early, rel=1e-12)


@pytest.mark.slow
def test_inhibition_brings_its_target_to_alpha_over_two_tau():
    """Excited neurons with plastic inhibition: the rate that the rule asks for, alpha / (2 tau) = 5 Hz, to 10 %."""
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=-60.0, v_reset=-60.0, v_threshold=-50.0, t_ref=5.0), 100, name="cells")
    exc, inh = net.add(ns.Poisson(10.0), 800), net.add(ns.Poisson(20.0), 200)
    current = ns.ExponentialCurrent(5.0)
    net.connect(exc, cells, ns.FixedInDegree(100), weight=40.0, delay=1.0, receptor=current)
    net.connect(inh, cells, ns.FixedInDegree(50), weight=-5.0, delay=1.0, receptor=ns.ExponentialCurrent(10.0),
                name="p", plasticity=InhibitorySTDP(eta=1.0, alpha=0.2, w_max=-500.0))
    net.record(cells)
    sim = ns.Simulation(net, 0.5, seed=1)
    sim.run(60_000.0)
    spikes = sim.spikes(cells)
    assert spikes.between(0.0, 500.0).mean_rate() > 15.0
    assert spikes.between(20_000.0).mean_rate() == pytest.approx(5.0, rel=0.1)
    assert sim.weights("p").min() > -500.0


@pytest.mark.slow
def test_scaling_multiplies_all_weights_of_a_neuron_by_one_factor():
    rule = SynapticScaling(rate=10.0, eta=0.1, tau_rate=1000.0, period=100.0)
    found = weight_after(rule, [5.0], [40.0], duration=100.0)  # one end of a period, 60 ms after a spike
    assert found == pytest.approx(0.5 * (1 + 0.1 * (1 - np.exp(-0.06) / 10.0)), rel=1e-12)


@pytest.mark.slow
def test_scaling_reaches_its_rate_and_keeps_the_ratios():
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=10.0), 50)
    noise = net.add(ns.Poisson(20.0), 200)
    rule = SynapticScaling(rate=8.0, eta=0.02, tau_rate=2000.0, period=100.0, w_max=50.0)
    net.connect(noise, cells, ns.FixedInDegree(100), weight=ns.Uniform(0.1, 1.0), delay=1.0, plasticity=rule, name="p")
    net.record(cells)
    sim = ns.Simulation(net, 0.5, seed=2)
    before = sim.weights("p", sparse=True).toarray()
    sim.run(60_000.0)
    assert sim.spikes(cells).between(40_000.0).mean_rate() == pytest.approx(8.0, rel=0.05)
    after = sim.weights("p", sparse=True).toarray()
    ratio = np.divide(after, before, out=np.full_like(after, np.nan), where=before > 0)
    assert np.nanmax(np.nanstd(ratio, axis=0) / np.nanmean(ratio, axis=0)) < 1e-4


@pytest.mark.parametrize("reset", ["to_value", "subtract"])
@pytest.mark.parametrize("conductance", [False, True])
def test_intrinsic_plasticity_finds_its_rate_for_weak_and_strong_input(reset, conductance):
    net = ns.Network()
    cells = net.add(IntrinsicLIF(rate=12.0, eta=0.2, tau_mem=20.0, reset=reset, i_bias=ns.Uniform(200.0, 400.0)), 100)
    noise = net.add(ns.Poisson(50.0), 50)
    receptor = ns.ExponentialConductance(e_rev=0.0) if conductance else ns.Delta()
    net.connect(noise, cells, ns.FixedProbability(0.3), weight=0.3, delay=1.0, receptor=receptor)
    net.record(cells)
    sim = ns.Simulation(net, 0.5, seed=2)
    sim.run(20_000.0)
    rates = sim.spikes(cells).between(10_000.0).rates()
    assert rates.mean() == pytest.approx(12.0, rel=0.03) and np.std(rates) < 1.0


def test_the_threshold_sinks_at_the_rate_without_spikes():
    net = ns.Network()
    cell = net.add(IntrinsicLIF(rate=7.0, eta=0.3), 1)
    sim = ns.Simulation(net, 0.5)
    with pytest.warns(ns.NeurosimWarning):
        sim.run(1000.0)
    assert sim.get(cell, "theta")[0] == pytest.approx(-2.1, rel=1e-9)


def test_gain_and_bias_follow_their_equations():
    net = ns.Network()
    cells = net.add(IntrinsicSigmoid(rate=20.0, eta=0.01, i_bias=ns.Uniform(-0.5, 0.5)), 5)
    net.drive(cells, ns.SineCurrent(amplitude=2.0, frequency=5.0))
    for name in ("v", "gain", "bias"):
        net.record(cells, name)
    sim = ns.Simulation(net, 0.5, seed=1, dtype="float64")
    sim.run(300.0)
    v, gain, bias = (sim.trace(cells, name)[1] for name in ("v", "gain", "bias"))
    a, b, mu = gain[0], bias[0], 0.2
    for k in range(len(v) - 1):
        y = 1 / (1 + np.exp(-(a * v[k] + b)))
        a, b = (a + 0.005 * (1 / a + v[k] - (2 + 1 / mu) * v[k] * y + v[k] * y**2 / mu),
                b + 0.005 * (1 - (2 + 1 / mu) * y + y**2 / mu))
        np.testing.assert_allclose((gain[k + 1], bias[k + 1]), (a, b), rtol=1e-9)
    assert np.abs(bias[-1]).min() > 0.1


@pytest.mark.parametrize("drive", [ns.OUCurrent(mean=0.0, std=1.0, tau=20.0), ns.OUCurrent(mean=3.0, std=4.0, tau=20.0),
                                   ns.SineCurrent(amplitude=2.0, frequency=7.0)], ids=["noise", "strong", "sine"])
def test_rates_become_exponentially_distributed_whatever_the_input(drive):
    """Mean and variation of the rate are those of an exponential distribution, and spikes come at the wanted rate."""
    net = ns.Network()
    cells = net.add(IntrinsicSigmoid(rate=10.0, rate_max=100.0, eta=2e-3, tau_mem=5.0), 100)
    net.drive(cells, drive)
    for name in ("v", "gain", "bias"):
        net.record(cells, name, every=5.0)
    net.record(cells)
    sim = ns.Simulation(net, 0.5, seed=2)
    sim.run(30_000.0)
    v, gain, bias = (sim.trace(cells, name)[1].astype(float) for name in ("v", "gain", "bias"))
    y = 1 / (1 + np.exp(-(gain * v + bias)))
    before, after = y[:20], y[-2000:]
    assert after.mean() == pytest.approx(0.1, rel=0.05) and abs(before.mean() - 0.1) > 0.1
    assert after.std() / after.mean() == pytest.approx(1.0, abs=0.15)
    assert sim.spikes(cells).between(20_000.0).mean_rate() == pytest.approx(10.0, rel=0.06)


@pytest.mark.slow
def test_normalise_gives_every_neuron_the_same_sum():
    net = ns.Network()
    a, b = net.add(ns.Poisson(10.0), 30), net.add(ns.LIF(), 7)
    net.connect(a, b, ns.FixedProbability(0.5), weight=ns.Uniform(0.1, 0.9), plasticity=PairSTDP(w_max=5.0), name="p")
    sim = ns.Simulation(net, seed=3)
    before = sim.weights("p", sparse=True).toarray()
    normalise(sim, "p", 4.0)
    after = sim.weights("p", sparse=True).toarray()
    np.testing.assert_allclose(after.sum(axis=0), 4.0, rtol=1e-5)
    np.testing.assert_allclose(after, before * (4.0 / before.sum(axis=0)), rtol=1e-5)
    with pytest.raises(ns.ParameterError, match="total must be"):
        normalise(sim, "p", 0.0)


def test_a_step_larger_than_the_range_is_a_warning_that_names_the_projection():
    net = ns.Network()
    a, b = net.add(ns.Poisson(10.0), 3), net.add(ns.LIF(), 3)
    with pytest.warns(ns.NeurosimWarning, match="projection 'here': PairSTDP.a_plus = 1.5 is more than the range"):
        net.connect(a, b, weight=0.5, plasticity=PairSTDP(a_plus=1.5), name="here")
        ns.Simulation(net)
