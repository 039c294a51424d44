"""Whether the synapses of a network fit into the memory that may be used."""

import numpy as np

from neurosim.engine.quantities import quantities
from neurosim.engine.synapses import estimate_bytes
from neurosim.errors import NetworkError
from neurosim.machine import memory
from neurosim.network import Projection


def check_memory(need: int) -> None:
    """Refuse synapses that need more bytes than may be used."""
    have = memory()
    if have is not None and need > have:
        raise NetworkError(f"the synapses must fit into the {have / 1e9:.3g} GB that may be used here, got one "
                           f"that needs about {need / 1e9:.3g} GB; give fewer neurons, a smaller probability, or one "
                           "weight for a whole projection")


def bytes_of(projection: Projection, parts: int, dt: float, real, packed: bool = False) -> int:
    """Return about how much memory the synapses of a projection take."""
    source, target = projection.source, projection.target
    bounds = np.linspace(0, target.size, parts + 1).astype(np.int64)
    packed = packed and not (projection.plasticity or projection.release or projection.device)
    return estimate_bytes(
        projection.rule, source.size, target.size, projection.shift,
        quantities=quantities(projection), delay=projection.delay, bounds=bounds, dt=dt, real=real, packed=packed)
