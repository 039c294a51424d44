"""What a connection rule is."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

from neurosim.checks import Parametrised, describe_value
from neurosim.connectivity.bodies import NOBODY
from neurosim.errors import ParameterError


class Rows(NamedTuple):
    """What a rule prepares before its rows are drawn.

    Attributes:
        capacity: most entries that `partners` writes to `out` in one row, its scratch included.
        ints: 1-D array of whole numbers, handed to `partners` as it is.
        floats: 1-D array of float64, handed to `partners` as it is.
        starts: where the values of each row begin, for a rule that takes one value per synapse.
        order: for each synapse in the order of the rows, its place among the values as given.
    """

    capacity: int
    ints: np.ndarray
    floats: np.ndarray = np.empty(0)
    starts: np.ndarray | None = None
    order: np.ndarray | None = None


class Rule(Parametrised, ABC):
    """Base of the rules: what a row is, how many synapses there are, and who is in a row.

    A rule declares its parameters and gives

    - `by`: "source" if a row holds the targets of one source, "target" if the sources of one target;
    - `ascending`: True where the partners in a row always ascend;
    - `exact`: True where `expected` is the number of synapses itself;
    - `check(n_source, n_target, shift)`: raises ParameterError for what cannot be done;
    - `expected(n_source, n_target, shift)`: expected number of synapses;
    - `prepare(n_source, n_target, shift, generator)`: a `Rows`, made once with numpy; the generator
      depends on nothing but the seed and the projection;
    - `partners(row, n_partner, ints, floats, k0, k1, stream, out)`: a static scalar body (plain
      Python that Numba can compile) which writes the partners of a row to `out`, an array of uint32,
      in an order that depends on nothing else, and returns how many there are. Its random words come
      from `philox(word, row, stream, attempt, k0, k1)`.

    `shift` says where a neuron may meet itself: source i is target i + shift where both sides are parts of one
    population, 0 where they are the whole of it; None where they are of two.
    """

    by: ClassVar[str] = "source"
    ascending: ClassVar[bool] = False
    exact: ClassVar[bool] = False

    def check(self, n_source: int, n_target: int, shift: int | None) -> None:
        """Raise ParameterError if the rule cannot connect populations of these sizes."""

    @abstractmethod
    def expected(self, n_source: int, n_target: int, shift: int | None) -> float:
        """Return the expected number of synapses."""

    @abstractmethod
    def prepare(self, n_source: int, n_target: int, shift: int | None, generator: np.random.Generator) -> Rows:
        """Return what `partners` needs."""

    def expected_into(self, first: int, last: int, n_source: int, n_target: int, shift: int | None) -> float:
        """Return about how many of the synapses reach targets first .. last - 1; too few costs a second pass."""
        return self.expected(n_source, n_target, shift) * (last - first) / max(n_target, 1)

    def weights(self) -> np.ndarray | None:
        """Return the weights that the rule itself brings, one per synapse, or None."""
        return None

    def left_out(self, shift: int | None) -> int:
        """Return the shift if connections of a neuron to itself are left out, else NOBODY."""
        return NOBODY if shift is None or getattr(self, "self_connections", True) else shift

    def self_pairs(self, n_source: int, n_target: int, shift: int | None) -> int:
        """Return how many pairs are left out because they are a neuron and itself."""
        shift = self.left_out(shift)
        return max(0, min(n_source + shift, n_target) - max(shift, 0))

    def refuse(self, name: str, must: str, got=None):
        """Raise the one form of message for a parameter that does not fit the populations."""
        got = describe_value(getattr(self, name)) if got is None else got
        raise ParameterError(f"{type(self).__name__}.{name} must {must}, got {got}")
