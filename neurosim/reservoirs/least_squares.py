"""Weights of a linear readout from sums of products."""

import numpy as np


def solved(gram, right, ridge: float) -> np.ndarray:
    """Return weights w with gram w = right, the least ones where several fit.

    Args:
        gram: sums of products of features, with a penalty on its diagonal, shape (features, features).
        right: sums of products with the targets, shape (features, outputs).
        ridge: the penalty over the mean of the diagonal; where it bounds the eigenvalues, Cholesky's factors do, which
            are much faster than singular values.
    """
    from scipy.linalg import cho_factor, cho_solve

    if ridge >= 1e-10:
        try:
            return cho_solve(cho_factor(gram), right)
        except np.linalg.LinAlgError:  # rounding has made it indefinite
            pass
    return np.linalg.lstsq(gram, right, rcond=None)[0]


__all__ = ["solved"]
