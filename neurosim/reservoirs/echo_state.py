"""An echo state network: a random recurrent network of rate units."""

import numpy as np

from neurosim.checks import Option, Parameter, Parametrised, describe_value
from neurosim.errors import ParameterError

_DENSE = 2000  # units up to which the spectral radius comes from all eigenvalues


def _share(default, doc):
    return Parameter(default, doc=doc, above=0, at_most=1, per_element=False)


def _gain(default, doc):
    return Parameter(default, doc=doc, at_least=0, per_element=False)


class EchoState(Parametrised):
    r"""An echo state network of leaky tanh units; only a readout of its states is trained.

    x(t) = (1 - leak) x(t - 1) + leak f(W x(t - 1) + W_in u(t) + b),  f = tanh or identity,

    from x = 0. This is ReservoirPy's `Reservoir` with equation="internal": leak is its lr, spectral_radius its sr,
    density its rc_connectivity (0.1 in both), input_density its input_connectivity (1 here, 0.1 there), and W is
    normal, W_in and b are +-1 times their scale (no bias here by default). The random numbers are not the same. Input
    u(t) acts on x(t) at once.

    Args:
        units: number of units.
        inputs: number of input features.
        spectral_radius: largest size of an eigenvalue of W.
        leak: leak rate, 0 to 1; 1 keeps nothing but what W carries over.
        input_scaling: size of the input weights.
        bias_scaling: size of the biases.
        density: share of the pairs of units that are connected.
        input_density: share of the pairs of input and unit that are connected.
        weights: "normal": independent normal numbers; "orthogonal": a random orthogonal matrix times
            spectral_radius, always dense.
        activation: "tanh" or "identity".
        seed: of the weights.

    Raises:
        ParameterError: an argument does not fit, or W has no eigenvalue but 0.

    >>> import numpy as np
    >>> network = EchoState(50, spectral_radius=0.9, seed=1)
    >>> network.transform(np.sin(np.arange(100.0))[:, None]).shape
    (100, 50)

    Source: Jaeger, The "echo state" approach, GMD report 148 (2001); Jaeger et al., Neural Networks 20 (2007) 335, for
    leaky units; Trouvain et al., ReservoirPy, ICANN 2020, for the names.
    """

    positional = 2
    units = Parameter(doc="number of units", integer=True, at_least=1, per_element=False)
    inputs = Parameter(1, doc="number of input features", integer=True, at_least=1, per_element=False)
    spectral_radius = _gain(0.9, "largest size of an eigenvalue of W")
    leak = _share(1.0, "leak rate")
    input_scaling = _gain(1.0, "size of the input weights")
    bias_scaling = _gain(0.0, "size of the biases")
    density = _share(0.1, "share of the pairs of units that are connected")
    input_density = _share(1.0, "share of the pairs of input and unit that are connected")
    weights = Option("normal", ("normal", "orthogonal"), doc="how W is drawn")
    activation = Option("tanh", ("tanh", "identity"), doc="what a unit does to its input")
    seed = Parameter(0, doc="seed of the weights", integer=True, at_least=0, per_element=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        generator = np.random.default_rng(self.seed)
        self.__dict__["w"] = self._recurrent(generator)
        signs = _bernoulli((self.units, self.inputs), self.input_density, generator)
        self.__dict__["w_in"] = self.input_scaling * signs
        self.__dict__["bias"] = self.bias_scaling * _bernoulli(self.units, 1.0, generator)

    def _recurrent(self, generator):
        if self.weights == "orthogonal":
            q, r = np.linalg.qr(generator.normal(size=(self.units, self.units)))
            return self.spectral_radius * q * np.sign(np.diag(r))
        shape = self.units, self.units
        w = np.where(generator.random(shape) < self.density, generator.normal(size=shape), 0.0)
        return w if self.spectral_radius == 0 and not w.any() else _scaled(w, self.spectral_radius)

    def fit(self, X=None, y=None) -> "EchoState":
        """Return the network itself: its weights are not trained."""
        return self

    def transform(self, X, start=None) -> np.ndarray:
        """Return the states for inputs over time.

        Args:
            X: inputs, shape (times, inputs), or (samples, times, inputs) for independent samples.
            start: state before the first input, shape (units,) or (samples, units); 0 by default.

        Returns:
            states after each input, shape (times, units) or (samples, times, units).

        Raises:
            ParameterError: X or start is of another shape or not finite.
        """
        X = self._checked(X)
        state = self._start(start, X.shape[:-2])
        drive = X @ self.w_in.T + self.bias
        states = np.empty(drive.shape)
        transposed = self._operator()
        for time in range(X.shape[-2]):
            state = self._step(state, drive[..., time, :], transposed)
            states[..., time, :] = state
        return states

    def fit_transform(self, X, y=None) -> np.ndarray:
        """Return `transform(X)`."""
        return self.transform(X)

    def step(self, state, u) -> np.ndarray:
        """Return the state after one input u, shape (inputs,), from a state of shape (units,)."""
        return self._step(np.asarray(state, np.float64), self.w_in @ np.atleast_1d(u) + self.bias, self.w.T)

    def jacobian(self, state, u) -> np.ndarray:
        """Return the derivative of `step(state, u)` by the state, shape (units, units)."""
        slope = np.ones(self.units)
        if self.activation == "tanh":
            slope = 1.0 - np.tanh(self.w @ state + self.w_in @ np.atleast_1d(u) + self.bias) ** 2
        return (1.0 - self.leak) * np.eye(self.units) + self.leak * slope[:, None] * self.w

    def _step(self, state, drive, transposed):
        inner = state @ transposed + drive
        return (1.0 - self.leak) * state + self.leak * (np.tanh(inner) if self.activation == "tanh" else inner)

    def _operator(self):
        """Return W transposed, sparse where that is faster."""
        if np.count_nonzero(self.w) > 0.1 * self.w.size or self.units < 300:
            return self.w.T
        from scipy.sparse import csc_array

        return csc_array(self.w.T)

    def _checked(self, X):
        try:
            array = np.asarray(X, np.float64)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.ndim not in (2, 3) or array.shape[-1] != self.inputs:
            raise ParameterError(f"EchoState.X must be an array of shape (times, {self.inputs}) or (samples, times, "
                                 f"{self.inputs}), got {describe_value(X)}")
        if not np.isfinite(array).all():
            raise ParameterError("EchoState.X must be finite, got an array with other values")
        return array

    def _start(self, start, samples):
        if start is None:
            return np.zeros((*samples, self.units))
        start = np.asarray(start, np.float64)
        if start.shape not in ((self.units,), (*samples, self.units)) or not np.isfinite(start).all():
            raise ParameterError(f"EchoState.start must be finite numbers of shape {(*samples, self.units)}, "
                                 f"got {describe_value(start)}")
        return np.broadcast_to(start, (*samples, self.units))


def spectral_radius(matrix) -> float:
    """Return the largest size of an eigenvalue of a square matrix.

    >>> round(spectral_radius([[0.0, 2.0], [-2.0, 0.0]]), 9)
    2.0
    """
    matrix = np.asarray(matrix, np.float64)
    if len(matrix) <= _DENSE:
        return float(np.abs(np.linalg.eigvals(matrix)).max())
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import eigs

    start = np.random.default_rng(0).normal(size=len(matrix))
    return float(np.abs(eigs(csr_array(matrix), k=6, v0=start, return_eigenvectors=False)).max())


def _scaled(w, radius):
    present = spectral_radius(w)
    if present < 1e-9:
        raise ParameterError(f"EchoState.density must be large enough that W has an eigenvalue other than 0, "
                             f"got a W with {np.count_nonzero(w)} weights")
    return w * (radius / present)


def _bernoulli(shape, density, generator):
    """Return +1 or -1 with equal probability, 0 for the share that is not connected."""
    signs = generator.choice([-1.0, 1.0], shape)
    return np.where(generator.random(shape) < density, signs, 0.0)


__all__ = ["EchoState", "spectral_radius"]
