"""What a reservoir can tell apart, remember and compute, and how close it is to instability.

All take arrays of states or activity, from a `Liquid`, an `EchoState` or anything else, except
`perturbation_growth`, which takes a simulation.
"""

from neurosim.reservoirs.metrics.branching import Branching, branching_ratio
from neurosim.reservoirs.metrics.capacity import (
    InformationProcessing,
    Memory,
    information_processing_capacity,
    memory_capacity,
)
from neurosim.reservoirs.metrics.lyapunov import lyapunov_by_perturbation, lyapunov_exponent, perturbation_growth
from neurosim.reservoirs.metrics.rank import generalisation_rank, jitter, kernel_quality, numerical_rank

__all__ = [
    "Branching", "InformationProcessing", "Memory", "branching_ratio", "generalisation_rank",
    "information_processing_capacity", "jitter", "kernel_quality", "lyapunov_by_perturbation", "lyapunov_exponent",
    "memory_capacity", "numerical_rank", "perturbation_growth",
]
