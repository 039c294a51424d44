"""Subspaces of what a layer was given, learned by lateral neurons or taken exactly: what later tasks leave alone."""

from typing import Any

import numpy as np

from neurosim.checks import check_number, check_numbers, check_seed, check_whole
from neurosim.errors import ParameterError

LARGEST = 3.0  #: length of a row, which begins as 1 and ends there


class Subspace:
    """Rows that span what was seen: those of earlier tasks are frozen, those of the present one are still learned.

    Args:
        inputs: numbers of a sample.
    """

    def __init__(self, inputs: int):
        self.inputs = check_whole(f"{type(self).__name__}.inputs", inputs, at_least=1)
        self.rows = np.zeros((0, self.inputs))  #: shape (rows, inputs)
        self.frozen = 0  #: how many rows, the first ones, stay as they are

    def grow(self, count: int) -> None:
        """Freeze all rows, and begin to learn `count` more; raise ParameterError where there is no room for them."""
        self.freeze()
        room = self.inputs - len(self.rows)
        count = check_whole("count", count, at_least=0)
        if count > room:
            raise ParameterError(f"count must be at most {room}, the directions that {self.frozen} frozen rows leave "
                                 f"of {self.inputs}, got {count}")
        self.begin(count)

    def freeze(self) -> None:
        """Let all rows stay as they are."""
        self.frozen = len(self.rows)

    def begin(self, count: int) -> None:
        """Begin to learn so many rows beside the frozen ones."""
        raise NotImplementedError

    def learn(self, x: Any) -> None:
        """Take in samples of the present task, shape (samples, inputs)."""
        raise NotImplementedError

    def remove(self, x: Any) -> np.ndarray:
        """Return x - H' H x with the frozen rows H: what of x, shape (..., inputs), was not there before."""
        frozen = self.rows[:self.frozen].astype(np.result_type(x, np.float32), copy=False)
        return x - (x @ frozen.T) @ frozen

    def captured(self, x: Any) -> float:
        """Return which share of the squares of x, shape (samples, inputs), lies in the span of all rows."""
        x = self.checked(x)
        orthonormal = np.linalg.qr(self.rows.T)[0]
        return float(((x @ orthonormal) ** 2).sum() / (x ** 2).sum())

    def checked(self, x: Any) -> np.ndarray:
        """Return samples as an array of floats; raise ParameterError where they do not fit."""
        x = check_numbers("x", x)
        if x.ndim != 2 or x.shape[1] != self.inputs or not np.isfinite(x).all():
            raise ParameterError(f"x must be finite numbers of shape (samples, {self.inputs}), got an array of shape "
                                 f"{x.shape}{'' if np.isfinite(x).all() else ' with others'}")
        return x


class HebbianSubspace(Subspace):
    r"""Lateral neurons whose weights H learn the principal subspace of a layer's inputs, by what they see alone.

    y = H x;  dH = mean over samples of y (x - H' y)', clipped to +-bound, 0 in frozen rows;  m <- momentum m +
    (1 - momentum) dH;  H <- H + rate m. The first part is Hebbian, the second anti-Hebbian, sent back through the same
    weights (Oja's subspace rule). As H' y holds the frozen rows too, new ones learn what these leave over.

    Args:
        inputs: numbers of a sample.
        rate: learning rate, > 0; rate times the mean of |x|^2 must stay well below 1.
        momentum: share of m that is left after a step, 0 <= momentum < 1.
        steps: of one call of `learn`, on the same samples.
        bound: of each element of dH.
        seed: of the orthonormal rows that new neurons begin with.

    Raises:
        ParameterError: an argument does not fit, or the rows ran away.

    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(500, 4)) * [3.0, 2.0, 0.1, 0.1]
    >>> lateral = HebbianSubspace(4, rate=0.02)
    >>> lateral.grow(2)
    >>> for _ in range(50):
    ...     lateral.learn(x)
    >>> lateral.freeze()
    >>> lateral.captured(x) > 0.99, np.abs(lateral.remove(x)).max() < 0.5
    (True, np.True_)

    Source: Xiao, Meng, Zhang, He, Lin, Hebbian learning based orthogonal projection for continual learning of spiking
    neural networks, ICLR 2024; Oja, International Journal of Neural Systems 1 (1989) 61.
    """

    def __init__(self, inputs: int, *, rate: float = 0.01, momentum: float = 0.9, steps: int = 5, bound: float = 10.0,
                 seed: int = 0):
        super().__init__(inputs)
        self.rate = check_number("HebbianSubspace.rate", rate, above=0)
        self.momentum = check_number("HebbianSubspace.momentum", momentum, at_least=0, below=1)
        self.steps = check_whole("HebbianSubspace.steps", steps, at_least=1)
        self.bound = check_number("HebbianSubspace.bound", bound, above=0)
        self.generator = np.random.default_rng(check_seed("HebbianSubspace.seed", seed))
        self.moving = np.zeros((0, self.inputs))

    def begin(self, count: int) -> None:
        """Add neurons whose weights are orthonormal, and orthogonal to those before."""
        drawn = self.generator.normal(size=(self.inputs, count))
        frozen = np.linalg.qr(self.rows.T)[0]
        new = np.linalg.qr(drawn - frozen @ (frozen.T @ drawn))[0].T
        self.rows, self.moving = np.concatenate([self.rows, new]), np.zeros((count, self.inputs))

    def learn(self, x: Any) -> None:
        """Take some steps on samples of shape (samples, inputs)."""
        x, new = self.checked(x), slice(self.frozen, None)
        if self.frozen == len(self.rows):
            return
        left = self.remove(x)
        for _ in range(self.steps):
            y = x @ self.rows[new].T
            change = y.T @ (left - y @ self.rows[new]) / len(x)
            self.moving = self.momentum * self.moving + (1 - self.momentum) * change.clip(-self.bound, self.bound)
            self.rows[new] += self.rate * self.moving
        if not np.linalg.norm(self.rows, axis=1).max() < LARGEST:
            raise ParameterError("HebbianSubspace.rate must be small beside 1 over the mean of |x|^2, "
                                 f"{1 / (x ** 2).sum(1).mean():.3g} here; rows ran away at {self.rate:g}")


class PrincipalSubspace(Subspace):
    """The exact subspace that `HebbianSubspace` approaches: eigenvectors of the samples' second moments.

    Of what frozen rows leave over, those with the largest eigenvalues, at the next `grow` or `freeze`; it keeps a
    matrix of inputs times inputs.

    Args:
        inputs: numbers of a sample.

    >>> import numpy as np
    >>> exact = PrincipalSubspace(3)
    >>> exact.grow(1)
    >>> exact.learn(np.array([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    >>> exact.freeze()
    >>> exact.remove(np.ones(3))
    array([0., 1., 1.])

    Source: Saha, Garg, Roy, Gradient projection memory for continual learning, ICLR 2021.
    """

    def __init__(self, inputs: int):
        super().__init__(inputs)
        self.count, self.moments = 0, np.zeros((self.inputs, self.inputs))

    def begin(self, count: int) -> None:
        """Forget the samples of the task before."""
        self.count, self.moments = count, np.zeros((self.inputs, self.inputs))

    def learn(self, x: Any) -> None:
        """Add samples of shape (samples, inputs)."""
        x = self.remove(self.checked(x))
        self.moments += x.T @ x

    def freeze(self) -> None:
        """Take the rows from what was seen, and let them stay."""
        if self.count:
            vectors = np.linalg.eigh(self.moments)[1][:, ::-1][:, :self.count]
            self.rows = np.concatenate([self.rows, vectors.T])
            self.count = 0
        super().freeze()
