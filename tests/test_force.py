"""FORCE: the compiled loop against the estimators, the closed loop against an open one, and the sine of the paper."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import NetworkError, ParameterError, SimulationError
from neurosim.readouts import RecursiveLeastSquares

pytest.importorskip("sklearn")

from learning_rules.force import Force
from learning_rules.lms import LeastMeanSquares
from tests.shares import quick

READOUTS = {
    "rls": lambda: RecursiveLeastSquares(alpha=0.5, fit_intercept=False),
    "forgetting": lambda: RecursiveLeastSquares(alpha=0.1, forgetting=0.99, fit_intercept=False),
    "intercept": lambda: RecursiveLeastSquares(alpha=1.0),
    "lms": lambda: LeastMeanSquares(rate=5.0, fit_intercept=False),
    "normalised": lambda: LeastMeanSquares(rate=0.5, normalised=True),
}


def small(n=23):
    """Return a network of a few driven cells."""
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=20.0, i_bias=ns.Uniform(140.0, 300.0)), n, name="cells")
    net.connect(cells, cells, ns.FixedProbability(0.3), weight=ns.Normal(0.0, 1.0), delay=0.5)
    net.record(cells)
    return net, cells


def filtered(spikes, ticks, dt, rise, decay):
    """Return the filtered spikes as they are at the beginning of each tick, before its own spikes."""
    counts = np.zeros((ticks, spikes.size))
    inside = spikes.ticks < ticks
    np.add.at(counts, (spikes.ticks[inside], spikes.ids[inside]), 1.0)
    features = np.zeros((ticks, spikes.size))
    slow, fast = np.zeros(spikes.size), np.zeros(spikes.size)
    for tick in range(ticks):
        slow = slow * np.exp(-dt / decay) + counts[tick]
        fast = fast * (np.exp(-dt / rise) if rise else 0.0) + counts[tick]
        features[tick] = (slow - (fast if rise else 0)) / (decay - rise)
    return features


@pytest.mark.parametrize("name", quick(("rls", "lms"), READOUTS))
@pytest.mark.parametrize(("rise", "outputs"), [(2.0, 2), (0.0, 1)])
def test_the_loop_learns_what_the_estimator_learns(name, rise, outputs):
    net, cells = small()
    dt, every, ticks = 0.5, 3, 601
    force = Force(net, cells, READOUTS[name](), outputs=outputs, tau_rise=rise, tau_decay=30.0, every=every * dt, dt=dt)
    target = np.random.default_rng(1).standard_normal((ticks, outputs))
    z = np.concatenate([force.fit(target[:200]), force.fit(target[200:])])
    X = filtered(force.sim.spikes(cells), ticks, dt, rise, 30.0)
    reference = READOUTS[name]()
    outputs_seen = np.zeros_like(z)
    for tick in range(ticks):
        known = hasattr(reference, "weights_")
        outputs_seen[tick] = reference.predict(X[tick:tick + 1]) if known else 0.0
        if (tick + 1) % every == 0:
            reference.partial_fit(X[tick:tick + 1], target[tick:tick + 1] if outputs > 1 else target[tick])
    assert np.abs(force.readout.weights_).max() > 0.1
    np.testing.assert_allclose(force.readout.weights_, reference.weights_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(z, outputs_seen, rtol=1e-8, atol=1e-10)
    if hasattr(reference, "inverse_"):
        np.testing.assert_allclose(force.readout.inverse_, reference.inverse_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(force.features[:cells.size], X[-1], rtol=1e-9)


def test_what_was_learned_stays_and_predicts():
    net, cells = small()
    force = Force(net, cells, tau_decay=30.0, dt=0.5)
    force.fit(np.ones(1000))
    weights = force.readout.weights_.copy()
    z = force.run(20.0)
    assert (force.readout.weights_ == weights).all()
    np.testing.assert_allclose(force.readout.predict(force.features[None]), z[-1], rtol=1e-12)


@pytest.mark.slow
def test_the_feedback_is_a_current_of_the_next_tick():
    """The same network, driven by the recorded output as a given current, sends the same spikes."""
    dt, ticks = 0.5, 400
    gain = np.linspace(-80.0, 80.0, 23)
    net, cells = small()
    force = Force(net, cells, feedback=gain, every=1.0, dt=dt, dtype="float64")
    z = force.fit(np.sin(np.arange(ticks) * 0.05))
    assert np.abs(z).max() > 0.1
    other, replayed = small()
    other.drive(replayed, ns.InjectedCurrent(ns.TimedArray(z * gain, every=dt)))
    sim = ns.Simulation(other, dt=dt, dtype="float64")
    sim.run(ticks * dt)
    assert sim.spikes(replayed) == force.sim.spikes(cells)
    free, alone = small()
    without = ns.Simulation(free, dt=dt, dtype="float64")
    without.run(ticks * dt)
    assert without.spikes(alone) != force.sim.spikes(cells)


def test_runs_are_reproducible_and_cut_anywhere():
    target = np.sin(np.arange(300) * 0.05)[:, None]

    def outputs(*cuts):
        net, cells = small()
        force = Force(net, cells, feedback=50.0, dt=0.5, seed=3)
        return np.concatenate([force.fit(part) for part in np.split(target, cuts)])

    whole = outputs()
    np.testing.assert_array_equal(outputs(), whole)
    np.testing.assert_allclose(outputs(100, 217), whole, rtol=1e-9, atol=1e-12)


def test_it_goes_on_after_a_parameter_was_set():
    net, cells = small()
    force = Force(net, cells, feedback=5.0, dt=0.5)
    force.fit(np.ones(400))
    force.sim.set(cells, v_threshold=-54.0)
    assert np.abs(force.run(10.0)).max() > 0.0


def sine(seed, n=1000, dt=0.04):
    """Return frequency (Hz) and phase-aligned correlation of 2 s of a 5 Hz sine that runs by itself."""
    rng = np.random.default_rng(seed)
    net = ns.Network()
    model = ns.GeneralIzhikevich(c_mem=250.0, k=2.5, v_r=-60.0, v_t=-19.2, a=0.01, b=-2.0, v_reset=-65.0, d=200.0,
                                 v_peak=30.0, i_bias=1000.0)
    cells = net.add(model, n, initial={"v": ns.Uniform(-60.0, -20.0)})
    weights = 5e3 * 0.0387 * rng.standard_normal((n, n)) * (rng.random((n, n)) < 0.1) / (0.1 * np.sqrt(n))
    source, into = np.nonzero(weights)
    net.connect(cells, cells, ns.Explicit(source, into), weight=weights[source, into], delay=dt,
                receptor=ns.DoubleExponentialCurrent(2.0, 20.0))
    force = Force(net, cells, feedback=5e3 * rng.uniform(-1.0, 1.0, n), every=0.8, dt=dt, seed=seed)
    wave = np.exp(2j * np.pi * 0.005 * dt * np.arange(1, round(6000.0 / dt) + 1))
    force.run(1000.0)
    first, last = (round(t / dt) for t in (1000.0, 4000.0))
    force.fit(wave.imag[first:last])
    z = force.run(2000.0)[:, 0]
    cycles = np.array([part @ wave[:part.size].conj() for part in np.split(z, 10)])  # phase and amplitude of each
    turned = np.polyfit(np.arange(10), np.unwrap(np.angle(cycles)), 1)[0] / (2 * np.pi)
    aligned = (wave[last:] * np.exp(1j * np.angle(z @ wave[last:].conj()))).real
    return 5.0 * (1 + turned), np.corrcoef(aligned, z)[0, 1]


@pytest.mark.slow
def test_sine_of_the_paper():
    found = np.array([sine(seed) for seed in range(5)])
    frequency, correlation = np.median(found, axis=0)
    assert abs(frequency - 5.0) < 0.05 and correlation > 0.95, found


def test_one_seed_of_the_sine():
    frequency, correlation = sine(0, n=500)
    assert abs(frequency - 5.0) < 0.25 and correlation > 0.9


@pytest.mark.parametrize(("change", "message"), [
    ({"outputs": 0}, "Force.outputs must be a whole number >= 1, got 0"),
    ({"tau_rise": 30.0}, "Force.tau_rise must be >= 0 and < tau_decay = 20 ms, got 30.0"),
    ({"tau_decay": np.nan}, "Force.tau_decay must be a finite number of ms, got nan"),
    ({"feedback": [1.0, 2.0]}, r"Force.feedback must be finite, a number or an array of shape \(23,\) or \(23, 1\)"),
    ({"every": 0.3}, "Force.every must be a multiple of dt"),
    ({"readout": LeastMeanSquares(rate=-1.0)}, "LeastMeanSquares.rate must be a finite number > 0, got -1.0"),
    ({"readout": LeastMeanSquares(rate=2.5, normalised=True)}, "< 2 where normalised, got 2.5"),
    ({"readout": RecursiveLeastSquares().fit(np.eye(4), np.ones(4))}, "Force.readout must have 24 x 1 weights"),
])
def test_bad_arguments(change, message):
    net, cells = small()
    with pytest.raises(ParameterError, match=message):
        Force(net, cells, **{"dt": 0.5, **change})


@pytest.mark.parametrize("feedback", [None, 1.0])
def test_a_rate_that_is_too_large_is_told(feedback):
    net, cells = small()
    force = Force(net, cells, LeastMeanSquares(rate=1e4), feedback=feedback, dt=0.5)
    with pytest.raises(SimulationError, match="infinite or undefined|became"):
        force.fit(np.ones(2000))


def test_bad_networks_and_targets():
    net, cells = small()
    with pytest.raises(NetworkError, match="of another one"):
        Force(small()[0], cells)
    with pytest.raises(ParameterError, match="whole population that spikes"):
        Force(net, cells[0:3])
    force = Force(net, cells, dt=0.5)
    for target in (np.ones((4, 2)), [np.nan], [], "text", 3.0):
        with pytest.raises(ParameterError, match="Force.fit: target must be"):
            force.fit(target)
