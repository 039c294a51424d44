"""The basilar membrane: which velocity of which place a sound causes, as one linear filter for each place."""

from typing import Literal

import numpy as np

from neurosim.aliases import Choice, Real
from neurosim.checks import Option, Parametrised
from neurosim.encoders.base import own
from neurosim.errors import ParameterError


class BasilarMembrane(Parametrised):
    """A basilar membrane in shallow water, solved in closed form: a filter for every place x from the stapes on.

    At the angular frequency w the membrane has the impedance

        xi(w, x) = S0 exp(-alpha x) - a - m w^2 - i w delta sqrt(S0 m) exp(-alpha x / 2),

    a wave has the local wave number g = w sqrt(rho / (h xi)) and the phase G(w, x) = 2 g(w, 0) / alpha + int_0^x g, and
    the velocity that the pressure of 1 at the stapes causes is

        V = 2 w / xi(w, x) * z(w) * p(w, x) / p(w, 0),   p = sqrt(G / g) H0(G),
        z = sqrt(2 S0 / h) (i J0(k) + Y0(k)) / (J1(k) - i Y1(k)),   k = 2 w / alpha sqrt(2 / (h S0)),

    with the Hankel function H0 of the first kind.

    Args:
        stiffness: S0, at the stapes, g s^-2 cm^-2, > 0.
        decay: alpha, per cm, > 0.
        offset: a, which is taken off the stiffness everywhere, g s^-2 cm^-2, >= 0; less than the stiffness at the end.
        damping: delta, > 0.
        mass: m, g cm^-2, > 0.
        height: h of the channel, cm, > 0.
        density: rho of the fluid, g cm^-3, > 0.
        length: of the membrane, cm, > 0.
        wave: "travelling": a place moves after the sound, the later the lower its frequency, by 2 ms at 1.5 kHz and 25
            ms at 100 Hz. "reversed": it moves as long *before* the sound. Above, a wave goes as exp(-i w t);
            the public converter that made SHD multiplies a spectrum of exp(+i w t) by it, which turns every impulse
            response round in time. Spikes like those of SHD need "reversed", a model of an ear "travelling".

    Raises:
        ParameterError: a parameter does not fit.

    >>> membrane = BasilarMembrane()
    >>> membrane.frequencies([0.0, 1.75, 3.5]).round()
    array([22508.,  1630.,   110.])

    Source: Sieroka, Dosch, Rupp, "Semirealistic models of the cochlea", J. Acoust. Soc. Am. 120 (2006) 297-304;
    parameters of Cramer, Stradmann, Schemmel, Zenke, "The Heidelberg spiking data sets for the systematic evaluation of
    spiking neural networks", IEEE Trans. Neural Netw. Learn. Syst. 33 (2022) 2744-2757.
    """

    stiffness: Real = own(1e9, "", above=0, doc="of the membrane at the stapes, g s^-2 cm^-2")
    decay: Real = own(3.0, "", above=0, doc="of the stiffness, per cm")
    offset: Real = own(3500.0, "", at_least=0, doc="taken off the stiffness, g s^-2 cm^-2")
    damping: Real = own(0.15, "", above=0, doc="ratio of damping")
    mass: Real = own(0.05, "", above=0, doc="of the membrane, g cm^-2")
    height: Real = own(0.1, "", above=0, doc="of the channel, cm")
    density: Real = own(1.0, "", above=0, doc="of the fluid, g cm^-3")
    length: Real = own(3.5, "", above=0, doc="of the membrane, cm")
    wave: Choice[Literal["reversed", "travelling"]] = Option(
        "reversed", ("reversed", "travelling"), doc="whether places move before the sound or after it")

    def validate(self):
        least = self.stiffness * np.exp(-self.decay * self.length)
        if self.offset >= least:
            raise ParameterError(f"BasilarMembrane.offset must be less than the stiffness at the end, {least:g}, "
                                 f"got {self.offset:g}")

    def places(self, channels: int) -> np.ndarray:
        """Return the places of so many channels, cm from the stapes, evenly spread; one channel is in the middle."""
        return np.linspace(0.0, self.length, channels) if channels > 1 else np.array([self.length / 2])

    def frequencies(self, places) -> np.ndarray:
        """Return the frequency at which each place resonates, Hz: where the real part of its impedance is 0."""
        stiffness = self.stiffness * np.exp(-self.decay * np.asarray(places, dtype=np.float64)) - self.offset
        return np.sqrt(stiffness / self.mass) / (2 * np.pi)

    def transfer(self, frequencies, places) -> np.ndarray:
        """Return V for a wave that goes as exp(+2 pi i f t), complex128, shape (places, frequencies).

        Args:
            frequencies: Hz, > 0, shape (frequencies,).
            places: cm from the stapes, shape (places,).
        """
        from scipy import special

        w = 2 * np.pi * np.asarray(frequencies, dtype=np.float64)
        u = np.exp(-0.5 * self.decay * np.asarray(places, dtype=np.float64))[:, None]
        g0, phase0 = self._number(w, 1.0), self._phase(w, 1.0)
        g, phase = self._number(w, u), self._phase(w, u)
        pressure = np.sqrt(phase * g0 / (g * phase0)) * special.hankel1(0, phase) / special.hankel1(0, phase0)
        k = 2 * w / self.decay * np.sqrt(2 / (self.height * self.stiffness))
        z = np.sqrt(2 * self.stiffness / self.height) * (
            (1j * special.j0(k) + special.y0(k)) / (special.j1(k) - 1j * special.y1(k)))
        found = 2 * w / self._impedance(w, u) * z * pressure
        return found if self.wave == "reversed" else found.conj()

    def _impedance(self, w, u):
        """Return xi where exp(-alpha x / 2) = u."""
        friction = self.damping * np.sqrt(self.stiffness * self.mass)
        return self.stiffness * u * u - self.offset - self.mass * w * w - 1j * w * friction * u

    def _number(self, w, u):
        return w * np.sqrt(self.density / (self.height * self._impedance(w, u)))

    def phase(self, frequencies, places) -> np.ndarray:
        """Return G, complex128, shape (places, frequencies); arguments as for `transfer`."""
        w = 2 * np.pi * np.asarray(frequencies, dtype=np.float64)
        return self._phase(w, np.exp(-0.5 * self.decay * np.asarray(places, dtype=np.float64))[:, None])

    def _phase(self, w, u):
        passed = self._antiderivative(w, 1.0) - self._antiderivative(w, u)
        return 2 * self._number(w, 1.0) / self.decay + passed

    def _antiderivative(self, w, u):
        """Return -int g dx up to where exp(-alpha x / 2) = u: of 1 / (u sqrt(A u^2 + B u + D)), with D = -e < 0."""
        e = self.offset + self.mass * w * w
        friction = self.damping * np.sqrt(self.stiffness * self.mass)
        inner = (2j * np.sqrt(e * self._impedance(w, u)) - 1j * w * friction * u - 2 * e) / u
        return 2j * w / self.decay * np.sqrt(self.density / (self.height * e)) * np.log(inner)


__all__ = ["BasilarMembrane"]
