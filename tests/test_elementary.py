"""Elementary functions and quantiles that vectorise are as exact as they say."""

import math

import numpy as np
from scipy.special import ndtri

from neurosim.distributions import normal_quantile
from neurosim.engine.loader import load_function
from neurosim.maths import exp, log

_TEXT = """
def main(x, out):
    for i in range(x.size):
        out[i] = body(x[i])
"""


def compiled(body, x):
    out = np.empty_like(x)
    load_function("elementary", _TEXT, {"body": body})(x, out)
    return out


def exact(function, x):
    """With more digits where the machine has them: NumPy's own of older versions are off by as much as ours may be."""
    return function(x.astype(np.longdouble))


def relative(found, expected):
    return np.max(np.abs(found - expected) / np.abs(expected))


def test_log():
    generator = np.random.default_rng(1)
    near = 2.0 ** generator.uniform(-52, -1, 20_000)
    x = np.concatenate([10.0 ** generator.uniform(-307, 308, 20_000), generator.uniform(0.3, 3.0, 20_000), 1.0 + near,
                        1.0 - near])
    x = x[x != 1.0]
    assert relative(compiled(log, x), exact(np.log, x)) < 4e-16
    smallest = np.log(np.finfo(float).tiny)
    assert compiled(log, np.array([1.0]))[0] == 0.0
    np.testing.assert_allclose(compiled(log, np.array([0.0, -1.0, 5e-324])), smallest, rtol=1e-15)
    assert log(2.0) == math.log(2.0)


def test_exp():
    x = np.random.default_rng(2).uniform(-700.0, 700.0, 20_000)
    assert relative(compiled(exp, x), exact(np.exp, x)) < 4e-16
    assert relative(compiled(exp, x[abs(x) < 80].astype(np.float32)), np.exp(x[abs(x) < 80].astype(np.float32))) < 2e-7


def test_normal_quantile():
    small = 10.0 ** np.random.default_rng(3).uniform(-16, -0.4, 20_000)
    u = np.concatenate([np.random.default_rng(4).random(20_000), small, 1.0 - small, [0.075, 0.925, 2.0**-53]])
    u = u[(u > 0) & (u < 1) & (u != 0.5)]
    found = compiled(normal_quantile, u)
    assert relative(found, ndtri(u)) < 2e-15
    assert relative(found, np.array([normal_quantile(value) for value in u])) < 2e-15
    assert compiled(normal_quantile, np.array([0.5]))[0] == 0.0
