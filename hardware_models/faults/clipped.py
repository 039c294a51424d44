"""Activations that stop what a flipped bit lets loose."""

from typing import Literal

import numpy as np

from hardware_models.arrays import as_float, like, namespace
from neurosim.aliases import Choice, PerElementOrNone, Real
from neurosim.checks import Option, Parameter, Parametrised
from neurosim.errors import ParameterError

STEEPNESS = 20.0


def relu(x):
    """Return max(x, 0) of an array or tensor."""
    x = as_float(x)
    return namespace(x).where(x < 0, like(0.0, x), x)  # keeps what is undefined


def clipped_relu(x, bound, kind: str = "zero", steepness: float = STEEPNESS):
    r"""Return a rectifier with an upper bound, for an array or tensor.

    "zero": x where 0 <= x <= bound, else 0;  "saturate": min(max(x, 0), bound)

    "smooth": max(0, x sigmoid(-steepness (x - bound))), whose bound can be trained

    Inputs that are infinite or undefined give 0, or the bound where "saturate" meets +inf.

    Args:
        x: inputs.
        bound: one number for a layer, or one for each neuron, the last axis of x.
        kind: "zero", "saturate" or "smooth".
        steepness: of "smooth", 1 / unit of x.

    >>> clipped_relu(np.array([-1.0, 0.5, 3.0, np.inf, np.nan]), 2.0)
    array([0. , 0.5, 0. , 0. , 0. ])

    Source: "zero": Hoang, Hanif, Shafique, FT-ClipAct, DATE 2020; "saturate": Chen, Li, Pattabiraman, Ranger, DSN 2021;
    "smooth": Ghavami and others, FitAct, DATE 2022, and Mousavi and others, arXiv 2406.06313.
    """
    x = as_float(x)
    where = namespace(x).where
    nothing = like(0.0, x)
    bound = like(bound, x) if isinstance(bound, (int, float, np.ndarray, np.generic)) else bound
    if bound.ndim and tuple(x.shape[-1:]) != tuple(bound.shape):
        raise ParameterError(f"clipped_relu must be given {bound.shape[0]} neurons on the last axis, one for each "
                             f"bound, got an array of shape {tuple(x.shape)}")
    if kind == "saturate":
        return where(x > bound, bound, where(x > 0, x, nothing))
    if kind == "zero":
        return where((x >= 0) & (x <= bound), x, nothing)
    inside = (x > 0) & (steepness * (x - bound) < 40.0)  # beyond it the product is below 1e-17 x
    safe = where(inside, x, nothing)
    return where(inside, safe * gate(safe, bound, steepness), nothing)


def gate(x, bound, steepness: float = STEEPNESS):
    """Return sigmoid(-steepness (x - bound)), which closes where x passes the bound."""
    xp = namespace(x)
    return 0.5 * (1.0 - xp.tanh(0.5 * steepness * (x - bound)))


class ClippedReLU(Parametrised, kw_only=False):
    """Rectifier with an upper bound, layer-wise or neuron-wise; see `clipped_relu` for the equations.

    Without a bound it is max(x, 0).

    >>> ClippedReLU(2.0, kind="saturate")(np.array([-1.0, 0.5, 3.0]))
    array([0. , 0.5, 2. ])
    >>> ClippedReLU([1.0, 4.0])(np.array([3.0, 3.0]))
    array([0., 3.])

    Source: see `clipped_relu`.
    """

    positional = 1
    bound: PerElementOrNone = Parameter(None, above=0, optional=True,
                                        doc="largest output that passes: of the layer or of each neuron")
    kind: Choice[Literal["zero", "saturate", "smooth"]] = Option("zero", ("zero", "saturate", "smooth"),
                                                                 doc="what becomes of larger ones")
    steepness: Real = Parameter(STEEPNESS, above=0, per_element=False, doc="of \"smooth\", 1 / unit of the input")

    def __call__(self, x):
        """Return the outputs for an array or tensor."""
        return relu(x) if self.bound is None else clipped_relu(x, self.bound, self.kind, self.steepness)
