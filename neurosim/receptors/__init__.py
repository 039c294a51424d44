"""Receptors: what an arriving spike does to its target, and how that decays."""

from neurosim.receptors.base import Receptor as Receptor
from neurosim.receptors.conductance import ExponentialConductance as ExponentialConductance
from neurosim.receptors.current import AlphaCurrent as AlphaCurrent
from neurosim.receptors.current import DoubleExponentialCurrent as DoubleExponentialCurrent
from neurosim.receptors.current import ExponentialCurrent as ExponentialCurrent
from neurosim.receptors.jump import Delta as Delta
from neurosim.receptors.jump import Pulse as Pulse

__all__ = [
    "AlphaCurrent", "Delta", "DoubleExponentialCurrent", "ExponentialConductance", "ExponentialCurrent", "Pulse",
]
