"""What a receptor promises."""

from typing import Any, ClassVar

import numpy as np

from neurosim.aliases import Choice
from neurosim.checks import Label, Parametrised
from neurosim.errors import ParameterError
from neurosim.neurons.base import Linear, State


class Receptor(Parametrised):
    """Base of the receptors: what an arriving spike does to the target neuron, and how that decays.

    A receptor's own equations are linear and given by `linear(p)`: its `matrix`, what an `arrival`
    adds and what `output` it gives. `effect` says what the output is:

    * "jump": no variables of its own; an arrival adds its weight to v after the tick's integration;
    * "pulse": no variables of its own; the weight is a current over the tick that ends at the arrival;
    * "current": the output is a current;
    * "conductance": the output is a conductance g that adds the current g (e_rev - v). Negative weights are refused,
      unless the class or the object has a true `negative`.

    Receptors of one kind at a population are told apart by a `name`, `ExponentialCurrent(5.0, name="gaba")`, by which
    their variables are recorded, `net.record(cells, "i_syn[gaba]")`.
    """

    name: Choice[str | None] = Label(doc="what its variables are called by, such as i_syn[ampa]")
    state: ClassVar[dict[str, State]] = {}
    effect: ClassVar[str] = "current"
    unit: ClassVar[str] = "pA"  #: unit of the weights

    def linear(self, p) -> Linear:
        """Return the receptor's linear equations.

        Args:
            p: the parameters by name, each a float or an array with one value per target neuron.
        """
        return Linear()

    def rates(self, p) -> dict[str, Any]:
        """Return the rates in 1/ms at which variables come back to zero, which a tick must not lose by rounding.

        Args:
            p: the parameters by name, each a float or an array.
        """
        return self.linear(p).rates

    @property
    def signed(self) -> bool:
        """Whether weights may be negative."""
        return self.effect != "conductance" or bool(getattr(self, "negative", False))

    def check_weights(self, what: str, weights) -> None:
        """Refuse weights that are negative, or distributions of them that may be, where the receptor has none such.

        Args:
            what: what they are, for the message.
            weights: a number, an array or a distribution.

        Raises:
            ParameterError: the receptor is a conductance.
        """
        drawn = hasattr(weights, "ends")
        if self.signed or not (drawn or np.size(weights)):
            return
        lowest = weights.ends()[0] if drawn else np.min(np.asarray(weights, np.float64))
        if lowest < 0.0:
            got = f"{weights}, which may give less; give it low=0" if drawn else f"{lowest:g}"
            raise ParameterError(f"{what} must be >= 0 {self.unit}, as {type(self).__name__} is a conductance, got "
                                 f"{got}; inhibition is a positive weight at an e_rev below rest, such as -80 mV "
                                 "(negative=True allows negative conductances)")
