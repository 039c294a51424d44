"""Spaces: which values a sweep tries. Each is a list of points, and a point is a dict of values by name."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import numpy as np

from neurosim.checks import check_is, check_seed, describe_value
from neurosim.errors import ParameterError
from neurosim.sweep.encoding import encode, key

RESERVED = ("seed", "trial", "error")  #: names that a sweep gives itself


class Space:
    """Base of the spaces: the points, in order."""

    points: list[dict[str, Any]]
    highest: list[str] = []  #: results of which more is better, where a space knows
    lowest: list[str] = []

    @property
    def names(self) -> list[str]:
        """Names of the parameters."""
        return list(self.points[0])

    def content(self) -> dict[str, Any]:
        """Return what tells this space from another one, as a sweep writes it down."""
        return {"points": encode(self.points)}

    def explore(self, work: Callable, history: Iterable[dict], note: Callable[[dict], None]) -> list[dict[str, Any]]:
        """Have the calls made at all points, and return these; `Study` chooses them on the way."""
        work(self.points)
        return self.points

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self):
        names = ", ".join(self.points[0]) if self.points else "nothing"
        return f"<{type(self).__name__}: {len(self)} points of {names}>"


class Range:
    """An interval that is drawn from.

    x = low + u (high - low), or log x = log low + u (log high - log low), with 0 <= u < 1

    Args:
        low, high: its ends, low < high; with `whole` both ends are drawn.
        log: whether equal ratios are equally likely, which needs low > 0.
        whole: whether only whole numbers are drawn.

    Raises:
        ParameterError: an end does not fit.

    >>> round(Range(1.0, 100.0, log=True).at(0.5), 12)
    10.0
    """

    def __init__(self, low: float, high: float, *, log: bool = False, whole: bool = False):
        for name, end in (("low", low), ("high", high)):
            if isinstance(end, bool) or not isinstance(end, (int, float, np.number)) or not math.isfinite(end):
                raise ParameterError(f"Range.{name} must be a finite number, got {describe_value(end)}")
            if whole and end != int(end):
                raise ParameterError(f"Range.{name} must be a whole number where whole=True, got {describe_value(end)}")
        if not low < high:
            raise ParameterError(f"Range.low must be less than Range.high, got {low:g} and {high:g}")
        if log and low <= 0:
            raise ParameterError(f"Range.low must be > 0 where log=True, got {low:g}")
        self.low, self.high, self.log, self.whole = low, high, log, whole

    def __repr__(self):
        flags = ", log=True" * self.log + ", whole=True" * self.whole
        return f"Range({self.low!r}, {self.high!r}{flags})"

    def at(self, u: float) -> float | int:
        """Return the value at a share 0 <= u < 1 of the interval."""
        low, high = float(self.low), float(self.high) + self.whole
        x = math.exp(math.log(low) + u * math.log(high / low)) if self.log else low + u * (high - low)
        if self.whole:
            return min(max(math.floor(x), int(self.low)), int(self.high))
        return min(max(x, low), high)


class Grid(Space):
    """All combinations of values.

    Args:
        values: name -> its values; the last name changes fastest.

    Raises:
        ParameterError: there are no values, two that are equal, or one that cannot be saved.

    >>> Grid(bits=[4, 8], noise=[0.0, 0.1]).points[1]
    {'bits': 4, 'noise': 0.1}
    """

    def __init__(self, **values: Iterable[Any]):
        given = {name: _values(name, each) for name, each in _named("Grid", values).items()}
        self.points = [dict(zip(given, each, strict=True)) for each in itertools.product(*given.values())]


class Points(Space):
    """Points that are given one by one.

    Args:
        points: dicts of values, all with the same names.

    Raises:
        ParameterError: there are no points, two that are equal, other names in one of them, or a value that cannot be
            saved.

    >>> len(Points([{"bits": 4, "noise": 0.1}, {"bits": 8, "noise": 0.0}]))
    2
    """

    def __init__(self, points: Iterable[Mapping[str, Any]]):
        check_is("Points.points", points, Iterable, "dicts of values, one for each point")
        found = list(points)
        if not found:
            raise ParameterError("Points.points must hold one point at least, got none")
        for point in found:
            if not isinstance(point, Mapping) or set(point) != set(found[0]):
                raise ParameterError("Points.points must be dicts with the same names, got "
                                     f"{describe_value(found[0])} and {describe_value(point)}")
        _named("Points", found[0])
        names = list(found[0])
        self.points = [{name: _saved(name, point[name]) for name in names} for point in found]
        _all_differ("Points.points", self.points)


class Random(Space):
    """Independent random points.

    Args:
        n: how many, >= 1; a point that is drawn twice is tried once.
        seed: of the draws.
        values: name -> a `Range`, or a list of values that are equally likely.

    Raises:
        ParameterError: an argument does not fit.

    >>> len(Random(10, seed=1, noise=Range(1e-3, 1.0, log=True), bits=[4, 6, 8]))
    10
    """

    def __init__(self, n: int, /, *, seed: int = 0, **values: Any):
        ranges = values_by_name("Random", n, values)
        seed = check_seed("Random.seed", seed)
        # one generator for each name, so that another name leaves these values as they are
        columns = [np.random.default_rng([seed, *name.encode()]).random(n) for name in ranges]
        self.points = _points(ranges, np.array(columns).T)


class QuasiRandom(Space):
    """Points of a sequence of low discrepancy, which fill a space more evenly than random ones.

    Args:
        n: how many, >= 1; a point that comes twice is tried once. Sobol points are balanced where n is a power of two.
        method: "sobol", "halton" or "latin" (a Latin hypercube); all are scrambled.
        seed: of the scrambling.
        values: name -> a `Range`, or a list of values that are equally likely.

    Raises:
        ParameterError: an argument does not fit.

    Source: `scipy.stats.qmc`.

    >>> sorted(point["bits"] for point in QuasiRandom(4, bits=[2, 4, 6, 8], noise=Range(0, 1)).points)
    [2, 4, 6, 8]
    """

    def __init__(self, n: int, /, *, method: Literal["sobol", "halton", "latin"] = "sobol", seed: int = 0,
                 **values: Any):
        ranges = values_by_name("QuasiRandom", n, values)
        if method not in ("sobol", "halton", "latin"):
            raise ParameterError("QuasiRandom.method must be 'sobol', 'halton' or 'latin', got "
                                 f"{describe_value(method)}")
        seed = check_seed("QuasiRandom.seed", seed)
        from scipy.stats import qmc

        kind = {"sobol": qmc.Sobol, "halton": qmc.Halton, "latin": qmc.LatinHypercube}[method]
        sampler = kind(len(ranges), seed=np.random.default_rng(seed))
        drawn = sampler.random_base2(math.ceil(math.log2(n)))[:n] if method == "sobol" else sampler.random(n)
        self.points = _points(ranges, drawn)


def as_space(space) -> Space:
    """Return a space; a dict of lists is a `Grid`."""
    if isinstance(space, Space):
        return space
    if isinstance(space, Mapping):
        if not all(isinstance(name, str) for name in space):
            raise ParameterError(f"sweep.space must have names as keys, got {describe_value(space)}")
        return Grid(**space)
    raise ParameterError("sweep.space must be a Grid, Random, QuasiRandom, Points or Study, or a dict of lists, got "
                         f"{describe_value(space)}")


def values_by_name(owner: str, n: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ranges and lists that n points are drawn from, checked."""
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ParameterError(f"{owner}.n must be a whole number >= 1, got {describe_value(n)}")
    return {name: each if isinstance(each, Range) else _values(name, each)
            for name, each in _named(owner, values).items()}


