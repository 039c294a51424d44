"""What every data set is: a lazy sequence of (recording, label), and what reading all of it at once gives."""

import copy
from collections.abc import Iterator
from typing import Any, Self, overload

import numpy as np

from neurosim.checks import describe_value, is_whole
from neurosim.errors import ParameterError

CHUNK = 64  #: recordings that are decoded at once


class Recordings:
    """Many recordings in memory, one after the other: recording i is events[offsets[i]:offsets[i + 1]].

    Args:
        events: structured array of all events, shape (n_events,).
        offsets: where each recording begins, and the end, int64, shape (n_recordings + 1,).
        labels: class of each recording, int64, shape (n_recordings,).
        sensor_size: (width, height, polarities).

    >>> from neurosim.datasets import make_events
    >>> both = Recordings(make_events(t=[1, 2, 3], x=[0, 1, 2]), np.array([0, 1, 3]), np.array([7, 4]), (3, 1, 1))
    >>> events, label = both[1]
    >>> len(events), label
    (2, 4)
    """

    def __init__(self, events, offsets, labels, sensor_size):
        self.events, self.offsets, self.labels, self.sensor_size = events, offsets, labels, sensor_size

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index) -> tuple[np.ndarray, int]:
        index = range(len(self))[index]
        return self.events[self.offsets[index]:self.offsets[index + 1]], int(self.labels[index])

    def __repr__(self):
        return f"<{len(self)} recordings, {len(self.events)} events, sensor_size = {self.sensor_size}>"


class Dataset:
    """Base of the data sets: a sequence whose items are read when they are asked for.

    `len(ds)`, `ds[i]` and iteration work as for a list of pairs (events, label); `ds[2:5]` and `ds.select(indices)`
    give a data set of these items only, without reading any. A data set may be pickled and sent to other processes.

    Attributes:
        labels: class of each item, int64, read-only, shape (len,).
        classes: name of each class.
        sensor_size: (width, height, polarities).
    """

    sensor_size = None
    classes = ()

    def _set(self, labels):
        """Take the labels of everything that the files hold."""
        self._labels = np.asarray(labels, dtype=np.int64)
        self._rows = np.arange(len(self._labels))

    def _read(self, rows) -> tuple:
        """Return (events, offsets) of some rows of the files."""
        raise NotImplementedError

    def _empty(self) -> np.ndarray:
        """Return no events, of the fields that the events of this data set have."""
        raise NotImplementedError

    @property
    def labels(self) -> np.ndarray:
        """Class of each item, int64, shape (len,)."""
        return self._of_rows(self._labels)

    def _of_rows(self, values) -> np.ndarray:
        chosen = values[self._rows]
        chosen.setflags(write=False)
        return chosen

    def __len__(self):
        return len(self._rows)

    @overload
    def __getitem__(self, index: int | np.integer) -> tuple[np.ndarray, int]: ...
    @overload
    def __getitem__(self, index: slice | list[int] | np.ndarray) -> Self: ...

    def __getitem__(self, index: Any) -> Any:
        if is_whole(index):
            if not -len(self) <= index < len(self):
                raise IndexError(f"index must lie in 0 .. {len(self) - 1} for {self!r}, got {index}")
            row = self._rows[index]
            return self._item(row), int(self._labels[row])
        return self.select(np.arange(len(self))[index] if isinstance(index, slice) else index)

    def _item(self, row):
        return self._read([row])[0]

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        return (self[index] for index in range(len(self)))

    def select(self, indices) -> Self:
        """Return a data set of some of the items, in the order given, without reading any.

        Args:
            indices: integers in -len .. len - 1, each as often as it is named, or a bool mask of shape (len,).

        Raises:
            ParameterError: an index is no integer or out of range.
        """
        chosen = np.asarray(indices)
        if chosen.shape == (0,):
            chosen = chosen.astype(np.int64)
        mask = chosen.dtype == bool and chosen.shape == (len(self),)
        if not mask:
            whole = chosen.ndim == 1 and chosen.dtype.kind in "iu"
            if not whole or (chosen.size and not -len(self) <= chosen.min() <= chosen.max() < len(self)):
                raise ParameterError(f"{type(self).__name__}.select must be given integers in 0 .. {len(self) - 1} or "
                                     f"a bool mask of shape ({len(self)},), got {describe_value(indices)}")
        part = copy.copy(self)
        part._rows = self._rows[chosen]
        return part

    def load_all(self) -> Recordings:
        """Return every recording of this data set, read and decoded together.

        It holds about 13 bytes an event. Use `select` first to load a part.

        Raises:
            FileError: a recording is damaged; the sentence names it.
        """
        if not len(self):
            return Recordings(self._empty(), np.zeros(1, dtype=np.int64), self.labels, self.sensor_size)
        parts = [self._read(self._rows[at:at + CHUNK]) for at in range(0, len(self), CHUNK)]
        counts = np.concatenate([np.diff(offsets) for _, offsets in parts])
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Recordings(np.concatenate([events for events, _ in parts]), offsets, self.labels, self.sensor_size)

    def __repr__(self):
        return f"<{type(self).__name__}: {len(self)} items of {len(self.classes)} classes>"
