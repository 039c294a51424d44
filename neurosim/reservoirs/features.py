"""From the spikes of a liquid to one vector of numbers for a readout."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from neurosim.aliases import Row, RowOrNone, Whole
from neurosim.checks import Parameter, Parametrised, computed, describe_value
from neurosim.connectivity import Vector
from neurosim.errors import ParameterError, warn
from neurosim.spikes import Spikes


class Feature(Parametrised, ABC):
    """Base of the feature maps.

    A map gives `vector(spikes)`, float32, of a length that depends only on how many neurons were watched. One
    that needs a recorded state variable instead names it in `variable` and gives `last(values)`.
    """

    variable: ClassVar[str | None] = None

    @abstractmethod
    def vector(self, spikes: Spikes) -> np.ndarray:
        """Return the features of one recording, float32, 1-D."""

    def matrix(self, recordings) -> np.ndarray:
        """Return the features of many recordings, float32, shape (n_recordings, n_features).

        >>> from neurosim.spikes import Spikes
        >>> Counts().matrix([Spikes(ticks=[1, 2], ids=[1, 1], size=2, dt=1.0, duration=5.0)] * 3).shape
        (3, 2)
        """
        vectors = [self.vector(_checked(self, spikes)) for spikes in recordings]
        return np.stack(vectors) if vectors else np.empty((0, 0), np.float32)


class Counts(Feature):
    """How often each neuron spiked.

    >>> from neurosim.spikes import Spikes
    >>> Counts().vector(Spikes(ticks=[1, 4], ids=[1, 1], size=3, dt=1.0, duration=5.0))
    array([0., 2., 0.], dtype=float32)
    """

    def vector(self, spikes):
        """Return the counts, shape (neurons,)."""
        spikes = spikes.watched_only()
        return np.bincount(spikes.ids, minlength=spikes.size).astype(np.float32)


class BinnedCounts(Feature, kw_only=False):
    """How often each neuron spiked in each of several parts of the recording.

    Args:
        bins: number of parts of equal length; a spike at tick t of T is in part (t - 1) bins // T.
        edges: instead of equal parts, the times in ms from the beginning of the recording at which parts
            end, rising; what comes after the last one does not count.

    Raises:
        ParameterError: the edges do not rise.

    >>> from neurosim.spikes import Spikes
    >>> BinnedCounts(2).vector(Spikes(ticks=[1, 2, 3], ids=[0, 1, 1], size=2, dt=1.0, duration=4.0))
    array([1., 1., 0., 1.], dtype=float32)
    """

    positional = 1
    bins: Whole = Parameter(3, doc="number of parts", integer=True, at_least=1, per_element=False)
    edges: RowOrNone = Vector(None, "ms", above=0, scalar=False, optional=True, doc="ends of the parts")

    def validate(self):
        """Check that the edges rise."""
        if self.edges is not None and (np.diff(self.edges) <= 0).any():
            raise ParameterError(f"BinnedCounts.edges must rise, got {describe_value(self.edges)}")

    def vector(self, spikes):
        """Return the counts, part after part, shape (bins * neurons,)."""
        spikes = spikes.watched_only()
        if self.edges is None:
            bins, part = self.bins, _equal_parts(spikes, self.bins)
        else:
            bins, ends = len(self.edges), np.array(self.edges) * (1 + 1e-12)
            if ends[0] > spikes.duration > 0 and bins > 1:
                warn(f"BinnedCounts.edges begin at {self.edges[0]:g} ms, after the recording has ended at "
                     f"{spikes.duration:g} ms, so that all spikes are in the first part; edges are in ms")
            part = np.searchsorted(ends, spikes.times - spikes.start)
        inside = part < bins
        place = part[inside] * spikes.size + spikes.ids[inside]
        return np.bincount(place, minlength=bins * spikes.size).astype(np.float32)


def _equal_parts(spikes, bins):
    if spikes.dt is not None:
        first, span = round(spikes.start / spikes.dt), max(round(spikes.duration / spikes.dt), 1)
        return (spikes.ticks - first - 1) * bins // span
    passed = (spikes.times - spikes.start) / spikes.duration if len(spikes) else spikes.times
    return np.clip(np.ceil(passed * bins).astype(np.int64) - 1, 0, bins - 1)


class Traces(Feature, kw_only=False):
    r"""Exponentially filtered spikes: x_i(t) = sum over spikes s <= t of exp(-(t - s) / tau).

    Args:
        tau: time constant, or several, ms.
        at: when to look, one or several times in ms from the beginning; None: at the end.

    >>> import numpy as np
    >>> from neurosim.spikes import Spikes
    >>> Traces(tau=10.0).vector(Spikes(ticks=[5], ids=[0], size=2, dt=1.0, duration=15.0)) - np.float32(np.exp(-1))
    array([ 0.        , -0.36787945], dtype=float32)
    """

    positional = 1
    tau: Row = Vector(20.0, "ms", above=0, doc="time constants")
    at: RowOrNone = Vector(None, "ms", above=0, optional=True, doc="when to look; None: at the end")

    def vector(self, spikes):
        """Return the traces: for each time, for each time constant, all neurons."""
        spikes = spikes.watched_only()
        passed, traces = spikes.times - spikes.start, []
        for when in np.atleast_1d(spikes.duration if self.at is None else self.at):
            count = np.searchsorted(passed, when * (1 + 1e-12), side="right")
            for tau in np.atleast_1d(self.tau):
                weights = np.exp((passed[:count] - when) / tau)
                traces.append(np.bincount(spikes.ids[:count], weights, spikes.size))
        return np.concatenate(traces).astype(np.float32)


class LastState(Feature):
    """A state variable of each neuron at the end of the recording; it is recorded, not made from spikes.

    Args:
        variable: its name, such as "v".

    >>> LastState("v")
    LastState()
    """

    variable: str = computed()

    def __init__(self, variable: str = "v"):
        if not isinstance(variable, str) or not variable:
            raise ParameterError(f"LastState.variable must be the name of a state variable, "
                                 f"got {describe_value(variable)}")
        super().__init__()
        vars(self)["variable"] = variable

    def vector(self, spikes):
        """Refuse: spikes do not tell it."""
        raise ParameterError(f"LastState must be given to `states`, which records {self.variable!r}; spikes alone do "
                             "not tell it")

    def last(self, values):
        """Return the last row of the recorded values."""
        return values[-1].astype(np.float32)

    def __repr__(self):
        return f"LastState({'' if self.variable == 'v' else repr(self.variable)})"

    def __eq__(self, other):
        return type(other) is LastState and self.variable == other.variable

    def __hash__(self):
        return hash((LastState, self.variable))


def as_features(features) -> list[Feature]:
    """Return one feature map or several as a list; raise ParameterError for anything else."""
    several = list(features) if isinstance(features, (list, tuple)) else [features]
    for feature in several:
        if not isinstance(feature, Feature):
            raise ParameterError(f"features must be a feature map such as Counts(), or a list of them, "
                                 f"got {describe_value(feature)}")
    if not several:
        raise ParameterError("features must be a feature map such as Counts(), or a list of them, got []")
    return several


def _checked(feature, spikes):
    if not isinstance(spikes, Spikes):
        raise ParameterError(f"{type(feature).__name__} must be given Spikes, got {describe_value(spikes)}")
    return spikes


__all__ = ["BinnedCounts", "Counts", "Feature", "LastState", "Traces"]
