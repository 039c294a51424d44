"""What a device layer promises."""

from typing import ClassVar

import numpy as np

from neurosim.checks import Parametrised
from neurosim.neurons.base import State


class Device(Parametrised):
    """Base of the device layers: programmed once, read many times, updated by pulses, ageing.

    Whatever a device does not do it leaves out, and what is left out costs nothing.

    * `program(weights, generator)`: numpy; returns the weights that the devices hold after they
      were programmed, with errors drawn from the given generator.
    * `read(weight, ...)`: scalar body, run when a spike arrives; returns the weight that acts.
    * `update(weight, change, ...)`: scalar body; a plasticity rule wants to change the weight by
      `change`; returns the weight that the device then holds.
    * `age(weights, elapsed, since)`: numpy; returns the weights after `elapsed` ms more, of devices that
      were programmed `since` ms before; called by `Simulation.age`.

    A device whose faults make weights infinite or undefined says so by `may_be_infinite`; a run that meets them stops,
    unless it is told to go on (`Simulation.run(..., allow_infinite=True)`).

    `read` and `update` may also take `normal` or `uniform`, a fresh random number for this synapse
    and tick, the variables in `state`, and the parameters, all by name.
    """

    state: ClassVar[dict[str, State]] = {}
    may_be_infinite: ClassVar[bool] = False  #: whether programmed weights may be infinite or undefined
    read = None
    update = None

    def program(self, weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the weights that the devices hold after programming."""
        return weights

    def age(self, weights: np.ndarray, elapsed: float, since: float = 0.0) -> np.ndarray:
        """Return the weights after some ms without use, of devices that were programmed some ms before."""
        return weights
