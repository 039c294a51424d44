"""Weights as conductances: which devices stand for a weight, at which conductance, and what a microsiemens is worth."""

from typing import NamedTuple

import numpy as np


class Share(NamedTuple):
    """One device of each weight.

    Attributes:
        target: conductance that it should have, uS, shape of the weights.
        gain: weight for each uS of it.
    """

    target: np.ndarray
    gain: float


def shares(weights, mapping, weight_max, g_min, g_max, slices=1, bits=None) -> list[Share]:
    """Return the devices that hold some weights.

    * "differential": w = k (G+ - G-), the device of the other sign at g_min, k = weight_max / (g_max - g_min);
    * "offset": w = 2 k (G - G0), G0 = (g_min + g_max) / 2 being subtracted exactly.

    Where devices have `bits`, the size of a weight is a whole number of slices x bits bits (of which an offset array
    holds it plus half of the range), and a pair or a device of 2^bits levels holds each group of bits.
    """
    span = g_max - g_min
    if bits is None:
        if mapping == "differential":
            k = weight_max / span
            return [Share(g_min + np.maximum(weights, 0) / k, k), Share(g_min + np.maximum(-weights, 0) / k, -k)]
        k = 2 * weight_max / span
        return [Share((g_min + g_max) / 2 + weights / k, k)]
    signs = ((np.maximum(weights, 0), 1), (np.maximum(-weights, 0), -1))
    if mapping == "offset":
        signs = (((weights + weight_max) / 2, 2),)
    top, levels = 2 ** (slices * bits) - 1, 2**bits - 1
    found = []
    for size, sign in signs:
        number = np.clip(np.rint(size / weight_max * top), 0, top).astype(np.int64)  # errors may lead beyond the range
        for s in range(slices):
            digit = (number >> (s * bits)) & levels
            worth = sign * weight_max * 2.0 ** (s * bits) / top * levels / span
            found.append(Share(g_min + digit * span / levels, worth))
    return found


def held(weights, weight_max, mapping, slices, bits) -> np.ndarray:
    """Return the weights that ideal devices hold: the given ones, or rounded to the levels of the slices."""
    if bits is None:
        return weights
    top = 2 ** (slices * bits) - 1
    if mapping == "offset":
        return (np.rint((weights + weight_max) / 2 / weight_max * top) / top * 2 - 1) * weight_max
    return np.rint(weights / weight_max * top) / top * weight_max
