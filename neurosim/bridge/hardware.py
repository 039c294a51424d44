"""Devices in training: they act in the forward pass, and gradients go straight through them."""

import copy
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import scipy.sparse

from neurosim.bridge.core import incoming, made_for, returning, stored, to_network
from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import Kind
from neurosim.bridge.layers import Layer, Sequential
from neurosim.bridge.sequence import State
from neurosim.bridge.spatial import MaxPoolLayer
from neurosim.bridge.tensors import shown
from neurosim.checks import check_numbers, check_seed, describe_value
from neurosim.contracts import Device
from neurosim.errors import ParameterError, UnsupportedError

LEAST = 1e-3  #: no bound of a clipped activation is trained below it


class OnDevice(Layer):
    """A layer whose weights are held by a device: noisy, rounded, clipped, stuck, as its class says.

    Training sees w + (held(w) - w), with no gradient through the parenthesis: the forward pass is that of the device,
    the gradient that of the weights themselves (straight-through); weights beyond the device's weight_max are held at
    it, and have none. Every forward pass in training mode is another programming, and, with chips="any", another chip;
    in eval mode it is that of `seed`, always the same. `to_network` puts the weights onto the same device.

    Args:
        layer: a `LIFLayer`, ..., or a `StructuredLayer`, whose convolutions and matrices are held.
        device: a device layer, or a function that makes one for an array of weights, such as `Memristor().fitted`.
        chips: "any": devices that are stuck or differ from each other are others in each pass, as of a chip that is not
            known; "this": they are those of the device's own seed.
        seed: of the errors of programming and reading.

    Raises:
        ParameterError: an argument does not fit.

    >>> import torch
    >>> from hardware_models import Memristor
    >>> from neurosim.bridge import LIFLayer
    >>> layer = OnDevice(LIFLayer(3, 2), Memristor(programming_noise=0.1, stuck_off=0.05))
    >>> layer(torch.ones(5, 4, 3))[0].shape
    torch.Size([5, 4, 2])

    Source: straight-through: Bengio, Leonard, Courville, arXiv 1308.3432; noise in training: Joshi et al., Accurate
    deep neural network inference using computational phase-change memory, Nature Communications 11 (2020) 2473.
    """

    def __init__(self, layer: Layer, device: Device | Callable[[np.ndarray], Device], *,
                 chips: Literal["any", "this"] = "any", seed: int = 0):
        torch.nn.Module.__init__(self)
        if not isinstance(layer, Layer) or isinstance(layer, (OnDevice, MaxPoolLayer)):
            raise ParameterError(f"OnDevice.layer must be a layer with weights, got {describe_value(layer)}")
        _check_device("OnDevice", device)
        if chips not in ("any", "this"):
            raise ParameterError(f"OnDevice.chips must be 'any' or 'this', got {describe_value(chips)}")
        self.layer, self.device, self.chips = layer, device, chips
        self.seed = check_seed("OnDevice.seed", seed)
        self.generator = np.random.default_rng(self.seed)
        self.n_in, self.n_out, self.dt, self.t_ref = layer.n_in, layer.n_out, layer.dt, layer.t_ref
        self.reset, self.has_bias = layer.reset, layer.has_bias
        self.input, self.spiking, self.adaptive, self.leaky = layer.input, layer.spiking, layer.adaptive, layer.leaky

    @property
    def kind(self) -> Kind:
        """What the neurons are."""
        return self.layer.kind

    @property
    def names(self) -> list[str]:
        """The parameters of the neurons."""
        return self.layer.names

    def value(self, name: str) -> Any:
        """Return a parameter of the neurons, shape (neurons,)."""
        return self.layer.value(name)

    def initial(self, samples: int) -> State:
        """Return the state before the first tick."""
        return self.layer.initial(samples)

    def forward(self, x: Any, state: State | None = None, lengths: Any = None) -> tuple[Any, State]:
        """Return what the layer gives with the weights that the device holds; see `Layer.forward`."""
        generator = self.generator if self.training else np.random.default_rng(self.seed)
        held = {name: held_by(self._device(weight, generator), weight, generator)
                for name, weight in self._weights(self.layer)}
        self.layer.label, self.layer.first_tick = self.named.owner, self.first_tick
        return torch.func.functional_call(self.layer, held, (x, state, lengths))

    def _weights(self, layer) -> list[tuple[str, Any]]:
        """Return the matrices and kernels of a layer, by name."""
        return [(name, weight) for name, weight in layer.named_parameters() if weight.dim() > 1
                and name.split(".")[-1] in ("weight", "recurrent") and name != "cells.weight"]

    def _within(self) -> Layer:
        """Return the layer with its weights within the range of the device."""
        layer = copy.deepcopy(self.layer)
        with torch.no_grad():
            for _, weight in self._weights(layer):
                values = weight.cpu().numpy()
                weight.copy_(torch.from_numpy(within(made_for(self.device, values), values)))
        return layer

    def incoming(self) -> tuple[Any, np.ndarray]:
        """Return the weights of the inputs that the device is to hold, and the jump at every tick."""
        weights, jumps = incoming(self._within())
        return within(self.holder(incoming), weights), jumps

    def returning(self) -> Any:
        """Return the weights of the layer's own spikes that the device is to hold."""
        return within(self.holder(returning), returning(self._within()))

    def holder(self, of: Callable[[Layer], Any]) -> Device:
        """Return the device of the weights in the core, `of` being `incoming` or `returning`."""
        found = of(self.layer)
        return made_for(self.device, stored(found[0] if isinstance(found, tuple) else found))

    def _device(self, weight, generator) -> Device:
        """Return the device of one matrix."""
        device = made_for(self.device, weight.detach().cpu().numpy())
        if self.training and self.chips == "any" and "seed" in device.parameters:
            device = device.replace(seed=int(generator.integers(2**31)))
        return device

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.device!r}, chips={self.chips!r}"


