"""From a circuit to the equations of its node fluxes: numbers of nodes and branches, the pattern of L D L^T.

The unknowns are the fluxes of the nodes, lam = integral of v dt. Junctions, resistors and capacitors are all branches
with (Ic, G, C); inductors give a constant matrix of inverse inductances; nodes that voltage sources tie together share
one unknown and differ by the integral of the voltage. The matrix is symmetric and positive definite: no pivots.
"""

from collections import defaultdict

import numpy as np

from hardware_models.sfq.circuit.circuit import GROUND, Circuit, check
from hardware_models.sfq.circuit.elements import (
    Capacitor,
    CurrentSource,
    Inductor,
    Junction,
    Resistor,
    VoltageSource,
)
from neurosim.errors import ParameterError, SimulationError


class Assembly:
    """The equations of one circuit, without values: who is connected to whom, and in which order to eliminate.

    Attributes:
        n: number of unknown node fluxes; number n stands for the ground.
        branches: names of junctions, then resistors and capacitors, then probes.
        junctions: how many of the branches are junctions.
        inductors, sources, voltages: names of the others.
    """

    def __init__(self, circuit: Circuit, probes=()):
        check(circuit)
        self.circuit = circuit
        self._reduce()
        kinds = {kind: [each for each in circuit.placed.values() if isinstance(each.element, kind)]
                 for kind in (Junction, Resistor, Capacitor, Inductor, CurrentSource)}
        self.placed = kinds[Junction] + kinds[Resistor] + kinds[Capacitor]
        self.junctions = len(kinds[Junction])
        self.inductors = kinds[Inductor]
        self.sources = kinds[CurrentSource]
        ends = [(each.plus, each.minus) for each in self.placed] + list(probes)
        self.branches = [each.name for each in self.placed] + [f"{p}, {m}" for p, m in probes]
        self.ends = ends
        self.index = {name.casefold(): k for k, name in enumerate(self.branches[:len(self.placed)])}
        self.pairs = self._inductor_pairs()
        self._order(ends)
        self._symbolic()

    # ---- nodes ----------------------------------------------------------------------------------------

    def _reduce(self):
        """Give each group of nodes that voltage sources tie together one unknown, and each node its offset."""
        self.voltages = [each for each in self.circuit.placed.values() if isinstance(each.element, VoltageSource)]
        near = defaultdict(list)
        for k, each in enumerate(self.voltages):
            near[each.minus].append((each.plus, k, 1.0))
            near[each.plus].append((each.minus, k, -1.0))
        self.head, self.offset = {}, {}
        for start in (GROUND, *self.circuit.nodes):
            stack = [] if start in self.head else [(start, {})]
            while stack:
                node, offset = stack.pop()
                self.head[node], self.offset[node] = start, offset
                for other, k, sign in near[node]:
                    if other not in self.head:
                        stack.append((other, offset | {k: sign}))

    def _order(self, ends):
        """Number the unknowns in an order of elimination that keeps the factors sparse."""
        heads = [node for node in self.circuit.nodes if self.head[node] == node]
        first = {node: k for k, node in enumerate(heads)}
        edges = set()
        for p, m in [*ends, *((a.plus, a.minus) for a in self.inductors), *self._far_pairs()]:
            a, b = first.get(self.head[p]), first.get(self.head[m])
            if a is not None and b is not None and a != b:
                edges |= {(a, b), (b, a)}
        self.n = len(heads)
        order = _minimum_degree(self.n, edges)
        place = np.empty(self.n, int)
        place[order] = np.arange(self.n)
        self.heads = [heads[k] for k in order]
        self.number = {node: int(place[first[node]]) for node in heads} | {GROUND: self.n}
        self.plus = np.array([self._place(p) for p, _ in ends], int)
        self.minus = np.array([self._place(m) for _, m in ends], int)
        self.edges = {(max(place[a], place[b]), min(place[a], place[b])) for a, b in edges}

    def _place(self, node):
        return self.number[self.head[node]]

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
                          for each in self.circuit.couplings.values()]
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
        for group in self.groups:
            inside = {i: at for at, i in enumerate(group)}
            matrix = np.zeros((l.shape[1], len(group), len(group)))
            for at, i in enumerate(group):
                matrix[:, at, at] = l[i]
            for c, (i, j, _) in enumerate(self.couplings):
                if i in inside:
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
        for row, column in self.edges:
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

    def _terms(self):
        """List where the coefficient of each branch and each pair of inductors goes in the matrix."""
        terms = []

        def put(row, column, coefficient, sign):
            if self.n > row >= column:
                terms.append((self.at[row, column], coefficient, sign))

        def stamp(p1, m1, p2, m2, coefficient):
            for row, s1 in ((p1, 1.0), (m1, -1.0)):
                for column, s2 in ((p2, 1.0), (m2, -1.0)):
                    put(row, column, coefficient, s1 * s2)

        for k in range(len(self.branches)):
            p, m = int(self.plus[k]), int(self.minus[k])
            stamp(p, m, p, m, k)
        ends = [(self._place(each.plus), self._place(each.minus)) for each in self.inductors]
        for at, (i, j) in enumerate(self.pairs):
            stamp(*ends[i], *ends[j], len(self.branches) + at)
        self.inductor_ends = ends
        where, coefficient, sign = zip(*terms, strict=True) if terms else ((), (), ())
        self.terms = np.array(where, int), np.array(coefficient, int), np.array(sign, float)

    def matrix(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the entries of the matrices of all lanes, in the places of the factors.

        Args:
            coefficients: of the branches and pairs of inductors, shape (branches + pairs, lanes).
        """
        where, which, sign = self.terms
        values = np.zeros((self.entries, coefficients.shape[1]))
        np.add.at(values, where, sign[:, None] * coefficients[which])
        return values

    def factors(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the factors of the matrices of all lanes: 1 / D, then the columns of L, shape (entries, lanes)."""
        from hardware_models.sfq.circuit.kernel import load_factor

        values = self.matrix(coefficients)
        smallest = np.full(values.shape[1], np.inf)
        load_factor(values.shape[1])(self.n, self.lp, self.ops, *np.ascontiguousarray(self.products.T), values.ravel(),
                                     smallest)
        if not smallest.min() > 0.0:
            raise SimulationError(f"{self.circuit.name}: the equations are singular; look for a node that is floating")
        return values

    def solve(self, coefficients: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the solutions for right-hand sides of shape (n, lanes), once and from Python."""
        values, x = self.factors(coefficients), right.copy()
        for k in range(self.n):
            low, high = self.lp[k], self.lp[k + 1]
            x[self.li[low:high]] -= values[self.n + low:self.n + high] * x[k]
        for k in range(self.n - 1, -1, -1):
            low, high = self.lp[k], self.lp[k + 1]
            x[k] = values[k] * x[k] - (values[self.n + low:self.n + high] * x[self.li[low:high]]).sum(axis=0)
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
