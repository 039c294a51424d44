"""Reservoir metrics against cases whose answer is known."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from neurosim.reservoirs import EchoState
from neurosim.reservoirs.metrics import (
    branching_ratio,
    generalisation_rank,
    information_processing_capacity,
    jitter,
    kernel_quality,
    lyapunov_by_perturbation,
    lyapunov_exponent,
    memory_capacity,
    numerical_rank,
    perturbation_growth,
)


def uniform(steps, seed=0):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, steps)


def register(u, taps, first=1):
    """The states of a pure delay line: x_i(t) = u(t - i)."""
    return np.stack([np.concatenate([np.zeros(k), u[:u.size - k]]) for k in range(first, first + taps)], axis=1)


# ---------------------------------------------------------------------------------------------------------------------
# Ranks
# ---------------------------------------------------------------------------------------------------------------------

@settings(max_examples=30, deadline=None)
@given(rank=st.integers(1, 8), rows=st.integers(8, 40), columns=st.integers(8, 40), scale=st.floats(1e-6, 1e6))
def test_rank_of_a_product_is_its_inner_size(rank, rows, columns, scale):
    rng = np.random.default_rng(rank + 100 * rows + 10_000 * columns)
    matrix = scale * rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))
    assert numerical_rank(matrix) == kernel_quality(matrix) == generalisation_rank(matrix) == rank
    assert numerical_rank(matrix) == np.linalg.matrix_rank(matrix)


def test_a_tolerance_leaves_noise_out():
    rng = np.random.default_rng(0)
    clean = rng.normal(size=(60, 5)) @ rng.normal(size=(5, 40))
    noisy = clean + 1e-6 * rng.normal(size=clean.shape)
    assert numerical_rank(noisy) == 40
    assert numerical_rank(noisy, tolerance=1e-3) == 5


def test_rank_of_nothing_is_zero():
    assert numerical_rank(np.zeros((5, 3))) == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), sigma=st.floats(0.01, 1e4), exact=st.booleans(), start=st.sampled_from([0.0, 40.0]))
def test_jitter_moves_times_and_nothing_else(seed, sigma, exact, start):
    rng = np.random.default_rng(seed)
    ticks = rng.integers(1, 101, 50) + round(start / 0.5)
    spikes = ns.Spikes(ticks=ticks, ids=rng.integers(0, 7, 50), size=7, dt=0.5, duration=50.0, start=start)
    if exact:
        spikes = ns.Spikes.from_times(spikes.times, spikes.ids, size=7, duration=50.0, start=start)
    moved = jitter(spikes, sigma, seed=seed)
    assert np.array_equal(moved.counts(), spikes.counts()) and moved.duration == spikes.duration
    assert moved == jitter(spikes, sigma, seed=seed)
    assert len(ns.Spikes(ticks=[], ids=[], size=3, dt=1.0, duration=5.0)) == len(jitter(
        ns.Spikes(ticks=[], ids=[], size=3, dt=1.0, duration=5.0), sigma))


def test_jitter_has_the_width_asked_for_and_versions_by_key():
    spikes = ns.Spikes.from_times(np.full(4000, 500.0), np.arange(4000), size=4000, duration=1000.0)
    moved = jitter(spikes, 10.0)
    assert abs(moved.times.std() - 10.0) < 0.5 and abs(moved.times.mean() - 500.0) < 0.7
    assert jitter(spikes, 10.0, key=1) != moved


# ---------------------------------------------------------------------------------------------------------------------
# Memory and information processing capacity
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("taps", [1, 5, 20])
def test_a_delay_line_remembers_as_many_inputs_as_it_has_taps(taps):
    u = uniform(6000)
    memory = memory_capacity(register(u, taps), u, longest=2 * taps + 5)
    assert memory.by_delay[:taps].min() > 1 - 1e-9
    assert memory.by_delay[taps:].max() < 0.01
    assert abs(memory.total - taps) < 0.05 + 0.005 * taps


def test_a_mixed_delay_line_remembers_the_same():
    u = uniform(6000)
    mixed = register(u, 10) @ np.random.default_rng(1).normal(size=(10, 10))
    assert abs(memory_capacity(mixed, u, longest=25).total - 10) < 0.1


def test_delay_zero_counts_where_it_is_asked_for():
    u = uniform(4000)
    states = register(u, 6, first=0)
    assert abs(memory_capacity(states, u, longest=15).total - 5) < 0.1
    assert abs(memory_capacity(states, u, longest=15, shortest=0).total - 6) < 0.1


def test_a_linear_network_with_an_orthogonal_matrix_comes_near_its_number_of_units():
    network = EchoState(20, spectral_radius=0.97, weights="orthogonal", activation="identity", seed=3)
    u = uniform(12_000)
    memory = memory_capacity(network.transform(u[:, None]), u, longest=150, shortest=0, washout=300, ridge=1e-14)
    assert 18.5 < memory.total < 21.0


def test_one_leaky_unit_remembers_as_the_geometric_sum_says():
    leak, u = 0.3, uniform(100_000)
    states = EchoState(1, leak=leak, spectral_radius=0.0, density=1.0, activation="identity").transform(u[:, None])
    memory = memory_capacity(states, u, longest=12, shortest=0, washout=50)
    expected = (1 - (1 - leak) ** 2) * (1 - leak) ** (2 * memory.delays)
    assert np.abs(memory.by_delay - expected).max() < 0.02


def test_a_tanh_network_remembers_less_than_its_number_of_units():
    u = uniform(4000)
    states = EchoState(50, spectral_radius=0.9, input_scaling=0.5, seed=2).transform(u[:, None])
    assert 5 < memory_capacity(states, u, washout=100).total < 50


def test_noise_remembers_nothing():
    u = uniform(5000)
    noise = np.random.default_rng(5).normal(size=(5000, 10))
    assert memory_capacity(noise, u, longest=20).total < 0.1
    assert information_processing_capacity(noise, u, windows={1: 20, 2: 5}).total < 0.05


@pytest.mark.parametrize("taps", [1, 8])
def test_a_delay_line_processes_at_degree_one_alone(taps):
    u = uniform(5000)
    capacity = information_processing_capacity(register(u, taps, first=0), u, windows={1: taps + 5, 2: 6, 3: 4})
    assert abs(capacity.by_degree[1] - taps) < 1e-6
    assert capacity.by_degree[2] == capacity.by_degree[3] == 0.0
    assert capacity.bound == taps and set(capacity.terms) == {((k, 1),) for k in range(taps)}


def test_polynomials_of_past_inputs_have_their_own_terms():
    u = uniform(20_000)
    past = register(u, 4, first=0)
    states = np.stack([1.5 * past[:, 1]**2, past[:, 0] * past[:, 3], 2.5 * past[:, 2]**3 - 1.5 * past[:, 2]], axis=1)
    capacity = information_processing_capacity(states, u, windows={1: 6, 2: 6, 3: 4}, washout=10)
    assert set(capacity.terms) == {((1, 2),), ((0, 1), (3, 1)), ((2, 3),)}
    assert abs(capacity.total - 3) < 1e-3
    assert abs(capacity.by_degree[2] - 2) < 1e-3 and abs(capacity.by_degree[3] - 1) < 1e-3


def test_a_cube_splits_between_degrees_as_legendre_polynomials_say():
    u = uniform(50_000)
    capacity = information_processing_capacity((u**3)[:, None], u, windows={1: 3, 2: 3, 3: 3})
    assert abs(capacity.by_degree[1] - 0.84) < 0.01  # u^3 = 3/5 P1 + 2/5 P3: power 3/25 and 4/175 of 1/7
    assert abs(capacity.by_degree[3] - 0.16) < 0.01


def test_the_capacity_of_a_network_is_bounded_and_nearly_complete():
    u = uniform(30_000)
    network = EchoState(12, spectral_radius=0.5, input_scaling=0.3, bias_scaling=0.2, density=0.5, seed=1)
    capacity = information_processing_capacity(network.transform(u[:, None]), u, washout=100,
                                               windows={1: 30, 2: 15, 3: 10, 4: 6})
    assert capacity.bound <= 12
    assert 0.8 * capacity.bound < capacity.total < 1.02 * capacity.bound


# ---------------------------------------------------------------------------------------------------------------------
# Lyapunov exponents
# ---------------------------------------------------------------------------------------------------------------------

def logistic(r):
    return lambda x, t: r * x * (1.0 - x), lambda x, t: (r * (1.0 - 2.0 * x))[None]


def test_the_logistic_map_at_four_has_ln_two():
    step, jacobian = logistic(4.0)
    assert abs(lyapunov_exponent(step, jacobian, [0.3], 50_000, washout=100) - math.log(2)) < 0.005
    assert abs(lyapunov_by_perturbation(step, [0.3], 50_000, washout=100) - math.log(2)) < 0.005


def test_a_stable_cycle_has_a_negative_exponent():
    step, jacobian = logistic(3.2)  # a cycle of two with multiplier 4 + 2 r - r^2 = 0.16
    expected = 0.5 * math.log(4 + 2 * 3.2 - 3.2**2)
    assert abs(lyapunov_exponent(step, jacobian, [0.3], 2000, washout=500) - expected) < 1e-6


@settings(max_examples=15, deadline=None)
@given(radius=st.floats(0.05, 2.0), units=st.integers(2, 20))
def test_an_orthogonal_linear_map_has_the_logarithm_of_its_radius(radius, units):
    network = EchoState(units, spectral_radius=radius, weights="orthogonal", activation="identity", seed=units)
    found = lyapunov_exponent(lambda x, t: network.step(x, [0.0]), lambda x, t: network.jacobian(x, [0.0]),
                              np.zeros(units), 50)
    assert abs(found - math.log(radius)) < 1e-9
    found = lyapunov_by_perturbation(lambda x, t: network.step(x, [0.0]), np.zeros(units), 50)
    assert abs(found - math.log(radius)) < 1e-6


def test_both_ways_agree_on_a_driven_network():
    network = EchoState(40, spectral_radius=1.4, input_scaling=0.5, density=0.3, leak=0.8, seed=2)
    u = uniform(1500)[:, None]
    by_jacobian = lyapunov_exponent(lambda x, t: network.step(x, u[t]), lambda x, t: network.jacobian(x, u[t]),
                                    np.zeros(40), 1400, washout=100)
    by_twin = lyapunov_by_perturbation(lambda x, t: network.step(x, u[t]), np.zeros(40), 1400, washout=100)
    assert abs(by_jacobian - by_twin) < 1e-4


def test_differences_that_vanish_have_minus_infinity():
    assert lyapunov_exponent(lambda x, t: 0 * x, lambda x, t: np.zeros((1, 1)), [1.0], 5) == -math.inf
    assert lyapunov_by_perturbation(lambda x, t: 0 * x, [1.0], 5) == -math.inf


def leaky_network(tau, weight=0.0, bias=0.0):
    net = ns.Network()
    neuron = ns.LIF(tau_mem=tau, v_leak=0.0, v_reset=0.0, v_threshold=20.0, r=0.1, i_bias=bias)
    cells = net.add(neuron, 100, name="cells", initial={"v": ns.Uniform(0.0, 20.0)})
    if weight:
        net.connect(cells[:80], cells, ns.FixedProbability(0.2), weight=weight, delay=1.0)
        net.connect(cells[80:], cells, ns.FixedProbability(0.2), weight=-4 * weight, delay=1.0)
    return ns.Simulation(net, dt=0.1, seed=1, dtype="float64")


@pytest.mark.parametrize("tau", [5.0, 20.0])
def test_leaky_membranes_forget_with_their_time_constant(tau):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # none of them spikes
        assert abs(perturbation_growth(leaky_network(tau), "cells", 200.0, every=2.0) + 1 / tau) < 1e-6


def test_strong_inhibition_is_stable_chaos():
    # small differences die out and finite ones grow: Jahnke, Memmesheimer, Timme, Front. Comput. Neurosci. 3 (2009) 13
    small, finite = (perturbation_growth(leaky_network(20.0, 3.0, 300.0), "cells", 300.0, every=10.0, size=size)
                     for size in (1e-6, 5.0))
    assert small < -0.04 and finite > 0.1


# ---------------------------------------------------------------------------------------------------------------------
# Branching ratio
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("start", [[1.0], [1e-3, -2.0], [1e9]])
def test_a_map_that_diverges_has_its_exponent(start):
    grows = (lyapunov_by_perturbation(lambda x, t: 2 * x, start, 300),
             lyapunov_exponent(lambda x, t: 2 * x, lambda x, t: 2 * np.eye(len(start)), start, 300))
    np.testing.assert_allclose(grows, math.log(2), rtol=1e-6)
    assert abs(lyapunov_by_perturbation(lambda x, t: 3 * x + 7, start, 200, washout=50) - math.log(3)) < 1e-3
    with pytest.raises(ns.ParameterError, match="must keep states and their differences finite.*take fewer steps"):
        lyapunov_by_perturbation(lambda x, t: x * x + 2.0, start, 500)


def test_a_size_that_is_rounded_away_is_refused():
    sim = leaky_network(20.0)
    assert sim.dtype == "float64"
    with pytest.raises(ns.ParameterError, match="size must be large enough to change 'v' in float64, got 1e-20"):
        perturbation_growth(sim, "cells", 10.0, size=1e-20)


def branching(m, rate, steps, seed, seen=1.0):
    rng = np.random.default_rng(seed)
    drive, a, out = rng.poisson(rate * (1 - m), steps), int(rate), np.empty(steps)
    for t in range(steps):
        a = rng.poisson(m * a) + drive[t]
        out[t] = a
    return rng.binomial(out.astype(np.int64), seen)


@pytest.mark.parametrize("seen", [1.0, 0.1])
@pytest.mark.parametrize(("m", "steps", "tolerance"), [(0.9, 60_000, 0.02), (0.99, 250_000, 0.005)])
def test_the_branching_ratio_is_found_also_from_a_tenth_of_the_units(m, steps, tolerance, seen):
    found = branching_ratio(branching(m, 100.0, steps, seed=1, seen=seen))
    assert abs(found.m - m) < tolerance
    assert abs(found.tau(2.0) + 2.0 / math.log(m)) < 0.35 * -2.0 / math.log(m)
    fano = seen / (1 - m**2)  # variance over mean of the whole process, 1 / (1 - m^2), times the share that is seen
    assert abs(found.b - fano / (fano + 1 - seen)) < 0.05
    if seen < 1:
        assert found.slopes[0] < m - 0.1


@pytest.mark.parametrize("longest", [20, None])
def test_of_independent_activity_the_fit_means_nothing(longest):
    for seed in range(20):
        activity = np.random.default_rng(seed).poisson(5.0, 5000)
        with pytest.warns(ns.NeurosimWarning, match="cannot be told from numbers that are independent"):
            found = branching_ratio(activity if seed % 2 else activity.reshape(5, 1000), longest)
        assert math.isnan(found.m) and math.isnan(found.tau()) and found.score < 5
        assert abs(found.slopes[:20]).max() < 0.1
    held = np.tile([3.0, 9.0], 2000) + np.random.default_rng(0).normal(size=4000)  # what alternates does not decay
    with pytest.warns(ns.NeurosimWarning):
        assert math.isnan(branching_ratio(held, 20).m)


def test_little_branching_is_told_from_none():
    found = branching_ratio(branching(0.3, 50.0, 40_000, seed=3), 20)
    assert abs(found.m - 0.3) < 0.05 and found.score > 20


def test_an_exact_decay_is_fitted_exactly():
    from neurosim.reservoirs.metrics.branching import _fit

    for m in (0.3, 0.9, 0.999, 1.0):
        fitted, b = _fit(0.25 * m ** np.arange(1, 100))
        assert abs(fitted - m) < 1e-5 and abs(b - 0.25) < 1e-3


def test_recordings_of_one_process_are_pooled():
    whole = branching(0.9, 100.0, 40_000, seed=4)
    assert abs(branching_ratio(whole.reshape(20, 2000), 60).m - branching_ratio(whole, 60).m) < 0.01


# ---------------------------------------------------------------------------------------------------------------------
# Messages
# ---------------------------------------------------------------------------------------------------------------------

GOOD = np.random.default_rng(0).normal(size=(50, 3))


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: numerical_rank([1.0, 2.0]), "numerical_rank.states must be a 2-D array of finite numbers, got"),
    (lambda: numerical_rank([[np.nan]]),
     "numerical_rank.states must be a 2-D array of finite numbers, got one that holds nan"),
    (lambda: numerical_rank(GOOD, tolerance=2.0),
     "numerical_rank.tolerance must be a finite number > 0 and < 1, got 2.0"),
    (lambda: jitter(3, 1.0), "jitter.spikes must be Spikes, got 3"),
    (lambda: jitter(ns.Spikes(ticks=[1], ids=[0], size=1, dt=1.0, duration=1.0), -1.0),
     "jitter.sigma must be a finite number > 0 ms, got -1.0"),
    (lambda: memory_capacity(GOOD, np.zeros(49)),
     "memory_capacity.inputs must be one number for each of the 50 times, got"),
    (lambda: memory_capacity(GOOD, np.zeros(50), longest=49), "memory_capacity.states must have more than 53 times"),
    (lambda: memory_capacity(GOOD, np.zeros(50), test=1.0),
     "memory_capacity.test must be a finite number > 0 and < 1, got 1.0"),
    (lambda: information_processing_capacity(GOOD, np.full(50, 2.0)),
     "information_processing_capacity.inputs must be uniform in [-1, 1], got an array that holds 2"),
    (lambda: information_processing_capacity(GOOD, np.zeros(50), windows={1: 0}),
     "information_processing_capacity.windows must be a dict from degrees to numbers of delays, whole numbers >= 1"),
    (lambda: information_processing_capacity(GOOD, np.zeros(50), windows={1: 48}),
     "information_processing_capacity.states must have many more times than units"),
    (lambda: lyapunov_exponent(None, None, [0.3], 0), "lyapunov_exponent.steps must be a whole number >= 1, got 0"),
    (lambda: lyapunov_by_perturbation(None, [0.3], 5, size=0.0),
     "lyapunov_by_perturbation.size must be a finite number > 0, got 0.0"),
    (lambda: perturbation_growth("sim", "cells", 1.0), "perturbation_growth.sim must be a Simulation, got 'sim'"),
    (lambda: branching_ratio(np.ones(100)), "branching_ratio.activity must vary, got constant activity"),
    (lambda: branching_ratio(np.arange(10.0), 20),
     "branching_ratio.activity must have at least 23 steps for k up to 20, got 10"),
    (lambda: branching_ratio("abc"),
     "branching_ratio.activity must be a 1-D or 2-D array of finite numbers, got 'abc'"),
])
def test_what_does_not_fit_gets_one_sentence(call, sentence):
    with pytest.raises(ns.ParameterError) as caught:
        call()
    assert str(caught.value).startswith(sentence)
