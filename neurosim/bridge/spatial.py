"""Layers whose inputs come through convolutions and pooling, and these as sparse matrices for the core."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse

from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import JUMP, Kind
from neurosim.bridge.layers import Layer, LIFLayer
from neurosim.bridge.sequence import Coefficients, State, compiled, plain
from neurosim.bridge.surrogates import FastSigmoid
from neurosim.bridge.tensors import check_parameters, numbers, sample_shape, shown, whole_lengths
from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError, UnsupportedError

SPATIAL = ("Conv2d", "AvgPool2d", "MaxPool2d")
SUMS = ("Conv2d", "AvgPool2d", "Linear")  #: whose results nobody needs for a gradient
PASSED = ("Dropout", "Identity", "Flatten")  #: what changes no number when a network is used


class StructuredLayer(Layer):
    """Neurons whose inputs come through modules of PyTorch, such as a convolution, instead of one full matrix.

    Inputs and outputs are flat, in the order channel, row, column. What the modules give at each place goes to neurons
    with the parameters of its channel: a parameter is one number or one a channel.

    Args:
        modules: `torch.nn.Conv2d`, `AvgPool2d`, `MaxPool2d`, `Flatten`, `Linear`, ..., applied one after the other.
        shape: of one sample at one tick, (channels, rows, columns).
        cells: the class of the layer that the neurons are of, such as `LIFLayer`.
        options: its other arguments; a bias belongs to the modules.

    Raises:
        ParameterError: the modules do not take this shape, or an argument does not fit.

    >>> import torch
    >>> layer = StructuredLayer([torch.nn.Conv2d(2, 4, 3), torch.nn.AvgPool2d(2)], (2, 8, 8), tau_mem=10.0)
    >>> layer.n_in, layer.shape_out, layer(torch.zeros(5, 1, 2, 8, 8))[0].shape
    (128, (4, 3, 3), torch.Size([5, 1, 36]))

    Source: Fang et al., Incorporating learnable membrane time constant, ICCV 2021.
    """

    def __init__(self, modules: Sequence[Any], shape: Sequence[int], cells: type[Layer] = LIFLayer, **options: Any):
        torch.nn.Module.__init__(self)
        if not isinstance(modules, (list, tuple, torch.nn.Sequential, torch.nn.ModuleList)) or not all(
                isinstance(each, torch.nn.Module) for each in modules):
            raise ParameterError("StructuredLayer.modules must be a list of modules of PyTorch, got "
                                 f"{describe_value(modules)}")
        if not isinstance(cells, type) or not issubclass(cells, Layer):
            raise ParameterError(f"StructuredLayer.cells must be a class of layers such as LIFLayer, got "
                                 f"{describe_value(cells)}")
        self.chain = torch.nn.Sequential(*modules)
        self.shape_in = sample_shape("StructuredLayer", shape)
        self.shape_out = _shape_after(self.chain, self.shape_in)
        if options.get("bias"):
            raise ParameterError("StructuredLayer.bias must be left to its modules, got True")
        if options.get("delays") is not None:
            raise ParameterError("StructuredLayer.delays must be None: delays belong to the inputs of a full matrix")
        channels, self.places = self.shape_out[0], math.prod(self.shape_out[1:])
        dtype = _dtype(self.chain, options.get("dtype"))
        self.cells = cells(channels, channels, **options | {"dtype": dtype})
        self.cells.weight.requires_grad_(False).copy_(torch.eye(channels, dtype=dtype))
        self.cells.arrivals = torch.clone  # a product with these weights changes nothing
        self.n_in, self.n_out = math.prod(self.shape_in), channels * self.places
        self.dt, self.t_ref, self.reset, self.has_bias = self.cells.dt, self.cells.t_ref, self.cells.reset, False
        self.delays = None
        self.input, self.spiking, self.adaptive = self.cells.input, self.cells.spiking, self.cells.adaptive
        self.leaky = self.cells.leaky

    @property
    def kind(self) -> Kind:
        """What the neurons are."""
        return self.cells.kind

    def value(self, name: str) -> Any:
        """Return a parameter of the neurons, shape (neurons,)."""
        return self.cells.value(name).repeat_interleave(self.places)

    def initial(self, samples: int) -> State:
        """Return the state before the first tick."""
        return self._outside(self.cells.initial(samples * self.places), samples)

    def coefficients(self) -> Coefficients:
        """Return what a tick multiplies and compares with, each of shape (neurons,)."""
        return Coefficients(*(each.repeat_interleave(self.places) for each in self.cells.coefficients()))

    def forward(self, x: Any, state: State | None = None, lengths: Any = None) -> tuple[Any, State]:
        """Return spikes of shape (ticks, samples, neurons), and the state after; see `Layer.forward`."""
        x = numbers(type(self).__name__, _flat(self, x), self.cells.weight)
        ticks, samples = x.shape[:2]
        check_parameters(self.named.owner, self)
        arrivals = self.chain(x.reshape(ticks * samples, *self.shape_in)).reshape(ticks, samples, self.n_out)
        lengths = whole_lengths(lengths, ticks, samples, arrivals.device)
        state = self.initial(samples) if state is None else state
        self._check_state(state, samples, self.cells.weight)
        if self.kind.recurrent:
            return self._by_places(arrivals, state, lengths)
        if not torch.isfinite(arrivals.sum()) and not torch.isfinite(arrivals).all():
            raise ParameterError(f"what the modules of {type(self).__name__} give must be finite numbers, got infinite "
                                 "or undefined ones")
        if not self.chain or type(self.chain[-1]).__name__ not in SUMS:
            arrivals = arrivals.clone()  # the module may need it for its gradient, and the neurons write over it
        none = arrivals.new_zeros(0, 0)
        run = compiled if arrivals.device.type == "cpu" else plain
        return run(self.kind, arrivals, arrivals.new_zeros(self.n_out), none, self.coefficients(), state, lengths,
                   self.named)

    def _by_places(self, arrivals, state, lengths):
        """Return the same where channels reach each other: each place is a sample of neurons of its own."""
        ticks, samples = arrivals.shape[:2]
        state = State(*(self._inside(each) for each in state[:5]))
        self.cells.label, self.cells.first_tick, self.cells.per_sample = self.named.owner, self.first_tick, self.places
        out, after = self.cells(self._inside(arrivals), state, lengths.repeat_interleave(self.places))
        out = out.reshape(ticks, samples, self.places, -1).transpose(2, 3).reshape(ticks, samples, self.n_out)
        return out, self._outside(after, samples)

    def _inside(self, values):
        """Return (..., samples, neurons) with each place as a sample of its own."""
        parts = values.reshape(*values.shape[:-1], -1, self.places).transpose(-1, -2)
        return parts.reshape(*values.shape[:-2], -1, self.shape_out[0])

    def _outside(self, state, samples):
        return State(*(each.reshape(samples, self.places, -1).transpose(1, 2).reshape(samples, self.n_out)
                       for each in state[:5]))

    def incoming(self) -> tuple[scipy.sparse.csr_array, np.ndarray]:
        """Return the weights of all synapses, a sparse matrix of shape (inputs, neurons), and the jump at every tick.

        Raises:
            UnsupportedError: a module is not linear.
        """
        return linear_map(self.chain, self.shape_in)

    def returning(self) -> scipy.sparse.csr_array:
        """Return the weights of the layer's own spikes, a sparse matrix of shape (neurons, neurons)."""
        own = self.cells.recurrent.detach().cpu().numpy().astype(np.float64)
        return scipy.sparse.csr_array(scipy.sparse.kron(own, scipy.sparse.eye_array(self.places)))

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.shape_in} to {self.shape_out}, dt={self.dt:g}"


