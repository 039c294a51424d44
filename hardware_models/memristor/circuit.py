"""The circuit of a crossbar: wires with resistance, devices between them, lines driven, grounded or floating."""

from typing import Any, NamedTuple

import numpy as np

from neurosim.checks import check_number, check_numbers, check_whole, describe_value
from neurosim.errors import NetworkError, ParameterError, SimulationError

SIEMENS = 1e-6  #: of a microsiemens


class Solution(NamedTuple):
    """What one or several inputs do to a crossbar.

    Attributes:
        currents: out of the bit lines, uA, shape (..., columns).
        v_word: voltage of every node of the word lines, V, shape (..., rows, columns).
        v_bit: the same of the bit lines.
        device_currents: through every device, uA.
    """

    currents: np.ndarray
    v_word: np.ndarray
    v_bit: np.ndarray
    device_currents: np.ndarray


class CrossbarCircuit:
    r"""A crossbar of two-terminal devices with resistive wires.

    Word line i is driven at its left end through one segment of wire, bit line j ends at virtual ground below its last
    row through one segment, and neighbouring nodes are one segment apart. For every node

        (v_w[i,j] - v_w[i,j-1]) / r_word + (v_w[i,j] - v_w[i,j+1]) / r_word + G[i,j] (v_w[i,j] - v_b[i,j]) = 0,

    and likewise on the bit lines. The solution is exact: what is left is the residual of the linear system, 1e-13.

    Args:
        conductance: of the devices, uS, shape (rows, columns), >= 0.
        r_word, r_bit: ohm of one segment of a word line and of a bit line, >= 0; see `wire_resistance`.
        floating_words, floating_bits: numbers of lines that are neither driven nor grounded.

    Raises:
        ParameterError: an argument does not fit.
        NetworkError: the network is singular: nothing fixes the voltage of some node.

    >>> circuit = CrossbarCircuit(np.full((64, 64), 100.0), r_word=1.0, r_bit=1.0)
    >>> current = circuit.solve(np.full(64, 0.2)).currents
    >>> round(float(100 * (1 - current.mean() / (64 * 100.0 * 0.2))), 2)  # percent that the wires take away
    21.45
    """

    def __init__(self, conductance, r_word: float = 0.0, r_bit: float = 0.0, *, floating_words=(), floating_bits=()):
        self.conductance = check_conductance("CrossbarCircuit.conductance", conductance)
        self.r_word = check_resistance("CrossbarCircuit.r_word", r_word)
        self.r_bit = check_resistance("CrossbarCircuit.r_bit", r_bit)
        rows, columns = self.conductance.shape
        self.floating_words = _check_lines("floating_words", floating_words, rows)
        self.floating_bits = _check_lines("floating_bits", floating_bits, columns)
        self._general = self._transfer = None
        if self.floating_words.size or self.floating_bits.size:
            self._check_not_singular()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.conductance.shape

    def solve(self, voltages) -> Solution:
        """Return all voltages and currents for one input or several.

        Args:
            voltages: of the word lines, V, shape (rows,) or (batch, rows); those of floating lines are not used.
        """
        v = self._check_voltages(voltages)
        batch = np.atleast_2d(v)
        word, bit = self._nodes(batch)
        g = self.conductance
        through = g * (word - bit)
        currents = through.sum(axis=1)
        currents[:, self.floating_bits] = 0.0
        parts = currents, word, bit, through
        return Solution(*(part[0] for part in parts)) if v.ndim == 1 else Solution(*parts)

    def transfer(self) -> np.ndarray:
        """Return the matrix T, uS, shape (rows, columns), with currents = voltages @ T for any input.

        The lines are eliminated row by row, once, in rows x columns^3 steps; after that any number of inputs costs one
        product each. T is what the array computes with instead of its conductances.
        """
        if self._transfer is None:
            if self.floating_words.size or self.floating_bits.size:
                driven = np.setdiff1d(np.arange(self.shape[0]), self.floating_words)
                self._transfer = np.zeros(self.shape)
                unit = np.zeros((driven.size, self.shape[0]))
                unit[np.arange(driven.size), driven] = 1.0
                self._transfer[driven] = self.solve(unit).currents
            else:
                self._transfer = _eliminate(self.conductance * SIEMENS, self.r_word, self.r_bit) / SIEMENS
            self._transfer.setflags(write=False)
        return self._transfer

    def approximate(self, voltages, sweeps: int = 1) -> tuple[np.ndarray, float]:
        """Return (currents, error): a few sweeps over the lines instead of a solution, and how far off they may be.

        Each sweep takes the device currents of the last and computes the voltages along the wires that they cause, two
        running sums per line. The corrections shrink by about the loss itself, each by the same factor or more; the
        error, relative to the largest current, is the sum of the geometric series that is left out.

        Args:
            voltages: of the word lines, V, shape (rows,) or (batch, rows).
            sweeps: how many corrections are applied, >= 1.

        Raises:
            SimulationError: the corrections do not shrink; `solve` is needed.
        """
        if self.floating_words.size or self.floating_bits.size:
            raise ParameterError("CrossbarCircuit.approximate must have no floating lines; use solve instead")
        sweeps = check_whole("sweeps", sweeps, at_least=1)
        v = self._check_voltages(voltages)
        if not v.size:
            return np.empty((0, self.shape[1])), 0.0
        g, drive = self.conductance * SIEMENS, np.atleast_2d(v)[:, :, None]
        through, sums, steps = g * drive, [], []
        sums.append(through.sum(axis=1))
        for _ in range(sweeps + 1):
            word_current = through[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]  # in the segment left of each node
            bit_current = through.cumsum(axis=1)  # in the segment below each node
            word = drive - self.r_word * word_current.cumsum(axis=2)
            bit = self.r_bit * bit_current[:, ::-1].cumsum(axis=1)[:, ::-1]
            through = g * (word - bit)
            sums.append(through.sum(axis=1))
            steps.append(np.abs(sums[-1] - sums[-2]).max())
        scale = np.abs(sums[0]).max()
        if scale and (steps[-1] > 0.5 * steps[-2] if steps[-2] > 1e-14 * scale else False):
            raise SimulationError(f"CrossbarCircuit.approximate does not converge here: the last corrections are "
                                  f"{steps[-2] / scale:.2g} and {steps[-1] / scale:.2g} of the current; use solve")
        currents = sums[-2] / SIEMENS
        ratio = steps[-1] / steps[-2] if steps[-2] else 0.0
        error = float(steps[-1] / (1 - ratio) / scale) if scale else 0.0
        return (currents[0] if v.ndim == 1 else currents), error

    def _nodes(self, inputs):
        """Return the voltages of the word-line and bit-line nodes, shape (batch, rows, columns)."""
        if not len(inputs):
            return np.empty((0, *self.shape)), np.empty((0, *self.shape))
        g = self.conductance * SIEMENS
        if self.floating_words.size or self.floating_bits.size:
            return self._solve_general(inputs)
        if self.r_word and self.r_bit:
            from hardware_models.memristor import lines

            word, bit, used, residual = lines.solve(g, self.r_word, self.r_bit, inputs)
            if residual.max() > 1e-11:
                raise SimulationError(f"CrossbarCircuit.solve stopped at a residual of {residual.max():.2g} after "
                                      f"{used.max()} iterations")
            return word, bit
        word = np.broadcast_to(inputs[:, :, None], (len(inputs), *g.shape)).copy()
        bit = np.zeros_like(word)
        if self.r_word:
            word = _lone_lines(g, self.r_word, inputs[:, :, None] * np.eye(1, g.shape[1])[0] / self.r_word, "word")
        elif self.r_bit:
            bit = _lone_lines(g, self.r_bit, g * word, "bit")
        return word, bit

    def _solve_general(self, inputs):
        """Any set of lines may float: one sparse factorisation, kept."""
        from scipy.sparse.linalg import splu

        rows, columns = self.shape
        if self._general is None:
            matrix, source, fixed = _nodal_matrix(self.conductance * SIEMENS, self.r_word, self.r_bit,
                                                  self.floating_words, self.floating_bits)
            free = np.setdiff1d(np.arange(matrix.shape[0]), fixed)
            self._general = splu(matrix[free][:, free].tocsc()), matrix[free][:, fixed], source, free, fixed
        factor, coupling, source, free, fixed = self._general
        given = np.asarray(source @ inputs.T)  # volts at fixed nodes, amperes into free ones
        x = np.empty((given.shape[0], len(inputs)))
        x[fixed] = given[fixed]
        x[free] = factor.solve(given[free] - coupling @ given[fixed])
        x = x.T
        words = rows * (columns if self.r_word else 1)
        word, bit = x[:, :words], x[:, words:]
        word = word.reshape(-1, rows, columns) if self.r_word else np.repeat(word[:, :, None], columns, axis=2)
        bit = bit.reshape(-1, rows, columns) if self.r_bit else np.repeat(bit[:, None, :], rows, axis=1)
        return word, bit

    def _check_voltages(self, voltages):
        v = np.asarray(voltages, dtype=np.float64)
        if v.ndim not in (1, 2) or v.shape[-1] != self.shape[0] or not np.isfinite(v).all():
            raise ParameterError(f"voltages must be finite and of shape ({self.shape[0]},) or (batch, "
                                 f"{self.shape[0]}), got {describe_value(v)}")
        return v

    def _check_not_singular(self):
        """A floating line is fixed by devices that lead, over any other lines, to one that is driven or grounded."""
        rows, columns = self.shape
        known_rows, known_columns = np.ones(rows, bool), np.ones(columns, bool)
        known_rows[self.floating_words] = known_columns[self.floating_bits] = False
        conducts = self.conductance > 0
        while True:
            more_columns = known_columns | conducts[known_rows].any(axis=0)
            more_rows = known_rows | conducts[:, more_columns].any(axis=1)
            if (more_rows == known_rows).all() and (more_columns == known_columns).all():
                break
            known_rows, known_columns = more_rows, more_columns
        for name, known in (("word", known_rows), ("bit", known_columns)):
            if not known.all():
                raise NetworkError(f"the crossbar is singular: {name} line {int(np.argmin(known))} floats and no "
                                   "device of more than 0 uS ties it to a line that is driven or grounded")


