"""Elementary functions that vectorise without `fastmath`, for compiled loops.

exp: Cody-Waite reduction x = k ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r, and 2^k put into
the exponent bits. Source of the method: Cody and Waite, Software Manual for the Elementary
Functions, 1980; the coefficients are those of the Taylor series, enough terms for each width.
"""

import numpy as np
from numba import types
from numba.extending import overload

from neurosim.engine.intrinsics import bits_to_float32, bits_to_float64

_F = np.float32


def exp(x):
    """Return e to the power x, for a float32 or a float64."""
    return np.exp(x)


def _exp32(x):
    x = min(max(x, _F(-87.0)), _F(88.0))
    k = np.floor(x * _F(1.4426950408889634) + _F(0.5))
    r = (x - k * _F(0.693359375)) + k * _F(2.12194440e-4)
    p = _F(1.0) + r * (_F(1.0) + r * (_F(0.5) + r * (_F(1 / 6) + r * (_F(1 / 24) + r * (
        _F(1 / 120) + r * (_F(1 / 720) + r * _F(1 / 5040)))))))
    return p * bits_to_float32((np.int32(k) + np.int32(127)) << np.int32(23))


def _exp64(x):
    x = min(max(x, -708.0), 709.0)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * 0.693145751953125) - k * 1.42860682030941723212e-6
    p = 1.0 + r * (1.0 + r * (0.5 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (
        1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (
            1 / 479001600 + r * (1 / 6227020800)))))))))))))
    return p * bits_to_float64((np.int64(k) + np.int64(1023)) << np.int64(52))


@overload(exp)
def _exp_overload(x):
    return _exp32 if x == types.float32 else _exp64
