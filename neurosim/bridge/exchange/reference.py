"""Graphs of NIR stepped in NumPy as their readers step them: what layers are compared with, written independently."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from neurosim.bridge.exchange.dialects import Dialect, parameters
from neurosim.bridge.extra import torch


def weighted(nodes: Sequence[Any], x: np.ndarray) -> np.ndarray:
    """Return what a chain of weights, convolutions and pools makes of inputs of shape (cases, ...)."""
    functional = torch.nn.functional
    for node in nodes:
        kind = type(node).__name__
        if kind in ("Affine", "Linear"):
            x = x @ np.asarray(node.weight, dtype=np.float64).T + np.asarray(getattr(node, "bias", 0.0))
        elif kind == "Scale":
            x = x * np.asarray(node.scale)
        elif kind == "Flatten":
            x = x.reshape(len(x), -1)
        else:
            given = torch.from_numpy(np.ascontiguousarray(x))
            if kind == "Conv2d":
                weight, bias = (torch.from_numpy(np.asarray(each, dtype=np.float64)) for each in
                                (node.weight, node.bias))
                made = functional.conv2d(given, weight, bias, pair(node.stride), padding(node), pair(node.dilation),
                                         int(np.asarray(node.groups)))
            else:
                made = functional.avg_pool2d(given, pair(node.kernel_size), pair(node.stride), padding(node),
                                             divisor_override=1 if kind == "SumPool2d" else None)
            x = made.numpy()
    return x


def stepped(node: Any, arrivals: np.ndarray, dialect: Dialect, step: float,
            back: Sequence[Any] | None = None) -> np.ndarray:
    """Return spikes, or v of what never spikes, of shape (steps, samples, neurons).

    Args:
        node: a neuron's node.
        arrivals: what reaches it, shape (steps, samples, ...).
        dialect: whose steps are taken.
        step: their length, s.
        back: the chain from its spikes to its input one step later.
    """
    shape = arrivals.shape[2:]
    p, run = parameters(node, shape), _exact if dialect.name == "plain" else _euler
    out, state, spikes = [], None, np.zeros((arrivals.shape[1], int(np.prod(shape))))
    for now in arrivals.reshape(*arrivals.shape[:2], -1):
        if back is not None:
            now = now + weighted(back, spikes.reshape(-1, *shape)).reshape(spikes.shape)
        spikes, state = run(type(node).__name__, p, now, state, step, dialect)
        out.append(spikes)
    return np.array(out)


def _exact(kind, p, x, state, step, dialect):
    """One step of NIR's equations, solved, with an impulse at its end."""
    if kind == "Threshold":
        return (x > p["threshold"]).astype(float), None
    leak = p.get("v_leak", 0.0)
    v, i = (np.zeros_like(x) + leak, np.zeros_like(x)) if state is None else state
    if kind in ("IF", "I"):
        v = v + p["r"] * step * x
    elif kind in ("LIF", "LI"):
        v = leak + (v - leak) * np.exp(-step / p["tau"]) + p["r"] / p["tau"] * step * x
    else:
        rates = np.zeros((x.shape[1], 2, 2))  # of (v - leak, i)
        rates[:, 0, 0], rates[:, 0, 1] = -1.0 / p["tau_mem"], p["r"] / p["tau_mem"]
        rates[:, 1, 1] = -1.0 / p["tau_syn"]
        after = np.einsum("nab,snb->sna", scipy.linalg.expm(rates * step), np.stack([v - leak, i], axis=-1))
        v, i = after[..., 0] + leak, after[..., 1] + p["w_in"] / p["tau_syn"] * step * x
    return _after(kind, p, v, i, v > p["v_threshold"] if kind in ("LIF", "CubaLIF", "IF") else None, p.get("v_reset"))


def _euler(kind, p, x, state, step, dialect):
    """One step as snnTorch, SpikingJelly and Norse take it."""
    name, leak = dialect.name, p.get("v_leak", 0.0)
    begin = p["v_reset"] if name == "spikingjelly" else leak
    v, i = (np.zeros_like(x) + begin, np.zeros_like(x)) if state is None else state
    if kind == "IF":
        v = v + (x if name == "norse" else p["r"] * step * x)
    elif kind == "LIF":
        v = v + step / p["tau"] * (leak - v + (x if name == "norse" else p["r"] * x))
    else:
        i = i + step / p["tau_syn"] * (p["w_in"] * x - i)
        v = v + step / p["tau_mem"] * (leak - v + p["r"] * i)
    spikes = v > p["v_threshold"] if dialect.strict else v >= p["v_threshold"]
    return _after(kind, p, v, i, spikes, p["v_reset"] if name == "spikingjelly" else 0.0)


def _after(kind, p, v, i, spikes, reset):
    if spikes is None:
        return v, (v, i)
    return spikes.astype(float), (np.where(spikes, reset, v), i)


def pair(value) -> tuple[int, int]:
    """Return two whole numbers of one or two."""
    first, last = np.ravel(np.asarray(value))[[0, -1]]
    return int(first), int(last)


def padding(node) -> Any:
    """Return the padding of a node: "same", "valid" or two whole numbers."""
    value = node.padding
    value = value.decode() if isinstance(value, bytes) else value
    return value if isinstance(value, str) else pair(value)
