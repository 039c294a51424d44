"""Inputs: populations that only emit spikes, and drives of a population by events or currents."""

import math
from typing import Any, ClassVar, Self

import numpy as np

from neurosim.aliases import PerElement, PerElementTimed
from neurosim.bodies import as_numbers, check_kind, check_once, check_returns, check_static, plain, starts
from neurosim.checks import (
    Parameter,
    Parametrised,
    Timed,
    check_number,
    check_numbers,
    computed,
    describe_value,
    required,
)
from neurosim.contracts import State
from neurosim.errors import ParameterError
from neurosim.reprs import plural
from neurosim.spikes import Spikes

SLACK = 5e-7  #: ms, by which a time may miss a tick
LATE = 1e9  #: ms, a time after which nobody sees a tick


class TimedArray(Timed):
    """Values that change in time: value number m holds for m * every <= t - start < (m + 1) * every.

    Args:
        values: shape (times,) for all neurons alike, or (times, neurons).
        every: how long each value holds, ms.
        after: what follows the last one: "hold" it, "repeat" from the first, or "zero".
        start: when the first one begins, ms; it holds before, too. What is set while a simulation runs
            (`Simulation.set`) counts from the present.

    >>> TimedArray([0.0, 100.0], every=50.0)
    TimedArray(2 values, every=50.0 ms, after='hold')
    """

    def __init__(self, values, every: float, after: str = "hold", start: float = 0.0):
        values = check_numbers("TimedArray.values", values)
        if values.ndim not in (1, 2) or values.size == 0 or not np.isfinite(values).all():
            raise ParameterError(
                "TimedArray.values must be finite numbers of shape (times,) or (times, neurons), "
                f"got {describe_value(values)}")
        every = check_number("TimedArray.every", every, "ms", above=0)
        if after not in ("hold", "repeat", "zero"):
            raise ParameterError(f"TimedArray.after must be 'hold' or 'repeat' or 'zero', got {describe_value(after)}")
        start = check_number("TimedArray.start", start, "ms", at_least=0)
        values.setflags(write=False)
        self.values, self.every, self.after, self.start = values, every, after, start

    def later(self, by: float) -> Self:
        return type(self)(self.values, self.every, self.after, self.start + by)

    def __repr__(self):
        shape = " x ".join(map(str, self.values.shape))
        start = f", start={self.start} ms" if self.start else ""
        return f"TimedArray({shape} values, every={self.every} ms, after={self.after!r}{start})"

    def _times(self):
        return self.every, self.after, self.start

    def __eq__(self, other):
        return (type(other) is TimedArray and self._times() == other._times()
                and np.array_equal(self.values, other.values))

    def __hash__(self):
        return hash((self.values.tobytes(), self._times()))


class Source(Parametrised):
    """Base of the populations that only emit spikes."""


class Poisson(Source, kw_only=False):
    """Independent Poisson spike trains; several spikes of one neuron in one tick are several spikes.

    >>> Poisson(rate=20.0)
    Poisson(rate=20.0)
    """

    positional = 1
    rate: PerElementTimed = required(Parameter(doc="spikes per second of each neuron", unit="Hz", at_least=0,
                                               timed=True))


class SpikeSource(Source):
    """A population that emits given spikes.

    The spikes are rounded to the nearest tick of the simulation, with a warning where they are off
    its grid; a spike in the tick 0 or before, or of a neuron that is not there, is refused.

    >>> from neurosim.spikes import Spikes
    >>> SpikeSource(Spikes.from_times([1.0, 2.0], [0, 1], size=2, duration=5.0))
    SpikeSource(2 spikes of 2 neurons)
    """

    spikes: Spikes = computed()

    def __init__(self, spikes: Spikes):
        if not isinstance(spikes, Spikes):
            raise ParameterError(f"SpikeSource.spikes must be a Spikes, got {describe_value(spikes)}; "
                                 "make one with Spikes.from_times(times, ids, size=..., duration=...)")
        self.__dict__["spikes"] = spikes

    def __repr__(self):
        return f"SpikeSource({plural(len(self.spikes), 'spike')} of {plural(self.spikes.size, 'neuron')})"

    def __eq__(self, other):
        return type(other) is SpikeSource and self.spikes == other.spikes

    def __hash__(self):
        return hash(self.spikes.fingerprint())


