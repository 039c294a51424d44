"""What a class of neurons, receptors, rules or devices says of its variables: their names, and equations as numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class State:
    """A variable that every neuron (or synapse) of a kind carries.

    Args:
        initial: its value at the start: a number, or a function of the parameters.
        unit: unit of the value.
        doc: what it is.
        slow: whether it changes so little in a tick that float32 would lose it; it is then float64.
    """

    initial: float | Callable[[Any], Any] = 0.0
    unit: str = ""
    doc: str = ""
    slow: bool = False


@dataclass(frozen=True)
class Linear:
    """A system of linear differential equations: x' = matrix x + constant + current * I.

    The values are numbers or arrays with one entry per neuron, in 1/ms and units that follow; what
    is not named is zero. For a receptor, an arrival of weight w adds `arrival * w` to its variables
    and `output` gives its current (or conductance) from them. `into` says of each other variable in
    `inputs` what `current` says of v.
    """

    matrix: dict[tuple[str, str], Any] = field(default_factory=dict)
    constant: dict[str, Any] = field(default_factory=dict)
    current: dict[str, Any] = field(default_factory=dict)
    arrival: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    into: dict[str, dict[str, Any]] = field(default_factory=dict)

    def gains(self, on: str) -> dict[str, Any]:
        """Return what a current into a variable adds to each variable."""
        return self.current if on == "v" else self.into.get(on, {})

    @property
    def rates(self) -> dict[str, Any]:
        """The rate in 1/ms at which each variable decays by itself."""
        return {name: -value for (name, source), value in self.matrix.items() if name == source}


@dataclass(frozen=True)
class Crossing:
    """When a neuron with linear equations spikes and what that does, as the event-driven mode takes it.

    A spike is sent where v - (sum of the variables in `decays`) > threshold.

    Args:
        threshold: that of v.
        reset: value of v after a spike; where `down` is given, None.
        down: by how much a spike lowers v instead, > 0.
        decays: variables besides v that decay on their own and raise the threshold: name -> what a spike adds.
    """

    threshold: Any
    reset: Any = None
    down: Any = None
    decays: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Parabola:
    """A neuron whose v follows a parabola, as the event-driven mode takes it.

    v' = square v^2 + slope v + drift - share u + gain I;  u' = a (b v + offset - u);
    spike where v reaches `peak`, then v is set to `reset` and u raised by `up`.
    """

    square: Any
    slope: Any
    drift: Any
    share: Any
    gain: Any
    a: Any
    b: Any
    offset: Any
    peak: Any
    reset: Any
    up: Any
