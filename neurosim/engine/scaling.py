"""Sums and factors of the weights that end at each target."""

from functools import cache

import numpy as np

from neurosim.engine import loader
from neurosim.engine.synapses import Part

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

_IN_RUNS = '''
import numpy as np


def main(start, target, weight, {theirs}):
    for cell in range(start.size - 1):
        low, high = start[cell], start[cell + 1]
        if low < high:
            first = np.int64(target[low])
            mine, its = weight[low:high], {theirs}[first:first + high - low]
            for e in range(its.size):
                {what}
'''


@cache
def _compiled(name: str):
    text = {"sum": _SUM, "scale": _SCALE,
            "sum_runs": _IN_RUNS.format(theirs="sums", what="its[e] += mine[e]"),
            "scale_runs": _IN_RUNS.format(theirs="factors", what="mine[e] *= its[e]")}[name]
    return loader.load_function(f"synapses_{name}", text, {})


def add_up(part: Part, sums: np.ndarray) -> None:
    """Add the weight of each synapse to the sum of its target."""
    _go_over("sum", part, sums)


def scale(part: Part, factors: np.ndarray) -> None:
    """Multiply the weight of each synapse by the factor of its target, in place."""
    _go_over("scale", part, factors.astype(part.values["weight"].dtype))


def _go_over(name, part, theirs):
    weight = part.values["weight"]
    if part.in_runs:
        _compiled(f"{name}_runs")(part.cells, part.target, weight, theirs)
    else:
        _compiled(name)(part.target, weight, theirs)
