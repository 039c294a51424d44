"""Structural plasticity: how many synapses there are stays, the weakest go, the planted pairs come first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import learning_rules.structural as structural
import neurosim as ns
from learning_rules.structural import BlockMask, Rewiring
from neurosim.errors import NetworkError, ParameterError


def problem(seed, samples=60, rows=12, columns=9, density=0.4):
    """Return weights, activities, and which pairs are allowed."""
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((rows, columns)) < density, rng.normal(0, 1, (rows, columns)), 0.0)
    return weights, rng.random((samples, rows)), rng.random((samples, columns)), rng.random((rows, columns)) < 0.7


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31), st.floats(0.01, 1.0), st.sampled_from(["absolute", "positive", "random"]), st.booleans())
def test_the_number_of_synapses_stays(seed, fraction, grow, masked):
    weights, x, y, allowed = problem(seed)
    allowed = allowed if masked else None
    after = Rewiring(fraction=fraction, weight=0.3, grow=grow).rewire(weights, x, y, allowed, seed=seed)
    assert np.count_nonzero(after) == np.count_nonzero(weights)
    gone, new = (weights != 0) & (after == 0), (weights == 0) & (after != 0)
    stays = (weights != 0) & (after != 0)
    assert gone.sum() == new.sum() and (after[new] == 0.3).all() and (after[stays] == weights[stays]).all()
    if gone.any():
        assert np.abs(weights[gone]).max() <= np.abs(weights[stays]).min(initial=np.inf)
    free = (weights == 0) if allowed is None else (weights == 0) & allowed
    assert not (new & ~free).any()
    assert new.sum() == min(round(fraction * np.count_nonzero(weights)), free.sum())
    if grow != "random" and new.any():
        ranks = np.corrcoef(x.T, y.T)[:12, 12:]
        ranks = np.abs(ranks) if grow == "absolute" else ranks
        assert ranks[new].min() >= ranks[free & ~new].max(initial=-np.inf) - 1e-12


def test_planted_pairs_are_grown_first():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((400, 50)), rng.standard_normal((400, 40))
    planted = np.unique(rng.integers(0, 40, 12))
    sources = rng.permutation(50)[:planted.size]
    y[:, planted] = 0.8 * x[:, sources] * rng.choice([-1.0, 1.0], planted.size) + 0.6 * y[:, planted]
    weights = np.where(rng.random((50, 40)) < 0.2, rng.uniform(0.1, 1.0, (50, 40)), 0.0)
    weights[sources, planted] = 0.0
    count = np.count_nonzero(weights)
    after = Rewiring(fraction=planted.size / count, weight=0.5).rewire(weights, x, y)
    assert (after[sources, planted] == 0.5).all() and np.count_nonzero(after) == count
    assert ((after != 0) & (weights == 0)).sum() == planted.size


def test_blocks_of_rows_change_nothing(monkeypatch):
    weights, x, y, allowed = problem(7)
    whole = Rewiring(fraction=0.5).rewire(weights, x, y, allowed)
    monkeypatch.setattr(structural, "CELLS", 20)
    np.testing.assert_array_equal(Rewiring(fraction=0.5).rewire(weights, x, y, allowed), whole)


def test_sparse_arrays_stay_sparse_and_keep_stored_zeros():
    sparse = pytest.importorskip("scipy.sparse")
    weights, x, y, _ = problem(1)
    source, target = np.nonzero(weights)
    values = weights[source, target].astype(np.float32)
    values[3] = 0.0  # a synapse of weight 0, the weakest
    for form in ("csr", "csc", "coo"):
        given_ = sparse.coo_array((values, (source, target)), shape=weights.shape).asformat(form)
        after = Rewiring(fraction=0.2, weight=0.0).rewire(given_, x, y)
        assert after.format == form and after.nnz == given_.nnz and after.dtype == np.float32
        assert given_.nnz == values.size
        dense = Rewiring(fraction=0.2, weight=1.0).rewire(given_, x, y).toarray()
        assert dense[source[3], target[3]] == 0.0 and (dense == 1.0).sum() == round(0.2 * values.size)


def test_random_growth_depends_on_the_seed_alone():
    weights, x, y, _ = problem(2)
    rule = Rewiring(fraction=0.3, grow="random")
    one, other, third = (rule.rewire(weights, x, y, seed=seed) for seed in (1, 1, 2))
    assert (one == other).all() and (one != third).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(6, 40), st.integers(6, 40))
def test_block_masks(groups, n_source, n_target):
    mask = BlockMask(groups=groups).mask(n_source, n_target)
    rule = BlockMask(groups=groups).rule(n_source, n_target)
    blocks = [np.repeat(np.arange(groups), sizes) for sizes in (rule.source_blocks, rule.target_blocks)]
    np.testing.assert_array_equal(mask, np.equal.outer(*blocks))
    assert max(rule.source_blocks) - min(rule.source_blocks) <= 1
    assert rule.expected(n_source, n_target, None) == mask.sum()


def test_block_masks_have_their_probabilities():
    block = BlockMask(groups=4, p_in=0.6, p_out=0.05)
    mask, inside = block.mask(400, 300, seed=5), BlockMask(groups=4).mask(400, 300)
    assert mask[inside].mean() == pytest.approx(0.6, abs=0.01)
    assert mask[~inside].mean() == pytest.approx(0.05, abs=0.005)


# ---- in a network --------------------------------------------------------------------------------------------


def pairs_that_fire_together(duration, plasticity=None):
    """Return a network of 20 inputs, each repeated by one target; what is connected has nothing to do with it."""
    rng = np.random.default_rng(1)
    times = [np.sort(rng.choice(np.arange(5, int(duration)), int(0.03 * duration), replace=False)) for _ in range(20)]
    ids = np.repeat(np.arange(20), [len(each) for each in times])
    spikes = ns.Spikes.from_times(np.concatenate(times).astype(float), ids, size=20, duration=duration)
    net = ns.Network()
    inputs, cells = net.add(ns.SpikeSource(spikes), name="inputs"), net.add(ns.LIF(tau_mem=5.0), 20, name="cells")
    net.connect(inputs, cells, ns.OneToOne(), weight=30.0, delay=1.0)
    net.connect(inputs, cells, ns.FixedProbability(0.15), weight=ns.Uniform(0.01, 0.1), delay=1.0, name="rewired")
    net.record(inputs)
    net.record(cells)
    return net


def test_a_projection_is_rewired_while_it_runs():
    sim = ns.Simulation(pairs_that_fire_together(2000.0), dt=1.0)
    sim.run(1000.0)
    before = sim.synapses("rewired")
    already = set(before.source[before.source == before.target])
    later = Rewiring(fraction=0.4, weight=0.05).go_on(sim, "rewired", bin=5.0)
    after = later.synapses("rewired")
    n = before.source.size
    assert after.source.size == n > 40 and (after.delay == 1.0).all()
    assert set(after.source[after.source == after.target]) >= set(range(20)) - already
    was = dict(zip(zip(before.source, before.target, strict=True), before.weight, strict=True))
    pairs = list(zip(after.source, after.target, strict=True))
    kept = [weight for pair, weight in zip(pairs, after.weight, strict=True) if pair in was]
    assert len(set(pairs)) == n and len(kept) == n - round(0.4 * n)
    np.testing.assert_array_equal(np.sort(kept), np.sort(before.weight)[round(0.4 * n):])
    later.run(1000.0)
    assert later.time == 2000.0 and len(later.spikes("cells")) > 100


def test_delays_that_differ_and_recordings_that_lack_are_refused():
    net = pairs_that_fire_together(100.0)
    inputs, cells = net.population("inputs"), net.population("cells")
    net.connect(inputs, cells, ns.OneToOne(), weight=0.1, delay=ns.Uniform(1.0, 9.0), name="different")
    sim = ns.Simulation(net, dt=1.0)
    sim.run(50.0)
    with pytest.raises(ParameterError, match="delay must be given: the synapses of 'different'"):
        Rewiring().go_on(sim, "different")
    assert Rewiring(fraction=0.5).go_on(sim, "different", delay=2.0).synapses("different").delay.min() >= 1.0
    net.recorders.clear()
    with pytest.raises(NetworkError, match="spikes of all neurons of 'inputs' must be recorded"):
        Rewiring().go_on(ns.Simulation(net, dt=1.0), "different")


@pytest.mark.parametrize(("call", "message"), [
    (lambda w, x, y: Rewiring(fraction=0.0), "Rewiring.fraction must be a finite number > 0 and <= 1, got 0.0"),
    (lambda w, x, y: Rewiring(weight=0.0).rewire(w, x, y), "Rewiring.weight must not be 0 for a dense array"),
    (lambda w, x, y: Rewiring().rewire(w, x[:5], y), "x and y must have as many samples, got 5 and 60"),
    (lambda w, x, y: Rewiring().rewire(w, x[:, :3], y), "synapses must lie within 3 sources and 9 targets"),
    (lambda w, x, y: Rewiring().rewire(w, x * np.nan, y), "Rewiring: x must be finite numbers"),
    (lambda w, x, y: Rewiring().rewire(w, x, y, np.ones((2, 2), bool)), r"allowed must be bool of shape \(12, 9\)"),
    (lambda w, x, y: Rewiring().turnover([0, 0], [1, 1], [1.0, 2.0], x, y), "got a pair twice"),
    (lambda w, x, y: BlockMask(groups=5).mask(4, 9), "BlockMask.groups must be <= 4, the size of a population, got 5"),
    (lambda w, x, y: BlockMask(groups=2, p_in=1.5), "BlockMask.p_in must be a finite number >= 0 and <= 1, got 1.5"),
])
def test_bad_input(call, message):
    with pytest.raises(ParameterError, match=message):
        call(*problem(0)[:3])
