"""Modules of snnTorch as layers of the bridge, and so as networks of the core."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.bridge.layers import Flatten, Layer, LIFLayer, Sequential, SynapticLayer
from neurosim.bridge.spatial import MaxPoolLayer, StructuredLayer
from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError, UnsupportedError

NEURONS = ("Leaky", "RLeaky", "Synaptic", "RSynaptic")
READ = ("Linear", "Conv2d", "AvgPool2d", "MaxPool2d", "Flatten")


def from_snntorch(module: Any, dt: float = 1.0, *, shape: Sequence[int] | None = None) -> Sequential:
    """Return layers that send the spikes of an snnTorch network; `to_network` takes them into the core.

    tau_mem = -dt / ln(beta), tau_syn = -dt / ln(alpha). snnTorch's reset acts a step later: by subtraction it takes
    threshold / beta, to zero (of all but Leaky) it holds v at 0 for one more tick.

    Args:
        module: a `torch.nn.Sequential`, or any module whose children, in their order, are applied one after the other:
            Linear, Conv2d, AvgPool2d, MaxPool2d, Flatten, and after them a Leaky, RLeaky, Synaptic or RSynaptic.
        dt: ms that a step shall stand for.
        shape: of one sample at one step, (channels, rows, columns); needed where a Conv2d or a pool comes first.

    Raises:
        UnsupportedError: a module, or an option of one, that has no exact counterpart; the message names it.
        ParameterError: module, dt or shape does not fit.

    >>> import torch
    >>> from_snntorch(torch.nn.Sequential(torch.nn.Linear(3, 2)))
    Traceback (most recent call last):
    ...
    neurosim.errors.UnsupportedError: Linear '0' must be followed by Leaky, RLeaky, Synaptic or RSynaptic, got nothing

    Source: measured with snnTorch 1.0.0, docs/bridge.md.
    """
    dt = check_number("dt", dt, "ms", above=0)
    if not isinstance(module, torch.nn.Module):
        raise ParameterError(f"module must be a torch.nn.Module, got {describe_value(module)}")
    parts, waiting, shape = [], [], None if shape is None else tuple(shape)
    for name, child in module.named_children():
        kind = type(child).__name__
        if kind in NEURONS:
            parts += _parts(waiting, name, child, kind, dt, shape)
            waiting, shape = [], _shape_after(parts[-1])
        elif kind in READ:
            waiting.append((name, child))
        elif kind not in ("Dropout", "Identity"):
            known = ", ".join((*READ, *NEURONS))
            raise UnsupportedError(f"{kind} {name!r} has no counterpart: {known} have")
    ending, left = _pools(waiting, dt, shape)
    left = [each for each in left if type(each[1]).__name__ != "Flatten"]
    if left:
        raise UnsupportedError(f"{type(left[0][1]).__name__} {left[0][0]!r} must be followed by "
                               f"{', '.join(NEURONS[:-1])} or {NEURONS[-1]}, got nothing")
    parts += ending
    if not any(isinstance(part, Layer) for part in parts):
        raise UnsupportedError(f"module must hold Linear and {NEURONS[0]} or their like as its children, got "
                               f"{type(module).__name__} without them")
    return Sequential(*parts)


def _shape_after(part):
    return getattr(part, "shape_out", (part.n_out,))


def _pools(waiting, dt, shape) -> tuple[list, list]:
    """Return layers for the max-pools of spikes that come first, and the modules that are left."""
    parts, left = [], list(waiting)
    while left and type(left[0][1]).__name__ == "MaxPool2d":
        name, pool = left.pop(0)
        if pool.ceil_mode or pool.return_indices:
            raise UnsupportedError(f"MaxPool2d {name!r} must have ceil_mode=False and return_indices=False")
        parts.append(MaxPoolLayer(_checked(shape, name, pool), pool.kernel_size, pool.stride, pool.padding,
                                  pool.dilation, dt))
        shape = parts[-1].shape_out
    return parts, left


def _parts(waiting, name, neuron, kind, dt, shape) -> list:
    """Return the layers of some modules and the neurons after them."""
    parts, waiting = _pools(waiting, dt, shape)
    shape = parts[-1].shape_out if parts else shape
    kinds = [type(child).__name__ for _, child in waiting]
    if not set(kinds) - {"Flatten"}:
        raise UnsupportedError(f"{kind} {name!r} must follow a Linear or Conv2d, whose weights it takes; got none")
    if kinds[-1] == "Linear" and set(kinds[:-1]) <= {"Flatten"}:
        return [*parts, *(Flatten() for _ in kinds[:-1]), _layer(waiting[-1][1], name, neuron, kind, dt)]
    return [*parts, _structured(waiting, name, neuron, kind, dt, _checked(shape, *waiting[0]))]


def _checked(shape, name, module):
    """Return the shape of a sample before a module that needs to know it."""
    if shape is None:
        raise ParameterError(f"shape must be given, that of one sample at one step (channels, rows, columns), since "
                             f"{type(module).__name__} {name!r} comes before any neurons")
    return shape


def _layer(linear: Any, name: str, neuron: Any, kind: str, dt: float) -> Layer:
    """Return one layer from a Linear and the neurons after it."""
    label = f"{kind} {name!r}"
    cls, options = _options(label, kind, neuron, dt, linear.out_features)
    layer = cls(linear.in_features, linear.out_features, bias=True, dtype=linear.weight.dtype, **options)
    bias = torch.zeros(layer.n_out, dtype=linear.weight.dtype) if linear.bias is None else linear.bias
    with torch.no_grad():
        layer.weight.copy_(linear.weight.T)
        if options["recurrent"]:
            weight, more = _recurrent(label, neuron, layer.n_out)
            layer.recurrent.copy_(weight)
            bias = bias + more
        layer.bias.copy_(bias)
    return layer


def _structured(waiting, name, neuron, kind, dt, shape) -> StructuredLayer:
    """Return one layer from a Conv2d, pools and the like, and the neurons after them."""
    label, modules = f"{kind} {name!r}", [deepcopy(child) for _, child in waiting]
    after = StructuredLayer(modules, shape).shape_out
    cls, options = _options(label, kind, neuron, dt, after[0])
    layer = StructuredLayer(modules, shape, cls, **options)
    if options["recurrent"]:
        if neuron.all_to_all and layer.places > 1:
            raise UnsupportedError(f"{label} after a Conv2d must have all_to_all=False, got True")
        weight, more = _recurrent(label, neuron, after[0])
        if np.any(_numbers(more)):
            raise UnsupportedError(f"{label} must have a recurrent Linear without bias where a pool comes before")
        with torch.no_grad():
            layer.cells.recurrent.copy_(weight)
    return layer


def _options(label, kind, neuron, dt, n) -> tuple[type[Layer], dict[str, Any]]:
    """Return the class of the layer with the equations of a neuron, and its arguments."""
    _check_options(label, neuron)
    beta = _share(label, "beta", neuron.beta, n)
    values = {"tau_mem": -dt / np.log(beta), "v_threshold": _each(label, "threshold", neuron.threshold, n)}
    late = bool(neuron.reset_delay)
    subtract = neuron.reset_mechanism == "subtract"
    if subtract:
        values["reset_by"] = values["v_threshold"] / beta
    if kind.endswith("Synaptic"):
        values["tau_syn"] = -dt / np.log(_share(label, "alpha", neuron.alpha, n))
    held = dt if late and not subtract and kind != "Leaky" else 0.0
    return SynapticLayer if kind.endswith("Synaptic") else LIFLayer, values | {
        "dt": dt, "recurrent": kind.startswith("R"), "reset": "subtract" if subtract else "to_value", "t_ref": held}


def _check_options(label, neuron):
    """Refuse what a layer could only approximate."""
    if neuron.reset_mechanism not in ("subtract", "zero"):
        raise UnsupportedError(f"{label} must be reset by 'subtract' or to 'zero', got {neuron.reset_mechanism!r}")
    if not neuron.reset_delay and label.startswith("RSynaptic"):
        raise UnsupportedError(f"{label} must have reset_delay=True: False is without effect in snnTorch 1.0.0, whose "
                               "forward changes a name of its own instead of the membrane")
    if not neuron.reset_delay and neuron.reset_mechanism == "subtract":
        raise UnsupportedError(f"{label} must have reset_delay=True: with False, 'subtract' raises the threshold of "
                               "the next step where a spike leaves v above it; use 'zero', or the delayed reset")
    if neuron.inhibition:
        raise UnsupportedError(f"{label} must have inhibition=False, got True: only one neuron of a layer would spike")
    if neuron.state_quant:
        raise UnsupportedError(f"{label} must have state_quant=False: the core does not round states to steps")
    if (_numbers(neuron.graded_spikes_factor) != 1.0).any():
        raise UnsupportedError(f"{label} must have graded_spikes_factor=1; multiply the next layer's weights by it")


def _recurrent(label, neuron, n):
    """Return the recurrent weights, (source, target), and what they add at every step."""
    if not neuron.all_to_all:
        return torch.diag(neuron.V.detach().expand(n)), 0.0
    if not isinstance(neuron.recurrent, torch.nn.Linear):
        raise UnsupportedError(f"{label} must have a Linear as its recurrent part, got "
                               f"{type(neuron.recurrent).__name__}")
    bias = neuron.recurrent.bias
    return neuron.recurrent.weight.T, 0.0 if bias is None else bias


def _share(label, name, value, n):
    """Return a decay as snnTorch uses it, cut to 0 .. 1; it must be in between for a time constant to exist."""
    share = np.clip(_each(label, name, value, n), 0.0, 1.0)
    if (share <= 0).any() or (share >= 1).any():
        raise UnsupportedError(f"{label} must have 0 < {name} < 1, so that -dt / ln({name}) is a time constant, got "
                               f"{share.min():g} .. {share.max():g}")
    return share


def _each(label, name, value, n):
    """Return a parameter as one number, or one for each of n neurons or channels."""
    numbers = _numbers(value)
    if numbers.size in (1, n) and (numbers.ndim < 2 or numbers.shape[0] == numbers.size):
        return numbers.reshape(-1)
    raise UnsupportedError(f"{label} must have one {name}, or {n}, one for each neuron or channel, got shape "
                           f"{numbers.shape}")


def _numbers(value) -> np.ndarray:
    return np.asarray(torch.as_tensor(value).detach().cpu(), dtype=np.float64)
