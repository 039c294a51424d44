"""From a network of the core to layers that send the same spikes, as far as layers can express it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.bridge.core import EARLY, Core
from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import CURRENT, JUMP, SAME_TICK
from neurosim.bridge.layers import (
    AdaptiveLIFLayer,
    CurrentLIFLayer,
    Layer,
    LeakyIntegratorLayer,
    LIFLayer,
    Sequential,
    SynapticLayer,
)
from neurosim.bridge.models import SynapticLIF, UnitlessAdaptiveLIF, UnitlessLIF
from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.network import Network
from neurosim.neurons import LIF, AdaptiveLIF, LeakyIntegrator
from neurosim.receptors import Delta, ExponentialCurrent, Pulse
from neurosim.resolving import Resolved, resolve
from neurosim.sources import InjectedCurrent, Source

MODELS = (LIF, AdaptiveLIF, LeakyIntegrator, UnitlessLIF, UnitlessAdaptiveLIF, SynapticLIF)
RECEPTORS = {Delta: JUMP, ExponentialCurrent: CURRENT, Pulse: SAME_TICK}
CLOCK = "clock"


def from_network(net: Network | Core, *, dt: float | None = None, seed: int = 0, dtype: Any = None) -> Sequential:
    """Return layers that send the spikes of a network of the core, with everything drawn as a simulation would.

    The network must be one source of spikes and populations of neurons behind it, each reached from the one before and,
    where wanted, from itself, with delays of one tick. With the source's spikes at tick t + 1 as x[t], layer k does
    step t at tick t + 1 + k. Layers count v from where it rests, so that -70 mV is 0.

    Args:
        net: the network, or what `to_network` made.
        dt: length of a tick, ms; what `to_network` made knows it.
        seed: that of the simulation whose draws are taken.
        dtype: float type of the layers; float64 by default.

    Raises:
        UnsupportedError: layers have no such part; it is named.
        ParameterError: an argument does not fit.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> noise = net.add(ns.Poisson(20.0), 5, name="noise")
    >>> cells = net.add(ns.LIF(tau_mem=20.0), 3, name="cells")
    >>> projection = net.connect(noise, cells, weight=2.0, delay=1.0)
    >>> layers = from_network(net, dt=1.0)
    >>> layers.layers[0], layers.layers[0].value("v_threshold").tolist()
    (LIFLayer(5, 3, dt=1), [15.0, 15.0, 15.0])

    Source: the equations of both sides, docs/bridge.md.
    """
    core = net if isinstance(net, Core) else None
    if not isinstance(net, (Network, Core)):
        raise ParameterError(f"net must be a Network or what to_network made, got {describe_value(net)}")
    net = net.network if isinstance(net, Core) else net
    dt = core.dt if core is not None and dt is None else dt
    if dt is None:
        raise ParameterError("dt must be given in ms, since a network does not know how long a tick is")
    dt = check_number("dt", dt, "ms", above=0)
    _check_parts(net)
    found = resolve(net, dt, seed)
    source = _source(net, core is not None)
    layers, before, size = [], source.name, source.size
    while (name := _next(net, before, source.name)) is not None:
        free = len(layers) + 1 + (EARLY - 1 if core is not None else 0)
        stage = _Stage(net, found, name, before, size, dt)
        layers.append(stage.layer(free, dtype or torch.float64))
        before, size = name, stage.size
    left = [p.name for p in net.populations if not isinstance(p.model, Source)]
    if not layers or len(layers) < len(left):
        wrong = left[len(layers)] if len(layers) < len(left) else source.name
        raise UnsupportedError(f"population {wrong!r} must lie on one chain that begins at {source.name!r}, as layers "
                               "do, each reached from the one before")
    return Sequential(*layers)


def _check_parts(net) -> None:
    """Refuse what no layer has, by name."""
    if net.couplings:
        raise UnsupportedError(f"gap junctions {net.couplings[0].name!r} have no counterpart among the layers")
    for population in net.populations:
        if not isinstance(population.model, Source) and type(population.model) not in MODELS:
            raise UnsupportedError(f"population {population.name!r} must be of {', '.join(m.__name__ for m in MODELS)} "
                                   f"to become a layer, got {type(population.model).__name__}")
    for each in net.projections:
        for label, value in (("release", each.release), ("plasticity", each.plasticity), ("device", each.device)):
            if value:
                raise UnsupportedError(f"projection {each.name!r} must have no {label} to become a layer, got "
                                       f"{describe_value(value)}; layers have static weights")
        if type(each.receptor) not in RECEPTORS or each.receptor.cleared:
            raise UnsupportedError(f"projection {each.name!r} must have a receptor of Delta, ExponentialCurrent that "
                                   f"spikes do not clear, or Pulse to become a layer, got {each.receptor!r}")
    for drive in net.drives:
        if type(drive.drive) is not InjectedCurrent or not isinstance(drive.drive.amplitude, (float, np.ndarray)):
            raise UnsupportedError(f"drive {drive.name!r} must be an InjectedCurrent that does not change to become a "
                                   f"part of a layer, got {drive.drive!r}")


def _source(net, from_layers):
    sources = [p for p in net.populations if isinstance(p.model, Source) and not (from_layers and p.name == CLOCK)]
    if len(sources) != 1:
        raise UnsupportedError(f"the network must have one source of spikes to become layers, got {len(sources)}: "
                               f"{', '.join(repr(p.name) for p in sources) or 'none'}")
    return sources[0]


def _next(net, before, source):
    """Return the name of the population that one reaches, or None; raise UnsupportedError where there are several."""
    after = {p.target.base.name for p in net.projections if p.source.base.name == before} - {before}
    if len(after) > 1:
        raise UnsupportedError(f"population {before!r} must reach one population besides itself, as layers do, got "
                               f"{', '.join(sorted(after))}")
    return next(iter(after), None)


@dataclass(frozen=True)
class _Stage:
    """One population of neurons, and what reaches it."""

    net: Network
    found: Resolved
    name: str
    before: str
    n_in: int
    dt: float

    @property
    def size(self) -> int:
        return self.found.populations[self.name].size

    def layer(self, free: int, dtype: Any) -> Layer:
        """Return the layer; it starts from the state that the population has after some ticks without input."""
        model = self.found.populations[self.name].model
        kind, receptor = self._input()
        p = {name: self._numbers(value) for name, value in self.found.populations[self.name].parameters.items()
             if value is not None and not isinstance(value, str)}
        rest = self._rest(model, p, kind)
        options = {"dt": self.dt, "dtype": dtype, "tau_mem": p["tau_mem"], **self._reset(model, p, rest)}
        if kind == CURRENT:
            options["r"] = self._numbers(model.resistance(_Named(p)))
        if kind != JUMP:
            options["tau_syn"] = p["tau_syn"] if kind == SAME_TICK else self._numbers(receptor["tau_syn"])
        if isinstance(model, AdaptiveLIF):
            options |= {"tau_theta": p["tau_theta"], "delta_theta": p["delta_theta"]}
        own = self._weights(self.name, self.size)
        jumps, starts = self._clock(kind)
        bias = jumps if model.spiking else jumps + rest * -np.expm1(-self.dt / p["tau_mem"])
        cls = self._class(model, kind)
        made = cls(self.n_in, self.size, bias=bool(bias.any()), recurrent=own is not None,
                   **options, **self._start(cls, model, options, p, rest, starts, free))
        with torch.no_grad():
            made.weight.copy_(torch.from_numpy(self._weights(self.before, self.n_in)))
            made.bias.copy_(torch.from_numpy(bias))
            if own is not None:
                made.recurrent.copy_(torch.from_numpy(own))
        return made

    def _numbers(self, value) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (self.size,))

    def _into(self):
        return [p for p in self.net.projections if p.target.base.name == self.name and p.source.base.name != CLOCK]

    def _input(self):
        """Return what an arrival does, and the parameters of the receptor."""
        for projection in self._into():
            if projection.source.base.name not in (self.before, self.name):
                raise UnsupportedError(f"projection {projection.name!r} must come from {self.before!r} or from "
                                       f"{self.name!r} itself, as layers have it, got {projection.source.base.name!r}")
        ports = {self.found.projections[p.name].receptor for p in self._into()}
        if len(ports) != 1:
            raise UnsupportedError(f"population {self.name!r} must have one receptor for all that arrives, as layers "
                                   f"have, got {len(ports)}")
        receptor, parameters = self.found.populations[self.name].receptors[ports.pop()]
        kind, model = RECEPTORS[type(receptor)], self.found.populations[self.name].model
        if receptor.on != "v" or (kind == SAME_TICK) != isinstance(model, SynapticLIF):
            raise UnsupportedError(f"population {self.name!r} must take Pulse if it is of SynapticLIF, and Delta or "
                                   f"ExponentialCurrent on v otherwise, got {receptor!r} of {type(model).__name__}")
        return kind, parameters

    def _weights(self, source, n_source):
        """Return the weights of all projections from one population, (source, target), or None."""
        parts = [p for p in self._into() if p.source.base.name == source]
        if not parts:
            return None
        weights = np.zeros((n_source, self.size))
        for part in parts:
            synapses = self.found.projections[part.name]
            if synapses.delay.size and not np.allclose(synapses.delay, self.dt, rtol=1e-6):
                raise UnsupportedError(f"projection {part.name!r} must have delays of one tick, {self.dt:g} ms, to "
                                       f"become a layer, got {synapses.delay.min():g} .. {synapses.delay.max():g} ms")
            np.add.at(weights, (synapses.source, synapses.target), synapses.values["weight"])
        return weights

    def _rest(self, model, p, kind) -> np.ndarray:
        """Return where v rests: the leak, moved by what is injected."""
        rest, injected = p.get("v_leak", np.zeros(self.size)).copy(), p.get("i_bias", np.zeros(self.size)).copy()
        for drive in self.net.drives:
            if drive.target.base.name == self.name:
                part = drive.target.inside
                injected[part] += drive.drive.amplitude
        if injected.any() and isinstance(model, SynapticLIF):
            raise UnsupportedError(f"population {self.name!r} of SynapticLIF must have no injected current")
        return rest + self._numbers(model.resistance(_Named(p))) * injected if injected.any() else rest

    def _reset(self, model, p, rest) -> dict[str, Any]:
        if not model.spiking:
            return {}
        held = np.unique(p["t_ref"])
        if held.size > 1:
            raise UnsupportedError(f"population {self.name!r} must have one t_ref to become a layer, got {held.size}")
        values = {"v_threshold": p["v_threshold"] - rest, "reset": model.reset, "t_ref": float(held[0])}
        if model.reset == "to_value":
            return values | {"v_reset": p["v_reset"] - rest}
        return values | {"reset_by": p["v_step"] if "v_step" in p else p["v_threshold"] - p["v_leak"]}

    def _class(self, model, kind) -> type[Layer]:
        if not model.spiking or isinstance(model, AdaptiveLIF):
            if kind != JUMP:
                raise UnsupportedError(f"population {self.name!r} of {type(model).__name__} must take Delta to become "
                                       "a layer, got another receptor")
            return AdaptiveLIFLayer if model.spiking else LeakyIntegratorLayer
        return {JUMP: LIFLayer, CURRENT: CurrentLIFLayer, SAME_TICK: SynapticLayer}[kind]

    def _clock(self, kind):
        """Return the jump at every tick and the initial values that `to_network` gave to its clock."""
        jumps, starts = np.zeros(self.size), {}
        for projection in self.net.projections:
            if projection.source.base.name != CLOCK or projection.target.base.name != self.name:
                continue
            synapses = self.found.projections[projection.name]
            values = np.zeros(self.size)
            np.add.at(values, synapses.target, synapses.values["weight"])
            if projection.source.start == 1:
                jumps = values
            else:
                starts["v" if type(projection.receptor) is Delta and projection.receptor.on == "v" else "i"] = values
        return jumps, starts

    def _start(self, cls, model, options, p, rest, starts, free) -> dict[str, np.ndarray]:
        """Return the initial values: what is left of those of the population after some ticks."""
        initial = self.found.populations[self.name].initial
        v = self._numbers(initial.get("v", p.get("v_leak", 0.0)))
        current = [value for name, value in initial.items() if name.startswith("i_syn")]
        if any(np.any(each) for each in current):
            raise UnsupportedError(f"population {self.name!r} must start without a synaptic current to become a layer")
        if not model.spiking:
            values = {"v_initial": rest + (v - rest) * np.exp(-free * self.dt / p["tau_mem"])}
        else:
            first = v - rest
            if (np.maximum(first, 0.0) > options["v_threshold"]).any():
                raise UnsupportedError(f"population {self.name!r} must rest and start below its threshold: a layer "
                                       "cannot spike before its first step")
            values = {"v_initial": first * np.exp(-free * self.dt / p["tau_mem"])}
        if isinstance(model, AdaptiveLIF):
            theta = self._numbers(initial.get("theta", 0.0))
            values["theta_initial"] = theta * np.exp(-free * self.dt / p["tau_theta"])
        values = {name: value for name, value in values.items() if np.any(value)}
        if "v" in starts:
            values["v_initial"] = values.get("v_initial", 0.0) + starts["v"]
        return values | ({"i_initial": starts["i"]} if "i" in starts else {})


class _Named:
    """Numbers by name, as a model takes its parameters."""

    def __init__(self, values):
        self.__dict__.update({"r": None, "c_mem": None} | values)