class Drive(Parametrised):
    """Base of what acts on a population without being one."""


class PoissonDrive(Drive):
    """Events of one weight that reach every neuron as a Poisson train of its own.

    It stands for many background neurons: n of them with a rate r each are one drive of rate n r.
    The receptor is the one given to `Network.drive`, and the unit of the weight is its unit.

    >>> PoissonDrive(rate=8000.0, weight=0.1)
    PoissonDrive(rate=8000.0, weight=0.1)
    """

    rate: PerElementTimed = required(Parameter(doc="events per second at each neuron", unit="Hz", at_least=0,
                                               timed=True))
    weight: PerElement = required(Parameter(doc="weight of an event"))


class Current(Drive):
    """Base of the injected currents.

    `current(time, ...)` is a scalar body: the current over the tick that begins at `time` (ms), its
    other arguments picked by name from the parameters, the variables in `state`, and `normal`, a
    fresh standard normal number. It returns the current, then the variables.
    """

    state: ClassVar[dict[str, State]] = {}
    current: ClassVar[Any] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_once(self, self._check_bodies)

    def _check_bodies(self) -> None:
        """Refuse what a class of one's own forgot, when it is first used."""
        check_static(self, ["current"])
        check_kind(self, "state", State, "State(0.0)")
        if self.current is None:
            raise ParameterError(f"{type(self).__name__} must have a body current(time, ...)")
        p = plain(self)
        known = as_numbers(self.coefficients(p, 0.1)) | starts(self.state, p) | {"time": 0.0, "normal": 0.5}
        check_returns(self, "current", known, ["current", *self.state])

    def coefficients(self, p, dt: float) -> dict:
        """Return what the body takes by name besides the state, in float64."""
        return {name: getattr(p, name) for name in self.parameters}

    def rounding(self, p, dt: float) -> str:
        """Return what ticks of dt ms change about the current, as a sentence that a warning ends with; "" if nothing.

        Args:
            p: the parameters by name, each a float or an array with one value per neuron.
            dt: ms.
        """
        return ""


class InjectedCurrent(Current, kw_only=False):
    """A given current: one number, one per neuron, or a `TimedArray` of either that changes in time.

    >>> InjectedCurrent(100.0)
    InjectedCurrent(amplitude=100.0)
    >>> InjectedCurrent(TimedArray([0.0, 100.0], every=50.0))
    InjectedCurrent(amplitude=TimedArray(2 values, every=50.0 ms, after='hold'))
    """

    positional = 1
    amplitude: PerElementTimed = required(Parameter(doc="current", unit="pA", timed=True))

    @staticmethod
    def current(amplitude):
        """The amplitude of the tick."""
        return amplitude


class StepCurrent(Current, kw_only=False):
    """I(t) = amplitude for start <= t < stop, else 0.

    In ticks it is on in each that begins within; a start or stop off their grid moves to the next tick, with a warning.

    >>> StepCurrent(100.0, start=50.0, stop=150.0)
    StepCurrent(amplitude=100.0, start=50.0, stop=150.0)
    """

    positional = 1
    amplitude: PerElement = required(Parameter(doc="current", unit="pA"))
    start: PerElement = Parameter(0.0, "ms", doc="when it begins")
    stop: PerElement = Parameter(1e12, "ms", doc="when it ends, after start")

    def validate(self):
        if all(isinstance(value, (float, np.ndarray)) for value in (self.start, self.stop)):
            if np.any(np.asarray(self.stop) <= self.start):
                raise ParameterError(f"StepCurrent.stop must be > start = {describe_value(self.start)} ms, got "
                                     f"{describe_value(self.stop)}")

    def rounding(self, p, dt):
        start, stop = (np.atleast_1d(np.asarray(value, np.float64)) for value in (p.start, p.stop))
        first, end = (np.ceil((time - SLACK) / dt) for time in (start, stop))  # the first tick that is on, and off
        if np.any((np.maximum(first, 0.0) >= end) & (stop > 0.0)):
            return f"injects nothing into neurons for which no tick of {dt:g} ms begins from start to before stop"
        off = max(np.abs(first * dt - start).max(), np.abs(end * dt - stop)[stop < LATE].max(initial=0.0))
        return "" if off <= max(1e-6 * dt, SLACK) else (
            f"begins and ends with ticks of {dt:g} ms, up to {off:.3g} ms after its start and stop")

    @staticmethod
    def current(time, amplitude, start, stop):
        """The amplitude within the window; half a nanosecond of slack keeps grid times exact."""
        return amplitude if start - SLACK <= time < stop - SLACK else 0.0


