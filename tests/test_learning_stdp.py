"""Pairs and triplets of spikes: closed forms, published values, NEST, Brian2, and small changes in float32."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning_runs import one_synapse, weight_after
from shares import quick

import neurosim as ns
from learning_rules import InhibitorySTDP, PairSTDP, TripletSTDP

GOLDEN = json.loads((Path(__file__).parent / "golden" / "nest_plasticity.json").read_text(encoding="utf-8"))


# ---- closed forms -------------------------------------------------------------------------------------

def test_one_pair_makes_the_change_of_the_window():
    """Delta t = target - arrival; the table is the published window at A+ 0.01, A- 0.0105, tau 20 ms; 0 grows."""
    rule = PairSTDP(a_plus=0.01, a_minus=0.0105)
    for delta, printed in ((-40, -0.001421), (-10, -0.006369), (-1, -0.009988), (1, 0.009512), (10, 0.006065),
                           (40, 0.001353), (0, 0.01)):
        exact = 0.01 * np.exp(-delta / 20) if delta >= 0 else -0.0105 * np.exp(delta / 20)
        found = weight_after(rule, [100.0], [100.0 + delta]) - 0.5
        assert found == pytest.approx(exact, rel=1e-12) and found == pytest.approx(printed, abs=5.1e-7)


@pytest.mark.parametrize("mu_plus, mu_minus", [(1.0, 1.0), (0.4, 0.7), (0.0, 1.0)])
def test_the_dependence_on_the_weight(mu_plus, mu_minus):
    rule = PairSTDP(a_plus=0.02, a_minus=0.03, mu_plus=mu_plus, mu_minus=mu_minus, w_min=0.5, w_max=2.5)
    grown = weight_after(rule, [100.0], [105.0], weight=1.0)
    assert grown == pytest.approx(1.0 + 0.02 * 0.75**mu_plus * np.exp(-5 / 20), rel=1e-12)
    shrunk = weight_after(rule, [105.0], [100.0], weight=1.0)
    assert shrunk == pytest.approx(1.0 - 0.03 * 0.25**mu_minus * np.exp(-5 / 20), rel=1e-12)


def pairs(arrivals, targets, nearest):
    """Additive pair STDP as a sum over pairs, without traces; an arrival comes before a target spike of its tick."""
    total = 0.0
    for t in targets:
        early = arrivals[arrivals <= t]
        total += 0.01 * np.exp(-(t - (early[-1:] if nearest else early)) / 20.0).sum()
    for a in arrivals:
        early = targets[targets < a]
        total -= 0.012 * np.exp(-(a - (early[-1:] if nearest else early)) / 30.0).sum()
    return total


trains = st.lists(st.integers(2, 400), min_size=1, max_size=30, unique=True).map(
    lambda ticks: np.array(sorted(ticks), float))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(arrivals=trains, targets=trains, nearest=st.booleans())
def test_a_train_is_the_sum_over_its_pairs(arrivals, targets, nearest):
    rule = PairSTDP(a_plus=0.01, a_minus=0.012, tau_minus=30.0, w_min=-9.0, w_max=9.0,
                    pairs="nearest" if nearest else "all")
    found = weight_after(rule, arrivals, targets, weight=0.0, duration=402.0)
    assert found == pytest.approx(pairs(arrivals, targets, nearest), abs=1e-12)


# 60 pairings, sum of all changes, rates 0.1, 1, 5, 10, 20, 40, 50 Hz, target 10 ms after and 10 ms before the arrival
RATES = (0.1, 1.0, 5.0, 10.0, 20.0, 40.0, 50.0)
TRIPLETS = {
    ("visual cortex", 10): (0.0000, 0.0001, 0.0493, 0.1321, 0.2470, 0.5337, 0.7409),
    ("visual cortex", -10): (-0.3122, -0.3122, -0.3146, -0.3336, -0.3516, 0.1548, 0.7272),
    ("visual cortex, minimal", 10): (0, 0, 0.0426, 0.1186, 0.2278, 0.5321, 0.7627),
    ("visual cortex, minimal", -10): (-0.3166, -0.3166, -0.3174, -0.3322, -0.3417, 0.1737, 0.7492),
}


def triplets(rule, arrivals, targets, nearest=False):
    """The published equations as sums over earlier spikes; all earlier ones, or the nearest of each kind."""
    def trace(times, now, tau, same=False):
        early = times[times <= now] if same else times[times < now]
        return np.exp(-(now - (early[-1:] if nearest else early)) / tau).sum()

    total = 0.0
    for a in arrivals:
        total -= trace(targets, a, rule.tau_minus) * (rule.a2_minus + rule.a3_minus * trace(arrivals, a, rule.tau_x))
    for t in targets:
        total += trace(arrivals, t, rule.tau_plus, True) * (rule.a2_plus + rule.a3_plus * trace(targets, t, rule.tau_y))
    return total


@pytest.mark.parametrize(("name", "delta"), [pytest.param(*case, marks=[pytest.mark.slow] * bool(number))
                                                for number, case in enumerate(TRIPLETS)])
def test_triplets_at_different_frequencies(name, delta):
    rule = TripletSTDP.preset(name, w_min=-9.0, w_max=9.0)
    for rate, printed in zip(RATES, TRIPLETS[name, delta], strict=True):
        arrivals = 100.0 + np.arange(60) * (1000.0 / rate)
        found = weight_after(rule, arrivals, arrivals + delta, weight=0.0)
        assert found == pytest.approx(printed, abs=1e-4)
        assert found == pytest.approx(triplets(rule, arrivals, arrivals + delta), abs=1e-11)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(arrivals=trains, targets=trains)
def test_nearest_triplets_are_their_sums(arrivals, targets):
    rule = TripletSTDP.preset("hippocampus", w_min=-9.0, w_max=9.0)
    found = weight_after(rule, arrivals, targets, weight=0.0, duration=402.0)
    assert found == pytest.approx(triplets(rule, arrivals, targets, nearest=True), abs=1e-12)


def test_an_unknown_set_of_parameters_is_refused():
    with pytest.raises(ns.ParameterError, match="preset must be 'visual cortex' or .*, got 'cerebellum'"):
        TripletSTDP.preset("cerebellum")


# ---- other simulators -----------------------------------------------------------------------------------

#: ours, with the parameters of tests/nest_reference.py; lambda is a share of Wmax there
AS_IN_NEST = {
    "additive": PairSTDP(a_plus=0.02, a_minus=0.021, tau_plus=17.0, tau_minus=25.0, w_max=2.0, delay="dendritic"),
    "multiplicative": PairSTDP(a_plus=0.04, a_minus=0.044, mu_plus=1.0, mu_minus=1.0, w_max=2.0, delay="dendritic"),
    "power": PairSTDP(a_plus=0.04, a_minus=0.044, mu_plus=0.4, mu_minus=0.7, tau_minus=30.0, w_max=2.0,
                      delay="dendritic"),
    "nearest": PairSTDP(a_plus=0.04, a_minus=0.044, mu_plus=1.0, mu_minus=1.0, tau_minus=30.0, w_max=2.0,
                        pairs="nearest", delay="dendritic"),
    "triplet": TripletSTDP(a2_plus=5e-3, w_max=2.0, delay="dendritic"),
    "inhibitory": InhibitorySTDP(eta=0.01, alpha=0.5, w_max=-3.0, delay="dendritic"),
}


def as_spikes(trains, dt, shift, last=()):
    """Return the trains of a golden file, shifted by some ms, as spikes."""
    trains = [[*train, *last] for train in trains]
    times = np.concatenate(trains) + shift
    ids = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    return ns.Spikes.from_times(times, ids, size=len(trains), dt=dt, duration=GOLDEN["end"] + 10.0)


def as_in_nest(rule, weight):
    dt, n = GOLDEN["dt"], len(GOLDEN["sources"])
    net = ns.Network()
    source = net.add(ns.SpikeSource(as_spikes(GOLDEN["sources"], dt, 0.0, [GOLDEN["end"]])), name="source")
    force = net.add(ns.SpikeSource(as_spikes(GOLDEN["targets"], dt, -dt)), name="force")
    cells = net.add(ns.LIF(tau_mem=1e-2, v_leak=0.0, v_reset=0.0, v_threshold=1e6, t_ref=0.3), n)
    net.connect(force, cells, ns.OneToOne(), weight=2e6, delay=dt)
    pairs = np.array(list(product(range(n), range(n))))
    net.connect(source, cells, ns.Explicit(pairs[:, 0], pairs[:, 1]), weight=weight, plasticity=rule, name="p",
                delay=np.array(GOLDEN["delays"]).ravel())
    net.record(cells)
    sim = ns.Simulation(net, dt, dtype="float64")
    sim.run(GOLDEN["end"] + 10.0)
    assert len(sim.spikes(cells)) == sum(map(len, GOLDEN["targets"]))
    return sim.weights("p", sparse=True).toarray()


@pytest.mark.parametrize("name", quick(("triplet",), AS_IN_NEST))
def test_weights_are_those_of_nest(name):
    theirs = np.array(GOLDEN["weights"][name])
    assert theirs.std() > 0.01
    found = as_in_nest(AS_IN_NEST[name], -1.0 if name == "inhibitory" else 1.0)
    np.testing.assert_allclose(found, theirs, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", quick(("triplet",), AS_IN_NEST))
def test_the_comparison_tells_axonal_from_dendritic(name):
    found = as_in_nest(AS_IN_NEST[name].replace(delay="axonal"), -1.0 if name == "inhibitory" else 1.0)
    assert np.abs(found / np.array(GOLDEN["weights"][name]) - 1).max() > 1e-3


# ---- small changes in float32 ---------------------------------------------------------------------------

def many_small_steps(rule, count, change):
    """A million arrivals at one synapse whose target's trace stays at 1: each changes the weight by `change`."""
    rule = rule.replace(a_minus=-change, tau_minus=1e15, w_max=1.0)
    return weight_after(rule, 3.0 + np.arange(count), [2.0], dtype="float32") - np.float64(np.float32(0.5))


