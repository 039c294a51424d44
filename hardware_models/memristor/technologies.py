"""Device layers with the statistics of measured technologies."""

import numpy as np

from hardware_models.memristor.device import Memristor, one
from hardware_models.memristor.equations import choose
from neurosim.aliases import Real


def _polynomial(x, coefficients):
    """Evaluate a polynomial, the lowest power first."""
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


class PCM(Memristor):
    r"""Phase-change memory: programming noise, drift and 1/f noise of a million devices at up to 25 uS.

    With x = G / g_max (g_max = 25 uS in the measurement; deviations scale with g_max):

        programming: sigma = 0.26348 + 1.9650 x - 1.1731 x^2 uS
        drift: nu = |N(mu, s)|, mu = -0.0155 ln x + 0.0244 in 0.049 .. 0.1, s = -0.0125 ln x - 0.0059 in 0.008 .. 0.045
        1/f noise: sigma = G Q sqrt(ln((t + t_read) / (2 t_read))), Q = min(0.0088 / x^0.65, 0.2)

    `programming_noise`, `drift` and `flicker_noise` are factors to these: 1 is as measured, 0, the default, is off.
    `PCM.measured()` has all three on.

    Args:
        weight_max, g_min, g_max, ...: as for `Memristor`.

    >>> layer = PCM.measured(weight_max=2.0)
    >>> g = layer.program_conductance(np.full(20_000, 25.0), np.random.default_rng(0))
    >>> bool(abs(g.std() - 1.055) < 0.03)
    True

    Source: Joshi et al., Nature Communications 11 (2020) 2473; Nandakumar et al., ICECS 2019; the fits
    are the defaults of IBM's aihwkit.
    """

    @classmethod
    def measured(cls, **changes) -> "PCM":
        """Return the layer with programming noise, drift and 1/f noise as measured."""
        return cls(**{"programming_noise": 1.0, "drift": 1.0, "flicker_noise": 1.0, **changes})

    @staticmethod
    def programming_std(xp, g, g_max):
        """Quadratic in the conductance."""
        x = g / g_max
        return (0.26348 + 1.9650 * x - 1.1731 * x * x) * (g_max / 25.0)

    @staticmethod
    def flicker_std(xp, g, g_max):
        """G Q with Q = min(0.0088 / x^0.65, 0.2)."""
        x = choose(g > 1e-9 * g_max, g, 1e-9 * g_max) / g_max
        q = 0.0088 * xp.exp(-0.65 * xp.log(x))
        return g * choose(q < 0.2, q, 0.2)

    def drift_exponent(self, share, draw):
        """Exponents fall with the conductance."""
        log = np.log(np.maximum(share, 1e-12))
        mean = np.clip(-0.0155 * log + 0.0244, 0.049, 0.1)
        std = np.clip(-0.0125 * log - 0.0059, 0.008, 0.045)
        return self.drift * np.abs(mean + std * draw)


class ReRAM(Memristor):
    r"""Filamentary oxide memory (HfOx, 130 nm), one second after verified writing, up to 40 uS.

        sigma = 0.348 + 16.030 x - 43.853 x^2 + 45.393 x^3 - 16.815 x^4 uS,  x = G / g_max, at g_max = 40 uS.

    `programming_noise` is a factor to it: 1 is as measured, 0, the default, is off. Another reading of the same
    figure, that of CrossSim, differs by up to 15 %: no result should hang on more.

    >>> layer = ReRAM(programming_noise=1.0)
    >>> g = layer.program_conductance(np.full(20_000, 20.0), np.random.default_rng(0))
    >>> bool(abs(g.std() / 2.03 - 1) < 0.03)
    True

    Source: Wan et al., Nature 608 (2022) 504, Extended Data Fig. 3d, in the fit of IBM's aihwkit.
    """

    g_max: Real = one(40.0, "uS", "largest conductance", above=0)

    @staticmethod
    def programming_std(xp, g, g_max):
        """Largest in the middle of the range."""
        x = g / g_max
        sigma = 0.348 + x * (16.030 + x * (-43.853 + x * (45.393 - 16.815 * x)))
        return choose(sigma > 0, sigma, 0.0) * (g_max / 40.0)


class HfO2(Memristor):
    r"""Hafnium oxide memory of 50 to 225 uS, whose error grows towards small conductances.

        sigma = 4.782 - 0.009107 G uS

    `programming_noise` is a factor to it: 1 is as measured.

    >>> layer = HfO2(programming_noise=1.0)
    >>> g = layer.program_conductance(np.full(20_000, 100.0), np.random.default_rng(0))
    >>> bool(abs(g.std() / 3.871 - 1) < 0.03)
    True

    Source: Milo et al., IRPS 2021, in the fit of Sandia's CrossSim.
    """

    g_min: Real = one(50.0, "uS", "smallest conductance", at_least=0)
    g_max: Real = one(225.0, "uS", "largest conductance", above=0)

    @staticmethod
    def programming_std(xp, g, g_max):
        """Linear in the conductance."""
        return (4.782 - 0.009107 * (g * (225.0 / g_max))) * (g_max / 225.0)


class VerifiedReRAM(Memristor):
    r"""Oxide memory of 9 to 90 uS written until the error is within a tolerance, and what it does afterwards.

    The error is uniform within +-tolerance of the range when writing stops; after t s it has moved by
    -0.089 ln t uS with a standard deviation of 0.412 + 0.042 ln t uS (at 90 uS). `relaxation` is a factor to it, and
    `flicker_noise` one to the measured 0.0277. `VerifiedReRAM.measured()` has all on.

    >>> layer = VerifiedReRAM(programming_noise=0.02, write_tolerance=0.002, write_attempts=1000)
    >>> g = layer.program_conductance(np.full(2000, 50.0), np.random.default_rng(0))
    >>> bool(abs(g - 50.0).max() <= 0.002 * 90.0)
    True

    Source: the conductive metal oxide on HfOx of aihwkit's `ReRamCMONoiseModel`, with its parameters.
    """

    g_min: Real = one(9.0, "uS", "smallest conductance", at_least=0)
    g_max: Real = one(90.0, "uS", "largest conductance", above=0)

    @classmethod
    def measured(cls, **changes) -> "VerifiedReRAM":
        """Return the layer with a tolerance of 0.2 %, relaxation and 1/f noise as measured."""
        on = {"programming_noise": 0.02, "write_tolerance": 0.002, "relaxation": 1.0, "flicker_noise": 1.0}
        return cls(**{**on, **changes})

    @staticmethod
    def flicker_std(xp, g, g_max):
        """K G."""
        return 0.0277 * g


def quadratic_pcm_std(g):
    """Return the programming error of the same PCM as CrossSim fits it, uS at g uS of 25: a second opinion.

    >>> float(round(quadratic_pcm_std(25.0), 3))
    1.066
    """
    return _polynomial(g, (0.28639, 0.075857, -0.0017877))


__all__ = ["PCM", "HfO2", "ReRAM", "VerifiedReRAM", "quadratic_pcm_std"]
