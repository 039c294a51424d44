"""Three factors: eligibility, reward and gates, against closed forms and a fine integration; rules that compose."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning_runs import one_synapse, weight_after

import neurosim as ns
from learning_rules import Gated, InhibitorySTDP, PairSTDP, Reward, SynapticScaling, ThreeFactor, TripletSTDP

FOLDER = Path(__file__).parent / "golden"
NEST, TRAINS = (json.loads((FOLDER / f"nest_{name}.json").read_text(encoding="utf-8")) for name in ("dopamine",
                                                                                                    "plasticity"))
WIDE = PairSTDP(a_plus=0.1, a_minus=0.15, w_min=-1e3, w_max=1e3)


@pytest.mark.parametrize("wait", [0.0, 100.0, 1000.0])
def test_one_reward_after_one_pair_pays_the_closed_form(wait):
    """dw = c0 step exp(-D / tau_c) tau_c tau_n / (tau_c + tau_n), D from the pair to the reward."""
    rules = [WIDE, Reward(tau_c=1000.0, tau_n=200.0, step=0.005, floor=-9.0, ceiling=9.0)]
    found = weight_after(rules, [100.0], [110.0], rewards=[110.0 + wait], duration=30_000.0)
    c0 = 0.1 * np.exp(-10 / 20)
    exact = c0 * 0.005 * np.exp(-wait / 1000) * 1000 * 200 / 1200
    assert found - 0.5 == pytest.approx(exact, rel=1e-10)


def test_a_baseline_of_the_concentration_takes_what_was_eligible():
    rules = [WIDE, Reward(step=0.005, baseline=0.001, floor=-9.0, ceiling=9.0)]
    found = weight_after(rules, [100.0], [110.0], rewards=[30_001.0], duration=29_000.0)
    assert found - 0.5 == pytest.approx(-0.1 * np.exp(-0.5) * 0.001 * 1000, rel=1e-10)


def integrated(rule, arrivals, targets, rewards, end, h=0.01):
    """The published equations by the midpoint rule, for pairs whose change is stored."""
    decays = np.array([20.0, 20.0, rule.tau_c, rule.tau_n])
    x = y = c = n = w = now = 0.0
    for time in np.unique(np.concatenate([arrivals, targets, rewards, [end]])):
        middle = (np.arange(round((time - now) / h)) + 0.5) * h
        w += h * np.sum(c * np.exp(-middle / rule.tau_c) * (n * np.exp(-middle / rule.tau_n) - rule.baseline))
        x, y, c, n = np.array([x, y, c, n]) * np.exp(-(time - now) / decays)
        now = time
        if time in arrivals:
            c, x = c - 0.15 * y, x + 1
        if time in targets:
            c, y = c + 0.1 * x, y + 1
        n += rule.step * (time in rewards)
    return w


some = st.lists(st.integers(2, 150), min_size=1, max_size=10, unique=True).map(
    lambda ticks: np.array(sorted(ticks), float))


@settings(max_examples=5, deadline=None)
@given(arrivals=some, targets=some, rewards=some)
def test_trains_of_all_three_agree_with_a_fine_integration(arrivals, targets, rewards):
    rule = Reward(tau_c=100.0, tau_n=30.0, step=0.02, baseline=0.003, floor=-1e3, ceiling=1e3)
    found = weight_after([WIDE, rule], arrivals, targets, weight=0.0, rewards=rewards, duration=200.0)
    exact = integrated(rule, arrivals, targets, rewards, 200.0)
    assert found == pytest.approx(exact, rel=1e-6, abs=1e-9)


def as_in_nest(case, late=True, **different):
    """The synapses of tests/nest_stdp.py: dendritic delays; a spike of dopamine adds 1 / tau_n, a tick after it.

    With a dendritic delay a source's spike is handled when it is delivered, with the signals of that time, where NEST
    takes those of a delay before: so each delay has a projection of its own here, and dopamine comes as much later.
    Spikes of several dopamine cells in one tick add up. NEST's weights are those of the last spikes of the sources,
    when concentration and eligibility are gone.
    """
    p, dt, n = NEST["cases"][case]["parameters"], NEST["dt"], len(TRAINS["sources"])
    pair = PairSTDP(a_plus=p["A_plus"], a_minus=p["A_minus"], tau_plus=p["tau_plus"], tau_minus=NEST["tau_minus"],
                    w_min=-1e3, w_max=1e3, delay="dendritic")
    reward = Reward(tau_c=p["tau_c"], tau_n=p["tau_n"], step=1 / p["tau_n"], baseline=p["b"], ceiling=p["Wmax"])
    rules = [rule.replace(**{k: v for k, v in different.items() if k in rule.parameters}) for rule in (pair, reward)]

    def spikes(trains, shift=0.0, last=()):
        trains = [[*train, *last] for train in trains]
        ids = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
        return ns.SpikeSource(ns.Spikes.from_times(np.concatenate(trains) + shift, ids, size=len(trains), dt=dt,
                                                   duration=NEST["end"] + 10.0))

    net = ns.Network()
    source, force = net.add(spikes(TRAINS["sources"], 0.0, [NEST["end"]])), net.add(spikes(TRAINS["targets"], -dt))
    cells = net.add(ns.LIF(tau_mem=1e-2, v_leak=0.0, v_reset=0.0, v_threshold=1e6, t_ref=0.3), n)
    net.connect(force, cells, ns.OneToOne(), weight=2e6, delay=dt)
    delays = np.array(NEST["delays"])
    projections = []
    for delay in np.unique(delays):
        dopamine = net.add(spikes(NEST["dopamine"], delay if late else 0.0))
        projections.append(net.connect(source, cells, ns.Explicit(*np.nonzero(delays == delay)), weight=NEST["start"],
                                       plasticity=rules, delay=delay, modulators={"reward": dopamine}))
    sim = ns.Simulation(net, dt, dtype="float64")
    sim.run(NEST["end"] + 10.0)
    return sum(sim.weights(each, sparse=True).toarray() for each in projections)


@pytest.mark.parametrize("case", NEST["cases"])
def test_weights_are_those_of_nests_dopamine_synapse(case):
    theirs = np.array(NEST["cases"][case]["weights"])
    assert theirs.std() > 0.5
    if case == "bounded":
        assert (theirs == 0.0).any() and (theirs == 9.0).any()
    np.testing.assert_allclose(as_in_nest(case), theirs, rtol=1e-9)


@pytest.mark.slow
def test_the_comparison_with_nest_tells_conventions_apart():
    theirs = np.array(NEST["cases"]["baseline"]["weights"])
    for different in ({"delay": "axonal"}, {"baseline": 0.0}, {"step": 1 / 41.0}, {"late": False}):
        assert np.abs(as_in_nest("baseline", **different) / theirs - 1).max() > 1e-4


@pytest.mark.slow
def test_a_long_silence_costs_float32_no_precision():
    rules = [WIDE, Reward(floor=-9.0, ceiling=9.0)]
    arrivals, rewards = [100.0, 105.0, 20_000.0], [120.0, 130.0]
    exact = weight_after(rules, arrivals, [110.0], rewards=rewards)
    found = weight_after(rules, arrivals, [110.0], rewards=rewards, dtype="float32")
    assert exact > 0.51 and found == pytest.approx(exact, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [PairSTDP(a_plus=0.1), pytest.param(TripletSTDP(a2_plus=0.1), marks=pytest.mark.slow),
                                  pytest.param(InhibitorySTDP(eta=0.1), marks=pytest.mark.slow)],
                         ids=lambda rule: type(rule).__name__)
def test_a_gate_scales_the_change_of_any_rule(rule):
    free = weight_after(rule, [100.0], [110.0]) - 0.5
    gated = weight_after([rule, Gated(baseline=1.0)], [100.0], [110.0], signal=1.25) - 0.5
    assert free > 0.01 and gated == pytest.approx(0.25 * free, rel=1e-10)


@pytest.mark.slow
def test_a_signal_sampled_each_period_is_eulers_sum():
    rule = ThreeFactor(tau_c=50.0, period=5.0, baseline=0.5, floor=-9.0, ceiling=9.0)
    found = weight_after([WIDE, rule], [100.0], [110.0], signal=0.75, duration=1000.0)
    steps = np.arange(110.0, 1001.0, 5.0) - 110.0
    assert found - 0.5 == pytest.approx(0.1 * np.exp(-0.5) * 0.25 * 5.0 * np.exp(-steps / 50).sum(), rel=1e-10)


class Surprise(ThreeFactor):
    """A user's own rule with two signals."""

    modulators = ("reward", "signal")

    @staticmethod
    def on_period(weight, c, reward, signal, period, floor, ceiling):
        """Learn where both are there."""
        return min(max(weight + c * reward * signal * period, floor), ceiling), c


