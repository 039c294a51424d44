"""Distributions of parameters, initial states, weights and delays.

A distribution is described here and drawn when a network is laid out. Each is an inverse cumulative
distribution function of one uniform number, so that a bounded one is drawn exactly in one step:
`bounds="redraw"` gives the distribution of "draw again until inside", `bounds="clip"` moves what is
outside onto the bound. Where all that is inside lies in the upper half, the uniform number counts the probability from
above, since the numbers just below 1 have few digits.
"""

import math
from typing import Any, ClassVar, Literal

import numpy as np

from neurosim.aliases import Choice, Real, RealOrNone, Whole
from neurosim.checks import Option, Parameter, Parametrised, Samples, required
from neurosim.errors import ParameterError
from neurosim.maths import log


def _limit(doc):
    return Parameter(None, doc=doc, optional=True, per_element=False)


def normal_quantile(u):
    """Return the standard normal quantile of 0 < u < 1, to a relative error of about 1e-16.

    Source: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988) 477-484.
    """
    q = u - 0.5
    r = math.sqrt(-log(min(u, 1.0 - u)))
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        num = (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                   + 45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r
                + 133.14166789178437745) * r + 3.387132872796366608)
        den = (((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                   + 21213.794301586595867) * r + 5394.1960214247511077) * r + 687.1870074920579083) * r
                + 42.313330701600911252) * r + 1.0)
        num = abs(q) * num
    elif r <= 5.0:
        r -= 1.6
        num = (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                   + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r
                + 4.6303378461565452959) * r + 1.42343711074968357734)
        den = (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                   + 0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r
                + 2.05319162663775882187) * r + 1.0)
    else:
        r -= 5.0
        num = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                   + 0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r
                + 5.4637849111641143699) * r + 6.6579046435011037772)
        den = (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                   + 7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
                + 0.59983220655588793769) * r + 1.0)
    return math.copysign(num / den, q)  # one way out and one division: a loop over u vectorises


