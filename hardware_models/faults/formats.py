"""How a number lies in memory, bit by bit: IEEE float32, fixed point Qm.n, and scaled integers."""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from neurosim.checks import Option, describe_value
from neurosim.errors import ParameterError


@dataclass(frozen=True)
class Float32:
    """IEEE 754 single precision; rounds to nearest."""

    bits: int = 32

    def encode(self, weights: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the words of the weights, and the scale with which to decode them."""
        with np.errstate(over="ignore"):
            narrow = weights.astype(np.float32)
        if np.isfinite(narrow).all():
            return narrow.view(np.uint32).astype(np.uint64), 1.0
        raise ParameterError(f"weights must be finite in float32, got {weights[~np.isfinite(narrow)][0]:g}")

    def decode(self, words: np.ndarray, scale: float) -> np.ndarray:
        """Return the numbers that the words stand for; they may be infinite or undefined."""
        return words.astype(np.uint32).view(np.float32)


@dataclass(frozen=True)
class TwosComplement:
    """Whole numbers of `bits` bits times 2^-fraction, or times a scale that the weights decide.

    Args:
        bits: of a word, the sign included.
        fraction: bits after the point; None stands for the scale max |w| / (2^(bits - 1) - 1).
    """

    bits: int
    fraction: int | None = None

    def encode(self, weights: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the words of the weights, and the scale with which to decode them."""
        if not np.isfinite(weights).all():
            raise ParameterError(f"weights must be finite, got {weights[~np.isfinite(weights)][0]}")
        top = 2 ** (self.bits - 1) - 1
        scale = (np.abs(weights).max(initial=0.0) / top or 1.0) if self.fraction is None else 2.0**-self.fraction
        numbers = np.rint(weights.astype(np.float64) / scale)
        outside = (numbers > top) | (numbers < -top - 1)
        if outside.any():
            raise ParameterError(f"weights must fit {self}, {(-top - 1) * scale:g} to {top * scale:g}, "
                                 f"got {weights[outside][0]:g}; use more bits before the point or scale them")
        return numbers.astype(np.int64).view(np.uint64) & np.uint64(2**self.bits - 1), scale

    def decode(self, words: np.ndarray, scale: float) -> np.ndarray:
        """Return the numbers that the words stand for."""
        spare = np.uint64(64 - self.bits)
        return ((words << spare).view(np.int64) >> np.int64(spare)).astype(np.float64) * scale

    def __str__(self):
        return f"int{self.bits}" if self.fraction is None else f"Q{self.bits - 1 - self.fraction}.{self.fraction}"


FORMS = "'float32', 'int8' (int2 to int32), or 'Qm.n' with m bits before and n after the point, m + n from 1 to 31"


@cache
def parse(text: str):
    """Return the format that a text names, or None.

    >>> parse("Q15.16").bits, parse("int8").bits, parse("Q40.2")
    (32, 8, None)
    """
    if text == "float32":
        return Float32()
    if whole := re.fullmatch(r"int(\d{1,2})", text):
        bits = int(whole[1])
        return TwosComplement(bits) if 2 <= bits <= 32 else None
    if fixed := re.fullmatch(r"Q(\d{1,2})\.(\d{1,2})", text):
        m, n = int(fixed[1]), int(fixed[2])
        return TwosComplement(1 + m + n, n) if 1 <= m + n <= 31 else None
    return None


class FormatChoice(Option):
    """A parameter that names a number format."""

    def __init__(self, default, *, doc=""):
        super().__init__(default, ("float32", "int8", "Qm.n"), doc=doc)

    def check(self, owner, value):
        """Return the name of the format; raise ParameterError."""
        if isinstance(value, str) and parse(value) is not None:
            return value
        raise ParameterError(f"{owner}.{self.name} must be {FORMS}, got {describe_value(value)}")
