"""Exponentials of small matrices, right in every element.

Each element is right to the last digits, also where rates on the diagonal agree but for rounding, of which SciPy's expm
makes anything (findings/scipy_expm_of_near_equal_rates.sh), and where elements differ by many powers of ten.
"""

import numpy as np

TERMS = 20  #: of the Taylor series, whose matrix is at most `NEAR` large
NEAR = 0.5


def exponential(matrix: np.ndarray) -> np.ndarray:
    """Return the exponentials of matrices, shape (matrices, size, size), by scaling, a Taylor series, and squaring.

    How often a matrix is halved follows from its 16th power, which large elements off the diagonal of a chain do not
    enlarge. In a chain of variables without a circle the diagonal is exact after each squaring, so that errors do not
    double.

    Source: Al-Mohy, Higham, SIAM J. Matrix Analysis and Applications 31 (2009) 970-989.
    """
    size = matrix.shape[-1]
    halvings = _halvings(matrix)
    small = matrix * 0.5 ** halvings[:, None, None]
    power = unity = np.eye(size)
    for term in range(TERMS, 0, -1):
        power = unity + small @ power / term
    acts = reach(matrix)
    chain = ((acts & acts.T) == (unity > 0.0)).all()
    rates = np.einsum("kii->ki", matrix)
    for turn in range(int(halvings.max(initial=0)) + 1):
        left = halvings >= turn
        power[left] = power[left] @ power[left] if turn > 0 else power[left]
        if chain:
            np.einsum("kii->ki", power)[left] = np.exp(rates[left] * 0.5 ** (halvings[left] - turn)[:, None])
    return power


def reach(matrix: np.ndarray) -> np.ndarray:
    """Return where the exponential of any of the matrices can differ from zero: which acts on which, however far."""
    found = np.eye(matrix.shape[-1], dtype=bool) | (matrix != 0.0).any(axis=0)
    for _ in range(matrix.shape[-1]):
        found = found | (found.astype(int) @ found.astype(int) > 0)
    return found


def _halvings(matrix):
    """Return how often each matrix must be halved to be small."""
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.abs(matrix)
        norm = power.sum(axis=-1).max(axis=-1)
        for _ in range(4):
            power = power @ power
        norm = np.fmin(norm, power.sum(axis=-1).max(axis=-1) ** (1.0 / 16.0))
    return np.ceil(np.log2(np.maximum(norm / NEAR, 1.0)))
