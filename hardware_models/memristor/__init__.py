"""Memristive devices and crossbars: programming, reading, drifting, learning by pulses, and the circuit around them."""

import importlib

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
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module(f"hardware_models.memristor.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'hardware_models.memristor' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
