"""What arrives at the neurons of a layer: the weights of the inputs that spike, added up for a whole sequence."""

from typing import Any

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.bridge.parts import in_parts
from neurosim.bridge.spikebatch import SpikeBatch
from neurosim.engine.loader import load_function
from neurosim.errors import ParameterError

DENSE = 0.25  #: share of inputs that are not zero from which on a matrix product was faster (2 cores, float32)
COLUMNS = 64  #: neurons that a thread of its own is worth


def weighted(x: Any, weight: Any) -> Any:
    """Return x @ weight for a sequence, from the rows of weights whose input is not zero, in the order of inputs.

    Args:
        x: a tensor of shape (ticks, samples, inputs), or a `SpikeBatch`.
        weight: shape (inputs, neurons), on the CPU.

    >>> import torch
    >>> weighted(torch.tensor([[[0.0, 1.0]]]), torch.tensor([[5.0], [3.0]]))
    tensor([[[3.]]])
    """
    if isinstance(x, SpikeBatch):
        return _Weighted.apply(x, None, weight)
    return _Weighted.apply(None, x, weight)


class _Weighted(torch.autograd.Function):
    @staticmethod
    def forward(ctx, batch, x, weight):
        ticks, samples, inputs = batch.shape if x is None else x.shape
        out = weight.new_empty(ticks, samples, weight.shape[1])
        rows = out.view(ticks * samples, weight.shape[1])
        if x is None:
            ctx.spikes = batch.first, batch.listed, np.zeros(0, _array(weight).dtype)
            ctx.save_for_backward(weight)
        else:
            flat = x.contiguous().reshape(ticks * samples, inputs)
            first, listed, values = active(_array(flat))
            if weight.dtype == torch.float32 and listed.size > DENSE * flat.numel():
                ctx.spikes = None
                ctx.save_for_backward(weight, flat)
                torch.mm(flat, weight, out=rows)
                return out
            ctx.spikes = first, listed, values
            ctx.save_for_backward(weight)
        given = *ctx.spikes, _array(weight), _array(rows)
        run = load_function("bridge_add", ADD, {}, _array(weight).dtype.type)
        in_parts(lambda part, *edges: run(*given, *edges), ticks * samples)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        weight, *flat = ctx.saved_tensors
        rows = g.reshape(-1, g.shape[2])
        g_x = g_weight = None
        if ctx.needs_input_grad[1]:
            g_x = (rows @ weight.T).reshape(*g.shape[:2], weight.shape[0])
        if ctx.needs_input_grad[2]:
            g_weight = flat[0].T @ rows if flat else product(ctx.spikes, rows, weight.shape[0])
        return None, g_x, g_weight


def product(spikes: tuple[np.ndarray, np.ndarray, np.ndarray], g: Any, inputs: int) -> Any:
    """Return x.T @ g, shape (inputs, neurons), looking only at the inputs that `active` lists."""
    found = g.new_zeros(inputs, g.shape[1])
    given = *spikes, _array(g.contiguous()), _array(found)
    run = load_function("bridge_gather", GATHER, {}, _array(g).dtype.type)
    in_parts(lambda part, *columns: run(*given, *columns), g.shape[1], COLUMNS)
    return found


def active(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the list of each row begins, which inputs are not zero, and their values; none where all are 1.

    Args:
        x: inputs, shape (rows, inputs).

    Raises:
        ParameterError: an input is not finite.

    >>> active(np.array([[0.0, 1.0], [1.0, 1.0]]))
    (array([0, 1, 3]), array([1, 0, 1], dtype=int32), array([], dtype=float64))
    """
    first = np.zeros(len(x) + 1, dtype=np.int64)
    odd, bad = np.zeros(len(x), dtype=np.bool_), np.zeros(len(x), dtype=np.bool_)
    count, enlist = load_function("bridge_count", COUNT, {}), load_function("bridge_list", LIST, {})
    in_parts(lambda part, *rows: count(x, first, odd, bad, *rows), len(x))
    if bad.any():
        raise ParameterError("inputs must be finite numbers, got infinite or undefined ones")
    np.cumsum(first, out=first)
    listed = np.empty(first[-1], dtype=np.int32)
    values = np.empty(first[-1] if odd.any() else 0, dtype=x.dtype)
    in_parts(lambda part, *rows: enlist(x, first, listed, values, *rows), len(x))
    return first, listed, values


def _array(tensor) -> np.ndarray:
    return tensor.detach().numpy()


COUNT = """import numpy as np

def main(x, first, odd, bad, begin, end):
    for r in range(begin, end):
        n, ones, finite = np.int32(0), np.int32(0), np.int32(0)
        for j in range(x.shape[1]):
            n += np.int32(x[r, j] != 0)
            ones += np.int32(x[r, j] == 1)
            finite += np.int32(abs(x[r, j]) < np.inf)
        first[r + 1] = n
        odd[r] = n != ones
        bad[r] = finite < x.shape[1]
"""

LIST = """import numpy as np

def main(x, first, listed, values, begin, end):
    row = np.empty(x.shape[1] + 1, dtype=np.int32)
    for r in range(begin, end):
        if first[r + 1] > first[r]:
            n = 0
            for j in range(x.shape[1]):  # without a branch that nobody could predict
                row[n] = j
                n += x[r, j] != 0
            for q in range(n):
                listed[first[r] + q] = row[q]
            if len(values) > 0:
                for q in range(n):
                    values[first[r] + q] = x[r, row[q]]
"""

ADD = """
def main(first, listed, values, weight, out, begin, end):
    ones = len(values) == 0
    for r in range(begin, end):
        out[r] = 0
        for q in range(first[r], first[r + 1]):
            row = weight[listed[q]]
            if ones:
                for k in range(len(row)):
                    out[r, k] += row[k]
            else:
                value = values[q]
                for k in range(len(row)):
                    out[r, k] += value * row[k]
"""

GATHER = """
def main(first, listed, values, gradient, out, begin, end):
    ones = len(values) == 0
    for r in range(len(first) - 1):
        row = gradient[r, begin:end]
        for q in range(first[r], first[r + 1]):
            at = out[listed[q], begin:end]
            if ones:
                for k in range(len(row)):
                    at[k] += row[k]
            else:
                value = values[q]
                for k in range(len(row)):
                    at[k] += value * row[k]
"""
