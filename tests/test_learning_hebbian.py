"""Hebb, Oja, BCM and the soft winner-take-all rule: closed forms of single events, and where each settles."""

import numpy as np
import pytest
from learning_runs import one_synapse, weight_after

import neurosim as ns
from learning_rules import BCM, Hebb, Oja, SoftWinnerTakeAll


@pytest.mark.slow
def test_hebb_and_anti_hebb_add_the_trace_of_arrivals():
    trace = np.exp(-5 / 20) + np.exp(-25 / 20)
    assert weight_after(Hebb(eta=0.1), [80.0, 100.0], [105.0]) == pytest.approx(0.5 + 0.1 * trace, rel=1e-12)
    assert weight_after(Hebb(eta=-0.1), [80.0, 100.0], [105.0]) == pytest.approx(0.5 - 0.1 * trace, rel=1e-12)


@pytest.mark.slow
def test_one_step_of_oja_and_of_bcm():
    x, y = np.exp(-5 / 20), np.exp(-30 / 20)
    first = 0.5  # nothing at the first spike of the target: there was no arrival, and y was 0
    assert weight_after(Oja(eta=0.1, y_0=0.5), [100.0], [75.0, 105.0]) == pytest.approx(
        first + 0.1 * (x - y / 0.5 * first), rel=1e-12)
    activity = np.exp(-30 / 2000) * 20 / 2000
    assert weight_after(BCM(eta=0.1, y_0=0.2), [100.0], [75.0, 105.0]) == pytest.approx(
        first + 0.1 * x * (y - activity**2 / 0.2), rel=1e-12)


def test_bcm_grows_above_its_threshold_and_shrinks_below():
    """Regular trains of rate r, arrivals 1 ms before the target: before a spike y is 1 / (exp(1 / (r tau)) - 1)."""
    def change(rate, y_0):
        targets = np.arange(1000.0 / rate, 20_000.0, 1000.0 / rate)
        return weight_after(BCM(eta=1e-4, y_0=y_0), targets - 1.0, targets) - 0.5

    # the threshold is (r tau)^2 / y_0 once the slow trace has settled; 20 Hz: y = 0.089, r tau = 0.4
    assert change(20.0, y_0=4.0) > 0 > change(20.0, y_0=0.8)
    assert 0.4**2 / 4.0 < 1 / np.expm1(1 / 0.4) < 0.4**2 / 0.8


def two_groups(rule, correlated, seconds=40.0, seed=2):
    """A stochastic neuron, linear on average, that 2 x 10 sources drive, of which the first ten share spikes."""
    rng = np.random.default_rng(seed)
    ticks = round(seconds * 1000)
    own = rng.random((20, ticks)) < 0.02
    shared = rng.random(ticks) < 0.02
    copied = rng.random((10, ticks)) < correlated
    own[:10] = np.where(copied, shared, own[:10])
    ids, at = np.nonzero(own[:, 1:])
    order = np.argsort(at, kind="stable")
    given = ns.Spikes(ticks=at[order] + 1, ids=ids[order].astype(np.uint32), size=20, dt=1.0, duration=1000.0 * seconds)
    net = ns.Network()
    source = net.add(ns.SpikeSource(given))
    cell = net.add(ns.LIF(tau_mem=10.0, v_leak=0.0, v_reset=0.0, v_threshold=1.5), 1)
    net.connect(source, cell, weight=0.3, delay=1.0, plasticity=rule, name="p")
    net.record(cell)
    sim = ns.Simulation(net, 1.0, dtype="float64")
    sim.run(1000.0 * seconds)
    return sim.weights("p"), sim.spikes(cell)


@pytest.mark.slow
def test_oja_finds_the_correlated_inputs_and_keeps_the_norm():
    """Hebb runs to its bound on both groups; Oja favours the correlated one, with weights that stay where they are."""
    hebb, _ = two_groups(Hebb(eta=2e-3, w_max=3.0), 0.5)
    assert (hebb == 3.0).all()
    norms = []
    for seconds in (40.0, 80.0):
        oja, spikes = two_groups(Oja(eta=2e-3, w_max=3.0), 0.8, seconds)
        assert oja[:10].mean() > 1.3 * oja[10:].mean() and oja.max() < 3.0
        norms.append(np.linalg.norm(oja))
    assert norms[1] == pytest.approx(norms[0], rel=0.1)


def test_anti_hebb_takes_the_correlated_inputs_away():
    anti, _ = two_groups(Hebb(eta=-2e-3, w_max=3.0), 0.5)
    assert anti[:10].mean() < 0.7 * anti[10:].mean()


@pytest.mark.parametrize("chance", [0.2, 0.5, 0.9])
def test_the_soft_winner_take_all_rule_learns_log_probabilities(chance):
    """The source is active just before a share of the target's spikes: w -> log(c p)."""
    rng = np.random.default_rng(5)
    targets = np.arange(100.0, 400_000.0, 100.0)
    active = rng.random(targets.size) < chance
    sim = one_synapse(SoftWinnerTakeAll(eta=0.01, tau_x=1e-3, c=20.0, w_max=4.0), targets[active], targets, dt=1.0)
    assert sim.weights("p")[0] == pytest.approx(np.log(20.0 * chance), abs=0.25)
