"""Parts of a recording of spikes, and unions of several."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from neurosim.aliases import Number
from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.spikes.checks import as_array, as_integers, check_ids, number, on_grid, shared_labels, window_text


class Parts:
    """What `Spikes`, which derives from this, makes of itself and of others."""

    ids: np.ndarray
    size: int
    dt: float | None
    name: str
    metadata: Mapping
    watched: np.ndarray | None
    unit_ids: np.ndarray | None
    start: float
    stop: float
    _stamps: np.ndarray
    _first: Any
    _span: Any
    if TYPE_CHECKING:  # what `Spikes` has
        def _ms(self, stamp: Any) -> float: ...
        def replace(self, **changes: Any) -> Self: ...

    def select(self, ids: Any, *, renumber: bool = False) -> Self:
        """Return the spikes of some neurons only, as if nobody had watched the others.

        Args:
            ids: neurons to keep, each named once: integers, a slice, or a bool mask of shape (size,).
            renumber: False keeps numbers and size; True numbers the neurons 0, 1, ... in the order given, and the size
                becomes their number.

        Raises:
            ParameterError: if an id is out of range or named twice.

        >>> from neurosim.spikes import Spikes
        >>> spikes = Spikes(ticks=[1, 2, 3], ids=[0, 2, 1], size=3, duration=1.0, dt=0.1)
        >>> spikes.select([2, 1]).ids, spikes.select([2, 1], renumber=True).ids
        (array([2, 1], dtype=uint32), array([0, 1], dtype=uint32))
        """
        chosen = self._chosen(ids)
        place = np.full(self.size, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen)) if renumber else chosen
        if np.count_nonzero(place >= 0) != len(chosen):
            raise ParameterError("Spikes.select must name each neuron once, got one of them twice")
        found = place[self.ids]
        keep = found >= 0
        watched = place if self.watched is None else place[self.watched]
        names = self.unit_ids
        return self._with(self._stamps[keep], found[keep], size=len(chosen) if renumber else self.size,
                          watched=watched[watched >= 0],
                          unit_ids=names[chosen] if renumber and names is not None else names)

    def watched_only(self) -> Self:
        """Return the neurons that were watched as the population, numbered 0, 1, ...; itself where all were.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 2], ids=[1, 3], size=4, duration=1.0, dt=0.1, watched=[1, 3]).watched_only().ids
        array([0, 1], dtype=uint32)
        """
        return self if self.watched is None else self.select(self.watched, renumber=True)

    def _chosen(self, ids) -> np.ndarray:
        if isinstance(ids, slice):
            return np.arange(self.size)[ids]
        array = np.atleast_1d(as_array("select", ids))
        if array.dtype == bool and array.shape == (self.size,):
            return np.flatnonzero(array)
        array = as_integers("select", array)
        check_ids(array, self.size, "select")
        return array.astype(np.int64)

    def between(self, start: Number | None = None, stop: Number | None = None) -> Self:
        """Return the spikes in (start, stop], with that as their window; times stay as they are.

        Args:
            start, stop: bounds in ms inside the present window, by default its own; with `dt` multiples of it.

        Raises:
            ParameterError: if the bounds are out of order, off the grid or outside the window.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 2, 3], ids=[0, 0, 0], size=1, duration=1.0, dt=0.1).between(0.1, 0.3).ticks
        array([2, 3])
        """
        first = self._first if start is None else on_grid("start", number("start", start, "ms"), self.dt)
        last = self._first + self._span if stop is None else on_grid("stop", number("stop", stop, "ms"), self.dt)
        if not self._first <= first <= last <= self._first + self._span:
            raise ParameterError(
                f"Spikes.between must have start <= stop inside the window {window_text(self.start, self.stop)} ms, "
                f"got start = {self._ms(first):.10g} and stop = {self._ms(last):.10g}")
        low, high = np.searchsorted(self._stamps, [first, last], side="right")
        return self._with(self._stamps[low:high], self.ids[low:high], first, last)

    def shift(self, ms: Number) -> Self:
        """Return the spikes and their window moved by some ms (with `dt`, a multiple of it), later if > 0.

        Exact times are rounded as any sum of two float64 is.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1).shift(5.0)
        Spikes(1 spike of 1 neuron in (5, 6] ms, dt = 0.1 ms, 1000 Hz)
        """
        by = on_grid("shift", number("shift", ms, "ms"), self.dt)
        first, last = self._first + by, self._first + self._span + by
        moved = self._stamps + by
        if self.dt is None:  # a rounded sum must not land on the open end
            moved = np.maximum(moved, np.nextafter(first, np.inf))
        return self._with(moved, self.ids, first, last)

    def merge(self, *others: Self) -> Self:
        """Return the spikes of several recordings of one population together, none dropped.

        The windows must touch or overlap, and the new one covers them all: chunks of one run, or two sources that
        drive the same neurons. What all metadata have in common is kept, and the name of the first.

        Raises:
            ParameterError: if size, dt or unit_ids differ, if the windows leave a gap in which nobody looked, or if
                different neurons were watched in different windows.

        >>> from neurosim.spikes import Spikes
        >>> first = Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1)
        >>> first.merge(first.shift(1.0))
        Spikes(2 spikes of 1 neuron in (0, 2] ms, dt = 0.1 ms, 1000 Hz)
        """
        parts = self._alike("merge", others, "size", "dt")
        if any(not np.array_equal(_called(part), _called(self)) for part in parts):
            raise ParameterError("Spikes.merge must have the same unit_ids everywhere, got others")
        last = self._first + self._span
        for part in sorted(parts, key=lambda part: part._first):
            if part._first > last and (self.dt is not None or not math.isclose(part._first, last, rel_tol=1e-12)):
                raise ParameterError(f"Spikes.merge must have windows that touch or overlap, got a gap from "
                                     f"{self._ms(last):.10g} to {part.start:.10g} ms")
            last = max(last, part._first + part._span)
        return self._with(
            np.concatenate([part._stamps for part in parts]), np.concatenate([part.ids for part in parts]),
            min(part._first for part in parts), last, metadata=shared_labels(parts), watched=_watched_by(parts))

    def stack(self, *others: Self) -> Self:
        """Return populations side by side as one: the ids of each follow those of the one before.

        Names are joined with "+", and what all metadata have in common is kept; so are unit_ids, where one has them
        and they stay different.

        Raises:
            ParameterError: if start, duration or dt differ.

        >>> from neurosim.spikes import Spikes
        >>> spikes = Spikes(ticks=[1], ids=[2], size=3, duration=1.0, dt=0.1)
        >>> spikes.stack(spikes).ids
        array([2, 5], dtype=uint32)
        """
        parts = self._alike("stack", others, "dt", "start", "duration")
        offsets = np.cumsum([0, *(part.size for part in parts)])
        ids = [part.ids.astype(np.int64) + offset for part, offset in zip(parts, offsets, strict=False)]
        return self._with(np.concatenate([part._stamps for part in parts]), np.concatenate(ids), size=int(offsets[-1]),
                          name="+".join(part.name for part in parts if part.name), metadata=shared_labels(parts),
                          unit_ids=_joined([_called(part) for part in parts]),
                          watched=np.concatenate([_watched(part) + offset for part, offset in zip(parts, offsets,
                                                                                                 strict=False)]))

    def _with(self, stamps, ids, first=None, last=None, **changes) -> Self:
        """Other spikes with the same labels, in the window (first, last] where it is given."""
        fields = {"times" if self.dt is None else "ticks": stamps, "ids": ids, **changes}
        if first is not None and (first, last) != (self._first, self._first + self._span):
            span = last - first
            if first + span < last:  # float64 only: the window must not lose its last spike to rounding
                span = math.nextafter(span, math.inf)
            fields.update(start=self._ms(first), duration=self._ms(span))
        return self.replace(**fields)

    def _alike(self, method, others, *names) -> list:
        for other in others:
            if not isinstance(other, Parts):
                raise ParameterError(f"Spikes.{method} must be given Spikes, got {describe_value(other)}")
            for name in names:
                if getattr(other, name) != getattr(self, name):
                    raise ParameterError(f"Spikes.{method} must have {name} = {getattr(self, name)!r} everywhere, "
                                         f"got {getattr(other, name)!r}")
        return [self, *others]


def _watched(spikes) -> np.ndarray:
    return np.arange(spikes.size) if spikes.watched is None else spikes.watched.astype(np.int64)


def _called(spikes) -> np.ndarray:
    return np.arange(spikes.size) if spikes.unit_ids is None else spikes.unit_ids


def _joined(called) -> np.ndarray | None:
    """What neurons of several populations are called elsewhere, if that tells them apart."""
    wide = any(each.dtype == np.uint64 for each in called)
    if wide and any(each.min(initial=0) < 0 for each in called):
        return None
    together = np.concatenate([each.astype(np.uint64 if wide else np.int64) for each in called])
    return together if len(np.unique(together)) == len(together) else None


def _watched_by(parts) -> np.ndarray:
    """Who was watched in several recordings of one population together."""
    first, *others = [_watched(part) for part in parts]
    if all(np.array_equal(first, other) for other in others):
        return first
    if len({(part._first, part._span) for part in parts}) > 1:
        raise ParameterError("Spikes.merge must have the same neurons watched in all windows, got others; select those "
                             "that all have")
    return np.unique(np.concatenate([first, *others]))
