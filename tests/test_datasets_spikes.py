"""Events become spikes at ticks or exact times, and arguments that do not fit are refused."""

import re

import numpy as np
import pytest
from dataset_files import QUICK, SENSOR, camera
from hypothesis import given
from hypothesis import strategies as st

from neurosim.datasets import (
    NMNIST,
    make_events,
    read_events,
    to_batch,
    to_events,
    to_spikes,
    write_events,
    write_idx,
    write_nmnist,
    write_shd,
)
from neurosim.errors import NeurosimWarning, ParameterError


def slow_spikes(events, size, dt):
    """Tick and channel of each event, one by one, in whole numbers where dt is a whole number of microseconds."""
    width, height, polarities = size
    rows = []
    for event in events:
        tick = max(1, -(-int(event["t"]) // round(dt * 1000)))
        channel = int(event["x"])
        if "y" in events.dtype.names:
            channel += width * int(event["y"])
        if polarities == 2:
            channel += width * height * int(event["p"])
        rows.append((tick, channel))
    return sorted(rows)


@given(st.lists(camera(most_us=10_000, most=25), min_size=1, max_size=5), st.sampled_from([1.0, 0.1, 0.001, 0.3, 7.0]))
@QUICK
def test_every_event_becomes_a_spike_at_its_tick(recordings, dt):
    batch = to_batch(recordings, SENSOR, dt=dt)
    for index, events in enumerate(recordings):
        spikes = to_spikes(events, SENSOR, dt=dt)
        wanted = slow_spikes(events, SENSOR, dt)
        assert list(zip(spikes.ticks.tolist(), spikes.ids.tolist(), strict=True)) == wanted
        part = slice(batch.offsets[index], batch.offsets[index + 1])
        assert list(zip(batch.ticks[part].tolist(), batch.channels[part].tolist(), strict=True)) == wanted
        assert spikes.size == 34 * 34 * 2 and spikes.duration == pytest.approx(max([0, *spikes.ticks]) * dt)


@given(camera(most_us=100_000), st.sampled_from([1 / 3, 0.7, 0.0123]))
@QUICK
def test_ticks_that_are_no_whole_microseconds(events, dt):
    ticks = to_spikes(events, SENSOR, dt=dt).ticks
    t = np.sort(events["t"])
    assert (ticks >= 1).all() and (t <= ticks * dt * 1000 + 1e-6).all()
    assert (t[ticks > 1] > (ticks[ticks > 1] - 1) * dt * 1000 - 1e-6).all()


@given(camera(most_us=10**9))
@QUICK
def test_without_a_grid_spikes_have_the_exact_times_of_their_events(events):
    exact = to_spikes(events, SENSOR, dt=None, name="eye")
    fine = to_spikes(events, SENSOR, dt=0.001)  # the same, for events come at whole microseconds
    assert exact.dt is None and exact.name == "eye" and exact.size == fine.size
    assert exact.times.tolist() == [max(t, 1) / 1000 for t in sorted(events["t"].tolist())]
    assert exact.ids.tolist() == fine.ids.tolist()
    assert exact.duration == max([0, *exact.times])
    again = to_events(exact, SENSOR)
    assert np.array_equal(again, to_events(fine, SENSOR)) and len(again) == len(events)
    assert to_spikes(again, SENSOR, dt=None, duration=exact.duration) == exact


@given(camera(most_us=10_000))
@QUICK
def test_spikes_become_events_again(events):
    spikes = to_spikes(events, SENSOR, dt=0.001, duration=10.0)
    again = to_events(spikes, SENSOR)
    assert to_spikes(again, SENSOR, dt=0.001, duration=10.0) == spikes and len(again) == len(events)


def test_fields_are_taken_by_name_and_a_single_polarity_is_not_looked_at():
    one = np.array([(1, 5, 3), (1, 6, 2)], dtype=[("p", int), ("t", int), ("x", int)])  # Tonic has p = 1 for SHD
    assert to_spikes(one, (700, 1, 1)).ids.tolist() == [2, 3]
    both = make_events(t=[1, 2], x=[1, 1], y=[0, 0], p=[0, 1])
    with pytest.raises(ParameterError, match="must have one polarity for a sensor of 1 polarity, got both"):
        to_spikes(both, (34, 34, 1))


@pytest.mark.parametrize(("call", "message"), [
    (lambda e: to_spikes(e, SENSOR, duration=1.0), "must hold every event, got 1 ms and 2 events up to 2.5 ms"),
    (lambda e: to_batch([e], SENSOR, duration=1.0), "to_batch.duration must hold every event"),
    (lambda e: to_spikes(e, SENSOR, dt=None, duration=2.0),
     "to_spikes.duration must hold every event, got 2 ms and 1 events up to 2.5 ms; cut them first: "
     "events[events['t'] <= 2000]"),
    (lambda e: to_spikes(e, SENSOR, dt=None, duration=-1.0), "to_spikes.duration must be a finite number >= 0 ms, got"),
    (lambda e: to_spikes(e, SENSOR, dt=None, duration="1"), "to_spikes.duration must be a finite number >= 0 ms, got"),
    (lambda e: to_batch([e], SENSOR, dt=None), "to_batch.dt must be a finite number > 0 ms, got None"),
    (lambda e: to_spikes(e, SENSOR, dt=0), "to_spikes.dt must be a finite number > 0 ms, got 0"),
    (lambda e: to_spikes(e, SENSOR, duration=3.5), "to_spikes.duration must be a multiple of dt = 1 ms"),
    (lambda e: to_spikes(e, (34, 34)), "sensor_size must be (width, height, polarities)"),
    (lambda e: to_spikes(e, (34, 34, 3)), "1 or 2 polarities, got (34, 34, 3)"),
    (lambda e: to_spikes(e, (3, 34, 2)), "events['x'] must be in 0 .. 2, got 3 in event 2"),
    (lambda e: to_spikes(e["t"], SENSOR), "events must be a 1-D structured array with the fields t and x"),
    (lambda e: to_spikes(e[["t", "x"]], SENSOR), "events must have a field y for a sensor of height 34"),
    (lambda e: to_spikes(np.zeros(1, [("x", int), ("t", float)]), (34, 1, 1)), "events['t'] must be whole numbers"),
    (lambda e: to_batch([e, e[["t", "x"]]], SENSOR), "must all have the same fields and types"),
    (lambda e: make_events(t=[-1], x=[0]), "make_events.t must lie in 0 .. 4611686018427387904, got -1"),
    (lambda e: make_events(t=[1, 2], x=[0]), "make_events.x must have one entry per event, got 1 for 2 times"),
    (lambda e: make_events(t=[0.5], x=[0]), "make_events.t must be a 1-D array of integers"),
    (lambda e: write_nmnist(e, "no.bin", (34, 300, 2)), "write_nmnist.sensor_size must be at most (256, 240, 2)"),
    (lambda e: write_nmnist(e[::-1], "no.bin"), "write_nmnist.events must be sorted by time"),
    (lambda e: write_events(e, "no.txt"), "write_events.path must end in .npy, .npz, .csv, .h5, .hdf5, got 'no.txt'"),
    (lambda e: write_events(e, "no.csv", (2, 34, 2)), "write_events.events['x'] must be in 0 .. 1"),
    (lambda e: write_shd([e[["t", "x"]]], [0, 1], "no.h5"), "write_shd.labels must be one whole number for each of"),
    (lambda e: write_shd([e[["t", "x"]]], [3], "no.h5", keys=["a"]), "write_shd.labels must lie in 0 .. 0, got 3"),
    (lambda e: write_idx(np.zeros(3, dtype=np.int64), "no"), "write_idx.array must be uint8, int8, int16, int32"),
    (lambda e: NMNIST("nowhere", saccade=3), "NMNIST.saccade must be 0, 1, 2 or None, got 3"),
    (lambda e: NMNIST("nowhere", train="test"), "NMNIST.train must be True or False, got 'test'"),
    (lambda e: read_events("no.csv", time_unit="min"), "read_events.time_unit must be 'ns' or 'us' or 'ms' or 's'"),
])
def test_arguments_that_do_not_fit_are_refused(call, message):
    events = make_events(t=[0, 1500, 2500], x=[0, 1, 3], y=[0, 1, 2], p=[0, 1, 1])
    with pytest.raises(ParameterError, match=re.escape(message)):
        call(events)




# ---- where the window opens ---------------------------------------------------------------------------------------

UNIX = 1_700_000_000_000_000  # microseconds


@given(st.lists(camera(most_us=10_000, most=9), min_size=1, max_size=4), st.sampled_from([1.0, 0.3, None]))
@QUICK
def test_a_window_that_opens_at_the_first_event(recordings, dt):
    late = [events.copy() for events in recordings]
    for index, events in enumerate(late):
        events["t"] += UNIX + index
    first = [events["t"].min(initial=10**9) for events in recordings]
    early = [events.copy() for events in recordings]
    for events, begin in zip(early, first, strict=True):
        events["t"] -= begin
    for there, wanted in zip(late, early, strict=True):
        found = to_spikes(there, SENSOR, dt=dt, start="first")
        assert found == to_spikes(wanted, SENSOR, dt=dt) and found.duration < 11
        if len(there):
            assert to_spikes(there, SENSOR, dt=dt, start=int(there["t"][0])) == found
    if dt is not None:
        found, wanted = to_batch(late, SENSOR, dt=dt, start="first"), to_batch(early, SENSOR, dt=dt)
        assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_times_of_a_clock_are_warned_of():
    late = make_events(t=[UNIX, UNIX + 1500], x=[0, 1])
    with pytest.warns(NeurosimWarning, match=r"to_spikes: the first event comes 1700000000 s after the window opens; "
                                             r"start="):
        to_spikes(late, (2, 1, 1))
    with pytest.warns(NeurosimWarning, match="to_batch: the first event comes 1700000000 s after"):
        to_batch([late], (2, 1, 1))


@pytest.mark.parametrize("start", ["last", 1.5, None, True])
def test_where_a_window_cannot_open(start):
    with pytest.raises(ParameterError, match='to_spikes.start must be a whole number of microseconds or "first"'):
        to_spikes(make_events(t=[1], x=[0]), (1, 1, 1), start=start)


def test_events_before_the_window_are_refused():
    with pytest.raises(ParameterError, match="start must not be later than any event, got 5 us and an event at 4 us"):
        to_spikes(make_events(t=[4, 9], x=[0, 0]), (1, 1, 1), start=5)
