"""A ramp converter whose ramp bends: its codes are a function of the input."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from hardware_models.arrays import as_float, like, namespace
from hardware_models.ramp_adc.functions import FUNCTIONS, Function, FunctionChoice, check_range
from hardware_models.stuck import check_shares, stuck_ends
from neurosim.aliases import Choice, Flag, Real, RealOrNone, Whole
from neurosim.checks import Option, Parameter, Parametrised, check_whole
from neurosim.errors import ParameterError

STREAM = 0x61646300  # one stream for each kind of imperfection, from here on
PROGRAMMING, STUCK, SPARE, OFFSET = range(4)


def _one(default, unit="", **more):
    return Parameter(default, unit, per_element=False, **more)


def _switch(default, doc):
    return Option(default, (False, True), doc=doc)


@dataclass(frozen=True)
class Branch:
    """One ramp: a monotonic stretch of the function.

    Args:
        sign: +1 where the code grows with the input, -1 where it falls.
        levels: outputs at the thresholds, in the order of the thresholds.
        ideal: inputs at which the function reaches them, ascending.
        conductances: of the devices that make the steps between thresholds, uS, one fewer than thresholds.
        scale: uS per unit of input.
    """

    sign: int
    levels: np.ndarray
    ideal: np.ndarray
    conductances: np.ndarray
    scale: float


class RampADC(Parametrised, kw_only=False):
    r"""Converter whose codes follow a function of the input: NL-ADC, a ramp made of programmed conductances.

    y_k = y_min + k LSB,  LSB = (y_max - y_min) / 2^n,  x_k = f^-1(y_k),  k = 1 .. 2^n - 1

    G_j = g_max (x_j - x_(j-1)) / max(x_j - x_(j-1)),  ramp_k = x_1 + sum_(j <= k) G_j / scale

    code = c_0 + sum over ramps of +-(number of thresholds <= x),  output = y_min + LSB code

    `rounding` is the convention of the thresholds. "down" puts them at k LSB: a code is reached where f reaches its
    level, and the output is never above f. "nearest" puts them at (k - 1/2) LSB: the output is within half an LSB of
    f, except above y_max - LSB/2, since the largest output is y_max - LSB. In both, the output of code k is
    y_min + k LSB.

    The threshold x_1 is set by the bias devices, without error. One-point calibration shifts the ramp by them so that
    the error at the middle threshold is 0; the shift is exact. A function that turns once needs `ramps=2`, each with a
    column and a scale of its own. No conductance is negative, so that a ramp never runs backwards; the upper end of
    the devices is not enforced on programming errors.

    A stuck device makes a step of g_min (OFF) or g_max (ON). With `bypass` it is never switched in; a working
    spare takes its step, and where there is none the step is 0: a missing code. `redundancy` columns are programmed
    and the one whose largest INL is least is used; that is a selection, so report `inl_trials(...)[:, 0]` beside it.

    The inputs and the ramp share the read voltage, so its drift cancels (`ratiometric`); a ramp with a reference of
    its own sees inputs that are 1 + drift times as large.

    >>> adc = RampADC("sigmoid", bits=5)
    >>> adc.codes(np.array([-9.0, 0.0, 9.0]))
    array([ 0, 16, 31])
    >>> adc(np.array([-9.0, 0.0, 9.0]))
    array([0.     , 0.5    , 0.96875])
    >>> noisy = adc.replace(programming_error=2.67, calibrate=True).program(seed=1)
    >>> bool(0.1 < noisy.max_inl < 1.0)
    True

    Source: Yang, Mao, Jiang and others, Nature Communications 16 (2025) 1136, doi 10.1038/s41467-025-56254-6.
    """

    positional = 1
    function: Choice[str | Function] = FunctionChoice("sigmoid", doc="what the codes follow: a name or a `Function`")
    bits: Whole = _one(5, integer=True, at_least=1, at_most=12, doc="resolution n")
    ramps: Whole = _one(1, integer=True, at_least=1, at_most=8,
                        doc="columns that make ramps, one per monotonic stretch")
    x_min: RealOrNone = _one(None, optional=True, doc="least input; by default that of the function")
    x_max: RealOrNone = _one(None, optional=True, doc="largest input; by default that of the function")
    y_min: RealOrNone = _one(None, optional=True, doc="output of code 0; by default that of the function")
    y_max: RealOrNone = _one(None, optional=True, doc="end of the range of outputs; by default that of the function")
    rounding: Choice[Literal["down", "nearest"]] = Option("down", ("down", "nearest"),
                                                          doc="thresholds at k or at k - 1/2 LSB")
    g_max: Real = _one(150.0, "uS", above=0, doc="largest conductance, used for the largest step")
    g_min: Real = _one(0.0, "uS", at_least=0, doc="least conductance that a device can have, and that of one stuck OFF")
    programming_error: Real = _one(0.0, "uS", at_least=0, doc="standard deviation of each conductance")
    calibrate: Flag = _switch(False, "whether the bias devices cancel the error at the middle threshold")
    stuck_off: Real = _one(0.0, at_least=0, at_most=1, doc="share of devices stuck at g_min")
    stuck_on: Real = _one(0.0, at_least=0, at_most=1, doc="share of devices stuck at g_max")
    bypass: Flag = _switch(False, "whether stuck devices are left out and replaced by spares")
    spares: Whole = _one(0, integer=True, at_least=0, doc="further devices in each column, for bypass")
    redundancy: Whole = _one(1, integer=True, at_least=1, doc="columns that are programmed, of which the best is used")
    comparator_offset: Real = _one(0.0, at_least=0, doc="standard deviation over comparators, in units of the input")
    noise: Real = _one(0.0, at_least=0, doc="standard deviation in each conversion, in units of the input")
    drift: Real = _one(0.0, above=-1, doc="relative change of the read voltage since the ramp was programmed")
    ratiometric: Flag = _switch(True, "whether ramp and inputs share the read voltage")

    def validate(self):
        check_shares("RampADC", self.stuck_on, self.stuck_off)
        if self.g_min >= self.g_max:
            raise ParameterError(f"RampADC.g_min must be < g_max = {self.g_max:g} uS, got {self.g_min:g}")
        check_range("RampADC: x", *self.input_range)
        check_range("RampADC: y", *self.output_range)
        if len(self.edges) - 1 > self.ramps:
            turns = ", ".join(f"{x:.4g}" for x in self.edges[1:-1])
            raise ParameterError("RampADC.function must be monotonic on each ramp, "
                                 f"{self.of.name} turns at x = {turns}; give ramps={len(self.edges) - 1}, "
                                 "or a range of x without the turn")
        self.branches  # noqa: B018  refuses conductances below g_min

    # -- design ------------------------------------------------------------------------------------

    @property
    def of(self) -> Function:
        """The function itself."""
        return FUNCTIONS[self.function] if isinstance(self.function, str) else self.function

    @property
    def input_range(self) -> tuple[float, float]:
        """Least and largest input."""
        return (self.of.x_min if self.x_min is None else self.x_min,
                self.of.x_max if self.x_max is None else self.x_max)

    @cached_property
    def output_range(self) -> tuple[float, float]:
        """Output of code 0, and that of code 2^n, which no code reaches."""
        y = self.of(np.array(self.edges))
        own = (y.min() if self.of.y_min is None else self.of.y_min, y.max() if self.of.y_max is None else self.of.y_max)
        return float(own[0] if self.y_min is None else self.y_min), float(own[1] if self.y_max is None else self.y_max)

    @property
    def lsb(self) -> float:
        """Difference between the outputs of neighbouring codes."""
        return (self.output_range[1] - self.output_range[0]) / 2**self.bits

    @cached_property
    def edges(self) -> list[float]:
        """Ends of the monotonic stretches."""
        low, high = self.input_range
        return [low, *self.of.turns(low, high), high]

    @cached_property
    def levels(self) -> np.ndarray:
        """Outputs at which the code changes, shape (2^n - 1,)."""
        shift = 0.5 if self.rounding == "nearest" else 0.0
        return self.output_range[0] + (np.arange(1, 2**self.bits) - shift) * self.lsb

    @cached_property
    def first_code(self) -> int:
        """Code of an input below every threshold."""
        return int(np.sum(self.levels <= self.of(np.array([self.edges[0]]))[0]))

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The ramps, from left to right."""
        return tuple(self._branch(low, high) for low, high in zip(self.edges[:-1], self.edges[1:], strict=True))

    def _branch(self, low, high):
        y_low, y_high = self.of(np.array([low, high]))
        rising = bool(y_high > y_low)
        inside = (self.levels > min(y_low, y_high)) & (self.levels <= max(y_low, y_high))
        levels = self.levels[inside] if rising else self.levels[inside][::-1]
        ideal = self.of.inverse(levels, low, high, rising)
        steps = np.diff(ideal)
        scale = self.g_max / steps.max() if steps.size else self.g_max
        conductances = steps * scale
        if steps.size and conductances.min() < self.g_min:
            raise ParameterError(f"RampADC.g_min must be <= {conductances.min():.4g} uS, the conductance of the "
                                 f"smallest step of {self.of.name} at {self.bits} bits, got {self.g_min:g}; use fewer "
                                 "bits or a narrower range of x")
        return Branch(1 if rising else -1, levels, ideal, conductances, scale)

    # -- use ---------------------------------------------------------------------------------------

    def program(self, seed: int = 0, key: int = 0, columns: int | None = None) -> "Ramp":
        """Return a converter as it comes out of programming, with the errors that are switched on.

        Args:
            seed: of all errors, 0 <= seed < 2^64.
            key: which copy of the converter it is, 0 <= key < 2^32.
            columns: how many comparators share the ramp, each with an offset of its own; needed with
                `comparator_offset`, and then the last axis of what is converted must have this length.

        Raises:
            ParameterError: if the seed does not fit, or the number of columns is missing.
        """
        candidates = program_trials(self, 1, seed, key)
        inl = max_inl(self, candidates)[0]
        best = int(np.argmin(inl))
        offsets = None
        if self.comparator_offset or columns is not None:
            columns = check_whole("RampADC.program: columns, where there is a comparator_offset,", columns, at_least=1)
        if self.comparator_offset:
            offsets = _generator(OFFSET, seed, key).normal(0.0, self.comparator_offset, columns)
        return Ramp(self, tuple(part.thresholds[0, best] for part in candidates),
                    tuple(part.conductances[0, best] for part in candidates),
                    int(sum(part.missing[0, best] for part in candidates)), inl, offsets)

    @cached_property
    def ideal(self) -> "Ramp":
        """The converter without programming errors, stuck devices and offsets; it keeps noise and drift."""
        clean = self.replace(programming_error=0.0, stuck_off=0.0, stuck_on=0.0, redundancy=1, comparator_offset=0.0)
        return replace(clean.program(), adc=self)

    def codes(self, x, generator=None):
        """Return the ideal codes of an array or tensor."""
        return self.ideal.codes(x, generator)

    def __call__(self, x, generator=None):
        """Return the ideal outputs for an array or tensor."""
        return self.ideal(x, generator)