@pytest.mark.slow
def test_a_million_changes_of_1e_8_add_up_in_float32():
    assert many_small_steps(PairSTDP(compensated=True), 1_000_000, 1e-8) == pytest.approx(0.01, rel=1e-3)
    assert many_small_steps(PairSTDP(compensated=True), 10_000, -1e-8) == pytest.approx(-1e-4, rel=1e-3)
    assert many_small_steps(PairSTDP(), 10_000, 1e-8) == 0.0  # which is why the option is there


def test_a_threshold_with_a_time_constant_of_1e7_ms_decays_rightly_in_float32():
    """The adaptive threshold of Diehl and Cook: 0.05 mV by a spike, then 1,000 s at 0.5 ms."""
    net = ns.Network()
    force = net.add(ns.SpikeSource(ns.Spikes.from_times([0.5], [0], size=1, dt=0.5, duration=1.0)))
    cell = net.add(ns.AdaptiveLIF(tau_theta=1e7, delta_theta=0.05), 1)
    net.connect(force, cell, weight=1000.0, delay=0.5)
    sim = ns.Simulation(net, 0.5)
    sim.run(1e6 + 1.0)
    assert sim.get(cell, "theta")[0] == pytest.approx(0.05 * np.exp(-0.1), rel=1e-6)


@pytest.mark.slow
def test_compensated_weights_stay_in_bounds_and_agree_with_float64():
    rng = np.random.default_rng(3)
    arrivals, targets = (np.sort(rng.choice(np.arange(2, 5000), 800, replace=False)).astype(float) for _ in range(2))
    rule = PairSTDP(a_plus=1e-3, a_minus=1.1e-3, compensated=True)
    exact = weight_after(rule, arrivals, targets)
    found = weight_after(rule, arrivals, targets, dtype="float32")
    assert found == pytest.approx(exact, abs=1e-6)
    assert weight_after(rule.replace(a_plus=0.5), arrivals, targets) <= 1.0


@pytest.mark.slow
def test_the_synapse_keeps_what_rounding_took():
    sim = one_synapse(PairSTDP(compensated=True), [5.0], [7.0], dtype="float32")
    assert abs(sim.synapses("p").lost[0]) < 6e-8
