"""The brain of a fly as a network of leaky integrate-and-fire neurons (Shiu and others 2024)."""

from typing import Any

import numpy as np

from neurosim.aliases import Seed
from neurosim.checks import check_numbers, check_seed, check_whole, describe_value
from neurosim.connectivity import Explicit
from neurosim.errors import ParameterError
from neurosim.network import Network
from neurosim.neurons import LIF
from neurosim.receptors import ExponentialCurrent

NEURONS, CONNECTIONS = 138_639, 15_091_983  #: of FlyWire 783
WEIGHT = 0.275  #: mV for each synapse
EVENT = 250 * WEIGHT  #: mV by which v jumps at an event of an input, from which a neuron always fires
SPREAD = 1.2  #: standard deviation of the logarithm of a neuron's share of connections
INHIBITORY = 0.3  #: share of neurons
EXPONENT, MOST = 2.15, 2000  #: of the counts of synapses of a connection, which mean 3.6


def fly_brain(connectome: Any = None, *, driven: Any = (), neurons: int = NEURONS, connections: int = CONNECTIONS,
              seed: Seed = 0) -> Network:
    """Return the model of the brain of a fly: connections of a connectome, one kind of neuron, and nothing fitted.

    tau_mem dv/dt = v_leak - v + I, tau_syn dI/dt = -I; I grows by 0.275 mV for each synapse of a connection, 1.8 ms
    after a spike; v_threshold -45 mV, v_leak = v_reset = -52 mV, tau_mem 20 ms, tau_syn 5 ms, t_ref 2.2 ms. A spike
    clears I, and what arrives while its neuron is refractory is lost.

    Population: "neurons"; projection: "connections". Neurons that are `driven` are never refractory, and an event of
    68.75 mV makes them spike: `net.drive(net["neurons"][driven], ns.PoissonDrive(rate=150.0, weight=68.75))`. A neuron
    is silenced by a threshold that it never reaches, in one sample of a batch by `run_batch(..., changes=...)`.

    Args:
        connectome: what `neurosim.datasets.read_flywire` returns, or anything with arrays `ids`, `source`, `target`
            and `count`. Without it a random one of the published size: how many connections begin and end at a neuron
            is log-normal, how many synapses one has follows a power law with a mean of 3.6.
        driven: places of neurons that are given events, shape (k,).
        neurons, connections: of a random connectome.
        seed: of a random connectome.

    Raises:
        ParameterError: an argument does not fit.

    >>> net = fly_brain(neurons=1000, connections=30_000)
    >>> net["neurons"].size, net.projection("connections").receptor
    (1000, ExponentialCurrent(tau_syn=5.0, refractory='cleared'))

    Source: Shiu and others, Nature 634 (2024) 210-219; counts of neurons and connections: Dorkenwald and others,
    Nature 634 (2024) 124-138.
    """
    if connectome is None:
        size, many = (check_whole(f"fly_brain.{name}", value, at_least=1) for name, value in
                      (("neurons", neurons), ("connections", connections)))
        edges = _random(size, many, check_seed("fly_brain.seed", seed))
    elif not all(hasattr(connectome, name) for name in ("ids", "source", "target", "count")):
        raise ParameterError("fly_brain.connectome must have arrays ids, source, target and count, as read_flywire "
                             f"returns them, got {describe_value(connectome)}")
    else:
        size, edges = len(connectome.ids), (connectome.source, connectome.target, connectome.count)
    places, t_ref = _places(driven, size), 2.2
    if places.size:
        t_ref = np.full(size, 2.2)
        t_ref[places] = 0.0
    model = LIF(tau_mem=20.0, v_leak=-52.0, v_reset=-52.0, v_threshold=-45.0, r=1.0, t_ref=t_ref)
    source, target, count = edges
    net = Network()
    cells = net.add(model, size, name="neurons")
    net.connect(cells, cells, Explicit(source, target), weight=WEIGHT * np.asarray(count, dtype=np.float64), delay=1.8,
                receptor=ExponentialCurrent(5.0, refractory="cleared"), name="connections")
    return net


def _places(driven, size) -> np.ndarray:
    """Return the places of driven neurons, checked."""
    places = check_numbers("fly_brain.driven", driven)
    if places.ndim != 1 or (places != np.floor(places)).any() or not ((places >= 0) & (places < size)).all():
        raise ParameterError(f"fly_brain.driven must be places of neurons, whole numbers in 0 .. {size - 1}, got "
                             f"{describe_value(driven)}")
    return places.astype(np.int64)


def _random(neurons, connections, seed):
    """Return sources, targets and signed counts of a random connectome."""
    rng = np.random.default_rng(seed)

    def ends():
        share = rng.lognormal(0.0, SPREAD, neurons)
        return np.repeat(np.arange(neurons), rng.multinomial(connections, share / share.sum()))

    source, target = ends(), rng.permutation(ends())
    count = np.minimum(rng.zipf(EXPONENT, connections), MOST)
    sign = np.where(rng.random(neurons) < INHIBITORY, -1, 1)
    return source, target, sign[source] * count


__all__ = ["fly_brain"]
