"""Converters at the borders of an array: how many levels, over which range, and how many an exact result needs."""

import math

import numpy as np

from hardware_models.arrays import namespace
from hardware_models.memristor.equations import to_numpy
from neurosim.aliases import Real, Whole
from neurosim.checks import Parameter, Parametrised, check_whole, required
from neurosim.errors import ParameterError


def exact_adc_bits(rows: int, input_bits: int, cell_bits: int, signed: bool = False) -> int:
    """Return how many bits an ADC needs so that a column's sum loses nothing.

    ceil(log2(rows (2^input_bits - 1) (2^cell_bits - 1) + 1)); one sum of both signs has twice as many levels.

    >>> exact_adc_bits(128, 1, 1), exact_adc_bits(128, 8, 2)
    (8, 17)
    """
    for name, value in (("rows", rows), ("input_bits", input_bits), ("cell_bits", cell_bits)):
        check_whole(name, value, at_least=1)
    levels = int(rows) * (2 ** int(input_bits) - 1) * (2 ** int(cell_bits) - 1)
    return (levels * (2 if signed else 1)).bit_length()


class Converter(Parametrised, kw_only=False):
    """A DAC or an ADC: values are clipped to a range and rounded to 2^bits levels, both ends included.

    Args:
        bits: 1 to 32.
        low, high: the range, low < high.

    >>> Converter(2, low=0.0, high=3.0)(np.array([-1.0, 0.4, 1.6, 9.0]))
    array([0., 0., 2., 3.])
    """

    positional = 1
    bits: Whole = required(Parameter(doc="number of bits", integer=True, at_least=1, at_most=32, per_element=False))
    low: Real = Parameter(-1.0, doc="lower end of the range", per_element=False)
    high: Real = Parameter(1.0, doc="upper end of the range", per_element=False)

    def validate(self):
        if not self.low < self.high:
            raise ParameterError(f"Converter.low must be < high, got a range from {self.low:g} to {self.high:g}")

    @classmethod
    def calibrated(cls, bits: int, values, share: float = 1.0) -> "Converter":
        """Return a converter whose range holds a share of the sizes of some values, the same on both sides of 0.

        Where no value is negative the range begins at 0.
        """
        values = to_numpy(values)
        if not values.size or not np.isfinite(values).all():
            raise ParameterError("Converter.calibrated must be given finite values, at least one")
        if not 0 < share <= 1:
            raise ParameterError(f"Converter.calibrated must be given a share > 0 and <= 1, got {share!r}")
        top = float(np.quantile(np.abs(values), share))
        if top == 0:
            raise ParameterError("Converter.calibrated must be given values that are not all 0: the range would be "
                                 "zero")
        return cls(bits, low=-top if values.min() < 0 else 0.0, high=top)

    @property
    def step(self) -> float:
        """Distance of two levels."""
        return (self.high - self.low) / (2**self.bits - 1)

    def __call__(self, x):
        """Return an array or tensor as converted."""
        xp = namespace(x)
        return self.low + xp.round((xp.clip(x, self.low, self.high) - self.low) / self.step) * self.step

    @property
    def rms_error(self) -> float:
        """Root mean square of the rounding error inside the range, step / sqrt(12)."""
        return self.step / math.sqrt(12)


__all__ = ["Converter", "exact_adc_bits"]
