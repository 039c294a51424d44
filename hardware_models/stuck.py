"""Devices that are stuck at one end of their range: which ones they are."""

import numpy as np

from neurosim.errors import ParameterError


def stuck_ends(u, on: float, off: float) -> np.ndarray:
    """Return +1, -1 or 0 for devices that are stuck at g_max, stuck at g_min, or work.

    +1 where u < on,  -1 where u >= 1 - off,  u uniform in [0, 1)

    One draw decides, so that no device is stuck at both ends, and changing one share leaves those at the other end.

    >>> stuck_ends(np.array([0.01, 0.5, 0.95]), on=0.02, off=0.1)
    array([ 1,  0, -1], dtype=int8)
    """
    return np.where(u < on, 1, np.where(u >= 1 - off, -1, 0)).astype(np.int8)


def check_shares(owner: str, on: float, off: float, names=("stuck_on", "stuck_off")) -> None:
    """Refuse shares of devices stuck on and off of more than 1 together; raise ParameterError."""
    if on + off > 1:
        raise ParameterError(f"{owner}.{names[0]} + {names[1]} must be <= 1, a device is stuck at one end only, got "
                             f"{on + off:g}")


__all__ = ["check_shares", "stuck_ends"]
