"""Reservoirs as scikit-learn has transformers, liquids on devices and with rules, and two liquids compared."""

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

import neurosim as ns
from hardware_models import BitFlips, Memristor
from learning_rules import PairSTDP
from neurosim.readouts import evaluate, ridge
from neurosim.reservoirs import (
    BinnedCounts,
    Counts,
    EchoState,
    Liquid,
    MaassLattice,
    RandomGraph,
    RandomInput,
    compare,
)

U = np.sin(0.3 * np.arange(300.0))[:, None]
LATER = np.sin(0.3 * (np.arange(300.0) + 2))
RNG = np.random.default_rng(0)
LABELS = np.arange(24) % 2
SAMPLES = [ns.Spikes(ticks=np.sort(RNG.integers(1, 31, 60)), ids=RNG.integers(0, 8, 60) + 8 * (k % 2), size=16, dt=1.0,
                     duration=30.0) for k in range(24)]


def liquid(**options):
    return Liquid(MaassLattice((4, 3, 3)), RandomInput(16, k=4, weight=9.0), **{"seed": 1, **options})


def same(one, other):
    if isinstance(one, EchoState):
        return one == other and np.array_equal(one.w, other.w) and np.array_equal(one.transform(U), other.transform(U))
    return one.network.fingerprint() == other.network.fingerprint()


MADE = {"echo state": lambda: EchoState(20, leak=1, device=Memristor(read_noise=0.1, weight_max=9.0)),
        "bare echo state": lambda: EchoState(20, activation=np.tanh),
        "liquid": lambda: liquid(device=Memristor(programming_noise=0.1), features=BinnedCounts(2))}


@pytest.mark.parametrize("name", MADE)
def test_clones_have_the_parameters_and_nothing_in_common(name):
    one = MADE[name]()
    other = clone(one)
    assert type(other) is type(one) and other is not one and same(one, other)
    assert other.get_params().keys() == one.get_params().keys()
    for mine, theirs in zip(vars(one).values(), vars(other).values(), strict=True):
        assert not (isinstance(mine, np.ndarray) and np.shares_memory(mine, theirs))
    before = one.get_params()
    other.set_params(seed=7)
    assert not same(one, other) and one.get_params() == before
    fresh = type(one)(**{**one.get_params(deep=False), "seed": 7})
    assert same(other, fresh) and one.fit([], []) is one
    pickle.loads(pickle.dumps(one))


def test_parameters_of_parts_are_reached_and_what_does_not_fit_changes_nothing():
    network = EchoState(20, device=Memristor(weight_max=9.0))
    assert network.get_params()["device__read_noise"] == 0.0 and "device__seed" not in network.get_params(deep=False)
    assert network.set_params(device__read_noise=0.2, leak=0.5) is network
    assert (network.device.read_noise, network.device.weight_max, network.leak) == (0.2, 9.0, 0.5)
    assert network == EchoState(20, leak=0.5, device=Memristor(weight_max=9.0, read_noise=0.2))
    for wrong in ({"leek": 0.1}, {"leak__x": 1.0}, {"leak": 7.0}, {"device__leak": 0.1}, {"seed": 1, "units": 0}):
        before = network.get_params()
        with pytest.raises(ns.ParameterError):
            network.set_params(**wrong)
        assert network.get_params() == before
    with pytest.raises(ns.ParameterError, match="EchoState has no parameter 'leek'; it has units, inputs"):
        network.set_params(leek=0.1)
    with pytest.raises(AttributeError, match="EchoState is frozen"):
        network.leak = 0.1
    made = liquid().set_params(topology=RandomGraph(10, 0.2), dt=0.5)
    assert made.size == 10 and made.input_delay == 0.5


