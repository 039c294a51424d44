"""Spikes of some neurons of a population: what is known of the others, in statistics, parts, files and runs."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_spikes import clocked, exact, spikes_of_any_kind

import neurosim as ns
from hardware_models.energy import EventCosts, run_energy
from neurosim.errors import NeurosimWarning, ParameterError
from neurosim.reservoirs import BinnedCounts, Counts, Traces
from neurosim.spikes import Spikes

IDS = [7, 2, 9]


@pytest.fixture
def part():
    return Spikes(ticks=[1, 3, 5, 9], ids=[2, 9, 2, 2], size=12, duration=1.0, dt=0.1, watched=IDS, name="c")


def test_statistics_are_of_the_watched(part):
    assert part.watched.tolist() == [2, 7, 9] and part.n_watched == 3
    assert part.mean_rate() == pytest.approx(4 / 3 / 1e-3)
    rates, counts = part.rates(), part.counts()
    assert np.flatnonzero(np.isfinite(rates)).tolist() == [2, 7, 9] and counts[[2, 7, 9]].tolist() == [3, 0, 1]
    assert np.nanmean(rates) == pytest.approx(part.mean_rate())
    bins = part.bin(0.5, per_neuron=True)
    assert bins[:, [2, 7, 9]].tolist() == [[2, 0, 1], [1, 0, 0]] and np.isnan(bins).sum() == 18
    assert part.bin(0.5).tolist() == [3, 1]
    assert repr(part) == "Spikes('c': 4 spikes of 3 of 12 neurons in (0, 1] ms, dt = 0.1 ms, 1333 Hz)"


def test_all_of_them_is_nothing_special(part):
    whole = part.replace(watched=None)
    assert part.replace(watched=np.arange(12)) == whole and whole.watched is None and whole.n_watched == 12
    assert part != whole and part.fingerprint() != whole.fingerprint() and whole.counts().dtype == np.int64
    assert whole.watched_only() is whole


def test_refusals(part):
    for watched, match in (([2, 7], "of neurons that were watched, got 9"), ([2, 2, 9], "each neuron once"),
                           ([2, 9, 12], r"watched must lie in 0 \.\. 11"), ([2.0, 9.0], "array of integers")):
        with pytest.raises(ParameterError, match=match):
            part.replace(watched=watched)
    with pytest.raises(ParameterError, match="same neurons watched in all windows"):
        part.merge(part.replace(watched=None).shift(1.0))


@given(spikes_of_any_kind, st.data())
def test_parts_and_unions_know_who_was_watched(spikes, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=spikes.size, max_size=spikes.size)))
    part = spikes.select(mask)
    only = part.watched_only()
    assert only == spikes.select(mask, renumber=True) and only.watched is None
    assert np.isclose(part.mean_rate(), only.mean_rate(), equal_nan=True)
    assert np.array_equal(part.rates()[mask], only.rates(), equal_nan=True)
    assert part.merge(part.shift(part.duration)).watched_only().n_watched == mask.sum()
    both = part.stack(spikes)
    assert both.n_watched == mask.sum() + spikes.size and both.select(slice(0, spikes.size), renumber=True) == part
    half = part.between(part.start, part.start)
    assert half.n_watched == part.n_watched


@given(st.one_of(clocked(), exact()), st.data())
def test_files_keep_who_was_watched(tmp_path_factory, spikes, data):
    part = spikes.select(data.draw(st.lists(st.integers(0, spikes.size - 1), unique=True)))
    folder = tmp_path_factory.mktemp("watched")
    part.save(folder / "a.h5")
    part.to_csv(folder / "a.csv")
    assert Spikes.load(folder / "a.h5") == part and Spikes.from_csv(folder / "a.csv") == part
    assert part.replace() == part and part.replace(name="x").n_watched == part.n_watched


def test_a_file_from_which_the_watched_are_taken_out_is_damaged(part, tmp_path):
    import h5py

    part.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["spikes/watched"]
    with pytest.raises(ns.FileError, match="do not match their fingerprint"):
        Spikes.load(tmp_path / "a.h5")


# ---- runs -----------------------------------------------------------------------------------------


def network(ids=None, to=None):
    net = ns.Network()
    cells = net.add(ns.LIF(i_bias=np.linspace(200.0, 400.0, 12)), 12, name="cells")
    net.connect(cells, cells, ns.FixedInDegree(2), weight=0.1, delay=1.0, name="recurrent")
    net.record(cells, ids=ids, to=to)
    return net


def runs(ids, to=None):
    clocked = ns.Simulation(network(ids, to))
    clocked.run(100.0)
    yield clocked.spikes("cells")
    event = ns.Simulation(network(ids), mode="event")
    event.run(100.0)
    yield event.spikes("cells")
    yield ns.Simulation(network(ids)).run_batch([{}], 100.0)[0].spikes("cells")
    if to:
        yield Spikes.load(to)


def test_every_front_end_divides_by_who_was_watched(tmp_path):
    for part, whole in zip(runs(IDS, tmp_path / "s.h5"), [*runs(None), next(runs(None))], strict=True):
        assert part == whole.select(IDS) and part.n_watched == 3
        assert part.mean_rate() == pytest.approx(whole.rates()[IDS].mean()) and part.mean_rate() > 20.0


def test_features_and_pictures_are_of_the_watched(part):
    only = part.watched_only()
    for feature in (Counts(), BinnedCounts(2), Traces(5.0)):
        assert np.array_equal(feature.vector(part), feature.vector(only)) and feature.vector(part).size % 3 == 0
    heights = []
    for spikes in (part, only):
        heights.append(ns.plot.population_rate(spikes, 0.5, plt.figure().add_subplot())[0].get_data().values)
        plt.close()
    assert heights[0].tolist() == pytest.approx([2000.0, 2000.0 / 3]) and np.array_equal(*heights)


def test_energy_of_a_population_that_is_known_in_part_is_refused_by_name():
    sim = ns.Simulation(network(IDS))
    sim.run(50.0)
    with pytest.raises(ParameterError, match="all neurons of 'cells' must be recorded, but only 3 of 12 are"):
        run_energy(sim, EventCosts.loihi())
    whole = ns.Simulation(network())
    whole.run(50.0)
    given = run_energy(sim, EventCosts.loihi(), counts={"cells": whole.spikes("cells").counts()})
    assert given.total == run_energy(whole, EventCosts.loihi()).total > 0.0


# ---- what need not be given -----------------------------------------------------------------------


@given(spikes_of_any_kind)
def test_from_trains_is_the_other_way_round(spikes):
    options = {"duration": spikes.duration, "start": spikes.start, "dt": spikes.dt}
    assert Spikes.from_trains(spikes.trains(), **options) == spikes
    assert Spikes.from_trains(dict(enumerate(spikes.trains())), **options) == spikes


@given(spikes_of_any_kind)
def test_size_and_duration_are_those_of_the_spikes(spikes):
    short = Spikes.from_times(spikes.times, spikes.ids, dt=spikes.dt, start=spikes.start)
    assert short.size == (int(spikes.ids.max()) + 1 if len(spikes) else 0) and np.array_equal(short.ids, spikes.ids)
    assert len(spikes) == 0 or short.stop == pytest.approx(spikes.times[-1], rel=1e-12, abs=1e-9)
    assert len(spikes) > 0 or short.duration == 0.0
    assert np.array_equal(short.times, spikes.times)


def test_trains_of_any_form():
    made = Spikes.from_trains({5: [1.0], 2: [3.0, 0.5]}, dt=0.5, name="x")
    assert made.size == 6 and made.ids.tolist() == [2, 5, 2] and made.duration == 3.0 and made.name == "x"
    assert Spikes.from_trains({5: [1.0]}, size=10).size == 10 and Spikes.from_trains([]).size == 0
    with pytest.warns(NeurosimWarning, match="rounded times"):
        Spikes.from_trains([[0.51]], dt=0.5)
    for bad, match in ((3, "arrays of times in ms, one for each neuron, got 3"), ({"a": [1.0]}, "array of integers"),
                       ([[1.0], 2.0], "1-D array of times"), ([["a"]], "1-D array of times")):
        with pytest.raises(ParameterError, match=match):
            Spikes.from_trains(bad)
    with pytest.raises(ParameterError, match=r"trains must lie in 0 \.\. 1 for size = 2, got 2"):
        Spikes.from_trains([[1.0], [], []], size=2)
    with pytest.raises(ParameterError, match="after start"):
        Spikes.from_times([1.0, np.inf], [0, 0])
    with pytest.raises(ParameterError, match="after start"):
        Spikes(ticks=[-1], ids=[0], dt=0.1)


def test_a_notebook_shows_a_table(part):
    text = part.replace(name="<b>", metadata={"a<b": "x&y", "seed": 3})._repr_html_()
    assert "3 of 12 neurons" in text and "1333 Hz" in text and "&lt;b&gt;" in text and "x&amp;y" in text
    assert "<b>" not in text and text.count("<tr>") == text.count("</tr>") == 7
    assert json.dumps(text)
