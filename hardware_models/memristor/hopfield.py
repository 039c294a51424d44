"""An associative memory whose weights sit on a crossbar."""

import numpy as np

from hardware_models.memristor.device import Memristor
from neurosim.checks import check_numbers, check_whole, describe_value
from neurosim.errors import ParameterError
from neurosim.reservoirs import AssociativeMemory


class HopfieldMemory(AssociativeMemory):
    r"""An `AssociativeMemory` on memristors: s <- sign(s W), W = sum of xi xi^T / n, diagonal 0, patterns xi of +-1.

    Ideal, it holds about 0.138 n random patterns; above, recall breaks down.

    Args:
        patterns: +-1, shape (patterns, n).
        device: a `Memristor`, fitted to the weights; ideal by default.
        seed: of programming and of read noise.

    >>> xi = np.random.default_rng(0).choice([-1.0, 1.0], (10, 200))
    >>> memory = HopfieldMemory(xi)
    >>> bool((memory.recall(memory.flipped(xi, 0.1)) == xi).all())
    True

    Source: Hopfield, PNAS 79 (1982) 2554; capacity: Amit, Gutfreund, Sompolinsky, Annals of Physics 173 (1987) 30.
    """

    def __init__(self, patterns, device: Memristor | None = None, seed: int = 0):
        if device is not None and not isinstance(device, Memristor):
            raise ParameterError(f"HopfieldMemory.device must be a Memristor or None, got {describe_value(device)}")
        super().__init__(patterns, device=Memristor() if device is None else device, seed=seed)

    def _checked_patterns(self, patterns, allowed=(-1.0, 1.0), kind="+-1"):
        return super()._checked_patterns(patterns, allowed, kind)


def capacity(n: int, device: Memristor | None = None, *, loads=None, enough: float = 0.9, repeats: int = 3,
             seed: int = 0) -> tuple[float, np.ndarray, np.ndarray]:
    """Return (the load at which the mean overlap falls through `enough`, the loads, the overlaps).

    A load is the number of patterns over n; overlaps are of recalls that start at the patterns themselves.

    Raises:
        ParameterError: an argument does not fit.
    """
    n, repeats = check_whole("capacity.n", n, at_least=2), check_whole("capacity.repeats", repeats, at_least=1)
    loads = np.arange(0.02, 0.2001, 0.01) if loads is None else check_numbers("capacity.loads", loads)
    if loads.ndim != 1 or not loads.size or not (loads > 0).all():
        raise ParameterError(f"capacity.loads must be numbers > 0, shape (loads,), got {describe_value(loads)}")
    found = np.zeros(len(loads))
    for k, load in enumerate(loads):
        for repeat in range(repeats):
            xi = np.random.default_rng([seed, repeat, k]).choice([-1.0, 1.0], (max(1, round(load * n)), n))
            found[k] += HopfieldMemory(xi, device, seed=repeat).overlap() / repeats
    below = np.flatnonzero(found < enough)
    if not below.size or below[0] == 0:
        return (float("nan") if below.size else float(loads[-1])), loads, found
    k = below[0]
    edge = np.interp(enough, found[[k, k - 1]], loads[[k, k - 1]])
    return float(edge), loads, found


__all__ = ["HopfieldMemory", "capacity"]
