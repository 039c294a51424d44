"""From a graph of NIR to layers."""

import os
from typing import Any

import numpy as np

from neurosim.bridge.exchange.dialects import Cell, Dialect, cell_of, dialect_of, objections
from neurosim.bridge.exchange.extra import nir
from neurosim.bridge.exchange.graphs import Stage, flat, input_shape, stages
from neurosim.bridge.exchange.reference import padding, pair, weighted
from neurosim.bridge.exchange.report import Conformance, Exchange, difference, row
from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import CURRENT, JUMP
from neurosim.bridge.layers import CurrentLIFLayer, Layer, LeakyIntegratorLayer, LIFLayer, Sequential, SynapticLayer
from neurosim.bridge.spatial import StructuredLayer
from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.files import reading

NEVER, AT_ONCE = 1e18, 1e-3  #: time constants in steps that leave all of v, and nothing of it: exp(-1 / 1e18) is 1


def from_nir(graph: Any, *, dt: float | None = None, dialect: str | None = None, allow_lossy: bool = False,
             dtype: Any = None) -> Exchange:
    """Return layers that do what a graph of NIR does as a reader of NIR steps it.

    plain: NIR's equations solved for steps of dt, an input of 1 being an impulse of 1 times dt at the end of its step.
    snntorch, spikingjelly, norse: their steps of Euler. `to_network(from_nir(...).net)` takes them into the core.

    Args:
        graph: a `nir.NIRGraph`, or the path of a file.
        dt: ms of a step. "plain", "spikingjelly" and "norse" step with it; snnTorch's steps are of 0.1 ms, and dt says
            what one shall stand for. By default what the file says, else the step of the reader.
        dialect: "plain", "snntorch", "spikingjelly" or "norse"; by default what the file says, else "plain".
        allow_lossy: whether to go on where the reader ignores or refuses something; the report says so.
        dtype: float type of the layers; float64 by default.

    Returns:
        `net`, the layers; `graph`; `report`, a row a node.

    Raises:
        UnsupportedError: layers have no counterpart, or the reader of the dialect does not take a node; it is named.
        ParameterError: dt or dialect is not given and not in the file, or does not fit.
        FileError: the file cannot be read.

    >>> import numpy as np
    >>> import nir
    >>> one = np.ones(2)
    >>> lif = nir.LIF(tau=0.02 * one, r=20.0 * one, v_leak=0.0 * one, v_threshold=one)
    >>> made = from_nir(nir.NIRGraph.from_list(nir.Linear(np.eye(2)), lif), dt=1.0)
    >>> made.report.faithful, made.net.layers[0].value("tau_mem").round(decimals=9).tolist()
    (True, [20.0, 20.0])

    Source: Pedersen et al., Neuromorphic intermediate representation, Nature Communications 15 (2024) 8122.
    """
    graph = _graph(graph)
    said = {key: _plain(value) for key, value in dict(graph.metadata or {}).items()}
    chosen = dialect_of(said.get("dialect", "plain") if dialect is None else dialect)
    dt = _dt(dt, said, chosen)
    step = chosen.step if chosen.fixed and chosen.step else dt * 1e-3
    nodes, edges = flat(graph)
    found = stages(nodes, edges)
    shape, layers, rows = input_shape(nodes, found), [], []
    for stage in found:
        layer, more, shape = _stage(nodes, stage, shape, dt, step, chosen, allow_lossy, dtype or torch.float64)
        layers.append(layer)
        rows += more
    return Exchange(Sequential(*layers), graph, Conformance(chosen.name, tuple(rows)))


def _graph(graph):
    if isinstance(graph, (str, os.PathLike)):
        with reading(graph, "a NIR file"):
            graph = nir.read(graph, type_check=False)  # its check takes every kernel for a square one
    if isinstance(graph, nir.NIRGraph):
        return graph
    raise ParameterError(f"graph must be a nir.NIRGraph or the path of a NIR file, got {describe_value(graph)}")


def _plain(value):
    return value.decode() if isinstance(value, bytes) else value


def _dt(dt, said, chosen):
    """Return the length of a step, ms."""
    if dt is None:
        dt = said.get("dt", chosen.step)
        if dt is None:
            raise ParameterError("dt must be given in ms, since the file does not say how long a step is")
        dt = float(dt) * 1e3
    return check_number("dt", dt, "ms", above=0)


