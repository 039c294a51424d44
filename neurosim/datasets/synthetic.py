"""Connectomes that are drawn, with the counts of a published one."""

import numpy as np

from neurosim.aliases import Seed
from neurosim.checks import check_number, check_seed, check_whole
from neurosim.datasets.flywire import Connectome

NEURONS, CONNECTIONS = 138_639, 15_091_983  #: of FlyWire 783
EXPONENT, MOST = 2.15, 2000  #: of the counts of synapses of a connection, which mean 3.6


def random_connectome(neurons: int = NEURONS, connections: int | None = None, *, spread: float = 1.2,
                      inhibitory: float = 0.3, seed: Seed = 0) -> Connectome:
    r"""Return a connectome drawn at random, by default of the size of an adult fly's, with heavy-tailed degrees.

    Each neuron has two shares, exp(spread z) with z standard normal, of the connections that begin and of those that
    end at it; both ends of each connection are drawn by these shares, so that the degrees are log-normal, and a pair
    may have several. A connection has n synapses with p(n) ~ n^-2.15, at most 2,000, which mean 3.6; all of a neuron
    excite, or inhibit.

    Args:
        neurons: how many.
        connections: how many; by default 109 times as many as neurons, as published.
        spread: standard deviation of the logarithm of a neuron's share; 0 draws every end alike.
        inhibitory: share of the neurons that inhibit, whose counts are negative.
        seed: of all that is drawn.

    Raises:
        ParameterError: an argument does not fit.

    >>> found = random_connectome(1000, 30_000, seed=1)
    >>> len(found.ids), len(found.source), bool((found.count[found.source == 0] > 0).all())
    (1000, 30000, True)

    Source of the counts: Dorkenwald and others, Nature 634 (2024) 124-138.
    """
    neurons = check_whole("random_connectome.neurons", neurons, at_least=1)
    if connections is None:
        connections = round(neurons * CONNECTIONS / NEURONS)
    connections = check_whole("random_connectome.connections", connections, at_least=0)
    spread = check_number("random_connectome.spread", spread, at_least=0)
    inhibitory = check_number("random_connectome.inhibitory", inhibitory, at_least=0, at_most=1)
    rng = np.random.default_rng(check_seed("random_connectome.seed", seed))

    def ends():
        share = rng.lognormal(0.0, spread, neurons)
        return np.repeat(np.arange(neurons), rng.multinomial(connections, share / share.sum()))

    source, target = ends(), rng.permutation(ends())
    count = np.minimum(rng.zipf(EXPONENT, connections), MOST)
    sign = np.where(rng.random(neurons) < inhibitory, -1, 1)
    return Connectome(np.arange(neurons), source, target, sign[source] * count)
