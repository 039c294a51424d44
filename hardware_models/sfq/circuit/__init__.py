"""Superconducting circuits of Josephson junctions (RCSJ model), solved over time."""

import importlib

_WHERE = {
    "cells": ["CELLS", "Cell", "bench", "build", "shunted"],
    "circuit": ["Circuit"],
    "deck": ["Deck", "read_deck"],
    "elements": ["Capacitor", "CurrentSource", "Inductor", "Junction", "JunctionModel", "Resistor", "VoltageSource"],
    "variation": ["Margin", "SamePulses", "Yield", "margins", "monte_carlo", "spread"],
    "rest": ["operating_point"],
    "run": ["Run"],
    "solver": ["simulate"],
    "stochastic": ["EscapeCurve", "escape_probability", "synapse", "threshold"],
    "timing": ["extract_timing"],
    "units": ["PHI0", "beta_c", "noise_amplitude", "plasma_frequency"],
    "waveforms": ["Constant", "PiecewiseLinear", "Pulse", "Sine", "Waveform", "ramp", "triangles"],
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f"hardware_models.sfq.circuit.{_HOME[name]}"), name)
    raise AttributeError(f"module 'hardware_models.sfq.circuit' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
