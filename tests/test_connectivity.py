"""Rules make the connections they promise, the same for any cut into parts and any number of threads."""

import inspect
import math
import warnings

import numpy as np
import pytest
import scipy.signal
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosim import connectivity
from neurosim.connectivity import (
    AllToAll,
    Blocks,
    Convolution,
    DistanceDependent,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotal,
    OneToOne,
    Rule,
    SmallWorld,
    Sparse,
    bodies,
    degree,
)
from neurosim.distributions import Distribution, Integers, LogNormal, Normal, Uniform
from neurosim.engine.synapses import build, checksum, draft, drawing, estimate_bytes, lay, set_values, to_coo
from neurosim.errors import NeurosimWarning, ParameterError
from neurosim.random import Streams, philox, seed_words, uniform53

ALL_RULES = [getattr(connectivity, name) for name in connectivity.__all__]
N = 30
POINTS = np.random.default_rng(3).random((N, 2))
MATRIX = scipy.sparse.random(N, N, 0.3, random_state=4, format="csr")
EXAMPLES = {
    AllToAll: [AllToAll(), AllToAll(self_connections=False)],
    Blocks: [Blocks([10, 20], [5, 5, 20], [[0.1, 1, 0], [0.5, 0.01, 0.3]]),
             Blocks([10, 20], [30], [[0.9], [0.2]], self_connections=False)],
    Convolution: [Convolution(np.random.default_rng(5).random((5, 1, 2, 3)), (1, 5, 6), stride=2, padding=(0, 1)),
                  Convolution(np.ones((30, 5, 2, 3)), (5, 2, 3))],
    DistanceDependent: [DistanceDependent(0.8, 2.0, source_shape=(2, 3, 5), periodic=True, self_connections=False),
                        DistanceDependent(0.9, 0.3, source_positions=POINTS, profile="exponential"),
                        DistanceDependent(0.5, 2.5, source_shape=N, target_shape=N, profile="uniform")],
    Explicit: [Explicit([5, 0, 5, 29, 5], [3, 1, 3, 29, 0]), Explicit([], [])],
    FixedInDegree: [FixedInDegree(7), FixedInDegree(3, multiple=False, self_connections=False),
                    FixedInDegree(25, multiple=False, self_connections=False)],
    FixedOutDegree: [FixedOutDegree(7, self_connections=False), FixedOutDegree(4, multiple=False),
                     FixedOutDegree(29, multiple=False, self_connections=False)],
    FixedProbability: [FixedProbability(0.2, self_connections=False), FixedProbability(0.95), FixedProbability(0.001)],
    FixedTotal: [FixedTotal(200), FixedTotal(100, multiple=False, self_connections=False),
                 FixedTotal(700, multiple=False)],
    OneToOne: [OneToOne()],
    SmallWorld: [SmallWorld(6, 0.3)],
    Sparse: [Sparse(MATRIX)],
}
#: a rule of each kind of loop is quick: by source, by target, in total, a list
QUICK = (AllToAll, Explicit, FixedInDegree, FixedProbability, FixedTotal)
SWEEP = [pytest.param(rule, id=repr(rule)[:60], marks=[pytest.mark.slow] * (cls not in QUICK))
         for cls, rules in EXAMPLES.items() for rule in rules]
WEIGHT = Normal(0.5, 0.2, low=0.1, bounds="redraw")
DELAY = Uniform(0.1, 2.0)


def make(rule, n_source=N, n_target=N, shift=0, *, weight=0.5, delay=1.0, bounds=None, seed=1, real=np.float32,
         dt=0.1, others=None, **options):
    return build(rule, n_source, n_target, shift, quantities={"weight": weight, **(others or {})}, delay=delay,
                 bounds=[0, n_target] if bounds is None else bounds, seed=seed, streams=Streams(), label="", dt=dt,
                 real=real, **options)


def same_coo(a, b):
    flat = [*a[:3], *a[3].values()], [*b[:3], *b[3].values()]
    return all(np.array_equal(x, y) for x, y in zip(*flat, strict=True))


def is_drawn(rule):
    return not isinstance(rule, (AllToAll, OneToOne, Convolution, Explicit, Sparse))


def pairs(made, n=N):
    source, target, *_ = to_coo(made)
    counts = np.zeros((n, made.n_target), int)
    np.add.at(counts, (source, target), 1)
    return counts


# Every rule


def test_every_rule_is_swept():
    assert set(EXAMPLES) == set(ALL_RULES)
    concrete = {c for c in vars(connectivity).values() if inspect.isclass(c) and issubclass(c, Rule)}
    assert {c for c in concrete if not c.__name__.startswith("_")} - {Rule} == set(ALL_RULES)


@pytest.mark.parametrize("rule", SWEEP)
@given(cuts=st.lists(st.integers(0, N), max_size=4), threads=st.sampled_from([1, 2]))
@settings(max_examples=12, deadline=None)
def test_parts_and_threads_change_nothing(rule, cuts, threads):
    whole = make(rule, weight=WEIGHT, delay=DELAY)
    cut = make(rule, weight=WEIGHT, delay=DELAY, bounds=[0, *sorted(cuts), N], threads=threads)
    assert same_coo(to_coo(whole), to_coo(cut))
    assert whole.n_synapses == cut.n_synapses
    assert np.array_equal(whole.delays, cut.delays)
    assert checksum(whole) == checksum(cut)


@pytest.mark.parametrize("rule", SWEEP)
@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_layout_is_consistent(rule, parts):
    bounds = np.linspace(0, N, parts + 1).astype(int)
    made = make(rule, weight=WEIGHT, delay=DELAY, bounds=bounds)
    assert sum(part.target.size for part in made.parts) == made.n_synapses
    for part, first, last in zip(made.parts, bounds[:-1], bounds[1:], strict=True):
        assert part.first == first
        assert part.start[0] == 0 and part.start[-1] == part.target.size and (np.diff(part.start) >= 0).all()
        assert (part.target < last - first).all()
        assert part.values["weight"].shape == part.target.shape and part.values["weight"].dtype == np.float32
        if part.offsets is not None:
            assert part.offsets.shape == (N, made.delays.size + 1)
            assert (part.offsets[:, 0] == 0).all()
            assert np.array_equal(part.offsets[:, -1], np.diff(part.start))
            assert (np.diff(part.offsets.astype(int), axis=1) >= 0).all()
    assert np.array_equal(made.delays, np.unique(to_coo(made)[2]))


