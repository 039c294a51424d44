"""Memristive devices and crossbars: programming, reading, drifting, learning by pulses, and the circuit around them."""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "circuit": ["CrossbarCircuit", "Solution"],
    "converters": ["Converter", "exact_adc_bits"],
    "device": ["Memristor"],
    "dynamics": ["Course", "DynamicMemristor", "LinearIonDrift", "StanfordPKU", "VTEAM", "Yakopcic"],
    "hopfield": ["HopfieldMemory", "capacity"],
    "layer": ["CrossbarLayer"],
    "measured": ["MeasuredErrors"],
    "nonlinear": ["MeasuredPulses", "NonlinearPulses", "curve", "nonlinearity", "shape_of"],
    "presets": ["names", "preset"],
    "pulses": ["ConstantStep", "ExponentialStep", "LinearStep", "PiecewiseStep", "PowerStep", "Pulsed", "SoftBounds"],
    "resistors": ["RandomResistors"],
    "technologies": ["HfO2", "PCM", "ReRAM", "VerifiedReRAM"],
    "unidirectional": ["SynapseArray"],
    "wires": ["wire_resistance"],
}

if TYPE_CHECKING:
    from hardware_models.memristor.circuit import CrossbarCircuit as CrossbarCircuit
    from hardware_models.memristor.circuit import Solution as Solution
    from hardware_models.memristor.converters import Converter as Converter
    from hardware_models.memristor.converters import exact_adc_bits as exact_adc_bits
    from hardware_models.memristor.device import Memristor as Memristor
    from hardware_models.memristor.dynamics import VTEAM as VTEAM
    from hardware_models.memristor.dynamics import Course as Course
    from hardware_models.memristor.dynamics import DynamicMemristor as DynamicMemristor
    from hardware_models.memristor.dynamics import LinearIonDrift as LinearIonDrift
    from hardware_models.memristor.dynamics import StanfordPKU as StanfordPKU
    from hardware_models.memristor.dynamics import Yakopcic as Yakopcic
    from hardware_models.memristor.hopfield import HopfieldMemory as HopfieldMemory
    from hardware_models.memristor.hopfield import capacity as capacity
    from hardware_models.memristor.layer import CrossbarLayer as CrossbarLayer
    from hardware_models.memristor.measured import MeasuredErrors as MeasuredErrors
    from hardware_models.memristor.nonlinear import MeasuredPulses as MeasuredPulses
    from hardware_models.memristor.nonlinear import NonlinearPulses as NonlinearPulses
    from hardware_models.memristor.nonlinear import curve as curve
    from hardware_models.memristor.nonlinear import nonlinearity as nonlinearity
    from hardware_models.memristor.nonlinear import shape_of as shape_of
    from hardware_models.memristor.presets import names as names
    from hardware_models.memristor.presets import preset as preset
    from hardware_models.memristor.pulses import ConstantStep as ConstantStep
    from hardware_models.memristor.pulses import ExponentialStep as ExponentialStep
    from hardware_models.memristor.pulses import LinearStep as LinearStep
    from hardware_models.memristor.pulses import PiecewiseStep as PiecewiseStep
    from hardware_models.memristor.pulses import PowerStep as PowerStep
    from hardware_models.memristor.pulses import Pulsed as Pulsed
    from hardware_models.memristor.pulses import SoftBounds as SoftBounds
    from hardware_models.memristor.resistors import RandomResistors as RandomResistors
    from hardware_models.memristor.technologies import PCM as PCM
    from hardware_models.memristor.technologies import HfO2 as HfO2
    from hardware_models.memristor.technologies import ReRAM as ReRAM
    from hardware_models.memristor.technologies import VerifiedReRAM as VerifiedReRAM
    from hardware_models.memristor.unidirectional import SynapseArray as SynapseArray
    from hardware_models.memristor.wires import wire_resistance as wire_resistance
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
