"""Controlled sources in the equations: currents as further unknowns, and a matrix that is not symmetric.

The current i of a source of voltage (E, H), and of a wire or voltage source that another source follows, is an unknown;
its equation says what the flux across it is, with lam_c the flux that is followed and r the rate of the rule:

    E: lam - gain lam_c = 0     H: r lam - gain i_c = r lam_old + v_old     wire, voltage source: lam = its own flux

F and G put gain i_c and gain v_c into their nodes. The equation of i takes the place of the equation of one of its
nodes, so that no pivot is 0 from the beginning.
"""

import numpy as np

from hardware_models.sfq.circuit.circuit import GROUND
from hardware_models.sfq.circuit.elements import Controlled
from neurosim.errors import SimulationError


class Controls:
    """What the controlled sources of a circuit add to its equations.

    Attributes:
        sensed: names of wires and voltage sources whose currents are followed.
        currents: elements whose currents are unknowns.
        probes: pairs of nodes whose voltage is followed, or remembered.
        fixed, rated: entries (row, column, value) of the matrix, the second to be multiplied by the rate.
        memory: (probe, row, value): what enters a row of the flux and the voltage of a probe before the step.
        drives: (row, source, value): how the flux of voltage sources enters rows; `rated_drives` times the rate.
    """

    def __init__(self, circuit):
        self.circuit = circuit
        self.sensed = {each.by.casefold() for each in circuit.controls.values() if isinstance(each.by, str)}
        self.followers = [each for each in circuit.placed.values() if isinstance(each.element, Controlled)]
        self.currents = [each for each in circuit.placed.values() if each.name.casefold() in self.sensed
                         or (isinstance(each.element, Controlled) and each.element.kind in "EH")]
        self.probes = []
        for each in self.followers:
            if each.element.kind in "GE":
                self.probes.append(circuit.controls[each.name.casefold()].by)
            elif each.element.kind == "H":
                self.probes.append((each.plus, each.minus))

    def attach(self, assembly, first: int) -> None:
        """Number the currents and list the entries; `first` is the number of the first probe."""
        self.fixed, self.rated, self.memory, self.drives, self.rated_drives = [], [], [], [], []
        if not self.circuit.controls:
            return
        self.assembly = assembly
        self.number = {each.name.casefold(): assembly.nodes + k for k, each in enumerate(self.currents)}
        self._match()
        sources = {each.name.casefold(): k for k, each in enumerate(assembly.voltages)}
        for name, current in self.number.items():
            each = self.circuit.find(name)
            for node, sign in ((each.plus, 1.0), (each.minus, -1.0)):
                self.fixed.append((assembly.row(node), current, sign))
            if name in self.sensed:
                self._flux(self.row[name], each.plus, each.minus, 1.0)
                if name in sources:
                    self.drives.append((self.row[name], sources[name], -1.0))
        probe = first
        for each in self.followers:
            kind, gain = each.element.kind, each.element.gain
            getattr(self, f"_{kind.lower()}")(each, gain, probe)
            probe += kind != "F"

    def _match(self):
        """Let the equation of each current stand where that of one of its nodes would, and that one in its place."""
        assembly, taken = self.assembly, set()
        self.row = {}
        for name, current in self.number.items():
            each = self.circuit.find(name)
            free = [place for place in (assembly.place(each.plus), assembly.place(each.minus))
                    if place < assembly.n and place not in taken]
            if not free:
                raise SimulationError(f"{each.name}: the voltages of both its nodes are fixed by other sources; put a "
                                      "resistor in series with it")
            taken.add(free[0])
            self.row[name] = int(free[0])
            assembly.rows[free[0]] = current

    def _flux(self, row, plus, minus, value, rated=False):
        """Put value times the flux from one node to another into an equation."""
        entries, drives = (self.rated, self.rated_drives) if rated else (self.fixed, self.drives)
        for node, sign in ((plus, value), (minus, -value)):
            entries.append((row, self.assembly.place(node), sign))
            drives += [(row, k, sign * turn) for k, turn in self.assembly.offset[node].items()]

    def _e(self, each, gain, probe):
        row, (plus, minus) = self.row[each.name.casefold()], self.circuit.controls[each.name.casefold()].by
        self._flux(row, each.plus, each.minus, 1.0)
        self._flux(row, plus, minus, -gain)

    def _h(self, each, gain, probe):
        row, by = self.row[each.name.casefold()], self.circuit.controls[each.name.casefold()].by
        self._flux(row, each.plus, each.minus, 1.0, rated=True)
        self.fixed.append((row, self.number[by.casefold()], -gain))
        self.memory.append((probe, row, 1.0))

    def _f(self, each, gain, probe):
        current = self.number[self.circuit.controls[each.name.casefold()].by.casefold()]
        for node, sign in ((each.plus, gain), (each.minus, -gain)):
            self.fixed.append((self.assembly.row(node), current, sign))

    def _g(self, each, gain, probe):
        plus, minus = self.circuit.controls[each.name.casefold()].by
        for node, sign in ((each.plus, gain), (each.minus, -gain)):
            if node != GROUND:
                self._flux(self.assembly.row(node), plus, minus, sign, rated=True)
                self.memory.append((probe, self.assembly.row(node), sign))

    def factors(self, assembly, lower, upper, rate) -> np.ndarray:
        """Return 1 / D with the columns of L, and the rows of U, from the two triangles of a matrix."""
        for entries, factor in ((self.fixed, 1.0), (self.rated, rate)):
            for row, column, value in entries:
                if max(row, column) < assembly.n:
                    at = assembly.at[max(row, column), min(row, column)]
                    (upper if row < column else lower)[at] += value * factor
        n, scale = assembly.n, np.maximum(abs(lower).max(axis=0), 1.0)
        for k in range(n):
            if not (abs(lower[k]) > 1e-13 * scale).all():
                raise SimulationError(f"{assembly.circuit.name}: the equations are singular; look for a node that is "
                                      "floating, and for sources that contradict each other")
            lower[k] = 1.0 / lower[k]
            span = slice(n + assembly.lp[k], n + assembly.lp[k + 1])
            left = lower[span] * lower[k]
            for to, p, q in assembly.products[assembly.ops[k]:assembly.ops[k + 1]]:
                lower[to] -= left[p - span.start] * upper[q]
                if to >= n:
                    upper[to] -= left[q - span.start] * upper[p]
            lower[span] = left
            upper[span] *= lower[k]
        return np.stack([lower, upper])
