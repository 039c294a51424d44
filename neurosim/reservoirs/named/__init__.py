"""Standard networks by name, each described from its source; they can be changed like any other description."""

from neurosim.reservoirs.named.balanced import brunel
from neurosim.reservoirs.named.column import maass_column
from neurosim.reservoirs.named.fly import fly_brain
from neurosim.reservoirs.named.microcircuit import potjans_diesmann
from neurosim.reservoirs.named.nalsm import nalsm_liquid
from neurosim.reservoirs.named.sustained import vogels_abbott

__all__ = ["brunel", "fly_brain", "maass_column", "nalsm_liquid", "potjans_diesmann", "vogels_abbott"]
