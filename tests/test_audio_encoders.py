"""The simpler ears: mel bands beside SciPy's spectrum, crossings beside their lines, filters beside their equation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from neurosim.encoders import LevelCrossingEncoder, MelEncoder, SiliconCochlea
from neurosim.encoders.audio.resampling import resampled
from neurosim.errors import ParameterError

PLAIN = {"level": None, "ramp": 0.0, "dt": None}
EARS = [MelEncoder(20, **PLAIN), LevelCrossingEncoder(9, **PLAIN), SiliconCochlea(16, mismatch=0.1, **PLAIN)]


def tone(frequency, rate=16_000, seconds=0.5, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


def noise(n=8000, seed=0):
    return 0.3 * np.random.default_rng(seed).normal(size=n)


# ---- all of them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ear", EARS, ids=repr)
@given(cuts=st.lists(st.integers(0, 8000), max_size=6), dt=st.sampled_from([None, 1.0, 3.0]))
@settings(deadline=None, max_examples=15)
def test_pieces_give_the_spikes_of_the_whole(ear, cuts, dt):
    ear = ear.replace(dt=dt)
    whole, listening = ear.encode(noise(), 16_000), ear.listen(16_000)
    parts = [listening.feed(piece) for piece in np.split(noise(), sorted(cuts))] + [listening.end()]
    assert len(whole) > 100
    assert np.array_equal(np.concatenate([part.times for part in parts]), whole.times)
    assert np.array_equal(np.concatenate([part.ids for part in parts]), whole.ids)
    assert parts[-1].stop == pytest.approx(whole.duration)


@pytest.mark.parametrize("ear", EARS, ids=repr)
def test_a_sound_has_the_same_spikes_at_any_rate(ear):
    found = [len(ear.encode(tone(440.0, rate), rate)) for rate in (8000, 16_000, 44_100, 48_000)]
    assert min(found) > 20 and max(found) - min(found) < 0.05 * min(found)


@pytest.mark.parametrize("ear", EARS, ids=repr)
def test_they_draw_nothing_and_say_what_is_wrong(ear):
    assert ear.encode(noise(), 16_000, seed=1) == ear.encode(noise(), 16_000, seed=2, key=3)
    name = type(ear).__name__
    with pytest.raises(ParameterError, match=rf"{name}\.audio must be finite numbers, sample 0 is nan"):
        ear.encode([np.nan], 8000)
    with pytest.raises(ParameterError, match=rf"{name}\.audio must not be silent"):
        ear.replace(level=0.3).encode(np.zeros(100), 8000)
    assert len(ear.encode(np.zeros(4000), 8000)) == 0


# ---- mel bands ------------------------------------------------------------------------------------------------------


def test_mel_levels_follow_the_energies_of_the_bands():
    ear = MelEncoder(24, threshold=2.0, **PLAIN)
    sound = noise(6400) * np.linspace(0.01, 1, 6400)
    spikes = ear.encode(sound, 16_000)
    _, _, spectrum = signal.stft(np.concatenate([np.zeros(240), sound]), 16_000, np.hanning(402)[1:-1], 400, 240,
                                 nfft=512, boundary=None, padded=False, scaling="spectrum")
    energy = 10 * np.log10(np.maximum(ear.triangles(512) @ np.abs(2 * spectrum) ** 2, 1e-5))
    steps = np.zeros((40, 48))
    np.add.at(steps, (np.rint(spikes.times / 10).astype(int) - 1, spikes.ids), 1)
    levels = np.cumsum(steps[:, :24] - steps[:, 24:], axis=0).T * 2.0 - 50.0
    assert energy.shape == levels.shape
    assert np.abs(levels - energy).max() < 2.0 and np.ptp(levels) > 20


def test_a_tone_is_loudest_in_its_mel_band():
    ear = MelEncoder(30, **PLAIN)
    counts = ear.encode(tone(1000.0), 16_000).counts()
    mel = 2595 * np.log10(1 + np.array([100.0, 1000.0, 4000.0]) / 700)
    assert abs(counts[:30].argmax() - ((mel[1] - mel[0]) / (mel[2] - mel[0]) * 31 - 1)) < 1.1


@pytest.mark.parametrize("make, message", [
    (lambda: MelEncoder(f_min=4000.0), r"MelEncoder\.f_min must be < f_max = 4000 Hz, got 4000"),
    (lambda: MelEncoder(hop=0.1), r"MelEncoder\.hop must be a whole number of samples of 1/16 ms, .* got 0\.1"),
    (lambda: MelEncoder(hop=30.0), r"MelEncoder\.hop must be .* at most the window of 25 ms, got 30\.0"),
    (lambda: MelEncoder(0), r"MelEncoder\.bands must be a whole number >= 1"),
    (lambda: SiliconCochlea(f_min=10_000.0), r"SiliconCochlea\.f_min must be < f_max"),
    (lambda: SiliconCochlea(t_ref=0.0), r"SiliconCochlea\.t_ref must be a finite number >= 0\.05 ms"),
])
def test_parameters_that_do_not_fit_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


# ---- crossings ------------------------------------------------------------------------------------------------------


def test_a_sine_crosses_each_level_twice_a_period_at_the_times_of_its_inverse():
    ear, f = LevelCrossingEncoder(3, **PLAIN), 100.0
    spikes = ear.encode(tone(f, 40_000, 0.1, 0.8), 40_000)
    for k, level in enumerate((-0.5, 0.0, 0.5)):
        rise = np.arcsin(level / 0.8) / (2 * np.pi * f) * 1e3 + np.arange(-1, 12) * 10
        fall = 5 - np.arcsin(level / 0.8) / (2 * np.pi * f) * 1e3 + np.arange(-1, 12) * 10
        for neuron, expected in ((k, rise), (3 + k, fall)):
            expected = expected[(expected > 0.01) & (expected < 99.9)] + 0.025  # a sample is told at its end
            found = spikes.times[spikes.ids == neuron]
            assert len(found) == len(expected) and np.abs(found - expected).max() < 0.003


@given(st.lists(st.floats(-2, 2, exclude_min=True), min_size=1, max_size=200))
@settings(deadline=None, max_examples=60)
def test_crossings_tell_between_which_levels_the_sound_is(samples):
    ear = LevelCrossingEncoder(7, **PLAIN)
    spikes = ear.encode(np.array(samples) + 0.0, 40_000)
    levels = 2 * np.arange(1, 8) / 8 - 1
    change = np.where(spikes.ids < 7, 1, -1)
    for k in range(len(samples)):
        above = np.count_nonzero(levels <= 0.0) + change[spikes.times <= 0.025 * (k + 1) + 1e-9].sum()
        assert above == np.count_nonzero(levels <= samples[k])


# ---- filters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 3000.0])
def test_a_channel_of_the_silicon_cochlea_has_the_rate_of_its_filter(frequency):
    """A sine of amplitude A charges by gain A |H|^2 / pi a second, as the mean of its upper half is A / pi."""
    ear = SiliconCochlea(8, f_min=200.0, f_max=4000.0, t_ref=0.05, gain=2000.0, **PLAIN)
    rates = ear.encode(tone(frequency, 40_000, 2.0), 40_000).rates()
    s, w = 2j * np.pi * frequency, 2 * np.pi * ear.frequencies
    gain = np.abs((w / ear.quality * s / (s**2 + w / ear.quality * s + w**2)) ** 2)
    expected = 2000 * 0.5 * gain / np.pi
    strong = expected > 10
    assert strong.sum() >= 2
    assert rates[strong] == pytest.approx(expected[strong], rel=0.1)


def test_a_channel_is_a_biquad_twice_and_a_neuron():
    ear = SiliconCochlea(1, f_min=500.0, f_max=501.0, t_ref=0.5, gain=9000.0, **PLAIN)
    sound = 3 * noise(4000)
    w = 2 * np.pi * 501.0 / 40_000
    alpha = np.sin(w) / 8
    filtered = resampled(sound, 40_000, 40_000)
    for _ in range(2):
        filtered = signal.lfilter([alpha, 0, -alpha], [1 + alpha, -2 * np.cos(w), 1 - alpha], filtered)
    u, rest, expected = 0.0, 0, []
    for k, z in enumerate(filtered):
        if rest:
            rest -= 1
        elif z > 0:
            charge = 9000 / 40_000 * z
            if u + charge >= 1:
                expected.append(0.025 * k + 0.025 * (1 - u) / charge)
                u, rest = 0.0, 20
            else:
                u += charge
    found = ear.encode(sound, 40_000).times
    assert len(found) == len(expected) > 5 and np.abs(found - expected).max() <= 1.01e-3


def test_thresholds_belong_to_the_device():
    one, other = (SiliconCochlea(500, mismatch=0.1, device_seed=seed).thresholds() for seed in (1, 2))
    assert not np.array_equal(one, other) and one.std() == pytest.approx(0.1, rel=0.15)
    assert np.array_equal(SiliconCochlea(500, mismatch=0.1, device_seed=1).thresholds(), one)
