"""An echo state network of excitatory and inhibitory rate units, whose inhibition adapts to target rates."""

from typing import Literal, Self

import numpy as np

from neurosim.aliases import Choice, Flag, PerElement, PerElementOrNone, Real, Whole
from neurosim.checks import Option, Parameter, Seed, computed, required
from neurosim.errors import ParameterError
from neurosim.reservoirs.rates import Dynamics, RateReservoir, of_units

_TARGETS, _THRESHOLDS = 1, 2  # streams of random numbers beside those of the weights


def _positive(default, doc):
    return Parameter(default, doc=doc, above=0, per_element=False)


class BalancedEchoState(RateReservoir, kw_only=False):
    r"""An echo state network under Dale's law: rates, excitation and inhibition that balance, and local adaptation.

    r(t) = 1 / (1 + exp(-slope (W r(t - 1) + W_in u(t) - threshold))),   W = A_E - A_I,

    from r = 0; A_E and A_I are >= 0 and have columns of their own. A pair of units is connected with probability
    degree / units; excitatory weights are normal (and >= 0) with mean 1 / (degree excitatory), a spread of a fifth of
    it, and inhibitory ones have means larger by inhibition excitatory / (1 - excitatory), so that at inhibition = 1
    both cancel in the mean. Units differ in how many inputs they have, so no inhibition that all share balances each.

    With a `target` of rates, `fit(X)` adapts each unit's inhibition (or threshold) to its own rate and then leaves it:

    - `rule="one_step"`: the inhibition of unit i is scaled by (A_E rho + W_in <u> - threshold - logit(rho) / slope)_i /
      (A_I rho)_i, so that rates rho are the fixed point under the mean input <u>;
    - `rule="online"`: A_I,ij += rate (r_i - rho_i) (times r_j where `presynaptic`) at every step for weights that
      exist, never below 0; in the second half of X at a tenth of the rate.

    Args:
        units, inputs: numbers of units and of input features.
        excitatory: share of the units that excite; they come first.
        degree: mean number of inputs of a unit from others, itself included.
        inhibition: strength of inhibition before adaptation; 1 balances, more than 1 is dominated by inhibition.
        slope, threshold: of the sigmoid; the threshold may be an array or a distribution.
        input_scaling: W_in is uniform between -+ this.
        input_density: share of the units that have input.
        target: rates to adapt to, in (0, 1): a number, an array or a distribution; None for no adaptation.
        rule: "one_step" or "online".
        adapts: "inhibition" or, as a control, "threshold".
        rate: of the online rule.
        presynaptic: whether the online rule has the factor r_j.
        seed: of the weights and of drawn targets.

    Attributes:
        w, w_in, thresholds: before adaptation, shapes (units, units), (units, inputs) and (units,).
        w_, thresholds_: after it.
        targets_: rates asked for, shape (units,).
        unreached_: how many units cannot have their target, as they would need excitation or have no inhibition.

    Raises:
        ParameterError: an argument does not fit, or a network with targets is used before `fit`.

    It is one of scikit-learn's transformers: it goes into pipelines and searches; only `fit` and `set_params`
    change it.

    >>> import numpy as np
    >>> u = np.random.default_rng(0).uniform(-1, 1, (500, 1))
    >>> network = BalancedEchoState(100, target=0.5, seed=1)
    >>> bool(abs(network.fit_transform(u)[100:].mean() - 0.5) < 0.02)
    True

    Source: Srinivasan, Plenz, Girvan, Boosting reservoir computing with brain-inspired adaptive dynamics,
    arXiv 2504.12480 (2025); constants as others report them.
    """

    positional = 2
    units: Whole = required(Parameter(doc="number of units", integer=True, at_least=2, per_element=False))
    inputs: Whole = Parameter(1, doc="number of input features", integer=True, at_least=1, per_element=False)
    excitatory: Real = Parameter(0.8, doc="share of units that excite", above=0, below=1, per_element=False)
    degree: Real = _positive(50.0, "mean number of inputs of a unit")
    inhibition: Real = Parameter(1.0, doc="strength of inhibition", at_least=0, per_element=False)
    slope: Real = _positive(10.0, "slope of the sigmoid")
    threshold: PerElement = Parameter(0.0, doc="threshold of the sigmoid")
    input_scaling: Real = Parameter(0.5, doc="largest input weight", at_least=0, per_element=False)
    input_density: Real = Parameter(0.3, doc="share of units with input", above=0, at_most=1, per_element=False)
    target: PerElementOrNone = Parameter(None, doc="rate to adapt to", above=0, below=1, optional=True)
    rule: Choice[Literal["one_step", "online"]] = Option("one_step", ("one_step", "online"), doc="how units adapt")
    adapts: Choice[Literal["inhibition", "threshold"]] = Option("inhibition", ("inhibition", "threshold"),
                                                                 doc="what adapts")
    rate: Real = _positive(0.01, "rate of the online rule")
    presynaptic: Flag = Option(False, (False, True), doc="whether the online rule has the factor r_j")
    seed: Whole = Seed("seed of the weights")

    w: np.ndarray = computed()
    w_in: np.ndarray = computed()
    thresholds: np.ndarray = computed()
    targets_: np.ndarray = computed()
    w_: np.ndarray = computed()
    thresholds_: np.ndarray = computed()
    unreached_: int = computed()
    _dynamics: Dynamics = computed()

    def validate(self):
        """Draw the weights."""
        if self.degree > self.units:
            raise ParameterError(f"BalancedEchoState.degree must be <= units = {self.units}, got {self.degree:g}")
        generator, n = np.random.default_rng(self.seed), self.units
        many = self._excitatory
        if not 0 < many < n:
            raise ParameterError(f"BalancedEchoState.excitatory must leave units of both kinds, got "
                                 f"{self.excitatory:g} of {n}")
        share = many / n
        mean = np.where(np.arange(n) < many, 1.0, share / (1.0 - share)) / (self.degree * share)
        drawn = np.maximum(mean * (1.0 + 0.2 * generator.normal(size=(n, n))), 0.0)
        w = np.where(generator.random((n, n)) < self.degree / n, drawn, 0.0)
        w[:, many:] *= -self.inhibition
        fed = generator.random(n) < self.input_density
        w_in = self.input_scaling * generator.uniform(-1.0, 1.0, (n, self.inputs)) * fed[:, None]
        thresholds = of_units(self, "threshold", np.random.default_rng([self.seed, _THRESHOLDS]))
        self.__dict__.update(w=w, w_in=w_in, thresholds=thresholds)
        if self.target is not None:
            self._rates()  # or they are refused

    @property
    def _excitatory(self):
        return round(self.excitatory * self.units)

    def _rates(self):
        return of_units(self, "target", np.random.default_rng([self.seed, _TARGETS]))

    def fit(self, X=None, y=None) -> Self:
        """Adapt to inputs of shape (times, inputs), or (samples, times, inputs), and return the object.

        What was adapted before is forgotten. Samples are gone through one after the other. Without a target there is
        nothing to adapt, and X is not looked at.
        """
        if self.target is None:
            return self
        X = self._checked(X)
        if not X.size:
            raise ParameterError("BalancedEchoState.X must hold at least one time to adapt to, got none")
        rho = self._rates()
        adapted = self._one_step(X, rho) if self.rule == "one_step" else self._online(X.reshape(-1, self.inputs), rho)
        self.__dict__.pop("_dynamics", None)
        self.__dict__.update(zip(("w_", "thresholds_", "unreached_"), adapted, strict=True), targets_=rho)
        return self

    def fit_transform(self, X, y=None) -> np.ndarray:
        """Adapt to X and return the states for it."""
        return self.fit(X).transform(X)

    def __sklearn_is_fitted__(self) -> bool:
        return self.target is None or "w_" in self.__dict__

    @property
    def dynamics(self) -> Dynamics:
        """What the units do, after adaptation where there is a target."""
        if not self.__sklearn_is_fitted__():
            raise ParameterError("BalancedEchoState must be fitted before it is used, as it has target rates: call "
                                 "fit(X) with inputs like those to come")
        if "_dynamics" not in self.__dict__:
            w = self.w if self.target is None else self.w_
            n = self.units
            self.__dict__["_dynamics"] = Dynamics(w, np.zeros(n), np.ones(n), self.slope, "sigmoid")
        return self._dynamics

    def drive(self, X) -> np.ndarray:
        """Return what inputs of shape (times, inputs) add to the recurrent sums: a new array (times, units)."""
        driven = X @ self.w_in.T
        driven -= self.thresholds if self.target is None else self.thresholds_
        return driven

    def jacobian(self, state, u) -> np.ndarray:
        """Return the derivative of `step(state, u)` by the state, shape (units, units)."""
        after = self.step(state, u)
        return (self.slope * after * (1.0 - after))[:, None] * self.dynamics.w

    def _one_step(self, X, rho):
        """Return weights and thresholds of which rho is the fixed point, and how many units cannot have it."""
        many = self._excitatory
        wanted = np.log(rho / (1.0 - rho)) / self.slope
        drive = self.w[:, :many] @ rho[:many] + self.w_in @ X.reshape(-1, self.inputs).mean(axis=0)
        inhibits = -self.w[:, many:] @ rho[many:]
        if self.adapts == "threshold":
            return self.w.copy(), drive - inhibits - wanted, 0
        needed = drive - self.thresholds - wanted
        possible = (inhibits > 0) & (needed >= 0)
        scale = np.where(needed < 0, 0.0, 1.0)
        scale[possible] = needed[possible] / inhibits[possible]
        w = self.w.copy()
        w[:, many:] *= scale[:, None]
        return w, self.thresholds.copy(), int(np.count_nonzero(~possible))

    def _online(self, X, rho):
        """Return what the online rule leads to, and how many units have no inhibition left."""
        many, w, thresholds = self._excitatory, self.w.copy(), self.thresholds.copy()
        state, inhibition = np.zeros(self.units), -w[:, many:]
        there = inhibition > 0
        for t, drive in enumerate(X @ self.w_in.T):
            before = state
            state = 1.0 / (1.0 + np.exp(-self.slope * (w @ before + drive - thresholds)))
            step = self.rate * (1.0 if 2 * t < len(X) else 0.1) * (state - rho)
            if self.adapts == "threshold":
                thresholds += step
                continue
            inhibition += step[:, None] * (there * before[many:] if self.presynaptic else there)
            np.maximum(inhibition, 0.0, out=inhibition)
            w[:, many:] = -inhibition
        gone = 0 if self.adapts == "threshold" else int(np.count_nonzero(inhibition.sum(axis=1) == 0))
        return w, thresholds, gone


__all__ = ["BalancedEchoState"]
