"""Scalar functions for the bodies of models; the engine compiles them to code that vectorises."""

import math


def exp(x):
    """Return e to the power x.

    In a compiled loop this is a polynomial that vectorises: relative error below 2e-7 in float32 and
    4e-16 in float64. Outside -87 .. 88 (float32) or -708 .. 709 (float64) it saturates.
    """
    return math.exp(x)


def log(x):
    """Return the natural logarithm of x > 0.

    In a compiled loop this is a polynomial that vectorises: relative error below 4e-16; what is below
    2.3e-308, the smallest normal number, counts as that.
    """
    return math.log(x)
