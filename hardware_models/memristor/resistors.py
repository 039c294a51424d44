"""Arrays of random resistors: dielectric breakdown at a voltage decides which device conducts, and chance how well."""

import math

import numpy as np

from hardware_models.memristor.device import one
from neurosim.aliases import Real
from neurosim.checks import Parametrised
from neurosim.distributions import normal_probability, normal_quantile
from neurosim.errors import ParameterError


class RandomResistors(Parametrised):
    r"""Resistive memory cells swept once to a forming voltage, which serve as fixed random weights.

    A cell breaks down if its breakdown voltage, normal, is below the forming voltage; its conductance is then
    lognormal, and 0 otherwise:

        P(formed) = Phi((forming - breakdown) / breakdown_std),   ln G ~ N(ln mean - sigma^2 / 2, sigma^2).

    A weight is the difference of two cells, w = scale (G+ - G-): its mean is 0 and its variance
    scale^2 2 (p (mean^2 + std^2) - p^2 mean^2).

    Args:
        forming: V.
        breakdown, breakdown_std: V, mean and standard deviation of the breakdown voltage.
        mean: uS, of cells that were formed.
        sigma: standard deviation of ln G.

    >>> cells = RandomResistors.formed(0.5)
    >>> g = cells.conductance((200, 200), np.random.default_rng(0))
    >>> bool(abs((g > 0).mean() - 0.5) < 0.01), bool(abs(g[g > 0].mean() - 12.336) < 0.05)
    (True, True)

    Source: Wang et al., Nature Machine Intelligence 5 (2023) 104: 2900 cells and 400 breakdown voltages, fitted here. A
    lognormal fits (Kolmogorov-Smirnov p = 0.64), a normal distribution does not (p = 0.006).
    """

    forming: Real = one(3.433, "V", "forming voltage", above=0)
    breakdown: Real = one(3.4332, "V", "mean breakdown voltage", above=0)
    breakdown_std: Real = one(0.11438, "V", "its standard deviation", above=0)
    mean: Real = one(12.336, "uS", "mean conductance of formed cells", above=0)
    sigma: Real = one(0.1474, "", "standard deviation of ln G", at_least=0)

    @classmethod
    def formed(cls, share: float, **changes) -> "RandomResistors":
        """Return cells whose forming voltage forms a given share of them, 0 < share < 1."""
        if not 0 < share < 1:
            raise ParameterError(f"RandomResistors.formed must be given a share > 0 and < 1, got {share!r}")
        cells = cls(**changes)
        return cells.replace(forming=cells.breakdown + cells.breakdown_std * normal_quantile(share))

    @property
    def formed_share(self) -> float:
        """Share of the cells that break down."""
        return normal_probability((self.forming - self.breakdown) / self.breakdown_std)

    @property
    def weight_std(self) -> float:
        """Standard deviation of a weight for scale = 1, uS."""
        p, second = self.formed_share, self.mean**2 * math.exp(self.sigma**2)
        return math.sqrt(2 * (p * second - p**2 * self.mean**2))

    def conductance(self, shape, generator: np.random.Generator) -> np.ndarray:
        """Return conductances, uS."""
        formed = generator.normal(self.breakdown, self.breakdown_std, shape) < self.forming
        size = np.exp(generator.normal(math.log(self.mean) - self.sigma**2 / 2, self.sigma, shape))
        return np.where(formed, size, 0.0)

    def weights(self, shape, generator: np.random.Generator, std: float = 1.0) -> np.ndarray:
        """Return weights of pairs, scaled to an expected standard deviation; about (1 - p)^2 of them are exactly 0."""
        difference = self.conductance(shape, generator) - self.conductance(shape, generator)
        return difference * (std / self.weight_std)


__all__ = ["RandomResistors"]
