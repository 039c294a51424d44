"""From a circuit to the equations of its node fluxes: numbers of nodes and branches, the pattern of L D U.

The unknowns are the fluxes of the nodes, lam = integral of v dt. Junctions, resistors, capacitors and ends of lines are
branches with (Ic, G, C); inductors give a constant matrix of inverse inductances; nodes that voltage sources and wires
tie together share one unknown and differ by the integral of the voltage. The matrix is symmetric and positive definite:
no pivots. Controlled sources add currents as unknowns and make it unsymmetric (`controls`).
"""

from collections import defaultdict

import numpy as np

from hardware_models.sfq.circuit.circuit import GROUND, Circuit, check, is_wire
from hardware_models.sfq.circuit.controls import Controls
from hardware_models.sfq.circuit.elements import (
    Capacitor,
    CurrentSource,
    Inductor,
    Junction,
    PhaseSource,
    Port,
    Resistor,
    VoltageSource,
)
from neurosim.errors import ParameterError, SimulationError


class Assembly:
    """The equations of one circuit, without values: who is connected to whom, and in which order to eliminate.

    Attributes:
        n: number of unknowns; number n stands for the ground.
        branches: names of junctions, then resistors, capacitors and ends of lines, then probes.
        junctions: how many of the branches are junctions.
        inductors, sources, voltages: the others; voltages are sources of voltage and phase.
        general: whether the matrix is not symmetric.
    """

    def __init__(self, circuit: Circuit, probes=()):
        check(circuit)
        self.circuit = circuit
        self.wires = [each for each in circuit.placed.values() if is_wire(each.element)]
        wired = {each.name for each in self.wires}
        kinds = {kind: [each for each in circuit.placed.values() if isinstance(each.element, kind)
                        and each.name not in wired]
                 for kind in (Junction, Resistor, Capacitor, Port, Inductor, CurrentSource)}
        self.placed = kinds[Junction] + kinds[Resistor] + kinds[Capacitor] + kinds[Port]
        self.junctions = len(kinds[Junction])
        self.inductors = kinds[Inductor]
        self.sources = kinds[CurrentSource]
        self.controls = Controls(circuit)
        self.general = bool(circuit.controls)
        self._reduce()
        probes = [*probes, *self.controls.probes]
        ends = [(each.plus, each.minus) for each in self.placed] + probes
        self.branches = [each.name for each in self.placed] + [f"{p}, {m}" for p, m in probes]
        self.ends = ends
        self.index = {name.casefold(): k for k, name in enumerate(self.branches[:len(self.placed)])}
        self.pairs = self._inductor_pairs()
        self._order(ends)
        self.controls.attach(self, len(ends) - len(self.controls.probes))
        self._symbolic()

    # ---- nodes ----------------------------------------------------------------------------------------

    def _reduce(self):
        """Give each group of nodes that voltage sources and wires tie together one unknown, each node its offset."""
        self.voltages = [each for each in self.circuit.placed.values()
                         if isinstance(each.element, (VoltageSource, PhaseSource))]
        near = defaultdict(list)
        for k, each in [*enumerate(self.voltages), *((None, wire) for wire in self.wires)]:
            if each.name.casefold() not in self.controls.sensed:
                near[each.minus].append((each.plus, k, 1.0))
                near[each.plus].append((each.minus, k, -1.0))
        self.head, self.offset = {}, {}
        for start in (GROUND, *self.circuit.nodes):
            stack = [] if start in self.head else [(start, {})]
            while stack:
                node, offset = stack.pop()
                if node in self.head:
                    continue
                self.head[node], self.offset[node] = start, offset
                for other, k, sign in near[node]:
                    if other not in self.head:
                        stack.append((other, offset if k is None else offset | {k: sign}))

    def _order(self, ends):
        """Number the unknowns in an order of elimination that keeps the factors sparse; currents come last."""
        heads = [node for node in self.circuit.nodes if self.head[node] == node]
        first = {node: k for k, node in enumerate(heads)}
        edges = set()
        for p, m in [*ends, *((a.plus, a.minus) for a in self.inductors), *self._far_pairs()]:
            a, b = first.get(self.head[p]), first.get(self.head[m])
            if a is not None and b is not None and a != b:
                edges |= {(a, b), (b, a)}
        self.nodes = len(heads)
        self.n = self.nodes + len(self.controls.currents)
        order = _by_levels(_minimum_degree(self.nodes, edges), edges)
        place = np.empty(self.nodes, int)
        place[order] = np.arange(self.nodes)
        self.heads = [heads[k] for k in order]
        self.number = {node: int(place[first[node]]) for node in heads} | {GROUND: self.n}
        self.rows = np.arange(self.n + 1)
        self.plus = np.array([self.place(p) for p, _ in ends], int)
        self.minus = np.array([self.place(m) for _, m in ends], int)
        self.edges = {(max(place[a], place[b]), min(place[a], place[b])) for a, b in edges}

    def place(self, node) -> int:
        """Return the number of a node's unknown, n for the ground."""
        return self.number[self.head[node]]

    def row(self, node) -> int:
        """Return the number of the equation of the currents into a node, n for the ground."""
        return int(self.rows[self.place(node)])

    def _far_pairs(self):
        for i, j in self.pairs:
            if i != j:
                one, other = self.inductors[i], self.inductors[j]
                yield from ((a, b) for a in (one.plus, one.minus) for b in (other.plus, other.minus))

    # ---- inductors ------------------------------------------------------------------------------------

    def _inductor_pairs(self):
        """Return the pairs (i, j) of inductors between which there is an inverse inductance; find the groups."""
        at = {each.name.casefold(): k for k, each in enumerate(self.inductors)}
        group = list(range(len(self.inductors)))
        self.couplings = [(at[each.first.casefold()], at[each.second.casefold()], each)
                          for each in self.circuit.couplings.values()
                          if each.first.casefold() in at and each.second.casefold() in at]
        seen = set()
        for i, j, each in self.couplings:
            if (min(i, j), max(i, j)) in seen:
                raise ParameterError(f"{each.name}: {each.first} and {each.second} are coupled already; give one k")
            seen.add((min(i, j), max(i, j)))
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
        members = defaultdict(list)
        for k, g in enumerate(group):
            members[g].append(k)
        self.groups = [each for each in members.values() if len(each) > 1]
        pairs = [(k, k) for k in range(len(self.inductors))]
        return pairs + [(i, j) for each in self.groups for i in each for j in each if i != j]

    def inverse_inductances(self, l: np.ndarray, k: np.ndarray) -> np.ndarray:
        """Return the inverse inductances of all pairs, 1/pH; l has shape (inductors, lanes), k (couplings, lanes)."""
        gamma = np.empty((len(self.pairs), l.shape[1]))
        gamma[:l.shape[0]] = 1.0 / l
        where = {pair: at for at, pair in enumerate(self.pairs)}
        coupled = defaultdict(list)
        for c, (i, j, _) in enumerate(self.couplings):
            coupled[i].append((c, i, j))
        for group in self.groups:
            inside = {i: at for at, i in enumerate(group)}
            matrix = np.zeros((l.shape[1], len(group), len(group)))
            for at, i in enumerate(group):
                matrix[:, at, at] = l[i]
            for c, i, j in (each for member in group for each in coupled[member]):
                matrix[:, inside[i], inside[j]] = matrix[:, inside[j], inside[i]] = k[c] * np.sqrt(l[i] * l[j])
            if np.linalg.eigvalsh(matrix).min() <= 0.0:
                names = ", ".join(self.inductors[i].name for i in group)
                raise ParameterError(f"the couplings of {names} are too strong together: the matrix of inductances "
                                     "must be positive definite; lower k")
            inverse = np.linalg.inv(matrix)
            for i in group:
                for j in group:
                    gamma[where[i, j]] = inverse[:, inside[i], inside[j]]
        return gamma

    # ---- the matrix -----------------------------------------------------------------------------------

    def _symbolic(self):
        """Find the pattern of the factors and the list of products of the factorisation."""
        below = [set() for _ in range(self.n)]
        for row, column in self.edges | self._entries():
            below[column].add(int(row))
        for k in range(self.n):
            if below[k]:
                parent = min(below[k])
                below[parent] |= below[k] - {parent}
        rows = [sorted(each) for each in below]
        self.lp = np.cumsum([0, *map(len, rows)])
        self.li = np.array([row for each in rows for row in each], int)
        self.at = {(row, k): self.n + int(self.lp[k]) + i for k, each in enumerate(rows) for i, row in enumerate(each)}
        self.at |= {(k, k): k for k in range(self.n)}
        self.entries = self.n + len(self.li)
        products, starts = [], [0]
        for k, each in enumerate(rows):
            places = [self.at[row, k] for row in each]
            products += [(self.at[each[a], each[b]], places[a], places[b])
                         for a in range(len(each)) for b in range(a + 1)]
            starts.append(len(products))
        self.ops = np.array(starts)
        self.products = np.array(products, int).reshape(-1, 3)
        self._terms()

    def _entries(self):
        """Return the places below the diagonal that a symmetric matrix would not have, or have elsewhere."""
        if not self.general:
            return set()
        rows, columns, *_ = self._stamps()
        found = [*zip(rows.tolist(), columns.tolist(), strict=True)]
        found += [(row, column) for row, column, _ in [*self.controls.fixed, *self.controls.rated]]
        return {(max(each), min(each)) for each in found if each[0] != each[1] and max(each) < self.n}

    def _stamps(self):
        """Return rows, columns, numbers of coefficients and signs of branches, then of pairs of inductors."""
        self.inductor_ends = [(self.place(each.plus), self.place(each.minus)) for each in self.inductors]
        coils, pairs = np.array(self.inductor_ends, int).reshape(-1, 2), np.array(self.pairs, int).reshape(-1, 2)
        ends = np.stack([self.plus, self.minus], axis=1)
        one, other = (np.concatenate([ends, coils[pairs[:, k]]]) for k in (0, 1))
        sides = [(i, j) for i in (0, 1) for j in (0, 1)]
        rows = np.stack([self.rows[one[:, i]] for i, _ in sides], axis=1)
        columns = np.stack([other[:, j] for _, j in sides], axis=1)
        signs = np.broadcast_to([1.0 - 2.0 * (i != j) for i, j in sides], rows.shape)
        which = np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)
        inside = (rows < self.n) & (columns < self.n)
        return rows[inside], columns[inside], which[inside], signs[inside]

    def _terms(self):
        """List where the coefficient of each branch and each pair of inductors goes in the matrix."""
        rows, columns, which, signs = self._stamps()
        n = self.n
        known = np.concatenate([np.arange(n) * (n + 1), self.li * n + np.repeat(np.arange(n), np.diff(self.lp))])
        order = np.argsort(known)
        high, low = np.maximum(rows, columns), np.minimum(rows, columns)
        at = order[np.searchsorted(known[order], high * n + low)] if rows.size else np.zeros(0, int)
        self.terms = [(at[side], which[side], signs[side]) for side in (rows >= columns, rows < columns)]

    def factors(self, coefficients: np.ndarray, rate: float) -> np.ndarray:
        """Return the factors of the matrices of all lanes: 1 / D, then the columns of L, shape (entries, lanes).

        Args:
            coefficients: of the branches and pairs of inductors, shape (branches + pairs, lanes).
            rate: what turns a flux into a voltage, 2 / h for the trapezoidal rule.

        Where the matrix is not symmetric, the rows of U follow behind the columns of L, shape (2, entries, lanes).
        """
        from hardware_models.sfq.circuit.kernel import load_factor

        sides = []
        for where, which, sign in self.terms if self.general else self.terms[:1]:
            values = np.zeros((self.entries, coefficients.shape[1]))
            np.add.at(values, where, sign[:, None] * coefficients[which])
            sides.append(values)
        if self.general:
            lower, upper = sides
            return self.controls.factors(self, lower, upper, rate)
        values = sides[0]
        smallest = np.full(values.shape[1], np.inf)
        load_factor(values.shape[1])(self.n, self.lp, self.ops, *np.ascontiguousarray(self.products.T), values.ravel(),
                                     smallest)
        if not smallest.min() > 0.0:
            raise SimulationError(f"{self.circuit.name}: the equations are singular; look for a node that is floating")
        return values

    def solve(self, coefficients: np.ndarray, rate: float, right: np.ndarray) -> np.ndarray:
        """Return the solutions for right-hand sides of shape (n, lanes), once and from Python."""
        values, x = self.factors(coefficients, rate), right.copy()
        lower, upper = values if self.general else (values, values)
        for k in range(self.n):
            low, high = self.lp[k], self.lp[k + 1]
            x[self.li[low:high]] -= lower[self.n + low:self.n + high] * x[k]
        for k in range(self.n - 1, -1, -1):
            low, high = self.lp[k], self.lp[k + 1]
            x[k] = lower[k] * x[k] - (upper[self.n + low:self.n + high] * x[self.li[low:high]]).sum(axis=0)
        return x


