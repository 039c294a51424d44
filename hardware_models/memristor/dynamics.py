"""Memristors as differential equations: one state variable, a current, and a rate that may be very stiff."""

from typing import NamedTuple

import numpy as np

from hardware_models.memristor.device import one
from neurosim.aliases import Real, WholeOrNone
from neurosim.checks import Parametrised, describe_value
from neurosim.errors import ParameterError, SimulationError

CHARGE_OVER_K = 11604.518121550  #: K/V: the elementary charge over Boltzmann's constant


class Course(NamedTuple):
    """What a simulation gives, at the times that were asked for.

    Attributes:
        times: s, shape (times,).
        state: in the unit of the model, shape (times,) or (times, devices).
        current: A, of the same shape.
        voltage: V, shape (times,).
    """

    times: np.ndarray
    state: np.ndarray
    current: np.ndarray
    voltage: np.ndarray


class DynamicMemristor(Parametrised):
    """Base of the dynamic models: dx/dt = rate(x, v), i = current(x, v), x within bounds.

    A subclass gives `rate`, `current`, `bounds` and `start`; times are in s, currents in A.
    """

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest state."""
        raise NotImplementedError

    @property
    def start(self) -> float:
        """State at the start unless another is given."""
        raise NotImplementedError

    def rate(self, x, v):
        """Return dx/dt, 1/s times the unit of x."""
        raise NotImplementedError

    def current(self, x, v):
        """Return the current, A."""
        raise NotImplementedError

    def ceiling(self, v) -> float:
        """Return the state above which a voltage moves it no further up."""
        return self.bounds[1]

    def simulate(self, times, voltage, start=None, *, tolerance: float = 1e-9) -> Course:
        """Integrate the state over some times.

        The steps are those of LSODA, which turns to an implicit scheme where the equation is stiff; none is longer
        than the distance of two times, so that no pulse is stepped over.

        Args:
            times: s, rising, shape (times,); the first is that of the start.
            voltage: V, a function of time, or one number for each of the times, straight in between.
            start: state at the start, a number or one for each of several devices.
            tolerance: relative; the absolute one is as large a part of the range of the state.

        Raises:
            ParameterError: an argument does not fit.
            SimulationError: the integrator gave up.
        """
        t = np.asarray(times, dtype=np.float64)
        if t.ndim != 1 or t.size < 2 or not np.isfinite(t).all() or np.diff(t).min() <= 0:
            raise ParameterError(f"times must be at least 2 rising finite numbers of s, got {describe_value(t)}")
        drive = self._drive(t, voltage)
        low, high = self.bounds
        begin = np.asarray(self.start if start is None else start, dtype=np.float64)
        if begin.ndim > 1 or not ((begin >= low) & (begin <= high)).all():
            raise ParameterError(f"{type(self).__name__} must start within {low:g} .. {high:g}, got "
                                 f"{describe_value(start)}")
        x = np.stack([self._integrate(t, drive, x0, tolerance) for x0 in np.atleast_1d(begin)], axis=1)
        v = np.array([drive(time) for time in t])
        i = self.current(x, v[:, None])
        return Course(t, x[:, 0], i[:, 0], v) if begin.ndim == 0 else Course(t, x, i, v)

    def _integrate(self, t, drive, start, tolerance):
        """Integrate one device: free stretches by LSODA, and rests at a bound until the rate points inwards."""
        from scipy.integrate import solve_ivp

        low, high = self.bounds
        span, x = high - low, np.empty(t.size)
        x[0], now, u = start, t[0], (start - low) / span

        def top_of(time):
            return (self.ceiling(drive(time)) - low) / span

        def slope(time, u):
            inside = np.minimum(np.clip(u, 0.0, 1.0), top_of(time) * (1 - 1e-12))
            return self.rate(low + span * inside, drive(time)) / span

        def rests(time):
            rate = self.rate(low + span * u, drive(time))
            return rate == 0 or (u >= 1 and rate > 0) or (u <= 0 and rate < 0)

        def bottom(time, u):
            return u[0]

        def top(time, u):
            return u[0] - top_of(time)

        bottom.terminal = top.terminal = True
        bottom.direction, top.direction = -1, 1
        k = 1  # the next of the times that has no state yet
        while k < t.size:
            if rests(now):
                while k < t.size and rests(t[k]):
                    x[k], now, k = low + span * u, t[k], k + 1
                if k == t.size:
                    break
                now = _turn(lambda time: not rests(time), now, t[k])
            longest = np.diff(t).max()
            done = solve_ivp(slope, (now, t[-1]), [u], method="LSODA", t_eval=t[k:], rtol=tolerance,
                             atol=tolerance * 1e-3, max_step=longest, events=(bottom, top))
            if not done.success:
                raise SimulationError(f"{type(self).__name__}: the integrator stopped at {done.t[-1]:g} s of "
                                      f"{t[-1]:g}: {done.message}")
            x[k:k + done.t.size] = low + span * np.clip(done.y[0], 0.0, 1.0)
            k += done.t.size
            if done.status == 1:
                falls = bool(done.t_events[0].size)
                now = float(done.t_events[0 if falls else 1][0])
                u = 0.0 if falls else min(top_of(now) * (1 + 1e-12), 1.0)
        return x

    @staticmethod
    def _drive(t, voltage):
        if callable(voltage):
            return voltage
        v = np.asarray(voltage, dtype=np.float64)
        if v.shape != t.shape or not np.isfinite(v).all():
            raise ParameterError(f"voltage must be a function of time or {t.size} finite numbers of V, got "
                                 f"{describe_value(voltage)}")
        return lambda time: np.interp(time, t, v)


def _turn(holds, before, after):
    """Return the time between two at which a condition begins to hold, by bisection."""
    if holds(before):
        return before
    for _ in range(60):
        middle = (before + after) / 2
        before, after = (before, middle) if holds(middle) else (middle, after)
    return after


class LinearIonDrift(DynamicMemristor):
    r"""A doped region that grows with the charge: dx/dt = mobility r_on / thickness^2 i f(x), i = v / R(x).

    R = r_on x + r_off (1 - x), x the doped share, f = 1 - (2x - 1)^(2 window) (Joglekar), or 1 where window is None;
    then the state has the closed form of `closed_form`.

    Args:
        r_on, r_off: ohm.
        mobility: of the ions, m^2/(V s).
        thickness: m.
        window: exponent p, >= 1, or None.
        initial: x at the start.

    >>> device = LinearIonDrift(window=None)
    >>> t = np.linspace(0, 0.2, 101)
    >>> course = device.simulate(t, np.ones(101))
    >>> bool(np.allclose(course.state, device.closed_form(t), atol=1e-7))
    True

    Source: Strukov et al., Nature 453 (2008) 80; Joglekar, Wolf, European Journal of Physics 30 (2009) 661.
    """

    r_on: Real = one(10_000.0, "ohm", "doped", above=0)
    r_off: Real = one(100_000.0, "ohm", "not doped", above=0)
    mobility: Real = one(1e-14, "m^2/(V s)", "mobility of the ions", above=0)
    thickness: Real = one(27e-9, "m", "thickness of the film", above=0)
    window: WholeOrNone = one(7, "", "exponent of the window", integer=True, at_least=1, optional=True)
    initial: Real = one(0.1, "", "doped share at the start", at_least=0, at_most=1)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest state."""
        return 0.0, 1.0

    @property
    def start(self):
        return self.initial

    def current(self, x, v):
        return v / (self.r_on * x + self.r_off * (1 - x))

    def rate(self, x, v):
        f = 1.0 if self.window is None else 1 - (2 * x - 1) ** (2 * self.window)
        return self.mobility * self.r_on / self.thickness**2 * self.current(x, v) * f

    def closed_form(self, flux):
        """Return the state, without window, after a flux (integral of the voltage, V s) from the initial one."""
        d = self.r_off - self.r_on
        c = self.r_off * self.initial - d * self.initial**2 / 2
        c = c + self.mobility * self.r_on / self.thickness**2 * np.asarray(flux)
        return (self.r_off - np.sqrt(self.r_off**2 - 2 * d * c)) / d


