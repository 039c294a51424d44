"""Spikes of many samples as lists: what spikes, not what does not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.checks import check_whole, describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


@dataclass(frozen=True, eq=False)
class SpikeBatch:
    """What spikes in each tick of each sample; layers take it in place of a tensor that may be a hundred times larger.

    The inputs that spike at tick t of sample b are `listed[first[r]:first[r + 1]]`, r = t samples + b; one that spikes
    several times is listed as often. Nothing learns through it: inputs have no gradient.

    Args:
        shape: (ticks, samples, inputs).
        first: where the list of each row begins, int64 of shape (ticks * samples + 1,).
        listed: numbers of inputs, int32.

    >>> batch = SpikeBatch.from_dense([[[0, 1, 2]], [[1, 0, 0]]])
    >>> batch.listed, batch[1:].to_dense()
    (array([1, 2, 2, 0], dtype=int32), tensor([[[1., 0., 0.]]]))
    """

    shape: tuple[int, int, int]
    first: np.ndarray
    listed: np.ndarray

    @classmethod
    def from_spikes(cls, samples: Sequence[Spikes], ticks: int | None = None) -> "SpikeBatch":
        """Return recordings as one batch: tick k of a recording is tick k of its sample.

        Args:
            samples: recordings of the same number of channels and the same tick.
            ticks: how many ticks each sample gets, from tick 0 on; by default those of the longest one.

        Raises:
            ParameterError: recordings do not fit each other, or have spikes beyond the ticks.
        """
        if not samples or not all(isinstance(each, Spikes) for each in samples):
            raise ParameterError(f"samples must be Spikes, one or more, got {describe_value(samples)}")
        kinds = {(each.size, each.dt) for each in samples}
        if len(kinds) > 1:
            raise ParameterError(f"samples must have as many channels and the same tick, got {sorted(kinds)}")
        at = np.concatenate([each.ticks for each in samples])
        last = int(at.max(initial=-1)) + 1
        ticks = last if ticks is None else check_whole("ticks", ticks, at_least=0)
        if last > ticks or at.min(initial=0) < 0:
            raise ParameterError(f"samples must have their spikes in ticks 0 to {ticks - 1}, got some from "
                                 f"{at.min()} to {at.max()}; cut them, or give more ticks")
        sample = np.repeat(np.arange(len(samples)), [len(each.ticks) for each in samples])
        rows = at * len(samples) + sample
        listed = np.concatenate([each.ids for each in samples])
        order = np.lexsort((listed, rows))
        first = np.searchsorted(rows[order], np.arange(ticks * len(samples) + 1))
        return cls((ticks, len(samples), samples[0].size), first.astype(np.int64), listed[order].astype(np.int32))

    @classmethod
    def from_dense(cls, x: Any) -> "SpikeBatch":
        """Return what a tensor or an array of whole numbers of spikes, shape (ticks, samples, inputs), lists."""
        x = np.asarray(x.detach().cpu() if isinstance(x, torch.Tensor) else x)
        if x.ndim != 3 or not np.isfinite(x).all() or (x < 0).any() or (x % 1 != 0).any():
            raise ParameterError("x must be whole numbers of spikes >= 0, shape (ticks, samples, inputs), got "
                                 f"{describe_value(x)}")
        flat = x.reshape(-1, x.shape[2])
        row, listed = np.nonzero(flat)
        times = flat[row, listed].astype(np.int64)
        first = np.searchsorted(np.repeat(row, times), np.arange(len(flat) + 1))
        return cls((x.shape[0], x.shape[1], x.shape[2]), first, np.repeat(listed, times).astype(np.int32))

    def to_dense(self, dtype: Any = None, device: Any = None) -> Any:
        """Return the same as a tensor, numbers of spikes."""
        ticks, samples, inputs = self.shape
        row = np.repeat(np.arange(ticks * samples), np.diff(self.first))
        at = torch.from_numpy(row * inputs + self.listed)
        dense = torch.zeros(ticks * samples * inputs, dtype=dtype)
        return dense.index_add_(0, at, torch.ones(len(at), dtype=dtype)).reshape(self.shape).to(device)

    def __getitem__(self, ticks: slice) -> "SpikeBatch":
        """Return some ticks, one after the other."""
        if not isinstance(ticks, slice) or ticks.step not in (None, 1):
            raise ParameterError(f"ticks of a SpikeBatch must be a slice such as [10:20], got {describe_value(ticks)}")
        begin, end, _ = ticks.indices(self.shape[0])
        rows = self.first[begin * self.shape[1]:max(end, begin) * self.shape[1] + 1]
        return SpikeBatch((max(end - begin, 0), *self.shape[1:]), rows - rows[0], self.listed[rows[0]:rows[-1]])
