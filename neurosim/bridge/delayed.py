"""What arrives late: sums of weights whose inputs come after delays, for a whole sequence.

Delays that learn are spread over taps: an input arrives a little at each of them. The sum over taps is a product of
spectra, over blocks of ticks, which costs a tenth of the sum itself. Delays of whole ticks move a weight to its tick.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.fft import next_fast_len

from neurosim.bridge.arrivals import COLUMNS, active, weighted
from neurosim.bridge.extra import torch
from neurosim.bridge.parts import in_parts
from neurosim.engine.loader import load_function

SAMPLES, INPUTS = 64, 32  #: whose spectra are held, or turned into taps, at once
BLOCK = 8  #: how many times the longest delay a block of ticks is, at most


def spread(x: Any, taps: Any) -> Any:
    """Return the sums of inputs over taps: out[t, b, k] = sum over d, j of x[t + D - 1 - d, b, j] taps[d, j, k].

    The numbers are those of the plain sum within rounding, also where it is 0.

    Args:
        x: inputs, shape (D - 1 + ticks, samples, inputs); the first D - 1 ticks lie before the sequence.
        taps: weights by delay, shape (D, inputs, neurons).

    >>> import torch
    >>> x = torch.tensor([0.0, 0.0, 1.0, 0.0, 2.0]).reshape(5, 1, 1)
    >>> spread(x, torch.tensor([0.5, 0.0, 1.0]).reshape(3, 1, 1)).flatten().round(decimals=6) + 0.0
    tensor([0.5000, 0.0000, 2.0000])
    """
    return spread_over(x, lambda given: given, taps)


def spread_over(x: Any, made: Callable, *parameters: Any) -> Any:
    """Return `spread(x, made(*parameters))`, whose taps are not kept for the way back but made again there.

    Args:
        x: inputs, as for `spread`.
        made: a function that returns taps, of nothing but the parameters.
        parameters: tensors.

    >>> import torch
    >>> x = torch.tensor([0.0, 0.0, 1.0, 0.0, 2.0]).reshape(5, 1, 1)
    >>> gain = torch.tensor(2.0, requires_grad=True)
    >>> spread_over(x, lambda gain: gain * torch.ones(3, 1, 1), gain).sum().backward()
    >>> round(gain.grad.item(), 5)
    5.0
    """
    return _Spread.apply(x, made, *parameters)


class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, made, *parameters):
        ctx.made, taps = made, made(*parameters)
        late, ticks = taps.shape[0] - 1, x.shape[0] - taps.shape[0] + 1
        out = x.new_zeros(ticks, x.shape[1], taps.shape[2])
        n, step = _blocks(ticks, late)
        spectrum = _spectrum(taps, n)
        for begin, rows in _pieces(ticks, step, x.shape[1]):
            piece = torch.fft.irfft(torch.fft.rfft(x[begin:begin + n, rows], n, dim=0) @ spectrum, n, dim=0)
            out[begin:begin + step, rows] = piece[late:late + min(step, ticks - begin)]
        ctx.save_for_backward(_narrowed(x), *parameters)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        x, *parameters = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        g_x, g_taps = _back(x, ctx.made(*parameters), g, ctx.needs_input_grad[0], any(wanted))
        if not any(wanted):
            return g_x, None, *(None for _ in wanted)
        with torch.enable_grad():  # now that the spectra are gone
            given = [each.detach().requires_grad_(need) for each, need in zip(parameters, wanted, strict=True)]
            taps = ctx.made(*given)
        made = iter(torch.autograd.grad(taps, [each for each in given if each.requires_grad], g_taps))
        found = [next(made) if need else None for need in wanted]
        return g_x, None, *found


def _narrowed(x):
    """Return numbers of spikes in a byte each, which is a quarter of the memory, and other inputs as they are."""
    small = x.to(torch.uint8)
    return small if torch.equal(small.to(x.dtype), x) else x


def _back(x, taps, g, of_x, of_taps):
    """Return the gradients of the sums of `spread` by inputs and taps, None for what is not wanted."""
    late, ticks = taps.shape[0] - 1, g.shape[0]
    n, step = _blocks(ticks, late)
    g_x = g.new_zeros(x.shape) if of_x else None
    back = _spectrum(taps, n).transpose(1, 2) if g_x is not None else None
    found = None
    for begin, rows in _pieces(ticks, step, x.shape[1]):
        now = g[begin:begin + step, rows]
        spectrum = torch.fft.rfft(now, n, dim=0)  # of out[begin], which needs x up to x[begin + late]
        if g_x is not None:
            piece = torch.fft.irfft((spectrum.conj() @ back).conj(), n, dim=0)  # the smaller one is conjugated
            g_x[begin + late:begin + late + len(now), rows] += piece[:len(now)]
            g_x[begin:begin + late, rows] += piece[n - late:]
        if of_taps:
            inputs = torch.fft.rfft(x[begin:begin + late + len(now), rows].to(g.dtype), n, dim=0)
            turned = inputs.conj().transpose(1, 2)
            found = turned @ spectrum if found is None else found.baddbmm_(turned, spectrum)
    return g_x, None if found is None else _taps_of(found, n, late + 1)


def _blocks(ticks, late):
    """Return the length of a transform, and how many ticks it gives."""
    n = next_fast_len(min(ticks + late, BLOCK * (late + 1) + late), real=True)
    return n, n - late


def _pieces(ticks, step, samples):
    """Yield the first tick of each block, and which samples."""
    for begin in range(0, ticks, step):
        for row in range(0, samples, SAMPLES):
            yield begin, slice(row, row + SAMPLES)


def _waves(n, ticks, like):
    """Return cosines and sines, shape (2, frequencies, ticks)."""
    angle = 2.0 * np.pi / n * (np.arange(n // 2 + 1)[:, None] * np.arange(ticks) % n)
    return torch.from_numpy(np.stack([np.cos(angle), -np.sin(angle)])).to(like)


def _spectrum(taps, n):
    """Return the spectrum of taps, shape (frequencies, inputs, neurons)."""
    waves = _waves(n, len(taps), taps).reshape(-1, len(taps))
    found = torch.empty(n // 2 + 1, *taps.shape[1:], dtype=taps.dtype.to_complex(), device=taps.device)
    for begin in range(0, taps.shape[1], INPUTS):
        piece = taps[:, begin:begin + INPUTS]
        real, imaginary = (waves @ piece.reshape(len(taps), -1)).reshape(2, -1, *piece.shape[1:])
        found[:, begin:begin + INPUTS] = torch.complex(real, imaginary)
    return found


def _taps_of(conjugated, n, taps):
    """Return the sums over ticks whose spectrum, the product of inputs' conjugate and gradient, is given.

    The gradient of tap d is the correlation at a shift of late - d: out[t] takes x[t + late - d].
    """
    share = torch.full((n // 2 + 1, 1, 1), 2.0 / n, dtype=conjugated.real.dtype, device=conjugated.device)
    share[0] = 1.0 / n
    if n % 2 == 0:
        share[-1] = 1.0 / n
    waves = _waves(n, taps, conjugated.real).flip(2)  # by the shift late - d
    found = torch.empty(taps, *conjugated.shape[1:], dtype=share.dtype, device=share.device)
    for begin in range(0, conjugated.shape[1], INPUTS):
        scaled = conjugated[:, begin:begin + INPUTS] * share
        real, imaginary = scaled.real.reshape(len(scaled), -1), scaled.imag.reshape(len(scaled), -1)
        found[:, begin:begin + INPUTS] = (waves[0].T @ real - waves[1].T @ imaginary).reshape(taps, *scaled.shape[1:])
    return found


def filtered(x: Any, taps: Any) -> Any:
    """Return each channel's own sum over taps: out[t, b, j] = sum over d of x[t + D - 1 - d, b, j] taps[d, j].

    Args:
        x: shape (D - 1 + ticks, samples, channels).
        taps: shape (D, channels).

    >>> import torch
    >>> filtered(torch.eye(3)[:, None], torch.ones(2, 3)).round().abs()[:, 0]
    tensor([[1., 1., 0.],
            [0., 1., 1.]])
    """
    n = next_fast_len(len(x), real=True)
    both = torch.fft.rfft(x, n, dim=0) * torch.fft.rfft(taps, n, dim=0)[:, None]
    return torch.fft.irfft(both, n, dim=0)[len(taps) - 1:len(x)].contiguous()


def shifted(x: Any, weight: Any, delay: Any, late: int) -> Any:
    """Return the sums of weights that come whole ticks late, in the order of the core: by tick of emission, then input.

    Args:
        x: inputs, shape (late + ticks, samples, inputs), on the CPU.
        weight: shape (inputs, neurons).
        delay: ticks from 0 to late, int64 of shape (inputs, neurons), (inputs, 1) or (1, neurons).
        late: the longest delay there may be.

    >>> import torch
    >>> x = torch.tensor([0.0, 0.0, 1.0, 0.0, 2.0]).reshape(5, 1, 1)
    >>> shifted(x, torch.tensor([[3.0]]), torch.tensor([[1]]), 2).flatten()
    tensor([0., 3., 0.])
    """
    if delay.shape[0] == 1 and weight.shape[0] > 1:
        ticks = x.shape[0] - late
        at = torch.arange(ticks)[:, None, None] + late - delay[None]
        return weighted(x, weight).gather(0, at.expand(ticks, x.shape[1], -1))
    return _Shifted.apply(x, weight, delay, late)


class _Shifted(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, delay, late):
        ticks, samples, inputs = x.shape
        ctx.spikes = active(_array(x.contiguous()).reshape(ticks * samples, inputs))
        ctx.late, ctx.shape = late, x.shape
        ctx.save_for_backward(weight, delay)
        out = weight.new_empty(ticks - late, samples, weight.shape[1])
        given = *ctx.spikes, _array(weight.contiguous()), _array(delay), late, _array(out)
        run = load_function("bridge_shifted", SHIFTED, {}, _array(weight).dtype.type)
        in_parts(lambda part, *rows: run(*given, *rows), samples)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        weight, delay = ctx.saved_tensors
        g_x = g_weight = None
        if ctx.needs_input_grad[0]:
            taps = one_tap(delay.expand_as(weight), ctx.late + 1) * weight
            with torch.enable_grad():
                x = g.new_zeros(ctx.shape).requires_grad_()
                (g_x,) = torch.autograd.grad(spread(x, taps), x, g)
        if ctx.needs_input_grad[1]:
            g_weight = torch.zeros_like(weight)
            given = *ctx.spikes, _array(g.contiguous()), _array(delay), ctx.late, _array(g_weight)
            run = load_function("bridge_shifted_back", SHIFTED_BACK, {}, _array(weight).dtype.type)
            in_parts(lambda part, *columns: run(*given, *columns), weight.shape[1], COLUMNS)
        return g_x, g_weight, None, None


def one_tap(delay: Any, taps: int) -> Any:
    """Return taps of which one is 1: shape (taps, *shape of delay).

    >>> import torch
    >>> one_tap(torch.tensor([0, 2]), 3).T
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    return torch.nn.functional.one_hot(delay, taps).movedim(-1, 0)