@pytest.mark.parametrize("rule", SWEEP)
def test_seed_decides(rule):
    one, again, other = (to_coo(make(rule, weight=WEIGHT, seed=seed)) for seed in (2**40 + 1, 2**40 + 1, 1))
    assert same_coo(one, again)
    if one[0].size:
        assert not np.array_equal(one[3]["weight"], other[3]["weight"])
    if is_drawn(rule) and one[0].size < N * (N - 1):
        assert not (np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1]))


@pytest.mark.parametrize("rule", SWEEP)
def test_compiled_body_is_the_python_one(rule):
    rows = rule.prepare(N, N, 0, np.random.default_rng([1, 1]))
    k0, k1 = map(np.uint64, seed_words(1))
    expected = []
    out = np.zeros(rows.capacity, np.uint32)
    for row in range(N):
        count = int(rule.partners(row, N, rows.ints, rows.floats, k0, k1, np.uint64(1), out))
        if rule.ascending:
            assert (np.diff(out[:count].astype(int)) > 0).all()
        expected += [(int(partner), row) if rule.by == "target" else (row, int(partner)) for partner in out[:count]]
    source, target, *_ = to_coo(make(rule))
    assert sorted(expected) == list(zip(source.tolist(), target.tolist(), strict=True))


@pytest.mark.parametrize("rule", SWEEP)
def test_expected_number(rule):
    numbers = [make(rule, seed=seed).n_synapses for seed in range(20)]
    expected = rule.expected(N, N, 0)
    if rule.exact:
        assert numbers == [expected] * 20
    else:
        assert abs(np.mean(numbers) - expected) < 4 * math.sqrt(max(expected, 1) / 20)


@pytest.mark.parametrize("rule", SWEEP)
def test_no_self_no_multiple_where_excluded(rule):
    for seed in range(3):
        counts = pairs(make(rule, seed=seed))
        if not getattr(rule, "self_connections", True) or isinstance(rule, SmallWorld):
            assert not np.diag(counts).any()
        if not getattr(rule, "multiple", isinstance(rule, Explicit)):
            assert counts.max() <= 1


@pytest.mark.parametrize("rule", SWEEP)
def test_sorted_rows_hold_the_same_synapses(rule):
    plain, made = (make(rule, weight=WEIGHT, delay=DELAY, bounds=[0, 11, N], sort=sort) for sort in (False, True))
    assert same_coo(to_coo(plain), to_coo(made))
    for part in made.parts:
        for row in range(N):
            ends = [0, part.start[row + 1] - part.start[row]] if part.offsets is None else part.offsets[row]
            targets = part.target[part.start[row]:part.start[row + 1]].astype(int)
            for first, last in zip(ends[:-1], ends[1:], strict=True):
                assert (np.diff(targets[first:last]) >= 0).all()


@pytest.mark.parametrize("rule", SWEEP)
def test_rules_compare_and_print(rule):
    assert rule == rule.replace() and hash(rule) == hash(rule.replace())
    assert repr(rule).startswith(type(rule).__name__)
    assert rule != AllToAll(self_connections=False) or isinstance(rule, AllToAll)


# Who connects to whom


def chi_square(counts, expected):
    """Return by how many standard deviations a chi-square misses its mean."""
    value = ((counts - expected) ** 2 / expected).sum()
    return abs(value - (counts.size - 1)) / math.sqrt(2 * (counts.size - 1))


@pytest.mark.parametrize("multiple", [True, False])
@pytest.mark.parametrize("k", [5, 150])
def test_fixed_degrees_are_exact_and_uniform(k, multiple):
    n = 400
    into = pairs(make(FixedInDegree(k, multiple=multiple, self_connections=False), n, n), n)
    out = pairs(make(FixedOutDegree(k, multiple=multiple), n, n, None), n)
    assert (into.sum(0) == k).all() and not np.diag(into).any()
    assert (out.sum(1) == k).all()
    for free in (into.sum(1), out.sum(0)):
        if multiple:
            assert chi_square(free, k) < 4
        else:
            assert abs(free.var() / (k * (1 - k / n)) - 1) < 4 * math.sqrt(2 / n)


@pytest.mark.parametrize("multiple", [True, False])
def test_fixed_total_is_uniform_over_sources_and_targets(multiple):
    counts = pairs(make(FixedTotal(20_000, multiple=multiple), 300, 500, None), 300)
    assert counts.sum() == 20_000
    assert chi_square(counts.sum(1), 20_000 / 300) < 4
    assert chi_square(counts.sum(0), 20_000 / 500) < 4


def test_counts_of_distinct_pairs_are_hypergeometric():
    generator = np.random.default_rng(5)
    counts = np.array([degree.counts_of_pairs(12, np.full(5, 6), generator) for _ in range(20_000)])
    assert (counts.sum(1) == 12).all() and counts.min() >= 0 and counts.max() <= 6
    mean, variance = 12 / 5, 12 * (1 / 5) * (4 / 5) * (30 - 12) / 29
    assert np.allclose(counts.mean(0), mean, atol=4 * math.sqrt(variance / 20_000))
    assert np.allclose(counts.var(0), variance, rtol=0.05)
    assert (degree.counts_of_pairs(30, np.full(5, 6), generator) == 6).all()
    assert (degree.counts_of_pairs(0, np.full(5, 6), generator) == 0).all()


