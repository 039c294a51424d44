"""Solves a crossbar whose lines are chains of resistors, by conjugate gradients on the bit lines.

With the word-line matrix A (tridiagonal, one per row), the bit-line matrix B (tridiagonal, one per column) and the
devices G, the node voltages obey

    A v_word = G v_bit + s,    B v_bit = G v_word,    so    (B - G A^-1 G) v_bit = G A^-1 s.

The matrix on the right is symmetric and positive definite; B is a good preconditioner, since a segment of wire conducts
far better than a device. Both factorisations cost as much as one product, and are kept for as many inputs as there are.
"""

from functools import cache

import numpy as np

from neurosim.engine import loader


def _factor(diagonal, off, pivot):
    """Factor chains that run along axis 0: diagonal[i, k], and -off between neighbours."""
    n, m = diagonal.shape
    for k in range(m):
        pivot[0, k] = 1.0 / diagonal[0, k]
    for i in range(1, n):
        for k in range(m):
            pivot[i, k] = 1.0 / (diagonal[i, k] - off * off * pivot[i - 1, k])


def _chain(pivot, off, x):
    """Solve the factored chains for x, in place."""
    n, m = x.shape
    for k in range(m):
        x[0, k] = x[0, k] * pivot[0, k]
    for i in range(1, n):
        for k in range(m):
            x[i, k] = (x[i, k] + off * x[i - 1, k]) * pivot[i, k]
    for i in range(n - 2, -1, -1):
        for k in range(m):
            x[i, k] += off * pivot[i, k] * x[i + 1, k]


def _turn(x, out):
    """Transpose by blocks that fit the cache."""
    n, m = x.shape
    for i0 in range(0, n, 32):
        for j0 in range(0, m, 32):
            for i in range(i0, min(i0 + 32, n)):
                for j in range(j0, min(j0 + 32, m)):
                    out[j, i] = x[i, j]


_MAIN = """\
import numpy as np

def main(g, word_diagonal, word_off, bit_diagonal, bit_off, inputs, tolerance, most, v_word, v_bit, log):
    n, m = g.shape
    gt, turned, across = np.empty((m, n)), np.empty((m, n)), np.empty((n, m))
    turn(g, gt)
    word, bit = np.empty((m, n)), np.empty((n, m))
    turn(word_diagonal, turned)
    factor(turned, word_off, word)
    factor(bit_diagonal, bit_off, bit)
    r, z, p, q = np.empty((n, m)), np.empty((n, m)), np.empty((n, m)), np.empty((n, m))
    for b in range(inputs.shape[0]):
        x = v_bit[b]
        for j in range(m):
            for i in range(n):
                turned[j, i] = 0.0
        for i in range(n):
            turned[0, i] = word_off * inputs[b, i]
        chain(word, word_off, turned)
        turn(turned, across)
        norm = 0.0
        for i in range(n):
            for j in range(m):
                x[i, j] = 0.0
                r[i, j] = g[i, j] * across[i, j]
                z[i, j] = r[i, j]
                norm += r[i, j] * r[i, j]
        chain(bit, bit_off, z)
        rz = 0.0
        for i in range(n):
            for j in range(m):
                p[i, j] = z[i, j]
                rz += r[i, j] * z[i, j]
        used, left = 0, norm
        while used < most and left > tolerance * tolerance * norm:
            for i in range(n):
                for j in range(m):
                    across[i, j] = g[i, j] * p[i, j]
            turn(across, turned)
            chain(word, word_off, turned)
            turn(turned, across)
            pq = 0.0
            for i in range(n):
                for j in range(m):
                    value = bit_diagonal[i, j] * p[i, j] - g[i, j] * across[i, j]
                    if i > 0:
                        value -= bit_off * p[i - 1, j]
                    if i < n - 1:
                        value -= bit_off * p[i + 1, j]
                    q[i, j] = value
                    pq += value * p[i, j]
            step = rz / pq
            left = 0.0
            for i in range(n):
                for j in range(m):
                    x[i, j] += step * p[i, j]
                    r[i, j] -= step * q[i, j]
                    z[i, j] = r[i, j]
                    left += r[i, j] * r[i, j]
            chain(bit, bit_off, z)
            before, rz = rz, 0.0
            for i in range(n):
                for j in range(m):
                    rz += r[i, j] * z[i, j]
            for i in range(n):
                for j in range(m):
                    p[i, j] = z[i, j] + rz / before * p[i, j]
            used += 1
        for i in range(n):
            for j in range(m):
                across[i, j] = g[i, j] * x[i, j]
        turn(across, turned)
        for i in range(n):
            turned[0, i] += word_off * inputs[b, i]
        chain(word, word_off, turned)
        turn(turned, v_word[b])
        log[b, 0] = used
        log[b, 1] = np.sqrt(left / norm) if norm > 0.0 else 0.0
"""


@cache
def _main():
    return loader.load_function("crossbar_lines", _MAIN, {"factor": _factor, "chain": _chain, "turn": _turn})


def chains(g: np.ndarray, r_word: float, r_bit: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the diagonals of the word-line and the bit-line matrices, in siemens, shape of g."""
    word, bit = g + 2 / r_word, g + 2 / r_bit
    word[:, -1] -= 1 / r_word  # the far end of a word line is open
    bit[0] -= 1 / r_bit  # and so is the near end of a bit line
    return word, bit


def solve(g, r_word, r_bit, inputs, tolerance=1e-13, most=10_000):
    """Return (v_word, v_bit, iterations, residual) for inputs of shape (batch, rows); r_word, r_bit > 0 ohm."""
    g, inputs = np.ascontiguousarray(g, np.float64), np.ascontiguousarray(inputs, np.float64)
    word, bit = chains(g, r_word, r_bit)
    v_word, v_bit = np.empty((len(inputs), *g.shape)), np.empty((len(inputs), *g.shape))
    log = np.empty((len(inputs), 2))
    _main()(g, word, 1 / r_word, bit, 1 / r_bit, inputs, tolerance, most, v_word, v_bit, log)
    return v_word, v_bit, log[:, 0].astype(np.int64), log[:, 1]
