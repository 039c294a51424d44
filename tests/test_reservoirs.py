"""Liquids, input projections, feature maps, echo state networks, and the standard networks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from neurosim import reservoirs as rs
from neurosim.reservoirs.named import microcircuit
from neurosim.reservoirs.named import microcircuit_data as data
from neurosim.reservoirs.states import CHUNK

RNG = np.random.default_rng


def recording(seed, size=60, events=200, duration=50.0, dt=1.0):
    rng = RNG(seed)
    return ns.Spikes(ticks=rng.integers(1, round(duration / dt) + 1, events), ids=rng.integers(0, size, events),
                     size=size, dt=dt, duration=duration)


def small_liquid(seed=1, weight=9.0, **options):
    return rs.Liquid(rs.MaassLattice(), rs.RandomInput(60, k=12, weight=weight), seed=seed, **options)


def alone(liquid, sample):
    """A simulation of the liquid that has run with one sample as its input."""
    net = liquid.describe()
    object.__setattr__(net.population("input"), "model", ns.SpikeSource(sample))
    sim = ns.Simulation(net, liquid.dt, seed=liquid.seed)
    sim.run(sample.duration)
    return sim


# ---------------------------------------------------------------------------------------------------------------------
# Topologies
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("topology", "c", "lam"), [
    (rs.MaassLattice((15, 5, 5)), {"ee": 0.3, "ei": 0.2, "ie": 0.4, "ii": 0.1}, 2.0),
    (rs.NalsmLattice(), {"ee": 0.2, "ei": 0.1, "ie": 0.3, "ii": 0.05}, 3.0),
])
def test_lattices_connect_by_kind_and_distance(topology, c, lam):
    places = topology.places(RNG(0))
    n_e = topology.size - topology.n_inhibitory
    parts = {"e": places[:n_e], "i": places[n_e:]}
    assert n_e == round(0.8 * topology.size) and len(np.unique(places, axis=0)) == topology.size
    for kinds, height in c.items():
        before, after = parts[kinds[0]], parts[kinds[1]]
        sources, targets = topology.pairs(kinds, before, after, RNG(1))
        squared = ((before[:, None] - after) ** 2).sum(axis=-1)
        expected = height * np.exp(-squared / lam**2)
        for low, high in ((0.5, 1.5), (1.5, 4.5), (4.5, 9.5)):
            inside = (squared > low) & (squared < high)
            found = inside[sources, targets].sum()
            mean = expected[inside].sum()
            assert abs(found - mean) < 5 * math.sqrt(mean) + 1
        if kinds[0] == kinds[1]:
            assert (sources != targets).all()
        assert len(np.unique(sources * 10_000 + targets)) == sources.size


def test_a_random_graph_connects_whatever_the_distance():
    graph = rs.RandomGraph(400, p=0.05)
    sources, targets = graph.pairs("ee", *[graph.places(RNG(0))] * 2, RNG(1))
    assert abs(sources.size - 0.05 * 400 * 399) < 5 * math.sqrt(8000) and (sources != targets).all()


@pytest.mark.parametrize("topology", [rs.MaassLattice((15, 3)), rs.NalsmLattice((4, 5, 6)), rs.RandomGraph(50, 0.1)])
def test_relative_places_lie_within_the_liquid(topology):
    relative = topology.relative(topology.places(RNG(0)))
    assert relative.shape == (topology.size, 3) and relative.min() > 0 and relative.max() < 1
    assert np.abs(relative.mean(axis=0) - 0.5).max() < 0.15


# ---------------------------------------------------------------------------------------------------------------------
# Input projections
# ---------------------------------------------------------------------------------------------------------------------

PLACES = RNG(3).random((80, 3))
PROJECTIONS = [
    rs.RandomInput(100, k=7, inhibitory=0.3), rs.RandomInput(100, p=0.15, spread="normal", reach=0.5),
    rs.LocalInput((10, 8, 2), radius=2.0, p=0.5, inhibitory=0.5), rs.OrientedInput((20, 16, 2)),
    rs.OrientedInput((16, 20, 1), orientations=4, centres="places"), rs.TonotopicInput(64, width=5.0),
]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=repr)
def test_projections_give_a_sparse_matrix_that_the_generator_decides(projection):
    matrix = projection.matrix(PLACES, RNG(1))
    again, other = projection.matrix(PLACES, RNG(1)), projection.matrix(PLACES, RNG(2))
    assert matrix.shape == (projection.n_inputs, 80) and matrix.nnz > 0
    assert (matrix != again).nnz == 0 and (matrix != other).nnz > 0
    ns.Sparse(matrix).check(projection.n_inputs, 80, None)


def test_random_input_counts_exactly():
    by_k = rs.RandomInput(100, k=7, inhibitory=0.4, weight=2.0).matrix(PLACES, RNG(0))
    assert (np.diff(by_k.tocsc().indptr) == 7).all() and set(np.unique(by_k.data)) == {-2.0, 2.0}
    assert abs((by_k.data < 0).mean() - 0.4) < 0.1
    assert rs.RandomInput(100, p=0.15).matrix(PLACES, RNG(0)).nnz == 1200
    reached = rs.RandomInput(100, k=1, reach=0.25).matrix(PLACES, RNG(0))
    assert np.unique(reached.tocoo().col).size == 20
    assert rs.RandomInput(100, k=0).matrix(PLACES, RNG(0)).nnz == 0


def test_local_input_stays_within_its_radius():
    matrix = rs.LocalInput((10, 8, 2), radius=2.0).matrix(PLACES, RNG(0)).tocoo()
    x, y = matrix.row % 10, matrix.row // 10 % 8
    squared = (x - (PLACES[matrix.col, 0] * 10 - 0.5)) ** 2 + (y - (PLACES[matrix.col, 1] * 8 - 0.5)) ** 2
    assert squared.max() <= 4.0
    centre = (PLACES[:, :2] > 0.3).all(axis=1) & (PLACES[:, :2] < 0.7).all(axis=1)
    assert (np.bincount(matrix.col, minlength=80)[centre] >= 2 * 9).all()


@settings(max_examples=20, deadline=None)
@given(polarities=st.sampled_from(["independent", "opposite", "same"]), weight=st.floats(0.1, 50.0),
       seed=st.integers(0, 99))
def test_oriented_fields_have_the_length_asked_for(polarities, weight, seed):
    projection = rs.OrientedInput((20, 20, 2), polarities=polarities, weight=weight)
    dense = projection.matrix(PLACES, RNG(seed)).toarray()
    assert np.allclose(np.sqrt((dense**2).sum(axis=0)), weight)
    off, on = dense[:400], dense[400:]
    if polarities == "independent":
        assert not np.allclose(np.abs(on), np.abs(off))
    else:
        assert np.allclose(on, -off if polarities == "opposite" else off)


def test_oriented_fields_are_local_balanced_and_oriented():
    projection = rs.OrientedInput((41, 41, 1), wavelength=8.0, orientations=2, margin=20.0, cutoff=0.0)
    fields = projection.matrix(PLACES, RNG(0)).toarray().T.reshape(80, 41, 41)  # [neuron, y, x]
    assert np.abs(fields.sum(axis=(1, 2))).max() < 0.05 * np.abs(fields).sum(axis=(1, 2)).min()
    power = (fields**2).sum(axis=0) / (fields**2).sum()
    y, x = np.indices((41, 41)) - 20
    assert power[(x**2 + y**2) > 15**2].sum() < 0.01
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(fields), axes=(1, 2)))
    peaks = np.array([np.unravel_index(one.argmax(), one.shape) for one in spectrum]) - 20
    along_x, along_y = np.abs(peaks[:, 1]), np.abs(peaks[:, 0])
    assert (np.maximum(along_x, along_y) >= 4).all() and (np.minimum(along_x, along_y) <= 1).all()
    assert 20 < (along_x > along_y).sum() < 60  # both orientations come up


def test_a_field_answers_to_its_own_orientation():
    projection = rs.OrientedInput((33, 33, 1), wavelength=8.0, orientations=2, margin=16.0, bandwidth=0.6)
    fields = projection.matrix(PLACES, RNG(0)).toarray().T
    y, x = np.indices((33, 33)).reshape(2, -1)
    quadrature = [np.exp(2j * np.pi * along / 8.0) for along in (x, y)]
    answers = np.abs(np.stack([fields @ wave for wave in quadrature]))
    assert (answers.max(axis=0) > 5 * answers.min(axis=0)).mean() > 0.9


def test_tonotopic_input_follows_the_first_axis():
    projection = rs.TonotopicInput(700, width=15.0)
    matrix = projection.matrix(PLACES, RNG(0)).tocoo()
    offset = matrix.row - (PLACES[matrix.col, 0] * 700 - 0.5)
    assert abs(offset.std() - 15.0 / math.sqrt(2)) < 1.0 and np.abs(offset).max() < 75


def test_channels_are_numbered_as_events_are():
    from neurosim.datasets import make_events, to_spikes

    spikes = to_spikes(make_events(t=[10], x=[7], y=[3], p=[1]), (10, 8, 2), dt=1.0)
    place = np.array([[7.5 / 10, 3.5 / 8, 0.5]])
    matrix = rs.LocalInput((10, 8, 2), radius=0.1).matrix(place, RNG(0)).tocoo()
    assert spikes.ids[0] in matrix.row and sorted(matrix.row) == [37, 117]


# ---------------------------------------------------------------------------------------------------------------------
# Feature maps
# ---------------------------------------------------------------------------------------------------------------------

@st.composite
def some_spikes(draw):
    size, ticks = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    events = draw(st.lists(st.tuples(st.integers(1, ticks), st.integers(0, size - 1)), max_size=40))
    dt, start = draw(st.sampled_from([0.1, 0.5, 1.0])), draw(st.sampled_from([0, 7]))
    return ns.Spikes(ticks=np.array([t for t, _ in events], np.int64) + start, ids=[i for _, i in events], size=size,
                     dt=dt, duration=ticks * dt, start=start * dt)


@settings(max_examples=60, deadline=None)
@given(spikes=some_spikes(), bins=st.integers(1, 7), tau=st.floats(0.5, 100.0))
def test_features_are_what_a_loop_over_spikes_gives(spikes, bins, tau):
    first, ticks = round(spikes.start / spikes.dt), round(spikes.duration / spikes.dt)
    counts, binned, traces = np.zeros(spikes.size), np.zeros((bins, spikes.size)), np.zeros(spikes.size)
    for tick, neuron in zip(spikes.ticks - first, spikes.ids, strict=True):
        counts[neuron] += 1
        binned[(tick - 1) * bins // ticks, neuron] += 1
        traces[neuron] += math.exp(-(ticks - tick) * spikes.dt / tau)
    assert np.array_equal(rs.Counts().vector(spikes), counts)
    assert np.array_equal(rs.BinnedCounts(bins).vector(spikes), binned.ravel())
    assert np.allclose(rs.Traces(tau).vector(spikes), traces, rtol=1e-6)
    for feature in (rs.Counts(), rs.BinnedCounts(bins), rs.Traces(tau)):
        assert feature.vector(spikes).dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(spikes=some_spikes(), bins=st.integers(1, 5))
def test_exact_times_count_like_times_on_a_grid(spikes, bins):
    exact = ns.Spikes.from_times(spikes.times - 0.25 * spikes.dt, spikes.ids, size=spikes.size,
                                 duration=spikes.duration, start=spikes.start)
    if round(spikes.duration / spikes.dt) % bins == 0:
        assert np.array_equal(rs.BinnedCounts(bins).vector(exact), rs.BinnedCounts(bins).vector(spikes))


def test_edges_cut_where_they_say_and_leave_out_the_rest():
    spikes = ns.Spikes(ticks=[105, 106, 210, 300, 301], ids=[0] * 5, size=1, dt=1.0, duration=310.0)
    assert rs.BinnedCounts(edges=(105.0, 210.0, 300.0)).vector(spikes).tolist() == [1, 2, 1]


def test_several_time_constants_and_times_follow_each_other():
    spikes = recording(0)
    several = rs.Traces(tau=(5.0, 20.0), at=(25.0, 50.0)).vector(spikes)
    early = spikes.between(0.0, 25.0)
    expected = [rs.Traces(5.0).vector(early), rs.Traces(20.0).vector(early), rs.Traces(5.0).vector(spikes),
                rs.Traces(20.0).vector(spikes)]
    assert np.allclose(several, np.concatenate(expected))


# ---------------------------------------------------------------------------------------------------------------------
# Liquids
# ---------------------------------------------------------------------------------------------------------------------

def test_a_liquid_is_a_network_as_described():
    liquid = small_liquid()
    net = liquid.network
    assert [p.name for p in net.populations] == ["input", "liquid"]
    assert [p.name for p in net.projections] == ["input", "excitation", "inhibition"]
    assert (net.population("input").size, net.population("liquid").size, liquid.n_excitatory) == (60, 135, 108)
    sim = liquid.simulation()
    excitation, inhibition = sim.synapses("excitation"), sim.synapses("inhibition")
    assert (excitation.weight > 0).all() and (inhibition.weight < 0).all()
    assert excitation.source.max() < 108 and inhibition.source.max() < 27
    assert np.array_equal(sim.weights("input", sparse=True).toarray(),
                          liquid.input_weights.toarray().astype(np.float32))


def test_the_seed_decides_the_liquid():
    assert small_liquid(1).network.fingerprint() == small_liquid(1).network.fingerprint()
    assert small_liquid(1).network.fingerprint() != small_liquid(2).network.fingerprint()


def test_states_are_those_of_runs_one_by_one_whatever_the_threads_and_the_order():
    liquid, samples = small_liquid(), [recording(k) for k in range(7)]
    both = [rs.BinnedCounts(2), rs.Traces(10.0)]
    table = liquid.states(samples, 50.0, both, threads=2)
    assert table.shape == (7, 3 * 135) and table.dtype == np.float32 and table.any(axis=1).all()
    assert np.array_equal(table, small_liquid().states(samples, 50.0, both, threads=1))
    assert np.array_equal(table[::-1], liquid.states(samples[::-1], 50.0, both, keys=range(7)[::-1], threads=2))
    for k in (0, 6):
        spikes = alone(liquid, samples[k]).spikes("liquid")
        assert np.array_equal(table[k], np.concatenate([feature.vector(spikes) for feature in both]))


def test_chunks_change_nothing():
    liquid = rs.Liquid(rs.RandomGraph(20, 0.1), rs.RandomInput(60, k=12, weight=9.0))
    samples = [recording(k, duration=10.0) for k in range(CHUNK + 3)]
    table = liquid.states(samples, 10.0, threads=2)
    assert np.array_equal(table[CHUNK:], liquid.states(samples[CHUNK:], 10.0, keys=range(CHUNK, CHUNK + 3)))


def test_the_last_state_is_that_of_the_simulation():
    liquid, sample = small_liquid(), recording(3)
    table = liquid.states([sample, sample], 50.0, [rs.Counts(), rs.LastState("v")], threads=1)
    assert np.array_equal(table[0, 135:], alone(liquid, sample).get("liquid", "v"))
    assert np.array_equal(table[1], table[0])


def test_no_samples_no_states():
    assert small_liquid().states([], 50.0).size == 0


def test_no_recurrence_no_synapses():
    liquid = small_liquid(excitation=0.0, inhibition=0)
    assert [p.name for p in liquid.network.projections] == ["input"]


@pytest.mark.slow
def test_weights_and_delays_may_be_distributions_and_receptors_per_neuron():
    liquid = small_liquid(excitation=ns.Exponential(1.0), inhibition=-2.0, delay=ns.Integers(1, 5),
                          receptor=ns.ExponentialCurrent(np.linspace(2.0, 8.0, 135)))
    assert liquid.simulation().synapses("excitation").delay.max() == 5.0
    assert liquid.states([recording(0)], 50.0).shape == (1, 135)


def test_a_liquid_separates_what_its_input_separates():
    from neurosim.reservoirs.metrics import generalisation_rank, jitter, kernel_quality

    liquid = small_liquid(weight=4.0)
    different = liquid.states([recording(k) for k in range(30)], 50.0)
    alike = liquid.states([jitter(recording(0), 0.3, key=k) for k in range(30)], 50.0)
    assert kernel_quality(different) == 30
    assert np.linalg.norm(alike - alike.mean(axis=0)) < 0.5 * np.linalg.norm(different - different.mean(axis=0))
    assert generalisation_rank(np.repeat(alike[:1], 5, axis=0)) == 1


# ---------------------------------------------------------------------------------------------------------------------
# Echo state networks
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [{}, {"leak": 0.3, "bias_scaling": 0.5}, {"activation": "identity"},
                                     {"units": 400, "density": 0.02}, {"weights": "orthogonal"},
                                     {"weights": "onion"}])
def test_states_follow_the_equation(options):
    options = {"units": 30, "inputs": 2, "seed": 4, **options}
    network, u = rs.EchoState(**options), RNG(0).normal(size=(20, 2))
    states, x = network.transform(u), np.zeros(options["units"])
    for t in range(20):
        inner = network.w @ x + network.w_in @ u[t] + network.bias
        x = (1 - network.leak) * x + network.leak * (np.tanh(inner) if network.activation == "tanh" else inner)
        assert np.allclose(states[t], x, atol=1e-12)
    assert np.allclose(network.step(states[3], u[4]), states[4])


@settings(max_examples=15, deadline=None)
@given(units=st.integers(20, 80), radius=st.floats(0.1, 2.0), density=st.floats(0.2, 1.0), seed=st.integers(0, 99))
def test_the_spectral_radius_is_the_one_asked_for(units, radius, density, seed):
    network = rs.EchoState(units, spectral_radius=radius, density=density, seed=seed)
    assert rs.spectral_radius(network.w) == pytest.approx(radius)
    assert abs(np.count_nonzero(network.w) / units**2 - density) < 0.15


@pytest.mark.parametrize("density", [0.02, 0.2])
def test_the_spectral_radius_of_a_large_network_is_that_of_all_eigenvalues(monkeypatch, density):
    """Where no eigenvalue stands out a few Lanczos vectors miss the largest, or find none in time."""
    monkeypatch.setattr("neurosim.reservoirs.echo_state._DENSE", 300)
    network = rs.EchoState(500, spectral_radius=0.8, density=density)
    assert np.abs(np.linalg.eigvals(network.w)).max() == pytest.approx(0.8, rel=1e-9)


def test_units_without_cycles_have_no_eigenvalue():
    """All eigenvalues of a nilpotent matrix are 0, where a solver for all of them finds the n-th root of rounding."""
    for n in (40, 600):
        assert rs.spectral_radius(np.triu(np.ones((n, n)), 1)) == 0.0
    one_cycle = np.diag(np.ones(9), 1)
    one_cycle[3, 1] = 8.0  # 1 -> 2 -> 3 -> 1: eigenvalues are the cube roots of 8
    assert rs.spectral_radius(one_cycle) == pytest.approx(2.0, rel=1e-12)
    one_cycle[5, 5] = -2.5
    assert rs.spectral_radius(one_cycle) == 2.5
    with pytest.raises(ns.ParameterError, match="EchoState.density must be large enough that W has an eigenvalue"):
        rs.EchoState(500, density=1e-8)


def test_the_jacobian_is_the_derivative():
    network = rs.EchoState(8, leak=0.6, density=1.0, seed=1)
    x, u, h = RNG(0).normal(size=8), [0.3], 1e-6
    numeric = np.stack([(network.step(x + h * e, u) - network.step(x - h * e, u)) / (2 * h) for e in np.eye(8)], axis=1)
    assert np.allclose(network.jacobian(x, u), numeric, atol=1e-8)


def test_many_samples_are_transformed_as_one_by_one():
    network, u = rs.EchoState(40, 3, seed=2), RNG(0).normal(size=(5, 12, 3))
    table = network.transform(u)
    assert table.shape == (5, 12, 40)
    assert np.allclose(table, [network.fit_transform(one) for one in u])
    later = network.transform(u[:, 6:], start=table[:, 5])
    assert np.allclose(later, table[:, 6:])


def test_a_small_spectral_radius_forgets_where_it_began():
    network, u = rs.EchoState(50, spectral_radius=0.5, density=0.5, seed=3), RNG(0).normal(size=(200, 1))
    assert np.allclose(network.transform(u)[-1], network.transform(u, start=np.ones(50))[-1], atol=1e-9)


def test_a_readout_of_its_states_foresees_a_chaotic_series():
    x = [1.2] * 18
    for _ in range(2200):  # Mackey-Glass, Euler with a step of 1
        x.append(x[-1] + 0.2 * x[-18] / (1 + x[-18] ** 10) - 0.1 * x[-1])
    series = (np.array(x[200:]) - 0.9)[:, None]
    states = rs.EchoState(200, spectral_radius=0.9, leak=0.5, input_scaling=0.5, seed=1).transform(series)[100:]
    target = series[106:, 0]
    states = states[:target.size]
    train = slice(0, 1200)
    gram = states[train].T @ states[train] + 1e-8 * np.eye(200)
    w = np.linalg.solve(gram, states[train].T @ target[train])
    error = np.sqrt(np.mean((states[1200:] @ w - target[1200:]) ** 2)) / target.std()
    naive = np.sqrt(np.mean((series[1300:1300 + target[1200:].size, 0] - target[1200:]) ** 2)) / target.std()
    assert error < 0.1 < naive


# ---------------------------------------------------------------------------------------------------------------------
# Standard networks
# ---------------------------------------------------------------------------------------------------------------------

def rates(net, duration, warm=100.0, dt=0.1, seed=1):
    for population in net.populations:
        if net.recorder(population, "spikes") is None:
            net.record(population)
    sim = ns.Simulation(net, dt=dt, seed=seed, threads=2)
    sim.run(warm + duration)
    return {p.name: sim.spikes(p).between(start=warm) for p in net.populations}


@pytest.mark.slow
def test_the_maass_column_is_as_published():
    net = rs.maass_column(4, seed=2)
    liquid = net.population("liquid")
    assert liquid.size == 135 and liquid.model.t_ref.tolist() == [3.0] * 108 + [2.0] * 27
    assert liquid.model.r * liquid.model.i_bias == 13.5
    sim = ns.Simulation(net, dt=0.1)
    for name, mean, delay in (("e -> e", 30_000, 1.5), ("e -> i", 60_000, 0.8), ("i -> e", -19_000, 0.8),
                              ("i -> i", -19_000, 0.8)):
        synapses = sim.synapses(name)
        n = synapses.weight.size
        assert abs(synapses.weight.mean() / mean - 1) < 5 / math.sqrt(n)
        assert abs(synapses.weight.std() / abs(mean) - 1) < 8 / math.sqrt(n)
        assert (synapses.weight * mean > 0).all() and np.allclose(synapses.delay, delay)


@pytest.mark.slow
def test_the_maass_column_answers_to_input_and_is_silent_without():
    sim = ns.Simulation(rs.maass_column(4, seed=2), dt=0.1)
    rng = RNG(0)
    poisson = [ns.Spikes(ticks=rng.integers(1, 2001, 16), ids=rng.integers(0, 4, 16), size=4, dt=0.1, duration=200.0)
               for _ in range(3)]  # four trains of 20 Hz
    silence = ns.Spikes(ticks=[], ids=[], size=4, dt=0.1, duration=200.0)
    counts = rs.states(sim, [silence, *poisson], 200.0, threads=2).sum(axis=1)
    assert counts[0] == 0 and (counts[1:] > 50).all() and (counts[1:] < 135 * 0.2 * 150).all()


def test_the_nalsm_liquid_is_as_published():
    net = rs.nalsm_liquid(784)
    liquid = net.population("liquid")
    assert liquid.size == 1000 and liquid.model.c_mem == 1.0
    sim = ns.Simulation(net, dt=1.0)
    synapses = sim.synapses("input")
    assert synapses.source.size == round(0.15 * 784 * 1000) and set(synapses.weight) == {-1.0, 1.0}
    assert abs((synapses.weight < 0).mean() - 0.5) < 0.01
    assert set(sim.synapses("excitation").weight) == {1.0} and set(sim.synapses("inhibition").weight) == {-1.0}
    sample = recording(0, 784, events=4000)
    assert 0.5 < rs.states(sim, [sample], 50.0).mean() / 0.05 < 500


def test_one_spike_charges_a_nalsm_neuron_by_its_weight():
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=[1], ids=[0], size=1, dt=1.0, duration=1.0)), name="source")
    for tau in (1.0, 2.0):
        model = rs.nalsm_liquid(10, shape=(2, 2, 2)).population("liquid").model.replace(c_mem=tau, tau_mem=1e9)
        cell = net.add(model, 1, name=f"cell {tau}")
        net.connect(source, cell, weight=1.0, receptor=ns.ExponentialCurrent(tau))
    sim = ns.Simulation(net, dt=1.0, dtype="float64")
    sim.run(60.0)
    assert [float(sim.get(f"cell {tau}", "v")[0]) for tau in (1.0, 2.0)] == pytest.approx([1.0, 1.0], rel=1e-6)


@pytest.mark.parametrize(("g", "eta", "low", "high", "regular"), [(3.0, 2.0, 150.0, 450.0, True),
                                                                 (5.0, 2.0, 15.0, 60.0, False)])
def test_brunel_has_its_regimes(g, eta, low, high, regular):
    exc = rates(rs.brunel(g, eta, delay=ns.Uniform(0.5, 3.0), scale=0.2), 200.0)["exc"]
    assert low < exc.mean_rate() < high
    assert (np.nanmean(exc.cv()) < 0.35) == regular


def test_brunel_scales_with_the_mean_input_kept():
    for scale in (1.0, 0.1):
        net = rs.brunel(scale=scale)
        (drive, _) = net.drives
        exc, inh = (p for p in net.projections if p.target.name == "exc")
        assert drive.drive.rate * drive.drive.weight == pytest.approx(2 * 20.0 / 20.0 * 1000)
        assert exc.rule.k * exc.weight == pytest.approx(100.0) and inh.rule.k * inh.weight == pytest.approx(-125.0)


@pytest.mark.parametrize(("synapses", "low", "high"), [("current", 2.0, 15.0), ("conductance", 5.0, 40.0)])
def test_vogels_abbott_sustains_irregular_activity(synapses, low, high):
    exc = rates(rs.vogels_abbott(synapses), 200.0, warm=150.0)["exc"]
    assert low < exc.mean_rate() < high


def test_the_microcircuit_has_its_numbers():
    assert sum(data.SIZES) == 77_169
    total = sum(microcircuit.synapses(row, column) for row in range(8) for column in range(8))
    assert abs(total - 298.9e6) < 0.3e6
    assert abs(microcircuit.weight_of_psp() - 87.81) < 0.01
    net = rs.potjans_diesmann()
    assert [p.size for p in net.populations] == list(data.SIZES)
    assert all(p.model.i_bias == 0.0 for p in net.populations)
    strong = [p for p in net.projections if p.weight.mean > 100]
    assert [(p.source.name, p.target.name) for p in strong] == [("L4E", "L23E")]
    assert sum(p.rule.n for p in net.projections) == pytest.approx(total, abs=64)


def test_the_microcircuit_matches_the_reference_file():
    import json
    from pathlib import Path

    path = Path(__file__).resolve().parents[2] / "shared" / "reference" / "potjans_diesmann.json"
    if not path.exists():
        pytest.skip("the reference file is not on this machine")
    facts = json.loads(path.read_text())
    assert list(data.POPULATIONS) == facts["populations"] and list(data.SIZES) == facts["N"]
    assert np.array_equal(data.PROBABILITY, facts["connection_probability[target][source]"])
    assert list(data.EXTERNAL_IN_DEGREE) == facts["K_ext"] and list(data.RATES) == facts["reference_mean_rates_Hz"]
    assert list(data.INITIAL_OPTIMISED[0]) == facts["initial_v_mV"]["optimised_mean"]


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_constant_background_of_the_microcircuit_is_the_mean_of_the_poisson_events(share):
    poisson, constant = (rs.potjans_diesmann(0.05, in_degree=share, background=kind)
                         for kind in ("poisson", "constant"))
    assert not constant.drives and len(constant.projections) == len(poisson.projections)
    for drive, there, here in zip(poisson.drives, poisson.populations, constant.populations, strict=True):
        mean = drive.drive.rate * drive.drive.weight * data.TAU_SYN * 1e-3  # pA, of exponential currents
        assert here.model.i_bias - there.model.i_bias == pytest.approx(mean, rel=1e-12)


def test_a_small_microcircuit_fires_about_as_published():
    spikes = rates(rs.potjans_diesmann(0.05, initial="optimised"), 500.0, warm=200.0)
    found = np.array([spikes[name].mean_rate() for name in data.POPULATIONS])
    assert np.abs(found - data.RATES).max() < 4.0
    assert (found > 0.1).all()
    assert np.corrcoef(found, data.RATES)[0, 1] > 0.8


# ---------------------------------------------------------------------------------------------------------------------
# Messages
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: rs.MaassLattice((15, 0)), "MaassLattice.shape must be"),
    (lambda: rs.NalsmLattice(lam=0.0), "NalsmLattice.lam must be a finite number > 0, got 0.0"),
    (lambda: rs.RandomGraph(10, 1.5), "RandomGraph.p must be a finite number >= 0 and <= 1, got 1.5"),
    (lambda: rs.RandomInput(10), "RandomInput must be given p or k, got neither"),
    (lambda: rs.RandomInput(10, p=0.1, k=1), "RandomInput must be given p or k, got both"),
    (lambda: rs.RandomInput(10, k=11), "RandomInput.k must be <= 10, the number of channels, got 11"),
    (lambda: rs.RandomInput(10, k=1, weight=-1.0), "RandomInput.weight must be a finite number > 0, got -1.0"),
    (lambda: rs.LocalInput((34, 34)),
     "LocalInput.sensor_size must be (width, height, polarities) with 1 or 2 polarities"),
    (lambda: rs.OrientedInput((34, 34, 3)), "OrientedInput.sensor_size must be (width, height, polarities)"),
    (lambda: rs.OrientedInput((34, 6, 2), margin=3.0),
     "OrientedInput.margin must be < half the sensor, 3 pixels, got 3"),
    (lambda: rs.OrientedInput(wavelength=(8.0, 4.0)),
     "OrientedInput.wavelength must be (shortest, longest), got (8.0, 4.0)"),
    (lambda: rs.OrientedInput(polarities="both"),
     "OrientedInput.polarities must be 'independent' or 'opposite' or 'same'"),
    (lambda: rs.TonotopicInput(0), "TonotopicInput.channels must be a whole number >= 1, got 0"),
    (lambda: rs.BinnedCounts(0), "BinnedCounts.bins must be a whole number >= 1, got 0"),
    (lambda: rs.BinnedCounts(edges=(2.0, 1.0)), "BinnedCounts.edges must rise, got (2.0, 1.0)"),
    (lambda: rs.Traces(0.0), "Traces.tau must be one or a sequence of finite numbers > 0 ms, got 0.0"),
    (lambda: rs.Counts().matrix([3]), "Counts must be given Spikes, got 3"),
    (lambda: rs.LastState(3), "LastState.variable must be the name of a state variable, got 3"),
    (lambda: rs.LastState().vector(recording(0)), "LastState must be given to `states`, which records 'v'"),
    (lambda: rs.Liquid(3, rs.RandomInput(3, k=1)), "Liquid.topology must be a Topology such as MaassLattice(), got 3"),
    (lambda: rs.Liquid(rs.MaassLattice(), 3), "Liquid.inputs must be an input projection such as RandomInput"),
    (lambda: small_liquid(excitation=-1.0), "Liquid.excitation must be >= 0, got -1.0"),
    (lambda: small_liquid(inhibition=1.0), "Liquid.inhibition must be <= 0, got 1.0"),
    (lambda: small_liquid(seed=-1), "Liquid.seed must be a whole number in 0 .. 2^64 - 1, got -1"),
    (lambda: small_liquid(delay=0.0), "delay must be a finite number > 0 ms"),
    (lambda: small_liquid().states([3], 5.0), "sample 0 must be Spikes"),
    (lambda: small_liquid().states([recording(0)], 50.0, features=3),
     "features must be a feature map such as Counts()"),
    (lambda: small_liquid().states([recording(0)], 50.0, features=[]),
     "features must be a feature map such as Counts()"),
    (lambda: small_liquid().states([recording(0)], 50.0, keys=[1, 2]),
     "keys must be one for each of the 1 samples, got 2"),
    (lambda: small_liquid().states([recording(0)], 50.0, rs.LastState("w")), "variable of 'liquid' must be one of"),
    (lambda: rs.EchoState(0), "EchoState.units must be a whole number >= 1, got 0"),
    (lambda: rs.EchoState(10, leak=0.0), "EchoState.leak must be a finite number > 0 and <= 1, got 0.0"),
    (lambda: rs.EchoState(2, density=1e-9), "EchoState.density must be large enough"),
    (lambda: rs.EchoState(10).transform([1.0]), "EchoState.X must be an array of shape (times, 1)"),
    (lambda: rs.EchoState(10).transform([[np.nan]]), "EchoState.X must be finite, got an array with other values"),
    (lambda: rs.EchoState(10).transform([[1.0]], start=np.ones(3)),
     "EchoState.start must be finite numbers of shape (10,)"),
    (lambda: rs.maass_column(0), "maass_column.n_inputs must be a whole number >= 1, got 0"),
    (lambda: rs.maass_column(4, reach=2.0), "maass_column.reach must be a finite number >= 0 and <= 1, got 2.0"),
    (lambda: rs.nalsm_liquid("x"), "nalsm_liquid.n_inputs must be a whole number >= 1, got 'x'"),
    (lambda: rs.brunel(scale=2.0), "brunel.scale must be a finite number > 0 and <= 1, got 2.0"),
    (lambda: rs.brunel(g=-1.0), "brunel.g must be a finite number >= 0, got -1.0"),
    (lambda: rs.vogels_abbott("both"), "vogels_abbott.synapses must be 'current' or 'conductance', got 'both'"),
    (lambda: rs.potjans_diesmann(0.0), "potjans_diesmann.scale must be a finite number > 0 and <= 1, got 0.0"),
    (lambda: rs.potjans_diesmann(0.1, in_degree=7),
     "potjans_diesmann.in_degree must be a finite number > 0 and <= 1, got 7"),
    (lambda: rs.potjans_diesmann(0.1, initial="x"),
     "potjans_diesmann.initial must be 'published' or 'optimised', got 'x'"),
    (lambda: rs.potjans_diesmann(0.1, background="dc"),
     "potjans_diesmann.background must be 'poisson' or 'constant', got 'dc'"),
])
def test_what_does_not_fit_gets_one_sentence(call, sentence):
    with pytest.raises(ns.NeurosimError) as caught:
        call()
    assert str(caught.value).startswith(sentence)
