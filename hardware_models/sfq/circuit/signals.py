"""The sources of a circuit as the compiled loop wants them: tables of pieces, one row per signal."""

import numpy as np

from hardware_models.sfq.circuit.bodies import PIECE, WAVE
from hardware_models.sfq.circuit.elements import PhaseSource
from hardware_models.sfq.circuit.waveforms import COLUMNS, Noise


class Signals:
    """Signals of the sources of a group of lanes; sources with one waveform and delay share a row."""

    def __init__(self, assembly, delay: np.ndarray, duration: float, seed: int = 0, keys=(0,)):
        self.assembly, self.seed, self.keys = assembly, seed, keys
        self.width = delay.shape[1]
        self.duration = duration
        self.found, self.tables_found, self.cycles = {}, [], []
        waveforms = [each.element.waveform for each in (*assembly.sources, *assembly.voltages)]
        known = {}  # comparing two waveforms takes long, so each is looked up once, not once for each lane
        forms = [known.setdefault(waveform, k) for k, waveform in enumerate(waveforms)]
        rows = np.array([[self._row(k, waveform, forms[k], float(late), lane) for lane, late in enumerate(delay[k])]
                         for k, waveform in enumerate(waveforms)], np.int64).reshape(-1, self.width)
        self.all_rows = rows
        self.rows = rows[:len(assembly.sources)].ravel().astype(np.uint64)
        self.voltage_rows = rows[len(assembly.sources):].ravel().astype(np.uint64)
        self.count = len(self.tables_found)
        lengths = np.array([len(each) for each in self.tables_found], int)
        starts = np.cumsum([0, *lengths])[:-1].astype(np.int64)
        table = np.concatenate(self.tables_found) if self.count else np.zeros((0, len(COLUMNS)))
        bent = [WAVE if each[:, 3:].any() else PIECE for each in self.tables_found]
        self.tables = (np.array(bent, np.int64), starts, (starts + lengths - 1).astype(np.int64), starts.copy(),
                       np.array(self.cycles), np.ascontiguousarray(table[:, :3].T),
                       np.ascontiguousarray(table[:, 3:].T))
        ends = [(assembly.row(each.plus), assembly.row(each.minus)) for each in assembly.sources]
        self.plus, self.minus = (np.array([pair[k] for pair in ends], np.uint64) for k in (0, 1))

    def _row(self, source, waveform, form, late, lane):
        """Return the row of a source in a lane; equal waveforms share one, noise has one for each source and lane."""
        noisy = isinstance(waveform, Noise)
        key = (form, late, (source, int(self.keys[lane])) if noisy else None)
        if key not in self.found:
            self.found[key] = len(self.tables_found)
            span = self.duration - min(late, 0.0)
            if noisy:
                waveform = waveform.drawn(span, np.random.Generator(np.random.Philox(
                    key=self.seed, counter=[0, 0, source, int(self.keys[lane])])))
            table = waveform.pieces(span)
            table[:, 0] += late
            self.tables_found.append(table)
            self.cycles.append(waveform.cycle or 0.0)
        return self.found[key]

    def at_zero(self) -> np.ndarray:
        """Return the values of all signals at t = 0, shape (sources, lanes)."""
        from hardware_models.sfq.circuit.bodies import signal

        kinds, starts, lasts, _, cycles, *tables = self.tables
        values = [signal(kinds[r], starts[r], lasts[r], starts[r], 0.0, cycles[r], *tables)[0]
                  for r in range(self.count)]
        return np.array(values)[self.all_rows] if values else np.zeros(self.all_rows.shape)

    def reach(self, flux, width):
        """Return the flux from plus to minus of each current source."""
        flux = flux.reshape(-1, width)
        return (flux[self.minus.astype(int)] - flux[self.plus.astype(int)]).ravel()

    def offsets(self, gamma, width, rate):
        """Return where voltage sources enter: (branch, source, sign), and (row, source, coefficient) by inductors."""
        a = self.assembly
        branch = [(b, k, sign * end) for b, (p, m) in enumerate(a.ends)
                  for node, end in ((p, 1.0), (m, -1.0)) for k, sign in a.offset[node].items()]
        drive = []
        for at, (i, j) in enumerate(a.pairs):
            other = a.inductors[j]
            for node, end in ((other.plus, 1.0), (other.minus, -1.0)):
                for k, sign in a.offset[node].items():
                    for place, out in zip(a.inductor_ends[i], (1.0, -1.0), strict=True):
                        if place < a.n:
                            drive.append((a.rows[place], k, out * end * sign * gamma[at]))
        for entries, factor in ((a.controls.drives, 1.0), (a.controls.rated_drives, rate)):
            drive += [(row, k, np.full(width, value * factor)) for row, k, value in entries]
        columns = [np.array([each[k] for each in branch]) for k in range(3)]
        coefficients = np.array([each[2] for each in drive]).ravel()
        return (columns[0].astype(np.uint64), columns[1].astype(np.uint64), columns[2].astype(float),
                np.zeros(len(a.branches) * width), np.array([each[0] for each in drive], np.uint64),
                np.array([each[1] for each in drive], np.uint64), coefficients, self.voltage_rows,
                np.repeat([isinstance(each.element, PhaseSource) for each in a.voltages], width).astype(bool),
                np.zeros((4, len(a.voltages) * width)))