class VTEAM(DynamicMemristor):
    r"""A state that moves only beyond two threshold voltages.

    dx/dt = k_off (v / v_off - 1)^alpha_off for v >= v_off, k_on (v / v_on - 1)^alpha_on for v <= v_on, else 0;
    R = r_on + (r_off - r_on) x / thickness.

    Args:
        r_on, r_off: ohm.
        k_on, k_off: m/s; k_on < 0.
        alpha_on, alpha_off: exponents.
        v_on, v_off: V; v_on < 0.
        thickness: largest x, m.
        initial: x at the start, m.

    >>> device = VTEAM()
    >>> t = np.linspace(0, 10e-9, 201)
    >>> x = device.simulate(t, lambda s: np.sin(2 * np.pi * 50e6 * s)).state
    >>> f"{x[-1]:.4e} m"
    '1.5419e-10 m'

    Source: Kvatinsky et al., IEEE Transactions on Circuits and Systems II 62 (2015) 786.
    """

    r_on: Real = one(50.0, "ohm", "smallest resistance", above=0)
    r_off: Real = one(1000.0, "ohm", "largest resistance", above=0)
    k_on: Real = one(-10.0, "m/s", "rate beyond v_on", below=0)
    k_off: Real = one(5e-4, "m/s", "rate beyond v_off", above=0)
    alpha_on: Real = one(3.0, "", "exponent beyond v_on", above=0)
    alpha_off: Real = one(1.0, "", "exponent beyond v_off", above=0)
    v_on: Real = one(-0.2, "V", "lower threshold", below=0)
    v_off: Real = one(0.02, "V", "upper threshold", above=0)
    thickness: Real = one(3e-9, "m", "largest state", above=0)
    initial: Real = one(0.0, "m", "state at the start", at_least=0)

    @property
    def bounds(self):
        return 0.0, self.thickness

    @property
    def start(self):
        return self.initial

    def current(self, x, v):
        return v / (self.r_on + (self.r_off - self.r_on) * x / self.thickness)

    def rate(self, x, v):
        if v >= self.v_off:
            return self.k_off * (v / self.v_off - 1) ** self.alpha_off + 0 * x
        return (self.k_on * (v / self.v_on - 1) ** self.alpha_on if v <= self.v_on else 0.0) + 0 * x


