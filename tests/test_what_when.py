"""What and when: amplitudes become probabilities, times are learned anew, where least squares is stuck in the past."""

import numpy as np
import pytest
import scipy.linalg

import neurosim as ns
from learning_rules import WhatAndWhen, subspace_angle
from neurosim.readouts import RecursiveLeastSquares

STEPS = 20


def clock(rng, cue):
    """Return states that tell step and cue, with noise, as a population would."""
    states = np.zeros((STEPS, 2 * STEPS))
    states[np.arange(STEPS), STEPS * cue + np.arange(STEPS)] = 1.0
    return states + 0.05 * rng.standard_normal(states.shape)


def world(seed, trials, latency, probability):
    rng = np.random.default_rng(seed)
    for _ in range(trials):
        cue = rng.integers(2)
        seen = np.zeros((STEPS, 2))
        k = int(rng.random() < probability[cue])
        seen[latency[cue][k], k] = 1.0
        yield cue, clock(rng, cue), seen


BEFORE = ([(8, 12), (12, 8)], (0.85, 0.2))  # steps of stimuli 0 and 1 by cue, and how probable stimulus 1 is
AFTER = ([(12, 16), (15, 11)], (0.15, 0.8))


def answers(model, latency, probability):
    """Return for each cue and stimulus when the answer peaks and how high, and what is right."""
    found = []
    for cue in (0, 1):
        z = np.mean([model.trial(clock(np.random.default_rng(s), cue), np.zeros((STEPS, 2)), learn=False)
                     for s in range(20)], axis=0)
        for k, p in enumerate((1 - probability[cue], probability[cue])):
            found.append((z[:, k].argmax(), latency[cue][k], z[:, k].max(), p))
    return np.array(found).T


def test_it_answers_in_time_and_as_probable_and_learns_anew():
    model = WhatAndWhen(2 * STEPS, 2, context=(1, 5), memory=200, seed=1)
    for block, (latency, probability) in enumerate((BEFORE, AFTER)):
        for _, x, s in world(block, 300, latency, probability):
            model.trial(x, s)
        when, right, peak, p = answers(model, latency, probability)
        assert (when == right).all()
        assert 0.8 < np.polyfit(p, peak, 1)[0] < 1.2 and np.abs(peak - p).max() < 0.2


def test_least_squares_that_is_not_reset_stays_behind():
    read, peaks = RecursiveLeastSquares(alpha=0.1, fit_intercept=False), []
    for block, (latency, probability) in enumerate((BEFORE, AFTER)):
        for _, x, s in world(block, 300, latency, probability):
            read.partial_fit(x, s)
        for cue in (0, 1):
            z = read.predict(clock(np.random.default_rng(0), cue))
            for k, p in enumerate((1 - probability[cue], probability[cue])):
                peaks.append((z[latency[cue][k], k], p))
    z, p = np.array(peaks).T
    assert np.abs(z - p)[:4].max() < 0.15 and (z / p)[4:].mean() < 0.65


def test_a_trial_is_the_rule_read_literally():
    rng = np.random.default_rng(3)
    model = WhatAndWhen(5, 2, rate=0.3, context=(0, 2), replays=0, threshold=0.2)
    model.when = rng.standard_normal((5, 2))
    v, x, s = model.when.copy(), rng.standard_normal((8, 5)), np.zeros((8, 2))
    s[4:6, 1] = 0.9
    model.trial(x, s)
    x = x - x.mean(axis=0)  # of the only trial
    later, seen = v[:, 1].copy(), False
    for t in range(8):
        expected, present = x[t] @ v[:, 1] > 0.2, s[t, 1] > 0.2
        if present or expected:
            later = later + 0.3 * (s[t, 1] - x[t] @ later) * x[t] / (1 + x[t] @ x[t])
        seen = seen or present
        if seen:
            v[:, 1] = later
    np.testing.assert_allclose(model.when, v, atol=1e-12)  # stimulus 0 never came: its column is as it was


def test_nothing_changes_where_it_does_not_learn():
    model = WhatAndWhen(2 * STEPS, 2, context=(1, 5))
    for _, x, s in world(0, 20, *BEFORE):
        model.trial(x, s)
    kept = [each.copy() for each in (model.when, model.what, model.mean)]
    z = model.trial(x, s, learn=False)
    assert (model.trial(x, s, learn=False) == z).all() and model.trials == 20 and (z[:5] == 0).all()
    for one, other in zip(kept, (model.when, model.what, model.mean), strict=True):
        np.testing.assert_array_equal(one, other)


def test_angles_are_those_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((30, 3)), rng.standard_normal((30, 4))
    assert subspace_angle(a, b) == pytest.approx(np.degrees(scipy.linalg.subspace_angles(a, b).min()))
    assert subspace_angle(a, a @ rng.standard_normal((3, 3))) == pytest.approx(0.0, abs=1e-5)
    assert subspace_angle(np.eye(4)[:, :2], np.eye(4)[:, 2:]) == 90.0


@pytest.mark.parametrize(("make", "text"), [
    (lambda: WhatAndWhen(0, 1), "WhatAndWhen.units must be"),
    (lambda: WhatAndWhen(3, 1, rate=2.5), "WhatAndWhen.rate must be"),
    (lambda: WhatAndWhen(3, 1, context=4), "WhatAndWhen.context must be two steps"),
    (lambda: WhatAndWhen(3, 1, context=(4, 4)), r"WhatAndWhen.context\[1\] must be"),
    (lambda: WhatAndWhen(3, 1).trial(np.zeros((20, 2)), np.zeros((20, 1))), r"states must be finite, of shape \(steps"),
    (lambda: WhatAndWhen(3, 1).trial(np.zeros((5, 3)), np.zeros((5, 1))), "each, 10 or more, got 5 and 5"),
    (lambda: subspace_angle([[1.0]], [[1.0], [2.0]]), "matrices with as many rows"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()
