"""Pulse level of SFQ circuits: cells are small state machines with times, and pulses are events.

    Cell, Transition, define ->  Circuit  ->  PulseSimulation  ->  pulses, Spikes, VCD, plots
    what a cell does             wires        one compiled loop
"""

from importlib import import_module

_MODULES = {
    "cell": ("Cell", "Transition", "define", "ps"),
    "cells": ("AND", "CElement", "DCSFQ", "DRO", "DRO_2R1W", "DRO_C", "DRO_SR", "INV", "InvertedC", "JTL", "LoopNeuron",
              "Merger", "NAND", "NDRO", "NOR", "OR", "PTL", "Splitter", "Synapse", "TFF", "XNOR", "XOR"),
    "circuit": ("Circuit",),
    "libraries": ("from_timing", "library", "read_library", "write_library"),
    "simulation": ("PulseSimulation", "Violation"),
    "output": ("plot_pulses", "write_vcd"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return __all__
