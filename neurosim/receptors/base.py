"""What a receptor promises."""

from typing import ClassVar

from neurosim.checks import Parametrised
from neurosim.neurons.base import Linear, State


class Receptor(Parametrised):
    """Base of the receptors: what an arriving spike does to the target neuron, and how that decays.

    A receptor's own equations are linear and given by `linear(p)`: its `matrix`, what an `arrival`
    adds and what `output` it gives. `effect` says what the output is:

    * "jump": no variables of its own; an arrival adds its weight to v after the tick's integration;
    * "pulse": no variables of its own; the weight is a current over the tick that ends at the arrival;
    * "current": the output is a current;
    * "conductance": the output is a conductance g that adds the current g (e_rev - v).
    """

    state: ClassVar[dict[str, State]] = {}
    effect: ClassVar[str] = "current"
    unit: ClassVar[str] = "pA"  #: unit of the weights

    def linear(self, p) -> Linear:
        """Return the receptor's linear equations.

        Args:
            p: the parameters by name, each a float or an array with one value per target neuron.
        """
        return Linear()
