"""How input channels project onto the neurons of a liquid: each projection makes a sparse matrix of weights.

A camera's channel is (p * H + y) * W + x, as `neurosim.datasets.to_spikes` numbers it.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np

from neurosim.aliases import Choice, Real, RealOrNone, Row, Whole, WholeOrNone
from neurosim.checks import Option, Parameter, Parametrised, required
from neurosim.connectivity import Vector
from neurosim.errors import ParameterError

_CHUNK = 256  # neurons whose receptive fields are made at once


def _share(default, doc):
    return Parameter(default, doc=doc, at_least=0, at_most=1, per_element=False)


def _length(default, doc, unit=""):
    return Parameter(default, unit, doc=doc, above=0, per_element=False)


def _weight(default=1.0):
    return Parameter(default, doc="size of a weight, in the unit of the receptor", above=0, per_element=False)


def _sensor():
    return Vector((34, 34, 2), scalar=False, longest=3, above=0, integer=True, doc="width, height, polarities")


class InputProjection(Parametrised, ABC):
    """Base of the input projections.

    A projection gives `n_inputs`, the number of channels, and `matrix(places, generator)`, a scipy
    sparse matrix of shape (n_inputs, n_liquid) of weights; `places` are those of the liquid's neurons
    as shares of its extent, between 0 and 1, shape (n_liquid, 3).
    """

    @property
    @abstractmethod
    def n_inputs(self) -> int:
        """Number of input channels."""

    @abstractmethod
    def matrix(self, places: np.ndarray, generator: np.random.Generator) -> Any:
        """Return the weights, a sparse array of shape (n_inputs, n_liquid)."""


class RandomInput(InputProjection, kw_only=False):
    """Connects channels and neurons at random.

    Args:
        channels: number of input channels.
        p: share of all pairs that are connected, to the nearest whole number of synapses; not with k.
        k: number of channels of each neuron that gets input, all different; not with p.
        weight: size of the weights, in the receptor's unit.
        inhibitory: probability that a weight is negative.
        spread: "constant": all weights have one size; "normal": sizes are those of normal numbers with
            standard deviation `weight`.
        reach: share of the neurons that get input.

    Raises:
        ParameterError: both or neither of p and k are given, or k is more than there are channels.

    >>> import numpy as np
    >>> RandomInput(50, k=5, inhibitory=0.5).matrix(np.zeros((20, 3)), np.random.default_rng(0)).nnz
    100
    """

    positional = 1
    channels: Whole = required(Parameter(doc="number of input channels", integer=True, at_least=1, per_element=False))
    p: RealOrNone = Parameter(None,
                              doc="share of all pairs that are connected", at_least=0, at_most=1, per_element=False,
                              optional=True)
    k: WholeOrNone = Parameter(None,
                               doc="number of channels of each neuron", at_least=0, integer=True, per_element=False,
                               optional=True)
    weight: Real = _weight()
    inhibitory: Real = _share(0.0, "probability that a weight is negative")
    spread: Choice[Literal["constant", "normal"]] = Option("constant", ("constant", "normal"),
                                                           doc="how the sizes of weights are distributed")
    reach: Real = _share(1.0, "share of the neurons that get input")

    def validate(self):
        """Check that p or k is given."""
        if (self.p is None) == (self.k is None):
            raise ParameterError("RandomInput must be given p or k, got " + ("neither" if self.p is None else "both"))
        if self.k is not None and self.k > self.channels:
            raise ParameterError(f"RandomInput.k must be <= {self.channels}, the number of channels, got {self.k}")

    @property
    def n_inputs(self):
        """Number of input channels."""
        return self.channels

    def matrix(self, places, generator):
        """Return the weights."""
        n = len(places)
        reached = np.sort(generator.choice(n, round(self.reach * n), replace=False))
        if self.p is not None:
            pairs = generator.choice(self.channels * reached.size, round(self.p * self.channels * reached.size),
                                     replace=False, shuffle=False)
            sources, targets = np.divmod(np.sort(pairs), max(reached.size, 1))
        else:
            k = self.k or 0
            keys = generator.random((reached.size, self.channels))
            sources = np.argpartition(keys, k - 1, axis=1)[:, :k].ravel() if k else np.zeros(0, np.int64)
            targets = np.repeat(np.arange(reached.size), k)
        sizes = self.weight if self.spread == "constant" else np.abs(generator.normal(0.0, self.weight, sources.size))
        weights = sizes * _signs(self.inhibitory, sources.size, generator)
        return _sparse(weights, sources, reached[targets], (self.channels, n))


class LocalInput(InputProjection, kw_only=False):
    """Connects pixels to the neurons near them: the liquid's first two axes lie over the image.

    A neuron at relative place (a, b) sits over pixel (a W - 1/2, b H - 1/2); it gets each pixel within the
    radius, of either polarity, with probability p.

    Args:
        sensor_size: (width, height, polarities).
        radius: pixels.
        p: probability that a pixel within the radius is connected.
        weight: size of the weights, in the receptor's unit.
        inhibitory: probability that a weight is negative.

    >>> import numpy as np
    >>> one = LocalInput((5, 5, 1), radius=1.0).matrix(np.full((1, 3), 0.5), np.random.default_rng(0))
    >>> sorted(one.tocoo().row.tolist())
    [7, 11, 12, 13, 17]
    """

    sensor_size: Row = _sensor()
    positional = 1
    radius: Real = _length(3.0, "how far a neuron sees", "pixels")
    p: Real = _share(1.0, "probability that a pixel within the radius is connected")
    weight: Real = _weight()
    inhibitory: Real = _share(0.0, "probability that a weight is negative")

    def validate(self):
        """Check the size of the sensor."""
        _check_sensor(self)

    @property
    def n_inputs(self):
        """Number of input channels."""
        return math.prod(self.sensor_size)

    def matrix(self, places, generator):
        """Return the weights."""
        width, height, polarities = self.sensor_size
        centres = _centres(places, width, height)
        near = []
        for first in range(0, len(places), _CHUNK):
            dx, dy = _offsets(centres[first:first + _CHUNK], width, height)
            target, pixel = np.nonzero(dx * dx + dy * dy <= self.radius * self.radius)
            near.append((pixel, target + first))
        pixels, targets = (np.concatenate(parts) for parts in zip(*near, strict=True))
        sources = (pixels[:, None] + width * height * np.arange(polarities)).ravel()
        targets = np.repeat(targets, polarities)
        kept = generator.random(sources.size) < self.p
        weights = self.weight * _signs(self.inhibitory, sources.size, generator)
        return _sparse(weights[kept], sources[kept], targets[kept], (self.n_inputs, len(places)))


class OrientedInput(InputProjection, kw_only=False):
    r"""Gives every neuron one oriented receptive field, a Gabor function, somewhere on the image.

    g(x, y) = exp(-(x'^2 + (aspect y')^2) / (2 sigma^2)) cos(2 pi x' / wavelength + phase) - c,

    x' and y' being the pixel's offset from the centre, turned by the orientation, and sigma = bandwidth
    wavelength. The constant c, under the same bell, makes the field sum to 0 over an unbounded image. Orientation,
    phase and wavelength are drawn for each neuron, the orientation from `orientations` equally spaced ones or from
    all. Small entries are left out: they cost time and tell little.

    Args:
        sensor_size: (width, height, polarities).
        wavelength: shortest and longest wavelength, pixels; drawn uniformly.
        bandwidth: sigma in wavelengths.
        aspect: how much narrower the field is along its stripes; below 1 it is longer.
        orientations: number of orientations; None draws from all angles.
        polarities: what the second polarity does: "independent" (a field at the same place with another
            orientation, phase and wavelength), "opposite" (the field with the other sign), or "same".
        centres: "places": over the neuron's place in the liquid, as `LocalInput` has it; "random": anywhere.
        margin: how far centres keep from the border, pixels.
        cutoff: share of the largest entry of a field below which entries are left out.
        weight: root of the sum of the squared weights of a neuron, in the receptor's unit.

    >>> import numpy as np
    >>> places = np.random.default_rng(0).random((100, 3))
    >>> OrientedInput((34, 34, 2)).matrix(places, np.random.default_rng(0)).shape
    (2312, 100)

    Source: Jones, Palmer, J. Neurophysiology 58 (1987) 1233, for the form of the field.
    """

    positional = 1
    sensor_size: Row = _sensor()
    wavelength: Row = Vector((5.0, 12.0), longest=2, above=0, doc="shortest and longest wavelength, pixels")
    bandwidth: Real = _length(0.35, "sigma in wavelengths")
    aspect: Real = _length(0.7, "how much narrower the field is along its stripes")
    orientations: WholeOrNone = Parameter(None,
                                          doc="number of orientations", integer=True, at_least=1, per_element=False,
                                          optional=True)
    polarities: Choice[Literal["independent", "opposite", "same"]] = Option(
        "independent", ("independent", "opposite", "same"), doc="what the second polarity does")
    centres: Choice[Literal["random", "places"]] = Option("random", ("random", "places"), doc="where fields sit")
    margin: Real = Parameter(3.0, "pixels", doc="how far centres keep from the border", at_least=0, per_element=False)
    cutoff: Real = Parameter(0.1,
                             doc="share of the largest entry below which entries are left out", at_least=0, below=1,
                             per_element=False)
    weight: Real = _weight(45.0)

    def validate(self):
        """Check the size of the sensor, the margin and the wavelengths."""
        _check_sensor(self)
        if 2 * self.margin >= min(self.sensor_size[:2]):
            raise ParameterError(f"OrientedInput.margin must be < half the sensor, "
                                 f"{min(self.sensor_size[:2]) / 2:g} pixels, got {self.margin:g}")
        if np.size(self.wavelength) == 2 and self.wavelength[0] > self.wavelength[1]:
            raise ParameterError(f"OrientedInput.wavelength must be (shortest, longest), got {self.wavelength}")

    @property
    def n_inputs(self):
        """Number of input channels."""
        return math.prod(self.sensor_size)

    def matrix(self, places, generator):
        """Return the weights."""
        from scipy.sparse import hstack

        width, height, polarities = self.sensor_size
        n = len(places)
        if self.centres == "random":
            places = generator.random((n, 2))
        centres = _centres(places, width, height, self.margin)
        shapes = [self._draw(n, generator) for _ in range(polarities)]
        columns = []
        for first in range(0, n, _CHUNK):
            part = slice(first, first + _CHUNK)
            fields = [self._fields(centres[part], *(drawn[part] for drawn in shapes[0]))]
            for other in shapes[1:]:
                fields.append(self._fields(centres[part], *(drawn[part] for drawn in other))
                              if self.polarities == "independent" else fields[0])
            if self.polarities == "opposite":
                fields = [field * sign for field, sign in zip(fields, [-1.0, 1.0][2 - polarities:], strict=True)]
            columns.append(self._columns(np.concatenate(fields, axis=1)))
        return hstack(columns, format="csr")

    def _draw(self, n, generator):
        """Return orientation, phase and wavelength of n fields."""
        angles = generator.random(n) if self.orientations is None else (
            generator.integers(self.orientations, size=n) / self.orientations)
        shortest, longest = np.broadcast_to(self.wavelength, 2)
        return math.pi * angles, 2 * math.pi * generator.random(n), generator.uniform(shortest, longest, n)

    def _fields(self, centres, angle, phase, wavelength):
        """Return the fields, shape (neurons, pixels)."""
        dx, dy = _offsets(centres, *self.sensor_size[:2])
        angle, phase, wavelength = angle[:, None], phase[:, None], wavelength[:, None]
        along = dx * np.cos(angle) + dy * np.sin(angle)
        across = self.aspect * (dy * np.cos(angle) - dx * np.sin(angle))
        bell = np.exp(-(along**2 + across**2) / (2 * (self.bandwidth * wavelength) ** 2))
        mean = math.exp(-2 * (math.pi * self.bandwidth) ** 2) * np.cos(phase)
        return bell * (np.cos(2 * math.pi * along / wavelength + phase) - mean)

    def _columns(self, fields):
        """Return the fields as columns of a sparse matrix, each of the right length."""
        from scipy.sparse import csc_array

        size = np.abs(fields)
        fields = np.where(size >= self.cutoff * size.max(axis=1, keepdims=True), fields, 0.0)
        length = np.sqrt((fields**2).sum(axis=1, keepdims=True))
        return csc_array((self.weight * fields / np.where(length > 0, length, 1.0)).T)


class TonotopicInput(InputProjection, kw_only=False):
    """Connects frequency channels to the neurons near them: channels lie along the liquid's first axis.

    A neuron at relative place a has its best channel at a channels - 1/2 and gets channel k with
    probability p exp(-(distance / width)^2).

    Args:
        channels: number of channels of the cochlea.
        width: how fast the probability falls, in channels.
        p: probability at the best channel.
        weight: size of the weights, in the receptor's unit.
        inhibitory: probability that a weight is negative.

    >>> import numpy as np
    >>> ends = TonotopicInput(100, width=2.0).matrix(np.array([[0.005, 0, 0], [0.995, 0, 0]]), np.random.default_rng(0))
    >>> ends.tocoo().row[ends.tocoo().col == 1].min() > 90
    np.True_
    """

    positional = 1
    channels: Whole = required(Parameter(doc="number of channels", integer=True, at_least=1, per_element=False))
    width: Real = _length(20.0, "how fast the probability falls", "channels")
    p: Real = _share(1.0, "probability at the best channel")
    weight: Real = _weight()
    inhibitory: Real = _share(0.0, "probability that a weight is negative")

    @property
    def n_inputs(self):
        """Number of input channels."""
        return self.channels

    def matrix(self, places, generator):
        """Return the weights."""
        best = places[:, 0] * self.channels - 0.5
        distance = np.arange(self.channels)[:, None] - best
        sources, targets = np.nonzero(generator.random(distance.shape) < self.p * np.exp(-(distance / self.width) ** 2))
        weights = self.weight * _signs(self.inhibitory, sources.size, generator)
        return _sparse(weights, sources, targets, (self.channels, len(places)))


def _check_sensor(projection):
    if len(projection.sensor_size) != 3 or projection.sensor_size[2] > 2:
        raise ParameterError(f"{type(projection).__name__}.sensor_size must be (width, height, polarities) with 1 or 2 "
                             f"polarities, got {projection.sensor_size}")


def _signs(inhibitory, n, generator):
    return np.where(generator.random(n) < inhibitory, -1.0, 1.0)


def _sparse(weights, sources, targets, shape):
    from scipy.sparse import coo_array

    weights = np.broadcast_to(np.asarray(weights, np.float64), np.shape(sources))
    return coo_array((weights, (sources, targets)), shape=shape).tocsr()


def _centres(places, width, height, margin=0.0):
    """Return the pixel coordinates of relative places, shape (n, 2)."""
    size = np.array([width, height], np.float64)
    return margin - 0.5 + places[:, :2] * (size - 2 * margin)


def _offsets(centres, width, height):
    """Return dx and dy of every pixel from each centre, shape (n, height * width), x running fastest."""
    x, y = np.tile(np.arange(width), height), np.repeat(np.arange(height), width)
    return x - centres[:, :1], y - centres[:, 1:2]


__all__ = ["InputProjection", "LocalInput", "OrientedInput", "RandomInput", "TonotopicInput"]
