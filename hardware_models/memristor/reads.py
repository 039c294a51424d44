"""What a read of a weight gives: one law for the compiled loop, for arrays and for tensors, and its moments."""

from functools import cache
from typing import Any

import numpy as np

from hardware_models.arrays import normal_tail
from hardware_models.memristor.equations import choose
from neurosim.distributions import normal_quantile

READ_PARAMETERS = "weight_max", "g_min", "g_max", "read_noise", "flicker_noise", "flicker_time", "read_duration"


@cache
def _devices(white_std, flicker_std, mapping, xp: Any):
    """Return a function of weights and parameters: for each device of a weight, k, its conductance and its noise.

    The device that holds the size of a weight comes first; where it is that of the minus side, k is negative.
    """
    def deviation(g, g_max, read_noise, flicker_noise, span):
        white = read_noise * white_std(xp, g, g_max)
        flicker = flicker_noise * flicker_std(xp, g, g_max)
        return _root(xp, white * white + flicker * flicker * span)

    def differential(weight, weight_max, g_min, g_max, read_noise, flicker_noise, flicker_time, read_duration):
        span = flicker_span(flicker_time, read_duration)
        k = weight_max / (g_max - g_min)
        high, low = g_min + xp.abs(weight) / k, g_min + 0.0 * weight
        k = choose(weight < 0.0, 0.0 * weight - k, 0.0 * weight + k)
        return (k, high, deviation(high, g_max, read_noise, flicker_noise, span),
                -k, low, deviation(low, g_max, read_noise, flicker_noise, span))

    def offset(weight, weight_max, g_min, g_max, read_noise, flicker_noise, flicker_time, read_duration):
        k = 2.0 * weight_max / (g_max - g_min)
        g = 0.5 * (g_min + g_max) + weight / k
        span, nothing = flicker_span(flicker_time, read_duration), 0.0 * weight
        return (k + nothing, g, deviation(g, g_max, read_noise, flicker_noise, span), nothing, nothing, nothing)

    return {"differential": differential, "offset": offset}[mapping]


@cache
def scalar_reader(white_std, flicker_std, mapping):
    """Return the body of a read for the compiled loop."""
    numpy: Any = np
    devices = _devices(white_std, flicker_std, mapping, numpy)

    def read(weight, normal, uniform, weight_max, g_min, g_max, read_noise, flicker_noise, flicker_time, read_duration):
        k, g, std, k_other, g_other, std_other = devices(weight, weight_max, g_min, g_max, read_noise, flicker_noise,
                                                         flicker_time, read_duration)
        other = normal_quantile(uniform) if std_other > 0.0 else 0.0
        return weight + k * max(std * normal, -g) + k_other * max(std_other * other, -g_other)

    return read


@cache
def reader(white_std, flicker_std, mapping, xp):
    """Return the same for arrays or tensors, of weights and of two standard normal numbers for each."""
    devices = _devices(white_std, flicker_std, mapping, xp)

    def read(weights, normal, other, *parameters):
        k, g, std, k_other, g_other, std_other = devices(weights, *parameters)
        return weights + k * _larger(std * normal, -g) + k_other * _larger(std_other * other, -g_other)

    return read


@cache
def moments_of(white_std, flicker_std, mapping, xp):
    """Return the function of weights that gives mean and variance of a read."""
    devices = _devices(white_std, flicker_std, mapping, xp)

    def moments(weights, *parameters):
        k, g, std, k_other, g_other, std_other = devices(weights, *parameters)
        (more, variance), (more_other, variance_other) = _cut_off(xp, g, std), _cut_off(xp, g_other, std_other)
        return (weights + k * more + k_other * more_other,
                k * k * variance + k_other * k_other * variance_other)

    return moments


def _root(xp, variance):
    """Return the root, whose derivative at 0 is 0 and not infinite."""
    return choose(variance > 0, xp.sqrt(choose(variance > 0, variance, 1.0)), 0.0 * variance)


def _larger(a, b):
    return choose(a > b, a, b)


def _cut_off(xp, g, std):
    """Return by how much the mean of max(g + std n, 0) is above g, and its variance, n being standard normal."""
    z = g / choose(std > 0, std, 1.0)
    z = choose(z < 40.0, z, 40.0)  # beyond it nothing is cut off
    tail = normal_tail(z)
    more = xp.exp(-0.5 * z * z) * 0.3989422804014327 - z * tail
    return std * more, std * std * (1.0 - tail - z * more - more * more)


def flicker_span(flicker_time, read_duration):
    """Return the variance of 1/f noise between the slowest and the fastest frequency that a read sees."""
    return np.log((flicker_time + read_duration * 1e-6) / (2e-6 * read_duration))


__all__ = ["READ_PARAMETERS", "flicker_span", "moments_of", "reader", "scalar_reader"]
