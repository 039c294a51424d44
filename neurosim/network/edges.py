"""Lists of edges between neurons that have names or numbers of their own, as connectomes are published."""

from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError


def numbered(source: Any, target: Any, ids: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what all neurons are called, in the order of their numbers, and the edges by these numbers.

    Args:
        source, target: what the neurons of each edge are called, integers or texts, shape (edges,).
        ids: what all neurons are called; by default those that have an edge, sorted.

    Raises:
        ParameterError: they are floats, differ in length or kind, or a neuron is not among `ids`.

    >>> numbered(["b", "a"], ["a", "c"])
    (array(['a', 'b', 'c'], dtype='<U1'), array([1, 0]), array([0, 2]))
    """
    source, target = _called("source", source), _called("target", target)
    if len(source) != len(target):
        raise ParameterError(f"target must have one entry per edge, {len(source)} as source has, got {len(target)}")
    if ids is None:
        every, places = np.unique(_together(source, target), return_inverse=True)
        return every, places[:len(source)], places[len(source):]
    every = _called("ids", ids)
    order = np.argsort(every, kind="stable")
    sorted_ids = every[order]
    if len(np.unique(sorted_ids)) != len(every):
        raise ParameterError("ids must name each neuron once, got one of them twice")
    return every, _places("source", source, sorted_ids, order), _places("target", target, sorted_ids, order)


def _called(what, values) -> np.ndarray:
    """Return names as an array of 64-bit integers or of texts."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = np.asarray(array.tolist())  # columns of tables hold texts as objects
    if array.size == 0 and array.ndim == 1:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise ParameterError(f"{what} must be whole numbers or texts, shape (edges,) (numbers of 60 bits lose digits "
                             f"as floats), got {describe_value(values)}")
    return array if array.dtype.kind == "U" else array.astype(np.uint64 if array.max() > 2**63 - 1 else np.int64)


def _together(one, other) -> np.ndarray:
    _check_alike("target", other, one)
    return np.concatenate([one, other])


def _check_alike(what, names, others):
    if len(names) and len(others) and names.dtype.kind != others.dtype.kind:
        raise ParameterError(f"{what} must be of one kind with the others, whole numbers or texts, got {names.dtype} "
                             f"and {others.dtype}")


def _places(what, names, sorted_ids, order) -> np.ndarray:
    _check_alike(what, names, sorted_ids)
    if not len(names):
        return np.zeros(0, dtype=np.int64)
    places = np.searchsorted(sorted_ids, names)
    stray = places == len(sorted_ids)
    stray[~stray] = sorted_ids[places[~stray]] != names[~stray]
    if stray.any():
        raise ParameterError(f"{what} must be among ids, {names[stray][0]} is not")
    return order[places]


__all__ = ["numbered"]
