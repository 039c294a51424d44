"""What numpy and torch arrays share, so that the equations of a device are written once."""

import sys
from typing import Any

import numpy as np


def namespace(x: Any) -> Any:
    """Return the module whose functions take x: torch for a tensor, numpy for everything else.

    >>> namespace(np.zeros(2)) is np
    True
    """
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported it
    return torch if torch is not None and isinstance(x, torch.Tensor) else np


def like(values, x):
    """Return values as an array of the kind, float type and device of x.

    >>> like([1, 2], np.zeros(3, dtype=np.float32))
    array([1., 2.], dtype=float32)
    """
    xp = namespace(x)
    if xp is np:
        return np.asarray(values, dtype=x.dtype)
    if not isinstance(values, xp.Tensor):
        values = np.array(values)  # a copy: torch would share memory, and warns where it is read-only
    return xp.as_tensor(values, dtype=x.dtype, device=x.device)


def as_float(x: Any) -> Any:
    """Return x unchanged if it is an array or tensor of a float type, else as an array of float64."""
    if namespace(x) is not np:
        return x if x.is_floating_point() else x.double()
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def aligned(matrix):
    """Return a copy of an array that begins at a cache line, where a product with it is up to a tenth faster.

    A tensor comes back as it is: torch aligns its own.
    """
    if namespace(matrix) is not np:
        return matrix
    buffer = np.empty(matrix.nbytes + 64, np.uint8)
    first = -buffer.ctypes.data % 64
    out = buffer[first:first + matrix.nbytes].view(matrix.dtype).reshape(matrix.shape)
    out[...] = matrix
    return out


def normal_tail(z):
    """Return the probability that a standard normal number is above z, for an array or tensor.

    >>> float(normal_tail(np.float64(0.0)))
    0.5
    """
    xp = namespace(z)
    if xp is not np:
        return 0.5 * xp.erfc(z * 0.7071067811865476)
    from scipy.special import erfc

    return 0.5 * erfc(z * 0.7071067811865476)


def erf(x):
    """Return the error function of an array or tensor."""
    xp = namespace(x)
    if xp is not np:
        return xp.erf(x)
    from scipy.special import erf as of_array

    return of_array(x)
