"""Recordings of spikes of every kind, for hypothesis: on and off the grid, silent, hours long, with ids of 64 bits."""

from hypothesis import strategies as st

from neurosim.spikes import Spikes

DTS = [0.1, 1.0, 0.05, 1 / 3, 1e-3, 0.7]
HOURS = 10 * 3600 * 1000 * 10  #: ticks of 0.1 ms
NAMES = st.sampled_from(["", "exc", "größe x"])
LABELS = st.dictionaries(st.sampled_from(["seed", "network", "was $end"]),
                         st.one_of(st.text("ab$é", max_size=5), st.integers(-2**63, 2**63 - 1), st.booleans(),
                                   st.floats(allow_nan=False)), max_size=2)


@st.composite
def who(draw, size):
    """Perhaps other names of the neurons, perhaps some of them that were not watched."""
    unit_ids = draw(st.none() | st.lists(st.integers(0, 2**63 - 1), min_size=size, max_size=size, unique=True))
    watched = draw(st.none() | st.sets(st.integers(0, size - 1), min_size=1))
    return unit_ids, None if watched is None else sorted(watched)


@st.composite
def clocked(draw, several=True):
    """Spikes on a grid; `several` of one neuron at one tick are possible."""
    size, dt = draw(st.integers(1, 6)), draw(st.sampled_from(DTS))
    unit_ids, watched = draw(who(size))
    first, many = draw(st.integers(0, HOURS)), draw(st.integers(1, 50))
    event = st.tuples(st.integers(1, many), st.sampled_from(watched or range(size)))
    events = draw(st.lists(event, max_size=20, unique=not several))
    return Spikes(ticks=[first + tick for tick, _ in events], ids=[neuron for _, neuron in events], size=size,
                  duration=many * dt, dt=dt, start=first * dt, name=draw(NAMES), metadata=draw(LABELS),
                  watched=watched, unit_ids=unit_ids)


@st.composite
def exact(draw):
    """Spikes at any time."""
    size, start = draw(st.integers(1, 6)), draw(st.floats(0, 4e7))
    unit_ids, watched = draw(who(size))
    duration = draw(st.floats(1e-3, 1e6))
    event = st.tuples(st.floats(start, start + duration, exclude_min=True), st.sampled_from(watched or range(size)))
    events = draw(st.lists(event, max_size=20))
    return Spikes.from_times([time for time, _ in events], [neuron for _, neuron in events], size=size,
                             duration=duration, start=start, name=draw(NAMES), metadata=draw(LABELS), watched=watched,
                             unit_ids=unit_ids)


def as_written(spikes):
    """What a file of another tool holds of them."""
    return spikes if spikes.unit_ids is None else spikes.watched_only()


def labels(spikes):
    """What equality does not compare."""
    called = None if spikes.unit_ids is None else spikes.unit_ids.tolist()
    return spikes.name, dict(spikes.metadata), called
