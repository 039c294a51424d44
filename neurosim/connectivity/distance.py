"""The rule whose probability depends on the distance between two neurons."""

import math
from typing import Literal

import numpy as np

from neurosim.aliases import Choice, Flag, Real, Row, RowOrNone, TableOrNone
from neurosim.checks import Option, Parameter, describe_value, required
from neurosim.connectivity.bodies import fill_words, own_place
from neurosim.connectivity.parameters import Array, Vector, allow_self, chance
from neurosim.connectivity.rule import Rows, Rule
from neurosim.errors import ParameterError
from neurosim.maths import exp

_PAIRS = 4_000_000  # pairs that are looked at to estimate how many will be connected


_PROFILES = {
    "gaussian": lambda squared, length: exp(-squared / (length * length)),
    "exponential": lambda squared, length: exp(-math.sqrt(squared) / length),
    "uniform": lambda squared, length: 1.0 if squared <= length * length else 0.0,
}


def _by_distance(profile):
    """Return the scalar body for a profile of the probability over the distance."""
    def partners(row, n_partner, ints, floats, k0, k1, stream, out):
        """Scalar body: test each target of a source."""
        n_row = ints[1]
        hole = own_place(row, n_partner, ints[0])
        c = floats[0]
        length = floats[1]
        box_x, box_y, box_z = floats[2], floats[3], floats[4]
        x, y, z = floats[5 + row], floats[5 + n_row + row], floats[5 + 2 * n_row + row]
        first = 5 + 3 * n_row
        xs = floats[first:first + n_partner]
        ys = floats[first + n_partner:first + 2 * n_partner]
        zs = floats[first + 2 * n_partner:first + 3 * n_partner]
        fill_words(0, n_partner, np.uint64(row), stream, k0, k1, out)
        for k in range(n_partner):
            dx, dy, dz = abs(x - xs[k]), abs(y - ys[k]), abs(z - zs[k])
            dx, dy, dz = min(dx, box_x - dx), min(dy, box_y - dy), min(dz, box_z - dz)
            probability = c * profile(dx * dx + dy * dy + dz * dz, length)
            out[k] = (out[k] + 0.5) * 2.3283064365386963e-10 < probability
        count = 0
        for k in range(n_partner):
            connected = out[k] != 0 and k != hole
            out[count] = k
            count += connected
        return count
    return partners


_DISTANCE_BODIES = {name: _by_distance(profile) for name, profile in _PROFILES.items()}


