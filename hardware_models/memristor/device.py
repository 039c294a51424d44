"""A layer of memristive devices: programmed with errors, read with noise, stuck, drifting."""

import zlib
from functools import partial
from typing import Literal

import numpy as np

from hardware_models.arrays import as_float, like, namespace
from hardware_models.memristor import mapping as maps
from hardware_models.memristor.equations import normals, to_numpy
from hardware_models.memristor.reads import READ_PARAMETERS, flicker_span, moments_of, reader, scalar_reader
from hardware_models.stuck import check_shares, stuck_ends
from neurosim.aliases import Choice, Flag, Real, RealOrNone, Whole, WholeOrNone
from neurosim.checks import Option, Parameter, Seed, describe_value, is_number
from neurosim.contracts import Device
from neurosim.contracts.device import product
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.units import warn_of_percent

BOLTZMANN = 8.617333262e-5  #: eV/K
ROOM = 300.0  #: K, at which the conductances are given
T_0 = 20.0  #: s from programming to the first read, after which drift is counted


def one(default, unit="", doc="", **bounds):
    """Return a parameter that is one number for the whole layer."""
    return Parameter(default, unit, doc=doc, per_element=False, **bounds)


def switch(doc, unit="", **bounds):
    """Return the parameter of a non-ideality: 0, the default, is off."""
    return one(0.0, unit, doc, at_least=0, **bounds)


