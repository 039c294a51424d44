"""Bounds of clipped activations for layered networks: looked up in the data, or trained layer by layer (ProAct)."""

from typing import Any

import numpy as np

from hardware_models.arrays import as_float
from hardware_models.faults.clipped import STEEPNESS, clipped_relu, gate, relu
from neurosim.checks import check_seed, describe_value
from neurosim.errors import ParameterError

ADAM = (0.9, 0.999, 1e-8)
LEAST = 1e-3  # no bound is trained below it


def forward(layers, x, bounds=None, kind: str = "zero", keep: bool = False) -> Any:
    """Return the outputs of a network of dense layers with rectifiers between them.

    Args:
        layers: list of (weights, bias), arrays or tensors of shape (inputs, outputs) and (outputs,).
        x: inputs, shape (samples, inputs).
        bounds: one for each rectifier, a number or one per neuron; None leaves them without.
        kind: of the clipping, see `clipped_relu`.
        keep: whether to return the inputs of all rectifiers as well.

    Weights with faults may make infinite or undefined values, which go on to the outputs.

    >>> layers = [(np.eye(2), np.zeros(2)), (np.ones((2, 1)), np.zeros(1))]
    >>> forward(layers, np.array([[1.0, 9.0]]), bounds=[4.0])
    array([[1.]])
    """
    x, before = as_float(x), []
    with np.errstate(over="ignore", invalid="ignore"):
        for k, (weights, bias) in enumerate(layers):
            if tuple(x.shape[-1:]) != tuple(weights.shape[:1]):
                raise ParameterError(f"forward: layer {k} must be given {weights.shape[0]} values for each sample, got "
                                     f"an array of shape {tuple(x.shape)}")
            x = x @ weights + bias
            if k < len(layers) - 1:
                before.append(x)
                x = relu(x) if bounds is None else clipped_relu(x, bounds[k], kind)
    return (x, before) if keep else x


def profile(layers, x, neuron_wise="none") -> list:
    """Return the largest value that each rectifier lets pass on clean data, as its bound.

    Args:
        layers: the network, as in `forward`.
        x: data, shape (samples, inputs).
        neuron_wise: "none": one bound for each layer; "all": one for each neuron; "last": one for each neuron of the
            last rectifier only, the hybrid of ProAct.

    Raises:
        ParameterError: if the choice is unknown.

    Source: layer-wise "none" is Ranger's bound; "last" is HyReLU of Mousavi and others, arXiv 2406.06313.
    """
    if neuron_wise not in ("none", "all", "last"):
        raise ParameterError("profile: neuron_wise must be 'none' or 'all' or 'last', "
                             f"got {describe_value(neuron_wise)}")
    if not len(x):
        raise ParameterError("profile must be given data, got no samples")
    before = forward(layers, x, keep=True)[1]
    bounds = []
    for k, each in enumerate(before):
        by_neuron = neuron_wise == "all" or (neuron_wise == "last" and k == len(before) - 1)
        largest = np.maximum(each.max(axis=0), LEAST)
        bounds.append(largest if by_neuron else np.array(largest.max()))
    return bounds


def train_bounds(layers, x, labels, validation, *, bounds=None, kind: str = "zero", tolerance: float = 0.01,
                 decays=(1.0, 0.1, 0.01), epochs: int = 60, rate: float = 0.005, batch: int = 100,
                 seed: int = 0) -> list:
    r"""Return bounds trained layer by layer, the last rectifier first, with the weights as they are (ProAct).

    loss = cross entropy(labels) + cross entropy(soft outputs of the network without bounds) + decay mean(bound^2)

    Each rectifier in turn is trained with Adam through the "smooth" form. After each epoch the bounds are kept
    if the accuracy on validation data with `kind` is within `tolerance` of that without bounds; otherwise they go back
    to the last ones that were, and the next, smaller decay is tried.

    Args:
        layers: the network, as in `forward`, numpy arrays.
        x, labels: training data, shape (samples, inputs) and (samples,), whole numbers.
        validation: (x, labels) of other samples.
        bounds: where to start; by default `profile(layers, x, "last")`, the hybrid.
        kind: the form in which the bounds will be used.
        tolerance: accuracy that may be given up.
        decays: strengths of the pull to smaller bounds, descending.
        epochs: at most so many for each rectifier and decay.
        rate: learning rate, relative to the mean starting bound of the layer.
        batch: samples in each step.
        seed: of the order of the samples.

    Raises:
        ParameterError: if the numbers do not fit.

    Source: Mousavi, Ahmadilivani, Raik, Jenihhin, Daneshtalab, "ProAct", arXiv 2406.06313; their schedule of rates and
    decays differs.
    """
    x, labels = np.asarray(x, dtype=np.float64), np.asarray(labels)
    if len(x) != len(labels) or len(layers) < 2:
        raise ParameterError("train_bounds: there must be one label for each sample, and at least two layers")
    bounds = [np.array(each, dtype=np.float64) for each in (bounds or profile(layers, x, "last"))]
    hoped = _accuracy(layers, validation, None, kind) - tolerance
    soft = _softmax(forward(layers, x))
    order = np.random.Generator(np.random.Philox(key=check_seed("train_bounds: seed", seed)))
    for k in reversed(range(len(bounds))):
        for decay in decays:
            _train_one(layers, bounds, k, decay, (x, labels, soft), order, epochs, rate, batch,
                       lambda: _accuracy(layers, validation, bounds, kind) >= hoped)
    return bounds


def _train_one(layers, bounds, k, decay, data, order, epochs, rate, batch, good):
    x, labels, soft = data
    kept = bounds[k].copy()
    step_size = rate * bounds[k].mean()
    mean, square, step = np.zeros_like(kept), np.zeros_like(kept), 0
    for _ in range(epochs):
        for rows in np.array_split(order.permutation(len(x)), max(1, len(x) // batch)):
            gradient = _gradient(layers, bounds, k, x[rows], labels[rows], soft[rows])
            gradient = gradient + 2.0 * decay * bounds[k] / bounds[k].size
            step += 1
            mean = ADAM[0] * mean + (1 - ADAM[0]) * gradient
            square = ADAM[1] * square + (1 - ADAM[1]) * gradient**2
            move = mean / (1 - ADAM[0]**step) / (np.sqrt(square / (1 - ADAM[1]**step)) + ADAM[2])
            bounds[k] = np.maximum(bounds[k] - step_size * move, LEAST)
        if not good():
            bounds[k] = kept
            return
        kept = bounds[k].copy()


def _gradient(layers, bounds, k, x, labels, soft):
    """Gradient of both cross entropies with respect to the bound of rectifier k, by back-propagation."""
    outputs, before = forward(layers, x, bounds, "smooth", keep=True)
    back = 2.0 * _softmax(outputs) - soft
    back[np.arange(len(labels)), labels] -= 1.0
    back = back / len(labels)
    for layer in reversed(range(k, len(before))):
        back = back @ layers[layer + 1][0].T
        a = np.maximum(before[layer], 0.0)
        g = gate(a, bounds[layer])
        closing = STEEPNESS * a * g * (1.0 - g)  # derivative by the bound
        if layer > k:
            back = back * np.where(before[layer] > 0, g - closing, 0.0)
    found = (back * closing).sum(axis=0)
    return found if bounds[k].ndim else found.sum()


def _softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _accuracy(layers, data, bounds, kind):
    return float(np.mean(forward(layers, data[0], bounds, kind).argmax(axis=1) == data[1]))
