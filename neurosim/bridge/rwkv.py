"""A spiking RWKV block: attention of linear time, whose branches send spikes."""

from typing import Any, Literal

from neurosim.bridge.extra import torch
from neurosim.bridge.layers import LIFLayer
from neurosim.bridge.surrogates import ATan
from neurosim.bridge.tensors import Named, check_state, float_type, sequence, watch
from neurosim.checks import check_whole, describe_value
from neurosim.errors import ParameterError


def wkv(k: Any, v: Any, w: Any, u: Any, state: Any = None, form: Literal["parallel", "recurrent"] = "recurrent"
        ) -> tuple[Any, Any]:
    r"""Return the mean of values v(i), weighted by exp(-(t - 1 - i) w + k(i)), the present by exp(u + k(t)).

    Args:
        k, v: keys and values, shape (ticks, samples, channels).
        w: decay of the past a tick, > 0, shape (channels,).
        u: what the present counts more, shape (channels,).
        state: numerator, denominator and common exponent before, each (samples, channels).
        form: "recurrent", tick by tick, or "parallel", the sum over all pairs of ticks; the same within rounding.

    >>> import torch
    >>> one = torch.ones(1)
    >>> wkv(torch.zeros(2, 1, 1), torch.tensor([[[1.0]], [[3.0]]]), one, 0 * one)[0].flatten()
    tensor([1., 2.])

    Source: Peng et al., RWKV: reinventing RNNs for the transformer era, EMNLP 2023 findings.
    """
    if form not in ("parallel", "recurrent"):
        raise ParameterError(f"form must be 'parallel' or 'recurrent', got {describe_value(form)}")
    k = sequence("wkv", k, None, k if isinstance(k, torch.Tensor) else torch.zeros(1))
    v = sequence("wkv", v, k.shape[2], k)
    if state is None:
        none = torch.zeros_like(k[0]) if len(k) else k.new_zeros(k.shape[1:])
        state = none, none, none - 1e30
    check_state("wkv", state, [k.shape[1:]] * 3, k)
    return (_by_ticks if form == "recurrent" else _by_pairs)(k, v, w, u, state)


def _by_ticks(k, v, w, u, state):
    above, below, top = state
    out = []
    for now, value in zip(k, v, strict=True):
        highest = torch.maximum(top, u + now)  # exponents are taken from the highest, so that none overflows
        past, present = torch.exp(top - highest), torch.exp(u + now - highest)
        out.append((past * above + present * value) / (past * below + present))
        highest = torch.maximum(top - w, now)
        past, present = torch.exp(top - w - highest), torch.exp(now - highest)
        above, below, top = past * above + present * value, past * below + present, highest
    return torch.stack(out) if out else torch.zeros_like(k), (above, below, top)


def _by_pairs(k, v, w, u, state):
    above, below, top = state
    ticks = len(k)
    t, i = torch.arange(ticks, device=k.device)[:, None], torch.arange(ticks, device=k.device)[None]
    away = (t - 1 - i).to(k.dtype)[..., None, None]
    exponent = torch.where((i < t)[..., None, None], k[None] - away * w, torch.full_like(away, -torch.inf))
    exponent = torch.where((i == t)[..., None, None], (k + u)[None], exponent)
    before = top - torch.arange(ticks, device=k.device, dtype=k.dtype)[:, None, None] * w
    highest = torch.maximum(exponent.amax(1), before)
    share, past = torch.exp(exponent - highest[:, None]), torch.exp(before - highest)
    found = ((share * v[None]).sum(1) + past * above) / (share.sum(1) + past * below)
    last = torch.arange(ticks - 1, -1, -1, device=k.device, dtype=k.dtype)[:, None, None]
    exponents = torch.cat([k - last * w, (top - ticks * w)[None]])
    high = exponents.amax(0)
    shares = torch.exp(exponents - high)
    values, ones = torch.cat([v, above[None]]), torch.cat([torch.ones_like(v), below[None]])
    return found, ((shares * values).sum(0), (shares * ones).sum(0), high)