class Memristor(Device):
    r"""A layer of memristive devices that holds the weights of a projection, a reservoir or a torch module.

    A weight is the difference of two conductances (or the distance of one from the middle), w = k (G+ - G-); what the
    devices do wrong moves it by k times the conductance that is too much. Every non-ideality is a switch of its own,
    0 by default, with random numbers of its own; where all are off, the layer is the ideal one bit for bit. For each
    device:

        G = [ dtod (target) + programming error ] (stuck: g_max or g_min),  |error| <= tolerance where verified,
        G(t) = G ((t + 20 s) / 20 s)^-nu,
        read:  max(G + sqrt(white(G)^2 + flicker(G)^2 ln((t + t_read) / (2 t_read))) x, 0),  x standard normal, fresh.

    Subclasses are measured technologies, whose statistics replace the plain ones below, or pulse laws. What is a
    property of a device (whether it is stuck, how it drifts, how it differs from others) follows from `seed` alone;
    errors of programming come from the generator that `program` is given.

    Args:
        weight_max: weight that the largest conductance stands for, > 0; larger weights are refused. See `fitted`.
        g_min, g_max: uS.
        mapping: "differential" (a pair for each weight) or "offset" (one device, the middle subtracted).
        slices, slice_bits: where either is given, a weight is a whole number of slices x slice_bits bits, spread over
            so many devices of 2^slice_bits levels; by default a device can hold any conductance in its range.
        programming_noise: standard deviation of the error, as a share of g_max (technologies: times the measured one).
        write_tolerance: share of g_max; devices are written again until the error is within it, or None.
        write_attempts: how often at most.
        relaxation: times the drift apart that was measured after verified writing, see `age`.
        read_noise: white noise of a read, as a share of the conductance.
        flicker_noise: 1/f noise of a read, as a share of the conductance at one e-fold of time.
        flicker_time: s since programming (20 s is the first read); the noise of a read has gathered since.
        read_duration: us that a read takes.
        drift: exponent nu (technologies: times the measured one).
        drift_dtod: standard deviation of nu from device to device, as a share of nu.
        drift_compensation: whether ageing is made good by one factor for all, from the sum of all sizes.
        conductance_dtod: standard deviation from device to device of a factor to the conductance.
        stuck_on, stuck_off: share of the devices stuck at g_max and at g_min; none is both.
        temperature: K.
        activation_energy: eV; G grows by exp(-E/k (1/T - 1/300 K)).
        seed: of the devices themselves.

    Raises:
        ParameterError: a parameter, or a weight, does not fit.

    >>> weights = np.linspace(-1, 1, 5)
    >>> ideal = Memristor()
    >>> ideal.program(weights, np.random.default_rng(1)) is weights and ideal.read is None
    True
    >>> layer = Memristor(programming_noise=0.05, read_noise=0.02)
    >>> layer.matmul(np.ones((2, 5)), weights[:, None], np.random.default_rng(1)).shape
    (2, 1)
    """

    weight_max: Real = one(1.0, "", "weight of the largest conductance", above=0)
    g_min: Real = one(0.0, "uS", "smallest conductance", at_least=0)
    g_max: Real = one(25.0, "uS", "largest conductance", above=0)
    mapping: Choice[Literal["differential", "offset"]] = Option("differential", ("differential", "offset"),
                                                                doc="devices of a weight")
    slices: Whole = one(1, "", "devices over which the bits of a weight are spread", integer=True, at_least=1,
                        at_most=32)
    slice_bits: WholeOrNone = one(None, "", "bits of each; None: 1 where slices > 1, else any conductance",
                                  integer=True, at_least=1, at_most=16, optional=True)
    programming_noise: Real = switch("error of programming")
    write_tolerance: RealOrNone = one(None, "", "error that verified writing accepts", above=0, optional=True)
    write_attempts: Whole = one(100, "", "writes at most", integer=True, at_least=1)
    relaxation: Real = switch("change after verified writing")
    read_noise: Real = switch("white noise of a read")
    flicker_noise: Real = switch("1/f noise of a read")
    flicker_time: Real = one(T_0, "s", "time over which 1/f noise has gathered", above=0)
    read_duration: Real = one(0.25, "us", "duration of a read", above=0)
    drift: Real = switch("drift exponent")
    drift_dtod: Real = switch("spread of the drift exponent")
    drift_compensation: Flag = Option(False, (False, True), doc="one factor against drift")
    conductance_dtod: Real = switch("spread of the conductance from device to device")
    stuck_on: Real = switch("share stuck at g_max", at_most=1)
    stuck_off: Real = switch("share stuck at g_min", at_most=1)
    temperature: Real = one(ROOM, "K", "temperature", above=0)
    activation_energy: Real = switch("activation energy of the conductance", "eV")
    seed: Whole = Seed("seed of the devices")

    def validate(self):
        name = type(self).__name__
        if not self.g_min < self.g_max:
            raise ParameterError(f"{name}.g_min must be < g_max = {self.g_max:g} uS, got {self.g_min:g}")
        check_shares(name, self.stuck_on, self.stuck_off)
        if self.slices > 1 and (self.read_noise or self.flicker_noise):
            raise UnsupportedError(f"{name} with slices > 1 must have no noise of single reads; use several layers, "
                                   "one for each slice")
        bits = self.slices * (self.slice_bits or 1)
        if bits > 48:
            raise ParameterError(f"{name}.slices x slice_bits must be <= 48 bits, got {bits}")
        laws = {"programming_noise": "programming_std", "read_noise": "white_std", "flicker_noise": "flicker_std"}
        warn_of_percent(name, {noise: getattr(self, noise) for noise, law in laws.items()  # others have laws in uS
                               if getattr(type(self), law) is getattr(Memristor, law) and law not in self.__dict__})
        noisy = self.read_noise or self.flicker_noise
        self.__dict__["read"] = scalar_reader(self.white_std, self.flicker_std, self.mapping) if noisy else None

    def __reduce__(self):
        return partial(type(self), **self.values()), ()  # the bodies are made again, not pickled

    def fitted(self, weights) -> "Memristor":
        """Return the same layer with weight_max at the largest size among some weights."""
        return self.replace(weight_max=float(np.abs(to_numpy(weights)).max(initial=0.0)))

    @property
    def bits(self) -> int | None:
        """Bits of each device, or None where it holds any conductance in its range."""
        return 1 if self.slice_bits is None and self.slices > 1 else self.slice_bits

    @property
    def exact(self) -> bool:
        """Whether programming changes no bit: every non-ideality of it is off."""
        off = (self.programming_noise, self.relaxation, self.conductance_dtod, self.stuck_on, self.stuck_off,
               self.activation_energy and self.temperature != ROOM)
        return not any(off) and self.bits is None

    # What a technology replaces: laws of the conductance, for numbers, arrays and tensors ---------------------------

    @staticmethod
    def programming_std(xp, g, g_max):
        """Standard deviation of the programming error at a target of g uS, where programming_noise is 1."""
        return g_max + 0 * g

    @staticmethod
    def white_std(xp, g, g_max):
        """Standard deviation of white read noise at g uS, where read_noise is 1."""
        return g

    @staticmethod
    def flicker_std(xp, g, g_max):
        """Standard deviation of 1/f noise at g uS and one e-fold of time, where flicker_noise is 1."""
        return g

    def drift_exponent(self, share, draw):
        """Return nu of devices at a share of g_max, given one standard normal number each."""
        return self.drift * (1 + self.drift_dtod * draw) + 0 * share

    def relaxation_moments(self, seconds) -> tuple[float, float]:
        """Return mean and standard deviation, uS, of the change so long after verified writing.

        -0.089 ln t and 0.412 + 0.042 ln t uS for t in s, at g_max = 90 uS, scaled here by g_max.
        """
        scale = self.g_max / 90.0
        log = np.log(max(seconds, 1.0))
        return -0.089 * log * scale, (0.412 + 0.042 * log) * scale

    # Conductances -------------------------------------------------------------------------------------------------

    def program_conductance(self, target, generator, part: int = 0) -> np.ndarray:
        """Return the conductances that devices hold after programming.

        Args:
            target: uS, any shape, within g_min .. g_max.
            generator: gives the errors.
            part: number of the device of each weight: it has errors of its own.
        """
        target = np.asarray(target, dtype=np.float64)
        self.check_range("conductances", target, self.g_min, self.g_max, "uS")
        events = _Events(generator)
        g = target
        if self.conductance_dtod:
            g = np.maximum(g * (1 + self.conductance_dtod * self._own("dtod", part, target.shape)), 0.0)
        if self.programming_noise:
            g = self._write(g, target, events.normal(f"programming {part}"))
        if self.relaxation:
            mean, std = self.relaxation_moments(1.0)
            g = np.maximum(g + self.relaxation * (mean + std * self._own("relaxation", part, target.shape)), 0.0)
        g = self._stick(g, part)
        return g * self._warmth()

    def drift_conductance(self, g, share, elapsed: float, since: float = 0.0, part: int = 0) -> np.ndarray:
        """Return conductances after some time.

        Args:
            g: uS, as they are `since` ms after programming.
            share: of g_max to which they were programmed, which decides nu.
            elapsed, since: ms.
        """
        before, after = since * 1e-3, (since + elapsed) * 1e-3
        g = np.asarray(g, dtype=np.float64)
        new = g
        if self.drift:
            nu = self.drift_exponent(share, self._own("drift", part, g.shape))
            new = new * ((after + T_0) / (before + T_0)) ** -nu
        if self.relaxation:
            (m0, s0), (m1, s1) = self.relaxation_moments(before), self.relaxation_moments(after)
            draw = self._own("relaxation", part, g.shape)
            new = np.maximum(new + self.relaxation * (m1 - m0 + (s1 - s0) * draw), 0.0)
        return np.where(self.stuck(g.shape, part) == 0, new, g)

    def read_conductance(self, g, generator, programmed=None) -> np.ndarray:
        """Return what one read of each device gives, uS, >= 0.

        Args:
            g: uS, as they are.
            generator: of the noise.
            programmed: uS, as they were after programming, which decides the share of 1/f noise; by
                default as they are.
        """
        g = np.asarray(g, dtype=np.float64)
        programmed = g if programmed is None else np.asarray(programmed, dtype=np.float64)
        white = self.read_noise * self.white_std(np, g, self.g_max)
        flicker = self.flicker_noise * self.flicker_std(np, programmed, self.g_max)
        flicker = flicker * np.where(programmed > 0, g / np.where(programmed > 0, programmed, 1.0), 0.0)
        variance = white**2 + flicker**2 * flicker_span(self.flicker_time, self.read_duration)
        return np.maximum(g + np.sqrt(variance) * _Events(generator).normal("read")(g.shape), 0.0)

    def _write(self, g, target, draw):
        std = self.programming_noise * self.programming_std(np, target, self.g_max)
        written = np.maximum(g + std * draw(g.shape), 0.0)
        if self.write_tolerance is None:
            return written
        for _ in range(self.write_attempts - 1):
            wrong = np.flatnonzero(np.abs(written - target) > self.write_tolerance * self.g_max)
            if not wrong.size:
                break
            again = np.ravel(g)[wrong] + np.broadcast_to(std, g.shape).ravel()[wrong] * draw(wrong.size)
            written.ravel()[wrong] = np.maximum(again, 0.0)
        return written

    def _own(self, what, part, shape):
        """Return standard normal numbers that belong to the devices, whenever they are asked for."""
        return _stream(self.seed, f"{what} {part}").standard_normal(shape)

    def stuck(self, shape, part: int = 0) -> np.ndarray:
        """Return +1, -1 or 0 for the devices of weights of a shape that are stuck at g_max, at g_min, or work."""
        if not (self.stuck_on or self.stuck_off):
            return np.zeros(shape, dtype=np.int8)
        return stuck_ends(_stream(self.seed, f"stuck {part}").random(shape), self.stuck_on, self.stuck_off)

    def _stick(self, g, part):
        stuck = self.stuck(g.shape, part)
        return np.where(stuck > 0, self.g_max, np.where(stuck < 0, self.g_min, g))

    def _warmth(self):
        return np.exp(-self.activation_energy / BOLTZMANN * (1 / self.temperature - 1 / ROOM))

    def check_range(self, what, values, low, high, unit):
        """Refuse values that are not finite or beyond low .. high; raise ParameterError."""
        check_range(type(self).__name__, what, values, low, high, unit)

    # Weights ------------------------------------------------------------------------------------------------------

    def shares(self, weights) -> list:
        """Return the target conductance, uS, and the weight per uS of each device of some weights."""
        return maps.shares(weights, self.mapping, self.weight_max, self.g_min, self.g_max, self.slices, self.bits)

    def held(self, weights) -> np.ndarray:
        """Return the weights that ideal devices hold: the given ones, or rounded to the levels of the slices."""
        return maps.held(weights, self.weight_max, self.mapping, self.slices, self.bits)

    def program(self, weights, generator):
        """Return the weights that the devices hold after programming; an array or a tensor, of any shape."""
        values = to_numpy(weights)
        self.check_range("weights", values, -self.weight_max, self.weight_max, "")
        if self.exact:
            return weights
        new = self.held(values)
        seed = generator.integers(2**63)
        for part, (target, gain) in enumerate(self.shares(values)):
            new = new + gain * (self.program_conductance(target, _stream(seed, "program"), part) - target)
        return like(new, as_float(weights))

    def surrogate(self, weights, generator):
        """Return the weights as programmed, as a torch tensor with the gradient of the weights themselves.

        Straight-through: a network that is trained with it learns to bear the errors of programming. Weights beyond
        weight_max are held at it, where they have no gradient. For a numpy array it is `program` of what fits.

        Args:
            weights: array or tensor, of any shape.
            generator: numpy generator of the errors, drawn anew in each call.
        """
        wanted = namespace(weights).clip(weights, -self.weight_max, self.weight_max)
        held = self.program(wanted, generator)
        return held if namespace(weights) is np else wanted + (held - wanted).detach()

    def age(self, weights, elapsed: float, since: float = 0.0):
        """Return the weights after `elapsed` ms, for devices that were programmed `since` ms before.

        The conductances are those that ideal devices would have for the weights as they are. Ageing in steps (with
        `since`) gives what one step gives, as far as nu does not depend on the conductance.
        """
        check_times(f"{type(self).__name__}.age", elapsed, since)
        if not (self.drift or self.relaxation) or elapsed == 0:
            return weights
        values = to_numpy(weights)
        new = values
        for part, (target, gain) in enumerate(self.shares(values)):
            share = np.clip(target / self.g_max, 0.0, 1.0)
            new = new + gain * (self.drift_conductance(target, share, elapsed, since, part) - target)
        if self.drift_compensation and np.abs(new).sum() > 0:
            new = new * (np.abs(values).sum() / np.abs(new).sum())
        return like(new, as_float(weights))

    # Reads --------------------------------------------------------------------------------------------------------

    def read_array(self, weights, generator):
        """Return what one read of every weight gives: the body of the compiled loop, on an array or a tensor."""
        if self.read is None:
            return weights
        return self._call(reader, weights, normals(generator, weights), normals(generator, weights))

    def matmul(self, x, weights, generator=None, moments=None):
        """Return x @ weights as the devices compute it, with fresh read noise for each row of x.

        y = x M(W) + sqrt(x^2 V(W)) n, with the mean M and the variance V of a read, at the cost of two products. These
        are mean and variance of a product in which every device is read with noise of its own for every row; so is the
        distribution, but for reads that end at 0 uS (noise of more than a quarter of a conductance): these are not
        normal, though their sum over several rows nearly is.

        Args:
            x: shape (..., rows); an array or a tensor.
            weights: as programmed, shape (rows, columns), of the same kind.
            generator: numpy or torch generator of the noise; needed where the layer has any.
            moments: `read_moments(weights)`, where they are at hand; they take longer than the product.
        """
        if self.read is None:
            return product(type(self).__name__, x, weights)
        if generator is None:
            raise ParameterError(f"{type(self).__name__}.matmul must be given a generator: the layer reads with noise")
        mean, variance = self.read_moments(weights) if moments is None else moments
        y = product(type(self).__name__, x, mean)
        return y + namespace(y).sqrt((x * x) @ variance) * normals(generator, y)

    def read_moments(self, weights):
        """Return mean and variance of one read of each weight: those of normal numbers cut off at 0 uS.

        For each device, with z = G / sigma, Q the normal tail and d = phi(z) - z Q(z), the mean is G + sigma d and the
        variance sigma^2 (1 - Q - z d - d^2).
        """
        if self.read is None:
            return weights, 0 * weights
        return self._call(moments_of, weights)

    def _call(self, make, *arrays):
        body = make(self.white_std, self.flicker_std, self.mapping, namespace(arrays[0]))
        return body(*arrays, *(getattr(self, name) for name in READ_PARAMETERS))


