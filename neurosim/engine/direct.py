"""Which arrivals are added to a receptor's variable itself, instead of to a buffer that the next update empties.

Where an arrival of weight w changes nothing but one variable, always by w, after the update of its tick, deliveries may
simply come after that update and add to the variable. The loop over all neurons, which is bound by the bytes that it
moves, then has no buffer to read and to clear: with two exponential currents it takes 0.6 of the time.
"""

from types import SimpleNamespace

from neurosim.checks import Parameter


def direct_ports(net, ports) -> set:
    """Return the (population, port) of a network to whose variable arrivals are added directly.

    What learns reads its target as it was before the update, so its arrivals keep a buffer; and what comes from one
    population may be delivered together, so its targets are of one kind.

    Args:
        net: the network.
        ports: the receptors of each population, see `Ports`.
    """
    direct = {(population, number) for population in net.populations if hasattr(population.model, "state")
              for number, receptor in enumerate(ports.receptors[population]) if _adds_itself(receptor)}
    reached = {}
    for projection in net.projections:
        port = projection.target.base, ports.of(projection)
        if projection.plasticity:
            direct.discard(port)
        else:
            reached.setdefault(projection.source.base, set()).add(port)
    before = None
    while before != len(direct):
        before = len(direct)
        for together in reached.values():
            if not together <= direct:
                direct -= together
    return direct


def _adds_itself(receptor) -> bool:
    """Return whether an arrival adds its weight to the only variable, whatever the parameters are."""
    if receptor.effect not in ("current", "conductance") or len(receptor.state) != 1 or receptor.cleared:
        return False
    (name,) = receptor.state
    for number in (2.0, 3.0):
        p = SimpleNamespace(**{key: number if isinstance(receptor.parameters[key], Parameter) else value
                               for key, value in receptor.values().items()})
        if receptor.linear(p).arrival != {name: 1.0}:
            return False
    return True
