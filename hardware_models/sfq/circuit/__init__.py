"""Superconducting circuits of Josephson junctions (RCSJ model), solved over time."""

from neurosim import lazy

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

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