def within(device: Device, weights: Any) -> Any:
    """Return weights, an array or a sparse matrix, within the range of a device, where it has one."""
    most = getattr(device, "weight_max", None)
    if most is None:
        return weights
    if not scipy.sparse.issparse(weights):
        return np.clip(weights, -most, most)
    weights = weights.copy()
    weights.data = np.clip(weights.data, -most, most)
    return weights


def held_by(device: Device, weight: Any, generator: np.random.Generator) -> Any:
    """Return a tensor of weights as a device holds them and is once read, with the gradient of the weights themselves.

    Args:
        device: a device layer.
        weight: tensor of any shape.
        generator: of the errors.

    >>> import torch
    >>> from hardware_models import Memristor
    >>> weight = torch.tensor([0.3, 2.0], requires_grad=True)
    >>> held_by(Memristor(slice_bits=1), weight, np.random.default_rng(1)).sum().backward()
    >>> weight.grad
    tensor([1., 0.])
    """
    most = getattr(device, "weight_max", None)
    wanted = weight if most is None else weight.clamp(-most, most)
    values = wanted.detach().cpu().numpy().astype(np.float64)
    held = np.asarray(device.program(values, generator), dtype=np.float64)
    if device.read is not None:
        held = np.asarray(device.read_array(held, generator), dtype=np.float64)
    if not np.isfinite(held).all():
        raise UnsupportedError(f"{type(device).__name__} made weights infinite or undefined, which no training bears; "
                               "let it hold finite ones")
    return wanted + (torch.from_numpy(held).to(wanted) - wanted).detach()


class Activation(torch.nn.Module):
    """A function of analog values that a circuit computes, with the gradient that its object offers.

    Args:
        function: an object with `surrogate(x)` for tensors, such as a programmed ramp converter, whose staircase then
            has the gradient of the function that it stands for; else a function of a tensor.

    >>> import torch
    >>> from hardware_models.ramp_adc import RampADC
    >>> Activation(RampADC(function="tanh", bits=4).program(seed=1))(torch.tensor([0.4])).shape
    torch.Size([1])

    Source: straight-through: Bengio, Leonard, Courville, arXiv 1308.3432.
    """

    def __init__(self, function: Any):
        super().__init__()
        if not callable(function):
            raise ParameterError(f"Activation.function must be callable, got {describe_value(function)}")
        self.function = function

    def forward(self, x: Any) -> Any:
        """Return the values."""
        return getattr(self.function, "surrogate", self.function)(x)


