"""Neo's objects and files: silent units stay, windows and ticks come back, Elephant and Neo's own readers take them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spike_strategies import as_written, clocked, exact, labels

from neurosim.errors import FileError, ParameterError
from neurosim.export import read_spikes, write_spikes
from neurosim.spikes import Spikes

neo = pytest.importorskip("neo", reason="Neo is not installed; the extra neo has it")
pq = pytest.importorskip("quantities")

settings.register_profile("neo", deadline=None, max_examples=40)
settings.load_profile("neo")

BIG = 720575940600000001


@given(spikes=st.one_of(clocked(), exact()))
def test_trains_bring_everything_back(spikes):
    found = Spikes.from_neo(spikes.to_neo())
    assert found == as_written(spikes) and labels(found) == labels(as_written(spikes))


def test_trains_are_what_neo_users_expect():
    spikes = Spikes(ticks=[3, 1, 3, 20], ids=[2, 0, 2, 0], size=4, duration=2.0, dt=0.1, name="exc",
                    unit_ids=[7, 8, BIG, 9])
    trains = spikes.to_neo(area="V1")
    assert isinstance(trains, neo.core.spiketrainlist.SpikeTrainList) and len(trains) == 4
    assert [train.annotations["channel_id"] for train in trains] == [7, 8, BIG, 9]
    assert all(type(train.annotations["channel_id"]) is int for train in trains)
    assert [train.magnitude.tolist() for train in trains] == [spikes.times[spikes.ids == k].tolist() for k in range(4)]
    assert {str(train.dimensionality) for train in trains} == {"ms"} == {str(t.t_stop.dimensionality) for t in trains}
    assert {(float(train.t_start), float(train.t_stop)) for train in trains} == {(0.0, 2.0)}
    assert trains[1].size == 0 and trains[0].annotations["area"] == "V1" and trains[0].name == "exc[7]"
    assert trains[0].sampling_rate.rescale("Hz") == 10_000 * pq.Hz


def test_trains_of_others():
    trains = [neo.SpikeTrain([0.1, 0.25] * pq.s, t_stop=1.0, units="s"), neo.SpikeTrain([] * pq.s, t_stop=1.0)]
    found = Spikes.from_neo(trains)
    assert found.times.tolist() == [100.0, 250.0] and found.size == 2 and found.stop == 1000.0 and found.dt is None
    assert Spikes.from_neo(trains, dt=0.1).ticks.tolist() == [1000, 2500]
    segment = neo.Segment()
    segment.spiketrains.extend(trains)
    block = neo.Block()
    block.segments.append(segment)
    assert Spikes.from_neo(segment) == Spikes.from_neo(block) == found == Spikes.from_neo(trains[:1]).stack(
        Spikes.from_neo(trains[1]))
    with pytest.raises(ParameterError, match="one t_start and one t_stop, got several"):
        Spikes.from_neo([trains[0], neo.SpikeTrain([] * pq.s, t_stop=2.0)])
    with pytest.raises(ParameterError, match="neo objects must be a Block, a Segment, a SpikeTrain or a list"):
        Spikes.from_neo([1.0])
    with pytest.raises(ParameterError, match="must hold a spike train of the population 'exc', they hold none"):
        Spikes.from_neo(trains, population="exc")
    block.segments.append(neo.Segment())
    with pytest.raises(ParameterError, match="a neo.Block must have one segment, got 2"):
        Spikes.from_neo(block)


def test_float32_trains_of_hours_are_refused_on_a_grid():
    hour = neo.SpikeTrain(np.array([3600.0], np.float32), units="s", t_stop=4000.0)
    assert hour.dtype == np.float32
    with pytest.raises(ParameterError, match=r"kept as float32, can tell, 0.244141 ms at 3.6e\+06 ms, got 0.1 ms"):
        Spikes.from_neo(hour, dt=0.1)


def test_parts_that_neo_cuts_out():
    spikes = Spikes(ticks=[3, 11, 13, 20], ids=[2, 0, 2, 0], size=4, duration=2.0, dt=0.1)
    part = [train.time_slice(1.0 * pq.ms, 1.5 * pq.ms) for train in spikes.to_neo()]
    assert Spikes.from_neo(part) == spikes.between(1.0, 1.5)
    assert Spikes.from_neo(spikes.to_neo()[2]) == spikes.select([2])


@pytest.mark.parametrize("exact_times", [False, True])
def test_files_of_neo(exact_times, tmp_path):
    pytest.importorskip("nixio", reason="nixio is not installed; the extra neo has it")
    spikes = Spikes(ticks=[3, 1, 3, 20], ids=[2, 0, 2, 0], size=4, duration=2.0, dt=0.1, name="exc",
                    unit_ids=[7, 8, BIG, 9], metadata={"seed": 3})
    if exact_times:
        spikes = Spikes.from_times([0.1234567, 1.9], [1, 0], size=3, duration=2.0, name="exc")
    write_spikes(spikes, tmp_path / "spikes.nix")
    found = read_spikes(tmp_path / "spikes.nix")
    assert found == spikes and labels(found) == labels(spikes)
    io = neo.io.NixIO(str(tmp_path / "spikes.nix"), mode="ro")
    (block,) = io.read_all_blocks()
    io.close()
    assert len(block.segments[0].spiketrains) == spikes.size
    (tmp_path / "text.nix").write_text("no such file")
    for name, message in (("none.nix", "does not exist"), ("text.nix", "is not a NIX file of Neo or is damaged")):
        with pytest.raises(FileError, match=message):
            read_spikes(tmp_path / name)
    with pytest.raises(FileError, match="its folder does not exist"):
        write_spikes(spikes, tmp_path / "no" / "spikes.nix")


def test_elephant_takes_the_trains():
    statistics = pytest.importorskip("elephant.statistics", reason="Elephant is not installed")
    spikes = Spikes(ticks=[10, 30, 60, 100], ids=[0, 0, 0, 1], size=3, duration=100.0, dt=0.1)
    trains = spikes.to_neo()
    rates = [float(statistics.mean_firing_rate(train).rescale("Hz")) if len(train) else 0.0 for train in trains]
    assert rates == spikes.rates().tolist()
    assert statistics.cv(statistics.isi(trains[0])) == pytest.approx(spikes.cv()[0])
