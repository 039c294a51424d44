"""Segments with few synapses: false matches and lost inputs are hypergeometric, in tables and in the core."""

from math import comb

import numpy as np
import pytest

import neurosim as ns
from learning_rules import ActiveDendrites

N, ACTIVE = 200, 40
RULE = ActiveDendrites(synapses=12, threshold=6)


def random_patterns(count, seed, n=N, active=ACTIVE):
    rng = np.random.default_rng(seed)
    return np.argsort(rng.random((count, n)), axis=1) < active


def test_the_probability_is_the_sum_of_its_definition():
    n, a, s = N, ACTIVE, 12
    direct = sum(comb(s, b) * comb(n - s, a - b) for b in range(6, s + 1)) / comb(n, a)
    assert RULE.false_match(n, a) == pytest.approx(direct, rel=1e-12)
    kept = sum(comb(s, b) * comb(a - s, 25 - b) for b in range(6, s + 1)) / comb(a, 25)
    assert RULE.recognised(a, 25) == pytest.approx(kept, rel=1e-12)
    assert RULE.recognised(a, a) == 1.0 and RULE.recognised(a, 5) == 0.0


def test_counted_mistakes_are_the_formula():
    segments = RULE.segments(random_patterns(100, 0))
    found = RULE.active(segments, random_patterns(4000, 1))
    p = RULE.false_match(N, ACTIVE)  # 0.02
    by_segment = found.mean(axis=0)
    assert found.mean() == pytest.approx(p, rel=0.05)
    assert np.abs(by_segment - p).max() < 5 * np.sqrt(p * (1 - p) / 4000)


def test_what_is_left_of_a_pattern_is_known_as_the_formula_says():
    patterns = random_patterns(300, 2)
    segments, rng = RULE.segments(patterns, seed=3), np.random.default_rng(4)
    left = patterns & (np.argsort(np.argsort(np.where(patterns, rng.random(patterns.shape), 2.0))) < 20)
    assert (left.sum(axis=1) == 20).all()
    p = RULE.recognised(ACTIVE, 20)
    assert 0.3 < p < 0.7
    assert np.diag(RULE.active(segments, left)).mean() == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / 300))


def test_segments_are_synapses_on_active_inputs():
    patterns = random_patterns(50, 5)
    segments = RULE.segments(patterns, seed=1)
    assert segments.shape == (50, 12) and (np.diff(segments, axis=1) > 0).all()
    assert np.take_along_axis(patterns, segments, axis=1).all()
    assert (segments != RULE.segments(patterns, seed=2)).any()


@pytest.mark.slow
def test_neurons_of_the_core_are_these_segments():
    patterns, shown = random_patterns(30, 6), random_patterns(200, 7)
    shown[:30] = patterns
    segments = RULE.segments(patterns)
    at, ids = np.nonzero(shown)
    spikes = ns.Spikes.from_times(1.0 + 20.0 * at, ids, size=N, duration=4010.0)
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(spikes), name="inputs")
    cells = net.add(ns.LIF(tau_mem=1.0, v_leak=0.0, v_reset=0.0, v_threshold=RULE.threshold - 0.5), 30, name="cells")
    net.connect(inputs, cells, RULE.rule(segments), weight=1.0, delay=1.0)
    net.record(cells)
    sim = ns.Simulation(net, dt=1.0)
    sim.run(4010.0)
    found = np.zeros((200, 30), bool)
    found[(sim.spikes(cells).times.round().astype(int) - 2) // 20, sim.spikes(cells).ids] = True
    np.testing.assert_array_equal(found, RULE.active(segments, shown))


@pytest.mark.parametrize(("make", "text"), [
    (lambda: ActiveDendrites(synapses=5, threshold=6), "threshold must be <= 5, the synapses of a segment, got 6"),
    (lambda: RULE.segments(np.zeros((2, 9), bool)), "each pattern must have 12 active inputs or more"),
    (lambda: RULE.segments(np.zeros((2, 9))), "patterns must be bool of shape"),
    (lambda: RULE.overlaps([[0, 99]], np.ones((1, 9), bool)), "segments must be whole numbers of inputs"),
    (lambda: RULE.false_match(5, 2), "false_match.n must be"),
    (lambda: RULE.recognised(40, 41), "recognised.kept must be"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()
