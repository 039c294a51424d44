"""FORCE: a readout that learns while its output is fed back into the network that it reads."""

import math
from typing import Any

import numpy as np

from neurosim.checks import check_number, check_ticks, check_whole, describe_value
from neurosim.engine.kernel import INT, REAL, Array, Kernel
from neurosim.errors import NetworkError, ParameterError, SimulationError
from neurosim.network import Network, Population
from neurosim.readouts import RecursiveLeastSquares
from neurosim.simulation import Simulation
from neurosim.sources import InjectedCurrent

# The kernel runs at the beginning of a tick, so that what it reads are the spikes up to the tick before.
_FIELDS = {
    "n": INT, "size": INT, "outputs": INT, "feeds": INT, "squares": INT, "rows": INT, "first": INT, "learn": INT,
    "every": INT, "slots": INT, "stride": INT, "room": INT, "keep_slow": REAL, "keep_fast": REAL,
    "share": REAL, "scale": REAL, "rate": REAL, "ids": Array(np.uint32, "room"),
    "marks": Array(np.int64, "slots * stride"),
    "slow": Array(np.float64, "n"), "fast": Array(np.float64, "n"), "trace": Array(np.float64, "size"),
    "weights": Array(np.float64, "size * outputs"), "feedback": Array(np.float64, "n * outputs * feeds"),
    "out": Array(np.float64, "rows * outputs"), "target": Array(np.float64, "rows * outputs * learn"),
    "inverse": Array(np.float64, "size * size * squares"), "gain": Array(np.float64, "size"),
    "injected": Array(np.float64, "n * feeds"),
    "projected": Array(np.float64, "size"), "work": Array(np.float64, "size"), "pending": Array(np.float64, "1"),
}
_BODY = """
    slot = (tick - 1) % slots * stride
    for i in range(n):
        slow[i] *= keep_slow
        fast[i] *= keep_fast
    for q in range(marks[slot], marks[slot] + marks[slot + 1]):
        slow[ids[q]] += 1.0
        fast[ids[q]] += 1.0
    for i in range(n):
        trace[i] = scale * (slow[i] - share * fast[i])
    row = (tick - first) * outputs
    here = out[row:row + outputs]
    read(trace, weights, here)
    for i in range(n * feeds):
        total = 0.0
        for o in range(outputs):
            total += feedback[i * outputs + o] * here[o]
        injected[i] = total
    if learn != 0 and tick % every == 0:
        change(trace, weights, here, target[row:row + outputs], rate, inverse, gain, projected, work, pending)
"""
FEEDBACK = "feedback of the readout"  #: name of the drive by which the output acts
_STATE = ("slow", "fast", "trace", "gain", "projected", "work", "pending")


def _read(x, weights, z):
    """z = W' x, each sum in four interleaved parts, so that additions overlap."""
    outputs = z.size
    whole = x.size // 4 * 4
    for o in range(outputs):
        a = b = c = d = 0.0
        for i in range(0, whole, 4):
            a += x[i] * weights[i * outputs + o]
            b += x[i + 1] * weights[(i + 1) * outputs + o]
            c += x[i + 2] * weights[(i + 2) * outputs + o]
            d += x[i + 3] * weights[(i + 3) * outputs + o]
        for i in range(whole, x.size):
            a += x[i] * weights[i * outputs + o]
        z[o] = (a + b) + (c + d)


def _recursive(x, weights, z, target, forgetting, inverse, gain, projected, work, pending):
    """Recursive least squares; the last change of P is made in the pass that multiplies it with x, one pass in all."""
    size, outputs = x.size, z.size
    keep = 1.0 / forgetting if pending[0] > 0.0 else 1.0
    for j in range(size):
        work[j] = 0.0
    for i in range(size):
        row = inverse[i * size:(i + 1) * size]
        for j in range(size):
            row[j] = (row[j] - gain[i] * projected[j]) * keep
            work[j] += row[j] * x[i]
    below = forgetting
    for j in range(size):
        below += x[j] * work[j]
    for j in range(size):
        projected[j] = work[j]
        gain[j] = work[j] / below
        for o in range(outputs):
            weights[j * outputs + o] += gain[j] * (target[o] - z[o])
    pending[0] = 1.0


def _gradient(x, weights, z, target, rate, inverse, gain, projected, work, pending):
    """Least mean squares."""
    outputs = z.size
    for o in range(outputs):
        step = rate * (target[o] - z[o])
        for i in range(x.size):
            weights[i * outputs + o] += step * x[i]


def _normalised(x, weights, z, target, rate, inverse, gain, projected, work, pending):
    """Least mean squares with the rate divided by 1 + x' x."""
    square = 1.0
    for i in range(x.size):
        square += x[i] * x[i]
    _gradient(x, weights, z, target, rate / square, inverse, gain, projected, work, pending)


