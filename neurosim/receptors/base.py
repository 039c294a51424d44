"""What a receptor promises."""

from typing import Any, ClassVar

import numpy as np

from neurosim.aliases import Choice
from neurosim.bodies import check_kind, check_once, check_returns, check_static, plain
from neurosim.checks import Label, Parametrised, VariableName
from neurosim.contracts import Linear, State
from neurosim.errors import ParameterError


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

    What happens at a spike of the target, and while it is refractory, is up to a current or conductance: it goes on,
    and what arrives adds to it, unless the option `refractory` is "cleared". Then a spike sets all its variables to 0,
    and what arrives until the neuron is no longer held is lost.

    Here v is the variable of the target that `on` names, such as that of a dendrite. A conductance may depend on it: a
    static method `gate(v, ...)`, a scalar body whose other arguments are parameters by name, returns the share of the
    conductance that is open at v, held over the tick.
    """

    on: Choice[str] = VariableName("v", doc="variable of the target on which it acts, one of the model's `inputs`")
    name: Choice[str | None] = Label(doc="what its variables are called by, such as i_syn[ampa]")
    state: ClassVar[dict[str, State]] = {}
    gate: ClassVar[Any] = None
    effect: ClassVar[str] = "current"
    unit: ClassVar[str] = "pA"  #: unit of the weights

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_once(self, self._check_equations)

    def _check_equations(self) -> None:
        """Refuse what a class of one's own forgot, when it is first used."""
        name, effects = type(self).__name__, ("jump", "pulse", "current", "conductance")
        if self.effect not in effects:
            raise ParameterError(f"{name}.effect must be one of {', '.join(effects)}, got {self.effect!r}")
        if self.effect == "conductance" and "e_rev" not in self.parameters:
            raise ParameterError(f"{name} is a conductance and must have a parameter e_rev, its reversal potential")
        check_static(self, ["gate"])
        check_kind(self, "state", State, "State(0.0, 'pA')")
        p = plain(self)
        equations = self.linear(p)
        if not isinstance(equations, Linear):
            raise ParameterError(f"{name}.linear(p) must return a Linear, but returns {equations!r}")
        named = {*equations.arrival, *equations.output, *(each for pair in equations.matrix for each in pair)}
        if named - set(self.state):
            known = ", ".join(self.state) or "none"
            raise ParameterError(f"{name}.linear(p) must name variables in its state, {known}, got "
                                 f"{sorted(named - set(self.state))[0]!r}")
        if self.effect in ("current", "conductance") and list(equations.output) != list(self.state)[:1]:
            raise ParameterError(f"{name}.linear(p) must give as output the first variable in its state")
        if self.gate is not None:
            check_returns(self, "gate", vars(p) | {"v": -70.0}, ["share"])

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

    def weight_unit(self, model: Any) -> str:
        """Return the unit of weights at a neuron of some model."""
        if self.effect == "conductance":
            return self.unit
        return model.unit if self.effect == "jump" else model.current_unit

    @property
    def cleared(self) -> bool:
        """Whether a spike of the target clears its variables, and what arrives while that is refractory is lost."""
        return getattr(self, "refractory", "kept") == "cleared"

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
