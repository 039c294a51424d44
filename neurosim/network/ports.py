"""Where spikes and drives arrive: the receptors of each population, and what their variables are called."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.network.parts import DriveOn, Population, Projection
from neurosim.receptors import Receptor

if TYPE_CHECKING:
    from neurosim.network.network import Network


class Ports:
    """The receptors of all populations, found in one pass over a network.

    Attributes:
        receptors: population -> its receptors, in order of first use; equal ones are one.
    """

    def __init__(self, net: "Network"):
        self._of: dict[Projection | DriveOn, int] = {}
        places: dict[Population, dict[Receptor, int]] = {population: {} for population in net.populations}
        for user in (*net.projections, *net.drives):
            if user.receptor is not None:
                found, receptor = places[user.target.base], _on_whole(user.target, user.receptor)
                self._of[user] = found.setdefault(receptor, len(found))
        self.receptors = {population: list(found) for population, found in places.items()}
        self._variables: dict[Population, dict[str, tuple[int | None, str]]] = {}
        self._parameters: dict[Population, dict[str, tuple[int | None, str]]] = {}

    def of(self, user: Projection | DriveOn) -> int:
        """Return which of the receptors of its target a projection or a drive reaches."""
        return self._of[user]

    def variables(self, population: Population) -> dict[str, tuple[int | None, str]]:
        """Return the variables of a population, as `Network.variables`."""
        if population.base not in self._variables:
            self._variables[population.base] = self._named(population, lambda part: getattr(part, "state", {}))
        return self._variables[population.base]

    def parameters(self, population: Population) -> dict[str, tuple[int | None, str]]:
        """Return the parameters of a population and its receptors that may be set, by name, as `variables`."""
        if population.base not in self._parameters:
            self._parameters[population.base] = self._named(
                population, lambda part: [name for name, parameter in part.parameters.items() if parameter.per_element])
        return self._parameters[population.base]

    def _named(self, population: Population, names_of: Callable[[Any], Iterable[str]]):
        found: dict[str, tuple[int | None, str]] = {name: (None, name) for name in names_of(population.model)}
        ports = self.receptors[population.base]
        names = [name for port in ports if port.name is None for name in names_of(port)]
        for index, port in enumerate(ports):
            for name in names_of(port):
                alone = port.name is None and names.count(name) == 1 and name not in found
                found[name if alone else f"{name}[{index if port.name is None else port.name}]"] = (index, name)
        return found


def _on_whole(target: Population, receptor: Receptor) -> Receptor:
    """Return a receptor with its arrays, given for a part, as long as the whole; nothing arrives at the others."""
    arrays = {name: value for name, value in receptor.values().items() if isinstance(value, np.ndarray)}
    if target.size == target.base.size or not arrays:
        return receptor
    nearest = np.searchsorted(target.ids, np.arange(target.base.size)).clip(max=target.size - 1)
    return receptor.replace(**{name: value[nearest] for name, value in arrays.items()})
