"""An echo state network: a random recurrent network of rate units."""

import inspect
from collections.abc import Callable
from typing import Literal

import numpy as np

from neurosim.aliases import Choice, PerElement, Real, Whole
from neurosim.checks import Option, Parameter, Seed, check_numbers, computed, describe_value, required
from neurosim.contracts import Device
from neurosim.errors import NeurosimError, ParameterError, UnsupportedError
from neurosim.reservoirs.onion import onion, orthogonal
from neurosim.reservoirs.rates import Dynamics, RateReservoir, of_units

_DENSE = 2000  # units that depend on each other up to which all eigenvalues are computed
PROGRAMMING, READING, LEAKS = 1, 2, 3  # streams of random numbers beside those of the weights


def _share(default, doc, per_element=False):
    return Parameter(default, doc=doc, above=0, at_most=1, per_element=per_element)


def _gain(default, doc):
    return Parameter(default, doc=doc, at_least=0, per_element=False)


class _Activation(Option):
    """A function by name, or any function of an array."""

    def check(self, owner, value):
        """Return the name or the function; raise ParameterError."""
        if callable(value) and not isinstance(value, type):
            return value
        try:
            return super().check(owner, value)
        except ParameterError:
            raise ParameterError(f"{owner}.{self.name} must be {self.bounds.replace(' | ', ' or ')}, or a function of "
                                 f"an array such as a programmed ramp converter, got {describe_value(value)}") from None


class _Layer(Option):
    """A device layer, or None."""

    def check(self, owner, value):
        """Return the layer; raise ParameterError where it is none, UnsupportedError where it has no matrix product."""
        if value is None:
            return None
        if not isinstance(value, Device):
            raise ParameterError(f"{owner}.{self.name} must be a device layer or None, got {describe_value(value)}")
        value.matmul(np.zeros((1, 1)), np.zeros((1, 1)), np.random.default_rng(0))  # or it is refused here, by its name
        return value