class Yakopcic(DynamicMemristor):
    r"""A general device: i = a x sinh(b v), with exponential thresholds and a state that slows down near its ends.

    dx/dt = eta g(v) f(x): g = a_p (e^v - e^v_p) above v_p, -a_n (e^-v - e^v_n) below -v_n, else 0; moving up,
    f = e^(-alpha_p (x - x_p)) ((x_p - x) / (1 - x_p) + 1) from x_p on, else 1; moving down,
    f = e^(alpha_n (x + x_n - 1)) x / (1 - x_n) up to 1 - x_n, else 1.

    Args:
        a_1, a_2: A, for v >= 0 and below. b: 1/V.
        a_p, a_n: 1/s. v_p, v_n: V. alpha_p, alpha_n, x_p, x_n: of f. eta: 1 or -1, the direction.
        initial: x at the start.

    The defaults are the device of Oblea et al. (2010); `Yakopcic.miao()` and `Yakopcic.jo()` are two others.

    Source: Yakopcic et al., IEEE Electron Device Letters 32 (2011) 1436; IEEE TCAD 32 (2013) 1201.
    """

    a_1: Real = one(0.17, "A", "size of the current, v >= 0", above=0)
    a_2: Real = one(0.17, "A", "size of the current, v < 0", above=0)
    b: Real = one(0.05, "1/V", "curvature of the current", above=0)
    a_p: Real = one(4000.0, "1/s", "rate up", above=0)
    a_n: Real = one(4000.0, "1/s", "rate down", above=0)
    v_p: Real = one(0.16, "V", "upper threshold", at_least=0)
    v_n: Real = one(0.15, "V", "lower threshold", at_least=0)
    alpha_p: Real = one(1.0, "", "decay of the rate up", at_least=0)
    alpha_n: Real = one(5.0, "", "decay of the rate down", at_least=0)
    x_p: Real = one(0.3, "", "state from which it slows down", above=0, below=1)
    x_n: Real = one(0.5, "", "the same on the way down, from 1", above=0, below=1)
    eta: Real = one(1.0, "", "direction")
    initial: Real = one(0.11, "", "state at the start", at_least=0, at_most=1)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest state."""
        return 0.0, 1.0

    @classmethod
    def miao(cls) -> "Yakopcic":
        """Return the device of Miao et al., Advanced Materials 23 (2011) 5633."""
        return cls(a_1=0.11, a_2=0.11, b=0.5, a_p=7.5, a_n=2.0, v_p=0.09, v_n=0.75)

    @classmethod
    def jo(cls) -> "Yakopcic":
        """Return the device of Jo et al., Nano Letters 10 (2010) 1297."""
        return cls(a_1=3.7e-7, a_2=4.35e-7, b=0.7, a_p=0.005, a_n=0.08, v_p=1.5, v_n=0.5, alpha_p=1.2, alpha_n=3.0,
                   x_p=0.2, x_n=0.5)

    @property
    def start(self):
        return self.initial

    def current(self, x, v):
        return np.where(np.asarray(v) >= 0, self.a_1, self.a_2) * x * np.sinh(self.b * v)

    def rate(self, x, v):
        if v > self.v_p:
            g = self.a_p * (np.exp(v) - np.exp(self.v_p))
        elif v < -self.v_n:
            g = -self.a_n * (np.exp(-v) - np.exp(self.v_n))
        else:
            return 0.0 * x
        if self.eta * v >= 0:
            slow = np.exp(-self.alpha_p * (x - self.x_p)) * ((self.x_p - x) / (1 - self.x_p) + 1)
            f = np.where(x >= self.x_p, slow, 1.0)
        else:
            slow = np.exp(self.alpha_n * (x + self.x_n - 1)) * x / (1 - self.x_n)
            f = np.where(x <= 1 - self.x_n, slow, 1.0)
        return self.eta * g * f


class StanfordPKU(DynamicMemristor):
    r"""A filament of oxide memory whose gap opens and closes, with heating: very stiff.

    i = i_0 exp(-g / g_0) sinh(v / v_0), T = t_0 + |v i| r_th, gamma = gamma_0 - beta (g / 1 nm)^3 (0 where gamma |v| /
    t_ox < f_min), dg/dt = -vel_0 exp(-q E_a / kT) sinh(gamma a_0 q v / (t_ox k T)), g within gap_min .. gap_max.

    Args:
        i_0: A. g_0, t_ox, a_0: m. v_0: V. t_0: K. r_th: K/W. gamma_0, beta: 1. f_min: V/m. vel_0: m/s. e_a: eV.
        gap_min, gap_max: m.
        initial: gap at the start, m.

    >>> device = StanfordPKU()
    >>> t = np.linspace(0, 3e-7, 301)
    >>> gap = device.simulate(t, lambda s: 1.5, start=device.gap_max).state
    >>> bool(gap[100] > 0.9e-9 > gap[200])  # it closes half after 157 ns
    True

    Source: Jiang et al., IEEE TED 63 (2016) 1884; parameters as in MemTorch.
    """

    i_0: Real = one(1e-3, "A", "size of the current", above=0)
    g_0: Real = one(0.25e-9, "m", "gap that lowers the current by e", above=0)
    v_0: Real = one(0.25, "V", "curvature of the current", above=0)
    t_0: Real = one(298.0, "K", "temperature around", above=0)
    r_th: Real = one(2.1e3, "K/W", "thermal resistance", at_least=0)
    gamma_0: Real = one(16.0, "", "enhancement of the field", above=0)
    beta: Real = one(0.8, "", "its decrease with the gap", at_least=0)
    t_ox: Real = one(12e-9, "m", "thickness of the oxide", above=0)
    f_min: Real = one(1.4e9, "V/m", "smallest field that moves ions", at_least=0)
    vel_0: Real = one(10.0, "m/s", "rate", above=0)
    e_a: Real = one(0.6, "eV", "activation energy", above=0)
    a_0: Real = one(0.25e-9, "m", "hopping distance", above=0)
    gap_min: Real = one(2.0008273892565852e-10, "m", "smallest gap", at_least=0)
    gap_max: Real = one(1.699999940755209e-09, "m", "largest gap", above=0)
    initial: Real = one(2.0008273892565852e-10, "m", "gap at the start", above=0)

    @property
    def bounds(self):
        return self.gap_min, self.gap_max

    @property
    def start(self):
        return self.initial

    def current(self, x, v):
        return self.i_0 * np.exp(-x / self.g_0) * np.sinh(v / self.v_0)

    def ceiling(self, v):
        """The gap at which the field falls below f_min."""
        if v >= 0 or self.beta == 0:
            return self.gap_max
        cube = (self.gamma_0 - self.f_min * self.t_ox / -v) / self.beta
        return min(max(np.cbrt(cube) * 1e-9, self.gap_min), self.gap_max)

    def rate(self, x, v):
        t = self.t_0 + np.abs(v * self.current(x, v)) * self.r_th
        gamma = self.gamma_0 - self.beta * (x * 1e9) ** 3
        gamma = np.where(gamma * abs(v) / self.t_ox < self.f_min, 0.0, gamma)
        hop = gamma * self.a_0 / self.t_ox * v * CHARGE_OVER_K / t
        # the product of a tiny exponential and a huge sine, taken as a difference of exponentials
        barrier = self.e_a * CHARGE_OVER_K / t
        return -self.vel_0 * 0.5 * (np.exp(hop - barrier) - np.exp(-hop - barrier))


__all__ = ["Course", "DynamicMemristor", "LinearIonDrift", "StanfordPKU", "VTEAM", "Yakopcic"]
