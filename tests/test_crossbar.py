"""The circuit of a crossbar against other solvers, converters against counting, layers, and the associative memory."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from hardware_models.memristor import (
    PCM,
    Converter,
    CrossbarCircuit,
    CrossbarLayer,
    HopfieldMemory,
    Memristor,
    capacity,
    exact_adc_bits,
    wire_resistance,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "memristor.json").read_text())
RESISTANCES = {"Iout_r1": (1, 1), "Iout_r2p5": (2.5, 2.5), "Iout_r0p35_0p32": (0.35, 0.32), "Iout_wl1_bl0": (1, 0),
               "Iout_wl0_bl1": (0, 1)}


def array():
    rng = np.random.default_rng(42)
    return rng.uniform(1.0, 100.0, (64, 64)), rng.uniform(0.0, 0.2, 64)


@pytest.mark.parametrize("case", RESISTANCES)
def test_currents_are_those_of_badcrossbar(case):
    g, v = array()
    circuit = CrossbarCircuit(g, *RESISTANCES[case])
    expected = np.array(GOLDEN["badcrossbar"][case]) * 1e6
    np.testing.assert_allclose(circuit.solve(v).currents, expected, rtol=1e-9)
    np.testing.assert_allclose(v @ circuit.transfer(), expected, rtol=1e-9)


def test_every_voltage_and_current_is_that_of_badcrossbar():
    small = GOLDEN["small"]
    solved = CrossbarCircuit(1e6 / np.array(small["R_ohm"]), small["r_i"], small["r_i"]).solve(np.ravel(small["V"]))
    np.testing.assert_allclose(solved.v_word, small["Vword"], rtol=1e-9)
    np.testing.assert_allclose(solved.v_bit, small["Vbit"], rtol=1e-9)
    np.testing.assert_allclose(solved.device_currents * 1e-6, small["Idevice"], rtol=1e-9)
    np.testing.assert_allclose(solved.currents * 1e-6, small["Iout"][0], rtol=1e-9)


def test_a_second_solver_agrees_within_its_tolerance():
    g, v = array()
    for r, key in ((1.0, "cs_rp1.0_term0.0"), (2.5, "cs_rp2.5_term0")):
        found = CrossbarCircuit(g, r, r).solve(v).currents
        np.testing.assert_allclose(found, np.array(GOLDEN["crosssim"][key]) * 1e6, rtol=2e-3)


def test_uniform_arrays_lose_what_they_must():
    for row in GOLDEN["uniform"]:
        n, g, r = row["n"], 1e6 / row["R_device"], row["r_wire"]
        loss = 1 - CrossbarCircuit(np.full((n, n), g), r, r).solve(np.full(n, 0.2)).currents.mean() / (n * g * 0.2)
        assert loss == pytest.approx(row["loss_mean_pct"] / 100, rel=1e-6)
        first_order = r * g * 1e-6 * (n + 1) * (2 * n + 1) / 3
        if first_order < 0.01:
            assert loss == pytest.approx(first_order, rel=0.02)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([0.0, 0.3, 40.0]), st.sampled_from([0.0, 2.0, 500.0]),
       st.integers(0, 1000))
def test_kirchhoff_superposition_and_both_ways_to_solve(rows, columns, r_word, r_bit, seed):
    rng = np.random.default_rng(seed)
    g = rng.uniform(0, 500, (rows, columns)) * (rng.random((rows, columns)) < 0.8)
    v = rng.normal(size=(3, rows))
    circuit = CrossbarCircuit(g, r_word, r_bit)
    solved = circuit.solve(v)
    assert solved.currents == pytest.approx(v @ circuit.transfer(), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(solved.device_currents, g * (solved.v_word - solved.v_bit), atol=1e-9)
    if r_word:  # what a word line takes in, its devices pass on
        into = (v - solved.v_word[:, :, 0]) / r_word * 1e6
        np.testing.assert_allclose(into, solved.device_currents.sum(axis=2), rtol=1e-7, atol=1e-5)
    if r_bit:
        out = solved.v_bit[:, -1] / r_bit * 1e6
        np.testing.assert_allclose(out, solved.currents, rtol=1e-7, atol=1e-5)


def test_the_fast_mode_states_its_error():
    g, v = array()
    for r in (0.1, 0.35, 1.0):
        circuit = CrossbarCircuit(g, r, r)
        exact = circuit.solve(v).currents
        for sweeps in (1, 2, 3):
            found, error = circuit.approximate(v, sweeps)
            ideal = np.abs(v @ g).max()
            assert np.abs(found - exact).max() / ideal <= error < 0.05
    with pytest.raises(ns.SimulationError, match="use solve"):
        CrossbarCircuit(np.full((128, 128), 100.0), 5.0, 5.0).approximate(np.ones(128))


def test_a_cell_read_with_floating_lines_has_sneak_paths():
    """One selected pair of lines of a uniform array: three groups of devices in series, beside the cell itself."""
    for r, tolerance in ((0.0, 1e-9), (1e-3, 1e-5)):
        n, g = 16, 50.0
        circuit = CrossbarCircuit(np.full((n, n), g), r, r, floating_words=range(1, n), floating_bits=range(1, n))
        current = circuit.solve(np.full(n, 0.2)).currents
        sneak = 1 / (1 / (g * (n - 1)) + 1 / (g * (n - 1) ** 2) + 1 / (g * (n - 1)))
        assert current[0] == pytest.approx(0.2 * (g + sneak), rel=tolerance)
        assert (current[1:] == 0).all()
        assert circuit.transfer()[0, 0] == pytest.approx(g + sneak, rel=tolerance)


def test_a_floating_line_that_one_device_holds_carries_nothing():
    rng = np.random.default_rng(3)
    g = rng.uniform(1, 100, (6, 5))
    g[5] = 0.0
    lone = g.copy()
    lone[5, 2] = 1.0
    v = rng.normal(size=6)
    for r_word, r_bit in ((2.0, 3.0), (0.0, 3.0), (2.0, 0.0), (0.0, 0.0)):
        solved = CrossbarCircuit(lone, r_word, r_bit, floating_words=[5]).solve(v)
        assert solved.device_currents[5, 2] == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(solved.currents, CrossbarCircuit(g, r_word, r_bit).solve(v).currents, rtol=1e-9)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ns.NetworkError, match="singular: bit line 2 floats"):
        CrossbarCircuit([[1.0, 2.0, 0.0], [1.0, 1.0, 0.0]], floating_bits=[2])
    for wrong in ([[1.0, -2.0]], [[np.nan]]):
        with pytest.raises(ns.ParameterError, match="must be finite and >= 0 uS"):
            CrossbarCircuit(wrong)
    with pytest.raises(ns.ParameterError, match="r_word must be a finite number >= 0 ohm"):
        CrossbarCircuit([[1.0]], r_word=-1.0)
    with pytest.raises(ns.ParameterError, match="floating_words must be numbers of lines in 0 .. 0"):
        CrossbarCircuit([[1.0]], floating_words=[1])
    with pytest.raises(ns.ParameterError, match="voltages must be finite and of shape"):
        CrossbarCircuit([[1.0]]).solve([1.0, 2.0])
    with pytest.raises(ns.ParameterError, match="one of 90, 65"):
        wire_resistance(3)


def test_wires_of_nodes():
    expected = {90: 0.57, 65: 0.60, 45: 0.97, 32: 1.47, 22: 2.12, 14: 4.06, 7: 7.06}
    for node, ohm in expected.items():
        assert wire_resistance(node) == pytest.approx(ohm, abs=0.006)
    assert wire_resistance(32, temperature=400.0) / wire_resistance(32) == pytest.approx(1.451)


# Converters and layers ------------------------------------------------------------------------------------------------

@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 3), st.integers(0, 100))
def test_an_exact_converter_loses_nothing_and_one_bit_less_does(rows, v, w, seed):
    rng = np.random.default_rng(seed)
    bits, top = exact_adc_bits(rows, v, w), rows * (2**v - 1) * (2**w - 1)
    assert 2 ** (bits - 1) < top + 1 <= 2**bits
    adc = Converter(bits, low=0.0, high=float(2**bits - 1))
    sums = rng.integers(0, 2**v, (20, rows)) @ rng.integers(0, 2**w, rows)
    np.testing.assert_array_equal(adc(sums.astype(float)), sums)
    if bits > 1:
        coarse = Converter(bits - 1, low=0.0, high=float(top))
        every = np.arange(top + 1.0)
        assert np.unique(coarse(every)).size < every.size


def test_converters_clip_round_and_calibrate():
    x = np.random.default_rng(0).normal(size=100_000)
    adc = Converter.calibrated(6, x, share=0.999)
    inside = np.abs(x) < adc.high
    assert (adc(x) - x)[inside].std() == pytest.approx(adc.rms_error, rel=0.02)
    assert np.abs(adc(x)).max() == pytest.approx(adc.high)
    assert np.unique(adc(x)).size == 64 and Converter.calibrated(3, np.abs(x)).low == 0.0
    for wrong in ({"low": 1.0, "high": 1.0}, {"low": 2.0, "high": 1.0}):
        with pytest.raises(ns.ParameterError, match="low must be < high"):
            Converter(4, **wrong)
    with pytest.raises(ns.ParameterError, match="range would be zero"):
        Converter.calibrated(4, np.zeros(3))


def test_an_ideal_layer_is_the_product_bit_for_bit():
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(30, 20)), rng.normal(size=(7, 30))
    np.testing.assert_array_equal(CrossbarLayer(w).forward(x), x @ w)
    offset = Memristor(mapping="offset").fitted(w)
    np.testing.assert_array_equal(CrossbarLayer(w, offset).forward(x), x @ w)


def test_bit_slices_and_exact_converters_give_the_whole_product():
    """Whole numbers through slices of 2 bits: with the bits that `adc_loss` asks for nothing is lost."""
    rng = np.random.default_rng(1)
    w = rng.integers(-15, 16, (12, 5)).astype(float)
    w[0, 0] = 15
    x = rng.integers(0, 8, (50, 12)).astype(float)
    device = Memristor(weight_max=15.0, slices=2, slice_bits=2, mapping="differential")
    layer = CrossbarLayer(w, device)
    assert len(layer.slices) == 2
    np.testing.assert_allclose(layer.forward(x), x @ w, atol=1e-9)
    bits = exact_adc_bits(12, 3, 2, signed=True)
    exact = CrossbarLayer(w, device, bits=bits)
    step = [1.0, 4.0]
    exact.adcs = [Converter(bits, low=-s * 2 ** (bits - 1), high=s * (2 ** (bits - 1) - 1)) for s in step]
    np.testing.assert_allclose(exact.forward(x), x @ w, atol=1e-9)
    errors = [np.abs(CrossbarLayer(w, device, bits=b).calibrate(x).forward(x) - x @ w).max() for b in (4, 6, 10)]
    assert errors[0] > errors[1] > errors[2] and "is exact" in exact.adc_loss().replace("this one ", "")


def test_wires_make_the_matrix_that_the_circuit_has():
    rng = np.random.default_rng(2)
    w, x = rng.uniform(-1, 1, (40, 30)), rng.uniform(0, 1, 40)
    layer = CrossbarLayer(w, Memristor(g_max=100.0), r_word=2.0, r_bit=2.0)
    plus, minus = (CrossbarCircuit(np.maximum(s * w, 0) * 100, 2.0, 2.0).solve(x).currents for s in (1, -1))
    np.testing.assert_allclose(layer.forward(x), (plus - minus) / 100, rtol=1e-9)
    assert np.abs(layer.weights).sum() < np.abs(w).sum()


def test_a_layer_that_ages_in_steps_ages_as_a_whole():
    w = np.random.default_rng(3).uniform(-1, 1, (20, 20))
    device = PCM.measured(flicker_noise=0.0)
    whole, steps = CrossbarLayer(w, device).age(1e6), CrossbarLayer(w, device).age(3e5).age(7e5)
    np.testing.assert_allclose(whole.weights, steps.weights, rtol=1e-12)
    made_good = CrossbarLayer(w, device.replace(drift_compensation=True)).age(1e9)
    written = CrossbarLayer(w, device).weights
    assert np.abs(made_good.weights).sum() == pytest.approx(np.abs(written).sum())


@pytest.mark.parametrize("given, wires", [
    ({}, {}), ({"stuck_off": 0.2}, {}), ({"stuck_on": 0.05}, {}), ({"programming_noise": 0.1}, {}),
    ({"temperature": 350.0, "activation_energy": 0.1}, {}), ({"g_min": 1.0}, {"r_word": 5, "r_bit": 5}),
    ({"g_min": 1.0, "drift": 0.0}, {"r_word": 5, "r_bit": 5}), ({"slices": 2, "slice_bits": 3}, {}),
    ({"mapping": "offset", "programming_noise": 0.1}, {})])
def test_compensation_takes_back_drift_and_nothing_else(given, wires):
    """The factor is that of what was read just after programming, so that it is 1 before any time has passed."""
    w = np.random.default_rng(0).uniform(-1, 1, (32, 16))
    device = Memristor(**{"drift": 0.05, "drift_compensation": True, **given})
    before = CrossbarLayer(w, device, seed=1, **wires).weights
    np.testing.assert_allclose(CrossbarLayer(w, device, seed=1, **wires).age(0.0).weights, before, rtol=1e-12)
    after = CrossbarLayer(w, device, seed=1, **wires).age(5e5).age(5e5)
    assert np.abs(after.weights).sum() == pytest.approx(np.abs(before).sum(), rel=1e-9)


@pytest.mark.parametrize("r_word, r_bit", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
@pytest.mark.parametrize("floating", [{}, {"floating_words": [1]}])
def test_no_inputs_give_no_outputs(r_word, r_bit, floating):
    circuit = CrossbarCircuit(np.full((4, 3), 50.0), r_word, r_bit, **floating)
    solved = circuit.solve(np.zeros((0, 4)))
    assert solved.currents.shape == (0, 3) and solved.v_word.shape == solved.v_bit.shape == (0, 4, 3)
    if not floating:
        assert circuit.approximate(np.zeros((0, 4)))[0].shape == (0, 3)
    layer = CrossbarLayer(np.ones((4, 3)), r_word=r_word, r_bit=r_bit, bits=4).calibrate(np.ones((2, 4)))
    assert layer.forward(np.zeros((0, 4))).shape == (0, 3)


def test_a_layer_takes_tensors():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    w, x = rng.uniform(-1, 1, (20, 10)), rng.uniform(0, 1, (30, 20))
    layer = CrossbarLayer(w, PCM.measured(), r_word=1.0, r_bit=1.0, input_bits=5, bits=7).calibrate(x)
    found = layer.forward(torch.tensor(x), np.random.default_rng(1))
    np.testing.assert_allclose(found.numpy(), layer.forward(x, np.random.default_rng(1)), rtol=1e-12, atol=1e-12)
    assert layer.forward(torch.tensor(x, dtype=torch.float32), np.random.default_rng(1)).dtype == torch.float32


def test_layers_refuse_what_does_not_fit():
    w = np.ones((4, 3))
    with pytest.raises(ns.ParameterError, match="must fit an array of 3 x 3, got 4 x 3"):
        CrossbarLayer(w, array=(3, 3))
    with pytest.raises(ns.ParameterError, match="must be given weights within -0.5 .. 0.5"):
        CrossbarLayer(w, Memristor(weight_max=0.5))
    with pytest.raises(ns.ParameterError, match="call calibrate"):
        CrossbarLayer(w, bits=4).forward(np.ones(4))
    with pytest.raises(ns.ParameterError, match="range would be zero"):
        CrossbarLayer(w, bits=4).calibrate(np.zeros((5, 4)))
    with pytest.raises(ns.ParameterError, match="given a generator"):
        CrossbarLayer(w, Memristor(read_noise=0.1)).forward(np.ones(4))


# Associative memory ---------------------------------------------------------------------------------------------------

def test_capacity_of_the_associative_memory():
    edge, loads, overlaps = capacity(600, loads=[0.05, 0.11, 0.13, 0.15, 0.17, 0.2], repeats=2)
    assert 0.12 < edge < 0.16, overlaps
    assert overlaps[0] > 0.99 > 0.9 > overlaps[-1]


def test_device_noise_lowers_the_overlap():
    xi = np.random.default_rng(0).choice([-1.0, 1.0], (36, 300))
    ideal, noisy = (HopfieldMemory(xi, Memristor(programming_noise=s)).overlap() for s in (0.0, 1.0))
    assert ideal > 0.95 > noisy + 0.1
    with pytest.raises(ns.ParameterError, match="matrix of"):
        HopfieldMemory([[1.0, 0.5]])
