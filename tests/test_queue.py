"""The event queue: the order of heapq, nothing lost when it is full, and a state that goes on alike."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosim.engine import loader, queue
from neurosim.engine.queue import EMPTY, FULL, Queue
from neurosim.errors import ParameterError

FEW = st.tuples(st.sampled_from([0.0, 1.0, 1.0 + 2**-52, 2.5]), st.integers(-2, 2), st.integers(0, 3))  # many ties
ANY = st.tuples(st.floats(-1e300, 1e300), st.integers(-2**62, 2**62), st.integers(-2**62, 2**62))
ACTIONS = st.lists(st.one_of(st.none(), FEW, ANY), max_size=120)

# Each action is an event to add, or NaN to take one; what is taken is written down.
DRIVER = '''
def main(time, order, item, actions_t, actions_o, actions_i, out_t, out_o, out_i):
    size = 0
    n = 0
    full = 0
    for k in range(actions_t.size):
        if actions_t[k] == actions_t[k]:
            new = push(time, order, item, size, actions_t[k], actions_o[k], actions_i[k])
            if new < 0:
                full += 1
            else:
                size = new
        elif size > 0:
            out_t[n] = time[0]
            out_o[n] = order[0]
            out_i[n] = item[0]
            n += 1
            size = pop(time, order, item, size)
    return n, size, full
'''


def arrays(capacity):
    return np.zeros(capacity), np.zeros(capacity, dtype=np.int64), np.zeros(capacity, dtype=np.int64)


@settings(max_examples=200, deadline=None)
@given(ACTIONS)
def test_events_leave_in_the_order_of_heapq(actions):
    ours, theirs = Queue(capacity=1), []
    for action in actions:
        if action is not None:
            ours.push(*action)
            heapq.heappush(theirs, action)
        elif theirs:
            assert ours.pop() == heapq.heappop(theirs)
        assert len(ours) == len(theirs)
    assert [ours.pop() for _ in range(len(ours))] == sorted(theirs)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(FEW, ANY), min_size=1, max_size=60), st.lists(FEW, max_size=60))
def test_replacing_the_root_is_a_pop_and_a_push(start, later):
    ours, theirs = Queue(), []
    for event in start:
        ours.push(*event)
        heapq.heappush(theirs, event)
    for event in later:
        queue.replace_root(ours.time, ours.order, ours.item, len(ours), *event)
        heapq.heapreplace(theirs, event)
        assert (ours.time[0], ours.order[0], ours.item[0]) == theirs[0]
    assert [ours.pop() for _ in range(len(ours))] == sorted(theirs)


@settings(max_examples=50, deadline=None)
@given(ACTIONS)
def test_compiled_and_plain_bodies_agree(actions):
    compiled = loader.load_function("queue_test", DRIVER, {"push": queue.push, "pop": queue.pop})
    numbers = [(np.nan, 0, 0) if action is None else action for action in actions] + [(np.nan, 0, 0)]
    given_t = np.array([number[0] for number in numbers])
    given_o, given_i = (np.array([number[k] for number in numbers], dtype=np.int64) for k in (1, 2))
    room, out = arrays(64), arrays(given_t.size)
    n, size, full = compiled(*room, given_t, given_o, given_i, *out)

    plain, taken, refused = [], [], 0
    for number, action in zip(numbers, [*actions, None], strict=True):
        if action is None:
            taken += [heapq.heappop(plain)] if plain else []
        elif len(plain) == 64:
            refused += 1
        else:
            heapq.heappush(plain, number)
    assert list(zip(*(column[:n].tolist() for column in out), strict=True)) == taken
    assert (size, full) == (len(plain), refused)


def test_a_full_queue_refuses_and_changes_nothing():
    time, order, item = arrays(2)
    size = queue.push(time, order, item, 0, 3.0, 0, 0)
    size = queue.push(time, order, item, size, 2.0, 0, 1)
    before = time.copy(), order.copy(), item.copy()
    assert queue.push(time, order, item, size, 1.0, 0, 2) == FULL
    assert all(np.array_equal(a, b) for a, b in zip(before, (time, order, item), strict=True))


def test_nothing_can_be_taken_from_an_empty_queue():
    assert queue.pop(*arrays(2), 0) == EMPTY
    with pytest.raises(IndexError, match="empty queue"):
        Queue().pop()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(FEW, ANY), max_size=40), st.lists(FEW, max_size=10))
def test_a_snapshot_is_sorted_whatever_the_history_and_goes_on_alike(events, later):
    first, second = Queue(capacity=1), Queue(capacity=3)
    for event in events:
        first.push(*event)
    for event in reversed(events):
        second.push(*event)
    a, b = first.snapshot(), second.snapshot()
    assert list(zip(*(a[name].tolist() for name in ("time", "order", "item")), strict=True)) == sorted(events)
    assert all(np.array_equal(a[name], b[name]) for name in a)

    restored = Queue(capacity=1)
    restored.push(9.0, 9, 9)
    restored.restore(a)
    for event in later:
        first.push(*event)
        restored.push(*event)
    assert len(first) == len(restored) == len(events) + len(later)
    assert [first.pop() for _ in range(len(first))] == [restored.pop() for _ in range(len(restored))]


def test_a_snapshot_is_a_copy():
    ours = Queue()
    ours.push(1.0, 2, 3)
    kept = ours.snapshot()
    ours.pop()
    ours.push(5.0, 5, 5)
    assert (kept["time"].tolist(), kept["order"].tolist(), kept["item"].tolist()) == ([1.0], [2], [3])


@pytest.mark.parametrize("t", [np.nan, np.inf, -np.inf])
def test_a_time_that_is_not_finite_is_refused(t):
    with pytest.raises(ParameterError, match="time of an event must be a finite number"):
        Queue().push(t)


@pytest.mark.parametrize("capacity", [0, -1, 2.5, True, "many"])
def test_a_capacity_that_is_no_positive_whole_number_is_refused(capacity):
    with pytest.raises(ParameterError, match=r"Queue\.capacity must be a whole number >= 1"):
        Queue(capacity)


def test_a_snapshot_that_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="three 1-D arrays of one length"):
        Queue().restore({"time": np.zeros(2), "order": np.zeros(2, np.int64), "item": np.zeros(1, np.int64)})
    with pytest.raises(ParameterError, match="finite times"):
        Queue().restore({"time": [np.nan], "order": [0], "item": [0]})
