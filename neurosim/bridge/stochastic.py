"""Units that draw, and the four ways by which a gradient gets through the draw."""

from typing import Any, Literal, get_args

from neurosim.bridge.extra import torch
from neurosim.bridge.tensors import all_finite, check_generator, shown
from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError

Estimator = Literal["reinforce", "straight_through", "stochastic_times_smooth", "noisy_rectifier"]


class StochasticBinary(torch.nn.Module):
    r"""Units that draw what they send from their inputs a, p = sigmoid(a), with an estimator of the gradient.

    "reinforce": h is 1 with probability p; the gradient is (h - p)(L - c), of each sample's loss L, with the c of least
    variance, E[(h - p)^2 L] / E[(h - p)^2], followed by running means. Unbiased; `penalty` brings it in.
    "straight_through": h as before; the gradient is dL/dh p (1 - p). Unbiased where L is linear in h, else biased.
    "stochastic_times_smooth": h = sqrt(p) b, b is 1 with probability sqrt(p), so that E[h] = p; the gradient goes
    through the factor sqrt(p) alone, which is half of the gradient where L is linear: biased.
    "noisy_rectifier": h = max(0, a + z) with normal z; the gradient goes through where h > 0. Unbiased.

    Args:
        estimator: one of these four.
        noise: standard deviation of z, for "noisy_rectifier".
        follow: share by which the running means of c follow a batch.
        generator: of the draws, a `torch.Generator`; by default PyTorch's own.

    >>> import torch
    >>> units = StochasticBinary("straight_through", generator=torch.Generator().manual_seed(1))
    >>> units(torch.zeros(2, 4)).unique()
    tensor([0., 1.])

    Source: Bengio, Leonard, Courville, Estimating or propagating gradients through stochastic neurons for conditional
    computation, 2013.
    """

    def __init__(self, estimator: Estimator = "straight_through", *, noise: float = 1.0, follow: float = 0.1,
                 generator: Any = None):
        super().__init__()
        if not isinstance(estimator, str) or estimator not in get_args(Estimator):
            names = " or ".join(map(repr, get_args(Estimator)))
            raise ParameterError(f"StochasticBinary.estimator must be {names}, got {describe_value(estimator)}")
        check_generator("StochasticBinary", generator)
        self.estimator, self.generator = estimator, generator
        self.noise = check_number("StochasticBinary.noise", noise, at_least=0)
        self.follow = check_number("StochasticBinary.follow", follow, at_least=0, at_most=1)
        self._means, self._last = None, None

    def forward(self, a: Any, uniform: Any = None) -> Any:
        """Return what the units send, of the shape of a.

        Args:
            a: inputs, of any shape; for `penalty` the first axis is that of samples.
            uniform: numbers from 0 to 1 of the same shape to draw by; by default from the generator.
        """
        if not isinstance(a, torch.Tensor) or not a.is_floating_point():
            raise ParameterError(f"input of StochasticBinary must be a tensor of float numbers, got {shown(a)}"
                                 + (f" of {a.dtype}" if isinstance(a, torch.Tensor) else ""))
        if uniform is not None and (not isinstance(uniform, torch.Tensor) or uniform.shape != a.shape):
            raise ParameterError(f"uniform must be a tensor of shape {tuple(a.shape)} as the input, got "
                                 f"{shown(uniform)}")
        if not all_finite(a.detach()):
            raise ParameterError("input of StochasticBinary must be finite numbers, got infinite or undefined ones")
        if uniform is None:
            uniform = torch.rand(a.shape, generator=self.generator, dtype=a.dtype, device=a.device)
        if self.estimator == "noisy_rectifier":
            inside = uniform.clamp(torch.finfo(a.dtype).tiny, 1.0 - torch.finfo(a.dtype).eps)
            return (a + self.noise * torch.special.ndtri(inside)).clamp(min=0.0)
        p = torch.sigmoid(a)
        if self.estimator == "stochastic_times_smooth":
            root = p.sqrt()
            return root * (uniform < root).to(a.dtype).detach()
        h = (uniform < p).to(a.dtype)
        if self.estimator == "reinforce":
            self._last = a, h, p.detach()
            return h
        return h + (p - p.detach())

    def penalty(self, losses: Any) -> Any:
        """Return 0, for "reinforce", whose gradient is the mean over samples of (h - p)(L - c); add it to the loss.

        Args:
            losses: the loss of each sample of the last call, shape (samples,).
        """
        if self.estimator != "reinforce" or self._last is None:
            raise ParameterError("penalty must come after a call of StochasticBinary('reinforce'), got "
                                 f"{self.estimator!r}{'' if self.estimator != 'reinforce' else ' before a call'}")
        a, h, p = self._last
        if not isinstance(losses, torch.Tensor) or losses.shape != a.shape[:1]:
            raise ParameterError(f"losses must be one a sample, shape {tuple(a.shape[:1])}, got {shown(losses)}")
        losses = losses.detach().reshape(-1, *[1] * (a.dim() - 1))
        away = h - p
        means = torch.stack([(away ** 2 * losses).mean(0), (away ** 2).mean(0)])
        before = self._means  # c must not know the draws that it is subtracted for
        c = torch.zeros_like(means[0]) if before is None else before[0] / before[1].clamp(min=1e-12)
        self._means = means if before is None else (1.0 - self.follow) * before + self.follow * means
        pulled = (away * (losses - c)).detach()
        return ((a - a.detach()) * pulled).sum() / len(a)