@dataclass(frozen=True, eq=False, repr=False)  # of its own: arrays have no one truth, and it can be a parameter
class Ramp:
    """A programmed converter; it takes numpy arrays and torch tensors.

    Args:
        adc: what was programmed.
        thresholds: of each ramp, in units of the input, ascending.
        conductances: of each ramp, uS.
        missing: steps for which there was no working device.
        candidate_inl: largest INL of each of the columns that were programmed, LSB; the least was chosen.
        offsets: of the comparators, in units of the input, shape (columns,), or None.
    """

    adc: RampADC
    thresholds: tuple[np.ndarray, ...]
    conductances: tuple[np.ndarray, ...]
    missing: int = 0
    candidate_inl: np.ndarray | None = None
    offsets: np.ndarray | None = None

    def __repr__(self) -> str:
        lost = f", {self.missing} steps without a device" if self.missing else ""
        offsets = "" if self.offsets is None else f", {len(self.offsets)} columns with offsets"
        return (f"<ramp of {self.adc!r}: {sum(map(len, self.thresholds))} thresholds, INL up to "
                f"{self.max_inl:.3g} LSB{lost}{offsets}>")

    def codes(self, x, generator=None):
        """Return the codes of an array or tensor x, whole numbers of its shape.

        Args:
            x: inputs, not undefined; with comparator offsets the last axis counts the columns.
            generator: numpy generator of the noise, where the converter has any.

        Raises:
            ParameterError: an input is undefined, the columns are not as many as were programmed, or the noise has no
                generator.
        """
        x = as_float(x)
        if bool((x != x).any()):
            raise ParameterError("RampADC.codes must be given numbers, got an array that holds nan: no code stands "
                                 "for it")
        return self._codes(x, generator)

    def _codes(self, x, generator):
        """Return the codes, that of what is undefined being the largest."""
        xp = namespace(x)
        if self.offsets is not None:
            if tuple(x.shape[-1:]) != self.offsets.shape:
                raise ParameterError(f"RampADC must be given inputs of {self.offsets.size} columns, as many as were "
                                     f"programmed, got an array of shape {tuple(x.shape)}; program it with "
                                     "columns=... for another width")
            x = x - like(self.offsets, x)
        if self.adc.noise:
            if generator is None:
                raise ParameterError("RampADC.noise needs random numbers; give the conversion a numpy generator")
            x = x + like(generator.normal(0.0, self.adc.noise, tuple(x.shape)), x)
        if xp is not np:
            x = x.contiguous()  # torch copies it otherwise for every ramp, and warns
        code = self.adc.first_code
        for branch, thresholds in zip(self.adc.branches, self.thresholds, strict=True):
            code = code + branch.sign * xp.searchsorted(like(thresholds, x), x, side="right")
        return code

    def __call__(self, x, generator=None):
        """Return the outputs y_min + LSB code for an array or tensor, in its float type; what is undefined stays so."""
        x = as_float(x)
        outputs = self.adc.output_range[0] + self.adc.lsb * like(self._codes(x, generator), x)
        return namespace(x).where(x == x, outputs, x)[()]

    def surrogate(self, x):
        """Return the outputs for a torch tensor, with the gradient of the function itself (straight-through).

        A staircase has no gradient that training could use. Inputs beyond the range get the gradient of f there, which
        is small where f saturates. For a numpy array it is the same as calling the converter.
        """
        if namespace(x) is np:
            return self(x)
        smooth = self.adc.of(x)
        return smooth + (self(x) - smooth).detach()

    @property
    def inl(self) -> np.ndarray:
        """Integral nonlinearity |f(threshold) - level| of each threshold in LSB, all ramps one after the other."""
        return np.concatenate([np.abs(self.adc.of(thresholds) - branch.levels) / self.adc.lsb
                               for branch, thresholds in zip(self.adc.branches, self.thresholds, strict=True)])

    @property
    def max_inl(self) -> float:
        """Largest integral nonlinearity in LSB."""
        return float(self.inl.max(initial=0.0))


