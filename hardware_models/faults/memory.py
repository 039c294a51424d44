"""Faults of what holds the weights: flipped bits and stuck devices, and how they are put into layers."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hardware_models.arrays import as_float, like, namespace
from hardware_models.faults.formats import FormatChoice, parse
from hardware_models.memristor.device import Memristor, check_range
from hardware_models.stuck import check_shares
from neurosim.aliases import Choice, Real, RealOrNone
from neurosim.checks import Option, Parameter
from neurosim.contracts.device import Device
from neurosim.errors import ParameterError

STREAM = 0x666C7400


def _one(default, unit="", **more):
    return Parameter(default, unit, per_element=False, **more)


@dataclass(frozen=True)
class Faulty:
    """An array with faults in it.

    Args:
        values: the array, of the kind, shape and float type that was given.
        faults: how many bits flipped or devices are stuck.
        not_finite: how many values are infinite or undefined now.
    """

    values: object
    faults: int
    not_finite: int


def _to_numpy(values: Any) -> np.ndarray:
    values = as_float(values)
    return values if namespace(values) is np else values.detach().cpu().numpy()


class BitFlips(Device):
    r"""Bits of the stored weights flip, each with the same probability, independently of the others.

    flips = Binomial(weights x bits, rate),  at different places, all equally likely

    Weights are first rounded to the format, as they lie in memory; a weight that does not fit is refused. What comes
    back has the float type that was given: float32 holds a word of more than 24 bits rounded to 24. With rate = 0
    and the default format nothing is touched. In float32 a flip in the exponent can make a weight huge, infinite or
    undefined: `apply` returns such values and counts them, and so does an `EchoState` that wears this. In a
    projection they end a run unless it is told to record them (`allow_infinite=True`); `infinite="zero"` makes them 0.

    >>> flips = BitFlips(rate=0.01, format="Q15.16")
    >>> found = flips.apply(np.zeros(1000), np.random.default_rng(1))
    >>> found.faults, int(np.count_nonzero(found.values)), found.not_finite
    (325, 272, 0)

    Source: the fault model of Mousavi and others, arXiv 2406.06313, but with a binomial number of flips,
    which small layers need, and without flipping a bit twice.
    """

    rate: Real = _one(0.0, at_least=0, at_most=1, doc="probability that a bit is flipped, the bit error rate")
    format: Choice[str] = FormatChoice("float32", doc="how weights lie in memory")
    infinite: Choice[Literal["keep", "zero"]] = Option("keep", ("keep", "zero"),
                                                       doc="what becomes of weights that are not finite any more")

    @property
    def may_be_infinite(self) -> bool:
        """Whether weights that are programmed may be infinite or undefined."""
        return self.infinite == "keep" and self.format == "float32" and self.rate > 0

    def apply(self, weights, generator: np.random.Generator) -> Faulty:
        """Return an array or tensor of weights after flips.

        Args:
            weights: numbers of any shape; they are not changed.
            generator: where the flips are drawn from.

        Raises:
            ParameterError: if a weight does not fit the format.
        """
        if self.rate == 0 and self.format == "float32":
            return Faulty(weights, 0, int(np.sum(~np.isfinite(_to_numpy(weights)))))
        plain = _to_numpy(weights)
        form: Any = parse(self.format)  # which `check` has found to be one
        words, scale = form.encode(plain.ravel())
        flips = _flip(words, form.bits, self.rate, generator)
        values = form.decode(words, scale).reshape(plain.shape)
        bad = ~np.isfinite(values)
        if self.infinite == "zero":
            values = np.where(bad, 0.0, values)
        with np.errstate(invalid="ignore"):  # what is undefined stays so in another float type
            return Faulty(like(values, as_float(weights)), flips, int(bad.sum()))

    def program(self, weights, generator):
        """Return the weights after flips, for a projection."""
        return self.apply(weights, generator).values


def _flip(words, bits, rate, generator) -> int:
    """Flip each bit of words in place with a probability; return how many.

    The gaps between flipped bits are geometric, so that the number of flips is binomial and no bit is drawn twice.
    """
    size = words.size * bits
    places, last = [np.empty(0, dtype=np.int64)], -1
    while rate and last < size:
        many = int(1.1 * (size - last) * rate) + 100
        places.append(last + np.cumsum(np.minimum(generator.geometric(rate, many), size + 1)))
        last = places[-1][-1]
    places = np.concatenate(places)
    places = places[places < size]
    np.bitwise_xor.at(words, places // bits, np.uint64(1) << (places % bits).astype(np.uint64))
    return places.size


class StuckAt(Device):
    r"""Devices of an array that are stuck at one end of their range, whatever is programmed.

    G = g_max where u < on,  g_min where u >= 1 - off,  u uniform in [0, 1)

    One draw decides, so that no device is stuck at both ends. OFF is the high-resistance state (SA0), ON the low one
    (SA1). As the device layer of a projection, each weight is a pair of devices,
    w = w_max (G+ - G-) / (g_max - g_min), the one of the other sign at g_min.

    This is an otherwise ideal `hardware_models.memristor.Memristor` with `stuck_on` and `stuck_off`, whose devices are
    others in every trial; use that one for faults that belong to the devices, and together with what else they do.

    >>> stuck = StuckAt(off=0.1, on=0.02, g_min=1.0, g_max=100.0)
    >>> found = stuck.apply(np.full(10_000, 50.0), np.random.default_rng(0))
    >>> found.faults, [int(n) for n in np.unique(found.values, return_counts=True)[1]]
    (1222, [1027, 8778, 195])

    Source: the partition of one draw follows MemIntelli; for rates see Chen and others, IEEE Transactions on Computers
    64 (2015) 180: about a tenth of the devices of a chip, as other papers quote it (9.04 % OFF and 1.75 % ON are from
    memory).
    """

    off: Real = _one(0.0, at_least=0, at_most=1, doc="share of devices stuck at g_min")
    on: Real = _one(0.0, at_least=0, at_most=1, doc="share of devices stuck at g_max")
    g_min: Real = _one(0.0, "uS", at_least=0, doc="least conductance")
    g_max: Real = _one(150.0, "uS", above=0, doc="largest conductance")
    w_max: RealOrNone = _one(None, above=0, optional=True,
                             doc="weight of a pair at its end; by default the largest |weight|")

    def validate(self):
        check_shares("StuckAt", self.on, self.off, ("on", "off"))
        if self.g_min >= self.g_max:
            raise ParameterError(f"StuckAt.g_min must be < g_max = {self.g_max:g} uS, got {self.g_min:g}")

    def apply(self, conductances, generator: np.random.Generator) -> Faulty:
        """Return an array or tensor of conductances in uS with stuck devices.

        Args:
            conductances: of any shape, from g_min to g_max; they are not changed.
            generator: where the stuck devices are drawn from.

        Raises:
            ParameterError: if a conductance is out of range.
        """
        plain = _to_numpy(conductances)
        check_range("StuckAt", "conductances", plain, self.g_min, self.g_max, "uS")
        if self.off == 0 and self.on == 0:
            return Faulty(conductances, 0, 0)
        devices = self._devices(generator)
        values = devices.program_conductance(plain, generator)
        return Faulty(like(values, as_float(conductances)), int(np.count_nonzero(devices.stuck(plain.shape))), 0)

    def program(self, weights, generator):
        """Return the weights that pairs of devices hold, some of them stuck."""
        if self.off == 0 and self.on == 0:
            return weights
        most = np.abs(_to_numpy(weights)).max(initial=0.0)
        w_max = self.w_max or most or 1.0
        if not most <= w_max < np.inf:
            raise ParameterError(f"StuckAt.w_max must be >= every |weight|, got {w_max:g} and a weight of {most:g}")
        return self._devices(generator, w_max).program(weights, generator)

    def _devices(self, generator, w_max=1.0):
        return Memristor(weight_max=w_max, g_min=self.g_min, g_max=self.g_max, stuck_on=self.on, stuck_off=self.off,
                         seed=int(generator.integers(2**53)))


def inject(layers: dict, faults, *, seed: int = 0, trial: int = 0) -> dict:
    """Return the layers of a network with faults in them, as `Faulty` by name.

    A layer's faults follow from (seed, trial, its place in the dictionary) alone: the rate of one layer does not change
    what happens to another.

    Args:
        layers: arrays or tensors by name.
        faults: one `BitFlips` or `StuckAt` for all layers, or a dictionary of them by name; a layer that is not in it
            stays as it is.
        seed: of all faults, 0 <= seed < 2^64.
        trial: which repetition it is, 0 <= trial < 2^32.

    Raises:
        ParameterError: if a name is unknown, or a layer does not fit its fault.

    >>> layers = {"hidden": np.ones((64, 32)), "output": np.ones((32, 10))}
    >>> found = inject(layers, {"hidden": BitFlips(rate=1e-3)}, trial=3)
    >>> {name: each.faults for name, each in found.items()}
    {'hidden': 50, 'output': 0}
    """
    from neurosim.encoders.base import generator  # its package loads Numba, which a description does without

    by_name = faults if isinstance(faults, dict) else dict.fromkeys(layers, faults)
    unknown = [name for name in by_name if name not in layers]
    if unknown:
        raise ParameterError(f"inject: faults must be for layers among {', '.join(map(str, layers))}, "
                             f"got {unknown[0]!r}")
    found = {}
    for place, (name, values) in enumerate(layers.items()):
        draws = generator("inject", STREAM + place, seed, trial)
        found[name] = by_name[name].apply(values, draws) if name in by_name else Faulty(values, 0, 0)
    return found


def knee(rates, accuracies, clean: float, chance: float) -> float:
    """Return the fault rate at which accuracy is half-way between clean and chance, inf if it never falls so low.

    Interpolated linearly in log(rate) at the first crossing. Below the first rate it is that rate: give lower ones.

    Args:
        rates: fault rates > 0, ascending.
        accuracies: mean accuracy at each.
        clean: accuracy without faults.
        chance: accuracy of guessing, < clean.

    Raises:
        ParameterError: if the numbers do not fit.

    >>> round(knee([1e-5, 1e-4, 1e-3], [0.9, 0.7, 0.3], clean=0.9, chance=0.1), 6)
    0.000316
    """
    rates, accuracies = np.asarray(rates, dtype=float), np.asarray(accuracies, dtype=float)
    if rates.ndim != 1 or rates.shape != accuracies.shape or not (rates > 0).all() or not (
            np.diff(rates) > 0).all() or not np.isfinite(accuracies).all():
        raise ParameterError("knee: rates must be numbers > 0 in ascending order, with one accuracy each")
    if not chance < clean:
        raise ParameterError(f"knee: chance must be < clean = {clean:g}, got {chance:g}")
    half = 0.5 * (clean + chance)
    below = np.flatnonzero(accuracies < half)
    if not below.size:
        return float("inf")
    k = int(below[0])
    if k == 0:
        return float(rates[0])
    part = (accuracies[k - 1] - half) / (accuracies[k - 1] - accuracies[k])
    return float(np.exp(np.log(rates[k - 1]) + part * np.log(rates[k] / rates[k - 1])))