def _minimum_degree(n: int, edges) -> np.ndarray:
    """Return an order of elimination by the minimum degree of a symmetric pattern."""
    if n < 3:
        return np.arange(n)
    from scipy.sparse import csc_matrix, identity
    from scipy.sparse.linalg import splu

    rows, columns = np.array(sorted(edges), int).reshape(-1, 2).T
    pattern = csc_matrix((np.full(len(rows), -1.0), (rows, columns)), (n, n)) + (n + 1.0) * identity(n, format="csc")
    factors = splu(pattern.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.argsort(factors.perm_c)


def _by_levels(order: np.ndarray, edges) -> np.ndarray:
    """Return an order with the same factors in which what does not depend on each other is side by side.

    Unknowns are sorted by their height in the elimination tree, so that a processor works on many of them at once
    instead of waiting for one after the other.
    """
    n = len(order)
    place = np.empty(n, int)
    place[order] = np.arange(n)
    below = [[] for _ in range(n)]
    for a, b in edges:
        if place[b] < place[a]:
            below[place[a]].append(int(place[b]))
    root, height = list(range(n)), [0] * n
    for k in range(n):
        for at in below[k]:  # climb to the top of the tree that holds `at`, and hang it below k
            while root[at] != at and root[at] != k:
                root[at], at = k, root[at]
            if root[at] == at and at != k:
                root[at] = k
                height[k] = max(height[k], height[at] + 1)
    return order[np.argsort(height, kind="stable")]
