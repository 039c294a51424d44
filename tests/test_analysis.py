"""The measures of neurosim.analysis, beside Elephant, PySpike, powerlaw, and what can be worked out by hand.

tests/golden/analysis.npz says what those packages find; tests/analysis_reference.py made it.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from neurosim import analysis
from neurosim.errors import ParameterError

GOLDEN = Path(__file__).parent / "golden" / "analysis.npz"
MATRICES = {
    "isi_distance": analysis.isi_distance, "spike_distance": analysis.spike_distance,
    "spike_synchronization": analysis.spike_synchronization, "sttc_5": lambda s: analysis.sttc(s, 5.0),
    **{f"victor_purpura_{q}": lambda s, q=q: analysis.victor_purpura(s, q / 1000) for q in (0, 10, 1000)},
    **{f"van_rossum_{tau}": lambda s, tau=tau: analysis.van_rossum(s, float(tau)) for tau in (1, 20, 1000)},
}
DISTANCES = [name for name in MATRICES if name not in ("sttc_5", "spike_synchronization")]


@pytest.fixture(scope="module")
def golden():
    return dict(np.load(GOLDEN))


@pytest.fixture(scope="module")
def trains(golden):
    return np.split(golden["times"], np.cumsum(golden["many"])[:-1])


@pytest.fixture(scope="module")
def spikes(trains, golden):
    return ns.Spikes.from_trains(trains, duration=float(golden["duration"]))


# ---- beside other packages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATRICES)
def test_matrices_are_those_of_other_packages(name, spikes, golden):
    np.testing.assert_allclose(MATRICES[name](spikes), golden[name], rtol=1e-10, atol=1e-10)


def test_local_variations_are_those_of_elephant(spikes, golden):
    for name, found in (("cv2", analysis.cv2(spikes)), ("lv", analysis.lv(spikes)),
                        ("lvr_5", analysis.lv(spikes, refractory=5.0))):
        np.testing.assert_allclose(found[5:], golden[name], rtol=1e-10)
        assert np.isnan(found[:5]).all()


def test_correlations_are_those_of_elephant(spikes, golden):
    dense = spikes.select(range(6, 12), renumber=True)
    np.testing.assert_allclose(analysis.correlation(dense, 10.0), golden["correlation_10"], atol=1e-12)


def test_the_fano_factor_is_that_of_elephant(trains, golden):
    trials = [ns.Spikes.from_trains([train], duration=1000.0) for train in trains]
    np.testing.assert_allclose(analysis.fano(trials), [golden["fano"]], rtol=1e-12)


def test_the_correlogram_is_that_of_elephant(trains, golden):
    """Elephant compares numbers of bins, so both trains are first put into the middles of bins of 1 ms."""
    one, other = (ns.Spikes.from_trains([np.floor(train) + 0.5], duration=1000.0) for train in (trains[8], trains[9]))
    lags, counts = analysis.correlogram(one, other, reach=20.0)
    assert np.array_equal(lags, golden["correlogram_lags"]) and np.array_equal(counts, golden["correlogram"])


def test_the_psth_is_that_of_elephant(trains, golden):
    trials = [ns.Spikes.from_trains([train], duration=1000.0) for train in trains]
    edges, rates = analysis.psth(trials, 50.0)
    last = 1000.0 / len(trains) / 50.0  # the spike at 1000 ms, which bins that are open on the right leave out
    np.testing.assert_allclose(rates - last * (edges[1:] == 1000.0), golden["psth_50"], rtol=1e-10)


def test_the_spike_triggered_average_is_that_of_elephant(trains, golden):
    spikes = ns.Spikes.from_trains([np.unique(np.ceil(trains[8]))], duration=1000.0)
    lags, found = analysis.spike_triggered_average(spikes, np.arange(1000.0), golden["signal"], before=15.0, after=5.0)
    np.testing.assert_allclose(lags, golden["sta_lags"], atol=1e-9)
    np.testing.assert_allclose(found[0], golden["sta"], rtol=1e-10)


@pytest.mark.parametrize("kind", ["continuous", "discrete"])
def test_power_laws_are_those_of_powerlaw(kind, golden):
    values = golden[f"{kind}_values"]
    free = analysis.power_law(values, discrete=kind == "discrete")
    held = analysis.power_law(values, x_min=4.0, discrete=kind == "discrete")
    near = 1e-9 if kind == "continuous" else 5e-4  # its search for a discrete exponent stops early
    np.testing.assert_allclose([free.exponent, free.x_min, free.distance], golden[f"{kind}_free"], rtol=near)
    np.testing.assert_allclose([held.exponent, held.x_min, held.distance], golden[f"{kind}_held"], rtol=near)


# ---- what must hold of all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATRICES)
def test_neither_time_nor_threads_nor_order_change_a_matrix(name, trains):
    spikes = ns.Spikes.from_trains([np.ceil(10 * train) / 10 for train in trains], duration=1000.0, dt=0.1)
    found = MATRICES[name](spikes)
    assert np.array_equal(found, MATRICES[name](spikes.shift(1e9)), equal_nan=True)
    back = MATRICES[name](spikes.select(range(12)[::-1], renumber=True))[::-1, ::-1]
    np.testing.assert_allclose(found, back, atol=1e-12)


def test_threads_share_the_rows():
    generator = np.random.default_rng(2)
    many = ns.Spikes.from_trains([np.sort(generator.uniform(0.1, 100.0, 7)) for _ in range(70)], duration=100.0)
    one, two = (analysis.spike_distance(many, threads=k) for k in (1, 2))
    assert np.array_equal(one, two) and np.array_equal(one, one.T) and (one[~np.eye(70, dtype=bool)] > 0).all()


@pytest.mark.parametrize("name", MATRICES)
def test_neurons_that_nobody_watched_are_unknown(name, spikes):
    part = spikes.select([1, 7, 9])
    found = MATRICES[name](part)
    watched = np.isin(np.arange(12), [1, 7, 9])
    assert np.isnan(found[~watched]).all() and np.isnan(found[:, ~watched]).all()
    expected = MATRICES[name](spikes)[np.ix_(watched, watched)]
    np.testing.assert_allclose(found[np.ix_(watched, watched)], expected, rtol=1e-12, atol=1e-12)


TRAIN = st.lists(st.integers(1, 40), max_size=8).map(sorted)


@settings(max_examples=60, deadline=None)
@given(st.lists(TRAIN, min_size=2, max_size=4))
def test_any_trains_of_ticks_have_distances(trains):
    """Silent trains, several spikes at one tick, spikes at the end: finite, symmetric, 0 for equal ones."""
    spikes = ns.Spikes.from_trains([np.array(train, float) for train in trains], duration=40.0, dt=1.0)
    for name in DISTANCES:
        found = MATRICES[name](spikes)
        assert np.isfinite(found).all() and (found >= 0).all() and np.array_equal(found, found.T)
        for i, one in enumerate(trains):
            for j, other in enumerate(trains):
                if one == other:
                    assert found[i, j] == 0
    shared = analysis.spike_synchronization(spikes)
    assert ((shared >= 0) & (shared <= 1)).all()


@settings(max_examples=60, deadline=None)
@given(TRAIN, TRAIN)
def test_van_rossum_is_the_integral_of_its_definition(one, other):
    spikes = ns.Spikes.from_trains([np.array(one, float), np.array(other, float)], duration=40.0, dt=1.0)
    a, b = np.array(one, float), np.array(other, float)

    def overlap(x, y):
        return np.exp(-np.abs(x[:, None] - y) / 3.0).sum()

    squares = overlap(a, a) + overlap(b, b) - 2 * overlap(a, b)
    assert analysis.van_rossum(spikes, 3.0)[0, 1] ** 2 == pytest.approx(squares, abs=1e-10)


@settings(max_examples=60, deadline=None)
@given(TRAIN, TRAIN, st.integers(4, 80).map(lambda k: 0.25 * k))  # a window is told to a millionth of a tick
def test_coincidences_are_those_of_their_definition(one, other, window):
    a, b = (np.unique(each).astype(float) for each in (one, other))

    def nearest_interval(train, k):
        return min(np.diff(train)[max(k - 1, 0):k + 1], default=np.inf)

    def coincide(k, l):
        apart = abs(a[k] - b[l])
        half = min(nearest_interval(a, k) / 2, nearest_interval(b, l) / 2, 20.0, window)
        return apart == 0 or apart < half

    pairs = [(k, l) for k in range(len(a)) for l in range(len(b)) if coincide(k, l)]
    share = (len({k for k, _ in pairs}) + len({l for _, l in pairs})) / (len(a) + len(b)) if len(a) + len(b) else 1.0
    spikes = ns.Spikes.from_trains([a, b], duration=40.0, dt=1.0)
    assert analysis.spike_synchronization(spikes, window=window)[0, 1] == pytest.approx(share)


# ---- closed forms --------------------------------------------------------------------------------------------------


def poisson(rate, n, seconds, seed):
    generator = np.random.default_rng(seed)
    duration = seconds * 1000.0
    return ns.Spikes.from_trains([np.sort(generator.uniform(1e-9, duration, generator.poisson(rate * seconds)))
                                  for _ in range(n)], duration=duration)


def test_poisson_trains_have_the_variation_of_poisson_trains():
    spikes = poisson(20.0, 40, 100.0, 4)
    for found in (analysis.cv2(spikes), analysis.lv(spikes), analysis.fano(spikes, width=500.0)):
        assert found.mean() == pytest.approx(1.0, abs=5 * found.std() / math.sqrt(40) + 0.002)


def test_regular_trains_have_none():
    spikes = ns.Spikes.from_trains([np.arange(10.0, 1001.0, 10.0)], duration=1000.0)
    assert analysis.cv2(spikes)[0] == analysis.lv(spikes)[0] == analysis.fano(spikes, width=100.0)[0] == 0


def test_the_correlogram_of_independent_trains_is_flat_and_a_shared_source_shows_its_delay():
    a, b = poisson(30.0, 20, 60.0, 5), poisson(30.0, 20, 60.0, 6)
    lags, flat = analysis.correlogram(a, b, reach=40.0, width=2.0, relative=True)
    expected = len(a) * len(b) * 2.0 / 60_000.0
    assert np.abs(flat - 1).max() < 5 / math.sqrt(expected)
    late = ns.Spikes.from_times(a.times + 7.0, a.ids, size=20, duration=60_007.0).between(0.0, 60_000.0)
    lags, counts = analysis.correlogram(a, late, pairs=[(k, k) for k in range(20)], reach=40.0, width=2.0)
    assert (lags[counts.argmax(axis=1)] == 8.0).all() or (np.abs(lags[counts.argmax(axis=1)] - 7.0) <= 1.0).all()


def test_correlograms_of_pairs_add_up_to_those_of_all():
    spikes = poisson(30.0, 6, 5.0, 7)
    _, everything = analysis.correlogram(spikes, reach=20.0)
    each = [(i, j) for i in range(6) for j in range(6) if i != j]
    _, by_pair = analysis.correlogram(spikes, pairs=each, reach=20.0)
    assert np.array_equal(by_pair.sum(axis=0), everything) and np.array_equal(everything, everything[::-1])
    _, own = analysis.autocorrelogram(spikes, reach=20.0)
    by_hand = np.zeros(41)
    for train in spikes.trains():
        lags = np.subtract.outer(train, train)[~np.eye(len(train), dtype=bool)]
        by_hand += np.histogram(lags, np.arange(-20.5, 21.0))[0]
    assert np.array_equal(own.sum(axis=0), by_hand)


def test_lags_on_the_grid_are_exact():
    a = ns.Spikes(ticks=[3], ids=[0], size=1, duration=1.0, dt=0.1)
    b = ns.Spikes(ticks=[1, 2, 3, 4, 6], ids=[0] * 5, size=1, duration=1.0, dt=0.1)
    for start in (0.0, 123_456.7):
        _, counts = analysis.correlogram(a.shift(start), b.shift(start), reach=0.3, width=0.1)
        assert counts.tolist() == [0, 1, 1, 1, 1, 0, 1]


def test_synchrony_of_equal_and_of_independent_trains():
    one = poisson(20.0, 1, 50.0, 8)
    assert analysis.synchrony(one.stack(*[one] * 9), 5.0) == pytest.approx(1.0)
    assert analysis.synchrony(poisson(20.0, 100, 50.0, 9), 5.0) == pytest.approx(0.1, rel=0.1)
    t = np.linspace(0, 40, 4000)
    assert analysis.synchrony(np.stack([np.sin(t), np.sin(t + 1)], axis=1)) == pytest.approx(math.cos(0.5), rel=0.01)
    assert math.isnan(analysis.synchrony(one.select([]).replace(ids=[], times=[]), 5.0))


def test_coherence_of_a_signal_in_noise():
    """y = x + n of the same power has the coherence 1/2 at every frequency."""
    generator = np.random.default_rng(10)
    x, noise = generator.normal(size=(2, 400_000))
    frequencies, found = analysis.coherence(x, x + noise, width=2.0, segment=256.0)
    assert frequencies[-1] == 250.0 and found[1:-1].mean() == pytest.approx(0.5, abs=0.01)


def test_coherence_of_trains_that_share_a_rhythm():
    t = np.arange(0.5, 60_000.0)
    generator = np.random.default_rng(11)
    rate = 0.02 * (1 + np.sin(2 * np.pi * 40.0 * t / 1000))
    one, other = (_drawn(generator, t, rate) for _ in range(2))
    frequencies, found = analysis.coherence(one, other)
    assert frequencies[found.argmax()] == 40.0 and np.median(found) < 0.05


def _drawn(generator, t, rate):
    counts = generator.poisson(rate)
    return ns.Spikes.from_times(np.repeat(t, counts), np.zeros(counts.sum(), int), size=1, duration=60_000.0)


def test_trials_are_aligned_with_their_events():
    spikes = ns.Spikes(ticks=[95, 105, 300, 310], ids=[0, 1, 0, 1], size=2, duration=50.0, dt=0.1)
    found = analysis.trials(spikes, [10.0, 30.0], before=1.0, after=1.0)
    assert [each.times.round(6).tolist() for each in found] == [[-0.5, 0.5], [0.0, 1.0]]
    edges, rates = analysis.psth(found, 0.5, per_neuron=True)
    assert edges.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert rates.tolist() == [[1000.0, 0.0], [1000.0, 0.0], [0.0, 1000.0], [0.0, 1000.0]]


def test_the_average_before_a_spike_finds_the_filter_of_a_linear_neuron():
    """Bussgang: a neuron that fires where a filtered white stimulus is high has its filter as average."""
    generator = np.random.default_rng(12)
    stimulus = generator.normal(size=(200_000, 2))
    kernel = np.exp(-np.arange(20) / 5.0)
    drive = np.convolve(stimulus[:, 1], kernel)[:len(stimulus)]
    at = np.flatnonzero(drive > 2.0 * drive.std())
    spikes = ns.Spikes(ticks=at, ids=np.ones(len(at), int), size=3, duration=200_000.0, dt=1.0, start=-1.0)
    lags, found = analysis.spike_triggered_average(spikes, np.arange(200_000.0), stimulus, before=19.0, after=5.0)
    assert found.shape == (3, 25, 2) and np.isnan(found[[0, 2]]).all()
    scale = found[1, lags == 0, 1]
    np.testing.assert_allclose(found[1, :20, 1][::-1] / scale, kernel, atol=0.03)
    assert np.abs(found[1, :, 0]).max() < 0.03 and np.abs(found[1, 20:, 1]).max() < 0.1


def test_avalanches_of_a_critical_branching_process():
    """Sizes have the exponent 3/2 and durations 2, up to where the run of the simulation cuts them off."""
    generator = np.random.default_rng(13)
    sizes, durations = [], []
    for _ in range(20_000):
        now, size, steps = 1, 0, 0
        while now and size < 3000:
            size, steps, now = size + now, steps + 1, generator.poisson(now)
        sizes.append(size)
        durations.append(steps)
    whole = np.array(sizes) < 3000
    found = analysis.power_law(np.array(sizes)[whole], x_min=10, x_max=1000)
    assert found.exponent == pytest.approx(1.5, abs=4 * found.error)
    assert analysis.power_law(np.array(durations)[whole], x_min=10, x_max=60).exponent == pytest.approx(2.0, abs=0.25)


def test_avalanches_lie_between_silent_bins():
    ticks = [1, 12, 13, 13, 15, 30, 38, 50]
    spikes = ns.Spikes(ticks=ticks, ids=[0] * 8, size=1, duration=50.0, dt=1.0)
    found = analysis.avalanches(spikes, 2.0)
    assert found.sizes.tolist() == [4, 1, 1] and found.durations.tolist() == [3, 1, 1]
    assert found.starts.tolist() == [10.0, 28.0, 36.0] and len(found) == 3
    assert analysis.avalanches(spikes).width == 7.0
    assert "3 avalanches in bins of 2 ms, the largest of 4 spikes" in repr(found)


@pytest.mark.parametrize("discrete", [False, True])
def test_the_p_value_tells_a_power_law_from_another(discrete):
    generator = np.random.default_rng(14)
    sets = [generator.zipf(2.5, 800) if discrete else generator.pareto(1.5, 800) + 1 for _ in range(4)]
    other = np.ceil(generator.exponential(8.0, 800)).astype(int) if discrete else generator.exponential(1.0, 800) + 0.5
    assert np.mean([analysis.power_law(each, x_min=1).p_value(20) for each in sets]) > 0.2  # 1/2 in the long run
    assert analysis.power_law(other, x_min=1).p_value(30) < 0.1


def test_a_thousand_trains():
    """Half a million pairs, whose matrix is made by compiled loops alone."""
    spikes = poisson(10.0, 1000, 1.0, 15)
    for measure in (analysis.isi_distance, analysis.spike_distance, lambda s: analysis.van_rossum(s, 10.0)):
        found = measure(spikes)
        assert found.shape == (1000, 1000) and np.isfinite(found).all()


# ---- mistakes ------------------------------------------------------------------------------------------------------

GRID = ns.Spikes(ticks=[3], ids=[0], size=1, duration=10.0, dt=0.1)
WRONG = {
    "an array for spikes": (lambda s: analysis.cv2(np.zeros(3)), r"cv2.spikes must be a Spikes, such as sim.spikes"),
    "one recording for trials": (lambda s: analysis.psth(s, 1.0), "psth.trials must be a list of Spikes, .*one Spikes"),
    "trials of other sizes": (lambda s: analysis.fano([s, s.select([1], renumber=True)]), "of one size, got 12 and 1"),
    "one trial": (lambda s: analysis.fano([s]), "two trials or more"),
    "no width": (lambda s: analysis.correlation(s, 0.0), "correlation.width must be a finite number > 0 ms"),
    "negative tau": (lambda s: analysis.van_rossum(s, -1.0), "van_rossum.tau must be a finite number > 0 ms"),
    "negative cost": (lambda s: analysis.victor_purpura(s, -1.0), "victor_purpura.cost must be a finite number >= 0"),
    "infinite cost": (lambda s: analysis.victor_purpura(s, math.inf), "victor_purpura.cost must be a finite number"),
    "no window": (lambda s: analysis.spike_distance(s.between(0.0, 0.0)), "a window longer than 0 ms"),
    "no threads": (lambda s: analysis.isi_distance(s, threads=0), "isi_distance.threads must be a whole number >= 1"),
    "width off the grid": (lambda s: analysis.correlogram(GRID, width=0.25), "multiple of dt = 0.1 ms"),
    "reach below the width": (lambda s: analysis.correlogram(s, reach=0.5), "reach must be 1 to 1e7 widths of 1 ms"),
    "other windows": (lambda s: analysis.correlogram(s, s.between(0.0, 10.0)), "target must have the duration"),
    "pairs beyond": (lambda s: analysis.correlogram(s, pairs=[(0, 12)]), r"pairs must be neurons in 0 \.\. 11"),
    "pairs as a row": (lambda s: analysis.correlogram(s, pairs=[0, 1]), r"integers of shape \(n, 2\)"),
    "no width of spikes": (lambda s: analysis.synchrony(s), "synchrony.width must be the width of a bin"),
    "width of traces": (lambda s: analysis.synchrony(np.zeros((3, 2)), 1.0), "width must be None for traces"),
    "short signals": (lambda s: analysis.coherence(np.zeros(99), np.zeros(99)), "the signals two segments, got 1000"),
    "signals of two lengths": (lambda s: analysis.coherence(s, np.zeros(9)), "one length, got 1000 and 9 bins"),
    "events too early": (lambda s: analysis.trials(s, [1.0], 5.0, 5.0), "5 ms behind the beginning.*got 1 ms"),
    "one event": (lambda s: analysis.trials(s, 100.0, 5.0, 5.0), "events must be times in ms, one for each trial"),
    "a signal without times": (lambda s: analysis.spike_triggered_average(s, np.zeros(3), np.zeros(4), before=1.0),
                               r"with a time for each.*got \(4,\) and times \(3,\)"),
    "uneven times": (lambda s: analysis.spike_triggered_average(s, [0.0, 1.0, 3.0], np.zeros(3), before=1.0),
                     "evenly spaced"),
    "silent avalanches": (lambda s: analysis.avalanches(s.select([0])), "avalanches.width must be given"),
    "values below 0": (lambda s: analysis.power_law([1.0, -1.0]), "finite numbers > 0"),
    "few values": (lambda s: analysis.power_law([1.0, 2.0]), "10 values or more"),
    "no whole numbers": (lambda s: analysis.power_law([1.5] * 20, discrete=True), "whole numbers where discrete"),
    "too large": (lambda s: analysis.isi_distance(ns.Spikes(ticks=[], ids=[], size=30_000, duration=1.0, dt=1.0)),
                  "isi_distance must give an array of at most 4 GiB"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_answered_by_one_sentence(name, spikes):
    act, message = WRONG[name]
    with pytest.raises(ParameterError, match=message) as caught:
        act(spikes)
    assert "\n" not in str(caught.value)