class SineCurrent(Current, kw_only=False):
    """I(t) = offset + amplitude sin(2 pi frequency t + phase).

    >>> SineCurrent(100.0, frequency=10.0)
    SineCurrent(amplitude=100.0, frequency=10.0)
    """

    positional = 1
    amplitude: PerElement = required(Parameter(doc="amplitude", unit="pA"))
    frequency: PerElement = required(Parameter(doc="frequency", unit="Hz", at_least=0))
    phase: PerElement = Parameter(0.0, "rad", doc="phase at t = 0")
    offset: PerElement = Parameter(0.0, "pA", doc="mean")

    @staticmethod
    def current(time, amplitude, frequency, phase, offset):
        """The value at the beginning of the tick."""
        return offset + amplitude * math.sin(6.283185307179586e-3 * frequency * time + phase)


class OUCurrent(Current):
    """Ornstein-Uhlenbeck noise: tau dI = (mean - I) dt + std sqrt(2 tau) dW; each neuron has its own.

    Exact at the ticks; it starts in its stationary distribution.

    >>> OUCurrent(mean=0.0, std=50.0, tau=5.0)
    OUCurrent(mean=0.0, std=50.0, tau=5.0)

    Source: Uhlenbeck, Ornstein, Physical Review 36 (1930) 823; Gillespie, Physical Review E 54 (1996) 2084.
    """

    mean: PerElement = required(Parameter(doc="mean", unit="pA"))
    std: PerElement = required(Parameter(doc="standard deviation", unit="pA", at_least=0))
    tau: PerElement = required(Parameter(doc="correlation time", unit="ms", above=0))
    state = {"noise": State(0.0, "", "deviation from the mean, in units of std"),
             "begun": State(0.0, "", "whether the first value was drawn")}

    def coefficients(self, p, dt):
        ticks = dt / np.asarray(p.tau)
        return {"mean": p.mean, "std": p.std, "keep": np.exp(-ticks), "fresh": np.sqrt(-np.expm1(-2.0 * ticks))}

    @staticmethod
    def current(noise, begun, normal, mean, std, keep, fresh):
        """One exact step of the process."""
        noise = keep * noise + fresh * normal if begun > 0.0 else normal
        return mean + std * noise, noise, 1.0


class WhiteNoiseCurrent(Current):
    """White noise: I dt = mean dt + sigma dW; each neuron has its own.

    Over a tick it is constant, a normal number of standard deviation sigma / sqrt(dt), so that what it adds up to does
    not depend on the tick. In a membrane of resistance r and time constant tau that is long beside a tick it makes v
    fluctuate by r sigma / sqrt(2 tau).

    >>> WhiteNoiseCurrent(mean=0.0, sigma=200.0)
    WhiteNoiseCurrent(mean=0.0, sigma=200.0)

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 8.1.
    """

    mean: PerElement = required(Parameter(doc="mean", unit="pA"))
    sigma: PerElement = required(Parameter(doc="intensity", unit="pA ms^0.5", at_least=0))

    def coefficients(self, p, dt):
        return {"mean": p.mean, "std": p.sigma / np.sqrt(dt)}

    @staticmethod
    def current(normal, mean, std):
        """A fresh number for every tick."""
        return mean + std * normal


__all__ = [
    "InjectedCurrent", "OUCurrent", "Poisson", "PoissonDrive", "SineCurrent", "SpikeSource", "StepCurrent",
    "TimedArray", "WhiteNoiseCurrent",
]