class BoundedActivation(torch.nn.Module):
    """A rectifier with bounds that are trained, which stops what a fault lets loose.

    In training mode the function is called with kind "smooth", through which a bound has a gradient; in eval mode with
    `kind`.

    Args:
        function: `function(x, bound, kind)`, such as `hardware_models.faults.clipped_relu`.
        bound: where bounds start: one number for the layer, or one for each neuron, the last axis of x.
        kind: of the clipping outside training.

    >>> import torch
    >>> from hardware_models.faults import clipped_relu
    >>> BoundedActivation(clipped_relu, [1.0, 4.0]).eval()(torch.tensor([3.0, 3.0]))
    tensor([0., 3.])

    Source: Mousavi, Ahmadilivani, Raik, Jenihhin, Daneshtalab, "ProAct", arXiv 2406.06313; there bounds are trained
    with the weights held, layer by layer (`hardware_models.faults.train_bounds`).
    """

    def __init__(self, function: Callable[..., Any], bound: Any, kind: str = "zero"):
        super().__init__()
        if not callable(function):
            raise ParameterError("BoundedActivation.function must be a function of (x, bound, kind), got "
                                 f"{describe_value(function)}")
        self.function, self.kind = function, kind
        bounds = check_numbers("BoundedActivation.bound", bound.tolist() if isinstance(bound, torch.Tensor) else bound)
        if not np.isfinite(bounds).all() or (bounds <= 0).any() or bounds.ndim > 1:
            raise ParameterError("BoundedActivation.bound must be a finite number > 0, or one for each neuron, got "
                                 f"{describe_value(bounds)}")
        self.bound = torch.nn.Parameter(torch.tensor(bounds, dtype=torch.get_default_dtype()))

    def forward(self, x: Any) -> Any:
        """Return the values."""
        return self.function(x, self.bound.clamp(min=LEAST).to(x.dtype), "smooth" if self.training else self.kind)


class ChipInTheLoop(torch.nn.Module):
    """Layers whose forward pass runs in the core on a device, and whose backward pass is that of the ideal layers.

    The core sends the spikes of every layer, with the weights that the device holds and every read of its own. Each
    ideal layer is then run on what the chip's layer before it sent, and its gradients are taken as those of the chip:
    ideal + (chip - ideal), with no gradient through the parenthesis. In training mode every pass is another programming
    of the same chip; in eval mode it is that of `seed`.

    Args:
        net: a `Sequential` or a `Layer`.
        device: a device layer, or a function that makes one for an array of weights, such as `Memristor().fitted`.
        seed: of the first programming.
        threads: how many samples run at once in the core.

    >>> import torch
    >>> from hardware_models import Memristor
    >>> from neurosim.bridge import LIFLayer
    >>> net = ChipInTheLoop(LIFLayer(3, 2), Memristor(programming_noise=0.1).fitted)
    >>> net(torch.ones(5, 4, 3)).shape
    torch.Size([5, 4, 2])

    Source: Schmitt et al., Neuromorphic hardware in the loop, IJCNN 2017.
    """

    def __init__(self, net: Sequential | Layer, device: Device | Callable[[np.ndarray], Device], *, seed: int = 0,
                 threads: int | None = None):
        super().__init__()
        if not isinstance(net, (Sequential, Layer)):
            raise ParameterError(f"ChipInTheLoop.net must be a Sequential or a layer, got {describe_value(net)}")
        _check_device("ChipInTheLoop", device)
        self.net = net if isinstance(net, Sequential) else Sequential(net)
        self.device, self.threads = device, threads
        self.seed = check_seed("ChipInTheLoop.seed", seed)
        self.passes = 0

    def forward(self, x: Any) -> Any:
        """Return what the last layer sends on the chip, shape (ticks, samples, neurons).

        Args:
            x: numbers of spikes, shape (ticks, samples, inputs).
        """
        if not isinstance(x, torch.Tensor) or x.dim() < 3:
            raise ParameterError("input of ChipInTheLoop must be a tensor of shape (ticks, samples, inputs), got "
                                 f"{shown(x)}")
        self.passes += self.training
        core = to_network(self.net, device=self.device)
        made = core.run(x.detach().flatten(2).cpu().numpy(), threads=self.threads,
                        seed=self.seed + (self.passes if self.training else 0))
        for layer, sent in zip(self.net.layers, made, strict=True):
            ideal, _ = layer(x)
            x = ideal + (torch.from_numpy(sent).to(ideal) - ideal).detach()
        return x


def layers_on(net: Sequential, device: Device | Callable[[np.ndarray], Device], *, seed: int = 0, **options: Any
              ) -> Sequential:
    """Return the same layers with their weights held by devices, each with errors of its own; see `OnDevice`.

    >>> from hardware_models import Memristor
    >>> from neurosim.bridge import LIFLayer
    >>> layers_on(Sequential(LIFLayer(3, 2), LIFLayer(2, 2)), Memristor(stuck_off=0.1).fitted).layers[1].seed
    1
    """
    if not isinstance(net, Sequential):
        raise ParameterError(f"layers_on: net must be a Sequential, got {describe_value(net)}")
    _check_device("layers_on", device)
    parts = [OnDevice(part, device, seed=seed + k, **options) if isinstance(part, Layer) and not isinstance(
        part, MaxPoolLayer) else part for k, part in enumerate(net.parts)]
    return Sequential(*parts, block=net.block)


def _check_device(owner, device):
    if not isinstance(device, Device) and not callable(device):
        raise ParameterError(f"{owner}.device must be a device layer or a function that makes one, got "
                             f"{describe_value(device)}")
