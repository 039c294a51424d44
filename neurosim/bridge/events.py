"""Networks trained by exact gradients of their spike times: `ns.gradients` as one function of PyTorch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.bridge.extra import torch
from neurosim.checks import describe_value
from neurosim.connectivity import Convolution
from neurosim.errors import ParameterError, warn
from neurosim.gradients import Differentiable, Run
from neurosim.network import Network

WEIGHTS = ("weight", "kernel")
SHORTEST = 1e-3  #: ms; a delay that learning makes shorter is kept at this


@dataclass
class Outcome:
    """What an `EventNetwork` returns: tensors in float64, by population.

    Attributes:
        first: time of the first spike of each neuron, (samples, neurons), ms; the duration where there is none, which
            has no gradient.
        spikes: times of all spikes, (spikes,), ms, in the order of `run.spikes`, which tells samples and neurons.
        integral: of v of readouts over the run, (samples, neurons), mV ms.
        largest: v of readouts, (samples, neurons), mV.
        run: the run itself.
    """

    run: Run
    first: dict[str, Any] = field(default_factory=dict)
    spikes: dict[str, Any] = field(default_factory=dict)
    integral: dict[str, Any] = field(default_factory=dict)
    largest: dict[str, Any] = field(default_factory=dict)


class EventNetwork(torch.nn.Module):
    """A network in the event mode whose weights, delays and parameters of neurons learn by exact gradients.

    Time constants are kept as logarithms, so that they stay positive; a delay stays at 0.001 ms at least. Silent
    neurons have no gradient: `activity` is a penalty that brings them back.

    Args:
        net: the network, see `ns.gradients.Differentiable`.
        train: name of a projection -> "weight", "delay" or both, or "kernel" of a `Convolution`, whose entries all
            places share; name of a population -> parameters of its model.
        seed: of what is drawn when the network is laid out.
        threads: that share the samples; all cores by default.

    Raises:
        UnsupportedError: a part has no exact gradient.
        ParameterError: what shall be trained is not there.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=2, duration=1.0)), 2, name="inputs")
    >>> cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), 3, name="cells")
    >>> weights = net.connect(inputs, cells, ns.AllToAll(), weight=ns.Normal(9.0, 0.5), delay=1.0, name="w",
    ...                       receptor=ns.ExponentialCurrent(5.0))
    >>> model = EventNetwork(net, train={"w": "weight", "cells": "tau_mem"})
    >>> times = torch.tensor([[1.0, 2.0], [3.0, 1.0]])
    >>> loss = model(times, 40.0, first=["cells"]).first["cells"].sum()
    >>> loss.backward()
    >>> bool((model.value("w", "weight").grad < 0).all())
    True

    Source: Wunderlich, Pehle, Scientific Reports 11 (2021) 12829.
    """

    def __init__(self, net: Network, *, train: Mapping[str, str | Sequence[str]], seed: int = 0,
                 threads: int | None = None):
        super().__init__()
        self.model, self.threads = Differentiable(net, seed=seed), threads
        self.learned = torch.nn.ParameterDict()
        self._keys: dict[tuple[str, str], str] = {}
        self._entries: dict[str, np.ndarray] = {}  # of each kernel that is trained, by synapse
        for owner, names in train.items():
            names = [names] if isinstance(names, str) else list(names)
            if set(WEIGHTS) <= set(names):
                raise ParameterError(f"of {owner!r} either weight or kernel must be trained, got both: the weights are "
                                     f"those of the kernel")
            for name in names:
                value = self._kernel(owner) if name == "kernel" else np.array(self.model.values(owner, name))
                if name.startswith("tau"):
                    value = np.log(value)
                key = self._keys[owner, name] = f"{len(self._keys)}"
                self.learned[key] = torch.nn.Parameter(torch.as_tensor(value, dtype=torch.float64))

    def _kernel(self, owner):
        """Return the kernel of a projection, and note which of its entries each synapse has."""
        weights = self.model.values(owner)
        rule = next(p.rule for p in self.model.network.projections if p.name == owner)
        if not isinstance(rule, Convolution):
            raise ParameterError(f"a kernel is trained of a projection by the rule Convolution, got {owner!r} by "
                                 f"{type(rule).__name__}; train its weight")
        entries = self._entries[owner] = rule.entries()[np.lexsort(rule.listed()[::-1])]
        if not np.array_equal(weights, rule.kernel.ravel()[entries]):
            raise ParameterError(f"the weights of {owner!r} must be those of its kernel for it to be trained; leave "
                                 f"out `weight`, and a device, where it is connected")
        return np.array(rule.kernel)

    def value(self, owner: str, name: str):
        """Return what is learned of a projection or population: the parameter itself, time constants as logarithms."""
        if (owner, name) not in self._keys:
            raise ParameterError(f"{name!r} of {owner!r} is not trained; these are: "
                                 f"{', '.join(' of '.join(key[::-1]) for key in self._keys)}")
        return self.learned[self._keys[owner, name]]

    def forward(self, inputs: Any, duration: float, *, first: Sequence[str] = (), spikes: Sequence[str] = (),
                integral: Sequence[str] = (), largest: Sequence[str] = ()) -> Outcome:
        """Run samples and return what the loss is made of.

        Args:
            inputs: as `Differentiable.run` takes them; a tensor of times (samples, neurons) has a gradient itself.
            duration: ms.
            first, spikes, integral, largest: names of the populations of which each is wanted.
        """
        wanted = [(kind, name) for kind, names in (("first", first), ("spikes", spikes), ("integral", integral),
                                                   ("largest", largest)) for name in names]
        if not wanted or any(isinstance(each, str) for each in (first, spikes, integral, largest)):
            raise ParameterError("first, spikes, integral or largest must list populations, such as first=['cells']; "
                                 "a loss that depends on nothing has no gradient")
        times = inputs if torch.is_tensor(inputs) else None
        box: list[Run] = []
        made = _Events.apply(self, inputs, duration, wanted, box, times, *self.learned.values())
        outcome = Outcome(box[0])
        for (kind, name), tensor in zip(wanted, made, strict=True):
            getattr(outcome, kind)[name] = tensor
        return outcome

    def activity(self, outcome: Outcome, population: str, at_least: float = 0.1, at_most: float = math.inf):
        """Return a penalty on the weights into neurons that spike too seldom, or too often, on average over samples.

        sum over neurons of ((mean count - at_most)+ - (at_least - mean count)+) times the mean weight into each: it
        grows weights until a silent neuron takes part, and shrinks those into neurons that never rest. Trained weights
        alone count.

        Args:
            outcome: of the samples.
            population: name.
            at_least, at_most: spikes a sample.
        """
        numbers = all(isinstance(each, (int, float, np.number)) for each in (at_least, at_most))
        if not numbers or not 0.0 <= at_least <= at_most:
            raise ParameterError(f"at_least and at_most must be spikes a sample, 0 <= at_least <= at_most, got "
                                 f"{describe_value(at_least)} and {describe_value(at_most)}")
        mean = outcome.run.counts(population).mean(axis=0)
        excess = np.maximum(mean - at_most, 0.0) - np.maximum(at_least - mean, 0.0)
        total = torch.zeros((), dtype=torch.float64)
        for (owner, name), key in self._keys.items():
            projection = next((p for p in self.model.network.projections if p.name == owner), None)
            if name in WEIGHTS and projection is not None and projection.target.base.name == population:
                target = projection.target.ids[self.model.synapses(owner)[1]]
                weight = self._by_synapse(owner, name, self.learned[key]).expand(target.size)
                by = excess[target] / np.bincount(target, minlength=excess.size)[target]
                total = total + (torch.as_tensor(by) * weight).sum()
        return total

    def _by_synapse(self, owner, name, value):
        return value.reshape(-1)[self._entries[owner]] if name == "kernel" else value

    def values_of(self) -> dict[tuple[str, str], np.ndarray]:
        """Return what has been learned as it acts, by (owner, name), to be set in any simulation of the network.

        A kernel is there as the "weight" of each synapse.
        """
        return {(owner, "weight" if name == "kernel" else name):
                self._by_synapse(owner, name, _acting(name, self.learned[key]))
                for (owner, name), key in self._keys.items()}


def _acting(name, tensor):
    value = tensor.detach().cpu().numpy()
    if name == "delay":
        return np.maximum(value, SHORTEST)
    return np.exp(value) if name.startswith("tau") else value


class _Events(torch.autograd.Function):
    """One run forth and back."""

    @staticmethod
    def forward(ctx, module, inputs, duration, wanted, box, times, *learned):
        for (owner, name), value in zip(module._keys, learned, strict=True):
            acting = _acting(name, value)
            if not np.isfinite(acting).all():
                raise ParameterError(f"{name} of {owner!r} must be finite, got {describe_value(acting)}; was the "
                                     f"learning rate too large?")
            module.model.set(owner, **{"weight" if name == "kernel" else name: module._by_synapse(owner, name, acting)})
        given = times.detach().cpu().numpy().astype(np.float64) if times is not None else inputs
        kinds = {kind for kind, _ in wanted}
        rates = any(name not in (*WEIGHTS, "delay") for _, name in module._keys)
        run = module.model.run(given, duration, rates=rates, largest="largest" in kinds, threads=module.threads)
        _warn_of_silence(run)
        box.append(run)
        ctx.module, ctx.run, ctx.wanted = module, run, wanted
        made = []
        for kind, name in wanted:
            value = run.spikes(name)[1] if kind == "spikes" else getattr(run, kind)(name)
            if kind == "first":
                value = np.where(np.isfinite(value), value, run.duration)
            made.append(torch.as_tensor(value))
        return tuple(made)

    @staticmethod
    def backward(ctx, *gradients):
        run, given = ctx.run, {"first": {}, "spikes": {}, "integral": {}, "largest": {}}
        for (kind, name), each in zip(ctx.wanted, gradients, strict=True):
            value = each.cpu().numpy().astype(np.float64)
            if not np.isfinite(value).all():
                raise ParameterError(f"the gradient of the loss by {kind}[{name!r}] must be finite, got "
                                     f"{describe_value(value)}")
            if kind == "first":
                value = np.where(np.isfinite(run.first(name)), value, 0.0)
            given[kind][name] = value
        timing = ctx.needs_input_grad[5] or any(name == "delay" for _, name in ctx.module._keys)
        made = run.backward(**given, timing=timing)
        found = [torch.as_tensor(_by(made, owner, name, parameter, ctx.module._entries)) for (owner, name), parameter in
                 zip(ctx.module._keys, ctx.module.learned.values(), strict=True)]
        times = torch.as_tensor(next(iter(made.inputs.values()))) if ctx.needs_input_grad[5] else None
        return None, None, None, None, None, times, *found


def _by(made, owner, name, parameter, entries):
    """Return the gradient by a learned value: as it acts, by its logarithm, or the sum over those that share it."""
    if name == "kernel":
        value = np.bincount(entries[owner], made.projections[owner]["weight"], parameter.numel())
        return value.reshape(parameter.shape)
    value = made.projections[owner][name] if owner in made.projections and name in ("weight", "delay") else (
        made.populations[owner][name])
    if name.startswith("tau"):
        value = np.asarray(value) * _acting(name, parameter)
    return np.asarray(value, np.float64).reshape(parameter.shape)


def _warn_of_silence(run):
    for name in run.silent() if run.n_samples else ():
        warn(f"no neuron of {name!r} spikes in any sample, so nothing that leads to it has a gradient; begin with "
             f"larger weights, or add `activity` to the loss")
