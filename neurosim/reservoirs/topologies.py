"""Where the neurons of a liquid sit, which of them inhibit, and with what probability two are connected."""

import math
from abc import ABC, abstractmethod

import numpy as np

from neurosim.aliases import Real, Row, Whole
from neurosim.checks import Parameter, Parametrised, required
from neurosim.connectivity import Vector

_PAIRS = 2_000_000  # pairs that are looked at at once


def _probability(default, doc):
    return Parameter(default, doc=doc, at_least=0, at_most=1, per_element=False)


class Topology(Parametrised, ABC):
    """Base of the topologies; excitatory neurons come first, the inhibitory ones after them.

    A topology gives `size`, `places(generator)`, where each neuron sits, shape (size, 3), and
    `relative(places)`, the same between 0 and 1 along each axis; `probability(kinds, sources, targets)` is
    that of a connection from neurons of one kind to those of another, `kinds` being "ee", "ei", "ie" or
    "ii" (source, then target) and the others their places. From these follow the `pairs` that are connected.
    """

    inhibitory: Real = _probability(0.2, "share of the neurons that inhibit")

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of neurons."""

    @property
    def n_inhibitory(self) -> int:
        """Number of neurons that inhibit, rounded to the nearest."""
        return round(self.inhibitory * self.size)

    @abstractmethod
    def places(self, generator: np.random.Generator) -> np.ndarray:
        """Return the place of each neuron, shape (size, 3)."""

    @abstractmethod
    def relative(self, places: np.ndarray) -> np.ndarray:
        """Return places as shares of the whole extent, in (0, 1), shape (size, 3)."""

    @abstractmethod
    def probability(self, kinds: str, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the probability of each connection, shape (sources, targets), from their places."""

    def pairs(self, kinds: str, sources: np.ndarray, targets: np.ndarray, generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the pairs of neurons that are connected, drawn independently; no neuron is connected to itself.

        Args:
            kinds: "ee", "ei", "ie" or "ii".
            sources, targets: places of the neurons of these kinds, shape (n, 3).
            generator: of the random numbers.

        Returns:
            sources and targets of the synapses, numbered within their kinds.
        """
        found, rows = [], max(1, _PAIRS // max(len(targets), 1))
        for first in range(0, len(sources), rows):
            part = sources[first:first + rows]
            drawn = generator.random((len(part), len(targets))) < self.probability(kinds, part, targets)
            if kinds[0] == kinds[1]:
                drawn[np.arange(len(part)), first + np.arange(len(part))] = False
            source, target = np.nonzero(drawn)
            found.append((source + first, target))
        source, target = zip(*found, strict=True) if found else ([np.zeros(0, int)],) * 2
        return np.concatenate(source), np.concatenate(target)


class Lattice(Topology, kw_only=False):
    r"""Neurons on a lattice, one at each site in random order; near ones connect more often.

    P(connect) = c exp(-(d / lam)^2), d being the distance in lattice units and c one of four values by
    the kinds of source and target. No neuron connects to itself.

    Args:
        shape: numbers of sites along each of up to three axes.
        lam: length of the decay, in lattice units; larger means more and longer connections.
        c_ee, c_ei, c_ie, c_ii: probability at distance 0 from excitatory or inhibitory neurons (first
            letter) to excitatory or inhibitory ones (second letter).
        inhibitory: share of the neurons that inhibit.

    >>> Lattice((4, 4, 4), lam=2.0).size
    64
    """

    positional = 1
    shape: Row = required(Vector(longest=3, above=0, integer=True, doc="numbers of sites along each axis"))
    lam: Real = Parameter(2.0, doc="length of the decay", above=0, per_element=False)
    c_ee: Real = _probability(0.3, "probability at distance 0, excitatory to excitatory")
    c_ei: Real = _probability(0.2, "the same, excitatory to inhibitory")
    c_ie: Real = _probability(0.4, "the same, inhibitory to excitatory")
    c_ii: Real = _probability(0.1, "the same, inhibitory to inhibitory")

    @property
    def extent(self) -> np.ndarray:
        """Numbers of sites along three axes."""
        given = np.atleast_1d(self.shape)
        return np.pad(given, (0, 3 - given.size), constant_values=1)

    @property
    def size(self):
        """Number of neurons: one at each site."""
        return math.prod(self.extent.tolist())

    def places(self, generator):
        """Return the sites in random order, shape (size, 3)."""
        return generator.permutation(np.indices(self.extent.tolist()).reshape(3, -1).T.astype(np.float64))

    def relative(self, places):
        """Return the centres of the sites as shares of the lattice."""
        return (places + 0.5) / self.extent

    def probability(self, kinds, sources, targets):
        """Return the probability for two kinds, by distance."""
        squared = sum((sources[:, None, axis] - targets[:, axis]) ** 2 for axis in range(3))
        return getattr(self, f"c_{kinds}") * np.exp(-squared / self.lam**2)


class MaassLattice(Lattice, kw_only=False):
    """The lattice of Maass, Natschlaeger and Markram: lam 2, c = 0.3, 0.2, 0.4, 0.1; a column is 15 x 3 x 3.

    Args:
        shape: numbers of sites along each axis.
        lam, c_ee, c_ei, c_ie, c_ii, inhibitory: as for `Lattice`.

    >>> MaassLattice().size
    135

    Source: Maass, Natschlaeger, Markram, Neural Computation 14 (2002) 2531.
    """

    shape: Row = Vector((15, 3, 3), longest=3, above=0, integer=True, doc="numbers of sites along each axis")


class NalsmLattice(Lattice, kw_only=False):
    """The lattice of the neuron-astrocyte liquid state machine: lam 3, c = 0.2, 0.1, 0.3, 0.05; 10 x 10 x 10.

    Args:
        shape: numbers of sites along each axis; (20, 20, 20) is the larger one of the source.
        lam, c_ee, c_ei, c_ie, c_ii, inhibitory: as for `Lattice`.

    >>> NalsmLattice().size
    1000

    Source: Ivanov, Michmizos, Increasing liquid state machine performance with edge-of-chaos dynamics
    organized by astrocyte-modulated plasticity, NeurIPS 2021, and its code.
    """

    shape: Row = Vector((10, 10, 10), longest=3, above=0, integer=True, doc="numbers of sites along each axis")
    lam: Real = Parameter(3.0, doc="length of the decay", above=0, per_element=False)
    c_ee: Real = _probability(0.2, "probability at distance 0, excitatory to excitatory")
    c_ei: Real = _probability(0.1, "the same, excitatory to inhibitory")
    c_ie: Real = _probability(0.3, "the same, inhibitory to excitatory")
    c_ii: Real = _probability(0.05, "the same, inhibitory to inhibitory")


class RandomGraph(Topology, kw_only=False):
    """Neurons at random places of a unit cube, connected with one probability whatever the distance.

    The places matter to local inputs alone.

    Args:
        size: number of neurons.
        p: probability that a pair is connected; none connects to itself.
        inhibitory: share of the neurons that inhibit.

    >>> RandomGraph(500, p=0.02).n_inhibitory
    100
    """

    positional = 2
    size: Whole = required(Parameter(doc="number of neurons", integer=True, at_least=1, per_element=False))
    p: Real = _probability(0.1, "probability that a pair is connected")

    def places(self, generator):
        """Return places drawn uniformly from the unit cube."""
        return generator.random((self.size, 3))

    def relative(self, places):
        """Return the places themselves."""
        return places

    def probability(self, kinds, sources, targets):
        """Return the probability, the same for all."""
        return np.full((len(sources), len(targets)), self.p)


__all__ = ["Lattice", "MaassLattice", "NalsmLattice", "RandomGraph", "Topology"]
