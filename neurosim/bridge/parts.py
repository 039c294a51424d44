"""Loops over samples in as many parts, at the same time, as PyTorch has threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from neurosim.bridge.extra import torch


def threads() -> int:
    """Return in how many parts loops over samples are cut: as many as PyTorch has threads."""
    return torch.get_num_threads()


def in_parts(work: Callable[..., None], n: int, least: int = 1) -> None:
    """Call work(part, begin, end) for each part of n elements, at the same time.

    Args:
        work: releases the GIL.
        n: number of elements.
        least: of elements that a part of its own is worth.

    >>> in_parts(lambda part, begin, end: print(begin, end), 5, least=5)
    0 5
    """
    edges = np.linspace(0, n, max(1, min(threads(), n // least)) + 1).astype(int)
    rows = [(part, int(a), int(b)) for part, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)) if b > a]
    if len(rows) < 2:
        for row in rows:
            work(*row)
        return
    with ThreadPoolExecutor(len(rows)) as pool:
        for done in [pool.submit(work, *row) for row in rows]:
            done.result()
