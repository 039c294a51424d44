"""`Run`: what a simulation leaves: pulses, fluxons, phases, voltages, currents, energies."""

from typing import NoReturn

import numpy as np

from hardware_models.sfq.circuit.circuit import GROUND
from hardware_models.sfq.circuit.elements import Controlled, CurrentSource, Inductor, Junction, Port
from hardware_models.sfq.circuit.recorded import is_rigid, neighbours
from hardware_models.sfq.circuit.units import PHI0
from hardware_models.sfq.circuit.waveforms import Noise
from neurosim.errors import NetworkError, ParameterError
from neurosim.reprs import with_unit

TURN = 2.0 * np.pi / PHI0


class Run:
    """The result of `simulate`.

    What belongs to one element has a last axis for the lanes where the run has several; a single run has none.

    Attributes:
        lanes: number of lanes, or None for a single run.
        duration, h: ps.
        times: of what was recorded, ps, shape (samples,).
    """

    def __init__(self, job, groups, lanes, duration):
        self._job, self._groups, self.lanes, self.duration, self.h = job, groups, lanes, duration, job.h
        self._count = job.values.lanes
        self._index = job.assembly.index
        self.times = np.concatenate([rows[0] for rows in groups[0].rows]) if groups[0].rows else np.zeros(0)

    def __repr__(self):
        lanes = "" if self.lanes is None else f" in {self.lanes} lanes"
        names = ", ".join(map(str, self.recorded[:6])) + (", ..." if len(self.recorded) > 6 else "")
        return f"<run of {with_unit(self.duration, 'ps')}{lanes}: recorded {names or 'nothing'}>"

    @property
    def recorded(self) -> list[str]:
        """The names of elements and nodes that were recorded."""
        return [name for _, name in self._job.wanted]

    # ---- pulses ---------------------------------------------------------------------------------------

    def pulses(self, name: str, sign: int = 1):
        """Return when the phase of a junction passed pi, 3 pi, 5 pi, ... upwards (`sign=-1`: downwards), in ps.

        The time is interpolated by the cubic that has the phases and voltages at both ends of its step. A phase that
        falls back through the level, and on by more than 1 rad, gives a pulse of the other sign; one that trembles
        about the level counts once.

        Returns:
            An array of times, or a list of them, one per lane.
        """
        at = self._junction(name)
        found = []
        for lane in range(self._count):
            group, l = self._where(lane)
            events = np.concatenate([np.zeros((3, 0)), *group.kept[l]], axis=1)
            found.append(events[0, (events[1] == at) & (events[2] == sign)])
        return found[0] if self.lanes is None else found

    def has_pulses(self, name: str) -> bool:
        """Return whether a name is that of a junction."""
        placed = self._job.assembly.circuit.placed.get(str(name).casefold())
        return placed is not None and isinstance(placed.element, Junction)

    def pulse_time(self, name: str, number: int = 0) -> np.ndarray | float:
        """Return the time of one upward pulse of a junction, ps, one for each lane, or NaN."""
        times = [each[number] if -len(each) <= number < len(each) else np.nan
                 for each in ([self.pulses(name)] if self.lanes is None else self.pulses(name))]
        return times[0] if self.lanes is None else np.array(times)

    def fluxons(self, name: str):
        """Return how many flux quanta have passed a junction, upwards less downwards."""
        return self._last("turns", self._junction(name)).astype(int)[()]

    # ---- over time ------------------------------------------------------------------------------------

    def phase(self, name: str) -> np.ndarray:
        """Return the recorded phase of an element or a node, rad: 2 pi / Phi0 times the integral of its voltage."""
        return TURN * self._kept(name, 1)

    def voltage(self, name: str) -> np.ndarray:
        """Return the recorded voltage, mV; of nodes, inductors and sources, the mean of one sample before to one after.
        """
        kind, _ = self._find(name)
        if kind == "branch":
            return self._kept(name, 2)
        flux = self._kept(name, 1)
        return np.gradient(flux, self.times, axis=0) if len(flux) > 1 else np.zeros_like(flux)

    def current(self, name: str) -> np.ndarray:
        """Return the recorded current through an element from plus to minus, mA.

        That of a wire or a source of voltage is what the other elements at its nodes leave; wires side by side share it
        equally.
        """
        circuit = self._job.assembly.circuit
        placed = circuit.find(name)
        element = placed.element
        self._find(placed.name)
        if is_rigid(element):
            return self._left_over(placed)
        if isinstance(element, Inductor):
            return self._inductor_current(placed.name)
        if isinstance(element, CurrentSource):
            return self._source_current(placed)
        if isinstance(element, Controlled):
            by = circuit.controls[placed.name.casefold()].by
            if isinstance(by, str):
                return element.gain * self.current(by)
            ground = np.zeros(self.times.shape if self.lanes is None else (self.times.size, self._count))
            plus, minus = (ground if node == GROUND else self.voltage(node) for node in by)
            return element.gain * (plus - minus)
        return self._branch_current(placed)

    def _branch_current(self, placed) -> np.ndarray:
        at, values = self._index[placed.name.casefold()], self._job.values
        v = self.voltage(placed.name)
        current = self._lanes(values.g[at]) * v
        if (values.c[at] > 0.0).any():
            current = current + self._lanes(values.c[at]) * np.gradient(v, self.times, axis=0)
        if isinstance(placed.element, Port):
            self._port_current(placed)
        if isinstance(placed.element, Junction):
            low, high, s1, s2 = (self._lanes(each[at]) for each in values.gap)
            size = abs(v)
            rise = s1 * (np.clip(size, low, high) - low) + s2 * np.maximum(size - high, 0.0)
            current = current + self._lanes(values.ic[at]) * np.sin(
                self.phase(placed.name) - placed.element.phi0) + np.copysign(rise, v)
        return np.asarray(current)

    def _source_current(self, placed):
        if isinstance(placed.element.waveform, Noise):
            raise ParameterError(f"the current of the noise source {placed.name} is not kept; ask for those around it")
        values = self._job.values
        at = [each.name for each in self._job.assembly.sources].index(placed.name)
        lanes = [scale * placed.element.waveform.value(self.times - late)
                 for scale, late in zip(values.scale[at], values.delay[at], strict=True)]
        return lanes[0] if self.lanes is None else np.stack(lanes, axis=1)

    def _port_current(self, placed) -> NoReturn:
        raise ParameterError(f"the current into {placed.name}, the end of a line, is not kept; ask for that of an "
                             "element in series")

    def _left_over(self, placed):
        """Return the current of a rigid element, by the sums of currents at the nodes of all that hang together."""
        rigid, others = neighbours(self._job.assembly.circuit, placed)
        nodes = sorted({node for each in rigid for node in (each.plus, each.minus)} - {GROUND})
        matrix = np.array([[(each.plus == node) - (each.minus == node) for each in rigid] for node in nodes], float)
        currents = {other.name: self.current(other.name) for other in others}
        ends = np.array([[(other.minus == node) - (other.plus == node) for other in others] for node in nodes], float)
        right = np.tensordot(ends, np.array([currents[other.name] for other in others]), 1)
        shape = right.shape[1:]
        found = np.linalg.pinv(matrix) @ right.reshape(len(nodes), -1)
        return found[[each.name for each in rigid].index(placed.name)].reshape(shape)

    def _inductor_current(self, name) -> np.ndarray:
        assembly, values = self._job.assembly, self._job.values
        names = [each.name for each in assembly.inductors]
        at = names.index(name)
        gamma = assembly.inverse_inductances(values.l, values.k)
        return np.sum([self._lanes(gamma[p]) * self._kept(names[j], 1)
                       for p, (i, j) in enumerate(assembly.pairs) if i == at], axis=0)

    # ---- energy ---------------------------------------------------------------------------------------

    def dissipated(self, name: str):
        """Return the energy that an element has turned into heat, aJ (1e-18 J); the run needs `energy=True`."""
        self._needs_energy()
        placed = self._job.assembly.circuit.find(name)
        if isinstance(placed.element, (Inductor, CurrentSource)):
            raise ParameterError(f"{placed.name} dissipates nothing; ask for junctions and resistors")
        if placed.name.casefold() not in self._index:
            raise ParameterError(f"{placed.name} is a wire or a source; ask for junctions and resistors")
        return self._last("diss", self._index[placed.name.casefold()])

    def delivered(self, name: str):
        """Return the energy that a current source has delivered, aJ; the run needs `energy=True`."""
        self._needs_energy()
        names = [each.name.casefold() for each in self._job.assembly.sources]
        if name.casefold() not in names:
            raise ParameterError(f"{name} must be a current source, got another element")
        if self._job.assembly.voltages:
            raise ParameterError("what current sources deliver is known for circuits without voltage sources only")
        return self._last("delivered", names.index(name.casefold()))

    def stored(self):
        """Return the energy in inductors, capacitances and junctions at the end of the run, aJ.

        sum of L I^2 / 2 (with mutual inductances), C V^2 / 2, and Phi0 Ic (1 - cos phi) / 2 pi.
        """
        assembly, values = self._job.assembly, self._job.values
        lam, v = self._all("lam"), self._all("v")
        raised = 1.0 - np.cos(TURN * lam - 2.0 * np.pi * values.shift)
        total = (0.5 * values.c * v**2 + values.ic / TURN * raised).sum(axis=0)
        gamma = assembly.inverse_inductances(values.l, values.k)
        flux = self._all("flux")
        across = np.array([flux[p] - flux[m] for p, m in assembly.inductor_ends]).reshape(-1, self._count)
        if assembly.voltages:
            raise ParameterError("the stored energy is known for circuits without voltage sources only")
        for p, (i, j) in enumerate(assembly.pairs):
            total += 0.5 * gamma[p] * across[i] * across[j]
        return total[0] if self.lanes is None else total

    # ---- inside ---------------------------------------------------------------------------------------

    def _needs_energy(self):
        if not self._job.energy:
            raise ParameterError("energies were not added up: call simulate with energy=True")

    def _where(self, lane):
        width = len(self._groups[0].lanes)
        return self._groups[lane // width], lane % width

    def _lanes(self, row):
        return row[0] if self.lanes is None else row

    def _all(self, name):
        return np.concatenate([group.left(name) for group in self._groups], axis=-1)[:, :self._count]

    def _last(self, name, at):
        return self._lanes(self._all(name)[at])

    def _junction(self, name):
        placed = self._job.assembly.circuit.find(name)
        if not isinstance(placed.element, Junction):
            raise ParameterError(f"{placed.name} must be a junction to have pulses, got {placed.element!r}")
        return self._index[placed.name.casefold()]

    def _find(self, name):
        for k, (kind, known) in enumerate(self._job.wanted):
            if known.casefold() == str(name).casefold():
                return kind, k
        raise NetworkError(f"{name!r} was not recorded; name it in record= or nodes=")

    def _kept(self, name, which):
        _, k = self._find(name)
        blocks = []
        for group in self._groups:
            width = group.width
            rows = np.concatenate([each[which] for each in group.rows])
            blocks.append(rows[:, k * width:(k + 1) * width])
        together = np.concatenate(blocks, axis=1)[:, :self._count]
        return together[:, 0] if self.lanes is None else together
