"""The ramp converter against closed forms, an independent Monte Carlo, and its own contract."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.ramp_adc import FUNCTIONS, Function, RampADC, inl_trials, lstm
from neurosim.errors import ParameterError

GOLDEN = json.loads((Path(__file__).parent / "golden" / "nladc_inl.json").read_text(encoding="utf-8"))
INVERSES = {"sigmoid": lambda y: np.log(y / (1 - y)), "tanh": np.arctanh, "linear": lambda y: y,
            "softplus": lambda y: np.log(np.expm1(y)), "elu": lambda y: np.where(y > 0, y, np.log1p(np.minimum(y, 0)))}
RAMPS = {"gelu": 2, "swish": 2}
ALL = [RampADC(name, ramps=RAMPS.get(name, 1), bits=5, rounding=rounding)
       for name in FUNCTIONS for rounding in ("down", "nearest")]


def name_of(adc):
    return f"{adc.function}-{adc.rounding}"


# ---- design -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 3, 5, 8, 10])
@pytest.mark.parametrize("rounding, shift", [("down", 0.0), ("nearest", 0.5)])
@pytest.mark.parametrize("name", INVERSES)
def test_thresholds_are_the_inverse_function_of_the_levels(name, rounding, shift, bits):
    adc = RampADC(name, bits=bits, rounding=rounding)
    low, high = adc.output_range
    levels = low + (np.arange(1, 2**bits) - shift) / 2**bits * (high - low)
    np.testing.assert_allclose(adc.ideal.thresholds[0], INVERSES[name](levels), rtol=1e-10, atol=1e-10)


def test_sigmoid_of_five_bits_has_the_known_thresholds_and_conductances():
    (branch,) = RampADC("sigmoid", bits=5).branches
    np.testing.assert_allclose(branch.ideal[:16], GOLDEN["sigmoid_5bit"]["x"], atol=1e-13)
    np.testing.assert_allclose(branch.conductances[:15], GOLDEN["sigmoid_5bit"]["G_uS"], rtol=1e-12)
    np.testing.assert_allclose(branch.conductances, branch.conductances[::-1], rtol=1e-12)
    assert branch.conductances.max() == 150.0


@pytest.mark.parametrize("adc", ALL, ids=name_of)
def test_outputs_are_within_an_lsb_of_the_function(adc):
    low, high = adc.input_range
    x = np.linspace(low, high, 5001)
    error = (adc(x) - adc.of(x)) / adc.lsb
    if adc.rounding == "down":
        assert error.max() < 1e-6 and error.min() >= -1.0 - 1e-9
        return
    inside = adc.of(x) < adc.output_range[1] - adc.lsb
    assert np.abs(error[inside]).max() <= 0.5 + 1e-9
    assert error[~inside].min() >= -1.0 - 1e-9


@given(st.sampled_from(ALL), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_the_code_counts_the_levels_that_the_function_has_reached(adc, x):
    """Whatever the shape of the function: rising, or falling first. Holds for inputs away from the thresholds."""
    low, high = adc.input_range
    x = np.clip(np.array(x), low, high)
    y = adc.of(x)
    near = np.abs(y[:, None] - adc.levels).min(axis=1) < 1e-9
    expected = (adc.levels <= y[:, None]).sum(axis=1)
    assert (adc.codes(x)[~near] == expected[~near]).all()


@pytest.mark.parametrize("body, turns", [(lambda x, xp: -x**3, 0), (lambda x, xp: xp.exp(-x * x), 1),
                                         (lambda x, xp: xp.sin(3 * x), 4), (lambda x, xp: 7.0 - x, 0)])
def test_any_function_with_enough_ramps(body, turns):
    function = Function("own", body, -2.0, 2.0)
    adc = RampADC(function, bits=6, ramps=turns + 1)
    assert len(adc.branches) == turns + 1
    x = np.linspace(-2, 2, 4001)
    error = (adc(x) - function(x)) / adc.lsb
    assert error.max() < 1e-6 and error.min() > -1 - 1e-6
    if turns:
        with pytest.raises(ParameterError, match=f"monotonic on each ramp, own turns at .*ramps={turns + 1}"):
            RampADC(function, bits=6, ramps=turns)


def test_turning_points_are_where_the_derivative_vanishes():
    assert RampADC("gelu", ramps=2).edges[1] == pytest.approx(-0.7517915, abs=1e-6)
    assert RampADC("swish", ramps=2).edges[1] == pytest.approx(-1.2784645, abs=1e-6)


# ---- programming errors -----------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN["rows"], ids=lambda row: f"{row[0]}-{row[1]}-{row[2]:g}")
def test_inl_agrees_with_an_independent_monte_carlo(row):
    name, bits, sigma, *expected = row
    adc = RampADC(name, bits=bits, programming_error=sigma)
    found = []
    for each in (adc, adc.replace(calibrate=True)):
        inl = inl_trials(each, 8000, seed=1)[:, 0]
        found += [inl.mean(), np.percentile(inl, 95)]
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_one_point_calibration_makes_the_middle_code_exact_and_leaves_the_steps():
    adc = RampADC("tanh", programming_error=5.0)
    free, tied = adc.program(3), adc.replace(calibrate=True).program(3)
    assert tied.inl[15] == 0.0 and free.inl[15] > 0.0
    np.testing.assert_allclose(np.diff(free.thresholds[0]), np.diff(tied.thresholds[0]), atol=1e-12)
    assert free.inl[0] == 0.0


@given(st.floats(0, 200), st.integers(0, 2**32))
@settings(max_examples=25)
def test_a_ramp_never_runs_backwards(sigma, seed):
    ramp = RampADC("sigmoid", programming_error=sigma).program(seed)
    assert (np.diff(ramp.thresholds[0]) >= 0).all() and (ramp.conductances[0] >= 0).all()
    x = np.linspace(-20, 20, 501)
    assert (np.diff(ramp.codes(x)) >= 0).all()


def test_the_seed_and_the_key_decide():
    adc = RampADC("sigmoid", programming_error=3.0, stuck_off=0.1)
    same, other, copy = adc.program(5), adc.program(6), adc.program(5, key=1)
    np.testing.assert_array_equal(same.thresholds[0], adc.program(5).thresholds[0])
    assert not np.array_equal(same.thresholds[0], other.thresholds[0])
    assert not np.array_equal(same.thresholds[0], copy.thresholds[0])


def test_all_off_is_the_ideal_converter_bit_for_bit():
    x = np.random.default_rng(0).normal(0, 3, 1000)
    for adc in ALL:
        programmed = adc.replace(calibrate=True, bypass=True, spares=3, redundancy=4, drift=0.2).program(9)
        for mine, ideal in zip(programmed.thresholds, adc.ideal.thresholds, strict=True):
            np.testing.assert_array_equal(mine, ideal)
        np.testing.assert_array_equal(programmed(x), adc(x))
        assert programmed.missing == 0


@pytest.mark.parametrize("switch", [{"programming_error": 3.0}, {"stuck_off": 0.2}, {"stuck_on": 0.2},
                                    {"comparator_offset": 0.1}, {"noise": 0.3}, {"drift": 0.2, "ratiometric": False}])
def test_each_imperfection_acts_alone(switch):
    x = np.random.default_rng(0).normal(0, 3, (1000, 2))
    adc = RampADC("sigmoid", **switch)
    assert not np.array_equal(adc.program(1, columns=2)(x, np.random.default_rng(1)), RampADC("sigmoid")(x))


# ---- stuck devices, redundancy, drift ---------------------------------------------------------------


def test_stuck_devices_without_and_with_bypass():
    adc = RampADC("sigmoid", stuck_off=0.1, stuck_on=0.05)
    ramp, goal = adc.program(2), adc.branches[0].conductances
    off, on = ramp.conductances[0] == 0.0, (ramp.conductances[0] == 150.0) & (goal < 149.0)
    assert off.any() and on.any() and ramp.missing == 0
    np.testing.assert_allclose(ramp.conductances[0][~off & ~on], goal[~off & ~on], rtol=1e-12)
    repaired = adc.replace(bypass=True, spares=30).program(2)
    assert repaired.missing == 0
    np.testing.assert_array_equal(repaired.thresholds[0], adc.ideal.thresholds[0])
    alone = adc.replace(bypass=True).program(2)
    broken = alone.conductances[0] == 0
    assert alone.missing == broken.sum() and broken[off | on].all()
    assert not broken[~off & ~on & (goal < 149.0)].any()  # one that is stuck where it should be does not show
    assert len(np.unique(alone.codes(np.linspace(-9, 9, 9999)))) == 32 - alone.missing  # as many codes are missing


def test_spares_that_do_not_suffice_leave_the_last_broken_steps_out():
    adc = RampADC("sigmoid", stuck_off=0.3, bypass=True)
    none, few = adc.program(4), adc.replace(spares=3).program(4)
    assert 0 < few.missing < none.missing
    left = np.flatnonzero(few.conductances[0] == 0)
    np.testing.assert_array_equal(left, np.flatnonzero(none.conductances[0] == 0)[-few.missing:])


def test_redundancy_uses_the_best_and_reports_all():
    adc = RampADC("sigmoid", programming_error=5.0, redundancy=6)
    ramp = adc.program(7)
    assert ramp.candidate_inl.shape == (6,) and ramp.max_inl == ramp.candidate_inl.min()
    alone = adc.replace(redundancy=1).program(7)
    assert alone.max_inl == pytest.approx(ramp.candidate_inl[0])  # the first is what one column would have been
    inl = inl_trials(adc, 500)
    assert inl[:, 0].mean() > 1.5 * inl.min(axis=1).mean()
    assert np.abs(inl.mean(axis=0) / inl.mean() - 1).max() < 0.1  # without selection all columns are alike


def test_a_shared_read_voltage_cancels_its_drift():
    x = np.linspace(-5, 5, 1001)
    adc = RampADC("sigmoid", programming_error=2.0)
    at = {shared: adc.replace(drift=0.25, ratiometric=shared).program(1) for shared in (True, False)}
    np.testing.assert_array_equal(at[True](x), adc.program(1)(x))
    np.testing.assert_array_equal(at[False](x), adc.program(1)(x * 1.25))
    assert at[False].max_inl > 1.0


def test_comparator_offsets_shift_their_columns():
    ramp = RampADC("sigmoid", comparator_offset=0.5).program(1, columns=3)
    x = np.linspace(-3, 3, 301)
    found = ramp(np.repeat(x[:, None], 3, axis=1))
    for k in range(3):
        np.testing.assert_array_equal(found[:, k], RampADC("sigmoid")(x - ramp.offsets[k]))


def test_noise_blurs_a_threshold_by_its_standard_deviation():
    adc = RampADC("sigmoid", noise=0.1)
    threshold = adc.ideal.thresholds[0][15]
    codes = adc.codes(np.full(20_000, threshold + 0.1), np.random.default_rng(0))
    assert np.mean(codes >= 16) == pytest.approx(0.8413, abs=0.01)


@pytest.mark.parametrize("adc", [RampADC("sigmoid"), RampADC("relu", bits=4), RampADC("gelu", ramps=2),
                                 RampADC("tanh", noise=0.1, programming_error=2.0)], ids=name_of)
def test_what_is_undefined_has_no_code_and_stays_undefined(adc):
    rng = np.random.default_rng(0)
    x = np.array([np.nan, 0.0, np.inf, -np.inf])
    found = adc.program(1)(x, rng)
    np.testing.assert_array_equal(np.isnan(found), [True, False, False, False])
    assert found[2] >= found[1] or adc.of.name == "gelu"
    assert np.isnan(adc(np.nan, rng)) and np.isnan(adc.program(1).surrogate(x)[0]) if not adc.noise else True
    with pytest.raises(ParameterError, match="RampADC.codes must be given numbers, got an array that holds nan"):
        adc.codes(x, rng)


# ---- LSTM -------------------------------------------------------------------------------------------


def test_lstm_with_ideal_converters_of_many_bits_approaches_the_exact_one():
    generator = np.random.default_rng(0)
    x, w, b = generator.normal(size=(12, 5, 4)), generator.normal(size=(10, 24)) / 2, generator.normal(size=24)
    exact = lstm(x, w, b, FUNCTIONS["sigmoid"], FUNCTIONS["tanh"])
    worst = [np.abs(lstm(x, w, b, *(RampADC(name, bits=bits, rounding="nearest") for name in ("sigmoid", "tanh")))
                    - exact).max() for bits in (4, 8, 12)]
    assert worst[0] > 8 * worst[1] > 64 * worst[2]


@pytest.mark.parametrize("shapes", [((3, 4), (5, 8), 8), ((3, 2, 4), (5, 8), 8), ((3, 2, 4), (6, 7), 7),
                                    ((3, 2, 4), (6, 8), 4)])
def test_lstm_refuses_shapes_that_do_not_fit(shapes):
    x, w, b = (np.zeros(shape) for shape in shapes)
    with pytest.raises(ParameterError, match="lstm: .* must have"):
        lstm(x, w, b, np.tanh, np.tanh)


# ---- torch ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_torch_and_numpy_give_the_same_bits(name):
    torch = pytest.importorskip("torch")
    adc = RampADC(name, ramps=RAMPS.get(name, 1), programming_error=3.0, noise=0.1)
    ramp = adc.program(1)
    x = np.random.default_rng(0).normal(0, 3, (200, 7)).astype(np.float32)
    found = ramp(torch.tensor(x), np.random.default_rng(2))
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), ramp(x, np.random.default_rng(2)))
    np.testing.assert_allclose(adc.of(torch.tensor(x)).numpy(), adc.of(x), rtol=2e-6, atol=2e-6)


def test_the_surrogate_has_the_values_of_the_converter_and_the_gradient_of_the_function():
    torch = pytest.importorskip("torch")
    ramp = RampADC("tanh", programming_error=3.0).program(1)
    x = torch.linspace(-2, 2, 41, dtype=torch.float64, requires_grad=True)
    y = ramp.surrogate(x)
    np.testing.assert_allclose(y.detach().numpy(), ramp(x.detach().numpy()), atol=1e-15)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 - np.tanh(x.detach().numpy()) ** 2, atol=1e-12)


def test_lstm_agrees_with_that_of_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs, x = torch.nn.LSTM(5, 7).double(), torch.randn(6, 3, 5, dtype=torch.float64)
    order = [0, 1, 3, 2]  # torch has i f g o
    w = torch.cat([theirs.weight_ih_l0.T, theirs.weight_hh_l0.T]).unflatten(1, (4, 7))[:, order].flatten(1)
    b = (theirs.bias_ih_l0 + theirs.bias_hh_l0).unflatten(0, (4, 7))[order].flatten()
    expected = theirs(x)[0].detach().numpy()
    functions = FUNCTIONS["sigmoid"], FUNCTIONS["tanh"]
    np.testing.assert_allclose(lstm(x, w, b, *functions).detach().numpy(), expected, atol=1e-14)
    x, w, b = (each.detach().numpy() for each in (x, w, b))
    np.testing.assert_allclose(lstm(x, w, b, *functions), expected, atol=1e-14)


# ---- bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_, text", [
    ({"bits": 0}, "bits must be a whole number >= 1 and <= 12, got 0"),
    ({"bits": 13}, "bits must be"), ({"bits": 4.5}, "bits must be"),
    ({"function": "cosine"}, "function must be one of linear, sigmoid"),
    ({"function": "gelu"}, "function must be monotonic on each ramp, gelu turns at x = -0.7518; give ramps=2"),
    ({"x_min": 1.0, "x_max": 1.0}, "x must be a range from a finite number to a larger one, got 1 to 1"),
    ({"y_min": 0.5, "y_max": 0.5}, "y must be a range"),
    ({"y_min": 0.5, "y_max": 0.2}, "y must be a range"),
    ({"g_min": 30.0}, r"g_min must be <= 25.86 uS, the conductance of the smallest step of sigmoid at 5 bits, got 30"),
    ({"g_min": 200.0}, "g_min must be < g_max = 150 uS, got 200"),
    ({"g_max": 0.0}, "g_max must be a finite number > 0 uS, got 0"),
    ({"programming_error": -1.0}, "programming_error must be"),
    ({"stuck_off": 1.5}, "stuck_off must be a finite number >= 0 and <= 1, got 1.5"),
    ({"stuck_on": -0.1}, "stuck_on must be"),
    ({"stuck_off": 0.6, "stuck_on": 0.6}, r"stuck_on \+ stuck_off must be <= 1, a device is stuck at one end only"),
    ({"drift": -1.0}, "drift must be a finite number > -1"),
    ({"redundancy": 0}, "redundancy must be"), ({"rounding": "up"}, "rounding must be 'down' or 'nearest'"),
    ({"calibrate": 1}, "calibrate must be False or True"),
])
def test_what_does_not_fit_is_refused(given_, text):
    with pytest.raises(ParameterError, match="RampADC.*" + text):
        RampADC(**given_)


def test_what_a_conversion_lacks_is_named():
    with pytest.raises(ParameterError, match="noise needs random numbers"):
        RampADC(noise=0.1)(np.zeros(3))
    with pytest.raises(ParameterError, match="comparator_offset, must be a whole number >= 1"):
        RampADC(comparator_offset=0.1).program()
    with pytest.raises(ParameterError, match="comparator_offset, must be a whole number >= 1"):
        RampADC().program(columns=-3)
    programmed = RampADC("sigmoid", comparator_offset=0.1).program(columns=4)
    for shape in ((2, 5), (4, 2), (4, 1), ()):
        with pytest.raises(ParameterError, match="must be given inputs of 4 columns, as many as were programmed, got"):
            programmed(np.zeros(shape))
    with pytest.raises(ParameterError, match="trials must be"):
        inl_trials(RampADC(), 0)
    with pytest.raises(ParameterError, match="x must be a range"):
        Function("flat", lambda x, xp: x, 1.0, 1.0)
    with pytest.raises(ParameterError, match="one finite number for each"):
        RampADC(Function("bad", lambda x, xp: xp.where(x > 0, xp.inf, x)))
