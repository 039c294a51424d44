"""How a layer passes on what changes fast: its gain for inputs that go up and down."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.checks import check_number, check_numbers, check_whole, describe_value
from neurosim.errors import ParameterError


def frequency_response(run: Callable[[Any], Any], frequencies: Sequence[float], *, mean: float, amplitude: float,
                       n_in: int = 1, periods: int = 20, settle: int = 5, samples: int = 1, dt: float = 1.0,
                       dtype: Any = None) -> np.ndarray:
    """Return the gain at each frequency: the output's amplitude there by the input's, mean + amplitude sin(2 pi f t).

    The output is averaged over samples, which begin in phases spread over a period, and outputs; a spike train is so
    probed by its rate.

    Args:
        run: what is probed: takes inputs (ticks, samples, n_in), returns outputs (ticks, samples, ...), or these and a
            state, as layers do.
        frequencies: Hz, below half of the sampling rate.
        mean, amplitude: of the inputs.
        n_in: number of inputs, which all get the same.
        periods, settle: how many periods are looked at, and pass before.
        samples: how many are averaged.
        dt: length of a tick, ms.
        dtype: float type of the inputs.

    >>> from neurosim.bridge import LeakyIntegratorLayer
    >>> import torch
    >>> layer = LeakyIntegratorLayer(1, 1, tau_mem=20.0)
    >>> slow, fast = frequency_response(layer, [2.0, 50.0], mean=0.0, amplitude=1.0)
    >>> bool(slow > 5 * fast)
    True

    Source: Spiking neural networks need high-frequency information (Max-Former), NeurIPS 2025, asks for it.
    """
    if not callable(run):
        raise ParameterError(f"run must be a layer or another function of a tensor, got {describe_value(run)}")
    frequencies = check_numbers("frequencies", frequencies)
    if frequencies.ndim != 1:
        raise ParameterError(f"frequencies must be a list of numbers, Hz, got {describe_value(frequencies)}")
    mean = check_number("mean", mean)
    amplitude = check_number("amplitude", amplitude, "", above=0)
    samples = check_whole("samples", samples, at_least=1)
    gains = []
    for frequency in frequencies.tolist():
        if not 0 < check_number("frequency", frequency, "Hz", above=0) < 500.0 / dt:
            raise ParameterError(f"frequencies must be above 0 and below {500.0 / dt:g} Hz, half of one over the tick, "
                                 f"got {frequency:g}")
        period = 1e3 / frequency / dt
        first, ticks = round(settle * period), round(periods * period)
        t = np.arange(first + ticks)[:, None] + np.arange(samples) * period / samples
        wave = mean + amplitude * np.sin(2 * np.pi * t / period)
        x = torch.from_numpy(np.repeat(wave[:, :, None], n_in, axis=2)).to(dtype or torch.get_default_dtype())
        with torch.no_grad():
            out = run(x)
        out = (out[0] if isinstance(out, tuple) else out)[first:]
        out = out.reshape(*out.shape[:2], -1).double().mean(2).numpy()
        turn = np.exp(-2j * np.pi * t[first:] / period)
        waves = np.stack([turn.ravel().real, turn.ravel().imag, np.ones(turn.size)], axis=1)
        fit = np.linalg.lstsq(waves, out.ravel(), rcond=None)[0]  # exact also where a period ends within a tick
        gains.append(np.hypot(fit[0], fit[1]) / amplitude)
    return np.array(gains)
