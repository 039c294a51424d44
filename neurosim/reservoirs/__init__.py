"""Reservoirs: liquid state machines, echo state networks, what to read from them, and how good they are."""

from neurosim.reservoirs import metrics
from neurosim.reservoirs.associative import AssociativeMemory, retrieval_overlap
from neurosim.reservoirs.balanced_rates import BalancedEchoState
from neurosim.reservoirs.cache import cached_states
from neurosim.reservoirs.comparison import Comparison, compare
from neurosim.reservoirs.echo_state import EchoState, spectral_radius
from neurosim.reservoirs.features import BinnedCounts, Counts, Feature, LastState, Traces
from neurosim.reservoirs.forecast import Forecaster, valid_time
from neurosim.reservoirs.inputs import InputProjection, LocalInput, OrientedInput, RandomInput, TonotopicInput
from neurosim.reservoirs.liquid import Liquid
from neurosim.reservoirs.named import brunel, fly_brain, maass_column, nalsm_liquid, potjans_diesmann, vogels_abbott
from neurosim.reservoirs.nvar import NVAR
from neurosim.reservoirs.states import states
from neurosim.reservoirs.topologies import Lattice, MaassLattice, NalsmLattice, RandomGraph, Topology

__all__ = [
    "NVAR", "AssociativeMemory", "BalancedEchoState", "BinnedCounts", "Comparison", "Counts", "EchoState", "Feature",
    "Forecaster", "InputProjection", "LastState", "Lattice", "Liquid", "LocalInput", "MaassLattice", "NalsmLattice",
    "OrientedInput", "RandomGraph", "RandomInput", "TonotopicInput", "Topology", "Traces", "brunel", "cached_states",
    "compare", "fly_brain", "maass_column", "metrics", "nalsm_liquid", "potjans_diesmann", "retrieval_overlap",
    "spectral_radius", "states", "valid_time", "vogels_abbott",
]