def test_an_echo_state_network_stands_in_a_pipeline_and_in_a_search():
    pipeline = make_pipeline(EchoState(30), Ridge(1e-3)).fit(U, LATER)
    by_hand = Ridge(1e-3).fit(EchoState(30).transform(U), LATER)
    np.testing.assert_array_equal(pipeline.predict(U), by_hand.predict(EchoState(30).transform(U)))
    assert "EchoState" in repr(pipeline) and "EchoState" in estimator_html_repr(pipeline)
    cut = TimeSeriesSplit(2)
    grid = {"echostate__leak": [0.01, 1.0], "echostate__device__programming_noise": [0.0, 0.01]}
    start = make_pipeline(EchoState(30, device=Memristor(weight_max=5.0)), Ridge(1e-3))
    found = GridSearchCV(start, grid, cv=cut).fit(U, LATER)
    for params, value in zip(found.cv_results_["params"], found.cv_results_["mean_test_score"], strict=True):
        device = Memristor(weight_max=5.0, programming_noise=params["echostate__device__programming_noise"])
        alone = make_pipeline(EchoState(30, leak=params["echostate__leak"], device=device), Ridge(1e-3))
        assert cross_val_score(alone, U, LATER, cv=cut).mean() == pytest.approx(value, rel=1e-6)
    assert found.best_score_ > 0.9


@pytest.mark.filterwarnings("ignore:sample 0 has")  # spikes after the duration that is asked for
def test_a_liquid_stands_in_a_pipeline_and_in_a_search():
    made = liquid(features=BinnedCounts(2))
    np.testing.assert_array_equal(made.transform(SAMPLES), made.states(SAMPLES, 30.0, BinnedCounts(2)))
    np.testing.assert_array_equal(liquid(duration=12.0).fit_transform(SAMPLES), made.states(SAMPLES, 12.0, Counts()))
    pipeline = make_pipeline(made, ridge()).fit(SAMPLES, LABELS)
    assert pipeline.score(SAMPLES, LABELS) == 1.0
    found = GridSearchCV(make_pipeline(made, ridge()), {"liquid__excitation": [0.0, 1.0]},
                         cv=KFold(2, shuffle=True, random_state=0)).fit(SAMPLES, LABELS)
    assert found.best_score_ > 0.8 and found.best_estimator_[0].excitation in (0.0, 1.0)
    longer = ns.Spikes(ticks=[1], ids=[0], size=16, dt=1.0, duration=40.0)
    with pytest.raises(ns.ParameterError, match="Liquid.duration must be given for recordings of different lengths"):
        made.transform([*SAMPLES, longer])
    assert made.transform([]).size == 0


def test_a_liquid_on_devices_holds_what_they_hold():
    plain = liquid(inhibition=-0.5, excitation=0.5)
    weights = plain.simulation()
    noisy = liquid(inhibition=-0.5, excitation=0.5, device=Memristor(stuck_on=0.3, seed=4),
                   input_device=Memristor(weight_max=10.0, programming_noise=0.1)).simulation()
    for name in ("input", "excitation", "inhibition"):
        assert (noisy.weights(name) != weights.weights(name)).any()
    excitation, inhibition = noisy.weights("excitation"), noisy.weights("inhibition")
    n = min(excitation.size, inhibition.size)
    broken = [excitation[:n] != np.float32(0.5), inhibition[:n] != np.float32(-0.5)]
    assert 0.3 < broken[0].mean() < 0.7 and (broken[0] != broken[1]).mean() > 0.2  # devices of their own
    assert liquid(device=BitFlips(rate=0.1, format="Q3.12")).transform(SAMPLES[:2]).shape == (2, 36)
    with pytest.raises(ns.ParameterError, match="must be given weights within -1 .. 1, got"):
        liquid(excitation=3.0, device=Memristor()).transform(SAMPLES[:1])
    with pytest.raises(ns.ParameterError, match="device must be a Device, got 3"):
        liquid(device=3)


def test_a_liquid_learns_by_the_rule_that_it_is_given():
    rule = PairSTDP(a_plus=0.5, a_minus=0.0)
    made = liquid(plasticity=rule, excitation=0.5)
    assert [p.plasticity for p in made.network.projections] == [(), (rule,), ()]
    sim = made.simulation()
    sim.give("input", SAMPLES[0])
    sim.run(30.0)
    assert (sim.weights("excitation") > 0.5).any() and (sim.weights("inhibition") == -1.0).all()
    again = made.transform(SAMPLES[:2])
    np.testing.assert_array_equal(made.transform(SAMPLES[:2]), again)  # every sample begins with the same weights
    both = liquid(plasticity={"input": PairSTDP(w_max=20.0), "excitation": [rule]}, excitation=0.5)
    assert [len(p.plasticity) for p in both.network.projections] == [1, 1, 0]
    with pytest.raises(ns.ParameterError, match="Liquid.plasticity must be a rule.*got 'exc'"):
        liquid(plasticity={"exc": rule})


