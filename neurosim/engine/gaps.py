"""Gap junctions: currents g (v_j - v_i) between pairs of neurons, as an operator of its own in every tick.

Alone, a junction takes the difference of two potentials to nothing with the rate g (1/c_i + 1/c_j), and leaves
c_i v_i + c_j v_j as it was. That is done exactly for half a tick, one junction after the other, before the neurons
integrate, and for another half, in the reverse order, after them: a symmetric splitting, of second order in dt, stable
for any conductance, and exact for two cells without a leak. A neuron that is refractory has a fixed potential.

Source: Strang, SIAM J. Numerical Analysis 5 (1968) 506.
"""

from dataclasses import dataclass

import numpy as np

from neurosim.engine.kernel import INT, Array, Kernel
from neurosim.engine.synapses import build, to_coo
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.network import GapJunctions

_BODY = """\
for m in range({order}):
    i, j = first[m], second[m]
    apart = v[i] - w[j]
    still_i, still_j = {still_i}, {still_j}
    if still_i:
        if not still_j:
            w[j] += apart * second_alone[m]
    elif still_j:
        v[i] -= apart * first_alone[m]
    else:
        v[i] -= apart * first_moves[m]
        w[j] += apart * second_moves[m]
"""


@dataclass(frozen=True, eq=False)
class CouplingPlan:
    """Gap junctions one by one.

    Attributes:
        junctions: what they were described as.
        first, second: who is joined, numbered in the whole populations.
        conductance: nS of each.
    """

    junctions: GapJunctions
    first: np.ndarray
    second: np.ndarray
    conductance: np.ndarray


def exchange(dtypes: tuple, holds: tuple, backwards: bool) -> Kernel:
    """Return the kernel that lets half a tick of currents flow through all junctions.

    Args:
        dtypes: of v of the two populations.
        holds: whether each of them has refractory neurons.
        backwards: whether the last junction comes first.
    """
    fields = {"n": INT, "n_first": INT, "n_second": INT, "v": Array(dtypes[0], "n_first"),
              "w": Array(dtypes[1], "n_second"), "first": Array(np.int64, "n"), "second": Array(np.int64, "n")}
    fields |= {f"{side}_{what}": Array(dtype, "n") for side, dtype in zip(("first", "second"), dtypes, strict=True)
               for what in ("alone", "moves")}
    still = []
    for side, index, hold in (("first", "i", holds[0]), ("second", "j", holds[1])):
        fields |= {f"until_{side}": Array(np.int64, f"n_{side}")} if hold else {}
        still.append(f"until_{side}[{index}] >= tick" if hold else "False")
    text = _BODY.format(order="n - 1, -1, -1" if backwards else "n", still_i=still[0], still_j=still[1])
    return Kernel("exchange", fields, text, {}, np.float64)


def lay(junctions: GapJunctions, seed: int, streams, dt: float) -> CouplingPlan:
    """Return gap junctions one by one, as the rule and the distribution draw them."""
    one, other = junctions.one, junctions.other
    made = build(junctions.rule, one.size, other.size, junctions.shift, quantities={"weight": junctions.conductance},
                 delay=dt, bounds=[0, other.size], seed=seed, streams=streams, label=junctions.name, dt=dt,
                 real=np.float64)
    first, second, _, values = to_coo(made)
    conductance = np.broadcast_to(values["weight"], first.shape)
    if (conductance < 0).any():
        raise ParameterError(f"conductance of {junctions.name!r} must be >= 0 nS, got {conductance.min():g}; give a "
                             "distribution low=0 and bounds='clip' or 'redraw'")
    first, second = one.ids[first], other.ids[second]
    joined = np.flatnonzero((first != second) | (one.base is not other.base))  # nothing flows from a cell into itself
    return CouplingPlan(junctions, first[joined], second[joined], conductance[joined])


def shares(coupling: CouplingPlan, plans, dt: float) -> dict:
    """Return by which shares of their difference two potentials move in half a tick, if both do and if one does."""
    rises = []
    for plan, ids in zip(plans, (coupling.first, coupling.second), strict=True):
        model = plan.population.model
        rise = model.rise(plan.parameters)
        if rise is None:
            raise UnsupportedError(f"{type(model).__name__} of {plan.population.name!r} cannot have gap junctions: "
                                   "it must say what a current does to v, by linear(p) or rise(p)")
        rise = np.asarray(rise, np.float64)
        rises.append(rise[ids] if rise.ndim else np.full(ids.size, rise))
    both, found = rises[0] + rises[1], {}
    for side, rise in zip(("first", "second"), rises, strict=True):
        found[f"{side}_alone"] = -np.expm1(-coupling.conductance * rise * dt / 2)
        found[f"{side}_moves"] = -np.expm1(-coupling.conductance * both * dt / 2) * rise / both
    return found
