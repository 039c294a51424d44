"""Pulse level of SFQ circuits: cells are small state machines with times, and pulses are events.

    Cell, Transition, define ->  Circuit  ->  PulseSimulation  ->  pulses, Spikes, VCD, plots
    what a cell does             wires        one compiled loop
"""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "cell": ("Cell", "Transition", "define", "ps"),
    "cells": ("AND", "CElement", "DCSFQ", "DRO", "DRO_2R1W", "DRO_C", "DRO_SR", "INV", "InvertedC", "JTL", "LoopNeuron",
              "Merger", "NAND", "NDRO", "NOR", "OR", "PTL", "Splitter", "Synapse", "TFF", "XNOR", "XOR"),
    "circuit": ("Circuit",),
    "libraries": ("from_timing", "library", "read_library", "write_library"),
    "simulation": ("PulseSimulation", "Violation"),
    "output": ("plot_pulses", "write_vcd"),
}

if TYPE_CHECKING:
    from hardware_models.sfq.pulse.cell import Cell as Cell
    from hardware_models.sfq.pulse.cell import Transition as Transition
    from hardware_models.sfq.pulse.cell import define as define
    from hardware_models.sfq.pulse.cell import ps as ps
    from hardware_models.sfq.pulse.cells import AND as AND
    from hardware_models.sfq.pulse.cells import DCSFQ as DCSFQ
    from hardware_models.sfq.pulse.cells import DRO as DRO
    from hardware_models.sfq.pulse.cells import DRO_2R1W as DRO_2R1W
    from hardware_models.sfq.pulse.cells import DRO_C as DRO_C
    from hardware_models.sfq.pulse.cells import DRO_SR as DRO_SR
    from hardware_models.sfq.pulse.cells import INV as INV
    from hardware_models.sfq.pulse.cells import JTL as JTL
    from hardware_models.sfq.pulse.cells import NAND as NAND
    from hardware_models.sfq.pulse.cells import NDRO as NDRO
    from hardware_models.sfq.pulse.cells import NOR as NOR
    from hardware_models.sfq.pulse.cells import OR as OR
    from hardware_models.sfq.pulse.cells import PTL as PTL
    from hardware_models.sfq.pulse.cells import TFF as TFF
    from hardware_models.sfq.pulse.cells import XNOR as XNOR
    from hardware_models.sfq.pulse.cells import XOR as XOR
    from hardware_models.sfq.pulse.cells import CElement as CElement
    from hardware_models.sfq.pulse.cells import InvertedC as InvertedC
    from hardware_models.sfq.pulse.cells import LoopNeuron as LoopNeuron
    from hardware_models.sfq.pulse.cells import Merger as Merger
    from hardware_models.sfq.pulse.cells import Splitter as Splitter
    from hardware_models.sfq.pulse.cells import Synapse as Synapse
    from hardware_models.sfq.pulse.circuit import Circuit as Circuit
    from hardware_models.sfq.pulse.libraries import from_timing as from_timing
    from hardware_models.sfq.pulse.libraries import library as library
    from hardware_models.sfq.pulse.libraries import read_library as read_library
    from hardware_models.sfq.pulse.libraries import write_library as write_library
    from hardware_models.sfq.pulse.output import plot_pulses as plot_pulses
    from hardware_models.sfq.pulse.output import write_vcd as write_vcd
    from hardware_models.sfq.pulse.simulation import PulseSimulation as PulseSimulation
    from hardware_models.sfq.pulse.simulation import Violation as Violation
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