def check_times(owner, elapsed, since=0.0) -> None:
    """Refuse what is no time to age; raise ParameterError."""
    if not all(is_number(t) and 0 <= t < np.inf for t in (elapsed, since)):
        raise ParameterError(f"{owner} must be given elapsed and since >= 0 ms, got {describe_value(elapsed)} and "
                             f"{describe_value(since)}")


def check_range(owner, what, values, low, high, unit) -> None:
    """Refuse values that are not finite or beyond low .. high, but for rounding; raise ParameterError."""
    slack = 1e-6 * (high - low)
    good = np.isfinite(values) & (values >= low - slack) & (values <= high + slack)
    if not good.all():
        bad, unit = values[~good].ravel()[0], f" {unit}" if unit else ""
        raise ParameterError(f"{owner} must be given {what} within {low:g} .. {high:g}{unit}, got {bad:g}"
                             + ("" if unit else "; set weight_max, or use fitted(weights)"))


def _stream(seed, name) -> np.random.Generator:
    """Return a generator of its own for each name."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, zlib.crc32(name.encode())], dtype=np.uint64)))


class _Events:
    """Random numbers of what happens to devices: a stream for each kind of event."""

    def __init__(self, generator):
        self.seed = generator.integers(2**63)

    def normal(self, name):
        """Return a function that draws standard normal numbers."""
        return _stream(self.seed, name).standard_normal


__all__ = ["Memristor", "one", "switch"]
