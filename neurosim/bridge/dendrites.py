"""Dendrite nodes for a trained module: they look for what its error has to do with its inputs, and are then frozen."""

from typing import Any

from neurosim.bridge.extra import torch
from neurosim.bridge.tensors import numbers, shown
from neurosim.checks import check_number, check_whole
from neurosim.errors import ParameterError


class Perforated(torch.nn.Module):
    r"""A module with dendrite nodes: y = module(x) + sum over nodes of a d(x), d = tanh(U x + c), which are frozen.

    `grow` adds one node to each output: U and c are trained for the largest sum over outputs of |cov(d, error)|, the
    error being the gradient of the loss with respect to y; then they stay as they are, and a, which begins at 0, learns
    with the module. No gradient goes through a node to x, so layers below are trained as without.

    Args:
        module: what maps (..., n_in) to (..., n_out), such as `torch.nn.Linear`.
        n_in, n_out: these sizes.

    >>> import torch
    >>> net = Perforated(torch.nn.Linear(3, 2), 3, 2)
    >>> x = torch.randn(50, 3)
    >>> covariance = net.grow(x, error=x[:, :2] * x[:, 1:], steps=20)
    >>> net.nodes, net(x).shape
    (1, torch.Size([50, 2]))

    Source: Brenner, Itti, Perforated backpropagation, 2025; Fahlman, Lebiere, The cascade-correlation learning
    architecture, NeurIPS 1989.
    """

    def __init__(self, module: Any, n_in: int, n_out: int):
        super().__init__()
        self.module = module
        self.n_in = check_whole("Perforated.n_in", n_in, at_least=1)
        self.n_out = check_whole("Perforated.n_out", n_out, at_least=1)
        self.shares = torch.nn.ParameterList()
        self.nodes = 0

    def forward(self, x: Any) -> Any:
        """Return the module's output and what the nodes add.

        Args:
            x: inputs, shape (..., n_in).

        Raises:
            ParameterError: x is of another kind, shape, device or float type, or not finite.
        """
        if not isinstance(x, torch.Tensor) or x.shape[-1:] != (self.n_in,):
            raise ParameterError(f"input of Perforated must be a tensor of shape (..., {self.n_in}), got {shown(x)}")
        like = next(self.parameters(), None)
        y = self.module(x if like is None else numbers("Perforated", x, like))
        for k, share in enumerate(self.shares):
            y = y + share * self.node(k, x)
        return y

    def node(self, k: int, x: Any) -> Any:
        """Return what the k-th node of each output says, (..., n_out), without a gradient."""
        with torch.no_grad():
            return torch.tanh(x @ getattr(self, f"u{k}") + getattr(self, f"c{k}"))

    def grow(self, x: Any, error: Any, *, steps: int = 200, rate: float = 0.05, generator: Any = None) -> float:
        """Train one more node for each output, and return the sum of |covariance| that it reaches.

        Args:
            x: inputs of the module, shape (..., n_in).
            error: gradient of the loss with respect to the outputs, shape (..., n_out).
            steps: of Adam.
            rate: its learning rate.
            generator: of the first weights.
        """
        if x.shape[:-1] != error.shape[:-1] or x.shape[-1] != self.n_in or error.shape[-1] != self.n_out:
            raise ParameterError(f"x and error must be of shapes (..., {self.n_in}) and (..., {self.n_out}), got "
                                 f"{tuple(x.shape)} and {tuple(error.shape)}")
        x, error = x.detach().reshape(-1, self.n_in), error.detach().reshape(-1, self.n_out)
        error = error - error.mean(0)
        u = torch.randn(self.n_in, self.n_out, generator=generator, dtype=x.dtype).to(x.device) / self.n_in ** 0.5
        u.requires_grad_()
        c = torch.zeros(self.n_out, dtype=x.dtype, device=x.device, requires_grad=True)
        adam = torch.optim.Adam([u, c], lr=check_number("rate", rate, "", above=0), maximize=True)

        def covariance():
            d = torch.tanh(x @ u + c)
            return ((d - d.mean(0)) * error).mean(0).abs().sum()

        for _ in range(check_whole("steps", steps, at_least=0)):
            adam.zero_grad()
            covariance().backward()
            adam.step()
        self.register_buffer(f"u{self.nodes}", u.detach())
        self.register_buffer(f"c{self.nodes}", c.detach())
        self.shares.append(torch.nn.Parameter(torch.zeros(self.n_out, dtype=x.dtype, device=x.device)))
        self.nodes += 1
        return float(covariance().detach())
