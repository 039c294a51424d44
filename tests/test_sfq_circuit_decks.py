"""Decks, bad input, margins, spread, timing and stochastic synapse of the circuit level of SFQ."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hardware_models.sfq.circuit import (
    Circuit,
    CurrentSource,
    EscapeCurve,
    Junction,
    PiecewiseLinear,
    Pulse,
    SamePulses,
    bench,
    escape_probability,
    extract_timing,
    margins,
    monte_carlo,
    operating_point,
    ramp,
    simulate,
    spread,
    threshold,
    triangles,
)
from neurosim.errors import NetworkError, ParameterError, SimulationError

GOLDEN = json.loads((Path(__file__).parent / "golden" / "sfq_circuit.json").read_text(encoding="utf-8"))

# ---- bad input ------------------------------------------------------------------------------------------------------

def loop():
    circuit = Circuit("test")
    circuit.junction("B1", "a", "0", ic=0.25, r=2.0, c=0.175)
    circuit.bias("I1", "a", 0.1)
    return circuit


@pytest.mark.parametrize(("change", "message"), [
    (lambda c: c.inductor("L1", "a", "b", 1.0), "node b has one connection only, to L1"),
    (lambda c: (c.capacitor("C1", "a", "b", 1.0), c.bias("I2", "b", 0.1)), "node b (at C1, I2) is floating"),
    (lambda c: (c.voltage("V1", "a", "0", 1.0), c.voltage("V2", "0", "a", 1.0)), "V2 closes a loop of voltage sources"),
    (lambda c: (c.voltage("V1", "s", "0", 1.0), c.inductor("L1", "s", "0", 1.0)),
     "V1 is in a loop of voltage sources and inductors"),
    (lambda c: c.resistor("b1", "a", "0", 1.0), "b1: there is an element of this name already"),
    (lambda c: c.resistor("R1", "a", "A", 1.0), "R1: both ends are at node a"),
    (lambda c: c.mutual("K1", "B1", "I1", 0.5), "K1: B1 must be an inductor"),
    (lambda c: c.inductor("L1", "a", "0", -1.0), "Inductor.l must be a finite number >= 0 pH, got -1.0"),
    (lambda c: c.junction("B2", "a", "0", ic=0.1), "Junction.c must be > 0 pF where there is no r"),
    (lambda c: c.bias("I2", "a", "lots"), "Constant.level must be a finite number, got 'lots'"),
    (lambda c: c.include("X1", Circuit("cell", ["p"]), "a", "0"), "X1: cell must be connected at p, got 2 nodes"),
    (lambda c: (c.inductor("L1", "a", "0", 1.0), c.inductor("L2", "a", "0", 1.0), c.inductor("L3", "a", "0", 1.0),
                c.mutual("K1", "L1", "L2", 0.9), c.mutual("K2", "L1", "L3", 0.9), c.mutual("K3", "L2", "L3", -0.9)),
     "the couplings of L1, L2, L3 are too strong together"),
])
def test_circuits_that_cannot_be_solved_are_refused(change, message):
    with pytest.raises((NetworkError, ParameterError)) as error:
        circuit = loop()
        change(circuit)
        simulate(circuit, 1.0)
    assert message in str(error.value)


@pytest.mark.parametrize(("options", "message"), [
    ({"h": 1.0}, "h must be <= 0.37 ps for junction B1 (plasma frequency 2.08 rad/ps), got 1"),
    ({"h": -1.0}, "h must be a finite number > 0 ps"),
    ({"h": 0.03}, "duration must be a multiple of h"),
    ({"record": ["B2"]}, "test has no element 'B2'; did you mean B1"),
    ({"nodes": ["z"]}, "test has no node 'z'"),
    ({"vary": {"B9.ic": 1.0}}, "vary: 'B9.ic' must name elements and a parameter of theirs"),
    ({"vary": {"B1.ic": [1.0, -1.0]}}, "vary['B1.ic'] must hold factors > 0"),
    ({"vary": {"B1.ic": [1.0, 2.0]}, "keys": [1, 2, 3]}, "vary and keys must give one value for each lane"),
    ({"keys": [-1]}, "keys must be whole numbers"),
    ({"temperature": -1.0}, "temperature must be"),
    ({"temperature": 4.2, "h_max": 0.1}, "h_max must be None where there is noise"),
    ({"h_max": 0.12}, "h_max must be h times 1, 2, 4"),
    ({"start": "warm"}, "start must be 'zero' or 'operating_point'"),
    ({"every": 0}, "every must be a whole number >= 1"),
    ({"threads": 0}, "threads must be a whole number >= 1 or None"),
    ({"h_max": 0.8}, "h_max must be <= 0.37 ps for junction B1"),
])
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises((NetworkError, ParameterError)) as error:
        simulate(loop(), 10.0, **options)
    assert message in str(error.value)


def test_what_a_run_was_not_asked_for_is_refused():
    circuit = loop()
    circuit.resistor("R1", "a", "0", 5.0)
    run = simulate(circuit, 1.0)
    for ask in (lambda: run.phase("B1"), lambda: run.dissipated("B1"), lambda: run.pulses("R1")):
        with pytest.raises((NetworkError, ParameterError)):
            ask()
    circuit.junction("B2", "a", "0", ic=0.001, c=0.1)
    with pytest.raises(SimulationError, match="no state at rest"):
        operating_point(circuit.replace("I1", waveform=0.4))


def test_waveforms():
    with pytest.raises(ParameterError, match="must not decrease"):
        PiecewiseLinear([1.0, 0.0], [0.0, 1.0])
    with pytest.raises(ParameterError, match="Pulse.period must be >= rise"):
        Pulse(0.0, 1.0, width=5.0, period=2.0)
    with pytest.raises(ParameterError, match="must be a Waveform"):
        CurrentSource(1.0)
    times = np.linspace(0.0, 200.0, 401)
    pulse = Pulse(0.1, 1.0, delay=10.0, rise=2.0, fall=4.0, width=6.0, period=40.0)
    late = (times - 10.0) % 40.0
    exact = np.where(times < 10.0, 0.1, np.interp(late, [0.0, 2.0, 8.0, 12.0], [0.1, 1.0, 1.0, 0.1]))
    assert np.allclose(pulse.value(times), exact)
    circuit = Circuit()
    circuit.inductor("L1", "a", "0", 1.0)
    circuit.bias("I1", "a", pulse)
    run = simulate(circuit, 200.0, h=0.5, record=["L1"], vary={"I1.delay": [0.0, 3.0], "I1.scale": [1.0, 2.0]})
    assert np.allclose(run.current("L1")[:, 0], pulse.value(run.times), atol=1e-12)
    assert np.allclose(run.current("L1")[:, 1], 2.0 * pulse.value(run.times - 3.0), atol=1e-12)


# ---- noise ----------------------------------------------------------------------------------------------------------

def jitter_of_ten_hops(runs, seed):
    circuit = Circuit("jtl")
    for k in range(20):
        circuit.junction(f"B{k}", f"n{k}", "0", ic=0.25, r=2.743961767, c=0.175)
        circuit.bias(f"I{k}", f"n{k}", ramp(0.175))
        if k:
            circuit.inductor(f"L{k}", f"n{k - 1}", f"n{k}", 4.0)
    circuit.bias("IN", "n0", triangles([30.0], height=0.5, width=3.0))
    run = simulate(circuit, 75.0, temperature=4.2, seed=seed, keys=range(runs))
    times = np.array([run.pulse_time(f"B{k}") for k in range(20)])
    return (times[15] - times[5]).std(ddof=1), (times[1:16] - times[:15]).std(axis=1, ddof=1)


def test_jitter_within_its_confidence():
    found, _ = jitter_of_ten_hops(240, seed=2)
    # two golden figures of 200 and 600 runs, ours of 240: the logarithms of their ratios within three standard errors
    for key, runs in (("josim_10", 200), ("langevin_10", 600)):
        assert abs(math.log(found / GOLDEN["jitter"][key])) < 3.0 * math.sqrt(0.5 / 240 + 0.5 / runs)


@pytest.mark.slow
def test_jitter_of_2000_runs():
    found, hops = jitter_of_ten_hops(2000, seed=1)
    assert abs(found / GOLDEN["jitter"]["josim_10"] - 1.0) < 0.1
    assert abs(found / GOLDEN["jitter"]["langevin_10"] - 1.0) < 0.1
    assert abs(hops[5:].mean() / 0.0365 - 1.0) < 0.1


def test_noise_of_a_resistor_has_the_energy_of_equipartition():
    circuit = Circuit()
    circuit.resistor("R1", "a", "0", 2.0)
    circuit.capacitor("C1", "a", "0", 0.5)
    run = simulate(circuit, 2000.0, h=0.05, temperature=4.2, seed=1, keys=range(16), record=["C1"], every=20)
    v = run.voltage("C1")[50:]
    exact = 1.380649e-5 * 4.2 / 0.5  # <V^2> = k T / C
    assert abs((v**2).mean() / exact - 1.0) < 0.03  # 30,000 samples a time constant apart: 0.8 % standard error


def test_escape_curve_as_josim():
    rows = np.array(GOLDEN["escape"]["rows"])
    curve = escape_probability(0.25 * rows[:, 0], runs=200, seed=7)
    ours, theirs = np.array(curve.passed) / 200, rows[:, 1] / rows[:, 2]
    pooled = (np.array(curve.passed) + rows[:, 1]) / 300
    chi2 = ((ours - theirs) ** 2 / (pooled * (1 - pooled) * (1 / 200 + 1 / 100))).sum()
    from scipy.stats import chi2 as law

    assert law.sf(chi2, len(rows)) > 0.01
    fit = GOLDEN["escape"]["fit"]
    assert abs(1000 * curve.mean - fit["mean"]) < 1.0 and abs(1000 * curve.sigma / fit["sigma"] - 1.0) < 0.2
    assert abs(1000 * threshold(resolution=2e-5) - GOLDEN["escape"]["threshold_uA"]) < 0.05


def test_fit_of_an_escape_curve():
    exact = EscapeCurve([0.1, 0.2], [1, 99], [100, 100], 4.2)
    bias = np.linspace(0.1, 0.2, 9)
    passed = np.round(1e6 * exact.probability(bias)).astype(int)
    again = EscapeCurve(bias, passed, np.full(9, 10**6), 4.2)
    assert again.mean == pytest.approx(exact.mean, abs=1e-6) and again.sigma == pytest.approx(exact.sigma, rel=1e-4)
    assert exact.bias_for(exact.probability(0.13)) == pytest.approx(0.13)
    with pytest.raises(ParameterError, match="all pulses passed, or none"):
        EscapeCurve([0.1], [0], [10], 4.2)


# ---- margins, spread, timing ----------------------------------------------------------------------------------------

def test_margins_are_where_the_circuit_fails():
    circuit = bench("dff", {"a": [30.0], "clk": [60.0, 90.0]})
    nominal = simulate(circuit, 120.0, h=0.1)
    assert nominal.fluxons("OUT_q.B2") == 1
    works = SamePulses(nominal, ["OUT_q.B2", "IN_a.B2", "IN_clk.B2"], within=5.0)
    found = margins(circuit, {"bias": "DUT.IB*.scale", "B4": "DUT.B4.area", "storage": "DUT.L3.l"}, works, 120.0,
                    h=0.1, resolution=0.01)
    for margin, key in zip(found, ("DUT.IB*.scale", "DUT.B4.area", "DUT.L3.l"), strict=True):
        assert margin.low < -0.15 and margin.high > 0.1
        for side, open_ in ((margin.low, margin.low_at_reach), (margin.high, margin.high_at_reach)):
            factors = 1.0 + side + np.array([0.0, 0.0 if open_ else 0.012 * np.sign(side)])
            ok = works(simulate(circuit, 120.0, h=0.1, vary={key: factors}))
            assert ok[0] and ok[1] == open_
    with pytest.raises(ParameterError, match="does not work with its nominal values"):
        margins(circuit, {"bias": "DUT.IB*.scale"}, lambda run: np.zeros(run.lanes, bool), 120.0, h=0.1)


def test_spread_and_yield():
    circuit = bench("jtl", {"a": [30.0]})
    vary = spread(circuit, {"DUT.B*.area": 0.1}, 400, common={"*.l": 0.05}, seed=3)
    assert np.array_equal(vary["DUT.L1.l"], vary["DUT.L2.l"])
    assert not np.array_equal(vary["DUT.B1.area"], vary["DUT.B2.area"])
    assert abs(vary["DUT.B1.area"].std() - 0.1) < 0.015 and abs(vary["DUT.B1.area"].mean() - 1.0) < 0.02
    works = SamePulses(simulate(circuit, 60.0, h=0.1), ["OUT_q.B2"])
    good = monte_carlo(circuit, {"*.area": 0.02, "*.l": 0.02}, works, 60.0, h=0.1, runs=24)
    bad = monte_carlo(circuit, {"*.area": 0.4, "*.l": 0.4}, works, 60.0, h=0.1, runs=24)
    assert good.fraction == 1.0 and good.low > 0.8 and good.high > 0.999
    assert bad.fraction < 1.0 and bad.low < bad.fraction < bad.high
    with pytest.raises(ParameterError, match="fits no element"):
        spread(circuit, {"*.width": 0.1}, 3)


def test_timing_of_cells():
    dff = extract_timing("dff", runs=0, temperature=0.0)
    assert abs(dff["delay"]["clk, q"] - 6.3) < 0.5  # RSFQlib: 6.3 ps
    # JoSIM: the last row that waits for the next clock and the first that is read, at the junctions of the cell
    assert -0.5 < dff["threshold"]["a"] < 0.5 and dff["hold"]["a"] == -dff["threshold"]["a"]
    assert dff["threshold"]["a"] < dff["setup"]["a"] < 3.0
    merger = extract_timing("merger", runs=0, temperature=0.0, resolution=0.05)
    assert abs(merger["delay"]["a, q"] - 9.0) < 0.5  # RSFQlib: 9.0 ps
    assert 5.0 < merger["spacing"]["a, b"] < 6.0  # JoSIM: merged at 5 ps, two outputs at 6 ps
    json.dumps(merger)


def test_names_of_circuits():
    circuit = loop()
    assert circuit.element("b1") == Junction(ic=0.25, r=2.0, c=0.175)
    assert circuit.replace("b1", ic=0.3).element("B1").ic == 0.3 and circuit.element("B1").ic == 0.25
    assert repr(circuit) == "Circuit('test': 1 junction, 1 current source, 1 node)"
    assert circuit.node("A") == "a" and circuit.node("gnd") == "0"
    cell = Circuit("cell", ["p", "q"])
    cell.inductor("L1", "p", "inner", 1.0)
    cell.inductor("L2", "inner", "q", 1.0)
    circuit.include("X1", cell, "a", q="0")
    assert circuit.find("x1.l1")[:3] == ("X1.L1", "a", "X1.inner")