# ---- programming ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Programmed:
    """Many programmed columns of one ramp; shape (trials, redundancy, ...)."""

    thresholds: np.ndarray
    conductances: np.ndarray
    missing: np.ndarray


def _generator(kind, seed, key):
    from neurosim.encoders.base import generator  # its package loads Numba, which a description does without

    return generator("RampADC", STREAM + kind, seed, key)


def program_trials(adc: RampADC, trials: int, seed: int = 0, key: int = 0) -> list[Programmed]:
    """Return the columns of many converters that are programmed alike, one `Programmed` for each ramp."""
    generators = [_generator(kind, seed, key) for kind in (PROGRAMMING, STUCK, SPARE)]
    return [_program(adc, branch, (trials, adc.redundancy), generators) for branch in adc.branches]


def _program(adc, branch, shape, generators):
    normal, stuck, spare = generators
    goal = branch.conductances
    conductances = np.broadcast_to(goal, (*shape, goal.size))
    missing = np.zeros(shape, dtype=np.int64)
    if adc.programming_error:
        conductances = np.maximum(conductances + normal.normal(0.0, adc.programming_error, conductances.shape), 0.0)
    if adc.stuck_off or adc.stuck_on:
        conductances, missing = _stuck(adc, conductances, stuck, spare)
    steps = conductances / branch.scale
    thresholds = np.broadcast_to(branch.ideal, (*shape, branch.ideal.size))
    if steps.size and not np.array_equal(conductances, np.broadcast_to(goal, conductances.shape)):
        thresholds = branch.ideal[0] + np.concatenate([np.zeros((*shape, 1)), np.cumsum(steps, axis=-1)], axis=-1)
    if adc.calibrate and branch.ideal.size:
        middle = branch.ideal.size // 2
        thresholds = thresholds - (thresholds[..., middle:middle + 1] - branch.ideal[middle])
    if adc.drift and not adc.ratiometric:
        thresholds = thresholds / (1.0 + adc.drift)
    return Programmed(thresholds, conductances, missing)