class EchoState(RateReservoir, kw_only=False):
    r"""An echo state network of leaky tanh units; only a readout of its states is trained.

    x(t) = (1 - leak) R x(t - 1) + leak f(W x(t - 1) + W_in u(t) + b),  f = tanh or identity, R = 1 or a rotation,

    from x = 0. This is ReservoirPy's `Reservoir` with equation="internal": leak is its lr, spectral_radius its sr,
    density its rc_connectivity (0.1 in both), input_density its input_connectivity (1 here, 0.1 there), and W is
    normal, W_in and b are +-1 times their scale (no bias here by default). The random numbers are not the same. Input
    u(t) acts on x(t) at once.

    Args:
        units: number of units.
        inputs: number of input features.
        spectral_radius: largest size of an eigenvalue of W.
        leak: leak rate, 0 to 1; 1 keeps nothing but what W carries over. An array or a distribution gives units
            time scales of their own, 1 / leak steps.
        carry: "same": a unit keeps its own state, R = 1; "orthogonal": R is a random orthogonal matrix, so that what is
            kept turns and does not shrink; leak is then what the source calls proximity, near 0 for a long memory.
        input_scaling: size of the input weights.
        bias_scaling: size of the biases.
        density: share of the pairs of units that are connected.
        input_density: share of the pairs of input and unit that are connected.
        weights: "normal": independent normal numbers; "orthogonal": a random orthogonal matrix times
            spectral_radius, always dense; "onion": as many groups of units as there are rings, which do not reach each
            other. The eigenvalues of group k, from 0 on, have sizes between k and k + 1 times spectral_radius / rings,
            so that each group has its own speed of forgetting; all units of a group are connected.
        rings: number of groups of an onion.
        activation: "tanh", "identity", or a function of an array, such as a programmed ramp converter
            (`hardware_models.ramp_adc`); one that has an argument `generator` is given the generator of the noise.
        device: a device layer that holds W and W_in, or None: the array `matrix` of inputs + units rows, one device (or
            pair) for each entry, those that are 0 included. It is programmed once; where it reads with noise, every
            product does. The bias is digital. `device.fitted(network.matrix)` sets the range of a memristor.
        age: ms since the devices were programmed.
        seed: of the weights, the errors of programming, and by default of the noise.

    Attributes:
        w, w_in, bias: weights as they act, shapes (units, units), (units, inputs) and (units,).
        leaks: leak rate of each unit, shape (units,).
        turn: R, shape (units, units), or None where it is 1.
        not_finite: how many weights are infinite or undefined, which only a device that says so may make of them.

    Raises:
        ParameterError: an argument does not fit, or W has no eigenvalue but 0.
        UnsupportedError: the read of the device takes what only a synapse of a network has.

    It is one of scikit-learn's transformers: it goes into pipelines and searches; only `set_params` changes it.

    >>> import numpy as np
    >>> network = EchoState(50, spectral_radius=0.9, seed=1)
    >>> network.transform(np.sin(np.arange(100.0))[:, None]).shape
    (100, 50)

    Source: Jaeger, The "echo state" approach, GMD report 148 (2001); Jaeger et al., Neural Networks 20 (2007) 335, for
    leaky units; Trouvain et al., ReservoirPy, ICANN 2020, for the names; Tanaka et al., Physical Review Research 4
    (2022) L032014, for time scales that differ; Ceni, Gallicchio, IEEE Transactions on Neural Networks and Learning
    Systems 36 (2025) 7555, for R (ES2N); Tortorella, Micheli, ICANN 2024, LNCS 15025, 117, for the onion, of whose
    abstract this is a reading: equal groups, rings of equal width and normal matrices are our own.
    """

    positional = 2
    units: Whole = required(Parameter(doc="number of units", integer=True, at_least=1, per_element=False))
    inputs: Whole = Parameter(1, doc="number of input features", integer=True, at_least=1, per_element=False)
    spectral_radius: Real = _gain(0.9, "largest size of an eigenvalue of W")
    leak: PerElement = _share(1.0, "leak rate", per_element=True)
    carry: Choice[Literal["same", "orthogonal"]] = Option("same", ("same", "orthogonal"),
                                                                  doc="how a unit keeps its state")
    input_scaling: Real = _gain(1.0, "size of the input weights")
    bias_scaling: Real = _gain(0.0, "size of the biases")
    density: Real = _share(0.1, "share of the pairs of units that are connected")
    input_density: Real = _share(1.0, "share of the pairs of input and unit that are connected")
    weights: Choice[Literal["normal", "orthogonal", "onion"]] = Option("normal", ("normal", "orthogonal", "onion"),
                                                                       doc="how W is drawn")
    rings: Whole = Parameter(5, doc="number of groups of an onion", integer=True, at_least=1, per_element=False)
    activation: Choice[Literal["tanh", "identity"] | Callable[[np.ndarray], np.ndarray]] = _Activation(
        "tanh", ("tanh", "identity"), doc="what a unit does to its input")
    device: Choice[Device | None] = _Layer(None, (None,), doc="layer of devices that holds the weights")
    age: Real = Parameter(0.0, "ms", doc="time since the devices were programmed", at_least=0, per_element=False)
    seed: Whole = Seed("seed of the weights")

    w: np.ndarray = computed()
    w_in: np.ndarray = computed()
    bias: np.ndarray = computed()
    leaks: np.ndarray = computed()
    turn: np.ndarray | None = computed()
    _dynamics: Dynamics = computed()
    not_finite: int = computed()
    _noisy_activation: bool = computed()

    def validate(self):
        """Draw the weights, program them into the devices, and try the activation."""
        generator = np.random.default_rng(self.seed)
        self.__dict__["w"] = self._recurrent(generator)
        signs = _bernoulli((self.units, self.inputs), self.input_density, generator)
        self.__dict__["w_in"] = self.input_scaling * signs
        self.__dict__["bias"] = self.bias_scaling * _bernoulli(self.units, 1.0, generator)
        self.__dict__["not_finite"] = 0
        if self.device is not None:
            self._program(self.device)
        self._check_activation()
        beside = np.random.default_rng([self.seed, LEAKS])
        self.__dict__["leaks"] = of_units(self, "leak", beside)
        self.__dict__["turn"] = None if self.carry == "same" else orthogonal(self.units, beside)

    def _program(self, device: Device):
        held = np.asarray(device.program(self.matrix, np.random.default_rng([self.seed, PROGRAMMING])))
        if self.age:
            held = np.asarray(device.age(held, self.age))
        bad = int(np.count_nonzero(~np.isfinite(held)))
        if held.shape != self.matrix.shape or (bad and not device.may_be_infinite):
            raise ParameterError(f"{type(device).__name__}.program must return one finite weight for each entry "
                                 f"of the matrix, got {describe_value(held)} with {bad} that are not finite")
        self.__dict__.update(w_in=held[:self.inputs].T, w=held[self.inputs:].T, not_finite=bad)

    def _check_activation(self):
        if isinstance(self.activation, str):
            return
        self.__dict__["_noisy_activation"] = "generator" in _arguments(self.activation)
        try:
            found = np.asarray(self._activate(np.zeros((1, self.units)), self._noise(None)), np.float64)
            got = describe_value(found)
        except NeurosimError:
            raise
        except (TypeError, ValueError) as error:
            found, got = np.empty(0), f"{type(error).__name__}: {error}"
        if found.shape != (1, self.units) or not np.isfinite(found).all():
            raise ParameterError(f"EchoState.activation must return one finite number for each of {self.units} inputs, "
                                 f"got {got}")

    @property
    def matrix(self) -> np.ndarray:
        """W_in and W as one array of inputs + units rows and a column for each unit, as a crossbar holds them."""
        return np.concatenate([self.w_in.T, self.w.T])

    def _recurrent(self, generator):
        if self.weights == "orthogonal":
            return self.spectral_radius * orthogonal(self.units, generator)
        if self.weights == "onion":
            if self.rings > self.units:
                raise ParameterError(f"EchoState.rings must be at most the number of units, {self.units}, got "
                                     f"{self.rings}")
            return onion(self.units, self.rings, self.spectral_radius, generator)
        shape = self.units, self.units
        w = np.where(generator.random(shape) < self.density, generator.normal(size=shape), 0.0)
        return w if self.spectral_radius == 0 and not w.any() else _scaled(w, self.spectral_radius)

    def transform(self, X, start=None, generator=None) -> np.ndarray:
        """Return the states for inputs over time.

        Args:
            X: inputs, shape (times, inputs), or (samples, times, inputs) for independent samples.
            start: state before the first input, shape (units,) or (samples, units); 0 by default.
            generator: numpy generator of the noise of device and activation; by default one made from the seed, so
                that the same inputs give the same states.

        Returns:
            states after each input, shape (times, units) or (samples, times, units). They are finite unless weights
            are not.

        Raises:
            ParameterError: X or start is of another shape or not finite.
        """
        if self._exact:
            return super().transform(X, start)
        X = self._checked(X)
        state, noise = self._start(start, X.shape[:-2]), self._noise(generator)
        states = np.empty((*X.shape[:-1], self.units))
        recurrent = self._product(self.w)
        with np.errstate(invalid="ignore", over="ignore") if self.not_finite else np.errstate():
            drive = self._product(self.w_in)(X, noise) + self.bias
            for time in range(X.shape[X.ndim - 2]):
                state = self._step(state, drive[..., time, :], recurrent, noise)
                states[..., time, :] = state
        return states

    @property
    def dynamics(self) -> Dynamics:
        """What the units do, without noise and where their activation is known by name."""
        if "_dynamics" not in self.__dict__:
            self.__dict__["_dynamics"] = Dynamics(self.w, 1.0 - self.leaks, self.leaks, 1.0, str(self.activation),
                                                  self.turn)
        return self._dynamics

    def drive(self, X) -> np.ndarray:
        """Return what inputs of shape (times, inputs) add to the recurrent sums: a new array (times, units)."""
        driven = X @ self.w_in.T
        driven += self.bias
        return driven

    @property
    def _exact(self):
        """Whether the compiled loop does what the units do."""
        noisy = self.device is not None and self.device.read is not None
        return isinstance(self.activation, str) and not noisy and not self.not_finite

    def step(self, state, u, generator=None) -> np.ndarray:
        """Return the state after one input u, shape (inputs,), from a state of shape (units,).

        Where device or activation are noisy, a numpy generator is needed.
        """
        if self._exact:
            return super().step(state, u)
        u, state = self._one(state, u)
        drive = self._product(self.w_in)(u, generator) + self.bias
        return self._step(state, drive, self._product(self.w), generator)

    def jacobian(self, state, u) -> np.ndarray:
        """Return the derivative of `step(state, u)` by the state without noise, shape (units, units).

        Raises:
            UnsupportedError: the activation is a function of the user, whose derivative is not known.
        """
        if not isinstance(self.activation, str):
            raise UnsupportedError("EchoState.jacobian must know the derivative of the activation: use 'tanh' or "
                                   "'identity', or lyapunov_by_perturbation")
        slope = np.ones(self.units)
        if self.activation == "tanh":
            slope = 1.0 - np.tanh(self.w @ state + self.w_in @ np.atleast_1d(u) + self.bias) ** 2
        kept = np.eye(self.units) if self.turn is None else self.turn
        return (1.0 - self.leaks)[:, None] * kept + (self.leaks * slope)[:, None] * self.w

    def _step(self, state, drive, recurrent, generator):
        kept = state if self.turn is None else state @ self.turn.T
        return (1.0 - self.leaks) * kept + self.leaks * self._activate(recurrent(state, generator) + drive, generator)

    def _activate(self, inner, generator):
        if isinstance(self.activation, str):
            return np.tanh(inner) if self.activation == "tanh" else inner
        function: Callable[..., np.ndarray] = self.activation
        return function(inner, generator=generator) if self._noisy_activation else function(inner)

    def _noise(self, generator):
        return np.random.default_rng([self.seed, READING]) if generator is None else generator

    def _product(self, weights):
        """Return the function of (x, generator) that is x weights^T, as the devices read them."""
        device = self.device
        if device is not None and device.read is not None:
            matrix = np.ascontiguousarray(weights.T)
            moments = device.read_moments(matrix)
            return lambda x, generator: device.matmul(x, matrix, generator, moments)
        transposed = weights.T
        return lambda x, generator: x @ transposed


