"""The brain of a fly as a network of leaky integrate-and-fire neurons (Shiu and others 2024)."""

from typing import Any

import numpy as np

from neurosim.checks import check_numbers, describe_value
from neurosim.connectivity import Explicit
from neurosim.errors import ParameterError
from neurosim.network import Network
from neurosim.neurons import LIF
from neurosim.receptors import ExponentialCurrent

WEIGHT = 0.275  #: mV for each synapse
EVENT = 250 * WEIGHT  #: mV by which v jumps at an event of an input, from which a neuron always fires


def fly_brain(connectome: Any, *, driven: Any = ()) -> Network:
    """Return the model of the brain of a fly: connections of a connectome, one kind of neuron, and nothing fitted.

    tau_mem dv/dt = v_leak - v + I, tau_syn dI/dt = -I; I grows by 0.275 mV for each synapse of a connection, 1.8 ms
    after a spike; v_threshold -45 mV, v_leak = v_reset = -52 mV, tau_mem 20 ms, tau_syn 5 ms, t_ref 2.2 ms. A spike
    clears I, and what arrives while its neuron is refractory is lost.

    Population: "neurons"; projection: "connections". Neurons that are `driven` are never refractory, and an event of
    68.75 mV makes them spike: `net.drive(net["neurons"][driven], ns.PoissonDrive(rate=150.0, weight=68.75))`. A neuron
    is silenced by a threshold that it never reaches, in one sample of a batch by `run_batch(..., changes=...)`.

    Args:
        connectome: what `neurosim.datasets.read_flywire` returns or, drawn with the published counts,
            `neurosim.datasets.random_connectome`; or anything with arrays `ids`, `source`, `target` and `count`.
        driven: places of neurons that are given events, shape (k,).

    Raises:
        ParameterError: an argument does not fit.

    >>> from neurosim.datasets import random_connectome
    >>> net = fly_brain(random_connectome(1000, 30_000))
    >>> net["neurons"].size, net.projection("connections").receptor
    (1000, ExponentialCurrent(tau_syn=5.0, refractory='cleared'))

    Source: Shiu and others, Nature 634 (2024) 210-219; counts of neurons and connections: Dorkenwald and others,
    Nature 634 (2024) 124-138.
    """
    if not all(hasattr(connectome, name) for name in ("ids", "source", "target", "count")):
        raise ParameterError("fly_brain.connectome must have arrays ids, source, target and count, as read_flywire "
                             f"and random_connectome return them, got {describe_value(connectome)}")
    size = len(connectome.ids)
    places, t_ref = _places(driven, size), 2.2
    if places.size:
        t_ref = np.full(size, 2.2)
        t_ref[places] = 0.0
    model = LIF(tau_mem=20.0, v_leak=-52.0, v_reset=-52.0, v_threshold=-45.0, r=1.0, t_ref=t_ref)
    net = Network()
    cells = net.add(model, size, name="neurons")
    net.connect(cells, cells, Explicit(connectome.source, connectome.target), delay=1.8,
                weight=WEIGHT * np.asarray(connectome.count, dtype=np.float64),
                receptor=ExponentialCurrent(5.0, refractory="cleared"), name="connections")
    return net


def _places(driven, size) -> np.ndarray:
    """Return the places of driven neurons, checked."""
    places = check_numbers("fly_brain.driven", driven)
    if places.ndim != 1 or (places != np.floor(places)).any() or not ((places >= 0) & (places < size)).all():
        raise ParameterError(f"fly_brain.driven must be places of neurons, whole numbers in 0 .. {size - 1}, got "
                             f"{describe_value(driven)}")
    return places.astype(np.int64)


__all__ = ["fly_brain"]
