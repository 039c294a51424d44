"""Bessel filters for what a decoder puts out: with the past alone, with all of the future, or with a little of it."""

from typing import Any, Literal

import numpy as np

from neurosim.checks import check_number, check_whole, describe_value
from neurosim.errors import ParameterError


def bessel(values: Any, cutoff: float, dt: float, *, mode: Literal["causal", "zero_phase", "block"] = "zero_phase",
           block: int = 16, order: int = 4) -> np.ndarray:
    """Return signals after a low-pass filter of Bessel's, whose group delay is flat.

    causal: filtered forward, which delays slow signals by order / (8 cutoff); zero_phase: forward, then all of it
    backward, which delays nothing and needs the whole recording; block: forward, then at each time backward over the
    `block` steps that follow, which is known `block` steps late and approaches zero_phase as block grows.

    Args:
        values: shape (steps, ...).
        cutoff: Hz, at which the phase is halfway, > 0 and below half of the sampling rate.
        dt: ms of a step.
        mode: "causal", "zero_phase" or "block".
        block: steps that the backward pass of "block" looks ahead, >= 1.
        order: of the filter, of each pass, >= 1.

    Raises:
        ParameterError: an argument does not fit.

    >>> bessel(np.ones((50, 2)), cutoff=3.0, dt=50.0, mode="causal").round(9).min()
    np.float64(1.0)

    Source: Thomson, Proc. IEE 96 (1949) 487; in blocks, for decoders: Zhou, Sun, Basu, Combining SNNs with filtering
    for efficient neural decoding in implantable brain-machine interfaces, arXiv 2312.15889; the form of the blocks and
    the order are our own choice.
    """
    from scipy.signal import bessel as design
    from scipy.signal import sosfilt, sosfilt_zi, sosfiltfilt

    values = np.asarray(values, dtype=np.float64)
    if values.ndim < 1 or not np.isfinite(values).all():
        raise ParameterError(f"values must be finite numbers of shape (steps, ...), got {describe_value(values)}")
    dt = check_number("dt", dt, "ms", above=0)
    cutoff = check_number("cutoff", cutoff, "Hz", above=0, below=500.0 / dt)
    order, block = check_whole("order", order, at_least=1), check_whole("block", block, at_least=1)
    if mode not in ("causal", "zero_phase", "block"):
        raise ParameterError(f"mode must be 'causal', 'zero_phase' or 'block', got {describe_value(mode)}")
    if not len(values):
        return values
    sections = design(order, cutoff, output="sos", norm="phase", fs=1000.0 / dt)
    rest = sosfilt_zi(sections)  # of a signal that has always been 1

    def forward(signals):
        start = rest.reshape(*rest.shape, *[1] * (signals.ndim - 1)) * signals[0]
        return sosfilt(sections, signals, axis=0, zi=start)[0]

    if mode == "causal":
        return forward(values)
    if mode == "zero_phase":
        return sosfiltfilt(sections, values, axis=0, padlen=0)
    once = forward(values)
    ahead = np.concatenate([once, np.repeat(once[-1:], block, axis=0)])
    windows = np.lib.stride_tricks.sliding_window_view(ahead, block + 1, axis=0)  # (steps, ..., block + 1)
    return forward(np.moveaxis(windows, -1, 0)[::-1])[-1]
