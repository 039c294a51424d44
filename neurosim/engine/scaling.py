"""Sums and factors of the weights that end at each target."""

from functools import cache

import numpy as np

from neurosim.engine import loader

_SUM = '''
def main(target, weight, sums):
    for e in range(target.size):
        sums[target[e]] += weight[e]
'''

_SCALE = '''
def main(target, weight, factors):
    for e in range(target.size):
        weight[e] *= factors[target[e]]
'''


@cache
def _compiled():
    return loader.load_function("synapses_sum", _SUM, {}), loader.load_function("synapses_scale", _SCALE, {})


def add_up(target: np.ndarray, weight: np.ndarray, sums: np.ndarray) -> None:
    """Add the weight of each synapse to the sum of its target."""
    _compiled()[0](target, weight, sums)


def scale(target: np.ndarray, weight: np.ndarray, factors: np.ndarray) -> None:
    """Multiply the weight of each synapse by the factor of its target, in place."""
    _compiled()[1](target, weight, factors.astype(weight.dtype))
