"""Memristive devices and crossbars: programming, reading, drifting, learning by pulses, and the circuit around them."""

from neurosim import lazy

_WHERE = {
    "circuit": ["CrossbarCircuit", "Solution"],
    "converters": ["Converter", "exact_adc_bits"],
    "device": ["Memristor"],
    "dynamics": ["Course", "DynamicMemristor", "LinearIonDrift", "StanfordPKU", "VTEAM", "Yakopcic"],
    "hopfield": ["HopfieldMemory", "capacity"],
    "layer": ["CrossbarLayer"],
    "nonlinear": ["MeasuredPulses", "NonlinearPulses", "curve", "nonlinearity", "shape_of"],
    "presets": ["names", "preset"],
    "pulses": ["ConstantStep", "ExponentialStep", "LinearStep", "PiecewiseStep", "PowerStep", "Pulsed", "SoftBounds"],
    "resistors": ["RandomResistors"],
    "technologies": ["HfO2", "PCM", "ReRAM", "VerifiedReRAM"],
    "unidirectional": ["SynapseArray"],
    "wires": ["wire_resistance"],
}

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