def _stuck(adc, conductances, stuck, spare):
    """Return the conductances with stuck devices, and how many steps have no device that works."""
    state = stuck_ends(stuck.random(conductances.shape), adc.stuck_on, adc.stuck_off)
    broken = state != 0
    if not adc.bypass:
        ends = np.where(state < 0, adc.g_min, adc.g_max)
        return np.where(broken, ends, conductances), np.zeros(conductances.shape[:-1], dtype=np.int64)
    spares = stuck_ends(spare.random((*conductances.shape[:-1], adc.spares)), adc.stuck_on, adc.stuck_off)
    working = np.sum(spares == 0, axis=-1)
    left_out = broken & (np.cumsum(broken, axis=-1) > working[..., None])
    return np.where(left_out, 0.0, conductances), left_out.sum(axis=-1)


def max_inl(adc: RampADC, programmed: list[Programmed]) -> np.ndarray:
    """Return the largest INL of each column in LSB, shape (trials, redundancy)."""
    worst = [np.abs(adc.of(part.thresholds) - branch.levels).max(axis=-1, initial=0.0)
             for branch, part in zip(adc.branches, programmed, strict=True)]
    return np.max(worst, axis=0) / adc.lsb


def inl_trials(adc: RampADC, trials: int = 1000, seed: int = 0) -> np.ndarray:
    """Return the largest INL in LSB of many independently programmed columns, shape (trials, redundancy).

    The mean of column 0 is what programming gives; the mean of the least in each row is what selection among
    `redundancy` columns gives.

    Args:
        adc: the converter.
        trials: how many converters, >= 1.
        seed: of all errors.

    Raises:
        ParameterError: if the number of trials or the seed does not fit.

    >>> inl = inl_trials(RampADC("sigmoid", programming_error=5.0, redundancy=4), trials=200)
    >>> bool(inl.min(axis=1).mean() < 0.7 * inl[:, 0].mean())
    True
    """
    return max_inl(adc, program_trials(adc, check_whole("inl_trials: trials", trials, at_least=1), seed))
