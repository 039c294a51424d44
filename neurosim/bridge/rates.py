"""Leaky rate units with time constants of their own that learn with the weights."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.bridge.tensors import Named, check_generator, check_state, float_type, sequence, watch
from neurosim.checks import check_number, check_whole, describe_value
from neurosim.errors import ParameterError


class LeakyRates(torch.nn.Module):
    r"""Recurrent units that follow a function of what arrives, each at its own pace, for a whole sequence.

    r(t) = (1 - dt / tau) r(t-1) + dt / tau f(x(t) W + r(t-1) R + b), with r = 0 before the first tick. A unit with
    tau = dt has no memory of its own; with a larger one it holds what it was, besides what the network sends around. A
    step of training that takes a tau below dt is put back to dt.

    Args:
        n_in, n_out: numbers of inputs and units.
        tau: of the units before training, ms: a number >= dt, or one a unit.
        dt: length of a tick, ms.
        trainable: whether tau learns.
        function: f, of a tensor; a leaky rectifier of slope 0.1 below 0 by default.
        generator: of the first weights, a `torch.Generator`; by default PyTorch's own.
        dtype: float type; by default PyTorch's own.

    Raises:
        ParameterError: an argument does not fit.

    >>> import torch
    >>> layer = LeakyRates(1, 20, tau=[1.0] * 10 + [5.0] * 10)
    >>> layer(torch.ones(8, 4, 1)).shape
    torch.Size([8, 4, 20])

    Source: Khajehabdollahi, Zeraati, Giannakakis, Schaefer, Martius, Levina, Emergent mechanisms for long timescales
    depend on training curriculum and affect performance in memory tasks, ICLR 2024; in the authors' code f acts on the
    whole right side, with a slope of 0.01 below 0, and no unit reaches itself.
    """

    def __init__(self, n_in: int, n_out: int, *, tau: Any = 1.0, dt: float = 1.0, trainable: bool = True,
                 function: Callable[[Any], Any] | None = None, generator: Any = None, dtype: Any = None):
        super().__init__()
        self.n_in = check_whole("LeakyRates.n_in", n_in, at_least=1)
        self.n_out = check_whole("LeakyRates.n_out", n_out, at_least=1)
        self.dt = check_number("LeakyRates.dt", dt, "ms", above=0)
        given = np.asarray(tau, dtype=np.float64)
        if given.shape not in ((), (self.n_out,)) or not np.isfinite(given).all() or (given < self.dt).any():
            raise ParameterError(f"LeakyRates.tau must be a finite number >= dt, {self.dt:g} ms, or {self.n_out} of "
                                 f"them, got {describe_value(tau)}")
        if function is not None and not callable(function):
            raise ParameterError(f"LeakyRates.function must be a function of a tensor, got {describe_value(function)}")
        dtype = float_type("LeakyRates", dtype)
        check_generator("LeakyRates", generator)
        self.function = torch.nn.LeakyReLU(0.1) if function is None else function

        def drawn(n, share):
            return torch.nn.Parameter(torch.randn(n, self.n_out, generator=generator, dtype=dtype) * share)

        self.weight, self.recurrent = drawn(self.n_in, 1.0), drawn(self.n_out, 1.0 / math.sqrt(self.n_out))
        self.bias = torch.nn.Parameter(torch.zeros(self.n_out, dtype=dtype))
        self.tau = torch.nn.Parameter(torch.from_numpy(np.broadcast_to(given, (self.n_out,)).copy()).to(dtype),
                                      requires_grad=bool(trainable))

    def forward(self, x: Any, state: Any = None) -> Any:
        """Return the rates after each tick, shape (ticks, samples, units).

        Args:
            x: inputs, shape (ticks, samples, inputs).
            state: rates before the first tick, shape (samples, units); by default 0.
        """
        x = sequence("LeakyRates", x, self.n_in, self.weight)
        if state is not None:
            check_state("LeakyRates", (state,), [(x.shape[1], self.n_out)], self.weight)
        with torch.no_grad():
            self.tau.clamp_(min=self.dt)
        share = self.dt / self.tau
        r = x.new_zeros(x.shape[1], self.n_out) if state is None else state
        rates = []
        given = x @ self.weight + self.bias
        for arrives in given:
            r = (1.0 - share) * r + share * self.function(arrives + r @ self.recurrent)
            rates.append(r)
        out = torch.stack(rates) if rates else x.new_zeros(0, x.shape[1], self.n_out)
        watch(Named("LeakyRates"), given, out)
        return out
