"""Pulse level of SFQ circuits: cells are small state machines with times, and pulses are events.

    Cell, Transition, define ->  Circuit  ->  PulseSimulation  ->  pulses, Spikes, VCD, plots
    what a cell does             wires        one compiled loop
"""

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

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
