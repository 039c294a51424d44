"""A layer's whole sequence as one differentiable function: on compiled loops, or tick by tick in PyTorch."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from neurosim.bridge import kernels
from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import CURRENT, JUMP, Kind

DENSE = 0.25  #: share of inputs that are not zero from which on a matrix product was faster (2 cores, float32)


class Coefficients(NamedTuple):
    """What a tick multiplies and compares with, each of shape (neurons,).

    Args:
        beta: share of v that is left after a tick.
        alpha: share of the synaptic current that is left.
        gain: what a synaptic current of 1 adds to v in a tick.
        threshold: of v.
        down: by how much a spike lowers v, or the value that it sets v to.
        gamma: share of the raised threshold that is left.
        rise: what a spike adds to the threshold.
    """

    beta: Any
    alpha: Any
    gain: Any
    threshold: Any
    down: Any
    gamma: Any
    rise: Any


class State(NamedTuple):
    """The state of a layer between two ticks, each of shape (samples, neurons).

    Args:
        v: membrane.
        i: synaptic current.
        theta: how far the threshold is raised.
        spikes: those of the last tick.
        held: for how many more ticks v is held (whole numbers).
    """

    v: Any
    i: Any
    theta: Any
    spikes: Any
    held: Any

    def detach(self) -> "State":
        """Return the same state without its history, from where truncated backpropagation goes on."""
        return State(*(each.detach() for each in self))


def compiled(kind: Kind, x, weight, bias, recurrent, coefficients: Coefficients, state: State, lengths
             ) -> tuple[Any, State]:
    """Return output and state after a sequence, from the compiled loops.

    Args:
        kind: what the layer is.
        x: inputs, shape (ticks, samples, inputs).
        weight: shape (inputs, neurons).
        bias: a jump at every tick, shape (neurons,).
        recurrent: weights of the layer's own spikes, shape (neurons, neurons).
        coefficients: of a tick.
        state: before the sequence.
        lengths: how many ticks each sample has, shape (samples,), whole numbers.
    """
    out, *after = _Sequence.apply(kind, lengths, state.held, x, weight, bias, recurrent, *coefficients, *state[:4])
    return out, State(*after)


class _Sequence(torch.autograd.Function):
    @staticmethod
    def forward(ctx, kind, lengths, held, x, weight, bias, recurrent, *others):
        ticks, samples, _ = x.shape
        real, n = _array(weight).dtype, weight.shape[1]
        flat = x.contiguous().reshape(ticks * samples, x.shape[2])
        spikes = kernels.active(_array(flat), in_parts)
        dense = real == np.float32 and spikes[1].size > DENSE * flat.numel()
        if dense:
            u = flat @ weight
        else:
            u = weight.new_empty(ticks * samples, n)
            given = _array(flat), *spikes, _array(weight), _array(u)
            in_parts(lambda part, *rows: kernels.add_rows(*given, *rows), ticks * samples)
        u = u.reshape(ticks, samples, n)
        after = [each.clone(memory_format=torch.contiguous_format) for each in (*others[7:], held)]
        needed = (kind.spiking, kind.input != JUMP, kind.adaptive, kind.refractory > 0)
        traces = [u, *(weight.new_zeros(u.shape if each else (0, 0, 0)) for each in needed)]
        arrays = [_array(each) for each in (*traces, lengths, bias, recurrent, *after, *others[:7])]
        run = kind.forward(real.type)
        in_parts(lambda part, *rows: run(*arrays, kind.refractory, *rows), samples)
        ctx.kind, ctx.spikes, ctx.dense = kind, spikes, dense
        ctx.save_for_backward(flat, weight, recurrent, lengths, *traces, *others)
        ctx.mark_non_differentiable(after[-1])
        return traces[1] if kind.spiking else u.clone(), *after

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g_out, *g_after):
        kind = ctx.kind
        flat, weight, recurrent, lengths, u, s, i_all, a_all, free, *others = ctx.saved_tensors
        real = _array(weight).dtype.type
        gx = torch.zeros_like(u)
        g_state = [g.clone(memory_format=torch.contiguous_format) for g in g_after[:4]]
        given = (g_out.contiguous(), gx, u, s, i_all, a_all, free, lengths, recurrent.T.contiguous(), *others[7:],
                 *g_state, *others[:7])
        arrays = [_array(each) for each in given]
        sums = np.zeros((threads(), 7, u.shape[2]))
        run = kind.backward(real)
        in_parts(lambda part, *rows: run(*arrays, real(kind.surrogate.sharpness), *sums[part], *rows), u.shape[1])
        g_coefficients = torch.from_numpy(sums.sum(axis=0)).to(weight.dtype)
        return (None, None, None, *_gradients_of_sums(ctx, flat, weight, gx, s, others[10]), *g_coefficients,
                *g_state)


def _gradients_of_sums(ctx, flat, weight, gx, s, last):
    """Return the gradients of inputs, weights, bias and recurrent weights from those of the sums of arrivals."""
    g = gx.reshape(len(flat), gx.shape[2])
    g_x = (g @ weight.T).reshape(*gx.shape[:2], flat.shape[1]) if ctx.needs_input_grad[3] else None
    g_recurrent = None
    if ctx.kind.recurrent and ctx.needs_input_grad[6]:
        before = torch.cat([last[None], s])[:len(s)].reshape(g.shape)  # the sums beyond a sample's end have none
        g_recurrent = _product(before, g, kernels.active(_array(before), in_parts))
    g_weight = None
    if ctx.needs_input_grad[4]:
        g_weight = flat.T @ g if ctx.dense else _product(flat, g, ctx.spikes)
    return g_x, g_weight, g.sum(0), g_recurrent


def _product(x, g, spikes):
    """Return x.T @ g, looking only at inputs that are not zero."""
    sums = g.new_zeros(threads(), x.shape[1], g.shape[1])
    given = _array(x), *spikes, _array(g)
    in_parts(lambda part, *rows: kernels.gather(*given, _array(sums[part]), *rows), len(x))
    return sums.sum(0)


def threads() -> int:
    """Return in how many parts loops over samples are cut: as many as PyTorch has threads."""
    return torch.get_num_threads()


def in_parts(work: Callable[..., None], n: int) -> None:
    """Call work(part, begin, end) for each part of n elements, at the same time.

    >>> in_parts(lambda part, begin, end: None, 5)
    """
    edges = np.linspace(0, n, threads() + 1).astype(int)
    rows = [(part, int(a), int(b)) for part, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)) if b > a]
    if len(rows) < 2:
        for row in rows:
            work(*row)
        return
    with ThreadPoolExecutor(len(rows)) as pool:
        for done in [pool.submit(work, *row) for row in rows]:
            done.result()


def _array(tensor) -> np.ndarray:
    return tensor.detach().numpy()


# ---------------------------------------------------------------------------------------------------------------------
# Tick by tick
# ---------------------------------------------------------------------------------------------------------------------

class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, surrogate, x):
        ctx.surrogate = surrogate
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, g):
        return None, g * ctx.surrogate.of_tensor(ctx.saved_tensors[0])


def plain(kind: Kind, x, weight, bias, recurrent, coefficients: Coefficients, state: State, lengths
          ) -> tuple[Any, State]:
    """Return the same as `compiled`, tick by tick from operations of PyTorch, on any of its devices."""
    outputs = []
    for t in range(x.shape[0]):
        out, after = _tick(kind, x[t] @ weight + bias, recurrent, coefficients, state)
        alive = (t < lengths)[:, None]
        outputs.append(torch.where(alive, out, torch.zeros_like(out)))
        state = State(*(torch.where(alive, new, old) for new, old in zip(after, state, strict=True)))
    return torch.stack(outputs) if outputs else x.new_zeros(0, x.shape[1], weight.shape[1]), state


def _tick(kind, arrivals, recurrent, c, state):
    v, i, theta, last, held = state
    arrivals = arrivals + last @ recurrent if kind.recurrent else arrivals
    if kind.input == JUMP:
        y = c.beta * v + arrivals
    elif kind.input == CURRENT:
        y, i = c.beta * v + c.gain * i, c.alpha * i + arrivals
    else:
        i = c.alpha * i + arrivals
        y = c.beta * v + i
    free = held == 0
    y = torch.where(free, y, v) if kind.refractory else y
    if not kind.spiking:
        return y, State(y, i, theta, last, held)
    theta = c.gamma * theta if kind.adaptive else theta
    s = _Spike.apply(kind.surrogate, y - (c.threshold + theta if kind.adaptive else c.threshold))
    s = s * free if kind.refractory else s
    theta = theta + c.rise * s if kind.adaptive else theta
    resets = s.detach() if kind.detach else s
    y = y - resets * c.down if kind.subtract else y * (1.0 - resets) + resets * c.down
    if kind.refractory:
        held = torch.where(s > 0, kind.refractory, (held - 1).clamp(min=0))
    return s, State(y, i, theta, s, held)
