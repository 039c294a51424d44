"""Delays of a layer's inputs that learn: kernels of taps that narrow to a single tick, or fixed ones as a control."""

from typing import Any, Literal

from neurosim.aliases import Choice, Flag, Real, RealOrNone
from neurosim.bridge.arrivals import weighted
from neurosim.bridge.delayed import filtered, one_tap, shifted, spread, spread_over
from neurosim.bridge.extra import torch
from neurosim.checks import Option, Parameter, Parametrised, check_number, check_ticks, describe_value, required
from neurosim.errors import ParameterError


class Delays(Parametrised, kw_only=False):
    """How late the inputs of a layer arrive, one delay for each synapse, input or neuron, from 0 to a longest one.

    While it learns, a delay d (in ticks) is spread over the taps n = 0, 1, ..., in shares g(n) whose sum is 1, so that
    sigma does not change what arrives in all:

    gaussian: g(n) ~ exp(-(n - d)^2 / (2 sigma^2));  triangular: g(n) ~ max(0, 1 - |n - d| / (1 + sigma)).

    `anneal` narrows sigma from sigma_start to sigma_end. In `eval()` mode, as in the core, a delay is the nearest whole
    tick. Delays that do not learn are whole ticks from the beginning.

    Args:
        longest: the longest delay, ms; a whole number of ticks.
        of: "synaptic", one delay for each pair of input and neuron; "axonal", one for each input; "dendritic", one for
            each neuron.
        learn: whether they learn; else they stay as they are drawn, which is the control.
        kernel: "gaussian" or "triangular".
        sigma_start, sigma_end: width before and after annealing, ms; by default half of longest, and 0.15 ticks
            (triangular: 0).

    >>> Delays(250.0)
    Delays(longest=250.0)

    Source: Hammouamri, Khalfaoui-Hassani, Masquelier, Learning delays in spiking neural networks using dilated
    convolutions with learnable spacings, ICLR 2024; own code.
    """

    positional = 1
    longest: Real = required(Parameter(unit="ms", above=0, per_element=False, doc="the longest delay"))
    of: Choice[Literal["synaptic", "axonal", "dendritic"]] = Option(
        "synaptic", ("synaptic", "axonal", "dendritic"), doc="what has a delay of its own")
    learn: Flag = Option(True, (True, False), doc="whether they learn")
    kernel: Choice[Literal["gaussian", "triangular"]] = Option(
        "gaussian", ("gaussian", "triangular"), doc="over which taps a delay is spread")
    sigma_start: RealOrNone = Parameter(None, "ms", above=0, per_element=False, optional=True, doc="width at first")
    sigma_end: RealOrNone = Parameter(None, "ms", at_least=0, per_element=False, optional=True, doc="width at last")


