"""Elementary functions that vectorise without `fastmath`, for compiled loops.

exp: Cody-Waite reduction x = k ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r, and 2^k put into
the exponent bits. log: x = 2^k m with m between sqrt(1/2) and sqrt(2), and log m = 2 artanh((m - 1) / (m + 1)).
Source of the methods: Cody and Waite, Software Manual for the Elementary
Functions, 1980; the coefficients are those of the Taylor series, enough terms for each width.
"""

import numpy as np
from numba import types
from numba.extending import overload

from neurosim.engine.intrinsics import bits_to_float32, bits_to_float64, float64_to_bits

_F = np.float32


def exp(x):
    """Return e to the power x, for a float32 or a float64."""
    return np.exp(x)


def exp32(x):
    """Return exp(x) in float32."""
    x = min(max(x, _F(-87.0)), _F(88.0))
    k = np.floor(x * _F(1.4426950408889634) + _F(0.5))
    r = (x - k * _F(0.693359375)) + k * _F(2.12194440e-4)
    p = _F(1.0) + r * (_F(1.0) + r * (_F(0.5) + r * (_F(1 / 6) + r * (_F(1 / 24) + r * (
        _F(1 / 120) + r * (_F(1 / 720) + r * _F(1 / 5040)))))))
    return p * bits_to_float32((np.int32(k) + np.int32(127)) << np.int32(23))


def exp64(x):
    """Return exp(x) in float64."""
    x = min(max(x, -708.0), 709.0)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * 0.693145751953125) - k * 1.42860682030941723212e-6
    p = 1.0 + r * (1.0 + r * (0.5 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (
        1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (
            1 / 479001600 + r * (1 / 6227020800)))))))))))))
    return p * bits_to_float64((np.int64(k) + np.int64(1023)) << np.int64(52))


@overload(exp)
def _exp_overload(x):
    return exp32 if x == types.float32 else exp64


_SQRT_HALF = np.int64(0x3FE6A09E667F3BCD)  # its bits


def log(x):
    """Return the natural logarithm of a float64 above 0."""
    return np.log(x)


def log64(x):
    """Return log(x) in float64."""
    bits = float64_to_bits(max(x, 2.2250738585072014e-308))
    k = (bits - _SQRT_HALF) >> np.int64(52)
    m = bits_to_float64(bits - (k << np.int64(52)))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (
        1 / 17 + z * (1 / 19 + z * (1 / 21))))))))))
    return k * 0.693147180369123816490 + ((2.0 * s) * p + k * 1.90821492927058770002e-10 + 2.0 * s)


@overload(log)
def _log_overload(x):
    return log64