def _array(tensor) -> np.ndarray:
    return tensor.detach().numpy()


# What is under way to the ticks to come lies in a ring that stays in the cache.
SHIFTED = """import numpy as np

def main(first, listed, values, weight, delay, late, out, begin, end):
    ticks, samples, n = out.shape
    ones, own = len(values) == 0, delay.shape[1] > 1
    length = late + 1
    flat = np.zeros(length * n, out.dtype)
    for b in range(begin, end):
        flat[:] = 0
        for e in range(ticks + late):
            now = (e + 1) % length  # where what comes without delay at tick e - late lies
            for q in range(first[e * samples + b], first[e * samples + b + 1]):
                j = listed[q]
                value = out.dtype.type(1) if ones else values[q]
                row = weight[j]
                if own:
                    for k in range(n):
                        at = now + delay[j, k]
                        at = at - length if at >= length else at
                        flat[at * n + k] += value * row[k]
                else:
                    at = (now + delay[j, 0]) % length * n
                    to = flat[at:at + n]
                    for k in range(n):
                        to[k] += value * row[k]
            here = flat[now * n:now * n + n]
            if e >= late:
                to = out[e - late, b]
                for k in range(n):
                    to[k] = here[k]
            for k in range(n):
                here[k] = 0
"""

SHIFTED_BACK = """import numpy as np

def main(first, listed, values, gradient, delay, late, out, begin, end):
    ticks, samples, n = gradient.shape
    ones, own = len(values) == 0, delay.shape[1] > 1
    width = end - begin
    g = np.zeros((ticks + 2 * late, width), gradient.dtype)  # silence around, so that nothing is asked
    for b in range(samples):
        for t in range(ticks):
            for k in range(width):
                g[late + t, k] = gradient[t, b, begin + k]
        for e in range(ticks + late):
            for q in range(first[e * samples + b], first[e * samples + b + 1]):
                j = listed[q]
                value = gradient.dtype.type(1) if ones else values[q]
                to = out[j, begin:end]
                if own:
                    late_by = delay[j, begin:end]
                    for k in range(width):
                        to[k] += value * g[e + late_by[k], k]
                else:
                    row = g[e + delay[j, 0]]
                    for k in range(width):
                        to[k] += value * row[k]
"""