@pytest.mark.slow
def test_a_rule_with_two_signals_takes_a_few_lines():
    rule = Surprise(tau_c=1e9, period=1.0, ceiling=9.0)
    found = weight_after([WIDE, rule], [100.0], [110.0], signal=2.0, rewards=[150.0, 160.0], duration=200.0)
    assert found - 0.5 == pytest.approx(2 * 2.0 * 0.1 * np.exp(-0.5), rel=1e-6)


# ---- three objects on one projection --------------------------------------------------------------------

def composition(rules, signal=0.5, dtype="float32", threads=1, pieces=(400.0,)):
    rng = np.random.default_rng(1)
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=30.0), 100, name="noise")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=10.0, t_ref=2.0), 200, name="cells")
    level = net.add(ns.LeakyIntegrator(v_leak=signal), 1, name="level")
    wanted = {name for rule in rules for name in rule.modulators}
    net.connect(noise, cells, ns.FixedProbability(0.3), weight=ns.Uniform(0.6, 1.0), delay=ns.Uniform(1.0, 5.0),
                plasticity=rules, name="p", modulators={"signal": (level, "v")} if wanted else None)
    net.record(cells)
    sim = ns.Simulation(net, 0.5, seed=int(rng.integers(99)), dtype=dtype, threads=threads)
    for piece in pieces:
        sim.run(piece)
    return sim.weights("p"), sim.spikes(cells)


