"""The mathematics of the event-driven mode: convolutions of exponentials, and first crossings that are never missed."""

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import neurosim as ns
from neurosim.event import loop
from neurosim.event.planner import EventPlanner


@pytest.fixture(scope="module")
def compiled():
    """The functions of the compiled loop, callable from Python."""
    return loop.compiled().module


def convolution(rates, t):
    """The convolution of exponentials with 90 digits, by divided differences; equal rates are moved apart by 1e-25."""
    getcontext().prec = 90
    rates = [Decimal(rate) + Decimal(k) * Decimal("1e-25") for k, rate in enumerate(rates)]
    total = Decimal(0)
    for k, rate in enumerate(rates):
        product = Decimal(1)
        for j, other in enumerate(rates):
            product *= other - rate if j != k else 1
        total += (-rate * Decimal(t)).exp() / product
    return float(total)


@settings(max_examples=150, deadline=None)
@given(st.floats(0.0, 2.0), st.floats(0.01, 2.0), st.floats(0.01, 2.0), st.floats(1e-3, 20.0),
       st.sampled_from([1.0, 1e-3, 1e-9, 0.0]))
def test_convolutions_with_rates_that_differ_a_lot_little_or_not(compiled, a, b, c, t, closeness):
    b, c = a + (b - a) * closeness, a + (c - a) * closeness
    assert compiled.two(a, b, t) == pytest.approx(convolution([a, b], t), rel=1e-14)
    assert compiled.three(a, b, c, t) == pytest.approx(convolution([a, b, c], t), rel=2e-14)
    assert compiled.three(c, a, b, t) == pytest.approx(compiled.three(a, b, c, t), rel=2e-14)


def searcher(model, receptors):
    """Return a function of the state (v, then i and rise of each receptor) to the first crossing, and the system's
    matrix."""
    net = ns.Network()
    cell = net.add(model, 1, name="cell")
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=1, duration=1.0)), name="source")
    for receptor in receptors:
        net.connect(source, cell, weight=1.0, receptor=receptor)
    plan = EventPlanner(net, 0).plan().populations[cell]
    numbers = plan.form
    names = list(numbers.columns)
    table = numbers.table().ravel()
    n = len(numbers.chains)
    room = np.zeros(500), np.zeros((50, 2), dtype=np.int64), np.zeros(50), np.zeros(50)

    def search(state):
        row = np.zeros(numbers.width)
        row[4] = numbers.drift
        for name, value in state.items():
            row[numbers.columns[name]] = value
        where = row, 0, table, 0, n, numbers.stride, numbers.first
        found = loop.compiled().module.first_crossing(*where, *room)
        assert loop.compiled().module.earliest(*where) <= found  # the bound that is tried first is never too late
        return found

    linear = model.linear(plan.parameters)
    index = {name: k for k, name in enumerate(["v", *(name for name in names if name != "v"), "one"])}
    matrix = np.zeros((len(index), len(index)))
    for (row, column), value in linear.matrix.items():
        matrix[index[row], index[column]] += value
    matrix[index["v"], index["one"]] = linear.constant["v"]
    for k, (receptor, q) in enumerate(plan.ports):
        own = receptor.linear(q)
        for (row, column), value in own.matrix.items():
            matrix[index[f"p{k}_{row}"], index[f"p{k}_{column}"]] += value
        for name, value in own.output.items():
            matrix[index["v"], index[f"p{k}_{name}"]] += linear.current["v"] * value
    return search, matrix, index


def dense(matrix, index, state, horizon, points):
    """Return times and v - theta on a grid, by one matrix exponential."""
    step = expm(matrix * horizon / points)
    x = np.zeros(len(index))
    x[index["one"]] = 1.0
    for name, value in state.items():
        x[index[name]] = value
    values = [x]
    for _ in range(points):
        values.append(step @ values[-1])
    values = np.array(values)
    theta = values[:, index["theta"]] if "theta" in index else 0.0
    return np.linspace(0.0, horizon, points + 1), values[:, index["v"]] - theta


