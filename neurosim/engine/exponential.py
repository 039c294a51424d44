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

# Everything lies in one array, where it begins at a number, and few functions hand on few arrays: all of it is compiled
# where the first simulation of a new machine is made.
_LOOP = f'''
from math import ceil, exp, log2
from numba import njit


@njit({loader.INNER_TEXT})
def product(x, one, other, found, terms, size):
    """Multiply matrices, term by term."""
    for q in range(found, found + size):
        x[q] = 0.0
    for t in range(0, terms.size, 3):
        left, right, to = one + terms[t], other + terms[t + 1], found + terms[t + 2]
        for m in range({AT_ONCE}):
            x[to + m] += x[left + m] * x[right + m]


@njit({loader.INNER_TEXT})
def norm(x, at, rows):
    """Return the largest sum of a row, of the absolute elements; the elements are sorted by rows."""
    largest = total = 0.0
    row = -1
    for j in range(rows.size):
        if rows[j] != row:
            total = 0.0
        row = rows[j]
        total += abs(x[at + {AT_ONCE} * j])
        if not total <= largest:
            largest = total
    return largest


def main(shared, of_arrays, values, rows, diagonal, terms, chain, exact, integrals, x, turns):
    size = {AT_ONCE} * shared.size
    whole, small, power, integral, longer, scratch = 0, size, 2 * size, 3 * size, 4 * size, 5 * size
    for q in range(size):
        x[whole + q] = shared[q // {AT_ONCE}]
    for first in range(0, exact.shape[1], {AT_ONCE}):
        many = exact.shape[1] - first
        if many > {AT_ONCE}:
            many = {AT_ONCE}
        for j in range(of_arrays.size):
            for m in range(many):
                x[whole + of_arrays[j] + m] = values[j, first + m]

        # how often each is halved: -1 is not known yet, and no matrix of numbers is not halved
        most = 0
        for m in range(many):
            turns[m] = -1 if norm(x, whole + m, rows) > {NEAR!r} else 0
            most += turns[m]
        if most < 0:
            for q in range(size):
                x[power + q] = abs(x[whole + q])
            for _ in range(2):
                product(x, power, power, scratch, terms, size)
                product(x, scratch, scratch, power, terms, size)
            most = 0
            for m in range(many):
                if turns[m] < 0:
                    largest, root = norm(x, whole + m, rows), norm(x, power + m, rows) ** (1.0 / 16.0)
                    largest = root if root < largest else largest
                    turns[m] = ceil(log2(largest / {NEAR!r})) if {NEAR!r} < largest < 1e300 else 0
                    most = turns[m] if turns[m] > most else most
        for q in range(size):
            x[small + q] = x[whole + q] * 0.5 ** turns[q % {AT_ONCE}] if most else x[whole + q]

        # the Taylor series of the integral, the sum of A^k / (k + 1)!, from its last term on
        factorial, k = 1.0, 1
        while k < {TERMS} + diagonal.size - 1:
            k += 1
            factorial *= k
        for q in range(size):
            x[longer + q] = 0.0
        one, other = longer, integral
        while True:
            for i in diagonal:
                for m in range(many):
                    x[one + i + m] += 1.0 / factorial
            if k == 1:
                break
            factorial /= k
            k -= 1
            product(x, small, one, other, terms, size)
            one, other = other, one
        if one == longer:
            for q in range(size):
                x[integral + q] = x[longer + q]

        product(x, small, integral, power, terms, size)
        for i in diagonal:
            for m in range(many):
                x[power + i + m] = exp(x[small + i + m]) if chain else x[power + i + m] + 1.0

        # double the span of those that are to be squared as often as that
        for turn in range(1, most + 1):
            for q in range(size):
                x[scratch + q] = x[power + q]
            for i in diagonal:
                for m in range(many):
                    x[scratch + i + m] += 1.0
            product(x, integral, scratch, longer, terms, size)
            product(x, power, power, scratch, terms, size)
            for q in range(size):
                if turn <= turns[q % {AT_ONCE}]:
                    x[integral + q] = 0.5 * x[longer + q]
                    x[power + q] = x[scratch + q]
            if chain:
                for i in diagonal:
                    for m in range(many):
                        if turn <= turns[m]:
                            x[power + i + m] = exp(x[whole + i + m] * 0.5 ** (turns[m] - turn))
        for j in range(shared.size):
            for m in range(many):
                exact[j, first + m] = x[power + {AT_ONCE} * j + m]
                integrals[j, first + m] = x[integral + {AT_ONCE} * j + m]
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
    room = np.zeros(6 * AT_ONCE * shared.size)
    _compiled()(shared, shape.of_arrays, values, shape.rows, shape.diagonal, shape.terms, shape.chain, exact, integral,
                room, np.zeros(AT_ONCE, np.int64))
    return _elements(exact, shape), _elements(integral, shape)


@dataclass(frozen=True)
class _Shape:
    """Where the elements of a result are, numbered row by row; AT_ONCE of each lie beside each other.

    Attributes:
        places: (row, column) of all that can differ from zero -> its number.
        rows: the row of each number.
        diagonal: where those on the diagonal begin.
        terms: where the factors and the result begin, for each term of a product of two such matrices.
        of_arrays: where the elements begin that are given as arrays.
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
        places, rows, diagonal=AT_ONCE * np.array([places[i, i] for i in range(size)]),
        terms=AT_ONCE * np.array([(one, places[k, to], places[row, to]) for (row, k), one in places.items()
                                  for to in range(size) if (k, to) in places]).ravel(),
        of_arrays=AT_ONCE * np.array([places[place] for place in arrays], dtype=np.int64),
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
