"""The sources of a circuit as the compiled loop wants them: tables of straight pieces and sines, one row per signal."""

import numpy as np

from hardware_models.sfq.circuit.kernel import PIECE, SINE
from hardware_models.sfq.circuit.waveforms import Sine


class Signals:
    """Signals of the sources of a group of lanes; sources with one waveform and delay share a row."""

    def __init__(self, assembly, delay: np.ndarray, duration: float):
        self.assembly = assembly
        self.width = delay.shape[1]
        self.duration = duration
        self.found, self.pieces = {}, []
        driven = [*assembly.sources, *assembly.voltages]
        rows = np.array([[self._row(each.element.waveform, late) for late in delay[k]]
                         for k, each in enumerate(driven)], np.int64).reshape(-1, self.width)
        self.all_rows = rows
        self.rows = rows[:len(assembly.sources)].ravel().astype(np.uint64)
        self.voltage_rows = rows[len(assembly.sources):].ravel().astype(np.uint64)
        self.count = len(self.pieces)
        lengths = [len(piece[1]) for piece in self.pieces]
        starts = np.cumsum([0, *lengths])[:-1]
        kinds = np.array([piece[0] for piece in self.pieces], np.int64)
        joined = [np.concatenate([piece[k] for piece in self.pieces]) if self.pieces else np.zeros(0)
                  for k in range(1, 4)]
        self.tables = (kinds, starts.astype(np.int64), (starts + np.array(lengths, int) - 1).astype(np.int64),
                       starts.astype(np.int64).copy(), *joined)
        ends = [(assembly._place(each.plus), assembly._place(each.minus)) for each in assembly.sources]
        self.plus, self.minus = (np.array([pair[k] for pair in ends], np.uint64) for k in (0, 1))

    def _row(self, waveform, late):
        key = (waveform, float(late))
        if key not in self.found:
            self.found[key] = len(self.pieces)
            self.pieces.append(_sine(waveform, late) if isinstance(waveform, Sine)
                               else _piecewise(waveform, late, self.duration))
        return self.found[key]

    def at_zero(self) -> np.ndarray:
        """Return the values of all signals at t = 0, shape (sources, lanes)."""
        from hardware_models.sfq.circuit.kernel import signal

        kinds, starts, lasts, _, *tables = self.tables
        values = [signal(kinds[r], starts[r], lasts[r], starts[r], 0.0, *tables)[0] for r in range(self.count)]
        return np.array(values)[self.all_rows] if values else np.zeros(self.all_rows.shape)

    def reach(self, flux, width):
        """Return the flux from plus to minus of each current source."""
        flux = flux.reshape(-1, width)
        return (flux[self.minus.astype(int)] - flux[self.plus.astype(int)]).ravel()

    def offsets(self, gamma, width):
        """Return where voltage sources enter: (branch, source, sign), and (node, source, coefficient) by inductors."""
        a = self.assembly
        branch = [(b, k, sign * end) for b, (p, m) in enumerate(a.ends)
                  for node, end in ((p, 1.0), (m, -1.0)) for k, sign in a.offset[node].items()]
        drive = []
        for at, (i, j) in enumerate(a.pairs):
            other = a.inductors[j]
            for node, end in ((other.plus, 1.0), (other.minus, -1.0)):
                for k, sign in a.offset[node].items():
                    for row, out in zip(a.inductor_ends[i], (1.0, -1.0), strict=True):
                        if row < a.n:
                            drive.append((row, k, out * end * sign * gamma[at]))
        columns = [np.array([each[k] for each in branch]) for k in range(3)]
        coefficients = np.array([each[2] for each in drive]).ravel()
        return (columns[0].astype(np.uint64), columns[1].astype(np.uint64), columns[2].astype(float),
                np.zeros(len(a.branches) * width), np.array([each[0] for each in drive], np.uint64),
                np.array([each[1] for each in drive], np.uint64), coefficients, self.voltage_rows,
                np.zeros((4, len(a.voltages) * width)))


def _sine(wave, late):
    parameters = np.array([wave.offset, wave.amplitude, wave.frequency])
    return SINE, np.full(3, wave.delay + late), parameters, np.zeros(3)


def _piecewise(waveform, late, duration):
    times, levels = (np.asarray(each, dtype=float) for each in waveform.corners(duration - min(late, 0.0)))
    lengths = np.diff(times)
    slopes = np.divide(np.diff(levels), lengths, out=np.zeros(len(lengths)), where=lengths > 0.0)
    return PIECE, times + late, levels, np.append(slopes, 0.0)
