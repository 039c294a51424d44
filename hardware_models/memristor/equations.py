"""What an equation may use so that arrays, tensors and the scalars of compiled loops share it.

An equation takes `xp`, the module whose `exp`, `expm1`, `log`, `sqrt` and `abs` it uses. These have one meaning in
numpy, in torch and in Numba; with the operators and `choose` they are all that the equations here need.
"""

import numpy as np

from hardware_models.arrays import like, namespace
from neurosim.checks import describe_value
from neurosim.errors import ParameterError


def choose(condition, a, b):
    """Return a where a condition holds and b elsewhere; both must be finite.

    (`where` is no choice: Numba makes arrays of it, and allocates them, even for scalars.)

    >>> float(choose(np.float64(3.0) > 2.0, 0.5, 7.0))
    0.5
    """
    return condition * (a + 0.0 * b) + (condition ^ True) * (b + 0.0 * a)  # a tensor's float type, not torch's default


def to_numpy(array) -> np.ndarray:
    """Return an array or a tensor as float64 numpy."""
    if namespace(array) is not np:
        array = array.detach().cpu().numpy()
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"weights, conductances and inputs must be numbers, got {describe_value(array)}") from None


def normals(generator, array):
    """Return standard normal numbers of the shape and kind of an array.

    A numpy generator gives the same numbers to both kinds; a torch generator makes them where the tensor is.
    """
    if isinstance(generator, np.random.Generator):
        real = np.float32 if str(array.dtype).endswith("float32") else np.float64
        return like(generator.standard_normal(tuple(array.shape), dtype=real), array)
    return namespace(array).randn(array.shape, generator=generator, dtype=array.dtype, device=array.device)
