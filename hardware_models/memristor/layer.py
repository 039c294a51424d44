"""A matrix of weights on crossbars: devices, wires and converters together."""

from typing import Any

import numpy as np

from hardware_models.arrays import aligned, as_float, like, namespace
from hardware_models.memristor.circuit import CrossbarCircuit, check_resistance
from hardware_models.memristor.converters import Converter, exact_adc_bits
from hardware_models.memristor.device import Memristor, check_times
from hardware_models.memristor.equations import to_numpy
from neurosim.checks import check_seed, check_whole, describe_value, is_whole
from neurosim.errors import ParameterError

NOT_BARE = None, None, False  #: matrix, its float type, whether it is numpy's: of a layer that is more than a product


class CrossbarLayer:
    r"""Weights programmed once into crossbars of their own for each device of a weight, and then read: y = x W.

    The array is linear, so that wires make another matrix of it, and exactly that: with T the transfer matrix of
    the circuit (`CrossbarCircuit.transfer`) and k the weight of a microsiemens,

        W = k (T+ - T-),   y = ADC(DAC(x) W + read noise).

    Where everything is off, W is the given matrix and y = x W, bit for bit. For a network of spiking neurons
    give `weights` to a projection, with the same device for its read noise.

    Args:
        weights: shape (rows, columns), within the device's weight_max.
        device: a `Memristor`; ideal by default, with weight_max as needed.
        array: largest number of rows and columns that an array has, or None.
        r_word, r_bit: ohm of a segment of wire.
        input_bits: of the DAC, or None.
        bits: of the ADC of each column (and slice), or None; see `adc_loss`.
        seed: of programming.

    Raises:
        ParameterError: an argument does not fit.

    >>> rng = np.random.default_rng(0)
    >>> w, x = rng.uniform(-1, 1, (64, 10)), rng.uniform(0, 1, (100, 64))
    >>> layer = CrossbarLayer(w, bits=6, input_bits=4).calibrate(x)
    >>> bool(np.abs(layer.forward(x) - x @ w).max() < 1.0)
    True
    >>> print(layer.adc_loss())
    64 rows, inputs of 4 bits: an exact ADC needs 11 bits for weights of 1 bit, this one has 6 and drops 5
    """

    def __init__(self, weights, device: Memristor | None = None, *, array=None, r_word: float = 0.0,
                 r_bit: float = 0.0, input_bits: int | None = None, bits: int | None = None, seed: int = 0):
        values = to_numpy(weights).copy()  # what is in the arrays does not change with what was given
        if values.ndim != 2 or not values.size or not np.isfinite(values).all():
            raise ParameterError("CrossbarLayer.weights must be a matrix of finite numbers, got "
                                 f"{describe_value(values)}")
        _check_options(array, input_bits, bits, seed)
        if array is not None and (values.shape[0] > array[0] or values.shape[1] > array[1]):
            raise ParameterError(f"CrossbarLayer.weights must fit an array of {array[0]} x {array[1]}, got "
                                 f"{values.shape[0]} x {values.shape[1]}; cut the matrix into several layers")
        if device is None:
            device = Memristor(weight_max=float(np.abs(values).max()) or 1.0)
        if not isinstance(device, Memristor):
            raise ParameterError(f"CrossbarLayer.device must be a Memristor, got {describe_value(device)}")
        self.r_word, self.r_bit = (check_resistance(f"CrossbarLayer.{name}", value)
                                   for name, value in (("r_word", r_word), ("r_bit", r_bit)))
        self.device, self.aged = device, 0.0
        self.input_bits, self.bits, self.dac, self.adcs = input_bits, bits, None, None
        self.ideal = values
        self._program(np.random.default_rng(seed))
        self._combine()
        self.written = np.abs(self.weights).sum()  # the sum of all sizes just after programming

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.ideal.shape

    @property
    def weights(self) -> np.ndarray:
        """The matrix that the arrays compute with, float64."""
        total = self.slices[0]
        for each in self.slices[1:]:
            total = total + each
        return total

    def _program(self, generator):
        device, seed = self.device, generator.integers(2**63)
        device.check_range("weights", self.ideal, -device.weight_max, device.weight_max, "")
        self.shares = device.shares(self.ideal)
        self.conductances = [share.target if device.exact else
                             device.program_conductance(share.target, np.random.default_rng([seed, part]), part)
                             for part, share in enumerate(self.shares)]

    def _combine(self):
        """Put the matrices of the slices together from what the circuits of their arrays pass on."""
        self._kept, self._bare = {}, NOT_BARE
        device, wires = self.device, self.r_word > 0 or self.r_bit > 0
        held = device.held(self.ideal)
        if device.exact and not wires and not self.aged:
            self.slices = [held]
            return
        passed = [CrossbarCircuit(g, self.r_word, self.r_bit).transfer() if wires else g for g in self.conductances]
        if device.slices == 1:
            self.slices = [held + sum(share.gain * (t - share.target)
                                      for share, t in zip(self.shares, passed, strict=True))]
            return
        base = [device.g_min] * len(passed)
        parts = [share.gain * (t - g) for share, t, g in zip(self.shares, passed, base, strict=True)]
        self.slices: list[Any] = [sum(parts[s::device.slices]) for s in range(device.slices)]
        if device.mapping == "offset":
            self.slices[-1] = self.slices[-1] - device.weight_max

    def age(self, elapsed: float) -> "CrossbarLayer":
        """Let the devices drift for some ms; return the layer. Several calls give what one gives.

        With drift compensation one factor brings the sum of all sizes back to what was read just after programming;
        errors that are no drift stay as they are.
        """
        device = self.device
        check_times("CrossbarLayer.age", elapsed)
        self.conductances = [
            device.drift_conductance(g, share.target / device.g_max, elapsed, self.aged, part)
            for part, (g, share) in enumerate(zip(self.conductances, self.shares, strict=True))]
        self.aged += elapsed
        self._combine()
        if device.drift_compensation and np.abs(self.weights).sum() > 0:
            factor = self.written / np.abs(self.weights).sum()
            self.slices = [part * factor for part in self.slices]
            self._kept, self._bare = {}, NOT_BARE
        return self

    def calibrate(self, x, share: float = 1.0) -> "CrossbarLayer":
        """Set the ranges of the converters from inputs, shape (samples, rows); return the layer.

        Args:
            x: inputs such as those to come.
            share: of the values that the ranges hold; the rest is clipped.
        """
        x = to_numpy(x)
        self._check_inputs("calibrate", x)
        if self.input_bits is not None:
            self.dac = Converter.calibrated(self.input_bits, x, share)
            x = self.dac(x)
        if self.bits is not None:
            self.adcs = [Converter.calibrated(self.bits, x @ part, share) for part in self.slices]
        return self

    def forward(self, x, generator=None):
        """Return what the layer gives for inputs of shape (..., rows): an array or a tensor.

        Raises:
            ParameterError: there are converters without ranges, or read noise without a generator.
        """
        matrix, real, host = self._bare
        if real is getattr(x, "dtype", 0) and (host or x.is_cpu):  # what is off costs no more than this look
            try:
                return x @ matrix
            except (ValueError, RuntimeError):  # of a shape that does not fit, as is told below
                pass
        if self.dac is None and self.input_bits is not None or self.adcs is None and self.bits is not None:
            raise ParameterError("CrossbarLayer must have the ranges of its converters: call calibrate(x) first")
        x = as_float(x)
        self._check_inputs("forward", x)
        if self.dac is not None:
            x = self.dac(x)
        if self.adcs is None:
            matrix, moments = self._parts(x)[0]
            if self.dac is None and moments is None:
                self._bare = matrix, matrix.dtype, namespace(x) is np
            return self.device.matmul(x, matrix, generator, moments)
        y = 0
        for adc, (part, moments) in zip(self.adcs, self._parts(x, sliced=True), strict=True):
            y = y + adc(self.device.matmul(x, part, generator, moments))
        return y

    def _check_inputs(self, what, x):
        if x.shape[-1:] != self.shape[:1]:
            raise ParameterError(f"CrossbarLayer.{what} must be given inputs of shape (..., {self.shape[0]}), got "
                                 f"{tuple(x.shape)}")

    def _parts(self, x, sliced=False):
        """Return (matrix, moments of its reads) of each slice, or of all together, as x is; kept until they age."""
        key = sliced, type(x), x.dtype, getattr(x, "device", None)
        if key not in self._kept:
            parts = [aligned(like(part, x)) for part in (self.slices if sliced else [self.weights])]
            self._kept[key] = [(part, None if self.device.read is None else self.device.read_moments(part))
                               for part in parts]
        return self._kept[key]

    def adc_loss(self) -> str:
        """Return a sentence that states how many bits an exact ADC needs, and how many are dropped."""
        rows, v, w = self.shape[0], self.input_bits, self.device.bits or 1
        exact = exact_adc_bits(rows, v or 1, w, signed=self.device.mapping == "differential")
        inputs = f"inputs of {v} bit{'s' * (v > 1)}" if v else "inputs of 1 bit at least (there is no DAC)"
        has = "this one is exact" if self.bits is None or self.bits >= exact else (
            f"this one has {self.bits} and drops {exact - self.bits}")
        return f"{rows} rows, {inputs}: an exact ADC needs {exact} bits for weights of {w} bit{'s' * (w > 1)}, {has}"

    def __repr__(self):
        return f"<crossbar layer of {self.shape[0]} x {self.shape[1]}, {self.device!r}>"


def _check_options(array, input_bits, bits, seed):
    """Refuse what is no size of an array, number of bits or seed."""
    if array is not None and not (isinstance(array, tuple) and len(array) == 2
                                  and all(is_whole(n) and n >= 1 for n in array)):
        raise ParameterError(f"CrossbarLayer.array must be None or a pair of whole numbers >= 1, rows and columns, got "
                             f"{describe_value(array)}")
    for name, value in (("input_bits", input_bits), ("bits", bits)):
        if value is not None:
            check_whole(f"CrossbarLayer.{name}", value, at_least=1, at_most=32)
    check_seed("CrossbarLayer.seed", seed)


__all__ = ["CrossbarLayer"]
