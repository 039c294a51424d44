"""e-prop: gradients of recurrent spiking networks from eligibility traces that run forward in time."""

import os
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Literal

import numpy as np

from learning_rules.eprop_kernel import TEXT, filter_and_add
from neurosim.aliases import Choice, PerElement, Real, Whole
from neurosim.checks import Option, Parameter, Parametrised, check_seed, check_ticks, describe_value, required
from neurosim.engine.loader import load_function
from neurosim.errors import ParameterError, SimulationError

GROUP = 4  #: samples whose gradients are summed by one thread; the sum does not depend on the number of threads


class Eprop(Parametrised, kw_only=False):
    r"""A recurrent network of leaky integrate-and-fire neurons with a leaky readout, and its e-prop gradients.

    With a tick of dt, alpha = exp(-dt / tau_mem), rho = exp(-dt / tau_adapt), kappa = exp(-dt / tau_out):

    v_j <- alpha v_j + gain (sum_i w_ij x_i + sum_i w_ij z_i(t - 1)) - v_threshold z_j(t - 1);
    b_j <- rho b_j + z_j(t - 1);   z_j = 1 where v_j > v_threshold + beta_j b_j and the last spike is over t_ref ago;
    y_k = sum_j w_jk zbar_j,   zbar_j <- kappa zbar_j + z_j.

    A neuron of beta = 0 is a LIF, another an ALIF. With the pseudo-derivative
    psi = (dampening / v_threshold) max(0, 1 - |v - v_threshold - beta b| / v_threshold), 0 while refractory, and the
    filtered input l_i <- alpha l_i + gain z_i, the eligibility of a synapse is

    e_ij = psi_j (l_i - beta_j a_ij),   a_ij <- rho a_ij + e_ij,   ebar_ij <- kappa ebar_ij + e_ij,

    and its gradient sum_t L_j ebar_ij with the learning signal L_j = sum_k B_jk (y_k - target_k), or softmax(y)_k in
    place of y_k for classes. B is the readout ("symmetric": the exact gradient, but for the paths from spike to spike,
    which are cut), fixed random numbers ("random"), or random numbers that change like the readout, both of them
    decaying ("adaptive"). The rate regularisation adds rate_weight (f_j - f_0) mean_t e_ij, f in spikes per tick.

    A synapse is touched in the ticks in which psi is not zero; nothing is stored over time.

    >>> model = Eprop(2, 5, 1, feedback="random", v_threshold=0.5)
    >>> weights = model.initial(seed=1)
    >>> sorted(weights), weights["w_rec"].shape
    (['feedback', 'w_in', 'w_out', 'w_rec'], (5, 5))
    >>> found = model.gradients(weights, np.ones((3, 50, 2)), np.ones((3, 50, 1)))
    >>> found.outputs.shape, found.w_in.shape, bool(found.loss > 0)
    ((3, 50, 1), (2, 5), True)

    Source: Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein, Maass, Nature Communications 11 (2020) 3625.
    """

    positional = 3
    n_in: Whole = required(Parameter(doc="number of inputs", at_least=1, integer=True, per_element=False))
    n: Whole = required(Parameter(doc="number of neurons", at_least=1, integer=True, per_element=False))
    n_out: Whole = required(Parameter(doc="number of outputs", at_least=1, integer=True, per_element=False))
    tau_mem: Real = Parameter(20.0, "ms", above=0, doc="membrane time constant", per_element=False)
    tau_out: Real = Parameter(20.0, "ms", above=0, doc="time constant of the readout", per_element=False)
    tau_adapt: Real = Parameter(200.0, "ms", above=0, doc="time constant of the adaptive threshold", per_element=False)
    beta: PerElement = Parameter(0.0, doc="rise of the threshold at a spike, a number or one per neuron; 0 for LIF",
                                 at_least=0)
    v_threshold: Real = Parameter(1.0, doc="threshold without adaptation", above=0, per_element=False)
    t_ref: Real = Parameter(0.0, "ms", at_least=0, doc="time after a spike without another", per_element=False)
    gain: Real = Parameter(1.0,
                           doc="factor of the input; 1 - alpha makes the membrane a mean", above=0, per_element=False)
    dampening: Real = Parameter(0.3,
                                doc="height of the pseudo-derivative times v_threshold", above=0, per_element=False)
    rate_target: Real = Parameter(10.0, "Hz", at_least=0,
                                  doc="rate f_0 to which the neurons are drawn", per_element=False)
    rate_weight: Real = Parameter(0.0, doc="strength of the rate regularisation", at_least=0, per_element=False)
    feedback_decay: Real = Parameter(0.0, doc="decay of w_out and feedback, for feedback='adaptive'", at_least=0,
                                     per_element=False)
    dt: Real = Parameter(1.0, "ms", above=0, doc="length of a tick", per_element=False)
    feedback: Choice[Literal["symmetric", "random", "adaptive"]] = Option(
        "symmetric", ("symmetric", "random", "adaptive"), doc="how errors reach the neurons")
    loss: Choice[Literal["squared", "softmax"]] = Option("squared", ("squared", "softmax"),
                                                         doc="squared error, or cross-entropy of classes")

    def validate(self):
        if np.ndim(self.beta) and np.size(self.beta) != self.n:
            raise ParameterError(f"Eprop.beta must have one value per neuron, {self.n}, got {np.size(self.beta)}")
        if not isinstance(self.beta, (float, np.ndarray)):
            raise ParameterError(f"Eprop.beta must be numbers, got {describe_value(self.beta)}")
        check_ticks("Eprop.t_ref", self.t_ref, self.dt)

    def initial(self, seed: int = 0, dtype: str = "float32") -> dict:
        """Return random normal weights, divided by the root of the number of sources; feedback is not divided."""
        generator = np.random.Generator(np.random.Philox(check_seed("seed", seed)))
        n_in, n, n_out = self.n_in, self.n, self.n_out
        shapes = {"w_in": (n_in, n, n_in), "w_rec": (n, n, n), "w_out": (n, n_out, n), "feedback": (n, n_out, 1)}
        weights = {name: (generator.standard_normal((rows, columns)) / np.sqrt(below)).astype(dtype)
                   for name, (rows, columns, below) in shapes.items()}
        np.fill_diagonal(weights["w_rec"], 0.0)
        if self.feedback == "symmetric":
            del weights["feedback"]
        return weights

    def run(self, weights: dict, x, *, threads: int | None = None) -> SimpleNamespace:
        """Return `outputs` (samples, ticks, n_out) and spike `counts` (samples, n).

        Args:
            weights, x, threads: as of `gradients`.
        """
        return self._compute(weights, x, None, None, threads)

    def gradients(self, weights: dict, x, target, mask=None, *, threads: int | None = None) -> SimpleNamespace:
        """Return the loss and its e-prop gradients, means over the samples of sums over the ticks.

        Args:
            weights: as `initial` returns them; their float type is that of the computation.
            x: inputs, spikes or numbers, shape (samples, ticks, n_in).
            target: (samples, ticks, n_out) for the squared error, labels (samples,) for classes.
            mask: factor of each tick's loss, shape (ticks,); 1 by default.
            threads: how many samples are computed at once; by default one for each core.

        Returns:
            `loss`, `rate_loss`, `outputs`, `counts`, and gradients by the names of the weights.

        Raises:
            ParameterError: an argument does not fit.
            SimulationError: the loss or a gradient became infinite or undefined.
        """
        if target is None:
            raise ParameterError("Eprop.gradients: target must be given, got None")
        return self._compute(weights, x, target, mask, threads)

    # -- inside ------------------------------------------------------------------------------------------

    def _compute(self, weights, x, target, mask, threads):
        weights, real = self._check_weights(weights)
        x = _numbers("x", x, (None, None, self.n_in), real)
        samples, ticks = len(x), np.size(x, axis=1)
        learn = target is not None
        target = self._check_target(target, samples, ticks, real) if learn else np.zeros((samples, 1, self.n_out), real)
        mask = (np.full(ticks, learn, real) if mask is None else _numbers("mask", mask, (ticks,), real))
        both = np.concatenate([weights["w_in"], weights["w_rec"]])
        decay = [np.exp(-self.dt / tau) for tau in (self.tau_mem, self.tau_adapt, self.tau_out)]
        numbers = np.array([*decay, self.v_threshold, self.dampening / self.v_threshold, self.gain, 1, 0], real)
        beta = np.ascontiguousarray(np.broadcast_to(self.beta, self.n), real)
        broadcast = weights["w_out"] if self.feedback == "symmetric" else weights["feedback"]
        outputs = np.zeros((samples, ticks, self.n_out), real)
        counts = np.zeros((samples, self.n), np.int64)
        main = load_function("eprop", TEXT, {"filter_and_add": filter_and_add}, real)

        def part(first):
            some = slice(first, first + GROUP)
            sums = [np.zeros(shape, real) for shape in
                    ((self.n, self.n_in + self.n), (self.n, self.n_in + self.n), (self.n, self.n_out))]
            loss = main(x[some], target[some], mask, both, weights["w_out"], broadcast, beta, numbers,
                        round(self.t_ref / self.dt), self.loss == "softmax", learn, outputs[some], counts[some], *sums)
            return loss, *sums

        parts = _each(part, range(0, samples, GROUP), threads)
        found = SimpleNamespace(outputs=outputs, counts=counts)
        if learn:
            self._finish(found, [sum(each) for each in zip(*parts, strict=True)], weights, samples, ticks)
        return found

    def _finish(self, found, sums, weights, samples, ticks):
        loss, gradient, eligible, read = sums
        over = found.counts.mean(axis=0) / ticks - self.rate_target * self.dt * 1e-3
        found.loss, found.rate_loss = float(loss) / samples, 0.5 * self.rate_weight * float(over @ over)
        if not (np.isfinite(found.loss) and all(np.isfinite(array).all() for array in sums[1:])):
            raise SimulationError("Eprop: the loss or a gradient became infinite or undefined; look for too large "
                                  "weights or a too large learning rate")
        each = gradient / samples + (self.rate_weight * over / (samples * ticks))[:, None] * eligible
        each = np.ascontiguousarray(each.T).astype(gradient.dtype)
        found.w_in, found.w_rec, found.w_out = each[:self.n_in], each[self.n_in:], read / samples
        np.fill_diagonal(found.w_rec, 0.0)
        if self.feedback == "adaptive":
            found.feedback = found.w_out + self.feedback_decay * weights["feedback"]
            found.w_out = found.w_out + self.feedback_decay * weights["w_out"]

    def _check_weights(self, weights):
        n_in, n, n_out = self.n_in, self.n, self.n_out
        shapes = {"w_in": (n_in, n), "w_rec": (n, n), "w_out": (n, n_out)}
        shapes |= {} if self.feedback == "symmetric" else {"feedback": (n, n_out)}
        if not isinstance(weights, dict) or set(weights) != set(shapes):
            raise ParameterError(f"Eprop: weights must be a dict of {', '.join(shapes)}, as initial() returns it, "
                                 f"got {describe_value(weights)}")
        real = np.float64 if np.asarray(weights["w_in"]).dtype == np.float64 else np.float32
        checked = {name: _numbers(name, weights[name], shape, real) for name, shape in shapes.items()}
        if np.diagonal(checked["w_rec"]).any():
            raise ParameterError("Eprop: w_rec must be 0 on its diagonal: no neuron has a synapse with itself")
        return checked, real

    def _check_target(self, target, samples, ticks, real):
        if self.loss == "squared":
            return _numbers("target", target, (samples, ticks, self.n_out), real)
        labels = np.asarray(target)
        if labels.shape != (samples,) or labels.dtype.kind not in "iu" or labels.size and (
                labels.min() < 0 or labels.max() >= self.n_out):
            raise ParameterError(f"Eprop: target must be {samples} labels in 0 .. {self.n_out - 1}, "
                                 f"got {describe_value(target)}")
        return np.eye(self.n_out, dtype=real)[labels][:, None, :]


def _numbers(name, given, shape, real):
    """Return an array of a float type; raise ParameterError for another shape, or what is not finite."""
    text = "(" + ", ".join(label if size is None else str(size) for label, size in
                           zip(("samples", "ticks", ""), shape, strict=False)) + ")"
    try:
        array = np.ascontiguousarray(given, real)
    except (TypeError, ValueError):
        array = np.empty(0)
    fits = array.ndim == len(shape) and all(want in (None, size) for want, size in zip(shape, array.shape, strict=True))
    if not fits or array.size == 0 or not np.isfinite(array).all():
        raise ParameterError(f"Eprop: {name} must be finite numbers of shape {text}, got {describe_value(given)}")
    return array


def _each(function, items, threads):
    """Return the values of a function that lets go of the interpreter, several at once, in order."""
    threads = os.cpu_count() or 1 if threads is None else threads
    if threads == 1 or len(items) == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
