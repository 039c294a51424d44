"""The neurons of a layer for a whole sequence: on compiled loops, or tick by tick in PyTorch."""

from typing import Any, NamedTuple

import numpy as np

from neurosim.bridge.arrivals import active, product
from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import CURRENT, JUMP, Kind
from neurosim.bridge.parts import in_parts, threads
from neurosim.bridge.tensors import Named, all_finite, check_gradient, watch
from neurosim.checks import describe_value

ANY = Named("layer")  #: what calls it so has no name for it


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
        past: inputs that may still arrive, of a layer with delays: shape (ticks of the longest delay, samples, inputs);
            None for others.
    """

    v: Any
    i: Any
    theta: Any
    spikes: Any
    held: Any
    past: Any = None

    def detach(self) -> "State":
        """Return the same state without its history, from where truncated backpropagation goes on."""
        return State(*(None if each is None else each.detach() for each in self))


def shown_state(state: Any) -> str:
    """Return what was given as a state, for a message.

    >>> shown_state(3)
    "'int'"
    """
    if not isinstance(state, State):
        return describe_value(type(state).__name__)
    return "one of " + ", ".join("None" if each is None else str(tuple(each.shape)) for each in state)


def compiled(kind: Kind, arrivals, bias, recurrent, coefficients: Coefficients, state: State, lengths,
             named: Named = ANY) -> tuple[Any, State]:
    """Return output and state after a sequence, from the compiled loops.

    Args:
        kind: what the layer is.
        arrivals: sums that the inputs bring, shape (ticks, samples, neurons); the loops write over them.
        bias: a jump at every tick, shape (neurons,).
        recurrent: weights of the layer's own spikes, shape (neurons, neurons).
        coefficients: of a tick.
        state: before the sequence.
        lengths: how many ticks each sample has, shape (samples,), whole numbers.
        named: what the layer is called where its gradient is not finite.
    """
    given = (kind, named), lengths, state.held, arrivals, bias, recurrent
    out, *after = _Neurons.apply(*given, *coefficients, *state[:4])
    return out, State(*after)


class _Neurons(torch.autograd.Function):
    """From sums of arrivals to spikes; the sums are nobody else's, and their place becomes that of the membranes."""

    @staticmethod
    def forward(ctx, what, lengths, held, u, bias, recurrent, *others):
        u[:0].zero_()  # tells PyTorch that u changes: whoever kept it for a gradient gets an error, no wrong number
        kind, ctx.named = what
        real = _array(u).dtype
        after = [each.clone(memory_format=torch.contiguous_format) for each in (*others[7:], held)]
        needed = (kind.spiking, kind.input != JUMP, kind.adaptive, kind.refractory > 0)
        traces = [u, *(u.new_empty(u.shape if each else (0, 0, 0)) for each in needed)]
        arrays = [_array(each) for each in (*traces, lengths, bias, recurrent, *after, *others[:7])]
        run = kind.forward(real.type)
        in_parts(lambda part, *rows: run(*arrays, kind.refractory, *rows), u.shape[1])
        ctx.kind = kind
        ctx.save_for_backward(recurrent, lengths, *traces, *others)
        ctx.mark_non_differentiable(after[-1])
        return traces[1] if kind.spiking else u.clone(), *after

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g_out, *g_after):
        kind = ctx.kind
        recurrent, lengths, u, s, i_all, a_all, free, *others = ctx.saved_tensors
        real = _array(u).dtype.type
        gx = torch.empty_like(u)
        g_state = [g.clone(memory_format=torch.contiguous_format) for g in g_after[:4]]
        given = (g_out.contiguous(), gx, u, s, i_all, a_all, free, lengths, recurrent.T.contiguous(), *others[7:],
                 *g_state, *others[:7])
        arrays = [_array(each) for each in given]
        sums = np.zeros((threads(), 7, u.shape[2]))
        run = kind.backward(real)
        more = real(kind.surrogate.sharpness), any(ctx.needs_input_grad[6:13])
        in_parts(lambda part, *rows: run(*arrays, *more, *sums[part], *rows), u.shape[1])
        _check_finite(ctx.named, g_out, gx)
        g_coefficients = torch.from_numpy(sums.sum(axis=0)).to(u.dtype)
        g_recurrent = None
        if kind.recurrent and ctx.needs_input_grad[5]:  # the sums beyond a sample's end have no gradient
            n = u.shape[2]
            g_recurrent = product(active(_array(s[:-1]).reshape(-1, n)), gx[1:].reshape(-1, n), n)
            if len(s):
                g_recurrent += others[10].T @ gx[0]
        g_bias = gx.sum((0, 1)) if ctx.needs_input_grad[4] else None
        return None, None, None, gx, g_bias, g_recurrent, *g_coefficients, *g_state


def _check_finite(named, g_out, gx):
    """Raise a sentence with layer and tick where a gradient is not finite."""
    if gx.numel() and not all_finite(gx):
        check_gradient(named, g_out, of_output=True)
        check_gradient(named, gx, of_output=False)


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


def plain(kind: Kind, arrivals, bias, recurrent, coefficients: Coefficients, state: State, lengths,
          named: Named = ANY) -> tuple[Any, State]:
    """Return the same as `compiled`, tick by tick from operations of PyTorch, on any of its devices."""
    outputs = []
    for t in range(arrivals.shape[0]):
        out, after = _tick(kind, arrivals[t] + bias, recurrent, coefficients, state)
        alive = (t < lengths)[:, None]
        outputs.append(torch.where(alive, out, torch.zeros_like(out)))
        state = State(*(torch.where(alive, new, old) for new, old in zip(after[:5], state[:5], strict=True)))
    if not outputs:
        return torch.zeros_like(arrivals), state
    out = torch.stack(outputs)
    watch(named, arrivals, out)
    return out, state


def _tick(kind, arrivals, recurrent, c, state):
    v, i, theta, last, held = state[:5]
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
