"""The state at rest: constant sources, no voltage across a junction or an inductor.

First the voltages: nodes that hang together by junctions, inductors and voltage sources move as one, and the resistors
between such groups share the currents. Then the fluxes, by Newton's method, while the sources are raised from 0.
"""

from collections import defaultdict

import numpy as np

from hardware_models.sfq.circuit.circuit import GROUND, Circuit
from hardware_models.sfq.circuit.elements import PhaseSource
from hardware_models.sfq.circuit.units import PHI0
from neurosim.checks import check_is
from neurosim.errors import SimulationError

RAMP = 20  #: steps in which the sources are raised from 0
TURN = 2.0 * np.pi / PHI0
TURNED = 2.0 * np.pi


def operating_point(circuit, vary=None) -> dict[str, float]:
    """Return the phase of every junction (rad) and the current of every inductor (mA) at rest, by name.

    K lam + Ic sin(2 pi lam / Phi0) = I, with the sources at t = 0 and nothing that changes.

    Args:
        circuit: a `Circuit`.
        vary: factors as in `simulate`, one number each.

    Raises:
        SimulationError: there is no such state, for example where a junction carries more than its critical current.

    >>> from hardware_models.sfq.circuit import Circuit
    >>> circuit = Circuit()
    >>> circuit.junction("B1", "a", "0", ic=0.1, c=0.07)
    >>> circuit.bias("I1", "a", 0.05)
    >>> round(operating_point(circuit)["B1"] * 6 / np.pi, 6)
    1.0
    """
    check_is("operating_point.circuit", circuit, Circuit, "a Circuit")
    from hardware_models.sfq.circuit.assembly import Assembly
    from hardware_models.sfq.circuit.signals import Signals
    from hardware_models.sfq.circuit.values import Values

    assembly = Assembly(circuit)
    values = Values(assembly, vary)
    gamma = assembly.inverse_inductances(values.l, values.k)
    lam, _, flux = rest(assembly, values, np.array([0]), gamma, Signals(assembly, values.delay, 1.0))
    found = {name: float(TURN * lam[k]) for k, name in enumerate(assembly.branches[:assembly.junctions])}
    across = [flux[p] - flux[m] for p, m in assembly.inductor_ends]
    currents = dict.fromkeys((each.name for each in assembly.inductors), 0.0)
    for at, (i, j) in enumerate(assembly.pairs):
        currents[assembly.inductors[i].name] += float(gamma[at, 0] * across[j])
    return found | currents


def rest(assembly, values, lanes, gamma, signals):
    """Return flux and voltage of the branches and flux of the nodes at rest, flat, for a group of lanes."""
    if assembly.circuit.lines or assembly.general or any(isinstance(each.element, PhaseSource)
                                                         for each in assembly.voltages):
        raise SimulationError(f"{assembly.circuit.name}: the state at rest is not worked out for transmission lines, "
                              "controlled sources and sources of phase; start from zero, with ramps")
    at_zero = signals.at_zero()
    width = len(lanes)
    lam, v = np.zeros((2, len(assembly.branches), width))
    flux = np.zeros((assembly.n + 1, width))
    for l, lane in enumerate(lanes):
        levels = at_zero[:, l] * values.scale[:, lane]
        if l and lane == lanes[l - 1]:
            lam[:, l], v[:, l], flux[:, l] = lam[:, l - 1], v[:, l - 1], flux[:, l - 1]
            continue
        v[:, l], into = _voltages(assembly, values, lane, levels)
        flux[:, l] = _fluxes(assembly, values.ic[:, lane], TURNED * values.shift[:, lane], gamma[:, l], into)
        lam[:, l] = flux[assembly.plus, l] - flux[assembly.minus, l]
    return lam.ravel(), v.ravel(), flux.ravel()


def _voltages(assembly, values, lane, levels):
    """Return the voltages of the branches, and what sources and resistors bring into each node, mA."""
    group, level = _rigid(assembly, levels[len(assembly.sources):])
    names = sorted(set(group.values()) - {group[GROUND]}, key=str)
    number = {name: k for k, name in enumerate(names)} | {group[GROUND]: len(names)}
    matrix, right = np.zeros((len(names) + 1,) * 2), np.zeros(len(names) + 1)
    for k, (p, m) in enumerate(assembly.ends):
        g = 0.0 if k < assembly.junctions else values.g[k, lane]
        a, b = number[group[p]], number[group[m]]
        if a != b:
            matrix[[a, b, a, b], [a, b, b, a]] += g * np.array([1.0, 1.0, -1.0, -1.0])
            right[[a, b]] -= g * (level[p] - level[m]) * np.array([1.0, -1.0])
    for each, current in zip(assembly.sources, levels, strict=False):
        right[number[group[each.minus]]] += current
        right[number[group[each.plus]]] -= current
    try:
        u = np.append(np.linalg.solve(matrix[:-1, :-1], right[:-1]), 0.0)
    except np.linalg.LinAlgError:
        raise SimulationError(f"{assembly.circuit.name} has no single state at rest: some nodes hang on capacitors "
                              "only; start from zero") from None
    voltage = {node: u[number[group[node]]] + level[node] for node in group}
    v = np.array([voltage[p] - voltage[m] for p, m in assembly.ends])
    into = np.zeros(assembly.n + 1)
    for each, current in zip(assembly.sources, levels, strict=False):
        into[assembly.place(each.minus)] += current
        into[assembly.place(each.plus)] -= current
    ohmic = values.g[:, lane] * v
    np.subtract.at(into, assembly.plus, ohmic)
    np.add.at(into, assembly.minus, ohmic)
    return v, into


