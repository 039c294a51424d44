"""Faults of memories and arrays, and activations that bear them."""

from hardware_models.faults.clipped import ClippedReLU, clipped_relu, relu
from hardware_models.faults.memory import BitFlips, Faulty, StuckAt, inject, knee
from hardware_models.faults.proact import forward, profile, train_bounds

__all__ = ["BitFlips", "ClippedReLU", "Faulty", "StuckAt", "clipped_relu", "forward", "inject", "knee", "profile",
           "relu", "train_bounds"]