class SpikingRWKV(torch.nn.Module):
    r"""A block of SpikeGPT: x + LIF(time mix of LN(x)), then x + LIF(channel mix of LN(x)).

    Time mix: W_o (sigmoid(r) wkv(k, v)), channel mix: sigmoid(r) V relu(K)^2; r, k, v come from the present and the
    tick before, in learned shares. The cells decay to half in a tick, with threshold 1.

    Args:
        n: number of channels.
        wide: of the channel mix, by default 4 n.
        dt: length of a tick, ms.
        dtype: float type.

    >>> import torch
    >>> SpikingRWKV(6)(torch.zeros(5, 2, 6))[0].shape
    torch.Size([5, 2, 6])

    Source: Zhu, Zhao, Li, Eshraghian, SpikeGPT: generative pre-trained language model with spiking neural networks,
    TMLR 2024.
    """

    def __init__(self, n: int, *, wide: int | None = None, dt: float = 1.0, dtype: Any = None):
        super().__init__()
        self.n = check_whole("SpikingRWKV.n", n, at_least=1)
        wide = 4 * n if wide is None else check_whole("SpikingRWKV.wide", wide, at_least=1)
        dtype = float_type("SpikingRWKV", dtype)
        linear = {"r": (n, n), "k": (n, n), "v": (n, n), "out": (n, n), "r2": (n, n), "k2": (n, wide), "v2": (wide, n)}
        self.linear = torch.nn.ModuleDict({name: torch.nn.Linear(*size, bias=False, dtype=dtype)
                                           for name, size in linear.items()})
        self.share = torch.nn.ParameterDict({name: torch.nn.Parameter(torch.full((n,), 0.5, dtype=dtype))
                                             for name in ("r", "k", "v", "r2", "k2")})
        self.log_decay = torch.nn.Parameter(torch.linspace(-3.0, 1.0, n, dtype=dtype))
        self.first = torch.nn.Parameter(torch.full((n,), 0.3, dtype=dtype))
        self.norms = torch.nn.ModuleList([torch.nn.LayerNorm(n, dtype=dtype) for _ in range(2)])
        tau = dt / 0.6931471805599453
        self.cells = torch.nn.ModuleList([LIFLayer(n, n, dt=dt, tau_mem=tau, surrogate=ATan(2.0), dtype=dtype)
                                          for _ in range(2)])
        for cells in self.cells:
            cells.weight.requires_grad_(False).copy_(torch.eye(n, dtype=dtype))

    def forward(self, x: Any, state: Any = None, form: Literal["parallel", "recurrent"] = "recurrent"
                ) -> tuple[Any, Any]:
        """Return outputs of the shape of x, and the state after.

        Args:
            x: inputs, shape (ticks, samples, n).
            state: as a call returns it.
            form: of `wkv`.
        """
        x = sequence("SpikingRWKV", x, self.n, self.first)
        none = x.new_zeros(x.shape[1], self.n)
        if state is not None:
            check_state("SpikingRWKV", state, [none.shape, None, None, none.shape, None], self.first)
        before, sums, one, before2, two = (none, None, None, none, None) if state is None else state
        normal = self.norms[0](x)
        late, before = self._late(normal, before)
        r, k, v = (self.linear[name](self._mixed(name, normal, late)) for name in ("r", "k", "v"))
        mean, sums = wkv(k, v, torch.exp(self.log_decay), self.first, sums, form)
        watch(Named("SpikingRWKV"), v, mean)
        spikes, one = self.cells[0](self.linear["out"](torch.sigmoid(r) * mean), one)
        x = x + spikes
        normal = self.norms[1](x)
        late, before2 = self._late(normal, before2)
        wide = torch.relu(self.linear["k2"](self._mixed("k2", normal, late))) ** 2
        given = torch.sigmoid(self.linear["r2"](self._mixed("r2", normal, late))) * self.linear["v2"](wide)
        spikes, two = self.cells[1](given, two)
        return x + spikes, (before, sums, one, before2, two)

    def _late(self, x, before):
        """Return the ticks before, and the last tick."""
        return torch.cat([before[None], x])[:-1], x[-1] if len(x) else before

    def _mixed(self, name, x, late):
        return self.share[name] * x + (1.0 - self.share[name]) * late
