"""Statistics of measured technologies, pulse laws, dynamic models, random resistors and pairs that only go up."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

import neurosim as ns
from hardware_models.memristor import (
    PCM,
    VTEAM,
    ConstantStep,
    Converter,
    CrossbarCircuit,
    CrossbarLayer,
    ExponentialStep,
    HfO2,
    LinearIonDrift,
    LinearStep,
    MeasuredPulses,
    Memristor,
    NonlinearPulses,
    PiecewiseStep,
    PowerStep,
    RandomResistors,
    ReRAM,
    SoftBounds,
    StanfordPKU,
    SynapseArray,
    VerifiedReRAM,
    Yakopcic,
    curve,
    dynamics,
    names,
    nonlinearity,
    preset,
    shape_of,
)
from neurosim.checks import Parameter
from neurosim.contracts import Plasticity

GOLDEN = json.loads((Path(__file__).parent / "golden" / "memristor.json").read_text())


def close(found, mean, std, n_golden=1_000_000):
    """Whether mean and standard deviation are those of the golden sample, within 5 combined standard errors."""
    error = std * np.sqrt(1 / found.size + 1 / n_golden)
    kurtosis = ((found - found.mean()) ** 4).mean() / max(found.var() ** 2, 1e-30)
    spread = std * np.sqrt((kurtosis - 1) / 4 * (1 / found.size + 1 / n_golden))
    assert abs(found.mean() - mean) < 5 * error + 1e-9
    assert abs(found.std() - std) < 5 * spread + 1e-9


@pytest.mark.parametrize("level", range(0, 13, 2))
def test_pcm_is_programmed_drifts_and_is_read_as_measured(level):
    pcm, rng, n = GOLDEN["pcm"], np.random.default_rng(level), 40_000
    target = pcm["levels"][level]
    layer = PCM.measured(seed=level)
    g = layer.program_conductance(np.full(n, target), rng)
    close(g, *pcm["prog"][level])
    for k, t in list(enumerate(pcm["times"]))[::2]:
        drifted = layer.drift_conductance(g, np.full(n, target / 25), t * 1e3)
        read = layer.replace(flicker_time=t + 20.0).read_conductance(drifted, rng, g)
        close(read, *pcm["final"][level][k])


def test_reram_is_programmed_as_measured():
    for target, std in zip(GOLDEN["reram"]["levels"][1:], GOLDEN["reram"]["std"][1:], strict=True):
        g = ReRAM(programming_noise=1.0).program_conductance(np.full(40_000, target), np.random.default_rng(1))
        if target > 4:  # below, the sample is cut off at 0
            assert g.std() == pytest.approx(std, rel=0.02)
    with pytest.raises(ns.ParameterError, match="must be given conductances within 0 .. 40 uS, got 41"):
        ReRAM().program_conductance(np.array([41.0]), np.random.default_rng(0))


def test_verified_writing_stays_within_its_tolerance_and_relaxes():
    layer = VerifiedReRAM(programming_noise=0.02, write_tolerance=0.002, write_attempts=2000)
    g = layer.program_conductance(np.full(20_000, 50.0), np.random.default_rng(0))
    assert np.abs(g - 50).max() <= 0.18 and kstest((g - 50) / 0.18, "uniform", (-1, 2)).pvalue > 1e-3
    relaxing = layer.replace(relaxation=1.0)
    after = relaxing.drift_conductance(relaxing.program_conductance(np.full(20_000, 50.0), np.random.default_rng(0)),
                                       np.full(20_000, 50 / 90), 1e6)
    assert after.mean() - 50 == pytest.approx(-0.089 * np.log(1000), abs=0.03)
    assert after.std() == pytest.approx(np.hypot(0.412 + 0.042 * np.log(1000), 0.18 / np.sqrt(3)), rel=0.03)


def test_drift_has_its_closed_form_and_each_switch_its_own_stream():
    w = np.linspace(-1, 1, 101)
    year = 365 * 86400e3
    np.testing.assert_allclose(Memristor(drift=0.05).age(w, year), w * ((year / 1e3 + 20) / 20) ** -0.05, rtol=1e-12)
    device = Memristor(drift=0.05, drift_dtod=0.3, seed=3)
    np.testing.assert_allclose(device.age(device.age(w, 1e5), 9e5, since=1e5), device.age(w, 1e6), rtol=1e-12)
    made_good = device.replace(drift_compensation=True).age(w, year)
    assert np.abs(made_good).sum() == pytest.approx(np.abs(w).sum())
    alone = Memristor(programming_noise=0.1).program(w, np.random.default_rng(1)) - w
    both = Memristor(programming_noise=0.1, stuck_on=0.1).program(w, np.random.default_rng(1)) - w
    same = np.isclose(alone, both)
    assert 0.7 < same.mean() < 0.95  # devices that are not stuck got the same error
    with pytest.raises(ns.ParameterError, match="elapsed and since >= 0 ms"):
        device.age(w, -1.0)


def test_stuck_devices_are_as_many_as_asked_and_none_is_both():
    w = np.zeros(100_000)
    held = Memristor(stuck_on=0.02, stuck_off=0.08).program(w, np.random.default_rng(0))
    assert (held == 1).mean() == pytest.approx(0.02 * 0.98, abs=4 * 0.00044)
    held = Memristor(stuck_on=0.3, stuck_off=0.7, mapping="offset").program(w, np.random.default_rng(0))
    assert set(np.unique(held)) == {-1.0, 1.0} and (held > 0).mean() == pytest.approx(0.3, rel=0.03)
    with pytest.raises(ns.ParameterError, match=r"stuck_on \+ stuck_off must be <= 1"):
        Memristor(stuck_on=0.6, stuck_off=0.6)


def test_temperature_spread_and_slices():
    w = np.linspace(-1, 1, 11)
    warm = Memristor(temperature=350.0, activation_energy=0.05).program(w, np.random.default_rng(0))
    np.testing.assert_allclose(warm, w * np.exp(-0.05 / 8.617333e-5 * (1 / 350 - 1 / 300)), rtol=1e-6)
    spread = Memristor(conductance_dtod=0.1).program(np.ones(50_000), np.random.default_rng(0))
    assert spread.std() == pytest.approx(0.1, rel=0.03)
    sliced = Memristor(slices=3, slice_bits=2).program(w, np.random.default_rng(0))
    np.testing.assert_allclose(sliced, np.rint(w * 63) / 63, atol=1e-12)
    few = Memristor(slice_bits=2).program(w, np.random.default_rng(0))  # one device of four levels
    np.testing.assert_allclose(few, np.rint(w * 3) / 3, atol=1e-12)
    few = Memristor(slice_bits=2, mapping="offset").program(w, np.random.default_rng(0))
    np.testing.assert_allclose(few, np.rint((w + 1) / 2 * 3) / 3 * 2 - 1, atol=1e-12)
    beyond = Memristor(slices=2, slice_bits=2, drift=0.05).age(np.array([1.1, -1.1]), 1e6)  # errors may lead there
    np.testing.assert_allclose(np.abs(beyond), 1.1 - (1 - (1020 / 20) ** -0.05), rtol=1e-12)
    with pytest.raises(ns.UnsupportedError, match="slices > 1"):
        Memristor(slices=2, read_noise=0.1)
    with pytest.raises(ns.ParameterError, match="g_min must be < g_max"):
        Memristor(g_min=30.0)


def test_read_noise_in_the_core_has_the_size_of_the_equation():
    """Delta weights onto integrators that do not leak: the sum of n reads has n times the variance of one."""
    device = PCM(flicker_noise=1.0)
    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=np.arange(1, 401), ids=np.zeros(400, dtype=int), size=1,
                                             duration=41.0, dt=0.1)))
    cells = net.add(ns.LIF(tau_mem=1e9, v_leak=0.0, v_threshold=1e9, v_reset=0.0), 2000)
    net.connect(given, cells, weight=0.5, delay=0.1, device=device)
    sim = ns.Simulation(net, 0.1, dtype="float64")
    sim.run(41.0)
    v = sim.get(cells, "v")
    assert v.std() == pytest.approx(np.sqrt(400 * device.read_moments(np.array(0.5))[1]), rel=0.07)


# Pulses ---------------------------------------------------------------------------------------------------------------

LAWS = {
    "constant": ConstantStep(step_size=0.01, weight_low=-0.6, weight_high=0.6),
    "constant_updown0.2": ConstantStep(step_size=0.01, up_down=0.2, weight_low=-0.6, weight_high=0.6),
    "softbounds": SoftBounds(step_size=0.02),
    "linear_g0.5": LinearStep(step_size=0.02, gamma_up=0.5, gamma_down=0.3),
    "exp_default": ExponentialStep(step_size=0.02),
    "pow_g2": PowerStep(step_size=0.05, gamma=2.0),
    "piecewise": PiecewiseStep(step_size=0.02, nodes_up=(1.5, 1.0, 0.5), nodes_down=(0.5, 1.0, 1.5)),
}


@pytest.mark.parametrize("law", LAWS)
def test_pulse_laws_follow_aihwkit(law):
    weight, trace = np.array([-0.5]), [-0.5]
    for k in range(300):
        weight = LAWS[law].pulse(weight, 1 if k < 150 else -1)
        trace.append(weight[0])
    np.testing.assert_allclose(trace[::25], GOLDEN["pulses"][law], atol=2e-6)  # the reference is float32


@pytest.mark.parametrize("law", [*LAWS.values(), NonlinearPulses.labelled(2.4, -4.88, pulses_up=97, pulses_down=100),
                                 MeasuredPulses(table_up=(1, 5, 7, 8, 9), table_down=(9, 4, 2, 1, 0.5))],
                         ids=lambda law: type(law).__name__)
def test_the_body_of_the_compiled_loop_does_what_the_arrays_do(law):
    rng = np.random.default_rng(0)
    low, high = law.weight_low, law.weight_high
    weights, pulses = rng.uniform(low, high, 60), rng.integers(-6, 7, 60)
    arguments = list(__import__("inspect").signature(law.update).parameters)[4:]
    values = [getattr(law, name) for name in arguments]
    if hasattr(law, "pulses_up"):
        unit = np.where(pulses > 0, (high - low) / law.pulses_up, (high - low) / law.pulses_down)
    elif isinstance(law, MeasuredPulses):
        unit = (high - low) / 4
    else:
        unit = law.step_size
    one_by_one = [law.update(w, c, 0.0, 1e-6, *values) for w, c in zip(weights, pulses * unit, strict=True)]
    np.testing.assert_allclose(law.pulse(weights, pulses), one_by_one, atol=1e-12)


def test_a_wanted_change_is_met_on_average_and_steps_are_noisy():
    law = ConstantStep(step_size=0.01, step_noise=0.5, weight_low=-5.0, weight_high=5.0)
    rng = np.random.default_rng(0)
    args = [law.step_size, law.up_down, law.step_noise, law.weight_low, law.weight_high]
    moved = np.array([law.update(0.0, 0.034, z, u, *args) for z, u in zip(rng.normal(size=20_000), rng.random(20_000),
                                                                        strict=True)])
    assert moved.mean() == pytest.approx(0.034, abs=4 * 0.011 / np.sqrt(20_000))
    assert moved.std() == pytest.approx(np.sqrt(0.01**2 * (0.24 + 3.4 * 0.25)), rel=0.03)
    with pytest.raises(ns.ParameterError, match="must be given a generator"):
        law.pulse(np.zeros(2), 1)


def test_labels_of_nonlinearity_have_a_closed_form():
    golden = GOLDEN["nonlinearity"]
    np.testing.assert_allclose(shape_of(golden["label"]), golden["shape"], rtol=1e-9)
    np.testing.assert_allclose(nonlinearity(golden["shape"]), golden["label"], rtol=1e-9)
    example = golden["example"]
    low, high, most = example["Gmin"], example["Gmax"], example["Pmax"]
    g = low + (high - low) * curve(np.arange(0, most + 1, 8), most, shape_of(example["NL"]))
    np.testing.assert_allclose(g, golden["curve"], rtol=1e-9)
    device = NonlinearPulses.labelled(2.4, -4.88, pulses_up=97, pulses_down=100, weight_low=low, weight_high=high)
    np.testing.assert_allclose(device.pulse(np.full(13, low), np.arange(0, 98, 8)), golden["curve"], rtol=1e-9)
    assert shape_of(0.0) == 1e5
    with pytest.raises(ns.ParameterError, match="within -9.5 .. 9.5, got 12"):
        shape_of([1.0, 12.0])


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 6), st.floats(-6, 0), st.integers(-50, 50), st.integers(0, 50), st.floats(0, 1))
def test_pulses_of_a_curve_add_up_and_stay_in_range(up, down, first, second, start):
    device = NonlinearPulses.labelled(up, down, pulses_up=60, pulses_down=60, weight_low=0.0)
    second = second if first >= 0 else -second
    w = np.array([start])
    np.testing.assert_allclose(device.pulse(device.pulse(w, first), second), device.pulse(w, first + second), atol=1e-9)
    assert 0 <= device.pulse(w, first)[0] <= 1


def test_measured_tables_need_not_meet_and_must_be_monotone():
    device = MeasuredPulses(table_up=(1.0, 2.0, 2.5), table_down=(4.0, 3.0, 1.0), weight_low=0.0)
    w = device.pulse(np.array([0.0, 0.0, 1.0, 1.0]), np.array([1, 9, -1, -9]))
    np.testing.assert_allclose(w, [1 / 3, 0.5, 2 / 3, 0.0])
    with pytest.raises(ns.ParameterError, match="table_up must rise with the pulses or stay, got 1 after 1"):
        MeasuredPulses(table_up=(1.0, 1.0))
    with pytest.raises(ns.ParameterError, match="got 2.5 after 3 at pulse 2, and 1 more .*MeasuredPulses.smoothed"):
        MeasuredPulses(table_up=(1.0, 3.0, 2.5, 4.0, 3.9))
    with pytest.raises(ns.ParameterError, match="table_down must fall with the pulses or stay, got 3 after 2"):
        MeasuredPulses(table_down=(4.0, 2.0, 3.0))
    with pytest.raises(ns.ParameterError, match="at least 2 finite numbers"):
        MeasuredPulses(table_down=(1.0,))


@pytest.mark.slow
def test_devices_that_learn_differ_in_the_core():
    """A spread of step sizes, drawn by the network, as a device-to-device variation."""
    net = ns.Network()
    source = net.add(ns.Poisson(rate=20.0), 20)
    cells = net.add(ns.LIF(), 5, name="cells")
    net.connect(source, cells, weight=0.2, device=SoftBounds(step_size=ns.Uniform(0.001, 0.01)), name="p")
    assert ns.Simulation(net, 0.1).weights("p").size == 100


class Grow(Plasticity):
    """Every arrival wants a little more weight."""

    gain = Parameter(0.034, per_element=False)

    @staticmethod
    def on_source(weight, gain):
        """Add the gain."""
        return weight + gain


def test_a_rule_moves_devices_by_whole_pulses_in_the_core():
    net = ns.Network()
    ticks = np.arange(10, 400, 40)
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=ticks, ids=np.zeros(ticks.size, dtype=int), size=1, duration=50.0,
                                             dt=0.1)))
    cells = net.add(ns.LIF(), 2000, name="cells")
    net.connect(given, cells, weight=0.1, delay=0.1, plasticity=Grow(), name="p",
                device=ConstantStep(step_size=0.01, weight_low=0.0, weight_high=0.45))
    sim = ns.Simulation(net, 0.1, dtype="float64", seed=1)
    sim.run(6.0)
    pulses = (sim.weights("p") - 0.1) / 0.01
    np.testing.assert_allclose(pulses, np.rint(pulses), atol=1e-9)
    assert set(np.rint(pulses)) == {6.0, 7.0, 8.0} and pulses.mean() == pytest.approx(2 * 3.4, abs=0.07)
    sim.run(44.0)
    np.testing.assert_allclose(sim.weights("p").max(), 0.45)


# Pairs that only go up ------------------------------------------------------------------------------------------------

def trained(update, spread, seed=0, steps=20):
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = digits.data / 16, digits.target
    order = np.random.default_rng(seed).permutation(len(x))
    train, test = order[:1200], order[1200:]
    array = SynapseArray((64, 10), update, spread=spread, seed=seed)
    rng = np.random.default_rng(seed + 1)
    for epoch in range(steps):
        for batch in np.array_split(rng.permutation(train), 120):
            z = 4 * x[batch] @ array.weights
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            array.change(0.3 / len(batch) * x[batch].T @ (np.eye(10)[y[batch]] - p) / (1 + 0.1 * epoch))
    return ((x[test] @ array.weights).argmax(1) == y[test]).mean()


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.1, 0.3])
def test_pulsing_up_only_recovers_half_of_what_nonlinearity_costs(spread):
    ideal, both, one = (trained(update, spread) for update in ("ideal", "bidirectional", "unidirectional"))
    assert ideal > 0.9 and ideal - both > 0.03
    assert one - both >= 0.5 * (ideal - both), (ideal, both, one)


def test_arrays_of_pairs_refuse_what_they_cannot_do():
    with pytest.raises(ns.ParameterError, match="must be 'ideal' or 'bidirectional' or 'unidirectional', got 'down'"):
        SynapseArray((2, 2), "down")
    with pytest.raises(ns.ParameterError, match=r"of shape \(2, 2\)"):
        SynapseArray((2, 2)).change(np.zeros(3))


# Dynamics -------------------------------------------------------------------------------------------------------------

def golden(name):
    return (np.array(GOLDEN["dynamics"][name][key]) for key in ("t", "x"))


def sine(size, hertz):
    return lambda t: size * np.sin(2 * np.pi * hertz * t)


def test_linear_ion_drift_has_a_closed_form():
    device = LinearIonDrift(window=None)
    t = np.linspace(0, 1, 201)
    course = device.simulate(t, sine(1.0, 1.0))
    np.testing.assert_allclose(course.state, device.closed_form((1 - np.cos(2 * np.pi * t)) / (2 * np.pi)), atol=1e-8)
    t, x = golden("ion")
    np.testing.assert_allclose(LinearIonDrift().simulate(t, sine(1.0, 1.0)).state, x, rtol=1e-7)


@pytest.mark.parametrize("device, name, voltage, rtol", [
    (VTEAM(), "vteam", sine(1.0, 50e6), 1e-5),
    (Yakopcic(), "yak_oblea", sine(0.45, 100.0), 1e-6),
    (Yakopcic.miao(), "yak_miao",
     lambda t: (0.75 if np.sin(0.1 * np.pi * t) > 0 else 1.25) * np.sin(0.1 * np.pi * t), 1e-6),
])
def test_dynamic_models_follow_the_reference(device, name, voltage, rtol):
    t, x = golden(name)
    np.testing.assert_allclose(device.simulate(t, voltage).state, x, atol=rtol * x.max())


def test_vteam_has_a_closed_form_over_half_a_wave():
    x = VTEAM().simulate(np.linspace(0, 10e-9, 401), sine(1.0, 50e6)).state
    assert x[-1] == pytest.approx(1.5418677514167403e-10, rel=1e-6)


@pytest.mark.parametrize("name, voltage, tolerance", [("pku_set_from_gapmax_1.5V", 1.5, 2e-3),
                                                      ("pku_reset_from_gapmin_-1.5V", -1.5, 1e-5),
                                                      ("pku_reset_-1.2V", -1.2, 1e-5)])
def test_a_stiff_filament_switches_when_it_must(name, voltage, tolerance, monkeypatch):
    monkeypatch.setattr(dynamics, "CHARGE_OVER_K", 1.6e-19 / 1.38064852e-23)  # constants of the reference integration
    t, gap = golden(name)
    device = StanfordPKU()
    found = device.simulate(t, lambda _: voltage, start=device.gap_max if voltage > 0 else device.gap_min).state
    np.testing.assert_allclose(found, gap, rtol=tolerance)


def test_models_refuse_what_they_cannot_integrate():
    with pytest.raises(ns.ParameterError, match="at least 2 rising"):
        VTEAM().simulate([0.0, 0.0], 1.0)
    with pytest.raises(ns.ParameterError, match="voltage must be a function of time or 2 finite numbers"):
        VTEAM().simulate([0.0, 1.0], [1.0])
    with pytest.raises(ns.ParameterError, match="must start within 0 .. 1"):
        Yakopcic().simulate([0.0, 1.0], [0.0, 0.0], start=2.0)
    several = LinearIonDrift().simulate([0.0, 0.1, 0.2], [0.0, 1.0, 1.0], start=[0.1, 0.5, 0.9])
    assert several.state.shape == (3, 3) and (several.state[-1] > several.state[0]).all()


# Random resistors and presets -----------------------------------------------------------------------------------------

def test_random_resistors_are_like_the_measured_ones():
    """2900 cells: 50.7 % not formed, the others 12.336 +- 1.843 uS, quantiles 9.557, 12.179, 15.717 uS."""
    g = RandomResistors().conductance(400_000, np.random.default_rng(0))
    formed = g[g > 0]
    assert (g == 0).mean() == pytest.approx(0.5069, abs=4 * 0.5 / np.sqrt(2900))
    assert formed.mean() == pytest.approx(12.336, abs=4 * 1.843 / np.sqrt(1430))
    assert formed.std() == pytest.approx(1.843, rel=4 / np.sqrt(2 * 1430))
    np.testing.assert_allclose(np.quantile(formed, [0.05, 0.5, 0.95]), [9.557, 12.179, 15.717], rtol=0.02)
    cells = RandomResistors.formed(0.3)
    assert cells.formed_share == pytest.approx(0.3)
    w = cells.weights((1000, 1000), np.random.default_rng(1), std=0.07)
    assert w.std() == pytest.approx(0.07, rel=0.01) and (w == 0).mean() == pytest.approx(0.49, abs=0.003)
    with pytest.raises(ns.ParameterError, match="share > 0 and < 1"):
        RandomResistors.formed(1.0)


def test_presets_are_found_by_name():
    for name in names():
        layer = preset(name)
        w = np.linspace(-0.5, 0.5, 11) * layer.weight_max
        assert np.isfinite(layer.program(w, np.random.default_rng(0))).all()
    with pytest.raises(ns.ParameterError, match="preset must be one of ideal, pcm"):
        preset("unobtainium")


G = np.random.default_rng


@pytest.mark.parametrize("make, text", [
    (lambda: PCM().program_conductance(np.array([30.0]), G(0)), "PCM must be given conductances within 0 .. 25 uS"),
    (lambda: HfO2().program_conductance(np.array([60.0, 10.0]), G(0)), "conductances within 50 .. 225 uS, got 10"),
    (lambda: Memristor().program(np.array([np.inf]), G(0)), "weights within -1 .. 1, got inf; set weight_max"),
    (lambda: Memristor().fitted([]), "weight_max must be a finite number > 0, got 0"),
    (lambda: Memristor().age(np.ones(2), np.nan), "elapsed and since >= 0 ms, got nan and 0.0"),
    (lambda: CrossbarLayer(np.ones((65, 10)), array=(64, 64)), "must fit an array of 64 x 64, got 65 x 10; cut the"),
    (lambda: CrossbarLayer(np.ones((5, 5)), array=64), "CrossbarLayer.array must be None or a pair of whole"),
    (lambda: CrossbarLayer(np.ones((5, 5)), array=(0, 3)), "CrossbarLayer.array must be None or a pair"),
    (lambda: CrossbarLayer(np.ones(5)), "CrossbarLayer.weights must be a matrix of finite numbers"),
    (lambda: CrossbarLayer(2 * np.ones((5, 5)), Memristor()), "must be given weights within -1 .. 1, got 2"),
    (lambda: CrossbarLayer(np.ones((5, 5)), input_bits=2.5), "CrossbarLayer.input_bits must be a whole number"),
    (lambda: CrossbarLayer(np.ones((5, 5)), bits=0), "CrossbarLayer.bits must be a whole number >= 1 and <= 32, got 0"),
    (lambda: CrossbarLayer(np.ones((5, 5)), seed=-1), "CrossbarLayer.seed must be a whole number in 0 .. 2"),
    (lambda: CrossbarLayer(np.ones((5, 5)), r_word=-1.0), "CrossbarLayer.r_word must be a finite number >= 0 ohm"),
    (lambda: CrossbarLayer(np.ones((5, 5)), bits=3).forward(np.ones(5)), "call calibrate"),
    (lambda: CrossbarLayer(np.ones((5, 5)), bits=3).calibrate(np.zeros((2, 5))), "the range would be zero"),
    (lambda: CrossbarLayer(np.ones((5, 4)), bits=3).calibrate(np.ones((2, 4))), r"of shape \(..., 5\), got \(2, 4\)"),
    (lambda: CrossbarLayer(np.ones((5, 4))).forward(np.ones((2, 4))), r"must be given inputs of shape \(..., 5\)"),
    (lambda: CrossbarLayer(np.ones((5, 5)), PCM.measured()).age(-1.0), "CrossbarLayer.age must be given elapsed"),
    (lambda: CrossbarCircuit([[1.0]], floating_words="a"), "floating_words must be numbers of lines in 0 .. 0"),
    (lambda: CrossbarCircuit([[1.0]], floating_bits=[0.5]), "floating_bits must be numbers of lines"),
    (lambda: Converter(4, low=1.0, high=1.0), "Converter.low must be < high, got a range from 1 to 1"),
    (lambda: Converter.calibrated(4, np.zeros(3)), "not all 0: the range would be zero"),
    (lambda: preset("unobtainium"), "preset must be one of ideal, pcm, .* got 'unobtainium'"),
    (lambda: preset(["pcm"]), "preset must be one of"),
    (lambda: preset("pcm", nonsense=3), "PCM: got an unexpected keyword argument 'nonsense'; it takes weight_max"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()


@pytest.mark.parametrize("floating, text", [
    ({"floating_bits": [2]}, "singular: bit line 2 floats"), ({"floating_words": [1]}, "singular: word line 1 floats")])
def test_a_singular_network_is_refused(floating, text):
    with pytest.raises(ns.NetworkError, match=text):
        CrossbarCircuit([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]], **floating)


def test_a_layer_that_is_off_is_the_product_and_goes_on_so():
    """The short way of what is off must not outlive a change of type, shape or age."""
    rng = np.random.default_rng(0)
    w, x = rng.uniform(-1, 1, (8, 5)), rng.normal(size=(3, 8))
    layer = CrossbarLayer(w)
    for each in (x, x, x[0], x.astype(np.float32), x.astype(np.float32), x, x[None], x.tolist(), x.astype(int)):
        found = layer.forward(each)
        np.testing.assert_array_equal(found, np.asarray(each) @ w.astype(found.dtype))
    with pytest.raises(ns.ParameterError, match=r"shape \(..., 8\), got \(3, 5\)"):
        layer.forward(np.ones((3, 5)))
    drifting = CrossbarLayer(w, Memristor(drift=0.05))
    before = drifting.forward(x)
    np.testing.assert_array_equal(drifting.forward(x), before)
    after = drifting.age(1e9).forward(x)
    np.testing.assert_allclose(after, x @ drifting.weights)
    assert (np.abs(after) < np.abs(before)).all()


def test_weights_to_train_with_have_errors_and_the_gradient_of_themselves():
    rng = np.random.default_rng(0)
    w, layer = rng.uniform(-1.5, 1.5, (6, 4)), Memristor(programming_noise=0.05)
    held = layer.surrogate(w, np.random.default_rng(1))
    np.testing.assert_array_equal(held, layer.program(np.clip(w, -1, 1), np.random.default_rng(1)))
    torch = pytest.importorskip("torch")
    t = torch.tensor(w, requires_grad=True)
    found = layer.surrogate(t, np.random.default_rng(1))
    np.testing.assert_allclose(found.detach().numpy(), held, rtol=1e-12)
    (found * torch.arange(4.0)).sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), np.where(np.abs(w) <= 1, np.arange(4.0), 0.0))


def test_presets_learn_as_measured():
    """Mean weight after 200 pulses up and after 200 more down, 500 devices; these vary by 30 %, ours not."""
    for name, up, down in (("reram_soft_bounds", 0.349, -0.127), ("ecram", 0.394, -0.048)):
        layer = preset(name, step_noise=0.0)
        risen = layer.pulse(np.zeros(1), 200)
        assert risen[0] == pytest.approx(up, abs=0.03)
        assert layer.pulse(risen, -200)[0] == pytest.approx(down, abs=0.05)
