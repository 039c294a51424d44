"""Exponentials of small matrices and their integrals, right in every element.

Each element is right to the last digits, also where rates on the diagonal agree but for rounding, of which SciPy's expm
makes anything (findings/scipy_expm_of_near_equal_rates.sh), and where elements differ by many powers of ten.

A matrix is its elements that are not zero, (row, column) -> a number, or an array with one for each of many matrices.
So one computation serves one matrix, in some ten microseconds, and a million, whose elements are mostly zero or shared.
The loop is compiled: closed loops set the time constants of a hundred neurons at every step.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from neurosim.engine import loader

NEAR = 1.0 / 16.0  #: how large the matrix of a series is at most
TERMS = 9  #: of the series of one number; each variable of a chain takes one more
AT_ONCE = 64  #: matrices whose elements lie beside each other, for the lanes of the processor

Matrix = dict[tuple[int, int], Any]

_LOOP = f'''
from math import ceil, exp, log2
from numba import njit
import numpy as np

PLAIN = njit(error_model="numpy", nogil=True)


@PLAIN
def fill(found, value, many):
    for j in range(found.shape[0]):
        for m in range(many):
            found[j, m] = value


@PLAIN
def product(one, other, terms, found, many):
    """Multiply matrices, term by term."""
    fill(found, 0.0, many)
    for t in range(terms.shape[0]):
        left, right, to = one[terms[t, 0]], other[terms[t, 1]], found[terms[t, 2]]
        for m in range(many):
            to[m] += left[m] * right[m]


@PLAIN
def norm(matrix, rows, m):
    """Return the largest sum of a row, of the absolute elements; the elements are sorted by rows."""
    largest = total = 0.0
    for j in range(rows.size):
        total = abs(matrix[j, m]) + (total if j > 0 and rows[j] == rows[j - 1] else 0.0)
        if not total <= largest:
            largest = total
    return largest


@PLAIN
def halvings(matrix, rows, terms, power, squared, many, turns):
    """Find how often each matrix must be halved to be small, 0 where it is no matrix of numbers; return the most."""
    most = 0
    for m in range(many):
        turns[m] = norm(matrix, rows, m) > {NEAR!r}
        most = max(most, turns[m])
    if most == 0:
        return most
    for j in range(rows.size):
        for m in range(many):
            power[j, m] = abs(matrix[j, m])
    for _ in range(2):
        product(power, power, terms, squared, many)
        product(squared, squared, terms, power, many)
    for m in range(many):
        if turns[m]:
            largest = norm(matrix, rows, m)
            root = norm(power, rows, m) ** (1.0 / 16.0)
            if root < largest:
                largest = root
            turns[m] = int(ceil(log2(max(largest / {NEAR!r}, 1.0)))) if largest < 1e300 else 0
        most = max(most, turns[m])
    return most


@PLAIN
def series(matrix, diagonal, terms, integral, scratch, many):
    """Take the Taylor series of the integral, the sum of A^k / (k + 1)!, from its last term on."""
    most = {TERMS} + diagonal.size - 2
    factorial = 1.0
    for k in range(2, most + 2):
        factorial *= k
    one, other = (integral, scratch) if most % 2 == 0 else (scratch, integral)
    fill(one, 0.0, many)
    for i in diagonal:
        for m in range(many):
            one[i, m] = 1.0 / factorial
    for k in range(most, 0, -1):
        factorial /= k + 1
        product(matrix, one, terms, other, many)
        for i in diagonal:
            for m in range(many):
                other[i, m] += 1.0 / factorial
        one, other = other, one


@PLAIN
def square(whole, diagonal, terms, chain, turns, turn, power, integral, longer, scratch, many):
    """Double the span of exponentials and integrals that are to be squared at least `turn` times."""
    for j in range(whole.shape[0]):
        for m in range(many):
            scratch[j, m] = power[j, m]
    for i in diagonal:
        for m in range(many):
            scratch[i, m] += 1.0
    product(integral, scratch, terms, longer, many)
    product(power, power, terms, scratch, many)
    for j in range(whole.shape[0]):
        for m in range(many):
            if turn <= turns[m]:
                integral[j, m], power[j, m] = 0.5 * longer[j, m], scratch[j, m]
    if chain:
        for i in diagonal:
            for m in range(many):
                if turn <= turns[m]:
                    power[i, m] = exp(whole[i, m] * 0.5 ** (turns[m] - turn))


def main(shared, of_arrays, values, rows, diagonal, terms, chain, exact, integrals):
    many = min({AT_ONCE}, exact.shape[1])
    whole, small, power, integral, longer, scratch = np.zeros((6, shared.size, many))
    turns = np.zeros(many, np.int64)
    for j in range(shared.size):
        for m in range(many):
            whole[j, m] = shared[j]
    for first in range(0, exact.shape[1], {AT_ONCE}):
        many = min({AT_ONCE}, exact.shape[1] - first)
        for j in range(of_arrays.size):
            for m in range(many):
                whole[of_arrays[j], m] = values[j, first + m]
        most = halvings(whole, rows, terms, power, scratch, many, turns)
        for j in range(shared.size):
            for m in range(many):
                small[j, m] = whole[j, m] * 0.5 ** turns[m] if turns[m] else whole[j, m]
        series(small, diagonal, terms, integral, scratch, many)
        product(small, integral, terms, power, many)
        for i in diagonal:
            for m in range(many):
                power[i, m] = exp(small[i, m]) if chain else power[i, m] + 1.0
        for turn in range(1, most + 1):
            square(whole, diagonal, terms, chain, turns, turn, power, integral, longer, scratch, many)
        for j in range(shared.size):
            for m in range(many):
                exact[j, first + m], integrals[j, first + m] = power[j, m], integral[j, m]
'''


@cache
def _compiled():
    return loader.load_function("exponentials", _LOOP, {}, checking=False)


def exponential_and_integral(matrix: Matrix, size: int) -> tuple[Matrix, Matrix]:
    """Return exp(A) and the integral of exp(A t) over t from 0 to 1, by scaling, a Taylor series, and squaring.

    How often a matrix is halved follows from its 16th power, which large elements off the diagonal of a chain do not
    enlarge. In a chain of variables without a circle the diagonal is exact after each squaring, so that errors do not
    double. The elements of a result are those that can differ from zero; one that is the same in all is a number. What
    comes of a matrix does not depend on those that are handled with it; where it holds what is no number, neither does
    the result.

    Args:
        matrix: elements; arrays are of one length.
        size: number of rows.

    Source: Al-Mohy, Higham, SIAM J. Matrix Analysis and Applications 31 (2009) 970-989; for the integral, which is
    phi_1(A), Higham, Functions of Matrices, SIAM 2008, section 10.7.4.
    """
    if size == 0:
        return {}, {}
    arrays = [place for place, value in matrix.items() if isinstance(value, np.ndarray)]
    shape = _shape(tuple(matrix), tuple(arrays), size)
    shared = np.zeros(len(shape.places))
    for place, value in matrix.items():
        if not isinstance(value, np.ndarray):
            shared[shape.places[place]] = value
    values = np.array([matrix[place] for place in arrays]) if arrays else np.zeros((0, 1))
    exact, integral = np.empty((2, shared.size, values.shape[1]))
    _compiled()(shared, shape.of_arrays, values, shape.rows, shape.diagonal, shape.terms, shape.chain, exact, integral)
    return _elements(exact, shape), _elements(integral, shape)


@dataclass(frozen=True)
class _Shape:
    """Where the elements of a result are, numbered row by row.

    Attributes:
        places: (row, column) of all that can differ from zero -> its number.
        rows: the row of each number.
        diagonal: numbers of those on the diagonal.
        terms: numbers of the factors and of the result in each term of a product of two such matrices.
        of_arrays: numbers of the elements that are given as arrays.
        varies: for each number, whether it follows from an array.
        chain: whether the variables are a chain without a circle.
    """

    places: dict
    rows: np.ndarray
    diagonal: np.ndarray
    terms: np.ndarray
    of_arrays: np.ndarray
    varies: list
    chain: bool


@lru_cache(maxsize=1024)
def _shape(given, arrays, size):
    reach = np.eye(size, dtype=bool)
    for place in given:
        reach[place] = True
    for k in range(size):
        reach |= reach[:, k:k + 1] & reach[k]
    rows, columns = np.nonzero(reach)
    places = {place: number for number, place in enumerate(zip(rows.tolist(), columns.tolist(), strict=True))}
    return _Shape(
        places, rows, diagonal=np.array([places[i, i] for i in range(size)]),
        terms=np.array([(one, places[k, to], places[row, to]) for (row, k), one in places.items()
                        for to in range(size) if (k, to) in places]),
        of_arrays=np.array([places[place] for place in arrays], dtype=np.int64),
        varies=[any(reach[row, i] and reach[j, column] for i, j in arrays) for row, column in places],
        chain=bool((reach & reach.T).sum() == size))


def _elements(found, shape):
    """Return the elements of matrices; what does not follow from an array is most often the same in all."""
    return {place: values if many or (values.size > 1 and (values != values[0]).any()) else float(values[0])
            for place, values, many in zip(shape.places, found, shape.varies, strict=True)}


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