def _stage(nodes, stage: Stage, shape, dt, step, dialect: Dialect, lossy, dtype):
    """Return the layer of neurons and what comes before them, rows, and the shape of its output."""
    chain, node = [nodes[name] for name in stage.chain], nodes[stage.neurons]
    back = None if stage.back is None else [nodes[name] for name in stage.back]
    after, rows = shape, []
    for name in (*stage.chain, *(stage.back or ()), stage.neurons):
        problems = objections(nodes[name], dialect, step, after if name == stage.neurons else ())
        node_kind = type(nodes[name]).__name__
        problems, noted = _written_by_norse(nodes[name], problems, dialect, lossy)
        if problems and not lossy:
            raise UnsupportedError(f"node {name!r} ({node_kind}) must be one that {dialect.name} reads as it is meant, "
                                   f"but {problems[0]}; allow_lossy=True reads it as {dialect.name} would")
        if name in stage.chain:
            after = _after(name, nodes[name], after)
        rows.append((name, node_kind, problems, noted))
    node = _repaired(node, rows[-1][3], step)
    cell = cell_of(node, dialect, step, after)
    if not ((cell.beta >= 0) & (cell.beta <= 1)).all():
        raise UnsupportedError(f"node {stage.neurons!r} ({type(node).__name__}) must have time constants of at least a "
                               f"step of {step:g} s, got less")
    layer = _layer(cell, chain, back, shape, after, dt, dtype)
    differ = difference(layer, chain, node, back, dialect, step, shape)
    made = [row(name, kind, problems, noted, *(differ if name == stage.neurons else ()))
            for name, kind, problems, noted in rows]
    return layer, made, after


def _written_by_norse(node, problems, dialect, lossy):
    """Return problems, and what is noted instead of them where a file has Norse's time constants."""
    short = [each for each in problems if "must be at least the length of a step" in each]
    if dialect.name != "norse" or not short:
        return problems, []
    if not lossy:
        return [short[0] + "; Norse 1.1.0 writes dt / tau_mem_inv for 1 / tau_mem_inv unless told dt=1"], []
    return [each for each in problems if each not in short], ["tau: divided by the step, as Norse 1.1.0 wrote it"]


def _repaired(node, noted, step):
    """Return a node whose time constants are those meant."""
    if not noted:
        return node
    given = {name: np.asarray(value) / (step if name.startswith("tau") else 1.0) for name, value in vars(node).items()
             if name not in ("input_type", "output_type", "metadata")}
    return type(node)(**given)


def _after(name, node, shape) -> tuple[int, ...]:
    """Return the shape after one node of weights; raise UnsupportedError where it does not fit."""
    try:
        return weighted([node], np.zeros((1, *shape))).shape[1:]
    except (ValueError, RuntimeError) as error:
        raise UnsupportedError(f"node {name!r} ({type(node).__name__}) must take inputs of shape {shape}, got one that "
                               f"does not: {str(error).splitlines()[0]}") from None


# ---------------------------------------------------------------------------------------------------------------------
# Layers
# ---------------------------------------------------------------------------------------------------------------------

def _layer(cell: Cell, chain, back, shape, after, dt, dtype) -> Layer:
    kinds = {type(node).__name__ for node in chain}
    options = _options(cell, dt) | {"dt": dt, "dtype": dtype}
    if back is not None:
        options["recurrent"] = True
    cls = LeakyIntegratorLayer if not cell.spiking else {JUMP: LIFLayer, CURRENT: CurrentLIFLayer}.get(
        cell.input, SynapticLayer)
    constant = np.zeros(len(cell.beta)) if cell.spiking else (1.0 - cell.beta) * cell.leak
    if len(shape) == 1 and kinds <= {"Affine", "Linear", "Scale", "Flatten"}:
        layer = _dense(cls, chain, shape, after, cell, constant, options, back)
    else:
        layer = _structured(cls, chain, shape, after, cell, constant, options, dtype)
    if back is not None:
        _set_back(layer, back, after, cell, dtype)
    return layer


def _options(cell: Cell, dt) -> dict[str, Any]:
    """Return the parameters of neurons: time constants, threshold, reset, start."""
    values: dict[str, Any] = {"tau_mem": _tau(cell.beta, dt)}
    if cell.alpha is not None:
        values["tau_syn"] = _tau(cell.alpha, dt)
    if cell.input == CURRENT:
        values["r"] = cell.r
    if cell.spiking:
        values |= {"v_threshold": cell.threshold, "v_reset": cell.reset, "reset": "to_value"}
    if cell.start is not None and cell.start.any():
        values["v_initial"] = cell.start
    return values