def _points(ranges, shares) -> list:
    """Return the points at shares of the ranges, each of them once."""
    found = {}
    for row in shares.tolist():
        point = {name: each.at(u) if isinstance(each, Range) else each[int(u * len(each))]
                 for (name, each), u in zip(ranges.items(), row, strict=True)}
        found.setdefault(key(point, 0), point)
    return list(found.values())


def _named(owner, values) -> Mapping:
    if not values:
        raise ParameterError(f"{owner} must have one parameter at least, as in noise=[0.0, 0.1], got none")
    taken = [name for name in values if name in RESERVED]
    if taken:
        raise ParameterError(f"{owner}.{taken[0]} must have another name: a sweep gives {', '.join(RESERVED)} itself")
    return values


def _values(name, values) -> list:
    if isinstance(values, (str, bytes, Mapping, Range)) or not isinstance(values, Iterable):
        raise ParameterError(f"the values of {name} must be a list, got {describe_value(values)}")
    found = [_saved(name, value) for value in values]
    if not found:
        raise ParameterError(f"the values of {name} must be one at least, got none")
    _all_differ(f"the values of {name}", found)
    return found


def _saved(name, value):
    """Return a value as it will be read again, so that a function sees the same after an interruption."""
    try:
        encode(value)
    except ParameterError:
        raise ParameterError(f"the values of {name} must be numbers, text, True, False, None or arrays, lists, tuples "
                             f"and dicts of these, got {describe_value(value)}; give a name and make the object in "
                             "the function") from None
    return value.item() if isinstance(value, np.generic) else value


def _all_differ(what, values):
    seen = set()
    for value in values:
        text = encode(value)
        if text in seen:
            raise ParameterError(f"{what} must differ, got {describe_value(value)} twice")
        seen.add(text)
