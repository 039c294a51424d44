"""Layers that learn a task after others: weights change only where earlier inputs have nothing."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.bridge.layers import Layer, Sequential
from neurosim.checks import describe_value
from neurosim.errors import ParameterError, UnsupportedError


class Remembered(Protocol):
    """What `OrthogonalLayers` asks of a subspace, such as `learning_rules.HebbianSubspace`."""

    inputs: int

    def learn(self, x: np.ndarray) -> None:
        """Take in rates of inputs, shape (samples, inputs)."""

    def remove(self, x: np.ndarray) -> np.ndarray:
        """Return what of x, shape (..., inputs), lies outside of the subspace."""


class OrthogonalLayers(torch.nn.Module):
    r"""Layers whose weights are trained with the part of their inputs that earlier tasks did not have.

    dW = sum over ticks of (x - H' H x) delta', with the subspace H of each layer's inputs: a step of gradient descent
    changes nothing for inputs within the subspace. As the projection is linear, it is applied to the gradient once.
    What goes on to the layer before is the full gradient. It holds for plain gradient descent, with momentum that ends
    with a task or without; a rule that scales weights one by one, such as Adam, leaves the orthogonal space.

    Args:
        net: a `Sequential` of layers with one matrix of weights each.
        subspaces: for each layer a subspace of its inputs, with `learn` and `remove`, such as
            `learning_rules.HebbianSubspace`; None for a layer that is to be trained as usual.

    Raises:
        ParameterError: numbers or sizes do not fit.
        UnsupportedError: a layer has further parameters that learn (a bias, recurrent weights, delays, time constants),
            which no subspace of its inputs protects.

    >>> import numpy as np
    >>> import torch
    >>> from learning_rules import HebbianSubspace
    >>> from neurosim.bridge import LeakyIntegratorLayer, LIFLayer
    >>> net = OrthogonalLayers(Sequential(LIFLayer(8, 20), LeakyIntegratorLayer(20, 2)),
    ...                        [HebbianSubspace(8), HebbianSubspace(20)])
    >>> v, states = net(torch.ones(5, 4, 8))
    >>> net.learn()                              # the subspaces see the inputs of the last pass

    Source: Zeng, Chen, Cui, Yu, Continual learning of context-dependent processing in neural networks, Nature Machine
    Intelligence 1 (2019) 364; by Hebbian learning: Xiao, Meng, Zhang, He, Lin, ICLR 2024.
    """

    def __init__(self, net: Sequential, subspaces: Sequence[Remembered | None]):
        super().__init__()
        layers = net.layers if isinstance(net, Sequential) else None
        if layers is None or len(layers) != len(net.parts):
            raise ParameterError(f"OrthogonalLayers.net must be a Sequential of layers, got {describe_value(net)}")
        if len(subspaces) != len(layers):
            raise ParameterError(f"OrthogonalLayers.subspaces must be {len(layers)}, one a layer, got {len(subspaces)}")
        self.net, self.subspaces, self.rates = net, list(subspaces), [None] * len(layers)
        self._watching = False
        for k, (layer, subspace) in enumerate(zip(layers, subspaces, strict=True)):
            if subspace is None:
                continue
            if subspace.inputs != layer.n_in:
                raise ParameterError(f"OrthogonalLayers.subspaces[{k}] must be of {layer.n_in} inputs, as its layer "
                                     f"is, got {subspace.inputs}")
            others = [name for name, _ in layer.named_parameters() if name != "weight"]
            if others or layer.delays is not None:
                raise UnsupportedError(f"{layer.label} learns {', '.join(others) or 'with delays'}, which no subspace "
                                       "of its inputs protects; fix it, or give None for this layer")
            layer.weight.register_hook(self._hook(subspace))
            layer.register_forward_pre_hook(self._watch(k))

    def forward(self, x: Any, states: Any = None) -> tuple[Any, Any]:
        """Return what the layers return, and remember the rates of their inputs for `learn`."""
        self.rates, self._watching = [None] * len(self.subspaces), True
        try:
            return self.net(x, states)
        finally:
            self._watching = False

    def learn(self) -> None:
        """Show to each subspace the mean inputs of its layer in the last pass, one for each sample."""
        for subspace, rates in zip(self.subspaces, self.rates, strict=True):
            if subspace is not None and rates is not None:
                subspace.learn((rates[0] / rates[1]).double().cpu().numpy())

    def _watch(self, k):
        def watch(layer: Layer, given: tuple) -> None:
            if self._watching:  # a blockwise backward pass computes blocks again
                x = given[0] if isinstance(given[0], torch.Tensor) else given[0].to_dense()
                total, ticks = self.rates[k] or (0.0, 0)
                self.rates[k] = total + x.detach().sum(0), ticks + len(x)
        return watch

    @staticmethod
    def _hook(subspace):
        def outside(gradient):
            kept = np.ascontiguousarray(subspace.remove(gradient.detach().cpu().numpy().T).T)
            return torch.from_numpy(kept).to(gradient)
        return outside
