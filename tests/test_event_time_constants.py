"""The event-driven mode with time constants from 0.01 to 10,000 ms: however far apart, no crossing is missed."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from neuron_runs import fine_times
from test_event_crossing import searcher

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.contracts import Linear, State
from neurosim.receptors import Receptor

TAU = st.floats(-2.0, 4.0).map(lambda power: float(10.0**power))


class SlowRise(Receptor):
    """A current whose rise is slower than its decay, so that its variables are a pair in the other order."""

    tau_rise = Parameter(10.0, "ms", above=0)
    tau_syn = Parameter(1.0, "ms", above=0)
    state = {"i_syn": State(0.0), "rise": State(0.0)}

    def linear(self, p):
        return Linear(matrix={("i_syn", "i_syn"): -1.0 / p.tau_syn, ("i_syn", "rise"): 1.0,
                              ("rise", "rise"): -1.0 / p.tau_rise}, arrival={"rise": 1.0}, output={"i_syn": 1.0})


def pair(a, b):
    """The convolution of exp(-a t) and exp(-b t) as a function of t."""
    if a == b:
        return lambda t: t * np.exp(-a * t)
    return lambda t: (np.exp(-a * t) - np.exp(-b * t)) / (b - a)


def triple(a, b, m):
    """The convolution of exp(-a t), exp(-b t) and exp(-m t), with m unlike the others, as a function of t."""
    if a == b:
        return lambda t: (pair(a, m)(t) - t * np.exp(-a * t)) / (a - m)
    return lambda t: (pair(a, m)(t) - pair(b, m)(t)) / (b - a)


def membrane(tau_mem, v, target, currents):
    """v as a function of t from its partial fractions, in 80-bit numbers; currents are (i, rise, tau, tau_rise)."""
    m, r = 1.0 / np.longdouble(tau_mem), np.longdouble(0.1)
    parts = []
    for i, rise, tau, tau_rise in currents:
        s, q = 1.0 / np.longdouble(tau), 1.0 / np.longdouble(tau_rise)
        parts.append((r * m * i, pair(s, m)))
        if rise:
            parts.append((r * m * rise, triple(q, s, m)))
    return lambda t: target + (v - target) * np.exp(-m * t) + sum(weight * part(t) for weight, part in parts)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_crossings_with_any_time_constants(data):
    """The threshold lies just below or just above the largest v: it is crossed, where v first reaches it, or never."""
    tau_mem, receptors, state, currents = data.draw(TAU, "tau_mem"), [], {}, []
    for k in range(data.draw(st.integers(1, 3), "receptors")):
        kind = data.draw(st.sampled_from(["exponential", "alpha", "double", "slow rise"]), "kind")
        tau = data.draw(TAU, "tau")
        if currents and data.draw(st.booleans(), "near"):  # to one of the time constants before, or equal to it
            tau = data.draw(st.sampled_from(currents))[data.draw(st.sampled_from([2, 3]))]
            tau *= 1.0 + data.draw(st.sampled_from([0.0, 2e-16, 1e-12, 1e-8, -1e-4, 0.02]), "by")
        i = data.draw(st.sampled_from([0.0, -1.0, 1.0]), "i") * data.draw(st.floats(0.1, 1.0)) * 100.0
        rise = data.draw(st.floats(-1.0, 1.0).filter(lambda x: abs(x) > 1e-3), "rise") * 100.0
        if kind == "exponential":
            receptors.append(ns.ExponentialCurrent(tau))
            tau_rise, rise, i = tau, 0.0, rise
        elif kind == "alpha":
            receptors.append(ns.AlphaCurrent(tau))
            tau_rise = tau
        elif kind == "double":
            tau_rise = tau * data.draw(st.floats(0.01, 0.9), "share")
            receptors.append(ns.DoubleExponentialCurrent(tau_rise, tau))
        else:
            tau_rise = tau * data.draw(st.floats(1.1, 100.0), "share")
            receptors.append(SlowRise(tau_rise=tau_rise, tau_syn=tau))
        rise /= min(tau, tau_rise)
        i *= max(1.0, tau_mem / tau)
        rise *= max(1.0, tau_mem / tau)
        currents.append((i, rise, tau, tau_rise))
        state[f"p{k}_i_syn"] = i
        if kind != "exponential":
            state[f"p{k}_rise"] = rise
    assume(len(set(receptors)) == len(receptors))
    assume(all(abs(tau / tau_mem - 1.0) > 1e-3 for _, _, *taus in currents for tau in taus))
    slowest = max(tau_mem, *(tau for _, _, *taus in currents for tau in taus))
    fastest = min(tau_mem, *(tau for _, _, *taus in currents for tau in taus))
    v = membrane(tau_mem, -70.0, data.draw(st.sampled_from([-70.0, -75.0, -60.0]), "target"), currents)
    times = np.concatenate([[0.0], np.geomspace(1e-3 * fastest, 64.0 * slowest, 6000)]).astype(np.longdouble)
    course = v(times)
    height = float(course.max() - course[0])
    assume(height > 1e-3 and course.argmax() < times.size - 100)

    def crossing(threshold):
        target = float(v(np.longdouble(1e9)))
        return searcher(ns.LIF(tau_mem=tau_mem, v_threshold=threshold, v_leak=target), receptors)[0](
            {"v": -70.0, **state})

    threshold = float(course.max()) - 1e-3 * height
    found = crossing(threshold)
    assert found < np.inf
    assert course[times < found * (1.0 - 1e-9)].max() <= threshold + 1e-9 * height
    assert float(v(np.longdouble(found))) == pytest.approx(threshold, abs=1e-8 * height)
    assert crossing(float(course.max()) + 1e-3 * height) == np.inf


def spikes(net, cell, duration=60.0):
    net.record(cell)
    sim = ns.Simulation(net, mode="event")
    sim.run(duration)
    return sim.spikes(cell).times


def given_arrivals(model, arrivals, duration=60.0):
    """A neuron to which (receptor, weight, time) arrive."""
    net = ns.Network()
    cell = net.add(model, 1)
    for receptor, weight, time in arrivals:
        source = net.add(ns.SpikeSource(ns.Spikes.from_times([time - 1.0], [0], size=1, duration=duration)))
        net.connect(source, cell, weight=weight, delay=1.0, receptor=receptor)
    return spikes(net, cell, duration)


CELL = {"tau_mem": 20.0, "c_mem": 200.0}


@pytest.mark.parametrize("ratio", [5.0, 11.7, 40.0, 2000.0])
def test_one_alpha_current_of_any_speed(ratio):
    """Twice the charge that just reaches the threshold, against a fine integration."""
    tau = 20.0 / ratio
    weight = 2.0 * 15.0 * 200.0 / (np.e * tau) / 0.8

    def equations(t, y):
        return [-(y[0] + 70.0) / 20.0 + y[1] / 200.0, y[2] - y[1] / tau, -y[2] / tau]

    first = 5.0 + fine_times(equations, [-70.0, 0.0, weight * np.e / tau], -55.0, lambda y: [-70.0, 0.0, 0.0], 50.0)[0]
    assert given_arrivals(ns.LIF(**CELL), [(ns.AlphaCurrent(tau), weight, 5.0)])[0] == pytest.approx(first, abs=1e-7)


@pytest.mark.parametrize("other", [[], [(ns.ExponentialCurrent(100.0), 1.0, 50.0)],
                                   [(ns.ExponentialCurrent(10000.0), -1e-3, 50.0)]])
@pytest.mark.parametrize("tau_theta", [None, 100.0, 10000.0])
def test_what_is_slow_and_silent_hides_nothing(other, tau_theta):
    """A receptor that gets nothing before the spike, and a threshold that was never raised, change nothing."""
    arrivals = [(ns.AlphaCurrent(3.0), 2000.0, 5.0)]
    alone = given_arrivals(ns.LIF(**CELL), arrivals)
    model = ns.LIF(**CELL) if tau_theta is None else ns.AdaptiveLIF(tau_theta=tau_theta, **CELL)
    assert alone.size and given_arrivals(model, arrivals + other)[0] == pytest.approx(alone[0], abs=1e-10)


def test_excitation_a_little_slower_than_inhibition_of_the_same_time():
    arrivals = [(ns.ExponentialCurrent(1.5), 20000.0, 5.0), (ns.ExponentialCurrent(1.0), -20000.0, 5.0)]

    def equations(t, y):
        return [-(y[0] + 70.0) / 20.0 + (y[1] + y[2]) / 200.0, -y[1] / 1.5, -y[2]]

    first = 5.0 + fine_times(equations, [-70.0, 20000.0, -20000.0], -55.0, lambda y: [-70.0, 0.0, 0.0], 50.0)[0]
    assert given_arrivals(ns.LIF(**CELL), arrivals)[0] == pytest.approx(first, abs=1e-7)


@pytest.mark.parametrize("tau", [0.01, 0.3])
def test_an_alpha_current_much_faster_than_a_step_of_an_izhikevich_neuron(tau):
    """The step after a quiet while is 4 ms long: none of its stages would see the current."""
    model = ns.Izhikevich(0.02, 0.2, -65.0, 8.0, scheme="fine")
    charge = 25.0  # lifts v by 25 mV

    def equations(t, y):
        return [0.04 * y[0] ** 2 + 5.0 * y[0] + 140.0 - y[1] + y[2], 0.02 * (0.2 * y[0] - y[1]), y[3] - y[2] / tau,
                -y[3] / tau]

    rest = (-(5.0 - 0.2) - np.sqrt(4.8**2 - 4 * 0.04 * 140.0)) / 0.08
    expected = 5.0 + 40.0 + fine_times(equations, [rest, 0.2 * rest, 0.0, charge / tau**2], 30.0,
                                       lambda y: [-65.0, y[1] + 8.0, y[2], y[3]], 20.0)
    net = ns.Network()
    cell = net.add(model, 1, initial={"v": rest, "u": 0.2 * rest})
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([44.0], [0], size=1, duration=60.0)))
    net.connect(source, cell, weight=charge / (np.e * tau), delay=1.0, receptor=ns.AlphaCurrent(tau))
    assert spikes(net, cell) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_a_peak_that_is_passed_within_a_step_of_an_izhikevich_neuron():
    """Excitation lifts v over the peak, and inhibition takes it back a moment later."""
    model = ns.GeneralIzhikevich(c_mem=100.0, k=0.01, v_r=-60.0, v_t=-20.0, a=0.01, b=0.0, v_reset=-60.0,
                                 d=0.0, v_peak=0.0, scheme="fine")

    def equations(t, y):
        return [(0.01 * (y[0] + 60.0) * (y[0] + 20.0) - y[1] + y[2] + y[3]) / 100.0, -0.01 * y[1], -y[2],
                -y[3] / 2.0]

    reaches = 23976.0297515  # the weight with which v just reaches the peak
    for weight in reaches * (1.0 + np.array([-1e-6, 1e-7, 1e-5, 1e-3])):
        inhibition = -0.5 * weight
        expected = fine_times(equations, [-60.0, 0.0, weight, inhibition], 0.0,
                              lambda y: [-60.0, y[1], 0.0, 0.0], 10.0, longest=1e-3)
        found = given_arrivals(model, [(ns.ExponentialCurrent(1.0), weight, 5.0),
                                       (ns.ExponentialCurrent(2.0), inhibition, 5.0)], 15.0)
        assert found[:1] == pytest.approx(5.0 + expected[:1], abs=1e-6)
