"""What modules of the bridge are given and hand back: float types, sequences, lengths, states, gradients."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from neurosim.bridge.extra import torch
from neurosim.bridge.spikebatch import SpikeBatch
from neurosim.checks import check_whole, describe_value
from neurosim.errors import ParameterError, SimulationError


class Named(NamedTuple):
    """What messages call a layer, and where its ticks and samples begin to count.

    Args:
        owner: name of the layer.
        tick: of the whole sequence at which this part of it begins.
        places: how many of its rows are one sample.
    """

    owner: str
    tick: int = 0
    places: int = 1


FLOATS = (torch.float32, torch.float64)  #: what the core computes in, and so the layers


def float_type(owner: str, dtype: Any) -> Any:
    """Return a float type, PyTorch's own where none is given; raise ParameterError where layers do not compute in it.

    >>> import torch
    >>> float_type("LIFLayer", torch.float64)
    torch.float64
    """
    dtype = torch.get_default_dtype() if dtype is None else dtype
    if not isinstance(dtype, torch.dtype) or dtype not in FLOATS:
        raise ParameterError(f"{owner}.dtype must be torch.float32 or torch.float64, got {describe_value(dtype)}")
    return dtype


def check_generator(owner: str, generator: Any) -> None:
    """Raise ParameterError where a generator is neither None nor one of PyTorch's.

    >>> check_generator("LIFLayer", None)
    """
    if generator is not None and not isinstance(generator, torch.Generator):
        raise ParameterError(f"{owner}.generator must be a torch.Generator or None, got {describe_value(generator)}")


def shown(x: Any) -> str:
    """Return how a message shows what was given.

    >>> import torch
    >>> shown(torch.ones(2, 3))
    'a tensor of shape (2, 3)'
    """
    return f"a tensor of shape {tuple(x.shape)}" if isinstance(x, torch.Tensor) else describe_value(x)


def sequence(owner: str, x: Any, n: int | None, like: Any, *, finite: bool = True) -> Any:
    """Return inputs over time in the float type of the weights; whole numbers and booleans become that.

    Args:
        owner: name of the module, for messages.
        x: tensor of shape (ticks, samples, inputs).
        n: number of inputs; None for any.
        like: a tensor of the module, whose device and float type x must have.
        finite: whether to look at the numbers.

    Raises:
        ParameterError: x is of another kind, shape, device or type, or not finite.

    >>> import torch
    >>> sequence("LIFLayer", torch.ones(4, 2, 3, dtype=torch.bool), 3, torch.zeros(1)).dtype
    torch.float32
    """
    if not isinstance(x, torch.Tensor) or x.dim() != 3 or n not in (None, x.shape[2]):
        raise ParameterError(f"input of {owner} must be a tensor of shape (ticks, samples, "
                             f"{'channels' if n is None else n}), got {shown(x)}")
    return numbers(owner, x, like, finite=finite)


def numbers(owner: str, x: Any, like: Any, *, finite: bool = True) -> Any:
    """Return inputs of any shape in the float type of the weights; see `sequence`.

    >>> import torch
    >>> numbers("LIFLayer", torch.arange(2), torch.zeros(1))
    tensor([0., 1.])
    """
    if like.dtype not in FLOATS:
        raise ParameterError(f"weights of {owner} must be of torch.float32 or torch.float64, got {like.dtype}; convert "
                             "the module with .float() or .double()")
    check_dense(owner, x)
    if x.device != like.device:
        raise ParameterError(f"input of {owner} must be on {like.device} as its weights are, got {x.device}; move one "
                             "with .to(...)")
    if (x.is_floating_point() or x.is_complex()) and x.dtype != like.dtype:
        raise ParameterError(f"input of {owner} must be of {like.dtype} as its weights are, got {x.dtype}; convert one "
                             "with .to(...)")
    x = x.to(like.dtype)
    if finite and not all_finite(x):
        raise ParameterError(f"input of {owner} must be finite numbers, got infinite or undefined ones")
    return x


def check_dense(owner: str, x: Any) -> None:
    """Raise ParameterError where a tensor is a sparse one.

    >>> import torch
    >>> check_dense("LIFLayer", torch.ones(1))
    """
    if x.layout != torch.strided:
        raise ParameterError(f"input of {owner} must be a dense tensor, got one of {x.layout}; use .to_dense()")


def count_ticks(owner: str, x: Any) -> int:
    """Return how many ticks inputs have, a tensor of two or more axes or a `SpikeBatch`; raise ParameterError else.

    >>> import torch
    >>> count_ticks("Sequential", torch.ones(4, 2, 3))
    4
    """
    if isinstance(x, SpikeBatch):
        return x.shape[0]
    if not isinstance(x, torch.Tensor) or x.dim() < 2:
        raise ParameterError(f"input of {owner} must be a tensor of shape (ticks, samples, ...), got {shown(x)}")
    check_dense(owner, x)
    return x.shape[0]


def all_finite(x: Any) -> bool:
    """Return whether a tensor has finite numbers alone; the sum tells it in nearly all cases, in one pass.

    >>> import torch
    >>> all_finite(torch.tensor([1.0, torch.nan])), all_finite(torch.full((2,), 3e38))
    (False, True)
    """
    return bool(torch.isfinite(x.sum())) or bool(torch.isfinite(x).all())


def whole_lengths(lengths: Any, ticks: int, samples: int | None, device: Any = None) -> Any:
    """Return how many ticks each sample has as an int64 tensor of shape (samples,); all of them for None.

    Args:
        lengths: whole numbers, one a sample, or None.
        ticks: the most.
        samples: how many; None for any.
        device: of the result.

    Raises:
        ParameterError: lengths are not so.

    >>> whole_lengths([1, 2], 3, 2)
    tensor([1, 2])
    """
    if lengths is None and samples is not None:
        return torch.full((samples,), ticks, dtype=torch.int64, device=device)
    try:
        given = torch.as_tensor(lengths, device=device)
    except (TypeError, ValueError, RuntimeError):
        given = torch.zeros(0, dtype=torch.bool)
    whole = not given.is_floating_point() and not given.is_complex() and given.dtype != torch.bool
    if not whole or given.dim() != 1 or samples not in (None, len(given)) or (
            len(given) and (given.min() < 0 or given.max() > ticks)):
        many = "" if samples is None else f"{samples} "
        raise ParameterError(f"lengths must be {many}whole numbers from 0 to {ticks}, one a sample, got "
                             f"{describe_value(lengths.tolist() if isinstance(lengths, torch.Tensor) else lengths)}")
    return given.to(torch.int64)


def check_state(owner: str, state: Any, shapes: Sequence[tuple[int, ...] | None], like: Any) -> None:
    """Raise ParameterError where a state is not a tuple of tensors of given shapes, on one device, of one float type.

    Args:
        owner: name of the module, for messages.
        state: as a call of the module returned it.
        shapes: of its parts; None for a part that something else looks at.
        like: a tensor of the module.

    >>> import torch
    >>> check_state("ELM", (torch.zeros(2, 3), None), [(2, 3), None], torch.zeros(1))
    """
    wanted = ", ".join("a state of its own" if shape is None else str(shape) for shape in shapes)
    if not isinstance(state, tuple) or len(state) != len(shapes) or any(
            shape is not None and (not isinstance(part, torch.Tensor) or tuple(part.shape) != shape)
            for part, shape in zip(state, shapes, strict=True)):
        got = f"({', '.join(map(shown, state))})" if isinstance(state, tuple) else shown(state)
        raise ParameterError(f"state of {owner} must be a tuple of {wanted}, as a call returns it, got {got}")
    for part, shape in zip(state, shapes, strict=True):
        if shape is not None:
            check_kind(f"state of {owner}", part, like)


def check_kind(what: str, part: Any, like: Any) -> None:
    """Raise ParameterError where a tensor is not on the device and of the float type of the weights.

    >>> import torch
    >>> check_kind("state of LIFLayer", torch.zeros(2), torch.zeros(1))
    """
    for got, wanted in ((part.device, like.device), (part.dtype, like.dtype)):
        if got != wanted:
            raise ParameterError(f"{what} must be {'on' if got is part.device else 'of'} {wanted} as the weights are, "
                                 f"got {got}; convert it with .to(...)")


def check_parameters(owner: str, module: Any) -> None:
    """Raise SimulationError where something that learns is no longer finite, as spikes would hide it.

    >>> import torch
    >>> check_parameters("layer 1", torch.nn.Linear(2, 2))
    """
    for name, parameter in module.named_parameters():
        if not all_finite(parameter.detach()):
            raise SimulationError(f"{name} of {owner} must be finite, got infinite or undefined numbers: a step of "
                                  "training made them; lower the learning rate or clip gradients")


# ---------------------------------------------------------------------------------------------------------------------
# Gradients
# ---------------------------------------------------------------------------------------------------------------------

def check_gradient(named: Named, g: Any, *, of_output: bool) -> None:
    """Raise SimulationError with layer, tick and sample where a gradient, (ticks, samples, n), is not finite.

    Args:
        named: the layer.
        g: the gradient.
        of_output: whether it came to the layer, else it was made in it.

    >>> import torch
    >>> check_gradient(Named("layer 1"), torch.zeros(3, 2, 1), of_output=True)
    """
    if g is None or not g.numel() or all_finite(g):  # None: nothing came back
        return
    bad = ~torch.isfinite(g).flatten(2).all(2)
    tick = int(bad.any(1).nonzero().max())
    sample = int(bad[tick].nonzero().min())
    reason = ("from its output: look at the loss and what comes after the layer" if of_output else
              "made in it: lower weights, the surrogate's sharpness or the learning rate")
    raise SimulationError(f"the gradient of {named.owner} must be finite, got infinite or undefined numbers at tick "
                          f"{named.tick + tick} of sample {sample // named.places}, {reason}")


def watch(named: Named, arrives: Any, out: Any) -> None:
    """Look at the gradients of sequences in the backward pass, of operations of PyTorch tick by tick.

    Args:
        named: the layer.
        arrives: what the inputs bring, shape (ticks, samples, ...).
        out: what it makes of them.

    >>> import torch
    >>> x = torch.zeros(2, 1, 1, requires_grad=True)
    >>> y = 2 * x
    >>> watch(Named("layer 1"), x, y)
    >>> y.sum().backward()
    """
    for tensor, of_output in ((arrives, False), (out, True)):
        if tensor.requires_grad:
            tensor.register_hook(lambda g, of_output=of_output: check_gradient(named, g, of_output=of_output))


def sample_shape(owner: str, shape: Any) -> tuple[int, ...]:
    """Return the shape of one sample at one tick, whole numbers >= 1; raise ParameterError where it is none.

    >>> sample_shape("MaxPoolLayer", [1, 4, 4])
    (1, 4, 4)
    """
    if not isinstance(shape, (tuple, list)) or not shape:
        raise ParameterError(f"{owner}.shape must be whole numbers such as (channels, rows, columns), got "
                             f"{describe_value(shape)}")
    return tuple(check_whole(f"{owner}.shape", n, at_least=1) for n in shape)
