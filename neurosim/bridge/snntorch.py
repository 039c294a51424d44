"""Modules of snnTorch as layers of the bridge, and so as networks of the core."""

from typing import Any

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.bridge.layers import Flatten, Layer, LIFLayer, Sequential, SynapticLayer
from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError, UnsupportedError

NEURONS = ("Leaky", "RLeaky", "Synaptic", "RSynaptic")


def from_snntorch(module: Any, dt: float = 1.0) -> Sequential:
    """Return layers that send the spikes of an snnTorch network; `to_network` takes them into the core.

    tau_mem = -dt / ln(beta), tau_syn = -dt / ln(alpha). snnTorch's reset acts a step later: by subtraction it takes
    threshold / beta, to zero (of all but Leaky) it holds v at 0 for one more tick.

    Args:
        module: a `torch.nn.Sequential`, or any module whose children, in their order, are applied one after the other:
            Flatten, Linear, and after each Linear a Leaky, RLeaky, Synaptic or RSynaptic.
        dt: ms that a step shall stand for.

    Raises:
        UnsupportedError: a module, or an option of one, that has no exact counterpart; the message names it.
        ParameterError: module or dt does not fit.

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
    parts, linear = [], None
    for name, child in module.named_children():
        kind = type(child).__name__
        if linear is not None and kind not in NEURONS:
            raise _not_followed(linear[0], f"{kind} {name!r}")
        if kind == "Linear":
            linear = name, child
        elif kind in NEURONS:
            if linear is None:
                raise UnsupportedError(f"{kind} {name!r} must follow a Linear, whose weights it takes; got none")
            parts.append(_layer(linear[1], name, child, kind, dt))
            linear = None
        elif kind == "Flatten":
            parts.append(Flatten())
        elif kind not in ("Dropout", "Identity"):
            raise UnsupportedError(f"{kind} {name!r} has no counterpart: Linear, Flatten, {', '.join(NEURONS)} have")
    if linear is not None:
        raise _not_followed(linear[0], "nothing")
    if not any(isinstance(part, Layer) for part in parts):
        raise UnsupportedError(f"module must hold Linear and {NEURONS[0]} or their like as its children, got "
                               f"{type(module).__name__} without them")
    return Sequential(*parts)


def _not_followed(name, got):
    wanted = f"{', '.join(NEURONS[:-1])} or {NEURONS[-1]}"
    return UnsupportedError(f"Linear {name!r} must be followed by {wanted}, got {got}")


def _layer(linear: Any, name: str, neuron: Any, kind: str, dt: float) -> Layer:
    """Return one layer from a Linear and the neurons after it."""
    label = f"{kind} {name!r}"
    _check_options(label, neuron)
    n_in, n_out = linear.in_features, linear.out_features
    beta = _share(label, "beta", neuron.beta)
    values = {"tau_mem": -dt / np.log(beta), "v_threshold": _numbers(neuron.threshold)}
    late = bool(neuron.reset_delay)
    subtract = neuron.reset_mechanism == "subtract"
    if subtract:
        values["reset_by"] = values["v_threshold"] / beta
    if kind.endswith("Synaptic"):
        values["tau_syn"] = -dt / np.log(_share(label, "alpha", neuron.alpha))
    held = dt if late and not subtract and kind != "Leaky" else 0.0
    recurrent = kind.startswith("R")
    cls = SynapticLayer if kind.endswith("Synaptic") else LIFLayer
    layer = cls(n_in, n_out, dt=dt, bias=True, recurrent=recurrent, reset="subtract" if subtract else "to_value",
                t_ref=held, dtype=linear.weight.dtype, **values)
    bias = torch.zeros(n_out, dtype=linear.weight.dtype) if linear.bias is None else linear.bias
    with torch.no_grad():
        layer.weight.copy_(linear.weight.T)
        if recurrent:
            weight, more = _recurrent(label, neuron, n_out)
            layer.recurrent.copy_(weight)
            bias = bias + more
        layer.bias.copy_(bias)
    return layer


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


def _share(label, name, value):
    """Return a decay as snnTorch uses it, cut to 0 .. 1; it must be in between for a time constant to exist."""
    share = np.clip(_numbers(value), 0.0, 1.0)
    if (share <= 0).any() or (share >= 1).any():
        raise UnsupportedError(f"{label} must have 0 < {name} < 1, so that -dt / ln({name}) is a time constant, got "
                               f"{share.min():g} .. {share.max():g}")
    return share


def _numbers(value) -> np.ndarray:
    return np.asarray(torch.as_tensor(value).detach().cpu(), dtype=np.float64)
