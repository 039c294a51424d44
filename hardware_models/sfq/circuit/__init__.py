"""Superconducting circuits of Josephson junctions (RCSJ model), solved over time."""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "cells": ["CELLS", "Cell", "bench", "build", "shunted"],
    "circuit": ["Circuit"],
    "deck": ["Deck", "output", "read_deck", "run_deck", "write_output"],
    "elements": ["Capacitor", "Controlled", "CurrentSource", "Inductor", "Junction", "JunctionModel", "PhaseSource",
                 "Resistor", "VoltageSource"],
    "plot": ["plot_run"],
    "variation": ["Margin", "SamePulses", "Yield", "margins", "monte_carlo", "spread"],
    "rest": ["operating_point"],
    "run": ["Run"],
    "solver": ["simulate"],
    "stochastic": ["EscapeCurve", "escape_probability", "synapse", "threshold"],
    "timing": ["extract_timing"],
    "units": ["PHI0", "beta_c", "noise_amplitude", "plasma_frequency"],
    "waveforms": ["Constant", "Exponential", "Noise", "PiecewiseLinear", "Pulse", "Samples", "Sine", "SmoothSteps",
                  "Waveform", "ramp", "triangles"],
}

if TYPE_CHECKING:
    from hardware_models.sfq.circuit.cells import CELLS as CELLS
    from hardware_models.sfq.circuit.cells import Cell as Cell
    from hardware_models.sfq.circuit.cells import bench as bench
    from hardware_models.sfq.circuit.cells import build as build
    from hardware_models.sfq.circuit.cells import shunted as shunted
    from hardware_models.sfq.circuit.circuit import Circuit as Circuit
    from hardware_models.sfq.circuit.deck import Deck as Deck
    from hardware_models.sfq.circuit.deck import output as output
    from hardware_models.sfq.circuit.deck import read_deck as read_deck
    from hardware_models.sfq.circuit.deck import run_deck as run_deck
    from hardware_models.sfq.circuit.deck import write_output as write_output
    from hardware_models.sfq.circuit.elements import Capacitor as Capacitor
    from hardware_models.sfq.circuit.elements import Controlled as Controlled
    from hardware_models.sfq.circuit.elements import CurrentSource as CurrentSource
    from hardware_models.sfq.circuit.elements import Inductor as Inductor
    from hardware_models.sfq.circuit.elements import Junction as Junction
    from hardware_models.sfq.circuit.elements import JunctionModel as JunctionModel
    from hardware_models.sfq.circuit.elements import PhaseSource as PhaseSource
    from hardware_models.sfq.circuit.elements import Resistor as Resistor
    from hardware_models.sfq.circuit.elements import VoltageSource as VoltageSource
    from hardware_models.sfq.circuit.plot import plot_run as plot_run
    from hardware_models.sfq.circuit.rest import operating_point as operating_point
    from hardware_models.sfq.circuit.run import Run as Run
    from hardware_models.sfq.circuit.solver import simulate as simulate
    from hardware_models.sfq.circuit.stochastic import EscapeCurve as EscapeCurve
    from hardware_models.sfq.circuit.stochastic import escape_probability as escape_probability
    from hardware_models.sfq.circuit.stochastic import synapse as synapse
    from hardware_models.sfq.circuit.stochastic import threshold as threshold
    from hardware_models.sfq.circuit.timing import extract_timing as extract_timing
    from hardware_models.sfq.circuit.units import PHI0 as PHI0
    from hardware_models.sfq.circuit.units import beta_c as beta_c
    from hardware_models.sfq.circuit.units import noise_amplitude as noise_amplitude
    from hardware_models.sfq.circuit.units import plasma_frequency as plasma_frequency
    from hardware_models.sfq.circuit.variation import Margin as Margin
    from hardware_models.sfq.circuit.variation import SamePulses as SamePulses
    from hardware_models.sfq.circuit.variation import Yield as Yield
    from hardware_models.sfq.circuit.variation import margins as margins
    from hardware_models.sfq.circuit.variation import monte_carlo as monte_carlo
    from hardware_models.sfq.circuit.variation import spread as spread
    from hardware_models.sfq.circuit.waveforms import Constant as Constant
    from hardware_models.sfq.circuit.waveforms import Exponential as Exponential
    from hardware_models.sfq.circuit.waveforms import Noise as Noise
    from hardware_models.sfq.circuit.waveforms import PiecewiseLinear as PiecewiseLinear
    from hardware_models.sfq.circuit.waveforms import Pulse as Pulse
    from hardware_models.sfq.circuit.waveforms import Samples as Samples
    from hardware_models.sfq.circuit.waveforms import Sine as Sine
    from hardware_models.sfq.circuit.waveforms import SmoothSteps as SmoothSteps
    from hardware_models.sfq.circuit.waveforms import Waveform as Waveform
    from hardware_models.sfq.circuit.waveforms import ramp as ramp
    from hardware_models.sfq.circuit.waveforms import triangles as triangles
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
