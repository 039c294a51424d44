"""What a device layer promises."""

import inspect
from typing import Any, ClassVar

import numpy as np

from neurosim.bodies import check_kind, check_once, check_returns, check_static, plain, starts
from neurosim.checks import Parametrised
from neurosim.contracts.equations import State
from neurosim.errors import ParameterError, UnsupportedError


class Device(Parametrised):
    """Base of the device layers: programmed once, read many times, updated by pulses, ageing.

    Whatever a device does not do it leaves out, and what is left out costs nothing.

    * `program(weights, generator)`: numpy; returns the weights that the devices hold after they
      were programmed, with errors drawn from the given generator.
    * `read(weight, ...)`: scalar body, run when a spike arrives; returns the weight that acts.
    * `update(weight, change, ...)`: scalar body; a plasticity rule wants to change the weight by
      `change`; returns the weight that the device then holds.
    * `age(weights, elapsed, since)`: numpy; returns the weights after `elapsed` ms more, of devices that
      were programmed `since` ms before; called by `Simulation.age`.
    * `read_array(weights, generator)`, `matmul(x, weights, generator, moments)` and `read_moments(weights)`: the same
      read for whole matrices, as echo states use them. By default they call `read` entry by entry, which is right and
      slow; a device with an equation for arrays gives its own.

    A device whose faults make weights infinite or undefined says so by `may_be_infinite`; a run that meets them stops,
    unless it is told to go on (`Simulation.run(..., allow_infinite=True)`).

    `read` and `update` may also take `normal` or `uniform`, a fresh random number for this synapse
    and tick, the variables in `state`, and the parameters, all by name.
    """

    state: ClassVar[dict[str, State]] = {}
    may_be_infinite: ClassVar[bool] = False  #: whether programmed weights may be infinite or undefined
    read: ClassVar[Any] = None
    update: ClassVar[Any] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_once(self, self._check_bodies)

    def _check_bodies(self) -> None:
        """Refuse what a class of one's own forgot, when it is first used."""
        check_static(self, ["read", "update"])
        check_kind(self, "state", State, "State(0.0)")
        p = plain(self)
        known = vars(p) | starts(self.state, p) | {"weight": 1.0, "change": 0.1, "normal": 0.5, "uniform": 0.5}
        for each in ("read", "update"):
            check_returns(self, each, known, ["weight"])

    def program(self, weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the weights that the devices hold after programming."""
        return weights

    def age(self, weights: np.ndarray, elapsed: float, since: float = 0.0) -> np.ndarray:
        """Return the weights after some ms without use, of devices that were programmed some ms before."""
        return weights

    def read_array(self, weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return what one read of every weight gives, with random numbers of their own.

        Raises:
            UnsupportedError: `read` takes what only a synapse of a network has.
        """
        if self.read is None:
            return weights
        weights = np.asarray(weights, dtype=np.float64)
        known = {name: value for name, value in self.values().items() if np.ndim(value) == 0 and np.isreal(value)}
        known |= {"weight": weights, "normal": generator.standard_normal(weights.shape),
                  "uniform": np.maximum(generator.random(weights.shape), 2.0**-54)}
        names = list(inspect.signature(self.read).parameters)
        for name in names:
            if name not in known:
                raise UnsupportedError(f"{type(self).__name__}.read takes {name!r}, which synapses of a network have "
                                       f"and a matrix has not; give it a read_array(weights, generator)")
        return np.vectorize(self.read, otypes=[np.float64])(*(known[name] for name in names))

    def matmul(self, x: np.ndarray, weights: np.ndarray, generator: np.random.Generator | None = None,
               moments: Any = None) -> np.ndarray:
        """Return x @ weights as the devices compute it: every row of x reads all of them anew.

        Args:
            x: shape (..., rows).
            weights: as programmed, shape (rows, columns).
            generator: of the noise of reads; needed where there is any.
            moments: `read_moments(weights)`, where they are at hand.
        """
        if self.read is None:
            return product(type(self).__name__, x, weights)
        if generator is None:
            raise ParameterError(f"{type(self).__name__}.matmul must be given a generator: the layer reads with noise")
        rows = [product(type(self).__name__, row, self.read_array(weights, generator))
                for row in np.reshape(x, (-1, np.shape(x)[-1]))]
        return np.reshape(rows, (*np.shape(x)[:-1], np.shape(weights)[1]))

    def read_moments(self, weights: np.ndarray) -> Any:
        """Return what `matmul` takes as moments, worked out once: mean and variance of a read, or None."""
        return None


def product(owner: str, x, weights):
    """Return x @ weights; raise ParameterError where the shapes do not fit."""
    try:
        return x @ weights
    except (ValueError, RuntimeError):
        raise ParameterError(f"{owner}.matmul must be given inputs of shape (..., {weights.shape[0]}), one for each "
                             f"row of weights, got {tuple(np.shape(x))}") from None