def test_a_liquid_of_conductances_inhibits_by_its_reversal_potential():
    excite, inhibit = ns.ExponentialConductance(3.0, 0.0), ns.ExponentialConductance(6.0, -80.0)
    neuron, inputs = ns.LIF(tau_mem=20.0, c_mem=200.0, t_ref=2.0), RandomInput(16, k=4, weight=40.0)
    parts = {"neuron": neuron, "receptor": excite, "excitation": 5.0}
    counts = [Liquid(MaassLattice((4, 3, 3)), inputs, inhibitory_receptor=inhibit, inhibition=weight, **parts)
              .transform(SAMPLES).sum() for weight in (0.0, 60.0)]
    assert counts[0] > 1.1 * counts[1] > 0
    with pytest.raises(ns.ParameterError, match="Liquid.inhibition must be >= 0, got -1.0"):
        Liquid(MaassLattice((4, 3, 3)), inputs, inhibitory_receptor=inhibit, inhibition=-1.0, **parts)
    with pytest.raises(ns.ParameterError, match="Liquid.inhibitory_receptor must be given where the receptor is"):
        Liquid(MaassLattice((4, 3, 3)), inputs, **parts)


# ---------------------------------------------------------------------------------------------------------------------
# Two liquids
# ---------------------------------------------------------------------------------------------------------------------

def graph(neurons):
    return lambda seed: Liquid(RandomGraph(neurons, 0.1), RandomInput(16, k=4, weight=9.0), excitation=0.0, seed=seed)


def test_two_kinds_of_liquids_are_compared_seed_by_seed():
    found = compare(graph(3), graph(1), SAMPLES, LABELS, seeds=range(4), threads=1)
    by_hand = [[evaluate(ridge(), graph(n)(seed).states(SAMPLES, 30.0), LABELS, seeds=[seed]).accuracy
                for seed in range(4)] for n in (3, 1)]
    np.testing.assert_allclose(found.by_seed, np.subtract(*by_hand), atol=1e-12)
    assert found.first.by_seed == tuple(by_hand[0]) and found.second.accuracy == pytest.approx(np.mean(by_hand[1]))
    test = stats.ttest_rel(*by_hand).confidence_interval()
    np.testing.assert_allclose(found.interval, test, rtol=1e-9)
    assert found.pairs == "seeds" and found.difference == pytest.approx(np.mean(found.by_seed))
    raw = evaluate(ridge(), Counts().matrix(SAMPLES), LABELS, seeds=range(4))
    assert found.raw.accuracy == pytest.approx(raw.accuracy)
    for part in ("chance 50.0%", "n_test 24", "readout of the input, no liquid", "paired over seeds, 4 seeds"):
        assert part in str(found)


@pytest.mark.filterwarnings("ignore:sample 0 has")
def test_two_liquids_are_compared_sample_by_sample():
    one, other = liquid(), graph(1)(0)
    found = compare(one, other, SAMPLES, LABELS, 20.0, BinnedCounts(2), seeds=[0, 1])
    right = [evaluate(ridge(), each.states(SAMPLES, 20.0, BinnedCounts(2)), LABELS, seeds=[0, 1]).predictions == LABELS
             for each in (one, other)]
    np.testing.assert_allclose(found.interval, stats.ttest_rel(*(each.mean(axis=0) for each in right))
                               .confidence_interval(), rtol=1e-9)
    assert found.pairs == "samples" and found.interval[0] < found.difference < found.interval[1]
    nothing = compare(one, one, SAMPLES, LABELS, seeds=[0])
    assert nothing.difference == 0.0 and nothing.interval == (0.0, 0.0)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: compare(3, graph(1), SAMPLES, LABELS), "compare.first must be a Liquid or a function"),
    (lambda: compare(graph(1), graph(1), SAMPLES, LABELS, seeds=[1]), "compare.seeds must be two at least"),
    (lambda: compare(liquid(), liquid(), SAMPLES, LABELS, seeds=[]), "compare.seeds must be given"),
    (lambda: compare(liquid(), liquid(), SAMPLES, LABELS[1:]), "one label each"),
])
def test_what_cannot_be_compared_is_refused(call, message):
    with pytest.raises(ns.ParameterError, match=message):
        call()