@pytest.mark.parametrize("p", [0.003, 0.1, 0.7])
def test_fixed_probability_is_bernoulli(p):
    n = 500
    counts = pairs(make(FixedProbability(p), n, n, None), n)
    assert abs(counts.sum() - p * n * n) < 4 * math.sqrt(n * n * p * (1 - p))
    for degrees in (counts.sum(0), counts.sum(1)):
        assert abs(degrees.var() / (n * p * (1 - p)) - 1) < 4 * math.sqrt(2 / n) + 0.1
    neighbours = (counts[:, 1:] * counts[:, :-1]).sum()  # independent of each other
    assert abs(neighbours - p * p * n * (n - 1)) < 5 * math.sqrt(p * p * n * n) + 5


def test_table_of_gaps_changes_nothing():
    for p in (0.0005, 0.03, 0.5, 0.999):
        inverse = bodies.inverse_log(p)[0]
        table = bodies.gap_table(inverse)
        words = np.random.default_rng(6).integers(0, 2**32, (2, 20_000)).astype(np.uint64)
        exact = np.floor(np.log(uniform53(*words)) * inverse)
        found = table[words[0] >> bodies.GAP_SHIFT]
        assert np.array_equal(found[found >= 0], exact[found >= 0]) and (found >= 0).any()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_probability_zero_and_one(p):
    assert make(FixedProbability(p, self_connections=False)).n_synapses == p * N * (N - 1)
    assert make(Blocks([N], [10, 20], [[p, p]])).n_synapses == p * N * N


def test_blocks_have_their_probabilities():
    probability = np.array([[0.1, 0.0, 0.4], [1.0, 0.5, 0.02]])
    sizes = [200, 100], [50, 150, 300]
    counts = pairs(make(Blocks(*sizes, probability), 300, 500, None), 300)
    for i, rows in enumerate(np.split(counts, [200])):
        for j, block in enumerate(np.split(rows, [50, 200], axis=1)):
            p = probability[i, j]
            assert abs(block.sum() - p * block.size) <= 4 * math.sqrt(block.size * p * (1 - p))


def test_small_world_without_rewiring_is_a_ring():
    expected = np.zeros((N, N), int)
    for i in range(N):
        expected[i, [(i + d) % N for d in (-2, -1, 1, 2)]] = 1
    assert np.array_equal(pairs(make(SmallWorld(4, 0.0))), expected)


@pytest.mark.parametrize("rewiring", [0.1, 1.0])
def test_small_world_rewires_the_share(rewiring):
    n, k = 500, 10
    counts = pairs(make(SmallWorld(k, rewiring), n, n), n)
    assert (counts.sum(1) == k).all() and counts.max() == 1 and not np.diag(counts).any()
    ring = pairs(make(SmallWorld(k, 0.0), n, n), n)
    moved = 1 - (counts * ring).sum() / ring.sum()
    expected = rewiring * (1 - rewiring * k / (n - 1))  # one that is rewired may come back to a free neighbour
    assert abs(moved - expected) < 4 * math.sqrt(0.25 / (n * k)) + 0.01
    assert make(SmallWorld(N - 2 + N % 2, 1.0)).n_synapses == N * (N - 2 + N % 2)


LINE = np.arange(31.0)[:, None]
BETWEEN_PARTS = [
    AllToAll(self_connections=False), FixedProbability(0.3, self_connections=False),
    Blocks([4, 8], [10, 10], [[0.5, 0.2], [0.9, 0.4]], self_connections=False),
    DistanceDependent(0.8, 6.0, source_positions=LINE[:12], target_positions=LINE[:20], self_connections=False),
    *(rule(5, multiple=multiple, self_connections=False) for rule in (FixedInDegree, FixedOutDegree)
      for multiple in (True, False)),
    *(FixedTotal(90, multiple=multiple, self_connections=False) for multiple in (True, False)),
]


def probability_of_pairs(rule, shift):
    """Return the expected number of synapses of each of 12 x 20 pairs, by the definition of the rule."""
    allowed = np.subtract.outer(np.arange(12) + shift, np.arange(20)) != 0
    each = {AllToAll: lambda: 1.0, FixedProbability: lambda: rule.p, FixedTotal: lambda: rule.n / allowed.sum(),
            Blocks: lambda: np.repeat(np.repeat(rule.probability, (4, 8), 0), (10, 10), 1),
            DistanceDependent: lambda: rule.probability(rule.positions("source"), rule.positions("target")),
            FixedInDegree: lambda: rule.k / allowed.sum(0), FixedOutDegree: lambda: rule.k / allowed.sum(1)[:, None]}
    return allowed * each[type(rule)]()


@pytest.mark.parametrize("rule", [pytest.param(rule, id=repr(rule)[:60]) for rule in BETWEEN_PARTS])
@pytest.mark.parametrize("shift", [-11, -3, 0, 7, 15, 19, 25])
def test_no_neuron_meets_itself_between_parts_of_a_population(rule, shift):
    repeats, p = 150, probability_of_pairs(rule, shift)
    made = [make(rule, 12, 20, shift, seed=seed) for seed in range(repeats)]
    total = sum(pairs(each, 12) for each in made)
    assert not total[p == 0].any()
    assert rule.expected(12, 20, shift) == pytest.approx(p.sum())
    if rule.exact:
        assert {each.n_synapses for each in made} == {round(p.sum())}
    variance = p * (1 - (0 if getattr(rule, "multiple", False) else p))
    assert (np.abs(total - repeats * p) <= 5.5 * np.sqrt(repeats * variance) + 1e-6).all()
    cut = make(rule, 12, 20, shift, seed=3, bounds=[0, 7, 20])
    assert same_coo(to_coo(made[3]), to_coo(cut))


def test_rules_know_every_option_to_leave_a_neuron_itself_out():
    excluding = {rule for rule in ALL_RULES if "self_connections" in rule.parameters}
    assert excluding == {type(rule) for rule in BETWEEN_PARTS}