class MaxPoolLayer(Layer):
    """Sends a spike where any input of its window does: max-pooling of spikes, which has no state.

    Args:
        shape: of one sample at one tick, (channels, rows, columns).
        kernel_size, stride, padding, dilation: those of `torch.nn.MaxPool2d`.
        dt: length of a tick, ms.

    >>> import torch
    >>> MaxPoolLayer((1, 2, 2), 2)(torch.tensor([[[0.0, 1.0, 0.0, 0.0]]]))[0]
    tensor([[[1.]]])

    Source: Guo, Chen, Huang, SNNs need high-frequency information (Max-Former), NeurIPS 2025.
    """

    def __init__(self, shape: Sequence[int], kernel_size: Any, stride: Any = None, padding: Any = 0,
                 dilation: Any = 1, dt: float = 1.0):
        torch.nn.Module.__init__(self)
        self.pool = torch.nn.MaxPool2d(kernel_size, stride, padding, dilation)
        self.shape_in = sample_shape("MaxPoolLayer", shape)
        self.shape_out = _shape_after(self.pool, self.shape_in)
        self.n_in, self.n_out = math.prod(self.shape_in), math.prod(self.shape_out)
        self.dt = check_number("MaxPoolLayer.dt", dt, "ms", above=0)
        self.t_ref, self.reset, self.has_bias, self.delays = 0.0, "to_value", False, None
        self.kind = Kind(JUMP, True, False, False, True, 0, False, FastSigmoid())

    @property
    def names(self) -> list[str]:
        """No parameters."""
        return []

    def value(self, name: str) -> Any:
        """Return what relays of the core have: any input passes half of the weight of one."""
        known = {"tau_mem": self.dt, "v_threshold": 0.5, "v_reset": 0.0, "v_initial": 0.0}
        return torch.full((self.n_out,), known[name], dtype=torch.float64)

    def initial(self, samples: int) -> State:
        """Return a state of zeros."""
        none = torch.zeros(samples, self.n_out)
        return State(none, none, none, none, none.to(torch.int64))

    def forward(self, x: Any, state: State | None = None, lengths: Any = None) -> tuple[Any, State]:
        """Return the spikes that pass, and a state of zeros; after its last tick a sample's output is 0."""
        x = _flat(self, x)
        if ((x != 0) & (x != 1)).any():
            raise ParameterError("input of MaxPoolLayer must be spikes, 0 or 1, got other numbers; pool those with "
                                 "torch.nn.MaxPool2d in a StructuredLayer")
        ticks, samples = x.shape[:2]
        out = self.pool(x.reshape(ticks * samples, *self.shape_in)).reshape(ticks, samples, self.n_out)
        if lengths is not None:
            lengths = whole_lengths(lengths, ticks, samples, x.device)
            alive = torch.arange(ticks, device=x.device)[:, None] < lengths[None]
            out = out * alive[:, :, None].to(out)
        if state is not None:
            self._check_state(state, samples, state.v if isinstance(state, State) else x)
        else:
            state = State(*(None if each is None else each.to(x.device) for each in self.initial(samples)))
        return out, state

    def incoming(self) -> tuple[scipy.sparse.csr_array, np.ndarray]:
        """Return a weight of 1 from each input of a window, shape (inputs, neurons), and no jumps."""
        found = _windows(self.pool, self.shape_in, np.ones(self.shape_in[0]), depthwise=True)
        return found, np.zeros(self.n_out)

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.shape_in} to {self.shape_out}"