class DistanceDependent(Rule, kw_only=False):
    """Connects each pair with a probability that depends on the distance d between the two neurons.

    gaussian:     p = c exp(-(d / lam)^2)
    exponential:  p = c exp(-d / lam)
    uniform:      p = c where d <= lam, else 0

    Neurons sit on lattices of up to three axes, the last axis running fastest, or at given positions.
    Distances, spacing and lam share one unit of length, which the user chooses. A c per kind of
    source and target, as in Maass et al., is had with one projection for each. Probabilities below
    2^-32 count as 0.

    Args:
        c: probability at distance 0, 0 to 1.
        lam: length of the decay, or the radius, > 0.
        profile: "gaussian", "exponential" or "uniform".
        source_shape: numbers of neurons of the sources' lattice along each axis.
        target_shape: the same for the targets; None: that of the sources.
        spacing: distance of neighbours, one number or one for each axis.
        source_positions: positions (n_source, 1 to 3 axes) instead of a lattice.
        target_positions: the same for the targets; None: those of the sources.
        periodic: whether opposite sides of the box meet.
        box: size of the periodic box; None: the lattice's shape times its spacing.
        self_connections: whether a neuron may connect to itself (within one population).

    Raises:
        ParameterError: if the lattice or the positions do not fit the populations or the box.

    >>> DistanceDependent(0.3, 2.0, source_shape=(3, 3, 15))
    DistanceDependent(c=0.3, lam=2.0, source_shape=(3, 3, 15))

    Source: Maass, Natschlaeger, Markram, Neural Computation 14 (2002) 2531-2560.
    """

    positional = 2
    ascending = True
    c: Real = required(chance("probability at distance 0"))
    lam: Real = required(Parameter(above=0, per_element=False, doc="length of the decay, or the radius"))
    profile: Choice[Literal["gaussian", "exponential", "uniform"]] = Option(
        "gaussian", _PROFILES, doc="how the probability falls with the distance")
    source_shape: RowOrNone = Vector(None, longest=3, above=0, integer=True, optional=True,
                                     doc="lattice of the sources")
    target_shape: RowOrNone = Vector(None, longest=3, above=0, integer=True, optional=True,
                                     doc="lattice of the targets")
    spacing: Row = Vector(1.0, longest=3, above=0, doc="distance of neighbours on the lattice")
    source_positions: TableOrNone = Array(None, ndim=2, optional=True, doc="positions of the sources")
    target_positions: TableOrNone = Array(None, ndim=2, optional=True, doc="positions of the targets")
    periodic: Flag = Option(False, (False, True), doc="whether opposite sides of the box meet")
    box: RowOrNone = Vector(None, longest=3, above=0, optional=True, doc="size of the periodic box")
    self_connections: Flag = allow_self()

    @property
    def partners(self):
        """The scalar body, one for each profile."""
        return _DISTANCE_BODIES[self.profile]

    def validate(self):
        """Check that positions are given once, with as many axes everywhere."""
        if (self.source_shape is None) == (self.source_positions is None):
            raise ParameterError("DistanceDependent must have source_shape or source_positions, and not both, got "
                                 + ("neither" if self.source_shape is None else "both"))
        if self.target_shape is not None and self.target_positions is not None:
            raise ParameterError("DistanceDependent must have target_shape or target_positions, and not both, got both")
        for side in ("source", "target"):
            positions = getattr(self, f"{side}_positions")
            if positions is not None and not 1 <= positions.shape[1] <= 3:
                self.refuse(f"{side}_positions", "have 1 to 3 columns")
        if self._axes("source") != self._axes("target"):
            raise ParameterError(f"DistanceDependent must have as many axes on both sides, got "
                                 f"{self._axes('source')} for the sources and {self._axes('target')} for the targets")
        if np.size(self.spacing) not in (1, self._axes("source")):
            self.refuse("spacing", f"be one number or {self._axes('source')}")
        if self.periodic:
            self._check_box()

    def _check_box(self):
        if self.box is None and self.source_shape is None:
            self.refuse("box", "be given for a periodic space with positions")
        box = self._box()
        positions = np.concatenate([self.positions("source"), self.positions("target")])
        if positions.size and (np.ptp(positions, axis=0) > box).any():
            self.refuse("box", "hold all positions", describe_value(tuple(box[np.isfinite(box)].tolist())))

    def _given(self, side):
        """Return the lattice and the positions of a side; targets without any have those of the sources."""
        shape, positions = getattr(self, f"{side}_shape"), getattr(self, f"{side}_positions")
        if side == "target" and shape is None and positions is None:
            return self.source_shape, self.source_positions
        return shape, positions

    def _axes(self, side):
        shape, positions = self._given(side)
        return positions.shape[1] if shape is None else np.size(shape)

    def _box(self):
        """Return the period along each of three axes, infinite where there is none."""
        box = np.full(3, np.inf)
        if self.periodic:
            axes = self._axes("source")
            box[:axes] = np.multiply(self.source_shape, self.spacing) if self.box is None else self.box
        return box

    def positions(self, side: str) -> np.ndarray:
        """Return the positions of the sources or of the targets on three axes, shape (n, 3).

        >>> DistanceDependent(0.3, 2.0, source_shape=(2, 2)).positions("source").tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
        """
        shape, positions = self._given(side)
        if shape is not None:
            positions = np.indices(np.atleast_1d(shape).tolist()).reshape(np.size(shape), -1).T * self.spacing
        return np.pad(positions, ((0, 0), (0, 3 - positions.shape[1])))

    def check(self, n_source, n_target, shift):
        """Raise ParameterError if there are not as many positions as neurons."""
        for side, n in (("source", n_source), ("target", n_target)):
            shape, positions = self._given(side)
            places = len(positions) if shape is None else math.prod(np.atleast_1d(shape).tolist())
            if places != n:
                what = "shape" if shape is not None else "positions"
                self.refuse(f"{side}_{what}", f"give {n} positions, one per neuron", f"{places}")

    def probability(self, sources, targets) -> np.ndarray:
        """Return the probability of the connection between positions (n, 3) and (m, 3), shape (n, m)."""
        box = self._box()
        squared = 0.0
        for axis in range(3):
            distance = np.abs(sources[:, None, axis] - targets[None, :, axis])
            squared = squared + np.minimum(distance, box[axis] - distance) ** 2
        relative = np.sqrt(squared) / self.lam
        return self.c * {"gaussian": lambda: np.exp(-relative ** 2), "exponential": lambda: np.exp(-relative),
                         "uniform": lambda: 1.0 * (relative <= 1)}[self.profile]()

    def expected(self, n_source, n_target, shift):
        """Return the expected number of synapses; of a large network, that of evenly spaced rows, scaled up."""
        sources, targets = self.positions("source"), self.positions("target")
        rows = np.unique(np.linspace(0, n_source - 1, min(n_source, max(1, _PAIRS // max(n_target, 1)))).astype(int))
        batches = np.array_split(rows, max(1, rows.size * n_target // 250_000))
        sampled = sum(float(self.probability(sources[batch], targets).sum()) for batch in batches)
        return sampled * n_source / rows.size - self._expected_with_itself(sources, targets, shift)

    def _expected_with_itself(self, sources, targets, shift):
        """Return how many of the pairs that are left out would be expected; a neuron may have two places."""
        both = self.self_pairs(len(sources), len(targets), shift)
        if not both:
            return 0.0
        first = max(0, -shift)
        own = targets[first + shift:][:both] - sources[first:first + both]
        return float(self.probability(own, np.zeros((1, 3))).sum())

    def prepare(self, n_source, n_target, shift, generator):
        """Return what `partners` needs: c, lam, the box and all positions."""
        positions = [self.positions(side).T.ravel() for side in ("source", "target")]
        return Rows(4 * -(-n_target // 4), np.array([self.left_out(shift), n_source], np.int64),
                    np.concatenate([[self.c, self.lam], self._box(), *positions]))
