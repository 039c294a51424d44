"""Exponentials of small matrices and their integrals, right in every element.

Each element is right to the last digits, also where rates on the diagonal agree but for rounding, of which SciPy's expm
makes anything (findings/scipy_expm_of_near_equal_rates.sh), and where elements differ by many powers of ten.

A matrix is its elements that are not zero, (row, column) -> a number, or an array with one for each of many matrices.
So one computation serves one matrix, in some ten microseconds, and a million, whose elements are mostly zero or shared.
"""

from math import factorial
from typing import Any

import numpy as np

NEAR = 1.0 / 16.0  #: how large the matrix of a series is at most
TERMS = 9  #: of the series of one number; each variable of a chain takes one more
AT_ONCE = 4096  #: matrices that are handled together, which bounds the memory

Matrix = dict[tuple[int, int], Any]


def exponential_and_integral(matrix: Matrix, size: int) -> tuple[Matrix, Matrix]:
    """Return exp(A) and the integral of exp(A t) over t from 0 to 1, by scaling, a Taylor series, and squaring.

    How often a matrix is halved follows from its 16th power, which large elements off the diagonal of a chain do not
    enlarge. In a chain of variables without a circle the diagonal is exact after each squaring, so that errors do not
    double. The elements of a result are those that can differ from zero. What comes of a matrix does not depend on
    those that are handled with it.

    Args:
        matrix: elements; arrays are of one length.
        size: number of rows.

    Source: Al-Mohy, Higham, SIAM J. Matrix Analysis and Applications 31 (2009) 970-989; for the integral, which is
    phi_1(A), Higham, Functions of Matrices, SIAM 2008, section 10.7.4.
    """
    many = max((value.size for value in matrix.values() if isinstance(value, np.ndarray)), default=0)
    if many <= AT_ONCE:
        return _both(matrix, size)
    found = [_both({place: value[first:first + AT_ONCE] if isinstance(value, np.ndarray) else value
                    for place, value in matrix.items()}, size) for first in range(0, many, AT_ONCE)]
    one, other = zip(*found, strict=True)
    return _joined(one), _joined(other)


def _joined(pieces):
    """Return matrices one after the other; what is a number is the same in all."""
    return {place: np.concatenate([piece[place] for piece in pieces]) if isinstance(value, np.ndarray) else value
            for place, value in pieces[0].items()}


def product(one: Matrix, other: Matrix) -> Matrix:
    """Return the product of two matrices."""
    rows, found = {}, {}
    for (k, column), value in other.items():
        rows.setdefault(k, []).append((column, value))
    for (row, k), value in one.items():
        for column, times in rows.get(k, ()):
            place = row, column
            if place in found:
                found[place] += value * times
            else:
                found[place] = value * times
    return found


def _both(matrix, size):
    """Return the exponentials and the integrals of some matrices."""
    halvings = _halvings(matrix)
    most = int(halvings.max()) if isinstance(halvings, np.ndarray) else halvings
    small = {place: value * 0.5**halvings for place, value in matrix.items()} if most else matrix
    integral = _series(small, size)
    power = _with_unity(product(small, integral), size)
    chain = all(row == column or (column, row) not in power for row, column in power)
    if chain:
        power |= _diagonal(small, size)
    for turn in range(1, most + 1):
        left = halvings >= turn
        longer = product({place: 0.5 * value for place, value in integral.items()}, _with_unity(power, size))
        squared = product(power, power)
        if chain:
            squared |= _diagonal({place: value * 0.5 ** (halvings - turn) for place, value in matrix.items()}, size)
        integral, power = _where(left, longer, integral), _where(left, squared, power)
    return power, integral


def _where(left, one, other):
    """Return the elements of one matrix where a number or an array says so, and else of the other."""
    if not isinstance(left, np.ndarray):
        return one if left else other
    return {place: np.where(left, value, other.get(place, 0.0)) for place, value in one.items()}


def _diagonal(matrix, size):
    """Return the diagonal of the exponential of a chain."""
    rates = {(i, i): matrix.get((i, i), 0.0) for i in range(size)}
    return {place: np.exp(rate) if isinstance(rate, np.ndarray) else float(np.exp(rate))
            for place, rate in rates.items()}


def _with_unity(matrix, size):
    return matrix | {(i, i): matrix.get((i, i), 0.0) + 1.0 for i in range(size)}


def _series(matrix, size):
    """Return the Taylor series of the integral, the sum of A^k / (k + 1)!, from its last term on."""
    most = TERMS + size - 2
    total: Matrix = {(i, i): 1.0 / factorial(most + 1) for i in range(size)}
    for k in range(most, 0, -1):
        total, share = product(matrix, total), 1.0 / factorial(k)
        for i in range(size):
            total[i, i] = total.get((i, i), 0.0) + share
    return total


def _halvings(matrix):
    """Return how often each matrix must be halved to be small."""
    rows = {}
    for (row, _), value in matrix.items():
        most = float(np.abs(value).max()) if isinstance(value, np.ndarray) else abs(value)
        rows[row] = rows.get(row, 0.0) + most
    if max(rows.values(), default=0.0) <= NEAR:
        return 0
    with np.errstate(over="ignore", invalid="ignore"):
        power = {place: np.abs(value) for place, value in matrix.items()}
        norm = _norm(power)
        for _ in range(4):
            power = product(power, power)
        norm = np.fmin(norm, _norm(power) ** (1.0 / 16.0))
    halvings = np.ceil(np.log2(np.maximum(norm / NEAR, 1.0))).astype(int)
    return halvings if halvings.ndim else int(halvings)


def _norm(matrix):
    """Return the largest sum of a row, of elements that are not negative."""
    rows = {}
    for (row, _), value in matrix.items():
        rows[row] = rows.get(row, 0.0) + value
    largest = np.float64(0.0)
    for value in rows.values():
        largest = np.maximum(largest, value)
    return largest