def _flat(layer, x):
    """Return inputs as (ticks, samples, inputs)."""
    if isinstance(x, torch.Tensor) and x.dim() == 5 and tuple(x.shape[2:]) == layer.shape_in:
        x = x.flatten(2)
    if not isinstance(x, torch.Tensor) or x.dim() != 3 or x.shape[2] != layer.n_in:
        raise ParameterError(f"input of {type(layer).__name__} must be a tensor of shape (ticks, samples, {layer.n_in})"
                             f" or (ticks, samples, {', '.join(map(str, layer.shape_in))}), got {shown(x)}")
    return x


def _dtype(chain, given):
    kinds = {parameter.dtype for parameter in chain.parameters()} | ({given} - {None})
    if len(kinds) > 1:
        raise ParameterError("StructuredLayer: modules and dtype must be of one float type, got "
                             f"{', '.join(sorted(map(str, kinds)))}")
    return kinds.pop() if kinds else torch.get_default_dtype()


def _shape_after(chain, shape) -> tuple[int, ...]:
    """Return the shape of one sample after some modules."""
    shape = tuple(int(each) for each in shape)
    dtype = next((parameter.dtype for parameter in chain.parameters()), torch.get_default_dtype())
    try:
        with torch.no_grad():
            after = chain(torch.zeros(1, *shape, dtype=dtype))
    except (RuntimeError, ValueError, IndexError) as error:
        raise ParameterError(f"modules must take a sample of shape {shape}, got one that they refuse: "
                             f"{str(error).splitlines()[0]}") from None
    return tuple(after.shape[1:])


# ---------------------------------------------------------------------------------------------------------------------
# As matrices
# ---------------------------------------------------------------------------------------------------------------------

