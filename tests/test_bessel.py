"""Bessel filters: what passes, how late, and what that does to a decoder."""

import numpy as np
import pytest

from neurosim.errors import ParameterError
from neurosim.readouts import bessel

DT = 4.0


def r2(found, right):
    return 1.0 - ((found - right) ** 2).sum() / ((right - right.mean(0)) ** 2).sum()


@pytest.mark.parametrize("mode", ["causal", "zero_phase", "block"])
def test_constants_pass_and_fast_changes_do_not(mode):
    assert np.allclose(bessel(np.full((60, 2, 3), 2.5), 3.0, DT, mode=mode), 2.5, atol=1e-9)
    t = np.arange(4000) * DT / 1000
    fast = bessel(np.sin(2 * np.pi * 60 * t), 3.0, DT, mode=mode, block=400)
    assert np.abs(fast[1000:3000]).max() < 0.01


def test_how_late_each_comes():
    """The step response of a causal filter of flat delay is late by its phase at the cutoff; zero-phase is not."""
    t = np.arange(5000) * DT / 1000
    slow = np.sin(2 * np.pi * 0.5 * t)
    shifts = np.arange(-100, 101)

    def lag(mode, block=16):
        made = bessel(slow, 3.0, DT, mode=mode, block=block)[1000:4000]
        return shifts[np.argmax([made @ slow[1000 - s:4000 - s] for s in shifts])]

    assert lag("zero_phase") == 0 and abs(lag("block", 200)) <= 1
    # norm="phase": the phase is order pi / 4 at the cutoff, so that a flat delay is order / (8 cutoff)
    assert lag("causal") == pytest.approx(4 / (8 * 3.0) / (DT / 1000), abs=2)
    assert 0 < lag("block", 10) < lag("causal")


def test_looking_further_ahead_approaches_zero_phase():
    values = np.random.default_rng(1).normal(size=(1500, 2))
    full = bessel(values, 3.0, DT)[400:-400]
    away = [np.abs(bessel(values, 3.0, DT, mode="block", block=n)[400:-400] - full).max() for n in (8, 32, 128, 300)]
    assert away == sorted(away, reverse=True) and away[-1] < 1e-3 * np.abs(full).max()


def test_zero_phase_helps_a_decoder_and_a_causal_filter_ruins_it():
    """Velocity of 1 Hz, 96 cosine-tuned Poisson channels, a leaky filter and ridge regression."""
    rng = np.random.default_rng(2)
    velocity = bessel(rng.normal(size=(15000, 2)), 1.0, DT)
    velocity /= velocity.std(0)
    angle = rng.uniform(0, 2 * np.pi, 96)
    rate = np.clip(20.0 * (1.0 + 0.8 * velocity @ np.stack([np.cos(angle), np.sin(angle)])), 0, None)
    counts = rng.poisson(rate * DT / 1000).astype(float)
    traces = np.empty_like(counts)
    state = np.zeros(96)
    for k, now in enumerate(counts):
        state = 0.96 * state + now
        traces[k] = state
    X = np.column_stack([traces, np.ones(len(traces))])
    weights = np.linalg.solve(X[:9000].T @ X[:9000] + np.eye(97), X[:9000].T @ velocity[:9000])
    out, right = X[9000:] @ weights, velocity[9000:]
    raw, full, causal = (r2(each, right) for each in (out, bessel(out, 3.0, DT), bessel(out, 3.0, DT, mode="causal")))
    block = [r2(bessel(out, 3.0, DT, mode="block", block=n), right) for n in (16, 128)]
    assert full > raw > causal and full > raw + 0.005
    assert block[0] < block[1] < full + 1e-3


def test_nothing_stays_nothing():
    assert bessel(np.zeros((0, 2)), 3.0, DT).shape == (0, 2)


@pytest.mark.parametrize(("options", "message"), [
    ({"cutoff": 125.0}, "cutoff must be a finite number > 0 and < 125 Hz, got 125"),
    ({"mode": "both"}, "mode must be 'causal', 'zero_phase' or 'block', got 'both'"),
    ({"block": 0}, "block must be a whole number >= 1, got 0"),
    ({"values": [np.nan]}, "values must be finite numbers"),
])
def test_bad_input_gets_one_sentence(options, message):
    with pytest.raises(ParameterError, match=message):
        bessel(**{"values": np.ones(9), "cutoff": 3.0, "dt": DT} | options)
