"""The random numbers: published vectors, no draw used twice, and the distributions that are made of them."""

import numpy as np
import pytest
from scipy import stats

import neurosim as ns
from neurosim.engine.drawn import draw
from neurosim.random import Streams, philox, seed_words

# Known-answer vectors of Random123 (kat_vectors, philox4x32 with 10 rounds)
VECTORS = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
     [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
]


@pytest.mark.parametrize("counter, key, expected", VECTORS)
def test_philox_gives_the_published_vectors(counter, key, expected):
    words = philox(*(np.uint64(word) for word in (*counter, *key)))
    assert [int(word) for word in words] == expected


def test_no_draw_is_used_twice_across_elements_ticks_streams_samples_and_seeds():
    """Pairs of words of 64 bits: among a million of them, none may come twice; a hash like element ^ h(tick) fails."""
    element, tick = np.meshgrid(np.arange(500, dtype=np.uint64), np.arange(400, dtype=np.uint64))
    seen = []
    for stream, sample, seed in ((1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (2, 1, 1)):
        key = [np.uint64(word) for word in seed_words(seed)]
        w0, w1, w2, w3 = philox(element.ravel(), tick.ravel(), np.uint64(stream), np.uint64(sample), *key)
        seen += [w0 << np.uint64(32) | w1, w2 << np.uint64(32) | w3]
    seen = np.concatenate(seen)
    assert np.unique(seen).size == seen.size


def test_streams_are_handed_out_once():
    streams = Streams()
    assert [streams.new("a"), streams.new("b"), streams.new("a")] == [1, 2, 3]


def counts_of_a_drive(mean, individual, n=20000, ticks=5):
    """Events at each neuron and tick of a Poisson drive with the given mean number in a tick."""
    net = ns.Network()
    cells = net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0), n)
    rate = mean * 1e3
    net.drive(cells, ns.PoissonDrive(
        rate=np.full(n, rate) + (np.arange(n) % 2) * 1e-9 if individual else rate, weight=1.0))
    net.record(cells, "v")
    sim = ns.Simulation(net, 1.0, seed=11, dtype="float64")
    sim.run(float(ticks))
    return np.rint(np.diff(sim.trace(cells, "v")[1], axis=0)).astype(int)


@pytest.mark.parametrize("individual", [False, True])
@pytest.mark.parametrize("mean", [0.002, 0.3, 2.0, 30.0, 300.0])
def test_a_poisson_drive_has_the_poisson_distribution(mean, individual):
    counts = counts_of_a_drive(mean, individual).ravel()
    low, high = stats.poisson.ppf([1e-3, 1 - 1e-3], mean)
    edges = np.arange(low, high + 1)
    observed = np.array([(counts <= low).sum(), *((counts == k).sum() for k in edges[1:-1]), (counts >= high).sum()])
    share = np.array([stats.poisson.cdf(low, mean), *stats.poisson.pmf(edges[1:-1], mean),
                      stats.poisson.sf(high - 1, mean)])
    if low == high:
        observed = np.array([(counts == 0).sum(), (counts > 0).sum()])
        share = np.exp(-mean) * np.array([1.0, np.expm1(mean)])
    assert stats.chisquare(observed, share * counts.size).pvalue > 1e-3


@pytest.mark.parametrize("individual", [False, True])
def test_the_draws_of_different_ticks_and_neurons_are_not_correlated(individual):
    counts = counts_of_a_drive(1.0, individual, n=4096, ticks=40).astype(float)
    within = np.corrcoef(counts)[np.triu_indices(40, 1)]
    assert np.abs(within).max() < 5 / np.sqrt(4096)
    across = np.corrcoef(counts[:, :200].T)[np.triu_indices(200, 1)]
    assert abs(across.mean()) < 5 / np.sqrt(40 * across.size)


def test_poisson_sources_have_their_rates_and_several_spikes_in_a_tick_are_several():
    net = ns.Network()
    slow = net.add(ns.Poisson(rate=10.0), 1000)
    fast = net.add(ns.Poisson(rate=5000.0), 100)
    graded = net.add(ns.Poisson(rate=np.linspace(0.0, 100.0, 500)), 500)
    for population in (slow, fast, graded):
        net.record(population)
    sim = ns.Simulation(net, 1.0, seed=2)
    sim.run(10000.0)
    for population, expected in ((slow, 10.0), (fast, 5000.0)):
        rates = sim.spikes(population).rates()
        assert abs(rates.mean() - expected) < 4 * np.sqrt(expected / 10 / population.size)
        assert stats.chisquare(sim.spikes(population).counts()).pvalue > 1e-3
    graded_rates = sim.spikes(graded).rates()
    assert graded_rates[0] == 0 and abs(np.polyfit(np.linspace(0, 100, 500), graded_rates, 1)[0] - 1) < 0.02