def linear_map(modules: Any, shape: Sequence[int]) -> tuple[scipy.sparse.csr_array, np.ndarray]:
    """Return what linear modules do to one sample: x @ matrix + constant, both flat, in float64.

    Args:
        modules: `torch.nn.Conv2d` with zeros around, `AvgPool2d`, `Linear`, `Flatten`, `Dropout`, `Identity`.
        shape: of a sample.

    Raises:
        UnsupportedError: a module is not linear, or has an option that is not known here.

    >>> import torch
    >>> matrix, constant = linear_map([torch.nn.AvgPool2d(2)], (1, 2, 2))
    >>> matrix.toarray().ravel(), constant
    (array([0.25, 0.25, 0.25, 0.25]), array([0.]))
    """
    shape = tuple(shape)
    matrix = scipy.sparse.eye_array(math.prod(shape), format="csr")
    constant = np.zeros(math.prod(shape))
    for module in modules:
        kind = type(module).__name__
        step, more = _one_map(module, kind, shape)
        if step is not None:
            matrix, constant = scipy.sparse.csr_array(matrix @ step), constant @ step + more
        shape = _shape_after(module, shape)
    return matrix, constant


def _one_map(module, kind, shape):
    """Return matrix and constant of one module; no matrix where it changes nothing."""
    if kind in PASSED:
        return None, 0.0
    bias = 0.0 if getattr(module, "bias", None) is None else _numbers(module.bias)
    if kind == "Linear":
        return scipy.sparse.csr_array(_numbers(module.weight).T), bias
    if kind == "Conv2d":
        if module.padding_mode != "zeros":
            raise UnsupportedError(f"Conv2d must have padding_mode='zeros', got {module.padding_mode!r}")
        out = _shape_after(module, shape)
        return _windows(module, shape, _numbers(module.weight)), np.repeat(bias * np.ones(out[0]), math.prod(out[1:]))
    if kind == "AvgPool2d":
        if module.ceil_mode or module.divisor_override is not None or (
                np.any(module.padding) and not module.count_include_pad):
            raise UnsupportedError("AvgPool2d must have ceil_mode=False, divisor_override=None and count_include_pad="
                                   "True")
        share = 1.0 / math.prod(_pair(module.kernel_size))
        return _windows(module, shape, np.full(shape[0], share), depthwise=True), 0.0
    if kind == "MaxPool2d":
        raise UnsupportedError("MaxPool2d of currents has no counterpart in the core, whose synapses add; pool the "
                               "spikes instead: put MaxPool2d after the neurons")
    raise UnsupportedError(f"{kind} has no counterpart in the core: {', '.join(SPATIAL[:2])}, Linear, Flatten have")


def _windows(module, shape, weights, depthwise=False) -> scipy.sparse.csr_array:
    """Return the matrix of a sliding window: a weight for each channel, or for each (out, in, row, column)."""
    kernel, stride, dilation = (_pair(getattr(module, name, 1)) for name in ("kernel_size", "stride", "dilation"))
    before = _padding(module, kernel, dilation)
    channels, rows, columns = shape
    out = _shape_after(module, shape)
    groups = channels if depthwise else module.groups
    entries = []
    for a, b in itertools.product(range(kernel[0]), range(kernel[1])):
        y = np.arange(out[1]) * stride[0] - before[0] + a * dilation[0]
        x = np.arange(out[2]) * stride[1] - before[1] + b * dilation[1]
        oy, ox = (each.ravel() for each in np.meshgrid(np.flatnonzero((y >= 0) & (y < rows)),
                                                       np.flatnonzero((x >= 0) & (x < columns)), indexing="ij"))
        here, there = oy * out[2] + ox, y[oy] * columns + x[ox]
        for target in range(out[0]):
            group = target * groups // out[0]
            for k in range(channels // groups):
                value = weights[target] if depthwise else weights[target, k, a, b]
                source = group * (channels // groups) + k
                entries.append((source * rows * columns + there, target * out[1] * out[2] + here,
                                np.full(here.size, value)))
    source, target, values = (np.concatenate(each) for each in zip(*entries, strict=True))
    return scipy.sparse.csr_array((values, (source, target)), shape=(math.prod(shape), math.prod(out)))


def _padding(module, kernel, dilation) -> tuple[int, int]:
    """Return how many zeros lie before the first row and column."""
    if module.padding == "valid":
        return 0, 0
    if module.padding == "same":
        return tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    return _pair(module.padding)


def _pair(value) -> tuple[int, int]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _numbers(tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