def _tau(share, dt) -> np.ndarray:
    """Return the time constant, ms, of which a share is left after a step of dt."""
    inside = np.clip(share, 1e-300, 1.0 - 1e-16)
    return dt * np.where(share <= 0.0, AT_ONCE, np.where(share >= 1.0, NEVER, -1.0 / np.log(inside)))


def _matrix(chain, shape) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (inputs, neurons) and what arrives without inputs."""
    none = weighted(chain, np.zeros((1, *shape)))[0].ravel()
    n = int(np.prod(shape))
    return weighted(chain, np.eye(n).reshape(n, *shape)).reshape(n, -1) - none, none


def _dense(cls, chain, shape, after, cell, constant, options, back) -> Layer:
    weight, bias = _matrix(chain, shape)
    bias = cell.into * bias + constant
    late = back is not None and _matrix(back, after)[1].any()
    layer = cls(*weight.shape, bias=bool(bias.any() or late), **options)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight * cell.into))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def _structured(cls, chain, shape, after, cell, constant, options, dtype) -> StructuredLayer:
    """Return a layer behind convolutions, with one number a channel where all neurons of a channel have the same."""
    modules = [_module(node, dtype) for node in chain]
    channels = _channels(options, cell, constant, after)
    if channels is None:
        modules, after = [*modules, torch.nn.Flatten()], (len(cell.beta),)
        channels = options, cell.into, constant
    options, into, constant = channels
    if (into != 1.0).any() or constant.any():
        modules.append(_scaling(into, constant, len(after) > 1, dtype))
    return StructuredLayer(modules, shape, cls, **options)


def _channels(options, cell, constant, after):
    """Return the same with one number a channel, or None where neurons of a channel differ."""
    def first(value):
        return np.reshape(value, (after[0], -1))[:, 0]

    arrays = {name: value for name, value in options.items() if isinstance(value, np.ndarray)}
    for value in (*arrays.values(), cell.into, constant):
        if np.ptp(np.reshape(value, (after[0], -1)), axis=1).any():
            return None
    return options | {name: first(value) for name, value in arrays.items()}, first(cell.into), first(constant)


def _scaling(into, constant, spatial, dtype):
    """Return a module that multiplies each channel by a number and adds one."""
    n = len(into)
    module = torch.nn.Conv2d(n, n, 1, groups=n, dtype=dtype) if spatial else torch.nn.Linear(n, n, dtype=dtype)
    with torch.no_grad():
        factors = torch.from_numpy(np.asarray(into)).to(dtype)
        module.weight.copy_(factors[:, None, None, None] if spatial else torch.diag(factors))
        module.bias.copy_(torch.from_numpy(np.asarray(constant)))
    return module


def _module(node, dtype):
    """Return the module of PyTorch that does what a node of weights does."""
    kind = type(node).__name__
    if kind == "Flatten":
        return torch.nn.Flatten()
    if kind in ("AvgPool2d", "SumPool2d"):
        return torch.nn.AvgPool2d(pair(node.kernel_size), pair(node.stride), padding(node),
                                  divisor_override=1 if kind == "SumPool2d" else None)
    if kind == "Scale":
        raise UnsupportedError("Scale beside a convolution has no counterpart among the layers; put it into the "
                               "weights")
    weight, bias = np.asarray(node.weight), getattr(node, "bias", None)
    if kind == "Conv2d":
        groups = int(np.asarray(node.groups))
        module = torch.nn.Conv2d(weight.shape[1] * groups, weight.shape[0], weight.shape[2:], pair(node.stride),
                                 padding(node), pair(node.dilation), groups, bias is not None, dtype=dtype)
    else:
        module = torch.nn.Linear(weight.shape[1], weight.shape[0], bias is not None, dtype=dtype)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            module.bias.copy_(torch.from_numpy(np.asarray(bias)))
    return module


def _set_back(layer, back, after, cell, dtype) -> None:
    """Give a layer the weights of its own spikes."""
    weight, bias = _matrix(back, after)
    if isinstance(layer, StructuredLayer) and layer.places > 1:
        raise UnsupportedError("weights of their own spikes for neurons behind a convolution have no counterpart "
                               "among the layers")
    own = layer.cells if isinstance(layer, StructuredLayer) else layer
    with torch.no_grad():
        own.recurrent.copy_(torch.from_numpy(weight * cell.into).to(dtype))
        if bias.any():
            if own is not layer:
                raise UnsupportedError("an Affine of their own spikes for neurons behind a convolution must be a "
                                       "Linear")
            layer.bias.add_(torch.from_numpy(cell.into * bias).to(dtype))