DRAWN = [(ns.Normal(2.0, 0.5), stats.norm(2.0, 0.5)), (ns.Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
         (ns.LogNormal(0.1, 0.7), stats.lognorm(0.7, scale=np.exp(0.1))), (ns.Exponential(3.0), stats.expon(scale=3.0)),
         (ns.Normal(0.0, 1.0, low=-0.5, high=2.0, bounds="redraw"), stats.truncnorm(-0.5, 2.0)),
         (ns.Exponential(2.0, high=3.0, bounds="redraw"), stats.truncexpon(1.5, scale=2.0))]
FAR = [(ns.Normal(1.0, 2.0, low=14.0, bounds="redraw"), lambda x: (x - 1.0) / 2.0, 6.5, np.inf),
       (ns.Normal(0.0, 1.0, low=20.0, high=20.05, bounds="redraw"), lambda x: x, 20.0, 20.05),
       (ns.Normal(1.0, 2.0, high=-12.0, bounds="redraw"), lambda x: (1.0 - x) / 2.0, 6.5, np.inf),
       (ns.LogNormal(0.0, 1.0, low=600.0, bounds="redraw"), np.log, np.log(600.0), np.inf),
       (ns.LogNormal(0.0, 1.0, low=1.5, high=9.0, bounds="redraw"), np.log, np.log(1.5), np.log(9.0)),
       (ns.Exponential(3.0, low=75.0, bounds="redraw"), None, 75.0, np.inf)]


@pytest.mark.parametrize("distribution, expected", DRAWN)
def test_distributions_are_what_scipy_says(distribution, expected):
    values = draw(distribution, 50000, stream=3, seed=9)
    assert stats.kstest(values, expected.cdf).pvalue > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("distribution, z, low, high", FAR)
def test_draws_far_in_a_tail_follow_the_cut_distribution(distribution, z, low, high):
    """The survival function of scipy has all digits in the tail; z makes every draw one of the upper normal tail."""
    net = ns.Network()
    projection = net.connect(net.add(ns.LIF(), 400), net.add(ns.LIF(), 500), weight=distribution)
    synapses = ns.Simulation(net, dtype="float64").weights(projection)
    for values in (draw(distribution, 200_000, stream=3, seed=9), synapses):
        assert np.isfinite(values).all() and np.unique(values).size > 0.99 * values.size
        x = values if z is None else z(values)
        sf = stats.expon(scale=3.0).sf if z is None else stats.norm.sf
        assert stats.kstest((sf(x) - sf(high)) / (sf(low) - sf(high)), "uniform").pvalue > 1e-3
        lowest, highest = distribution.ends()
        assert lowest <= values.min() and values.max() <= highest


def test_no_probability_between_the_bounds_is_refused():
    for make in (lambda: ns.Normal(0.0, 1.0, low=40.0, bounds="redraw"),
                 lambda: ns.Normal(0.0, 1.0, low=7.0, high=7.0, bounds="redraw"),
                 lambda: ns.Exponential(1.0, high=-1.0, bounds="redraw")):
        with pytest.raises(ns.ParameterError, match="must have some probability between low and high"):
            make()


@pytest.mark.parametrize("mode", ["clocked", "event"])
def test_draws_that_may_be_infinite_are_refused(mode):
    def network(**given):
        net = ns.Network()
        cells = net.add(ns.LIF(), 5, name="c", initial={"v": given.pop("v", -70.0)})
        net.connect(net.add(ns.Poisson(100.0), 5, name="p"), cells, **given)
        return net

    for given, text in (({"weight": ns.LogNormal(0.0, 600.0)}, "p -> c: weight must be finite in float.*may give more"),
                        ({"v": ns.LogNormal(0.0, 600.0)}, "c/initial v must be finite in float")):
        with pytest.raises(ns.ParameterError, match=text):
            ns.Simulation(network(**given), mode=mode)
    bounded = ns.LogNormal(0.0, 60.0, high=1e3)
    assert ns.Simulation(network(weight=bounded), mode=mode).weights("p -> c").max() <= 1e3


def test_weights_that_float32_cannot_hold_are_refused():
    for weight in (1e39, np.full((5, 5), -1e39), ns.LogNormal(0.0, 60.0)):
        net = ns.Network()
        net.connect(net.add(ns.Poisson(100.0), 5), net.add(ns.LIF(), 5), weight=weight)
        with pytest.raises(ns.ParameterError, match="weight must be finite in float32, .* use dtype='float64'"):
            ns.Simulation(net)
        assert np.isfinite(ns.Simulation(net, dtype="float64").weights(net.projections[0])).all()


def test_clipping_moves_draws_onto_the_bound():
    values = draw(ns.Normal(0.0, 1.0, low=-1.0, high=0.5), 50000, stream=3, seed=9)
    assert values.min() == -1.0 and values.max() == 0.5
    assert abs((values == -1.0).mean() - stats.norm.cdf(-1.0)) < 0.01


def test_integers_are_equally_likely():
    values = draw(ns.Integers(1, 20), 40000, stream=3, seed=9)
    assert set(values) == set(range(1, 21))
    assert stats.chisquare(np.bincount(values.astype(int))[1:]).pvalue > 1e-3


def test_a_64_bit_seed_uses_all_its_bits():
    low, high = draw(ns.Normal(0, 1), 5, 1, 5), draw(ns.Normal(0, 1), 5, 1, 5 + (1 << 40))
    assert not np.any(low == high)