CASES = {
    "no receptor": (lambda bias: ns.LIF(i_bias=bias), []),
    "exponential": (lambda bias: ns.LIF(i_bias=bias), [ns.ExponentialCurrent(2.0)]),
    "exponential, equal rates": (lambda bias: ns.LIF(i_bias=bias), [ns.ExponentialCurrent(10.0)]),
    "exponential, nearly equal rates": (lambda bias: ns.LIF(i_bias=bias), [ns.ExponentialCurrent(10.0 + 1e-7)]),
    "two exponentials": (lambda bias: ns.LIF(i_bias=bias), [ns.ExponentialCurrent(2.0), ns.ExponentialCurrent(25.0)]),
    "three exponentials": (lambda bias: ns.LIF(i_bias=bias), [ns.ExponentialCurrent(1.0), ns.ExponentialCurrent(5.0),
                                                               ns.ExponentialCurrent(40.0)]),
    "alpha": (lambda bias: ns.LIF(i_bias=bias), [ns.AlphaCurrent(3.0)]),
    "alpha, equal rates": (lambda bias: ns.LIF(i_bias=bias), [ns.AlphaCurrent(10.0)]),
    "alpha and exponential": (lambda bias: ns.LIF(i_bias=bias), [ns.AlphaCurrent(3.0), ns.ExponentialCurrent(8.0)]),
    "double exponential": (lambda bias: ns.LIF(i_bias=bias), [ns.DoubleExponentialCurrent(1.0, 8.0)]),
    "adaptive": (lambda bias: ns.AdaptiveLIF(i_bias=bias, tau_theta=30.0), [ns.ExponentialCurrent(5.0)]),
    "without leak": (lambda bias: ns.IntegrateAndFire(i_bias=bias), [ns.ExponentialCurrent(5.0), ns.AlphaCurrent(3.0)]),
}


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_crossing_is_missed_and_none_is_early(case, data):
    make, receptors = CASES[case]
    bias = data.draw(st.sampled_from([0.0, -30.0, 100.0, 149.0, 150.0, 151.0, 300.0]), "i_bias")
    search, matrix, index = searcher(make(bias), receptors)
    state = {"v": data.draw(st.floats(-80.0, -55.1), "v")}
    for name in index:
        if name.startswith("p"):
            state[name] = data.draw(st.floats(-600.0, 900.0), name)
        if name == "theta":
            state[name] = data.draw(st.floats(0.0, 20.0), name)
    found = search(state)
    horizon = 400.0 if found == np.inf else min(found, 400.0)
    times, distance = dense(matrix, index, state, horizon, 4000)
    before = distance[:-1] if found <= 400.0 else distance
    assert before.max() <= -55.0 + 1e-9  # nothing above the threshold was passed over
    if found <= 400.0:
        assert distance[-1] == pytest.approx(-55.0, abs=1e-9)
        after = dense(matrix, index, state, found * (1.0 + 1e-6) + 1e-6, 1)[1][-1]
        assert after > -55.0 - 1e-9  # and it is a crossing from below


def test_a_bump_between_two_dips_is_found():
    """Excitation that is short and strong between two kinds of inhibition: f has three extrema."""
    make, receptors = CASES["three exponentials"]
    search, matrix, index = searcher(make(0.0), receptors)
    state = {"v": -60.0, "p0_i_syn": -1500.0, "p1_i_syn": 1120.0, "p2_i_syn": -180.0}
    found = search(state)
    times, distance = dense(matrix, index, state, 60.0, 60000)
    above = np.flatnonzero(distance > -55.0)
    assert above.size and found == pytest.approx(times[above[0]], abs=1.1e-3)


def test_a_peak_just_below_the_threshold_does_not_count_and_one_just_above_does():
    search, matrix, index = searcher(ns.LIF(), [ns.ExponentialCurrent(5.0)])
    # v peaks at v_leak + r i (s / m)^(-m / (m - s)) ... with tau 10 and 5 ms the factor is 1 / 4
    peak = 15.0 / (0.1 * 0.25)
    assert search({"v": -70.0, "p0_i_syn": peak * (1.0 - 1e-12)}) == np.inf
    assert search({"v": -70.0, "p0_i_syn": peak * (1.0 + 1e-12)}) == pytest.approx(10.0 * np.log(2.0), abs=1e-4)


def test_the_crossing_of_an_exponential_current_to_the_last_digits():
    """Against bisection of the closed form with 50 digits."""
    getcontext().prec = 50
    search, _, _ = searcher(ns.LIF(i_bias=40.0), [ns.ExponentialCurrent(3.0)])
    v, i = Decimal("-68.25"), Decimal(900)

    def distance(t):
        t = Decimal(t)
        slow, fast = (-t / 10).exp(), (-t / 3).exp()
        return -66 + (v + 66) * slow + Decimal("0.1") * i * (slow - fast) * 3 / 7 + 55

    low, high = Decimal(0), Decimal("4")
    assert distance(low) < 0 < distance(high)
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (middle, high) if distance(middle) < 0 else (low, middle)
    assert abs(Decimal(search({"v": float(v), "p0_i_syn": float(i)})) - low) < Decimal("1e-13")


def test_names_of_the_text_do_not_clash():
    """The constants of three modules meet in one text."""
    from neurosim.event import adaptive, exponentials

    seen = {}
    for module in (loop, adaptive, exponentials):
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, (int, float)):
                assert seen.setdefault(name, value) == value, name