PAIR = PairSTDP(a_plus=0.02, a_minus=0.021, w_max=2.0)
SCALING = SynapticScaling(rate=20.0, eta=0.1, tau_rate=200.0, period=10.0, w_max=2.0)


@pytest.mark.slow
def test_gated_stdp_with_scaling_is_three_objects():
    """With the gate shut only scaling acts, with it open both, and the ratios tell which."""
    alone, _ = composition([SCALING])
    shut, _ = composition([PAIR, Gated(), SCALING], signal=0.0)
    np.testing.assert_array_equal(alone, shut)
    both, spikes = composition([PAIR, Gated(), SCALING], signal=0.5)
    assert len(spikes) > 500 and np.mean(both != alone) > 0.9
    ungated, _ = composition([PAIR, SCALING])
    assert np.std(ungated / alone) > 1.3 * np.std(both / alone) > 0


@pytest.mark.slow
def test_a_composition_is_the_same_bit_for_bit_for_threads_and_cuts():
    rules = [PAIR, Gated(), SCALING]
    whole, spikes = composition(rules)
    for other in (composition(rules, threads=2), composition(rules, pieces=(0.5, 123.5, 276.0))):
        np.testing.assert_array_equal(whole, other[0])
        assert other[1] == spikes


@pytest.mark.slow
def test_the_order_of_rules_is_the_order_of_the_list():
    """A gate stands behind what it scales: before it, it changes nothing."""
    free, _ = composition([PAIR])
    before, _ = composition([Gated(), PAIR], signal=0.5)
    np.testing.assert_array_equal(free, before)


def test_eligibility_keeps_the_weight_until_a_signal_comes():
    sim = one_synapse([WIDE, Reward(floor=-9.0, ceiling=9.0)], [100.0], [110.0], rewards=[500.0], duration=400.0)
    synapses = sim.synapses("p")
    assert synapses.weight[0] == 0.5 and synapses.c[0] == pytest.approx(0.1 * np.exp(-0.5) * np.exp(-290 / 1000))