class DelayLines(torch.nn.Module):
    """The delays of one layer, `layer.delays`: a parameter `delay`, ms, and the width `sigma`, ms.

    Args:
        what: the description.
        n_in, n_out: numbers of inputs and neurons.
        dt: length of a tick, ms.
        generator: of the first delays, uniform from 0 to the longest.
        dtype: float type.
    """

    def __init__(self, what: Delays, n_in: int, n_out: int, *, dt: float, generator: Any = None, dtype: Any = None):
        super().__init__()
        if not isinstance(what, Delays):
            raise ParameterError(f"delays must be Delays(longest), or None, got {describe_value(what)}")
        self.what, self.dt = what, dt
        self.late = check_ticks("Delays.longest", what.longest, dt)
        if self.late < 1:
            raise ParameterError(f"Delays.longest must be at least a tick of {dt:g} ms, got {what.longest:g}")
        least = 0.15 * dt if what.kernel == "gaussian" else 0.0
        self.ends = (what.longest / 2 if what.sigma_start is None else what.sigma_start,
                     least if what.sigma_end is None else what.sigma_end)
        shape = {"synaptic": (n_in, n_out), "axonal": (n_in, 1), "dendritic": (1, n_out)}[what.of]
        drawn = torch.rand(shape, generator=generator, dtype=dtype) * what.longest
        if what.learn:
            self.delay = torch.nn.Parameter(drawn)
        else:
            self.register_buffer("delay", (drawn / dt).round() * dt)
        self.register_buffer("sigma", torch.tensor(self.ends[0], dtype=dtype))

    def anneal(self, share: float) -> None:
        """Set sigma on its way from sigma_start (0) to sigma_end (1): by equal factors where sigma_end is not 0.

        Args:
            share: of the way, 0 to 1; the rest of training goes on at 1.
        """
        share = check_number("share", share, "", at_least=0, at_most=1)
        start, end = self.ends
        self.sigma.fill_(start ** (1.0 - share) * end ** share if end > 0 else start * (1.0 - share))

    def ticks(self) -> Any:
        """Return the delays as whole ticks, int64, of the shape of `delay`."""
        return (self.delay.detach() / self.dt).round().clamp(0, self.late).to(torch.int64)

    def taps(self) -> Any:
        """Return the share of each tap, shape (taps, *shape of delay); the sum over taps is 1."""
        self._keep_in_range()
        return self._taps_of(self.delay, self.sigma)

    def _keep_in_range(self):
        with torch.no_grad():  # a step of the optimiser may have left the range
            if ((self.delay < 0) | (self.delay > self.what.longest)).any():
                self.delay.clamp_(0.0, self.what.longest)

    def _taps_of(self, delay, sigma):
        n = torch.arange(self.late + 1, dtype=delay.dtype, device=delay.device)[:, None, None]
        away = n - delay / self.dt
        sigma = sigma / self.dt
        if self.what.kernel == "gaussian":
            return torch.softmax(away.square() / (-2.0 * sigma * sigma), 0)
        near = (1.0 - away.abs() / (1.0 + sigma)).clamp(min=0.0)
        return near / near.sum(0)

    @property
    def whole(self) -> bool:
        """Whether delays are whole ticks now: in `eval()` mode, where they do not learn, and where sigma is 0."""
        return not self.training or not self.what.learn or (self.what.kernel == "gaussian" and not self.sigma)

    def forward(self, x: Any, weight: Any) -> Any:
        """Return the sums of weights of inputs that come late.

        Args:
            x: inputs, shape (late + ticks, samples, inputs); the first ones lie before the sequence.
            weight: shape (inputs, neurons).
        """
        on_cpu = weight.device.type == "cpu"
        if self.whole and on_cpu:
            return shifted(x, weight, self.ticks(), self.late)
        if self.what.of == "synaptic" and not self.whole:
            self._keep_in_range()
            return spread_over(x, lambda delay, sigma, weight: self._taps_of(delay, sigma) * weight, self.delay,
                               self.sigma, weight)
        taps = one_tap(self.ticks(), self.late + 1).to(weight.dtype) if self.whole else self.taps()
        if self.what.of == "synaptic":
            return spread(x, taps * weight)
        product = weighted if on_cpu else torch.matmul
        if self.what.of == "axonal":
            return product(filtered(x, taps[:, :, 0]), weight)
        return filtered(product(x, weight), taps[:, 0])

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.what!r}, sigma={float(self.sigma):g}"


def anneal(net: Any, share: float) -> None:
    """Narrow the delays of all layers of a network: `DelayLines.anneal` of each.

    >>> import torch
    >>> from neurosim.bridge import Delays, LIFLayer
    >>> layer = LIFLayer(3, 2, delays=Delays(20.0))
    >>> anneal(layer, 1.0)
    >>> round(layer.delays.sigma.item(), 6)
    0.15

    Args:
        net: a layer or a module that holds some.
        share: of the way to the last width, 0 to 1.
    """
    share = check_number("share", share, "", at_least=0, at_most=1)
    if not isinstance(net, torch.nn.Module):
        raise ParameterError(f"net must be a layer or a module that holds some, got {describe_value(net)}")
    for part in net.modules():
        if isinstance(part, DelayLines):
            part.anneal(share)