def _rigid(assembly, voltages):
    """Return the group of each node that moves as one at rest, and its voltage within the group."""
    near = defaultdict(list)
    links = [(*ends, 0.0, name) for ends, name in zip(
        assembly.ends[:assembly.junctions], assembly.branches, strict=False)]
    links += [(each.plus, each.minus, 0.0, each.name) for each in [*assembly.inductors, *assembly.wires]]
    links += [(each.plus, each.minus, each_v, each.name)
              for each, each_v in zip(assembly.voltages, voltages, strict=True)]
    for p, m, difference, name in links:
        near[m].append((p, difference, name))
        near[p].append((m, -difference, name))
    group, level = {}, {}
    for start in (GROUND, *assembly.circuit.nodes):
        stack = [] if start in group else [(start, 0.0, "")]
        while stack:
            node, here, name = stack.pop()
            if node in group:
                if abs(level[node] - here) > 1e-12:
                    raise SimulationError(f"{assembly.circuit.name} has no state at rest: {name} closes a loop of "
                                          "junctions and inductors across a voltage; start from zero")
                continue
            group[node], level[node] = start, here
            stack += [(other, here + difference, link) for other, difference, link in near[node]]
    return group, level


def _fluxes(assembly, ic, shift, gamma, into):
    """Return the node fluxes at which junctions and inductors carry what comes into each node."""
    from scipy.sparse import csc_matrix, identity
    from scipy.sparse.linalg import spsolve

    n = assembly.n
    if n == 0:
        return np.zeros(1)
    nj = assembly.junctions
    incidence = _incidence(n, assembly.plus[:nj], assembly.minus[:nj])
    coils = _incidence(n, *(np.array([pair[k] for pair in assembly.inductor_ends], int) for k in (0, 1)))
    many = len(assembly.inductors)
    pairs = np.array(assembly.pairs, int).reshape(-1, 2)
    stiff = coils.T @ csc_matrix((gamma, (pairs[:, 0], pairs[:, 1])), (many, many)) @ coils
    small = 1e-12 * max(ic.max(initial=0.0) * TURN, abs(gamma).max(initial=0.0), 1e-300)
    x = np.zeros(n)
    for fraction in np.arange(1, RAMP + 1) / RAMP:
        for _ in range(50):
            phase = TURN * (incidence @ x) - shift[:nj]
            missing = fraction * into[:n] - stiff @ x - incidence.T @ (ic[:nj] * np.sin(phase))
            slopes = csc_matrix((ic[:nj] * TURN * np.cos(phase), (range(nj), range(nj))), (nj, nj))
            step = spsolve((stiff + incidence.T @ slopes @ incidence + small * identity(n)).tocsc(), missing)
            x = x + step * min(1.0, 0.25 * PHI0 / max(abs(step).max(), 1e-300))
            if not np.isfinite(x).all() or abs(step).max() < 1e-12:
                break
        if not abs(step).max() < 1e-9:
            phase = TURN * (incidence @ np.nan_to_num(x)) - shift[:nj]
            worst = assembly.branches[int(np.argmax(abs(np.sin(phase))))] if nj else assembly.circuit.name
            raise SimulationError(f"{assembly.circuit.name} has no state at rest: at {worst} more than the critical "
                                  "current would flow; lower the bias, or start from zero")
    return np.append(x, 0.0)


def _incidence(n, plus, minus):
    from scipy.sparse import csr_matrix

    rows = np.arange(len(plus))
    where = [(end < n) for end in (plus, minus)]
    data = np.concatenate([np.ones(where[0].sum()), -np.ones(where[1].sum())])
    return csr_matrix((data, (np.concatenate([rows[where[0]], rows[where[1]]]),
                              np.concatenate([plus[where[0]], minus[where[1]]]))), (len(plus), n))