def test_full_ring_has_nothing_to_rewire():
    assert np.array_equal(pairs(make(SmallWorld(4, 1.0), 5, 5), 5), 1 - np.eye(5, dtype=int))


def test_maass_column_against_brute_force():
    rule = DistanceDependent(0.3, 2.0, source_shape=(3, 3, 15), self_connections=False)
    at = np.array([(x, y, z) for x in range(3) for y in range(3) for z in range(15)], float)
    p = 0.3 * np.exp(-((at[:, None] - at[None]) ** 2).sum(-1) / 4.0)
    np.fill_diagonal(p, 0)
    assert rule.expected(135, 135, 0) == pytest.approx(p.sum(), rel=1e-9)
    total = np.zeros((135, 135))
    repeats = 300
    for seed in range(repeats):
        total += pairs(make(rule, 135, 135, seed=seed), 135)
    deviation = (total - repeats * p)[p > 0] / np.sqrt(repeats * p * (1 - p))[p > 0]
    assert abs(deviation.sum() / math.sqrt(deviation.size)) < 4
    often = deviation[repeats * p[p > 0] > 20]
    assert np.abs(often).max() < 5 and abs(often.std() - 1) < 0.05


@pytest.mark.parametrize("profile", ["gaussian", "exponential", "uniform"])
@pytest.mark.parametrize("periodic", [False, True])
def test_distance_profiles(profile, periodic):
    rule = DistanceDependent(1.0, 1.7, source_shape=(12, 9), spacing=(0.5, 1.0), profile=profile, periodic=periodic)
    repeats = 100
    total = sum(pairs(make(rule, 108, 108, seed=seed), 108) for seed in range(repeats))
    x, y = (a.ravel() for a in np.indices((12, 9)))
    dx, dy = 0.5 * abs(x[:, None] - x), 1.0 * abs(y[:, None] - y)
    if periodic:
        dx, dy = np.minimum(dx, 6 - dx), np.minimum(dy, 9 - dy)
    d = np.hypot(dx, dy) / 1.7
    p = {"gaussian": np.exp(-d**2), "exponential": np.exp(-d), "uniform": 1.0 * (d <= 1)}[profile]
    assert rule.expected(108, 108, None) == pytest.approx(p.sum())
    assert (np.abs(total - repeats * p) <= 5 * np.sqrt(repeats * p * (1 - p)) + 2).all()
    assert abs(total.sum() - repeats * p.sum()) <= 4 * math.sqrt(repeats * (p * (1 - p)).sum())


def test_positions_of_different_populations():
    rule = DistanceDependent(1.0, 0.15, source_positions=[[0.0], [1.0]], target_positions=[[0.0], [0.1], [0.9]],
                             profile="uniform")
    assert pairs(make(rule, 2, 3, None), 2).tolist() == [[1, 1, 0], [0, 0, 1]]
    around = rule.replace(periodic=True, box=1.0)
    assert pairs(make(around, 2, 3, None), 2).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_expected_of_large_lattice_is_estimated():
    rule = DistanceDependent(0.5, 3.0, source_shape=(60, 60), periodic=True)
    assert rule.expected(3600, 3600, None) == pytest.approx(0.5 * 9 * math.pi * 3600, rel=1e-3)