def _nodal_matrix(g, r_word, r_bit, floating_words, floating_bits) -> Any:
    """Return the nodal matrix, that which makes sources of the word lines' voltages, and the nodes that are held."""
    from scipy.sparse import coo_array

    rows, columns = g.shape
    i, j = (index.ravel() for index in np.indices(g.shape))
    word = i * columns + j if r_word else i
    n_word = rows * columns if r_word else rows
    bit = n_word + (i * columns + j if r_bit else j)
    n = n_word + (rows * columns if r_bit else columns)
    pairs = [(word, bit, g.ravel())]
    if r_word:
        at = j > 0
        pairs.append((word[at], word[at] - 1, np.full(at.sum(), 1 / r_word)))
    if r_bit:
        at = i > 0
        pairs.append((bit[at], bit[at] - columns, np.full(at.sum(), 1 / r_bit)))
    a, b, value = (np.concatenate(part) for part in zip(*pairs, strict=True))
    driven = np.setdiff1d(np.arange(rows), floating_words)
    grounded = np.setdiff1d(np.arange(columns), floating_bits)
    first, last = driven * columns if r_word else driven, n_word + ((rows - 1) * columns * bool(r_bit) + grounded)
    index, other = [a, b, a, b], [a, b, b, a]
    values = [value, value, -value, -value]
    fixed = np.concatenate([np.array([], dtype=np.int64) if r_word else first,
                            np.array([], dtype=np.int64) if r_bit else last])
    for nodes, r in ((first, r_word), (last, r_bit)):
        if r:
            index.append(nodes)
            other.append(nodes)
            values.append(np.full(nodes.size, 1 / r))
    matrix = coo_array((np.concatenate(values), (np.concatenate(index), np.concatenate(other))), shape=(n, n)).tocsr()
    source = coo_array((np.full(first.size, 1 / r_word if r_word else 1.0), (first, driven)), shape=(n, rows)).tocsr()
    return matrix, source, fixed


