"""Constants in the coherent set of units mV, mA, ps, pH, ohm, pF; energies come in aJ, frequencies in THz."""

import math

from neurosim.checks import check_number

PHI0 = 2.067833848  #: flux quantum, mV ps
BOLTZMANN = 1.380649e-5  #: Boltzmann's constant, aJ/K; one aJ is one mV mA ps


def noise_amplitude(temperature: float, conductance: float, h: float) -> float:
    """Return the standard deviation of the thermal noise current of a resistor over one step, in mA.

    std = sqrt(2 k T G / h), which gives white noise of spectral density 4 k T G.

    Args:
        temperature: K, >= 0.
        conductance: 1/ohm, >= 0.
        h: length of the step, ps, > 0.

    >>> round(noise_amplitude(4.2, 1 / 2.74396, 0.05) * 1000, 1)  # uA
    29.1

    Source: Johnson, Nyquist, Physical Review 32 (1928) 97 and 110.
    """
    return math.sqrt(2.0 * BOLTZMANN * temperature * conductance / h)


def beta_c(ic: float, r: float, c: float) -> float:
    """Return the Stewart-McCumber parameter 2 pi Ic R^2 C / Phi0 of a junction.

    Args:
        ic: critical current, mA.
        r: resistance, ohm.
        c: capacitance, pF.

    >>> round(beta_c(0.25, 2.743961767, 0.175), 4)
    1.0009

    Source: Stewart, Applied Physics Letters 12 (1968) 277; McCumber, Journal of Applied Physics 39 (1968) 3113.
    """
    return 2.0 * math.pi * ic * r * r * c / PHI0


def plasma_frequency(ic: float, c: float) -> float:
    """Return the plasma frequency sqrt(2 pi Ic / (Phi0 C)) of a junction in rad/ps; ic in mA, c in pF.

    >>> round(plasma_frequency(0.25, 0.175), 3)
    2.083
    """
    ic, c = check_number("ic", ic, "mA", at_least=0), check_number("c", c, "pF", above=0)
    return math.sqrt(2.0 * math.pi * ic / (PHI0 * c))
