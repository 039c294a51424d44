"""Which float type a tick needs.

A variable that comes back to its rest with the time constant tau moves by a share dt / tau of its distance in a tick.
In float32 the numbers that say so, and the variable itself, are rounded to 2^-24 of themselves, so that the rate is off
by 2^-24 tau / dt, and at a tau of 2^24 ticks the variable stands still. The rest of v, which is some 70 mV from zero,
moves by the same share of that. Where rounding would change a rate by more than `SHARE`, or that of v by more than
`SHARE_OF_V`, float64 is taken. Variables that are declared `slow` are float64 anyway.
"""

import itertools
import math
from types import SimpleNamespace

import numpy as np

from neurosim.checks import Samples
from neurosim.errors import warn

ROUNDING = 2.0**-24  #: of a number in float32
SHARE = 1e-3  #: by which rounding may change a rate
SHARE_OF_V = 2e-4  #: that of v, 0.014 mV for a rest of -70 mV
TAIL = 1e-3  #: what of a distribution lies beyond the values that are looked at, at either end


def dtype_for(net, dt: float) -> str:
    """Return "float32", or "float64" where rounding in a tick of dt ms would change a rate of the network too much."""
    return "float64" if dt < shortest_tick(net)[0] else "float32"


def shortest_tick(net) -> tuple[float, str]:
    """Return the shortest tick in ms for which float32 will do, and the variable that decides it; (0, "") if any will.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> cells = net.add(ns.LIF(tau_mem=100.0), 5, name="cells")
    >>> tick, which = shortest_tick(net)
    >>> round(tick, 4), which
    (0.0298, 'v of cells')
    """
    found, receptors = [(0.0, "")], net.receptors()
    for population in net.populations:
        if hasattr(population.model, "state"):
            for owner in (population.model, *receptors[population]):
                tick, name = _shortest(owner, _extremes(owner))
                found.append((tick, f"{name} of {population.name}"))
    return max(found)


def warn_where_lost(population: str, owners, dt: float, real: type) -> None:
    """Warn where the float type is too coarse for a tick.

    Args:
        population: its name.
        owners: pairs of its model, or a receptor, and parameters.
        dt: ms.
        real: float type.
    """
    if real is np.float64:
        return
    for owner, q in owners:
        tick, name = _shortest(owner, q)
        if dt < tick:
            warn(f"dt = {dt:g} ms is too short for {name} of {population!r} in float32, whose rounding "
                 f"changes its rate; leave dtype out or give dtype='float64', or dt >= {tick:.2g} ms")


def _shortest(owner, p) -> tuple[float, str]:
    """Return the shortest tick in ms for which float32 will do for a model or receptor, and the variable."""
    with np.errstate(all="ignore"):
        rates = owner.rates(p)
    found = [(0.0, "")]
    for name, rate in rates.items():
        least = _slowest(rate)
        if least is not None and not owner.state[name].slow:
            found.append((ROUNDING / least / (SHARE_OF_V if name == "v" else SHARE), name))
    return max(found)


def _slowest(rate) -> float | None:
    """Return the smallest size of some rates that is neither zero nor infinite, if there is one."""
    if isinstance(rate, float):
        return abs(rate) if 0.0 < abs(rate) < math.inf else None
    rate = np.abs(np.asarray(rate, dtype=np.float64))
    least = float(rate.min()) if rate.size else 0.0
    if 0.0 < least < math.inf:
        return least
    moving = rate[(rate > 0.0) & (rate < np.inf)]
    return float(moving.min()) if moving.size else None


def _extremes(owner) -> SimpleNamespace:
    """Return the parameters of a model, all combinations of the smallest and the largest of those that vary."""
    values = {name: _ends(value) for name, value in owner.values().items()}
    varied = [name for name, ends in values.items() if isinstance(ends, tuple)]
    combined = np.array(list(itertools.product(*(values[name] for name in varied)))).T
    return SimpleNamespace(**(values | dict(zip(varied, combined, strict=False))))


def _ends(value):
    """Return the smallest and the largest of what varies."""
    if isinstance(value, Samples):
        return value.at(TAIL), value.at(1.0 - TAIL)
    return (value.min(), value.max()) if isinstance(value, np.ndarray) else value
