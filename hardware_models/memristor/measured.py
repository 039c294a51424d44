"""Devices whose errors follow a measured law: a standard deviation for each conductance."""

from functools import cache

import numpy as np

from hardware_models.memristor.device import Memristor
from hardware_models.memristor.equations import choose
from hardware_models.memristor.pulses import Table
from hardware_models.memristor.tables import columns_of
from neurosim.aliases import Row
from neurosim.errors import ParameterError


class MeasuredErrors(Memristor):
    r"""Devices with your own error laws sigma(G), as tables: straight between the levels, constant beyond them.

        programming: G + programming_noise sigma_programming(G) x,   read: G + read_noise sigma_read(G) x,

    x standard normal, no conductance below 0. `programming_noise` and `read_noise` are factors: 1 is as measured; 0,
    the default, is off. `MeasuredErrors.measured(...)` and `from_csv(...)` have both on and the range of the table.

    For a law with a formula, derive from `Memristor` and give `programming_std` and `white_std` instead.

    Args:
        levels: conductances at which the errors were measured, uS, rising.
        programming_sigma: standard deviation of the programming error at each, uS.
        read_sigma: standard deviation of a read at each, uS.
        g_min, g_max, weight_max, ...: as for `Memristor`.

    Raises:
        ParameterError: the levels do not rise, a sigma is negative, or there is not one for each level.

    >>> device = MeasuredErrors.measured([0.0, 10.0, 40.0], [0.5, 1.0, 2.0])
    >>> device.g_max, float(device.programming_std(np, np.array(25.0), device.g_max))
    (40.0, 1.5)
    """

    levels: Row = Table((0.0, 25.0), doc="conductances at which errors were measured, uS")
    programming_sigma: Row = Table((0.0, 0.0), doc="standard deviation of programming at each level, uS")
    read_sigma: Row = Table((0.0, 0.0), doc="standard deviation of a read at each level, uS")

    def validate(self):
        for k, step in enumerate(np.diff(self.levels), 1):
            if step <= 0:
                raise ParameterError(f"MeasuredErrors.levels must rise, got {self.levels[k]:g} uS after "
                                     f"{self.levels[k - 1]:g} at number {k}")
        for name in ("programming_sigma", "read_sigma"):
            sigmas = getattr(self, name)
            if len(sigmas) != len(self.levels) or min(sigmas) < 0:
                raise ParameterError(f"MeasuredErrors.{name} must be {len(self.levels)} numbers >= 0 uS, one for each "
                                     f"level, got {len(sigmas)} with the least {min(sigmas):g}")
        self.__dict__["programming_std"] = law(self.levels, self.programming_sigma)
        self.__dict__["white_std"] = law(self.levels, self.read_sigma)
        super().validate()

    @classmethod
    def measured(cls, levels, programming_sigma, read_sigma=None, **changes) -> "MeasuredErrors":
        """Return the layer with errors as measured and the range of the levels.

        Args:
            levels: uS, rising.
            programming_sigma, read_sigma: uS at each level; no read noise where it is left out.
            changes: parameters to change.
        """
        levels = np.asarray(levels, dtype=np.float64)
        reads = np.zeros(levels.shape) if read_sigma is None else read_sigma
        ends = {"g_min": levels.min(), "g_max": levels.max()} if levels.size else {}
        return cls(**{"levels": levels, "programming_sigma": programming_sigma, "read_sigma": reads, **ends,
                      "programming_noise": 1.0, "read_noise": 0.0 if read_sigma is None else 1.0, **changes})

    @classmethod
    def from_csv(cls, path, columns=("g", "programming"), **changes) -> "MeasuredErrors":
        """Return the layer of a text file with columns of conductance and standard deviations, uS.

        Args:
            path: the file; see `hardware_models.memristor.tables.columns_of`.
            columns: names or numbers of the columns: conductance, error of programming, and error of reads if there.
            changes: parameters to change.

        Raises:
            FileError: the file cannot be read; the line is named.
            ParameterError: a column is missing, or the numbers do not fit.
        """
        if not 2 <= len(columns) <= 3:
            raise ParameterError(f"MeasuredErrors.from_csv: columns must be those of conductance, programming and "
                                 f"perhaps reads, got {columns!r}")
        return cls.measured(*columns_of(path, columns), **changes)


@cache
def law(levels: tuple, sigmas: tuple):
    """Return sigma(G) through some points, as an equation for numbers, arrays and tensors: a sum of ramps."""
    slopes = np.diff(sigmas) / np.diff(levels)
    bends = tuple(np.diff([0.0, *slopes, 0.0]).tolist())
    base, n = sigmas[0], len(levels)

    def std(xp, g, g_max):
        total = base + 0.0 * g
        for k in range(n):
            beyond = g - levels[k]
            total = total + bends[k] * choose(beyond > 0, beyond, 0.0 * beyond)
        return choose(total > 0, total, 0.0 * total)

    return std


__all__ = ["MeasuredErrors", "law"]
