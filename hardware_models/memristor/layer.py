"""A matrix of weights on crossbars: devices, wires and converters together."""

import numpy as np

from hardware_models.arrays import as_float, like
from hardware_models.memristor import mapping as maps
from hardware_models.memristor.circuit import CrossbarCircuit
from hardware_models.memristor.converters import Converter, exact_adc_bits
from hardware_models.memristor.device import Memristor
from hardware_models.memristor.equations import to_numpy
from neurosim.checks import describe_value
from neurosim.errors import ParameterError


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
        values = to_numpy(weights)
        if values.ndim != 2 or not values.size or not np.isfinite(values).all():
            raise ParameterError("CrossbarLayer.weights must be a matrix of finite numbers, got "
                                 f"{describe_value(values)}")
        if array is not None and (values.shape[0] > array[0] or values.shape[1] > array[1]):
            raise ParameterError(f"CrossbarLayer.weights must fit an array of {array[0]} x {array[1]}, got "
                                 f"{values.shape[0]} x {values.shape[1]}; cut the matrix into several layers")
        if device is None:
            device = Memristor(weight_max=float(np.abs(values).max()) or 1.0)
        if not isinstance(device, Memristor):
            raise ParameterError(f"CrossbarLayer.device must be a Memristor, got {describe_value(device)}")
        self.device, self.r_word, self.r_bit, self.aged = device, r_word, r_bit, 0.0
        self.input_bits, self.bits, self.dac, self.adcs = input_bits, bits, None, None
        self.ideal = values
        self._program(np.random.default_rng(seed))
        self._combine()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.ideal.shape

    @property
    def weights(self) -> np.ndarray:
        """The matrix that the arrays compute with, float64."""
        return self.slices[0] if len(self.slices) == 1 else sum(self.slices)

    def _program(self, generator):
        device, seed = self.device, generator.integers(2**63)
        device._check_range("weights", self.ideal, -device.weight_max, device.weight_max, "")
        self.shares = device.shares(self.ideal)
        self.conductances = [share.target if device.exact else
                             device.program_conductance(share.target, np.random.default_rng([seed, part]), part)
                             for part, share in enumerate(self.shares)]

    def _combine(self):
        """Put the matrices of the slices together from what the circuits of their arrays pass on."""
        self._kept = {}
        device, wires = self.device, self.r_word > 0 or self.r_bit > 0
        held = maps.held(self.ideal, device.weight_max, device.mapping, device.slices, device.slice_bits)
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
        self.slices = [sum(parts[s::device.slices]) for s in range(device.slices)]
        if device.mapping == "offset":
            self.slices[-1] = self.slices[-1] - device.weight_max

    def age(self, elapsed: float) -> "CrossbarLayer":
        """Let the devices drift for some ms; return the layer. Several calls give what one gives."""
        device = self.device
        self.conductances = [
            device.drift_conductance(g, share.target / device.g_max, elapsed, self.aged, part)
            for part, (g, share) in enumerate(zip(self.conductances, self.shares, strict=True))]
        self.aged += elapsed
        self._combine()
        if device.drift_compensation and np.abs(self.weights).sum() > 0:
            factor = np.abs(self.ideal).sum() / np.abs(self.weights).sum()
            self.slices = [part * factor for part in self.slices]
            self._kept = {}
        return self

    def calibrate(self, x, share: float = 1.0) -> "CrossbarLayer":
        """Set the ranges of the converters from inputs, shape (samples, rows); return the layer.

        Args:
            x: inputs such as those to come.
            share: of the values that the ranges hold; the rest is clipped.
        """
        x = to_numpy(x)
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
        if self.dac is None and self.input_bits is not None or self.adcs is None and self.bits is not None:
            raise ParameterError("CrossbarLayer must have the ranges of its converters: call calibrate(x) first")
        x = as_float(x)
        if self.dac is not None:
            x = self.dac(x)
        if self.adcs is None:
            matrix, variance = self._parts(x)[0]
            return self.device.matmul(x, matrix, generator, variance)
        y = 0
        for adc, (part, variance) in zip(self.adcs, self._parts(x, sliced=True), strict=True):
            y = y + adc(self.device.matmul(x, part, generator, variance))
        return y

    def _parts(self, x, sliced=False):
        """Return (matrix, variance of its reads) of each slice, or of all together, as x is; kept until they age."""
        key = sliced, type(x), x.dtype, getattr(x, "device", None)
        if key not in self._kept:
            parts = [like(part, x) for part in (self.slices if sliced else [self.weights])]
            self._kept[key] = [(part, None if self.device.read is None else self.device.read_variance(part))
                               for part in parts]
        return self._kept[key]

    def adc_loss(self) -> str:
        """Return a sentence that states how many bits an exact ADC needs, and how many are dropped."""
        rows, v, w = self.shape[0], self.input_bits, self.device.slice_bits
        exact = exact_adc_bits(rows, v or 1, w, signed=self.device.mapping == "differential")
        inputs = f"inputs of {v} bit{'s' * (v > 1)}" if v else "inputs of 1 bit at least (there is no DAC)"
        has = "this one is exact" if self.bits is None or self.bits >= exact else (
            f"this one has {self.bits} and drops {exact - self.bits}")
        return f"{rows} rows, {inputs}: an exact ADC needs {exact} bits for weights of {w} bit{'s' * (w > 1)}, {has}"

    def __repr__(self):
        return f"<crossbar layer of {self.shape[0]} x {self.shape[1]}, {self.device!r}>"


__all__ = ["CrossbarLayer"]
