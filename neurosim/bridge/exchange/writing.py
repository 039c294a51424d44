"""From layers, or a network of the core that layers can express, to a graph of NIR."""

import copy
import io
from typing import Any

import numpy as np

from neurosim.bridge.exchange.dialects import Dialect, dialect_of, objections
from neurosim.bridge.exchange.extra import nir
from neurosim.bridge.exchange.report import Conformance, Exchange, difference, row
from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import CURRENT, JUMP, SAME_TICK
from neurosim.bridge.layers import (
    AdaptiveLIFLayer,
    CurrentLIFLayer,
    Flatten,
    Layer,
    LeakyIntegratorLayer,
    LIFLayer,
    Sequential,
    SynapticLayer,
)
from neurosim.bridge.spatial import MaxPoolLayer, StructuredLayer
from neurosim.checks import describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.files import whole_file

KNOWN = (LIFLayer, AdaptiveLIFLayer, CurrentLIFLayer, SynapticLayer, LeakyIntegratorLayer)


def to_nir(net: Any, path: Any = None, *, dialect: str = "plain", allow_lossy: bool = False) -> Exchange:
    """Return a graph of NIR that a reader steps as layers do, and write it to a file.

    Time constants are written in s so that the reader's step has the decay of the layer: tau = tau_mem for "plain",
    whose reader solves the equations, and dt / (1 - exp(-dt / tau_mem)) for "snntorch" (whose dt is 1e-4 s), "norse"
    and "spikingjelly", to which dt is to be given when they read the file.

    Args:
        net: a `Sequential` or a `Layer`.
        path: name of a file; None writes none.
        dialect: for which reader: "plain", "snntorch", "spikingjelly" or "norse".
        allow_lossy: whether to write a network although something of it is lost; the report says what.

    Returns:
        `net`; `graph`, a `nir.NIRGraph`; `report`, a row a node.

    Raises:
        UnsupportedError: NIR cannot hold a property of a layer, or the reader does not take it; both are named.
        ParameterError: net or dialect does not fit.
        FileError: the file cannot be written.

    >>> from neurosim.bridge import LIFLayer
    >>> made = to_nir(LIFLayer(3, 2, tau_mem=10.0))
    >>> sorted(made.graph.nodes), made.report.faithful
    (['input', 'layer1', 'output', 'weights1'], True)

    Source: Pedersen et al., Neuromorphic intermediate representation, Nature Communications 15 (2024) 8122.
    """
    chosen = dialect_of(dialect)
    parts = [net] if isinstance(net, Layer) else list(net.parts) if isinstance(net, Sequential) else None
    layers = [part for part in parts or [] if isinstance(part, Layer)]
    if not layers:
        raise ParameterError(f"net must be a Layer or a Sequential of them, got {describe_value(net)}")
    for part in parts or []:
        if not isinstance(part, (Layer, Flatten)) and type(part).__name__ not in ("Dropout", "Identity"):
            raise UnsupportedError(f"{type(part).__name__} has no counterpart in NIR; put what it does into the "
                                   "weights of the next layer")
    step = chosen.step if chosen.fixed and chosen.step else layers[0].dt * 1e-3
    nodes, edges = {"input": nir.Input({"input": np.array(_shape_in(layers[0]))})}, []
    last, rows, shape = "input", [], _shape_in(layers[0])
    for k, layer in enumerate(layers, 1):
        if shape != _shape_in(layer):
            if len(_shape_in(layer)) > 1:
                raise UnsupportedError(f"layer {k} must take inputs of shape {shape}, as NIR cannot fold flat ones "
                                       f"into {_shape_in(layer)}")
            nodes[f"flat{k}"] = nir.Flatten({"input": np.array(shape)}, 0, -1)
            edges.append((last, f"flat{k}"))
            last = f"flat{k}"
            rows.append(row(last, "Flatten", objections(nodes[last], chosen, step, ()), ()))
        shape = _shape_out(layer)
        made, more = _Stage(f"{k}", copy.deepcopy(layer).double(), chosen, step, allow_lossy).result()
        nodes |= made
        rows += more
        for name in made:
            if name.endswith(".w_rec"):
                neurons = name.replace(".w_rec", ".lif")
                edges += [(neurons, name), (name, neurons)]
            else:
                edges.append((last, name))
                last = name
    nodes["output"] = nir.Output({"output": np.array(shape)})
    said = {"writer": "neurosim", "dialect": chosen.name, "dt": layers[0].dt * 1e-3}
    graph = nir.NIRGraph(nodes, [*edges, (last, "output")], metadata=said, type_check=False)
    if path is not None:
        with whole_file(path) as file:
            held = io.BytesIO()
            nir.write(held, graph)
            file.write(held.getvalue())
    return Exchange(net, graph, Conformance(chosen.name, tuple(rows)))


