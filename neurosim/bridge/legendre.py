"""Legendre memories: a window of the past as a few numbers, tick by tick or for a whole sequence at once."""

from typing import Any, Literal

import numpy as np
import scipy.linalg
from scipy.fft import next_fast_len

from neurosim.bridge.extra import torch
from neurosim.bridge.layers import LIFLayer
from neurosim.bridge.tensors import Named, check_state, float_type, sequence, watch
from neurosim.checks import check_number, check_whole, describe_value
from neurosim.errors import ParameterError


class LegendreMemory(torch.nn.Module):
    r"""The last theta ms of each channel as the first coefficients of shifted Legendre polynomials.

    dm/dt = A m + B u, A_ij = (2 i + 1) / theta (-1 if i < j else (-1)^(i - j + 1)), B_i = (2 i + 1) (-1)^i / theta,
    exact for inputs that are held over a tick; u(t - s) = sum over i of m_i(t) P_i(2 s / theta - 1).

    Args:
        order: number of coefficients.
        theta: length of the window, ms.
        dt: length of a tick, ms.
        dtype: float type.

    >>> import torch
    >>> LegendreMemory(4, 20.0)(torch.ones(30, 1, 2))[0].shape
    torch.Size([30, 1, 8])

    Source: Voelker, Kajic, Eliasmith, Legendre memory units, NeurIPS 2019; as in LMUFormer, ICLR 2024.
    """

    def __init__(self, order: int, theta: float, *, dt: float = 1.0, dtype: Any = None):
        super().__init__()
        self.order = check_whole("LegendreMemory.order", order, at_least=1)
        self.theta = check_number("LegendreMemory.theta", theta, "ms", above=0)
        i, j = np.arange(order)[:, None], np.arange(order)[None]
        a = (2 * i + 1) / self.theta * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
        b = (2 * i + 1) * (-1.0) ** i / self.theta
        both = scipy.linalg.expm(dt * np.block([[a, b], [np.zeros((1, order + 1))]]))
        dtype = float_type("LegendreMemory", dtype)
        dt = check_number("LegendreMemory.dt", dt, "ms", above=0)
        self.register_buffer("a", torch.from_numpy(both[:order, :order].copy()).to(dtype))
        self.register_buffer("b", torch.from_numpy(both[:order, order].copy()).to(dtype))

    def forward(self, u: Any, state: Any = None, form: Literal["fft", "recurrent"] = "fft") -> tuple[Any, Any]:
        """Return the coefficients, (ticks, samples, channels * order), and those after the last tick.

        Args:
            u: inputs, shape (ticks, samples, channels).
            state: coefficients before, shape (samples, channels, order); zeros by default.
            form: "fft", a convolution with the impulse response by spectra, or "recurrent", tick by tick; the numbers
                are the same within rounding.
        """
        if form not in ("fft", "recurrent"):
            raise ParameterError(f"form must be 'fft' or 'recurrent', got {describe_value(form)}")
        u = sequence("LegendreMemory", u, None, self.a)
        shape = (*u.shape[1:], self.order)
        if state is not None:
            check_state("LegendreMemory", (state,), [shape], self.a)
        m = u.new_zeros(shape) if state is None else state
        found = self._by_spectra(u, m) if form == "fft" else self._by_ticks(u, m)
        watch(Named("LegendreMemory"), u, found)
        return found.flatten(2), found[-1] if len(u) else m

    def _by_ticks(self, u, m):
        found = []
        for now in u:
            m = m @ self.a.T + now[..., None] * self.b
            found.append(m)
        return torch.stack(found) if found else u.new_zeros(*u.shape, self.order)

    def _by_spectra(self, u, m):
        ticks = len(u)
        if not ticks:
            return u.new_zeros(*u.shape, self.order)
        response, decays = [self.b], [self.a]
        for _ in range(ticks - 1):
            response.append(self.a @ response[-1])
            decays.append(self.a @ decays[-1])
        n = next_fast_len(2 * ticks - 1, real=True)
        spectrum = torch.fft.rfft(torch.stack(response), n, dim=0)[:, None, None]
        found = torch.fft.irfft(torch.fft.rfft(u, n, dim=0)[..., None] * spectrum, n, dim=0)[:ticks]
        return found + torch.einsum("tij,bcj->tbci", torch.stack(decays), m)


class SpikingLegendreLayer(torch.nn.Module):
    """Spikes from a Legendre memory of spikes: LIF cells encode the inputs, the memory keeps them, LIF cells read it.

    Args:
        n_in, n_out: numbers of inputs and of the cells that read.
        channels: number of the cells that encode, each with a memory of its own.
        order, theta, dt: of the memory.
        options: other arguments of the cells, a `LIFLayer`.

    >>> import torch
    >>> spikes, state = SpikingLegendreLayer(5, 8, order=4, theta=20.0)(torch.ones(10, 2, 5))
    >>> spikes.shape
    torch.Size([10, 2, 8])

    Source: Liu, Datta, Li, Beerel, LMUFormer: low complexity yet powerful spiking model with Legendre memory units,
    ICLR 2024.
    """

    def __init__(self, n_in: int, n_out: int, *, channels: int = 1, order: int = 8, theta: float = 100.0,
                 dt: float = 1.0, **options: Any):
        super().__init__()
        self.encoder = LIFLayer(n_in, channels, dt=dt, **options)
        self.memory = LegendreMemory(order, theta, dt=dt, dtype=self.encoder.weight.dtype)
        self.reader = LIFLayer(channels * order + n_in, n_out, dt=dt, **options)

    def forward(self, x: Any, state: Any = None, form: Literal["fft", "recurrent"] = "fft") -> tuple[Any, Any]:
        """Return spikes (ticks, samples, n_out) and the states of encoder, memory and reader.

        Args:
            x: inputs, shape (ticks, samples, n_in).
            state: as a call returns it.
            form: of the memory.
        """
        if state is not None:
            check_state("SpikingLegendreLayer", state, [None, None, None], self.memory.a)
        first, m, last = (None, None, None) if state is None else state
        spikes, first = self.encoder(x, first)
        kept, m = self.memory(spikes, m, form)
        out, last = self.reader(torch.cat([kept, x], 2), last)
        return out, (first, m, last)
