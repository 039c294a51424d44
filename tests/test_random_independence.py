"""Everything random is independent across elements, ticks, streams and samples: each test is one that independent
numbers of the same distribution fail once in a million times."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import neurosim as ns
from neurosim.contracts import Device, Plasticity
from neurosim.encoders import BernoulliEncoder, EventCamera, PoissonEncoder
from neurosim.engine.synapses import build, to_coo
from neurosim.random import Streams, key_at, seed_words

LEVEL = 1e-6


def assert_ordinary(z):
    """Refuse standard normal numbers of which one is too far out."""
    assert np.abs(z).max() < stats.norm.isf(LEVEL / (2 * z.size))


def assert_independent(x):
    """Refuse a table of numbers of mean 0 and variance 1 whose neighbours, near or far, have to do with each other.

    Sums over rows and columns are of index 0 of its spectrum, common modes are a line of it, and each lag of its
    autocorrelation is the correlation of all pairs so many rows and columns apart.
    """
    n = x.size
    spectrum = np.abs(np.fft.fft2(x)) ** 2 / n  # exponential of mean 1; the four real ones have a chi-square
    assert spectrum.max() < -2 * math.log(LEVEL / n)
    for axis in (0, 1):  # what all of a row or of a column have in common adds up in a line of the spectrum
        line = np.delete(spectrum.take(0, axis=axis), 0)
        assert LEVEL < stats.gamma.sf(line.sum() / 2, line.size / 2) < 1 - LEVEL
    correlation = np.fft.ifft2(spectrum).real * math.sqrt(n)
    assert_ordinary(np.delete(correlation.ravel(), 0) / math.sqrt(2))  # a lag may be its own mirror image


def assert_unrelated(x, y):
    """Refuse two tables that have to do with each other at any lag."""
    assert_ordinary(np.fft.ifft2(np.fft.fft2(x) * np.fft.fft2(y).conj()).real.ravel() / math.sqrt(x.size))


def assert_poisson(total, mean):
    """Refuse a total that is not that of a Poisson process."""
    assert LEVEL < stats.poisson.cdf(total, mean) and LEVEL < stats.poisson.sf(total - 1, mean)


def binned(ticks, ids, shape, size, duration):
    """Return the counts of spikes in a table of equal bins of ticks and neurons."""
    cells = (ticks - 1) * shape[0] // duration * shape[1] + ids.astype(np.int64) * shape[1] // size
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


# ---- Poisson processes -------------------------------------------------------------------------------------------


def spikes_of(rate, size, ticks, dt=0.1, seed=1, threads=1, tick=0):
    net = ns.Network()
    sources = net.add(ns.Poisson(rate=rate), size)
    net.record(sources)
    sim = ns.Simulation(net, dt=dt, seed=seed, threads=threads)
    if tick:
        sim.restore(replace(sim.state(), time=tick))
    sim.run(ticks * dt)
    found = sim.spikes(sources)
    return found.ticks - tick, found.ids


@pytest.mark.parametrize("individual, rate, size, ticks, dt, shape", [
    (False, 1e-3, 1_000_000, 8000, 1.0, (80, 100)), (False, 0.1, 1_000_000, 2000, 0.1, (200, 100)),
    (False, 1.0, 100_000, 2000, 0.1, (200, 100)), (False, 30.0, 10_000, 1000, 0.1, (250, 100)),
    (False, 30.0, 10_000, 1000, 0.01, (50, 64)), (False, 1000.0, 1000, 1000, 0.1, (500, 200)),
    (False, 10_000.0, 1000, 500, 0.1, (500, 1000)), (True, 1e-3, 10_000, 4000, 10.0, (40, 40)),
    (True, 1.0, 10_000, 4000, 0.1, (80, 40)), (True, 10_000.0, 500, 500, 0.1, (500, 500))])
def test_sources_are_poisson_processes(individual, rate, size, ticks, dt, shape):
    rates = rate * (1 + 1e-9 * np.arange(size)) if individual else rate
    spiked, ids = spikes_of(rates, size, ticks, dt)
    expected = rate * dt * 1e-3 * size * ticks
    assert_poisson(spiked.size, expected)
    counts = binned(spiked, ids, shape, size, ticks)
    mean = expected / counts.size
    for axis in (0, 1):  # Fano factors of the counts over time and over elements
        sums = counts.sum(axis)
        assert LEVEL < stats.chi2.sf(((sums - sums.mean()) ** 2).sum() / sums.mean(), sums.size - 1) < 1 - LEVEL
    if mean > 0.2:
        assert_independent((counts - mean) / math.sqrt(mean))


@pytest.mark.parametrize("rate, size, ticks", [(0.1, 300_000, 1000), (100.0, 3000, 1000), (2000.0, 500, 500)])
def test_a_tick_has_as_many_spikes_as_a_poisson_number(rate, size, ticks):
    """All sources together, and a group of 128, within one tick."""
    spiked, ids = spikes_of(rate, size, ticks)
    for part in (size, 128):
        mean = rate * 1e-4 * part
        counts = np.bincount(spiked[ids < part], minlength=ticks + 1)[1:]
        low, high = (int(x) for x in stats.poisson.ppf([0.02, 0.98], mean))
        inner = np.arange(low + 1, high)
        observed = [(counts <= low).sum(), *((counts == k).sum() for k in inner), (counts >= max(high, low + 1)).sum()]
        share = [stats.poisson.cdf(low, mean), *stats.poisson.pmf(inner, mean),
                 stats.poisson.sf(max(high, low + 1) - 1, mean)]
        keep = np.array(share) * ticks > 1
        if keep.sum() > 1:
            observed, share = np.array(observed)[keep], np.array(share)[keep]
            expected = share / share.sum() * observed.sum()
            assert stats.chisquare(observed, expected).pvalue > LEVEL


@pytest.mark.parametrize("rate", [50.0, 2000.0])
def test_threads_parts_and_cuts_change_no_event(rate):
    one, two = (spikes_of(rate, 1000, 300, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(one, two)

    def drive(first, size, threads):
        net = ns.Network()
        cells = net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0), 700)
        net.drive(cells[first:first + size], ns.PoissonDrive(rate=10 * rate, weight=1.0))
        sim = ns.Simulation(net, 0.1, seed=3, dtype="float64", threads=threads)
        sim.run(10.0)
        return np.rint(sim.get(cells, "v"))

    whole = drive(0, 700, 1)
    for first, size, threads in ((0, 700, 3), (130, 300, 1), (130, 300, 2), (1, 5, 2)):
        part = drive(first, size, threads)
        np.testing.assert_array_equal(part[first:first + size], whole[first:first + size])
        assert part.sum() == part[first:first + size].sum()


def drive_counts(rate, seed=1, sample=None, number=0, ticks=256, size=1024):
    net = ns.Network()
    cells = [net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0), size) for _ in range(2)]
    for each in cells:
        net.drive(each, ns.PoissonDrive(rate=rate, weight=1.0))
        net.record(each, "v")
    sim = ns.Simulation(net, 0.1, seed=seed, dtype="float64")
    if sample is not None:
        sim.restore(sim.state(), sample=sample)
    sim.run(ticks * 0.1)
    return np.rint(np.diff(sim.trace(cells[number], "v")[1], axis=0))


@pytest.mark.parametrize("mean", [0.02, 0.5, 20.0])
def test_drives_streams_samples_and_seeds_are_unrelated(mean):
    tables = [drive_counts(mean * 1e4, **options) for options in (
        {}, {"number": 1}, {"sample": 0}, {"sample": 7}, {"seed": 2}, {"seed": 1 + (1 << 40)})]
    tables = [(table - mean) / math.sqrt(mean) for table in tables]
    for table in tables[:2]:
        if mean > 0.1:
            assert_independent(table)
    for k, one in enumerate(tables):
        for other in tables[:k]:
            assert_unrelated(one, other)


def test_rates_that_change_in_time_give_poisson_numbers_on_both_sides_of_a_change():
    """From few to many events at an element, which are drawn in different ways."""
    net = ns.Network()
    sources = net.add(ns.Poisson(rate=ns.TimedArray([10.0, 5000.0, 0.0, 300.0], every=20.0)), 2000)
    net.record(sources)
    sim = ns.Simulation(net, dt=0.1, seed=5)
    sim.run(80.0)
    counts = binned(sim.spikes(sources).ticks, sim.spikes(sources).ids, (4, 2000), 2000, 800)
    for row, rate in zip(counts, (10.0, 5000.0, 0.0, 300.0), strict=True):
        assert_poisson(row.sum(), rate * 0.02 * 2000)


def test_event_driven_sources_are_poisson_processes():
    net = ns.Network()
    sources = net.add(ns.Poisson(rate=50.0), 500)
    net.record(sources)
    sim = ns.Simulation(net, mode="event", seed=3)
    sim.run(2000.0)
    found = sim.spikes(sources)
    mean = 50.0 * 2.0 * 500 / (250 * 125)
    counts = binned(np.ceil(found.times).astype(int), found.ids, (250, 125), 500, 2000)
    assert_independent((counts - mean) / math.sqrt(mean))
    gaps = np.concatenate([np.diff(found.times[found.ids == k]) for k in range(0, 500, 5)])
    assert stats.kstest(gaps, "expon", (0, 20.0)).pvalue > LEVEL


# ---- other random numbers of a run -------------------------------------------------------------------------------


def test_stochastic_neurons_are_independent():
    cell = ns.StochasticLIF(v_leak=-70.0, v_reset=-70.0, v_threshold=-70.0, rho_0=5.0, t_ref=0.0)
    net = ns.Network()
    cells = net.add(cell, 513, initial={"v": -70.0})
    net.record(cells)
    sim = ns.Simulation(net, dt=0.1, seed=4)
    sim.run(40.0)
    p = 1 - math.exp(-0.5)
    fired = binned(sim.spikes(cells).ticks, sim.spikes(cells).ids, (400, 513), 513, 400)
    assert fired.max() == 1
    assert_independent((fired - p) / math.sqrt(p * (1 - p)))


def test_the_noise_of_a_current_is_independent():
    net = ns.Network()
    cells = net.add(ns.LeakyIntegrator(tau_mem=1e6, v_leak=0.0, r=1.0), 500)
    net.drive(cells, ns.OUCurrent(mean=0.0, std=1.0, tau=1e-3))  # white: a tick is a hundred correlation times
    net.record(cells, "v")
    sim = ns.Simulation(net, dt=0.1, seed=4, dtype="float64")
    sim.run(40.0)
    assert_independent(np.diff(sim.trace(cells, "v")[1], axis=0) * 1e7)


class Noisy(Device):
    """Reads and updates with noise of variance 1, to be seen as it is."""

    @staticmethod
    def read(weight, normal):
        """A weight with noise."""
        return normal

    @staticmethod
    def update(weight, change, normal):
        """A weight after a change, which is noise."""
        return normal


class Touch(Plasticity):
    """Asks for a change at each spike of the source."""

    bounded = False

    @staticmethod
    def on_source(weight):
        """A weight that is a little larger."""
        return weight + 1.0


def read_noise(per_tick=1, sources=4, ticks=256, learns=False):
    spiked = np.repeat(np.arange(1, ticks + 1), sources * per_tick)
    ids = np.tile(np.repeat(np.arange(sources), per_tick), ticks)
    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=spiked, ids=ids, size=sources, dt=0.1, duration=ticks * 0.1)))
    cells = net.add(ns.LeakyIntegrator(tau_mem=1e12, v_leak=0.0), 400)
    projection = net.connect(given, cells, weight=1.0, delay=0.1, device=Noisy(),
                             plasticity=Touch() if learns else None)
    net.record(*((projection, "weight") if learns else (cells, "v")), every=0.1)
    sim = ns.Simulation(net, dt=0.1, seed=6, dtype="float64")
    sim.run((ticks + 1) * 0.1)
    return sim.trace(projection, "weight")[1][-ticks:] if learns else np.diff(sim.trace(cells, "v")[1], axis=0)[-ticks:]


@pytest.mark.parametrize("per_tick", [1, 2, 3])
def test_read_noise_is_independent_even_of_several_spikes_in_a_tick(per_tick):
    assert_independent(read_noise(per_tick) / math.sqrt(4 * per_tick))


def test_the_noise_of_updates_is_independent():
    assert_independent(read_noise(sources=1, learns=True))


# ---- after 2^32 ticks ----------------------------------------------------------------------------------------------


def test_the_first_ticks_have_the_key_of_the_seed_and_later_ones_others():
    words = seed_words(12345678901234567)
    assert key_at(*words, 2**32 - 1, 0) == words
    later = [tuple(map(int, key_at(*words, tick, turn))) for tick, turn in (
        (2**32, 0), (2**33 - 1, 0), (2**33, 0), (2**40, 0), (2**62, 0), (0, 1), (0, 2), (2**32, 1))]
    assert later[0] == later[1] and len({words, *later}) == len(later)
    assert all(0 <= word < 2**32 for key in later for word in key)


@pytest.mark.parametrize("rate", [50.0, 10_000.0])
def test_noise_does_not_repeat_after_2_to_the_32_ticks(rate):
    mean, tables = rate * 0.1 * 1e-3, []
    for tick in (0, 2**32 - 100, 2**32, 2**33):
        spiked, ids = spikes_of(rate, 2000, 200, tick=tick)
        tables.append(np.bincount((spiked - 1) * 2000 + ids, minlength=400_000).reshape(200, 2000))
        assert_poisson(spiked.size, mean * 400_000)
    np.testing.assert_array_equal(tables[1][100:], tables[2][:100])
    for k in (2, 3):
        assert_unrelated((tables[0] - mean) / math.sqrt(mean), (tables[k] - mean) / math.sqrt(mean))


def test_no_random_number_of_a_run_repeats_after_2_to_the_32_ticks():
    """Neurons, currents and devices, as Poisson numbers do not."""
    net = ns.Network()
    cells = net.add(ns.StochasticLIF(rho_0=1.0, v_threshold=-70.0), 50)
    net.record(cells)
    noisy = net.add(ns.LIF(v_threshold=1e9), 50)
    net.drive(noisy, ns.OUCurrent(mean=0.0, std=10.0, tau=5.0))
    read = net.add(ns.LIF(v_threshold=1e9), 50)
    net.connect(net.add(ns.Poisson(rate=5000.0), 5), read, weight=1.0, delay=0.1, device=Noisy())
    seen = []
    for tick in (0, 2**32, 2**34):
        sim = ns.Simulation(net, dt=0.1, seed=1)
        sim.restore(replace(sim.state(), time=tick))
        sim.run(5.0)
        seen.append([np.sort(sim.spikes(cells).ticks - tick), sim.get(noisy, "v"), sim.get(read, "v")])
    for k in range(3):
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert not np.array_equal(seen[one][k], seen[other][k])


# ---- encoders, connections, values of synapses ---------------------------------------------------------------------


@pytest.mark.parametrize("encoder, mean, variance", [
    (PoissonEncoder(max_rate=400.0, duration=256.0), 0.4, 0.4),
    (BernoulliEncoder(p_max=0.3, duration=256.0), 0.3, 0.21)],
    ids=["Poisson", "Bernoulli"])
def test_encoders_are_independent_across_neurons_ticks_and_samples(encoder, mean, variance):
    def table(seed, key):
        spikes = encoder.encode(np.ones(512), seed=seed, key=key)
        return (binned(spikes.ticks, spikes.ids, (256, 512), 512, 256) - mean) / math.sqrt(variance)

    first = table(1, 0)
    assert_independent(first)
    for other in (table(1, 1), table(1, 2**32 - 1), table(2, 0), table(1 << 40, 0)):
        assert_unrelated(first, other)


def made(rule, seed=1, n=400, streams=None, **quantities):
    return build(rule, n, n, None, quantities={"weight": 1.0, **quantities}, delay=1.0, bounds=[0, n], seed=seed,
                 streams=streams or Streams(), label="", dt=0.1, real=np.float64)


@pytest.mark.parametrize("rule, p", [
    (ns.FixedProbability(0.1), 0.1), (ns.FixedProbability(0.6), 0.6), (ns.FixedInDegree(20), None),
    (ns.FixedOutDegree(20), None), (ns.FixedTotal(16_000), None),
    (ns.Blocks([200, 200], [100, 300], [[0.2, 0.2], [0.2, 0.2]]), 0.2),
    (ns.DistanceDependent(0.2, 1e9, source_shape=(400,)), 0.2)], ids=lambda x: repr(x)[:30])
def test_who_is_connected_is_independent(rule, p):
    def table(**options):
        source, target, *_ = to_coo(made(rule, **options))
        counts = np.zeros((400, 400))
        np.add.at(counts, (source, target), 1)
        return (counts - p) / math.sqrt(p * (1 - p)) if p else (counts - counts.mean()) / counts.std()

    streams = Streams()
    first, other_stream, other_seed = table(streams=streams), table(streams=streams), table(seed=2)
    if p:
        assert_independent(first)
    else:  # a degree or a number that is fixed takes its own share out of the spectrum
        spectrum = np.abs(np.fft.fft2(first)) ** 2 / first.size
        assert spectrum.max() < -math.log(LEVEL / first.size)
        assert_ordinary(np.fft.ifft2(spectrum).real.ravel()[1:] * 400 / math.sqrt(2))
    assert_unrelated(first, other_stream)
    assert_unrelated(first, other_seed)


@pytest.mark.parametrize("rule", [ns.AllToAll(), ns.FixedInDegree(400, multiple=False)], ids=["by source", "by target"])
def test_the_values_of_synapses_are_independent(rule):
    drawn = made(rule, weight=ns.Normal(0.0, 1.0), other=ns.Normal(0.0, 1.0))
    values = {name: value.reshape(400, 400) for name, value in to_coo(drawn)[3].items()}
    assert_independent(values["weight"])
    assert_independent(values["other"])
    assert_unrelated(values["weight"], values["other"])


def test_the_noise_of_an_event_camera_is_independent_across_pixels_times_polarities_and_keys():
    camera = EventCamera(background_rate=100.0, t_ref=0.0)

    def tables(**options):
        events = camera.record(np.full((2, 32, 32), 0.5), [0.0, 1000.0], **options)
        pixels = events["y"].astype(np.int64) * 32 + events["x"]
        return [(binned(np.maximum(events["t"][mine], 1), pixels[mine], (50, 1024), 1024, 1_000_000) - 1.0)
                for mine in (events["p"].astype(bool), ~events["p"].astype(bool))]

    first = tables()
    for table in first:
        assert_independent(table)
    others = [table for options in ({"key": 1}, {"seed": 1}) for table in tables(**options)]
    for other in (first[1], *others):
        assert_unrelated(first[0], other)
