"""Parts of losses: which ticks count, and how much a layer may spike."""

import math
from typing import Any

from neurosim.bridge.extra import torch
from neurosim.bridge.tensors import shown, whole_lengths
from neurosim.checks import check_number, check_whole
from neurosim.errors import ParameterError


def mask(lengths: Any, ticks: int) -> Any:
    """Return which ticks belong to each sample, for losses: bool of shape (ticks, samples).

    >>> mask([1, 2], 2).tolist()
    [[True, True], [False, True]]
    """
    ticks = check_whole("mask.ticks", ticks, at_least=0)
    return torch.arange(ticks)[:, None] < whole_lengths(lengths, ticks, None).cpu()[None]


def _spikes(owner, spikes):
    if not isinstance(spikes, torch.Tensor) or spikes.dim() != 3:
        raise ParameterError(f"{owner}.spikes must be a tensor of shape (ticks, samples, neurons), got {shown(spikes)}")
    return spikes


def rate_penalty(spikes: Any, low: float = 0.0, high: float = math.inf, lengths: Any = None) -> Any:
    """Return how far mean spikes a tick are out of bounds: mean over neurons of relu(low - s)^2 + relu(s - high)^2.

    Args:
        spikes: of a layer, shape (ticks, samples, neurons).
        low, high: bounds of each neuron's mean over ticks and samples.
        lengths: how many ticks each sample has.

    >>> import torch
    >>> rate_penalty(torch.ones(4, 2, 3), high=0.5)
    tensor(0.2500)

    Source: Zenke, Vogels, The remarkable robustness of surrogate gradient learning, Neural Computation 33 (2021) 899.
    """
    spikes = _spikes("rate_penalty", spikes)
    low = check_number("rate_penalty.low", low)
    high = high if high == math.inf else check_number("rate_penalty.high", high)
    if lengths is not None:
        lengths = whole_lengths(lengths, *spikes.shape[:2])
    ticks = spikes.shape[0] * spikes.shape[1] if lengths is None else int(lengths.sum())
    mean = spikes.sum((0, 1)) / max(ticks, 1)
    above = (mean - high).clamp(min=0) if math.isfinite(high) else torch.zeros_like(mean)
    return ((low - mean).clamp(min=0) ** 2 + above ** 2).mean()


def activity_penalty(spikes: Any) -> Any:
    """Return the mean number of spikes of a sample, an L1 norm.

    >>> import torch
    >>> activity_penalty(torch.ones(4, 2, 3))
    tensor(12.)
    """
    return _spikes("activity_penalty", spikes).sum() / max(spikes.shape[1], 1)
