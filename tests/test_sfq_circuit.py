"""The circuit level of SFQ: other simulators, exact solutions, properties."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.sfq.circuit import (
    PHI0,
    Circuit,
    PiecewiseLinear,
    Sine,
    beta_c,
    operating_point,
    ramp,
    simulate,
    triangles,
)
from hardware_models.sfq.circuit.bodies import crossing, sin_turns
from hardware_models.sfq.circuit.cells import bench

GOLDEN = json.loads((Path(__file__).parent / "golden" / "sfq_circuit.json").read_text(encoding="utf-8"))
IC, R, C = 0.25, 2.743961767, 0.175


def jtl(bias=0.7, junctions=20):
    circuit = Circuit("jtl")
    for k in range(junctions):
        circuit.junction(f"B{k}", f"n{k}", "0", ic=IC, r=R, c=C)
        circuit.bias(f"I{k}", f"n{k}", ramp(IC * bias))
        if k:
            circuit.inductor(f"L{k}", f"n{k - 1}", f"n{k}", 4.0)
    circuit.bias("IN", "n0", triangles([30.0], height=0.5, width=3.0))
    return circuit


def crossings(run, junctions=20):
    return np.array([run.pulse_time(f"B{k}") for k in range(junctions)])


def one_junction(ic=0.1, r=2.0, c=1e-4):
    """A junction with a bias of 1 mA times its scale."""
    circuit = Circuit("one junction")
    circuit.junction("B1", "a", "0", ic=ic, r=r, c=c)
    circuit.bias("I1", "a", ramp(1.0))
    return circuit


# ---- golden data ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("bias", list(GOLDEN["jtl"]))
def test_jtl_as_josim(bias):
    golden = GOLDEN["jtl"][bias]
    run = simulate(jtl(float(bias)), 200.0, h=0.02, record=["B9"])
    times = crossings(run)
    assert np.abs(times - golden["cross"]).max() < 0.001
    assert abs(np.diff(times[5:16]).mean() - golden["delay"]) < 0.0002
    assert run.fluxons("B9") == 1
    v, phase = run.voltage("B9"), run.phase("B9")
    assert abs(v.max() - golden["peak_mV"]) < 0.001
    before = np.searchsorted(run.times, 29.0)
    assert abs((phase[-1] - phase[before]) / (2 * math.pi) - 1.0) < 1e-6  # the area of the pulse is Phi0
    steps = np.diff(run.times[before:])
    area = (0.5 * (v[before:-1] + v[before + 1:]) * steps).sum()
    assert abs(area / PHI0 - 1.0) < 1e-6


def test_error_against_an_ode_solver_falls_with_the_square_of_the_step():
    errors = [np.abs(crossings(simulate(jtl(), 80.0, h=h)) - GOLDEN["ode"]).max() for h in (0.02, 0.05, 0.1)]
    assert errors[0] < 2.5e-4 and errors[1] < 8e-4 and errors[2] < 3e-3  # the reference has four decimals
    assert 3.0 < errors[2] / errors[1] < 5.0


def test_rsj_curve():
    i = np.array([row[0] for row in GOLDEN["rsj"]])
    run = simulate(one_junction(), 400.0, h=0.02, vary={"I1.scale": 0.1 * i})
    for found, (ratio, josim, _) in zip(run.pulses("B1"), GOLDEN["rsj"], strict=True):
        exact = 0.2 * math.sqrt(max(ratio * ratio - 1.0, 0.0))  # Ic R sqrt(i^2 - 1), mV
        if ratio < 1.0:
            assert len(found) == 0
            continue
        late = found[found > 50.0]
        mean = PHI0 * (len(late) - 1) / (late[-1] - late[0])
        assert abs(mean / exact - 1.0) < 1e-4
        assert abs(mean / (1000.0 * josim) - 1.0) < 2e-4


def test_jtl_and_splitter_cells_as_josim():
    run = simulate(bench("jtl", {"a": GOLDEN["jtl_cell"]["I_a"]}), 200.0)
    for name, key in (("DUT.B1", "B1"), ("DUT.B2", "B2"), ("OUT_q.B1", "LOADOUT_B1")):
        assert np.abs(run.pulses(name) - GOLDEN["jtl_cell"][key]).max() < 0.005
    run = simulate(bench("splitter", {"a": [50.0, 100.0, 150.0]}), 200.0)
    for name, key in (("DUT.B1", "B1"), ("DUT.B2", "B2"), ("DUT.B3", "B3"), ("OUT_q1.B1", "LOADOUT_q1")):
        assert np.abs(run.pulses(name) - GOLDEN["splitter"][key]).max() < 0.005


def test_merger_as_josim():
    rows = GOLDEN["merger"]
    run = simulate(bench("merger", {"a": [100.0], "b": [100.0]}), 180.0, vary={"I_b.delay": [r["dt_in"] for r in rows]})
    for name, key in (("DUT.B1", "B1"), ("DUT.B4", "B4"), ("DUT.B7", "B7"), ("OUT_q.B1", "q")):
        for row, found in zip(rows, run.pulses(name), strict=True):
            assert len(found) == len(row[key]), (row["dt_in"], name)  # merged up to 5 ps, two outputs from 6 ps on
            # 0.02 ps where the pulses are apart; the second of two close ones depends on the last of the first's
            # ringing, which the second-order backward formula damps and the trapezoidal rule does not
            assert np.abs(found - row[key]).max() < 0.05


def test_dff_as_josim():
    rows = GOLDEN["dff"]
    for row in rows[::3]:
        run = simulate(bench("dff", {"a": [100.0], "clk": [100.0 + row["dt"], 250.0]}), 280.0)
        for name, key in (("DUT.B1", "a"), ("DUT.B5", "clk"), ("DUT.B7", "q"), ("OUT_q.B1", "qload")):
            assert np.abs(run.pulses(name) - row[key]).max() < 0.01
    read = [abs(row["q"][0] - row["clk"][0]) < 10.0 for row in rows]
    assert read.index(True) == 7 and all(read[7:])  # late data comes out one clock later


# ---- exact solutions ------------------------------------------------------------------------------------------------

def overdamped_voltage(i, z, terms=200):
    """Mean of i - sin(phi) in the stationary state of dphi = (i - sin phi) dt + sqrt(2 / z) dW, by Fourier series."""
    n = np.arange(-terms, terms + 1)
    matrix = np.diag(i - 1j * n / z) + 0j
    matrix += np.diag(np.full(2 * terms, -0.5j * -1.0), -1) + np.diag(np.full(2 * terms, -0.5j), 1)
    right = np.zeros(2 * terms + 1, complex)
    # (i - sin phi) w - w' / z = J; unknowns w_n with w_0 = 1 / 2 pi given, J instead
    column = matrix[:, terms].copy() / (2 * np.pi)
    matrix[:, terms] = 0.0
    matrix[terms, terms] = -1.0
    return float((2 * np.pi * np.linalg.solve(matrix, right - column)[terms]).real)


def test_the_reference_curve_itself():
    assert abs(overdamped_voltage(1.5, 300.0, 300) - math.sqrt(1.25)) < 0.01  # without noise
    from scipy.special import iv

    z, i = 3.0, 0.0
    small = overdamped_voltage(1e-6, z) / 1e-6
    assert abs(small - 1.0 / iv(0, z) ** 2) < 1e-6 and i == 0.0  # Ambegaokar, Halperin: R0 / R = I0(z)^-2


@pytest.mark.parametrize("z", [2.0, 8.0])
def test_ambegaokar_halperin_curve(z):
    temperature = 0.1 * PHI0 / (2 * np.pi) / (1.380649e-5 * z)
    i = np.array([0.7, 0.9, 1.2])
    lanes, length = 40, 1000.0
    run = simulate(one_junction(), length, h=0.05, temperature=temperature, seed=3, keys=range(3 * lanes),
                   vary={"I1.scale": np.repeat(0.1 * i, lanes)}, record=["B1"], every=1000)
    phase = run.phase("B1")
    start = 2
    v = (phase[-1] - phase[start]) / (run.times[-1] - run.times[start]) * PHI0 / (2 * np.pi) / 0.2
    v = v.reshape(3, lanes)
    error = v.std(axis=1, ddof=1) / math.sqrt(lanes)
    exact = np.array([overdamped_voltage(each, z) for each in i])
    assert (0.0 < error).all() and (error < 0.02).all()
    assert (np.abs(v.mean(axis=1) - exact) < 4.0 * error).all()


def homoclinic_bias(beta):
    """Bias at which the trajectory from one saddle of the pendulum ends at the next: the retrapping current over Ic."""
    from scipy.integrate import solve_ivp

    a = 1.0 / math.sqrt(beta)

    def passes(i):
        saddle = math.pi - math.asin(i)
        rate = 0.5 * (-a + math.sqrt(a * a + 4.0 * math.cos(math.asin(i))))
        ends = [lambda t, y: y[0] - saddle - 2 * math.pi, lambda t, y: y[1]]
        for each in ends:
            each.terminal = True
        done = solve_ivp(lambda t, y: (y[1], i - math.sin(y[0]) - a * y[1]), (0, 200),
                         [saddle + 1e-5, 1e-5 * rate], events=ends, rtol=1e-9, atol=1e-12)
        return len(done.t_events[0]) > 0

    low, high = 0.01, 0.99
    while high - low > 1e-4:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if passes(middle) else (middle, high)
    return 0.5 * (low + high)


@pytest.mark.parametrize("beta", [4.0, 25.0])
def test_retrapping_current(beta):
    exact = homoclinic_bias(beta)
    if beta == 25.0:
        assert abs(exact - 4.0 / (math.pi * math.sqrt(beta))) < 0.005  # Stewart, McCumber: the limit of small damping
    r = R * math.sqrt(beta / beta_c(IC, R, C))
    circuit = one_junction(IC, r, C)
    circuit.bias("KICK", "a", PiecewiseLinear([0.0, 5.0, 50.0, 250.0], [0.0, IC, IC, 0.0]))
    run = simulate(circuit, 600.0, h=0.05, vary={"I1.scale": IC * exact * np.array([0.985, 1.015])})
    rotating = [bool((each > 550.0).any()) for each in run.pulses("B1")]
    assert rotating == [False, True]


def test_ac_josephson_effect_and_voltage_sources():
    circuit = Circuit()
    circuit.junction("B1", "a", "0", ic=0.1, r=2.0, c=0.07)
    circuit.voltage("V1", "a", "0", 0.5)
    run = simulate(circuit, 100.0, h=0.05, record=["B1"])
    assert np.allclose(run.phase("B1"), 2 * math.pi * 0.5 * run.times / PHI0, atol=1e-9)
    assert np.allclose(np.diff(run.pulses("B1")), PHI0 / 0.5, atol=1e-9)


def test_charging_of_rl_and_rc():
    circuit = Circuit()
    circuit.voltage("V1", "s", "0", 1.0)
    circuit.resistor("R1", "s", "a", 2.0)
    circuit.inductor("L1", "a", "0", 10.0)
    circuit.resistor("R2", "s", "b", 3.0)
    circuit.capacitor("C1", "b", "0", 2.0)
    run = simulate(circuit, 30.0, h=0.02, record=["L1", "C1", "R1"], nodes=["b"])
    assert np.abs(run.current("L1") - 0.5 * (1.0 - np.exp(-run.times / 5.0))).max() < 1e-4
    late = run.times > 0.2
    exact = 1.0 - np.exp(-run.times / 6.0)
    assert np.abs(run.voltage("C1") - exact)[late].max() < 2e-3  # the source jumps at t = 0, within the first step
    assert np.abs(run.voltage("b") - run.voltage("C1"))[late].max() < 1e-3
    assert np.abs(run.current("R1") - run.current("L1")).max() < 3e-3


def test_floating_voltage_source_and_sine():
    circuit = Circuit()
    circuit.resistor("R1", "a", "0", 2.0)
    circuit.resistor("R2", "b", "0", 3.0)
    circuit.voltage("V1", "a", "b", Sine(0.5, 2.0, frequency=0.1, delay=3.0))
    run = simulate(circuit, 40.0, h=0.01, record=["R1", "R2"])
    v = Sine(0.5, 2.0, frequency=0.1, delay=3.0).value(run.times)
    assert np.abs(run.current("R1") - v / 5.0)[10:].max() < 2e-3
    assert np.abs(run.current("R1") + run.current("R2"))[10:].max() < 1e-9


def test_mutual_inductance_keeps_the_flux_of_a_closed_loop():
    circuit = Circuit()
    circuit.inductor("L1", "a", "0", 8.0)
    circuit.inductor("L2", "b", "0", 2.0)
    circuit.inductor("L3", "b", "c", 3.0)
    circuit.inductor("L4", "c", "0", 1.0)
    circuit.mutual("K1", "L1", "L2", 0.5)
    circuit.bias("I1", "a", ramp(0.3))
    run = simulate(circuit, 20.0, h=0.1, record=["L1", "L3"])
    m = 0.5 * math.sqrt(16.0)
    assert abs(run.current("L1")[-1] - 0.3) < 1e-12
    assert abs(run.current("L3")[-1] - m * 0.3 / 6.0) < 1e-12  # flux 0: (L2 + L3 + L4) I = M I1, out of L2 through L3


def test_energy_is_delivered_dissipated_and_stored():
    balances = []
    for h in (0.05, 0.025):
        run = simulate(jtl(junctions=6), 90.0, h=h, energy=True)
        delivered = sum(run.delivered(name) for name in [*(f"I{k}" for k in range(6)), "IN"])
        dissipated = sum(run.dissipated(f"B{k}") for k in range(6))
        balances.append(delivered - dissipated - run.stored())
        assert dissipated > 4 * IC * 0.7 * PHI0  # a junction that switches takes about its bias times Phi0
    assert abs(balances[0]) < 2e-3 and abs(balances[1]) < 0.35 * abs(balances[0])


def test_operating_point():
    circuit = jtl()
    circuit = Circuit("dc")
    circuit.junction("B1", "a", "0", ic=0.25, r=2.0, c=0.1)
    circuit.junction("B2", "b", "0", ic=0.20, r=2.0, c=0.1)
    circuit.inductor("L1", "a", "b", 3.0)
    circuit.voltage("V1", "s", "0", 2.6)
    circuit.resistor("R1", "s", "r", 13.0)
    circuit.inductor("L2", "r", "b", 1.0)
    found = operating_point(circuit)
    assert abs(found["L2"] - 0.2) < 1e-12
    assert abs(0.25 * math.sin(found["B1"]) + 0.20 * math.sin(found["B2"]) - 0.2) < 1e-12
    assert abs(found["L1"] - (found["B1"] - found["B2"]) * PHI0 / (2 * math.pi) / 3.0) < 1e-12
    run = simulate(circuit, 20.0, h=0.05, start="operating_point", record=["B1", "B2"])
    assert np.ptp(run.phase("B1")) < 1e-7 and abs(run.phase("B2")[-1] - found["B2"]) < 1e-7


# ---- steps and lanes ------------------------------------------------------------------------------------------------

def test_adaptive_steps_agree_and_are_fewer():
    fixed = simulate(jtl(), 200.0, h=0.02, record=["B3"])
    adaptive = simulate(jtl(), 200.0, h=0.02, h_max=0.16, accuracy=2e-5, record=["B3"])
    assert np.abs(crossings(adaptive) - crossings(fixed)).max() < 0.002
    assert adaptive.times.size < 0.5 * fixed.times.size
    assert set(np.diff(adaptive.times).round(6)) <= {0.02, 0.04, 0.08, 0.16}
    assert abs(adaptive.times[-1] - 200.0) < 1e-9


def test_a_lane_is_the_same_alone_and_among_others():
    options = {"h": 0.2, "temperature": 4.2, "seed": 5}  # a step at which the sines are taken more than once
    many = simulate(jtl(junctions=6), 60.0, keys=range(13), vary={"L*.l": np.linspace(0.7, 1.3, 13)}, **options)
    for lane in (0, 7, 12):
        one = simulate(jtl(junctions=6), 60.0, keys=[lane], vary={"L*.l": np.linspace(0.7, 1.3, 13)[lane]}, **options)
        for k in range(6):
            assert np.array_equal(one.pulses(f"B{k}")[0], many.pulses(f"B{k}")[lane])


def test_the_number_of_threads_changes_nothing_and_the_seed_does():
    runs = [simulate(jtl(junctions=4), 50.0, temperature=4.2, seed=seed, keys=range(20), threads=threads)
            for seed, threads in ((1, 1), (1, 3), (2, 1))]
    times = [run.pulse_time("B3") for run in runs]
    assert np.array_equal(times[0], times[1]) and not np.array_equal(times[0], times[2])


def test_lanes_are_circuits_with_other_values():
    factors = np.array([0.8, 1.0, 1.1])
    run = simulate(jtl(junctions=5), 60.0, vary={"B*.ic": factors, "L2.l": factors, "IN.delay": [0.0, 1.0, 2.0]})
    for lane, factor in enumerate(factors):
        circuit = jtl(junctions=5)
        for k in range(5):
            circuit = circuit.replace(f"B{k}", ic=IC * factor)
        circuit = circuit.replace("L2", l=4.0 * factor)
        circuit = circuit.replace("IN", waveform=triangles([30.0 + lane], height=0.5, width=3.0))
        alone = simulate(circuit, 60.0)
        assert np.allclose(alone.pulses("B4"), run.pulses("B4")[lane], atol=1e-12)


def test_many_pulses_are_all_kept():
    run = simulate(one_junction(), 3000.0, h=0.05, vary={"I1.scale": [1.0]})  # i = 10: a pulse every ps
    expected = 0.2 * math.sqrt(99.0) * 3000.0 / PHI0
    assert abs(len(run.pulses("B1")[0]) - expected) < 10
    assert run.fluxons("B1")[0] == len(run.pulses("B1")[0])
    back = simulate(one_junction(), 200.0, h=0.05, vary={"I1.scale": [-0.2]})
    assert back.fluxons("B1")[0] == -len(back.pulses("B1", sign=-1)[0]) < -5


def test_junctions_above_the_gap_follow_the_normal_resistance():
    circuit = Circuit()
    circuit.junction("B1", "a", "0", ic=0.1, c=0.07, r=160.0, r_normal=16.0)
    circuit.bias("I1", "a", ramp(1.0, 50.0))
    run = simulate(circuit, 400.0, h=0.02, vary={"I1.scale": [0.15, 0.3]}, record=["B1"], every=10)
    late = run.times > 300.0
    v = run.voltage("B1")[late].mean(axis=0)
    assert 2.75 - 0.05 < v[0] < 2.85 + 0.05  # on the rise at the gap
    assert abs(v[1] / 4.8 - 1.0) < 0.01  # 0.3 mA through 16 ohm


# ---- scalar functions -----------------------------------------------------------------------------------------------

@settings(deadline=None)
@given(st.floats(-1e4, 1e4))
def test_sine_of_turns(u):
    r = u - math.floor(u + 0.5)
    assert abs(sin_turns(u) - math.sin(2 * math.pi * r)) < 1e-15


@settings(deadline=None)
@given(st.floats(0.01, 5.0), st.floats(-0.5, 1.0), st.floats(0.0, 1.0))
def test_crossing_of_a_cubic(slope, bend, place):
    h = 0.1

    def f(t):
        return slope * t + bend * slope * t * t + 0.3 * slope * t**3

    level = f(0.0) + place * (f(h) - f(0.0))
    t = crossing(0.0, slope, f(h), slope * (1 + 2 * bend * h + 0.9 * h * h), h, level)
    assert abs(f(t) - level) < 1e-9 * slope


# ---- another rule for the same circuit ------------------------------------------------------------------------------

def by_backward_differences(circuit, duration, h, names):
    """Return first crossings of pi with the second-order backward formula, by scipy, from the same matrices."""
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import splu

    from hardware_models.sfq.circuit.assembly import Assembly
    from hardware_models.sfq.circuit.values import Values

    a = Assembly(circuit)
    values, turn, k = Values(a), 2 * math.pi / PHI0, 1.5 / h

    def incidence(plus, minus):
        matrix = np.zeros((len(plus), a.n + 1))
        matrix[np.arange(len(plus)), plus] += 1.0
        matrix[np.arange(len(plus)), minus] -= 1.0
        return matrix[:, :a.n]

    ic, g, c, l = (each[:, 0] for each in (values.ic, values.g, values.c, values.l))
    branches, coils = incidence(a.plus, a.minus), incidence(*np.array(a.inductor_ends).T)
    feeds = incidence([a.place(s.minus) for s in a.sources], [a.place(s.plus) for s in a.sources]).T
    solver = splu(csc_matrix(branches.T @ ((c * k * k + g * k)[:, None] * branches) + coils.T @ (coils / l[:, None])))
    branches = csc_matrix(branches)
    clock = h * np.arange(1, round(duration / h) + 1)
    drive = feeds @ np.array([s.element.waveform.value(clock) for s in a.sources])
    flux, v, found = np.zeros((3, len(ic))), np.zeros((2, len(ic))), {}
    for step, t in enumerate(clock):
        old, old_v = (4 * flux[0] - flux[1]) / (2 * h), (4 * v[0] - v[1]) / (2 * h)
        new = 3 * flux[0] - 3 * flux[1] + flux[2]
        for _ in range(2):
            new = branches @ solver.solve(drive[:, step] - branches.T @ (
                ic * np.sin(turn * new) - g * old - c * (k * old + old_v)))
        for name in names:
            at = a.index[name.casefold()]
            if flux[0, at] < PHI0 / 2 <= new[at]:
                found[name] = t - h * (new[at] - PHI0 / 2) / (new[at] - flux[0, at])
        flux, v = np.array([new, flux[0], flux[1]]), np.array([k * new - old, v[0]])
    return found


def test_what_is_left_between_josim_and_us_is_the_error_of_its_step():
    row = next(row for row in GOLDEN["merger"] if row["dt_in"] == 20)
    circuit = bench("merger", {"a": [100.0], "b": [120.0]})
    names = ["DUT.B1", "DUT.B4", "DUT.B7"]
    backward = by_backward_differences(circuit, 140.0, 0.05, names)
    for name, key in zip(names, ("B1", "B4", "B7"), strict=True):
        assert abs(backward[name] - row[key][0]) < 0.002
    coarse, fine = (simulate(circuit, 140.0, h=h).pulses("DUT.B4")[0] for h in (0.05, 0.0125))
    assert abs(fine - row["B4"][0]) > 0.03 and abs(coarse - fine) < 0.012
