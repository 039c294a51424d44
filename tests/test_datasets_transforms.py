"""Transforms of events against plain Python, event by event, and against what their definitions say."""

import math
import re

import numpy as np
import pytest
from dataset_files import QUICK, SENSOR, camera, cochlea, same
from hypothesis import given
from hypothesis import strategies as st

from neurosim.datasets import (
    crop,
    denoise,
    downsample,
    flip,
    make_events,
    merge_polarities,
    refractory_filter,
    time_surface,
    time_window,
    to_frames,
    to_voxel_grid,
)
from neurosim.errors import ParameterError

SMALL = (4, 3, 2)
few = camera(most_us=300, most=30, width=4, height=3)


def fields(events):
    return [tuple(event) for event in events.tolist()]


@given(few, st.integers(0, 3), st.integers(1, 4), st.integers(0, 2))
@QUICK
def test_crop(events, first, width, row):
    found = crop(events, x=(first, first + width), y=(row, 3))
    assert fields(found) == [(x - first, y - row, t, p) for x, y, t, p in fields(events)
                             if first <= x < first + width and row <= y < 3]
    assert found.dtype == events.dtype


@given(few, st.integers(1, 5))
@QUICK
def test_downsample_keeps_every_event(events, factor):
    before = events.copy()
    assert fields(downsample(events, factor)) == [(x // factor, y // factor, t, p) for x, y, t, p in fields(events)]
    assert same(events, before)  # what is given stays as it was


@given(few, st.integers(0, 300), st.integers(1, 300))
@QUICK
def test_time_window(events, start, length):
    wanted = [(x, y, t, p) for x, y, t, p in fields(events) if start <= t < start + length]
    assert fields(time_window(events, start, start + length, shift=False)) == wanted
    assert fields(time_window(events, start, start + length)) == [(x, y, t - start, p) for x, y, t, p in wanted]
    parts = [time_window(events, at, at + 100, shift=False) for at in range(0, 301, 100)]
    assert same(np.concatenate(parts), events)


@given(few, st.sampled_from("xyp"))
@QUICK
def test_flip_is_its_own_inverse(events, axis):
    found = flip(events, SMALL, axis)
    assert same(flip(found, SMALL, axis), events)
    most = {"x": 3, "y": 2, "p": 1}[axis]
    assert (found[axis] + events[axis].astype(int) == most).all()
    assert all(np.array_equal(found[name], events[name]) for name in set("xytp") - {axis})


@given(few)
@QUICK
def test_merged_polarities_are_on(events):
    found = merge_polarities(events)
    assert found["p"].all() and all(np.array_equal(found[name], events[name]) for name in "xyt")


@given(few, st.integers(0, 200))
@QUICK
def test_refractory_filter(events, period):
    last, wanted = {}, []
    for x, y, t, p in fields(events):
        if (x, y) not in last or t - last[x, y] >= period:
            last[x, y] = t
            wanted.append((x, y, t, p))
    found = refractory_filter(events, SMALL, period)
    assert fields(found) == wanted
    assert same(refractory_filter(found, SMALL, period), found) and (period or same(found, events))


@given(few, st.integers(0, 200), st.integers(1, 3), st.integers(1, 4))
@QUICK
def test_denoise(events, window, radius, neighbours):
    last, wanted = {}, []
    for x, y, t, p in fields(events):
        near = [then for (i, j), then in last.items() if (i, j) != (x, y) and max(abs(i - x), abs(j - y)) <= radius]
        if sum(t - then <= window for then in near) >= neighbours:
            wanted.append((x, y, t, p))
        last[x, y] = t
    assert fields(denoise(events, SMALL, window, radius, neighbours)) == wanted


def test_denoise_leaves_a_moving_edge_and_takes_noise():
    rng = np.random.default_rng(0)
    edge_t = np.repeat(np.arange(30) * 1000, 34)
    edge = make_events(t=edge_t, x=edge_t // 1000, y=np.tile(np.arange(34), 30), p=np.ones(1020, int))
    noise = make_events(t=rng.integers(0, 30_000, 300), x=rng.integers(0, 34, 300), y=rng.integers(0, 34, 300),
                        p=np.zeros(300, int))
    both = np.concatenate([edge, noise])
    kept = denoise(both[np.argsort(both["t"], kind="stable")], SENSOR, window=500, neighbours=1)
    assert np.count_nonzero(kept["p"]) > 980 and np.count_nonzero(~kept["p"]) < 120


# ---- frames ----------------------------------------------------------------------------------------------------------


def slow_frames(events, place, many):
    counts = np.zeros((many, 2, 3, 4), dtype=np.int32)
    for k, (x, y, _, p) in enumerate(fields(events)):
        counts[place[k], int(p), y, x] += 1
    return counts


@given(few, st.integers(1, 120), st.integers(1, 9))
@QUICK
def test_frames_hold_every_event_once(events, length, many):
    first = events["t"][0] if len(events) else 0
    since = [t - first for t in events["t"].tolist()]
    last = since[-1] if since else -length
    wanted = slow_frames(events, [t // length for t in since], last // length + 1)
    found = to_frames(events, SMALL, period=length)
    assert found.dtype == np.int32 and np.array_equal(found, wanted)
    found = to_frames(events, SMALL, n_frames=many)
    assert np.array_equal(found, slow_frames(events, [min(t * many // max(last, 1), many - 1) for t in since], many))
    found = to_frames(events, SMALL, n_events=many)
    assert np.array_equal(found, slow_frames(events, [k // many for k in range(len(events))], -(-len(events) // many)))


def test_frames_of_a_cochlea_and_of_one_polarity():
    spikes = make_events(t=[5, 9, 20], x=[0, 2, 2])
    assert to_frames(spikes, (3, 1, 1), period=10).tolist() == [[[[1, 0, 1]]], [[[0, 0, 1]]]]


def test_frames_of_a_long_recording_are_cut_exactly():
    t = np.array([0, 2**50, 2**51 - 1, 2**51, 3 * 2**50])  # beyond what a float64 tells apart after the product
    found = to_frames(make_events(t=t, x=[0] * 5, y=[0] * 5), SMALL, n_frames=3)
    assert found[:, 1, 0, 0].tolist() == [1, 2, 2]


def test_a_surface_before_the_first_event_is_empty():
    assert not time_surface(make_events(t=[5], x=[0], y=[0]), SMALL, 1e-3, at=-10**9).any()


def test_a_crowded_pixel_does_not_overflow():
    events = make_events(t=np.zeros(70_000, int), x=np.zeros(70_000, int), y=np.zeros(70_000, int))
    assert to_frames(events, SMALL, n_frames=1)[0, 1, 0, 0] == 70_000


@given(few, st.integers(1, 6))
@QUICK
def test_voxel_grid_by_its_definition(events, n_bins):
    t = events["t"] - (events["t"][0] if len(events) else 0)
    scale = (n_bins - 1) / max(1, t.max(initial=0))
    wanted = np.zeros((n_bins, 3, 4))
    for (x, y, _, p), since in zip(fields(events), t.tolist(), strict=True):
        for b in range(n_bins):
            wanted[b, y, x] += (1 if p else -1) * max(0.0, 1 - abs(b - since * scale))
    found = to_voxel_grid(events, SMALL, n_bins)
    assert np.allclose(found, wanted, atol=1e-12)
    assert found.sum() == pytest.approx(2 * np.count_nonzero(events["p"]) - len(events), abs=1e-9)


@given(few, st.floats(1.0, 1e4), st.integers(0, 300))
@QUICK
def test_time_surface_by_its_definition(events, tau, at):
    wanted = np.zeros((2, 3, 4))
    for x, y, t, p in fields(events):
        if t <= at:
            wanted[int(p), y, x] = math.exp(-(at - t) / tau)
    assert np.allclose(time_surface(events, SMALL, tau, at), wanted, rtol=1e-12, atol=0)
    if len(events):
        assert time_surface(events, SMALL, tau).max() == 1.0


@given(cochlea(most=20))
@QUICK
def test_a_cochlea_goes_through_all(events):
    size = (700, 1, 1)
    assert len(downsample(events, 7)) == len(events) == len(flip(events, size, "x"))
    assert len(refractory_filter(events, size, 0)) == len(events) >= len(denoise(events, size, 10**7, 700))
    assert to_frames(events, size, n_frames=3).shape == (3, 1, 1, 700)
    assert to_voxel_grid(events, size, 3).shape == (3, 1, 700) and time_surface(events, size, 1e3).shape == (1, 1, 700)
    assert len(crop(events, x=(0, 350))) + len(crop(events, x=(350, 700))) == len(events)


EVENTS = make_events(t=[1, 2], x=[3, 0], y=[2, 0], p=[0, 1])


@pytest.mark.parametrize(("call", "message"), [
    (lambda e: crop(e, x=(3, 3)), "crop.x must be (first, last + 1), whole numbers with 0 <= first < last + 1 <= "
                                  "32768"),
    (lambda e: crop(e, x=(0, 2), y=1), "crop.y must be (first, last + 1)"),
    (lambda e: crop(e[["t", "x"]], x=(0, 2), y=(0, 1)), "crop.y needs events with the field y"),
    (lambda e: downsample(e, 0), "downsample.factor must be a whole number in 1 .. 32768, got 0"),
    (lambda e: downsample(e, 1.5), "downsample.factor must be a whole number"),
    (lambda e: time_window(e, 5, 5), "time_window.stop must be later than start, got 5 and 5 us"),
    (lambda e: time_window(e, 0.5, 5), "time_window.start must be a whole number"),
    (lambda e: flip(e, SMALL, "t"), "flip.axis must be 'x' or 'y' or 'p', got 't'"),
    (lambda e: flip(e, (3, 3, 2), "x"), "flip.events['x'] must be in 0 .. 2, got 3 in event 0"),
    (lambda e: flip(e[["t", "x", "y"]], (4, 3, 1), "p"), "flip.axis 'p' needs events with the field p"),
    (lambda e: refractory_filter(e[::-1], SMALL, 5), "refractory_filter.events must be sorted by time, event 1 comes"),
    (lambda e: refractory_filter(e, SMALL, -1), "refractory_filter.period must be a whole number in 0 .."),
    (lambda e: denoise(e, SMALL, 5, radius=0), "denoise.radius must be a whole number in 1 .. 32768, got 0"),
    (lambda e: denoise(e, (4, 3), 5), "denoise.sensor_size must be (width, height, polarities)"),
    (lambda e: to_frames(e, SMALL), "to_frames must be given one of period, n_frames and n_events, got 0 of them"),
    (lambda e: to_frames(e, SMALL, period=5, n_events=2), "got 2 of them"),
    (lambda e: to_frames(e, SMALL, period=0), "to_frames.period must be a whole number >= 1, got 0"),
    (lambda e: to_frames(e, SMALL, n_frames=2**40), "to_frames must make at most 2147483648 numbers, got"),
    (lambda e: to_voxel_grid(e, SMALL, 0), "to_voxel_grid.n_bins must be a whole number >= 1, got 0"),
    (lambda e: time_surface(e, SMALL, 0.0), "time_surface.tau must be a finite number > 0 us, got 0.0"),
    (lambda e: time_surface(e, SMALL, 1.0, at=0.5), "time_surface.at must be a whole number of microseconds or None"),
    (lambda e: time_surface(e["t"], SMALL, 1.0), "time_surface.events must be a 1-D structured array"),
])
def test_arguments_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        call(EVENTS)