def test_bounded_draws_are_exact():
    """A word below 2^32 mod bound is drawn again: with a bound of 3 * 2^30 a quarter of all words."""
    bound = np.uint64(3 << 30)
    k0, k1 = map(np.uint64, (1, 2))
    words = [philox(np.uint64(i), np.uint64(0), np.uint64(9), np.uint64(0), k0, k1)[0] for i in range(4000)]
    drawn = [bodies.below(w, bound, np.uint64(i), np.uint64(0), np.uint64(9), k0, k1)
             for i, w in enumerate(words)]
    counts = np.bincount(np.array(drawn) // np.uint64(1 << 30), minlength=3)
    assert chi_square(counts, 4000 / 3) < 4


# Given values


def test_explicit_keeps_pairs_and_values():
    sources, targets = np.array([3, 0, 3, 3, 1]), np.array([2, 1, 2, 0, 0])
    weights, delays = np.array([0.5, 0.1, 0.4, 0.2, 0.3]), np.array([1.0, 0.5, 1.0, 0.5, 2.0])
    for bounds in ([0, 3], [0, 1, 3], [0, 1, 2, 3]):
        made = make(Explicit(sources, targets), 4, 3, None, weight=weights, delay=delays, real=np.float64,
                    bounds=bounds)
        source, target, delay, values = to_coo(made)
        assert list(zip(source.tolist(), delay.tolist(), target.tolist(), values["weight"].tolist(), strict=True)) == [
            (0, 5, 1, 0.1), (1, 20, 0, 0.3), (3, 5, 0, 0.2), (3, 10, 2, 0.5), (3, 10, 2, 0.4)]


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil"])
def test_sparse_round_trip(form):
    matrix = scipy.sparse.random(40, 60, 0.1, random_state=7).asformat(form)
    source, target, _, values = to_coo(make(Sparse(matrix), 40, 60, None, weight=None, real=np.float64))
    assert (scipy.sparse.coo_matrix((values["weight"], (source, target)), (40, 60)) != matrix).nnz == 0


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_convolution_is_that_of_scipy(data):
    def whole(low, high):
        return data.draw(st.integers(low, high))

    shape, padding = (whole(1, 3), whole(3, 7), whole(3, 7)), (whole(0, 2), whole(0, 2))
    stride = whole(1, 3), whole(1, 3)
    rng = np.random.default_rng(whole(0, 99))
    kernel, picture = rng.normal(size=(whole(1, 3), shape[0], whole(1, 3), whole(1, 3))), rng.normal(size=shape)
    rule = Convolution(kernel, shape, stride=stride, padding=padding)
    edges = np.pad(picture, [(0, 0), *((more, more) for more in padding)])
    wanted = np.array([sum(scipy.signal.correlate2d(layer, one, "valid") for layer, one in zip(edges, each,
                                                                                                strict=True))
                       for each in kernel])[:, ::stride[0], ::stride[1]]
    assert rule.shape_out == wanted.shape
    sources, targets = rule.listed()
    made = scipy.sparse.coo_array((rule.weights(), (sources, targets)), (picture.size, wanted.size))
    assert made.T @ picture.ravel() == pytest.approx(wanted.ravel(), abs=1e-12)
    assert np.array_equal(rule.weights(), kernel.ravel()[rule.entries()])


def test_sparse_keeps_explicit_zeros_and_repeats():
    matrix = scipy.sparse.coo_matrix(([0.0, 1.0, 2.0], ([1, 0, 0], [0, 1, 1])), (2, 2))
    source, target, _, values = to_coo(make(Sparse(matrix), 2, 2, weight=None))
    assert [source.tolist(), target.tolist(), values["weight"].tolist()] == [[0, 0, 1], [1, 1, 0], [1.0, 2.0, 0.0]]


def test_dense_array_gives_its_nonzero_entries():
    dense = np.array([[0.0, 1.5, 0.0], [-2.0, 0.0, 3.0]])
    source, target, _, values = to_coo(make(Sparse(dense), 2, 3, None, weight=None, bounds=[0, 1, 3]))
    found = np.zeros((2, 3))
    found[source, target] = values["weight"]
    assert np.array_equal(found, dense)
    assert Sparse(dense) == Sparse(scipy.sparse.csr_matrix(dense)) and Sparse(dense) != Sparse(2 * dense)


def test_matrix_is_looked_up():
    weight, delay = np.random.default_rng(8).random((20, N)), np.arange(20 * N).reshape(20, N) % 7 + 1.0
    for rule in (FixedInDegree(5), FixedOutDegree(5)):
        source, target, ticks, values = to_coo(make(rule, 20, N, None, weight=weight, delay=delay, bounds=[0, 7, N]))
        assert np.array_equal(values["weight"], weight.astype(np.float32)[source, target])
        assert np.array_equal(ticks, 10 * delay[source, target])


def test_one_value_per_pair_of_one_to_one():
    weight = np.arange(N) / 8
    assert to_coo(make(OneToOne(), weight=weight, bounds=[0, 4, N]))[3]["weight"].tolist() == weight.tolist()


def test_shared_number_is_stored_once():
    made = make(FixedTotal(100), weight=0.25, delay=1.5, bounds=[0, 10, N])
    assert [part.values["weight"] for part in made.parts] == [0.25, 0.25]
    assert [part.offsets for part in made.parts] == [None, None] and made.delays.tolist() == [15]


@pytest.mark.parametrize("rule", [AllToAll(), FixedInDegree(9)])
def test_draws_follow_the_contract(rule):
    """The value of a synapse is a quantile of the uniform number keyed by (k, row, stream)."""
    made = make(rule, weight=WEIGHT, delay=DELAY, others={"u": 0.1, "tau": LogNormal(0, 1)}, bounds=[0, 13, N],
                seed=77, real=np.float64)
    rows = rule.prepare(N, N, 0, None)
    out = np.zeros(rows.capacity, np.uint32)
    k0, k1 = map(np.uint64, seed_words(77))

    def draw(distribution: Distribution, k, row, stream):
        a, b, first, last, low, high = distribution.numbers()
        words = philox(np.uint64(k), np.uint64(row), np.uint64(stream), np.uint64(0), k0, k1)
        return min(max(distribution.quantile(first + (last - first) * uniform53(*words[:2]), a, b), low), high)

    expected = []
    for row in range(N):
        for k in range(rule.partners(row, N, rows.ints, rows.floats, k0, k1, np.uint64(1), out)):
            pair = (int(out[k]), row) if rule.by == "target" else (row, int(out[k]))
            expected.append((pair[0], math.floor(draw(DELAY, k, row, 2) / 0.1 + 0.5), pair[1],
                             draw(WEIGHT, k, row, 3), draw(LogNormal(0, 1), k, row, 5)))
    expected = np.array(sorted(expected, key=lambda synapse: synapse[:3]))
    source, target, ticks, values = to_coo(made)
    assert np.array_equal(np.stack([source, ticks, target]), expected[:, :3].T)
    assert np.allclose(values["weight"], expected[:, 3], rtol=1e-14)
    assert np.allclose(values["tau"], expected[:, 4], rtol=1e-14)
    assert values["u"] == 0.1


@pytest.mark.parametrize("bounds", ["clip", "redraw"])
def test_bounds_of_distributions_hold(bounds):
    drawn = Normal(0.0, 1.0, low=-0.5, high=1.5, bounds=bounds)
    weight = to_coo(make(AllToAll(), 200, 200, weight=drawn, real=np.float64))[3]["weight"]
    assert weight.min() >= -0.5 and weight.max() <= 1.5
    assert ((weight == -0.5).mean() > 0.3) == (bounds == "clip")
    delay = to_coo(make(AllToAll(), 200, 200, delay=Normal(1.0, 1.0, low=0.3, high=2.0, bounds=bounds)))[2]
    assert delay.min() == 3 and delay.max() == 20


def test_streams_are_separate():
    streams = Streams()
    made = build(AllToAll(), N, N, 0, quantities={"weight": Uniform(0, 1), "other": Uniform(0, 1)}, delay=1.0,
                 bounds=[0, N], seed=1, streams=streams, label="a to b", dt=0.1, real=np.float64)
    values = to_coo(made)[3]
    assert abs(np.corrcoef(values["weight"], values["other"])[0, 1]) < 4 / N
    assert streams.labels == ["a to b: connections", "a to b: delay", "a to b: weight", "a to b: other"]


# Delays


def test_only_delays_that_occur_are_listed():
    delay = np.full((N, N), 1.0)
    delay[3, 4], delay[5, 6] = 7.0, 20.0
    made = make(AllToAll(), delay=delay, bounds=[0, 5, N])
    assert made.delays.tolist() == [10, 70, 200]
    assert [part.offsets.shape for part in made.parts] == [(N, 4)] * 2
    assert make(AllToAll(), delay=np.full((N, N), 2.0)).parts[0].offsets is None


@pytest.mark.slow
@pytest.mark.parametrize("rule", [FixedInDegree(9), FixedOutDegree(9)])
def test_wide_range_of_delays(rule):
    made = make(rule, delay=LogNormal(3.0, 1.5, low=0.1), weight=WEIGHT, bounds=[0, 9, N])
    ticks = to_coo(made)[2]
    assert ticks.max() > drawing.FEW_TICKS and np.array_equal(made.delays, np.unique(ticks))
    assert same_coo(to_coo(made), to_coo(make(rule, delay=LogNormal(3.0, 1.5, low=0.1), weight=WEIGHT)))


def test_delays_off_the_grid_warn_with_the_worst_error():
    with pytest.warns(NeurosimWarning, match="not a multiple of dt = 0.1 ms and was rounded, by up to 0.04 ms"):
        made = make(OneToOne(), delay=np.where(np.arange(N) == 3, 1.04, 2.0))
    assert made.delays.tolist() == [10, 20]
    with pytest.warns(NeurosimWarning):
        assert make(OneToOne(), delay=0.06).delays.tolist() == [1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(OneToOne(), delay=0.1 * np.arange(1, N + 1))
        make(OneToOne(), delay=Uniform(1.0, 2.0))


@pytest.mark.parametrize("delay, message", [
    (0.0, r"delay must be >= dt = 0.1 ms, got 0.0"),
    (0.04, r"delay must be >= dt = 0.1 ms, got 0.04"),
    (-1.0, r"delay must be >= dt = 0.1 ms, got -1.0"),
    (1e9, r"delay must be <= 1.67772e\+06 ms, got 1000000000.0"),
    (math.nan, "delay must be a finite number, a distribution or an array, got nan"),
    ("1 ms", "delay must be a finite number, a distribution or an array, got '1 ms'"),
    (True, "delay must be a finite number"),
    (Normal(1.0, 1.0), r"delay must be >= dt = 0.1 ms, got a draw that rounds to 0; give the distribution low=0.1 and "
                       "bounds='clip' or 'redraw'"),
    (np.zeros((N, N)), "delay must be >= dt = 0.1 ms, got an entry that rounds to 0"),
    (np.full((N, N), math.nan), "delay must be >= dt = 0.1 ms, got an entry"),
    (np.full((N, N), 1e9), "delay must be <= 1.67772e.06 ms, got an entry"),
    (np.ones(N), r"delay must be a number, a distribution or an array of shape \(30, 30\), got"),
])
def test_refused_delays(delay, message):
    with pytest.raises(ParameterError, match=message):
        make(AllToAll(), delay=delay)


def test_forbidden_delays_between_unconnected_pairs_do_not_matter():
    delay = 1.0 - np.eye(N)
    assert make(AllToAll(self_connections=False), delay=delay).delays.tolist() == [10]


# Sizes


def test_room_grows_where_targets_cluster():
    rule = DistanceDependent(1.0, 0.1, profile="uniform", source_positions=np.zeros((100, 1)),
                             target_positions=np.where(np.arange(1000) < 10, 0.0, 9.0)[:, None])
    made = make(rule, 100, 1000, None, weight=WEIGHT, delay=DELAY, bounds=[0, 10, 1000])
    assert [part.target.size for part in made.parts] == [1000, 0]
    assert same_coo(to_coo(made), to_coo(make(rule, 100, 1000, None, weight=WEIGHT, delay=DELAY)))


@pytest.mark.parametrize("rule", SWEEP)
def test_expected_of_all_targets_is_the_expected_number(rule):
    whole = rule.expected_into(0, N, N, N, None)
    assert whole == pytest.approx(rule.expected(N, N, None))
    assert whole == pytest.approx(sum(rule.expected_into(a, a + 6, N, N, None) for a in range(0, N, 6)))


def test_room_is_right_where_the_rule_knows():
    rule = Blocks([500, 500], [10, 990], [[0.9, 0.1], [0.8, 0.3]])
    planned = draft(rule, 1000, 1000, None, quantities={"weight": 0.5}, delay=1.0, bounds=[0, 1000], seed=1,
                    streams=Streams(), label="", dt=0.1, real=np.float32)
    for first, last in ((0, 10), (5, 500), (500, 1000)):
        made = pairs(make(rule, 1000, 1000, None), 1000)[:, first:last].sum()
        assert made <= planned.room(first, last) < made + 16 * math.sqrt(made) + 128


def test_wide_parts_have_wide_indices():
    made = make(FixedTotal(1000), 5, 70_000, None, bounds=[0, 65_536, 70_000])
    assert [part.target.dtype for part in made.parts] == [np.uint16, np.uint16]
    wide = make(FixedTotal(1000), 5, 70_000, None)
    assert wide.parts[0].target.dtype == np.uint32
    assert same_coo(to_coo(made), to_coo(wide))


@pytest.mark.slow
def test_long_rows_have_wide_offsets():
    for rule in (FixedOutDegree(70_000), FixedInDegree(70_000)):
        made = make(rule, 1, 1, None, delay=Integers(1, 2))
        assert made.parts[0].offsets.dtype == np.uint32
        assert made.n_synapses == 70_000
    short = make(FixedProbability(0.001), 3, 70_000, None, delay=Integers(1, 2))
    assert short.parts[0].offsets.dtype == np.uint16


@pytest.mark.slow
def test_a_long_row_behind_short_ones_has_wide_offsets(monkeypatch):
    rule = Explicit(np.repeat([0, 2], [5, 70_000]), np.zeros(70_005, int))
    whole = make(rule, 3, 1, None, delay=Integers(1, 2))
    monkeypatch.setattr(lay, "AT_A_TIME", 1)
    rows = make(rule, 3, 1, None, delay=Integers(1, 2))
    for made in (whole, rows):
        (part,) = made.parts
        assert part.offsets.dtype == np.uint32 and part.offsets[:, -1].tolist() == [5, 0, 70_000]
    assert same_coo(to_coo(whole), to_coo(rows))


@pytest.mark.slow
def test_empty_projections():
    for rule in (FixedProbability(0.0), FixedTotal(0), FixedInDegree(0), Explicit([], [])):
        for delay in (DELAY, LogNormal(3.0, 1.5, low=0.1)):
            made = make(rule, weight=WEIGHT, delay=delay, bounds=[0, 3, 3, N])
            assert made.n_synapses == 0 and made.delays.size == 0
            assert to_coo(made)[0].size == 0


@pytest.mark.parametrize("rule", [FixedTotal(200_000), FixedInDegree(200), FixedProbability(0.2)])
@pytest.mark.parametrize("delay", [1.0, *(pytest.param(each, marks=pytest.mark.slow)
                                         for each in (Integers(1, 5), LogNormal(1.0, 1.0, low=0.1)))])
def test_estimate_is_near_what_is_built(rule, delay):
    wanted = dict(quantities={"weight": WEIGHT, "u": 0.5}, delay=delay, bounds=[0, 400, 1000], dt=0.1, real=np.float32)
    made = build(rule, 1000, 1000, None, **wanted, seed=1, streams=Streams(), label="")
    held = sum(part.start.nbytes + part.target.nbytes + part.values["weight"].nbytes
               + (0 if part.offsets is None else part.offsets.nbytes) for part in made.parts)
    assert held * 0.98 <= estimate_bytes(rule, 1000, 1000, None, **wanted) <= 1.5 * held
    unpacked = 2 * made.n_synapses  # target and weight take 6 bytes
    assert estimate_bytes(rule, 1000, 1000, None, **wanted, packed=True) == pytest.approx(
        estimate_bytes(rule, 1000, 1000, None, **wanted) - unpacked, rel=0.01)


# After building


@pytest.mark.parametrize("rule", SWEEP)
def test_values_are_written_back(rule):
    made = make(rule, weight=WEIGHT, delay=DELAY, bounds=[0, 4, 19, N])
    new = np.arange(made.n_synapses, dtype=np.float32)
    set_values(made, "weight", new)
    assert np.array_equal(to_coo(made)[3]["weight"], new)
    held = made.parts[1].values["weight"]
    set_values(made, "weight", 2.0)
    assert (to_coo(made)[3]["weight"] == 2.0).all() and made.parts[1].values["weight"] is held
    with pytest.raises(ParameterError, match=f"weight must be one value per synapse, {made.n_synapses}, got"):
        set_values(made, "weight", np.zeros(made.n_synapses + 1))


def test_a_shared_number_may_become_an_array():
    made = make(FixedTotal(100), bounds=[0, 4, N])
    set_values(made, "weight", 0.25)
    assert to_coo(made)[3]["weight"] == 0.25
    set_values(made, "weight", np.arange(100.0))
    assert np.array_equal(to_coo(made)[3]["weight"], np.arange(100.0))


def test_checksum_sees_every_change():
    made = make(FixedTotal(100), weight=WEIGHT, delay=DELAY, bounds=[0, 4, N])
    first = checksum(made)
    assert first == checksum(make(FixedTotal(100), weight=WEIGHT, delay=DELAY))
    weight = to_coo(made)[3]["weight"].copy()
    weight[7] = np.nextafter(weight[7], np.float32(9))
    set_values(made, "weight", weight)
    assert checksum(made) != first
    others = [checksum(make(FixedTotal(100), delay=delay, weight=w)) for delay in (1.0, 1.1) for w in (0.1, 0.2)]
    assert len(set(others)) == 4


# What is refused


@pytest.mark.parametrize("describe, message", [
    (lambda: FixedProbability(1.5), "FixedProbability.p must be a finite number >= 0 and <= 1, got 1.5"),
    (lambda: FixedProbability(Uniform(0, 1)), "FixedProbability.p must be a finite number"),
    (lambda: FixedInDegree(2.5), "FixedInDegree.k must be a whole number >= 0, got 2.5"),
    (lambda: FixedInDegree(), "missing a required argument: 'k'; it takes k, self_connections=, multiple="),
    (lambda: FixedTotal(-1), "FixedTotal.n must be a whole number >= 0, got -1"),
    (lambda: FixedTotal(10, multiple="no"), "FixedTotal.multiple must be True or False, got 'no'"),
    (lambda: SmallWorld(3, 0.1), "SmallWorld.k must be even, got 3"),
    (lambda: Blocks([1, 0], [2], [[1], [1]]), "Blocks.source_blocks must be a sequence of whole numbers > 0, got"),
    (lambda: Blocks([1], [2], [[1, 1]]), r"Blocks.probability must have shape \(1, 1\).*, got \(1, 2\)"),
    (lambda: Blocks([1], [2], [[1.5]]), "Blocks.probability must be a 2-D array of finite numbers >= 0 and <= 1"),
    (lambda: Blocks([1], [2], [1]), "Blocks.probability must be a 2-D array"),
    (lambda: Explicit([1, 2], [1]), "Explicit.targets must have 2 entries, as many as sources, got 1"),
    (lambda: Explicit([-1], [1]), "Explicit.sources must be a 1-D array of whole numbers >= 0 and < 4.*, got an array"),
    (lambda: Explicit([0.5], [1]), "Explicit.sources must be a 1-D array of whole numbers"),
    (lambda: Convolution(np.ones((2, 3)), (1, 4, 4)), "Convolution.kernel must be a 4-D array of finite numbers, got"),
    (lambda: Convolution(np.ones((2, 3, 2, 2)), (1, 4, 4)),
     r"kernel must have the shape \(channels, 1, .* 1 channels, got \(2, 3, 2, 2\)"),
    (lambda: Convolution(np.ones((2, 1, 2, 7)), (1, 4, 4), padding=1),
     "kernel must be no larger than the picture of 6 x 6 places, padding included, got 2 x 7"),
    (lambda: Convolution(np.ones((2, 1, 2, 2)), (4, 4)), r"shape must be 3 whole numbers > 0, got \(4, 4\)"),
    (lambda: Convolution(np.ones((2, 1, 2, 2)), (1, 4, 4), stride=0), "stride must be one or 1 to 2 whole numbers > 0"),
    (lambda: Sparse([1.0, 2.0]), "Sparse.matrix must be a scipy sparse matrix or a 2-D array of finite numbers, got"),
    (lambda: Sparse([[math.nan]]), "Sparse.matrix must be .*, got an entry nan"),
    (lambda: Sparse("matrix"), "Sparse.matrix must be a scipy sparse matrix or a 2-D array"),
    (lambda: DistanceDependent(0.3, 2.0), "must have source_shape or source_positions, and not both, got neither"),
    (lambda: DistanceDependent(0.3, 0.0, source_shape=3), "DistanceDependent.lam must be a finite number > 0, got 0"),
    (lambda: DistanceDependent(0.3, 1.0, source_shape=(1, 2, 3, 4)), "must be one or 1 to 3 whole numbers > 0, or"),
    (lambda: DistanceDependent(0.3, 1.0, source_shape=(2, 2), target_shape=4), "must have as many axes on both sides"),
    (lambda: DistanceDependent(0.3, 1.0, source_shape=(2, 2), spacing=(1, 1, 1)), "spacing must be one number or 2"),
    (lambda: DistanceDependent(0.3, 1.0, source_positions=np.zeros((2, 4))), "must have 1 to 3 columns, got"),
    (lambda: DistanceDependent(0.3, 1.0, source_positions=np.zeros((2, 2)), periodic=True), "box must be given"),
    (lambda: DistanceDependent(0.3, 1.0, source_positions=[[0], [9]], periodic=True, box=5), "must hold all positions"),
])
def test_refused_descriptions(describe, message):
    with pytest.raises(ParameterError, match=message):
        describe()


@pytest.mark.parametrize("rule, sizes, message", [
    (FixedInDegree(11, multiple=False), (10, 5, None), r"FixedInDegree.k must be <= 10, the number of sources .* 11"),
    (FixedInDegree(10, multiple=False, self_connections=False), (10, 10, 0), "k must be <= 9, .*, got 10"),
    (FixedOutDegree(6, multiple=False), (10, 5, None), "FixedOutDegree.k must be <= 5, the number of targets"),
    (FixedOutDegree(1, self_connections=False), (1, 1, 0), "FixedOutDegree.k must be 0 where there are no targets"),
    (FixedTotal(51, multiple=False), (10, 5, None), "FixedTotal.n must be <= 50, the number of pairs .*, got 51"),
    (FixedTotal(1, self_connections=False), (1, 1, 0), "FixedTotal.n must be 0 where there are no pairs, got 1"),
    (OneToOne(), (3, 4, None), "OneToOne must connect populations of the same size, got 3 sources and 4 targets"),
    (SmallWorld(4, 0.1), (10, 10, None), "SmallWorld must connect a population, .*, got two populations"),
    (SmallWorld(4, 0.1), (10, 10, 3), "SmallWorld must connect a population, .*, got two parts of one"),
    (SmallWorld(4, 0.1), (10, 20, 0), "SmallWorld must connect a population, .*, got two parts of one"),
    (FixedInDegree(10, multiple=False, self_connections=False), (10, 10, 9), "k must be <= 9, .*, got 10"),
    (SmallWorld(10, 0.1), (10, 10, 0), "SmallWorld.k must be < 10, the number of neurons on the ring, got 10"),
    (Blocks([3], [4], [[0.1]]), (3, 5, None), "Blocks.target_blocks must add up to 5, .*, got a sum of 4"),
    (Explicit([0, 7], [0, 1]), (7, 2, None), "Explicit.sources must be < 7, .*, got an array that holds 7"),
    (Convolution(np.ones((2, 1, 2, 2)), (1, 4, 4)), (15, 18, None), "shape must have 15 places, as many as"),
    (Convolution(np.ones((2, 1, 2, 2)), (1, 4, 4)), (16, 9, None), r"to 18 neurons, \(2, 3, 3\) .*population of 9"),
    (Sparse(np.ones((2, 3))), (3, 2, None), r"Sparse.matrix must have shape \(3, 2\), got \(2, 3\)"),
    (DistanceDependent(0.3, 1.0, source_shape=(2, 2)), (4, 5, None), "target_shape must give 5 positions, .*, got 4"),
])
def test_refused_sizes(rule, sizes, message):
    with pytest.raises(ParameterError, match=message):
        rule.check(*sizes)
    with pytest.raises(ParameterError, match=message):
        make(rule, *sizes)


@pytest.mark.parametrize("weight, message", [
    (math.inf, "weight must be a finite number, a distribution or an array, got inf"),
    (None, "weight must be a finite number, a distribution or an array, got None"),
    ([1.0, 2.0], r"weight must be a number, .* or an array of shape \(30, 30\), got an array of shape \(2,\)"),
    (np.full((N, N), math.inf), "weight must be finite, got an array that holds inf"),
])
def test_refused_weights(weight, message):
    with pytest.raises(ParameterError, match=message):
        make(AllToAll(), weight=weight)


def test_refused_bounds_and_lengths():
    with pytest.raises(ParameterError, match="bounds must ascend from 0 to 30, got"):
        make(AllToAll(), bounds=[0, 20, 10, N])
    with pytest.raises(ParameterError, match=r"shape \(30, 30\) or \(5,\), got an array of shape \(4,\)"):
        make(EXAMPLES[Explicit][0], weight=np.ones(4))
