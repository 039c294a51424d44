"""What a neuron model promises."""

from typing import Any, ClassVar

from neurosim.bodies import (
    as_numbers,
    changed_below,
    check_kind,
    check_once,
    check_returns,
    check_static,
    plain,
    starts,
)
from neurosim.checks import Parametrised
from neurosim.contracts.equations import Crossing, Linear, Parabola, State
from neurosim.errors import ParameterError


class Neuron(Parametrised):
    """Base of the neuron models: declared parameters, named state, and scalar bodies.

    A model is one class. It declares its parameters (`Parameter`, `Option`) and its `state`, the
    membrane variable being called `v`, and gives static methods whose arguments are picked by name
    from the state, the coefficients, and what the engine offers:

    * `i`: synaptic and injected current over the tick (pA; plain numbers in unitless models),
    * `g`: total synaptic conductance (nS); the current is then `i - g * v`,
    * `i_dendrite`, `g_dendrite`: the same of what acts on another variable in `inputs`, here `dendrite`,
    * `uniform`: a fresh random number in (0, 1) for this neuron and tick.

    The methods:

    * `step(...)` integrates one tick and returns the state variables in their declared order;
    * `fires(...)` returns whether the neuron spikes, after the arrivals of the tick were added;
    * `after_spike(...)` returns the state variables after a spike.
    * `at_once(...)`, which may be left out, returns whether a tick can be done at once, and the state variables after
      it: to the bit what `step` returns then. Without loops and branches it vectorises where `step` has sub-steps,
      and `step` is called for the few neurons that need them.

    A model whose equations are linear also gives `linear(p)`; it is then integrated exactly,
    together with its current receptors, and `step` serves for conductances alone. `coefficients`
    turns parameters into what the bodies need; by default they receive the parameters themselves.
    A parameter `t_ref` (ms) is handled by the engine: v is held for that long after a spike.

    For the event-driven mode a model says, with `crossing(p)` or `parabola(p)`, in numbers what its bodies say
    in code; a class that changes the bodies must say it anew.

    Write float constants with a point (`2.0 * v`), and `exp` from `neurosim.maths`: then the
    compiled loop stays in float32 and vectorises.
    """

    state: ClassVar[dict[str, State]] = {}
    inputs: ClassVar[tuple[str, ...]] = ("v",)  #: variables on which receptors may act
    spiking: ClassVar[bool] = True  #: False for models that never spike
    unit: ClassVar[str] = "mV"  #: unit of v, and so of the weights of delta receptors
    current_unit: ClassVar[str] = "pA"
    step: ClassVar[Any] = None
    fires: ClassVar[Any] = None
    after_spike: ClassVar[Any] = None
    at_once: ClassVar[Any] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_once(self, self._check_bodies)

    def _check_bodies(self) -> None:
        """Refuse what a class of one's own forgot, when it is first used."""
        name = type(self).__name__
        check_static(self, ("step", "fires", "after_spike", "at_once"))
        check_kind(self, "state", State, "State(0.0, 'mV')")
        if "v" not in self.state:
            raise ParameterError(f"{name}.state must have a variable 'v', the membrane's, got {', '.join(self.state)}")
        for each in ("fires", "after_spike") if self.spiking else ():
            if getattr(self, each) is None:
                raise ParameterError(f"{name} must have {each}(...), or spiking = False")
        try:
            p = plain(self)
            known = as_numbers(self.coefficients(p, 0.1)) | starts(self.state, p) | {"uniform": 0.5}
        except Exception:  # of a model that computes with arrays; what is wrong is found where it is laid out
            return
        known |= {kind if on == "v" else f"{kind}_{on}": 0.0 for on in self.inputs for kind in "ig"}
        for each in ("step", "after_spike"):
            check_returns(self, each, known, list(self.state))
        check_returns(self, "fires", known, ["v > v_threshold"], "whether the neuron spikes")
        if self.at_once is not None:
            check_returns(self, "at_once", known, ["done", *self.state])

    def tick_at_once(self) -> Any:
        """Return the body `at_once`, or None where there is none or a class below has another `step` without it."""
        return None if changed_below(self, "at_once", ["step"]) else self.at_once

    def linear(self, p) -> Linear | None:
        """Return the linear equations of the model, or None where it has others.

        Args:
            p: the parameters by name, each a float or an array with one value per neuron.
        """
        return None

    def rates(self, p) -> dict[str, Any]:
        """Return the rates in 1/ms at which variables come back to their rest, which a tick must not lose by rounding.

        The float type follows from it where none is asked for; a model without linear equations says it here.

        Args:
            p: the parameters by name, each a float or an array.
        """
        linear = self.linear(p)
        return {} if linear is None else linear.rates

    def rise(self, p) -> Any:
        """Return by how much a current of one unit raises v in a ms: 1/c_mem; None where that is not known.

        Gap junctions take it.

        Args:
            p: the parameters by name, each a float or an array.
        """
        linear, parabola = self.linear(p), self.parabola(p)
        return linear.current.get("v") if linear is not None else None if parabola is None else parabola.gain

    def crossing(self, p) -> Crossing | None:
        """Return when a neuron with linear equations spikes and what that does; None where it is not of that form.

        Args:
            p: the parameters by name, each a float or an array with one value per neuron.
        """
        return None

    def parabola(self, p) -> Parabola | None:
        """Return the numbers of a model whose v follows a parabola; None for others.

        Args:
            p: the parameters by name, each a float or an array with one value per neuron.
        """
        return None

    def coefficients(self, p, dt: float) -> dict[str, Any]:
        """Return what the bodies take by name besides the state, in float64.

        Args:
            p: the parameters by name, each a float or an array with one value per neuron.
            dt: length of a tick in ms.
        """
        return {name: getattr(p, name) for name, parameter in self.parameters.items() if parameter.per_element}
