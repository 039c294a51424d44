"""Neuron models, one file each."""

from neurosim.neurons.base import Linear as Linear
from neurosim.neurons.base import Neuron as Neuron
from neurosim.neurons.base import State as State
from neurosim.neurons.lif import LIF as LIF

__all__ = ["LIF"]