def _shape_in(layer) -> tuple[int, ...]:
    return getattr(layer, "shape_in", (layer.n_in,))


def _shape_out(layer) -> tuple[int, ...]:
    return getattr(layer, "shape_out", (layer.n_out,))


class _Stage:
    """The nodes of one layer."""

    def __init__(self, name: str, layer: Any, dialect: Dialect, step: float, lossy: bool):
        self.name, self.layer, self.dialect, self.step, self.lossy = name, layer, dialect, step, lossy
        self.shape = _shape_out(layer)
        recurrent = layer.kind.recurrent
        self.neurons = f"layer{name}.lif" if recurrent else f"layer{name}"
        self.back = f"layer{name}.w_rec" if recurrent else None
        self.own = getattr(layer, "cells", layer)

    def result(self) -> tuple[dict[str, Any], list]:
        """Return the nodes in their order, weights of own spikes last, and the rows."""
        lost = self._lost()
        node, gain = self._neurons()
        chain = self._chain(gain)
        nodes = chain | {self.neurons: node}
        if self.back is not None:
            nodes[self.back] = nir.Linear(_array(self.own.recurrent).T * gain[:, None])
        problems = {name: objections(each, self.dialect, self.step, self.shape if each is node else ())
                    for name, each in nodes.items()}
        wrong = [(name, text) for name, texts in problems.items() for text in texts]
        if wrong and not self.lossy:
            name, text = wrong[0]
            raise UnsupportedError(f"node {name!r} ({type(nodes[name]).__name__}) of {self._owner()} cannot be written "
                                   f"for {self.dialect.name}: {text}; allow_lossy=True writes it all the same")
        back = None if self.back is None else [nodes[self.back]]
        differ = difference(self.layer, list(chain.values()), node, back, self.dialect, self.step,
                            _shape_in(self.layer)) if type(node).__name__ in self.dialect.nodes else (None, 0)
        return nodes, [row(name, type(each).__name__, problems[name], lost if each is node else (),
                           *(differ if each is node else ())) for name, each in nodes.items()]

    def _owner(self):
        return f"layer {self.name} ({type(self.own).__name__})"

    def _lost(self) -> list[str]:
        """Return what NIR cannot hold of the neurons; raise UnsupportedError unless that is allowed."""
        own, lost = self.own, []
        if type(own) not in (*KNOWN, MaxPoolLayer):
            raise UnsupportedError(f"{self._owner()} has no counterpart in NIR")
        if isinstance(own, MaxPoolLayer):
            return lost
        if getattr(own, "delays", None) is not None:
            lost.append("delays: NIR has no delay of a synapse, and here none of an axon either")
        if own.spiking and own.reset == "subtract":
            lost.append("reset='subtract': NIR resets to a value, here 0")
        if own.spiking and own.t_ref > 0:
            lost.append("t_ref: NIR has no refractory time")
        if getattr(own, "delays", None) is not None:
            lost.append("delays: NIR has none of synapses, and readers leave out those of neurons")
        if own.adaptive and _array(own.value("delta_theta")).any():
            lost.append("delta_theta: NIR has no threshold that adapts")
        lost += [f"{name}: NIR has no initial values" for name in ("v_initial", "i_initial", "theta_initial")
                 if name in own.names and _array(own.value(name)).any()]
        if self.dialect.name == "plain" and own.input == SAME_TICK:
            lost.append("input: NIR's synaptic current acts from its arrival on, not on the whole tick of it")
        if self.dialect.name != "plain" and own.input == CURRENT:
            lost.append(f"input: {self.dialect.name} lets a synaptic current act in the step of its arrival, here it "
                        "acts from the next one on")
        if lost and not self.lossy:
            raise UnsupportedError(f"node {self.neurons!r} of {self._owner()} cannot hold {lost[0]}; allow_lossy=True "
                                   "writes it without")
        return lost

    def _neurons(self) -> tuple[Any, np.ndarray]:
        """Return the node of the neurons, and by what each neuron's weights are to be multiplied."""
        if isinstance(self.own, MaxPoolLayer):
            return nir.Threshold(np.full(self.shape, 0.5)), np.ones(1)
        own, step, exact = self.own, self.step, self.dialect.name == "plain"
        c = {name: _array(value) for name, value in own.coefficients()._asdict().items()}
        ones = np.ones(own.n_out)
        leaves = bool((c["beta"] == 1.0).all())
        if own.spiking and not c["beta"].any() and own.input == JUMP and exact:
            return nir.Threshold(self._spread(c["threshold"])), ones
        tau = _array(own.value("tau_mem")) * 1e-3 if exact else step / (1.0 - np.minimum(c["beta"], 1 - 1e-16))
        values, gain = {"v_leak": 0.0 * ones}, ones
        if own.spiking:
            values |= {"v_threshold": c["threshold"], "v_reset": c["down"] * (own.reset == "to_value")}
            if self.dialect.name == "snntorch" and np.ptp(c["threshold"]) > 0 and (c["threshold"] > 0).all():
                gain = 1.0 / c["threshold"]  # one threshold for all neurons of a node: each measures v in its own unit
                values |= {"v_threshold": ones, "v_reset": values["v_reset"] * gain}
            if not self.dialect.strict:
                values["v_threshold"] = np.nextafter(values["v_threshold"], np.inf)
        if own.input == JUMP:
            if leaves:
                kind, r = (nir.IF if own.spiking else nir.I), ones / step
                values.pop("v_leak")
            else:
                kind, values["tau"], r = (nir.LIF if own.spiking else nir.LI), tau, tau / step
            if self.dialect.name == "norse":
                gain, r = gain * (1.0 if leaves else tau / step), ones
            return kind(r=self._spread(r), **{name: self._spread(each) for name, each in values.items()}), gain
        fall = _array(own.value("tau_syn")) * 1e-3 if exact else step / (1.0 - c["alpha"])
        r = tau / step
        if own.input == CURRENT:
            r, gain = (_array(own.value("r")), gain) if exact else (r, gain * c["gain"])
        elif exact:
            r = 1.0 / (1.0 - c["beta"])  # the same v under a current that goes on
        values |= {"tau_mem": tau, "tau_syn": fall, "r": r, "w_in": fall / step}
        return nir.CubaLIF(**{name: self._spread(each) for name, each in values.items()}), gain

    def _spread(self, values) -> np.ndarray:
        """Return one value a channel or neuron in the shape of the population."""
        values = np.asarray(values, dtype=np.float64) * np.ones(self.shape[0])
        return np.broadcast_to(values.reshape(-1, *[1] * (len(self.shape) - 1)), self.shape).copy()

    def _chain(self, gain) -> dict[str, Any]:
        """Return the nodes from the inputs to the neurons."""
        layer, name = self.layer, f"weights{self.name}"
        if isinstance(layer, MaxPoolLayer):
            pool = layer.pool
            if np.ravel(pool.dilation).max() > 1:
                raise UnsupportedError(f"{self._owner()} must have dilation=1, for NIR to hold it as SumPool2d and "
                                       f"Threshold, got {pool.dilation}")
            return {name: nir.SumPool2d(_two(pool.kernel_size), _two(pool.stride), _two(pool.padding))}
        if not isinstance(layer, StructuredLayer):
            weight, bias = _array(layer.weight).T * gain[:, None], _array(layer.bias) * gain
            return {name: nir.Affine(weight, bias) if bias.any() else nir.Linear(weight)}
        nodes, shape = {}, layer.shape_in
        for k, module in enumerate(layer.chain):
            node = self._module(module, shape)
            with torch.no_grad():
                shape = tuple(module(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:])
            if node is not None:
                nodes[f"{name}.{k}"] = node
        if (gain != 1.0).any():
            nodes[f"{name}.{len(layer.chain)}"] = self._gain(gain)
        return nodes

    def _gain(self, gain):
        """Return a node that multiplies each channel."""
        if len(self.shape) == 1:
            return nir.Linear(np.diag(gain))
        n = len(gain)
        return nir.Conv2d(self.shape[1:], np.diag(gain)[:, :, None, None], 1, 0, 1, 1, np.zeros(n))

    def _module(self, module, shape):
        """Return the node that does what a module of PyTorch does; None for what does nothing."""
        kind = type(module).__name__
        if kind in ("Dropout", "Identity"):
            return None
        if kind == "Flatten":
            return nir.Flatten({"input": np.array(shape)}, 0, -1)
        if kind == "Linear":
            weight = _array(module.weight)
            return nir.Linear(weight) if module.bias is None else nir.Affine(weight, _array(module.bias))
        if kind == "Conv2d" and module.padding_mode == "zeros":
            bias = np.zeros(module.out_channels) if module.bias is None else _array(module.bias)
            padding = module.padding if isinstance(module.padding, str) else tuple(module.padding)
            return nir.Conv2d(tuple(shape[1:]), _array(module.weight), tuple(module.stride), padding,
                              tuple(module.dilation), module.groups, bias)
        if kind == "AvgPool2d" and not module.ceil_mode and (
                module.count_include_pad or not np.any(module.padding)) and module.divisor_override in (None, 1):
            node = nir.AvgPool2d if module.divisor_override is None else nir.SumPool2d
            return node(_two(module.kernel_size), _two(module.stride), _two(module.padding))
        raise UnsupportedError(f"{kind} of {self._owner()} has no counterpart in NIR with these options")


def _two(value) -> np.ndarray:
    return np.array(value if isinstance(value, (tuple, list)) else (value, value))


def _array(tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