def normal_probability(z: float) -> float:
    """Return the standard normal cumulative distribution at z."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


class Distribution(Parametrised, Samples):
    """Base of the distributions: two shape parameters, optional bounds and what to do at them.

    A subclass gives `quantile(u, a, b)`, a scalar body, and `probability(x)`, its inverse; `shape`
    names the two parameters that the body receives. One whose upper tail has no end also gives `upper(u, a, b)`,
    a scalar body, and `survival(x)`, the same with the probability counted from above.
    """

    shape: ClassVar[tuple[str, str]] = ("", "")
    low: RealOrNone = _limit("lower bound")
    high: RealOrNone = _limit("upper bound")
    bounds: Choice[Literal["clip", "redraw"]] = Option(
        "clip", ("clip", "redraw"), doc="whether draws outside are moved to the bound or drawn again")
    integer = False
    quantile: ClassVar[Any] = None
    upper: ClassVar[Any] = None

    def validate(self):
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ParameterError(f"{type(self).__name__}.low must be <= high = {self.high:g}, got {self.low:g}")
        first, last = self.uniform_range()
        if self.bounds == "redraw" and not last - first > 1e-12 * last:
            raise ParameterError(
                f"{type(self).__name__} with bounds='redraw' must have some probability between low and high; "
                f"[{self.low}, {self.high}] has none")

    def shape_values(self) -> tuple[float, float]:
        """Return the two numbers that `quantile` takes after u."""
        first, second = (float(getattr(self, name)) if name else 0.0 for name in self.shape)
        return first, second

    @property
    def from_above(self) -> bool:
        """Whether u counts the probability from above: all that is inside the bounds lies in an upper tail."""
        return self.bounds == "redraw" and self.upper is not None and self.low is not None and (
            self.probability(self.low) >= 0.5)

    @property
    def body(self):
        """The scalar body that turns u into a draw."""
        return type(self).upper if self.from_above else type(self).quantile

    def uniform_range(self) -> tuple[float, float]:
        """Return the range of u that is drawn: narrowed to the bounds where these redraw."""
        if self.bounds == "clip":
            return 0.0, 1.0
        if self.from_above and self.low is not None:
            return 0.0 if self.high is None else self.survival(self.high), self.survival(self.low)
        first = 0.0 if self.low is None else self.probability(self.low)
        last = 1.0 if self.high is None else self.probability(self.high)
        return first, last

    def clip_range(self) -> tuple[float, float]:
        """Return the bounds as numbers, infinite where there is none."""
        return (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)

    def at(self, share: float) -> float:
        """Return the value below which a share of the draws lies."""
        first, last = self.uniform_range()
        low, high = self.clip_range()
        return min(max(type(self).quantile(first + (last - first) * share, *self.shape_values()), low), high)

    def numbers(self) -> np.ndarray:
        """Return the six numbers that `draw` takes: shape, range of u, bounds."""
        return np.array([*self.shape_values(), *self.uniform_range(), *self.clip_range()])

    def ends(self) -> tuple[float, float]:
        """Return the least and the largest number that a draw can give; they may be infinite.

        >>> [round(end, 3) for end in Normal(1.0, 0.1, high=1.5).ends()]
        [0.179, 1.5]
        """
        a, b, first, last, low, high = self.numbers().tolist()
        found = []
        for share in (2.0**-53, 1.0 - 2.0**-53):
            u = min(first + (last - first) * share, 1.0 - 2.0**-53)
            try:
                found.append(float(self.body(u, a, b)))
            except OverflowError:  # Python's exp; the compiled one is infinite
                found.append(math.inf)
        return min(max(min(found), low), high), min(max(max(found), low), high)

    def probability(self, x: float) -> float:
        """Return the probability of a draw below x."""
        raise NotImplementedError

    def survival(self, x: float) -> float:
        """Return the probability of a draw above x."""
        return 1.0 - self.probability(x)

    def __str__(self):
        shape = ", ".join(f"{getattr(self, name):g}" for name in self.shape if name)
        bounds = "" if self.low is None and self.high is None else (
            f", {self.bounds} to [{'-inf' if self.low is None else f'{self.low:g}'}, "
            f"{'inf' if self.high is None else f'{self.high:g}'}]")
        return f"{type(self).__name__}({shape}{bounds})"


def _own(doc, **bounds):
    return Parameter(doc=doc, per_element=False, **bounds)


class Normal(Distribution, kw_only=False):
    """Normal distribution.

    >>> Normal(0.1, 0.01, low=0.0, bounds="redraw")
    Normal(mean=0.1, std=0.01, low=0.0, bounds='redraw')
    """

    positional = 2
    shape = ("mean", "std")
    mean: Real = required(_own("mean"))
    std: Real = required(_own("standard deviation", at_least=0))

    @staticmethod
    def quantile(u, mean, std):
        """Scalar body: the value below which a share u of the draws lies."""
        return mean + std * normal_quantile(u)

    @staticmethod
    def upper(u, mean, std):
        """Scalar body: the value above which a share u of the draws lies."""
        return mean - std * normal_quantile(u)

    def probability(self, x):
        if self.std == 0:
            return float(x >= self.mean)
        return normal_probability((x - self.mean) / self.std)

    def survival(self, x):
        return 0.0 if self.std == 0 else normal_probability((self.mean - x) / self.std)


class Uniform(Distribution, kw_only=False):
    """Uniform distribution between two values.

    >>> Uniform(-65.0, -50.0)
    Uniform(first=-65.0, last=-50.0)
    """

    positional = 2
    shape = ("first", "last")
    first: Real = required(_own("smallest value"))
    last: Real = required(_own("largest value"))

    def validate(self):
        if self.first > self.last:
            raise ParameterError(f"Uniform.first must be <= last = {self.last:g}, got {self.first:g}")
        super().validate()

    @staticmethod
    def quantile(u, first, last):
        """Scalar body: the value below which a share u of the draws lies."""
        return first + (last - first) * u

    def probability(self, x):
        if self.first == self.last:
            return float(x >= self.first)
        return min(1.0, max(0.0, (x - self.first) / (self.last - self.first)))


class Integers(Distribution, kw_only=False):
    """Whole numbers from first to last, both included, each equally likely.

    >>> Integers(1, 20)
    Integers(first=1, last=20)
    """

    positional = 2
    shape = ("first", "last")
    first: Whole = required(_own("smallest value", integer=True))
    last: Whole = required(_own("largest value", integer=True))

    @staticmethod
    def quantile(u, first, last):
        """Scalar body: the value below which a share u of the draws lies."""
        return min(first + math.floor((last - first + 1.0) * u), last)

    def validate(self):
        if self.first > self.last:
            raise ParameterError(f"Integers.first must be <= last = {self.last}, got {self.first}")
        if self.bounds == "redraw":
            raise ParameterError("Integers.bounds must be 'clip': choose first and last inside the bounds instead")
        super().validate()

    def probability(self, x):
        return min(1.0, max(0.0, (math.floor(x) - self.first + 1) / (self.last - self.first + 1)))


class LogNormal(Distribution, kw_only=False):
    """Log-normal distribution: exp of a normal one with mean mu and standard deviation sigma.

    >>> LogNormal(0.0, 1.0)
    LogNormal(mu=0.0, sigma=1.0)
    """

    positional = 2
    shape = ("mu", "sigma")
    mu: Real = required(_own("mean of the logarithm"))
    sigma: Real = required(_own("standard deviation of the logarithm", at_least=0))

    @staticmethod
    def quantile(u, mu, sigma):
        """Scalar body: the value below which a share u of the draws lies."""
        return math.exp(mu + sigma * normal_quantile(u))

    @staticmethod
    def upper(u, mu, sigma):
        """Scalar body: the value above which a share u of the draws lies."""
        return math.exp(mu - sigma * normal_quantile(u))

    def survival(self, x):
        return 0.0 if self.sigma == 0 else normal_probability((self.mu - math.log(x)) / self.sigma)

    def probability(self, x):
        if x <= 0:
            return 0.0
        if self.sigma == 0:
            return float(math.log(x) >= self.mu)
        return normal_probability((math.log(x) - self.mu) / self.sigma)


class Exponential(Distribution, kw_only=False):
    """Exponential distribution with the given mean.

    >>> Exponential(5.0)
    Exponential(mean=5.0)
    """

    positional = 1
    shape = ("mean", "")
    mean: Real = required(_own("mean", above=0))

    @staticmethod
    def quantile(u, mean, unused):
        """Scalar body: the value below which a share u of the draws lies."""
        return -mean * math.log1p(-u)

    @staticmethod
    def upper(u, mean, unused):
        """Scalar body: the value above which a share u of the draws lies."""
        return -mean * math.log(u)

    def probability(self, x):
        return max(0.0, -math.expm1(-x / self.mean))

    def survival(self, x):
        return min(1.0, math.exp(-x / self.mean))