def _lone_lines(g, r, source, kind):
    """Only one kind of line has resistance: its chains do not see each other."""
    from scipy.linalg import solve_banded

    rows, columns = g.shape
    out = np.empty((len(source), rows, columns))
    for k in range(rows if kind == "word" else columns):
        devices, given = (g[k], source[:, k]) if kind == "word" else (g[:, k], source[:, :, k])
        out_k = solve_banded((1, 1), _bands(devices, r, open_first=kind == "bit"), given.T).T
        if kind == "word":
            out[:, k] = out_k
        else:
            out[:, :, k] = out_k
    return out


def _bands(g, r, open_first):
    """Return the three diagonals of one chain of wire with devices g to a fixed voltage."""
    diagonal = g + 2 / r
    diagonal[0 if open_first else -1] -= 1 / r
    return np.stack([np.full(g.size, -1 / r), diagonal, np.full(g.size, -1 / r)])


def _eliminate(g, r_word, r_bit):
    """Return the transfer matrix: the rows above the present one, seen from below, are an admittance and a current."""
    from scipy.linalg import cho_factor, cho_solve, solve_banded

    rows, columns = g.shape
    if r_bit == 0 and r_word == 0:
        return g.copy()
    admittance, current = np.zeros((columns, columns)), np.zeros((columns, rows))
    for i in range(rows):
        if r_word:
            right = np.zeros((columns, columns + 1))
            right[np.arange(columns), np.arange(columns)] = g[i]
            right[0, columns] = 1 / r_word
            x = solve_banded((1, 1), _bands(g[i], r_word, open_first=False), right)
            own, driven = np.diag(g[i]) - g[i][:, None] * x[:, :columns], g[i] * x[:, columns]
        else:
            own, driven = np.diag(g[i]), g[i]
        admittance = admittance + own
        current[:, i] = driven
        if r_bit:
            factor = cho_factor(np.eye(columns) + r_bit * (admittance + admittance.T) / 2, overwrite_a=True,
                                check_finite=False)
            admittance = cho_solve(factor, admittance, check_finite=False)
            current[:, :i + 1] = cho_solve(factor, current[:, :i + 1], check_finite=False)
    return current.T


def check_conductance(name: str, value) -> np.ndarray:
    """Return a matrix of conductances in uS; raise ParameterError where it is none."""
    g = check_numbers(name, value)
    if g.ndim != 2 or not g.size:
        raise ParameterError(f"{name} must be a matrix of uS, got {describe_value(g)}")
    if not np.isfinite(g).all() or g.min() < 0:
        bad = g[~(np.isfinite(g) & (g >= 0))][0]
        raise ParameterError(f"{name} must be finite and >= 0 uS, got an array that holds {bad:g}")
    return g


def check_resistance(name: str, value) -> float:
    """Return the resistance of a segment of wire; raise ParameterError where it is none."""
    return check_number(name, value, "ohm", at_least=0)


def _check_lines(name, lines, n):
    found = np.unique(np.asarray(lines))
    if found.size and (found.dtype.kind not in "iu" or found[0] < 0 or found[-1] >= n):
        raise ParameterError(f"CrossbarCircuit.{name} must be numbers of lines in 0 .. {n - 1}, got {lines!r}")
    return found.astype(np.int64)


__all__ = ["CrossbarCircuit", "Solution"]
