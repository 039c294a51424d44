"""One group of lanes: their arrays, the calls of the compiled loop, and what they leave."""

import numpy as np

from hardware_models.sfq.circuit.elements import PhaseSource
from hardware_models.sfq.circuit.signals import Signals
from hardware_models.sfq.circuit.units import PHI0, noise_amplitude
from neurosim.errors import SimulationError
from neurosim.random import seed_words

CHUNK = 4096  #: steps between two looks of Python
GROUNDS = 8  #: rows that stand for the ground, so that sums into it do not wait for each other
STREAM = 0x53465101  #: of thermal noise
TOLERANCE = (1e-6, 1e-5)  #: rad that a phase may still move when the sines are not taken again: quiet, with noise


class Group:
    """The arrays of a group of lanes, flat, with the lanes side by side; `run` steps them to the end.

    Args:
        job: what all groups of a simulation share.
        lanes: numbers of the lanes.
    """

    def __init__(self, job, lanes):
        a, v = job.assembly, job.values
        self.job, self.lanes, self.width = job, lanes, len(lanes)
        self.ic, self.g, self.c, self.shift = (self._flat(each) for each in (v.ic, v.g, v.c, v.shift))
        self.gap = [self._flat(each) for each in v.gap]
        self.scale = np.ascontiguousarray(v.scale[:, lanes])
        self.gamma = a.inverse_inductances(v.l[:, lanes], v.k[:, lanes])
        self.signals = Signals(a, v.delay[:, lanes], job.steps * job.h, job.seed, job.keys[lanes])
        unit = [PHI0 / (2.0 * np.pi) if isinstance(each.element, PhaseSource) else 1.0 for each in a.voltages]
        self.scale[len(a.sources):] *= np.array(unit).reshape(-1, 1)
        self.levels = self.scale * self.signals.at_zero()
        self.offsets = self.signals.offsets(self.gamma, self.width, 2.0 / job.h)
        self._start()
        self._lines()
        self._buffers()

    def _flat(self, values):
        return np.ascontiguousarray(values[:, self.lanes]).ravel()

    def _start(self):
        """Set fluxes, voltages and currents of capacitances at t = 0, and the phases at which pulses are counted."""
        from hardware_models.sfq.circuit.rest import rest

        job, a = self.job, self.job.assembly
        self.lam, self.v, self.ci, self.acc, self.diss = np.zeros((5, self.ic.size))
        self.flux = np.zeros((a.n + GROUNDS) * self.width)
        if job.start == "operating_point":
            self.lam, self.v, flux = rest(a, job.values, self.lanes, self.gamma, self.signals)
            self.flux[:flux.size] = flux
        elif self.levels.any():
            self._switch_on()
        many = len(a.sources)
        self.offsets[-1][1] = self.levels[many:].ravel()
        self.drive = np.zeros((3, many * self.width))
        self.drive[1], self.drive[2] = self.levels[:many].ravel(), self.signals.reach(self.flux, self.width)
        self.turns = np.round(self.lam[:a.junctions * self.width] / PHI0)
        self.upper, self.lower = (self.turns + 0.5) * PHI0, (self.turns - 0.5) * PHI0
        self.phase_state, self.since = np.zeros((2, self.turns.size))

    def _lines(self):
        """Make room for the waves on transmission lines: those that left each end in the last steps."""
        job, a = self.job, self.job.assembly
        lines = list(a.circuit.lines.values())
        names = [name for each in lines for name in (each.first, each.second)]
        branch = np.array([a.index[name.casefold()] for name in names], int)
        delay = np.repeat([each.delay for each in lines], 2).astype(float)
        conductance = self.g.reshape(-1, self.width)[branch].ravel()
        depth = int(delay.max(initial=0.0) / job.h) + 3
        self.waves = np.zeros((depth, branch.size * self.width))
        self.waves[0] = 2.0 * self.v.reshape(-1, self.width)[branch].ravel()
        self.line = (branch.astype(np.uint64), conductance, delay, self.waves, np.zeros(conductance.size))

    def _buffers(self):
        """Make room for what a chunk of steps leaves."""
        job, kept = self.job, len(self.job.places)
        chunk = min(job.steps, CHUNK)
        rows = (chunk if job.every == 0 else chunk // job.every + 1) if kept else 0
        self.rec = np.empty(rows), np.empty((rows, kept * self.width)), np.empty((rows, kept * self.width))
        room = 6 * job.assembly.junctions + 64
        self.events = (np.empty((self.width, room)), np.empty((self.width, room), np.int64),
                       np.empty((self.width, room)))
        self.count, self.fault, self.clock = (np.zeros(size, np.int64) for size in (self.width, 3, 2))
        self.kept = [[] for _ in self.lanes]  # times, junctions and signs of pulses, one array per chunk
        self.rows = []  # times, fluxes and voltages that were recorded, one list of arrays per chunk

    def _coefficients(self):
        """Return g0, a1, weights, weights at the gap, and factors, for every step size."""
        job, a = self.job, self.job.assembly
        sizes = (job.h * 2.0 ** np.arange(job.rungs))[:, None]
        g0, a1 = 4.0 * self.c / sizes**2 + 2.0 * self.g / sizes, 4.0 * self.c / sizes + self.g
        own, turn = np.where(g0 > 0.0, g0, np.inf), 2.0 * np.pi / PHI0
        steepest = np.maximum(self.gap[2], self.gap[3])
        factors = [a.factors(np.concatenate([each.reshape(-1, self.width), self.gamma]), 2.0 / size)
                   for each, size in zip(g0, sizes[:, 0], strict=True)]
        sides = (factors[0][0], factors[0][1]) if a.general else (np.concatenate(factors), np.zeros((0, 1)))
        return (g0, a1, self.ic * turn * turn / own, turn * 2.0 / sizes * steepest / own), [
            each.ravel() for each in sides]

    def _constants(self):
        """Return the arguments of the loop that say what the circuit is, up to the scales of voltage sources."""
        a = self.job.assembly
        coefficients, factors = self._coefficients()
        between = np.flatnonzero(a.minus != a.n)  # branches whose minus is not the ground
        spread = a.n + np.arange(a.plus.size) % GROUNDS
        ends = [np.where(each == a.n, spread, each) for each in (a.plus, a.rows[a.plus])]
        ends += [between, a.minus[between], a.rows[a.minus[between]]]
        elastance = np.divide(1.0, self.c, out=np.zeros_like(self.c), where=self.c > 0.0)
        columns = np.repeat(np.arange(a.n), np.diff(a.lp))
        unsigned = [np.ascontiguousarray(each, dtype=np.uint64) for each in (columns, a.li, *ends)]
        return (np.uint64(a.n), *unsigned[:2], *factors, *unsigned[2:], self.ic, self.shift, self.g, self.c, elastance,
                (self.c == 0.0).astype(float), *coefficients, self.scale[len(a.sources):].ravel())

    def _drives(self):
        """Return the arguments of the loop that say what drives the circuit: sources, noise, voltages."""
        job, signals = self.job, self.signals
        amplitude = np.array([noise_amplitude(job.heat[b], job.values.g[b, lane], job.h)
                              for b in job.noisy for lane in self.lanes])
        key0, key1 = (np.uint64(word) for word in seed_words(job.seed))
        memory = job.assembly.controls.memory
        fed = [(row, k, sign) for sign, rows in ((1.0, signals.minus), (-1.0, signals.plus))
               for k, row in enumerate(rows) if row != job.assembly.n]
        return (signals.plus, signals.minus, *(np.array([each[k] for each in fed], kind)
                                               for k, kind in enumerate((np.uint64, np.uint64, np.float64))),
                self.scale[:len(job.assembly.sources)].ravel(), signals.rows,
                *signals.tables, np.empty(signals.count), job.noisy.astype(np.uint64), amplitude,
                job.keys[self.lanes].astype(np.uint64), key0, key1, np.uint64(STREAM),
                np.empty((4, amplitude.size)), *self.offsets, *self.line,
                *(np.array([each[k] for each in memory], kind)
                  for k, kind in enumerate((np.uint64, np.uint64, np.float64))))

    def run(self):
        """Step to the end and return the group."""
        from hardware_models.sfq.circuit.kernel import load_run

        job, chunk = self.job, min(self.job.steps, CHUNK)
        main, constants, drives = load_run(self.width, job.assembly.general), self._constants(), self._drives()
        state = (self.lam, self.v, self.ci, self.acc, self.flux, np.zeros_like(self.flux),
                 *np.empty((4, self.ic.size)))
        what = (np.uint64(job.assembly.junctions), self.turns, self.upper, self.lower, self.phase_state, self.since,
                *self.events, self.count,
                np.array(job.places, np.uint64), job.every, *self.rec, self.fault, job.gap, job.energy, self.diss,
                self.drive)
        while self.clock[0] < job.steps:
            ticks = min(chunk - self.clock[0] % chunk, job.steps - self.clock[0])
            samples = main(self.clock, ticks, job.h, TOLERANCE[job.noisy.size > 0], job.accuracy, *constants, *state,
                           *drives, *self.gap, *what)
            self._keep(samples)
            if self.fault[0]:
                self._stop()
        del self.rec, self.events, self.offsets, self.signals, self.gap  # a run may have thousands of groups
        return self

    def _keep(self, samples):
        """Copy what a chunk left, and empty the list of pulses."""
        for l, n in enumerate(self.count):
            if n:
                self.kept[l].append(np.array([each[l, :n] for each in self.events]))
        self.count[:] = 0
        if self.job.places:
            self.rows.append([each[:samples].copy() for each in self.rec])

    def left(self, name: str) -> np.ndarray:
        """Return an array at the end of the run, by name, with shape (elements, lanes)."""
        return (self.drive[0] if name == "delivered" else getattr(self, name)).reshape(-1, self.width)

    def _switch_on(self):
        """Find voltages, and currents of capacitances, right after sources that are not 0 at t = 0 are switched on.

        They are those of two backward Euler steps, too short for the flux of a junction to change. The first one takes
        impulses, such as the charge of a capacitor at a voltage source.
        """
        a, signals, offsets, levels = self.job.assembly, self.signals, self.offsets, self.levels
        short = 1e-6 * self.job.h
        levels = np.where(np.append(np.zeros(len(a.sources) * self.width, bool), offsets[-2]).reshape(-1, self.width),
                          0.0, levels)  # a source of phase jumps in the first step
        g, c = self.g.reshape(-1, self.width), self.c.reshape(-1, self.width)
        stiff = c / short**2 + g / short
        apart = np.zeros_like(g)
        np.add.at(apart, offsets[0].astype(int),
                  offsets[2][:, None] * short * levels[len(a.sources):][offsets[1].astype(int)])
        x = np.zeros((a.n + 1, self.width))
        into, out = a.rows[a.plus], a.rows[a.minus]
        np.add.at(x, signals.minus.astype(int), levels[:len(a.sources)])
        np.subtract.at(x, signals.plus.astype(int), levels[:len(a.sources)])
        np.subtract.at(x, into, stiff * apart)
        np.add.at(x, out, stiff * apart)
        coefficients = np.concatenate([stiff, self.gamma])

        def moved(x):
            """How far the fluxes of the branches move in a step into which these currents flow."""
            x[:a.n] = a.solve(coefficients, 1.0 / short, x[:a.n])
            x[a.n] = 0.0
            return x[a.plus] - x[a.minus] + apart

        first = moved(x)
        carried = c / short**2 * first + stiff * (first - apart)
        x = np.zeros((a.n + 1, self.width))
        np.add.at(x, into, carried)
        np.subtract.at(x, out, carried)
        second = moved(x)
        self.v, self.ci = (second / short).ravel(), (c * (second - first) / short**2).ravel()

    def _stop(self):
        job, (kind, branch, l) = self.job, self.fault
        lane = f", lane {self.lanes[l]}" if job.values.lanes > 1 else ""
        what = "diverged" if kind == 1 else "did not converge"
        raise SimulationError(f"the solution {what} at {job.assembly.branches[branch]}, t = "
                              f"{self.clock[0] * job.h:g} ps{lane}; use a smaller h than {job.h:g} ps")
