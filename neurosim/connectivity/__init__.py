"""Rules that say which neuron connects to which; described here, drawn when a network is laid out.

Every rule makes its connections row by row, and each row from its own random numbers, so that the
result does not depend on threads and needs no memory beyond itself. The contract for a new rule is
the docstring of `Rule`.
"""

from neurosim.connectivity.degree import FixedInDegree, FixedOutDegree, FixedTotal
from neurosim.connectivity.distance import DistanceDependent
from neurosim.connectivity.listed import Convolution, Explicit, Sparse
from neurosim.connectivity.pairs import AllToAll, Blocks, FixedProbability, OneToOne
from neurosim.connectivity.parameters import Array as Array
from neurosim.connectivity.parameters import Matrix as Matrix
from neurosim.connectivity.parameters import Vector as Vector
from neurosim.connectivity.ring import SmallWorld
from neurosim.connectivity.rule import Rows as Rows
from neurosim.connectivity.rule import Rule as Rule

__all__ = ["AllToAll", "Blocks", "Convolution", "DistanceDependent", "Explicit", "FixedInDegree", "FixedOutDegree",
           "FixedProbability", "FixedTotal", "OneToOne", "SmallWorld", "Sparse"]
