"""Receptors: what an arriving spike does to its target, and how that decays."""

from neurosim.receptors.base import Receptor as Receptor
from neurosim.receptors.conductance import NMDA as NMDA
from neurosim.receptors.conductance import DoubleExponentialConductance as DoubleExponentialConductance
from neurosim.receptors.conductance import ExponentialConductance as ExponentialConductance
from neurosim.receptors.current import AlphaCurrent as AlphaCurrent
from neurosim.receptors.current import DoubleExponentialCurrent as DoubleExponentialCurrent
from neurosim.receptors.current import ExponentialCurrent as ExponentialCurrent
from neurosim.receptors.jump import Delta as Delta
from neurosim.receptors.jump import Pulse as Pulse

__all__ = [
    "NMDA", "AlphaCurrent", "Delta", "DoubleExponentialConductance", "DoubleExponentialCurrent",
    "ExponentialConductance", "ExponentialCurrent", "Pulse",
]
