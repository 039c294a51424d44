"""Whether the targets of each row follow one another without a gap, so that a kernel adds the row as a whole."""

import numpy as np

SHORTEST = 32  #: synapses of a row and delay, on average, from which on that is worth a kernel of its own
ROWS = 256  #: how many rows are looked at at once; most parts without runs show it in the first ones


def cells(start: np.ndarray, offsets: np.ndarray | None) -> np.ndarray:
    """Return where each row and delay begins, one after the other, and where the last ends, from tables of a part."""
    if offsets is None:
        return start
    return np.append((start[:-1, None] + offsets[:, :-1].astype(np.int64)).ravel(), start[-1])


def in_runs(start: np.ndarray, offsets: np.ndarray | None, target: np.ndarray, packed: bool = False) -> bool:
    """Return whether targets follow one another in each row and delay, and are many enough to make use of it.

    Args:
        start, offsets, target: as of `Part`.
        packed: whether the lower half of each entry of `target` is the target.
    """
    n_rows = start.size - 1
    return all(_are_runs(cells(start[row:row + ROWS + 1], None if offsets is None else offsets[row:row + ROWS]),
                         target, packed) for row in range(0, n_rows, ROWS))


def _are_runs(begins, target, packed) -> bool:
    numbers = target[begins[0]:begins[-1]]
    if numbers.size < SHORTEST * np.count_nonzero(np.diff(begins)):
        return False
    numbers = (numbers & np.uint32(0xFFFF) if packed else numbers).astype(np.int64)
    inside = np.ones(numbers.size + 1, dtype=bool)
    inside[begins - begins[0]] = False  # the first of a run follows nobody
    return bool((np.diff(numbers) == 1)[inside[1:-1]].all())
