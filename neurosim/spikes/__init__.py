"""Spikes: the value, its statistics, and its files."""

from neurosim.spikes.value import Spikes

__all__ = ["Spikes"]
