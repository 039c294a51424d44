"""Kernel ridge regression at many penalties, from one reduction to three diagonals.

K = Q T Q' with T tridiagonal takes a fraction of the work of eigenvectors, and the solution at a penalty, with the
diagonal of the inverse that leave-one-out needs, then takes a few operations for each element of Q.
"""

from functools import cache
from typing import Any

import numpy as np
import scipy.linalg.lapack

from neurosim.errors import ParameterError

lapack: Any = scipy.linalg.lapack  # its functions are made when it is imported, which type checkers do not see
_TEXT = """
def main(diagonal, off, alphas, columns, targets, inverse, solved):
    n, rows, m = diagonal.size, columns.shape[1], targets.shape[1]
    pivot, factor, last = np.empty(n), np.empty(n), np.empty(rows)
    for a in range(alphas.size):
        for k in range(n):
            pivot[k] = diagonal[k] + alphas[a] - (factor[k - 1] * off[k - 1] if k > 0 else 0.0)
            if not pivot[k] > 0.0:
                return a
            factor[k] = off[k] / pivot[k] if k < n - 1 else 0.0
        last[:] = 0.0
        for k in range(n):
            share = factor[k - 1] if k > 0 else 0.0
            one = 1.0 / pivot[k]
            for i in range(rows):
                last[i] = columns[k, i] - share * last[i]
                inverse[a, i] += last[i] * last[i] * one
            for c in range(m):
                solved[k, a, c] = targets[k, c] - (share * solved[k - 1, a, c] if k > 0 else 0.0)
        for k in range(n - 1, -1, -1):
            for c in range(m):
                solved[k, a, c] = solved[k, a, c] / pivot[k] - (factor[k] * solved[k + 1, a, c] if k < n - 1 else 0.0)
    return -1
"""


def at_penalties(K: np.ndarray, targets: np.ndarray, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (K + alpha)^-1 targets, and the diagonal of (K + alpha)^-1, at each penalty.

    Args:
        K: symmetric, no eigenvalue < 0 but for rounding, shape (n, n); it is overwritten.
        targets: shape (n, m).
        alphas: penalties, each > 0.

    Returns:
        solutions, shape (penalties, n, m), and diagonals, shape (penalties, n).

    Raises:
        ParameterError: a penalty is lost in the rounding of K.

    >>> solutions, diagonals = at_penalties(np.diag([1.0, 3.0]), np.eye(2), np.array([1.0]))
    >>> diagonals.tolist(), solutions[0].tolist()
    ([[0.5, 0.25]], [[0.5, 0.0], [0.0, 0.25]])

    Source: Elden, BIT 17 (1977) 134 (reduction to two diagonals for many penalties).
    """
    n = len(K)
    if n < 3:  # nothing to reduce
        inverses = np.stack([np.linalg.inv(K + alpha * np.eye(n)) for alpha in alphas])
        return inverses @ targets, inverses.diagonal(axis1=1, axis2=2).copy()
    size = int(lapack.dsytrd_lwork(n, lower=1)[0])
    reflected, diagonal, off, tau, _ = lapack.dsytrd(np.asfortranarray(K), lower=1, lwork=size, overwrite_a=1)
    inner = np.asfortranarray(reflected[1:, :-1])
    size = int(lapack.dorgqr(inner, tau, lwork=-1)[1][0])
    Q = np.zeros((n, n), order="F")
    Q[0, 0], Q[1:, 1:] = 1.0, lapack.dorgqr(inner, tau, lwork=size, overwrite_a=1)[0]
    inverse, solved = np.zeros((len(alphas), n)), np.empty((n, len(alphas), targets.shape[1]))
    lost = _solving()(diagonal, off, alphas, Q.T, Q.T @ targets, inverse, solved)
    if lost >= 0:
        raise ParameterError(f"alphas must be larger than the rounding of inner products of the size of "
                             f"{np.abs(diagonal).max():.3g}, got {alphas[lost]:g}")
    return np.moveaxis((Q @ solved.reshape(n, -1)).reshape(solved.shape), 1, 0), inverse


@cache
def _solving():
    from neurosim.engine.loader import load_function  # here, as Numba takes long to import

    return load_function("penalties", "import numpy as np\n" + _TEXT, {})


__all__ = ["at_penalties"]
