"""Energy, time and area: what operations cost, with sources, and what layers and runs cost in all."""

from hardware_models.energy.budget import Budget
from hardware_models.energy.crossbar import converter, layer, read_energy, write_energy
from hardware_models.energy.spiking import EventCosts, RunEnergy, run_energy
from hardware_models.energy.technology import Source, Technology

__all__ = ["Budget", "EventCosts", "RunEnergy", "Source", "Technology", "converter", "layer", "read_energy",
           "run_energy", "write_energy"]