def _arguments(function) -> list[str]:
    try:  # an object may have a signature of another kind, that of its class
        return list(inspect.signature(function if inspect.isroutine(function) else function.__call__).parameters)
    except ValueError:  # some compiled functions do not tell
        return []


def spectral_radius(matrix) -> float:
    """Return the largest size of an eigenvalue of a square matrix.

    The eigenvalues are those of the groups of units that reach each other (strongly connected components); a matrix
    without a cycle has none but 0, and exactly so.

    >>> round(spectral_radius([[0.0, 2.0], [-2.0, 0.0]]), 9)
    2.0
    >>> spectral_radius([[0.0, 2.0], [0.0, 0.0]])
    0.0
    """
    from scipy.sparse.csgraph import connected_components

    matrix = check_numbers("spectral_radius.matrix", matrix)
    if matrix.ndim != 2 or len(set(matrix.shape)) > 1:
        raise ParameterError(f"spectral_radius.matrix must be square, got an array of shape {matrix.shape}")
    n, group = connected_components(matrix != 0, connection="strong")
    alone = np.bincount(group, minlength=n) == 1
    largest = float(np.abs(np.diagonal(matrix)[alone[group]]).max(initial=0.0))
    for k in np.flatnonzero(~alone):
        members = np.flatnonzero(group == k)
        largest = max(largest, _largest_eigenvalue(matrix[np.ix_(members, members)]))
    return largest


def _largest_eigenvalue(matrix) -> float:
    """Return its size: of all eigenvalues of a small matrix; of a large one where two starts of ARPACK agree."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import ArpackError, eigs

    if len(matrix) > _DENSE:
        sparse, rng = csr_array(matrix), np.random.default_rng(0)
        try:  # few Lanczos vectors miss the largest of many eigenvalues of about one size
            found = [np.abs(eigs(sparse, k=6, ncv=120, v0=rng.normal(size=len(matrix)), maxiter=200,
                                 return_eigenvectors=False)).max() for _ in range(2)]
            if abs(found[0] - found[1]) <= 1e-9 * found[0]:
                return float(found[0])
        except ArpackError:
            pass
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def _scaled(w, radius):
    present = spectral_radius(w)
    if present == 0:
        raise ParameterError(f"EchoState.density must be large enough that W has an eigenvalue other than 0, "
                             f"got a W with {np.count_nonzero(w)} weights")
    return w * (radius / present)


def _bernoulli(shape, density, generator):
    """Return +1 or -1 with equal probability, 0 for the share that is not connected."""
    signs = generator.choice([-1.0, 1.0], shape)
    return np.where(generator.random(shape) < density, signs, 0.0)


__all__ = ["EchoState", "spectral_radius"]