class Force:
    r"""A linear readout of a population, taught while its output drives the population.

    r_i(t) = sum over spikes s of i of (exp(-(t - s) / tau_decay) - exp(-(t - s) / tau_rise)) / (tau_decay - tau_rise),
    z(t) = W' r(t);  the current feedback z(t) is added to the neurons in the following tick.

    While it learns, W changes every `every` ms so that z follows the target: by recursive least squares (FORCE proper:
    the error is small from the beginning, so that the feedback can be on all the time) or by least mean squares. The
    change is the readout's own, `readout.partial_fit([r], [target])`, done in the compiled loop: `readout.weights_` and
    `inverse_` are what that would have left. All else in the network, receptors, delays, drives, recorders, works as in
    any simulation; `force.sim` is that simulation, whose saved state holds neither the readout nor the filtered spikes.

    Published scripts leave the factor 1 / (1 + r' P r) out of the change of W; here it is in, as in the textbook.

    Args:
        net: the description; it is copied.
        population: the neurons that are read and fed, one of its populations.
        readout: `neurosim.readouts.RecursiveLeastSquares` (by default with alpha=0.5, no intercept) or
            `LeastMeanSquares`, not fitted, or fitted with as many neurons.
        outputs: number of outputs.
        feedback: current per unit of output (pA), a number or an array (neurons,) or (neurons, outputs); None for none.
        tau_rise, tau_decay: time constants of the filter of spikes, ms, 0 <= tau_rise < tau_decay.
        every: ms between two changes of the weights, a multiple of dt.
        dt, seed, dtype: as of `Simulation`. It runs on one thread.

    Raises:
        ParameterError: an argument does not fit.
        SimulationError: while it runs, a state or the output became infinite or undefined.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> cells = net.add(ns.LIF(tau_mem=20.0, i_bias=ns.Uniform(150.0, 300.0)), 50)
    >>> force = Force(net, cells, RecursiveLeastSquares(alpha=1e-3), tau_decay=50.0, dt=1.0)
    >>> z = force.fit(np.full(500, 2.0))
    >>> float(np.abs(force.run(200.0) - 2.0).max().round(1))
    0.0

    Source: Sussillo, Abbott, Neuron 63 (2009) 544; with spiking neurons: Nicola, Clopath, Nature Communications 8
    (2017) 2208.
    """

    def __init__(self, net: Network, population: Population, readout=None, *, outputs: int = 1, feedback=None,
                 tau_rise: float = 2.0, tau_decay: float = 20.0, every: float = 1.0, dt: float = 0.1, seed: int = 0,
                 dtype: str | None = None):
        if not isinstance(net, Network):
            raise ParameterError(f"Force.net must be a Network, got {describe_value(net)}")
        if not isinstance(population, Population) or population.whole is not None or not population.spiking:
            raise ParameterError("Force.population must be a whole population that spikes, "
                                 f"got {describe_value(population)}")
        if population not in net.populations:
            raise NetworkError(f"Force.population must belong to the network; {population.name!r} is of another one")
        outputs = check_whole("Force.outputs", outputs, at_least=1)
        self.population, self.outputs = population, outputs
        self.tau_rise, self.tau_decay = _check_filter(tau_rise, tau_decay)
        self.feedback = _check_feedback(feedback, population.size, outputs)
        self.readout = RecursiveLeastSquares(alpha=0.5, fit_intercept=False) if readout is None else readout
        net = net.copy()
        drive = None if self.feedback is None else net.drive(population, InjectedCurrent(0.0), name=FEEDBACK)
        self.sim = Simulation(net, dt, seed=seed, dtype=dtype)
        self._block: Any = None  #: the arguments of the kernel, once the simulation has asked for them
        self._dt = float(self.sim.dt or 0.0)  # the mode is "clocked"
        self._every = check_ticks("Force.every", every, self._dt, at_least=1)
        self._injected = np.zeros(0) if drive is None else self.sim.feed(drive)
        self._prepare()
        self.sim.attach(self._made)

    # -- use -------------------------------------------------------------------------------------------

    def fit(self, target) -> np.ndarray:
        """Go on for as many ticks as the target has rows, learning.

        Args:
            target: what the output shall be at each tick, shape (ticks,) or (ticks, outputs).

        Returns:
            The outputs at each tick, shape (ticks, outputs), as they were before the weights changed.
        """
        try:
            target = np.asarray(target, np.float64).reshape(len(target), -1)
        except (TypeError, ValueError):
            raise ParameterError("Force.fit: target must be numbers of shape (ticks,) or (ticks, outputs), "
                                 f"got {describe_value(target)}") from None
        if target.shape[1] != self.outputs or len(target) == 0 or not np.isfinite(target).all():
            raise ParameterError(f"Force.fit: target must be finite numbers of shape (ticks, {self.outputs}), "
                                 f"got {describe_value(target)}")
        return self._run(len(target), np.ascontiguousarray(target))

    def run(self, duration: float) -> np.ndarray:
        """Go on for some ms without learning; return the outputs at each tick, shape (ticks, outputs)."""
        return self._run(check_ticks("duration", duration, self._dt), None)

    @property
    def features(self) -> np.ndarray:
        """The filtered spikes r as they are now, 1/ms; a last 1 where the readout has an intercept."""
        return self._arrays["trace"].copy()

    # -- inside ------------------------------------------------------------------------------------------

    def _prepare(self):
        """Allocate the state of the readout and make the block of arguments of the kernel."""
        readout: Any = self.readout
        n = self.population.size
        size = n + bool(readout.fit_intercept)
        least_squares = isinstance(readout, RecursiveLeastSquares)
        readout.check()
        if not hasattr(readout, "weights_"):
            readout.weights_, readout.flat_ = np.zeros((size, self.outputs)), self.outputs == 1
            readout.n_features_in_ = n
            if least_squares:
                readout.inverse_ = np.eye(size) / readout.alpha
        if readout.weights_.shape != (size, self.outputs):
            raise ParameterError(f"Force.readout must have {size} x {self.outputs} weights, got "
                                 f"{readout.weights_.shape[0]} x {readout.weights_.shape[1]}")
        rule = _recursive if least_squares else _normalised if readout.normalised else _gradient
        self._kernel, none = Kernel("force", _FIELDS, _BODY, {"read": _read, "change": rule}, np.float64), np.zeros(0)
        lengths = {"n": n, "size": size, "1": 1}
        self._arrays = {name: np.zeros(lengths[_FIELDS[name].length]) for name in _STATE}
        self._arrays["trace"][n:] = 1.0
        dt, rise, decay = self._dt, self.tau_rise, self.tau_decay
        self._values = dict(
            n=n, size=size, outputs=self.outputs, feeds=self.feedback is not None, squares=least_squares, rows=0,
            first=0, learn=0, every=self._every,
            keep_slow=math.exp(-dt / decay), keep_fast=math.exp(-dt / rise) if rise else 0.0, share=float(rise > 0),
            scale=1.0 / (decay - rise), rate=readout.forgetting if least_squares else readout.rate,
            weights=readout.weights_.reshape(-1), out=none, target=none, injected=self._injected,
            feedback=none if self.feedback is None else self.feedback.reshape(-1),
            inverse=readout.inverse_.reshape(-1) if least_squares else none, **self._arrays)

    def _run(self, ticks, target):
        out = np.zeros((ticks, self.outputs))
        now = {"first": self.sim.tick + 1, "learn": int(target is not None), "rows": ticks, "out": out.reshape(-1),
               "target": np.zeros(0) if target is None else target.reshape(-1)}
        self._values |= now
        if self._block is not None:
            for name, value in now.items():
                self._block.set(name, value)
        self.sim.run(ticks * self.sim.dt)
        self._settle()
        if not np.isfinite(out).all():
            raise SimulationError("Force: the output became infinite or undefined; give the readout a lower rate, or a "
                                  "larger alpha")
        return out

    def _made(self, spikes_of):
        """Return the block of arguments of the kernel, with those by which it finds spikes."""
        self._block = self._kernel.block(**self._values, **spikes_of(self.population))
        return self._block

    def _settle(self):
        """Bring P up to date: the kernel leaves its last change for the pass over P that comes next."""
        pending = self._arrays["pending"]
        if pending[0]:
            inverse = self.readout.inverse_
            inverse -= np.outer(self._arrays["gain"], self._arrays["projected"])
            inverse /= self.readout.forgetting
            self._arrays["gain"][:] = pending[0] = 0.0


def _check_filter(rise, decay):
    for name, value in (("tau_rise", rise), ("tau_decay", decay)):
        check_number(f"Force.{name}", value, "of ms")
    if not 0 <= rise < decay:
        raise ParameterError(f"Force.tau_rise must be >= 0 and < tau_decay = {decay:g} ms, got {rise}")
    return float(rise), float(decay)


def _check_feedback(given, n, outputs):
    """Return the current of each neuron per unit of each output, or None."""
    if given is None:
        return None
    try:
        array = np.asarray(given, np.float64)
        array = np.broadcast_to(array[:, None] if array.ndim == 1 else array, (n, outputs))
    except (TypeError, ValueError):
        array = np.full(1, np.nan)
    if not np.isfinite(array).all():
        raise ParameterError(f"Force.feedback must be finite, a number or an array of shape ({n},) or "
                             f"({n}, {outputs}), got {describe_value(given)}")
    return np.array(array)  # a copy: what is described does not change
